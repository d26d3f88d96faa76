//! A sliding window over the bytes of one file.
//!
//! Duty: hold at most what the record at hand needs, count physical lines (LF, CRLF and CR each end one) and bytes.
//! Not its duty: what a record is.

use std::io::{self, Read};

use memchr::{memchr2, memchr2_iter};

use super::limits::CHUNK_BYTES;

/// Bytes of a file from some place on.
pub struct Window<R> {
    input: R,
    buffer: Vec<u8>,
    /// The bytes held are those from `start` to `end`.
    start: usize,
    end: usize,
    ended: bool,
    /// Bytes of the file before the window.
    offset: u64,
    /// Physical line, from 1, on which the window begins.
    line: u64,
}

impl<R: Read> Window<R> {
    pub fn new(input: R) -> Window<R> {
        Window {
            input,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            offset: 0,
            line: 1,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether the window reaches the end of the file.
    pub fn ended(&self) -> bool {
        self.ended
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn line(&self) -> u64 {
        self.line
    }

    /// Reads on, at least as much again as is held, so that growing costs linear time. `false` at the end of the file.
    pub fn grow(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let before = self.end;
        let wanted = before + CHUNK_BYTES.max(before);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        while self.end < wanted && !self.ended {
            match self.input.read(&mut self.buffer[self.end..wanted]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end > before)
    }

    /// Grows until `count` bytes are held or the file ends.
    pub fn at_least(&mut self, count: usize) -> io::Result<()> {
        while self.bytes().len() < count && self.grow()? {}
        Ok(())
    }

    /// Moves the window over `count` bytes in which so many lines end.
    pub fn pass(&mut self, count: usize, lines: u64) {
        self.line += lines;
        self.start += count;
        self.offset += count as u64;
    }

    /// Moves the window over `count` bytes that do not end between CR and LF.
    pub fn advance(&mut self, count: usize) {
        self.pass(count, count_breaks(&self.bytes()[..count]));
    }

    /// Length of the line that holds position `from`, counted from the start of the window and with its line break.
    /// `None` when it ends behind `limit` bytes.
    pub fn line_end(&mut self, from: usize, limit: usize) -> io::Result<Option<usize>> {
        let mut searched = from;
        loop {
            let bytes = self.bytes();
            if let Some(found) = memchr2(b'\n', b'\r', &bytes[searched..]) {
                let at = searched + found;
                if at >= limit {
                    return Ok(None);
                }
                // a CR at the very end may be half of a CRLF
                if bytes[at] == b'\r' && at + 1 == bytes.len() && self.grow()? {
                    searched = at;
                    continue;
                }
                return Ok(Some(at + break_len(&self.bytes()[at..])));
            }
            searched = bytes.len();
            if self.ended && searched <= limit {
                return Ok(Some(searched));
            }
            if searched > limit {
                return Ok(None);
            }
            self.grow()?;
        }
    }

    /// Moves over the rest of the line, however long, without holding it.
    pub fn discard_line(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.bytes();
            let length = bytes.len();
            match memchr2(b'\n', b'\r', bytes) {
                Some(at) if bytes[at] == b'\r' && at + 1 == length && !self.ended => {
                    self.advance(at);
                    self.grow()?;
                }
                Some(at) => {
                    let end = at + break_len(&bytes[at..]);
                    self.advance(end);
                    return Ok(());
                }
                None => {
                    self.advance(length);
                    if !self.grow()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Moves over empty lines, so that the window begins with something or is at the end of the file.
    pub fn skip_empty_lines(&mut self) -> io::Result<()> {
        loop {
            self.at_least(2)?;
            let length = match self.bytes() {
                [b'\n' | b'\r', ..] => break_len(self.bytes()),
                _ => return Ok(()),
            };
            self.advance(length);
        }
    }
}

/// Length of the line break that bytes begin with.
fn break_len(bytes: &[u8]) -> usize {
    1 + usize::from(bytes.starts_with(b"\r\n"))
}

/// Number of line breaks in bytes: LF, CRLF or CR.
pub fn count_breaks(bytes: &[u8]) -> u64 {
    memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| !bytes[*at..].starts_with(b"\r\n"))
        .count() as u64
}

/// Bytes without the line break at their end.
pub fn without_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_line_break_counts_once() {
        assert_eq!(count_breaks(b"a\nb\r\nc\rd\n\r\n"), 5);
        assert_eq!(without_break(b"a\r\n"), b"a");
        assert_eq!(without_break(b"a\r"), b"a");
    }

    #[test]
    fn a_line_break_across_two_reads_is_one() {
        // the chunk ends exactly between CR and LF
        let mut text = vec![b'x'; CHUNK_BYTES - 1];
        text.extend_from_slice(b"\r\nnext");
        for discard in [false, true] {
            let mut window = Window::new(text.as_slice());
            window.grow().unwrap();
            if discard {
                window.discard_line().unwrap();
            } else {
                let end = window.line_end(0, usize::MAX).unwrap().unwrap();
                window.advance(end);
            }
            assert_eq!((window.line(), window.offset()), (2, CHUNK_BYTES as u64 + 1));
            window.at_least(4).unwrap();
            assert_eq!(window.bytes(), b"next");
        }
    }

    #[test]
    fn a_long_line_is_not_held() {
        let text = [vec![b'x'; 10 * CHUNK_BYTES], b"\nnext".to_vec()].concat();
        let mut window = Window::new(text.as_slice());
        assert_eq!(window.line_end(0, CHUNK_BYTES).unwrap(), None);
        window.discard_line().unwrap();
        window.at_least(4).unwrap();
        assert_eq!(window.bytes(), b"next");
        assert!(
            window.buffer.capacity() <= 4 * CHUNK_BYTES,
            "{}",
            window.buffer.capacity()
        );
    }
}

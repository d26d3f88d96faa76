//! The text of one file.
//!
//! Duty: unpack, tell the byte-order mark, decode while it is read. Not its duty: whether the first bytes are those of a
//! text (its caller looks at [`Text::head`]), records.

use std::io::{self, Read};

use super::super::limits::{CHUNK_BYTES, HEAD_BYTES};
use super::charset::Decoder;
use super::{Bytes, Compression, Encoding, Fault, Malformed, fault_of, kind, unpack};

/// A file as UTF-8 while it is read, without its byte-order mark. See [`text`].
pub struct Text<'a> {
    input: Box<dyn Read + Send + 'a>,
    head: Vec<u8>,
    /// Bytes of the head that were read, its mark included.
    head_read: usize,
    /// `None`: the bytes are the text.
    decoder: Option<Decoder>,
    /// Bytes of the decoded text that were read.
    decoded_read: usize,
    chunk: Vec<u8>,
    ended: bool,
    encoding: Encoding,
    mark: usize,
    delivered_bytes: u64,
    malformed: Malformed,
}

/// Opens a text: unpacked by `compression`, decoded by its byte-order mark or else by `encoding`.
///
/// Reading gives UTF-8 in which each malformed sequence of the encoding is one byte 0xFF; U+0000 stays. UTF-8 is given
/// as it is, whatever bytes it has: who reads records looks at them anyway. Faults: `archive.*`, `file.type` (not packed
/// as declared), `file.empty` (a packed file of 0 bytes), `file.encoding` (UTF-32), `file.unreadable`, `file.changed`.
pub fn text<'a>(input: Box<dyn Bytes + 'a>, compression: Compression, encoding: Encoding) -> Result<Text<'a>, Fault> {
    let (mut input, delivered_bytes) = unpack::opened(input, compression)?;
    let mut head = Vec::new();
    Read::take(&mut input, HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(fault_of)?;
    if compression != Compression::None
        && let Some(what) = kind::archive(&head)
    {
        return Err(nested(compression, what));
    }
    let (encoding, mark) = marked(&head, encoding)?;
    let malformed = Malformed::new(encoding, mark, compression != Compression::None);
    let decoder = Decoder::new(encoding, mark, malformed.clone());
    Ok(Text {
        input,
        head,
        head_read: mark,
        chunk: vec![0; if decoder.is_some() { CHUNK_BYTES } else { 0 }],
        decoder,
        decoded_read: 0,
        ended: false,
        encoding,
        mark,
        delivered_bytes,
        malformed,
    })
}

fn nested(compression: Compression, what: &str) -> Fault {
    let reason = format!("inside the {} archive is {what}", compression.name());
    Fault::new("archive.nested", reason, "pack the table itself, once")
}

/// The encoding that the mark at the beginning says, with the length of the mark, or else the declared one.
fn marked(head: &[u8], declared: Encoding) -> Result<(Encoding, usize), Fault> {
    const UTF32: [&[u8]; 2] = [b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"];
    const MARKS: [(&[u8], Encoding); 3] = [
        (b"\xEF\xBB\xBF", Encoding::Utf8),
        (b"\xFF\xFE", Encoding::Utf16Le),
        (b"\xFE\xFF", Encoding::Utf16Be),
    ];
    // U+FEFF in GB18030
    const GB_MARK: &[u8] = b"\x84\x31\x95\x33";
    if UTF32.iter().any(|mark| head.starts_with(mark)) {
        let reason = "the file begins with the byte-order mark of UTF-32";
        return Err(Fault::new("file.encoding", reason, "save it as UTF-8"));
    }
    if let Some((mark, encoding)) = MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Ok((*encoding, mark.len()));
    }
    let is_gb = matches!(declared, Encoding::Gbk | Encoding::Gb18030) && head.starts_with(GB_MARK);
    Ok((declared, if is_gb { GB_MARK.len() } else { 0 }))
}

impl Text<'_> {
    /// The first bytes of the unpacked file, at most [`HEAD_BYTES`], before anything is decoded.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What the text is decoded from.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Length of the byte-order mark, which the text does not have.
    pub fn mark_bytes(&self) -> usize {
        self.mark
    }

    /// Length of the file as delivered, packed where it is packed.
    pub fn delivered_bytes(&self) -> u64 {
        self.delivered_bytes
    }

    /// Where malformed bytes stand; it fills while the text is read.
    pub fn malformed(&self) -> Malformed {
        self.malformed.clone()
    }

    /// Bytes before decoding.
    fn read_bytes(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.head_read < self.head.len() {
            let read = (&self.head[self.head_read..]).read(buffer)?;
            self.head_read += read;
            return Ok(read);
        }
        self.input.read(buffer)
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.decoder.is_none() {
            return self.read_bytes(buffer);
        }
        loop {
            let pending = self.decoder.as_ref().map_or(&[][..], Decoder::text);
            let mut pending = &pending[self.decoded_read..];
            if !pending.is_empty() || self.ended || buffer.is_empty() {
                let read = pending.read(buffer)?;
                self.decoded_read += read;
                return Ok(read);
            }
            let mut chunk = std::mem::take(&mut self.chunk);
            let result = self.read_bytes(&mut chunk);
            self.chunk = chunk;
            let read = result?;
            self.ended = read == 0;
            self.decoded_read = 0;
            if let Some(decoder) = &mut self.decoder {
                decoder.decode(&self.chunk[..read], self.ended);
            }
        }
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;

//! A part of the file as delivered, of known length.
//!
//! Duty: exactly so many bytes, or an error: a file that shrinks or grows while it is read is no file. Not its duty:
//! what the bytes mean.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Bytes, Fault, carried, fault_of};

/// Bytes from some place of the file on.
pub(super) struct Delivered<'a> {
    input: Box<dyn Bytes + 'a>,
    left: u64,
    /// Whether the file ends with the part, which is looked at behind its last byte.
    to_end: bool,
    failed: bool,
}

impl<'a> Delivered<'a> {
    /// The whole file, and its length.
    pub(super) fn whole(mut input: Box<dyn Bytes + 'a>) -> Result<(Delivered<'a>, u64), Fault> {
        let length = length(input.as_mut()).map_err(fault_of)?;
        input.rewind().map_err(fault_of)?;
        let delivered = Delivered {
            input,
            left: length,
            to_end: true,
            failed: false,
        };
        Ok((delivered, length))
    }

    /// `length` bytes from `start` on, which lie within the file.
    pub(super) fn part(mut input: Box<dyn Bytes + 'a>, start: u64, length: u64) -> Result<Delivered<'a>, Fault> {
        input.seek(SeekFrom::Start(start)).map_err(fault_of)?;
        Ok(Delivered {
            input,
            left: length,
            to_end: false,
            failed: false,
        })
    }

    pub(super) fn into_inner(self) -> Box<dyn Bytes + 'a> {
        self.input
    }

    /// Bytes not yet read.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Whether the file itself failed, and not what is made of it.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    fn read_on(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn read_part(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            if self.to_end && self.read_on(&mut [0])? > 0 {
                return Err(carried(changed("longer")));
            }
            return Ok(0);
        }
        let wanted = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = self.read_on(&mut buffer[..wanted])?;
        if read == 0 {
            return Err(carried(changed("shorter")));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

impl Read for Delivered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.read_part(buffer);
        self.failed |= result.is_err();
        result
    }
}

/// Length of a file; the position is at its end then.
pub(super) fn length(input: &mut dyn Bytes) -> io::Result<u64> {
    input.seek(SeekFrom::End(0))
}

fn changed(how: &str) -> Fault {
    Fault::new(
        "file.changed",
        format!("the file became {how} while it was read"),
        "run again; if it happens once more, restore the file in landing from where it came",
    )
}

//! The reading end of frames: it trusts nothing that comes.
//!
//! Duty: frames back to records in bounded memory, and why a stream ended too early. Not its duty: what is in them.

use std::io::{self, BufReader, ErrorKind, Read};

use super::super::limits::{CHUNK_BYTES, MAX_COLUMNS, MAX_RECORD_BYTES};
use super::{
    END, End, FAULT, Fault, Kind, MAGIC, Next, Note, OVERHEAD_BYTES, PREAMBLE, RECORD, REJECTED, Record, VERSION,
};

/// Reads frames, in bounded memory, whatever comes.
pub struct Reader<R> {
    input: BufReader<R>,
    frame: Vec<u8>,
    begun: bool,
    records: u64,
}

impl<R: Read> Reader<R> {
    pub fn new(input: R) -> Reader<R> {
        Reader {
            input: BufReader::with_capacity(CHUNK_BYTES, input),
            frame: Vec::new(),
            begun: false,
            records: 0,
        }
    }

    /// The next record, its fault, or the end. An error refuses the whole file.
    pub fn next(&mut self, record: &mut Record) -> Result<Next, Fault> {
        if !self.begun {
            let mut head = [0; MAGIC.len() + 1];
            self.fill(&mut head)?;
            if head[..MAGIC.len()] != *MAGIC || head[MAGIC.len()] != VERSION {
                return Err(not_a_frame());
            }
            self.begun = true;
        }
        let tag = self.frame()?;
        let frame = std::mem::take(&mut self.frame);
        let next = self.parse(tag, &frame, record);
        self.frame = frame;
        next.unwrap_or_else(|| Err(not_a_frame()))
    }

    /// Reads a frame; returns its tag.
    fn frame(&mut self) -> Result<u8, Fault> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > MAX_RECORD_BYTES + OVERHEAD_BYTES {
            return Err(not_a_frame());
        }
        let mut frame = std::mem::take(&mut self.frame);
        frame.resize(length, 0);
        self.fill(&mut frame)?;
        self.frame = frame;
        Ok(head[0])
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.input.read_exact(bytes).map_err(|error| died(&error))
    }

    /// `None`: the frame is none.
    fn parse(&mut self, tag: u8, frame: &[u8], record: &mut Record) -> Option<Result<Next, Fault>> {
        let mut payload = Payload(frame);
        match tag {
            RECORD => {
                record.clear(payload.u64()?);
                record.hidden = payload.u8()? == 1;
                let width = usize::from(payload.u16()?);
                if width > MAX_COLUMNS {
                    return None;
                }
                for _ in 0..width {
                    let kind = *Kind::ALL.get(usize::from(payload.u8()?))?;
                    record.push(kind, payload.text()?);
                }
                self.records += 1;
                payload.done(Ok(Next::Record))
            }
            REJECTED => {
                record.clear(payload.u64()?);
                self.records += 1;
                let fault = payload.fault()?;
                payload.done(Ok(Next::Fault(fault)))
            }
            PREAMBLE => {
                record.clear(payload.u64()?);
                self.records += 1;
                payload.done(Ok(Next::Preamble))
            }
            END => {
                let is_whole = payload.u64()? == self.records;
                let bytes = payload.u64()?;
                let count = payload.u16()?;
                let mut notes = Vec::new();
                for _ in 0..count {
                    notes.push(Note {
                        is_warning: payload.u8()? == 1,
                        rule: payload.text()?.to_owned(),
                        message: payload.text()?.to_owned(),
                        remedy: payload.text()?.to_owned(),
                    });
                }
                // the process may still tell that it ended badly
                let mut rest = [0];
                match self.input.read(&mut rest) {
                    Ok(0) if is_whole => payload.done(Ok(Next::End(End { bytes, notes }))),
                    Ok(_) => None,
                    Err(error) => Some(Err(died(&error))),
                }
            }
            FAULT => {
                let fault = payload.fault()?;
                payload.done(Err(fault))
            }
            _ => None,
        }
    }
}

/// A frame being taken apart.
struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.array().map(u32::from_le_bytes)?;
        std::str::from_utf8(self.take(length as usize)?).ok()
    }

    fn fault(&mut self) -> Option<Fault> {
        Some(Fault {
            rule: self.text()?.to_owned().into(),
            reason: self.text()?.to_owned(),
            remedy: self.text()?.to_owned(),
        })
    }

    /// The value, if nothing is left over.
    fn done<T>(self, value: T) -> Option<T> {
        self.0.is_empty().then_some(value)
    }
}

fn not_a_frame() -> Fault {
    let reason = "what the process that reads the file sent is no stream of records of this version";
    Fault::new(
        "foreign.protocol",
        reason,
        "run the program that was installed, and report it if it happens again",
    )
}

/// Why the stream ended without an end: the error tells, where the process died.
fn died(error: &io::Error) -> Fault {
    let split = "split the file, or deliver it as csv";
    let (rule, remedy) = match error.kind() {
        ErrorKind::OutOfMemory => ("foreign.memory", split),
        ErrorKind::TimedOut => ("foreign.time", split),
        _ => (
            "foreign.crash",
            "open the file where it came from, save it anew, or deliver it as csv",
        ),
    };
    let reason = if error.kind() == ErrorKind::UnexpectedEof {
        "the process that reads the file ended before its end".to_owned()
    } else {
        format!("the process that reads the file did not come to its end: {error}")
    };
    Fault::new(rule, reason, remedy)
}

//! The writing end of frames: the process that reads a foreign file holds it.
//!
//! Duty: whole frames, none over a limit. Not its duty: what is in them.

use std::io::{self, ErrorKind, Write};

use super::super::limits::{MAX_COLUMNS, MAX_RECORD_BYTES};
use super::{END, End, FAULT, Fault, MAGIC, PREAMBLE, RECORD, REJECTED, Record, VERSION};

/// Writes frames.
pub struct Writer<W> {
    out: W,
    frame: Vec<u8>,
    pub(super) records: u64,
}

impl<W: Write> Writer<W> {
    pub fn new(mut out: W) -> io::Result<Writer<W>> {
        out.write_all(MAGIC)?;
        out.write_all(&[VERSION])?;
        Ok(Writer {
            out,
            frame: Vec::new(),
            records: 0,
        })
    }

    /// A record over a limit is written as rejected.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        if record.text.len() > MAX_RECORD_BYTES {
            let reason = format!("the record is longer than {MAX_RECORD_BYTES} bytes");
            return self.rejected(record.line, &Fault::new("record.size", reason, "shorten its texts"));
        }
        if record.width() > MAX_COLUMNS {
            let reason = format!("has more than {MAX_COLUMNS} cells");
            let fault = Fault::new("record.columns", reason, "remove what stands beside the table");
            return self.rejected(record.line, &fault);
        }
        self.frame.clear();
        self.frame.extend_from_slice(&record.line.to_le_bytes());
        self.frame.push(u8::from(record.hidden));
        let width = u16::try_from(record.width()).unwrap_or(u16::MAX);
        self.frame.extend_from_slice(&width.to_le_bytes());
        for cell in record.cells() {
            self.frame.push(cell.kind as u8);
            put_text(&mut self.frame, cell.text);
        }
        self.records += 1;
        self.send(RECORD)
    }

    pub fn rejected(&mut self, line: u64, fault: &Fault) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&line.to_le_bytes());
        self.put_fault(fault);
        self.records += 1;
        self.send(REJECTED)
    }

    pub fn preamble(&mut self, line: u64) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&line.to_le_bytes());
        self.records += 1;
        self.send(PREAMBLE)
    }

    /// Everything came.
    pub fn end(mut self, end: &End) -> io::Result<()> {
        self.frame.clear();
        self.frame.extend_from_slice(&self.records.to_le_bytes());
        self.frame.extend_from_slice(&end.bytes.to_le_bytes());
        let notes = u16::try_from(end.notes.len()).unwrap_or(u16::MAX);
        self.frame.extend_from_slice(&notes.to_le_bytes());
        for note in end.notes.iter().take(usize::from(notes)) {
            self.frame.push(u8::from(note.is_warning));
            for text in [&note.rule, &note.message, &note.remedy] {
                put_text(&mut self.frame, text);
            }
        }
        self.send(END)?;
        self.out.flush()
    }

    /// The file is refused.
    pub fn fault(mut self, fault: &Fault) -> io::Result<()> {
        self.frame.clear();
        self.put_fault(fault);
        self.send(FAULT)?;
        self.out.flush()
    }

    fn put_fault(&mut self, fault: &Fault) {
        for text in [&*fault.rule, &fault.reason, &fault.remedy] {
            put_text(&mut self.frame, text);
        }
    }

    fn send(&mut self, tag: u8) -> io::Result<()> {
        let length = u32::try_from(self.frame.len()).map_err(|_| ErrorKind::InvalidInput)?;
        self.out.write_all(&[tag])?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.frame)
    }
}

fn put_text(frame: &mut Vec<u8>, text: &str) {
    // a text is shorter than a record, or one of ours
    frame.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend_from_slice(text.as_bytes());
}

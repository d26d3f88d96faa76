//! One file of the sample while it is written: header, rows, planted dirt, and the physical line of each.
//!
//! Duty: framing and line counting, in constant memory. Not its duty: what the rows say.

use std::io::{self, BufWriter, Write};

use super::dialect::{Dialect, Row, put_decimal};
use super::dirt::{Act, Plant, mangle};
use super::{FileSummary, Planted, State};

/// Data rows after which a region that repeats its header does so; rarer and rarer, so that the list stays short.
const REPEATED_HEADERS_AFTER: [u64; 5] = [200, 1_000, 10_000, 100_000, 1_000_000];

/// What a file is called and how it is framed.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) feed: &'static str,
    pub(super) dialect: Dialect,
    /// Columns as the contract names them.
    pub(super) header: &'static [&'static str],
    /// Names that the file uses in place of the contract's.
    pub(super) renamed: &'static [(&'static str, &'static str)],
    /// Lines above the header, without line ends.
    pub(super) preamble: &'static [&'static str],
    /// Whether a totals row closes the file.
    pub(super) totals: bool,
}

/// A line remembered in one file to be repeated in a later one.
#[derive(Debug, Default)]
pub(super) struct Carried(Vec<u8>);

/// A file being written.
pub(super) struct TableFile<'a> {
    out: BufWriter<Box<dyn Write + 'a>>,
    frame: Frame,
    row: Row,
    plants: Vec<&'static Plant>,
    next_plant: usize,
    carried: &'a mut Carried,
    planted: &'a mut Vec<Planted>,
    /// Lines ended so far.
    lines: u64,
    /// Data rows so far, planted ones not counted.
    rows: u64,
    bytes: u64,
}

impl<'a> TableFile<'a> {
    pub(super) fn open(
        out: Box<dyn Write + 'a>,
        frame: Frame,
        plants: Vec<&'static Plant>,
        carried: &'a mut Carried,
        planted: &'a mut Vec<Planted>,
    ) -> io::Result<TableFile<'a>> {
        let row = Row::new(frame.dialect, frame.header);
        let out = BufWriter::with_capacity(1 << 16, out);
        let mut file = TableFile {
            out,
            frame,
            row,
            plants,
            next_plant: 0,
            carried,
            planted,
            lines: 0,
            rows: 0,
            bytes: 0,
        };
        if file.frame.dialect == Dialect::Apac {
            file.put("\u{FEFF}".as_bytes())?;
        }
        for line in file.frame.preamble {
            file.line(line.as_bytes())?;
        }
        if !file.frame.dialect.is_json() {
            file.line(&file.header_line())?;
        }
        Ok(file)
    }

    /// Writes one row, filled by the caller value by value in the order of the header.
    pub(super) fn push(&mut self, fill: impl FnOnce(&mut Row)) -> io::Result<()> {
        self.row.clear();
        fill(&mut self.row);
        self.row.finish();
        self.rows += 1;
        if !self.due_plant().is_some_and(|plant| plant.act.is_instead()) {
            self.out.write_all(self.row.bytes())?;
            self.count(self.row.bytes().len() as u64);
            self.end_line()?;
        }
        while let Some(plant) = self.due_plant() {
            self.next_plant += 1;
            self.plant(plant)?;
        }
        if self.frame.dialect == Dialect::Latam && REPEATED_HEADERS_AFTER.contains(&self.rows) {
            self.note("repeated header", State::Skipped);
            self.line(&self.header_line())?;
        }
        Ok(())
    }

    fn due_plant(&self) -> Option<&'static Plant> {
        self.plants
            .get(self.next_plant)
            .copied()
            .filter(|plant| plant.after <= self.rows)
    }

    fn plant(&mut self, plant: &'static Plant) -> io::Result<()> {
        if let Act::Carry = plant.act {
            self.carried.0 = self.row.bytes().to_vec();
            return Ok(());
        }
        let lines = match plant.act {
            Act::Repeat => vec![self.row.bytes().to_vec()],
            Act::RepeatCarried => vec![std::mem::take(&mut self.carried.0)],
            _ => mangle(plant, &self.row, self.frame.dialect),
        };
        for line in lines {
            self.note(plant.kind, plant.expected);
            self.line(&line)?;
        }
        Ok(())
    }

    /// Lists the line that comes next.
    fn note(&mut self, kind: &'static str, expected: State) {
        self.planted.push(Planted {
            file: self.frame.name.clone(),
            line: self.lines + 1,
            kind,
            expected,
        });
    }

    fn header_line(&self) -> Vec<u8> {
        let names: Vec<&str> = self
            .frame
            .header
            .iter()
            .map(|name| {
                self.frame
                    .renamed
                    .iter()
                    .find(|(ours, _)| ours == name)
                    .map_or(*name, |(_, theirs)| *theirs)
            })
            .collect();
        names
            .join(if self.frame.dialect == Dialect::Emea { ";" } else { "," })
            .into_bytes()
    }

    /// Writes a line that may hold line breaks of its own.
    fn line(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(bytes)?;
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.end_line()
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.lines += 1;
        self.put(self.frame.dialect.line_end())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.count(bytes.len() as u64);
        self.out.write_all(bytes)
    }

    fn count(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    /// Writes what closes the file and says what it holds.
    pub(super) fn close(mut self) -> io::Result<FileSummary> {
        if self.frame.totals && self.rows > 0 {
            let mut total = b"TOTAL".to_vec();
            for name in &self.frame.header[1..] {
                total.push(self.frame.dialect.delimiter());
                if *name == "net_amount" {
                    put_decimal(&mut total, self.row.net_total() / 100, 2, self.frame.dialect, false);
                }
            }
            self.note("totals row", State::Skipped);
            self.line(&total)?;
        }
        self.out.flush()?;
        Ok(FileSummary {
            name: self.frame.name,
            feed: self.frame.feed,
            rows: self.rows,
            bytes: self.bytes,
        })
    }
}

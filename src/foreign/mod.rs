//! Workbooks and Parquet files of others to frames: the room that runs in a process of its own.
//!
//! Duty: take the bytes of a file apart within budgets and hand over every cell as text with its kind, or say why not.
//! Must not: open files, print, ask the time, know columns or contracts, guess, round, trust a size that a file states.
//! What gets past its budgets meets the limits of the process, and the one that started it says so.
//!
//! | step | from | to | in |
//! |---|---|---|---|
//! | unpack | an archive | the bytes of one file | `unpack` |
//! | open | bytes | parts of an archive, sizes counted | `archive`, `xml` |
//! | look up | parts | sheets, shared strings, number formats | `book`, `strings`, `styles` |
//! | read | XML of one sheet | cells | `sheet`, `cell`, `number`, `serial` |
//! | put in order | cells | header, records, notes | `rows` |
//! | read | Parquet | columns, records | `parquet`, `column`, `chunks` |

mod archive;
mod book;
mod budget;
mod cell;
mod chunks;
mod column;
mod number;
mod parquet;
mod rows;
mod serial;
mod sheet;
mod strings;
mod styles;
mod unpack;
mod xml;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::ingest::decode::{Compression, fault_of};
use crate::ingest::frames::{End, Fault, Note, Writer};
use crate::ingest::source::{self, Source};

pub use budget::{CPU_SECONDS, MEMORY_BYTES};

/// What a foreign file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Workbook,
    Parquet,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Workbook => "xlsx",
            Format::Parquet => "parquet",
        }
    }

    /// By its name.
    pub fn parse(name: &str) -> Option<Format> {
        [Format::Workbook, Format::Parquet]
            .into_iter()
            .find(|f| f.name() == name)
    }
}

/// What a source declares of a foreign file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub format: Format,
    pub compression: Compression,
    /// Name of the sheet, exactly; `None`: the only visible one.
    pub sheet: Option<String>,
    /// Row of the header, from 1; of workbooks only.
    pub header_row: u64,
}

/// How the process that reads a file is told: the hidden command of the program.
pub const COMMAND: &str = "read-foreign";

impl Options {
    /// What a source declares; `None` for one whose files are text.
    pub fn of(source: &Source) -> Option<Options> {
        let format = match source.format {
            source::Format::Csv | source::Format::JsonLines => return None,
            source::Format::Xlsx => Format::Workbook,
            source::Format::Parquet => Format::Parquet,
        };
        Some(Options {
            format,
            compression: source.compression,
            sheet: source.sheet.clone(),
            header_row: source.header_row,
        })
    }

    /// The arguments of the command in front of the file's path.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            COMMAND.to_owned(),
            format!("--format={}", self.format.name()),
            format!("--compression={}", self.compression.name()),
        ];
        arguments.extend(self.sheet.as_ref().map(|name| format!("--sheet={name}")));
        arguments.push(format!("--header-row={}", self.header_row));
        arguments.push("--".to_owned());
        arguments
    }
}

/// A compression by its name in the arguments.
pub fn compression(name: &str) -> Option<Compression> {
    let all = [Compression::None, Compression::Gzip, Compression::Zip];
    all.into_iter().find(|compression| compression.name() == name)
}

/// Why reading stops.
enum Stop {
    /// The file is refused.
    Fault(Fault),
    /// Nobody takes the frames any more.
    Output(io::Error),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Output(error)
    }
}

/// Reads a file and writes its frames; whatever the file is, they end with an end or a fault. An error is one of the
/// output.
pub fn read<I, O>(input: I, options: &Options, output: O) -> io::Result<()>
where
    I: Read + Seek + Send + 'static,
    O: Write,
{
    let mut writer = Writer::new(output)?;
    // a frame is written at once or not at all, so that the writer is whole after a panic
    let read = catch_unwind(AssertUnwindSafe(|| read_into(input, options, &mut writer)));
    match read {
        Ok(Ok(end)) => writer.end(&end),
        Ok(Err(Stop::Fault(fault))) => writer.fault(&fault),
        Ok(Err(Stop::Output(error))) => Err(error),
        Err(_) => writer.fault(&Fault::new(
            "foreign.crash",
            "the reader gave up on the file: it is damaged in a way that is not known",
            "open the file where it came from, save it anew, or deliver it as csv",
        )),
    }
}

fn read_into<I, O>(mut input: I, options: &Options, writer: &mut Writer<O>) -> Result<End, Stop>
where
    I: Read + Seek + Send + 'static,
    O: Write,
{
    let bytes = input.seek(SeekFrom::End(0)).map_err(fault_of)?;
    input.rewind().map_err(fault_of)?;
    if bytes == 0 {
        return Err(empty().into());
    }
    let notes = match options.compression {
        Compression::None => read_plain(input, options, writer)?,
        compression => {
            let unpacked = unpack::read(input, compression)?;
            if unpacked.is_empty() {
                return Err(empty().into());
            }
            read_plain(io::Cursor::new(unpacked), options, writer)?
        }
    };
    Ok(End { bytes, notes })
}

fn read_plain<I, O>(input: I, options: &Options, writer: &mut Writer<O>) -> Result<Vec<Note>, Stop>
where
    I: Read + Seek + Send + 'static,
    O: Write,
{
    match options.format {
        Format::Workbook => sheet::read(input, options, writer),
        Format::Parquet => parquet::read(input, writer),
    }
}

fn empty() -> Fault {
    Fault::new(
        "file.empty",
        "the file has 0 bytes",
        "deliver the file again; where there is nothing to report, deliver the header alone",
    )
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod mutants_tests;
#[cfg(test)]
mod parquet_tests;
#[cfg(test)]
mod workbook_tests;

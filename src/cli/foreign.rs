//! `read-foreign`: the process in which foreign files are taken apart; the program starts it itself.
//!
//! Duty: limits on itself, then frames on standard output, and nothing else. Whatever goes wrong with the file is told
//! in the frames; whatever goes wrong with the process, by how it ends.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use super::CommandResult;
use crate::edges::{child, files};
use crate::foreign::{self, CPU_SECONDS, Format, MEMORY_BYTES, Options};
use crate::ingest::decode::Compression;
use crate::ingest::frames::{Fault, Writer};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, value_parser = format)]
    format: Format,
    #[arg(long, value_parser = compression)]
    compression: Compression,
    #[arg(long)]
    sheet: Option<String>,
    #[arg(long)]
    header_row: u64,
    #[arg(last = true)]
    file: PathBuf,
}

fn format(name: &str) -> Result<Format, &'static str> {
    Format::parse(name).ok_or("no such format")
}

fn compression(name: &str) -> Result<Compression, &'static str> {
    foreign::compression(name).ok_or("no such compression")
}

#[expect(clippy::unnecessary_wraps, reason = "every command has this form")]
pub fn read_foreign(args: &Args) -> CommandResult {
    // a panic is told in the frames, and its text could be a stranger's
    std::panic::set_hook(Box::new(|_| {}));
    let out = BufWriter::with_capacity(256 << 10, io::stdout().lock());
    // an output that nobody takes any more needs no word
    let _ = frames(args, out);
    Ok(())
}

fn frames(args: &Args, out: impl Write) -> io::Result<()> {
    let refuse = |out, reason: String| {
        let fault = Fault::new(
            "file.unreadable",
            reason,
            "check the machine and the disk, and run again",
        );
        Writer::new(out)?.fault(&fault)
    };
    if let Err(error) = child::confine(MEMORY_BYTES, CPU_SECONDS) {
        return refuse(
            out,
            format!("the limits for reading foreign files cannot be set: {error}"),
        );
    }
    match files::open_plain(&args.file) {
        Ok(file) => foreign::read(file, &options(args), out),
        Err(error) => refuse(out, format!("the file cannot be opened: {}", error.source)),
    }
}

fn options(args: &Args) -> Options {
    Options {
        format: args.format,
        compression: args.compression,
        sheet: args.sheet.clone(),
        header_row: args.header_row,
    }
}

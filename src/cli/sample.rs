//! `sample`: sample data of any size.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use serde_json::json;

use super::{CommandResult, Session};
use crate::edges::files::{self, FileError};
use crate::pipeline::PipelineError;
use crate::sample::{SampleOptions, SampleSink, generate};
use crate::store::StoreError;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How much: 1 is the small set, 1000 a thousand times its facts.
    #[arg(long, default_value_t = 1)]
    scale: u64,
    /// Other seeds give other facts about the same partners.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whether to plant dirt: rows that ingestion must catch.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    dirt: bool,
    /// Folder to write to; it must be empty or not exist.
    #[arg(long)]
    out: PathBuf,
}

struct Folder {
    base: PathBuf,
}

impl SampleSink for Folder {
    fn file(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        let path = self.base.join(name);
        if let Some(folder) = path.parent() {
            files::create_dir_all(folder).map_err(io::Error::other)?;
        }
        Ok(Box::new(BufWriter::with_capacity(
            1 << 18,
            files::create_new(&path).map_err(io::Error::other)?,
        )))
    }
}

pub(super) fn sample(session: &Session, args: &Args) -> CommandResult {
    if !files::list(&args.out).map_err(StoreError::from)?.is_empty() {
        return Err(PipelineError::Usage(format!(
            "--out {} is not empty; name a new folder",
            args.out.display()
        )));
    }
    let options = SampleOptions {
        scale: args.scale,
        seed: args.seed,
        dirt: args.dirt,
    };
    let mut sink = Folder { base: args.out.clone() };
    let summary = generate(&options, &mut sink).map_err(|source| {
        StoreError::File(FileError {
            action: "write the sample to",
            path: args.out.clone(),
            source,
        })
    })?;
    if session.output.json {
        session.output.value(&json!({ "files": summary.files.len(), "rows": summary.rows(), "bytes": summary.bytes(), "planted": summary.planted.len() }));
    } else {
        session.output.line(&format!(
            "{} files with {} rows in {}, {} planted faults",
            summary.files.len(),
            summary.rows(),
            args.out.display(),
            summary.planted.len()
        ));
    }
    Ok(())
}

//! A corrected record, read as the run will read it.
//!
//! Duty: what is wrong with one record by the source that takes corrections. Must not: keep anything.

use std::io::Cursor;

use super::FOLDER;
use crate::contracts::Contract;
use crate::domain::{Batch, Digest};
use crate::ingest::source::Format;
use crate::ingest::{FileOrigin, Input, Source, Verdict, read_file};
use crate::pipeline::PipelineError;

/// What is wrong with a record, or with one of its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub column: Option<String>,
    pub rule: String,
    pub reason: String,
    pub remedy: String,
}

/// The source that takes the corrections of a feed.
pub fn source_of<'a>(sources: &'a [Source], feed: &str) -> Result<&'a Source, PipelineError> {
    let path = format!("{FOLDER}/{feed}-0123456789ab.csv");
    let found = Source::of_file(sources, &path).map_err(|finding| PipelineError::Config(vec![*finding]))?;
    found
        .filter(|s| s.feed == feed && s.format == Format::Csv)
        .ok_or_else(|| {
            PipelineError::Usage(format!(
                "no source takes corrections of '{feed}': declare one in pipelines/sources/corrections.toml with \
             feed = \"{feed}\", files = [\"{FOLDER}/{feed}-*.csv\"], format = \"csv\""
            ))
        })
}

/// Reads a delivery of one record; nothing wrong is an empty list.
pub fn try_record(source: &Source, contract: &Contract, header: &str, record: &str) -> Vec<Wrong> {
    let text = format!("{header}\n{record}\n");
    let origin = FileOrigin {
        arrival: 0,
        file_name: FOLDER.to_owned(),
        file_hash: Digest::of(text.as_bytes()),
        bytes: text.len() as u64,
    };
    // a file of one record is never set aside for its rejects
    let input = Input::Bytes(Box::new(Cursor::new(text.as_bytes())));
    let outcome = read_file(source, contract, &origin, input, &mut Vec::<Batch>::new());
    if let Verdict::SetAside { reason } = outcome.verdict {
        return vec![Wrong {
            column: None,
            rule: "correct.source".to_owned(),
            reason,
            remedy: format!("the source '{}' must read the contract's own form", source.name),
        }];
    }
    let wrong = outcome.rejects.into_iter().map(|reject| Wrong {
        column: reject.column,
        rule: reject.rule,
        reason: reject.reason,
        remedy: reject.remedy,
    });
    wrong.collect()
}

//! A source proposed for a file: what it is read from, and what the workspace knows.
//!
//! Duty: open the file, hand its beginning and the contracts to `ingest::detect`, have a foreign file taken apart by
//! a process of its own. Not its duty: guessing, printing, writing. Sources that are not in order do not matter here:
//! a proposal that waits for its confirmation is one of them.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PipelineError;
use crate::contracts::{Catalogue, Contract};
use crate::domain::{Finding, Place};
use crate::edges::{child, files};
use crate::foreign::{self, MEMORY_BYTES};
use crate::ingest::detect::{self, Confidence, Guess, Known, Proposal, Rows, SAMPLE_BYTES, Sample, TAIL_BYTES};
use crate::ingest::source::Format;
use crate::ingest::{Input, Source};
use crate::store::StoreError;

/// Time that is waited for a foreign file to be taken apart.
const WAIT: Duration = Duration::from_mins(5);

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct Request {
    pub file: PathBuf,
    pub feed: Option<String>,
    pub name: Option<String>,
    /// Of a workbook.
    pub sheet: Option<String>,
}

/// What the workspace knows.
struct Workspace {
    catalogue: Catalogue,
    sources: Vec<Source>,
}

/// A file as far as it is looked at.
struct Opened {
    name: String,
    in_workspace: bool,
    head: Vec<u8>,
    tail: Vec<u8>,
    bytes: u64,
}

/// Proposes a source for a file. `Data` when no source can read it.
pub fn detect(workspace: &Path, request: &Request) -> Result<Proposal, PipelineError> {
    let known = read_workspace(workspace)?;
    let opened = open(workspace, &request.file)?;
    let contracts: Vec<&Contract> = known.catalogue.feeds().collect();
    let taken: Vec<&str> = known.sources.iter().map(|s| s.name.as_str()).collect();
    let asked = Known {
        contracts: &contracts,
        feed: request.feed.as_deref(),
        name: request.name.as_deref(),
        taken: &taken,
        in_workspace: opened.in_workspace,
    };
    let refused = |fault| refused(&opened.name, fault);
    let whole = opened.head.len() as u64 == opened.bytes;
    let mut proposal = match detect::foreign(&opened.head, whole).map_err(refused)? {
        None => {
            let sample = Sample {
                file: &opened.name,
                head: &opened.head,
                tail: &opened.tail,
                bytes: opened.bytes,
            };
            detect::text(sample, asked).map_err(refused)?
        }
        Some((format, compression)) => {
            let options = foreign::Options {
                format: match format {
                    Format::Parquet => foreign::Format::Parquet,
                    _ => foreign::Format::Workbook,
                },
                compression,
                sheet: request.sheet.clone(),
                header_row: 1,
            };
            let (rows, whole) = detect::read_frames(frames(&options, &request.file)?).map_err(refused)?;
            let rows = Rows {
                format,
                compression,
                sheet: request.sheet.clone(),
                rows,
                whole,
            };
            let mut proposal = detect::rows(&opened.name, rows, asked).map_err(refused)?;
            try_foreign(&mut proposal, &known, &request.file, opened.bytes)?;
            proposal
        }
    };
    if let Ok(Some(source)) = Source::of_file(&known.sources, &opened.name)
        && opened.in_workspace
    {
        let evidence = format!(
            "{} claims the file already, and a file belongs to one source only",
            source.place("files")
        );
        proposal
            .guesses
            .push(Guess::told("declared", &source.name, Confidence::Certain, evidence));
    }
    Ok(proposal)
}

/// Reads the whole of a foreign file with the proposal.
fn try_foreign(proposal: &mut Proposal, known: &Workspace, file: &Path, bytes: u64) -> Result<(), PipelineError> {
    let source = proposal.trial_source();
    let contract = known.catalogue.get(&proposal.feed);
    let (Ok(source), Some(contract)) = (source, contract) else {
        return Ok(());
    };
    if let Some(options) = foreign::Options::of(&source) {
        let input = Input::Frames(Box::new(frames(&options, file)?));
        proposal.try_read(&source, contract, input, bytes);
    }
    Ok(())
}

fn frames(options: &foreign::Options, file: &Path) -> Result<child::Output, PipelineError> {
    let limits = child::Limits {
        memory_bytes: MEMORY_BYTES,
        wait: WAIT,
    };
    child::open(&options.arguments(), file, limits).map_err(|error| PipelineError::Stage {
        what: "the process that reads foreign files",
        detail: error.to_string(),
    })
}

fn read_workspace(workspace: &Path) -> Result<Workspace, PipelineError> {
    let texts = |folder: &str, ending: &str| -> Result<Vec<(String, String)>, PipelineError> {
        let mut out = Vec::new();
        let path = workspace.join(folder);
        for name in files::list(&path).map_err(StoreError::from)? {
            if name.ends_with(ending) {
                let text = files::read_text(&path.join(&name)).map_err(StoreError::from)?;
                out.push((format!("{folder}/{name}"), text));
            }
        }
        Ok(out)
    };
    let contracts = texts("schemas", ".yaml")?;
    if contracts.is_empty() {
        let message = format!("{} holds no contract", workspace.join("schemas").display());
        let remedy = "name a workspace with --workspace; `starledger init` makes one";
        let place = Place::file("schemas");
        return Err(PipelineError::Config(vec![Finding::error(
            place,
            "workspace.read",
            message,
            remedy,
        )]));
    }
    let sources = texts("pipelines/sources", ".toml")?;
    let sources = sources.iter().filter_map(|(file, text)| Source::read(file, text).ok());
    Ok(Workspace {
        catalogue: Catalogue::read(&contracts).map_err(PipelineError::Config)?,
        sources: sources.flatten().collect(),
    })
}

fn open(workspace: &Path, file: &Path) -> Result<Opened, PipelineError> {
    let (name, in_workspace) = name_of(workspace, file);
    let unreadable = |reason: String, remedy: &str| {
        let place = Place::file(&name);
        PipelineError::Data(vec![Finding::error(place, "file.unreadable", reason, remedy)])
    };
    let failed = |error: std::io::Error| unreadable(format!("the file cannot be read: {error}"), "check name and disk");
    let mut plain = files::open_plain(file).map_err(|e| failed(e.source))?;
    let metadata = plain.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let reason = "it is no plain file: folders, links, pipes and devices are not read".to_owned();
        return Err(unreadable(reason, "name the file itself"));
    }
    let bytes = metadata.len();
    let mut head = Vec::new();
    let limit = SAMPLE_BYTES as u64;
    (&mut plain).take(limit).read_to_end(&mut head).map_err(failed)?;
    let mut tail = Vec::new();
    let seen = head.len() as u64;
    if seen < bytes {
        let from = bytes.saturating_sub(TAIL_BYTES as u64).max(seen);
        plain.seek(SeekFrom::Start(from)).map_err(failed)?;
        let limit = TAIL_BYTES as u64;
        (&mut plain).take(limit).read_to_end(&mut tail).map_err(failed)?;
    }
    Ok(Opened {
        name,
        in_workspace,
        head,
        tail,
        bytes,
    })
}

/// The name of a file within the workspace, if it stands there, with `/` between folders.
fn name_of(workspace: &Path, file: &Path) -> (String, bool) {
    let inside = || {
        let folder = file
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let whole = folder.canonicalize().ok()?.join(file.file_name()?);
        let relative = whole.strip_prefix(workspace.canonicalize().ok()?).ok()?;
        Some(relative.to_str()?.to_owned())
    };
    match inside() {
        Some(name) => (name, true),
        None => (file.display().to_string(), false),
    }
}

fn refused(file: &str, fault: crate::ingest::frames::Fault) -> PipelineError {
    if fault.rule == "detect.feed" {
        return PipelineError::Usage(format!("{}; {}", fault.reason, fault.remedy));
    }
    let finding = Finding::error(Place::file(file), &fault.rule, fault.reason, fault.remedy);
    PipelineError::Data(vec![finding])
}

//! Corrected sheets as deliveries.
//!
//! Duty: choose the records that someone corrected, try each as the run will read it, write one delivery a feed and one
//! of decisions into the corrections folder. Must not: touch landing or a release; the next run takes both in.
//!
//! | a row of the sheet | is taken |
//! |---|---|
//! | named with `--row` | always |
//! | changed | always |
//! | as exported, and it forms a record now (the source or the contract was corrected) | unless it was wrong as a whole, or by what stands elsewhere |
//! | as exported otherwise | no: it stays rejected |
//! | corrected before in the same way | no: it is known |

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::delivery::{header_of, write};
use super::pending::{Pending, pending};
use super::records::{Desk, RecordId, Rejected};
use super::returned::returned;
use super::sheet::{self, BEFORE, Returned};
use super::texts::Texts;
use super::trial::{self, Wrong};
use crate::contracts::Contract;
use crate::domain::hash::Hasher;
use crate::domain::{Digest, Finding, Findings, Instant, Place};
use crate::ingest::source::data_columns;
use crate::ingest::{Source, plain};
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// What someone wants to be replayed.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    pub file: &'a Path,
    pub by: &'a str,
    pub role: &'a str,
    pub reason: &'a str,
    /// Deliver what is right although something else is wrong.
    pub partial: bool,
    /// Only these records, as exported or not; empty: all that were corrected.
    pub only: &'a [RecordId],
    pub now: Instant,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Deliveries written, relative to the workspace: file, feed, records.
    pub written: Vec<(String, String, usize)>,
    /// The delivery of decisions.
    pub decisions: Option<String>,
    /// Records delivered now.
    pub corrected: usize,
    /// Records whose correction is known: it arrived, or waits for the next run.
    pub known: usize,
    /// Rows left as they were exported.
    pub unchanged: usize,
    /// What is still wrong, by row and column.
    pub findings: Findings,
}

/// A record to be delivered.
pub(super) struct Chosen<'a> {
    pub(super) rejected: &'a Rejected,
    row: u64,
    /// By delivered column.
    cells: Vec<String>,
    /// As it will stand in the delivery.
    pub(super) line: String,
    wrong: Vec<Wrong>,
}

impl Chosen<'_> {
    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.line.as_bytes())
    }

    /// The same correction of the same record has the same decision.
    pub(super) fn decision_id(&self) -> String {
        let mut hasher = Hasher::new();
        hasher.field(self.rejected.subject().to_string().as_bytes());
        hasher.field(self.digest().to_string().as_bytes());
        format!("CORRECT-{}", hasher.finish().short())
    }
}

/// Replays a sheet. Without `partial` nothing is written while something is wrong.
pub fn replay(
    layout: &Layout,
    config: &Config,
    release: &Release,
    order: &Order<'_>,
) -> Result<Replayed, PipelineError> {
    let desk = Desk::open(release)?;
    let pending = pending(layout, release, &desk)?;
    let mut replayed = Replayed::default();
    let mut deliveries: Vec<(&Contract, Vec<Chosen<'_>>)> = Vec::new();
    let sheets = returned(config, &desk, order.file)?;
    let held: BTreeSet<RecordId> = sheets.iter().flat_map(|(.., rows)| rows.iter().map(|r| r.id)).collect();
    if let Some(id) = order.only.iter().find(|id| !held.contains(id)) {
        return Err(PipelineError::Usage(format!(
            "{} has no row of the record {id}",
            order.file.display()
        )));
    }
    for (contract, place, rows) in sheets {
        let source = trial::source_of(&config.sources, &contract.name)?;
        let mut choosing = Choosing {
            layout,
            config,
            desk: &desk,
            pending: &pending,
            order,
            replayed: &mut replayed,
        };
        let mut chosen = choosing.choose(contract, source, &place, rows)?;
        replayed.findings.extend(twins(contract, &place, &mut chosen));
        chosen.sort_by_key(|c| c.rejected.id);
        deliveries.push((contract, chosen));
    }
    replayed.findings.sort_by(|a, b| a.place.cmp(&b.place));
    if !replayed.findings.is_empty() && !order.partial {
        return Err(PipelineError::Data(replayed.findings));
    }
    for (_, chosen) in &mut deliveries {
        chosen.retain(|c| c.wrong.is_empty());
    }
    deliveries.retain(|(_, chosen)| !chosen.is_empty());
    if !deliveries.is_empty() {
        write(layout, config, order, &deliveries, &mut replayed)?;
    }
    Ok(replayed)
}

struct Choosing<'a, 'b> {
    layout: &'a Layout,
    config: &'a Config,
    desk: &'a Desk,
    pending: &'b BTreeMap<String, Pending>,
    order: &'b Order<'b>,
    replayed: &'b mut Replayed,
}

impl<'a> Choosing<'a, '_> {
    /// The rows of a sheet that someone corrected, with what is still wrong.
    fn choose(
        &mut self,
        contract: &Contract,
        source: &Source,
        place: &Place,
        mut rows: Vec<Returned>,
    ) -> Result<Vec<Chosen<'a>>, PipelineError> {
        // texts are read by arrival
        rows.sort_by_key(|r| r.id);
        let header = header_of(contract);
        let mut texts = Texts::new(self.layout, self.config, self.desk);
        let mut out = Vec::new();
        for row in rows {
            let at = Place {
                line: Some(row.row),
                ..place.clone()
            };
            let Some(rejected) = self.desk.rejected.get(&row.id).filter(|r| r.feed == contract.name) else {
                self.replayed.findings.push(Finding::error(
                    at.column("id"),
                    "correct.subject",
                    format!("{} is no rejected record of '{}'", row.id, contract.name),
                    "restore the id from the export, or remove the row",
                ));
                continue;
            };
            let (only, id) = (self.order.only, row.id);
            if !only.is_empty() && !only.contains(&id) {
                self.replayed.unchanged += 1;
                continue;
            }
            let exported = sheet::line(contract, rejected, &texts.of(rejected)?);
            let exported = &exported.texts[BEFORE.len()..BEFORE.len() + row.cells.len()];
            let changed = exported.iter().zip(&row.cells).any(|(a, b)| a.trim() != b);
            let line = plain::line(row.cells.iter().map(String::as_str));
            let mut chosen = Chosen {
                rejected,
                row: row.row,
                cells: row.cells,
                line,
                wrong: Vec::new(),
            };
            if self.is_known(&chosen) {
                self.replayed.known += 1;
                continue;
            }
            if !changed && only.is_empty() && (rejected.is_whole() || rejected.resolved_by.is_some()) {
                self.replayed.unchanged += 1;
                continue;
            }
            chosen.wrong = self.wrong(contract, source, &header, &chosen, exported);
            if !changed && only.is_empty() && !chosen.wrong.is_empty() {
                self.replayed.unchanged += 1;
                continue;
            }
            let findings = chosen.wrong.iter().map(|wrong| {
                let mut at = at.clone();
                at.column = Some(wrong.column.clone().unwrap_or_else(|| id.to_string()));
                Finding::error(at, &wrong.rule, &wrong.reason, &wrong.remedy)
            });
            self.replayed.findings.extend(findings);
            out.push(chosen);
        }
        Ok(out)
    }

    /// The same correction arrived, or waits for the next run.
    fn is_known(&self, chosen: &Chosen<'_>) -> bool {
        let id = chosen.decision_id();
        let waits = self.pending.values().any(|p| p.decision_id == id);
        waits || self.desk.corrections.contains_key(&id)
    }

    fn wrong(
        &self,
        contract: &Contract,
        source: &Source,
        header: &str,
        chosen: &Chosen<'_>,
        exported: &[String],
    ) -> Vec<Wrong> {
        let rejected = chosen.rejected;
        let whole = |rule: &str, reason: String, remedy: &str| Wrong {
            column: None,
            rule: rule.to_owned(),
            reason,
            remedy: remedy.to_owned(),
        };
        if let Some(by) = &rejected.resolved_by {
            return vec![whole(
                "correct.resolved",
                format!("{} was corrected otherwise, by the decision {by}", rejected.id),
                "deliver a correction of the corrected record, or remove the row",
            )];
        }
        if let Some(waits) = self.pending.get(&rejected.subject().to_string()) {
            return vec![whole(
                "correct.pending",
                format!(
                    "{} waits for the next run with another correction, in {}",
                    rejected.id, waits.file
                ),
                "run first, or remove that file and the delivery beside it",
            )];
        }
        let mut wrong = trial::try_record(source, contract, header, &chosen.line);
        for (column, text) in data_columns(contract).iter().zip(&chosen.cells) {
            if text.contains('\u{FFFD}') {
                wrong.push(Wrong {
                    column: Some(column.name.clone()),
                    rule: "correct.replacement".to_owned(),
                    reason: "holds U+FFFD, which stands for bytes that could not be read".to_owned(),
                    remedy: "write what was meant".to_owned(),
                });
            }
        }
        let same_key = contract.key.iter().all(|i| exported[*i].trim() == chosen.cells[*i]);
        // where the corrections supersede, they settle the conflict
        let settles = source.mode.supersedes();
        if rejected.is_conflict() && same_key && !settles && wrong.is_empty() {
            wrong.push(whole(
                "correct.conflict",
                format!(
                    "{} would stand in the same conflict again: its key is as it was",
                    rejected.id
                ),
                "find out which record is right, and give it a key of its own",
            ));
        }
        wrong
    }
}

/// Corrected records of one key: no two of them may be delivered.
fn twins(contract: &Contract, place: &Place, chosen: &mut [Chosen<'_>]) -> Findings {
    let key = |c: &Chosen<'_>| -> Vec<String> { contract.key.iter().map(|i| c.cells[*i].clone()).collect() };
    let mut first: BTreeMap<Vec<String>, (u64, String)> = BTreeMap::new();
    let mut findings = Findings::new();
    for one in chosen.iter_mut().filter(|c| c.wrong.is_empty()) {
        let Some((row, line)) = first.get(&key(one)) else {
            first.insert(key(one), (one.row, one.line.clone()));
            continue;
        };
        if *line == one.line {
            continue;
        }
        let wrong = Wrong {
            column: None,
            rule: "correct.key".to_owned(),
            reason: format!("{} has the key of row {row} and other values", one.rejected.id),
            remedy: "correct one of the two".to_owned(),
        };
        let at = Place {
            line: Some(one.row),
            ..place.clone()
        };
        findings.push(Finding::error(
            at.column(one.rejected.id.to_string()),
            &wrong.rule,
            &wrong.reason,
            &wrong.remedy,
        ));
        one.wrong.push(wrong);
    }
    findings
}

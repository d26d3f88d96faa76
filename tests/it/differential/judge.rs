//! Whether what was read is what was meant.
//!
//! Duty: hold the outcome of a file against the reference reading, and both against what the file was meant to say.
//!
//! | class | when |
//! |---|---|
//! | exact | every row is there, on its line, with all its values, and nothing else |
//! | named | every row that is not so is among the rejected records, by line and rule; all others are exact |
//! | refused | the file is set aside with a reason |
//! | different | the damage made another valid file of it, as the reference reads it too: nobody can know |

use starledger::domain::{Batch, Cell, batch};
use starledger::ingest::{FileOutcome, Verdict};

use super::dialect::{Charset, Form};
use super::reference::{self, Record, State, decode};
use super::table::{Row, Value};
use super::write::{Draft, Touch, What};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Exact,
    Named,
    Refused,
    Different,
}

/// What the program made of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Why it is set aside.
    pub refused: Option<String>,
    pub rows: Vec<(usize, Row)>,
    /// Line, column, rule.
    pub rejects: Vec<(usize, Option<String>, String)>,
    pub records: usize,
    pub skipped: usize,
    pub notes: Vec<String>,
}

impl Read {
    pub fn new(outcome: &FileOutcome, batches: &[Batch]) -> Result<Read, String> {
        let number = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        let refused = match &outcome.verdict {
            Verdict::Read => None,
            Verdict::SetAside { reason } => Some(reason.clone()),
        };
        for batch in batches.iter().filter(|_| refused.is_none()) {
            for row in 0..batch.rows() {
                let values = batch.columns.iter().map(|column| value(column.get(row))).collect();
                rows.push((number(batch.lines[row]), values));
            }
        }
        let rejected = outcome.rejects.iter().filter(|r| r.row_no == 1).count();
        let skipped = number(outcome.skipped_records());
        let records = number(outcome.records);
        if records != rows.len() + rejected + skipped || number(outcome.rows) != rows.len() {
            return Err(format!(
                "{records} records, {} rows, {rejected} rejected, {skipped} skipped",
                rows.len()
            ));
        }
        if outcome
            .rejects
            .iter()
            .any(|r| r.rule.is_empty() || r.reason.is_empty() || r.remedy.is_empty())
        {
            return Err("a reject says nothing".to_owned());
        }
        Ok(Read {
            refused,
            rows,
            rejects: outcome
                .rejects
                .iter()
                .map(|r| (number(r.line), r.column.clone(), r.rule.clone()))
                .collect(),
            records,
            skipped,
            notes: outcome.notes.iter().map(|note| note.rule.clone()).collect(),
        })
    }

    /// Its records as those of a reference, each on one line.
    pub fn as_records(&self) -> Vec<Record> {
        let taken = self.rows.iter().map(|(line, row)| (*line, State::Taken(row.clone())));
        let rejected = self
            .rejects
            .iter()
            .map(|(line, _, _)| (*line, State::Rejected(Vec::new())));
        taken
            .chain(rejected)
            .map(|(line, state)| Record {
                line,
                last: line,
                state,
            })
            .collect()
    }
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::Text(text.to_owned()),
        Cell::Int(int) => Value::Int(int),
        Cell::Dec(dec) => Value::Dec(dec.units()),
        Cell::Bool(bool) => Value::Bool(bool),
        Cell::Date(date) => Value::Date(batch::days(date).into()),
        Cell::Instant(at) => Value::Instant(at.micros()),
    }
}

/// That the program reads as the reference does: the same rows, and the same records rejected by the same rules.
pub fn agrees(read: &Read, reference: &Result<Vec<Record>, reference::Fault>) -> Result<(), String> {
    let records = match (&read.refused, reference) {
        (Some(reason), Err(rule)) if reason.starts_with(rule) => return Ok(()),
        (None, Ok(records)) => records,
        (refused, reference) => {
            let reference = reference.as_ref().map(Vec::len);
            return Err(format!("refused: {refused:?}, the reference: {reference:?}"));
        }
    };
    let mut rows = read.rows.iter();
    let mut rejects = read.rejects.iter();
    let mut skipped = 0;
    for record in records {
        match &record.state {
            State::Taken(row) => {
                let found = rows.next();
                if found != Some(&(record.line, row.clone())) {
                    return Err(format!("a row: {found:?}\n    the reference: {} {row:?}", record.line));
                }
            }
            State::Rejected(faults) => {
                for (column, rule) in faults {
                    let found = rejects.next();
                    if found != Some(&(record.line, column.clone(), rule.clone())) {
                        return Err(format!(
                            "a reject: {found:?}\n    the reference: {} {column:?} {rule}",
                            record.line
                        ));
                    }
                }
            }
            State::Skipped => skipped += 1,
        }
    }
    if let (None, None, true) = (rows.next(), rejects.next(), skipped == read.skipped) {
        return Ok(());
    }
    Err(format!("more than the reference has: {read:?}"))
}

/// What the outcome is beside what was meant; an error is a row that is silently wrong.
pub fn judge(draft: &Draft<'_>, read: &Read, records: &[Record]) -> Result<Class, String> {
    if let Some(reason) = &read.refused {
        let is_founded = !draft.kinds.is_empty() && !reason.is_empty();
        return if is_founded {
            Ok(Class::Refused)
        } else {
            Err(format!("a clean file is refused: {reason}"))
        };
    }
    let lacks_column = draft
        .kinds
        .iter()
        .any(|kind| ["column missing", "header renamed"].contains(kind));
    // of a name that stands there twice one may be lost and the other is there
    let lacks_column = lacks_column && !draft.kinds.contains(&"header name twice");
    if lacks_column && draft.written.form != Form::JsonLines && !read.notes.iter().any(|rule| rule == "header.absent") {
        return Err("a column is null, and nothing says so".to_owned());
    }
    let lines = lines(draft);
    let touch = |at: usize| draft.items[at].touch.max(draft.all);
    let mut done = vec![false; draft.items.len()];
    let (mut different, mut named) = (0, 0);
    for (line, row) in &read.rows {
        let is_here = |at: &usize| lines[*at] == *line && draft.items[*at].what == What::Row && !done[*at];
        let here: Vec<usize> = (0..draft.items.len()).filter(is_here).collect();
        let is_meant = |at: &&usize| draft.items[**at].rows.iter().map(|r| &draft.rows[*r]).eq([row]);
        if let Some(at) = here.iter().find(is_meant) {
            done[*at] = true;
            continue;
        }
        let at = here
            .first()
            .copied()
            .or_else(|| lines.iter().rposition(|start| start <= line));
        let Some(at) = at.filter(|at| touch(*at) == Touch::Other) else {
            let meant: Vec<&Row> = here
                .iter()
                .flat_map(|at| &draft.items[*at].rows)
                .map(|r| &draft.rows[*r])
                .collect();
            return Err(format!("line {line} is read as {row:?}\n    meant is {meant:?}"));
        };
        if draft.texts_only && draft.kinds.len() == 1 {
            only_texts_differ(
                row,
                &draft.items[at]
                    .rows
                    .first()
                    .map(|r| draft.rows[*r].clone())
                    .unwrap_or_default(),
            )?;
        }
        done[at] = true;
        different += 1;
    }
    for at in (0..draft.items.len()).filter(|at| draft.items[*at].what == What::Row && !done[*at]) {
        let line = lines[at];
        let covering = |record: &&Record| (record.line..=record.last).contains(&line);
        let is_rejected = |record: &Record| matches!(record.state, State::Rejected(_));
        if let Some(record) = records.iter().filter(covering).find(|r| is_rejected(r)) {
            let is_first = at == 0 || lines[at - 1] < line;
            if record.line == line && is_first && touch(at) == Touch::Clean {
                return Err(format!(
                    "line {line} is rejected, and nothing is wrong with it: {:?}",
                    record.state
                ));
            }
            named += 1;
            continue;
        }
        let swallowing = records.iter().filter(covering).any(|record| {
            let start = lines.iter().rposition(|start| *start <= record.line);
            start.is_some_and(|start| touch(start) == Touch::Other)
        });
        // the source says that these lines are no rows
        let is_preamble = line <= draft.declared.preamble;
        if !swallowing && !is_preamble && touch(at) != Touch::Other {
            return Err(format!("line {line} is lost: {:?}", draft.items[at].rows));
        }
        different += 1;
    }
    Ok(match (different, named) {
        (0, 0) => Class::Exact,
        (0, _) => Class::Named,
        _ => Class::Different,
    })
}

fn only_texts_differ(row: &Row, meant: &Row) -> Result<(), String> {
    let is_same = |(a, b): (&Value, &Value)| a == b || (matches!(a, Value::Text(_)) && matches!(b, Value::Text(_)));
    if row.iter().zip(meant).all(is_same) {
        return Ok(());
    }
    Err(format!("more than texts differ: {row:?}\n    meant is {meant:?}"))
}

/// The line of the file on which each of its parts begins.
fn lines(draft: &Draft<'_>) -> Vec<usize> {
    let charset = draft.written.charset;
    let is_wide = matches!(charset, Charset::Utf16Le | Charset::Utf16Be);
    let bytes: Vec<Option<char>> = if is_wide {
        Vec::new()
    } else {
        draft.bytes.iter().map(|b| Some(char::from(*b))).collect()
    };
    let line = |span: (usize, usize)| {
        let start = span.0.min(draft.bytes.len());
        if is_wide {
            1 + reference::breaks(&decode(charset, &draft.bytes[..start]))
        } else {
            1 + reference::breaks(&bytes[..start])
        }
    };
    draft.items.iter().map(|item| line(item.span)).collect()
}

//! Names of a file's columns to columns of a contract.
//!
//! Duty: match by name after one fixed normalisation, refuse what cannot be read, report what was not literal. Not its
//! duty: values. A file's column order has no meaning.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, shown};
use super::source::{Source, data_columns};
use crate::contracts::{Contract, Drift, EXTRA};
use crate::domain::ids::is_invisible;
use crate::domain::{Finding, Findings, Place};

/// The names by which a source's files may call the columns of the contract.
pub struct Names {
    /// Normalised name to (column of the contract, the name as declared).
    known: BTreeMap<String, (usize, String)>,
}

/// A matched header of delimited text.
#[derive(Debug)]
pub struct Header {
    /// By delivered column of the contract: index of its field.
    pub positions: Vec<Option<usize>>,
    /// Indices and names of fields that no column of the contract takes.
    pub unknown: Vec<(usize, String)>,
    /// Normalised names, for telling a repeated header.
    names: Vec<String>,
    /// Names that matched only after normalisation: as written, as declared.
    pub normalised: Vec<(String, String)>,
    /// Columns of the contract that are neither in the file nor constant; they are null.
    pub absent: Vec<String>,
}

/// Blanks, byte-order marks, zero-width characters and no-break spaces are removed; case has no meaning.
pub fn normalise(name: &str) -> String {
    let visible: String = name
        .chars()
        .filter(|c| !is_invisible(*c) && !is_no_break_space(*c))
        .collect();
    visible.trim().to_lowercase()
}

fn is_no_break_space(c: char) -> bool {
    matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}')
}

/// Whether a field is a normalised name once it is normalised.
fn is_called(field: &str, name: &str) -> bool {
    if let (Some(a), Some(b)) = (field.as_bytes().first(), name.as_bytes().first())
        && a.is_ascii_graphic()
        && !a.eq_ignore_ascii_case(b)
    {
        return false;
    }
    if field.is_ascii() {
        field.trim().eq_ignore_ascii_case(name)
    } else {
        normalise(field) == name
    }
}

impl Names {
    pub fn new(source: &Source, contract: &Contract) -> Names {
        let columns = data_columns(contract);
        let is_kept = |name: &str| contract.drift == Drift::Evolve && name == EXTRA;
        let own = columns.iter().enumerate().map(|(i, c)| (c.name.clone(), i));
        // what is new is put together: no column of the file stands for it
        let own = own.filter(|(name, _)| !is_kept(name));
        let renamed = source.rename.iter().filter_map(|(from, to)| {
            let index = columns.iter().position(|c| c.name == *to)?;
            Some((from.clone(), index))
        });
        // a rename wins over a column of the contract that has the same name
        let known = own
            .chain(renamed)
            .map(|(name, index)| (normalise(&name), (index, name)))
            .collect();
        Names { known }
    }

    /// The column of the contract that a name stands for, and the declared name where the given one is not literally it.
    pub fn find(&self, name: &str) -> Option<(usize, Option<&str>)> {
        let (index, declared) = self.known.get(&normalise(name))?;
        Some((*index, (declared != name).then_some(declared.as_str())))
    }
}

impl Header {
    /// Matches the header's fields; what cannot be read is the fault of the whole file.
    pub fn new<'f>(
        fields: impl Iterator<Item = &'f str>,
        source: &Source,
        contract: &Contract,
    ) -> Result<Header, Fault> {
        let names = Names::new(source, contract);
        let columns = data_columns(contract);
        let mut header = Header {
            positions: vec![None; columns.len()],
            unknown: Vec::new(),
            names: Vec::new(),
            normalised: Vec::new(),
            absent: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for (i, field) in fields.enumerate() {
            let name = normalise(field);
            if !name.is_empty() && !seen.insert(name.clone()) {
                return Err(duplicate(field));
            }
            header.names.push(name);
            match names.find(field) {
                Some((column, declared)) => {
                    if header.positions[column].replace(i).is_some() {
                        return Err(duplicate(&columns[column].name));
                    }
                    header
                        .normalised
                        .extend(declared.map(|d| (field.to_owned(), d.to_owned())));
                }
                None => header.unknown.push((i, field.to_owned())),
            }
        }
        let missing = header.find_missing(source, contract);
        if missing.is_empty() {
            Ok(header)
        } else {
            Err(header.missing_fault(&missing))
        }
    }

    /// Notes which columns the file lacks; returns those that must not be lacking.
    fn find_missing(&mut self, source: &Source, contract: &Contract) -> Vec<String> {
        let mut missing = Vec::new();
        for (column, position) in data_columns(contract).iter().zip(&self.positions) {
            let is_extra = contract.drift == Drift::Evolve && column.name == EXTRA;
            if position.is_some() || is_extra || source.constants.contains_key(&column.name) {
                continue;
            }
            if column.required {
                let renamed = source.rename.iter().find(|(_, to)| **to == column.name);
                missing.push(renamed.map_or(column.name.clone(), |(from, to)| format!("{from} (for {to})")));
            } else {
                self.absent.push(column.name.clone());
            }
        }
        missing
    }

    fn missing_fault(&self, missing: &[String]) -> Fault {
        let unknown: Vec<String> = self.unknown.iter().map(|(_, name)| shown(name)).collect();
        let beside = if unknown.is_empty() {
            String::new()
        } else {
            format!("; it has the unknown {}", unknown.join(", "))
        };
        Fault::new(
            "header.missing",
            format!("the header lacks {}{beside}", missing.join(", ")),
            "deliver the columns, or declare rename, delimiter or skip.preamble_lines in the source",
        )
    }

    pub fn width(&self) -> usize {
        self.names.len()
    }

    /// Whether a record is the header once more.
    pub fn is_repeated<'f>(&self, fields: impl ExactSizeIterator<Item = &'f str>) -> bool {
        // nearly every record is told by its first field
        fields.len() == self.names.len() && fields.zip(&self.names).all(|(field, name)| is_called(field, name))
    }

    /// What a person should know about the header.
    pub fn notes(&self, place: &Place) -> Findings {
        let mut notes = Findings::new();
        for (written, declared) in &self.normalised {
            let message = format!("the column {} was read as '{declared}'", shown(written));
            let remedy = "write the name as declared";
            notes.push(Finding::note(
                place.clone().column(declared),
                "header.normalised",
                message,
                remedy,
            ));
        }
        for column in &self.absent {
            let message = format!("the file has no column '{column}'; it is null in every row");
            notes.push(Finding::note(
                place.clone().column(column),
                "header.absent",
                message,
                "deliver it if it is known",
            ));
        }
        notes
    }
}

fn duplicate(name: &str) -> Fault {
    let reason = format!("the header has the column {} twice", shown(name));
    Fault::new("header.duplicate", reason, "deliver each column once, under one name")
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{column, contract, decimal, required, source};
    use super::*;
    use crate::contracts::model::ColumnType;

    fn header(source_keys: &str, fields: &str) -> Result<Header, Fault> {
        let id = required(column("id", ColumnType::Text));
        let contract = contract(
            "sales",
            &[id, required(decimal("amount")), column("note", ColumnType::Text)],
            &[0],
        );
        Header::new(
            fields.split(','),
            &source(&format!("feed = 'sales'\n{source_keys}")),
            &contract,
        )
    }

    fn positions(source_keys: &str, fields: &str) -> Vec<Option<usize>> {
        header(source_keys, fields).unwrap().positions
    }

    fn fault(source_keys: &str, fields: &str) -> String {
        let fault = header(source_keys, fields).unwrap_err();
        format!("{}: {}", fault.rule, fault.reason)
    }

    #[test]
    fn columns_are_matched_by_name() {
        assert_eq!(positions("", "note,amount,id"), [Some(2), Some(1), Some(0)]);
        assert_eq!(
            positions("rename = { Betrag = 'amount' }", "id,Betrag"),
            [Some(0), Some(1), None]
        );
        assert_eq!(
            positions("constants = { amount = '1' }", "id,note"),
            [Some(0), None, Some(1)]
        );
    }

    #[test]
    fn names_are_normalised_and_that_is_reported() {
        let header = header("", "\u{FEFF}ID,\u{A0}Amount\u{200B} , note").unwrap();
        assert_eq!(header.positions, [Some(0), Some(1), Some(2)]);
        assert_eq!(header.normalised.len(), 3);
        let notes = header.notes(&Place::line("a.csv", 1));
        assert_eq!(
            notes[0].to_string(),
            "note: a.csv:1 [id]: the column '\\u{FEFF}ID' was read as 'id' (header.normalised)\n  help: write the name as declared"
        );
    }

    #[test]
    fn missing_nullable_columns_are_null_and_missing_required_ones_refuse_the_file() {
        assert_eq!(header("", "id,amount").unwrap().absent, ["note"]);
        assert_eq!(
            fault("", "note,extra"),
            "header.missing: the header lacks id, amount; it has the unknown 'extra'"
        );
        assert_eq!(
            fault("rename = { Betrag = 'amount' }", "id"),
            "header.missing: the header lacks Betrag (for amount)"
        );
    }

    #[test]
    fn duplicates_refuse_the_file() {
        assert_eq!(
            fault("", "id,amount,ID"),
            "header.duplicate: the header has the column 'ID' twice"
        );
        assert_eq!(
            fault("", "id,amount,x,X"),
            "header.duplicate: the header has the column 'X' twice"
        );
        assert_eq!(
            fault("rename = { Betrag = 'amount' }", "id,Betrag,amount"),
            "header.duplicate: the header has the column 'amount' twice"
        );
    }

    #[test]
    fn a_repeated_header_is_told() {
        let header = header("", "id,amount,").unwrap();
        assert_eq!(header.unknown, [(2, String::new())]);
        assert!(header.is_repeated(["ID ", "amount", ""].into_iter()));
        assert!(header.is_repeated(["\u{FEFF}id", "Amount\u{A0}", " "].into_iter()));
        assert!(!header.is_repeated(["id", "1", ""].into_iter()));
        assert!(!header.is_repeated(["id", "amount"].into_iter()));
    }
}

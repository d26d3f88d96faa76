//! Brings a table into the form of its contract, or says everything that keeps it from that.
//!
//! Duty: columns by name, types, exact scales, required and allowed values, checks of severity reject, unique key,
//! canonical order of rows: so that equal content is stored as equal bytes. Not its duty: writing it.

use std::cmp::Ordering;

use super::check;
use super::model::{CheckSeverity, Column, ColumnType, Contract};
use crate::domain::{Digest, Finding, Findings, Place, Row, Table, Value};

/// Findings of one table that are listed; the rest is counted.
const MOST_FINDINGS: usize = 100;

/// The table with its columns in the order of the contract, decimals at the scale of the contract, and rows sorted by
/// key (by all columns where there is no key).
///
/// A personal column may hold a SHA-256 digest instead of a value: that is what stands for it in a release.
/// Findings name the table, the row as it was passed in (from 1) and the column.
pub fn conform(contract: &Contract, table: Table) -> Result<Table, Findings> {
    let from = columns(contract, &table)?;
    let mut findings = Capped::new(&contract.name);
    let mut rows: Vec<(usize, Row)> = Vec::with_capacity(table.rows.len());
    for (number, row) in table.rows.into_iter().enumerate() {
        rows.push((number + 1, conform_row(contract, &from, number + 1, row, &mut findings)));
    }
    if contract.key.is_empty() {
        rows.sort_by(|(_, a), (_, b)| a.cmp(b));
    } else {
        let by_key = |a: &Row, b: &Row| -> Ordering {
            let mut columns = contract.key.iter().map(|i| a[*i].cmp(&b[*i]));
            columns.find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
        };
        // rows of one key stay in the order given
        rows.sort_by(|(_, a), (_, b)| by_key(a, b));
        for pair in rows.windows(2) {
            let [(first, a), (second, b)] = pair else { continue };
            if by_key(a, b) == Ordering::Equal {
                let message = format!("has the key of row {first}{}", shown_key(contract, b));
                findings.add(
                    *second,
                    None,
                    "unique",
                    &message,
                    "rows of a table differ in their key: find out why one came twice",
                );
            }
        }
    }
    findings.finish()?;
    let mut conformed = Table::with_columns(
        &contract.name,
        contract.columns.iter().map(|c| c.name.clone()).collect(),
    );
    conformed.rows = rows.into_iter().map(|(_, row)| row).collect();
    Ok(conformed)
}

/// For each column of the contract, its index in the table.
fn columns(contract: &Contract, table: &Table) -> Result<Vec<usize>, Findings> {
    let mut findings = Findings::new();
    let place = || Place::file(&contract.name);
    let mut from = Vec::with_capacity(contract.columns.len());
    for column in &contract.columns {
        if let Some(index) = table.column(&column.name) {
            from.push(index);
        } else {
            let remedy = format!("add it, or remove it from {}", contract.file);
            let place = place().column(&column.name);
            findings.push(Finding::error(
                place,
                "columns",
                "the column of the contract is missing",
                remedy,
            ));
        }
    }
    for (i, name) in table.columns().iter().enumerate() {
        let known = contract.columns.iter().any(|c| c.name == *name);
        if !known || table.columns()[..i].contains(name) {
            let message = if known {
                "the column stands twice"
            } else {
                "the contract has no such column"
            };
            let remedy = format!("remove it, or add it to {}", contract.file);
            findings.push(Finding::error(place().column(name), "columns", message, remedy));
        }
    }
    if findings.is_empty() { Ok(from) } else { Err(findings) }
}

fn conform_row(contract: &Contract, from: &[usize], number: usize, mut row: Row, findings: &mut Capped<'_>) -> Row {
    let mut values = Vec::with_capacity(from.len());
    for (column, index) in contract.columns.iter().zip(from) {
        let value = rescaled(column, std::mem::replace(&mut row[*index], Value::Null));
        if !stands_for_personal(column, &value)
            && let Err(found) = check::value(column, &value)
        {
            findings.add(number, Some(column), found.rule, &found.message, &found.remedy);
        }
        values.push(value);
    }
    for (i, found) in check::money_decimals_values(contract, &values) {
        findings.add(
            number,
            Some(&contract.columns[i]),
            found.rule,
            &found.message,
            &found.remedy,
        );
    }
    for failed in check::row_values(contract, &values) {
        if failed.severity == CheckSeverity::Reject {
            let column = &contract.columns[failed.left];
            findings.add(
                number,
                Some(column),
                &failed.id,
                &failed.description,
                "correct what the row was made from",
            );
        }
    }
    values
}

/// A decimal at the scale of its column, if nothing is lost; otherwise as it is, for the check to find.
fn rescaled(column: &Column, value: Value) -> Value {
    match (column.kind, &value) {
        (ColumnType::Decimal { scale, .. }, Value::Dec(dec)) => dec.rescale(scale).map_or(value, Value::Dec),
        _ => value,
    }
}

fn stands_for_personal(column: &Column, value: &Value) -> bool {
    column.personal && matches!(value, Value::Text(text) if Digest::parse(text).is_some())
}

/// The key for a message; not shown when a part of it is personal.
fn shown_key(contract: &Contract, row: &Row) -> String {
    if contract.key.iter().any(|i| contract.columns[*i].personal) {
        return String::new();
    }
    let parts: Vec<String> = contract.key.iter().map(|i| row[*i].to_string()).collect();
    format!(": {}", parts.join(", "))
}

/// Findings of one table, listed up to a limit.
struct Capped<'a> {
    table: &'a str,
    findings: Findings,
    beyond: usize,
}

impl<'a> Capped<'a> {
    fn new(table: &'a str) -> Capped<'a> {
        Capped {
            table,
            findings: Findings::new(),
            beyond: 0,
        }
    }

    fn add(&mut self, row: usize, column: Option<&Column>, rule: &str, message: &str, remedy: &str) {
        if self.findings.len() == MOST_FINDINGS {
            self.beyond += 1;
            return;
        }
        let mut place = Place::line(self.table, row as u64);
        place.column = column.map(|c| c.name.clone());
        self.findings.push(Finding::error(place, rule, message, remedy));
    }

    fn finish(mut self) -> Result<(), Findings> {
        if self.beyond > 0 {
            let message = format!("{} more findings of the same table are not listed", self.beyond);
            self.findings.push(Finding::error(
                Place::file(self.table),
                "more",
                message,
                "correct the listed ones first",
            ));
        }
        if self.findings.is_empty() {
            Ok(())
        } else {
            Err(self.findings)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::super::samples::output;
    use super::*;
    use crate::domain::Dec;

    const KIND: &str = "{name: kind, description: Kind., logicalType: string, physicalType: VARCHAR, required: true, quality: [{metric: invalidValues, arguments: {validValues: [hot, cold]}, mustBe: 0}]}";

    fn scores(more: &[&str]) -> Contract {
        read("schemas/scores.odcs.yaml", &output("scores", more)).unwrap()
    }

    fn table(columns: &[&str], rows: &[&[Value]]) -> Table {
        let mut table = Table::new("scores", columns);
        for row in rows {
            table.push(row.to_vec());
        }
        table
    }

    fn dec(text: &str) -> Value {
        Value::Dec(Dec::parse(text).unwrap())
    }

    fn told(contract: &Contract, table: Table) -> Vec<String> {
        conform(contract, table)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn shown(table: &Table) -> Vec<String> {
        table
            .rows
            .iter()
            .map(|r| r.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn columns_scales_and_rows_take_the_form_of_the_contract() {
        let given = table(
            &["kind", "score", "id"],
            &[
                &["cold".into(), dec("7"), "b".into()],
                &["hot".into(), dec("100.000"), "a".into()],
                &["hot".into(), Value::Null, "B".into()],
            ],
        );
        let conformed = conform(&scores(&[KIND]), given).unwrap();
        assert_eq!(conformed.columns(), ["id", "score", "kind"]);
        assert_eq!(shown(&conformed), ["B  hot", "a 100.00 hot", "b 7.00 cold"]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let given = table(
            &["id", "score", "kind"],
            &[
                &["a".into(), dec("1.005"), "hot".into()],
                &["b".into(), dec("100.01"), "mild".into()],
                &["c".into(), dec("1000"), "hot".into()],
                &["d".into(), Value::Int(5), Value::Null],
                &["e".into(), dec("1"), "hot".into()],
                &["e".into(), dec("2"), "hot".into()],
            ],
        );
        let found = told(&scores(&[KIND]), given);
        let heads: Vec<&str> = found.iter().map(|f| f.lines().next().unwrap()).collect();
        assert_eq!(
            heads,
            [
                "error: scores:1 [score]: has more than 2 decimals (decimals)",
                "error: scores:2 [score]: '100.01' is above the greatest plausible value 100 (range)",
                "error: scores:2 [kind]: 'mild' is no allowed value (allowed)",
                "error: scores:3 [score]: has more than 3 digits before the point (digits)",
                "error: scores:4 [score]: is a value of type integer (type)",
                "error: scores:4 [kind]: is empty (required)",
                "error: scores:6: has the key of row 5: e (unique)",
            ]
        );
    }

    #[test]
    fn columns_must_be_those_of_the_contract() {
        let found = told(&scores(&[]), table(&["id", "points"], &[]));
        assert_eq!(
            found,
            [
                "error: scores [score]: the column of the contract is missing (columns)\n  help: add it, or remove it from schemas/scores.odcs.yaml",
                "error: scores [points]: the contract has no such column (columns)\n  help: remove it, or add it to schemas/scores.odcs.yaml",
            ]
        );
        assert!(told(&scores(&[]), table(&["id", "score", "id"], &[]))[0].contains("the column stands twice"));
    }

    #[test]
    fn checks_money_and_personal_columns() {
        let contract = scores(&[
            "{name: amount, description: A., logicalType: number, physicalType: \"DECIMAL(18,4)\", customProperties: [{property: money, value: currency}]}",
            "{name: currency, description: C., logicalType: string, physicalType: VARCHAR, customProperties: [{property: format, value: currency}]}",
            "{name: email, description: E., logicalType: string, physicalType: VARCHAR, classification: personal, customProperties: [{property: format, value: email}]}\n    \
             quality:\n      - {id: has-currency, type: custom, engine: starledger, implementation: currency present with amount, severity: reject, description: No currency.}\n      \
             - {id: has-score, type: custom, engine: starledger, implementation: score present with amount, severity: warn, description: No score.}",
        ]);
        let columns = ["id", "score", "amount", "currency", "email"];
        let digest = Value::from(Digest::of(b"a@b.example"));
        let good = table(
            &columns,
            &[&["a".into(), Value::Null, dec("1.5"), "EUR".into(), digest]],
        );
        assert!(conform(&contract, good).is_ok());
        let found = told(
            &contract,
            table(
                &columns,
                &[
                    &["a".into(), dec("1"), dec("1.5"), "JPY".into(), "no address".into()],
                    &["b".into(), dec("1"), dec("1.5"), Value::Null, Value::Null],
                ],
            ),
        );
        assert!(found[0].contains("[email]: the value is no mail address"), "{found:?}");
        assert!(
            found[1].contains("[amount]: '1.5000' has more than the 0 decimals of JPY"),
            "{found:?}"
        );
        assert!(
            found[2].contains("scores:2 [currency]: No currency. (has-currency)"),
            "{found:?}"
        );
    }

    #[test]
    fn without_a_key_rows_are_sorted_by_all_columns_and_may_be_equal() {
        let text = output("scores", &[]).replace(", primaryKey: true, primaryKeyPosition: 1", "");
        let contract = read("scores.odcs.yaml", &text).unwrap();
        let row = |id: &str, score: &str| vec![Value::text(id), dec(score)];
        let given = table(&["id", "score"], &[&row("a", "10"), &row("a", "9"), &row("a", "9.0")]);
        assert_eq!(
            shown(&conform(&contract, given).unwrap()),
            ["a 9.00", "a 9.00", "a 10.00"]
        );
    }

    #[test]
    fn a_flood_of_findings_is_cut() {
        let rows: Vec<Vec<Value>> = (0..250).map(|i| vec![i.to_string().into(), dec("-1")]).collect();
        let rows: Vec<&[Value]> = rows.iter().map(Vec::as_slice).collect();
        let found = told(&scores(&[]), table(&["id", "score"], &rows));
        assert_eq!(found.len(), 101);
        assert!(found[100].contains("150 more findings"), "{}", found[100]);
    }
}

//! Which rows refer to something unknown.
//!
//! Duty: look up every reference; a reference to the feed itself counts only if the row it means is kept, so that a
//! row waits for the whole chain above it. Not its duty: what becomes of a row that waits.

use std::collections::BTreeMap;

use crate::contracts::Contract;
use crate::contracts::model::Reference;
use crate::domain::{Row, Value};

/// A reference that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub table: String,
    pub value: Value,
}

/// One reference of the contract: the column that holds it, and the column it means where that is of the same feed.
struct Link<'a> {
    column: usize,
    reference: &'a Reference,
    own: Option<usize>,
}

/// By row: its first unknown reference in the order of the columns, if any. A null refers to nothing.
pub fn missing(contract: &Contract, rows: &[&Row], known: &dyn Fn(&Reference, &Value) -> bool) -> Vec<Option<Missing>> {
    let links = links(contract);
    let outside = links.iter().filter(|l| l.own.is_none());
    let unknown = |row: &Row, link: &Link| !row[link.column].is_null() && !known(link.reference, &row[link.column]);
    let outside: Vec<&Link> = outside.collect();
    let mut kept: Vec<bool> = rows
        .iter()
        .map(|row| !outside.iter().any(|link| unknown(row, link)))
        .collect();
    let own: Vec<&Link> = links.iter().filter(|l| l.own.is_some()).collect();
    let present = drop_orphans(&own, rows, &mut kept);

    let first = |row: &Row| {
        let leads_nowhere = |link: &&Link| match link.own {
            None => unknown(row, link),
            Some(own) => !row[link.column].is_null() && !present.contains_key(&(own, &row[link.column])),
        };
        let link = links.iter().find(leads_nowhere)?;
        Some(Missing {
            table: link.reference.table.clone(),
            value: row[link.column].clone(),
        })
    };
    rows.iter()
        .zip(&kept)
        .map(|(row, kept)| if *kept { None } else { first(row) })
        .collect()
}

fn links(contract: &Contract) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (column, declared) in contract.columns.iter().enumerate() {
        let Some(reference) = &declared.reference else { continue };
        let own = if reference.table == contract.name {
            contract.columns.iter().position(|c| c.name == reference.column)
        } else {
            None
        };
        links.push(Link { column, reference, own });
    }
    links
}

/// Unmarks rows that refer to rows which are not kept, until none is left; returns how many kept rows hold each value.
fn drop_orphans<'r>(own: &[&Link], rows: &[&'r Row], kept: &mut [bool]) -> BTreeMap<(usize, &'r Value), usize> {
    let mut present: BTreeMap<(usize, &Value), usize> = BTreeMap::new();
    let mut dependents: BTreeMap<(usize, &Value), Vec<usize>> = BTreeMap::new();
    let targets: std::collections::BTreeSet<usize> = own.iter().filter_map(|l| l.own).collect();
    for (i, row) in rows.iter().enumerate() {
        for target in targets.iter().filter(|_| kept[i]) {
            *present.entry((*target, &row[*target])).or_default() += 1;
        }
        for link in own {
            if let Some(target) = link.own.filter(|_| !row[link.column].is_null()) {
                dependents.entry((target, &row[link.column])).or_default().push(i);
            }
        }
    }
    let mut gone: Vec<(usize, &Value)> = dependents
        .keys()
        .filter(|value| !present.contains_key(value))
        .copied()
        .collect();
    while let Some(value) = gone.pop() {
        for i in dependents.get(&value).map_or(&[][..], Vec::as_slice) {
            if !std::mem::replace(&mut kept[*i], false) {
                continue;
            }
            for target in &targets {
                let held = (*target, &rows[*i][*target]);
                let count = present.entry(held).or_default();
                *count -= 1;
                if *count == 0 {
                    present.remove(&held);
                    gone.push(held);
                }
            }
        }
    }
    present
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{column, contract, refers};
    use super::*;
    use crate::contracts::model::ColumnType;

    /// Rows as `id partner original`, `-` is null; the answer is the missing `table:value` of each.
    fn check(known: &[&str], rows: &[&str]) -> Vec<String> {
        let columns = [
            column("id", ColumnType::Text),
            refers("partner", "partners", "id"),
            refers("original", "sales", "id"),
        ];
        let contract = contract("sales", &columns, &[0]);
        let value = |text: &str| if text == "-" { Value::Null } else { Value::text(text) };
        let rows: Vec<Row> = rows.iter().map(|row| row.split(' ').map(value).collect()).collect();
        let rows: Vec<&Row> = rows.iter().collect();
        let known = |reference: &Reference, value: &Value| {
            assert_eq!(reference.table, "partners");
            known.contains(&value.to_string().as_str())
        };
        let show = |m: Option<Missing>| m.map_or("-".to_owned(), |m| format!("{}:{}", m.table, m.value));
        missing(&contract, &rows, &known).into_iter().map(show).collect()
    }

    #[test]
    fn null_refers_to_nothing_and_unknown_is_named() {
        assert_eq!(check(&["P"], &["1 P -", "2 - -", "3 Q -"]), ["-", "-", "partners:Q"]);
    }

    #[test]
    fn references_to_the_feed_itself_find_rows_of_the_same_delivery() {
        assert_eq!(check(&["P"], &["1 P 2", "2 P -", "3 P 9"]), ["-", "-", "sales:9"]);
        // a row may mean itself, and two may mean each other
        assert_eq!(check(&["P"], &["1 P 1", "2 P 3", "3 P 2"]), ["-", "-", "-"]);
    }

    #[test]
    fn a_row_waits_for_the_whole_chain_above_it() {
        assert_eq!(
            check(&["P"], &["1 Q -", "2 P 1", "3 P 2", "4 P -"]),
            ["partners:Q", "sales:1", "sales:2", "-"]
        );
        assert_eq!(check(&["P"], &["1 P 2", "2 P 1", "3 P 3"]), ["-", "-", "-"]);
        assert_eq!(check(&["P"], &["1 P 2", "2 Q 1"]), ["sales:2", "partners:Q"]);
    }
}

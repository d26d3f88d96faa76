//! All contracts of a workspace, held against one another.
//!
//! Duty: one contract per table, references that exist and fit, an order in which feeds can be read. Not its duty:
//! finding the files.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Column, Contract, ContractKind};
use super::read;
use crate::domain::hash::Hasher;
use crate::domain::{Digest, Finding, Findings, Place};

/// The contracts of a workspace.
#[derive(Clone, Debug)]
pub struct Catalogue {
    contracts: BTreeMap<String, Contract>,
    /// Names of the feeds: whatever a feed refers to stands before it.
    feeds: Vec<String>,
    digest: Digest,
}

impl Catalogue {
    /// Reads contract files, given as (file name for messages, content) in any order. All mistakes of all files are
    /// found; those between contracts only once each file is right by itself.
    pub fn read(files: &[(String, String)]) -> Result<Catalogue, Findings> {
        let mut findings = Findings::new();
        let mut contracts: BTreeMap<String, Contract> = BTreeMap::new();
        let mut files: Vec<&(String, String)> = files.iter().collect();
        files.sort();
        for (file, text) in files {
            match read::read(file, text) {
                Err(found) => findings.extend(found),
                Ok(contract) => match contracts.get(&contract.name) {
                    Some(first) => {
                        let message = format!(
                            "the table '{}' has a contract already, in {}",
                            contract.name, first.file
                        );
                        let place = Place::file(&contract.file);
                        findings.push(Finding::error(
                            place,
                            "contract.name",
                            message,
                            "remove one of the two files",
                        ));
                    }
                    None => {
                        contracts.insert(contract.name.clone(), contract);
                    }
                },
            }
        }
        if findings.is_empty() {
            findings = references(&contracts);
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let order = order(&contracts)?;
        let feeds = order
            .into_iter()
            .filter(|n| contracts[n].kind != ContractKind::Output)
            .collect();
        let mut hasher = Hasher::new();
        for (name, contract) in &contracts {
            hasher
                .field(name.as_bytes())
                .field(contract.digest.to_string().as_bytes());
        }
        Ok(Catalogue {
            contracts,
            feeds,
            digest: hasher.finish(),
        })
    }

    #[must_use]
    pub fn get(&self, table: &str) -> Option<&Contract> {
        self.contracts.get(table)
    }

    /// All feeds, each after those that it refers to; reference feeds before facts, ties by name.
    pub fn feeds(&self) -> impl Iterator<Item = &Contract> {
        self.feeds.iter().map(|name| &self.contracts[name])
    }

    /// All outputs by name.
    pub fn outputs(&self) -> impl Iterator<Item = &Contract> {
        self.contracts.values().filter(|c| c.kind == ContractKind::Output)
    }

    /// SHA-256 over the names and digests of all contracts.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Whether every reference names a column that exists, of the same type, in a table that may be referred to.
fn references(contracts: &BTreeMap<String, Contract>) -> Findings {
    let mut findings = Findings::new();
    for contract in contracts.values() {
        for column in &contract.columns {
            let Some(reference) = &column.reference else { continue };
            let name = format!("{}.{}", reference.table, reference.column);
            let target = contracts.get(&reference.table);
            let found = target.and_then(|t| t.columns.iter().find(|c| c.name == reference.column));
            let (message, remedy) = match (target, found) {
                (None, _) => (
                    format!("refers to {name}, and there is no contract of that table"),
                    "correct the name, or add the contract",
                ),
                (Some(_), None) => (
                    format!("refers to {name}, and there is no such column"),
                    "correct the name of the column",
                ),
                (Some(_), Some(found)) if found.kind != column.kind => (
                    format!("refers to {name}, which is of another type"),
                    "give both columns the same physicalType",
                ),
                (Some(target), Some(_)) if rank(target) > rank(contract) => {
                    let message = format!(
                        "refers to {name}, and {} cannot wait for {}",
                        kind(contract),
                        kind(target)
                    );
                    (
                        message,
                        "refer from facts to reference feeds, and from outputs to feeds",
                    )
                }
                _ => continue,
            };
            findings.push(Finding::error(
                place(contract, column),
                "contract.reference",
                message,
                remedy,
            ));
        }
    }
    findings
}

fn place(contract: &Contract, column: &Column) -> Place {
    Place::line(&contract.file, column.line).column(&column.name)
}

fn rank(contract: &Contract) -> u8 {
    match contract.kind {
        ContractKind::Reference => 0,
        ContractKind::Fact => 1,
        ContractKind::Output => 2,
    }
}

fn kind(contract: &Contract) -> &'static str {
    match contract.kind {
        ContractKind::Reference => "a reference feed",
        ContractKind::Fact => "a fact",
        ContractKind::Output => "an output",
    }
}

/// All tables, each after those that it refers to (but for itself), by kind and name where there is a choice.
fn order(contracts: &BTreeMap<String, Contract>) -> Result<Vec<String>, Findings> {
    let mut waits: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, contract) in contracts {
        let targets = contract.columns.iter().filter_map(|c| c.reference.as_ref());
        let targets = targets.map(|r| r.table.as_str()).filter(|t| t != name);
        waits.insert(name, targets.collect());
    }
    let mut order = Vec::with_capacity(contracts.len());
    while !waits.is_empty() {
        let ready = waits
            .iter()
            .filter(|(_, targets)| targets.is_empty())
            .map(|(name, _)| *name);
        let Some(next) = ready.min_by_key(|name| (rank(&contracts[*name]), *name)) else {
            return Err(cycle(contracts, &waits));
        };
        waits.remove(next);
        for targets in waits.values_mut() {
            targets.remove(next);
        }
        order.push(next.to_owned());
    }
    Ok(order)
}

/// One finding for each reference of a circle: following what a waiting table waits for must come round.
fn cycle(contracts: &BTreeMap<String, Contract>, waits: &BTreeMap<&str, BTreeSet<&str>>) -> Findings {
    let mut path: Vec<&str> = Vec::new();
    let mut at = waits.keys().next().copied().unwrap_or_default();
    while !path.contains(&at) {
        path.push(at);
        at = waits[at].first().copied().unwrap_or_default();
    }
    let begin = path.iter().position(|name| *name == at).unwrap_or(0);
    let mut circle = path.split_off(begin);
    circle.push(at);
    let message = format!("refers in a circle: {}", circle.join(" → "));
    let pairs = circle.windows(2).filter_map(|pair| {
        let contract = contracts.get(pair[0])?;
        let column = contract
            .columns
            .iter()
            .find(|c| c.reference.as_ref().is_some_and(|r| r.table == pair[1]))?;
        let remedy = "remove one of the references of the circle: each would wait for the other";
        Some(Finding::error(
            place(contract, column),
            "contract.reference",
            message.clone(),
            remedy,
        ))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ORDERS, PARTNERS, output};
    use super::*;

    fn file(name: &str, text: &str) -> (String, String) {
        (format!("schemas/{name}.odcs.yaml"), text.to_owned())
    }

    fn refer(to: &str) -> String {
        format!(
            "{{name: other, description: Other., logicalType: string, physicalType: VARCHAR, relationships: [{{to: {to}}}]}}"
        )
    }

    fn told(files: &[(String, String)]) -> Vec<String> {
        Catalogue::read(files)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn orders_feeds_by_reference_whatever_the_order_of_files() {
        // "aliases" comes first by name and refers to partners
        let aliases = PARTNERS.replace("- name: partners", "- name: aliases");
        let mut files = vec![
            file("orders", ORDERS),
            file("aliases", &aliases),
            file("partners", PARTNERS),
            file("scores", &output("scores", &[])),
        ];
        let catalogue = Catalogue::read(&files).unwrap();
        let names: Vec<_> = catalogue.feeds().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["partners", "aliases", "orders"]);
        assert_eq!(
            catalogue.outputs().map(|c| c.name.as_str()).collect::<Vec<_>>(),
            ["scores"]
        );
        assert!(catalogue.get("orders").is_some() && catalogue.get("nope").is_none());
        files.reverse();
        assert_eq!(Catalogue::read(&files).unwrap().digest(), catalogue.digest());
        files[0].1.push('\n');
        assert_ne!(Catalogue::read(&files).unwrap().digest(), catalogue.digest());
    }

    #[test]
    fn references_must_exist_and_fit() {
        assert_eq!(
            told(&[file("orders", ORDERS)]),
            [
                "error: schemas/orders.odcs.yaml:16 [partner_id]: refers to partners.partner_id, and there is no contract of that table (contract.reference)\n  \
              help: correct the name, or add the contract"
            ]
        );
        let scores = |to| [file("scores", &output("scores", &[&refer(to)]))];
        assert!(told(&scores("scores.nope"))[0].contains("there is no such column"));
        assert!(told(&scores("scores.score"))[0].contains("of another type"));
        let partners = PARTNERS.replace("to: partners.partner_id", "to: orders.order_id");
        let found = told(&[file("orders", ORDERS), file("partners", &partners)]);
        assert!(
            found[0].contains("a reference feed cannot wait for a fact"),
            "{found:?}"
        );
    }

    #[test]
    fn circles_are_found_and_self_reference_is_none() {
        let files = |a: &str, b: &str| {
            [
                file("a", &output("a", &[&refer(a)])),
                file("b", &output("b", &[&refer(b)])),
            ]
        };
        assert!(Catalogue::read(&files("a.id", "b.id")).is_ok());
        let found = told(&files("b.id", "a.id"));
        assert_eq!(found.len(), 2);
        assert!(
            found[0].starts_with("error: schemas/a.odcs.yaml:14 [other]: refers in a circle: a → b → a"),
            "{found:?}"
        );
    }

    #[test]
    fn a_table_has_one_contract() {
        let twin = ("more/partners.odcs.yaml".to_owned(), PARTNERS.to_owned());
        let found = told(&[file("partners", PARTNERS), twin]);
        assert!(
            found[0].contains(
                "schemas/partners.odcs.yaml: the table 'partners' has a contract already, in more/partners.odcs.yaml"
            ),
            "{found:?}"
        );
    }

    #[test]
    fn mistakes_of_all_files_come_together() {
        let found = told(&[file("a", "x: 1"), file("b", "")]);
        assert!(
            found.iter().any(|f| f.contains("schemas/a.odcs.yaml"))
                && found.iter().any(|f| f.contains("schemas/b.odcs.yaml"))
        );
    }
}

//! Figures of public products and contracts, computed by the engine from schemes in the rule format, and posted.
//!
//! Each is an example of `tests/it/rebates/`. The page docs/examples-rebates.md shows them and is checked here;
//! STARLEDGER_WRITE_DOCS=1 writes it anew.

mod sheet;
mod world;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use sheet::{Example, read_all};
use world::run;

pub(crate) use world::sales;

use crate::support::workspace::repository;

/// What one figure came to.
struct Check {
    id: String,
    what: String,
    expected: String,
    got: String,
    /// The figure must not come out.
    is_forbidden: bool,
}

impl Check {
    fn passed(&self) -> bool {
        (self.got == self.expected) != self.is_forbidden
    }
}

fn checks(example: &Example) -> Vec<Check> {
    let outcome = run(example);
    let check = |(what, expected): &(String, String), is_forbidden| Check {
        id: example.id.clone(),
        what: what.clone(),
        expected: expected.clone(),
        got: outcome
            .as_ref()
            .map_or_else(|refused| refused.matching(expected), |o| o.figure(what)),
        is_forbidden,
    };
    let wanted = example.expect.iter().map(|e| check(e, false));
    wanted.chain(example.forbid.iter().map(|e| check(e, true))).collect()
}

#[test]
fn every_public_figure_is_computed() {
    let examples = read_all();
    let all: Vec<Check> = examples.iter().flat_map(checks).collect();
    let failed: Vec<String> = all
        .iter()
        .filter(|c| !c.passed())
        .map(|c| format!("{} {}: expected {}, got {}", c.id, c.what, c.expected, c.got))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(examples.iter().all(|e| !e.expect.is_empty()));
    let must = fs::read_to_string(repository().join("tests/it/rebates/must.txt")).expect("the list");
    let computed: BTreeSet<&str> = examples.iter().map(|e| e.id.as_str()).collect();
    let missing: Vec<&str> = must.lines().filter(|id| !computed.contains(id)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "figures without an example");
    let path = repository().join("docs/examples-rebates.md");
    let page = page(&all, computed.len());
    if std::env::var_os("STARLEDGER_WRITE_DOCS").is_some() {
        fs::write(&path, &page).expect("the page");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/examples-rebates.md is out of date: run with STARLEDGER_WRITE_DOCS=1"
    );
}

/// The harness sees a rule that differs: every rate, amount and edge of every example is changed in turn, and each
/// example fails for one of them at least.
#[test]
fn another_rule_gives_another_figure() {
    let unseen = |example: &Example| {
        let mutants = example.mutants();
        !mutants.iter().any(|mutant| checks(mutant).iter().any(|c| !c.passed()))
    };
    let unseen: Vec<String> = read_all().into_iter().filter(unseen).map(|e| e.id).collect();
    assert_eq!(unseen, Vec::<String>::new(), "changed rules that no figure shows");
}

fn page(checks: &[Check], examples: usize) -> String {
    let mut page = format!(
        "# Published rebates, computed\n\n{examples} examples from public documentation and test suites. Each is written as \
         schemes and sales lines in\n`tests/it/rebates/`, computed by the engine and posted to the ledger by \
         `cargo test --test it rebates::`, which also\nwrites this page with STARLEDGER_WRITE_DOCS=1. *posted* is the \
         difference that each run posts; *not* marks a figure\nthat a product or a document is known to give and that must \
         not come out.\n\n| example | figure | expected | got |\n|---|---|---|---|\n"
    );
    for c in checks {
        let not = if c.is_forbidden { "not " } else { "" };
        let _ = writeln!(page, "| {} | {} | {not}{} | {} |", c.id, c.what, c.expected, c.got);
    }
    page
}

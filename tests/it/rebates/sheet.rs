//! Examples as written: rules, runs of sales lines, figures.

use std::fs;

use starledger::domain::{Dec, Ratio, Rounding};
use toml::{Table, Value};

use crate::support::workspace::repository;

/// One example. A run holds all that is known at its time.
#[derive(Clone)]
pub(super) struct Example {
    pub id: String,
    /// `[schemes.<name>]` of a region's edition, whole.
    pub schemes: Table,
    /// Schemes from a run on, where the rules change: by number of the run from 0.
    pub later: Vec<(usize, Table)>,
    pub runs: Vec<Run>,
    /// Settlement currency by partner; EUR else.
    pub partners: Vec<String>,
    pub expect: Vec<(String, String)>,
    pub forbid: Vec<(String, String)>,
}

#[derive(Clone)]
pub(super) struct Run {
    /// Earning periods that have ended on this day are computed.
    pub through: String,
    pub lines: Vec<String>,
    /// The posting period, a month, is settled and its documents issued.
    pub settles: bool,
    /// All documents of a run, from 0, are reversed as far as they may be.
    pub reverses: Option<usize>,
}

pub(super) fn read_all() -> Vec<Example> {
    let folder = repository().join("tests/it/rebates");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the examples")
        .map(|e| e.expect("one").path())
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "toml"));
    files.sort();
    files
        .iter()
        .flat_map(|f| read(&fs::read_to_string(f).expect("a text")))
        .collect()
}

fn read(text: &str) -> Vec<Example> {
    let sheet: Table = text.parse().expect("TOML");
    let base = table(&sheet["base"]);
    let examples = sheet["example"].as_array().expect("examples");
    examples.iter().map(|e| example(&base, &table(e))).collect()
}

fn table(value: &Value) -> Table {
    value.as_table().expect("a table").clone()
}

/// Keys that a scheme leaves out are those of `[base]`.
fn schemes(base: &Table, value: Option<&Value>) -> Table {
    let Some(value) = value else { return Table::new() };
    let whole = |(name, scheme): (String, Value)| {
        let mut all = base.clone();
        all.extend(table(&scheme));
        (name, Value::Table(all))
    };
    table(value).into_iter().map(whole).collect()
}

fn example(base: &Table, e: &Table) -> Example {
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().expect("a list").iter();
        texts.map(|v| v.as_str().expect("a text").to_owned()).collect()
    };
    let figures = |key: &str| -> Vec<(String, String)> {
        let table = e.get(key).map(table).unwrap_or_default();
        table
            .into_iter()
            .map(|(k, v)| (k, v.as_str().expect("a text").to_owned()))
            .collect()
    };
    let through = |value: &Table| {
        value
            .get("through")
            .and_then(Value::as_str)
            .unwrap_or("2026-12-31")
            .to_owned()
    };
    let run = |value: &Value| match value {
        Value::Table(run) => Run {
            through: through(run),
            lines: texts(&run["lines"]),
            settles: run.get("settles").and_then(Value::as_bool).unwrap_or(false),
            reverses: run
                .get("reverses")
                .and_then(Value::as_integer)
                .and_then(|n| usize::try_from(n).ok()),
        },
        lines => Run {
            through: "2026-12-31".to_owned(),
            lines: texts(lines),
            settles: false,
            reverses: None,
        },
    };
    let later = e.get("later").map(table).unwrap_or_default();
    Example {
        id: e["id"].as_str().expect("an id").to_owned(),
        schemes: schemes(base, e.get("schemes")),
        later: later
            .iter()
            .map(|(run, value)| (run.parse().expect("the number of a run"), schemes(base, Some(value))))
            .collect(),
        runs: e["runs"].as_array().expect("runs").iter().map(run).collect(),
        partners: e.get("partners").map(texts).unwrap_or_default(),
        expect: figures("expect"),
        forbid: figures("not"),
    }
}

impl Example {
    /// The example with one decimal of its rules doubled or halved, or one word replaced by its counterpart, each in turn.
    pub fn mutants(&self) -> Vec<Example> {
        [Ratio::int(2), half()]
            .iter()
            .flat_map(|by| self.mutants_by(by))
            .collect()
    }

    fn mutants_by(&self, by: &Ratio) -> Vec<Example> {
        let mut mutants = Vec::new();
        for at in 0.. {
            let mut mutant = self.clone();
            let mut left = at;
            let mut changed = mutate(&mut mutant.schemes, &mut left, by);
            for (_, schemes) in &mut mutant.later {
                changed = changed || mutate(schemes, &mut left, by);
            }
            if !changed {
                break;
            }
            mutants.push(mutant);
        }
        mutants
    }
}

fn half() -> Ratio {
    Ratio::new(1, 2).expect("a half")
}

/// Changes the `left`-th value that can be changed.
fn mutate(table: &mut Table, left: &mut usize, by: &Ratio) -> bool {
    table.iter_mut().any(|(_, value)| mutate_value(value, left, by))
}

fn mutate_value(value: &mut Value, left: &mut usize, by: &Ratio) -> bool {
    match value {
        Value::Table(table) => mutate(table, left, by),
        Value::Array(values) => values.iter_mut().any(|v| mutate_value(v, left, by)),
        Value::String(text) => {
            let Some(other) = counterpart(text, by) else {
                return false;
            };
            if *left > 0 {
                *left -= 1;
                return false;
            }
            *text = other;
            true
        }
        Value::Boolean(flag) => {
            if *left > 0 {
                *left -= 1;
                return false;
            }
            *flag = !*flag;
            true
        }
        _ => false,
    }
}

fn counterpart(text: &str, by: &Ratio) -> Option<String> {
    let number = text.trim_end_matches(" %");
    if let Ok(decimal) = Dec::parse(number) {
        let other = decimal.ratio() * by.clone();
        let shown = other.round(6, Rounding::Down)?.to_string();
        return Some(format!("{shown}{}", &text[number.len()..]));
    }
    let pairs = [
        ("lower", "upper"),
        ("marginal", "whole"),
        ("half_away_from_zero", "ceiling"),
        ("product_9", "a"),
        ("gross", "net_of_earlier"),
    ];
    pairs.iter().find_map(|(a, b)| match text {
        t if t == *a => Some((*b).to_owned()),
        t if t == *b => Some((*a).to_owned()),
        _ => None,
    })
}

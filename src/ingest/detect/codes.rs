//! Texts of closed lists: nulls, booleans, allowed values.
//!
//! Duty: which texts of the file stand for which of the contract, and how close they are. Must not: take closeness for
//! truth; a code that is only similar is a guess.

use super::column::Column;
use super::guess::{Confidence, Guess, Setting, grouped, of, per_mille};
use super::words::{Name, letters};
use crate::contracts::model::{Column as Wanted, ColumnType, Format};

/// Pairs of words for true and false, by language.
const BOOLEANS: [(&str, &str); 21] = [
    ("true", "false"),
    ("True", "False"),
    ("TRUE", "FALSE"),
    ("yes", "no"),
    ("Yes", "No"),
    ("YES", "NO"),
    ("y", "n"),
    ("Y", "N"),
    ("ja", "nein"),
    ("Ja", "Nein"),
    ("J", "N"),
    ("sí", "no"),
    ("si", "no"),
    ("S", "N"),
    ("sim", "não"),
    ("oui", "non"),
    ("O", "N"),
    ("wahr", "falsch"),
    ("1", "0"),
    ("是", "否"),
    ("はい", "いいえ"),
];

/// Similarity of letters, per thousand, from which a code may be meant.
const SIMILAR: u64 = 600;

/// Different texts up to which a column may be one of codes.
const MAX_CODES: usize = 60;

pub fn is_boolean(text: &str) -> bool {
    BOOLEANS.iter().any(|(yes, no)| [*yes, *no].contains(&text))
}

/// Whether a text is an allowed value but for case, accents and marks.
pub fn is_close(text: &str, allowed: &[String]) -> bool {
    same(text, allowed).is_some()
}

fn same<'a>(text: &str, allowed: &'a [String]) -> Option<&'a String> {
    if let Some(exact) = allowed.iter().find(|a| *a == text) {
        return Some(exact);
    }
    let wanted = letters(text);
    let mut found = allowed.iter().filter(|a| letters(a) == wanted);
    let first = found.next();
    // two allowed values that differ only in case or marks are not told apart by closeness
    first.filter(|_| found.next().is_none() && !wanted.is_empty())
}

/// Value maps that a column of the file needs to fit its column of the contract.
pub fn values(column: &Column, wanted: &Wanted) -> Vec<Guess> {
    match wanted.kind {
        ColumnType::Bool => booleans(column, wanted),
        ColumnType::Text if !wanted.allowed.is_empty() && wanted.format != Some(Format::List) => codes(column, wanted),
        _ => Vec::new(),
    }
}

fn booleans(column: &Column, wanted: &Wanted) -> Vec<Guess> {
    let total = column.total();
    let plain = column.count(|t| ["true", "false"].contains(&t));
    if plain == total {
        return Vec::new();
    }
    let covered = |pair: &(&str, &str)| column.count(|t| t == pair.0 || t == pair.1);
    let most = BOOLEANS.iter().map(covered).max().unwrap_or_default();
    let best: Vec<(&str, &str)> = BOOLEANS
        .iter()
        .filter(|p| most > 0 && covered(p) == most)
        .copied()
        .collect();
    let Some((yes, no)) = best.first().copied() else {
        return unknown_booleans(column, wanted);
    };
    let count = most + plain;
    let sure = if count * 20 >= total * 19 {
        Confidence::Likely
    } else {
        Confidence::Guess
    };
    let mut guesses = Vec::new();
    for (word, truth) in [(yes, "true"), (no, "false")] {
        let path = ["values", wanted.name.as_str(), word];
        let (confidence, evidence) = match column.values.get(word) {
            Some(times) => {
                let evidence = format!(
                    "{} are {yes} or {no}; it stands {} times",
                    of(count, total, "values"),
                    grouped(*times)
                );
                (sure, evidence)
            }
            None if best.len() == 1 => (sure, "not in the sample, but the other half of its pair is".to_owned()),
            None => {
                let others: Vec<String> = best.iter().map(|(y, n)| format!("{y}/{n}")).collect();
                let evidence = format!("not in the sample; the other half is of {}", others.join(", "));
                (Confidence::Guess, evidence)
            }
        };
        if word != truth {
            guesses.push(Guess::key(&path, Setting::text(truth), confidence, evidence));
        }
    }
    guesses
}

fn unknown_booleans(column: &Column, wanted: &Wanted) -> Vec<Guess> {
    let evidence = "no word for true or false that is known here";
    let open = |text| {
        let path = ["values", wanted.name.as_str(), text];
        Guess::key(&path, Setting::text("true"), Confidence::Open, evidence).or([Setting::text("false")])
    };
    texts_of(column).map(open).collect()
}

fn texts_of(column: &Column) -> impl Iterator<Item = &str> {
    column.values.keys().take(MAX_CODES).map(String::as_str)
}

fn codes(column: &Column, wanted: &Wanted) -> Vec<Guess> {
    let other: Vec<(&String, u64)> = column
        .values
        .iter()
        .filter(|(text, _)| !wanted.allowed.contains(text))
        .map(|(text, n)| (text, *n))
        .collect();
    if other.len() > MAX_CODES {
        let evidence = format!(
            "{} different texts are none of {}",
            grouped(other.len() as u64),
            wanted.allowed.join(", ")
        );
        let topic = format!("values.{}", wanted.name);
        return vec![Guess::told(&topic, &column.name, Confidence::Open, evidence)];
    }
    let total = column.total();
    other
        .into_iter()
        .map(|(text, times)| code(text, times, total, wanted))
        .collect()
}

/// A code that is rarer than this, of a hundred values, and near no allowed value is a mistake in a row and no code.
const RARE: u64 = 2;

fn code(text: &str, times: u64, total: u64, wanted: &Wanted) -> Guess {
    let path = ["values", wanted.name.as_str(), text];
    let is_rare = times * 100 < total * RARE;
    let times = format!("stands {} times", grouped(times));
    if let Some(same) = same(text, &wanted.allowed) {
        let evidence = format!("{times}; it is {same} but for case, accents and marks");
        return Guess::key(&path, Setting::text(same), Confidence::Likely, evidence);
    }
    let name = Name::new(text);
    let alike = |allowed: &String| similarity(&name, &Name::new(allowed));
    let mut near: Vec<(u64, &String)> = wanted.allowed.iter().map(|a| (alike(a), a)).collect();
    near.sort_by_key(|n| std::cmp::Reverse(n.0));
    match near.first() {
        Some((share, best)) if *share >= SIMILAR => {
            let evidence = format!("{times}; {best} is the nearest allowed value, {share} of 1,000 alike");
            let others = near[1..].iter().filter(|n| n.0 >= SIMILAR).map(|n| Setting::text(n.1));
            Guess::key(&path, Setting::text(best), Confidence::Guess, evidence).or(others)
        }
        _ if is_rare => {
            let evidence = format!("'{text}' {times} and is no allowed value; such rows will be rejected");
            Guess::told(
                &format!("column {}", wanted.name),
                "a value that is not allowed",
                Confidence::Likely,
                evidence,
            )
        }
        _ => {
            let evidence = format!("{times}; no allowed value is near it: {}", wanted.allowed.join(", "));
            Guess::key(&path, Setting::text(""), Confidence::Open, evidence)
        }
    }
}

/// By meanings or letters, or as a beginning: `eng` of `engineering`.
fn similarity(a: &Name, b: &Name) -> u64 {
    let begins = a.letters.len() >= 2 && b.letters.starts_with(&a.letters);
    let share = super::words::alike(a, b);
    if begins {
        share.max(700 + per_mille(a.letters.len() as u64, b.letters.len() as u64) / 5)
    } else {
        share
    }
}

/// A column and what the contract wants of it.
pub type Matched<'a> = (&'a Column, &'a Wanted);

/// Null tokens of the whole file.
pub fn nulls(columns: &[Matched<'_>]) -> Vec<Guess> {
    let mut tokens: std::collections::BTreeMap<&str, (u64, Vec<&str>, bool)> = std::collections::BTreeMap::new();
    for (column, wanted) in columns {
        for (token, times) in &column.nulls {
            let is_value = wanted.kind == ColumnType::Text && super::fit::is_allowed(token, wanted);
            if is_value && (!wanted.allowed.is_empty() || wanted.pattern.is_some()) {
                continue;
            }
            // an id may be any text, but none is made of marks alone
            let is_marked = !token.chars().all(char::is_alphanumeric);
            let is_no_id = is_marked && wanted.format == Some(Format::Id);
            let entry = tokens.entry(token).or_default();
            entry.0 += times;
            entry.1.push(&column.name);
            entry.2 |= !is_value || is_no_id;
        }
    }
    // a token that is no value of some column is a null; one that could be a text everywhere may be one
    let sure: Vec<&str> = tokens.iter().filter(|(_, t)| t.2).map(|(token, _)| *token).collect();
    let unsure: Vec<&str> = tokens.iter().filter(|(_, t)| !t.2).map(|(token, _)| *token).collect();
    let told = |chosen: &[&str]| {
        let words: Vec<String> = chosen
            .iter()
            .map(|token| {
                let (times, names, _) = &tokens[token];
                format!("'{token}' stands {} times in {}", grouped(*times), listed(names))
            })
            .collect();
        words.join("; ")
    };
    if unsure.is_empty() {
        let key = |evidence| Guess::key(&["null_tokens"], Setting::texts(&sure), Confidence::Likely, evidence);
        return if sure.is_empty() {
            Vec::new()
        } else {
            vec![key(told(&sure))]
        };
    }
    let all = Setting::texts(sure.iter().chain(&unsure));
    let doubt = format!("{}, where it could also be a text", told(&unsure));
    if sure.is_empty() {
        return vec![Guess::key(&["null_tokens"], all, Confidence::Guess, doubt)];
    }
    let evidence = format!("{}; {doubt}", told(&sure));
    vec![Guess::key(&["null_tokens"], Setting::texts(&sure), Confidence::Likely, evidence).or([all])]
}

/// Up to three names.
pub fn listed(names: &[&str]) -> String {
    if names.len() > 3 {
        format!("{} and {} more", names[..3].join(", "), names.len() - 3)
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures::column as wanted;
    use super::super::records::Cell;
    use super::*;

    fn seen(texts: &[&str]) -> Column {
        let mut column = Column::new("c");
        texts.iter().for_each(|t| column.add(&Cell::typed(t)));
        column
    }

    fn told(guesses: &[Guess]) -> Vec<String> {
        guesses
            .iter()
            .map(|g| {
                let alternatives: Vec<String> = g.alternatives.iter().map(ToString::to_string).collect();
                format!(
                    "{} {} {} {}",
                    g.key_name(),
                    g.setting,
                    g.confidence.name(),
                    alternatives.join(" ")
                )
                .trim_end()
                .to_owned()
            })
            .collect()
    }

    #[test]
    fn booleans_come_in_pairs() {
        let of = |texts: &[&str]| told(&values(&seen(texts), &wanted("paid", ColumnType::Bool)));
        assert_eq!(of(&["true", "false"]), Vec::<String>::new());
        assert_eq!(
            of(&["yes", "no"]),
            ["values.paid.yes \"true\" likely", "values.paid.no \"false\" likely"]
        );
        // the other half of the pair is meant too
        assert_eq!(
            of(&["no"]),
            ["values.paid.yes \"true\" a guess", "values.paid.no \"false\" likely"]
        );
        assert_eq!(
            of(&["nein"]),
            ["values.paid.ja \"true\" likely", "values.paid.nein \"false\" likely"]
        );
        assert_eq!(of(&["1", "0"])[0], "values.paid.1 \"true\" likely");
        assert_eq!(
            of(&["x", "o"]),
            [
                "values.paid.o \"true\" open \"false\"",
                "values.paid.x \"true\" open \"false\""
            ]
        );
    }

    #[test]
    fn codes_that_are_only_similar_are_guesses() {
        let mut status = wanted("status", ColumnType::Text);
        status.allowed = ["completed", "cancelled", "open"].map(str::to_owned).to_vec();
        let of = |texts: &[&str]| told(&values(&seen(texts), &status));
        assert_eq!(of(&["open", "completed"]), Vec::<String>::new());
        assert_eq!(of(&["Completed"]), ["values.status.Completed \"completed\" likely"]);
        assert_eq!(of(&["canceled"]), ["values.status.canceled \"cancelled\" a guess"]);
        assert_eq!(
            of(&["abgeschlossen"])[0],
            "values.status.abgeschlossen \"completed\" a guess"
        );
        assert_eq!(of(&["flurbel"]), ["values.status.flurbel \"\" open"]);
        assert_eq!(of(&["comp"]), ["values.status.comp \"completed\" a guess"]);
    }

    #[test]
    fn nulls_are_told_from_texts_by_columns_that_cannot_hold_them() {
        let (amount, note) = (wanted("amount", ColumnType::Int), wanted("note", ColumnType::Text));
        let mut red = wanted("red", ColumnType::Text);
        red.allowed = ["none", "L1"].map(str::to_owned).to_vec();
        let (numbers, texts) = (seen(&["1", "N/A"]), seen(&["a", "-"]));
        assert_eq!(told(&nulls(&[(&numbers, &amount)])), ["null_tokens [\"N/A\"] likely"]);
        assert_eq!(told(&nulls(&[(&texts, &note)])), ["null_tokens [\"-\"] a guess"]);
        assert_eq!(
            told(&nulls(&[(&seen(&["none"]), &red)])),
            Vec::<String>::new(),
            "an allowed value is no null"
        );
        assert_eq!(
            told(&nulls(&[(&numbers, &amount), (&texts, &note)])),
            ["null_tokens [\"N/A\"] likely [\"N/A\", \"-\"]"]
        );
    }
}

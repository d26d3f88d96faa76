//! Typed reading of one leaf of a rule tree.
//!
//! Duty: a text becomes a decimal or a rate, or a finding with its line; what was read is noted with its origin and the
//! one form that equal values share. Not its duty: tables and their keys (`section`).

use super::ResolvedValue;
use super::tree::{Item, Node, Origin};
use crate::domain::{Dec, Finding, Findings, Rate, Ratio};

/// What reading yields beside the typed values.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) findings: Findings,
    pub(super) values: Vec<Noted>,
}

/// A value as written, and in the one form that equal values share.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) resolved: ResolvedValue,
    /// `None` where writing it says the same as leaving it out.
    pub(super) canonical: Option<String>,
}

impl Out {
    pub(super) fn error(&mut self, origin: &Origin, path: &str, rule: &str, message: String, remedy: &str) {
        self.findings
            .push(Finding::error(origin.place(path), rule, message, remedy));
    }

    pub(super) fn note(&mut self, path: &str, item: &Item, value: String, canonical: String) {
        let resolved = ResolvedValue {
            path: path.to_owned(),
            value,
            file: item.origin.file.to_string(),
            line: item.origin.line,
            provenance: item.provenance.as_deref().map(str::to_owned),
        };
        self.values.push(Noted {
            resolved,
            canonical: Some(canonical),
        });
    }

    /// The value just noted is the default of an optional key.
    pub(super) fn last_says_nothing(&mut self) {
        if let Some(noted) = self.values.last_mut() {
            noted.canonical = None;
        }
    }

    pub(super) fn wrong_type(&mut self, item: &Item, path: &str, expected: &str, remedy: &str) {
        // a refused value has its finding already
        if !matches!(item.node, Node::Refused) {
            let message = format!("expected {expected}, found {}", item.node.kind());
            self.error(&item.origin, path, "rules.wrong_type", message, remedy);
        }
    }
}

/// The range a decimal must lie in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Within {
    Any,
    NotNegative,
    /// Over 0.
    Positive,
    /// 0 to 1.
    Share,
    /// Over 0, up to 1.
    PositiveShare,
    /// 0 to 100.
    Hundred,
}

impl Within {
    fn holds(self, value: &Ratio) -> bool {
        match self {
            Within::Any => true,
            Within::NotNegative => !value.is_negative(),
            Within::Positive => value.is_positive(),
            Within::Share => !value.is_negative() && *value <= Ratio::one(),
            Within::PositiveShare => value.is_positive() && *value <= Ratio::one(),
            Within::Hundred => !value.is_negative() && *value <= Ratio::int(100),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Within::Any => "any number",
            Within::NotNegative => "0 or more",
            Within::Positive => "over 0",
            Within::Share => "between 0 and 1",
            Within::PositiveShare => "over 0 and at most 1",
            Within::Hundred => "between 0 and 100",
        }
    }
}

/// Reads a decimal in quotes.
pub(super) fn decimal(out: &mut Out, path: &str, item: &Item, within: Within) -> Option<Ratio> {
    let value = bare_decimal(out, path, item, within)?;
    if let Node::Text(text) = &item.node {
        out.note(path, item, text.clone(), value.to_string());
    }
    Some(value)
}

/// A decimal that is part of a larger value and is not noted by itself.
pub(super) fn bare_decimal(out: &mut Out, path: &str, item: &Item, within: Within) -> Option<Ratio> {
    let Node::Text(text) = &item.node else {
        let remedy = match &item.node {
            Node::Int(number) => format!("write it in quotes: \"{number}\""),
            _ => "write a decimal in quotes, such as \"12.5\"".to_owned(),
        };
        out.wrong_type(item, path, "a decimal in quotes", &remedy);
        return None;
    };
    let value = match (fraction(text), within, Dec::parse(text)) {
        (Some(share), Within::Share | Within::PositiveShare, _) => share,
        (_, _, Ok(dec)) => dec.ratio(),
        (_, _, Err(error)) => {
            let remedy = "write digits with a decimal point and nothing else, such as \"12.5\"";
            out.error(
                &item.origin,
                path,
                "rules.wrong_type",
                format!("\"{text}\" {error}"),
                remedy,
            );
            return None;
        }
    };
    if !within.holds(&value) {
        let message = format!("{text} is out of range: it must be {}", within.words());
        out.error(
            &item.origin,
            path,
            "rules.range",
            message,
            &format!("write a value that is {}", within.words()),
        );
        return None;
    }
    Some(value)
}

/// A share written as a fraction of whole numbers, such as `1/3`.
fn fraction(text: &str) -> Option<Ratio> {
    let (part, whole) = text.split_once('/')?;
    Ratio::new(part.parse().ok()?, whole.parse().ok()?)
}

/// Reads a rate with its unit; rates are not negative.
pub(super) fn rate(out: &mut Out, path: &str, item: &Item) -> Option<Rate> {
    const REMEDY: &str = "write the rate with its unit: \"1.5 %\" or \"150 bp\"";
    let Node::Text(text) = &item.node else {
        out.wrong_type(item, path, "a rate with its unit in quotes", REMEDY);
        return None;
    };
    let rate = match Rate::parse(text) {
        Ok(rate) => rate,
        Err(error) => {
            out.error(
                &item.origin,
                path,
                "rules.rate",
                format!("\"{text}\" is no rate: {error}"),
                REMEDY,
            );
            return None;
        }
    };
    if rate.share().is_negative() {
        out.error(
            &item.origin,
            path,
            "rules.rate",
            format!("the rate {text} is negative"),
            "write a rate of 0 % or more",
        );
        return None;
    }
    if *rate.share() > Ratio::one() {
        out.error(
            &item.origin,
            path,
            "rules.rate",
            format!("the rate {text} is over 100 %"),
            REMEDY,
        );
        return None;
    }
    out.note(path, item, text.clone(), rate.share().to_string());
    Some(rate)
}

pub(super) fn unknown_word(out: &mut Out, item: &Item, path: &str, text: &str, known: &[&str]) {
    let remedy = suggestion(text, known);
    out.error(
        &item.origin,
        path,
        "rules.value",
        format!("\"{text}\" is not known here"),
        &remedy,
    );
}

/// "did you mean …" for a near word, else the list of words.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let limit = 1 + word.chars().count() / 4;
    let near = known
        .iter()
        .map(|k| (strsim::levenshtein(word, k), *k))
        .filter(|(d, _)| *d <= limit)
        .min();
    match near {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("remove it, or write one of: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested() {
        assert_eq!(suggestion("weigth", &["weight", "knots"]), "did you mean `weight`?");
        assert_eq!(
            suggestion("zzz", &["weight", "knots"]),
            "remove it, or write one of: weight, knots"
        );
    }
}

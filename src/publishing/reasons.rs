//! Reasons that other rooms wrote, in a reader's language.
//!
//! Duty: recognise a reason by the forms of the catalogue's section `reason` and write it in the catalogue's language,
//! numbers and dates as that language has them. A reason of no known form, such as what a person wrote, stays as it
//! is. Not its duty: writing reasons.
//!
//! A form is matched from the left, its fixed words literally; what stands in a brace is itself a reason, a number, a
//! date or left alone. Of the forms that match, the one with the most fixed letters wins.

use super::texts::{Texts, fill};
use crate::domain::Dec;
use crate::domain::time::parse_date;

/// How deep a reason can stand in another one.
const DEPTH: u8 = 3;

/// Forms in English and what they become, the longest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns(Vec<(Vec<Piece>, String)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Fixed(String),
    Name(String),
}

impl Patterns {
    pub(super) fn new(forms: impl Iterator<Item = (String, String)>) -> Patterns {
        let mut forms: Vec<(Vec<Piece>, String)> = forms.map(|(form, text)| (pieces(&form), text)).collect();
        let fixed = |form: &[Piece]| -> usize {
            let lengths = form.iter().map(|p| match p {
                Piece::Fixed(text) => text.len(),
                Piece::Name(_) => 0,
            });
            lengths.sum()
        };
        forms.sort_by_key(|(form, text)| (std::cmp::Reverse(fixed(form)), text.clone()));
        Patterns(forms)
    }
}

fn pieces(form: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        if !before.is_empty() {
            out.push(Piece::Fixed(before.to_owned()));
        }
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push(Piece::Name(name.to_owned()));
        rest = tail;
    }
    if !rest.is_empty() {
        out.push(Piece::Fixed(rest.to_owned()));
    }
    out
}

/// What stands in the braces, when the text has the form.
fn matched<'t>(form: &[Piece], text: &'t str) -> Option<Vec<(String, &'t str)>> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut open: Option<&String> = None;
    for piece in form {
        match piece {
            Piece::Name(name) => open = Some(name),
            Piece::Fixed(fixed) => {
                let at = rest.find(fixed.as_str())?;
                match open.take() {
                    Some(name) if at > 0 => found.push((name.clone(), &rest[..at])),
                    None if at == 0 => {}
                    _ => return None,
                }
                rest = &rest[at + fixed.len()..];
            }
        }
    }
    match open {
        Some(name) if !rest.is_empty() => found.push((name.clone(), rest)),
        None if rest.is_empty() => {}
        _ => return None,
    }
    Some(found)
}

impl Texts {
    /// A reason, or several that are joined by semicolons, in this language.
    #[must_use]
    pub fn reason(&self, reason: &str) -> String {
        // English is what reasons are written in
        if self.language() == "en" {
            return reason.to_owned();
        }
        let parts = reason.split("; ").map(|part| self.one_reason(part, DEPTH));
        parts.collect::<Vec<_>>().join("; ")
    }

    /// The same as a sentence.
    #[must_use]
    pub fn reason_sentence(&self, reason: &str) -> String {
        self.sentence(&self.reason(reason))
    }

    fn one_reason(&self, reason: &str, depth: u8) -> String {
        if let Some(shown) = self.figure(reason) {
            return shown;
        }
        if depth == 0 {
            return reason.to_owned();
        }
        // a metric's reason within that of its domain
        if let Some((metric, rest)) = reason.split_once(": ")
            && crate::rules::MetricId::BUILT_IN.iter().any(|m| m.as_str() == metric)
        {
            let colon = self.get("form", "colon");
            return format!(
                "{}{colon}{}",
                self.word("metric", metric),
                self.one_reason(rest, depth - 1)
            );
        }
        for (form, text) in &self.patterns().0 {
            if let Some(found) = matched(form, reason) {
                let inner: Vec<(String, String)> = found
                    .into_iter()
                    .map(|(name, value)| (name, self.one_reason(value, depth - 1)))
                    .collect();
                return fill(text, &|name| {
                    inner.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
                });
            }
        }
        for section in ["metric", "criterion", "red_line_state"] {
            if self.has(section, reason) {
                return self.word(section, reason);
            }
        }
        if let Some((first, rest)) = reason.split_once(", ") {
            return format!(
                "{}, {}",
                self.one_reason(first, depth - 1),
                self.one_reason(rest, depth - 1)
            );
        }
        reason.to_owned()
    }

    /// A number or a date in this language.
    fn figure(&self, text: &str) -> Option<String> {
        if let Some(date) = parse_date(text) {
            return Some(self.date(date));
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        plain
            .then(|| Dec::parse(text).ok().map(|dec| self.number(dec)))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: &str, reason: &str, expected: &str) {
        let shown = Texts::for_language(language).reason(reason).replace('\u{a0}', " ");
        assert_eq!(shown, expected, "{language}");
    }

    #[test]
    fn reasons_are_told_in_the_language_of_the_reader() {
        check(
            "de",
            "26 answers, 30 needed to be rated in full",
            "26 Antworten, 30 nötig für eine volle Bewertung",
        );
        check(
            "de",
            "satisfaction: 1 answer, at least 5 needed",
            "Kundenzufriedenheit: 1 Antwort, mindestens 5 nötig",
        );
        check(
            "de",
            "the metrics with a result weigh 25.00, at least 60.00 needed; no result for satisfaction or quality",
            "die Kennzahlen mit Ergebnis wiegen 25,00, mindestens 60,00 nötig; kein Ergebnis für satisfaction or quality",
        );
        check(
            "fr",
            "confirmed by two persons, the second on 2026-08-19",
            "confirmé par deux personnes, la seconde le 19 août 2026",
        );
        check("zh", "growth of 68.4543 %", "增长 68.4543%");
        check(
            "es",
            "the basis of 1095.83 EUR is under the minimum sales of 10000 EUR",
            "la base de 1095,83 EUR no llega a las ventas mínimas de 10.000 EUR",
        );
    }

    #[test]
    fn what_a_person_wrote_stays_as_it_is() {
        check("de", "A reason, as people write them", "A reason, as people write them");
        check("en", "26 answers, 30 needed", "26 answers, 30 needed");
    }
}

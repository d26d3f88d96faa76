//! Words of a scorecard by language, and how that language writes numbers, amounts and dates.
//!
//! Duty: one catalogue per language, embedded, all with the same keys as English (a test holds them to it). Not its
//! duty: layout, and anything that a partner's data could change: arguments are filled in, never interpreted.

use std::collections::BTreeMap;

use crate::domain::{Currency, Date, Dec, Instant, Money, Ratio, Rounding};

/// Catalogues by BCP 47 tag; the first one is the fallback.
const CATALOGUES: [(&str, &str); 1] = [("en", include_str!("texts/en.toml"))];

/// Section → key → text.
pub type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// The catalogue of one language.
#[derive(Clone, Debug)]
pub struct Texts {
    sections: Sections,
}

impl Texts {
    /// The catalogue for a BCP 47 tag: the exact one, else that of its primary language, else English.
    #[must_use]
    pub fn for_language(tag: &str) -> Texts {
        let tag = tag.to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let find = |wanted: &str| CATALOGUES.iter().find(|(language, _)| *language == wanted);
        let (_, source) = find(&tag).or_else(|| find(primary)).unwrap_or(&CATALOGUES[0]);
        // the catalogues are part of the program, and a test parses each of them
        Texts {
            sections: toml::from_str(source).unwrap_or_default(),
        }
    }

    /// The catalogue's own tag, for `lang`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.get("form", "language")
    }

    #[must_use]
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    /// A text; the key itself where the catalogue has none.
    #[must_use]
    pub fn get<'a>(&'a self, section: &str, key: &'a str) -> &'a str {
        self.sections
            .get(section)
            .and_then(|s| s.get(key))
            .map_or(key, String::as_str)
    }

    /// A word for a code of a table, such as `not_applicable`; a code without one is shown as words.
    #[must_use]
    pub fn word(&self, section: &str, code: &str) -> String {
        match self.sections.get(section).and_then(|s| s.get(code)) {
            Some(text) => text.clone(),
            None if code.contains(' ') => code.to_owned(),
            None => code.replace(['_', '-'], " "),
        }
    }

    /// A reason as another room wrote it, as a sentence: `no part due` → `No part due.`
    #[must_use]
    pub fn sentence(&self, reason: &str) -> String {
        let mut chars = reason.chars();
        let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        let stop = if reason.is_empty() || reason.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        format!("{first}{}{stop}", chars.as_str())
    }

    /// A text with `{name}` replaced by arguments, in one pass: braces in an argument stay what they are.
    #[must_use]
    pub fn fill(&self, section: &str, key: &str, arguments: &[(&str, &str)]) -> String {
        let mut rest = self.get(section, key);
        let mut out = String::with_capacity(rest.len() + 32);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                rest = after;
                continue;
            };
            out.push_str(
                arguments
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map_or("", |(_, value)| *value),
            );
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// A text about a number of things: that of `<key>_one` for one of them, where the catalogue has it.
    #[must_use]
    pub fn counted(&self, section: &str, key: &str, name: &str, count: i64) -> String {
        let one = format!("{key}_one");
        let has_one = count == 1 && self.sections.get(section).is_some_and(|s| s.contains_key(&one));
        self.fill(section, if has_one { &one } else { key }, &[(name, &self.count(count))])
    }

    /// A decimal with its digits grouped: `-1234.50` → `−1,234.50`.
    #[must_use]
    pub fn number(&self, dec: Dec) -> String {
        let plain = dec.to_string();
        let (sign, digits) = plain
            .strip_prefix('-')
            .map_or(("", plain.as_str()), |rest| (MINUS, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut out = String::from(sign);
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                out.push_str(self.get("form", "group"));
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push_str(self.get("form", "decimal"));
            out.push_str(fraction);
        }
        out
    }

    #[must_use]
    pub fn count(&self, count: i64) -> String {
        self.number(Dec::from(count))
    }

    /// A number rounded half away from zero for showing.
    #[must_use]
    pub fn rounded(&self, value: &Ratio, decimals: u8) -> String {
        value
            .round(decimals, Rounding::HalfAwayFromZero)
            .map_or_else(|| "?".to_owned(), |d| self.number(d))
    }

    /// A share as a percentage with two decimals: `0.9231` → `92.31 %`.
    #[must_use]
    pub fn percent(&self, share: Dec) -> String {
        format!("{}\u{a0}%", self.rounded(&(share.ratio() * Ratio::int(100)), 2))
    }

    /// With its sign: `+3.15`, `−2.00`, `0.00`.
    #[must_use]
    pub fn signed(&self, dec: Dec) -> String {
        let plus = if dec > Dec::ZERO { "+" } else { "" };
        format!("{plus}{}", self.number(dec))
    }

    #[must_use]
    pub fn money(&self, money: Money) -> String {
        format!("{}\u{a0}{}", money.currency(), self.number(money.dec()))
    }

    /// An amount as delivered: at the decimals of its currency where they hold it, else as it is.
    #[must_use]
    pub fn amount(&self, currency: &str, amount: Dec) -> String {
        let digits = Currency::parse(currency).map(Currency::minor_digits);
        let shown = digits.and_then(|d| amount.rescale(d)).unwrap_or(amount);
        format!("{currency}\u{a0}{}", self.number(shown))
    }

    /// `12 October 2026`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        let month = self
            .get("form", "months")
            .split(' ')
            .nth(chrono::Datelike::month0(&date) as usize)
            .unwrap_or("?");
        let (day, year) = (
            chrono::Datelike::day(&date).to_string(),
            chrono::Datelike::year(&date).to_string(),
        );
        self.fill("form", "date", &[("day", &day), ("month", month), ("year", &year)])
    }

    /// `12 October 2026, 06:00 UTC`.
    #[must_use]
    pub fn instant(&self, instant: Instant) -> String {
        format!(
            "{}, {} UTC",
            self.date(instant.utc().date_naive()),
            instant.utc().format("%H:%M")
        )
    }
}

/// U+2212: as wide as a digit, read aloud as minus, and no line is broken after it.
const MINUS: &str = "\u{2212}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_parses_and_has_the_keys_of_english() {
        let keys = |source: &str| -> Vec<(String, Vec<String>)> {
            let sections: Sections = toml::from_str(source).unwrap();
            sections
                .into_iter()
                .map(|(s, keys)| (s, keys.into_keys().collect()))
                .collect()
        };
        let english = keys(CATALOGUES[0].1);
        for (language, source) in CATALOGUES {
            assert_eq!(keys(source), english, "{language}");
            assert_eq!(Texts::for_language(language).language(), language);
        }
        assert_eq!(Texts::for_language("xx-YY").language(), "en");
        assert_eq!(Texts::for_language("en-GB").language(), "en");
    }

    #[test]
    fn numbers_amounts_and_dates() {
        let texts = Texts::for_language("en");
        let dec = |t| Dec::parse(t).unwrap();
        assert_eq!(texts.number(dec("-1234567.50")), "−1,234,567.50");
        assert_eq!(texts.number(dec("123")), "123");
        assert_eq!(texts.percent(dec("0.923076923077")), "92.31\u{a0}%");
        assert_eq!(
            [
                texts.signed(dec("3.15")),
                texts.signed(dec("-2.00")),
                texts.signed(dec("0.00"))
            ],
            ["+3.15", "−2.00", "0.00"]
        );
        assert_eq!(
            texts.date(crate::domain::time::parse_date("2026-10-02").unwrap()),
            "2 October 2026"
        );
        assert_eq!(
            texts.instant(Instant::parse("2026-10-12T06:00:00Z").unwrap()),
            "12 October 2026, 06:00 UTC"
        );
    }

    #[test]
    fn arguments_are_not_interpreted() {
        let texts = Texts::for_language("en");
        let subject = texts.fill(
            "subject",
            "not_rated",
            &[("period", "{grade} {{7*7}}"), ("programme", "P")],
        );
        assert!(subject.contains("{grade} {{7*7}}"), "{subject}");
    }
}

//! How a language writes numbers, amounts and dates.
//!
//! Duty: separators, groups, signs, the order of a date, from the catalogue's section `form`. Not its duty: words.

use chrono::Datelike;

use super::texts::Texts;
use crate::domain::{Currency, Date, Dec, Instant, Money, Ratio, Rounding};

/// U+2212: as wide as a digit, read aloud as minus, and no line is broken after it.
const MINUS: &str = "\u{2212}";

impl Texts {
    /// A decimal with its digits grouped: `-1234.50` → `−1,234.50`.
    #[must_use]
    pub fn number(&self, dec: Dec) -> String {
        let plain = dec.to_string();
        let (sign, digits) = plain
            .strip_prefix('-')
            .map_or(("", plain.as_str()), |rest| (MINUS, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let grouped = self
            .get("form", "group_from")
            .parse()
            .is_ok_and(|from: usize| whole.len() >= from);
        let mut out = String::from(sign);
        for (i, digit) in whole.chars().enumerate() {
            if grouped && i > 0 && (whole.len() - i).is_multiple_of(3) {
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

    /// A number with at most four decimals, without trailing zeros: `0.75`, `1`.
    #[must_use]
    pub fn short(&self, value: &Ratio) -> String {
        let text = self.rounded(value, 4);
        let mark = self.get("form", "decimal");
        if text.contains(mark) {
            text.trim_end_matches('0').trim_end_matches(mark).to_owned()
        } else {
            text
        }
    }

    /// A share as a percentage with two decimals: `0.9231` → `92.31 %`.
    #[must_use]
    pub fn percent(&self, share: Dec) -> String {
        let n = self.rounded(&(share.ratio() * Ratio::int(100)), 2);
        self.fill("form", "percent", &[("n", &n)])
    }

    /// A rate, as short as it can be: `0.015` → `1.5 %`.
    #[must_use]
    pub fn rate(&self, share: &Ratio) -> String {
        let n = self.short(&(share * &Ratio::int(100)));
        self.fill("form", "percent", &[("n", &n)])
    }

    /// With its sign: `+3.15`, `−2.00`, `0.00`.
    #[must_use]
    pub fn signed(&self, dec: Dec) -> String {
        let plus = if dec > Dec::ZERO { "+" } else { "" };
        format!("{plus}{}", self.number(dec))
    }

    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.amount_of(money.currency().code(), money.dec())
    }

    /// An amount as delivered: at the decimals of its currency where they hold it, else as it is.
    #[must_use]
    pub fn amount(&self, currency: &str, amount: Dec) -> String {
        let digits = Currency::parse(currency).map(Currency::minor_digits);
        self.amount_of(currency, digits.and_then(|d| amount.rescale(d)).unwrap_or(amount))
    }

    fn amount_of(&self, currency: &str, amount: Dec) -> String {
        let amount = self.number(amount);
        self.fill("form", "money", &[("currency", currency), ("amount", &amount)])
    }

    /// `12 October 2026`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        let months = self.get("form", "months");
        let month = months.split(' ').nth(date.month0() as usize).unwrap_or("?");
        let (day, year) = (date.day().to_string(), date.year().to_string());
        self.fill("form", "date", &[("day", &day), ("month", month), ("year", &year)])
    }

    /// `12 October 2026, 06:00 UTC`.
    #[must_use]
    pub fn instant(&self, instant: Instant) -> String {
        let date = self.date(instant.utc().date_naive());
        let time = instant.utc().format("%H:%M").to_string();
        self.fill("form", "instant", &[("date", &date), ("time", &time)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: &str, expected: [&str; 5]) {
        let texts = Texts::for_language(language);
        let dec = |t| Dec::parse(t).unwrap();
        let shown = [
            texts.number(dec("-1234567.50")),
            texts.number(dec("1234.5")),
            texts.percent(dec("0.923076923077")),
            texts.amount("EUR", dec("1661.7200")),
            texts.instant(Instant::parse("2026-10-02T06:00:00Z").unwrap()),
        ];
        assert_eq!(
            shown.map(|s| s.replace(['\u{a0}', '\u{202f}'], "_")),
            expected,
            "{language}"
        );
    }

    #[test]
    fn numbers_amounts_and_dates_by_language() {
        check(
            "en",
            [
                "−1,234,567.50",
                "1,234.5",
                "92.31_%",
                "EUR_1,661.72",
                "2 October 2026, 06:00 UTC",
            ],
        );
        check(
            "de",
            [
                "−1.234.567,50",
                "1.234,5",
                "92,31_%",
                "1.661,72_EUR",
                "2. Oktober 2026, 06:00 UTC",
            ],
        );
        check(
            "es",
            [
                "−1.234.567,50",
                "1234,5",
                "92,31_%",
                "1661,72_EUR",
                "2 de octubre de 2026, 06:00 UTC",
            ],
        );
        check(
            "fr",
            [
                "−1_234_567,50",
                "1_234,5",
                "92,31_%",
                "1_661,72_EUR",
                "2 octobre 2026, 06:00 UTC",
            ],
        );
        check(
            "pt",
            [
                "−1.234.567,50",
                "1.234,5",
                "92,31%",
                "EUR_1.661,72",
                "2 de outubro de 2026, 06:00 UTC",
            ],
        );
        check(
            "zh",
            [
                "−1,234,567.50",
                "1,234.5",
                "92.31%",
                "EUR_1,661.72",
                "2026年10月2日 06:00 UTC",
            ],
        );
    }

    #[test]
    fn signs() {
        let texts = Texts::for_language("en");
        let dec = |t| Dec::parse(t).unwrap();
        let signed = ["3.15", "-2.00", "0.00"].map(|t| texts.signed(dec(t)));
        assert_eq!(signed, ["+3.15", "−2.00", "0.00"]);
        assert_eq!(texts.number(dec("123")), "123");
    }
}

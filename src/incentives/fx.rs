//! Exchange rates.
//!
//! Duty: the rate that a scheme's ways give for a day, by one of that day or of the last one before it that is young enough;
//! the mean of those of a period. Not its duty: which published rates serve (`domain::exchange`).

use super::IncentiveError;
use crate::domain::time::sub_days;
use crate::domain::{Currency, Date, ExchangeRates, Finding, Findings, FxWays, Place, Ratio, Table};

#[derive(Clone, Debug, Default)]
pub(super) struct Rates<'a>(ExchangeRates<'a>);

impl<'a> Rates<'a> {
    /// A rate that is not above zero is reported and left out.
    pub fn read(table: &'a Table, findings: &mut Findings) -> Result<Rates<'a>, IncentiveError> {
        let mut rates = Rates::default();
        for row in table.iter() {
            let (base, quote, date) = (row.text("base")?, row.text("quote")?, row.date("date")?);
            let rate = row.ratio("rate")?;
            if !rate.is_positive() {
                findings.push(Finding::warning(
                    Place::file("fx_rates").column("rate"),
                    "rate-not-positive",
                    format!("the rate {base}→{quote} of {date} is not above zero and is not used"),
                    "deliver the rate again",
                ));
                continue;
            }
            let earlier = rates.0.insert(base, quote, date, rate.clone());
            if earlier.is_some_and(|e| e != rate) {
                return Err(IncentiveError::TwoRates {
                    base: base.to_owned(),
                    quote: quote.to_owned(),
                    date,
                });
            }
        }
        Ok(rates)
    }

    /// Units of `quote` for one of `base` on a day: of that day, or of the last day before it that is at most
    /// `max_age_days` away.
    pub fn on(&self, base: &str, quote: Currency, ways: FxWays, day: Date, max_age_days: u32) -> Option<Ratio> {
        if base == quote.code() {
            return Some(Ratio::one());
        }
        let oldest = sub_days(day, max_age_days);
        self.0.on(base, quote.code(), ways, (oldest, day))?.rate()
    }

    /// The exact mean of the rates that were published for days from the first to the last.
    pub fn mean(&self, base: &str, quote: Currency, ways: FxWays, span: (Date, Date)) -> Option<Ratio> {
        if base == quote.code() {
            return Some(Ratio::one());
        }
        self.0.mean(base, quote.code(), ways, span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dec;
    use crate::domain::time::parse_date;

    fn table(rows: &[(&str, &str, &str, &str)]) -> Table {
        let mut table = Table::new("fx_rates", &["base", "quote", "date", "rate"]);
        for (base, quote, date, rate) in rows {
            let (date, rate) = (parse_date(date).unwrap(), Dec::parse(rate).unwrap());
            table.push(vec![(*base).into(), (*quote).into(), date.into(), rate.into()]);
        }
        table
    }

    #[test]
    fn the_last_earlier_rate_serves_for_seven_days() {
        let table = table(&[("USD", "EUR", "2026-07-01", "0.9"), ("USD", "EUR", "2026-07-03", "0.8")]);
        let rates = Rates::read(&table, &mut Vec::new()).unwrap();
        let euro = Currency::parse("EUR").unwrap();
        let on = |base: &str, day| {
            rates
                .on(base, euro, FxWays::default(), parse_date(day).unwrap(), 7)
                .map(|r| r.to_string())
        };
        assert_eq!(on("USD", "2026-06-30"), None); // never a later rate
        assert_eq!(on("USD", "2026-07-01").as_deref(), Some("9/10"));
        assert_eq!(on("USD", "2026-07-02").as_deref(), Some("9/10"));
        assert_eq!(on("USD", "2026-07-10").as_deref(), Some("4/5")); // 7 days old
        assert_eq!(on("USD", "2026-07-11"), None); // 8 days old
        assert_eq!(on("EUR", "2026-07-11").as_deref(), Some("1"));
    }

    #[test]
    fn the_mean_is_of_the_days_that_have_a_rate() {
        let table = table(&[
            ("USD", "EUR", "2026-06-30", "5"),
            ("USD", "EUR", "2026-07-01", "0.9"),
            ("USD", "EUR", "2026-07-03", "0.8"),
            ("USD", "EUR", "2026-09-30", "0.7"),
            ("USD", "EUR", "2026-10-01", "5"),
        ]);
        let rates = Rates::read(&table, &mut Vec::new()).unwrap();
        let euro = Currency::parse("EUR").unwrap();
        let day = |text| parse_date(text).unwrap();
        let mean = |base, first, last| {
            rates
                .mean(base, euro, FxWays::default(), (day(first), day(last)))
                .map(|r| r.to_string())
        };
        assert_eq!(mean("USD", "2026-07-01", "2026-09-30").as_deref(), Some("4/5"));
        assert_eq!(mean("USD", "2026-07-02", "2026-07-02"), None);
        assert_eq!(mean("EUR", "2026-07-02", "2026-07-02").as_deref(), Some("1"));
        assert_eq!(mean("GBP", "2026-07-01", "2026-09-30"), None);
    }

    #[test]
    fn no_inverse_rate_and_no_cross_rate() {
        let table = table(&[("EUR", "USD", "2026-07-01", "1.1"), ("GBP", "USD", "2026-07-01", "1.3")]);
        let rates = Rates::read(&table, &mut Vec::new()).unwrap();
        let day = parse_date("2026-07-01").unwrap();
        assert_eq!(
            rates.on("USD", Currency::parse("EUR").unwrap(), FxWays::default(), day, 7),
            None
        );
        assert_eq!(
            rates.on("GBP", Currency::parse("EUR").unwrap(), FxWays::default(), day, 7),
            None
        );
    }

    #[test]
    fn a_zero_rate_is_left_out_and_two_rates_of_a_day_are_refused() {
        let mut findings = Vec::new();
        let zero = table(&[("USD", "EUR", "2026-07-01", "0")]);
        let rates = Rates::read(&zero, &mut findings).unwrap();
        let (euro, day) = (Currency::parse("EUR").unwrap(), parse_date("2026-07-01").unwrap());
        assert_eq!(
            (rates.on("USD", euro, FxWays::default(), day, 7), findings.len()),
            (None, 1)
        );
        let two = table(&[
            ("USD", "EUR", "2026-07-01", "0.9"),
            ("USD", "EUR", "2026-07-01", "0.91"),
        ]);
        let error = Rates::read(&two, &mut findings).unwrap_err().to_string();
        assert_eq!(
            error,
            "feed fx_rates has two rates USD→EUR for 2026-07-01; its key is base, quote, date"
        );
    }
}

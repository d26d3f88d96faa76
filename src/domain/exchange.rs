//! Exchange rates, and the ways in which one is found.
//!
//! Duty: rates by pair and day; which of them serve on a day, by the ways that are declared: direct, inverse, through a
//! third currency. Not its duty: columns of a feed, which ways a scheme declares, amounts.

use std::collections::BTreeMap;

use super::{Currency, Date, Ratio};

/// How a rate may be found where there is no direct one. Neither way goes unless it is declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FxWays {
    /// 1 / (quote → base).
    pub inverse: bool,
    /// (base → this) × (this → quote), each direct or, if declared, inverse.
    pub through: Option<Currency>,
}

/// Published rates: units of the quote for one of the base.
#[derive(Clone, Debug, Default)]
pub struct ExchangeRates<'a>(BTreeMap<(&'a str, &'a str), BTreeMap<Date, Ratio>>);

/// A published rate as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Leg {
    published_on: Date,
    rate: Ratio,
    is_inverse: bool,
}

/// What a rate is made of: one published rate, or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    first: Leg,
    second: Option<Leg>,
}

impl Leg {
    fn rate(&self) -> Option<Ratio> {
        if self.is_inverse {
            Ratio::one().checked_div(&self.rate)
        } else {
            Some(self.rate.clone())
        }
    }
}

impl Route {
    /// Units of the quote for one of the base, exactly.
    pub fn rate(&self) -> Option<Ratio> {
        let first = self.first.rate()?;
        match &self.second {
            Some(second) => Some(&first * &second.rate()?),
            None => Some(first),
        }
    }
}

impl<'a> ExchangeRates<'a> {
    /// Adds a rate above zero, and returns the one that the day had.
    pub fn insert(&mut self, base: &'a str, quote: &'a str, date: Date, rate: Ratio) -> Option<Ratio> {
        self.0.entry((base, quote)).or_default().insert(date, rate)
    }

    /// The rate of a day, or of the last day before it that is no earlier than `oldest`: direct if there is such a one, else
    /// by the ways declared, the inverse first. Never a later rate.
    pub fn on(&self, base: &str, quote: &str, ways: FxWays, (oldest, day): (Date, Date)) -> Option<Route> {
        if let Some(first) = self.leg(base, quote, ways, (oldest, day)) {
            return Some(Route { first, second: None });
        }
        let middle = ways.middle(base, quote)?;
        Some(Route {
            first: self.leg(base, middle.code(), ways, (oldest, day))?,
            second: Some(self.leg(middle.code(), quote, ways, (oldest, day))?),
        })
    }

    /// The exact mean of the rates of days from the first to the last: of the direct ones that were published; if there are
    /// none, of what the ways declared make of the days for which all was published that it takes.
    pub fn mean(&self, base: &str, quote: &str, ways: FxWays, (first, last): (Date, Date)) -> Option<Ratio> {
        let published = |base: &str, quote: &str| -> BTreeMap<Date, Ratio> {
            let days = self.0.get(&(base, quote)).into_iter();
            let days = days.flat_map(|days| days.range(first..=last));
            days.map(|(day, rate)| (*day, rate.clone())).collect()
        };
        let of = |base: &str, quote: &str| -> BTreeMap<Date, Ratio> {
            let direct = published(base, quote);
            if !direct.is_empty() || !ways.inverse {
                return direct;
            }
            let inverse = published(quote, base).into_iter();
            inverse
                .filter_map(|(day, rate)| Some((day, Ratio::one().checked_div(&rate)?)))
                .collect()
        };
        let mut days = of(base, quote);
        if let Some(middle) = ways.middle(base, quote).filter(|_| days.is_empty()) {
            let second = of(middle.code(), quote);
            let both = of(base, middle.code()).into_iter();
            days = both
                .filter_map(|(day, rate)| Some((day, &rate * second.get(&day)?)))
                .collect();
        }
        let count = i64::try_from(days.len()).ok()?;
        Ratio::sum(days.values()).checked_div(&Ratio::int(count))
    }

    fn leg(&self, base: &str, quote: &str, ways: FxWays, span: (Date, Date)) -> Option<Leg> {
        let published = |base: &str, quote: &str, is_inverse: bool| {
            let mut days = self.0.get(&(base, quote))?.range(span.0..=span.1);
            let (published_on, rate) = days.next_back()?;
            Some(Leg {
                published_on: *published_on,
                rate: rate.clone(),
                is_inverse,
            })
        };
        let direct = published(base, quote, false);
        direct.or_else(|| published(quote, base, true).filter(|_| ways.inverse))
    }
}

impl FxWays {
    /// The third currency, unless it is one of the two.
    fn middle(self, base: &str, quote: &str) -> Option<Currency> {
        self.through.filter(|m| m.code() != base && m.code() != quote)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dec;
    use crate::domain::time::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn rates(rows: &[(&'static str, &'static str, &str, &str)]) -> ExchangeRates<'static> {
        let mut rates = ExchangeRates::default();
        for (base, quote, date, rate) in rows {
            let rate = Dec::parse(rate).unwrap().ratio();
            assert_eq!(rates.insert(base, quote, day(date), rate), None);
        }
        rates
    }

    fn ways(inverse: bool, through: &str) -> FxWays {
        FxWays {
            inverse,
            through: Currency::parse(through),
        }
    }

    const PUBLISHED: [(&str, &str, &str, &str); 6] = [
        ("EUR", "USD", "2026-07-01", "1.25"),
        ("EUR", "USD", "2026-07-02", "1.5"),
        ("GBP", "USD", "2026-07-02", "2"),
        ("GBP", "USD", "2026-07-03", "3"),
        ("USD", "JPY", "2026-06-20", "150"),
        ("GBP", "JPY", "2026-06-20", "200"),
    ];

    #[test]
    fn no_way_goes_that_is_not_declared() {
        let rates = rates(&PUBLISHED);
        let on = |base, quote, ways| {
            let found = rates.on(base, quote, ways, (day("2026-06-26"), day("2026-07-03")));
            found.and_then(|r| r.rate()).map_or("-".to_owned(), |r| r.to_string())
        };
        assert_eq!(on("EUR", "USD", FxWays::default()), "3/2");
        assert_eq!(on("USD", "EUR", FxWays::default()), "-");
        assert_eq!(on("USD", "EUR", ways(true, "")), "2/3");
        // GBP → USD 3, USD → EUR only as the inverse of 3/2
        assert_eq!(on("GBP", "EUR", ways(true, "")), "-");
        assert_eq!(on("GBP", "EUR", ways(false, "USD")), "-");
        assert_eq!(on("GBP", "EUR", ways(true, "USD")), "2");
        // a rate that is too old serves on no way
        assert_eq!(on("EUR", "JPY", ways(true, "USD")), "-");
        // the third currency is one of the two
        assert_eq!(on("USD", "GBP", ways(false, "USD")), "-");
    }

    #[test]
    fn a_direct_rate_that_is_young_enough_comes_first() {
        let rates = rates(&PUBLISHED);
        let on = |oldest, on| {
            let found = rates.on("GBP", "JPY", ways(true, "USD"), (day(oldest), day(on)));
            found.and_then(|r| r.rate()).map(|r| r.to_string())
        };
        assert_eq!(on("2026-06-10", "2026-06-25").as_deref(), Some("200"));
        assert_eq!(on("2026-06-20", "2026-07-02").as_deref(), Some("200"));
        assert_eq!(on("2026-06-21", "2026-07-02"), None);
        assert_eq!(on("2026-06-10", "2026-06-19"), None);
    }

    #[test]
    fn means_are_of_days_for_which_all_was_published() {
        let rates = rates(&PUBLISHED);
        let mean = |base, quote, ways| {
            let mean = rates.mean(base, quote, ways, (day("2026-07-01"), day("2026-07-31")));
            mean.map(|r| r.to_string())
        };
        assert_eq!(mean("EUR", "USD", FxWays::default()).as_deref(), Some("11/8"));
        assert_eq!(mean("USD", "EUR", FxWays::default()), None);
        // (4/5 + 2/3) / 2, not the inverse of the mean
        assert_eq!(mean("USD", "EUR", ways(true, "")).as_deref(), Some("11/15"));
        // of 2 July alone: 2 × 2/3
        assert_eq!(mean("GBP", "EUR", ways(true, "USD")).as_deref(), Some("4/3"));
    }
}

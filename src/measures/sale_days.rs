//! The days between which nothing changes for a sale: the grain of the measure of sales in time.
//!
//! Duty: cut time where an earning period, a certification, a tier that is asked for, a freeze or an exchange rate in use changes; the days of a
//! span stand for its first one, on which every scheme decides as it does on each of them. Not its duty: what is asked of
//! products (`sale_products`), facts, deciding.
//!
//! A day for which an exchange rate is missing is a span of its own: what waits is told by its days.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::CalendarError;
use crate::domain::exchange::Route;
use crate::domain::time::{add_days, sub_days};
use crate::domain::{Currency, Date, ExchangeRates, FiscalCalendar, FxWays, PeriodKind, Table};
use crate::rules::{Books, Gate, Scheme};

/// Settled in several currencies over time: a line is cut where a rate to any of them changes.
const SEVERAL: &str = "several";

/// What was sold by a partner in a currency, and on which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sold<'a> {
    pub partner: &'a str,
    pub currency: &'a str,
    /// First and last day of an order or an invoice.
    pub first_on: Date,
    pub last_on: Date,
}

/// Days from `from` to before `until` on which a partner's orders earn nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen<'a> {
    pub partner: &'a str,
    pub from: Date,
    pub until: Date,
}

/// What time is cut by.
#[derive(Debug)]
pub struct Cuts<'a> {
    calendar: FiscalCalendar,
    /// Of the shortest earning or evaluation period: the longer ones begin with one of these.
    shortest: PeriodKind,
    /// Each age up to which some scheme lets an earlier rate serve, and the ways that it declares.
    served: BTreeSet<(u32, FxWays)>,
    /// Settlement currencies by partner.
    settled_in: BTreeMap<&'a str, BTreeSet<&'a str>>,
    rates: ExchangeRates<'a>,
    /// Days on which a certification of the partner begins or ends, or a tier that some scheme asks for.
    changed: BTreeMap<&'a str, BTreeSet<Date>>,
    frozen: BTreeMap<&'a str, BTreeSet<Date>>,
}

impl<'a> Cuts<'a> {
    /// From feeds, certifications as they hold, and freezes.
    pub fn read<'s>(
        partners: &'a Table,
        certifications: &'a Table,
        fx_rates: &'a Table,
        frozen: &[Frozen<'a>],
        schemes: impl IntoIterator<Item = &'s Scheme>,
        books: &dyn Books,
    ) -> Result<Cuts<'a>, CalendarError> {
        let programme = books.programme();
        let mut cuts = Cuts {
            calendar: programme.calendar,
            shortest: programme.evaluation_period,
            served: BTreeSet::new(),
            settled_in: BTreeMap::new(),
            rates: ExchangeRates::default(),
            changed: BTreeMap::new(),
            frozen: BTreeMap::new(),
        };
        let mut by_tier = false;
        for scheme in schemes {
            let others = scheme.gates.iter().filter_map(|g| match g {
                Gate::Volume { scope, .. } => Some(&**scope),
                _ => None,
            });
            by_tier |= std::iter::once(&scheme.scope)
                .chain(others)
                .any(|s| !s.tiers.is_empty());
            cuts.shortest = cuts.shortest.min(scheme.earning_period);
            cuts.served.insert((scheme.fx_max_age_days, scheme.fx_ways));
        }
        for row in partners.iter() {
            let currencies = cuts.settled_in.entry(row.text("partner_id")?).or_default();
            currencies.insert(row.text("currency")?);
        }
        if by_tier {
            let mut tiers: BTreeMap<&str, BTreeMap<Date, &str>> = BTreeMap::new();
            for row in partners.iter() {
                let versions = tiers.entry(row.text("partner_id")?).or_default();
                versions.insert(row.date("valid_from")?, row.opt_text("tier")?.unwrap_or_default());
            }
            for (partner, versions) in tiers {
                let pairs = versions.iter().zip(versions.iter().skip(1));
                let changes = pairs.filter(|((_, before), (_, after))| before != after);
                let days = cuts.changed.entry(partner).or_default();
                // before its first version a partner has no tier
                days.extend(versions.keys().next().copied());
                days.extend(changes.map(|(_, (day, _))| *day));
            }
        }
        for row in certifications.iter() {
            let days = cuts.changed.entry(row.text("partner_id")?).or_default();
            days.insert(row.date("valid_from")?);
            days.extend(row.opt_date("valid_to")?);
        }
        for row in fx_rates.iter() {
            let rate = row.ratio("rate")?;
            if rate.is_positive() {
                let (base, quote) = (row.text("base")?, row.text("quote")?);
                cuts.rates.insert(base, quote, row.date("date")?, rate);
            }
        }
        for span in frozen {
            let days = cuts.frozen.entry(span.partner).or_default();
            days.extend([span.from, span.until]);
        }
        Ok(cuts)
    }

    /// `calendar_sale_partners`: for each partner that sold, the currency that it is settled in, and whether it was ever
    /// frozen. Key: partner_id.
    pub fn partners(&self, sold: &[Sold<'_>]) -> Table {
        let mut out = Table::new("calendar_sale_partners", &["partner_id", "settled_in", "frozen"]);
        let partners: BTreeSet<&str> = sold.iter().map(|s| s.partner).collect();
        for partner in partners {
            let frozen = self.frozen.contains_key(partner);
            out.push(vec![partner.into(), self.settlement(partner).into(), frozen.into()]);
        }
        out
    }

    /// `calendar_sale_days`: for each currency that something was sold in, currency that such a partner is settled in, and
    /// day, the first day of its period and of the span in which no exchange rate changes. Key: currency, settled_in,
    /// day_on.
    pub fn days(&self, sold: &[Sold<'_>]) -> Table {
        let columns = ["currency", "settled_in", "day_on", "period_on", "first_on"];
        let mut out = Table::new("calendar_sale_days", &columns);
        let mut pairs: BTreeMap<(&str, &str), (Date, Date)> = BTreeMap::new();
        for s in sold {
            let pair = pairs
                .entry((s.currency, self.settlement(s.partner)))
                .or_insert((s.first_on, s.last_on));
            *pair = (pair.0.min(s.first_on), pair.1.max(s.last_on));
        }
        for ((currency, settled_in), (first, last)) in pairs {
            let quotes = self.quotes(currency, settled_in);
            let (mut day, mut before) = (first, None);
            while day <= last {
                let period_on = self.period_on(day);
                let rates = self.rates_of(currency, &quotes, day);
                let first_on = match before {
                    Some((on, same_period, same_rates))
                        if same_period == period_on && same_rates == rates && rates.iter().all(Option::is_some) =>
                    {
                        on
                    }
                    // what comes before the first day sold does not matter
                    _ => day,
                };
                out.push(vec![
                    currency.into(),
                    settled_in.into(),
                    day.into(),
                    period_on.into(),
                    first_on.into(),
                ]);
                before = Some((first_on, period_on, rates));
                day = add_days(day, 1);
            }
        }
        out
    }

    /// `calendar_sale_changes`: for each partner, and period within which its certifications, its tier or its freezes change, the spans
    /// between the changes; together they are the period. Key: partner_id, period_on, first_on.
    pub fn changes(&self, sold: &[Sold<'_>]) -> Table {
        let columns = ["partner_id", "period_on", "first_on", "end_on"];
        let mut out = Table::new("calendar_sale_changes", &columns);
        let mut times: BTreeMap<&str, (Date, Date)> = BTreeMap::new();
        for s in sold {
            let time = times.entry(s.partner).or_insert((s.first_on, s.last_on));
            *time = (time.0.min(s.first_on), time.1.max(s.last_on));
        }
        let none = BTreeSet::new();
        for (partner, (first, last)) in times {
            let changed = self.changed.get(partner).unwrap_or(&none).range(first..=last);
            let frozen = self.frozen.get(partner).unwrap_or(&none).range(first..=last);
            let mut periods: BTreeMap<Date, BTreeSet<Date>> = BTreeMap::new();
            for day in changed.chain(frozen) {
                let period_on = self.period_on(*day);
                if *day != period_on {
                    periods.entry(period_on).or_default().insert(*day);
                }
            }
            for (period_on, mut firsts) in periods {
                firsts.insert(period_on);
                let ends = firsts.iter().skip(1).copied().chain([self.period_end(period_on)]);
                for (first_on, end_on) in firsts.iter().zip(ends) {
                    out.push(vec![
                        partner.into(),
                        period_on.into(),
                        (*first_on).into(),
                        end_on.into(),
                    ]);
                }
            }
        }
        out
    }

    fn settlement(&self, partner: &str) -> &'a str {
        let Some(currencies) = self.settled_in.get(partner) else {
            // without a version nothing is earned
            return "";
        };
        match currencies.first() {
            Some(only) if currencies.len() == 1 => only,
            _ => SEVERAL,
        }
    }

    /// The currencies that a line's is exchanged for.
    fn quotes(&self, currency: &str, settled_in: &'a str) -> BTreeSet<&'a str> {
        let all: BTreeSet<&str> = match settled_in {
            SEVERAL => {
                let several = self.settled_in.values().filter(|c| c.len() > 1);
                several.flatten().copied().collect()
            }
            "" => BTreeSet::new(),
            only => BTreeSet::from([only]),
        };
        all.into_iter().filter(|quote| *quote != currency).collect()
    }

    /// The published rates that serve on a day, by quote, age and ways; none where one is missing.
    fn rates_of(&self, currency: &str, quotes: &BTreeSet<&str>, day: Date) -> Vec<Option<Route>> {
        if Currency::parse(currency).is_none() {
            return vec![None];
        }
        let of = |quote: &&str| -> Vec<Option<Route>> {
            let served = self.served.iter();
            let route = |(age, ways): &(u32, FxWays)| {
                let span = (sub_days(day, *age), day);
                self.rates.on(currency, quote, *ways, span)
            };
            served.map(route).collect()
        };
        quotes.iter().flat_map(of).collect()
    }

    fn period_on(&self, day: Date) -> Date {
        let period = self.calendar.period_of(day, self.shortest);
        period.map_or(day, |p| self.calendar.first_day(p))
    }

    fn period_end(&self, period_on: Date) -> Date {
        let period = self.calendar.period_of(period_on, self.shortest);
        period.map_or(add_days(period_on, 1), |p| self.calendar.end_day(p))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ratio;
    use crate::domain::time::parse_date;

    fn day(text: &str) -> Date {
        parse_date(text).unwrap()
    }

    fn days(texts: &[&str]) -> BTreeSet<Date> {
        texts.iter().map(|text| day(text)).collect()
    }

    /// Quarters; rates serve for 0 and for 7 days; P1 settles in euros, P2 in euros, then in pounds.
    fn cuts() -> Cuts<'static> {
        Cuts {
            calendar: FiscalCalendar::starting_in(1).unwrap(),
            shortest: PeriodKind::Quarter,
            served: BTreeSet::from([0, 7].map(|age| (age, FxWays::default()))),
            settled_in: BTreeMap::from([("P1", BTreeSet::from(["EUR"])), ("P2", BTreeSet::from(["EUR", "GBP"]))]),
            rates: {
                let mut rates = ExchangeRates::default();
                for on in ["2026-06-29", "2026-06-30", "2026-07-01", "2026-07-03"] {
                    rates.insert("USD", "EUR", day(on), Ratio::one());
                }
                rates.insert("USD", "GBP", day("2026-06-29"), Ratio::one());
                rates
            },
            changed: BTreeMap::from([("P1", days(&["2026-04-01", "2026-05-10", "2027-01-01"]))]),
            frozen: BTreeMap::from([("P1", days(&["2026-05-20", "2026-08-18"]))]),
        }
    }

    fn sold<'a>(partner: &'a str, currency: &'a str, first: &str, last: &str) -> Sold<'a> {
        Sold {
            partner,
            currency,
            first_on: day(first),
            last_on: day(last),
        }
    }

    fn shown(table: &Table) -> Vec<String> {
        let row = |row: &crate::domain::Row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        table.rows.iter().map(row).collect()
    }

    #[test]
    fn days_in_the_own_currency_are_cut_by_periods_only() {
        let table = cuts().days(&[sold("P1", "EUR", "2026-06-29", "2026-07-02")]);
        let expected = [
            "EUR EUR 2026-06-29 2026-04-01 2026-06-29",
            "EUR EUR 2026-06-30 2026-04-01 2026-06-29",
            "EUR EUR 2026-07-01 2026-07-01 2026-07-01",
            "EUR EUR 2026-07-02 2026-07-01 2026-07-01",
        ];
        assert_eq!(shown(&table), expected);
    }

    #[test]
    fn a_rate_that_serves_some_scheme_cuts_and_a_missing_one_stands_alone() {
        let firsts = |table: &Table| -> Vec<String> {
            table
                .rows
                .iter()
                .map(|row| row[4].to_string()[5..].to_owned())
                .collect()
        };
        // from the 4th on no rate is of the same day, as one scheme asks: each of these days is told by itself
        let table = cuts().days(&[sold("P1", "USD", "2026-06-29", "2026-07-05")]);
        assert_eq!(
            firsts(&table),
            ["06-29", "06-30", "07-01", "07-02", "07-03", "07-04", "07-05"]
        );
        let lasting = Cuts {
            served: BTreeSet::from([(7, FxWays::default())]),
            ..cuts()
        };
        let table = lasting.days(&[sold("P1", "USD", "2026-06-29", "2026-07-05")]);
        assert_eq!(
            firsts(&table),
            ["06-29", "06-30", "07-01", "07-01", "07-03", "07-03", "07-03"]
        );
        // to pounds there is none from 7 July on; what is no currency never has one
        let table = lasting.days(&[sold("P2", "USD", "2026-07-04", "2026-07-08")]);
        assert_eq!(firsts(&table), ["07-04", "07-04", "07-04", "07-07", "07-08"]);
        let table = lasting.days(&[sold("P1", "EUX", "2026-07-04", "2026-07-05")]);
        assert_eq!(firsts(&table), ["07-04", "07-05"]);
    }

    #[test]
    fn changes_within_a_period_cut_it_and_those_at_its_first_day_do_not() {
        let table = cuts().changes(&[
            sold("P1", "EUR", "2026-04-01", "2026-09-30"),
            sold("P2", "EUR", "2026-04-01", "2026-09-30"),
        ]);
        let expected = [
            "P1 2026-04-01 2026-04-01 2026-05-10",
            "P1 2026-04-01 2026-05-10 2026-05-20",
            "P1 2026-04-01 2026-05-20 2026-07-01",
            "P1 2026-07-01 2026-07-01 2026-08-18",
            "P1 2026-07-01 2026-08-18 2026-10-01",
        ];
        assert_eq!(shown(&table), expected);
    }

    #[test]
    fn who_settled_in_two_currencies_and_who_is_unknown() {
        let sold = ["P1", "P2", "P3"].map(|p| sold(p, "EUR", "2026-04-01", "2026-09-30"));
        assert_eq!(
            shown(&cuts().partners(&sold)),
            ["P1 EUR true", "P2 several false", "P3  false"]
        );
    }
}

//! The money of one partner and one period: what each scheme earned and why, and the account per currency.
//!
//! Duty: earned amounts as booked, their basis, and opening, earned, paid and closing added up from ledger entries,
//! exactly, per currency. Not its duty: rates, bands, rounding of what was booked.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::domain::ids::SchemeId;
use crate::domain::{Currency, Dec, Grade, Money, Period, Ratio, Rounding, RowRef, TableError};

use super::inputs::{Indexed, PublishingError};
use super::money_ahead::{NextBand, SchemeTerms};
use super::reader::{Names, Reader, value};

/// Money by scheme and by currency; amounts of two currencies are never added.
#[derive(Clone, Debug, Default)]
pub struct MoneyFrame {
    /// By scheme, earning period, currency.
    pub schemes: Vec<SchemeLine>,
    /// By currency.
    pub accounts: Vec<Account>,
}

/// What one scheme has earned for one earning period in one currency.
#[derive(Clone, Debug)]
pub struct SchemeLine {
    pub scheme: String,
    pub title: String,
    pub earning_period: Period,
    pub currency: Currency,
    /// What the earned amount was computed on.
    pub basis: Money,
    /// Earned to date for the earning period, as booked.
    pub earned: Money,
    /// What of it was booked in this period: the difference to what stood in the books.
    pub booked_now: Money,
    /// Sales lines that counted.
    pub lines: i64,
    /// The steps to the earned amount, by domain.
    pub parts: Vec<SchemePart>,
    /// Lines that did not count, in the currency of the lines.
    pub aside: Vec<AsideLines>,
    /// Where the basis decides on the band.
    pub next_band: Option<NextBand>,
    /// A better grade of the card, and what it would have added, before caps.
    pub next_grade: Option<(Grade, Money)>,
}

/// A component of an earned amount, such as one band or one factor.
#[derive(Clone, Debug)]
pub struct SchemePart {
    pub component: String,
    /// Name of the domain, where the scheme is by domain.
    pub domain: Option<String>,
    pub basis: Money,
    pub exact_basis: Ratio,
    /// A share of one: 0.02 is 2 %.
    pub rate: Option<Dec>,
    pub factor: Option<Dec>,
    /// Exact amount, rounded here for showing only.
    pub amount: Money,
    pub reason: Option<String>,
}

/// Sales lines that a scheme left out, and why.
#[derive(Clone, Debug)]
pub struct AsideLines {
    /// `frozen`, `unpaid`, `waiting`.
    pub why: String,
    /// As delivered: it may be no currency at all, which can be why the lines wait.
    pub currency: String,
    pub amount: Dec,
    pub lines: i64,
    pub reason: Option<String>,
}

/// Opening + earned − paid = closing.
#[derive(Clone, Debug)]
pub struct Account {
    pub currency: Currency,
    pub opening: Money,
    pub earned: Money,
    pub paid: Money,
    pub closing: Money,
    /// Part of closing that a red line holds back.
    pub on_hold: Money,
    /// Credit balance of the funds that claims draw on.
    pub in_funds: Money,
}

const REBATE: [&str; 12] = [
    "partner_id",
    "scheme",
    "earning_period",
    "domain",
    "component",
    "period",
    "currency",
    "basis",
    "rate",
    "factor",
    "amount",
    "booked",
];
const REBATE_MORE: [&str; 2] = ["lines", "reason"];
const ENTRY: [&str; 8] = [
    "partner_id",
    "entry_no",
    "account",
    "amount",
    "currency",
    "scheme",
    "earning_period",
    "period",
];

/// What a component is named after that holds lines which do not count.
const ASIDE: [&str; 3] = ["frozen", "unpaid", "waiting"];

/// Account whose debits are what partners earn.
const EXPENSE: &str = "rebate_expense";
/// Account whose credits are what partners are paid.
const CLEARING: &str = "settlement_clearing";
const ON_HOLD: &str = "rebates_on_hold";
const IN_FUNDS: &str = "partner_funds";

impl MoneyFrame {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        (rebates, ledger): (&Indexed<'_>, &Indexed<'_>),
        names: &Names,
        (terms, better): (&BTreeMap<SchemeId, SchemeTerms>, Option<Grade>),
        settled_in: Currency,
    ) -> Result<MoneyFrame, PublishingError> {
        let now = reader.period;
        let until_now = |row: RowRef<'_>| -> Result<bool, TableError> {
            Ok(Period::parse(row.text("period")?).is_ok_and(|p| p.place(now) != Ordering::Greater))
        };
        // entries that move nothing shown, such as those of a settlement, make no other scorecard
        let entries = reader.rows_to_add_up(ledger, &ENTRY, until_now)?;
        let rows = reader.rows(rebates, &[&REBATE[..], &REBATE_MORE[..]].concat(), until_now)?;
        let entries = entries.iter().map(Entry::read).collect::<Result<Vec<_>, _>>()?;
        let mut schemes = Schemes {
            now,
            terms,
            aside: Vec::new(),
            lines: BTreeMap::new(),
        };
        schemes.add_rebates(&rows.iter().collect::<Vec<_>>(), names)?;
        schemes.place_aside(settled_in);
        schemes.add_entries(&entries)?;
        schemes.look_ahead(reader, better)?;
        let accounts = accounts(reader, &entries)?;
        for line in schemes.lines.values() {
            reader.note(&format!(
                "{} {} {:?}",
                line.scheme, line.earning_period, line.booked_now
            ));
        }
        for account in &accounts {
            reader.note(&format!("{account:?}"));
        }
        Ok(MoneyFrame {
            schemes: schemes.lines.into_values().collect(),
            accounts,
        })
    }
}

/// One ledger entry; debits are positive.
struct Entry {
    account: String,
    amount: Money,
    scheme: String,
    earning_period: Period,
    period: Period,
}

impl Entry {
    fn read(row: RowRef<'_>) -> Result<Entry, PublishingError> {
        let currency = currency(row, "ledger")?;
        Ok(Entry {
            account: row.text("account")?.to_owned(),
            amount: Money::exact(row.dec("amount")?, currency)?,
            scheme: row.text("scheme")?.to_owned(),
            earning_period: period(row.text("earning_period")?, "ledger", "earning_period")?,
            period: period(row.text("period")?, "ledger", "period")?,
        })
    }
}

struct Schemes<'a> {
    now: Period,
    terms: &'a BTreeMap<SchemeId, SchemeTerms>,
    aside: Vec<(String, Period, AsideLines)>,
    lines: BTreeMap<(String, Period, Currency), SchemeLine>,
}

impl Schemes<'_> {
    fn line(&mut self, scheme: &str, earning_period: Period, currency: Currency) -> &mut SchemeLine {
        let title = self.terms(scheme).map(|terms| terms.title.clone());
        self.lines
            .entry((scheme.to_owned(), earning_period, currency))
            .or_insert_with(|| SchemeLine {
                scheme: scheme.to_owned(),
                title: title.unwrap_or_else(|| scheme.to_owned()),
                earning_period,
                currency,
                basis: Money::zero(currency),
                earned: Money::zero(currency),
                booked_now: Money::zero(currency),
                lines: 0,
                parts: Vec::new(),
                aside: Vec::new(),
                next_band: None,
                next_grade: None,
            })
    }

    /// The latest rows of every earning period that touches this period; earlier ones come from the ledger if they moved.
    fn add_rebates(&mut self, rows: &[RowRef<'_>], names: &Names) -> Result<(), PublishingError> {
        let mut latest: BTreeMap<(String, Period), Period> = BTreeMap::new();
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            let earning = period(row.text("earning_period")?, "rebates", "earning_period")?;
            let posting = period(row.text("period")?, "rebates", "period")?;
            if earning.place(self.now) == Ordering::Equal {
                let key = (row.text("scheme")?.to_owned(), earning);
                let newest = latest.entry(key.clone()).or_insert(posting);
                *newest = (*newest).max(posting);
                keyed.push((key, posting, *row));
            }
        }
        for (key, posting, row) in keyed {
            if latest.get(&key) == Some(&posting) {
                self.add_rebate(&key.0, key.1, row, names)?;
            }
        }
        Ok(())
    }

    fn add_rebate(
        &mut self,
        scheme: &str,
        earning: Period,
        row: RowRef<'_>,
        names: &Names,
    ) -> Result<(), PublishingError> {
        let component = row.text("component")?;
        let reason = row.opt_text("reason")?.filter(|r| !r.is_empty()).map(str::to_owned);
        if let Some(why) = ASIDE.iter().find(|why| component.split(':').next() == Some(why)) {
            let aside = AsideLines {
                why: (*why).to_owned(),
                currency: row.text("currency")?.to_owned(),
                amount: row.dec("basis")?,
                lines: row.int("lines")?,
                reason,
            };
            self.aside.push((scheme.to_owned(), earning, aside));
            return Ok(());
        }
        let currency = currency(row, "rebates")?;
        let exact_basis = row.ratio("basis")?;
        let basis = shown(&exact_basis, currency)?;
        let line = self.line(scheme, earning, currency);
        match component {
            "earned" => {
                line.basis = line.basis.checked_add(basis)?;
                if let Some(booked) = row.opt_dec("booked")? {
                    line.earned = line.earned.checked_add(Money::exact(booked, currency)?)?;
                }
                line.lines = line.lines.saturating_add(row.int("lines")?);
            }
            // the total has it already
            "basis" => {}
            _ => line.parts.push(SchemePart {
                component: component.to_owned(),
                domain: row.opt_text("domain")?.filter(|d| !d.is_empty()).map(|d| names.of(d)),
                basis,
                exact_basis,
                rate: row.opt_dec("rate")?,
                factor: row.opt_dec("factor")?,
                amount: shown(&row.ratio("amount")?, currency)?,
                reason,
            }),
        }
        Ok(())
    }

    /// Puts the lines that did not count beside those that did, or, where none did, into a line of their own.
    fn place_aside(&mut self, settled_in: Currency) {
        for (scheme, earning, aside) in std::mem::take(&mut self.aside) {
            let own = self
                .lines
                .keys()
                .find(|(s, e, _)| *s == scheme && *e == earning)
                .map(|(.., currency)| *currency);
            self.line(&scheme, earning, own.unwrap_or(settled_in)).aside.push(aside);
        }
    }

    fn terms(&self, scheme: &str) -> Option<&SchemeTerms> {
        SchemeId::new(scheme).ok().and_then(|id| self.terms.get(&id))
    }

    /// What more sales or a better grade would have brought, of the earning periods that the card shows.
    fn look_ahead(&mut self, reader: &mut Reader<'_>, better: Option<Grade>) -> Result<(), PublishingError> {
        let terms = self.terms;
        for line in self.lines.values_mut().filter(|line| line.lines > 0) {
            let Some(terms) = SchemeId::new(&line.scheme).ok().and_then(|id| terms.get(&id)) else {
                continue;
            };
            line.next_band = terms.next_band(&line.basis.dec().ratio(), line.currency)?;
            if let Some(grade) = better {
                line.next_grade = terms.worth(line, grade)?.map(|more| (grade, more));
            }
            for shown in [
                line.next_band.as_ref().map(|b| (b.missing, b.rate.to_string())),
                line.next_grade.map(|(g, m)| (m, g.to_string())),
            ] {
                let (amount, more) = shown.map_or_else(Default::default, |(m, t)| (m.dec().to_string(), t));
                reader.note(&amount);
                reader.note(&more);
            }
        }
        Ok(())
    }

    fn add_entries(&mut self, entries: &[Entry]) -> Result<(), PublishingError> {
        let now = self.now;
        let in_period = |e: &&Entry| e.account == EXPENSE && e.period.place(now) == Ordering::Equal;
        for entry in entries.iter().filter(in_period) {
            let line = self.line(&entry.scheme, entry.earning_period, entry.amount.currency());
            line.booked_now = line.booked_now.checked_add(entry.amount)?;
        }
        Ok(())
    }
}

/// The account of each currency from all entries up to the end of the period. What the programme owes is the opposite
/// of the balance of all accounts but expense and clearing, because every transaction balances.
fn accounts(reader: &Reader<'_>, entries: &[Entry]) -> Result<Vec<Account>, PublishingError> {
    let mut accounts: BTreeMap<Currency, (Account, Money)> = BTreeMap::new();
    for entry in entries {
        let currency = entry.amount.currency();
        let zero = Money::zero(currency);
        let fresh = Account {
            currency,
            opening: zero,
            earned: zero,
            paid: zero,
            closing: zero,
            on_hold: zero,
            in_funds: zero,
        };
        let (account, trial) = accounts.entry(currency).or_insert((fresh, zero));
        *trial = trial.checked_add(entry.amount)?;
        let before = entry.period.place(reader.period) == Ordering::Less;
        match entry.account.as_str() {
            EXPENSE if !before => account.earned = account.earned.checked_add(entry.amount)?,
            CLEARING if !before => account.paid = account.paid.checked_sub(entry.amount)?,
            EXPENSE | CLEARING => {}
            _ => {
                account.closing = account.closing.checked_sub(entry.amount)?;
                if before {
                    account.opening = account.opening.checked_sub(entry.amount)?;
                }
                if entry.account == ON_HOLD {
                    account.on_hold = account.on_hold.checked_sub(entry.amount)?;
                }
                if entry.account == IN_FUNDS {
                    account.in_funds = account.in_funds.checked_sub(entry.amount)?;
                }
            }
        }
    }
    let mut out = Vec::with_capacity(accounts.len());
    for (currency, (account, trial)) in accounts {
        let closing = account.opening.checked_add(account.earned)?.checked_sub(account.paid)?;
        if !trial.is_zero() || closing != account.closing {
            let currency = currency.code().to_owned();
            return Err(PublishingError::Unbalanced {
                partner: reader.partner.clone(),
                currency,
                period: reader.period,
            });
        }
        out.push(account);
    }
    Ok(out)
}

/// An exact number at the decimals of its currency, for showing.
fn shown(amount: &Ratio, currency: Currency) -> Result<Money, PublishingError> {
    Ok(Money::rounded(amount, currency, Rounding::HalfAwayFromZero)?)
}

fn currency(row: RowRef<'_>, table: &'static str) -> Result<Currency, PublishingError> {
    let code = row.text("currency")?;
    Currency::parse(code).ok_or_else(|| value(table, "currency", code, "a currency of ISO 4217"))
}

fn period(text: &str, table: &'static str, column: &'static str) -> Result<Period, PublishingError> {
    Period::parse(text).map_err(|_| value(table, column, text, "a period such as 2026-Q3"))
}

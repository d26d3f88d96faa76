//! What changed from one release of a workspace to a later one.
//!
//! Duty: pair their tables, and say of each amount that changed which of its components did. Must not: compute an amount
//! anew, print.

use std::collections::{BTreeMap, BTreeSet};

use super::PipelineError;
use super::compare::{CardMove, DomainMove, cards, difference, domains};
use super::config::Config;
use super::recompute::find;
use crate::domain::{Currency, Dec, Finding, Money, Place, RowRef, Table, Value};
use crate::evaluation::explain::number;
use crate::ledger::{Account, Entry, Reason, table};
use crate::store::landing;
use crate::store::layout::Layout;
use crate::store::release::Release;

/// What a partner earned under a scheme in an earning period, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarnedMove {
    pub partner: String,
    pub scheme: String,
    pub earning_period: String,
    pub currency: String,
    /// None where there was no target.
    pub before: Option<Dec>,
    pub after: Option<Dec>,
    /// Its components that changed, in words, in the order in which an amount is derived.
    pub why: Vec<String>,
}

impl EarnedMove {
    /// After less before; no target counts as nothing.
    #[must_use]
    pub fn change(&self) -> Option<Dec> {
        let zero = Dec::new(0, 0);
        difference(Some(self.before.unwrap_or(zero)), Some(self.after.unwrap_or(zero)))
    }
}

/// What was posted between the releases. Grain: posting period × reason × account × currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub period: String,
    pub reason: Reason,
    pub account: Account,
    /// A debit is positive, a credit negative.
    pub amount: Money,
    pub entries: usize,
}

/// Two releases side by side, the earlier one first.
#[derive(Debug)]
pub struct Difference {
    pub before: Release,
    pub after: Release,
    pub configs: [Config; 2],
    /// Rows of `files` that came in between.
    pub arrived: Table,
    /// Posting periods with another status: (period, before, after).
    pub periods: Vec<(String, String, String)>,
    /// Only those that moved, in the order of their keys.
    pub cards: Vec<CardMove>,
    pub domains: Vec<DomainMove>,
    /// Only those of which something changed.
    pub earned: Vec<EarnedMove>,
    pub posted: Vec<Posted>,
    /// Settlement documents issued in between: rows of `settlements`.
    pub documents: Table,
}

/// Compares two releases, named as `recompute` takes them; `to` is the current one by default. The earlier one comes
/// first, whichever was named first.
pub fn difference_of(layout: &Layout, from: &str, to: Option<&str>) -> Result<Difference, PipelineError> {
    let records = landing::runs(layout)?;
    let mut runs = [find(layout, &records, Some(from))?, find(layout, &records, to)?];
    runs.sort_by_key(|r| r.run);
    let open = |name: Option<&str>| -> Result<Release, PipelineError> {
        let name = name.ok_or_else(|| PipelineError::Usage("that run made no release".to_owned()))?;
        if !crate::edges::files::exists(&layout.release(name)) {
            return Err(PipelineError::Usage(format!(
                "the files of {name} are gone: gc removed them, and only the current release and those that closed a \
                 period are kept"
            )));
        }
        Ok(Release::open(layout, name)?)
    };
    let [before, after] = [open(runs[0].release.as_deref())?, open(runs[1].release.as_deref())?];
    let config = |release: &Release| -> Result<Config, PipelineError> {
        let bundle = landing::configuration(layout, release.manifest.configuration)?;
        Config::parse(bundle).map_err(PipelineError::Config)
    };
    let both =
        |name: &str| -> Result<[Table; 2], PipelineError> { Ok([before.read_table(name)?, after.read_table(name)?]) };
    let [old, new] = both("partner_scores")?;
    let mut cards = cards(&old, &new)?;
    cards.retain(CardMove::moved);
    let [old, new] = both("scores")?;
    let mut domains = domains(&old, &new)?;
    domains.retain(DomainMove::moved);
    let [old, new] = both("rebates")?;
    let earned = earned(&old, &new)?;
    let [old, new] = both("periods")?;
    let periods = statuses(&old, &new)?;
    let [old, new] = both("settlements")?;
    let documents = added(&old, new, "settlement_no")?;
    let last = i64::try_from(before.manifest.last_arrival).unwrap_or(i64::MAX);
    let mut arrived = after.read_table("files")?;
    if let Some(column) = arrived.column("arrival") {
        arrived
            .rows
            .retain(|row| matches!(row[column], Value::Int(n) if n > last));
    }
    Ok(Difference {
        configs: [config(&before)?, config(&after)?],
        posted: posted(&before, &after)?,
        arrived,
        periods,
        cards,
        domains,
        earned,
        documents,
        before,
        after,
    })
}

/// Rows whose key the earlier table does not have.
fn added(old: &Table, mut new: Table, key: &str) -> Result<Table, PipelineError> {
    let known: BTreeSet<&str> = old.iter().map(|r| r.text(key)).collect::<Result<_, _>>()?;
    if let Some(column) = new.column(key) {
        new.rows.retain(|row| !known.contains(row[column].to_string().as_str()));
    }
    Ok(new)
}

fn statuses(old: &Table, new: &Table) -> Result<Vec<(String, String, String)>, PipelineError> {
    let read = |table: &Table| -> Result<BTreeMap<String, String>, PipelineError> {
        let status = |r: RowRef<'_>| Ok((r.text("period")?.to_owned(), r.text("status")?.to_owned()));
        table
            .iter()
            .filter(|r| r.text("calendar") == Ok("posting"))
            .map(status)
            .collect()
    };
    let (old, new) = (read(old)?, read(new)?);
    let moved = new.into_iter().filter_map(|(period, after)| {
        let before = old.get(&period).cloned().unwrap_or_default();
        (before != after).then_some((period, before, after))
    });
    Ok(moved.collect())
}

/// What a component says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    basis: Dec,
    rate: Option<Dec>,
    factor: Option<Dec>,
    amount: Dec,
    lines: i64,
    reason: Option<String>,
}

/// A target as published last.
#[derive(Clone, Debug, Default)]
struct Published {
    /// Posting period of the rows.
    period: String,
    currency: String,
    booked: Option<Dec>,
    /// By domain and component.
    components: BTreeMap<(String, String), Said>,
}

type TargetKey = [String; 3];

fn published(rebates: &Table) -> Result<BTreeMap<TargetKey, Published>, PipelineError> {
    let mut out: BTreeMap<TargetKey, Published> = BTreeMap::new();
    for row in rebates.iter() {
        let key = [
            row.text("partner_id")?,
            row.text("scheme")?,
            row.text("earning_period")?,
        ]
        .map(str::to_owned);
        let period = row.opt_text("period")?.unwrap_or_default();
        let target = out.entry(key).or_default();
        // what was published for a later posting period replaces it
        match target.period.as_str().cmp(period) {
            std::cmp::Ordering::Greater => continue,
            std::cmp::Ordering::Less => {
                *target = Published {
                    period: period.to_owned(),
                    ..Published::default()
                };
            }
            std::cmp::Ordering::Equal => {}
        }
        let component = row.text("component")?;
        if component == "earned" {
            target.booked = row.opt_dec("booked")?;
            row.text("currency")?.clone_into(&mut target.currency);
            continue;
        }
        let said = Said {
            basis: row.dec("basis")?,
            rate: row.opt_dec("rate")?,
            factor: row.opt_dec("factor")?,
            amount: row.dec("amount")?,
            lines: row.int("lines")?,
            reason: row.opt_text("reason")?.map(str::to_owned),
        };
        let domain = row.opt_text("domain")?.unwrap_or_default().to_owned();
        target.components.insert((domain, component.to_owned()), said);
    }
    Ok(out)
}

fn earned(old: &Table, new: &Table) -> Result<Vec<EarnedMove>, PipelineError> {
    let (old, new) = (published(old)?, published(new)?);
    let keys: BTreeSet<&TargetKey> = old.keys().chain(new.keys()).collect();
    let none = Published::default();
    let mut out = Vec::new();
    for key in keys {
        let (a, b) = (old.get(key).unwrap_or(&none), new.get(key).unwrap_or(&none));
        if a.booked == b.booked && a.components == b.components {
            continue;
        }
        let currency = if b.currency.is_empty() {
            &a.currency
        } else {
            &b.currency
        };
        let in_minor = |d: Dec| {
            let minor = Currency::parse(currency).map_or(2, Currency::minor_digits);
            d.rescale(minor).unwrap_or(d)
        };
        let [partner, scheme, earning_period] = key.clone();
        out.push(EarnedMove {
            partner,
            scheme,
            earning_period,
            currency: currency.clone(),
            before: a.booked.map(in_minor),
            after: b.booked.map(in_minor),
            why: why(a, b),
        });
    }
    Ok(out)
}

/// The components that changed; what rounding took is no reason.
fn why(before: &Published, after: &Published) -> Vec<String> {
    let keys: BTreeSet<_> = before.components.keys().chain(after.components.keys()).collect();
    let mut keys: Vec<_> = keys
        .into_iter()
        .filter(|(_, component)| component != "rounding")
        .collect();
    keys.sort_by_key(|(domain, component)| (domain.is_empty(), domain, super::explain::rank(component)));
    let shown = |d: Dec| number(&d.ratio());
    keys.into_iter()
        .filter_map(|key @ (domain, component)| {
            let name = if domain.is_empty() {
                component.clone()
            } else {
                format!("{domain} {component}")
            };
            match (before.components.get(key), after.components.get(key)) {
                (Some(a), Some(b)) => {
                    let mut parts = Vec::new();
                    let mut differs = |what: &str, a: Option<Dec>, b: Option<Dec>| {
                        if a != b {
                            let [a, b] = [a, b].map(|d| d.map_or_else(|| "none".to_owned(), shown));
                            parts.push(format!("{what} {a} → {b}"));
                        }
                    };
                    differs("basis", Some(a.basis), Some(b.basis));
                    differs("rate", a.rate, b.rate);
                    differs("factor", a.factor, b.factor);
                    differs("amount", Some(a.amount), Some(b.amount));
                    if a.lines != b.lines {
                        parts.push(format!("lines {} → {}", a.lines, b.lines));
                    }
                    if a.reason != b.reason {
                        let [a, b] = [&a.reason, &b.reason].map(|r| r.as_deref().unwrap_or("nothing"));
                        parts.push(format!("{a} → {b}"));
                    }
                    (!parts.is_empty()).then(|| format!("{name}: {}", parts.join(", ")))
                }
                (None, Some(b)) => Some(format!("new {name}: {}", told(b))),
                (Some(a), None) => Some(format!("no longer {name}: {}", told(a))),
                (None, None) => None,
            }
        })
        .collect()
}

fn told(said: &Said) -> String {
    let shown = |d: Dec| number(&d.ratio());
    let mut parts = vec![format!("basis {}", shown(said.basis))];
    parts.extend(said.rate.map(|rate| format!("rate {}", shown(rate))));
    parts.extend(said.factor.map(|factor| format!("factor {}", shown(factor))));
    parts.push(format!("amount {}", shown(said.amount)));
    if said.lines > 0 {
        parts.push(format!("lines {}", said.lines));
    }
    parts.extend(said.reason.clone());
    parts.join(", ")
}

/// The entries that the later ledger has more, added up. The earlier one must be its beginning.
fn posted(before: &Release, after: &Release) -> Result<Vec<Posted>, PipelineError> {
    let stage = |e: String| PipelineError::stage("the ledger")(e);
    let book = table::from_table(&after.read_table("ledger")?).map_err(|e| stage(e.to_string()))?;
    let count = usize::try_from(before.manifest.ledger_entries).unwrap_or(usize::MAX);
    let head = count
        .checked_sub(1)
        .map(|last| book.get(last).map(|e| e.entry_hash.to_string()));
    if head.is_some_and(|head| head.as_deref() != Some(before.manifest.ledger_head.as_str())) {
        return Err(PipelineError::Integrity(vec![Finding::error(
            Place::file("ledger"),
            "ledger.rewritten",
            format!(
                "entry {count} is not the last one of {}: the ledger was only ever added to",
                before.name()
            ),
            "run `starledger verify`; releases of two workspaces cannot be compared",
        )]));
    }
    let mut out: BTreeMap<(String, Reason, Account, Currency), Posted> = BTreeMap::new();
    let more: &[Entry] = book.get(count..).unwrap_or_default();
    for e in more {
        let key = (e.period.to_string(), e.reason, e.account, e.amount.currency());
        let sum = out.entry(key).or_insert_with(|| Posted {
            period: e.period.to_string(),
            reason: e.reason,
            account: e.account,
            amount: Money::zero(e.amount.currency()),
            entries: 0,
        });
        sum.amount = sum.amount.checked_add(e.amount).map_err(|e| stage(e.to_string()))?;
        sum.entries += 1;
    }
    Ok(out.into_values().collect())
}

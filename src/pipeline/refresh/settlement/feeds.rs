//! Rows of feeds that move the books or stand beside documents: payments, adjustments by people, disputes, reversals.
//!
//! Duty: which row concerns what, and findings about rows that concern nothing. Not its duty: posting.

use std::collections::BTreeMap;

use super::super::{PipelineError, Timeline};
use crate::domain::hash::Hasher;
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Currency, Date, Digest, Finding, Findings, Instant, Money, Period, Place, RowRef, Table};
use crate::ledger::documents::{Document, DocumentKind, find, number_of};
use crate::ledger::settle::{NO_SCHEME, NO_SCHEME_ADJUSTED};
use crate::ledger::{Key, Keyed, PostingDay};
use crate::rules::ProgrammeRules;

/// Where money of a day or an earning period posts.
pub(in crate::pipeline::refresh) struct Days<'a> {
    pub programme: &'a ProgrammeRules,
    pub timeline: &'a Timeline,
    /// The first open posting period.
    pub first: PostingDay,
}

impl Days<'_> {
    /// On the day itself while its posting period is open, else in the first open one.
    pub(in crate::pipeline::refresh) fn on(&self, day: Date) -> PostingDay {
        let calendar = self.programme.calendar;
        let own = calendar.period_of(day, self.programme.posting_period);
        let open = |p: &&Period| own.is_none_or(|own| **p >= own) && !self.timeline.sealed.contains(p);
        let Some(period) = self.timeline.posting.iter().find(open).copied() else {
            return self.first;
        };
        let mut at = self.timeline.posting_day(self.programme, period);
        if Some(period) == own {
            at.day = at.day.min(day);
        }
        at
    }

    /// In the period's own posting period while that is open, else in the first open one; none before it has begun.
    fn of(&self, earning: Period) -> Option<PostingDay> {
        let period = self.timeline.posting_of(self.programme, earning)?;
        Some(self.timeline.posting_day(self.programme, period))
    }
}

pub(in crate::pipeline::refresh) fn content_of(row: RowRef<'_>, columns: &[&str]) -> Result<Digest, PipelineError> {
    let mut hasher = Hasher::new();
    for column in columns {
        hasher.field(row.get(column)?.to_string().as_bytes());
    }
    Ok(hasher.finish())
}

pub(in crate::pipeline::refresh) fn money(row: RowRef<'_>) -> Result<Money, PipelineError> {
    let stage = PipelineError::stage("money of a feed");
    let code = row.text("currency")?;
    let currency = Currency::parse(code).ok_or_else(|| stage(format!("'{code}' is no currency")))?;
    Money::exact(row.dec("amount")?, currency).map_err(|e| stage(e.to_string()))
}

pub(in crate::pipeline::refresh) fn warn(feed: &str, id: &str, rule: &str, message: String, remedy: &str) -> Finding {
    Finding::warning(Place::file(feed).column(id), rule, message, remedy)
}

/// Payments of documents, ready to be posted, and what was paid on each document.
pub(super) fn payments(
    table: &Table,
    documents: &[Document],
    days: &Days<'_>,
    findings: &mut Findings,
) -> Result<(Vec<Keyed>, BTreeMap<i64, Money>), PipelineError> {
    let mut rows = Vec::new();
    let mut paid: BTreeMap<i64, Money> = BTreeMap::new();
    for row in table.iter() {
        let Some(name) = row.opt_text("settlement_no")? else {
            continue;
        };
        let (id, amount) = (row.text("payment_id")?, money(row)?);
        let found = number_of(name).and_then(|n| find(documents, n));
        let problem = match found {
            None => Some("is no document that was issued".to_owned()),
            Some(d) if d.kind != DocumentKind::Settlement => Some("is a reversal, on which nothing is paid".to_owned()),
            Some(d) if d.currency != amount.currency() => {
                Some(format!("is in {}, the payment in {}", d.currency, amount.currency()))
            }
            Some(_) => None,
        };
        let (Some(document), None) = (found, &problem) else {
            let message = format!("payment {id} of {amount} waits: {name} {}", problem.unwrap_or_default());
            let remedy = "deliver the payment with the right document; the next run posts it";
            findings.push(warn("payments", id, "payment.document", message, remedy));
            continue;
        };
        let sum = paid.entry(document.number).or_insert(Money::zero(amount.currency()));
        *sum = sum
            .checked_add(amount)
            .map_err(|e| PipelineError::stage("payments")(e.to_string()))?;
        rows.push(Keyed {
            id: id.to_owned(),
            key: Key {
                partner: document.partner.clone(),
                scheme: scheme(NO_SCHEME)?,
                earning_period: document.period,
                currency: document.currency,
            },
            amount,
            at: days.on(row.date("paid_on")?),
            content: content_of(row, &["payment_id", "settlement_no", "paid_on", "amount", "currency"])?,
        });
    }
    for (number, sum) in &paid {
        let Some(document) = find(documents, *number) else {
            continue;
        };
        if sum.minor_units() > document.due.minor_units() {
            let message = format!(
                "{sum} was paid on {}, of which {} was due",
                document.name(),
                document.due
            );
            let remedy = "claim the difference back by an adjustment, or deliver the payment corrected";
            findings.push(warn("payments", &document.name(), "payment.too-much", message, remedy));
        }
    }
    Ok((rows, paid))
}

fn scheme(name: &str) -> Result<SchemeId, PipelineError> {
    SchemeId::new(name).map_err(|e| PipelineError::stage("a scheme")(e.to_string()))
}

/// An adjustment, or a claim, as statements show it.
#[derive(Clone, Debug)]
pub(in crate::pipeline::refresh) struct Adjustment {
    pub id: String,
    pub says: String,
}

/// Adjustments by people, ready to be posted, and as they are shown.
pub(super) fn adjustments(
    table: &Table,
    days: &Days<'_>,
    findings: &mut Findings,
) -> Result<(Vec<Keyed>, Vec<Adjustment>), PipelineError> {
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for row in table.iter() {
        let (id, amount) = (row.text("adjustment_id")?, money(row)?);
        let period =
            Period::parse(row.text("period")?).map_err(|e| PipelineError::stage("adjustments")(e.to_string()))?;
        let Some(at) = days.of(period) else {
            let message = format!("adjustment {id} of {amount} waits: {period} has not begun");
            findings.push(warn(
                "manual_adjustments",
                id,
                "adjustment.period",
                message,
                "nothing, if that is meant",
            ));
            continue;
        };
        let key = Key {
            partner: PartnerId::new(row.text("partner_id")?)
                .map_err(|e| PipelineError::stage("adjustments")(e.to_string()))?,
            scheme: scheme(row.opt_text("scheme")?.unwrap_or(NO_SCHEME_ADJUSTED))?,
            earning_period: period,
            currency: amount.currency(),
        };
        let says = format!(
            "{} (requested by {}, approved by {} on {})",
            row.text("reason")?,
            row.text("requested_by")?,
            row.text("approved_by")?,
            row.date("approved_on")?
        );
        let columns = [
            "adjustment_id",
            "partner_id",
            "period",
            "scheme",
            "amount",
            "currency",
            "reason",
            "requested_by",
            "approved_by",
            "approved_on",
        ];
        shown.push(Adjustment {
            id: id.to_owned(),
            says,
        });
        rows.push(Keyed {
            id: id.to_owned(),
            key,
            amount,
            at,
            content: content_of(row, &columns)?,
        });
    }
    Ok((rows, shown))
}

/// A dispute of a document.
#[derive(Clone, Debug)]
pub(super) struct Dispute {
    pub id: String,
    pub raised_on: Date,
    pub is_open: bool,
    pub says: String,
}

/// Disputes of documents that were raised in time, the last one of each document; `days` is the time to dispute.
pub(super) fn disputes(
    table: &Table,
    documents: &[Document],
    days: u32,
    findings: &mut Findings,
) -> Result<BTreeMap<i64, Dispute>, PipelineError> {
    let mut out: BTreeMap<i64, Dispute> = BTreeMap::new();
    for row in table.iter() {
        let (id, name, raised_on) = (
            row.text("dispute_id")?,
            row.text("settlement_no")?,
            row.date("raised_on")?,
        );
        let Some(document) = number_of(name).and_then(|n| find(documents, n)) else {
            let message = format!("dispute {id} is of {name}, which is no document that was issued");
            findings.push(warn(
                "disputes",
                id,
                "dispute.document",
                message,
                "deliver it with the right document",
            ));
            continue;
        };
        let until = crate::domain::time::add_days(document.issued_on, days);
        if raised_on > until {
            let message = format!("dispute {id} of {name} was raised on {raised_on}, after {until}: too late to count");
            findings.push(warn(
                "disputes",
                id,
                "dispute.late",
                message,
                "nothing; a document stands that is not disputed in time",
            ));
            continue;
        }
        let resolution = row.opt_text("resolution")?;
        let dispute = Dispute {
            id: id.to_owned(),
            raised_on,
            is_open: resolution.is_none(),
            says: match resolution {
                Some(how) => format!("{}; resolved: {how}", row.text("reason")?),
                None => row.text("reason")?.to_owned(),
            },
        };
        // an open one before a resolved one, then the later
        let rank = |d: &Dispute| (d.is_open, d.raised_on, d.id.clone());
        if out
            .get(&document.number)
            .is_none_or(|known| rank(known) < rank(&dispute))
        {
            out.insert(document.number, dispute);
        }
    }
    Ok(out)
}

/// A decision to reverse a document.
#[derive(Clone, Debug)]
pub(super) struct ReversalWanted {
    pub at: Instant,
    pub decision_id: String,
    pub name: String,
}

/// In the order in which they were taken.
pub(super) fn reversals(decisions: &Table) -> Result<Vec<ReversalWanted>, PipelineError> {
    let mut wanted = Vec::new();
    for row in decisions.iter() {
        if row.text("kind")? == "reverse" && row.text("outcome")? == "reversed" {
            wanted.push(ReversalWanted {
                at: row.instant("decided_at")?,
                decision_id: row.text("decision_id")?.to_owned(),
                name: row.text("subject")?.to_owned(),
            });
        }
    }
    wanted.sort_by(|a, b| (a.at, &a.decision_id).cmp(&(b.at, &b.decision_id)));
    Ok(wanted)
}

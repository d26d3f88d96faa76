//! Settlement: feeds that move money, reversals, closing, documents.
//!
//! Duty: what of feeds and decisions concerns the books handed to the ledger; a posting period closed only with the
//! settlement that was approved; documents, statements, their states and the next proposal staged. Not its duty: what is
//! settled (`ledger::settle`), which periods may close (`periods`).
//!
//! | step | derives | from |
//! |---|---|---|
//! | `feeds` | payments, adjustments, disputes, reversals wanted | feeds, decisions, documents |
//! | `approvals` | whether a settlement may be closed | decisions, its hash |
//! | `tables` | `settlements`, `statements`, `settlement_states`, `settlement_proposals` | documents, proposals, rebates, partners |

pub(in crate::pipeline) mod approvals;
mod feeds;
mod tables;

use std::collections::BTreeMap;

use super::periods::{Closing, ToClose};
use super::{PipelineError, Refresh, Timeline};
use crate::domain::money::MoneyError;
use crate::domain::time::add_days;
use crate::domain::{Currency, Date, Digest, Finding, Money, Period, Place, Rounding, Zone};
use crate::ledger::documents::{self, Document, number_of};
use crate::ledger::settle::{self, Proposal, Terms, hash_of, may_reverse};
use crate::ledger::{Books, LedgerError, PostingDay, Reason, post_keyed};
use crate::rules::ProgrammeRules;
use feeds::Days;
use tables::Shown;

/// A settlement that was issued by this run: what stands on its documents beside the amounts.
#[derive(Clone, Debug)]
struct Sanctioned {
    hash: Digest,
    prepared: String,
    approved: String,
    closed: String,
}

impl Refresh<'_> {
    /// Posts feeds, reversals and settlements; stages their tables and `periods`. Returns all documents.
    pub(super) fn settle(
        &mut self,
        timeline: &mut Timeline,
        books: &mut Books,
        last: PostingDay,
    ) -> Result<Vec<Document>, PipelineError> {
        let stage = |e: LedgerError| PipelineError::stage("the settlement")(e.to_string());
        let config = self.task.config;
        let programme = config.rules.programme();
        let mut findings = Vec::new();
        let mut documents = documents::from_table(&self.parent_table("settlements")?).map_err(stage)?;
        let earlier = documents.len();
        let days = Days {
            programme,
            timeline,
            last,
        };
        let (payments, paid) = feeds::payments(&self.table("payments")?, &documents, &days, &mut findings)?;
        let (rows, adjustments) = feeds::adjustments(&self.table("manual_adjustments")?, &days, &mut findings)?;
        post_keyed(books, Reason::Payment, &payments, last).map_err(stage)?;
        post_keyed(books, Reason::ManualAdjustment, &rows, last).map_err(stage)?;

        let decisions = self.table("decisions")?;
        let first_open = timeline.posting.iter().find(|p| !timeline.sealed.contains(p)).copied();
        for wanted in feeds::reversals(&decisions)? {
            let Some(at) = first_open.map(|p| posting_in(programme, timeline, p)) else {
                break;
            };
            let number = number_of(&wanted.name).unwrap_or(0);
            match may_reverse(&documents, number, paid.get(&number).copied()) {
                Ok(document) => {
                    let next = next_no(&documents);
                    let issued_on = Zone::UTC.date_of(wanted.at);
                    let reversal = settle::reverse(books, &document.clone(), next, at, issued_on).map_err(stage)?;
                    documents.push(reversal);
                }
                // it was reversed by this decision, in an earlier run
                Err(settle::Refusal::Reversed(_)) => {}
                Err(refusal) => findings.push(Finding::warning(
                    Place::file("decisions").column(wanted.decision_id.as_str()),
                    "reverse.refused",
                    format!("{} stands: {refusal}", wanted.name),
                    "look at the documents with `starledger settlements list`",
                )),
            }
        }
        self.summary.findings.append(&mut findings);

        let sanctioned = self.close_approved(timeline, books, &mut documents, &decisions)?;
        let shown = Shown {
            adjustments: &adjustments,
            rebates: &self.table("rebates")?,
            partners: &self.table("partners")?,
            calendar: &programme.calendar_name,
            dispute_days: programme.settlement.dispute_days,
        };
        self.stage_documents(&documents[earlier..], &sanctioned, &shown)?;
        self.stage_states(&documents, &paid, programme)?;
        let proposed = self.stage_proposal(timeline, books, &documents, &shown)?;
        self.put_periods(timeline, proposed)?;
        Ok(documents)
    }

    /// Closes the periods whose settlements are approved, in their order, and issues their documents.
    fn close_approved(
        &mut self,
        timeline: &mut Timeline,
        books: &mut Books,
        documents: &mut Vec<Document>,
        acts: &crate::domain::Table,
    ) -> Result<BTreeMap<Period, Issue>, PipelineError> {
        let stage = |e: LedgerError| PipelineError::stage("the settlement")(e.to_string());
        let programme = self.task.config.rules.programme();
        let acts = approvals::acts(acts)?;
        let mut issued = BTreeMap::new();
        for ToClose { period, decisions } in std::mem::take(&mut timeline.to_close) {
            let proposals = propose(programme, books, documents, period)?;
            let hash = hash_of(&programme.calendar_name, period, &proposals);
            let role = programme.settlement.approving_role.as_deref();
            let taken = acts.get(&period).map_or(&[][..], Vec::as_slice);
            let cut_off = cut_off(programme, period);
            let sanction = if timeline.today < cut_off {
                Err((
                    format!("late data is taken in until {cut_off}, and today is {}", timeline.today),
                    "settle it from that day on".to_owned(),
                ))
            } else {
                approvals::sanction(taken, hash, role)
            };
            // a decision to close that was taken before the approval was of something else
            let sanction = sanction.and_then(|(prepared, approved)| {
                let found = decisions.iter().find(|(at, _)| *at > approved.at);
                found.map(|closed| (prepared, approved, closed)).ok_or_else(|| {
                    let why = format!("it was approved on {}, after it was decided to close it", approved.at);
                    (why, "decide to close it again".to_owned())
                })
            });
            let (prepared, approved, (closed_at, closed_by)) = match sanction {
                Ok(found) => found,
                Err((reason, remedy)) => {
                    let id = decisions.last().map_or("", |(_, id)| id);
                    self.refuse_to_close(period, id, &reason, remedy);
                    break;
                }
            };
            let closing = Closing {
                closed_on: Zone::UTC.date_of(*closed_at).max(programme.calendar.end_day(period)),
                decision_id: closed_by.clone(),
                run: i64::try_from(self.task.run).unwrap_or(i64::MAX),
                settlement_hash: Some(hash),
            };
            let at = posting_in(programme, timeline, period);
            let first_no = next_no(documents);
            let new = settle::issue(books, &proposals, first_no, at, closing.closed_on).map_err(stage)?;
            documents.extend(new);
            let sanctioned = Sanctioned {
                hash,
                prepared: prepared.id.clone(),
                approved: approved.id.clone(),
                closed: closing.decision_id.clone(),
            };
            issued.insert(period, Issue { proposals, sanctioned });
            timeline.closings.insert(period, closing);
            self.summary.closed.push(period);
        }
        Ok(issued)
    }

    /// What the first open period would settle.
    fn stage_proposal(
        &mut self,
        timeline: &Timeline,
        books: &Books,
        documents: &[Document],
        shown: &Shown<'_>,
    ) -> Result<Option<(Period, Digest)>, PipelineError> {
        let programme = self.task.config.rules.programme();
        let open = timeline
            .posting
            .iter()
            .find(|p| !timeline.closings.contains_key(p))
            .copied();
        let proposals = match open {
            None => Vec::new(),
            Some(period) => propose(programme, books, documents, period)?,
        };
        let of = open.map(|period| (period, hash_of(shown.calendar, period, &proposals)));
        self.put(tables::proposal(of, &proposals, shown)?)?;
        Ok(of)
    }
}

/// What a period settled in this run.
struct Issue {
    proposals: Vec<Proposal>,
    sanctioned: Sanctioned,
}

/// Documents are numbered from 1 without gaps.
fn next_no(documents: &[Document]) -> i64 {
    documents.last().map_or(1, |d| d.number.saturating_add(1))
}

/// First day on which a posting period can be settled.
pub(super) fn cut_off(programme: &ProgrammeRules, period: Period) -> Date {
    add_days(programme.calendar.end_day(period), programme.settlement.grace_days)
}

fn posting_in(programme: &ProgrammeRules, timeline: &Timeline, period: Period) -> PostingDay {
    PostingDay {
        period,
        day: programme.calendar.last_day(period).min(timeline.today),
        is_final: false,
    }
}

/// What a posting period would settle, by the books as they stand.
fn propose(
    programme: &ProgrammeRules,
    books: &Books,
    documents: &[Document],
    period: Period,
) -> Result<Vec<Proposal>, PipelineError> {
    let stage = PipelineError::stage("the settlement");
    let mut minima: BTreeMap<Currency, Money> = BTreeMap::new();
    for entry in books.entries() {
        let currency = entry.amount.currency();
        if let std::collections::btree_map::Entry::Vacant(vacant) = minima.entry(currency) {
            let least = programme.settlement.minimum_payout.of(currency.code());
            let least: Result<Money, MoneyError> = Money::rounded(least, currency, Rounding::HalfAwayFromZero);
            vacant.insert(least.map_err(|e| stage(e.to_string()))?);
        }
    }
    let end = programme.calendar.end_day(period);
    let terms = Terms {
        period,
        is_due: &|earning| programme.calendar.last_day(earning) < end,
        minimum: &|currency| minima.get(&currency).copied().unwrap_or(Money::zero(currency)),
    };
    settle::propose(books.entries(), documents, &terms).map_err(|e| stage(e.to_string()))
}

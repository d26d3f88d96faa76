//! Settlement: feeds that move money, reversals, closing, documents.
//!
//! Duty: what of feeds and decisions concerns the books handed to the ledger; a posting period closed only with the
//! settlement that was approved; documents, statements, their states and the next proposal staged. Not its duty: what is
//! settled (`ledger::settle`), which periods may close (`periods`).
//!
//! | step | derives | from |
//! |---|---|---|
//! | `feeds`, `claims` | claims on funds, payments, adjustments, disputes, reversals wanted | feeds, decisions, documents |
//! | `approvals` | whether a settlement may be closed | decisions, its hash |
//! | `tables` | `settlements`, `statements`, `settlement_states`, `settlement_proposals` | documents, proposals, rebates, partners |

pub(in crate::pipeline) mod approvals;
pub(super) mod feeds;
mod tables;

use std::collections::BTreeMap;

use super::claims::Claims;
use super::periods::{Closing, ToClose};
use super::{PipelineError, Refresh, Timeline};
use crate::domain::ids::PartnerId;
use crate::domain::money::MoneyError;
use crate::domain::time::add_days;
use crate::domain::{Currency, Date, Digest, Finding, Money, Period, Place, Rounding, Zone};
use crate::ledger::documents::{self, Document, number_of};
use crate::ledger::settle::{self, Proposal, Terms, hash_of, may_reverse};
use crate::ledger::{Books, LedgerError, Reason, post_keyed};
use crate::rules::ProgrammeRules;
use feeds::Days;
use tables::Shown;

impl Refresh<'_> {
    /// Posts feeds, reversals and settlements; stages their tables and `periods`. Returns all documents.
    pub(super) fn settle(
        &mut self,
        timeline: &mut Timeline,
        books: &mut Books,
        claims: &Claims,
    ) -> Result<Vec<Document>, PipelineError> {
        let stage = |e: LedgerError| PipelineError::stage("the settlement")(e.to_string());
        let config = self.task.config;
        let programme = config.rules.programme();
        let mut findings = Vec::new();
        let mut documents = documents::from_table(&self.parent_table("settlements")?).map_err(stage)?;
        let earlier = documents.len();
        let first_open = timeline.first_open().ok_or_else(|| PipelineError::Stage {
            what: "posting periods",
            detail: "every posting period up to today is closed".to_owned(),
        })?;
        let first = timeline.posting_day(programme, first_open);
        let days = Days {
            programme,
            timeline,
            first,
        };
        let (payments, paid) = feeds::payments(&self.table("payments")?, &documents, &days, &mut findings)?;
        let (rows, adjustments) = feeds::adjustments(&self.table("manual_adjustments")?, &days, &mut findings)?;
        post_keyed(books, Reason::Payment, &payments, first).map_err(stage)?;
        post_keyed(books, Reason::ManualAdjustment, &rows, first).map_err(stage)?;
        let claims = self.post_claims(books, claims, &days, &mut findings)?;

        let decisions = self.table("decisions")?;
        for wanted in feeds::reversals(&decisions)? {
            let number = number_of(&wanted.name).unwrap_or(0);
            let issued_on = Zone::UTC.date_of(wanted.at);
            let refused = match may_reverse(&documents, number, paid.get(&number).copied()) {
                // a number that was guessed ahead is no decision on the document that got it
                Ok(document) if issued_on < document.issued_on => format!(
                    "the decision was taken on {issued_on}, before it was issued on {}",
                    document.issued_on
                ),
                Ok(document) => {
                    let (document, next) = (document.clone(), next_no(&documents));
                    documents.push(settle::reverse(books, &document, next, first, issued_on).map_err(stage)?);
                    continue;
                }
                // it was reversed by this decision, in an earlier run
                Err(settle::Refusal::Reversed(_)) => continue,
                Err(refusal) => refusal.to_string(),
            };
            findings.push(Finding::warning(
                Place::file("decisions").column(wanted.decision_id.as_str()),
                "reverse.refused",
                format!("{} stands: {refused}", wanted.name),
                "look at the documents with `starledger settlements list`, and decide again",
            ));
        }
        self.summary.findings.append(&mut findings);

        let issues = self.close_approved(timeline, books, &mut documents, &decisions)?;
        let mut ahead: BTreeMap<[String; 3], Vec<String>> = BTreeMap::new();
        for row in self.table("headroom")?.iter() {
            let key = ["partner_id", "scheme", "earning_period"].map(|column| row.text(column).map(str::to_owned));
            let [partner, scheme, earning] = key;
            ahead
                .entry([partner?, scheme?, earning?])
                .or_default()
                .extend(crate::incentives::headroom::says(row));
        }
        let shown = Shown {
            ahead: &ahead,
            adjustments: &adjustments,
            claims: &claims,
            rebates: &self.table("rebates")?,
            partners: &self.table("partners")?,
            calendar: &programme.calendar_name,
            dispute_days: programme.settlement.dispute_days,
        };
        self.stage_documents(&documents[earlier..], &issues, &shown)?;
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
        decisions: &crate::domain::Table,
    ) -> Result<BTreeMap<Period, Issue>, PipelineError> {
        let stage = |e: LedgerError| PipelineError::stage("the settlement")(e.to_string());
        let programme = self.task.config.rules.programme();
        let acts = approvals::acts(decisions)?;
        let mut issues = BTreeMap::new();
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
                let found = decisions
                    .iter()
                    .find(|closed| closed.at > approved.at && closed.hash.is_none_or(|named| named == hash));
                found.map(|closed| (prepared, approved, closed)).ok_or_else(|| {
                    let why = format!(
                        "nobody has decided to close it with settlement {} since that was approved on {}",
                        hash.short(),
                        approved.at
                    );
                    (why, "decide to close it again".to_owned())
                })
            });
            let (prepared, approved, closed) = match sanction {
                Ok(found) => found,
                Err((reason, remedy)) => {
                    let id = decisions.last().map_or("", |decision| &decision.id);
                    self.refuse_to_close(period, id, &reason, remedy);
                    break;
                }
            };
            let closing = Closing {
                closed_on: Zone::UTC.date_of(closed.at).max(programme.calendar.end_day(period)),
                decision_id: closed.id.clone(),
                run: i64::try_from(self.task.run).unwrap_or(i64::MAX),
                settlement_hash: Some(hash),
            };
            let at = timeline.posting_day(programme, period);
            let first_no = next_no(documents);
            let new = settle::issue(books, &proposals, first_no, at, closing.closed_on).map_err(stage)?;
            documents.extend(new);
            let issue = Issue {
                hash,
                prepared: prepared.id.clone(),
                approved: approved.id.clone(),
                closed: closing.decision_id.clone(),
                proposals: proposals
                    .into_iter()
                    .map(|p| ((p.partner.clone(), p.currency), p))
                    .collect(),
            };
            issues.insert(period, issue);
            timeline.closings.insert(period, closing);
            self.summary.closed.push(period);
        }
        Ok(issues)
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

/// What a period settled in this run, and the decisions that let it.
struct Issue {
    hash: Digest,
    prepared: String,
    approved: String,
    closed: String,
    proposals: BTreeMap<(PartnerId, Currency), Proposal>,
}

/// Documents are numbered from 1 without gaps.
fn next_no(documents: &[Document]) -> i64 {
    documents.last().map_or(1, |d| d.number.saturating_add(1))
}

/// First day on which a posting period can be settled.
pub(super) fn cut_off(programme: &ProgrammeRules, period: Period) -> Date {
    add_days(programme.calendar.end_day(period), programme.settlement.grace_days)
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

//! Settlement: from what is accrued to what is owed.
//!
//! Duty: for every partner and currency what a posting period settles; the documents that say so; their reversal. Not
//! its duty: whether a settlement is approved, and what a document looks like.
//!
//! | derived | from | step |
//! |---|---|---|
//! | lines of a partner and currency | accruals that are due; what was posted on payable and receivable since its last standing document | `propose` |
//! | due, carried out | carried in, lines, minimum | `propose` |
//! | hash of a settlement | all its proposals | `hash_of` |
//! | transactions and documents | proposals | `issue` |
//! | reversal | the transactions of a document, all signs turned | `reverse` |

use std::collections::{BTreeMap, BTreeSet};

use super::LedgerError;
use super::books::{Books, Draft};
use super::documents::{Document, DocumentKind, find, last_standing, source_of, standing};
use super::entry::{Account, Entry, Key, Reason};
use super::keyed::row_of;
use super::post::PostingDay;
use crate::domain::hash::Hasher;
use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::money::MoneyError;
use crate::domain::{Currency, Date, Digest, Money, Period};

/// Stands where a transaction concerns a document and no scheme: netting and payments. No scheme has this name.
pub const NO_SCHEME: &str = "settlement";
/// Stands where an adjustment by people names no scheme. No scheme has this name.
pub const NO_SCHEME_ADJUSTED: &str = "manual-adjustment";

/// What a line of a settlement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// What an earning period earned, settled for the first time or anew after a reversal.
    Earned,
    /// What changed of an earning period after its settlement.
    Adjusted,
    /// What is no longer kept back of an earning period after its settlement.
    HoldReleased,
    /// An adjustment by people.
    ManualAdjustment,
    /// Approved claims on a fund.
    Claim,
}

impl LineKind {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            LineKind::Earned => "earned",
            LineKind::Adjusted => "adjusted",
            LineKind::HoldReleased => "hold_released",
            LineKind::ManualAdjustment => "manual_adjustment",
            LineKind::Claim => "claim",
        }
    }
}

/// Never zero. Key within a proposal: kind, scheme, earning period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: LineKind,
    pub scheme: SchemeId,
    pub earning_period: Period,
    /// In favour of the partner where positive.
    pub amount: Money,
    /// Of adjustments by people and of claims: what each row of the feed adds, by its id.
    pub parts: BTreeMap<String, Money>,
}

/// What a partner is settled in a currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub partner: PartnerId,
    pub currency: Currency,
    /// What the last standing document carried forward.
    pub carried_in: Money,
    /// By scheme, earning period, kind.
    pub lines: Vec<Line>,
    /// What stays on hold; in no total.
    pub held: Money,
    /// Least amount that is paid.
    pub minimum: Money,
    /// Carried in and all lines.
    pub total: Money,
    /// What is paid: the total, or nothing.
    pub due: Money,
    /// The rest, for the next document.
    pub carried_out: Money,
}

/// What a settlement goes by.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Posting period that is settled.
    pub period: Period,
    /// Whether an earning period is settled finally in it, or was before.
    pub is_due: &'a dyn Fn(Period) -> bool,
    /// Least amount that is paid in a currency.
    pub minimum: &'a dyn Fn(Currency) -> Money,
}

/// A settlement is of a partner in a currency.
type Whose = (PartnerId, Currency);

/// What each partner would be settled, by partner and currency; those with nothing new are left out.
pub fn propose(entries: &[Entry], documents: &[Document], terms: &Terms<'_>) -> Result<Vec<Proposal>, LedgerError> {
    let last = last_standing(documents);
    let mut lines: BTreeMap<Whose, BTreeMap<(SchemeId, Period, LineKind), Money>> = BTreeMap::new();
    let mut parts: BTreeMap<(Whose, SchemeId, Period, LineKind), BTreeMap<String, Money>> = BTreeMap::new();
    let mut held: BTreeMap<Whose, Money> = BTreeMap::new();
    for entry in entries {
        let whose = (entry.partner.clone(), entry.amount.currency());
        if entry.account == Account::RebatesOnHold {
            add(&mut held, whose, entry.amount.negated(), entry)?;
            continue;
        }
        let Some(kind) = line_of(entry, &last, terms) else {
            continue;
        };
        if let (LineKind::ManualAdjustment | LineKind::Claim, Some(id)) = (kind, row_of(entry)) {
            let key = (whose.clone(), entry.scheme.clone(), entry.earning_period, kind);
            add(
                parts.entry(key).or_default(),
                id.to_owned(),
                entry.amount.negated(),
                entry,
            )?;
        }
        let key = (entry.scheme.clone(), entry.earning_period, kind);
        add(lines.entry(whose).or_default(), key, entry.amount.negated(), entry)?;
    }
    let carried = last
        .iter()
        .filter(|(_, d)| !d.carried_out.is_zero() && d.period < terms.period);
    let all: BTreeSet<Whose> = lines.keys().cloned().chain(carried.map(|(k, _)| k.clone())).collect();
    let mut proposals = Vec::new();
    for whose in all {
        let (partner, currency) = whose.clone();
        let lines = lines.remove(&whose).unwrap_or_default().into_iter();
        let lines: Vec<Line> = lines
            .filter(|(_, amount)| !amount.is_zero())
            .map(|((scheme, earning_period, kind), amount)| Line {
                parts: parts
                    .remove(&(whose.clone(), scheme.clone(), earning_period, kind))
                    .unwrap_or_default(),
                kind,
                scheme,
                earning_period,
                amount,
            })
            .collect();
        let carried_in = last.get(&whose).map_or(Money::zero(currency), |d| d.carried_out);
        let amount = |source: MoneyError| LedgerError::Settled {
            partner: partner.clone(),
            currency,
            source,
        };
        let total = lines
            .iter()
            .try_fold(carried_in, |sum, line| sum.checked_add(line.amount))
            .map_err(amount)?;
        let minimum = (terms.minimum)(currency);
        let is_paid = total.minor_units() > 0 && total.minor_units() >= minimum.minor_units();
        let due = if is_paid { total } else { Money::zero(currency) };
        if lines.is_empty() && due.is_zero() {
            continue;
        }
        proposals.push(Proposal {
            carried_out: total.checked_sub(due).map_err(amount)?,
            held: held.get(&whose).copied().unwrap_or(Money::zero(currency)),
            partner,
            currency,
            carried_in,
            lines,
            minimum,
            total,
            due,
        });
    }
    Ok(proposals)
}

/// Which line of its partner's settlement an entry belongs to, if any.
fn line_of(entry: &Entry, last: &BTreeMap<Whose, &Document>, terms: &Terms<'_>) -> Option<LineKind> {
    match entry.account {
        // open accruals: whatever a settlement moved away adds up to zero
        Account::AccruedRebates => (terms.is_due)(entry.earning_period).then_some(LineKind::Earned),
        Account::PartnerPayable | Account::PartnerReceivable => {
            let whose = (entry.partner.clone(), entry.amount.currency());
            let is_new = last.get(&whose).is_none_or(|d| d.period < entry.period);
            if !is_new || entry.period > terms.period {
                return None;
            }
            match entry.reason {
                Reason::Accrual | Reason::Adjustment => Some(LineKind::Adjusted),
                Reason::HoldReleased => Some(LineKind::HoldReleased),
                Reason::ManualAdjustment => Some(LineKind::ManualAdjustment),
                Reason::Claim => Some(LineKind::Claim),
                // what a reversed document settled went back to the accrual
                Reason::Settlement | Reason::Reversal | Reason::Netting | Reason::Payment => None,
            }
        }
        _ => None,
    }
}

fn add<K: Ord>(sums: &mut BTreeMap<K, Money>, key: K, amount: Money, entry: &Entry) -> Result<(), LedgerError> {
    let sum = sums.entry(key).or_insert_with(|| Money::zero(amount.currency()));
    *sum = sum.checked_add(amount).map_err(|source| LedgerError::Amount {
        key: entry.key(),
        source,
    })?;
    Ok(())
}

/// Stands in front of the hashed fields of a settlement.
const FORM: &str = "settlement/1";

/// The hash of a settlement: SHA-256 over the form, the calendar, the period and every field of every proposal and line,
/// each with its length in front. What stays on hold is not settled, and not in it.
#[must_use]
pub fn hash_of(calendar: &str, period: Period, proposals: &[Proposal]) -> Digest {
    let mut hasher = Hasher::new();
    let mut field = |text: &str| {
        hasher.field(text.as_bytes());
    };
    field(FORM);
    field(calendar);
    field(&period.to_string());
    for p in proposals {
        field("document");
        field(p.partner.as_str());
        field(p.currency.code());
        for amount in [p.carried_in, p.total, p.due, p.carried_out] {
            field(&amount.dec().to_string());
        }
        for line in &p.lines {
            field(line.kind.as_str());
            field(line.scheme.as_str());
            field(&line.earning_period.to_string());
            field(&line.amount.dec().to_string());
        }
    }
    hasher.finish()
}

/// Posts a settlement and issues its documents, numbered from `first_no`; each names the head of the books behind the
/// last of them.
pub fn issue(
    books: &mut Books,
    proposals: &[Proposal],
    first_no: i64,
    at: PostingDay,
    issued_on: Date,
) -> Result<Vec<Document>, LedgerError> {
    let receivable = receivables(books.entries(), at.period)?;
    for (proposal, number) in proposals.iter().zip(first_no..) {
        let source = source_of(number);
        let (partner, currency) = (&proposal.partner, proposal.currency);
        for line in proposal.lines.iter().filter(|line| line.kind == LineKind::Earned) {
            let key = Key {
                partner: partner.clone(),
                scheme: line.scheme.clone(),
                earning_period: line.earning_period,
                currency,
            };
            let owed = if line.amount.is_negative() {
                Account::PartnerReceivable
            } else {
                Account::PartnerPayable
            };
            let draft = Draft {
                key: &key,
                at,
                reason: Reason::Settlement,
                corrects: None,
                source: source.clone(),
            };
            let postings = [(Account::AccruedRebates, line.amount), (owed, line.amount.negated())];
            books.transaction(&draft, &postings)?;
        }
        net(books, proposal, &receivable, at, source)?;
    }
    let (at, head) = ((at.period, issued_on), books.head());
    let document = |(proposal, number)| Document::of_proposal(number, at, proposal, head);
    proposals.iter().zip(first_no..).map(document).collect()
}

/// Claims and debts of a partner against each other: claimed back stays only what is carried forward as negative.
fn net(
    books: &mut Books,
    proposal: &Proposal,
    receivable: &BTreeMap<Whose, Money>,
    at: PostingDay,
    source: String,
) -> Result<(), LedgerError> {
    let (partner, currency) = (&proposal.partner, proposal.currency);
    let amount = |source: MoneyError| LedgerError::Settled {
        partner: partner.clone(),
        currency,
        source,
    };
    let zero = Money::zero(currency);
    let before = receivable.get(&(partner.clone(), currency)).copied().unwrap_or(zero);
    let mut negative = proposal
        .lines
        .iter()
        .filter(|line| line.kind == LineKind::Earned && line.amount.is_negative());
    let claimed = negative
        .try_fold(before, |sum, line| sum.checked_sub(line.amount))
        .map_err(amount)?;
    let stays = if proposal.carried_out.is_negative() {
        proposal.carried_out.negated()
    } else {
        zero
    };
    let netted = claimed.checked_sub(stays).map_err(amount)?;
    if netted.is_zero() {
        return Ok(());
    }
    let key = Key {
        partner: partner.clone(),
        scheme: SchemeId::new(NO_SCHEME).expect("a scheme's name"),
        earning_period: at.period,
        currency,
    };
    let draft = Draft {
        key: &key,
        at,
        reason: Reason::Netting,
        corrects: None,
        source,
    };
    let postings = [
        (Account::PartnerPayable, netted),
        (Account::PartnerReceivable, netted.negated()),
    ];
    books.transaction(&draft, &postings).map(|_| ())
}

/// Debit balances of the receivable at the end of a posting period, by partner and currency: claims of later ones are on
/// no document yet.
fn receivables(entries: &[Entry], period: Period) -> Result<BTreeMap<Whose, Money>, LedgerError> {
    super::balance::sums(entries, |e| {
        let is_claimed = e.account == Account::PartnerReceivable && e.period <= period;
        is_claimed.then(|| (e.partner.clone(), e.amount.currency()))
    })
}

/// Why a document is not reversed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such document")]
    Unknown,
    #[error("it is itself a reversal")]
    IsReversal,
    #[error("it is reversed already, by {0}")]
    Reversed(String),
    #[error("{0} of the same partner and currency is newer and stands: documents are reversed newest first")]
    NotNewest(String),
    #[error("{0} was paid on it: what was paid is claimed back by an adjustment")]
    Paid(Money),
}

/// Whether a document may be reversed, `paid` being what was paid on it.
pub fn may_reverse(documents: &[Document], number: i64, paid: Option<Money>) -> Result<&Document, Refusal> {
    let document = find(documents, number).ok_or(Refusal::Unknown)?;
    if document.kind != DocumentKind::Settlement {
        return Err(Refusal::IsReversal);
    }
    let by = documents
        .iter()
        .find(|d| d.kind == DocumentKind::Reversal { of: number });
    if let Some(by) = by {
        return Err(Refusal::Reversed(by.name()));
    }
    let newer = standing(documents)
        .filter(|d| d.partner == document.partner && d.currency == document.currency && d.number > number)
        .last();
    if let Some(newer) = newer {
        return Err(Refusal::NotNewest(newer.name()));
    }
    match paid {
        Some(paid) if !paid.is_zero() => Err(Refusal::Paid(paid)),
        _ => Ok(document),
    }
}

/// Takes the transactions of a document back and issues its reversal, numbered `next_no`.
pub fn reverse(
    books: &mut Books,
    document: &Document,
    next_no: i64,
    at: PostingDay,
    issued_on: Date,
) -> Result<Document, LedgerError> {
    let source = source_of(document.number);
    let mut transactions: Vec<i64> = books
        .entries()
        .iter()
        .filter(|e| matches!(e.reason, Reason::Settlement | Reason::Netting) && e.source == source)
        .map(|e| e.transaction_no)
        .collect();
    transactions.dedup();
    for transaction_no in transactions {
        let says = format!("reversal of {}", document.name());
        books.take_back(transaction_no, at, Reason::Reversal, &says)?;
    }
    Ok(document.reversal(next_no, (at.period, issued_on), books.head()))
}

//! One posting of the books.
//!
//! Duty: the shape of an entry and of a key. Not its duty: hashes ([`super::chain`]) and columns ([`super::table`]).

use std::fmt;

use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Currency, Date, Digest, Money, Period};

/// An account. Every posting names the partner too, so that each account has a sub-ledger by partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// What rebates cost.
    RebateExpense,
    /// Earned, not yet settled.
    AccruedRebates,
    /// Earned, kept back while a hold lasts.
    RebatesOnHold,
    /// Settled, not yet paid.
    PartnerPayable,
    /// Payments on their way.
    SettlementClearing,
    /// To be claimed back.
    PartnerReceivable,
    /// Earned and set aside, to be drawn down by claims.
    PartnerFunds,
}

impl Account {
    pub const ALL: [Account; 7] = [
        Account::RebateExpense,
        Account::AccruedRebates,
        Account::RebatesOnHold,
        Account::PartnerPayable,
        Account::SettlementClearing,
        Account::PartnerReceivable,
        Account::PartnerFunds,
    ];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Account::RebateExpense => "rebate_expense",
            Account::AccruedRebates => "accrued_rebates",
            Account::RebatesOnHold => "rebates_on_hold",
            Account::PartnerPayable => "partner_payable",
            Account::SettlementClearing => "settlement_clearing",
            Account::PartnerReceivable => "partner_receivable",
            Account::PartnerFunds => "partner_funds",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Account> {
        Account::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a transaction was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The first target of a key.
    Accrual,
    /// A later target of it.
    Adjustment,
    /// What a hold kept back is no longer kept back.
    HoldReleased,
    /// A settlement document: what was accrued is owed.
    Settlement,
    /// What is owed and what is claimed back against each other, by a settlement document.
    Netting,
    /// A settlement document was reversed.
    Reversal,
    /// An adjustment by people.
    ManualAdjustment,
    /// A payment of a settlement document.
    Payment,
    /// An approved claim: what was set aside is owed.
    Claim,
}

impl Reason {
    pub const ALL: [Reason; 9] = [
        Reason::Accrual,
        Reason::Adjustment,
        Reason::HoldReleased,
        Reason::Settlement,
        Reason::Netting,
        Reason::Reversal,
        Reason::ManualAdjustment,
        Reason::Payment,
        Reason::Claim,
    ];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Accrual => "accrual",
            Reason::Adjustment => "adjustment",
            Reason::HoldReleased => "hold_released",
            Reason::Settlement => "settlement",
            Reason::Netting => "netting",
            Reason::Reversal => "reversal",
            Reason::ManualAdjustment => "manual_adjustment",
            Reason::Payment => "payment",
            Reason::Claim => "claim",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// Whether it moves a key towards its target, or what of it is held.
    #[must_use]
    pub fn is_of_target(self) -> bool {
        matches!(self, Reason::Accrual | Reason::Adjustment | Reason::HoldReleased)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the books are moved by: one target, one booked amount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    pub currency: Currency,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "partner {}, {}, {}, {}",
            self.partner, self.scheme, self.earning_period, self.currency
        )
    }
}

/// A posted entry: one account of one transaction. Key: `entry_no`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without gaps, over the whole book.
    pub entry_no: i64,
    /// From 1, without gaps; the entries of a transaction follow one another and add up to zero.
    pub transaction_no: i64,
    pub account: Account,
    /// A debit is positive, a credit negative.
    pub amount: Money,
    pub partner: PartnerId,
    pub scheme: SchemeId,
    pub earning_period: Period,
    /// Posting period.
    pub period: Period,
    pub posting_on: Date,
    pub reason: Reason,
    /// The transaction of the same key that this one changes.
    pub corrects_transaction_no: Option<i64>,
    /// What asked for it, such as `target 350.00 EUR`.
    pub source: String,
    /// Hash of the entry before; 64 zeros for the first.
    pub previous_hash: Digest,
    /// Hash of all the fields above.
    pub entry_hash: Digest,
}

impl Entry {
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            partner: self.partner.clone(),
            scheme: self.scheme.clone(),
            earning_period: self.earning_period,
            currency: self.amount.currency(),
        }
    }
}

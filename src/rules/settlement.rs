//! Rules of the settlement: `[programme.settlement]`.
//!
//! Duty: its keys and their defaults. Not its duty: what is settled.

use std::collections::BTreeMap;

use super::leaf::{Out, Within};
use super::scheme::ByCurrency;
use super::schemes::amounts;
use super::section::Section;
use crate::domain::Ratio;

/// How posting periods are settled, the same in every region.
#[derive(Clone, Debug)]
pub struct SettlementRules {
    /// Days after the end of a posting period before which it is not settled: late data still comes in.
    pub grace_days: u32,
    /// Days from issue within which a document can be disputed.
    pub dispute_days: u32,
    /// Least amount of a document that is paid, in its currency; less is carried forward.
    pub minimum_payout: ByCurrency<Ratio>,
    /// Role in which a settlement must be approved; `None`: in any.
    pub approving_role: Option<String>,
}

impl Default for SettlementRules {
    fn default() -> SettlementRules {
        SettlementRules {
            grace_days: 0,
            dispute_days: 30,
            minimum_payout: ByCurrency {
                default: Ratio::zero(),
                by_currency: BTreeMap::new(),
            },
            approving_role: None,
        }
    }
}

/// The rules of `[programme.settlement]`; without the table the defaults.
pub(super) fn read_settlement(out: &mut Out, programme: &mut Section<'_>) -> Option<SettlementRules> {
    let key = "settlement";
    let mut rules = SettlementRules::default();
    let path = programme.at(key);
    let Some(item) = programme.get(key) else {
        return Some(rules);
    };
    let mut s = Section::open(out, path, item)?;
    let has = |s: &Section<'_>, key: &str| s.keys().any(|k| k == key);
    if has(&s, "grace_days") {
        rules.grace_days = s.count(out, "grace_days", 0..=366)?;
    }
    if has(&s, "dispute_days") {
        rules.dispute_days = s.count(out, "dispute_days", 0..=366)?;
    }
    if has(&s, "minimum_payout") {
        rules.minimum_payout = amounts(out, &mut s, "minimum_payout", Within::NotNegative)?;
    }
    if has(&s, "approving_role") {
        rules.approving_role = s
            .text(out, "approving_role", "\"finance_controller\"")
            .map(str::to_owned);
    }
    s.finish(out);
    Some(rules)
}

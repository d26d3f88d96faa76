//! What a scheme can say, as values.
//!
//! Duty: the types of `[schemes.<id>]`. Not its duty: reading them (`schemes`), computing with them (incentives).

use std::collections::BTreeMap;

use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Date, FxWays, Grade, PeriodKind, Rate, Ratio, Rounding};

/// A scheme that pays.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub id: SchemeId,
    pub title: String,
    pub earning_period: PeriodKind,
    /// Longer periods over which the amount adds up: an earning period gets what is earned from the longer one's first
    /// day to its own last, less what the earlier ones got.
    pub cumulative_over: Option<PeriodKind>,
    pub scope: Scope,
    pub date: SchemeDate,
    /// What pays.
    pub amount: BasisAmount,
    pub decision: Decision,
    /// Lines count only when paid in full.
    pub paid_in_full: bool,
    pub method: Method,
    pub gates: Vec<Gate>,
    /// In the order they are applied.
    pub modifiers: Vec<Modifier>,
    pub returns: Returns,
    pub stacking: Option<Stacking>,
    /// What is booked until the last earning period of `cumulative_over`.
    pub accrual: Option<Accrual>,
    /// Who gets it, by weight; empty: the partner.
    pub beneficiaries: Vec<Share>,
    /// What is earned is set aside, and paid against claims.
    pub fund: Option<Fund>,
    pub rounding: Rounding,
    /// Which exchange rate converts a line.
    pub fx_date: FxDate,
    /// Days for which the last earlier rate serves when a date has none.
    pub fx_max_age_days: u32,
    /// What serves where there is no direct rate.
    pub fx_ways: FxWays,
    /// Where the edition declares it: file and line, for messages.
    pub origin: String,
}

/// Which lines count; an empty list means any. Scope is mandatory: at least one list is not empty.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// product, service.
    pub line_kinds: Vec<String>,
    /// vendor, collaborative.
    pub service_models: Vec<String>,
    pub domains: Vec<String>,
    pub families: Vec<String>,
    /// Families that do not count.
    pub families_out: Vec<String>,
    /// Product ids.
    pub products: Vec<String>,
    /// Products that do not count, whatever the other lists say.
    pub products_out: Vec<String>,
    /// A, B, C, D.
    pub categories: Vec<String>,
    /// Of the partner on the scheme's date.
    pub tiers: Vec<String>,
    /// Only products flagged `incentive_eligible`.
    pub incentive_eligible_only: bool,
    /// Only lines whose domain is covered by an active certification on the scheme's date.
    pub certified_domain_only: bool,
    /// Only lines whose domain is covered by such an active certification, the narrowest, on the scheme's date.
    pub stars_at_least: Option<i64>,
}

/// What a scope looks at in a line and its product, but for the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scoped<'a> {
    /// product, service.
    pub line_kind: &'a str,
    /// vendor, collaborative; empty on a product line.
    pub service_model: &'a str,
    pub product: &'a str,
    pub family: &'a str,
    pub category: &'a str,
    pub incentive_eligible: bool,
}

impl Scope {
    /// Whether a line is of the scope, but for tier and certifications, which depend on the day. `is_within` says whether
    /// the line's domain is one of a list, or a member of one.
    pub fn takes(&self, line: &Scoped<'_>, is_within: impl Fn(&[String]) -> bool) -> bool {
        self.left_out(line, is_within).is_none()
    }

    /// The first key of the scope that leaves a line out, otherwise as [`Scope::takes`].
    pub fn left_out(&self, line: &Scoped<'_>, is_within: impl Fn(&[String]) -> bool) -> Option<&'static str> {
        let any_or = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        let asked = [
            ("line_kinds", any_or(&self.line_kinds, line.line_kind)),
            ("service_models", any_or(&self.service_models, line.service_model)),
            ("domains", self.domains.is_empty() || is_within(&self.domains)),
            ("families", any_or(&self.families, line.family)),
            ("families_out", !self.families_out.iter().any(|f| f == line.family)),
            ("products", any_or(&self.products, line.product)),
            ("products_out", !self.products_out.iter().any(|p| p == line.product)),
            ("categories", any_or(&self.categories, line.category)),
            (
                "incentive_eligible_only",
                !self.incentive_eligible_only || line.incentive_eligible,
            ),
        ];
        asked.into_iter().find(|(_, is_met)| !is_met).map(|(key, _)| key)
    }

    /// Whether certifications decide.
    pub fn asks_for_certification(&self) -> bool {
        self.certified_domain_only || self.stars_at_least.is_some()
    }
}

/// The date that places a line in a period (and is the FX date of a transaction).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeDate {
    OrderedOn,
    InvoicedOn,
}

/// The exchange rate of a line in another currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FxDate {
    /// Of the scheme's date.
    Transaction,
    /// Of the last day of the line's earning period.
    PeriodEnd,
    /// The mean of the rates published for days of the line's earning period.
    Average,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasisAmount {
    Net,
    List,
    /// Pieces.
    Quantity,
}

/// What decides on the band, the target and the growth; it may be another figure than what pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub on: BasisAmount,
    /// The lines of the fiscal year to date decide, and not only those of the earning period.
    pub year_to_date: bool,
}

/// A value, with values of its own for some settlement currencies (ISO codes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByCurrency<T> {
    pub default: T,
    pub by_currency: BTreeMap<String, T>,
}

impl<T> ByCurrency<T> {
    #[must_use]
    pub fn of(&self, currency: &str) -> &T {
        self.by_currency.get(currency).unwrap_or(&self.default)
    }

    /// Every value.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.default).chain(self.by_currency.values())
    }
}

/// How the amount earned follows from the basis; none is the default.
#[derive(Clone, Debug)]
pub enum Method {
    /// Each band pays its own slice. Bands ascend from 0, without gap, the top one open.
    Marginal { bands: ByCurrency<Vec<Band>>, edge: Edge },
    /// The band reached pays on all of it.
    Whole { bands: ByCurrency<Vec<Band>>, edge: Edge },
    /// One rate.
    Flat { rate: Rate },
    /// A rate by the stars of the narrowest certification that covers the line's domain on the scheme's date; no
    /// certification earns nothing.
    ByStars { rates: BTreeMap<i64, Rate> },
    /// An amount for each pack of so many units.
    PerUnit(PerUnit),
    /// Once the partner's own target is reached.
    Target(Goal),
    /// By the growth over a prior period, in bands of the growth as a share of the prior.
    Growth(Growth),
    /// An amount whatever was sold.
    Fixed(Fixed),
}

/// Which band owns the value at which two meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A band owns its lower edge: 100 is in the band from 100.
    Lower,
    /// A band owns its upper edge: 100 is in the band below.
    Upper,
}

/// A band, from where the one before ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// In the settlement currency; in pieces where the quantity decides; a share where growth does.
    pub from: Ratio,
    /// A share of the amount that pays; per piece, in the settlement currency, where the quantity pays.
    pub rate: Ratio,
    /// Paid once, when the band is entered, in the settlement currency.
    pub fixed: Ratio,
}

#[derive(Clone, Debug)]
pub struct PerUnit {
    /// For one pack.
    pub amount: ByCurrency<Ratio>,
    pub units_in_a_pack: Ratio,
    /// A pack that is not full pays in proportion, or nothing.
    pub broken_packs_pay: bool,
    pub at_most_units: Option<Ratio>,
}

#[derive(Clone, Debug)]
pub struct Goal {
    pub target: ByCurrency<Ratio>,
    /// Targets of single partners, in their settlement currency.
    pub partners: BTreeMap<PartnerId, Ratio>,
    /// The target itself is enough; else it must be exceeded.
    pub reached_at_target: bool,
    pub rate: Option<Rate>,
    /// The rate pays on what exceeds the target, and not on all of it.
    pub on_excess: bool,
    pub fixed: Option<ByCurrency<Ratio>>,
    /// The fixed amount is earned in equal parts over the earning periods of `cumulative_over`, with what was missed
    /// made up for once the target is reached.
    pub in_parts: bool,
}

#[derive(Clone, Debug)]
pub struct Growth {
    pub bands: Vec<Band>,
    pub edge: Edge,
    /// The rate pays on the whole basis, and not only on what grew.
    pub on_total: bool,
    /// The same period a year earlier, and not the one before.
    pub over_year_before: bool,
    pub no_prior: NoPrior,
}

/// What a partner gets that sold nothing in the prior period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPrior {
    Nothing,
    FirstBand,
    TopBand,
}

#[derive(Clone, Debug)]
pub struct Fixed {
    pub amount: ByCurrency<Ratio>,
    /// Amounts of single partners, in their settlement currency.
    pub partners: BTreeMap<PartnerId, Ratio>,
    /// Earned day by day over `[from, until)`, with or without sales; else with the first line that counts.
    pub by_day: Option<(Date, Date)>,
}

#[derive(Clone, Debug)]
pub enum Gate {
    /// The basis of the earning period must reach `amount` in the settlement currency, or the amount of its own that
    /// `by_currency` has for that currency.
    MinimumSales {
        amount: Ratio,
        by_currency: BTreeMap<String, Ratio>,
    },
    /// The domain's certification must be active throughout the earning period (several in turn without a gap will do).
    CertifiedThroughout,
    /// Other lines must reach a volume; they earn nothing by that.
    Volume {
        scope: Box<Scope>,
        of: BasisAmount,
        at_least: ByCurrency<Ratio>,
    },
    /// The grade of the partner's card must be this or a better one; without a grade it is not.
    MinimumGrade(Grade),
    /// The published score of the partner's card must reach this; without a score it does not.
    MinimumScore(Ratio),
    /// At most this share of the parts that were due is overdue and not returned; where none was due there is none.
    OverdueParts(Ratio),
    /// This share of the basis must be in lines that are paid in full.
    Collected(Ratio),
}

#[derive(Clone, Debug)]
pub enum Modifier {
    /// Multiplies by a factor of the grade.
    GradeFactor {
        of: GradeOf,
        factors: BTreeMap<Grade, Ratio>,
        not_rated: Ratio,
        incomplete: Ratio,
    },
    /// At most this much per target, in the settlement currency; `by_currency` as in `MinimumSales`.
    Cap {
        amount: Ratio,
        by_currency: BTreeMap<String, Ratio>,
    },
    /// At least this much per target; with `cumulative_over` asked in its last earning period only.
    Floor(ByCurrency<Ratio>),
    /// By the days of the earning period on which the partner was there.
    Proration { days: DayCount, of: ProrationOf },
    /// Less than this is not paid and carried to the next earning period; so is what is below zero.
    MinimumPayout(ByCurrency<Ratio>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GradeOf {
    /// The partner's card.
    Card,
    /// The domain of the line.
    Domain,
}

/// What a year, or the period, is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayCount {
    /// Days there by days of the earning period.
    ActualActual,
    /// Days there by 365, or as much of 365 as the earning period is of a year.
    Actual365,
    /// The same with 360.
    Actual360,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProrationOf {
    /// What has been earned so far.
    Amount,
    /// The floors and caps that the scheme lists after it.
    Limits,
}

/// Recovering money and losing progress are two switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returns {
    /// Share of a return's amount that takes money back: 1 all, 0 none.
    pub recover: Ratio,
    /// A return takes progress towards a band away; else the band stays and the money leaves the top slice.
    pub lose_progress: bool,
}

impl Default for Returns {
    fn default() -> Returns {
        Returns {
            recover: Ratio::one(),
            lose_progress: true,
        }
    }
}

/// How a scheme stands to others on the same lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stacking {
    /// Schemes of one group are computed in their order.
    pub group: String,
    pub order: i64,
    /// The basis is what earlier schemes of the group left of each line; else the line as it is.
    pub net_of_earlier: bool,
    /// What it earns reduces the basis of later ones.
    pub reduces_others: bool,
}

/// A fund that approved claims draw down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fund {
    /// Days after the last day of the earning period on which it can still be claimed on; what nobody claims lapses then.
    pub claims_until_days: u32,
}

#[derive(Clone, Debug)]
pub enum Accrual {
    /// This share of the basis.
    Rate(Rate),
    /// What a forecast of the whole term would earn, in proportion to what was sold of it.
    Forecast(Ratio),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub to: Beneficiary,
    pub weight: Ratio,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beneficiary {
    /// The partner that earned it.
    Partner,
    /// Its parent on the last day of the earning period; itself where it has none.
    Parent,
    Named(PartnerId),
}

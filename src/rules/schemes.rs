//! Schemes: what pays, on which lines, by which method.
//!
//! Duty: read `[schemes.<id>]` and its scope. Not its duty: methods (`scheme_methods`) with their bands (`bands`), gates and
//! modifiers (`scheme_modifiers`), how it stands to others (`scheme_extras`), computing an amount (incentives).

use std::collections::BTreeMap;

use super::discounts::TIERS;
use super::leaf::{Out, Within, decimal};
use super::read::{MAX_DAYS, PERIOD_KINDS};
use super::scheme::{BasisAmount, ByCurrency, FxDate, Scheme, SchemeDate, Scope};
use super::scheme_extras::{
    read_accrual, read_beneficiaries, read_cumulative, read_decision, read_fund, read_returns, read_stacking,
};
use super::scheme_methods::read_method;
use super::scheme_modifiers::{read_gates, read_modifiers};
use super::section::Section;
use super::tree::{Item, Node};
use crate::domain::ids::SchemeId;
use crate::domain::{Currency, FxWays, Ratio, Rounding};

const ROUNDINGS: [&str; 6] = ["half_away_from_zero", "half_even", "down", "up", "floor", "ceiling"];
/// What can pay or decide, by its name.
pub(super) const AMOUNTS: [(&str, BasisAmount); 3] = [
    ("net", BasisAmount::Net),
    ("list", BasisAmount::List),
    ("quantity", BasisAmount::Quantity),
];

pub(super) fn read_schemes(out: &mut Out, mut s: Section<'_>) -> Option<BTreeMap<SchemeId, Scheme>> {
    let mut schemes = BTreeMap::new();
    let mut whole = true;
    for name in s.keys() {
        let path = s.at(name);
        let Some(item) = s.get(name) else { continue };
        let id = match SchemeId::new(name) {
            Ok(id) => id,
            Err(error) => {
                out.error(
                    &item.origin,
                    &path,
                    "rules.value",
                    format!("the name of the scheme {error}"),
                    "correct the name",
                );
                whole = false;
                continue;
            }
        };
        if RESERVED.contains(&name.as_str()) {
            out.error(
                &item.origin,
                &path,
                "rules.value",
                format!("the books use the name `{name}` for what no scheme earned"),
                "give the scheme another name",
            );
            whole = false;
            continue;
        }
        match Section::open(out, path, item).and_then(|section| read_scheme(out, section, id.clone())) {
            Some((scheme, active)) => {
                if active {
                    schemes.insert(id, scheme);
                }
            }
            None => whole = false,
        }
    }
    whole.then_some(schemes)
}

/// Names that the ledger gives to entries without a scheme.
const RESERVED: [&str; 2] = ["settlement", "manual-adjustment"];

/// The scheme, and whether the region takes part in it.
fn read_scheme(out: &mut Out, mut s: Section<'_>, id: SchemeId) -> Option<(Scheme, bool)> {
    let active = s.flag_or(out, "active", true);
    let title = s
        .text(out, "title", "\"the name that partners read\"")
        .map(str::to_owned);
    let earning_period = s.choice(out, "earning_period", &PERIOD_KINDS);
    let scope = s.section(out, "scope").and_then(|scope| read_scope(out, scope));
    let dates = [
        ("ordered_on", SchemeDate::OrderedOn),
        ("invoiced_on", SchemeDate::InvoicedOn),
    ];
    let date = s.choice(out, "date", &dates);
    let amount = s.choice(out, "amount", &AMOUNTS);
    let paid_in_full = s.flag(out, "paid_in_full");
    let cumulative_over = read_cumulative(out, &mut s, earning_period);
    let decision = read_decision(out, &mut s, amount);
    let method = read_method(out, &mut s, amount);
    let gates = read_gates(out, &mut s);
    let modifiers = read_modifiers(out, &mut s);
    let returns = read_returns(out, &mut s);
    let stacking = read_stacking(out, &mut s);
    let accrual = read_accrual(out, &mut s);
    let beneficiaries = read_beneficiaries(out, &mut s);
    let fund = read_fund(out, &mut s);
    let roundings: Vec<(&str, Rounding)> = ROUNDINGS
        .iter()
        .filter_map(|n| Some((*n, Rounding::parse(n)?)))
        .collect();
    let rounding = s.choice(out, "rounding", &roundings);
    let fx_dates = [
        ("transaction", FxDate::Transaction),
        ("period_end", FxDate::PeriodEnd),
        ("average", FxDate::Average),
    ];
    let fx_date = choice_or_first(out, &mut s, "fx_date", &fx_dates);
    let fx_max_age_days = s.count(out, "fx_max_age_days", 0..=MAX_DAYS);
    let fx_inverse = s.flag_or(out, "fx_inverse", false);
    let fx_through = match s.get("fx_through") {
        Some(_) => read_through(out, &mut s).map(Some),
        None => Some(None),
    };
    let origin = s.origin.to_string();
    s.finish(out);
    let scheme = Scheme {
        id,
        title: title?,
        earning_period: earning_period?,
        cumulative_over: cumulative_over?,
        scope: scope?,
        date: date?,
        amount: amount?,
        decision: decision?,
        paid_in_full: paid_in_full?,
        method: method?,
        gates: gates?,
        modifiers: modifiers?,
        returns: returns?,
        stacking: stacking?,
        accrual: accrual?,
        beneficiaries: beneficiaries?,
        fund: fund?,
        rounding: rounding?,
        fx_date: fx_date?,
        fx_max_age_days: fx_max_age_days?,
        fx_ways: FxWays {
            inverse: fx_inverse?,
            through: fx_through?,
        },
        origin,
    };
    Some((scheme, active?))
}

/// The currency that crosses two others.
fn read_through(out: &mut Out, s: &mut Section<'_>) -> Option<Currency> {
    let code = s.text(
        out,
        "fx_through",
        "\"USD\" (the currency in the middle of a cross rate)",
    )?;
    let currency = Currency::parse(code);
    if currency.is_none() {
        out.error(
            s.origin_of("fx_through"),
            &s.at("fx_through"),
            "rules.currency",
            format!("'{code}' is no currency of ISO 4217"),
            "write a code such as USD, or remove the key",
        );
    }
    currency
}

pub(super) fn read_scope(out: &mut Out, mut s: Section<'_>) -> Option<Scope> {
    let line_kinds = s.words(out, "line_kinds", &["product", "service"]);
    let service_models = s.words(out, "service_models", &["vendor", "collaborative"]);
    let domains = s.words(out, "domains", &[]);
    let families = s.words(out, "families", &[]);
    let families_out = s.words(out, "families_out", &[]);
    let products = s.words(out, "products", &[]);
    let products_out = s.words(out, "products_out", &[]);
    let categories = s.words(out, "categories", &["A", "B", "C", "D"]);
    let tiers = s.words(out, "tiers", &TIERS);
    let incentive_eligible_only = s.flag_or(out, "incentive_eligible_only", false);
    let certified_domain_only = s.flag_or(out, "certified_domain_only", false);
    let stars_at_least = match s.get("stars_at_least") {
        Some(_) => s.count(out, "stars_at_least", 3..=5).map(Some),
        None => Some(None),
    };
    let (origin, path) = (s.origin, s.path.clone());
    s.finish(out);
    let scope = Scope {
        line_kinds: line_kinds?,
        service_models: service_models?,
        domains: domains?,
        families: families?,
        families_out: families_out?,
        products: products?,
        products_out: products_out?,
        categories: categories?,
        tiers: tiers?,
        incentive_eligible_only: incentive_eligible_only?,
        certified_domain_only: certified_domain_only?,
        stars_at_least: stars_at_least?,
    };
    let lists = [
        &scope.line_kinds,
        &scope.service_models,
        &scope.domains,
        &scope.families,
        &scope.products,
        &scope.categories,
    ];
    if lists.iter().all(|list| list.is_empty()) {
        let message = "the scope is empty, so every line would count".to_owned();
        let remedy = "name at least one of line_kinds, service_models, domains, families, products, categories";
        out.error(origin, &path, "rules.scope", message, remedy);
        return None;
    }
    Some(scope)
}

/// An amount of its own per settlement currency, or one for all.
pub(super) fn amounts(out: &mut Out, s: &mut Section<'_>, key: &str, within: Within) -> Option<ByCurrency<Ratio>> {
    let item = s.need(out, key, "\"…\" (in the settlement currency)")?;
    let (default, by_currency) = s.by_currency(out, key, item, |out, path, i| decimal(out, path, i, within))?;
    Some(ByCurrency { default, by_currency })
}

/// One of a few words, or the first of them where the key is absent.
pub(super) fn choice_or_first<T: Copy>(
    out: &mut Out,
    s: &mut Section<'_>,
    key: &str,
    words: &[(&str, T)],
) -> Option<T> {
    let Some(item) = s.get(key) else {
        return words.first().map(|(_, value)| *value);
    };
    let found = s.choice(out, key, words);
    let says_nothing = matches!((&item.node, words.first()), (Node::Text(text), Some((word, _))) if text == word);
    if found.is_some() && says_nothing {
        out.last_says_nothing();
    }
    found
}

/// A region that changes a method or the modifiers leaves behind what the base had for the old ones: that is no error.
pub(super) fn left_behind(s: &Section<'_>, changed: &Item, found: &Item) -> bool {
    changed.origin.file != found.origin.file && found.origin.file == s.origin.file
}

//! Schemes: what pays, on which lines, by which method.
//!
//! Duty: read `[schemes.<id>]`: scope, method with its rates, gates, modifiers. Not its duty: bands (`bands`), computing
//! an amount (incentives).

use std::collections::BTreeMap;

use super::bands::read_bands;
use super::leaf::{Out, Within, decimal, rate, unknown_word};
use super::model::{BasisAmount, Gate, GradeOf, Method, Modifier, Scheme, SchemeDate, Scope};
use super::read::{MAX_DAYS, PERIOD_KINDS};
use super::section::Section;
use super::tree::{Item, Node};
use crate::domain::ids::SchemeId;
use crate::domain::{Grade, Rate, Rounding};

const ROUNDINGS: [&str; 6] = ["half_away_from_zero", "half_even", "down", "up", "floor", "ceiling"];
const METHODS: [&str; 4] = ["flat", "marginal", "whole", "by_stars"];
/// Stars a certification can have.
const STARS: [i64; 3] = [3, 4, 5];

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
    let amount = s.choice(out, "amount", &[("net", BasisAmount::Net), ("list", BasisAmount::List)]);
    let paid_in_full = s.flag(out, "paid_in_full");
    let method = read_method(out, &mut s);
    let gates = read_gates(out, &mut s);
    let modifiers = read_modifiers(out, &mut s);
    let roundings: Vec<(&str, Rounding)> = ROUNDINGS
        .iter()
        .filter_map(|n| Some((*n, Rounding::parse(n)?)))
        .collect();
    let rounding = s.choice(out, "rounding", &roundings);
    let fx_max_age_days = s.count(out, "fx_max_age_days", 0..=MAX_DAYS);
    let origin = s.origin.to_string();
    s.finish(out);
    let scheme = Scheme {
        id,
        title: title?,
        earning_period: earning_period?,
        scope: scope?,
        date: date?,
        amount: amount?,
        paid_in_full: paid_in_full?,
        method: method?,
        gates: gates?,
        modifiers: modifiers?,
        rounding: rounding?,
        fx_max_age_days: fx_max_age_days?,
        origin,
    };
    Some((scheme, active?))
}

fn read_scope(out: &mut Out, mut s: Section<'_>) -> Option<Scope> {
    let line_kinds = s.words(out, "line_kinds", &["product", "service"]);
    let service_models = s.words(out, "service_models", &["vendor", "collaborative"]);
    let domains = s.words(out, "domains", &[]);
    let families = s.words(out, "families", &[]);
    let categories = s.words(out, "categories", &["A", "B", "C", "D"]);
    let incentive_eligible_only = s.flag_or(out, "incentive_eligible_only", false);
    let certified_domain_only = s.flag_or(out, "certified_domain_only", false);
    let (origin, path) = (s.origin, s.path.clone());
    s.finish(out);
    let scope = Scope {
        line_kinds: line_kinds?,
        service_models: service_models?,
        domains: domains?,
        families: families?,
        categories: categories?,
        incentive_eligible_only: incentive_eligible_only?,
        certified_domain_only: certified_domain_only?,
    };
    let lists = [
        &scope.line_kinds,
        &scope.service_models,
        &scope.domains,
        &scope.families,
        &scope.categories,
    ];
    if lists.iter().all(|list| list.is_empty()) {
        let message = "the scope is empty, so every line would count".to_owned();
        let remedy = "name at least one of line_kinds, service_models, domains, families, categories";
        out.error(origin, &path, "rules.scope", message, remedy);
        return None;
    }
    Some(scope)
}

fn read_method(out: &mut Out, s: &mut Section<'_>) -> Option<Method> {
    let [rate_item, rates_item, bands_item] = ["rate", "rates", "bands"].map(|key| s.get(key));
    let item = s.need(out, "method", &METHODS.map(|m| format!("\"{m}\"")).join(" or "))?;
    let Node::Text(name) = &item.node else {
        out.wrong_type(
            item,
            &s.at("method"),
            "text in quotes",
            &format!("write one of: {}", METHODS.join(", ")),
        );
        return None;
    };
    let key = match name.as_str() {
        "flat" => "rate",
        "by_stars" => "rates",
        "marginal" | "whole" => "bands",
        _ => {
            unknown_word(out, item, &s.at("method"), name, &METHODS);
            return None;
        }
    };
    out.note(&s.at("method"), item, name.clone(), name.clone());
    for (other, found) in [("rate", rate_item), ("rates", rates_item), ("bands", bands_item)] {
        if let Some(found) = found.filter(|f| other != key && !left_behind(s, item, f)) {
            let message = format!("`{other}` does not belong to the method \"{name}\" ({})", item.origin);
            out.error(
                &found.origin,
                &s.at(other),
                "rules.method",
                message,
                &format!("remove it; \"{name}\" takes `{key}`"),
            );
        }
    }
    match name.as_str() {
        "flat" => {
            let item = s.need(out, "rate", "\"1.5 %\"")?;
            Some(Method::Flat {
                rate: rate(out, &s.at("rate"), item)?,
            })
        }
        "by_stars" => read_star_rates(out, s),
        _ => {
            let item = s.need(out, "bands", "[{ from = \"0\", rate = \"1 %\" }]")?;
            let (bands, by_currency) = s.by_currency(out, "bands", item, read_bands)?;
            Some(match name.as_str() {
                "marginal" => Method::Marginal { bands, by_currency },
                _ => Method::Whole { bands, by_currency },
            })
        }
    }
}

/// A region that changes a method or the modifiers leaves behind what the base had for the old ones: that is no error.
fn left_behind(s: &Section<'_>, changed: &Item, found: &Item) -> bool {
    changed.origin.file != found.origin.file && found.origin.file == s.origin.file
}

fn read_star_rates(out: &mut Out, s: &mut Section<'_>) -> Option<Method> {
    let mut table = s.section(out, "rates")?;
    let rates: Vec<Option<(i64, Rate)>> = STARS
        .into_iter()
        .map(|stars| {
            let key = stars.to_string();
            let item = table.need(out, &key, "\"1 %\" (\"0 %\" where these stars earn nothing)")?;
            Some((stars, rate(out, &table.at(&key), item)?))
        })
        .collect();
    table.finish(out);
    Some(Method::ByStars {
        rates: rates.into_iter().collect::<Option<_>>()?,
    })
}

fn read_gates(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Gate>> {
    let Some(item) = s.get("gates") else {
        return Some(Vec::new());
    };
    let mut table = Section::open(out, s.at("gates"), item)?;
    let minimum = table.get("minimum_sales").map(|item| {
        let amounts = table.by_currency(out, "minimum_sales", item, |out, path, i| {
            decimal(out, path, i, Within::NotNegative)
        });
        amounts.map(|(amount, by_currency)| Gate::MinimumSales { amount, by_currency })
    });
    let certified = table.flag_or(out, "certified_throughout", false);
    table.finish(out);
    let mut gates = Vec::new();
    if let Some(minimum) = minimum {
        gates.push(minimum?);
    }
    if certified? {
        gates.push(Gate::CertifiedThroughout);
    }
    Some(gates)
}

/// `modifiers` names the order; each has a table or amounts of its own name beside it.
fn read_modifiers(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Modifier>> {
    const NAMES: [&str; 2] = ["grade_factor", "cap"];
    let listed = s.need(
        out,
        "modifiers",
        "[\"grade_factor\"] (in the order they are applied, or [])",
    );
    let names = listed.and_then(|item| s.sequence(out, "modifiers", item, &NAMES));
    if let (Some(names), Some(item)) = (&names, listed) {
        out.note(&s.at("modifiers"), item, names.join(", "), format!("{names:?}"));
    }
    let mut modifiers = Vec::new();
    let mut whole = true;
    for name in NAMES {
        let (Some(item), Some(list), Some(names)) = (s.get(name), listed, &names) else {
            continue;
        };
        if !names.iter().any(|n| n == name) && !left_behind(s, list, item) {
            let message = format!("`{name}` is not among the modifiers of the scheme, so it would do nothing");
            let remedy = format!("add \"{name}\" to `modifiers`, or remove it");
            out.error(&item.origin, &s.at(name), "rules.modifier", message, &remedy);
            whole = false;
        }
    }
    for name in names? {
        let modifier = match name.as_str() {
            "grade_factor" => s
                .section(out, "grade_factor")
                .and_then(|table| read_grade_factor(out, table)),
            _ => read_cap(out, s),
        };
        match modifier {
            Some(modifier) => modifiers.push(modifier),
            None => whole = false,
        }
    }
    whole.then_some(modifiers)
}

fn read_cap(out: &mut Out, s: &mut Section<'_>) -> Option<Modifier> {
    let item = s.need(out, "cap", "\"…\" (in the settlement currency)")?;
    let (amount, by_currency) = s.by_currency(out, "cap", item, |out, path, i| {
        decimal(out, path, i, Within::NotNegative)
    })?;
    Some(Modifier::Cap { amount, by_currency })
}

/// Every grade has a factor, and so have the states without one.
fn read_grade_factor(out: &mut Out, mut s: Section<'_>) -> Option<Modifier> {
    let of = s.choice(out, "of", &[("card", GradeOf::Card), ("domain", GradeOf::Domain)]);
    let factors: Vec<_> = Grade::ALL
        .into_iter()
        .map(|g| Some((g, s.ratio(out, g.as_str(), Within::NotNegative)?)))
        .collect();
    let not_rated = s.ratio(out, "not_rated", Within::NotNegative);
    let incomplete = s.ratio(out, "incomplete", Within::NotNegative);
    s.finish(out);
    Some(Modifier::GradeFactor {
        of: of?,
        factors: factors.into_iter().collect::<Option<BTreeMap<_, _>>>()?,
        not_rated: not_rated?,
        incomplete: incomplete?,
    })
}

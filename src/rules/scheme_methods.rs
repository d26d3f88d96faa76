//! Methods of a scheme.
//!
//! Duty: read `method` and the one key that belongs to it. Not its duty: the bands themselves (`bands`).

use std::collections::BTreeMap;

use super::bands::{BandForm, read_bands};
use super::leaf::{Out, Within, decimal, rate, unknown_word};
use super::scheme::{BasisAmount, ByCurrency, Edge, Fixed, Goal, Growth, Method, NoPrior, PerUnit};
use super::schemes::{amounts, choice_or_first, left_behind};
use super::section::Section;
use super::tree::Node;
use crate::domain::ids::PartnerId;
use crate::domain::time::parse_date;
use crate::domain::{Date, Rate, Ratio};

const METHODS: [&str; 8] = [
    "flat", "marginal", "whole", "by_stars", "per_unit", "target", "growth", "fixed",
];
/// Stars a certification can have.
const STARS: [i64; 3] = [3, 4, 5];

pub(super) fn read_method(out: &mut Out, s: &mut Section<'_>, amount: Option<BasisAmount>) -> Option<Method> {
    const KEYS: [&str; 7] = ["rate", "rates", "bands", "per_unit", "target", "growth", "fixed"];
    let items = KEYS.map(|key| s.get(key));
    let edge_item = s.get("edge");
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
        "per_unit" | "target" | "growth" | "fixed" => name.as_str(),
        _ => {
            unknown_word(out, item, &s.at("method"), name, &METHODS);
            return None;
        }
    };
    out.note(&s.at("method"), item, name.clone(), name.clone());
    for (other, found) in KEYS.into_iter().zip(items).chain([("edge", edge_item)]) {
        let own = other == key || (other == "edge" && key == "bands");
        if let Some(found) = found.filter(|f| !own && !left_behind(s, item, f)) {
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
        "per_unit" => read_per_unit(out, s),
        "target" => read_target(out, s),
        "growth" => read_growth(out, s, amount),
        "fixed" => read_fixed(out, s),
        _ => {
            let edge = read_edge(out, s);
            let item = s.need(out, "bands", "[{ from = \"0\", rate = \"1 %\" }]")?;
            let form = BandForm {
                per_unit: amount == Some(BasisAmount::Quantity),
                from_is_share: false,
            };
            let (default, by_currency) =
                s.by_currency(out, "bands", item, |out, path, item| read_bands(out, path, item, form))?;
            let (bands, edge) = (ByCurrency { default, by_currency }, edge?);
            Some(match name.as_str() {
                "marginal" => Method::Marginal { bands, edge },
                _ => Method::Whole { bands, edge },
            })
        }
    }
}

fn read_edge(out: &mut Out, s: &mut Section<'_>) -> Option<Edge> {
    choice_or_first(out, s, "edge", &[("lower", Edge::Lower), ("upper", Edge::Upper)])
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

fn read_per_unit(out: &mut Out, s: &mut Section<'_>) -> Option<Method> {
    let mut table = s.section(out, "per_unit")?;
    let amount = amounts(out, &mut table, "amount", Within::NotNegative);
    let units_in_a_pack = optional(out, &mut table, "units_in_a_pack", Within::Positive);
    let broken = [("pay_in_proportion", true), ("pay_nothing", false)];
    // only where packs are packs can one be broken
    let broken_packs_pay = match &units_in_a_pack {
        Some(Some(_)) => table.choice(out, "broken_packs", &broken),
        _ => choice_or_first(out, &mut table, "broken_packs", &broken),
    };
    let at_most_units = optional(out, &mut table, "at_most_units", Within::NotNegative);
    table.finish(out);
    Some(Method::PerUnit(PerUnit {
        amount: amount?,
        units_in_a_pack: units_in_a_pack?.unwrap_or_else(Ratio::one),
        broken_packs_pay: broken_packs_pay?,
        at_most_units: at_most_units?,
    }))
}

fn read_target(out: &mut Out, s: &mut Section<'_>) -> Option<Method> {
    let mut table = s.section(out, "target")?;
    let target = amounts(out, &mut table, "amount", Within::Positive);
    let partners = by_partner(out, &mut table, Within::Positive);
    let reached = table.choice(out, "reached", &[("at_target", true), ("over_target", false)]);
    let share = table.get("rate").map(|item| rate(out, &table.at("rate"), item));
    let on = [("all", false), ("excess", true)];
    let on_excess = if share.is_some() {
        table.choice(out, "on", &on)
    } else {
        choice_or_first(out, &mut table, "on", &on)
    };
    let fixed = match table.get("fixed") {
        None => Some(None),
        Some(_) => amounts(out, &mut table, "fixed", Within::NotNegative).map(Some),
    };
    let in_parts = table.flag_or(out, "in_parts", false);
    let (origin, path) = (table.origin, table.path.clone());
    table.finish(out);
    if share.is_none() && fixed == Some(None) {
        let message = "a target that pays nothing".to_owned();
        out.error(
            origin,
            &path,
            "rules.method",
            message,
            "add rate = \"5 %\" or fixed = \"1000\", or both",
        );
        return None;
    }
    Some(Method::Target(Goal {
        target: target?,
        partners: partners?,
        reached_at_target: reached?,
        rate: match share {
            None => None,
            Some(read) => Some(read?),
        },
        on_excess: on_excess?,
        fixed: fixed?,
        in_parts: in_parts?,
    }))
}

fn read_growth(out: &mut Out, s: &mut Section<'_>, amount: Option<BasisAmount>) -> Option<Method> {
    let mut table = s.section(out, "growth")?;
    let form = BandForm {
        per_unit: amount == Some(BasisAmount::Quantity),
        from_is_share: true,
    };
    let bands = table
        .need(
            out,
            "bands",
            "[{ from = \"0 %\", rate = \"0 %\" }, { from = \"5 %\", rate = \"2 %\" }]",
        )
        .and_then(|item| read_bands(out, &table.at("bands"), item, form));
    let edge = read_edge(out, &mut table);
    let on_total = table.choice(out, "on", &[("growth", false), ("total", true)]);
    let over_year_before = table.choice(out, "over", &[("period_before", false), ("year_before", true)]);
    let policies = [
        ("nothing", NoPrior::Nothing),
        ("first_band", NoPrior::FirstBand),
        ("top_band", NoPrior::TopBand),
    ];
    let no_prior = table.choice(out, "no_prior", &policies);
    table.finish(out);
    Some(Method::Growth(Growth {
        bands: bands?,
        edge: edge?,
        on_total: on_total?,
        over_year_before: over_year_before?,
        no_prior: no_prior?,
    }))
}

fn read_fixed(out: &mut Out, s: &mut Section<'_>) -> Option<Method> {
    let mut table = s.section(out, "fixed")?;
    let amount = amounts(out, &mut table, "amount", Within::NotNegative);
    let partners = by_partner(out, &mut table, Within::NotNegative);
    let is_by_day = table.choice(out, "earned", &[("at_once", false), ("by_day", true)]);
    let by_day = match is_by_day {
        Some(true) => {
            let (from, until) = (day(out, &mut table, "from"), day(out, &mut table, "until"));
            match (from, until) {
                (Some(from), Some(until)) if from < until => Some(Some((from, until))),
                (Some(from), Some(until)) => {
                    let message = format!("{until} is not after {from}");
                    let remedy = "write the first day after the last one that earns";
                    out.error(
                        table.origin_of("until"),
                        &table.at("until"),
                        "rules.value",
                        message,
                        remedy,
                    );
                    None
                }
                _ => None,
            }
        }
        Some(false) => Some(None),
        None => None,
    };
    table.finish(out);
    Some(Method::Fixed(Fixed {
        amount: amount?,
        partners: partners?,
        by_day: by_day?,
    }))
}

/// `partners`: amounts of single partners, by id; may be absent.
fn by_partner(out: &mut Out, s: &mut Section<'_>, within: Within) -> Option<BTreeMap<PartnerId, Ratio>> {
    let Some(item) = s.get("partners") else {
        return Some(BTreeMap::new());
    };
    let mut table = Section::open(out, s.at("partners"), item)?;
    let mut partners = BTreeMap::new();
    let mut whole = true;
    for key in table.keys() {
        let Some(item) = table.get(key) else { continue };
        let path = table.at(key);
        match (PartnerId::new(key), decimal(out, &path, item, within)) {
            (Ok(id), Some(amount)) => {
                partners.insert(id, amount);
            }
            (Ok(_), None) => whole = false,
            (Err(error), _) => {
                out.error(
                    &item.origin,
                    &path,
                    "rules.value",
                    format!("the partner's id {error}"),
                    "correct the id",
                );
                whole = false;
            }
        }
    }
    whole.then_some(partners)
}

#[expect(clippy::option_option, reason = "what is not declared is no mistake")]
fn optional(out: &mut Out, s: &mut Section<'_>, key: &str, within: Within) -> Option<Option<Ratio>> {
    match s.get(key) {
        None => Some(None),
        Some(item) => decimal(out, &s.at(key), item, within).map(Some),
    }
}

fn day(out: &mut Out, s: &mut Section<'_>, key: &str) -> Option<Date> {
    let text = s.text(out, key, "\"2026-07-01\"")?;
    let date = parse_date(text);
    if date.is_none() {
        let message = format!("\"{text}\" is no date");
        out.error(
            s.origin_of(key),
            &s.at(key),
            "rules.value",
            message,
            "write year-month-day, such as \"2026-07-01\"",
        );
    }
    date
}

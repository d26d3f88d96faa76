//! What a target makes of each line: counted with how much, or left out with the reason.
//!
//! Duty: put the verdicts of the engine into words. Not its duty: deciding; `basis` decides, here as in every run.

use super::basis::{self, Aside, Verdict};
use super::lines::Line;
use super::target::Case;
use crate::domain::{Currency, Ratio};
use crate::rules::SchemeDate;

/// One of the partner's lines, by its place in the table of sales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineVerdict {
    pub place: usize,
    pub verdict: LineSays,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineSays {
    Counts(Counted),
    /// Why it does not.
    Left(String),
}

/// How much a line counts, in the settlement currency, or in pieces where the scheme counts pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// From the currency of the line.
    pub fx_rate: Ratio,
    /// In what pays.
    pub pays: Ratio,
    /// In what decides on bands and targets.
    pub decides: Ratio,
    /// What earlier schemes of the stack took from both.
    pub taken: Ratio,
}

/// The verdicts on the lines that have one of their dates in the term of a target; others are not told.
pub(super) fn of(case: &Case<'_>) -> Vec<LineVerdict> {
    let ask = case.ask();
    let told = case.lines.iter().enumerate();
    told.filter(|(_, line)| line.falls_in(ask.from, ask.end))
        .map(|(place, line)| LineVerdict {
            place,
            verdict: match basis::verdict(case, line, ask) {
                Verdict::Counts { sum, rate } => {
                    let taken = ask.reductions.and_then(|r| r.get(&place)).cloned();
                    let taken = taken.unwrap_or_else(Ratio::zero);
                    LineSays::Counts(Counted {
                        fx_rate: rate,
                        pays: &sum.amount - &taken,
                        decides: &sum.decides - &taken,
                        taken,
                    })
                }
                other => LineSays::Left(why(case, line, &other)),
            },
        })
        .collect()
}

fn why(case: &Case<'_>, line: &Line<'_>, verdict: &Verdict) -> String {
    let scheme = case.scheme;
    let date = match scheme.date {
        SchemeDate::OrderedOn => "ordered_on",
        SchemeDate::InvoicedOn => "invoiced_on",
    };
    let day = line.date(scheme.date);
    match verdict {
        Verdict::Counts { .. } => String::new(),
        Verdict::Elsewhen => format!("the scheme goes by {date}, and {day} lies in another period"),
        Verdict::OutOfScope(key) => {
            let tier = case
                .facts
                .partners
                .on(case.partner, day)
                .map_or("", |version| version.tier);
            let certified = case.facts.certifications.narrowest_on(case.partner, line.domain, day);
            let stars = certified.map(|(_, stars)| stars);
            let value = match *key {
                "line_kinds" => line.kind,
                "service_models" => line.service_model,
                "domains" => line.domain,
                "families" | "families_out" => line.family,
                "products" | "products_out" => line.product,
                "categories" => line.category,
                "tiers" => tier,
                "incentive_eligible_only" => return format!("scope.{key}: its product is not eligible"),
                "stars_at_least" if stars.is_some() => {
                    let stars = stars.unwrap_or_default();
                    return format!("scope.{key}: {} has {stars} stars on {day}", line.domain);
                }
                _ => return format!("scope.{key}: no certification covers {} on {day}", line.domain),
            };
            format!("scope.{key} leaves out '{value}'")
        }
        Verdict::Aside(Aside::Frozen) => "ordered within a freeze".to_owned(),
        Verdict::Aside(Aside::Unpaid) => "not paid in full".to_owned(),
        Verdict::Aside(Aside::Waiting) if Currency::parse(line.currency).is_none() => {
            format!("waits: '{}' is no currency of ISO 4217", line.currency)
        }
        Verdict::Aside(Aside::Waiting) => {
            let days = day.to_string();
            format!("waits: {}", basis::no_rate(case, line.currency, &days))
        }
    }
}

//! How one metric came about.
//!
//! Duty: the lines from the measures to the normalised value. Not its duty: computing any of them.

use super::explain::{Line, number, number_or_none};
use super::knots::OnKnots;
use super::metric::{Metric, Step, Working, counted};
use super::parts::PartsWorking;
use super::peers::{PeerBasis, Peers};
use super::quality::{InspectionPart, QualityWorking};
use super::satisfaction::{CustomerPart, SatisfactionWorking};
use crate::domain::Ratio;
use crate::rules::PartsMode;

/// A metric with all that it rests on.
#[must_use]
pub fn line(metric: &Metric) -> Line {
    let mut children = match &metric.working {
        Working::Satisfaction(working) => satisfaction(metric, working),
        Working::Quality(working) => quality(metric, working),
        Working::Parts(working) => parts(metric, working),
        Working::Steps(steps) => {
            let line = |step: &Step| Line::new(&*step.label, &*step.formula, step.value.clone());
            steps.iter().map(line).collect()
        }
    };
    if let Some(band) = &metric.band {
        children.push(Line::new("band", "of the published points", band.clone()));
    }
    if metric.raw.is_none() {
        // nothing was concluded: what was counted is all there is to show
        children.retain(|line| !line.value.is_empty() && line.value != "none");
    }
    if let Some(note) = &metric.note {
        children.push(Line::new("note", note.clone(), ""));
    }
    let value = metric
        .normalised
        .as_ref()
        .map_or_else(|| "no result".to_owned(), number);
    let reason = metric.reason.clone().unwrap_or_default();
    Line::new(
        metric.id.as_str(),
        reason,
        format!("{value}, {}", metric.state.as_str()),
    )
    .with(children)
}

fn satisfaction(metric: &Metric, working: &SatisfactionWorking) -> Vec<Line> {
    let sums = &working.sums;
    let limit = working
        .limit
        .as_ref()
        .map_or_else(String::new, |w| format!("; a held customer counts {}", number(w)));
    let customers = Line::new(
        "answers",
        format!("by customer: class weight × responsibility share{limit}"),
        counted(sums.n, "answer"),
    );
    let p = format!(
        "satisfied weight / weight = {} / {}",
        number(&sums.total),
        number(&sums.weight)
    );
    let n_eff = format!("(Σw)² / Σw² = {}² / {}", number(&sums.weight), number(&sums.squares));
    let mut lines = vec![
        customers.with(working.customers.iter().map(customer).collect()),
        Line::new("p", p, number_or_none(metric.raw.as_ref())),
        Line::new("n_eff", n_eff, number_or_none(metric.n_eff.as_ref())),
    ];
    if let Some((low, high)) = &metric.interval {
        lines.push(Line::new(
            "interval",
            "Wilson 95 % of p with n_eff, z = 1.959964",
            format!("{} … {}", number(low), number(high)),
        ));
    }
    lines.extend(metric.peers.as_ref().map(|peers| peer_line(peers, "answer")));
    lines.extend(shrunk(metric, &working.strength));
    lines.extend(
        working
            .on_knots
            .as_ref()
            .filter(|_| metric.adjusted.is_some())
            .map(knots),
    );
    lines
}

fn customer(part: &CustomerPart) -> Line {
    let held = part.held_from.as_ref();
    let held = held.map_or_else(String::new, |weight| format!(", held from weight {}", number(weight)));
    let formula = format!("{}{held}", counted(part.counted.n, "answer"));
    let value = format!(
        "satisfied {} of {}",
        number(&part.counted.total),
        number(&part.counted.weight)
    );
    Line::new(format!("customer {}", part.customer), formula, value)
}

fn quality(metric: &Metric, working: &QualityWorking) -> Vec<Line> {
    let sums = &working.sums;
    let source = match working.periods {
        1 => "of the period".to_owned(),
        periods => format!("of {periods} periods: the period itself has {}", working.n_period),
    };
    let mean = format!(
        "Σ weight × score / Σ weight = {} / {}",
        number(&sums.total),
        number(&sums.weight)
    );
    let n_eff = format!("(Σw)² / Σw² = {}² / {}", number(&sums.weight), number(&sums.squares));
    let mut lines = vec![
        Line::new("inspections", source, counted(sums.n, "inspection"))
            .with(working.used.iter().map(inspections).collect()),
        Line::new("mean", mean, number_or_none(metric.raw.as_ref())),
        Line::new("n_eff", n_eff, number_or_none(metric.n_eff.as_ref())),
    ];
    lines.extend(metric.peers.as_ref().map(|peers| peer_line(peers, "inspection")));
    lines.extend(shrunk(metric, &working.strength));
    lines.extend(
        working
            .on_knots
            .as_ref()
            .filter(|_| metric.adjusted.is_some())
            .map(knots),
    );
    if working.open_critical > 0 {
        let held = if working.capped {
            "held at the cap"
        } else {
            "already within the cap"
        };
        let open = counted(working.open_critical, "critical finding");
        lines.push(Line::new(
            "critical cap",
            format!("{open} open too long; {held}"),
            number(&working.cap),
        ));
    }
    lines
}

fn inspections(part: &InspectionPart) -> Line {
    let rows = &part.rows;
    let formula = if rows.scored {
        format!("100 × {} / {}, mean of them", rows.score_sum, rows.score_max)
    } else {
        format!(
            "100 less the points of {} critical, {} major, {} minor",
            rows.critical, rows.major, rows.minor
        )
    };
    let label = format!(
        "{} ({}), weight {}",
        counted(part.sums.n, "inspection"),
        rows.selected_by,
        number(&part.weight)
    );
    Line::new(label, formula, number(&part.score))
}

fn parts(metric: &Metric, working: &PartsWorking) -> Vec<Line> {
    let q = &working.quantities;
    let raw = format!(
        "1 − overdue / (due + opening) = 1 − {} / ({} + {})",
        q.overdue, q.due, q.opening
    );
    let mut lines = vec![
        Line::new("due in the period", "", q.due.to_string()),
        Line::new("overdue at its start", "", q.opening.to_string()),
        Line::new("overdue at its end", "", q.overdue.to_string()),
        Line::new("raw", raw, number_or_none(metric.raw.as_ref())),
    ];
    if metric.normalised.is_none() {
        return lines;
    }
    lines.extend(working.on_knots.as_ref().map(knots));
    let cap = working
        .points_cap
        .as_ref()
        .map(|cap| format!(", at most {}", number(cap)))
        .unwrap_or_default();
    let points = match working.mode {
        PartsMode::Rate => format!(
            "{} × {} long overdue{cap}",
            number(&working.points_each),
            q.long_overdue
        ),
        PartsMode::Count => format!(
            "100 less {} × {} overdue, at least 0",
            number(&working.points_each),
            q.overdue
        ),
    };
    lines.push(Line::new("points off", points, number(&working.points_off)));
    lines
}

fn peer_line(peers: &Peers, noun: &str) -> Line {
    let group = match peers.basis {
        PeerBasis::Domain => format!("others in the region and domain: {}", counted(peers.n_domain, noun)),
        PeerBasis::Region => format!(
            "others in the region: {}; in the domain only {}, {} needed",
            counted(peers.n_region, noun),
            peers.n_domain,
            peers.minimum
        ),
        PeerBasis::Default => format!(
            "default: others have {} in the domain and {} in the region, {} needed",
            counted(peers.n_domain, noun),
            peers.n_region,
            peers.minimum
        ),
    };
    Line::new("peers", group, number(&peers.value))
}

fn shrunk(metric: &Metric, strength: &Ratio) -> Option<Line> {
    let (adjusted, raw) = (metric.adjusted.as_ref()?, metric.raw.as_ref()?);
    let (n, peers, m) = (
        number(metric.n_eff.as_ref()?),
        number(&metric.peers.as_ref()?.value),
        number(strength),
    );
    let formula = format!(
        "(n_eff·raw + m·peers) / (n_eff + m) = ({n}·{} + {m}·{peers}) / ({n} + {m})",
        number(raw)
    );
    Some(Line::new("adjusted", formula, number(adjusted)))
}

fn knots(on: &OnKnots) -> Line {
    let [(x0, y0), (x1, y1)] = &on.between;
    let formula = if x0 == x1 {
        format!("on or beyond the knot {}→{}", number(x0), number(y0))
    } else {
        format!(
            "between {}→{} and {}→{}",
            number(x0),
            number(y0),
            number(x1),
            number(y1)
        )
    };
    Line::new("on knots", formula, number(&on.value))
}

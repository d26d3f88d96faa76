//! A metric of the programme's own: a rule over the rows of a measure.
//!
//! Duty: value → rounded value → points in 0…100, with n, state and the steps; what is missing as the rule says. Not its
//! duty: what the measure counts (its SQL says), the formulas' arithmetic (`formula`).

use super::fields::Read;
use super::formula::{self, NoValue, Rows};
use super::inputs::EvaluationError;
use super::knots;
use super::metric::{Metric, MetricState, Step, Working, joined};
use crate::domain::{Ratio, Rounding};
use crate::rules::{Label, MetricId, Missing, Normalise, OwnMetric, RuleBook};

/// Decimals to which a published metric is shown, and by which its band is found.
const SHOWN_PLACES: u8 = 2;

/// The metric of one partner × domain × period; with a value that is presumed in place of that of its rows.
pub fn measure(book: &RuleBook, rules: &OwnMetric, rows: Rows, presumed: Option<&Ratio>) -> Read<Metric> {
    let id = MetricId::Own(rules.name);
    if rows.rows.is_empty() && rules.without_rows != Missing::Zero {
        let reason = format!("measure {} has no row", rules.measure);
        return Ok(without(id, rules.without_rows, 0, reason, Vec::new()));
    }
    let mut steps = Vec::new();
    for (expr, found) in formula::aggregates(&rules.value.expr, rows) {
        let shown = found.map_or_else(|| "none".to_owned(), |n| super::explain::number(&n));
        steps.push(Step::new(expr.to_string(), "over the rows of the measure", shown));
    }
    let observed = formula::number(&rules.observations.expr, rows);
    let n = observed.as_ref().ok().and_then(whole).unwrap_or(0);
    let value = match (formula::number(&rules.value.expr, rows), observed) {
        (Ok(value), Ok(_)) => value,
        (Err(why), _) | (_, Err(why)) => {
            let missing = match why {
                NoValue::Denominator => rules.without_denominator.unwrap_or(Missing::Insufficient),
                NoValue::NoRows => Missing::Insufficient,
            };
            let reason = match why {
                NoValue::Denominator => format!("{} is 0", rules.value.denominators.join(" or ")),
                NoValue::NoRows => format!("measure {} has no value to take", rules.measure),
            };
            return Ok(without(id, missing, n, reason, steps));
        }
    };
    let (value, how) = match presumed {
        Some(presumed) => (presumed.clone(), "presumed".to_owned()),
        None => (value, rules.value.text.clone()),
    };
    steps.push(Step::new("value", how, super::explain::number(&value)));
    let (state, reason) = state(rules, n);
    let raw = Some(value.clone());
    if !state.counts() {
        return Ok(Metric {
            raw,
            ..bare(id, state, n, reason, steps)
        });
    }
    let adjusted = match rules.decimals {
        Some(places) => rounded(&value, places)?,
        None => value,
    };
    let (points, how) = points(book, id, &rules.normalise, &adjusted)?;
    let normalised = points.clamp_to(&Ratio::zero(), &Ratio::int(100));
    steps.push(Step::new("points", how, super::explain::number(&normalised)));
    let shown = rounded(&normalised, SHOWN_PLACES)?;
    let band = rules.labels.first().and_then(|_| label(&rules.labels, &shown));
    Ok(Metric {
        raw,
        adjusted: Some(adjusted),
        normalised: Some(normalised),
        band,
        ..bare(id, state, n, reason, steps)
    })
}

/// Values that would be worth more points than the present ones: the nearest on the map to 0…100, and the one that is worth
/// most, where that is another. Which of them can be reached, nobody knows here.
pub fn better_values(map: &Normalise, value: &Ratio, points: &Ratio) -> Vec<Ratio> {
    let all: Vec<(Ratio, Ratio)> = match map {
        Normalise::Knots(knots) => knots.0.clone(),
        Normalise::Steps { steps, .. } => {
            let edge = |step: &crate::rules::Step| Some((step.edge.clone()?, step.points.clone()));
            steps.iter().filter_map(edge).collect()
        }
        Normalise::Linear { slope, offset } => {
            let full = Ratio::int(100);
            let at = (&full - offset).checked_div(slope);
            at.into_iter().map(|at| (at, full.clone())).collect()
        }
        Normalise::Penalty { start, each, .. } => {
            let one_less = (value - &Ratio::one()).clamp_to(&Ratio::zero(), value);
            let of = |value: Ratio| {
                let points = start - &(each * &value);
                (value, points)
            };
            vec![of(one_less), of(Ratio::zero())]
        }
        Normalise::LookUp { points, .. } => points.iter().map(|(at, points)| (at.clone(), points.clone())).collect(),
    };
    let better = || all.iter().filter(|(at, more)| more > points && at != value);
    let away = |at: &Ratio| if at > value { at - value } else { value - at };
    let nearest = better().min_by(|a, b| away(&a.0).cmp(&away(&b.0)));
    // of the values that are worth most, the nearest
    let most = better().max_by(|a, b| a.1.cmp(&b.1).then(away(&b.0).cmp(&away(&a.0))));
    let mut out: Vec<Ratio> = [nearest, most]
        .into_iter()
        .flatten()
        .map(|(at, _)| at.clone())
        .collect();
    out.dedup();
    out
}

/// A metric without a value.
fn without(id: MetricId, missing: Missing, n: i64, reason: String, steps: Vec<Step>) -> Metric {
    let state = match missing {
        Missing::NotApplicable => MetricState::NotApplicable,
        Missing::Insufficient | Missing::Zero => MetricState::Insufficient,
    };
    bare(id, state, n, Some(reason), steps)
}

/// A metric of which nothing but its state is known.
pub fn bare(id: MetricId, state: MetricState, n: i64, reason: Option<String>, steps: Vec<Step>) -> Metric {
    Metric {
        id,
        state,
        reason,
        n,
        n_eff: None,
        raw: None,
        interval: None,
        peers: None,
        adjusted: None,
        normalised: None,
        band: None,
        note: None,
        working: Working::Steps(steps),
    }
}

fn state(rules: &OwnMetric, n: i64) -> (MetricState, Option<String>) {
    if n < rules.insufficient_below {
        let reason = format!("observations: {n}, at least {} needed", rules.insufficient_below);
        (MetricState::Insufficient, Some(reason))
    } else if n < rules.provisional_below {
        let reason = format!(
            "observations: {n}, {} needed to be rated in full",
            rules.provisional_below
        );
        (MetricState::Provisional, joined([Some(reason)]))
    } else {
        (MetricState::Rated, None)
    }
}

/// Points before they are held in 0…100, and how they were come by.
fn points(book: &RuleBook, id: MetricId, map: &Normalise, value: &Ratio) -> Read<(Ratio, String)> {
    let number = super::explain::number;
    Ok(match map {
        Normalise::Knots(knots) => {
            let on =
                knots::at(knots, value).ok_or_else(|| EvaluationError::missing(book, format!("metrics.{id}.knots")))?;
            let [(x0, y0), (x1, y1)] = &on.between;
            let how = format!(
                "knots: {} → {} to {} → {}",
                number(x0),
                number(y0),
                number(x1),
                number(y1)
            );
            (on.value, how)
        }
        Normalise::Steps { from_below, steps } => {
            let step = find(steps.iter().map(|step| (step.edge.as_ref(), step)), *from_below, value);
            let step = step.ok_or_else(|| EvaluationError::missing(book, format!("metrics.{id}.steps")))?;
            let edge = step.edge.as_ref().map_or_else(|| "any other".to_owned(), number);
            let by = if *from_below { "from" } else { "up to" };
            (step.points.clone(), format!("step {by} {edge}"))
        }
        Normalise::Linear { slope, offset } => {
            let how = format!("{} × value + {}, held in 0…100", number(slope), number(offset));
            (&(slope * value) + offset, how)
        }
        Normalise::Penalty { start, each, at_most } => {
            let off = (each * value).clamp_to(&Ratio::zero(), at_most);
            let how = format!(
                "{} less {} for each, at most {} off",
                number(start),
                number(each),
                number(at_most)
            );
            (start - &off, how)
        }
        Normalise::LookUp { points, otherwise } => {
            let found = points.get(value);
            let how = if found.is_some() { "by value" } else { "any other value" };
            (found.unwrap_or(otherwise).clone(), how.to_owned())
        }
    })
}

/// The name of the band in which the points lie.
fn label(labels: &[Label], points: &Ratio) -> Option<String> {
    let from_below = labels.first()?.from_below;
    let found = find(
        labels.iter().map(|label| (label.edge.as_ref(), label)),
        from_below,
        points,
    );
    found.map(|label| label.label.clone())
}

/// The row whose edge the value reaches: the last lower edge at or below it, or the first upper edge at or above it.
fn find<'a, T>(
    rows: impl DoubleEndedIterator<Item = (Option<&'a Ratio>, &'a T)>,
    from_below: bool,
    value: &Ratio,
) -> Option<&'a T> {
    let mut rows = rows;
    let found = if from_below {
        rows.rev().find(|(edge, _)| edge.is_none_or(|edge| value >= edge))
    } else {
        rows.find(|(edge, _)| edge.is_none_or(|edge| value <= edge))
    };
    found.map(|(_, row)| row)
}

fn rounded(value: &Ratio, places: u8) -> Read<Ratio> {
    let dec = value.round(places, Rounding::HalfAwayFromZero);
    dec.map(Into::into).ok_or_else(|| EvaluationError::Value {
        table: "metrics".to_owned(),
        column: "adjusted".to_owned(),
        value: value.to_string(),
        problem: "does not fit in 128 bits".to_owned(),
    })
}

/// A whole number, cut; `None` where it has no place in 64 bits.
fn whole(value: &Ratio) -> Option<i64> {
    i64::try_from(value.round(0, Rounding::Down)?.units()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Dec;
    use crate::rules::{Knots, Step as Edge};

    fn n(text: &str) -> Ratio {
        Dec::parse(text).unwrap().ratio()
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(Ratio, Ratio)> {
        list.iter().map(|(x, y)| (n(x), n(y))).collect()
    }

    #[test]
    fn better_values_are_the_nearest_and_the_best() {
        let of = |map: &Normalise, value: &str, points: &str| -> Vec<String> {
            let found = better_values(map, &n(value), &n(points));
            found.iter().map(crate::evaluation::explain::number).collect()
        };
        let knots = Normalise::Knots(Knots(pairs(&[("0.5", "0"), ("0.8", "60"), ("1", "100")])));
        assert_eq!(of(&knots, "0.65", "30"), ["0.8", "1"]);
        assert_eq!(of(&knots, "0.9", "80"), ["1"]);
        assert!(of(&knots, "1", "100").is_empty());
        // lower is better, and two values are worth most: the one that is nearer
        let falling = Normalise::Knots(Knots(pairs(&[("0", "100"), ("0.1", "100"), ("0.5", "0")])));
        assert_eq!(of(&falling, "0.4", "25"), ["0.1"]);
        let edge = |edge: Option<&str>, points: &str| Edge {
            edge: edge.map(n),
            points: n(points),
        };
        let steps = Normalise::Steps {
            from_below: true,
            steps: vec![edge(None, "17"), edge(Some("60"), "20"), edge(Some("90"), "25")],
        };
        assert_eq!(of(&steps, "30", "17"), ["60", "90"]);
        let linear = Normalise::Linear {
            slope: n("-50"),
            offset: n("120"),
        };
        assert_eq!(of(&linear, "1", "70"), ["0.4"]);
        let flat = Normalise::Linear {
            slope: n("0"),
            offset: n("50"),
        };
        assert!(of(&flat, "1", "50").is_empty());
        let penalty = Normalise::Penalty {
            start: n("100"),
            each: n("5"),
            at_most: n("40"),
        };
        assert_eq!(of(&penalty, "3", "85"), ["2", "0"]);
        assert_eq!(of(&penalty, "0.5", "97.5"), ["0"]);
        assert!(of(&penalty, "0", "100").is_empty());
        // so many that the limit holds: only what is under it helps
        assert_eq!(of(&penalty, "9", "60"), ["0"]);
        let look_up = Normalise::LookUp {
            points: pairs(&[("1", "70"), ("2", "40"), ("3", "90")]).into_iter().collect(),
            otherwise: n("0"),
        };
        assert_eq!(of(&look_up, "2", "40"), ["1", "3"]);
    }
}

//! The piecewise-linear map from an adjusted metric to 0…100.
//!
//! Duty: the value at x, flat outside the first and last knot, and between which knots it lies. Not its duty: checking
//! that knots ascend (the rule reader does).

use super::fields::Read;
use super::inputs::EvaluationError;
use crate::domain::Ratio;
use crate::rules::{Knots, MetricId, RuleBook};

/// A value read off the knots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnKnots {
    pub value: Ratio,
    /// The knots on both sides of x; the same one twice outside and on a knot.
    pub between: [(Ratio, Ratio); 2],
}

/// The value of a metric at x, where there is an x; without any knot the rule book is in error.
pub fn read(book: &RuleBook, metric: MetricId, knots: &Knots, x: Option<&Ratio>) -> Read<Option<OnKnots>> {
    let missing = || EvaluationError::missing(book, format!("{}.knots", metric.as_str()));
    x.map(|x| at(knots, x).ok_or_else(missing)).transpose()
}

/// y at x; `None` without any knot.
#[must_use]
pub fn at(knots: &Knots, x: &Ratio) -> Option<OnKnots> {
    let above = knots.0.iter().position(|(kx, _)| kx >= x);
    let on = |knot: &(Ratio, Ratio)| OnKnots {
        value: knot.1.clone(),
        between: [knot.clone(), knot.clone()],
    };
    match above {
        None => knots.0.last().map(on),
        Some(0) => knots.0.first().map(on),
        Some(i) if knots.0[i].0 == *x => Some(on(&knots.0[i])),
        Some(i) => {
            let ((x0, y0), (x1, y1)) = (&knots.0[i - 1], &knots.0[i]);
            let part = (x - x0).checked_div(&(x1 - x0))?;
            let value = y0 + &(&part * &(y1 - y0));
            Some(OnKnots {
                value,
                between: [knots.0[i - 1].clone(), knots.0[i].clone()],
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::testing::{dec, knots};

    fn value(map: &Knots, x: &str) -> Ratio {
        at(map, &dec(x)).unwrap().value
    }

    #[test]
    fn every_knot_of_the_sample_and_points_between() {
        let satisfaction = knots("0.70 0, 0.85 60, 0.90 75, 0.95 90, 0.99 100");
        for (x, y) in [
            ("0.70", "0"),
            ("0.85", "60"),
            ("0.90", "75"),
            ("0.95", "90"),
            ("0.99", "100"),
        ] {
            assert_eq!(value(&satisfaction, x), dec(y), "{x}");
        }
        // flat outside; 0.775 is half-way from 0 to 60; 0.88 is 3/5 of the way from 60 to 75
        for (x, y) in [("0", "0"), ("1", "100"), ("0.775", "30"), ("0.88", "69")] {
            assert_eq!(value(&satisfaction, x), dec(y), "{x}");
        }
    }

    #[test]
    fn public_schemes_of_the_same_form() {
        // repair efficiency: 0 up to 0.90, 600·A − 540 to 0.95, then 200·A − 160 to 40
        let repair = knots("0.90 0, 0.95 30, 1 40");
        for (x, y) in [("0.97", "34"), ("0.92", "12"), ("0.9", "0"), ("0.5", "0")] {
            assert_eq!(value(&repair, x), dec(y), "{x}");
        }
        // an ideal at 90 with a linear fall to 0 at 100
        let ideal = knots("0 0, 90 100, 100 0");
        for (x, y) in [("90", "100"), ("91", "90"), ("92", "80"), ("93", "70"), ("100", "0")] {
            assert_eq!(value(&ideal, x), dec(y), "{x}");
        }
    }

    #[test]
    fn without_knots_there_is_no_value() {
        assert_eq!(at(&Knots(Vec::new()), &dec("1")), None);
    }
}

//! Methods that are no bands of the basis: amounts per unit, targets, growth, fixed amounts.
//!
//! Duty: each as pieces that explain themselves. Not its duty: gates, modifiers, rounding.

use super::banding::{Stretch, reached};
use super::basis::Sum;
use super::method::Piece;
use super::table::plain;
use super::target::Case;
use crate::domain::{Date, Ratio, Rounding};
use crate::rules::{Fixed, Goal, Growth, NoPrior, PerUnit};

/// An amount for each pack; sides of zero alike.
pub(super) fn per_unit(per_unit: &PerUnit, currency: &str, total: &Sum) -> Result<Vec<Piece>, String> {
    let units = match &per_unit.at_most_units {
        Some(most) => total.amount.clone().min(most.clone()),
        None => total.amount.clone(),
    };
    let packs = units
        .checked_div(&per_unit.units_in_a_pack)
        .ok_or("a pack of no units")?;
    let packs = if per_unit.broken_packs_pay {
        packs
    } else {
        packs.round(0, Rounding::Down).ok_or("too many packs")?.ratio()
    };
    let reason = (units != total.amount).then(|| format!("at most {} units", plain(&units)));
    Ok(vec![Piece {
        reason,
        ..Piece::at("per_unit", packs, per_unit.amount.of(currency).clone(), total.lines)
    }])
}

/// The partner's own target, else that of all.
pub(super) fn target_of<'g>(goal: &'g Goal, case: &Case<'_>) -> &'g Ratio {
    let own = goal.partners.iter().find(|(id, _)| id.as_str() == case.partner);
    own.map_or_else(|| goal.target.of(case.currency.code()), |(_, own)| own)
}

/// Nothing before the partner's own target is reached.
pub(super) fn target(case: &Case<'_>, goal: &Goal, stretch: Stretch<'_>) -> Result<Vec<Piece>, String> {
    let currency = case.currency.code();
    let target = target_of(goal, case);
    let decides = stretch.decides();
    let is_reached = decides > *target || (goal.reached_at_target && decides == *target);
    if !is_reached {
        let reason = format!("{} of the target of {}", plain(&decides), plain(target));
        return Ok(vec![Piece {
            basis: decides,
            reason: Some(reason),
            ..Piece::of("target", Ratio::zero())
        }]);
    }
    let sum = stretch.sum;
    let mut pieces = Vec::new();
    if let Some(rate) = &goal.rate {
        let (basis, lines) = if goal.on_excess {
            // of the excess, what the lines of this basis made
            ((&decides - target).min(sum.amount.clone()), 0)
        } else {
            (sum.amount.clone(), sum.lines)
        };
        pieces.push(Piece::at("target", basis, rate.share().clone(), lines));
    }
    if let Some(fixed) = &goal.fixed {
        let mut piece = Piece::of("target:fixed", fixed.of(currency).clone());
        if goal.in_parts {
            let (part, parts) = case.part_of_term()?;
            let share = Ratio::new(part, parts).ok_or("a term of no parts")?;
            piece.amount = &piece.amount * &share;
            piece.reason = Some(format!("{part} of {parts} parts"));
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

/// By the growth over the prior period.
pub(super) fn growth(growth: &Growth, prior: &Sum, total: &Sum) -> Vec<Piece> {
    let bands = &growth.bands;
    let (index, more, reason) = match (&total.decides - &prior.decides).checked_div(&prior.decides) {
        Some(share) if prior.decides.is_positive() => {
            let reason = format!("growth of {} %", plain(&(&share * &Ratio::int(100))));
            if !share.is_positive() {
                return vec![Piece {
                    reason: Some(reason),
                    ..Piece::of("growth", Ratio::zero())
                }];
            }
            (
                reached(bands, growth.edge, &share),
                &total.amount - &prior.amount,
                reason,
            )
        }
        _ => {
            let index = match growth.no_prior {
                NoPrior::Nothing => None,
                NoPrior::FirstBand => Some(0),
                NoPrior::TopBand => bands.len().checked_sub(1),
            };
            let reason = "nothing in the prior period".to_owned();
            let Some(index) = index else {
                return vec![Piece {
                    reason: Some(reason),
                    ..Piece::of("growth", Ratio::zero())
                }];
            };
            (index, total.amount.clone(), reason)
        }
    };
    let Some(band) = bands.get(index) else {
        return Vec::new();
    };
    let (basis, lines) = if growth.on_total {
        (total.amount.clone(), total.lines)
    } else {
        (more, 0)
    };
    let name = format!("band:{}", index + 1);
    let mut pieces = vec![Piece {
        reason: Some(reason),
        ..Piece::at(&name, basis, band.rate.clone(), lines)
    }];
    if !band.fixed.is_zero() {
        pieces.push(Piece::of(&format!("{name}:fixed"), band.fixed.clone()));
    }
    pieces
}

/// An amount by the days gone by, or with the first line that counts.
pub(super) fn fixed(case: &Case<'_>, fixed: &Fixed, total: &Sum) -> Result<Vec<Piece>, String> {
    let own = fixed.partners.iter().find(|(id, _)| id.as_str() == case.partner);
    let amount = own.map_or_else(|| fixed.amount.of(case.currency.code()), |(_, own)| own);
    let Some((from, until)) = fixed.by_day else {
        let earned = if total.lines > 0 { amount.clone() } else { Ratio::zero() };
        return Ok(vec![Piece::of("fixed", earned)]);
    };
    let days = days_within((case.from, case.end), (from, until));
    let all = Ratio::int((until - from).num_days());
    let a_day = amount.checked_div(&all).ok_or("a term of no days")?;
    Ok(vec![Piece {
        amount: &a_day * &Ratio::int(days),
        rate: Some(a_day),
        reason: Some(format!("{days} of {} days", (until - from).num_days())),
        ..Piece::of("fixed", Ratio::zero())
    }])
}

/// Days that two half-open spans share.
pub(super) fn days_within((a, b): (Date, Date), (c, d): (Date, Date)) -> i64 {
    (b.min(d) - a.max(c)).num_days().max(0)
}

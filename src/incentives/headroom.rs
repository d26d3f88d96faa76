//! What lies ahead of a target: the next band, the minimum, the partner's own target, the room under a cap.
//!
//! Duty: how far each is away, from the figures of the computation itself. Not its duty: earning anything.

use super::banding::{Stretch, reached};
use super::basis::Basis;
use super::gates::in_currency;
use super::goals::target_of;
use super::table::{BASIS, Key, plain, published, rate_of};
use super::target::{Case, Component};
use crate::domain::{Ratio, Row, Table, Value};
use crate::rules::{BasisAmount, Gate, Method, Modifier};

/// Key: the first four and `kind`.
const COLUMNS: [&str; 10] = [
    "partner_id",
    "scheme",
    "earning_period",
    "currency",
    "kind",
    "unit",
    "reached",
    "limit",
    "missing",
    "rate",
];

/// One thing ahead. Amounts are in `unit`; `missing` is `limit − reached`, never below zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    kind: &'static str,
    unit: &'static str,
    reached: Ratio,
    limit: Ratio,
    /// What is paid from there on.
    rate: Option<Ratio>,
}

/// What lies ahead of a case, with the components that it came to.
pub(super) fn of(case: &Case<'_>, basis: &Basis<'_>, components: &[Component]) -> Result<Vec<Ahead>, String> {
    let (before, total) = (case.before()?, basis.total());
    let decides = Stretch {
        before: &before,
        sum: &total,
    }
    .decides();
    let decided_in = unit(case.scheme.decision.on);
    let mut ahead = Vec::new();
    match &case.scheme.method {
        Method::Marginal { bands, edge } | Method::Whole { bands, edge } => {
            let bands = bands.of(case.currency.code());
            let next = bands.get(reached(bands, *edge, &decides) + 1);
            ahead.extend(next.map(|band| Ahead {
                kind: "next_band",
                unit: decided_in,
                reached: decides.clone(),
                limit: band.from.clone(),
                rate: Some(band.rate.clone()),
            }));
        }
        Method::Target(goal) => {
            let limit = target_of(goal, case);
            ahead.push(Ahead {
                kind: "target",
                unit: decided_in,
                reached: decides.clone(),
                limit: limit.clone(),
                rate: goal.rate.as_ref().map(|rate| rate.share().clone()),
            });
        }
        _ => {}
    }
    for gate in &case.scheme.gates {
        if let Gate::MinimumSales { amount, by_currency } = gate {
            ahead.push(Ahead {
                kind: "minimum_sales",
                unit: unit(case.scheme.amount),
                reached: total.amount.clone(),
                limit: in_currency(amount, by_currency, case).clone(),
                rate: None,
            });
        }
    }
    ahead.extend(cap(case, components));
    // what is reached is behind; at the edge of a band nothing is missing, and it is not entered yet
    ahead.retain(|a| a.reached < a.limit || a.kind == "next_band" || a.kind == "cap");
    Ok(ahead)
}

fn unit(amount: BasisAmount) -> &'static str {
    match amount {
        BasisAmount::Net | BasisAmount::List => "money",
        BasisAmount::Quantity => "pieces",
    }
}

/// The room under the first cap: what the steps before it came to against it.
fn cap(case: &Case<'_>, components: &[Component]) -> Option<Ahead> {
    let modifiers = &case.scheme.modifiers;
    let at = modifiers.iter().position(|m| matches!(m, Modifier::Cap { .. }))?;
    let Modifier::Cap { amount, by_currency } = &modifiers[at] else {
        return None;
    };
    // a cap that days prorate has another limit, which its component says where it cuts
    if modifiers[..at].iter().any(|m| matches!(m, Modifier::Proration { .. })) {
        return None;
    }
    let name = |modifier: &Modifier| match modifier {
        Modifier::GradeFactor { .. } => "modifier:grade_factor",
        Modifier::Cap { .. } => "modifier:cap",
        Modifier::Floor(_) => "modifier:floor",
        Modifier::Proration { .. } => "modifier:proration",
        Modifier::MinimumPayout(_) => "modifier:minimum_payout",
    };
    let later: Vec<&str> = modifiers[at..].iter().map(name).collect();
    let is_before = |c: &&Component| {
        let is_step = c.name.starts_with("modifier:");
        !later.iter().any(|name| c.name.starts_with(name))
            && (is_step || !matches!(c.name.as_str(), "earlier_periods" | "accrual"))
    };
    let reached = components
        .iter()
        .filter(is_before)
        .fold(Ratio::zero(), |sum, c| &sum + &c.amount);
    let limit = in_currency(amount, by_currency, case).clone();
    Some(Ahead {
        kind: "cap",
        unit: "money",
        reached: reached.min(limit.clone()),
        limit,
        rate: None,
    })
}

pub(super) fn row([partner, scheme, period]: Key<'_>, currency: &str, ahead: &Ahead) -> Result<Row, String> {
    let figure = |value: &Ratio| published(value, BASIS, ahead.kind).map(Value::from);
    Ok(vec![
        partner.into(),
        scheme.into(),
        period.into(),
        currency.into(),
        ahead.kind.into(),
        ahead.unit.into(),
        figure(&ahead.reached)?,
        figure(&ahead.limit)?,
        figure(&(&ahead.limit - &ahead.reached))?,
        rate_of(ahead.rate.as_ref(), ahead.kind)?,
    ])
}

pub(super) fn table(mut rows: Vec<Row>) -> Table {
    rows.sort_by(|a, b| a[..5].cmp(&b[..5]));
    let mut table = Table::new("headroom", &COLUMNS);
    for row in rows {
        table.push(row);
    }
    table
}

/// A row of `headroom` in words; none where columns are missing.
#[must_use]
pub fn says(row: crate::domain::RowRef<'_>) -> Option<String> {
    let currency = row.text("currency").ok()?;
    let figure = |column| row.dec(column).ok().map(|dec| plain(&dec.ratio()));
    let unit = match row.text("unit").ok()? {
        "money" => currency,
        other => other,
    };
    let (missing, limit) = (figure("missing")?, figure("limit")?);
    let rate = row
        .opt_dec("rate")
        .ok()?
        .map(|rate| plain(&(&rate.ratio() * &Ratio::int(100))));
    let at = rate.map_or_else(String::new, |rate| format!(", which pays {rate} %"));
    Some(match row.text("kind").ok()? {
        "next_band" => format!("{missing} {unit} more reach the band from {limit} {unit}{at}"),
        "target" => format!("{missing} {unit} are missing to the target of {limit} {unit}{at}"),
        "minimum_sales" => format!("{missing} {unit} are missing to the minimum sales of {limit} {unit}"),
        "cap" => format!("room of {missing} {unit} under the cap of {limit} {unit}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{World, cap, flat, grade_factor, marginal, number, scheme, whole};
    use super::says;
    use crate::rules::{Gate, GradeOf, Scheme};

    fn ahead(scheme: Scheme, sales: &[&str]) -> Vec<String> {
        let mut world = World::new([scheme]);
        world.grade("P1 card B");
        for sale in sales {
            world.sale(sale);
        }
        let earned = world.compute().unwrap();
        earned.headroom.iter().map(|row| says(row).unwrap()).collect()
    }

    #[test]
    fn the_next_band_and_the_minimum_are_so_far_away() {
        let bands = |method| Scheme {
            gates: vec![Gate::MinimumSales {
                amount: number("1000"),
                by_currency: std::collections::BTreeMap::new(),
            }],
            ..scheme(method)
        };
        let of = |amount: &str| {
            ahead(
                bands(marginal("0: 1 %, 2000: 2 %, 5000: 3.5 %")),
                &[&format!("P1 ups EUR {amount} 2026-07-05")],
            )
        };
        assert_eq!(
            of("999.99"),
            [
                "0.01 EUR are missing to the minimum sales of 1000 EUR",
                "1000.01 EUR more reach the band from 2000 EUR, which pays 2 %"
            ]
        );
        assert_eq!(
            of("2000"),
            ["3000 EUR more reach the band from 5000 EUR, which pays 3.5 %"]
        );
        assert!(of("5000").is_empty());
        assert_eq!(
            ahead(scheme(whole("0: 1 %, 2000: 2 %")), &["P1 ups EUR -5 2026-07-05"]),
            ["2005 EUR more reach the band from 2000 EUR, which pays 2 %"]
        );
    }

    #[test]
    fn the_room_under_a_cap_is_what_the_steps_before_it_leave() {
        let capped = |modifiers| Scheme {
            modifiers,
            ..scheme(flat("10 %"))
        };
        let sale = ["P1 ups EUR 1000 2026-07-05"];
        // 100, times 0.9 for grade B
        assert_eq!(
            ahead(capped(vec![grade_factor(GradeOf::Card), cap("120")]), &sale),
            ["room of 30 EUR under the cap of 120 EUR"]
        );
        assert_eq!(
            ahead(capped(vec![cap("120"), grade_factor(GradeOf::Card)]), &sale),
            ["room of 20 EUR under the cap of 120 EUR"]
        );
        assert_eq!(
            ahead(capped(vec![cap("80")]), &sale),
            ["room of 0 EUR under the cap of 80 EUR"]
        );
    }
}

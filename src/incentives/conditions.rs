//! Single conditions of a scheme: gates, exchange rates, returns, who gets it.

use super::fixture::{World, cap, flat, marginal, number, scheme};
use crate::domain::{Currency, FxWays};
use crate::rules::{Beneficiary, DayCount, FxDate, Gate, Modifier, ProrationOf, Returns, Scheme, Scope, Share};

fn gated(gate: Gate) -> Scheme {
    Scheme {
        gates: vec![gate],
        ..scheme(flat("10 %"))
    }
}

#[test]
fn a_scope_names_products_tiers_and_stars() {
    let scoped = |scope: Scope| {
        let mut world = World::new([Scheme {
            scope,
            ..scheme(flat("10 %"))
        }]);
        // gold until the day before 1 August, silver from then on; four stars in August
        world
            .partner_of_tier("P1 2026-08-01 emea EUR silver")
            .certified("P1 networking 2026-07-01 2026-08-01 3 active")
            .certified("P1 networking 2026-08-01 2026-09-01 4 active")
            .sale("P1 ups EUR 1 2026-07-05 product=a")
            .sale("P1 security EUR 20 2026-07-31 product=b")
            .sale("P1 security EUR 300 2026-08-01 product=a")
            .sale("P1 security EUR 4000 2026-09-01 product=c");
        world.amount()
    };
    let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    let empty = Scope::default;
    assert_eq!(
        scoped(Scope {
            products: list(&["a", "c"]),
            ..empty()
        }),
        "430.10"
    );
    assert_eq!(
        scoped(Scope {
            products_out: list(&["c"]),
            ..empty()
        }),
        "32.10"
    );
    let both = Scope {
        products: list(&["a", "c"]),
        products_out: list(&["c"]),
        ..empty()
    };
    assert_eq!(scoped(both), "30.10");
    assert_eq!(
        scoped(Scope {
            tiers: list(&["gold", "vap"]),
            ..empty()
        }),
        "2.10"
    );
    assert_eq!(
        scoped(Scope {
            tiers: list(&["silver"]),
            ..empty()
        }),
        "430.00"
    );
    // three stars in July, four in August, none in September; nothing covers ups
    assert_eq!(
        scoped(Scope {
            stars_at_least: Some(3),
            ..empty()
        }),
        "32.00"
    );
    assert_eq!(
        scoped(Scope {
            stars_at_least: Some(4),
            ..empty()
        }),
        "30.00"
    );
}

/// The failed gate of a world, or what it earned.
fn outcome(world: &World) -> String {
    let gate = world.rows().into_iter().find(|row| row.starts_with("gate:"));
    gate.unwrap_or_else(|| world.amount())
}

#[test]
fn a_minimum_score_is_reached_at_itself_and_asks_for_a_score() {
    let of = |card: Option<&str>| {
        let mut world = World::new([gated(Gate::MinimumScore(number("75")))]);
        world.sale("P1 ups EUR 100 2026-07-05");
        if let Some(card) = card {
            world.grade("P1 card B").score(card);
        }
        outcome(&world)
    };
    assert_eq!(of(Some("75.00")), "10.00");
    assert_eq!(
        of(Some("74.99")),
        "gate:minimum_score 74.99 - - 0 0 (the score of 74.99 is under 75)"
    );
    assert_eq!(
        of(None),
        "gate:minimum_score 0 - - 0 0 (not rated, and a score of 75 is asked for)"
    );
}

#[test]
fn overdue_parts_may_reach_the_limit_and_nothing_due_is_nothing_overdue() {
    let of = |share: Option<&str>| {
        let mut world = World::new([gated(Gate::OverdueParts(number("0.05")))]);
        world.sale("P1 ups EUR 100 2026-07-05").grade("P1 card B");
        if let Some(share) = share {
            world.overdue_parts(share);
        }
        outcome(&world)
    };
    assert_eq!([of(None), of(Some("0")), of(Some("0.05"))], ["10.00"; 3]);
    assert_eq!(
        of(Some("0.051")),
        "gate:overdue_parts_at_most 0.051 - - 0 0 (5.1 % of the parts due are overdue, over 5 %)"
    );
}

#[test]
fn a_minimum_grade_takes_better_ones_and_none_without() {
    let of = |grade: &str| {
        let mut world = World::new([gated(Gate::MinimumGrade(crate::domain::Grade::B))]);
        world
            .sale("P1 ups EUR 100 2026-07-05")
            .grade(&format!("P1 card {grade}"));
        outcome(&world)
    };
    assert_eq!([of("A"), of("B")], ["10.00"; 2]);
    assert_eq!(of("C"), "gate:minimum_grade 0 - - 0 0 (grade C, and B is asked for)");
    assert_eq!(
        of("not_rated"),
        "gate:minimum_grade 0 - - 0 0 (not rated, and B is asked for)"
    );
}

#[test]
fn a_share_of_the_basis_must_be_paid_and_returns_take_money_back_whatever_is_paid() {
    let of = |unpaid: &str| {
        let mut world = World::new([gated(Gate::Collected(number("0.8")))]);
        world
            .sale("P1 ups EUR 80 2026-07-05")
            .sale(&format!("P1 ups EUR {unpaid} 2026-07-06 unpaid"));
        outcome(&world)
    };
    assert_eq!(of("20"), "10.00");
    assert_eq!(
        of("20.01"),
        "gate:collected 100.01 - - 0 0 (80 of 100.01 is in lines that are paid in full)"
    );
    assert_eq!(of("-200"), "-12.00");
}

#[test]
fn exchange_rates_of_the_day_of_the_end_and_on_average() {
    let of = |fx_date: FxDate, rates: &[&str]| {
        let mut world = World::new([Scheme {
            fx_date,
            ..scheme(flat("10 %"))
        }]);
        for rate in rates {
            world.rate(rate);
        }
        world.sale("P1 ups USD 100 2026-07-08").sale("P1 ups EUR 1 2026-07-08");
        let waits = world.rows().into_iter().find(|row| row.starts_with("waiting"));
        waits.unwrap_or_else(|| world.amount())
    };
    let rates = [
        "USD EUR 2026-06-30 0.1",
        "USD EUR 2026-07-06 0.9",
        "USD EUR 2026-08-20 0.8",
        "USD EUR 2026-09-25 0.4",
        "USD EUR 2026-10-01 0.1",
    ];
    assert_eq!(of(FxDate::Transaction, &rates), "9.10");
    assert_eq!(of(FxDate::PeriodEnd, &rates), "4.10");
    // (0.9 + 0.8 + 0.4) / 3 = 0.7
    assert_eq!(of(FxDate::Average, &rates), "7.10");
    // the last rate is more than seven days old at the end
    assert_eq!(
        of(FxDate::PeriodEnd, &rates[..3]),
        "waiting:USD 100 - - 0 1 (no rate USD→EUR at most 7 days old at the end of the period of 2026-07-08)"
    );
    assert_eq!(
        of(FxDate::Average, &rates[..1]),
        "waiting:USD 100 - - 0 1 (no rate USD→EUR for any day of the period of 2026-07-08)"
    );
}

#[test]
fn inverse_and_cross_rates_serve_where_they_are_declared() {
    let of = |inverse: bool, through: &str| {
        let mut world = World::new([Scheme {
            fx_ways: FxWays {
                inverse,
                through: Currency::parse(through),
            },
            ..scheme(flat("10 %"))
        }]);
        world
            .rate("EUR USD 2026-07-06 1.6")
            .rate("GBP USD 2026-07-08 2")
            .sale("P1 ups EUR 1 2026-07-08")
            .sale("P1 ups USD 100 2026-07-08")
            .sale("P1 ups GBP 10 2026-07-08");
        let rows = world.rows();
        let waits = rows.into_iter().filter(|row| row.starts_with("waiting"));
        let waits: Vec<String> = waits.collect();
        (world.amount(), waits.join("; "))
    };
    let (none, waits) = of(false, "");
    assert_eq!((none.as_str(), waits.matches("waiting").count()), ("0.10", 2));
    // 100 / 1.6 = 62.50
    let (inverse, waits) = of(true, "");
    assert_eq!(inverse, "6.35");
    assert_eq!(
        waits,
        "waiting:GBP 10 - - 0 1 (no rate GBP→EUR nor its inverse at most 7 days old for 2026-07-08)"
    );
    // 10 × 2 / 1.6 = 12.50 more
    assert_eq!(of(true, "USD"), ("7.60".to_owned(), String::new()));
    let (crossed, waits) = of(false, "USD");
    assert_eq!(crossed, "0.10");
    assert!(waits.contains("no rate GBP→EUR nor one through USD at most"), "{waits}");
}

#[test]
fn a_part_of_the_period_counts_by_the_declared_days() {
    let of = |days: DayCount, of: ProrationOf, partner: &str| {
        let mut modifiers = vec![Modifier::Proration { days, of }];
        if of == ProrationOf::Limits {
            modifiers.push(cap("5"));
        }
        let mut world = World::new([Scheme {
            modifiers,
            ..scheme(flat("10 %"))
        }]);
        // 46 of the 92 days of the quarter
        world.partner("P2 2026-08-16 emea EUR");
        world.sale(&format!("{partner} ups EUR 1000 2026-09-05"));
        let targets = world.targets();
        assert_eq!(targets.len(), 1, "{targets:?}");
        targets[0].split(' ').nth(3).unwrap().to_owned()
    };
    let amount = |days| of(days, ProrationOf::Amount, "P2");
    assert_eq!(amount(DayCount::ActualActual), "50.00");
    // 46 × 4 / 365 and 46 × 4 / 360
    assert_eq!(amount(DayCount::Actual365), "50.41");
    assert_eq!(amount(DayCount::Actual360), "51.11");
    assert_eq!(of(DayCount::ActualActual, ProrationOf::Limits, "P2"), "2.50");
    assert_eq!(of(DayCount::Actual360, ProrationOf::Limits, "P2"), "2.56");
    // there all the time: 92 × 4 days are more than a year of 360 or 365, and no more than all is paid
    for days in [DayCount::ActualActual, DayCount::Actual365, DayCount::Actual360] {
        assert_eq!(of(days, ProrationOf::Amount, "P1"), "100.00");
        assert_eq!(of(days, ProrationOf::Limits, "P1"), "5.00");
    }
}

#[test]
fn a_return_may_take_money_and_leave_progress() {
    let of = |lose_progress: bool, recover: &str| {
        let mut world = World::new([Scheme {
            returns: Returns {
                recover: number(recover),
                lose_progress,
            },
            ..scheme(marginal("0: 1 %, 1000: 2 %"))
        }]);
        world
            .sale("P1 ups EUR 1500 2026-07-05")
            .sale("P1 ups EUR -700 2026-07-06");
        world.amount()
    };
    // 800 at 1 %
    assert_eq!(of(true, "1"), "8.00");
    // the band stays at 1,500; 700 leave the top slices: 10 + 10 − (500 at 2 % and 200 at 1 %)
    assert_eq!(of(false, "1"), "8.00");
    // half of it is recovered: 1,150, in the first band, which 800 decide on
    assert_eq!(of(true, "0.5"), "11.50");
    assert_eq!(of(false, "0.5"), "13.00");
    assert_eq!([of(true, "0"), of(false, "0")], ["15.00", "20.00"]);
}

#[test]
fn a_parent_gets_its_share_on_the_last_day_and_the_partner_where_there_is_none() {
    let share = |to, weight: &str| Share {
        to,
        weight: number(weight),
    };
    let scheme = Scheme {
        beneficiaries: vec![share(Beneficiary::Partner, "70"), share(Beneficiary::Parent, "30")],
        ..scheme(flat("10 %"))
    };
    let mut world = World::new([scheme]);
    world.partner("P2 2025-01-01 emea EUR").parent("P1", "P2");
    world
        .sale("P1 ups EUR 100.05 2026-07-05")
        .sale("P2 ups EUR 10 2026-07-05");
    // 10.01 by largest remainder: 7.007 and 3.003; P2 has no parent
    assert_eq!(
        world.targets(),
        ["P1 bonus 2026-Q3 7.01 EUR", "P2 bonus 2026-Q3 4.00 EUR"]
    );
}

//! Good files become typed books.

use super::*;
use crate::domain::ids::SchemeId;
use crate::domain::{Grade, Ratio};
use crate::rules::{DayKind, Gate, GradeOf, Method, Modifier};

#[test]
fn a_good_edition_and_a_region_over_it() {
    let region = "effective_from = \"2026-01-01\"\ntime_zone = \"Asia/Tokyo\"\nparts.due_day_kind = \"business\"\n\
                  [schemes.rebate.gates.minimum_sales]\nJPY = \"2000\"\n";
    let rules = good(&[("global/2026-01-01.toml", GOOD), ("apac/2026-01-01.toml", region)]);
    let apac = book(&rules, "apac", "2026-02-03").unwrap();
    assert_eq!(apac.zone.name(), "Asia/Tokyo");
    assert_eq!((apac.parts.due_days, apac.parts.due_day_kind), (10, DayKind::Business));
    let scheme = apac.schemes.values().next().unwrap();
    assert_eq!(scheme.origin, "pipelines/rules/global/2026-01-01.toml:71");
    let Gate::MinimumSales { amount, by_currency } = &scheme.gates[0] else {
        panic!("{:?}", scheme.gates)
    };
    assert_eq!((amount, &by_currency["JPY"]), (&Ratio::int(10), &Ratio::int(2000)));
    let Modifier::GradeFactor { of, factors, .. } = &scheme.modifiers[0] else {
        panic!("{:?}", scheme.modifiers)
    };
    assert_eq!((*of, &factors[&Grade::C]), (GradeOf::Card, &Ratio::new(3, 4).unwrap()));
    assert_eq!(rules.programme().first_period, "2026-Q1");
}

#[test]
fn other_methods_and_modifiers() {
    let region = "effective_from = \"2026-01-01\"\n[schemes.rebate]\nmethod = \"by_stars\"\n\
                  rates = { 3 = \"1 %\", 4 = \"150 bp\", 5 = \"2 %\" }\nmodifiers = [\"cap\"]\ncap = \"500\"\n\
                  gates.certified_throughout = true\n";
    let flat = "effective_from = \"2026-01-01\"\n[schemes.rebate]\nactive = false\n[schemes.flat]\ntitle = \"Flat\"\n\
                earning_period = \"half\"\ndate = \"ordered_on\"\namount = \"list\"\npaid_in_full = false\n\
                method = \"flat\"\nrate = \"0.5 %\"\nmodifiers = []\nrounding = \"half_even\"\nfx_max_age_days = 0\n\
                scope.domains = [\"cloud\"]\n";
    let rules = good(&[
        ("global/2026-01-01.toml", GOOD),
        ("emea/2026-01-01.toml", region),
        ("latam/2026-01-01.toml", flat),
    ]);
    let scheme = book(&rules, "emea", "2026-01-01")
        .unwrap()
        .schemes
        .values()
        .next()
        .unwrap();
    let Method::ByStars { rates } = &scheme.method else {
        panic!("{:?}", scheme.method)
    };
    assert_eq!(rates[&4].share(), &Ratio::new(15, 1000).unwrap());
    assert!(matches!(&scheme.modifiers[..], [Modifier::Cap { amount, .. }] if *amount == Ratio::int(500)));
    assert!(matches!(
        &scheme.gates[..],
        [Gate::MinimumSales { .. }, Gate::CertifiedThroughout]
    ));
    let latam = book(&rules, "latam", "2026-01-01").unwrap();
    assert_eq!(latam.schemes.keys().map(SchemeId::as_str).collect::<Vec<_>>(), ["flat"]);
}

//! Each wrong line has its golden message, and all of them come at once.

use super::*;
use crate::domain::Ratio;
use crate::rules::{MetricId, Redistribution};

/// One edit of the good edition (`from` → `to`) and the findings it causes.
fn check(from: &str, to: &str, expected: &str) {
    assert_eq!(
        GOOD.matches(from).count(),
        1,
        "'{from}' is to stand once in the good edition"
    );
    let text = GOOD.replace(from, to);
    let findings = read(&[("global/2026-01-01.toml", &text), ("emea/2026-01-01.toml", REGION)]).err();
    let expected = expected.replace("G:", "global/2026-01-01.toml:");
    assert_eq!(findings.as_deref(), Some(expected.as_str()), "{from} → {to}");
}

#[test]
fn redistribution_by_table() {
    let table = "redistribution = { satisfaction = { quality = \"0.7\", parts = \"0.3\" }, quality = { satisfaction = \"1\", \
                 parts = \"0\" }, parts = { satisfaction = \"0.5\", quality = \"0.5\" } }";
    let text = GOOD.replace("redistribution = \"proportional\"", table);
    let rules = good(&[("global/2026-01-01.toml", &text), ("emea/2026-01-01.toml", REGION)]);
    let Redistribution::Table(rows) = &book(&rules, "emea", "2026-01-01").unwrap().evaluation.redistribution else {
        panic!("a table was written")
    };
    assert_eq!(
        rows[&MetricId::Satisfaction][&MetricId::Parts],
        Ratio::new(3, 10).unwrap()
    );
    check(
        "redistribution = \"proportional\"",
        &table.replace("0.3", "0.2"),
        "error: G:15 [evaluation.redistribution.satisfaction]: the shares of the missing weight add up to 0.9, not 1 \
         (rules.redistribution)\n  help: correct the shares of this row",
    );
}

#[test]
fn bad_values_of_the_evaluation() {
    check(
        "weight = \"40\"",
        "weigth = \"40\"",
        "error: G:16 [satisfaction.weight]: the mandatory key `weight` is missing (rules.missing_key)\n  \
         help: add to [satisfaction]: weight = \"…\" (a decimal in quotes)\n\
         error: G:17 [satisfaction.weigth]: unknown key `weigth` (rules.unknown_key)\n  help: did you mean `weight`?",
    );
    check(
        "weight = \"35\"",
        "weight = \"30\"",
        "error: G:17 [satisfaction.weight]: the weights add up to 95, not 100: \
         satisfaction 40 (pipelines/rules/G:17), quality 30 (pipelines/rules/G:29), parts 25 (pipelines/rules/G:43) \
         (rules.weights)\n  help: correct the weights of satisfaction, quality and parts"
            .replace("pipelines/rules/", "")
            .as_str(),
    );
    check(
        "weight = \"25\"",
        "weight = 25.0",
        "error: G:43 [parts.weight]: a number with decimals must be exact, and a bare one is not (rules.wrong_type)\n  \
         help: write it in quotes: \"25.0\"",
    );
    check(
        "weight = \"25\"",
        "weight = 25",
        "error: G:43 [parts.weight]: expected a decimal in quotes, found a whole number (rules.wrong_type)\n  \
         help: write it in quotes: \"25\"",
    );
    check(
        "due_days = 10",
        "due_days = \"10\"",
        "error: G:45 [parts.due_days]: expected a whole number, found text in quotes (rules.wrong_type)\n  \
         help: write it without quotes: 10",
    );
    check(
        "due_days = 10",
        "due_days = -1",
        "error: G:45 [parts.due_days]: -1 is out of range: it must be between 0 and 3660 (rules.range)\n  \
         help: write a whole number from 0 to 3660",
    );
    check(
        "mode = \"rate\"",
        "mode = \"rats\"",
        "error: G:44 [parts.mode]: \"rats\" is not known here (rules.value)\n  help: did you mean `rate`?",
    );
    check(
        "[[\"0.80\", \"0\"], [\"1.00\", \"100\"]]",
        "[[\"0.80\", \"0\"],\n [\"0.8\", \"100\"]]",
        "error: G:53 [parts.knots[1]]: the knots do not ascend: 0.8 after 0.8 (rules.knots)\n  \
         help: write pairs of raw value and points that ascend: [[\"0.70\", \"0\"], [\"0.99\", \"100\"]]",
    );
    check(
        "[[\"0.80\", \"0\"], [\"1.00\", \"100\"]]",
        "[[\"0.80\", \"0\"], [\"1.00\", \"101\"]]",
        "error: G:52 [parts.knots[1]]: 101 is out of range: it must be between 0 and 100 (rules.range)\n  \
         help: write a value that is between 0 and 100",
    );
    check(
        "customer_cap = \"0.4\"",
        "customer_cap = \"1.4\"",
        "error: G:19 [satisfaction.customer_cap]: 1.4 is out of range: it must be over 0 and at most 1 (rules.range)\n  \
         help: write a value that is over 0 and at most 1",
    );
    check(
        "domain_cap = \"0.5\"",
        "domain_cap = \"0.3\"",
        "error: G:70 [card.domain_cap]: 3 shares of at most 0.3 cannot add up to 1 (rules.cap)\n  \
         help: raise the cap, or let it apply from a larger number only",
    );
    check(
        "provisional_below_answers = 30",
        "provisional_below_answers = 3",
        "error: G:26 [satisfaction.provisional_below_answers]: provisional below 3 answers, but insufficient below 5 \
         already (rules.value)\n  help: let provisional_below_answers be no less than insufficient_below_answers",
    );
    check(
        "requires_one_of = [\"satisfaction\", \"quality\"]",
        "requires_one_of = []",
        "error: G:14 [evaluation.requires_one_of]: the list is empty, so no partner could be rated (rules.value)\n  \
         help: name the metrics of which one must be there, such as [\"satisfaction\", \"quality\"]",
    );
    check(
        "positive_cap = \"5\"",
        "positive_cap = \"-5\"",
        "error: G:56 [key_events.positive_cap]: -5 is out of range: it must be 0 or more (rules.range)\n  \
         help: write a value that is 0 or more",
    );
    check(
        "B = \"80\"",
        "B = \"60\"",
        "error: G:65 [grades.C]: grade C begins at 70, not below grade B at 60 (rules.grades)\n  \
         help: let the lower edges fall from A to E, and let E begin at \"0\"",
    );
    check(
        "E = \"0\"\n",
        "E = \"10\"\n",
        "error: G:67 [grades.E]: scores from 0 to below 10 have no grade (rules.grades)\n  \
         help: let the lower edges fall from A to E, and let E begin at \"0\"",
    );
    check(
        "time_zone = \"UTC\"",
        "time_zone = \"Europe/Berln\"",
        "error: G:2 [time_zone]: 'Europe/Berln' is no IANA time zone (rules.time_zone)\n  \
         help: write the zone as area and city, such as \"Europe/Berlin\", or \"UTC\"",
    );
    check(
        "[red_lines]\n",
        "[red_line]\n",
        "error: G:1 [red_lines]: the mandatory table [red_lines] is missing (rules.missing_key)\n  \
         help: add the table [red_lines]\n\
         error: G:85 [red_line]: unknown key `red_line` (rules.unknown_key)\n  help: did you mean `red_lines`?",
    );
}

#[test]
fn bad_values_of_a_scheme() {
    const BANDS: &str = "bands = [{ from = \"0\", to = \"100\", rate = \"1 %\" }, { from = \"100\", rate = \"2 %\" }]";
    let bands = |to: &str, expected: &str| check(BANDS, &format!("bands = [{to}]"), expected);
    bands(
        "{ from = \"0\", to = \"90\", rate = \"1 %\" }, { from = \"100\", rate = \"2 %\" }",
        "error: G:82 [schemes.rebate.bands.default[0]]: a gap: the band ends at 90, the next one begins at 100 (G:82) \
         (rules.bands)\n  help: write to = \"100\", or leave `to` out: a band ends where the next one begins",
    );
    bands(
        "{ from = \"0\", to = \"110\", rate = \"1 %\" },\n{ from = \"100\", rate = \"2 %\" }",
        "error: G:82 [schemes.rebate.bands.default[0]]: an overlap: the band ends at 110, the next one begins at 100 \
         (G:83) (rules.bands)\n  help: write to = \"100\", or leave `to` out: a band ends where the next one begins",
    );
    bands(
        "{ from = \"5\", rate = \"1 %\" },\n{ from = \"5\", to = \"9\", rate = \"2 %\" }",
        "error: G:82 [schemes.rebate.bands.default[0]]: the first band begins at 5: amounts below it are in no band \
         (rules.bands)\n  help: let the first band begin at \"0\"\n\
         error: G:83 [schemes.rebate.bands.default[1]]: the bands do not ascend: 5 after 5 (G:82) (rules.bands)\n  \
         help: put the bands in ascending order, each `from` once\n\
         error: G:83 [schemes.rebate.bands.default[1]]: the top band ends at 9: amounts above it are in no band \
         (rules.bands)\n  help: leave `to` out of the top band",
    );
    bands(
        "{ from = \"0\", rate = \"1.5\" }",
        "error: G:82 [schemes.rebate.bands.default[0].rate]: \"1.5\" is no rate: a rate needs its unit: \"1.5 %\" or \
         \"150 bp\" (rules.rate)\n  help: write the rate with its unit: \"1.5 %\" or \"150 bp\"",
    );
    bands(
        "{ from = \"0\", rate = \"-1 %\" }, { from = \"1\", rate = \"150 %\" }",
        "error: G:82 [schemes.rebate.bands.default[0].rate]: the rate -1 % is negative (rules.rate)\n  \
         help: write a rate of 0 % or more\n\
         error: G:82 [schemes.rebate.bands.default[1].rate]: the rate 150 % is over 100 % (rules.rate)\n  \
         help: write the rate with its unit: \"1.5 %\" or \"150 bp\"",
    );
    check(
        "scope = { line_kinds = [\"service\"] }",
        "scope = { incentive_eligible_only = true }",
        "error: G:81 [schemes.rebate.scope]: the scope is empty, so every line would count (rules.scope)\n  \
         help: name at least one of line_kinds, service_models, domains, families, products, categories",
    );
    check(
        "scope = { line_kinds = [\"service\"] }",
        "scope = { line_kinds = [\"service\"], tiers = [\"platinum\"], stars_at_least = 2 }\nfx_through = \"EUX\"",
        "error: G:81 [schemes.rebate.scope.stars_at_least]: 2 is out of range: it must be between 3 and 5 (rules.range)\n  help: write a whole number from 3 to 5\n\
         error: G:81 [schemes.rebate.scope.tiers[0]]: \"platinum\" is not known here (rules.value)\n  \
         help: remove it, or write one of: distributor, vap, gold, silver, authorized\n\
         error: G:82 [schemes.rebate.fx_through]: 'EUX' is no currency of ISO 4217 (rules.currency)\n  \
         help: write a code such as USD, or remove the key",
    );
    check(
        "method = \"marginal\"\n",
        "",
        "error: G:71 [schemes.rebate.method]: the mandatory key `method` is missing (rules.missing_key)\n  \
         help: add to [schemes.rebate]: method = \"flat\" or \"marginal\" or \"whole\" or \"by_stars\" or \"per_unit\" or \"target\" or \"growth\" or \"fixed\"",
    );
    check(
        "method = \"marginal\"",
        "method = \"tiered\"",
        "error: G:77 [schemes.rebate.method]: \"tiered\" is not known here (rules.value)\n  \
         help: remove it, or write one of: flat, marginal, whole, by_stars, per_unit, target, growth, fixed",
    );
    check(
        "method = \"marginal\"",
        "method = \"flat\"\nrate = \"1 %\"",
        "error: G:83 [schemes.rebate.bands]: `bands` does not belong to the method \"flat\" (G:77) (rules.method)\n  \
         help: remove it; \"flat\" takes `rate`",
    );
    check(
        "D = \"0.5\", ",
        "",
        "error: G:84 [schemes.rebate.grade_factor.D]: the mandatory key `D` is missing (rules.missing_key)\n  \
         help: add to [schemes.rebate.grade_factor]: D = \"…\" (a decimal in quotes)",
    );
    check(
        "B = \"0.9\"",
        "B = \"-0.9\"",
        "error: G:84 [schemes.rebate.grade_factor.B]: -0.9 is out of range: it must be 0 or more (rules.range)\n  \
         help: write a value that is 0 or more",
    );
    check(
        "modifiers = [\"grade_factor\"]",
        "modifiers = []",
        "error: G:84 [schemes.rebate.grade_factor]: `grade_factor` is not among the modifiers of the scheme, so it would \
         do nothing (rules.modifier)\n  help: add \"grade_factor\" to `modifiers`, or remove it",
    );
    check(
        "rounding = \"half_away_from_zero\"",
        "rounding = \"half_up\"",
        "error: G:79 [schemes.rebate.rounding]: \"half_up\" is not known here (rules.value)\n  \
         help: remove it, or write one of: half_away_from_zero, half_even, down, up, floor, ceiling",
    );
    check(
        "JPY = \"1000\"",
        "YEN = \"1000\"",
        "error: G:83 [schemes.rebate.gates.minimum_sales.YEN]: `YEN` is no currency of ISO 4217 (rules.currency)\n  \
         help: write a code in capitals, such as JPY",
    );
}

#[test]
fn all_findings_come_at_once_in_the_order_of_the_files() {
    let text = GOOD
        .replace("due_days = 10", "due_days = \"ten\"")
        .replace("rate = \"2 %\"", "rate = \"2\"")
        .replace("A = \"90\"", "A = 90.5")
        .replace("minimum_metrics = 2", "minimum_metrics = 2\nmaximum_metrics = 3");
    let region = "effective_from = \"2026-01-01\"\n[parts]\nduedays = 3\n";
    let broken = "effective_from = \"2026-01-01\"\ntime_zone = Europe/Berlin\n";
    let pairs = [
        ("global/2026-01-01.toml", text.as_str()),
        ("emea/2026-01-01.toml", region),
        ("apac/2026-01-01.toml", broken),
        ("latam/2026-01-01.toml", ""),
        ("notes.toml", ""),
    ];
    let findings = Rules::read(&files(&pairs)).unwrap_err();
    let places: Vec<String> = findings
        .iter()
        .map(|f| format!("{} {}", f.place.to_string().replace("pipelines/rules/", ""), f.rule))
        .collect();
    assert_eq!(
        places,
        [
            "apac/2026-01-01.toml:2 rules.syntax",
            "emea/2026-01-01.toml:3 [parts.duedays] rules.unknown_key",
            "global/2026-01-01.toml:14 [evaluation.maximum_metrics] rules.unknown_key",
            "global/2026-01-01.toml:46 [parts.due_days] rules.wrong_type",
            "global/2026-01-01.toml:64 [grades.A] rules.wrong_type",
            "global/2026-01-01.toml:83 [schemes.rebate.bands.default[1].rate] rules.rate",
            "latam/2026-01-01.toml:1 [effective_from] rules.missing_key",
            "notes.toml rules.file",
        ]
    );
    assert!(findings.iter().all(|f| !f.remedy.is_empty()));
}

#[test]
fn a_region_that_breaks_the_sum_is_told_at_its_own_line() {
    let region = "effective_from = \"2026-01-01\"\n[quality]\nweight = \"30\"\n";
    let findings = Rules::read(&files(&[
        ("global/2026-01-01.toml", GOOD),
        ("emea/2026-01-01.toml", region),
    ]))
    .unwrap_err();
    assert_eq!(
        findings[0].place.to_string(),
        "pipelines/rules/emea/2026-01-01.toml:3 [quality.weight]"
    );
    assert_eq!(findings.len(), 1);
}

#[test]
fn nothing_has_a_silent_default() {
    // every line but the gates is mandatory: without it, a finding with a line and a remedy
    for line in GOOD.lines().filter(|l| l.contains(" = ") && !l.starts_with("gates")) {
        let text = GOOD.replace(&format!("{line}\n"), "");
        if text.len() + line.len() + 1 != GOOD.len() {
            continue; // the same line stands in two sections
        }
        let findings = Rules::read(&files(&[("global/2026-01-01.toml", &text)])).expect_err(line);
        let told = findings.iter().any(|f| f.place.line.is_some() && !f.remedy.is_empty());
        assert!(
            told && findings
                .iter()
                .all(|f| f.rule == "rules.missing_key" || f.rule == "rules.edition"),
            "{line}: {findings:?}"
        );
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    for (at, _) in GOOD.trim_end().char_indices().step_by(7) {
        let cut = &GOOD[..at];
        assert!(
            Rules::read(&files(&[("global/2026-01-01.toml", cut)])).is_err(),
            "{cut}"
        );
    }
    for odd in [
        "0",
        "-1",
        "9223372036854775808",
        "[]",
        "{}",
        "[[]]",
        "true",
        "\"\"",
        "\"\\u0000\"",
        "{ value = {} }",
        "1979-05-27",
        "nan",
    ] {
        for line in GOOD.lines().filter(|l| l.contains(" = ")) {
            let key = line.split(' ').next().unwrap_or_default();
            let text = GOOD.replace(line, &format!("{key} = {odd}"));
            let _ = Rules::read(&files(&[
                ("global/2026-01-01.toml", &text),
                ("emea/2026-01-01.toml", REGION),
            ]));
        }
    }
}

//! Editions: which rules hold when, and what is refused.

use super::*;

/// The good edition, beginning on another day.
fn global(from: &str) -> String {
    GOOD.replace(
        "effective_from = \"2026-01-01\"",
        &format!("effective_from = \"{from}\""),
    )
}

fn region(from: &str, rest: &str) -> String {
    format!("effective_from = \"{from}\"\n{rest}")
}

/// Files and the findings that reading them causes.
fn refused(pairs: &[(&str, &str)], expected: &str) {
    assert_eq!(read(pairs).err().as_deref(), Some(expected));
}

#[test]
fn the_next_edition_ends_the_one_before() {
    let second = global("2026-07-01").replace("due_days = 10", "due_days = 14");
    let emea = region("2026-01-01", "parts.transit_allowance_days = 6\n");
    let emea_later = region("2026-04-01", "parts.transit_allowance_days = 7\n");
    let rules = good(&[
        ("emea/2026-04-01.toml", &emea_later),
        ("global/2026-07-01.toml", &second),
        ("global/2026-01-01.toml", GOOD),
        ("emea/2026-01-01.toml", &emea),
    ]);
    // due days of the global edition in force, allowance of the region's; the younger edition dates the book
    let on = |day| {
        let book = book(&rules, "emea", day).unwrap();
        (
            book.parts.due_days,
            book.parts.transit_allowance_days,
            book.effective_from.to_string(),
        )
    };
    assert_eq!(on("2026-01-01"), (10, 6, "2026-01-01".into()));
    assert_eq!(on("2026-03-31"), (10, 6, "2026-01-01".into()));
    assert_eq!(on("2026-04-01"), (10, 7, "2026-04-01".into()));
    assert_eq!(on("2026-06-30"), (10, 7, "2026-04-01".into()));
    assert_eq!(on("2031-12-31"), (14, 7, "2026-07-01".into()));
}

#[test]
fn a_region_or_a_day_without_rules_is_an_error_with_a_remedy() {
    let ended = region("2026-04-01", "effective_to = \"2026-10-01\"\n");
    let rules = good(&[
        ("global/2026-01-01.toml", GOOD),
        ("emea/2026-04-01.toml", &ended),
        ("apac/2026-01-01.toml", &region("2026-01-01", "")),
    ]);
    let message = |region, day| book(&rules, region, day).err().map(|e| e.to_string());
    assert_eq!(
        message("mars", "2026-04-01").unwrap(),
        "region 'mars' has no rules (there are: apac, emea): add pipelines/rules/mars/<first day>.toml, or correct the \
         partner's region"
    );
    assert_eq!(
        message("emea", "2026-03-31").unwrap(),
        "the rules of region 'emea' begin on 2026-04-01, so none are in force on 2026-03-31: add an edition that begins \
         earlier, or let `first_period` begin later"
    );
    assert_eq!(
        message("emea", "2026-10-01").unwrap(),
        "the rules of region 'emea' ended on 2026-10-01, so none are in force on 2026-10-01: add an edition from there on"
    );
    assert_eq!(message("emea", "2026-09-30"), None);
    assert!(matches!(
        book(&rules, "global", "2026-04-01"),
        Err(RuleError::UnknownRegion { .. })
    ));
}

#[test]
fn overlaps_and_gaps_point_at_both() {
    let twice = region("2026-01-01", "");
    refused(
        &[
            ("global/2026-01-01.toml", GOOD),
            ("emea/2026-01-01.toml", &twice),
            ("emea/2026-04-01.toml", &twice),
        ],
        "error: emea/2026-04-01.toml:1 [effective_from]: the file is named 2026-04-01.toml, but its rules begin on \
         2026-01-01 (rules.file)\n  help: rename the file to 2026-01-01.toml, or correct the date\n\
         error: emea/2026-04-01.toml:1 [effective_from]: two editions begin on 2026-01-01: this one and \
         emea/2026-01-01.toml:1 (rules.overlap)\n  help: give one of them another first day, or remove it",
    );
    let next = region("2026-04-01", "");
    let ending = |to: &str| region("2026-01-01", &format!("effective_to = \"{to}\"\n"));
    refused(
        &[
            ("global/2026-01-01.toml", GOOD),
            ("emea/2026-01-01.toml", &ending("2026-07-01")),
            ("emea/2026-04-01.toml", &next),
        ],
        "error: emea/2026-01-01.toml:2 [effective_to]: an overlap: this edition ends on 2026-07-01, the next one begins on \
         2026-04-01 (emea/2026-04-01.toml:1) (rules.overlap)\n  \
         help: leave `effective_to` out: an edition ends where the next one begins",
    );
    let later = region("2026-07-01", "");
    refused(
        &[
            ("global/2026-01-01.toml", GOOD),
            ("emea/2026-01-01.toml", &ending("2026-04-01")),
            ("emea/2026-07-01.toml", &later),
        ],
        "error: emea/2026-01-01.toml:2 [effective_to]: a gap: this edition ends on 2026-04-01, the next one begins on \
         2026-07-01 (emea/2026-07-01.toml:1) (rules.gap)\n  \
         help: leave `effective_to` out: an edition ends where the next one begins",
    );
    refused(
        &[
            ("global/2026-01-01.toml", GOOD),
            ("emea/2026-01-01.toml", &ending("2026-01-01")),
        ],
        "error: emea/2026-01-01.toml:2 [effective_to]: the edition ends on 2026-01-01, not after it begins on 2026-01-01 \
         (rules.edition)\n  help: write a later date, or leave `effective_to` out",
    );
}

#[test]
fn an_edition_begins_with_a_period() {
    let emea = region("2026-05-01", "");
    refused(
        &[("global/2026-01-01.toml", GOOD), ("emea/2026-05-01.toml", &emea)],
        "error: emea/2026-05-01.toml:1 [effective_from]: 2026-05-01 is in the middle of the evaluation period 2026-Q2, \
         which would have two sets of rules (rules.edition)\n  help: write \"2026-04-01\" or \"2026-07-01\"",
    );
    let months = GOOD
        .replace("evaluation_period = \"quarter\"", "evaluation_period = \"month\"")
        .replace("first_period = \"2026-Q1\"", "first_period = \"2026-M01\"");
    refused(
        &[("global/2026-01-01.toml", &months), ("emea/2026-05-01.toml", &emea)],
        "error: emea/2026-05-01.toml:1 [effective_from]: 2026-05-01 is in the middle of the posting period 2026-Q2, \
         which would have two sets of rules (rules.edition)\n  help: write \"2026-04-01\" or \"2026-07-01\"",
    );
}

#[test]
fn a_scheme_changes_only_between_its_earning_periods() {
    let yearly = |from: &str| global(from).replace("earning_period = \"quarter\"", "earning_period = \"year\"");
    let first = yearly("2026-01-01");
    let emea = region("2026-01-01", "");
    // elsewhere the rules may change in the middle of the year
    let untouched = yearly("2026-07-01").replace("due_days = 10", "due_days = 14");
    good(&[
        ("global/2026-01-01.toml", &first),
        ("global/2026-07-01.toml", &untouched),
        ("emea/2026-01-01.toml", &emea),
    ]);
    let touched = yearly("2026-07-01").replace("rate = \"2 %\"", "rate = \"3 %\"");
    refused(
        &[
            ("global/2026-01-01.toml", &first),
            ("global/2026-07-01.toml", &touched),
            ("emea/2026-01-01.toml", &emea),
        ],
        "error: global/2026-07-01.toml:1 [effective_from]: scheme 'rebate' would change on 2026-07-01, in the middle of its \
         earning period 2026-FY (rules.edition)\n  \
         help: let the edition begin on 2026-01-01 or 2027-01-01, or leave the scheme as it is",
    );
}

#[test]
fn every_region_builds_on_a_global_edition() {
    refused(
        &[("emea/2026-01-01.toml", REGION)],
        "error: global: there is no global edition (rules.edition)\n  \
         help: add pipelines/rules/global/<first day>.toml with the rules that every region builds on"
            .replace("pipelines/rules/", "")
            .as_str(),
    );
    refused(
        &[
            ("global/2026-01-01.toml", GOOD),
            ("emea/2025-10-01.toml", &region("2025-10-01", "")),
        ],
        "error: emea/2025-10-01.toml:1 [effective_from]: no global edition is in force on 2025-10-01 (rules.edition)\n  \
         help: let this edition begin later, or a file in global earlier",
    );
    refused(
        &[],
        "error: global: there is no global edition (rules.edition)\n  \
         help: add global/<first day>.toml with the rules that every region builds on",
    );
}

#[test]
fn the_programme_is_the_same_everywhere() {
    let emea = region("2026-01-01", "[programme]\nname = \"Mine\"\n");
    refused(
        &[("global/2026-01-01.toml", GOOD), ("emea/2026-01-01.toml", &emea)],
        "error: emea/2026-01-01.toml:2 [programme]: [programme] is the same in every region, so only global editions hold \
         it (rules.programme)\n  help: remove it from the region's file",
    );
    let other = global("2026-07-01").replace("calendar_name = \"fiscal\"", "calendar_name = \"finance\"");
    refused(
        &[("global/2026-01-01.toml", GOOD), ("global/2026-07-01.toml", &other)],
        "error: global/2026-07-01.toml:5 [programme.calendar_name]: a value of the programme changes from fiscal \
         (global/2026-01-01.toml:5) to finance, but it must be the same in every edition (rules.programme)\n  \
         help: write \"fiscal\"",
    );
    let late = GOOD.replace("first_period = \"2026-Q1\"", "first_period = \"2025-Q4\"");
    refused(
        &[("global/2026-01-01.toml", &late)],
        "error: global/2026-01-01.toml:9 [programme.first_period]: the first period begins on 2025-10-01, before the first \
         edition (2026-01-01) (rules.edition)\n  help: let the first edition begin no later than the first period",
    );
}

#[test]
fn dates_are_text() {
    let emea = "effective_from = 2026-01-01\n";
    refused(
        &[("global/2026-01-01.toml", GOOD), ("emea/2026-01-01.toml", emea)],
        "error: emea/2026-01-01.toml:1 [effective_from]: a date stands in quotes (rules.wrong_type)\n  \
         help: write it in quotes: \"2026-01-01\"",
    );
    let emea = "effective_from = \"2026-02-30\"\n";
    refused(
        &[("global/2026-01-01.toml", GOOD), ("emea/2026-01-01.toml", emea)],
        "error: emea/2026-01-01.toml:1 [effective_from]: this is no date (rules.value)\n  \
         help: write a date in quotes: effective_from = \"2026-04-01\"",
    );
}

#[test]
fn the_hash_is_of_values_and_dates() {
    let emea = region("2026-01-01", "");
    let hash = |global: &str| good(&[("global/2026-01-01.toml", global), ("emea/2026-01-01.toml", &emea)]).hash();
    let same = GOOD
        .replace(
            "weight = \"40\"",
            "# forty\nweight = { value = \"40.00\", provenance = \"hpe\" }",
        )
        .replace("rate = \"1 %\"", "rate = \"100bp\"")
        .replace("from = \"0\", to = \"100\",", "from = \"0\",")
        .replace("[\"satisfaction\", \"quality\"]", "[\"quality\", \"satisfaction\"]")
        .replace(
            "critical_points = \"20\"\nmajor_points = \"5\"",
            "major_points = \"5\"\ncritical_points = \"20\"",
        )
        .replace("bands = [{", "active = true\nbands.default = [{");
    assert_eq!(hash(&same), hash(GOOD));
    for (from, to) in [
        ("rate = \"2 %\"", "rate = \"2.01 %\""),
        ("[\"0.99\", \"100\"]", "[\"0.98\", \"100\"]"),
        ("\"UTC\"", "\"Asia/Tokyo\""),
    ] {
        assert_ne!(hash(&GOOD.replace(from, to)), hash(GOOD), "{from}");
    }
}

#[test]
fn every_value_has_its_line() {
    let emea = region(
        "2026-01-01",
        "[parts]\ndue_days = { value = 12, provenance = \"cisco\" }\n",
    );
    let rules = good(&[("global/2026-01-01.toml", GOOD), ("emea/2026-01-01.toml", &emea)]);
    let values = rules
        .resolved(&RegionId::new("emea").unwrap(), parse_date("2026-01-01").unwrap())
        .unwrap();
    let show = |path: &str| {
        let v = values
            .iter()
            .find(|v| v.path == path)
            .unwrap_or_else(|| panic!("{path}"));
        format!(
            "{} {}:{} {:?}",
            v.value,
            v.file.trim_start_matches("pipelines/rules/"),
            v.line,
            v.provenance.as_deref()
        )
    };
    assert_eq!(show("parts.due_days"), "12 emea/2026-01-01.toml:3 Some(\"cisco\")");
    assert_eq!(show("parts.weight"), "25 global/2026-01-01.toml:43 None");
    assert_eq!(show("parts.knots[1]"), "1.00 → 100 global/2026-01-01.toml:52 None");
    assert_eq!(
        show("schemes.rebate.bands.default[1].rate"),
        "2 % global/2026-01-01.toml:82 None"
    );
    let paths: Vec<_> = values.iter().map(|v| v.path.as_str()).collect();
    assert!(paths.is_sorted());
}

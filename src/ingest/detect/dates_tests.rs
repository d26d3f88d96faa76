//! Forms of dates and times, clear and ambiguous.

use super::super::records::Cell;
use super::*;

fn column(texts: &[&str]) -> Column {
    let mut column = Column::new("c");
    texts.iter().for_each(|t| column.add(&Cell::typed(t)));
    column
}

fn told(guesses: &[Guess]) -> Vec<String> {
    guesses
        .iter()
        .map(|g| {
            let alternatives: Vec<String> = g.alternatives.iter().map(ToString::to_string).collect();
            format!(
                "{} {} {} {}",
                g.key_name(),
                g.setting,
                g.confidence.name(),
                alternatives.join(" ")
            )
            .trim_end()
            .to_owned()
        })
        .collect()
}

fn of_dates(texts: &[&str]) -> Vec<String> {
    told(&dates(&[&column(texts)]))
}

fn of_instants(texts: &[&str]) -> Vec<String> {
    told(&instants(&[&column(texts)]))
}

#[test]
fn forms_are_proved_by_values() {
    assert_eq!(of_dates(&["2026-01-02"]), ["date_formats \"%Y-%m-%d\" certain"]);
    assert_eq!(
        of_dates(&["31.12.2025", "01.02.2026"]),
        ["date_formats [\"%d.%m.%Y\"] certain"]
    );
    assert_eq!(
        of_dates(&["12/31/2025", "01/02/2026"]),
        ["date_formats [\"%m/%d/%Y\"] certain"]
    );
    assert_eq!(
        of_dates(&["31/12/2025", "1/2/2026"]),
        ["date_formats [\"%-d/%-m/%Y\"] certain"]
    );
    assert_eq!(of_dates(&["20251231"]), ["date_formats [\"%Y%m%d\"] certain"]);
    assert_eq!(
        of_dates(&["2025年12月31日"]),
        ["date_formats [\"%Y年%m月%d日\"] certain"]
    );
    assert_eq!(of_dates(&["soon", "x"]), ["date_formats \"none\" open"]);
    assert_eq!(of_dates(&[]), Vec::<String>::new());
}

#[test]
fn day_first_or_month_first_is_never_decided_without_proof() {
    assert_eq!(
        of_dates(&["01/02/2026", "03/04/2026"]),
        ["date_formats [\"%d/%m/%Y\"] a guess [\"%m/%d/%Y\"]"]
    );
    let guesses = dates(&[&column(&["01/02/2026"])]);
    assert!(
        guesses[0]
            .evidence
            .contains("'01/02/2026' could be 2026-02-01 or 2026-01-02"),
        "{}",
        guesses[0].evidence
    );
    // one column proves it for the source, and the other is named
    let (mut proving, mut silent) = (column(&["25/12/2025"]), column(&["01/02/2026"]));
    proving.name = "ordered".into();
    silent.name = "invoiced".into();
    let guesses = dates(&[&proving, &silent]);
    assert_eq!(told(&guesses), ["date_formats [\"%d/%m/%Y\"] certain"]);
    assert!(
        guesses[0].evidence.ends_with("(in invoiced alone all could)"),
        "{}",
        guesses[0].evidence
    );
    // days that are first here and second there prove nothing
    assert_eq!(
        of_dates(&["25/12/2025", "12/26/2025"]),
        ["date_formats [\"%d/%m/%Y\", \"%m/%d/%Y\"] likely"]
    );
    assert_eq!(
        of_dates(&["25/12/2025", "12/26/2025", "01/02/2026"]),
        ["date_formats [\"%d/%m/%Y\"] a guess [\"%m/%d/%Y\"]"]
    );
}

#[test]
fn what_no_pattern_reads_is_told() {
    assert_eq!(
        of_dates(&["46023", "46024"]),
        ["date_formats \"none\" open", "serial days \"c\" open"]
    );
    assert_eq!(
        of_dates(&["01.02.26"]),
        ["date_formats \"none\" open", "short years \"c\" open"]
    );
}

#[test]
fn times_without_an_offset_need_a_zone_that_only_a_person_knows() {
    assert_eq!(
        of_instants(&["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+01:00"]),
        ["instant_formats \"RFC 3339\" certain"]
    );
    assert_eq!(
        of_instants(&["31.12.2025 08:56"]),
        [
            "instant_formats [\"%d.%m.%Y %H:%M\"] certain",
            "time_zone \"\" open",
            "overlap \"first or last\" open"
        ]
    );
    assert_eq!(
        of_instants(&["12/31/2025 8:56 PM"])[0],
        "instant_formats [\"%m/%d/%Y %-I:%M %p\"] certain"
    );
    assert_eq!(
        of_instants(&["2025-12-31 08:56:01.250 +0200"]),
        ["instant_formats [\"%Y-%m-%d %H:%M:%S%.f %z\"] certain"]
    );
    assert_eq!(
        of_instants(&["01/02/2026 08:56"])[0],
        "instant_formats [\"%d/%m/%Y %H:%M\"] a guess [\"%m/%d/%Y %H:%M\"]"
    );
}

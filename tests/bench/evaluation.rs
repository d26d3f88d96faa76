//! Evaluates a large programme from measures at hand: 5,000 partners, eleven domains, four quarters.
//!
//! `cargo bench --bench evaluation [-- PARTNERS] [digest] [all]`. The measures are made by a rule, in memory; timed is
//! what a run does between them and the published tables: reading typed rows, peers, metrics, scores, cards, changes,
//! quartiles. With `all` also what follows from it in a run, each by itself: the explanation of every number as rows,
//! next steps for the cards of the last quarter, reviews of every certification in every quarter.

#![expect(clippy::print_stdout, reason = "a figure for a person")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant as Clock};

use starledger::domain::table::row_hash;
use starledger::domain::{Dec, Digest, FiscalCalendar, Period, Table, Value};
use starledger::evaluation::certifications::EFFECTIVE;
use starledger::evaluation::review::{REVIEWS, ReviewInputs, Reviewed, review};
use starledger::evaluation::{Evaluated, Inputs, evaluate, evaluate_and_look_ahead, tables};
use starledger::rules::Rules;

const QUARTERS: [&str; 4] = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"];
const REGIONS: [&str; 3] = ["emea", "apac", "latam"];
const DOMAINS: [&str; 11] = [
    "routing-switching",
    "wireless-lan",
    "security",
    "transmission",
    "unified-communications",
    "video-conferencing",
    "ivs",
    "call-center",
    "cloud",
    "server-storage",
    "ups",
];

fn main() {
    let partners = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(5000);
    let asked = |what: &str| std::env::args().any(|a| a == what);
    let rules = read_rules();
    let inputs = inputs(partners, &rules);
    let rows: usize = [
        &inputs.satisfaction,
        &inputs.quality,
        &inputs.parts,
        &inputs.deliveries,
        &inputs.service_level,
    ]
    .iter()
    .map(|t| t.rows.len())
    .sum();
    let start = Clock::now();
    let done = evaluate(&inputs, &rules).expect("evaluated");
    let took = start.elapsed();
    assert_eq!(done.scores.rows.len(), partners * DOMAINS.len() * QUARTERS.len());
    let rated = done
        .scores
        .rows
        .iter()
        .filter(|r| r[4] != Value::text("not_rated"))
        .count();
    println!(
        "{partners} partners, {} scores ({rated} rated), {} metrics, {rows} rows of measures: {:.2} s",
        done.scores.rows.len(),
        done.metrics.rows.len(),
        took.as_secs_f64()
    );
    if asked("digest") {
        println!("SHA-256 of the tables: {}", digest(&done));
    }
    if asked("all") {
        follow(&inputs, &rules, done, took);
    }
}

/// What a run makes of an evaluation.
fn follow(inputs: &Inputs, rules: &Rules, done: Evaluated, evaluated: Duration) {
    println!("  peak {} MB", peak_megabytes());
    let start = Clock::now();
    let reviewed = reviewed(inputs, rules, &done);
    println!(
        "reviews: {} certifications, {} criteria: {:.2} s, peak {} MB",
        reviewed.reviews.rows.len(),
        reviewed.criteria.rows.len(),
        start.elapsed().as_secs_f64(),
        peak_megabytes()
    );
    drop(reviewed);
    let start = Clock::now();
    let rows: usize = QUARTERS
        .iter()
        .map(|q| done.derivation_steps(quarter(q)).rows.len())
        .sum();
    println!(
        "explanation: {rows} rows: {:.2} s, peak {} MB",
        start.elapsed().as_secs_f64(),
        peak_megabytes()
    );
    drop(done);
    let last = inputs.periods.iter().max().copied().into_iter().collect();
    let start = Clock::now();
    let (_, next) = evaluate_and_look_ahead(inputs, rules, &last).expect("evaluated");
    println!(
        "next steps: {} of the last quarter: {:.2} s more than the evaluation alone",
        next.rows.len(),
        start.elapsed().saturating_sub(evaluated).as_secs_f64()
    );
}

/// Reviews of every partner's certification in every domain.
fn reviewed(inputs: &Inputs, rules: &Rules, done: &Evaluated) -> Reviewed {
    let mut certifications = Table::new("effective_certifications", &EFFECTIVE);
    let mut engineers = table(
        "engineers",
        "engineer_id certificate_code issued_on partner_id domain level role expires_on revoked_on",
    );
    let from = FiscalCalendar::CALENDAR_YEAR.first_day(inputs.periods[0]);
    for (number, partner) in inputs
        .partner_periods
        .iter()
        .filter(|r| r.text("period") == Ok(QUARTERS[0]))
        .enumerate()
    {
        let partner = Value::text(partner.text("partner_id").expect("an id"));
        for (d, domain) in DOMAINS.iter().enumerate() {
            let seed = number * 64 + d;
            certifications.push(vec![
                partner.clone(),
                (*domain).into(),
                from.into(),
                (3 + drawn(seed, 3)).into(),
                "2026".into(),
                FiscalCalendar::CALENDAR_YEAR.end_day(inputs.periods[0].plus(12)).into(),
                "active".into(),
                Value::Null,
            ]);
            for engineer in 0..2 + drawn(seed + 1, 3) {
                engineers.push(vec![
                    Value::text(format!("E{number}-{d}-{engineer}")),
                    "HC".into(),
                    from.into(),
                    partner.clone(),
                    (*domain).into(),
                    "professional".into(),
                    "engineer".into(),
                    Value::Null,
                    Value::Null,
                ]);
            }
        }
    }
    let inputs = ReviewInputs {
        periods: &inputs.periods,
        scores: &done.scores,
        metrics: &done.metrics,
        deliveries: &inputs.deliveries,
        partner_periods: &inputs.partner_periods,
        certifications: &certifications,
        domains: &inputs.domains,
        engineers: &engineers,
        enablement: &inputs.enablement,
        acts: &[],
        freezes: &[],
        holds: &[],
        sealed: &Table::new("reviews", &REVIEWS),
    };
    review(&inputs, rules).expect("reviewed")
}

/// Peak of the memory of this process.
fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .and_then(|l| l.split_whitespace().nth(1));
    peak.and_then(|p| p.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Of every value of every published table: the same before and after a change that is for speed only.
fn digest(done: &Evaluated) -> Digest {
    let steps: Vec<Table> = QUARTERS.iter().map(|q| done.derivation_steps(quarter(q))).collect();
    let tables = [
        &done.metrics,
        &done.scores,
        &done.partner_scores,
        &done.score_changes,
        &done.peer_figures,
        &done.figures,
        &done.key_event_points,
    ];
    row_hash(tables.into_iter().chain(&steps).flat_map(|table| &table.rows).flatten())
}

fn quarter(name: &str) -> Period {
    Period::parse(name).expect("a quarter")
}

fn read_rules() -> Rules {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/rules");
    let mut files = Vec::new();
    for region in fs::read_dir(&folder).expect("rules") {
        let region = region.expect("a region").path();
        for file in fs::read_dir(&region).expect("a folder") {
            let path = file.expect("a file").path();
            let name = path
                .strip_prefix(&folder)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            files.push((name, fs::read_to_string(&path).expect("a text")));
        }
    }
    Rules::read(&files).expect("rules in order")
}

fn table(name: &str, columns: &str) -> Table {
    Table::new(name, &columns.split_whitespace().collect::<Vec<_>>())
}

/// A number that follows from its place.
fn drawn(seed: usize, below: usize) -> i64 {
    let mixed = (seed as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(23)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    i64::try_from((mixed >> 33) as usize % below).expect("small")
}

fn inputs(partners: usize, rules: &Rules) -> Inputs {
    let mut out = Inputs {
        periods: QUARTERS.iter().map(|q| Period::parse(q).expect("a quarter")).collect(),
        partner_periods: table(
            "calendar_partner_periods",
            "partner_id period region first_on end_on starts_at",
        ),
        satisfaction: table(
            "measures_satisfaction",
            "partner_id domain period customer_id customer_class selected_by answers share_sum share_square_sum \
             satisfied_answers satisfied_share_sum vendor_fault_answers zero_share_answers",
        ),
        quality: table(
            "measures_quality",
            "partner_id domain period selected_by scored score_max critical major minor inspections score_sum",
        ),
        critical: table("measures_critical", "partner_id domain period open_critical"),
        parts: table(
            "measures_parts",
            "partner_id domain period due_quantity opening_quantity overdue_quantity long_overdue_quantity",
        ),
        deliveries: table("measures_deliveries", "partner_id domain period completed"),
        service_level: table("measures_service_level", "partner_id domain period due on_time"),
        ratings: table("measures_ratings", ""),
        responses: table("measures_responses", ""),
        own: BTreeMap::new(),
        engineers: table("engineers", ""),
        enablement: table("enablement", ""),
        certifications: table("certifications", ""),
        domains: table("domains", ""),
        key_events: table("key_events", ""),
        decisions: table("decisions", ""),
        sealed_scores: Table::new("scores", &tables::SCORES),
        sealed_partner_scores: Table::new("partner_scores", &tables::PARTNER_SCORES),
        sealed_metrics: Table::new("metrics", &tables::METRICS),
        sealed_key_event_points: Table::new("key_event_points", &tables::KEY_EVENT_POINTS),
        incomplete: BTreeSet::new(),
    };
    for number in 0..partners {
        let id = Value::text(format!("P{number:05}"));
        let region = REGIONS[number % REGIONS.len()];
        for (q, quarter) in QUARTERS.iter().enumerate() {
            let period = Period::parse(quarter).expect("a quarter");
            let calendar = FiscalCalendar::CALENDAR_YEAR;
            let (first, end) = (calendar.first_day(period), calendar.end_day(period));
            let region_id = starledger::domain::ids::RegionId::new(region).expect("a region");
            let zone = rules.book(&region_id, first).expect("rules").zone;
            let quarter = Value::text(quarter);
            out.partner_periods.push(vec![
                id.clone(),
                quarter.clone(),
                region.into(),
                first.into(),
                end.into(),
                zone.start_of(first).into(),
            ]);
            for (d, domain) in DOMAINS.iter().enumerate() {
                facts(
                    &mut out,
                    &[id.clone(), Value::text(domain), quarter.clone()],
                    number * 64 + d * 4 + q,
                );
            }
        }
    }
    out
}

/// Three customers, two kinds of inspections, parts, deliveries.
fn facts(out: &mut Inputs, key: &[Value], seed: usize) {
    let row = |values: Vec<Value>| key.iter().cloned().chain(values).collect::<Vec<Value>>();
    let whole = |n: i64| Value::Dec(Dec::from(n));
    for customer in 0..3 {
        let n = 2 + drawn(seed * 3 + customer, 14);
        let good = n - drawn(seed * 5 + customer, 3).min(n);
        let class = ["key", "large", "ordinary"][customer];
        out.satisfaction.push(row(vec![
            Value::text(format!("C{customer}")),
            class.into(),
            "all".into(),
            n.into(),
            whole(n),
            whole(n),
            good.into(),
            whole(good),
            0.into(),
            0.into(),
        ]));
    }
    let n = 1 + drawn(seed + 7, 5);
    let points = n * (70 + drawn(seed + 11, 30));
    out.quality.push(row(vec![
        "random".into(),
        true.into(),
        whole(100),
        0.into(),
        0.into(),
        0.into(),
        n.into(),
        whole(points),
    ]));
    out.quality.push(row(vec![
        "risk".into(),
        false.into(),
        whole(0),
        drawn(seed, 2).into(),
        1.into(),
        2.into(),
        1.into(),
        whole(0),
    ]));
    let (due, opening) = (4 + drawn(seed + 13, 20), drawn(seed + 17, 4));
    let overdue = drawn(seed + 19, 3);
    out.parts.push(row(vec![
        due.into(),
        opening.into(),
        overdue.into(),
        (overdue / 2).into(),
    ]));
    out.deliveries.push(row(vec![(3 + drawn(seed + 23, 40)).into()]));
    let due = 3 + drawn(seed + 29, 30);
    out.service_level
        .push(row(vec![due.into(), (due - drawn(seed + 31, 3)).into()]));
}

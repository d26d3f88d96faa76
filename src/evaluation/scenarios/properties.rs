//! Properties over generated programmes: what must hold whatever the facts are.

use std::collections::BTreeMap;

use crate::domain::{Ratio, Table, Value};
use crate::evaluation::Evaluated;
use crate::evaluation::testing::{World, dec};

const QUARTERS: [&str; 4] = ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"];
const DOMAINS: [&str; 3] = ["cloud", "ups", "wlan"];
const SEEDS: u64 = 25;

/// A generator that needs no crate and gives the same numbers everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % n).unwrap()
    }
}

/// Ten partners in two regions, three domains, four quarters; some with little, some with nothing.
fn programme(seed: u64) -> World {
    let mut draw = Draw(seed);
    let mut world = World::new(&QUARTERS);
    for number in 0..10 {
        let id = format!("P{number}");
        world.partner(&id, if number % 3 == 0 { "apac" } else { "emea" });
        facts(&mut world, &mut draw, &id);
    }
    for event in 0..12 {
        let (partner, domain) = (
            draw.below(10),
            ["cloud", "ups", "-"][usize::try_from(draw.below(3)).unwrap()],
        );
        let level = ["minor", "major", "severe"][usize::try_from(draw.below(3)).unwrap()];
        let direction = ["positive", "negative"][usize::try_from(draw.below(2)).unwrap()];
        let red = ["none", "none", "none", "L3", "L2"][usize::try_from(draw.below(5)).unwrap()];
        world.event(&format!("E{event} P{partner} {domain} {level} {direction} {red}"));
        world.confirmed(
            &format!("E{event}"),
            &format!("2026-0{}-11T08:00:00Z", 1 + draw.below(8)),
        );
    }
    world
}

fn facts(world: &mut World, draw: &mut Draw, id: &str) {
    for domain in DOMAINS {
        for quarter in QUARTERS {
            let key = format!("{id} {domain} {quarter}");
            for customer in 0..draw.below(6) {
                let n = 1 + draw.below(12);
                let satisfied = n - draw.below(u64::try_from(n).unwrap() + 1).min(draw.below(4));
                let class = ["key", "large", "ordinary"][usize::try_from(draw.below(3)).unwrap()];
                world.answers(&key, &format!("C{customer}"), class, satisfied, n);
            }
            let scores: Vec<i64> = (0..draw.below(6)).map(|_| 60 + draw.below(41)).collect();
            if !scores.is_empty() {
                world.scored(&key, &scores);
            }
            let (due, opening) = (draw.below(12), draw.below(4));
            let overdue = draw.below(u64::try_from(due + opening).unwrap() + 1).min(draw.below(3));
            let long = overdue.min(draw.below(2));
            world
                .parts(&key, [due, opening, overdue, long])
                .completed(&key, draw.below(30));
            if draw.below(20) == 0 {
                world.open_critical(&key, 1);
            }
        }
    }
}

fn cell(table: &Table, row: &[Value], column: &str) -> Value {
    row[table.column(column).unwrap()].clone()
}

fn number(table: &Table, row: &[Value], column: &str) -> Option<Ratio> {
    match cell(table, row, column) {
        Value::Dec(dec) => Some(dec.ratio()),
        _ => None,
    }
}

/// Rows by their first columns, as text, with some columns left out.
fn keyed(table: &Table, key: usize, without: &[&str]) -> BTreeMap<String, String> {
    let kept: Vec<usize> = (0..table.columns().len())
        .filter(|i| !without.contains(&table.columns()[*i].as_str()))
        .collect();
    let text = |row: &Vec<Value>, places: &[usize]| {
        places
            .iter()
            .map(|i| row[*i].to_string())
            .collect::<Vec<_>>()
            .join(" | ")
    };
    table
        .rows
        .iter()
        .map(|row| (text(row, &(0..key).collect::<Vec<_>>()), text(row, &kept)))
        .collect()
}

#[test]
fn scores_stay_within_bounds_and_everything_adds_up() {
    for seed in 0..SEEDS {
        let done = programme(seed).run();
        let mut sums: BTreeMap<String, (Ratio, Ratio)> = BTreeMap::new();
        let of = |row: &[Value]| row[..3].iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        for row in &done.metrics.rows {
            let get = |column| number(&done.metrics, row, column).unwrap();
            let sum = sums.entry(of(row)).or_insert_with(|| (Ratio::zero(), Ratio::zero()));
            *sum = (&sum.0 + &get("effective_weight"), &sum.1 + &get("points"));
            if let Some(value) = number(&done.metrics, row, "normalised") {
                assert!(!value.is_negative() && value <= dec("100"));
            }
        }
        for row in &done.scores.rows {
            let get = |column| number(&done.scores, row, column);
            let (weights, points) = &sums[&of(row)];
            let Some(score) = get("final") else { continue };
            assert!(!score.is_negative() && score <= dec("100"));
            assert_eq!(
                (weights, Some(points)),
                (&dec("100"), get("base").as_ref()),
                "{}",
                of(row)
            );
            let lines = &(&get("base").unwrap() + &get("event_points").unwrap()) + &get("clamp").unwrap();
            assert_eq!(lines, score, "{}", of(row));
        }
        changes_add_up(&done);
    }
}

fn changes_add_up(done: &Evaluated) {
    let mut parts: BTreeMap<(String, String, String), Ratio> = BTreeMap::new();
    for row in &done.score_changes.rows {
        let key = (row[0].to_string(), row[1].to_string(), row[2].to_string());
        let sum = parts.entry(key).or_insert_with(Ratio::zero);
        *sum = &*sum + &number(&done.score_changes, row, "points").unwrap();
    }
    let mut compared = 0;
    for row in &done.scores.rows {
        let key = (row[0].to_string(), row[1].to_string(), row[2].to_string());
        if let Some(change) = number(&done.scores, row, "change") {
            assert_eq!(parts.get(&key).cloned().unwrap_or_else(Ratio::zero), change, "{key:?}");
            compared += 1;
        }
    }
    for row in &done.partner_scores.rows {
        let key = (row[0].to_string(), "*".to_owned(), row[1].to_string());
        if let Some(change) = number(&done.partner_scores, row, "change") {
            assert_eq!(parts.get(&key).cloned().unwrap_or_else(Ratio::zero), change, "{key:?}");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn a_dissatisfied_answer_turned_satisfied_never_lowers_a_score() {
    for seed in 0..SEEDS {
        let mut world = programme(seed);
        let before = world.run();
        let table = &mut world.inputs.satisfaction;
        let (n, satisfied, share) = (
            table.column("answers").unwrap(),
            table.column("satisfied_answers").unwrap(),
            table.column("satisfied_share_sum").unwrap(),
        );
        let open: Vec<usize> = (0..table.rows.len())
            .filter(|i| table.rows[*i][satisfied] < table.rows[*i][n])
            .collect();
        let row = &mut table.rows[open[usize::try_from(seed).unwrap() % open.len()]];
        let Value::Int(count) = row[satisfied] else { panic!() };
        row[satisfied] = (count + 1).into();
        row[share] = Value::Dec((count + 1).into());
        let key: Vec<Value> = row[..3].to_vec();
        let after = world.run();
        let of = |done: &Evaluated| {
            let found = done.scores.rows.iter().find(|row| row[..3] == key[..]).unwrap();
            number(&done.scores, found, "final")
        };
        assert!(of(&before) <= of(&after), "{key:?}");
    }
}

#[test]
fn the_order_of_rows_and_the_thread_do_not_matter() {
    for seed in 0..5 {
        let mut world = programme(seed);
        let before = world.run();
        let inputs = &mut world.inputs;
        for table in [
            &mut inputs.satisfaction,
            &mut inputs.quality,
            &mut inputs.parts,
            &mut inputs.deliveries,
            &mut inputs.partner_periods,
            &mut inputs.key_events,
            &mut inputs.decisions,
        ] {
            table.rows.reverse();
            let middle = table.rows.len() / 3;
            table.rows.rotate_left(middle);
        }
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| world.run())).collect();
            for run in runs {
                let after = run.join().unwrap();
                assert_eq!(before.metrics.rows, after.metrics.rows);
                assert_eq!(before.scores.rows, after.scores.rows);
                assert_eq!(before.partner_scores.rows, after.partner_scores.rows);
                assert_eq!(before.score_changes.rows, after.score_changes.rows);
                assert_eq!(before.peer_figures.rows, after.peer_figures.rows);
                assert_eq!(before.key_event_points.rows, after.key_event_points.rows);
            }
        });
    }
}

/// What of a metric may move with the peers.
const PEER_TERMS: [&str; 5] = ["peer_value", "peer_basis", "adjusted", "normalised", "points"];

#[test]
fn another_partner_acts_on_mine_only_through_the_peer_terms() {
    for seed in 0..SEEDS {
        let mut world = programme(seed);
        let before = world.run();
        world.partner("NEW", "emea");
        facts(&mut world, &mut Draw(seed + 1000), "NEW");
        let after = world.run();
        let of = |done: &Evaluated, region_apac: bool, without: &[&str]| -> BTreeMap<String, String> {
            let mine = |key: &String| {
                let number: Option<u32> = key
                    .split(" | ")
                    .next()
                    .and_then(|p| p.strip_prefix('P'))
                    .and_then(|n| n.parse().ok());
                number.is_some_and(|number| (number % 3 == 0) == region_apac)
            };
            keyed(&done.metrics, 4, without)
                .into_iter()
                .filter(|(key, _)| mine(key))
                .collect()
        };
        // in another region nothing moves at all; in the same one only the terms of the peers
        assert_eq!(of(&before, true, &[]), of(&after, true, &[]));
        assert_eq!(of(&before, false, &PEER_TERMS), of(&after, false, &PEER_TERMS));
        assert_ne!(of(&before, false, &[]), of(&after, false, &[]));
        // parts have no peers; their points share one rounding with the others
        let parts = |done: &Evaluated| -> BTreeMap<String, String> {
            of(done, false, &["points"])
                .into_iter()
                .filter(|(key, _)| key.ends_with("parts"))
                .collect()
        };
        assert_eq!(parts(&before), parts(&after));
    }
}

#[test]
fn a_late_fact_changes_only_periods_whose_window_holds_it() {
    for seed in 0..SEEDS {
        let mut world = programme(seed);
        for region in ["emea", "apac"] {
            let book = world.book(region);
            (book.satisfaction.look_back_periods, book.quality.look_back_periods) = (2, 2);
        }
        let before = world.run();
        world
            .answers("P1 cloud 2026-Q1", "LATE", "key", 1, 9)
            .scored("P1 cloud 2026-Q1", &[61]);
        let after = world.run();
        let moved = |key: usize, of: fn(&Evaluated) -> &Table, without: &[&str]| -> Vec<String> {
            let (old, new) = (keyed(of(&before), key, without), keyed(of(&after), key, without));
            new.into_iter()
                .filter(|(key, row)| old.get(key) != Some(row))
                .map(|(key, _)| key)
                .collect()
        };
        let metrics = moved(4, |done| &done.metrics, &[]);
        assert!(metrics.iter().any(|key| key == "P1 | cloud | 2026-Q1 | satisfaction"));
        // the window of two periods: this one and the next
        assert!(
            metrics
                .iter()
                .all(|key| key.contains("2026-Q1") || key.contains("2026-Q2")),
            "{metrics:?}"
        );
        // a score knows the one before it, and nothing further back
        let scores = moved(3, |done| &done.scores, &["previous_final", "change"]);
        assert!(
            scores
                .iter()
                .all(|key| key.contains("2026-Q1") || key.contains("2026-Q2")),
            "{scores:?}"
        );
    }
}

#[test]
fn the_generated_programmes_are_not_trivial() {
    let done = programme(3).run();
    let rated = done
        .scores
        .rows
        .iter()
        .filter(|row| cell(&done.scores, row, "state").to_string() != "not_rated")
        .count();
    assert!(rated > 40, "{rated}");
    assert!(done.score_changes.rows.len() > 100);
}

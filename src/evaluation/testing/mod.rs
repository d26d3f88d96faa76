//! A small world for tests: rules of the sample, and inputs written as short rows.
//!
//! Duty: readable rows in, readable rows out. Not its duty: anything outside tests.

use std::collections::{BTreeMap, BTreeSet};

use super::inputs::{Evaluated, Inputs};
use super::{EvaluationError, evaluate, tables};
use crate::domain::ids::{DomainId, PartnerId, RegionId};
use crate::domain::time::parse_date;
use crate::domain::{Dec, FiscalCalendar, Instant, Period, PeriodKind, Ratio, Rounding, Table, Value};
use crate::rules::{ProgrammeRules, RuleBook};

mod rules;

pub use self::rules::{Library, book, knots};

pub fn dec(text: &str) -> Ratio {
    Dec::parse(text).unwrap().ratio()
}

/// To 12 places.
pub fn shown(exact: &Ratio) -> String {
    exact.round(12, Rounding::HalfAwayFromZero).unwrap().to_string()
}

pub fn partner(text: &str) -> PartnerId {
    PartnerId::new(text).unwrap()
}

pub fn region(text: &str) -> RegionId {
    RegionId::new(text).unwrap()
}

pub fn domain(text: &str) -> DomainId {
    DomainId::new(text).unwrap()
}

pub fn period(text: &str) -> Period {
    Period::parse(text).unwrap()
}

/// Inputs that grow row by row, and the rules.
pub struct World {
    pub inputs: Inputs,
    pub library: Library,
}

impl World {
    /// Computes the periods named; regions emea (Berlin) and apac (Singapore).
    pub fn new(periods: &[&str]) -> World {
        let table = |name: &str, columns: &str| {
            let columns: Vec<&str> = columns.split_whitespace().collect();
            Table::new(name, &columns)
        };
        let inputs = Inputs {
            periods: periods.iter().map(|p| period(p)).collect(),
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
            ratings: table(
                "measures_ratings",
                "partner_id domain period scale_min scale_max answers rating_sum top promoters detractors",
            ),
            responses: table("measures_responses", "partner_id domain period sent answered"),
            own: BTreeMap::new(),
            engineers: table(
                "engineers",
                "engineer_id certificate_code issued_on partner_id domain level role expires_on revoked_on",
            ),
            enablement: table("enablement", "event_id partner_id domain credits completed_on"),
            certifications: table("certifications", "partner_id domain valid_from stars valid_to status"),
            domains: table("domains", "domain name member_of"),
            key_events: table(
                "key_events",
                "event_id partner_id domain occurred_on code level direction red_line self_reported evidence",
            ),
            decisions: table("decisions", "decision_id kind subject outcome by decided_at"),
            sealed_scores: Table::new("scores", &tables::SCORES),
            sealed_partner_scores: Table::new("partner_scores", &tables::PARTNER_SCORES),
            sealed_metrics: Table::new("metrics", &tables::METRICS),
            sealed_key_event_points: Table::new("key_event_points", &tables::KEY_EVENT_POINTS),
            incomplete: BTreeSet::new(),
        };
        let books = [book("emea", "Europe/Berlin"), book("apac", "Asia/Singapore")];
        let library = Library {
            books: books.into_iter().map(|book| (book.region.clone(), book)).collect(),
            programme: ProgrammeRules {
                name: "sample".to_owned(),
                calendar_name: "fiscal".to_owned(),
                calendar: FiscalCalendar::CALENDAR_YEAR,
                evaluation_period: PeriodKind::Quarter,
                posting_period: PeriodKind::Quarter,
                first_period: "2025-Q4".to_owned(),
                contest_days: 30,
                settlement: crate::rules::SettlementRules::default(),
            },
        };
        World { inputs, library }
    }

    pub fn book(&mut self, name: &str) -> &mut RuleBook {
        self.library.books.get_mut(&region(name)).unwrap()
    }

    /// A partner in a region, in the four quarters from 2025-Q4 on.
    pub fn partner(&mut self, id: &str, name: &str) -> &mut World {
        let zone = self.book(name).zone;
        for quarter in ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"] {
            let calendar = FiscalCalendar::CALENDAR_YEAR;
            let (first, end) = (calendar.first_day(period(quarter)), calendar.end_day(period(quarter)));
            let row = vec![
                id.into(),
                quarter.into(),
                name.into(),
                first.into(),
                end.into(),
                zone.start_of(first).into(),
            ];
            self.inputs.partner_periods.push(row);
        }
        self
    }

    /// `satisfied` of `n` answers of a customer, with full responsibility. The key is `partner domain period`.
    pub fn answers(&mut self, key: &str, customer: &str, class: &str, satisfied: i64, n: i64) -> &mut World {
        let values = [customer.into(), class.into(), "all".into()];
        let counts = [n, n, n, satisfied, satisfied, 0, 0];
        let mut row = key_of(key);
        row.extend(values);
        row.extend(counts.into_iter().enumerate().map(|(i, n)| {
            if matches!(i, 1 | 2 | 4) {
                Value::Dec(n.into())
            } else {
                n.into()
            }
        }));
        self.inputs.satisfaction.push(row);
        self
    }

    /// Inspections of the random selection with a score of 100 at most each.
    pub fn scored(&mut self, key: &str, scores: &[i64]) -> &mut World {
        let count = i64::try_from(scores.len()).unwrap();
        let mut row = key_of(key);
        let sum = Value::Dec(scores.iter().sum::<i64>().into());
        row.extend([
            "random".into(),
            true.into(),
            Value::Dec(100.into()),
            0.into(),
            0.into(),
            0.into(),
            count.into(),
            sum,
        ]);
        self.inputs.quality.push(row);
        self
    }

    /// One inspection without a score.
    pub fn found(&mut self, key: &str, selected_by: &str, findings: [i64; 3]) -> &mut World {
        let mut row = key_of(key);
        row.extend([selected_by.into(), false.into(), Value::Dec(0.into())]);
        row.extend(findings.map(Value::from));
        row.extend([1.into(), Value::Dec(0.into())]);
        self.inputs.quality.push(row);
        self
    }

    /// Quantities: due, opening, overdue, long overdue.
    pub fn parts(&mut self, key: &str, quantities: [i64; 4]) -> &mut World {
        let mut row = key_of(key);
        row.extend(quantities.map(Value::from));
        self.inputs.parts.push(row);
        self
    }

    pub fn completed(&mut self, key: &str, completed: i64) -> &mut World {
        let mut row = key_of(key);
        row.push(completed.into());
        self.inputs.deliveries.push(row);
        self
    }

    pub fn open_critical(&mut self, key: &str, open: i64) -> &mut World {
        let mut row = key_of(key);
        row.push(open.into());
        self.inputs.critical.push(row);
        self
    }

    pub fn certified(&mut self, id: &str, domain: &str, from: &str, to: &str) -> &mut World {
        let day = |t: &str| Value::Date(parse_date(t).unwrap());
        self.inputs.certifications.push(vec![
            id.into(),
            domain.into(),
            day(from),
            3.into(),
            day(to),
            "active".into(),
        ]);
        self
    }

    pub fn member(&mut self, domain: &str, span: &str) -> &mut World {
        self.inputs
            .domains
            .push(vec![domain.into(), domain.into(), span.into()]);
        self
    }

    /// An event as `E1 P1 cloud severe negative none`; domain `-` for none; a `!` at the end: reported by the partner.
    pub fn event(&mut self, text: &str) -> &mut World {
        let words: Vec<&str> = text.split_whitespace().collect();
        let domain = if words[2] == "-" { Value::Null } else { words[2].into() };
        let own: Value = (words.get(6) == Some(&"!")).into();
        let on = Value::Date(parse_date("2026-07-01").unwrap());
        self.inputs.key_events.push(vec![
            words[0].into(),
            words[1].into(),
            domain,
            on,
            "K".into(),
            words[3].into(),
            words[4].into(),
            words[5].into(),
            own,
            "proof".into(),
        ]);
        self
    }

    /// A human act as `confirm E1 confirmed ann 2026-08-01T00:00:00Z`.
    pub fn act(&mut self, text: &str) -> &mut World {
        let words: Vec<&str> = text.split_whitespace().collect();
        let id = format!("D{}", self.inputs.decisions.rows.len() + 1);
        let at = Value::Instant(Instant::parse(words[4]).unwrap());
        self.inputs.decisions.push(vec![
            id.into(),
            words[0].into(),
            words[1].into(),
            words[2].into(),
            words[3].into(),
            at,
        ]);
        self
    }

    /// Two confirmations, both at an instant.
    pub fn confirmed(&mut self, event: &str, at: &str) -> &mut World {
        self.act(&format!("confirm {event} confirmed ann {at}"))
            .act(&format!("confirm {event} confirmed bob {at}"))
    }

    pub fn run(&self) -> Evaluated {
        self.try_run().unwrap()
    }

    pub fn try_run(&self) -> Result<Evaluated, EvaluationError> {
        evaluate(&self.inputs, &self.library)
    }
}

/// Columns of the rows of a table whose first columns are the given key, as text: `a | b`; `-` for null.
pub fn rows(table: &Table, key: &str, columns: &str) -> Vec<String> {
    let key: Vec<&str> = key.split_whitespace().collect();
    let matches = |values: &[Value]| key.iter().zip(values).all(|(k, v)| *k == v.to_string());
    let field = |row: &[Value], column: &str| {
        let value = &row[table.column(column).unwrap()];
        if value.is_null() {
            "-".to_owned()
        } else {
            value.to_string()
        }
    };
    let show = |row: &Vec<Value>| {
        columns
            .split_whitespace()
            .map(|c| field(row, c))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    table.rows.iter().filter(|row| matches(row)).map(show).collect()
}

/// The one such row.
pub fn row(table: &Table, key: &str, columns: &str) -> String {
    let found = rows(table, key, columns);
    assert_eq!(found.len(), 1, "rows of {} for {key}: {found:?}", table.name());
    found[0].clone()
}

fn key_of(text: &str) -> Vec<Value> {
    text.split_whitespace().map(Value::from).collect()
}

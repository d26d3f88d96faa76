//! Rows of two partners for the tests of this room.

use std::collections::BTreeMap;

use crate::domain::ids::{PartnerId, SchemeId};
use crate::domain::{Date, Dec, Grade, Instant, Period, Ratio, Row, Table, Value};
use crate::rules::{GradeBands, PartsMode};

use super::inputs::{CardTerms, Programme};
use super::money_ahead::SchemeTerms;
use super::{PartnerFrame, PublishingError, PublishingInputs, PublishingTables};

/// Owned tables and terms that a frame is read from.
#[derive(Debug)]
pub struct World {
    pub partners: Table,
    pub domains: Table,
    pub calendar: Table,
    pub metrics: Table,
    pub scores: Table,
    pub partner_scores: Table,
    pub events: Table,
    pub rebates: Table,
    pub ledger: Table,
    pub score_changes: Table,
    pub next_steps: Table,
    pub certifications: Table,
    pub engineers: Table,
    pub reviews: Table,
    pub review_criteria: Table,
    pub grades: GradeBands,
    pub schemes: BTreeMap<SchemeId, SchemeTerms>,
    pub closed_on: Option<Date>,
}

pub const OWN: &str = "P-0017";
pub const OTHER: &str = "P-0023";

/// Reads one cell: `-` is null, `t:` text, `i:` an integer, `d:` a date; anything else a decimal if it is one, or text.
fn cell(text: &str) -> Value {
    match text.split_once(':') {
        _ if text == "-" => Value::Null,
        Some(("t", rest)) => Value::text(rest),
        Some(("i", rest)) => Value::Int(rest.parse().unwrap()),
        Some(("d", rest)) => Value::Date(crate::domain::time::parse_date(rest).unwrap()),
        _ => Dec::parse(text).map_or_else(|_| Value::text(text), Value::Dec),
    }
}

/// A table from readable lines: columns, then rows, cells separated by `|`.
pub fn table(name: &str, columns: &str, rows: &[&str]) -> Table {
    let mut table = Table::new(name, &columns.split_whitespace().collect::<Vec<_>>());
    for row in rows {
        table.push(row.split('|').map(|c| cell(c.trim())).collect::<Row>());
    }
    table
}

const METRICS: &str = "partner_id domain period metric state reason n n_eff raw interval_low interval_high peer_value \
                       peer_basis adjusted normalised nominal_weight effective_weight points note";
const SCORES: &str = "partner_id domain period region state reason coverage base event_points clamp final grade \
                      previous_final change rules_hash";
const CARDS: &str = "partner_id period region state reason domains_rated completed_deliveries base event_points clamp \
                     final grade previous_final change red_line_state red_line_until rules_hash";
const EVENTS: &str =
    "event_id partner_id domain period code level direction red_line status points confirmed_on reason";
const REBATES: &str = "partner_id scheme earning_period domain component period currency basis rate factor amount \
                       booked lines reason";
const LEDGER: &str =
    "entry_no transaction_no account amount currency partner_id scheme earning_period period posting_on";

impl World {
    /// One partner with everything: three domains, events, two schemes, a correction of an earlier quarter; and another
    /// one, none of whose rows may be seen.
    pub fn full() -> World {
        World {
            partners: table(
                "partners",
                "partner_id valid_from legal_name region language currency",
                &[
                    "P-0017 | d:2025-01-01 | Nordlicht Netze GmbH | emea | t:de | EUR",
                    "P-0017 | d:2026-10-01 | Renamed Later SE | emea | t:de | EUR",
                    "P-0023 | d:2025-01-01 | Rival Systems Ltd | emea | t:en | EUR",
                ],
            ),
            domains: table(
                "domains",
                "domain name member_of",
                &[
                    "routing-switching | Routing and switching | networking",
                    "server-storage | Server and storage | -",
                    "ups | Uninterruptible power | -",
                ],
            ),
            calendar: table(
                "calendar_partner_periods",
                "partner_id period region first_on last_on",
                &[
                    "P-0017 | 2026-Q3 | emea | d:2026-07-01 | d:2026-09-30",
                    "P-0023 | 2026-Q3 | emea | d:2026-07-01 | d:2026-09-30",
                ],
            ),
            metrics: table(
                "metrics",
                METRICS,
                &[
                    "P-0017 | routing-switching | 2026-Q3 | parts | rated | - | i:214 | - | 0.971962616822 | - | - | - | - | - | 84.642857142857 | 25.00 | 25.00 | 21.16 | -",
                    "P-0017 | routing-switching | 2026-Q3 | satisfaction | rated | - | i:64 | 51.2 | 0.953125 | 0.871200000000 | 0.983900000000 | 0.906 | domain | 0.94 | 87.000000000000 | 40.00 | 40.00 | 34.80 | -",
                    "P-0017 | routing-switching | 2026-Q3 | quality | rated | - | i:31 | 28.1 | 92.4 | - | - | 88.1 | domain | 91.9 | 91.900000000000 | 35.00 | 35.00 | 32.17 | -",
                    "P-0017 | server-storage | 2026-Q3 | satisfaction | provisional | fewer than 30 answers | i:12 | 9.9 | 0.833333333333 | 0.55 | 0.95 | 0.871 | region | 0.86 | 63.000000000000 | 40.00 | 53.33 | 33.60 | -",
                    "P-0017 | server-storage | 2026-Q3 | quality | rated | - | i:9 | 8.5 | 83.25 | - | - | 85 | default | 83.8 | 83.800000000000 | 35.00 | 46.67 | 39.11 | -",
                    "P-0017 | server-storage | 2026-Q3 | parts | not_applicable | no part due or overdue | i:0 | - | - | - | - | - | - | - | - | 25.00 | 0.00 | 0.00 | -",
                    "P-0017 | ups | 2026-Q3 | satisfaction | insufficient | 3 answers, at least 5 needed | i:3 | 3 | 1 | - | - | 0.85 | default | 0.87 | - | 40.00 | 0.00 | 0.00 | -",
                    "P-0017 | ups | 2026-Q2 | satisfaction | rated | - | i:77 | 3 | 1 | - | - | 0.85 | default | 0.87 | 99 | 40.00 | 40.00 | 39.60 | -",
                    "P-0023 | ups | 2026-Q3 | satisfaction | rated | - | i:777 | 3 | 1 | - | - | 0.85 | default | 0.87 | 99 | 40.00 | 40.00 | 39.60 | -",
                ],
            ),
            scores: table(
                "scores",
                SCORES,
                &[
                    "P-0017 | ups | 2026-Q3 | emea | not_rated | the metrics with a result weigh 0.00, at least 60.00 needed | 0.00 | - | 0.00 | 0.00 | - | - | 78.40 | - | t:aa11",
                    "P-0017 | routing-switching | 2026-Q3 | emea | rated | - | 100.00 | 88.13 | -2.00 | 0.00 | 86.13 | B | 82.50 | 3.63 | t:aa11",
                    "P-0017 | server-storage | 2026-Q3 | emea | provisional | - | 75.00 | 72.71 | 2.00 | 0.00 | 74.71 | C | 79.90 | -5.19 | t:aa11",
                    "P-0023 | ups | 2026-Q3 | emea | rated | - | 100.00 | 99.99 | 0.00 | 0.00 | 99.99 | A | - | - | t:aa11",
                ],
            ),
            partner_scores: table(
                "partner_scores",
                CARDS,
                &[
                    "P-0017 | 2026-Q3 | emea | provisional | - | i:2 | i:146 | 84.06 | 1.00 | 0.00 | 85.06 | B | 81.91 | 3.15 | none | - | t:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
                    "P-0023 | 2026-Q3 | emea | rated | - | i:1 | i:999 | 99.99 | 0.00 | 0.00 | 99.99 | A | - | - | none | - | t:aa11",
                ],
            ),
            events: table(
                "key_event_points",
                EVENTS,
                &[
                    "E-31 | P-0017 | routing-switching | 2026-Q3 | LATE-ESCALATION | minor | negative | none | counted | -2.00 | d:2026-08-19 | confirmed by two persons, the second on 2026-08-19",
                    "E-40 | P-0017 | - | 2026-Q3 | REFERENCE-CASE | minor | positive | none | counted | 1.00 | d:2026-09-02 | -",
                    "E-44 | P-0017 | server-storage | - | UNTRAINED-DELIVERY | major | negative | none | candidate | -5.00 | - | confirmed by 1 of two persons",
                    "E-45 | P-0017 | server-storage | 2026-Q3 | EARLY-RECOVERY | minor | positive | none | counted | 2.00 | d:2026-09-11 | -",
                    "E-12 | P-0017 | ups | 2026-Q1 | OLD | minor | positive | none | counted | 1.00 | d:2026-02-02 | -",
                    "E-77 | P-0023 | ups | 2026-Q3 | RIVAL-SECRET | minor | positive | none | counted | 1.00 | d:2026-09-02 | -",
                ],
            ),
            rebates: table(
                "rebates",
                REBATES,
                &[
                    "P-0017 | sales-rebate | 2026-Q3 | t: | basis | 2026-Q3 | EUR | 142317.5500 | - | - | 0.000000000000 | - | i:38 | -",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | band:1 | 2026-Q3 | EUR | 100000.0000 | 0.010000000000 | - | 1000.000000000000 | - | i:0 | -",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | band:2 | 2026-Q3 | EUR | 42317.5500 | 0.020000000000 | - | 846.351000000000 | - | i:0 | -",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | modifier:grade_factor | 2026-Q3 | EUR | 1846.3510 | - | 0.900000000000 | -184.635100000000 | - | i:0 | grade B",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | rounding | 2026-Q3 | EUR | 1661.7159 | - | - | 0.004100000000 | - | i:0 | -",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | earned | 2026-Q3 | EUR | 142317.5500 | - | - | 1661.720000000000 | 1661.7200 | i:38 | -",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | unpaid:EUR | 2026-Q3 | EUR | 20500.0000 | - | - | 0.000000000000 | - | i:4 | not paid in full",
                    "P-0017 | sales-rebate | 2026-Q3 | t: | waiting:KWD | 2026-Q3 | KWD | 1500.1250 | - | - | 0.000000000000 | - | i:1 | no rate KWD→EUR at most 7 days old for 2026-08-14",
                    "P-0017 | certification-incentive | 2026-Q3 | ups | basis | 2026-Q3 | EUR | 8000.0000 | - | - | 0.000000000000 | - | i:3 | -",
                    "P-0017 | certification-incentive | 2026-Q3 | ups | gate:certified_throughout | 2026-Q3 | EUR | 8000.0000 | - | - | 0.000000000000 | - | i:0 | no certification for ups was active throughout 2026-Q3",
                    "P-0017 | certification-incentive | 2026-Q3 | t: | earned | 2026-Q3 | EUR | 8000.0000 | - | - | 0.000000000000 | 0.0000 | i:3 | -",
                    "P-0017 | sales-rebate | 2026-Q2 | t: | earned | 2026-Q2 | EUR | 90000.0000 | - | - | 900.000000000000 | 900.0000 | i:20 | -",
                    "P-0023 | sales-rebate | 2026-Q3 | t: | earned | 2026-Q3 | EUR | 7777777.0000 | - | - | 77777.000000000000 | 77777.0000 | i:20 | -",
                ],
            ),
            ledger: table(
                "ledger",
                LEDGER,
                &[
                    "i:1 | i:1 | rebate_expense | 900.0000 | EUR | P-0017 | sales-rebate | 2026-Q2 | 2026-Q2 | d:2026-06-30",
                    "i:2 | i:1 | accrued_rebates | -900.0000 | EUR | P-0017 | sales-rebate | 2026-Q2 | 2026-Q2 | d:2026-06-30",
                    "i:3 | i:2 | rebate_expense | -12.5000 | EUR | P-0017 | sales-rebate | 2026-Q2 | 2026-Q3 | d:2026-09-30",
                    "i:4 | i:2 | accrued_rebates | 12.5000 | EUR | P-0017 | sales-rebate | 2026-Q2 | 2026-Q3 | d:2026-09-30",
                    "i:5 | i:3 | rebate_expense | 1661.7200 | EUR | P-0017 | sales-rebate | 2026-Q3 | 2026-Q3 | d:2026-09-30",
                    "i:6 | i:3 | accrued_rebates | -1661.7200 | EUR | P-0017 | sales-rebate | 2026-Q3 | 2026-Q3 | d:2026-09-30",
                    "i:7 | i:4 | rebate_expense | 77777.0000 | EUR | P-0023 | sales-rebate | 2026-Q3 | 2026-Q3 | d:2026-09-30",
                    "i:8 | i:4 | accrued_rebates | -77777.0000 | EUR | P-0023 | sales-rebate | 2026-Q3 | 2026-Q3 | d:2026-09-30",
                ],
            ),
            score_changes: table(
                "score_changes",
                "partner_id domain period part points",
                &[
                    "P-0017 | * | 2026-Q3 | value:routing-switching | 4.20",
                    "P-0017 | * | 2026-Q3 | weight:server-storage | -2.05",
                    "P-0017 | * | 2026-Q3 | events | 1.00",
                    "P-0017 | routing-switching | 2026-Q3 | value:satisfaction | 5.63",
                    "P-0017 | routing-switching | 2026-Q3 | events | -2.00",
                    "P-0017 | * | 2026-Q2 | events | 9.87",
                    "P-0023 | * | 2026-Q3 | events | 7.77",
                ],
            ),
            next_steps: table(
                "next_steps",
                "partner_id domain period step position quantity points domain_points grade",
                &[
                    "P-0017 | routing-switching | 2026-Q3 | return_parts | i:1 | i:6 | 6.20 | 3.84 | A",
                    "P-0017 | ups | 2026-Q3 | satisfied_answers | i:2 | i:5 | - | - | B",
                    "P-0023 | ups | 2026-Q3 | return_parts | i:1 | i:777 | 7.77 | 7.77 | A",
                ],
            ),
            certifications: table(
                "effective_certifications",
                "partner_id domain valid_from stars standard valid_to status decision_id",
                &[
                    "P-0017 | routing-switching | d:2025-01-01 | i:4 | t:2025 | d:2027-07-01 | active | -",
                    "P-0017 | server-storage | d:2025-01-01 | i:3 | t:2025 | d:2026-12-01 | active | -",
                    "P-0017 | ups | d:2024-01-01 | i:3 | t:2025 | d:2026-01-01 | active | -",
                    "P-0023 | ups | d:2025-01-01 | i:5 | t:2025 | d:2026-11-01 | active | -",
                ],
            ),
            engineers: table(
                "engineers",
                "engineer_id certificate_code partner_id domain expires_on revoked_on",
                &[
                    "N-1 | C-1 | P-0017 | routing-switching | d:2026-11-02 | -",
                    "N-2 | C-1 | P-0017 | routing-switching | d:2026-12-15 | -",
                    "N-3 | C-1 | P-0017 | routing-switching | d:2028-12-15 | -",
                    "N-4 | C-1 | P-0017 | routing-switching | d:2026-12-15 | d:2026-02-01",
                    "N-7 | C-1 | P-0023 | ups | d:2026-12-15 | -",
                ],
            ),
            reviews: table(
                "reviews",
                "partner_id domain period stars decision effective_on",
                &[
                    "P-0017 | routing-switching | 2026-Q3 | i:4 | - | -",
                    "P-0023 | ups | 2026-Q3 | i:5 | upgrade | d:2026-10-10",
                ],
            ),
            review_criteria: table(
                "review_criteria",
                "partner_id domain period position group_name criterion needed found state",
                &[
                    "P-0017 | routing-switching | 2026-Q3 | i:1 | probation | low_score | t:a mean below 68 | t:84.3 | unmet",
                    "P-0017 | routing-switching | 2026-Q3 | i:2 | next_star | engineers | t:6 | t:4 | unmet",
                    "P-0017 | routing-switching | 2026-Q3 | i:3 | next_star | credits | t:600 | t:1237.5 | met",
                    "P-0017 | routing-switching | 2026-Q3 | i:4 | upgrade | score | t:a mean of 87 or more | t:84.3 | unmet",
                    "P-0023 | ups | 2026-Q3 | i:2 | next_star | engineers | t:777 | t:4 | unmet",
                ],
            ),
            grades: GradeBands(
                Grade::ALL
                    .into_iter()
                    .zip([90, 80, 70, 60, 0])
                    .map(|(g, from)| (g, Ratio::int(from)))
                    .collect(),
            ),
            schemes: [
                (
                    "sales-rebate",
                    SchemeTerms::sample(
                        "Service sales rebate",
                        &[(0, 1), (100_000, 2), (200_000, 3)],
                        &[(Grade::A, 100), (Grade::B, 90)],
                    ),
                ),
                (
                    "certification-incentive",
                    SchemeTerms::sample("Certification incentive", &[], &[]),
                ),
            ]
            .map(|(id, terms)| (SchemeId::new(id).unwrap(), terms))
            .into(),
            closed_on: None,
        }
    }

    /// The frame of [`OWN`] for 2026-Q3.
    pub fn frame(&self) -> Result<PartnerFrame, PublishingError> {
        self.frame_of(OWN, PartsMode::Rate)
    }

    pub fn frame_of(&self, partner: &str, parts_mode: PartsMode) -> Result<PartnerFrame, PublishingError> {
        let programme = Programme {
            name: "Northwind Service Partners",
            contact: "partner-desk@example.com",
            as_of: Instant::parse("2026-10-12T06:00:00Z").unwrap(),
            contest_days: 30,
            closed_on: self.closed_on,
        };
        let tables = PublishingTables {
            partners: &self.partners,
            domains: &self.domains,
            calendar_partner_periods: &self.calendar,
            metrics: &self.metrics,
            scores: &self.scores,
            partner_scores: &self.partner_scores,
            key_event_points: &self.events,
            rebates: &self.rebates,
            ledger: &self.ledger,
            score_changes: &self.score_changes,
            next_steps: &self.next_steps,
            effective_certifications: &self.certifications,
            engineers: &self.engineers,
            reviews: &self.reviews,
            review_criteria: &self.review_criteria,
        };
        let terms = CardTerms {
            grades: &self.grades,
            parts_mode,
            schemes: &self.schemes,
            next_ends_on: crate::domain::time::parse_date("2026-12-31").unwrap(),
            next_review_on: crate::domain::time::parse_date("2027-10-01"),
        };
        let inputs = PublishingInputs::new(programme, &tables)?;
        PartnerFrame::of(
            &PartnerId::new(partner).unwrap(),
            Period::parse("2026-Q3").unwrap(),
            &inputs,
            &terms,
        )
    }
}

//! Authorisation: every delivery and every sale against what the partner was authorised for on that day.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::support::python::script;
use crate::support::{Workspace, ran_sample};

fn rows(workspace: &Workspace, sql: &str) -> Vec<Json> {
    serde_json::from_str(&workspace.ok(&["query", "--json", sql]).stdout).expect("JSON rows")
}

fn found(workspace: &Workspace, like: &str) -> BTreeSet<String> {
    let sql = format!("SELECT finding_id, occurred_on FROM authorisation_findings WHERE finding_id LIKE '%{like}%'");
    rows(workspace, &sql)
        .iter()
        .map(|r| {
            format!(
                "{} {}",
                r["finding_id"].as_str().expect("an id"),
                r["occurred_on"].as_str().expect("a day")
            )
        })
        .collect()
}

/// Python over the Parquet files, without our calendars: zones by `zoneinfo`, intervals by comparison.
const RECOUNT: &str = r#"
import sys, duckdb
from zoneinfo import ZoneInfo
from datetime import timezone, date
current = sys.argv[1]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
def table(name, columns):
    return db.execute(f"SELECT {', '.join(columns)} FROM read_parquet('{current}/{name}/**/*.parquet', hive_partitioning = false)").fetchall()
zones = {"emea": "Europe/Berlin", "apac": "Asia/Singapore", "latam": "America/Santiago"}
versions = {}
for p, since, region in table("partners", ["partner_id", "valid_from", "region"]):
    versions.setdefault(p, []).append((since, region))
def region(p, day):
    known = sorted(v for v in versions[p] if v[0] <= day)
    return known[-1][1] if known else None
periods = [(date(2025, 10, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2026, 4, 1)), (date(2026, 4, 1), date(2026, 7, 1)), (date(2026, 7, 1), date(2026, 10, 1))]
from datetime import timedelta
def place(p, at):
    for first, end in periods:
        r = region(p, end - timedelta(days=1))
        if r is None: continue
        day = at.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zones[r])).date()
        if first <= day < end: return day
    return None
products = {}
for pid, since, until, domain, category in table("products", ["product_id", "valid_from", "valid_to", "domain", "category"]):
    products.setdefault(pid, []).append((since, until, domain, category))
def product(pid, day):
    known = sorted(v for v in products[pid] if v[0] <= day and (v[1] is None or day < v[1]))
    return known[-1][2:] if known else None
member_of = dict(table("domains", ["domain", "member_of"]))
held = {}
for p, d, since, until, status in table("certifications", ["partner_id", "domain", "valid_from", "valid_to", "status"]):
    held.setdefault((p, d), []).append((since, until, status))
def certified(p, d, day):
    while d:
        known = sorted(v for v in held.get((p, d), []) if v[0] <= day < v[1])
        if known and known[-1][2] in ("active", "expired"): return True
        d = member_of.get(d)
    return False
support = {}
for p, pid, kind, at in table("support", ["partner_id", "product_id", "type", "provided_at"]):
    if kind == "first_node" and at is not None: support.setdefault((p, pid), []).append(at)
out = []
for did, p, pid, at, model, first in table("deliveries", ["delivery_id", "partner_id", "product_id", "completed_at", "service_model", "first_of_product"]):
    if model != "collaborative" or at is None: continue
    day = place(p, at)
    if day is None: continue
    known = product(pid, day)
    if known is None: continue
    domain, category = known
    if category == "A": out.append(f"AF-unauthorised_delivery-{did}")
    if category == "B" and not certified(p, domain, day): out.append(f"AF-uncertified_delivery-{did}")
    if first and not any(s < at for s in support.get((p, pid), [])): out.append(f"AF-missing_first_node-{did}")
for line, p, pid, on, model, original in table("sales", ["order_line_id", "partner_id", "product_id", "ordered_on", "service_model", "original_order_line_id"]):
    if model != "collaborative" or original is not None: continue
    if not any(first <= on < end and region(p, end - timedelta(days=1)) for first, end in periods): continue
    if product(pid, on) is None: continue
    if not any(certified(p, d, on) for (q, d) in held if q == p): out.append(f"AF-uncertified_sale-{line}")
ours = sorted(r[0] for r in table("authorisation_findings", ["finding_id"]))
assert sorted(out) == ours, (sorted(set(out) - set(ours))[:5], sorted(set(ours) - set(out))[:5])
print(len(ours))
"#;

#[test]
fn an_independent_count_finds_the_same() {
    let workspace = ran_sample();
    let current = workspace.warehouse().join("current");
    let printed = script(RECOUNT, &[&current.to_string_lossy()]);
    assert!(printed.trim().parse::<usize>().expect("a number") > 100, "{printed}");
}

/// EM-0015 is certified until before 2026-05-15, Berlin time; EM-0001 holds no certification in security.
#[test]
fn the_local_day_decides_and_valid_to_is_exclusive() {
    let workspace = Workspace::sample();
    let header = "delivery_id;partner_id;customer_id;customer_class;kind;service_model;product_id;severity;opened_at;\
                  due_at;completed_at;first_of_product;site_count;status\n";
    let delivery = |id: &str, partner: &str, product: &str, completed: &str, first: bool| {
        format!(
            "{id};{partner};CU-1;large;maintenance;collaborative;{product};major;01.05.2026 08:00;N/A;{completed};\
             {first};1;completed\n"
        )
    };
    let text = [
        delivery("T-LAST-MINUTE", "EM-0015", "RS-B-100", "14.05.2026 23:59", false),
        delivery("T-FIRST-MINUTE", "EM-0015", "RS-B-100", "15.05.2026 00:00", false),
        // a certification in networking domains does not cover another, and C needs none
        delivery("T-OTHER-DOMAIN", "EM-0015", "SE-B-100", "10.05.2026 12:00", false),
        delivery("T-CATEGORY-C", "EM-0015", "RS-C-300", "20.05.2026 12:00", false),
        // category A is nobody's, however certified
        delivery("T-CATEGORY-A", "EM-0001", "RS-A-900", "20.05.2026 12:00", false),
        // provided before completion, at the minute of it, and after it
        delivery("T-SUPPORTED", "EM-0001", "RS-B-100", "20.05.2026 12:00", true),
        delivery("T-TOO-LATE", "EM-0001", "WL-B-100", "20.05.2026 12:00", true),
    ];
    workspace.write(
        "sample_data/emea/deliveries-2026-Q2-test.csv",
        &format!("{header}{}", text.concat()),
    );
    workspace.write(
        "sample_data/emea/support-2026-Q2-test.csv",
        "support_id;partner_id;product_id;type;requested_at;provided_at\n\
         T-1;EM-0001;RS-B-100;first_node;01.05.2026 12:00;20.05.2026 11:59\n\
         T-2;EM-0001;WL-B-100;first_node;01.05.2026 12:00;20.05.2026 12:00\n\
         T-3;EM-0001;WL-B-200;first_node;01.05.2026 12:00;02.05.2026 12:00\n\
         T-4;EM-0015;WL-B-100;first_node;01.05.2026 12:00;02.05.2026 12:00\n",
    );
    workspace.ok(&["run"]);
    let expected: BTreeSet<String> = [
        "AF-uncertified_delivery-T-FIRST-MINUTE 2026-05-15",
        "AF-uncertified_delivery-T-OTHER-DOMAIN 2026-05-10",
        "AF-unauthorised_delivery-T-CATEGORY-A 2026-05-20",
        "AF-missing_first_node-T-TOO-LATE 2026-05-20",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(found(&workspace, "-T-"), expected);
    let evidence = rows(
        &workspace,
        "SELECT certification_domain AS domain, certification_to AS until, source_file AS file, source_line AS line, \
         level, reason FROM authorisation_findings WHERE subject_id = 'T-FIRST-MINUTE'",
    );
    assert_eq!(
        evidence[0],
        serde_json::json!({
            "domain": "routing-switching", "until": "2026-05-15", "level": "major", "line": 3,
            "file": "sample_data/emea/deliveries-2026-Q2-test.csv",
            "reason": "RS-B-100 was of category B in routing-switching on 2026-05-15, and its certification in \
                       routing-switching ended before 2026-05-15",
        })
    );
    // a finding is nothing that counts: no event, no points
    let events = rows(
        &workspace,
        "SELECT event_id FROM key_event_points WHERE event_id LIKE 'AF-%'",
    );
    assert_eq!(events, Vec::<Json>::new());
}

#[test]
fn a_finding_on_a_sale_tells_what_is_at_stake() {
    let workspace = ran_sample();
    let sql = "SELECT f.amount AS amount, f.discount_amount AS discount, f.currency AS currency, s.net_amount AS net, \
               s.list_amount AS list, s.currency AS sold_in FROM authorisation_findings AS f \
               JOIN sales AS s ON f.subject_id = s.order_line_id WHERE f.subject_kind = 'sale'";
    let sales = rows(&workspace, sql);
    assert!(sales.len() > 5);
    for row in &sales {
        let number = |name: &str| {
            row[name]
                .as_str()
                .expect("a decimal")
                .replace('.', "")
                .parse::<i64>()
                .expect("one")
        };
        assert_eq!((&row["amount"], &row["currency"]), (&row["net"], &row["sold_in"]));
        assert_eq!(number("discount"), number("list") - number("net"), "{row}");
    }
    let behind = rows(
        &workspace,
        "SELECT amount, currency FROM authorisation_findings WHERE check = 'uncertified_delivery' AND amount IS NOT NULL",
    );
    assert!(!behind.is_empty(), "sales stand behind some deliveries");
}

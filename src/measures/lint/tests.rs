//! What passes and what is refused, with a small catalogue and with the real one.

use std::fs;
use std::path::Path;

use super::{Linted, lint};
use crate::contracts::{Catalogue, ColumnType};
use crate::domain::{Findings, Place};
use crate::measures::Measure;

fn columns(table: &str) -> Option<Vec<(String, ColumnType)>> {
    let amount = ColumnType::Decimal {
        precision: 18,
        scale: 4,
    };
    let all = [
        ("k", ColumnType::Text),
        ("n", ColumnType::Int),
        ("a", amount),
        ("b", amount),
        (
            "wide",
            ColumnType::Decimal {
                precision: 38,
                scale: 8,
            },
        ),
        ("ok", ColumnType::Bool),
        ("d", ColumnType::Date),
        ("at", ColumnType::Instant),
    ];
    let own: &[&str] = match table {
        "t" => &["k", "n", "a", "b", "wide", "ok", "d", "at"],
        "u" => &["k", "n", "a", "wide", "ok", "d"],
        _ => return None,
    };
    Some(
        all.iter()
            .filter(|(n, _)| own.contains(n))
            .map(|(n, kind)| ((*n).to_owned(), *kind))
            .collect(),
    )
}

fn findings(sql: &str) -> Findings {
    lint("m.sql", sql, &columns).findings
}

/// Each statement, and a rule that must be among its findings.
fn refused(cases: &[(&str, &str)]) {
    for (sql, rule) in cases {
        let found = findings(sql);
        assert!(found.iter().any(|f| f.rule == *rule), "{sql}: {found:?}");
        assert!(
            found.iter().all(|f| f.place.line.is_some() && !f.remedy.is_empty()),
            "{sql}"
        );
    }
}

#[test]
fn the_subset_passes() {
    let sql = "WITH w AS (SELECT k, a, n, COALESCE(d, CAST('2026-01-31' AS DATE)) AS d FROM t WHERE k IN ('x', 'y')) \
               SELECT w.k AS k, u.d, CAST(COUNT(*) AS BIGINT) AS n, CAST(COUNT(u.k) AS BIGINT) AS m, MAX(w.d) AS last, \
               CAST(SUM(w.n - u.n * 2) AS BIGINT) AS total, \
               SUM(CASE WHEN w.a * 4 >= 3 THEN CAST(w.a AS DECIMAL(38, 8)) * CAST(u.a AS DECIMAL(38, 8)) \
               ELSE CAST('0.5' AS DECIMAL(38, 8)) END) AS s FROM w JOIN u ON w.k = u.k \
               LEFT JOIN t AS o ON (o.k = w.k AND u.n = o.n) WHERE NOT (o.ok = FALSE OR w.n < -1) AND u.wide + w.a IS NOT NULL \
               GROUP BY w.k, u.d";
    let Linted { tables, findings, .. } = lint("m.sql", sql, &columns);
    assert_eq!(findings, []);
    assert_eq!(tables.into_iter().collect::<Vec<_>>(), ["t", "u"]);
}

#[test]
fn what_engines_compute_differently_is_refused() {
    refused(&[
        ("SELECT a / b AS q FROM t", "measure.division"),
        ("SELECT n % 2 AS q FROM t", "measure.division"),
        ("SELECT AVG(a) AS q FROM t GROUP BY k", "measure.function"),
        ("SELECT ROUND(a, 2) AS q FROM t", "measure.function"),
        ("SELECT now() AS q FROM t", "measure.function"),
        ("SELECT CURRENT_DATE AS q FROM t", "measure.function"),
        ("SELECT a * b AS q FROM t", "measure.product"),
        ("SELECT n * n AS q FROM t", "measure.product"),
        (
            "SELECT CAST(a AS DECIMAL(38, 4)) * CAST(b AS DECIMAL(38, 8)) AS q FROM t",
            "measure.product",
        ),
        (
            "SELECT CAST(a AS DECIMAL(38, 4)) * CAST(b AS DECIMAL(38, 4)) AS q FROM t",
            "measure.product",
        ),
        ("SELECT CAST(a AS DECIMAL(38, 8)) * wide AS q FROM t", "measure.product"),
        ("SELECT a FROM t WHERE a > 0.5", "measure.float"),
        ("SELECT a FROM t WHERE a > 1e3", "measure.float"),
        ("SELECT n + 12345678901234567890 AS q FROM t", "measure.float"),
        ("SELECT n + 2 * 3 AS q FROM t", "measure.literal"),
        ("SELECT k FROM t WHERE k = 'a\\b'", "measure.literal"),
        ("SELECT k FROM t WHERE k = 'it''s'", "measure.literal"),
        ("SELECT k FROM t WHERE k NOT IN ('a', NULL)", "measure.in"),
        ("SELECT k FROM t WHERE k NOT IN ('a', 'b')", "measure.in"),
        ("SELECT k FROM t WHERE k IN ('a', NULL)", "measure.in"),
        ("SELECT k FROM t WHERE k IN (1, 2)", "measure.in"),
        ("SELECT k FROM t WHERE k = NULL", "measure.null"),
        ("SELECT EXTRACT(YEAR FROM d) AS q FROM t", "measure.expression"),
        ("SELECT SUBSTRING(k FROM 1 FOR 2) AS q FROM t", "measure.expression"),
        ("SELECT FLOOR(a) AS q FROM t", "measure.expression"),
        ("SELECT CEIL(a) AS q FROM t", "measure.expression"),
        ("SELECT POSITION('a' IN k) AS q FROM t", "measure.expression"),
        ("SELECT TRIM(k) AS q FROM t", "measure.expression"),
        ("SELECT k || k AS q FROM t", "measure.expression"),
        ("SELECT k FROM t WHERE k LIKE 'a%'", "measure.expression"),
        ("SELECT k FROM t WHERE k ILIKE 'a%'", "measure.expression"),
        ("SELECT k FROM t WHERE n BETWEEN 1 AND 2", "measure.expression"),
        ("SELECT d + INTERVAL '1' DAY AS q FROM t", "measure.expression"),
        ("SELECT n & 1 AS q FROM t", "measure.expression"),
        ("SELECT n ^ 2 AS q FROM t", "measure.expression"),
        ("SELECT at AT TIME ZONE 'UTC' AS q FROM t", "measure.expression"),
        (
            "SELECT CASE k WHEN 'a' THEN n ELSE n END AS q FROM t",
            "measure.expression",
        ),
        ("SELECT k FROM t WHERE EXISTS (SELECT k FROM u)", "measure.subquery"),
        ("SELECT k FROM t WHERE k IN (SELECT k FROM u)", "measure.subquery"),
    ]);
}

#[test]
fn casts_that_round_cut_or_differ_are_refused() {
    refused(&[
        ("SELECT CAST(wide AS DECIMAL(38, 2)) AS q FROM t", "measure.cast"),
        ("SELECT CAST(a AS DECIMAL(18, 4)) AS q FROM t", "measure.cast"),
        ("SELECT CAST(a AS DECIMAL) AS q FROM t", "measure.cast"),
        ("SELECT CAST(n AS DECIMAL(38, 30)) AS q FROM t", "measure.cast"),
        ("SELECT CAST('1.005' AS DECIMAL(38, 2)) AS q FROM t", "measure.cast"),
        (
            "SELECT SUM(CAST('1.005' AS DECIMAL(38, 2))) AS q FROM t GROUP BY k",
            "measure.cast",
        ),
        ("SELECT CAST('1e3' AS DECIMAL(38, 2)) AS q FROM t", "measure.cast"),
        ("SELECT CAST(a AS BIGINT) AS q FROM t", "measure.cast"),
        ("SELECT CAST(d AS BIGINT) AS q FROM t", "measure.cast"),
        ("SELECT CAST(at AS BIGINT) AS q FROM t", "measure.cast"),
        ("SELECT CAST(at AS VARCHAR) AS q FROM t", "measure.cast"),
        ("SELECT CAST(k AS VARCHAR) AS q FROM t", "measure.cast"),
        ("SELECT CAST(at AS DATE) AS q FROM t", "measure.cast"),
        ("SELECT CAST('2026-02-30' AS DATE) AS q FROM t", "measure.cast"),
        ("SELECT CAST('2026- 1-31' AS DATE) AS q FROM t", "measure.cast"),
        ("SELECT CAST(n AS BOOLEAN) AS q FROM t", "measure.cast"),
        ("SELECT CAST(a AS DOUBLE) AS q FROM t", "measure.cast"),
        ("SELECT CAST(n AS INT) AS q FROM t", "measure.cast"),
        ("SELECT n::BIGINT AS q FROM t", "measure.cast"),
        ("SELECT TRY_CAST(n AS BIGINT) AS q FROM t", "measure.cast"),
    ]);
}

#[test]
fn types_that_engines_bring_together_differently_are_refused() {
    refused(&[
        ("SELECT CASE WHEN ok THEN k ELSE 5 END AS q FROM t", "measure.type"),
        ("SELECT CASE WHEN ok THEN k ELSE n END AS q FROM t", "measure.type"),
        ("SELECT CASE WHEN ok THEN a ELSE wide END AS q FROM t", "measure.type"),
        ("SELECT CASE WHEN n THEN a ELSE b END AS q FROM t", "measure.type"),
        ("SELECT COALESCE(n, a) AS q FROM t", "measure.type"),
        ("SELECT COALESCE(n, 0) AS q FROM t", "measure.type"),
        ("SELECT k FROM t WHERE d >= '2026-01-01'", "measure.type"),
        ("SELECT k FROM t WHERE at >= d", "measure.type"),
        ("SELECT k FROM t WHERE k = 5", "measure.type"),
        ("SELECT k FROM t WHERE n = a", "measure.type"),
        ("SELECT k FROM t WHERE wide = a", "measure.type"),
        ("SELECT k FROM t WHERE ok > FALSE", "measure.type"),
        ("SELECT k FROM t WHERE n", "measure.type"),
        ("SELECT d + 1 AS q FROM t", "measure.type"),
        ("SELECT d - d AS q FROM t", "measure.type"),
        ("SELECT n + a AS q FROM t", "measure.type"),
        ("SELECT 1 AS q FROM t", "measure.type"),
        ("SELECT NULL AS q FROM t", "measure.type"),
        ("SELECT SUM(k) AS q FROM t GROUP BY d", "measure.type"),
        ("SELECT x FROM t", "measure.column"),
        ("SELECT K FROM t", "measure.column"),
        ("SELECT v.k FROM t", "measure.column"),
        ("SELECT n FROM t JOIN u ON t.k = u.k", "measure.column"),
        ("SELECT \"k\" FROM t", "measure.name"),
    ]);
}

#[test]
fn aggregates_that_differ_are_refused() {
    refused(&[
        ("SELECT SUM(1) AS q FROM t GROUP BY k", "measure.sum-literal"),
        ("SELECT SUM((1)) AS q FROM t GROUP BY k", "measure.sum-literal"),
        (
            "SELECT SUM(CAST(1 AS BIGINT)) AS q FROM t GROUP BY k",
            "measure.sum-literal",
        ),
        ("SELECT SUM(-1) AS q FROM t GROUP BY k", "measure.sum-literal"),
        ("SELECT SUM(2 * 3) AS q FROM t GROUP BY k", "measure.sum-literal"),
        (
            "SELECT SUM(COALESCE(1, 2)) AS q FROM t GROUP BY k",
            "measure.sum-literal",
        ),
        (
            "SELECT SUM(CASE WHEN 1 = 1 THEN 1 ELSE 0 END) AS q FROM t GROUP BY k",
            "measure.sum-literal",
        ),
        (
            "SELECT CAST(SUM(CASE WHEN ok THEN 1 ELSE 0 END) AS BIGINT) AS q FROM t GROUP BY k",
            "measure.type",
        ),
        (
            "SELECT SUM(CASE WHEN ok THEN a END) AS q FROM t GROUP BY k",
            "measure.sum-null",
        ),
        ("SELECT SUM(n) AS q FROM t GROUP BY k", "measure.sum-integer"),
        ("SELECT COUNT(*) AS q FROM t GROUP BY k", "measure.count"),
        ("SELECT COALESCE(COUNT(*), 0) AS q FROM t GROUP BY k", "measure.count"),
        (
            "SELECT CAST(COUNT(*) AS DECIMAL(38, 0)) AS q FROM t GROUP BY k",
            "measure.count",
        ),
        (
            "SELECT CAST(COUNT(DISTINCT k) AS BIGINT) AS q FROM t GROUP BY d",
            "measure.window",
        ),
        ("SELECT SUM(DISTINCT a) AS q FROM t GROUP BY k", "measure.window"),
        ("SELECT SUM(a) OVER (PARTITION BY k) AS q FROM t", "measure.window"),
        (
            "SELECT SUM(a) FILTER (WHERE ok) AS q FROM t GROUP BY k",
            "measure.window",
        ),
        ("SELECT SUM(SUM(a)) AS q FROM t GROUP BY k", "measure.aggregate"),
        ("SELECT k FROM t WHERE SUM(a) > 0", "measure.aggregate"),
        ("SELECT SUM(a) AS q FROM t", "measure.group"),
        ("SELECT d, SUM(a) AS q FROM t GROUP BY k", "measure.group"),
        ("SELECT k, SUM(a) AS q FROM t GROUP BY ROLLUP(k)", "measure.group"),
        ("SELECT k, SUM(a) AS q FROM t GROUP BY k WITH ROLLUP", "measure.group"),
        ("SELECT k, SUM(a) AS q FROM t GROUP BY ALL", "measure.group"),
        ("SELECT k, SUM(a) AS q FROM t GROUP BY 1", "measure.group"),
        ("SELECT n + 1 AS d, SUM(a) AS q FROM t GROUP BY n, d", "measure.group"),
    ]);
}

#[test]
fn statements_outside_the_subset_are_refused() {
    refused(&[
        ("SELECT * FROM t", "measure.star"),
        ("SELECT t.* FROM t", "measure.star"),
        ("SELECT k FROM t ORDER BY k", "measure.order"),
        ("SELECT k FROM t LIMIT 3", "measure.order"),
        ("SELECT DISTINCT k FROM t", "measure.distinct"),
        ("DELETE FROM t", "measure.statement"),
        ("SELECT k FROM t; SELECT k FROM t", "measure.statement"),
        ("VALUES (1)", "measure.statement"),
        ("SELECT k FROM", "measure.syntax"),
        (
            "SELECT k AS k, SUM(a) AS s FROM t GROUP BY k HAVING s > 0",
            "measure.clause",
        ),
        ("SELECT k FROM t QUALIFY n = 1", "measure.clause"),
        ("SELECT TOP 3 k FROM t", "measure.clause"),
        ("SELECT k INTO v FROM t", "measure.clause"),
        ("SELECT k FROM t LATERAL VIEW explode(k) AS x", "measure.clause"),
        ("SELECT k FROM t CLUSTER BY k", "measure.clause"),
        ("FROM t SELECT k", "measure.clause"),
        ("SELECT k FROM t FOR UPDATE", "measure.clause"),
        ("SELECT k FROM t TABLESAMPLE (10 PERCENT)", "measure.table"),
        ("SELECT s.k FROM (SELECT k FROM t) AS s", "measure.table"),
        ("SELECT t.k FROM t, LATERAL (SELECT k FROM u) AS s", "measure.table"),
        ("SELECT k FROM generate_series(1, 3)", "measure.table"),
        ("SELECT k FROM missing", "measure.table"),
        ("SELECT k FROM main.t", "measure.table"),
        ("SELECT t.k FROM t JOIN u AS t ON t.k = t.k", "measure.table"),
        ("SELECT t.k FROM t, u", "measure.join"),
        ("SELECT t.k FROM t CROSS JOIN u", "measure.join"),
        ("SELECT t.k FROM t NATURAL JOIN u", "measure.join"),
        ("SELECT t.k FROM t JOIN u USING (k)", "measure.join"),
        ("SELECT t.k FROM t FULL JOIN u ON t.k = u.k", "measure.join"),
        ("SELECT t.k FROM t RIGHT JOIN u ON t.k = u.k", "measure.join"),
        ("SELECT t.k FROM t LEFT JOIN u ON t.k = u.k AND u.n > 5", "measure.join"),
        (
            "SELECT t.k FROM t LEFT JOIN u ON t.k = u.k AND u.k = 'x'",
            "measure.join",
        ),
        (
            "SELECT t.k FROM t LEFT JOIN u ON t.k = COALESCE(u.k, 'x')",
            "measure.join",
        ),
        (
            "SELECT t.k FROM t LEFT JOIN u ON t.k = u.k OR t.n = u.n",
            "measure.join",
        ),
        ("SELECT t.k FROM t JOIN u ON t.k = u.k AND t.n < u.n", "measure.join"),
        ("SELECT t.k FROM t JOIN u ON t.a = u.wide", "measure.type"),
        ("SELECT k FROM t UNION ALL SELECT k FROM u", "measure.union"),
        ("SELECT k FROM t INTERSECT SELECT k FROM u", "measure.union"),
        ("SELECT k FROM t UNION ALL VALUES ('x')", "measure.union"),
        ("WITH RECURSIVE w AS (SELECT k FROM t) SELECT k FROM w", "measure.with"),
        ("WITH u AS (SELECT k FROM t) SELECT k FROM u", "measure.with"),
        (
            "WITH w AS (SELECT k FROM t), W AS (SELECT k FROM t) SELECT k FROM w",
            "measure.with",
        ),
        ("WITH w (x) AS (SELECT k FROM t) SELECT x FROM w", "measure.with"),
        (
            "WITH w AS (WITH v AS (SELECT k FROM t) SELECT k FROM v) SELECT k FROM w",
            "measure.with",
        ),
        ("SELECT n + 1 FROM t", "measure.name"),
        ("SELECT k, n AS K FROM t", "measure.name"),
    ]);
}

#[test]
fn findings_name_their_line() {
    let found = findings("SELECT a AS a,\n  b / 2 AS c\nFROM t\nWHERE k = 'x'\n  AND n = k");
    let lines: Vec<_> = found.into_iter().map(|f| f.place).collect();
    assert_eq!(lines, [Place::line("m.sql", 2), Place::line("m.sql", 5)]);
}

#[test]
fn the_measures_of_the_programme_pass() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |folder: &str| -> Vec<(String, String)> {
        let entries = fs::read_dir(base.join(folder)).expect("a folder");
        let paths = entries.map(|e| e.expect("an entry").path());
        paths
            .map(|p| (p.display().to_string(), fs::read_to_string(&p).expect("a text")))
            .collect()
    };
    let catalogue = Catalogue::read(&read("schemas")).expect("contracts in order");
    let columns = |table: &str| {
        let contract = catalogue.get(table)?;
        Some(contract.columns.iter().map(|c| (c.name.clone(), c.kind)).collect())
    };
    let measures = read("pipelines/measures");
    assert_eq!(measures.len(), 17);
    for (file, sql) in measures {
        if let Err(found) = Measure::read(&file, &sql, &columns) {
            panic!("{found:#?}");
        }
    }
}

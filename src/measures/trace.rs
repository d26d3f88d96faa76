//! The rows behind a measure.
//!
//! Duty: from a measure's statement a second one that leaves out the adding up: a row for each combination of records
//! that was added, with its values and with the place of each record in its source file. So the rows of a measure that
//! a user wrote are found in the same way as those of the sample's. Not its duty: running it (`polars`), adding the rows
//! up again and comparing (the caller).
//!
//! What is added in a WITH query before the last SELECT stays added: the records behind such a sum are not listed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr,
    Spanned, Statement, TableFactor, VisitMut, VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// The key columns of a table whose rows know their source file; `None` for any other table.
pub type Keys<'a> = dyn Fn(&str) -> Option<Vec<String>> + 'a;

/// The statement for the rows, and what its columns are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub sql: String,
    /// Columns of the measure that are no aggregate: its grain.
    pub groups: Vec<String>,
    /// Columns of the measure whose row values add up to it: sums and counts.
    pub sums: Vec<String>,
    /// Its other aggregates (least, greatest, and what is computed of several): of a row the value that went in.
    pub others: Vec<String>,
    /// The records of a row, in the order in which the statement names their tables.
    pub records: Vec<Traced>,
}

/// The columns of the rows that say which record of a table went in; all null where none did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traced {
    pub table: String,
    /// Key column of the table and its column among the rows.
    pub key: Vec<(String, String)>,
    pub arrival: String,
    pub file: String,
    pub line: String,
}

/// The rows of a measure where columns of its grain have given values.
///
/// # Errors
/// In words, when the statement is not of the portable subset.
pub fn trace(sql: &str, only: &[(&str, &str)], keys: &Keys) -> Result<Trace, String> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, sql).map_err(|e| e.to_string())?;
    let Some(Statement::Query(query)) = statements.pop() else {
        return Err("it is no SELECT".to_owned());
    };
    let mut tracer = Tracer {
        keys,
        queries: BTreeMap::new(),
        named: 0,
    };
    let mut with = Vec::new();
    for cte in query.with.iter().flat_map(|w| &w.cte_tables) {
        let name = cte.alias.name.value.clone();
        let select = select_of(&cte.query)?;
        let records = if is_grouped(select) {
            Vec::new()
        } else {
            tracer.records(select)?
        };
        let mut select = select.clone();
        select.projection.extend(items(&records)?);
        tracer
            .queries
            .insert(name.clone(), records.into_iter().map(|(_, traced)| traced).collect());
        with.push(format!("{name} AS ({select})"));
    }
    let last = select_of(&query)?;
    let records = tracer.records(last)?;
    let (mut groups, mut sums, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let mut select = last.clone();
    select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    for item in &mut select.projection {
        let (name, expr) = named(item)?;
        if !aggregates(expr) {
            groups.push(name);
            continue;
        }
        if adds_up(expr) { &mut sums } else { &mut others }.push(name.clone());
        let mut expr = expr.clone();
        let _ = VisitMut::visit(&mut expr, &mut OfOneRow);
        *item = SelectItem::ExprWithAlias {
            expr,
            alias: Ident::new(name),
        };
    }
    select.projection.extend(items(&records)?);
    // under a name that no WITH query of the measure has
    let mut rows = "rows_behind".to_owned();
    while tracer.queries.contains_key(&rows) {
        rows.push('_');
    }
    with.push(format!("{rows} AS ({select})"));
    let mut sql = format!("WITH {} SELECT * FROM {rows}", with.join(", "));
    for (i, (column, value)) in only.iter().enumerate() {
        let word = if i == 0 { "WHERE" } else { "AND" };
        sql.push_str(&format!(" {word} {column} = '{}'", value.replace('\'', "''")));
    }
    Ok(Trace {
        sql,
        groups,
        sums,
        others,
        records: records.into_iter().map(|(_, traced)| traced).collect(),
    })
}

/// What is known of the WITH queries so far.
struct Tracer<'a> {
    keys: &'a Keys<'a>,
    /// Records of the rows of a WITH query; none where it adds up.
    queries: BTreeMap<String, Vec<Traced>>,
    /// Names given so far: no two columns have the same.
    named: usize,
}

/// A column of a relation, and the name under which it is passed on.
type Passed = Vec<(String, String, String)>;

impl Tracer<'_> {
    /// The records of each row of a SELECT: what is passed on of each relation, and under which names.
    fn records(&mut self, select: &Select) -> Result<Vec<(Passed, Traced)>, String> {
        let mut out = Vec::new();
        let joined = |t: &sqlparser::ast::TableWithJoins| -> Vec<TableFactor> {
            std::iter::once(t.relation.clone())
                .chain(t.joins.iter().map(|j| j.relation.clone()))
                .collect()
        };
        for factor in select.from.iter().flat_map(joined) {
            let TableFactor::Table { name, alias, .. } = &factor else {
                return Err(format!("{} is no plain table", factor.span().start));
            };
            let table = name.to_string();
            let known_as = alias.as_ref().map_or(table.clone(), |a| a.name.value.clone());
            if let Some(inner) = self.queries.get(&table).cloned() {
                for traced in inner {
                    out.push(self.passed(&known_as, &traced));
                }
            } else if let Some(key) = (self.keys)(&table) {
                let traced = Traced {
                    table,
                    key: key.into_iter().map(|k| (k.clone(), k)).collect(),
                    arrival: "arrival".to_owned(),
                    file: "source_file".to_owned(),
                    line: "source_line".to_owned(),
                };
                out.push(self.passed(&known_as, &traced));
            }
        }
        Ok(out)
    }

    fn passed(&mut self, known_as: &str, inner: &Traced) -> (Passed, Traced) {
        self.named += 1;
        let number = self.named;
        let mut passed = Passed::new();
        let mut pass = |from: &str, to: String| {
            passed.push((known_as.to_owned(), from.to_owned(), to.clone()));
            to
        };
        let traced = Traced {
            table: inner.table.clone(),
            key: inner
                .key
                .iter()
                .enumerate()
                .map(|(i, (column, from))| (column.clone(), pass(from, format!("record_{number}_key_{i}"))))
                .collect(),
            arrival: pass(&inner.arrival, format!("record_{number}_arrival")),
            file: pass(&inner.file, format!("record_{number}_file")),
            line: pass(&inner.line, format!("record_{number}_line")),
        };
        (passed, traced)
    }
}

fn items(records: &[(Passed, Traced)]) -> Result<Vec<SelectItem>, String> {
    let columns = records.iter().flat_map(|(passed, _)| passed);
    columns
        .map(|(table, from, to)| {
            Ok(SelectItem::ExprWithAlias {
                expr: parsed(&format!("{table}.{from}"))?,
                alias: Ident::new(to.clone()),
            })
        })
        .collect()
}

fn parsed(text: &str) -> Result<Expr, String> {
    let parser = Parser::new(&GenericDialect {}).try_with_sql(text);
    parser.and_then(|mut p| p.parse_expr()).map_err(|e| e.to_string())
}

fn select_of(query: &Query) -> Result<&Select, String> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Ok(select),
        other => Err(format!("{other} is no plain SELECT")),
    }
}

fn is_grouped(select: &Select) -> bool {
    !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
}

/// A column of the result: its name and what it holds.
fn named(item: &SelectItem) -> Result<(String, &Expr), String> {
    match item {
        SelectItem::ExprWithAlias { expr, alias } => Ok((alias.value.clone(), expr)),
        SelectItem::UnnamedExpr(expr @ Expr::Identifier(name)) => Ok((name.value.clone(), expr)),
        SelectItem::UnnamedExpr(expr @ Expr::CompoundIdentifier(names)) => {
            Ok((names.last().map(|n| n.value.clone()).unwrap_or_default(), expr))
        }
        other => Err(format!("{other} has no name")),
    }
}

/// Name and argument of an aggregate; no argument for COUNT(*).
fn aggregate(expr: &Expr) -> Option<(String, Option<&Expr>)> {
    let Expr::Function(function) = expr else { return None };
    let name = function.name.to_string().to_uppercase();
    if !["SUM", "COUNT", "MIN", "MAX"].contains(&name.as_str()) {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some((name, Some(expr))),
        _ => Some((name, None)),
    }
}

fn aggregates(expr: &Expr) -> bool {
    let found = sqlparser::ast::visit_expressions(expr, |e| {
        if aggregate(e).is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    found.is_break()
}

/// Whether the values of single rows add up to the value: a sum or a count, cast or not.
fn adds_up(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => adds_up(inner),
        other => aggregate(other).is_some_and(|(name, _)| name == "SUM" || name == "COUNT"),
    }
}

/// Puts what one row brings in the place of an aggregate.
struct OfOneRow;

impl VisitorMut for OfOneRow {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Some((name, argument)) = aggregate(expr) else {
            return ControlFlow::Continue(());
        };
        let text = match (name.as_str(), argument) {
            ("COUNT", None) => "CAST(1 AS BIGINT)".to_owned(),
            ("COUNT", Some(of)) => {
                format!("CASE WHEN {of} IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END")
            }
            (_, Some(of)) => format!("({of})"),
            (_, None) => return ControlFlow::Continue(()),
        };
        match parsed(&text) {
            Ok(of_row) => {
                *expr = of_row;
                ControlFlow::Continue(())
            }
            Err(_) => ControlFlow::Break(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(table: &str) -> Option<Vec<String>> {
        (!table.starts_with("calendar_")).then(|| vec![format!("{table}_id")])
    }

    #[test]
    fn aggregates_give_way_to_what_one_row_brings() {
        let sql = "SELECT a.partner_id AS partner_id, c.period, CAST(COUNT(*) AS BIGINT) AS n, COUNT(a.x) AS xs, \
                   SUM(a.q * 2) AS q, MAX(a.q) AS most FROM facts AS a JOIN calendar_days AS c ON a.d = c.d \
                   WHERE a.q > 0 GROUP BY a.partner_id, c.period";
        let trace = trace(sql, &[("partner_id", "P'1"), ("period", "2026-Q1")], &keys).unwrap();
        assert_eq!(
            (trace.groups, trace.sums, trace.others),
            (
                vec!["partner_id".to_owned(), "period".to_owned()],
                vec!["n".to_owned(), "xs".to_owned(), "q".to_owned()],
                vec!["most".to_owned()]
            )
        );
        assert_eq!(
            trace.sql,
            "WITH rows_behind AS (SELECT a.partner_id AS partner_id, c.period, CAST(CAST(1 AS BIGINT) AS BIGINT) AS n, \
             CASE WHEN a.x IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS xs, (a.q * 2) AS q, (a.q) AS most, \
             a.facts_id AS record_1_key_0, a.arrival AS record_1_arrival, a.source_file AS record_1_file, \
             a.source_line AS record_1_line FROM facts AS a JOIN calendar_days AS c ON a.d = c.d WHERE a.q > 0) \
             SELECT * FROM rows_behind WHERE partner_id = 'P''1' AND period = '2026-Q1'"
        );
    }

    #[test]
    fn records_are_passed_through_with_queries_and_end_at_a_sum() {
        let sql = "WITH paid AS (SELECT order_id, SUM(amount) AS amount FROM payments GROUP BY order_id), \
                   lines AS (SELECT s.partner_id AS partner_id, p.amount AS amount FROM sales AS s \
                   JOIN paid AS p ON s.order_id = p.order_id) \
                   SELECT partner_id, SUM(amount) AS amount FROM lines GROUP BY partner_id";
        let trace = trace(sql, &[("partner_id", "P")], &keys).unwrap();
        let tables: Vec<&str> = trace.records.iter().map(|r| r.table.as_str()).collect();
        assert_eq!(tables, ["sales"]);
        assert!(
            trace.sql.contains(
                "lines AS (SELECT s.partner_id AS partner_id, p.amount AS amount, s.sales_id AS record_1_key_0"
            ),
            "{}",
            trace.sql
        );
        assert!(
            trace
                .sql
                .contains("(amount) AS amount, lines.record_1_key_0 AS record_2_key_0"),
            "{}",
            trace.sql
        );
        assert!(
            trace
                .sql
                .contains("paid AS (SELECT order_id, SUM(amount) AS amount FROM payments GROUP BY order_id)")
        );
    }

    #[test]
    fn what_is_no_select_is_refused() {
        assert!(trace("DELETE FROM sales", &[], &keys).is_err());
    }
}

//! The portable subset of SQL, enforced by parsing.
//!
//! Duty: refuse what engines were seen to answer differently (division, averages, rounding, narrowing casts, floats,
//! sums of literals, the clock, windows, `SELECT *`). Inside the subset Polars, DuckDB, DataFusion and Spark agree to
//! the last digit. Not its duty: whether columns exist (the engine says that).

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Query, Select, SelectItem, SetExpr, Spanned, Statement, TableFactor, Value, Visit, Visitor,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

use crate::domain::{Finding, Findings, Place};

/// Functions whose result is the same in every engine.
const FUNCTIONS: [&str; 5] = ["SUM", "COUNT", "MIN", "MAX", "COALESCE"];

/// Precision of every decimal that is computed with: the widest all engines have.
const WIDEST: u64 = 38;

/// Parses a measure and returns the tables it reads and everything in it that is outside the subset.
#[must_use]
pub fn lint(file: &str, sql: &str) -> (BTreeSet<String>, Findings) {
    let statements = match Parser::parse_sql(&GenericDialect {}, sql) {
        Ok(statements) => statements,
        Err(e) => {
            let finding = Finding::error(
                Place::file(file),
                "measure.syntax",
                format!("this is no SQL: {e}"),
                "write one SELECT statement",
            );
            return (BTreeSet::new(), vec![finding]);
        }
    };
    let mut linter = Linter {
        file,
        findings: Vec::new(),
        tables: BTreeSet::new(),
        defined: BTreeSet::new(),
    };
    match statements.as_slice() {
        [statement @ Statement::Query(_)] => {
            let _ = statement.visit(&mut linter);
        }
        _ => linter.find(
            1,
            "measure.statement",
            "a measure is exactly one SELECT statement",
            "split the file",
        ),
    }
    let defined = std::mem::take(&mut linter.defined);
    let tables = linter.tables.difference(&defined).cloned().collect();
    linter.findings.sort();
    linter.findings.dedup();
    (tables, linter.findings)
}

struct Linter<'a> {
    file: &'a str,
    findings: Findings,
    tables: BTreeSet<String>,
    /// Names of common table expressions.
    defined: BTreeSet<String>,
}

impl Linter<'_> {
    fn find(&mut self, line: u64, rule: &str, message: &str, remedy: &str) {
        self.findings
            .push(Finding::error(Place::line(self.file, line), rule, message, remedy));
    }

    fn check_select(&mut self, select: &Select, line: u64) {
        for item in &select.projection {
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    self.find(
                        line,
                        "measure.star",
                        "SELECT * changes with the table",
                        "name the columns",
                    );
                }
                _ => {}
            }
        }
        if select.distinct.is_some() {
            self.find(
                line,
                "measure.distinct",
                "DISTINCT is outside the portable subset",
                "use GROUP BY",
            );
        }
    }

    fn check_query(&mut self, query: &Query, line: u64) {
        if let Some(with) = &query.with {
            self.defined
                .extend(with.cte_tables.iter().map(|t| t.alias.name.value.clone()));
        }
        if query.order_by.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
            self.find(
                line,
                "measure.order",
                "ORDER BY, LIMIT and FETCH have no place in a measure",
                "leave them out: results are sorted by their key",
            );
        }
        if let SetExpr::Select(select) = query.body.as_ref() {
            self.check_select(select, line);
        } else if !matches!(query.body.as_ref(), SetExpr::SetOperation { .. } | SetExpr::Query(_)) {
            self.find(
                line,
                "measure.statement",
                "a measure selects from tables",
                "write a SELECT",
            );
        }
    }

    fn check_function(&mut self, function: &Function, line: u64) {
        let name = function.name.to_string().to_uppercase();
        if !FUNCTIONS.contains(&name.as_str()) {
            self.find(
                line,
                "measure.function",
                &format!("{name} is outside the portable subset"),
                "use SUM, COUNT, MIN, MAX, COALESCE, CASE and CAST; divide and round in the rules",
            );
        }
        if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
            self.find(
                line,
                "measure.window",
                "windows and filters of aggregates differ",
                "use GROUP BY and CASE",
            );
        }
        if name == "SUM"
            && let FunctionArguments::List(list) = &function.args
        {
            for arg in &list.args {
                if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(_))) = arg {
                    self.find(
                        line,
                        "measure.sum-literal",
                        "some engines add a literal once, not once a row",
                        "use CAST(COUNT(*) AS BIGINT)",
                    );
                }
            }
        }
    }

    fn check_cast(&mut self, expr: &Expr, to: &DataType, line: u64) {
        let fine = match to {
            DataType::BigInt(_) | DataType::Varchar(_) | DataType::Boolean => true,
            DataType::Date => matches!(expr, Expr::Value(_)),
            DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision, _)) => *precision == WIDEST,
            _ => false,
        };
        if !fine {
            self.find(
                line,
                "measure.cast",
                &format!("CAST to {to} may round or cut"),
                "cast to DECIMAL(38, s), BIGINT, VARCHAR or BOOLEAN, or a literal to DATE",
            );
        }
    }

    fn check_product(&mut self, left: &Expr, right: &Expr, line: u64) {
        let (left, right) = (operand(left), operand(right));
        let fine = match (&left, &right) {
            (Operand::Integer, _) | (_, Operand::Integer) => true,
            (Operand::Wide(a), Operand::Wide(b)) => a == b,
            _ => false,
        };
        if !fine {
            self.find(
                line,
                "measure.product",
                "engines round a product of decimals to different scales",
                "widen both operands first: CAST(a AS DECIMAL(38, s)) * CAST(b AS DECIMAL(38, s)), s the sum of their scales",
            );
        }
    }
}

enum Operand {
    /// An integer literal: multiplying by it is exact.
    Integer,
    /// Widened to a scale.
    Wide(i64),
    Other,
}

fn operand(expr: &Expr) -> Operand {
    match expr {
        Expr::Nested(inner) => operand(inner),
        Expr::Value(v) if is_integer(&v.value) => Operand::Integer,
        Expr::Cast {
            data_type: DataType::Decimal(ExactNumberInfo::PrecisionAndScale(WIDEST, scale)),
            ..
        } => Operand::Wide(*scale),
        _ => Operand::Other,
    }
}

fn is_integer(value: &Value) -> bool {
    matches!(value, Value::Number(text, _) if text.bytes().all(|b| b.is_ascii_digit()))
}

fn is_count(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(f) if f.name.to_string().eq_ignore_ascii_case("count"))
}

fn line_of(node: &impl Spanned) -> u64 {
    node.span().start.line.max(1)
}

impl Visitor for Linter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.check_query(query, line_of(query));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: None, .. } => {
                self.tables.insert(name.to_string());
            }
            TableFactor::Derived { .. } | TableFactor::NestedJoin { .. } => {}
            other => self.find(
                line_of(other),
                "measure.table",
                "this is no table",
                "name a table of schemas/",
            ),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let line = line_of(expr);
        match expr {
            Expr::BinaryOp {
                op: BinaryOperator::Divide | BinaryOperator::Modulo,
                ..
            } => self.find(
                line,
                "measure.division",
                "a measure does not divide: engines round quotients differently",
                "return numerator and denominator; write a test as a product",
            ),
            Expr::BinaryOp {
                op: BinaryOperator::Multiply,
                left,
                right,
            } => self.check_product(left, right, line),
            Expr::Value(v) => {
                if matches!(&v.value, Value::Number(..)) && !is_integer(&v.value) {
                    self.find(
                        line,
                        "measure.float",
                        "a literal with a point is a float in some engines",
                        "write CAST('0.5' AS DECIMAL(38, 1))",
                    );
                }
            }
            Expr::Cast {
                kind,
                expr: inner,
                data_type,
                ..
            } => {
                if *kind != CastKind::Cast {
                    self.find(
                        line,
                        "measure.cast",
                        "TRY_CAST and :: are not portable",
                        "use CAST(… AS …)",
                    );
                }
                self.check_cast(inner, data_type, line);
            }
            Expr::Function(function) => self.check_function(function, line),
            Expr::Exists { .. } | Expr::Subquery(_) | Expr::InSubquery { .. } => self.find(
                line,
                "measure.subquery",
                "EXISTS and subqueries in expressions are outside the portable subset",
                "write a join",
            ),
            _ => {}
        }
        // a count must be the direct child of CAST(… AS BIGINT): engines give it different types
        for child in children_that_count(expr) {
            if !matches!(
                expr,
                Expr::Cast {
                    data_type: DataType::BigInt(_),
                    ..
                }
            ) {
                self.find(
                    line_of(child),
                    "measure.count",
                    "engines type COUNT differently",
                    "CAST(COUNT(*) AS BIGINT)",
                );
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                && is_count(expr)
            {
                self.find(
                    line_of(expr),
                    "measure.count",
                    "engines type COUNT differently",
                    "CAST(COUNT(*) AS BIGINT)",
                );
            }
        }
        ControlFlow::Continue(())
    }
}

fn children_that_count(expr: &Expr) -> Vec<&Expr> {
    let children: Vec<&Expr> = match expr {
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::Cast { expr, .. } | Expr::Nested(expr) => vec![expr],
        _ => vec![],
    };
    children.into_iter().filter(|c| is_count(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(sql: &str) -> Vec<String> {
        lint("m.sql", sql).1.into_iter().map(|f| f.rule).collect()
    }

    #[test]
    fn the_subset_passes() {
        let sql = "WITH w AS (SELECT a, b FROM facts) SELECT w.a AS a, CAST(COUNT(*) AS BIGINT) AS n, \
                   SUM(CASE WHEN w.b * 4 >= 3 THEN CAST(w.b AS DECIMAL(38, 8)) * CAST(w.b AS DECIMAL(38, 8)) \
                   ELSE CAST(0 AS DECIMAL(38, 8)) END) AS s FROM w JOIN other AS o ON w.a = o.a GROUP BY w.a";
        let (tables, findings) = lint("m.sql", sql);
        assert_eq!(findings, []);
        assert_eq!(tables.into_iter().collect::<Vec<_>>(), ["facts", "other"]);
    }

    #[test]
    fn what_engines_answer_differently_is_refused() {
        let cases = [
            ("SELECT a / b AS q FROM t", "measure.division"),
            ("SELECT AVG(a) AS q FROM t", "measure.function"),
            ("SELECT ROUND(a, 2) AS q FROM t", "measure.function"),
            ("SELECT now() AS q FROM t", "measure.function"),
            ("SELECT CURRENT_DATE AS q FROM t", "measure.function"),
            ("SELECT CAST(a AS DECIMAL(18, 2)) AS q FROM t", "measure.cast"),
            ("SELECT CAST(a AS DOUBLE) AS q FROM t", "measure.cast"),
            ("SELECT CAST(a AS INT) AS q FROM t", "measure.cast"),
            ("SELECT a::BIGINT AS q FROM t", "measure.cast"),
            ("SELECT a * b AS q FROM t", "measure.product"),
            (
                "SELECT CAST(a AS DECIMAL(38, 4)) * CAST(b AS DECIMAL(38, 8)) AS q FROM t",
                "measure.product",
            ),
            ("SELECT a FROM t WHERE a > 0.5", "measure.float"),
            ("SELECT SUM(1) AS n FROM t", "measure.sum-literal"),
            ("SELECT COUNT(*) AS n FROM t", "measure.count"),
            ("SELECT * FROM t", "measure.star"),
            ("SELECT t.* FROM t", "measure.star"),
            ("SELECT a FROM t WHERE EXISTS (SELECT b FROM u)", "measure.subquery"),
            ("SELECT SUM(a) OVER (PARTITION BY b) AS s FROM t", "measure.window"),
            ("SELECT a FROM t ORDER BY a", "measure.order"),
            ("SELECT a FROM t LIMIT 3", "measure.order"),
            ("SELECT DISTINCT a FROM t", "measure.distinct"),
            ("DELETE FROM t", "measure.statement"),
            ("SELECT a FROM", "measure.syntax"),
        ];
        for (sql, rule) in cases {
            assert!(rules(sql).contains(&rule.to_owned()), "{sql}: {:?}", rules(sql));
        }
    }

    #[test]
    fn findings_name_their_line() {
        let findings = lint("m.sql", "SELECT a AS a,\n  b / 2 AS c\nFROM t").1;
        assert_eq!(findings[0].place, Place::line("m.sql", 2));
    }
}

//! The forms of an expression: the allowed ones one by one, everything else refused.
//!
//! Duty: walk an expression, know which columns and aggregates stand in it, ask `types` at every step. Not its duty:
//! the clauses around it (`shape`).

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, CaseWhen, CastKind, DataType, Expr, Ident, UnaryOperator, Value};

use super::scope::{self, Found, Relation};
use super::types::{self, Operand, Type};
use super::{Linter, Refusal};

/// Most digits of an integer literal: it fits a BIGINT.
const LITERAL_DIGITS: usize = 18;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Aggregates {
    /// In WHERE, ON and GROUP BY.
    Refused,
    Allowed,
    /// Within the argument of one.
    Inside,
    /// Within the argument of SUM.
    InsideSum,
}

/// A walk over the expressions of one clause.
pub struct Walk<'a, 'b> {
    pub linter: &'a mut Linter<'b>,
    pub relations: &'a [Relation],
    pub aggregates: Aggregates,
    /// Columns that may stand outside an aggregate; none when any may.
    pub grouped: Option<&'a BTreeSet<Found>>,
    /// Relations whose columns were met.
    pub used: BTreeSet<usize>,
    /// How many columns were met.
    pub columns: usize,
    /// How many aggregates were met.
    pub aggregated: usize,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub fn new(linter: &'a mut Linter<'b>, relations: &'a [Relation], aggregates: Aggregates) -> Walk<'a, 'b> {
        Walk {
            linter,
            relations,
            aggregates,
            grouped: None,
            used: BTreeSet::new(),
            columns: 0,
            aggregated: 0,
        }
    }

    pub fn settle(&mut self, outcome: Result<Type, Refusal>) -> Type {
        outcome.unwrap_or_else(|refusal| {
            self.linter.refuse(refusal);
            Type::Unknown
        })
    }

    /// Type of an expression that every engine types alike.
    pub fn infer(&mut self, expr: &Expr) -> Type {
        match self.raw(expr) {
            Type::Count => {
                self.linter.refuse(types::bare_count());
                Type::Int
            }
            Type::Total => {
                self.linter.refuse(types::bare_total());
                Type::Int
            }
            other => other,
        }
    }

    /// A condition.
    pub fn condition(&mut self, expr: &Expr) {
        let kind = self.infer(expr);
        if !matches!(kind, Type::Bool | Type::Unknown) {
            let message = format!("a condition is expected here, and this is {}", kind.name());
            self.linter.find("measure.type", message, "write a comparison");
        }
    }

    /// Also types that only CAST settles.
    fn raw(&mut self, expr: &Expr) -> Type {
        let before = self.linter.line;
        self.linter.at(expr);
        let kind = self.form(expr);
        self.linter.line = before;
        kind
    }

    fn form(&mut self, expr: &Expr) -> Type {
        match expr {
            Expr::Identifier(name) => self.column(None, name),
            Expr::CompoundIdentifier(names) if names.len() == 2 => self.column(Some(&names[0]), &names[1]),
            Expr::Value(value) => self.value(&value.value),
            Expr::Nested(inner) => self.raw(inner),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.infer(inner);
                Type::Bool
            }
            Expr::UnaryOp { op, expr: inner } => match (op, inner.as_ref()) {
                (UnaryOperator::Not, _) => {
                    self.condition(inner);
                    Type::Bool
                }
                (UnaryOperator::Minus, Expr::Value(v)) if matches!(v.value, Value::Number(..)) => self.raw(inner),
                _ => self.refused(expr, "compare, add, subtract or multiply; write 0 - x for -x"),
            },
            Expr::BinaryOp { left, op, right } => self.binary(expr, left, op, right),
            Expr::Case {
                operand,
                conditions,
                else_result,
                case_token: _,
                end_token: _,
            } => self.case(operand.is_some(), conditions, else_result.as_deref()),
            Expr::Cast {
                kind,
                expr: inner,
                data_type,
                array,
                format,
            } => {
                if *kind != CastKind::Cast || *array || format.is_some() {
                    self.linter.find(
                        "measure.cast",
                        "TRY_CAST, :: and formats are not portable",
                        "use CAST(… AS …)",
                    );
                }
                self.cast(inner, data_type)
            }
            Expr::Function(function) => self.function(function),
            Expr::InList { expr, list, negated } => self.in_list(expr, list, *negated),
            Expr::Exists { .. } | Expr::Subquery(_) | Expr::InSubquery { .. } => {
                self.linter.find(
                    "measure.subquery",
                    "EXISTS and subqueries in expressions are outside the portable subset",
                    "write a join",
                );
                Type::Unknown
            }
            _ => self.refused(
                expr,
                "use columns, literals, + - *, comparisons, AND, OR, NOT, IS NULL, IN, CASE, CAST and aggregates",
            ),
        }
    }

    fn refused(&mut self, expr: &Expr, remedy: &str) -> Type {
        let text: String = expr.to_string().chars().take(60).collect();
        self.linter.find(
            "measure.expression",
            format!("{text} is outside the portable subset"),
            remedy,
        );
        Type::Unknown
    }

    fn column(&mut self, table: Option<&Ident>, name: &Ident) -> Type {
        self.columns += 1;
        for part in table.into_iter().chain([name]) {
            self.linter.check_name(part);
        }
        match scope::find(self.relations, table.map(|t| t.value.as_str()), &name.value) {
            Ok((Some(found), kind)) => {
                let outside = self.aggregates == Aggregates::Allowed;
                if outside && self.grouped.is_some_and(|g| !g.contains(&found)) {
                    self.linter.find(
                        "measure.group",
                        format!("column '{name}' is neither grouped by nor aggregated"),
                        "add it to GROUP BY, or aggregate it",
                    );
                }
                self.used.insert(found.0);
                kind
            }
            Ok((None, kind)) => kind,
            Err(refusal) => {
                self.linter.refuse(refusal);
                Type::Unknown
            }
        }
    }

    fn value(&mut self, value: &Value) -> Type {
        match value {
            Value::Null => Type::Null,
            Value::Boolean(_) => Type::Bool,
            Value::Number(text, false) if text.bytes().all(|b| b.is_ascii_digit()) && text.len() <= LITERAL_DIGITS => {
                Type::Literal
            }
            Value::Number(..) => {
                self.linter.find(
                    "measure.float",
                    "a literal with a point, an exponent or more than 18 digits has another type in each engine",
                    "write CAST('0.5' AS DECIMAL(38, 1))",
                );
                Type::Unknown
            }
            Value::SingleQuotedString(text) if !text.contains(['\\', '\'']) => Type::Text,
            _ => {
                self.linter.find(
                    "measure.literal",
                    "engines read this literal differently",
                    "write 'text' without quotes or backslashes in it",
                );
                Type::Unknown
            }
        }
    }

    fn binary(&mut self, expr: &Expr, left: &Expr, op: &BinaryOperator, right: &Expr) -> Type {
        use BinaryOperator as B;
        match op {
            B::And | B::Or => {
                self.condition(left);
                self.condition(right);
                Type::Bool
            }
            B::Eq | B::NotEq | B::Lt | B::LtEq | B::Gt | B::GtEq => {
                let (left, right) = (self.infer(left), self.infer(right));
                self.settle(types::compare(left, right, !matches!(op, B::Eq | B::NotEq)));
                Type::Bool
            }
            B::Plus | B::Minus => {
                let (left, right) = (self.infer(left), self.infer(right));
                self.settle(types::add(left, right))
            }
            B::Multiply => {
                let sides = ((self.infer(left), is_wide(left)), (self.infer(right), is_wide(right)));
                self.settle(types::multiply(sides.0, sides.1))
            }
            B::Divide | B::Modulo => {
                self.infer(left);
                self.infer(right);
                self.linter.find(
                    "measure.division",
                    "a measure does not divide: engines round quotients differently",
                    "return numerator and denominator; write a test as a product",
                );
                Type::Unknown
            }
            _ => self.refused(expr, "compare, add, subtract or multiply"),
        }
    }

    fn case(&mut self, simple: bool, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> Type {
        if simple {
            self.linter.find(
                "measure.expression",
                "CASE with an operand compares in types of the engine's choice",
                "write CASE WHEN a = b THEN …",
            );
            return Type::Unknown;
        }
        let mut branches = Vec::new();
        for when in conditions {
            self.condition(&when.condition);
            branches.push(self.infer(&when.result));
        }
        branches.push(otherwise.map_or(Type::Null, |e| self.infer(e)));
        if self.aggregates == Aggregates::InsideSum && branches.contains(&Type::Null) {
            self.linter.find(
                "measure.sum-null",
                "where all is NULL some engines sum to 0, some to NULL",
                "write ELSE CAST(0 AS BIGINT), or CAST(0 AS DECIMAL(38, s))",
            );
        }
        self.settle(types::choice("a CASE", &branches))
    }

    fn cast(&mut self, inner: &Expr, to: &DataType) -> Type {
        let operand = match unnested(inner) {
            Expr::Value(v) => match &v.value {
                Value::SingleQuotedString(text) => Operand::Text(text),
                Value::Boolean(_) => Operand::Boolean,
                _ => Operand::Other(self.raw(inner)),
            },
            _ => Operand::Other(self.raw(inner)),
        };
        if let Operand::Text(text) = operand
            && text.contains(['\\', '\''])
        {
            return self.raw(inner);
        }
        self.settle(types::cast(&operand, to))
    }

    fn in_list(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> Type {
        let kind = self.infer(expr);
        if negated {
            self.linter.find(
                "measure.in",
                "NOT IN treats NULL differently",
                "write a <> 'x' AND a <> 'y'",
            );
        }
        for item in list {
            let is_literal = matches!(item, Expr::Value(_))
                || matches!(item, Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(**expr, Expr::Value(_)));
            let fits = is_literal
                && matches!(
                    (kind, self.infer(item)),
                    (Type::Text, Type::Text) | (Type::Int, Type::Literal) | (Type::Unknown, _) | (_, Type::Unknown)
                );
            if !fits {
                self.linter.find(
                    "measure.in",
                    format!("the list has something else than literals for {}", kind.name()),
                    "list literals of the column's type: texts or integers, no NULL",
                );
            }
        }
        Type::Bool
    }
}

fn unnested(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => unnested(inner),
        other => other,
    }
}

/// Whether this is a column by itself.
pub fn is_column(expr: &Expr) -> bool {
    matches!(unnested(expr), Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

/// Whether this is a CAST to a decimal by itself.
fn is_wide(expr: &Expr) -> bool {
    matches!(
        unnested(expr),
        Expr::Cast {
            data_type: DataType::Decimal(_),
            ..
        }
    )
}

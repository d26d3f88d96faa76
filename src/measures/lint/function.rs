//! The functions of the subset: COALESCE and the aggregates SUM, COUNT, MIN, MAX.
//!
//! Duty: what a function may be called with and what it yields. Not its duty: the other forms (`expression`).

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, ObjectNamePart,
};

use super::expression::{Aggregates, Walk, is_column};
use super::types::{self, Type};

impl Walk<'_, '_> {
    pub fn function(&mut self, function: &Function) -> Type {
        let name = match function.name.0.as_slice() {
            [ObjectNamePart::Identifier(name)] if name.quote_style.is_none() => name.value.to_uppercase(),
            _ => function.name.to_string(),
        };
        if !["SUM", "COUNT", "MIN", "MAX", "COALESCE"].contains(&name.as_str()) {
            self.linter.find(
                "measure.function",
                format!("{name} is outside the portable subset"),
                "use SUM, COUNT, MIN, MAX, COALESCE, CASE and CAST; divide and round in the rules",
            );
            return Type::Unknown;
        }
        let Some(list) = plain_arguments(function) else {
            self.linter.find(
                "measure.window",
                format!("DISTINCT, windows, filters and other additions to {name} differ"),
                "use GROUP BY and CASE",
            );
            return Type::Unknown;
        };
        if name == "COALESCE" {
            let mut kinds = Vec::new();
            for arg in list {
                match arg {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => kinds.push(self.infer(expr)),
                    _ => return self.arguments(&name),
                }
            }
            if kinds.len() < 2 {
                return self.arguments(&name);
            }
            return self.settle(types::choice("COALESCE", &kinds));
        }
        self.aggregated += 1;
        if self.aggregates != Aggregates::Allowed {
            self.linter.find(
                "measure.aggregate",
                format!("{name} stands in a condition, a key or another aggregate"),
                "aggregate in a WITH query, and use its column",
            );
            return Type::Unknown;
        }
        match (name.as_str(), list) {
            ("COUNT", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) => Type::Count,
            (_, [FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))]) => self.aggregate(&name, arg),
            _ => self.arguments(&name),
        }
    }

    fn arguments(&mut self, name: &str) -> Type {
        self.linter.find(
            "measure.function",
            format!("{name} has arguments that not every engine takes"),
            "write COUNT(*), COUNT(column), SUM(x), MIN(x), MAX(x) or COALESCE(x, y)",
        );
        Type::Unknown
    }

    /// COUNT, SUM, MIN or MAX of an expression.
    fn aggregate(&mut self, name: &str, arg: &Expr) -> Type {
        let columns = self.columns;
        self.aggregates = if name == "SUM" {
            Aggregates::InsideSum
        } else {
            Aggregates::Inside
        };
        let kind = self.infer(arg);
        self.aggregates = Aggregates::Allowed;
        if self.columns == columns {
            self.linter.find(
                "measure.sum-literal",
                format!("some engines take a {name} without a column once, not once a row"),
                "use CAST(COUNT(*) AS BIGINT), or aggregate a column",
            );
            return Type::Unknown;
        }
        match (name, kind) {
            (_, Type::Unknown) => Type::Unknown,
            ("COUNT", _) if is_column(arg) => Type::Count,
            ("COUNT", _) => self.arguments(name),
            ("SUM", Type::Int) => Type::Total,
            ("SUM", Type::Decimal { .. }) => kind,
            ("MIN" | "MAX", Type::Text | Type::Int | Type::Decimal { .. } | Type::Date | Type::Instant) => kind,
            _ => {
                let message = format!("{name} of {} is not the same everywhere", kind.name());
                self.linter.find(
                    "measure.type",
                    message,
                    "aggregate integers and decimals; count conditions with CASE",
                );
                Type::Unknown
            }
        }
    }
}

/// The arguments of a function that has nothing but arguments.
fn plain_arguments(function: &Function) -> Option<&[FunctionArg]> {
    let Function {
        name: _,
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args:
            FunctionArguments::List(FunctionArgumentList {
                duplicate_treatment: None,
                args,
                clauses,
            }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group,
    } = function
    else {
        return None;
    };
    (clauses.is_empty() && within_group.is_empty()).then_some(args)
}

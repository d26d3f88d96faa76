//! FROM: plain tables and the joins that every engine answers alike.
//!
//! Duty: which relations a SELECT reads, and that each join equates columns of both sides. Not its duty: the other
//! clauses (`shape`).

use std::collections::BTreeSet;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectNamePart, TableFactor, TableWithJoins,
};

use super::expression::{Aggregates, Walk, is_column};
use super::scope::{Output, Relation};
use super::types::{self, Type};
use super::{Linter, Refusal};

/// The relations of FROM and its joins.
pub fn tables(linter: &mut Linter, from: &[TableWithJoins], ctes: &[Relation]) -> Vec<Relation> {
    let mut relations = Vec::new();
    let [TableWithJoins { relation, joins }] = from else {
        let (message, remedy) = if from.is_empty() {
            ("a measure selects from a table", "add FROM")
        } else {
            (
                "a comma between tables pairs every row with every row",
                "write JOIN … ON a = b",
            )
        };
        linter.find("measure.join", message, remedy);
        for item in from {
            for factor in std::iter::once(&item.relation).chain(item.joins.iter().map(|j| &j.relation)) {
                table(linter, factor, ctes, &mut relations);
            }
        }
        return relations;
    };
    table(linter, relation, ctes, &mut relations);
    for joined in joins {
        table(linter, &joined.relation, ctes, &mut relations);
        join(linter, joined, &relations);
    }
    relations
}

fn table(linter: &mut Linter, factor: &TableFactor, ctes: &[Relation], relations: &mut Vec<Relation>) {
    linter.at(factor);
    let plain = match factor {
        TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => match name.0.as_slice() {
            [ObjectNamePart::Identifier(name)] => Some((name, alias.as_ref())),
            _ => None,
        },
        _ => None,
    };
    let Some((name, alias)) = plain.filter(|(_, a)| a.is_none_or(|a| a.columns.is_empty() && a.at.is_none())) else {
        linter.find(
            "measure.table",
            "this is no plain table",
            "name a table of schemas/ or a WITH query, without anything but an alias",
        );
        relations.push(Relation {
            name: String::new(),
            columns: None,
        });
        return;
    };
    let known_as = alias.map_or(name, |a| &a.name);
    linter.check_name(name);
    linter.check_name(known_as);
    let columns = match ctes.iter().find(|c| c.name == name.value) {
        Some(cte) => cte.columns.clone(),
        None => contracted(linter, name),
    };
    let lower = known_as.value.to_lowercase();
    if relations.iter().any(|r| r.name.to_lowercase() == lower) {
        linter.find(
            "measure.table",
            format!("two tables of this SELECT are called '{known_as}'"),
            "give each an alias of its own",
        );
    }
    relations.push(Relation {
        name: known_as.value.clone(),
        columns,
    });
}

/// Columns of a table that has a contract.
fn contracted(linter: &mut Linter, name: &Ident) -> Option<Output> {
    let Some(columns) = (linter.columns)(&name.value) else {
        linter.find(
            "measure.table",
            format!("the measure reads table '{name}', which has no contract"),
            "name a feed or a calendar table of schemas/, or add a contract for it",
        );
        return None;
    };
    linter.tables.insert(name.value.clone());
    Some(columns.into_iter().map(|(n, kind)| (n, Type::from(kind))).collect())
}

/// One join; its table is the last of the relations.
fn join(linter: &mut Linter, join: &Join, relations: &[Relation]) {
    let (on, left) = match &join.join_operator {
        JoinOperator::Join(JoinConstraint::On(on)) | JoinOperator::Inner(JoinConstraint::On(on)) => (on, false),
        JoinOperator::Left(JoinConstraint::On(on)) | JoinOperator::LeftOuter(JoinConstraint::On(on)) => (on, true),
        _ => {
            linter.find(
                "measure.join",
                "only JOIN … ON and LEFT JOIN … ON are portable",
                "write JOIN … ON a = b, or LEFT JOIN … ON a = b",
            );
            return;
        }
    };
    if join.global {
        super::shape::clause(linter, "GLOBAL");
    }
    equalities(linter, on, left, relations);
}

/// A conjunction of equalities between the joined table and those before it.
fn equalities(linter: &mut Linter, on: &Expr, left_join: bool, relations: &[Relation]) {
    linter.at(on);
    match on {
        Expr::Nested(inner) => equalities(linter, inner, left_join, relations),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            equalities(linter, left, left_join, relations);
            equalities(linter, right, left_join, relations);
        }
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Eq,
            right,
        } => {
            let mut side = |expr: &Expr| {
                let mut walk = Walk::new(linter, relations, Aggregates::Refused);
                let kind = walk.infer(expr);
                (kind, walk.used)
            };
            let ((a, from_a), (b, from_b)) = (side(left), side(right));
            let known = a != Type::Unknown && b != Type::Unknown;
            if let Err(refusal) = types::joinable(a, b) {
                linter.refuse(refusal);
            }
            let joined = BTreeSet::from([relations.len() - 1]);
            let before = |used: &BTreeSet<usize>| !used.is_empty() && used.is_disjoint(&joined);
            let across = (from_a == joined && before(&from_b)) || (from_b == joined && before(&from_a));
            if known && !(across && (!left_join || is_column(left) && is_column(right))) {
                refuse_on(linter, left_join);
            }
        }
        _ => refuse_on(linter, left_join),
    }
}

fn refuse_on(linter: &mut Linter, left_join: bool) {
    let refusal = if left_join {
        Refusal::new(
            "measure.join",
            "engines lose rows of a LEFT JOIN whose ON is more than column = column of both tables",
            "filter the joined table in a WITH query first",
        )
    } else {
        Refusal::new(
            "measure.join",
            "ON holds something else than equalities between the joined table and those before it",
            "put other conditions into WHERE",
        )
    };
    linter.refuse(refusal);
}

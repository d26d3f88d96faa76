//! The form of a statement: WITH, SELECT, WHERE, GROUP BY; what is not allowed is refused.
//!
//! Duty: every field of the syntax tree is either walked or must be empty; a new one does not compile. Not its duty:
//! tables and joins (`tables`), what stands in an expression (`expression`).

use std::collections::BTreeSet;

use sqlparser::ast::{Cte, Expr, GroupByExpr, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement};

use super::Linter;
use super::expression::{Aggregates, Walk};
use super::scope::{self, Found, Output, Relation};
use super::tables::tables;
use super::types::Type;

/// The statements of a file; the columns of the result.
pub fn statements(linter: &mut Linter, statements: &[Statement]) -> Option<Output> {
    let [Statement::Query(statement)] = statements else {
        linter.find(
            "measure.statement",
            "a measure is exactly one SELECT statement",
            "split the file",
        );
        return None;
    };
    let mut ctes: Vec<Relation> = Vec::new();
    linter.at(statement.as_ref());
    if let Some(with) = &statement.with {
        if with.recursive {
            linter.find(
                "measure.with",
                "WITH RECURSIVE is not portable",
                "write plain WITH queries",
            );
        }
        for cte in &with.cte_tables {
            let relation = with_query(linter, cte, &ctes);
            ctes.push(relation);
        }
    }
    query(linter, statement, &ctes)
}

/// The columns of the result that the statement groups by.
pub fn grain(statements: &[Statement]) -> Vec<String> {
    let [Statement::Query(statement)] = statements else {
        return Vec::new();
    };
    let SetExpr::Select(select) = statement.body.as_ref() else {
        return Vec::new();
    };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else {
        return Vec::new();
    };
    let last = |expr: &Expr| match expr {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.clone()),
        _ => None,
    };
    let grouped: BTreeSet<String> = keys.iter().filter_map(last).collect();
    let item = |item: &SelectItem| match item {
        SelectItem::ExprWithAlias { expr, alias } => {
            last(expr).filter(|n| grouped.contains(n)).map(|_| alias.value.clone())
        }
        SelectItem::UnnamedExpr(expr) => last(expr).filter(|n| grouped.contains(n)),
        _ => None,
    };
    select.projection.iter().filter_map(item).collect()
}

fn with_query(linter: &mut Linter, cte: &Cte, before: &[Relation]) -> Relation {
    let name = &cte.alias.name;
    linter.line = name.span.start.line.max(1);
    linter.check_name(name);
    let lower = name.value.to_lowercase();
    let shadows = [&name.value, &lower].iter().any(|n| (linter.columns)(n).is_some());
    if shadows || before.iter().any(|r| r.name.to_lowercase() == lower) {
        linter.find(
            "measure.with",
            format!("the WITH query '{name}' has the name of a table or of another one"),
            "give it a name of its own",
        );
    }
    if !cte.alias.columns.is_empty() || cte.alias.at.is_some() || cte.from.is_some() || cte.materialized.is_some() {
        linter.find(
            "measure.with",
            "column lists and hints of WITH are not portable",
            "write WITH name AS (SELECT …)",
        );
    }
    if cte.query.with.is_some() {
        linter.find(
            "measure.with",
            "a WITH stands within another",
            "write all WITH queries at the top",
        );
    }
    Relation {
        name: name.value.clone(),
        columns: query(linter, &cte.query, before),
    }
}

/// Everything of a query but its WITH. Without output when it is refused as a whole.
fn query(linter: &mut Linter, query: &Query, ctes: &[Relation]) -> Option<Output> {
    let Query {
        with: _,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = query;
    if order_by.is_some() || limit_clause.is_some() || fetch.is_some() {
        linter.find(
            "measure.order",
            "ORDER BY, LIMIT and FETCH have no place in a measure",
            "leave them out: results are sorted by their key",
        );
    }
    if !locks.is_empty()
        || for_clause.is_some()
        || settings.is_some()
        || format_clause.is_some()
        || !pipe_operators.is_empty()
    {
        clause(linter, "this end of a query");
    }
    match body.as_ref() {
        SetExpr::Select(select) => self::select(linter, select, ctes),
        SetExpr::SetOperation { .. } => {
            linter.find(
                "measure.union",
                "UNION, INTERSECT and EXCEPT match columns by position and types by the engine's choice",
                "write one SELECT; distinguish cases with CASE",
            );
            None
        }
        _ => {
            linter.find("measure.statement", "a measure selects from tables", "write a SELECT");
            None
        }
    }
}

pub fn clause(linter: &mut Linter, what: &str) {
    linter.find(
        "measure.clause",
        format!("{what} is outside the portable subset"),
        "use SELECT, FROM, JOIN, WHERE and GROUP BY only; test a sum in a second SELECT over a WITH query",
    );
}

fn select(linter: &mut Linter, select: &Select, ctes: &[Relation]) -> Option<Output> {
    let Select {
        select_token,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    linter.line = select_token.0.span.start.line.max(1);
    let start = linter.line;
    if distinct.is_some() {
        linter.find(
            "measure.distinct",
            "DISTINCT is outside the portable subset",
            "use GROUP BY",
        );
    }
    let present = [
        (!optimizer_hints.is_empty(), "a hint"),
        (select_modifiers.is_some(), "a modifier of SELECT"),
        (top.is_some(), "TOP"),
        (exclude.is_some(), "EXCLUDE"),
        (into.is_some(), "INTO"),
        (!lateral_views.is_empty(), "LATERAL VIEW"),
        (prewhere.is_some(), "PREWHERE"),
        (!connect_by.is_empty(), "CONNECT BY"),
        (!cluster_by.is_empty(), "CLUSTER BY"),
        (!distribute_by.is_empty(), "DISTRIBUTE BY"),
        (!sort_by.is_empty(), "SORT BY"),
        (having.is_some(), "HAVING"),
        (!named_window.is_empty(), "WINDOW"),
        (qualify.is_some(), "QUALIFY"),
        (value_table_mode.is_some(), "SELECT AS"),
        (*flavor != SelectFlavor::Standard, "FROM before SELECT"),
    ];
    for (_, what) in present.iter().filter(|(is, _)| *is) {
        clause(linter, what);
    }
    let relations = tables(linter, from, ctes);
    if let Some(condition) = selection {
        linter.line = start;
        Walk::new(linter, &relations, Aggregates::Refused).condition(condition);
    }
    linter.line = start;
    let grouped = keys(linter, group_by, projection, &relations);
    linter.line = start;
    project(linter, projection, &relations, &grouped)
}

/// The columns of GROUP BY; none without one.
fn keys(
    linter: &mut Linter,
    group_by: &GroupByExpr,
    projection: &[SelectItem],
    relations: &[Relation],
) -> BTreeSet<Found> {
    let mut found = BTreeSet::new();
    let GroupByExpr::Expressions(keys, modifiers) = group_by else {
        refuse_key(linter);
        return found;
    };
    if !modifiers.is_empty() {
        refuse_key(linter);
    }
    for key in keys {
        linter.at(key);
        let (table, name) = match key {
            Expr::Identifier(name) => (None, name),
            Expr::CompoundIdentifier(names) if names.len() == 2 => (Some(&names[0]), &names[1]),
            _ => {
                refuse_key(linter);
                continue;
            }
        };
        let means_alias = |item: &SelectItem| {
            matches!(item, SelectItem::ExprWithAlias { expr, alias }
                if alias.value.eq_ignore_ascii_case(&name.value)
                    && !matches!(expr, Expr::Identifier(c) if c.value == name.value)
                    && !matches!(expr, Expr::CompoundIdentifier(c) if c.last().is_some_and(|c| c.value == name.value)))
        };
        if table.is_none() && projection.iter().any(means_alias) {
            linter.find(
                "measure.group",
                format!("'{name}' is a column and the alias of something else: engines group by either"),
                "give the result another name, or write table.column",
            );
        }
        Walk::new(linter, relations, Aggregates::Refused).infer(key);
        if let Ok((Some(column), _)) = scope::find(relations, table.map(|t| t.value.as_str()), &name.value) {
            found.insert(column);
        }
    }
    found
}

fn refuse_key(linter: &mut Linter) {
    linter.find(
        "measure.group",
        "GROUP BY holds something else than columns",
        "name columns only; compute a key in a WITH query first",
    );
}

/// The result: every item has a name and a type.
fn project(
    linter: &mut Linter,
    projection: &[SelectItem],
    relations: &[Relation],
    grouped: &BTreeSet<Found>,
) -> Option<Output> {
    let mut output = Output::new();
    let start = linter.line;
    for item in projection {
        linter.line = start;
        linter.at(item);
        let (expr, name) = match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                linter.check_name(alias);
                (expr, Some(alias))
            }
            SelectItem::UnnamedExpr(expr) => match expr {
                Expr::Identifier(name) => (expr, Some(name)),
                Expr::CompoundIdentifier(names) => (expr, names.last()),
                _ => (expr, None),
            },
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                linter.find("measure.star", "SELECT * changes with the table", "name the columns");
                return None;
            }
            SelectItem::ExprWithAliases { .. } => {
                linter.find("measure.name", "an expression has two names", "give it one name");
                return None;
            }
        };
        let kind = item_type(linter, expr, relations, grouped);
        match name {
            Some(name) if output.iter().any(|(n, _)| n.eq_ignore_ascii_case(&name.value)) => {
                linter.find(
                    "measure.name",
                    format!("two results are called '{name}'"),
                    "rename one with AS",
                );
            }
            Some(name) => output.push((name.value.clone(), kind)),
            None => linter.find("measure.name", "engines name this result differently", "add AS name"),
        }
    }
    Some(output)
}

fn item_type(linter: &mut Linter, expr: &Expr, relations: &[Relation], grouped: &BTreeSet<Found>) -> Type {
    let mut walk = Walk::new(linter, relations, Aggregates::Allowed);
    walk.grouped = (!grouped.is_empty()).then_some(grouped);
    let kind = walk.infer(expr);
    if walk.aggregated > 0 && grouped.is_empty() {
        linter.find(
            "measure.group",
            "an aggregate over no rows is NULL in some engines and 0 in others",
            "add GROUP BY with the grain of the measure",
        );
    }
    match kind {
        Type::Literal => linter.find(
            "measure.type",
            "engines give a bare integer different types",
            "write CAST(n AS BIGINT)",
        ),
        Type::Null => linter.find("measure.type", "a bare NULL has no type", "write CAST(NULL AS …)"),
        _ => {}
    }
    kind
}

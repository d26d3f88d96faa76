//! The relations that a SELECT reads, and which column a name means.
//!
//! Duty: one column, in one relation, for each name. Not its duty: what is done with it.

use super::Refusal;
use super::types::Type;

/// Named columns of a table, a WITH query or the result.
pub type Output = Vec<(String, Type)>;

/// A table or a WITH query under the name by which a SELECT knows it.
#[derive(Clone, Debug)]
pub struct Relation {
    pub name: String,
    /// None for a relation that was refused: it has whatever column is asked for.
    pub columns: Option<Output>,
}

/// A column that was found: its relation and its name.
pub type Found = (usize, String);

/// Finds a column; where a relation was refused, the type of what could be its column is `Unknown`.
pub fn find(relations: &[Relation], table: Option<&str>, column: &str) -> Result<(Option<Found>, Type), Refusal> {
    let mut open = false;
    let mut hits = Vec::new();
    let mut named = false;
    for (index, relation) in relations.iter().enumerate() {
        if table.is_some_and(|t| t != relation.name) {
            continue;
        }
        named = true;
        match &relation.columns {
            None => open = true,
            Some(columns) => hits.extend(columns.iter().filter(|(n, _)| n == column).map(|(_, t)| (index, *t))),
        }
    }
    match hits.as_slice() {
        [(index, kind)] if !open => Ok((Some((*index, column.to_owned())), *kind)),
        _ if open => Ok((None, Type::Unknown)),
        [] => {
            let message = match table {
                Some(table) if !named => format!("there is no table '{table}' in this SELECT"),
                Some(table) => format!("'{table}' has no column '{column}'"),
                None => format!("no table of this SELECT has a column '{column}'"),
            };
            Err(Refusal::new(
                "measure.column",
                message,
                "name a column of a table or WITH query of this SELECT; case matters",
            ))
        }
        _ => Err(Refusal::new(
            "measure.column",
            format!("'{column}' is a column of more than one table"),
            "write table.column",
        )),
    }
}

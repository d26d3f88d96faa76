//! One row of an input table, read field by field.
//!
//! Duty: typed fields whose errors name table, column, value and remedy; counts and sums no measure can have are
//! refused. Not its duty: what the fields mean.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use super::inputs::EvaluationError;
use crate::domain::ids::{DomainId, IdError, PartnerId};
use crate::domain::{Dec, Period, RowRef, Table, Value};

pub type Read<T> = Result<T, EvaluationError>;

/// Largest count a measure may hold: a trillion. So sums over millions of rows stay within 64 bits.
const MAX_COUNT: i64 = 1_000_000_000_000;

/// A row and the name of its table.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    table: &'a Table,
    row: RowRef<'a>,
    known: &'a Known,
}

/// The partner of the row before, and the domains of its rows: tables are mostly sorted by partner. Each partner has ids of
/// its own, so that partners who are evaluated side by side do not count the copies of the same text.
#[derive(Default)]
struct Known {
    partner: RefCell<Option<PartnerId>>,
    domains: RefCell<Vec<DomainId>>,
    names: RefCell<Vec<Arc<str>>>,
}

impl<'a> Deref for Fields<'a> {
    type Target = RowRef<'a>;
    fn deref(&self) -> &RowRef<'a> {
        &self.row
    }
}

/// Calls `read` with every row of a table, until one is in error.
pub fn each(table: &Table, mut read: impl FnMut(Fields) -> Read<()>) -> Read<()> {
    let known = &Known::default();
    table.read_rows(|row| read(Fields { table, row, known }))
}

/// No error, the one error, or all of them.
pub fn several(mut errors: Vec<EvaluationError>) -> Read<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(EvaluationError::Several(errors)),
    }
}

impl<'a> Fields<'a> {
    pub fn partner(self) -> Read<PartnerId> {
        let text = self.text("partner_id")?;
        let mut known = self.known.partner.borrow_mut();
        if let Some(partner) = known.as_ref().filter(|partner| partner.as_str() == text) {
            return Ok(partner.clone());
        }
        let partner = PartnerId::new(text).map_err(|error| self.wrong("partner_id", &error))?;
        *known = Some(partner.clone());
        self.known.domains.borrow_mut().clear();
        self.known.names.borrow_mut().clear();
        Ok(partner)
    }

    pub fn domain(self) -> Read<DomainId> {
        let text = self.text("domain")?;
        let mut known = self.known.domains.borrow_mut();
        if let Some(domain) = known.iter().find(|domain| domain.as_str() == text) {
            return Ok(domain.clone());
        }
        let domain = DomainId::new(text).map_err(|error| self.wrong("domain", &error))?;
        known.push(domain.clone());
        Ok(domain)
    }

    /// A text of which there are few, such as a class: one copy for the rows of a partner.
    pub fn name(self, column: &str) -> Read<Arc<str>> {
        let text = self.shared(column)?;
        let mut known = self.known.names.borrow_mut();
        if let Some(name) = known.iter().find(|name| **name == text) {
            return Ok(name.clone());
        }
        known.push(text.clone());
        Ok(text)
    }

    pub fn period(self) -> Read<Period> {
        Period::parse(self.text("period")?).map_err(|_| self.wrong("period", &"is no period such as 2026-Q3"))
    }

    /// An identifier in a column.
    pub fn id<T>(self, column: &str, new: fn(&str) -> Result<T, IdError>) -> Read<T> {
        new(self.text(column)?).map_err(|error| self.wrong(column, &error))
    }

    /// Partner × domain × period.
    pub fn key(self) -> Read<(PartnerId, DomainId, Period)> {
        Ok((self.partner()?, self.domain()?, self.period()?))
    }

    /// A count from 0 up.
    pub fn count(self, column: &str) -> Read<i64> {
        let count = self.int(column)?;
        if (0..=MAX_COUNT).contains(&count) {
            Ok(count)
        } else {
            Err(self.wrong(column, &"is no count from 0 to 10^12"))
        }
    }

    /// A decimal (or an integer) from 0 up.
    pub fn sum(self, column: &str) -> Read<Dec> {
        let sum = match self.get(column)? {
            Value::Int(whole) => Dec::from(*whole),
            _ => self.dec(column)?,
        };
        if sum < Dec::ZERO {
            Err(self.wrong(column, &"is below 0"))
        } else {
            Ok(sum)
        }
    }

    pub fn one_of(self, column: &str, allowed: &[&str]) -> Read<&'a str> {
        let text = self.text(column)?;
        let list = || format!("is none of {}", allowed.join(", "));
        if allowed.contains(&text) {
            Ok(text)
        } else {
            Err(self.wrong(column, &list()))
        }
    }

    pub fn wrong(self, column: &str, problem: &impl ToString) -> EvaluationError {
        EvaluationError::Value {
            table: self.table.name().to_owned(),
            column: column.to_owned(),
            value: self.get(column).map(ToString::to_string).unwrap_or_default(),
            problem: problem.to_string(),
        }
    }

    /// A second row for a key that may stand once.
    pub fn twice(self, key: &impl ToString) -> EvaluationError {
        EvaluationError::Duplicate {
            table: self.table.name().to_owned(),
            key: key.to_string(),
        }
    }
}

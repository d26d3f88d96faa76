//! Rows of the table `rebates`.
//!
//! Duty: column names and published decimals. Not its duty: the posting period, which is appended when it is known.

use super::target::Component;
use crate::domain::{Dec, Ratio, Rounding, Row, Table, Value};

const COLUMNS: [&str; 13] = [
    "partner_id",
    "scheme",
    "earning_period",
    "domain",
    "component",
    "currency",
    "basis",
    "rate",
    "factor",
    "amount",
    "booked",
    "lines",
    "reason",
];

pub(super) const COMPONENT_AT: usize = 4;
pub(super) const AMOUNT_AT: usize = 9;
pub(super) const BOOKED_AT: usize = 10;

/// Digits and decimals of a published number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    digits: u32,
    places: u8,
}

/// An amount before the one rounding.
pub(super) const AMOUNT: Form = Form { digits: 28, places: 12 };
pub(super) const BASIS: Form = Form { digits: 28, places: 4 };
/// A rate or a factor.
const RATE: Form = Form { digits: 18, places: 12 };

/// Partner, scheme, earning period: what the rows of a target share.
pub(super) type Key<'a> = [&'a str; 3];

pub(super) fn table(mut rows: Vec<Row>) -> Table {
    rows.sort_by(|a, b| a[..5].cmp(&b[..5]));
    let mut table = Table::new("rebates", &COLUMNS);
    for row in rows {
        table.push(row);
    }
    table
}

/// A number in the form it is published in; the error names the component that does not fit.
pub(super) fn published(value: &Ratio, form: Form, component: &str) -> Result<Dec, String> {
    let dec = value
        .round(form.places, Rounding::HalfAwayFromZero)
        .filter(|d| d.digits() <= form.digits);
    dec.ok_or_else(|| {
        format!(
            "component {component} does not fit in {} digits with {} decimals",
            form.digits, form.places
        )
    })
}

/// A rate or a factor as published.
pub(super) fn rate_of(value: Option<&Ratio>, name: &str) -> Result<Value, String> {
    value.map(|v| published(v, RATE, name)).transpose().map(Value::from)
}

/// One row; `booked` is there on `earned` alone.
pub(super) fn row(key: Key<'_>, currency: &str, c: &Component, booked: Option<Dec>) -> Result<Row, String> {
    let exact = |value: &Option<Ratio>| rate_of(value.as_ref(), &c.name);
    let [partner, scheme, period] = key;
    Ok(vec![
        partner.into(),
        scheme.into(),
        period.into(),
        c.domain.as_str().into(),
        c.name.as_str().into(),
        currency.into(),
        published(&c.basis, BASIS, &c.name)?.into(),
        exact(&c.rate)?,
        exact(&c.factor)?,
        published(&c.amount, AMOUNT, &c.name)?.into(),
        booked.into(),
        c.lines.into(),
        c.reason.clone().into(),
    ])
}

/// A number for people: at most 4 decimals, no zeros at the end.
pub(super) fn plain(value: &Ratio) -> String {
    let Some(dec) = value.round(BASIS.places, Rounding::HalfAwayFromZero) else {
        return value.to_string();
    };
    dec.to_string().trim_end_matches('0').trim_end_matches('.').to_owned()
}

//! The discount check: what a sale cost less, or more, than the partner's tier or stars allowed.
//!
//! Duty: of sales whose discount is not the one allowed, the net amount that was, and the difference in money. Not its
//! duty: finding them (measures), which discount is allowed (rules), what anybody does about it.

use super::IncentiveError;
use crate::domain::{Currency, Dec, Money, Ratio, Rounding, Row, RowRef, Table, Value};

/// Key: `order_line_id`.
const COLUMNS: [&str; 19] = [
    "order_line_id",
    "partner_id",
    "period",
    "service_model",
    "domain",
    "product_id",
    "ordered_on",
    "currency",
    "list_amount",
    "net_amount",
    "discount_rate",
    "allowed_rate",
    "allowed_by",
    "allowed_net_amount",
    "leakage_amount",
    "verdict",
    "arrival",
    "source_file",
    "source_line",
];

/// `discount_checks` of measured sales, sorted by key. Allowed is list × (1 − rate), rounded once, half away from zero, to
/// the minor unit; leakage is allowed less net: above zero was given away, below zero the partner paid too much.
pub fn checks(measured: [&Table; 2]) -> Result<Table, IncentiveError> {
    let mut out = Table::new("discount_checks", &COLUMNS);
    for table in measured {
        for row in table.iter() {
            out.push(check(row)?);
        }
    }
    out.rows.sort();
    Ok(out)
}

fn check(row: RowRef<'_>) -> Result<Row, IncentiveError> {
    let id = row.text("order_line_id")?;
    let problem = |what: String| IncentiveError::Problems(vec![format!("sale {id}: {what}")]);
    let code = row.text("currency")?;
    let currency = Currency::parse(code).ok_or_else(|| problem(format!("'{code}' is no currency of ISO 4217")))?;
    let (list, net, allowed) = (
        row.dec("list_amount")?,
        row.dec("net_amount")?,
        row.dec("allowed_rate")?,
    );
    let exact = &list.ratio() * &(&Ratio::one() - &allowed.ratio());
    let allowed_net = Money::rounded(&exact, currency, Rounding::HalfAwayFromZero);
    let allowed_net = allowed_net.map_err(|e| problem(e.to_string()))?.dec();
    let leakage = (&allowed_net.ratio() - &net.ratio()).round(4, Rounding::HalfAwayFromZero);
    let leakage = leakage.ok_or_else(|| problem("its amounts do not fit".to_owned()))?;
    let verdict = match leakage.cmp(&Dec::ZERO) {
        std::cmp::Ordering::Greater => "over",
        std::cmp::Ordering::Less => "under",
        std::cmp::Ordering::Equal => "rate_only",
    };
    let four = |dec: Dec| Value::Dec(dec.rescale(4).unwrap_or(dec));
    COLUMNS
        .iter()
        .map(|column| match *column {
            "allowed_net_amount" => Ok(four(allowed_net)),
            "leakage_amount" => Ok(Value::Dec(leakage)),
            "verdict" => Ok(verdict.into()),
            column => Ok(row.get(column)?.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_date;

    fn measured(rows: &[&str]) -> Table {
        let names: Vec<&str> = COLUMNS
            .into_iter()
            .filter(|c| !matches!(*c, "allowed_net_amount" | "leakage_amount" | "verdict"))
            .collect();
        let mut table = Table::new("measures_discounts_vendor", &names);
        for row in rows {
            let [id, currency, list, net, given, allowed] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let dec = |text: &str| Value::Dec(Dec::parse(text).unwrap());
            let value = |name: &&str| match *name {
                "order_line_id" => id.into(),
                "currency" => currency.into(),
                "list_amount" => dec(list),
                "net_amount" => dec(net),
                "discount_rate" => dec(given),
                "allowed_rate" => dec(allowed),
                "ordered_on" => parse_date("2026-07-01").unwrap().into(),
                "arrival" | "source_line" => 1_i64.into(),
                _ => "x".into(),
            };
            table.push(names.iter().map(value).collect());
        }
        table
    }

    #[test]
    fn leakage_is_what_was_allowed_less_what_was_paid() {
        let rows = measured(&[
            // 8,419.01 × 0.8 = 6,735.208, allowed 6,735.21
            "S1 EUR 8419.01 6482.64 0.23 0.20",
            "S2 EUR 100.00 90.00 0.10 0.20",
            // yen have no decimals: 999 × 0.85 = 849.15
            "S3 JPY 999 849 0.10 0.15",
            "S4 KWD 10.000 7.000 0.30 0.1055",
        ]);
        let empty = measured(&[]);
        let found = checks([&rows, &empty]).unwrap();
        let text = |row: RowRef<'_>| {
            ["order_line_id", "allowed_net_amount", "leakage_amount", "verdict"]
                .map(|c| row.get(c).unwrap().to_string())
                .join(" ")
        };
        let expected = [
            "S1 6735.2100 252.5700 over",
            "S2 80.0000 -10.0000 under",
            "S3 849.0000 0.0000 rate_only",
            "S4 8.9450 1.9450 over",
        ];
        assert_eq!(found.iter().map(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_currency_is_said() {
        let error = checks([&measured(&["S1 XYZ 1 1 0 0"]), &measured(&[])]).unwrap_err();
        assert_eq!(error.to_string(), "sale S1: 'XYZ' is no currency of ISO 4217");
    }
}

//! The money of the period: earned, settled, accrued against paid out, discounts, funds.
//!
//! Duty: sums of published amounts by scheme, region and currency. Not its duty: any amount; those of the ledger are added
//! up, nothing else.

use std::collections::BTreeMap;

use super::ReportError;
use super::data::{Data, Sums, add, money, text};
use super::view::{Cell, Section, TableView, Tile, partner_cell};
use crate::domain::{Currency, Money, RowRef};

pub fn sections(data: &Data) -> Result<Vec<Section>, ReportError> {
    Ok(vec![earned(data)?, settled(data)?, discounts(data)?])
}

/// The component `earned` of each target of the period, as it was posted last.
pub fn totals<'d>(data: &'d Data, rows: impl Iterator<Item = RowRef<'d>>) -> Result<Vec<RowRef<'d>>, ReportError> {
    let mut latest: BTreeMap<[String; 4], (String, RowRef<'d>)> = BTreeMap::new();
    for row in rows {
        if row.text("component")? != "earned" || !data.is_earned_here(row)? {
            continue;
        }
        let key = ["partner_id", "scheme", "earning_period", "currency"].map(|column| text(row, column));
        let [partner, scheme, earning, currency] = key;
        let key = [partner?, scheme?, earning?, currency?];
        let posted = text(row, "period")?;
        if latest.get(&key).is_none_or(|(known, _)| *known <= posted) {
            latest.insert(key, (posted, row));
        }
    }
    Ok(latest.into_values().map(|(_, row)| row).collect())
}

fn earned(data: &Data) -> Result<Section, ReportError> {
    let intro = "What every scheme earned in the period to date, as it is booked; funds are set aside for claims.";
    let mut section = Section::new("earned", "Earned by scheme", intro);
    let mut sums: Sums<(String, String, Currency)> = Sums::new();
    let mut of_currency: Sums<Currency> = Sums::new();
    let mut partners: BTreeMap<(String, String, Currency), i64> = BTreeMap::new();
    for row in totals(data, data.rows("rebates"))? {
        let Some(amount) = money(row, "booked")? else { continue };
        let region = data.region_of(row.text("partner_id")?).to_owned();
        let key = (text(row, "scheme")?, region, amount.currency());
        if amount.minor_units() != 0 {
            *partners.entry(key.clone()).or_insert(0) += 1;
        }
        add(&mut sums, key, amount)?;
        add(&mut of_currency, amount.currency(), amount)?;
    }
    for (currency, sum) in &of_currency {
        section.tiles.push(Tile::new(currency.code(), sum.dec(), "earned"));
    }
    let mut table = TableView::new("Earned", &["scheme", "region", "currency", "#amount", "#partners"]);
    for ((scheme, region, currency), sum) in sums {
        let n = partners
            .get(&(scheme.clone(), region.clone(), currency))
            .copied()
            .unwrap_or(0);
        table.push([
            scheme.into(),
            region.into(),
            currency.code().into(),
            sum.dec().into(),
            n.into(),
        ]);
    }
    section.tables.push(table);
    section.tables.push(accounts(data)?);
    Ok(section)
}

/// Where what was earned in the period stands: accounts of the ledger, debit less credit turned so that what is owed is positive.
fn accounts(data: &Data) -> Result<TableView, ReportError> {
    const SHOWN: [&str; 6] = [
        "rebate_expense",
        "accrued_rebates",
        "rebates_on_hold",
        "partner_funds",
        "partner_payable",
        "partner_receivable",
    ];
    let mut sums: BTreeMap<(String, Currency), Sums<String>> = BTreeMap::new();
    for row in data.rows("ledger") {
        if !data.is_earned_here(row)? {
            continue;
        }
        let (Some(amount), account) = (money(row, "amount")?, text(row, "account")?) else {
            continue;
        };
        let is_settlement = matches!(row.text("reason")?, "payment" | "netting");
        if is_settlement || account == "settlement_clearing" {
            continue;
        }
        let amount = if account == "rebate_expense" {
            amount
        } else {
            amount.negated()
        };
        add(
            sums.entry((text(row, "scheme")?, amount.currency())).or_default(),
            account,
            amount,
        )?;
    }
    let mut table = TableView::new(
        "Earned against paid out: what of the expense is accrued, on hold, in funds, and owed or claimed back",
        &[
            "scheme",
            "currency",
            "#expense",
            "#accrued",
            "#on hold",
            "#in funds",
            "#settled",
            "#claimed back",
        ],
    );
    for ((scheme, currency), accounts) in sums {
        let mut row: Vec<Cell> = vec![scheme.into(), currency.code().into()];
        row.extend(SHOWN.map(|account| {
            let sum = accounts.get(account).copied().unwrap_or(Money::zero(currency));
            Cell::from(sum.dec())
        }));
        table.rows.push(row);
    }
    Ok(table)
}

fn settled(data: &Data) -> Result<Section, ReportError> {
    let intro = "Documents of the posting period; while it is open, what the next close would settle.";
    let mut section = Section::new("settled", "Settlement", intro);
    let states: BTreeMap<&str, RowRef<'_>> = data
        .rows("settlement_states")
        .filter_map(|row| Some((row.text("settlement_no").ok()?, row)))
        .collect();
    let mut table = TableView::new(
        "Documents",
        &["document", "partner", "currency", "#due", "#open", "state"],
    );
    for row in data
        .rows("settlements")
        .filter(|row| row.text("period").is_ok_and(|period| data.holds_end_of(period)))
    {
        let (no, id) = (row.text("settlement_no")?, row.text("partner_id")?);
        let state = states.get(no);
        let open = state.map(|row| money(*row, "open_amount")).transpose()?.flatten();
        table.push([
            no.into(),
            partner_cell(id),
            text(row, "currency")?.into(),
            money(row, "due_amount")?
                .map(|m| m.dec().to_string())
                .unwrap_or_default()
                .into(),
            open.map(|m| m.dec().to_string()).unwrap_or_default().into(),
            state
                .map(|row| text(*row, "state"))
                .transpose()?
                .unwrap_or_default()
                .into(),
        ]);
    }
    table.rows.sort_by(|a, b| a[0].text.cmp(&b[0].text));
    if !table.rows.is_empty() {
        section.tables.push(table);
    }
    let mut proposed: Sums<(String, Currency, String)> = Sums::new();
    for row in data.rows("settlement_proposals") {
        let kind = text(row, "kind")?;
        if matches!(kind.as_str(), "component" | "ahead") {
            continue;
        }
        if let Some(amount) = money(row, "amount")? {
            add(&mut proposed, (text(row, "period")?, amount.currency(), kind), amount)?;
        }
    }
    let mut table = TableView::new(
        "The first open posting period would settle",
        &["period", "currency", "what", "#amount"],
    );
    for ((period, currency, kind), sum) in proposed {
        table.push([
            period.into(),
            currency.code().into(),
            kind.replace('_', " ").into(),
            sum.dec().into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Funds of the period",
        &[
            "partner",
            "scheme",
            "currency",
            "#set aside",
            "#paid",
            "#open claims",
            "#lapsed",
            "#left",
            "until",
        ],
    );
    for row in data.rows("funds") {
        if !data.is_earned_here(row)? {
            continue;
        }
        let amount = |column| -> Result<Cell, ReportError> {
            Ok(money(row, column)?
                .map(|m| m.dec().to_string())
                .unwrap_or_default()
                .into())
        };
        table.push([
            partner_cell(row.text("partner_id")?),
            text(row, "scheme")?.into(),
            text(row, "currency")?.into(),
            amount("set_aside_amount")?,
            amount("payable_amount")?,
            amount("open_amount")?,
            amount("lapsed_amount")?,
            amount("available_amount")?,
            text(row, "claims_until_on")?.into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn discounts(data: &Data) -> Result<Section, ReportError> {
    let intro = "Sales of services whose discount is not the one that tier or stars allowed on the day.";
    let mut section = Section::new("discounts", "Discounts", intro);
    let mut sums: BTreeMap<(String, String, Currency), (i64, Money)> = BTreeMap::new();
    for row in data.rows("discount_checks") {
        let Some(leakage) = money(row, "leakage_amount")? else {
            continue;
        };
        let region = data.region_of(row.text("partner_id")?).to_owned();
        let key = (text(row, "verdict")?.replace('_', " "), region, leakage.currency());
        let sum = sums.entry(key).or_insert((0, Money::zero(leakage.currency())));
        *sum = (sum.0 + 1, sum.1.checked_add(leakage)?);
    }
    let mut table = TableView::new(
        "Over: given away beyond what was allowed; under: paid too much",
        &["verdict", "region", "currency", "#sales", "#leakage"],
    );
    for ((verdict, region, currency), (n, sum)) in sums {
        table.push([
            verdict.into(),
            region.into(),
            currency.code().into(),
            n.into(),
            sum.dec().into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

//! The page of one partner: rows of that partner, and of its peers nothing but quartiles.
//!
//! Duty: its sections. Must not: read a row of another partner; every table with partners is asked for this one alone.

use std::collections::BTreeMap;

use super::data::{Data, Sums, add, money, text};
use super::money::totals;
use super::overview::{in_words, shown, signed};
use super::pictures;
use super::view::{Cell, Section, TableView, Tile, percent};
use super::{ReportError, data};
use crate::domain::{Currency, RowRef};

pub fn sections(data: &Data, id: &str) -> Result<Vec<Section>, ReportError> {
    Ok(vec![
        standing(data, id)?,
        metrics(data, id)?,
        events(data, id)?,
        certification(data, id)?,
        money_of(data, id)?,
    ])
}

fn standing(data: &Data, id: &str) -> Result<Section, ReportError> {
    let mut section = Section::new("standing", "How it stands", "");
    let card = data
        .of("partner_scores", id)
        .find(|row| row.text("period") == Ok(&data.period));
    if let Some(card) = card {
        let or = |value: String, other: &str| if value.is_empty() { other.to_owned() } else { value };
        section.tiles = vec![
            Tile::new(
                "grade",
                or(text(card, "grade")?, "–"),
                text(card, "state")?.replace('_', " "),
            ),
            Tile::new("score", or(text(card, "final")?, "–"), "of 100"),
            Tile::new(
                "change",
                card.opt_dec("change")?.map_or("–".to_owned(), signed),
                "against the period before",
            ),
            Tile::new("deliveries", text(card, "completed_deliveries")?, "completed"),
        ];
        section.intro = format!("{id}, {}. {}", text(card, "region")?, text(card, "reason")?);
    }
    section.charts = pictures::of_partner(data, id)?;
    let mut table = TableView::new(
        "Domains",
        &[
            "domain",
            "grade",
            "#score",
            "#change",
            "#coverage %",
            "#share of the card",
            "state",
            "why",
        ],
    );
    for row in data.of("scores", id) {
        table.push([
            text(row, "domain")?.into(),
            text(row, "grade")?.into(),
            text(row, "final")?.into(),
            row.opt_dec("change")?.map(signed).unwrap_or_default().into(),
            text(row, "coverage")?.into(),
            row.opt_dec("card_share")?.map(percent).unwrap_or_default().into(),
            text(row, "state")?.replace('_', " ").into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "What changed; the parts add up to the change",
        &["of", "part", "#points"],
    );
    let mut parts: Vec<RowRef<'_>> = data.of("score_changes", id).collect();
    parts.sort_by_key(|row| {
        (
            row.text("domain") != Ok("*"),
            row.text("domain").unwrap_or_default(),
            row.text("part").unwrap_or_default(),
        )
    });
    for row in parts {
        let domain = text(row, "domain")?;
        table.push([
            if domain == "*" { "the card".to_owned() } else { domain }.into(),
            in_words(row.text("part")?).into(),
            signed(row.dec("points")?).into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

/// Quartiles of those under the same rules, by domain and figure.
type Quartiles = BTreeMap<(String, String), [String; 3]>;

fn quartiles(data: &Data, id: &str) -> Result<Quartiles, ReportError> {
    let card = data
        .of("partner_scores", id)
        .find(|row| row.text("period") == Ok(&data.period));
    let Some(card) = card else { return Ok(Quartiles::new()) };
    let rules = (text(card, "region")?, text(card, "rules_hash")?);
    let mut out = Quartiles::new();
    for row in data.rows("peer_figures") {
        if (text(row, "region")?, text(row, "rules_hash")?) != rules || row.text("period")? != data.period {
            continue;
        }
        let at = |column| -> Result<String, ReportError> { shown(row, column, 2) };
        let values = [at("lower_quartile")?, at("median")?, at("upper_quartile")?];
        out.insert((text(row, "domain")?, text(row, "figure")?), values);
    }
    Ok(out)
}

fn metrics(data: &Data, id: &str) -> Result<Section, ReportError> {
    let intro = "Result, score from 0 to 100, weight and points; of the peers under the same rules the quartiles, where there are \
                 eight or more.";
    let mut section = Section::new("metrics", "Metrics", intro);
    let peers = quartiles(data, id)?;
    let columns = [
        "domain",
        "metric",
        "state",
        "#n",
        "#result",
        "#score",
        "#weight",
        "#points",
        "#lower quartile",
        "#median",
        "#upper quartile",
        "why",
    ];
    let mut table = TableView::new("Metrics", &columns);
    for row in data.of("metrics", id) {
        let (domain, metric) = (text(row, "domain")?, text(row, "metric")?);
        let [low, median, high] = peers
            .get(&(domain.clone(), metric.clone()))
            .cloned()
            .unwrap_or_default();
        let why = [text(row, "reason")?, text(row, "note")?];
        table.push([
            domain.into(),
            metric.into(),
            text(row, "state")?.replace('_', " ").into(),
            text(row, "n")?.into(),
            shown(row, "raw", 4)?.into(),
            shown(row, "normalised", 2)?.into(),
            text(row, "effective_weight")?.into(),
            text(row, "points")?.into(),
            low.into(),
            median.into(),
            high.into(),
            why.into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join("; ")
                .into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn events(data: &Data, id: &str) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "events",
        "Key events and findings",
        "What added or deducted points, and what the checks found.",
    );
    let mut table = TableView::new(
        "Key events",
        &["event", "domain", "level", "direction", "status", "#points", "why"],
    );
    for row in data.of("key_event_points", id) {
        table.push([
            text(row, "code")?.replace('_', " ").into(),
            text(row, "domain")?.into(),
            text(row, "level")?.into(),
            text(row, "direction")?.into(),
            text(row, "status")?.into(),
            text(row, "points")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Findings of the authorisation check",
        &["check", "on", "product", "domain", "why"],
    );
    for row in data.of("authorisation_findings", id) {
        table.push([
            text(row, "check")?.replace('_', " ").into(),
            text(row, "occurred_on")?.into(),
            text(row, "product_id")?.into(),
            text(row, "domain")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Discounts other than allowed",
        &["sale", "on", "allowed by", "#allowed", "#given", "#leakage", "currency"],
    );
    for row in data.of("discount_checks", id) {
        table.push([
            text(row, "order_line_id")?.into(),
            text(row, "ordered_on")?.into(),
            text(row, "allowed_by")?.into(),
            percent(row.dec("allowed_rate")?).into(),
            percent(row.dec("discount_rate")?).into(),
            money(row, "leakage_amount")?
                .map(|m| m.dec().to_string())
                .unwrap_or_default()
                .into(),
            text(row, "currency")?.into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn certification(data: &Data, id: &str) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "certification",
        "Certification",
        "Certifications, what the review recommends, and what the next star asks for.",
    );
    let mut table = TableView::new("Certifications", &["domain", "#stars", "from", "until", "status"]);
    for row in data.of("effective_certifications", id) {
        table.push([
            text(row, "domain")?.into(),
            text(row, "stars")?.into(),
            text(row, "valid_from")?.into(),
            text(row, "valid_to")?.into(),
            text(row, "status")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Reviews",
        &["domain", "occasion", "recommended", "#stars", "why", "decided"],
    );
    for row in data.of("reviews", id) {
        table.push([
            text(row, "domain")?.into(),
            text(row, "occasion")?.into(),
            text(row, "recommendation")?.into(),
            text(row, "recommended_stars")?.into(),
            text(row, "reason")?.into(),
            text(row, "decision")?.into(),
        ]);
    }
    section.tables.push(table);
    // the columns of the criteria are shown as the release has them
    let criteria = data.table("review_criteria");
    let names: Vec<&str> = criteria
        .columns()
        .iter()
        .map(String::as_str)
        .filter(|name| !matches!(*name, "partner_id" | "period" | "region"))
        .collect();
    let mut table = TableView::new("Criteria", &names);
    for head in &mut table.columns {
        head.name = head.name.replace('_', " ");
    }
    for row in data.of("review_criteria", id) {
        let cells: Result<Vec<Cell>, ReportError> = names.iter().map(|name| Ok(Cell::from(text(row, name)?))).collect();
        table.rows.push(cells?);
    }
    section.tables.push(table);
    Ok(section)
}

fn money_of(data: &Data, id: &str) -> Result<Section, ReportError> {
    let intro = "What each scheme earned in the period, step by step; what lies ahead; funds, claims and documents.";
    let mut section = Section::new("money", "Money", intro);
    let mut sums: Sums<(String, Currency)> = Sums::new();
    for row in totals(data, data.of("rebates", id))? {
        if let Some(amount) = money(row, "booked")? {
            add(&mut sums, (text(row, "scheme")?, amount.currency()), amount)?;
        }
    }
    for ((scheme, currency), amount) in sums {
        section.tiles.push(Tile::new(&scheme, amount.dec(), currency.code()));
    }
    let mut table = TableView::new(
        "Steps of what was earned",
        &[
            "scheme", "of", "domain", "step", "#basis", "#rate", "#factor", "#amount", "#lines", "why",
        ],
    );
    let posted = totals(data, data.of("rebates", id))?;
    let key = |row| -> Result<_, ReportError> { Ok((text(row, "scheme")?, text(row, "earning_period")?)) };
    let posted: BTreeMap<(String, String), String> = posted
        .into_iter()
        .map(|row| Ok((key(row)?, text(row, "period")?)))
        .collect::<Result<_, ReportError>>()?;
    for row in data.of("rebates", id) {
        let of = key(row)?;
        if posted.get(&of) != Some(&text(row, "period")?) {
            continue;
        }
        let (scheme, earning) = of;
        table.push([
            scheme.into(),
            earning.into(),
            text(row, "domain")?.into(),
            text(row, "component")?.into(),
            shown(row, "basis", 4)?.into(),
            row.opt_dec("rate")?.map(percent).unwrap_or_default().into(),
            shown(row, "factor", 4)?.into(),
            shown(row, "amount", 12)?.into(),
            text(row, "lines")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "What lies ahead",
        &[
            "scheme", "of", "what", "#reached", "#limit", "#missing", "#rate", "unit",
        ],
    );
    for row in data.of("headroom", id) {
        if !data.is_earned_here(row)? {
            continue;
        }
        let unit = if row.text("unit")? == "money" {
            text(row, "currency")?
        } else {
            text(row, "unit")?
        };
        table.push([
            text(row, "scheme")?.into(),
            text(row, "earning_period")?.into(),
            text(row, "kind")?.replace('_', " ").into(),
            shown(row, "reached", 4)?.into(),
            shown(row, "limit", 4)?.into(),
            shown(row, "missing", 4)?.into(),
            row.opt_dec("rate")?.map(percent).unwrap_or_default().into(),
            unit.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "Claims on funds",
        &[
            "claim",
            "scheme",
            "of",
            "#claimed",
            "#approved",
            "#paid",
            "currency",
            "state",
            "why",
        ],
    );
    for row in data.of("claim_states", id) {
        let amount = |column| -> Result<Cell, ReportError> {
            Ok(money(row, column)?
                .map(|m| m.dec().to_string())
                .unwrap_or_default()
                .into())
        };
        table.push([
            text(row, "claim_id")?.into(),
            text(row, "scheme")?.into(),
            text(row, "earning_period")?.into(),
            amount("claimed_amount")?,
            amount("approved_amount")?,
            amount("payable_amount")?,
            text(row, "currency")?.into(),
            text(row, "state")?.into(),
            text(row, "reason")?.into(),
        ]);
    }
    section.tables.push(table);
    let mut table = TableView::new("Documents", &["document", "period", "#due", "currency", "issued on"]);
    for row in data.of("settlements", id) {
        table.push([
            text(row, "settlement_no")?.into(),
            text(row, "period")?.into(),
            data::money(row, "due_amount")?
                .map(|m| m.dec().to_string())
                .unwrap_or_default()
                .into(),
            text(row, "currency")?.into(),
            text(row, "issued_on")?.into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

//! The pictures of a partner's page: the same charts as in its scorecard.
//!
//! Duty: which published figures they show, and what they say in words. Not its duty: drawing (`charts`), any figure.

use std::collections::BTreeMap;

use super::ReportError;
use super::data::{Data, text};
use super::overview::{in_words, shown, signed};
use super::view::{Chart, PAINT};
use crate::charts::card::{self, Bar, Part, Point};
use crate::domain::{Dec, Ratio, RowRef};

/// Periods of the trend.
const TREND: usize = 8;
/// Bars of progress.
const MOST_BARS: usize = 8;

/// Trend of the score, what changed it, what is on the way.
pub fn of_partner(data: &Data, id: &str) -> Result<Vec<Chart>, ReportError> {
    let all = [trend(data, id)?, changes(data, id)?, progress(data, id)?];
    Ok(all
        .into_iter()
        .flatten()
        .map(|chart| Chart::new(&chart.svg, chart.alt))
        .collect())
}

fn trend(data: &Data, id: &str) -> Result<Option<card::Chart>, ReportError> {
    let mut finals: BTreeMap<String, Option<Dec>> = BTreeMap::new();
    for row in data.of("partner_scores", id) {
        let period = text(row, "period")?;
        if period <= data.period {
            finals.insert(period, row.opt_dec("final")?);
        }
    }
    let point = |(period, score): (String, Option<Dec>)| Point {
        period,
        score,
        text: score.map(|s| s.to_string()).unwrap_or_default(),
    };
    let points: Vec<Point> = finals.into_iter().map(point).collect();
    let points = &points[points.len().saturating_sub(TREND)..];
    let says = points.iter().map(|p| match p.score {
        Some(_) => format!("{} {}", p.period, p.text),
        None => format!("{} not rated", p.period),
    });
    let alt = format!("Score of the card by period: {}.", says.collect::<Vec<_>>().join(", "));
    Ok(card::trend("Score over periods", points, alt, &PAINT))
}

/// The card's score of the period before, and what led to the present one.
fn changes(data: &Data, id: &str) -> Result<Option<card::Chart>, ReportError> {
    let Some(row) = data
        .of("partner_scores", id)
        .find(|row| row.text("period") == Ok(&data.period))
    else {
        return Ok(None);
    };
    let (Some(before), Some(now)) = (row.opt_dec("previous_final")?, row.opt_dec("final")?) else {
        return Ok(None);
    };
    let mut parts = Vec::new();
    let mut rows: Vec<RowRef<'_>> = data
        .of("score_changes", id)
        .filter(|row| row.text("domain") == Ok("*"))
        .collect();
    rows.sort_by_key(|row| row.text("part").unwrap_or_default());
    for row in rows {
        let points = row.dec("points")?;
        parts.push(Part {
            label: in_words(row.text("part")?),
            points,
            text: signed(points),
        });
    }
    let end = |label: &str, points: Dec| Part {
        label: label.to_owned(),
        points,
        text: points.to_string(),
    };
    let says: Vec<String> = parts.iter().map(|p| format!("{} {}", p.label, p.text)).collect();
    let alt = format!("From {before} to {now}: {}.", says.join(", "));
    let ends = [end("the period before", before), end(&data.period, now)];
    Ok(card::waterfall("What changed the score", &ends, &parts, alt, &PAINT))
}

/// Criteria of the next star by domain, and what was sold on the way to the next band.
fn progress(data: &Data, id: &str) -> Result<Option<card::Chart>, ReportError> {
    let mut criteria: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in data.of("review_criteria", id) {
        let of_star = matches!(row.text("group_name")?, "next_star" | "upgrade");
        // the criteria of the star stand one by one
        if row.text("period")? == data.period && of_star && row.text("criterion")? != "next_star_criteria" {
            let (met, asked) = criteria.entry(text(row, "domain")?).or_default();
            *met += i64::from(row.text("state")? == "met");
            *asked += 1;
        }
    }
    let mut bars = Vec::new();
    for (domain, (met, asked)) in criteria {
        let label = format!("{domain}: {met} of {asked} criteria of the next star");
        bars.push(bar(label, &Ratio::int(met), &Ratio::int(asked)));
    }
    for row in data.of("headroom", id) {
        if row.text("kind")? == "next_band" && data.is_earned_here(row)? {
            let unit = if row.text("unit")? == "money" {
                "currency"
            } else {
                "unit"
            };
            let label = format!(
                "{} {}: {} of {} {}",
                text(row, "scheme")?,
                text(row, "earning_period")?,
                shown(row, "reached", 2)?,
                shown(row, "limit", 2)?,
                text(row, unit)?
            );
            bars.push(bar(label, &row.ratio("reached")?, &row.ratio("limit")?));
        }
    }
    bars.truncate(MOST_BARS);
    let says: Vec<String> = bars.iter().map(|bar| format!("{} ({})", bar.label, bar.text)).collect();
    let alt = format!("On the way: {}.", says.join("; "));
    Ok(card::progress(
        "On the way to the next star and band",
        &bars,
        alt,
        &PAINT,
    ))
}

/// Whole percent, cut.
fn bar(label: String, part: &Ratio, whole: &Ratio) -> Bar {
    let share = part.checked_div(whole).unwrap_or_else(Ratio::zero);
    let percent = (&share * &Ratio::int(100)).round(0, crate::domain::Rounding::Down);
    let percent = percent
        .and_then(|p| i64::try_from(p.units()).ok())
        .unwrap_or(0)
        .clamp(0, 100);
    Bar {
        label,
        percent,
        text: format!("{percent} %"),
    }
}

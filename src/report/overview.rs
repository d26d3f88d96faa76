//! How the partners stand: counts, grades, movers, metrics, satisfaction, findings, reviews.
//!
//! Duty: sections from scores, metrics and findings. Not its duty: money, data quality.

use std::collections::BTreeMap;

use super::ReportError;
use super::data::{Data, counted, hundredths, text};
use super::view::{Cell, Chart, PAINT, Section, TableView, Tile, partner_cell, percent, trimmed};
use crate::charts::figures::{self, Point};
use crate::domain::{Dec, Ratio, Rounding, RowRef};

const GRADES: [&str; 5] = ["A", "B", "C", "D", "E"];
/// Partners that moved most, on each side.
const MOVERS: usize = 12;

pub fn sections(data: &Data) -> Result<Vec<Section>, ReportError> {
    Ok(vec![
        standing(data)?,
        movers(data)?,
        metrics(data)?,
        satisfaction(data)?,
        findings(data)?,
        reviews(data)?,
    ])
}

fn standing(data: &Data) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "standing",
        "How partners stand",
        "Cards of the period, over all domains of a partner.",
    );
    let states = counted(
        data.scores_of_period()
            .filter_map(|row| row.text("state").ok().map(str::to_owned)),
    );
    let of = |state: &str| states.get(state).copied().unwrap_or(0);
    let all: i64 = states.values().sum();
    section.tiles = vec![
        Tile::new("partners", all, "with a region in the period"),
        Tile::new("rated", of("rated"), ""),
        Tile::new("provisional", of("provisional"), "on thin evidence"),
        Tile::new("not rated", of("not_rated"), "too little to say anything"),
    ];
    let grade_of = |row: RowRef<'_>| row.opt_text("grade").ok().flatten().unwrap_or("not rated").to_owned();
    let grades = counted(data.scores_of_period().map(grade_of));
    let bars: Vec<(String, i64)> = GRADES
        .into_iter()
        .chain(["not rated"])
        .map(|grade| (grade.to_owned(), grades.get(grade).copied().unwrap_or(0)))
        .collect();
    section.charts.push(Chart::new(
        &figures::columns("Partners by grade", &bars, &PAINT),
        "Partners by grade; the numbers by region stand below.".to_owned(),
    ));
    let mut by_region: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in data.scores_of_period() {
        let region = by_region.entry(row.text("region")?.to_owned()).or_default();
        *region.entry(grade_of(row)).or_insert(0) += 1;
    }
    let mut table = TableView::new(
        "Grades by region",
        &["region", "#A", "#B", "#C", "#D", "#E", "#not rated", "#partners"],
    );
    for (region, grades) in by_region {
        let n = |grade: &str| grades.get(grade).copied().unwrap_or(0);
        table.push([
            region.into(),
            n("A").into(),
            n("B").into(),
            n("C").into(),
            n("D").into(),
            n("E").into(),
            n("not rated").into(),
            grades.values().sum::<i64>().into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn movers(data: &Data) -> Result<Section, ReportError> {
    let intro = "Against the period before, with the part of the change that weighs most; a change of rules is a part of its own.";
    let mut section = Section::new("movers", "Who moved", intro);
    let mut changes: Vec<(Dec, RowRef<'_>)> = Vec::new();
    for row in data.scores_of_period() {
        if let Some(change) = row.opt_dec("change")?.filter(|c| c.units() != 0) {
            changes.push((change, row));
        }
    }
    changes.sort_by(|a, b| (a.0, a.1.text("partner_id").ok()).cmp(&(b.0, b.1.text("partner_id").ok())));
    let down: Vec<&(Dec, RowRef<'_>)> = changes
        .iter()
        .take_while(|(c, _)| *c < Dec::ZERO)
        .take(MOVERS)
        .collect();
    let up: Vec<&(Dec, RowRef<'_>)> = changes
        .iter()
        .rev()
        .take_while(|(c, _)| *c > Dec::ZERO)
        .take(MOVERS)
        .collect();
    for (caption, movers) in [("Moved up most", up), ("Moved down most", down)] {
        let mut table = TableView::new(
            caption,
            &[
                "partner",
                "name",
                "region",
                "grade",
                "#score",
                "#before",
                "#change",
                "most of it",
            ],
        );
        for (change, row) in movers {
            let id = row.text("partner_id")?;
            table.push([
                partner_cell(id),
                data.name_of(id).into(),
                text(*row, "region")?.into(),
                text(*row, "grade")?.into(),
                text(*row, "final")?.into(),
                text(*row, "previous_final")?.into(),
                signed(*change).into(),
                most_of_it(data, id, *change)?.into(),
            ]);
        }
        section.tables.push(table);
    }
    Ok(section)
}

pub fn signed(change: Dec) -> String {
    if change > Dec::ZERO {
        format!("+{change}")
    } else {
        change.to_string()
    }
}

/// The part of a card's change with its sign and the largest amount.
fn most_of_it(data: &Data, id: &str, change: Dec) -> Result<String, ReportError> {
    let mut most: Option<(Dec, String)> = None;
    for row in data.of("score_changes", id).filter(|row| row.text("domain") == Ok("*")) {
        let points = row.dec("points")?;
        let is_alike = (points > Dec::ZERO) == (change > Dec::ZERO);
        let is_more = |known: &Dec| {
            if change > Dec::ZERO {
                points > *known
            } else {
                points < *known
            }
        };
        if is_alike && most.as_ref().is_none_or(|(known, _)| is_more(known)) {
            most = Some((points, row.text("part")?.to_owned()));
        }
    }
    Ok(most.map_or_else(String::new, |(points, part)| {
        format!("{} ({})", in_words(&part), signed(points))
    }))
}

/// A part of a change in words.
pub fn in_words(part: &str) -> String {
    match part.split_once(':') {
        Some(("value", name)) => format!("result of {name}"),
        Some(("weight", name)) => format!("weight of {name}"),
        _ => match part {
            "rules" => "change of rules".to_owned(),
            "late_facts" => "facts that came late".to_owned(),
            "events" => "key events".to_owned(),
            "clamp" => "held in 0 to 100".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn metrics(data: &Data) -> Result<Section, ReportError> {
    let intro = "Points of each metric over partners and domains, in steps of ten; only where the metric counts.";
    let mut section = Section::new("metrics", "Metrics", intro);
    let mut steps: BTreeMap<String, [i64; 10]> = BTreeMap::new();
    let mut states: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in data.rows("metrics") {
        let name = row.text("metric")?.to_owned();
        *states
            .entry(name.clone())
            .or_default()
            .entry(row.text("state")?.to_owned())
            .or_insert(0) += 1;
        if let Some(points) = row.opt_dec("normalised")? {
            let step = usize::try_from(hundredths(trimmed_to_two(points)) / 1000)
                .unwrap_or(0)
                .min(9);
            steps.entry(name).or_insert([0; 10])[step] += 1;
        }
    }
    let mut columns = vec!["metric".to_owned()];
    columns.extend((0..10).map(|i| format!("#{} to {}", i * 10, i * 10 + 10)));
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut table = TableView::new("Scores of metrics, number of partner × domain", &names);
    for (name, counts) in &steps {
        let bars: Vec<(String, i64)> = counts
            .iter()
            .zip((0..10).map(|i| (i * 10).to_string()))
            .map(|(n, label)| (label, *n))
            .collect();
        section.charts.push(Chart::new(
            &figures::columns(name, &bars, &PAINT),
            format!("{name}: from 0 to 100 in steps of ten"),
        ));
        let mut row: Vec<Cell> = vec![name.as_str().into()];
        row.extend(counts.iter().map(|n| Cell::from(*n)));
        table.rows.push(row);
    }
    section.tables.push(table);
    let mut table = TableView::new(
        "What the metrics rest on",
        &[
            "metric",
            "#rated",
            "#provisional",
            "#insufficient",
            "#not applicable",
            "#incomplete",
        ],
    );
    for (name, states) in states {
        let n = |state: &str| Cell::from(states.get(state).copied().unwrap_or(0));
        table.push([
            name.into(),
            n("rated"),
            n("provisional"),
            n("insufficient"),
            n("not_applicable"),
            n("incomplete"),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn trimmed_to_two(value: Dec) -> Dec {
    value.ratio().round(2, Rounding::Floor).unwrap_or(value)
}

fn satisfaction(data: &Data) -> Result<Section, ReportError> {
    let intro = "Satisfied share of every partner and domain against the number of answers. Between the lines lies what chance \
                 alone would leave of equal partners, 95 and 99.8 of 100; a cross lies outside.";
    let mut section = Section::new("satisfaction", "Satisfaction by sample size", intro);
    let (mut points, mut rows) = (Vec::new(), Vec::new());
    let (mut weighted, mut answers) = (Ratio::zero(), 0_i64);
    for row in data
        .rows("metrics")
        .filter(|row| row.text("metric") == Ok("satisfaction"))
    {
        let (n, Some(share)) = (row.int("n")?, row.opt_dec("raw")?) else {
            continue;
        };
        let at = share
            .rescale(4)
            .or_else(|| share.ratio().round(4, Rounding::HalfAwayFromZero));
        let point = Point {
            n,
            share: at.and_then(|dec| i64::try_from(dec.units()).ok()).unwrap_or(0),
        };
        weighted = &weighted + &(&share.ratio() * &Ratio::int(n));
        answers = answers.saturating_add(n);
        points.push(point);
        rows.push((point, row));
    }
    let centre = weighted
        .checked_div(&Ratio::int(answers))
        .and_then(|mean| mean.round(4, Rounding::HalfAwayFromZero));
    let Some(centre) = centre else {
        "Nobody answered in this period.".clone_into(&mut section.intro);
        return Ok(section);
    };
    let middle = i64::try_from(centre.units()).unwrap_or(0);
    section.tiles = vec![
        Tile::new("satisfied", percent(centre), "of all answers"),
        Tile::new("answers", answers, format!("on {} partner × domain", points.len())),
    ];
    section.charts.push(Chart::new(
        &figures::funnel("Satisfaction by number of answers", middle, &points, &PAINT),
        "Those outside 99.8 of 100 stand below.".to_owned(),
    ));
    let mut table = TableView::new(
        "Outside what chance would leave",
        &["partner", "name", "domain", "#answers", "#satisfied", "side"],
    );
    for (point, row) in rows
        .into_iter()
        .filter(|(point, _)| figures::is_outside(middle, *point))
    {
        let id = row.text("partner_id")?;
        table.push([
            partner_cell(id),
            data.name_of(id).into(),
            text(row, "domain")?.into(),
            point.n.into(),
            format!("{} %", figures::tenths(point.share)).into(),
            if point.share < middle { "below" } else { "above" }.into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn findings(data: &Data) -> Result<Section, ReportError> {
    let intro = "What the authorisation check found, key events that counted, and partners under a red line.";
    let mut section = Section::new("findings", "Findings and red lines", intro);
    let found = counted(data.rows("authorisation_findings").filter_map(|row| {
        let region = data.region_of(row.text("partner_id").ok()?).to_owned();
        Some((row.text("check").ok()?.to_owned(), region))
    }));
    let mut table = TableView::new("Findings of the authorisation check", &["check", "region", "#findings"]);
    for ((check, region), n) in found {
        table.push([check.replace('_', " ").into(), region.into(), n.into()]);
    }
    section.tables.push(table);
    let events = counted(data.rows("key_event_points").filter_map(|row| {
        Some((
            row.text("code").ok()?.to_owned(),
            row.text("direction").ok()?.to_owned(),
            row.text("status").ok()?.to_owned(),
        ))
    }));
    let mut table = TableView::new("Key events", &["event", "direction", "status", "#events"]);
    for ((code, direction, status), n) in events {
        table.push([code.replace('_', " ").into(), direction.into(), status.into(), n.into()]);
    }
    section.tables.push(table);
    let mut table = TableView::new("Partners under a red line", &["partner", "name", "state", "until"]);
    for row in data.scores_of_period() {
        let state = text(row, "red_line_state")?;
        if state.is_empty() || state == "none" {
            continue;
        }
        let id = row.text("partner_id")?;
        table.push([
            partner_cell(id),
            data.name_of(id).into(),
            state.into(),
            text(row, "red_line_until")?.into(),
        ]);
    }
    section.tables.push(table);
    Ok(section)
}

fn reviews(data: &Data) -> Result<Section, ReportError> {
    let mut section = Section::new("reviews", "Certification reviews", "Recommendations; a person decides.");
    let mut table = TableView::new(
        "Recommendations other than to keep",
        &["partner", "name", "domain", "#stars", "recommended", "why", "decided"],
    );
    let mut kept = 0;
    for row in data.rows("reviews") {
        let recommendation = text(row, "recommendation")?;
        if recommendation == "keep" {
            kept += 1;
            continue;
        }
        let id = row.text("partner_id")?;
        table.push([
            partner_cell(id),
            data.name_of(id).into(),
            text(row, "domain")?.into(),
            text(row, "stars")?.into(),
            recommendation.into(),
            text(row, "reason")?.into(),
            text(row, "decision")?.into(),
        ]);
    }
    section
        .tiles
        .push(Tile::new("keep", kept, "recommended to keep their stars"));
    section.tables.push(table);
    Ok(section)
}

/// All partners, with links to their pages.
pub fn partners(data: &Data) -> Result<Section, ReportError> {
    let mut section = Section::new(
        "partners",
        "Partners",
        "Every partner of the period; its page has metrics, events and money.",
    );
    let mut table = TableView::new(
        "Partners",
        &[
            "partner",
            "name",
            "region",
            "state",
            "grade",
            "#score",
            "#change",
            "#deliveries",
            "red line",
        ],
    );
    for row in data.scores_of_period() {
        let id = row.text("partner_id")?;
        table.push([
            partner_cell(id),
            data.name_of(id).into(),
            text(row, "region")?.into(),
            text(row, "state")?.replace('_', " ").into(),
            text(row, "grade")?.into(),
            text(row, "final")?.into(),
            row.opt_dec("change")?.map(signed).unwrap_or_default().into(),
            text(row, "completed_deliveries")?.into(),
            text(row, "red_line_state")?.into(),
        ]);
    }
    table.rows.sort_by(|a, b| a[0].text.cmp(&b[0].text));
    section.tables.push(table);
    Ok(section)
}

/// A published ratio for people.
pub fn shown(row: RowRef<'_>, column: &str, places: u8) -> Result<String, ReportError> {
    Ok(row.opt_dec(column)?.map(|dec| trimmed(dec, places)).unwrap_or_default())
}

//! A programme's own metrics: `[metrics.<name>]`.
//!
//! Duty: read a rule over the columns of a measure: formula, observations, missing data, the map to 0…100, labels.
//! Not its duty: whether the measure has those columns (the configuration is checked as a whole), values (evaluation).

use std::collections::BTreeMap;

use super::formula::Formula;
use super::leaf::{Out, Within, bare_decimal};
use super::metric_id::MetricName;
use super::metrics::read_knots;
use super::model::{Direction, Label, Missing, Normalise, OwnMetric, Step};
use super::read::{MAX_COUNT, plain};
use super::section::Section;
use super::tree::{Item, Node};
use crate::domain::Ratio;

/// The maps to 0…100, of which a metric has exactly one.
const MAPS: [&str; 5] = ["knots", "steps", "linear", "penalty", "look_up"];

const MISSING: [(&str, Missing); 3] = [
    ("not_applicable", Missing::NotApplicable),
    ("insufficient", Missing::Insufficient),
    ("zero", Missing::Zero),
];

/// All metrics of the section `[metrics]`; empty where there is none, `None` with findings.
pub(super) fn read_own(out: &mut Out, top: &mut Section<'_>) -> Option<BTreeMap<MetricName, OwnMetric>> {
    let Some(item) = top.get("metrics") else {
        return Some(BTreeMap::new());
    };
    let mut section = Section::open(out, top.at("metrics"), item)?;
    let (mut metrics, mut sound) = (BTreeMap::new(), true);
    for key in section.keys() {
        let Some(entry) = section.get(key) else { continue };
        let path = section.at(key);
        let Some(name) = MetricName::new(key) else {
            let message = format!("\"{key}\" cannot name a metric");
            let remedy =
                "write small letters, digits and underscores, a letter first, and no name of a built-in metric";
            out.error(&entry.origin, &path, "rules.metric", message, remedy);
            sound = false;
            continue;
        };
        match Section::open(out, path, entry).and_then(|s| read_metric(out, s, name)) {
            Some(metric) => drop(metrics.insert(name, metric)),
            None => sound = false,
        }
    }
    sound.then_some(metrics)
}

fn read_metric(out: &mut Out, mut s: Section<'_>, name: MetricName) -> Option<OwnMetric> {
    let origin = s.origin.place(&s.path);
    let title = s.text(out, "title", "\"Repair efficiency\"").map(str::to_owned);
    let weight = s.ratio(out, "weight", Within::Hundred);
    let measure = s.text(out, "measure", "\"repairs\"").map(str::to_owned);
    let value = read_formula(out, &mut s, "formula", "\"sum(on_time) / sum(repaired)\"");
    let observations = read_formula(out, &mut s, "observations", "\"sum(repaired)\"");
    let better = [
        ("higher", Direction::Higher),
        ("lower", Direction::Lower),
        ("target", Direction::Target),
    ];
    let direction = s.choice(out, "better", &better);
    let without_rows = s.choice(out, "without_rows", &MISSING);
    let denominators: Vec<String> = [&value, &observations]
        .into_iter()
        .flatten()
        .flat_map(|formula| formula.denominators.clone())
        .collect();
    let without_denominator = read_without_denominator(out, &mut s, &denominators);
    let insufficient_below = s.count(out, "insufficient_below", 0..=MAX_COUNT);
    let provisional_below = s.count(out, "provisional_below", 0..=MAX_COUNT);
    let decimals = s.get("decimals").map(|_| s.count::<u8>(out, "decimals", 0..=12));
    let normalise = read_map(out, &mut s);
    let labels = read_labels(out, &mut s);
    let runs = check_direction(out, &s, direction, normalise.as_ref());
    s.finish(out);
    let decimals = match decimals {
        Some(read) => Some(read?),
        None => None,
    };
    let metric = OwnMetric {
        name,
        title: title?,
        weight: weight?,
        measure: measure?,
        value: value?,
        observations: observations?,
        direction: direction?,
        without_rows: without_rows?,
        without_denominator: without_denominator?,
        insufficient_below: insufficient_below?,
        provisional_below: provisional_below?,
        decimals,
        normalise: normalise?,
        labels: labels?,
        origin,
    };
    runs.then_some(metric)
}

fn read_formula(out: &mut Out, s: &mut Section<'_>, key: &str, example: &str) -> Option<Formula> {
    let text = s.text(out, key, example)?;
    match Formula::parse(text) {
        Ok(formula) => Some(formula),
        Err(error) => {
            let remedy = error.remedy.clone();
            out.error(
                s.origin_of(key),
                &s.at(key),
                "rules.formula",
                format!("\"{text}\": {error}"),
                &remedy,
            );
            None
        }
    }
}

/// What holds when a denominator is zero; mandatory exactly where one can be.
#[expect(clippy::option_option, reason = "what is not declared is no mistake")]
fn read_without_denominator(out: &mut Out, s: &mut Section<'_>, denominators: &[String]) -> Option<Option<Missing>> {
    const KEY: &str = "without_denominator";
    let there = s.get(KEY).is_some();
    if denominators.is_empty() {
        if there {
            let remedy = "remove the key";
            let message = "no division of this metric can be by zero".to_owned();
            out.error(s.origin_of(KEY), &s.at(KEY), "rules.formula", message, remedy);
            return None;
        }
        return Some(None);
    }
    if !there {
        let message = format!(
            "the division by {} can be by zero, and nothing says what holds then",
            denominators.join(" and by ")
        );
        let remedy = format!("add to [{}]: {KEY} = \"not_applicable\" or \"insufficient\"", s.path);
        out.error(
            s.origin_of("formula"),
            &s.at("formula"),
            "rules.formula",
            message,
            &remedy,
        );
        return None;
    }
    s.choice(out, KEY, &MISSING[..2]).map(Some)
}

fn read_map(out: &mut Out, s: &mut Section<'_>) -> Option<Normalise> {
    let there: Vec<&str> = MAPS.into_iter().filter(|key| s.get(key).is_some()).collect();
    let [map] = there.as_slice() else {
        let message = match there.len() {
            0 => "nothing says how the value becomes points".to_owned(),
            _ => format!("{} say how the value becomes points", there.join(" and ")),
        };
        let remedy = format!("write exactly one of: {}", MAPS.join(", "));
        out.error(s.origin, &s.path, "rules.metric", message, &remedy);
        return None;
    };
    match *map {
        "knots" => read_knots(out, s).map(Normalise::Knots),
        "steps" => read_steps(out, s),
        "linear" => {
            let mut row = s.section(out, "linear")?;
            let slope = row.ratio(out, "slope", Within::Any);
            let offset = row.ratio(out, "offset", Within::Any);
            row.finish(out);
            Some(Normalise::Linear {
                slope: slope?,
                offset: offset?,
            })
        }
        "penalty" => {
            let mut row = s.section(out, "penalty")?;
            let start = row.ratio(out, "start", Within::Hundred);
            let each = row.ratio(out, "each", Within::NotNegative);
            let at_most = row.ratio(out, "at_most", Within::Hundred);
            row.finish(out);
            Some(Normalise::Penalty {
                start: start?,
                each: each?,
                at_most: at_most?,
            })
        }
        _ => read_look_up(out, s),
    }
}

/// Steps by lower edge (`from`) or by upper edge (`up_to`); together they cover every value.
fn read_steps(out: &mut Out, s: &mut Section<'_>) -> Option<Normalise> {
    let item = s.get("steps")?;
    let path = s.at("steps");
    let edges = read_edges(out, &path, item, "points")?;
    let mut steps = Vec::new();
    for (edge, value, item) in edges.rows {
        let points = bare_decimal(out, &path, value, Within::Hundred)?;
        note(out, &path, steps.len(), item, &edges.by, edge.as_ref(), &plain(&points));
        steps.push(Step { edge, points });
    }
    Some(Normalise::Steps {
        from_below: edges.from_below,
        steps,
    })
}

/// Names of bands of the points; empty where there are none.
fn read_labels(out: &mut Out, s: &mut Section<'_>) -> Option<Vec<Label>> {
    let Some(item) = s.get("labels") else {
        return Some(Vec::new());
    };
    let path = s.at("labels");
    let edges = read_edges(out, &path, item, "label")?;
    let mut labels = Vec::new();
    for (edge, value, item) in edges.rows {
        let Node::Text(text) = &value.node else {
            out.wrong_type(value, &path, "text in quotes", "write label = \"Excellent\"");
            return None;
        };
        note(out, &path, labels.len(), item, &edges.by, edge.as_ref(), text);
        labels.push(Label {
            from_below: edges.from_below,
            edge,
            label: text.clone(),
        });
    }
    Some(labels)
}

fn note(out: &mut Out, path: &str, i: usize, item: &Item, by: &str, edge: Option<&Ratio>, value: &str) {
    let edge = edge.map_or_else(|| "any other".to_owned(), plain);
    out.note(
        &format!("{path}[{i:02}]"),
        item,
        format!("{by} {edge}: {value}"),
        format!("{by} {edge} {value}"),
    );
}

/// Rows with an edge and a value.
struct Edges<'a> {
    /// The edges are lower ones.
    from_below: bool,
    by: String,
    rows: Vec<(Option<Ratio>, &'a Item, &'a Item)>,
}

/// A list of `{ from, key }` that ascends, its first row without an edge or the lowest; or of `{ up_to, key }` that
/// ascends, its last row without an edge. The row without an edge holds for every other value.
fn read_edges<'a>(out: &mut Out, path: &str, item: &'a Item, key: &str) -> Option<Edges<'a>> {
    let remedy = format!(
        "write rows that ascend: [{{ {key} = … }}, {{ from = \"50\", {key} = … }}], or the same with up_to and the row without an edge last"
    );
    let Node::List(items) = &item.node else {
        out.wrong_type(item, path, "a list of rows", &remedy);
        return None;
    };
    let has = |edge: &str| {
        items
            .iter()
            .any(|row| row.entries().is_some_and(|e| e.contains_key(edge)))
    };
    let from_below = has("from");
    let by = if from_below { "from" } else { "up_to" };
    let mut rows = Vec::new();
    for (i, row) in items.iter().enumerate() {
        let mut section = Section::open(out, format!("{path}[{i}]"), row)?;
        let edge = match section.get(by) {
            Some(edge) => Some(bare_decimal(out, &section.at(by), edge, Within::Any)?),
            None => None,
        };
        let value = section.need(out, key, "…")?;
        section.finish(out);
        rows.push((edge, value, row));
    }
    let open = if from_below { 0 } else { items.len().wrapping_sub(1) };
    let edges: Vec<&Ratio> = rows.iter().filter_map(|(edge, _, _)| edge.as_ref()).collect();
    let problem = if items.len() < 2 {
        Some("there must be two rows or more".to_owned())
    } else if rows
        .iter()
        .enumerate()
        .any(|(i, (edge, _, _))| edge.is_none() != (i == open))
    {
        Some(format!(
            "exactly the {} row has no `{by}`: it holds for every other value",
            if from_below { "first" } else { "last" }
        ))
    } else {
        let falls = edges.windows(2).find(|pair| pair[1] <= pair[0]);
        falls.map(|pair| format!("the edges do not ascend: {} after {}", plain(pair[1]), plain(pair[0])))
    };
    if let Some(problem) = problem {
        out.error(&item.origin, path, "rules.steps", problem, &remedy);
        return None;
    }
    Some(Edges {
        from_below,
        by: by.to_owned(),
        rows,
    })
}

/// Points by exact value, and for every other one.
fn read_look_up(out: &mut Out, s: &mut Section<'_>) -> Option<Normalise> {
    let mut section = s.section(out, "look_up")?;
    let otherwise = section.ratio(out, "otherwise", Within::Hundred);
    let mut points = BTreeMap::new();
    for key in section.keys().filter(|key| *key != "otherwise") {
        let value = section.ratio(out, key, Within::Hundred)?;
        let Ok(at) = crate::domain::Dec::parse(key) else {
            let message = format!("\"{key}\" is no number");
            out.error(
                section.origin_of(key),
                &section.at(key),
                "rules.value",
                message,
                "write the value in quotes: \"1\" = \"70\"",
            );
            return None;
        };
        points.insert(at.ratio(), value);
    }
    section.finish(out);
    Some(Normalise::LookUp {
        points,
        otherwise: otherwise?,
    })
}

/// The map must run the way that `better` says.
fn check_direction(out: &mut Out, s: &Section<'_>, direction: Option<Direction>, map: Option<&Normalise>) -> bool {
    let (Some(direction), Some(map)) = (direction, map) else {
        return true;
    };
    let runs = |points: Vec<&Ratio>| {
        let up = points.windows(2).all(|pair| pair[1] >= pair[0]);
        let down = points.windows(2).all(|pair| pair[1] <= pair[0]);
        match direction {
            Direction::Higher => up,
            Direction::Lower => down,
            Direction::Target => true,
        }
    };
    let sound = match map {
        Normalise::Knots(knots) => runs(knots.0.iter().map(|(_, y)| y).collect()),
        Normalise::Steps { steps, .. } => runs(steps.iter().map(|step| &step.points).collect()),
        Normalise::Linear { slope, .. } => match direction {
            Direction::Higher => !slope.is_negative(),
            Direction::Lower => !slope.is_positive(),
            Direction::Target => true,
        },
        Normalise::Penalty { .. } => direction != Direction::Higher,
        Normalise::LookUp { points, .. } => runs(points.values().collect()),
    };
    if !sound {
        let message = format!(
            "the points run the other way than better = \"{}\" says",
            direction.as_str()
        );
        let remedy = "turn the points round, or write better = \"target\" where the best value lies between";
        out.error(s.origin_of("better"), &s.at("better"), "rules.metric", message, remedy);
    }
    sound
}

//! The rules of the built-in metrics.
//!
//! Duty: read satisfaction, quality, parts, service level and enablement, their knots, and the sum of all weights. Not its duty: computing a
//! metric (evaluation).

use super::leaf::{Out, Within, bare_decimal};
use super::model::{
    DayKind, EnablementRules, Knots, PartsMode, PartsRules, QualityRules, SatisfactionRules, ServiceLevelRules,
};
use super::read::{MAX_COUNT, MAX_DAYS, check_cap, plain};
use super::section::Section;
use super::tree::{Item, Node, Origin};
use crate::domain::{Dec, Ratio};

/// Periods a metric may look back over.
const MAX_PERIODS: i64 = 120;

pub(super) fn read_satisfaction(out: &mut Out, mut s: Section<'_>) -> Option<SatisfactionRules> {
    let weight = s.ratio(out, "weight", Within::Hundred);
    let class_weights = s.ratios(out, "class_weights", &["key", "large", "ordinary"], Within::NotNegative);
    let customer_cap = s.ratio(out, "customer_cap", Within::PositiveShare);
    let cap_from = s.count(out, "customer_cap_from_customers", 1..=MAX_COUNT);
    let cap_path = s.at("customer_cap");
    let possible = check_cap(
        out,
        s.origin_of("customer_cap"),
        &cap_path,
        customer_cap.as_ref(),
        cap_from,
    );
    let shrinkage = s.ratio(out, "shrinkage", Within::NotNegative);
    let peer_minimum_answers = s.count(out, "peer_minimum_answers", 1..=MAX_COUNT);
    let peer_default = s.ratio(out, "peer_default", Within::Share);
    let look_back_periods = s.count(out, "look_back_periods", 1..=MAX_PERIODS);
    let insufficient: Option<i64> = s.count(out, "insufficient_below_answers", 0..=MAX_COUNT);
    let provisional: Option<i64> = s.count(out, "provisional_below_answers", 0..=MAX_COUNT);
    let keys = ["insufficient_below_answers", "provisional_below_answers"];
    let ordered = check_limits(out, &s, keys, [insufficient, provisional]);
    let knots = read_knots(out, &mut s);
    s.finish(out);
    let rules = SatisfactionRules {
        weight: weight?,
        class_weights: class_weights?,
        customer_cap: customer_cap?,
        customer_cap_from_customers: usize::try_from(cap_from?).ok()?,
        shrinkage: shrinkage?,
        peer_minimum_answers: peer_minimum_answers?,
        peer_default: peer_default?,
        look_back_periods: look_back_periods?,
        insufficient_below_answers: insufficient?,
        provisional_below_answers: provisional?,
        knots: knots?,
    };
    (possible && ordered).then_some(rules)
}

fn check_limits(out: &mut Out, s: &Section<'_>, keys: [&str; 2], limits: [Option<i64>; 2]) -> bool {
    let [Some(insufficient), Some(provisional)] = limits else {
        return true;
    };
    if provisional >= insufficient {
        return true;
    }
    let noun = keys[0].rsplit('_').next().unwrap_or_default();
    let message = format!("provisional below {provisional} {noun}, but insufficient below {insufficient} already");
    let remedy = format!("let {} be no less than {}", keys[1], keys[0]);
    out.error(s.origin_of(keys[1]), &s.at(keys[1]), "rules.value", message, &remedy);
    false
}

/// `[service_level]`; `Some(None)` where there is no such table.
#[expect(clippy::option_option, reason = "what is not declared is no mistake")]
pub(super) fn read_service_level(out: &mut Out, top: &mut Section<'_>) -> Option<Option<ServiceLevelRules>> {
    let Some(item) = top.get("service_level") else {
        return Some(None);
    };
    let mut s = Section::open(out, top.at("service_level"), item)?;
    let weight = s.ratio(out, "weight", Within::Hundred);
    let keys = ["insufficient_below_deliveries", "provisional_below_deliveries"];
    let limits = keys.map(|key| s.count::<i64>(out, key, 0..=MAX_COUNT));
    let ordered = check_limits(out, &s, keys, limits);
    let knots = read_knots(out, &mut s);
    s.finish(out);
    let rules = ServiceLevelRules {
        weight: weight?,
        insufficient_below_deliveries: limits[0]?,
        provisional_below_deliveries: limits[1]?,
        knots: knots?,
    };
    ordered.then_some(Some(rules))
}

/// `[enablement]`; `Some(None)` where there is no such table. It rests on `[star_criteria]`.
#[expect(clippy::option_option, reason = "what is not declared is no mistake")]
pub(super) fn read_enablement(out: &mut Out, top: &mut Section<'_>) -> Option<Option<EnablementRules>> {
    let Some(item) = top.get("enablement") else {
        return Some(None);
    };
    let mut s = Section::open(out, top.at("enablement"), item)?;
    let weight = s.ratio(out, "weight", Within::Hundred);
    let knots = read_knots(out, &mut s);
    s.finish(out);
    let rests = top.get("star_criteria").is_some();
    if !rests {
        let message = "[enablement] rests on the star criteria, and there are none".to_owned();
        let remedy = "add the table [star_criteria], or remove [enablement]";
        out.error(&item.origin, "enablement", "rules.missing_key", message, remedy);
    }
    let rules = EnablementRules {
        weight: weight?,
        knots: knots?,
    };
    rests.then_some(Some(rules))
}

pub(super) fn read_quality(out: &mut Out, mut s: Section<'_>) -> Option<QualityRules> {
    let weight = s.ratio(out, "weight", Within::Hundred);
    let selection_weights = s.ratios(
        out,
        "selection_weights",
        &["random", "risk", "complaint"],
        Within::NotNegative,
    );
    let critical_points = s.ratio(out, "critical_points", Within::NotNegative);
    let major_points = s.ratio(out, "major_points", Within::NotNegative);
    let minor_points = s.ratio(out, "minor_points", Within::NotNegative);
    let shrinkage = s.ratio(out, "shrinkage", Within::NotNegative);
    let peer_minimum_inspections = s.count(out, "peer_minimum_inspections", 1..=MAX_COUNT);
    let peer_default = s.ratio(out, "peer_default", Within::Hundred);
    let look_back_periods = s.count(out, "look_back_periods", 1..=MAX_PERIODS);
    let insufficient_below_inspections = s.count(out, "insufficient_below_inspections", 0..=MAX_COUNT);
    let critical_open_days = s.count(out, "critical_open_days", 0..=MAX_DAYS);
    let critical_cap = s.ratio(out, "critical_cap", Within::Hundred);
    let knots = read_knots(out, &mut s);
    s.finish(out);
    Some(QualityRules {
        weight: weight?,
        selection_weights: selection_weights?,
        critical_points: critical_points?,
        major_points: major_points?,
        minor_points: minor_points?,
        shrinkage: shrinkage?,
        peer_minimum_inspections: peer_minimum_inspections?,
        peer_default: peer_default?,
        look_back_periods: look_back_periods?,
        insufficient_below_inspections: insufficient_below_inspections?,
        critical_open_days: critical_open_days?,
        critical_cap: critical_cap?,
        knots: knots?,
    })
}

pub(super) fn read_parts(out: &mut Out, mut s: Section<'_>) -> Option<PartsRules> {
    let weight = s.ratio(out, "weight", Within::Hundred);
    let mode = s.choice(out, "mode", &[("rate", PartsMode::Rate), ("count", PartsMode::Count)]);
    let due_days = s.count(out, "due_days", 0..=MAX_DAYS);
    let day_kinds = [("calendar", DayKind::Calendar), ("business", DayKind::Business)];
    let due_day_kind = s.choice(out, "due_day_kind", &day_kinds);
    let transit_allowance_days = s.count(out, "transit_allowance_days", 0..=MAX_DAYS);
    let long_overdue_days = s.count(out, "long_overdue_days", 0..=MAX_DAYS);
    let long_overdue_points = s.ratio(out, "long_overdue_points", Within::NotNegative);
    let long_overdue_points_cap = s.ratio(out, "long_overdue_points_cap", Within::NotNegative);
    let count_points_each = s.ratio(out, "count_points_each", Within::NotNegative);
    let knots = read_knots(out, &mut s);
    s.finish(out);
    Some(PartsRules {
        weight: weight?,
        mode: mode?,
        due_days: due_days?,
        due_day_kind: due_day_kind?,
        transit_allowance_days: transit_allowance_days?,
        long_overdue_days: long_overdue_days?,
        long_overdue_points: long_overdue_points?,
        long_overdue_points_cap: long_overdue_points_cap?,
        count_points_each: count_points_each?,
        knots: knots?,
    })
}

/// Pairs `["0.70", "0"]` that ascend in their first number.
pub(super) fn read_knots(out: &mut Out, s: &mut Section<'_>) -> Option<Knots> {
    const REMEDY: &str = "write pairs of raw value and points that ascend: [[\"0.70\", \"0\"], [\"0.99\", \"100\"]]";
    let item = s.need(out, "knots", "[[\"0.70\", \"0\"], [\"0.99\", \"100\"]]")?;
    let path = s.at("knots");
    let Node::List(pairs) = &item.node else {
        out.wrong_type(item, &path, "a list of pairs", REMEDY);
        return None;
    };
    let knots: Vec<_> = pairs
        .iter()
        .enumerate()
        .map(|(i, p)| read_pair(out, &format!("{path}[{i}]"), p))
        .collect();
    let mut sound = true;
    if pairs.len() < 2 {
        let message = format!("{} knots do not make a line", pairs.len());
        out.error(&item.origin, &path, "rules.knots", message, REMEDY);
        sound = false;
    }
    for (i, pair) in knots.windows(2).enumerate() {
        if let [Some((before, _)), Some((x, _))] = pair
            && x <= before
        {
            let message = format!("the knots do not ascend: {} after {}", plain(x), plain(before));
            out.error(
                &pairs[i + 1].origin,
                &format!("{path}[{}]", i + 1),
                "rules.knots",
                message,
                REMEDY,
            );
            sound = false;
        }
    }
    let knots = knots.into_iter().collect::<Option<Vec<_>>>()?;
    sound.then_some(Knots(knots))
}

fn read_pair(out: &mut Out, path: &str, item: &Item) -> Option<(Ratio, Ratio)> {
    let Node::List(pair) = &item.node else {
        out.wrong_type(item, path, "a pair", "write a pair such as [\"0.85\", \"60\"]");
        return None;
    };
    let [x, y] = pair.as_slice() else {
        let message = format!("a knot is a pair, found {} values", pair.len());
        out.error(
            &item.origin,
            path,
            "rules.knots",
            message,
            "write raw value and points: [\"0.85\", \"60\"]",
        );
        return None;
    };
    let (raw, points) = (
        bare_decimal(out, path, x, Within::Any),
        bare_decimal(out, path, y, Within::Hundred),
    );
    let (raw, points) = (raw?, points?);
    if let (Node::Text(x), Node::Text(y)) = (&x.node, &y.node) {
        out.note(path, item, format!("{x} → {y}"), format!("{raw} {points}"));
    }
    Some((raw, points))
}

/// The weights of all metrics add up to 100. Told at the region's weight where it changed one, with all places.
pub(super) fn check_weights(out: &mut Out, root: &Item) {
    let weight_of = |entry: &Item| -> Option<(Origin, Ratio)> {
        let item = entry.entries()?.get("weight")?;
        let Node::Text(text) = &item.node else { return None };
        Some((item.origin.clone(), Dec::parse(text).ok()?.ratio()))
    };
    let Some(top) = root.entries() else { return };
    let optional = ["service_level", "enablement"]
        .into_iter()
        .filter(|name| top.contains_key(*name));
    let built_in = ["satisfaction", "quality", "parts"].into_iter().chain(optional);
    let own = top.get("metrics").and_then(Item::entries).into_iter().flatten();
    let entries = built_in
        .map(|name| (name.to_owned(), name.to_owned(), top.get(name)))
        .chain(own.map(|(name, item)| (name.clone(), format!("metrics.{name}"), Some(item))));
    let weights: Option<Vec<(String, String, Origin, Ratio)>> = entries
        .map(|(name, path, item)| {
            let (origin, weight) = weight_of(item?)?;
            Some((name, path, origin, weight))
        })
        .collect();
    // a missing or malformed weight has its own finding
    let Some(weights) = weights else { return };
    let sum = Ratio::sum(weights.iter().map(|(_, _, _, w)| w));
    if sum == Ratio::int(100) {
        return;
    }
    let base = &root.origin.file;
    let blamed = weights
        .iter()
        .find(|(_, _, origin, _)| origin.file != *base)
        .unwrap_or(&weights[0]);
    let parts: Vec<String> = weights
        .iter()
        .map(|(name, _, origin, w)| format!("{name} {} ({origin})", plain(w)))
        .collect();
    let message = format!("the weights add up to {}, not 100: {}", plain(&sum), parts.join(", "));
    let names: Vec<&str> = weights.iter().map(|(name, ..)| name.as_str()).collect();
    let remedy = match names.split_last() {
        Some((last, rest)) => format!("correct the weights of {} and {last}", rest.join(", ")),
        None => String::new(),
    };
    out.error(
        &blamed.2,
        &format!("{}.weight", blamed.1),
        "rules.weights",
        message,
        &remedy,
    );
}

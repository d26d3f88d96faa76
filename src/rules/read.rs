//! A resolved rule tree as a typed rule book.
//!
//! Duty: the sections of the programme, the composite, events, grades and the card: which keys there are, what each
//! may hold, what must hold between them. Not its duty: metrics (`metrics`), schemes (`schemes`), dates of editions
//! and regions (`editions`).

use std::collections::BTreeMap;

use super::authorisation::read_authorisation;
use super::criteria::read_star_criteria;
use super::discounts::read_discounts;
use super::entitlements::read_entitlements;
use super::key_events::read_key_events;
use super::leaf::{Out, Within, unknown_word};
use super::metrics::{check_weights, read_enablement, read_parts, read_quality, read_satisfaction, read_service_level};
use super::model::{
    CardRules, EvaluationRules, GradeBands, MetricId, MetricName, ProgrammeRules, Redistribution, RuleBook,
};
use super::own::read_own;
use super::red_lines::read_red_lines;
use super::review::read_review;
use super::schemes::read_schemes;
use super::section::Section;
use super::settlement::read_settlement;
use super::tree::{Item, Node, Origin};
use crate::domain::ids::RegionId;
use crate::domain::{Date, Dec, Digest, FiscalCalendar, Grade, Period, PeriodKind, Ratio, Zone};

pub(super) const PERIOD_KINDS: [(&str, PeriodKind); 4] = [
    ("month", PeriodKind::Month),
    ("quarter", PeriodKind::Quarter),
    ("half", PeriodKind::Half),
    ("year", PeriodKind::Year),
];

/// Ten years: a longer span of days is a slip of the pen.
pub(super) const MAX_DAYS: i64 = 3660;
/// Over any real count of answers or domains, and far from overflow.
pub(super) const MAX_COUNT: i64 = 1_000_000;

/// Most metrics that a rule book may ask for.
const MAX_METRICS: i64 = 100;

/// Reads a whole book. Its hash is left to the caller, who holds the noted values. `None` when there are findings.
pub(super) fn read_book(
    out: &mut Out,
    root: &Item,
    region: &RegionId,
    from: Date,
) -> Option<(ProgrammeRules, RuleBook)> {
    let mut top = Section::open(out, String::new(), root)?;
    // read with the editions; asked for here so that they are known
    for key in ["effective_from", "effective_to"] {
        let _ = top.get(key);
    }
    let programme = top.section(out, "programme").and_then(|s| read_programme(out, s));
    let zone = read_zone(out, &mut top);
    let metrics = metrics_of(root);
    let evaluation = top.section(out, "evaluation");
    let evaluation = evaluation.and_then(|s| read_evaluation(out, s, &metrics));
    let satisfaction = top.section(out, "satisfaction").and_then(|s| read_satisfaction(out, s));
    let quality = top.section(out, "quality").and_then(|s| read_quality(out, s));
    let parts = top.section(out, "parts").and_then(|s| read_parts(out, s));
    let service_level = read_service_level(out, &mut top);
    let enablement = read_enablement(out, &mut top);
    let own = read_own(out, &mut top);
    check_weights(out, root);
    let key_events = top.section(out, "key_events").and_then(|s| read_key_events(out, s));
    let red_lines = top.section(out, "red_lines").and_then(|s| read_red_lines(out, s));
    let grades = top.section(out, "grades").and_then(|s| read_grades(out, s));
    let card = top.section(out, "card").and_then(|s| read_card(out, s));
    let authorisation = top
        .section(out, "authorisation")
        .and_then(|s| read_authorisation(out, s));
    let review = top
        .section(out, "review")
        .and_then(|s| read_review(out, s, programme.as_ref()));
    let entitlements = match top.get("entitlements") {
        None => Some(Vec::new()),
        Some(item) => Section::open(out, "entitlements".to_owned(), item).and_then(|s| read_entitlements(out, s)),
    };
    let discounts = match top.get("discounts") {
        None => Some(None),
        Some(item) => Section::open(out, "discounts".to_owned(), item).and_then(|s| read_discounts(out, s).map(Some)),
    };
    let star_criteria = read_star_criteria(out, &mut top);
    let schemes = top.section(out, "schemes").and_then(|s| read_schemes(out, s));
    top.finish(out);
    let book = RuleBook {
        region: region.clone(),
        effective_from: from,
        hash: Digest::of(b""),
        zone: zone?,
        evaluation: evaluation?,
        satisfaction: satisfaction?,
        quality: quality?,
        parts: parts?,
        service_level: service_level?,
        enablement: enablement?,
        own: own?,
        key_events: key_events?,
        red_lines: red_lines?,
        grades: grades?,
        card: card?,
        authorisation: authorisation?,
        review: review?,
        entitlements: entitlements?,
        discounts: discounts?,
        star_criteria: star_criteria?,
        schemes: schemes?,
    };
    Some((programme?, book))
}

fn read_zone(out: &mut Out, top: &mut Section<'_>) -> Option<Zone> {
    let name = top.text(out, "time_zone", "\"Europe/Berlin\"")?;
    match Zone::parse(name) {
        Ok(zone) => Some(zone),
        Err(error) => {
            let remedy = "write the zone as area and city, such as \"Europe/Berlin\", or \"UTC\"";
            out.error(
                top.origin_of("time_zone"),
                "time_zone",
                "rules.time_zone",
                error.to_string(),
                remedy,
            );
            None
        }
    }
}

/// The programme's own values. Also read ahead of the books, because the dates of editions hang on the calendar.
pub(super) fn read_programme(out: &mut Out, mut s: Section<'_>) -> Option<ProgrammeRules> {
    let name = s.text(out, "name", "\"the name of the programme\"").map(str::to_owned);
    let calendar_name = read_calendar_name(out, &mut s);
    let first_month = s.count(out, "fiscal_year_starts_in_month", 1..=12);
    let evaluation_period = s.choice(out, "evaluation_period", &PERIOD_KINDS);
    let posting_period = s.choice(out, "posting_period", &PERIOD_KINDS);
    let first_period = s.text(out, "first_period", "\"2025-Q4\"").map(str::to_owned);
    let contest_days = s.count(out, "contest_days", 0..=366);
    let settlement = read_settlement(out, &mut s);
    let programme = (|| {
        Some(ProgrammeRules {
            name: name?,
            calendar_name: calendar_name?,
            calendar: FiscalCalendar::starting_in(first_month?)?,
            evaluation_period: evaluation_period?,
            posting_period: posting_period?,
            first_period: first_period?,
            contest_days: contest_days?,
            settlement: settlement?,
        })
    })();
    let checked = programme.filter(|p| check_first_period(out, &s, p));
    s.finish(out);
    checked
}

fn read_calendar_name(out: &mut Out, s: &mut Section<'_>) -> Option<String> {
    let name = s.text(out, "calendar_name", "\"fiscal\"")?;
    if name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Some(name.to_owned());
    }
    let message = format!("\"{name}\" cannot name a folder, and the calendar's name is one");
    let remedy = "write lower-case letters, digits and hyphens, such as \"fiscal\"";
    out.error(
        s.origin_of("calendar_name"),
        &s.at("calendar_name"),
        "rules.value",
        message,
        remedy,
    );
    None
}

/// The first period is one of the evaluation, and begins where a posting period begins.
fn check_first_period(out: &mut Out, s: &Section<'_>, programme: &ProgrammeRules) -> bool {
    let text = &programme.first_period;
    let problem = match Period::parse(text) {
        Err(error) => error.to_string(),
        Ok(period) if period.kind() != programme.evaluation_period => {
            format!("{text} is not of the kind that `evaluation_period` names")
        }
        Ok(period) => {
            let first = programme.calendar.first_day(period);
            if begins(programme, first, programme.posting_period) {
                return true;
            }
            format!("{text} begins on {first}, which is not the first day of a posting period")
        }
    };
    let remedy = "write the first period that is evaluated and posted, such as \"2025-Q4\"";
    out.error(
        s.origin_of("first_period"),
        &s.at("first_period"),
        "rules.value",
        problem,
        remedy,
    );
    false
}

/// Whether a period of a kind begins on a day.
pub(super) fn begins(programme: &ProgrammeRules, day: Date, kind: PeriodKind) -> bool {
    programme
        .calendar
        .period_of(day, kind)
        .is_some_and(|p| programme.calendar.first_day(p) == day)
}

/// The metrics of a tree by name, whether or not they can be read, with their weights where those can be.
fn metrics_of(root: &Item) -> Vec<(MetricId, bool)> {
    let Some(top) = root.entries() else { return Vec::new() };
    let weighs = |item: &Item| {
        let weight = item.entries().and_then(|e| e.get("weight"));
        !matches!(weight.map(|w| &w.node), Some(Node::Text(text)) if Dec::parse(text).is_ok_and(Dec::is_zero))
    };
    let built_in = MetricId::BUILT_IN.into_iter().filter_map(|id| {
        let always = matches!(id, MetricId::Satisfaction | MetricId::Quality | MetricId::Parts);
        let item = top.get(id.as_str());
        (always || item.is_some()).then(|| (id, item.is_none_or(weighs)))
    });
    let own = top.get("metrics").and_then(Item::entries).into_iter().flatten();
    let own = own.filter_map(|(name, item)| Some((MetricId::Own(MetricName::new(name)?), weighs(item))));
    built_in.chain(own).collect()
}

fn read_evaluation(out: &mut Out, mut s: Section<'_>, metrics: &[(MetricId, bool)]) -> Option<EvaluationRules> {
    let minimum_coverage = s.ratio(out, "minimum_coverage", Within::Hundred);
    let weighed = metrics.iter().filter(|(_, weighs)| *weighs).count();
    let most = i64::try_from(weighed).unwrap_or(MAX_METRICS).clamp(1, MAX_METRICS);
    let minimum_metrics = s.count(out, "minimum_metrics", 1..=most);
    let requires_one_of = read_required_metrics(out, &mut s, metrics);
    let redistribution = read_redistribution(out, &mut s, metrics);
    s.finish(out);
    Some(EvaluationRules {
        minimum_coverage: minimum_coverage?,
        minimum_metrics: minimum_metrics?,
        requires_one_of: requires_one_of?,
        redistribution: redistribution?,
    })
}

fn read_required_metrics(out: &mut Out, s: &mut Section<'_>, metrics: &[(MetricId, bool)]) -> Option<Vec<MetricId>> {
    let item = s.need(out, "requires_one_of", "[\"satisfaction\", \"quality\"]")?;
    let names: Vec<&str> = metrics.iter().map(|(id, _)| id.as_str()).collect();
    let words = s.words(out, "requires_one_of", &names)?;
    if words.is_empty() {
        let remedy = "name the metrics of which one must be there, such as [\"satisfaction\", \"quality\"]";
        let message = "the list is empty, so no partner could be rated".to_owned();
        out.error(&item.origin, &s.at("requires_one_of"), "rules.value", message, remedy);
        return None;
    }
    Some(
        metrics
            .iter()
            .map(|(id, _)| *id)
            .filter(|m| words.iter().any(|w| w == m.as_str()))
            .collect(),
    )
}

fn read_redistribution(out: &mut Out, s: &mut Section<'_>, metrics: &[(MetricId, bool)]) -> Option<Redistribution> {
    let item = s.need(out, "redistribution", "\"proportional\"")?;
    let path = s.at("redistribution");
    match &item.node {
        Node::Text(text) if text == "proportional" => {
            out.note(&path, item, text.clone(), text.clone());
            Some(Redistribution::Proportional)
        }
        Node::Text(text) => {
            unknown_word(out, item, &path, text, &["proportional"]);
            None
        }
        Node::Table(_) => {
            let mut table = Section::open(out, path, item)?;
            // one that weighs nothing has nothing to give
            let rows: Vec<_> = metrics
                .iter()
                .filter(|(_, weighs)| *weighs)
                .map(|(m, _)| Some((*m, read_share_row(out, &mut table, *m, metrics)?)))
                .collect();
            table.finish(out);
            rows.into_iter()
                .collect::<Option<BTreeMap<_, _>>>()
                .map(Redistribution::Table)
        }
        _ => {
            let remedy = "write \"proportional\", or a table with one row of shares for each metric";
            out.wrong_type(item, &path, "\"proportional\" or a table", remedy);
            None
        }
    }
}

/// Where the weight of one missing metric goes: shares of the others with weight that add up to 1.
fn read_share_row(
    out: &mut Out,
    table: &mut Section<'_>,
    missing: MetricId,
    metrics: &[(MetricId, bool)],
) -> Option<BTreeMap<MetricId, Ratio>> {
    let mut row = table.section(out, missing.as_str())?;
    let others = metrics.iter().filter(|(m, weighs)| *m != missing && *weighs);
    let shares: Vec<_> = others
        .map(|(m, _)| Some((*m, row.ratio(out, m.as_str(), Within::Share)?)))
        .collect();
    let shares = shares.into_iter().collect::<Option<BTreeMap<_, _>>>();
    let mut adds_up = true;
    if let Some(shares) = &shares {
        let sum = Ratio::sum(shares.values());
        adds_up = sum == Ratio::one();
        if !adds_up {
            let message = format!("the shares of the missing weight add up to {}, not 1", plain(&sum));
            out.error(
                row.origin,
                &row.path,
                "rules.redistribution",
                message,
                "correct the shares of this row",
            );
        }
    }
    row.finish(out);
    shares.filter(|_| adds_up)
}

/// A ratio for people: a decimal where it is one.
pub(super) fn plain(ratio: &Ratio) -> String {
    (0..=12)
        .find_map(|scale| {
            ratio
                .round(scale, crate::domain::Rounding::Down)
                .filter(|dec| dec.ratio() == *ratio)
        })
        .map_or_else(|| ratio.to_string(), |dec| dec.to_string())
}

/// Lower edges that fall from grade to grade, the last one at 0: together they cover 0 to 100.
fn read_grades(out: &mut Out, mut s: Section<'_>) -> Option<GradeBands> {
    let edges: Vec<(Grade, Option<Ratio>)> = Grade::ALL
        .into_iter()
        .map(|g| (g, s.ratio(out, g.as_str(), Within::Hundred)))
        .collect();
    let mut sound = true;
    for pair in edges.windows(2) {
        if let [(upper, Some(high)), (lower, Some(low))] = pair
            && low >= high
        {
            let message = format!(
                "grade {lower} begins at {}, not below grade {upper} at {}",
                plain(low),
                plain(high)
            );
            grade_error(out, &s, *lower, message);
            sound = false;
        }
    }
    if let Some((Grade::E, Some(low))) = edges.last()
        && !low.is_zero()
    {
        grade_error(
            out,
            &s,
            Grade::E,
            format!("scores from 0 to below {} have no grade", plain(low)),
        );
        sound = false;
    }
    s.finish(out);
    let bands = edges
        .into_iter()
        .map(|(g, edge)| Some((g, edge?)))
        .collect::<Option<Vec<_>>>()?;
    sound.then_some(GradeBands(bands))
}

fn grade_error(out: &mut Out, s: &Section<'_>, grade: Grade, message: String) {
    let remedy = "let the lower edges fall from A to E, and let E begin at \"0\"";
    out.error(
        s.origin_of(grade.as_str()),
        &s.at(grade.as_str()),
        "rules.grades",
        message,
        remedy,
    );
}

fn read_card(out: &mut Out, mut s: Section<'_>) -> Option<CardRules> {
    let domain_cap_from_domains = s.count(out, "domain_cap_from_domains", 1..=MAX_COUNT);
    let domain_cap = s.ratio(out, "domain_cap", Within::PositiveShare);
    let origin = s.origin_of("domain_cap");
    let possible = check_cap(
        out,
        origin,
        &s.at("domain_cap"),
        domain_cap.as_ref(),
        domain_cap_from_domains,
    );
    s.finish(out);
    let card = CardRules {
        domain_cap_from_domains: usize::try_from(domain_cap_from_domains?).ok()?,
        domain_cap: domain_cap?,
    };
    possible.then_some(card)
}

/// With n members of at most `cap` each, the shares must be able to add up to 1.
pub(super) fn check_cap(out: &mut Out, origin: &Origin, path: &str, cap: Option<&Ratio>, from: Option<i64>) -> bool {
    let (Some(cap), Some(from)) = (cap, from) else {
        return true;
    };
    if cap * &Ratio::int(from) >= Ratio::one() {
        return true;
    }
    let message = format!("{from} shares of at most {} cannot add up to 1", plain(cap));
    out.error(
        origin,
        path,
        "rules.cap",
        message,
        "raise the cap, or let it apply from a larger number only",
    );
    false
}

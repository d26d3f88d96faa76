//! The star criteria of the rule book.
//!
//! Duty: read what each star grade asks for; a higher grade never asks for less. Not its duty: counting what a partner
//! has (evaluation).

use std::collections::BTreeMap;

use super::leaf::{Out, Within};
use super::model::{EngineerLevel, StarCriteria, StarNeeds};
use super::read::{MAX_COUNT, MAX_DAYS};
use super::section::Section;

/// The star grades there are.
const STARS: [i64; 3] = [3, 4, 5];

/// `[star_criteria]`; `Some(None)` where there is no such table, `None` with findings.
#[expect(clippy::option_option, reason = "what is not declared is no mistake")]
pub(super) fn read_star_criteria(out: &mut Out, top: &mut Section<'_>) -> Option<Option<StarCriteria>> {
    let Some(item) = top.get("star_criteria") else {
        return Some(None);
    };
    let mut s = Section::open(out, top.at("star_criteria"), item)?;
    let certificate_outlasts_days = s.count(out, "certificate_outlasts_days", 0..=MAX_DAYS);
    let training_days = s.count(out, "training_days", 1..=MAX_DAYS);
    let senior_level = s.choice(out, "senior_level", &EngineerLevel::ALL);
    let stars: Vec<_> = STARS
        .into_iter()
        .map(|stars| Some((stars, read_needs(out, &mut s, stars)?)))
        .collect();
    let stars: Option<BTreeMap<i64, StarNeeds>> = stars.into_iter().collect();
    let sound = stars.as_ref().is_none_or(|stars| check_rising(out, &s, stars));
    s.finish(out);
    let criteria = StarCriteria {
        certificate_outlasts_days: certificate_outlasts_days?,
        training_days: training_days?,
        senior_level: senior_level?,
        stars: stars?,
    };
    sound.then_some(Some(criteria))
}

fn read_needs(out: &mut Out, s: &mut Section<'_>, stars: i64) -> Option<StarNeeds> {
    let mut row = s.section(out, &stars.to_string())?;
    let engineers = row.count(out, "engineers", 0..=MAX_COUNT);
    let senior_engineers = row.count(out, "senior_engineers", 0..=MAX_COUNT);
    let project_managers = row.count(out, "project_managers", 0..=MAX_COUNT);
    let trainings = row.count(out, "trainings", 0..=MAX_COUNT);
    let credits = row.ratio(out, "credits", Within::NotNegative);
    let (engineers, senior_engineers): (i64, i64) = (engineers?, senior_engineers?);
    if senior_engineers > engineers {
        let message = format!("{senior_engineers} senior engineers are asked for among {engineers} engineers");
        let remedy = "senior engineers are counted among the engineers: ask for no more of them";
        let key = "senior_engineers";
        out.error(row.origin_of(key), &row.at(key), "rules.value", message, remedy);
        return None;
    }
    row.finish(out);
    Some(StarNeeds {
        engineers,
        senior_engineers,
        project_managers: project_managers?,
        trainings: trainings?,
        credits: credits?,
    })
}

/// A higher star grade asks for no less than the one below it.
fn check_rising(out: &mut Out, s: &Section<'_>, stars: &BTreeMap<i64, StarNeeds>) -> bool {
    let mut sound = true;
    let rows: Vec<(&i64, &StarNeeds)> = stars.iter().collect();
    for pair in rows.windows(2) {
        let [(low, below), (high, above)] = pair else { continue };
        let falls = [
            ("engineers", above.engineers < below.engineers),
            ("senior_engineers", above.senior_engineers < below.senior_engineers),
            ("project_managers", above.project_managers < below.project_managers),
            ("trainings", above.trainings < below.trainings),
            ("credits", above.credits < below.credits),
        ];
        for (key, _) in falls.into_iter().filter(|(_, falls)| *falls) {
            let message = format!("{high} stars ask for less than {low} stars: {key}");
            let path = format!("{}.{key}", s.at(&high.to_string()));
            let origin = s.origin_of(&high.to_string());
            out.error(
                origin,
                &path,
                "rules.value",
                message,
                "ask for as much or more with each star",
            );
            sound = false;
        }
    }
    sound
}

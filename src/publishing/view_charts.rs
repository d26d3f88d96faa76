//! The charts of a scorecard.
//!
//! Duty: which charts a card has, with their labels, figures and alternative texts. Not its duty: drawing.

use super::frame::PartnerFrame;
use super::texts::Texts;
use super::view_ahead::{AheadView, Line};
use crate::charts::Paint;
use crate::charts::card::{self, Bar, Chart, Part, Point};
use crate::domain::{Dec, Ratio, Rounding};

/// Bars of progress that are drawn.
const MOST_BARS: usize = 6;

/// The charts of a card. `can_draw` says whether words can be drawn: a label that cannot stands in the picture by its
/// number in the list below it.
pub(super) fn of_card(
    frame: &PartnerFrame,
    ahead: &AheadView,
    texts: &Texts,
    paint: &Paint<'_>,
    can_draw: &dyn Fn(&str) -> bool,
) -> Vec<Chart> {
    let drawn = |text: &str, number: usize| {
        if can_draw(text) {
            text.to_owned()
        } else if number > 0 {
            number.to_string()
        } else {
            String::new()
        }
    };
    let trend = trend(frame, texts, paint, &drawn);
    let changes = changes(ahead, frame, texts, paint, &drawn);
    let progress = progress(frame, texts, paint, &drawn);
    [trend, changes, progress].into_iter().flatten().collect()
}

type Drawn<'a> = &'a dyn Fn(&str, usize) -> String;

fn trend(frame: &PartnerFrame, texts: &Texts, paint: &Paint<'_>, drawn: Drawn<'_>) -> Option<Chart> {
    let words: Vec<String> = frame
        .ahead
        .trend
        .iter()
        .map(|p| {
            let period = p.period.to_string();
            match p.score {
                Some(score) => texts.fill(
                    "charts",
                    "trend_point",
                    &[("period", &period), ("score", &texts.number(score))],
                ),
                None => texts.fill("charts", "trend_none", &[("period", &period)]),
            }
        })
        .collect();
    let alt = texts.fill("charts", "trend_alt", &[("points", &words.join(" · "))]);
    let points: Vec<Point> = frame
        .ahead
        .trend
        .iter()
        .map(|p| Point {
            period: p.period.to_string(),
            score: p.score,
            text: p.score.map(|s| texts.number(s)).unwrap_or_default(),
        })
        .collect();
    card::trend(&drawn(texts.get("charts", "trend"), 0), &points, alt, paint)
}

fn changes(
    ahead: &AheadView,
    frame: &PartnerFrame,
    texts: &Texts,
    paint: &Paint<'_>,
    drawn: Drawn<'_>,
) -> Option<Chart> {
    let [from, to] = ahead.change_ends.as_slice() else {
        return None;
    };
    let outcome = &frame.card.outcome;
    let (before, now) = (outcome.previous?.dec(), outcome.score?.dec());
    let end = |line: &Line, period: String, points: Dec| Part {
        label: if drawn(&line.label, 0).is_empty() {
            period
        } else {
            line.label.clone()
        },
        points,
        text: line.figure.clone(),
    };
    let ends = [
        end(from, frame.period.previous().to_string(), before),
        end(to, frame.period.to_string(), now),
    ];
    let parts: Vec<Part> = (1..)
        .zip(&ahead.changes)
        .zip(&frame.ahead.changes)
        .map(|((number, line), change)| Part {
            label: drawn(&line.label, number),
            points: change.points,
            text: line.figure.clone(),
        })
        .collect();
    let shown: Vec<String> = ahead
        .changes
        .iter()
        .map(|l| format!("{} {}", l.label, l.figure))
        .collect();
    let arguments = [("old", from.figure.as_str()), ("new", to.figure.as_str())];
    let title = texts.fill("charts", "waterfall", &arguments);
    let shown = shown.join(" · ");
    let alt = texts.fill(
        "charts",
        "waterfall_alt",
        &[arguments[0], arguments[1], ("parts", &shown)],
    );
    let title = if drawn(&title, 0).is_empty() {
        format!("{} → {}", from.figure, to.figure)
    } else {
        title
    };
    card::waterfall(&title, &ends, &parts, alt, paint)
}

/// Progress in words, with whole percent: to the next grade, the next stars, the next bands.
pub(super) fn bars(frame: &PartnerFrame, texts: &Texts) -> Vec<(String, i64)> {
    let mut bars = Vec::new();
    if let (Some((grade, missing)), Some(score)) = (&frame.card.next_grade, frame.card.outcome.score) {
        let target = &score.dec().ratio() + &missing.ratio();
        let text = texts.fill(
            "charts",
            "to_grade",
            &[
                ("grade", grade.as_str()),
                ("score", &texts.number(score.dec())),
                ("target", &texts.rounded(&target, 2)),
            ],
        );
        bars.push((text, percent(&score.dec().ratio(), &target)));
    }
    for gap in &frame.ahead.gaps {
        let asked: Vec<_> = gap.criteria.iter().collect();
        let met = asked.iter().filter(|c| c.state == "met").count();
        let figure = |n: usize| i64::try_from(n).unwrap_or(0);
        let text = texts.fill(
            "charts",
            "to_star",
            &[
                ("domain", &gap.domain),
                ("stars", &(gap.stars + 1).to_string()),
                ("met", &met.to_string()),
                ("all", &asked.len().to_string()),
            ],
        );
        bars.push((
            text,
            percent(&Ratio::int(figure(met)), &Ratio::int(figure(asked.len()))),
        ));
    }
    for line in &frame.money.schemes {
        if let Some(next) = &line.next_band {
            let scheme = texts.named("scheme", &line.scheme, &line.title);
            let text = texts.fill(
                "charts",
                "to_band",
                &[
                    ("scheme", &scheme),
                    ("sales", &texts.money(line.basis)),
                    ("target", &texts.money(next.from)),
                ],
            );
            bars.push((text, percent(&line.basis.dec().ratio(), &next.from.dec().ratio())));
        }
    }
    bars.truncate(MOST_BARS);
    bars
}

fn percent(part: &Ratio, whole: &Ratio) -> i64 {
    let share = part.checked_div(whole).unwrap_or_else(Ratio::zero);
    let percent = (&share * &Ratio::int(100)).round(0, Rounding::Down);
    percent
        .and_then(|p| i64::try_from(p.units()).ok())
        .unwrap_or(0)
        .clamp(0, 100)
}

fn progress(frame: &PartnerFrame, texts: &Texts, paint: &Paint<'_>, drawn: Drawn<'_>) -> Option<Chart> {
    let all = bars(frame, texts);
    let bars: Vec<Bar> = (1..)
        .zip(&all)
        .map(|(number, (text, percent))| Bar {
            label: drawn(text, number),
            percent: *percent,
            text: texts.rate(&Ratio::new(*percent, 100).unwrap_or_else(Ratio::zero)),
        })
        .collect();
    let shown: Vec<String> = all
        .iter()
        .zip(&bars)
        .map(|((text, _), bar)| format!("{text} ({})", bar.text))
        .collect();
    let alt = texts.fill("charts", "progress_alt", &[("parts", &shown.join(" · "))]);
    card::progress(&drawn(texts.get("charts", "progress"), 0), &bars, alt, paint)
}

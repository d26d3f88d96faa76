//! The charts of a card: the trend of a score, what moved it, what is on the way.
//!
//! Duty: place values that are there already. Not its duty: words (labels come in the reader's language), arithmetic on
//! scores beyond placing them.
//!
//! Every figure that a chart shows stands in its alternative text too, and colour is never the only sign: a bar that
//! takes points away has its sign beside it.

use super::{Canvas, PLAIN, Paint, Style};
use crate::domain::Dec;

/// Width of every chart, in pixels. Narrow, so that letters are large enough where a phone shows it smaller.
pub const WIDTH: i64 = 420;

/// Most rows of a waterfall between both ends.
const MOST_PARTS: usize = 8;

/// Characters of a label that fit beside a bar.
const LABEL: usize = 30;

/// Characters that fit above a bar.
const LONG_LABEL: usize = 60;

/// A chart and what it says in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Short and unique within a message, such as `trend`.
    pub name: &'static str,
    pub svg: String,
    pub height: i64,
    /// All of its figures.
    pub alt: String,
}

/// A period of the trend.
#[derive(Clone, Debug)]
pub struct Point {
    pub period: String,
    /// 0…100; `None` where it is not rated.
    pub score: Option<Dec>,
    /// As shown.
    pub text: String,
}

/// A part of a change.
#[derive(Clone, Debug)]
pub struct Part {
    pub label: String,
    pub points: Dec,
    /// With its sign, as shown.
    pub text: String,
}

/// Something under way: so much of so much.
#[derive(Clone, Debug)]
pub struct Bar {
    pub label: String,
    /// 0…100, whole percent.
    pub percent: i64,
    /// As shown.
    pub text: String,
}

/// The score over periods; nothing with fewer than two.
#[must_use]
pub fn trend(title: &str, points: &[Point], alt: String, paint: &Paint<'_>) -> Option<Chart> {
    let rated: Vec<i64> = points.iter().filter_map(|p| Some(hundredths(p.score?))).collect();
    let lowest = *rated.iter().min()?;
    if points.len() < 2 {
        return None;
    }
    let (height, top, bottom) = (188, 52, 150);
    let (left, right) = (46, WIDTH - 18);
    // ten points of air below the lowest, on a full ten
    let floor = (lowest / 1000 - 1).clamp(0, 9) * 1000;
    let y = |score: i64| bottom - (score - floor) * (bottom - top) / (10000 - floor);
    let last = i64::try_from(points.len() - 1).unwrap_or(1).max(1);
    let x = |i: i64| left + 14 + i * (right - left - 28) / last;
    let mut canvas = Canvas::new((WIDTH, height), paint, title, "");
    canvas.text((16, 26), Style { bold: true, ..PLAIN }, paint.ink, title);
    let step = if floor >= 7000 { 1000 } else { 2000 };
    let mut level = 10000;
    while level >= floor {
        canvas.line((left, y(level)), (right, y(level)), (paint.line, 1));
        let end = Style {
            size: 11,
            anchor: "end",
            ..PLAIN
        };
        canvas.text((left - 8, y(level) + 4), end, paint.muted, &(level / 100).to_string());
        level -= step;
    }
    let mut before: Option<(i64, i64)> = None;
    for (i, point) in (0i64..).zip(points) {
        let middle = Style {
            size: 11,
            anchor: "middle",
            ..PLAIN
        };
        canvas.text((x(i), bottom + 24), middle, paint.muted, &point.period);
        let here = point.score.map(|score| (x(i), y(hundredths(score))));
        if let (Some(from), Some(to)) = (before, here) {
            canvas.line(from, to, (paint.bar, 3));
        }
        before = here;
    }
    for (i, point) in (0i64..).zip(points) {
        let middle = Style {
            size: 12,
            bold: true,
            anchor: "middle",
        };
        match point.score {
            Some(score) => {
                let at = (x(i), y(hundredths(score)));
                canvas.dot(at, 5, paint.bar);
                canvas.text((at.0, at.1 - 11), middle, paint.ink, &point.text);
            }
            None => canvas.text((x(i), bottom - 8), middle, paint.muted, "–"),
        }
    }
    Some(chart(canvas, "trend", height, alt))
}

/// What a change is made of, from one score to the other; nothing without parts.
#[must_use]
pub fn waterfall(title: &str, ends: &[Part; 2], parts: &[Part], alt: String, paint: &Paint<'_>) -> Option<Chart> {
    if parts.is_empty() {
        return None;
    }
    let mut rows: Vec<(String, i64, String)> = parts
        .iter()
        .take(MOST_PARTS)
        .map(|p| (short(&p.label, LABEL), hundredths(p.points), p.text.clone()))
        .collect();
    let rest: i64 = parts.iter().skip(MOST_PARTS).map(|p| hundredths(p.points)).sum();
    if parts.len() > MOST_PARTS {
        let sign = if rest > 0 { "+" } else { "" };
        rows.push(("…".to_owned(), rest, format!("{sign}{}", Dec::new(i128::from(rest), 2))));
    }
    let [from, to] = ends.each_ref().map(|end| hundredths(end.points));
    let mut levels = vec![from, to];
    let mut level = from;
    for (_, points, _) in &rows {
        level += points;
        levels.push(level);
    }
    let (low, high) = (levels.iter().min()?, levels.iter().max()?);
    // air on both sides, so that the smallest part of a small change can be seen
    let air = ((high - low) / 6).max(100);
    let (low, high) = ((low - air).max(0), high + air);
    let (left, right) = (210, WIDTH - 70);
    let x = |score: i64| left + (score - low) * (right - left) / (high - low).max(1);
    let row = 26;
    let count = i64::try_from(rows.len()).unwrap_or(0) + 2;
    let height = 44 + row * count + 10;
    let mut canvas = Canvas::new((WIDTH, height), paint, title, "");
    canvas.text((16, 26), Style { bold: true, ..PLAIN }, paint.ink, title);
    let mut top = 44;
    let bold = Style {
        size: 12,
        bold: true,
        anchor: "start",
    };
    let plain = Style { size: 12, ..PLAIN };
    let value = Style {
        size: 12,
        bold: true,
        anchor: "end",
    };
    let whole = |canvas: &mut Canvas, top: i64, end: &Part, score: i64| {
        canvas.text((16, top + 16), bold, paint.ink, &short(&end.label, LABEL));
        canvas.rect((left, top + 4), ((x(score) - left).max(2), 16), paint.bar, 3);
        canvas.text((WIDTH - 16, top + 16), value, paint.ink, &end.text);
    };
    whole(&mut canvas, top, &ends[0], from);
    let mut level = from;
    for (label, points, text) in &rows {
        top += row;
        let next = level + points;
        let (start, end) = (x(level.min(next)), x(level.max(next)));
        let tone = if *points < 0 { paint.down } else { paint.up };
        canvas.text((16, top + 16), plain, paint.ink, label);
        canvas.line((x(level), top - 6), (x(level), top + 4), (paint.muted, 1));
        canvas.rect((start, top + 4), ((end - start).max(2), 16), tone, 3);
        canvas.text((WIDTH - 16, top + 16), value, tone, text);
        level = next;
    }
    whole(&mut canvas, top + row, &ends[1], to);
    Some(chart(canvas, "changes", height, alt))
}

/// Bars of what is under way; nothing without any.
#[must_use]
pub fn progress(title: &str, bars: &[Bar], alt: String, paint: &Paint<'_>) -> Option<Chart> {
    if bars.is_empty() {
        return None;
    }
    let row = 42;
    let height = 40 + row * i64::try_from(bars.len()).unwrap_or(0) + 6;
    let mut canvas = Canvas::new((WIDTH, height), paint, title, "");
    canvas.text((16, 26), Style { bold: true, ..PLAIN }, paint.ink, title);
    let width = WIDTH - 32 - 48;
    for (i, bar) in (0i64..).zip(bars) {
        let top = 40 + i * row;
        let plain = Style { size: 12, ..PLAIN };
        canvas.text((16, top + 12), plain, paint.ink, &short(&bar.label, LONG_LABEL));
        let end = Style {
            size: 12,
            bold: true,
            anchor: "end",
        };
        canvas.text((WIDTH - 16, top + 29), end, paint.ink, &bar.text);
        canvas.rect((16, top + 19), (width, 10), paint.bar_rest, 5);
        let part = width * bar.percent.clamp(0, 100) / 100;
        if part > 0 {
            canvas.rect((16, top + 19), (part.max(10), 10), paint.bar, 5);
        }
    }
    Some(chart(canvas, "progress", height, alt))
}

fn chart(canvas: Canvas, name: &'static str, height: i64, alt: String) -> Chart {
    Chart {
        name,
        svg: canvas.finish(),
        height,
        alt,
    }
}

/// A score in hundredths of a point.
fn hundredths(score: Dec) -> i64 {
    let units = score.rescale(2).map_or(0, Dec::units);
    i64::try_from(units).unwrap_or(0)
}

/// At most so many characters that it fits.
fn short(label: &str, most: usize) -> String {
    if label.chars().count() <= most {
        return label.to_owned();
    }
    let start: String = label.chars().take(most - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIGHT: Paint<'static> = Paint {
        tile: "#f4f6f9",
        line: "#c9d1db",
        ink: "#16202e",
        muted: "#4a5563",
        bar: "#1d4f91",
        bar_rest: "#d9e1ea",
        up: "#1f6b3a",
        down: "#a3181f",
        font: "sans-serif",
    };

    fn dec(text: &str) -> Dec {
        Dec::parse(text).unwrap()
    }

    fn part(label: &str, points: &str) -> Part {
        Part {
            label: label.to_owned(),
            points: dec(points),
            text: points.to_owned(),
        }
    }

    #[test]
    fn labels_are_escaped() {
        let chart = progress(
            "<b>&\"'\u{7}",
            &[Bar {
                label: "</svg><script>".to_owned(),
                percent: 50,
                text: "1 & 2".to_owned(),
            }],
            String::new(),
            &LIGHT,
        )
        .unwrap();
        assert!(chart.svg.contains("&lt;b&gt;&amp;&quot;&#39; "), "{}", chart.svg);
        assert!(!chart.svg.contains("<script"));
        assert_eq!(chart.svg.matches("</svg>").count(), 1);
    }

    #[test]
    fn a_waterfall_ends_where_its_parts_lead() {
        let ends = [part("2026-Q2", "81.91"), part("2026-Q3", "85.06")];
        let chart = waterfall(
            "From 81.91 to 85.06",
            &ends,
            &[part("a", "5.00"), part("b", "-1.85")],
            String::new(),
            &LIGHT,
        )
        .unwrap();
        // the end of the last part is the end of the last whole bar
        let widths = |y: i64| -> (i64, i64) {
            let row = chart
                .svg
                .split("<rect ")
                .find(|r| r.contains(&format!("y=\"{y}\"")))
                .unwrap();
            let figure = |name: &str| -> i64 {
                let rest = row.split_once(&format!("{name}=\"")).unwrap();
                rest.1.split('"').next().unwrap().parse().unwrap()
            };
            (figure("x"), figure("width"))
        };
        let (first, second, last) = (widths(74), widths(100), widths(126));
        assert_eq!(first.0 + first.1, second.0 + second.1, "b begins where a ends");
        assert_eq!(second.0, last.0 + last.1);
        assert!(chart.svg.contains(LIGHT.down) && chart.svg.contains(LIGHT.up));
    }

    #[test]
    fn more_parts_than_fit_are_one() {
        let parts: Vec<Part> = (0..12).map(|_| part("x", "0.50")).collect();
        let chart = waterfall("t", &[part("a", "80"), part("b", "86")], &parts, String::new(), &LIGHT).unwrap();
        assert!(chart.svg.contains("+2.00"), "{}", chart.svg);
        assert!(waterfall("t", &[part("a", "80"), part("b", "86")], &[], String::new(), &LIGHT).is_none());
    }

    #[test]
    fn a_trend_has_a_gap_where_nothing_was_rated() {
        let point = |period: &str, score: Option<&str>| Point {
            period: period.to_owned(),
            score: score.map(dec),
            text: score.unwrap_or("").to_owned(),
        };
        let points = [
            point("2026-Q1", Some("80.00")),
            point("2026-Q2", None),
            point("2026-Q3", Some("99.99")),
        ];
        let chart = trend("Score", &points, String::new(), &LIGHT).unwrap();
        assert_eq!(chart.svg.matches("<circle").count(), 2);
        assert!(
            !chart.svg.contains(&format!("stroke=\"{}\"", LIGHT.bar)),
            "no line over the gap"
        );
        assert!(trend("Score", &points[..1], String::new(), &LIGHT).is_none());
        assert!(trend("Score", &[points[1].clone(), points[1].clone()], String::new(), &LIGHT).is_none());
    }
}

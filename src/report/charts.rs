//! Pictures as SVG.
//!
//! Duty: bars, a funnel and a line from whole numbers, with a title and a description for those who cannot see them. Must
//! not: use floats, or colour as the only sign. Colours come from the page (classes), so that they follow light and dark.

use std::fmt::Write as _;

/// Escaped for text and attributes.
fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

struct Svg {
    out: String,
}

impl Svg {
    fn begin(id: &str, width: i64, height: i64, title: &str, description: &str) -> Svg {
        let (id, title, description) = (escaped(id), escaped(title), escaped(description));
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\"><title id=\"{id}-t\">{title}</title>\
             <desc id=\"{id}-d\">{description}</desc>"
        );
        Svg { out }
    }

    fn text(&mut self, x: i64, y: i64, anchor: &str, class: &str, text: &str) {
        let text = escaped(text);
        let _ = write!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" class=\"{class}\">{text}</text>"
        );
    }

    fn line(&mut self, (x1, y1): (i64, i64), (x2, y2): (i64, i64), class: &str) {
        let _ = write!(
            self.out,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>"
        );
    }

    fn bar(&mut self, (x, y): (i64, i64), (width, height): (i64, i64), class: &str) {
        let _ = write!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" class=\"{class}\"/>"
        );
    }

    fn path(&mut self, points: &[(i64, i64)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let _ = write!(
            self.out,
            "<polyline points=\"{}\" class=\"{class}\"/>",
            points.join(" ")
        );
    }

    fn end(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

/// Columns with a label below and their number above.
#[must_use]
pub fn columns(id: &str, title: &str, bars: &[(String, i64)]) -> String {
    let (width, height, base) = (400, 220, 180);
    let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let says: Vec<String> = bars.iter().map(|(label, n)| format!("{label}: {n}")).collect();
    let mut svg = Svg::begin(id, width, height, title, &says.join("; "));
    let count = i64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = (width - 20) / count;
    for (i, (label, n)) in (0_i64..).zip(bars) {
        let x = 10 + i * step;
        let tall = n.max(&0) * 140 / most;
        svg.bar((x + step / 8, base - tall), (step * 3 / 4, tall.max(1)), "bar");
        svg.text(x + step / 2, base - tall - 6, "middle", "value", &n.to_string());
        svg.text(x + step / 2, base + 18, "middle", "label", label);
    }
    svg.line((10, base), (width - 10, base), "axis");
    svg.end()
}

/// One point of a funnel: observations, share in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub n: i64,
    pub share: i64,
}

/// Where chance would leave a share of `n` observations around a centre, in ten-thousandths: centre ± z·√(p(1 − p)/n), z in
/// thousandths; held in 0 and 10,000.
#[must_use]
pub fn limits(centre: i64, n: i64, z_thousandths: i64) -> (i64, i64) {
    let centre = centre.clamp(0, 10_000);
    if n <= 0 {
        return (0, 10_000);
    }
    // in hundredths of a ten-thousandth, so that the root keeps two digits more
    let variance = u64::try_from(centre * (10_000 - centre) * 10_000 / n).unwrap_or(0);
    let deviation = i64::try_from(variance.isqrt()).unwrap_or(0);
    let reach = deviation * z_thousandths / 1000 / 100;
    ((centre - reach).max(0), (centre + reach).min(10_000))
}

/// z of 95 % and of 99.8 %, in thousandths.
pub const Z: [i64; 2] = [1960, 3090];

/// Shares against the number of observations, with the limits that chance would keep.
#[must_use]
pub fn funnel(id: &str, title: &str, centre: i64, points: &[Point]) -> String {
    let (width, height) = (440, 340);
    let most = points.iter().map(|p| p.n).max().unwrap_or(1).max(1);
    let least = points
        .iter()
        .map(|p| p.share)
        .min()
        .unwrap_or(0)
        .min(limits(centre, 5, Z[1]).0.max(3000))
        .max(0);
    let (left, right, top, bottom) = (64, width - 16, 20, height - 50);
    let x = |n: i64| left + n * (right - left) / most;
    let y = |share: i64| bottom - (share - least).max(0) * (bottom - top) / (10_000 - least).max(1);
    let outside = points.iter().filter(|p| is_outside(centre, **p)).count();
    let says = format!(
        "{} results; centre {} %; {outside} outside the limits of 99.8 %",
        points.len(),
        tenths(centre)
    );
    let mut svg = Svg::begin(id, width, height, title, &says);
    svg.line((left, bottom), (right, bottom), "axis");
    svg.line((left, top), (left, bottom), "axis");
    for share in [least, i64::midpoint(least, 10_000), 10_000] {
        svg.text(left - 6, y(share) + 4, "end", "label", &format!("{} %", tenths(share)));
    }
    for n in [0, most / 2, most] {
        svg.text(x(n), bottom + 18, "middle", "label", &n.to_string());
    }
    svg.text(i64::midpoint(left, right), height - 8, "middle", "label", "answers");
    for (z, class) in Z.into_iter().zip(["limit near", "limit far"]) {
        for upper in [false, true] {
            let curve: Vec<(i64, i64)> = (0..=80)
                .map(|i| (most * i / 80).max(2))
                .map(|n| {
                    let (low, high) = limits(centre, n, z);
                    (x(n), y(if upper { high } else { low }))
                })
                .collect();
            svg.path(&curve, class);
        }
    }
    svg.line((left, y(centre)), (right, y(centre)), "centre");
    for point in points {
        let (px, py) = (x(point.n), y(point.share));
        // outside: a cross, and not only another colour
        if is_outside(centre, *point) {
            svg.line((px - 4, py - 4), (px + 4, py + 4), "out");
            svg.line((px - 4, py + 4), (px + 4, py - 4), "out");
        } else {
            let _ = write!(svg.out, "<circle cx=\"{px}\" cy=\"{py}\" r=\"3\" class=\"dot\"/>");
        }
    }
    svg.end()
}

/// Whether a share lies outside what chance would keep in 99.8 of 100.
#[must_use]
pub fn is_outside(centre: i64, point: Point) -> bool {
    let (low, high) = limits(centre, point.n, Z[1]);
    point.share < low || point.share > high
}

/// Ten-thousandths as per cent with one decimal.
#[must_use]
pub fn tenths(share: i64) -> String {
    format!("{}.{}", share / 100, share % 100 / 10)
}

/// Scores over periods, in hundredths; a period without one is a gap.
#[must_use]
pub fn trend(id: &str, title: &str, scores: &[(String, Option<i64>)]) -> String {
    let (width, height) = (400, 200);
    let (left, right, top, bottom) = (62, width - 34, 24, height - 40);
    let count = i64::try_from(scores.len()).unwrap_or(1).max(2);
    let says: Vec<String> = scores
        .iter()
        .map(|(period, score)| format!("{period}: {}", score.map_or("not rated".to_owned(), shown)))
        .collect();
    let mut svg = Svg::begin(id, width, height, title, &says.join("; "));
    let at = |i: i64, score: i64| {
        (
            left + i * (right - left) / (count - 1),
            bottom - score * (bottom - top) / 10_000,
        )
    };
    for grid in [0, 5000, 10_000] {
        let y = at(0, grid).1;
        svg.line((left - 26, y), (right + 20, y), "grid");
        svg.text(left - 32, y + 4, "end", "label", &(grid / 100).to_string());
    }
    let mut run: Vec<(i64, i64)> = Vec::new();
    for (i, (period, score)) in (0_i64..).zip(scores) {
        svg.text(at(i, 0).0, bottom + 20, "middle", "label", period);
        let Some(score) = score else {
            svg.path(&std::mem::take(&mut run), "series");
            continue;
        };
        let (x, y) = at(i, *score);
        run.push((x, y));
        let _ = write!(svg.out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" class=\"mark\"/>");
        svg.text(x, y - 8, "middle", "value", &shown(*score));
    }
    svg.path(&run, "series");
    svg.end()
}

fn shown(score: i64) -> String {
    format!("{}.{:02}", score / 100, score % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_a_share() {
        // √(0.9·0.1/100) = 0.03: 1.96 and 3.09 of it
        assert_eq!(limits(9000, 100, Z[0]), (9000 - 588, 9588));
        assert_eq!(limits(9000, 100, Z[1]), (9000 - 927, 9927));
        assert_eq!(limits(9000, 4, Z[1]), (4365, 10_000));
        assert_eq!(limits(9000, 0, Z[1]), (0, 10_000));
        assert_eq!(limits(10_000, 50, Z[1]), (10_000, 10_000));
        assert!(is_outside(9000, Point { n: 100, share: 8072 }) && !is_outside(9000, Point { n: 100, share: 8073 }));
    }

    #[test]
    fn texts_are_escaped_and_numbers_are_told() {
        let svg = columns("g", "<script>", &[("A & B".to_owned(), 3), ("\"C\"".to_owned(), 0)]);
        assert!(
            !svg.contains("<script>") && svg.contains("&lt;script&gt;") && svg.contains("A &amp; B: 3"),
            "{svg}"
        );
        let line = trend(
            "t",
            "Trend",
            &[("2026-Q1".to_owned(), None), ("2026-Q2".to_owned(), Some(9005))],
        );
        assert!(line.contains("2026-Q1: not rated; 2026-Q2: 90.05"), "{line}");
        for svg in [svg, line, funnel("f", "F", 9000, &[Point { n: 3, share: 0 }])] {
            assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
            assert!(svg.contains("role=\"img\"") && svg.contains("<title") && svg.contains("<desc"));
        }
    }
}

//! The figures of a page: numbers as columns, shares against their counts.
//!
//! Duty: bars and a funnel from whole numbers, with a title and a description for those who cannot see them. Not its duty:
//! which numbers. Colour is never the only sign.

use super::{Canvas, PLAIN, Paint, Style};

const MIDDLE: Style = Style {
    anchor: "middle",
    ..PLAIN
};
const END: Style = Style { anchor: "end", ..PLAIN };

/// Columns with a label below and their number above.
#[must_use]
pub fn columns(title: &str, bars: &[(String, i64)], paint: &Paint<'_>) -> String {
    let (width, height, base) = (400, 220, 180);
    let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let says: Vec<String> = bars.iter().map(|(label, n)| format!("{label}: {n}")).collect();
    let mut svg = Canvas::new((width, height), paint, title, &says.join("; "));
    let count = i64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = (width - 20) / count;
    for (i, (label, n)) in (0_i64..).zip(bars) {
        let x = 10 + i * step;
        let tall = n.max(&0) * 140 / most;
        svg.rect((x + step / 8, base - tall), (step * 3 / 4, tall.max(1)), paint.bar, 0);
        svg.text((x + step / 2, base - tall - 6), MIDDLE, paint.ink, &n.to_string());
        svg.text((x + step / 2, base + 18), MIDDLE, paint.muted, label);
    }
    svg.line((10, base), (width - 10, base), (paint.ink, 1));
    svg.finish()
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
pub fn funnel(title: &str, centre: i64, points: &[Point], paint: &Paint<'_>) -> String {
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
    let mut svg = Canvas::new((width, height), paint, title, &says);
    svg.line((left, bottom), (right, bottom), (paint.ink, 1));
    svg.line((left, top), (left, bottom), (paint.ink, 1));
    for share in [least, i64::midpoint(least, 10_000), 10_000] {
        svg.text(
            (left - 6, y(share) + 4),
            END,
            paint.muted,
            &format!("{} %", tenths(share)),
        );
    }
    for n in [0, most / 2, most] {
        svg.text((x(n), bottom + 18), MIDDLE, paint.muted, &n.to_string());
    }
    svg.text((i64::midpoint(left, right), height - 8), MIDDLE, paint.muted, "answers");
    for (z, dashes) in Z.into_iter().zip(["6 4", ""]) {
        for upper in [false, true] {
            let curve: Vec<(i64, i64)> = (0..=80)
                .map(|i| (most * i / 80).max(2))
                .map(|n| {
                    let (low, high) = limits(centre, n, z);
                    (x(n), y(if upper { high } else { low }))
                })
                .collect();
            svg.path(&curve, (paint.muted, 2), dashes);
        }
    }
    svg.line((left, y(centre)), (right, y(centre)), (paint.ink, 2));
    for point in points {
        let (px, py) = (x(point.n), y(point.share));
        // outside: a cross, and not only another colour
        if is_outside(centre, *point) {
            svg.line((px - 4, py - 4), (px + 4, py + 4), (paint.down, 2));
            svg.line((px - 4, py + 4), (px + 4, py - 4), (paint.down, 2));
        } else {
            svg.dot((px, py), 3, paint.bar);
        }
    }
    svg.finish()
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAINT: Paint<'static> = Paint {
        tile: "#fff",
        line: "#ccc",
        ink: "#000",
        muted: "#444",
        bar: "#00f",
        bar_rest: "#ddd",
        up: "#060",
        down: "#600",
        font: "sans-serif",
    };

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
        let svg = columns("<script>", &[("A & B".to_owned(), 3), ("\"C\"".to_owned(), 0)], &PAINT);
        assert!(
            !svg.contains("<script>") && svg.contains("&lt;script&gt;") && svg.contains("A &amp; B: 3"),
            "{svg}"
        );
        for svg in [svg, funnel("F", 9000, &[Point { n: 3, share: 0 }], &PAINT)] {
            assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
            assert!(svg.contains("role=\"img\"") && svg.contains("<title") && svg.contains("<desc"));
        }
    }
}

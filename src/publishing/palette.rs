//! The colours of the scorecard, light and dark, and which of them stand upon one another.
//!
//! Duty: every colour in one place, so that a test can compute the contrast of every pair that is used. Not its duty:
//! meaning: no figure is told by colour alone.

use serde::Serialize;

/// Colours of one mode, as `#rrggbb`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Palette {
    /// Behind everything.
    pub page: &'static str,
    pub card: &'static str,
    pub tile: &'static str,
    pub line: &'static str,
    pub ink: &'static str,
    pub muted: &'static str,
    pub link: &'static str,
    pub head: &'static str,
    pub head_ink: &'static str,
    pub head_muted: &'static str,
    pub bar: &'static str,
    pub bar_rest: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub grades: Grades,
}

/// Ink and ground by grade; `none` where there is no grade.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Grades {
    pub a: Pair,
    pub b: Pair,
    pub c: Pair,
    pub d: Pair,
    pub e: Pair,
    #[serde(rename = "none")]
    pub none: Pair,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair {
    pub ink: &'static str,
    pub ground: &'static str,
}

const fn pair(ink: &'static str, ground: &'static str) -> Pair {
    Pair { ink, ground }
}

pub const LIGHT: Palette = Palette {
    page: "#eef1f5",
    card: "#ffffff",
    tile: "#f4f6f9",
    line: "#dde3ea",
    ink: "#16202e",
    muted: "#55606e",
    link: "#1d4f91",
    head: "#13294b",
    head_ink: "#ffffff",
    head_muted: "#c3d0e2",
    bar: "#2f6db5",
    bar_rest: "#dde3ea",
    up: "#11633a",
    down: "#9b1c2b",
    grades: Grades {
        a: pair("#11633a", "#e1f3e8"),
        b: pair("#0f5566", "#dff1f5"),
        c: pair("#724800", "#fdf0d2"),
        d: pair("#933a00", "#fde7da"),
        e: pair("#9b1c2b", "#fce3e6"),
        none: pair("#4a5563", "#e9edf2"),
    },
};

pub const DARK: Palette = Palette {
    page: "#0b1119",
    card: "#151e2b",
    tile: "#1c2737",
    line: "#2e3c4f",
    ink: "#e9eef5",
    muted: "#a9b6c6",
    link: "#8ab8f5",
    head: "#0f2444",
    head_ink: "#ffffff",
    head_muted: "#b9c9de",
    bar: "#6aa5e8",
    bar_rest: "#2e3c4f",
    up: "#8fe0b0",
    down: "#ff9ba5",
    grades: Grades {
        a: pair("#8fe0b0", "#143524"),
        b: pair("#8bdbe9", "#10343c"),
        c: pair("#f4cf7e", "#3b2d0c"),
        d: pair("#ffb48f", "#44230f"),
        e: pair("#ff9ba5", "#4a1b22"),
        none: pair("#b9c4d1", "#263342"),
    },
};

#[cfg(test)]
#[expect(
    clippy::float_arithmetic,
    reason = "contrast is a formula over reals, and only a test computes it"
)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.1.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn text_stands_out_from_its_ground_in_both_modes() {
        for p in [LIGHT, DARK] {
            let mut pairs = vec![
                (p.ink, p.page),
                (p.muted, p.page),
                (p.head_ink, p.head),
                (p.head_muted, p.head),
            ];
            for ink in [p.ink, p.muted, p.link, p.up, p.down] {
                pairs.extend([(ink, p.card), (ink, p.tile)]);
            }
            let g = p.grades;
            pairs.extend([g.a, g.b, g.c, g.d, g.e, g.none].map(|pair| (pair.ink, pair.ground)));
            pairs.push((p.ink, g.e.ground));
            for (ink, ground) in pairs {
                let (a, b) = (luminance(ink), luminance(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{ink} on {ground}: {contrast:.2}");
            }
        }
    }
}

//! The colours of the scorecard, light and dark, and which of them stand upon one another.
//!
//! Duty: every colour in one place, and the contrast of every pair that is used, in whole numbers, so that a test and
//! the settings of a brand are held to the same. Not its duty: meaning: no figure is told by colour alone.

use serde::Serialize;

use crate::charts::Paint;

/// Colours of one mode, as `#rrggbb`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Palette<'a> {
    /// Behind everything.
    pub page: &'a str,
    pub card: &'a str,
    pub tile: &'a str,
    pub line: &'a str,
    pub ink: &'a str,
    pub muted: &'a str,
    pub link: &'a str,
    pub head: &'a str,
    pub head_ink: &'a str,
    pub head_muted: &'a str,
    pub bar: &'a str,
    pub bar_rest: &'a str,
    pub up: &'a str,
    pub down: &'a str,
    pub grades: Grades<'a>,
}

/// Ink and ground by grade; `none` where there is no grade.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Grades<'a> {
    pub a: Pair<'a>,
    pub b: Pair<'a>,
    pub c: Pair<'a>,
    pub d: Pair<'a>,
    pub e: Pair<'a>,
    #[serde(rename = "none")]
    pub none: Pair<'a>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pair<'a> {
    pub ink: &'a str,
    pub ground: &'a str,
}

const fn pair<'a>(ink: &'a str, ground: &'a str) -> Pair<'a> {
    Pair { ink, ground }
}

pub const LIGHT: Palette<'static> = Palette {
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

pub const DARK: Palette<'static> = Palette {
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

/// Least contrast of text and its ground, in hundredths: 4.5 : 1 (WCAG 2.1, AA).
pub const LEAST_CONTRAST: u32 = 450;

/// Whether a text is a colour as this room writes it: `#rrggbb`.
#[must_use]
pub fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Contrast of two colours in hundredths, cut: 450 is 4.5 : 1. Nothing for what is no colour.
#[must_use]
pub fn contrast(a: &str, b: &str) -> Option<u32> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    // 0.05 in millions of the largest luminance
    Some((a.max(b) + 500_000) * 100 / (a.min(b) + 500_000))
}

/// Relative luminance of WCAG 2.1, 0 to 10,000,000.
fn luminance(colour: &str) -> Option<u32> {
    let hex = colour.strip_prefix('#').filter(|_| is_colour(colour))?;
    let channel = |at: usize| {
        let value = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
        Some(LINEAR[usize::from(value)])
    };
    // 0.2126 R + 0.7152 G + 0.0722 B, of shares in hundred-thousandths
    Some((2126 * channel(0)? + 7152 * channel(2)? + 722 * channel(4)?) / 100)
}

impl<'a> Palette<'a> {
    /// What charts are drawn with.
    #[must_use]
    pub fn paint(&self) -> Paint<'a> {
        Paint {
            tile: self.tile,
            line: self.line,
            ink: self.ink,
            muted: self.muted,
            bar: self.bar,
            bar_rest: self.bar_rest,
            up: self.up,
            down: self.down,
            font: "Noto Sans, sans-serif",
        }
    }

    /// Every pair of ink and ground that templates and charts use, with its name.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, &'a str, &'a str)> {
        let p = self;
        let mut pairs = vec![
            ("ink on page", p.ink, p.page),
            ("muted on page", p.muted, p.page),
            ("head_ink on head", p.head_ink, p.head),
            ("head_muted on head", p.head_muted, p.head),
            ("ink on the ground of E", p.ink, p.grades.e.ground),
        ];
        for (name, ink) in [
            ("ink on card", p.ink),
            ("muted on card", p.muted),
            ("link on card", p.link),
            ("up on card", p.up),
            ("down on card", p.down),
        ] {
            pairs.extend([(name, ink, p.card), (name, ink, p.tile)]);
        }
        let g = p.grades;
        pairs.extend([g.a, g.b, g.c, g.d, g.e, g.none].map(|pair| ("a grade", pair.ink, pair.ground)));
        pairs
    }
}

/// The share of light of each value of a channel, in hundred-thousandths: the curve of sRGB.
#[rustfmt::skip]
const LINEAR: [u32; 256] = [
    0, 30, 61, 91, 121, 152, 182, 212, 243, 273, 304, 335, 368, 402, 439, 478,
    518, 561, 605, 651, 700, 750, 802, 857, 913, 972, 1033, 1096, 1161, 1229, 1298, 1370,
    1444, 1521, 1600, 1681, 1764, 1850, 1938, 2029, 2122, 2217, 2315, 2416, 2519, 2624, 2732, 2843,
    2956, 3071, 3190, 3310, 3434, 3560, 3689, 3820, 3955, 4092, 4231, 4374, 4519, 4667, 4817, 4971,
    5127, 5286, 5448, 5613, 5781, 5951, 6125, 6301, 6480, 6663, 6848, 7036, 7227, 7421, 7619, 7819,
    8022, 8228, 8438, 8650, 8866, 9084, 9306, 9531, 9759, 9990, 10_224, 10_462, 10_702, 10_946, 11_193, 11_444,
    11_697, 11_954, 12_214, 12_477, 12_744, 13_014, 13_287, 13_563, 13_843, 14_126, 14_413, 14_703, 14_996, 15_293, 15_593, 15_896,
    16_203, 16_513, 16_827, 17_144, 17_465, 17_789, 18_116, 18_447, 18_782, 19_120, 19_462, 19_807, 20_156, 20_508, 20_864, 21_223,
    21_586, 21_953, 22_323, 22_697, 23_074, 23_455, 23_840, 24_228, 24_620, 25_016, 25_415, 25_818, 26_225, 26_636, 27_050, 27_468,
    27_889, 28_315, 28_744, 29_177, 29_614, 30_054, 30_499, 30_947, 31_399, 31_855, 32_314, 32_778, 33_245, 33_716, 34_191, 34_670,
    35_153, 35_640, 36_131, 36_625, 37_124, 37_626, 38_133, 38_643, 39_157, 39_676, 40_198, 40_724, 41_254, 41_789, 42_327, 42_869,
    43_415, 43_966, 44_520, 45_079, 45_641, 46_208, 46_778, 47_353, 47_932, 48_515, 49_102, 49_693, 50_289, 50_888, 51_492, 52_100,
    52_712, 53_328, 53_948, 54_572, 55_201, 55_834, 56_471, 57_112, 57_758, 58_408, 59_062, 59_720, 60_383, 61_050, 61_721, 62_396,
    63_076, 63_760, 64_448, 65_141, 65_837, 66_539, 67_244, 67_954, 68_669, 69_387, 70_110, 70_838, 71_569, 72_306, 73_046, 73_791,
    74_540, 75_294, 76_052, 76_815, 77_582, 78_354, 79_130, 79_910, 80_695, 81_485, 82_279, 83_077, 83_880, 84_687, 85_499, 86_316,
    87_137, 87_962, 88_792, 89_627, 90_466, 91_310, 92_158, 93_011, 93_869, 94_731, 95_597, 96_469, 97_345, 98_225, 99_110, 100_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_out_from_its_ground_in_both_modes() {
        for p in [LIGHT, DARK] {
            for (name, ink, ground) in p.pairs() {
                let found = contrast(ink, ground).unwrap();
                assert!(found >= LEAST_CONTRAST, "{name}: {ink} on {ground}: {found}");
            }
        }
    }

    #[test]
    fn contrast_is_that_of_the_standard() {
        assert_eq!(contrast("#000000", "#ffffff"), Some(2100));
        assert_eq!(contrast("#777777", "#ffffff"), Some(447));
        assert_eq!(contrast("#767676", "#ffffff"), Some(454));
        assert_eq!(contrast("#ff0000", "#ffffff"), Some(399));
        for bad in ["", "#fff", "red", "#12345g", "#1234567", "#ä1234"] {
            assert_eq!(contrast(bad, "#ffffff"), None, "{bad}");
        }
    }
}

//! Charts as PNG, for readers that show no SVG.
//!
//! Duty: the pixels of an SVG, with fonts that are handed in or embedded and none of the machine's, so that the bytes
//! are the same everywhere. Not its duty: what a chart shows (`charts`), reading font files.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::inputs::PublishingError;
use crate::charts::card::Chart;

/// Pixels of a picture for one of the page: screens of phones have two and more.
const SCALE: u16 = 2;

/// A picture within a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Unique within the message; what a Content-ID begins with.
    pub name: String,
    pub png: Vec<u8>,
    pub alt: String,
    /// In pixels of the page.
    pub width: u32,
    pub height: u32,
}

/// Draws charts. Make it once: it holds the fonts.
#[derive(Debug)]
pub struct Painter {
    options: Options<'static>,
    /// Fonts of the programme's own are there: any word can be drawn.
    any_words: bool,
}

impl Painter {
    /// With the embedded fonts, and font files of the programme's own.
    #[must_use]
    pub fn new(fonts: &[Vec<u8>]) -> Painter {
        let mut database = fontdb::Database::new();
        for font in embedded_fonts() {
            database.load_font_data(font.to_vec());
        }
        for font in fonts {
            database.load_font_data(font.clone());
        }
        let options = Options {
            font_family: "Noto Sans".to_owned(),
            fontdb: Arc::new(database),
            ..Options::default()
        };
        Painter {
            options,
            any_words: !fonts.is_empty(),
        }
    }

    /// Whether a text can be drawn.
    #[must_use]
    pub fn can_draw(&self, text: &str) -> bool {
        self.any_words || text.chars().all(is_embedded)
    }

    /// Draws a chart.
    pub fn draw(&self, chart: &Chart) -> Result<Picture, PublishingError> {
        self.draw_svg(&chart.svg, chart.name, &chart.alt)
    }

    /// Draws any SVG, such as a logo.
    pub fn draw_svg(&self, svg: &str, name: &str, alt: &str) -> Result<Picture, PublishingError> {
        let failed = |what: &dyn std::fmt::Display| PublishingError::Template(format!("picture {name}: {what}"));
        let tree = Tree::from_str(svg, &self.options).map_err(|e| failed(&e))?;
        let size = tree.size().to_int_size();
        let (width, height) = (size.width(), size.height());
        let scale = u32::from(SCALE);
        let mut pixels = Pixmap::new(width * scale, height * scale).ok_or_else(|| failed(&"it has no size"))?;
        let transform = Transform::from_scale(SCALE.into(), SCALE.into());
        resvg::render(&tree, transform, &mut pixels.as_mut());
        Ok(Picture {
            name: name.to_owned(),
            png: pixels.encode_png().map_err(|e| failed(&e))?,
            alt: alt.to_owned(),
            width,
            height,
        })
    }
}

/// The face of charts and statements: Noto Sans, regular and bold.
#[must_use]
pub fn embedded_fonts() -> [&'static [u8]; 2] {
    [ttf_noto_sans::REGULAR, ttf_noto_sans::BOLD]
}

/// Letters that the embedded fonts are sure to have: Latin, Greek and Cyrillic, punctuation, currencies, minus.
fn is_embedded(c: char) -> bool {
    matches!(c,
        ' '..='~' | '\u{a0}'..='\u{17f}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{45f}'
        | '\u{2010}'..='\u{2026}' | '\u{202f}' | '\u{20ac}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::super::palette::LIGHT;
    use super::*;
    use crate::charts::card::{Bar, progress};

    #[test]
    fn a_picture_is_small_and_the_same_every_time() {
        let bar = |label: &str| Bar {
            label: label.to_owned(),
            percent: 40,
            text: "40 %".to_owned(),
        };
        let chart = |label: &str| {
            progress(
                "On the way",
                &[bar(label)],
                "On the way: 40 %.".to_owned(),
                &LIGHT.paint(),
            )
            .unwrap()
        };
        let painter = Painter::new(&[]);
        let picture = painter.draw(&chart("Añades – Größe")).unwrap();
        assert!(picture.png.starts_with(b"\x89PNG\r\n"));
        assert!((1000..20_000).contains(&picture.png.len()), "{}", picture.png.len());
        assert_eq!((picture.width, picture.height), (420, 88));
        assert_eq!(picture, Painter::new(&[]).draw(&chart("Añades – Größe")).unwrap());
        assert_ne!(
            picture.png,
            painter.draw(&chart("Another")).unwrap().png,
            "letters are drawn"
        );
        assert!(painter.can_draw("Añades – Größe − €") && !painter.can_draw("得分"));
        assert!(painter.draw_svg("<svg", "logo", "").is_err());
    }
}

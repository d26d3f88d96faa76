//! Charts as SVG, for scorecards and for pages.
//!
//! Duty: strings of SVG from values that are there already, the same bytes for the same values, in whole pixels. Not its
//! duty: which values, words, pixels of a picture (`publishing::pictures`). Must not: use floats.

pub mod card;
pub mod figures;

use std::fmt::Write as _;

/// Colours, as SVG takes them: of a picture fixed ones, of a page those of its style sheet.
#[derive(Clone, Copy, Debug)]
pub struct Paint<'a> {
    /// Behind everything.
    pub tile: &'a str,
    pub line: &'a str,
    pub ink: &'a str,
    pub muted: &'a str,
    pub bar: &'a str,
    pub bar_rest: &'a str,
    pub up: &'a str,
    pub down: &'a str,
    /// Family of the letters.
    pub font: &'a str,
}

/// A chart under construction.
pub struct Canvas {
    out: String,
}

/// A chart as part of a page of HTML, where no namespace is declared.
#[must_use]
pub fn inline(svg: &str) -> String {
    svg.replacen(NAMESPACE, "", 1)
}

const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// How a text stands.
#[derive(Clone, Copy)]
pub struct Style {
    pub size: i64,
    pub bold: bool,
    /// start, middle, end.
    pub anchor: &'static str,
}

pub const PLAIN: Style = Style {
    size: 13,
    bold: false,
    anchor: "start",
};

impl Canvas {
    /// A panel of its own, so that contrast holds wherever it stands; with what it says in words, unless that stands
    /// beside it.
    pub fn new((width, height): (i64, i64), paint: &Paint<'_>, title: &str, says: &str) -> Canvas {
        let mut canvas = Canvas {
            out: format!(
                "<svg{NAMESPACE} width=\"{width}\" height=\"{height}\" \
                 viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"{}\">",
                paint.font
            ),
        };
        let _ = write!(canvas.out, "<title>{}</title>", escaped(title));
        if !says.is_empty() {
            let _ = write!(canvas.out, "<desc>{}</desc>", escaped(says));
        }
        canvas.rect((0, 0), (width, height), paint.tile, 10);
        canvas
    }

    pub fn rect(&mut self, (x, y): (i64, i64), (width, height): (i64, i64), fill: &str, round: i64) {
        let _ = write!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\" fill=\"{fill}\"/>"
        );
    }

    pub fn line(&mut self, (x, y): (i64, i64), (to_x, to_y): (i64, i64), (stroke, width): (&str, i64)) {
        let _ = write!(
            self.out,
            "<line x1=\"{x}\" y1=\"{y}\" x2=\"{to_x}\" y2=\"{to_y}\" stroke=\"{stroke}\" stroke-width=\"{width}\" \
             stroke-linecap=\"round\"/>"
        );
    }

    pub fn dot(&mut self, (x, y): (i64, i64), radius: i64, fill: &str) {
        let _ = write!(
            self.out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\"/>"
        );
    }

    pub fn text(&mut self, (x, y): (i64, i64), style: Style, fill: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let weight = if style.bold { 700 } else { 400 };
        let _ = write!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" font-weight=\"{weight}\" text-anchor=\"{}\" \
             fill=\"{fill}\">{}</text>",
            style.size,
            style.anchor,
            escaped(text)
        );
    }

    /// A line through points; with dashes such as `6 4`, or without.
    pub fn path(&mut self, points: &[(i64, i64)], (stroke, width): (&str, i64), dashes: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let dashes = match dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        };
        let _ = write!(
            self.out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{width}\"{dashes}/>",
            points.join(" ")
        );
    }

    pub fn finish(mut self) -> String {
        self.out.push_str("</svg>");
        self.out
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML holds no others
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

//! A message about many partners: facts, and sections of lines.
//!
//! Duty: the same strings as text and as HTML, with their hash. Not its duty: what stands in them (`readers`), and who
//! gets it.

use std::sync::LazyLock;

use minijinja::value::Serde;
use serde::Serialize;

use super::brand::Look;
use super::inputs::PublishingError;
use super::palette::Palette;
use super::pictures::Picture;
use super::scorecard::{FRAME, environment, failed};
use super::texts::{Sections, Texts};
use super::view::PictureView;
use crate::charts::card::Chart;
use crate::domain::Digest;
use crate::domain::hash::Hasher;

const HTML: (&str, &str) = ("letter.html", include_str!("templates/letter.html"));
const TEXT: (&str, &str) = ("letter.txt", include_str!("templates/letter.txt"));

static TEMPLATES: LazyLock<Result<minijinja::Environment<'static>, String>> =
    LazyLock::new(|| environment(&[FRAME, HTML, TEXT]));

/// What a letter says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Letter {
    pub subject: String,
    pub programme: String,
    pub heading: String,
    /// Label and value.
    pub facts: Vec<(String, String)>,
    pub sections: Vec<LetterSection>,
    pub closing: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LetterSection {
    pub title: String,
    pub lines: Vec<LetterLine>,
    /// What to say of lines that are not shown, or that there are none.
    pub rest: Option<String>,
    /// Lines, with those that are not shown.
    #[serde(skip)]
    pub total: usize,
    #[serde(skip)]
    pub chart: Option<Chart>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LetterLine {
    pub text: String,
    pub value: String,
    /// Smaller, below.
    pub note: String,
}

impl LetterLine {
    #[must_use]
    pub fn new(text: impl Into<String>, value: impl Into<String>) -> LetterLine {
        LetterLine {
            text: text.into(),
            value: value.into(),
            note: String::new(),
        }
    }
}

impl LetterSection {
    /// A section of at most so many of the lines; how many more there are is said, or that there are none.
    #[must_use]
    pub fn listed(title: &str, mut lines: Vec<LetterLine>, most: usize, texts: &Texts) -> LetterSection {
        let total = lines.len();
        let more = total.saturating_sub(most);
        lines.truncate(most);
        let rest = if lines.is_empty() {
            Some(texts.get("digest", "none").to_owned())
        } else {
            let count = i64::try_from(more).unwrap_or(i64::MAX);
            (more > 0).then(|| texts.fill("digest", "more", &[("n", &texts.count(count))]))
        };
        LetterSection {
            title: title.to_owned(),
            lines,
            rest,
            total,
            chart: None,
        }
    }
}

/// A letter as it goes out.
#[derive(Clone, Debug)]
pub struct Rendered {
    pub text: String,
    pub html: String,
    pub pictures: Vec<(String, Picture)>,
}

#[derive(Serialize)]
struct Context<'a> {
    t: &'a Sections,
    v: &'a Letter,
    c: Palette<'a>,
    d: Palette<'a>,
    logo: Option<PictureView>,
    /// By the place of their section.
    pictures: Vec<Option<PictureView>>,
}

impl Letter {
    /// Hash of what is said, not of when: facts are left out.
    #[must_use]
    pub fn hash(&self) -> Digest {
        let mut hasher = Hasher::new();
        let mut field = |text: &str| {
            hasher.field(text.as_bytes());
        };
        field(&self.heading);
        for section in &self.sections {
            field(&section.title);
            for line in &section.lines {
                field(&line.text);
                field(&line.value);
                field(&line.note);
            }
            field(section.rest.as_deref().unwrap_or_default());
        }
        hasher.finish()
    }

    /// Text and HTML; `name` is what Content-IDs begin with.
    pub fn render(&self, name: &str, texts: &Texts, look: &Look) -> Result<Rendered, PublishingError> {
        let hash = self.hash().to_string();
        let mut pictures = Vec::new();
        let mut show = |picture: Picture, part: &str| {
            let cid = format!("{part}.{}@{name}", &hash[..16]);
            let shown = PictureView {
                name: picture.name.clone(),
                cid: cid.clone(),
                alt: picture.alt.clone(),
                width: picture.width,
                height: picture.height,
            };
            pictures.push((cid, picture));
            shown
        };
        let mut of_sections = Vec::new();
        for (i, section) in self.sections.iter().enumerate() {
            let drawn = section
                .chart
                .as_ref()
                .map(|chart| look.painter.draw(chart))
                .transpose()?;
            of_sections.push(drawn.map(|picture| show(picture, &format!("chart{i}"))));
        }
        let context = Context {
            t: texts.sections(),
            v: self,
            c: look.light(),
            d: look.dark(),
            logo: look.logo().cloned().map(|picture| show(picture, "logo")),
            pictures: of_sections,
        };
        let environment = TEMPLATES.as_ref().map_err(|e| PublishingError::Template(e.clone()))?;
        let fill = |name: &str| -> Result<String, PublishingError> {
            let template = environment.get_template(name).map_err(|e| failed(&e))?;
            template.render(Serde(&context)).map_err(|e| failed(&e))
        };
        let (text, html) = (fill(TEXT.0)?, fill(HTML.0)?);
        Ok(Rendered { text, html, pictures })
    }
}

//! A programme's own look: logo, colours, texts, fonts.
//!
//! Duty: the section `[brand]` of the mail settings, checked against what it names; colours that cannot be read are
//! refused with their place. Not its duty: sender and route (the mail settings), reading files.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::inputs::PublishingError;
use super::palette::{DARK, LEAST_CONTRAST, LIGHT, Palette, contrast, is_colour};
use super::pictures::{Painter, Picture};
use super::texts::{CATALOGUES, Catalogues, FREE_SECTIONS, Sections, placeholders};
use super::typeset::Typesetter;
use super::view_statement::PDF_TEMPLATE;
use crate::domain::{Finding, Findings, Place};

/// Colours that a programme may set, for each mode.
const COLOURS: [&str; 4] = ["head", "head_ink", "head_muted", "bar"];

/// Height of a logo at the head of a message, in pixels.
const LOGO_HEIGHT: u32 = 200;

/// The section as read.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The SVG of the logo, and its alternative text.
    logo: Option<(String, String)>,
    light: BTreeMap<String, String>,
    dark: BTreeMap<String, String>,
    /// Own texts by language.
    texts: BTreeMap<String, Sections>,
    /// Folder of fonts, from `pipelines/`.
    pub fonts: Option<String>,
}

/// What messages are rendered with. Make it once.
#[derive(Debug)]
pub struct Look {
    brand: Brand,
    pub catalogues: Catalogues,
    pub painter: Painter,
    logo: Option<Picture>,
    fonts: Vec<Vec<u8>>,
    /// Made with the first document: a run without one needs none.
    typesetter: OnceLock<Typesetter>,
}

impl Default for Look {
    fn default() -> Look {
        Look {
            brand: Brand::default(),
            catalogues: Catalogues::default(),
            painter: Painter::new(&[]),
            logo: None,
            fonts: Vec::new(),
            typesetter: OnceLock::new(),
        }
    }
}

impl Look {
    /// The look of a brand; `fonts` are the files of its folder.
    pub fn new(brand: &Brand, fonts: &[Vec<u8>]) -> Result<Look, PublishingError> {
        let painter = Painter::new(fonts);
        let logo = match &brand.logo {
            Some((svg, alt)) => Some(painter.draw_svg(svg, "logo", alt)?),
            None => None,
        };
        Ok(Look {
            catalogues: Catalogues::with(&brand.texts),
            brand: brand.clone(),
            painter,
            logo,
            fonts: fonts.to_vec(),
            typesetter: OnceLock::new(),
        })
    }

    pub(super) fn typesetter(&self) -> Result<&Typesetter, PublishingError> {
        if let Some(made) = self.typesetter.get() {
            return Ok(made);
        }
        let made = Typesetter::new(PDF_TEMPLATE, &self.fonts)?;
        Ok(self.typesetter.get_or_init(|| made))
    }

    pub(super) fn logo(&self) -> Option<&Picture> {
        self.logo.as_ref()
    }

    pub(super) fn light(&self) -> Palette<'_> {
        coloured(LIGHT, &self.brand.light)
    }

    pub(super) fn dark(&self) -> Palette<'_> {
        coloured(DARK, &self.brand.dark)
    }
}

/// A palette with colours of the programme's own.
fn coloured<'a>(mut palette: Palette<'a>, own: &'a BTreeMap<String, String>) -> Palette<'a> {
    let of = |name: &str, present: &'a str| own.get(name).map_or(present, String::as_str);
    palette.head = of("head", palette.head);
    palette.head_ink = of("head_ink", palette.head_ink);
    palette.head_muted = of("head_muted", palette.head_muted);
    palette.bar = of("bar", palette.bar);
    palette
}

/// Reads the section from the text of the settings; nothing without one. `files` are the workspace's texts by path.
pub fn read(file: &str, text: &str, files: &BTreeMap<String, String>) -> Result<Brand, Findings> {
    // whatever else is wrong with the file, the mail settings say
    let Ok(table) = DeTable::parse(text) else {
        return Ok(Brand::default());
    };
    let mut reading = Reading {
        file,
        text,
        files,
        findings: Findings::new(),
    };
    let brand = match table.get_ref().get("brand") {
        None => Brand::default(),
        Some(section) => reading.brand(section),
    };
    if reading.findings.is_empty() {
        Ok(brand)
    } else {
        Err(reading.findings)
    }
}

struct Reading<'a> {
    file: &'a str,
    text: &'a str,
    files: &'a BTreeMap<String, String>,
    findings: Findings,
}

impl Reading<'_> {
    fn wrong(&mut self, at: usize, key: &str, message: String, remedy: &str) {
        let line = self.text[..at.min(self.text.len())].matches('\n').count() + 1;
        let place = Place {
            line: u64::try_from(line).ok(),
            ..Place::file(self.file).column(format!("brand.{key}"))
        };
        self.findings
            .push(Finding::error(place, "settings-brand", message, remedy));
    }

    fn brand(&mut self, section: &Spanned<DeValue<'_>>) -> Brand {
        let mut brand = Brand::default();
        let Some(table) = section.get_ref().as_table() else {
            self.wrong(
                section.span().start,
                "",
                "brand is no table".to_owned(),
                "write [brand]",
            );
            return brand;
        };
        let (mut logo, mut alt) = (None, String::new());
        for (key, value) in table {
            let (name, at) = (key.get_ref().as_ref(), value.span().start);
            let string = value.get_ref().as_str();
            match (name, string) {
                ("logo", Some(path)) => logo = self.file_of(at, name, path, ".svg"),
                ("logo_alt", Some(text)) => text.clone_into(&mut alt),
                ("texts", Some(folder)) => brand.texts = self.texts(at, folder),
                ("fonts", Some(folder)) => brand.fonts = Some(folder.trim_end_matches('/').to_owned()),
                ("light", None) => brand.light = self.colours(name, value, &LIGHT),
                ("dark", None) => brand.dark = self.colours(name, value, &DARK),
                _ => self.wrong(
                    at,
                    name,
                    format!("'{name}' is no key of [brand], or not of its type"),
                    "write logo, logo_alt, texts, fonts as texts, and [brand.light], [brand.dark] with colours",
                ),
            }
        }
        if logo.is_some() && alt.trim().is_empty() {
            let at = section.span().start;
            self.wrong(
                at,
                "logo_alt",
                "a logo has no alternative text".to_owned(),
                "add logo_alt",
            );
        }
        brand.logo = logo.map(|svg| (svg, alt));
        if let Some((svg, _)) = &brand.logo {
            match Painter::new(&[]).draw_svg(svg, "logo", "") {
                Ok(picture) if picture.height <= LOGO_HEIGHT && picture.width <= 544 => {}
                Ok(picture) => {
                    let size = format!("the logo is {} × {} pixels", picture.width, picture.height);
                    let remedy = "set width and height of the SVG to at most 544 × 200";
                    self.wrong(section.span().start, "logo", size, remedy);
                }
                Err(e) => self.wrong(section.span().start, "logo", e.to_string(), "name an SVG file"),
            }
        }
        brand
    }

    fn file_of(&mut self, at: usize, key: &str, path: &str, ending: &str) -> Option<String> {
        let found = self
            .files
            .get(&format!("pipelines/{path}"))
            .filter(|_| path.ends_with(ending));
        if found.is_none() {
            let message = format!("there is no file pipelines/{path} that ends in {ending}");
            self.wrong(at, key, message, "name a file below pipelines/, such as brand/logo.svg");
        }
        found.cloned()
    }

    fn colours(&mut self, mode: &str, value: &Spanned<DeValue<'_>>, palette: &Palette<'_>) -> BTreeMap<String, String> {
        let mut own = BTreeMap::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(
                value.span().start,
                mode,
                format!("brand.{mode} is no table"),
                "write [brand.light]",
            );
            return own;
        };
        for (key, value) in table {
            let (name, at) = (key.get_ref().as_ref(), value.span().start);
            match value.get_ref().as_str() {
                Some(colour) if COLOURS.contains(&name) && is_colour(colour) => {
                    places.insert(colour.to_ascii_lowercase(), at);
                    own.insert(name.to_owned(), colour.to_ascii_lowercase());
                }
                _ => self.wrong(
                    at,
                    &format!("{mode}.{name}"),
                    format!("'{name}' is no colour that can be set, or not of the form #rrggbb"),
                    &format!("set {} as \"#rrggbb\"", COLOURS.join(", ")),
                ),
            }
        }
        for (pair, ink, ground) in coloured(*palette, &own).pairs() {
            let found = contrast(ink, ground).unwrap_or(0);
            if found < LEAST_CONTRAST {
                let message = format!(
                    "{pair}: {ink} on {ground} has a contrast of {}.{:02} : 1, at least 4.5 : 1 is needed",
                    found / 100,
                    found % 100
                );
                let remedy = "choose a darker ground or a lighter ink, or the other way round";
                let own = places.get(ink).or_else(|| places.get(ground));
                self.wrong(own.copied().unwrap_or(value.span().start), mode, message, remedy);
            }
        }
        own
    }

    /// Own texts: keys that the catalogues have, with the same names in braces.
    fn texts(&mut self, at: usize, folder: &str) -> BTreeMap<String, Sections> {
        let mut own = BTreeMap::new();
        let prefix = format!("pipelines/{}/", folder.trim_end_matches('/'));
        let files: Vec<(&String, &String)> = self
            .files
            .range(prefix.clone()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .collect();
        if files.is_empty() {
            let message = format!("there is no text in {prefix}");
            self.wrong(at, "texts", message, "add <language>.toml with the texts to change");
        }
        for (path, text) in files {
            let language = path[prefix.len()..].trim_end_matches(".toml");
            let Some((_, source)) = CATALOGUES.iter().find(|(l, _)| *l == language) else {
                let known: Vec<&str> = CATALOGUES.iter().map(|(l, _)| *l).collect();
                let message = format!("{path} is named after no language");
                self.wrong(at, "texts", message, &format!("languages are {}", known.join(", ")));
                continue;
            };
            match toml::from_str::<Sections>(text) {
                Ok(sections) => {
                    let catalogue: Sections = toml::from_str(source).unwrap_or_default();
                    for message in misfits(&sections, &catalogue) {
                        let place = Place::file(path.as_str());
                        let remedy = "keys and {names} are those of the embedded catalogue, docs/mail.md lists it";
                        let finding = Finding::error(place, "brand-text", message, remedy);
                        self.findings.push(finding);
                    }
                    own.insert(language.to_owned(), sections);
                }
                Err(e) => {
                    let message = e.message().to_owned();
                    let finding = Finding::error(
                        Place::file(path.as_str()),
                        "brand-toml",
                        message,
                        "write sections of key = \"text\"",
                    );
                    self.findings.push(finding);
                }
            }
        }
        own
    }
}

/// What of own texts does not fit the catalogue.
fn misfits(own: &Sections, catalogue: &Sections) -> Vec<String> {
    let mut out = Vec::new();
    for (section, keys) in own {
        for (key, text) in keys {
            match catalogue.get(section).and_then(|s| s.get(key)) {
                Some(known) if section != "form" && placeholders(known) == placeholders(text) => {}
                Some(_) if section == "form" => out.push(format!("[form] {key}: forms of a language stay as they are")),
                Some(known) => out.push(format!(
                    "[{section}] {key}: it must hold {{{}}}, as the catalogue's text does",
                    placeholders(known).join("}, {")
                )),
                None if FREE_SECTIONS.contains(&section.as_str()) => {}
                None => out.push(format!("[{section}] {key}: the catalogue has no such text")),
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"32\"><rect width=\"120\" height=\"32\"/></svg>";

    fn files(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
        texts.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect()
    }

    #[test]
    fn a_brand_is_read_and_used() {
        let settings = "mode = \"folder\"\n[brand]\nlogo = \"brand/logo.svg\"\nlogo_alt = \"Northwind\"\ntexts = \"brand/texts\"\n[brand.light]\nhead = \"#5b1a4a\"\n";
        let files = files(&[
            ("pipelines/brand/logo.svg", LOGO),
            (
                "pipelines/brand/texts/de.toml",
                "[contest]\ntitle = \"Fragen?\"\n[domain]\nups = \"USV\"\n",
            ),
        ]);
        let brand = read("mail.toml", settings, &files).unwrap();
        let look = Look::new(&brand, &[]).unwrap();
        assert_eq!(look.light().head, "#5b1a4a");
        assert_eq!(look.dark().head, DARK.head);
        assert_eq!(look.logo().unwrap().width, 120);
        assert_eq!(look.catalogues.of("de").get("contest", "title"), "Fragen?");
        assert!(read("mail.toml", "mode = \"folder\"\n", &files).is_ok());
    }

    fn refused(settings: &str, texts: &[(&str, &str)], expected: &[&str]) {
        let findings = read("pipelines/mail.toml", settings, &files(texts)).unwrap_err();
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "no '{expected}' in {told}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_place() {
        refused(
            "[brand]\n[brand.light]\nhead = \"#8090a0\"\n",
            &[],
            &[
                "mail.toml:3 [brand.light]: head_ink on head: #ffffff on #8090a0 has a contrast of 3.27",
                "head_muted on head",
            ],
        );
        refused("[brand]\n\n[brand.dark]\nbar = \"blue\"\n", &[], &["mail.toml:4"]);
        refused(
            "[brand]\nlogo = \"brand/x.png\"\nlogo_alt = \"x\"\n",
            &[],
            &["mail.toml:2"],
        );
        refused("[brand]\ncolor = \"x\"\n", &[], &["'color' is no key"]);
        refused(
            "[brand]\ntexts = \"brand/texts\"\n",
            &[
                (
                    "pipelines/brand/texts/de.toml",
                    "[contest]\nhow = \"Schreiben Sie.\"\nwhat = \"x\"\n[form]\ndecimal = \".\"\n",
                ),
                ("pipelines/brand/texts/xx.toml", "[contest]\nhow = \"x\"\n"),
            ],
            &[
                "it must hold {contact}, {until}",
                "[contest] what",
                "[form] decimal",
                "named after no language",
            ],
        );
    }

    #[test]
    fn a_logo_needs_words_and_a_size() {
        let logo = |svg: &'static str| [("pipelines/brand/logo.svg", svg)];
        refused(
            "[brand]\nlogo = \"brand/logo.svg\"\n",
            &logo(LOGO),
            &["no alternative text"],
        );
        let wide = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"2000\" height=\"32\"/>";
        refused(
            "[brand]\nlogo = \"brand/logo.svg\"\nlogo_alt = \"x\"\n",
            &logo(wide),
            &["2000 × 32"],
        );
    }
}

//! Words of what partners read, by language.
//!
//! Duty: one catalogue per language, embedded, all with the same keys as English (a test holds them to it), with a
//! programme's own texts laid over them. Not its duty: numbers and dates (`forms`), reasons of other rooms
//! (`reasons`), layout, and anything that a partner's data could change: arguments are filled in, never interpreted.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::reasons::Patterns;

/// Catalogues by BCP 47 tag; the first one is the fallback.
pub const CATALOGUES: [(&str, &str); 6] = [
    ("en", include_str!("texts/en.toml")),
    ("de", include_str!("texts/de.toml")),
    ("es", include_str!("texts/es.toml")),
    ("fr", include_str!("texts/fr.toml")),
    ("pt", include_str!("texts/pt.toml")),
    ("zh", include_str!("texts/zh.toml")),
];

/// Sections whose keys are a programme's own names, and may be anything.
pub const FREE_SECTIONS: [&str; 4] = ["scheme", "domain", "metric", "component"];

/// Section → key → text.
pub type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// The embedded catalogues, parsed once.
static EMBEDDED: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    // the catalogues are part of the program, and a test parses each of them
    let parsed = CATALOGUES.map(|(_, source)| toml::from_str::<Sections>(source).unwrap_or_default());
    let english = parsed[0].get("reason").cloned().unwrap_or_default();
    parsed
        .into_iter()
        .map(|sections| Texts::new(sections, &english))
        .collect()
});

/// The catalogue of one language.
#[derive(Clone, Debug)]
pub struct Texts {
    sections: Arc<Sections>,
    patterns: Arc<Patterns>,
}

/// All catalogues, with a programme's own texts laid over them.
#[derive(Clone, Debug)]
pub struct Catalogues {
    texts: Vec<Texts>,
}

impl Default for Catalogues {
    fn default() -> Catalogues {
        Catalogues {
            texts: EMBEDDED.clone(),
        }
    }
}

impl Catalogues {
    /// The catalogues with texts of the programme's own, by language; a key it does not have stays as it is.
    #[must_use]
    pub fn with(own: &BTreeMap<String, Sections>) -> Catalogues {
        let mut catalogues = Catalogues::default();
        let english = EMBEDDED[0].sections.get("reason").cloned().unwrap_or_default();
        for texts in &mut catalogues.texts {
            let Some(more) = own.get(texts.language()) else {
                continue;
            };
            let mut sections = Sections::clone(&texts.sections);
            for (section, keys) in more {
                sections.entry(section.clone()).or_default().extend(keys.clone());
            }
            *texts = Texts::new(sections, &english);
        }
        catalogues
    }

    /// Gives metrics of the programme's own the titles of its rules, where no text of the programme names them.
    pub fn name_metrics(&mut self, titles: &BTreeMap<String, String>) {
        for texts in &mut self.texts {
            let mut sections = Sections::clone(&texts.sections);
            let names = sections.entry("metric".to_owned()).or_default();
            for (metric, title) in titles {
                names.entry(metric.clone()).or_insert_with(|| title.clone());
            }
            texts.sections = Arc::new(sections);
        }
    }

    /// The catalogue for a BCP 47 tag: the exact one, else that of its primary language, else English.
    #[must_use]
    pub fn of(&self, tag: &str) -> &Texts {
        let tag = tag.to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        let find = |wanted: &str| CATALOGUES.iter().position(|(language, _)| *language == wanted);
        &self.texts[find(&tag).or_else(|| find(primary)).unwrap_or(0)]
    }
}

impl Texts {
    fn new(sections: Sections, english_reasons: &BTreeMap<String, String>) -> Texts {
        let own = sections.get("reason");
        let patterns = english_reasons.iter().map(|(key, english)| {
            let text = own.and_then(|own| own.get(key)).unwrap_or(english);
            (english.clone(), text.clone())
        });
        Texts {
            patterns: Arc::new(Patterns::new(patterns)),
            sections: Arc::new(sections),
        }
    }

    /// The embedded catalogue for a BCP 47 tag, as [`Catalogues::of`].
    #[must_use]
    pub fn for_language(tag: &str) -> Texts {
        Catalogues::default().of(tag).clone()
    }

    /// The catalogue's own tag, for `lang`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.get("form", "language")
    }

    #[must_use]
    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    pub(super) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    #[must_use]
    pub fn has(&self, section: &str, key: &str) -> bool {
        self.sections.get(section).is_some_and(|s| s.contains_key(key))
    }

    /// A text; the key itself where the catalogue has none.
    #[must_use]
    pub fn get<'a>(&'a self, section: &str, key: &'a str) -> &'a str {
        self.sections
            .get(section)
            .and_then(|s| s.get(key))
            .map_or(key, String::as_str)
    }

    /// A word for a code of a table, such as `not_applicable`; a code without one is shown as words.
    #[must_use]
    pub fn word(&self, section: &str, code: &str) -> String {
        match self.sections.get(section).and_then(|s| s.get(code)) {
            Some(text) => text.clone(),
            None if code.contains(' ') => code.to_owned(),
            None => code.replace(['_', '-'], " "),
        }
    }

    /// A programme's own name for something that the rules name by an id and a title.
    #[must_use]
    pub fn named(&self, section: &str, id: &str, title: &str) -> String {
        let own = self.sections.get(section).and_then(|s| s.get(id));
        own.map_or_else(|| title.to_owned(), Clone::clone)
    }

    /// A sentence of a text: `no part due` → `No part due.`
    #[must_use]
    pub fn sentence(&self, text: &str) -> String {
        let mut chars = text.chars();
        let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
        let stop = if text.is_empty() || text.ends_with(['.', '!', '?', '。']) {
            ""
        } else {
            self.get("form", "stop")
        };
        format!("{first}{}{stop}", chars.as_str())
    }

    /// A text with `{name}` replaced by arguments, in one pass: braces in an argument stay what they are.
    #[must_use]
    pub fn fill(&self, section: &str, key: &str, arguments: &[(&str, &str)]) -> String {
        fill(self.get(section, key), &|name| {
            let found = arguments.iter().find(|(n, _)| *n == name);
            found.map_or("", |(_, value)| *value)
        })
    }

    /// A text about a number of things: that of `<key>_one` where the language takes it for the number.
    #[must_use]
    pub fn counted(&self, section: &str, key: &str, name: &str, count: i64) -> String {
        self.counted_with(section, key, count, &[(name, &self.count(count))])
    }

    /// The same with further arguments.
    #[must_use]
    pub fn counted_with(&self, section: &str, key: &str, count: i64, arguments: &[(&str, &str)]) -> String {
        let one = format!("{key}_one");
        let digits = count.to_string();
        let takes_one = self.get("form", "one").split(' ').any(|n| n == digits);
        let key = if takes_one && self.has(section, &one) {
            &one
        } else {
            key
        };
        self.fill(section, key, arguments)
    }
}

/// Replaces each `{name}` by what is found for it.
pub(super) fn fill<'v>(text: &str, value_of: &dyn Fn(&str) -> &'v str) -> String {
    let mut rest = text;
    let mut out = String::with_capacity(rest.len() + 32);
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        out.push_str(value_of(name));
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The names in the braces of a text, in their order.
#[must_use]
pub fn placeholders(text: &str) -> Vec<String> {
    let pieces = text.split('{').skip(1);
    let mut names: Vec<String> = pieces.filter_map(|p| Some(p.split_once('}')?.0.to_owned())).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(source: &str) -> Sections {
        toml::from_str(source).unwrap()
    }

    #[test]
    fn every_catalogue_has_the_keys_and_names_of_english() {
        let english = parsed(CATALOGUES[0].1);
        for (language, source) in CATALOGUES {
            let sections = parsed(source);
            assert_eq!(
                sections.keys().collect::<Vec<_>>(),
                english.keys().collect::<Vec<_>>(),
                "{language}"
            );
            for (section, keys) in &english {
                let own = &sections[section];
                assert_eq!(
                    own.keys().collect::<Vec<_>>(),
                    keys.keys().collect::<Vec<_>>(),
                    "{language} [{section}]"
                );
                for (key, text) in keys {
                    let (mut wanted, mut found) = (placeholders(text), placeholders(&own[key]));
                    // "1 answer" may say one without a figure, and the other way round
                    if key.ends_with("_one") {
                        wanted.retain(|n| n != "n" && n != "lines" && n != "stars");
                        found.retain(|n| n != "n" && n != "lines" && n != "stars");
                    }
                    assert_eq!(found, wanted, "{language} [{section}] {key}");
                    assert!(
                        !own[key].is_empty() || text.is_empty() || key == "one",
                        "{language} {key}"
                    );
                }
            }
            assert_eq!(Texts::for_language(language).language(), language);
            let months = own_months(&sections);
            assert_eq!(months, 12, "{language}");
        }
        assert_eq!(Texts::for_language("xx-YY").language(), "en");
        assert_eq!(Texts::for_language("pt-BR").language(), "pt");
        assert_eq!(Texts::for_language("zh-Hans-CN").language(), "zh");
    }

    fn own_months(sections: &Sections) -> usize {
        sections["form"]["months"].split(' ').count()
    }

    /// What is a word in English is another one elsewhere: a text that was left in English would stand out here.
    #[test]
    fn nothing_was_left_in_english() {
        let english = parsed(CATALOGUES[0].1);
        // figures, signs, names and words that are the same
        let same = [
            "form",
            "subject",
            "charts",
            "statement",
            "proof",
            "level",
            "decision",
            "component",
        ];
        for (language, source) in &CATALOGUES[1..] {
            let sections = parsed(source);
            for (section, keys) in english.iter().filter(|(s, _)| !same.contains(&s.as_str())) {
                for (key, text) in keys {
                    let letters = text.chars().filter(char::is_ascii_lowercase).count();
                    let names = placeholders(text).concat().len();
                    if letters > names + 12 {
                        assert_ne!(&sections[section][key], text, "{language} [{section}] {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn arguments_are_not_interpreted() {
        let texts = Texts::for_language("en");
        let subject = texts.fill(
            "subject",
            "not_rated",
            &[("period", "{grade} {{7*7}}"), ("programme", "P")],
        );
        assert!(subject.contains("{grade} {{7*7}}"), "{subject}");
    }

    #[test]
    fn own_metrics_have_their_title_unless_a_text_names_them() {
        let own = [(
            "de".to_owned(),
            parsed("[metric]\n\"first_visit\" = \"Beim ersten Besuch\"\n"),
        )];
        let mut catalogues = Catalogues::with(&own.into());
        let titles = [("first_visit", "Solved at once"), ("quality", "Other")];
        catalogues.name_metrics(&titles.map(|(id, title)| (id.to_owned(), title.to_owned())).into());
        assert_eq!(catalogues.of("en").word("metric", "first_visit"), "Solved at once");
        assert_eq!(catalogues.of("de").word("metric", "first_visit"), "Beim ersten Besuch");
        // the built-in ones keep their words
        assert_eq!(catalogues.of("en").word("metric", "quality"), "Engineering quality");
    }

    #[test]
    fn own_texts_lie_over_the_catalogue() {
        let own = [(
            "de".to_owned(),
            parsed("[contest]\ntitle = \"Fragen?\"\n[scheme]\n\"sales-rebate\" = \"Umsatzbonus\"\n"),
        )];
        let catalogues = Catalogues::with(&own.into());
        assert_eq!(catalogues.of("de").get("contest", "title"), "Fragen?");
        assert_eq!(catalogues.of("de").named("scheme", "sales-rebate", "x"), "Umsatzbonus");
        assert_eq!(
            catalogues.of("fr").get("contest", "title"),
            Texts::for_language("fr").get("contest", "title")
        );
        assert_eq!(
            catalogues.of("de").get("hero", "grade"),
            Texts::for_language("de").get("hero", "grade")
        );
    }

    #[test]
    fn plural_forms_follow_the_language() {
        let lines = |language: &str, n| Texts::for_language(language).counted("money", "lines", "lines", n);
        assert_eq!([lines("en", 0), lines("en", 1)], ["0 sales lines", "1 sales line"]);
        // French and Portuguese take the singular for nothing, too
        assert_eq!(lines("fr", 0), "0 ligne de vente");
        assert_eq!(lines("fr", 2), "2 lignes de vente");
        assert_eq!(lines("de", 0), "0 Umsatzzeilen");
        assert_eq!(lines("zh", 1), "1 条销售明细");
    }
}

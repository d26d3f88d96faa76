//! Who of the programme's own people reads what: `pipelines/readers.toml`.
//!
//! Duty: the list of readers, every finding with its line. Not its duty: what a message to them says.
//!
//! A file of its own and not part of the settings: it changes with people, and holds their addresses.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::settings_reader::line_of;
use crate::delivery::address::{check_address, is_clean_name};
use crate::delivery::message::Recipient;
use crate::domain::{Finding, Findings, Place};

/// Kinds of message that readers can want.
pub const READER_KINDS: [&str; 3] = ["digest", "operations", "settlement"];

/// Somebody who reads about many partners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// What stands for the reader in tables and keys, such as `emea-channel`.
    pub id: String,
    pub to: Recipient,
    /// BCP 47.
    pub language: String,
    /// Of [`READER_KINDS`], sorted.
    pub wants: Vec<String>,
    /// Regions and partners that it may read of; both empty: all.
    pub regions: BTreeSet<String>,
    pub partners: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    reader: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    name: Option<Spanned<String>>,
    address: Spanned<String>,
    language: Option<String>,
    wants: Spanned<Vec<String>>,
    regions: Option<Spanned<Vec<Spanned<String>>>>,
    partners: Option<Spanned<BTreeSet<String>>>,
}

/// Reads the list. `regions` are those that rules know.
pub fn read(file: &str, text: &str, regions: &BTreeSet<String>) -> Result<Vec<Reader>, Findings> {
    let error = |span: Range<usize>, rule: &str, message: String, remedy: &str| {
        Finding::error(Place::line(file, line_of(text, span.start)), rule, message, remedy)
    };
    let parsed: File = toml::from_str(text).map_err(|e| {
        let remedy = "write [[reader]] with id, address, wants and, where needed, name, language, regions, partners";
        let finding = error(
            e.span().unwrap_or(0..0),
            "readers.syntax",
            e.message().to_owned(),
            remedy,
        );
        Findings::from_iter([finding])
    })?;
    let mut findings = Findings::new();
    let mut seen = BTreeSet::new();
    let mut readers = Vec::new();
    for entry in parsed.reader {
        let id = entry.id.get_ref().clone();
        let is_id = (1..=40).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_id || !seen.insert(id.clone()) {
            let message = format!("'{id}' is no id of a reader, or another one has it");
            findings.push(error(
                entry.id.span(),
                "readers.id",
                message,
                "give each 1 to 40 of a-z, 0-9 and -, once",
            ));
        }
        if let Err(why) = check_address(entry.address.get_ref()) {
            let message = format!("the address of reader '{id}' {why}");
            let remedy = "write it as name@domain.example";
            findings.push(error(entry.address.span(), "readers.address", message, remedy));
        }
        if let Some(name) = entry.name.as_ref().filter(|name| !is_clean_name(name.get_ref())) {
            let message = format!("the name of reader '{id}' holds a control or invisible character");
            findings.push(error(name.span(), "readers.name", message, "remove it"));
        }
        let mut wants = entry.wants.get_ref().clone();
        wants.sort();
        wants.dedup();
        if wants.is_empty() || !wants.iter().all(|kind| READER_KINDS.contains(&kind.as_str())) {
            let message = format!("reader '{id}' wants what there is not, or nothing");
            let remedy = format!("list some of {}", READER_KINDS.join(", "));
            findings.push(error(entry.wants.span(), "readers.wants", message, &remedy));
        }
        // an empty list would be no limit at all
        let empty = [
            entry
                .regions
                .as_ref()
                .filter(|list| list.get_ref().is_empty())
                .map(Spanned::span),
            entry
                .partners
                .as_ref()
                .filter(|list| list.get_ref().is_empty())
                .map(Spanned::span),
        ];
        for span in empty.into_iter().flatten() {
            let message = format!("reader '{id}' is limited to nothing");
            let remedy = "name regions or partners, or leave the key out for a reader who may see all";
            findings.push(error(span, "readers.limit", message, remedy));
        }
        let named = entry.regions.map_or_else(Vec::new, Spanned::into_inner);
        for region in named.iter().filter(|region| !regions.contains(region.get_ref())) {
            let message = format!(
                "reader '{id}' reads of region '{}', which has no rules",
                region.get_ref()
            );
            let known: Vec<&str> = regions.iter().map(String::as_str).collect();
            let remedy = format!("name some of {}", known.join(", "));
            findings.push(error(region.span(), "readers.region", message, &remedy));
        }
        let name = entry.name.as_ref().map(|name| name.get_ref().as_str());
        readers.push(Reader {
            to: Recipient::new(name, entry.address.get_ref()),
            language: entry.language.unwrap_or_else(|| "en".to_owned()),
            wants,
            regions: named.into_iter().map(Spanned::into_inner).collect(),
            partners: entry.partners.map_or_else(BTreeSet::new, Spanned::into_inner),
            id,
        });
    }
    if findings.is_empty() {
        readers.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(readers)
    } else {
        Err(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> BTreeSet<String> {
        ["emea", "apac"].map(str::to_owned).into()
    }

    #[test]
    fn readers_by_id_with_what_they_may_see() {
        let text = "[[reader]]\nid = \"z-all\"\naddress = \"z@programme.example\"\nwants = [\"settlement\", \"digest\"]\n\
                    [[reader]]\nid = \"emea\"\nname = \"Eva\"\naddress = \"e@programme.example\"\nlanguage = \"de\"\n\
                    wants = [\"digest\"]\nregions = [\"emea\"]\npartners = [\"AP-0016\"]\n";
        let readers = read("readers.toml", text, &regions()).unwrap();
        assert_eq!(
            readers.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
            ["emea", "z-all"]
        );
        assert_eq!(readers[1].wants, ["digest", "settlement"]);
        assert_eq!((readers[1].language.as_str(), readers[1].regions.len()), ("en", 0));
        assert!(readers[0].regions.contains("emea") && readers[0].partners.contains("AP-0016"));
        assert!(read("readers.toml", "", &regions()).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let good = "[[reader]]\nid = \"a\"\naddress = \"a@b.example\"\nwants = [\"digest\"]\n";
        for (from, to, expected) in [
            ("id = \"a\"", "id = \"A b\"", "readers.toml:2 readers.id"),
            ("a@b.example", "a b", "readers.toml:3 readers.address"),
            ("[\"digest\"]", "[\"fax\"]", "readers.toml:4 readers.wants"),
            ("[\"digest\"]", "[]", "readers.toml:4 readers.wants"),
            ("wants", "regions = [\"mars\"]\nwants", "readers.toml:4 readers.region"),
            ("wants", "regions = []\nwants", "readers.toml:4 readers.limit"),
            ("wants", "partners = []\nwants", "readers.toml:4 readers.limit"),
            ("wants", "name = \"a\\u0007\"\nwants", "readers.toml:4 readers.name"),
            ("wants", "colour = 3\nwants", "readers.toml:4 readers.syntax"),
            ("id = \"a\"", "id = 3", "readers.toml:2 readers.syntax"),
        ] {
            let findings = read("readers.toml", &good.replace(from, to), &regions()).unwrap_err();
            let said: Vec<String> = findings.iter().map(|f| format!("{} {}", f.place, f.rule)).collect();
            assert_eq!(said, [expected], "{to}");
        }
        let twice = format!("{good}{good}");
        assert_eq!(read("readers.toml", &twice, &regions()).unwrap_err().len(), 1);
    }
}

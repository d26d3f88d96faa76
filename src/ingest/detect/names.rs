//! What the source is called and which files are its own.
//!
//! Duty: a name and a glob from the path of one file. Not its duty: looking for other files.

use super::Known;
use super::guess::{Confidence, Guess, Setting};

/// A name that no other source has.
pub fn name(file: &str, known: Known<'_>) -> Guess {
    if let Some(name) = known.name {
        return Guess::key(&["name"], Setting::text(name), Confidence::Certain, "you named it");
    }
    let (folders, stem, _) = parts(file);
    let folder = if known.in_workspace {
        folders.last().copied()
    } else {
        None
    };
    let words = folder.into_iter().chain(fixed(&stem));
    let mut name: String = words.collect::<Vec<_>>().join("-").replace('_', "-").to_lowercase();
    if name.is_empty() {
        "source".clone_into(&mut name);
    }
    let base = name.clone();
    for count in 2.. {
        if !known.taken.contains(&name.as_str()) {
            break;
        }
        name = format!("{base}-{count}");
    }
    let evidence = "after the file; any name serves that no other source has";
    Guess::key(&["name"], Setting::text(&name), Confidence::Likely, evidence)
}

/// The glob of files like this one.
pub fn files(file: &str, known: Known<'_>) -> Guess {
    let (folders, stem, ending) = parts(file);
    let mut words: Vec<&str> = Vec::new();
    for word in stem.split_inclusive(['-', '_', ' ', '.']) {
        if !word.contains(|c: char| c.is_ascii_digit()) {
            words.push(word);
        } else if words.last() != Some(&"*") {
            words.push("*");
        }
    }
    // a glob gives these a meaning of their own
    let name: String = words.concat().replace(['[', ']', '{', '}', '?'], "*");
    let name = format!("{name}{ending}");
    let has_digits = words.contains(&"*");
    if !known.in_workspace {
        let evidence = "the file stands outside of the workspace: name the folder of it where such files arrive";
        let glob = format!("inbox/{name}");
        return Guess::key(&["files"], Setting::texts([glob]), Confidence::Open, evidence);
    }
    let glob = [folders.as_slice(), &[name.as_str()]].concat().join("/");
    let evidence = if has_digits {
        "the parts of the name that have digits as *"
    } else {
        "this file alone: its name has no digits that could change"
    };
    Guess::key(&["files"], Setting::texts([glob]), Confidence::Likely, evidence)
}

/// Folders, name without ending, and ending.
fn parts(file: &str) -> (Vec<&str>, String, String) {
    let mut folders: Vec<&str> = file.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    let name = folders.pop().unwrap_or_default();
    let at = name.find('.').filter(|at| *at > 0).unwrap_or(name.len());
    let packed = [".gz", ".zip"].iter().any(|e| name.to_lowercase().ends_with(e));
    let at = if packed {
        at
    } else {
        name.rfind('.').filter(|at| *at > 0).unwrap_or(at)
    };
    (folders, name[..at].to_owned(), name[at..].to_owned())
}

/// The words of a name that have no digits.
fn fixed(stem: &str) -> impl Iterator<Item = &str> {
    let words = stem.split(['-', '_', ' ', '.']);
    words.filter(|w| !w.is_empty() && !w.contains(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(file: &str, in_workspace: bool) -> (String, String) {
        let known = Known {
            contracts: &[],
            feed: None,
            name: None,
            taken: &["emea-stock"],
            in_workspace,
        };
        (
            name(file, known).setting.to_string(),
            files(file, known).setting.to_string(),
        )
    }

    #[test]
    fn names_and_globs_come_from_the_path() {
        let told = |file: &str, inside| {
            let (name, files) = told(file, inside);
            format!("{name} {files}")
        };
        assert_eq!(
            told("in/emea/sales-2026-Q1.csv", true),
            r#""emea-sales" ["in/emea/sales-*.csv"]"#
        );
        assert_eq!(
            told("in/emea/spare_parts-2026.csv.gz", true),
            r#""emea-spare-parts" ["in/emea/spare_parts-*.csv.gz"]"#
        );
        assert_eq!(told("emea/stock.csv", true), r#""emea-stock-2" ["emea/stock.csv"]"#);
        assert_eq!(told("20260731_sales.csv", true), r#""sales" ["*sales.csv"]"#);
        assert_eq!(told("/tmp/x/sales 2026.csv", false), r#""sales" ["inbox/sales *.csv"]"#);
        assert_eq!(told("1.csv", true), r#""source" ["*.csv"]"#);
    }
}

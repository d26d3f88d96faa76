//! Which folders can hold files of a source.
//!
//! Duty: where to begin looking, and which folders to enter, by the globs alone. Not its duty: looking.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Folders of the workspace that belong to the program: never an inbox, whatever a glob says.
const OWN: [&str; 4] = ["landing", "pipelines", "schemas", "warehouse"];

/// The folders that globs lead into.
#[derive(Debug)]
pub struct Reach {
    bases: Vec<String>,
    folders: GlobSet,
}

impl Reach {
    pub fn of<'g>(globs: impl Iterator<Item = &'g String> + Clone) -> Reach {
        let prefixes: BTreeSet<String> = globs.clone().map(|g| fixed_prefix(g)).collect();
        // one that lies in another is found with it
        let lies_in = |inner: &str, outer: &str| {
            outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        let bases = prefixes
            .iter()
            .filter(|inner| !prefixes.iter().any(|outer| outer != *inner && lies_in(inner, outer)))
            .cloned()
            .collect();
        let mut folders = GlobSetBuilder::new();
        for glob in globs {
            folders_of(glob, &mut folders);
        }
        Reach {
            bases,
            folders: folders.build().unwrap_or_else(|_| GlobSet::empty()),
        }
    }

    /// Where to begin, none within another.
    pub fn bases(&self) -> &[String] {
        &self.bases
    }

    /// Whether a file of a source can lie in a folder or below it.
    pub fn leads_into(&self, folder: &str) -> bool {
        let first = folder.split('/').next().unwrap_or(folder);
        !OWN.contains(&first) && self.folders.is_match(folder)
    }
}

/// The folders of a glob before its first wildcard.
fn fixed_prefix(glob: &str) -> String {
    let parts: Vec<&str> = glob.split('/').collect();
    let fixed = parts[..parts.len() - 1]
        .iter()
        .take_while(|p| !p.contains(['*', '?', '[', '{']));
    fixed.copied().collect::<Vec<_>>().join("/")
}

/// Adds a pattern for every folder on the way of a glob.
fn folders_of(glob: &str, out: &mut GlobSetBuilder) {
    let mut add = |pattern: &str| {
        let built = GlobBuilder::new(pattern)
            .literal_separator(true)
            .backslash_escape(false)
            .build();
        built.map(|g| out.add(g)).is_ok()
    };
    let parts: Vec<&str> = glob.split('/').collect();
    for end in 1..parts.len() {
        let way = parts[..end].join("/");
        // braces may hold a slash: what is no pattern by itself is looked for everywhere below what is fixed
        if !add(&way) {
            add(format!("{}/**", fixed_prefix(glob)).trim_start_matches('/'));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_begins_at_the_fixed_part_and_keeps_to_the_globs() {
        let globs = [
            "in/emea/sales-*.csv",
            "in/emea/old/*.csv",
            "in/*/x.csv",
            "deep/**/y.csv",
            "b/{c/d,e}/z.csv",
        ]
        .map(str::to_owned);
        let reach = Reach::of(globs.iter());
        assert_eq!(reach.bases(), ["b", "deep", "in"]);
        for folder in [
            "in",
            "in/emea",
            "in/emea/old",
            "in/any",
            "deep",
            "deep/a/b/c",
            "b/c",
            "b/c/d",
            "b/e",
        ] {
            assert!(reach.leads_into(folder), "{folder}");
        }
        for folder in ["in/any/old", "out", "in/emea/done"] {
            assert!(!reach.leads_into(folder), "{folder}");
        }
        let everywhere = ["**/*.csv".to_owned()];
        let reach = Reach::of(everywhere.iter());
        assert_eq!(reach.bases(), [""]);
        assert!(reach.leads_into("a/b") && !reach.leads_into("landing/originals") && !reach.leads_into("warehouse"));
        assert_eq!(Reach::of(["x.csv".to_owned()].iter()).bases(), [""]);
    }
}

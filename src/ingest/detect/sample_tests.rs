//! Proposals for the files of the sample, held against the sources that a person declared for them.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::formats::Pattern;
use super::tests::detect;
use super::*;
use crate::ingest::Source;

fn sources() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/sources");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(Source::read("s", &std::fs::read_to_string(path).unwrap()).unwrap());
    }
    all
}

/// What a source declares beyond the strict default, as a proposal would say it.
fn declared(source: &Source) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let mut put = |key: &str, setting: Setting| keys.insert(key.to_owned(), setting.to_string());
    put("feed", Setting::text(&source.feed));
    put("format", Setting::text(source.format.name()));
    if source.dialect.delimiter != b',' {
        put(
            "delimiter",
            Setting::Text(char::from(source.dialect.delimiter).to_string()),
        );
    }
    if source.decimal_mark != '.' {
        put("decimal_mark", Setting::Text(source.decimal_mark.to_string()));
    }
    if let Some(mark) = source.grouping_mark {
        put("grouping_mark", Setting::Text(mark.to_string()));
    }
    let patterns = |p: &[Pattern]| Setting::texts(p.iter().map(Pattern::text));
    if !source.date_formats.is_empty() {
        put("date_formats", patterns(&source.date_formats));
    }
    if !source.instant_formats.is_empty() {
        put("instant_formats", patterns(&source.instant_formats));
    }
    for token in &source.null_tokens {
        put(&format!("null {token}"), Setting::Flag(true));
    }
    for (from, to) in &source.rename {
        put(&format!("rename.{from}"), Setting::text(to));
    }
    for (column, map) in &source.values {
        for (from, to) in map {
            put(&format!("values.{column}.{from}"), Setting::text(to));
        }
    }
    let skip = &source.skip;
    if skip.preamble_lines > 0 {
        put("skip.preamble_lines", Setting::Count(skip.preamble_lines));
    }
    if skip.repeated_header {
        put("skip.repeated_header", Setting::Flag(true));
    }
    if let Some(totals) = &skip.totals {
        let setting = Setting::Totals {
            column: totals.column.clone(),
            starts_with: totals.starts_with.clone(),
        };
        put("skip.totals", setting);
    }
    keys
}

fn proposed(proposal: &Proposal) -> BTreeMap<String, (String, Confidence)> {
    let mut keys = BTreeMap::new();
    for guess in proposal.guesses.iter().filter(|g| g.role == Role::Key) {
        if let ("null_tokens", Setting::Texts(tokens)) = (guess.key_name().as_str(), &guess.setting) {
            for token in tokens {
                keys.insert(format!("null {token}"), ("true".to_owned(), guess.confidence));
            }
        } else {
            keys.insert(guess.key_name(), (guess.setting.to_string(), guess.confidence));
        }
    }
    keys
}

fn sample_files() -> Vec<String> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for region in ["apac", "emea", "finance", "latam", "reference"] {
        for entry in std::fs::read_dir(base.join("sample_data").join(region)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            files.push(format!("sample_data/{region}/{name}"));
        }
    }
    files.sort();
    files
}

/// Files of the sample that differ: the later quarters of 2026 look like the first.
fn is_one_of_many(file: &str) -> bool {
    ["2026-Q2", "2026-Q3"].iter().any(|q| file.contains(q))
}

#[test]
fn the_dialects_of_the_sample_are_found_and_nothing_sure_is_wrong() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = sources();
    let (mut right, mut ambiguous, mut silent, mut wrong) = (0, 0, 0, Vec::new());
    for file in sample_files().into_iter().filter(|f| !is_one_of_many(f)) {
        let source = sources.iter().find(|s| s.matches(&file)).expect("a source");
        let bytes = std::fs::read(base.join(&file)).unwrap();
        let Ok(proposal) = detect(&file, &bytes, None) else {
            assert!(bytes.is_empty(), "{file}");
            continue;
        };
        let (declared, proposed) = (declared(source), proposed(&proposal));
        for (key, value) in &declared {
            match proposed.get(key) {
                Some((found, _)) if found == value => right += 1,
                Some((_, confidence)) if *confidence <= Confidence::Guess => ambiguous += 1,
                Some((found, _)) => wrong.push(format!("{file}: {key} = {found} where {value} is right")),
                None => silent += 1,
            }
        }
        let is_asked = |key: &str| ["name", "files", "time_zone"].contains(&key);
        for (key, (value, confidence)) in &proposed {
            if !declared.contains_key(key) && !is_asked(key) && *confidence > Confidence::Guess {
                wrong.push(format!("{file}: {key} = {value} where nothing is declared"));
            }
        }
        let trial = proposal.trial.as_ref().expect("a trial");
        let share_is_small = trial.rejected * 10 <= trial.records || trial.records < 20;
        assert!(share_is_small, "{file}: {} {:?}", trial.summary(), trial.rejects);
    }
    assert_eq!(wrong, Vec::<String>::new());
    // silent are keys of which the file has no sign: a null that never stands in it, a header that is not repeated
    let all = right + ambiguous + silent;
    assert!(right * 100 >= all * 85, "{right} of {all}, {ambiguous} ambiguous");
}

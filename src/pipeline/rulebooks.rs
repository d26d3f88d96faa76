//! Another rule book beside the one of the workspace.
//!
//! Duty: lay rule files over the workspace's own, or take a whole tree of them, and read the result as the program
//! reads its own. Not its duty: what is then done with it.

use std::path::Path;

use super::PipelineError;
use super::config::Config;
use crate::domain::{Finding, Findings, Place};
use crate::edges::files;
use crate::rules::{GLOBAL, RULES_FOLDER, Rules};

/// Path relative to the rules folder, path as given, text.
type Given = Vec<(String, String, String)>;

/// Reads rule files: one edition, or a folder of `<region>/<first day>.toml`. They are laid over the workspace's files:
/// an edition of the same region and day is replaced, any other is added. A folder that holds a global edition for the
/// programme's first period and one of a region stands alone. `region` says where one edition belongs; otherwise the name of its folder
/// does.
pub fn other(config: &Config, path: &Path, region: Option<&str>) -> Result<Rules, PipelineError> {
    let given = if path.is_dir() {
        folder(path)?
    } else {
        one(config, path, region)?
    };
    let mut texts: Vec<(String, String)> = Vec::new();
    if !stands_alone(config, &given) {
        let prefix = format!("{RULES_FOLDER}/");
        texts.extend(
            config
                .bundle
                .iter()
                .filter_map(|(name, text)| Some((name.strip_prefix(&prefix)?.to_owned(), text.clone())))
                .filter(|(name, _)| name.ends_with(".toml") && !given.iter().any(|(g, _, _)| g == name)),
        );
    }
    texts.extend(given.iter().map(|(name, _, text)| (name.clone(), text.clone())));
    let rules = Rules::read(&texts).map_err(|found| PipelineError::Config(as_given(found, &given)))?;
    same_programme(config, &rules, path)?;
    Ok(rules)
}

/// One edition, under the name that its first day gives it.
fn one(config: &Config, path: &Path, region: Option<&str>) -> Result<Given, PipelineError> {
    let text = files::read_text(path).map_err(|e| {
        PipelineError::Usage(format!(
            "{e}: {}; name a rule file, or a folder of <region>/<first day>.toml",
            e.source
        ))
    })?;
    let parent = path
        .parent()
        .and_then(Path::file_name)
        .map(|n| n.to_string_lossy().into_owned());
    let known = |name: &String| name == GLOBAL || config.rules.regions().iter().any(|r| r.as_str() == name);
    let Some(region) = region.map(str::to_owned).or(parent.filter(known)) else {
        return Err(PipelineError::Usage(format!(
            "{} does not lie in a folder named by a region: say with --as whose rules it holds (global, or a region)",
            path.display()
        )));
    };
    let table: Option<toml::Table> = toml::from_str(&text).ok();
    let day = table
        .as_ref()
        .and_then(|t| t.get("effective_from")?.as_str().map(str::to_owned));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(vec![(
        format!("{region}/{}.toml", day.unwrap_or(stem)),
        path.display().to_string(),
        text,
    )])
}

fn folder(path: &Path) -> Result<Given, PipelineError> {
    let mut given = Given::new();
    for (name, kind) in files::walk(path).map_err(crate::store::StoreError::from)? {
        if kind == files::FileKind::File && name.ends_with(".toml") {
            let full = path.join(&name);
            let text = files::read_text(&full).map_err(crate::store::StoreError::from)?;
            given.push((name, full.display().to_string(), text));
        }
    }
    if given.is_empty() {
        return Err(PipelineError::Usage(format!(
            "{} holds no rule file: name a folder of <region>/<first day>.toml",
            path.display()
        )));
    }
    Ok(given)
}

/// Whether a folder is a whole rule book: it holds the global rules of the programme's first period, and a region's.
fn stands_alone(config: &Config, given: &Given) -> bool {
    let programme = config.rules.programme();
    let Ok(first) = crate::domain::Period::parse(&programme.first_period) else {
        return false;
    };
    let first_day = programme.calendar.first_day(first);
    let of_region = |name: &str| !name.starts_with(&format!("{GLOBAL}/"));
    given.iter().any(|(name, _, _)| of_region(name))
        && given.iter().any(|(name, _, _)| {
            let day = name.strip_prefix("global/").and_then(|n| n.strip_suffix(".toml"));
            day.and_then(crate::domain::time::parse_date)
                .is_some_and(|day| day <= first_day)
        })
}

/// Findings at the file as it was given.
fn as_given(found: Findings, given: &Given) -> Findings {
    let place = |place: Place| {
        let name = place
            .file
            .strip_prefix(RULES_FOLDER)
            .map(|n| n.trim_start_matches('/').to_owned());
        match given.iter().find(|(g, _, _)| Some(g) == name.as_ref()) {
            Some((_, path, _)) => Place {
                file: path.clone(),
                ..place
            },
            None => place,
        }
    };
    found
        .into_iter()
        .map(|f| Finding {
            place: place(f.place.clone()),
            ..f
        })
        .collect()
}

/// Periods are the same under both: otherwise there is nothing to compare.
fn same_programme(config: &Config, rules: &Rules, path: &Path) -> Result<(), PipelineError> {
    let said = |rules: &Rules| {
        let p = rules.programme();
        (
            p.calendar,
            p.evaluation_period,
            p.posting_period,
            p.first_period.clone(),
        )
    };
    if said(&config.rules) == said(rules) {
        return Ok(());
    }
    Err(PipelineError::Usage(format!(
        "the rules of {} have other periods than the workspace's (first period, their length, or the fiscal year): \
         leave [programme] as it is",
        path.display()
    )))
}

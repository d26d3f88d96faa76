//! A proposal as the TOML that a person confirms.
//!
//! Duty: sure guesses as keys with their evidence behind them, unsure ones behind `# decide:`. Not its duty: deciding.

use std::collections::BTreeMap;

use super::Proposal;
use super::guess::{Confidence, Guess, Role, Setting, counted, quoted};
use crate::domain::ids::is_invisible;

/// How the proposal is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a person.
    Proposed,
    /// For a trial: every guess as if it were right, every open point by a stand-in.
    Trial,
}

/// Keys of a source in the order in which they are written; what is not here has a table of its own.
const ORDER: [&str; 16] = [
    "name",
    "feed",
    "files",
    "format",
    "compression",
    "encoding",
    "sheet",
    "header_row",
    "delimiter",
    "quote",
    "escape",
    "decimal_mark",
    "grouping_mark",
    "date_formats",
    "instant_formats",
    "time_zone",
];

/// Longest text of a comment.
const MAX_COMMENT: usize = 400;

/// The proposal as a source file.
pub fn write(proposal: &Proposal, form: Form) -> String {
    let mut out = String::new();
    if form == Form::Proposed {
        out.push_str(&preface(proposal));
    }
    out.push_str("[[source]]\n");
    if form == Form::Proposed {
        out.push_str("proposed = true  # remove this line once every other one is confirmed\n");
    }
    let keys = |g: &&Guess| g.role == Role::Key;
    let mut top: Vec<&Guess> = proposal
        .guesses
        .iter()
        .filter(keys)
        .filter(|g| g.path.len() == 1)
        .collect();
    top.sort_by_key(|g| ORDER.iter().position(|k| *k == g.path[0]).unwrap_or(ORDER.len()));
    for guess in top {
        if form == Form::Trial && guess.path[0] == "feed" {
            out.push_str(&format!("feed = {}\n", quoted(&proposal.feed)));
        } else {
            line(&mut out, guess, form);
        }
    }
    let mut tables: BTreeMap<&[String], Vec<&Guess>> = BTreeMap::new();
    for guess in proposal.guesses.iter().filter(keys).filter(|g| g.path.len() > 1) {
        tables
            .entry(&guess.path[..guess.path.len() - 1])
            .or_default()
            .push(guess);
    }
    if form == Form::Proposed {
        others(&mut out, proposal);
    }
    for (path, guesses) in tables {
        let path: Vec<String> = path.iter().map(|p| key(p)).collect();
        out.push_str(&format!("\n[source.{}]\n", path.join(".")));
        guesses.iter().for_each(|g| line(&mut out, g, form));
    }
    out
}

fn preface(proposal: &Proposal) -> String {
    let open = proposal.guesses.iter().filter(|g| g.is_open()).count();
    let mut out = format!(
        "# Proposed by `starledger source detect` for {}.\n",
        plain(&proposal.file)
    );
    out.push_str(
        "# Behind each key stands how sure the guess is, and why. Nothing of this is used before a person has\n",
    );
    out.push_str("# confirmed it: remove the line `proposed`.\n");
    if open > 0 {
        out.push_str(&format!(
            "# Open: {}, with `# decide:`. Correct one form of each and uncomment it, or remove it.\n",
            counted(open as u64, "point")
        ));
    }
    if let Some(trial) = &proposal.trial {
        out.push_str(&format!(
            "# Test read of the sample, every guess taken as right: {}.\n",
            plain(&trial.summary())
        ));
    }
    out.push('\n');
    out
}

/// One key; an open one as comments, one for each form that fits.
fn line(out: &mut String, guess: &Guess, form: Form) {
    let name = key(guess.path.last().map_or("", String::as_str));
    let why = format!("{}: {}", guess.confidence.name(), plain(&guess.evidence));
    if form == Form::Trial {
        // what nobody knows is left out: the trial does without a constant, and a zone moves instants only
        let stands_for_truth = guess.path[0] == "values" && guess.setting != Setting::text("");
        if guess.path == ["time_zone"] {
            out.push_str("time_zone = \"UTC\"\n");
        } else if guess.confidence > Confidence::Open || stands_for_truth || guess.path == ["files"] {
            out.push_str(&format!("{name} = {}\n", guess.setting));
        }
    } else if guess.is_open() {
        out.push_str(&format!("# decide: {name} = {}  # {why}\n", guess.setting));
        for other in &guess.alternatives {
            out.push_str(&format!("# decide: {name} = {other}\n"));
        }
    } else {
        let also: Vec<String> = guess.alternatives.iter().map(Setting::to_string).collect();
        let also = if also.is_empty() {
            String::new()
        } else {
            format!(" (also fits: {})", also.join(", "))
        };
        out.push_str(&format!("{name} = {}  # {why}{also}\n", guess.setting));
    }
}

/// What holds by default, and what a person should know.
fn others(out: &mut String, proposal: &Proposal) {
    let mut lines = Vec::new();
    for guess in &proposal.guesses {
        let why = format!("{}: {}", guess.confidence.name(), plain(&guess.evidence));
        let also: Vec<String> = guess.alternatives.iter().map(Setting::to_string).collect();
        let also = if also.is_empty() {
            String::new()
        } else {
            format!("; also fits: {}", also.join(", "))
        };
        match guess.role {
            Role::Key => {}
            Role::Default => lines.push(format!(
                "# as by default: {} = {}  # {why}{also}",
                guess.key_name(),
                guess.setting
            )),
            Role::Told => {
                let text = match &guess.setting {
                    Setting::Text(text) => plain(text),
                    other => other.to_string(),
                };
                lines.push(format!("# {}: {text}  # {why}{also}", plain(&guess.key_name())));
            }
        }
    }
    if !lines.is_empty() {
        out.push_str(&format!("{}\n", lines.join("\n")));
    }
}

/// A key of TOML.
fn key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(is_bare) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A text that stays on the line of a comment.
fn plain(text: &str) -> String {
    let visible = |c: char| if c.is_control() || is_invisible(c) { '·' } else { c };
    let mut out: String = text.chars().take(MAX_COMMENT).map(visible).collect();
    if text.chars().nth(MAX_COMMENT).is_some() {
        out.push('…');
    }
    out
}

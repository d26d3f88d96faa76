//! One rule file as an edition: its tree and the days it states.
//!
//! Duty: parse the file, read `effective_from` and `effective_to`, hold the file's name to its content. Not its duty:
//! other editions (`editions`), the rules in it (`read`).

use super::GLOBAL;
use super::leaf::Out;
use super::tree::{Item, Node, Origin, parse};
use crate::domain::Date;
use crate::domain::ids::RegionId;
use crate::domain::time::parse_date;

/// A file that says from when it holds.
pub(super) struct Edition {
    pub(super) from: Date,
    pub(super) from_origin: Origin,
    /// Exclusive, where the file says so.
    pub(super) to: Option<(Date, Origin)>,
    pub(super) tree: Item,
}

/// The edition; or the tree alone where the file has no sound date; or nothing where it is no TOML.
pub(super) fn read_file(
    out: &mut Out,
    folder: &RegionId,
    stem: &str,
    file: &str,
    text: &str,
) -> (Option<Item>, Option<Edition>) {
    let (tree, mut findings) = parse(file, text);
    out.findings.append(&mut findings);
    let Some(mut tree) = tree else { return (None, None) };
    if folder.as_str() != GLOBAL {
        refuse_programme(out, &mut tree);
    }
    let from = read_date(out, &tree, "effective_from");
    let to = read_date(out, &tree, "effective_to");
    let Some((from, from_origin)) = from else {
        return (Some(tree), None);
    };
    if stem != from.to_string() {
        let message = format!("the file is named {stem}.toml, but its rules begin on {from}");
        let remedy = format!("rename the file to {from}.toml, or correct the date");
        out.error(&from_origin, "effective_from", "rules.file", message, &remedy);
    }
    if let Some((to, at)) = to.as_ref().filter(|(to, _)| *to <= from) {
        let message = format!("the edition ends on {to}, not after it begins on {from}");
        out.error(
            at,
            "effective_to",
            "rules.edition",
            message,
            "write a later date, or leave `effective_to` out",
        );
    }
    (
        None,
        Some(Edition {
            from,
            from_origin,
            to,
            tree,
        }),
    )
}

/// What must be the same everywhere cannot differ in a region.
fn refuse_programme(out: &mut Out, tree: &mut Item) {
    let Node::Table(entries) = &mut tree.node else { return };
    if let Some(item) = entries.remove("programme") {
        let message = "[programme] is the same in every region, so only global editions hold it".to_owned();
        out.error(
            &item.origin,
            "programme",
            "rules.programme",
            message,
            "remove it from the region's file",
        );
    }
}

fn read_date(out: &mut Out, tree: &Item, key: &str) -> Option<(Date, Origin)> {
    let Some(item) = tree.entries()?.get(key) else {
        if key == "effective_from" {
            let remedy = "add at the top: effective_from = \"2026-04-01\" (the first day on which these rules hold)";
            let message = "the mandatory key `effective_from` is missing".to_owned();
            out.error(&tree.origin, key, "rules.missing_key", message, remedy);
        }
        return None;
    };
    let date = match &item.node {
        Node::Text(text) => parse_date(text),
        Node::Refused => return None,
        _ => None,
    };
    if date.is_none() {
        let remedy = format!("write a date in quotes: {key} = \"2026-04-01\"");
        out.error(&item.origin, key, "rules.value", "this is no date".to_owned(), &remedy);
    }
    Some((date?, item.origin.clone()))
}

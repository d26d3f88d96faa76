//! Bands of a method.
//!
//! Duty: read bands and see that every amount from 0 up is in exactly one. Not its duty: which method they serve
//! (`schemes`), applying them (incentives).

use super::leaf::{Out, Within, bare_decimal, rate};
use super::model::Band;
use super::read::plain;
use super::section::Section;
use super::tree::{Item, Node, Origin};
use crate::domain::{Rate, Ratio};

/// A band as written; `to` is optional and only there to be checked.
struct WrittenBand<'a> {
    from: Ratio,
    to: Option<(Ratio, &'a Origin)>,
    rate: Rate,
    origin: &'a Origin,
}

/// A list of bands, checked.
pub(super) fn read_bands<'a>(out: &mut Out, path: &str, item: &'a Item) -> Option<Vec<Band>> {
    let Node::List(items) = &item.node else {
        out.wrong_type(
            item,
            path,
            "a list of bands",
            "write bands: [{ from = \"0\", rate = \"1 %\" }]",
        );
        return None;
    };
    let mut bands: Vec<Option<WrittenBand<'a>>> = Vec::new();
    for (i, entry) in items.iter().enumerate() {
        bands.push(read_band(out, format!("{path}[{i}]"), entry));
    }
    let bands = bands.into_iter().collect::<Option<Vec<_>>>()?;
    let before = out.findings.len();
    check_bands(out, path, item, &bands);
    let sound = out.findings.len() == before;
    sound.then(|| {
        bands
            .into_iter()
            .map(|b| Band {
                from: b.from,
                rate: b.rate,
            })
            .collect()
    })
}

fn read_band<'a>(out: &mut Out, path: String, item: &'a Item) -> Option<WrittenBand<'a>> {
    let mut s = Section::open(out, path, item)?;
    let from = s.ratio(out, "from", Within::NotNegative);
    // the upper edge follows from the next band: it is checked, not noted
    let to = s
        .get("to")
        .map(|to| (to, bare_decimal(out, &s.at("to"), to, Within::NotNegative)));
    let share = s.need(out, "rate", "\"1 %\"").and_then(|r| rate(out, &s.at("rate"), r));
    s.finish(out);
    let to = match to {
        None => None,
        Some((item, value)) => Some((value?, &item.origin)),
    };
    Some(WrittenBand {
        from: from?,
        to,
        rate: share?,
        origin: &item.origin,
    })
}

/// Bands begin at 0, ascend, leave no gap, do not overlap, and the top one is open.
fn check_bands(out: &mut Out, path: &str, item: &Item, bands: &[WrittenBand<'_>]) {
    let mut error = |origin: &Origin, i: usize, message: String, remedy: String| {
        out.error(origin, &format!("{path}[{i}]"), "rules.bands", message, &remedy);
    };
    let Some(first) = bands.first() else {
        return error(
            &item.origin,
            0,
            "there is no band".into(),
            "write at least { from = \"0\", rate = \"1 %\" }".into(),
        );
    };
    if !first.from.is_zero() {
        let message = format!(
            "the first band begins at {}: amounts below it are in no band",
            plain(&first.from)
        );
        error(first.origin, 0, message, "let the first band begin at \"0\"".into());
    }
    for (i, pair) in bands.windows(2).enumerate() {
        let [band, next] = pair else { continue };
        let (low, high) = (plain(&band.from), plain(&next.from));
        if next.from <= band.from {
            let message = format!("the bands do not ascend: {high} after {low} ({})", band.origin);
            error(
                next.origin,
                i + 1,
                message,
                "put the bands in ascending order, each `from` once".into(),
            );
            continue;
        }
        let Some((to, at)) = &band.to else { continue };
        let fix = format!("write to = \"{high}\", or leave `to` out: a band ends where the next one begins");
        if *to < next.from {
            error(
                at,
                i,
                format!(
                    "a gap: the band ends at {}, the next one begins at {high} ({})",
                    plain(to),
                    next.origin
                ),
                fix,
            );
        } else if *to > next.from {
            error(
                at,
                i,
                format!(
                    "an overlap: the band ends at {}, the next one begins at {high} ({})",
                    plain(to),
                    next.origin
                ),
                fix,
            );
        }
    }
    if let Some((to, at)) = bands.last().and_then(|b| b.to.as_ref()) {
        let message = format!("the top band ends at {}: amounts above it are in no band", plain(to));
        error(at, bands.len() - 1, message, "leave `to` out of the top band".into());
    }
}

//! Bands of a method.
//!
//! Duty: read bands and see that every amount from 0 up is in exactly one. Not its duty: which method they serve
//! (`schemes`), applying them (incentives).

use super::leaf::{Out, Within, bare_decimal, rate};
use super::read::plain;
use super::scheme::Band;
use super::section::Section;
use super::tree::{Item, Node, Origin};
use crate::domain::{Rate, Ratio};

/// How the figures of a table of bands are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct BandForm {
    /// Bands pay an amount per unit, `per_unit`, and not a share, `rate`.
    pub per_unit: bool,
    /// `from` is a share, such as "5 %", and not a number.
    pub from_is_share: bool,
}

/// A band as written; `to` is optional and only there to be checked.
struct WrittenBand<'a> {
    from: Ratio,
    to: Option<(Ratio, &'a Origin)>,
    rate: Ratio,
    fixed: Ratio,
    origin: &'a Origin,
}

/// A list of bands, checked.
pub(super) fn read_bands(out: &mut Out, path: &str, item: &Item, form: BandForm) -> Option<Vec<Band>> {
    let Node::List(items) = &item.node else {
        out.wrong_type(
            item,
            path,
            "a list of bands",
            "write bands: [{ from = \"0\", rate = \"1 %\" }]",
        );
        return None;
    };
    let mut bands: Vec<Option<WrittenBand<'_>>> = Vec::new();
    for (i, entry) in items.iter().enumerate() {
        bands.push(read_band(out, format!("{path}[{i}]"), entry, form));
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
                fixed: b.fixed,
            })
            .collect()
    })
}

fn read_band<'a>(out: &mut Out, path: String, item: &'a Item, form: BandForm) -> Option<WrittenBand<'a>> {
    let mut s = Section::open(out, path, item)?;
    let from = if form.from_is_share {
        s.need(out, "from", "\"5 %\"")
            .and_then(|i| share(out, &s.at("from"), i))
    } else {
        s.ratio(out, "from", Within::NotNegative)
    };
    // the upper edge follows from the next band: it is checked, not noted
    let to = s.get("to").map(|to| {
        let value = if form.from_is_share {
            bare_share(out, &s.at("to"), to)
        } else {
            bare_decimal(out, &s.at("to"), to, Within::NotNegative)
        };
        (to, value)
    });
    let fixed = match s.get("fixed") {
        None => Some(None),
        Some(_) => s.ratio(out, "fixed", Within::NotNegative).map(Some),
    };
    let key = if form.per_unit { "per_unit" } else { "rate" };
    // a band may pay nothing but its fixed amount
    let pays = if fixed != Some(None) && s.get(key).is_none() {
        Some(Ratio::zero())
    } else if form.per_unit {
        s.ratio(out, key, Within::NotNegative)
    } else {
        let read = s.need(out, key, "\"1 %\"").and_then(|r| rate(out, &s.at(key), r));
        read.map(|r| r.share().clone())
    };
    s.finish(out);
    let to = match to {
        None => None,
        Some((item, value)) => Some((value?, &item.origin)),
    };
    Some(WrittenBand {
        from: from?,
        to,
        rate: pays?,
        fixed: fixed?.unwrap_or_else(Ratio::zero),
        origin: &item.origin,
    })
}

/// A share of 0 or more, which may be over 1: growth can be.
fn share(out: &mut Out, path: &str, item: &Item) -> Option<Ratio> {
    let value = bare_share(out, path, item)?;
    if let Node::Text(text) = &item.node {
        out.note(path, item, text.clone(), value.to_string());
    }
    Some(value)
}

fn bare_share(out: &mut Out, path: &str, item: &Item) -> Option<Ratio> {
    const REMEDY: &str = "write a share of 0 % or more with its unit: \"5 %\"";
    let Node::Text(text) = &item.node else {
        out.wrong_type(item, path, "a share with its unit in quotes", REMEDY);
        return None;
    };
    match Rate::parse(text) {
        Ok(rate) if !rate.share().is_negative() => Some(rate.share().clone()),
        Ok(_) => {
            out.error(
                &item.origin,
                path,
                "rules.rate",
                format!("the share {text} is negative"),
                REMEDY,
            );
            None
        }
        Err(error) => {
            out.error(
                &item.origin,
                path,
                "rules.rate",
                format!("\"{text}\" is no share: {error}"),
                REMEDY,
            );
            None
        }
    }
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

//! Formats of texts: what a text must be beyond being a text.
//!
//! Duty: one predicate and one remedy for each format. Not its duty: patterns and allowed values (`check`).

use super::check::{Violation, shown_cell, violation};
use super::model::{Column, Drift, Format};
use crate::domain::{Cell, Currency, Period, Zone, ids};

pub(super) fn format(column: &Column, text: &str) -> Result<(), Violation> {
    let Some(format) = column.format else { return Ok(()) };
    let (fits, remedy) = match format {
        Format::Id => match ids::check_id(text) {
            Ok(()) => (true, ""),
            Err(error) => {
                return violation(
                    "format",
                    format!("is no identifier: it {error}"),
                    "deliver the identifier as it is kept",
                );
            }
        },
        Format::Currency => (
            Currency::parse(text).is_some(),
            "write an active code of ISO 4217, such as EUR",
        ),
        Format::Country => (
            text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()),
            "write two capital letters of ISO 3166, such as DE",
        ),
        Format::Zone => (
            Zone::parse(text).is_ok(),
            "write an IANA time zone, such as Europe/Berlin",
        ),
        Format::Language => (is_language(text), "write a language tag of BCP 47, such as de or pt-BR"),
        Format::Email => (
            is_email(text),
            "write one address of plain letters, such as name@partner.example",
        ),
        Format::Period => (
            Period::parse(text).is_ok(),
            "write a period such as 2026-Q3 or 2026-M07",
        ),
        Format::List => (
            is_list(
                text,
                if column.drift == Drift::Evolve {
                    &[]
                } else {
                    &column.allowed
                },
            ),
            "separate the items by |, each once and without blanks",
        ),
    };
    if fits {
        return Ok(());
    }
    let shown = shown_cell(column, Cell::Text(text));
    let remedy = match format {
        Format::List if !column.allowed.is_empty() => format!("{remedy}: {}", column.allowed.join(", ")),
        _ => remedy.to_owned(),
    };
    violation("format", format!("{shown} is no {}", format_name(format)), remedy)
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Id => "identifier",
        Format::Currency => "currency",
        Format::Country => "country code",
        Format::Zone => "time zone",
        Format::Language => "language tag",
        Format::Email => "mail address",
        Format::Period => "period",
        Format::List => "list of known items",
    }
}

/// A well-formed BCP 47 tag of a language, and maybe script, region and variants.
fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    matches!(language.len(), 2 | 3)
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// One address in ASCII: no quotes, comments, display names or control characters, so that no mail header can be
/// forged with it and no look-alike letter hides in it.
fn is_email(text: &str) -> bool {
    const LONGEST: usize = 254;
    let Some((local, host)) = text.split_once('@') else {
        return false;
    };
    let atom =
        |s: &str, extra: &[u8]| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b));
    let label = |s: &str| atom(s, b"-") && !s.starts_with('-') && !s.ends_with('-') && s.len() <= 63;
    text.len() <= LONGEST
        && local.len() <= 64
        && local.split('.').all(|part| atom(part, b"!#$%&'*+-/=?^_`{|}~"))
        && host.contains('.')
        && host.split('.').all(label)
}

fn is_list(text: &str, allowed: &[String]) -> bool {
    let items: Vec<&str> = text.split('|').collect();
    items.iter().enumerate().all(|(i, item)| {
        !item.is_empty()
            && item.trim() == *item
            && !items[..i].contains(item)
            && (allowed.is_empty() || allowed.iter().any(|a| a == item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_that_could_do_harm_are_refused() {
        for good in [
            "a@b.example",
            "first.last+tag@mail.partner.example",
            "o'neil@x-y.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.example",
            "a@@b.example",
            "a@b..example",
            ".a@b.example",
            "a b@c.example",
            "a@-b.example",
            "a@b.example\r\nBcc: x@y.example",
            "A <a@b.example>",
            "a@ex\u{0430}mple.example",
            "a@b.example\0",
            "\"a\"@b.example",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn language_tags_and_lists() {
        assert!(["de", "pt-BR", "zh-Hans-CN", "es-419"].iter().all(|t| is_language(t)));
        assert!(!["", "d", "DE", "de_DE", "de-", "german"].iter().any(|t| is_language(t)));
        let allowed = ["scorecard".to_owned(), "alert".to_owned()];
        assert!(is_list("scorecard|alert", &allowed) && is_list("any|thing", &[]));
        assert!(
            !["", "scorecard|", "alert|alert", "alert | scorecard", "other"]
                .iter()
                .any(|t| is_list(t, &allowed))
        );
    }
}

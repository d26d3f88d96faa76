//! Mail addresses: what can be one here, and whose domains are allowed.
//!
//! Duty: refuse before any library sees it what could forge a header, hide where a mail goes, or look like another
//! address. Not its duty: knowing whether somebody reads there.

use thiserror::Error;

use crate::domain::ids::is_invisible;

/// Longest address that SMTP carries.
pub const MAX_ADDRESS_BYTES: usize = 254;

/// Why a text is no address here. Says nothing of the address itself: it is personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("holds a control or invisible character")]
    Control,
    #[error("mixes letters of several scripts, so that it can look like another address")]
    MixedScript,
    #[error("holds characters outside ASCII; write the domain in its xn-- form")]
    NotAscii,
    #[error("is not of the form name@domain.example")]
    Grammar,
    #[error("is longer than {MAX_ADDRESS_BYTES} bytes")]
    TooLong,
    #[error("is at a domain that is not on the partner's list of allowed mail domains")]
    Domain,
}

/// Whether a text is an address: an ASCII dot-atom, `@`, and a host name of two labels or more. Quoted local parts,
/// comments, and addresses of machines by number are refused.
pub fn check_address(text: &str) -> Result<(), AddressError> {
    if text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Err(AddressError::Control);
    }
    if !text.is_ascii() {
        let mixed =
            text.chars().any(|c| c.is_ascii_alphabetic()) && text.chars().any(|c| !c.is_ascii() && c.is_alphabetic());
        return Err(if mixed {
            AddressError::MixedScript
        } else {
            AddressError::NotAscii
        });
    }
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(AddressError::TooLong);
    }
    let (local, domain) = text.split_once('@').ok_or(AddressError::Grammar)?;
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let dot_atom = local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    if dot_atom && is_host_name(domain) {
        Ok(())
    } else {
        Err(AddressError::Grammar)
    }
}

/// Two labels or more of letters, digits and inner hyphens, the last one not a number.
#[must_use]
pub fn is_host_name(text: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.contains('.')
        && text.len() <= 253
        && text.split('.').all(label)
        && text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// An address at exactly one of the allowed domains; a subdomain is another domain. No list allows nobody.
pub fn check_allowed(address: &str, allowed_domains: &[&str]) -> Result<(), AddressError> {
    check_address(address)?;
    let domain = address.rsplit('@').next().unwrap_or_default();
    let allowed = allowed_domains.iter().any(|d| d.eq_ignore_ascii_case(domain));
    if allowed { Ok(()) } else { Err(AddressError::Domain) }
}

/// Whether a name can stand in a header: no control or invisible character.
#[must_use]
pub fn is_clean_name(name: &str) -> bool {
    !name.chars().any(|c| c.is_control() || is_invisible(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "a@b.example",
            "first.last+tag@sub.b-c.example",
            "o'brien@xn--exmple-4nf.com",
        ] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", AddressError::Grammar),
            ("a@b", AddressError::Grammar),
            ("a@@b.example", AddressError::Grammar),
            ("a b@c.example", AddressError::Grammar),
            (".a@c.example", AddressError::Grammar),
            ("a..b@c.example", AddressError::Grammar),
            ("\"a b\"@c.example", AddressError::Grammar),
            ("a@[127.0.0.1]", AddressError::Grammar),
            ("a@127.0.0.1", AddressError::Grammar),
            ("a@-c.example", AddressError::Grammar),
            ("a@c.example>", AddressError::Grammar),
            ("a@c.example\r\nBcc: x@y.example", AddressError::Control),
            ("a\0@c.example", AddressError::Control),
            ("a\u{202e}@c.example", AddressError::Control),
            ("a@ex\u{430}mple.com", AddressError::MixedScript),
            ("\u{43f}\u{43e}@\u{440}\u{444}.\u{440}\u{444}", AddressError::NotAscii),
        ] {
            assert_eq!(check_address(bad), Err(why), "{bad:?}");
        }
        assert_eq!(
            check_address(&format!("{}@{}.example", "a".repeat(64), "b.".repeat(95))),
            Err(AddressError::TooLong)
        );
    }

    #[test]
    fn domains_are_allowed_exactly() {
        let allowed = ["Alpha.example", "beta.example"];
        assert_eq!(check_allowed("x@alpha.EXAMPLE", &allowed), Ok(()));
        for address in [
            "x@sub.alpha.example",
            "x@notalpha.example",
            "x@alpha.example.evil.example",
        ] {
            assert_eq!(check_allowed(address, &allowed), Err(AddressError::Domain), "{address}");
        }
        assert_eq!(check_allowed("x@alpha.example", &[]), Err(AddressError::Domain));
    }
}

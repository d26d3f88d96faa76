//! Identifiers: one type per kind, so that a partner cannot be passed for a product.
//!
//! Duty: validate and normalise in the constructor. Not its duty: knowing whether the thing exists.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::table::Value;

/// Longest identifier in bytes: long enough for a UUID with a prefix, short enough for a path.
pub const MAX_ID_BYTES: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdError {
    #[error("is empty")]
    Empty,
    #[error("is longer than {MAX_ID_BYTES} bytes")]
    TooLong,
    #[error("holds the control or invisible character U+{:04X}", *.0 as u32)]
    Control(char),
    #[error("begins or ends with a blank")]
    Blank,
}

/// Whether a text can be an identifier at all; shared by every id type and by contracts.
pub fn check_id(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_ID_BYTES {
        return Err(IdError::TooLong);
    }
    if let Some(c) = text.chars().find(|c| c.is_control() || is_invisible(*c)) {
        return Err(IdError::Control(c));
    }
    if text.trim() != text {
        return Err(IdError::Blank);
    }
    Ok(())
}

/// Characters that change what a reader sees without being seen: zero-width and direction marks.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{00AD}')
}

macro_rules! id_type {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(text: &str) -> Result<$name, IdError> {
                check_id(text)?;
                Ok($name(text.into()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Shares the text.
        impl From<&$name> for Value {
            fn from(id: &$name) -> Value {
                Value::Text(id.0.clone())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )*};
}

id_type! {
    /// A channel partner.
    PartnerId,
    /// A product domain, such as `routing-switching`.
    DomainId,
    /// A scheme of the rule book, such as `sales-rebate`.
    SchemeId,
    /// A region of the programme: the name of its rule files.
    RegionId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_validated() {
        assert!(PartnerId::new("00123").is_ok());
        assert_eq!(PartnerId::new(""), Err(IdError::Empty));
        assert_eq!(PartnerId::new("a\u{202E}b"), Err(IdError::Control('\u{202E}')));
        assert_eq!(PartnerId::new(" a"), Err(IdError::Blank));
        assert_eq!(PartnerId::new(&"x".repeat(129)), Err(IdError::TooLong));
    }
}

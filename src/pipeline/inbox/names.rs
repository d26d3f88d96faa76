//! Names of files as strangers choose them.
//!
//! Duty: which names are refused, and which look like another. A name is a label: it is written down and shown, and
//! leads to no other path than the one it was found at. Not its duty: what the file is.

use unicode_normalization::UnicodeNormalization as _;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::ids::is_invisible;

/// Longest name of a file or a folder in bytes.
const MAX_NAME_BYTES: usize = 255;

/// What is wrong with a path relative to the workspace, if anything is.
pub fn refused(path: &str) -> Option<&'static str> {
    path.split('/').find_map(refused_name)
}

fn refused_name(name: &str) -> Option<&'static str> {
    let drive = |name: &str| matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    Some(if name.contains('\u{FFFD}') {
        "its name is not UTF-8"
    } else if name.chars().any(char::is_control) {
        "its name holds control characters"
    } else if name.chars().any(is_unseen) {
        "its name holds invisible characters, or such as turn the direction of text"
    } else if name.len() > MAX_NAME_BYTES {
        "its name is longer than 255 bytes"
    } else if name.contains('\\') || drive(name) {
        "its name is a path on other systems"
    } else if name.trim() != name || name.ends_with('.') || name.is_empty() {
        "its name begins or ends with a blank, or ends with a dot"
    } else {
        return None;
    })
}

/// Characters that a reader does not see: those that ids may not hold, line and paragraph separators, tags, and the
/// Arabic and Mongolian marks.
fn is_unseen(c: char) -> bool {
    is_invisible(c)
        || matches!(
            c,
            '\u{061C}' | '\u{180E}' | '\u{2028}' | '\u{2029}' | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{E0000}'
                ..='\u{E007F}'
        )
}

/// The same number for names that differ in case or Unicode normalisation only.
pub fn look(path: &str) -> u64 {
    let folded: String = path.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    xxh3_64(folded.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused_in_every_part_of_a_path() {
        let hostile = [
            "in/a\u{202E}vsc.exe",
            "in/a\nb.csv",
            "in/a\0b.csv",
            "in/\u{1B}[2Ja.csv",
            "in/a\u{200B}.csv",
            "in/a\u{2028}.csv",
            "in/a\u{FFFD}.csv",
            "in\t/a.csv",
            "in/C:\\x.csv",
            "in/C:x.csv",
            "in/..\\..\\etc\\x.csv",
            "in/a.csv ",
            "in/ a.csv",
            "in/a.csv.",
            "in/../a.csv",
            "in/.",
            "in//a.csv",
        ];
        for path in hostile {
            assert!(refused(path).is_some(), "{path:?}");
        }
        assert!(refused(&format!("in/{}", "x".repeat(256))).is_some());
        for path in [
            "in/é.csv",
            "in/売上-2026.csv",
            "in/a b.csv",
            "in/.a.csv",
            "in/10:30.csv",
            "in/'; --.csv",
        ] {
            assert_eq!(refused(path), None, "{path:?}");
        }
    }

    #[test]
    fn names_look_alike_but_for_case_and_normalisation() {
        for (a, b) in [
            ("A.csv", "a.CSV"),
            ("e\u{301}.csv", "\u{e9}.csv"),
            ("E\u{301}", "\u{e9}"),
            ("Ａ", "a"),
        ] {
            assert_eq!(look(a), look(b), "{a} {b}");
        }
        assert_ne!(look("a.csv"), look("b.csv"));
        assert_ne!(look("e.csv"), look("\u{e9}.csv"));
    }
}

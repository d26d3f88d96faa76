//! Archives by their first bytes.
//!
//! Duty: signatures of archives. Not its duty: other kinds of files; opening anything.

use super::Compression;

/// How a file is packed, by its first bytes: what a source would have to declare. A workbook is a zip archive too:
/// see [`is_workbook`].
pub fn kind(head: &[u8]) -> Option<Compression> {
    if head.starts_with(GZIP) {
        Some(Compression::Gzip)
    } else if head.starts_with(ZIP) || head.starts_with(EMPTY_ZIP) {
        Some(Compression::Zip)
    } else {
        None
    }
}

/// Whether a zip archive is an Office document, by the name of its first entry.
pub fn is_workbook(head: &[u8]) -> bool {
    let first_names: [&[u8]; 4] = [b"[Content_Types].xml", b"_rels/", b"xl/", b"docProps/"];
    head.starts_with(ZIP)
        && head
            .get(30..)
            .is_some_and(|name| first_names.iter().any(|n| name.starts_with(n)))
}

pub(super) const GZIP: &[u8] = b"\x1F\x8B";
pub(super) const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";

/// What kind of archive the bytes are the beginning of, as a message names it; more kinds than are unpacked.
pub(super) fn archive(head: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], usize, &str); 9] = [
        (GZIP, 0, "a gzip archive"),
        (ZIP, 0, "a zip archive or a workbook"),
        (EMPTY_ZIP, 0, "an empty zip archive"),
        (b"BZh", 0, "a bzip2 archive"),
        (b"7z\xBC\xAF\x27\x1C", 0, "a 7z archive"),
        (b"\xFD7zXZ", 0, "an xz archive"),
        (b"\x28\xB5\x2F\xFD", 0, "a zstd archive"),
        (b"Rar!\x1A\x07", 0, "a rar archive"),
        (b"ustar", 257, "a tar archive"),
    ];
    let is = |(signature, at, _): &&(&[u8], usize, &str)| head.get(*at..).is_some_and(|h| h.starts_with(signature));
    SIGNATURES.iter().find(is).map(|(_, _, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_by_their_first_bytes() {
        assert_eq!(kind(b"\x1F\x8B\x08"), Some(Compression::Gzip));
        assert_eq!(kind(b"PK\x03\x04..."), Some(Compression::Zip));
        assert_eq!(kind(b"PK\x05\x06"), Some(Compression::Zip));
        assert_eq!(kind(b"PK,a\n"), None);
        assert_eq!(kind(b""), None);
        let tar = [vec![0; 257], b"ustar\0".to_vec()].concat();
        assert_eq!(archive(&tar), Some("a tar archive"));
        assert_eq!(archive(b"BZ"), None);
    }

    #[test]
    fn a_workbook_is_told_from_a_zip_by_its_first_entry() {
        let named = |name: &[u8]| [b"PK\x03\x04".as_slice(), &[0; 26], name].concat();
        assert!(is_workbook(&named(b"[Content_Types].xml")));
        assert!(is_workbook(&named(b"xl/workbook.xml")));
        assert!(!is_workbook(&named(b"sales.csv")));
        assert!(!is_workbook(b"PK\x03\x04"));
    }
}

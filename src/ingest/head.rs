//! Tells by its first bytes whether a file can be text at all.
//!
//! Duty: signatures, markup, NULs. Not its duty: the text itself, byte-order marks. The name of a file proves nothing.

use super::decode::{Encoding, hint};
use super::fault::Fault;

const SIGNATURES: [(&[u8], &str); 11] = [
    (b"PK\x03\x04", "an Excel workbook or another zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook or another Office document"),
    (b"PAR1", "a Parquet file"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
    (b"\xFD7zXZ", "an xz archive"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive"),
    (b"SQLite format 3\0", "an SQLite database"),
];

const MARKUP: [&[u8]; 3] = [b"<!doctype html", b"<html", b"<?xml"];

/// Why a file is no text that is read, by its first bytes before they are decoded; `mark` is the length of the
/// byte-order mark that they begin with.
pub fn check(head: &[u8], mark: usize, encoding: Encoding) -> Result<(), Fault> {
    if head.is_empty() {
        let remedy = "deliver the file again; where there is nothing to report, deliver the header alone";
        return Err(Fault::new("file.empty", "the file has 0 bytes", remedy));
    }
    for (signature, what) in SIGNATURES {
        if head.starts_with(signature) {
            return Err(not_text(what));
        }
    }
    let is_wide = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    let zeros = memchr::memchr_iter(0, head).count();
    // every second byte of western text in UTF-16 is NUL; a stray one does not reach a quarter
    if !is_wide && zeros * 4 >= head.len() {
        let reason = format!(
            "the file has NUL in every few bytes, and is read as {}",
            encoding.name()
        );
        let remedy = hint(head, encoding).unwrap_or_else(|| "save it as UTF-8".to_owned());
        return Err(Fault::new("file.encoding", reason, remedy));
    }
    let text = head.get(mark..).unwrap_or_default().trim_ascii_start();
    let is_markup = |tag: &&[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if MARKUP.iter().any(is_markup) {
        return Err(not_text("an HTML or XML page, such as that of a login"));
    }
    Ok(())
}

fn not_text(what: &str) -> Fault {
    Fault::new(
        "file.type",
        format!("the file is {what}, whatever its name says"),
        "deliver csv or json_lines, or declare the format and the compression that the file has",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        let rule = |bytes: &[u8]| check(bytes, 0, Encoding::Utf8).map_err(|f| f.rule.to_string());
        assert_eq!(rule(b""), Err("file.empty".into()));
        assert_eq!(rule(b"a,b\n"), Ok(()));
        for kind in [
            b"PK\x03\x04rest".as_slice(),
            b"\x1F\x8B\x08",
            b"%PDF-1.7",
            b"\n <!DOCTYPE html>",
            b"<HTML>",
            b"\xD0\xCF\x11\xE0",
        ] {
            assert_eq!(rule(kind), Err("file.type".into()), "{kind:?}");
        }
        assert!(check(b"\xEF\xBB\xBF<html>", 3, Encoding::Utf8).is_err());
        assert_eq!(rule(b"a,b\nc,\0d\n"), Ok(()));
    }

    #[test]
    fn text_in_an_undeclared_utf16_is_told() {
        let text = b"a\0,\0b\0\n\0";
        let fault = check(text, 0, Encoding::Utf8).unwrap_err();
        assert_eq!(fault.rule, "file.encoding");
        assert!(fault.remedy.contains("utf-16le"), "{}", fault.remedy);
        assert_eq!(check(text, 0, Encoding::Utf16Le), Ok(()));
    }
}

//! Tells by its first bytes whether a file can be text at all.
//!
//! Duty: signatures, byte-order marks, UTF-16. Not its duty: the text itself. The name of a file proves nothing.

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

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Length of the byte-order mark that the text begins with, or why the file is no text that is read.
pub fn check(head: &[u8]) -> Result<usize, Fault> {
    if head.is_empty() {
        let remedy = "deliver the file again; where there is nothing to report, deliver the header alone";
        return Err(Fault::new("file.empty", "the file has 0 bytes", remedy));
    }
    for (signature, what) in SIGNATURES {
        if head.starts_with(signature) {
            return Err(not_text(what));
        }
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Err(utf16("begins with the byte-order mark of UTF-16"));
    }
    let zeros = memchr::memchr_iter(0, head).count();
    // every second byte of western text in UTF-16 is NUL; a stray one does not reach a quarter
    if zeros * 4 >= head.len() {
        return Err(utf16(
            "has NUL in every few bytes, as UTF-16 without a byte-order mark has",
        ));
    }
    let mark = if head.starts_with(UTF8_MARK) {
        UTF8_MARK.len()
    } else {
        0
    };
    let text = head[mark..].trim_ascii_start();
    let is_markup = |tag: &&[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if MARKUP.iter().any(is_markup) {
        return Err(not_text("an HTML or XML page, such as that of a login"));
    }
    Ok(mark)
}

fn not_text(what: &str) -> Fault {
    Fault::new(
        "file.type",
        format!("the file is {what}, whatever its name says"),
        "deliver csv or json_lines",
    )
}

fn utf16(how: &str) -> Fault {
    Fault::new("file.encoding", format!("the file {how}"), "save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_first_bytes() {
        let rule = |bytes: &[u8]| check(bytes).map_err(|f| f.rule.to_string());
        assert_eq!(rule(b""), Err("file.empty".into()));
        assert_eq!(rule(b"a,b\n"), Ok(0));
        assert_eq!(rule(b"\xEF\xBB\xBFa,b\n"), Ok(3));
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
        for text in [
            b"\xFF\xFEa\0,\0".as_slice(),
            b"\xFE\xFF\0a\0,",
            b"a\0,\0b\0\n\0",
            b"\0a\0,\0b\0\n",
        ] {
            assert_eq!(rule(text), Err("file.encoding".into()), "{text:?}");
        }
        assert_eq!(rule(b"a,b\nc,\0d\n"), Ok(0));
    }
}

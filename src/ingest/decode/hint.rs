//! What else the encoding of a text could be.
//!
//! Duty: words for a person who has to correct a declaration. Must not: decide; nothing is read by a hint.

use super::charset::Decoder;
use super::{Encoding, Malformed};

/// When the first bytes of a text speak against its declared encoding: what they look like, and what to declare. For
/// files without a byte-order mark; `head` may end within a character.
pub fn hint(head: &[u8], declared: Encoding) -> Option<String> {
    if let Some(found) = wide(head) {
        let how = "have NUL in every second place, as UTF-16 without a byte-order mark has";
        return (found != declared).then(|| declare(how, &[found.name()]));
    }
    if fits(head, Encoding::Utf8) {
        let tells = !head.is_ascii() || is_wide(declared);
        let is_other = declared != Encoding::Utf8 && tells && !head.is_empty();
        return is_other.then(|| declare("are valid UTF-8", &[Encoding::Utf8.name()]));
    }
    if fits(head, declared) {
        return None;
    }
    let could: Vec<&str> = LOCAL
        .iter()
        .filter(|encoding| fits(head, **encoding))
        .map(|encoding| encoding.name())
        .collect();
    let how = format!("are no {}", declared.name());
    (!could.is_empty()).then(|| declare(&how, &could))
}

/// What people use beside Unicode. GBK is the smaller GB18030, ISO-8859-1 the smaller Windows-1252.
const LOCAL: [Encoding; 3] = [Encoding::Windows1252, Encoding::Gb18030, Encoding::ShiftJis];

fn declare(how: &str, could: &[&str]) -> String {
    let could: Vec<String> = could.iter().map(|name| format!("\"{name}\"")).collect();
    let could = could.join(" or ");
    format!("the first bytes {how}; if the sender writes it so, declare encoding = {could} in the source")
}

fn is_wide(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be)
}

/// UTF-16 by its NULs, of which western text has one in every character, always on the same side.
fn wide(head: &[u8]) -> Option<Encoding> {
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let is_most = |many: usize, few: usize| many > 0 && many * 4 >= head.len() && few * 4 <= many;
    if is_most(odd, even) {
        Some(Encoding::Utf16Le)
    } else if is_most(even, odd) {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// Whether bytes that may end within a character are well-formed.
fn fits(head: &[u8], encoding: Encoding) -> bool {
    let log = Malformed::new(encoding, 0, false);
    match Decoder::new(encoding, 0, log.clone()) {
        Some(mut decoder) => {
            decoder.decode(head, false);
            log.count() == 0
        }
        None => std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf16_without_a_mark_is_told_by_its_side() {
        let text = "id,name\n1,Ann\n";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let told = |head: &[u8], declared| hint(head, declared).unwrap_or_default();
        assert!(told(&le, Encoding::Utf8).contains("\"utf-16le\""));
        assert!(told(&be, Encoding::Utf16Le).contains("\"utf-16be\""));
        assert_eq!(hint(&le, Encoding::Utf16Le), None);
        assert!(told(text.as_bytes(), Encoding::Utf16Le).contains("\"utf-8\""));
        // NULs on both sides are no text
        assert_eq!(hint(&[0; 40], Encoding::Utf8), None);
    }

    #[test]
    fn one_encoding_is_told_from_another() {
        let utf8 = "Müller,Zürich\n".as_bytes();
        let windows = b"Caf\xE9,Z\xFC-10,\x80 5\n";
        let chinese = b"\xD6\xD0\xCE\xC4,1\n";
        assert_eq!(hint(utf8, Encoding::Utf8), None);
        assert_eq!(hint(b"plain", Encoding::Windows1252), None);
        assert_eq!(hint(b"", Encoding::Utf16Le), None);
        assert_eq!(
            hint(utf8, Encoding::Windows1252).unwrap(),
            "the first bytes are valid UTF-8; if the sender writes it so, declare encoding = \"utf-8\" in the source"
        );
        assert_eq!(
            hint(windows, Encoding::Utf8).unwrap(),
            "the first bytes are no utf-8; if the sender writes it so, declare encoding = \"windows-1252\" in the source"
        );
        assert!(hint(windows, Encoding::Latin1).unwrap().contains("are no iso-8859-1"));
        assert!(
            hint(chinese, Encoding::Utf8)
                .unwrap()
                .contains("\"windows-1252\" or \"gb18030\"")
        );
        assert_eq!(hint(chinese, Encoding::Gbk), None);
    }

    #[test]
    fn a_head_cut_within_a_character_is_whole() {
        assert_eq!(hint("Zü".as_bytes().split_last().unwrap().1, Encoding::Utf8), None);
    }
}

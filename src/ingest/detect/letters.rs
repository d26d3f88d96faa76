//! Which encoding the bytes of a text are in.
//!
//! Duty: byte-order marks, validity, and how typical the letters are that an encoding would make of the bytes. Must
//! not: be certain of an encoding by its letters. Nothing but the sample is decoded here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::super::decode::Encoding;
use super::guess::{Confidence, Guess, Setting, counted, per_mille};

/// The text of a sample and what there is to say of its encoding.
pub struct Letters {
    pub encoding: Encoding,
    pub text: String,
    pub guess: Guess,
}

/// Encodings of one language or another, in the order in which they win a draw.
const LOCAL: [Encoding; 4] = [
    Encoding::Windows1252,
    Encoding::Gbk,
    Encoding::Gb18030,
    Encoding::ShiftJis,
];

/// Decodes a sample by the encoding that fits it best; `whole` says that it does not end in the middle of a letter.
pub fn read(bytes: &[u8], whole: bool) -> Letters {
    if let Some((encoding, mark)) = by_mark(bytes) {
        let evidence = "the file begins with its byte-order mark";
        let setting = Setting::text(encoding.name());
        let guess = if encoding == Encoding::Utf8 {
            Guess::default(&["encoding"], setting, Confidence::Certain, evidence)
        } else {
            Guess::key(&["encoding"], setting, Confidence::Certain, evidence)
        };
        return letters(encoding, &bytes[mark..], guess);
    }
    if let Some(encoding) = by_nul(bytes) {
        let evidence = "every second byte is NUL, as in western text, and there is no byte-order mark";
        let guess = Guess::key(
            &["encoding"],
            Setting::text(encoding.name()),
            Confidence::Likely,
            evidence,
        );
        return letters(encoding, bytes, guess);
    }
    match utf8(bytes, whole) {
        Some(guess) => letters(Encoding::Utf8, bytes, guess),
        None => by_letters(bytes),
    }
}

fn letters(encoding: Encoding, bytes: &[u8], guess: Guess) -> Letters {
    Letters {
        encoding,
        text: decode(encoding, bytes).into_owned(),
        guess,
    }
}

fn by_mark(bytes: &[u8]) -> Option<(Encoding, usize)> {
    let marks: [(&[u8], Encoding); 3] = [
        (b"\xEF\xBB\xBF", Encoding::Utf8),
        (b"\xFF\xFE", Encoding::Utf16Le),
        (b"\xFE\xFF", Encoding::Utf16Be),
    ];
    let mark = marks.iter().find(|(mark, _)| bytes.starts_with(mark))?;
    Some((mark.1, mark.0.len()))
}

fn by_nul(bytes: &[u8]) -> Option<Encoding> {
    let sample = &bytes[..bytes.len().min(4096)];
    let nul = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (nul(0), nul(1));
    let half = sample.len() / 2;
    if odd * 2 > half && odd > even * 4 {
        Some(Encoding::Utf16Le)
    } else if even * 2 > half && even > odd * 4 {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// UTF-8 as far as the sample shows; a few bad bytes among many good letters do not speak against it.
fn utf8(bytes: &[u8], whole: bool) -> Option<Guess> {
    let (mut good, mut bad, mut rest) = (0_u64, 0_u64, bytes);
    loop {
        let beyond = |text: &str| text.chars().filter(|c| !c.is_ascii()).count() as u64;
        match std::str::from_utf8(rest) {
            Ok(text) => {
                good += beyond(text);
                break;
            }
            Err(error) => {
                let (valid, tail) = rest.split_at(error.valid_up_to());
                good += beyond(std::str::from_utf8(valid).unwrap_or_default());
                let Some(length) = error.error_len() else {
                    bad += u64::from(whole);
                    break;
                };
                bad += 1;
                rest = &tail[length..];
            }
        }
    }
    let guess = |confidence, evidence: String| {
        let setting = Setting::text(Encoding::Utf8.name());
        Some(Guess::default(&["encoding"], setting, confidence, evidence))
    };
    match (good, bad) {
        (0, 0) => guess(
            Confidence::Likely,
            "only ASCII, which every encoding but UTF-16 reads alike".to_owned(),
        ),
        (good, 0) => guess(
            Confidence::Certain,
            format!("{} beyond ASCII in valid UTF-8", counted(good, "letter")),
        ),
        (good, bad) if good >= bad * 20 => guess(
            Confidence::Likely,
            format!(
                "{} beyond ASCII in valid UTF-8; {} not, and their rows will be rejected",
                counted(good, "letter"),
                counted(bad, "place")
            ),
        ),
        _ => None,
    }
}

/// Typical letters per thousand beyond ASCII by which an encoding is likely.
const LIKELY: u64 = 900;

fn by_letters(all: &[u8]) -> Letters {
    let bytes = &telling(all);
    let mut found: Vec<(u64, u64, Encoding)> = LOCAL.iter().map(|e| (typical(*e, bytes), 0, *e)).collect();
    for (rank, one) in found.iter_mut().enumerate() {
        one.1 = (LOCAL.len() - rank) as u64;
    }
    found.sort_by_key(|f| std::cmp::Reverse((f.0, f.1)));
    let (share, _, encoding) = found[0];
    let same = |other: &&(u64, u64, Encoding)| decode(other.2, bytes) == decode(encoding, bytes);
    let mut alike: Vec<Encoding> = found[1..].iter().filter(same).map(|f| f.2).collect();
    if encoding == Encoding::Windows1252 && decode(Encoding::Latin1, bytes) == decode(encoding, bytes) {
        alike.push(Encoding::Latin1);
    }
    let rival = found[1..].iter().find(|f| !alike.contains(&f.2));
    let runner_up = rival.map_or(0, |f| f.0);
    let clear = share >= LIKELY && runner_up * 3 <= share * 2;
    let confidence = if clear { Confidence::Likely } else { Confidence::Guess };
    let mut evidence = format!("no valid UTF-8; {share} of 1,000 letters beyond ASCII are typical of it");
    if let Some((share, _, other)) = rival {
        evidence.push_str(&format!(", {share} of {}", other.name()));
    }
    if !alike.is_empty() {
        let names: Vec<&str> = alike.iter().map(|e| e.name()).collect();
        evidence.push_str(&format!("; {} would read the sample alike", names.join(" and ")));
    }
    let mut others: Vec<Setting> = alike.iter().map(|e| Setting::text(e.name())).collect();
    if !clear {
        others.extend(rival.map(|f| Setting::text(f.2.name())));
    }
    let guess = Guess::key(&["encoding"], Setting::text(encoding.name()), confidence, evidence).or(others);
    letters(encoding, all, guess)
}

/// Bytes of lines by whose letters encodings are compared.
const COMPARED: usize = 256 << 10;

/// The first lines that hold more than ASCII.
fn telling(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in bytes.split_inclusive(|b| *b == b'\n').filter(|line| !line.is_ascii()) {
        out.extend_from_slice(&line[..line.len().min(COMPARED)]);
        if out.len() >= COMPARED {
            break;
        }
    }
    out
}

/// The text of bytes in an encoding; malformed places are replacement characters, which only a sample may hold.
pub fn decode(encoding: Encoding, bytes: &[u8]) -> Cow<'_, str> {
    let by = |e: &'static encoding_rs::Encoding| e.decode_without_bom_handling(bytes).0;
    match encoding {
        Encoding::Utf8 => by(encoding_rs::UTF_8),
        Encoding::Utf16Le => by(encoding_rs::UTF_16LE),
        Encoding::Utf16Be => by(encoding_rs::UTF_16BE),
        Encoding::Windows1252 => by(encoding_rs::WINDOWS_1252),
        Encoding::Latin1 => encoding_rs::mem::decode_latin1(bytes),
        Encoding::Gbk => by(encoding_rs::GBK),
        Encoding::Gb18030 => by(encoding_rs::GB18030),
        Encoding::ShiftJis => by(encoding_rs::SHIFT_JIS),
    }
}

/// How many of a thousand letters beyond ASCII are typical of texts in an encoding.
fn typical(encoding: Encoding, bytes: &[u8]) -> u64 {
    let text = decode(encoding, bytes);
    let chars: Vec<char> = text.chars().collect();
    let (mut all, mut good) = (0, 0);
    for (i, c) in chars.iter().enumerate().filter(|(_, c)| !c.is_ascii()) {
        all += 1;
        let before = i.checked_sub(1).and_then(|i| chars.get(i)).copied().unwrap_or(' ');
        let behind = chars.get(i + 1).copied().unwrap_or(' ');
        let is = match encoding {
            Encoding::Windows1252 | Encoding::Latin1 => is_western(before, *c, behind),
            Encoding::ShiftJis => {
                matches!(c, '\u{3000}'..='\u{30FF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF01}'..='\u{FF5E}')
            }
            _ => COMMON_CHINESE.contains(c),
        };
        good += u64::from(is && *c != '\u{FFFD}');
    }
    per_mille(good, all)
}

/// A letter with an accent beside a plain one, or a sign beside a blank or a digit: western text has few in a row.
fn is_western(before: char, c: char, behind: char) -> bool {
    let plain = |c: char| c.is_ascii_alphabetic();
    let crowded = !before.is_ascii() && !behind.is_ascii();
    if crowded {
        return false;
    }
    if c.is_alphabetic() {
        return (plain(before) || plain(behind)) && (c.is_lowercase() || !before.is_lowercase());
    }
    matches!(
        c,
        '€' | '£' | '§' | '°' | '–' | '—' | '‘' | '’' | '“' | '”' | '„' | '…' | '«' | '»' | '\u{A0}'
    )
}

/// The first level of GB 2312, which holds the letters of nearly all texts, and its punctuation.
static COMMON_CHINESE: LazyLock<BTreeSet<char>> = LazyLock::new(|| {
    let rows = (0xA1..=0xA3_u8).chain(0xB0..=0xD7);
    let codes: Vec<u8> = rows
        .flat_map(|row| (0xA1..=0xFE_u8).flat_map(move |cell| [row, cell]))
        .collect();
    decode(Encoding::Gbk, &codes)
        .chars()
        .filter(|c| *c != '\u{FFFD}')
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> String {
        let letters = read(bytes, true);
        format!("{} {}", letters.encoding.name(), letters.guess.confidence.name())
    }

    fn encoded(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn marks_and_validity_are_certain_and_letters_are_not() {
        assert_eq!(told(b"\xEF\xBB\xBFa,b\n"), "utf-8 certain");
        assert_eq!(told(b"\xFF\xFEa\0,\0"), "utf-16le certain");
        assert_eq!(told(b"a\0,\0b\0\n\0"), "utf-16le likely");
        assert_eq!(told(b"\0a\0,\0b\0\n"), "utf-16be likely");
        assert_eq!(told(b"a,b\n"), "utf-8 likely");
        assert_eq!(told("Währung\n".as_bytes()), "utf-8 certain");
        let german = "Währung;Größe;Stückzahl\nMünchen;Köln;für Übergabe\n";
        assert_eq!(told(&encoded(encoding_rs::WINDOWS_1252, german)), "windows-1252 likely");
        let chinese = "合作伙伴,产品名称,订单金额\n上海分公司,交换机,一千元\n北京服务中心,路由器,两千元\n";
        assert_eq!(told(&encoded(encoding_rs::GBK, chinese)), "gbk likely");
        let japanese = "パートナー,製品の名前,注文金額\nとうきょう支店,ルータ,あります\n";
        assert_eq!(told(&encoded(encoding_rs::SHIFT_JIS, japanese)), "shift_jis likely");
    }

    #[test]
    fn encodings_that_read_the_sample_alike_are_named() {
        let letters = read(&encoded(encoding_rs::WINDOWS_1252, "Größe;Maß\n"), true);
        assert_eq!(letters.guess.alternatives, [Setting::text("iso-8859-1")]);
        assert_eq!(letters.text, "Größe;Maß\n");
    }

    #[test]
    fn a_bad_byte_among_many_good_letters_is_no_other_encoding() {
        let mut bytes = "ä".repeat(40).into_bytes();
        bytes.push(0xE4);
        bytes.push(b'\n');
        assert_eq!(told(&bytes), "utf-8 likely");
        // a sample may end in the middle of a letter
        assert_eq!(read(&"Größe".as_bytes()[..4], false).encoding, Encoding::Utf8);
    }
}

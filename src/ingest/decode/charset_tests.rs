//! Tests of `charset`.

use proptest::prelude::*;

use super::*;

const ALL: [Encoding; 7] = [
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
    Encoding::Latin1,
    Encoding::Gbk,
    Encoding::Gb18030,
    Encoding::ShiftJis,
];

/// The bytes of a character, where the encoding has it.
fn encoded(c: char, encoding: Encoding) -> Option<Vec<u8>> {
    let by = |encoding: &'static encoding_rs::Encoding| {
        let text = c.to_string();
        let (bytes, _, lossy) = encoding.encode(&text);
        let same = encoding.decode_without_bom_handling(&bytes).0 == text;
        (!lossy && same).then(|| bytes.into_owned())
    };
    match encoding {
        Encoding::Utf8 => Some(c.to_string().into_bytes()),
        Encoding::Utf16Le => Some(
            c.encode_utf16(&mut [0; 2])
                .iter()
                .flat_map(|u| u.to_le_bytes())
                .collect(),
        ),
        Encoding::Utf16Be => Some(
            c.encode_utf16(&mut [0; 2])
                .iter()
                .flat_map(|u| u.to_be_bytes())
                .collect(),
        ),
        Encoding::Windows1252 => by(encoding_rs::WINDOWS_1252).filter(|_| !('\u{80}'..='\u{9F}').contains(&c)),
        Encoding::Latin1 => u8::try_from(c)
            .ok()
            .filter(|b| !(0x80..0xA0).contains(b))
            .map(|b| vec![b]),
        Encoding::Gbk => by(encoding_rs::GBK),
        Encoding::Gb18030 => by(encoding_rs::GB18030),
        Encoding::ShiftJis => by(encoding_rs::SHIFT_JIS),
    }
}

/// What is no character wherever it stands between two.
fn malformed(encoding: Encoding) -> &'static [u8] {
    match encoding {
        Encoding::Windows1252 => &[0x9D],
        Encoding::Latin1 => &[0x80],
        Encoding::Utf16Le => &[0x01, 0xDC],
        Encoding::Utf16Be => &[0xDC, 0x01],
        _ => &[0xFF],
    }
}

/// Decodes in pieces that end at the given places.
fn decoded(bytes: &[u8], encoding: Encoding, cuts: &[usize]) -> (Vec<u8>, Vec<BadBytes>) {
    let log = Malformed::new(encoding, 0, false);
    let mut decoder = Decoder::new(encoding, 0, log.clone()).unwrap();
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        decoder.decode(&bytes[from..cut], false);
        out.extend_from_slice(decoder.text());
        from = cut;
    }
    decoder.decode(&[], true);
    out.extend_from_slice(decoder.text());
    let bad = (0..usize::try_from(log.count()).unwrap())
        .map(|n| log.nth(n).unwrap())
        .collect();
    (out, bad)
}

fn hostile() -> impl Strategy<Value = Vec<char>> {
    // 表 and ソ end in a backslash in Shift-JIS, 丂 in an at sign in GBK; the half of a pair, a mark in the middle
    let chosen = "a,;\t\"'\\|\r\n\0\u{7F}é€ŸÿŽ\u{A0}表ソ丂中ｱ😀\u{10FFFF}\u{FEFF}\u{FFFD}\u{FFFF}\u{2028}\u{E000}";
    let chosen: Vec<char> = chosen.chars().collect();
    prop::collection::vec(
        prop_oneof![3 => prop::sample::select(chosen), 1 => any::<char>(), 1 => prop::char::range('\u{0}', '\u{FF}')],
        0..24,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_encoded_is_decoded_wherever_it_is_cut(chars in hostile()) {
        for encoding in ALL {
            let kept: Vec<(char, Vec<u8>)> = chars.iter().filter_map(|c| Some((*c, encoded(*c, encoding)?))).collect();
            let text: String = kept.iter().map(|(c, _)| *c).collect();
            let bytes: Vec<u8> = kept.iter().flat_map(|(_, b)| b.clone()).collect();
            for cut in 0..=bytes.len() {
                let (out, bad) = decoded(&bytes, encoding, &[cut]);
                prop_assert_eq!(std::str::from_utf8(&out), Ok(text.as_str()), "{:?} cut at {}", encoding, cut);
                prop_assert!(bad.is_empty());
            }
            let each: Vec<usize> = (0..bytes.len()).collect();
            prop_assert_eq!(decoded(&bytes, encoding, &each).0, text.into_bytes());
        }
    }

    #[test]
    fn malformed_bytes_anywhere_are_one_mark_at_their_place(chars in hostile(), at in any::<prop::sample::Index>()) {
        for encoding in ALL {
            let kept: Vec<(char, Vec<u8>)> = chars.iter().filter_map(|c| Some((*c, encoded(*c, encoding)?))).collect();
            let at = at.index(kept.len() + 1);
            let (before, after) = kept.split_at(at);
            let text = |part: &[(char, Vec<u8>)]| part.iter().map(|(c, _)| *c).collect::<String>().into_bytes();
            let bytes = |part: &[(char, Vec<u8>)]| part.iter().flat_map(|(_, b)| b.clone()).collect::<Vec<u8>>();
            let file = [bytes(before), malformed(encoding).to_vec(), bytes(after)].concat();
            let expected = [text(before), vec![0xFF], text(after)].concat();
            for cut in 0..=file.len() {
                let (out, bad) = decoded(&file, encoding, &[cut]);
                prop_assert_eq!(&out, &expected, "{:?} cut at {}", encoding, cut);
                prop_assert_eq!(bad.len(), 1);
                prop_assert_eq!(bad[0].file_offset, bytes(before).len() as u64);
                prop_assert_eq!(bad[0].text_offset, text(before).len() as u64);
                prop_assert_eq!(bad[0].bytes(), malformed(encoding));
            }
        }
    }

    #[test]
    fn any_bytes_give_text_and_marks_wherever_they_are_cut(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        for encoding in ALL {
            let whole = decoded(&bytes, encoding, &[]);
            for cut in 0..=bytes.len() {
                prop_assert_eq!(&decoded(&bytes, encoding, &[cut]), &whole);
            }
            let each: Vec<usize> = (0..bytes.len()).collect();
            prop_assert_eq!(&decoded(&bytes, encoding, &each), &whole);
            let (out, bad) = whole;
            let marks: Vec<u64> = memchr::memchr_iter(0xFF, &out).map(|at| at as u64).collect();
            prop_assert_eq!(marks, bad.iter().map(|b| b.text_offset).collect::<Vec<u64>>());
            prop_assert!(out.split(|b| *b == 0xFF).all(|part| std::str::from_utf8(part).is_ok()));
            for b in &bad {
                let at = usize::try_from(b.file_offset).unwrap();
                prop_assert_eq!(b.bytes(), &bytes[at..at + b.bytes().len()]);
            }
        }
    }
}

/// Encoding, bytes, their text, and where the malformed bytes stand.
type Case = (Encoding, &'static [u8], &'static [u8], &'static [u64]);

#[test]
fn malformed_sequences() {
    use Encoding::{Gb18030, Gbk, Latin1, ShiftJis, Utf16Be, Utf16Le, Windows1252};
    let cases: &[Case] = &[
        (Utf16Le, b"a\0b", b"a\xFF", &[2]),
        (Utf16Le, b"\x3D\xD8a\0", b"\xFFa", &[0]),
        (Utf16Le, b"\x3D\xD8\x3D\xD8\x00\xDE", b"\xFF\xF0\x9F\x98\x80", &[0]),
        (Utf16Le, b"\x3D\xD8", b"\xFF", &[0]),
        (Utf16Le, b"\x3D\xD8\x00", b"\xFF", &[0]),
        (Utf16Be, b"\0a\xDE\0\0b", b"a\xFFb", &[2]),
        (Utf16Be, b"\0a\0\0\0b", b"a\0b", &[]),
        (
            Windows1252,
            b"\x80\x81\x8D\x8F\x90\x9D\x9F",
            b"\xE2\x82\xAC\xFF\xFF\xFF\xFF\xFF\xC5\xB8",
            &[1, 2, 3, 4, 5],
        ),
        (
            Latin1,
            b"\x7F\x80\x9F\xA0\xFF",
            b"\x7F\xFF\xFF\xC2\xA0\xC3\xBF",
            &[1, 2],
        ),
        // the comma behind half a character stays a comma
        (Gbk, b"\xD6,\xD6\xD0", b"\xFF,\xE4\xB8\xAD", &[0]),
        (Gbk, b"a\xD6", b"a\xFF", &[1]),
        (Gb18030, b"\x81\x30\x81\n", b"\xFF0\xFF\n", &[0, 2]),
        (ShiftJis, b"\x83,\x95\x5C", b"\xFF,\xE8\xA1\xA8", &[0]),
        (ShiftJis, b"\xFD\xB1", b"\xFF\xEF\xBD\xB1", &[0]),
    ];
    for (encoding, bytes, expected, places) in cases {
        let (out, bad) = decoded(bytes, *encoding, &[]);
        assert_eq!(&out, expected, "{encoding:?} {bytes:02X?}");
        assert_eq!(
            bad.iter().map(|b| b.file_offset).collect::<Vec<_>>(),
            *places,
            "{encoding:?}"
        );
    }
}

#[test]
fn every_byte_of_latin1_is_its_code_point() {
    for byte in (0..=0x7F).chain(0xA0..=0xFF_u8) {
        let (out, _) = decoded(&[byte], Encoding::Latin1, &[]);
        assert_eq!(out, char::from(byte).to_string().as_bytes());
    }
}

#[test]
fn long_texts_are_searched_in_blocks() {
    for at in [0, 1, 63, 64, 65, 127, 128, 199] {
        let mut bytes = vec![b'x'; 200];
        bytes[at] = 0x81;
        let (out, bad) = decoded(&bytes, Encoding::Windows1252, &[]);
        assert_eq!((out.len(), bad.len(), bad[0].file_offset), (200, 1, at as u64));
    }
}

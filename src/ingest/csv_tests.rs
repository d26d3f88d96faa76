//! The record reader against hand-written bytes and against the csv crate.

use proptest::prelude::*;

use super::super::decode;
use super::super::limits::CHUNK_BYTES;
use super::*;

const COMMA: Dialect = Dialect {
    delimiter: b',',
    quote: Some(b'"'),
    escape: None,
};

fn reader(text: &[u8], dialect: Dialect) -> Reader<impl Read> {
    let input = Box::new(io::Cursor::new(text));
    let text = decode::text(input, decode::Compression::None, decode::Encoding::Utf8).unwrap();
    let malformed = text.malformed();
    Reader::new(Window::new(text), dialect, malformed)
}

/// Reads a text; a record is `line: field|field`, a fault `line! rule`.
fn read_with(text: &[u8], dialect: Dialect) -> Vec<String> {
    let mut reader = reader(text, dialect);
    let mut out = Vec::new();
    loop {
        match reader.next_record().unwrap() {
            Next::Record(record) => out.push(format!(
                "{}: {}",
                record.line,
                record.fields().collect::<Vec<_>>().join("|")
            )),
            Next::Fault(line, _, fault) => out.push(format!("{line}! {}", fault.rule)),
            Next::End => return out,
        }
    }
}

fn read(text: &str) -> Vec<String> {
    read_with(text.as_bytes(), COMMA)
}

fn faults(text: &[u8]) -> Vec<(u64, Fault, Vec<u8>)> {
    let mut reader = reader(text, COMMA);
    let mut out = Vec::new();
    loop {
        match reader.next_record().unwrap() {
            Next::Record(_) => {}
            Next::Fault(line, raw, fault) => out.push((line, fault, raw.to_vec())),
            Next::End => return out,
        }
    }
}

#[test]
fn all_line_ends_and_empty_lines() {
    let expected = ["1: a|b", "2: c|d"];
    assert_eq!(read("a,b\nc,d\n"), expected);
    assert_eq!(read("a,b\r\nc,d\r\n"), expected);
    assert_eq!(read("a,b\rc,d\r"), expected);
    assert_eq!(read("a,b\nc,d"), expected);
    assert_eq!(read("\n\r\na,b\r\rc,d\n\n"), ["3: a|b", "5: c|d"]);
    assert_eq!(read(""), Vec::<String>::new());
    assert_eq!(read("\n\n"), Vec::<String>::new());
}

#[test]
fn empty_fields_and_quotes() {
    assert_eq!(read(",\n"), ["1: |"]);
    assert_eq!(read("\"\"\n"), ["1: "]);
    assert_eq!(read("\"a,\"\"b\"\"\",c\n"), ["1: a,\"b\"|c"]);
    assert_eq!(read("a,b,\n"), ["1: a|b|"]);
    assert_eq!(read("\"a\",\"\""), ["1: a|"]);
}

#[test]
fn line_breaks_inside_quotes_are_text_and_are_counted() {
    assert_eq!(read("\"a\r\nb\",c\nd,e\n"), ["1: a\r\nb|c", "3: d|e"]);
    assert_eq!(read("\"a\rb\",c\rd,e"), ["1: a\rb|c", "3: d|e"]);
}

#[test]
fn a_stray_quote_rejects_its_record_only() {
    assert_eq!(read("a,b\nx\"y,z\nc,d\n"), ["1: a|b", "2! record.quote", "3: c|d"]);
    assert_eq!(read("a,\"b\"c\nd,e\n"), ["1! record.quote", "2: d|e"]);
    // the rest of the line is not looked at for quotes, so the next line is safe
    assert_eq!(read("x\"y,\"z\nc,d\n"), ["1! record.quote", "2: c|d"]);
}

#[test]
fn an_open_quote_swallows_nothing() {
    assert_eq!(read("a,\"b\nc,d\ne,f\n"), ["1! record.quote_open", "2: c|d", "3: e|f"]);
    // a later quoted field would close it: what follows that quote gives it away
    assert_eq!(
        read("a,\"b\nc,d\ne,\"f\"\ng,h\n"),
        ["1! record.quote", "2: c|d", "3: e|f", "4: g|h"]
    );
    assert_eq!(read("a,\"b"), ["1! record.quote_open"]);
    assert_eq!(read("a,\"b\"\"\nc,d"), ["1! record.quote_open", "2: c|d"]);
    assert_eq!(read("\"a\r\nb,c\r\n"), ["1! record.quote_open", "2: b|c"]);
}

#[test]
fn the_fault_names_the_line_of_the_quote_and_keeps_the_raw_text() {
    let found = faults(b"\"a\nb\",\"c\nd,e\n");
    let (line, fault, raw) = &found[0];
    assert_eq!((*line, raw.as_slice()), (1, b"\"a\nb\",\"c".as_slice()));
    assert!(
        fault
            .reason
            .starts_with("the quote that opened on line 2 is not closed"),
        "{}",
        fault.reason
    );
    assert_eq!(found.len(), 1);
}

#[test]
fn a_field_over_the_limit_rejects_one_record() {
    let long = "x".repeat(MAX_FIELD_BYTES + 1);
    assert_eq!(read(&format!("a,{long}\nb,c\n")), ["1! record.field_size", "2: b|c"]);
    assert_eq!(read(&format!("a,\"{long}\nb,c\n")), ["1! record.quote_open", "2: b|c"]);
    assert_eq!(
        read(&format!("a,\"{long}\"\nb,c\n")),
        ["1! record.quote_open", "2: b|c"]
    );
    let fits = "x".repeat(MAX_FIELD_BYTES - 1);
    assert_eq!(read(&format!("\"{fits}\",b\n")).len(), 1);
    let line = format!("{}\nb,c\n", "y".repeat(3 * MAX_RECORD_BYTES / 4));
    let found = faults(line.as_bytes());
    assert_eq!((found.len(), found[0].2.len()), (1, 3 * MAX_RECORD_BYTES / 4));
    let line = format!("{}\nb,c\n", "y".repeat(3 * MAX_RECORD_BYTES));
    assert_eq!(faults(line.as_bytes())[0].2.len(), MAX_RECORD_BYTES);
    assert_eq!(read(&line), ["1! record.field_size", "2: b|c"]);
}

#[test]
fn a_record_over_the_limit_rejects_one_record() {
    // six quoted fields of 900 KiB on lines of their own: 5.3 MiB
    let field = format!("\"{}\n\",", "x".repeat(900 << 10));
    let found = read(&format!("{}z\nb,c\n", field.repeat(6)));
    assert_eq!(found[0], "1! record.size");
    // the fourth MiB ends in the field that opens on line 5; what follows that line is read by itself
    assert_eq!(found[1..], ["6! record.quote", "7! record.quote_open", "8: b|c"]);
    let wide = ",".repeat(MAX_COLUMNS);
    assert_eq!(read(&format!("{wide}\nb,c\n")), ["1! record.columns", "2: b|c"]);
}

#[test]
fn bytes_that_are_no_text_reject_their_record() {
    assert_eq!(
        read_with(b"a,b\nc,\xE9\nd,e\n", COMMA),
        ["1: a|b", "2! record.encoding", "3: d|e"]
    );
    assert_eq!(
        read_with(b"a,b\nc,\0\nd,e\n", COMMA),
        ["1: a|b", "2! record.nul", "3: d|e"]
    );
    assert!(
        faults(b"a,b\nc,\xE9\n")[0]
            .1
            .reason
            .starts_with("byte 6 of the file (0xE9)")
    );
    // overlong and surrogate forms, and halves of a character in two fields
    for bytes in [
        b"\xC0\xAF,a\n".as_slice(),
        b"\xED\xA0\x80,a\n",
        b"\xC3,\xA9\n",
        b"\"\xC3\"\"\xA9\",a\n",
    ] {
        assert_eq!(read_with(bytes, COMMA), ["1! record.encoding"], "{bytes:?}");
    }
}

#[test]
fn other_dialects() {
    assert_eq!(
        read_with(
            b"a;\"b;c\"\n",
            Dialect {
                delimiter: b';',
                ..COMMA
            }
        ),
        ["1: a|b;c"]
    );
    assert_eq!(
        read_with(
            b"a\t'b\tc'\n",
            Dialect {
                delimiter: b'\t',
                quote: Some(b'\''),
                escape: None,
            }
        ),
        ["1: a|b\tc"]
    );
    assert_eq!(
        read_with(
            b"a,\"b\nc,d\n",
            Dialect {
                delimiter: b',',
                quote: None,
                escape: None,
            }
        ),
        ["1: a|\"b", "2: c|d"]
    );
}

#[test]
fn an_escape_counts_inside_quotes_before_a_quote_or_itself() {
    let escaped = Dialect {
        escape: Some(b'\\'),
        ..COMMA
    };
    let read = |text: &str| read_with(text.as_bytes(), escaped);
    assert_eq!(read("\"a\\\"b\",c\n"), ["1: a\"b|c"]);
    assert_eq!(read("\"a\\\\\",c\nd,e\n"), ["1: a\\|c", "2: d|e"]);
    assert_eq!(read("\"C:\\temp\",\"x\"\"\\\"\"\n"), ["1: C:\\temp|x\"\""]);
    assert_eq!(read("a\\,b\n"), ["1: a\\|b"]);
    assert_eq!(read("\"a\\\",c\nd,e\n"), ["1! record.quote_open", "2: d|e"]);
    assert_eq!(read("\"a\\"), ["1! record.quote_open"]);
    assert_eq!(read_with(b"\"a\\\",c\n", COMMA), ["1: a\\|c"]);
}

#[test]
fn chunks_do_not_show() {
    // a record across the end of the first chunk, with a doubled quote and a CRLF exactly there
    for shift in 0..8 {
        let lead = "x".repeat(CHUNK_BYTES - 10 + shift);
        let text = format!("{lead},\"b\"\"c\"\r\nd,\"e\r\nf\"\r\ng,h");
        assert_eq!(read(&text)[1..], ["2: d|e\r\nf", "4: g|h"], "{shift}");
        assert!(read(&text)[0].ends_with("|b\"c"));
    }
}

#[test]
fn a_file_cut_anywhere_gives_no_panic_and_keeps_the_earlier_records() {
    let text = "a,b\r\n\"c\nd\",\"e\"\"\"\r\ng,é\r\n".as_bytes();
    for end in 0..text.len() {
        let found = read_with(&text[..end], COMMA);
        if end >= 5 {
            assert_eq!(found[0], "1: a|b");
        }
    }
}

/// Reads with the peer.
fn peer(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    reader
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn ours(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = reader(text, COMMA);
    let mut out = Vec::new();
    loop {
        match reader.next_record().unwrap() {
            Next::Record(record) => out.push(record.fields().map(str::to_owned).collect()),
            Next::Fault(_, _, fault) => panic!("{fault:?}"),
            Next::End => return out,
        }
    }
}

/// A field as it stands in a file: quoted where it must be, and sometimes where it need not.
fn written(field: &str, always: bool) -> String {
    if always || field.contains(['"', ',', '\n', '\r']) || field.is_empty() {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[test]
fn fields_in_plain_quotes_need_no_closer_look() {
    let behind = "x".repeat(64);
    for (line, taken) in [
        ("a,\"b, c\",\"\",\"\"\n", true),
        ("\"a\"\r\n", true),
        ("\"a\"\"b\",c\n", false),
        ("\"a\"b,c\n", false),
        ("\"a\nb\",c\n", false),
        ("a\"b\",c\n", false),
    ] {
        let text = format!("{line}{behind}");
        let found = plain_line(text.as_bytes(), Marks::new(COMMA), &mut Vec::new());
        assert_eq!(found.is_some(), taken, "{line:?}");
    }
}

proptest! {
    #[test]
    fn well_formed_text_reads_as_the_peer_reads_it(
        rows in proptest::collection::vec(proptest::collection::vec(("[a-z\",\n\ré１ ]{0,6}", any::<bool>()), 1..5), 0..8),
        ends in proptest::collection::vec(0..4usize, 8),
        last in any::<bool>(),
    ) {
        let mut text = String::new();
        for (i, row) in rows.iter().enumerate() {
            let fields: Vec<String> = row.iter().map(|(f, always)| written(f, *always)).collect();
            text.push_str(&fields.join(","));
            if last || i + 1 < rows.len() {
                text.push_str(["\n", "\r\n", "\r", "\n\n"][ends[i]]);
            }
        }
        prop_assert_eq!(ours(text.as_bytes()), peer(text.as_bytes()));
    }

    #[test]
    fn plain_lines_are_what_the_closer_look_says(
        text in "([ab,;\\u{0}\\u{b}é-]{0,9}(\"[ab,\\\\é]{0,9}\",)?){0,6}(\"[ab,\n]{0,9}\"|[\"a,\\\\]{0,3})?[\n\r]{0,2}[a,]{0,90}",
        dialect in prop::sample::select(vec![
            COMMA,
            Dialect { quote: None, ..COMMA },
            Dialect { escape: Some(b'\\'), ..COMMA },
        ]),
    ) {
        let mut spans = Vec::new();
        if let Some((raw, length)) = plain_line(text.as_bytes(), Marks::new(dialect), &mut spans) {
            let (mut aside, mut exact) = (Vec::new(), Vec::new());
            let found = scan(text.as_bytes(), false, dialect, &mut aside, &mut exact);
            prop_assert!(matches!(found, Scan::Record(l) if l == length));
            prop_assert_eq!(without_break(&text.as_bytes()[..length]).len(), raw);
            prop_assert_eq!(spans, exact);
            prop_assert!(aside.is_empty());
        }
    }

    #[test]
    fn any_bytes_give_records_or_faults_and_every_line_is_accounted_for(text in "[ab\",;\n\r]{0,60}") {
        let mut reader = reader(text.as_bytes(), COMMA);
        let mut bytes = 0;
        loop {
            let (line, raw) = match reader.next_record().unwrap() {
                Next::Record(record) => (record.line, record.raw.len()),
                Next::Fault(line, raw, _) => (line, raw.len()),
                Next::End => break,
            };
            prop_assert!(line <= reader.window.line());
            bytes += raw;
        }
        // every byte but line breaks between records is in exactly one raw text
        prop_assert!(bytes <= text.len());
        prop_assert_eq!(reader.window.offset(), text.len() as u64);
        let outside: usize = text.len() - bytes;
        prop_assert!(outside <= text.matches(['\n', '\r']).count());
    }
}

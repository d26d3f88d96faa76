//! Workbooks: cells far away, bombs, other formats, hidden and merged cells, dates, damaged numbers, damaged files.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use starledger::foreign::{self, Options};
use starledger::ingest::Verdict;
use starledger::ingest::decode::Compression;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Found, orders, read, source};

const KEYS: &str = "format = 'xlsx'\ndate_formats = ['%d.%m.%Y']\ndecimal_mark = ','\ngrouping_mark = '.'";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const LINKS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
/// `id, amount, paid_on, note` in the first row; `note` is a shared text.
const HEADER: &str = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c><c r='C1' t='s'><v>2</v></c>\
     <c r='D1' t='s'><v>3</v></c></row>";

/// Parts of a workbook; each can be replaced. Styles of cells: 0 general, 1 `yyyy-mm-dd`, 2 `00000`.
struct Book {
    top: String,
    workbook: String,
    links: String,
    sheet: String,
    strings: String,
    more: Vec<(&'static str, Vec<u8>)>,
}

/// A sheet with the header and these rows, and what stands behind them.
fn book(rows: &str, behind: &str) -> Book {
    sheet_of(&format!("{HEADER}{rows}"), behind)
}

fn sheet_of(rows: &str, behind: &str) -> Book {
    Book {
        top: format!(
            "<Relationships><Relationship Id='rId1' Type='{LINKS}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
        ),
        workbook: format!(
            "<workbook xmlns='{MAIN}'><workbookPr/><sheets><sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>"
        ),
        links: format!(
            "<Relationships><Relationship Id='rId1' Type='{LINKS}/worksheet' Target='worksheets/sheet1.xml'/>\
             <Relationship Id='rId2' Type='{LINKS}/worksheet' Target='worksheets/sheet2.xml'/>\
             <Relationship Id='rId3' Type='{LINKS}/styles' Target='styles.xml'/>\
             <Relationship Id='rId4' Type='{LINKS}/sharedStrings' Target='sharedStrings.xml'/></Relationships>"
        ),
        sheet: format!(
            "<worksheet xmlns='{MAIN}'><dimension ref='A1:XFD1048576'/><sheetData>{rows}</sheetData>{behind}</worksheet>"
        ),
        strings: "<sst><si><t>id</t></si><si><t>amount</t></si><si><t>paid_on</t></si><si><t>note</t></si></sst>"
            .to_owned(),
        more: Vec::new(),
    }
}

impl Book {
    fn parts(&self) -> Vec<(&str, &[u8])> {
        let styles = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy\\-mm\\-dd'/>\
             <numFmt numFmtId='165' formatCode='00000'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/>\
             <xf numFmtId='165'/></cellXfs></styleSheet>";
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("[Content_Types].xml", b"<Types/>"),
            ("_rels/.rels", self.top.as_bytes()),
            ("xl/workbook.xml", self.workbook.as_bytes()),
            ("xl/_rels/workbook.xml.rels", self.links.as_bytes()),
            ("xl/worksheets/sheet1.xml", self.sheet.as_bytes()),
            ("xl/styles.xml", styles.as_bytes()),
            ("xl/sharedStrings.xml", self.strings.as_bytes()),
        ];
        parts.extend(self.more.iter().map(|(name, bytes)| (*name, bytes.as_slice())));
        parts
    }

    fn pack(&self) -> Vec<u8> {
        archive(&self.parts())
    }
}

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(bytes).expect("bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

fn workbook(bytes: &[u8]) -> Found {
    read(&orders(), KEYS, bytes)
}

/// A text, a number, a date, a text.
fn row(number: u32, id: &str, amount: &str, day: &str, note: &str) -> String {
    let text = |column: char, text: &str| format!("<c r='{column}{number}' t='inlineStr'><is><t>{text}</t></is></c>");
    format!(
        "<row r='{number}'>{}<c r='B{number}'><v>{amount}</v></c><c r='C{number}' s='1'><v>{day}</v></c>{}</row>",
        text('A', id),
        text('D', note)
    )
}

/// 2026-07-01 as a serial.
const JULY: &str = "46204";

fn aside(found: &Found) -> String {
    assert!(
        matches!(found.outcome.verdict, Verdict::SetAside { .. }),
        "{:?}",
        found.told()
    );
    let first = &found.outcome.notes[0];
    format!("{}: {}; {}", first.rule, first.message, first.remedy)
}

#[test]
fn fault_69_dates_by_the_system_of_the_workbook() {
    let of = |serial: &str| {
        let mut told = workbook(&book(&row(2, "A", "1", serial, "x"), "").pack()).told();
        told.remove(0).replace("2: A|1.00|", "").replace("|x", "")
    };
    assert_eq!(of(JULY), "2026-07-01");
    assert_eq!(of("45351"), "2024-02-29");
    // 29 February 1900, which never was, and what lies before it; a time, a count, a blank
    for serial in ["60", "59", "1", "0", "0.5", "-1"] {
        assert_eq!(of(serial), "2! xlsx.date_serial paid_on", "{serial}");
    }
    let found = workbook(&book(&row(2, "A", "1", "60", "x"), "").pack());
    let why = &found.why()[0];
    assert!(why.contains("60") && why.contains("; "), "{why}");
    // from 61 on days are days, and those before 1990 implausible
    assert_eq!(of("61"), "2! date.window paid_on");
    // a time where a day is wanted
    assert_eq!(of("46204.5"), "2! date.grammar paid_on");
    assert_eq!(of("2958466"), "2! xlsx.date_serial paid_on");
    // the system of 1904
    let mut other = book(&row(2, "A", "1", "44742", "x"), "");
    other.workbook = other.workbook.replace("<workbookPr/>", "<workbookPr date1904='1'/>");
    assert_eq!(workbook(&other.pack()).told(), ["2: A|1.00|2026-07-01|x"]);
    // dates and texts beside one another: read each as what it is, and told
    let text = row(3, "B", "1", "0", "y").replace(
        "<c r='C3' s='1'><v>0</v></c>",
        "<c r='C3' t='str'><v>02.07.2026</v></c>",
    );
    let found = workbook(&book(&format!("{}{text}", row(2, "A", "1", JULY, "x")), "").pack());
    assert_eq!(found.told(), ["2: A|1.00|2026-07-01|x", "3: B|1.00|2026-07-02|y"]);
    assert_eq!(
        found.note("xlsx.mixed_dates"),
        "xlsx.mixed_dates: columns with dates and texts beside one another: 'paid_on'; make all of them dates; texts \
         are read by the formats of the source"
    );
    // the other order of day and month is no date of the source
    let text = text.replace("02.07.2026", "07/02/2026");
    let found = workbook(&book(&format!("{}{text}", row(2, "A", "1", JULY, "x")), "").pack());
    assert_eq!(found.told()[1], "3! date.grammar paid_on");
}

#[test]
fn fault_77_a_cell_far_away_is_refused_before_anything_is_filled_up() {
    let begin = Instant::now();
    for (far, named) in [
        ("<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>", "XFD1048576"),
        ("<row r='20000'><c r='NTP20000'><v>1</v></c></row>", "NTP20000"),
        ("<row r='20000'><c r='A20000'><v>1</v></c></row>", "row 20000"),
        ("<row r='2'><c r='XFD2'><v>1</v></c></row>", "XFD2"),
    ] {
        let bytes = book(far, "").pack();
        assert!(bytes.len() < 3000, "{}", bytes.len());
        let options = Options::of(&source("orders", KEYS)).expect("a workbook");
        let mut frames = Vec::new();
        foreign::read(Cursor::new(bytes.clone()), &options, &mut frames).expect("an output in memory");
        assert!(frames.len() < 3000, "{} bytes for {far}", frames.len());
        let found = aside(&workbook(&bytes));
        assert!(found.starts_with("xlsx.far_cell: ") && found.contains(named), "{found}");
        assert!(
            found.ends_with(
                "; delete what stands beside or below the table, rows and columns whole, and save the workbook"
            ),
            "{found}"
        );
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
    // a style far away is no value, and what the sheet says of its size means nothing
    let styled = format!(
        "{}<row r='1048576'><c r='XFD1048576' s='1'/></row>",
        row(2, "A", "1", JULY, "x")
    );
    assert_eq!(workbook(&book(&styled, "").pack()).told(), ["2: A|1.00|2026-07-01|x"]);
}

#[test]
fn fault_78_a_sheet_that_unpacks_to_too_much_is_refused() {
    // by what the directory says
    let mut bomb = book("", "");
    bomb.sheet = " ".repeat(100_000_000);
    let bytes = bomb.pack();
    assert!(bytes.len() < 200_000);
    let found = aside(&workbook(&bytes));
    assert!(
        found.starts_with("xlsx.size: the archive holds ") && found.contains("unpack to 95 MiB"),
        "{found}"
    );
    assert!(
        found.ends_with("; deliver the table alone, in parts or as csv"),
        "{found}"
    );
    // by what comes, where the directory lies
    let mut lying = bytes;
    let directory: Vec<usize> = (0..lying.len() - 4)
        .filter(|at| lying[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    let entry = directory[4];
    lying[entry + 24..entry + 28].copy_from_slice(&1000_u32.to_le_bytes());
    let found = aside(&workbook(&lying));
    assert!(
        found.starts_with("xlsx.size: ") || found.starts_with("archive.damaged: "),
        "{found}"
    );
    // more parts than a workbook has
    let names: Vec<String> = (0..5000).map(|i| format!("xl/media/{i}")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), b"".as_slice())).collect();
    let found = aside(&workbook(&archive(&many)));
    assert_eq!(
        found,
        "xlsx.size: the archive has 5000 entries, more than 4096; deliver the table alone"
    );
}

#[test]
fn fault_79_entities_and_shared_texts_do_not_multiply() {
    let mut entities = "<!ENTITY l0 'lol'>".to_owned();
    for i in 1..10 {
        entities += &format!("<!ENTITY l{i} '{}'>", format!("&l{};", i - 1).repeat(10));
    }
    let mut laughs = book("", "");
    laughs.strings = format!("<!DOCTYPE sst [{entities}]><sst><si><t>&l9;</t></si></sst>");
    let found = aside(&workbook(&laughs.pack()));
    assert!(
        found.starts_with(
            "xlsx.xml: the shared texts is no well-formed part of a workbook: 'it declares a document type'; "
        ),
        "{found}"
    );
    // in the sheet itself, and an entity that nobody declares
    let mut laughs = book("", "");
    laughs.sheet = format!("<!DOCTYPE worksheet [{entities}]>{}", laughs.sheet);
    assert!(aside(&workbook(&laughs.pack())).starts_with("xlsx.xml: "));
    let mut unknown = book("", "");
    unknown.strings = "<sst><si><t>&unknown;</t></si></sst>".to_owned();
    assert!(aside(&workbook(&unknown.pack())).starts_with("xlsx.xml: "));
    // elements within one another
    let mut deep = book("", "");
    deep.strings = format!("{}{}", "<si>".repeat(100_000), "</si>".repeat(100_000));
    assert!(aside(&workbook(&deep.pack())).starts_with("xlsx."));
    // one long text in every cell: a field and a record have their limits, however short the file
    let mut shared = book("", "");
    shared.strings = shared.strings.replace(
        "</sst>",
        &format!("<si><t>{}</t></si></sst>", "x".repeat((1 << 20) - 1)),
    );
    let columns = ["A", "B", "C", "D", "E"]
        .map(|c| format!("<c r='{c}2' t='s'><v>4</v></c>"))
        .concat();
    shared.sheet = shared.sheet.replace(
        "</sheetData>",
        &format!("<row r='2'>{columns}</row>{}</sheetData>", row(3, "B", "1", JULY, "y")),
    );
    assert_eq!(
        workbook(&shared.pack()).told(),
        ["2! record.size", "3: B|1.00|2026-07-01|y"]
    );
    let mut long = book(&row(2, "A", "1", JULY, &"x".repeat((1 << 20) + 1)), "");
    long.sheet = long
        .sheet
        .replace("</sheetData>", &format!("{}</sheetData>", row(3, "B", "1", JULY, "y")));
    assert_eq!(
        workbook(&long.pack()).told(),
        ["2! cell.unreadable note", "3: B|1.00|2026-07-01|y"]
    );
}

#[test]
fn fault_80_other_kinds_of_workbooks_are_told_by_name() {
    let mut protected = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    protected.resize(100_000, 0);
    let old = protected.clone();
    protected.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let mut strict = book("", "");
    strict.top = strict
        .top
        .replace(LINKS, "http://purl.oclc.org/ooxml/officeDocument/relationships");
    strict.links = strict
        .links
        .replace(LINKS, "http://purl.oclc.org/ooxml/officeDocument/relationships");
    let mut encrypted = book("", "").pack();
    let directory = encrypted
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .expect("a directory");
    encrypted[directory + 8] |= 1;
    encrypted[6] |= 1;
    for (bytes, expected) in [
        (protected, "xlsx.protected: the workbook is protected by a password"),
        (
            encrypted,
            "xlsx.protected: the archive that the workbook is has parts under a password",
        ),
        (old, "file.type: the file is an old Excel workbook (.xls)"),
        (
            archive(&[("xl/workbook.bin", b"")]),
            "file.type: the file is a binary Excel workbook (.xlsb)",
        ),
        (
            archive(&[("mimetype", b""), ("content.xml", b"")]),
            "file.type: the file is an OpenDocument file",
        ),
        (strict.pack(), "xlsx.strict: the workbook is saved as"),
        (b"id,amount\n1,2\n".to_vec(), "file.type: the file is no zip archive"),
        (Vec::new(), "file.empty: the file has 0 bytes"),
    ] {
        let found = aside(&workbook(&bytes));
        assert!(found.starts_with(expected), "{found}");
        let (_, remedy) = found.split_once("; ").expect("a remedy");
        assert!(remedy.len() > 10, "{found}");
    }
    // macros are not run: the table is read, and that is told
    let mut macros = book(&row(2, "A", "1", JULY, "x"), "");
    macros.more.push(("xl/vbaProject.bin", b"code".to_vec()));
    let found = workbook(&macros.pack());
    assert_eq!(found.told(), ["2: A|1.00|2026-07-01|x"]);
    assert!(
        found
            .note("xlsx.macros")
            .starts_with("xlsx.macros: the workbook has macros; they were not run")
    );
}

#[test]
fn fault_81_sheets_are_taken_by_name_and_what_is_hidden_is_told() {
    let sheets = |state: &str| {
        let mut two = book(&row(2, "A", "1", JULY, "x"), "");
        two.workbook = two.workbook.replace(
            "</sheets>",
            &format!("<sheet name='Old' sheetId='2' r:id='rId2'{state}/></sheets>"),
        );
        let old = book(&row(2, "O", "2", JULY, "o"), "").sheet;
        two.more.push(("xl/worksheets/sheet2.xml", old.into_bytes()));
        two.pack()
    };
    let of = |name: &str, bytes: &[u8]| read(&orders(), &format!("{KEYS}\nsheet = '{name}'"), bytes);
    let both = sheets("");
    let found = aside(&workbook(&both));
    assert!(
        found.starts_with("xlsx.sheet: the workbook has not one visible sheet; it has 'Data', 'Old'; "),
        "{found}"
    );
    let found = aside(&of("old", &both));
    assert!(
        found.starts_with("xlsx.sheet: the workbook has no sheet 'old'; it has 'Data', 'Old'; "),
        "{found}"
    );
    let found = of("Old", &both);
    assert_eq!(found.told(), ["2: O|2.00|2026-07-01|o"]);
    assert!(
        found
            .note("xlsx.sheets")
            .contains("of 'Data', 'Old' only 'Old' was read")
    );
    let hidden = sheets(" state='hidden'");
    assert_eq!(workbook(&hidden).told(), ["2: A|1.00|2026-07-01|x"]);
    assert!(of("Old", &hidden).note("xlsx.hidden_sheet").contains("'Old'"));

    let rows = format!(
        "{}{}{}",
        row(2, "A", "1", JULY, "x"),
        row(3, "B", "2", JULY, "y").replace("<row r='3'", "<row r='3' hidden='1'"),
        row(4, "C", "3", JULY, "z")
    );
    let filtered = book(&rows, "<autoFilter ref='A1:D4'/>").pack();
    let read_all = [
        "2: A|1.00|2026-07-01|x",
        "3: B|2.00|2026-07-01|y",
        "4: C|3.00|2026-07-01|z",
    ];
    let found = workbook(&filtered);
    assert_eq!(found.told(), read_all);
    assert_eq!(
        found.note("xlsx.hidden_rows"),
        "xlsx.hidden_rows: hidden rows with values: 1, the first is row 3; remove the filter, or delete the rows that \
         are not meant"
    );
    let found = read(&orders(), &format!("{KEYS}\nhidden_rows = 'reject'"), &filtered);
    assert_eq!(found.told(), [read_all[0], "3! xlsx.hidden_row", read_all[2]]);

    let merged = |range: &str| {
        let behind = format!("<mergeCells count='1'><mergeCell ref='{range}'/></mergeCells>");
        workbook(
            &book(
                &format!("{}{}", row(2, "A", "1", JULY, "x"), row(3, "B", "2", JULY, "")),
                &behind,
            )
            .pack(),
        )
    };
    let found = merged("D2:D3");
    assert_eq!(found.told(), ["2: A|1.00|2026-07-01|x", "3: B|2.00|2026-07-01|"]);
    assert!(found.note("xlsx.merged").starts_with(
        "xlsx.merged: merged ranges among the records: 1, the first in row 2; the value stands in the first cell"
    ));
    assert!(aside(&merged("A1:B1")).starts_with("xlsx.merged_header: cells of the header are merged, from A1 to B1; "));
}

#[test]
fn fault_81_formulas_give_their_stored_result_or_reject_their_record() {
    let amount = |cell: &str| {
        let sound = row(2, "A", "1", JULY, "x");
        let rows = sound.replace("<c r='B2'><v>1</v></c>", cell);
        assert_ne!(rows, sound);
        workbook(&book(&rows, "").pack())
    };
    let found = amount("<c r='B2'><f>1+1</f><v>2</v></c>");
    assert_eq!(found.told(), ["2: A|2.00|2026-07-01|x"]);
    assert_eq!(
        found.note("xlsx.formulas"),
        "xlsx.formulas: cells with formulas: 1; read were the results as they were last calculated; nothing to do, if \
         they are up to date"
    );
    for cell in ["<c r='B2'><f>1+1</f></c>", "<c r='B2'><f>1+1</f><v></v></c>"] {
        let found = amount(cell);
        assert_eq!(found.told(), ["2! xlsx.no_cached_value amount"]);
        assert!(found.why()[0].contains("; "), "{:?}", found.why());
    }
    for error in ["#REF!", "#DIV/0!", "#N/A", "#VALUE!", "#NUM!"] {
        let found = amount(&format!("<c r='B2' t='e'><f>1/0</f><v>{error}</v></c>"));
        assert_eq!(found.told(), ["2! xlsx.error_cell amount"]);
        assert!(found.why()[0].contains(error), "{:?}", found.why());
    }
    // in a column that the contract does not have, nothing is lost
    let rows = format!("{HEADER}{}", row(2, "A", "1", JULY, "x")).replace(
        "<v>3</v></c></row>",
        "<v>3</v></c><c r='E1' t='str'><v>other</v></c></row>",
    );
    let rows = rows.replace("</is></c></row>", "</is></c><c r='E2' t='e'><v>#REF!</v></c></row>");
    assert_eq!(workbook(&sheet_of(&rows, "").pack()).told(), ["2: A|1.00|2026-07-01|x"]);
}

#[test]
fn fault_82_identifiers_that_became_numbers_are_rejected_when_digits_are_lost() {
    let id = |cell: &str| {
        let sound = row(2, "A", "1", JULY, "x");
        let rows = sound.replace("<c r='A2' t='inlineStr'><is><t>A</t></is></c>", cell);
        assert_ne!(rows, sound);
        workbook(&book(&rows, "").pack())
    };
    for stored in [
        "1234567890123456",
        "12345678901234567890",
        "1.2345678901234567E+19",
        "1.23457E+14",
    ] {
        let found = id(&format!("<c r='A2'><v>{stored}</v></c>"));
        assert_eq!(found.told(), ["2! xlsx.number_damaged id"], "{stored}");
        let why = &found.why()[0];
        assert!(
            why.split_once("; ").is_some_and(|(_, remedy)| remedy.contains("text")),
            "{why}"
        );
    }
    // leading noughts that are only shown
    assert_eq!(
        id("<c r='A2' s='2'><v>123</v></c>").told(),
        ["2! xlsx.number_damaged id"]
    );
    // fifteen digits survive, and texts are texts
    assert_eq!(
        id("<c r='A2'><v>123456789012345</v></c>").told(),
        ["2: 123456789012345|1.00|2026-07-01|x"]
    );
    for text in ["00123", "12345678901234567890", "1.23457E+14"] {
        let found = id(&format!("<c r='A2' t='str'><v>{text}</v></c>"));
        assert_eq!(found.told(), [format!("2: {text}|1.00|2026-07-01|x")]);
    }
}

#[test]
fn fault_82_numbers_stored_as_text_are_read_with_the_marks_of_the_source_and_told() {
    let text = |number: u32, amount: &str| {
        row(number, "A", "1", JULY, "x").replace(
            &format!("<c r='B{number}'><v>1</v></c>"),
            &format!("<c r='B{number}' t='str'><v>{amount}</v></c>"),
        )
    };
    let rows = [
        row(2, "A", "1.5", JULY, "x"),
        text(3, "1.234,50"),
        text(4, "1,234.50"),
        text(5, "1.50"),
    ]
    .concat();
    let found = workbook(&book(&rows, "").pack());
    assert_eq!(
        found.told(),
        [
            "2: A|1.50|2026-07-01|x",
            "3: A|1234.50|2026-07-01|x",
            "4! decimal.grammar amount",
            "5! decimal.grammar amount"
        ]
    );
    assert_eq!(
        found.note("xlsx.mixed_numbers"),
        "xlsx.mixed_numbers: columns with numbers and numbers stored as text: 'amount'; make all of them one of the \
         two; texts are read with the marks of the source"
    );
}

/// A well-mixed sequence from a seed.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((z ^ (z >> 31)) & 0xFFFF_FFFF).expect("32 bits")
}

fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut state = seed;
    for _ in 0..=next(&mut state) % 4 {
        if bytes.is_empty() {
            break;
        }
        let at = next(&mut state) % bytes.len();
        match next(&mut state) % 5 {
            0 | 1 => bytes[at] ^= 1 << (next(&mut state) % 8),
            2 => bytes[at] = [0, 0x7F, 0x80, 0xFF][next(&mut state) % 4],
            3 => bytes.truncate(at),
            _ => {
                let end = (at + 1 + next(&mut state) % 16).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

#[test]
fn fault_83_damaged_workbooks_end_in_rows_or_in_a_word() {
    let rows = format!("{}{}", row(2, "A", "1.5", JULY, "x"), row(3, "B", "2", JULY, "y"));
    let sound = book(&rows, "<mergeCells><mergeCell ref='D2:D3'/></mergeCells>");
    let whole = sound.pack();
    assert_eq!(
        workbook(&whole).told(),
        ["2: A|1.50|2026-07-01|x", "3: B|2.00|2026-07-01|y"]
    );
    let judge = |bytes: &[u8], what: &str| {
        let found = workbook(bytes);
        match &found.outcome.verdict {
            Verdict::Read => found.outcome.assert_conserved(),
            Verdict::SetAside { reason } => {
                let first = &found.outcome.notes[0];
                assert!(
                    reason.starts_with(first.rule.as_str()) && !first.remedy.is_empty(),
                    "{what}: {reason}"
                );
                // neither a panic that was caught nor frames that nobody can read
                assert!(
                    !["foreign.crash", "foreign.protocol"].contains(&first.rule.as_str()),
                    "{what}: {reason}"
                );
            }
        }
    };
    // cut at every byte, which no archive survives
    for length in 0..whole.len() {
        let found = workbook(&whole[..length]);
        assert!(
            matches!(found.outcome.verdict, Verdict::SetAside { .. }),
            "cut to {length}"
        );
        judge(&whole[..length], "cut");
    }
    for seed in 0..300 {
        judge(&mutated(&whole, seed), &format!("bytes, seed {seed}"));
        // the XML inside a sound archive
        let parts = sound.parts();
        let which = usize::try_from(seed).expect("small") % (parts.len() - 1) + 1;
        let changed = mutated(parts[which].1, seed);
        let mut all = parts;
        all[which].1 = &changed;
        judge(&archive(&all), &format!("{}, seed {seed}", all[which].0));
    }
}

#[test]
fn fault_40_a_packed_workbook_is_held_to_the_same_caps() {
    let plain = book(&row(2, "A", "1", JULY, "x"), "").pack();
    let of = |packing: Compression, bytes: &[u8]| {
        read(&orders(), &format!("{KEYS}\ncompression = '{}'", packing.name()), bytes)
    };
    assert_eq!(
        of(Compression::Zip, &archive(&[("../a.xlsx", &plain)])).told(),
        ["2: A|1.00|2026-07-01|x"]
    );
    let two = aside(&of(
        Compression::Zip,
        &archive(&[("a.xlsx", &plain), ("b.xlsx", &plain)]),
    ));
    assert!(
        two.starts_with("archive.entries: the zip archive has 2 files; one is wanted; "),
        "{two}"
    );
    let bomb = archive(&[("a.xlsx", &vec![0; 20 << 20])]);
    assert!(aside(&of(Compression::Zip, &bomb)).starts_with("archive.bomb: "));
}

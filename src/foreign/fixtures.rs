//! Small workbooks, packed by hand where a program would not write them, and what is read from them as lines of text.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Format, Options, read};
use crate::ingest::decode::Compression;
use crate::ingest::frames::{Cell, Kind, Next, Reader, Record};

pub const WORKBOOK: Options = Options {
    format: Format::Workbook,
    compression: Compression::None,
    sheet: None,
    header_row: 1,
};

pub const PARQUET: Options = Options {
    format: Format::Parquet,
    ..WORKBOOK
};

/// The frames of a file.
pub fn frames(bytes: &[u8], options: &Options) -> Vec<u8> {
    let mut out = Vec::new();
    read(Cursor::new(bytes.to_vec()), options, &mut out).expect("an output in memory");
    out
}

/// One line for each record, rejected record, row above the header, note or fault: see `shown`.
pub fn told(bytes: &[u8], options: &Options) -> Vec<String> {
    let frames = frames(bytes, options);
    let mut reader = Reader::new(frames.as_slice());
    let mut record = Record::default();
    let mut lines = Vec::new();
    loop {
        let line = record.line;
        match reader.next(&mut record) {
            Ok(Next::Record) => {
                let cells: Vec<String> = record.cells().map(shown).collect();
                let hidden = if record.hidden { "~" } else { "" };
                lines.push(format!("{}{hidden}: {}", record.line, cells.join("|")));
            }
            Ok(Next::Fault(fault)) => lines.push(format!("{line}! {}", fault.rule)),
            Ok(Next::Preamble) => lines.push(format!("{} -", record.line)),
            Ok(Next::End(end)) => {
                assert_eq!(end.bytes, bytes.len() as u64);
                let notes = end.notes.iter().map(|n| format!("note {}: {}", n.rule, n.message));
                lines.extend(notes);
                return lines;
            }
            Err(fault) => {
                lines.push(format!("fault {}: {}", fault.rule, fault.reason));
                return lines;
            }
        }
    }
}

/// Text as it is, `#` number, `#!` damaged number, `?` truth value, `@` date or time, and the rule of what is no value.
fn shown(cell: Cell<'_>) -> String {
    let mark = match cell.kind {
        Kind::Empty => "",
        Kind::Text => "",
        Kind::Number => "#",
        Kind::Damaged => "#!",
        Kind::Bool => "?",
        Kind::Date | Kind::Local | Kind::Instant => "@",
        _ => return cell.fault().expect("a fault").rule.into_owned(),
    };
    format!("{mark}{}", cell.text)
}

/// The one line that tells why the file is refused; records may have come before.
pub fn fault(bytes: &[u8], options: &Options) -> String {
    told(bytes, options).pop().expect("an end or a fault")
}

/// A zip archive.
pub fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(bytes).expect("bytes");
    }
    zip.finish().expect("an archive").into_inner()
}

/// Parts of a workbook; each can be replaced.
pub struct Book {
    pub workbook: String,
    pub sheet: String,
    pub strings: String,
    pub links: String,
    pub more: Vec<(&'static str, Vec<u8>)>,
}

const TRANSITIONAL: &str = "http://schemas.openxmlformats.org";

/// A workbook with one sheet of these rows, and what stands behind them. Styles of cells: 0 general, 1 `yyyy-mm-dd`,
/// 2 `yyyy-mm-dd hh:mm`, 3 `00000`, 4 `0.00`.
pub fn book(rows: &str, behind: &str) -> Book {
    let main = format!("{TRANSITIONAL}/spreadsheetml/2006/main");
    Book {
        workbook: format!(
            "<workbook xmlns='{main}'><workbookPr/><sheets><sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>"
        ),
        sheet: format!(
            "<worksheet xmlns='{main}'><dimension ref='A1:XFD1048576'/><sheetData>{rows}</sheetData>{behind}</worksheet>"
        ),
        strings: "<sst><si><t>id</t></si><si><t>amount</t></si><si><t>a,&quot;b&quot;</t></si></sst>".to_owned(),
        links: format!("{TRANSITIONAL}/officeDocument/2006/relationships"),
        more: Vec::new(),
    }
}

impl Book {
    pub fn pack(&self) -> Vec<u8> {
        let kinds = &self.links;
        let top = format!(
            "<Relationships><Relationship Id='rId1' Type='{kinds}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
        );
        let links = format!(
            "<Relationships><Relationship Id='rId1' Type='{kinds}/worksheet' Target='worksheets/sheet1.xml'/>\
             <Relationship Id='rId2' Type='{kinds}/worksheet' Target='/xl/worksheets/sheet2.xml'/>\
             <Relationship Id='rId3' Type='{kinds}/styles' Target='styles.xml'/>\
             <Relationship Id='rId4' Type='{kinds}/sharedStrings' Target='SharedStrings.xml'/></Relationships>"
        );
        let styles = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy\\-mm\\-dd'/>\
             <numFmt numFmtId='165' formatCode='00000'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/>\
             <xf numFmtId='22'/><xf numFmtId='165'/><xf numFmtId='2'/></cellXfs></styleSheet>";
        let mut parts: Vec<(&str, &[u8])> = vec![
            ("[Content_Types].xml", b"<Types/>"),
            ("_rels/.rels", top.as_bytes()),
            ("xl/workbook.xml", self.workbook.as_bytes()),
            ("xl/_rels/workbook.xml.rels", links.as_bytes()),
            ("xl/worksheets/sheet1.xml", self.sheet.as_bytes()),
            ("xl/styles.xml", styles.as_bytes()),
            ("xl/sharedStrings.xml", self.strings.as_bytes()),
        ];
        parts.extend(self.more.iter().map(|(name, bytes)| (*name, bytes.as_slice())));
        archive(&parts)
    }
}

/// A header of two columns, and rows below.
pub fn sheet(rows: &str) -> Vec<u8> {
    sheet_with(rows, "")
}

pub fn sheet_with(rows: &str, behind: &str) -> Vec<u8> {
    let header = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c></row>";
    book(&format!("{header}{rows}"), behind).pack()
}

/// The parts of an archive.
pub fn parts(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    (0..zip.len())
        .map(|i| {
            let mut part = zip.by_index(i).expect("a part");
            let name = part.name().expect("a name").into_owned();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut part, &mut bytes).expect("bytes");
            (name, bytes)
        })
        .collect()
}

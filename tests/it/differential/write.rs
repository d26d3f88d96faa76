//! Files as a sender would write them, with what each line is meant to be.
//!
//! Duty: rows to lines to bytes to archives, by a writer that shares nothing with the program. Not its duty: what is
//! done to them afterwards (`pollute`).

use std::io::{Cursor, Write as _};

use super::dialect::{Dialect, Form, Packing, Quoting};
use super::random::Random;
use super::table::{Kind, Row, Table, Value};

/// What a reader may make of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touch {
    /// Nothing was done to it: it is read as it is meant.
    Clean,
    /// It is read as it is meant, or named; never as anything else.
    Held,
    /// It may be a valid record of another meaning, which no reader can know.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Preamble,
    Header,
    Row,
    /// No record, and never a row.
    Junk,
    Blank,
}

/// One record, or what stands where one could be, with its line end.
#[derive(Clone, Debug)]
pub struct Item {
    pub what: What,
    /// The rows that it is made of; mostly one.
    pub rows: Vec<usize>,
    pub text: String,
    pub end: String,
    pub touch: Touch,
    /// Where it begins in the bytes, and where its line end does.
    pub span: (usize, usize),
}

impl Item {
    pub fn new(what: What, text: impl Into<String>, end: &str, touch: Touch) -> Item {
        Item {
            what,
            rows: Vec::new(),
            text: text.into(),
            end: end.to_owned(),
            touch,
            span: (0, 0),
        }
    }
}

/// A file on its way from rows to bytes.
pub struct Draft<'a> {
    pub table: &'a Table,
    /// As the source declares it.
    pub declared: Dialect,
    /// As the file is.
    pub written: Dialect,
    /// What is meant.
    pub rows: Vec<Row>,
    pub touches: Vec<Touch>,
    /// The columns in the order of the file.
    pub header: Vec<String>,
    pub cells: Vec<Vec<String>>,
    pub items: Vec<Item>,
    /// Unpacked.
    pub bytes: Vec<u8>,
    pub packed: Vec<u8>,
    /// What may become of every row.
    pub all: Touch,
    /// Only texts may be read as others.
    pub texts_only: bool,
    /// The archive is not what was written.
    pub archive_is_touched: bool,
    pub kinds: Vec<&'static str>,
}

impl<'a> Draft<'a> {
    pub fn new(random: &mut Random, table: &'a Table, dialect: Dialect) -> Draft<'a> {
        let letters = dialect.letters();
        let count = match random.below(10) {
            0 => random.below(3),
            1 => 20 + random.below(50),
            _ => 3 + random.below(20),
        };
        // without a header a file without rows has nothing at all
        let count = if dialect.form == Form::JsonLines {
            count.max(1)
        } else {
            count
        };
        let rows: Vec<Row> = (0..count)
            .map(|number| {
                let mut row = table.row(random, number, &letters);
                dialect.fit(table, &mut row);
                row
            })
            .collect();
        let header = dialect.order.iter().map(|at| dialect.names[*at].clone()).collect();
        let cells = rows
            .iter()
            .map(|row| {
                let text = |at: &usize| match row.get(*at) {
                    Some(value) => dialect.text(random, table, *at, value),
                    None => "more".to_owned(),
                };
                dialect.order.iter().map(text).collect()
            })
            .collect();
        Draft {
            table,
            declared: dialect.clone(),
            written: dialect,
            touches: vec![Touch::Clean; rows.len()],
            rows,
            header,
            cells,
            items: Vec::new(),
            bytes: Vec::new(),
            packed: Vec::new(),
            all: Touch::Clean,
            texts_only: false,
            archive_is_touched: false,
            kinds: Vec::new(),
        }
    }

    /// Lines of the cells.
    pub fn compose(&mut self, random: &mut Random) {
        let end = self.written.line_end;
        if self.written.form == Form::Csv {
            for i in 0..self.written.preamble {
                let text = *random.pick(&["Report of rows", "", "made \"by\" hand;;", "'"]);
                let text = if i == 0 { "Report" } else { text };
                self.items.push(Item::new(What::Preamble, text, end, Touch::Clean));
            }
            if random.percent(1) {
                // what comes behind it lies across the borders of what is read at a time
                let long = "-".repeat((128 << 10) - random.below(3000));
                if let Some(item) = self.items.first_mut() {
                    item.text = long;
                }
            }
            let header: Vec<String> = self.header.iter().map(|name| self.field(random, name, true)).collect();
            let delimiter = self.written.delimiter.to_string();
            self.items
                .push(Item::new(What::Header, header.join(&delimiter), end, Touch::Clean));
        }
        for row in 0..self.cells.len() {
            let item = self.row_item(random, row);
            self.items.push(item);
        }
        if !self.written.ends_with_line_end
            && let Some(item) = self.items.last_mut()
        {
            item.end.clear();
        }
    }

    pub fn row_item(&self, random: &mut Random, row: usize) -> Item {
        let text = self.row_text(random, row, self.written.delimiter);
        Item {
            rows: vec![row],
            ..Item::new(What::Row, text, self.written.line_end, self.touches[row])
        }
    }

    pub fn row_text(&self, random: &mut Random, row: usize, delimiter: char) -> String {
        if self.written.form == Form::JsonLines {
            return self.object(random, row);
        }
        let cells = self.cells[row].iter().enumerate();
        let fields: Vec<String> = cells
            .map(|(at, cell)| self.field(random, cell, self.is_text(at)))
            .collect();
        fields.join(&delimiter.to_string())
    }

    /// The contract's column of a place in the file.
    pub fn column(&self, place: usize) -> Option<usize> {
        self.written
            .order
            .get(place)
            .copied()
            .filter(|at| *at < self.table.columns.len())
    }

    pub fn kind(&self, place: usize) -> Option<&'a Kind> {
        self.column(place).map(|at| &self.table.columns[at].kind)
    }

    fn is_text(&self, place: usize) -> bool {
        matches!(
            self.kind(place),
            Some(Kind::Free | Kind::Id | Kind::Code | Kind::Serial | Kind::Listed(_))
        )
    }

    pub fn field(&self, random: &mut Random, text: &str, is_text: bool) -> String {
        let dialect = &self.written;
        let mut text = text.to_owned();
        if random.percent(2) && dialect.delimiter != ' ' {
            text = format!(" {text} ");
        }
        let Some(quote) = dialect.quote else { return text };
        let is_needed = text.contains([dialect.delimiter, quote, '\r', '\n']);
        let is_quoted = match dialect.quoting {
            Quoting::Needed => false,
            Quoting::Always => true,
            Quoting::Texts => is_text,
            Quoting::Sometimes => random.percent(50),
        };
        if !is_needed && !is_quoted {
            return text;
        }
        let mut field = String::from(quote);
        for c in text.chars() {
            if Some(c) == dialect.escape {
                field.push(c);
            } else if c == quote {
                field.push(dialect.escape.filter(|_| random.percent(50)).unwrap_or(quote));
            }
            field.push(c);
        }
        field.push(quote);
        field
    }

    fn object(&self, random: &mut Random, row: usize) -> String {
        let mut members = Vec::new();
        for (place, cell) in self.cells[row].iter().enumerate() {
            let blank = if random.percent(10) { " " } else { "" };
            let name = json_text(random, &self.header[place]);
            let value = if cell.is_empty() {
                match random.below(3) {
                    0 => continue,
                    1 => "null".to_owned(),
                    _ => "\"\"".to_owned(),
                }
            } else {
                let is_number = matches!(self.kind(place), Some(Kind::Int { .. } | Kind::Dec { .. }));
                let is_bool = matches!(cell.as_str(), "true" | "false") && self.kind(place) == Some(&Kind::Bool);
                if (is_number && is_json_number(cell) && random.percent(70)) || (is_bool && random.percent(70)) {
                    cell.clone()
                } else {
                    json_text(random, cell)
                }
            };
            members.push(format!("{blank}{name}:{blank}{value}{blank}"));
        }
        if random.percent(5) {
            random.shuffle(&mut members);
        }
        format!("{{{}}}", members.join(","))
    }

    /// Bytes of the lines; characters that the encoding does not have are left out.
    pub fn encode(&mut self) {
        let charset = self.written.charset;
        let mut bytes = Vec::new();
        if self.written.has_mark {
            bytes.extend_from_slice(charset.mark());
        }
        for item in &mut self.items {
            item.span.0 = bytes.len();
            item.text
                .chars()
                .filter_map(|c| charset.encode(c))
                .for_each(|c| bytes.extend(c));
            item.span.1 = bytes.len();
            item.end
                .chars()
                .filter_map(|c| charset.encode(c))
                .for_each(|c| bytes.extend(c));
        }
        self.bytes = bytes;
    }

    pub fn pack(&mut self) {
        self.packed = pack(self.written.packing, &self.bytes);
    }

    /// At least so much may become of a row.
    pub fn touch_row(&mut self, row: usize, touch: Touch) {
        self.touches[row] = self.touches[row].max(touch);
    }

    /// At least so much may become of every row.
    pub fn touch_all(&mut self, touch: Touch) {
        self.all = self.all.max(touch);
    }

    /// What a cell means now, where that is another thing.
    pub fn mean(&mut self, row: usize, place: usize, value: Value) {
        if let Some(column) = self.column(place) {
            self.rows[row][column] = value;
        }
    }
}

pub fn pack(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::None => bytes.to_vec(),
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("a buffer");
            encoder.finish().expect("a buffer")
        }
        Packing::Zip => zip(&[("rows.csv", bytes)]),
    }
}

pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).expect("an entry");
        writer.write_all(bytes).expect("a buffer");
    }
    writer.finish().expect("a buffer").into_inner()
}

fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

pub fn json_text(random: &mut Random, text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            c if c.is_control() || random.percent(2) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out += &format!("\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

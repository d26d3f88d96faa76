//! The documented grammar, read as simply as it can be: whole files, character by character.
//!
//! Duty: what a file says under its declaration, and why a record is none. It shares no code with the program but the
//! tables of GBK and Shift-JIS. Not its duty: what was meant (`judge`).

use unicode_normalization::UnicodeNormalization as _;

use super::dialect::{Charset, Dialect, Form, Packing, TOTAL};
use super::json::{Json, Member};
use super::stamp::{Stamp, stamp, without_finer_zeros};
use super::table::{Check, Column, Drift, Kind, Row, Table, Value, days, holds};

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    Taken(Row),
    /// Column, where it is one column's fault, and rule.
    Rejected(Vec<(Option<String>, String)>),
    Skipped,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub line: usize,
    /// Line on which it ends.
    pub last: usize,
    pub state: State,
}

pub type Fault = &'static str;

/// The records of a file, or the rule by which it is refused.
pub fn read(table: &Table, dialect: &Dialect, bytes: &[u8]) -> Result<Vec<Record>, Fault> {
    let (charset, mark) = mark(dialect.charset, bytes)?;
    let head = &bytes[..bytes.len().min(1024)];
    if head.is_empty() {
        return Err("file.empty");
    }
    if is_signed(head) {
        let is_archive = dialect.packing != Packing::None && head.starts_with(b"PK");
        return Err(if is_archive { "archive.nested" } else { "file.type" });
    }
    let zeros = memchr::memchr_iter(0, head).count();
    if !matches!(charset, Charset::Utf16Le | Charset::Utf16Be) && zeros * 4 >= head.len() {
        return Err("file.encoding");
    }
    if is_markup(&head[mark.min(head.len())..]) {
        return Err("file.type");
    }
    let text = decode(charset, &bytes[mark..]);
    let reader = Reader { table, dialect };
    let records = match dialect.form {
        Form::JsonLines => reader.json_lines(&text)?,
        _ => reader.csv(&text)?,
    };
    within_threshold(table, records)
}

/// The records of rows of cells below a header, as a workbook has them.
pub fn cells(table: &Table, dialect: &Dialect, header: &[String], rows: &[Vec<String>]) -> Result<Vec<Record>, Fault> {
    let reader = Reader { table, dialect };
    let header = reader.header(header)?;
    let record = |(line, cells): (usize, &Vec<String>)| Record {
        line,
        last: line,
        state: reader.state(&header, cells),
    };
    within_threshold(table, (2..).zip(rows).map(record).collect())
}

/// A file with fewer than 20 records may have one rejected record, others a share.
fn within_threshold(table: &Table, records: Vec<Record>) -> Result<Vec<Record>, Fault> {
    let rejected = records.iter().filter(|r| matches!(r.state, State::Rejected(_))).count();
    let allowed_hundredths = usize::try_from(table.threshold).unwrap_or_default() * records.len();
    let is_small = records.len() < 20 && rejected <= 1;
    if !is_small && rejected * 100 > allowed_hundredths {
        return Err("file.rejects");
    }
    Ok(records)
}

fn is_signed(head: &[u8]) -> bool {
    let signatures: [&[u8]; 9] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1F\x8B",
        b"%PDF",
        b"\xD0\xCF\x11\xE0",
        b"PAR1",
        b"BZh",
        b"\xFD7zXZ",
        b"\x28\xB5\x2F\xFD",
    ];
    signatures.iter().any(|s| head.starts_with(s))
}

fn is_markup(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let text = text.trim_start();
    ["<!doctype html", "<html", "<?xml"].iter().any(|s| text.starts_with(s))
}

fn mark(declared: Charset, bytes: &[u8]) -> Result<(Charset, usize), Fault> {
    if bytes.starts_with(b"\xFF\xFE\0\0") || bytes.starts_with(b"\0\0\xFE\xFF") {
        return Err("file.encoding");
    }
    for charset in [Charset::Utf8, Charset::Utf16Le, Charset::Utf16Be] {
        if bytes.starts_with(charset.mark()) {
            return Ok((charset, charset.mark().len()));
        }
    }
    let is_marked = !declared.mark().is_empty() && bytes.starts_with(declared.mark());
    Ok((declared, if is_marked { declared.mark().len() } else { 0 }))
}

/// A character, or a place where there is none.
pub type Text = Vec<Option<char>>;

/// The characters of bytes.
pub fn decode(charset: Charset, bytes: &[u8]) -> Text {
    match charset {
        Charset::Utf8 => utf8(bytes),
        Charset::Utf16Le | Charset::Utf16Be => utf16(charset, bytes),
        Charset::Latin1 => {
            let one = |b: &u8| (!(0x80..0xA0).contains(b)).then(|| char::from(*b));
            bytes.iter().map(one).collect()
        }
        _ => by_table(charset, bytes),
    }
}

fn utf8(bytes: &[u8]) -> Text {
    let mut text = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let found =
            (1..=4.min(rest.len())).find_map(|n| std::str::from_utf8(&rest[..n]).ok()?.chars().next().map(|c| (c, n)));
        match found {
            Some((c, length)) => {
                text.push(Some(c));
                rest = &rest[length..];
            }
            None => {
                text.push(None);
                rest = &rest[1..];
            }
        }
    }
    text
}

fn utf16(charset: Charset, bytes: &[u8]) -> Text {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| match charset {
        Charset::Utf16Le => u16::from_le_bytes(*pair),
        _ => u16::from_be_bytes(*pair),
    };
    let mut text: Text = char::decode_utf16(pairs.iter().map(unit)).map(Result::ok).collect();
    if !rest.is_empty() {
        text.push(None);
    }
    text
}

fn by_table(charset: Charset, bytes: &[u8]) -> Text {
    let Some(table) = charset.table() else {
        return Vec::new();
    };
    let mut decoder = table.new_decoder_without_bom_handling();
    let mut text = Vec::new();
    let mut at = 0;
    loop {
        let mut out = String::with_capacity((bytes.len() - at) * 4 + 16);
        let (result, read) = decoder.decode_to_string_without_replacement(&bytes[at..], &mut out, true);
        at += read;
        // the web reads what Windows-1252 does not have as control codes
        let is_web = |c: &char| charset == Charset::Windows1252 && (0x80..0xA0).contains(&u32::from(*c));
        text.extend(out.chars().map(|c| Some(c).filter(|c| !is_web(c))));
        match result {
            encoding_rs::DecoderResult::InputEmpty => return text,
            encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(..) => text.push(None),
        }
    }
}

/// Number of line breaks of a text: LF, CRLF and CR.
pub fn breaks(text: &[Option<char>]) -> usize {
    let is_break = |i: usize| match text[i] {
        Some('\n') => i == 0 || text[i - 1] != Some('\r'),
        c => c == Some('\r'),
    };
    (0..text.len()).filter(|i| is_break(*i)).count()
}

/// What a line break at a place is long; 0 where there is none.
fn break_at(text: &[Option<char>], at: usize) -> usize {
    match (text.get(at).copied().flatten(), text.get(at + 1).copied().flatten()) {
        (Some('\r'), Some('\n')) => 2,
        (Some('\r' | '\n'), _) => 1,
        _ => 0,
    }
}

/// Where the line ends that holds a place, with its break.
fn line_end(text: &[Option<char>], from: usize) -> usize {
    let at = (from..text.len())
        .find(|at| break_at(text, *at) > 0)
        .unwrap_or(text.len());
    at + break_at(text, at)
}

struct Reader<'a> {
    table: &'a Table,
    dialect: &'a Dialect,
}

/// Name of each place of the file, and the column that it is.
struct Header {
    names: Vec<String>,
    columns: Vec<Option<usize>>,
}

impl Reader<'_> {
    fn csv(&self, text: &[Option<char>]) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        let mut at = 0;
        for _ in 0..self.dialect.preamble {
            if at < text.len() {
                at = line_end(text, at);
                let line = records.len() + 1;
                records.push(Record {
                    line,
                    last: line,
                    state: State::Skipped,
                });
            }
        }
        let mut line = 1 + breaks(&text[..at]);
        let mut header = None;
        loop {
            while break_at(text, at) > 0 {
                at += break_at(text, at);
                line += 1;
            }
            if at == text.len() {
                return if header.is_some() {
                    Ok(records)
                } else {
                    Err("file.no_header")
                };
            }
            let (end, fields) = self.record(text, at);
            let raw = &text[at..end];
            let next = line + breaks(raw);
            let last = if break_at(text, end - 1) > 0 { next - 1 } else { next };
            let fields = match fields {
                Ok(_) if raw.contains(&None) => Err("record.encoding"),
                Ok(_) if raw.contains(&Some('\0')) => Err("record.nul"),
                fields => fields,
            };
            match (&header, fields) {
                (None, Ok(fields)) => header = Some(self.header(&fields)?),
                (None, Err(_)) => return Err("header.unreadable"),
                (Some(_), Err(rule)) => records.push(Record {
                    line,
                    last,
                    state: State::Rejected(vec![(None, rule.to_owned())]),
                }),
                (Some(header), Ok(fields)) => {
                    let state = self.state(header, &fields);
                    records.push(Record { line, last, state });
                }
            }
            (at, line) = (end, next);
        }
    }

    /// The fields of the record at a place, and where it ends; a record that is none ends with the line of its quote.
    fn record(&self, text: &[Option<char>], start: usize) -> (usize, Result<Vec<String>, Fault>) {
        let shown = |c: Option<char>| c.unwrap_or('\u{FFFD}');
        let mut fields = Vec::new();
        let mut at = start;
        let quote = self.dialect.quote;
        let is = |at: usize, what: Option<char>| what.is_some() && text.get(at) == Some(&what);
        let delimiter = Some(self.dialect.delimiter);
        loop {
            let mut field = String::new();
            if is(at, quote) {
                let open = at;
                at += 1;
                loop {
                    if at == text.len() {
                        return (line_end(text, open), Err("record.quote_open"));
                    }
                    if is(at, self.dialect.escape) && (is(at + 1, quote) || is(at + 1, self.dialect.escape)) {
                        field.push(shown(text[at + 1]));
                        at += 2;
                    } else if is(at, quote) && is(at + 1, quote) {
                        field.push(shown(text[at]));
                        at += 2;
                    } else if is(at, quote) {
                        at += 1;
                        break;
                    } else {
                        field.push(shown(text[at]));
                        at += 1;
                    }
                }
                if at < text.len() && !is(at, delimiter) && break_at(text, at) == 0 {
                    return (line_end(text, open), Err("record.quote"));
                }
            } else {
                while at < text.len() && !is(at, delimiter) && break_at(text, at) == 0 {
                    if is(at, quote) {
                        return (line_end(text, at), Err("record.quote"));
                    }
                    field.push(shown(text[at]));
                    at += 1;
                }
            }
            fields.push(field);
            if is(at, delimiter) {
                at += 1;
            } else {
                return (at + break_at(text, at), Ok(fields));
            }
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        let name = normalised(name);
        let renamed = |(column, file): (&Column, &String)| *file != column.name && normalised(file) == name;
        let columns = || self.table.columns.iter().zip(&self.dialect.names);
        columns()
            .position(renamed)
            .or_else(|| self.table.columns.iter().position(|c| c.name == name))
    }

    fn header(&self, fields: &[String]) -> Result<Header, Fault> {
        let names: Vec<String> = fields.iter().map(|f| normalised(f)).collect();
        let columns: Vec<Option<usize>> = fields.iter().map(|f| self.column(f)).collect();
        for i in 0..names.len() {
            let is_double = names[..i].contains(&names[i]) && !names[i].is_empty();
            if is_double || (columns[i].is_some() && columns[..i].contains(&columns[i])) {
                return Err("header.duplicate");
            }
        }
        for (i, column) in self.table.columns.iter().enumerate() {
            let is_there = columns.contains(&Some(i)) || self.dialect.constants[i].is_some();
            if column.required && !is_there {
                return Err("header.missing");
            }
        }
        if self.table.drift == Drift::Freeze && columns.contains(&None) {
            return Err("drift.frozen");
        }
        Ok(Header { names, columns })
    }

    /// The rules that a record under a header meets, in their order.
    fn state(&self, header: &Header, fields: &[String]) -> State {
        let rejected = |rule: &str| State::Rejected(vec![(None, rule.to_owned())]);
        if fields.iter().all(|f| f.trim().is_empty()) {
            return if self.dialect.skips_blank {
                State::Skipped
            } else {
                rejected("record.blank")
            };
        }
        let names: Vec<String> = fields.iter().map(|f| normalised(f)).collect();
        if names == header.names {
            return if self.dialect.skips_header {
                State::Skipped
            } else {
                rejected("record.repeated_header")
            };
        }
        let key = header
            .columns
            .iter()
            .position(|c| *c == Some(0))
            .and_then(|at| fields.get(at));
        if self.dialect.skips_totals && key.is_some_and(|k| k.trim().starts_with(TOTAL)) {
            return State::Skipped;
        }
        if fields.len() != header.names.len() {
            return rejected("record.width");
        }
        let text = |column: usize| {
            let at = header.columns.iter().position(|c| *c == Some(column))?;
            Some(fields[at].as_str())
        };
        let unknown = header
            .columns
            .iter()
            .zip(fields)
            .any(|(c, f)| c.is_none() && !f.trim().is_empty());
        self.values(text, unknown)
    }

    fn values<'t>(&self, text: impl Fn(usize) -> Option<&'t str>, has_unknown: bool) -> State {
        let mut faults = Vec::new();
        let mut row = Row::new();
        if has_unknown && self.table.drift == Drift::DiscardRow {
            faults.push((None, "drift.unknown_column".to_owned()));
        }
        for (i, column) in self.table.columns.iter().enumerate() {
            let value = match &self.dialect.constants[i] {
                Some((_, value)) => Ok(value.clone()),
                None => self.value(i, column, text(i).unwrap_or_default()),
            };
            match value {
                Ok(value) => row.push(value),
                Err(rule) => {
                    faults.push((Some(column.name.clone()), rule.to_owned()));
                    row.push(Value::Null);
                }
            }
        }
        if faults.is_empty() {
            faults = self.money(&row);
        }
        if faults.is_empty() {
            let broken = |check: &&Check| check.rejects && !holds(&check.rule, &row);
            faults = self
                .table
                .checks
                .iter()
                .filter(broken)
                .map(|c| (None, c.id.clone()))
                .collect();
        }
        if faults.is_empty() {
            State::Taken(row)
        } else {
            State::Rejected(faults)
        }
    }

    fn money(&self, row: &Row) -> Vec<(Option<String>, String)> {
        let mut faults = Vec::new();
        for (i, column) in self.table.columns.iter().enumerate() {
            let Kind::Dec { money: Some(at), .. } = column.kind else {
                continue;
            };
            if let (Value::Dec(units), Value::Text(code)) = (&row[i], &row[at]) {
                let decimals = decimals(code).unwrap_or(4);
                if units % 10_i128.pow(4 - decimals) != 0 {
                    faults.push((Some(column.name.clone()), "value.money".to_owned()));
                }
            }
        }
        faults
    }

    fn value(&self, at: usize, column: &Column, given: &str) -> Result<Value, Fault> {
        let mut text = given.trim();
        if let Some((yes, no)) = self.dialect.words[at] {
            if text == yes {
                text = "true";
            } else if text == no {
                text = "false";
            }
        }
        if text.is_empty() || self.dialect.null_tokens.contains(&text) {
            return if column.required {
                Err("value.required")
            } else {
                Ok(Value::Null)
            };
        }
        let plain = || Ok(Value::Text(text.to_owned()));
        match &column.kind {
            _ if text.contains('\0') && is_text(&column.kind) => Err("value.control"),
            Kind::Free => plain(),
            Kind::Id => {
                let is_hidden = |c: char| c.is_control() || is_invisible(c);
                let text: String = text.nfc().collect();
                if text.len() > 128 || text.chars().any(is_hidden) {
                    Err("value.format")
                } else {
                    Ok(Value::Text(text))
                }
            }
            Kind::Code => {
                let is_code = text.bytes().enumerate().all(|(i, b)| match i {
                    0 | 1 => b.is_ascii_uppercase(),
                    2 => b == b'-',
                    _ => b.is_ascii_digit(),
                });
                if is_code && text.len() == 6 {
                    plain()
                } else {
                    Err("value.pattern")
                }
            }
            Kind::Serial => {
                let middle = text
                    .strip_prefix("SERIAL-00-")
                    .and_then(|t| t.strip_suffix("-00-SERIAL"));
                let is_number = middle.is_some_and(|m| m.len() == 2 && m.bytes().all(|b| b.is_ascii_digit()));
                if is_number { plain() } else { Err("value.pattern") }
            }
            Kind::Listed(texts) => {
                if texts.contains(&text) {
                    plain()
                } else {
                    Err("value.allowed")
                }
            }
            Kind::Currency => {
                if decimals(text).is_some() {
                    plain()
                } else {
                    Err("value.format")
                }
            }
            Kind::Bool => match text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err("boolean.grammar"),
            },
            Kind::Int { bounds } => {
                let (is_negative, whole, fraction) = self.number(text, "integer.grammar")?;
                if fraction.is_some() {
                    return Err("integer.grammar");
                }
                let value = units(is_negative, &whole)
                    .and_then(|u| i64::try_from(u).ok())
                    .ok_or("integer.size")?;
                if bounds.is_some_and(|(least, most)| value < least || value > most) {
                    return Err("value.range");
                }
                Ok(Value::Int(value))
            }
            Kind::Dec {
                precision,
                scale,
                bounds,
                ..
            } => {
                let (is_negative, whole, fraction) = self.number(text, "decimal.grammar")?;
                let mut fraction = fraction.unwrap_or_default();
                if units(is_negative, &format!("{whole}{fraction}")).is_none() || fraction.len() > 38 {
                    return Err("decimal.size");
                }
                let scale = usize::from(*scale);
                if fraction.len() > scale {
                    return Err("decimal.scale");
                }
                fraction += &"0".repeat(scale - fraction.len());
                let most = 10_i128.pow(u32::from(*precision)) - 1;
                let value = units(is_negative, &format!("{whole}{fraction}"))
                    .filter(|u| u.abs() <= most)
                    .ok_or("decimal.size")?;
                if bounds.is_some_and(|(least, most)| value < least || value > most) {
                    return Err("value.range");
                }
                Ok(Value::Dec(value))
            }
            Kind::Date { bounds } => {
                let formats = &self.dialect.date_formats;
                let formats: &[&str] = if formats.is_empty() { &["%Y-%m-%d"] } else { formats };
                let found: Vec<Stamp> = formats.iter().filter_map(|f| stamp(f, text)).collect();
                let day = found.first().ok_or("date.grammar")?.day;
                if found.iter().any(|f| f.day != day) {
                    return Err("date.ambiguous");
                }
                let is_open = column.name.ends_with("_until") && day == days(9999, 12, 31);
                if !is_open && !is_plausible(day) {
                    return Err("date.window");
                }
                if bounds.is_some_and(|(least, most)| day < least || day > most) {
                    return Err("value.range");
                }
                Ok(Value::Date(day))
            }
            Kind::Instant => {
                let micros = self.instant(text)?;
                if !is_plausible(micros.div_euclid(86_400_000_000)) {
                    return Err("instant.window");
                }
                Ok(Value::Instant(micros))
            }
        }
    }

    /// Sign, whole digits and those behind the mark.
    fn number(&self, text: &str, grammar: Fault) -> Result<(bool, String, Option<String>), Fault> {
        let (point, group) = (self.dialect.point, self.dialect.group);
        if text.chars().any(|c| !c.is_ascii() && Some(c) != group) {
            return Err("number.character");
        }
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once(point) {
            Some((whole, fraction)) => (whole, Some(fraction.to_owned())),
            None => (unsigned, None),
        };
        let is_digits = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
        if fraction.as_ref().is_some_and(|f| !is_digits(f)) {
            return Err(grammar);
        }
        let groups: Vec<&str> = match group {
            Some(group) => whole.split(group).collect(),
            None => vec![whole],
        };
        let is_grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3));
        if !is_grouped || !groups.iter().all(|g| is_digits(g)) {
            return Err(grammar);
        }
        Ok((unsigned.len() != text.len(), groups.concat(), fraction))
    }

    fn instant(&self, text: &str) -> Result<i64, Fault> {
        if self.dialect.instant_formats.is_empty() {
            // RFC 3339: `Z` or an offset with a colon, to the microsecond
            let tail: Vec<char> = text.chars().rev().take(6).collect();
            let has_colon = text.ends_with('Z') || tail.get(2) == Some(&':');
            let text = without_finer_zeros(text);
            let read = stamp("%Y-%m-%dT%H:%M:%S%.f%z", &text)
                .filter(|_| has_colon)
                .ok_or("instant.grammar")?;
            return Ok(read.micros() - read.offset.unwrap_or_default() * 1_000_000);
        }
        let formats = self.dialect.instant_formats.iter();
        let found: Vec<Stamp> = formats.filter_map(|f| stamp(f, text)).collect();
        let read = found.first().ok_or("instant.grammar")?;
        if found.iter().any(|f| f != read) {
            return Err("instant.ambiguous");
        }
        if let Some(offset) = read.offset {
            return Ok(read.micros() - offset * 1_000_000);
        }
        // nobody knows yet when clocks change then
        if read.day >= days(2100, 1, 1) {
            return Err("instant.window");
        }
        let at = self.dialect.zone.instants(read.day * 86_400 + read.second);
        let second = match (at.first(), at.last(), self.dialect.overlap) {
            (Some(first), Some(last), _) if first == last => first,
            (Some(first), _, Some(true)) => first,
            (_, Some(last), Some(false)) => last,
            (Some(_), _, None) => return Err("instant.overlap"),
            _ => return Err("instant.gap"),
        };
        Ok(second * 1_000_000 + read.micro)
    }

    fn json_lines(&self, text: &[Option<char>]) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        let (mut at, mut line) = (0, 1);
        while at < text.len() {
            let end = line_end(text, at);
            let length = (at..end).find(|i| break_at(text, *i) > 0).unwrap_or(end);
            let raw = &text[at..length];
            if !raw.is_empty() {
                let state = self.object(raw)?;
                records.push(Record {
                    line,
                    last: line,
                    state,
                });
            }
            at = end;
            line += 1;
        }
        Ok(records)
    }

    fn object(&self, raw: &[Option<char>]) -> Result<State, Fault> {
        let rejected = |rule: &str| Ok(State::Rejected(vec![(None, rule.to_owned())]));
        if raw.contains(&None) {
            return rejected("record.encoding");
        }
        if raw.contains(&Some('\0')) {
            return rejected("record.nul");
        }
        let chars: Vec<char> = raw.iter().flatten().copied().collect();
        let mut json = Json { chars: &chars, at: 0 };
        let Some(members) = json.object().filter(|_| json.is_at_end()) else {
            return rejected("json.syntax");
        };
        let mut fields: Vec<(String, Option<String>)> = Vec::new();
        for (name, value) in members {
            let Some(name) = name else {
                return rejected("json.syntax");
            };
            if fields.iter().any(|(n, _)| *n == name) {
                return rejected("json.duplicate_key");
            }
            match value {
                Member::Null => fields.push((name, None)),
                Member::Plain(text) => fields.push((name, Some(text))),
                Member::Nested => return rejected("json.nested"),
                Member::HalfAPair => return rejected("json.string"),
            }
        }
        let columns: Vec<Option<usize>> = fields.iter().map(|(name, _)| self.column(name)).collect();
        for (i, column) in columns.iter().enumerate() {
            if column.is_none() && self.table.drift == Drift::Freeze {
                return Err("drift.frozen");
            }
            if column.is_some() && columns[..i].contains(column) {
                return rejected("json.duplicate_key");
            }
        }
        let text = |column: usize| {
            let at = columns.iter().position(|c| *c == Some(column))?;
            fields[at].1.as_deref()
        };
        let trimmed = |column: usize| text(column).unwrap_or_default().trim();
        if (0..self.table.columns.len()).all(|column| trimmed(column).is_empty()) {
            return if self.dialect.skips_blank {
                Ok(State::Skipped)
            } else {
                rejected("record.blank")
            };
        }
        if self.dialect.skips_totals && trimmed(0).starts_with(TOTAL) {
            return Ok(State::Skipped);
        }
        let is_value = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.trim().is_empty());
        let unknown = columns
            .iter()
            .zip(&fields)
            .any(|(c, (_, t))| c.is_none() && is_value(t));
        Ok(self.values(text, unknown))
    }
}

fn is_text(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Free | Kind::Id | Kind::Code | Kind::Serial | Kind::Listed(_) | Kind::Currency
    )
}

pub fn is_invisible(c: char) -> bool {
    matches!(u32::from(c), 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFEFF)
}

pub fn normalised(name: &str) -> String {
    let is_kept = |c: &char| !is_invisible(*c) && !['\u{A0}', '\u{2007}', '\u{202F}'].contains(c);
    name.chars().filter(is_kept).collect::<String>().trim().to_lowercase()
}

/// Active codes of ISO 4217, by the number of their decimals.
const CURRENCIES: [(u32, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "UYW"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP \
         CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES \
         KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK \
         NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
         TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
];

/// Decimals of a currency.
fn decimals(code: &str) -> Option<u32> {
    let is_of = |codes: &str| codes.split_ascii_whitespace().any(|c| c == code);
    CURRENCIES
        .iter()
        .find(|(_, codes)| is_of(codes))
        .map(|(decimals, _)| *decimals)
}

/// A number of digits; `None` where 128 bits do not hold it.
fn units(is_negative: bool, digits: &str) -> Option<i128> {
    let value: i128 = digits.parse().ok()?;
    Some(if is_negative { -value } else { value })
}

fn is_plausible(day: i64) -> bool {
    (days(1990, 1, 1)..days(2101, 1, 1)).contains(&day)
}

//! How a file says its rows: the dialect, the source that declares it, and texts of values.
//!
//! Duty: random dialects of every format, the TOML of their source, values to texts. Not its duty: files as a whole
//! (`write`), reading (`reference`).

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

use super::random::Random;
use super::table::{Kind, Letters, Row, Table, Value, civil, last_sunday};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Csv,
    JsonLines,
    Xlsx,
    Parquet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
    Latin1,
    Gbk,
    Gb18030,
    ShiftJis,
}

pub const CHARSETS: [(Charset, &str); 8] = [
    (Charset::Utf8, "utf-8"),
    (Charset::Utf16Le, "utf-16le"),
    (Charset::Utf16Be, "utf-16be"),
    (Charset::Windows1252, "windows-1252"),
    (Charset::Latin1, "iso-8859-1"),
    (Charset::Gbk, "gbk"),
    (Charset::Gb18030, "gb18030"),
    (Charset::ShiftJis, "shift_jis"),
];

impl Charset {
    pub fn name(self) -> &'static str {
        CHARSETS.iter().find(|(c, _)| *c == self).map_or("", |(_, name)| name)
    }

    /// Those whose characters have a table of their own.
    pub fn table(self) -> Option<&'static encoding_rs::Encoding> {
        match self {
            Charset::Gbk => Some(encoding_rs::GBK),
            Charset::Gb18030 => Some(encoding_rs::GB18030),
            Charset::ShiftJis => Some(encoding_rs::SHIFT_JIS),
            Charset::Windows1252 => Some(encoding_rs::WINDOWS_1252),
            _ => None,
        }
    }

    /// The bytes of a character; `None` where the encoding does not have it.
    pub fn encode(self, c: char) -> Option<Vec<u8>> {
        let mut text = [0; 4];
        let text: &str = c.encode_utf8(&mut text);
        Some(match self {
            Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Charset::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Charset::Latin1 => vec![u8::try_from(u32::from(c)).ok().filter(|b| !(0x80..0xA0).contains(b))?],
            _ => {
                let (bytes, _, is_unknown) = self.table()?.encode(text);
                // a character that comes back as another one is no character of the encoding either
                let (back, _) = self.table()?.decode_without_bom_handling(&bytes);
                if is_unknown || back != text || (self == Charset::Windows1252 && (0x80..0xA0).contains(&u32::from(c)))
                {
                    return None;
                }
                bytes.into_owned()
            }
        })
    }

    pub fn mark(self) -> &'static [u8] {
        match self {
            Charset::Utf8 => b"\xEF\xBB\xBF",
            Charset::Utf16Le => b"\xFF\xFE",
            Charset::Utf16Be => b"\xFE\xFF",
            Charset::Gbk | Charset::Gb18030 => b"\x84\x31\x95\x33",
            _ => b"",
        }
    }

    /// Bytes that are no character, whatever stands behind them.
    pub fn bad(self) -> &'static [u8] {
        match self {
            Charset::Utf8 | Charset::Gbk | Charset::Gb18030 | Charset::ShiftJis => b"\xFF",
            Charset::Utf16Le => b"\x00\xDC",
            Charset::Utf16Be => b"\xDC\x00",
            Charset::Windows1252 | Charset::Latin1 => b"\x81",
        }
    }
}

/// When a field is put into quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    Needed,
    Always,
    Texts,
    Sometimes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Utc,
    Tokyo,
    Kolkata,
    Berlin,
}

impl Zone {
    fn name(self) -> &'static str {
        match self {
            Zone::Utc => "UTC",
            Zone::Tokyo => "Asia/Tokyo",
            Zone::Kolkata => "Asia/Kolkata",
            Zone::Berlin => "Europe/Berlin",
        }
    }

    /// Seconds east of UTC at an instant. Berlin keeps summer time between the last Sundays of March and October, until
    /// 1995 of September, 01:00 UTC.
    fn offset(self, second: i64) -> i64 {
        match self {
            Zone::Utc => 0,
            Zone::Tokyo => 9 * 3600,
            Zone::Kolkata => 5 * 3600 + 1800,
            Zone::Berlin => {
                let (year, _, _) = civil(second.div_euclid(86_400));
                let change = |month: i64| last_sunday(year, month) * 86_400 + 3600;
                let end = change(if year < 1996 { 9 } else { 10 });
                if (change(3)..end).contains(&second) { 7200 } else { 3600 }
            }
        }
    }

    /// Seconds of the local clock at an instant.
    pub fn local(self, second: i64) -> i64 {
        second + self.offset(second)
    }

    /// The instants at which a clock shows a local time, the first first.
    pub fn instants(self, local: i64) -> Vec<i64> {
        let mut found: Vec<i64> = [0, 3600, 7200, 9 * 3600, 19_800]
            .iter()
            .map(|offset| local - offset)
            .filter(|at| self.local(*at) == local)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[derive(Clone, Debug)]
pub struct Dialect {
    pub form: Form,
    pub delimiter: char,
    pub quote: Option<char>,
    pub escape: Option<char>,
    pub quoting: Quoting,
    pub line_end: &'static str,
    pub ends_with_line_end: bool,
    pub charset: Charset,
    pub has_mark: bool,
    pub point: char,
    pub group: Option<char>,
    pub date_formats: Vec<&'static str>,
    pub instant_formats: Vec<&'static str>,
    pub zone: Zone,
    /// `Some(true)`: the first.
    pub overlap: Option<bool>,
    pub null_tokens: Vec<&'static str>,
    pub preamble: usize,
    pub skips_header: bool,
    pub skips_blank: bool,
    pub skips_totals: bool,
    /// By column: the name in the file.
    pub names: Vec<String>,
    /// The columns in their order in the file; those beyond the contract are more than it has.
    pub order: Vec<usize>,
    /// How `true` and `false` are written where that is declared, by column.
    pub words: Vec<Option<(&'static str, &'static str)>>,
    pub constants: Vec<Option<(String, Value)>>,
    pub packing: Packing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    None,
    Gzip,
    Zip,
}

pub const TOTAL: &str = "TOTAL";

const DATE_FORMATS: [&str; 7] = [
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%-d.%-m.%Y",
    "%Y/%m/%d",
];

const INSTANT_FORMATS: [&str; 5] = [
    "%Y-%m-%d %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y%m%d%H%M%S",
];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Dialect {
    pub fn new(random: &mut Random, table: &Table) -> Dialect {
        let form = match random.below(100) {
            0..75 => Form::Csv,
            75..93 => Form::JsonLines,
            93..97 => Form::Xlsx,
            _ => Form::Parquet,
        };
        let mut dialect = Dialect::plain(form, table);
        dialect.null_tokens = ["NULL", "N/A", "-", "n.a."]
            .into_iter()
            .filter(|_| random.percent(30))
            .collect();
        dialect.packing = *random.pick(&[
            Packing::None,
            Packing::None,
            Packing::None,
            Packing::None,
            Packing::Gzip,
            Packing::Zip,
        ]);
        random.shuffle(&mut dialect.order);
        dialect.name_columns(random, table);
        dialect.skips_blank = random.percent(30);
        if form == Form::Parquet {
            dialect.skips_blank = false;
            return dialect;
        }
        dialect.choose_times(random);
        for (i, column) in table.columns.iter().enumerate() {
            if column.kind == Kind::Bool && random.percent(50) {
                dialect.words[i] = Some(*random.pick(&[("ja", "nein"), ("Y", "N"), ("1", "0")]));
            }
        }
        dialect.skips_totals = random.percent(20);
        if form == Form::Xlsx {
            dialect.choose_marks(random);
            return dialect;
        }
        dialect.line_end = *random.pick(&["\n", "\n", "\r\n", "\r\n", "\r"]);
        dialect.ends_with_line_end = random.percent(80);
        dialect.charset = if random.percent(50) {
            Charset::Utf8
        } else {
            random.pick(&CHARSETS).0
        };
        dialect.has_mark = random.percent(30) && !dialect.charset.mark().is_empty();
        if form == Form::JsonLines {
            return dialect;
        }
        dialect.choose_marks(random);
        dialect.quote = *random.pick(&[Some('"'), Some('"'), Some('"'), Some('\''), None]);
        dialect.delimiter = if dialect.quote.is_some() {
            *random.pick(&[',', ',', ';', ';', '\t', '|', '^', ':', '~', ' '])
        } else {
            *random.pick(&['\t', '|', '^', '~'])
        };
        if dialect.quote.is_some() && random.percent(20) {
            dialect.escape = Some('\\');
        }
        dialect.quoting = *random.pick(&[
            Quoting::Needed,
            Quoting::Needed,
            Quoting::Always,
            Quoting::Texts,
            Quoting::Sometimes,
        ]);
        if random.percent(25) {
            dialect.preamble = 1 + random.below(3);
        }
        dialect.skips_header = random.percent(30);
        dialect
    }

    /// The strict default.
    fn plain(form: Form, table: &Table) -> Dialect {
        let count = table.columns.len();
        Dialect {
            form,
            delimiter: ',',
            quote: Some('"'),
            escape: None,
            quoting: Quoting::Needed,
            line_end: "\n",
            ends_with_line_end: true,
            charset: Charset::Utf8,
            has_mark: false,
            point: '.',
            group: None,
            date_formats: Vec::new(),
            instant_formats: Vec::new(),
            zone: Zone::Utc,
            overlap: None,
            null_tokens: Vec::new(),
            preamble: 0,
            skips_header: false,
            skips_blank: false,
            skips_totals: false,
            names: table.columns.iter().map(|c| c.name.clone()).collect(),
            order: (0..count).collect(),
            words: vec![None; count],
            constants: vec![None; count],
            packing: Packing::None,
        }
    }

    fn name_columns(&mut self, random: &mut Random, table: &Table) {
        for (i, name) in self.names.iter_mut().enumerate() {
            if random.percent(15) {
                *name = format!("Spalte {i} (neu)");
            }
        }
        for (i, column) in table.columns.iter().enumerate().skip(1) {
            let constant = match column.kind {
                Kind::Free => ("constant".to_owned(), Value::Text("constant".to_owned())),
                Kind::Listed(texts) => (texts[0].to_owned(), Value::Text(texts[0].to_owned())),
                _ => continue,
            };
            if table.checks.is_empty() && random.percent(8) {
                self.constants[i] = Some(constant);
                self.names[i].clone_from(&column.name);
                self.order.retain(|at| *at != i);
            }
        }
        if table.drift == super::table::Drift::DiscardValue && random.percent(15) {
            let at = random.below(self.order.len() + 1);
            self.order.insert(at, self.names.len());
            self.names.push("beyond".to_owned());
        }
    }

    fn choose_marks(&mut self, random: &mut Random) {
        self.point = *random.pick(&['.', '.', ',']);
        let groups: &[Option<char>] = &[
            None,
            None,
            Some('.'),
            Some(','),
            Some('\''),
            Some(' '),
            Some('\u{A0}'),
            Some('\u{202F}'),
        ];
        self.group = (*random.pick(groups)).filter(|g| *g != self.point && self.charset.encode(*g).is_some());
    }

    fn choose_times(&mut self, random: &mut Random) {
        if random.percent(60) {
            self.date_formats.push(*random.pick(&DATE_FORMATS));
            if random.percent(20) {
                self.date_formats.push("%Y-%m-%d");
            }
        }
        if random.percent(75) {
            self.instant_formats.push(*random.pick(&INSTANT_FORMATS));
            if random.percent(15) {
                self.instant_formats.push("%Y-%m-%d %H:%M");
            }
        }
        self.zone = *random.pick(&[
            Zone::Utc,
            Zone::Tokyo,
            Zone::Kolkata,
            Zone::Berlin,
            Zone::Berlin,
            Zone::Berlin,
        ]);
        self.overlap = *random.pick(&[None, Some(true), Some(false)]);
    }

    /// Characters that its texts can have.
    pub fn letters(&self) -> Letters {
        let bare = self.form == Form::Csv && self.quote.is_none();
        Letters::new(|c| self.charset.encode(c).is_some() && !(bare && (c == self.delimiter || c == '\r' || c == '\n')))
    }

    /// The row as the dialect can say it.
    pub fn fit(&self, table: &Table, row: &mut Row) {
        for (i, value) in row.iter_mut().enumerate() {
            match value {
                Value::Text(text) => {
                    if self.form == Form::Csv && self.quote.is_none() {
                        text.retain(|c| c != self.delimiter && c != '\r' && c != '\n');
                    }
                    if self.form == Form::Xlsx {
                        // a workbook has one kind of line break
                        text.retain(|c| c != '\r');
                    }
                    let kept: String = text.chars().filter(|c| self.charset.encode(*c).is_some()).collect();
                    kept.trim().clone_into(text);
                    if text.is_empty() || self.null_tokens.contains(&text.as_str()) || text.starts_with(TOTAL) {
                        "x".clone_into(text);
                    }
                }
                Value::Instant(micros) => self.fit_instant(micros),
                _ => {}
            }
            if let Some(Some((_, constant))) = self.constants.get(i) {
                *value = constant.clone();
            }
            debug_assert!(i < table.columns.len());
        }
    }

    fn fit_instant(&self, micros: &mut i64) {
        let Some(format) = self.instant_formats.first() else {
            return;
        };
        if !format.contains("%.f") {
            *micros -= micros.rem_euclid(1_000_000);
        }
        if !format.contains("%S") {
            *micros -= micros.rem_euclid(60_000_000);
        }
        if format.contains("%z") {
            return;
        }
        let second = micros.div_euclid(1_000_000);
        let found = self.zone.instants(self.zone.local(second));
        let meant = match self.overlap {
            Some(true) => found.first(),
            Some(false) => found.last(),
            None => Some(&second).filter(|_| found.len() == 1),
        };
        if meant != Some(&second) {
            *micros += 3 * 3_600_000_000;
        }
    }

    /// The text of a value as the dialect writes it.
    pub fn text(&self, random: &mut Random, table: &Table, column: usize, value: &Value) -> String {
        let json = self.form == Form::JsonLines;
        match value {
            Value::Null if random.percent(40) && !self.null_tokens.is_empty() => {
                (*random.pick(&self.null_tokens)).to_owned()
            }
            Value::Null => String::new(),
            // identifiers are the same however their letters are put together
            Value::Text(text) if table.columns[column].kind == Kind::Id && random.percent(50) => {
                let apart: String = text.nfd().collect();
                let is_known = apart.chars().all(|c| self.charset.encode(c).is_some());
                if is_known { apart } else { text.clone() }
            }
            Value::Text(text) => text.clone(),
            Value::Bool(value) => {
                let (yes, no) = self.words[column].unwrap_or(("true", "false"));
                if *value { yes } else { no }.to_owned()
            }
            Value::Int(value) => self.number(random, i128::from(*value), 0, json),
            Value::Dec(units) => match table.columns[column].kind {
                Kind::Dec { scale, .. } => self.number(random, *units, scale, json),
                _ => String::new(),
            },
            Value::Date(at) => date_text(self.date_formats.first().copied().unwrap_or("%Y-%m-%d"), *at),
            Value::Instant(micros) => self.instant(random, *micros),
        }
    }

    fn number(&self, random: &mut Random, units: i128, scale: u8, json: bool) -> String {
        let one = 10_u128.pow(u32::from(scale));
        let mut whole = (units.unsigned_abs() / one).to_string();
        if let Some(group) = self.group.filter(|_| random.percent(60)) {
            let mut grouped = String::new();
            for (i, digit) in whole.chars().enumerate() {
                if i > 0 && (whole.len() - i).is_multiple_of(3) {
                    grouped.push(group);
                }
                grouped.push(digit);
            }
            whole = grouped;
        } else if random.percent(3) && !json {
            whole.insert(0, '0');
        }
        let mut fraction = format!("{:0width$}", units.unsigned_abs() % one, width = usize::from(scale));
        if scale == 0 || random.percent(50) {
            fraction.truncate(fraction.trim_end_matches('0').len());
        }
        let sign = if units < 0 { "-" } else { "" };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{}{fraction}", self.point)
        }
    }

    fn instant(&self, random: &mut Random, micros: i64) -> String {
        let second = micros.div_euclid(1_000_000);
        let part = micros.rem_euclid(1_000_000);
        let Some(format) = self.instant_formats.first() else {
            let hours = *random.pick(&[0, 0, 2, -5]);
            let fraction = if part == 0 {
                String::new()
            } else {
                format!(".{part:06}")
            };
            let local = date_text("%Y-%m-%dT%H:%M:%S", second + hours * 3600);
            let offset = match hours {
                0 => "Z".to_owned(),
                h => format!("{}{:02}:00", if h < 0 { '-' } else { '+' }, h.abs()),
            };
            return format!("{local}{fraction}{offset}");
        };
        if !format.contains("%z") {
            return date_text(format, self.zone.local(second));
        }
        let fraction = if part == 0 {
            String::new()
        } else {
            format!(".{part:06}")
        };
        date_text(format, second + 7200)
            .replace("%.f", &fraction)
            .replace("%z", "+0200")
    }

    /// The source that declares it.
    pub fn source(&self, table: &Table) -> String {
        let form = match self.form {
            Form::Csv => "csv",
            Form::JsonLines => "json_lines",
            Form::Xlsx => "xlsx",
            Form::Parquet => "parquet",
        };
        let mut text =
            format!("[[source]]\nname = \"rows\"\nfeed = \"rows\"\nfiles = [\"in/*\"]\nformat = \"{form}\"\n");
        let quoted = |text: &str| format!("{text:?}").replace("\\'", "'");
        let list = |texts: &[&str]| texts.iter().map(|t| quoted(t)).collect::<Vec<_>>().join(", ");
        match self.packing {
            Packing::None => {}
            Packing::Gzip => text += "compression = \"gzip\"\n",
            Packing::Zip => text += "compression = \"zip\"\n",
        }
        if matches!(self.form, Form::Csv | Form::JsonLines) {
            let _ = writeln!(text, "encoding = \"{}\"", self.charset.name());
        }
        if self.form == Form::Csv {
            let _ = writeln!(text, "delimiter = {}", quoted(&self.delimiter.to_string()));
            let _ = writeln!(
                text,
                "quote = {}",
                quoted(&self.quote.map_or(String::new(), String::from))
            );
            if let Some(escape) = self.escape {
                let _ = writeln!(text, "escape = {}", quoted(&escape.to_string()));
            }
        }
        if matches!(self.form, Form::Csv | Form::Xlsx) {
            let _ = writeln!(text, "decimal_mark = \"{}\"", self.point);
            if let Some(group) = self.group {
                let _ = writeln!(text, "grouping_mark = \"{group}\"");
            }
        }
        if !self.date_formats.is_empty() {
            let _ = writeln!(text, "date_formats = [{}]", list(&self.date_formats));
        }
        if !self.instant_formats.is_empty() {
            let _ = writeln!(text, "instant_formats = [{}]", list(&self.instant_formats));
            let _ = writeln!(text, "time_zone = \"{}\"", self.zone.name());
            if let Some(first) = self.overlap {
                let _ = writeln!(text, "overlap = \"{}\"", if first { "first" } else { "last" });
            }
        }
        if !self.null_tokens.is_empty() {
            let _ = writeln!(text, "null_tokens = [{}]", list(&self.null_tokens));
        }
        let mut skips = Vec::new();
        if self.preamble > 0 {
            skips.push(format!("preamble_lines = {}", self.preamble));
        }
        if self.skips_header {
            skips.push("repeated_header = true".to_owned());
        }
        if self.skips_blank {
            skips.push("blank_rows = true".to_owned());
        }
        if self.skips_totals {
            skips.push(format!("totals = {{ column = \"row_id\", starts_with = \"{TOTAL}\" }}"));
        }
        if !skips.is_empty() {
            let _ = writeln!(text, "skip = {{ {} }}", skips.join(", "));
        }
        let _ = writeln!(text, "[source.rename]");
        for (column, name) in table.columns.iter().zip(&self.names) {
            if column.name != *name {
                let _ = writeln!(text, "\"{name}\" = \"{}\"", column.name);
            }
        }
        let _ = writeln!(text, "[source.constants]");
        for (column, constant) in table.columns.iter().zip(&self.constants) {
            if let Some((constant, _)) = constant {
                let _ = writeln!(text, "{} = \"{constant}\"", column.name);
            }
        }
        for (column, words) in table.columns.iter().zip(&self.words) {
            if let Some((yes, no)) = words {
                let _ = writeln!(
                    text,
                    "[source.values.{}]\n\"{yes}\" = \"true\"\n\"{no}\" = \"false\"",
                    column.name
                );
            }
        }
        text
    }
}

/// Days, or seconds where the format has hours, since 1970 by a format.
pub fn date_text(format: &str, at: i64) -> String {
    let (day, second) = if format.contains("%H") {
        (at.div_euclid(86_400), at.rem_euclid(86_400))
    } else {
        (at, 0)
    };
    let (year, month, of_month) = civil(day);
    let name = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    format
        .replace("%Y", &format!("{year:04}"))
        .replace("%-m", &month.to_string())
        .replace("%m", &format!("{month:02}"))
        .replace("%b", name)
        .replace("%-d", &of_month.to_string())
        .replace("%d", &format!("{of_month:02}"))
        .replace("%H", &format!("{:02}", second / 3600))
        .replace("%M", &format!("{:02}", second / 60 % 60))
        .replace("%S", &format!("{:02}", second % 60))
}

/// Number of a month by its English name.
pub fn month_of(name: &str) -> Option<i64> {
    let at = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(name))?;
    i64::try_from(at + 1).ok()
}

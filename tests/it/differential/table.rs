//! Contracts and the rows that hold them: what a file is meant to say.
//!
//! Duty: a random contract of every type, as ODCS and as plain values of its own; rows by it. Not its duty: how a row is
//! written.

use std::fmt::Write as _;

use starledger::contracts::{self, Contract};

use super::random::Random;

/// A value as it is meant. Decimals are units at the scale of their column, dates days and instants microseconds since
/// 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Text(String),
    Int(i64),
    Dec(i128),
    Bool(bool),
    Date(i64),
    Instant(i64),
}

pub type Row = Vec<Value>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text but one with NUL.
    Free,
    Id,
    /// Two capital letters, a hyphen, three digits.
    Code,
    /// Long texts that differ in their middle only.
    Serial,
    /// One of these.
    Listed(&'static [&'static str]),
    Int {
        bounds: Option<(i64, i64)>,
    },
    Dec {
        precision: u8,
        scale: u8,
        /// In units.
        bounds: Option<(i128, i128)>,
        /// Column of the currency.
        money: Option<usize>,
    },
    Bool,
    Date {
        bounds: Option<(i64, i64)>,
    },
    Instant,
    Currency,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
}

/// A check across columns.
#[derive(Clone, Debug)]
pub struct Check {
    pub id: String,
    pub rejects: bool,
    pub rule: Rule,
}

#[derive(Clone, Debug)]
pub enum Rule {
    /// Left is not less than right.
    NotBefore(usize, usize),
    /// Left has a value where right is this text.
    PresentWhen(usize, usize, &'static str),
    /// Just one of the two has a value.
    OneOf(usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    DiscardValue,
    DiscardRow,
    Freeze,
}

/// A contract, as it is read and as plain values.
pub struct Table {
    pub columns: Vec<Column>,
    pub checks: Vec<Check>,
    /// Share of records in hundredths that may be rejected.
    pub threshold: i64,
    pub drift: Drift,
    pub contract: Contract,
}

pub const CURRENCIES: [(&str, u8); 6] = [("EUR", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CNY", 2), ("ISK", 0)];

const LISTS: [&[&str]; 3] = [
    &["open", "closed", "in progress"],
    &["A", "B", "C", "D"],
    &["service", "product"],
];

/// Days since 1970-01-01 of a day of the Gregorian calendar.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of the days since 1970-01-01.
pub fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

pub fn length_of_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}

/// The last Sunday of a month, in days since 1970-01-01, a Thursday.
pub fn last_sunday(year: i64, month: i64) -> i64 {
    let last = days(year, month, length_of_month(year, month));
    last - (last + 4).rem_euclid(7)
}

impl Table {
    /// A random contract: the key, and two to nine columns of other types.
    pub fn new(random: &mut Random) -> Table {
        let mut columns = vec![Column {
            name: "row_id".to_owned(),
            kind: Kind::Id,
            required: true,
        }];
        let add = |columns: &mut Vec<Column>, random: &mut Random, stem: &str, kind: Kind| {
            let name = format!("{stem}_{}", columns.len());
            let required = random.percent(55);
            columns.push(Column { name, kind, required });
        };
        for _ in 0..2 + random.below(8) {
            match random.below(12) {
                0 | 1 => add(&mut columns, random, "note", Kind::Free),
                2 => add(&mut columns, random, "ref", Kind::Id),
                3 if random.percent(30) => add(&mut columns, random, "serial", Kind::Serial),
                3 => add(&mut columns, random, "code", Kind::Code),
                4 => {
                    let list = *random.pick(&LISTS);
                    add(&mut columns, random, "state", Kind::Listed(list));
                }
                5 | 6 => {
                    let bounds = random.percent(50).then_some((-1000, 1_000_000));
                    add(&mut columns, random, "count", Kind::Int { bounds });
                }
                7 => {
                    let (precision, scale) = *random.pick(&[(9, 2), (18, 4), (12, 0), (9, 6), (38, 10), (20, 3)]);
                    let one = 10_i128.pow(u32::from(scale));
                    let bounds = random.percent(40).then_some((-5 * one, 100 * one));
                    let money = None;
                    add(
                        &mut columns,
                        random,
                        "rate",
                        Kind::Dec {
                            precision,
                            scale,
                            bounds,
                            money,
                        },
                    );
                }
                8 => add(&mut columns, random, "flag", Kind::Bool),
                9 => {
                    let bounds = random.percent(50).then_some((days(2000, 1, 1), days(2099, 12, 31)));
                    let stem = if random.percent(30) { "open" } else { "made" };
                    add(&mut columns, random, stem, Kind::Date { bounds });
                    if stem == "open" && bounds.is_none() {
                        let last = columns.len() - 1;
                        columns[last].name += "_until";
                    }
                }
                10 => add(&mut columns, random, "seen", Kind::Instant),
                _ => {
                    add(&mut columns, random, "currency", Kind::Currency);
                    let money = Some(columns.len() - 1);
                    let kind = Kind::Dec {
                        precision: 18,
                        scale: 4,
                        bounds: None,
                        money,
                    };
                    add(&mut columns, random, "amount", kind);
                }
            }
        }
        let checks = checks(random, &columns);
        let threshold = *random.pick(&[5, 20, 50, 90, 100, 100]);
        let drift = *random.pick(&[
            Drift::DiscardValue,
            Drift::DiscardValue,
            Drift::DiscardRow,
            Drift::Freeze,
        ]);
        Table::of(columns, checks, threshold, drift)
    }

    /// The contract of these columns; the first is the key.
    pub fn of(columns: Vec<Column>, checks: Vec<Check>, threshold: i64, drift: Drift) -> Table {
        let text = odcs(&columns, &checks, threshold, drift);
        let contract =
            contracts::read("rows.odcs.yaml", &text).unwrap_or_else(|findings| panic!("{findings:?}\n{text}"));
        Table {
            columns,
            checks,
            threshold,
            drift,
            contract,
        }
    }

    /// A row that holds the contract; `letters` are those that its texts may have.
    pub fn row(&self, random: &mut Random, number: usize, letters: &Letters) -> Row {
        let mut row: Row = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            if i == 0 {
                row.push(Value::Text(format!("R-{number:05}-{}", random.below(1000))));
            } else if !column.required && random.percent(20) {
                row.push(Value::Null);
            } else {
                row.push(value(random, &column.kind, letters));
            }
            if column.name.ends_with("_until") && random.percent(10) {
                row[i] = Value::Date(days(9999, 12, 31));
            }
        }
        for i in 0..row.len() {
            let Kind::Dec { money: Some(at), .. } = self.columns[i].kind else {
                continue;
            };
            if let (Value::Dec(units), Value::Text(code)) = (&row[i], &row[at]) {
                let decimals = CURRENCIES.iter().find(|(c, _)| c == code).map_or(2, |(_, d)| *d);
                let minor = 10_i128.pow(u32::from(4 - decimals.min(4)));
                row[i] = Value::Dec(units / minor * minor);
            }
        }
        for check in self.checks.iter().filter(|check| check.rejects) {
            match check.rule {
                Rule::NotBefore(left, right) => {
                    if !holds(&check.rule, &row) {
                        row.swap(left, right);
                    }
                }
                Rule::PresentWhen(left, _, _) => {
                    if !holds(&check.rule, &row) {
                        row[left] = value(random, &self.columns[left].kind, letters);
                    }
                }
                Rule::OneOf(left, right) => {
                    if row[left] == Value::Null && row[right] == Value::Null {
                        row[left] = value(random, &self.columns[left].kind, letters);
                    } else if !holds(&check.rule, &row) {
                        row[right] = Value::Null;
                    }
                }
            }
        }
        row
    }
}

/// Whether a check holds of a row.
pub fn holds(rule: &Rule, row: &[Value]) -> bool {
    match rule {
        Rule::NotBefore(left, right) => match (&row[*left], &row[*right]) {
            (Value::Int(a), Value::Int(b))
            | (Value::Date(a), Value::Date(b))
            | (Value::Instant(a), Value::Instant(b)) => a >= b,
            _ => true,
        },
        Rule::PresentWhen(left, right, text) => {
            row[*left] != Value::Null || !matches!(&row[*right], Value::Text(found) if found == text)
        }
        Rule::OneOf(left, right) => (row[*left] == Value::Null) != (row[*right] == Value::Null),
    }
}

/// Checks over columns that no other check has, so that all can hold at once.
fn checks(random: &mut Random, columns: &[Column]) -> Vec<Check> {
    let mut free: Vec<usize> = (1..columns.len()).collect();
    random.shuffle(&mut free);
    let mut checks = Vec::new();
    for _ in 0..random.below(3) {
        let Some(left) = free.pop() else { break };
        let is_pair = |right: &usize| {
            let (a, b) = (&columns[left], &columns[*right]);
            let is_ordered = matches!(a.kind, Kind::Int { .. } | Kind::Date { .. } | Kind::Instant);
            is_ordered
                && a.kind == b.kind
                && a.required == b.required
                && a.name.ends_with("_until") == b.name.ends_with("_until")
        };
        let is_plain = |i: usize| !matches!(columns[i].kind, Kind::Currency | Kind::Dec { money: Some(_), .. });
        let is_free = |right: &usize| !columns[left].required && !columns[*right].required && is_plain(*right);
        let listed = |right: &usize| matches!(columns[*right].kind, Kind::Listed(_));
        let rule = if let Some(at) = free.iter().position(is_pair) {
            Rule::NotBefore(left, free.remove(at))
        } else if columns[left].required || !is_plain(left) {
            continue;
        } else if let Some(at) = free.iter().position(listed) {
            let right = free.remove(at);
            let Kind::Listed(texts) = columns[right].kind else {
                continue;
            };
            Rule::PresentWhen(left, right, texts[0])
        } else if let Some(at) = free.iter().position(is_free) {
            Rule::OneOf(left, free.remove(at))
        } else {
            continue;
        };
        checks.push(Check {
            id: format!("check-{}", checks.len()),
            rejects: random.percent(70),
            rule,
        });
    }
    checks
}

/// The contract in ODCS.
fn odcs(columns: &[Column], checks: &[Check], threshold: i64, drift: Drift) -> String {
    let mut text = String::from(
        "apiVersion: v3.1.0\nkind: DataContract\nid: differential-rows\nname: Rows\nversion: 1.0.0\nstatus: active\n\
         schema:\n  - name: rows\n    logicalType: object\n    physicalType: table\n    description: Rows.\n    \
         customProperties:\n      - {property: kind, value: reference}\n",
    );
    let drift = match drift {
        Drift::DiscardValue => "discard_value",
        Drift::DiscardRow => "discard_row",
        Drift::Freeze => "freeze",
    };
    let _ = write!(
        text,
        "      - {{property: rejectThreshold, value: {}.{:02}}}\n      - {{property: drift, value: {drift}}}\n    properties:\n",
        threshold / 100,
        threshold % 100
    );
    for (i, column) in columns.iter().enumerate() {
        let (logical, physical) = match &column.kind {
            Kind::Free | Kind::Id | Kind::Code | Kind::Serial | Kind::Listed(_) | Kind::Currency => {
                ("string", "VARCHAR".to_owned())
            }
            Kind::Int { .. } => ("integer", "BIGINT".to_owned()),
            Kind::Dec { precision, scale, .. } => ("number", format!("DECIMAL({precision},{scale})")),
            Kind::Bool => ("boolean", "BOOLEAN".to_owned()),
            Kind::Date { .. } => ("date", "DATE".to_owned()),
            Kind::Instant => ("timestamp", "TIMESTAMP".to_owned()),
        };
        let _ = write!(
            text,
            "      - name: {}\n        description: A column.\n        logicalType: {logical}\n        \
             physicalType: {physical}\n        required: {}\n",
            column.name, column.required
        );
        if i == 0 {
            text += "        primaryKey: true\n        primaryKeyPosition: 1\n";
        }
        let custom = |name: &str, value: &str| {
            format!("        customProperties:\n          - {{property: {name}, value: {value}}}\n")
        };
        let range = |least: String, most: String| {
            format!("        logicalTypeOptions:\n          minimum: {least}\n          maximum: {most}\n")
        };
        match &column.kind {
            Kind::Id => text += &custom("format", "id"),
            Kind::Currency => text += &custom("format", "currency"),
            Kind::Code => text += "        logicalTypeOptions:\n          pattern: '^[A-Z]{2}-[0-9]{3}$'\n",
            Kind::Serial => {
                text += "        logicalTypeOptions:\n          pattern: '^SERIAL-00-[0-9]{2}-00-SERIAL$'\n";
            }
            Kind::Listed(texts) => {
                let _ = write!(
                    text,
                    "        quality:\n          - metric: invalidValues\n            arguments:\n              \
                     validValues: [{}]\n            mustBe: 0\n",
                    texts.join(", ")
                );
            }
            Kind::Int { bounds: Some((a, b)) } => text += &range(a.to_string(), b.to_string()),
            Kind::Date { bounds: Some((a, b)) } => {
                let iso = |at: i64| {
                    let (year, month, day) = civil(at);
                    format!("\"{year:04}-{month:02}-{day:02}\"")
                };
                text += &range(iso(*a), iso(*b));
            }
            Kind::Dec {
                money: Some(currency), ..
            } => text += &custom("money", &columns[*currency].name),
            Kind::Dec {
                scale,
                bounds: Some((a, b)),
                ..
            } => {
                let one = 10_i128.pow(u32::from(*scale));
                text += &range((a / one).to_string(), (b / one).to_string());
            }
            _ => {}
        }
    }
    for (name, logical, physical) in [
        ("arrival", "integer", "BIGINT"),
        ("source_file", "string", "VARCHAR"),
        ("source_line", "integer", "BIGINT"),
    ] {
        let _ = write!(
            text,
            "      - name: {name}\n        description: Lineage.\n        logicalType: {logical}\n        \
             physicalType: {physical}\n        required: true\n        customProperties:\n          \
             - {{property: role, value: lineage}}\n"
        );
    }
    if !checks.is_empty() {
        text += "    quality:\n";
    }
    for check in checks {
        let name = |i: usize| &columns[i].name;
        let rule = match &check.rule {
            Rule::NotBefore(left, right) => format!("{} >= {}", name(*left), name(*right)),
            Rule::PresentWhen(left, right, text) => format!("{} present when {} = '{text}'", name(*left), name(*right)),
            Rule::OneOf(left, right) => format!("{} xor {}", name(*left), name(*right)),
        };
        let severity = if check.rejects { "reject" } else { "warn" };
        let _ = write!(
            text,
            "      - id: {}\n        type: custom\n        engine: starledger\n        implementation: \"{rule}\"\n        \
             severity: {severity}\n        dimension: consistency\n        description: A check.\n",
            check.id
        );
    }
    text
}

/// Characters that texts are made of, as far as an encoding has them.
pub struct Letters(pub Vec<char>);

impl Letters {
    /// Of everything that texts are made of, what `is_known` says.
    pub fn new(is_known: impl Fn(char) -> bool) -> Letters {
        let plain = "abcdefgXYZ0189 ,;|:\t~^'\"\"\\/.-_()<>=#%&äöüßéñçø€—中文表格日本語がなカナ한Ж\u{1F600}\u{E9}\u{301}\u{200B}";
        Letters(plain.chars().filter(|c| is_known(*c)).collect())
    }
}

fn value(random: &mut Random, kind: &Kind, letters: &Letters) -> Value {
    match kind {
        Kind::Free => Value::Text(free(random, letters)),
        Kind::Id => Value::Text(match random.below(4) {
            0 => format!("{:05}", random.below(100_000)),
            1 => format!("x {}", random.below(10)),
            2 if letters.0.contains(&'é') => format!("Café-{}", random.below(10)),
            _ => format!("ID-{}", random.next()),
        }),
        Kind::Code => Value::Text(format!(
            "{}-{:03}",
            random.pick(&["AB", "EM", "ZZ"]),
            random.below(1000)
        )),
        Kind::Serial => Value::Text(format!("SERIAL-00-{:02}-00-SERIAL", random.below(100))),
        Kind::Listed(texts) => Value::Text((*random.pick(texts)).to_owned()),
        Kind::Int { bounds } => Value::Int(match (bounds, random.below(4)) {
            (Some((least, most)), 0) => *random.pick(&[*least, *most]),
            (Some((least, most)), _) => random.between(*least, *most),
            (None, 0) => *random.pick(&[0, i64::MAX, i64::MIN + 1, -1]),
            (None, 1) => random.between(-999_999_999_999, 999_999_999_999),
            (None, _) => random.between(-99, 9_999),
        }),
        Kind::Dec {
            precision,
            scale,
            bounds,
            ..
        } => {
            let most = 10_i128.pow(u32::from(*precision)) - 1;
            let (least, most) = bounds.unwrap_or((-most, most));
            let (least, most) = (least.max(-most), most);
            let one = 10_i128.pow(u32::from(*scale));
            let units = match random.below(5) {
                0 => *random.pick(&[least, most, 0]),
                1 => i128::from(random.between(-99, 9_999)) * one,
                2 => i128::from(random.between(0, 99)),
                _ => (i128::from(random.next()) * 7_919) % (most / 2 - least / 2 + 1) + least,
            };
            Value::Dec(units.clamp(least, most))
        }
        Kind::Bool => Value::Bool(random.percent(50)),
        Kind::Date { .. } => Value::Date(random.between(days(2000, 1, 1), days(2036, 12, 31))),
        Kind::Instant => {
            let second = if random.percent(20) {
                // around the nights in which clocks change
                let sunday = last_sunday(random.between(2000, 2036), *random.pick(&[3, 10]));
                sunday * 86_400 + random.between(-3, 6) * 1800
            } else {
                random.between(days(2000, 1, 2) * 86_400, days(2036, 12, 30) * 86_400)
            };
            let part = if random.percent(30) {
                random.between(0, 999_999)
            } else {
                0
            };
            Value::Instant(second * 1_000_000 + part)
        }
        Kind::Currency => Value::Text(random.pick(&CURRENCIES).0.to_owned()),
    }
}

/// A text that is not blank, without blanks at its ends.
fn free(random: &mut Random, letters: &Letters) -> String {
    let length = if random.percent(3) { 200 } else { 1 + random.below(14) };
    let mut text = String::new();
    for _ in 0..length {
        match random.below(40) {
            0 => text.push('\n'),
            1 => text += "\r\n",
            2 => text.push('\r'),
            3 => text.push('"'),
            4 => text.push(','),
            _ => text.push(*random.pick(&letters.0)),
        }
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        "x".to_owned()
    } else {
        trimmed.to_owned()
    }
}

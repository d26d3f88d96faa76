//! Damage to values: what people and their programs write into cells.

use super::dialect::{Form, Zone, date_text};
use super::random::Random;
use super::table::{Kind, Value, days, last_sunday};
use super::write::{Draft, Touch};

/// A row, and a place in it whose column is so.
fn cell(draft: &Draft<'_>, random: &mut Random, is: impl Fn(&Kind) -> bool) -> Option<(usize, usize)> {
    if draft.cells.is_empty() {
        return None;
    }
    let row = random.below(draft.cells.len());
    let mut places: Vec<usize> = (0..draft.cells[row].len()).collect();
    random.shuffle(&mut places);
    let fits = |place: &usize| draft.kind(*place).is_some_and(&is) && !draft.cells[row][*place].is_empty();
    places.into_iter().find(fits).map(|place| (row, place))
}

pub fn is_number(kind: &Kind) -> bool {
    matches!(kind, Kind::Int { .. } | Kind::Dec { .. })
}

fn is_time(kind: &Kind) -> bool {
    matches!(kind, Kind::Date { .. } | Kind::Instant)
}

/// Whether a cell says null.
fn is_null(draft: &Draft<'_>, row: usize, place: usize) -> bool {
    draft.column(place).is_none_or(|at| draft.rows[row][at] == Value::Null)
}

/// Writes another text into a cell.
fn put(draft: &mut Draft<'_>, (row, place): (usize, usize), text: String, touch: Touch) -> bool {
    let written = &draft.written;
    let fits = written.form != Form::Csv || written.quote.is_some() || !text.contains([written.delimiter, '\r', '\n']);
    if !fits || text.chars().any(|c| written.charset.encode(c).is_none()) || draft.cells[row][place] == text {
        return false;
    }
    draft.cells[row][place] = text;
    draft.touch_row(row, touch);
    true
}

/// Changes a cell that has a value.
fn change(
    draft: &mut Draft<'_>,
    random: &mut Random,
    is: impl Fn(&Kind) -> bool,
    touch: Touch,
    to: impl Fn(&Draft<'_>, &mut Random, &str, &Kind) -> Option<String>,
) -> bool {
    let Some((row, place)) = cell(draft, random, is) else {
        return false;
    };
    if is_null(draft, row, place) {
        return false;
    }
    let Some(kind) = draft.kind(place) else { return false };
    let text = draft.cells[row][place].clone();
    match to(draft, random, &text, kind) {
        Some(text) => put(draft, (row, place), text, touch),
        None => false,
    }
}

/// Changes a text into another valid one, which is what is meant then.
fn edit(draft: &mut Draft<'_>, random: &mut Random, to: impl Fn(&mut Random, &str) -> Option<String>) -> bool {
    let Some((row, place)) = cell(draft, random, |kind| *kind == Kind::Free) else {
        return false;
    };
    if is_null(draft, row, place) {
        return false;
    }
    let Some(text) = to(random, &draft.cells[row][place]) else {
        return false;
    };
    let is_null_now = draft.declared.null_tokens.contains(&text.trim());
    if is_null_now || text.trim().is_empty() || !put(draft, (row, place), text.clone(), Touch::Held) {
        return false;
    }
    draft.mean(row, place, Value::Text(text.trim().to_owned()));
    true
}

pub fn marks_swapped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Other, |_, _, text, _| {
        let swap = |c| match c {
            '.' => ',',
            ',' => '.',
            c => c,
        };
        Some(text.chars().map(swap).collect())
    })
}

pub fn thousands_separator(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |draft, random, text, _| {
        let mark = *random.pick(&[',', '.', '\'', ' ', '\u{A0}', '_']);
        let written = &draft.written;
        let whole = text.split(written.point).next()?.trim_start_matches('-').len();
        let is_declared = mark == written.point || Some(mark) == written.group;
        if whole < 4 || is_declared || written.group.is_some_and(|g| text.contains(g)) {
            return None;
        }
        let at = text.find(|c: char| c.is_ascii_digit())? + whole - 3;
        Some(format!("{}{mark}{}", text.get(..at)?, text.get(at..)?))
    })
}

pub fn sign_or_exponent(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |_, random, text, _| {
        Some(match random.below(9) {
            0 => format!("+{text}"),
            1 => format!("{text}e1"),
            2 => format!("{text}E+02"),
            3 => format!("{text} EUR"),
            4 => format!("${text}"),
            5 => format!("({text})"),
            6 => format!("{text}-"),
            7 => format!("{text}%"),
            _ => format!("--{text}"),
        })
    })
}

pub fn too_many_decimals(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |draft, random, text, kind| {
        let scale = match kind {
            Kind::Dec { scale, .. } => usize::from(*scale),
            _ => 0,
        };
        let point = draft.written.point;
        let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
        let digit = 1 + random.below(9);
        Some(format!("{whole}{point}{fraction:0<scale$}{digit}"))
    })
}

pub fn zeros_behind(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |draft, _, text, _| {
        let point = draft.written.point;
        Some(if text.contains(point) {
            format!("{text}0000000")
        } else {
            format!("{text}{point}0")
        })
    })
}

pub fn date_in_another_format(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some((row, place)) = cell(draft, random, |kind| matches!(kind, Kind::Date { .. })) else {
        return false;
    };
    let Some(Value::Date(at)) = draft.column(place).map(|column| draft.rows[row][column].clone()) else {
        return false;
    };
    let format = *random.pick(&[
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d/%m/%Y",
        "%Y%m%d",
        "%d-%m-%Y",
        "%Y-%d-%m",
        "%b %d %Y",
        "%Y-%m-%dT00:00:00",
    ]);
    // a day that two formats read differently is another day to each
    let is_other = [
        ("%m/%d/%Y", "%d/%m/%Y"),
        ("%d/%m/%Y", "%m/%d/%Y"),
        ("%Y-%d-%m", "%Y-%m-%d"),
    ]
    .iter()
    .any(|(a, b)| *a == format && (draft.declared.date_formats.contains(b) || draft.declared.date_formats.is_empty()));
    let touch = if is_other { Touch::Other } else { Touch::Held };
    put(draft, (row, place), date_text(format, at), touch)
}

pub fn impossible_date(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(
        draft,
        random,
        |kind| matches!(kind, Kind::Date { .. }),
        Touch::Held,
        |draft, random, _, _| {
            let format = draft.declared.date_formats.first().copied().unwrap_or("%Y-%m-%d");
            let (year, month, day) = *random.pick(&[
                ("2023", "02", "29"),
                ("2024", "04", "31"),
                ("2024", "00", "10"),
                ("2024", "13", "13"),
                ("2024", "05", "00"),
                ("2100", "02", "29"),
                ("24", "05", "05"),
            ]);
            let name = if month == "04" { "Apr" } else { "Foo" };
            let text = format
                .replace("%Y", year)
                .replace("%-m", month)
                .replace("%m", month)
                .replace("%b", name);
            Some(text.replace("%-d", day).replace("%d", day))
        },
    )
}

pub fn implausible_date(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(
        draft,
        random,
        |kind| matches!(kind, Kind::Date { .. }),
        Touch::Held,
        |draft, random, _, _| {
            let format = draft.declared.date_formats.first().copied().unwrap_or("%Y-%m-%d");
            let year = *random.pick(&[1, 1899, 1900, 1970, 1989, 2101, 2999]);
            Some(date_text(format, days(year, 1, 1)))
        },
    )
}

pub fn impossible_time(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(
        draft,
        random,
        |kind| *kind == Kind::Instant,
        Touch::Held,
        |draft, random, text, _| {
            let changed = match random.below(12) {
                0 => text.replace(':', "."),
                1 => text.replace('T', " ").replace(' ', "  "),
                2 => format!("{text} CET"),
                3 => text.trim_end_matches('Z').to_owned() + "z",
                4 => text.replace('Z', ""),
                5 => text.replace('Z', "+25:00"),
                6 => text.replace('Z', "\u{2212}05:00"),
                7 if text.contains('.') && text.ends_with('Z') => text.replace('Z', "1Z"),
                7 => text.replace('Z', ".1234567Z"),
                8 if text.contains('.') => text.replace('Z', "0000001Z"),
                8 => text.replace('Z', ".1234560000001Z"),
                _ => {
                    let format = draft
                        .declared
                        .instant_formats
                        .first()
                        .copied()
                        .unwrap_or("%Y-%m-%dT%H:%M:%S%z");
                    let (day, hour, minute) = *random.pick(&[
                        ("01", "24", "00"),
                        ("01", "12", "60"),
                        ("32", "12", "00"),
                        ("00", "12", "00"),
                        ("01", "99", "00"),
                    ]);
                    let format = format
                        .replace("%d", day)
                        .replace("%H", hour)
                        .replace("%M", minute)
                        .replace("%S", "00");
                    format
                        .replace("%Y", "2026")
                        .replace("%m", "05")
                        .replace("%.f", "")
                        .replace("%z", "Z")
                }
            };
            Some(changed).filter(|changed| changed != text)
        },
    )
}

/// A local time that the clock skips, or one that it shows twice where nothing says which is meant.
/// A local time that clocks skip.
pub fn time_of_no_clock(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    changing_clocks(draft, random, 3)
}

/// A local time that clocks show twice, where the source does not say which is meant.
pub fn time_shown_twice(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    draft.declared.overlap.is_none() && changing_clocks(draft, random, 10)
}

/// A local time of which nobody knows yet whether it is in summer.
pub fn time_beyond_zones(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let format = draft.declared.instant_formats.first().copied();
    let Some(format) = format.filter(|f| !f.contains("%z")) else {
        return false;
    };
    let second = days(2100, random.between(1, 12), 15) * 86_400 + random.between(0, 86_399) / 60 * 60;
    let is = |kind: &Kind| *kind == Kind::Instant;
    change(draft, random, is, Touch::Held, |_, _, _, _| {
        Some(date_text(format, second))
    })
}

fn changing_clocks(draft: &mut Draft<'_>, random: &mut Random, month: i64) -> bool {
    let format = draft.declared.instant_formats.first().copied();
    let Some(format) = format.filter(|f| !f.contains("%z") && draft.declared.zone == Zone::Berlin) else {
        return false;
    };
    let day = last_sunday(random.between(2000, 2036), month);
    let second = day * 86_400 + 7200 + random.between(0, 59) * 60;
    let is = |kind: &Kind| *kind == Kind::Instant;
    change(draft, random, is, Touch::Held, |_, _, _, _| {
        Some(date_text(format, second))
    })
}

pub fn full_width_digits(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let is = |kind: &Kind| is_number(kind) || is_time(kind) || matches!(kind, Kind::Code | Kind::Serial);
    change(draft, random, is, Touch::Held, |_, _, text, _| {
        let wide = |c: char| c.to_digit(10).and_then(|d| char::from_u32(0xFF10 + d)).unwrap_or(c);
        Some(text.chars().map(wide).collect())
    })
}

pub fn blank_within_number(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let blank = *random.pick(&[' ', '\u{A0}', '\u{202F}', '\u{2009}']);
    let touch = if draft.declared.group == Some(blank) {
        Touch::Other
    } else {
        Touch::Held
    };
    change(draft, random, is_number, touch, |_, random, text, _| {
        let at = 1 + random.below(text.len().saturating_sub(1));
        let (head, tail) = text.split_at_checked(at).filter(|(_, tail)| !tail.is_empty())?;
        Some(format!("{head}{blank}{tail}"))
    })
}

pub fn blanks_around(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let blank = *random.pick(&[" ", "  ", "\t", "\u{A0}", "\u{3000}", "\u{2003}"]);
    change(
        draft,
        random,
        |_| true,
        Touch::Held,
        |_, random, text, _| {
            Some(match random.below(3) {
                0 => format!("{blank}{text}"),
                1 => format!("{text}{blank}"),
                _ => format!("{blank}{text}{blank}"),
            })
        },
    )
}

const NULLS: [&str; 8] = ["NULL", "null", "N/A", "#N/A", "none", "NaN", "?", "-"];

pub fn undeclared_null(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let token = *random.pick(&NULLS);
    if draft.declared.null_tokens.contains(&token) {
        return false;
    }
    if random.percent(20) {
        // of a text nobody can say that it is none
        return edit(draft, random, |_, _| Some(token.to_owned()));
    }
    let is = |kind: &Kind| !matches!(kind, Kind::Free | Kind::Id);
    change(draft, random, is, Touch::Held, |_, _, _, _| Some(token.to_owned()))
}

pub fn null_in_other_case(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let all = &draft.declared.null_tokens;
    let others = all
        .iter()
        .flat_map(|token| [token.to_lowercase(), token.to_uppercase()]);
    let others: Vec<String> = others.filter(|other| !all.contains(&other.as_str())).collect();
    if others.is_empty() {
        return false;
    }
    let token = random.pick(&others).clone();
    let is = |kind: &Kind| !matches!(kind, Kind::Free | Kind::Id);
    change(draft, random, is, Touch::Held, |_, _, _, _| Some(token.clone()))
}

pub fn out_of_range(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |draft, random, _, kind| {
        let is_least = random.percent(50);
        Some(match kind {
            Kind::Int {
                bounds: Some((least, most)),
            } => {
                if is_least {
                    (least - 1).to_string()
                } else {
                    (most + 1).to_string()
                }
            }
            Kind::Int { .. } => {
                (*random.pick(&["9223372036854775808", "-9223372036854775809", "99999999999999999999999"])).to_owned()
            }
            Kind::Dec {
                scale,
                bounds: Some((least, most)),
                ..
            } => {
                let (sign, units) = if is_least { ("-", -least + 1) } else { ("", most + 1) };
                let one = 10_i128.pow(u32::from(*scale));
                let (whole, part) = (units / one, units % one);
                let width = usize::from(*scale);
                if width == 0 {
                    return Some(format!("{sign}{whole}"));
                }
                format!("{sign}{whole}{}{part:0width$}", draft.written.point)
            }
            Kind::Dec { precision, scale, .. } => format!("1{}", "0".repeat(usize::from(precision - scale))),
            _ => return None,
        })
    })
}

pub fn blank_value(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some((row, place)) = cell(draft, random, |_| true) else {
        return false;
    };
    let Some(column) = draft.column(place) else {
        return false;
    };
    let blank = *random.pick(&["", " ", "\u{A0}"]);
    if !put(draft, (row, place), blank.to_owned(), Touch::Held) {
        return false;
    }
    if !draft.table.columns[column].required {
        draft.mean(row, place, Value::Null);
    }
    if draft.cells[row].iter().all(|cell| cell.trim().is_empty()) {
        // nothing is left of the row
        draft.touch_row(row, Touch::Other);
    }
    true
}

pub fn shifted_columns(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.cells.is_empty() {
        return false;
    }
    let row = random.below(draft.cells.len());
    let width = draft.cells[row].len();
    let at = random.below(width);
    let before = draft.cells[row].clone();
    if random.percent(50) {
        draft.cells[row].remove(at);
        draft.cells[row].push(String::new());
    } else {
        draft.cells[row].insert(at, String::new());
        draft.cells[row].truncate(width);
    }
    draft.touch_row(row, Touch::Other);
    draft.cells[row] != before
}

pub fn two_values_swapped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.cells.is_empty() {
        return false;
    }
    let row = random.below(draft.cells.len());
    let width = draft.cells[row].len();
    let (a, b) = (random.below(width), random.below(width));
    draft.cells[row].swap(a, b);
    draft.touch_row(row, Touch::Other);
    a != b
}

pub fn unknown_code(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let is = |kind: &Kind| matches!(kind, Kind::Listed(_) | Kind::Currency | Kind::Code | Kind::Serial);
    change(draft, random, is, Touch::Held, |_, random, text, _| {
        Some(match random.below(4) {
            0 => text.to_lowercase() + "x",
            1 => format!("{text}{text}"),
            2 => format!("{text}."),
            _ => "€".to_owned(),
        })
    })
}

pub fn other_truth(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(
        draft,
        random,
        |kind| *kind == Kind::Bool,
        Touch::Held,
        |_, random, _, _| Some((*random.pick(&["TRUE", "False", "yes", "no", "t", "x", "2", "on", "wahr"])).to_owned()),
    )
}

pub fn minor_units(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some((row, place)) = cell(draft, random, |kind| matches!(kind, Kind::Dec { money: Some(_), .. })) else {
        return false;
    };
    let Some(Kind::Dec { money: Some(at), .. }) = draft.kind(place) else {
        return false;
    };
    if draft.rows[row][*at] == Value::Null {
        return false;
    }
    let text = format!("10{}0001", draft.written.point);
    // without its currency it is an amount like others
    let is_done = put(draft, (row, place), text, Touch::Held);
    if is_done {
        draft.mean(row, place, Value::Dec(100_001));
    }
    is_done
}

pub fn invisible_character(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let hidden = *random.pick(&['\u{200B}', '\u{FEFF}', '\u{AD}', '\u{202E}']);
    let into = |text: &str, at: usize| {
        let at = text.floor_char_boundary(at);
        format!("{}{hidden}{}", &text[..at], &text[at..])
    };
    if random.percent(40) {
        return edit(draft, random, |random, text| Some(into(text, random.below(text.len()))));
    }
    let is = |kind: &Kind| *kind != Kind::Free;
    change(draft, random, is, Touch::Held, |_, random, text, _| {
        Some(into(text, random.below(text.len())))
    })
}

pub fn nul_as_escape(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(
        draft,
        random,
        |_| true,
        Touch::Held,
        |_, _, text, _| {
            let mut text = text.to_owned();
            text.insert(text.char_indices().nth(1).map_or(0, |(at, _)| at), '\0');
            Some(text)
        },
    )
}

pub fn look_alike_letter(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    // Cyrillic and Greek letters where Latin ones are meant
    let is = |kind: &Kind| {
        matches!(
            kind,
            Kind::Code | Kind::Serial | Kind::Currency | Kind::Listed(_) | Kind::Bool
        )
    };
    change(draft, random, is, Touch::Held, |_, _, text, _| {
        let alike = |c| match c {
            'A' => 'Α',
            'E' => 'Ε',
            'e' => 'е',
            'o' => 'о',
            'Z' => 'Ζ',
            'D' => 'Ⅾ',
            c => c,
        };
        Some(text.chars().map(alike).collect())
    })
}

pub fn look_alike_minus(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let minus = *random.pick(&['\u{2212}', '\u{2013}', '\u{2010}', '\u{FF0D}']);
    let is = |kind: &Kind| is_number(kind) || is_time(kind);
    change(draft, random, is, Touch::Held, |_, _, text, _| {
        Some(text.replace('-', &minus.to_string())).filter(|changed| changed != text)
    })
}

pub fn leading_zeros(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    change(draft, random, is_number, Touch::Held, |_, _, text, _| {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        Some(format!("{sign}00{digits}"))
    })
}

pub fn very_long_text(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    // rarely: it takes its time
    random.percent(10)
        && edit(draft, random, |random, text| {
            Some(format!("{text}{}", "ab".repeat(100 + random.below(80_000))))
        })
}

pub fn column_missing(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let place = random.below(draft.header.len());
    let Some(column) = draft.column(place) else {
        return false;
    };
    draft.header.remove(place);
    for row in 0..draft.cells.len() {
        draft.cells[row].remove(place);
        if !draft.table.columns[column].required {
            draft.mean(row, place, Value::Null);
        }
    }
    draft.written.order.remove(place);
    draft.touch_all(Touch::Held);
    // of some nothing is left, and a blank record may be one to skip
    for row in 0..draft.rows.len() {
        let places = 0..draft.header.len();
        if places
            .filter_map(|p| draft.column(p))
            .all(|c| draft.rows[row][c] == Value::Null)
        {
            draft.touch_row(row, Touch::Other);
        }
    }
    true
}

pub fn column_more(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let place = random.below(draft.header.len() + 1);
    draft.header.insert(place, "surplus".to_owned());
    draft.written.order.insert(place, usize::MAX);
    for cells in &mut draft.cells {
        let text = *random.pick(&["", "1", "x y"]);
        cells.insert(place, text.to_owned());
    }
    draft.touch_all(Touch::Held);
    true
}

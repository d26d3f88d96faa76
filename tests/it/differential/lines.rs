//! Damage to lines and the header.

use super::cells::is_number;
use super::dialect::{Form, TOTAL};
use super::random::Random;
use super::table::Value;
use super::write::{Draft, Item, Touch, What, json_text};

/// A line of a row.
pub fn line(draft: &Draft<'_>, random: &mut Random) -> Option<usize> {
    let rows: Vec<usize> = (0..draft.items.len())
        .filter(|i| draft.items[*i].what == What::Row)
        .collect();
    (!rows.is_empty()).then(|| *random.pick(&rows))
}

fn csv_line(draft: &Draft<'_>, random: &mut Random) -> Option<usize> {
    line(draft, random).filter(|_| draft.written.form == Form::Csv)
}

/// Where characters of a text begin.
pub fn places(text: &str, is: impl Fn(char) -> bool) -> Vec<usize> {
    text.char_indices().filter(|(_, c)| is(*c)).map(|(at, _)| at).collect()
}

pub fn touch_line(item: &mut Item, touch: Touch) {
    item.touch = item.touch.max(touch);
}

/// Puts a character into a line.
fn insert(item: &mut Item, random: &mut Random, c: char, touch: Touch) {
    let mut places = places(&item.text, |_| true);
    places.push(item.text.len());
    item.text.insert(*random.pick(&places), c);
    touch_line(item, touch);
}

/// Takes one of these characters out of a line.
fn remove(item: &mut Item, random: &mut Random, c: Option<char>) -> bool {
    let places = places(&item.text, |found| Some(found) == c);
    if places.is_empty() {
        return false;
    }
    item.text.remove(*random.pick(&places));
    touch_line(item, Touch::Other);
    true
}

pub fn extra_delimiter(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = csv_line(draft, random) else {
        return false;
    };
    insert(&mut draft.items[at], random, draft.written.delimiter, Touch::Other);
    true
}

pub fn missing_delimiter(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = csv_line(draft, random) else {
        return false;
    };
    remove(&mut draft.items[at], random, Some(draft.written.delimiter))
}

pub fn stray_quote(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    let quote = draft.written.quote.unwrap_or('"');
    insert(&mut draft.items[at], random, quote, Touch::Other);
    true
}

pub fn missing_quote(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    remove(&mut draft.items[at], random, draft.written.quote)
}

pub fn opening_quote(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = csv_line(draft, random) else {
        return false;
    };
    let Some(quote) = draft.written.quote else { return false };
    let delimiter = draft.written.delimiter;
    let item = &mut draft.items[at];
    let mut starts: Vec<usize> = places(&item.text, |c| c == delimiter).iter().map(|at| at + 1).collect();
    starts.push(0);
    item.text.insert(*random.pick(&starts), quote);
    touch_line(item, Touch::Other);
    true
}

pub fn other_delimiter_in_a_row(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = csv_line(draft, random) else {
        return false;
    };
    let other = *random.pick(&[',', ';', '\t', '|']);
    let [row] = draft.items[at].rows[..] else { return false };
    if other == draft.written.delimiter || draft.items[at].touch == Touch::Other {
        return false;
    }
    let text = draft.row_text(random, row, other);
    // a declared delimiter within its texts may make fields of it
    let touch = if text.contains(draft.written.delimiter) {
        Touch::Other
    } else {
        Touch::Held
    };
    draft.items[at].text = text;
    touch_line(&mut draft.items[at], touch);
    true
}

/// Puts a line somewhere behind the header.
fn add(draft: &mut Draft<'_>, random: &mut Random, mut item: Item) {
    let header = draft.items.iter().position(|item| item.what == What::Header);
    let first = header.map_or(0, |at| at + 1);
    let at = first + random.below(draft.items.len() - first.min(draft.items.len()) + 1);
    let at = at.min(draft.items.len());
    end_line(draft, at);
    draft.written.line_end.clone_into(&mut item.end);
    draft.items.insert(at, item);
}

/// The line before a place ends.
fn end_line(draft: &mut Draft<'_>, at: usize) {
    if let Some(before) = at.checked_sub(1).and_then(|i| draft.items.get_mut(i))
        && before.end.is_empty()
    {
        draft.written.line_end.clone_into(&mut before.end);
    }
}

fn header_line(draft: &Draft<'_>) -> Option<usize> {
    draft.items.iter().position(|item| item.what == What::Header)
}

pub fn repeated_header(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = header_line(draft) else { return false };
    let mut text = draft.items[at].text.clone();
    if random.percent(30) {
        text = text.to_uppercase();
    }
    add(draft, random, Item::new(What::Junk, text, "", Touch::Clean));
    true
}

pub fn totals(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let value = |place: usize, header: usize| match draft.kind(place) {
        _ if header == 0 => TOTAL.to_owned(),
        Some(kind) if is_number(kind) => "4711".to_owned(),
        _ => String::new(),
    };
    let cells: Vec<String> = (0..draft.header.len())
        .map(|place| value(place, draft.column(place).unwrap_or(1)))
        .collect();
    let text = if draft.written.form == Form::JsonLines {
        let members: Vec<String> = cells
            .iter()
            .zip(&draft.header)
            .map(|(c, h)| format!("\"{h}\":\"{c}\""))
            .collect();
        format!("{{{}}}", members.join(","))
    } else {
        cells.join(&draft.written.delimiter.to_string())
    };
    // where every other column may be blank it is a row like others
    add(draft, random, Item::new(What::Junk, text, "", Touch::Other));
    true
}

pub fn footer(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let text = *random.pick(&["-- end --", "# 12", "EOF", "\u{1A}", "<end>", "(3rows)", "}"]);
    // a footer with delimiters can be as wide as a row
    let is_wide = text.contains(draft.declared.delimiter);
    let touch = if is_wide { Touch::Other } else { Touch::Clean };
    add(draft, random, Item::new(What::Junk, text, "", touch));
    true
}

pub fn bare_delimiters(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.written.form != Form::Csv {
        return false;
    }
    let count = draft.header.len() - 1 + random.below(2);
    let text = draft.written.delimiter.to_string().repeat(count);
    add(draft, random, Item::new(What::Junk, text, "", Touch::Clean));
    true
}

pub fn blank_lines(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    for _ in 0..=random.below(4) {
        add(draft, random, Item::new(What::Blank, "", "", Touch::Clean));
    }
    true
}

pub fn line_of_blanks(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let text = *random.pick(&[" ", "   ", "\t", "\u{A0}"]);
    if text.chars().any(|c| draft.written.charset.encode(c).is_none()) {
        return false;
    }
    add(draft, random, Item::new(What::Junk, text, "", Touch::Clean));
    true
}

pub fn another_table(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let end = draft.written.line_end;
    end_line(draft, draft.items.len());
    draft.items.push(Item::new(What::Blank, "", end, Touch::Clean));
    let width = if random.percent(70) {
        draft.header.len() + 1
    } else {
        draft.header.len()
    };
    // a delimiter at the end of every line is a column more, without a name
    let is_wider = draft.kinds.contains(&"trailing delimiter everywhere");
    let touch = if width == draft.header.len() + usize::from(is_wider) || width == draft.header.len() {
        Touch::Other
    } else {
        Touch::Clean
    };
    let delimiter = draft.written.delimiter.to_string();
    for stem in ["name", "a", "b", "c"] {
        let cells: Vec<String> = (0..width).map(|i| format!("{stem}{i}")).collect();
        draft
            .items
            .push(Item::new(What::Junk, cells.join(&delimiter), end, touch));
    }
    true
}

pub fn table_twice(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    end_line(draft, draft.items.len());
    let again: Vec<Item> = draft
        .items
        .iter()
        .filter(|item| item.what != What::Preamble)
        .cloned()
        .collect();
    for mut item in again {
        if item.what == What::Header {
            item.what = What::Junk;
        }
        end_line(draft, draft.items.len());
        draft.items.push(item);
    }
    if draft.declared.preamble != draft.written.preamble {
        // the second table may begin where the first should
        draft.touch_all(Touch::Other);
    }
    true
}

pub fn line_duplicated(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    let copy = draft.items[at].clone();
    end_line(draft, at + 1);
    draft.items.insert(
        at,
        Item {
            end: draft.written.line_end.to_owned(),
            ..copy
        },
    );
    true
}

pub fn line_removed(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    // nobody can know: what is there is exact
    draft.items.remove(at);
    true
}

pub fn lines_swapped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let (Some(a), Some(b)) = (line(draft, random), line(draft, random)) else {
        return false;
    };
    end_line(draft, draft.items.len());
    draft.items.swap(a, b);
    a != b
}

pub fn lines_joined(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    if draft.items.get(at + 1).is_none_or(|next| next.what != What::Row) {
        return false;
    }
    let next = draft.items.remove(at + 1);
    let item = &mut draft.items[at];
    item.text += &next.text;
    item.end = next.end;
    item.rows.extend(next.rows);
    // the width tells of it, unless something else is wrong with one of the two
    let are_clean = item.touch == Touch::Clean && next.touch == Touch::Clean;
    // of a text of several lines whose quote does not open any more, a line may look like a row
    let is_one_line = !next.text.contains(['\n', '\r']);
    item.touch = if are_clean && is_one_line {
        Touch::Held
    } else {
        Touch::Other
    };
    true
}

pub fn line_split(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    let end = *random.pick(&["\n", "\r\n", "\r"]);
    let item = &mut draft.items[at];
    let places = places(&item.text, |_| true);
    if places.is_empty() {
        return false;
    }
    item.text.insert_str(*random.pick(&places), end);
    touch_line(item, Touch::Other);
    true
}

pub fn trailing_delimiter_everywhere(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    let delimiter = draft.written.delimiter;
    if draft.written.form != Form::Csv {
        return false;
    }
    let is_line = |item: &&mut Item| matches!(item.what, What::Row | What::Header);
    draft
        .items
        .iter_mut()
        .filter(is_line)
        .for_each(|item| item.text.push(delimiter));
    draft.touch_all(Touch::Held);
    // the lines of another table may be as wide now
    for item in draft.items.iter_mut().filter(|item| item.what == What::Junk) {
        item.touch = Touch::Other;
    }
    true
}

pub fn trailing_delimiter_in_rows(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.written.form != Form::Csv {
        return false;
    }
    let share = *random.pick(&[5, 30, 100]);
    for item in &mut draft.items {
        if item.what == What::Row && random.percent(share) {
            item.text.push(draft.written.delimiter);
            touch_line(item, Touch::Held);
        }
    }
    true
}

pub fn trailing_blanks(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if draft.written.delimiter == ' ' {
        return false;
    }
    for item in &mut draft.items {
        if item.what == What::Row && random.percent(30) {
            item.text.push_str("  ");
            touch_line(item, Touch::Held);
        }
    }
    true
}

pub fn mixed_line_ends(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    for item in &mut draft.items {
        if !item.end.is_empty() {
            (*random.pick(&["\n", "\r\n", "\r"])).clone_into(&mut item.end);
        }
    }
    true
}

pub fn other_line_ends(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let end = *random.pick(&["\r", "\n\n", "\r\r", "\n\r", "\r\r\n"]);
    // a second break makes another preamble line
    let preamble = draft.items.iter().filter(|item| item.what == What::Preamble).count();
    if preamble > 0 && end != "\r" {
        return false;
    }
    for item in &mut draft.items {
        if !item.end.is_empty() {
            end.clone_into(&mut item.end);
        }
    }
    true
}

pub fn control_character(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    let c = *random.pick(&[
        '\u{1}', '\u{7}', '\u{B}', '\u{C}', '\u{1A}', '\u{1B}', '\u{1F}', '\u{7F}', '\u{85}', '\u{2028}',
    ]);
    if draft.written.charset.encode(c).is_none() {
        return false;
    }
    insert(&mut draft.items[at], random, c, Touch::Other);
    true
}

pub fn nul(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    insert(&mut draft.items[at], random, '\0', Touch::Held);
    true
}

/// A member once more, under its name or under the same name in other letters.
pub fn member_twice(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random).filter(|_| draft.written.form == Form::JsonLines) else {
        return false;
    };
    // the key is in every object
    let Some(place) = (0..draft.header.len()).find(|place| draft.column(*place) == Some(0)) else {
        return false;
    };
    let name = &draft.header[place];
    let name = if random.percent(50) {
        name.to_uppercase()
    } else {
        name.clone()
    };
    let item = &mut draft.items[at];
    if item.text.pop() != Some('}') {
        return false;
    }
    item.text += &format!(",{}:\"R-2\"}}", json_text(random, &name));
    touch_line(item, Touch::Held);
    true
}

pub fn no_plain_object(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random).filter(|_| draft.written.form == Form::JsonLines) else {
        return false;
    };
    let item = &mut draft.items[at];
    if item.text.pop() != Some('}') {
        return false;
    }
    item.text += *random.pick(&[
        ",}",
        ",\"x\":{}}",
        ",\"x\":[1,{\"a\":null}]}",
        ",\"x\":\"\\ud83d\"}",
        ",\"x\":NaN}",
        ",\"x\":01}",
        ",\"x\":+1}",
        ",'x':1}",
        "",
        "},",
        "}]",
        ",\"x\"}",
        ",\"x\":1 2}",
        "}{}",
        ",\"\\ud800\":1}",
        ",\"x\":\"\\x41\"}",
    ]);
    touch_line(item, Touch::Held);
    true
}

pub fn mark_within(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let Some(at) = line(draft, random) else { return false };
    if draft.written.charset.encode('\u{FEFF}').is_none() {
        return false;
    }
    draft.items[at].text.insert(0, '\u{FEFF}');
    touch_line(&mut draft.items[at], Touch::Other);
    true
}

/// Writes the header anew from other names.
fn rename(
    draft: &mut Draft<'_>,
    random: &mut Random,
    touch: Touch,
    to: impl Fn(&mut Random, &mut Vec<String>) -> bool,
) -> bool {
    let Some(at) = header_line(draft) else { return false };
    let mut names = draft.header.clone();
    if !to(random, &mut names) {
        return false;
    }
    let fields: Vec<String> = names.iter().map(|name| draft.field(random, name, true)).collect();
    draft.items[at].text = fields.join(&draft.written.delimiter.to_string());
    draft.header = names;
    draft.touch_all(touch);
    true
}

pub fn header_name_twice(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    rename(draft, random, Touch::Held, |random, names| {
        let (a, b) = (random.below(names.len()), random.below(names.len()));
        names[a] = names[b].clone();
        a != b
    })
}

pub fn header_name_missing(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    rename(draft, random, Touch::Held, |random, names| {
        names.remove(random.below(names.len()));
        true
    })
}

pub fn header_renamed(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let place = random.below(draft.header.len());
    let Some(column) = draft.column(place) else {
        return false;
    };
    // of a name that stood there twice the other column has it now
    let was_twice = draft.kinds.contains(&"header name twice");
    let touch = if was_twice { Touch::Other } else { Touch::Held };
    if !rename(draft, random, touch, |_, names| {
        names[place] += "_old";
        true
    }) {
        return false;
    }
    // the column is not there any more, and its values stand under a name that nobody knows
    for row in 0..draft.rows.len() {
        if !draft.table.columns[column].required {
            draft.mean(row, place, Value::Null);
        }
    }
    true
}

pub fn header_names_swapped(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    rename(draft, random, Touch::Other, |random, names| {
        let (a, b) = (random.below(names.len()), random.below(names.len()));
        names.swap(a, b);
        a != b
    })
}

pub fn header_in_other_case(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    let blank = if draft.written.charset.encode('\u{A0}').is_some() {
        "\u{A0}"
    } else {
        ""
    };
    rename(draft, random, Touch::Clean, |random, names| {
        for name in names {
            *name = if random.percent(50) {
                name.to_uppercase()
            } else {
                format!("{blank}{name}")
            };
        }
        true
    })
}

pub fn header_missing(draft: &mut Draft<'_>, _: &mut Random) -> bool {
    let Some(at) = header_line(draft) else { return false };
    draft.items.remove(at);
    draft.touch_all(Touch::Held);
    true
}

pub fn no_rows(draft: &mut Draft<'_>, random: &mut Random) -> bool {
    if !random.percent(10) {
        return false;
    }
    draft.items.retain(|item| item.what != What::Row);
    true
}

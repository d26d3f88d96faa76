//! Which decimal mark and which mark between thousands the numbers of a file have.
//!
//! Duty: try every pair of marks on all values; say when a text such as `1,234` means two numbers. Not its duty:
//! values of numbers.

use super::column::Column;
use super::guess::{Confidence, Guess, Setting, of};

/// Decimal mark and mark between thousands.
type Marks = (char, Option<char>);

/// Pairs of marks, the strict default first.
const MARKS: [Marks; 12] = [
    ('.', None),
    (',', None),
    ('.', Some(',')),
    (',', Some('.')),
    ('.', Some('\'')),
    (',', Some('\'')),
    ('.', Some(' ')),
    (',', Some(' ')),
    ('.', Some('\u{A0}')),
    (',', Some('\u{A0}')),
    ('.', Some('\u{202F}')),
    (',', Some('\u{202F}')),
];

/// A column of numbers: its values, and the decimals that its contract has.
pub struct Numbers<'a> {
    pub column: &'a Column,
    /// 0 for whole numbers.
    pub scale: usize,
}

/// Whether a text is a number with some marks.
pub fn is_number(text: &str) -> bool {
    MARKS.iter().any(|marks| decimals(text, *marks).is_some())
}

/// Whether a text is a whole number with some marks.
pub fn is_integer(text: &str) -> bool {
    MARKS.iter().any(|marks| decimals(text, *marks) == Some(0))
}

/// Number of decimals of a text read with these marks; `None` when it has another form.
fn decimals(text: &str, (decimal, grouping): Marks) -> Option<usize> {
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once(decimal) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    if !fraction.is_none_or(is_digits) {
        return None;
    }
    let decimals = fraction.map_or(0, str::len);
    if is_digits(whole) {
        return Some(decimals);
    }
    let mut groups = whole.split(grouping?);
    let first = groups.next()?;
    let grouped = is_digits(first) && first.len() <= 3 && groups.all(|g| is_digits(g) && g.len() == 3);
    grouped.then_some(decimals)
}

/// The text as it would be read, without marks between thousands and with a point.
fn reading(text: &str, (decimal, grouping): Marks) -> String {
    text.chars()
        .filter(|c| Some(*c) != grouping)
        .map(|c| if c == decimal { '.' } else { c })
        .collect()
}

fn fits(text: &str, marks: Marks, scale: usize) -> bool {
    decimals(text, marks).is_some_and(|d| d <= scale)
}

/// The marks of a file and the guesses about them. Without numbers the strict default stands.
pub fn guess(numbers: &[Numbers<'_>]) -> Vec<Guess> {
    let total: u64 = numbers.iter().map(|n| n.column.total()).sum();
    if total == 0 {
        return Vec::new();
    }
    let readable = |marks: Marks| -> u64 {
        numbers
            .iter()
            .map(|n| n.column.count(|t| fits(t, marks, n.scale)))
            .sum()
    };
    let counts: Vec<u64> = MARKS.iter().map(|m| readable(*m)).collect();
    let most = counts.iter().max().copied().unwrap_or_default();
    // the first of the list that reads most: the fewest marks
    let Some(marks) = MARKS.iter().zip(&counts).find(|(_, n)| **n == most).map(|(m, _)| *m) else {
        return Vec::new();
    };
    let all = |marks: Marks| {
        let values = numbers.iter().flat_map(|n| n.column.values.keys());
        values.filter(move |t| decimals(t, marks).is_some())
    };
    let differs = |other: Marks| all(marks).find(|t| fits_any(t, other) && reading(t, marks) != reading(t, other));
    let rivals: Vec<(Marks, &String)> = MARKS
        .iter()
        .zip(&counts)
        .filter(|(m, n)| **m != marks && **n == most)
        .filter_map(|(m, _)| Some((*m, differs(*m)?)))
        .collect();
    let without = readable((marks.0, None));
    written(marks, (most, without), total, &rivals)
}

fn fits_any(text: &str, marks: Marks) -> bool {
    decimals(text, marks).is_some()
}

fn written((decimal, grouping): Marks, counts: (u64, u64), total: u64, rivals: &[(Marks, &String)]) -> Vec<Guess> {
    let (most, without) = counts;
    let mut evidence = format!("reads {}", of(most, total, "numbers"));
    let confidence = if !rivals.is_empty() {
        Confidence::Guess
    } else if most == total {
        Confidence::Certain
    } else if most * 20 >= total * 19 {
        Confidence::Likely
    } else {
        Confidence::Guess
    };
    for (marks, text) in rivals {
        let (a, b) = (reading(text, (decimal, grouping)), reading(text, *marks));
        evidence.push_str(&format!("; '{text}' could be {a} or {b}"));
    }
    let mark = |c: char| Setting::Text(c.to_string());
    let mut decimals: Vec<char> = rivals.iter().map(|(m, _)| m.0).filter(|c| *c != decimal).collect();
    decimals.dedup();
    let groupings = rivals.iter().filter_map(|(m, _)| m.1).filter(|c| Some(*c) != grouping);
    let by_default = decimal == '.' && decimals.is_empty();
    let one = if by_default { Guess::default } else { Guess::key };
    let guess = one(&["decimal_mark"], mark(decimal), confidence, evidence.clone());
    let mut guesses = vec![guess.or(decimals.into_iter().map(mark))];
    let mut groupings: Vec<char> = groupings.collect();
    groupings.dedup();
    match grouping {
        Some(grouping) => {
            let grouped = most - without;
            // what a handful of numbers has may be a mistake in them
            let is_rare = grouped * 20 < total;
            let confidence = if is_rare { Confidence::Guess } else { confidence };
            let evidence = format!(
                "{} have it; with both marks it {evidence}",
                of(grouped, total, "numbers")
            );
            let guess = Guess::key(&["grouping_mark"], mark(grouping), confidence, evidence);
            guesses.push(guess.or(groupings.into_iter().map(mark)));
        }
        None => {
            let mut groupings = groupings.into_iter();
            if let Some(first) = groupings.next() {
                let guess = Guess::key(&["grouping_mark"], mark(first), Confidence::Guess, evidence);
                guesses.push(guess.or(groupings.map(mark)));
            }
        }
    }
    guesses
}

#[cfg(test)]
mod tests {
    use super::super::records::Cell;
    use super::*;

    fn told(scale: usize, texts: &[&str]) -> Vec<String> {
        let mut column = Column::new("amount");
        texts.iter().for_each(|t| column.add(&Cell::typed(t)));
        let guesses = guess(&[Numbers { column: &column, scale }]);
        guesses
            .iter()
            .map(|g| {
                let alternatives: Vec<String> = g.alternatives.iter().map(ToString::to_string).collect();
                format!(
                    "{} {} {} {}",
                    g.key_name(),
                    g.setting,
                    g.confidence.name(),
                    alternatives.join(" ")
                )
                .trim_end()
                .to_owned()
            })
            .collect()
    }

    #[test]
    fn marks_are_proved_by_values() {
        assert_eq!(told(4, &["1.5", "12"]), ["decimal_mark \".\" certain"]);
        assert_eq!(told(4, &["1,5", "12"]), ["decimal_mark \",\" certain"]);
        assert_eq!(
            told(4, &["1.234,50", "1,5"]),
            ["decimal_mark \",\" certain", "grouping_mark \".\" certain"]
        );
        assert_eq!(
            told(4, &["1'234.50"]),
            ["decimal_mark \".\" certain", "grouping_mark \"'\" certain"]
        );
        assert_eq!(
            told(4, &["1,234,567", "12"]),
            ["decimal_mark \".\" certain", "grouping_mark \",\" certain"]
        );
        // a whole number has no decimals
        assert_eq!(
            told(0, &["1,234"]),
            ["decimal_mark \".\" certain", "grouping_mark \",\" certain"]
        );
        assert_eq!(told(4, &[]), Vec::<String>::new());
    }

    #[test]
    fn one_mark_before_three_digits_is_ambiguous() {
        assert_eq!(
            told(4, &["1,234", "2,500"]),
            ["decimal_mark \",\" a guess \".\"", "grouping_mark \",\" a guess"]
        );
        assert_eq!(
            told(4, &["1.234"]),
            ["decimal_mark \".\" a guess \",\"", "grouping_mark \".\" a guess"]
        );
    }
}

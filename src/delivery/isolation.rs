//! The search for other partners' data in a message.
//!
//! Duty: every other partner's identifier and name, as whole tokens, in the decoded parts of one message; members of
//! the same hierarchy are exempt. A hit holds the message. Not its duty: deciding what happens to the others.

use std::collections::BTreeMap;

use crate::domain::ids::{PartnerId, is_invisible};
use crate::domain::{Table, TableError};

/// Another partner's identifier or name that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    /// Whose it is.
    pub partner: PartnerId,
    pub what: LeakKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeakKind {
    Id,
    Name,
}

/// A partner as the search knows it; a partner has one entry for every name it ever had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub id: PartnerId,
    pub name: String,
    pub parent: Option<PartnerId>,
}

/// All partners, indexed by the first word of what is searched for. Build it once a run.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// First word → (the whole in normal form, leak).
    by_word: BTreeMap<String, Vec<(Vec<char>, Leak)>>,
    /// Partner → top of its hierarchy.
    tops: BTreeMap<PartnerId, PartnerId>,
}

impl Directory {
    /// The directory of some partners. A parent that is not among them is a top of its own.
    #[must_use]
    pub fn new(partners: &[Known]) -> Directory {
        let mut parents: BTreeMap<&PartnerId, &PartnerId> = BTreeMap::new();
        for known in partners {
            if let Some(parent) = &known.parent {
                parents.insert(&known.id, parent);
            }
        }
        let mut directory = Directory::default();
        for known in partners {
            directory.tops.insert(known.id.clone(), top(&known.id, &parents));
            for (what, text) in [(LeakKind::Id, known.id.as_str()), (LeakKind::Name, &known.name)] {
                let form = normal(text);
                if let Some(word) = words(&form).first() {
                    let leak = Leak {
                        partner: known.id.clone(),
                        what,
                    };
                    directory
                        .by_word
                        .entry(form[word.0..word.1].iter().collect())
                        .or_default()
                        .push((form, leak));
                }
            }
        }
        directory
    }

    /// The directory of a partners feed: every version, so that a former name is found as well.
    pub fn from_partners(partners: &Table) -> Result<Directory, TableError> {
        let mut known = Vec::with_capacity(partners.rows.len());
        for row in partners.iter() {
            let Ok(id) = PartnerId::new(row.text("partner_id")?) else {
                continue;
            };
            let parent = row.opt_text("parent_partner_id")?.and_then(|p| PartnerId::new(p).ok());
            known.push(Known {
                id,
                name: row.text("legal_name")?.to_owned(),
                parent,
            });
        }
        Ok(Directory::new(&known))
    }

    /// What of partners that may not be seen stands in the parts, each once.
    #[must_use]
    pub fn leaks_beyond(&self, seen: &dyn Fn(&PartnerId) -> bool, parts: &[&str]) -> Vec<Leak> {
        self.leaks_where(&|leak| seen(&leak.partner), parts)
    }

    /// What of other partners stands in the parts, each once. What lies inside something of the partner or its hierarchy
    /// is none: `Alpha` in the partner's own name `Alpha Networks`. The other way round it is one.
    #[must_use]
    pub fn leaks(&self, own: &PartnerId, parts: &[&str]) -> Vec<Leak> {
        let family = self.tops.get(own).unwrap_or(own);
        self.leaks_where(
            &|leak| &leak.partner == own || self.tops.get(&leak.partner) == Some(family),
            parts,
        )
    }

    fn leaks_where(&self, is_own: &dyn Fn(&Leak) -> bool, parts: &[&str]) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for part in parts {
            let (own, others): (Vec<_>, Vec<_>) = self.hits(&normal(part)).into_iter().partition(|(_, _, l)| is_own(l));
            for (from, to, leak) in others {
                if !own.iter().any(|(start, end, _)| *start <= from && to <= *end) {
                    leaks.push(leak.clone());
                }
            }
        }
        leaks.sort();
        leaks.dedup();
        leaks
    }

    /// Where an identifier or a name stands as whole tokens: (from, to, whose).
    fn hits(&self, text: &[char]) -> Vec<(usize, usize, &Leak)> {
        let mut hits = Vec::new();
        for (from, to) in words(text) {
            let word: String = text[from..to].iter().collect();
            for (form, leak) in self.by_word.get(&word).into_iter().flatten() {
                // punctuation may stand before the first word, as in "(P) Ltd"
                let lead = words(form).first().map_or(0, |w| w.0);
                let Some(start) = from.checked_sub(lead) else { continue };
                let end = start + form.len();
                if text.get(start..end) == Some(form) && is_whole(text, start, end) {
                    hits.push((start, end, leak));
                }
            }
        }
        hits
    }
}

/// The words a reader of HTML gets: text between tags, and the attributes that are shown or read aloud.
#[must_use]
pub fn visible_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        let (tag, tail) = after.split_once('>').unwrap_or((after, ""));
        // a tag inside a word hides nothing from a reader; one between blocks parts two words
        if !["span", "/span", "b", "/b", "i", "/i", "strong", "/strong"]
            .contains(&tag.split(' ').next().unwrap_or_default())
        {
            out.push(' ');
        }
        for attribute in ["alt=\"", "title=\"", "href=\"", "content=\"", "aria-label=\""] {
            if let Some((_, value)) = tag.split_once(attribute) {
                out.push(' ');
                out.push_str(value.split('"').next().unwrap_or_default());
                out.push(' ');
            }
        }
        rest = if tag.starts_with("style") {
            tail.split_once("</style>").map_or("", |(_, t)| t)
        } else {
            tail
        };
    }
    out.push_str(rest);
    decode_entities(&out)
}

fn decode_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let decoded = after
            .split_once(';')
            .filter(|(name, _)| name.len() <= 10)
            .and_then(|(name, tail)| {
                let c = match name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    "nbsp" => ' ',
                    _ => {
                        let number = name.strip_prefix('#')?;
                        let hex = number.strip_prefix(['x', 'X']).map(|h| u32::from_str_radix(h, 16));
                        char::from_u32(hex.unwrap_or_else(|| number.parse()).ok()?)?
                    }
                };
                Some((c, tail))
            });
        let (c, tail) = decoded.unwrap_or(('&', after));
        out.push(c);
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn top(id: &PartnerId, parents: &BTreeMap<&PartnerId, &PartnerId>) -> PartnerId {
    let mut at = id;
    // a circle of parents ends too; its members then are no family, which holds a message rather than lets it go
    for _ in 0..=parents.len() {
        match parents.get(at) {
            Some(parent) => at = parent,
            None => return at.clone(),
        }
    }
    id.clone()
}

/// Lower case, runs of blanks as one, nothing invisible.
fn normal(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        if c.is_whitespace() {
            if out.last().is_some_and(|last| *last != ' ') {
                out.push(' ');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    while out.last() == Some(&' ') {
        out.pop();
    }
    out
}

/// Runs of letters and digits: (from, to).
fn words(text: &[char]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = None;
    for (i, c) in text.iter().chain([&' ']).enumerate() {
        match (c.is_alphanumeric(), start) {
            (true, None) => start = Some(i),
            (false, Some(from)) => {
                out.push((from, i));
                start = None;
            }
            _ => {}
        }
    }
    out
}

/// Whether `from..to` begins and ends at the edge of a token. For a bare number, `12` in `12.50` or `1,012` is no token.
fn is_whole(text: &[char], from: usize, to: usize) -> bool {
    let before = from.checked_sub(1).map(|i| text[i]);
    let after = text.get(to).copied();
    let edge = |next: Option<char>, inner: char| !(inner.is_alphanumeric() && next.is_some_and(char::is_alphanumeric));
    if !edge(before, text[from]) || !edge(after, text[to - 1]) {
        return false;
    }
    let digit = |i: Option<usize>| i.and_then(|i| text.get(i)).is_some_and(char::is_ascii_digit);
    let mark = |c: Option<char>| c.is_some_and(|c| c == '.' || c == ',');
    let number = text[from..to].iter().all(char::is_ascii_digit);
    !(number && (mark(before) && digit(from.checked_sub(2)) || mark(after) && digit(Some(to + 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, name: &str, parent: &str) -> Known {
        Known {
            id: PartnerId::new(id).unwrap(),
            name: name.to_owned(),
            parent: PartnerId::new(parent).ok(),
        }
    }

    fn world() -> Vec<Known> {
        vec![
            known("P-001", "Alpha Networks Europe", ""),
            known("P-002", "Alpha Networks", ""),
            known("P-003", "Beta & Söhne (Nord)", ""),
            known("P-004", "Alpha Iberia", "P-001"),
            known("P-005", "Alpha Porto", "P-004"),
            known("12345", "Numeric", ""),
            known("P-001-X", "Gamma", ""),
        ]
    }

    fn found(own: &str, text: &str) -> Vec<String> {
        let leaks = Directory::new(&world()).leaks(&PartnerId::new(own).unwrap(), &[text]);
        leaks.iter().map(|l| format!("{} {:?}", l.partner, l.what)).collect()
    }

    #[test]
    fn whole_tokens_only() {
        assert_eq!(found("P-001", "see P-002, please"), ["P-002 Id"]);
        assert_eq!(found("P-001", "scorecard/p-002/2026 and P‑002"), ["P-002 Id"]);
        assert_eq!(found("P-001", "P-0021 XP-002 P-002b"), Vec::<String>::new());
        assert_eq!(found("P-001", "12345 parts"), ["12345 Id"]);
        assert_eq!(
            found("P-001", "EUR 12,345.00 12345.50 1.12345 123456"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn names_across_case_blanks_and_line_ends() {
        assert_eq!(found("P-001", "by BETA &\u{a0}S\u{d6}HNE\n (nord)."), ["P-003 Name"]);
        assert_eq!(found("P-001", "Beta"), Vec::<String>::new());
    }

    #[test]
    fn own_names_are_taken_out_first() {
        assert_eq!(found("P-001", "Alpha Networks Europe P-001"), Vec::<String>::new());
        assert_eq!(
            found("P-001", "Alpha Networks Europe and Alpha Networks"),
            ["P-002 Name"]
        );
        assert_eq!(found("P-002", "Alpha Networks Europe"), ["P-001 Name"]);
        assert_eq!(found("P-001-X", "P-001-X"), Vec::<String>::new());
        assert_eq!(found("P-001", "P-001-X"), ["P-001-X Id"]);
    }

    #[test]
    fn the_hierarchy_is_exempt_in_both_directions() {
        assert_eq!(found("P-001", "Alpha Iberia, Alpha Porto P-005"), Vec::<String>::new());
        assert_eq!(
            found("P-005", "Alpha Networks Europe P-001 P-004"),
            Vec::<String>::new()
        );
        assert_eq!(found("P-002", "Alpha Porto"), ["P-005 Name"]);
    }

    #[test]
    fn html_is_searched_as_a_reader_sees_it() {
        let html = "<style>.p-002{}</style><p title=\"P-003\">Alp<b>ha</b> Netw&#111;rks</p><td>P-00</td><td>2</td>";
        assert_eq!(
            visible_text(html).split_whitespace().collect::<Vec<_>>(),
            ["P-003", "Alpha", "Networks", "P-00", "2"]
        );
        assert_eq!(found("P-001", &visible_text(html)), ["P-002 Name", "P-003 Id"]);
        assert_eq!(decode_entities("a &lt;b&gt; &unknown; & &#x2f;"), "a <b> &unknown; & /");
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let circle = [
            known("A", "a one", "B"),
            known("B", "b two", "A"),
            known("C", "c three", ""),
        ];
        let leaks = Directory::new(&circle).leaks(&PartnerId::new("A").unwrap(), &["three, b two"]);
        assert_eq!(
            leaks.iter().map(|l| l.what).collect::<Vec<_>>(),
            [LeakKind::Id, LeakKind::Name]
        );
    }
}

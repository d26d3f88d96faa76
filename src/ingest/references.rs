//! Rows that refer to rows of their own feed.
//!
//! Duty: which of them wait: a row is kept only if the whole chain above it is. Not its duty: references to other
//! feeds, what becomes of a row that waits.

use std::collections::HashMap;

/// A row that refers to its own feed, by hashes of the referenced value: what it is called by others, and what it
/// refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub name: u128,
    pub refers_to: u128,
}

/// By row: whether what it refers to is kept. `known` says what is there besides these rows.
pub fn chained(links: &[Link], known: &dyn Fn(u128) -> bool) -> Vec<bool> {
    let mut kept = vec![true; links.len()];
    let mut named: HashMap<u128, usize> = HashMap::new();
    let mut dependents: HashMap<u128, Vec<usize>> = HashMap::new();
    for (i, link) in links.iter().enumerate() {
        *named.entry(link.name).or_default() += 1;
        dependents.entry(link.refers_to).or_default().push(i);
    }
    let mut gone: Vec<u128> = dependents
        .keys()
        .filter(|value| !named.contains_key(value) && !known(**value))
        .copied()
        .collect();
    while let Some(value) = gone.pop() {
        for i in dependents.get(&value).map_or(&[][..], Vec::as_slice) {
            if !std::mem::replace(&mut kept[*i], false) {
                continue;
            }
            let name = links[*i].name;
            let left = named.entry(name).or_default();
            *left -= 1;
            if *left == 0 && !known(name) {
                gone.push(name);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `name:refers_to`; `known` names what is there besides.
    fn check(known: &str, rows: &str) -> String {
        let number = |c: Option<char>| c.map_or(0, |c| u128::from(u32::from(c)));
        let links: Vec<Link> = rows
            .split(' ')
            .map(|row| Link {
                name: number(row.chars().next()),
                refers_to: number(row.chars().last()),
            })
            .collect();
        let known = |value: u128| known.chars().any(|c| number(Some(c)) == value);
        let kept = chained(&links, &known);
        kept.iter().map(|k| if *k { '+' } else { '-' }).collect()
    }

    #[test]
    fn a_row_waits_for_the_whole_chain_above_it() {
        assert_eq!(check("1", "2:1 3:2 4:9"), "++-");
        assert_eq!(check("", "2:1 3:2"), "--");
        // a row may mean itself, and two may mean each other
        assert_eq!(check("", "1:1 2:3 3:2"), "+++");
        // the same key twice: one delivery that waits does not take the other one's dependents
        assert_eq!(check("1", "2:9 2:1 3:2"), "-++");
    }
}

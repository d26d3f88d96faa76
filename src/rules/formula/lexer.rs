//! Text of a formula → tokens with their places.
//!
//! Duty: numbers, texts, names, signs. Not its duty: how they may follow one another (`parser`).

use super::FormulaError;
use crate::domain::{Dec, Ratio};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Number(Ratio),
    Text(String),
    Name(String),
    /// An operator, a bracket, or a comma.
    Sign(&'static str),
}

/// A token and the character at which it begins, from 1.
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 13] = ["<=", ">=", "<>", "+", "-", "*", "/", "(", ")", ",", "=", "<", ">"];

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, FormulaError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while let Some(c) = chars.get(i).copied() {
        let at = i + 1;
        if c.is_whitespace() {
            i += 1;
            continue;
        }
        let token = if c.is_ascii_digit() {
            let end = run(&chars, i, |c| c.is_ascii_digit() || c == '.');
            let digits: String = chars[i..end].iter().collect();
            i = end;
            let number = Dec::parse(&digits).map_err(|e| FormulaError {
                at,
                problem: format!("\"{digits}\" {e}"),
                remedy: "write a decimal such as 12.5".to_owned(),
            })?;
            Token::Number(number.ratio())
        } else if c.is_ascii_alphabetic() || c == '_' {
            let end = run(&chars, i, |c| c.is_ascii_alphanumeric() || c == '_');
            let name = chars[i..end].iter().collect();
            i = end;
            Token::Name(name)
        } else if c == '\'' {
            let end = run(&chars, i + 1, |c| c != '\'');
            if end == chars.len() {
                return Err(FormulaError {
                    at,
                    problem: "a text is not closed".to_owned(),
                    remedy: "end it with '".to_owned(),
                });
            }
            let text = chars[i + 1..end].iter().collect();
            i = end + 1;
            Token::Text(text)
        } else {
            let rest: String = chars[i..chars.len().min(i + 2)].iter().collect();
            let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) else {
                return Err(FormulaError {
                    at,
                    problem: format!("'{c}' has no meaning here"),
                    remedy: "use numbers, columns, + - * / ( ), comparisons and functions; docs/metrics.md lists them"
                        .to_owned(),
                });
            };
            i += sign.len();
            Token::Sign(sign)
        };
        tokens.push(Placed { token, at });
    }
    Ok(tokens)
}

/// The end of the run of characters from `start` on.
fn run(chars: &[char], start: usize, belongs: fn(char) -> bool) -> usize {
    let length = chars[start.min(chars.len())..]
        .iter()
        .take_while(|c| belongs(**c))
        .count();
    start + length
}

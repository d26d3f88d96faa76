//! Numbers as a workbook stores them.
//!
//! Duty: the text of a stored number to the shortest plain decimal that is the same number, and whether it can still be
//! what somebody typed. Not its duty: dates, columns.
//!
//! A workbook stores binary doubles, written with up to 17 digits: 1.1 stands in it as `1.1000000000000001`. Fifteen
//! digits always survive; a shortest text of more comes from a calculation, or from an id that was cut.

use std::fmt::Write as _;

/// Digits that a double always keeps, and the most that Excel lets anybody type.
const KEPT_DIGITS: usize = 15;

/// A plain decimal: `-1234.5`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Number {
    pub text: String,
    /// Digits of what was typed may be lost.
    pub is_damaged: bool,
}

/// A decimal in parts: `0.digits * 10^point`, without zeros at either end.
struct Parts {
    negative: bool,
    digits: String,
    point: i32,
    /// Zeros that only the exponent stands for: digits that were there are lost.
    filled: bool,
}

/// `-?digits(.digits)?(E-?digits)?` as a plain decimal; `None` is another text.
pub fn read(text: &str) -> Option<Number> {
    let mut parts = parts(text)?;
    if parts.digits.len() > KEPT_DIGITS {
        let filled = parts.filled;
        // the shortest text of the same double, always in the form 1.5e3
        let value: f64 = text.parse().ok()?;
        if !value.is_finite() {
            return None;
        }
        parts = Parts {
            filled,
            ..self::parts(&format!("{value:e}"))?
        };
    }
    let whole_digits = usize::try_from(parts.point).unwrap_or(0);
    Some(Number {
        is_damaged: parts.digits.len() > KEPT_DIGITS || whole_digits > KEPT_DIGITS || parts.filled,
        text: plain(&parts),
    })
}

fn parts(text: &str) -> Option<Parts> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    if !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return None;
    }
    let power: i32 = match exponent {
        None => 0,
        Some(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            if !is_digits(digits) || digits.len() > 3 {
                return None;
            }
            text.parse().ok()?
        }
    };
    let all = [whole, fraction.unwrap_or_default()].concat();
    let leading = all.len() - all.trim_start_matches('0').len();
    let digits = all.trim_matches('0').to_owned();
    let point = i32::try_from(whole.len()).ok()? - i32::try_from(leading).ok()? + power;
    let is_zero = digits.is_empty();
    Some(Parts {
        negative: unsigned.len() != mantissa.len() && !is_zero,
        // 1.23457E+14 stands for 15 digits and has 6
        filled: power > 0 && point > i32::try_from(all.len() - leading).ok()?,
        point: if is_zero { 0 } else { point },
        digits,
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn plain(parts: &Parts) -> String {
    let mut text = String::with_capacity(parts.digits.len() + 4);
    if parts.negative {
        text.push('-');
    }
    match usize::try_from(parts.point) {
        Ok(whole) if whole >= parts.digits.len() => {
            // writing to a String cannot fail
            let _ = write!(text, "{:0<whole$}", parts.digits);
            if whole == 0 {
                text.push('0');
            }
        }
        Ok(whole) if whole > 0 => {
            text.push_str(&parts.digits[..whole]);
            text.push('.');
            text.push_str(&parts.digits[whole..]);
        }
        _ => {
            text.push_str("0.");
            for _ in parts.point..0 {
                text.push('0');
            }
            text.push_str(&parts.digits);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The plain text; `!` behind it tells that it is damaged.
    fn told(text: &str) -> String {
        read(text).map_or("none".to_owned(), |n| {
            format!("{}{}", n.text, if n.is_damaged { "!" } else { "" })
        })
    }

    #[test]
    fn numbers_are_the_shortest_plain_text() {
        for (stored, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("0.0", "0"),
            ("007.50", "7.5"),
            ("123", "123"),
            ("-1234.5", "-1234.5"),
            ("0.3", "0.3"),
            // what Excel writes for 1.1, 0.7 and 19.99
            ("1.1000000000000001", "1.1"),
            ("0.69999999999999996", "0.7"),
            ("19.989999999999998", "19.99"),
            // 0.1 + 0.2, calculated
            ("0.30000000000000004", "0.30000000000000004!"),
            ("123456789012345", "123456789012345"),
            ("1234567890123456", "1234567890123456!"),
            ("100000000000000000000", "100000000000000000000!"),
            ("12345678901234567890", "12345678901234567000!"),
            ("1.2345678901234567E+19", "12345678901234567000!"),
            ("1.23457E+14", "123457000000000!"),
            ("1E+2", "100!"),
            ("1.5E+1", "15"),
            ("1.5e1", "15"),
            ("1.0000000000000001E-5", "0.00001"),
            ("-2.5E-3", "-0.0025"),
        ] {
            assert_eq!(told(stored), expected, "{stored}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e", "1e9999", "1e400", "NaN", "inf", "0x1", "1,5", " 1", "1_0", "１",
            "1e+-2",
        ] {
            let told = told(text);
            // 1e400 is a decimal in exponent form, with lost digits
            assert!(
                told == "none" || text == "1e400" && told.ends_with('!'),
                "{text}: {told}"
            );
        }
        assert_eq!(told("1.2345678901234567e400"), "none");
    }

    #[test]
    fn fifteen_digits_always_survive() {
        // steps of a prime over many magnitudes: what has at most 15 digits stands as it is
        let mut units: u64 = 1;
        while units < 1_000_000_000_000_000 {
            for decimals in 0..8 {
                let text = crate::domain::Dec::new(i128::from(units), decimals).to_string();
                let seventeen = format!("{:.17e}", text.parse::<f64>().unwrap());
                let shortest = text.trim_end_matches('0').trim_end_matches('.');
                let expected = if text.contains('.') { shortest } else { &text };
                assert_eq!(read(&seventeen).unwrap().text, expected, "{seventeen}");
                assert_eq!(told(&text), expected);
            }
            units = units * 7 + 3;
        }
    }
}

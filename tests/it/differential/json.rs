//! JSON by RFC 8259, as simply as it can be read.

pub enum Member {
    Null,
    /// A text, or a number or a truth as it stands.
    Plain(String),
    Nested,
    /// A text with half a surrogate pair.
    HalfAPair,
}

/// JSON by RFC 8259.
pub struct Json<'a> {
    pub chars: &'a [char],
    pub at: usize,
}

impl Json<'_> {
    fn blanks(&mut self) {
        while matches!(self.chars.get(self.at), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    pub fn is_at_end(&mut self) -> bool {
        self.blanks();
        self.at == self.chars.len()
    }

    fn take(&mut self, c: char) -> bool {
        self.blanks();
        let found = self.chars.get(self.at) == Some(&c);
        self.at += usize::from(found);
        found
    }

    /// Names and values; a name is `None` where it is no text.
    pub fn object(&mut self) -> Option<Vec<(Option<String>, Member)>> {
        let mut members = Vec::new();
        if !self.take('{') {
            return None;
        }
        if self.take('}') {
            return Some(members);
        }
        loop {
            self.blanks();
            let name = self.text()?;
            if !self.take(':') {
                return None;
            }
            members.push((name, self.value(0)?));
            if self.take('}') {
                return Some(members);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Member> {
        self.blanks();
        let start = self.at;
        match self.chars.get(self.at)? {
            '"' => Some(self.text()?.map_or(Member::HalfAPair, Member::Plain)),
            '{' if depth < 100 => {
                self.at += 1;
                if self.take('}') {
                    return Some(Member::Nested);
                }
                loop {
                    self.blanks();
                    self.text()?;
                    if !self.take(':') {
                        return None;
                    }
                    self.value(depth + 1)?;
                    if self.take('}') {
                        return Some(Member::Nested);
                    }
                    if !self.take(',') {
                        return None;
                    }
                }
            }
            '[' if depth < 100 => {
                self.at += 1;
                if self.take(']') {
                    return Some(Member::Nested);
                }
                loop {
                    self.value(depth + 1)?;
                    if self.take(']') {
                        return Some(Member::Nested);
                    }
                    if !self.take(',') {
                        return None;
                    }
                }
            }
            _ => {
                let is_end = |c: &char| matches!(c, ' ' | '\t' | '\n' | '\r' | ',' | ':' | '}' | ']' | '{' | '[' | '"');
                while self.chars.get(self.at).is_some_and(|c| !is_end(c)) {
                    self.at += 1;
                }
                let token: String = self.chars[start..self.at].iter().collect();
                match token.as_str() {
                    "null" => Some(Member::Null),
                    "true" | "false" => Some(Member::Plain(token)),
                    _ => is_number(&token).then_some(Member::Plain(token)),
                }
            }
        }
    }

    /// A text in quotes; the inner `None` is one with half a surrogate pair.
    #[expect(clippy::option_option, reason = "no JSON, and JSON that is no text")]
    fn text(&mut self) -> Option<Option<String>> {
        if self.chars.get(self.at) != Some(&'"') {
            return None;
        }
        self.at += 1;
        let mut units: Vec<u16> = Vec::new();
        loop {
            let c = *self.chars.get(self.at)?;
            self.at += 1;
            let mut buffer = [0; 2];
            match c {
                '"' => return Some(String::from_utf16(&units).ok()),
                '\\' => {
                    let c = *self.chars.get(self.at)?;
                    self.at += 1;
                    let plain = match c {
                        '"' | '\\' | '/' => c,
                        'b' => '\u{8}',
                        'f' => '\u{C}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => {
                            let digits: String = self.chars.get(self.at..self.at + 4)?.iter().collect();
                            if !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                                return None;
                            }
                            units.push(u16::from_str_radix(&digits, 16).ok()?);
                            self.at += 4;
                            continue;
                        }
                        _ => return None,
                    };
                    units.extend_from_slice(plain.encode_utf16(&mut buffer));
                }
                c if u32::from(c) < 0x20 => return None,
                c => units.extend_from_slice(c.encode_utf16(&mut buffer)),
            }
        }
    }
}

fn is_number(token: &str) -> bool {
    let rest = token.strip_prefix('-').unwrap_or(token);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_right = exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    exponent_is_right && is_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(is_digits)
}

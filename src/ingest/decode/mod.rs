//! Bytes as delivered to UTF-8 text: archives unpacked, encodings decoded.
//!
//! Duty: limits of archives, byte-order marks, bad bytes with their offset. Must not: guess an encoding, put a
//! replacement character, know records.

/// How the bytes of a file are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    #[default]
    None,
    Gzip,
    /// One entry; its name means nothing.
    Zip,
}

/// What the bytes of a text mean, unless a byte-order mark says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Utf8,
    Utf16Le,
    Utf16Be,
    Windows1252,
    Latin1,
    Gbk,
    Gb18030,
    ShiftJis,
}

impl Encoding {
    /// By name in a source: `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`, `iso-8859-1`, `gbk`, `gb18030`, `shift_jis`.
    pub fn parse(name: &str) -> Option<Encoding> {
        Encoding::NAMES.iter().find(|(n, _)| *n == name).map(|(_, e)| *e)
    }

    pub fn name(self) -> &'static str {
        Encoding::NAMES
            .iter()
            .find(|(_, e)| *e == self)
            .map_or("", |(name, _)| name)
    }

    pub const NAMES: [(&'static str, Encoding); 8] = [
        ("utf-8", Encoding::Utf8),
        ("utf-16le", Encoding::Utf16Le),
        ("utf-16be", Encoding::Utf16Be),
        ("windows-1252", Encoding::Windows1252),
        ("iso-8859-1", Encoding::Latin1),
        ("gbk", Encoding::Gbk),
        ("gb18030", Encoding::Gb18030),
        ("shift_jis", Encoding::ShiftJis),
    ];
}

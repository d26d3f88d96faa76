//! Currencies of ISO 4217 with their minor units.
//!
//! Duty: the active codes of the list one table, and how many decimals an amount of each has. Not its duty: rates.

use std::fmt;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    minor_digits: u8,
}

/// Active codes by number of minor digits (ISO 4217 list one). Funds codes, metals and test codes are left out: nobody is paid in them.
const BY_MINOR_DIGITS: [(u8, &str); 4] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP \
         CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD \
         KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN \
         NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC \
         SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "UYW"),
];

/// Minor digits of each active code and one more, by place; 0 is no code.
static KNOWN: [u8; 26 * 26 * 26] = {
    let mut known = [0; 26 * 26 * 26];
    let mut list = 0;
    while list < BY_MINOR_DIGITS.len() {
        let (minor_digits, codes) = BY_MINOR_DIGITS[list];
        let (codes, mut at) = (codes.as_bytes(), 0);
        // three letters and a blank
        while at < codes.len() {
            known[place([codes[at], codes[at + 1], codes[at + 2]])] = minor_digits + 1;
            at += 4;
        }
        list += 1;
    }
    known
};

/// Of three capitals among all there could be.
const fn place(code: [u8; 3]) -> usize {
    let [a, b, c] = code;
    ((a - b'A') as usize * 26 + (b - b'A') as usize) * 26 + (c - b'A') as usize
}

impl Currency {
    /// The currency of a code in capitals.
    #[must_use]
    pub fn parse(code: &str) -> Option<Currency> {
        let code: [u8; 3] = code.as_bytes().try_into().ok()?;
        let is_capital = code.iter().all(u8::is_ascii_uppercase);
        let minor_digits = KNOWN[is_capital.then(|| place(code))?].checked_sub(1)?;
        Some(Currency { code, minor_digits })
    }

    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// Decimals of an amount: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn minor_digits(self) -> u8 {
        self.minor_digits
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_digits_by_code() {
        let digits = |code| Currency::parse(code).map(Currency::minor_digits);
        assert_eq!(
            [
                digits("EUR"),
                digits("JPY"),
                digits("KWD"),
                digits("XTS"),
                digits("eur"),
                digits("EU")
            ],
            [Some(2), Some(0), Some(3), None, None, None]
        );
    }

    #[test]
    fn no_code_stands_twice() {
        let mut codes: Vec<&str> = BY_MINOR_DIGITS.iter().flat_map(|(_, c)| c.split_whitespace()).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        assert!(codes.iter().all(|c| Currency::parse(c).is_some()));
    }
}

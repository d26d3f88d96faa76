//! Amounts of money: a number and its currency, always together.
//!
//! Duty: checked arithmetic within one currency, one rounding to the minor unit, allocation that loses no cent. Not
//! its duty: exchange rates, bands, rules.

use std::fmt;

use rust_decimal::Decimal;
use thiserror::Error;

use super::currency::Currency;
use super::decimal::Dec;
use super::ratio::{Ratio, Rounding};

/// An amount in the minor units of its currency; more decimals than the currency has cannot be held.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error("{left} and {right} cannot be added: rebates are booked per currency")]
    Currencies { left: Currency, right: Currency },
    #[error("the amount does not fit in 28 digits")]
    Overflow,
    #[error("the amount has more than the {} decimals of {currency}", currency.minor_digits())]
    TooManyDecimals { currency: Currency },
    #[error("the weights of an allocation must not be negative, and one must be above zero")]
    Weights,
}

impl Money {
    #[must_use]
    pub fn zero(currency: Currency) -> Money {
        Money {
            amount: Decimal::new(0, u32::from(currency.minor_digits())),
            currency,
        }
    }

    /// An amount that must already be in whole minor units.
    pub fn exact(amount: Dec, currency: Currency) -> Result<Money, MoneyError> {
        let scaled = amount
            .rescale(currency.minor_digits())
            .ok_or(MoneyError::TooManyDecimals { currency })?;
        Money::from_minor(scaled.units(), currency)
    }

    /// An amount from its count of minor units (cents).
    pub fn from_minor(minor_units: i128, currency: Currency) -> Result<Money, MoneyError> {
        let amount = Decimal::try_from_i128_with_scale(minor_units, u32::from(currency.minor_digits()))
            .map_err(|_| MoneyError::Overflow)?;
        Ok(Money { amount, currency })
    }

    /// The one rounding: an exact number to the minor unit of the currency.
    pub fn rounded(amount: &Ratio, currency: Currency, rounding: Rounding) -> Result<Money, MoneyError> {
        let dec = amount
            .round(currency.minor_digits(), rounding)
            .ok_or(MoneyError::Overflow)?;
        Money::from_minor(dec.units(), currency)
    }

    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    #[must_use]
    pub fn minor_units(self) -> i128 {
        self.amount.mantissa()
    }

    #[must_use]
    pub fn dec(self) -> Dec {
        Dec::new(self.amount.mantissa(), self.currency.minor_digits())
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    #[must_use]
    pub fn is_negative(self) -> bool {
        self.amount.is_sign_negative() && !self.is_zero()
    }

    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies {
                left: self.currency,
                right: other.currency,
            });
        }
        // through minor units: rust_decimal would rescale (and so round) a sum of 29 digits
        let sum = self
            .minor_units()
            .checked_add(other.minor_units())
            .ok_or(MoneyError::Overflow)?;
        Money::from_minor(sum, self.currency)
    }

    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.checked_add(other.negated())
    }

    #[must_use]
    pub fn negated(self) -> Money {
        let amount = if self.is_zero() { self.amount } else { -self.amount };
        Money {
            amount,
            currency: self.currency,
        }
    }

    /// Splits into parts in proportion to `weights`, by largest remainder (ties to the earlier part): the parts add
    /// up to the whole, to the last minor unit, for either sign.
    pub fn allocate(self, weights: &[Ratio]) -> Result<Vec<Money>, MoneyError> {
        let total = Ratio::sum(weights);
        if !total.is_positive() || weights.iter().any(Ratio::is_negative) {
            return Err(MoneyError::Weights);
        }
        let whole = Dec::new(self.minor_units(), 0).ratio();
        let exact: Vec<Ratio> = weights.iter().map(|w| &(&whole * w) / &total).collect();
        let units = largest_remainder(&exact, self.minor_units()).ok_or(MoneyError::Overflow)?;
        units.into_iter().map(|u| Money::from_minor(u, self.currency)).collect()
    }
}

/// Rounds exact parts to integers that add up to `total` (which must be their exact sum rounded to an integer):
/// every part is cut towards zero, and the units left over go to the largest remainders, ties to the earlier part.
#[must_use]
pub fn largest_remainder(exact: &[Ratio], total: i128) -> Option<Vec<i128>> {
    let mut units = Vec::with_capacity(exact.len());
    let mut remainders = Vec::with_capacity(exact.len());
    for part in exact {
        let cut = part.round(0, Rounding::Down)?;
        remainders.push((part - &cut.ratio()).abs());
        units.push(cut.units());
    }
    let mut left = total.checked_sub(units.iter().sum())?;
    let step = left.signum();
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by(|a, b| remainders[*b].cmp(&remainders[*a]).then(a.cmp(b)));
    for i in order.into_iter().cycle().take(exact.len().checked_mul(2)?) {
        if left == 0 {
            break;
        }
        units[i] += step;
        left -= step;
    }
    (left == 0).then_some(units)
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dec(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, code: &str) -> Money {
        Money::exact(Dec::parse(text).unwrap(), Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn currencies_do_not_mix() {
        assert!(matches!(
            money("1", "EUR").checked_add(money("1", "JPY")),
            Err(MoneyError::Currencies { .. })
        ));
        assert_eq!(
            money("1.10", "EUR").checked_add(money("2.20", "EUR")).unwrap(),
            money("3.30", "EUR")
        );
    }

    #[test]
    fn no_more_decimals_than_the_currency_has() {
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(
            Money::exact(Dec::parse("1.5").unwrap(), yen),
            Err(MoneyError::TooManyDecimals { currency: yen })
        );
        assert_eq!(
            Money::exact(Dec::parse("1.00").unwrap(), yen).unwrap().to_string(),
            "1 JPY"
        );
    }

    #[test]
    fn allocation_loses_no_cent_in_either_sign() {
        let thirds = vec![Ratio::one(), Ratio::one(), Ratio::one()];
        let parts = |m: Money| {
            m.allocate(&thirds)
                .unwrap()
                .iter()
                .map(|p| p.dec().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(money("100.00", "EUR")), ["33.34", "33.33", "33.33"]);
        assert_eq!(parts(money("-0.02", "EUR")), ["-0.01", "-0.01", "0.00"]);
        assert_eq!(parts(money("0.00", "EUR")), ["0.00", "0.00", "0.00"]);
        assert_eq!(money("1", "EUR").allocate(&[Ratio::zero()]), Err(MoneyError::Weights));
    }

    #[test]
    fn overflow_is_an_error() {
        let most = Money::from_minor(79_228_162_514_264_337_593_543_950_335, Currency::parse("EUR").unwrap()).unwrap();
        assert_eq!(most.checked_add(most), Err(MoneyError::Overflow));
    }

    proptest::proptest! {
        #[test]
        fn allocation_adds_up(minor in -1_000_000_000_000i64..1_000_000_000_000, weights in proptest::collection::vec(0i64..1000, 1..12)) {
            let weights: Vec<Ratio> = weights.into_iter().map(Ratio::int).collect();
            proptest::prop_assume!(weights.iter().any(Ratio::is_positive));
            let whole = Money::from_minor(minor.into(), Currency::parse("EUR").unwrap()).unwrap();
            let sum: i128 = whole.allocate(&weights).unwrap().iter().map(|m| m.minor_units()).sum();
            proptest::prop_assert_eq!(sum, i128::from(minor));
        }
    }
}

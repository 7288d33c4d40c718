//! Money as an integer, so that a budget adds up to the last digit.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

/// An amount of US dollars, never negative, counted in picodollars (10⁻¹² USD).
///
/// A model's price of $0.005 for a million tokens is 5,000 picodollars a token,
/// so even half of it is exact. The largest amount is about 18 million dollars;
/// sums stop there rather than wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Usd(u64);

/// Why a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not an amount of dollars: write it like `10` or `0.25`", crate::base::words::tame(.0))]
pub struct BadUsd(String);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One dollar, in picodollars.
    const DOLLAR: u64 = 1_000_000_000_000;

    /// An amount in picodollars.
    pub const fn from_pico(pico: u64) -> Self {
        Self(pico)
    }

    /// The amount in picodollars.
    pub const fn pico(self) -> u64 {
        self.0
    }

    /// A whole number of dollars.
    pub const fn dollars(dollars: u64) -> Self {
        Self(dollars.saturating_mul(Self::DOLLAR))
    }

    /// The cost of `tokens` at this price for a million of them, rounded up.
    #[must_use]
    pub fn per_million(self, tokens: u64) -> Self {
        let cost = (u128::from(self.0) * u128::from(tokens)).div_ceil(1_000_000);
        Self(u64::try_from(cost).unwrap_or(u64::MAX))
    }

    /// `self` times `n`.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self(self.0.saturating_mul(n))
    }

    /// A share of it, of so many alike, rounded down; nothing where there are none.
    #[must_use]
    pub const fn divided_by(self, n: u64) -> Self {
        Self(match self.0.checked_div(n) {
            Some(share) => share,
            None => 0,
        })
    }

    /// What is left of it after `other`, and nothing where `other` is more.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// How many per cent of `whole` this is; of nothing, everything is 100.
    pub fn percent_of(self, whole: Self) -> u64 {
        match whole.0 {
            0 => 100,
            whole => {
                u64::try_from(u128::from(self.0) * 100 / u128::from(whole)).unwrap_or(u64::MAX)
            }
        }
    }

    /// For a REAL column or a chart; money is never added up in this form.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / Self::DOLLAR as f64
    }

    /// All its digits and no more: `0.000355`, `10`.
    pub fn exact(self) -> String {
        let (whole, rest) = (self.0 / Self::DOLLAR, self.0 % Self::DOLLAR);
        match rest {
            0 => whole.to_string(),
            _ => format!("{whole}.{rest:012}").trim_end_matches('0').to_owned(),
        }
    }
}

impl FromStr for Usd {
    type Err = BadUsd;

    /// Reads a decimal number of dollars, with or without an exponent. Digits
    /// finer than a picodollar are rounded up.
    fn from_str(text: &str) -> Result<Self, BadUsd> {
        parse_pico(text.trim()).map(Self).ok_or_else(|| BadUsd(text.to_owned()))
    }
}

fn parse_pico(text: &str) -> Option<u64> {
    parse_short(text).or_else(|| parse_any(text))
}

/// What few digits say, as nearly all amounts are written: there are many in a journal.
fn parse_short(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_short = whole.len() <= 7 && fraction.len() <= 12 && whole.len() + fraction.len() > 0;
    let digits = || whole.bytes().chain(fraction.bytes());
    if !is_short || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits().fold(0, |number, byte| number * 10 + u64::from(byte - b'0'));
    Some((fraction.len()..12).fold(number, |number, _| number * 10))
}

fn parse_any(text: &str) -> Option<u64> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 60 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let shift = 12 + exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    let number: u128 = digits.get(..digits.len().min(38))?.parse().ok()?;
    let shift = shift + i32::try_from(digits.len().saturating_sub(38)).ok()?;
    let pico = match shift {
        0..=30 => number.checked_mul(10u128.checked_pow(shift.unsigned_abs())?)?,
        -38..0 => number.div_ceil(10u128.pow(shift.unsigned_abs())),
        ..-38 => 1,
        _ => return None,
    };
    u64::try_from(pico).ok()
}

impl Add for Usd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    /// `$10.00`, `$0.25`, `$0.000355`: at least cents, and small amounts in full.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.exact();
        let places = exact.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        match places {
            0 => write!(f, "${exact}.00"),
            1 => write!(f, "${exact}0"),
            _ if self.0 >= Self::DOLLAR => write!(f, "${:.2}", self.as_f64()),
            2..=6 => write!(f, "${exact}"),
            _ if self.0 < 1_000_000 => write!(f, "${exact}"),
            _ => write!(f, "${:.6}", self.as_f64()),
        }
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Number::from_string_unchecked(self.exact()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = Number::deserialize(from)?;
        number.as_str().parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, pico) in
            [("0", 0), ("10", 10 * Usd::DOLLAR), ("0.000355", 355_000_000), ("1e-6", 1_000_000)]
        {
            assert_eq!(text.parse::<Usd>().unwrap().pico(), pico);
        }
        assert_eq!(Usd::from_pico(355_000_000).exact(), "0.000355");
        assert_eq!(serde_json::to_string(&Usd::dollars(10)).unwrap(), "10");
        for bad in ["", "-1", "ten", "1.2.3", "1e99", ".", "NaN"] {
            assert!(bad.parse::<Usd>().is_err(), "{bad}");
        }
    }

    #[test]
    fn people_see_cents_and_small_amounts_in_full() {
        for (text, shown) in
            [("10", "$10.00"), ("0.5", "$0.50"), ("0.000355", "$0.000355"), ("12.3456", "$12.35")]
        {
            assert_eq!(text.parse::<Usd>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_price_is_for_a_million_tokens() {
        let price: Usd = "1.25".parse().unwrap();
        assert_eq!(price.per_million(12), "0.000015".parse().unwrap());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pico in any::<u64>()) {
            let amount = Usd::from_pico(pico);
            prop_assert_eq!(amount.exact().parse::<Usd>(), Ok(amount));
        }

        #[test]
        fn few_digits_say_what_any_would(text in "[0-9]{0,8}\\.?[0-9.]{0,13}") {
            prop_assert!(parse_short(&text).is_none_or(|pico| parse_any(&text) == Some(pico)), "{text}");
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<Usd>();
        }
    }
}

//! Money: whole Vietnamese dong. Checked arithmetic only; never a float, not even on the way in.

use rust_decimal::Decimal;
use std::fmt;

/// The largest amount we accept, in dong, either way. A hundred times the largest bill of the country's
/// largest customer; small enough that a day's total fits any column it is stored in.
pub const AMOUNT_MAX_DONG: i64 = 1_000_000_000_000_000;

/// Whole dong, positive or negative, within [`AMOUNT_MAX_DONG`] either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(Decimal);

/// Why a text or a sum is not money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// Not a plain decimal number: letters, exponents, separators, an empty text.
    #[error("not a plain decimal number")]
    NotANumber,
    /// Has a fraction of a dong left after scaling.
    #[error("not a whole number of dong")]
    Fraction,
    /// Outside [`AMOUNT_MAX_DONG`].
    #[error("out of range")]
    OutOfRange,
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// From whole dong.
    ///
    /// # Errors
    /// [`NotMoney::OutOfRange`].
    pub fn from_dong(dong: i64) -> Result<Self, NotMoney> {
        Self::checked(Decimal::from(dong))
    }

    /// From the text of an amount, such as `150000`, in units of `1 / 10^scale` dong: a partner that sends dong
    /// times 100 has scale 2. Digits with an optional sign and an optional fraction, nothing else: no exponent,
    /// no separators, no spaces, because `1.500` and `1e3` mean different things to different senders.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str, scale: u32) -> Result<Self, NotMoney> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || fraction.is_some_and(|f| !plain(f)) {
            return Err(NotMoney::NotANumber);
        }
        // `150.000` is a hundred and fifty thousand to one sender and a hundred and fifty to another.
        let grouped = whole.len() <= 3 && !whole.starts_with('0') && fraction.is_some_and(|f| f.len() == 3);
        if grouped {
            return Err(NotMoney::NotANumber);
        }
        // Longer than any amount in range, even scaled: not worth parsing, and Decimal would round it.
        if text.len() > 28 {
            return Err(NotMoney::OutOfRange);
        }
        let value = Decimal::from_str_exact(text).map_err(|_overflow| NotMoney::OutOfRange)?;
        let divisor = 10_i64.checked_pow(scale).map(Decimal::from).ok_or(NotMoney::OutOfRange)?;
        let dong = value.checked_div(divisor).ok_or(NotMoney::OutOfRange)?;
        // A division that had to round would not multiply back to what was written.
        if dong.checked_mul(divisor) != Some(value) {
            return Err(NotMoney::Fraction);
        }
        Self::checked(dong)
    }

    fn checked(value: Decimal) -> Result<Self, NotMoney> {
        let value = value.normalize();
        if value.scale() != 0 {
            return Err(NotMoney::Fraction);
        }
        if value.abs() > Decimal::from(AMOUNT_MAX_DONG) {
            return Err(NotMoney::OutOfRange);
        }
        // Decimal keeps a sign on zero; two zeros must be one value.
        Ok(if value.is_zero() { Self::ZERO } else { Self(value) })
    }

    /// Whole dong.
    #[must_use]
    pub fn dong(self) -> i64 {
        i64::try_from(self.0).unwrap_or_default()
    }

    /// The sum.
    ///
    /// # Errors
    /// [`NotMoney::OutOfRange`].
    pub fn plus(self, other: Self) -> Result<Self, NotMoney> {
        Self::checked(self.0.checked_add(other.0).ok_or(NotMoney::OutOfRange)?)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`NotMoney::OutOfRange`].
    pub fn minus(self, other: Self) -> Result<Self, NotMoney> {
        Self::checked(self.0.checked_sub(other.0).ok_or(NotMoney::OutOfRange)?)
    }

    /// The same amount the other way.
    #[must_use]
    pub fn negated(self) -> Self {
        if self.is_zero() { self } else { Self(Decimal::ZERO.checked_sub(self.0).unwrap_or_default()) }
    }

    /// Adds many.
    ///
    /// # Errors
    /// [`NotMoney::OutOfRange`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, NotMoney> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// Is it nothing?
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// More than nothing?
    #[must_use]
    pub fn is_positive(self) -> bool {
        !self.0.is_zero() && self.0.is_sign_positive()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whole dong as people type it: `1513874`, `1.513.874`, `1,513,874 ₫`, `-5.000`. A point or a comma stands between
/// thousands and nowhere else: what could be read in two ways, such as `1.50` or `50000.00`, is read in none.
#[must_use]
pub fn typed_dong(text: &str) -> Option<i64> {
    let sign = |c: char| matches!(c, '₫' | 'đ' | 'Đ') || c.is_whitespace();
    let bare = text.trim().trim_matches(sign);
    let digits = bare.strip_prefix('-').unwrap_or(bare).trim_matches(sign);
    let groups: Vec<&str> = digits.split(['.', ',', ' ', '\u{a0}']).collect();
    let whole = |group: &&str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let grouped = match groups.as_slice() {
        [_] => true,
        [first, rest @ ..] => first.len() <= 3 && rest.iter().all(|group| group.len() == 3),
        [] => false,
    };
    if !grouped || !groups.iter().all(whole) {
        return None;
    }
    let dong: i64 = groups.concat().parse().ok()?;
    Some(if bare.starts_with('-') { dong.saturating_neg() } else { dong })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, scale: u32, expected: Result<i64, NotMoney>) {
        assert_eq!(Money::parse(text, scale).map(Money::dong), expected, "{text} scale {scale}");
    }

    #[test]
    fn amounts_are_read_from_their_text() {
        check("150000", 0, Ok(150_000));
        check("150000.0", 0, Ok(150_000));
        check("41250000", 2, Ok(412_500));
        check("-5", 0, Ok(-5));
        check("0", 0, Ok(0));
        check("-0", 0, Ok(0));
        check("1.5", 0, Err(NotMoney::Fraction));
        check("150", 2, Err(NotMoney::Fraction));
        check("1e3", 0, Err(NotMoney::NotANumber));
        check("1,500", 0, Err(NotMoney::NotANumber));
        check("1.500", 0, Err(NotMoney::NotANumber));
        check("150.000", 0, Err(NotMoney::NotANumber));
        check("-150.000", 2, Err(NotMoney::NotANumber));
        check("150000.000", 0, Ok(150_000));
        check("0.000", 0, Ok(0));
        check("", 0, Err(NotMoney::NotANumber));
        check("-", 0, Err(NotMoney::NotANumber));
        check("+1", 0, Err(NotMoney::NotANumber));
        check(" 1", 0, Err(NotMoney::NotANumber));
        check("NaN", 0, Err(NotMoney::NotANumber));
        check("1000000000000000000000000000000", 0, Err(NotMoney::OutOfRange));
        check("1000000000000001", 0, Err(NotMoney::OutOfRange));
        check("1000000000000000", 0, Ok(AMOUNT_MAX_DONG));
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(dong in -AMOUNT_MAX_DONG..=AMOUNT_MAX_DONG) {
            let money = Money::parse(&dong.to_string(), 0).unwrap();
            prop_assert_eq!(money.dong(), dong);
            prop_assert_eq!(money.to_string(), dong.to_string());
        }

        #[test]
        fn a_sum_and_its_negation_cancel(a in -1_000_000_000_i64..1_000_000_000, b in -1_000_000_000_i64..1_000_000_000) {
            let (a, b) = (Money::from_dong(a).unwrap(), Money::from_dong(b).unwrap());
            prop_assert_eq!(a.plus(b).unwrap().minus(b).unwrap(), a);
            prop_assert!(a.plus(a.negated()).unwrap().is_zero());
        }
    }

    #[test]
    fn a_sum_is_read_as_people_type_it_or_not_at_all() {
        for text in ["1513874", "1.513.874", "1,513,874", " 1.513.874\u{a0}₫", "₫1,513,874", "1 513 874đ"] {
            assert_eq!(super::typed_dong(text), Some(1_513_874), "{text}");
        }
        assert_eq!(["-5.000", "0", "-₫45,000"].map(super::typed_dong), [-5_000, 0, -45_000].map(Some));
        for text in
            ["", "₫", "-", "1.5", "50000.00", "12.34.567", "HD-1", "1..513", "1e3", "--1", "99999999999999999999"]
        {
            assert_eq!(super::typed_dong(text), None, "{text}");
        }
    }
}

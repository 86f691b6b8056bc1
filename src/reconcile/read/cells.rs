//! What stands in a cell, and the ids and amounts that are read from it. Amounts come from their digits; an id that a
//! spreadsheet made a number of is taken only while no digit can have been lost.

use crate::domain::money::AMOUNT_MAX_DONG;

/// The longest number that a spreadsheet keeps whole, in digits.
const NUMBER_MAX_DIGITS: usize = 15;

/// The longest text of an amount, in bytes: separators and empty decimals included.
const AMOUNT_MAX_BYTES: usize = 40;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'c> {
    /// Nothing, or only spaces.
    Empty,
    /// A text, without spaces around it.
    Text(&'c str),
    /// A number that is no text, in plain digits.
    Number(&'c str),
    /// A date or a time of day, as a spreadsheet's day number.
    Serial(&'c str),
    /// An error of a formula.
    Error(&'c str),
}

/// A row of cells.
pub(super) trait Cells {
    /// The cell of a column, from 0.
    fn cell(&self, column: usize) -> Cell<'_>;
    /// How many there are.
    fn width(&self) -> usize;

    /// The first that is not empty.
    fn first(&self) -> Option<Cell<'_>> {
        (0..self.width()).map(|column| self.cell(column)).find(|cell| !cell.is_empty())
    }
}

impl<'c> Cell<'c> {
    /// A text of a file.
    pub(super) fn text(text: &'c str) -> Self {
        let trimmed = text.trim();
        if trimmed.is_empty() { Self::Empty } else { Self::Text(trimmed) }
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::Empty
    }

    /// What is written there.
    pub(super) fn written(self) -> &'c str {
        match self {
            Self::Empty => "",
            Self::Text(text) | Self::Number(text) | Self::Serial(text) | Self::Error(text) => text,
        }
    }

    /// An id or a reference; `None` for none.
    pub(super) fn id(self) -> Result<Option<&'c str>, &'static str> {
        match self {
            Self::Empty => Ok(None),
            Self::Text(text) if is_scientific(text) => Err(ID_LOST),
            Self::Text(text) => Ok(Some(text)),
            Self::Number(text) => {
                let whole = text.len() <= NUMBER_MAX_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
                if whole { Ok(Some(text)) } else { Err(ID_LOST) }
            }
            Self::Serial(_) => Err("an id: this one was turned into a date by a spreadsheet; send it as text"),
            Self::Error(_) => Err("an id, not a formula's error"),
        }
    }

    /// Whole dong; `None` for none.
    pub(super) fn dong(self, thousands: Option<u8>) -> Result<Option<i64>, &'static str> {
        match self {
            Self::Empty => Ok(None),
            Self::Text(text) => dong(text.as_bytes(), thousands).map(Some),
            Self::Number(text) => dong(text.as_bytes(), None).map(Some),
            Self::Serial(_) => Err("an amount, not a date"),
            Self::Error(_) => Err("an amount, not a formula's error"),
        }
    }
}

const ID_LOST: &str = "an id: this one was turned into a number by a spreadsheet; send it as text";

/// `2.60401E+14`: what a spreadsheet shows of a long number, and writes when it saves as text.
fn is_scientific(text: &str) -> bool {
    let Some((head, power)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mantissa = match head.split_once(['.', ',']) {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => false,
    };
    mantissa && power.strip_prefix(['+', '-']).is_some_and(digits)
}

/// Whole dong from digits in groups, with decimals that are zero.
fn dong(text: &[u8], thousands: Option<u8>) -> Result<i64, &'static str> {
    if text.len() > AMOUNT_MAX_BYTES {
        return Err(OUT_OF_RANGE);
    }
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let point = if thousands == Some(b'.') { b',' } else { b'.' };
    let (whole, fraction) = match digits.iter().position(|b| *b == point) {
        None => (digits, None),
        Some(at) => (digits.get(..at).unwrap_or_default(), digits.get(at + 1..)),
    };
    let grouped = thousands.is_some_and(|mark| whole.contains(&mark));
    let value = if grouped { groups(whole, thousands)? } else { number(whole, 0)? };
    if let Some(fraction) = fraction {
        if fraction.is_empty() || !fraction.iter().all(u8::is_ascii_digit) {
            return Err(NOT_A_NUMBER);
        }
        // `150.000` is a hundred and fifty thousand to one sender and a hundred and fifty to another.
        if fraction.len() == 3 && whole.len() <= 3 && whole.first() != Some(&b'0') {
            return Err("an amount that can be read in one way only: see thousands");
        }
        if fraction.iter().any(|b| *b != b'0') {
            return Err("whole dong");
        }
    }
    if value > AMOUNT_MAX_DONG {
        return Err(OUT_OF_RANGE);
    }
    Ok(if negative { -value } else { value })
}

const NOT_A_NUMBER: &str = "an amount in plain digits, with the thousands of the layout";
const OUT_OF_RANGE: &str = "an amount in range";

fn groups(whole: &[u8], thousands: Option<u8>) -> Result<i64, &'static str> {
    let mut value = 0;
    for (n, group) in whole.split(|b| Some(*b) == thousands).enumerate() {
        let right = if n == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        if !right {
            return Err(NOT_A_NUMBER);
        }
        value = number(group, value)?;
    }
    Ok(value)
}

fn number(digits: &[u8], start: i64) -> Result<i64, &'static str> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NOT_A_NUMBER);
    }
    digits
        .iter()
        .try_fold(start, |value, digit| {
            let next = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
            Some(next)
        })
        .ok_or(OUT_OF_RANGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str, thousands: &str) -> Result<i64, &'static str> {
        Cell::text(text).dong(thousands.bytes().next()).map(|dong| dong.unwrap_or(-1))
    }

    #[test]
    fn amounts_are_read_in_the_layouts_spelling_only() {
        for (text, thousands, expected) in [
            ("150000", "", Ok(150_000)),
            (" 150000.00 ", "", Ok(150_000)),
            ("-150000", "", Ok(-150_000)),
            ("1,513,874", ",", Ok(1_513_874)),
            ("1,513,874.00", ",", Ok(1_513_874)),
            ("1.513.874", ".", Ok(1_513_874)),
            ("1.513.874,00", ".", Ok(1_513_874)),
            ("1513874", ".", Ok(1_513_874)),
            ("0", ",", Ok(0)),
            ("", ",", Ok(-1)),
            ("1,513,874", "", Err(NOT_A_NUMBER)),
            ("1,513,874", ".", Err(NOT_A_NUMBER)),
            ("1.513.874", ",", Err(NOT_A_NUMBER)),
            ("1,51,874", ",", Err(NOT_A_NUMBER)),
            ("15,13874", ",", Err(NOT_A_NUMBER)),
            (",150", ",", Err(NOT_A_NUMBER)),
            ("150000.5", "", Err("whole dong")),
            ("150.000", "", Err("an amount that can be read in one way only: see thousands")),
            ("150.000", ",", Err("an amount that can be read in one way only: see thousands")),
            ("150,000", ".", Err("an amount that can be read in one way only: see thousands")),
            ("1e6", "", Err(NOT_A_NUMBER)),
            ("١٥٠", "", Err(NOT_A_NUMBER)),
            ("150000 VND", "", Err(NOT_A_NUMBER)),
            ("--5", "", Err(NOT_A_NUMBER)),
            ("1000000000000001", "", Err(OUT_OF_RANGE)),
            ("99999999999999999999999999", "", Err(OUT_OF_RANGE)),
        ] {
            assert_eq!(amount(text, thousands), expected, "{text} with {thousands:?}");
        }
    }

    #[test]
    fn an_id_that_a_spreadsheet_may_have_rounded_is_refused() {
        assert_eq!(Cell::Number("260401000000175").id(), Ok(Some("260401000000175")));
        assert_eq!(Cell::Number("2604010000001750").id(), Err(ID_LOST));
        assert_eq!(Cell::Number("1.5").id(), Err(ID_LOST));
        assert_eq!(Cell::text("2.60401E+14").id(), Err(ID_LOST));
        assert_eq!(Cell::text("2604010000001750").id(), Ok(Some("2604010000001750")));
        assert_eq!(Cell::text("12E34").id(), Ok(Some("12E34")));
        assert!(Cell::Serial("46113").id().is_err());
    }
}

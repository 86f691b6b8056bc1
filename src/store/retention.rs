//! What may be forgotten, and what of it a slice found: the bytes that came and the bytes that were told, once they
//! are old and nobody needs them any more. Never what they did: receipts, their hashes, event keys and money stay.
//!
//! Not forgotten, however old (each is a line of the stores' questions, and of the contract's table):
//! - a call that could not be read, until `notice redo` has read it;
//! - a call whose payment is parked, or one half of a payment and its reversal that wait for each other;
//! - a call whose payment has a message that the core has not taken, and that message;
//! - a call and a message that an open break is about: by payment, by reversal (its own or the one of its payment), by
//!   message or by invoice.

use super::StoreError;
use super::numbers::{block_end, lane_end};
use crate::domain::time::Timestamp;

/// A slice that finds only younger rows leaps over the rest of their lane or block, whose numbers rise with time; but not
/// because of a few rows that a wrong clock has dated.
const LEAP_MIN: usize = 64;

/// What may be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasable {
    /// The calls as they came; by the time they came.
    Raw,
    /// What was sent to the core with every attempt; by the time the core took it, or a person ended it.
    Attempts,
}

impl Erasable {
    /// The word in the database and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Attempts => "attempts",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Raw, Self::Attempts].into_iter().find(|what| what.word() == word)
    }
}

/// One slice to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseRequest {
    /// What.
    pub what: Erasable,
    /// Only what is older.
    pub before: Timestamp,
    /// Now, for the record.
    pub at: Timestamp,
    /// Where to go on: 0, then each slice's `next`.
    pub after: i64,
    /// Rows to look at, at most.
    pub limit: u32,
    /// Look and change nothing.
    pub dry_run: bool,
}

/// What one slice, or several, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Rows looked at.
    pub looked_at: u64,
    /// Erased, or to be erased.
    pub erased: u64,
    /// Old enough, and still needed.
    pub kept: u64,
    /// Where the next slice goes on; `None` at the end.
    pub next: Option<i64>,
}

impl Erased {
    /// With the slice that came after it.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            looked_at: self.looked_at.saturating_add(later.looked_at),
            erased: self.erased.saturating_add(later.erased),
            kept: self.kept.saturating_add(later.kept),
            next: later.next,
        }
    }
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Too young.
    Young,
    /// Old, and still needed.
    Kept,
    /// Old, and nobody needs it.
    Goes,
    /// Erased before.
    Gone,
}

impl Age {
    /// From the number that the stores' questions give.
    pub(super) fn of(number: i64) -> Result<Self, StoreError> {
        match number {
            0 => Ok(Self::Young),
            1 => Ok(Self::Kept),
            2 => Ok(Self::Goes),
            3 => Ok(Self::Gone),
            _ => Err(StoreError::Fault("retention.look: no such age".to_owned())),
        }
    }
}

/// Sums a slice up, and says which of its rows go.
#[must_use]
pub fn judge(request: &EraseRequest, rows: &[(i64, Age)]) -> (Erased, Vec<i64>) {
    let goes: Vec<i64> = rows.iter().filter(|(_, age)| *age == Age::Goes).map(|(no, _)| *no).collect();
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let full = count(rows.len()) >= u64::from(request.limit);
    let leaps = rows.len() >= LEAP_MIN && rows.iter().all(|(_, age)| *age == Age::Young);
    let last = rows.last().map(|(no, _)| *no).filter(|_| full);
    let next = last.map(|no| match request.what {
        Erasable::Raw if leaps => lane_end(no),
        Erasable::Attempts if leaps => block_end(no),
        Erasable::Raw | Erasable::Attempts => no,
    });
    let kept = rows.iter().filter(|(_, age)| *age == Age::Kept).count();
    let erased = Erased { looked_at: count(rows.len()), erased: count(goes.len()), kept: count(kept), next };
    (erased, goes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(what: Erasable, ages: &[Age], limit: u32, expected: (u64, u64, Option<i64>)) {
        let lane = 2_i64 << 40;
        let rows: Vec<_> = (1..).map(|n| lane + n).zip(ages.iter().copied()).collect();
        let at = Timestamp::default();
        let request = EraseRequest { what, before: at, at, after: 0, limit, dry_run: false };
        let (erased, goes) = judge(&request, &rows);
        assert_eq!((erased.erased, erased.kept, erased.next.map(|no| no - lane)), expected);
        assert_eq!(u64::try_from(goes.len()).unwrap(), erased.erased);
    }

    #[test]
    fn a_slice_goes_on_after_its_last_row_and_ends_when_it_is_not_full() {
        let ages = [Age::Goes, Age::Kept, Age::Young, Age::Gone, Age::Goes];
        check(Erasable::Raw, &ages, 5, (2, 1, Some(5)));
        check(Erasable::Raw, &ages, 6, (2, 1, None));
        check(Erasable::Attempts, &[], 6, (0, 0, None));
    }

    #[test]
    fn many_younger_ones_end_a_lane_or_a_block_and_a_few_do_not() {
        check(Erasable::Raw, &[Age::Young; 63], 63, (0, 0, Some(63)));
        check(Erasable::Raw, &[Age::Young; 64], 64, (0, 0, Some((1 << 40) - 1)));
        check(Erasable::Attempts, &[Age::Young; 64], 64, (0, 0, Some((1 << 36) - 1)));
        let mut ages = [Age::Young; 64];
        ages[5] = Age::Gone;
        check(Erasable::Attempts, &ages, 64, (0, 0, Some(64)));
    }
}

//! What a write's postings move, summed by sender, business day, account and kind: rows that are kept beside the entries, so
//! that what a partner's books come to over any days is read, and not found by a walk through all of them.

use super::StoreError;
use crate::domain::posting::PostingKind;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Whose row it is. `N` is the database's row number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DayOf<N> {
    /// Of the posting's event.
    pub(super) sender_no: N,
    /// Of the posting.
    pub(super) business_day: Date,
    /// Of the entries.
    pub(super) account_no: N,
    /// Of the posting.
    pub(super) kind: PostingKind,
}

/// What is added to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DaySum {
    /// How many postings.
    pub(super) postings: i64,
    /// Debits less credits, in dong.
    pub(super) dong: i64,
    /// The posting that was counted last.
    last: i64,
}

/// The sums of a write, in the order of what they are of: whoever takes their rows' locks takes them so.
#[derive(Debug)]
pub(super) struct DaySums<N>(BTreeMap<DayOf<N>, DaySum>);

impl<N: Ord> DaySums<N> {
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds an entry of the posting of this number. A posting's entries come one after the other.
    pub(super) fn add(&mut self, of: DayOf<N>, posting_no: i64, dong: i64) -> Result<(), StoreError> {
        let sum = self.0.entry(of).or_default();
        if sum.last != posting_no {
            (sum.last, sum.postings) = (posting_no, sum.postings.saturating_add(1));
        }
        let total = sum.dong.checked_add(dong);
        sum.dong = total.ok_or_else(|| StoreError::Fault("day_sums.add: out of range".to_owned()))?;
        Ok(())
    }

    pub(super) fn into_rows(self) -> impl Iterator<Item = (DayOf<N>, DaySum)> {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{DayOf, DaySums};
    use crate::domain::posting::PostingKind;
    use jiff::civil::date;

    #[test]
    fn a_posting_is_counted_once_on_each_account_and_its_entries_are_summed() {
        let of = |account_no: i64, kind| DayOf { sender_no: 1_i64, business_day: date(2026, 11, 22), account_no, kind };
        let mut sums = DaySums::new();
        for (posting, account, kind, dong) in [
            (7, 2, PostingKind::Settle, 100),
            (7, 2, PostingKind::Settle, -10),
            (7, 1, PostingKind::Settle, -90),
            (8, 2, PostingKind::Settle, 50),
            (8, 1, PostingKind::Settle, -50),
            (9, 2, PostingKind::Reverse, -50),
        ] {
            sums.add(of(account, kind), posting, dong).unwrap();
        }
        let rows: Vec<_> = sums.into_rows().map(|(of, sum)| (of.account_no, of.kind, sum.postings, sum.dong)).collect();
        let expected =
            [(1, PostingKind::Settle, 2, -140), (2, PostingKind::Settle, 2, 140), (2, PostingKind::Reverse, 1, -50)];
        assert_eq!(rows, expected, "in the order of what they are of");
    }

    #[test]
    fn a_sum_beyond_what_can_be_counted_is_refused() {
        let of =
            DayOf { sender_no: 1_i64, business_day: date(2026, 11, 22), account_no: 1_i64, kind: PostingKind::Park };
        let mut sums = DaySums::new();
        sums.add(of, 1, i64::MAX).unwrap();
        assert!(sums.add(of, 2, 1).is_err());
    }
}

//! What a partner's books and comparisons come to over some days: what minutes state.

use crate::domain::ids::{InvoiceId, PartnerCode};
use crate::domain::posting::{Account, PostingKind};
use crate::domain::resolution::BreakState;
use crate::domain::review::BreakClass;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use jiff::civil::Date;

/// Business days of a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period<'a> {
    /// Whose.
    pub partner: &'a PartnerCode,
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub to: Date,
}

/// What one kind of posting moved on one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// Which account.
    pub account: Account,
    /// By postings of this kind.
    pub kind: PostingKind,
    /// How many postings.
    pub postings: u64,
    /// Debits less credits, in dong. A sum over many days: it may be beyond what one amount may be.
    pub dong: i64,
}

/// What the partner's postings of one business day moved on what it owes and on what is taken off that, in dong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayBooks {
    /// Which day.
    pub day: Date,
    /// On its clearing account.
    pub clearing: i64,
    /// On its fee account.
    pub fee: i64,
    /// On the accounts of sponsors.
    pub promotion: i64,
}

impl DayBooks {
    /// Of a day without postings.
    #[must_use]
    pub fn nothing(day: Date) -> Self {
        Self { day, clearing: 0, fee: 0, promotion: 0 }
    }

    /// Is there anything in it?
    #[must_use]
    pub fn is_something(&self) -> bool {
        *self != Self::nothing(self.day)
    }
}

/// A partner's books over a period, by business days of postings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeriodBooks {
    /// Each day up to the last one with postings on these accounts, also those before the first; by day. Summed on their
    /// own, not from what moved.
    pub days: Vec<DayBooks>,
    /// What the partner's postings moved, in the order of accounts' names and kinds.
    pub moved: Vec<Moved>,
}

/// Breaks of a partner's own statements: those of the period's days, and earlier ones that are still open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeriodBreaks {
    /// The first of them, in the order of their numbers.
    pub first: Vec<PeriodBreak>,
    /// How many there are.
    pub count: u64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeriodBreak {
    /// Its number.
    pub no: i64,
    /// Its class.
    pub class: BreakClass,
    /// The day of the comparison that opened it.
    pub day: Date,
    /// The partner's own id of the payment, which stands in its statement.
    pub payment: Option<String>,
    /// The invoice.
    pub invoice: Option<InvoiceId>,
    /// What our books say, in dong.
    pub ours: Option<i64>,
    /// What the statement says, in dong.
    pub theirs: Option<i64>,
    /// Where it stands.
    pub state: BreakState,
    /// When it was closed,
    pub closed_at: Option<Timestamp>,
    /// and why.
    pub close_reason: Option<String>,
}

/// Questions about a partner's days. Part of [`super::reports::Reports`].
pub trait Periods {
    /// What a partner's books come to.
    ///
    /// # Errors
    /// The machine's.
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError>;

    /// What its statements and our books differ in: all are counted, at most `limit` are listed.
    ///
    /// # Errors
    /// The machine's.
    fn period_breaks(&mut self, period: &Period<'_>, limit: u32) -> Result<PeriodBreaks, StoreError>;
}

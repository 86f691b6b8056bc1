//! Breaks: what a person must look at. Opened by the same commit as what caused them.

use super::ids::{DispatchKey, EventKey, InvoiceId, PartnerCode};
use super::money::Money;
use super::statement::{LineNo, StatementKind};
use super::time::Timestamp;
use jiff::civil::Date;

pub use super::break_class::{About, BreakClass};

/// A break to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBreak {
    /// The class.
    pub class: BreakClass,
    /// Whose payment, if a partner's.
    pub partner: Option<PartnerCode>,
    /// The payment, if one is known.
    pub event: Option<EventKey>,
    /// The invoice, if one is known.
    pub invoice: Option<InvoiceId>,
    /// The message to the core, if it is about one.
    pub dispatch: Option<DispatchKey>,
    /// How much money it is about.
    pub amount: Money,
    /// One sentence of facts; no payer's data.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What makes it the same as another one: it is not opened beside an open one with the same mark, whichever
    /// instance opened that. `None`: there is no other one like it.
    pub mark: Option<[u8; 32]>,
    /// What a comparison says of it, if one opened it.
    pub leg: Option<Leg>,
}

/// Both sides of a difference between our books and a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Whose word was compared.
    pub kind: StatementKind,
    /// Of which day.
    pub day: Date,
    /// The line, if there is one.
    pub line: Option<LineNo>,
    /// What our books say, in dong, signed; `None` where they say nothing.
    pub ours: Option<i64>,
    /// What the statement says, in dong, signed; `None` where it says nothing.
    pub theirs: Option<i64>,
    /// May the next day bring the other side?
    pub carried: bool,
}

impl Leg {
    /// The statement less our books, in dong: what one side says nothing of counts for nothing there, so that a day's
    /// differences are the sum of its breaks.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.theirs.unwrap_or(0).saturating_sub(self.ours.unwrap_or(0))
    }
}

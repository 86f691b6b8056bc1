//! Breaks: what a person must look at. Opened by the same commit as what caused them.

use super::ids::{DispatchKey, EventKey, InvoiceId, PartnerCode};
use super::money::Money;
use super::time::Timestamp;

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
}

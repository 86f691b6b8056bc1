//! Breaks: what a person must look at. Opened by the same commit as what caused them.

use super::ids::{DispatchKey, EventKey, InvoiceId, PartnerCode};
use super::money::Money;
use super::statement::{LineNo, StatementKind};
use super::time::Timestamp;
use jiff::civil::Date;

/// The class of a break. Codes are those of the reconciliation desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakClass {
    /// Money on no bill: the references name none.
    UnknownRef,
    /// The references contradict each other.
    ContradictoryRef,
    /// The amount is not what is open.
    AmountMismatch,
    /// The bill was closed already.
    DuplicatePayment,
    /// The bill was withdrawn.
    CancelledInvoice,
    /// One event said with two contents.
    Conflict,
    /// A failure after a success, or the other way round.
    StatusMismatch,
    /// A reversal that could not be booked.
    ReversalRefused,
    /// A proved call outside the time tolerance.
    Stale,
    /// A proved call that could not be read.
    Unreadable,
    /// A proved call that came while its partner was paused.
    Paused,
    /// An older bill stays open.
    OutOfOrder,
    /// The core changed an invoice under money of ours.
    InvoiceChanged,
    /// The core cleared the bill for somebody else.
    BillAlreadyCleared,
    /// The core has not taken a message for too long or refused it.
    PaidNotCleared,
}

impl BreakClass {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::UnknownRef,
        Self::ContradictoryRef,
        Self::AmountMismatch,
        Self::DuplicatePayment,
        Self::CancelledInvoice,
        Self::Conflict,
        Self::StatusMismatch,
        Self::ReversalRefused,
        Self::Stale,
        Self::Unreadable,
        Self::Paused,
        Self::OutOfOrder,
        Self::InvoiceChanged,
        Self::BillAlreadyCleared,
        Self::PaidNotCleared,
    ];

    /// The code in the database, the API and reports.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownRef => "UNKNOWN_REF",
            Self::ContradictoryRef => "CONTRADICTORY_REF",
            Self::AmountMismatch => "AMOUNT_MISMATCH",
            Self::DuplicatePayment => "DUPLICATE_PAYMENT",
            Self::CancelledInvoice => "CANCELLED_INVOICE",
            Self::Conflict => "CONFLICT",
            Self::StatusMismatch => "STATUS_MISMATCH",
            Self::ReversalRefused => "REVERSAL_REFUSED",
            Self::Stale => "STALE",
            Self::Unreadable => "UNREADABLE",
            Self::Paused => "PAUSED",
            Self::OutOfOrder => "OUT_OF_ORDER",
            Self::InvoiceChanged => "INVOICE_CHANGED",
            Self::BillAlreadyCleared => "BILL_ALREADY_CLEARED",
            Self::PaidNotCleared => "PAID_NOT_CLEARED",
        }
    }

    /// From its code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.code() == code)
    }
}

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

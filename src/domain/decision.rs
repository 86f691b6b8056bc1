//! What matching decides: settle these invoices, or park with a reason.

use super::ids::InvoiceId;
use super::money::Money;
use super::outcome::Outcome;

/// One invoice's share of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which invoice.
    pub invoice: InvoiceId,
    /// How much of it.
    pub amount: Money,
}

/// The judgement on one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The parts add up to the whole amount.
    Settle {
        /// At least one.
        parts: Vec<Part>,
        /// An older bill of the customer stays open: settled all the same, with a warning.
        out_of_order: bool,
    },
    /// The whole amount waits in suspense.
    Park(ParkReason),
}

/// Why a payment is not on an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParkReason {
    /// The references point at different bills or customers.
    ContradictoryReference,
    /// No bill by that reference, or none stated.
    UnknownInvoice,
    /// The bill is closed: settled here, elsewhere, or nothing was owed.
    AlreadyPaid,
    /// The bill was withdrawn by the core.
    Cancelled,
    /// The bill is open, over another amount.
    WrongAmount,
    /// Its reversal came first, over another amount.
    ReversedOtherAmount,
    /// Two people took it off its invoices.
    TakenOff,
}

impl ParkReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ContradictoryReference,
        Self::UnknownInvoice,
        Self::AlreadyPaid,
        Self::Cancelled,
        Self::WrongAmount,
        Self::ReversedOtherAmount,
        Self::TakenOff,
    ];

    /// The word in the database and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ContradictoryReference => "contradictory_reference",
            Self::UnknownInvoice => "unknown_invoice",
            Self::AlreadyPaid => "already_paid",
            Self::Cancelled => "cancelled",
            Self::WrongAmount => "wrong_amount",
            Self::ReversedOtherAmount => "reversed_other_amount",
            Self::TakenOff => "taken_off",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }

    /// What the collector hears.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        match self {
            Self::ContradictoryReference | Self::UnknownInvoice | Self::Cancelled => Outcome::UnknownInvoice,
            Self::AlreadyPaid => Outcome::AlreadyPaid,
            Self::WrongAmount | Self::ReversedOtherAmount => Outcome::WrongAmount,
            // Its sender heard "accepted", and the money is here.
            Self::TakenOff => Outcome::Duplicate,
        }
    }
}

//! Rows as both databases keep them, and the checks on their way back in: data read is checked, not trusted.

use crate::domain::decision::ParkReason;
use crate::domain::ids::{EventKey, Funder, InvoiceId, Movement, PartnerCode};
use crate::domain::money::Money;
use crate::domain::notice::Content;
use crate::domain::statement::LineNo;
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// The one row of an event key. The content is that of the first notice and never changes; the state does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// The identity.
    pub key: EventKey,
    /// Whose.
    pub partner: PartnerCode,
    /// Our merchant account at the partner.
    pub account: String,
    /// The partner's name for the event, for people.
    pub event: String,
    /// Payment or reversal.
    pub movement: Movement,
    /// What it said, first.
    pub content: Content,
    /// What the partner charges.
    pub fee: Money,
    /// Who pays the discount.
    pub funder: Option<Funder>,
    /// How the customer paid.
    pub channel: Option<String>,
    /// When the customer paid.
    pub paid_at: Timestamp,
    /// The partner's business day.
    pub business_day: Date,
    /// Where it stands.
    pub state: EventState,
    /// The invoice it names exactly, as matching read its references: what an import may bring later.
    pub names_invoice: Option<InvoiceId>,
    /// How many postings it has.
    pub postings: u32,
    /// The statement line that it was made from, where no notice brought it.
    pub made_from: Option<LineNo>,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventState {
    /// A payment, on invoices.
    Settled,
    /// A payment, in suspense.
    Parked(ParkReason),
    /// A payment, undone.
    Reversed,
    /// A payment that has not come: its reversal did. The row's content is the reversal's.
    Expected {
        /// The reversal that came first.
        reversal: EventKey,
    },
    /// A reversal that was booked.
    Applied,
    /// A reversal that waits for its payment.
    Waiting,
    /// A reversal that was refused.
    Refused,
}

impl EventState {
    /// The word in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Parked(_) => "parked",
            Self::Reversed => "reversed",
            Self::Expected { .. } => "expected",
            Self::Applied => "applied",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }

    /// From the three columns that hold it.
    #[must_use]
    pub fn parse(word: &str, reason: Option<&str>, reversal: Option<EventKey>) -> Option<Self> {
        match word {
            "settled" => Some(Self::Settled),
            "parked" => reason.and_then(ParkReason::parse).map(Self::Parked),
            "reversed" => Some(Self::Reversed),
            "expected" => reversal.map(|reversal| Self::Expected { reversal }),
            "applied" => Some(Self::Applied),
            "waiting" => Some(Self::Waiting),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }
}

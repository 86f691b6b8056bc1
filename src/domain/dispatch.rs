//! What the billing core must be told, and how far that got.

use super::ids::{CustomerCode, DispatchKey, EventKey, Funder, InvoiceId, PartnerCode, UnitCode};
use super::money::Money;
use super::time::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

/// What happened, in the core's vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DispatchKind {
    /// An invoice was settled.
    Settled,
    /// A settlement was taken back.
    Reversed,
}

impl DispatchKind {
    /// The `type` of the message.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settled => "payment.settled",
            Self::Reversed => "payment.reversed",
        }
    }
}

/// The facts of one effect on one invoice. Serialised once, when it is posted, so that every attempt carries the
/// same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchFacts {
    /// What happened.
    pub kind: DispatchKind,
    /// The payment.
    pub payment: EventKey,
    /// Through whom.
    pub partner: PartnerCode,
    /// The partner's name for the event that caused this.
    pub event: String,
    /// Which invoice.
    pub invoice: InvoiceId,
    /// Whose.
    pub customer: CustomerCode,
    /// Of which unit.
    pub unit: UnitCode,
    /// What the bill is reduced by (or raised again by).
    pub amount: Money,
    /// The customer's own part of it.
    pub customer_paid: Money,
    /// The sponsor's part of it.
    pub discount: Money,
    /// The sponsor.
    pub funder: Option<Funder>,
    /// How the customer paid.
    pub channel: Option<String>,
    /// When, as the partner says.
    pub paid_at: Timestamp,
    /// The partner's business day.
    pub business_day: Date,
    /// The key of the settlement that is taken back.
    pub reverses: Option<DispatchKey>,
    /// Rises per invoice; an older one is to be ignored.
    pub sequence: u32,
}

impl DispatchFacts {
    /// The message's body.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Message<'a> {
            r#type: &'a str,
            data: Data<'a>,
        }
        #[derive(Serialize)]
        struct Data<'a> {
            payment: String,
            partner: &'a str,
            event: &'a str,
            invoice_id: &'a str,
            customer_code: &'a str,
            unit: &'a str,
            amount: i64,
            customer_paid: i64,
            discount: i64,
            funder: Option<&'a str>,
            channel: Option<&'a str>,
            paid_at: String,
            business_day: String,
            reverses: Option<&'a str>,
            sequence: u32,
        }
        let message = Message {
            r#type: self.kind.word(),
            data: Data {
                payment: self.payment.to_string(),
                partner: self.partner.as_str(),
                event: &self.event,
                invoice_id: self.invoice.as_str(),
                customer_code: self.customer.as_str(),
                unit: self.unit.as_str(),
                amount: self.amount.dong(),
                customer_paid: self.customer_paid.dong(),
                discount: self.discount.dong(),
                funder: self.funder.as_ref().map(Funder::as_str),
                channel: self.channel.as_deref(),
                paid_at: self.paid_at.to_string(),
                business_day: self.business_day.to_string(),
                reverses: self.reverses.as_ref().map(DispatchKey::as_str),
                sequence: self.sequence,
            },
        };
        // A struct of texts and integers always serialises.
        serde_json::to_string(&message).unwrap_or_default()
    }
}

/// A new message for the core, as the posting's commit stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The idempotency key: `webhook-id`.
    pub key: DispatchKey,
    /// Which invoice: messages of one invoice keep their order.
    pub invoice: InvoiceId,
    /// Its place in that order.
    pub sequence: u32,
    /// The exact bytes of every attempt.
    pub body: String,
    /// Is the invoice overdue, so that a late word may cut somebody's power?
    pub urgent: bool,
    /// When it was posted; also when it may first be sent.
    pub created_at: Timestamp,
}

/// Why a message waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParkCause {
    /// The core refused its content (400, 410, 422 or another 4xx).
    Rejected,
    /// The core says the bill is closed by somebody else (409 without our id).
    BillAlreadyCleared,
    /// Retried for days without an answer.
    Exhausted,
    /// It alone kept meeting what else pauses the way (401, 403, 404, a redirect, TLS), while others were taken.
    Walled,
    /// A person put it on hold.
    Held,
}

impl ParkCause {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Rejected, Self::BillAlreadyCleared, Self::Exhausted, Self::Walled, Self::Held];

    /// The word in the database and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::BillAlreadyCleared => "bill_already_cleared",
            Self::Exhausted => "exhausted",
            Self::Walled => "walled",
            Self::Held => "held",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }
}

/// How far a message got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatchState {
    /// To be sent at or after a time.
    Waiting {
        /// Not before.
        not_before: Timestamp,
    },
    /// An instance is sending it. Its result counts only with this token, until the lease ends.
    Leased {
        /// Who holds it: the fence.
        token: LeaseToken,
        /// When another instance may take it.
        until: Timestamp,
    },
    /// The core took it.
    Delivered {
        /// When it said so.
        at: Timestamp,
    },
    /// Waits for a person; blocks the later ones of its invoice.
    Parked {
        /// Why.
        cause: ParkCause,
    },
    /// A person ended it without the core's yes; frees its invoice.
    Closed,
}

/// The fence of a lease: names one instance's one attempt. A result under another token changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken(pub u64);

/// A message in the hands of this instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeasedDispatch {
    /// The idempotency key.
    pub key: DispatchKey,
    /// Which invoice.
    pub invoice: InvoiceId,
    /// The exact bytes.
    pub body: String,
    /// How often it was tried before.
    pub attempts: u32,
    /// How often it met a wall on an open way before.
    pub walls: u32,
    /// When it was posted.
    pub created_at: Timestamp,
    /// The fence.
    pub token: LeaseToken,
    /// In the fast lane?
    pub urgent: bool,
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The core took it.
    Delivered,
    /// Try again under the same key.
    Retry {
        /// Not before.
        not_before: Timestamp,
        /// For people: `http 503`, `timeout`.
        reason: String,
    },
    /// Wait for a person.
    Parked {
        /// Why.
        cause: ParkCause,
        /// For people.
        reason: String,
    },
    /// It met a wall on an open way: give it back without counting the attempt, but count the wall.
    Walled {
        /// Not before, as in [`AttemptResult::Released`].
        not_before: Timestamp,
        /// For people: `http 404`, `tls`.
        reason: String,
    },
    /// Not this message's fault (the route is down or paused): give it back without counting the attempt.
    Released {
        /// Not before, so that another message may go first. Never makes it due earlier than it was: its own
        /// `created_at` leaves it where it stood.
        not_before: Timestamp,
    },
}

/// The result of one leased message, to be written under its fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchResult {
    /// Which message.
    pub key: DispatchKey,
    /// Under which lease.
    pub token: LeaseToken,
    /// What happened.
    pub result: AttemptResult,
    /// When.
    pub at: Timestamp,
}

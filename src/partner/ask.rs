//! What a collector asks before and after a payment, `POST /partners/{p}/bills` and `/status`, and our answers in
//! its words. The call is proved like a notice ([`super::Profile::prove`]); these plans read it and reply. Who looks
//! the answer up is above this module.

use super::decode::{self, Known, ReferencePlan};
use super::locate::Place;
use super::reply::{Bill, Facts, ReplyPlan};
use super::signature::AuthenticNotice;
use crate::domain::ids::{EventId, EventKey};
use crate::domain::money::Money;
use crate::domain::notice::References;
use crate::domain::outcome::Refusal;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word in profiles.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// From its word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl From<&Refusal> for $name {
            fn from(refusal: &Refusal) -> Self {
                match refusal {
                    Refusal::BadSignature(_) => Self::BadSignature,
                    Refusal::Stale { .. } => Self::Stale,
                    Refusal::Malformed { .. } => Self::Malformed,
                }
            }
        }
    )*};
}

kinds! {
    /// The kinds of answer to a bill inquiry.
    BillsKind {
        /// There are bills to pay.
        Ok = "ok",
        /// The customer or invoice is known and owes nothing.
        NoDebt = "no_debt",
        /// No such customer or invoice, or contradictory references.
        Unknown = "unknown",
        /// We cannot say now.
        TryAgain = "try_again",
        /// Not proved.
        BadSignature = "bad_signature",
        /// Signed outside the tolerance.
        Stale = "stale",
        /// Proved, not understood.
        Malformed = "malformed",
    }
    /// The kinds of answer to a status enquiry.
    StatusKind {
        /// The payment is booked to invoices.
        Paid = "paid",
        /// The payment is kept, on no invoice yet.
        Parked = "parked",
        /// The payment was undone.
        Reversed = "reversed",
        /// We have no such payment: nothing was booked.
        Unknown = "unknown",
        /// We cannot say now.
        TryAgain = "try_again",
        /// Not proved.
        BadSignature = "bad_signature",
        /// Signed outside the tolerance.
        Stale = "stale",
        /// Proved, not understood.
        Malformed = "malformed",
    }
}

/// The answer to a bill inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillsAnswer {
    /// Its kind.
    pub kind: BillsKind,
    /// Whose bills, if known.
    pub customer: Option<String>,
    /// The open ones, oldest first.
    pub bills: Vec<Bill>,
}

impl BillsAnswer {
    /// An answer without bills.
    #[must_use]
    pub fn of(kind: BillsKind) -> Self {
        Self { kind, customer: None, bills: Vec::new() }
    }
}

/// The answer to a status enquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAnswer {
    /// Its kind.
    pub kind: StatusKind,
    /// The payment's id, if we have it.
    pub payment: Option<EventKey>,
    /// Its amount, if we have it.
    pub amount: Option<Money>,
}

impl StatusAnswer {
    /// An answer about no payment.
    #[must_use]
    pub fn of(kind: StatusKind) -> Self {
        Self { kind, payment: None, amount: None }
    }
}

/// Which payment a status enquiry asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusAsk {
    /// In the partner's words.
    pub event: EventId,
    /// The key a payment of that name has.
    pub payment: EventKey,
}

/// How bill inquiries are read and answered.
#[derive(Clone, Debug)]
pub(super) struct BillsPlan {
    pub(super) account: Option<Place>,
    pub(super) references: ReferencePlan,
    pub(super) replies: Vec<(BillsKind, ReplyPlan)>,
}

impl BillsPlan {
    pub(super) fn read(&self, proved: &AuthenticNotice<'_>, account: &str) -> Result<References, Refusal> {
        let call = proved.call()?;
        decode::check_account(call, self.account.as_ref(), account)?;
        let references = self.references.read(call)?;
        if references == References::default() {
            return Err(decode::malformed("bills", "a customer, an order or an invoice"));
        }
        Ok(references)
    }

    pub(super) fn reply(&self, kind: BillsKind) -> Option<&ReplyPlan> {
        self.replies.iter().find(|(of, _)| *of == kind).map(|(_, plan)| plan)
    }
}

/// How status enquiries are read and answered.
#[derive(Clone, Debug)]
pub(super) struct StatusPlan {
    pub(super) account: Option<Place>,
    pub(super) event: Vec<Place>,
    pub(super) replies: Vec<(StatusKind, ReplyPlan)>,
}

impl StatusPlan {
    pub(super) fn read(&self, proved: &AuthenticNotice<'_>, known: Known<'_>) -> Result<StatusAsk, Refusal> {
        let call = proved.call()?;
        decode::check_account(call, self.account.as_ref(), known.account)?;
        let event = decode::event(call, &self.event, "status.event")?;
        Ok(StatusAsk { payment: decode::payment_key(known, &event), event })
    }

    pub(super) fn reply(&self, kind: StatusKind) -> Option<&ReplyPlan> {
        self.replies.iter().find(|(of, _)| *of == kind).map(|(_, plan)| plan)
    }
}

impl BillsAnswer {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            customer: self.customer.as_deref(),
            bills: &self.bills,
            proved: self.kind != BillsKind::BadSignature,
            ..Facts::of(self.kind.word())
        }
    }
}

impl StatusAnswer {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            payment: self.payment,
            amount: self.amount,
            proved: self.kind != StatusKind::BadSignature,
            ..Facts::of(self.kind.word())
        }
    }
}

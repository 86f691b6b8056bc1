//! What comes to the ledger, and what follows from one arrival by itself: its keys, what it names, whether it can be
//! booked at all, the row it would make. Pure; not the decision, which needs the books (`post`).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

use crate::domain::ids::{EventKey, Movement};
use crate::domain::money::Money;
use crate::domain::notice::{Effect, Notice};
use crate::domain::receipt::HashedEvidence;
use crate::matching::{self, Reading};
use crate::store::rows::{EventRecord, EventState};
use jiff::civil::Date;

/// A proved call on its way into the books.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all arrivals are notices: a box would cost each of them")]
pub enum Arrival {
    /// Understood.
    Notice {
        /// What it says.
        notice: Notice,
        /// What came.
        evidence: HashedEvidence,
        /// The partner's business day of the event.
        business_day: Date,
        /// How long after the payment a reversal is still taken, by the partner's own times. `None`: always.
        reversal_window_ms: Option<i64>,
    },
    /// Proved and not taken: evidence of money all the same.
    Unread {
        /// What came.
        evidence: HashedEvidence,
        /// Why.
        verdict: UnreadKind,
        /// The field and what was expected; no value.
        detail: String,
    },
}

/// Why a proved call was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnreadKind {
    /// Signed too long ago, or by a clock that is off.
    Stale,
    /// Not understood, or not bookable.
    Unreadable,
    /// Its partner was paused: not read yet.
    Paused,
}

/// An arrival with what follows from it alone, worked out once.
pub(super) enum Item<'a> {
    Call(Call<'a>),
    Unread { evidence: &'a HashedEvidence, verdict: UnreadKind, detail: &'a str },
}

/// One understood call.
pub(super) struct Call<'a> {
    pub(super) notice: &'a Notice,
    pub(super) evidence: &'a HashedEvidence,
    pub(super) business_day: Date,
    pub(super) reversal_window_ms: Option<i64>,
    /// The key that it claims; of one that moves no money, the key of the payment it speaks of.
    pub(super) key: EventKey,
    /// The payment that it undoes.
    pub(super) reversed: Option<EventKey>,
    /// What a payment is for; nothing else names anything.
    pub(super) reading: Reading,
}

impl<'a> Item<'a> {
    pub(super) fn of(arrival: &'a Arrival) -> Self {
        match arrival {
            Arrival::Unread { evidence, verdict, detail } => Self::Unread { evidence, verdict: *verdict, detail },
            Arrival::Notice { notice, evidence, business_day, reversal_window_ms } => {
                let pays = notice.effect == Effect::Moves(Movement::Payment);
                let nothing = Reading { named: matching::Named::Nothing };
                Self::Call(Call {
                    notice,
                    evidence,
                    business_day: *business_day,
                    reversal_window_ms: *reversal_window_ms,
                    key: notice.key().unwrap_or_else(|| notice.payment_key()),
                    reversed: notice.reversed_key(),
                    reading: if pays { matching::read(&notice.references) } else { nothing },
                })
            }
        }
    }
}

/// Why money that was stated cannot be booked, whatever the profile let through.
pub(super) fn unbookable(notice: &Notice) -> Option<&'static str> {
    let zero = Money::ZERO;
    match notice.effect {
        Effect::None(_) => None,
        Effect::Moves(_) if !notice.amount.is_positive() => Some("amount: expected more than zero"),
        Effect::Moves(_) if notice.discount < zero || notice.discount > notice.amount => {
            Some("discount: expected zero to the amount")
        }
        Effect::Moves(Movement::Payment) if notice.fee < zero || notice.fee > notice.amount => {
            Some("fee: expected zero to the amount")
        }
        Effect::Moves(_) => None,
    }
}

/// The event's row as this call makes it.
pub(super) fn record(call: &Call<'_>, key: EventKey, state: EventState) -> EventRecord {
    let notice = call.notice;
    EventRecord {
        key,
        partner: notice.partner.clone(),
        account: notice.account.clone(),
        event: notice.event.to_string(),
        movement: match notice.effect {
            Effect::Moves(movement) => movement,
            Effect::None(_) => Movement::Payment,
        },
        content: notice.content(),
        fee: notice.fee,
        funder: notice.funder.clone(),
        channel: notice.channel.clone(),
        paid_at: notice.paid_at,
        business_day: call.business_day,
        state,
        names_invoice: call.reading.names_invoice().cloned(),
        postings: 0,
        made_from: None,
    }
}

//! From a proved call to what it says. Amounts and ids are taken from their text; nothing is guessed: a field is
//! where the profile says, in the form it says, or the call is [`Refusal::Malformed`]. Errors name the profile's
//! field and what was expected, never a value (I11).

use super::file::{Means, Written};
use super::locate::{Call, Fault, Found, Place};
use super::signature::SentAt;
use super::times::Format;
use crate::domain::ids::{EventId, EventKey, Funder, Movement, PartnerCode};
use crate::domain::money::{Money, NotMoney};
use crate::domain::notice::{Effect, NoEffect, Notice, OnMismatch, ReferenceText, References};
use crate::domain::outcome::Refusal;
use crate::domain::time::Timestamp;

/// How far a payment may lie in our future: clocks differ, and some partners round up to their next day.
pub const PAID_AT_AHEAD_MAX_MS: i64 = 86_400_000;

/// Nothing was paid through this gateway before 2000: seconds read as milliseconds would be.
const PAID_AT_MIN_UNIX_MS: i64 = 946_684_800_000;

/// The longest channel text kept, in bytes.
const CHANNEL_MAX_BYTES: usize = 64;

/// How a notice is read, compiled.
#[derive(Clone, Debug)]
pub(super) struct NoticePlan {
    pub(super) event: Vec<Place>,
    pub(super) account: Option<Place>,
    pub(super) effect: EffectPlan,
    pub(super) reverses: Vec<Place>,
    pub(super) references: ReferencePlan,
    pub(super) amount: Figure,
    pub(super) means: Means,
    pub(super) discount: Option<Figure>,
    pub(super) funder: Option<Funder>,
    pub(super) fee: Option<Figure>,
    pub(super) channel: Option<Place>,
    pub(super) paid_at: (Place, Format),
}

/// Where the references are; each is optional in a call.
#[derive(Clone, Debug, Default)]
pub(super) struct ReferencePlan {
    pub(super) invoice: Option<Place>,
    pub(super) order: Option<Place>,
    pub(super) customer: Option<Place>,
}

/// What kind of notice it is.
#[derive(Clone, Debug)]
pub(super) enum EffectPlan {
    Always(Effect),
    Mapped { place: Place, map: Vec<(String, Effect)>, absent: Option<Effect> },
}

/// An amount of money.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) place: Place,
    pub(super) scale: u32,
    pub(super) written: Written,
}

/// What is known of the partner beside the call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'p> {
    pub(super) partner: &'p PartnerCode,
    pub(super) account: &'p str,
    pub(super) on_mismatch: OnMismatch,
}

/// Reads the send time and says how far it is off.
pub(super) fn check_sent_at(call: &Call<'_>, sent_at: &SentAt, now: Timestamp) -> Result<(), Refusal> {
    let written = text(call, &sent_at.place, "signature.sent_at")?;
    let sent = sent_at.format.read(&written).ok_or_else(|| malformed("signature.sent_at", "a moment"))?;
    let age_ms = now.ms_since(sent);
    if age_ms.saturating_abs() > sent_at.tolerance_ms { Err(Refusal::Stale { age_ms }) } else { Ok(()) }
}

impl NoticePlan {
    /// Reads a notice.
    pub(super) fn read(&self, call: &Call<'_>, known: Known<'_>, now: Timestamp) -> Result<Notice, Refusal> {
        let effect = self.effect.read(call)?;
        check_account(call, self.account.as_ref(), known.account)?;
        let event = match effect {
            Effect::None(NoEffect::Probe) => {
                event(call, &self.event, "notice.event").or_else(|_no_event| nameless())?
            }
            Effect::Moves(_) | Effect::None(_) => event(call, &self.event, "notice.event")?,
        };
        let moves = matches!(effect, Effect::Moves(_));
        let reverses = match effect {
            Effect::Moves(Movement::Reversal) => Some(self::event(call, &self.reverses, "notice.reverses")?),
            Effect::Moves(Movement::Payment) | Effect::None(_) => None,
        };
        let discount = optional(self.discount.as_ref(), call, "notice.discount")?;
        let fee = optional(self.fee.as_ref(), call, "notice.fee")?;
        let stated = self.amount.read(call, "notice.amount", moves)?;
        let amount = match self.means {
            Means::Bill => stated,
            Means::CustomerPaid => {
                stated.plus(discount).map_err(|_rejected| malformed("notice.amount", "an amount in range"))?
            }
        };
        if moves && !amount.is_positive() {
            return Err(malformed("notice.amount", "more than nothing"));
        }
        if discount < Money::ZERO || (moves && discount > amount) {
            return Err(malformed("notice.discount", "at least nothing and at most the amount"));
        }
        // A reversal's fee is not booked.
        let pays = effect == Effect::Moves(Movement::Payment);
        if fee < Money::ZERO || (pays && fee > amount) {
            return Err(malformed("notice.fee", "at least nothing and at most the amount"));
        }
        Ok(Notice {
            partner: known.partner.clone(),
            account: known.account.to_owned(),
            event,
            effect,
            reverses,
            references: self.references.read(call)?,
            amount,
            discount,
            funder: if discount.is_zero() { None } else { self.funder.clone() },
            fee,
            channel: self.channel(call)?,
            paid_at: self.paid_at(call, moves, now)?,
            on_mismatch: known.on_mismatch,
        })
    }

    fn channel(&self, call: &Call<'_>) -> Result<Option<String>, Refusal> {
        let Some(place) = &self.channel else { return Ok(None) };
        // Not every database keeps a NUL in a text.
        let fits = |text: &String| text.len() <= CHANNEL_MAX_BYTES && !text.contains('\0');
        Ok(maybe(call, place, "notice.channel")?.map(std::borrow::Cow::into_owned).filter(fits))
    }

    fn paid_at(&self, call: &Call<'_>, moves: bool, now: Timestamp) -> Result<Timestamp, Refusal> {
        let (place, format) = &self.paid_at;
        // A notice that moves nothing may have no such moment yet.
        let written = match maybe(call, place, "notice.paid_at")? {
            Some(written) => written,
            None if moves => return Err(malformed("notice.paid_at", "a moment")),
            None => return Ok(now),
        };
        let at = format.read(&written).filter(|at| at.unix_ms() >= PAID_AT_MIN_UNIX_MS);
        let at = at.ok_or_else(|| malformed("notice.paid_at", "a moment that exists, in the profile's format"))?;
        if at.ms_since(now) > PAID_AT_AHEAD_MAX_MS {
            return Err(malformed("notice.paid_at", "a moment at most a day ahead"));
        }
        Ok(at)
    }
}

impl ReferencePlan {
    /// The references that are there.
    pub(super) fn read(&self, call: &Call<'_>) -> Result<References, Refusal> {
        let one = |place: &Option<Place>, field| match place {
            Some(place) => maybe(call, place, field).map(|text| text.and_then(|text| ReferenceText::new(&text))),
            None => Ok(None),
        };
        Ok(References {
            invoice: one(&self.invoice, "notice.invoice")?,
            order: one(&self.order, "notice.order")?,
            customer: one(&self.customer, "notice.customer")?,
        })
    }
}

impl EffectPlan {
    fn read(&self, call: &Call<'_>) -> Result<Effect, Refusal> {
        match self {
            Self::Always(effect) => Ok(*effect),
            Self::Mapped { place, map, absent } => match maybe(call, place, "notice.effect")? {
                None => absent.ok_or_else(|| malformed("notice.effect", "a status")),
                Some(status) => map
                    .iter()
                    .find(|(word, _)| *word == status)
                    .map(|(_, effect)| *effect)
                    .ok_or_else(|| malformed("notice.effect", "a status of the profile's map")),
            },
        }
    }
}

impl Figure {
    fn read(&self, call: &Call<'_>, field: &'static str, needed: bool) -> Result<Money, Refusal> {
        let found = call.find(&self.place).map_err(|fault| in_field(field, fault))?;
        let json = matches!(self.place, Place::Json { .. });
        let written = match (&found, self.written) {
            (Found::Absent, _) if !needed => return Ok(Money::ZERO),
            (Found::Absent, _) => return Err(malformed(field, "an amount")),
            (Found::Number(text), Written::Number) => text,
            (Found::Text(text), Written::Text) => &**text,
            (Found::Text(text), Written::Number) if !json => &**text,
            (_, Written::Number) => return Err(malformed(field, "a number")),
            (_, Written::Text) => return Err(malformed(field, "a number in a text")),
        };
        Money::parse(written, self.scale).map_err(|not_money| {
            malformed(
                field,
                match not_money {
                    NotMoney::NotANumber => "plain digits",
                    NotMoney::Fraction => "whole dong",
                    NotMoney::OutOfRange => "an amount in range",
                },
            )
        })
    }
}

fn optional(figure: Option<&Figure>, call: &Call<'_>, field: &'static str) -> Result<Money, Refusal> {
    figure.map_or(Ok(Money::ZERO), |figure| figure.read(call, field, false))
}

/// The account named in the call is the one that is configured.
pub(super) fn check_account(call: &Call<'_>, place: Option<&Place>, account: &str) -> Result<(), Refusal> {
    let Some(place) = place else { return Ok(()) };
    if text(call, place, "notice.account")? == account {
        Ok(())
    } else {
        Err(malformed("notice.account", "the account of the profile"))
    }
}

/// An event id of several fields.
pub(super) fn event(call: &Call<'_>, places: &[Place], field: &'static str) -> Result<EventId, Refusal> {
    let mut fields = Vec::with_capacity(places.len());
    for place in places {
        fields.push(text(call, place, field)?.into_owned());
    }
    EventId::parse(fields).map_err(|bad| malformed(field, bad.expected))
}

/// The identity of the payment an event id names.
pub(super) fn payment_key(known: Known<'_>, event: &EventId) -> EventKey {
    EventKey::of(known.partner, known.account, event, Movement::Payment)
}

/// A connection test may name no event. It claims no key, so one word serves for all.
fn nameless() -> Result<EventId, Refusal> {
    EventId::parse(vec!["probe".to_owned()]).map_err(|bad| malformed("notice.event", bad.expected))
}

fn text<'c>(call: &'c Call<'_>, place: &'c Place, field: &'static str) -> Result<std::borrow::Cow<'c, str>, Refusal> {
    maybe(call, place, field)?.ok_or_else(|| malformed(field, "a text or a whole number"))
}

/// A text, a whole number as written, or nothing. A number in another spelling (`1.0`, `1e3`, `-0`) is none: one id
/// must have one text.
fn maybe<'c>(
    call: &'c Call<'_>,
    place: &'c Place,
    field: &'static str,
) -> Result<Option<std::borrow::Cow<'c, str>>, Refusal> {
    match call.find(place).map_err(|fault| in_field(field, fault))? {
        Found::Absent => Ok(None),
        Found::Text(text) if text.contains('\0') => Err(malformed(field, "a text without NUL")),
        Found::Text(text) => Ok(Some(text)),
        Found::Number(text) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Some(text.into())),
        Found::Bool(text) => Ok(Some(text.into())),
        Found::Number(_) | Found::Nested => Err(malformed(field, "a text or a whole number")),
    }
}

fn in_field(field: &'static str, fault: Fault) -> Refusal {
    Refusal::Malformed { field: field.to_owned(), expected: fault.0 }
}

/// A refusal by the profile's name of the field.
pub(super) fn malformed(field: &str, expected: &str) -> Refusal {
    Refusal::Malformed { field: field.to_owned(), expected: expected.to_owned() }
}

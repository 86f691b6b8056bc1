//! How a sandbox collector says things in its profile's words: which fields the profile knows is found out once, by
//! trying. Makes signed calls; sends none.

use crate::domain::ids::{EventId, EventKey, Movement};
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use crate::domain::notice::{Effect, Notice};
use crate::domain::time::Timestamp;
use crate::partner::forge::{ForgeError, Forged, Wanted};
use crate::partner::{Profile, SigningKey};
use serde::Serialize;
use std::sync::Arc;

/// How a bill is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    /// Our order reference.
    Order,
    /// The billing core's id.
    Invoice,
    /// The customer's code.
    Customer,
}

/// What is to be said.
#[derive(Clone, Debug)]
pub struct Saying {
    /// The last field of the event id, unique.
    pub event: String,
    /// The reversed payment's, all its fields.
    pub reverses: Option<Vec<String>>,
    /// The effect, unless `status` says it in a word of its own.
    pub effect: Effect,
    /// A status of its own.
    pub status: Option<&'static str>,
    /// Which bill, and how it is named.
    pub bill: (Naming, String),
    /// What the bill is reduced by.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: Timestamp,
}

/// A partner's way of speaking.
#[derive(Clone, Debug)]
pub struct Speech {
    profile: Arc<Profile>,
    key: SigningKey,
    voice: SigningKey,
    knows_account: bool,
    knows_paid_at: bool,
    namings: Vec<Naming>,
}

impl Speech {
    /// Finds out what the profile knows, and which of the keys it believes at `now`.
    ///
    /// # Errors
    /// A sentence, when none of the keys and namings makes a call that the profile reads.
    pub fn learn(profile: &Arc<Profile>, keys: &[SigningKey], now: Timestamp) -> Result<Self, String> {
        let trial = |naming, event: &str| Saying {
            event: event.to_owned(),
            reverses: None,
            effect: Effect::Moves(Movement::Payment),
            status: None,
            bill: (naming, reference(naming, "HDHL0000001", "PA03HL0000001")),
            amount: Money::from_dong(1_000).unwrap_or_default(),
            paid_at: now,
        };
        for key in keys {
            for (knows_account, knows_paid_at) in [(true, true), (false, true), (true, false), (false, false)] {
                let (profile, key, voice) = (Arc::clone(profile), key.clone(), key.clone());
                let mut speech = Self { profile, key, voice, knows_account, knows_paid_at, namings: Vec::new() };
                for naming in [Naming::Order, Naming::Invoice, Naming::Customer] {
                    let (wanted, said) = (trial(naming, "900001"), speech.say(&trial(naming, "900001"), now));
                    let heard = said.ok().and_then(|said| speech.understood(&said, now));
                    if heard.is_some_and(|notice| means(&notice, &wanted)) {
                        speech.namings.push(naming);
                    }
                }
                if !speech.namings.is_empty() {
                    return Ok(speech);
                }
            }
        }
        Err(format!("{}: none of its examples can be said again with another event and bill", profile.code()))
    }

    /// The same, but calls are signed with this key.
    #[must_use]
    pub fn in_the_voice_of(mut self, voice: SigningKey) -> Self {
        self.voice = voice;
        self
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// How the `n`-th bill is named: the namings that the profile knows take turns.
    #[must_use]
    pub fn naming(&self, n: u64) -> Naming {
        let turn = n.checked_rem(u64::try_from(self.namings.len()).unwrap_or(1)).unwrap_or(0);
        self.namings.get(usize::try_from(turn).unwrap_or(0)).copied().unwrap_or(Naming::Invoice)
    }

    /// A signed call, to be made.
    ///
    /// # Errors
    /// When the profile has no words for it.
    pub fn speak(&self, saying: &Saying, now: Timestamp) -> Result<Forged, ForgeError> {
        self.say_signed(saying, &self.voice, now)
    }

    /// The same, signed so that this profile itself believes it.
    fn say(&self, saying: &Saying, now: Timestamp) -> Result<Forged, ForgeError> {
        self.say_signed(saying, &self.key, now)
    }

    /// The same under another key.
    ///
    /// # Errors
    /// When the profile has no words for it.
    pub fn say_signed(&self, saying: &Saying, key: &SigningKey, now: Timestamp) -> Result<Forged, ForgeError> {
        let (naming, text) = &saying.bill;
        let named = |this: Naming| Some(if this == *naming { text.clone() } else { String::new() });
        let wanted = Wanted {
            example: None,
            event: Some(vec![saying.event.clone()]),
            reverses: saying.reverses.clone(),
            effect: saying.status.is_none().then_some(saying.effect),
            status: saying.status.map(ToOwned::to_owned),
            account: self.knows_account.then(|| self.profile.account().to_owned()),
            invoice: named(Naming::Invoice),
            order: named(Naming::Order),
            customer: named(Naming::Customer),
            amount: Some(saying.amount),
            discount: Some(Money::ZERO),
            fee: Some(Money::ZERO),
            paid_at: self.knows_paid_at.then_some(saying.paid_at),
        };
        self.profile.forge(key, &wanted, now)
    }

    /// What the profile makes of a call; `None` when it does not take it.
    #[must_use]
    pub fn understood(&self, said: &Forged, now: Timestamp) -> Option<Notice> {
        let raw = said.to_raw(now);
        let proved = self.profile.prove(&raw, now).ok()?;
        self.profile.read(&proved, now).ok()
    }

    /// Can it be said, and is it understood as it is meant?
    #[must_use]
    pub fn can_say(&self, saying: &Saying, now: Timestamp) -> bool {
        let notice = self.say(saying, now).ok().and_then(|said| self.understood(&said, now));
        notice.is_some_and(|notice| means(&notice, saying))
    }

    /// Can it be said, only to be not understood?
    #[must_use]
    pub fn can_confuse(&self, saying: &Saying, now: Timestamp) -> bool {
        self.say(saying, now).is_ok_and(|said| {
            let raw = said.to_raw(now);
            self.profile.prove(&raw, now).is_ok_and(|proved| self.profile.read(&proved, now).is_err())
        })
    }

    /// The words that take a payment back, as an event of its own; `None` when the payment itself cannot be said.
    #[must_use]
    pub fn reversal(&self, payment: &Saying, now: Timestamp) -> Option<Saying> {
        let notice = self.say(payment, now).ok().and_then(|said| self.understood(&said, now))?;
        Some(Saying {
            event: format!("{}9", payment.event),
            reverses: Some(notice.event.fields().to_vec()),
            effect: Effect::Moves(Movement::Reversal),
            ..payment.clone()
        })
    }

    /// The event as the profile names it, and its identity in the gateway's books if it moves money.
    #[must_use]
    pub fn event_of(&self, saying: &Saying, now: Timestamp) -> Option<(EventId, Option<EventKey>)> {
        let notice = self.say(saying, now).ok().and_then(|said| self.understood(&said, now))?;
        let key = notice.key();
        Some((notice.event, key))
    }
}

/// The text by which a bill is named.
#[must_use]
pub fn name_of(naming: Naming, bill: &Invoice) -> String {
    reference(naming, bill.id.as_str(), bill.customer.as_str())
}

fn reference(naming: Naming, invoice: &str, customer: &str) -> String {
    match naming {
        Naming::Order => format!("261120_{invoice}"),
        Naming::Invoice => invoice.to_owned(),
        Naming::Customer => customer.to_owned(),
    }
}

fn means(notice: &Notice, saying: &Saying) -> bool {
    let (naming, text) = &saying.bill;
    let references = &notice.references;
    let named = [
        (Naming::Order, &references.order),
        (Naming::Invoice, &references.invoice),
        (Naming::Customer, &references.customer),
    ];
    notice.effect == saying.effect
        && notice.amount == saying.amount
        && notice.discount.is_zero()
        && notice.event.fields().last() == Some(&saying.event)
        && notice.reverses.as_ref().map(|event| event.fields()) == saying.reverses.as_deref()
        && named.into_iter().all(|(this, found)| {
            let expected = (this == *naming).then_some(text.as_str());
            found.as_ref().map(|reference| reference.as_str()) == expected
        })
}

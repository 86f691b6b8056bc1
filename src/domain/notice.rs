//! What came in and what it says: [`RawNotice`] trusts nothing, [`Notice`] is what a proved sender states.

use super::ids::{CustomerCode, EventId, EventKey, Funder, InvoiceId, Movement, PartnerCode};
use super::money::Money;
use super::time::Timestamp;
use bytes::Bytes;
use std::net::IpAddr;

/// How the call was made. A profile names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// The values are in the query.
    Get,
    /// The values are in the body.
    Post,
}

impl Method {
    /// As HTTP spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A call as it arrived: bytes and where they came from. Nothing in it is believed.
#[derive(Clone, Debug)]
pub struct RawNotice {
    /// GET or POST.
    pub method: Method,
    /// The path as received, without the query.
    pub path: String,
    /// The query as received, without the question mark; empty if none.
    pub query: String,
    /// Header names in lower case with their values, in order, repeated names repeated. A value that is not
    /// visible ASCII is left out by the edge.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, untouched.
    pub body: Bytes,
    /// Who called, after the trusted proxies.
    pub peer: IpAddr,
    /// When the call's head arrived.
    pub received_at: Timestamp,
}

impl RawNotice {
    /// The values of a header, by its lower-case name.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What a notice asks of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Money moves; claims its event key.
    Moves(Movement),
    /// Nothing yet, or nothing at all; claims no key.
    None(NoEffect),
}

/// Why a notice moves no money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoEffect {
    /// The partner has not decided yet.
    Pending,
    /// The payment failed at the partner.
    Failed,
    /// A connection test.
    Probe,
}

/// Free text that names a bill, as the partner wrote it: kept whole up to [`REFERENCE_MAX_BYTES`], beyond that
/// its head and its hash (the raw bytes are kept with the receipt). Never trusted, never cleaned: two texts that
/// differ stay different.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceText(String);

/// The longest reference kept as it is.
pub const REFERENCE_MAX_BYTES: usize = 120;

impl ReferenceText {
    /// `None` for an empty text, which refers to nothing.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        use sha2::{Digest, Sha256};
        if text.is_empty() {
            return None;
        }
        if text.len() <= REFERENCE_MAX_BYTES && !text.contains('\0') {
            return Some(Self(text.to_owned()));
        }
        let head: String = text.chars().filter(|c| *c != '\0').take(12).collect();
        Some(Self(format!("{head}~sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the notice says it pays, most specific first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// The billing core's invoice id, stated as such.
    pub invoice: Option<ReferenceText>,
    /// Our order reference, `yyMMdd_<invoice_id>[.<attempt>]`.
    pub order: Option<ReferenceText>,
    /// A customer code.
    pub customer: Option<ReferenceText>,
}

/// What partner P says happened: decoded from proved bytes, by its profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who says it.
    pub partner: PartnerCode,
    /// Our merchant account or app id at the partner, checked against the configured one.
    pub account: String,
    /// The partner's name for the event.
    pub event: EventId,
    /// What it asks of the books.
    pub effect: Effect,
    /// For a reversal: the payment event it undoes.
    pub reverses: Option<EventId>,
    /// What it pays.
    pub references: References,
    /// What the bill is reduced by.
    pub amount: Money,
    /// The part of `amount` that the customer did not pay.
    pub discount: Money,
    /// Who pays the discount.
    pub funder: Option<Funder>,
    /// What the partner charges us for this payment, if it says.
    pub fee: Money,
    /// How the customer paid, in the partner's words.
    pub channel: Option<String>,
    /// When the customer paid, as the partner says.
    pub paid_at: Timestamp,
    /// May the payment be refused because the customer has not been debited yet?
    pub on_mismatch: OnMismatch,
}

/// What to do with a payment that matches no open bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnMismatch {
    /// The money is already taken: keep it in suspense.
    Keep,
    /// The partner asks before it debits: say no and book nothing.
    Refuse,
}

impl Notice {
    /// The event's identity; `None` for a notice that moves no money, which claims nothing.
    #[must_use]
    pub fn key(&self) -> Option<EventKey> {
        match self.effect {
            Effect::Moves(movement) => Some(EventKey::of(&self.partner, &self.account, &self.event, movement)),
            Effect::None(_) => None,
        }
    }

    /// The identity of the payment that a reversal names.
    #[must_use]
    pub fn reversed_key(&self) -> Option<EventKey> {
        self.reverses.as_ref().map(|event| EventKey::of(&self.partner, &self.account, event, Movement::Payment))
    }

    /// The key that a successful payment with this event id would claim, whatever this notice's own effect is.
    #[must_use]
    pub fn payment_key(&self) -> EventKey {
        EventKey::of(&self.partner, &self.account, &self.event, Movement::Payment)
    }

    /// What the customer paid: the amount less the discount. Decoding checked that it is not negative.
    #[must_use]
    pub fn customer_paid(&self) -> Money {
        self.amount.minus(self.discount).unwrap_or_default()
    }

    /// The money fields, which decide whether a second notice of the same event says the same.
    #[must_use]
    pub fn content(&self) -> Content {
        Content {
            amount: self.amount,
            discount: self.discount,
            references: self.references.clone(),
            reverses: self.reversed_key(),
        }
    }
}

/// The decoded money fields of an event. Effect and account are part of the key already. Compared one by one;
/// never raw bytes, send time, request id, signature, texts or paid-at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What the bill is reduced by.
    pub amount: Money,
    /// The part the customer did not pay.
    pub discount: Money,
    /// What it pays.
    pub references: References,
    /// The payment a reversal undoes.
    pub reverses: Option<EventKey>,
}

/// What references mean once read: checked ids that may be looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Invoices to look up by id.
    pub invoices: Vec<InvoiceId>,
    /// Customers whose open invoices to look up.
    pub customers: Vec<CustomerCode>,
}

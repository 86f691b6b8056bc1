//! Makes signed calls up, for `partner sign`, sandboxes, tests and benches: an example of the profile with other
//! values, signed with a key that plays the partner. It writes where the profile reads, so the fake partner and the
//! gateway share the profile's map; the examples and the published vectors are what keeps both honest.

use super::example::{Call, Expected, word_of};
use super::file::Means;
use super::json::{Document, Kind, quoted};
use super::keys::SigningKey;
use super::locate::Location;
use super::profile::Profile;
use super::times::Format;
use crate::domain::money::Money;
use crate::domain::notice::{Effect, Method, RawNotice};
use crate::domain::outcome::{BadSignature, Outcome};
use crate::domain::time::Timestamp;
use bytes::Bytes;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// Where a profile's fields are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    pub(super) signature: Option<Location>,
    pub(super) sent_at: Option<Location>,
    pub(super) key_id: Option<Location>,
    pub(super) account: Option<Location>,
    pub(super) event: Vec<Location>,
    pub(super) reverses: Vec<Location>,
    pub(super) effect: Option<(Location, Vec<(String, Effect)>)>,
    pub(super) invoice: Option<Location>,
    pub(super) order: Option<Location>,
    pub(super) customer: Option<Location>,
    pub(super) amount: Option<(Location, u32, Means)>,
    pub(super) discount: Option<(Location, u32)>,
    pub(super) fee: Option<(Location, u32)>,
    pub(super) paid_at: Option<(Location, Format)>,
}

impl Fields {
    pub(super) fn new(signature: Location, sent_at: Option<Location>, key_id: Option<Location>) -> Self {
        Self { signature: Some(signature), sent_at, key_id, ..Self::default() }
    }
}

/// Why a call could not be made up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForgeError {
    /// No such example, or none to start from.
    #[error("no example to start from")]
    NoExample,
    /// The profile does not map this field.
    #[error("{0}: the profile does not map it")]
    NoField(String),
    /// The example has no room for the field.
    #[error("{0}: the example has no place for it")]
    NoPlace(String),
    /// The value is not one of the field's.
    #[error("{0}: expected {1}")]
    BadValue(String, &'static str),
    /// The signed bytes could not be built.
    #[error("the signed bytes: {0}")]
    Unsignable(BadSignature),
    /// The key cannot sign.
    #[error("the key does not sign")]
    Key,
}

/// What a made-up call says. What is `None` stays as in the example.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The example to start from, from 1; the first accepted notice by default.
    pub example: Option<usize>,
    /// The event id's last fields, as many as are given.
    pub event: Option<Vec<String>>,
    /// The reversed payment's last fields.
    pub reverses: Option<Vec<String>>,
    /// Payment, reversal, pending, ...
    pub effect: Option<Effect>,
    /// A status in the partner's own word, known to the profile or not.
    pub status: Option<String>,
    /// Our account at the partner.
    pub account: Option<String>,
    /// Invoice id. An empty text takes the field away.
    pub invoice: Option<String>,
    /// Order reference. An empty text takes the field away.
    pub order: Option<String>,
    /// Customer code. An empty text takes the field away.
    pub customer: Option<String>,
    /// What the bill is reduced by, in dong.
    pub amount: Option<Money>,
    /// The part of it the customer did not pay, in dong.
    pub discount: Option<Money>,
    /// What the partner charges.
    pub fee: Option<Money>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
}

impl Wanted {
    /// Sets a field by its name in the profile, from text: `partner sign --set name=value`.
    ///
    /// # Errors
    /// An unknown name or a value that is none.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ForgeError> {
        let bad = |expected| ForgeError::BadValue(name.to_owned(), expected);
        let money = || Money::parse(value, 0).map(Some).map_err(|_not_money| bad("whole dong"));
        let fields = || Some(value.split(',').map(ToOwned::to_owned).collect());
        match name {
            "event" => self.event = fields(),
            "reverses" => self.reverses = fields(),
            "effect" => self.effect = Some(super::compile::effect_of(value).ok_or_else(|| bad("an effect"))?),
            "status" => self.status = Some(value.to_owned()),
            "account" => self.account = Some(value.to_owned()),
            "invoice" => self.invoice = Some(value.to_owned()),
            "order" => self.order = Some(value.to_owned()),
            "customer" => self.customer = Some(value.to_owned()),
            "amount" => self.amount = money()?,
            "discount" => self.discount = money()?,
            "fee" => self.fee = money()?,
            "paid_at" => {
                self.paid_at = Some(super::times::rfc3339(value).ok_or_else(|| bad("a moment with its offset"))?);
            }
            _ => return Err(ForgeError::NoField(name.to_owned())),
        }
        Ok(())
    }
}

/// A call to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forged {
    /// GET or POST.
    pub method: Method,
    /// Path as in the example.
    pub path: String,
    /// Query.
    pub query: String,
    /// Names in lower case; `content-type` among them for a POST.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Forged {
    /// As if it had arrived.
    #[must_use]
    pub fn to_raw(&self, received_at: Timestamp) -> RawNotice {
        RawNotice {
            method: self.method,
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: Bytes::from(self.body.clone()),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            received_at,
        }
    }

    /// A curl command for a shell; `base` is the gateway's address without a path.
    #[must_use]
    pub fn to_curl(&self, base: &str) -> String {
        let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let url = format!("{}{}{query}", base.trim_end_matches('/'), self.path);
        let mut line = format!("curl -sS -i -X {} {}", self.method.word(), quote(&url));
        for (name, value) in &self.headers {
            line.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
        }
        if !self.body.is_empty() {
            line.push_str(&format!(" --data-binary {}", quote(&String::from_utf8_lossy(&self.body))));
        }
        line
    }
}

impl Profile {
    /// Makes a notice up: an example with other values, sent `now`, signed with `key`.
    ///
    /// # Errors
    /// [`ForgeError`].
    pub fn forge(&self, key: &SigningKey, wanted: &Wanted, now: Timestamp) -> Result<Forged, ForgeError> {
        let example = match wanted.example {
            Some(number) => number.checked_sub(1).and_then(|n| self.examples.get(n)),
            None => self.examples.iter().find(|e| {
                e.call == Call::Notice && e.expected == Expected::Read && e.outcome == Outcome::Accepted.word()
            }),
        };
        let example = example.ok_or(ForgeError::NoExample)?;
        let mut forged = self.template_of(&example.raw);
        self.write_identity(&mut forged, wanted)?;
        self.write_money(&mut forged, wanted)?;
        self.sign_forged(forged, key, now)
    }

    /// The key that plays the partner in the examples: the first one that can sign.
    #[must_use]
    pub fn example_signer(&self) -> Option<&SigningKey> {
        self.example.signers.first()
    }

    /// All keys that play the partner in the examples.
    #[must_use]
    pub fn example_signers(&self) -> &[SigningKey] {
        &self.example.signers
    }

    /// Gives a call a fresh send time and a right signature.
    ///
    /// # Errors
    /// [`ForgeError`].
    pub fn sign_forged(&self, mut forged: Forged, key: &SigningKey, now: Timestamp) -> Result<Forged, ForgeError> {
        let fields = &self.fields;
        if let Some((location, sent_at)) = fields.sent_at.as_ref().zip(self.signature.sent_at.as_ref()) {
            write(&mut forged, "sent_at", location, &sent_at.format.write(now))?;
        }
        if let Some(location) = &fields.key_id {
            write(&mut forged, "key_id", location, key.id())?;
        }
        let raw = forged.to_raw(now);
        let bytes = self.signature.canonical(&self.sources, &raw).map_err(ForgeError::Unsignable)?;
        let signature = key.sign(&bytes).ok_or(ForgeError::Key)?;
        let written = self.signature.written(key.algorithm(), &signature);
        let location = fields.signature.as_ref().ok_or(ForgeError::Key)?;
        write(&mut forged, "signature", location, &written)?;
        Ok(forged)
    }

    fn template_of(&self, raw: &RawNotice) -> Forged {
        let mut headers = raw.headers.clone();
        if raw.method == Method::Post && raw.header("content-type").next().is_none() {
            let content_type = self.content_types.first().map_or("application/json", String::as_str);
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        Forged {
            method: raw.method,
            path: raw.path.clone(),
            query: raw.query.clone(),
            headers,
            body: raw.body.to_vec(),
        }
    }

    fn write_identity(&self, forged: &mut Forged, wanted: &Wanted) -> Result<(), ForgeError> {
        let fields = &self.fields;
        for (name, locations, values) in
            [("event", &fields.event, &wanted.event), ("reverses", &fields.reverses, &wanted.reverses)]
        {
            let Some(values) = values else { continue };
            if locations.is_empty() || values.len() > locations.len() {
                return Err(ForgeError::NoField(name.to_owned()));
            }
            for (location, value) in locations.iter().rev().zip(values.iter().rev()) {
                write(forged, name, location, value)?;
            }
        }
        if let Some(effect) = wanted.effect {
            let status = fields.effect.as_ref().and_then(|(location, map)| {
                map.iter().find(|(_, known)| *known == effect).map(|(status, _)| (location, status))
            });
            match status {
                Some((location, status)) => write(forged, "effect", location, status)?,
                None if matches!(&self.notice.effect, super::decode::EffectPlan::Always(e) if *e == effect) => {}
                None => return Err(ForgeError::NoField(format!("effect {}", word_of(effect)))),
            }
        }
        let status = fields.effect.as_ref().map(|(location, _)| location);
        let texts = [
            ("status", &status.cloned(), &wanted.status),
            ("account", &fields.account, &wanted.account),
            ("invoice", &fields.invoice, &wanted.invoice),
            ("order", &fields.order, &wanted.order),
            ("customer", &fields.customer, &wanted.customer),
        ];
        for (name, location, value) in texts {
            match (location, value) {
                (Some(location), Some(value)) => write(forged, name, location, value)?,
                // There is nothing to take away.
                (None, Some(value)) if value.is_empty() => {}
                (None, Some(_)) => return Err(ForgeError::NoField(name.to_owned())),
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn write_money(&self, forged: &mut Forged, wanted: &Wanted) -> Result<(), ForgeError> {
        let fields = &self.fields;
        if let Some((amount, (location, scale, means))) = wanted.amount.zip(fields.amount.as_ref()) {
            let stated = match means {
                Means::Bill => amount,
                Means::CustomerPaid => amount
                    .minus(wanted.discount.unwrap_or_default())
                    .map_err(|_range| ForgeError::BadValue("amount".to_owned(), "an amount in range"))?,
            };
            write(forged, "amount", location, &scaled(stated, *scale))?;
        }
        for (name, value, field) in [("discount", wanted.discount, &fields.discount), ("fee", wanted.fee, &fields.fee)]
        {
            match (value, field) {
                (Some(value), Some((location, scale))) => write(forged, name, location, &scaled(value, *scale))?,
                (Some(value), None) if !value.is_zero() => return Err(ForgeError::NoField(name.to_owned())),
                (Some(_) | None, _) => {}
            }
        }
        if let Some((at, (location, format))) = wanted.paid_at.zip(fields.paid_at.as_ref()) {
            write(forged, "paid_at", location, &format.write(at))?;
        }
        Ok(())
    }
}

fn scaled(money: Money, scale: u32) -> String {
    let zeros = if money.is_zero() { 0 } else { usize::try_from(scale).unwrap_or_default() };
    format!("{money}{}", "0".repeat(zeros))
}

/// Puts a value where the profile would read it.
fn write(forged: &mut Forged, name: &str, location: &Location, value: &str) -> Result<(), ForgeError> {
    let no_place = || ForgeError::NoPlace(name.to_owned());
    match location {
        Location::Header(header) => {
            forged.headers.retain(|(known, _)| known != header);
            forged.headers.push((header.clone(), value.to_owned()));
            Ok(())
        }
        Location::Query(pair) => {
            forged.query = with_pair(&forged.query, pair, value);
            Ok(())
        }
        Location::Form(pair) => {
            let body = std::str::from_utf8(&forged.body).map_err(|_not_utf8| no_place())?;
            forged.body = with_pair(body, pair, value).into_bytes();
            Ok(())
        }
        Location::Json(chain) => {
            let body = std::str::from_utf8(&forged.body).map_err(|_not_utf8| no_place())?;
            forged.body = with_value(body, chain, value).ok_or_else(no_place)?.into_bytes();
            Ok(())
        }
        Location::Const(text) if text == value => Ok(()),
        Location::Body | Location::Path | Location::Const(_) => Err(no_place()),
    }
}

fn with_pair(pairs: &str, name: &str, value: &str) -> String {
    let is_it = |pair: &str| pair.split('=').next() == Some(name);
    let mut kept: Vec<String> =
        pairs.split('&').filter(|p| !p.is_empty() && !is_it(p)).map(ToOwned::to_owned).collect();
    kept.push(format!("{name}={}", encoded(value)));
    kept.join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The text with another value at the end of the chain: everything else stays byte for byte.
fn with_value(text: &str, chain: &[Vec<String>], value: &str) -> Option<String> {
    let (pointer, deeper) = chain.split_first()?;
    let document = Document::read(Cow::Borrowed(text)).ok()?;
    let node = document.find(pointer);
    if !deeper.is_empty() {
        let node = node?;
        let inner = document.unescaped(node);
        let inner = if inner.is_empty() { "{}" } else { &*inner };
        return replaced(text, &document, node, &quoted(&with_value(inner, deeper, value)?));
    }
    match node {
        Some(node) => {
            let number = node.kind == Kind::Number && !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            let written = if number { value.to_owned() } else { quoted(value) };
            replaced(text, &document, node, &written)
        }
        None if value.is_empty() => Some(text.to_owned()),
        None => {
            let (name, parent) = pointer.split_last()?;
            let parent = document.find(parent)?;
            let object = document.raw(parent);
            let inside = object.strip_prefix('{')?.strip_suffix('}')?;
            let comma = if inside.trim().is_empty() { "" } else { "," };
            replaced(text, &document, parent, &format!("{{{inside}{comma}{}:{}}}", quoted(name), quoted(value)))
        }
    }
}

fn replaced(text: &str, document: &Document<'_>, node: &super::json::Node, with: &str) -> Option<String> {
    debug_assert_eq!(document.text(), text, "spans are those of this text");
    // A text's span is inside its quotes.
    let quote = usize::from(node.kind == Kind::Text);
    let before = text.get(..node.span.start.checked_sub(quote)?)?;
    let after = text.get(node.span.end.checked_add(quote)?..)?;
    Some(format!("{before}{with}{after}"))
}

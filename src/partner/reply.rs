//! Our answers in the partner's words. Total by construction: once a profile is loaded, every outcome has a reply
//! and making it cannot fail; what an echo cannot find is an empty text. Everything put into JSON is escaped, so
//! no caller can write into our answer's structure.

use super::canonical::{Bit, HashText, split};
use super::file::{ReplyFile, SignatureEncoding, SuccessFile};
use super::json::{Document, Kind, quoted};
use super::keys::SigningKey;
use super::locate::{Call, Found, Location, Place, Sources};
use crate::domain::ids::{EventKey, InvoiceId};
use crate::domain::money::Money;
use crate::domain::notice::RawNotice;
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;

/// The longest value echoed, in bytes: request ids are shorter, and an answer is no mirror.
const ECHO_MAX_BYTES: usize = 256;

/// An HTTP answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, in order; `content-type` among them when there is a body.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a reply may speak of beside the outcome.
#[derive(Clone, Copy, Debug)]
pub struct ReplyContext<'r> {
    /// The call, for what the reply echoes.
    pub raw: Option<&'r RawNotice>,
    /// Our id of the payment.
    pub payment: Option<EventKey>,
    /// Now.
    pub now: Timestamp,
}

/// One open bill in an answer to an inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The billing core's id.
    pub invoice: InvoiceId,
    /// The billing period.
    pub period: String,
    /// What is still owed.
    pub amount: Money,
    /// Last day to pay.
    pub due_on: Date,
}

/// The values a template may name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) outcome: &'a str,
    pub(super) payment: Option<EventKey>,
    pub(super) customer: Option<&'a str>,
    pub(super) amount: Option<Money>,
    pub(super) bills: &'a [Bill],
    /// May fields of the body be echoed? Not before it is proved (I1).
    pub(super) proved: bool,
    /// Every hole says this: to prove at load that no echo can turn a refusal into a success.
    pub(super) forced: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// An outcome and nothing else.
    pub(super) fn of(outcome: &'a str) -> Self {
        Self { outcome, payment: None, customer: None, amount: None, bills: &[], proved: true, forced: None }
    }
}

/// A reply, compiled.
#[derive(Clone, Debug)]
pub(super) struct ReplyPlan {
    status: u16,
    headers: Vec<(String, Vec<Part>)>,
    content_type: Option<String>,
    body: Vec<Part>,
    echoes: bool,
}

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Hole { hole: Hole, written: WrittenAs },
    EachBill(Vec<Part>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenAs {
    Plain,
    InsideJsonText,
    JsonNumber,
}

#[derive(Clone, Debug)]
enum Hole {
    Echo(Place),
    Payment,
    Outcome,
    NowUnixMs,
    NowUnixS,
    NowRfc3339,
    Customer,
    Amount,
    Total,
    Count,
    Bill(BillField),
}

#[derive(Clone, Copy, Debug)]
enum BillField {
    Invoice,
    Period,
    Amount,
    DueOn,
}

impl Hole {
    fn parse(text: &str, sources: &mut Sources) -> Result<Self, String> {
        if let Some(location) = text.strip_prefix("echo:") {
            let location = Location::parse(location)?;
            return match location {
                Location::Body => Err("expected one field to echo, not the body".to_owned()),
                _ => Ok(Self::Echo(sources.place(&location))),
            };
        }
        Ok(match text {
            "payment" => Self::Payment,
            "outcome" => Self::Outcome,
            "now:unix-ms" => Self::NowUnixMs,
            "now:unix-s" => Self::NowUnixS,
            "now:rfc3339" => Self::NowRfc3339,
            "customer" => Self::Customer,
            "amount" => Self::Amount,
            "total" => Self::Total,
            "count" => Self::Count,
            "bill.invoice" => Self::Bill(BillField::Invoice),
            "bill.period" => Self::Bill(BillField::Period),
            "bill.amount" => Self::Bill(BillField::Amount),
            "bill.due_on" => Self::Bill(BillField::DueOn),
            other => {
                return Err(format!(
                    "{{{other}}}: expected echo:LOCATION, payment, outcome, now:unix-ms, now:unix-s, now:rfc3339, \
                     customer, amount, total, count, bill.invoice, bill.period, bill.amount or bill.due_on"
                ));
            }
        })
    }

    fn is_number(&self) -> bool {
        matches!(
            self,
            Self::NowUnixMs | Self::NowUnixS | Self::Amount | Self::Total | Self::Count | Self::Bill(BillField::Amount)
        )
    }
}

/// The template table's key that repeats its value once a bill.
const EACH_BILL: &str = "each_bill";

impl ReplyPlan {
    /// Compiles a reply of the file.
    pub(super) fn compile(file: &ReplyFile, sources: &mut Sources) -> Result<Self, String> {
        if !(200..=599).contains(&file.status) {
            return Err("status: expected 200 to 599".to_owned());
        }
        let mut body = Vec::new();
        let content_type = match (&file.json, &file.text) {
            (Some(_), Some(_)) => return Err("expected json or text, not both".to_owned()),
            (Some(json), None) => {
                json_parts(json, sources, &mut body)?;
                Some("application/json".to_owned())
            }
            (None, Some(text)) => {
                plain_parts(text, sources, WrittenAs::Plain, &mut body)?;
                Some("text/plain; charset=utf-8".to_owned())
            }
            (None, None) => None,
        };
        if file.status == 204 && !body.is_empty() {
            return Err("expected no body with status 204".to_owned());
        }
        let mut headers = Vec::new();
        for (name, value) in &file.headers {
            if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') || name.is_empty() {
                return Err(format!("headers.{name}: expected a header's name in lower case"));
            }
            let mut parts = Vec::new();
            plain_parts(value, sources, WrittenAs::Plain, &mut parts)?;
            headers.push((name.clone(), parts));
        }
        let content_type = file.content_type.clone().or(content_type);
        let echoes = has_echo(&body) || headers.iter().any(|(_, p)| has_echo(p));
        Ok(Self { status: file.status, headers, content_type, body, echoes })
    }

    /// The reply for this call.
    pub(super) fn make(&self, sources: &Sources, facts: Facts<'_>, context: &ReplyContext<'_>) -> Reply {
        let call = context.raw.filter(|_| self.echoes).map(|raw| Call::for_echo(raw, sources, facts.proved));
        let fill = Fill { call: call.as_ref(), facts, now: context.now, bill: None };
        let mut body = String::with_capacity(128);
        fill.parts(&self.body, &mut body);
        let mut headers = Vec::with_capacity(self.headers.len() + 2);
        if let Some(content_type) = &self.content_type {
            headers.push(("content-type".to_owned(), content_type.clone()));
        }
        for (name, parts) in &self.headers {
            let mut value = String::new();
            fill.parts(parts, &mut value);
            // A value that would end the header is not ours to repeat.
            if !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
                value.clear();
            }
            headers.push((name.clone(), value));
        }
        Reply { status: self.status, headers, body: body.into_bytes() }
    }
}

fn has_echo(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Hole { hole: Hole::Echo(_), .. } => true,
        Part::EachBill(parts) => has_echo(parts),
        Part::Literal(_) | Part::Hole { .. } => false,
    })
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if let Some(Part::Literal(last)) = parts.last_mut() {
        last.push_str(text);
    } else {
        parts.push(Part::Literal(text.to_owned()));
    }
}

fn plain_parts(text: &str, sources: &mut Sources, written: WrittenAs, parts: &mut Vec<Part>) -> Result<(), String> {
    for bit in split(text)? {
        match bit {
            Bit::Literal(literal) if written == WrittenAs::Plain => push_literal(parts, literal),
            Bit::Literal(literal) => push_literal(parts, inside_quotes(&quoted(literal))),
            Bit::Hole(hole) => parts.push(Part::Hole { hole: Hole::parse(hole, sources)?, written }),
        }
    }
    Ok(())
}

fn json_parts(value: &toml::Value, sources: &mut Sources, parts: &mut Vec<Part>) -> Result<(), String> {
    match value {
        toml::Value::String(text) => {
            let number = text.strip_prefix('{').and_then(|t| t.strip_suffix(":number}")).filter(|t| !t.contains('{'));
            if let Some(name) = number {
                let hole = Hole::parse(name, sources)?;
                if !hole.is_number() {
                    return Err(format!("{{{name}:number}}: expected a value that is a number"));
                }
                parts.push(Part::Hole { hole, written: WrittenAs::JsonNumber });
            } else {
                push_literal(parts, "\"");
                plain_parts(text, sources, WrittenAs::InsideJsonText, parts)?;
                push_literal(parts, "\"");
            }
        }
        toml::Value::Integer(number) => push_literal(parts, &number.to_string()),
        toml::Value::Boolean(yes) => push_literal(parts, if *yes { "true" } else { "false" }),
        toml::Value::Float(_) | toml::Value::Datetime(_) => {
            return Err("expected texts, whole numbers, booleans, lists and tables".to_owned());
        }
        toml::Value::Array(items) => {
            push_literal(parts, "[");
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    push_literal(parts, ",");
                }
                json_parts(item, sources, parts)?;
            }
            push_literal(parts, "]");
        }
        toml::Value::Table(table) => {
            if let Some(item) = table.get(EACH_BILL).filter(|_| table.len() == 1) {
                let mut repeated = Vec::new();
                json_parts(item, sources, &mut repeated)?;
                parts.push(Part::EachBill(repeated));
                return Ok(());
            }
            push_literal(parts, "{");
            for (n, (key, item)) in table.iter().enumerate() {
                if n > 0 {
                    push_literal(parts, ",");
                }
                push_literal(parts, &quoted(key));
                push_literal(parts, ":");
                json_parts(item, sources, parts)?;
            }
            push_literal(parts, "}");
        }
    }
    Ok(())
}

fn inside_quotes(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or_default()
}

struct Fill<'a> {
    call: Option<&'a Call<'a>>,
    facts: Facts<'a>,
    now: Timestamp,
    bill: Option<&'a Bill>,
}

impl Fill<'_> {
    fn parts(&self, parts: &[Part], out: &mut String) {
        for part in parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Hole { hole, written } => {
                    let value = self.facts.forced.map_or_else(|| self.value(hole), ToOwned::to_owned);
                    match written {
                        WrittenAs::Plain => out.push_str(&value),
                        WrittenAs::InsideJsonText => out.push_str(inside_quotes(&quoted(&value))),
                        WrittenAs::JsonNumber if value.parse::<i64>().is_ok() => out.push_str(&value),
                        WrittenAs::JsonNumber => out.push('0'),
                    }
                }
                Part::EachBill(item) => {
                    out.push('[');
                    for (n, bill) in self.facts.bills.iter().enumerate() {
                        if n > 0 {
                            out.push(',');
                        }
                        let one = Fill { call: self.call, facts: self.facts, now: self.now, bill: Some(bill) };
                        one.parts(item, out);
                    }
                    out.push(']');
                }
            }
        }
    }

    fn value(&self, hole: &Hole) -> String {
        match hole {
            Hole::Echo(place) => self.echo(place),
            Hole::Payment => self.facts.payment.map(|key| key.to_string()).unwrap_or_default(),
            Hole::Outcome => self.facts.outcome.to_owned(),
            Hole::NowUnixMs => self.now.unix_ms().to_string(),
            Hole::NowUnixS => self.now.unix_s().to_string(),
            Hole::NowRfc3339 => self.now.to_string(),
            Hole::Customer => self.facts.customer.unwrap_or_default().to_owned(),
            Hole::Amount => self.facts.amount.unwrap_or_default().to_string(),
            Hole::Total => Money::sum(self.facts.bills.iter().map(|bill| bill.amount)).unwrap_or_default().to_string(),
            Hole::Count => self.facts.bills.len().to_string(),
            Hole::Bill(field) => self.bill.map_or_else(String::new, |bill| match field {
                BillField::Invoice => bill.invoice.to_string(),
                BillField::Period => bill.period.clone(),
                BillField::Amount => bill.amount.to_string(),
                BillField::DueOn => bill.due_on.to_string(),
            }),
        }
    }

    fn echo(&self, place: &Place) -> String {
        let found = self.call.map(|call| call.find(place));
        let text = match &found {
            Some(Ok(Found::Text(text))) => text.as_ref(),
            Some(Ok(Found::Number(text) | Found::Bool(text))) => text,
            Some(Ok(Found::Absent | Found::Nested) | Err(_)) | None => "",
        };
        if text.len() <= ECHO_MAX_BYTES { text.to_owned() } else { String::new() }
    }
}

/// Which replies the partner reads as "done, do not call again".
#[derive(Clone, Debug)]
pub(super) struct Success {
    statuses: Vec<u16>,
    field: Option<(Vec<String>, Vec<String>)>,
}

impl Success {
    /// Compiles `success_when`.
    pub(super) fn compile(file: &SuccessFile) -> Result<Self, String> {
        if file.status.is_empty() {
            return Err("status: expected at least one".to_owned());
        }
        // What we answer before a profile has a say (too large, too many, not now) is 4xx or 5xx.
        if !file.status.iter().all(|status| (200..=299).contains(status)) {
            return Err("status: expected 200 to 299 only".to_owned());
        }
        let field = match &file.at {
            None if file.is.is_empty() => None,
            None => return Err("at: expected a location for the values of is".to_owned()),
            Some(at) => match Location::parse(at)? {
                Location::Json(chain) => match chain.as_slice() {
                    [pointer] if !file.is.is_empty() => Some((pointer.clone(), file.is.clone())),
                    _ => return Err("expected one json:/pointer and the values that mean success".to_owned()),
                },
                _ => return Err("at: expected json:/pointer into our reply".to_owned()),
            },
        };
        Ok(Self { statuses: file.status.clone(), field })
    }

    /// Would the partner take this as success?
    pub(super) fn reads(&self, reply: &Reply) -> bool {
        if !self.statuses.contains(&reply.status) {
            return false;
        }
        let Some((pointer, values)) = &self.field else { return true };
        let Ok(document) = Document::from_bytes(&reply.body) else { return false };
        document.find(pointer).is_some_and(|node| match node.kind {
            Kind::Text => values.iter().any(|value| *value == document.unescaped(node)),
            Kind::Number | Kind::Bool => values.iter().any(|value| value == document.raw(node)),
            Kind::Object | Kind::Array | Kind::Null => false,
        })
    }

    /// Texts that could make a reply a success if an echo put them there.
    pub(super) fn words(&self) -> &[String] {
        self.field.as_ref().map_or(&[], |(_, values)| values)
    }
}

/// How our replies are signed.
#[derive(Clone, Debug)]
pub(super) struct ReplySigner {
    header: String,
    encoding: SignatureEncoding,
    over: Vec<SignedPart>,
}

#[derive(Clone, Debug)]
enum SignedPart {
    Literal(String),
    Status,
    Header(String),
    Body,
    BodyHash(HashText),
}

impl ReplySigner {
    /// Compiles `reply_signature`.
    pub(super) fn compile(header: &str, encoding: SignatureEncoding, over: &str) -> Result<Self, String> {
        let over = split(over)?.into_iter().map(|bit| match bit {
            Bit::Literal(literal) => Ok(SignedPart::Literal(literal.to_owned())),
            Bit::Hole("status") => Ok(SignedPart::Status),
            Bit::Hole("body") => Ok(SignedPart::Body),
            Bit::Hole("body:sha256:hex") => Ok(SignedPart::BodyHash(HashText::Hex)),
            Bit::Hole("body:sha256:base64") => Ok(SignedPart::BodyHash(HashText::Base64)),
            Bit::Hole(hole) => match hole.strip_prefix("header:") {
                Some(name) => Ok(SignedPart::Header(name.to_owned())),
                None => Err(format!(
                    "{{{hole}}}: expected status, header:name, body, body:sha256:hex or body:sha256:base64"
                )),
            },
        });
        Ok(Self { header: header.to_owned(), encoding, over: over.collect::<Result<_, String>>()? })
    }

    /// The bytes that the signature of a reply is over.
    pub(super) fn bytes(&self, reply: &Reply) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(reply.body.len() + 128);
        for part in &self.over {
            match part {
                SignedPart::Literal(text) => bytes.extend_from_slice(text.as_bytes()),
                SignedPart::Status => bytes.extend_from_slice(reply.status.to_string().as_bytes()),
                SignedPart::Body => bytes.extend_from_slice(&reply.body),
                SignedPart::BodyHash(written) => bytes.extend_from_slice(written.of(&reply.body).as_bytes()),
                SignedPart::Header(name) => {
                    let value = reply.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str());
                    bytes.extend_from_slice(value.as_bytes());
                }
            }
        }
        bytes
    }

    /// Adds the signature.
    pub(super) fn sign(&self, key: &SigningKey, reply: &mut Reply) {
        // No key that was read fails to sign; if the library did, the partner meets an unsigned reply and asks again.
        if let Some(signature) = key.sign(&self.bytes(reply)) {
            let written = match self.encoding {
                SignatureEncoding::Hex => hex::encode(signature),
                SignatureEncoding::Base64 => STANDARD.encode(signature),
            };
            reply.headers.push((self.header.clone(), written));
        }
    }
}

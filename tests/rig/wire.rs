//! How the rig speaks as two collectors, and what it reads in their replies. Its own signing and its own words: nothing
//! is taken from the gateway's profiles, so that a wrong profile is found out too.

use crate::http;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// The wallet's callback key, its published sandbox one's length.
pub const WALLET_KEY: &str = "rig-wallet-callback-key-0123456789";
/// The wallet's app id; the profile's own constant.
pub const WALLET_APP: u64 = 2553;
/// The standard sender's secret.
pub const STANDARD_SECRET: &str = "whsec_cmlnLXN0YW5kYXJkLXNlY3JldC0wMTIzNDU2Nzg5MDEyMw==";
/// The core's secret.
pub const CORE_SECRET: &str = "whsec_cmlnLWNvcmUtc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2Nzg5";

/// Through whom a payment comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    Wallet,
    Standard,
}

impl Sender {
    /// The name in the URL and in the books.
    pub fn code(self) -> &'static str {
        match self {
            Self::Wallet => "zalopay",
            Self::Standard => "standard",
        }
    }
}

/// What a payment says.
pub struct Saying<'a> {
    pub sender: Sender,
    pub event: u64,
    pub invoice: &'a str,
    pub amount: i64,
    /// The sender's clock, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What a reply means to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Taken, for the first time.
    Accepted,
    /// Taken, and it was said before.
    Duplicate,
    /// Taken, but not onto the bill.
    Kept,
    /// A final no: not taken under this content.
    Refused,
    /// Ask again.
    Retry,
    /// No reply at all.
    Nothing,
}

impl Heard {
    /// Does the sender believe now that the money is with us?
    pub fn taken(self) -> bool {
        matches!(self, Self::Accepted | Self::Duplicate | Self::Kept)
    }
}

fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The `v1` signature of Standard Webhooks.
pub fn standard_signature(secret: &str, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("the rig's secrets are base64");
    let mut text = format!("{id}.{timestamp}.").into_bytes();
    text.extend(body);
    format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &text)))
}

/// The bytes of the call that says it.
pub fn request(saying: &Saying<'_>) -> Vec<u8> {
    match saying.sender {
        Sender::Wallet => wallet(saying),
        Sender::Standard => standard(saying),
    }
}

fn wallet(s: &Saying<'_>) -> Vec<u8> {
    let data = format!(
        "{{\"app_id\":{WALLET_APP},\"app_trans_id\":\"261122_{}\",\"app_time\":{},\"app_user\":\"rig\",\"amount\":{},\
         \"embed_data\":\"{{}}\",\"item\":\"[]\",\"zp_trans_id\":{},\"server_time\":{},\"channel\":38,\
         \"merchant_user_id\":\"rig\",\"user_fee_amount\":0,\"discount_amount\":0}}",
        s.invoice, s.now_ms, s.amount, s.event, s.now_ms
    );
    let mac = hex::encode(hmac_sha256(WALLET_KEY.as_bytes(), data.as_bytes()));
    let quoted = data.replace('"', "\\\"");
    let body = format!("{{\"data\":\"{quoted}\",\"mac\":\"{mac}\",\"type\":1}}");
    http::request("POST", "/webhooks/zalopay", &[("content-type", "application/json")], body.as_bytes())
}

fn standard(s: &Saying<'_>) -> Vec<u8> {
    let id = format!("msg_{}", s.event);
    let timestamp = (s.now_ms / 1000).to_string();
    let paid_at = jiff::Timestamp::from_millisecond(s.now_ms).expect("the senders' clock is in range");
    let body = format!(
        "{{\"type\":\"payment.succeeded\",\"data\":{{\"account\":\"thuho\",\"payment_id\":\"pay_{}\",\"invoice_id\":\"{}\",\
         \"amount\":{},\"discount\":0,\"fee\":0,\"channel\":\"app\",\"paid_at\":\"{paid_at}\"}}}}",
        s.event, s.invoice, s.amount
    );
    let signature = standard_signature(STANDARD_SECRET, &id, &timestamp, body.as_bytes());
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id.as_str()),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    http::request("POST", "/webhooks/standard", &headers, body.as_bytes())
}

/// What the sender reads in a reply.
pub fn heard(sender: Sender, reply: &http::Reply) -> Heard {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match sender {
        Sender::Wallet => {
            let first = body.get("return_message").and_then(Value::as_str) == Some("success");
            match (reply.status, body.get("return_code").and_then(Value::as_i64)) {
                (200, Some(1)) if first => Heard::Accepted,
                (200, Some(1)) => Heard::Kept,
                (200, Some(2)) => Heard::Duplicate,
                (200, Some(code)) if code != 0 => Heard::Refused,
                _ => Heard::Retry,
            }
        }
        Sender::Standard => match (reply.status, body.get("outcome").and_then(Value::as_str)) {
            (200, Some("accepted")) => Heard::Accepted,
            (200, Some("duplicate")) => Heard::Duplicate,
            (200, _) => Heard::Kept,
            (409 | 422 | 401, _) => Heard::Refused,
            _ => Heard::Retry,
        },
    }
}

/// The environment that the shipped profiles name their secrets by.
pub fn secrets() -> [(&'static str, &'static str); 2] {
    [("THUHO_ZALOPAY_KEY2", WALLET_KEY), ("THUHO_STANDARD_SECRET", STANDARD_SECRET)]
}

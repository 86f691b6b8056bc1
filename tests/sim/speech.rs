//! How what is said becomes a signed call: the shipped protocol for wallets and a bank of our own, under keys that
//! only the simulator knows. The bodies are written here, not by the gateway, so that its reading is judged too.

use base64::Engine as _;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use thuho::domain::ids::{EventId, Movement, PartnerCode};
use thuho::domain::notice::{Effect, Method, NoEffect, Notice, RawNotice, ReferenceText};
use thuho::domain::secret::Secret;
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Forged;
use thuho::partner::{Algorithm, KeyEncoding, Partners, Profile, SecretSource, SigningKey};

/// Takes the money first; the shipped protocol.
pub const WALLET: &str = "standard";
/// Asks before it debits.
pub const BANK: &str = "bank";
/// Our account at both.
pub const ACCOUNT: &str = "thuho";

/// A signed call on its way, and when it was signed.
#[derive(Clone, Debug)]
pub struct Signed {
    pub raw: RawNotice,
    pub at: Timestamp,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    Partner,
    /// Somebody who only pretends to be the partner.
    Stranger,
}

/// A body that its partner signed and that means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonsense {
    NoJson,
    AmountInWords,
    UnknownStatus,
    AnothersAccount,
}

/// The partners, and the keys on their side.
pub struct Speech {
    partners: Partners,
    wallet: [SigningKey; 2],
    bank: [SigningKey; 2],
}

struct Secrets;

impl SecretSource for Secrets {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        match name {
            "env:THUHO_STANDARD_SECRET" => Ok(wallet_secret("the wallet's own, 24 byte")),
            "env:SIMULATOR_BANK" => Ok(bank_secret("the bank's own, 24 bytes.")),
            other => Err(format!("no secret {other}")),
        }
    }
}

fn wallet_secret(text: &str) -> Secret {
    Secret::new(format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(text)).into_bytes())
}

fn bank_secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

/// The profiles are compiled once for all days.
pub fn speech() -> &'static Speech {
    static SPEECH: OnceLock<Speech> = OnceLock::new();
    SPEECH.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        let copy = |from: &str, name: &str| std::fs::copy(root.join(from), folder.path().join(name)).map(drop);
        copy("config/partners/standard.toml", "standard.toml").unwrap();
        copy("tests/sim/bank.toml", "bank.toml").unwrap();
        let partners = Partners::load(folder.path(), &Secrets).unwrap_or_else(|errors| panic!("{errors}"));
        let key = |encoding, secret| SigningKey::read("k", Algorithm::HmacSha256, encoding, &secret).unwrap();
        let wallet = |text| key(KeyEncoding::Whsec, wallet_secret(text));
        let bank = |text| key(KeyEncoding::Text, bank_secret(text));
        Speech {
            partners,
            wallet: [wallet("the wallet's own, 24 byte"), wallet("a stranger's, of 24 bytes")],
            bank: [bank("the bank's own, 24 bytes."), bank("a stranger's, of 24 bytes")],
        }
    })
}

impl Speech {
    /// The profiles, as an instance loads them.
    pub fn partners(&self) -> Partners {
        self.partners.clone()
    }

    pub fn profile(&self, partner: &PartnerCode) -> &Arc<Profile> {
        self.partners.get(partner.as_str()).unwrap()
    }

    /// Says it, signed at `at`.
    pub fn sign(&self, notice: &Notice, hand: Hand, at: Timestamp) -> Signed {
        self.signed(&notice.partner, body_of(notice), hand, at)
    }

    /// Signs what nobody understands.
    pub fn sign_nonsense(&self, notice: &Notice, nonsense: Nonsense, at: Timestamp) -> Signed {
        let body = body_of(notice);
        let account = format!(r#""{ACCOUNT}""#);
        let body = match nonsense {
            Nonsense::NoJson => format!("{body},"),
            Nonsense::AmountInWords => {
                body.replace(r#""amount":"#, r#""amount":"nearly "#).replace(r#","disc"#, r#"","disc"#)
            }
            Nonsense::UnknownStatus => body.replacen(r#""type":""#, r#""type":"un"#, 1),
            Nonsense::AnothersAccount => body.replace(&account, r#""another""#),
        };
        self.signed(&notice.partner, body, Hand::Partner, at)
    }

    fn signed(&self, partner: &PartnerCode, body: String, hand: Hand, at: Timestamp) -> Signed {
        let profile = self.profile(partner);
        let (keys, id) = if partner.as_str() == WALLET { (&self.wallet, "webhook-id") } else { (&self.bank, "x-id") };
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.push((id.to_owned(), "1".to_owned()));
        let forged = Forged {
            method: Method::Post,
            path: format!("/webhooks/{partner}"),
            query: String::new(),
            headers,
            body: body.into_bytes(),
        };
        let key = &keys[usize::from(hand == Hand::Stranger)];
        let Forged { method, path, query, headers, body } = profile.sign_forged(forged, key, at).unwrap();
        let (body, peer) = (Bytes::from(body), IpAddr::V4(Ipv4Addr::LOCALHOST));
        Signed { raw: RawNotice { method, path, query, headers, body, peer, received_at: at }, at }
    }
}

/// The fields of an event id, by its partner.
pub fn event(partner: &str, name: String) -> EventId {
    let fields = if partner == WALLET { vec![name] } else { vec!["20260115".to_owned(), name] };
    EventId::parse(fields).unwrap()
}

fn body_of(notice: &Notice) -> String {
    let wallet = notice.partner.as_str() == WALLET;
    let words = if wallet {
        ["payment.succeeded", "payment.reversed", "payment.pending", "payment.failed"]
    } else {
        ["PAYMENT", "REVERSAL", "PENDING", "FAILED"]
    };
    let word = words[match notice.effect {
        Effect::Moves(Movement::Payment) => 0,
        Effect::Moves(Movement::Reversal) => 1,
        Effect::None(NoEffect::Pending | NoEffect::Probe) => 2,
        Effect::None(NoEffect::Failed) => 3,
    }];
    let [invoice, order, customer, paid_at] = if wallet {
        ["invoice_id", "order", "customer_code", "paid_at"]
    } else {
        ["bill", "order", "customer", "time"]
    };
    let mut fields = match notice.event.fields() {
        [id] => format!(r#""account":"{ACCOUNT}","payment_id":"{id}""#),
        fields => format!(r#""biller":"{ACCOUNT}","day":"{}","number":"{}""#, fields[0], fields[1]),
    };
    match notice.reverses.as_ref().map(EventId::fields) {
        None => {}
        Some([id]) => fields.push_str(&format!(r#","reverses":"{id}""#)),
        Some(of) => fields.push_str(&format!(r#","original":{{"day":"{}","number":"{}"}}"#, of[0], of[1])),
    }
    let references = &notice.references;
    for (name, text) in [(invoice, &references.invoice), (order, &references.order), (customer, &references.customer)] {
        if let Some(text) = text.as_ref().map(ReferenceText::as_str) {
            fields.push_str(&format!(r#","{name}":"{text}""#));
        }
    }
    let Notice { amount, discount, fee, paid_at: at, .. } = notice;
    fields.push_str(&format!(r#","amount":{amount},"discount":{discount},"fee":{fee},"{paid_at}":"{at}""#));
    if wallet {
        format!(r#"{{"type":"{word}","data":{{{fields}}}}}"#)
    } else {
        format!(r#"{{"type":"{word}",{fields}}}"#)
    }
}

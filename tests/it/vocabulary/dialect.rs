//! A partner of the test's own: a profile with a handful of examples, and calls that are written and signed here, by
//! hand, so that the profile is held to the scheme and not to our own forger.

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, Setup};
use hmac::{KeyInit, Mac};
use std::fmt::Write;
use tempfile::TempDir;
use thuho::domain::notice::Method;
use thuho::domain::outcome::Outcome;
use thuho::partner::Partners;
use thuho::partner::forge::Forged;

/// The examples' key and the live one.
pub const EXAMPLE_KEY: &str = "the example key of nobody at all";
pub const LIVE_KEY: &str = "the live key of the vocabulary tests";

/// What the partner says, in no dialect yet.
#[derive(Clone)]
pub struct Said {
    pub event: &'static str,
    pub invoice: &'static str,
    /// What the bill is to be reduced by.
    pub amount: i64,
    pub discount: i64,
    /// Something that is said anew each time and means nothing.
    pub nonce: u32,
}

pub fn said(event: &'static str, amount: i64) -> Said {
    Said { event, invoice: "HD-1", amount, discount: 0, nonce: 1 }
}

impl Said {
    pub fn discounted(self, discount: i64) -> Self {
        Self { discount, ..self }
    }

    pub fn again(&self) -> Self {
        Self { nonce: self.nonce + 1, ..self.clone() }
    }
}

/// How a partner speaks.
pub struct Dialect {
    pub name: &'static str,
    /// The profile without replies, example key and examples.
    pub head: &'static str,
    /// Writes and signs a call under a key.
    pub write: fn(&Said, &str) -> Forged,
    /// The reply to an outcome, as TOML after its header.
    pub reply: fn(Outcome) -> String,
    /// Whether discounts are mapped.
    pub has_discount: bool,
    /// More of a key's block in the profile, and the secrets.
    pub secrets: &'static [(&'static str, &'static str)],
}

impl Dialect {
    /// The whole profile: its head, replies and signed examples.
    pub fn profile(&self) -> String {
        let mut text = format!("partner = \"{}\"\n{}\n", self.name, self.head);
        for outcome in Outcome::ALL {
            writeln!(text, "[reply.{}]\n{}", outcome.word(), (self.reply)(outcome)).unwrap();
        }
        writeln!(text, "[[example_key]]\nid = \"example\"\nvalue = \"{EXAMPLE_KEY}\"").unwrap();
        let first = said("E1", 150_000);
        let other = Said { amount: 140_000, ..first.clone() };
        self.example(&mut text, &first, "outcome = \"accepted\"", EXAMPLE_KEY);
        self.example(&mut text, &first.again(), "same_content_as = 1\noutcome = \"duplicate\"", EXAMPLE_KEY);
        self.example(&mut text, &other, "other_content_than = 1\noutcome = \"conflict\"", EXAMPLE_KEY);
        let forged = "refusal = \"bad_signature\"\noutcome = \"bad_signature\"";
        self.example(&mut text, &first, forged, "a key that nobody has ever known");
        if self.has_discount {
            let discounted = said("E2", 150_000).discounted(20_000);
            self.example(&mut text, &discounted, "outcome = \"accepted\"", EXAMPLE_KEY);
        }
        text
    }

    fn example(&self, text: &mut String, said: &Said, end: &str, key: &str) {
        let Forged { query, headers, body, .. } = (self.write)(said, key);
        let outcome = end.rsplit('"').nth(1).and_then(Outcome::parse).unwrap();
        let status = (self.reply)(outcome).split_once("status = ").unwrap().1[..3].to_owned();
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
        let Said { event, invoice, amount, discount, .. } = said;
        writeln!(
            text,
            "[[example]]\nabout = \"{event} {amount}\"\nat = \"2026-11-22T09:00:00+07:00\"\nquery = '{query}'\n\
             headers = {{ {} }}\nbody = '''{}'''\nreply_status = {status}\n{end}",
            headers.join(", "),
            String::from_utf8(body).unwrap()
        )
        .unwrap();
        if !end.starts_with("refusal") {
            writeln!(
                text,
                "notice = {{ event = [\"{event}\"], effect = \"payment\", amount = {amount}, discount = {discount}, \
                 invoice = \"{invoice}\", paid_at = \"2026-11-22T08:30:00+07:00\" }}"
            )
            .unwrap();
        }
    }

    /// Why a changed profile does not load.
    pub fn faults(&self, from: &str, to: &str) -> String {
        let text = self.profile();
        assert!(text.contains(from), "{from}");
        Partners::compile("own.toml", &text.replace(from, to), None).map(drop).unwrap_err().to_string()
    }

    pub fn start(&'static self) -> Speaker {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(format!("{}.toml", self.name)), self.profile()).unwrap();
        let setup =
            Setup { partners: Some(folder.path().to_owned()), secrets: self.secrets.to_vec(), ..Setup::default() };
        Speaker { gateway: Gateway::with(setup), dialect: self, _folder: folder }
    }
}

/// The partner, calling a gateway.
pub struct Speaker {
    pub gateway: Gateway,
    dialect: &'static Dialect,
    _folder: TempDir,
}

impl Speaker {
    pub fn say(&self, said: &Said) -> Answer {
        self.send(&self.write(said))
    }

    /// The call under the live key.
    pub fn write(&self, said: &Said) -> Forged {
        (self.dialect.write)(said, LIVE_KEY)
    }

    pub fn send(&self, call: &Forged) -> Answer {
        http::call(self.gateway.running().public(), &http::webhook(self.dialect.name, call))
    }

    /// What the books know of the payments that name an invoice.
    pub fn payments(&self, invoice: &str) -> serde_json::Value {
        self.gateway.get(&format!("/api/v1/payments?invoice={invoice}")).json()
    }
}

pub fn get(query: String) -> Forged {
    Forged { method: Method::Get, path: String::new(), query, headers: Vec::new(), body: Vec::new() }
}

pub fn post(content_type: &str, headers: &[(&str, String)], body: String) -> Forged {
    let mut all = vec![("content-type".to_owned(), content_type.to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Forged { method: Method::Post, path: String::new(), query: String::new(), headers: all, body: body.into_bytes() }
}

pub fn mac<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The whole answer, to the byte.
pub fn check(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (status, body));
}

/// Replies by HTTP status, with the outcome's own word as their text.
pub fn by_status(outcome: Outcome) -> String {
    let status = match outcome {
        Outcome::BadSignature => 401,
        Outcome::Malformed => 422,
        Outcome::Conflict | Outcome::ReversalRefused => 409,
        Outcome::Stale | Outcome::TryAgain => 503,
        _ => 200,
    };
    format!("status = {status}\ntext = \"{}\"", outcome.word())
}

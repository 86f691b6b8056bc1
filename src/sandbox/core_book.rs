//! What the sandbox billing core believes: the keys it took, what each invoice was settled by, and how it may
//! misbehave. Pure but for its journal; the HTTP around it is in [`super::core`].

use super::chance::Chance;
use super::journal::Journal;
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// How the core may answer, instead of doing what it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Answers this status and takes nothing.
    Status {
        /// The code.
        code: u16,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after_s: Option<u32>,
    },
    /// Takes the message, then answers this status: the yes is lost.
    TakeThenStatus {
        /// The code.
        code: u16,
    },
    /// Never answers; takes the message first or not.
    Silence {
        /// Was it taken?
        take: bool,
    },
    /// 409 about a bill that somebody else cleared: our id is not in it.
    ClearedByOther,
    /// Sends us somewhere else.
    Redirect {
        /// Where.
        to: String,
    },
    /// Takes the message, says 200 and sends a body of this many bytes, none of it meant for us.
    Babble {
        /// How many.
        bytes: usize,
    },
    /// Does what it should, after a while.
    Slow {
        /// How long, in milliseconds.
        ms: u64,
    },
}

/// One order to misbehave. The first that fits a call applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Only for this invoice.
    #[serde(default)]
    pub invoice: Option<String>,
    /// Only so often; for ever if `None`.
    #[serde(default)]
    pub times: Option<u32>,
    /// What to do.
    #[serde(flatten)]
    pub act: Act,
}

/// How the core behaves as a whole; replaced as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// Of a hundred first and second attempts of a message, how many fail in one way or another.
    #[serde(default)]
    pub fail_percent: u32,
    /// Orders, in order.
    #[serde(default)]
    pub orders: Vec<Order>,
}

/// What a call did to the core's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Taken: the books moved.
    Taken,
    /// Known already: nothing moved.
    Repeat,
    /// Known, with other content: a fault of the caller's.
    KeyReused,
    /// An older message than one already taken for its invoice: ignored, and a fault of the caller's.
    Older,
    /// Not taken.
    None,
}

/// One line of the core's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The `webhook-id`.
    pub id: String,
    /// `payment.settled` or `payment.reversed`.
    pub kind: String,
    /// Which payment.
    pub payment: String,
    /// Through whom.
    pub partner: String,
    /// Its name for what happened.
    pub event: String,
    /// Which invoice.
    pub invoice: String,
    /// Whose.
    pub customer: String,
    /// Its place in the invoice's order.
    pub sequence: u32,
    /// Whole dong, as the message says: never negative.
    pub amount: i64,
    /// What it did to the books.
    pub effect: Effect,
    /// The status that was answered; 0 for none.
    pub answered: u16,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// An answer to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The code; 0 for silence.
    pub status: u16,
    /// The body.
    pub body: String,
    /// A header besides.
    pub header: Option<(&'static str, String)>,
    /// To be waited first, in milliseconds.
    pub after_ms: u64,
}

impl Said {
    fn plain(status: u16, body: String) -> Self {
        Self { status, body, header: None, after_ms: 0 }
    }
}

/// Totals of the books.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Calls with a right signature.
    pub calls: u64,
    /// Messages taken.
    pub taken: u64,
    /// Repeats of one taken.
    pub repeats: u64,
    /// Keys said with two contents.
    pub keys_reused: u64,
    /// Messages that came after a later one.
    pub older: u64,
    /// Settled less reversed, in dong.
    pub net_dong: i64,
}

/// The message, as far as the core reads it.
#[derive(Deserialize)]
struct Message {
    r#type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    payment: String,
    partner: String,
    #[serde(default)]
    event: String,
    invoice_id: String,
    #[serde(default)]
    customer_code: String,
    sequence: u32,
    amount: i64,
}

/// The books.
#[derive(Debug)]
pub struct CoreBook {
    chance: Chance,
    behaviour: Behaviour,
    taken: HashMap<String, [u8; 32]>,
    calls_of: HashMap<String, u64>,
    last_sequence: HashMap<String, u32>,
    invoices: BTreeMap<String, i64>,
    totals: Totals,
    journal: Journal<Line>,
}

impl CoreBook {
    /// Empty books.
    #[must_use]
    pub fn new(seed: u64, behaviour: Behaviour, journal: Journal<Line>) -> Self {
        Self {
            chance: Chance(seed),
            behaviour,
            taken: HashMap::new(),
            calls_of: HashMap::new(),
            last_sequence: HashMap::new(),
            invoices: BTreeMap::new(),
            totals: Totals::default(),
            journal,
        }
    }

    /// Behaves so from now on.
    pub fn behave(&mut self, behaviour: Behaviour) {
        self.behaviour = behaviour;
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal<Line> {
        &self.journal
    }

    /// Settled less reversed by invoice, in dong.
    #[must_use]
    pub fn invoices(&self) -> &BTreeMap<String, i64> {
        &self.invoices
    }

    /// The totals.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Hears a message whose signature is proved, and says what is answered.
    ///
    /// # Errors
    /// When the journal cannot be written; nothing is to be answered as success then.
    pub fn hear(&mut self, id: &str, body: &[u8], at: Timestamp) -> std::io::Result<Said> {
        let Ok(Message { r#type: kind, data }) = serde_json::from_slice::<Message>(body) else {
            return Ok(Said::plain(400, "{\"error\":\"not a message\"}".to_owned()));
        };
        self.totals.calls += 1;
        let act = self.act(id, &data.invoice_id);
        let takes = !matches!(
            act,
            Some(Act::Status { .. } | Act::ClearedByOther | Act::Redirect { .. } | Act::Silence { take: false })
        );
        let effect = if takes { self.take(id, body, &kind, &data) } else { Effect::None };
        let said = said(id, effect, act);
        let Data { payment, partner, event, invoice_id: invoice, customer_code: customer, sequence, amount } = data;
        let id = id.to_owned();
        self.journal.add(Line {
            id,
            kind,
            payment,
            partner,
            event,
            invoice,
            customer,
            sequence,
            amount,
            effect,
            answered: said.status,
            at_ms: at.unix_ms(),
        })?;
        Ok(said)
    }

    fn take(&mut self, id: &str, body: &[u8], kind: &str, data: &Data) -> Effect {
        let hash: [u8; 32] = Sha256::digest(body).into();
        if let Some(known) = self.taken.get(id) {
            let same = *known == hash;
            let count = if same { &mut self.totals.repeats } else { &mut self.totals.keys_reused };
            *count += 1;
            return if same { Effect::Repeat } else { Effect::KeyReused };
        }
        self.taken.insert(id.to_owned(), hash);
        let last = self.last_sequence.entry(data.invoice_id.clone()).or_insert(0);
        if data.sequence <= *last {
            self.totals.older += 1;
            return Effect::Older;
        }
        *last = data.sequence;
        let moved = if kind == "payment.reversed" { -data.amount } else { data.amount };
        *self.invoices.entry(data.invoice_id.clone()).or_insert(0) += moved;
        self.totals.taken += 1;
        self.totals.net_dong += moved;
        Effect::Taken
    }

    /// The order that fits, or what chance brings. Chance depends on the message and on how often it came, not on
    /// when, so two runs with one seed fail alike.
    fn act(&mut self, id: &str, invoice: &str) -> Option<Act> {
        let call = self.calls_of.entry(id.to_owned()).or_insert(0);
        *call += 1;
        let fits = |order: &&mut Order| {
            order.times != Some(0) && order.invoice.as_deref().is_none_or(|wanted| wanted == invoice)
        };
        if let Some(order) = self.behaviour.orders.iter_mut().find(fits) {
            order.times = order.times.map(|times| times - 1);
            return Some(order.act.clone());
        }
        // Never more than twice for one message, so that a day of the demo ends.
        if *call > 2 || !self.chance.happens(id, *call, self.behaviour.fail_percent) {
            return None;
        }
        Some(match self.chance.below(id, 1_000 + *call, 4) {
            0 => Act::Status { code: 500, retry_after_s: None },
            1 => Act::Status { code: 429, retry_after_s: Some(0) },
            2 => Act::TakeThenStatus { code: 502 },
            _ => Act::Status { code: 503, retry_after_s: None },
        })
    }
}

fn said(id: &str, effect: Effect, act: Option<Act>) -> Said {
    let done = match effect {
        Effect::Repeat => Said::plain(409, format!("{{\"error\":\"already taken\",\"webhook-id\":\"{id}\"}}")),
        Effect::KeyReused => Said::plain(422, "{\"error\":\"this id was said with another content\"}".to_owned()),
        Effect::Taken | Effect::Older | Effect::None => Said::plain(200, format!("{{\"taken\":\"{id}\"}}")),
    };
    match act {
        None => done,
        Some(Act::Slow { ms }) => Said { after_ms: ms, ..done },
        Some(Act::Status { code, retry_after_s }) => Said {
            header: retry_after_s.map(|s| ("retry-after", s.to_string())),
            ..Said::plain(code, "{\"error\":\"as ordered\"}".to_owned())
        },
        Some(Act::TakeThenStatus { code }) => Said::plain(code, String::new()),
        Some(Act::Silence { .. }) => Said::plain(0, String::new()),
        Some(Act::ClearedByOther) => Said::plain(409, "{\"error\":\"cleared at the counter\"}".to_owned()),
        Some(Act::Redirect { to }) => Said { header: Some(("location", to)), ..Said::plain(307, String::new()) },
        Some(Act::Babble { bytes }) => Said::plain(200, "x".repeat(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &str, invoice: &str, sequence: u32, amount: i64) -> Vec<u8> {
        format!(
            "{{\"type\":\"{kind}\",\"data\":{{\"payment\":\"p\",\"partner\":\"a\",\"invoice_id\":\"{invoice}\",\
             \"sequence\":{sequence},\"amount\":{amount}}}}}"
        )
        .into_bytes()
    }

    fn book(behaviour: Behaviour) -> CoreBook {
        CoreBook::new(7, behaviour, Journal::default())
    }

    fn check(book: &mut CoreBook, id: &str, body: &[u8], expected: u16) {
        assert_eq!(book.hear(id, body, Timestamp::default()).unwrap().status, expected, "{id}");
    }

    #[test]
    fn a_message_moves_the_books_once() {
        let mut book = book(Behaviour::default());
        let body = message("payment.settled", "HD-1", 1, 500);
        check(&mut book, "dsp_1", &body, 200);
        check(&mut book, "dsp_1", &body, 409);
        assert!(book.hear("dsp_1", &body, Timestamp::default()).unwrap().body.contains("dsp_1"));
        check(&mut book, "dsp_1", &message("payment.settled", "HD-1", 1, 501), 422);
        check(&mut book, "dsp_2", &message("payment.reversed", "HD-1", 2, 200), 200);
        check(&mut book, "dsp_0", &message("payment.settled", "HD-1", 1, 900), 200);
        check(&mut book, "dsp_3", b"{}", 400);
        assert_eq!(book.invoices().get("HD-1"), Some(&300));
        let totals = Totals { calls: 6, taken: 2, repeats: 2, keys_reused: 1, older: 1, net_dong: 300 };
        assert_eq!(book.totals(), &totals);
    }

    #[test]
    fn orders_apply_to_their_invoice_and_wear_out() {
        let text = r#"{"orders":[{"invoice":"HD-1","times":1,"act":"take_then_status","code":500},
            {"invoice":"HD-2","act":"cleared_by_other"},{"invoice":"HD-3","times":1,"act":"silence","take":false}]}"#;
        let mut book = book(serde_json::from_str(text).unwrap());
        let body = message("payment.settled", "HD-1", 1, 500);
        check(&mut book, "dsp_1", &body, 500);
        check(&mut book, "dsp_1", &body, 409);
        check(&mut book, "dsp_2", &message("payment.settled", "HD-2", 1, 5), 409);
        assert!(
            !book
                .hear("dsp_2", &message("payment.settled", "HD-2", 1, 5), Timestamp::default())
                .unwrap()
                .body
                .contains("dsp_2")
        );
        check(&mut book, "dsp_3", &message("payment.settled", "HD-3", 1, 5), 0);
        check(&mut book, "dsp_3", &message("payment.settled", "HD-3", 1, 5), 200);
        assert_eq!(book.totals().net_dong, 505);
    }

    #[test]
    fn chance_fails_a_message_at_most_twice_and_alike_in_each_run() {
        let answers = || {
            let mut book = book(Behaviour { fail_percent: 100, ..Behaviour::default() });
            let body = message("payment.settled", "HD-1", 1, 500);
            [1, 2, 3].map(|_| book.hear("dsp_1", &body, Timestamp::default()).unwrap().status)
        };
        let [first, second, third] = answers();
        assert!([500, 502, 503, 429].contains(&first) && [500, 502, 503, 429].contains(&second));
        assert!([200, 409].contains(&third));
        assert_eq!(answers(), [first, second, third]);
    }
}

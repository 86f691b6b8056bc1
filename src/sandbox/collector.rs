//! A sandbox collector: tells the stories of its payments to a gateway, asks again when it does not hear a yes, and
//! writes down what it believes. It reads replies by its profile alone and never looks into the gateway's books.

use super::journal::Journal;
use super::scenario::Scenario;
use super::speech::{Naming, Saying, Speech, name_of};
use crate::domain::ids::{EventKey, Movement};
use crate::domain::invoice::Invoice;
use crate::domain::money::Money;
use crate::domain::notice::{Effect, Method, NoEffect, OnMismatch};
use crate::domain::time::Clock;
use crate::partner::forge::Forged;
use crate::partner::{Reply, SigningKey};
use futures_util::future::join_all;
use serde::Serialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a call is made until a yes is heard.
const TRIES_MAX: u32 = 4;

/// How many say the same thing at once in a burst.
const BURST: usize = 5;

/// How long it waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A pause before it asks again, times the number of tries.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The longest reply that is read.
const REPLY_MAX_BYTES: usize = 64 * 1024;

/// What the collector believes of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Who.
    pub partner: String,
    /// The event's last field.
    pub event: String,
    /// `payment`, `reversal` or `status`.
    pub movement: &'static str,
    /// The event of the payment that is taken back.
    pub reverses: Option<String>,
    /// Its identity, which the gateway would answer to; `None` for what moves no money there.
    pub key: Option<String>,
    /// The story it belongs to.
    pub story: &'static str,
    /// The event by all its fields, as a notice names it; nothing for what cannot be said.
    pub fields: Vec<String>,
    /// The bill it is about; empty for one that nobody knows.
    pub invoice: String,
    /// How the bill was named,
    pub naming: Naming,
    /// and by which text.
    pub reference: String,
    /// What was said of the money, in dong.
    pub amount: i64,
    /// When it was paid, in milliseconds since 1970.
    pub paid_at_ms: i64,
    /// What its till moved by, in dong: positive for a payment, negative for one taken back.
    pub till: i64,
    /// Was the gateway told at all?
    pub told: bool,
    /// Was it told so that it can be read?
    pub readable: bool,
    /// How many calls were made.
    pub calls: u32,
    /// The last status heard; 0 for none.
    pub status: u16,
    /// Did it read a yes?
    pub yes: bool,
}

impl Line {
    /// Does it hold money of which the gateway cannot know from its calls?
    #[must_use]
    pub fn unheard(&self) -> bool {
        self.till > 0 && !(self.told && self.readable)
    }
}

/// A payment to be told.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Its number: unique in the run, part of its event ids.
    pub n: u64,
    /// What happens to it.
    pub scenario: Scenario,
    /// What it pays.
    pub bill: Invoice,
}

/// A collector.
pub struct Collector {
    speech: Speech,
    stranger: Option<SigningKey>,
    base: String,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
    journal: Mutex<Journal<Line>>,
}

/// What was heard of one saying.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    calls: u32,
    status: u16,
    yes: bool,
}

impl Collector {
    /// A collector that calls the gateway at `base`, such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// A sentence when the HTTP client cannot be set up.
    pub fn new(
        speech: Speech,
        stranger: Option<SigningKey>,
        base: &str,
        clock: Arc<dyn Clock>,
        journal: Journal<Line>,
    ) -> Result<Self, String> {
        let http = http_client(ANSWER_TIMEOUT)?;
        Ok(Self {
            speech,
            stranger,
            base: base.trim_end_matches('/').to_owned(),
            http,
            clock,
            journal: Mutex::new(journal),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.speech.profile().code().as_str()
    }

    /// Does it ask before it takes the customer's money?
    #[must_use]
    pub fn asks_first(&self) -> bool {
        self.speech.profile().on_mismatch() == OnMismatch::Refuse
    }

    /// What it believes so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.journal().lines().to_vec()
    }

    fn journal(&self) -> MutexGuard<'_, Journal<Line>> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells one payment's story, from its first word to its last. A story that the profile has no words for is told
    /// plainly.
    ///
    /// # Errors
    /// A sentence when the journal cannot be written or nothing can be said at all.
    pub async fn tell(&self, payment: &Payment) -> Result<(), String> {
        let saying = self.payment(payment, "1");
        match self.possible(payment, &saying) {
            Scenario::Plain => self.pay(payment, &saying, 1).await,
            Scenario::Repeated => self.pay(payment, &saying, 3).await,
            Scenario::Burst => self.burst(payment, &saying).await,
            Scenario::Forged => self.forged(payment, &saying).await,
            Scenario::WrongAmount => {
                let more = Saying { amount: plus(saying.amount, 1_000), ..saying };
                self.pay(payment, &more, 1).await
            }
            Scenario::UnknownBill => self.unknown_bill(payment, saying).await,
            Scenario::Lost => self.lost(payment, &saying),
            Scenario::Reversed => {
                self.pay(payment, &saying, 1).await?;
                self.take_back(payment, &saying).await
            }
            Scenario::ReversedFirst => {
                self.take_back(payment, &saying).await?;
                self.pay(payment, &saying, 1).await
            }
            Scenario::PendingFirst => {
                self.without_money(payment, &with_effect(&saying, NoEffect::Pending)).await?;
                self.pay(payment, &saying, 1).await
            }
            Scenario::Failed => self.without_money(payment, &with_effect(&saying, NoEffect::Failed)).await,
            Scenario::Conflicting => self.conflicting(payment, &saying).await,
            Scenario::PaidTwice => {
                self.pay(payment, &saying, 1).await?;
                self.pay(payment, &self.payment(payment, "2"), 1).await
            }
            Scenario::UnknownStatus => self.unknown_status(payment, saying).await,
        }
    }

    /// The event ids of a payment are digits alone, because some profiles want numbers: the day, the payment, a place.
    fn payment(&self, payment: &Payment, place: &str) -> Saying {
        let naming = self.speech.naming(payment.n);
        Saying {
            event: format!("261120{:08}{place}", payment.n),
            reverses: None,
            effect: Effect::Moves(Movement::Payment),
            status: None,
            bill: (naming, name_of(naming, &payment.bill)),
            amount: payment.bill.total,
            paid_at: self.clock.now(),
        }
    }

    fn possible(&self, payment: &Payment, saying: &Saying) -> Scenario {
        let now = self.clock.now();
        let can = match payment.scenario {
            Scenario::Reversed => self.can_take_back(saying),
            // A partner that asks first has nothing to lose or to take back before it has asked.
            Scenario::Lost => !self.asks_first(),
            Scenario::ReversedFirst => !self.asks_first() && self.can_take_back(saying),
            Scenario::PendingFirst => self.speech.can_say(&with_effect(saying, NoEffect::Pending), now),
            Scenario::Failed => self.speech.can_say(&with_effect(saying, NoEffect::Failed), now),
            Scenario::UnknownStatus => {
                !self.asks_first() && self.speech.can_confuse(&Saying { status: Some("977"), ..saying.clone() }, now)
            }
            Scenario::Forged => self.stranger.is_some(),
            Scenario::Plain
            | Scenario::Repeated
            | Scenario::Burst
            | Scenario::WrongAmount
            | Scenario::UnknownBill
            | Scenario::Conflicting
            | Scenario::PaidTwice => true,
        };
        if can { payment.scenario } else { Scenario::Plain }
    }

    fn can_take_back(&self, saying: &Saying) -> bool {
        let now = self.clock.now();
        self.speech.reversal(saying, now).is_some_and(|back| self.speech.can_say(&back, now))
    }

    async fn pay(&self, payment: &Payment, saying: &Saying, times: u32) -> Result<(), String> {
        let mut heard = self.insist(saying).await?;
        for _ in 1..times {
            let again = self.insist(saying).await?;
            heard = Heard { calls: heard.calls + again.calls, yes: heard.yes || again.yes, ..again };
        }
        self.believe(payment, saying, heard)
    }

    async fn burst(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        let said: Vec<Result<Heard, String>> = join_all((0..BURST).map(|_| self.insist(saying))).await;
        let mut all = Heard::default();
        for heard in said {
            let heard = heard?;
            all = Heard { calls: all.calls + heard.calls, status: heard.status, yes: all.yes || heard.yes };
        }
        self.believe(payment, saying, all)
    }

    async fn forged(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        if let Some(stranger) = &self.stranger {
            let now = self.clock.now();
            let forged = self.speech.say_signed(saying, stranger, now).map_err(|e| self.wordless(&e.to_string()))?;
            if self.call(&forged).await.is_some_and(|reply| self.speech.profile().reads_as_success(&reply)) {
                return Err(format!("{}: a forged call was taken", self.name()));
            }
        }
        self.pay(payment, saying, 1).await
    }

    async fn unknown_bill(&self, payment: &Payment, saying: Saying) -> Result<(), String> {
        let (naming, _) = saying.bill;
        let mut nobody = payment.bill.clone();
        let ids = (
            crate::domain::ids::InvoiceId::parse(format!("HDXX{:07}", payment.n)),
            crate::domain::ids::CustomerCode::parse(format!("PA03XX{:07}", payment.n)),
        );
        if let (Ok(id), Ok(customer)) = ids {
            (nobody.id, nobody.customer) = (id, customer);
        }
        let nowhere = Saying { bill: (naming, name_of(naming, &nobody)), ..saying };
        let heard = self.insist(&nowhere).await?;
        self.write(Line { invoice: String::new(), ..self.line(payment, &nowhere, heard) })
    }

    async fn conflicting(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        let first = self.insist(saying).await?;
        let other = Saying { amount: plus(saying.amount, 500), ..saying.clone() };
        let second = self.insist(&other).await?;
        if second.yes {
            return Err(format!("{}: a contradiction was taken for a yes", self.name()));
        }
        self.believe(payment, saying, Heard { calls: first.calls + second.calls, ..first })
    }

    async fn unknown_status(&self, payment: &Payment, saying: Saying) -> Result<(), String> {
        let strange = Saying { status: Some("977"), ..saying.clone() };
        // Once only: each such call is kept as a receipt of its own.
        let heard = self.once(&strange).await?;
        self.write(Line { readable: false, ..self.line(payment, &saying, heard) })
    }

    async fn without_money(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        let heard = self.insist(saying).await?;
        let line = self.line(payment, saying, heard);
        self.write(Line { till: 0, key: None, movement: "status", ..line })
    }

    fn lost(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        let line = self.line(payment, saying, Heard::default());
        self.write(Line { told: false, ..line })
    }

    async fn take_back(&self, payment: &Payment, saying: &Saying) -> Result<(), String> {
        let Some(back) = self.speech.reversal(saying, self.clock.now()) else {
            return Err(self.wordless("the payment to take back cannot be said"));
        };
        let heard = self.insist(&back).await?;
        let line = self.line(payment, &back, heard);
        self.write(Line { till: if heard.yes { -back.amount.dong() } else { 0 }, ..line })
    }

    fn believe(&self, payment: &Payment, saying: &Saying, heard: Heard) -> Result<(), String> {
        self.write(self.line(payment, saying, heard))
    }

    /// A partner that asks first has the money once it has heard yes; any other had it before it called.
    fn line(&self, payment: &Payment, saying: &Saying, heard: Heard) -> Line {
        let (event, key) = match self.speech.event_of(saying, self.clock.now()) {
            Some((event, key)) => (event.fields().to_vec(), key),
            None => (Vec::new(), None),
        };
        let (naming, reference) = saying.bill.clone();
        let has_money = heard.yes || !self.asks_first();
        Line {
            partner: self.name().to_owned(),
            event: saying.event.clone(),
            movement: if saying.reverses.is_some() { "reversal" } else { "payment" },
            reverses: saying.reverses.as_ref().and_then(|fields| fields.last().cloned()),
            key: key.as_ref().map(EventKey::to_string),
            story: payment.scenario.word(),
            fields: event,
            invoice: payment.bill.id.to_string(),
            naming,
            reference,
            amount: saying.amount.dong(),
            paid_at_ms: saying.paid_at.unix_ms(),
            till: if has_money { saying.amount.dong() } else { 0 },
            told: true,
            readable: true,
            calls: heard.calls,
            status: heard.status,
            yes: heard.yes,
        }
    }

    fn write(&self, line: Line) -> Result<(), String> {
        self.journal().add(line).map_err(|error| format!("{}: cannot write the journal: {error}", self.name()))
    }

    /// Calls until it reads a yes, with a fresh signature each time.
    async fn insist(&self, saying: &Saying) -> Result<Heard, String> {
        let mut heard = Heard::default();
        while heard.calls < TRIES_MAX && !heard.yes {
            if heard.calls > 0 {
                tokio::time::sleep(AGAIN_AFTER * heard.calls).await;
            }
            let one = self.once(saying).await?;
            heard = Heard { calls: heard.calls + 1, ..one };
        }
        Ok(heard)
    }

    async fn once(&self, saying: &Saying) -> Result<Heard, String> {
        let said = self.speech.speak(saying, self.clock.now()).map_err(|e| self.wordless(&e.to_string()))?;
        let reply = self.call(&said).await;
        let yes = reply.as_ref().is_some_and(|reply| self.speech.profile().reads_as_success(reply));
        Ok(Heard { calls: 1, status: reply.map_or(0, |reply| reply.status), yes })
    }

    fn wordless(&self, problem: &str) -> String {
        format!("{}: {problem}", self.name())
    }

    /// `None` when no whole answer came.
    async fn call(&self, said: &Forged) -> Option<Reply> {
        let query = if said.query.is_empty() { String::new() } else { format!("?{}", said.query) };
        let url = format!("{}{}{query}", self.base, said.path);
        let mut request = match said.method {
            Method::Get => self.http.get(url),
            Method::Post => self.http.post(url).body(said.body.clone()),
        };
        for (name, value) in &said.headers {
            request = request.header(name, value);
        }
        let mut answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let headers = answer.headers().iter();
        let headers = headers
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > REPLY_MAX_BYTES {
                return None;
            }
        }
        Some(Reply { status, headers, body })
    }
}

/// A client for the sandbox's calls: no redirects, no proxy.
///
/// # Errors
/// A sentence when it cannot be set up.
pub fn http_client(timeout: Duration) -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(crate::outbox::core_client::public_tls())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .timeout(timeout)
        .build()
        .map_err(|error| format!("cannot set up HTTP: {error}"))
}

fn with_effect(saying: &Saying, effect: NoEffect) -> Saying {
    Saying { effect: Effect::None(effect), ..saying.clone() }
}

fn plus(amount: Money, dong: i64) -> Money {
    Money::from_dong(dong).and_then(|more| amount.plus(more)).unwrap_or(amount)
}

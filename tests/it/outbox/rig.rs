//! The scripted core and the books that the outbox's tests run on.

use bytes::Bytes;
use jiff::civil::date;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use thuho::domain::dispatch::ParkCause;
use thuho::domain::ids::{CustomerCode, DispatchKey, EventId, Generation, InvoiceId};
use thuho::domain::ids::{Movement, PartnerCode, UnitCode};
use thuho::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, Method, Notice, OnMismatch, ReferenceText, References};
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::{Evidence, HashedEvidence};
use thuho::domain::review::BreakClass;
use thuho::domain::secret::Secret;
use thuho::domain::time::{Clock, ManualClock, SystemClock};
use thuho::ledger::writer::{PostJob, Writer, WriterOptions};
use thuho::ledger::{Arrival, register};
use thuho::outbox::backoff::Backoff;
use thuho::outbox::desk::Waits;
use thuho::outbox::forwarder::Round;
use thuho::outbox::signing::SigningKey;
use thuho::outbox::{CoreClient, CoreOptions, Forwarder, ForwarderOptions, ahead, command};
use thuho::sandbox::core::{SandboxCore, SandboxCoreOptions};
use thuho::sandbox::core_book::Behaviour;
use thuho::store::desk::{BreakFilter, DeskReports};
use thuho::store::reports::{DispatchFilter, DispatchView, Reports};
use thuho::store::sqlite::{SqliteOptions, SqliteStore, open_reports};
use thuho::store::{CommandAnswer, DispatchCommand, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A second's backoff, doubled at each failure, and a pause of ten seconds.
pub const WAITS: Waits = Waits {
    normal: Backoff { base_ms: 1_000, cap_ms: 8_000, give_up_ms: 60_000 },
    urgent: Backoff { base_ms: 1_000, cap_ms: 2_000, give_up_ms: 60_000 },
    pause_ms: 10_000,
};

/// One call as it arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    pub fn id(&self) -> String {
        self.header("webhook-id").to_owned()
    }
}

pub enum Answer {
    /// The bytes, then the end.
    Bytes(Vec<u8>),
    /// Nothing for as long as the caller waits.
    Silence,
    /// The connection ends at once.
    Reset,
}

pub fn says(status: u16, body: &str) -> Answer {
    says_with(status, "", body)
}

pub fn says_with(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    Answer::Bytes((head + body).into_bytes())
}

pub type Script = Arc<dyn Fn(&Call) -> Answer + Send + Sync>;

/// Listens, keeps each call, answers as the script says.
pub struct Scripted {
    pub url: String,
    script: Arc<Mutex<Script>>,
    pub calls: mpsc::UnboundedReceiver<Call>,
}

impl Scripted {
    pub async fn start(script: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/billing", listener.local_addr().unwrap());
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let (tell, calls) = mpsc::unbounded_channel();
        let current = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&current), tell.clone()));
            }
        });
        Self { url, script, calls }
    }

    pub fn now(&self, script: impl Fn(&Call) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    /// The calls since it was asked last.
    pub fn heard(&mut self) -> Vec<Call> {
        std::iter::from_fn(|| self.calls.try_recv().ok()).collect()
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>, tell: mpsc::UnboundedSender<Call>) {
    let mut bytes = Vec::new();
    let (head, body_at, length) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
        break (head, at + 4, length.map_or(0, |l| l.parse::<usize>().unwrap()));
    };
    while bytes.len() < body_at + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = lines.map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    let call = Call { headers, body: bytes[body_at..].to_vec() };
    let script = Arc::clone(&script.lock().unwrap());
    let answer = script(&call);
    tell.send(call).ok();
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Silence => drop(stream.read_u8().await),
        Answer::Reset => {}
    }
}

pub struct Rig {
    pub writer: Arc<Writer>,
    pub clock: Arc<ManualClock>,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// Open books at this machine's time, which stands still until it is moved.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("books.db");
        let store: Box<dyn Store> = Box::new(SqliteStore::open(&path, &SqliteOptions::default()).unwrap());
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let writer = Writer::start(store, clock.clone(), WriterOptions::new(0, Generation(1))).unwrap();
        Self { writer: Arc::new(writer), clock, path, _folder: folder }
    }

    /// Registers these invoices of 1,000 dong, overdue or not, and takes a payment for each: a message each.
    pub async fn pay(&self, invoices: &[&str], overdue: bool) {
        let due_on = if overdue { date(2020, 1, 1) } else { date(9000, 1, 1) };
        let rows: Vec<Invoice> = invoices.iter().map(|id| invoice(id, due_on)).collect();
        let context = self.writer.context(&*self.clock);
        let registered =
            self.writer.run(move |store| store.transact(&mut |tx| register(tx, &context, &rows).map(drop)));
        registered.unwrap().await.unwrap().unwrap();
        for id in invoices {
            self.arrive(id, Movement::Payment).await;
        }
    }

    /// Looks for what a clock that was ahead put hours away.
    pub async fn bring_near(&self) -> u64 {
        let now = self.clock.now();
        self.writer.run(move |store| ahead::bring_near(store, now)).unwrap().await.unwrap().unwrap()
    }

    pub async fn arrive(&self, invoice: &str, movement: Movement) {
        let job = PostJob {
            arrival: arrival(invoice, movement, &*self.clock),
            deadline: std::time::Instant::now() + std::time::Duration::from_secs(60),
            pickup: None,
        };
        let posted = self.writer.submit(job).unwrap().await.unwrap();
        assert_eq!(posted.answer.outcome, Outcome::Accepted, "{invoice}");
    }

    pub fn forwarder(&self, url: &str) -> Forwarder {
        self.forwarder_with(url, ForwarderOptions { waits: WAITS, timeout_ms: 500, ..ForwarderOptions::default() })
    }

    pub fn forwarder_with(&self, url: &str, options: ForwarderOptions) -> Forwarder {
        let core = Arc::new(client(url, options.timeout_ms));
        let desk = self.writer.clone();
        // Every run draws alike.
        let number = AtomicU64::new(1);
        let random = Arc::new(move || number.fetch_add(7_919, Ordering::Relaxed));
        Forwarder::new(desk, core, self.clock.clone(), options).with_random(random)
    }

    pub fn reports(&self) -> impl Reports {
        open_reports(&self.path).unwrap()
    }

    pub fn message(&self, invoice: &str) -> DispatchView {
        let [view] = self.messages(invoice).try_into().unwrap();
        view
    }

    pub fn messages(&self, invoice: &str) -> Vec<DispatchView> {
        let invoice = Some(InvoiceId::parse(invoice).unwrap());
        let mut found =
            self.reports().dispatches(&DispatchFilter { invoice, limit: 100, ..DispatchFilter::default() }).unwrap();
        found.sort_by_key(|view| view.sequence);
        found
    }

    /// The message's state, its cause if it is parked, and how often it was tried.
    pub fn stands(&self, invoice: &str) -> (String, Option<ParkCause>, u32) {
        let view = self.message(invoice);
        (view.state, view.cause, view.attempts)
    }

    pub fn open_breaks(&self) -> Vec<(BreakClass, String, i64)> {
        let found = DeskReports::breaks(&mut self.reports(), &BreakFilter::open(100)).unwrap();
        found.into_iter().map(|b| (b.class, b.invoice.unwrap().to_string(), b.amount.dong())).collect()
    }

    pub async fn command(&self, key: &DispatchKey, command: DispatchCommand) -> CommandAnswer {
        let (found, at) = (self.reports().find_dispatch(key).unwrap(), self.clock.now());
        let Some(found) = found else { return CommandAnswer::NotFound };
        self.writer.run(move |store| command::run(store, &found, &command, at)).unwrap().await.unwrap().unwrap()
    }
}

pub fn client(url: &str, timeout_ms: u64) -> CoreClient {
    let secret = Secret::new(SECRET.as_bytes().to_vec());
    CoreClient::new(&CoreOptions { url: url.to_owned(), secret, timeout_ms, trust_pem: None }).unwrap()
}

pub fn invoice(id: &str, due_on: jiff::civil::Date) -> Invoice {
    let customer = CustomerCode::parse(format!("PA03HL{}", id.replace('-', ""))).unwrap();
    let total = Money::from_dong(1_000).unwrap();
    Invoice {
        id: InvoiceId::parse(id).unwrap(),
        payer: customer.clone(),
        customer,
        unit: UnitCode::parse("PA03HL").unwrap(),
        area: Area::Urban,
        period: "2026-10-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: total,
        vat: Money::ZERO,
        total,
        issued_on: date(2019, 12, 1),
        due_on,
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    }
}

pub fn event(invoice: &str) -> EventId {
    EventId::parse(vec![format!("event-{invoice}")]).unwrap()
}

pub fn arrival(invoice: &str, movement: Movement, clock: &dyn Clock) -> Arrival {
    let now = clock.now();
    let partner = PartnerCode::parse("one").unwrap();
    let references = References { invoice: ReferenceText::new(invoice), ..References::default() };
    let reversal = movement == Movement::Reversal;
    let event_id = if reversal { EventId::parse(vec![format!("back-{invoice}")]).unwrap() } else { event(invoice) };
    let notice = Notice {
        partner: partner.clone(),
        account: "acc".to_owned(),
        event: event_id,
        effect: Effect::Moves(movement),
        reverses: reversal.then(|| event(invoice)),
        references,
        amount: Money::from_dong(1_000).unwrap(),
        discount: Money::ZERO,
        funder: None,
        fee: Money::ZERO,
        channel: None,
        paid_at: now,
        on_mismatch: OnMismatch::Keep,
    };
    let evidence = HashedEvidence::of(Evidence {
        partner,
        key_id: "1".to_owned(),
        method: Method::Post,
        path: "/webhooks/one".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::from(format!("{invoice} {}", movement.word())),
        received_at: now,
    });
    Arrival::Notice { notice, evidence, business_day: date(2026, 11, 22), reversal_window_ms: None }
}

pub fn delivered(round: &Round) -> (usize, u64) {
    (round.taken, round.written.delivered)
}

pub fn sandbox(behaviour: Behaviour, clock: Arc<dyn Clock>) -> SandboxCore {
    let key = SigningKey::parse(&Secret::new(SECRET.as_bytes().to_vec())).unwrap();
    SandboxCore::start(SandboxCoreOptions { port: 0, key, seed: 7, behaviour, journal: None, clock }).unwrap()
}

impl Rig {
    pub fn message_states(&self, invoice: &str) -> Vec<String> {
        self.messages(invoice).into_iter().map(|view| view.state).collect()
    }
}

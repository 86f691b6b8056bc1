//! How a story is told: what a collector says, a bill, the books, and the door that tells it singly, all in one batch,
//! and to both databases, because answers and books must be the same (I12).

use crate::harness::postgres::Database;
use crate::memory::{MemoryReports, MemoryStore};
use bytes::Bytes;
use jiff::civil::{Date, date};
use std::fmt::Write as _;
use std::path::Path;
use thuho::domain::ids::{
    CustomerCode, EventId, EventKey, Funder, Generation, InvoiceId, Movement, PartnerCode, UnitCode,
};
use thuho::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, Method, NoEffect, Notice, OnMismatch, ReferenceText, References};
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::{Evidence, HashedEvidence};
use thuho::domain::secret::Secret;
use thuho::domain::time::Timestamp;
use thuho::intake::import::slice;
use thuho::ledger::certificate::{CertifiedDay, certify};
use thuho::ledger::writer::{Lane, Patient, run_batch};
use thuho::ledger::{self, Arrival, Moment, Posted, audit};
use thuho::store::Store;
use thuho::store::desk::BreakFilter;
use thuho::store::postgres::PostgresOptions;
use thuho::store::reports::{DispatchFilter, Reports};
use thuho::store::sqlite::{SqliteOptions, SqliteStore, open_reports};

pub const DAY: Date = date(2026, 1, 15);
pub const HOUR_MS: i64 = 3_600_000;

pub fn noon() -> Timestamp {
    Timestamp::from_unix_ms(1_768_453_200_000)
}

/// What seals and certificates are signed with.
fn key() -> Secret {
    Secret::new(vec![1; 32])
}

pub fn money(dong: i64) -> Money {
    Money::from_dong(dong).unwrap()
}

/// What a collector says; methods change one thing.
#[derive(Clone)]
pub struct Said {
    pub notice: Notice,
    pub window_ms: Option<i64>,
    pub body: String,
}

pub fn said(event: &str, effect: Effect, dong: i64) -> Said {
    let notice = Notice {
        partner: PartnerCode::parse("wallet").unwrap(),
        account: "a1".to_owned(),
        event: EventId::parse(vec![event.to_owned()]).unwrap(),
        effect,
        reverses: None,
        references: References::default(),
        amount: money(dong),
        discount: Money::ZERO,
        funder: None,
        fee: Money::ZERO,
        channel: None,
        paid_at: noon(),
        on_mismatch: OnMismatch::Keep,
    };
    Said { notice, window_ms: None, body: String::new() }
}

pub fn pay(event: &str, dong: i64) -> Said {
    said(event, Effect::Moves(Movement::Payment), dong)
}

pub fn undo(event: &str, payment: &str, dong: i64) -> Said {
    let mut said = said(event, Effect::Moves(Movement::Reversal), dong);
    said.notice.reverses = Some(EventId::parse(vec![payment.to_owned()]).unwrap());
    said
}

pub fn not_yet(event: &str, why: NoEffect) -> Said {
    said(event, Effect::None(why), 100)
}

impl Said {
    pub fn with(mut self, change: impl FnOnce(&mut Notice)) -> Self {
        change(&mut self.notice);
        self
    }
    pub fn invoice(self, id: &str) -> Self {
        self.with(|n| n.references.invoice = ReferenceText::new(id))
    }
    pub fn customer(self, code: &str) -> Self {
        self.with(|n| n.references.customer = ReferenceText::new(code))
    }
    pub fn discount(self, dong: i64, funder: Option<&str>) -> Self {
        self.with(|n| {
            n.discount = money(dong);
            n.funder = funder.map(|f| Funder::parse(f).unwrap());
        })
    }
    pub fn refusing(self) -> Self {
        self.with(|n| n.on_mismatch = OnMismatch::Refuse)
    }
    pub fn arrival(&self) -> Arrival {
        Arrival::Notice {
            notice: self.notice.clone(),
            evidence: evidence(&format!("{} {:?} {}", self.notice.event, self.notice.effect, self.body)),
            business_day: DAY,
            reversal_window_ms: self.window_ms,
        }
    }
}

pub fn evidence(body: &str) -> HashedEvidence {
    HashedEvidence::of(Evidence {
        partner: PartnerCode::parse("wallet").unwrap(),
        key_id: "k1".to_owned(),
        method: Method::Post,
        path: "/webhooks/wallet".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: noon(),
    })
}

pub fn bill(id: &str, dong: i64) -> Invoice {
    Invoice {
        id: InvoiceId::parse(id).unwrap(),
        customer: CustomerCode::parse("PA1").unwrap(),
        payer: CustomerCode::parse("PA1").unwrap(),
        unit: UnitCode::parse("PA03HL").unwrap(),
        area: Area::Urban,
        period: "2026-01-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: money(dong),
        vat: Money::ZERO,
        total: money(dong),
        issued_on: date(2026, 1, 1),
        due_on: date(2026, 1, 31),
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    }
}

pub struct Books {
    pub store: Box<dyn Store>,
    pub reports: Box<dyn Reports>,
    pub lane: Lane,
    _folder: Option<tempfile::TempDir>,
}

impl Books {
    pub fn in_memory() -> Self {
        let store = MemoryStore::new(1);
        let reports = Box::new(MemoryReports(store.clone()));
        Self { store: Box::new(store), reports, lane: Lane::new(1, Generation(7)), _folder: None }
    }

    pub fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let books = Self::at(&folder.path().join("books.db"));
        Self { _folder: Some(folder), ..books }
    }

    /// In a file that somebody else keeps.
    pub fn at(path: &Path) -> Self {
        let store = SqliteStore::open(path, &SqliteOptions { lane: 1, ..SqliteOptions::default() }).unwrap();
        let reports = Box::new(open_reports(path).unwrap());
        Self { store: Box::new(store), reports, lane: Lane::new(1, Generation(7)), _folder: None }
    }

    /// One instance of those on a server's database.
    pub fn on_server(database: &Database, lane: u32) -> Self {
        let store = database.store(&PostgresOptions { lane, ..PostgresOptions::default() });
        let lane = Lane::new(store.lane(), Generation(6 + u64::from(lane)));
        Self { store: Box::new(store), reports: Box::new(database.reports()), lane, _folder: None }
    }

    pub fn moment() -> Moment {
        Moment { now: noon(), today: DAY }
    }

    pub fn import(&mut self, invoices: &[Invoice]) -> ledger::RegisterReport {
        let context = self.lane.context(Self::moment());
        let mut report = None;
        self.store
            .transact(&mut |tx| {
                report = Some(ledger::register(tx, &context, invoices)?);
                Ok(())
            })
            .unwrap();
        report.unwrap()
    }

    /// The slice after one that left a rest.
    pub fn import_rest(&mut self, invoices: &[Invoice], rest: EventKey) -> ledger::RegisterReport {
        let context = self.lane.context(Self::moment());
        slice(self.store.as_mut(), &context, invoices, Some(rest)).unwrap().0
    }

    pub fn post(&mut self, arrivals: &[Arrival]) -> Vec<Posted> {
        run_batch(self.store.as_mut(), &mut self.lane, Self::moment(), arrivals, &mut Patient).answers
    }

    /// Seals what is there, and certifies it as a day: whatever the story was, each of its calls is in one place.
    pub fn certified(&mut self) {
        let day = CertifiedDay {
            partner: PartnerCode::parse("wallet").unwrap(),
            day: DAY,
            start: noon().plus_ms(-2 * HOUR_MS),
            end: noon().plus_ms(2 * HOUR_MS),
        };
        for hours in [1, 3] {
            let at = noon().plus_ms(hours * HOUR_MS);
            self.store.transact(&mut |tx| audit::seal(tx, &key(), at).map(drop)).unwrap();
        }
        let certificate = certify(self.reports.as_mut(), &key(), &day).unwrap();
        let receipts = self.reports.receipt_counts().unwrap().iter().map(|count| count.count).sum::<i64>();
        let said = &certificate.statement;
        assert_eq!(i64::try_from(said.total.count + said.created.count).unwrap(), receipts);
    }

    /// Balances, what the core hears, breaks, receipts: everything that a story changes, in words.
    pub fn state(&mut self) -> String {
        let mut out = String::new();
        let mut balances: Vec<_> = self.reports.balances().unwrap();
        balances.retain(|(_, dong)| *dong != 0);
        balances.sort();
        for (account, money) in balances {
            write!(out, "{account} {money}; ").unwrap();
        }
        let mut told = self.reports.dispatches(&DispatchFilter { limit: 100, ..DispatchFilter::default() }).unwrap();
        told.sort_by(|a, b| (&a.invoice, a.sequence).cmp(&(&b.invoice, b.sequence)));
        for message in told {
            write!(out, "tell {} #{}; ", message.invoice, message.sequence).unwrap();
        }
        let mut breaks = self.reports.breaks(&BreakFilter::open(100)).unwrap();
        breaks.sort_by_key(|b| b.no);
        for b in breaks {
            write!(out, "{} {}; ", b.class.code(), b.amount).unwrap();
        }
        let audited = audit::audit(self.reports.as_mut(), &key()).unwrap();
        assert!(audited.ok, "{:?}", audited.findings);
        write!(out, "{} receipts", audited.receipts).unwrap();
        out
    }
}

/// Every store, with a word how a story is told to it.
pub fn ways() -> Vec<(&'static str, Books)> {
    let mut ways =
        vec![("singly", Books::in_memory()), ("at once", Books::in_memory()), ("singly, on disk", Books::on_disk())];
    for way in ["singly, on a server", "at once, on a server"] {
        ways.extend(Database::fresh("a story on a server").map(|database| (way, Books::on_server(&database, 1))));
    }
    ways
}

/// Tells a story and holds answers and books to what is expected, however it is told.
pub fn check(bills: &[Invoice], story: &[(Said, Outcome)], books_after: &str) {
    let arrivals: Vec<Arrival> = story.iter().map(|(said, _)| said.arrival()).collect();
    let expected: Vec<Outcome> = story.iter().map(|(_, outcome)| *outcome).collect();
    for (way, mut books) in ways() {
        books.import(bills);
        let answers: Vec<Posted> = if way.starts_with("at once") {
            books.post(&arrivals)
        } else {
            arrivals.iter().flat_map(|a| books.post(std::slice::from_ref(a))).collect()
        };
        let heard: Vec<Outcome> = answers.iter().map(|posted| posted.answer.outcome).collect();
        assert_eq!(heard, expected, "told {way}");
        assert_eq!(books.state(), books_after, "told {way}");
        // The memory keeps no seals to certify between.
        if way.contains(" on a") || way.contains(" on disk") {
            books.certified();
        }
        for (posted, (said, outcome)) in answers.iter().zip(story) {
            let settled = posted.marker.as_ref().is_some_and(|m| m.key == said.notice.payment_key());
            let may_be_settled = matches!(outcome, Outcome::Accepted | Outcome::Duplicate);
            assert!(may_be_settled || !settled, "a marker for {outcome}");
        }
    }
}

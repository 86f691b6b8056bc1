//! What a collector hears of a payment while it is being written.

use crate::harness::{START_MS, keys, pays, shipped};
use crate::memory::{MemoryReports, MemoryStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thuho::domain::ids::Generation;
use thuho::domain::notice::Notice;
use thuho::domain::receipt::HashedEvidence;
use thuho::domain::time::{ManualClock, Timestamp};
use thuho::inquiry::{self, readers::Readers};
use thuho::ledger::writer::{PostJob, Writer, WriterOptions};
use thuho::ledger::{Arrival, UnreadKind};
use thuho::partner::forge::Wanted;
use thuho::partner::{Partners, Profile, StatusKind};
use thuho::store::Store;

/// Books in memory behind a writer, and a collector that pays and asks.
struct Rig {
    writer: Writer,
    readers: Readers,
    profile: Arc<Profile>,
    now: Timestamp,
}

impl Rig {
    fn new() -> Self {
        let (store, now) = (MemoryStore::new(1), Timestamp::from_unix_ms(START_MS));
        let clock = Arc::new(ManualClock::at(now));
        let writer = Writer::start(Box::new(store.clone()), clock, WriterOptions::new(1, Generation(7))).unwrap();
        let readers = Readers::start(1, 9, &move || Ok(Box::new(MemoryReports(store.clone())))).unwrap();
        let partners = Partners::load(&shipped(), keys().as_ref()).unwrap();
        Self { writer, readers, profile: Arc::clone(partners.get("standard").unwrap()), now }
    }

    /// The payment that the profile's status example asks about.
    fn payment(&self) -> PostJob {
        self.job("pay_0001", |notice, evidence| Arrival::Notice {
            notice,
            evidence,
            business_day: jiff::civil::date(2026, 11, 22),
            reversal_window_ms: None,
        })
    }

    /// A payment that is kept unread.
    fn kept(&self, event: &str) -> PostJob {
        let (verdict, detail) = (UnreadKind::Paused, "it came while the partner was paused".to_owned());
        self.job(event, |_notice, evidence| Arrival::Unread { evidence, verdict, detail })
    }

    fn job(&self, event: &str, arrival: impl FnOnce(Notice, HashedEvidence) -> Arrival) -> PostJob {
        let forged = self.profile.forge(keys().of("standard"), &pays(event, "HD-1", 150_000), self.now).unwrap();
        let raw = forged.to_raw(self.now);
        let authentic = self.profile.prove(&raw, self.now).unwrap();
        let notice = self.profile.read(&authentic, self.now).unwrap();
        let arrival = arrival(notice, self.profile.evidence(&authentic));
        PostJob { arrival, deadline: Instant::now() + Duration::from_secs(60), pickup: None }
    }

    async fn status(&self) -> StatusKind {
        let wanted = Wanted { example: Some(self.profile.examples().len()), ..Wanted::default() };
        let raw = self.profile.forge(keys().of("standard"), &wanted, self.now).unwrap().to_raw(self.now);
        let books = inquiry::Books { readers: &self.readers, writer: &self.writer };
        inquiry::status(books, &self.profile, &raw, self.now, false).await.kind
    }
}

#[tokio::test]
async fn a_payment_that_is_being_written_is_never_called_unknown() {
    let rig = Rig::new();
    assert_eq!(rig.status().await, StatusKind::Unknown, "nobody paid");
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (started, is_held) = std::sync::mpsc::channel();
    let hold = move |_store: &mut dyn Store| {
        started.send(()).unwrap();
        wait.recv().ok();
    };
    rig.writer.run(hold).unwrap();
    is_held.recv().unwrap();
    let booked = rig.writer.submit(rig.payment()).unwrap();
    let mut asked = std::pin::pin!(rig.status());
    let early = tokio::time::timeout(Duration::from_millis(200), &mut asked).await;
    assert!(early.is_err(), "said {early:?} before the writer was through");
    drop(release);
    assert_eq!(asked.await, StatusKind::Parked, "there is no such invoice, and the payment is kept");
    booked.await.unwrap();
}

#[tokio::test]
async fn a_payment_that_is_kept_unread_is_never_called_unknown() {
    let rig = Rig::new();
    rig.writer.submit(rig.kept("another")).unwrap().await.unwrap();
    assert_eq!(rig.status().await, StatusKind::Unknown, "it is another payment that is kept");
    rig.writer.submit(rig.kept("pay_0001")).unwrap().await.unwrap();
    assert_eq!(rig.status().await, StatusKind::TryAgain);
    rig.writer
        .run(|store| store.transact(&mut |tx| tx.note_redone(1, 2, Timestamp::from_unix_ms(START_MS))))
        .unwrap()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rig.status().await, StatusKind::Unknown, "it was read again and was none");
}

#[tokio::test]
async fn when_nobody_can_know_the_collector_is_to_ask_again() {
    let rig = Rig::new();
    rig.writer.drain();
    assert_eq!(rig.status().await, StatusKind::TryAgain);
}

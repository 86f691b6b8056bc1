//! What the writer's thread does when it is busy, late, or the storage fails. Hold I2, I4 and I10.

use super::tell::*;
use crate::memory::{CommitFate, MemoryStore};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thuho::domain::ids::{Generation, PostingNo};
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::Verdict;
use thuho::domain::time::{Clock, ManualClock, Timestamp};
use thuho::ledger::writer::{Busy, CONTENDED_TRIES_MAX, Lane, Patient, PostJob, Writer, WriterOptions, run_batch};
use thuho::store::{Store, StoreError, Tx, Work};

fn writer(store: &MemoryStore) -> Writer {
    let clock = Arc::new(ManualClock::at(noon()));
    Writer::start(Box::new(store.clone()), clock, WriterOptions::new(store.lane, Generation(7))).unwrap()
}

fn job(said: &Said) -> PostJob {
    PostJob { arrival: said.arrival(), deadline: Instant::now() + Duration::from_secs(60), pickup: None }
}

fn ask(writer: &Writer, said: &Said) -> Outcome {
    writer.submit(job(said)).unwrap().blocking_recv().unwrap().answer.outcome
}

/// Holds the writer inside a task until the returned handle is dropped, so that a batch gathers.
fn held(writer: &Writer) -> std::sync::mpsc::Sender<()> {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (started, is_held) = std::sync::mpsc::channel::<()>();
    writer
        .run(move |_store| {
            started.send(()).unwrap();
            assert!(wait.recv().is_err(), "nothing is ever sent");
        })
        .unwrap();
    is_held.recv().unwrap();
    release
}

#[test]
fn what_gathered_is_one_batch_and_drain_answers_all_of_it() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    let release = held(&writer);
    let waiting: Vec<_> = (0..100).map(|n| writer.submit(job(&pay(&format!("E{n}"), 5))).unwrap()).collect();
    drop(release);
    writer.drain();
    for answer in waiting {
        assert_eq!(answer.blocking_recv().unwrap().answer.outcome, Outcome::UnknownInvoice);
    }
    assert_eq!((writer.status().batches, writer.status().last_batch), (1, 100));
    assert_eq!(writer.reached(), (Generation(7), PostingNo(100)));
    assert_eq!(writer.submit(job(&pay("late", 5))).unwrap_err(), Busy::Closed);
}

#[test]
fn who_waits_for_what_was_queued_is_told_after_all_of_it_and_not_before() {
    let store = MemoryStore::new(1);
    let clock = Arc::new(ManualClock::at(noon()));
    let options = WriterOptions { batch_max: 2, ..WriterOptions::new(1, Generation(7)) };
    let writer = Writer::start(Box::new(store.clone()), clock, options).unwrap();
    writer.passed().unwrap().blocking_recv().expect("nothing is queued");
    let release = held(&writer);
    let mut waiting: Vec<_> = (0..5).map(|n| writer.submit(job(&pay(&format!("E{n}"), 5))).unwrap()).collect();
    let mut passed = writer.passed().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(passed.try_recv().is_err(), "five wait");
    drop(release);
    passed.blocking_recv().unwrap();
    assert!(waiting.iter_mut().all(|answer| answer.try_recv().is_ok()), "three batches");
    writer.drain();
    assert_eq!(writer.passed().unwrap_err(), Busy::Closed);
}

#[test]
fn the_hook_is_called_after_a_batch_that_posted_only() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    let (tell, told) = std::sync::mpsc::channel();
    writer.on_posted(move || tell.send(()).unwrap());
    let count = || {
        writer.passed().unwrap().blocking_recv().unwrap();
        writer.run(|_store| ()).unwrap().blocking_recv().unwrap();
        told.try_iter().count()
    };
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
    assert_eq!(count(), 1);
    ask(&writer, &pay("E1", 5));
    assert_eq!(count(), 0, "a repeat posts nothing");
    store.next_commit(CommitFate::Full);
    assert_eq!(ask(&writer, &pay("E2", 5)), Outcome::TryAgain);
    assert_eq!(count(), 0, "nothing was kept");
}

#[test]
fn a_full_queue_is_busy_and_a_late_job_is_dropped_before_its_transaction() {
    let store = MemoryStore::new(1);
    let clock = Arc::new(ManualClock::at(noon()));
    let options = WriterOptions { queue_max: 1, ..WriterOptions::new(1, Generation(7)) };
    let writer = Writer::start(Box::new(store.clone()), clock, options).unwrap();
    let release = held(&writer);
    let late = writer.submit(PostJob { deadline: Instant::now(), ..job(&pay("E1", 5)) }).unwrap();
    assert_eq!(writer.submit(job(&pay("E2", 5))).unwrap_err(), Busy::Full);
    drop(release);
    assert_eq!(late.blocking_recv().unwrap().answer.outcome, Outcome::TryAgain);
    assert_eq!(store.db().events.len(), 0);
    assert_eq!(writer.status().late, 1);
}

/// Faults at one event, or panics at another.
struct Picky(MemoryStore);

impl Store for Picky {
    fn lane(&self) -> u32 {
        self.0.lane
    }

    fn transact(&mut self, work: &mut thuho::store::Work<'_>) -> Result<(), thuho::store::StoreError> {
        self.0.transact(&mut |tx: &mut dyn Tx| {
            work(tx)?;
            let named = |event: &str| pay(event, 5).notice.payment_key();
            let rows = tx.events(&[named("FAULT"), named("PANIC")])?;
            assert!(rows[1].is_none(), "a panic that the test wants");
            match rows[0] {
                Some(_) => Err(thuho::store::StoreError::Fault("no such row".to_owned())),
                None => Ok(()),
            }
        })
    }
}

#[test]
fn a_fault_or_a_panic_costs_only_its_offender() {
    let store = MemoryStore::new(1);
    let clock = Arc::new(ManualClock::at(noon()));
    let writer = Writer::start(Box::new(Picky(store.clone())), clock, WriterOptions::new(1, Generation(7))).unwrap();
    let release = held(&writer);
    let events = ["E1", "FAULT", "E2", "PANIC", "E3"];
    let waiting: Vec<_> = events.iter().map(|event| writer.submit(job(&pay(event, 5))).unwrap()).collect();
    drop(release);
    let heard: Vec<_> = waiting.into_iter().map(|w| w.blocking_recv().unwrap().answer.outcome).collect();
    let parked = Outcome::UnknownInvoice;
    assert_eq!(heard, [parked, Outcome::TryAgain, parked, Outcome::TryAgain, parked]);
    assert_eq!(store.db().events.len(), 3);
    assert_eq!(writer.status().faults, 2);
    let unread = store.db().links.iter().filter(|link| link.receipt.link.verdict == Verdict::Unreadable).count();
    assert_eq!(unread, 2, "what could not be booked is kept all the same (I3)");
}

#[test]
fn an_unknown_commit_is_the_retry_word_and_never_a_second_insert() {
    for (fate, rows) in [(CommitFate::UnknownApplied, 1), (CommitFate::UnknownLost, 0)] {
        let store = MemoryStore::new(1);
        let writer = writer(&store);
        store.next_commit(fate);
        assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::TryAgain);
        assert_eq!(store.db().events.len(), rows);
        assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
        assert_eq!(store.db().postings.len(), 1, "booked once");
        assert_eq!(writer.status().unknown, 1);
    }
}

#[test]
fn a_contended_batch_is_run_again() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    store.next_commit(CommitFate::Contended);
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
    assert_eq!(store.db().postings.len(), 1);
}

#[test]
fn a_full_disk_is_not_ready_until_a_batch_succeeds() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    store.next_commit(CommitFate::Full);
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::TryAgain);
    assert!(writer.status().full && !writer.status().is_ready());
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
    assert!(writer.status().is_ready());
}

#[test]
fn a_broken_storage_acknowledges_nothing_any_more() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    let release = held(&writer);
    let first = writer.submit(job(&pay("E1", 5))).unwrap();
    store.next_commit(CommitFate::Broken);
    drop(release);
    assert_eq!(first.blocking_recv().unwrap().answer.outcome, Outcome::TryAgain);
    assert!(writer.status().broken);
    assert_eq!(writer.submit(job(&pay("E2", 5))).unwrap_err(), Busy::Closed);
    assert!(writer.run(|_store| ()).is_err());
    assert_eq!(store.db().events.len(), 0);
}

#[test]
fn repeats_are_counted_beside_the_chain_by_the_end_of_the_drain() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    for _ in 0..5 {
        ask(&writer, &pay("E1", 5));
    }
    writer.drain();
    assert_eq!(store.db().repeats.values().copied().collect::<Vec<_>>(), [4]);
    assert_eq!(store.db().links.len(), 1);
}

#[test]
fn a_task_that_panics_ends_nothing_but_itself() {
    let store = MemoryStore::new(1);
    let writer = writer(&store);
    let task = writer.run(|_store| assert!(std::hint::black_box(false), "a panic that the test wants")).unwrap();
    assert!(task.blocking_recv().is_err());
    assert_eq!(ask(&writer, &pay("E1", 5)), Outcome::UnknownInvoice);
}

/// A clock that cannot tell the time: the writer meets it outside of what it guards for its callers.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        assert!(std::hint::black_box(false), "a panic that the test wants");
        noon()
    }
}

#[test]
fn a_writer_that_panics_is_broken_and_keeps_nobody_waiting() {
    let store = MemoryStore::new(1);
    let writer =
        Writer::start(Box::new(store.clone()), Arc::new(Stopped), WriterOptions::new(1, Generation(7))).unwrap();
    let release = held(&writer);
    let waiting: Vec<_> = (0..3).map(|n| writer.submit(job(&pay(&format!("E{n}"), 5))).unwrap()).collect();
    drop(release);
    for answer in waiting {
        assert!(answer.blocking_recv().is_err(), "no answer is no success");
    }
    while !writer.status().broken {
        std::thread::yield_now();
    }
    assert!(!writer.status().is_ready());
    assert_eq!(writer.submit(job(&pay("late", 5))).unwrap_err(), Busy::Closed);
    assert_eq!(store.db().events.len(), 0);
    writer.drain();
}

/// A table that somebody holds: each try waits for its lock in vain.
struct Held(u32);

impl Store for Held {
    fn lane(&self) -> u32 {
        1
    }

    fn transact(&mut self, _work: &mut Work<'_>) -> Result<(), StoreError> {
        self.0 += 1;
        Err(StoreError::Contended)
    }
}

#[test]
fn a_table_that_somebody_holds_is_waited_for_by_one_of_a_batch_and_not_by_each() {
    let arrivals: Vec<_> = (0..200).map(|n| pay(&format!("E{n}"), 5).arrival()).collect();
    let (mut store, mut lane) = (Held(0), Lane::new(1, Generation(7)));
    let end = run_batch(&mut store, &mut lane, Books::moment(), &arrivals, &mut Patient);
    assert!(end.answers.len() == 200 && end.answers.iter().all(|a| a.answer.outcome == Outcome::TryAgain));
    assert_eq!(store.0, 2 * CONTENDED_TRIES_MAX);
}

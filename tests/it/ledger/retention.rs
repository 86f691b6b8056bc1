//! Forgetting old bytes changes nothing that anybody hears and nothing that is booked: told to every store, and to the
//! program over a file, through a gateway and beside one. Hold I2, I3 and I5.

use super::tell::*;
use crate::harness::postgres::Database;
use crate::harness::program::{Home, code, ended, signal};
use jiff::civil::date;
use std::sync::Arc;
use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken};
use thuho::domain::ids::Generation;
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::{Evidence, HashedEvidence};
use thuho::domain::time::{Clock, SystemClock, Timestamp};
use thuho::ledger::retain::{self, RetainError};
use thuho::ledger::writer::{Patient, Writer, WriterOptions, run_batch};
use thuho::ledger::{Arrival, Moment, UnreadKind};
use thuho::store::reports::ReceiptFilter;
use thuho::store::{Erasable, EraseRequest, LeaseRequest};

/// 2020-01-01: older than anybody keeps bytes.
fn long_ago() -> Timestamp {
    Timestamp::from_unix_ms(1_577_836_800_000)
}

fn came_long_ago(body: &str) -> HashedEvidence {
    let evidence: Evidence = (*evidence(body)).clone();
    HashedEvidence::of(Evidence { received_at: long_ago(), ..evidence })
}

fn old(said: &Said) -> Arrival {
    let Arrival::Notice { notice, business_day, reversal_window_ms, .. } = said.arrival() else { unreachable!() };
    let evidence = came_long_ago(&format!("{} {}", notice.event, notice.amount));
    Arrival::Notice { notice, evidence, business_day, reversal_window_ms }
}

fn post(books: &mut Books, arrivals: &[Arrival]) -> Vec<Outcome> {
    let moment = Moment { now: long_ago(), today: date(2020, 1, 1) };
    let end = run_batch(books.store.as_mut(), &mut books.lane, moment, arrivals, &mut Patient);
    end.answers.iter().map(|posted| posted.answer.outcome).collect()
}

/// Of four old calls one is told, one is not, one is in suspense and one was not read.
fn years_ago(books: &mut Books) {
    books.import(&[bill("HD-1", 100), bill("HD-2", 100)]);
    assert_eq!(post(books, &[old(&pay("E1", 100).invoice("HD-1"))]), [Outcome::Accepted]);
    let (token, at) = (LeaseToken(5), long_ago().plus_ms(9));
    let lease = LeaseRequest { token, now: at, until: at.plus_ms(9), limit: 9, urgent_only: false };
    books
        .store
        .transact(&mut |tx| {
            let taken = tx.lease(std::slice::from_ref(&lease))?;
            let told = |key| DispatchResult { key, token, result: AttemptResult::Delivered, at };
            let results: Vec<_> = taken.into_iter().map(|message| told(message.key)).collect();
            assert_eq!(tx.settle(&results)?, [true]);
            Ok(())
        })
        .unwrap();
    let stale = Arrival::Unread {
        evidence: came_long_ago("late"),
        verdict: UnreadKind::Stale,
        detail: "a late call".to_owned(),
    };
    let story = [old(&pay("E2", 100).invoice("HD-2")), old(&pay("E3", 100).invoice("HD-9")), stale];
    assert_eq!(post(books, &story), [Outcome::Accepted, Outcome::UnknownInvoice, Outcome::Stale]);
}

fn wanted(what: Erasable) -> EraseRequest {
    retain::request(what, 400, noon()).unwrap()
}

#[test]
fn old_bytes_are_forgotten_and_nothing_else_is() {
    for (way, mut books) in ways() {
        years_ago(&mut books);
        let before = books.state();
        let mut heard = 0;
        let raw = retain::all(books.store.as_mut(), wanted(Erasable::Raw), &mut |_sum| heard += 1).unwrap();
        assert_eq!((raw.looked_at, raw.erased, raw.kept, raw.next), (4, 1, 3, None), "{way}");
        let attempts = retain::all(books.store.as_mut(), wanted(Erasable::Attempts), &mut |_sum| heard += 1).unwrap();
        assert_eq!((attempts.erased, attempts.kept, heard), (1, 1, 2), "{way}");
        assert_eq!(books.state(), before, "{way}");
        // The key answers as it did, years after the bytes.
        let again = [pay("E1", 100).invoice("HD-1").arrival(), pay("E1", 90).invoice("HD-1").arrival()];
        let heard: Vec<Outcome> = books.post(&again).iter().map(|p| p.answer.outcome).collect();
        assert_eq!(heard, [Outcome::Duplicate, Outcome::Conflict], "{way}");
        let undone = books.post(&[undo("R1", "E1", 100).arrival()]);
        assert_eq!(undone[0].answer.outcome, Outcome::Accepted, "{way}");
        books.state();
        // What nobody could read can still be read again.
        let filter = ReceiptFilter { after: (1, 0), limit: 9, with_evidence: true, ..ReceiptFilter::default() };
        let receipts = books.reports.receipts(&filter).unwrap();
        assert_eq!(receipts.iter().filter(|r| r.evidence.is_none()).count(), 1, "{way}");
        assert!(receipts.iter().any(|r| r.evidence.as_ref().is_some_and(|e| e.body.as_ref() == b"late")), "{way}");
    }
}

/// Between a writer's batches, as a gateway does it.
#[test]
fn a_writer_forgets_between_its_batches() {
    let mut books = Books::in_memory();
    years_ago(&mut books);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let writer = Writer::start(books.store, clock, WriterOptions::new(1, Generation(9))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let erased = runtime.block_on(retain::some(&writer, EraseRequest { limit: 2, ..wanted(Erasable::Raw) })).unwrap();
    assert_eq!((erased.looked_at, erased.erased, erased.kept, erased.next), (4, 1, 3, None));
    writer.drain();
    let closed = runtime.block_on(retain::some(&writer, wanted(Erasable::Raw)));
    assert!(matches!(closed, Err(RetainError::Busy)), "{closed:?}");
}

/// `serves`: may the command be at the database beside a gateway?
fn check_program(home: &Home, beside: bool) {
    let run = |args: &[&str], more: &[&str]| {
        let args = [&["retain", "--config", "gateway.toml"], args, more].concat();
        let (exit, text) = code(&home.run(&args));
        (exit.unwrap(), text)
    };
    let both = ["--raw-older-than", "400d", "--attempts-older-than", "90d"];
    for (args, part) in [
        (vec![], "--raw-older-than"),
        (vec!["--raw-older-than", "89d"], "at least 90d"),
        (vec!["--attempts-older-than", "400"], "400d"),
    ] {
        let (exit, text) = run(&args, &[]);
        assert!(exit == 2 && text.contains(part), "{args:?}: {text}");
    }
    let (exit, text) = run(&both, &["--dry-run"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("400 days: 1 would be erased, 3 kept because they are still needed, 4 looked at"), "{text}");
    let child = home.serve_logging();
    let url = format!("http://{}", home.internal);
    let (exit, text) = run(&both, &["--url", &url, "--token", "env:TEST_TOKEN"]);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("raw notices older than 400 days: 1 erased, 3 kept"), "{text}");
    assert!(text.contains("bytes of attempts older than 90 days: 1 erased, 1 kept"), "{text}");
    let (exit, text) = run(&both, &[]);
    if beside {
        assert!(exit == 0 && text.contains("400 days: 0 erased, 3 kept"), "{text}");
    } else {
        assert!(exit == 1 && text.contains(&home.internal.to_string()), "{text}");
    }
    signal(&child, "-TERM");
    assert_eq!(ended(child).0, Some(0), "{}", home.log());
    assert!(home.log().contains("Old bytes were looked through"));
    let (exit, text) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && text.contains("4 receipts in the chains, 3 with their bytes, 1 without"), "{text}");
}

#[test]
fn the_program_forgets_in_a_file_through_the_gateway_that_holds_it() {
    let home = Home::new();
    years_ago(&mut Books::at(&home.books));
    check_program(&home, false);
}

#[test]
fn the_program_forgets_on_a_server_beside_a_gateway() {
    let Some(database) = Database::fresh("the program forgets on a server") else { return };
    let home = Home::over(database.url());
    years_ago(&mut Books::on_server(&database, 1));
    check_program(&home, true);
}

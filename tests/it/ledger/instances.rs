//! Several instances on one database: whatever they are told at the same moment, one of them decides, the others see
//! what it wrote, and the books stay sound. Hold I2 and I6.

use super::tell::*;
use crate::harness::postgres::Database;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken};
use thuho::domain::ids::{Generation, InvoiceId};
use thuho::domain::invoice::Invoice;
use thuho::domain::notice::Wanted;
use thuho::domain::outcome::Outcome;
use thuho::domain::time::ManualClock;
use thuho::ledger::writer::{Patient, PostJob, Writer, WriterOptions, run_batch};
use thuho::ledger::{Moment, Posted};
use thuho::outbox::desk::{self, Take, Taken};
use thuho::seen::Marker;
use thuho::store::reports::DispatchFilter;
use thuho::store::{Candidates, LeaseRequest, RoutePause, RouteState, StoreError};

const ROUNDS: u32 = 50;

/// Whether an import by one finds what the other parked first, though the other's numbers are higher.
#[test]
fn of_two_parked_payments_the_older_one_gets_the_invoice_whichever_lane_it_is_in() {
    let Some(database) = Database::fresh("of two parked payments the older one") else { return };
    // The second lane's numbers are above the first's.
    let [mut low, mut high] = two_on(&database);
    let at = |ms: i64| Moment { now: noon().plus_ms(ms), today: DAY };
    let parks = |books: &mut Books, event: &str, ms: i64| {
        let said = pay(event, 100).invoice("HD-1").arrival();
        let end = run_batch(books.store.as_mut(), &mut books.lane, at(ms), &[said], &mut Patient);
        assert_eq!(end.answers[0].answer.outcome, Outcome::UnknownInvoice);
    };
    parks(&mut high, "older", 1);
    parks(&mut low, "newer", 2);
    low.import(&[bill("HD-1", 100)]);
    assert_eq!(
        database.sql("SELECT event || ' ' || state FROM events ORDER BY event"),
        ["newer parked", "older settled"]
    );
}

/// A bank that asks before it debits and stopped waiting while its event was another instance's: whoever it asked then
/// said that there is no such payment, so there must be none. Money that is taken already is booked whoever listens.
#[test]
fn who_stopped_waiting_behind_a_lock_is_not_booked_unless_the_money_is_taken() {
    let Some(database) = Database::fresh("who stopped waiting behind a lock") else { return };
    let [first, mut second] = two_on(&database);
    let clock = Arc::new(ManualClock::at(noon()));
    let writer = Writer::start(first.store, clock, WriterOptions::new(9, Generation(7))).unwrap();
    for (said, outcome) in [(pay("asks", 5).refusing(), Outcome::TryAgain), (pay("took", 5), Outcome::UnknownInvoice)] {
        let key = said.notice.payment_key();
        let (held, free) = (Barrier::new(2), Barrier::new(2));
        let heard = std::thread::scope(|scope| {
            let holder = || {
                second.store.transact(&mut |tx| {
                    tx.events(&[key])?;
                    held.wait();
                    free.wait();
                    Ok(())
                })
            };
            let holder = scope.spawn(holder);
            held.wait();
            let deadline = Instant::now() + Duration::from_millis(200);
            let answer = writer.submit(PostJob { arrival: said.arrival(), deadline, pickup: None }).unwrap();
            let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            while database.sql(waits) != ["1"] || Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            free.wait();
            holder.join().unwrap().unwrap();
            answer.blocking_recv().unwrap().answer.outcome
        });
        assert_eq!(heard, outcome);
    }
    writer.drain();
    assert_eq!(database.sql("SELECT event FROM events"), ["took"]);
}

/// Two instances find the way to the core paused and its probe due: one of them sends it.
#[test]
fn a_paused_way_is_probed_by_one_instance() {
    let Some(database) = Database::fresh("a paused way is probed by one") else { return };
    let mut books = two_on(&database);
    books[0].import(&(0..4).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    let paid: Vec<_> = (0..4).map(|n| pay(&format!("E{n}"), 100).invoice(&format!("HD-{n}")).arrival()).collect();
    books[0].post(&paid);
    for round in 0..ROUNDS {
        let pause = RoutePause { reason: "http 401".to_owned(), since: noon(), probe_at: noon() };
        let paused = RouteState { paused: Some(pause) };
        books[0].store.transact(&mut |tx| tx.set_route(&paused)).unwrap();
        let start = Barrier::new(2);
        let taken: usize = std::thread::scope(|scope| {
            let takes = books.iter_mut().zip(1..).map(|(books, n)| {
                let start = &start;
                scope.spawn(move || {
                    let token = u64::from(round) * 2 + n;
                    let take = Take {
                        tokens: [token, token].map(LeaseToken),
                        now: noon(),
                        lease_ms: 60_000,
                        fast: 8,
                        normal: 8,
                    };
                    start.wait();
                    let mut taken = Taken::default();
                    books.store.transact(&mut |tx| desk::take(tx, &take).map(|t| taken = t)).unwrap();
                    taken.messages.len()
                })
            });
            takes.collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(taken, 1, "round {round}");
        database.sql("UPDATE dispatches SET state = 'waiting', lease_token = NULL, lease_until = NULL");
    }
}

/// Both say something at the same moment, again and again; what each heard, round by round.
fn at_once(books: [Books; 2], says: impl Fn(usize, u32) -> Vec<Said> + Sync) -> (Vec<[Vec<Outcome>; 2]>, [Books; 2]) {
    let start = Barrier::new(2);
    let (start, says) = (&start, &says);
    let ends = std::thread::scope(|scope| {
        let tell = |(which, mut books): (usize, Books)| {
            scope.spawn(move || {
                let mut heard = Vec::new();
                for round in 0..ROUNDS {
                    let arrivals: Vec<_> = says(which, round).iter().map(Said::arrival).collect();
                    start.wait();
                    let posted = books.post(&arrivals);
                    heard.push(posted.iter().map(|p: &Posted| p.answer.outcome).collect::<Vec<_>>());
                }
                (heard, books)
            })
        };
        let threads: Vec<_> = books.into_iter().enumerate().map(tell).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    let [(first, a), (second, b)] = ends.try_into().ok().unwrap();
    (first.into_iter().zip(second).map(|(a, b)| [a, b]).collect(), [a, b])
}

fn two_on(database: &Database) -> [Books; 2] {
    [Books::on_server(database, 1), Books::on_server(database, 2)]
}

fn sound(books: &mut [Books; 2]) -> String {
    books[0].state()
}

#[test]
fn two_partners_pay_one_invoice_and_one_of_them_settles_it() {
    let Some(database) = Database::fresh("two partners pay one invoice") else { return };
    let mut books = two_on(&database);
    let bills: Vec<_> = (0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect();
    books[0].import(&bills);
    let says = |which: usize, n: u32| vec![pay(&format!("E{which}-{n}"), 100).invoice(&format!("HD-{n}"))];
    let (heard, mut books) = at_once(books, says);
    for round in heard {
        let mut words = round.concat();
        words.sort_by_key(|outcome| format!("{outcome:?}"));
        assert_eq!(words, [Outcome::Accepted, Outcome::AlreadyPaid]);
    }
    let state = sound(&mut books);
    assert!(state.contains("suspense:wallet -5000; ") && state.contains("receivable:PA03HL -5000; "), "{state}");
}

/// By the customer's code the bills are found without a lock, and decided under one.
#[test]
fn two_payments_by_customer_code_never_settle_one_bill_twice() {
    let Some(database) = Database::fresh("two payments by customer code") else { return };
    let mut books = two_on(&database);
    let bills: Vec<_> = (0..ROUNDS)
        .flat_map(|n| {
            let of = |id: String| {
                let mut bill = bill(&id, 100);
                bill.customer = thuho::domain::ids::CustomerCode::parse(format!("PA{n}")).unwrap();
                bill
            };
            [of(format!("A-{n}")), of(format!("B-{n}"))]
        })
        .collect();
    books[0].import(&bills);
    let says = |which: usize, n: u32| vec![pay(&format!("E{which}-{n}"), 100).customer(&format!("PA{n}"))];
    let (heard, mut books) = at_once(books, says);
    assert!(heard.iter().all(|round| round.concat() == [Outcome::Accepted, Outcome::Accepted]), "{heard:?}");
    let state = sound(&mut books);
    assert!(state.contains("receivable:PA03HL -10000"), "two bills each, one payment each: {state}");
}

#[test]
fn one_event_told_to_both_is_posted_once() {
    let Some(database) = Database::fresh("one event told to both") else { return };
    let mut books = two_on(&database);
    books[0].import(&(0..2 * ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    // Two events, in opposite orders: they must not wait for each other crosswise.
    let says = |which: usize, n: u32| {
        let mut both: Vec<_> =
            (2 * n..2 * n + 2).map(|n| pay(&format!("E{n}"), 100).invoice(&format!("HD-{n}"))).collect();
        if which == 1 {
            both.reverse();
        }
        both
    };
    let (heard, mut books) = at_once(books, says);
    for [first, second] in heard {
        for (a, b) in first.iter().zip(second.iter().rev()) {
            let mut words = [*a, *b];
            words.sort_by_key(|outcome| format!("{outcome:?}"));
            assert_eq!(words, [Outcome::Accepted, Outcome::Duplicate]);
        }
    }
    sound(&mut books);
    assert_eq!(database.sql("SELECT count(*) FROM postings"), [(2 * ROUNDS).to_string()]);
}

#[test]
fn of_two_amounts_under_one_event_the_other_hears_conflict() {
    let Some(database) = Database::fresh("two amounts under one event") else { return };
    let mut books = two_on(&database);
    books[0].import(&(0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    let says = |which: usize, n: u32| vec![pay(&format!("E{n}"), [100, 70][which]).invoice(&format!("HD-{n}"))];
    let (heard, mut books) = at_once(books, says);
    for round in heard {
        let conflicts = round.concat().iter().filter(|o| **o == Outcome::Conflict).count();
        assert_eq!(conflicts, 1, "{round:?}");
    }
    sound(&mut books);
    assert_eq!(database.sql("SELECT count(*) FROM postings"), [ROUNDS.to_string()]);
}

#[test]
fn a_payment_and_its_reversal_meet_in_any_order() {
    let Some(database) = Database::fresh("a payment and its reversal") else { return };
    let mut books = two_on(&database);
    books[0].import(&(0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    let says = |which: usize, n: u32| {
        let paid = pay(&format!("E{n}"), 100).invoice(&format!("HD-{n}"));
        vec![if which == 0 { paid } else { undo(&format!("R{n}"), &format!("E{n}"), 100) }]
    };
    let (heard, mut books) = at_once(books, says);
    assert!(heard.iter().all(|round| round.concat() == [Outcome::Accepted, Outcome::Accepted]), "{heard:?}");
    let state = sound(&mut books);
    assert!(!state.contains("receivable") && !state.contains("suspense"), "everything is given back: {state}");
}

#[test]
fn of_two_reversals_of_one_payment_one_is_refused() {
    let Some(database) = Database::fresh("two reversals of one payment") else { return };
    let mut books = two_on(&database);
    books[0].import(&(0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    let paid: Vec<_> = (0..ROUNDS).map(|n| pay(&format!("E{n}"), 100).invoice(&format!("HD-{n}")).arrival()).collect();
    books[1].post(&paid);
    let says = |which: usize, n: u32| vec![undo(&format!("R{which}-{n}"), &format!("E{n}"), 100)];
    let (heard, mut books) = at_once(books, says);
    for round in heard {
        let mut words = round.concat();
        words.sort_by_key(|outcome| format!("{outcome:?}"));
        assert_eq!(words, [Outcome::Accepted, Outcome::ReversalRefused]);
    }
    let state = sound(&mut books);
    assert!(!state.contains("receivable"), "each is given back once: {state}");
}

/// Pays a bill of 100 in each round while the other instance imports it as `says` has it.
fn pay_beside_imports([payer, importer]: &mut [Books; 2], says: impl Fn(u32) -> Invoice + Sync) {
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..ROUNDS {
                start.wait();
                payer.post(&[pay(&format!("E{n}"), 100).invoice(&format!("HD-{n}")).arrival()]);
            }
        });
        scope.spawn(|| {
            for n in 0..ROUNDS {
                start.wait();
                importer.import(&[says(n)]);
            }
        });
    });
}

/// The payment parks, or the import finds it parked; never do the two pass each other.
#[test]
fn a_payment_and_the_import_of_its_invoice_do_not_miss_each_other() {
    let Some(database) = Database::fresh("a payment and the import of its invoice") else { return };
    let mut books = two_on(&database);
    pay_beside_imports(&mut books, |n| bill(&format!("HD-{n}"), 100));
    let state = sound(&mut books);
    assert!(state.contains("receivable:PA03HL -5000") && !state.contains("suspense"), "{state}");
}

/// The payment finds the lowered bill and parks, or the import finds the money on it and opens a break.
#[test]
fn a_payment_and_the_lowering_of_its_invoice_do_not_miss_each_other() {
    let Some(database) = Database::fresh("a payment and the lowering of its invoice") else { return };
    let mut books = two_on(&database);
    books[1].import(&(0..ROUNDS).map(|n| bill(&format!("HD-{n}"), 100)).collect::<Vec<_>>());
    pay_beside_imports(&mut books, |n| Invoice { version: 2, ..bill(&format!("HD-{n}"), 60) });
    sound(&mut books);
    let count = |what: &str| database.sql(&format!("SELECT count(*) FROM {what}"));
    assert_eq!(count("events"), [ROUNDS.to_string()]);
    assert_eq!(count("breaks WHERE class = 'INVOICE_CHANGED'"), count("events WHERE state = 'settled'"));
}

/// One instance ends a message while the other adds the next one of the same invoice: it must not be left waiting for
/// one that is done.
#[test]
fn a_message_that_ends_while_the_next_one_comes_sets_it_free() {
    let Some(database) = Database::fresh("a message ends while the next one comes") else { return };
    let [mut payer, mut sender] = two_on(&database);
    payer.import(&[bill("HD-1", 100)]);
    payer.post(&[pay("E", 100).invoice("HD-1").arrival()]);
    let start = Barrier::new(2);
    let lease = |n: u32| LeaseRequest {
        token: LeaseToken(u64::from(n) + 1),
        now: noon(),
        until: noon().plus_ms(60_000),
        limit: 10,
        urgent_only: false,
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..ROUNDS {
                start.wait();
                // Settled and given back in turn, so that each round has a message behind the one being sent.
                let (last, next) = (n / 2, n / 2 + 1);
                let said = if n % 2 == 0 {
                    undo(&format!("R{n}"), &(if last == 0 { "E".to_owned() } else { format!("E{last}") }), 100)
                } else {
                    pay(&format!("E{next}"), 100).invoice("HD-1")
                };
                let heard = payer.post(&[said.arrival()])[0].answer.outcome;
                assert_eq!(heard, Outcome::Accepted, "round {n}");
                start.wait();
            }
        });
        scope.spawn(|| {
            for n in 0..ROUNDS {
                let mut taken = Vec::new();
                sender.store.transact(&mut |tx| tx.lease(&[lease(n)]).map(|found| taken = found)).unwrap();
                assert_eq!(taken.len(), 1, "round {n}: only the first of an invoice goes");
                start.wait();
                let done: Vec<_> = taken
                    .into_iter()
                    .map(|d| DispatchResult {
                        key: d.key,
                        token: d.token,
                        result: AttemptResult::Delivered,
                        at: noon(),
                    })
                    .collect();
                let mut counted = Vec::new();
                sender.store.transact(&mut |tx| tx.settle(&done).map(|took| counted = took)).unwrap();
                assert_eq!(counted, [true], "round {n}");
                start.wait();
            }
        });
    });
    payer.state();
    let waiting = DispatchFilter { state: Some("waiting".to_owned()), limit: 9, ..DispatchFilter::default() };
    assert_eq!(payer.reports.dispatches(&waiting).unwrap().len(), 1);
}

/// Both lock two invoices, in opposite orders: one of them is told that it may run again, and does.
#[test]
fn a_deadlock_is_broken_and_the_loser_may_run_again() {
    let Some(database) = Database::fresh("a deadlock is broken") else { return };
    let books = two_on(&database);
    let (both_hold, losers) = (Arc::new(Barrier::new(2)), std::sync::atomic::AtomicU32::new(0));
    let wanted = |id: &str| Wanted { invoices: vec![InvoiceId::parse(id).unwrap()], customers: Vec::new() };
    std::thread::scope(|scope| {
        for (mut books, order) in books.into_iter().zip([["HD-1", "HD-2"], ["HD-2", "HD-1"]]) {
            let (both_hold, losers) = (Arc::clone(&both_hold), &losers);
            scope.spawn(move || {
                let mut first_try = true;
                loop {
                    let done = books.store.transact(&mut |tx| {
                        let _one: Candidates = tx.candidates(&wanted(order[0]))?;
                        if std::mem::take(&mut first_try) {
                            both_hold.wait();
                        }
                        tx.candidates(&wanted(order[1])).map(drop)
                    });
                    match done {
                        Ok(()) => return,
                        Err(StoreError::Contended) => losers.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
                        Err(error) => panic!("{error:?}"),
                    };
                }
            });
        }
    });
    assert_eq!(losers.into_inner(), 1);
}

/// I7: a marker proves its payment only from a posting that was made after the payment was seen.
#[test]
fn a_repeat_at_another_instance_is_remembered_under_a_posting_still_to_come() {
    let Some(database) = Database::fresh("a repeat at another instance") else { return };
    let [mut first, mut second] = two_on(&database);
    first.import(&[bill("HD-1", 100)]);
    let own = second.post(&[pay("other", 7).arrival()]);
    assert_eq!(own[0].marker, None);
    let noted = |books: &mut Books| books.reports.generations().unwrap().into_iter().find(|(g, _)| g.0 == 8).unwrap().1;
    let before = noted(&mut second);
    let paid = pay("E1", 100).invoice("HD-1");
    let marker = |posted: &[Posted]| -> Marker { posted[0].marker.clone().unwrap() };
    let at_first = marker(&first.post(&[paid.arrival()]));
    let repeated = marker(&second.post(&[paid.arrival()]));
    assert_eq!(repeated.key, at_first.key);
    assert!(repeated.posting > before, "a backup made before this payment has this instance up to there");
    second.post(&[pay("next", 7).arrival()]);
    assert!(repeated.posting <= noted(&mut second));
    let again = marker(&first.post(&[paid.arrival()]));
    assert!(again.posting > at_first.posting);
}

#[test]
fn each_instance_takes_a_lane_of_its_own_and_a_free_one_is_taken_again() {
    let Some(database) = Database::fresh("each instance takes a lane") else { return };
    let options = thuho::store::postgres::PostgresOptions::default();
    let lanes = |stores: &[thuho::store::postgres::PostgresStore]| {
        stores.iter().map(thuho::store::Store::lane).collect::<Vec<_>>()
    };
    let mut stores: Vec<_> = (0..3).map(|_| database.store(&options)).collect();
    assert_eq!(lanes(&stores), [0, 1, 2]);
    drop(stores.remove(1));
    for _ in 0..100 {
        // The server hears of the end a moment later.
        if database.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == ["2"] {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    stores.push(database.store(&options));
    assert_eq!(lanes(&stores), [0, 2, 1]);
}

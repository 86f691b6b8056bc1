//! The simulator's binary: the store in memory against the contract of all stores, and seeded days of the product
//! with every fault we know. Holds I2, I3, I4, I5, I6 and I7.
//!
//! `SIM_SEEDS=n` lives n days (20,000 by default), `SIM_SEED=n` lives one again and prints what happened.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

mod bills;
mod chance;
mod collectors;
#[path = "../contract/mod.rs"]
mod contract;
mod core;
mod delivery;
mod faults;
mod heard;
mod instance;
mod judge;
mod markers;
mod memory;
mod outbox;
mod queue;
mod speech;
mod world;

use faults::Faults;
use judge::live;
use world::Mistake;

fn memory_store() -> contract::Harness {
    let store = memory::MemoryStore::new(contract::LANE);
    let again = store.clone();
    contract::Harness {
        reports: Box::new(memory::MemoryReports(store.clone())),
        store: Box::new(store),
        again: Box::new(move || (Box::new(again.clone()), Box::new(memory::MemoryReports(again.clone())))),
        keep: Box::new(()),
    }
}

contract::suite!(memory_store);

#[expect(clippy::disallowed_methods, reason = "how many days to live is the caller's wish, not configuration")]
fn wish(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}: expected a number")))
}

/// Lives days until one goes wrong; says how many did not, and what happened on all of them.
fn days(first: u64, count: u64, mistake: Mistake) -> (Option<(u64, String)>, Faults) {
    let threads = u64::try_from(std::thread::available_parallelism().map_or(1, std::num::NonZero::get)).unwrap();
    let mut faults = Faults::default();
    let mut wrong: Option<(u64, String)> = None;
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads)
            .map(|lane| {
                scope.spawn(move || {
                    let mut faults = Faults::default();
                    for seed in (first + lane..first + count).step_by(usize::try_from(threads).unwrap()) {
                        let (result, world) = live(seed, mistake, false);
                        faults.add(&world.faults);
                        if let Err(what) = result {
                            return (Some((seed, what)), faults);
                        }
                    }
                    (None, faults)
                })
            })
            .collect();
        for lane in lanes {
            let (found, met) = lane.join().unwrap();
            faults.add(&met);
            wrong = wrong.take().into_iter().chain(found).min();
        }
    });
    (wrong, faults)
}

#[test]
fn nothing_is_lost_doubled_or_told_twice_on_any_seeded_day() {
    if let Some(seed) = wish("SIM_SEED") {
        let (result, world) = live(seed, Mistake::None, true);
        world.trace.iter().flatten().for_each(|line| println!("{line}"));
        assert_eq!(result, Ok(()), "seed {seed}");
        return;
    }
    let count = wish("SIM_SEEDS").unwrap_or(20_000);
    let (wrong, faults) = days(0, count, Mistake::None);
    if let Some((seed, what)) = wrong {
        panic!("seed {seed}: {what}\nlive it again with SIM_SEED={seed}");
    }
    println!("{count} days: {:?}", faults.0);
    assert_eq!(faults.missing(), [], "faults that never happened prove nothing");
}

#[test]
fn a_seed_lives_the_same_day_again() {
    let trace = |seed| live(seed, Mistake::None, true).1.trace;
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

/// The simulator finds a gateway with this mistake within so many days, and on one of them says just what it does wrong:
/// a mistake may show in more ways than one.
fn check_found(mistake: Mistake, within: u64, what: &str) {
    let (mut first, mut found) = (0, Vec::new());
    while let Some((seed, said)) = days(first, within - first, mistake).0 {
        if said.contains(what) {
            return;
        }
        first = seed + 1;
        found.push(said);
    }
    panic!("{mistake:?} was not found in {within} days to do this: {what}. It was found as: {found:#?}");
}

#[test]
fn an_acknowledgement_before_the_commit_is_found() {
    check_found(Mistake::AckBeforeCommit, 500, "the books say None");
}

#[test]
fn a_key_drawn_for_each_attempt_is_found() {
    check_found(Mistake::RandomKey, 500, "is told under");
}

#[test]
fn a_marker_written_before_the_commit_is_found() {
    check_found(Mistake::MarkerBeforeCommit, 2_000, "heard duplicate, and the books say None");
}

#[test]
fn a_marker_trusted_over_a_restored_database_is_found() {
    check_found(Mistake::MarkersTrusted, 4_000, "heard duplicate, and the books say None");
}

#[test]
fn a_marker_trusted_over_another_content_is_found() {
    check_found(Mistake::ContentIgnored, 500, "heard duplicate");
}

#[test]
fn a_door_answered_before_its_batch_is_found() {
    check_found(Mistake::AnswersEarly, 500, "heard accepted");
}

#[test]
fn a_payment_booked_for_a_bank_that_has_hung_up_is_found() {
    check_found(Mistake::BooksForNobody, 500, "was booked after its bank had hung up");
}

#[test]
fn a_bank_that_hears_a_wallets_words_is_found() {
    check_found(Mistake::WalletsWords, 500, "reads success");
}

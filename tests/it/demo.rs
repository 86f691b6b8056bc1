//! The demo plays a whole day and ties out; and the comparison behind its last line can fail: each journal, and the
//! books themselves, are changed by one dong or one line, and each time it says so. Holds I2, I3 and I5.

use std::path::Path;
use thuho::cli::demo::{Args, Stage};
use thuho::sandbox::tie_out::{CollectorSide, TieOut};

fn stage(seed: u64, payments: u64) -> Stage {
    let partners = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/partners");
    Stage::set(&Args { exit: true, payments, seed, port: 0, partners }).unwrap_or_else(|error| panic!("{error}"))
}

fn compare(stage: &Stage) -> TieOut {
    stage.compare_with(&sides(stage), &stage.core_side()).unwrap()
}

fn sides(stage: &Stage) -> Vec<CollectorSide> {
    stage.collector_sides().unwrap()
}

/// The figures of a day, without what only says how often somebody had to ask.
fn sums(tie: &TieOut) -> String {
    let TieOut { held, receipts, balances, breaks, undelivered, core, .. } = tie;
    let core = (core.taken, core.net_dong);
    format!("{held:?} {receipts:?} {balances:?} {breaks:?} {undelivered} {core:?}")
}

#[test]
fn a_day_ties_out_and_one_seed_makes_one_day() {
    let played = [11, 11, 12].map(|seed| {
        let stage = stage(seed, 250);
        assert_eq!(stage.play(), Vec::<String>::new());
        let tie = compare(&stage);
        assert_eq!(tie.differences, Vec::<String>::new());
        assert!(tie.held.values().all(|held| held.payments > 50), "{:?}", tie.held);
        sums(&tie)
    });
    assert_eq!(played[0], played[1]);
    assert_ne!(played[0], played[2]);
}

#[test]
fn one_dong_too_many_anywhere_does_not_tie_out() {
    let stage = stage(7, 150);
    stage.play();
    assert!(compare(&stage).ties_out());
    let (honest, core) = (sides(&stage), stage.core_side());

    let fails = |collectors: &[CollectorSide], core: &_, about: &str| {
        let tie = stage.compare_with(collectors, core).unwrap();
        assert!(!tie.ties_out(), "{about}");
    };
    for side in 0..honest.len() {
        let mut lying = honest.clone();
        let line = lying[side].lines.iter_mut().find(|line| line.till > 0 && line.told).unwrap();
        line.till += 1;
        fails(&lying, &core, "a till holds a dong more");

        let mut forgetful = honest.clone();
        let at = forgetful[side].lines.iter().position(|line| line.till > 0 && line.told).unwrap();
        forgetful[side].lines.remove(at);
        fails(&forgetful, &core, "the books hold a payment that nobody made");
    }
    let mut other = core.clone();
    *other.invoices.values_mut().next().unwrap() += 1;
    fails(&honest, &other, "the core holds a dong more");
    let mut deaf = core.clone();
    deaf.invoices.pop_first();
    fails(&honest, &deaf, "the core never heard of a payment");
    let mut told_twice = core.clone();
    told_twice.totals.keys_reused = 1;
    fails(&honest, &told_twice, "one key said two things");

    let books = rusqlite::Connection::open(stage.database()).unwrap();
    let triggers: Vec<String> = books
        .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for trigger in triggers {
        books.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    let one_dong = "UPDATE entries SET amount = amount + 1
        WHERE posting_no = (SELECT min(posting_no) FROM entries) AND amount > 0";
    assert_eq!(books.execute(one_dong, []).unwrap(), 1);
    fails(&honest, &core, "an entry was changed behind our back");
}

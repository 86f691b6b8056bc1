//! The national peak: two instances behind the real HAProxy, on one PostgreSQL and one Redis, with notices of which one in
//! twenty is a repeat, for minutes. Beside it the verifying handler behind the same HAProxy. Nothing may be lost, and the
//! core must know everything at the end.

use crate::bench::{BASE, Bench};
use crate::books::{Books, Store};
use crate::core::Core;
use crate::driver::{self, Steady};
use crate::haproxy::{self, Haproxy};
use crate::processes::{Server, Setup, wait_for};
use crate::requests::{Chance, INVOICES, Walk};
use crate::servers::Handler;
use std::time::{Duration, Instant};

/// Twice 1,060 a second: the highest of all of the country, and as much again for retries.
const RATE: u32 = 2_100;
/// Notices of the country's heaviest day.
const HEAVIEST_DAY: u32 = 6_400_000;
/// One notice of so many is sent again.
const REPEATED: u64 = 20;
/// So many calls later at least: two seconds, and at most half a minute.
const LATER: (u64, u64) = (2 * 2_100, 30 * 2_100);
/// Before each measurement, unmeasured.
const WARM: Duration = Duration::from_secs(3);

/// Notices in the order in which they are sent, one in twenty a repeat of an earlier one; and how many are different.
fn calls(count: u64) -> (Vec<Vec<u8>>, u64) {
    let (mut walk, mut chance) = (Walk::new("B", INVOICES, 40_000), Chance(40_001));
    let mut calls: Vec<Vec<u8>> = Vec::new();
    let mut different = 0;
    for n in 0..count {
        let back = LATER.0 + chance.next() % (LATER.1 - LATER.0);
        let earlier = n.checked_sub(back).filter(|_| chance.next().is_multiple_of(REPEATED));
        let earlier = earlier.and_then(|at| calls.get(usize::try_from(at).ok()?)).cloned();
        different += u64::from(earlier.is_none());
        let call = earlier.unwrap_or_else(|| walk.take(1).pop().expect("one was asked for"));
        calls.push(call);
    }
    (calls, different)
}

pub fn run(bench: &mut Bench) {
    let Some(redis) = bench.redis.as_ref().map(|r| r.url.clone()) else { return };
    if let Some(why) = haproxy::missing() {
        return bench.skip(&format!("peak: {why}"));
    }
    let Some(books) = bench.copy(Store::Postgres, BASE, "peak") else { return };
    let time = bench.scale.peak;
    let (calls, different) = calls(u64::from(RATE) * time.as_secs());
    let steady = Steady { calls: &calls, rate: RATE, time, go_on: &|| true, good: driver::is_taken };
    println!("peak: {RATE} notices a second for {} s, {different} of {} different", time.as_secs(), calls.len());
    let beside = Steady { time: (time / 5).max(Duration::from_secs(5)), ..steady };
    // Before and after: the machine may be in another mood by then.
    verifying(bench, beside);
    instances(bench, (&books, &redis), steady, different);
    verifying(bench, beside);
    books.remove();
    let p99 = bench.figures.median("peak, two instances p99 ms");
    let beside = bench.figures.median("peak, verifying p99 ms");
    bench.figures.add("peak, p99 ms", p99);
    bench.figures.add("peak, verifying p99 of both ms", beside);
}

fn verifying(bench: &mut Bench, steady: Steady<'_>) {
    let setup = Setup::new(&bench.home, "verifying", String::new());
    let servers = [setup.handler(Handler::Verifying), setup.handler(Handler::Verifying)];
    let [one, two] = &servers;
    let haproxy = Haproxy::start(&bench.home, [one, two]);
    driver::open(&haproxy, Steady { time: WARM, ..steady });
    bench.open("peak, verifying", &haproxy, steady);
}

fn instances(bench: &mut Bench, (books, redis): (&Books, &str), steady: Steady<'_>, different: u64) {
    let core = Core::start();
    let postgres = books.postgres().expect("it was asked for");
    let setup = books.setup(&bench.home).seen(redis).core(core.address);
    let servers = [setup.start(), setup.start()];
    let [one, two] = &servers;
    let haproxy = Haproxy::start(&bench.home, [one, two]);
    // Of invoices that nobody has.
    let warm = Walk::new("X", INVOICES, 40_002).take(u64::from(RATE) * WARM.as_secs());
    let warmed = driver::open(&haproxy, Steady { calls: &warm, time: WARM, ..steady });
    assert_eq!(warmed.refused, 0, "the warm-up is taken");
    let size = books.number("SELECT pg_database_size(current_database())");
    let used = || -> [f64; 3] {
        [servers.iter().map(Server::cpu_seconds).sum(), postgres.cpu_seconds(), haproxy.cpu_seconds()]
    };
    let before = used();
    let answered = bench.open("peak, two instances", &haproxy, steady);
    let (since, waiting) = (Instant::now(), books.number("SELECT count(*) FROM dispatches WHERE state <> 'delivered'"));
    wait_for("the outbox is empty", || {
        books.number("SELECT count(*) FROM dispatches WHERE state IN ('waiting', 'leased')") == 0
    });
    bench.figures.add("peak, messages on their way at the end", f64::from(u32::try_from(waiting).expect("few")));
    bench.figures.add("peak, seconds until the outbox is empty", since.elapsed().as_secs_f64());
    let thousands = f64::from(answered) / 1000.0;
    for ((what, before), after) in ["gateways", "PostgreSQL", "HAProxy"].into_iter().zip(before).zip(used()) {
        bench.figures.add(&format!("peak, {what} CPU s per 1,000"), (after - before) / thousands);
    }
    let grown = books.number("SELECT pg_database_size(current_database())").saturating_sub(size);
    bench.figures.add("peak, bytes a notice", f64::from(u32::try_from(grown / u64::from(answered)).expect("few")));
    for server in servers {
        bench.figures.add("peak, resident MiB, highest", server.resident_mib().1);
        server.stop();
    }
    nothing_is_lost(books, &core, u64::from(warmed.replies) + different);
    arithmetic(bench);
}

/// Each different notice is one event with one posting; each settlement was told to the core, once.
fn nothing_is_lost(books: &Books, core: &Core, different: u64) {
    books.count_rows(u32::try_from(different).expect("few notices"));
    let delivered = books.number("SELECT count(*) FROM dispatches WHERE state = 'delivered'");
    assert_eq!(books.number("SELECT count(*) FROM dispatches"), delivered, "every message was delivered");
    assert_eq!(u64::from(core.told().messages()), delivered, "the core was told what the books say");
    let again = core.told().calls - delivered;
    println!(
        "  nothing lost: {different} different notices are {different} events; {delivered} messages told, {again} again"
    );
}

/// The heaviest day, from what was measured.
fn arithmetic(bench: &Bench) {
    let f = &bench.figures;
    let day = f64::from(HEAVIEST_DAY);
    let cpu: f64 = ["gateways", "PostgreSQL", "HAProxy"]
        .iter()
        .map(|what| f.median(&format!("peak, {what} CPU s per 1,000")))
        .sum();
    let hours = cpu * day / 1000.0 / 3600.0;
    println!(
        "  the heaviest day, {HEAVIEST_DAY} notices: {:.0} a second on average; all of it at {RATE}/s would take {:.0} minutes",
        day / 86_400.0,
        day / f64::from(RATE) / 60.0
    );
    println!(
        "  it would use {hours:.2} hours of one processor ({:.1} % of a day of one) and {:.1} GiB of the database",
        100.0 * hours / 24.0,
        f.median("peak, bytes a notice") * day / f64::from(1 << 30)
    );
}

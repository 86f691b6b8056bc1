//! Notices on SQLite: the handlers beside it, the naive program, the gateway with each kind of hint, and how long an
//! answer takes at a steady rate.

use crate::bench::{Bench, Loop, MANY_CONNECTIONS, OPEN_RATE, WARM};
use crate::driver::{self, Load, Steady};
use crate::processes::Setup;
use crate::redis::Redis;
use crate::requests;
use crate::servers::Handler;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub fn reading(bench: &mut Bench, round: u64) {
    let (load, warm) = bench.load(round);
    let server = Setup::new(&bench.home, "reading", String::new()).handler(Handler::Reading);
    let load = Load { again: true, ..load };
    for (name, connections) in [("reading", load.connections), ("reading, 256", MANY_CONNECTIONS)] {
        let load = Load { connections, ..load.clone() };
        bench.closed(&Loop { name, server: &server, postgres: None, load, warm: Arc::clone(&warm) });
    }
}

pub fn verifying(bench: &mut Bench, round: u64) {
    let (load, warm) = bench.load(round);
    let server = Setup::new(&bench.home, "verifying", String::new()).handler(Handler::Verifying);
    let load = Load { again: true, ..load };
    bench.closed(&Loop { name: "verifying", server: &server, postgres: None, load, warm });
    let calls = open_calls(bench, round);
    let steady = bench.notices(&calls);
    bench.open("verifying open", &server.public, steady);
}

pub fn naive(bench: &mut Bench, round: u64) {
    let (load, warm) = bench.load(round);
    let server = bench.books("naive").setup(&bench.home).handler(Handler::Naive);
    bench.closed(&Loop { name: "naive", server: &server, postgres: None, load, warm });
}

pub fn gateway(bench: &mut Bench, round: u64) {
    let (load, warm) = bench.load(round);
    let books = bench.books("gateway");
    let server = books.setup(&bench.home).start();
    let answered = bench.closed(&Loop { name: "gateway", server: &server, postgres: None, load, warm });
    let (now, highest) = server.resident_mib();
    bench.figures.add("gateway resident MiB", now);
    bench.figures.add("gateway resident MiB, highest", highest);
    server.stop();
    books.count_rows(answered);
}

pub fn redis(bench: &mut Bench, round: u64) {
    let Some(url) = bench.redis.as_ref().map(|r| r.url.clone()) else { return };
    let (load, warm) = bench.load(round);
    let books = bench.books("redis");
    let server = books.setup(&bench.home).seen(&url).start();
    // The same first events again, all of them settled and remembered.
    let known: Vec<Vec<u8>> = load.calls.iter().take(10_000).cloned().collect();
    let again = Load { calls: Arc::new(known), again: true, ..load.clone() };
    let answered = bench.closed(&Loop { name: "gateway, Redis", server: &server, postgres: None, load, warm });
    let part = "thuho_seen_recalls_total{answer=\"settled\"}";
    let before = server.counter(part);
    let repeats =
        Loop { name: "duplicates, Redis", server: &server, postgres: None, load: again, warm: Arc::default() };
    let done = bench.closed(&repeats);
    let hits = server.counter(part) - before;
    bench.figures.add("duplicates answered by seen, per cent", 100.0 * hits / f64::from(done));
    server.stop();
    books.count_rows(answered);
}

/// Redis goes away under a gateway that was using it.
pub fn redis_down(bench: &mut Bench, round: u64) {
    let Some(redis) = Redis::start(&bench.home) else { return };
    let (load, warm) = bench.load(round);
    let books = bench.books("redis-down");
    let server = books.setup(&bench.home).seen(&redis.url).start();
    let few = Load { calls: Arc::new(requests::fresh("X", 64, 5_000 + round)), ..load.clone() };
    let before = driver::closed(server.public, &few, WARM);
    drop(redis);
    let answered = bench.closed(&Loop { name: "gateway, Redis stopped", server: &server, postgres: None, load, warm });
    assert!(server.counter("thuho_seen_failures_total") > 0.0, "the gateway missed its Redis");
    server.stop();
    books.count_rows(answered + before.replies);
}

/// Open loops: alone, and during an import of a million other invoices.
pub fn latency(bench: &mut Bench, round: u64) {
    let books = bench.books("latency");
    let server = books.setup(&bench.home).start();
    let (load, warm) = bench.load(round);
    driver::closed(server.public, &Load { calls: warm, ..load }, WARM);
    let calls = open_calls(bench, round);
    let steady = bench.notices(&calls);
    bench.open("gateway open", &server.public, steady);
    let rows: Vec<String> = (0..bench.scale.imported).map(|n| requests::invoice_json("M", n)).collect();
    let body = rows.join("\n").into_bytes();
    let longest = Duration::from_secs(90);
    let more = requests::fresh("B", u64::from(OPEN_RATE) * longest.as_secs(), 3_000 + round);
    let importing = AtomicBool::new(true);
    let since = Instant::now();
    let (reply, seconds) = std::thread::scope(|scope| {
        let import = scope.spawn(|| {
            let reply = server.ask("PUT", "/api/v1/invoices", "application/x-ndjson", &body);
            importing.store(false, Ordering::SeqCst);
            (reply, since.elapsed().as_secs_f64())
        });
        let go_on = || importing.load(Ordering::SeqCst);
        let steady = Steady { time: longest, go_on: &go_on, ..bench.notices(&more) };
        bench.open("gateway open, import", &server.public, steady);
        import.join().expect("the import's thread ends")
    });
    assert!(reply.starts_with("HTTP/1.1 200"), "the import: {}", reply.lines().next().unwrap_or("no reply"));
    bench.figures.add("import seconds", seconds);
    server.stop();
}

fn open_calls(bench: &Bench, round: u64) -> Vec<Vec<u8>> {
    requests::fresh("B", u64::from(OPEN_RATE) * bench.scale.open.as_secs(), 2_000 + round)
}

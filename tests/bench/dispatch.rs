//! How fast messages reach a billing core that is never what one waits for: from a backlog, while nothing else happens
//! and while notices come in.

use crate::bench::{BASE, Bench, CONNECTIONS, OPEN_RATE};
use crate::books::{Books, Store};
use crate::core::Core;
use crate::driver::{self, Load, Steady};
use crate::machine;
use crate::processes::wait_for;
use crate::requests::{INVOICES, Walk};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The books with messages that nobody took yet.
const BACKLOG: &str = "backlog";
const SEED: u64 = 77;

/// The longest that a backlog may take.
const LONGEST: Duration = Duration::from_secs(120);

const UNSENT: &str = "SELECT count(*) FROM dispatches WHERE state <> 'delivered'";

pub fn run(bench: &mut Bench, round: u64) {
    for store in Store::BOTH {
        if round == 0 {
            fill(bench, store);
        }
        idle(bench, store);
        busy(bench, store, round);
    }
}

/// As many payments as there are to be messages, while there is no core.
fn fill(bench: &Bench, store: Store) {
    let Some(books) = bench.copy(store, BASE, BACKLOG) else { return };
    let server = books.setup(&bench.home).start();
    let calls = Arc::new(Walk::new("B", INVOICES, SEED).take(bench.scale.backlog));
    let load = Load { calls, connections: CONNECTIONS, again: false };
    let done = driver::closed(server.public, &load, LONGEST);
    server.stop();
    assert_eq!((u64::from(done.replies), done.refused), (bench.scale.backlog, 0), "the backlog is made");
    assert_eq!(books.number(UNSENT), bench.scale.backlog, "each payment waits to be told");
}

fn idle(bench: &mut Bench, store: Store) {
    let Some(books) = bench.copy(store, BACKLOG, "dispatch") else { return };
    let core = Core::start();
    let server = books.setup(&bench.home).core(core.address).start();
    let name = format!("dispatch, {}", store.word());
    let backlog = u32::try_from(bench.scale.backlog).expect("few messages");
    wait_for("the backlog is sent", || core.told().messages() >= backlog);
    let thousands = f64::from(backlog) / 1000.0;
    bench.figures.add(&format!("{name} CPU s per 1,000"), server.cpu_seconds() / thousands);
    told(bench, &name, core.told().per_second());
    finish(&books, server, &core);
    books.remove();
}

fn busy(bench: &mut Bench, store: Store, round: u64) {
    let Some(books) = bench.copy(store, BACKLOG, "dispatch") else { return };
    let calls = Walk::new("B", INVOICES, SEED)
        .after(bench.scale.backlog + round)
        .take(u64::from(OPEN_RATE) * LONGEST.as_secs());
    let core = Core::start();
    let server = books.setup(&bench.home).core(core.address).start();
    let name = format!("dispatch under notices, {}", store.word());
    // Until nine tenths of it are gone, so that there was always something to send.
    let enough = u32::try_from(bench.scale.backlog * 9 / 10).expect("few messages");
    let go_on = || core.told().messages() < enough;
    let (since, before) = (Instant::now(), core.told().messages());
    let stolen = machine::stolen_seconds();
    let steady = Steady { time: LONGEST, go_on: &go_on, ..bench.notices(&calls) };
    bench.open(&name, &server.public, steady);
    let sent = f64::from(core.told().messages() - before);
    bench.figures.add(&format!("{name} stolen s"), machine::stolen_seconds() - stolen);
    told(bench, &name, sent / since.elapsed().as_secs_f64());
    finish(&books, server, &core);
    books.remove();
}

fn told(bench: &mut Bench, name: &str, per_second: f64) {
    bench.figures.add(&format!("{name} messages per second"), per_second);
    println!("  {name:<34} {per_second:>9.0} messages/s");
}

/// Everything is told in the end, and the books say so.
fn finish(books: &Books, server: crate::processes::Server, core: &Core) {
    wait_for("the outbox is empty", || books.number(UNSENT) == 0);
    server.stop();
    let delivered = books.number("SELECT count(*) FROM dispatches WHERE state = 'delivered'");
    assert_eq!(u64::from(core.told().messages()), delivered, "the core was told what the books say");
    assert_eq!(core.told().calls, delivered, "nothing was told twice");
}

//! Notices on PostgreSQL: a transaction a notice over a pool, and the gateway, on the same server.

use crate::bench::{BASE, Bench, Loop, MANY_CONNECTIONS};
use crate::books::Store;
use crate::driver::Load;
use crate::naive_postgres;
use crate::requests;
use crate::servers::Handler;
use std::sync::Arc;

pub fn naive(bench: &mut Bench, round: u64) {
    let Some(books) = bench.copy(Store::Postgres, BASE, "naive") else { return };
    let postgres = books.postgres().expect("it was asked for");
    postgres.sql("naive", naive_postgres::TABLES);
    let server = books.setup(&bench.home).handler(Handler::NaivePostgres);
    let (load, warm) = bench.load(round);
    let it = Loop { name: "naive, PostgreSQL", server: &server, postgres: Some(postgres), load, warm };
    let answered = bench.closed(&it).all();
    drop(server);
    let count = |table: &str| books.number(&format!("SELECT count(*) FROM {table}"));
    assert_eq!(count("naive_events"), u64::from(answered), "each answer stands for one event");
    assert_eq!(count("naive_payments"), u64::from(answered), "each event is a payment");
    let settled = count("naive_payments WHERE status = 'settled'");
    assert!(settled > 0, "the naive program finds invoices");
    assert_eq!(count("naive_outbox"), settled, "each settled payment has its message");
    books.remove();
}

pub fn gateway(bench: &mut Bench, round: u64) {
    let Some(books) = bench.copy(Store::Postgres, BASE, "gateway") else { return };
    let server = books.setup(&bench.home).start();
    let (load, warm) = bench.load(round);
    let mut later = requests::Walk::new("B", requests::INVOICES, round).after(500_000);
    let later = Load {
        calls: Arc::new(later.take(35_000 * bench.scale.closed.as_secs())),
        connections: MANY_CONNECTIONS,
        ..load.clone()
    };
    let postgres = books.postgres();
    let mut answered = bench.closed(&Loop { name: "PostgreSQL", server: &server, postgres, load, warm }).all();
    let warm = Arc::new(requests::fresh("X", 10_000, 4_000 + round));
    answered += bench.closed(&Loop { name: "PostgreSQL, 256", server: &server, postgres, load: later, warm }).all();
    bench.figures.add("PostgreSQL resident MiB, highest", server.resident_mib().1);
    server.stop();
    books.count_rows(answered);
    books.remove();
}

//! Books with thirty times as many invoices beside the usual ones: what a notice costs, and how long a bill inquiry
//! takes. They are made once, by the import; `BENCH_BOOKS` names a folder that keeps the file for the next run.

use crate::bench::{BASE, Bench, CONNECTIONS, Loop};
use crate::books::{Books, Store, copy_file, remove_file};
use crate::driver::Load;
use crate::import::write_rows;
use crate::inquiry;
use crate::processes::Setup;
use crate::requests::{INVOICES, Walk};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

/// Calls before each measurement, of the same books: their upper pages are in memory then, as on any day.
const WARM_CALLS: u64 = 20_000;

/// What is called big, in the figures.
pub const BIG: &str = "30 million";

pub fn run(bench: &mut Bench, store: Store, round: u64) {
    if round == 0 {
        make(bench, store);
    }
    let Some(usual) = bench.copy(store, BASE, "growth") else { return };
    notices(bench, (&usual, INVOICES), &format!("1 million, {}", store.word()), round);
    usual.remove();
    let big = big(bench, store).expect("it was made");
    notices(bench, (&big, bench.scale.big), &format!("{BIG}, {}", store.word()), round);
    inquiry::on_books(bench, (&big, bench.scale.big, &format!(" of {BIG}, {}", store.word())), round);
}

fn big(bench: &Bench, store: Store) -> Option<Books> {
    match store {
        Store::Sqlite => Some(Books::File(bench.home.join("big.db"))),
        Store::Postgres => Some(Books::Database(bench.postgres.clone()?, "big".to_owned())),
    }
}

fn make(bench: &Bench, store: Store) {
    let Some(books) = big(bench, store) else { return };
    let count = bench.scale.big;
    let kept = std::env::var_os("BENCH_BOOKS").map(|folder| PathBuf::from(folder).join(format!("books-{count}.db")));
    match (&books, kept) {
        (Books::File(file), Some(kept)) => {
            if !kept.exists() {
                let unfinished = kept.with_extension("unfinished.db");
                fill(&Books::File(unfinished.clone()).setup(&bench.home), count);
                std::fs::rename(&unfinished, &kept).expect("the folder of books is ours");
                remove_file(&unfinished);
            }
            copy_file(&kept, file);
        }
        (Books::File(_), None) => fill(&books.setup(&bench.home), count),
        (Books::Database(postgres, name), _) => {
            postgres.create(name);
            fill(&books.setup(&bench.home), count);
            postgres.sql(name, "VACUUM ANALYZE");
            postgres.sql(name, "CHECKPOINT");
        }
    }
}

/// Through the import, which reads while the rows are being written.
fn fill(setup: &Setup, count: u64) {
    let since = Instant::now();
    setup.run(&["migrate"]);
    let import =
        setup.command(&["invoice", "import", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut import = import.expect("the gateway's binary runs");
    let rows = import.stdin.take().expect("it has an input");
    write_rows(rows, "B", count).expect("the import reads");
    assert!(import.wait().is_ok_and(|status| status.success()), "the import takes all rows");
    println!("{count} invoices imported in {:.0} s", since.elapsed().as_secs_f64());
}

fn notices(bench: &mut Bench, (books, invoices): (&Books, u64), which: &str, round: u64) {
    let server = books.setup(&bench.home).start();
    let before = books.number("SELECT count(*) FROM events");
    let mut walk = Walk::new("B", invoices, 30_000 + round);
    let warm = Arc::new(walk.take(WARM_CALLS));
    let calls = Arc::new(walk.take(35_000 * bench.scale.closed.as_secs()));
    let load = Load { calls, connections: CONNECTIONS, again: false };
    let name = format!("growth, {which}");
    let it = Loop { name: &name, server: &server, postgres: books.postgres(), load, warm };
    let answered = bench.closed(&it).all();
    server.stop();
    let events = books.number("SELECT count(*) FROM events");
    assert_eq!(events, before + u64::from(answered), "each answer stands for one event");
}

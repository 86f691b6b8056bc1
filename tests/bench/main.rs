//! `cargo bench`: how many durable, matched, posted and dispatch-queued notices a second, and how long each takes, on
//! SQLite and on PostgreSQL, beside a handler that only reads, one that also verifies, and the program that people write
//! today. Everything in one run on one machine, rounds interleaved, medians of five; every flush is waited for, a million
//! invoices, random event ids. After each measurement the rows are counted, and `audit` must pass on the gateway's books
//! of the last round. Prints a table, the goals, and target/bench/gateway.json.
//!
//!   `BENCH_ONLY=name[,name]`  only these stages, and the goals that they decide; a wrong name lists them all
//!   `BENCH_FULL=1`            the long stages too: 30 million invoices, the national peak, reconciliation, the desk's pages
//!   `BENCH_QUICK=1`           shows in minutes that it works; its figures mean nothing
//!   `BENCH_BOOKS=folder`      keeps the big SQLite books for the next run
//!   `BENCH_STORE=postgresql`  reconciliation and the desk's pages on this store only
//!   `BENCH_PEAK_S=seconds`    how long the national peak lasts
//!   `BENCH_KEEP=1`            leaves the run's folder, with what the servers said, where it is
#![expect(clippy::print_stdout, reason = "a bench's table is its output")]
#![expect(clippy::float_arithmetic, reason = "rates and ratios, no money")]

mod alone;
mod bench;
mod books;
mod core;
mod desk;
mod desk_acts;
mod desk_books;
mod dispatch;
mod driver;
mod goals;
mod growth;
mod haproxy;
mod import;
mod inquiry;
mod machine;
mod naive;
mod naive_postgres;
mod notices;
mod on_postgres;
mod peak;
mod postgres;
mod processes;
mod reconcile;
mod redis;
mod report;
mod requests;
mod servers;
mod slow;
mod stages;
mod table;

use bench::Bench;
use books::{Books, Store};
use servers::Handler;
use stages::{Scale, Stage};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", handler, at, profiles, store] => {
            let handler = Handler::parse(handler).expect("this program asks for what it has");
            let at = at.parse().expect("this program asks with an address");
            servers::serve(handler, at, Path::new(profiles), store).expect("the handler serves");
            ExitCode::SUCCESS
        }
        _ if words.contains(&"--bench") => match stages::chosen() {
            Ok(stages) => measure(stages),
            Err(wrong) => {
                println!("{wrong}");
                ExitCode::from(2)
            }
        },
        _ => {
            println!("the bench runs under `cargo bench`");
            ExitCode::SUCCESS
        }
    }
}

fn measure(stages: Vec<Stage>) -> ExitCode {
    let mut home = tempfile::tempdir().expect("a temporary folder");
    home.disable_cleanup(std::env::var_os("BENCH_KEEP").is_some());
    println!("machine: {}", machine::describe());
    println!("folder: {}", home.path().display());
    let mut bench = Bench::new(home.path(), Scale::of_this_run(), stages.clone());
    let (single, interleaved): (Vec<Stage>, Vec<Stage>) = stages.iter().partition(|stage| stage.is_single());
    let rounds = if interleaved.is_empty() { 0 } else { bench.scale.rounds };
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        if bench.has(&[Stage::Inquiry, Stage::Growth, Stage::GrowthPostgres]) {
            inquiry::beside(&mut bench, u64::from(round));
        }
        for stage in &interleaved {
            run(&mut bench, *stage, u64::from(round));
        }
    }
    for stage in single {
        run(&mut bench, stage, 0);
    }
    let audited = bench.has(&[Stage::Gateway]).then(|| audit(&bench));
    table::print(&bench, audited);
    // A missed goal is printed; only a failed audit fails the run.
    if audited == Some(false) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(bench: &mut Bench, stage: Stage, round: u64) {
    match stage {
        Stage::Reading => notices::reading(bench, round),
        Stage::Verifying => notices::verifying(bench, round),
        Stage::Naive => notices::naive(bench, round),
        Stage::Gateway => notices::gateway(bench, round),
        Stage::Redis => notices::redis(bench, round),
        Stage::RedisDown => notices::redis_down(bench, round),
        Stage::Latency => notices::latency(bench, round),
        Stage::Postgres => {
            on_postgres::naive(bench, round);
            on_postgres::gateway(bench, round);
        }
        Stage::Slow => slow::run(bench, round),
        Stage::Import => import::run(bench, round),
        Stage::Dispatch => dispatch::run(bench, round),
        Stage::Inquiry => inquiry::run(bench, round),
        Stage::Growth => growth::run(bench, Store::Sqlite, round),
        Stage::GrowthPostgres => growth::run(bench, Store::Postgres, round),
        Stage::Peak => peak::run(bench),
        Stage::Reconcile => reconcile::run(bench),
        Stage::Desk => desk::run(bench),
        Stage::Ledger => {
            let Books::File(books) = bench.books("ledger") else { return };
            alone::run(&bench.home.join("partners"), &books, round);
        }
    }
}

fn audit(bench: &Bench) -> bool {
    let books = Books::File(bench.home.join("gateway.db"));
    let done = books.setup(&bench.home).command(&["audit"]).output().expect("the gateway's binary runs");
    print!("{}", String::from_utf8_lossy(&done.stdout));
    done.status.success()
}

//! `cargo bench`: how many durable, matched, posted and dispatch-queued notices a second, and how long each takes,
//! beside a handler that only reads, one that also verifies, and the naive program. Everything in one run on one
//! machine, rounds interleaved, medians of five; SQLite with synchronous=FULL, a million invoices, random event ids.
//! `audit` must pass on the books of the last round. `BENCH_QUICK=1` shows in a minute that it works; its figures
//! mean nothing. `BENCH_ONLY=gateway` measures the gateway's closed loop alone and `BENCH_ONLY=ledger` its writer
//! without sockets, for a profiler to look at.
#![expect(clippy::print_stdout, reason = "a bench's table is its output")]
#![expect(clippy::float_arithmetic, reason = "rates and ratios, no money")]

mod alone;
mod driver;
mod machine;
mod processes;
mod report;
mod requests;
mod servers;

use driver::{Closed, Open};
use processes::{Redis, Server, Setup};
use report::{Ask, Figures, Goal};
use servers::Handler;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The rate of the open loops, a second.
const OPEN_RATE: u32 = 2_000;

/// Before each measurement, unmeasured.
const WARM: Duration = Duration::from_millis(500);

/// How long and how often.
struct Scale {
    rounds: u32,
    closed: Duration,
    open: Duration,
    invoices: u64,
}

impl Scale {
    fn of_this_run() -> Self {
        if std::env::var_os("BENCH_QUICK").is_some() {
            let (closed, open) = (Duration::from_secs(1), Duration::from_secs(1));
            return Self { rounds: 3, closed, open, invoices: requests::INVOICES };
        }
        Self { rounds: 5, closed: Duration::from_secs(4), open: Duration::from_secs(6), invoices: requests::INVOICES }
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", handler, at, profiles, books] => {
            let handler = Handler::parse(handler).expect("this program asks for what it has");
            let at = at.parse().expect("this program asks with an address");
            servers::serve(handler, at, Path::new(profiles), Path::new(books)).expect("the handler serves");
            ExitCode::SUCCESS
        }
        _ if words.contains(&"--bench") => bench(),
        _ => {
            println!("the bench runs under `cargo bench`");
            ExitCode::SUCCESS
        }
    }
}

/// The calls of a closed loop: unmeasured ones first, then these once each, or again and again.
#[derive(Clone)]
struct Load {
    calls: Arc<Vec<Vec<u8>>>,
    warm: Arc<Vec<Vec<u8>>>,
    again: bool,
}

/// The calls of an open loop, and how long it goes on.
struct Steady<'a> {
    calls: &'a [Vec<u8>],
    time: Duration,
    go_on: &'a (dyn Fn() -> bool + Sync),
}

/// What all stages share.
struct Bench {
    scale: Scale,
    home: PathBuf,
    base: PathBuf,
    redis: Option<Redis>,
    figures: Figures,
}

fn bench() -> ExitCode {
    let home = tempfile::tempdir().expect("a temporary folder");
    let scale = Scale::of_this_run();
    processes::write_profiles(home.path());
    let base = home.path().join("base.db");
    println!("machine: {}", machine::describe());
    let redis = Redis::start(home.path());
    if redis.is_none() {
        println!("SKIPPED stages with Redis: no redis-server (TEST_REDIS_SERVER names one)");
    }
    let mut bench = Bench { scale, home: home.path().to_path_buf(), base, redis, figures: Figures::default() };
    bench.make_base();
    for round in 0..bench.scale.rounds {
        println!("round {} of {}", round + 1, bench.scale.rounds);
        bench.round(u64::from(round));
    }
    let audited = bench.audit();
    bench.print(audited)
}

impl Bench {
    /// The books with a million invoices, made once through the import and copied for each stage.
    fn make_base(&mut self) {
        let since = Instant::now();
        let file = self.home.join("invoices.csv");
        processes::write_invoices(&file, "B", self.scale.invoices);
        let setup = Setup { home: &self.home, books: &self.base, seen: "memory" };
        for words in [vec!["migrate"], vec!["invoice", "import", file.to_str().expect("a plain path")]] {
            let done = setup.command(&words).output().expect("the gateway's binary runs");
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
        let seconds = since.elapsed().as_secs_f64();
        let rows = u32::try_from(self.scale.invoices).expect("few invoices");
        println!("{rows} invoices imported in {seconds:.1} s");
    }

    fn books(&self, name: &str) -> PathBuf {
        let copy = self.home.join(format!("{name}.db"));
        for ending in ["", "-wal", "-shm", ".lock"] {
            let old = PathBuf::from(format!("{}{ending}", copy.display()));
            if old.exists() {
                std::fs::remove_file(&old).expect("the bench's own file");
            }
        }
        std::fs::copy(&self.base, &copy).expect("the disk has room");
        // To the disk now, or the kernel writes it back while a stage waits for its own flushes.
        std::fs::File::open(&copy).and_then(|file| file.sync_all()).expect("the disk takes it");
        copy
    }

    fn round(&mut self, round: u64) {
        let seconds = self.scale.closed.as_secs();
        let calls = Arc::new(requests::fresh("B", 35_000 * seconds, round));
        // Invoices that nobody has, so that the warm-up uses up none.
        let warm = Arc::new(requests::fresh("X", 10_000, 1_000 + round));
        let open = requests::fresh("B", u64::from(OPEN_RATE) * self.scale.open.as_secs(), 2_000 + round);
        let load = Load { calls, warm, again: false };
        let only = std::env::var_os("BENCH_ONLY");
        match only.as_ref().and_then(|only| only.to_str()) {
            Some("ledger") => return alone::run(&self.home.join("partners"), &self.books("gateway"), round),
            Some(_gateway) => return self.gateway(&load),
            None => {}
        }
        for handler in [Handler::Reading, Handler::Verifying] {
            let server = Server::handler(handler, &self.home, &self.base);
            self.closed(handler.word(), &server, &Load { again: true, ..load.clone() });
            if handler == Handler::Verifying {
                driver::closed(server.public, &load.warm, WARM, false);
                let steady = Steady { calls: &open, time: self.scale.open, go_on: &|| true };
                self.open("verifying open", &server, &steady);
            }
        }
        let books = self.books("naive");
        let server = Server::handler(Handler::Naive, &self.home, &books);
        self.closed("naive", &server, &load);
        drop(server);
        self.gateway(&load);
        self.gateway_with_redis(&load);
        self.latency(&open, &load.warm, round);
    }

    fn gateway(&mut self, load: &Load) {
        let books = self.books("gateway");
        let home = self.home.clone();
        let server = Setup { home: &home, books: &books, seen: "memory" }.start();
        let warmed = self.closed("gateway", &server, load);
        let (now, highest) = server.resident_mib();
        self.figures.add("gateway resident MiB", now);
        self.figures.add("gateway resident MiB, highest", highest);
        server.stop();
        count_rows(&books, warmed);
    }

    fn gateway_with_redis(&mut self, load: &Load) {
        let Some(url) = self.redis.as_ref().map(|r| r.url.clone()) else { return };
        let books = self.books("redis");
        let home = self.home.clone();
        let server = Setup { home: &home, books: &books, seen: &url }.start();
        self.closed("gateway, Redis", &server, load);
        // The same first events again, all of them settled and remembered.
        let known: Vec<Vec<u8>> = load.calls.iter().take(10_000).cloned().collect();
        let again = Load { calls: Arc::new(known), warm: Arc::default(), again: true };
        let part = "thuho_seen_recalls_total{answer=\"settled\"}";
        let before = server.counter(part);
        let done = self.closed("duplicates, Redis", &server, &again);
        let hits = server.counter(part) - before;
        self.figures.add("duplicates answered by seen, per cent", 100.0 * hits / f64::from(done));
        server.stop();
    }

    /// Open loops: alone, and during an import of a million other invoices.
    fn latency(&mut self, calls: &[Vec<u8>], warm: &Arc<Vec<Vec<u8>>>, round: u64) {
        let books = self.books("latency");
        let home = self.home.clone();
        let server = Setup { home: &home, books: &books, seen: "memory" }.start();
        driver::closed(server.public, warm, WARM, false);
        self.open("gateway open", &server, &Steady { calls, time: self.scale.open, go_on: &|| true });
        let rows: Vec<String> = (0..self.scale.invoices).map(|n| requests::invoice_json("M", n)).collect();
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
            self.open("gateway open, import", &server, &Steady { calls: &more, time: longest, go_on: &go_on });
            import.join().expect("the import's thread ends")
        });
        assert!(reply.starts_with("HTTP/1.1 200"), "the import: {}", reply.lines().next().unwrap_or("no reply"));
        self.figures.add("import seconds", seconds);
        server.stop();
    }

    /// One closed loop after a warm-up; answers how many calls were answered in both.
    fn closed(&mut self, name: &str, server: &Server, load: &Load) -> u32 {
        let warmed = driver::closed(server.public, &load.warm, WARM, false);
        let (cpu, stolen) = (server.cpu_seconds(), machine::stolen_seconds());
        let done: Closed = driver::closed(server.public, &load.calls, self.scale.closed, load.again);
        assert_eq!(done.refused, 0, "{name}: calls were refused");
        let thousands = f64::from(done.replies) / 1000.0;
        let (used, stolen) = (server.cpu_seconds() - cpu, machine::stolen_seconds() - stolen);
        self.figures.add(&format!("{name} per second"), done.per_second());
        self.figures.add(&format!("{name} CPU s per 1,000"), used / thousands);
        self.figures.add(&format!("{name} stolen s"), stolen);
        self.figures.add(&format!("{name} resident"), server.resident_mib().0);
        println!(
            "  {name:<24} {:>8.0}/s  {:.4} CPU s/1,000  stolen {stolen:.2} s",
            done.per_second(),
            used / thousands
        );
        done.replies + warmed.replies
    }

    fn open(&mut self, name: &str, server: &Server, steady: &Steady<'_>) {
        let stolen = machine::stolen_seconds();
        let done: Open = driver::open(server.public, steady.calls, OPEN_RATE, steady.time, steady.go_on);
        assert_eq!(done.refused, 0, "{name}: calls were refused");
        let stolen = machine::stolen_seconds() - stolen;
        for (figure, ms) in [("p50 ms", done.p50_ms), ("p99 ms", done.p99_ms), ("p99.9 ms", done.p999_ms)] {
            self.figures.add(&format!("{name} {figure}"), ms);
        }
        println!(
            "  {name:<24} p50 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms  of {}  stolen {stolen:.2} s",
            done.p50_ms, done.p99_ms, done.p999_ms, done.replies
        );
    }

    fn audit(&self) -> bool {
        let books = self.home.join("gateway.db");
        let done = Setup { home: &self.home, books: &books, seen: "memory" }.command(&["audit"]).output();
        let done = done.expect("the gateway's binary runs");
        print!("{}", String::from_utf8_lossy(&done.stdout));
        done.status.success()
    }

    fn goals(&self) -> Vec<Goal> {
        let f = &self.figures;
        let mut goals = vec![
            Goal {
                what: "gateway, of the reading handler",
                figure: 100.0 * f.ratio("gateway per second", "reading per second"),
                unit: "%",
                ask: Ask::AtLeast(33.0),
            },
            Goal {
                what: "gateway, over the naive program",
                figure: f.ratio("gateway per second", "naive per second"),
                unit: "x",
                ask: Ask::AtLeast(8.0),
            },
            Goal {
                what: "open loop at 2,000/s, p50",
                figure: f.median("gateway open p50 ms"),
                unit: "ms",
                ask: Ask::AtMost(2.0),
            },
            Goal {
                what: "open loop at 2,000/s, p99 over the verifying handler's",
                figure: f.ratio("gateway open p99 ms", "verifying open p99 ms"),
                unit: "x",
                ask: Ask::AtMost(3.0),
            },
            Goal {
                what: "p99 during an import of a million invoices, over without",
                figure: f.ratio("gateway open, import p99 ms", "gateway open p99 ms"),
                unit: "x",
                ask: Ask::AtMost(3.0),
            },
            Goal {
                what: "resident memory, the highest of all rounds",
                figure: f.most("gateway resident MiB, highest"),
                unit: "MiB",
                ask: Ask::AtMost(64.0),
            },
        ];
        if f.has("gateway, Redis per second") {
            goals.push(Goal {
                what: "duplicates with Redis, of the reading handler",
                figure: 100.0 * f.ratio("duplicates, Redis per second", "reading per second"),
                unit: "%",
                ask: Ask::AtLeast(75.0),
            });
            goals.push(Goal {
                what: "new notices with Redis, of without",
                figure: 100.0 * f.ratio("gateway, Redis per second", "gateway per second"),
                unit: "%",
                ask: Ask::AtLeast(90.0),
            });
        }
        goals
    }

    /// The table, the goals, the JSON. A missed goal is printed; only a failed audit fails the run.
    fn print(&self, audited: bool) -> ExitCode {
        let f = &self.figures;
        if !f.has("reading per second") {
            return if audited { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        println!(
            "\n{:<24} {:>24} {:>18} {:>14} {:>10}",
            "64 connections", "per second", "CPU s per 1,000", "resident MiB", "stolen s"
        );
        for name in ["reading", "verifying", "naive", "gateway", "gateway, Redis", "duplicates, Redis"] {
            let of = |what: &str| f.median(&format!("{name} {what}"));
            let rate = f.spread(&format!("{name} per second"));
            println!(
                "{name:<24} {rate:>24} {:>18.4} {:>14.1} {:>10.2}",
                of("CPU s per 1,000"),
                of("resident"),
                of("stolen s")
            );
        }
        println!("\n{:<24} {:>10} {:>10} {:>10}", "open loop, 2,000/s", "p50 ms", "p99 ms", "p99.9 ms");
        for name in ["verifying open", "gateway open", "gateway open, import"] {
            let of = |what: &str| f.median(&format!("{name} {what}"));
            println!("{name:<24} {:>10.2} {:>10.2} {:>10.2}", of("p50 ms"), of("p99 ms"), of("p99.9 ms"));
        }
        println!("\nduplicates answered by seen: {:.1} %", f.median("duplicates answered by seen, per cent"));
        println!("import of a million invoices under 2,000/s: {:.1} s\n", f.median("import seconds"));
        let goals = self.goals();
        goals.iter().for_each(|g| println!("{}", g.line()));
        println!("audit of the last round's books: {}", if audited { "passed" } else { "FAILED" });
        let lines: Vec<serde_json::Value> = goals
            .iter()
            .map(|g| serde_json::json!({ "goal": g.what, "figure": g.figure, "unit": g.unit, "met": g.met() }))
            .collect();
        let all = serde_json::json!({
            "machine": machine::describe(), "rounds": self.scale.rounds, "audit": audited, "goals": lines,
            "figures": f.to_json(),
        });
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        std::fs::create_dir_all(&folder).expect("the target folder can be written");
        std::fs::write(folder.join("gateway.json"), format!("{all:#}\n")).expect("the target folder can be written");
        if audited { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Every call that was answered is an event in the books, and nothing else is.
fn count_rows(books: &Path, answered: u32) {
    let db = rusqlite::Connection::open(books).expect("the books open");
    let one = |sql: &str| db.query_row(sql, [], |r| r.get::<_, u32>(0)).expect("the books are read");
    assert_eq!(one("SELECT count(*) FROM events"), answered, "each answer stands for one event");
    assert_eq!(one("SELECT count(*) FROM postings"), answered, "each event has one posting");
    let settled = one("SELECT count(*) FROM events WHERE state = 'settled'");
    assert_eq!(one("SELECT count(*) FROM dispatches"), settled, "each settlement has its message");
}

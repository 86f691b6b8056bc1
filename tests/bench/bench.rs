//! What all stages share: the books they start from, the services, and how a loop is measured.

use crate::books::{Books, Store, copy_file};
use crate::driver::{self, Closed, Load, Open, Steady, Way};
use crate::machine;
use crate::postgres::Postgres;
use crate::processes::{self, Server, Setup};
use crate::report::Figures;
use crate::requests;
use crate::stages::{Scale, Stage};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The rate of the open loops, a second.
pub const OPEN_RATE: u32 = 2_000;

/// Connections of a closed loop, as in the goals.
pub const CONNECTIONS: usize = 64;
pub const MANY_CONNECTIONS: usize = 256;

/// Before each measurement, unmeasured.
pub const WARM: Duration = Duration::from_millis(500);

/// The books that the others are copied from.
pub const BASE: &str = "base";

pub struct Bench {
    pub scale: Scale,
    pub stages: Vec<Stage>,
    pub home: PathBuf,
    pub redis: Option<crate::redis::Redis>,
    pub postgres: Option<Rc<Postgres>>,
    pub figures: Figures,
    /// What this run could not show, and why.
    pub skipped: Vec<String>,
}

/// A closed loop to be measured.
pub struct Loop<'a> {
    pub name: &'a str,
    pub server: &'a Server,
    pub postgres: Option<&'a Postgres>,
    pub load: Load,
    /// Unmeasured calls before it.
    pub warm: Arc<Vec<Vec<u8>>>,
}

/// Calls that were answered.
#[derive(Clone, Copy)]
pub struct Answered {
    pub warmed: u32,
    /// The first ones of the load, without a gap.
    pub measured: u32,
}

impl Answered {
    pub fn all(self) -> u32 {
        self.warmed + self.measured
    }
}

impl Bench {
    pub fn new(home: &Path, scale: Scale, stages: Vec<Stage>) -> Self {
        processes::write_profiles(home.join("partners"), &["zalopay"]);
        let mut bench = Self {
            scale,
            stages,
            home: home.to_path_buf(),
            redis: crate::redis::Redis::start(home),
            postgres: None,
            figures: Figures::default(),
            skipped: Vec::new(),
        };
        if bench.redis.is_none() {
            bench.skip("stages with Redis: no redis-server (TEST_REDIS_SERVER names one)");
        }
        bench.make_books();
        bench
    }

    pub fn skip(&mut self, what: &str) {
        println!("SKIPPED {what}");
        self.skipped.push(what.to_owned());
    }

    pub fn has(&self, stages: &[Stage]) -> bool {
        stages.iter().any(|stage| self.stages.contains(stage))
    }

    /// The books with a million invoices, made once through the import and copied for each stage.
    fn make_books(&mut self) {
        let file = self.home.join("invoices.csv");
        crate::import::write_invoices(&file, "B", requests::INVOICES);
        let fill = |setup: Setup, what: &str| {
            let since = Instant::now();
            setup.run(&["migrate"]);
            setup.run(&["invoice", "import", file.to_str().expect("a plain path")]);
            println!("{what}: a million invoices imported in {:.1} s", since.elapsed().as_secs_f64());
        };
        fill(Setup::on_file(&self.home, &self.file(BASE)), "SQLite");
        let on_postgres = [
            Stage::Postgres,
            Stage::Import,
            Stage::Dispatch,
            Stage::GrowthPostgres,
            Stage::Peak,
            Stage::Reconcile,
            Stage::Desk,
        ];
        if !self.has(&on_postgres) {
            return;
        }
        self.postgres = Postgres::start().map(Rc::new);
        let Some(postgres) = &self.postgres else {
            return self
                .skip("stages with PostgreSQL: it is not installed (TEST_POSTGRES_BIN names its programs' folder)");
        };
        postgres.create(BASE);
        fill(Setup::new(&self.home, BASE, postgres.url(BASE)), "PostgreSQL");
        postgres.sql(BASE, "VACUUM ANALYZE");
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.join(format!("{name}.db"))
    }

    /// A copy of some books; none where their store is not installed.
    pub fn copy(&self, store: Store, from: &str, name: &str) -> Option<Books> {
        match store {
            Store::Sqlite => {
                copy_file(&self.file(from), &self.file(name));
                Some(Books::File(self.file(name)))
            }
            Store::Postgres => {
                let postgres = Rc::clone(self.postgres.as_ref()?);
                postgres.copy(from, name);
                Some(Books::Database(postgres, name.to_owned()))
            }
        }
    }

    /// A copy of the usual books in a file.
    pub fn books(&self, name: &str) -> Books {
        self.copy(Store::Sqlite, BASE, name).expect("files are always there")
    }

    /// As many calls as a closed loop can use up, and others that warm it up: of invoices that nobody has, so that the
    /// warm-up uses up none.
    pub fn load(&self, round: u64) -> (Load, Arc<Vec<Vec<u8>>>) {
        let calls = requests::fresh("B", 35_000 * self.scale.closed.as_secs(), round);
        let load = Load { calls: Arc::new(calls), connections: CONNECTIONS, again: false };
        (load, Arc::new(requests::fresh("X", 10_000, 1_000 + round)))
    }

    /// One closed loop after a warm-up.
    pub fn closed(&mut self, it: &Loop<'_>) -> Answered {
        let Loop { name, server, postgres, load, warm } = it;
        let warming = Load { calls: Arc::clone(warm), again: false, ..load.clone() };
        let warmed = driver::closed(server.public, &warming, WARM);
        let database_cpu = || postgres.map_or(0.0, Postgres::cpu_seconds);
        let (cpu, database, stolen) = (server.cpu_seconds(), database_cpu(), machine::stolen_seconds());
        let done: Closed = driver::closed(server.public, load, self.scale.closed);
        assert_eq!(done.refused + warmed.refused, 0, "{name}: calls were refused");
        let thousands = f64::from(done.replies) / 1000.0;
        let (used, database) = ((server.cpu_seconds() - cpu) / thousands, (database_cpu() - database) / thousands);
        let stolen = machine::stolen_seconds() - stolen;
        self.figures.add(&format!("{name} per second"), done.per_second());
        self.figures.add(&format!("{name} CPU s per 1,000"), used);
        if postgres.is_some() {
            self.figures.add(&format!("{name} database CPU s per 1,000"), database);
        }
        self.figures.add(&format!("{name} stolen s"), stolen);
        self.figures.add(&format!("{name} resident"), server.resident_mib().0);
        let of_database = if postgres.is_some() { format!(" + {database:.4} of PostgreSQL") } else { String::new() };
        println!("  {name:<26} {:>8.0}/s  {used:.4}{of_database} CPU s/1,000  stolen {stolen:.2} s", done.per_second(),);
        Answered { warmed: warmed.replies, measured: done.replies }
    }

    /// One open loop; answers how many calls were answered.
    pub fn open(&mut self, name: &str, to: &dyn Way, steady: Steady<'_>) -> u32 {
        let stolen = machine::stolen_seconds();
        let done: Open = driver::open(to, steady);
        assert_eq!(done.refused, 0, "{name}: calls were refused, of {}", done.replies);
        let stolen = machine::stolen_seconds() - stolen;
        for (figure, ms) in [("p50 ms", done.p50_ms), ("p99 ms", done.p99_ms), ("p99.9 ms", done.p999_ms)] {
            self.figures.add(&format!("{name} {figure}"), ms);
        }
        println!(
            "  {name:<26} p50 {:.2} ms  p99 {:.2} ms  p99.9 {:.2} ms  of {} at {}/s  stolen {stolen:.2} s",
            done.p50_ms, done.p99_ms, done.p999_ms, done.replies, steady.rate
        );
        done.replies
    }

    /// Open-loop notices at the usual rate.
    pub fn notices<'a>(&self, calls: &'a [Vec<u8>]) -> Steady<'a> {
        Steady { calls, rate: OPEN_RATE, time: self.scale.open, go_on: &|| true, good: driver::is_taken }
    }
}

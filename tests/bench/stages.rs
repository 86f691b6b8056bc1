//! What there is to be measured, and what of it this run measures.

use std::time::Duration;

/// One thing that is measured, in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Reading,
    Verifying,
    Naive,
    Gateway,
    Redis,
    RedisDown,
    Latency,
    Postgres,
    Slow,
    Import,
    Dispatch,
    Inquiry,
    Growth,
    GrowthPostgres,
    Peak,
    Reconcile,
    Desk,
    Ledger,
}

use Stage::{
    Desk, Dispatch, Gateway, Growth, GrowthPostgres, Import, Inquiry, Latency, Ledger, Naive, Peak, Postgres, Reading,
    Reconcile, Redis, RedisDown, Slow, Verifying,
};

/// In the order of a round, with what each measures.
pub const STAGES: [(Stage, &str, &str); 18] = [
    (Reading, "reading", "a handler that reads the body, at 64 and 256 connections"),
    (Verifying, "verifying", "a handler that also proves and decodes, closed and open loop"),
    (Naive, "naive", "a transaction a notice on SQLite"),
    (Gateway, "gateway", "the gateway on SQLite"),
    (Redis, "redis", "the gateway with Redis: new notices, and duplicates"),
    (RedisDown, "redis-down", "the gateway whose Redis was stopped"),
    (Latency, "latency", "open loop at 2,000/s, alone and during an import"),
    (Postgres, "postgres", "on PostgreSQL: a transaction a notice, the gateway at 64 and 256 connections"),
    (Slow, "slow", "SQLite with every flush 2 ms slower: a transaction a notice, the gateway"),
    (Import, "import", "a file of invoices, alone and through a gateway at 2,000/s, on both stores"),
    (Dispatch, "dispatch", "messages to the core from a backlog, idle and at 2,000/s, on both stores"),
    (Inquiry, "inquiry", "which bills are open, at 1,000/s"),
    (Growth, "growth", "SQLite with 30 million invoices beside one million: notices and bill inquiry"),
    (GrowthPostgres, "growth-postgres", "the same on PostgreSQL"),
    (Peak, "peak", "two instances behind HAProxy at 2,100/s for five minutes"),
    (
        Reconcile,
        "reconcile",
        "a statement of a million lines against a million payments, on both stores, beside two engines",
    ),
    (Desk, "desk", "every page of the finance desk over five million payments and 100,000 open breaks, on both stores"),
    (Ledger, "ledger", "the writer without sockets, for a profiler"),
];

impl Stage {
    pub fn word(self) -> &'static str {
        STAGES.iter().find(|(stage, ..)| *stage == self).map_or("", |(_, word, _)| word)
    }

    /// Takes minutes: only when it is asked for, by name or with everything.
    fn is_long(self) -> bool {
        matches!(self, Growth | GrowthPostgres | Peak | Reconcile | Desk)
    }

    fn is_usual(self) -> bool {
        !self.is_long() && self != Ledger
    }

    /// Measured once and not in each round.
    pub fn is_single(self) -> bool {
        matches!(self, Peak | Reconcile | Desk)
    }
}

/// The stages of this run: `BENCH_ONLY` names them, `BENCH_FULL` adds the long ones to the usual.
pub fn chosen() -> Result<Vec<Stage>, String> {
    let full = std::env::var_os("BENCH_FULL").is_some();
    let Some(only) = std::env::var_os("BENCH_ONLY") else {
        let usual = |stage: &Stage| stage.is_usual() || (full && stage.is_long());
        return Ok(STAGES.iter().map(|(stage, ..)| *stage).filter(usual).collect());
    };
    let only = only.to_string_lossy().into_owned();
    let named: Vec<&str> = only.split(',').map(str::trim).collect();
    for name in &named {
        if !STAGES.iter().any(|(_, word, _)| word == name) {
            let list: Vec<String> = STAGES.iter().map(|(_, word, what)| format!("  {word:<16} {what}")).collect();
            return Err(format!("BENCH_ONLY: {name} is no stage; there are\n{}", list.join("\n")));
        }
    }
    Ok(STAGES.iter().filter(|(_, word, _)| named.contains(word)).map(|(stage, ..)| *stage).collect())
}

/// How long and how often.
#[derive(Clone, Copy)]
pub struct Scale {
    pub rounds: u32,
    pub closed: Duration,
    pub open: Duration,
    /// Invoices in a file that is imported.
    pub imported: u64,
    /// Messages that wait before they are sent.
    pub backlog: u64,
    /// Invoices in the big books.
    pub big: u64,
    pub peak: Duration,
}

/// A number of seconds in the environment.
fn seconds(name: &str) -> Option<Duration> {
    std::env::var_os(name)?.to_str()?.parse().ok().map(Duration::from_secs)
}

impl Scale {
    pub fn of_this_run() -> Self {
        let peak = seconds("BENCH_PEAK_S");
        if std::env::var_os("BENCH_QUICK").is_some() {
            let (closed, open) = (Duration::from_secs(1), Duration::from_secs(1));
            let peak = peak.unwrap_or(Duration::from_secs(10));
            return Self { rounds: 3, closed, open, imported: 100_000, backlog: 5_000, big: 2_000_000, peak };
        }
        Self {
            rounds: 5,
            closed: Duration::from_secs(4),
            open: Duration::from_secs(6),
            imported: 1_000_000,
            backlog: 50_000,
            big: 30_000_000,
            peak: peak.unwrap_or(Duration::from_secs(300)),
        }
    }
}

/// What was not asked for, and what it would have shown.
pub fn not_run(stages: &[Stage]) -> Vec<(&'static str, &'static str)> {
    let left_out = |(stage, ..): &&(Stage, &str, &str)| *stage != Ledger && !stages.contains(stage);
    STAGES.iter().filter(left_out).map(|(_, word, what)| (*word, *what)).collect()
}

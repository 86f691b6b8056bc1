//! What must be reached, and by which figures; only what this run measured is judged. No bar here is ever lowered.

use crate::report::{Ask, Figures, Goal};

/// How a goal's figure comes out of the rounds' figures.
enum From {
    /// The median of the ratios of the same round, times a factor.
    Ratio(&'static str, &'static str, f64),
    Median(&'static str),
    Most(&'static str),
    Least(&'static str),
}

use Ask::{AtLeast, AtMost};
use From::{Least, Median, Most, Ratio};

const fn percent(over: &'static str, under: &'static str) -> From {
    Ratio(over, under, 100.0)
}

const fn times(over: &'static str, under: &'static str) -> From {
    Ratio(over, under, 1.0)
}

#[rustfmt::skip]
const GOALS: &[(&str, From, &str, Ask)] = &[
    ("SQLite, of the reading handler", percent("gateway per second", "reading per second"), "%", AtLeast(38.0)),
    ("SQLite, over the naive program", times("gateway per second", "naive per second"), "x", AtLeast(9.0)),
    ("the same with every flush 2 ms slower", times("gateway, slow disk per second", "naive, slow disk per second"), "x", AtLeast(20.0)),
    ("PostgreSQL, over the naive program on the same server", times("PostgreSQL per second", "naive, PostgreSQL per second"), "x", AtLeast(5.0)),
    ("PostgreSQL, of the reading handler, 64 connections", percent("PostgreSQL per second", "reading per second"), "%", AtLeast(25.0)),
    ("PostgreSQL, of the reading handler, 256 connections", percent("PostgreSQL, 256 per second", "reading, 256 per second"), "%", AtLeast(35.0)),
    ("duplicates with Redis, of the reading handler", percent("duplicates, Redis per second", "reading per second"), "%", AtLeast(75.0)),
    ("duplicates that are answered without the writer", Least("duplicates answered by seen, per cent"), "%", AtLeast(99.0)),
    ("new notices with Redis, of without", percent("gateway, Redis per second", "gateway per second"), "%", AtLeast(90.0)),
    ("new notices with Redis stopped, of without", percent("gateway, Redis stopped per second", "gateway per second"), "%", AtLeast(90.0)),
    ("open loop at 2,000/s, p50", Median("gateway open p50 ms"), "ms", AtMost(2.0)),
    ("open loop at 2,000/s, p99 over the verifying handler's", times("gateway open p99 ms", "verifying open p99 ms"), "x", AtMost(3.0)),
    ("p99 during an import, over without", times("gateway open, import p99 ms", "gateway open p99 ms"), "x", AtMost(3.0)),
    ("bill inquiry p99 over the verifying handler's, HMAC", times("bill inquiry, HMAC p99 ms", "verifying bills, HMAC p99 ms"), "x", AtMost(2.0)),
    ("bill inquiry p99 over the verifying handler's, RSA", times("bill inquiry, RSA p99 ms", "verifying bills, RSA p99 ms"), "x", AtMost(2.0)),
    ("the same over 30 million invoices, HMAC, SQLite", times("bill inquiry of 30 million, SQLite, HMAC p99 ms", "verifying bills, HMAC p99 ms"), "x", AtMost(2.0)),
    ("the same over 30 million invoices, RSA, SQLite", times("bill inquiry of 30 million, SQLite, RSA p99 ms", "verifying bills, RSA p99 ms"), "x", AtMost(2.0)),
    ("the same over 30 million invoices, HMAC, PostgreSQL", times("bill inquiry of 30 million, PostgreSQL, HMAC p99 ms", "verifying bills, HMAC p99 ms"), "x", AtMost(2.0)),
    ("the same over 30 million invoices, RSA, PostgreSQL", times("bill inquiry of 30 million, PostgreSQL, RSA p99 ms", "verifying bills, RSA p99 ms"), "x", AtMost(2.0)),
    ("notices with 30 million invoices, of with 1 million, SQLite", percent("growth, 30 million, SQLite per second", "growth, 1 million, SQLite per second"), "%", AtLeast(85.0)),
    ("notices with 30 million invoices, of with 1 million, PostgreSQL", percent("growth, 30 million, PostgreSQL per second", "growth, 1 million, PostgreSQL per second"), "%", AtLeast(85.0)),
    ("import, SQLite", Median("import, SQLite rows per second"), "row/s", AtLeast(100_000.0)),
    ("import while notices come in, SQLite", Median("import under notices, SQLite rows per second"), "row/s", AtLeast(100_000.0)),
    ("import, PostgreSQL", Median("import, PostgreSQL rows per second"), "row/s", AtLeast(50_000.0)),
    ("import while notices come in, PostgreSQL", Median("import under notices, PostgreSQL rows per second"), "row/s", AtLeast(50_000.0)),
    ("national peak, p99 over the verifying handler's", times("peak, p99 ms", "peak, verifying p99 of both ms"), "x", AtMost(5.0)),
    ("national peak, until the outbox is empty", Median("peak, seconds until the outbox is empty"), "s", AtMost(5.0)),
    ("the slowest page of the finance desk, SQLite", Most("desk, SQLite, slowest page p95 ms"), "ms", AtMost(200.0)),
    ("the slowest page of the finance desk, PostgreSQL", Most("desk, PostgreSQL, slowest page p95 ms"), "ms", AtMost(200.0)),
    ("resident memory, the highest of all rounds", Most("gateway resident MiB, highest"), "MiB", AtMost(64.0)),
];

/// The goals of what was measured.
pub fn of(figures: &Figures) -> Vec<Goal> {
    let judged = |(what, from, unit, ask): &(&'static str, From, &'static str, Ask)| {
        let figure = match from {
            Ratio(over, under, factor) => {
                (figures.has(over) && figures.has(under)).then(|| factor * figures.ratio(over, under))
            }
            Median(name) => figures.has(name).then(|| figures.median(name)),
            Most(name) => figures.has(name).then(|| figures.most(name)),
            Least(name) => figures.has(name).then(|| figures.least(name)),
        };
        Some(Goal { what, figure: figure?, unit, ask: *ask })
    };
    GOALS.iter().filter_map(judged).collect()
}

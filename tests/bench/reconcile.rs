//! A partner's day of a million payments: its statement is taken and compared by the program, on both stores; beside it
//! two engines that do nothing but the join, on the same data as CSV.

use crate::bench::{BASE, Bench};
use crate::books::{Books, Store};
use crate::driver::{self, Load};
use crate::processes::Setup;
use crate::requests::{Chance, INVOICES, Walk};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use thuho::domain::time::{BUSINESS_ZONE, Clock as _, SystemClock};

/// Notices that are sent at once: their calls are kept in memory.
const CHUNK: u64 = 50_000;

/// Of a wallet's statement.
pub const HEADER: &str = "ngay_giao_dich,ma_gd_merchant,ma_gd_zalopay,trang_thai_giao_dich,so_tien_giao_dich,giam_gia_uu_dai,\
                      ngay_xuly_hoantra,so_tien_hoantra\n";

/// The join alone, in the engines that people would take for it. Says how long each took, in milliseconds.
const ENGINES: &str = r#"
import sys, time
statement, payments = sys.argv[1:3]
def said(name, since, rows):
    print(f"{name} {(time.monotonic() - since) * 1000:.0f} {rows}", flush=True)
try:
    import duckdb
    since = time.monotonic()
    rows = duckdb.sql(f"""SELECT count(*) FILTER (s.so_tien_giao_dich = p.amount), count(*) FILTER (s.so_tien_giao_dich <> p.amount),
        count(*) FILTER (p.id IS NULL), count(*) FILTER (s.ma_gd_zalopay IS NULL)
        FROM read_csv('{statement}') s FULL JOIN read_csv('{payments}') p ON s.ma_gd_zalopay = p.id""").fetchall()[0]
    said("duckdb", since, rows)
except ImportError:
    print("duckdb missing")
try:
    import polars as pl
    since = time.monotonic()
    s = pl.scan_csv(statement).select(["ma_gd_zalopay", "so_tien_giao_dich"])
    p = pl.scan_csv(payments)
    j = s.join(p, left_on="ma_gd_zalopay", right_on="id", how="full")
    rows = j.select(
        (pl.col("so_tien_giao_dich") == pl.col("amount")).sum().alias("same"),
        (pl.col("so_tien_giao_dich") != pl.col("amount")).sum().alias("other"),
        pl.col("id").is_null().sum().alias("extra"),
        pl.col("ma_gd_zalopay").is_null().sum().alias("missing"),
    ).collect(engine="streaming").row(0)
    said("polars", since, rows)
except ImportError:
    print("polars missing")
"#;

pub fn run(bench: &mut Bench) {
    let count = if std::env::var_os("BENCH_QUICK").is_some() { 50_000 } else { INVOICES };
    let day = today();
    let mut files = None;
    for store in Store::asked() {
        let Some(books) = bench.copy(store, BASE, "reconcile") else { continue };
        let made = pay(bench, &books, count);
        let (statement, _) = files.insert(made);
        let took = measure(bench, store, (&books, statement), &day);
        println!("{took}");
        books.remove();
    }
    if let Some((statement, payments)) = files {
        engines(bench, &statement, &payments);
    }
}

fn today() -> String {
    let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).expect("the zone is bundled");
    SystemClock.now().day_in(&zone).expect("today is in the calendar").to_string()
}

/// Sends the notices, and writes the statement and our own payments beside it.
fn pay(bench: &Bench, books: &Books, count: u64) -> (PathBuf, PathBuf) {
    let (statement, payments) = (bench.home.join("statement.csv"), bench.home.join("payments.csv"));
    let mut walk = Walk::new("B", INVOICES, 50_000);
    let (mut theirs, mut ours) = (HEADER.to_owned(), "id,amount\n".to_owned());
    let mut chance = Chance(50_001);
    let server = books.setup(&bench.home).start();
    let mut left = count;
    while left > 0 {
        let calls = walk.take(left.min(CHUNK));
        left -= left.min(CHUNK);
        calls.iter().for_each(|call| rows(call, &mut chance, (&mut theirs, &mut ours)));
        let load = Load { calls: Arc::new(calls), connections: 256, again: false };
        let sent = driver::closed(server.public, &load, Duration::from_secs(600));
        assert_eq!(sent.refused, 0, "every notice is taken");
    }
    server.stop();
    fs::write(&statement, theirs).expect("the disk has room");
    fs::write(&payments, ours).expect("the disk has room");
    (statement, payments)
}

/// What a call says, as a row of theirs and of ours: of a thousand, five with another amount, five that only they have and
/// five that only we have.
fn rows(call: &[u8], chance: &mut Chance, (theirs, ours): (&mut String, &mut String)) {
    let text = std::str::from_utf8(call).expect("our own text");
    let field = |name: &str| {
        let begin = text.find(name).expect("the field is there") + name.len();
        let rest = text.get(begin..).unwrap_or("").trim_start_matches(['\\', '"', ':']);
        rest.split(['\\', ',', '}']).next().unwrap_or("").to_owned()
    };
    let (id, order, amount) = (field("zp_trans_id"), field("app_trans_id"), field("amount"));
    let at = jiff::Timestamp::from_millisecond(field("server_time").parse().expect("a moment")).expect("a moment");
    let zone = jiff::tz::TimeZone::get(BUSINESS_ZONE).expect("the zone is bundled");
    let at = at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string();
    writeln!(ours, "{id},{amount}").expect("a text takes it");
    let mut row = |id: &str, amount: &str| {
        writeln!(theirs, "{at},{order},{id},Thành công,{amount},0,,").expect("a text takes it");
    };
    match chance.next() % 1_000 {
        0..5 => row(&id, &format!("{amount}0")),
        5..10 => {}
        10..15 => {
            row(&id, &amount);
            row(&format!("9{id}"), &amount);
        }
        _ => row(&id, &amount),
    }
}

fn measure(bench: &mut Bench, store: Store, (books, statement): (&Books, &Path), day: &str) -> String {
    let setup = books.setup(&bench.home);
    let whose = ["--partner", "zalopay", "--date", day];
    let file = statement.to_str().expect("a plain path");
    let (taken, taking) = measured(&setup, &[&["statement", "import"], &whose[..], &[file]].concat());
    let (json, comparing) = measured(&setup, &[&["reconcile"], &whose[..], &["--format", "json"]].concat());
    let done: serde_json::Value = serde_json::from_str(&json).expect("the program's JSON");
    let part =
        |name: &str| done.pointer(&format!("/took_ms/{name}")).and_then(serde_json::Value::as_f64).expect("a time");
    let after = |word: &str| -> f64 {
        let rest = taken.split(word).nth(1).expect("it says how long");
        rest.split_whitespace().next().and_then(|ms| ms.parse().ok()).expect("milliseconds")
    };
    let (checked, written) = (after("checked in "), after("written in "));
    let whole = taking.seconds + comparing.seconds;
    let word = store.word();
    let count = |name: &str| done.get(name).and_then(serde_json::Value::as_u64).expect("a count");
    for (what, ms) in [
        ("file read", checked),
        ("lines stored", written),
        ("both sides read", part("read")),
        ("compared", part("compared")),
        ("kept", part("kept")),
        ("whole", whole * 1_000.0),
    ] {
        bench.figures.add(&format!("reconcile, {word}, {what} ms"), ms);
    }
    bench.figures.add(&format!("reconcile, {word}, resident MiB, highest"), taking.peak_mib.max(comparing.peak_mib));
    format!(
        "  reconcile, {word}: file read {checked:.0} ms, lines stored {written:.0} ms, both sides read {:.0} ms, compared {:.0} ms, \
         matches and breaks kept {:.0} ms; whole {whole:.1} s; at most {:.0} and {:.0} MiB; {} matched, {} differences",
        part("read"),
        part("compared"),
        part("kept"),
        taking.peak_mib,
        comparing.peak_mib,
        count("matched"),
        count("differences_in_all")
    )
}

/// One run of a command.
struct Run {
    seconds: f64,
    peak_mib: f64,
}

fn measured(setup: &Setup, words: &[&str]) -> (String, Run) {
    let since = Instant::now();
    let mut command = setup.command(words);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the gateway's binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut out = child.stdout.take().expect("it is a pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut out, &mut text).expect("its output is text");
        text
    });
    let mut peak_kib = 0.0_f64;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak_kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak_kib).max(peak_kib);
        if let Some(ended) = child.try_wait().expect("it is ours") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success(), "{words:?}: {ended}");
    let text = reader.join().expect("it reads");
    (text, Run { seconds: since.elapsed().as_secs_f64(), peak_mib: peak_kib / 1024.0 })
}

fn engines(bench: &mut Bench, statement: &Path, payments: &Path) {
    let done = Command::new("python3").args(["-c", ENGINES]).arg(statement).arg(payments).output();
    let said = done.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    for engine in ["duckdb", "polars"] {
        let words = said.lines().find_map(|line| line.strip_prefix(engine)).map(str::trim);
        match words.and_then(|words| words.split(' ').next()?.parse::<f64>().ok()) {
            Some(ms) => {
                println!("  {engine}, the join alone with its CSVs: {ms:.0} ms, {}", words.unwrap_or(""));
                bench.figures.add(&format!("reconcile, {engine} ms"), ms);
            }
            None => bench.skip(&format!("{engine} beside the reconciliation: it is not there (pip install {engine})")),
        }
    }
}

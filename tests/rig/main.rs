//! The rigs: `kill -9` loop and power-cut loop over the real binary, and two instances on one PostgreSQL whose parts all
//! fail, with a checker that shares no code with it. Holds I2, I3, I4, I5, I6 and I7 from outside. Each has a negative
//! control: one deliberate fault with which the same rig must find what it looks for.
//!
//! `cargo test --features fault-injection --test rig -- gate` is what CI runs; `tests/run` calls it.
#![expect(clippy::print_stdout, reason = "a rig's report is its output")]

mod books;
mod chance;
mod core;
mod diary;
mod fleet;
mod gateway;
mod http;
mod judge;
mod load;
mod orders;
mod peace;
mod plan;
mod ports;
mod postgres;
mod power;
mod proxy;
mod redis;
mod run;
mod server_books;
mod several;
mod trace;
mod trouble;
mod wire;

use orders::Rig;
use power::Disk;
use redis::Redis;
use run::{Death, Report, Wish};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "rig gate | several | (kill | power | power-ack | flushes | instances | server | blackout | standby | redis | rolling | mixed) \
                     [--cycles N] [--seed S] [--control]";

/// What is counted for the closing line.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
}

struct Options {
    cycles: Option<u64>,
    seed: u64,
    control: bool,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |flag: &str| {
        let at = words.iter().position(|w| w == flag)?;
        words.get(at + 1)?.parse::<u64>().ok()
    };
    let control = words.iter().any(|w| w == "--control");
    let options = Options { cycles: number("--cycles"), seed: number("--seed").unwrap_or(7), control };
    let mut tally = Tally::default();
    match words.first().map(String::as_str) {
        Some(_) if !cfg!(feature = "fault-injection") => {
            println!(
                "SKIPPED rig: built without the feature fault-injection, so it has no crash points and no control"
            );
            tally.skipped += 1;
        }
        Some("gate") => {
            kill(&Options { cycles: options.cycles.or(Some(60)), seed: options.seed, control: false }, &mut tally);
            kill(&Options { cycles: Some(6), seed: options.seed, control: true }, &mut tally);
            flushes(None, &options, &mut tally);
            flushes(Some("synchronous-normal"), &options, &mut tally);
            power(&Options { cycles: Some(20), seed: options.seed, control: false }, &mut tally);
            power(&Options { cycles: Some(5), seed: options.seed, control: true }, &mut tally);
            let twenty = Options { cycles: Some(20), seed: options.seed, control: true };
            judge(Death::Power, "power-cut loop", Some("ack-failed-flush"), &twenty, &mut tally);
            orders::gate(options.seed, &mut tally);
        }
        Some("several") => orders::gate(options.seed, &mut tally),
        Some("kill") => kill(&options, &mut tally),
        Some("power") => power(&options, &mut tally),
        Some("power-ack") => judge(Death::Power, "power-cut loop", Some("ack-failed-flush"), &options, &mut tally),
        Some("flushes") => flushes(options.control.then_some("synchronous-normal"), &options, &mut tally),
        Some(word) if Rig::named(word).is_some() => {
            Rig::named(word).into_iter().for_each(|rig| orders::run(rig, &options, &mut tally));
        }
        // A plain `cargo test` starts every test target; the rigs take minutes and are started by name.
        _ => {
            println!("SKIPPED rig: not asked for ({USAGE})");
            tally.skipped += 1;
        }
    }
    println!("rig: {} passed, {} failed, {} skipped", tally.passed, tally.failed, tally.skipped);
    if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn kill(options: &Options, tally: &mut Tally) {
    let fault = options.control.then_some("ack-before-commit");
    judge(Death::Kill, "kill -9 loop", fault, options, tally);
}

fn power(options: &Options, tally: &mut Tally) {
    let fault = options.control.then_some("synchronous-normal");
    judge(Death::Power, "power-cut loop", fault, options, tally);
}

fn judge(death: Death, name: &str, fault: Option<&'static str>, options: &Options, tally: &mut Tally) {
    let since = Instant::now();
    let home = home(name, options);
    let cycles = options.cycles.unwrap_or(60);
    let disk = match death {
        Death::Kill => None,
        Death::Power => match Disk::new(&home) {
            Ok(disk) => Some(disk),
            Err(why) => {
                println!(
                    "NOT PROVEN {name}: this machine cannot cut a disk's power ({why}); the order of flushes stands in"
                );
                tally.skipped += 1;
                drop(std::fs::remove_dir_all(&home));
                return;
            }
        },
    };
    let name = fault.map_or_else(|| name.to_owned(), |f| format!("{name}, control {f}"));
    // It outlives every death of the gateway, so it remembers what a broken gateway would have lost.
    let redis = Redis::start(&home);
    let seen = redis.as_ref().map_or_else(|| "memory".to_owned(), |r| r.url.clone());
    let remembering = if redis.is_some() { "a real Redis" } else { "no Redis: TEST_REDIS_SERVER names none" };
    let wish = Wish { death, cycles, seed: options.seed, fault, seen, home: home.clone() };
    let outcome = run::run(&wish, disk);
    println!("{name}: {cycles} cycles, seed {}, {remembering}, {} s", options.seed, since.elapsed().as_secs());
    let good = match outcome {
        Err(why) => {
            println!("    {why}");
            false
        }
        Ok(report) => print(&report, fault.is_some()),
    };
    close(&name, good, &home, tally);
}

/// Every reply comes after a flush; with the flush switched off the same reading finds replies without one.
fn flushes(fault: Option<&'static str>, options: &Options, tally: &mut Tally) {
    let home = home("flushes", &Options { cycles: None, seed: options.seed, control: fault.is_some() });
    let name =
        fault.map_or_else(|| "flush before each reply".to_owned(), |f| format!("flush before each reply, control {f}"));
    match trace::run(&home, fault) {
        Err(why) if why.contains("strace") => {
            println!("SKIPPED {name}: {why}");
            tally.skipped += 1;
            drop(std::fs::remove_dir_all(&home));
        }
        Err(why) => {
            println!("{name}: {why}");
            close(&name, false, &home, tally);
        }
        Ok(trace) => {
            println!("{name}: {} replies, {} of them without a flush before", trace.replies, trace.unflushed);
            let good = trace.replies >= trace::PAYMENTS && (trace.unflushed == 0) == fault.is_none();
            close(&name, good, &home, tally);
        }
    }
}

/// One line and one count; the folder of a failure stays.
fn close(name: &str, good: bool, home: &Path, tally: &mut Tally) {
    if good {
        println!("PASSED {name}");
        tally.passed += 1;
        drop(std::fs::remove_dir_all(home));
    } else {
        for folder in [home.to_path_buf(), home.join("instance-0"), home.join("instance-1")] {
            let log = std::fs::read_to_string(folder.join("gateway.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            lines.iter().skip(lines.len().saturating_sub(15)).for_each(|line| println!("    | {line}"));
        }
        println!("FAILED {name}; its folder: {}", home.display());
        tally.failed += 1;
    }
}

fn print(report: &Report, control: bool) -> bool {
    report.verdict.print();
    let deaths = &report.deaths;
    println!("    killed {} times, power cut {} times, at crash points {:?}", deaths.kills, deaths.cuts, deaths.points);
    if deaths.not_reached > 0 {
        println!("    deaths that did not come: {}", deaths.not_reached);
    }
    if control {
        println!("    a control passes when the loss is found: {} found", report.verdict.lost.len());
        return !report.verdict.lost.is_empty();
    }
    match &report.controls {
        Ok(found) => println!("    the checker found {found} of {found} planted damages"),
        Err(why) => println!("    the checker's own controls: {why}"),
    }
    report.verdict.clean() && report.controls.is_ok() && deaths.not_reached == 0
}

fn home(name: &str, options: &Options) -> PathBuf {
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == ' ').collect();
    let unique = format!("rig-{}-{}-{}-{}", plain.replace(' ', "-"), std::process::id(), options.seed, options.control);
    let home = std::env::temp_dir().join(unique);
    std::fs::create_dir_all(&home).expect("the temporary folder can be written");
    home
}

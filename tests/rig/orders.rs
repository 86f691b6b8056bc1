//! The rigs over several instances on PostgreSQL and Redis: what each asks for, and what it prints.

use crate::judge::LANES;
use crate::postgres;
use crate::power::Disk;
use crate::proxy;
use crate::redis;
use crate::run::CRASH_POINTS;
use crate::several::{self, Report, Waited, Wish};
use crate::trouble::Trouble::{self, *};
use crate::{Options, Tally, close, home};
use std::time::Instant;

/// A rig by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rig {
    /// An instance or both die.
    Instances,
    /// The database server dies.
    Server,
    /// Its power fails, and its disk's.
    Blackout,
    /// The primary dies and its standby is promoted.
    Standby,
    /// Redis dies, forgets, hangs, fails over.
    Redis,
    /// Instances are restarted in order behind HAProxy.
    Rolling,
    /// All of them in one run, for the gate: one wait for dead processes' leases instead of five.
    Mixed,
}

impl Rig {
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "instances" => Self::Instances,
            "server" => Self::Server,
            "blackout" => Self::Blackout,
            "standby" => Self::Standby,
            "redis" => Self::Redis,
            "rolling" => Self::Rolling,
            "mixed" => Self::Mixed,
            _ => return None,
        })
    }

    fn title(self) -> &'static str {
        match self {
            Self::Instances => "several instances, kill -9",
            Self::Server => "several instances, PostgreSQL killed",
            Self::Blackout => "several instances, PostgreSQL loses power",
            Self::Standby => "several instances, standby promoted",
            Self::Redis => "several instances, Redis fails",
            Self::Rolling => "several instances, rolling restarts",
            Self::Mixed => "several instances, everything fails",
        }
    }

    fn troubles(self, control: bool) -> Vec<Trouble> {
        match self {
            // The fault answers before it commits: a death in between is certain to lose something.
            Self::Instances if control => vec![DieAt("before-commit"), KillOne],
            Self::Instances => deaths().collect(),
            Self::Server if control => vec![KillServer, StopServer],
            Self::Server => vec![StopServer, KillServer],
            Self::Blackout => vec![CutPower],
            Self::Standby => vec![Promote],
            Self::Redis | Self::Rolling if control => vec![RestartUntold],
            Self::Redis => vec![FlushRedis, KillRedis, HangRedis, FailRedisOver],
            Self::Rolling => vec![Restart],
            Self::Mixed => mixed(),
        }
    }

    fn cycles(self) -> u64 {
        match self {
            Self::Instances => 36,
            Self::Mixed => u64::try_from(mixed().len()).unwrap_or(0),
            _ => 20,
        }
    }

    /// What must be found when it is done on purpose.
    fn fault(self) -> Option<&'static str> {
        match self {
            Self::Instances => Some("ack-before-commit"),
            Self::Server | Self::Blackout => Some("synchronous-normal"),
            // The control is in what is done, not in the gateway.
            Self::Standby | Self::Redis | Self::Rolling | Self::Mixed => None,
        }
    }

    fn wish(self, options: &Options) -> Wish {
        let control = options.control;
        let standby = match self {
            Self::Standby if control => Some(Waited::No),
            Self::Standby | Self::Mixed => Some(Waited::Yes),
            _ => None,
        };
        Wish {
            troubles: self.troubles(control),
            cycles: options.cycles.unwrap_or(self.cycles()),
            seed: options.seed,
            fault: self.fault().filter(|_| control),
            standby,
            control,
            home: home(self.title(), options),
        }
    }

    /// Why it cannot run here.
    fn missing(self) -> Option<String> {
        let proxy = if self == Self::Rolling { proxy::program().err() } else { None };
        postgres::programs().err().or_else(|| redis::program().err()).or(proxy)
    }
}

/// Each crash point once, and between them one instance or both.
fn deaths() -> impl Iterator<Item = Trouble> {
    let between = [KillOne, KillOne, KillAll].into_iter().cycle();
    CRASH_POINTS.into_iter().map(DieAt).zip(between).flat_map(|(point, other)| [point, other])
}

/// What does not kill an instance comes last: dead ones' leases run out meanwhile. Without HAProxy there is nobody to
/// hide a restart.
fn mixed() -> Vec<Trouble> {
    let last = [StopServer, Promote, KillServer, FlushRedis, KillRedis, HangRedis, FailRedisOver];
    let deaths = CRASH_POINTS.into_iter().map(DieAt).chain([KillOne, KillAll]);
    let restarts = if proxy::program().is_ok() { [Restart; 4].as_slice() } else { &[] };
    deaths.chain(last).chain(restarts.iter().copied()).collect()
}

/// What the gate runs: everything once, and the two controls of what it would lose.
pub fn gate(seed: u64, tally: &mut Tally) {
    if let Err(why) = proxy::program() {
        println!("SKIPPED the rolling restarts in what follows: {why}");
        tally.skipped += 1;
    }
    run(Rig::Mixed, &Options { cycles: None, seed, control: false }, tally);
    run(Rig::Instances, &Options { cycles: None, seed, control: true }, tally);
    run(Rig::Server, &Options { cycles: None, seed, control: true }, tally);
}

/// Runs one and judges it.
pub fn run(rig: Rig, options: &Options, tally: &mut Tally) {
    let since = Instant::now();
    let wish = rig.wish(options);
    let name = match wish.fault {
        Some(fault) => format!("{}, control {fault}", rig.title()),
        None if wish.control => format!("{}, control", rig.title()),
        None => rig.title().to_owned(),
    };
    if let Some(why) = rig.missing() {
        println!("SKIPPED {name}: {why}");
        tally.skipped += 1;
        drop(std::fs::remove_dir_all(&wish.home));
        return;
    }
    let disk = match (rig == Rig::Blackout).then(|| Disk::new(&wish.home)).transpose() {
        Ok(disk) => disk,
        Err(why) => {
            println!("NOT PROVEN {name}: this machine cannot cut a disk's power ({why})");
            tally.skipped += 1;
            drop(std::fs::remove_dir_all(&wish.home));
            return;
        }
    };
    let outcome = several::run(&wish, disk);
    let made = outcome.as_ref().map_or(wish.cycles, |report| report.troubles.values().sum());
    println!("{name}: {made} cycles, seed {}, {} s", wish.seed, since.elapsed().as_secs());
    let good = match outcome {
        Err(why) => {
            println!("    {why}");
            false
        }
        Ok(report) => {
            print(&report);
            if wish.control { is_caught(rig, &report) } else { is_clean(&report) }
        }
    };
    close(&name, good, &wish.home, tally);
}

fn print(report: &Report) {
    report.verdict.print();
    for (trouble, count) in &report.troubles {
        println!("    {trouble}: {count} times");
    }
    if report.not_reached > 0 {
        println!("    crash points not reached: {}", report.not_reached);
    }
    if report.harmless_calls > 0 {
        println!(
            "    calls while nobody may notice: {}, of them failed: {}",
            report.harmless_calls,
            report.failed.len()
        );
        report.failed.iter().take(5).for_each(|why| println!("      - {why}"));
    }
    println!("    repeats that Redis knew: {}", report.hits);
    match &report.audit {
        Ok(()) => println!("    thuho audit: passed"),
        Err(why) => println!("    {why}"),
    }
}

fn is_clean(report: &Report) -> bool {
    match &report.controls {
        Ok(found) => println!("    the checker found {found} of {found} planted damages"),
        Err(why) => println!("    the checker's own controls: {why}"),
    }
    report.verdict.clean()
        && report.controls.is_ok()
        && report.audit.is_ok()
        && report.not_reached == 0
        && report.failed.is_empty()
        && report.hits > 0
        // An instance that took nothing proves nothing.
        && report.verdict.counts.get(LANES).is_some_and(|lanes| *lanes > 1)
}

fn is_caught(rig: Rig, report: &Report) -> bool {
    match rig {
        Rig::Redis | Rig::Rolling => {
            println!("    a control passes when failed calls are found: {} found", report.failed.len());
            !report.failed.is_empty()
        }
        _ => {
            println!("    a control passes when the loss is found: {} found", report.verdict.lost.len());
            !report.verdict.lost.is_empty()
        }
    }
}

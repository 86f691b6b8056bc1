//! One run of the rig: cycles of load and sudden death, then peace, then the verdict.

use crate::books;
use crate::chance::Chance;
use crate::core::Core;
use crate::diary::Diary;
use crate::gateway::{self, Gateway, Setup};
use crate::judge::Verdict;
use crate::load::{CLIENTS, Load};
use crate::peace::{self, Compared};
use crate::plan;
use crate::power::{self, Disk};
use crate::wire;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The named crash points of the gateway, each to be reached.
pub const CRASH_POINTS: [&str; 9] = [
    "before-begin",
    "after-begin",
    "before-commit",
    "after-commit",
    "before-reply",
    "after-lease",
    "before-send",
    "after-send",
    "before-settle",
];
/// Bills in one cycle.
const BILLS: usize = 1_500;
/// Deaths among a hundred that come after a cycle's last call, when only the outbox is at work.
const IDLE_PERCENT: u64 = 10;
/// How long after.
const IDLE_MAX_MS: u64 = 200;
/// Repeats of acknowledged payments at the start of a cycle.
const SAMPLE: usize = 100;
/// A crash point that is not reached in this time is called not reached.
const POINT_MAX: Duration = Duration::from_secs(4);

/// How a cycle ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// `kill -9`, or an abort at a named point.
    Kill,
    /// The disk goes first.
    Power,
}

/// What is asked for.
pub struct Wish {
    pub death: Death,
    pub cycles: u64,
    pub seed: u64,
    pub fault: Option<&'static str>,
    pub seen: String,
    pub home: PathBuf,
}

/// How the deaths came about.
#[derive(Default)]
pub struct Deaths {
    pub kills: u64,
    pub cuts: u64,
    pub points: BTreeMap<&'static str, u64>,
    pub not_reached: u64,
}

/// A finished run.
pub struct Report {
    pub verdict: Verdict,
    pub deaths: Deaths,
    pub controls: Result<usize, String>,
}

struct Run<'a> {
    wish: &'a Wish,
    setup: Setup,
    books: PathBuf,
    disk: Option<Disk>,
    diary: Mutex<Diary>,
    core: Core,
    chance: Chance,
    deaths: Deaths,
}

/// Runs the wish. `Err` is a rig that could not run or a gateway that does not come up again.
pub fn run(wish: &Wish, disk: Option<Disk>) -> Result<Report, String> {
    let core = Core::start(wire::CORE_SECRET, wish.seed, true).map_err(|e| e.to_string())?;
    let books = disk.as_ref().map_or_else(|| wish.home.clone(), |d| d.folder.clone());
    let setup = Setup {
        home: wish.home.clone(),
        store: format!("sqlite://{}/books.db", books.display()),
        core: core.address,
        seen: wish.seen.clone(),
        listen: None,
        ready_ms: 0,
        fault: wish.fault,
    };
    gateway::write_setup(&setup).map_err(|e| format!("the rig's config: {e}"))?;
    let diary = Mutex::new(Diary::open(&wish.home.join("diary")).map_err(|e| e.to_string())?);
    let chance = Chance::of(wish.seed);
    let mut run = Run { wish, setup, books, disk, diary, core, chance, deaths: Deaths::default() };
    for cycle in 0..wish.cycles {
        run.cycle(cycle).map_err(|why| format!("cycle {cycle}: {why}"))?;
    }
    run.peace()?;
    run.verdict()
}

impl Run<'_> {
    /// Repeats first, then fresh payments, then the end.
    fn cycle(&mut self, cycle: u64) -> Result<(), String> {
        let mut point = if self.wish.death == Death::Kill && cycle % 2 == 1 {
            let turn = usize::try_from(cycle / 2).unwrap_or(0);
            CRASH_POINTS.get(turn % CRASH_POINTS.len()).copied()
        } else {
            None
        };
        let nth = 1 + self.chance.below(12);
        let armed = point.map(|name| format!("{name}:{nth}"));
        let mut gateway = Gateway::start(&self.setup, armed.as_deref());
        if let (Some(name), Err(why)) = (point, &gateway)
            && why.contains("SIGABRT")
        {
            // It had messages left to send and met its point before it was ready: a death too.
            *self.deaths.points.entry(name).or_default() += 1;
            point = None;
            gateway = Gateway::start(&self.setup, None);
        }
        let mut gateway = gateway?;
        let first = self.diary.lock().expect("no client panics").payments.len();
        let plan = plan::plan(cycle, BILLS, first, &mut self.chance);
        let lines: Vec<String> = plan.bills.iter().map(plan::Bill::to_json).collect();
        self.import(&gateway, &lines.join("\n"), point.is_some())?;
        let jobs = {
            let mut diary = self.diary.lock().expect("no client panics");
            diary.take_up(plan.payments);
            let mut jobs = diary.unanswered();
            // A control keeps its hands off what was acknowledged, so that the loss stays to be found.
            if self.wish.fault.is_none() {
                jobs.extend(diary.last_taken(SAMPLE));
            }
            jobs.extend(plan.jobs);
            jobs
        };
        let to = [gateway.public.into()];
        let load = Load::once(&to, &self.diary, &jobs);
        // A death is at a call and not at a time: a fast machine would be done before it, and nothing would be at stake.
        let idle = self.chance.percent(IDLE_PERCENT).then(|| Duration::from_millis(self.chance.below(IDLE_MAX_MS)));
        let calls = if idle.is_some() { jobs.len() } else { self.chance.index(jobs.len()) };
        let disk = &mut self.disk;
        let ended = std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let load = &load;
                scope.spawn(move || load.client(number));
            }
            let ended = match point {
                Some(_) => reached(&mut gateway),
                None => {
                    let answered = load.wait_for(calls);
                    std::thread::sleep(idle.unwrap_or_default());
                    answered
                }
            };
            if let Some(disk) = disk {
                disk.cut().expect("the cut was proved to work");
                // Time to answer: a flush that failed must not be one that was done.
                std::thread::sleep(Duration::from_millis(30));
            }
            load.stop();
            gateway.kill();
            ended
        });
        drop(gateway);
        self.count(point, ended);
        self.diary.lock().expect("no client panics").sync().map_err(|e| e.to_string())?;
        self.disk.as_mut().map_or(Ok(()), Disk::remount)
    }

    fn count(&mut self, point: Option<&'static str>, ended: bool) {
        match (point, self.wish.death) {
            _ if !ended => self.deaths.not_reached += 1,
            (Some(name), _) => *self.deaths.points.entry(name).or_default() += 1,
            (None, Death::Kill) => self.deaths.kills += 1,
            (None, Death::Power) => self.deaths.cuts += 1,
        }
    }

    fn import(&self, gateway: &Gateway, lines: &str, may_die: bool) -> Result<(), String> {
        match gateway.ask("PUT", "/api/v1/invoices", "application/x-ndjson", lines.as_bytes()) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("the import says {}: {}", reply.status, reply.text())),
            Err(_) if may_die => Ok(()),
            Err(e) => Err(format!("the import: {e}")),
        }
    }

    /// No more faults. A control needs no core that heard everything: its loss is in the books.
    fn peace(&mut self) -> Result<(), String> {
        let gateway = Gateway::start(&self.setup, None)?;
        peace::say_what_is_unanswered(&[&gateway], &self.diary);
        if self.wish.fault.is_none() {
            peace::drain(&gateway, &self.core)?;
        }
        let status = gateway.stop()?;
        if status.success() { Ok(()) } else { Err(format!("SIGTERM: {status}")) }
    }

    fn verdict(self) -> Result<Report, String> {
        let books = books::read(&self.books.join("books.db"))?;
        let diary = self.diary.into_inner().expect("no client panics");
        let Compared { verdict, controls } =
            peace::compare(&diary, &books, &self.core, power::outages(self.disk.as_ref()));
        Ok(Report { verdict, deaths: self.deaths, controls })
    }
}

/// Waits until the gateway died at its crash point.
fn reached(gateway: &mut Gateway) -> bool {
    let since = Instant::now();
    while since.elapsed() < POINT_MAX {
        if gateway.ended().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

//! One run over several instances: cycles of load and trouble, then peace, then the verdict.

use crate::chance::Chance;
use crate::core::Core;
use crate::diary::Diary;
use crate::fleet::{Common, Fleet};
use crate::gateway;
use crate::http::Reach;
use crate::judge::{self, Books, Said, Verdict};
use crate::load::{CLIENTS, Load};
use crate::peace::{self, Compared};
use crate::plan::{self, Job};
use crate::postgres::Server;
use crate::power::{self, Disk};
use crate::proxy::Proxy;
use crate::redis::Watched;
use crate::server_books;
use crate::trouble::{Trouble, World};
use crate::wire;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

const INSTANCES: usize = 2;
/// Bills in one cycle: what a steady load uses up in about three seconds. When they are used up everything is said again
/// from the beginning.
const BILLS: usize = 4_000;
/// Repeats of acknowledged payments at the start of a cycle.
const SAMPLE: usize = 100;

/// What is asked for.
pub struct Wish {
    /// One a cycle, and from the beginning again.
    pub troubles: Vec<Trouble>,
    /// So many; a control ends with the first that is caught.
    pub cycles: u64,
    pub seed: u64,
    pub fault: Option<&'static str>,
    /// A second server that follows the first: waited for, or for a control not.
    pub standby: Option<Waited>,
    pub control: bool,
    pub home: PathBuf,
}

/// Is the standby waited for?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    Yes,
    No,
}

/// A finished run.
pub struct Report {
    pub verdict: Verdict,
    pub troubles: BTreeMap<Trouble, u64>,
    pub not_reached: u64,
    pub controls: Result<usize, String>,
    pub audit: Result<(), String>,
    /// Calls that failed in cycles whose trouble is nobody's business, and all calls of those.
    pub failed: Vec<String>,
    pub harmless_calls: usize,
    pub hits: u64,
}

struct Run<'a> {
    wish: &'a Wish,
    world: World,
    core: Core,
    diary: Mutex<Diary>,
    chance: Chance,
    troubles: BTreeMap<Trouble, u64>,
    failed: Vec<String>,
    harmless_calls: usize,
    hits: u64,
}

/// Runs the wish. `Err` is a rig that could not run, or an instance or a server that does not come up again.
pub fn run(wish: &Wish, disk: Option<Disk>) -> Result<Report, String> {
    let core = Core::start(wire::CORE_SECRET, wish.seed, true).map_err(|e| e.to_string())?;
    let primary = Server::create(&wish.home, "postgres-one", disk.as_ref().map(|d| d.folder.as_path()))?;
    let mut servers = vec![primary];
    if wish.standby.is_some() {
        let standby =
            servers.iter().map(|primary| primary.follow(&wish.home, "postgres-two")).collect::<Result<Vec<_>, _>>()?;
        servers.extend(standby);
    }
    let redis = Watched::start(&wish.home).ok_or("redis-server does not start")?;
    let hosts: Vec<String> = servers.iter().map(|s| s.address().to_string()).collect();
    let common = Common {
        store: format!("postgres://thuho@{}/books?target_session_attrs=read-write", hosts.join(",")),
        seen: redis.url.clone(),
        core: core.address,
        fault: wish.fault,
        // What the shipped configurations say; nobody looks at readiness without a balancer.
        ready_ms: if wish.proxy() { 3_000 } else { 0 },
    };
    let mut fleet = Fleet::prepare(&wish.home, INSTANCES, &common)?;
    fleet.start_missing()?;
    let proxy = wish.proxy().then(|| Proxy::start(&wish.home, &fleet.listeners())).transpose()?;
    proxy.as_ref().map_or(Ok(()), |p| p.wait_for_all(INSTANCES))?;
    let lagging = wish.standby == Some(Waited::No);
    let world = World { fleet, servers, disk, redis, proxy, lagging, control: wish.control, turn: 0, not_reached: 0 };
    let diary = Mutex::new(Diary::open(&wish.home.join("diary")).map_err(|e| e.to_string())?);
    let chance = Chance::of(wish.seed);
    let (troubles, failed) = (BTreeMap::new(), Vec::new());
    let mut run = Run { wish, world, core, diary, chance, troubles, failed, harmless_calls: 0, hits: 0 };
    for cycle in 0..wish.cycles {
        let trouble = wish.trouble(cycle)?;
        run.cycle(cycle, trouble).map_err(|why| format!("cycle {cycle}, {trouble}: {why}"))?;
        if wish.control && run.has_found_something()? {
            break;
        }
    }
    run.peace()?;
    run.verdict()
}

impl Wish {
    fn proxy(&self) -> bool {
        self.troubles.iter().any(|trouble| trouble.needs_proxy())
    }

    fn trouble(&self, cycle: u64) -> Result<Trouble, String> {
        let turn = usize::try_from(cycle).map_err(|e| e.to_string())? % self.troubles.len().max(1);
        self.troubles.get(turn).copied().ok_or_else(|| "no trouble is asked for".to_owned())
    }
}

impl Run<'_> {
    fn cycle(&mut self, cycle: u64, trouble: Trouble) -> Result<(), String> {
        let first = self.diary.lock().expect("no client panics").payments.len();
        let plan = plan::plan(cycle, BILLS, first, &mut self.chance);
        self.import(&plan.bills)?;
        let jobs: Vec<Job> = {
            let mut diary = self.diary.lock().expect("no client panics");
            diary.take_up(plan.payments);
            let mut jobs = diary.unanswered();
            jobs.extend(diary.last_taken(SAMPLE));
            jobs.extend(plan.jobs);
            jobs
        };
        let before = self.world.redis.hits();
        let reaches: Vec<Reach> = match &self.world.proxy {
            Some(proxy) if trouble.needs_proxy() => vec![proxy.reach.clone()],
            _ => self.world.fleet.reaches(),
        };
        let load = Load::steady(&reaches, &self.diary, &jobs);
        let (world, chance) = (&mut self.world, &mut self.chance);
        std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let load = &load;
                scope.spawn(move || load.client(number));
            }
            let suffered = world.suffer(trouble, chance);
            load.stop();
            suffered
        })?;
        // A Redis that was started again counts from nothing.
        self.hits += self.world.redis.hits().saturating_sub(before);
        *self.troubles.entry(trouble).or_default() += 1;
        if trouble.is_harmless() {
            self.failed.extend(load.failed().into_iter().map(|why| format!("cycle {cycle}, {trouble}: {why}")));
            self.harmless_calls += load.calls();
        }
        self.diary.lock().expect("no client panics").sync().map_err(|e| e.to_string())
    }

    fn import(&self, bills: &[plan::Bill]) -> Result<(), String> {
        let lines: Vec<String> = bills.iter().map(plan::Bill::to_json).collect();
        let running = self.world.fleet.running();
        let gateway = running.first().ok_or("no instance runs")?;
        match gateway.ask("PUT", "/api/v1/invoices", "application/x-ndjson", lines.join("\n").as_bytes()) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("the import says {}: {}", reply.status, reply.text())),
            Err(e) => Err(format!("the import: {e}")),
        }
    }

    /// A control goes on until it is caught: whether the moment of a death is one that loses something is chance.
    fn has_found_something(&self) -> Result<bool, String> {
        let books = self.books()?;
        let diary = self.diary.lock().expect("no client panics");
        let said = Said { diary: &diary, outages: power::outages(self.world.disk.as_ref()) };
        Ok(!self.failed.is_empty() || !judge::judge(&said, &books, &[]).lost.is_empty())
    }

    fn books(&self) -> Result<Books, String> {
        server_books::read(&self.world.servers.first().ok_or("there is no server")?.url())
    }

    /// No more trouble. A control needs no core that heard everything: its loss is in the books.
    fn peace(&mut self) -> Result<(), String> {
        self.world.fleet.start_missing()?;
        let running = self.world.fleet.running();
        peace::say_what_is_unanswered(&running, &self.diary);
        if !self.wish.control {
            peace::drain(running.first().ok_or("no instance runs")?, &self.core)?;
        }
        self.world.fleet.stop_all()
    }

    fn verdict(self) -> Result<Report, String> {
        let books = self.books()?;
        let audit = gateway::audit(self.world.fleet.setup()?);
        let diary = self.diary.into_inner().expect("no client panics");
        let Compared { verdict, controls } =
            peace::compare(&diary, &books, &self.core, power::outages(self.world.disk.as_ref()));
        let (not_reached, hits) = (self.world.not_reached, self.hits);
        let (troubles, failed, harmless_calls) = (self.troubles, self.failed, self.harmless_calls);
        Ok(Report { verdict, troubles, not_reached, controls, audit, failed, harmless_calls, hits })
    }
}

//! One simulated day: instances that share a database and markers, collectors that repeat, contradict and hang up, a
//! billing core that fails, crashes everywhere. It drives the program's own door, profiles and hint, its own batch and
//! outbox transactions; only disk, network and time are made up.

use crate::chance::Chance;
use crate::collectors::Call;
use crate::core::Core;
use crate::faults::{Fault, Faults};
use crate::instance::Instance;
use crate::markers::Markers;
use crate::memory::{CommitFate, Db, MemoryStore};
use crate::speech::{BANK, WALLET};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use thuho::domain::ids::{EventKey, PartnerCode};
use thuho::domain::notice::{Content, Notice};
use thuho::domain::time::{ManualClock, Timestamp};
use thuho::store::{RouteState, Store, StoreError};
use tokio::runtime::Runtime;

/// A deliberate mistake in the gateway: the simulator must find each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// The database says yes before it is durable.
    AckBeforeCommit,
    /// Each attempt has a key of its own.
    RandomKey,
    /// A marker is written before its commit.
    MarkerBeforeCommit,
    /// A marker counts whatever the database knows.
    MarkersTrusted,
    /// A marker counts whatever the call says.
    ContentIgnored,
    /// The door is answered before the batch is written.
    AnswersEarly,
    /// A payment is booked for a bank that does not wait for it any more.
    BooksForNobody,
    /// A bank that asks before it debits hears the words for a wallet, which has the money already.
    WalletsWords,
}

type Acked = BTreeMap<EventKey, Content>;

pub struct World {
    pub chance: Chance,
    pub faults: Faults,
    pub trace: Option<Vec<String>>,
    /// The time of day, which may go back; changed by [`World::pass`] and [`World::set_back`].
    pub now: i64,
    pub clock: Arc<ManualClock>,
    /// Milliseconds that have passed, which never go back.
    pub passed: Arc<AtomicU64>,
    pub db: MemoryStore,
    pub instances: Vec<Instance>,
    pub core: Core,
    /// Every notice a collector ever said.
    pub said: Vec<Notice>,
    /// Payments whose reversal was said and they not yet.
    pub unsaid: Vec<Notice>,
    /// Every call of a partner that came to a door.
    pub sent: Vec<Call>,
    /// What collectors were told is taken.
    pub acked: Acked,
    pub next_event: u32,
    pub next_version: i64,
    /// The highest total each invoice ever had.
    pub highest: BTreeMap<String, i64>,
    pub mistake: Mistake,
    pub markers: Arc<Markers>,
    snapshot: Option<(Db, Acked)>,
    pub next_token: u64,
    pub next_generation: u64,
    pub healed: bool,
    /// Timers hang on it; it never runs.
    pub runtime: Runtime,
}

pub const START_MS: i64 = 1_768_453_200_000;

impl World {
    pub fn new(seed: u64, mistake: Mistake, traced: bool) -> Self {
        let mut chance = Chance::new(seed);
        let instances = 1 + chance.below(3);
        let mut world = Self {
            chance,
            faults: Faults::default(),
            trace: traced.then(Vec::new),
            now: START_MS,
            clock: Arc::new(ManualClock::at(Timestamp::from_unix_ms(START_MS))),
            passed: Arc::default(),
            db: MemoryStore::new(0),
            instances: Vec::new(),
            core: Core::default(),
            said: Vec::new(),
            unsaid: Vec::new(),
            sent: Vec::new(),
            acked: BTreeMap::new(),
            next_event: 1,
            next_version: 1,
            highest: BTreeMap::new(),
            mistake,
            markers: Arc::default(),
            snapshot: None,
            next_token: 1,
            next_generation: 1,
            healed: false,
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
        };
        for n in 0..instances {
            let started = world.start(u32::try_from(n).unwrap() + 1);
            world.instances.push(started);
        }
        world
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    /// Time passes, by every clock.
    pub fn pass(&mut self, ms: i64) {
        self.now += ms;
        self.clock.set(Timestamp::from_unix_ms(self.now));
        self.passed.fetch_add(u64::try_from(ms).unwrap(), Ordering::Relaxed);
    }

    /// Somebody sets the time of day back.
    fn set_back(&mut self, ms: i64) {
        self.now -= ms;
        self.clock.set(Timestamp::from_unix_ms(self.now));
    }

    pub fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..52 => self.deliver_some(),
            52..58 => {
                let i = self.chance.below(self.instances.len());
                self.write(i)
            }
            58..65 => self.import(),
            65..83 => self.outbox(),
            83..86 => {
                self.move_clock();
                Ok(())
            }
            86..88 => {
                let i = self.chance.below(self.instances.len());
                self.restart(i);
                Ok(())
            }
            88..92 => {
                self.trouble_markers();
                Ok(())
            }
            92..94 => self.person(),
            94..96 => self.pause(),
            96 => self.redo(),
            97 => self.flush_repeats(),
            _ => {
                self.backup();
                Ok(())
            }
        }
    }

    fn move_clock(&mut self) {
        if self.chance.once_in(3) {
            self.faults.hit(Fault::ClockBack);
            self.set_back(600_000);
        } else {
            self.faults.hit(Fault::ClockForward);
            let ms = i64::try_from(self.chance.below(120_000)).unwrap();
            self.pass(ms);
        }
    }

    fn trouble_markers(&mut self) {
        match self.chance.below(4) {
            0 => {
                self.faults.hit(Fault::MarkersGone);
                self.markers.forget();
            }
            1 => {
                self.faults.hit(Fault::MarkersStale);
                self.markers.bring_back();
            }
            2 => self.markers.keep(),
            _ => self.markers.set_down(!self.markers.is_down()),
        }
    }

    /// A backup is taken, or an older one comes back under a Redis and a core that remember.
    fn backup(&mut self) {
        if self.snapshot.is_none() || !self.chance.once_in(6) {
            self.snapshot = Some((self.db.db().clone(), self.acked.clone()));
        } else if let Some((db, acked)) = self.snapshot.clone() {
            self.faults.hit(Fault::OlderDatabase);
            self.note(|| "an older database is restored".to_owned());
            *self.db.db() = db;
            self.acked = acked;
            self.core.restored = true;
            for i in 0..self.instances.len() {
                self.restart(i);
            }
        }
    }

    /// Ops pause a partner at one instance, or resume it; the others learn of it when they start.
    fn pause(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        let partner = PartnerCode::parse(*self.chance.pick(&[WALLET, BANK])).unwrap();
        let paused = self.chance.once_in(3);
        self.note(|| format!("{partner} is paused: {paused}"));
        self.set_paused(i, &partner, paused)
    }

    fn set_paused(&mut self, i: usize, partner: &PartnerCode, paused: bool) -> Result<(), String> {
        let at = Timestamp::from_unix_ms(self.now);
        let mut all = Vec::new();
        self.db
            .transact(&mut |tx| {
                tx.set_partner_paused(partner, paused, at)?;
                all = tx.paused_partners()?;
                Ok(())
            })
            .map_err(|e| e.to_string())?;
        self.instances[i].intake().set_paused(all);
        Ok(())
    }

    pub fn fate(&mut self) -> CommitFate {
        if self.healed {
            return CommitFate::Works;
        }
        let (fault, fate) = match self.chance.below(40) {
            0 => (Fault::DiskFull, CommitFate::Full),
            1 => (Fault::DiskBroken, CommitFate::Broken),
            2 => (Fault::Contended, CommitFate::Contended),
            3 => (Fault::StatementRefused, CommitFate::Fault),
            4 => (Fault::UnknownApplied, CommitFate::UnknownApplied),
            5 => (Fault::UnknownLost, CommitFate::UnknownLost),
            6 => (Fault::CrashBeforeCommit, CommitFate::DiesBefore),
            7 => (Fault::CrashAfterCommit, CommitFate::DiesAfter),
            8 => (Fault::PanicWhileDeciding, CommitFate::Panics),
            9 if self.mistake == Mistake::AckBeforeCommit => return CommitFate::Lies,
            _ => return CommitFate::Works,
        };
        self.faults.meet(fault, fate)
    }

    /// Everything works again, collectors say all once more, people send parked messages again, the outbox drains.
    pub fn heal(&mut self) -> Result<(), String> {
        self.note(|| "everything heals".to_owned());
        self.healed = true;
        self.core.healed = true;
        self.markers.set_down(false);
        for i in 0..self.instances.len() {
            for partner in [WALLET, BANK] {
                self.set_paused(i, &PartnerCode::parse(partner).unwrap(), false)?;
            }
            // Whoever still waits hears nothing, and says it again below.
            self.restart(i);
        }
        self.pass(24 * 3_600_000);
        let late = std::mem::take(&mut self.unsaid);
        self.said.extend(late);
        for notice in self.said.clone() {
            let i = self.chance.below(self.instances.len());
            let call = self.say(notice);
            self.send(i, call)?;
            self.write(i)?;
        }
        self.db.transact(&mut |tx| tx.set_route(&RouteState::default())).map_err(|e: StoreError| e.to_string())?;
        for _ in 0..500 {
            self.person()?;
            self.outbox()?;
            self.pass(60_000);
            let open = |m: &crate::memory::Message| {
                !matches!(m.state, thuho::domain::dispatch::DispatchState::Delivered { .. })
            };
            if !self.db.db().messages.iter().any(open) {
                return Ok(());
            }
        }
        Err("the outbox does not drain".to_owned())
    }
}

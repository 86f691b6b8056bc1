//! One simulated day: instances that share a database and markers, collectors that repeat, contradict and lose
//! replies, a billing core that fails, crashes everywhere. It drives the program's own batch (`run_batch`), its own
//! outbox transactions and its own judgement of markers; only disk, network and time are made up.

use crate::chance::Chance;
use crate::core::Core;
use crate::faults::{Fault, Faults};
use crate::memory::{CommitFate, Db, MemoryStore};
use std::collections::BTreeMap;
use thuho::domain::dispatch::LeasedDispatch;
use thuho::domain::ids::{EventKey, Generation, PostingNo};
use thuho::domain::notice::{Content, Notice};
use thuho::domain::outcome::Outcome;
use thuho::domain::time::Timestamp;
use thuho::ledger::writer::{Health, Lane, run_batch};
use thuho::ledger::{self, Moment};
use thuho::outbox::classify::Heard;
use thuho::outbox::desk::{Attempted, Take, Waits, exchange};
use thuho::seen::Generations;
use thuho::store::{DispatchCommand, RouteState, Store, StoreError};

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
}

/// One running gateway.
pub struct Instance {
    pub store: MemoryStore,
    pub lane: Lane,
    pub generations: Generations,
    holding: Vec<(LeasedDispatch, Option<Heard>)>,
}

/// What lies in Redis.
#[derive(Clone)]
struct Mark {
    generation: Generation,
    posting: PostingNo,
    content: Content,
}

type Acked = BTreeMap<EventKey, Content>;

pub struct World {
    pub chance: Chance,
    pub faults: Faults,
    pub trace: Option<Vec<String>>,
    pub now: i64,
    pub db: MemoryStore,
    pub instances: Vec<Instance>,
    pub core: Core,
    /// Every notice a collector ever said.
    pub said: Vec<Notice>,
    /// Payments whose reversal was said and they not yet.
    pub unsaid: Vec<Notice>,
    /// What collectors were told is taken.
    pub acked: Acked,
    pub next_event: u32,
    pub next_version: i64,
    /// The highest total each invoice ever had.
    pub highest: BTreeMap<String, i64>,
    mistake: Mistake,
    markers: BTreeMap<EventKey, Mark>,
    older_markers: BTreeMap<EventKey, Mark>,
    markers_up: bool,
    snapshot: Option<(Db, Acked)>,
    next_token: u64,
    next_generation: u64,
    pub healed: bool,
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
            db: MemoryStore::new(0),
            instances: Vec::new(),
            core: Core::default(),
            said: Vec::new(),
            unsaid: Vec::new(),
            acked: BTreeMap::new(),
            next_event: 1,
            next_version: 1,
            highest: BTreeMap::new(),
            mistake,
            markers: BTreeMap::new(),
            older_markers: BTreeMap::new(),
            markers_up: true,
            snapshot: None,
            next_token: 1,
            next_generation: 1,
            healed: false,
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

    pub fn moment(&self) -> Moment {
        Moment { now: Timestamp::from_unix_ms(self.now), today: crate::collectors::TODAY }
    }

    fn start(&mut self, lane: u32) -> Instance {
        let generation = Generation(self.next_generation);
        self.next_generation += 1;
        let known: Vec<_> = self.db.db().generations.iter().map(|(g, n)| (*g, *n)).collect();
        Instance {
            store: self.db.beside(lane),
            lane: Lane::new(lane, generation),
            generations: Generations::new(generation, known),
            holding: Vec::new(),
        }
    }

    /// The process of an instance ends and starts again.
    fn restart(&mut self, i: usize) {
        if !self.instances[i].holding.is_empty() {
            self.faults.hit(Fault::CrashWhileSending);
        }
        let lane = self.instances[i].store.lane;
        let started = self.start(lane);
        self.instances[i] = started;
        self.note(|| format!("instance {i} starts again"));
    }

    pub fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..58 => self.deliver_some(),
            58..66 => self.import(),
            66..86 => self.outbox(),
            86..89 => {
                self.move_clock();
                Ok(())
            }
            89..91 => {
                let i = self.chance.below(self.instances.len());
                self.restart(i);
                Ok(())
            }
            91..95 => {
                self.trouble_markers();
                Ok(())
            }
            95..97 => self.person(),
            _ => {
                self.backup();
                Ok(())
            }
        }
    }

    fn move_clock(&mut self) {
        if self.chance.once_in(3) {
            self.faults.hit(Fault::ClockBack);
            self.now -= 600_000;
        } else {
            self.faults.hit(Fault::ClockForward);
            self.now += i64::try_from(self.chance.below(120_000)).unwrap();
        }
    }

    fn trouble_markers(&mut self) {
        match self.chance.below(4) {
            0 => {
                self.faults.hit(Fault::MarkersGone);
                self.markers.clear();
            }
            1 => {
                self.faults.hit(Fault::MarkersStale);
                std::mem::swap(&mut self.markers, &mut self.older_markers);
            }
            2 => self.older_markers = self.markers.clone(),
            _ => self.markers_up = !self.markers_up,
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

    /// A person looks at what is parked and sends it again.
    fn person(&mut self) -> Result<(), String> {
        let parked: Vec<_> = {
            let db = self.db.db();
            let is_parked =
                |m: &&crate::memory::Message| matches!(m.state, thuho::domain::dispatch::DispatchState::Parked { .. });
            db.messages.iter().filter(is_parked).map(|m| m.dispatch.key.clone()).collect()
        };
        let at = Timestamp::from_unix_ms(self.now);
        self.db
            .transact(&mut |tx| {
                for key in &parked {
                    tx.command(key, &DispatchCommand::Retry, at)?;
                }
                Ok(())
            })
            .map_err(|e| e.to_string())
    }

    fn fate(&mut self) -> CommitFate {
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
            8 if self.mistake == Mistake::AckBeforeCommit => return CommitFate::Lies,
            _ => return CommitFate::Works,
        };
        self.faults.meet(fault, fate)
    }

    /// A batch of calls at one instance, from recall to reply.
    pub fn deliver(&mut self, i: usize, calls: Vec<(Option<Notice>, ledger::Arrival)>) -> Result<(), String> {
        let mut batch = Vec::new();
        let mut notices = Vec::new();
        for (notice, arrival) in calls {
            match &notice {
                Some(notice) if self.recall(i, notice) => {
                    self.note(|| format!("{} -> duplicate, by its marker", notice.event));
                    self.answered(notice, Outcome::Duplicate)?;
                }
                _ => {
                    notices.push(notice);
                    batch.push(arrival);
                }
            }
        }
        if batch.len() > 1 {
            self.faults.hit(Fault::QueuedTogether);
        }
        let fate = self.fate();
        if self.mistake == Mistake::MarkerBeforeCommit {
            self.mark_early(i, &notices);
        }
        let moment = self.moment();
        let instance = &mut self.instances[i];
        instance.store.next_commit(fate);
        let end = run_batch(&mut instance.store, &mut instance.lane, moment, &batch, &mut |_n, _posted| {});
        instance.store.next_commit(CommitFate::Works);
        if let Some(last) = end.last {
            instance.generations.advance(instance.lane.generation, last);
        }
        if matches!(fate, CommitFate::DiesBefore | CommitFate::DiesAfter) {
            self.note(|| format!("instance {i} dies: {fate:?}"));
            self.restart(i);
            return Ok(());
        }
        for ((notice, arrival), posted) in notices.iter().zip(&batch).zip(&end.answers) {
            let outcome = posted.answer.outcome;
            self.note(|| format!("{} -> {outcome} ({fate:?})", crate::collectors::name(arrival)));
            if !self.healed && self.chance.once_in(12) {
                self.faults.hit(Fault::ReplyLost);
                continue;
            }
            match notice {
                Some(notice) => self.answered(notice, outcome)?,
                None => self.answered_unread(arrival, outcome)?,
            }
            if let Some(marker) = &posted.marker {
                self.remember(i, marker);
            }
        }
        if end.health == Health::Broken {
            self.restart(i);
        }
        Ok(())
    }

    fn recall(&mut self, i: usize, notice: &Notice) -> bool {
        let found = notice.key().filter(|_| self.markers_up).and_then(|key| self.markers.get(&key));
        let Some(mark) = found.filter(|mark| mark.content == notice.content()) else {
            return false;
        };
        let covered = self.instances[i].generations.covers(mark.generation, mark.posting);
        self.faults.hit(if covered { Fault::MarkerAnswered } else { Fault::MarkerNotTrusted });
        covered || self.mistake == Mistake::MarkersTrusted
    }

    fn remember(&mut self, i: usize, marker: &thuho::seen::Marker) {
        if !self.markers_up {
            self.faults.hit(Fault::MarkersRefused);
            return;
        }
        let generation = self.instances[i].lane.generation;
        let mark = Mark { generation, posting: marker.posting, content: marker.content.clone() };
        self.markers.insert(marker.key, mark);
    }

    fn mark_early(&mut self, i: usize, notices: &[Option<Notice>]) {
        let generation = self.instances[i].lane.generation;
        let next = self.db.db().postings.last().map_or(1, |p| p.no.0 + 1);
        for notice in notices.iter().flatten() {
            if let Some(key) = notice.key() {
                let mark = Mark { generation, posting: PostingNo(next), content: notice.content() };
                self.markers.insert(key, mark);
            }
        }
    }

    fn outbox(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        if self.instances[i].holding.is_empty() || self.chance.once_in(4) {
            return self.take(i);
        }
        let mut holding = std::mem::take(&mut self.instances[i].holding);
        for (message, heard) in holding.iter_mut().filter(|(_, heard)| heard.is_none()) {
            let key = match self.mistake {
                Mistake::RandomKey => format!("{}-{}", message.key, self.chance.next()),
                _ => message.key.to_string(),
            };
            *heard = Some(self.core.hear(&key, message, &mut self.chance, &mut self.faults)?);
            self.note(|| format!("core hears {key}: {heard:?}"));
        }
        // Between the core's yes and its row: the place where a second gateway or a crash steps in.
        if !self.healed && self.chance.once_in(8) {
            self.instances[i].holding = holding;
            self.now += 40_000;
            return Ok(());
        }
        self.put(i, &holding)
    }

    fn put(&mut self, i: usize, holding: &[(LeasedDispatch, Option<Heard>)]) -> Result<(), String> {
        let at = Timestamp::from_unix_ms(self.now);
        let attempts: Vec<Attempted> = holding
            .iter()
            .map(|(message, heard)| Attempted {
                message: message.clone(),
                heard: heard.clone(),
                probe: false,
                at,
                random: self.chance.next(),
            })
            .collect();
        let fate = self.fate();
        self.exchange(i, fate, &attempts, None)
    }

    fn take(&mut self, i: usize) -> Result<(), String> {
        let tokens = [self.next_token, self.next_token + 1].map(thuho::domain::dispatch::LeaseToken);
        self.next_token += 2;
        let now = Timestamp::from_unix_ms(self.now);
        let fate = self.fate();
        let request = Take { now, lease_ms: 30_000, fast: 2, normal: 4, tokens };
        self.exchange(i, fate, &[], Some(&request))
    }

    fn exchange(&mut self, i: usize, fate: CommitFate, put: &[Attempted], take: Option<&Take>) -> Result<(), String> {
        let instance = &mut self.instances[i];
        instance.store.next_commit(fate);
        let done = exchange(&mut instance.store, put, take, &Waits::default());
        instance.store.next_commit(CommitFate::Works);
        match done {
            Ok((written, taken)) => {
                if written.lost > 0 {
                    self.faults.hit(Fault::LeaseLost);
                }
                self.instances[i].holding.extend(taken.messages.into_iter().map(|message| (message, None)));
            }
            Err(error) if matches!(fate, CommitFate::Works) => return Err(format!("the outbox fails: {error}")),
            Err(_) if matches!(fate, CommitFate::DiesBefore | CommitFate::DiesAfter | CommitFate::Broken) => {
                self.restart(i);
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Everything works again, collectors say all once more, people send parked messages again, the outbox drains.
    pub fn heal(&mut self) -> Result<(), String> {
        self.note(|| "everything heals".to_owned());
        self.healed = true;
        self.core.healed = true;
        self.markers_up = true;
        self.now += 24 * 3_600_000;
        let late = std::mem::take(&mut self.unsaid);
        self.said.extend(late);
        for notice in self.said.clone() {
            let arrival = crate::collectors::arrival(&notice);
            let i = self.chance.below(self.instances.len());
            self.deliver(i, vec![(Some(notice), arrival)])?;
        }
        self.db.transact(&mut |tx| tx.set_route(&RouteState::default())).map_err(|e: StoreError| e.to_string())?;
        for _ in 0..500 {
            self.person()?;
            self.outbox()?;
            self.now += 60_000;
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

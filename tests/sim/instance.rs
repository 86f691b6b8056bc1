//! One running gateway of a simulated day: the program's own intake, door and hint over a queue, and a lane of its own
//! in the database that all of them share.

use crate::bills::TODAY;
use crate::delivery::Flight;
use crate::faults::Fault;
use crate::memory::MemoryStore;
use crate::queue::SimQueue;
use crate::speech::speech;
use crate::world::{Mistake, World};
use std::sync::Arc;
use thuho::domain::dispatch::LeasedDispatch;
use thuho::domain::ids::{Generation, PostingNo};
use thuho::domain::notice::Notice;
use thuho::domain::secret::Secret;
use thuho::domain::time::{Clock, Timestamp};
use thuho::intake::limits::Rates;
use thuho::intake::{Door, Intake, IntakeOptions};
use thuho::ledger::writer::Lane;
use thuho::ledger::{Moment, Queue};
use thuho::outbox::classify::Heard;
use thuho::seen::{Generations, Seen, SeenWorker, SharedMarkers};
use thuho::store::rows::EventState;

/// One running gateway.
pub struct Instance {
    /// Before the queue: a call that ends must find what it waits for.
    pub flights: Vec<Flight>,
    /// Payments of banks that nobody waits for any more, and what the books said of each.
    pub gone: Vec<(Notice, Option<EventState>)>,
    pub door: Door,
    pub seen: SeenWorker,
    pub queue: Arc<SimQueue>,
    pub store: MemoryStore,
    pub lane: Lane,
    pub holding: Vec<(LeasedDispatch, Option<Heard>)>,
}

impl Instance {
    pub fn intake(&self) -> &Arc<Intake> {
        self.door.intake()
    }
}

fn options() -> IntakeOptions {
    let rates = Rates { peer_per_second: 1, peer_burst: 1, total_per_second: 1, total_burst: 1, peers_max: 1 };
    IntakeOptions { rates, quarantine: 4, quarantine_per_peer: 1_000, stale_alarm: 3 }
}

impl World {
    pub fn moment(&self) -> Moment {
        Moment { now: Timestamp::from_unix_ms(self.now), today: TODAY }
    }

    pub fn start(&mut self, lane: u32) -> Instance {
        let generation = Generation(self.next_generation);
        self.next_generation += 1;
        let mut known: Vec<_> = self.db.db().generations.iter().map(|(g, n)| (*g, *n)).collect();
        if self.mistake == Mistake::MarkersTrusted {
            known = (0..self.next_generation + 100).map(|g| (Generation(g), PostingNo(i64::MAX))).collect();
        }
        let generations = Arc::new(Generations::new(generation, known));
        if self.mistake == Mistake::MarkersTrusted {
            generations.advance(generation, PostingNo(i64::MAX));
        }
        let markers: Arc<dyn SharedMarkers> = self.markers.clone();
        let seen = Seen::over(markers, &Secret::new(b"the same on all instances".to_vec()), generations);
        let queue = SimQueue::new(Arc::clone(&self.passed), self.mistake);
        let (to, clock): (Arc<dyn Queue>, Arc<dyn Clock>) = (queue.clone(), self.clock.clone());
        let intake = Intake::new(speech().partners(), to, Arc::clone(&seen), clock, &options());
        intake.set_paused(self.db.db().paused.iter().cloned());
        Instance {
            flights: Vec::new(),
            gone: Vec::new(),
            door: intake.door(),
            seen: seen.worker(),
            queue,
            store: self.db.beside(lane),
            lane: Lane::new(lane, generation),
            holding: Vec::new(),
        }
    }

    /// The process of an instance ends and starts again: whoever waits hears nothing.
    pub fn restart(&mut self, i: usize) {
        if !self.instances[i].holding.is_empty() {
            self.faults.hit(Fault::CrashWhileSending);
        }
        if !self.instances[i].flights.is_empty() {
            self.faults.hit(Fault::CrashWhileQueued);
        }
        let lane = self.instances[i].store.lane;
        let started = self.start(lane);
        self.instances[i] = started;
        self.note(|| format!("instance {i} starts again"));
    }
}

//! The loop that forwards: take what is due, send it outside any transaction, write down what was heard, many at a
//! time. Decides nothing itself: what an answer means is [`super::classify`]'s, what is written is [`super::desk`]'s.
//! Keeps I6 and I10: bounded flights in two lanes, each with a capacity of its own, so neither starves the other;
//! a lease always outlives the send.

use super::classify::Heard;
use super::core_client::Core;
use super::desk::{Attempted, Desk, DeskError, Take, Taken, Waits, Written};
use crate::domain::dispatch::{LeaseToken, LeasedDispatch};
use crate::domain::time::{Clock, Timestamp};
use crate::ledger::crash;
use crate::store::StoreError;
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};

/// Chance: a new random number at each call.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a lease lasts beyond the send's time limit: the wait for the writer before and after it.
const LEASE_MARGIN_MS: i64 = 30_000;

/// How long the loop rests when the store refused a transaction.
const STORE_REST: Duration = Duration::from_secs(1);

/// The most results that wait to be written: beyond it nothing new is taken.
const UNWRITTEN_MAX: usize = 1_024;

/// How the forwarder works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForwarderOptions {
    /// Flights at once, of any kind.
    pub normal: u32,
    /// Flights at once besides, of overdue invoices only.
    pub fast: u32,
    /// The time limit of one send: that of the core's client, in milliseconds.
    pub timeout_ms: u64,
    /// How long it rests, in milliseconds, when nothing is due and nobody wakes it.
    pub poll_ms: u64,
    /// How long it gathers results before it writes them: each write waits for the disk, in front of the intake.
    pub gather_ms: u64,
    /// How long flights may take to land when the gateway stops, in milliseconds.
    pub drain_ms: u64,
    /// When to try again.
    pub waits: Waits,
}

impl Default for ForwarderOptions {
    fn default() -> Self {
        Self {
            normal: 64,
            fast: 16,
            timeout_ms: 10_000,
            poll_ms: 1_000,
            gather_ms: 25,
            drain_ms: 5_000,
            waits: Waits::default(),
        }
    }
}

/// Wakes the forwarder after a commit that queued something. Never blocks, may be called at any rate.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Notify>);

impl Waker {
    /// There may be something to send.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Forwards messages to the core.
pub struct Forwarder {
    desk: Arc<dyn Desk>,
    core: Arc<dyn Core>,
    clock: Arc<dyn Clock>,
    random: Random,
    options: ForwarderOptions,
    waker: Waker,
    width: Width,
}

/// What one round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// How many messages were taken.
    pub taken: usize,
    /// What became of them.
    pub written: Written,
}

impl Forwarder {
    /// Puts the parts together; starts nothing.
    #[must_use]
    pub fn new(desk: Arc<dyn Desk>, core: Arc<dyn Core>, clock: Arc<dyn Clock>, options: ForwarderOptions) -> Self {
        Self {
            desk,
            core,
            clock,
            random: Arc::new(system_random),
            options,
            waker: Waker::default(),
            width: Width(AtomicU32::new(u32::MAX)),
        }
    }

    /// With other chance than the machine's, for a run that repeats.
    #[must_use]
    pub fn with_random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// The handle that wakes it.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Takes what is due once, sends it, waits for all of it and writes it down.
    ///
    /// # Errors
    /// The store's. What was sent and not written is sent again when its lease is over, under the same key.
    pub async fn forward_once(&self) -> Result<Round, DeskError> {
        let take = self.take_for(0, 0);
        let (_, taken) = self.desk.exchange(Vec::new(), Some(take.clone()), self.options.waits).await?;
        let count = taken.messages.len();
        let mut flights = Flights::default();
        self.launch(&mut flights, taken, &take);
        let mut landed = Vec::new();
        while let Some(attempted) = flights.land(&*self.clock, &self.random).await {
            landed.push(attempted);
        }
        crash::point("before-settle");
        let (written, _) = self.desk.exchange(landed, None, self.options.waits).await?;
        self.note(&written);
        Ok(Round { taken: count, written })
    }

    /// Forwards until `stop` is done, then lands what flies, gives back what does not land in time, and returns.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut flights = Flights::default();
        let mut landed: Vec<Attempted> = Vec::new();
        let mut paused = false;
        loop {
            let take = self.take_for(flights.count(true), flights.count(false));
            let room = take.fast + take.normal > 0 && landed.len() < UNWRITTEN_MAX;
            let wanted = room.then(|| take.clone());
            match self.write(&mut landed, wanted).await {
                Ok(taken) => {
                    paused = if room { taken.paused.is_some() } else { paused };
                    self.launch(&mut flights, taken, &take);
                }
                Err(error) => {
                    tracing::error!(error = %error, "The outbox cannot write; it tries again");
                    tokio::select! {
                        () = &mut stop => break,
                        () = tokio::time::sleep(STORE_REST) => continue,
                    }
                }
            }
            let room = flights.count(false) < self.width.of(self.options.normal)
                || flights.count(true) < self.width.of(self.options.fast);
            tokio::select! {
                () = &mut stop => break,
                Some(attempted) = flights.land(&*self.clock, &self.random) => landed.push(attempted),
                // A paused way gives nothing, however much is queued: the poll asks for its probe.
                () = self.waker.0.notified(), if room && !paused => {}
                () = tokio::time::sleep(Duration::from_millis(self.options.poll_ms)) => {}
            }
            tokio::time::sleep(Duration::from_millis(self.options.gather_ms)).await;
            landed.extend(flights.landed(&*self.clock, &self.random));
        }
        self.drain(flights, landed).await;
    }

    async fn drain(&self, mut flights: Flights, mut landed: Vec<Attempted>) {
        let landing = async {
            while let Some(attempted) = flights.land(&*self.clock, &self.random).await {
                landed.push(attempted);
            }
        };
        let in_time = tokio::time::timeout(Duration::from_millis(self.options.drain_ms), landing).await.is_ok();
        let given_back = flights.abandon(self.clock.now());
        tracing::info!(landed = landed.len(), given_back = given_back.len(), in_time, "The outbox stops");
        landed.extend(given_back);
        if let Err(error) = self.write(&mut landed, None).await {
            tracing::error!(error = %error, "The outbox could not write its last results: their leases run out");
        }
    }

    /// What may be taken beside what flies.
    fn take_for(&self, fast: u32, normal: u32) -> Take {
        let timeout_ms = i64::try_from(self.options.timeout_ms).unwrap_or(i64::MAX);
        Take {
            now: self.clock.now(),
            // The client may wait its limit twice: once for the head, once for the body of a 409.
            lease_ms: timeout_ms.saturating_mul(2).saturating_add(LEASE_MARGIN_MS),
            fast: self.width.of(self.options.fast).saturating_sub(fast),
            normal: self.width.of(self.options.normal).saturating_sub(normal),
            tokens: [LeaseToken((self.random)()), LeaseToken((self.random)())],
        }
    }

    fn launch(&self, flights: &mut Flights, taken: Taken, take: &Take) {
        if taken.messages.is_empty() {
            return;
        }
        crash::point("after-lease");
        let timeout_ms = i64::try_from(self.options.timeout_ms).unwrap_or(i64::MAX);
        // A process that slept in between must not send under a lease that ends before the answer can come.
        let latest = take.now.plus_ms(take.lease_ms).plus_ms(timeout_ms.saturating_mul(-2));
        for message in taken.messages {
            let fast = message.token == take.tokens[0];
            let flight = Flight { fast, probe: taken.paused.is_some(), message };
            flights.launch(flight, Arc::clone(&self.core), Arc::clone(&self.clock), latest);
        }
    }

    /// Writes what landed and takes what is due. What one bad row keeps from being written is written one by one;
    /// the row itself is left to its lease.
    async fn write(&self, landed: &mut Vec<Attempted>, take: Option<Take>) -> Result<Taken, DeskError> {
        if landed.is_empty() && take.is_none() {
            return Ok(Taken::default());
        }
        if !landed.is_empty() {
            crash::point("before-settle");
        }
        match self.desk.exchange(landed.clone(), take, self.options.waits).await {
            Ok((written, taken)) => {
                landed.clear();
                self.note(&written);
                Ok(taken)
            }
            Err(DeskError::Store(StoreError::Fault(fault))) => {
                tracing::error!(fault, "A result could not be written with others; each is written alone");
                for attempted in landed.drain(..) {
                    let key = attempted.message.key.clone();
                    match self.desk.exchange(vec![attempted], None, self.options.waits).await {
                        Ok((written, _)) => self.note(&written),
                        Err(error) => {
                            tracing::error!(dispatch.key = %key, %error, "The result of {key} is not written")
                        }
                    }
                }
                Ok(Taken::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Logs and counts what was written, and narrows the way while nothing but failures comes back.
    fn note(&self, written: &Written) {
        for (word, count) in [
            ("delivered", written.delivered),
            ("retried", written.retried),
            ("released", written.released),
            ("lost", written.lost),
            ("parked", u64::try_from(written.parked.len()).unwrap_or(u64::MAX)),
        ] {
            if count > 0 {
                metrics::counter!("thuho_outbox_attempts_total", "result" => word).increment(count);
            }
        }
        for (message, cause) in &written.parked {
            let (key, invoice) = (&message.key, &message.invoice);
            tracing::error!(dispatch.key = %key, invoice.id = %invoice, cause = cause.word(), "Alarm: {key} waits for a person");
        }
        if let Some(reason) = &written.paused {
            tracing::error!(reason, "Alarm: the way to the billing core is paused");
        }
        if written.opened {
            tracing::info!("The way to the billing core is open again");
        }
        self.width.learn(written, self.options.normal.max(self.options.fast));
    }
}

/// How many flights the core can bear, by what came back: halved by a batch of failures alone, doubled by a yes. A
/// core that comes back from an outage is not met by everything at once.
struct Width(AtomicU32);

impl Width {
    fn of(&self, most: u32) -> u32 {
        self.0.load(Ordering::Relaxed).min(most)
    }

    fn learn(&self, written: &Written, most: u32) {
        let now = self.of(most).max(1);
        if written.delivered > 0 {
            self.0.store(now.saturating_mul(2).min(most), Ordering::Relaxed);
        } else if written.retried > 1 {
            self.0.store((now / 2).max(1), Ordering::Relaxed);
        }
    }
}

/// One message on its way.
struct Flight {
    fast: bool,
    probe: bool,
    message: LeasedDispatch,
}

/// The messages on their way, each a task of its own, so that a slow one holds up none.
#[derive(Default)]
struct Flights {
    tasks: JoinSet<Option<Heard>>,
    by_task: HashMap<Id, Flight>,
}

impl Flights {
    fn launch(&mut self, flight: Flight, core: Arc<dyn Core>, clock: Arc<dyn Clock>, latest: Timestamp) {
        let message = flight.message.clone();
        let task = self.tasks.spawn(async move {
            let now = clock.now();
            if now > latest {
                return None;
            }
            crash::point("before-send");
            let heard = core.send(&message, now).await;
            crash::point("after-send");
            Some(heard)
        });
        self.by_task.insert(task.id(), flight);
    }

    fn count(&self, fast: bool) -> u32 {
        u32::try_from(self.by_task.values().filter(|flight| flight.fast == fast).count()).unwrap_or(u32::MAX)
    }

    /// The next one that lands; `None` when nothing flies.
    async fn land(&mut self, clock: &dyn Clock, random: &Random) -> Option<Attempted> {
        loop {
            let joined = self.tasks.join_next_with_id().await?;
            if let Some(attempted) = self.attempted(joined, clock.now(), random()) {
                return Some(attempted);
            }
        }
    }

    /// Those that have landed already.
    fn landed(&mut self, clock: &dyn Clock, random: &Random) -> Vec<Attempted> {
        let mut landed = Vec::new();
        while let Some(joined) = self.tasks.try_join_next_with_id() {
            landed.extend(self.attempted(joined, clock.now(), random()));
        }
        landed
    }

    fn attempted(&mut self, joined: Joined, at: Timestamp, random: u64) -> Option<Attempted> {
        let (id, heard) = match joined {
            Ok((id, heard)) => (id, heard),
            // A panic of ours: the message may have been sent, and it must not fly for ever.
            Err(error) => (error.id(), Some(Heard::Broken)),
        };
        let Flight { probe, message, .. } = self.by_task.remove(&id)?;
        Some(Attempted { message, heard, probe, at, random })
    }

    /// Stops waiting: what still flies is given back.
    fn abandon(&mut self, at: Timestamp) -> Vec<Attempted> {
        self.tasks.abort_all();
        let given_back = self.by_task.drain();
        given_back
            .map(|(_, flight)| Attempted { message: flight.message, heard: None, probe: flight.probe, at, random: 0 })
            .collect()
    }
}

type Joined = Result<(Id, Option<Heard>), tokio::task::JoinError>;

/// The machine's chance. Should it fail, the clock of the process does for jitter, and two instances never share a
/// fence by it: a lost fence is judged by the store's row.
fn system_random() -> u64 {
    getrandom::u64().unwrap_or_else(|_no_entropy| {
        use std::hash::{BuildHasher, Hasher, RandomState};
        RandomState::new().build_hasher().finish()
    })
}

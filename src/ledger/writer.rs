//! The thread that owns the store. It takes what is queued without waiting for more, commits it as one batch,
//! answers each waiter after the commit, and runs other people's transactions (imports, leases, seals) between
//! batches, a few at a time so that neither side starves the other. Not the deciding (`post`), not which jobs are
//! still wanted (`queue`) and not what a batch does when the storage fails (`batch`). Keeps I4 and I10.
//!
//! While one batch is being flushed the next one gathers: the flush itself is the batching window, so there is no
//! timer to tune.

mod options;
mod status;

pub use super::batch::{BatchEnd, CONTENDED_TRIES_MAX, Callers, Health, Lane, Patient, REPEATS_HELD_MAX, run_batch};
pub use super::queue::{Busy, PostJob, Queue};

pub use options::{BATCH_MAX, QUEUE_MAX, WriterOptions};
pub use status::WriterStatus;

use super::crash;
use super::post::Posted;
use super::queue::{Task, Turn, Waiting};
use super::{LaneContext, Moment, RecentBreaks};
use crate::domain::ids::{Generation, PostingNo};
use crate::domain::outcome::Outcome;
use crate::domain::time::{BUSINESS_ZONE, Clock};
use crate::store::{Store, StoreError, Work};
use jiff::tz::TimeZone;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Other transactions that may wait: a handful of tasks each keep one or two in flight.
pub const TASKS_MAX: usize = 256;

/// Other transactions between two batches, at most.
pub const TASKS_BETWEEN_MAX: usize = 2;

/// How often a full disk, or a database that does not answer, is probed while nothing else comes.
pub const PROBE_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Queues {
    posts: VecDeque<Waiting>,
    tasks: VecDeque<Task>,
    /// Who waits until as many notices are through as were queued before.
    passing: VecDeque<(u64, oneshot::Sender<()>)>,
    /// Notices ever queued, and those of them that a batch took.
    queued: u64,
    taken: u64,
    closed: bool,
    /// Does the thread wait for the bell? Ringing costs a system call, whoever hears it.
    sleeps: bool,
}

/// What the thread takes at once.
#[derive(Default)]
struct Taken {
    posts: Vec<Waiting>,
    passed: Vec<oneshot::Sender<()>>,
    tasks: Vec<Task>,
}

type Hook = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct Shared {
    queues: Mutex<Queues>,
    bell: Condvar,
    batches: AtomicU64,
    answered: AtomicU64,
    last_batch: AtomicU64,
    late: AtomicU64,
    unknown: AtomicU64,
    faults: AtomicU64,
    duplicates: AtomicU64,
    full: AtomicBool,
    away: AtomicBool,
    broken: AtomicBool,
    reached: AtomicI64,
    on_posted: OnceLock<Hook>,
}

impl Shared {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread, if it sleeps: once, however many come before it is awake.
    fn ring(&self, mut queues: MutexGuard<'_, Queues>) {
        let sleeps = std::mem::take(&mut queues.sleeps);
        drop(queues);
        if sleeps {
            self.bell.notify_one();
        }
    }

    /// Is there something that a probe can find to be over?
    fn is_probed(&self) -> bool {
        self.full.load(Ordering::Acquire) || self.away.load(Ordering::Acquire)
    }

    fn fail(&self) {
        if !self.broken.swap(true, Ordering::AcqRel) {
            tracing::error!("The storage failed: nothing is acknowledged any more");
        }
    }

    /// Nobody takes from the queues any more: the program must end, and whoever waits must not wait for it.
    fn end_by_panic(&self) {
        tracing::error!("The ledger's writer panicked");
        self.fail();
        let mut queues = self.queues();
        queues.closed = true;
        queues.posts.clear();
        queues.tasks.clear();
        queues.passing.clear();
    }
}

/// The handle of a writer's thread. Dropping it drains.
pub struct Writer {
    shared: Arc<Shared>,
    options: WriterOptions,
    recent: Arc<RecentBreaks>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(store: Box<dyn Store>, clock: Arc<dyn Clock>, options: WriterOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let options = WriterOptions { lane: store.lane(), ..options };
        let lane = Lane::new(options.lane, options.generation);
        let recent = Arc::clone(&lane.recent);
        let store = Watched { store, shared: Arc::clone(&shared) };
        let batch_max = options.batch_max.max(1);
        let mut desk = Desk { shared: Arc::clone(&shared), store, clock, lane, batch_max, probed: Instant::now() };
        let after = Arc::clone(&shared);
        let life = move || {
            if catch_unwind(AssertUnwindSafe(|| desk.work())).is_err() {
                after.end_by_panic();
            }
        };
        let thread = std::thread::Builder::new().name("ledger-writer".to_owned()).spawn(life)?;
        Ok(Self { shared, options, recent, thread: Mutex::new(Some(thread)) })
    }

    /// Queues an arrival; its answer comes after its commit. A receiver that errors means that nothing is known to
    /// be on disk: the retry word.
    ///
    /// # Errors
    /// [`Busy`]: nothing was queued.
    pub fn submit(&self, job: PostJob) -> Result<oneshot::Receiver<Posted>, Busy> {
        let (tell, answer) = oneshot::channel();
        let mut queues = self.shared.queues();
        if queues.closed || self.shared.broken.load(Ordering::Acquire) {
            return Err(Busy::Closed);
        }
        if queues.posts.len() >= self.options.queue_max {
            return Err(Busy::Full);
        }
        queues.posts.push_back((job, tell));
        queues.queued = queues.queued.saturating_add(1);
        self.shared.ring(queues);
        Ok(answer)
    }

    /// Waits until every notice that was queued before is on disk or answered otherwise: who reads then, on whatever
    /// connection, has seen it. Costs the writer no look at the store. A receiver that errors means that nobody knows.
    ///
    /// # Errors
    /// [`Busy`]: too many wait.
    pub fn passed(&self) -> Result<oneshot::Receiver<()>, Busy> {
        let (tell, passed) = oneshot::channel();
        let mut queues = self.shared.queues();
        if queues.closed || self.shared.broken.load(Ordering::Acquire) {
            return Err(Busy::Closed);
        }
        if queues.passing.len() >= self.options.queue_max {
            return Err(Busy::Full);
        }
        let after = queues.queued;
        queues.passing.push_back((after, tell));
        self.shared.ring(queues);
        Ok(passed)
    }

    /// Does nobody else write to the store? Else [`Writer::passed`] says nothing of what others are about to commit.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.options.alone
    }

    /// Calls `hook` on the writer's thread after each batch that posted, once its waiters were answered. It must cost
    /// nothing and never block. The first hook stays.
    pub fn on_posted(&self, hook: impl Fn() + Send + Sync + 'static) {
        if self.shared.on_posted.set(Box::new(hook)).is_err() {
            tracing::error!("The writer has a hook already");
        }
    }

    /// Queues other work on the store, to be run between batches. It must be short: a few milliseconds of rows, and a flush. A
    /// receiver that errors means that the work panicked or was not run.
    ///
    /// # Errors
    /// [`Busy`]: nothing was queued.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let queue: &dyn Queue = self;
        queue.run(work)
    }

    /// The lane at a moment, for work that posts from within [`Writer::run`], such as an import's slice.
    #[must_use]
    pub fn context(&self, clock: &dyn Clock) -> LaneContext {
        LaneContext {
            lane: self.options.lane,
            generation: self.options.generation,
            moment: moment(clock),
            recent: Arc::clone(&self.recent),
        }
    }

    /// This writer's generation, and the last posting of its that is on disk: what markers may be trusted up to.
    #[must_use]
    pub fn reached(&self) -> (Generation, PostingNo) {
        (self.options.generation, PostingNo(self.shared.reached.load(Ordering::Acquire)))
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        let (queued, tasks_queued) = {
            let queues = self.shared.queues();
            (queues.posts.len(), queues.tasks.len())
        };
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        WriterStatus {
            queued,
            tasks_queued,
            batches: read(&self.shared.batches),
            answered: read(&self.shared.answered),
            last_batch: read(&self.shared.last_batch),
            late: read(&self.shared.late),
            unknown: read(&self.shared.unknown),
            faults: read(&self.shared.faults),
            duplicates: read(&self.shared.duplicates),
            full: self.shared.full.load(Ordering::Acquire),
            away: self.shared.away.load(Ordering::Acquire),
            broken: self.shared.broken.load(Ordering::Acquire),
        }
    }

    /// Takes no more, finishes all that is queued, and ends the thread. Blocks; a second call returns at once.
    pub fn drain(&self) {
        self.shared.queues().closed = true;
        self.shared.bell.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("The ledger's writer ended by a panic");
        }
    }
}

impl Queue for Writer {
    fn submit(&self, job: PostJob) -> Result<oneshot::Receiver<Posted>, Busy> {
        self.submit(job)
    }

    fn push(&self, task: Task) -> Result<(), Busy> {
        let mut queues = self.shared.queues();
        if queues.closed || self.shared.broken.load(Ordering::Acquire) {
            return Err(Busy::Closed);
        }
        if queues.tasks.len() >= TASKS_MAX {
            return Err(Busy::Full);
        }
        queues.tasks.push_back(task);
        self.shared.ring(queues);
        Ok(())
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.drain();
    }
}

/// Now, and its day in the business zone.
#[must_use]
pub fn moment(clock: &dyn Clock) -> Moment {
    let now = clock.now();
    let zone = TimeZone::get(BUSINESS_ZONE).unwrap_or(TimeZone::UTC);
    // Outside the calendar nothing is overdue yet.
    Moment { now, today: now.day_in(&zone).unwrap_or(jiff::civil::Date::MIN) }
}

/// The thread's side.
struct Desk {
    shared: Arc<Shared>,
    store: Watched,
    clock: Arc<dyn Clock>,
    lane: Lane,
    batch_max: usize,
    probed: Instant,
}

/// The store, with an eye on how it fares: other people's transactions may be the first to meet a full disk.
struct Watched {
    store: Box<dyn Store>,
    shared: Arc<Shared>,
}

impl Store for Watched {
    fn lane(&self) -> u32 {
        self.store.lane()
    }

    fn transact(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let result = self.store.transact(work);
        match &result {
            Err(StoreError::Full(_)) => self.shared.full.store(true, Ordering::Release),
            Err(StoreError::Away(_)) => self.shared.away.store(true, Ordering::Release),
            Err(StoreError::Broken(_) | StoreError::Schema(_)) => self.shared.fail(),
            // Whatever it answered, it answered.
            Ok(()) | Err(StoreError::Fault(_)) => self.shared.away.store(false, Ordering::Release),
            Err(StoreError::Unknown(_) | StoreError::Contended) => {}
        }
        result
    }
}

impl Desk {
    fn work(&mut self) {
        while let Some(taken) = self.take() {
            self.probe();
            self.batch(taken.posts);
            // After a failure nobody knows what is on disk: who waits sees a closed channel.
            if !self.shared.broken.load(Ordering::Acquire) {
                for waiter in taken.passed {
                    // It may have stopped waiting.
                    waiter.send(()).ok();
                }
            }
            for task in taken.tasks {
                self.task(task);
            }
        }
        if !self.shared.broken.load(Ordering::Acquire)
            && let Err(error) = self.lane.flush_repeats(&mut self.store)
        {
            tracing::warn!(error = %error, "The last counts of repeats were not written");
        }
    }

    /// Waits for work and takes what there is; `None` when the writer is closed and nothing is left. Empty hands
    /// mean that it is time to probe a full disk.
    fn take(&self) -> Option<Taken> {
        let mut queues = self.shared.queues();
        loop {
            if !queues.posts.is_empty() || !queues.tasks.is_empty() || !queues.passing.is_empty() {
                break;
            }
            if queues.closed {
                return None;
            }
            queues.sleeps = true;
            if self.shared.is_probed() {
                let (woken, timeout) =
                    self.shared.bell.wait_timeout(queues, PROBE_EVERY).unwrap_or_else(PoisonError::into_inner);
                queues = woken;
                queues.sleeps = false;
                if timeout.timed_out() {
                    break;
                }
            } else {
                queues = self.shared.bell.wait(queues).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let posts = queues.posts.len().min(self.batch_max);
        let tasks = queues.tasks.len().min(TASKS_BETWEEN_MAX);
        queues.taken = queues.taken.saturating_add(u64::try_from(posts).unwrap_or(u64::MAX));
        let passed = queues.passing.partition_point(|(after, _)| *after <= queues.taken);
        Some(Taken {
            posts: queues.posts.drain(..posts).collect(),
            passed: queues.passing.drain(..passed).map(|(_, waiter)| waiter).collect(),
            tasks: queues.tasks.drain(..tasks).collect(),
        })
    }

    fn batch(&mut self, posts: Vec<Waiting>) {
        if posts.is_empty() {
            return;
        }
        if self.shared.broken.load(Ordering::Acquire) {
            return Turn::turn_away(posts);
        }
        let turn = Turn::of(posts, Instant::now());
        self.shared.late.fetch_add(turn.late, Ordering::Relaxed);
        let (arrivals, mut waiters) = turn.into_parts();
        if arrivals.is_empty() {
            return;
        }
        let moment = moment(self.clock.as_ref());
        let callers = &mut waiters.by_clock(&Instant::now);
        let end = run_batch(&mut self.store, &mut self.lane, moment, &arrivals, callers);
        let posted = end.last.is_some();
        self.publish(&end);
        crash::point("before-reply");
        waiters.tell(end.answers);
        if posted && let Some(hook) = self.shared.on_posted.get() {
            hook();
        }
    }

    fn publish(&self, end: &BatchEnd) {
        let count = |n: &AtomicU64, more: u64| n.fetch_add(more, Ordering::Relaxed);
        let size = u64::try_from(end.answers.len()).unwrap_or(u64::MAX);
        let duplicates = end.answers.iter().filter(|a| a.answer.outcome == Outcome::Duplicate).count();
        count(&self.shared.batches, 1);
        count(&self.shared.answered, size);
        count(&self.shared.unknown, end.unknown);
        count(&self.shared.faults, end.faults);
        count(&self.shared.duplicates, u64::try_from(duplicates).unwrap_or(u64::MAX));
        self.shared.last_batch.store(size, Ordering::Relaxed);
        // Before the answers: a marker must not be ahead of what it is trusted by.
        if let Some(last) = end.last {
            self.shared.reached.fetch_max(last.0, Ordering::AcqRel);
        }
        match end.health {
            Health::Good if end.unknown == 0 && end.faults == 0 => self.shared.full.store(false, Ordering::Release),
            Health::Good => {}
            Health::Full => self.shared.full.store(true, Ordering::Release),
            // Noted with the transaction that met it.
            Health::Away => {}
            Health::Broken => self.shared.fail(),
        }
    }

    fn task(&mut self, task: Task) {
        if self.shared.broken.load(Ordering::Acquire) {
            return;
        }
        // Its caller sees a closed channel; the store has rolled back.
        if catch_unwind(AssertUnwindSafe(|| task(&mut self.store))).is_err() {
            tracing::error!("A task of the ledger's writer panicked");
        }
    }

    /// A full disk, or a database that does not answer: does it take a row again? Asked now and then, because a gateway
    /// that is not ready is sent nothing whose success could tell.
    fn probe(&mut self) {
        if !self.shared.is_probed() || self.probed.elapsed() < PROBE_EVERY {
            return;
        }
        self.probed = Instant::now();
        let reached = PostingNo(self.shared.reached.load(Ordering::Acquire));
        let (generation, at) = (self.lane.generation, self.clock.now());
        if self.store.transact(&mut |tx| tx.note_generation(generation, reached, at)).is_ok() {
            self.shared.full.store(false, Ordering::Release);
        }
    }
}

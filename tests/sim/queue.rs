//! The queue before a simulated writer: the program's own jobs, bounded as its own is, and with a clock of its own. A
//! writer comes by when the day says so, and it can be told to do wrong.

use crate::world::Mistake;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use thuho::domain::ids::EventKey;
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::Answer;
use thuho::ledger::{Arrival, Busy, PostJob, Posted, Queue, Task, Waiting};
use tokio::sync::oneshot;

/// Jobs that may wait: few, so that it is full on many days.
pub const QUEUE_MAX: usize = 12;

/// Far enough from the machine's clock that no timer of the machine ends, or that all have ended.
const FAR: Duration = Duration::from_secs(86_400);

/// What must never be mixed up with a panic of the test itself.
struct Deliberate;

#[derive(Default)]
struct Waits {
    jobs: Vec<Waiting>,
    tasks: Vec<Task>,
}

/// One instance's queue.
pub struct SimQueue {
    waits: Mutex<Waits>,
    /// The machine's time, once; the day's own counts from here.
    origin: Instant,
    /// Milliseconds of the day that have passed; they never go back.
    passed: Arc<AtomicU64>,
    closed: AtomicBool,
    hurried: AtomicBool,
    panics: AtomicBool,
    mistake: Mistake,
}

impl SimQueue {
    pub fn new(passed: Arc<AtomicU64>, mistake: Mistake) -> Arc<Self> {
        let (closed, hurried, panics) = (AtomicBool::new(false), AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { waits: Mutex::default(), origin: Instant::now(), passed, closed, hurried, panics, mistake })
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next callers stop waiting at once, or do not.
    pub fn hurry(&self, hurried: bool) {
        self.hurried.store(hurried, Ordering::Relaxed);
    }

    /// The next job panics at the door, or does not. Says what was to happen to it before.
    pub fn panic_next(&self, panics: bool) -> bool {
        self.panics.swap(panics, Ordering::Relaxed)
    }

    /// It takes no more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// How many jobs wait.
    pub fn jobs(&self) -> usize {
        self.waits().jobs.len()
    }

    pub fn is_empty(&self) -> bool {
        let waits = self.waits();
        waits.jobs.is_empty() && waits.tasks.is_empty()
    }

    /// All jobs and tasks, for a writer.
    pub fn take(&self) -> (Vec<Waiting>, Vec<Task>) {
        let Waits { mut jobs, tasks } = std::mem::take(&mut *self.waits());
        if self.mistake == Mistake::BooksForNobody {
            for (_, waiter) in jobs.iter_mut().filter(|(_, waiter)| waiter.is_closed()) {
                let (tell, listens) = oneshot::channel();
                // Somebody seems to listen for as long as the process lives.
                std::mem::forget(listens);
                *waiter = tell;
            }
        }
        (jobs, tasks)
    }

    /// The clock of those who wait until they are answered.
    pub fn patient_now(&self) -> Instant {
        self.origin + FAR + Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }

    /// The clock of those who have stopped waiting already, whenever it is.
    pub fn hurried_now(&self) -> Instant {
        self.origin - FAR
    }
}

impl Queue for SimQueue {
    fn submit(&self, job: PostJob) -> Result<oneshot::Receiver<Posted>, Busy> {
        if self.panics.swap(false, Ordering::Relaxed) {
            // Without the hook: nothing is printed.
            std::panic::resume_unwind(Box::new(Deliberate));
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(Busy::Closed);
        }
        let mut waits = self.waits();
        if waits.jobs.len() >= QUEUE_MAX {
            return Err(Busy::Full);
        }
        let (mut tell, answer) = oneshot::channel();
        if self.mistake == Mistake::AnswersEarly {
            let said = Answer { outcome: Outcome::Accepted, payment: key_of(&job.arrival) };
            let (to_nobody, _) = oneshot::channel();
            drop(std::mem::replace(&mut tell, to_nobody).send(Posted { answer: said, marker: None }));
        }
        waits.jobs.push((job, tell));
        Ok(answer)
    }

    fn push(&self, task: Task) -> Result<(), Busy> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Busy::Closed);
        }
        self.waits().tasks.push(task);
        Ok(())
    }

    fn now(&self) -> Instant {
        if self.hurried.load(Ordering::Relaxed) { self.hurried_now() } else { self.patient_now() }
    }
}

fn key_of(arrival: &Arrival) -> Option<EventKey> {
    match arrival {
        Arrival::Notice { notice, .. } => Some(notice.reversed_key().unwrap_or_else(|| notice.payment_key())),
        Arrival::Unread { .. } => None,
    }
}

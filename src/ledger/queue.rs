//! What waits to be booked and who waits for it: the queue as those above see it, and which of its jobs are still
//! wanted when their turn comes. No thread, no clock and no store: `writer` has those, and the simulator stands in for
//! it. Keeps I4 and I10.

use super::arrival::Arrival;
use super::batch::Callers;
use super::pickup::{Due, Pickup};
use super::post::Posted;
use crate::domain::ids::Movement;
use crate::domain::notice::{Effect, OnMismatch};
use crate::store::Store;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// One arrival on its way.
#[derive(Debug)]
pub struct PostJob {
    /// What came.
    pub arrival: Arrival,
    /// When its collector stops waiting, by [`Queue::now`]: past it, the job is dropped before its transaction begins, and
    /// a payment that is not debited yet also before it is booked.
    pub deadline: Instant,
    /// Where its answer is left, if its worker has such a place; else who waits is woken for it alone.
    pub pickup: Option<Arc<Pickup>>,
}

/// The ledger takes no more at the moment: the retry word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// The queue is full.
    #[error("the ledger's queue is full")]
    Full,
    /// It is draining or has failed.
    #[error("the ledger takes no more")]
    Closed,
}

/// A job and who waits for its answer.
pub type Waiting = (PostJob, oneshot::Sender<Posted>);

/// Other work on the store, to be run between batches.
pub type Task = Box<dyn FnOnce(&mut dyn Store) + Send>;

/// The way to the one who writes: a writer's thread, or whoever plays it.
pub trait Queue: Send + Sync {
    /// Queues an arrival; its answer comes after its commit. A receiver that errors means that nothing is known to
    /// be on disk: the retry word.
    ///
    /// # Errors
    /// [`Busy`]: nothing was queued.
    fn submit(&self, job: PostJob) -> Result<oneshot::Receiver<Posted>, Busy>;

    /// Queues other work. It must be short: a few milliseconds of rows, and a flush.
    ///
    /// # Errors
    /// [`Busy`]: nothing was queued.
    fn push(&self, task: Task) -> Result<(), Busy>;

    /// The clock of deadlines. It only moves forward, whatever happens to the time of day.
    fn now(&self) -> Instant;
}

impl dyn Queue + '_ {
    /// Queues work with a result. A receiver that errors means that the work panicked or was not run.
    ///
    /// # Errors
    /// [`Busy`]: nothing was queued.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Store) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, Busy> {
        let (tell, answer) = oneshot::channel();
        self.push(Box::new(move |store| {
            let result = work(store);
            // A caller who no longer waits has no use for it.
            drop(tell.send(result));
        }))?;
        Ok(answer)
    }
}

/// The jobs whose turn it is: those still wanted, in order, with who waits for each.
#[derive(Debug, Default)]
pub struct Turn {
    arrivals: Vec<Arrival>,
    /// How many are dropped, because nobody wants them any more.
    pub late: u64,
    dropped: Vec<oneshot::Sender<Posted>>,
    waiters: Vec<Waiter>,
}

impl Turn {
    /// Sets aside what came too late; the rest is to be booked.
    #[must_use]
    pub fn of(jobs: Vec<Waiting>, now: Instant) -> Self {
        let mut turn = Self {
            arrivals: Vec::with_capacity(jobs.len()),
            late: 0,
            dropped: Vec::new(),
            waiters: Vec::with_capacity(jobs.len()),
        };
        for (job, waiter) in jobs {
            if job.deadline <= now || given_up(&job, &waiter) {
                turn.late = turn.late.saturating_add(1);
                turn.dropped.push(waiter);
            } else {
                turn.arrivals.push(job.arrival);
                turn.waiters.push(Waiter { tell: Some(waiter), pickup: job.pickup, deadline: job.deadline });
            }
        }
        turn
    }

    /// The storage failed: all of them hear the retry word.
    pub fn turn_away(jobs: Vec<Waiting>) {
        for (_job, waiter) in jobs {
            tell(waiter, Posted::try_again());
        }
    }

    /// Separates what is booked from who waits for it; who is dropped hears the retry word.
    #[must_use]
    pub fn into_parts(self) -> (Vec<Arrival>, Waiters) {
        for waiter in self.dropped {
            tell(waiter, Posted::try_again());
        }
        (self.arrivals, Waiters(self.waiters))
    }
}

/// Who waits for an arrival, and where.
#[derive(Debug)]
struct Waiter {
    /// Gone once told.
    tell: Option<oneshot::Sender<Posted>>,
    pickup: Option<Arc<Pickup>>,
    deadline: Instant,
}

/// Who waits for a batch.
#[derive(Debug)]
pub struct Waiters(Vec<Waiter>);

/// Who waits for a batch, by the clock of their deadlines.
pub struct ByClock<'w> {
    waiters: &'w mut Waiters,
    now: &'w dyn Fn() -> Instant,
}

impl Callers for ByClock<'_> {
    fn still_waits(&self, n: usize) -> bool {
        self.waiters.0.get(n).is_some_and(|waiter| {
            let listens = waiter.tell.as_ref().is_some_and(|tell| !tell.is_closed());
            listens && waiter.deadline > (self.now)()
        })
    }

    fn tell_early(&mut self, n: usize, posted: &Posted) {
        if let Some(waiter) = self.waiters.0.get_mut(n).and_then(|waiter| waiter.tell.take()) {
            tell(waiter, posted.clone());
        }
    }
}

impl Waiters {
    /// As the batch asks for them while it runs.
    pub fn by_clock<'w>(&'w mut self, now: &'w dyn Fn() -> Instant) -> ByClock<'w> {
        ByClock { waiters: self, now }
    }

    /// Answers each, in the order of the arrivals. Call it after the commit only (I4).
    pub fn tell(self, answers: Vec<Posted>) {
        // As many as there are workers.
        let mut left: Vec<(Arc<Pickup>, Vec<Due>)> = Vec::new();
        for (waiter, answer) in self.0.into_iter().zip(answers) {
            match (waiter.tell, waiter.pickup) {
                (Some(waiter), Some(pickup)) => match left.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &pickup)) {
                    Some((_, due)) => due.push((waiter, answer)),
                    None => left.push((pickup, vec![(waiter, answer)])),
                },
                (Some(waiter), None) => tell(waiter, answer),
                (None, _) => {}
            }
        }
        for (pickup, due) in left {
            pickup.leave(due);
        }
    }
}

/// Has a sender that asks before it debits hung up? It will ask for the state and drop the payment, so that it must
/// not be booked after that. Everybody else's money is taken already, and is booked whoever listens.
fn given_up(job: &PostJob, waiter: &oneshot::Sender<Posted>) -> bool {
    match &job.arrival {
        Arrival::Notice { notice, .. } => {
            waiter.is_closed()
                && notice.on_mismatch == OnMismatch::Refuse
                && notice.effect == Effect::Moves(Movement::Payment)
        }
        Arrival::Unread { .. } => false,
    }
}

/// A collector that hung up needs no answer; its payment is in the books all the same.
fn tell(waiter: oneshot::Sender<Posted>, posted: Posted) {
    drop(waiter.send(posted));
}

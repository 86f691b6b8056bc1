//! Running one batch against a store, whatever the store does: a fault or a panic costs only its offender, a
//! contended batch is run again, a full or broken disk and an unknown commit are never success and never a second
//! insert. No thread and no clock: `writer` has those, and the simulator drives this directly. Keeps I2 and I4.

use super::arrival::{Arrival, UnreadKind};
use super::book::LaneContext;
use super::crash;
use super::post::{self, Posted, PostedBatch, Repeat};
use super::recent::RecentBreaks;
use crate::domain::ids::{Generation, PostingNo};
use crate::store::{RepeatCount, Store, StoreError, Tx};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How often a batch is run again after a conflict with another writer. Each round somebody has got on, so a batch
/// that loses this often meets a storm, and its callers hear the retry word.
pub const CONTENDED_TRIES_MAX: u32 = 5;

/// Repeats are written to the database once this many have gathered, or with the next batch that posts.
pub const REPEATS_HELD_MAX: i64 = 1_000;

/// What one lane carries from batch to batch.
#[derive(Debug)]
pub struct Lane {
    /// The writer's receipt chain.
    pub lane: u32,
    /// This start of this instance.
    pub generation: Generation,
    /// Breaks opened lately.
    pub recent: Arc<RecentBreaks>,
    repeats: BTreeMap<(crate::domain::ids::PartnerCode, jiff::civil::Date), i64>,
}

impl Lane {
    /// A lane of this start of this instance.
    #[must_use]
    pub fn new(lane: u32, generation: Generation) -> Self {
        Self { lane, generation, recent: Arc::default(), repeats: BTreeMap::new() }
    }

    /// The lane at a moment.
    #[must_use]
    pub fn context(&self, moment: super::Moment) -> LaneContext {
        LaneContext { lane: self.lane, generation: self.generation, moment, recent: Arc::clone(&self.recent) }
    }

    fn count(&mut self, repeats: Vec<Repeat>) {
        for Repeat { partner, day } in repeats {
            let count = self.repeats.entry((partner, day)).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn held(&self) -> Vec<RepeatCount> {
        let count = |((partner, day), count): (&(_, jiff::civil::Date), &i64)| RepeatCount {
            partner: Clone::clone(partner),
            day: *day,
            count: *count,
        };
        self.repeats.iter().map(count).collect()
    }

    /// Writes the counts of repeats that are still in memory, as at the end of a drain. On an error they are kept.
    ///
    /// # Errors
    /// The machine's.
    pub fn flush_repeats(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let held = self.held();
        if !held.is_empty() {
            store.transact(&mut |tx| tx.count_repeats(&held))?;
            self.repeats.clear();
        }
        Ok(())
    }
}

/// How the storage is after a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It took the batch, or nothing was asked of it.
    #[default]
    Good,
    /// The disk is full: nothing was taken; try again later.
    Full,
    /// The database does not answer: nothing was taken; try again later.
    Away,
    /// It failed: stop acknowledging.
    Broken,
}

/// What a batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchEnd {
    /// An answer for each arrival, in order; the retry word for those that are not on disk.
    pub answers: Vec<Posted>,
    /// How the storage is.
    pub health: Health,
    /// The last posting that is on disk by this batch.
    pub last: Option<PostingNo>,
    /// How many transactions ended in an unknown commit.
    pub unknown: u64,
    /// How many arrivals were at fault, ran into a panic, or lost every round to other writers.
    pub faults: u64,
}

/// Who waits for a batch's answers, as the batch sees them: by the place of their arrival in it.
pub trait Callers {
    /// Does this one still wait? Asked behind its event's lock, and only of a payment that is not debited yet: whoever
    /// stopped waiting asks for its state, perhaps elsewhere, and hears that there is none.
    fn still_waits(&self, _n: usize) -> bool {
        true
    }

    /// This one is told before the commit. Called only under the rigs' deliberate fault.
    fn tell_early(&mut self, _n: usize, _posted: &Posted) {}
}

/// Callers who wait for ever.
#[derive(Clone, Copy, Debug)]
pub struct Patient;

impl Callers for Patient {}

/// The caller at `n`, alone.
struct Alone<'c> {
    callers: &'c mut dyn Callers,
    n: usize,
}

impl Callers for Alone<'_> {
    fn still_waits(&self, _zero: usize) -> bool {
        self.callers.still_waits(self.n)
    }

    fn tell_early(&mut self, _zero: usize, posted: &Posted) {
        self.callers.tell_early(self.n, posted);
    }
}

/// Runs a batch in one transaction; if one of it is at fault, each singly.
pub fn run_batch(
    store: &mut dyn Store,
    lane: &mut Lane,
    moment: super::Moment,
    arrivals: &[Arrival],
    callers: &mut dyn Callers,
) -> BatchEnd {
    let mut end = BatchEnd::default();
    if arrivals.is_empty() {
        return end;
    }
    let context = lane.context(moment);
    match attempt(store, lane, &context, arrivals, callers) {
        Ok(batch) => taken(lane, &mut end, batch),
        Err(error) if arrivals.len() > 1 && is_somebodys(&error) => {
            let mut held = false;
            for (n, arrival) in arrivals.iter().enumerate() {
                if end.health != Health::Good || held {
                    end.answers.push(Posted::try_again());
                    continue;
                }
                let one = std::slice::from_ref(arrival);
                match attempt(store, lane, &context, one, &mut Alone { callers, n }) {
                    Ok(batch) => taken(lane, &mut end, batch),
                    Err(error) => {
                        // No storm over a few rows: somebody holds a table, and each would wait for it in vain.
                        held = matches!(error, StoreError::Contended);
                        offender(store, lane, &context, (arrival, &error), &mut end);
                    }
                }
            }
        }
        Err(error) => match arrivals {
            [one] => offender(store, lane, &context, (one, &error), &mut end),
            _ => not_taken(&mut end, &error, arrivals.len()),
        },
    }
    end
}

/// One arrival that could not be booked. It hears the retry word; if the fault was the arrival's and not the
/// storage's, what came is kept as a receipt with a break: a proved payment is never dropped (I3), and one that can
/// never be booked must not look like one that never came.
fn offender(
    store: &mut dyn Store,
    lane: &mut Lane,
    context: &LaneContext,
    (arrival, error): (&Arrival, &StoreError),
    end: &mut BatchEnd,
) {
    not_taken(end, error, 1);
    let (StoreError::Fault(_), Arrival::Notice { evidence, .. }) = (error, arrival) else { return };
    let kept = Arrival::Unread {
        evidence: evidence.clone(),
        verdict: UnreadKind::Unreadable,
        detail: "understood, and could not be booked".to_owned(),
    };
    match attempt(store, lane, context, std::slice::from_ref(&kept), &mut Patient) {
        Ok(batch) => lane.recent.remember(&batch.opened),
        Err(error) => tracing::warn!(error = %error, "A call that could not be booked could not be kept either"),
    }
}

fn taken(lane: &mut Lane, end: &mut BatchEnd, batch: PostedBatch) {
    lane.recent.remember(&batch.opened);
    lane.count(batch.repeats);
    end.last = batch.last.or(end.last);
    end.answers.extend(batch.posted);
}

fn not_taken(end: &mut BatchEnd, error: &StoreError, count: usize) {
    end.answers.extend(std::iter::repeat_with(Posted::try_again).take(count));
    match error {
        StoreError::Full(_) => end.health = Health::Full,
        StoreError::Away(_) => end.health = Health::Away,
        StoreError::Broken(_) | StoreError::Schema(_) => end.health = Health::Broken,
        StoreError::Unknown(_) => end.unknown = end.unknown.saturating_add(1),
        StoreError::Fault(_) | StoreError::Contended => {
            end.faults = end.faults.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }
    tracing::warn!(error = %error, cause = cause(error), arrivals = count, "A batch was not committed");
}

/// The driver's own words, for the log only.
fn cause(error: &StoreError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

/// May running the batch's arrivals singly help? Not when the storage itself is the trouble, and never when the
/// commit may have happened.
fn is_somebodys(error: &StoreError) -> bool {
    match error {
        StoreError::Fault(_) | StoreError::Contended => true,
        StoreError::Full(_)
        | StoreError::Broken(_)
        | StoreError::Away(_)
        | StoreError::Unknown(_)
        | StoreError::Schema(_) => false,
    }
}

/// One transaction, again while it is contended. A panic on the way is a fault: the store rolls back.
fn attempt(
    store: &mut dyn Store,
    lane: &mut Lane,
    context: &LaneContext,
    arrivals: &[Arrival],
    callers: &mut dyn Callers,
) -> Result<PostedBatch, StoreError> {
    let held = lane.held();
    let many = held.iter().map(|r| r.count).fold(0_i64, i64::saturating_add) >= REPEATS_HELD_MAX;
    let mut tries = 0_u32;
    loop {
        tries = tries.saturating_add(1);
        let mut batch = PostedBatch::default();
        let mut flushed = false;
        let mut work = |tx: &mut dyn Tx| {
            crash::point("after-begin");
            batch = post::post(tx, context, arrivals, &|n| callers.still_waits(n))?;
            flushed = !held.is_empty() && (many || batch.last.is_some());
            if flushed {
                tx.count_repeats(&held)?;
            }
            if crash::fault("ack-before-commit") {
                batch.posted.iter().enumerate().for_each(|(n, posted)| callers.tell_early(n, posted));
                // The answers are on the wire before anything can go wrong: that is the fault.
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            crash::point("before-commit");
            Ok(())
        };
        crash::point("before-begin");
        // The store rolls back on the way out of a panic, and everything the work made is dropped here.
        let result = catch_unwind(AssertUnwindSafe(|| store.transact(&mut work)))
            .unwrap_or_else(|_panic| Err(StoreError::Fault("a panic while deciding".to_owned())));
        match result {
            Ok(()) => {
                crash::point("after-commit");
                if flushed {
                    lane.repeats.clear();
                }
                return Ok(batch);
            }
            Err(StoreError::Contended) if tries < CONTENDED_TRIES_MAX => {}
            Err(_) if crash::fault("ack-failed-flush") => return Ok(batch),
            Err(error) => return Err(error),
        }
    }
}

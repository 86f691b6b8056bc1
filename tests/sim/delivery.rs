//! A call's way on a simulated day: through the program's own door into a queue, with a writer that comes by when it
//! does, and back as the reply its partner reads. Callers hang up, give up and lose replies on every stretch of it.

use crate::collectors::{Call, Said};
use crate::faults::Fault;
use crate::memory::{CommitFate, MemoryReports};
use crate::queue::QUEUE_MAX;
use crate::speech::speech;
use crate::world::{Mistake, World};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use thuho::domain::ids::{EventKey, PostingNo};
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::Verdict;
use thuho::domain::time::Timestamp;
use thuho::intake::{Heard, redo};
use thuho::ledger::Queue as _;
use thuho::ledger::Turn;
use thuho::ledger::writer::{Health, Patient, run_batch};
use thuho::seen::Marker;
use thuho::store::reports::{ReceiptFilter, Reports};
use thuho::store::rows::EventState;

/// A walk through the program's own code, driven by hand so that each of its waits ends when the day says so.
type Walk<T> = Pin<Box<dyn Future<Output = T>>>;

/// A call that waits for its answer.
pub struct Flight {
    pub call: Call,
    walk: Walk<Heard>,
    /// What the books said of its event before the batch that answers it.
    before: Option<EventState>,
}

/// What a thread of the program does with a panic on it: it goes on.
pub fn outlive<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

impl World {
    /// Some calls reach an instance; mostly its writer comes by at once.
    pub fn deliver_some(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        for _ in 0..=self.chance.below(5) {
            let call = self.call();
            self.send(i, call)?;
        }
        if self.chance.once_in(5) {
            self.faults.hit(Fault::QueueWaits);
            return Ok(());
        }
        self.write(i)
    }

    fn poll<T>(&self, walk: &mut Walk<T>) -> Option<T> {
        // For the door's timer; the runtime itself never runs, so no timer ends by itself.
        let _inside = self.runtime.enter();
        match walk.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(said) => Some(said),
            Poll::Pending => None,
        }
    }

    fn state_of(&self, call: &Call) -> Option<EventState> {
        let key = call.notice.key()?;
        self.db.db().events.get(&key).map(|row| row.state)
    }

    /// One call comes to the door of an instance.
    pub fn send(&mut self, i: usize, mut call: Call) -> Result<(), String> {
        call.signed.raw.received_at = Timestamp::from_unix_ms(self.now);
        if call.said != Said::Forged {
            self.sent.push(call.clone());
        }
        let before = self.state_of(&call);
        let marker_is_there = self.look_at_marker(i, &call);
        let instance = &self.instances[i];
        let (hurried, panics) = (!self.healed && self.chance.once_in(30), !self.healed && self.chance.once_in(80));
        let waiting = instance.queue.jobs();
        instance.queue.hurry(hurried);
        instance.queue.panic_next(panics);
        let (door, profile) = (instance.door.clone(), Arc::clone(speech().profile(&call.notice.partner)));
        let (raw, since) = (call.signed.raw.clone(), instance.queue.now());
        let mut walk: Walk<Heard> = Box::pin(async move { door.submit(&profile, &raw, since).await });
        let heard = self.poll(&mut walk);
        let queue = &self.instances[i].queue;
        queue.hurry(false);
        let panicked = panics && !queue.panic_next(false);
        let queued = queue.jobs() > waiting;
        let Some(heard) = heard else {
            if marker_is_there {
                self.faults.hit(Fault::MarkerNotTrusted);
            }
            self.instances[i].flights.push(Flight { call, walk, before });
            return Ok(());
        };
        drop(walk);
        match heard.outcome {
            Outcome::TryAgain if panicked => self.faults.hit(Fault::PanicAtTheDoor),
            Outcome::TryAgain if queued => {
                self.faults.hit(Fault::DoorTimesOut);
                self.nobody_waits(i, &call);
            }
            Outcome::TryAgain if self.instances[i].intake().is_paused(&call.notice.partner) => {
                self.faults.hit(Fault::PausedBank);
            }
            Outcome::TryAgain if self.instances[i].queue.is_closed() => self.faults.hit(Fault::QueueClosed),
            Outcome::TryAgain if waiting >= QUEUE_MAX => self.faults.hit(Fault::QueueFull),
            Outcome::TryAgain => return Err(format!("{} is turned away for no reason", call.name())),
            Outcome::Duplicate => self.faults.hit(Fault::MarkerAnswered),
            _ => {}
        }
        self.note(|| format!("{} -> {} at once", call.name(), heard.outcome));
        self.heard(&call, heard, before)
    }

    /// Does a marker lie there that must not be believed? Under a deliberate mistake it is made to be.
    fn look_at_marker(&mut self, i: usize, call: &Call) -> bool {
        let (Said::Notice, false, Some(key)) = (call.said, call.is_from_bank(), call.notice.key()) else {
            return false;
        };
        let Some(posting) = self.markers.posting(&key) else { return false };
        let content = call.notice.content();
        if self.db.db().events.get(&key).is_some_and(|row| row.content != content) {
            self.faults.hit(Fault::MarkerOfOtherContent);
            if self.mistake == Mistake::ContentIgnored {
                self.instances[i].seen.remember(&Marker { key, posting, reached: posting, content });
            }
            return false;
        }
        true
    }

    /// A caller is gone whose payment must not be booked any more, if nobody was debited yet.
    fn nobody_waits(&mut self, i: usize, call: &Call) {
        if call.said == Said::Notice && call.is_from_bank() && call.is_payment() {
            let before = self.state_of(call);
            self.instances[i].gone.push((call.notice.clone(), before));
        }
    }

    fn hang_up(&mut self, i: usize) {
        let mut at = 0;
        while at < self.instances[i].flights.len() {
            if self.chance.once_in(25) {
                let flight = self.instances[i].flights.remove(at);
                self.faults.hit(Fault::HungUp);
                self.note(|| format!("{} hangs up", flight.call.name()));
                self.nobody_waits(i, &flight.call);
            } else {
                at += 1;
            }
        }
    }

    /// The writer of an instance comes by: one batch of what is queued, from the program's own choice of what is
    /// still wanted to its own answers, and then other people's work.
    pub fn write(&mut self, i: usize) -> Result<(), String> {
        if !self.healed {
            self.hang_up(i);
        }
        let queue = Arc::clone(&self.instances[i].queue);
        if queue.is_empty() {
            return Ok(());
        }
        self.look_before(i);
        let named: BTreeSet<EventKey> =
            self.instances[i].flights.iter().map(|flight| flight.call.notice.payment_key()).collect();
        let (jobs, tasks) = queue.take();
        if jobs.len() > 1 {
            self.faults.hit(Fault::QueuedTogether);
        }
        // Who has stopped waiting did so before the batch began, or while it was written.
        let now = if self.chance.once_in(2) { queue.hurried_now() } else { queue.patient_now() };
        let turn = Turn::of(jobs, now);
        if turn.late > 0 {
            self.faults.hit(Fault::TooLate);
        }
        let (arrivals, waiters) = turn.into_parts();
        if self.mistake == Mistake::MarkerBeforeCommit {
            self.mark_early(i);
        }
        let (fate, moment) = (self.fate(), self.moment());
        let instance = &mut self.instances[i];
        instance.store.next_commit(fate);
        let end = run_batch(&mut instance.store, &mut instance.lane, moment, &arrivals, &mut Patient);
        instance.store.next_commit(CommitFate::Works);
        self.note(|| format!("instance {i} writes {} of its queue: {fate:?}", arrivals.len()));
        if matches!(fate, CommitFate::DiesBefore | CommitFate::DiesAfter) {
            self.restart(i);
            return Ok(());
        }
        if end.health == Health::Broken {
            queue.close();
        }
        waiters.tell(end.answers);
        let refused = self.markers.refused();
        self.land(i)?;
        if self.markers.refused() > refused {
            self.faults.hit(Fault::MarkersRefused);
        }
        self.gone_is_not_booked(i, &named)?;
        if end.health == Health::Broken {
            self.late_callers(i)?;
            self.restart(i);
            return Ok(());
        }
        for task in tasks {
            let fate = self.fate();
            let store = &mut self.instances[i].store;
            store.next_commit(fate);
            outlive(|| task(store));
            store.next_commit(CommitFate::Works);
            if matches!(fate, CommitFate::DiesBefore | CommitFate::DiesAfter | CommitFate::Broken) {
                self.restart(i);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Between the failure of the storage and the end of the process somebody may still call.
    fn late_callers(&mut self, i: usize) -> Result<(), String> {
        let call = self.call();
        self.send(i, call)
    }

    fn look_before(&mut self, i: usize) {
        let db = self.db.db();
        let state = |notice: &thuho::domain::notice::Notice| {
            notice.key().and_then(|key| db.events.get(&key)).map(|row| row.state)
        };
        let instance = &mut self.instances[i];
        for flight in &mut instance.flights {
            flight.before = state(&flight.call.notice);
        }
        for (notice, before) in &mut instance.gone {
            *before = state(notice);
        }
    }

    fn mark_early(&self, i: usize) {
        let next = PostingNo(self.db.db().postings.last().map_or(1, |p| p.no.0 + 1));
        let instance = &self.instances[i];
        for call in instance.flights.iter().map(|flight| &flight.call) {
            if let (Said::Notice, false, Some(key)) = (call.said, call.is_from_bank(), call.notice.key()) {
                instance.seen.remember(&Marker { key, posting: next, reached: next, content: call.notice.content() });
            }
        }
    }

    /// Answers reach their callers, or do not.
    fn land(&mut self, i: usize) -> Result<(), String> {
        for mut flight in std::mem::take(&mut self.instances[i].flights) {
            if !self.healed && self.chance.once_in(20) {
                self.faults.hit(Fault::HungUpAfterCommit);
                continue;
            }
            let heard = self.poll(&mut flight.walk).ok_or("a batch left a caller without an answer")?;
            self.note(|| format!("{} -> {}", flight.call.name(), heard.outcome));
            if !self.healed && self.chance.once_in(20) {
                self.faults.hit(Fault::ReplyLost);
                continue;
            }
            self.heard(&flight.call, heard, flight.before)?;
        }
        Ok(())
    }

    /// A bank that is gone asks for the state and drops the payment: it must not be booked after that.
    fn gone_is_not_booked(&mut self, i: usize, asked_again: &BTreeSet<EventKey>) -> Result<(), String> {
        for (notice, before) in std::mem::take(&mut self.instances[i].gone) {
            let key = notice.payment_key();
            let booked = self.db.db().postings_of.get(&key).is_some_and(|of| !of.is_empty());
            if before.is_none() && booked && !asked_again.contains(&key) {
                return Err(format!("{} was booked after its bank had hung up", notice.event));
            }
        }
        Ok(())
    }

    /// Ops have a stored call read again by the program's own redo.
    pub fn redo(&mut self) -> Result<(), String> {
        let lane = 1 + self.chance.below(self.instances.len());
        let filter = ReceiptFilter {
            partner: None,
            verdicts: vec![Verdict::Stale, Verdict::Unreadable, Verdict::Paused],
            after: (u32::try_from(lane).unwrap(), 0),
            limit: 1_000,
            with_evidence: true,
            waiting_since: None,
        };
        let mut found = MemoryReports(self.db.clone()).receipts(&filter).map_err(|e| e.to_string())?;
        found.retain(|receipt| receipt.redone_at.is_none());
        if found.is_empty() {
            return Ok(());
        }
        let receipt = found.swap_remove(self.chance.below(found.len()));
        let raw = receipt.evidence.as_ref().ok_or("a receipt without its bytes")?.to_raw();
        let same = |call: &&Call| {
            let sent = &call.signed.raw;
            sent.body == raw.body && raw.headers.iter().all(|header| sent.headers.contains(header))
        };
        let call = self.sent.iter().find(same).cloned().ok_or("a receipt of a call that was never sent")?;
        let i = self.chance.below(self.instances.len());
        let (intake, profile) =
            (Arc::clone(self.instances[i].intake()), Arc::clone(speech().profile(&call.notice.partner)));
        let generation = self.instances[i].lane.generation;
        let mut walk: Walk<Option<Outcome>> = Box::pin(async move { redo::again(&intake, &profile, &receipt).await });
        for _ in 0..3 {
            if let Some(outcome) = self.poll(&mut walk) {
                self.note(|| format!("{} is read again: {outcome:?}", call.name()));
                return outcome.map_or(Ok(()), |outcome| self.redone(&call, outcome));
            }
            self.write(i)?;
            if self.instances[i].lane.generation != generation {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The minute's count of repeats that the hint answered.
    pub fn flush_repeats(&mut self) -> Result<(), String> {
        let i = self.chance.below(self.instances.len());
        let intake = Arc::clone(self.instances[i].intake());
        let mut walk: Walk<()> = Box::pin(async move { intake.flush_repeats().await });
        if self.poll(&mut walk).is_none() {
            self.faults.hit(Fault::RepeatsCounted);
            self.write(i)?;
            self.poll(&mut walk);
        }
        Ok(())
    }
}

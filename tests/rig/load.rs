//! Sixty-four collectors' connections that work through a cycle's calls, to one instance or spread over several.

use crate::diary::{Answer, Diary};
use crate::http::{Connection, Reach};
use crate::plan::Job;
use crate::wire::{self, Heard, Saying};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Connections at once.
pub const CLIENTS: usize = 64;
/// What a collector waits before it repeats a call that was not answered for good, or finds nobody to call.
const REST: Duration = Duration::from_millis(40);
/// Calls that have no answer in this time are not waited for.
const CALLS_MAX: Duration = Duration::from_secs(30);
/// What passes between two customers of one connection under a steady load: the rest of the machine is to have its turn.
const PAUSE: Duration = Duration::from_millis(40);

/// A load in progress.
pub struct Load<'a> {
    /// Where instances listen, or the balancer before them.
    pub to: &'a [Reach],
    pub diary: &'a Mutex<Diary>,
    pub jobs: &'a [Job],
    /// Goes on until it is stopped, from the beginning again, with whoever answers.
    steady: bool,
    next: AtomicUsize,
    stop: AtomicBool,
    calls: AtomicUsize,
    ended: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

#[expect(clippy::disallowed_methods, reason = "the senders have a clock of their own")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn now_ms() -> i64 {
    let since = now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    i64::try_from(since.as_millis()).expect("the clock is before the year 292 million")
}

impl<'a> Load<'a> {
    /// Each call once, until the gateway is gone.
    pub fn once(to: &'a [Reach], diary: &'a Mutex<Diary>, jobs: &'a [Job]) -> Self {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (calls, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { to, diary, jobs, steady: false, next, stop, calls, ended, failed: Mutex::default() }
    }

    /// As collectors behind a balancer: who is not answered repeats the call to the next instance.
    pub fn steady(to: &'a [Reach], diary: &'a Mutex<Diary>, jobs: &'a [Job]) -> Self {
        Self { steady: true, ..Self::once(to, diary, jobs) }
    }

    /// No more calls are begun.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until so many calls were answered, or broken off; `false` if they never are.
    pub fn wait_for(&self, calls: usize) -> bool {
        let since = Instant::now();
        while self.ended.load(Ordering::SeqCst) < calls {
            if since.elapsed() > CALLS_MAX {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Calls that found nobody, heard nothing, or were told to come again.
    pub fn failed(&self) -> Vec<String> {
        self.failed.lock().expect("no client panics").clone()
    }

    fn fails(&self, why: String) {
        self.failed.lock().expect("no client panics").push(why);
    }

    /// One client: takes the next call until none is left or, unless the load is steady, the gateway does not answer
    /// any more.
    pub fn client(&self, number: usize) {
        let mut open: Vec<Option<Connection>> = self.to.iter().map(|_| None).collect();
        let mut at = number;
        while !self.stopped() {
            let turn = self.next.fetch_add(1, Ordering::SeqCst);
            let turn = if self.steady { turn % self.jobs.len().max(1) } else { turn };
            let Some(job) = self.jobs.get(turn).copied() else { return };
            while !self.stopped() {
                // A balancer spreads calls, not callers: each goes to the next instance.
                at += 1;
                let instance = at % self.to.len();
                let (Some(place), Some(reach)) = (open.get_mut(instance), self.to.get(instance)) else { return };
                let heard = self.call(number, place, reach, job);
                self.ended.fetch_add(1, Ordering::SeqCst);
                match heard {
                    None | Some(Heard::Nothing | Heard::Retry) if self.steady => std::thread::sleep(REST),
                    None => return,
                    Some(_) => break,
                }
            }
            if self.steady {
                std::thread::sleep(PAUSE);
            }
        }
    }

    /// One call; `None` when nobody listens.
    fn call(&self, caller: usize, place: &mut Option<Connection>, reach: &Reach, job: Job) -> Option<Heard> {
        if place.is_none() {
            match Connection::open(reach) {
                Ok(connection) => *place = Some(connection),
                Err(why) => self.fails(format!("nobody listens: {why}")),
            }
        }
        let open = place.as_mut()?;
        let payment = {
            let mut diary = self.diary.lock().expect("no client panics");
            diary.sends(job).expect("the journal can be written");
            diary.payments.get(job.payment).expect("a job is of a known payment").clone()
        };
        let amount = *payment.amounts.get(job.variant).expect("a job is of a known variant");
        let (sender, event) = (payment.sender, payment.event);
        let bytes = wire::request(&Saying { sender, event, invoice: &payment.invoice, amount, now_ms: now_ms() });
        self.calls.fetch_add(1, Ordering::SeqCst);
        let heard = match open.call(&bytes) {
            Ok(reply) => {
                let heard = wire::heard(sender, &reply);
                if heard == Heard::Retry {
                    self.fails(format!("told to come again: {} {}", reply.status, reply.text()));
                }
                if reply.closes {
                    *place = None;
                }
                heard
            }
            Err(why) => {
                *place = None;
                self.fails(format!("no reply: {why}"));
                Heard::Nothing
            }
        };
        let answer = Answer { variant: job.variant, heard, caller, at: now() };
        self.diary.lock().expect("no client panics").hears(job.payment, answer).expect("the journal can be written");
        Some(heard)
    }
}

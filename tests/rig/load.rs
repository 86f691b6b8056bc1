//! Sixty-four collectors' connections that work through a cycle's calls until they are done or the gateway is gone.

use crate::diary::Diary;
use crate::http::Connection;
use crate::plan::Job;
use crate::wire::{self, Heard, Saying};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Connections at once.
pub const CLIENTS: usize = 64;

/// A load in progress.
pub struct Load<'a> {
    pub to: SocketAddr,
    pub diary: &'a Mutex<Diary>,
    pub jobs: &'a [Job],
    next: AtomicUsize,
    stop: AtomicBool,
}

#[expect(clippy::disallowed_methods, reason = "the senders have a clock of their own")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    i64::try_from(since.as_millis()).expect("the clock is before the year 292 million")
}

impl<'a> Load<'a> {
    pub fn new(to: SocketAddr, diary: &'a Mutex<Diary>, jobs: &'a [Job]) -> Self {
        Self { to, diary, jobs, next: AtomicUsize::new(0), stop: AtomicBool::new(false) }
    }

    /// No more calls are begun.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// One client: takes the next call until none is left or the gateway does not answer any more.
    pub fn client(&self) {
        let mut connection = None;
        while !self.stop.load(Ordering::SeqCst) {
            let Some(job) = self.jobs.get(self.next.fetch_add(1, Ordering::SeqCst)).copied() else { return };
            if connection.is_none() {
                connection = Connection::open(self.to).ok();
            }
            let Some(open) = connection.as_mut() else { return };
            let payment = {
                let mut diary = self.diary.lock().expect("no client panics");
                diary.sends(job).expect("the journal can be written");
                diary.payments.get(job.payment).expect("a job is of a known payment").clone()
            };
            let amount = *payment.amounts.get(job.variant).expect("a job is of a known variant");
            let (sender, event) = (payment.sender, payment.event);
            let bytes = wire::request(&Saying { sender, event, invoice: &payment.invoice, amount, now_ms: now_ms() });
            let heard = match open.call(&bytes) {
                Ok(reply) => wire::heard(sender, &reply),
                Err(_) => {
                    connection = None;
                    Heard::Nothing
                }
            };
            self.diary.lock().expect("no client panics").hears(job, heard).expect("the journal can be written");
        }
    }
}

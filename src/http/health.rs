//! Is it alive, may it get traffic. Redis down is degraded and ready; a storage that is full, broken or not reached and
//! a drain are not.

use crate::ledger::writer::Writer;
use crate::seen::{Health as SeenHealth, Seen};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The state of one instance, as load balancers ask for it.
#[derive(Clone)]
pub struct Health {
    draining: Arc<AtomicBool>,
    writer: Arc<Writer>,
    seen: Arc<Seen>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ready`, `degraded` or `unready`.
    pub state: &'static str,
    /// Why it is not `ready`.
    pub reasons: Vec<&'static str>,
}

impl Health {
    /// Of these parts.
    #[must_use]
    pub fn new(writer: Arc<Writer>, seen: Arc<Seen>) -> Self {
        Self { draining: Arc::default(), writer, seen }
    }

    /// From now on it is not ready.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// May it get traffic?
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let writer = self.writer.status();
        let stops = [
            (self.draining.load(Ordering::Acquire), "draining"),
            (writer.full, "the disk is full"),
            (writer.away, "the database does not answer"),
            (writer.broken, "the storage failed"),
        ];
        let mut reasons: Vec<_> = stops.into_iter().filter(|(is, _)| *is).map(|(_, why)| why).collect();
        let ready = reasons.is_empty();
        if self.seen.health() == SeenHealth::Down {
            reasons.push("Redis does not answer: repeats are slower");
        }
        let state = match (ready, reasons.is_empty()) {
            (true, true) => "ready",
            (true, false) => "degraded",
            (false, _) => "unready",
        };
        Readiness { state, reasons }
    }
}

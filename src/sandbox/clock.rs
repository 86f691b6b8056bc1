//! The demo's day: it always begins at the same moment and runs at the speed of ours, so that no sum depends on when
//! the demo is run.

use crate::domain::time::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// 2026-11-20 08:00 in Quang Ninh, in milliseconds since the epoch.
pub const DEMO_DAY_MS: i64 = 1_795_136_400_000;

/// A clock that was set at a moment and runs on. Whoever plays the day sets it forward, for all who look at it.
#[derive(Debug)]
pub struct DayClock {
    begins: Timestamp,
    since: Instant,
    skipped_ms: AtomicI64,
}

impl DayClock {
    /// Set at `begins`, now.
    #[must_use]
    pub fn begins(begins: Timestamp) -> Self {
        Self { begins, since: Instant::now(), skipped_ms: AtomicI64::new(0) }
    }

    /// Skips the time until this moment; never goes back.
    pub fn skip_to(&self, at: Timestamp) {
        self.skipped_ms.fetch_add(at.ms_since(self.now()).max(0), Ordering::SeqCst);
    }
}

impl Clock for DayClock {
    fn now(&self) -> Timestamp {
        let runs_ms = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.begins.plus_ms(runs_ms).plus_ms(self.skipped_ms.load(Ordering::SeqCst))
    }
}

//! The demo's day: it always begins at the same moment and runs at the speed of ours, so that no sum depends on when
//! the demo is run.

use crate::domain::time::{Clock, Timestamp};
use std::time::Instant;

/// 2026-11-20 08:00 in Quang Ninh, in milliseconds since the epoch.
pub const DEMO_DAY_MS: i64 = 1_795_136_400_000;

/// A clock that was set at a moment and runs on.
#[derive(Clone, Copy, Debug)]
pub struct DayClock {
    begins: Timestamp,
    since: Instant,
}

impl DayClock {
    /// Set at `begins`, now.
    #[must_use]
    pub fn begins(begins: Timestamp) -> Self {
        Self { begins, since: Instant::now() }
    }
}

impl Clock for DayClock {
    fn now(&self) -> Timestamp {
        self.begins.plus_ms(i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

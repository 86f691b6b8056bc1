//! The clock alarm: many proved calls of one partner outside the time tolerance within a minute mean that a clock is
//! wrong, ours or theirs, while each of them alone is only a stale call.

use crate::domain::ids::PartnerCode;
use crate::domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The window in which stale calls are counted.
const WINDOW_MS: i64 = 60_000;

#[derive(Debug)]
struct Count {
    from: Timestamp,
    stale: u32,
    raised: bool,
}

/// Counts stale calls by partner. Partners are those of the profiles, so it is bounded.
#[derive(Debug)]
pub struct ClockAlarm {
    threshold: u32,
    counts: Mutex<HashMap<PartnerCode, Count>>,
}

impl ClockAlarm {
    /// Raised by `threshold` stale calls of one partner within a minute.
    #[must_use]
    pub fn new(threshold: u32) -> Self {
        Self { threshold: threshold.max(1), counts: Mutex::default() }
    }

    /// Notes a stale call; says whether this one raises the alarm, which happens once a window.
    pub fn note(&self, partner: &PartnerCode, at: Timestamp) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(partner.clone()).or_insert(Count { from: at, stale: 0, raised: false });
        if at.ms_since(count.from).abs() >= WINDOW_MS {
            *count = Count { from: at, stale: 0, raised: false };
        }
        count.stale = count.stale.saturating_add(1);
        let raises = count.stale >= self.threshold && !count.raised;
        count.raised |= raises;
        raises
    }

    /// Was it raised for this partner within this time before `now`, in milliseconds? Forgotten with the first stale call
    /// of a later window.
    #[must_use]
    pub fn is_raised(&self, partner: &PartnerCode, now: Timestamp, within_ms: i64) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(partner).is_some_and(|count| count.raised && now.ms_since(count.from) <= within_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_raised_once_a_window_and_per_partner() {
        let alarm = ClockAlarm::new(3);
        let (p, q) = (PartnerCode::parse("p").unwrap(), PartnerCode::parse("q").unwrap());
        let raised = |partner, ms| alarm.note(partner, Timestamp::from_unix_ms(ms));
        assert!(!raised(&p, 0));
        assert!(!raised(&p, 1));
        assert!(!raised(&q, 1));
        assert!(raised(&p, 2));
        assert!(!raised(&p, 3));
        let is = |partner, ms| alarm.is_raised(partner, Timestamp::from_unix_ms(ms), 10_000);
        assert_eq!([is(&p, 4), is(&p, 10_001), is(&q, 4)], [true, false, false]);
        assert!(!raised(&p, 60_000));
        assert!(!raised(&p, 60_001));
        assert!(raised(&p, 60_002));
    }
}

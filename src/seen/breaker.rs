//! Stops asking what does not answer. Pure: time is an argument.

use std::time::{Duration, Instant};

/// A circuit breaker: closed, open until a time, or half open while one probe is on its way.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    open_for: Duration,
    failures: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Instant },
    Probing,
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    /// Ask.
    Ask,
    /// Do not ask, but send one probe in the background.
    Probe,
    /// Do not ask.
    Skip,
}

impl Breaker {
    pub(super) fn new(failures_max: u32, open_for: Duration) -> Self {
        Self { failures_max, open_for, failures: 0, state: State::Closed }
    }

    pub(super) fn permit(&mut self, now: Instant) -> Permit {
        match self.state {
            State::Closed => Permit::Ask,
            State::Open { until } if now >= until => {
                self.state = State::Probing;
                Permit::Probe
            }
            State::Open { .. } | State::Probing => Permit::Skip,
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.state = State::Closed;
    }

    /// Says whether this failure opened it.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let was_open = self.state != State::Closed;
        if was_open || self.failures >= self.failures_max {
            self.state = State::Open { until: now + self.open_for };
            return !was_open;
        }
        false
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_the_named_failures_and_probes_once_after_the_wait() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut breaker = Breaker::new(3, second);
        assert!(!breaker.failed(start));
        assert!(!breaker.failed(start));
        assert_eq!(breaker.permit(start), Permit::Ask);
        assert!(breaker.failed(start));
        assert_eq!(breaker.permit(start), Permit::Skip);
        assert_eq!(breaker.permit(start + second), Permit::Probe);
        assert_eq!(breaker.permit(start + second), Permit::Skip);
        assert!(!breaker.failed(start + second));
        assert_eq!(breaker.permit(start + second), Permit::Skip);
        assert_eq!(breaker.permit(start + 2 * second), Permit::Probe);
        breaker.succeeded();
        assert_eq!(breaker.permit(start + 2 * second), Permit::Ask);
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let start = Instant::now();
        let mut breaker = Breaker::new(2, Duration::from_secs(1));
        breaker.failed(start);
        breaker.succeeded();
        assert!(!breaker.failed(start));
        assert!(breaker.is_closed());
    }
}

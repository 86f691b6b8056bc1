//! When to try again. Pure: chance is an argument. Keeps I10: every wait has a cap, and the waiting as a whole ends.

/// The longest wait that the core may ask for with `Retry-After`: longer would let one wrong header silence a
/// message for days.
pub const RETRY_AFTER_MAX_MS: i64 = 60 * 60 * 1000;

/// A schedule of waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, in milliseconds, before jitter.
    pub base_ms: i64,
    /// The longest wait, in milliseconds.
    pub cap_ms: i64,
    /// How much waiting, in milliseconds and without jitter, a message may use up before it is parked. Counted by
    /// attempts and not by age: a message that stood behind a parked one for a week has used none of it.
    pub give_up_ms: i64,
}

impl Backoff {
    /// For a message nobody's power depends on: up to ten minutes apart, for three days.
    pub const NORMAL: Self = Self { base_ms: 1_000, cap_ms: 10 * 60 * 1000, give_up_ms: 3 * 24 * 60 * 60 * 1000 };

    /// For an overdue invoice: at most a minute apart, as the next power cut may be that close.
    pub const URGENT: Self = Self { cap_ms: 60 * 1000, ..Self::NORMAL };
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after so many milliseconds.
    After(i64),
    /// Enough: a person must look.
    GiveUp,
}

impl Backoff {
    /// What follows a failed attempt, when `attempts` were made before it. `random` spreads messages that failed
    /// together: the wait is between half of the step and all of it. What the core asked for is honoured up to
    /// [`RETRY_AFTER_MAX_MS`], with one base wait of spread on top.
    #[must_use]
    pub fn next(&self, attempts: u32, random: u64, retry_after_ms: Option<i64>) -> Next {
        if self.spent(attempts) >= self.give_up_ms {
            return Next::GiveUp;
        }
        let step = self.step(attempts);
        let own = step - spread(step / 2, random);
        let asked = retry_after_ms.map(|ms| ms.clamp(0, RETRY_AFTER_MAX_MS) + spread(self.base_ms, random));
        Next::After(asked.map_or(own, |asked| asked.max(own)))
    }

    /// The wait after `attempts` earlier ones, before jitter.
    fn step(&self, attempts: u32) -> i64 {
        1_i64.checked_shl(attempts.min(40)).map_or(self.cap_ms, |n| n.saturating_mul(self.base_ms)).min(self.cap_ms)
    }

    /// The waiting behind `attempts` attempts, before jitter: the doubling steps one by one, the rest at the cap.
    fn spent(&self, attempts: u32) -> i64 {
        let doubling: i64 = (0..attempts.min(40)).map(|n| self.step(n)).sum();
        doubling.saturating_add(i64::from(attempts.saturating_sub(40)).saturating_mul(self.cap_ms))
    }
}

/// A number from 0 to `width`, both included.
fn spread(width: i64, random: u64) -> i64 {
    let buckets = u64::try_from(width).unwrap_or(0).saturating_add(1);
    i64::try_from(random % buckets).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHORT: Backoff = Backoff { base_ms: 100, cap_ms: 1_000, give_up_ms: 5_000 };

    fn check(attempts: u32, random: u64, retry_after_ms: Option<i64>, expected: Next) {
        assert_eq!(SHORT.next(attempts, random, retry_after_ms), expected, "{attempts} {random} {retry_after_ms:?}");
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        check(0, 0, None, Next::After(100));
        check(1, 0, None, Next::After(200));
        check(3, 0, None, Next::After(800));
        check(4, 0, None, Next::After(1_000));
        check(6, 0, None, Next::After(1_000));
    }

    #[test]
    fn chance_takes_up_to_half_of_a_wait() {
        check(3, 400, None, Next::After(400));
        check(3, 401, None, Next::After(800));
        check(3, 123, None, Next::After(677));
    }

    #[test]
    fn what_the_core_asks_for_is_honoured_within_a_cap_and_never_shortens_a_wait() {
        check(0, 0, Some(2_500), Next::After(2_500));
        check(0, 7, Some(2_500), Next::After(2_507));
        check(4, 0, Some(1), Next::After(1_000));
        check(0, 0, Some(-5), Next::After(100));
        check(0, 0, Some(i64::MAX), Next::After(RETRY_AFTER_MAX_MS));
    }

    #[test]
    fn the_waiting_ends() {
        // 100 + 200 + 400 + 800 = 1,500, then a second each: the eighth wait is the last below five seconds.
        check(7, 0, None, Next::After(1_000));
        check(8, 0, None, Next::GiveUp);
        check(u32::MAX, 0, None, Next::GiveUp);
    }

    #[test]
    fn both_lanes_go_on_for_days() {
        for schedule in [Backoff::NORMAL, Backoff::URGENT] {
            let tries = (0..u32::MAX).take_while(|n| schedule.next(*n, 0, None) != Next::GiveUp);
            let waited: i64 = tries.map(|n| schedule.step(n)).sum();
            let day = 24 * 60 * 60 * 1000;
            assert!((3 * day..3 * day + schedule.cap_ms).contains(&waited), "{waited}");
        }
    }

    proptest! {
        #[test]
        fn no_wait_leaves_its_bounds(attempts in 0_u32..100_000, random: u64, asked in proptest::option::of(any::<i64>())) {
            if let Next::After(ms) = Backoff::NORMAL.next(attempts, random, asked) {
                prop_assert!(ms >= Backoff::NORMAL.base_ms / 2);
                prop_assert!(ms <= RETRY_AFTER_MAX_MS + Backoff::NORMAL.base_ms);
            }
        }
    }
}

//! What is limited before a signature is looked at: the calls of one address, and of everybody together. A proved
//! notice is never turned away by these alone; it is turned away before it is proved, with the retry word. Keeps I10:
//! the addresses told apart are bounded.

use governor::clock::{Clock as _, DefaultClock};
use governor::state::{InMemoryState, NotKeyed};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Rates and how many addresses are told apart.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Calls a second of one address.
    pub peer_per_second: u32,
    /// At once.
    pub peer_burst: u32,
    /// Calls a second of all.
    pub total_per_second: u32,
    /// At once.
    pub total_burst: u32,
    /// Addresses told apart; beyond it new calls share a bounded number of rates.
    pub peers_max: usize,
}

/// Rates that addresses share while there are too many to tell apart: a flood from a million addresses meets a
/// bounded number of buckets, and an honest caller meets one of many.
const CROWD: u64 = 1_024;

/// Whose rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Caller {
    /// An IPv4 address, or the first 64 bits of an IPv6 one: a host has all of a /64.
    One(u64, bool),
    /// One of the shared ones.
    Crowd(u64),
}

/// The limits of one instance.
#[derive(Debug)]
pub struct Limits {
    peers: DefaultKeyedRateLimiter<Caller>,
    total: RateLimiter<NotKeyed, InMemoryState, DefaultClock>,
    peers_max: usize,
    crowded: AtomicBool,
    hasher: RandomState,
    /// One for all calls: making it asks the processor what it is, which a virtual machine answers slowly.
    clock: DefaultClock,
}

/// Turned away; may come again after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Which limit, for the metric: `peer` or `total`.
    pub by: &'static str,
    /// How long to wait.
    pub wait: Duration,
}

fn quota(per_second: u32, burst: u32) -> Quota {
    let at_least_one = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst))
}

impl Limits {
    /// Limits by these rates; a rate of 0 counts as 1.
    #[must_use]
    pub fn new(rates: &Rates) -> Self {
        Self {
            peers: RateLimiter::keyed(quota(rates.peer_per_second, rates.peer_burst)),
            total: RateLimiter::direct(quota(rates.total_per_second, rates.total_burst)),
            peers_max: rates.peers_max,
            crowded: AtomicBool::new(false),
            hasher: RandomState::new(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a call of this address. The address is asked first, so that one caller's flood does not use up
    /// everybody's rate.
    ///
    /// # Errors
    /// [`Limited`] when it is too many.
    pub fn admit(&self, peer: IpAddr) -> Result<(), Limited> {
        let caller = self.caller(peer);
        let limited = |by, no: NotUntil<_>| Limited { by, wait: no.wait_time_from(self.clock.now()) };
        self.peers.check_key(&caller).map_err(|no| limited("peer", no))?;
        self.total.check().map_err(|no| limited("total", no))
    }

    fn caller(&self, peer: IpAddr) -> Caller {
        let (bits, v6) = match peer.to_canonical() {
            IpAddr::V4(v4) => (u64::from(u32::from(v4)), false),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                let bits = [a, b, c, d].into_iter().fold(0, |bits, part| (bits << 16) | u64::from(part));
                (bits, true)
            }
        };
        if self.crowded.load(Ordering::Relaxed) {
            Caller::Crowd(self.hasher.hash_one((bits, v6)) % CROWD)
        } else {
            Caller::One(bits, v6)
        }
    }

    /// Forgets the callers whose rate is whole again. Call it every second: between two calls the number of
    /// addresses grows by the total rate at most.
    pub fn forget_idle(&self) {
        self.peers.retain_recent();
        let count = self.peers.len();
        self.crowded.store(count >= self.peers_max, Ordering::Relaxed);
        if count == 0 {
            self.peers.shrink_to_fit();
        }
    }

    /// How many callers are told apart now.
    #[must_use]
    pub fn callers(&self) -> usize {
        self.peers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(peer: u32, total: u32, peers_max: usize) -> Limits {
        Limits::new(&Rates { peer_per_second: 1, peer_burst: peer, total_per_second: 1, total_burst: total, peers_max })
    }

    fn v4(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn one_address_is_limited_and_another_is_not() {
        let limits = limits(3, 1_000, 100);
        for _ in 0..3 {
            limits.admit(v4(1)).unwrap();
        }
        assert_eq!(limits.admit(v4(1)).unwrap_err().by, "peer");
        limits.admit(v4(2)).unwrap();
    }

    #[test]
    fn everybody_together_is_limited() {
        let limits = limits(3, 2, 100);
        limits.admit(v4(1)).unwrap();
        limits.admit(v4(2)).unwrap();
        assert_eq!(limits.admit(v4(3)).unwrap_err().by, "total");
    }

    #[test]
    fn a_million_addresses_stay_bounded() {
        let limits = limits(1, u32::MAX, 1_000);
        for n in 0..1_000_000 {
            assert!(limits.admit(v4(n)).is_ok_and(|()| true) || limits.callers() > 0);
            if n % 1_000 == 0 {
                limits.forget_idle();
            }
        }
        assert!(limits.callers() <= 1_000 + 1_000 + 1_024, "{}", limits.callers());
    }

    #[test]
    fn the_addresses_of_one_v6_network_are_one_caller_and_a_mapped_v4_is_itself() {
        let limits = limits(1, 1_000, 100);
        limits.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert!(limits.admit("2001:db8::2".parse().unwrap()).is_err());
        limits.admit(v4(7)).unwrap();
        assert!(limits.admit("::ffff:0.0.0.7".parse().unwrap()).is_err());
    }
}

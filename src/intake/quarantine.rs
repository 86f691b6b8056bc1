//! What is not proved: counted, and a few of it kept in memory to look at, a ring per partner and reason, sampled per
//! address. It holds no lock that a proved notice needs and no place in any queue of theirs, so a flood of forgeries
//! costs them nothing; it is lost with the process, which loses no money.

use crate::domain::ids::PartnerCode;
use crate::domain::notice::RawNotice;
use crate::domain::outcome::BadSignature;
use crate::domain::time::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError, TryLockError};

/// Bytes of an unproved body that are kept: enough to see which field is wrong.
const BODY_KEPT_BYTES: usize = 2_048;

/// Addresses counted within one sampling window; beyond it nothing more is kept until the next.
const PEERS_MAX: usize = 4_096;

/// The sampling window.
const WINDOW_MS: i64 = 60_000;

/// One unproved call, for people who look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproved {
    /// Who called.
    pub peer: IpAddr,
    /// When.
    pub at: Timestamp,
    /// Length of the body.
    pub body_bytes: usize,
    /// Its head.
    pub body_head: Vec<u8>,
}

/// Whose ring.
type Ring = (PartnerCode, BadSignature);

#[derive(Debug, Default)]
struct Kept {
    rings: HashMap<Ring, VecDeque<Unproved>>,
    window_from: Timestamp,
    by_peer: HashMap<IpAddr, u32>,
}

/// The unproved calls of one instance.
#[derive(Debug)]
pub struct Quarantine {
    per_ring: usize,
    per_peer: u32,
    kept: Mutex<Kept>,
}

impl Quarantine {
    /// Keeps `per_ring` calls for each partner and reason, and `per_peer` of one address a minute.
    #[must_use]
    pub fn new(per_ring: usize, per_peer: u32) -> Self {
        Self { per_ring, per_peer, kept: Mutex::default() }
    }

    /// Notes an unproved call. Never waits: when another thread is just noting one, this one is only counted.
    pub fn note(&self, partner: &PartnerCode, reason: BadSignature, raw: &RawNotice) {
        let labels = [("partner", partner.as_str().to_owned()), ("reason", reason.word().to_owned())];
        metrics::counter!("thuho_unproved_total", &labels).increment(1);
        let mut kept = match self.kept.try_lock() {
            Ok(kept) => kept,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        if !kept.sample(raw.peer, raw.received_at, self.per_peer) {
            return;
        }
        let ring = kept.rings.entry((partner.clone(), reason)).or_default();
        while ring.len() >= self.per_ring.max(1) {
            ring.pop_front();
        }
        ring.push_back(Unproved {
            peer: raw.peer,
            at: raw.received_at,
            body_bytes: raw.body.len(),
            body_head: raw.body.iter().copied().take(BODY_KEPT_BYTES).collect(),
        });
    }

    /// What is kept of a partner, by reason.
    #[must_use]
    pub fn of(&self, partner: &PartnerCode) -> Vec<(BadSignature, Vec<Unproved>)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = kept
            .rings
            .iter()
            .filter(|((of, _), _)| of == partner)
            .map(|((_, reason), ring)| (*reason, ring.iter().cloned().collect()))
            .collect();
        found.sort_by_key(|(reason, _)| *reason);
        found
    }
}

impl Kept {
    fn sample(&mut self, peer: IpAddr, at: Timestamp, per_peer: u32) -> bool {
        if at.ms_since(self.window_from).abs() >= WINDOW_MS {
            self.window_from = at;
            self.by_peer.clear();
        }
        if self.by_peer.len() >= PEERS_MAX && !self.by_peer.contains_key(&peer) {
            return false;
        }
        let count = self.by_peer.entry(peer).or_default();
        *count = count.saturating_add(1);
        *count <= per_peer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Method;

    fn raw(peer: u32, at_ms: i64, body: &'static [u8]) -> RawNotice {
        RawNotice {
            method: Method::Post,
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: bytes::Bytes::from_static(body),
            peer: IpAddr::V4(peer.into()),
            received_at: Timestamp::from_unix_ms(at_ms),
        }
    }

    fn check(calls: &[(u32, i64)], expected_kept: usize) {
        let partner = PartnerCode::parse("p").unwrap();
        let quarantine = Quarantine::new(8, 3);
        for (peer, at) in calls {
            quarantine.note(&partner, BadSignature::Wrong, &raw(*peer, *at, b"x"));
        }
        let kept: usize = quarantine.of(&partner).iter().map(|(_, ring)| ring.len()).sum();
        assert_eq!(kept, expected_kept);
    }

    #[test]
    fn a_flood_of_one_address_is_sampled_and_another_is_still_seen() {
        let mut calls = vec![(1, 0); 1_000];
        check(&calls, 3);
        calls.push((2, 0));
        check(&calls, 4);
    }

    #[test]
    fn the_ring_keeps_the_latest_and_the_next_minute_is_sampled_afresh() {
        let calls: Vec<_> = (0..20).map(|peer| (peer, 0)).collect();
        check(&calls, 8);
        check(&[(1, 0), (1, 0), (1, 0), (1, 0), (1, 60_000)], 4);
    }

    #[test]
    fn addresses_without_end_do_not_grow_it() {
        let partner = PartnerCode::parse("p").unwrap();
        let quarantine = Quarantine::new(8, 3);
        for peer in 0..20_000 {
            quarantine.note(&partner, BadSignature::Missing, &raw(peer, 0, &[0; 5_000]));
        }
        assert!(quarantine.kept.lock().unwrap().by_peer.len() <= PEERS_MAX);
        let kept = quarantine.of(&partner);
        assert!(kept.iter().all(|(_, ring)| ring.iter().all(|u| u.body_head.len() == 2_048 && u.body_bytes == 5_000)));
    }
}

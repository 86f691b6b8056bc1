//! Receipts: proof of what a partner proved to us, chained so that none can vanish unseen.

use super::ids::{EventKey, PartnerCode};
use super::notice::{Method, RawNotice};
use super::outcome::Outcome;
use super::time::Timestamp;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::ops::Deref;
use std::sync::Arc;

/// A proved call as it will be kept: enough to read it again through a later profile.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Whose signature it carried.
    pub partner: PartnerCode,
    /// Which of the partner's keys proved it.
    pub key_id: String,
    /// GET or POST.
    pub method: Method,
    /// The path as received.
    pub path: String,
    /// The query as received.
    pub query: String,
    /// The headers that the profile reads, no others.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Bytes,
    /// When it came.
    pub received_at: Timestamp,
}

impl Evidence {
    /// SHA-256 over all that a later reading depends on, each part with its length: what the chain commits to.
    #[must_use]
    pub fn raw_hash(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(bytes);
        };
        for text in [self.method.word(), &self.path, &self.query, &self.key_id] {
            part(text.as_bytes());
        }
        for (name, value) in &self.headers {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        // The parts before the headers and after them are of a fixed number, so no header can pass for the body.
        part(&self.body);
        hasher.finalize().into()
    }

    /// The call as it arrived, to be read again. The peer is not kept: it proves nothing.
    #[must_use]
    pub fn to_raw(&self) -> RawNotice {
        RawNotice {
            method: self.method,
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            peer: std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            received_at: self.received_at,
        }
    }
}

/// Evidence and its hash, shared. Made where the call comes in, beside the writer, and not changed after: so the hash
/// is the evidence's.
#[derive(Clone, Debug)]
pub struct HashedEvidence(Arc<Hashed>);

#[derive(Debug)]
struct Hashed {
    evidence: Evidence,
    raw_hash: [u8; 32],
}

impl HashedEvidence {
    /// Hashes it.
    #[must_use]
    pub fn of(evidence: Evidence) -> Self {
        let raw_hash = evidence.raw_hash();
        Self(Arc::new(Hashed { evidence, raw_hash }))
    }

    /// [`Evidence::raw_hash`], made before.
    #[must_use]
    pub fn raw_hash(&self) -> [u8; 32] {
        self.0.raw_hash
    }
}

impl Deref for HashedEvidence {
    type Target = Evidence;

    fn deref(&self) -> &Evidence {
        &self.0.evidence
    }
}

/// What became of a first receipt. Stored as its word; `audit` and the zero-loss figures count by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Booked to an invoice.
    Settled,
    /// Booked to suspense.
    Parked,
    /// A reversal, booked or waiting for its payment.
    Reversal,
    /// A reversal that was refused.
    ReversalRefused,
    /// The same event with other content: the first value stands.
    Conflict,
    /// Pending, failed or a probe.
    NotAPayment,
    /// A refuse-mode profile said no before the debit.
    Refused,
    /// Signed too long ago, or by a clock that is off.
    Stale,
    /// Proved but not understood, or not bookable.
    Unreadable,
    /// Proved while ops had paused the partner: not read yet.
    Paused,
    /// Not a call: two people booked a payment that only the partner's statement has.
    Created,
}

impl Verdict {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 11] = [
        Self::Settled,
        Self::Parked,
        Self::Reversal,
        Self::ReversalRefused,
        Self::Conflict,
        Self::NotAPayment,
        Self::Refused,
        Self::Stale,
        Self::Unreadable,
        Self::Paused,
        Self::Created,
    ];

    /// The word in the database and in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Parked => "parked",
            Self::Reversal => "reversal",
            Self::ReversalRefused => "reversal_refused",
            Self::Conflict => "conflict",
            Self::NotAPayment => "not_a_payment",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Unreadable => "unreadable",
            Self::Paused => "paused",
            Self::Created => "created",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.word() == word)
    }
}

/// What a receipt commits to: where it stands in its lane, what came, and what the books say became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The writer's chain.
    pub lane: u32,
    /// Its place in it, from 1.
    pub n: i64,
    /// Hash of all that came.
    pub raw_hash: [u8; 32],
    /// What became of it.
    pub verdict: Verdict,
    /// When it came.
    pub received_at: Timestamp,
    /// The event it is about, where there is one.
    pub event: Option<EventKey>,
    /// The amount it states, where it was read.
    pub amount_dong: Option<i64>,
}

impl Link {
    /// The chain hash: what the next receipt of the lane names as its predecessor.
    #[must_use]
    pub fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(previous);
        hasher.update(self.lane.to_be_bytes());
        hasher.update(self.n.to_be_bytes());
        hasher.update(self.raw_hash);
        hasher.update(self.received_at.unix_ms().to_be_bytes());
        // A mark before each, so that none and zero differ; the word comes last, so every part has one length.
        hasher.update([u8::from(self.event.is_some())]);
        hasher.update(self.event.map(|event| *event.as_bytes()).unwrap_or_default());
        hasher.update([u8::from(self.amount_dong.is_some())]);
        hasher.update(self.amount_dong.unwrap_or_default().to_be_bytes());
        hasher.update(self.verdict.word().as_bytes());
        hasher.finalize().into()
    }
}

/// What the collector is told, and by which payment it may ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The word.
    pub outcome: Outcome,
    /// Our id of the payment (the event key in hex), when the notice moved money or repeated one.
    pub payment: Option<EventKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence() -> Evidence {
        Evidence {
            partner: PartnerCode::parse("collector").unwrap(),
            key_id: "k1".to_owned(),
            method: Method::Post,
            path: "/webhooks/collector".to_owned(),
            query: "a=b".to_owned(),
            headers: vec![("x-time".to_owned(), "1".to_owned())],
            body: Bytes::from_static(b"body"),
            received_at: Timestamp::default(),
        }
    }

    #[test]
    fn a_link_commits_to_each_of_its_fields() {
        let event = |byte| Some(EventKey::from_bytes([byte; 16]));
        let link = Link {
            lane: 1,
            n: 7,
            raw_hash: [3; 32],
            verdict: Verdict::Settled,
            received_at: Timestamp::from_unix_ms(5),
            event: event(9),
            amount_dong: Some(0),
        };
        let kept = link.hash(&[0; 32]);
        assert_eq!(link.hash(&[0; 32]), kept);
        assert_ne!(link.hash(&[1; 32]), kept);
        for changed in [
            Link { lane: 2, ..link },
            Link { n: 8, ..link },
            Link { raw_hash: [4; 32], ..link },
            Link { verdict: Verdict::Parked, ..link },
            Link { received_at: Timestamp::from_unix_ms(6), ..link },
            Link { event: event(8), ..link },
            Link { event: None, ..link },
            Link { amount_dong: Some(1), ..link },
            Link { amount_dong: None, ..link },
        ] {
            assert_ne!(changed.hash(&[0; 32]), kept, "{changed:?}");
        }
    }

    #[test]
    fn the_raw_hash_covers_all_that_a_later_reading_depends_on() {
        let kept = evidence().raw_hash();
        assert_eq!(evidence().raw_hash(), kept);
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        for changed in [
            Evidence { key_id: "k2".to_owned(), ..evidence() },
            Evidence { method: Method::Get, ..evidence() },
            Evidence { path: "/webhooks/other".to_owned(), ..evidence() },
            Evidence { query: "a=c".to_owned(), ..evidence() },
            Evidence { headers: header("x-time", "2"), ..evidence() },
            Evidence { headers: header("x-tim", "e1"), ..evidence() },
            Evidence { headers: Vec::new(), ..evidence() },
            Evidence { body: Bytes::from_static(b"bodY"), ..evidence() },
        ] {
            assert_ne!(changed.raw_hash(), kept, "{changed:?}");
        }
    }
}

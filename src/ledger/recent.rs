//! Which breaks this instance opened lately for calls that claim no key, so that a partner that repeats a bad call
//! for days opens one break and not thousands. A convenience for people, never a decision: after a restart or on
//! another instance a call that cannot be read opens one more break, and every call has its own receipt regardless (I3).
//! A break about an event that is in the books carries its mark, so that the store opens no second one.

use crate::domain::ids::EventKey;
use crate::domain::money::Money;
use crate::domain::notice::{Content, ReferenceText};
use crate::domain::receipt::Evidence;
use crate::domain::review::BreakClass;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many breaks are remembered: 32 bytes each, a quarter of a megabyte in all. When it is full it forgets all.
pub const RECENT_BREAKS_MAX: usize = 8_192;

/// What makes two breaks the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark([u8; 32]);

impl Mark {
    /// One for each other content of an event.
    #[must_use]
    pub fn conflict(key: &EventKey, content: &Content) -> Self {
        let text = |r: &Option<ReferenceText>| r.as_ref().map(|r| r.as_str().to_owned()).unwrap_or_default();
        let reverses = content.reverses.map(|k| *k.as_bytes()).unwrap_or_default();
        Self::of(&[
            b"conflict",
            key.as_bytes(),
            &content.amount.dong().to_be_bytes(),
            &content.discount.dong().to_be_bytes(),
            text(&content.references.invoice).as_bytes(),
            text(&content.references.order).as_bytes(),
            text(&content.references.customer).as_bytes(),
            &reverses,
        ])
    }

    /// One for each settled event that is said to have failed.
    #[must_use]
    pub fn failed(key: &EventKey) -> Self {
        Self::of(&[b"failed", key.as_bytes()])
    }

    /// One for each body of a partner that could not be taken, whatever its send time and signature: a repeat has
    /// new ones.
    #[must_use]
    pub fn unread(class: BreakClass, evidence: &Evidence) -> Self {
        let partner = evidence.partner.as_str().as_bytes();
        Self::of(&[b"unread", class.code().as_bytes(), partner, evidence.query.as_bytes(), &evidence.body])
    }

    /// One for each rest of a payment that people moved.
    #[must_use]
    pub fn rest(key: &EventKey, left: Money) -> Self {
        Self::of(&[b"rest", key.as_bytes(), &left.dong().to_be_bytes()])
    }

    /// One for each payment that people took back and that a statement still has.
    #[must_use]
    pub fn listed(key: &EventKey) -> Self {
        Self::of(&[b"listed", key.as_bytes()])
    }

    /// As the store keeps it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

/// The marks of committed breaks.
#[derive(Debug, Default)]
pub struct RecentBreaks(Mutex<HashSet<Mark>>);

impl RecentBreaks {
    /// Was such a break committed lately?
    #[must_use]
    pub fn contains(&self, mark: &Mark) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(mark)
    }

    /// Remembers committed breaks.
    pub fn remember(&self, marks: &[Mark]) {
        if marks.is_empty() {
            return;
        }
        let mut set = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if set.len().saturating_add(marks.len()) > RECENT_BREAKS_MAX {
            set.clear();
        }
        set.extend(marks.iter().copied());
    }
}

//! Locks that decide between instances. Not on rows: a lock on a row writes the row's page, one that no other notice
//! shares, and what is not there yet has no row at all, though two must not pass each other over it: a key that both
//! bring, an invoice that one payment waits for and an import brings. So a transaction takes the server's advisory locks
//! on hashes, which end with it.
//!
//! One order everywhere, so that two instances never wait for each other crosswise: first the events of a batch, then
//! its invoices, each in sorted order. Settling, importing and ending a message all take the same lock of an invoice.

use super::session::Ask;
use crate::domain::ids::{EventKey, InvoiceId};
use sha2::{Digest, Sha256};

/// Locks, in the order in which they are taken.
pub(super) struct Locks(Vec<i64>);

impl Locks {
    /// Of invoices, whether they are known or not.
    pub(super) fn of_invoices<'i>(ids: impl Iterator<Item = &'i InvoiceId>) -> Self {
        Self::sorted(ids.map(|id| first_eight(&Sha256::digest(id.as_str().as_bytes()))).collect())
    }

    /// Of events, whether there is a row or not. Their keys are hashes already.
    pub(super) fn of_events(keys: &[EventKey]) -> Self {
        Self::sorted(keys.iter().map(|key| first_eight(key.as_bytes())).collect())
    }

    fn sorted(mut keys: Vec<i64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes them; they are held until the transaction ends. What is asked behind it, on the same way to the server, sees
    /// everything that was committed before: a statement's view begins with the statement.
    pub(super) fn ask(&self) -> Ask<'_> {
        const SQL: &str = "-- locks.take\nSELECT count(pg_advisory_xact_lock(k)) FROM unnest($1::bigint[]) k";
        Ask::new(SQL, vec![&self.0])
    }
}

fn first_eight(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

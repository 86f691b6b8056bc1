//! What both databases ask of the schema versions that they find: each of this program's, once, in order, unchanged.

use super::StoreError;
use sha2::{Digest, Sha256};

/// Name and text of a version.
pub(super) type Version = (&'static str, &'static str);

/// Refuses what this program must not write; says how many of its versions are there. `applied` are name and checksum.
pub(super) fn known(place: &str, applied: &[(String, String)], ours: &[Version]) -> Result<usize, StoreError> {
    let refused = |what: String| StoreError::Schema(format!("{place}: {what}"));
    if applied.len() > ours.len() {
        let (theirs, ours) = (applied.len(), ours.len());
        return Err(refused(format!("its schema is version {theirs}, this program knows up to {ours}")));
    }
    for ((name, sum), (our_name, text)) in applied.iter().zip(ours) {
        if name != our_name || *sum != checksum(text) {
            return Err(refused(format!("its schema step {name} is not this program's {our_name}")));
        }
    }
    Ok(applied.len())
}

/// For those who only read: everything applied.
pub(super) fn current(place: &str, applied: usize, ours: &[Version]) -> Result<(), StoreError> {
    if applied < ours.len() {
        return Err(StoreError::Schema(format!("{place}: its schema is older than this program; run thuho migrate")));
    }
    Ok(())
}

/// What is kept of a version's text.
pub(super) fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

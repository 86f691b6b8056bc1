//! A clock that was ahead wrote when messages are due, or how long they are leased, hours from now; set right, they would
//! wait that long. No wait here is as long as [`AHEAD_MAX_MS`], so whatever lies further ahead is due now. Looked for now
//! and then, so that a lease stays one look into an index. Keeps I10.

use super::backoff::RETRY_AFTER_MAX_MS;
use crate::domain::time::Timestamp;
use crate::store::{Store, StoreError};

/// Twice the longest wait that anything here asks for, in milliseconds.
pub const AHEAD_MAX_MS: i64 = 2 * RETRY_AFTER_MAX_MS;

/// Messages moved in one transaction on the writer, which everybody waits for.
pub const SLICE: u32 = 200;

/// Is a moment over, or further ahead than any wait?
#[must_use]
pub fn is_due(at: Timestamp, now: Timestamp) -> bool {
    at <= now || at.ms_since(now) > AHEAD_MAX_MS
}

/// One slice, to be run on the writer; says how many messages it made due, fewer than [`SLICE`] at the end.
///
/// # Errors
/// The machine's.
pub fn bring_near(store: &mut dyn Store, now: Timestamp) -> Result<u64, StoreError> {
    let mut moved = 0;
    store.transact(&mut |tx| {
        moved = tx.bring_near(now, AHEAD_MAX_MS, SLICE)?;
        Ok(())
    })?;
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_due_once_it_is_over_and_when_no_wait_is_that_long() {
        let now = Timestamp::from_unix_ms(1_800_000_000_000);
        for (ahead_ms, due) in [(-1, true), (0, true), (1, false), (AHEAD_MAX_MS, false), (AHEAD_MAX_MS + 1, true)] {
            assert_eq!(is_due(now.plus_ms(ahead_ms), now), due, "{ahead_ms}");
        }
    }
}

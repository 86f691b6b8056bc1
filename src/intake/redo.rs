//! Reads stored receipts again: proved calls that were stale or not understood when they came, through the profile as
//! it is now. A person asks for it. What is read then goes the same way as any notice, and its key is claimed once
//! whatever is redone twice (I2, I3).

use super::door::{Intake, notice_arrival, post};
use crate::domain::ids::Movement;
use crate::domain::notice::{Effect, OnMismatch};
use crate::domain::outcome::Outcome;
use crate::partner::Profile;
use crate::store::reports::StoredReceipt;
use std::time::Duration;

/// How long one receipt may take to be written.
const WRITE_WAIT: Duration = Duration::from_secs(10);

/// Runs one stored receipt through the profile. `None` when its raw bytes were erased or it could not be written now.
pub async fn again(intake: &Intake, profile: &Profile, receipt: &StoredReceipt) -> Option<Outcome> {
    let raw = receipt.evidence.as_ref()?.to_raw();
    // Whoever asks for a redo has seen that it is late. Proved as of its arrival: the key that signed it may have been rotated out since.
    let authentic = match profile.prove(&raw, receipt.received_at) {
        Ok(authentic) => authentic,
        Err(refusal) => return Some(refusal.outcome()),
    };
    // A clock of ours that was behind when it came makes a moment of then look like one to come.
    let now = intake.clock().now().max(receipt.received_at);
    let notice = match profile.read_again(&authentic, now) {
        Ok(notice) => notice,
        Err(refusal) => return Some(refusal.outcome()),
    };
    if profile.on_mismatch() == OnMismatch::Refuse && notice.effect == Effect::Moves(Movement::Payment) {
        // It asked before it debited and heard the retry word: nobody paid.
        note_redone(intake, receipt).await;
        return Some(Outcome::NotAPayment);
    }
    let queue = intake.queue().as_ref();
    let posted = post(queue, None, notice_arrival(profile, &authentic, notice), queue.now() + WRITE_WAIT).await?;
    if posted.answer.outcome == Outcome::TryAgain {
        return None;
    }
    note_redone(intake, receipt).await;
    Some(posted.answer.outcome)
}

/// Marks the receipt, so that the next redo passes over it.
async fn note_redone(intake: &Intake, receipt: &StoredReceipt) {
    let (lane, n, at) = (receipt.lane, receipt.n, intake.clock().now());
    let noted = intake.queue().run(move |store| store.transact(&mut |tx| tx.note_redone(lane, n, at)));
    let noted = match noted {
        Ok(answer) => answer.await.is_ok_and(|noted| noted.is_ok()),
        Err(_busy) => false,
    };
    if !noted {
        tracing::warn!(lane, n, "A receipt was read again and could not be marked; another redo finds a duplicate");
    }
}

//! Is a payment among the proved calls that are kept and not read yet: stale, not understood, or come while the partner was
//! paused? Its money is taken, and a redo will book it, so nobody may say that there is none. Keeps I10 (bounded).

use super::readers::Readers;
use crate::domain::ids::{EventKey, Movement};
use crate::domain::notice::Effect;
use crate::domain::time::Timestamp;
use crate::partner::Profile;
use crate::store::reports::{ReceiptFilter, StoredReceipt};

/// How long a kept call is looked at, in milliseconds: three days, in which its partner has long asked.
const LOOK_BACK_MS: i64 = 3 * 86_400_000;

/// Calls looked at for one question.
const LOOKED_AT_MAX: u32 = 1_000;

/// Calls read from the database at once.
const PAGE: u32 = 100;

/// Is this payment kept unread? `None` when nobody knows: no answer, or more are kept than one question may look at.
pub(super) async fn holds(readers: &Readers, profile: &Profile, payment: EventKey, now: Timestamp) -> Option<bool> {
    let since = now.plus_ms(-LOOK_BACK_MS);
    // The last seal before says from where on in each lane; the ones before are not walked through.
    let seal = readers.ask(move |reports| reports.seal_before(since)).await.ok()?;
    let mut left = LOOKED_AT_MAX;
    for lane in readers.ask(|reports| reports.lanes()).await.ok()? {
        let head = seal.iter().flat_map(|seal| &seal.heads).find(|(of, ..)| *of == lane);
        let mut after = (lane, head.map_or(0, |(_, n, _)| *n));
        loop {
            let all = ReceiptFilter::unread(profile.code().clone(), after, PAGE);
            let filter = ReceiptFilter { waiting_since: Some(since), ..all };
            let page = readers.ask(move |reports| reports.receipts(&filter)).await.ok()?;
            let Some(last) = page.last() else { break };
            after = (lane, last.n);
            if page.iter().any(|receipt| pays(profile, receipt, now) == Some(payment)) {
                return Some(true);
            }
            left = left.checked_sub(u32::try_from(page.len()).ok()?)?;
        }
    }
    Some(false)
}

/// The payment that a kept call speaks of, as the profile is now and our clock is now.
fn pays(profile: &Profile, receipt: &StoredReceipt, now: Timestamp) -> Option<EventKey> {
    let raw = receipt.evidence.as_ref()?.to_raw();
    let authentic = profile.prove(&raw, receipt.received_at).ok()?;
    let notice = profile.read_again(&authentic, now.max(receipt.received_at)).ok()?;
    (notice.effect == Effect::Moves(Movement::Payment)).then(|| notice.payment_key())
}

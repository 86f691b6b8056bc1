//! Where a payment stands, in one word, and since when.

use crate::domain::decision::ParkReason;
use crate::domain::dispatch::ParkCause;
use crate::domain::ids::Movement;
use crate::domain::time::Timestamp;
use crate::finance::words::Words;
use crate::store::reports::DispatchView;
use crate::store::rows::{EventRecord, EventState};

/// Where it stands.
#[derive(Clone, Debug)]
pub(in crate::finance::pages) struct Stand {
    /// In one word.
    pub(in crate::finance::pages) word: &'static str,
    /// Why, if there is more to say.
    pub(in crate::finance::pages) why: &'static str,
    /// The look of the word.
    pub(in crate::finance::pages) look: &'static str,
    /// Since when.
    pub(in crate::finance::pages) since: Timestamp,
    /// Is it settled here, and the core does not know yet?
    pub(in crate::finance::pages) on_its_way: bool,
}

/// Of this payment with its messages to the core.
pub(in crate::finance::pages) fn of(record: &EventRecord, messages: &[DispatchView], w: Words) -> Stand {
    let stand = |word, look| Stand { word, why: "", look, since: record.paid_at, on_its_way: false };
    let open = || messages.iter().filter(|message| matches!(message.state.as_str(), "waiting" | "leased" | "parked"));
    let oldest = open().map(|message| message.created_at).min();
    let held = open().find_map(|message| message.cause);
    match record.state {
        EventState::Settled => match (oldest, held) {
            (Some(since), None) => Stand { since, on_its_way: true, ..stand(w.cu_on_its_way(), "warn") },
            (Some(since), Some(cause)) => {
                Stand { since, why: cause_word(cause, w), on_its_way: true, ..stand(w.cu_on_its_way(), "bad") }
            }
            (None, _) => stand(w.cu_paid(), "good"),
        },
        EventState::Parked(reason) => Stand { why: reason_word(reason, w), ..stand(w.cu_parked(), "bad") },
        EventState::Reversed if oldest.is_some() => {
            Stand { why: w.cu_core_not_told(), ..stand(w.cu_reversed(), "warn") }
        }
        EventState::Reversed => stand(w.cu_reversed(), ""),
        EventState::Expected { .. } => Stand { why: w.cu_reversal_first(), ..stand(w.cu_reversed(), "warn") },
        EventState::Applied => stand(w.cu_takes_back(), ""),
        EventState::Waiting => Stand { why: w.cu_reversal_first(), ..stand(w.cu_takes_back(), "warn") },
        EventState::Refused => stand(w.cu_refused(), "bad"),
    }
}

/// Payment or reversal.
pub(in crate::finance::pages) fn movement_word(movement: Movement, w: Words) -> &'static str {
    match movement {
        Movement::Payment => w.cu_payment(),
        Movement::Reversal => w.cu_takes_back(),
    }
}

/// Why it is on no invoice.
pub(in crate::finance::pages) fn reason_word(reason: ParkReason, w: Words) -> &'static str {
    match reason {
        ParkReason::ContradictoryReference => w.cu_contradictory(),
        ParkReason::UnknownInvoice => w.cu_unknown_bill(),
        ParkReason::AlreadyPaid => w.cu_already_paid(),
        ParkReason::Cancelled => w.cu_cancelled_bill(),
        ParkReason::WrongAmount => w.cu_wrong_amount(),
        ParkReason::ReversedOtherAmount => w.cu_reversed_other(),
        ParkReason::TakenOff => w.cu_taken_off(),
    }
}

/// Why a message waits for a person.
pub(in crate::finance::pages) fn cause_word(cause: ParkCause, w: Words) -> &'static str {
    match cause {
        ParkCause::Rejected => w.cu_rejected(),
        ParkCause::BillAlreadyCleared => w.cu_already_cleared(),
        ParkCause::Exhausted => w.cu_exhausted(),
        ParkCause::Walled => w.cu_walled(),
        ParkCause::Held => w.cu_held(),
    }
}

/// How long ago, for people.
pub(in crate::finance::pages) fn age(since: Timestamp, now: Timestamp, w: Words) -> String {
    let minutes = now.ms_since(since).max(0) / 60_000;
    match minutes {
        0..120 => format!("{minutes}\u{a0}{}", w.cu_minutes()),
        120..2_880 => format!("{}\u{a0}{}", minutes / 60, w.cu_hours()),
        _ => format!("{}\u{a0}{}", minutes / 1_440, w.cu_days()),
    }
}

//! States and kinds of the books, as people call them.

use super::told::told;
use super::words::Words;
use crate::domain::ids::Movement;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::resolution::BreakState;
use crate::domain::statement::StatementKind;
use crate::store::desk::{NoteKind, ProposalState};
use crate::store::rows::EventState;

/// A break's state.
#[must_use]
pub fn break_state(state: BreakState, w: Words) -> &'static str {
    match state {
        BreakState::Open => w.brk_open(),
        BreakState::Investigating => w.brk_investigating(),
        BreakState::Proposed => w.brk_proposed(),
        BreakState::Approved => w.brk_approved(),
        BreakState::Carried => w.brk_carried(),
        BreakState::Closed => w.brk_closed(),
    }
}

/// A proposal's state.
#[must_use]
pub fn proposal_state(state: ProposalState, w: Words) -> &'static str {
    match state {
        ProposalState::Proposed => w.pro_proposed(),
        ProposalState::Approved => w.pro_approved(),
        ProposalState::Done => w.pro_done(),
        ProposalState::Rejected => w.pro_rejected(),
        ProposalState::Withdrawn => w.pro_withdrawn(),
    }
}

/// What a line of a break's history is.
#[must_use]
pub fn note_kind(kind: NoteKind, w: Words) -> &'static str {
    match kind {
        NoteKind::Comment => w.note_comment(),
        NoteKind::Attached => w.note_attached(),
        NoteKind::Assigned => w.note_assigned(),
        NoteKind::Accepted => w.note_accepted(),
        NoteKind::Proposed => w.note_proposed(),
        NoteKind::Approved => w.note_approved(),
        NoteKind::Rejected => w.note_rejected(),
        NoteKind::Withdrawn => w.note_withdrawn(),
        NoteKind::Done => w.note_done(),
        NoteKind::Refused => w.note_refused(),
    }
}

/// An event's state, with the reason where its money waits.
#[must_use]
pub fn event_state(state: EventState, w: Words) -> String {
    let word = match state {
        EventState::Settled => w.evt_settled(),
        EventState::Parked(reason) => return format!("{}: {}", w.evt_parked(), told(reason.word(), w)),
        EventState::Reversed => w.evt_reversed(),
        EventState::Expected { .. } => w.evt_expected(),
        EventState::Applied => w.evt_applied(),
        EventState::Waiting => w.evt_waiting(),
        EventState::Refused => w.evt_refused(),
    };
    word.to_owned()
}

/// What a statement says that moved.
#[must_use]
pub fn movement(movement: Option<Movement>, w: Words) -> &'static str {
    match movement {
        Some(Movement::Payment) => w.mov_payment(),
        Some(Movement::Reversal) => w.mov_reversal(),
        None => w.mov_nothing(),
    }
}

/// Whose word a statement is.
#[must_use]
pub fn statement_kind(kind: StatementKind, w: Words) -> &'static str {
    match kind {
        StatementKind::Partner => w.leg_partner(),
        StatementKind::Core => w.leg_core(),
        StatementKind::Bank => w.leg_bank(),
    }
}

/// What a posting is for.
#[must_use]
pub fn posting_kind(kind: PostingKind, w: Words) -> &'static str {
    match kind {
        PostingKind::Settle => w.pst_settle(),
        PostingKind::Park => w.pst_park(),
        PostingKind::Rematch => w.pst_rematch(),
        PostingKind::Reverse => w.pst_reverse(),
    }
}

/// An account with whose it is.
#[must_use]
pub fn account(account: &Account, w: Words) -> String {
    match account {
        Account::Receivable(unit) => format!("{} {unit}", w.acc_receivable()),
        Account::Clearing(partner) => format!("{} {partner}", w.acc_clearing()),
        Account::Suspense(partner) => format!("{} {partner}", w.acc_suspense()),
        Account::Promotion(funder) => format!("{} {funder}", w.acc_promotion()),
        Account::Fee(partner) => format!("{} {partner}", w.acc_fee()),
        Account::RefundDue(partner) => format!("{} {partner}", w.acc_refund_due()),
        Account::WriteOff(partner) => format!("{} {partner}", w.acc_write_off()),
        Account::Bank => w.acc_bank().to_owned(),
    }
}

/// A message's state, by the word that the store keeps.
#[must_use]
pub fn message_state(word: &str, w: Words) -> String {
    let known = match word {
        "waiting" => w.msg_waiting(),
        "leased" => w.msg_leased(),
        "delivered" => w.msg_delivered(),
        "parked" => w.msg_parked(),
        "closed" => w.msg_closed(),
        other => other,
    };
    known.to_owned()
}

//! States and kinds of the books, as people call them.

use super::told::code;
use super::words::Words;
use crate::domain::ids::Movement;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::receipt::Verdict;
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

/// An event's state in one word.
#[must_use]
pub fn event_word(state: EventState, w: Words) -> &'static str {
    match state {
        EventState::Settled => w.evt_settled(),
        EventState::Parked(_) => w.evt_parked(),
        EventState::Reversed => w.evt_reversed(),
        EventState::Expected { .. } => w.evt_expected(),
        EventState::Applied => w.evt_applied(),
        EventState::Waiting => w.evt_waiting(),
        EventState::Refused => w.evt_refused(),
    }
}

/// An event's state, with the reason where its money waits.
#[must_use]
pub fn event_state(state: EventState, w: Words) -> String {
    let word = event_word(state, w);
    match state {
        EventState::Parked(reason) => format!("{word}: {}", code(reason.word(), w)),
        EventState::Settled
        | EventState::Reversed
        | EventState::Expected { .. }
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => word.to_owned(),
    }
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

/// An account, and whose it is.
#[must_use]
pub fn account_name(account: &Account, w: Words) -> (&'static str, String) {
    match account {
        Account::Receivable(unit) => (w.acc_receivable(), unit.to_string()),
        Account::Clearing(partner) => (w.acc_clearing(), partner.to_string()),
        Account::Suspense(partner) => (w.acc_suspense(), partner.to_string()),
        Account::Promotion(funder) => (w.acc_promotion(), funder.to_string()),
        Account::Fee(partner) => (w.acc_fee(), partner.to_string()),
        Account::RefundDue(partner) => (w.acc_refund_due(), partner.to_string()),
        Account::WriteOff(partner) => (w.acc_write_off(), partner.to_string()),
        Account::Bank => (w.acc_bank(), String::new()),
    }
}

/// An account with whose it is, in one text.
#[must_use]
pub fn account(account: &Account, w: Words) -> String {
    let (name, of) = account_name(account, w);
    if of.is_empty() { name.to_owned() } else { format!("{name} {of}") }
}

/// The states of a message, by the words that the store keeps; what waits for a person first.
#[must_use]
pub fn message_states(w: Words) -> [(&'static str, &'static str); 5] {
    [
        ("parked", w.msg_parked()),
        ("waiting", w.msg_waiting()),
        ("leased", w.msg_leased()),
        ("delivered", w.msg_delivered()),
        ("closed", w.msg_closed()),
    ]
}

/// A message's state, by the word that the store keeps.
#[must_use]
pub fn message_state(word: &str, w: Words) -> String {
    let known = message_states(w).into_iter().find(|(of, _)| *of == word);
    known.map_or(word, |(_, name)| name).to_owned()
}

/// What became of a call.
#[must_use]
pub fn verdict(verdict: Verdict, w: Words) -> &'static str {
    match verdict {
        Verdict::Settled => w.pt_v_settled(),
        Verdict::Parked => w.pt_v_parked(),
        Verdict::Reversal => w.pt_v_reversal(),
        Verdict::ReversalRefused => w.pt_v_reversal_refused(),
        Verdict::Conflict => w.pt_v_conflict(),
        Verdict::NotAPayment => w.pt_v_not_a_payment(),
        Verdict::Refused => w.pt_v_refused(),
        Verdict::Stale => w.pt_v_stale(),
        Verdict::Unreadable => w.pt_v_unreadable(),
        Verdict::Paused => w.pt_v_paused(),
        Verdict::Created => w.pt_v_created(),
    }
}

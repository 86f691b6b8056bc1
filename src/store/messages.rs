//! The outbox's words to a store: a lease that is asked for, a person's wish, and the way to the core.

use crate::domain::dispatch::LeaseToken;
use crate::domain::ids::{Author, DispatchKey};
use crate::domain::time::Timestamp;

/// A request for messages to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRequest {
    /// The fence under which they are taken.
    pub token: LeaseToken,
    /// Now, on the clock that leases are judged by.
    pub now: Timestamp,
    /// Until when they are ours.
    pub until: Timestamp,
    /// How many at most.
    pub limit: u32,
    /// Only those of overdue invoices?
    pub urgent_only: bool,
}

/// A message that was looked up for a person: by its key no index of the hot path exists, so the looking is done beside
/// the writer ([`super::reports::Reports::find_dispatch`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDispatch {
    /// Its key.
    pub key: DispatchKey,
    /// Where the store keeps it.
    pub no: i64,
}

/// What a person may do with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DispatchCommand {
    /// Send it again, under the same key, from now on, with its attempts counted from zero.
    Retry,
    /// Keep it back.
    Hold,
    /// Propose to end it without the core's yes.
    ProposeClose {
        /// Who proposes.
        author: Author,
        /// Why.
        reason: String,
    },
    /// End it: needs a proposal by somebody else.
    ApproveClose {
        /// Who approves.
        author: Author,
    },
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAnswer {
    /// Done.
    Done,
    /// No such message.
    NotFound,
    /// It is delivered, closed or being sent: not possible now.
    WrongState,
    /// Nobody proposed, or the proposer is the approver.
    NeedsAnother,
}

/// Is the way to the core open?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteState {
    /// Why it is paused and until when the next probe waits; `None` when it is open.
    pub paused: Option<RoutePause>,
}

/// A pause of the way to the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePause {
    /// For people: `http 401`.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When one message may be tried.
    pub probe_at: Timestamp,
}

//! The only code that knows SQL. A [`Store`] is one writer's connection; a [`Tx`] is one transaction, with few
//! verbs, each a whole business fact over a slice (one is a batch of one). Reading for people and reports goes
//! through [`reports::Reports`], on other connections, and never through the writer.
//!
//! Rules every implementation keeps, and the contract suite checks:
//! - entries, receipts and event keys are only ever added; nothing here deletes or rewrites money (I5);
//! - a commit that returned `Ok` survives power loss (I4);
//! - a commit whose outcome is not known is [`StoreError::Unknown`], and is never retried by the store;
//! - a result written under a lost lease changes nothing.

mod cells;
pub mod closes;
mod day_sums;
pub mod desk;
mod desk_cells;
mod messages;
mod migrations;
mod notified;
mod numbers;
pub mod pages;
pub mod periods;
mod place;
pub mod postgres;
pub mod reports;
pub mod retention;
pub mod rows;
pub mod settlements;
mod shared;
pub mod sqlite;
mod statement_cells;
pub mod statements;
pub mod users;

pub use messages::{CommandAnswer, DispatchCommand, FoundDispatch, LeaseRequest, RoutePause, RouteState};
pub use place::{Options, Place, migrate, open, open_reports};
pub use retention::{Erasable, EraseRequest, Erased};
pub use shared::standing;

use crate::domain::dispatch::{Dispatch, DispatchResult, LeasedDispatch, ParkCause};
use crate::domain::ids::{CustomerCode, EventKey, Generation, InvoiceId, PostingNo};
use crate::domain::invoice::{Invoice, InvoiceAccount};
use crate::domain::notice::Wanted;
use crate::domain::posting::{Allocation, Entry, Posting};
use crate::domain::receipt::{HashedEvidence, Link};
use crate::domain::review::NewBreak;
use crate::domain::statement::{FileNo, ReconciliationNo, StatementKind};
use crate::domain::time::Timestamp;
use rows::{EventRecord, EventState};
use statements::{BegunStatement, Closing, NewLine, NewMatch, NewReconciliation, NewStatement, Pointed, StatementSums};
use std::collections::{HashMap, HashSet};

/// What the machine could not do. Displays what failed, never its source; the source is for the log.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk is full: the retry word, not ready, no exit.
    #[error("the disk is full")]
    Full(#[source] Source),
    /// Reading, writing or flushing failed, or the file is damaged: stop acknowledging and exit.
    #[error("the storage failed")]
    Broken(#[source] Source),
    /// The commit may or may not have happened: the retry word, and never a second insert by us.
    #[error("the outcome of a commit is not known")]
    Unknown(#[source] Source),
    /// One statement or one row was refused: the offender alone hears the retry word.
    #[error("{0}")]
    Fault(String),
    /// Somebody else changed the same rows, or the connection was lost before COMMIT: the whole transaction may be run
    /// again.
    #[error("a conflict with another writer")]
    Contended,
    /// The database does not answer: the retry word and not ready, until it does again.
    #[error("the database does not answer: {0}")]
    Away(#[source] Source),
    /// The database was made by a newer program, or is not ours.
    #[error("{0}")]
    Schema(String),
}

/// The driver's own error, boxed so that no driver is named above this module.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The work of one transaction. May be run again, so it must touch nothing but `tx` and what it rebuilds.
pub type Work<'a> = dyn FnMut(&mut dyn Tx) -> Result<(), StoreError> + 'a;

/// One writer's connection.
pub trait Store: Send {
    /// The lane of this writer's receipts: which one, the database may decide.
    fn lane(&self) -> u32;

    /// Runs `work` in one transaction; on `Ok` everything is on disk, on `Err` nothing is, except
    /// [`StoreError::Unknown`].
    ///
    /// # Errors
    /// What the work returned, or what the commit met.
    fn transact(&mut self, work: &mut Work<'_>) -> Result<(), StoreError>;
}

/// Where this writer's rows go on: read once per transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// The number of the lane's next receipt, from 1.
    pub receipt: i64,
    /// The chain hash of the lane's last receipt; zeros before the first.
    pub chain: [u8; 32],
    /// The number of the next posting.
    pub posting: PostingNo,
    /// Does nobody else write here? Then the posting before that one proves all that is there.
    pub alone: bool,
}

/// What a batch needs to know of invoices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The invoices asked for by id that exist, whatever their state, and all open ones of the customers asked for.
    /// The hot path asks by id alone, which costs one look-up an invoice.
    pub invoices: HashMap<InvoiceId, InvoiceAccount>,
    /// Those of the customers asked for who have any invoice at all, whatever its state: tells a customer who owes
    /// nothing from one nobody knows.
    pub known: HashSet<CustomerCode>,
}

/// Where the money of one payment is now: the net of its postings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Net balance by account, none of them zero.
    pub entries: Vec<Entry>,
    /// The settlements not taken back, as they were posted and told.
    pub allocations: Vec<Allocation>,
}

/// One link of a lane's chain, to be added.
#[derive(Clone, Debug)]
pub struct NewReceipt {
    /// What it commits to.
    pub link: Link,
    /// The chain hash of the one before.
    pub previous: [u8; 32],
    /// Its own chain hash.
    pub hash: [u8; 32],
    /// What came.
    pub evidence: HashedEvidence,
}

/// A posting with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedPosting {
    /// Its number; rises.
    pub no: PostingNo,
    /// The posting.
    pub posting: Posting,
}

/// An event row to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventWrite {
    /// Claims the key. Another writer's claim in between is [`StoreError::Contended`].
    Claim(EventRecord),
    /// Fills the row that a reversal made before its payment came.
    Fulfil(EventRecord),
    /// A new state of a row that exists.
    State {
        /// Which.
        key: EventKey,
        /// The new state.
        state: EventState,
        /// How many postings it has now.
        postings: u32,
    },
}

/// Everything one batch of the ledger writes, in one commit.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// Links of this writer's chain.
    pub receipts: Vec<NewReceipt>,
    /// Claims and changed states.
    pub events: Vec<EventWrite>,
    /// Postings with their entries and allocations.
    pub postings: Vec<NumberedPosting>,
    /// What the core must hear because of them.
    pub dispatches: Vec<Dispatch>,
    /// What people must look at because of them.
    pub breaks: Vec<NewBreak>,
}

/// A wish to do some work for all instances for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Which work.
    pub work: &'static str,
    /// Whoever wishes it: this start of this instance.
    pub holder: Generation,
    /// Now, on the clock that leases are judged by.
    pub now: Timestamp,
    /// For how long, in milliseconds; nothing gives it back.
    pub lasts_ms: i64,
}

/// What an upsert found for one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upserted {
    /// Was not there.
    Added,
    /// Was there and is replaced: as it was, with what our entries did to it.
    Changed(Box<InvoiceAccount>),
    /// Was there with the same figures.
    Same,
    /// Was there with a newer version: ignored.
    Older,
}

/// The heads of all lanes under one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// When.
    pub at: Timestamp,
    /// Every lane's (lane, last n, chain hash).
    pub heads: Vec<(u32, i64, [u8; 32])>,
    /// HMAC-SHA256 over the heads and the time.
    pub signature: [u8; 32],
}

/// One transaction.
pub trait Tx: desk::DeskTx + closes::CloseTx + users::UserTx {
    /// Where this writer's lane goes on.
    ///
    /// # Errors
    /// The machine's.
    fn heads(&mut self) -> Result<Heads, StoreError>;

    /// The rows of these event keys, in order; `None` where there is none.
    ///
    /// # Errors
    /// The machine's.
    fn events(&mut self, keys: &[EventKey]) -> Result<Vec<Option<EventRecord>>, StoreError>;

    /// Locks the customers concerned in sorted order (where the database needs it), then reads.
    ///
    /// # Errors
    /// The machine's.
    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError>;

    /// Where the money of these payments is now, in order; empty for one without postings.
    ///
    /// # Errors
    /// The machine's.
    fn positions(&mut self, payments: &[EventKey]) -> Result<Vec<Position>, StoreError>;

    /// The parked payments that name exactly one of these invoices, oldest first, at most `limit`: from the first on, or
    /// from the one after a payment that was found before.
    ///
    /// # Errors
    /// The machine's.
    fn parked_naming(
        &mut self,
        naming: (&[InvoiceId], Option<&EventKey>),
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError>;

    /// Writes a batch of the ledger.
    ///
    /// # Errors
    /// The machine's; [`StoreError::Contended`] when a claimed key is taken.
    fn write(&mut self, writes: &Writes) -> Result<(), StoreError>;

    /// Notes that this generation has postings up to `last`. Called with every batch that posted.
    ///
    /// # Errors
    /// The machine's.
    fn note_generation(&mut self, generation: Generation, last: PostingNo, at: Timestamp) -> Result<(), StoreError>;

    /// Adds or replaces invoices by version, in order, and says what it found for each. Until the transaction ends nobody
    /// else moves money on any of them, also not on those that it leaves as they are.
    ///
    /// # Errors
    /// The machine's.
    fn upsert_invoices(&mut self, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError>;

    /// Takes messages to send: due, first of their invoice (none of that invoice before them is waiting, leased or
    /// parked), the longest due first, urgent or not: the fast lane asks with `urgent_only` besides, so neither lane
    /// starves the other. An expired lease may be taken over. One request after the other, each beside what those before it
    /// took.
    ///
    /// # Errors
    /// The machine's.
    fn lease(&mut self, requests: &[LeaseRequest]) -> Result<Vec<LeasedDispatch>, StoreError>;

    /// Writes results under their fences; `false` where the lease was lost and nothing changed.
    ///
    /// # Errors
    /// The machine's.
    fn settle(&mut self, results: &[DispatchResult]) -> Result<Vec<bool>, StoreError>;

    /// Puts the unfinished messages of those of these invoices that were due before `today` into the fast lane, and
    /// says how many it moved.
    ///
    /// # Errors
    /// The machine's.
    fn raise_overdue(&mut self, invoices: &[InvoiceId], today: jiff::civil::Date) -> Result<u64, StoreError>;

    /// Makes at most `limit` messages due now that wait, and as many that are leased, for longer than `ahead_ms` from now,
    /// and says how many.
    ///
    /// # Errors
    /// The machine's.
    fn bring_near(&mut self, now: Timestamp, ahead_ms: i64, limit: u32) -> Result<u64, StoreError>;

    /// What a person wants of a message.
    ///
    /// # Errors
    /// The machine's.
    fn command(
        &mut self,
        message: &FoundDispatch,
        command: &DispatchCommand,
        at: Timestamp,
    ) -> Result<CommandAnswer, StoreError>;

    /// Is the way to the core open? While it is paused, nobody else asks before this transaction ends (where the database
    /// needs it).
    ///
    /// # Errors
    /// The machine's.
    fn route(&mut self) -> Result<RouteState, StoreError>;

    /// Opens or pauses the way to the core.
    ///
    /// # Errors
    /// The machine's.
    fn set_route(&mut self, state: &RouteState) -> Result<(), StoreError>;

    /// Opens breaks outside a posting, such as a parked message's, and says how many: none beside an open one with its mark, and
    /// none that says what two people have settled.
    ///
    /// # Errors
    /// The machine's.
    fn open_breaks(&mut self, breaks: &[NewBreak]) -> Result<u64, StoreError>;

    /// Closes those of these breaks that are open, and says how many.
    ///
    /// # Errors
    /// The machine's.
    fn close_breaks(&mut self, breaks: &[i64], closing: &Closing<'_>) -> Result<u64, StoreError>;

    /// Says of open breaks what they are about by now, such as lines of the file that took the place of the one they were
    /// found in.
    ///
    /// # Errors
    /// The machine's.
    fn point_breaks(&mut self, pointed: &[Pointed]) -> Result<(), StoreError>;

    /// Begins a statement file, or finds how far the same bytes got.
    ///
    /// # Errors
    /// The machine's.
    fn begin_statement(&mut self, new: &NewStatement) -> Result<BegunStatement, StoreError>;

    /// Adds lines of a file that is being read; one that is there stays as it is.
    ///
    /// # Errors
    /// The machine's.
    fn add_lines(&mut self, file: FileNo, lines: &[NewLine]) -> Result<(), StoreError>;

    /// From now on the file is its day's word. Says which file was before: that one is superseded, and what was matched
    /// to its lines is free again.
    ///
    /// # Errors
    /// The machine's.
    fn take_statement(&mut self, file: FileNo, sums: &StatementSums) -> Result<Option<FileNo>, StoreError>;

    /// Keeps a comparison.
    ///
    /// # Errors
    /// The machine's.
    fn add_reconciliation(&mut self, new: &NewReconciliation) -> Result<ReconciliationNo, StoreError>;

    /// Keeps matches of a comparison, and says how many are new: a line or an event that is matched on this leg stays as
    /// it is.
    ///
    /// # Errors
    /// The machine's.
    fn add_matches(&mut self, of: (ReconciliationNo, StatementKind), matches: &[NewMatch]) -> Result<u64, StoreError>;

    /// Brings batches up to date with what the bank credited, and says how many rows it wrote: one that a comparison
    /// knew more of stays as it is.
    ///
    /// # Errors
    /// The machine's.
    fn put_batches(&mut self, batches: &[settlements::Batch]) -> Result<u64, StoreError>;

    /// Adds to the counts of repeats, which stand beside the chain: (partner, day, how many).
    ///
    /// # Errors
    /// The machine's.
    fn count_repeats(&mut self, counts: &[RepeatCount]) -> Result<(), StoreError>;

    /// The heads of all lanes.
    ///
    /// # Errors
    /// The machine's.
    fn lane_heads(&mut self) -> Result<Vec<(u32, i64, [u8; 32])>, StoreError>;

    /// Adds a seal.
    ///
    /// # Errors
    /// The machine's.
    fn add_seal(&mut self, seal: &Seal) -> Result<(), StoreError>;

    /// Takes or keeps the lead in some work; `false` while it is another's. For work that is wasted when two do it, never
    /// wrong.
    ///
    /// # Errors
    /// The machine's.
    fn lead(&mut self, lead: &Lead) -> Result<bool, StoreError>;

    /// Is this partner paused by ops? All that are.
    ///
    /// # Errors
    /// The machine's.
    fn paused_partners(&mut self) -> Result<Vec<crate::domain::ids::PartnerCode>, StoreError>;

    /// Pauses or resumes a partner.
    ///
    /// # Errors
    /// The machine's.
    fn set_partner_paused(
        &mut self,
        partner: &crate::domain::ids::PartnerCode,
        paused: bool,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Replaces the verdict's reading of a stored receipt: notes that receipt `n` of `lane` was read again by
    /// `notice redo`, so that its break can be closed and it is not redone twice.
    ///
    /// # Errors
    /// The machine's.
    fn note_redone(&mut self, lane: u32, n: i64, at: Timestamp) -> Result<(), StoreError>;

    /// Looks at a slice of what may be forgotten, in the order of its numbers, and forgets what is old and nobody
    /// needs; notes how much, so that `audit` can tell it from a loss.
    ///
    /// # Errors
    /// The machine's.
    fn erase(&mut self, request: &EraseRequest) -> Result<Erased, StoreError>;
}

/// Repeats of one partner on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatCount {
    /// Whose.
    pub partner: crate::domain::ids::PartnerCode,
    /// The day they came.
    pub day: jiff::civil::Date,
    /// How many.
    pub count: i64,
}

/// The customers whose open invoices a batch must see, in the order in which they are locked.
#[must_use]
pub fn in_lock_order(customers: &[CustomerCode]) -> Vec<CustomerCode> {
    let mut sorted = customers.to_vec();
    sorted.sort();
    sorted.dedup();
    sorted
}

/// Why a message is parked, with the words for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The cause.
    pub cause: ParkCause,
    /// For people.
    pub reason: String,
}

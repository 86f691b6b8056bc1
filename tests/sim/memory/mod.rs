//! A store in memory: the same verbs and the same refusals as the databases, and it can be made to fail at a
//! commit in each of their ways. Several instances may share one. A transaction is undone by a log, so that a
//! simulated day costs microseconds. Not fast for large books, and not durable.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

mod closes;
mod desk;
mod lease;
mod pages;
mod periods;
mod reports;
mod retention;
mod tx;
mod users;

pub use reports::MemoryReports;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thuho::domain::dispatch::{Dispatch, DispatchState};
use thuho::domain::ids::{Author, DispatchKey, EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use thuho::domain::invoice::{InvoiceAccount, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::Wanted;
use thuho::domain::posting::{Account, Allocation, Entry};
use thuho::domain::review::NewBreak;
use thuho::domain::time::Timestamp;
use thuho::store::rows::EventRecord;
use thuho::store::{Candidates, NewReceipt, NumberedPosting, Position, RouteState, Seal, Store, StoreError, Work};
use tx::MemoryTx;

/// A message with its history.
#[derive(Clone, Debug)]
pub struct Message {
    pub dispatch: Dispatch,
    pub state: DispatchState,
    pub due_at: Timestamp,
    pub attempts: u32,
    pub walls: u32,
    pub reason: Option<String>,
    pub proposed_by: Option<Author>,
    pub closed_at: Option<Timestamp>,
}

/// A stored link.
#[derive(Clone, Debug)]
pub struct Link {
    pub lane: u32,
    pub receipt: NewReceipt,
    pub redone_at: Option<Timestamp>,
    pub erased: bool,
}

/// All tables.
#[derive(Clone, Debug, Default)]
pub struct Db {
    pub invoices: BTreeMap<InvoiceId, InvoiceAccount>,
    pub events: BTreeMap<EventKey, EventRecord>,
    pub event_order: Vec<EventKey>,
    pub postings: Vec<NumberedPosting>,
    pub postings_of: BTreeMap<EventKey, Vec<usize>>,
    pub messages: Vec<Message>,
    pub message_of: BTreeMap<DispatchKey, usize>,
    pub links: Vec<Link>,
    pub lane_heads: BTreeMap<u32, (i64, [u8; 32])>,
    pub breaks: Vec<NewBreak>,
    /// Which of them are over, by their places.
    pub over: BTreeSet<usize>,
    pub generations: BTreeMap<Generation, PostingNo>,
    pub repeats: BTreeMap<(PartnerCode, jiff::civil::Date), i64>,
    pub seals: Vec<Seal>,
    pub route: RouteState,
    pub paused: BTreeSet<PartnerCode>,
    pub leads: BTreeMap<&'static str, (Generation, Timestamp)>,
}

impl Db {
    /// The messages of an invoice that are not finished, before a sequence.
    fn is_first(&self, invoice: &InvoiceId, sequence: u32) -> bool {
        !self
            .messages
            .iter()
            .any(|m| m.dispatch.invoice == *invoice && m.dispatch.sequence < sequence && is_unfinished(&m.state))
    }

    fn position(&self, payment: &EventKey) -> Position {
        let mut net: BTreeMap<Account, Money> = BTreeMap::new();
        let mut standing: Vec<Allocation> = Vec::new();
        for at in self.postings_of.get(payment).into_iter().flatten() {
            let posting = &self.postings[*at].posting;
            for entry in posting.entries() {
                let balance = net.entry(entry.account.clone()).or_default();
                *balance = balance.plus(entry.amount).unwrap();
            }
            for allocation in posting.allocations() {
                if allocation.amount.is_positive() {
                    standing.push(allocation.clone());
                } else {
                    let back = allocation.amount.negated();
                    let found = standing.iter().rposition(|s| s.invoice == allocation.invoice && s.amount == back);
                    standing.remove(found.expect("what is taken back was settled"));
                }
            }
        }
        let entries =
            net.into_iter().filter(|(_, m)| !m.is_zero()).map(|(account, amount)| Entry { account, amount }).collect();
        Position { entries, allocations: standing }
    }

    fn candidates(&self, wanted: &Wanted) -> Candidates {
        let mut found = Candidates::default();
        for id in &wanted.invoices {
            if let Some(account) = self.invoices.get(id) {
                found.invoices.insert(id.clone(), account.clone());
            }
        }
        for account in self.invoices.values() {
            if wanted.customers.contains(&account.invoice.customer) {
                found.known.insert(account.invoice.customer.clone());
                if account.invoice.status == InvoiceStatus::Open {
                    found.invoices.insert(account.invoice.id.clone(), account.clone());
                }
            }
        }
        found
    }
}

fn is_unfinished(state: &DispatchState) -> bool {
    match state {
        DispatchState::Waiting { .. } | DispatchState::Leased { .. } | DispatchState::Parked { .. } => true,
        DispatchState::Delivered { .. } | DispatchState::Closed => false,
    }
}

/// What the next commit does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommitFate {
    #[default]
    Works,
    /// Nothing is written.
    Full,
    /// Nothing is written.
    Broken,
    /// Nothing is written; the work may be run again.
    Contended,
    /// Nothing is written: a statement was refused.
    Fault,
    /// Everything is written, and nobody knows.
    UnknownApplied,
    /// Nothing is written, and nobody knows.
    UnknownLost,
    /// The process dies before the commit.
    DiesBefore,
    /// The process dies after the commit, before anything is answered.
    DiesAfter,
    /// The deciding panics before the commit; the process goes on.
    Panics,
    /// Says yes and writes nothing: a database that acknowledges before it is durable, losing power. Never right.
    Lies,
}

/// What a process that died inside a transaction panics with.
pub const DIED: &str = "the process died";

/// One writer's connection.
#[derive(Clone)]
pub struct MemoryStore {
    pub db: Arc<Mutex<Db>>,
    pub fate: Arc<Mutex<CommitFate>>,
    pub lane: u32,
}

impl MemoryStore {
    pub fn new(lane: u32) -> Self {
        Self { db: Arc::default(), fate: Arc::default(), lane }
    }

    /// Another writer of the same database.
    pub fn beside(&self, lane: u32) -> Self {
        Self { db: Arc::clone(&self.db), fate: Arc::default(), lane }
    }

    pub fn db(&self) -> MutexGuard<'_, Db> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn next_commit(&self, fate: CommitFate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }
}

impl Store for MemoryStore {
    fn lane(&self) -> u32 {
        self.lane
    }

    fn transact(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut db = self.db.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tx = MemoryTx { db: &mut db, lane: self.lane, undo: Vec::new() };
        work(&mut tx)?;
        let fate = std::mem::take(&mut *self.fate.lock().unwrap_or_else(PoisonError::into_inner));
        match fate {
            CommitFate::Works | CommitFate::UnknownApplied | CommitFate::DiesAfter => tx.undo.clear(),
            CommitFate::Full
            | CommitFate::Broken
            | CommitFate::Contended
            | CommitFate::Fault
            | CommitFate::UnknownLost
            | CommitFate::DiesBefore
            | CommitFate::Panics
            | CommitFate::Lies => {}
        }
        drop(tx);
        match fate {
            CommitFate::Works | CommitFate::Lies => Ok(()),
            CommitFate::Full => Err(StoreError::Full("no space".into())),
            CommitFate::Broken | CommitFate::DiesBefore | CommitFate::DiesAfter => Err(StoreError::Broken(DIED.into())),
            // Without the hook: nothing is printed.
            CommitFate::Panics => std::panic::resume_unwind(Box::new(DIED)),
            CommitFate::Contended => Err(StoreError::Contended),
            CommitFate::Fault => Err(StoreError::Fault("a statement was refused".to_owned())),
            CommitFate::UnknownApplied | CommitFate::UnknownLost => Err(StoreError::Unknown("lost".into())),
        }
    }
}

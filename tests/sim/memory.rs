//! A store in memory: the same verbs and the same refusals as the databases, and it can be made to fail at a
//! commit in each of their ways. Several instances may share one. A transaction is undone by a log, so that a
//! simulated day costs microseconds. Not fast for large books, and not durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use thuho::domain::dispatch::{AttemptResult, Dispatch, DispatchResult, DispatchState, LeasedDispatch, ParkCause};
use thuho::domain::ids::{Author, CustomerCode, DispatchKey, EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use thuho::domain::invoice::{Invoice, InvoiceAccount, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::Wanted;
use thuho::domain::posting::{Account, Allocation, Entry};
use thuho::domain::receipt::Verdict;
use thuho::domain::review::NewBreak;
use thuho::domain::time::Timestamp;
use thuho::store::reports::{
    BreakView, DispatchFilter, DispatchView, Inconsistencies, OutboxDepth, PostingView, ReceiptCount, ReceiptFilter,
    Reports, StoredReceipt,
};
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::{
    Candidates, CommandAnswer, DispatchCommand, EventWrite, Heads, LeaseRequest, NewReceipt, NumberedPosting, Position,
    RepeatCount, RouteState, Seal, Store, StoreError, Tx, Upserted, Work, Writes,
};

/// A message with its history.
#[derive(Clone, Debug)]
pub struct Message {
    pub dispatch: Dispatch,
    pub state: DispatchState,
    pub attempts: u32,
    pub reason: Option<String>,
    pub proposed_by: Option<Author>,
}

/// A stored link.
#[derive(Clone, Debug)]
pub struct Link {
    pub lane: u32,
    pub receipt: NewReceipt,
    pub redone_at: Option<Timestamp>,
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
    pub generations: BTreeMap<Generation, PostingNo>,
    pub repeats: BTreeMap<(PartnerCode, jiff::civil::Date), i64>,
    pub seals: Vec<Seal>,
    pub route: RouteState,
    pub paused: BTreeSet<PartnerCode>,
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
    /// Everything is written, and nobody knows.
    UnknownApplied,
    /// Nothing is written, and nobody knows.
    UnknownLost,
    /// The process dies before the commit.
    DiesBefore,
    /// The process dies after the commit, before anything is answered.
    DiesAfter,
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

type Undo = Box<dyn FnOnce(&mut Db)>;

struct MemoryTx<'a> {
    db: &'a mut Db,
    lane: u32,
    undo: Vec<Undo>,
}

impl Drop for MemoryTx<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            undo(self.db);
        }
    }
}

impl Store for MemoryStore {
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
            | CommitFate::UnknownLost
            | CommitFate::DiesBefore
            | CommitFate::Lies => {}
        }
        drop(tx);
        match fate {
            CommitFate::Works | CommitFate::Lies => Ok(()),
            CommitFate::Full => Err(StoreError::Full("no space".into())),
            CommitFate::Broken | CommitFate::DiesBefore | CommitFate::DiesAfter => Err(StoreError::Broken(DIED.into())),
            CommitFate::Contended => Err(StoreError::Contended),
            CommitFate::UnknownApplied | CommitFate::UnknownLost => Err(StoreError::Unknown("lost".into())),
        }
    }
}

fn fault(text: impl Into<String>) -> StoreError {
    StoreError::Fault(text.into())
}

impl MemoryTx<'_> {
    fn set_message(&mut self, at: usize, message: Message) {
        let old = std::mem::replace(&mut self.db.messages[at], message);
        self.undo.push(Box::new(move |db| db.messages[at] = old));
    }

    fn set_event(&mut self, record: EventRecord) {
        let key = record.key;
        let old = self.db.events.insert(key, record);
        self.undo.push(Box::new(move |db| match old {
            Some(old) => drop(db.events.insert(key, old)),
            None => drop(db.events.remove(&key)),
        }));
    }

    fn set_invoice(&mut self, account: InvoiceAccount) {
        let id = account.invoice.id.clone();
        let old = self.db.invoices.insert(id.clone(), account);
        self.undo.push(Box::new(move |db| match old {
            Some(old) => drop(db.invoices.insert(id, old)),
            None => drop(db.invoices.remove(&id)),
        }));
    }

    fn add_receipt(&mut self, receipt: &NewReceipt) -> Result<(), StoreError> {
        let (n, hash) = self.db.lane_heads.get(&self.lane).copied().unwrap_or_default();
        if receipt.n != n + 1 || receipt.previous != hash {
            return Err(fault("receipts.add: not the next link"));
        }
        let lane = self.lane;
        let old = self.db.lane_heads.insert(lane, (receipt.n, receipt.hash));
        self.db.links.push(Link { lane, receipt: receipt.clone(), redone_at: None });
        self.undo.push(Box::new(move |db| {
            db.links.pop();
            match old {
                Some(old) => drop(db.lane_heads.insert(lane, old)),
                None => drop(db.lane_heads.remove(&lane)),
            }
        }));
        Ok(())
    }

    fn write_event(&mut self, write: &EventWrite) -> Result<(), StoreError> {
        match write {
            EventWrite::Claim(record) => {
                if self.db.events.contains_key(&record.key) {
                    return Err(StoreError::Contended);
                }
                self.db.event_order.push(record.key);
                self.undo.push(Box::new(|db| drop(db.event_order.pop())));
                self.set_event(record.clone());
            }
            EventWrite::Fulfil(record) => {
                let waits = |r: &EventRecord| matches!(r.state, EventState::Expected { .. });
                if !self.db.events.get(&record.key).is_some_and(waits) {
                    return Err(StoreError::Contended);
                }
                self.set_event(record.clone());
            }
            EventWrite::State { key, state, postings } => {
                let mut record = self.db.events.get(key).cloned().ok_or_else(|| fault("events.state: no such event"))?;
                record.state = *state;
                record.postings = *postings;
                self.set_event(record);
            }
        }
        Ok(())
    }

    fn add_posting(&mut self, numbered: &NumberedPosting) -> Result<(), StoreError> {
        let posting = &numbered.posting;
        let event = *posting.event();
        if !self.db.events.contains_key(&event) {
            return Err(fault("postings.add: no such event"));
        }
        if self.db.postings.last().is_some_and(|last| last.no >= numbered.no) {
            return Err(fault("postings.add: not the next number"));
        }
        for allocation in posting.allocations() {
            let mut account = self
                .db
                .invoices
                .get(&allocation.invoice)
                .cloned()
                .ok_or_else(|| fault("postings.add_allocation: no such invoice"))?;
            if allocation.sequence <= account.sequence {
                return Err(fault("postings.add_allocation: the sequence is taken"));
            }
            account.sequence = allocation.sequence;
            account.settled = account.settled.plus(allocation.amount).map_err(|e| fault(e.to_string()))?;
            self.set_invoice(account);
        }
        let at = self.db.postings.len();
        self.db.postings.push(numbered.clone());
        self.db.postings_of.entry(event).or_default().push(at);
        self.undo.push(Box::new(move |db| {
            db.postings.pop();
            if let Some(of) = db.postings_of.get_mut(&event) {
                of.pop();
            }
        }));
        Ok(())
    }

    fn add_dispatch(&mut self, dispatch: &Dispatch, writes: &Writes) -> Result<(), StoreError> {
        let caused = writes.postings.iter().flat_map(|p| p.posting.allocations()).any(|a| {
            a.key == dispatch.key && a.invoice == dispatch.invoice && a.sequence == dispatch.sequence
        });
        if !caused {
            return Err(fault("dispatches.add: not the message of an allocation"));
        }
        if self.db.message_of.contains_key(&dispatch.key) {
            return Err(fault("dispatches.add: the key is taken"));
        }
        let at = self.db.messages.len();
        self.db.message_of.insert(dispatch.key.clone(), at);
        self.db.messages.push(Message {
            dispatch: dispatch.clone(),
            state: DispatchState::Waiting { not_before: dispatch.created_at },
            attempts: 0,
            reason: None,
            proposed_by: None,
        });
        let key = dispatch.key.clone();
        self.undo.push(Box::new(move |db| {
            db.messages.pop();
            db.message_of.remove(&key);
        }));
        Ok(())
    }
}

impl Tx for MemoryTx<'_> {
    fn heads(&mut self) -> Result<Heads, StoreError> {
        let (n, chain) = self.db.lane_heads.get(&self.lane).copied().unwrap_or_default();
        let posting = self.db.postings.last().map_or(PostingNo(1), |p| PostingNo(p.no.0 + 1));
        Ok(Heads { receipt: n + 1, chain, posting })
    }

    fn events(&mut self, keys: &[EventKey]) -> Result<Vec<Option<EventRecord>>, StoreError> {
        Ok(keys.iter().map(|key| self.db.events.get(key).cloned()).collect())
    }

    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        Ok(self.db.candidates(wanted))
    }

    fn positions(&mut self, payments: &[EventKey]) -> Result<Vec<Position>, StoreError> {
        Ok(payments.iter().map(|payment| self.db.position(payment)).collect())
    }

    fn parked_naming(&mut self, invoices: &[InvoiceId], limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let names = |r: &&EventRecord| {
            matches!(r.state, EventState::Parked(_)) && r.names_invoice.as_ref().is_some_and(|i| invoices.contains(i))
        };
        let all = self.db.event_order.iter().filter_map(|key| self.db.events.get(key)).filter(names);
        Ok(all.take(usize::try_from(limit).unwrap()).cloned().collect())
    }

    fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        for receipt in &writes.receipts {
            self.add_receipt(receipt)?;
        }
        for event in &writes.events {
            self.write_event(event)?;
        }
        for posting in &writes.postings {
            self.add_posting(posting)?;
        }
        for dispatch in &writes.dispatches {
            self.add_dispatch(dispatch, writes)?;
        }
        self.open_breaks(&writes.breaks)
    }

    fn note_generation(&mut self, generation: Generation, last: PostingNo, _at: Timestamp) -> Result<(), StoreError> {
        let old = self.db.generations.insert(generation, last);
        self.undo.push(Box::new(move |db| match old {
            Some(old) => drop(db.generations.insert(generation, old)),
            None => drop(db.generations.remove(&generation)),
        }));
        Ok(())
    }

    fn upsert_invoices(&mut self, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError> {
        let mut found = Vec::with_capacity(invoices.len());
        for invoice in invoices {
            let known = self.db.invoices.get(&invoice.id).cloned();
            found.push(match &known {
                None => Upserted::Added,
                Some(known) if known.invoice.version > invoice.version => Upserted::Older,
                Some(known) if known.invoice == *invoice => Upserted::Same,
                Some(_) => Upserted::Changed,
            });
            if matches!(found.last(), Some(Upserted::Added | Upserted::Changed)) {
                let (settled, sequence) = known.map(|k| (k.settled, k.sequence)).unwrap_or_default();
                self.set_invoice(InvoiceAccount { invoice: invoice.clone(), settled, sequence });
            }
        }
        Ok(found)
    }

    fn lease(&mut self, request: &LeaseRequest) -> Result<Vec<LeasedDispatch>, StoreError> {
        let mut due: Vec<(bool, Timestamp, usize)> = Vec::new();
        for (at, message) in self.db.messages.iter().enumerate() {
            let since = match message.state {
                DispatchState::Waiting { not_before } if not_before <= request.now => not_before,
                DispatchState::Leased { until, .. } if until <= request.now => message.dispatch.created_at,
                _ => continue,
            };
            let d = &message.dispatch;
            if (d.urgent || !request.urgent_only) && self.db.is_first(&d.invoice, d.sequence) {
                due.push((!d.urgent, since, at));
            }
        }
        due.sort();
        due.truncate(usize::try_from(request.limit).unwrap());
        let mut taken = Vec::with_capacity(due.len());
        for (_, _, at) in due {
            let mut message = self.db.messages[at].clone();
            message.state = DispatchState::Leased { token: request.token, until: request.until };
            taken.push(LeasedDispatch {
                key: message.dispatch.key.clone(),
                invoice: message.dispatch.invoice.clone(),
                body: message.dispatch.body.clone(),
                attempts: message.attempts,
                created_at: message.dispatch.created_at,
                token: request.token,
                urgent: message.dispatch.urgent,
            });
            self.set_message(at, message);
        }
        Ok(taken)
    }

    fn settle(&mut self, results: &[DispatchResult]) -> Result<Vec<bool>, StoreError> {
        let mut written = Vec::with_capacity(results.len());
        for result in results {
            let held = self.db.message_of.get(&result.key).copied().filter(|at| {
                matches!(self.db.messages[*at].state, DispatchState::Leased { token, .. } if token == result.token)
            });
            written.push(held.is_some());
            let Some(at) = held else { continue };
            let mut message = self.db.messages[at].clone();
            message.attempts += u32::from(result.result != AttemptResult::Released);
            (message.state, message.reason) = match &result.result {
                AttemptResult::Delivered => (DispatchState::Delivered { at: result.at }, None),
                AttemptResult::Retry { not_before, reason } => {
                    (DispatchState::Waiting { not_before: *not_before }, Some(reason.clone()))
                }
                AttemptResult::Parked { cause, reason } => {
                    (DispatchState::Parked { cause: *cause }, Some(reason.clone()))
                }
                AttemptResult::Released => {
                    (DispatchState::Waiting { not_before: message.dispatch.created_at }, message.reason)
                }
            };
            self.set_message(at, message);
        }
        Ok(written)
    }

    fn command(
        &mut self,
        key: &DispatchKey,
        command: &DispatchCommand,
        at: Timestamp,
    ) -> Result<CommandAnswer, StoreError> {
        let Some(index) = self.db.message_of.get(key).copied() else {
            return Ok(CommandAnswer::NotFound);
        };
        let mut message = self.db.messages[index].clone();
        match (command, &message.state) {
            (DispatchCommand::Retry, DispatchState::Waiting { .. } | DispatchState::Parked { .. }) => {
                message.state = DispatchState::Waiting { not_before: at };
                message.proposed_by = None;
            }
            (DispatchCommand::Hold, DispatchState::Waiting { .. }) => {
                message.state = DispatchState::Parked { cause: ParkCause::Held };
            }
            (DispatchCommand::Hold, DispatchState::Parked { .. }) => {}
            (DispatchCommand::ProposeClose { author, .. }, DispatchState::Parked { .. }) => {
                message.proposed_by = Some(author.clone());
            }
            (DispatchCommand::ApproveClose { author }, DispatchState::Parked { .. }) => {
                if message.proposed_by.as_ref().is_none_or(|proposer| proposer == author) {
                    return Ok(CommandAnswer::NeedsAnother);
                }
                message.state = DispatchState::Closed;
            }
            _ => return Ok(CommandAnswer::WrongState),
        }
        self.set_message(index, message);
        Ok(CommandAnswer::Done)
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        Ok(self.db.route.clone())
    }

    fn set_route(&mut self, state: &RouteState) -> Result<(), StoreError> {
        let old = std::mem::replace(&mut self.db.route, state.clone());
        self.undo.push(Box::new(move |db| db.route = old));
        Ok(())
    }

    fn open_breaks(&mut self, breaks: &[NewBreak]) -> Result<(), StoreError> {
        let before = self.db.breaks.len();
        self.db.breaks.extend(breaks.iter().cloned());
        self.undo.push(Box::new(move |db| db.breaks.truncate(before)));
        Ok(())
    }

    fn count_repeats(&mut self, counts: &[RepeatCount]) -> Result<(), StoreError> {
        let old = self.db.repeats.clone();
        self.undo.push(Box::new(move |db| db.repeats = old));
        for RepeatCount { partner, day, count } in counts {
            *self.db.repeats.entry((partner.clone(), *day)).or_default() += count;
        }
        Ok(())
    }

    fn lane_heads(&mut self) -> Result<Vec<(u32, i64, [u8; 32])>, StoreError> {
        Ok(self.db.lane_heads.iter().map(|(lane, (n, hash))| (*lane, *n, *hash)).collect())
    }

    fn add_seal(&mut self, seal: &Seal) -> Result<(), StoreError> {
        self.db.seals.push(seal.clone());
        self.undo.push(Box::new(|db| drop(db.seals.pop())));
        Ok(())
    }

    fn paused_partners(&mut self) -> Result<Vec<PartnerCode>, StoreError> {
        Ok(self.db.paused.iter().cloned().collect())
    }

    fn set_partner_paused(&mut self, partner: &PartnerCode, paused: bool, _at: Timestamp) -> Result<(), StoreError> {
        let old = self.db.paused.clone();
        self.undo.push(Box::new(move |db| db.paused = old));
        if paused {
            self.db.paused.insert(partner.clone());
        } else {
            self.db.paused.remove(partner);
        }
        Ok(())
    }

    fn note_redone(&mut self, lane: u32, n: i64, at: Timestamp) -> Result<(), StoreError> {
        let found = self.db.links.iter().position(|l| l.lane == lane && l.receipt.n == n);
        let index = found.ok_or_else(|| fault("receipts.redone: no such receipt"))?;
        let old = self.db.links[index].redone_at.replace(at);
        self.undo.push(Box::new(move |db| db.links[index].redone_at = old));
        Ok(())
    }
}

/// The read side of the same tables.
pub struct MemoryReports(pub MemoryStore);

impl MemoryReports {
    fn db(&self) -> MutexGuard<'_, Db> {
        self.0.db()
    }

    fn events_where(&self, limit: u32, keep: impl Fn(&EventRecord) -> bool) -> Vec<EventRecord> {
        let db = self.db();
        let newest_first = db.event_order.iter().rev().filter_map(|key| db.events.get(key));
        newest_first.filter(|r| keep(r)).take(usize::try_from(limit).unwrap()).cloned().collect()
    }
}

fn state_word(state: &DispatchState) -> &'static str {
    match state {
        DispatchState::Waiting { .. } => "waiting",
        DispatchState::Leased { .. } => "leased",
        DispatchState::Delivered { .. } => "delivered",
        DispatchState::Parked { .. } => "parked",
        DispatchState::Closed => "closed",
    }
}

impl Reports for MemoryReports {
    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        Ok(self.db().candidates(wanted))
    }

    fn event(&mut self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        Ok(self.db().events.get(key).cloned())
    }

    fn events_named(&mut self, partner: &PartnerCode, event: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        Ok(self.events_where(limit, |r| r.partner == *partner && r.event == event))
    }

    fn payments_of_invoice(&mut self, invoice: &InvoiceId, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let touched: BTreeSet<EventKey> = {
            let db = self.db();
            let touches = |p: &&NumberedPosting| p.posting.allocations().iter().any(|a| a.invoice == *invoice);
            db.postings.iter().filter(touches).map(|p| *p.posting.event()).collect()
        };
        Ok(self.events_where(limit, |r| touched.contains(&r.key) || r.names_invoice.as_ref() == Some(invoice)))
    }

    fn payments_by_reference(&mut self, reference: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        Ok(self.events_where(limit, |r| {
            let refs = &r.content.references;
            [&refs.invoice, &refs.order, &refs.customer].into_iter().flatten().any(|text| text.as_str() == reference)
        }))
    }

    fn postings(&mut self, event: &EventKey) -> Result<Vec<PostingView>, StoreError> {
        let db = self.db();
        let of = db.postings_of.get(event).into_iter().flatten();
        Ok(of
            .map(|at| &db.postings[*at])
            .map(|p| PostingView {
                no: p.no,
                kind: p.posting.kind(),
                author: p.posting.author().map(ToString::to_string),
                posted_at: p.posting.posted_at(),
                entries: p.posting.entries().iter().map(|e| (e.account.clone(), e.amount)).collect(),
            })
            .collect())
    }

    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<InvoiceAccount>, StoreError> {
        Ok(self.db().invoices.get(id).cloned())
    }

    fn invoice_count(&mut self) -> Result<i64, StoreError> {
        Ok(i64::try_from(self.db().invoices.len()).unwrap())
    }

    fn dispatches(&mut self, filter: &DispatchFilter) -> Result<Vec<DispatchView>, StoreError> {
        let db = self.db();
        let keep = |m: &&Message| {
            filter.state.as_ref().is_none_or(|s| s == state_word(&m.state))
                && filter.invoice.as_ref().is_none_or(|i| *i == m.dispatch.invoice)
        };
        Ok(db
            .messages
            .iter()
            .filter(keep)
            .take(usize::try_from(filter.limit).unwrap())
            .map(|m| DispatchView {
                key: m.dispatch.key.clone(),
                invoice: m.dispatch.invoice.clone(),
                sequence: m.dispatch.sequence,
                state: state_word(&m.state).to_owned(),
                cause: match m.state {
                    DispatchState::Parked { cause } => Some(cause),
                    _ => None,
                },
                reason: m.reason.clone(),
                attempts: m.attempts,
                created_at: m.dispatch.created_at,
                delivered_at: match m.state {
                    DispatchState::Delivered { at } => Some(at),
                    _ => None,
                },
                urgent: m.dispatch.urgent,
                close_proposed_by: m.proposed_by.as_ref().map(ToString::to_string),
            })
            .collect())
    }

    fn outbox_depth(&mut self) -> Result<OutboxDepth, StoreError> {
        let db = self.db();
        let mut depth = OutboxDepth::default();
        for message in &db.messages {
            match message.state {
                DispatchState::Waiting { .. } | DispatchState::Leased { .. } => depth.waiting += 1,
                DispatchState::Parked { .. } => depth.parked += 1,
                DispatchState::Delivered { .. } | DispatchState::Closed => continue,
            }
            let at = message.dispatch.created_at;
            depth.oldest = Some(depth.oldest.map_or(at, |oldest| oldest.min(at)));
        }
        Ok(depth)
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        Ok(self.db().route.clone())
    }

    fn breaks(&mut self, _open_only: bool, limit: u32) -> Result<Vec<BreakView>, StoreError> {
        let db = self.db();
        let numbered = (1_i64..).zip(&db.breaks).collect::<Vec<_>>();
        let newest_first = numbered.into_iter().rev().take(usize::try_from(limit).unwrap());
        Ok(newest_first
            .map(|(no, b)| BreakView {
                no,
                class: b.class,
                partner: b.partner.clone(),
                event: b.event,
                invoice: b.invoice.clone(),
                amount: b.amount,
                detail: b.detail.clone(),
                opened_at: b.opened_at,
                closed_at: None,
            })
            .collect())
    }

    fn receipts(&mut self, filter: &ReceiptFilter) -> Result<Vec<StoredReceipt>, StoreError> {
        let db = self.db();
        let keep = |l: &&Link| {
            l.lane == filter.after.0
                && l.receipt.n > filter.after.1
                && filter.partner.as_ref().is_none_or(|p| *p == l.receipt.evidence.partner)
                && (filter.verdicts.is_empty() || filter.verdicts.contains(&l.receipt.verdict))
        };
        Ok(db
            .links
            .iter()
            .filter(keep)
            .take(usize::try_from(filter.limit).unwrap())
            .map(|l| StoredReceipt {
                lane: l.lane,
                n: l.receipt.n,
                previous: l.receipt.previous,
                hash: l.receipt.hash,
                raw_hash: l.receipt.raw_hash,
                verdict: l.receipt.verdict,
                partner: l.receipt.evidence.partner.clone(),
                received_at: l.receipt.evidence.received_at,
                amount_dong: l.receipt.amount_dong,
                event: l.receipt.event,
                evidence: filter.with_evidence.then(|| l.receipt.evidence.clone()),
                redone_at: l.redone_at,
            })
            .collect())
    }

    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError> {
        let db = self.db();
        let mut counts: BTreeMap<(PartnerCode, Verdict), (i64, i64)> = BTreeMap::new();
        for link in &db.links {
            let r = &link.receipt;
            let (count, dong) = counts.entry((r.evidence.partner.clone(), r.verdict)).or_default();
            *count += 1;
            *dong += r.amount_dong.unwrap_or_default();
        }
        let view = |((partner, verdict), (count, dong))| ReceiptCount { partner, verdict, count, dong };
        Ok(counts.into_iter().map(view).collect())
    }

    fn lanes(&mut self) -> Result<Vec<u32>, StoreError> {
        Ok(self.db().lane_heads.keys().copied().collect())
    }

    fn seals(&mut self, after: Timestamp, limit: u32) -> Result<Vec<Seal>, StoreError> {
        let mut seals: Vec<Seal> = self.db().seals.iter().filter(|s| s.at > after).cloned().collect();
        seals.sort_by_key(|s| s.at);
        seals.truncate(usize::try_from(limit).unwrap());
        Ok(seals)
    }

    fn balances(&mut self) -> Result<Vec<(Account, Money)>, StoreError> {
        let db = self.db();
        let mut balances: BTreeMap<Account, Money> = BTreeMap::new();
        for entry in db.postings.iter().flat_map(|p| p.posting.entries()) {
            let balance = balances.entry(entry.account.clone()).or_default();
            *balance = balance.plus(entry.amount).unwrap();
        }
        Ok(balances.into_iter().collect())
    }

    fn generations(&mut self) -> Result<Vec<(Generation, PostingNo)>, StoreError> {
        Ok(self.db().generations.iter().map(|(g, n)| (*g, *n)).collect())
    }

    fn inconsistencies(&mut self) -> Result<Inconsistencies, StoreError> {
        let db = self.db();
        let mut found = Vec::new();
        for key in db.postings.iter().flat_map(|p| p.posting.allocations()).map(|a| &a.key) {
            if !db.message_of.contains_key(key) {
                found.push(format!("the core is never told of {key}"));
            }
        }
        for record in db.events.values() {
            let position = db.position(&record.key);
            let suspense = position.entries.iter().any(|e| matches!(e.account, Account::Suspense(_)));
            let right = match record.state {
                EventState::Settled => !position.allocations.is_empty() && !suspense,
                EventState::Parked(_) => position.allocations.is_empty() && suspense,
                EventState::Reversed | EventState::Expected { .. } => position == Position::default(),
                EventState::Applied | EventState::Waiting | EventState::Refused => position == Position::default(),
            };
            if !right {
                found.push(format!("event {} is {} and its money is not", record.key, record.state.word()));
            }
        }
        Ok(Inconsistencies { found })
    }
}

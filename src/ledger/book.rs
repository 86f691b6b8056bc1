//! What one batch knows and what it will write. Loaded once, then changed in memory by each decision, so that the
//! next one sees keys, invoices and money as the one before left them; written once. Not the deciding: `post` and
//! `register` do that. Keeps I2 (a key is claimed once, also within a batch), I5 and I6 (entries only as composed,
//! with their messages).

use super::compose::{Composed, Line, Moment};
use super::recent::{Mark, RecentBreaks};
use crate::domain::decision::Part;
use crate::domain::ids::{Author, CustomerCode, EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::domain::posting::{Allocation, Entry, Posting, PostingKind};
use crate::domain::receipt::{HashedEvidence, Link, Verdict};
use crate::domain::review::{BreakClass, NewBreak};
use crate::matching::Bills;
use crate::store::rows::{EventRecord, EventState};
use crate::store::statements::Closing;
use crate::store::{Candidates, EventWrite, Heads, NewReceipt, NumberedPosting, Position, StoreError, Tx, Writes};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Who ends breaks that a notice settles.
const ENDED_BY: &str = "system:reversal";

/// Who writes, when, and what it remembers of its own breaks.
#[derive(Clone, Debug)]
pub struct LaneContext {
    /// The writer's receipt chain.
    pub lane: u32,
    /// This start of this instance.
    pub generation: Generation,
    /// Now, and its business day.
    pub moment: Moment,
    /// Breaks opened lately, so that a repeated call does not open one each time.
    pub recent: Arc<RecentBreaks>,
}

/// The known bills of [`crate::store::Candidates`]: what inquiry matches against.
impl Bills for Candidates {
    fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceAccount> {
        self.invoices.get(id)
    }

    fn of_customer(&self, code: &CustomerCode) -> Vec<&InvoiceAccount> {
        self.invoices.values().filter(|account| account.invoice.customer == *code).collect()
    }

    fn knows(&self, code: &CustomerCode) -> bool {
        self.known.contains(code) || self.invoices.values().any(|account| account.invoice.customer == *code)
    }
}

/// The fold's state.
pub(super) struct Book {
    lane: u32,
    moment: Moment,
    heads: Heads,
    recent: Arc<RecentBreaks>,
    events: HashMap<EventKey, EventRecord>,
    invoices: HashMap<InvoiceId, InvoiceAccount>,
    customers: HashMap<CustomerCode, Vec<InvoiceId>>,
    known: HashSet<CustomerCode>,
    positions: HashMap<EventKey, Position>,
    writes: Writes,
    opened: Vec<Mark>,
    /// Breaks that this batch ends.
    over: Vec<(EventKey, BreakClass)>,
}

impl Book {
    /// An empty one at the head of the lane.
    pub(super) fn open(tx: &mut dyn Tx, lane: &LaneContext) -> Result<Self, StoreError> {
        Ok(Self {
            lane: lane.lane,
            moment: lane.moment,
            heads: tx.heads()?,
            recent: Arc::clone(&lane.recent),
            events: HashMap::new(),
            invoices: HashMap::new(),
            customers: HashMap::new(),
            known: HashSet::new(),
            positions: HashMap::new(),
            writes: Writes::default(),
            opened: Vec::new(),
            over: Vec::new(),
        })
    }

    /// Reads the rows of these keys and, where a payment is still expected, of the reversal that came first.
    pub(super) fn load_events(&mut self, tx: &mut dyn Tx, keys: &[EventKey]) -> Result<(), StoreError> {
        let mut first = keys.to_vec();
        first.sort_unstable();
        first.dedup();
        let found = self.take_events(tx, &first)?;
        let mut second: Vec<EventKey> = found
            .iter()
            .filter_map(|state| match state {
                EventState::Expected { reversal } => Some(*reversal),
                _ => None,
            })
            .filter(|key| !self.events.contains_key(key))
            .collect();
        second.sort_unstable();
        second.dedup();
        self.take_events(tx, &second).map(|_states| ())
    }

    fn take_events(&mut self, tx: &mut dyn Tx, keys: &[EventKey]) -> Result<Vec<EventState>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = tx.events(keys)?.into_iter().flatten().collect();
        let states = rows.iter().map(|row| row.state).collect();
        self.events.extend(rows.into_iter().map(|row| (row.key, row)));
        Ok(states)
    }

    /// Reads where the money of these payments is.
    pub(super) fn load_positions(&mut self, tx: &mut dyn Tx, payments: &[EventKey]) -> Result<(), StoreError> {
        if payments.is_empty() {
            return Ok(());
        }
        let found = tx.positions(payments)?;
        self.positions.extend(payments.iter().copied().zip(found));
        Ok(())
    }

    /// The invoices that undoing the loaded positions touches.
    pub(super) fn positioned_invoices(&self) -> impl Iterator<Item = &InvoiceId> {
        self.positions.values().flat_map(|p| p.allocations.iter().map(|a| &a.invoice))
    }

    /// Reads invoices; asks nothing when nothing is wanted.
    pub(super) fn load_bills(&mut self, tx: &mut dyn Tx, mut wanted: Wanted) -> Result<(), StoreError> {
        wanted.invoices.sort_unstable();
        wanted.invoices.dedup();
        wanted.customers.sort_unstable();
        wanted.customers.dedup();
        if wanted.invoices.is_empty() && wanted.customers.is_empty() {
            return Ok(());
        }
        let Candidates { invoices, known } = tx.candidates(&wanted)?;
        self.invoices = invoices;
        self.known = known;
        for (id, account) in &self.invoices {
            self.customers.entry(account.invoice.customer.clone()).or_default().push(id.clone());
        }
        Ok(())
    }

    pub(super) fn moment(&self) -> Moment {
        self.moment
    }

    pub(super) fn event(&self, key: &EventKey) -> Option<&EventRecord> {
        self.events.get(key)
    }

    /// Where the money of a payment is now.
    pub(super) fn position(&self, payment: &EventKey) -> Position {
        self.positions.get(payment).cloned().unwrap_or_default()
    }

    /// The first posting of this writer that is there only if everything that this batch has seen is there: its own
    /// last one, or else the next one that this writer makes. Where others write too, the one before says nothing: a
    /// payment of theirs, seen here, may have been written after it.
    pub(super) fn proving_posting(&self) -> PostingNo {
        let unposted = if self.heads.alone { self.reached() } else { self.heads.posting };
        self.writes.postings.last().map_or(unposted, |own| own.no)
    }

    /// The last posting of this writer, once the batch is on disk as far as it is decided.
    pub(super) fn reached(&self) -> PostingNo {
        PostingNo(self.heads.posting.0.saturating_sub(1))
    }

    /// A decision's parts with their invoices.
    pub(super) fn lines(&self, parts: &[Part]) -> Result<Vec<Line<'_>>, StoreError> {
        parts.iter().map(|part| Ok(Line { account: self.account(&part.invoice)?, amount: part.amount })).collect()
    }

    /// Allocations with their invoices.
    pub(super) fn undone<'a>(
        &'a self,
        position: &'a Position,
    ) -> Result<Vec<(&'a Allocation, &'a InvoiceAccount)>, StoreError> {
        position.allocations.iter().map(|a| Ok((a, self.account(&a.invoice)?))).collect()
    }

    /// An invoice that was loaded.
    pub(super) fn account(&self, id: &InvoiceId) -> Result<&InvoiceAccount, StoreError> {
        self.invoices.get(id).ok_or_else(|| StoreError::Fault(format!("invoice {id} has entries and no row")))
    }

    /// Claims a key.
    pub(super) fn claim(&mut self, record: EventRecord) {
        self.events.insert(record.key, record.clone());
        self.writes.events.push(EventWrite::Claim(record));
    }

    /// Fills the row that waited for its payment.
    pub(super) fn fulfil(&mut self, record: EventRecord) {
        self.events.insert(record.key, record.clone());
        self.writes.events.push(EventWrite::Fulfil(record));
    }

    /// Gives an event a new state and its number of postings.
    pub(super) fn restate(&mut self, key: EventKey, state: EventState, postings: u32) {
        if let Some(record) = self.events.get_mut(&key) {
            record.state = state;
            record.postings = postings;
        }
        self.writes.events.push(EventWrite::State { key, state, postings });
    }

    /// Takes a posting in: the next decision sees its invoices and its money. The caller counts it in the
    /// payment's record. Says its number.
    pub(super) fn enter(&mut self, composed: Composed) -> Result<PostingNo, StoreError> {
        let Composed { posting, dispatches } = composed;
        for allocation in posting.allocations() {
            if let Some(account) = self.invoices.get_mut(&allocation.invoice) {
                account.settled = account.settled.plus(allocation.amount).map_err(fault)?;
                account.sequence = allocation.sequence;
            }
        }
        let position = self.positions.entry(*posting.event()).or_default();
        move_money(position, &posting)?;
        let no = self.heads.posting;
        self.heads.posting = PostingNo(no.0.saturating_add(1));
        self.writes.postings.push(NumberedPosting { no, posting });
        self.writes.dispatches.extend(dispatches);
        Ok(no)
    }

    /// Adds a link to the chain.
    pub(super) fn receipt(
        &mut self,
        evidence: &HashedEvidence,
        verdict: Verdict,
        event: Option<EventKey>,
        dong: Option<i64>,
    ) {
        let n = self.heads.receipt;
        let (lane, raw_hash, received_at) = (self.lane, evidence.raw_hash(), evidence.received_at);
        let link = Link { lane, n, raw_hash, verdict, received_at, event, amount_dong: dong };
        let previous = self.heads.chain;
        let hash = link.hash(&previous);
        self.heads.receipt = n.saturating_add(1);
        self.heads.chain = hash;
        self.writes.receipts.push(NewReceipt { link, previous, hash, evidence: evidence.clone() });
    }

    /// Opens a break.
    pub(super) fn open_break(&mut self, about: About<'_>, class: BreakClass, detail: String) {
        self.writes.breaks.push(NewBreak {
            class,
            partner: Some(about.partner.clone()),
            event: about.event,
            invoice: about.invoice.cloned(),
            dispatch: None,
            amount: about.amount,
            detail,
            opened_at: self.moment.now,
            mark: about.mark.map(|mark| *mark.as_bytes()),
            leg: None,
        });
    }

    /// Ends the open breaks of this class about this event.
    pub(super) fn over(&mut self, about: (EventKey, BreakClass)) {
        self.over.push(about);
    }

    /// Is this the first time lately that a break with this mark is opened? Remembers it, for good once committed.
    pub(super) fn first_time(&mut self, mark: Mark) -> bool {
        if self.opened.contains(&mark) || self.recent.contains(&mark) {
            return false;
        }
        self.opened.push(mark);
        true
    }

    /// Writes everything, if there is anything; says the last posting if there was one, and the marks of breaks.
    pub(super) fn write(
        self,
        tx: &mut dyn Tx,
        lane: &LaneContext,
    ) -> Result<(Option<PostingNo>, Vec<Mark>), StoreError> {
        let w = &self.writes;
        if w.receipts.is_empty() && w.events.is_empty() && w.postings.is_empty() && w.breaks.is_empty() {
            return Ok((None, self.opened));
        }
        tx.write(&self.writes)?;
        if !self.over.is_empty() {
            let author = Author::parse(ENDED_BY).map_err(fault)?;
            let closing = Closing { author: &author, reason: "the payment was taken back", at: self.moment.now };
            tx.close_breaks_about(&self.over, &closing)?;
        }
        let last = self.writes.postings.last().map(|p| p.no);
        if let Some(last) = last {
            tx.note_generation(lane.generation, last, self.moment.now)?;
        }
        Ok((last, self.opened))
    }
}

impl Bills for Book {
    fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceAccount> {
        self.invoices.get(id)
    }

    fn of_customer(&self, code: &CustomerCode) -> Vec<&InvoiceAccount> {
        let ids = self.customers.get(code).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.invoices.get(id)).collect()
    }

    fn knows(&self, code: &CustomerCode) -> bool {
        self.known.contains(code) || self.customers.contains_key(code)
    }
}

/// What a break is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) partner: &'a PartnerCode,
    pub(super) event: Option<EventKey>,
    pub(super) invoice: Option<&'a InvoiceId>,
    pub(super) amount: Money,
    /// Which break another instance may have opened already. Only behind the lock of the event that it is about.
    pub(super) mark: Option<Mark>,
}

fn move_money(position: &mut Position, posting: &Posting) -> Result<(), StoreError> {
    for entry in posting.entries() {
        match position.entries.iter_mut().find(|e| e.account == entry.account) {
            Some(at) => at.amount = at.amount.plus(entry.amount).map_err(fault)?,
            None => position.entries.push(Entry { account: entry.account.clone(), amount: entry.amount }),
        }
    }
    position.entries.retain(|e| !e.amount.is_zero());
    match posting.kind() {
        PostingKind::Settle | PostingKind::Park | PostingKind::Rematch => {
            let moved = position.allocations.drain(..).chain(posting.allocations().iter().cloned()).collect();
            position.allocations = crate::store::standing(moved);
        }
        PostingKind::Reverse => position.allocations.clear(),
    }
    Ok(())
}

/// A fault of ours, as the machine's: nothing is written, and only the offender hears the retry word.
pub(super) fn fault(error: impl std::fmt::Display) -> StoreError {
    StoreError::Fault(error.to_string())
}

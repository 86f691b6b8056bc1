//! One transaction of the store in memory: each change notes how to undo it, and a transaction that is not kept
//! undoes itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

use super::{Db, Link, Message};
use thuho::domain::dispatch::{AttemptResult, Dispatch, DispatchResult, DispatchState, LeasedDispatch, ParkCause};
use thuho::domain::ids::{EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use thuho::domain::invoice::{Invoice, InvoiceAccount};
use thuho::domain::notice::Wanted;
use thuho::domain::review::NewBreak;
use thuho::domain::statement::{FileNo, ReconciliationNo, StatementKind};
use thuho::domain::time::Timestamp;
use thuho::store::retention::judge;
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::settlements::Batch;
use thuho::store::statements::{
    BegunStatement, Closing, NewLine, NewMatch, NewReconciliation, NewStatement, Pointed, StatementSums,
};
use thuho::store::{
    Candidates, CommandAnswer, DispatchCommand, Erasable, EraseRequest, Erased, EventWrite, FoundDispatch, Heads, Lead,
    LeaseRequest, NewReceipt, NumberedPosting, Position, RepeatCount, RouteState, Seal, StoreError, Tx, Upserted,
    Writes,
};

/// The simulated days end before anybody compares them.
pub(super) fn no_statements() -> StoreError {
    StoreError::Fault("the store in memory keeps no statements".to_owned())
}

type Undo = Box<dyn FnOnce(&mut Db)>;

pub(super) struct MemoryTx<'a> {
    pub(super) db: &'a mut Db,
    pub(super) lane: u32,
    pub(super) undo: Vec<Undo>,
}

impl Drop for MemoryTx<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            undo(self.db);
        }
    }
}

fn fault(text: impl Into<String>) -> StoreError {
    StoreError::Fault(text.into())
}

impl MemoryTx<'_> {
    pub(super) fn set_message(&mut self, at: usize, message: Message) {
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
        if receipt.link.n != n + 1 || receipt.previous != hash {
            return Err(fault("receipts.add: not the next link"));
        }
        let lane = self.lane;
        let old = self.db.lane_heads.insert(lane, (receipt.link.n, receipt.hash));
        self.db.links.push(Link { lane, receipt: receipt.clone(), redone_at: None, erased: false });
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
                self.undo.push(Box::new(|db| db.event_order.truncate(db.event_order.len() - 1)));
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
                let mut record =
                    self.db.events.get(key).cloned().ok_or_else(|| fault("events.state: no such event"))?;
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
        let caused = writes
            .postings
            .iter()
            .flat_map(|p| p.posting.allocations())
            .any(|a| a.key == dispatch.key && a.invoice == dispatch.invoice && a.sequence == dispatch.sequence);
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
            due_at: dispatch.created_at,
            attempts: 0,
            walls: 0,
            reason: None,
            proposed_by: None,
            closed_at: None,
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
        Ok(Heads { receipt: n + 1, chain, posting, alone: false })
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

    fn parked_naming(
        &mut self,
        (invoices, after): (&[InvoiceId], Option<&EventKey>),
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        let names = |r: &&EventRecord| {
            matches!(r.state, EventState::Parked(_)) && r.names_invoice.as_ref().is_some_and(|i| invoices.contains(i))
        };
        let from = after.and_then(|key| self.db.event_order.iter().position(|at| at == key)).map_or(0, |at| at + 1);
        let all = self.db.event_order[from..].iter().filter_map(|key| self.db.events.get(key)).filter(names);
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
        self.open_breaks(&writes.breaks).map(drop)
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
                Some(known) => Upserted::Changed(Box::new(known.clone())),
            });
            if matches!(found.last(), Some(Upserted::Added | Upserted::Changed(_))) {
                let (settled, sequence) = known.map(|k| (k.settled, k.sequence)).unwrap_or_default();
                self.set_invoice(InvoiceAccount { invoice: invoice.clone(), settled, sequence });
            }
        }
        Ok(found)
    }

    fn lease(&mut self, requests: &[LeaseRequest]) -> Result<Vec<LeasedDispatch>, StoreError> {
        Ok(requests.iter().flat_map(|request| self.lease_one(request)).collect())
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
            match result.result {
                AttemptResult::Walled { .. } => message.walls += 1,
                AttemptResult::Released { .. } => {}
                _ => message.attempts += 1,
            }
            (message.state, message.reason) = match &result.result {
                AttemptResult::Delivered => (DispatchState::Delivered { at: result.at }, None),
                AttemptResult::Retry { not_before, reason } => {
                    message.due_at = *not_before;
                    (DispatchState::Waiting { not_before: *not_before }, Some(reason.clone()))
                }
                AttemptResult::Parked { cause, reason } => {
                    (DispatchState::Parked { cause: *cause }, Some(reason.clone()))
                }
                AttemptResult::Walled { not_before, reason } => {
                    message.due_at = message.due_at.max(*not_before);
                    (DispatchState::Waiting { not_before: message.due_at }, Some(reason.clone()))
                }
                AttemptResult::Released { not_before } => {
                    message.due_at = message.due_at.max(*not_before);
                    (DispatchState::Waiting { not_before: message.due_at }, message.reason)
                }
            };
            self.set_message(at, message);
        }
        Ok(written)
    }

    fn raise_overdue(&mut self, invoices: &[InvoiceId], today: jiff::civil::Date) -> Result<u64, StoreError> {
        Ok(self.raise(invoices, today))
    }

    fn bring_near(&mut self, now: Timestamp, ahead_ms: i64, limit: u32) -> Result<u64, StoreError> {
        Ok(self.near(now.plus_ms(ahead_ms), now, limit))
    }

    fn command(
        &mut self,
        message: &FoundDispatch,
        command: &DispatchCommand,
        at: Timestamp,
    ) -> Result<CommandAnswer, StoreError> {
        let Some(index) = self.db.message_of.get(&message.key).copied() else {
            return Ok(CommandAnswer::NotFound);
        };
        let mut message = self.db.messages[index].clone();
        match (command, &message.state) {
            (DispatchCommand::Retry, DispatchState::Waiting { .. } | DispatchState::Parked { .. }) => {
                message.state = DispatchState::Waiting { not_before: at };
                message.due_at = at;
                message.attempts = 0;
                message.walls = 0;
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
                message.closed_at = Some(at);
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

    fn open_breaks(&mut self, breaks: &[NewBreak]) -> Result<u64, StoreError> {
        let before = self.db.breaks.len();
        for one in breaks {
            // None that has a mark is ever closed here.
            if one.mark.is_none() || self.db.breaks.iter().all(|open| open.mark != one.mark) {
                self.db.breaks.push(one.clone());
            }
        }
        let opened = self.db.breaks.len().saturating_sub(before);
        self.undo.push(Box::new(move |db| db.breaks.truncate(before)));
        Ok(u64::try_from(opened).unwrap_or(u64::MAX))
    }

    fn close_breaks(&mut self, _breaks: &[i64], _closing: &Closing<'_>) -> Result<u64, StoreError> {
        Err(no_statements())
    }

    fn point_breaks(&mut self, _pointed: &[Pointed]) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn begin_statement(&mut self, _new: &NewStatement) -> Result<BegunStatement, StoreError> {
        Err(no_statements())
    }

    fn add_lines(&mut self, _file: FileNo, _lines: &[NewLine]) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn take_statement(&mut self, _file: FileNo, _sums: &StatementSums) -> Result<Option<FileNo>, StoreError> {
        Err(no_statements())
    }

    fn add_reconciliation(&mut self, _new: &NewReconciliation) -> Result<ReconciliationNo, StoreError> {
        Err(no_statements())
    }

    fn put_batches(&mut self, _batches: &[Batch]) -> Result<u64, StoreError> {
        Err(no_statements())
    }

    fn add_matches(
        &mut self,
        _of: (ReconciliationNo, StatementKind),
        _matches: &[NewMatch],
    ) -> Result<u64, StoreError> {
        Err(no_statements())
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
        self.undo.push(Box::new(|db| db.seals.truncate(db.seals.len() - 1)));
        Ok(())
    }

    fn lead(&mut self, lead: &Lead) -> Result<bool, StoreError> {
        let held = self.db.leads.get(lead.work).copied();
        if held.is_some_and(|(holder, until)| holder != lead.holder && until > lead.now) {
            return Ok(false);
        }
        self.db.leads.insert(lead.work, (lead.holder, lead.now.plus_ms(lead.lasts_ms)));
        let work = lead.work;
        self.undo.push(Box::new(move |db| {
            match held {
                Some(held) => db.leads.insert(work, held),
                None => db.leads.remove(work),
            };
        }));
        Ok(true)
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
        let found = self.db.links.iter().position(|l| l.lane == lane && l.receipt.link.n == n);
        let index = found.ok_or_else(|| fault("receipts.redone: no such receipt"))?;
        let old = self.db.links[index].redone_at.replace(at);
        self.undo.push(Box::new(move |db| db.links[index].redone_at = old));
        Ok(())
    }

    fn erase(&mut self, request: &EraseRequest) -> Result<Erased, StoreError> {
        let rows: Vec<_> = match request.what {
            Erasable::Raw => self.db.raw_ages(request).collect(),
            Erasable::Attempts => self.db.attempt_ages(request).collect(),
        };
        let (erased, goes) = judge(request, &rows);
        if !request.dry_run {
            for no in goes {
                let index = usize::try_from(no).unwrap() - 1;
                match request.what {
                    Erasable::Raw => {
                        self.db.links[index].erased = true;
                        self.undo.push(Box::new(move |db| db.links[index].erased = false));
                    }
                    Erasable::Attempts => {
                        let mut message = self.db.messages[index].clone();
                        message.dispatch.body.clear();
                        self.set_message(index, message);
                    }
                }
            }
        }
        Ok(erased)
    }
}

//! The read side of the store in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

use super::tx::no_statements;
use super::{Db, Link, MemoryStore, Message};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::MutexGuard;
use thuho::domain::dispatch::{Dispatch, DispatchState};
use thuho::domain::ids::{DispatchKey, EventKey, EventNo, Generation, InvoiceId, PartnerCode, PostingNo};
use thuho::domain::invoice::InvoiceAccount;
use thuho::domain::money::Money;
use thuho::domain::notice::Wanted;
use thuho::domain::posting::Account;
use thuho::domain::receipt::Verdict;
use thuho::domain::statement::{LineNo, StatementKind};
use thuho::domain::time::Timestamp;
use thuho::store::reports::{
    BookedCount, DispatchFilter, DispatchView, Inconsistencies, LaneRange, OutboxDepth, PostingView, ReceiptCount,
    ReceiptFilter, Reports, SlowPage, SlowPlace, StoredReceipt,
};
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::settlements::{Batch, Batches, Settlements, StatementDays};
use thuho::store::statements::{
    DayEvent, DayEvents, DayLine, Freed, Judged, JudgedEvents, LegBreak, LegBreaks, ReconciliationView, StatementFile,
};
use thuho::store::{Candidates, FoundDispatch, NumberedPosting, Position, RouteState, Seal, StoreError};

/// The read side of the same tables.
pub struct MemoryReports(pub MemoryStore);

impl MemoryReports {
    pub(super) fn db(&self) -> MutexGuard<'_, Db> {
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

impl Settlements for MemoryReports {
    fn batches(&mut self, _ask: &Batches<'_>) -> Result<Vec<Batch>, StoreError> {
        Err(no_statements())
    }

    fn statements_of(&mut self, _ask: &StatementDays<'_>) -> Result<Vec<StatementFile>, StoreError> {
        Err(no_statements())
    }
}

impl Reports for MemoryReports {
    fn beside(&self) -> Result<Box<dyn Reports>, StoreError> {
        Ok(Box::new(Self(self.0.clone())))
    }

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

    fn payments_by_reference(
        &mut self,
        reference: &str,
        _meant: &Wanted,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
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

    fn dispatches_of(&mut self, events: &[EventKey], each: u32) -> Result<Vec<DispatchView>, StoreError> {
        let all = self.dispatches(&DispatchFilter { limit: u32::MAX, ..DispatchFilter::default() })?;
        let of = |key: &EventKey| {
            let its = all.iter().filter(|message| message.event == *key).cloned();
            its.take(usize::try_from(each).unwrap()).collect::<Vec<_>>()
        };
        Ok(events.iter().flat_map(of).collect())
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
            .rev()
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
                event: told(&db, &m.dispatch).0,
                amount: told(&db, &m.dispatch).1,
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
            if message.dispatch.urgent {
                depth.oldest_urgent = Some(depth.oldest_urgent.map_or(at, |oldest| oldest.min(at)));
            }
        }
        Ok(depth)
    }

    fn slow_overdue(&mut self, today: Date, from: SlowPlace, limit: u32) -> Result<SlowPage, StoreError> {
        let db = self.db();
        let (from, limit) = (usize::try_from(from.0[0]).unwrap(), usize::try_from(limit).unwrap());
        let slow = |m: &Message| matches!(m.state, DispatchState::Waiting { .. }) && !m.dispatch.urgent;
        let found: Vec<usize> = (from..db.messages.len()).filter(|at| slow(&db.messages[*at])).take(limit).collect();
        let next = found.last().filter(|_| found.len() == limit);
        let next = next.map(|last| SlowPlace([i64::try_from(last + 1).unwrap(), 0, 0, 0]));
        let invoices = found.iter().map(|at| &db.messages[*at].dispatch.invoice);
        let overdue = invoices.filter(|id| db.invoices[*id].invoice.due_on < today).cloned().collect();
        Ok(SlowPage { overdue, next })
    }

    fn find_dispatch(&mut self, key: &DispatchKey) -> Result<Option<FoundDispatch>, StoreError> {
        let no = self.db().message_of.get(key).map(|index| i64::try_from(*index).unwrap());
        Ok(no.map(|no| FoundDispatch { key: key.clone(), no }))
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        Ok(self.db().route.clone())
    }

    fn statement(
        &mut self,
        _kind: StatementKind,
        _partner: &PartnerCode,
        _day: Date,
    ) -> Result<Option<StatementFile>, StoreError> {
        Err(no_statements())
    }

    fn statements(&mut self, _limit: u32) -> Result<Vec<StatementFile>, StoreError> {
        Err(no_statements())
    }

    fn reconciliation(
        &mut self,
        _kind: StatementKind,
        _partner: &PartnerCode,
        _day: Date,
    ) -> Result<Option<ReconciliationView>, StoreError> {
        Err(no_statements())
    }

    fn day_events(&mut self, _ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError> {
        Err(no_statements())
    }

    fn day_events_with(&mut self, _keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError> {
        Err(no_statements())
    }

    fn day_lines(&mut self, _after: LineNo, _limit: u32) -> Result<Vec<DayLine>, StoreError> {
        Err(no_statements())
    }

    fn event_names(&mut self, _keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError> {
        Err(no_statements())
    }

    fn day_lines_with(&mut self, _numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError> {
        Err(no_statements())
    }

    fn lines_of_events(&mut self, _: StatementKind, _: &[EventNo]) -> Result<Vec<(EventNo, LineNo)>, StoreError> {
        Err(no_statements())
    }

    fn matched_lines(&mut self, _: &[LineNo]) -> Result<Vec<LineNo>, StoreError> {
        Err(no_statements())
    }

    fn freed_events(&mut self, _ask: &Freed) -> Result<Vec<DayEvent>, StoreError> {
        Err(no_statements())
    }

    fn leg_breaks(&mut self, _ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError> {
        Err(no_statements())
    }

    fn judged_events(&mut self, _ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError> {
        Err(no_statements())
    }

    fn receipts(&mut self, filter: &ReceiptFilter) -> Result<Vec<StoredReceipt>, StoreError> {
        let db = self.db();
        let keep = |l: &&Link| {
            l.lane == filter.after.0
                && l.receipt.link.n > filter.after.1
                && filter.partner.as_ref().is_none_or(|p| *p == l.receipt.evidence.partner)
                && (filter.verdicts.is_empty() || filter.verdicts.contains(&l.receipt.link.verdict))
                && filter.waiting_since.is_none_or(|at| l.redone_at.is_none() && l.receipt.link.received_at >= at)
        };
        Ok(db
            .links
            .iter()
            .filter(keep)
            .take(usize::try_from(filter.limit).unwrap())
            .map(|l| StoredReceipt {
                lane: l.lane,
                n: l.receipt.link.n,
                previous: l.receipt.previous,
                hash: l.receipt.hash,
                raw_hash: l.receipt.link.raw_hash,
                verdict: l.receipt.link.verdict,
                partner: l.receipt.evidence.partner.clone(),
                received_at: l.receipt.evidence.received_at,
                amount_dong: l.receipt.link.amount_dong,
                event: l.receipt.link.event,
                evidence: (filter.with_evidence && !l.erased).then(|| (*l.receipt.evidence).clone()),
                redone_at: l.redone_at,
            })
            .collect())
    }

    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError> {
        let db = self.db();
        let mut counts: BTreeMap<(PartnerCode, Verdict), (i64, i64)> = BTreeMap::new();
        for link in &db.links {
            let r = &link.receipt;
            let (count, dong) = counts.entry((r.evidence.partner.clone(), r.link.verdict)).or_default();
            *count += 1;
            *dong += r.link.amount_dong.unwrap_or_default();
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
        let last = seals.get(usize::try_from(limit).unwrap() - 1).map(|s| s.at);
        seals.retain(|s| last.is_none_or(|last| s.at <= last));
        Ok(seals)
    }

    fn seal_before(&mut self, at: Timestamp) -> Result<Option<Seal>, StoreError> {
        Ok(self.db().seals.iter().filter(|seal| seal.at < at).max_by_key(|seal| seal.at).cloned())
    }

    fn booked(&mut self, _partner: &PartnerCode, _ranges: &[LaneRange]) -> Result<Vec<BookedCount>, StoreError> {
        Err(no_statements())
    }

    fn repeats(&mut self, _partner: &PartnerCode, _day: Date) -> Result<i64, StoreError> {
        Err(no_statements())
    }

    fn balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError> {
        let db = self.db();
        let mut balances: BTreeMap<Account, i64> = BTreeMap::new();
        for entry in db.postings.iter().flat_map(|p| p.posting.entries()) {
            *balances.entry(entry.account.clone()).or_default() += entry.amount.dong();
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

/// The payment that a message tells of, and how much.
fn told(db: &Db, dispatch: &Dispatch) -> (EventKey, Money) {
    let mut all =
        db.postings.iter().flat_map(|of| of.posting.allocations().iter().map(|part| (of.posting.event(), part)));
    let (event, part) = all.find(|(_, part)| part.key == dispatch.key).unwrap();
    (*event, part.amount)
}

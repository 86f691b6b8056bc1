//! One transaction: the table of contents of the verbs. Each is a few statements in the file of its subject.

use super::statement::Db;
use super::{invoices, outbox, retention, settlements, statements, write};
use crate::domain::dispatch::DispatchResult;
use crate::domain::ids::{DispatchKey, EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use crate::domain::invoice::Invoice;
use crate::domain::notice::Wanted;
use crate::domain::posting::Account;
use crate::domain::review::NewBreak;
use crate::domain::statement::{FileNo, ReconciliationNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::cells::{Cells as _, event, event_columns, events};
use crate::store::numbers::{lane_base, receipt_no};
use crate::store::rows::EventRecord;
use crate::store::settlements::Batch;
use crate::store::statements::{
    BegunStatement, Closing, NewLine, NewMatch, NewReconciliation, NewStatement, Pointed, StatementSums,
};
use crate::store::{
    Candidates, CommandAnswer, DispatchCommand, EraseRequest, Erased, FoundDispatch, Heads, Lead, LeaseRequest,
    Position, RepeatCount, RouteState, Seal, StoreError, Tx, Upserted, Writes,
};
use rusqlite::{Connection, params};
use std::collections::HashMap;

/// Row numbers that were looked up, so that the hot path does not look them up again.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Of the chart of accounts: small, never deleted, so kept over transactions.
    pub(super) accounts: HashMap<Account, i64>,
    /// Of partners with their accounts: a few, never deleted, so kept over transactions.
    pub(super) senders: Vec<Sender>,
    /// Of this transaction's events.
    pub(super) events: HashMap<EventKey, SeenEvent>,
    /// Of this transaction's invoices.
    pub(super) invoices: HashMap<InvoiceId, i64>,
    /// Of this transaction's allocations, which their messages follow.
    pub(super) allocations: HashMap<DispatchKey, write::Allocated>,
}

/// A partner and our merchant account at it.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) no: i64,
    pub(super) partner: PartnerCode,
    pub(super) account: String,
}

/// An event's row number, and its sender's.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenEvent {
    pub(super) no: i64,
    pub(super) sender_no: i64,
}

impl Numbers {
    /// A rollback may have taken a new row with it.
    pub(super) fn end_transaction(&mut self, committed: bool) {
        self.events.clear();
        self.invoices.clear();
        self.allocations.clear();
        if !committed {
            self.accounts.clear();
            self.senders.clear();
        }
    }
}

/// One open transaction.
pub(super) struct SqliteTx<'s> {
    pub(super) db: Db<'s>,
    pub(super) numbers: &'s mut Numbers,
    lane: u32,
}

impl<'s> SqliteTx<'s> {
    pub(super) fn new(connection: &'s Connection, lane: u32, numbers: &'s mut Numbers) -> Self {
        Self { db: Db(connection), numbers, lane }
    }

    /// The row number of a receipt of this lane.
    pub(super) fn receipt_no(&self, n: i64) -> Result<i64, StoreError> {
        receipt_no(self.lane, n)
    }
}

/// Place and chain hash of a lane's last receipt.
pub(super) fn lane_head(db: Db<'_>, lane: u32) -> Result<Option<(i64, [u8; 32])>, StoreError> {
    const SQL: &str =
        "-- receipts.head\nSELECT n, hash FROM receipts WHERE no >= ?1 AND no < ?2 ORDER BY no DESC LIMIT 1";
    db.one(SQL, (lane_base(lane), lane_base(lane.saturating_add(1))), |cells| Ok((cells.next()?, cells.next()?)))
}

/// The lanes that have receipts: one step a lane, not a scan.
pub(super) fn lanes(db: Db<'_>) -> Result<Vec<u32>, StoreError> {
    const SQL: &str = "-- receipts.next_lane\nSELECT lane FROM receipts WHERE no >= ?1 ORDER BY no LIMIT 1";
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(lane) = db.one(SQL, [lane_base(from)], |cells| cells.next::<u32>())? {
        found.push(lane);
        from = lane.saturating_add(1);
    }
    Ok(found)
}

impl Tx for SqliteTx<'_> {
    fn heads(&mut self) -> Result<Heads, StoreError> {
        const LAST: &str = "-- postings.last\nSELECT coalesce(max(no), 0) FROM postings";
        let (last, chain) = lane_head(self.db, self.lane)?.unwrap_or((0, [0; 32]));
        let posting = self.db.integer(LAST, ())?;
        Ok(Heads { receipt: last.saturating_add(1), chain, posting: PostingNo(posting.saturating_add(1)), alone: true })
    }

    fn events(&mut self, keys: &[EventKey]) -> Result<Vec<Option<EventRecord>>, StoreError> {
        const SQL: &str = concat!(
            "-- events.by_key\nSELECT e.no, e.sender_no, ",
            event_columns!(),
            " FROM ",
            events!(),
            " WHERE e.key = ?1"
        );
        let mut by_key = self.db.prepare(SQL)?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let row = by_key.one([key.as_bytes()], |cells| {
                let seen = SeenEvent { no: cells.next()?, sender_no: cells.next()? };
                Ok((seen, event(cells)?))
            })?;
            found.push(row.map(|(seen, record)| {
                self.numbers.events.insert(*key, seen);
                record
            }));
        }
        Ok(found)
    }

    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        invoices::candidates(self.db, wanted, |id, no| {
            self.numbers.invoices.insert(id.clone(), no);
        })
    }

    fn positions(&mut self, payments: &[EventKey]) -> Result<Vec<Position>, StoreError> {
        payments.iter().map(|payment| write::position(self.db, payment)).collect()
    }

    fn parked_naming(
        &mut self,
        naming: (&[InvoiceId], Option<&EventKey>),
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        write::parked_naming(self.db, naming, limit)
    }

    fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        write::all(self, writes)
    }

    fn note_generation(&mut self, generation: Generation, last: PostingNo, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str =
            "-- generations.note\nINSERT INTO generations (generation, last_posting, at) VALUES (?1, ?2, ?3)
            ON CONFLICT (generation) DO UPDATE SET last_posting = excluded.last_posting, at = excluded.at";
        self.db.execute(SQL, (generation.0.cast_signed(), last.0, at.unix_ms())).map(drop)
    }

    fn upsert_invoices(&mut self, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError> {
        invoices::upsert(self.db, invoices)
    }

    fn lease(&mut self, requests: &[LeaseRequest]) -> Result<Vec<crate::domain::dispatch::LeasedDispatch>, StoreError> {
        let mut leased = Vec::new();
        for request in requests {
            leased.extend(outbox::lease(self.db, request)?);
        }
        Ok(leased)
    }

    fn settle(&mut self, results: &[DispatchResult]) -> Result<Vec<bool>, StoreError> {
        results.iter().map(|result| outbox::settle(self.db, result)).collect()
    }

    fn raise_overdue(&mut self, invoices: &[InvoiceId], today: jiff::civil::Date) -> Result<u64, StoreError> {
        outbox::raise_overdue(self.db, invoices, today)
    }

    fn bring_near(&mut self, now: Timestamp, ahead_ms: i64, limit: u32) -> Result<u64, StoreError> {
        outbox::bring_near(self.db, now, ahead_ms, limit)
    }

    fn command(
        &mut self,
        message: &FoundDispatch,
        command: &DispatchCommand,
        at: Timestamp,
    ) -> Result<CommandAnswer, StoreError> {
        outbox::command(self.db, message, command, at)
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        outbox::route(self.db)
    }

    fn set_route(&mut self, state: &RouteState) -> Result<(), StoreError> {
        outbox::set_route(self.db, state)
    }

    fn open_breaks(&mut self, breaks: &[NewBreak]) -> Result<u64, StoreError> {
        write::breaks(self.db, breaks)
    }

    fn close_breaks(&mut self, breaks: &[i64], closing: &Closing<'_>) -> Result<u64, StoreError> {
        statements::close_breaks(self.db, breaks, closing)
    }

    fn point_breaks(&mut self, pointed: &[Pointed]) -> Result<(), StoreError> {
        statements::point_breaks(self.db, pointed)
    }

    fn begin_statement(&mut self, new: &NewStatement) -> Result<BegunStatement, StoreError> {
        statements::begin(self.db, new)
    }

    fn add_lines(&mut self, file: FileNo, lines: &[NewLine]) -> Result<(), StoreError> {
        statements::add_lines(self.db, file, lines)
    }

    fn take_statement(&mut self, file: FileNo, sums: &StatementSums) -> Result<Option<FileNo>, StoreError> {
        statements::take(self.db, file, sums)
    }

    fn add_reconciliation(&mut self, new: &NewReconciliation) -> Result<ReconciliationNo, StoreError> {
        statements::add_reconciliation(self.db, new)
    }

    fn add_matches(&mut self, of: (ReconciliationNo, StatementKind), matches: &[NewMatch]) -> Result<u64, StoreError> {
        statements::add_matches(self.db, of, matches)
    }

    fn put_batches(&mut self, batches: &[Batch]) -> Result<u64, StoreError> {
        settlements::put(self.db, batches)
    }

    fn count_repeats(&mut self, counts: &[RepeatCount]) -> Result<(), StoreError> {
        const SQL: &str = "-- repeats.add\nINSERT INTO repeats (partner, day, count) VALUES (?1, ?2, ?3)
            ON CONFLICT (partner, day) DO UPDATE SET count = count + excluded.count";
        let mut add = self.db.prepare(SQL)?;
        counts.iter().try_for_each(|repeat| {
            add.execute((repeat.partner.as_str(), repeat.day.to_string(), repeat.count)).map(drop)
        })
    }

    fn lane_heads(&mut self) -> Result<Vec<(u32, i64, [u8; 32])>, StoreError> {
        let mut heads = Vec::new();
        for lane in lanes(self.db)? {
            heads.extend(lane_head(self.db, lane)?.map(|(n, hash)| (lane, n, hash)));
        }
        Ok(heads)
    }

    fn add_seal(&mut self, seal: &Seal) -> Result<(), StoreError> {
        const SEAL: &str = "-- seals.add\nINSERT INTO seals (at, signature) VALUES (?1, ?2)";
        const HEAD: &str = "-- seals.add_head\nINSERT INTO seal_heads (seal_no, lane, n, hash) VALUES (?1, ?2, ?3, ?4)";
        self.db.execute(SEAL, (seal.at.unix_ms(), seal.signature))?;
        let no = self.db.0.last_insert_rowid();
        let mut add = self.db.prepare(HEAD)?;
        seal.heads.iter().try_for_each(|(lane, n, hash)| add.execute(params![no, lane, n, hash]).map(drop))
    }

    fn lead(&mut self, lead: &Lead) -> Result<bool, StoreError> {
        const SQL: &str = "-- leads.take\nINSERT INTO leads (work, holder, until) VALUES (?1, ?2, ?3)
            ON CONFLICT (work) DO UPDATE SET holder = excluded.holder, until = excluded.until
                WHERE holder = excluded.holder OR until <= ?4";
        let (holder, now) = (lead.holder.0.cast_signed(), lead.now.unix_ms());
        Ok(self.db.execute(SQL, (lead.work, holder, now.saturating_add(lead.lasts_ms), now))? == 1)
    }

    fn paused_partners(&mut self) -> Result<Vec<PartnerCode>, StoreError> {
        const SQL: &str = "-- partners.paused\nSELECT partner FROM paused_partners ORDER BY partner";
        self.db.all(SQL, (), |cells| cells.partner())
    }

    fn set_partner_paused(&mut self, partner: &PartnerCode, paused: bool, at: Timestamp) -> Result<(), StoreError> {
        const PAUSE: &str = "-- partners.pause\nINSERT INTO paused_partners (partner, at) VALUES (?1, ?2)
            ON CONFLICT (partner) DO NOTHING";
        const RESUME: &str = "-- partners.resume\nDELETE FROM paused_partners WHERE partner = ?1";
        if paused {
            self.db.execute(PAUSE, (partner.as_str(), at.unix_ms())).map(drop)
        } else {
            self.db.execute(RESUME, [partner.as_str()]).map(drop)
        }
    }

    fn note_redone(&mut self, lane: u32, n: i64, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- receipts.redone\nINSERT INTO redone (receipt_no, at) VALUES (?1, ?2)
            ON CONFLICT (receipt_no) DO NOTHING";
        self.db.execute(SQL, (receipt_no(lane, n)?, at.unix_ms())).map(drop)
    }

    fn erase(&mut self, request: &EraseRequest) -> Result<Erased, StoreError> {
        retention::erase(self.db, request)
    }
}

//! One transaction: the table of contents of the verbs. Each is a few statements in the file of its subject.
//!
//! Rows that decide are read under locks (`locks`) or written back only as they were read (`events`), so that two
//! instances never act on one state of an invoice or of a payment.

use super::lane::{Head, NEXT_BLOCK};
use super::row::{Key, small};
use super::session::{Answer, Ask, CopyRow, Session};
use super::{breaks, events, invoices, outbox, position, retention, settlements, statements, write};
use crate::domain::dispatch::{DispatchResult, LeasedDispatch};
use crate::domain::ids::{EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
use crate::domain::invoice::Invoice;
use crate::domain::notice::Wanted;
use crate::domain::posting::Account;
use crate::domain::review::NewBreak;
use crate::domain::statement::{FileNo, ReconciliationNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::cells::Cells;
use crate::store::numbers::receipt_no;
use crate::store::rows::{EventRecord, EventState};
use crate::store::settlements::Batch;
use crate::store::statements::{
    BegunStatement, Closing, NewLine, NewMatch, NewReconciliation, NewStatement, Pointed, StatementSums,
};
use crate::store::{
    Candidates, CommandAnswer, DispatchCommand, EraseRequest, Erased, FoundDispatch, Heads, Lead, LeaseRequest,
    Position, RepeatCount, RouteState, Seal, StoreError, Tx, Upserted, Writes,
};
use jiff::civil::Date;
use std::collections::HashMap;

const BEGIN: &str = "-- store.begin\nBEGIN ISOLATION LEVEL READ COMMITTED";

/// Row numbers that were looked up, so that the hot path does not look them up again.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Of the chart of accounts: small, never deleted, so kept over transactions.
    pub(super) accounts: HashMap<Account, i32>,
    /// Of partners with their accounts: a few, never deleted, so kept over transactions.
    pub(super) senders: Vec<Sender>,
    /// Of this transaction's events, and how each was read.
    pub(super) events: HashMap<EventKey, SeenEvent>,
    /// Of this transaction's invoices.
    pub(super) invoices: HashMap<InvoiceId, i64>,
}

/// A partner and our merchant account at it.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) no: i32,
    pub(super) partner: PartnerCode,
    pub(super) account: String,
}

/// An event as this transaction last knew it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenEvent {
    pub(super) no: i64,
    pub(super) sender_no: i32,
    pub(super) state: EventState,
    pub(super) postings: u32,
}

impl Numbers {
    /// A rollback may have taken a new row with it.
    pub(super) fn end_transaction(&mut self, committed: bool) {
        self.events.clear();
        self.invoices.clear();
        if !committed {
            self.accounts.clear();
            self.senders.clear();
        }
    }

    pub(super) fn saw(&mut self, (no, sender_no): (i64, i32), record: &EventRecord) {
        self.events.insert(record.key, SeenEvent { no, sender_no, state: record.state, postings: record.postings });
    }
}

/// By which clock leases end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LeaseClock {
    /// The database's, which all instances share.
    #[default]
    Database,
    /// The caller's. Only for tests, whose clock stands still.
    Caller,
}

impl LeaseClock {
    /// The time that is told to the database, if it does not go by its own.
    pub(super) fn judges(self, now: Timestamp) -> Option<i64> {
        match self {
            Self::Database => None,
            Self::Caller => Some(now.unix_ms()),
        }
    }
}

/// What waits for COMMIT, to be sent with it: rows that every batch of a lane, or of a partner, changes.
enum Last {
    Generation { generation: i64, last: i64, at: i64 },
    Repeats { partners: Vec<String>, days: Vec<Date>, counts: Vec<i64> },
}

/// One open transaction. It begins with its first statement.
pub(super) struct PostgresTx<'s> {
    session: &'s mut Session,
    pub(super) numbers: &'s mut Numbers,
    pub(super) head: Head,
    pub(super) lane: u32,
    pub(super) clock: LeaseClock,
    last: Vec<Last>,
    /// The way to the core, once it was asked for: its row, if there is one, is locked since.
    pub(super) route: Option<RouteState>,
    begun: bool,
    failed: bool,
}

impl<'s> PostgresTx<'s> {
    pub(super) fn new(
        session: &'s mut Session,
        numbers: &'s mut Numbers,
        lane: (u32, Head),
        clock: LeaseClock,
    ) -> Self {
        let (lane, head) = lane;
        Self { session, numbers, head, lane, clock, last: Vec::new(), route: None, begun: false, failed: false }
    }

    /// Statements that do not wait for one another.
    pub(super) fn ask(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        if !self.begun {
            // Alone: should it fail, what is behind it on the way would be kept statement by statement.
            self.begun = true;
            self.simple(BEGIN)?;
        }
        self.ask_behind(None, asks)
    }

    fn simple(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = self.session.simple(sql);
        self.failed |= done.is_err();
        done
    }

    /// Rows by [`Session::copy`], all of them; `None` and none of them where one is there already.
    pub(super) fn copy<R: CopyRow>(&mut self, rows: impl Iterator<Item = R>) -> Result<Option<u64>, StoreError> {
        const BEFORE: &str = "-- store.before_copy\nSAVEPOINT before_copy";
        const UNDO: &str = "-- store.undo_copy\nROLLBACK TO SAVEPOINT before_copy";
        const KEEP: &str = "-- store.keep_copy\nRELEASE SAVEPOINT before_copy";
        if !self.begun {
            self.begun = true;
            self.simple(BEGIN)?;
        }
        self.simple(BEFORE)?;
        let copied = self.session.copy(rows);
        self.failed |= copied.is_err();
        let copied = copied?;
        self.simple(if copied.is_some() { KEEP } else { UNDO })?;
        Ok(copied)
    }

    /// Statements that write nothing, on one way with BEGIN if they are the transaction's first.
    pub(super) fn look(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        let begin = (!self.begun).then_some(BEGIN);
        self.begun = true;
        self.ask_behind(begin, asks)
    }

    fn ask_behind(&mut self, before: Option<&'static str>, asks: &[Ask<'_>]) -> Result<Vec<Answer>, StoreError> {
        let answers = self.session.ask(before, asks);
        self.failed |= answers.is_err();
        answers
    }

    pub(super) fn ask_one(&mut self, ask: Ask<'_>) -> Result<Answer, StoreError> {
        Ok(self.ask(&[ask])?.pop().unwrap_or_default())
    }

    /// Keeps it; says where the lane goes on.
    pub(super) fn commit(mut self) -> Result<Head, StoreError> {
        if self.failed {
            return Err(StoreError::Fault("store.commit: the transaction had ended after an error".to_owned()));
        }
        let last = std::mem::take(&mut self.last);
        if !self.begun {
            if last.is_empty() {
                return Ok(self.head);
            }
            self.begun = true;
            self.session.simple(BEGIN)?;
        }
        let asks: Vec<Ask<'_>> = last.iter().map(Last::ask).collect();
        self.session.commit(&asks)?;
        self.begun = false;
        Ok(self.head)
    }

    /// Numbers enough for whatever it writes.
    fn make_room(&mut self) -> Result<(), StoreError> {
        if self.head.is_narrow() {
            let block = self.ask_one(Ask::new(NEXT_BLOCK, Vec::new()))?.one(|cells| cells.whole())?;
            let block = block.ok_or_else(|| StoreError::Fault("lanes.block: no number".to_owned()))?;
            self.head.move_to(block);
        }
        Ok(())
    }
}

/// Rolls back when it is dropped without a commit, whatever the reason: an error, a failed commit, a panic.
impl Drop for PostgresTx<'_> {
    fn drop(&mut self) {
        if self.begun {
            self.session.roll_back();
        }
    }
}

impl Last {
    fn ask(&self) -> Ask<'_> {
        const GENERATION: &str =
            "-- generations.note\nINSERT INTO generations AS g (generation, last_posting, at) VALUES ($1, $2, $3)
            ON CONFLICT (generation) DO UPDATE
                SET last_posting = greatest(g.last_posting, excluded.last_posting), at = excluded.at";
        const REPEATS: &str = "-- repeats.add\nINSERT INTO repeats AS r (partner, day, count)
            SELECT partner, day, sum(count)::bigint FROM unnest($1::text[], $2::date[], $3::bigint[]) u (partner, day, count)
            GROUP BY partner, day ORDER BY partner, day
            ON CONFLICT (partner, day) DO UPDATE SET count = r.count + excluded.count";
        match self {
            Self::Generation { generation, last, at } => Ask::new(GENERATION, vec![generation, last, at]),
            Self::Repeats { partners, days, counts } => Ask::new(REPEATS, vec![partners, days, counts]),
        }
    }
}

impl Tx for PostgresTx<'_> {
    /// Of a lane that is ours alone the store knows where it goes on: nothing is asked.
    fn heads(&mut self) -> Result<Heads, StoreError> {
        self.make_room()?;
        Ok(self.head.heads())
    }

    fn events(&mut self, keys: &[EventKey]) -> Result<Vec<Option<EventRecord>>, StoreError> {
        events::by_key(self, keys)
    }

    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        invoices::locked_candidates(self, wanted)
    }

    fn positions(&mut self, payments: &[EventKey]) -> Result<Vec<Position>, StoreError> {
        let keys: Vec<Key> = payments.iter().map(|key| Key(*key.as_bytes())).collect();
        let answers = self.ask(&position::asks(&keys))?;
        let (positions, events) = position::of(payments, &answers)?;
        let moved =
            |key, now| self.numbers.events.get(key).is_some_and(|seen| (seen.state.word(), seen.postings) != now);
        if events.iter().any(|(key, state, postings)| moved(key, (state.as_str(), *postings))) {
            // An import moved the money after its event was read.
            return Err(StoreError::Contended);
        }
        Ok(positions)
    }

    fn parked_naming(
        &mut self,
        naming: (&[InvoiceId], Option<&EventKey>),
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        events::parked_naming(self, naming, limit)
    }

    fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        self.make_room()?;
        write::all(self, writes)
    }

    fn note_generation(&mut self, generation: Generation, last: PostingNo, at: Timestamp) -> Result<(), StoreError> {
        let generation = generation.0.cast_signed();
        self.last.push(Last::Generation { generation, last: last.0, at: at.unix_ms() });
        Ok(())
    }

    fn upsert_invoices(&mut self, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError> {
        invoices::upsert(self, invoices)
    }

    fn lease(&mut self, requests: &[LeaseRequest]) -> Result<Vec<LeasedDispatch>, StoreError> {
        outbox::lease(self, requests)
    }

    fn settle(&mut self, results: &[DispatchResult]) -> Result<Vec<bool>, StoreError> {
        outbox::settle(self, results)
    }

    fn raise_overdue(&mut self, invoices: &[InvoiceId], today: Date) -> Result<u64, StoreError> {
        outbox::raise_overdue(self, invoices, today)
    }

    fn bring_near(&mut self, now: Timestamp, ahead_ms: i64, limit: u32) -> Result<u64, StoreError> {
        outbox::bring_near(self, now, ahead_ms, limit)
    }

    fn command(
        &mut self,
        message: &FoundDispatch,
        command: &DispatchCommand,
        at: Timestamp,
    ) -> Result<CommandAnswer, StoreError> {
        outbox::command(self, message, command, at)
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        if let Some(route) = &self.route {
            return Ok(route.clone());
        }
        let answer = self.look(&[Ask::new(outbox::LOCKED_ROUTE, Vec::new())])?.pop().unwrap_or_default();
        let route = outbox::route(&answer)?;
        Ok(self.route.insert(route).clone())
    }

    fn set_route(&mut self, state: &RouteState) -> Result<(), StoreError> {
        self.route = Some(state.clone());
        outbox::set_route(self, state)
    }

    fn open_breaks(&mut self, breaks: &[NewBreak]) -> Result<u64, StoreError> {
        breaks::open(self, breaks)
    }

    fn close_breaks(&mut self, breaks: &[i64], closing: &Closing<'_>) -> Result<u64, StoreError> {
        statements::close_breaks(self, breaks, closing)
    }

    fn point_breaks(&mut self, pointed: &[Pointed]) -> Result<(), StoreError> {
        statements::point_breaks(self, pointed)
    }

    fn begin_statement(&mut self, new: &NewStatement) -> Result<BegunStatement, StoreError> {
        statements::begin(self, new)
    }

    fn add_lines(&mut self, file: FileNo, lines: &[NewLine]) -> Result<(), StoreError> {
        statements::add_lines(self, file, lines)
    }

    fn take_statement(&mut self, file: FileNo, sums: &StatementSums) -> Result<Option<FileNo>, StoreError> {
        statements::take(self, file, sums)
    }

    fn add_reconciliation(&mut self, new: &NewReconciliation) -> Result<ReconciliationNo, StoreError> {
        statements::add_reconciliation(self, new)
    }

    fn add_matches(&mut self, of: (ReconciliationNo, StatementKind), matches: &[NewMatch]) -> Result<u64, StoreError> {
        statements::add_matches(self, of, matches)
    }

    fn put_batches(&mut self, batches: &[Batch]) -> Result<u64, StoreError> {
        settlements::put(self, batches)
    }

    fn count_repeats(&mut self, counts: &[RepeatCount]) -> Result<(), StoreError> {
        self.last.push(Last::Repeats {
            partners: counts.iter().map(|c| c.partner.as_str().to_owned()).collect(),
            days: counts.iter().map(|c| c.day).collect(),
            counts: counts.iter().map(|c| c.count).collect(),
        });
        Ok(())
    }

    fn lane_heads(&mut self) -> Result<Vec<(u32, i64, [u8; 32])>, StoreError> {
        const SQL: &str = "-- lanes.heads\nSELECT lane, n, hash FROM lanes WHERE n > 0 ORDER BY lane";
        let answer = self.ask_one(Ask::new(SQL, Vec::new()))?;
        answer.all(|cells| Ok((cells.count()?, cells.whole()?, cells.hash()?)))
    }

    fn add_seal(&mut self, seal: &Seal) -> Result<(), StoreError> {
        const SQL: &str = "-- seals.add\nWITH seal AS (INSERT INTO seals (at, signature) VALUES ($1, $2) RETURNING no)
            INSERT INTO seal_heads (seal_no, lane, n, hash)
            SELECT seal.no, u.* FROM seal, unnest($3::integer[], $4::bigint[], $5::bytea[]) u (lane, n, hash)";
        let lanes = seal.heads.iter().map(|(lane, _, _)| small(*lane)).collect::<Result<Vec<_>, _>>()?;
        let places: Vec<i64> = seal.heads.iter().map(|(_, n, _)| *n).collect();
        let hashes: Vec<&[u8]> = seal.heads.iter().map(|(_, _, hash)| hash.as_slice()).collect();
        let (at, signature) = (seal.at.unix_ms(), seal.signature.as_slice());
        self.ask_one(Ask::new(SQL, vec![&at, &signature, &lanes, &places, &hashes])).map(drop)
    }

    fn lead(&mut self, lead: &Lead) -> Result<bool, StoreError> {
        const SQL: &str = "-- leads.take\nWITH clock AS MATERIALIZED (
                SELECT coalesce($3::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS now)
            INSERT INTO leads AS l (work, holder, until) SELECT $1, $2, now + $4 FROM clock
            ON CONFLICT (work) DO UPDATE SET holder = excluded.holder, until = excluded.until
                WHERE l.holder = excluded.holder OR l.until <= (SELECT now FROM clock)";
        let judged = self.clock.judges(lead.now);
        let holder = lead.holder.0.cast_signed();
        let answer = self.ask_one(Ask::new(SQL, vec![&lead.work, &holder, &judged, &lead.lasts_ms]))?;
        Ok(answer.count == 1)
    }

    fn paused_partners(&mut self) -> Result<Vec<PartnerCode>, StoreError> {
        const SQL: &str = "-- partners.paused\nSELECT partner FROM paused_partners ORDER BY partner";
        self.ask_one(Ask::new(SQL, Vec::new()))?.all(|cells| cells.partner())
    }

    fn set_partner_paused(&mut self, partner: &PartnerCode, paused: bool, at: Timestamp) -> Result<(), StoreError> {
        const PAUSE: &str = "-- partners.pause\nINSERT INTO paused_partners (partner, at) VALUES ($1, $2)
            ON CONFLICT (partner) DO NOTHING";
        const RESUME: &str = "-- partners.resume\nDELETE FROM paused_partners WHERE partner = $1";
        let (partner, at) = (partner.as_str(), at.unix_ms());
        let ask = if paused { Ask::new(PAUSE, vec![&partner, &at]) } else { Ask::new(RESUME, vec![&partner]) };
        self.ask_one(ask).map(drop)
    }

    fn note_redone(&mut self, lane: u32, n: i64, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "-- receipts.redone\nINSERT INTO redone (receipt_no, at) VALUES ($1, $2)
            ON CONFLICT (receipt_no) DO NOTHING";
        let (no, at) = (receipt_no(lane, n)?, at.unix_ms());
        self.ask_one(Ask::new(SQL, vec![&no, &at])).map(drop)
    }

    fn erase(&mut self, request: &EraseRequest) -> Result<Erased, StoreError> {
        retention::erase(self, request)
    }
}

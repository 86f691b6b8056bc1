//! Read-only questions: of collectors (bills, status), of the internal API, of people and of the audit. Answered on
//! connections of their own, so that no question ever waits for or holds the writer.

use super::Candidates;
use super::closes::CloseReports;
use super::desk::DeskReports;
use super::rows::EventRecord;
use super::statements::{
    DayEvent, DayEvents, DayLine, Freed, Judged, JudgedEvents, LegBreak, LegBreaks, ReconciliationView, StatementFile,
};
use super::{FoundDispatch, RouteState, Seal, StoreError};
use crate::domain::dispatch::ParkCause;
use crate::domain::ids::{DispatchKey, EventKey, EventNo, Generation, InvoiceId, PartnerCode, PostingNo};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::receipt::{Evidence, Verdict};
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// A message to the core as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchView {
    /// The key.
    pub key: DispatchKey,
    /// The invoice.
    pub invoice: InvoiceId,
    /// Its place in the invoice's order.
    pub sequence: u32,
    /// `waiting`, `leased`, `delivered`, `parked` or `closed`.
    pub state: String,
    /// Why it is parked.
    pub cause: Option<ParkCause>,
    /// What the last attempt said.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was posted.
    pub created_at: Timestamp,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// In the fast lane?
    pub urgent: bool,
    /// Who proposed to close it.
    pub close_proposed_by: Option<String>,
    /// The payment or the reversal that it tells of.
    pub event: EventKey,
    /// What it puts on the invoice, or, negative, takes off it.
    pub amount: Money,
}

/// Which messages to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DispatchFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this invoice.
    pub invoice: Option<InvoiceId>,
    /// At most.
    pub limit: u32,
}

/// How much waits, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxDepth {
    /// Waiting or leased.
    pub waiting: i64,
    /// Waiting for a person.
    pub parked: i64,
    /// The oldest one not delivered.
    pub oldest: Option<Timestamp>,
    /// The oldest one not delivered in the fast lane.
    pub oldest_urgent: Option<Timestamp>,
}

/// How far a walk through the messages in the slow lane got; its numbers are the store's own. The default is the begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlowPlace(pub [i64; 4]);

/// A page of that walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlowPage {
    /// The invoices among them that are overdue; one may be there more than once.
    pub overdue: Vec<InvoiceId>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<SlowPlace>,
}

/// One posting as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostingView {
    /// Its number.
    pub no: PostingNo,
    /// What for.
    pub kind: PostingKind,
    /// Who, when it was not a notice.
    pub author: Option<String>,
    /// When.
    pub posted_at: Timestamp,
    /// The lines.
    pub entries: Vec<(Account, Money)>,
}

/// One stored receipt with what came.
#[derive(Clone, Debug)]
pub struct StoredReceipt {
    /// The lane.
    pub lane: u32,
    /// Its number.
    pub n: i64,
    /// The chain hash of the one before, as stored.
    pub previous: [u8; 32],
    /// The chain hash, as stored.
    pub hash: [u8; 32],
    /// Hash of the raw bytes, as stored.
    pub raw_hash: [u8; 32],
    /// What became of it.
    pub verdict: Verdict,
    /// Whose.
    pub partner: PartnerCode,
    /// When.
    pub received_at: Timestamp,
    /// The amount it stated.
    pub amount_dong: Option<i64>,
    /// The event.
    pub event: Option<EventKey>,
    /// The raw call, unless it was erased after its retention.
    pub evidence: Option<Evidence>,
    /// When it was read again.
    pub redone_at: Option<Timestamp>,
}

/// Which receipts to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptFilter {
    /// Only of this partner.
    pub partner: Option<PartnerCode>,
    /// Only with these verdicts; all if empty.
    pub verdicts: Vec<Verdict>,
    /// Only of this lane, after this number.
    pub after: (u32, i64),
    /// At most.
    pub limit: u32,
    /// With the raw bytes?
    pub with_evidence: bool,
    /// Only received since then and not read again yet.
    pub waiting_since: Option<Timestamp>,
}

impl ReceiptFilter {
    /// A partner's proved calls that are neither booked nor refused, with their bytes.
    #[must_use]
    pub fn unread(partner: PartnerCode, after: (u32, i64), limit: u32) -> Self {
        let verdicts = vec![Verdict::Stale, Verdict::Unreadable, Verdict::Paused];
        Self { partner: Some(partner), verdicts, after, limit, with_evidence: true, waiting_since: None }
    }
}

/// One line of the summary of receipts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptCount {
    /// Whose.
    pub partner: PartnerCode,
    /// What became of them.
    pub verdict: Verdict,
    /// How many.
    pub count: i64,
    /// Their stated amounts.
    pub dong: i64,
}

/// A part of a lane's chain: after one receipt, up to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRange {
    /// The lane.
    pub lane: u32,
    /// After this receipt.
    pub after: i64,
    /// Up to this one.
    pub upto: i64,
}

/// What the books have of receipts that say that they were booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedCount {
    /// By what their event's first posting, or its movement, says; not by what the receipt says.
    pub verdict: Verdict,
    /// How many events.
    pub count: u64,
    /// Their amounts, in dong.
    pub dong: i64,
}

/// Faults that the database itself can find with set-based questions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inconsistencies {
    /// Each is one sentence naming the row.
    pub found: Vec<String>,
}

/// Questions, each a whole one. `&mut` because a connection answers one at a time.
pub trait Reports:
    Send
    + DeskReports
    + CloseReports
    + super::settlements::Settlements
    + super::statements::StatementReports
    + super::periods::Periods
    + super::users::UserReports
    + super::pages::PageReports
{
    /// Another reader of the same books, for a thread beside this one.
    ///
    /// # Errors
    /// The machine's.
    fn beside(&self) -> Result<Box<dyn Reports>, StoreError>;

    /// As [`super::Tx::candidates`], without locks.
    ///
    /// # Errors
    /// The machine's.
    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError>;

    /// One event.
    ///
    /// # Errors
    /// The machine's.
    fn event(&mut self, key: &EventKey) -> Result<Option<EventRecord>, StoreError>;

    /// The events of a partner with this event id as people write it, any account, newest first.
    ///
    /// # Errors
    /// The machine's.
    fn events_named(&mut self, partner: &PartnerCode, event: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError>;

    /// The payments that touched or name this invoice.
    ///
    /// # Errors
    /// The machine's.
    fn payments_of_invoice(&mut self, invoice: &InvoiceId, limit: u32) -> Result<Vec<EventRecord>, StoreError>;

    /// The payments with this reference text, in any of the three places. Those that are settled are found through
    /// `meant`: the invoices and customers that the text can mean.
    ///
    /// # Errors
    /// The machine's.
    fn payments_by_reference(
        &mut self,
        reference: &str,
        meant: &Wanted,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError>;

    /// The postings of an event.
    ///
    /// # Errors
    /// The machine's.
    fn postings(&mut self, event: &EventKey) -> Result<Vec<PostingView>, StoreError>;

    /// One invoice with our entries on it.
    ///
    /// # Errors
    /// The machine's.
    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<InvoiceAccount>, StoreError>;

    /// How many invoices there are.
    ///
    /// # Errors
    /// The machine's.
    fn invoice_count(&mut self) -> Result<i64, StoreError>;

    /// Messages to the core.
    ///
    /// # Errors
    /// The machine's.
    fn dispatches(&mut self, filter: &DispatchFilter) -> Result<Vec<DispatchView>, StoreError>;

    /// The messages of these payments and reversals, in their order; of each the last ones first, at most `each`.
    ///
    /// # Errors
    /// The machine's.
    fn dispatches_of(&mut self, events: &[EventKey], each: u32) -> Result<Vec<DispatchView>, StoreError>;

    /// How much waits.
    ///
    /// # Errors
    /// The machine's.
    fn outbox_depth(&mut self) -> Result<OutboxDepth, StoreError>;

    /// Looks at the next `limit` waiting messages of the slow lane for those whose invoice was due before `today`.
    ///
    /// # Errors
    /// The machine's.
    fn slow_overdue(&mut self, today: Date, from: SlowPlace, limit: u32) -> Result<SlowPage, StoreError>;

    /// The message of this key, if there is one. May take long on a large ledger.
    ///
    /// # Errors
    /// The machine's.
    fn find_dispatch(&mut self, key: &DispatchKey) -> Result<Option<FoundDispatch>, StoreError>;

    /// Is the way to the core open?
    ///
    /// # Errors
    /// The machine's.
    fn route(&mut self) -> Result<RouteState, StoreError>;

    /// The file that is the word of a partner's day.
    ///
    /// # Errors
    /// The machine's.
    fn statement(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<StatementFile>, StoreError>;

    /// Statement files, newest first.
    ///
    /// # Errors
    /// The machine's.
    fn statements(&mut self, limit: u32) -> Result<Vec<StatementFile>, StoreError>;

    /// The last comparison of a partner's day.
    ///
    /// # Errors
    /// The machine's.
    fn reconciliation(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<ReconciliationView>, StoreError>;

    /// A page of our events of a partner's day.
    ///
    /// # Errors
    /// The machine's.
    fn day_events(&mut self, ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError>;

    /// These events, whatever their day; those that are not there are left out.
    ///
    /// # Errors
    /// The machine's.
    fn day_events_with(&mut self, keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError>;

    /// A page of a file's lines, after this one.
    ///
    /// # Errors
    /// The machine's.
    fn day_lines(&mut self, after: LineNo, limit: u32) -> Result<Vec<DayLine>, StoreError>;

    /// The partners' own ids of the events of these keys, by number.
    ///
    /// # Errors
    /// The machine's.
    fn event_names(&mut self, keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError>;

    /// Those of these lines whose file is still its day's word.
    ///
    /// # Errors
    /// The machine's.
    fn day_lines_with(&mut self, numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError>;

    /// The line of each of these events on a leg; an event without one is left out.
    ///
    /// # Errors
    /// The machine's.
    fn lines_of_events(
        &mut self,
        kind: StatementKind,
        events: &[EventNo],
    ) -> Result<Vec<(EventNo, LineNo)>, StoreError>;

    /// Those of these lines that are matched.
    ///
    /// # Errors
    /// The machine's.
    fn matched_lines(&mut self, lines: &[LineNo]) -> Result<Vec<LineNo>, StoreError>;

    /// Events outside a day that a superseded file had matched and that nothing matches now.
    ///
    /// # Errors
    /// The machine's.
    fn freed_events(&mut self, ask: &Freed) -> Result<Vec<DayEvent>, StoreError>;

    /// The open breaks of a partner's comparisons.
    ///
    /// # Errors
    /// The machine's.
    fn leg_breaks(&mut self, ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError>;

    /// The breaks that have judged these events.
    ///
    /// # Errors
    /// The machine's.
    fn judged_events(&mut self, ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError>;

    /// Receipts in chain order.
    ///
    /// # Errors
    /// The machine's.
    fn receipts(&mut self, filter: &ReceiptFilter) -> Result<Vec<StoredReceipt>, StoreError>;

    /// Receipts by partner and verdict.
    ///
    /// # Errors
    /// The machine's.
    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError>;

    /// The lanes there are.
    ///
    /// # Errors
    /// The machine's.
    fn lanes(&mut self) -> Result<Vec<u32>, StoreError>;

    /// Seals in order of time, after `after`: `limit` of them, and all of the last one's millisecond, so that whoever goes
    /// on after it misses none.
    ///
    /// # Errors
    /// The machine's.
    fn seals(&mut self, after: Timestamp, limit: u32) -> Result<Vec<Seal>, StoreError>;

    /// The last seal before this moment.
    ///
    /// # Errors
    /// The machine's.
    fn seal_before(&mut self, at: Timestamp) -> Result<Option<Seal>, StoreError>;

    /// What the books have of a partner's booked receipts in these ranges.
    ///
    /// # Errors
    /// The machine's.
    fn booked(&mut self, partner: &PartnerCode, ranges: &[LaneRange]) -> Result<Vec<BookedCount>, StoreError>;

    /// How many repeats of a partner were counted on a day.
    ///
    /// # Errors
    /// The machine's.
    fn repeats(&mut self, partner: &PartnerCode, day: Date) -> Result<i64, StoreError>;

    /// Balance by account, in dong. A sum over years: it may be beyond what one amount may be.
    ///
    /// # Errors
    /// The machine's.
    fn balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError>;

    /// Generations and how far each got.
    ///
    /// # Errors
    /// The machine's.
    fn generations(&mut self) -> Result<Vec<(Generation, PostingNo)>, StoreError>;

    /// Looks for postings that do not balance, settlements without a message, messages without a settlement,
    /// states that their postings contradict, and invoices settled beyond their entries.
    ///
    /// # Errors
    /// The machine's.
    fn inconsistencies(&mut self) -> Result<Inconsistencies, StoreError>;
}

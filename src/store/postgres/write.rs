//! What a batch of the ledger writes: receipts, event rows, postings with their lines, messages, breaks. The hot path:
//! one statement a table, whatever the size of the batch, and all of them on one way to the server and back.

use super::breaks::Breaks;
use super::row::{Key, small};
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use super::{events, failure};
use crate::domain::dispatch::Dispatch;
use crate::domain::ids::{Author, DispatchKey, EventKey, InvoiceId};
use crate::domain::posting::{Account, PostingKind};
use crate::store::cells::{Cells, key_bytes};
use crate::store::day_sums::{DayOf, DaySums};
use crate::store::numbers::{line_no, receipt_no};
use crate::store::{NewReceipt, NumberedPosting, StoreError, Writes};
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};

fn fault(text: &str) -> StoreError {
    StoreError::Fault(text.to_owned())
}

/// Writes all of it.
pub(super) fn all(tx: &mut PostgresTx<'_>, writes: &Writes) -> Result<(), StoreError> {
    let before = tx.head;
    let receipts = Receipts::new(tx, &writes.receipts)?;
    let first_postings: HashMap<&EventKey, i64> = writes
        .postings
        .iter()
        .filter(|p| matches!(p.posting.kind(), PostingKind::Settle | PostingKind::Park))
        .map(|p| (p.posting.event(), p.no.0))
        .collect();
    let event_rows = events::rows(tx, &writes.events, &first_postings)?;
    find_numbers(tx, &writes.postings)?;
    let postings = Postings::new(tx, &writes.postings)?;
    let dispatches = Dispatches::new(&writes.dispatches, &postings)?;
    let breaks = Breaks::new(&writes.breaks);
    let lane = Lane::new(tx, &before)?;
    // Claims first: whoever loses one waits here for the winner's commit, with nothing of its own in anybody's way.
    let mut asks = event_rows.asks();
    asks.extend(receipts.asks());
    asks.extend(postings.asks());
    asks.extend(dispatches.asks());
    if tx.head != before {
        asks.push(lane.ask());
    }
    let expected: Vec<(u64, Short)> = asks.iter().map(|(_, count, short)| (*count, *short)).collect();
    // Last and not counted: of breaks with a mark fewer may be opened.
    let asks: Vec<Ask<'_>> = asks.into_iter().map(|(ask, _, _)| ask).chain(breaks.ask()).collect();
    if asks.is_empty() {
        return Ok(());
    }
    let answers = tx.ask(&asks)?;
    let short = answers.iter().zip(expected).find(|(answer, (count, _))| answer.count != *count);
    short.map_or(Ok(()), |(_, (_, short))| Err(short()))
}

/// What it means that a statement wrote fewer rows than it was given.
pub(super) type Short = fn() -> StoreError;

/// Statements, with how many rows each must write.
pub(super) type Counted<'a> = Vec<(Ask<'a>, u64, Short)>;

pub(super) fn counted<'a>(rows: usize, short: Short, ask: impl FnOnce() -> Ask<'a>) -> Counted<'a> {
    if rows == 0 { Vec::new() } else { vec![(ask(), u64::try_from(rows).unwrap_or(u64::MAX), short)] }
}

fn not_written() -> StoreError {
    fault("write: fewer rows than were given")
}

/// Where the lane goes on after this write.
struct Lane {
    lane: i32,
    head: [i64; 4],
    hash: Vec<u8>,
    before: i64,
    hash_before: Vec<u8>,
}

impl Lane {
    fn new(tx: &PostgresTx<'_>, before: &super::lane::Head) -> Result<Self, StoreError> {
        let head = [tx.head.n, tx.head.posting, tx.head.event, tx.head.last_number];
        let (hash, hash_before) = (tx.head.hash.to_vec(), before.hash.to_vec());
        Ok(Self { lane: small(tx.lane)?, head, hash, before: before.n, hash_before })
    }

    fn ask(&self) -> (Ask<'_>, u64, Short) {
        // Only from where this writer left it: a lane has one.
        const SQL: &str =
            "-- lanes.go_on\nUPDATE lanes SET n = $2, hash = $3, posting = $4, event = $5, last_number = $6
            WHERE lane = $1 AND n = $7 AND hash = $8";
        let [n, posting, event, last_number] = &self.head;
        let params: Vec<Param<'_>> =
            vec![&self.lane, n, &self.hash, posting, event, last_number, &self.before, &self.hash_before];
        (Ask::new(SQL, params), 1, || failure::broken("the lane went on without its writer"))
    }
}

struct Receipts<'w> {
    no: Vec<i64>,
    previous: Vec<&'w [u8]>,
    hash: Vec<&'w [u8]>,
    raw_hash: Vec<&'w [u8]>,
    verdict: Vec<&'static str>,
    partner: Vec<&'w str>,
    received_at: Vec<i64>,
    amount: Vec<Option<i64>>,
    event_key: Vec<Option<Key>>,
    key_id: Vec<&'w str>,
    method: Vec<&'static str>,
    path: Vec<&'w str>,
    query: Vec<&'w str>,
    headers: Vec<String>,
    body: Vec<&'w [u8]>,
}

impl<'w> Receipts<'w> {
    fn new(tx: &mut PostgresTx<'_>, receipts: &'w [NewReceipt]) -> Result<Self, StoreError> {
        let mut no = Vec::with_capacity(receipts.len());
        for NewReceipt { link, previous, hash, .. } in receipts {
            if link.n != tx.head.n.saturating_add(1) || *previous != tx.head.hash {
                return Err(fault("receipts.add: not the next link"));
            }
            no.push(receipt_no(tx.lane, link.n)?);
            (tx.head.n, tx.head.hash) = (link.n, *hash);
        }
        let headers = receipts.iter().map(|r| serde_json::to_string(&r.evidence.headers)).collect::<Result<_, _>>();
        Ok(Self {
            no,
            previous: receipts.iter().map(|r| r.previous.as_slice()).collect(),
            hash: receipts.iter().map(|r| r.hash.as_slice()).collect(),
            raw_hash: receipts.iter().map(|r| r.link.raw_hash.as_slice()).collect(),
            verdict: receipts.iter().map(|r| r.link.verdict.word()).collect(),
            partner: receipts.iter().map(|r| r.evidence.partner.as_str()).collect(),
            received_at: receipts.iter().map(|r| r.link.received_at.unix_ms()).collect(),
            amount: receipts.iter().map(|r| r.link.amount_dong).collect(),
            event_key: receipts.iter().map(|r| r.link.event.map(|key| Key(*key.as_bytes()))).collect(),
            key_id: receipts.iter().map(|r| r.evidence.key_id.as_str()).collect(),
            method: receipts.iter().map(|r| r.evidence.method.word()).collect(),
            path: receipts.iter().map(|r| r.evidence.path.as_str()).collect(),
            query: receipts.iter().map(|r| r.evidence.query.as_str()).collect(),
            headers: headers.map_err(|_not_json| fault("receipts.add_raw: headers are not text"))?,
            body: receipts.iter().map(|r| r.evidence.body.as_ref()).collect(),
        })
    }

    fn asks(&self) -> Counted<'_> {
        const RECEIPT: &str = "-- receipts.add\nINSERT INTO receipts
                (no, previous, hash, raw_hash, verdict, partner, received_at, amount, event_key)
            SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[], $5::text[], $6::text[],
                $7::bigint[], $8::bigint[], $9::uuid[])";
        const RAW: &str = "-- receipts.add_raw\nINSERT INTO raw_notices
                (receipt_no, key_id, method, path, query, headers, body)
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])";
        let rows = self.no.len();
        let mut asks = counted(rows, not_written, || {
            let params: Vec<Param<'_>> = vec![
                &self.no,
                &self.previous,
                &self.hash,
                &self.raw_hash,
                &self.verdict,
                &self.partner,
                &self.received_at,
                &self.amount,
                &self.event_key,
            ];
            Ask::new(RECEIPT, params)
        });
        asks.extend(counted(rows, not_written, || {
            let params: Vec<Param<'_>> =
                vec![&self.no, &self.key_id, &self.method, &self.path, &self.query, &self.headers, &self.body];
            Ask::new(RAW, params)
        }));
        asks
    }
}

/// An allocation of this batch: what its message must agree with.
#[derive(Debug)]
struct Allocated<'w> {
    no: i64,
    invoice_no: i64,
    invoice: &'w InvoiceId,
    sequence: u32,
}

#[derive(Default)]
struct Postings<'w> {
    no: Vec<i64>,
    event_no: Vec<i64>,
    ordinal: Vec<i32>,
    kind: Vec<&'static str>,
    author: Vec<Option<&'w str>>,
    posted_at: Vec<i64>,
    business_day: Vec<Date>,
    entry_no: Vec<i64>,
    entry_account: Vec<i32>,
    entry_amount: Vec<i64>,
    allocation_invoice: Vec<i64>,
    allocation_sequence: Vec<i32>,
    allocation_no: Vec<i64>,
    allocation_amount: Vec<i64>,
    allocated: HashMap<&'w DispatchKey, Allocated<'w>>,
    day_sums: DaySumRows,
}

impl<'w> Postings<'w> {
    fn new(tx: &mut PostgresTx<'_>, postings: &'w [NumberedPosting]) -> Result<Self, StoreError> {
        let (mut rows, mut day_sums) = (Self::default(), DaySums::new());
        // How many of its event's postings are still to come in this batch, the one at hand included.
        let mut left: HashMap<&EventKey, u32> = HashMap::new();
        for NumberedPosting { posting, .. } in postings {
            let left = left.entry(posting.event()).or_default();
            *left = left.saturating_add(1);
        }
        for NumberedPosting { no, posting } in postings {
            if no.0 < tx.head.posting || no.0 > tx.head.last_number {
                return Err(fault("postings.add: not a number of this lane"));
            }
            tx.head.posting = no.0.saturating_add(1);
            let event = tx.numbers.events.get(posting.event()).ok_or_else(|| fault("postings.add: no such event"))?;
            rows.no.push(no.0);
            rows.event_no.push(event.no);
            let left = left.entry(posting.event()).or_default();
            rows.ordinal.push(small(event.postings.saturating_add(1).saturating_sub(*left))?);
            *left = left.saturating_sub(1);
            rows.kind.push(posting.kind().word());
            rows.author.push(posting.author().map(Author::as_str));
            rows.posted_at.push(posting.posted_at().unix_ms());
            rows.business_day.push(posting.business_day());
            for (line, entry) in (1..).zip(posting.entries()) {
                let account_no = tx.numbers.accounts.get(&entry.account);
                let account_no = *account_no.ok_or_else(|| fault("postings.add_entry: no such account"))?;
                rows.entry_no.push(line_no(no.0, line)?);
                rows.entry_account.push(account_no);
                rows.entry_amount.push(entry.amount.dong());
                let (business_day, kind) = (posting.business_day(), posting.kind());
                let of = DayOf { sender_no: event.sender_no, business_day, account_no, kind };
                day_sums.add(of, no.0, entry.amount.dong())?;
            }
            for (line, allocation) in (1..).zip(posting.allocations()) {
                let invoice_no = tx.numbers.invoices.get(&allocation.invoice);
                let invoice_no = *invoice_no.ok_or_else(|| fault("postings.add_allocation: no such invoice"))?;
                let no = line_no(no.0, line)?;
                rows.allocation_invoice.push(invoice_no);
                rows.allocation_sequence.push(small(allocation.sequence)?);
                rows.allocation_no.push(no);
                rows.allocation_amount.push(allocation.amount.dong());
                let (invoice, sequence) = (&allocation.invoice, allocation.sequence);
                rows.allocated.insert(&allocation.key, Allocated { no, invoice_no, invoice, sequence });
            }
        }
        rows.day_sums = DaySumRows::new(day_sums, small(tx.lane)?);
        Ok(rows)
    }

    fn asks(&self) -> Counted<'_> {
        const POSTING: &str = "-- postings.add\nINSERT INTO postings
                (no, event_no, ordinal, kind, author, posted_at, business_day)
            SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::bigint[],
                $7::date[])";
        const ENTRY: &str = "-- postings.add_entry\nINSERT INTO entries (no, account_no, amount)
            SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[])";
        const ALLOCATION: &str =
            "-- postings.add_allocation\nINSERT INTO allocations (invoice_no, sequence, no, amount)
            SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bigint[])";
        let mut asks = counted(self.no.len(), not_written, || {
            let params: Vec<Param<'_>> = vec![
                &self.no,
                &self.event_no,
                &self.ordinal,
                &self.kind,
                &self.author,
                &self.posted_at,
                &self.business_day,
            ];
            Ask::new(POSTING, params)
        });
        asks.extend(counted(self.entry_no.len(), not_written, || {
            Ask::new(ENTRY, vec![&self.entry_no, &self.entry_account, &self.entry_amount])
        }));
        asks.extend(counted(self.allocation_no.len(), not_written, || {
            let params: Vec<Param<'_>> =
                vec![&self.allocation_invoice, &self.allocation_sequence, &self.allocation_no, &self.allocation_amount];
            Ask::new(ALLOCATION, params)
        }));
        asks.extend(self.day_sums.asks());
        asks
    }
}

/// What the postings add to the sums of days.
#[derive(Default)]
struct DaySumRows {
    lane: i32,
    sender_no: Vec<i32>,
    business_day: Vec<Date>,
    account_no: Vec<i32>,
    kind: Vec<&'static str>,
    postings: Vec<i64>,
    dong: Vec<i64>,
}

impl DaySumRows {
    fn new(sums: DaySums<i32>, lane: i32) -> Self {
        let mut rows = Self { lane, ..Self::default() };
        for (of, sum) in sums.into_rows() {
            rows.sender_no.push(of.sender_no);
            rows.business_day.push(of.business_day);
            rows.account_no.push(of.account_no);
            rows.kind.push(of.kind.word());
            rows.postings.push(sum.postings);
            rows.dong.push(sum.dong);
        }
        rows
    }

    fn asks(&self) -> Counted<'_> {
        const ADD: &str = "-- day_sums.add\nINSERT INTO day_sums AS s
                (sender_no, business_day, account_no, kind, lane, postings, dong)
            SELECT u.sender_no, u.business_day, u.account_no, u.kind, $7, u.postings, u.dong
            FROM unnest($1::integer[], $2::date[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
                u (sender_no, business_day, account_no, kind, postings, dong)
            ON CONFLICT (sender_no, business_day, account_no, kind, lane)
                DO UPDATE SET postings = s.postings + excluded.postings, dong = s.dong + excluded.dong";
        counted(self.sender_no.len(), not_written, || {
            let params: Vec<Param<'_>> = vec![
                &self.sender_no,
                &self.business_day,
                &self.account_no,
                &self.kind,
                &self.postings,
                &self.dong,
                &self.lane,
            ];
            Ask::new(ADD, params)
        })
    }
}

/// Looks up the row numbers that postings need and this transaction has not met. The usual batch knows them all.
fn find_numbers(tx: &mut PostgresTx<'_>, postings: &[NumberedPosting]) -> Result<(), StoreError> {
    const INVOICES: &str = "-- invoices.number\nSELECT i.no, i.id FROM invoices i WHERE i.id = ANY($1)";
    let postings = || postings.iter().map(|numbered| &numbered.posting);
    let unread: Vec<EventKey> =
        postings().map(|p| *p.event()).filter(|event| !tx.numbers.events.contains_key(event)).collect();
    if !unread.is_empty() {
        events::by_key(tx, &unread)?;
    }
    let allocations = postings().flat_map(|p| p.allocations());
    let unknown: Vec<&str> = allocations
        .map(|a| &a.invoice)
        .filter(|id| !tx.numbers.invoices.contains_key(id))
        .map(|id| id.as_str())
        .collect();
    if !unknown.is_empty() {
        let answer = tx.ask_one(Ask::new(INVOICES, vec![&unknown]))?;
        let found = answer.all(|cells| Ok((cells.whole()?, cells.invoice_id()?)))?;
        tx.numbers.invoices.extend(found.into_iter().map(|(no, id)| (id, no)));
    }
    let entries = postings().flat_map(|p| p.entries());
    let new: HashSet<&Account> =
        entries.map(|e| &e.account).filter(|account| !tx.numbers.accounts.contains_key(account)).collect();
    if new.is_empty() { Ok(()) } else { find_accounts(tx, &new) }
}

fn find_accounts(tx: &mut PostgresTx<'_>, new: &HashSet<&Account>) -> Result<(), StoreError> {
    const ADD: &str = "-- accounts.add\nINSERT INTO accounts (name) SELECT * FROM unnest($1::text[])
        ON CONFLICT (name) DO NOTHING";
    const FIND: &str = "-- accounts.find\nSELECT no, name FROM accounts WHERE name = ANY($1)";
    let mut names: Vec<String> = new.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    let answers = tx.ask(&[Ask::new(FIND, vec![&names])])?;
    let known = answers.iter().map(|answer| answer.rows.len()).sum::<usize>();
    let answers = if known == names.len() {
        answers
    } else {
        let added = tx.ask(&[Ask::new(ADD, vec![&names]), Ask::new(FIND, vec![&names])])?;
        added.into_iter().skip(1).collect()
    };
    for answer in answers {
        for (no, account) in answer.all(|cells| Ok((cells.whole()?, cells.word(Account::parse)?)))? {
            let no = i32::try_from(no).map_err(|_wide| fault("accounts.find: out of range"))?;
            tx.numbers.accounts.insert(account, no);
        }
    }
    Ok(())
}

#[derive(Default)]
struct Dispatches<'w> {
    no: Vec<i64>,
    invoice_no: Vec<i64>,
    sequence: Vec<i32>,
    key: Vec<Key>,
    /// No other message of its invoice stands before it in this batch.
    leads: Vec<bool>,
    urgent: Vec<bool>,
    created_at: Vec<i64>,
    body: Vec<&'w str>,
}

impl<'w> Dispatches<'w> {
    fn new(dispatches: &'w [Dispatch], postings: &Postings<'_>) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        let mut first: HashMap<i64, u32> = HashMap::new();
        for allocated in postings.allocated.values() {
            let least = first.entry(allocated.invoice_no).or_insert(allocated.sequence);
            *least = (*least).min(allocated.sequence);
        }
        for dispatch in dispatches {
            let allocated = postings.allocated.get(&dispatch.key);
            let allocated = allocated
                .filter(|a| *a.invoice == dispatch.invoice && a.sequence == dispatch.sequence)
                .ok_or_else(|| fault("dispatches.add: not the message of an allocation"))?;
            rows.no.push(allocated.no);
            rows.invoice_no.push(allocated.invoice_no);
            rows.sequence.push(small(allocated.sequence)?);
            rows.key.push(Key(key_bytes(&dispatch.key)));
            rows.leads.push(first.get(&allocated.invoice_no) == Some(&allocated.sequence));
            rows.urgent.push(dispatch.urgent);
            rows.created_at.push(dispatch.created_at.unix_ms());
            rows.body.push(&dispatch.body);
        }
        Ok(rows)
    }

    fn asks(&self) -> Counted<'_> {
        const ADD: &str = "-- dispatches.add\nINSERT INTO dispatches
                (no, invoice_no, sequence, key, state, head, urgent, due_at, created_at, body)
            SELECT u.no, u.invoice_no, u.sequence, u.key, 'waiting', u.leads AND (u.sequence = 1 OR NOT EXISTS (
                    SELECT 1 FROM allocations a JOIN dispatches d ON d.no = a.no WHERE a.invoice_no = u.invoice_no
                        AND a.sequence < u.sequence AND d.state IN ('waiting', 'leased', 'parked'))),
                u.urgent, u.created_at, u.created_at, u.body
            FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::uuid[], $5::boolean[], $6::boolean[],
                $7::bigint[], $8::text[]) u (no, invoice_no, sequence, key, leads, urgent, created_at, body)";
        counted(self.no.len(), not_written, || {
            let params: Vec<Param<'_>> = vec![
                &self.no,
                &self.invoice_no,
                &self.sequence,
                &self.key,
                &self.leads,
                &self.urgent,
                &self.created_at,
                &self.body,
            ];
            Ask::new(ADD, params)
        })
    }
}

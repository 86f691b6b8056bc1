//! What a batch of the ledger writes: receipts, event rows, postings with their lines, messages, breaks; and where a
//! payment's money is now. The hot path: each statement is looked up once a batch, each row is one insert.

use super::statement::{Db, Prepared};
use super::tx::{SeenEvent, Sender, SqliteTx};
use crate::domain::dispatch::Dispatch;
use crate::domain::fold::fold;
use crate::domain::ids::{Author, EventKey, Funder, InvoiceId, PartnerCode};
use crate::domain::money::Money;
use crate::domain::notice::ReferenceText;
use crate::domain::posting::{Account, Allocation, Entry, PostingKind};
use crate::domain::review::NewBreak;
use crate::store::cells::{Cells as _, account_and_money, event, event_columns, events, key_bytes};
use crate::store::day_sums::{DayOf, DaySums};
use crate::store::numbers::{line_no, lines_of};
use crate::store::rows::{EventRecord, EventState};
use crate::store::shared::{add_entry, standing_as_told, state_columns};
use crate::store::{EventWrite, NewReceipt, NumberedPosting, Position, StoreError, Writes};
use rusqlite::params;
use std::collections::HashMap;

/// An allocation of this transaction: what its message must agree with.
#[derive(Debug, Clone)]
pub(super) struct Allocated {
    no: i64,
    invoice_no: i64,
    invoice: InvoiceId,
    sequence: u32,
}

/// Writes all of it.
pub(super) fn all(tx: &mut SqliteTx<'_>, writes: &Writes) -> Result<(), StoreError> {
    receipts(tx, &writes.receipts)?;
    events(tx, writes)?;
    postings(tx, &writes.postings)?;
    dispatches(tx, &writes.dispatches)?;
    breaks(tx.db, &writes.breaks).map(drop)
}

fn receipts(tx: &SqliteTx<'_>, receipts: &[NewReceipt]) -> Result<(), StoreError> {
    const RECEIPT: &str = "-- receipts.add\nINSERT INTO receipts
        (no, previous, hash, raw_hash, verdict, partner, received_at, amount, event_key)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    const RAW: &str = "-- receipts.add_raw\nINSERT INTO raw_notices
        (receipt_no, key_id, method, path, query, headers, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    if receipts.is_empty() {
        return Ok(());
    }
    let (mut add, mut add_raw) = (tx.db.prepare(RECEIPT)?, tx.db.prepare(RAW)?);
    for receipt in receipts {
        let no = tx.receipt_no(receipt.link.n)?;
        let evidence = &receipt.evidence;
        add.execute(params![
            no,
            receipt.previous,
            receipt.hash,
            receipt.link.raw_hash,
            receipt.link.verdict.word(),
            evidence.partner.as_str(),
            receipt.link.received_at.unix_ms(),
            receipt.link.amount_dong,
            receipt.link.event.as_ref().map(EventKey::as_bytes),
        ])?;
        let headers = serde_json::to_string(&evidence.headers)
            .map_err(|_not_json| StoreError::Fault("receipts.add_raw: headers are not text".to_owned()))?;
        add_raw.execute(params![
            no,
            evidence.key_id,
            evidence.method.word(),
            evidence.path,
            evidence.query,
            headers,
            evidence.body.as_ref(),
        ])?;
    }
    Ok(())
}

fn events(tx: &mut SqliteTx<'_>, writes: &Writes) -> Result<(), StoreError> {
    const CLAIM: &str = "-- events.claim\nINSERT INTO events
            (key, sender_no, event, movement, amount, discount, ref_invoice, ref_order, ref_customer, reverses,
             fee, funder, channel, paid_at, business_day, state, park_reason, reversal, names_invoice,
             postings, first_posting, listed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
        ON CONFLICT (key) DO NOTHING";
    // `key`, `sender_no` and `movement` are what the two have in common; the trigger holds them to it.
    const FULFIL: &str = "-- events.fulfil\nUPDATE events SET sender_no = ?2, event = ?3, movement = ?4, amount = ?5,
            discount = ?6, ref_invoice = ?7, ref_order = ?8, ref_customer = ?9, reverses = ?10, fee = ?11, funder = ?12,
            channel = ?13, paid_at = ?14, business_day = ?15, state = ?16, park_reason = ?17, reversal = ?18,
            names_invoice = ?19, postings = ?20, first_posting = ?21,
            listed = ?22
        WHERE key = ?1 AND state = 'expected'";
    const STATE: &str = "-- events.state\nUPDATE events SET state = ?2, park_reason = ?3, reversal = ?4, postings = ?5
        WHERE key = ?1";
    const MADE: &str = "-- events.made\nUPDATE events SET made_from = ?2 WHERE no = ?1";
    if writes.events.is_empty() {
        return Ok(());
    }
    let first: HashMap<&EventKey, i64> = writes
        .postings
        .iter()
        .filter(|p| matches!(p.posting.kind(), PostingKind::Settle | PostingKind::Park))
        .map(|p| (p.posting.event(), p.no.0))
        .collect();
    let mut claim = tx.db.prepare(CLAIM)?;
    for event in &writes.events {
        match event {
            // No row written: somebody else's claim is there already.
            EventWrite::Claim(record) => {
                let sender = sender_no(tx, record)?;
                if put_event(&mut claim, record, sender, first.get(&record.key))? != 1 {
                    return Err(StoreError::Contended);
                }
                let no = tx.db.0.last_insert_rowid();
                tx.numbers.events.insert(record.key, SeenEvent { no, sender_no: sender });
                if let Some(line) = record.made_from {
                    tx.db.execute(MADE, (no, line.0))?;
                }
            }
            EventWrite::Fulfil(record) => {
                let sender = sender_no(tx, record)?;
                if put_event(&mut tx.db.prepare(FULFIL)?, record, sender, first.get(&record.key))? != 1 {
                    return Err(StoreError::Contended);
                }
            }
            EventWrite::State { key, state, postings } => {
                let (reason, reversal) = state_columns(state);
                let written =
                    tx.db.execute(STATE, params![key.as_bytes(), state.word(), reason, reversal, postings])?;
                if written != 1 {
                    return Err(StoreError::Fault("events.state: no such event".to_owned()));
                }
            }
        }
    }
    Ok(())
}

fn sender_no(tx: &mut SqliteTx<'_>, record: &EventRecord) -> Result<i64, StoreError> {
    const FIND: &str = "-- senders.find\nSELECT no FROM senders WHERE partner = ?1 AND account = ?2";
    const ADD: &str = "-- senders.add\nINSERT INTO senders (partner, account) VALUES (?1, ?2)";
    let known = tx.numbers.senders.iter().find(|s| s.partner == record.partner && s.account == record.account);
    if let Some(sender) = known {
        return Ok(sender.no);
    }
    let names = (record.partner.as_str(), record.account.as_str());
    let no = match tx.db.one(FIND, names, |cells| cells.next::<i64>())? {
        Some(no) => no,
        None => {
            tx.db.execute(ADD, names)?;
            tx.db.0.last_insert_rowid()
        }
    };
    tx.numbers.senders.push(Sender { no, partner: record.partner.clone(), account: record.account.clone() });
    Ok(no)
}

fn put_event(
    statement: &mut Prepared<'_>,
    record: &EventRecord,
    sender_no: i64,
    first_posting: Option<&i64>,
) -> Result<usize, StoreError> {
    let (reason, reversal) = state_columns(&record.state);
    let content = &record.content;
    statement.execute(params![
        record.key.as_bytes(),
        sender_no,
        record.event,
        record.movement.word(),
        content.amount.dong(),
        content.discount.dong(),
        content.references.invoice.as_ref().map(ReferenceText::as_str),
        content.references.order.as_ref().map(ReferenceText::as_str),
        content.references.customer.as_ref().map(ReferenceText::as_str),
        content.reverses.as_ref().map(EventKey::as_bytes),
        record.fee.dong(),
        record.funder.as_ref().map(Funder::as_str),
        record.channel,
        record.paid_at.unix_ms(),
        record.business_day.to_string(),
        record.state.word(),
        reason,
        reversal,
        record.names_invoice.as_ref().map(InvoiceId::as_str),
        record.postings,
        first_posting,
        record.state != EventState::Settled,
    ])
}

fn postings(tx: &mut SqliteTx<'_>, postings: &[NumberedPosting]) -> Result<(), StoreError> {
    const POSTING: &str = "-- postings.add\nINSERT INTO postings (no, event_no, kind, author, posted_at, business_day)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const ENTRY: &str = "-- postings.add_entry\nINSERT INTO entries (no, account_no, amount) VALUES (?1, ?2, ?3)";
    const ALLOCATION: &str = "-- postings.add_allocation\nINSERT INTO allocations
        (invoice_no, sequence, no, amount) VALUES (?1, ?2, ?3, ?4)";
    if postings.is_empty() {
        return Ok(());
    }
    let (mut add, mut add_entry) = (tx.db.prepare(POSTING)?, tx.db.prepare(ENTRY)?);
    let mut add_allocation = tx.db.prepare(ALLOCATION)?;
    let mut sums = DaySums::new();
    for NumberedPosting { no, posting } in postings {
        let SeenEvent { no: event_no, sender_no } = find_event(tx, posting.event())?;
        add.execute(params![
            no.0,
            event_no,
            posting.kind().word(),
            posting.author().map(Author::as_str),
            posting.posted_at().unix_ms(),
            posting.business_day().to_string(),
        ])?;
        for (line, entry) in (1..).zip(posting.entries()) {
            let account_no = account_no(tx, &entry.account)?;
            add_entry.execute((line_no(no.0, line)?, account_no, entry.amount.dong()))?;
            let (business_day, kind) = (posting.business_day(), posting.kind());
            sums.add(DayOf { sender_no, business_day, account_no, kind }, no.0, entry.amount.dong())?;
        }
        for (line, allocation) in (1..).zip(posting.allocations()) {
            let Allocation { invoice, amount, sequence, key, discount: _ } = allocation;
            let (no, invoice_no) = (line_no(no.0, line)?, invoice_no(tx, invoice)?);
            add_allocation.execute((invoice_no, sequence, no, amount.dong()))?;
            let allocated = Allocated { no, invoice_no, invoice: invoice.clone(), sequence: *sequence };
            tx.numbers.allocations.insert(key.clone(), allocated);
        }
    }
    day_sums(tx.db, sums)
}

fn day_sums(db: Db<'_>, sums: DaySums<i64>) -> Result<(), StoreError> {
    const ADD: &str =
        "-- day_sums.add\nINSERT INTO day_sums (sender_no, business_day, account_no, kind, postings, dong)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (sender_no, business_day, account_no, kind)
            DO UPDATE SET postings = postings + excluded.postings, dong = dong + excluded.dong";
    let mut add = db.prepare(ADD)?;
    for (of, sum) in sums.into_rows() {
        let (day, kind) = (of.business_day.to_string(), of.kind.word());
        add.execute((of.sender_no, day, of.account_no, kind, sum.postings, sum.dong))?;
    }
    Ok(())
}

fn find_event(tx: &mut SqliteTx<'_>, key: &EventKey) -> Result<SeenEvent, StoreError> {
    const SQL: &str = "-- events.number\nSELECT no, sender_no FROM events WHERE key = ?1";
    if let Some(seen) = tx.numbers.events.get(key) {
        return Ok(*seen);
    }
    let seen =
        tx.db.one(SQL, [key.as_bytes()], |cells| Ok(SeenEvent { no: cells.next()?, sender_no: cells.next()? }))?;
    let seen = seen.ok_or_else(|| StoreError::Fault("postings.add: no such event".to_owned()))?;
    tx.numbers.events.insert(*key, seen);
    Ok(seen)
}

fn invoice_no(tx: &mut SqliteTx<'_>, id: &InvoiceId) -> Result<i64, StoreError> {
    const SQL: &str = "-- invoices.number\nSELECT no FROM invoices WHERE id = ?1";
    if let Some(no) = tx.numbers.invoices.get(id) {
        return Ok(*no);
    }
    let no = tx.db.one(SQL, [id.as_str()], |cells| cells.next::<i64>())?;
    let no = no.ok_or_else(|| StoreError::Fault("postings.add_allocation: no such invoice".to_owned()))?;
    tx.numbers.invoices.insert(id.clone(), no);
    Ok(no)
}

fn account_no(tx: &mut SqliteTx<'_>, account: &Account) -> Result<i64, StoreError> {
    const FIND: &str = "-- accounts.find\nSELECT no FROM accounts WHERE name = ?1";
    const ADD: &str = "-- accounts.add\nINSERT INTO accounts (name) VALUES (?1)";
    if let Some(no) = tx.numbers.accounts.get(account) {
        return Ok(*no);
    }
    let name = account.to_string();
    let no = match tx.db.one(FIND, [&name], |cells| cells.next::<i64>())? {
        Some(no) => no,
        None => {
            tx.db.execute(ADD, [&name])?;
            tx.db.0.last_insert_rowid()
        }
    };
    tx.numbers.accounts.insert(account.clone(), no);
    Ok(no)
}

fn dispatches(tx: &mut SqliteTx<'_>, dispatches: &[Dispatch]) -> Result<(), StoreError> {
    const ADD: &str = "-- dispatches.add\nINSERT INTO dispatches
            (no, invoice_no, sequence, key, state, head, urgent, due_at, created_at, body)
        VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?7, ?8)";
    if dispatches.is_empty() {
        return Ok(());
    }
    let mut add = tx.db.prepare(ADD)?;
    for dispatch in dispatches {
        let allocated = tx.numbers.allocations.get(&dispatch.key);
        let allocated = allocated
            .filter(|a| a.invoice == dispatch.invoice && a.sequence == dispatch.sequence)
            .ok_or_else(|| StoreError::Fault("dispatches.add: not the message of an allocation".to_owned()))?;
        let head = super::outbox::is_head(tx.db, allocated.invoice_no, allocated.sequence)?;
        add.execute(params![
            allocated.no,
            allocated.invoice_no,
            allocated.sequence,
            key_bytes(&dispatch.key),
            head,
            dispatch.urgent,
            dispatch.created_at.unix_ms(),
            dispatch.body,
        ])?;
    }
    Ok(())
}

/// Opens breaks and says how many; not what two people have settled, as long as both sides still say the same. What they
/// settled of a line is settled for it also under a mark of before.
pub(super) fn breaks(db: Db<'_>, breaks: &[NewBreak]) -> Result<u64, StoreError> {
    const ADD: &str = "-- breaks.add\nINSERT INTO breaks
            (class, partner, event_key, invoice, dispatch, amount, detail, opened_at, mark, leg, day, line_no, ours,
             theirs, carried, about, unit, area, channel, folded)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, a.id, i.unit, i.area,
            (SELECT e.channel FROM events e WHERE e.key = ?3), ?16 || coalesce(' ' || lower(a.id), '')
        FROM (SELECT coalesce(?4, (SELECT e.names_invoice FROM events e WHERE e.key = ?3),
                (SELECT n.id FROM statement_lines l JOIN invoices n ON n.id = l.ref_invoice WHERE l.no = ?12)) AS id) a
            LEFT JOIN invoices i ON i.id = a.id
        WHERE NOT EXISTS (SELECT 1 FROM breaks s WHERE s.mark = ?9 AND s.mark IS NOT NULL AND s.closed_at IS NOT NULL
            AND s.proposal_no IS NOT NULL AND s.leg <> 'bank' AND s.ours IS ?13 AND s.theirs IS ?14)
            AND NOT EXISTS (SELECT 1 FROM breaks s WHERE s.event_key = ?3 AND s.event_key IS NOT NULL AND s.line_no = ?12
                AND s.day = ?11 AND s.leg = ?10 AND s.class = ?1 AND s.closed_at IS NOT NULL AND s.proposal_no IS NOT NULL
                AND s.leg <> 'bank' AND s.ours IS ?13 AND s.theirs IS ?14)
        ON CONFLICT (mark) WHERE mark IS NOT NULL AND closed_at IS NULL DO NOTHING";
    if breaks.is_empty() {
        return Ok(0);
    }
    let (mut add, mut opened) = (db.prepare(ADD)?, 0_u64);
    for one in breaks {
        let more = add.execute(params![
            one.class.code(),
            one.partner.as_ref().map(PartnerCode::as_str),
            one.event.as_ref().map(EventKey::as_bytes),
            one.invoice.as_ref().map(InvoiceId::as_str),
            one.dispatch.as_ref().map(crate::domain::ids::DispatchKey::as_str),
            one.amount.dong(),
            one.detail,
            one.opened_at.unix_ms(),
            one.mark,
            one.leg.map(|leg| leg.kind.word()),
            one.leg.map(|leg| leg.day.to_string()),
            one.leg.and_then(|leg| leg.line).map(|line| line.0),
            one.leg.and_then(|leg| leg.ours),
            one.leg.and_then(|leg| leg.theirs),
            one.leg.is_some_and(|leg| leg.carried),
            fold(&one.detail),
        ])?;
        opened = opened.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
    Ok(opened)
}

/// The parked payments that name one of these invoices, oldest first, from the one after `after` on.
pub(super) fn parked_naming(
    db: Db<'_>,
    (invoices, after): (&[InvoiceId], Option<&EventKey>),
    limit: u32,
) -> Result<Vec<EventRecord>, StoreError> {
    // `state <> 'settled'` is the partial index's own condition.
    const SQL: &str = concat!(
        "-- events.parked_naming\nSELECT e.no, ",
        event_columns!(),
        " FROM ",
        events!(),
        " WHERE e.names_invoice = ?1 AND e.state <> 'settled' AND e.state = 'parked'
            AND e.no > coalesce((SELECT a.no FROM events a WHERE a.key = ?3), 0)
        ORDER BY e.no LIMIT ?2"
    );
    let mut naming = db.prepare(SQL)?;
    let mut found = HashMap::new();
    for invoice in invoices {
        let asked = (invoice.as_str(), limit, after.map(EventKey::as_bytes));
        found.extend(naming.all(asked, |cells| Ok((cells.next::<i64>()?, event(cells)?)))?);
    }
    let mut found: Vec<(i64, EventRecord)> = found.into_iter().collect();
    found.sort_by_key(|(no, _)| *no);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// The postings of an event, in order: the first is named by its row, later ones name it. And its discount.
pub(super) fn postings_of(db: Db<'_>, event: &EventKey) -> Result<(Vec<i64>, Money), StoreError> {
    const FIRST: &str = "-- postings.first\nSELECT no, first_posting, discount FROM events WHERE key = ?1";
    const LATER: &str = "-- postings.later\nSELECT no FROM postings
        WHERE event_no = ?1 AND kind IN ('rematch', 'reverse') ORDER BY no";
    let found = db.one(FIRST, [event.as_bytes()], |cells| {
        Ok((cells.next::<i64>()?, cells.next::<Option<i64>>()?, cells.money()?))
    })?;
    let Some((event_no, first, discount)) = found else { return Ok((Vec::new(), Money::ZERO)) };
    let later = db.all(LATER, [event_no], |cells| cells.next())?;
    Ok((first.into_iter().chain(later).collect(), discount))
}

/// Where a payment's money is now.
pub(super) fn position(db: Db<'_>, payment: &EventKey) -> Result<Position, StoreError> {
    const ENTRIES: &str = "-- postings.entries\nSELECT a.name, e.amount FROM entries e
            JOIN accounts a ON a.no = e.account_no WHERE e.no >= ?1 AND e.no < ?2 ORDER BY e.no";
    const ALLOCATIONS: &str = "-- postings.allocations\nSELECT i.id, l.amount, l.sequence, d.key FROM dispatches d
            JOIN allocations l ON l.invoice_no = d.invoice_no AND l.sequence = d.sequence
            JOIN invoices i ON i.no = l.invoice_no
        WHERE d.no >= ?1 AND d.no < ?2 ORDER BY d.no";
    let mut entries: Vec<Entry> = Vec::new();
    let mut allocations = Vec::new();
    let (postings, discount) = postings_of(db, payment)?;
    for posting in postings {
        let lines = lines_of(posting)?;
        let moved = db.all(ENTRIES, lines, |cells| {
            let (account, amount) = account_and_money(cells)?;
            Ok(Entry { account, amount })
        })?;
        for entry in moved {
            add_entry(&mut entries, entry)?;
        }
        allocations.extend(db.all(ALLOCATIONS, lines, |cells| {
            Ok(Allocation {
                invoice: cells.invoice_id()?,
                amount: cells.money()?,
                sequence: cells.next()?,
                key: cells.dispatch_key()?,
                discount: Money::ZERO,
            })
        })?);
    }
    entries.retain(|entry| !entry.amount.is_zero());
    Ok(Position { entries, allocations: standing_as_told(allocations, discount)? })
}

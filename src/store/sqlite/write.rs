//! What a batch of the ledger writes: receipts, event rows, postings with their lines, messages, breaks; and where a
//! payment's money is now. The hot path: each statement is looked up once a batch, each row is one insert.

use super::read;
use super::statement::{Db, Prepared};
use super::tx::SqliteTx;
use crate::domain::dispatch::Dispatch;
use crate::domain::ids::{Author, EventKey, Funder, InvoiceId, PartnerCode};
use crate::domain::notice::ReferenceText;
use crate::domain::posting::{Account, Allocation, Entry};
use crate::domain::review::NewBreak;
use crate::store::rows::{EventRecord, EventState};
use crate::store::{EventWrite, NewReceipt, NumberedPosting, Position, StoreError, Writes};
use rusqlite::{named_params, params};
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
    events(tx, &writes.events)?;
    postings(tx, &writes.postings)?;
    dispatches(tx, &writes.dispatches)?;
    breaks(tx.db, &writes.breaks)
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
        let no = tx.receipt_no(receipt.n)?;
        let evidence = &receipt.evidence;
        add.execute(params![
            no,
            receipt.previous,
            receipt.hash,
            receipt.raw_hash,
            receipt.verdict.word(),
            evidence.partner.as_str(),
            evidence.received_at.unix_ms(),
            receipt.amount_dong,
            receipt.event.as_ref().map(EventKey::as_bytes),
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

fn events(tx: &mut SqliteTx<'_>, events: &[EventWrite]) -> Result<(), StoreError> {
    const CLAIM: &str = "-- events.claim\nINSERT INTO events
            (key, partner, account, event, movement, amount, discount, ref_invoice, ref_order, ref_customer, reverses,
             fee, funder, channel, paid_at, business_day, state, park_reason, reversal, names_invoice, postings)
        VALUES (:key, :partner, :account, :event, :movement, :amount, :discount, :ref_invoice, :ref_order,
             :ref_customer, :reverses, :fee, :funder, :channel, :paid_at, :business_day, :state, :park_reason,
             :reversal, :names_invoice, :postings) ON CONFLICT (key) DO NOTHING";
    // `key`, `partner`, `account` and `movement` are what the two have in common; the trigger holds them to it.
    const FULFIL: &str = "-- events.fulfil\nUPDATE events SET partner = :partner, account = :account, event = :event,
            movement = :movement, amount = :amount, discount = :discount, ref_invoice = :ref_invoice,
            ref_order = :ref_order, ref_customer = :ref_customer, reverses = :reverses, fee = :fee, funder = :funder,
            channel = :channel, paid_at = :paid_at, business_day = :business_day, state = :state,
            park_reason = :park_reason, reversal = :reversal, names_invoice = :names_invoice, postings = :postings
        WHERE key = :key AND state = 'expected'";
    const STATE: &str = "-- events.state\nUPDATE events SET state = ?2, park_reason = ?3, reversal = ?4, postings = ?5
        WHERE key = ?1";
    for event in events {
        match event {
            // No row written: somebody else's claim is there already.
            EventWrite::Claim(record) => {
                if put_event(&mut tx.db.prepare(CLAIM)?, record)? != 1 {
                    return Err(StoreError::Contended);
                }
                tx.numbers.events.insert(record.key, tx.db.0.last_insert_rowid());
            }
            EventWrite::Fulfil(record) => {
                if put_event(&mut tx.db.prepare(FULFIL)?, record)? != 1 {
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

fn state_columns(state: &EventState) -> (Option<&'static str>, Option<&[u8; 16]>) {
    match state {
        EventState::Parked(reason) => (Some(reason.word()), None),
        EventState::Expected { reversal } => (None, Some(reversal.as_bytes())),
        EventState::Settled
        | EventState::Reversed
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => (None, None),
    }
}

fn put_event(statement: &mut Prepared<'_>, record: &EventRecord) -> Result<usize, StoreError> {
    let (reason, reversal) = state_columns(&record.state);
    let content = &record.content;
    statement.execute(named_params! {
        ":key": record.key.as_bytes(),
        ":partner": record.partner.as_str(),
        ":account": record.account,
        ":event": record.event,
        ":movement": record.movement.word(),
        ":amount": content.amount.dong(),
        ":discount": content.discount.dong(),
        ":ref_invoice": content.references.invoice.as_ref().map(ReferenceText::as_str),
        ":ref_order": content.references.order.as_ref().map(ReferenceText::as_str),
        ":ref_customer": content.references.customer.as_ref().map(ReferenceText::as_str),
        ":reverses": content.reverses.as_ref().map(EventKey::as_bytes),
        ":fee": record.fee.dong(),
        ":funder": record.funder.as_ref().map(Funder::as_str),
        ":channel": record.channel,
        ":paid_at": record.paid_at.unix_ms(),
        ":business_day": record.business_day.to_string(),
        ":state": record.state.word(),
        ":park_reason": reason,
        ":reversal": reversal,
        ":names_invoice": record.names_invoice.as_ref().map(InvoiceId::as_str),
        ":postings": record.postings,
    })
}

fn postings(tx: &mut SqliteTx<'_>, postings: &[NumberedPosting]) -> Result<(), StoreError> {
    const POSTING: &str = "-- postings.add\nINSERT INTO postings (no, event_no, kind, author, posted_at, business_day)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    const ENTRY: &str =
        "-- postings.add_entry\nINSERT INTO entries (posting_no, line, account_no, amount) VALUES (?1, ?2, ?3, ?4)";
    const ALLOCATION: &str = "-- postings.add_allocation\nINSERT INTO allocations
        (posting_no, invoice_no, sequence, amount, key) VALUES (?1, ?2, ?3, ?4, ?5)";
    if postings.is_empty() {
        return Ok(());
    }
    let (mut add, mut add_entry) = (tx.db.prepare(POSTING)?, tx.db.prepare(ENTRY)?);
    let mut add_allocation = tx.db.prepare(ALLOCATION)?;
    for NumberedPosting { no, posting } in postings {
        let event_no = event_no(tx, posting.event())?;
        add.execute(params![
            no.0,
            event_no,
            posting.kind().word(),
            posting.author().map(Author::as_str),
            posting.posted_at().unix_ms(),
            posting.business_day().to_string(),
        ])?;
        for (line, entry) in (1_i64..).zip(posting.entries()) {
            let account_no = account_no(tx, &entry.account)?;
            add_entry.execute((no.0, line, account_no, entry.amount.dong()))?;
        }
        for allocation in posting.allocations() {
            let Allocation { invoice, amount, sequence, key } = allocation;
            let invoice_no = invoice_no(tx, invoice)?;
            add_allocation.execute(params![no.0, invoice_no, sequence, amount.dong(), read::key_bytes(key)])?;
            let allocated = Allocated {
                no: tx.db.0.last_insert_rowid(),
                invoice_no,
                invoice: invoice.clone(),
                sequence: *sequence,
            };
            tx.numbers.allocations.insert(key.clone(), allocated);
        }
    }
    Ok(())
}

fn event_no(tx: &mut SqliteTx<'_>, key: &EventKey) -> Result<i64, StoreError> {
    const SQL: &str = "-- events.number\nSELECT no FROM events WHERE key = ?1";
    if let Some(no) = tx.numbers.events.get(key) {
        return Ok(*no);
    }
    let no = tx.db.one(SQL, [key.as_bytes()], |cells| cells.next::<i64>())?;
    let no = no.ok_or_else(|| StoreError::Fault("postings.add: no such event".to_owned()))?;
    tx.numbers.events.insert(*key, no);
    Ok(no)
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
    const ADD: &str = "-- dispatches.add\nINSERT INTO dispatches (no, state, head, urgent, due_at, created_at, body)
        VALUES (?1, 'waiting', ?2, ?3, ?4, ?4, ?5)";
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
        add.execute(params![allocated.no, head, dispatch.urgent, dispatch.created_at.unix_ms(), dispatch.body])?;
    }
    Ok(())
}

/// Opens breaks.
pub(super) fn breaks(db: Db<'_>, breaks: &[NewBreak]) -> Result<(), StoreError> {
    const ADD: &str = "-- breaks.add\nINSERT INTO breaks
        (class, partner, event_key, invoice, dispatch, amount, detail, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    if breaks.is_empty() {
        return Ok(());
    }
    let mut add = db.prepare(ADD)?;
    for one in breaks {
        add.execute(params![
            one.class.code(),
            one.partner.as_ref().map(PartnerCode::as_str),
            one.event.as_ref().map(EventKey::as_bytes),
            one.invoice.as_ref().map(InvoiceId::as_str),
            one.dispatch.as_ref().map(crate::domain::ids::DispatchKey::as_str),
            one.amount.dong(),
            one.detail,
            one.opened_at.unix_ms(),
        ])?;
    }
    Ok(())
}

/// The parked payments that name one of these invoices, oldest first.
pub(super) fn parked_naming(db: Db<'_>, invoices: &[InvoiceId], limit: u32) -> Result<Vec<EventRecord>, StoreError> {
    // `state <> 'settled'` is the partial index's own condition.
    const SQL: &str = concat!(
        "-- events.parked_naming\nSELECT e.no, ",
        read::event_columns!(),
        " FROM events e WHERE e.names_invoice = ?1 AND e.state <> 'settled' AND e.state = 'parked'
        ORDER BY e.no LIMIT ?2"
    );
    let mut naming = db.prepare(SQL)?;
    let mut found = HashMap::new();
    for invoice in invoices {
        found.extend(naming.all((invoice.as_str(), limit), |cells| Ok((cells.next::<i64>()?, read::event(cells)?)))?);
    }
    let mut found: Vec<(i64, EventRecord)> = found.into_iter().collect();
    found.sort_by_key(|(no, _)| *no);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// Where a payment's money is now.
pub(super) fn position(db: Db<'_>, payment: &EventKey) -> Result<Position, StoreError> {
    const ENTRIES: &str = "-- postings.net\nSELECT a.name, sum(e.amount) FROM events v
            JOIN postings p ON p.event_no = v.no JOIN entries e ON e.posting_no = p.no
            JOIN accounts a ON a.no = e.account_no
        WHERE v.key = ?1 GROUP BY a.no HAVING sum(e.amount) <> 0 ORDER BY a.no";
    const ALLOCATIONS: &str = "-- postings.allocations\nSELECT i.id, l.amount, l.sequence, l.key FROM events v
            JOIN postings p ON p.event_no = v.no JOIN allocations l ON l.posting_no = p.no
            JOIN invoices i ON i.no = l.invoice_no
        WHERE v.key = ?1 ORDER BY l.no";
    let entries = db.all(ENTRIES, [payment.as_bytes()], |cells| {
        Ok(Entry { account: cells.parse(|name: String| Account::parse(&name))?, amount: cells.money()? })
    })?;
    let allocations = db.all(ALLOCATIONS, [payment.as_bytes()], |cells| {
        Ok(Allocation {
            invoice: cells.invoice_id()?,
            amount: cells.money()?,
            sequence: cells.next()?,
            key: cells.dispatch_key()?,
        })
    })?;
    Ok(Position { entries, allocations: standing(allocations) })
}

/// The settlements that no later allocation of the same payment and invoice took back.
fn standing(allocations: Vec<Allocation>) -> Vec<Allocation> {
    let mut standing: Vec<Allocation> = Vec::new();
    for allocation in allocations {
        if allocation.amount.is_positive() {
            standing.push(allocation);
            continue;
        }
        let taken_back = allocation.amount.negated();
        let settled = standing.iter().rposition(|s| s.invoice == allocation.invoice && s.amount == taken_back);
        if let Some(index) = settled {
            standing.remove(index);
        }
    }
    standing
}

//! Builders: the least that makes a row, so that a test says only what it is about.

use super::{Harness, LANE};
use bytes::Bytes;
use jiff::civil::{Date, date};
use thuho::domain::decision::ParkReason;
use thuho::domain::dispatch::{Dispatch, DispatchFacts, DispatchKind};
use thuho::domain::ids::{
    CustomerCode, DispatchKey, EventId, EventKey, Funder, Generation, InvoiceId, Movement, PartnerCode, UnitCode,
};
use thuho::domain::invoice::{Area, Invoice, InvoiceAccount, InvoiceKind, InvoiceStatus};
use thuho::domain::money::Money;
use thuho::domain::notice::{Content, Method, ReferenceText, References, Wanted};
use thuho::domain::posting::{Account, Allocation, Entry, Posting, PostingDraft, PostingKind};
use thuho::domain::receipt::{Evidence, HashedEvidence, Link, Verdict};
use thuho::domain::time::Timestamp;
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::{EventWrite, Heads, NewReceipt, NumberedPosting, StoreError, Tx, Writes};

pub const DAY: Date = date(2026, 11, 22);
pub const GENERATION: Generation = Generation(u64::MAX - 6);

/// A moment of the test's day, in milliseconds after its begin.
pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_000_000_000 + ms)
}

pub fn dong(amount: i64) -> Money {
    Money::from_dong(amount).unwrap()
}

pub fn partner() -> PartnerCode {
    PartnerCode::parse("collector").unwrap()
}

pub fn invoice_id(text: &str) -> InvoiceId {
    InvoiceId::parse(text).unwrap()
}

pub fn customer(text: &str) -> CustomerCode {
    CustomerCode::parse(text).unwrap()
}

/// An open invoice of customer `KH1`.
pub fn invoice(id: &str, total: i64) -> Invoice {
    Invoice {
        id: invoice_id(id),
        customer: customer("KH1"),
        payer: customer("KH1"),
        unit: UnitCode::parse("PA03HL").unwrap(),
        area: Area::Urban,
        period: "2026-10-1".to_owned(),
        kind: InvoiceKind::ActiveEnergy,
        net: dong(total - total / 10),
        vat: dong(total / 10),
        total: dong(total),
        issued_on: date(2026, 11, 1),
        due_on: date(2026, 11, 15),
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    }
}

pub fn payment_key(event: &str) -> EventKey {
    EventKey::of(&partner(), "merchant", &EventId::parse(vec![event.to_owned()]).unwrap(), Movement::Payment)
}

pub fn reversal_key(event: &str) -> EventKey {
    EventKey::of(&partner(), "merchant", &EventId::parse(vec![event.to_owned()]).unwrap(), Movement::Reversal)
}

/// A payment that states the order reference of an invoice.
pub fn payment_on(invoice: &str, event: &str, amount: i64, state: EventState) -> EventRecord {
    let order = ReferenceText::new(&format!("261122_{invoice}"));
    let mut record = payment(event, amount, state);
    record.content.references = References { order, ..References::default() };
    record
}

/// A payment that names no bill.
pub fn payment(event: &str, amount: i64, state: EventState) -> EventRecord {
    EventRecord {
        key: payment_key(event),
        partner: partner(),
        account: "merchant".to_owned(),
        event: event.to_owned(),
        movement: Movement::Payment,
        content: Content {
            amount: dong(amount),
            discount: Money::ZERO,
            references: References::default(),
            reverses: None,
        },
        fee: Money::ZERO,
        funder: None,
        channel: Some("wallet".to_owned()),
        paid_at: at(-1000),
        business_day: DAY,
        state,
        names_invoice: None,
        postings: 1,
        made_from: None,
    }
}

pub fn evidence(body: &str) -> HashedEvidence {
    HashedEvidence::of(Evidence {
        partner: partner(),
        key_id: "2026".to_owned(),
        method: Method::Post,
        path: "/webhooks/collector".to_owned(),
        query: "a=b".to_owned(),
        headers: vec![("x-time".to_owned(), "1 \u{1ea1} \"q\"".to_owned())],
        body: Bytes::copy_from_slice(body.as_bytes()),
        received_at: at(0),
    })
}

/// The next link of the chain.
pub fn receipt(
    tx: &mut dyn Tx,
    body: &str,
    verdict: Verdict,
    about: (Option<EventKey>, i64),
) -> Result<NewReceipt, StoreError> {
    Ok(receipt_at(&tx.heads()?, body, verdict, about))
}

/// The link of a chain that goes on there.
pub fn receipt_at(heads: &Heads, body: &str, verdict: Verdict, about: (Option<EventKey>, i64)) -> NewReceipt {
    let evidence = evidence(body);
    let raw_hash = evidence.raw_hash();
    let (n, previous, received_at) = (heads.receipt, heads.chain, evidence.received_at);
    let (event, amount_dong) = (about.0, Some(about.1));
    let link = Link { lane: LANE, n, raw_hash, verdict, received_at, event, amount_dong };
    NewReceipt { hash: link.hash(&previous), link, previous, evidence }
}

/// A payment's line in the books.
pub struct Move<'a> {
    pub event: &'a EventRecord,
    pub kind: PostingKind,
    /// Negative takes back.
    pub amount: i64,
    pub urgent: bool,
    pub created_at: Timestamp,
}

/// A posting between two accounts of the partner, or one of them and an invoice, with its message.
pub fn posting(
    tx: &mut dyn Tx,
    moved: &Move<'_>,
    from: Account,
    to: Option<&InvoiceAccount>,
) -> Result<(NumberedPosting, Vec<Dispatch>), StoreError> {
    let no = tx.heads()?.posting;
    let event = moved.event;
    let against = to.map_or(Account::Suspense(event.partner.clone()), |a| Account::Receivable(a.invoice.unit.clone()));
    let told = to.map(|account| tell(moved, account));
    let (allocations, dispatches) = told.into_iter().unzip();
    let posting = Posting::new(PostingDraft {
        event: event.key,
        kind: moved.kind,
        author: None,
        posted_at: at(0),
        business_day: DAY,
        entries: vec![
            Entry { account: from, amount: dong(moved.amount) },
            Entry { account: against, amount: dong(-moved.amount) },
        ],
        allocations,
    });
    Ok((NumberedPosting { no, posting: posting.unwrap() }, dispatches))
}

/// The entries by which a payment comes into suspense (1), or goes out of it again (-1): what the customer paid, what the
/// partner charges, what a sponsor gives.
pub fn suspended(payment: &EventRecord, sign: i64) -> Vec<Entry> {
    let partner = || payment.partner.clone();
    let (amount, discount, fee) = (payment.content.amount.dong(), payment.content.discount.dong(), payment.fee.dong());
    let moves = [
        (Account::Clearing(partner()), amount - discount),
        (Account::Clearing(partner()), -fee),
        (Account::Promotion(Funder::parse("campaign").unwrap()), discount),
        (Account::Fee(partner()), fee),
        (Account::Suspense(partner()), -amount),
    ];
    let moves = moves.into_iter().filter(|(_, moved)| *moved != 0);
    moves.map(|(account, moved)| Entry { account, amount: dong(sign * moved) }).collect()
}

fn tell(moved: &Move<'_>, account: &InvoiceAccount) -> (Allocation, Dispatch) {
    let event = moved.event;
    let invoice = account.invoice.id.clone();
    let key = DispatchKey::of(&event.key, event.postings, &invoice);
    let sequence = account.sequence + 1;
    let facts = DispatchFacts {
        kind: if moved.amount > 0 { DispatchKind::Settled } else { DispatchKind::Reversed },
        payment: event.key,
        partner: event.partner.clone(),
        event: event.event.clone(),
        invoice: invoice.clone(),
        customer: account.invoice.customer.clone(),
        unit: account.invoice.unit.clone(),
        amount: dong(moved.amount.abs()),
        customer_paid: dong(moved.amount.abs()),
        discount: Money::ZERO,
        funder: None,
        channel: None,
        paid_at: event.paid_at,
        business_day: DAY,
        reverses: None,
        sequence,
    };
    let (amount, discount) = (dong(moved.amount), Money::ZERO);
    let allocation = Allocation { invoice: invoice.clone(), amount, sequence, key: key.clone(), discount };
    let dispatch =
        Dispatch { key, invoice, sequence, body: facts.to_json(), urgent: moved.urgent, created_at: moved.created_at };
    (allocation, dispatch)
}

pub fn clearing() -> Account {
    Account::Clearing(partner())
}

pub fn suspense() -> Account {
    Account::Suspense(partner())
}

/// The invoice as it is now.
pub fn account(tx: &mut dyn Tx, id: &str) -> Result<InvoiceAccount, StoreError> {
    let wanted = Wanted { invoices: vec![invoice_id(id)], customers: Vec::new() };
    Ok(tx.candidates(&wanted)?.invoices.remove(&invoice_id(id)).expect("the invoice is there"))
}

impl Harness {
    /// Takes in open invoices of these totals.
    pub fn invoices(&mut self, invoices: &[(&str, i64)]) {
        let rows: Vec<Invoice> = invoices.iter().map(|(id, total)| invoice(id, *total)).collect();
        self.tx(|tx| tx.upsert_invoices(&rows));
    }

    /// A whole settlement: receipt, claim, posting, message.
    pub fn pay(&mut self, event: &str, invoice: &str, amount: i64) -> DispatchKey {
        self.pay_at(event, invoice, amount, (at(0), false))
    }

    /// The same, with a message of its own time and lane.
    pub fn pay_at(&mut self, event: &str, invoice: &str, amount: i64, message: (Timestamp, bool)) -> DispatchKey {
        let (created_at, urgent) = message;
        self.tx(|tx| {
            // The message's key counts the postings before this one.
            let before = EventRecord { postings: 0, ..payment(event, amount, EventState::Settled) };
            let moved = Move { event: &before, kind: PostingKind::Settle, amount, urgent, created_at };
            let to = account(tx, invoice)?;
            let (numbered, dispatches) = posting(tx, &moved, clearing(), Some(&to))?;
            let no = numbered.no;
            let key = dispatches[0].key.clone();
            let receipts = vec![receipt(tx, event, Verdict::Settled, (Some(before.key), amount))?];
            tx.write(&Writes {
                receipts,
                events: vec![EventWrite::Claim(payment_on(invoice, event, amount, EventState::Settled))],
                postings: vec![numbered],
                dispatches,
                breaks: Vec::new(),
            })?;
            tx.note_generation(GENERATION, no, at(0))?;
            Ok(key)
        })
    }

    /// A whole payment in suspense that names `names`.
    pub fn park(&mut self, event: &str, names: &str, amount: i64) -> EventKey {
        let record = EventRecord {
            names_invoice: Some(invoice_id(names)),
            ..payment_on(names, event, amount, EventState::Parked(ParkReason::UnknownInvoice))
        };
        self.tx(|tx| {
            let moved = Move { event: &record, kind: PostingKind::Park, amount, urgent: false, created_at: at(0) };
            let (numbered, _none) = posting(tx, &moved, clearing(), None)?;
            let receipts = vec![receipt(tx, event, Verdict::Parked, (Some(record.key), amount))?];
            tx.write(&Writes {
                receipts,
                events: vec![EventWrite::Claim(record.clone())],
                postings: vec![numbered],
                ..Writes::default()
            })
        });
        record.key
    }

    /// Another posting of a payment onto an invoice: from suspense onto it, or back to clearing.
    pub fn repost(&mut self, key: EventKey, state: EventState, from: Account, onto: (&str, i64)) -> DispatchKey {
        let (invoice, amount) = onto;
        self.tx(|tx| {
            let record = tx.events(&[key])?.remove(0).expect("the payment is there");
            let kind = if amount > 0 { PostingKind::Rematch } else { PostingKind::Reverse };
            let moved = Move { event: &record, kind, amount, urgent: false, created_at: at(0) };
            let to = account(tx, invoice)?;
            let (numbered, dispatches) = posting(tx, &moved, from.clone(), Some(&to))?;
            let told = dispatches[0].key.clone();
            tx.write(&Writes {
                events: vec![EventWrite::State { key, state, postings: record.postings + 1 }],
                postings: vec![numbered],
                dispatches,
                ..Writes::default()
            })?;
            Ok(told)
        })
    }
}

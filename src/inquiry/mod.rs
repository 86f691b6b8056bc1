//! What a collector may ask: the bills of a customer or an invoice, and what became of one of its own payments. Bill
//! inquiry answers by the rule that settles payments ([`crate::matching`]), so a payment of what was shown is settled.
//! Asked on reading connections; the writer never waits for it. Before it says that no payment is booked it waits until
//! the writer is through with what was queued, and looks again: a payment whose commit is running is not on disk yet,
//! and a bank that heard "unknown" would give it back; so would one whose call is kept and not read yet. Not
//! how a question is signed, nor how an answer is worded (`partner`).
//!
//! Keeps I1 (nothing is read before it is proved) and I10 (bounded questions).

pub mod readers;
mod unread;

use crate::domain::ids::{CustomerCode, EventKey, InvoiceId};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::notice::{OnMismatch, RawNotice, References};
use crate::domain::time::Timestamp;
use crate::ledger::writer::Writer;
use crate::matching::{self, Bills, Named};
use crate::partner::{Bill, BillsAnswer, BillsKind, Profile, StatusAnswer, StatusAsk, StatusKind};
use crate::store::reports::Reports;
use crate::store::rows::{EventRecord, EventState};
use crate::store::{Candidates, StoreError};
use readers::Readers;
use std::time::Duration;

/// Bills shown at most: years of them.
const BILLS_MAX: usize = 100;

/// The open bills that a proved question names.
pub async fn bills(readers: &Readers, profile: &Profile, raw: &RawNotice, now: Timestamp, paused: bool) -> BillsAnswer {
    let references = match profile.prove(raw, now).and_then(|authentic| profile.read_bills(&authentic, now)) {
        Ok(references) => references,
        Err(refusal) => return BillsAnswer::of(BillsKind::from(&refusal)),
    };
    if paused {
        return BillsAnswer::of(BillsKind::TryAgain);
    }
    readers
        .ask(move |reports| open_bills(reports, &references))
        .await
        .unwrap_or_else(|_no_answer| BillsAnswer::of(BillsKind::TryAgain))
}

/// What a status enquiry needs: who reads the books, and who may be writing them.
#[derive(Clone, Copy)]
pub struct Books<'a> {
    /// The collectors' reading connections.
    pub readers: &'a Readers,
    /// The writer, for when nothing is found.
    pub writer: &'a Writer,
}

/// What became of the payment that a proved question names.
pub async fn status(
    books: Books<'_>,
    profile: &Profile,
    raw: &RawNotice,
    now: Timestamp,
    paused: bool,
) -> StatusAnswer {
    let asked = match profile.prove(raw, now).and_then(|authentic| profile.read_status(&authentic, now)) {
        Ok(asked) => asked,
        Err(refusal) => return StatusAnswer::of(StatusKind::from(&refusal)),
    };
    if paused {
        return StatusAnswer::of(StatusKind::TryAgain);
    }
    let deadline = Duration::from_millis(profile.answer_deadline_ms().unsigned_abs());
    let answer = tokio::time::timeout(deadline, kept_status(books, profile, asked, now)).await;
    answer.ok().flatten().unwrap_or_else(|| StatusAnswer::of(StatusKind::TryAgain))
}

/// The status; a payment that is kept and not read yet is not "unknown", as reading it again will book it. Who asks before
/// it debits has no such payments.
async fn kept_status(books: Books<'_>, profile: &Profile, asked: StatusAsk, now: Timestamp) -> Option<StatusAnswer> {
    let payment = asked.payment;
    let answer = sure_status(books, payment).await?;
    if answer.kind != StatusKind::Unknown || profile.on_mismatch() == OnMismatch::Refuse {
        return Some(answer);
    }
    match unread::holds(books.readers, profile, payment, now).await? {
        true => None,
        // It may have been read meanwhile.
        false => sure_status(books, payment).await,
    }
}

/// The status, asked again behind the writer's queue before it is "unknown"; `None` when nobody knows.
async fn sure_status(books: Books<'_>, payment: EventKey) -> Option<StatusAnswer> {
    let Books { readers, writer } = books;
    let ask = || readers.ask(move |reports| payment_status(reports, payment));
    let first = ask().await.ok()?;
    if first.kind != StatusKind::Unknown {
        return Some(first);
    }
    writer.passed().ok()?.await.ok()?;
    if writer.is_alone() {
        return ask().await.ok();
    }
    // Another instance may hold the event at this moment: its lock is waited for, and the row is read behind it.
    let locked = writer.run(move |store| {
        let mut row = None;
        store.transact(&mut |tx| {
            row = tx.events(&[payment])?.pop().flatten();
            Ok(())
        })?;
        Ok::<_, StoreError>(row)
    });
    let row = locked.ok()?.await.ok()?.ok()?;
    Some(status_of(payment, row.as_ref()))
}

/// The bills as a question found them.
struct Found(Candidates);

impl Bills for Found {
    fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceAccount> {
        self.0.invoices.get(id)
    }

    fn of_customer(&self, code: &CustomerCode) -> Vec<&InvoiceAccount> {
        self.0.invoices.values().filter(|account| account.invoice.customer == *code).collect()
    }

    fn knows(&self, code: &CustomerCode) -> bool {
        self.0.known.contains(code) || self.0.invoices.values().any(|account| account.invoice.customer == *code)
    }
}

fn open_bills(reports: &mut dyn Reports, references: &References) -> Result<BillsAnswer, StoreError> {
    let reading = matching::read(references);
    let found = Found(reports.candidates(&reading.wanted())?);
    let payable = matching::payable(&reading, &found);
    let customer = match &reading.named {
        Named::Customer(code) => found.knows(code).then(|| code.clone()),
        // Whose invoice it is, is said only to whom stated no other customer.
        Named::Invoice { id, customer } => found
            .invoice(id)
            .filter(|account| matching::agrees(account, customer))
            .map(|account| account.invoice.customer.clone()),
        Named::Nothing | Named::Contradiction => None,
    };
    let kind = match (payable.is_empty(), &customer) {
        (false, _) => BillsKind::Ok,
        (true, Some(_)) => BillsKind::NoDebt,
        (true, None) => BillsKind::Unknown,
    };
    let bills = payable
        .into_iter()
        .take(BILLS_MAX)
        .map(|account| Bill {
            invoice: account.invoice.id.clone(),
            period: account.invoice.period.clone(),
            amount: account.open(),
            due_on: account.invoice.due_on,
        })
        .collect();
    Ok(BillsAnswer { kind, customer: customer.map(String::from), bills })
}

fn payment_status(reports: &mut dyn Reports, payment: EventKey) -> Result<StatusAnswer, StoreError> {
    Ok(status_of(payment, reports.event(&payment)?.as_ref()))
}

fn status_of(payment: EventKey, row: Option<&EventRecord>) -> StatusAnswer {
    let Some(record) = row else { return StatusAnswer::of(StatusKind::Unknown) };
    let kind = match record.state {
        EventState::Settled => StatusKind::Paid,
        EventState::Parked(_) => StatusKind::Parked,
        EventState::Reversed => StatusKind::Reversed,
        // Its reversal came and it did not: no payment is booked.
        EventState::Expected { .. } | EventState::Applied | EventState::Waiting | EventState::Refused => {
            return StatusAnswer::of(StatusKind::Unknown);
        }
    };
    StatusAnswer { kind, payment: Some(payment), amount: Some(record.content.amount) }
}

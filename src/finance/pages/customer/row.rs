//! A payment as a line of a list.

use super::stand::{self, Stand};
use crate::domain::ids::{CustomerCode, InvoiceId, Movement};
use crate::domain::notice::ReferenceText;
use crate::domain::time::Timestamp;
use crate::finance::show;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::StoreError;
use crate::store::reports::{DispatchFilter, DispatchView, Reports};
use crate::store::rows::EventRecord;

/// Messages of one payment that are looked at.
const MESSAGES_MAX: u32 = 100;

/// Whose bills it pays, or whom it names.
#[derive(Clone, Debug)]
pub(super) struct Whom {
    pub(super) text: String,
    /// The page of the customer, for those who may see it.
    pub(super) place: Option<String>,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct PaymentRow {
    pub(super) key: String,
    pub(super) paid_at: String,
    pub(super) day: String,
    pub(super) partner: String,
    pub(super) event: String,
    pub(super) movement: &'static str,
    pub(super) amount: String,
    /// Is it in the sums of its day?
    pub(super) counted: bool,
    pub(super) customer: Whom,
    pub(super) invoice: String,
    pub(super) stand: Stand,
    pub(super) age: String,
}

/// Its messages to the core.
pub(super) fn messages(reports: &mut dyn Reports, record: &EventRecord) -> Result<Vec<DispatchView>, StoreError> {
    let filter = DispatchFilter { event: Some(record.key), limit: MESSAGES_MAX, ..DispatchFilter::default() };
    reports.dispatches(&filter)
}

/// Lines of these payments, in their order.
pub(super) fn all(
    reports: &mut dyn Reports,
    records: Vec<EventRecord>,
    (sees, now, w): (bool, Timestamp, Words),
) -> Result<Vec<PaymentRow>, StoreError> {
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let messages = messages(reports, &record)?;
        let mut row = row(&record, &messages, (sees, now, w));
        row.customer = whom(reports, &record, &messages, sees)?;
        rows.push(row);
    }
    Ok(rows)
}

/// The customer of the bills that it is on; else the one that it names.
pub(super) fn whom(
    reports: &mut dyn Reports,
    record: &EventRecord,
    messages: &[DispatchView],
    sees: bool,
) -> Result<Whom, StoreError> {
    let bill = messages.first().map(|message| &message.invoice).or(record.names_invoice.as_ref());
    let account = match bill {
        Some(bill) => reports.invoice(bill)?,
        None => None,
    };
    let named = record.content.references.customer.as_ref().map(ReferenceText::as_str);
    let code = match &account {
        Some(account) => Some(account.invoice.customer.clone()),
        None => named.and_then(|named| CustomerCode::parse(named.to_uppercase()).ok()),
    };
    let text = code.as_ref().map(CustomerCode::as_str).or(named);
    Ok(Whom {
        text: text.map_or_else(|| show::NONE.to_owned(), |text| shown(text, sees)),
        place: code.filter(|_| sees).map(|code| format!("/customers/{code}")),
    })
}

/// One line.
pub(super) fn row(
    record: &EventRecord,
    messages: &[DispatchView],
    (sees, now, w): (bool, Timestamp, Words),
) -> PaymentRow {
    let stand = stand::of(record, messages, w);
    PaymentRow {
        key: record.key.to_string(),
        paid_at: show::moment(record.paid_at),
        day: show::day(record.business_day),
        partner: record.partner.to_string(),
        event: record.event.clone(),
        movement: terms::movement(Some(record.movement), w),
        amount: show::money(taken(record), w.0),
        counted: true,
        customer: Whom { text: show::NONE.to_owned(), place: None },
        invoice: told(record, messages, sees),
        age: stand.since.map_or_else(|| show::NONE.to_owned(), |since| stand::age(since, now, w)),
        stand,
    }
}

/// What it adds to a day: a reversal takes away.
fn taken(record: &EventRecord) -> i64 {
    match record.movement {
        Movement::Payment => record.content.amount.dong(),
        Movement::Reversal => record.content.amount.dong().saturating_neg(),
    }
}

/// The bills that it is on, or the one that it names.
fn told(record: &EventRecord, messages: &[DispatchView], sees: bool) -> String {
    let mut bills: Vec<&str> = messages.iter().map(|message| message.invoice.as_str()).collect();
    bills.sort_unstable();
    bills.dedup();
    if !bills.is_empty() {
        return bills.join(", ");
    }
    let named = record.names_invoice.as_ref().map(InvoiceId::as_str);
    let named = named.or(record.content.references.invoice.as_ref().map(ReferenceText::as_str));
    named.map_or_else(|| show::NONE.to_owned(), |named| shown(named, sees))
}

/// A payer's text for those who may see it; its ends for others.
pub(super) fn shown(text: &str, sees: bool) -> String {
    if sees { text.to_owned() } else { show::masked(text) }
}

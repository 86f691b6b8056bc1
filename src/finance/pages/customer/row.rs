//! A payment as a line of a list.

use super::stand::{self, Stand};
use crate::domain::ids::{CustomerCode, EventKey, InvoiceId, Movement};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::notice::{ReferenceText, Wanted};
use crate::domain::time::Timestamp;
use crate::finance::show;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::StoreError;
use crate::store::reports::{DispatchView, Reports};
use crate::store::rows::EventRecord;
use std::collections::HashMap;

/// Messages of one payment that are looked at.
pub(super) const MESSAGES_MAX: u32 = 100;

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

/// Messages to the core, by the payments that they tell of.
pub(super) struct Messages(HashMap<EventKey, Vec<DispatchView>>);

impl Messages {
    pub(super) fn of(reports: &mut dyn Reports, records: &[EventRecord]) -> Result<Self, StoreError> {
        let keys: Vec<EventKey> = records.iter().map(|record| record.key).collect();
        let mut by_event: HashMap<EventKey, Vec<DispatchView>> = HashMap::new();
        for message in reports.dispatches_of(&keys, MESSAGES_MAX)? {
            by_event.entry(message.event).or_default().push(message);
        }
        Ok(Self(by_event))
    }

    /// Of this one.
    pub(super) fn about(&self, record: &EventRecord) -> &[DispatchView] {
        self.0.get(&record.key).map_or(&[], Vec::as_slice)
    }
}

/// Lines of these payments, in their order.
pub(super) fn all(
    reports: &mut dyn Reports,
    records: Vec<EventRecord>,
    (sees, now, w): (bool, Timestamp, Words),
) -> Result<Vec<PaymentRow>, StoreError> {
    let messages = Messages::of(reports, &records)?;
    let bills = records.iter().filter_map(|record| bill(record, messages.about(record)).cloned()).collect();
    let accounts = reports.candidates(&Wanted { invoices: bills, customers: Vec::new() })?.invoices;
    let line = |record: &EventRecord| {
        let messages = messages.about(record);
        let account = bill(record, messages).and_then(|bill| accounts.get(bill));
        PaymentRow { customer: whom(record, account, sees), ..row(record, messages, (sees, now, w)) }
    };
    Ok(records.iter().map(line).collect())
}

/// The bill that says whose payment it is: one that it is on, or else the one that it names.
pub(super) fn bill<'r>(record: &'r EventRecord, messages: &'r [DispatchView]) -> Option<&'r InvoiceId> {
    messages.first().map(|message| &message.invoice).or(record.names_invoice.as_ref())
}

/// The customer of its bill; else the one that it names.
pub(super) fn whom(record: &EventRecord, account: Option<&InvoiceAccount>, sees: bool) -> Whom {
    let named = record.content.references.customer.as_ref().map(ReferenceText::as_str);
    let code = match account {
        Some(account) => Some(account.invoice.customer.clone()),
        None => named.and_then(|named| CustomerCode::parse(named.to_uppercase()).ok()),
    };
    let text = code.as_ref().map(CustomerCode::as_str).or(named);
    Whom {
        text: text.map_or_else(|| show::NONE.to_owned(), |text| shown(text, sees)),
        place: code.filter(|_| sees).map(|code| format!("/customers/{code}")),
    }
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

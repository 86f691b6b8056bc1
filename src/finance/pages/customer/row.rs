//! A payment as a line of a list.

use super::stand::{self, Stand};
use crate::domain::time::Timestamp;
use crate::finance::show;
use crate::finance::terms;
use crate::finance::words::Words;
use crate::store::StoreError;
use crate::store::reports::{DispatchFilter, DispatchView, Reports};
use crate::store::rows::EventRecord;

/// Messages of one payment that are looked at.
const MESSAGES_MAX: u32 = 100;

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
        rows.push(row(&record, &messages, (sees, now, w)));
    }
    Ok(rows)
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
        amount: show::money(record.content.amount.dong(), w.0),
        invoice: told(record, messages, sees),
        age: stand.since.map_or_else(|| show::NONE.to_owned(), |since| stand::age(since, now, w)),
        stand,
    }
}

/// The bills that it is on, or what it names.
fn told(record: &EventRecord, messages: &[DispatchView], sees: bool) -> String {
    let mut bills: Vec<&str> = messages.iter().map(|message| message.invoice.as_str()).collect();
    bills.sort_unstable();
    bills.dedup();
    if !bills.is_empty() {
        return bills.join(", ");
    }
    let named = &record.content.references;
    let text = [&named.invoice, &named.order, &named.customer].into_iter().flatten().next();
    text.map_or_else(|| show::NONE.to_owned(), |text| shown(text.as_str(), sees))
}

/// A payer's text for those who may see it; its ends for others.
pub(super) fn shown(text: &str, sees: bool) -> String {
    if sees { text.to_owned() } else { show::masked(text) }
}

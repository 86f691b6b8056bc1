//! What a person types: a customer, a bill, a payment, or only a sum of money.

use crate::domain::ids::{CustomerCode, EventKey, InvoiceId, PartnerCode};
use crate::domain::money::typed_dong;
use crate::matching;
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::rows::EventRecord;
use std::collections::BTreeMap;

/// The longest text that is looked for, in bytes.
const TEXT_MAX: usize = 300;

/// Payments that are found by one text, at most.
const FOUND_MAX: u32 = 50;

/// What was found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// One customer.
    Customer(CustomerCode),
    /// One payment.
    Payment(EventKey),
    /// Several.
    Payments(Vec<EventRecord>),
    /// Nothing; it is a sum, in dong.
    Amount(i64),
    /// Nothing.
    Nothing,
}

/// Looks for a text: our id of a payment, a customer's code, a bill's id, our order reference, a partner's id.
pub(super) fn look(reports: &mut dyn Reports, text: &str, partners: &[PartnerCode]) -> Result<Found, StoreError> {
    if text.len() > TEXT_MAX || text.contains(char::is_control) {
        return Ok(Found::Nothing);
    }
    if let Ok(key) = EventKey::parse_hex(text)
        && reports.event(&key)?.is_some()
    {
        return Ok(Found::Payment(key));
    }
    if let Ok(code) = CustomerCode::parse(text.to_uppercase())
        && !reports.invoices_of_customer(&code, 1)?.is_empty()
    {
        return Ok(Found::Customer(code));
    }
    let meant = matching::meanings(text);
    for id in InvoiceId::parse(text).ok().iter().chain(&meant.invoices) {
        if let Some(account) = reports.invoice(id)? {
            return Ok(Found::Customer(account.invoice.customer));
        }
    }
    let mut found = BTreeMap::new();
    for record in reports.payments_by_reference(text, &meant, FOUND_MAX)? {
        found.insert(record.key, record);
    }
    for partner in partners {
        for record in reports.events_named(partner, text, FOUND_MAX)? {
            found.insert(record.key, record);
        }
    }
    let mut found: Vec<EventRecord> = found.into_values().collect();
    found.sort_by_key(|record| std::cmp::Reverse(record.paid_at));
    Ok(match (found.as_slice(), typed_dong(text)) {
        ([], Some(dong)) => Found::Amount(dong),
        ([], None) => Found::Nothing,
        ([one], _) => Found::Payment(one.key),
        _ => Found::Payments(found),
    })
}

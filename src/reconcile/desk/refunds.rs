//! Refunds that two people decided, from the day on which they were booked to the end: the partner's reversal, or a correction
//! by hand. Until then the partner is asked in its own form.

use crate::domain::ids::{EventKey, PartnerCode};
use crate::domain::notice::ReferenceText;
use crate::domain::posting::Account;
use crate::domain::resolution::ProposalNo;
use crate::domain::time::Timestamp;
use crate::partner::refund::{RefundColumn, RefundValue};
use crate::reconcile::export::harmless;
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::rows::EventRecord;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Refunds read at once.
const PAGE: u32 = 500;

/// Payments in one answer.
const REFUNDS_MAX: usize = 100_000;

/// A payment of which something is, or was, to be given back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// The payment.
    pub payment: EventRecord,
    /// What people decided to give back, in dong.
    pub decided: i64,
    /// Of it, what still waits, in dong: nothing once the partner has given it back.
    pub waits: i64,
    /// Since when.
    pub since: Timestamp,
    /// The proposal that decided it first.
    pub proposal: ProposalNo,
}

/// A partner's refunds, oldest first; only those that wait, or all.
///
/// # Errors
/// The machine's.
pub fn of(reports: &mut dyn Reports, partner: &PartnerCode, waiting_only: bool) -> Result<Vec<Refund>, StoreError> {
    let mut decided: BTreeMap<EventKey, (i64, Timestamp, ProposalNo)> = BTreeMap::new();
    let mut after = (ProposalNo(0), 0);
    loop {
        let page = reports.refunds(partner, after, PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.at;
        for one in page {
            let of = decided.entry(one.payment).or_insert((0, one.booked_at, one.at.0));
            of.0 = of.0.saturating_add(one.dong);
        }
        if decided.len() >= REFUNDS_MAX {
            break;
        }
    }
    let mut refunds = Vec::new();
    for (key, (dong, since, proposal)) in decided {
        let Some(payment) = reports.event(&key)? else { continue };
        let due = Account::RefundDue(partner.clone());
        let entries = reports.postings(&key)?.into_iter().flat_map(|posting| posting.entries);
        let waits = entries.filter(|(account, _)| *account == due).map(|(_, amount)| amount.dong());
        let waits = waits.fold(0_i64, i64::saturating_sub);
        if waits > 0 || !waiting_only {
            refunds.push(Refund { payment, decided: dong, waits, since, proposal });
        }
    }
    refunds.sort_by_key(|refund| (refund.since, refund.proposal));
    Ok(refunds)
}

/// As JSON.
#[must_use]
pub fn to_json(refund: &Refund) -> Value {
    json!({
        "payment": refund.payment.key.to_string(),
        "event": refund.payment.event,
        "amount": refund.payment.content.amount.dong(),
        "decided": refund.decided,
        "waits": refund.waits,
        "state": if refund.waits > 0 { "waits" } else { "done" },
        "since": refund.since.to_string(),
        "proposal": refund.proposal.0,
    })
}

/// What the partner is asked, in its own columns: one row for each refund that waits.
///
/// # Errors
/// None that a text in memory can have.
pub fn request(refunds: &[Refund], columns: &[RefundColumn]) -> Result<Vec<u8>, csv::Error> {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut bytes);
    writer.write_record(columns.iter().map(|column| column.header.as_str()))?;
    for refund in refunds.iter().filter(|refund| refund.waits > 0) {
        writer.write_record(columns.iter().map(|column| cell(refund, &column.value)))?;
    }
    writer.flush()?;
    drop(writer);
    Ok(bytes)
}

fn cell(refund: &Refund, value: &RefundValue) -> String {
    let payment = &refund.payment;
    let text = |of: &Option<ReferenceText>| of.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default();
    let references = &payment.content.references;
    match value {
        RefundValue::Event => safe(&payment.event),
        RefundValue::EventPart(part) => safe(payment.event.split('|').nth(part.saturating_sub(1)).unwrap_or_default()),
        RefundValue::Account => safe(&payment.account),
        RefundValue::Payment => payment.key.to_string(),
        RefundValue::Order => safe(&text(&references.order)),
        RefundValue::Invoice => safe(&text(&references.invoice)),
        RefundValue::Customer => safe(&text(&references.customer)),
        RefundValue::Amount => payment.content.amount.to_string(),
        RefundValue::Refund => refund.waits.to_string(),
        RefundValue::PaidAt => payment.paid_at.to_string(),
        RefundValue::Const(text) => text.clone(),
    }
}

/// No cell that a spreadsheet takes for a formula: references are what strangers wrote.
fn safe(text: &str) -> String {
    harmless(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{EventId, Movement};
    use crate::domain::money::Money;
    use crate::domain::notice::{Content, References};
    use crate::store::rows::EventState;
    use jiff::civil::date;

    /// A refund of a payment that names itself and all that it pays for by this text.
    fn named(text: &str) -> Refund {
        let partner = PartnerCode::parse("standard").unwrap();
        let id = EventId::parse(vec!["P1".to_owned()]).unwrap();
        let reference = ReferenceText::new(text);
        let references = References { invoice: reference.clone(), order: reference.clone(), customer: reference };
        let amount = Money::from_dong(150_000).unwrap();
        let payment = EventRecord {
            key: EventKey::of(&partner, "thuho", &id, Movement::Payment),
            partner,
            account: text.to_owned(),
            event: text.to_owned(),
            movement: Movement::Payment,
            content: Content { amount, discount: Money::ZERO, references, reverses: None },
            fee: Money::ZERO,
            funder: None,
            channel: None,
            paid_at: Timestamp::from_unix_ms(7),
            business_day: date(2026, 4, 1),
            state: EventState::Settled,
            names_invoice: None,
            postings: 1,
            made_from: None,
        };
        Refund { payment, decided: 20, waits: 20, since: Timestamp::from_unix_ms(8), proposal: ProposalNo(1) }
    }

    #[test]
    fn nothing_that_strangers_wrote_is_a_formula_in_a_request() {
        let values = [
            RefundValue::Event,
            RefundValue::EventPart(1),
            RefundValue::Account,
            RefundValue::Order,
            RefundValue::Invoice,
            RefundValue::Customer,
        ];
        let columns = values.map(|value| RefundColumn { header: "x".to_owned(), value });
        let check = |text: &str, expected: &str| {
            let bytes = request(&[named(text)], &columns).unwrap();
            let mut rows = csv::Reader::from_reader(bytes.as_slice());
            let row = rows.records().next().unwrap().unwrap();
            assert_eq!(row.iter().collect::<Vec<_>>(), [expected; 6], "{text}");
        };
        check("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")");
        check("+84900000001", "'+84900000001");
        check("-2+3", "'-2+3");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("260401_HD-0001", "260401_HD-0001");
    }
}

//! Made-up bills of made-up customers in the 13 district units of Quang Ninh. No real customer, no real figure; only
//! the shape of the codes is real.

use super::chance::Chance;
use crate::domain::ids::{BadId, CustomerCode, InvoiceId, UnitCode};
use crate::domain::invoice::{Area, Invoice, InvoiceKind, InvoiceStatus};
use crate::domain::money::{Money, NotMoney};
use jiff::civil::Date;
use jiff::{Span, ToSpan};
use serde::Serialize;

/// The district units, by the letters of their codes.
const UNITS: [&str; 13] = ["HL", "CP", "UB", "MC", "QY", "DT", "VD", "HH", "TY", "DH", "BC", "BL", "CT"];

/// A made-up bill could not be made: a fault of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBill {
    /// An id.
    #[error(transparent)]
    Id(#[from] BadId),
    /// An amount.
    #[error(transparent)]
    Money(#[from] NotMoney),
    /// A day.
    #[error("a day outside the calendar")]
    Day,
}

/// `count` bills, each of its own customer, due around `today`.
///
/// # Errors
/// [`BadBill`]; a fault of ours.
pub fn bills(seed: u64, count: u64, today: Date) -> Result<Vec<Invoice>, BadBill> {
    let chance = Chance(seed);
    (1..=count).map(|n| bill(chance, n, today)).collect()
}

fn bill(chance: Chance, n: u64, today: Date) -> Result<Invoice, BadBill> {
    let unit = UNITS.iter().cycle().nth(usize::try_from(chance.below("unit", n, 13)).unwrap_or(0)).unwrap_or(&"HL");
    let customer = CustomerCode::parse(format!("PA03{unit}{n:07}"))?;
    let dong = |n: u64| Money::from_dong(i64::try_from(n).unwrap_or(i64::MAX));
    let net = 20_000 + chance.below("net", n, 2_400) * 1_000 + chance.below("odd", n, 1_000);
    // Copied from no law: a bill states its VAT, and nobody here computes it again.
    let vat = net / 12;
    let day = |back: Span| today.checked_sub(back).map_err(|_outside| BadBill::Day);
    let overdue = chance.happens("overdue", n, 8);
    let (issued_on, due_on) =
        if overdue { (day(45.days())?, day(15.days())?) } else { (day(5.days())?, day((-10).days())?) };
    Ok(Invoice {
        id: InvoiceId::parse(format!("HD{unit}{n:07}"))?,
        payer: customer.clone(),
        customer,
        unit: UnitCode::parse(format!("PA03{unit}"))?,
        area: match chance.below("area", n, 10) {
            0 => Area::Island,
            1..=4 => Area::Rural,
            _ => Area::Urban,
        },
        period: if overdue { "2026-09-1".to_owned() } else { "2026-11-1".to_owned() },
        kind: InvoiceKind::ActiveEnergy,
        net: dong(net)?,
        vat: dong(vat)?,
        total: dong(net + vat)?,
        issued_on,
        due_on,
        status: InvoiceStatus::Open,
        paid_elsewhere: Money::ZERO,
        adjusts: None,
        version: 1,
    })
}

/// A bill as `PUT /api/v1/invoices` takes it.
#[derive(Serialize)]
struct Row<'a> {
    invoice_id: &'a str,
    customer_code: &'a str,
    unit: &'a str,
    area: &'a str,
    period: &'a str,
    kind: &'a str,
    net: i64,
    vat: i64,
    total: i64,
    issued_on: String,
    due_on: String,
    status: &'a str,
    version: i64,
}

/// Bills as NDJSON.
#[must_use]
pub fn to_ndjson(bills: &[Invoice]) -> String {
    bills.iter().filter_map(|bill| serde_json::to_string(&row(bill)).ok()).map(|line| line + "\n").collect()
}

/// Bills as the CSV file that `invoice import` takes.
#[must_use]
pub fn to_csv(bills: &[Invoice]) -> String {
    let mut text = "invoice_id,customer_code,payer_code,unit,area,period,kind,net,vat,total,issued_on,due_on,status,\
                    paid_elsewhere,adjusts,version\n"
        .to_owned();
    for bill in bills {
        let Row { invoice_id, customer_code, unit, area, period, kind, net, vat, total, issued_on, due_on, .. } =
            row(bill);
        let line = format!(
            "{invoice_id},{customer_code},,{unit},{area},{period},{kind},{net},{vat},{total},{issued_on},{due_on},open,,,1\n"
        );
        text.push_str(&line);
    }
    text
}

fn row(bill: &Invoice) -> Row<'_> {
    Row {
        invoice_id: bill.id.as_str(),
        customer_code: bill.customer.as_str(),
        unit: bill.unit.as_str(),
        area: bill.area.word(),
        period: &bill.period,
        kind: bill.kind.word(),
        net: bill.net.dong(),
        vat: bill.vat.dong(),
        total: bill.total.dong(),
        issued_on: bill.issued_on.to_string(),
        due_on: bill.due_on.to_string(),
        status: bill.status.word(),
        version: bill.version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_bills_and_each_reads_as_an_import_would() {
        let today = jiff::civil::date(2026, 11, 20);
        let made = bills(7, 200, today).unwrap();
        assert_eq!(made, bills(7, 200, today).unwrap());
        assert_ne!(made, bills(8, 200, today).unwrap());
        let customers: std::collections::HashSet<_> = made.iter().map(|bill| bill.customer.clone()).collect();
        assert_eq!(customers.len(), 200);
        assert!(made.iter().any(|bill| bill.due_on < today) && made.iter().any(|bill| bill.due_on > today));
        for (bill, line) in made.iter().zip(to_ndjson(&made).lines()) {
            assert_eq!(&crate::intake::invoice_rows::read_json(1, line).unwrap(), bill);
        }
        assert_eq!(to_csv(&made).lines().count(), 201);
    }
}

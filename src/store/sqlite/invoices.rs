//! Invoices: looking them up with what our entries did to them, and taking in the core's figures by version.

use super::statement::{Db, Prepared, RowCells};
use crate::domain::ids::InvoiceId;
use crate::domain::invoice::{Invoice, InvoiceAccount};
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::store::cells::{self, Cells as _, invoice_columns};
use crate::store::{Candidates, StoreError, Upserted, in_lock_order};
use rusqlite::named_params;
use std::collections::{HashMap, HashSet};

/// An invoice with its number and last sequence. What is settled on it is asked for only where there is a sequence:
/// most invoices are looked up before their first payment.
macro_rules! account_query {
    ($name:literal, $filter:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT i.no, (SELECT max(a.sequence) FROM allocations a WHERE a.invoice_no = i.no), ",
            invoice_columns!(),
            " FROM invoices i WHERE ",
            $filter
        )
    };
}

const BY_ID: &str = account_query!("invoices.by_id", "i.id = ?1");

/// The invoices asked for by id, and the open ones of the customers asked for. Tells each one's number.
pub(super) fn candidates(
    db: Db<'_>,
    wanted: &Wanted,
    mut number: impl FnMut(&InvoiceId, i64),
) -> Result<Candidates, StoreError> {
    const OF_CUSTOMER: &str = account_query!("invoices.open_of_customer", "i.customer = ?1 AND i.status = 'open'");
    const KNOWN: &str = "-- invoices.customer_known\nSELECT EXISTS (SELECT 1 FROM invoices i WHERE i.customer = ?1)";
    let mut invoices = HashMap::new();
    let mut take = |(no, mut account): (i64, InvoiceAccount)| -> Result<(), StoreError> {
        account.settled = settled(db, no, account.sequence)?;
        number(&account.invoice.id, no);
        invoices.insert(account.invoice.id.clone(), account);
        Ok(())
    };
    let mut known = HashSet::new();
    if !wanted.invoices.is_empty() {
        let mut by_id = db.prepare(BY_ID)?;
        for id in &wanted.invoices {
            by_id.one([id.as_str()], account)?.into_iter().try_for_each(&mut take)?;
        }
    }
    if !wanted.customers.is_empty() {
        let mut of_customer = db.prepare(OF_CUSTOMER)?;
        let mut is_known = db.prepare(KNOWN)?;
        for customer in in_lock_order(&wanted.customers) {
            of_customer.all([customer.as_str()], account)?.into_iter().try_for_each(&mut take)?;
            if is_known.one([customer.as_str()], |cells| cells.next())?.unwrap_or(false) {
                known.insert(customer);
            }
        }
    }
    Ok(Candidates { invoices, known })
}

fn account(cells: &mut RowCells<'_, '_>) -> Result<(i64, InvoiceAccount), StoreError> {
    let no = cells.next()?;
    let sequence = cells.next::<Option<u32>>()?.unwrap_or_default();
    Ok((no, InvoiceAccount { invoice: cells::invoice(cells)?, settled: Money::ZERO, sequence }))
}

/// What our entries settled on an invoice whose last sequence is this.
fn settled(db: Db<'_>, no: i64, sequence: u32) -> Result<Money, StoreError> {
    const SETTLED: &str = "-- invoices.settled\nSELECT sum(amount) FROM allocations WHERE invoice_no = ?1";
    if sequence == 0 {
        return Ok(Money::ZERO);
    }
    Ok(db.one(SETTLED, [no], |cells| cells.money())?.unwrap_or_default())
}

/// Adds or replaces by version. One statement for a new invoice, four at most for one that changes.
pub(super) fn upsert(db: Db<'_>, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError> {
    const ADD: &str = "-- invoices.add\nINSERT INTO invoices (id, customer, payer, unit, area, period, kind, net, vat,
            total, issued_on, due_on, status, paid_elsewhere, adjusts, version)
        VALUES (:id, :customer, :payer, :unit, :area, :period, :kind, :net, :vat, :total, :issued_on, :due_on, :status,
            :paid_elsewhere, :adjusts, :version) ON CONFLICT (id) DO NOTHING";
    const REPLACE: &str = "-- invoices.replace\nUPDATE invoices SET customer = :customer, payer = :payer, unit = :unit,
            area = :area, period = :period, kind = :kind, net = :net, vat = :vat, total = :total,
            issued_on = :issued_on, due_on = :due_on, status = :status, paid_elsewhere = :paid_elsewhere,
            adjusts = :adjusts, version = :version WHERE id = :id";
    let (mut add, mut by_id, mut replace) = (db.prepare(ADD)?, db.prepare(BY_ID)?, db.prepare(REPLACE)?);
    invoices
        .iter()
        .map(|invoice| {
            if put(&mut add, invoice)? == 1 {
                return Ok(Upserted::Added);
            }
            let Some((no, mut known)) = by_id.one([invoice.id.as_str()], account)? else {
                return Err(StoreError::Fault("invoices.add: neither added nor there".to_owned()));
            };
            if known.invoice.version > invoice.version {
                return Ok(Upserted::Older);
            }
            if known.invoice == *invoice {
                return Ok(Upserted::Same);
            }
            known.settled = settled(db, no, known.sequence)?;
            put(&mut replace, invoice)?;
            Ok(Upserted::Changed(Box::new(known)))
        })
        .collect()
}

fn put(statement: &mut Prepared<'_>, invoice: &Invoice) -> Result<usize, StoreError> {
    statement.execute(named_params! {
        ":id": invoice.id.as_str(),
        ":customer": invoice.customer.as_str(),
        ":payer": invoice.payer.as_str(),
        ":unit": invoice.unit.as_str(),
        ":area": invoice.area.word(),
        ":period": invoice.period,
        ":kind": invoice.kind.word(),
        ":net": invoice.net.dong(),
        ":vat": invoice.vat.dong(),
        ":total": invoice.total.dong(),
        ":issued_on": invoice.issued_on.to_string(),
        ":due_on": invoice.due_on.to_string(),
        ":status": invoice.status.word(),
        ":paid_elsewhere": invoice.paid_elsewhere.dong(),
        ":adjusts": invoice.adjusts.as_ref().map(InvoiceId::as_str),
        ":version": invoice.version,
    })
}

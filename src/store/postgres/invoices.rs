//! Invoices: looking them up with what our entries did to them, and taking in the core's figures by version.
//! A batch locks its invoices, then reads them. A customer's are found without a lock and then locked like any other;
//! one that an import brings in between is seen by the next payment.

use super::locks::Locks;
use super::session::{Answer, Ask, Param};
use super::tx::PostgresTx;
use crate::domain::ids::{CustomerCode, InvoiceId};
use crate::domain::invoice::{Invoice, InvoiceAccount};
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::store::cells::{self, Cells, invoice_columns};
use crate::store::{Candidates, StoreError, Upserted, in_lock_order};
use jiff::civil::Date;
use std::collections::{BTreeMap, HashMap, HashSet};

/// An invoice with its number, last sequence and what is settled on it.
macro_rules! account_query {
    ($name:literal, $filter:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT i.no, s.sequence, s.settled, ",
            invoice_columns!(),
            " FROM invoices i LEFT JOIN LATERAL (SELECT max(a.sequence) AS sequence, sum(a.amount)::bigint AS settled
                FROM allocations a WHERE a.invoice_no = i.no) s ON true WHERE ",
            $filter
        )
    };
}

const BY_ID: &str = account_query!("invoices.by_id", "i.id = ANY($1)");
const OF_CUSTOMER: &str = account_query!("invoices.open_of_customer", "i.customer = ANY($1) AND i.status = 'open'");
const KNOWN: &str = "-- invoices.customer_known\nSELECT c FROM unnest($1::text[]) c
    WHERE EXISTS (SELECT 1 FROM invoices i WHERE i.customer = c)";

/// Locks these invoices until the end of the transaction.
pub(super) fn lock<'i>(tx: &mut PostgresTx<'_>, ids: impl Iterator<Item = &'i InvoiceId>) -> Result<(), StoreError> {
    let locks = Locks::of_invoices(ids);
    if locks.is_empty() { Ok(()) } else { tx.ask_one(locks.ask()).map(drop) }
}

/// The invoices asked for by id, and the open ones of the customers asked for, all of them locked.
pub(super) fn locked_candidates(tx: &mut PostgresTx<'_>, wanted: &Wanted) -> Result<Candidates, StoreError> {
    const OPEN: &str =
        "-- invoices.open_ids\nSELECT i.id FROM invoices i WHERE i.customer = ANY($1) AND i.status = 'open'";
    let customers = in_lock_order(&wanted.customers);
    let mut ids: HashSet<InvoiceId> = wanted.invoices.iter().cloned().collect();
    if !customers.is_empty() {
        let codes: Vec<&str> = customers.iter().map(CustomerCode::as_str).collect();
        let open = tx.ask_one(Ask::new(OPEN, vec![&codes]))?;
        ids.extend(open.all(|cells| cells.invoice_id())?);
    }
    let locks = Locks::of_invoices(ids.iter());
    let answers = {
        let question = Question::new(wanted, &customers);
        let mut asks = vec![locks.ask()];
        asks.extend(question.asks());
        tx.look(&asks)?
    };
    let rest = answers.get(1..).unwrap_or_default();
    let (mut candidates, numbers) = read(rest, !customers.is_empty())?;
    candidates.invoices.retain(|id, _| ids.contains(id));
    tx.numbers.invoices.extend(numbers);
    Ok(candidates)
}

/// What is asked about candidates, once for the writer and once for readers.
pub(super) struct Question<'w> {
    ids: Vec<&'w str>,
    customers: Vec<&'w str>,
}

impl<'w> Question<'w> {
    pub(super) fn new(wanted: &'w Wanted, customers: &'w [CustomerCode]) -> Self {
        Self {
            ids: wanted.invoices.iter().map(InvoiceId::as_str).collect(),
            customers: customers.iter().map(CustomerCode::as_str).collect(),
        }
    }

    pub(super) fn asks(&self) -> Vec<Ask<'_>> {
        let mut asks = vec![Ask::new(BY_ID, vec![&self.ids])];
        if !self.customers.is_empty() {
            asks.push(Ask::new(OF_CUSTOMER, vec![&self.customers]));
            asks.push(Ask::new(KNOWN, vec![&self.customers]));
        }
        asks
    }
}

/// The answers to a [`Question`], with the invoices' numbers.
pub(super) fn read(
    answers: &[Answer],
    with_customers: bool,
) -> Result<(Candidates, HashMap<InvoiceId, i64>), StoreError> {
    let (mut candidates, mut numbers) = (Candidates::default(), HashMap::new());
    let mut take = |found: Vec<(i64, InvoiceAccount)>| {
        for (no, account) in found {
            numbers.insert(account.invoice.id.clone(), no);
            candidates.invoices.insert(account.invoice.id.clone(), account);
        }
    };
    match answers {
        [by_id] if !with_customers => take(by_id.all(cells::account)?),
        [by_id, of_customer, known] => {
            take(by_id.all(cells::account)?);
            take(of_customer.all(cells::account)?);
            let known = known.all(|cells| cells.word(|text| CustomerCode::parse(text).ok()))?;
            candidates.known.extend(known);
        }
        _ => return Err(StoreError::Fault("invoices.by_id: no answer".to_owned())),
    }
    Ok((candidates, numbers))
}

/// Adds or replaces by version, in order: one question and one statement for all of them.
pub(super) fn upsert(tx: &mut PostgresTx<'_>, invoices: &[Invoice]) -> Result<Vec<Upserted>, StoreError> {
    let ids: Vec<&str> = invoices.iter().map(|invoice| invoice.id.as_str()).collect();
    let locks = Locks::of_invoices(invoices.iter().map(|invoice| &invoice.id));
    let answers = tx.look(&[locks.ask(), Ask::new(BY_ID, vec![&ids])])?;
    let known = match answers.as_slice() {
        [_locked, known] => known.all(cells::account)?,
        _ => return Err(StoreError::Fault("invoices.by_id: no answer".to_owned())),
    };
    // What stands under each id: as it is there, and then as the rows before left it.
    let mut standing: HashMap<InvoiceId, InvoiceAccount> =
        known.into_iter().map(|(_, account)| (account.invoice.id.clone(), account)).collect();
    let mut rows: BTreeMap<&str, &Invoice> = BTreeMap::new();
    let mut found = Vec::with_capacity(invoices.len());
    for invoice in invoices {
        let upserted = match standing.get_mut(&invoice.id) {
            None => {
                let account = InvoiceAccount { invoice: invoice.clone(), settled: Money::ZERO, sequence: 0 };
                standing.insert(invoice.id.clone(), account);
                Upserted::Added
            }
            Some(known) if known.invoice.version > invoice.version => Upserted::Older,
            Some(known) if known.invoice == *invoice => Upserted::Same,
            Some(known) => {
                let before = known.clone();
                known.invoice = invoice.clone();
                Upserted::Changed(Box::new(before))
            }
        };
        if matches!(upserted, Upserted::Added | Upserted::Changed(_)) {
            rows.insert(invoice.id.as_str(), invoice);
        }
        found.push(upserted);
    }
    put(tx, &rows.into_values().collect::<Vec<_>>())?;
    Ok(found)
}

fn put(tx: &mut PostgresTx<'_>, rows: &[&Invoice]) -> Result<(), StoreError> {
    const SQL: &str = "-- invoices.put\nINSERT INTO invoices (id, customer, payer, unit, area, period, kind, net, vat,
            total, issued_on, due_on, status, paid_elsewhere, adjusts, version)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::date[], $12::date[], $13::text[], $14::bigint[],
            $15::text[], $16::bigint[])
        ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, payer = excluded.payer, unit = excluded.unit,
            area = excluded.area, period = excluded.period, kind = excluded.kind, net = excluded.net,
            vat = excluded.vat, total = excluded.total, issued_on = excluded.issued_on, due_on = excluded.due_on,
            status = excluded.status, paid_elsewhere = excluded.paid_elsewhere, adjusts = excluded.adjusts,
            version = excluded.version";
    if rows.is_empty() {
        return Ok(());
    }
    let words = |word: &dyn Fn(&Invoice) -> &str| -> Vec<String> { rows.iter().map(|i| word(i).to_owned()).collect() };
    let whole = |number: &dyn Fn(&Invoice) -> i64| -> Vec<i64> { rows.iter().map(|i| number(i)).collect() };
    let days = |day: &dyn Fn(&Invoice) -> Date| -> Vec<Date> { rows.iter().map(|i| day(i)).collect() };
    let adjusts: Vec<Option<&str>> = rows.iter().map(|i| i.adjusts.as_ref().map(InvoiceId::as_str)).collect();
    let (ids, customers) = (words(&|i| i.id.as_str()), words(&|i| i.customer.as_str()));
    let (payers, units) = (words(&|i| i.payer.as_str()), words(&|i| i.unit.as_str()));
    let (areas, periods) = (words(&|i| i.area.word()), words(&|i| &i.period));
    let (kinds, statuses) = (words(&|i| i.kind.word()), words(&|i| i.status.word()));
    let (nets, vats, totals) = (whole(&|i| i.net.dong()), whole(&|i| i.vat.dong()), whole(&|i| i.total.dong()));
    let (elsewhere, versions) = (whole(&|i| i.paid_elsewhere.dong()), whole(&|i| i.version));
    let (issued, due) = (days(&|i| i.issued_on), days(&|i| i.due_on));
    let params: Vec<Param<'_>> = vec![
        &ids, &customers, &payers, &units, &areas, &periods, &kinds, &nets, &vats, &totals, &issued, &due, &statuses,
        &elsewhere, &adjusts, &versions,
    ];
    tx.ask_one(Ask::new(SQL, params)).map(drop)
}

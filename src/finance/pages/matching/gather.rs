//! Reads what the matching desk shows of a payment: its money, what it may be for, and others like it.

use crate::domain::ids::{CustomerCode, InvoiceId};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::domain::posting::Account;
use crate::domain::review::BreakClass;
use crate::finance::wish;
use crate::matching::meanings;
use crate::reconcile::desk::suggest::{self, Suggestion};
use crate::store::desk::{BreakFilter, BreakView};
use crate::store::reports::Reports;
use crate::store::rows::{EventRecord, EventState};
use crate::store::{Position, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a list, debts of a form, and other payments of the customer, at most.
const ROWS: usize = 100;
const DEBTS_MAX: usize = 200;
const OTHERS_MAX: usize = 20;

/// Another payment of the customer that is wholly in suspense.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub about: BreakView,
    pub record: EventRecord,
    pub waits: Money,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Found {
    pub about: BreakView,
    pub list: Vec<BreakView>,
    pub record: EventRecord,
    pub position: Position,
    /// What can be moved: in suspense, and on invoices already.
    pub movable: Money,
    /// What waits to be given back.
    pub refund_due: Money,
    pub suggestions: Vec<Suggestion>,
    /// What may be allocated to, oldest first.
    pub debts: Vec<InvoiceAccount>,
    pub others: Vec<Other>,
}

/// Parked payments, newest first.
pub(super) fn parked(
    reports: &mut dyn Reports,
    classes: &[BreakClass],
    before: Option<i64>,
) -> Result<Vec<BreakView>, StoreError> {
    let mut found = Vec::new();
    for class in classes {
        let limit = u32::try_from(ROWS).unwrap_or(u32::MAX);
        // What a comparison found is a difference, not a payment without its invoice.
        let filter = BreakFilter { class: Some(*class), no_leg: true, before, ..BreakFilter::open(limit) };
        found.extend(reports.breaks(&filter)?.into_iter().filter(|one| one.event.is_some()));
    }
    found.sort_unstable_by_key(|about| std::cmp::Reverse(about.no));
    found.truncate(ROWS);
    Ok(found)
}

fn held(position: &Position, account: &Account) -> Money {
    position.entries.iter().find(|of| of.account == *account).map_or(Money::ZERO, |of| of.amount.negated())
}

fn movable(record: &EventRecord, position: &Position) -> Money {
    let suspense = held(position, &Account::Suspense(record.partner.clone()));
    Money::sum(position.allocations.iter().map(|of| of.amount).chain([suspense])).unwrap_or(suspense)
}

pub(super) fn found(
    reports: &mut dyn Reports,
    no: i64,
    (classes, search, typed): (&[BreakClass], &str, &[String]),
) -> Result<Option<Found>, StoreError> {
    let Some(about) = reports.one_break(no)? else { return Ok(None) };
    let Some(event) = about.event else { return Ok(None) };
    let Some(record) = reports.event(&event)? else { return Ok(None) };
    let position = reports.standing(&event)?;
    let references = &record.content.references;
    let movable = movable(&record, &position);
    let bills = reports.candidates(&suggest::wanted(references))?.invoices;
    let suggestions = suggest::suggest(movable, references, bills.values());
    let keep = Keep::of(&record, &position, (&suggestions, typed));
    let mut debts: BTreeMap<InvoiceId, InvoiceAccount> =
        bills.into_iter().filter(|(_, bill)| keep.holds(bill) || is_sum(search, bill)).collect();
    let more = Wanted { invoices: keep.invoices.iter().cloned().collect(), customers: Vec::new() };
    debts.extend(reports.candidates(&more)?.invoices);
    debts.extend(reports.candidates(&meanings(&search.trim().to_ascii_uppercase()))?.invoices);
    let open = |bill: &InvoiceAccount| bill.open().is_positive() || keep.invoices.contains(&bill.invoice.id);
    let mut debts: Vec<InvoiceAccount> = debts.into_values().filter(open).collect();
    debts.sort_by_key(|bill| (bill.invoice.issued_on, bill.invoice.period.clone(), bill.invoice.id.clone()));
    debts.truncate(DEBTS_MAX);
    Ok(Some(Found {
        list: parked(reports, classes, None)?,
        others: others(reports, &record, &debts)?,
        refund_due: held(&position, &Account::RefundDue(record.partner.clone())),
        about,
        record,
        position,
        movable,
        suggestions,
        debts,
    }))
}

/// Is this bill over the sum that is looked for?
fn is_sum(search: &str, bill: &InvoiceAccount) -> bool {
    wish::dong(search).is_some_and(|dong| dong > 0 && bill.open().dong() == dong)
}

/// What of the bills that were looked up is worth showing: not all customers one slip away are.
struct Keep {
    invoices: BTreeSet<InvoiceId>,
    customers: BTreeSet<String>,
}

impl Keep {
    fn of(record: &EventRecord, position: &Position, (suggestions, typed): (&[Suggestion], &[String])) -> Self {
        let suggested = suggestions.iter().flat_map(|one| one.shares.iter().map(|(id, _)| id.clone()));
        let held = position.allocations.iter().map(|of| of.invoice.clone());
        let typed = typed.iter().filter_map(|id| InvoiceId::parse(id.clone()).ok());
        Self { invoices: suggested.chain(held).chain(typed).collect(), customers: codes(record).into_iter().collect() }
    }

    fn holds(&self, bill: &InvoiceAccount) -> bool {
        self.invoices.contains(&bill.invoice.id) || self.customers.contains(bill.invoice.customer.as_str())
    }
}

/// The customers that a payment's texts may name.
fn codes(record: &EventRecord) -> BTreeSet<String> {
    let of = &record.content.references;
    let texts = [&of.invoice, &of.order, &of.customer];
    let stated = of.customer.iter().map(|text| text.as_str().to_owned());
    texts.into_iter().flatten().flat_map(|text| suggest::codes_in(text.as_str())).chain(stated).collect()
}

/// Other payments that are wholly in suspense and state this one's customer, or the customer of its suggested debts.
fn others(reports: &mut dyn Reports, record: &EventRecord, debts: &[InvoiceAccount]) -> Result<Vec<Other>, StoreError> {
    let owing = debts.iter().map(|bill| bill.invoice.customer.to_string());
    let customers: BTreeSet<String> = codes(record).into_iter().chain(owing).collect();
    let mut found: Vec<Other> = Vec::new();
    for customer in customers.iter().filter(|code| CustomerCode::parse(code.as_str()).is_ok()).take(OTHERS_MAX) {
        let limit = u32::try_from(OTHERS_MAX).unwrap_or(u32::MAX);
        for other in reports.payments_by_reference(customer, &meanings(customer), limit)? {
            let known = other.key == record.key || found.iter().any(|of| of.record.key == other.key);
            if known || found.len() >= OTHERS_MAX || !matches!(other.state, EventState::Parked(_)) {
                continue;
            }
            let position = reports.standing(&other.key)?;
            let waits = movable(&other, &position);
            let filter = BreakFilter { event: Some(other.key), ..BreakFilter::open(5) };
            let about = reports.breaks(&filter)?.into_iter().find(|of| of.leg.is_none() && of.proposal.is_none());
            if let Some(about) = about.filter(|_| position.allocations.is_empty() && waits.is_positive()) {
                found.push(Other { about, record: other, waits });
            }
        }
    }
    Ok(found)
}

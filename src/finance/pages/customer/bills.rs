//! One customer: may the power be cut, and why not; bills, payments.

use super::row::{self, PaymentRow};
use crate::domain::ids::CustomerCode;
use crate::domain::invoice::{InvoiceAccount, InvoiceStatus};
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::questions::in_suspense;
use crate::http::statements::stopped;
use crate::ledger::writer::moment;
use crate::matching;
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::rows::{EventRecord, EventState};
use actix_web::HttpResponse;
use askama::Template;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Bills that are shown: five years of them.
const BILLS_MAX: u32 = 60;

/// Payments of one bill that are shown.
const PAYMENTS_MAX: u32 = 20;

/// Payments that name the customer alone.
const NAMED_MAX: u32 = 100;

/// A bill as a line.
#[derive(Debug)]
struct BillRow {
    id: String,
    period: String,
    total: String,
    settled: String,
    elsewhere: String,
    open: String,
    owes: bool,
    parked: String,
    due: String,
    overdue: bool,
    status: &'static str,
}

/// What the sentence above all stands on, in dong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    open: i64,
    overdue: i64,
    on_its_way: i64,
    parked: i64,
    /// There is more than was looked at: what is not seen may be money on its way.
    more: bool,
}

impl Sums {
    /// Only a debt that is overdue, with no money of the customer anywhere on its way, and all of it looked at.
    fn may_cut(self) -> bool {
        self.overdue > 0 && self.on_its_way == 0 && self.parked == 0 && !self.more
    }
}

#[derive(Template)]
#[template(path = "customer.html", config = "src/finance/askama.toml")]
struct CustomerPage {
    shell: Shell,
    w: Words,
    code: String,
    may_cut: bool,
    facts: Vec<String>,
    sums: [(&'static str, String); 4],
    bills: Vec<BillRow>,
    payments: Vec<PaymentRow>,
}

/// What is known of a customer.
#[derive(Debug, Default)]
struct Known {
    bills: Vec<(InvoiceAccount, i64)>,
    payments: Vec<PaymentRow>,
    sums: Sums,
}

/// The page.
pub(super) async fn show(who: &Who, internal: &Internal, code: CustomerCode) -> Result<HttpResponse, Stop> {
    let (w, sees) = (who.words(), who.may(Right::SeePayers));
    let at = moment(internal.intake.clock().as_ref());
    let (now, today, of) = (at.now, at.today, code.clone());
    let known = beside(internal, move |reports| known(reports, &of, (today, (sees, now, w)))).await;
    let known = known.and_then(|known| known.map_err(|error| stopped(&error)));
    let known = known.map_err(|problem| Stop::of(problem, w))?;
    if known.bills.is_empty() && known.payments.is_empty() {
        return Err(Stop::not_there(w));
    }
    who.note(internal, "look-customer", code.as_str()).await?;
    let money = |dong| show::money(dong, w.0);
    let sums = known.sums;
    page(
        &CustomerPage {
            shell: Shell::new(who, Part::Customer),
            w,
            code: row::shown(code.as_str(), sees),
            may_cut: sums.may_cut(),
            facts: facts(sums, w),
            sums: [
                (w.cu_open_debt(), money(sums.open)),
                (w.cu_overdue_debt(), money(sums.overdue)),
                (w.cu_on_its_way(), money(sums.on_its_way)),
                (w.cu_parked(), money(sums.parked)),
            ],
            bills: known.bills.iter().map(|(account, parked)| bill(account, *parked, (today, w))).collect(),
            payments: known.payments,
        },
        w,
    )
}

/// Why the power may be cut, or must not be: facts alone.
fn facts(sums: Sums, w: Words) -> Vec<String> {
    let fact = |dong: i64, says: &'static str| (dong > 0).then(|| format!("{} {says}", show::money(dong, w.0)));
    let mut facts: Vec<String> = [fact(sums.on_its_way, w.cu_is_on_its_way()), fact(sums.parked, w.cu_is_parked())]
        .into_iter()
        .flatten()
        .collect();
    match sums {
        Sums { overdue: 0, open: 0, .. } => facts.push(w.cu_owes_nothing().to_owned()),
        Sums { overdue: 0, .. } => facts.push(w.cu_nothing_overdue().to_owned()),
        _ => facts.extend(fact(sums.overdue, w.cu_is_overdue())),
    }
    if sums.more {
        facts.push(w.cu_not_all().to_owned());
    }
    if sums.may_cut() {
        facts.push(w.cu_no_money_about().to_owned());
    }
    facts
}

fn known(
    reports: &mut dyn Reports,
    code: &CustomerCode,
    (today, how): (Date, (bool, Timestamp, Words)),
) -> Result<Known, StoreError> {
    let mut found: BTreeMap<_, EventRecord> = BTreeMap::new();
    let mut accounts = Vec::new();
    let full = |rows: usize, most: u32| rows >= usize::try_from(most).unwrap_or(usize::MAX);
    let bills = reports.invoices_of_customer(code, BILLS_MAX)?;
    let mut more = full(bills.len(), BILLS_MAX);
    for account in bills {
        let touching = reports.payments_of_invoice(&account.invoice.id, PAYMENTS_MAX)?;
        more |= full(touching.len(), PAYMENTS_MAX);
        found.extend(touching.into_iter().map(|record| (record.key, record)));
        accounts.push(account);
    }
    let named = reports.payments_by_reference(code.as_str(), &matching::meanings(code.as_str()), NAMED_MAX)?;
    more |= full(named.len(), NAMED_MAX);
    found.extend(named.into_iter().map(|record| (record.key, record)));
    let mut known = Known { sums: Sums { more, ..Sums::default() }, ..Known::default() };
    let mut waits_for: BTreeMap<String, i64> = BTreeMap::new();
    let mut found: Vec<EventRecord> = found.into_values().collect();
    found.sort_by_key(|record| std::cmp::Reverse(record.paid_at));
    let messages = row::Messages::of(reports, &found)?;
    for record in found {
        let row = row::row(&record, messages.about(&record), how);
        let parked = match record.state {
            EventState::Parked(_) => in_suspense(reports, &record)?.dong(),
            EventState::Settled
            | EventState::Reversed
            | EventState::Expected { .. }
            | EventState::Applied
            | EventState::Waiting
            | EventState::Refused => 0,
        };
        if let Some(id) = &record.names_invoice {
            let waits = waits_for.entry(id.to_string()).or_default();
            *waits = waits.saturating_add(parked);
        }
        if row.stand.on_its_way {
            known.sums.on_its_way = known.sums.on_its_way.saturating_add(record.content.amount.dong());
        }
        known.sums.parked = known.sums.parked.saturating_add(parked);
        known.payments.push(row);
    }
    for account in accounts {
        let open = account.open().dong();
        known.sums.open = known.sums.open.saturating_add(open);
        if account.invoice.due_on < today {
            known.sums.overdue = known.sums.overdue.saturating_add(open);
        }
        let parked = waits_for.get(account.invoice.id.as_str()).copied().unwrap_or_default();
        known.bills.push((account, parked));
    }
    Ok(known)
}

fn bill(account: &InvoiceAccount, parked: i64, (today, w): (Date, Words)) -> BillRow {
    let (invoice, open) = (&account.invoice, account.open().dong());
    let money = |dong| show::money(dong, w.0);
    BillRow {
        id: invoice.id.to_string(),
        period: show::period(&invoice.period, w),
        total: money(invoice.total.dong()),
        settled: money(account.settled.dong()),
        elsewhere: money(invoice.paid_elsewhere.dong()),
        open: money(open),
        owes: open > 0,
        parked: money(parked),
        due: show::day(invoice.due_on),
        overdue: open > 0 && invoice.due_on < today,
        status: match invoice.status {
            InvoiceStatus::Open if open == 0 => w.cu_bill_settled(),
            InvoiceStatus::Open => w.cu_bill_open(),
            InvoiceStatus::Paid => w.cu_bill_paid(),
            InvoiceStatus::Cancelled => w.cu_bill_cancelled(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Sums, facts};
    use crate::domain::user::Tongue;
    use crate::finance::words::Words;

    #[test]
    fn power_is_cut_for_an_overdue_debt_alone() {
        let owes = Sums { open: 300, overdue: 200, ..Sums::default() };
        assert!(owes.may_cut());
        for sums in [
            Sums::default(),
            Sums { overdue: 0, ..owes },
            Sums { on_its_way: 1, ..owes },
            Sums { parked: 1, ..owes },
            Sums { more: true, ..owes },
        ] {
            assert!(!sums.may_cut(), "{sums:?}");
            assert!(!facts(sums, Words(Tongue::Vi)).is_empty());
        }
    }
}

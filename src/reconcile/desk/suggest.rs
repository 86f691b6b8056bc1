//! What a payment without a sure invoice may be for: suggestions, each with why, surest first. Pure: whoever asks looks
//! [`wanted`] up, and hands over what was found. Suggests only; people decide.

mod near;

use crate::domain::ids::{CustomerCode, InvoiceId};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::{References, Wanted};
use crate::matching::{self, meanings};
pub use near::{codes_in, is_near, near_codes};
use std::collections::BTreeSet;

/// Suggestions of one payment, at most.
pub const SUGGESTIONS_MAX: usize = 8;

/// Why an invoice may be meant, surest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The text is its id.
    NamedInvoice,
    /// Our order reference holds its id.
    OrderReference,
    /// One open debt of the customer who is named is exactly this sum.
    CustomerSameAmount(CustomerCode),
    /// The oldest debts of the customer who is named, as far as the money goes.
    CustomerOldest(CustomerCode),
    /// A code in the text is one slip away from this customer's, who owes exactly this sum.
    NearCode {
        /// As it was written.
        written: String,
        /// As it may have been meant.
        code: CustomerCode,
    },
}

/// One suggestion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Why.
    pub why: Why,
    /// Which invoices, and how much each of them gets.
    pub shares: Vec<(InvoiceId, Money)>,
    /// Does it use the whole sum?
    pub whole: bool,
}

/// What has to be looked up first: the ids that the texts can mean, and the customers one slip away from what is written.
#[must_use]
pub fn wanted(references: &References) -> Wanted {
    let (mut invoices, mut customers) = (BTreeSet::new(), BTreeSet::new());
    for text in texts(references) {
        let meant = meanings(text);
        invoices.extend(meant.invoices);
        customers.extend(meant.customers);
        for written in codes_in(text) {
            customers.extend(CustomerCode::parse(written.clone()).ok());
            customers.extend(near_codes(&written));
        }
    }
    Wanted { invoices: invoices.into_iter().collect(), customers: customers.into_iter().collect() }
}

fn texts(references: &References) -> impl Iterator<Item = &str> {
    [&references.invoice, &references.order, &references.customer].into_iter().flatten().map(|text| text.as_str())
}

/// Suggestions for `amount`, surest first; the same bills in any order give the same ones.
#[must_use]
pub fn suggest<'b>(
    amount: Money,
    references: &References,
    bills: impl IntoIterator<Item = &'b InvoiceAccount>,
) -> Vec<Suggestion> {
    let mut open: Vec<&InvoiceAccount> = bills.into_iter().filter(|bill| bill.open().is_positive()).collect();
    open.sort_by(|a, b| age(a).cmp(&age(b)));
    let mut found = Vec::new();
    let named = references.invoice.as_ref().map(|text| meanings(text.as_str()).invoices).unwrap_or_default();
    let ordered = texts(references).filter_map(matching::reference::order_invoice).collect::<Vec<_>>();
    for bill in &open {
        if named.contains(&bill.invoice.id) {
            found.extend(of(Why::NamedInvoice, amount, &[bill]));
        } else if ordered.contains(&bill.invoice.id) {
            found.extend(of(Why::OrderReference, amount, &[bill]));
        }
    }
    let written: BTreeSet<String> = texts(references).flat_map(codes_in).collect();
    for code in customers(&open) {
        let debts: Vec<&InvoiceAccount> = open.iter().filter(|bill| bill.invoice.customer == code).copied().collect();
        let exact = debts.iter().filter(|bill| bill.open() == amount);
        if written.contains(code.as_str()) {
            found.extend(exact.filter_map(|bill| of(Why::CustomerSameAmount(code.clone()), amount, &[bill])));
            found.extend(of(Why::CustomerOldest(code.clone()), amount, &debts));
        } else if let Some(slip) = written.iter().find(|text| is_near(text, code.as_str())) {
            let why = || Why::NearCode { written: slip.clone(), code: code.clone() };
            found.extend(exact.filter_map(|bill| of(why(), amount, &[bill])));
        }
    }
    ranked(found)
}

fn customers(open: &[&InvoiceAccount]) -> BTreeSet<CustomerCode> {
    open.iter().map(|bill| bill.invoice.customer.clone()).collect()
}

/// Oldest first.
fn age(bill: &InvoiceAccount) -> (jiff::civil::Date, &str, &InvoiceId) {
    (bill.invoice.issued_on, &bill.invoice.period, &bill.invoice.id)
}

fn of(why: Why, amount: Money, bills: &[&InvoiceAccount]) -> Option<Suggestion> {
    let mut owed: Vec<(InvoiceId, Money)> = bills.iter().map(|bill| (bill.invoice.id.clone(), bill.open())).collect();
    let (shares, left) = share_out(amount, &mut owed);
    (!shares.is_empty()).then_some(Suggestion { why, shares, whole: left.is_zero() })
}

/// Each set of shares once, by its surest reason; what uses the whole sum before what leaves a rest.
fn ranked(mut found: Vec<Suggestion>) -> Vec<Suggestion> {
    found.sort_by(|a, b| (!a.whole, &a.why, &a.shares).cmp(&(!b.whole, &b.why, &b.shares)));
    let mut seen = BTreeSet::new();
    found.retain(|one| seen.insert(one.shares.clone()));
    found.truncate(SUGGESTIONS_MAX);
    found
}

/// Shares a sum out over what is owed, in its order, and takes it off there; says what is left of the sum.
pub fn share_out(amount: Money, owed: &mut [(InvoiceId, Money)]) -> (Vec<(InvoiceId, Money)>, Money) {
    let (mut left, mut shares) = (amount, Vec::new());
    for (invoice, open) in owed.iter_mut() {
        let part = left.min(*open);
        let (Ok(after), Ok(rest)) = (left.minus(part), open.minus(part)) else { break };
        if part.is_positive() {
            shares.push((invoice.clone(), part));
            (left, *open) = (after, rest);
        }
    }
    (shares, left)
}

#[cfg(test)]
mod tests;

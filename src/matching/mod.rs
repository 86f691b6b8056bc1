//! Which invoice a payment is for. Pure: knows no database, no partner, no clock. Not the booking: a [`Decision`]
//! says what should happen, `ledger` makes it happen. Keeps I9, and the first half of I3: every payment is either
//! on invoices or parked with a reason.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

pub mod reference;

use crate::domain::decision::{Decision, ParkReason, Part};
use crate::domain::ids::{CustomerCode, InvoiceId};
use crate::domain::invoice::{InvoiceAccount, InvoiceStatus};
use crate::domain::money::Money;
use crate::domain::notice::References;
pub use reference::{Named, Reading, Stated, meanings};

/// What is known of bills at this moment. Whoever decides keeps it up to date: a batch's second decision must see
/// the first one's effect.
pub trait Bills {
    /// One invoice, whatever its state.
    fn invoice(&self, id: &InvoiceId) -> Option<&InvoiceAccount>;

    /// All open invoices of a customer, at least; in any order.
    fn of_customer(&self, code: &CustomerCode) -> Vec<&InvoiceAccount>;

    /// Has this customer any invoice at all?
    fn knows(&self, code: &CustomerCode) -> bool;
}

/// How amounts are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Amounts {
    /// To the dong.
    #[default]
    Exact,
}

/// How strictly to match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// How amounts are compared.
    pub amounts: Amounts,
}

/// Reads what a notice's references name; see [`Reading::wanted`] for what must be looked up to decide.
#[must_use]
pub fn read(references: &References) -> Reading {
    reference::read(references)
}

/// Judges one payment against the bills as they are now.
#[must_use]
pub fn decide(amount: Money, reading: &Reading, bills: &impl Bills, rules: Rules) -> Decision {
    match &reading.named {
        Named::Contradiction => Decision::Park(ParkReason::ContradictoryReference),
        Named::Nothing => Decision::Park(ParkReason::UnknownInvoice),
        Named::Invoice { id, customer } => by_invoice(amount, bills.invoice(id), customer, rules),
        Named::Customer(code) => by_customer(amount, code, bills, rules),
    }
}

/// The open bills that the references name, oldest first: what bill inquiry answers. A payment of the first ones'
/// sum, or of exactly one of them, is settled by [`decide`].
#[must_use]
pub fn payable<'b>(reading: &Reading, bills: &'b impl Bills) -> Vec<&'b InvoiceAccount> {
    match &reading.named {
        Named::Contradiction | Named::Nothing => Vec::new(),
        Named::Invoice { id, customer } => bills
            .invoice(id)
            .filter(|account| agrees(account, customer) && account.open().is_positive())
            .into_iter()
            .collect(),
        Named::Customer(code) => open_oldest_first(code, bills),
    }
}

fn by_invoice(
    amount: Money,
    account: Option<&InvoiceAccount>,
    customer: &Stated<CustomerCode>,
    rules: Rules,
) -> Decision {
    let Some(account) = account else {
        return Decision::Park(ParkReason::UnknownInvoice);
    };
    if !agrees(account, customer) {
        return Decision::Park(ParkReason::ContradictoryReference);
    }
    let open = account.open();
    if open.is_positive() {
        return if fits(amount, open, rules) {
            Decision::Settle { parts: vec![whole(account)], out_of_order: false }
        } else {
            Decision::Park(ParkReason::WrongAmount)
        };
    }
    match account.invoice.status {
        InvoiceStatus::Cancelled => Decision::Park(ParkReason::Cancelled),
        InvoiceStatus::Open | InvoiceStatus::Paid => Decision::Park(ParkReason::AlreadyPaid),
    }
}

fn by_customer(amount: Money, code: &CustomerCode, bills: &impl Bills, rules: Rules) -> Decision {
    let open = open_oldest_first(code, bills);
    if open.is_empty() {
        let known = bills.knows(code);
        return Decision::Park(if known { ParkReason::AlreadyPaid } else { ParkReason::UnknownInvoice });
    }
    let mut sum = Money::ZERO;
    let mut parts = Vec::new();
    for account in &open {
        let Ok(next) = sum.plus(account.open()) else { break };
        sum = next;
        parts.push(whole(account));
        if fits(amount, sum, rules) {
            return Decision::Settle { parts, out_of_order: false };
        }
        if sum > amount {
            break;
        }
    }
    let mut equal = open.iter().filter(|account| fits(amount, account.open(), rules));
    match (equal.next(), equal.next()) {
        (Some(only), None) => Decision::Settle { parts: vec![whole(only)], out_of_order: true },
        (Some(_), Some(_)) | (None, _) => Decision::Park(ParkReason::WrongAmount),
    }
}

/// Is the customer code that was stated beside an invoice that invoice's customer, or the one who pays for them?
#[must_use]
pub fn agrees(account: &InvoiceAccount, customer: &Stated<CustomerCode>) -> bool {
    match customer {
        Stated::Absent => true,
        Stated::Foreign => false,
        Stated::Id(code) => *code == account.invoice.customer || *code == account.invoice.payer,
    }
}

fn open_oldest_first<'b>(code: &CustomerCode, bills: &'b impl Bills) -> Vec<&'b InvoiceAccount> {
    let mut open: Vec<_> = bills.of_customer(code).into_iter().filter(|a| a.open().is_positive()).collect();
    open.sort_by(|a, b| {
        let order = |x: &InvoiceAccount| x.invoice.issued_on;
        order(a)
            .cmp(&order(b))
            .then_with(|| a.invoice.period.cmp(&b.invoice.period))
            .then_with(|| a.invoice.id.cmp(&b.invoice.id))
    });
    open
}

fn fits(amount: Money, open: Money, rules: Rules) -> bool {
    match rules.amounts {
        Amounts::Exact => amount == open,
    }
}

fn whole(account: &InvoiceAccount) -> Part {
    Part { invoice: account.invoice.id.clone(), amount: account.open() }
}

#[cfg(test)]
mod tests;

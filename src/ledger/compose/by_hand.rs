//! What two people decided, as balanced entries and messages: a payment's money off invoices and onto others, and what
//! its partner owes for it. Each is dated on the day on which it is made: sealed days do not move.

use super::{
    BadPosting, Composed, Line, Moment, Shape, Told, credit_receivable, facts, finish, funder, incoming,
    ordinal_by_hand, spread, tell, undoing_key,
};
use crate::domain::dispatch::{DispatchFacts, DispatchKind};
use crate::domain::ids::{Author, DispatchKey};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::posting::{Account, Allocation, Entry, PostingKind};
use crate::domain::resolution::Because;
use crate::store::rows::EventRecord;

/// Money that leaves suspense, besides what goes onto invoices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// To what is given back; from there where it is negative.
    pub refund: Money,
    /// To what we keep.
    pub write_off: Money,
}

/// Who decided, and when it is written.
type By<'a> = (&'a Author, Moment);

/// What people took back is in the books again: whole in suspense, from where it is put on.
///
/// # Errors
/// [`BadPosting`]: a fault of ours.
pub fn book_again(payment: &EventRecord, by: By<'_>) -> Result<Composed, BadPosting> {
    let mut entries = incoming(payment)?;
    entries.push(Entry { account: suspense(payment), amount: payment.content.amount.negated() });
    moved(payment, entries, Vec::new(), by)
}

/// Off these invoices, into suspense. `undone` are settlements that stand, with their invoices as they are now; the core
/// hears of each what it was told of it.
///
/// # Errors
/// [`BadPosting`] when nothing is taken off: a fault of ours.
pub fn take_off(
    payment: &EventRecord,
    undone: &[(&Allocation, &InvoiceAccount)],
    (author, moment): By<'_>,
) -> Result<Composed, BadPosting> {
    let taken = Money::sum(undone.iter().map(|(allocation, _)| allocation.amount))?;
    let mut entries = vec![Entry { account: suspense(payment), amount: taken.negated() }];
    entries.extend(undone.iter().map(|(allocation, account)| Entry {
        account: Account::Receivable(account.invoice.unit.clone()),
        amount: allocation.amount,
    }));
    let mut told = Vec::with_capacity(undone.len());
    for (allocation, account) in undone {
        let facts = DispatchFacts {
            kind: DispatchKind::Reversed,
            reverses: Some(allocation.key.clone()),
            ..facts(payment, account, allocation.amount, allocation.discount)?
        };
        let key = undoing_key(payment, allocation);
        told.push(tell(key, account, allocation.amount.negated(), &facts, moment));
    }
    moved(payment, entries, told, (author, moment))
}

/// Out of suspense: onto these invoices, and elsewhere. `kept` are the payment's other settlements: they stay as they were
/// told, and what they do not have of the discount goes onto the new ones first. So what waits in suspense, is given back
/// or written off is the customer's own money, as far as the invoices that were put on since can bear the discount; once
/// all of the payment is on invoices, all of its discount is.
///
/// # Errors
/// [`BadPosting`] when nothing is moved: a fault of ours.
pub fn put_on(
    payment: &EventRecord,
    kept: &[&Allocation],
    (lines, elsewhere): (&[Line<'_>], Moved),
    (author, moment): By<'_>,
) -> Result<Composed, BadPosting> {
    let Moved { refund, write_off } = elsewhere;
    let all = Money::sum(lines.iter().map(|line| line.amount).chain([refund, write_off]))?;
    let mut entries = vec![Entry { account: suspense(payment), amount: all }];
    entries.extend(lines.iter().map(credit_receivable));
    entries.push(Entry { account: Account::RefundDue(payment.partner.clone()), amount: refund.negated() });
    entries.push(Entry { account: Account::WriteOff(payment.partner.clone()), amount: write_off.negated() });
    entries.retain(|entry| !entry.amount.is_zero());
    let given = Money::sum(kept.iter().map(|allocation| allocation.discount))?;
    let amounts: Vec<Money> = lines.iter().map(|line| line.amount).collect();
    let discounts = spread(payment.content.discount.minus(given)?, &amounts)?;
    let mut told: Vec<Told> = Vec::with_capacity(lines.len());
    for (line, discount) in lines.iter().zip(discounts) {
        let facts = facts(payment, line.account, line.amount, discount)?;
        let key = DispatchKey::of(&payment.key, ordinal_by_hand(payment), &line.account.invoice.id);
        told.push(tell(key, line.account, line.amount, &facts, moment));
    }
    moved(payment, entries, told, (author, moment))
}

/// The partner owes less for the payment.
///
/// # Errors
/// [`BadPosting`] for no money: a fault of ours.
pub fn adjust(
    payment: &EventRecord,
    because: Because,
    less: Money,
    (author, moment): By<'_>,
) -> Result<Composed, BadPosting> {
    let partner = payment.partner.clone();
    let account = match because {
        Because::WriteOff => Account::WriteOff(partner.clone()),
        Because::Fee => Account::Fee(partner.clone()),
        Because::Promotion => Account::Promotion(funder(payment)),
        Because::Refund => Account::RefundDue(partner.clone()),
    };
    let entries =
        vec![Entry { account: Account::Clearing(partner), amount: less.negated() }, Entry { account, amount: less }];
    moved(payment, entries, Vec::new(), (author, moment))
}

fn suspense(payment: &EventRecord) -> Account {
    Account::Suspense(payment.partner.clone())
}

fn moved(
    payment: &EventRecord,
    entries: Vec<Entry>,
    told: Vec<Told>,
    (author, moment): By<'_>,
) -> Result<Composed, BadPosting> {
    let (author, business_day) = (Some(author.clone()), moment.today);
    finish(payment, moment, Shape { kind: PostingKind::Rematch, author, business_day, entries, told })
}

//! From a decision to balanced entries and the messages to the core. Pure: no database, no clock, no partner's
//! words. Not the decision (`matching`) and not the writing (`post`). Keeps I5 (every posting balances, or is
//! none), I6 (the messages are made together with the entries that cause them) and I9.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

use crate::domain::decision::Part;
use crate::domain::dispatch::{Dispatch, DispatchFacts, DispatchKind};
use crate::domain::ids::{Author, DispatchKey, Funder};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::posting::{Account, Allocation, BadPosting, Entry, Posting, PostingDraft, PostingKind};
use crate::domain::time::Timestamp;
use crate::store::Position;
use crate::store::rows::EventRecord;
use jiff::civil::Date;

mod by_hand;

pub use by_hand::{Moved, adjust, book_again, put_on, take_off};

/// When something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub now: Timestamp,
    /// Its day in the business zone: an invoice due before it is overdue.
    pub today: Date,
}

/// A posting with what the core must hear of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The entries.
    pub posting: Posting,
    /// One message an allocation.
    pub dispatches: Vec<Dispatch>,
}

/// One invoice's share, with the invoice as it is before.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The invoice.
    pub account: &'a InvoiceAccount,
    /// What it is settled by (positive).
    pub amount: Money,
}

/// What a reversal says of itself; the money is its payment's.
#[derive(Clone, Debug)]
pub struct ReversalFacts {
    /// The partner's name for the reversal.
    pub event: String,
    /// When it was made, as the partner says.
    pub paid_at: Timestamp,
    /// The partner's business day of it.
    pub business_day: Date,
    /// Who made it, when it was not a notice.
    pub author: Option<Author>,
}

/// A payment onto invoices: what the customer paid is owed by the partner, what was discounted by its sponsor.
///
/// # Errors
/// [`BadPosting`] when the lines are not the payment's amount: a fault of ours.
pub fn settle(
    payment: &EventRecord,
    lines: &[Line<'_>],
    author: Option<&Author>,
    moment: Moment,
) -> Result<Composed, BadPosting> {
    let mut entries = incoming(payment)?;
    entries.extend(lines.iter().map(credit_receivable));
    let told = settled(payment, lines, moment)?;
    let (author, business_day) = (author.cloned(), payment.business_day);
    finish(payment, moment, Shape { kind: PostingKind::Settle, author, business_day, entries, told })
}

/// A payment whole into the partner's suspense account.
///
/// # Errors
/// [`BadPosting`]: a fault of ours.
pub fn park(payment: &EventRecord, author: Option<&Author>, moment: Moment) -> Result<Composed, BadPosting> {
    let mut entries = incoming(payment)?;
    entries
        .push(Entry { account: Account::Suspense(payment.partner.clone()), amount: payment.content.amount.negated() });
    let (author, business_day) = (author.cloned(), payment.business_day);
    finish(payment, moment, Shape { kind: PostingKind::Park, author, business_day, entries, told: Vec::new() })
}

/// A parked payment from suspense onto invoices, by somebody's decision.
///
/// # Errors
/// [`BadPosting`] when the lines are not the payment's amount: a fault of ours.
pub fn rematch(
    payment: &EventRecord,
    lines: &[Line<'_>],
    author: &Author,
    moment: Moment,
) -> Result<Composed, BadPosting> {
    let mut entries =
        vec![Entry { account: Account::Suspense(payment.partner.clone()), amount: payment.content.amount }];
    entries.extend(lines.iter().map(credit_receivable));
    let told = settled(payment, lines, moment)?;
    let (author, business_day) = (Some(author.clone()), payment.business_day);
    finish(payment, moment, Shape { kind: PostingKind::Rematch, author, business_day, entries, told })
}

/// A payment undone, from wherever its money is now. `undone` pairs each allocation of the position with its
/// invoice as it is now, in the position's order.
///
/// # Errors
/// [`BadPosting`] when there is nothing to undo or the pairs are not the position's: a fault of ours.
pub fn reverse(
    payment: &EventRecord,
    position: &Position,
    undone: &[(&Allocation, &InvoiceAccount)],
    reversal: &ReversalFacts,
    moment: Moment,
) -> Result<Composed, BadPosting> {
    let entries =
        position.entries.iter().map(|e| Entry { account: e.account.clone(), amount: e.amount.negated() }).collect();
    let mut told = Vec::with_capacity(undone.len());
    for (allocation, account) in undone {
        let facts = DispatchFacts {
            kind: DispatchKind::Reversed,
            event: reversal.event.clone(),
            paid_at: reversal.paid_at,
            business_day: reversal.business_day,
            reverses: Some(allocation.key.clone()),
            ..facts(payment, account, allocation.amount, allocation.discount)?
        };
        let key = undoing_key(payment, allocation);
        told.push(tell(key, account, allocation.amount.negated(), &facts, moment));
    }
    let (author, business_day) = (reversal.author.clone(), reversal.business_day);
    finish(payment, moment, Shape { kind: PostingKind::Reverse, author, business_day, entries, told })
}

/// Debits of money that comes in: clearing, promotion, and the partner's fee out of clearing.
fn incoming(payment: &EventRecord) -> Result<Vec<Entry>, BadPosting> {
    let clearing = || Account::Clearing(payment.partner.clone());
    let discount = payment.content.discount;
    // In this order no sum on the way exceeds the amount, so the largest amount can carry a fee.
    let mut entries = vec![
        Entry { account: clearing(), amount: payment.content.amount.minus(discount)? },
        Entry { account: clearing(), amount: payment.fee.negated() },
        Entry { account: Account::Promotion(funder(payment)), amount: discount },
        Entry { account: Account::Fee(payment.partner.clone()), amount: payment.fee },
    ];
    entries.retain(|e| !e.amount.is_zero());
    Ok(entries)
}

fn credit_receivable(line: &Line<'_>) -> Entry {
    Entry { account: Account::Receivable(line.account.invoice.unit.clone()), amount: line.amount.negated() }
}

/// Who pays the discount: whom the notice names, else the partner.
fn funder(payment: &EventRecord) -> Funder {
    payment.funder.clone().unwrap_or_else(|| {
        // Both alphabets and lengths are the same, so a partner's code is always a funder.
        Funder::parse(payment.partner.as_str()).unwrap_or_else(|_never| unreachable!("a partner code is a funder"))
    })
}

/// An allocation and its message.
type Told = (Allocation, Dispatch);

fn settled(payment: &EventRecord, lines: &[Line<'_>], moment: Moment) -> Result<Vec<Told>, BadPosting> {
    let amounts: Vec<Money> = lines.iter().map(|line| line.amount).collect();
    let discounts = spread(payment.content.discount, &amounts)?;
    let mut told = Vec::with_capacity(lines.len());
    for (line, discount) in lines.iter().zip(discounts) {
        let facts = facts(payment, line.account, line.amount, discount)?;
        let key = settling_key(payment, line.account);
        told.push(tell(key, line.account, line.amount, &facts, moment));
    }
    Ok(told)
}

/// The first parts take of the discount what they hold, so that every share is customer's plus sponsor's. What was told by
/// this is reckoned again from the books when it is taken back ([`crate::store::Position`]).
fn spread(discount: Money, amounts: &[Money]) -> Result<Vec<Money>, BadPosting> {
    let mut rest = discount;
    let mut shares = Vec::with_capacity(amounts.len());
    for amount in amounts {
        let share = rest.min(*amount);
        rest = rest.minus(share)?;
        shares.push(share);
    }
    Ok(shares)
}

fn facts(
    payment: &EventRecord,
    account: &InvoiceAccount,
    amount: Money,
    discount: Money,
) -> Result<DispatchFacts, BadPosting> {
    Ok(DispatchFacts {
        kind: DispatchKind::Settled,
        payment: payment.key,
        partner: payment.partner.clone(),
        event: payment.event.clone(),
        invoice: account.invoice.id.clone(),
        customer: account.invoice.customer.clone(),
        unit: account.invoice.unit.clone(),
        amount,
        customer_paid: amount.minus(discount)?,
        discount,
        funder: (!discount.is_zero()).then(|| funder(payment)),
        channel: payment.channel.clone(),
        paid_at: payment.paid_at,
        business_day: payment.business_day,
        reverses: None,
        sequence: account.sequence.saturating_add(1),
    })
}

/// The key of a settlement: the first effect of this payment on this invoice, however many postings it took to get
/// there. An older database that meets the payment again on a shorter way still says it under the same key.
fn settling_key(payment: &EventRecord, account: &InvoiceAccount) -> DispatchKey {
    DispatchKey::of(&payment.key, 0, &account.invoice.id)
}

/// The ordinal of what a person settles: twice the payment's postings before it. Even, so that the one after it is
/// its undoing's, and no other one's.
fn ordinal_by_hand(payment: &EventRecord) -> u32 {
    payment.postings.saturating_mul(2)
}

/// The key of taking a settlement back: the effect after it.
fn undoing_key(payment: &EventRecord, settled: &Allocation) -> DispatchKey {
    let of = |ordinal| DispatchKey::of(&payment.key, ordinal, &settled.invoice);
    let last = ordinal_by_hand(payment);
    let ordinal = (0..=last).find(|ordinal| of(*ordinal) == settled.key).unwrap_or(last);
    of(ordinal.saturating_add(1))
}

fn tell(key: DispatchKey, account: &InvoiceAccount, amount: Money, facts: &DispatchFacts, moment: Moment) -> Told {
    let DispatchFacts { sequence, discount, .. } = *facts;
    let allocation = Allocation { invoice: account.invoice.id.clone(), amount, sequence, key: key.clone(), discount };
    let dispatch = Dispatch {
        key,
        invoice: account.invoice.id.clone(),
        sequence: facts.sequence,
        body: facts.to_json(),
        urgent: account.invoice.due_on < moment.today,
        created_at: moment.now,
    };
    (allocation, dispatch)
}

/// What differs between the kinds of posting.
struct Shape {
    kind: PostingKind,
    author: Option<Author>,
    business_day: Date,
    entries: Vec<Entry>,
    told: Vec<Told>,
}

fn finish(payment: &EventRecord, moment: Moment, shape: Shape) -> Result<Composed, BadPosting> {
    let (allocations, dispatches) = shape.told.into_iter().unzip();
    let posting = Posting::new(PostingDraft {
        event: payment.key,
        kind: shape.kind,
        author: shape.author,
        posted_at: moment.now,
        business_day: shape.business_day,
        entries: shape.entries,
        allocations,
    })?;
    Ok(Composed { posting, dispatches })
}

/// The lines of a decision's parts; `None` when an invoice is not at hand.
pub fn lines<'a>(parts: &[Part], find: impl Fn(&Part) -> Option<&'a InvoiceAccount>) -> Option<Vec<Line<'a>>> {
    parts.iter().map(|part| find(part).map(|account| Line { account, amount: part.amount })).collect()
}

#[cfg(test)]
mod tests;

//! What two people decided about payments, carried out: a fold over a list, each item seeing the money as those before
//! it left it. An item that the books do not bear is refused with a reason, and the others go on. Not the deciding, and
//! not the rule of two (`store::desk`). Keeps I2 (a payment made from a statement claims the key of its late notice), I5,
//! I6 and I13.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

use super::book::{About, Book, LaneContext, fault};
use super::compose::{self, Line, Moved, ReversalFacts};
use super::left::Left;
use super::post::class_of;
use crate::domain::decision::{Decision, ParkReason};
use crate::domain::ids::{Author, EventKey, InvoiceId, PostingNo};
use crate::domain::invoice::{InvoiceAccount, InvoiceStatus};
use crate::domain::money::{Money, NotMoney};
use crate::domain::notice::Wanted;
use crate::domain::posting::{Account, Allocation};
use crate::domain::receipt::{HashedEvidence, Verdict};
use crate::domain::resolution::Because;
use crate::domain::statement::LineNo;
use crate::matching::{self, Rules};
use crate::store::rows::{EventRecord, EventState};
use crate::store::{Position, StoreError, Tx};

/// A payment that only a statement has.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its row, as a notice would have made it; the state is decided here.
    pub record: EventRecord,
    /// The line and who decided, to be kept as what it was made from.
    pub evidence: HashedEvidence,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Todo {
    /// Books it.
    Create(Box<Made>),
    /// Puts a payment onto these invoices and off all others.
    Allocate {
        /// All that it shall be on.
        invoices: Vec<(InvoiceId, Money)>,
        /// From suspense to elsewhere.
        elsewhere: Moved,
    },
    /// The partner owes less for it.
    Adjust(Because, Money),
    /// Takes it back.
    Reverse {
        /// The line of the partner's statement that the break is about.
        line: Option<LineNo>,
    },
}

/// One thing to be done.
#[derive(Clone, Debug)]
pub struct Task {
    /// With which payment.
    pub payment: EventKey,
    /// Over which sum it must be: the one that was approved.
    pub over: Option<Money>,
    /// What.
    pub todo: Todo,
    /// Who proposed it.
    pub author: Author,
}

/// What was written last for a task, or why nothing was.
pub type Ended = Result<PostingNo, String>;

/// What came of a list.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// How each task ended, in their order.
    pub ended: Vec<Ended>,
    /// What is left of the payments that were touched, each once: [`super::left::open`] says it once the items have ended.
    pub left: Vec<Left>,
}

/// Carries a list out, in order.
///
/// # Errors
/// The machine's; nothing is written then.
pub fn resolve(tx: &mut dyn Tx, lane: &LaneContext, tasks: &[Task]) -> Result<Resolved, StoreError> {
    let mut book = Book::open(tx, lane)?;
    let keys: Vec<EventKey> = tasks.iter().map(|task| task.payment).collect();
    book.load_events(tx, &keys)?;
    let mut known: Vec<EventKey> = keys.into_iter().filter(|key| book.event(key).is_some()).collect();
    known.sort_unstable();
    known.dedup();
    book.load_positions(tx, &known)?;
    let mut wanted = Wanted { invoices: book.positioned_invoices().cloned().collect(), customers: Vec::new() };
    for task in tasks {
        match &task.todo {
            Todo::Create(made) => {
                let more = matching::read(&made.record.content.references).wanted();
                wanted.invoices.extend(more.invoices);
                wanted.customers.extend(more.customers);
            }
            Todo::Allocate { invoices, .. } => wanted.invoices.extend(invoices.iter().map(|(id, _)| id.clone())),
            Todo::Adjust(..) | Todo::Reverse { .. } => {}
        }
        // An import that brings the invoice it waits for takes the same lock.
        wanted.invoices.extend(book.event(&task.payment).and_then(|record| record.names_invoice.clone()));
    }
    book.load_bills(tx, wanted)?;
    let for_good = stays_taken_back(tx, &book, &known)?;
    let mut ended = Vec::with_capacity(tasks.len());
    for task in tasks {
        ended.push(one(&mut book, task, &for_good)?);
    }
    let left = left(&book, tasks.iter().zip(&ended).filter(|(_, end)| end.is_ok()).map(|(task, _)| task));
    book.write(tx, lane)?;
    Ok(Resolved { ended, left })
}

/// Those of these payments that are not booked again: of what people took back, people may think better.
fn stays_taken_back(tx: &mut dyn Tx, book: &Book, known: &[EventKey]) -> Result<Vec<EventKey>, StoreError> {
    let reversed = |key: &&EventKey| book.event(key).is_some_and(|record| record.state == EventState::Reversed);
    let reversed: Vec<EventKey> = known.iter().filter(reversed).copied().collect();
    if reversed.is_empty() { Ok(Vec::new()) } else { tx.stays_taken_back(&reversed) }
}

/// What is left of the payments of these tasks, now that all are done.
fn left<'t>(book: &Book, done: impl Iterator<Item = &'t Task>) -> Vec<Left> {
    let mut all: Vec<Left> = Vec::new();
    for task in done {
        let Some(record) = book.event(&task.payment) else { continue };
        let (taken_back, line) = match &task.todo {
            Todo::Reverse { line } => (true, *line),
            Todo::Create(_) | Todo::Allocate { .. } | Todo::Adjust(..) => (false, None),
        };
        match all.iter_mut().find(|one| one.payment == task.payment) {
            Some(one) => (one.taken_back, one.line) = (one.taken_back || taken_back, line.or(one.line)),
            None => all.push(Left {
                payment: record.key,
                partner: record.partner.clone(),
                waits: waiting(record, &book.position(&record.key)),
                taken_back,
                booked: record.state != EventState::Reversed,
                line,
            }),
        }
    }
    all
}

fn one(book: &mut Book, task: &Task, for_good: &[EventKey]) -> Result<Ended, StoreError> {
    if let Todo::Create(made) = &task.todo {
        return create(book, made, &task.author);
    }
    let Some(record) = book.event(&task.payment).cloned() else {
        return Ok(Err("the payment is not in the books".to_owned()));
    };
    match record.state {
        EventState::Settled | EventState::Parked(_) => {}
        EventState::Reversed if matches!(task.todo, Todo::Allocate { .. }) && !for_good.contains(&record.key) => {}
        EventState::Reversed => return Ok(Err("the payment was taken back".to_owned())),
        EventState::Expected { .. } => return Ok(Err("the payment has not come".to_owned())),
        EventState::Applied | EventState::Waiting | EventState::Refused => {
            return Ok(Err("it is a reversal, not a payment".to_owned()));
        }
    }
    if task.over.is_some_and(|over| over != record.content.amount) {
        return Ok(Err(format!("the payment is over {} dong, which is not what was approved", record.content.amount)));
    }
    match &task.todo {
        Todo::Create(_) => Ok(Err("it is created above".to_owned())),
        Todo::Allocate { invoices, elsewhere } => allocate(book, record, (invoices, *elsewhere), &task.author),
        Todo::Adjust(because, less) => adjust(book, record, (*because, *less), &task.author),
        Todo::Reverse { .. } => reverse(book, record, &task.author),
    }
}

/// Claims the key that the late notice would claim, and books the payment by the same rule.
fn create(book: &mut Book, made: &Made, author: &Author) -> Result<Ended, StoreError> {
    let mut record = made.record.clone();
    if book.event(&record.key).is_some() {
        return Ok(Err("its notice, or its reversal, has come meanwhile".to_owned()));
    }
    let amount = record.content.amount;
    let reading = matching::read(&record.content.references);
    let moment = book.moment();
    let composed = match matching::decide(amount, &reading, book, Rules::default()) {
        Decision::Settle { parts, .. } => {
            record.state = EventState::Settled;
            let lines = book.lines(&parts)?;
            compose::settle(&record, &lines, Some(author), moment)
        }
        Decision::Park(reason) => {
            record.state = EventState::Parked(reason);
            let about = About {
                partner: &record.partner,
                event: Some(record.key),
                invoice: record.names_invoice.as_ref(),
                amount,
                mark: None,
            };
            book.open_break(about, class_of(reason), format!("parked: {}", reason.word()));
            compose::park(&record, Some(author), moment)
        }
    };
    let no = book.enter(composed.map_err(fault)?)?;
    record.postings = 1;
    book.receipt(&made.evidence, Verdict::Created, Some(record.key), Some(amount.dong()));
    book.claim(record);
    Ok(Ok(no))
}

/// What of a payment waits for somebody: in suspense, or to be given back.
#[must_use]
pub fn waiting(record: &EventRecord, position: &Position) -> Money {
    let partner = &record.partner;
    let in_suspense = held(position, &Account::Suspense(partner.clone()));
    in_suspense.plus(held(position, &Account::RefundDue(partner.clone()))).unwrap_or(in_suspense)
}

/// What lies in an account of the payment's, as a sum that is there.
fn held(position: &Position, account: &Account) -> Money {
    position.entries.iter().find(|e| e.account == *account).map_or(Money::ZERO, |e| e.amount.negated())
}

fn allocate(
    book: &mut Book,
    mut record: EventRecord,
    (target, elsewhere): (&[(InvoiceId, Money)], Moved),
    author: &Author,
) -> Result<Ended, StoreError> {
    // What people took back they may book again: it is in suspense first, as if it had come.
    let again = match record.state {
        EventState::Reversed => Some(compose::book_again(&record, (author, book.moment())).map_err(fault)?),
        EventState::Settled
        | EventState::Parked(_)
        | EventState::Expected { .. }
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => None,
    };
    let position = again.as_ref().map_or_else(
        || book.position(&record.key),
        |again| Position { entries: again.posting.entries().to_vec(), allocations: Vec::new() },
    );
    let wanted = |of: &Allocation| target.iter().any(|(id, amount)| *id == of.invoice && *amount == of.amount);
    let (kept, undone): (Vec<&Allocation>, Vec<&Allocation>) = position.allocations.iter().partition(|of| wanted(of));
    let new: Vec<&(InvoiceId, Money)> =
        target.iter().filter(|(id, _)| !kept.iter().any(|of| of.invoice == *id)).collect();
    if again.is_none() && undone.is_empty() && new.is_empty() && elsewhere == Moved::default() {
        return Ok(Err("the money is there already".to_owned()));
    }
    if let Some(why) = not_possible(book, &position, (&new, &undone), (&record, elsewhere))? {
        return Ok(Err(why));
    }
    let mut last = None;
    if let Some(again) = again {
        last = Some(book.enter(again)?);
        record.postings = record.postings.saturating_add(1);
    }
    if !undone.is_empty() {
        let pairs = book.undone(&position)?;
        let pairs: Vec<_> = pairs.into_iter().filter(|(of, _)| !wanted(of)).collect();
        let composed = compose::take_off(&record, &pairs, (author, book.moment())).map_err(fault)?;
        last = Some(book.enter(composed)?);
        record.postings = record.postings.saturating_add(1);
    }
    if !new.is_empty() || elsewhere != Moved::default() {
        let mut lines = Vec::with_capacity(new.len());
        for (id, amount) in new {
            lines.push(Line { account: book.account(id)?, amount: *amount });
        }
        let composed = compose::put_on(&record, &kept, (&lines, elsewhere), (author, book.moment())).map_err(fault)?;
        last = Some(book.enter(composed)?);
        record.postings = record.postings.saturating_add(1);
    }
    let left = held(&book.position(&record.key), &Account::Suspense(record.partner.clone()));
    let state = match record.state {
        _ if left.is_zero() && !target.is_empty() => EventState::Settled,
        EventState::Parked(reason) => EventState::Parked(reason),
        EventState::Settled
        | EventState::Reversed
        | EventState::Expected { .. }
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => EventState::Parked(ParkReason::TakenOff),
    };
    book.restate(record.key, state, record.postings);
    last.map_or_else(|| Ok(Err("nothing was moved".to_owned())), |no| Ok(Ok(no)))
}

/// What an invoice bears once this payment's own part is off it; negative where others have more on it than it is over.
fn bears(account: &InvoiceAccount, own: Money) -> Result<Money, NotMoney> {
    match account.invoice.status {
        InvoiceStatus::Open => {
            account.invoice.total.minus(account.invoice.paid_elsewhere)?.minus(account.settled)?.plus(own)
        }
        // The core has it as paid: by what is on it.
        InvoiceStatus::Paid => Ok(own),
        InvoiceStatus::Cancelled => Ok(Money::ZERO),
    }
}

/// Why the books do not bear it.
fn not_possible(
    book: &Book,
    position: &Position,
    (new, undone): (&[&(InvoiceId, Money)], &[&Allocation]),
    (record, elsewhere): (&EventRecord, Moved),
) -> Result<Option<String>, StoreError> {
    for (id, amount) in new {
        let Some(account) = matching::Bills::invoice(book, id) else {
            return Ok(Some(format!("invoice {id} is not known")));
        };
        if account.invoice.status == InvoiceStatus::Cancelled {
            return Ok(Some(format!("invoice {id} was cancelled")));
        }
        let own = undone.iter().filter(|of| of.invoice == *id).map(|of| of.amount);
        let own = Money::sum(own).map_err(fault)?;
        let open = bears(account, own).map_err(fault)?;
        if *amount > open {
            return Ok(Some(format!("invoice {id} has {open} dong open, not {amount}")));
        }
    }
    let suspense = held(position, &Account::Suspense(record.partner.clone()));
    let there = Money::sum(undone.iter().map(|of| of.amount).chain([suspense])).map_err(fault)?;
    let asked = new.iter().map(|(_, amount)| *amount).chain([elsewhere.refund, elsewhere.write_off]);
    let asked = Money::sum(asked).map_err(fault)?;
    if asked > there {
        return Ok(Some(format!("{there} dong of the payment can be moved, not {asked}")));
    }
    let due = held(position, &Account::RefundDue(record.partner.clone()));
    if elsewhere.refund.negated() > due {
        return Ok(Some(format!("{due} dong of it wait to be given back")));
    }
    Ok(None)
}

fn adjust(
    book: &mut Book,
    record: EventRecord,
    (because, less): (Because, Money),
    author: &Author,
) -> Result<Ended, StoreError> {
    let position = book.position(&record.key);
    let amount = record.content.amount;
    let owed = held(&position, &Account::Clearing(record.partner.clone())).negated();
    let after = owed.minus(less).map_err(fault)?;
    if after < Money::ZERO || after > amount {
        return Ok(Err(format!("the partner owes {owed} dong for the payment of {amount}")));
    }
    let due = held(&position, &Account::RefundDue(record.partner.clone()));
    if because == Because::Refund && (!less.is_positive() || less > due) {
        return Ok(Err(format!("{due} dong of it wait to be given back")));
    }
    let composed = compose::adjust(&record, because, less, (author, book.moment())).map_err(fault)?;
    let no = book.enter(composed)?;
    book.restate(record.key, record.state, record.postings.saturating_add(1));
    Ok(Ok(no))
}

fn reverse(book: &mut Book, record: EventRecord, author: &Author) -> Result<Ended, StoreError> {
    let position = book.position(&record.key);
    let moment = book.moment();
    let facts = ReversalFacts {
        event: record.event.clone(),
        paid_at: moment.now,
        business_day: moment.today,
        author: Some(author.clone()),
    };
    if position.entries.is_empty() {
        return Ok(Err("nothing is left of the payment".to_owned()));
    }
    let undone = book.undone(&position)?;
    let composed = compose::reverse(&record, &position, &undone, &facts, moment).map_err(fault)?;
    let no = book.enter(composed)?;
    book.restate(record.key, EventState::Reversed, record.postings.saturating_add(1));
    Ok(Ok(no))
}

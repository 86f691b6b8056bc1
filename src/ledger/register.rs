//! Invoices as the billing core says them, taken in by version. What the core says never changes what our entries
//! say: money on a changed invoice stays where it is and a break says so. Payments parked for want of exactly such
//! an invoice are decided again by the same rule. Not the reading of files, and not the slicing: a slice is one
//! call. Keeps I5 and I6.
#![deny(clippy::arithmetic_side_effects)]

use super::book::{About, Book, LaneContext, fault};
use super::compose;
use super::post::class_of;
use crate::domain::decision::{Decision, ParkReason};
use crate::domain::ids::{Author, EventKey, InvoiceId, PostingNo};
use crate::domain::invoice::{Invoice, InvoiceAccount, InvoiceStatus};
use crate::domain::notice::Wanted;
use crate::domain::posting::Account;
use crate::domain::review::{BreakClass, NewBreak};
use crate::matching::{self, Rules};
use crate::store::rows::{EventRecord, EventState};
use crate::store::statements::Closing;
use crate::store::{StoreError, Tx, Upserted};

/// How many parked payments one slice decides again; whoever imports goes on with the rest in the next slice ([`rematch`]),
/// since a slice must stay short. What an import that was cut off left waiting is there when it is made again.
pub const REMATCH_MAX: u32 = 1_024;

/// The author of postings that an import causes.
const REMATCH_AUTHOR: &str = "system:rematch";

/// What a slice of an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterReport {
    /// New invoices.
    pub added: u64,
    /// Replaced by a newer version.
    pub changed: u64,
    /// Said again, the same.
    pub same: u64,
    /// Older than what is known: ignored.
    pub older: u64,
    /// Changed under money of ours: a break each.
    pub changed_under_money: u64,
    /// Parked payments that are on invoices now.
    pub rematched: u64,
    /// The last payment that was decided again, where the limit left more: [`rematch`] goes on after it.
    pub rest: Option<EventKey>,
    /// The last posting written, if any.
    pub last: Option<PostingNo>,
}

/// Takes invoices in, in order, and decides the payments again that named them exactly.
///
/// # Errors
/// The machine's; nothing is taken in then.
pub fn register(tx: &mut dyn Tx, lane: &LaneContext, invoices: &[Invoice]) -> Result<RegisterReport, StoreError> {
    let mut report = RegisterReport::default();
    if invoices.is_empty() {
        return Ok(report);
    }
    let mut touched = Vec::new();
    let mut breaks = Vec::new();
    for (invoice, found) in invoices.iter().zip(tx.upsert_invoices(invoices)?) {
        let count = match found {
            Upserted::Added => &mut report.added,
            Upserted::Changed(_) => &mut report.changed,
            Upserted::Same => &mut report.same,
            Upserted::Older => &mut report.older,
        };
        *count = count.saturating_add(1);
        // Also one that is the same: the import that brought it may have been cut off before all its payments were decided.
        if !matches!(found, Upserted::Older) {
            touched.push(invoice.id.clone());
        }
        if let Upserted::Changed(before) = found {
            breaks.extend(changed_under_money(&before, invoice, lane));
        }
    }
    report.changed_under_money = u64::try_from(breaks.len()).map_err(fault)?;
    if !breaks.is_empty() {
        tx.open_breaks(&breaks)?;
    }
    // Behind the upsert, which holds them: what is parked for want of one is moved by nobody else, and none is missed.
    if !touched.is_empty() {
        decide_again(tx, lane, (&touched, None), &mut report)?;
    }
    Ok(report)
}

/// Goes on where a slice of these invoices reached its limit, after that payment.
///
/// # Errors
/// The machine's; nothing is decided then.
pub fn rematch(
    tx: &mut dyn Tx,
    lane: &LaneContext,
    invoices: &[Invoice],
    after: &EventKey,
) -> Result<RegisterReport, StoreError> {
    let mut report = RegisterReport::default();
    let wanted = named(invoices);
    // Before its payments are read: whoever moves one of them holds its invoice.
    tx.candidates(&wanted)?;
    decide_again(tx, lane, (&wanted.invoices, Some(after)), &mut report)?;
    Ok(report)
}

fn named(invoices: &[Invoice]) -> Wanted {
    let mut ids: Vec<InvoiceId> = invoices.iter().map(|i| i.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    Wanted { invoices: ids, customers: Vec::new() }
}

/// The break of an invoice that was withdrawn, lowered below what is on it, or issued anew with other figures.
fn changed_under_money(account: &InvoiceAccount, invoice: &Invoice, lane: &LaneContext) -> Option<NewBreak> {
    let (before, settled) = (&account.invoice, account.settled);
    if !settled.is_positive() {
        return None;
    }
    let detail = if invoice.status == InvoiceStatus::Cancelled && before.status != InvoiceStatus::Cancelled {
        "cancelled by the core"
    } else if invoice.total < settled {
        "lowered by the core below what is settled"
    } else if figures(before) != figures(invoice) {
        "issued anew by the core with other figures"
    } else {
        return None;
    };
    Some(NewBreak {
        class: BreakClass::InvoiceChanged,
        partner: None,
        event: None,
        invoice: Some(invoice.id.clone()),
        dispatch: None,
        amount: settled,
        detail: detail.to_owned(),
        opened_at: lane.moment.now,
        mark: None,
        leg: None,
    })
}

/// What makes a bill this bill: status, due day, payments elsewhere and version may move freely.
fn figures(i: &Invoice) -> impl PartialEq + '_ {
    ((&i.customer, &i.payer, &i.unit, &i.period), (i.kind, i.net, i.vat, i.total), &i.adjusts)
}

fn decide_again(
    tx: &mut dyn Tx,
    lane: &LaneContext,
    naming: (&[InvoiceId], Option<&EventKey>),
    report: &mut RegisterReport,
) -> Result<(), StoreError> {
    let parked = tx.parked_naming(naming, REMATCH_MAX)?;
    if parked.is_empty() {
        return Ok(());
    }
    let full = u32::try_from(parked.len()).map_err(fault)? >= REMATCH_MAX;
    report.rest = parked.last().filter(|_| full).map(|record| record.key);
    let mut wanted = Wanted::default();
    for record in &parked {
        let more = matching::read(&record.content.references).wanted();
        wanted.invoices.extend(more.invoices);
        wanted.customers.extend(more.customers);
    }
    let keys: Vec<EventKey> = parked.iter().map(|record| record.key).collect();
    let mut book = Book::open(tx, lane)?;
    book.load_positions(tx, &keys)?;
    book.load_bills(tx, wanted)?;
    let author = Author::parse(REMATCH_AUTHOR).map_err(fault)?;
    // What was said of a payment that is somewhere else now, or parked for another reason.
    let mut over = Vec::new();
    for record in parked {
        let EventState::Parked(was) = record.state else { continue };
        let now = again(&mut book, (&record, was), &author)?;
        report.rematched = report.rematched.saturating_add(u64::from(now.is_none()));
        if now.is_none_or(|now| class_of(now) != class_of(was)) {
            over.push((record.key, class_of(was)));
        }
    }
    (report.last, _) = book.write(tx, lane)?;
    if !over.is_empty() {
        let closing = Closing { author: &author, reason: "its invoice came", at: lane.moment.now };
        tx.close_breaks_about(&over, &closing)?;
    }
    Ok(())
}

/// Decides one parked payment again; why it is still parked, if it is. For another reason than before: with a break of it.
fn again(
    book: &mut Book,
    (record, was): (&EventRecord, ParkReason),
    author: &Author,
) -> Result<Option<ParkReason>, StoreError> {
    // Its reversal came and was refused, or two people took it off: whose money this is, a person must say.
    if matches!(was, ParkReason::ReversedOtherAmount | ParkReason::TakenOff) {
        return Ok(Some(was));
    }
    // People have moved some of it: where the rest belongs, they say as well.
    let suspense = Account::Suspense(record.partner.clone());
    let whole = record.content.amount.negated();
    if !book.position(&record.key).entries.iter().any(|e| e.account == suspense && e.amount == whole) {
        return Ok(Some(was));
    }
    let reading = matching::read(&record.content.references);
    match matching::decide(record.content.amount, &reading, book, Rules::default()) {
        Decision::Settle { parts, .. } => {
            let lines = book.lines(&parts)?;
            let composed = compose::rematch(record, &lines, author, book.moment()).map_err(fault)?;
            book.enter(composed)?;
            book.restate(record.key, EventState::Settled, record.postings.saturating_add(1));
            Ok(None)
        }
        Decision::Park(now) => {
            if now != was {
                book.restate(record.key, EventState::Parked(now), record.postings);
                let about = About {
                    partner: &record.partner,
                    event: Some(record.key),
                    invoice: record.names_invoice.as_ref(),
                    amount: record.content.amount,
                    mark: None,
                };
                book.open_break(about, class_of(now), format!("still parked: {}", now.word()));
            }
            Ok(Some(now))
        }
    }
}

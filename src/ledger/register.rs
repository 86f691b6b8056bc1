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
use std::collections::HashMap;

/// How many parked payments one slice decides again; the rest wait for the next import of their invoice. A slice
/// must stay short, and more payments than this parked on one slice's invoices is a flood for people to see.
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
    let wanted = Wanted { invoices: invoices.iter().map(|i| i.id.clone()).collect(), customers: Vec::new() };
    let mut known = tx.candidates(&deduplicated(wanted))?.invoices;
    let mut touched = Vec::new();
    let mut breaks = Vec::new();
    for (invoice, found) in invoices.iter().zip(tx.upsert_invoices(invoices)?) {
        let count = match found {
            Upserted::Added => &mut report.added,
            Upserted::Changed => &mut report.changed,
            Upserted::Same => &mut report.same,
            Upserted::Older => &mut report.older,
        };
        *count = count.saturating_add(1);
        if matches!(found, Upserted::Same | Upserted::Older) {
            continue;
        }
        touched.push(invoice.id.clone());
        breaks.extend(changed_under_money(&mut known, invoice, lane));
    }
    report.changed_under_money = u64::try_from(breaks.len()).map_err(fault)?;
    if !breaks.is_empty() {
        tx.open_breaks(&breaks)?;
    }
    (report.rematched, report.last) = rematch(tx, lane, touched)?;
    Ok(report)
}

fn deduplicated(mut wanted: Wanted) -> Wanted {
    wanted.invoices.sort_unstable();
    wanted.invoices.dedup();
    wanted.customers.sort_unstable();
    wanted.customers.dedup();
    wanted
}

/// The break of an invoice that was withdrawn, lowered below what is on it, or issued anew with other figures.
/// Notes the new figures as the known ones, so that a slice that says an invoice twice is judged row by row.
fn changed_under_money(
    known: &mut HashMap<InvoiceId, InvoiceAccount>,
    invoice: &Invoice,
    lane: &LaneContext,
) -> Option<NewBreak> {
    let account = known.get_mut(&invoice.id)?;
    let before = std::mem::replace(&mut account.invoice, invoice.clone());
    let settled = account.settled;
    if !settled.is_positive() {
        return None;
    }
    let detail = if invoice.status == InvoiceStatus::Cancelled && before.status != InvoiceStatus::Cancelled {
        "cancelled by the core"
    } else if invoice.total < settled {
        "lowered by the core below what is settled"
    } else if figures(&before) != figures(invoice) {
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

fn rematch(
    tx: &mut dyn Tx,
    lane: &LaneContext,
    touched: Vec<InvoiceId>,
) -> Result<(u64, Option<PostingNo>), StoreError> {
    let parked = if touched.is_empty() { Vec::new() } else { tx.parked_naming(&touched, REMATCH_MAX)? };
    if parked.is_empty() {
        return Ok((0, None));
    }
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
    let mut settled = 0_u64;
    // What was said of a payment that is somewhere else now, or parked for another reason.
    let mut over = Vec::new();
    for record in parked {
        let EventState::Parked(was) = record.state else { continue };
        let now = again(&mut book, (&record, was), &author)?;
        settled = settled.saturating_add(u64::from(now.is_none()));
        if now.is_none_or(|now| class_of(now) != class_of(was)) {
            over.push((record.key, class_of(was)));
        }
    }
    let (last, _marks) = book.write(tx, lane)?;
    if !over.is_empty() {
        let closing = Closing { author: &author, reason: "its invoice came", at: lane.moment.now };
        tx.close_breaks_about(&over, &closing)?;
    }
    Ok((settled, last))
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

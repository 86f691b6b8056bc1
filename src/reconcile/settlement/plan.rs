//! What a comparison with the bank writes: batches that say something new, and their breaks. A break is opened when what a
//! batch says begins, and closed when it ends; one that a person closed in between stays closed.

use crate::domain::money::Money;
use crate::domain::review::{BreakClass, Leg, NewBreak};
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::settlements::Batch;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Why a break is closed whose money came.
const CAME: &str = "the bank's credit is there in full";

/// Why a break is closed whose batch says something else now.
const CHANGED: &str = "the bank's credits or the batch changed: what is wrong now has a break of its own";

/// Why a fee's break is closed.
const AGREED: &str = "the fees that the statement states are those of the schedule, or changed";

/// One batch to be written, with the breaks that end and begin by it, in one transaction.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) batch: Batch,
    pub(super) close: Vec<(i64, &'static str)>,
    pub(super) open: Vec<NewBreak>,
}

/// What a break of a batch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Money,
    Fees,
}

/// Open breaks of the bank's leg, by their marks.
pub(super) type Open = HashMap<[u8; 32], i64>;

/// What is to be written of a batch; `None` if it says what it said.
pub(super) fn change(
    kept: Option<&Batch>,
    batch: Batch,
    line: Option<LineNo>,
    (open, at): (&Open, Timestamp),
) -> Option<Change> {
    if kept.is_some_and(|kept| kept.says_the_same_as(&batch)) {
        return None;
    }
    let mut change = Change { batch, close: Vec::new(), open: Vec::new() };
    let batch = &change.batch;
    let said = |of: &Batch| of.class.map(|class| (class, of.expected, of.credited));
    if kept.and_then(said) != said(batch) {
        let full = batch.credited == batch.expected;
        let over = open.get(&mark(batch, About::Money)).map(|no| (*no, if full { CAME } else { CHANGED }));
        change.close.extend(over);
        change.open.extend(batch.class.map(|class| money_break(batch, class, line, at)));
    }
    let fees = |of: &Batch| of.fee.zip(of.fee_stated).filter(|(fee, stated)| fee != stated);
    if kept.and_then(fees) != fees(batch) {
        change.close.extend(open.get(&mark(batch, About::Fees)).map(|no| (*no, AGREED)));
        change.open.extend(fees(batch).map(|(fee, stated)| fee_break(batch, (fee, stated), at)));
    }
    Some(change)
}

fn mark(batch: &Batch, about: About) -> [u8; 32] {
    let about = match about {
        About::Money => "settlement",
        About::Fees => "settlement fees",
    };
    let mut hasher = Sha256::new();
    for part in [about, batch.partner.as_str()] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(batch.batch.to_be_bytes());
    hasher.finalize().into()
}

fn money_break(batch: &Batch, class: BreakClass, line: Option<LineNo>, at: Timestamp) -> NewBreak {
    let Batch { name, day, due, expected, credited, .. } = batch;
    let known = if batch.calendar_known { "" } else { ", by a calendar without the holidays of all of that time" };
    let detail = match class {
        BreakClass::SettlementMissing => format!(
            "nothing of batch {name} of {day} came by {}: {expected} dong were due on {due}{known}",
            batch.as_of
        ),
        BreakClass::SettlementShort => {
            let short = expected.saturating_sub(*credited);
            format!("batch {name} of {day} is {short} dong short: {credited} of {expected} came, due on {due}{known}")
        }
        BreakClass::SettlementLate => {
            let on = batch.full_on.map(|on| on.to_string()).unwrap_or_default();
            format!("batch {name} of {day} was full on {on} and due on {due}{known}: {expected} dong")
        }
        BreakClass::UnknownRef if name.is_empty() => {
            format!("{credited} dong were credited on {day} that name no batch")
        }
        BreakClass::UnknownRef => {
            format!("{credited} dong were credited on {day} for a batch of which no statement was taken")
        }
        _ => format!("batch {name} of {day} should bring {expected} dong and brought {credited}"),
    };
    let about = if class == BreakClass::SettlementLate { *expected } else { batch.difference().saturating_abs() };
    let opened = new_break(batch, (class, about), detail, at);
    let leg = Leg { line, ..leg(batch, *expected, *credited) };
    NewBreak { mark: Some(mark(batch, About::Money)), leg: Some(leg), ..opened }
}

fn fee_break(batch: &Batch, (fee, stated): (i64, i64), at: Timestamp) -> NewBreak {
    let detail =
        format!("the statement of {} states fees of {stated} dong in all, the schedule in force says {fee}", batch.day);
    let about = stated.saturating_sub(fee).saturating_abs();
    let opened = new_break(batch, (BreakClass::FeeMismatch, about), detail, at);
    NewBreak { mark: Some(mark(batch, About::Fees)), leg: Some(leg(batch, fee, stated)), ..opened }
}

fn leg(batch: &Batch, ours: i64, theirs: i64) -> Leg {
    let (ours, theirs) = (Some(ours), Some(theirs));
    Leg { kind: StatementKind::Bank, day: batch.day, line: None, ours, theirs, carried: false }
}

fn new_break(batch: &Batch, (class, about): (BreakClass, i64), detail: String, at: Timestamp) -> NewBreak {
    NewBreak {
        class,
        partner: Some(batch.partner.clone()),
        event: None,
        invoice: None,
        dispatch: None,
        // A sum over a day may be beyond what one amount may be; both sides are kept whole.
        amount: Money::from_dong(about).unwrap_or_default(),
        detail,
        opened_at: at,
        mark: None,
        leg: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Author, PartnerCode};
    use crate::domain::statement::FileNo;
    use jiff::civil::date;

    fn batch(credited: i64, class: Option<BreakClass>) -> Batch {
        Batch {
            partner: PartnerCode::parse("standard").unwrap(),
            batch: 5,
            name: "STD20260203".to_owned(),
            day: date(2026, 2, 3),
            file: Some(FileNo(1)),
            due: date(2026, 2, 4),
            calendar_known: true,
            net: false,
            gross: 1_000,
            discount: 0,
            utility: 0,
            fee: Some(11),
            fee_stated: Some(11),
            expected: 1_000,
            credited,
            credits: 1,
            full_on: None,
            class,
            as_of: date(2026, 2, 5),
            author: Author::parse("an").unwrap(),
            at: Timestamp::from_unix_ms(7),
        }
    }

    /// From one comparison to the next: is it written, which breaks close, and which classes open?
    fn check(kept: Option<&Batch>, new: Batch, expected: Option<(&[&str], &[BreakClass])>) {
        let open: Open = kept.map(|kept| (mark(kept, About::Money), 9)).into_iter().collect();
        let change = change(kept, new, None, (&open, Timestamp::from_unix_ms(8)));
        let said = change.as_ref().map(|change| {
            let closed: Vec<&str> = change.close.iter().map(|(_, reason)| *reason).collect();
            (closed, change.open.iter().map(|new| new.class).collect::<Vec<_>>())
        });
        assert_eq!(said, expected.map(|(closed, opened)| (closed.to_vec(), opened.to_vec())));
    }

    #[test]
    fn a_break_begins_and_ends_with_what_its_batch_says() {
        const SHORT: BreakClass = BreakClass::SettlementShort;
        let short = batch(400, Some(SHORT));
        check(None, short.clone(), Some((&[], &[SHORT])));
        check(Some(&short), Batch { as_of: date(2026, 2, 9), ..short.clone() }, None);
        check(Some(&short), batch(500, Some(SHORT)), Some((&[CHANGED], &[SHORT])));
        let late = BreakClass::SettlementLate;
        check(Some(&short), batch(1_000, Some(late)), Some((&[CAME], &[late])));
        check(Some(&short), batch(1_000, None), Some((&[CAME], &[])));
        // What does not touch the money does not touch its break: a person may have closed it.
        check(Some(&short), Batch { due: date(2026, 2, 6), ..short.clone() }, Some((&[], &[])));
        check(Some(&short), Batch { fee_stated: Some(12), ..short.clone() }, Some((&[], &[BreakClass::FeeMismatch])));
        check(None, batch(0, None), Some((&[], &[])));
    }
}

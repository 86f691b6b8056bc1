//! What a list of items leaves behind that nothing says any more: the breaks of its items ended with them. Money of a
//! payment that still waits has one break, and no second one. A payment that people took back and that its partner's
//! statement still has, has one too: where that day is sealed, nobody compares it again. Said in the transaction of the
//! items, after they have ended.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

use super::book::{LaneContext, fault};
use super::recent::Mark;
use crate::domain::ids::{Author, EventKey, Movement, PartnerCode};
use crate::domain::money::Money;
use crate::domain::review::{BreakClass, NewBreak};
use crate::domain::statement::LineNo;
use crate::store::statements::Closing;
use crate::store::{StoreError, Tx};

/// What is left of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which one.
    pub payment: EventKey,
    /// Whose.
    pub partner: PartnerCode,
    /// What of it waits: in suspense, or to be given back.
    pub waits: Money,
    /// Did people take it back?
    pub taken_back: bool,
    /// Is it in the books?
    pub booked: bool,
    /// The line of the partner's statement that the break was about through which they did.
    pub line: Option<LineNo>,
}

/// Why a break that said that people took a payment back is over.
const AGAIN: &str = "the payment is in the books again";

/// Who ends it.
const ENDED_BY: &str = "system:resolve";

/// Opens a break for what no open one says, and closes what is not so any more.
///
/// # Errors
/// The machine's.
pub fn open(tx: &mut dyn Tx, lane: &LaneContext, left: &[Left]) -> Result<(), StoreError> {
    let waiting: Vec<EventKey> = left.iter().filter(|one| one.waits.is_positive()).map(|one| one.payment).collect();
    let told = if waiting.is_empty() { Vec::new() } else { tx.told_to_wait(&waiting)? };
    let mut new = Vec::new();
    for one in left {
        if one.waits.is_positive() && !told.contains(&one.payment) {
            let detail = format!("{} dong of the payment wait in suspense or to be given back", one.waits);
            let about = (BreakClass::Overpaid, one.waits, Mark::rest(&one.payment, one.waits));
            new.push(new_break(one, about, detail, lane));
        }
        if one.taken_back && !one.booked {
            new.extend(still_listed(tx, one, lane)?);
        }
    }
    let again = left.iter().filter(|one| one.booked).map(|one| (one.payment, BreakClass::Reversed));
    let again: Vec<(EventKey, BreakClass)> = again.collect();
    if !again.is_empty() {
        let author = Author::parse(ENDED_BY).map_err(fault)?;
        tx.close_breaks_about(&again, &Closing { author: &author, reason: AGAIN, at: lane.moment.now })?;
    }
    if new.is_empty() { Ok(()) } else { tx.open_breaks(&new).map(drop) }
}

/// The partner's statement has what people took back: by the line that it is matched to, or that they had before them.
fn still_listed(tx: &mut dyn Tx, one: &Left, lane: &LaneContext) -> Result<Option<NewBreak>, StoreError> {
    let Some(line) = tx.listed_at(&one.payment)?.or(one.line) else { return Ok(None) };
    let Some(line) = tx.statement_line(line)? else { return Ok(None) };
    if line.movement != Some(Movement::Payment) {
        return Ok(None);
    }
    let detail = format!(
        "people took the payment back, and the statement still has {} dong (line {} of {})",
        line.amount, line.row, line.file.0
    );
    Ok(Some(new_break(one, (BreakClass::Reversed, line.amount, Mark::listed(&one.payment)), detail, lane)))
}

fn new_break(
    one: &Left,
    (class, amount, mark): (BreakClass, Money, Mark),
    detail: String,
    lane: &LaneContext,
) -> NewBreak {
    NewBreak {
        class,
        partner: Some(one.partner.clone()),
        event: Some(one.payment),
        invoice: None,
        dispatch: None,
        amount,
        detail,
        opened_at: lane.moment.now,
        mark: Some(*mark.as_bytes()),
        leg: None,
    }
}

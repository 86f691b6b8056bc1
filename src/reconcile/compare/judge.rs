//! What a line and an event that belong together say of each other.

use super::facts::{Ours, Rules, Theirs};
use super::result::Note;
use crate::domain::review::BreakClass;

/// What differs; `None` where they agree. One difference only: the first of state, amount, reference, discount, fee.
pub(super) fn judge(rules: &Rules, line: &Theirs, event: &Ours) -> Option<(BreakClass, Note)> {
    match (line.moves(), event.booked) {
        (false, false) => return None,
        (false, true) => return Some((BreakClass::StatusMismatch, Note::NotMovedThere)),
        (true, false) => return Some((BreakClass::StatusMismatch, Note::NotBookedHere)),
        (true, true) if line.says.movement() != Some(event.movement) => {
            return Some((BreakClass::StatusMismatch, Note::OtherMovement));
        }
        (true, true) => {}
    }
    let off = line.amount.abs_diff(event.amount);
    if off != 0 {
        let explains = |dong: i64| dong.unsigned_abs() == off;
        return Some(if explains(event.fee) || explains(line.fee) {
            (BreakClass::FeeMismatch, Note::AmountByFee)
        } else if explains(event.discount) || explains(line.discount) {
            (BreakClass::PromoMismatch, Note::AmountByDiscount)
        } else {
            (BreakClass::AmountMismatch, Note::Amount)
        });
    }
    if other_reference(rules, line, event) {
        return Some((BreakClass::ReferenceMismatch, Note::Reference));
    }
    if rules.discounts && line.discount != event.discount {
        return Some((BreakClass::PromoMismatch, Note::Discount));
    }
    (rules.fees && line.fee != event.fee).then_some((BreakClass::FeeMismatch, Note::Fee))
}

/// Do both state a reference, and not the same?
pub(super) fn other_reference(rules: &Rules, line: &Theirs, event: &Ours) -> bool {
    rules.references && line.reference != 0 && event.reference != 0 && line.reference != event.reference
}

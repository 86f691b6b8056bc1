//! Which of the actions that move money comes first on the page of a break: what its class usually needs. Pure.

use super::view::May;
use crate::domain::resolution::Action;
use crate::domain::review::BreakClass;

/// One of them, in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub word: &'static str,
    /// How its button looks.
    pub look: &'static str,
}

/// All that may be proposed, what the class needs first; `compared` where a comparison found it. Nothing that takes a
/// payment back is ever made to look usual.
pub(super) fn offered((class, compared): (BreakClass, bool), may: May) -> Vec<Offered> {
    let usual = [Action::Create, Action::Allocate, Action::Adjust, Action::Close, Action::Reverse];
    let there = |action: &Action| match action {
        Action::Create => may.create,
        Action::Allocate => may.allocate,
        Action::Adjust => may.adjust,
        Action::Reverse => may.reverse,
        Action::Close => may.propose,
        Action::Seal | Action::Reopen => false,
    };
    let mut all: Vec<Action> = usual.into_iter().filter(there).collect();
    let first = needs(class, compared);
    all.sort_by_key(|action| Some(*action) != first);
    let look = |action: Action| match action {
        Action::Reverse => "danger",
        _ if Some(action) == first => "primary",
        _ => "",
    };
    all.into_iter().map(|action| Offered { word: action.word(), look: look(action) }).collect()
}

/// What usually ends a break of this class, if one action does.
fn needs(class: BreakClass, compared: bool) -> Option<Action> {
    use BreakClass as Of;
    match class {
        Of::MissingWebhook | Of::CutoffTiming => Some(Action::Create),
        // It is on its bill, and the partner owes another sum.
        Of::AmountMismatch if compared => Some(Action::Adjust),
        Of::UnknownRef
        | Of::ContradictoryRef
        | Of::AmountMismatch
        | Of::DuplicatePayment
        | Of::CancelledInvoice
        | Of::InvoiceChanged
        | Of::BillAlreadyCleared
        | Of::WrongCustomer
        | Of::Split
        | Of::Merged
        | Of::Underpaid
        | Of::Overpaid => Some(Action::Allocate),
        Of::FeeMismatch | Of::PromoMismatch => Some(Action::Adjust),
        Of::MissingInStatement | Of::Reversed | Of::Bounced => Some(Action::Reverse),
        Of::Conflict
        | Of::StatusMismatch
        | Of::ReversalRefused
        | Of::Stale
        | Of::Unreadable
        | Of::Paused
        | Of::OutOfOrder
        | Of::PaidNotCleared
        | Of::DuplicateNotify
        | Of::DuplicateLine
        | Of::Suspect
        | Of::SwappedId
        | Of::ReferenceMismatch
        | Of::ClearedNotPaid
        | Of::SettlementShort
        | Of::SettlementLate
        | Of::SettlementMissing
        | Of::BadFile => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{May, offered};
    use crate::domain::review::BreakClass;

    #[test]
    fn what_a_class_needs_comes_first_and_a_reversal_looks_dangerous() {
        let may = May { allocate: true, adjust: true, reverse: true, propose: true, ..May::default() };
        let shown = |class, may| offered((class, true), may).iter().map(|of| (of.word, of.look)).collect::<Vec<_>>();
        let fee = [("adjust", "primary"), ("allocate", ""), ("close", ""), ("reverse", "danger")];
        assert_eq!(shown(BreakClass::FeeMismatch, may), fee);
        assert_eq!(shown(BreakClass::MissingInStatement, may).first(), Some(&("reverse", "danger")));
        assert_eq!(shown(BreakClass::FeeMismatch, May { propose: true, ..May::default() }), [("close", "")]);
        assert_eq!(shown(BreakClass::FeeMismatch, May::default()), []);
        let parked = offered((BreakClass::AmountMismatch, false), may);
        assert_eq!(parked.first().map(|of| of.word), Some("allocate"));
    }
}

//! What people took back they may book again: by the same rule of two, onto whatever it is for. What its partner took back
//! stays where it is.

use super::{Desk, key, onto, refund};
use crate::ledger::tell::{Books, bill, pay, undo};
use std::sync::atomic::{AtomicI64, Ordering};
use thuho::domain::outcome::Outcome;
use thuho::domain::resolution::{Because, Resolution};
use thuho::domain::review::BreakClass;
use thuho::store::rows::EventState;

const GONE: &str = "the payment was taken back";

fn two_bills(books: &mut Books) {
    books.import(&[bill("HD-1", 100), bill("HD-2", 250)]);
}

/// By a break that a comparison would have opened about it, each time over another sum: what is settled is not opened again.
fn agree(desk: &mut Desk, event: &str, what: Resolution) -> Result<(), String> {
    static SUM: AtomicI64 = AtomicI64::new(1);
    desk.differs(BreakClass::Suspect, (None, Some(event)), (Some(SUM.fetch_add(1, Ordering::Relaxed)), None));
    let no = desk.one(BreakClass::Suspect);
    let done = desk.resolve(no, what);
    if done.is_err() {
        assert_eq!(desk.resolve(no, Resolution::Close {}), Ok(()));
    }
    done
}

fn state(desk: &mut Desk, event: &str) -> EventState {
    desk.books.reports.event(&key(event)).unwrap().unwrap().state
}

#[test]
fn a_payment_that_people_took_back_is_booked_again() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 100).invoice("HD-1"));
        assert_eq!(agree(&mut desk, "1", Resolution::Reverse {}), Ok(()));
        assert_eq!(desk.books.state(), "tell HD-1 #1; tell HD-1 #2; 1 receipts");
        assert_eq!(
            agree(&mut desk, "1", onto(&[("HD-1", 101)])),
            Err("invoice HD-1 has 100 dong open, not 101".to_owned())
        );
        assert_eq!(
            agree(&mut desk, "1", onto(&[("HD-2", 101)])),
            Err("100 dong of the payment can be moved, not 101".to_owned())
        );
        assert_eq!(desk.books.state(), "tell HD-1 #1; tell HD-1 #2; 1 receipts");
        assert_eq!(agree(&mut desk, "1", onto(&[("HD-1", 100)])), Ok(()));
        let booked =
            "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; tell HD-1 #2; tell HD-1 #3; 1 receipts";
        assert_eq!((desk.books.state().as_str(), state(&mut desk, "1")), (booked, EventState::Settled));
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Duplicate);
        // As often as two people think better of it.
        assert_eq!(agree(&mut desk, "1", Resolution::Reverse {}), Ok(()));
        assert_eq!(agree(&mut desk, "1", onto(&[("HD-2", 60)])), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -60; clearing:wallet 100; suspense:wallet -40; tell HD-1 #1; tell HD-1 #2; tell HD-1 #3; tell \
             HD-1 #4; tell HD-2 #1; OVERPAID 40; 1 receipts"
        );
        desk.books.certified();
    }
}

#[test]
fn what_is_booked_again_waits_where_it_is_for_no_bill() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 130).discount(30, None));
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, Resolution::Reverse {}), Ok(()));
        assert_eq!(agree(&mut desk, "1", onto(&[])), Ok(()));
        assert_eq!(
            desk.books.state(),
            "clearing:wallet 100; suspense:wallet -130; promotion:wallet 30; OVERPAID 130; 1 receipts"
        );
        let no = desk.one(BreakClass::Overpaid);
        assert_eq!(desk.resolve(no, refund(130)), Ok(()));
        assert_eq!(desk.hear(&undo("R1", "1", 130)), Outcome::Accepted, "by the partner now");
        assert_eq!(desk.books.state(), "2 receipts");
        assert_eq!(agree(&mut desk, "1", onto(&[("HD-1", 100)])), Err(GONE.to_owned()));
        desk.books.certified();
    }
}

#[test]
fn what_its_partner_took_back_is_not_booked_again_by_people() {
    for mut desk in Desk::everywhere(two_bills) {
        // The reversal of the second one comes first.
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Accepted);
        for (reversal, payment) in [("R1", "1"), ("R2", "2")] {
            assert_eq!(desk.hear(&undo(reversal, payment, 100)), Outcome::Accepted);
        }
        desk.hear(&pay("2", 100).invoice("HD-1"));
        for event in ["1", "2"] {
            assert_eq!(state(&mut desk, event), EventState::Reversed);
            assert_eq!(agree(&mut desk, event, onto(&[("HD-1", 100)])), Err(GONE.to_owned()));
        }
        desk.books.certified();
    }
}

/// Its partner said so after people had: that reversal was refused, and its money is with the payer all the same.
#[test]
fn what_its_partner_took_back_as_well_is_not_booked_again() {
    for mut desk in Desk::everywhere(two_bills) {
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Accepted);
        assert_eq!(agree(&mut desk, "1", Resolution::Reverse {}), Ok(()));
        assert_eq!(desk.hear(&undo("R1", "1", 100)), Outcome::ReversalRefused);
        assert_eq!(agree(&mut desk, "1", onto(&[("HD-1", 100)])), Err(GONE.to_owned()));
        desk.books.certified();
    }
}

/// What the partner owed for it was less than the payment says by then: that it gave a part back is not forgotten.
#[test]
fn what_had_been_adjusted_is_not_booked_again() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 250));
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, refund(150)), Ok(()));
        let given_back = Resolution::Adjust { because: Because::Refund, dong: 150 };
        assert_eq!(agree(&mut desk, "1", given_back), Ok(()));
        assert_eq!(agree(&mut desk, "1", Resolution::Reverse {}), Ok(()));
        assert_eq!(agree(&mut desk, "1", onto(&[("HD-1", 100)])), Err(GONE.to_owned()));
        desk.books.certified();
    }
}

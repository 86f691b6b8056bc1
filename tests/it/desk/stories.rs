//! Each thing that two people can do with a payment, and what the books, the core and the collector hear of it.

use super::{Desk, create, create_named, key, line, onto, refund};
use crate::ledger::tell::{Books, Said, bill, pay, undo};
use thuho::domain::notice::ReferenceText;
use thuho::domain::outcome::Outcome;
use thuho::domain::resolution::{Because, BreakState, Resolution};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::LineNo;
use thuho::store::rows::EventState;
use thuho::store::statements::Pointed;

fn two_bills(books: &mut Books) {
    books.import(&[bill("HD-1", 100), bill("HD-2", 250)]);
}

/// A payment that names no bill.
fn nameless(event: &str, dong: i64) -> Said {
    pay(event, dong)
}

#[test]
fn a_parked_payment_is_put_on_the_bills_that_it_was_for() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&nameless("1", 350));
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 100), ("HD-2", 250)])), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -350; clearing:wallet 350; tell HD-1 #1; tell HD-2 #1; 1 receipts"
        );
        let closed = desk.at(no);
        assert_eq!(closed.state, BreakState::Closed);
        assert_eq!(closed.close_reason.as_deref(), Some("allocate by proposal 1 of an, approved by chi"));
        assert_eq!(desk.hear(&nameless("1", 350)), Outcome::Duplicate);
        desk.books.certified();
    }
}

#[test]
fn a_part_may_stay_in_suspense_and_later_be_given_back() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&nameless("1", 130));
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 100)])), Ok(()));
        // What is left waiting has a break of its own: nothing is out of everybody's sight.
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 130; suspense:wallet -30; tell HD-1 #1; OVERPAID 30; 1 receipts"
        );
        // What is parked still is answered as parked, and an import moves nothing of what people moved.
        assert_eq!(desk.hear(&nameless("1", 130)), Outcome::UnknownInvoice);
        let no = desk.one(BreakClass::Overpaid);
        let waits = "30 dong of the payment wait in suspense or to be given back: say where they go";
        assert_eq!(desk.resolve(no, Resolution::Close {}), Err(waits.to_owned()));
        let rest = Resolution::Allocate { invoices: shares(&onto(&[("HD-1", 100)])), refund: 25, write_off: 5 };
        assert_eq!(desk.resolve(no, rest), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 130; refund_due:wallet -25; write_off:wallet -5; tell HD-1 #1; \
             OVERPAID 25; 1 receipts"
        );
        assert_eq!(desk.books.reports.event(&key("1")).unwrap().unwrap().state, EventState::Settled);
        desk.books.certified();
    }
}

fn shares(of: &Resolution) -> Vec<thuho::domain::resolution::Share> {
    match of {
        Resolution::Allocate { invoices, .. } => invoices.clone(),
        other => panic!("{other:?} has no shares"),
    }
}

#[test]
fn what_was_paid_for_somebody_else_is_taken_off_and_put_where_it_belongs() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100), bill("HD-3", 100)])) {
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Accepted);
        desk.differs(BreakClass::WrongCustomer, (None, Some("1")), (Some(100), Some(100)));
        let no = desk.one(BreakClass::WrongCustomer);
        assert_eq!(desk.resolve(no, onto(&[("HD-3", 100)])), Ok(()));
        let moved = "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; tell HD-1 #2; tell HD-3 #1; 1 receipts";
        assert_eq!(desk.books.state(), moved);
        // And back again: every message has a key of its own.
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(100)));
        let no = desk.one(BreakClass::AmountMismatch);
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 60)])), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -60; clearing:wallet 100; suspense:wallet -40; tell HD-1 #1; tell HD-1 #2; tell HD-1 #3; tell HD-3 #1; tell HD-3 #2; OVERPAID 40; 1 receipts"
        );
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Duplicate, "its sender heard accepted");
        assert_eq!(desk.hear(&undo("R1", "1", 100)), Outcome::Accepted, "and may take it back from wherever it is");
        assert_eq!(
            desk.books.state(),
            "tell HD-1 #1; tell HD-1 #2; tell HD-1 #3; tell HD-1 #4; tell HD-3 #1; tell HD-3 #2; 2 receipts"
        );
        desk.books.certified();
    }
}

#[test]
fn what_the_books_do_not_bear_is_refused_and_the_rest_is_done() {
    for mut desk in Desk::everywhere(two_bills) {
        for (event, dong) in [("1", 100), ("2", 250), ("3", 90)] {
            desk.hear(&nameless(event, dong));
        }
        let breaks: Vec<i64> = desk.open().iter().map(|b| b.no).rev().collect();
        let proposal = desk
            .propose(
                "an",
                &[
                    (breaks[0], onto(&[("HD-1", 100)])),
                    // By then HD-1 is paid.
                    (breaks[1], onto(&[("HD-1", 100), ("HD-2", 150)])),
                    (breaks[2], onto(&[("HD-2", 90)])),
                ],
            )
            .unwrap();
        desk.decide(proposal, thuho::store::desk::Verb::Approve, "chi");
        let carried = desk.carry_out(Some(proposal));
        assert_eq!((carried.done, carried.refused), (2, 1));
        let items = desk.books.reports.items(proposal, 0, 9).unwrap();
        assert_eq!(items[1].refused.as_deref(), Some("invoice HD-1 has 0 dong open, not 100"));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -190; clearing:wallet 440; suspense:wallet -250; tell HD-1 #1; tell HD-2 #1; UNKNOWN_REF 250; 3 receipts"
        );
        assert_eq!(desk.at(breaks[1]).state, BreakState::Open, "it is free for another proposal");
        for (what, why) in [
            (onto(&[("HD-9", 250)]), "invoice HD-9 is not known"),
            (onto(&[("HD-2", 161)]), "invoice HD-2 has 160 dong open, not 161"),
            (refund(251), "250 dong of the payment can be moved, not 251"),
            (refund(-1), "0 dong of it wait to be given back"),
            (
                Resolution::Adjust { because: Because::WriteOff, dong: 251 },
                "the partner owes 250 dong for the payment of 250",
            ),
            (Resolution::Adjust { because: Because::Refund, dong: 1 }, "0 dong of it wait to be given back"),
            (create(), "only a payment that is missing in the books is booked from its line"),
        ] {
            assert_eq!(desk.resolve(breaks[1], what), Err(why.to_owned()));
        }
        desk.books.certified();
    }
}

#[test]
fn a_bill_paid_twice_is_given_back_and_the_partners_reversal_ends_it() {
    for mut desk in Desk::everywhere(two_bills) {
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Accepted);
        assert_eq!(desk.hear(&pay("2", 100).invoice("HD-1")), Outcome::AlreadyPaid);
        let no = desk.one(BreakClass::DuplicatePayment);
        assert_eq!(desk.resolve(no, refund(100)), Ok(()));
        let due = "receivable:PA03HL -100; clearing:wallet 200; refund_due:wallet -100; tell HD-1 #1; OVERPAID 100; 2 receipts";
        assert_eq!(desk.books.state(), due);
        assert_eq!(desk.hear(&undo("R2", "2", 100)), Outcome::Accepted);
        assert_eq!(desk.books.state(), "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; 3 receipts");
        desk.books.certified();
    }
}

#[test]
fn a_refund_that_only_the_statement_shows_is_ended_by_hand() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&nameless("1", 40));
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, refund(40)), Ok(()));
        let no = desk.one(BreakClass::Overpaid);
        assert_eq!(desk.resolve(no, Resolution::Adjust { because: Because::Refund, dong: 40 }), Ok(()));
        assert_eq!(desk.books.state(), "1 receipts");
        desk.differs(BreakClass::Suspect, (None, Some("1")), (Some(40), None));
        let no = desk.one(BreakClass::Suspect);
        assert_eq!(desk.resolve(no, Resolution::Reverse {}), Err("nothing is left of the payment".to_owned()));
        // The partner's own reversal, late: booked, with nothing to move.
        assert_eq!(desk.hear(&undo("R1", "1", 40)), Outcome::Accepted);
        assert_eq!(desk.books.reports.event(&key("1")).unwrap().unwrap().state, EventState::Reversed);
        assert_eq!(desk.books.state(), "SUSPECT 40; 2 receipts");
        desk.books.certified();
    }
}

#[test]
fn what_a_partner_owes_less_is_named_by_its_reason() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 100).invoice("HD-1"));
        for (because, dong) in [(Because::Fee, 3), (Because::Promotion, 10), (Because::WriteOff, -2)] {
            desk.differs(BreakClass::FeeMismatch, (None, Some("1")), (Some(100), Some(100 - dong)));
            let no = desk.one(BreakClass::FeeMismatch);
            assert_eq!(desk.resolve(no, Resolution::Adjust { because, dong }), Ok(()));
        }
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 89; promotion:wallet 10; fee:wallet 3; write_off:wallet -2; tell HD-1 #1; 1 receipts"
        );
        desk.books.certified();
    }
}

#[test]
fn a_payment_is_taken_back_by_hand_and_never_twice() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 100).invoice("HD-1"));
        desk.differs(BreakClass::MissingInStatement, (None, Some("1")), (Some(100), None));
        let no = desk.one(BreakClass::MissingInStatement);
        assert_eq!(desk.resolve(no, Resolution::Reverse {}), Ok(()));
        assert_eq!(desk.books.state(), "tell HD-1 #1; tell HD-1 #2; 1 receipts");
        assert_eq!(desk.hear(&undo("R1", "1", 100)), Outcome::ReversalRefused);
        desk.differs(BreakClass::Reversed, (None, Some("1")), (None, Some(-100)));
        let no = desk.one(BreakClass::Reversed);
        assert_eq!(desk.resolve(no, Resolution::Reverse {}), Err("the payment was taken back".to_owned()));
        desk.books.certified();
    }
}

#[test]
fn a_payment_is_made_from_its_statement_line_under_the_key_of_its_late_notice() {
    for mut desk in Desk::everywhere(two_bills) {
        let file = desk.statement(&[line(1, Some("7"), "HD-1", 100), line(2, Some("8"), "HD-9", 60)]);
        let no = desk.missing(LineNo::of(file, 1), Some("7"), 100);
        assert_eq!(desk.resolve(no, create()), Ok(()));
        let booked = "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; 1 receipts";
        assert_eq!(desk.books.state(), booked);
        // The notice says more than the line did, and is the same payment.
        let late = pay("7", 100).invoice("HD-1").customer("PA1");
        assert_eq!(desk.hear(&late), Outcome::Duplicate);
        assert_eq!(desk.books.state(), booked);
        for other in [pay("7", 101).invoice("HD-1"), pay("7", 100).invoice("HD-2")] {
            assert_eq!(desk.hear(&other), Outcome::Conflict);
        }
        // Money that finds no bill waits as a notice's would.
        let no = desk.missing(LineNo::of(file, 2), Some("8"), 60);
        assert_eq!(desk.resolve(no, create()), Ok(()));
        assert_eq!(desk.books.reports.balances().unwrap().iter().map(|(_, dong)| dong.abs()).sum::<i64>(), 320);
        desk.one(BreakClass::UnknownRef);
        desk.books.certified();
    }
}

#[test]
fn a_line_without_the_partners_id_makes_no_payment_until_a_person_learns_it() {
    for mut desk in Desk::everywhere(two_bills) {
        let file = desk.statement(&[line(1, None, "HD-1", 100)]);
        let no = desk.missing(LineNo::of(file, 1), None, 100);
        let refused = desk.resolve(no, create());
        assert_eq!(refused, Err("the line names no event: the partner's id of it is needed".to_owned()));
        assert_eq!(desk.resolve(no, create_named("7")), Ok(()));
        assert_eq!(desk.hear(&pay("7", 100).invoice("HD-1")), Outcome::Duplicate);
        desk.books.certified();
    }
}

#[test]
fn a_notice_that_comes_before_the_approval_is_the_payment() {
    for mut desk in Desk::everywhere(two_bills) {
        let file = desk.statement(&[line(1, Some("7"), "HD-1", 100)]);
        let no = desk.missing(LineNo::of(file, 1), Some("7"), 100);
        let proposal = desk.propose("an", &[(no, create())]).unwrap();
        assert_eq!(desk.hear(&pay("7", 100).invoice("HD-1")), Outcome::Accepted);
        desk.decide(proposal, thuho::store::desk::Verb::Approve, "chi");
        assert_eq!(desk.carry_out(None).refused, 1);
        let item = desk.books.reports.items(proposal, 0, 1).unwrap().remove(0);
        assert_eq!(item.refused.as_deref(), Some("its notice, or its reversal, has come meanwhile"));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; MISSING_WEBHOOK 100; 1 receipts"
        );
        desk.books.certified();
    }
}

#[test]
fn an_import_moves_nothing_that_people_have_moved() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100)])) {
        let late = pay("1", 250).with(|notice| notice.references.invoice = ReferenceText::new("HD-2"));
        assert_eq!(desk.hear(&late), Outcome::UnknownInvoice);
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 100)])), Ok(()));
        assert_eq!(desk.books.import(&[bill("HD-2", 250)]).rematched, 0);
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 250; suspense:wallet -150; tell HD-1 #1; OVERPAID 150; 1 receipts"
        );
        desk.books.certified();
    }
}

#[test]
fn an_import_that_brings_the_bill_closes_the_break() {
    for mut desk in Desk::everywhere(|_| {}) {
        assert_eq!(desk.hear(&pay("1", 250).invoice("HD-2")), Outcome::UnknownInvoice);
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.books.import(&[bill("HD-2", 250)]).rematched, 1);
        let closed = desk.at(no);
        assert_eq!(closed.closed_by.map(String::from).as_deref(), Some("system:rematch"));
    }
}

/// What was approved is what is carried out: not another line, another sum, or another payment.
#[test]
fn a_break_that_moved_under_an_open_proposal_is_refused() {
    for mut desk in Desk::everywhere(two_bills) {
        let file = desk.statement(&[line(1, Some("7"), "HD-1", 100), line(2, Some("7"), "HD-2", 250)]);
        let no = desk.missing(LineNo::of(file, 1), Some("7"), 100);
        let proposal = desk.propose("an", &[(no, create())]).unwrap();
        let pointed = Pointed { no, line: Some(LineNo::of(file, 2)), detail: "moved".to_owned() };
        desk.books.store.transact(&mut |tx| tx.point_breaks(std::slice::from_ref(&pointed))).unwrap();
        desk.decide(proposal, thuho::store::desk::Verb::Approve, "chi");
        assert_eq!(desk.carry_out(None).refused, 1);
        let item = desk.books.reports.items(proposal, 0, 1).unwrap().remove(0);
        assert_eq!(item.refused.as_deref(), Some("the break is about another line of the statement now"));
        // A payment that was not there when its reversal was approved, over another sum than the line's.
        let proposal = desk.propose("an", &[(no, Resolution::Reverse {})]).unwrap();
        assert_eq!(desk.hear(&pay("7", 100).invoice("HD-1")), Outcome::Accepted);
        desk.decide(proposal, thuho::store::desk::Verb::Approve, "chi");
        assert_eq!(desk.carry_out(None).refused, 1);
        let item = desk.books.reports.items(proposal, 0, 1).unwrap().remove(0);
        let why = "the payment is over 100 dong, which is not what was approved";
        assert_eq!(item.refused.as_deref(), Some(why));
        desk.books.certified();
    }
}

/// An invoice that the core lowered bears no more than what it is over now.
#[test]
fn a_lowered_bill_bears_what_it_is_over_now() {
    for mut desk in Desk::everywhere(|books| _ = books.import(&[bill("HD-1", 100)])) {
        assert_eq!(desk.hear(&pay("1", 100).invoice("HD-1")), Outcome::Accepted);
        let lowered = thuho::domain::invoice::Invoice { version: 2, ..bill("HD-1", 40) };
        desk.books.import(&[lowered]);
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(40)));
        let no = desk.one(BreakClass::AmountMismatch);
        let why = "invoice HD-1 has 40 dong open, not 60".to_owned();
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 60)])), Err(why));
        assert_eq!(desk.resolve(no, onto(&[("HD-1", 40)])), Ok(()));
        desk.books.certified();
    }
}

/// However many breaks there are about one payment, its partner never owes less than nothing for it.
#[test]
fn adjustments_are_bounded_by_the_payment_together() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 100).invoice("HD-1"));
        let less = |dong| Resolution::Adjust { because: Because::WriteOff, dong };
        desk.differs(BreakClass::FeeMismatch, (None, Some("1")), (Some(100), Some(40)));
        let no = desk.one(BreakClass::FeeMismatch);
        assert_eq!(desk.resolve(no, less(60)), Ok(()));
        desk.differs(BreakClass::AmountMismatch, (None, Some("1")), (Some(100), Some(40)));
        let no = desk.one(BreakClass::AmountMismatch);
        assert_eq!(desk.resolve(no, less(60)), Err("the partner owes 40 dong for the payment of 100".to_owned()));
        desk.books.certified();
    }
}

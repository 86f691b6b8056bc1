//! Each sentence of "Words that must mean one thing" and "Reversals" in the design. Hold I2, I3, I5 and I6.

use super::tell::*;
use jiff::civil::date;
use thuho::domain::invoice::Invoice;
use thuho::domain::notice::{NoEffect, OnMismatch};
use thuho::domain::outcome::Outcome;
use thuho::ledger::{Arrival, UnreadKind};
use thuho::store::reports::DispatchFilter;

#[test]
fn a_payment_of_the_named_invoice_settles_it_and_tells_the_core() {
    check(
        &[bill("INV-1", 100)],
        &[(pay("E1", 100).invoice("INV-1"), Outcome::Accepted)],
        "receivable:PA03HL -100; clearing:wallet 100; tell INV-1 #1; 1 receipts",
    );
}

#[test]
fn the_first_of_two_payments_settles_and_the_second_waits_in_suspense() {
    check(
        &[bill("INV-1", 100)],
        &[
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (pay("E2", 100).invoice("INV-1"), Outcome::AlreadyPaid),
        ],
        "receivable:PA03HL -100; clearing:wallet 200; suspense:wallet -100; tell INV-1 #1; DUPLICATE_PAYMENT 100; \
         2 receipts",
    );
}

#[test]
fn many_payments_of_one_invoice_in_one_batch_settle_it_once() {
    let mut story = vec![(pay("E0", 100).invoice("INV-1"), Outcome::Accepted)];
    story.extend((1..256).map(|n| (pay(&format!("E{n}"), 100).invoice("INV-1"), Outcome::AlreadyPaid)));
    let arrivals: Vec<Arrival> = story.iter().map(|(said, _)| said.arrival()).collect();
    let mut books = Books::in_memory();
    books.import(&[bill("INV-1", 100)]);
    let heard: Vec<Outcome> = books.post(&arrivals).iter().map(|p| p.answer.outcome).collect();
    assert_eq!(heard, story.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>());
    let settled = books.reports.dispatches(&DispatchFilter { limit: 10, ..DispatchFilter::default() }).unwrap();
    assert_eq!(settled.len(), 1);
}

#[test]
fn a_repeat_is_answered_from_the_present_state_and_writes_nothing() {
    check(
        &[bill("INV-1", 100)],
        &[
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (pay("E1", 100).invoice("INV-1"), Outcome::Duplicate),
            (pay("E2", 70).invoice("INV-1"), Outcome::AlreadyPaid),
            (pay("E2", 70).invoice("INV-1"), Outcome::AlreadyPaid),
            (pay("E3", 5).invoice("INV-9"), Outcome::UnknownInvoice),
            (pay("E3", 5).invoice("INV-9"), Outcome::UnknownInvoice),
        ],
        "receivable:PA03HL -100; clearing:wallet 175; suspense:wallet -75; tell INV-1 #1; DUPLICATE_PAYMENT 70; \
         UNKNOWN_REF 5; 3 receipts",
    );
}

#[test]
fn a_repeat_with_other_wrapping_is_the_same_content() {
    let again = pay("E1", 100).invoice("INV-1").with(|n| {
        n.paid_at = noon().plus_ms(5);
        n.channel = Some("QR".to_owned());
        n.fee = money(3);
    });
    check(
        &[bill("INV-1", 100)],
        &[(pay("E1", 100).invoice("INV-1"), Outcome::Accepted), (again, Outcome::Duplicate)],
        "receivable:PA03HL -100; clearing:wallet 100; tell INV-1 #1; 1 receipts",
    );
}

#[test]
fn the_same_event_with_other_content_is_a_conflict_and_the_first_value_stays() {
    check(
        &[bill("INV-1", 100)],
        &[
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (pay("E1", 101).invoice("INV-1"), Outcome::Conflict),
            (pay("E1", 100).invoice("INV-2"), Outcome::Conflict),
            (pay("E1", 100).invoice("INV-1").discount(1, None), Outcome::Conflict),
            (pay("E1", 101).invoice("INV-1"), Outcome::Conflict),
            (pay("E1", 100).invoice("INV-1"), Outcome::Duplicate),
        ],
        "receivable:PA03HL -100; clearing:wallet 100; tell INV-1 #1; CONFLICT 101; CONFLICT 100; CONFLICT 100; \
         5 receipts",
    );
}

#[test]
fn a_wrong_amount_is_kept_whole_in_suspense() {
    check(
        &[bill("INV-1", 100)],
        &[(pay("E1", 90).invoice("INV-1"), Outcome::WrongAmount), (pay("E2", 100).invoice("INV-1"), Outcome::Accepted)],
        "receivable:PA03HL -100; clearing:wallet 190; suspense:wallet -90; tell INV-1 #1; AMOUNT_MISMATCH 90; \
         2 receipts",
    );
}

#[test]
fn contradictory_references_and_no_reference_park() {
    check(
        &[bill("INV-1", 100)],
        &[
            (pay("E1", 100).invoice("INV-1").customer("PA2"), Outcome::UnknownInvoice),
            (pay("E2", 100), Outcome::UnknownInvoice),
        ],
        "clearing:wallet 200; suspense:wallet -200; CONTRADICTORY_REF 100; UNKNOWN_REF 100; 2 receipts",
    );
}

#[test]
fn by_customer_code_the_oldest_bills_are_settled_and_an_exact_later_one_with_a_warning() {
    let later = Invoice { issued_on: date(2026, 1, 2), ..bill("INV-2", 70) };
    let last = Invoice { issued_on: date(2026, 1, 3), ..bill("INV-3", 30) };
    check(
        &[bill("INV-1", 100), later, last],
        &[
            (pay("E1", 70).customer("PA1"), Outcome::Accepted),
            (pay("E2", 130).customer("PA1"), Outcome::Accepted),
            (pay("E3", 1).customer("PA1"), Outcome::AlreadyPaid),
            (pay("E4", 1).customer("PA7"), Outcome::UnknownInvoice),
        ],
        "receivable:PA03HL -200; clearing:wallet 202; suspense:wallet -2; tell INV-1 #1; tell INV-2 #1; tell INV-3 #1; \
         OUT_OF_ORDER 70; DUPLICATE_PAYMENT 1; UNKNOWN_REF 1; 4 receipts",
    );
}

#[test]
fn a_discount_is_its_sponsors_and_a_fee_comes_out_of_clearing() {
    check(
        &[bill("INV-1", 100), bill("INV-2", 50)],
        &[
            (pay("E1", 100).invoice("INV-1").discount(30, None), Outcome::Accepted),
            (
                pay("E2", 50).invoice("INV-2").discount(50, Some("utility")).with(|n| n.fee = money(2)),
                Outcome::Accepted,
            ),
        ],
        "receivable:PA03HL -150; clearing:wallet 68; promotion:utility 50; promotion:wallet 30; fee:wallet 2; \
         tell INV-1 #1; tell INV-2 #1; 2 receipts",
    );
}

#[test]
fn a_success_after_a_pending_is_accepted_and_a_failure_after_a_success_opens_a_break() {
    check(
        &[bill("INV-1", 100)],
        &[
            (not_yet("E1", NoEffect::Pending), Outcome::NotAPayment),
            (not_yet("E1", NoEffect::Failed), Outcome::NotAPayment),
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (not_yet("E1", NoEffect::Pending), Outcome::NotAPayment),
            (not_yet("E1", NoEffect::Failed), Outcome::NotAPayment),
            (not_yet("E1", NoEffect::Failed), Outcome::NotAPayment),
            (not_yet("E9", NoEffect::Probe), Outcome::NotAPayment),
        ],
        "receivable:PA03HL -100; clearing:wallet 100; tell INV-1 #1; STATUS_MISMATCH 100; 7 receipts",
    );
}

#[test]
fn a_refusal_before_the_debit_claims_nothing_and_is_decided_afresh() {
    let ask = || pay("E1", 100).invoice("INV-1").refusing();
    check(
        &[bill("INV-1", 90)],
        &[
            (ask(), Outcome::WrongAmount),
            (ask(), Outcome::WrongAmount),
            (ask().with(|n| n.amount = money(90)), Outcome::Accepted),
            (ask().with(|n| n.amount = money(90)), Outcome::Duplicate),
        ],
        "receivable:PA03HL -90; clearing:wallet 90; tell INV-1 #1; 3 receipts",
    );
}

#[test]
fn a_reversal_takes_a_settled_payment_back_and_opens_the_bill() {
    check(
        &[bill("INV-1", 100)],
        &[
            (pay("E1", 100).invoice("INV-1").with(|n| n.fee = money(1)), Outcome::Accepted),
            (undo("R1", "E1", 100), Outcome::Accepted),
            (undo("R1", "E1", 100), Outcome::Duplicate),
            (pay("E1", 100).invoice("INV-1"), Outcome::Duplicate),
            (pay("E2", 100).invoice("INV-1"), Outcome::Accepted),
        ],
        "receivable:PA03HL -100; clearing:wallet 100; tell INV-1 #1; tell INV-1 #2; tell INV-1 #3; 3 receipts",
    );
}

#[test]
fn a_reversal_takes_a_parked_payment_out_of_suspense_and_ends_its_break() {
    check(
        &[bill("INV-1", 100)],
        &[(pay("E1", 7).invoice("INV-1"), Outcome::WrongAmount), (undo("R1", "E1", 7), Outcome::Accepted)],
        "2 receipts",
    );
}

#[test]
fn a_reversal_before_its_payment_meets_it_and_nothing_is_told() {
    check(
        &[bill("INV-1", 100)],
        &[
            (undo("R1", "E1", 100), Outcome::Accepted),
            (undo("R1", "E1", 100), Outcome::Duplicate),
            (undo("R2", "E1", 100), Outcome::ReversalRefused),
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (pay("E1", 100).invoice("INV-1"), Outcome::Duplicate),
            (undo("R1", "E1", 100), Outcome::Duplicate),
        ],
        "REVERSAL_REFUSED 100; 3 receipts",
    );
}

#[test]
fn a_sender_that_asks_before_it_debits_never_reads_success_for_a_payment_that_is_undone() {
    let ask = |event: &str| pay(event, 100).invoice("INV-1").with(|n| n.on_mismatch = OnMismatch::Refuse);
    check(
        &[bill("INV-1", 100)],
        &[
            (ask("E1"), Outcome::Accepted),
            (ask("E1"), Outcome::Duplicate),
            (undo("R1", "E1", 100), Outcome::Accepted),
            (ask("E1"), Outcome::Conflict),
            (undo("R2", "E2", 100), Outcome::Accepted),
            (ask("E2"), Outcome::Conflict),
            (ask("E2"), Outcome::Conflict),
        ],
        "tell INV-1 #1; tell INV-1 #2; 4 receipts",
    );
}

#[test]
fn the_largest_amount_carries_a_fee_and_a_fee_over_the_amount_is_kept_unread() {
    let most = thuho::domain::money::AMOUNT_MAX_DONG;
    check(
        &[bill("INV-1", most)],
        &[
            (pay("E1", most).invoice("INV-1").with(|n| n.fee = money(most)), Outcome::Accepted),
            (pay("E2", 5).with(|n| n.fee = money(6)), Outcome::Malformed),
        ],
        &format!("receivable:PA03HL -{most}; fee:wallet {most}; tell INV-1 #1; UNREADABLE 0; 2 receipts"),
    );
}

#[test]
fn a_reversal_before_a_payment_of_another_amount_is_refused_when_the_payment_comes() {
    check(
        &[bill("INV-1", 100)],
        &[
            (undo("R1", "E1", 90), Outcome::Accepted),
            (pay("E1", 100).invoice("INV-1"), Outcome::WrongAmount),
            (pay("E1", 100).invoice("INV-1"), Outcome::WrongAmount),
            (undo("R1", "E1", 90), Outcome::ReversalRefused),
        ],
        "clearing:wallet 100; suspense:wallet -100; AMOUNT_MISMATCH 100; REVERSAL_REFUSED 100; 2 receipts",
    );
}

#[test]
fn a_reversal_of_another_amount_a_second_one_and_a_late_one_are_refused_once_each() {
    let mut late = undo("R3", "E2", 50).with(|n| n.paid_at = noon().plus_ms(HOUR_MS + 1));
    late.window_ms = Some(HOUR_MS);
    let mut in_time = undo("R4", "E2", 50).with(|n| n.paid_at = noon().plus_ms(HOUR_MS));
    in_time.window_ms = Some(HOUR_MS);
    check(
        &[bill("INV-1", 100), bill("INV-2", 50)],
        &[
            (pay("E1", 100).invoice("INV-1"), Outcome::Accepted),
            (undo("R1", "E1", 99), Outcome::ReversalRefused),
            (undo("R1", "E1", 99), Outcome::ReversalRefused),
            (undo("R1", "E1", 100), Outcome::Conflict),
            (undo("R2", "E1", 100), Outcome::Accepted),
            (undo("R5", "E1", 100), Outcome::ReversalRefused),
            (pay("E2", 50).invoice("INV-2"), Outcome::Accepted),
            (late, Outcome::ReversalRefused),
            (in_time, Outcome::Accepted),
        ],
        "tell INV-1 #1; tell INV-1 #2; tell INV-2 #1; tell INV-2 #2; REVERSAL_REFUSED 99; CONFLICT 100; \
         REVERSAL_REFUSED 100; REVERSAL_REFUSED 50; 8 receipts",
    );
}

#[test]
fn a_reversal_that_names_no_payment_and_money_that_cannot_be_booked_are_kept_as_unreadable() {
    check(
        &[],
        &[
            (undo("R1", "E1", 5).with(|n| n.reverses = None), Outcome::Malformed),
            (pay("E1", 0), Outcome::Malformed),
            (pay("E2", -5), Outcome::Malformed),
            (pay("E3", 5).discount(6, None), Outcome::Malformed),
        ],
        "UNREADABLE 0; UNREADABLE 0; UNREADABLE 0; UNREADABLE 0; 4 receipts",
    );
}

#[test]
fn proved_calls_that_were_not_taken_leave_a_receipt_each_and_a_break_a_body() {
    let mut books = Books::in_memory();
    let unread = |body: &str, verdict| Arrival::Unread {
        evidence: evidence(body),
        verdict,
        detail: "amount: expected whole dong".to_owned(),
    };
    let arrivals =
        [unread("a", UnreadKind::Unreadable), unread("a", UnreadKind::Unreadable), unread("b", UnreadKind::Stale)];
    let heard: Vec<_> = books.post(&arrivals).iter().map(|p| p.answer.outcome).collect();
    assert_eq!(heard, [Outcome::Malformed, Outcome::Malformed, Outcome::Stale]);
    books.post(&arrivals);
    assert_eq!(books.state(), "UNREADABLE 0; STALE 0; 6 receipts");
}

#[test]
fn an_overdue_bill_takes_the_fast_lane() {
    let overdue = Invoice { due_on: date(2026, 1, 14), ..bill("INV-1", 100) };
    let due_today = Invoice { due_on: DAY, ..bill("INV-2", 100) };
    let mut books = Books::in_memory();
    books.import(&[overdue, due_today]);
    books.post(&[pay("E1", 100).invoice("INV-1").arrival(), pay("E2", 100).invoice("INV-2").arrival()]);
    let mut told = books.reports.dispatches(&DispatchFilter { limit: 10, ..DispatchFilter::default() }).unwrap();
    told.sort_by(|a, b| a.invoice.cmp(&b.invoice));
    assert_eq!(told.iter().map(|m| m.urgent).collect::<Vec<_>>(), [true, false]);
}

//! What is left of a payment once a list is carried out is said by one break: money that waits, and what its partner's
//! statement has of a payment that people took back.

use super::closing::{DAY, NEXT, bring, close, compare, grant, notify, sealed, statement};
use super::program::{as_person, bill as bring_bill, serve};
use super::{Desk, key, line, onto, refund, wallet};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, ended, signal};
use crate::harness::{http, pays};
use crate::ledger::tell::{Books, bill, noon, pay};
use serde_json::{Value, json};
use thuho::domain::money::Money;
use thuho::domain::outcome::Outcome;
use thuho::domain::resolution::{Because, BreakState, Resolution};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::{LineNo, StatementKind};
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Wanted;
use thuho::store::statements::{NewMatch, NewReconciliation};

fn two_bills(books: &mut Books) {
    books.import(&[bill("HD-1", 100), bill("HD-2", 250)]);
}

/// 130 for a bill of 100: what is over has a break, its number.
fn overpaid(desk: &mut Desk) -> i64 {
    desk.hear(&pay("1", 130));
    let no = desk.one(BreakClass::UnknownRef);
    assert_eq!(desk.resolve(no, onto(&[("HD-1", 100)])), Ok(()));
    desk.one(BreakClass::Overpaid)
}

#[test]
fn a_rest_that_is_to_be_given_back_has_a_break_until_it_is() {
    for mut desk in Desk::everywhere(two_bills) {
        let no = overpaid(&mut desk);
        let Resolution::Allocate { invoices, .. } = onto(&[("HD-1", 100)]) else { unreachable!() };
        assert_eq!(desk.resolve(no, Resolution::Allocate { invoices, refund: 30, write_off: 0 }), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 130; refund_due:wallet -30; tell HD-1 #1; OVERPAID 30; 1 receipts"
        );
        assert_eq!(desk.at(no).state, BreakState::Closed);
        let next = desk.one(BreakClass::Overpaid);
        assert_ne!(next, no, "the money goes on, under a break of its own");
        let given = Resolution::Adjust { because: Because::Refund, dong: 30 };
        assert_eq!(desk.resolve(next, given), Ok(()));
        assert_eq!(desk.books.state(), "receivable:PA03HL -100; clearing:wallet 100; tell HD-1 #1; 1 receipts");
        desk.books.certified();
    }
}

#[test]
fn a_rest_that_nobody_moved_has_a_break_again() {
    for mut desk in Desk::everywhere(two_bills) {
        let no = overpaid(&mut desk);
        assert_eq!(desk.resolve(no, Resolution::Adjust { because: Because::Fee, dong: 5 }), Ok(()));
        assert_eq!(
            desk.books.state(),
            "receivable:PA03HL -100; clearing:wallet 125; suspense:wallet -30; fee:wallet 5; tell HD-1 #1; OVERPAID 30; \
             1 receipts"
        );
        assert_eq!(desk.at(no).state, BreakState::Closed);
        desk.books.certified();
    }
}

#[test]
fn money_that_waits_has_one_break_whatever_else_is_done_with_the_payment() {
    for mut desk in Desk::everywhere(two_bills) {
        desk.hear(&pay("1", 100));
        for class in [BreakClass::FeeMismatch, BreakClass::PromoMismatch] {
            desk.differs(class, (None, Some("1")), (Some(100), Some(100)));
            let no = desk.one(class);
            assert_eq!(desk.resolve(no, Resolution::Adjust { because: Because::Fee, dong: 10 }), Ok(()));
        }
        assert_eq!(
            desk.books.state(),
            "clearing:wallet 80; suspense:wallet -100; fee:wallet 20; UNKNOWN_REF 100; 1 receipts"
        );
        // That it was said with other contents says nothing of where its money is.
        assert_eq!(desk.hear(&pay("1", 101)), Outcome::Conflict);
        let no = desk.one(BreakClass::UnknownRef);
        assert_eq!(desk.resolve(no, refund(60)), Ok(()));
        assert_eq!(
            desk.books.state(),
            "clearing:wallet 80; suspense:wallet -40; fee:wallet 20; refund_due:wallet -60; CONFLICT 101; OVERPAID 100; \
             2 receipts"
        );
        desk.books.certified();
    }
}

/// As a comparison keeps it.
fn matched(desk: &mut Desk, event: &str, line: LineNo) {
    let event = desk.books.reports.day_events_with(&[key(event)]).unwrap().remove(0).no;
    let kept = NewReconciliation {
        kind: StatementKind::Partner,
        partner: wallet(),
        day: crate::ledger::tell::DAY,
        file: Some(line.file()),
        rules: 1,
        sums: "{}".to_owned(),
        author: super::author("an"),
        at: noon(),
    };
    desk.books
        .store
        .transact(&mut |tx| {
            let no = tx.add_reconciliation(&kept)?;
            tx.add_matches((no, StatementKind::Partner), &[NewMatch { line, event, rule: 1 }]).map(drop)
        })
        .unwrap();
}

#[test]
fn what_the_statement_has_of_a_payment_that_people_took_back_has_a_break() {
    for mut desk in Desk::everywhere(two_bills) {
        for (event, dong) in [("1", 100), ("2", 70), ("3", 50)] {
            desk.hear(&pay(event, dong));
        }
        let file = desk.statement(&[line(1, Some("1"), "HD-9", 100), line(2, Some("2"), "HD-9", 700)]);
        matched(&mut desk, "1", LineNo::of(file, 1));
        desk.differs(BreakClass::Suspect, (Some(LineNo::of(file, 2)), Some("2")), (Some(70), Some(700)));
        let breaks = desk.open();
        let of = |event: &str| {
            let about = breaks.iter().find(|b| b.class == BreakClass::UnknownRef && b.event == Some(key(event)));
            about.unwrap().no
        };
        assert_eq!(desk.resolve(of("1"), Resolution::Reverse {}), Ok(()));
        assert_eq!(desk.resolve(of("3"), Resolution::Reverse {}), Ok(()), "no line has it, and nothing is told");
        let still = desk.one(BreakClass::Reversed);
        let detail = "people took the payment back, and the statement still has 100 dong (line 2 of day.csv)";
        assert_eq!((desk.at(still).detail.as_str(), desk.at(still).event), (detail, Some(key("1"))));
        // Nothing of the payment waits: that it is so may be agreed on.
        assert_eq!(desk.resolve(still, Resolution::Close {}), Ok(()));
        // Over another amount, by the break that they saw it in.
        let no = desk.one(BreakClass::Suspect);
        assert_eq!(desk.resolve(no, Resolution::Reverse {}), Ok(()));
        assert_eq!(desk.books.state(), "UNKNOWN_REF 70; REVERSED 700; 3 receipts");
        // Booked again by another break, the statement has nothing that the books have not.
        assert_eq!(desk.resolve(of("2"), onto(&[("HD-1", 70)])), Ok(()));
        assert!(desk.open().iter().all(|b| b.class != BreakClass::Reversed), "{}", desk.books.state());
        desk.books.certified();
    }
}

/// The line of a sealed day is compared by nobody again; that of an open one is told once, by the comparison.
fn taken_back_by_hand(home: &Home) {
    let gateway = serve(home);
    for action in ["reverse", "seal"] {
        grant(home, "chi", action, 10_000_000);
    }
    for (event, amount) in [("P1", 100_000), ("P2", 200_000)] {
        let paid_at = Some(Timestamp::from_unix_ms(1_795_107_600_000 + 9 * 3_600_000));
        let wanted = Wanted { paid_at, fee: Some(Money::ZERO), ..pays(event, "HD-9", amount) };
        assert_eq!(http::call(home.public, &home.call_saying(&wanted)).json()["outcome"], "unknown_invoice");
    }
    let file = statement(&[("P1", "HD-9", 100_000, 9), ("P2", "HD-9", 200_000, 9)]);
    assert_eq!(bring(home, DAY, &file).status, 201);
    assert_eq!(compare(home, DAY).json()["matched"], 2);
    let open = || {
        let all = home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
        let one = |b: &Value| (b["class"].as_str().unwrap().to_owned(), b["amount"].as_i64().unwrap(), b["no"].clone());
        let mut all: Vec<_> = all.as_array().unwrap().iter().map(one).collect();
        all.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        all
    };
    let told = || open().into_iter().map(|(class, dong, _)| (class, dong)).collect::<Vec<_>>();
    let says = |expected: &[(&str, i64)]| {
        let expected: Vec<_> = expected.iter().map(|(class, dong)| ((*class).to_owned(), *dong)).collect();
        assert_eq!(told(), expected);
    };
    let reverse = |amount: i64| {
        let found = open().into_iter().find(|(class, dong, _)| class == "UNKNOWN_REF" && *dong == amount).unwrap();
        let items = json!([{"break": found.2, "resolution": {"action": "reverse"}}]);
        let proposed = as_person(home, "an", "POST", "/api/v1/proposals", &json!({"reason": "a test", "items": items}));
        assert_eq!(proposed.status, 201, "{}", proposed.text());
        let (proposed, word) = (proposed.json(), json!({"sha256": proposed.json()["sha256"]}));
        let path = format!("/api/v1/proposals/{}/approve", proposed["no"]);
        assert_eq!(as_person(home, "chi", "POST", &path, &word).json()["done"], 1);
    };
    reverse(100_000);
    says(&[("REVERSED", 100_000), ("UNKNOWN_REF", 200_000)]);
    let draft = close(home, "an", DAY, "draft", json!({}));
    assert_eq!(draft.status, 409, "it is compared anew first: {}", draft.text());
    for _ in 0..2 {
        assert_eq!(compare(home, DAY).status, 200);
        says(&[("STATUS_MISMATCH", 100_000), ("UNKNOWN_REF", 200_000)]);
    }
    sealed(home, DAY, &json!("with the partner"));
    reverse(200_000);
    says(&[("REVERSED", 200_000), ("STATUS_MISMATCH", 100_000)]);
    bring_bill(home, "HD-3", 300_000);
    notify(home, "P3", "HD-3", 300_000, 33);
    assert_eq!(bring(home, NEXT, &statement(&[("P3", "HD-3", 300_000, 33)])).status, 201);
    for _ in 0..2 {
        assert_eq!(compare(home, NEXT).status, 200);
        says(&[("REVERSED", 200_000), ("STATUS_MISMATCH", 100_000)]);
    }
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

#[test]
fn a_payment_taken_back_by_hand_is_told_once_where_its_statement_has_it() {
    taken_back_by_hand(&Home::new());
    if let Some(database) = Database::fresh("a payment taken back by hand") {
        taken_back_by_hand(&Home::over(database.url()));
    }
}

//! A payment that two days' statements list, or that corrected ones list no more, through the real program on both databases.

use super::closing::{DAY, NEXT, bring, compare, notify, statement};
use super::program::{bill, serve};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, ended, signal};
use serde_json::json;

/// One payment in two days' statements is one payment: its second line is a duplicate, however often it is compared.
#[test]
fn a_payment_that_two_statements_list_is_matched_once() {
    let twice = |home: &Home, then: i64| {
        let gateway = serve(home);
        bill(home, "HD-1", 100_000);
        notify(home, "P1", "HD-1", 100_000, 24);
        assert_eq!(bring(home, DAY, &statement(&[("P1", "HD-1", 100_000, 23)])).status, 201);
        assert_eq!(bring(home, NEXT, &statement(&[("P1", "HD-1", then, 24)])).status, 201);
        for _ in 0..2 {
            assert_eq!(compare(home, DAY).status, 200);
            assert_eq!(compare(home, NEXT).status, 200);
            let open = home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
            let open: Vec<_> = open.as_array().unwrap().iter().map(|b| (&b["class"], &b["leg"]["day"])).collect();
            assert_eq!(open, [(&json!("DUPLICATE_LINE"), &json!(NEXT))]);
        }
        signal(&gateway, "-TERM");
        assert_eq!(ended(gateway).0, Some(0));
    };
    // The second time over another amount too.
    for then in [100_000, 120_000] {
        twice(&Home::new(), then);
        if let Some(database) = Database::fresh("a payment that two statements list") {
            twice(&Home::over(database.url()), then);
        }
    }
}

/// A file that had a payment of the day before, one without it that nobody compares, and another one without it: the payment
/// is missing again, and not forgotten.
#[test]
fn what_a_file_matched_is_freed_by_the_second_correction_too() {
    let corrected = |home: &Home| {
        let gateway = serve(home);
        bill(home, "HD-1", 100_000);
        bill(home, "HD-2", 200_000);
        notify(home, "P1", "HD-1", 100_000, 23);
        notify(home, "P2", "HD-2", 200_000, 33);
        let both = statement(&[("P1", "HD-1", 100_000, 24), ("P2", "HD-2", 200_000, 33)]);
        assert_eq!(bring(home, NEXT, &both).status, 201);
        assert_eq!(compare(home, NEXT).status, 200);
        let missing = || {
            let path = "/api/v1/breaks?class=MISSING_IN_STATEMENT";
            let open = home.internal("GET", path, "application/json", b"").json();
            open.as_array().unwrap().iter().map(|about| about["amount"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(missing(), [0_i64; 0], "the next day's file has it");
        for hour in [33, 34] {
            assert_eq!(bring(home, NEXT, &statement(&[("P2", "HD-2", 200_000, hour)])).status, 201);
        }
        assert_eq!(compare(home, NEXT).status, 200);
        assert_eq!(missing(), [100_000]);
        signal(&gateway, "-TERM");
        assert_eq!(ended(gateway).0, Some(0));
    };
    corrected(&Home::new());
    if let Some(database) = Database::fresh("a file that is corrected twice") {
        corrected(&Home::over(database.url()));
    }
}

//! A payment that two days' statements list, or that corrected ones list no more, through the real program on both databases.

use super::closing::{DAY, NEXT, bring, compare, grant, notify, statement};
use super::program::{bill, serve};
use super::settled::{open, resolve};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, ended, signal};
use serde_json::{Value, json};

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

/// What is open: class, day, and what our books say and the statement says.
fn shown(home: &Home) -> Vec<(String, String, Option<i64>, Option<i64>)> {
    let text = |of: &Value| of.as_str().unwrap().to_owned();
    let said = |one: &Value| {
        let leg = &one["leg"];
        (text(&one["class"]), text(&leg["day"]), leg["books_dong"].as_i64(), leg["statement_dong"].as_i64())
    };
    open(home).iter().map(said).collect()
}

fn one(
    class: &str,
    day: &str,
    ours: Option<i64>,
    theirs: Option<i64>,
) -> Vec<(String, String, Option<i64>, Option<i64>)> {
    vec![(class.to_owned(), day.to_owned(), ours, theirs)]
}

fn taken(home: &Home, day: &str, lines: &[(&str, &str, i64, i64)]) {
    let answer = bring(home, day, &statement(lines));
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Compares these days, one after the other.
fn compared(home: &Home, days: &[&str]) {
    for day in days {
        let answer = compare(home, day);
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

fn on_both(what: &str, story: impl Fn(&Home)) {
    let told = |home: &Home| {
        let gateway = serve(home);
        grant(home, "chi", "close", 10_000_000);
        for (n, total) in [(1, 100_000), (2, 200_000), (5, 500_000), (6, 600_000), (7, 70_000)] {
            bill(home, &format!("HD-{n}"), total);
        }
        notify(home, "P1", "HD-1", 100_000, 9);
        notify(home, "P2", "HD-2", 200_000, 33);
        story(home);
        signal(&gateway, "-TERM");
        assert_eq!(ended(gateway).0, Some(0));
    };
    told(&Home::new());
    if let Some(database) = Database::fresh(what) {
        told(&Home::over(database.url()));
    }
}

/// A payment of one day that the next day's file has over another sum is shown there alone, whichever of the two days is
/// compared again; and when two people have settled it, nowhere.
#[test]
fn what_a_later_day_has_over_another_sum_is_shown_once() {
    on_both("a later day's other sum", |home| {
        notify(home, "P5", "HD-5", 500_000, 23);
        taken(home, DAY, &[("P1", "HD-1", 100_000, 9)]);
        compared(home, &[DAY]);
        assert_eq!(shown(home), one("MISSING_IN_STATEMENT", DAY, Some(500_000), None));
        let [own, late] = [("P2", "HD-2", 200_000, 33), ("P5", "HD-5", 550_000, 24)];
        taken(home, NEXT, &[own, late]);
        compared(home, &[NEXT]);
        let differs = one("AMOUNT_MISMATCH", NEXT, Some(500_000), Some(550_000));
        assert_eq!(shown(home), differs);
        taken(home, DAY, &[("P1", "HD-1", 100_000, 10)]);
        for day in [DAY, NEXT, DAY] {
            compared(home, &[day]);
            assert_eq!(shown(home), differs, "{day} again");
        }
        resolve(home, open(home)[0]["no"].as_i64().unwrap());
        taken(home, "2026-11-22", &[]);
        for day in [DAY, NEXT, "2026-11-22", DAY] {
            compared(home, &[day]);
            assert_eq!(shown(home), [], "{day} once it is settled");
        }
        // What was settled is not what the next day's file says by now: it has nothing of the payment any more.
        taken(home, NEXT, &[own]);
        compared(home, &[NEXT, DAY]);
        assert_eq!(shown(home), one("MISSING_IN_STATEMENT", DAY, Some(500_000), None));
    });
}

/// The later day's difference is over, because its corrected file has nothing of the payment: the payment is missing, once.
#[test]
fn what_a_later_day_had_and_has_no_more_is_missing_once() {
    on_both("a later day without it", |home| {
        notify(home, "P5", "HD-5", 500_000, 23);
        taken(home, DAY, &[("P1", "HD-1", 100_000, 9)]);
        taken(home, NEXT, &[("P2", "HD-2", 200_000, 33), ("P5", "HD-5", 550_000, 24)]);
        compared(home, &[DAY, NEXT]);
        taken(home, NEXT, &[("P2", "HD-2", 200_000, 34)]);
        for day in [DAY, NEXT, DAY, NEXT, DAY] {
            compared(home, &[day]);
            assert_eq!(shown(home).len(), 1, "{day}");
        }
        assert_eq!(shown(home), one("MISSING_IN_STATEMENT", NEXT, Some(500_000), None));
    });
}

/// A line that waited, and a payment of the next day over another sum: that is the next day's difference, and not the line's
/// own day's as well.
#[test]
fn a_line_that_waited_for_another_sum_is_shown_once() {
    on_both("a line that waited for another sum", |home| {
        taken(home, DAY, &[("P1", "HD-1", 100_000, 9), ("P7", "HD-7", 75_000, 23)]);
        taken(home, NEXT, &[("P2", "HD-2", 200_000, 33)]);
        compared(home, &[DAY]);
        assert_eq!(shown(home), one("MISSING_WEBHOOK", DAY, None, Some(75_000)));
        notify(home, "P7", "HD-7", 70_000, 34);
        for day in [NEXT, DAY, NEXT, DAY] {
            compared(home, &[day]);
            assert_eq!(shown(home), one("AMOUNT_MISMATCH", NEXT, Some(70_000), Some(75_000)), "{day}");
        }
        resolve(home, open(home)[0]["no"].as_i64().unwrap());
        for day in [DAY, NEXT] {
            compared(home, &[day]);
            assert_eq!(shown(home), [], "{day} once it is settled");
        }
    });
}

/// A payment of the next day that only an earlier file had is missing once, whichever day is compared first; and when two
/// people have settled it, not at all.
#[test]
fn a_payment_that_an_earlier_file_freed_is_missing_once() {
    for first in [DAY, NEXT] {
        on_both("a payment that was freed", |home| {
            let second = if first == DAY { NEXT } else { DAY };
            notify(home, "P6", "HD-6", 600_000, 24);
            taken(home, DAY, &[("P1", "HD-1", 100_000, 9), ("P6", "HD-6", 600_000, 23)]);
            taken(home, NEXT, &[("P2", "HD-2", 200_000, 33)]);
            compared(home, &[DAY, NEXT]);
            assert_eq!(shown(home), []);
            taken(home, DAY, &[("P1", "HD-1", 100_000, 10)]);
            let class = if first == DAY { "MISSING_IN_STATEMENT" } else { "CUTOFF_TIMING" };
            for day in [first, second, first, second] {
                compared(home, &[day]);
                assert_eq!(shown(home), one(class, first, Some(600_000), None), "{day} after {first}");
            }
            resolve(home, open(home)[0]["no"].as_i64().unwrap());
            for day in [second, first] {
                compared(home, &[day]);
                assert_eq!(shown(home), [], "{day} once it is settled");
            }
        });
    }
}

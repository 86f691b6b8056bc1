//! Signing days and months off through the real program, on both databases.

use super::program::{as_person, bill, serve, with_people};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, code, ended, signal};
use crate::harness::{http, pays};
use serde_json::{Value, json};
use thuho::domain::money::Money;
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Wanted;

pub(super) const DAY: &str = "2026-11-20";
pub(super) const NEXT: &str = "2026-11-21";

/// 2026-11-20 at 00:00 in the business zone.
const MIDNIGHT_MS: i64 = 1_795_107_600_000;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn notify(home: &Home, event: &str, invoice: &str, amount: i64, hour: i64) {
    let paid_at = Some(Timestamp::from_unix_ms(MIDNIGHT_MS + hour * HOUR_MS));
    let wanted = Wanted { paid_at, fee: Some(Money::ZERO), ..pays(event, invoice, amount) };
    let answer = http::call(home.public, &home.call_saying(&wanted));
    assert_eq!(answer.json()["outcome"], "accepted", "{}", answer.text());
}

pub(super) fn statement(lines: &[(&str, &str, i64, i64)]) -> String {
    let mut text = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses\n".to_owned();
    for (event, invoice, amount, hour) in lines {
        let at = Timestamp::from_unix_ms(MIDNIGHT_MS + hour * HOUR_MS);
        text += &format!("{event},payment.succeeded,{invoice},,,{amount},0,0,{at},\n");
    }
    let total: i64 = lines.iter().map(|(_, _, amount, _)| amount).sum();
    text + &format!("TOTAL,count,{},,,{total},,,,\n", lines.len())
}

pub(super) fn bring(home: &Home, day: &str, file: &str) -> http::Answer {
    let path = format!("/api/v1/statements?partner=standard&date={day}&name=day.csv");
    home.internal("POST", &path, "text/csv", file.as_bytes())
}

pub(super) fn compare(home: &Home, day: &str) -> http::Answer {
    home.internal("POST", &format!("/api/v1/reconciliations/standard/{day}"), "application/json", b"")
}

pub(super) fn close(home: &Home, who: &str, period: &str, verb: &str, body: Value) -> http::Answer {
    as_person(home, who, "POST", &format!("/api/v1/closes/standard/{period}/{verb}"), &body)
}

pub(super) fn grant(home: &Home, person: &str, action: &str, dong: i64) {
    let body = json!({"person": person, "action": action, "dong": dong}).to_string();
    assert_eq!(home.internal("POST", "/api/v1/authorities", "application/json", body.as_bytes()).status, 204);
}

fn refused(answer: &http::Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(words), "{}", answer.text());
}

/// Drawn up by one, signed by the other.
pub(super) fn sealed(home: &Home, period: &str, accept: &Value) -> Value {
    let draft = close(home, "an", period, "draft", json!({ "accept": accept }));
    assert_eq!(draft.status, 200, "{}", draft.text());
    let signed = close(home, "chi", period, "sign", json!({ "sha256": draft.json()["sha256"] }));
    assert_eq!((signed.status, &signed.json()["state"]), (200, &json!("sealed")), "{}", signed.text());
    signed.json()
}

fn days_are_signed_off(home: &Home) {
    let gateway = serve(home);
    for (id, total) in [("HD-1", 100_000), ("HD-2", 200_000), ("HD-3", 300_000), ("HD-9", 90_000)] {
        bill(home, id, total);
    }
    notify(home, "P1", "HD-1", 100_000, 9);
    notify(home, "P2", "HD-2", 200_000, 10);
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "no statement of the day was taken");
    let file = statement(&[("P1", "HD-1", 100_000, 9), ("P2", "HD-2", 250_000, 10)]);
    assert_eq!(bring(home, DAY, &file).status, 201);
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "not compared since it was taken");
    assert_eq!(compare(home, DAY).status, 200);
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "1 breaks are open, over");
    let draft = close(home, "an", DAY, "draft", json!({"accept": "the partner looks into it"}));
    assert_eq!(draft.status, 200, "{}", draft.text());
    let word = json!({ "sha256": draft.json()["sha256"] });
    refused(&close(home, "an", DAY, "sign", word.clone()), 409, "does not sign");
    refused(&close(home, "chi", DAY, "sign", word.clone()), 403, "beyond what you may sign");
    grant(home, "chi", "seal", 10_000_000);
    // Compared again, the draft is of a comparison that is not the last one.
    assert_eq!(compare(home, DAY).status, 200);
    refused(&close(home, "chi", DAY, "sign", word.clone()), 409, "draw it up again");
    let first = sealed(home, DAY, &json!(null));
    refused(&close(home, "chi", DAY, "sign", word), 404, "no draft");
    assert_eq!(first["figures"]["open"]["classes"][0]["class"], "AMOUNT_MISMATCH", "what is open goes on");
    assert_eq!(first["figures"]["accounted"], json!([{"business_day": DAY, "count": 2, "dong": 300_000}]));

    // Nothing of a sealed day is taken or compared again.
    refused(&bring(home, DAY, &file.replace("250000", "200000").replace("350000", "300000")), 409, "sealed");
    refused(&compare(home, DAY), 409, "sealed");
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "sealed");
    refused(&close(home, "an", "2026-11-22", "draft", json!({})), 409, "one after the other: 2026-11-21 is next");

    // What comes late for it is the next day's to take into account.
    notify(home, "P9", "HD-9", 90_000, 11);
    notify(home, "P3", "HD-3", 300_000, 33);
    assert_eq!(bring(home, NEXT, &statement(&[("P3", "HD-3", 300_000, 33)])).status, 201);
    assert_eq!(compare(home, NEXT).status, 200);
    // Nobody compares the sealed day again: what came late for it is compared with the next one.
    let open = home.internal("GET", "/api/v1/breaks?class=MISSING_IN_STATEMENT", "application/json", b"").json();
    assert_eq!(open.as_array().unwrap().len(), 1, "{open:#}");
    assert_eq!((&open[0]["amount"], &open[0]["leg"]["day"]), (&json!(90_000), &json!(NEXT)));
    let next = sealed(home, NEXT, &json!("still with the partner"));
    let accounted = json!([
        {"business_day": DAY, "count": 1, "dong": 90_000},
        {"business_day": NEXT, "count": 1, "dong": 300_000},
    ]);
    assert_eq!(next["figures"]["accounted"], accounted);
    assert_eq!(next["previous"], first["sha256"]);
    let again = as_person(home, "an", "GET", &format!("/api/v1/closes/standard/{DAY}"), &Value::Null).json();
    assert_eq!(again["figures"], first["figures"], "sealed figures never move");

    refused(&close(home, "an", "2026-11", "draft", json!({})), 409, "not sealed yet: 2026-11-22");
    refused(&close(home, "chi", DAY, "reopen", json!({"reason": "x"})), 403, "privilege");
    grant(home, "chi", "reopen", 0);
    refused(&close(home, "chi", DAY, "reopen", json!({"reason": " "})), 400, "reason: expected");
    refused(&close(home, "chi", DAY, "reopen", json!({"reason": "x"})), 409, "a later day");
    assert_eq!(close(home, "chi", NEXT, "reopen", json!({"reason": "a corrected file"})).status, 204);
    assert_eq!(compare(home, NEXT).status, 200);
    let anew = sealed(home, NEXT, &json!(null));
    assert_eq!(anew["figures"]["accounted"], accounted, "closed again, it accounts for the same");

    // A draft stands on the close of the day before, and falls with it.
    assert_eq!(close(home, "chi", NEXT, "reopen", json!({"reason": "again"})).status, 204);
    assert_eq!(compare(home, NEXT).status, 200);
    let draft = close(home, "an", NEXT, "draft", json!({}));
    assert_eq!(draft.status, 200, "{}", draft.text());
    assert_eq!(close(home, "chi", DAY, "reopen", json!({"reason": "a corrected file"})).status, 204);
    let word = json!({ "sha256": draft.json()["sha256"] });
    refused(&close(home, "chi", NEXT, "sign", word), 409, "draw it up again");
    // Opened again, the day has all of its payments, and the next one none of them.
    assert_eq!(compare(home, DAY).status, 200);
    let whole = sealed(home, DAY, &json!("with the partner"));
    assert_eq!(whole["figures"]["accounted"], json!([{"business_day": DAY, "count": 3, "dong": 390_000}]));
    assert_eq!(compare(home, NEXT).status, 200);
    let own = sealed(home, NEXT, &json!("with the partner"));
    assert_eq!(own["figures"]["accounted"], json!([{"business_day": NEXT, "count": 1, "dong": 300_000}]));
    grant(home, "chi", "reopen", -1);
    refused(&close(home, "chi", NEXT, "reopen", json!({"reason": "x"})), 403, "privilege");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    let (exit, text) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && text.contains("audit: passed"), "{text}");
}

/// Of two days that are drawn up before any is sealed, the later one is signed first: the earlier one is nobody's any more.
fn a_day_is_not_sealed_before_a_sealed_one(home: &Home) {
    let gateway = serve(home);
    grant(home, "chi", "seal", 0);
    let draft = |day: &str| {
        let draft = close(home, "an", day, "draft", json!({}));
        assert_eq!(draft.status, 200, "{}", draft.text());
        json!({ "sha256": draft.json()["sha256"] })
    };
    let (first, second) = (draft(DAY), draft(NEXT));
    assert_eq!(close(home, "chi", NEXT, "sign", second).status, 200);
    refused(&close(home, "chi", DAY, "sign", first), 409, "draw it up again");
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "before the first close, of 2026-11-21");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// A partner whose first close is on one of the last days of a month: it takes in what was paid before, and the month begins
/// there.
fn a_first_month_is_signed_off(home: &Home) {
    // Days from the one whose midnight is counted from.
    let (before, first_day, last_day) = (-23, -22, -20);
    let gateway = serve(home);
    grant(home, "chi", "seal", 10_000_000);
    for n in 1..=4 {
        bill(home, &format!("HD-{n}"), n * 100_000);
    }
    let draft = |period: &str| close(home, "an", period, "draft", json!({}));
    refused(&draft("2026-10"), 409, "not sealed yet: 2026-10-01");
    notify(home, "P1", "HD-1", 100_000, first_day * 24 + 9);
    notify(home, "P2", "HD-2", 200_000, last_day * 24 + 9);
    notify(home, "P3", "HD-3", 300_000, before * 24 + 9);
    let stated = |day: &str, lines: &[(&str, &str, i64, i64)]| {
        assert_eq!(bring(home, day, &statement(lines)).status, 201);
        assert_eq!(compare(home, day).status, 200);
    };
    stated("2026-10-29", &[("P1", "HD-1", 100_000, first_day * 24 + 9)]);
    refused(&draft("2026-10-29"), 409, "payments of earlier days are in no close: 1 over 300000 dong");
    let first = sealed(home, "2026-10-29", &json!("closes begin with the new contract"));
    let accounted = json!([
        {"business_day": "2026-10-28", "count": 1, "dong": 300_000},
        {"business_day": "2026-10-29", "count": 1, "dong": 100_000},
    ]);
    assert_eq!(first["figures"]["accounted"], accounted);
    let earlier = json!({"count": 1, "dong": 300_000, "why": "closes begin with the new contract"});
    assert_eq!(first["figures"]["earlier"], earlier);
    refused(&draft("2026-10"), 409, "not sealed yet: 2026-10-30");
    for before in ["2026-10-28", "2026-09"] {
        refused(&draft(before), 409, "it lies before the first close, of 2026-10-29");
    }
    refused(&bring(home, "2026-10-28", &statement(&[])), 409, "before the first close");
    let minutes = |from: &str, to: &str| {
        home.internal("GET", &format!("/api/v1/minutes/standard?from={from}&to={to}"), "application/json", b"").text()
    };
    let signature = |of: &Value| of["sha256"].as_str().unwrap().to_owned();
    for from in ["2026-09-01", "2026-10-29"] {
        assert!(minutes(from, "2026-10-29").contains(&signature(&first)), "{from}");
    }
    // What comes for a day before the first close is in the next one.
    notify(home, "P4", "HD-4", 400_000, before * 24 + 10);
    assert!(!minutes("2026-10-01", "2026-10-29").contains(&signature(&first)), "P4 is in no close yet");
    refused(&draft("2026-10-30"), 409, "no statement of the day was taken");
    stated("2026-10-30", &[]);
    let next = sealed(home, "2026-10-30", &json!("with the partner"));
    let accounted = json!([
        {"business_day": "2026-10-28", "count": 1, "dong": 400_000},
        {"business_day": "2026-10-30", "count": 0, "dong": 0},
    ]);
    assert_eq!(next["figures"]["accounted"], accounted);
    // P3, which the first close took in and nothing compared, is not missing on account of it.
    let classes = json!([{"class": "MISSING_IN_STATEMENT", "count": 1, "dong": 400_000}]);
    assert_eq!(next["figures"]["open"]["classes"], classes);
    assert!(minutes("2026-10-01", "2026-10-29").contains(&signature(&next)), "it was the next close that took it in");
    stated("2026-10-31", &[("P2", "HD-2", 200_000, last_day * 24 + 9)]);
    let last = sealed(home, "2026-10-31", &json!(null));
    let month = sealed(home, "2026-10", &json!(null));
    let hashes: Vec<&Value> = month["figures"]["days"].as_array().unwrap().iter().map(|day| &day["sha256"]).collect();
    assert_eq!(hashes, [&first["sha256"], &next["sha256"], &last["sha256"]]);
    assert_eq!(month["figures"]["accounted"], json!({"count": 4, "dong": 1_000_000}), "all that was paid");
    refused(&draft("2026-10"), 409, "sealed");
    grant(home, "chi", "reopen", 0);
    refused(&close(home, "chi", "2026-10-31", "reopen", json!({"reason": "x"})), 409, "the month");
    assert!(minutes("2026-10-01", "2026-10-31").contains(&signature(&last)), "the last day's signature");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    let (exit, text) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && text.contains("audit: passed"), "{text}");
}

#[test]
fn a_first_month_is_signed_off_on_both() {
    a_first_month_is_signed_off(&Home::new());
    if let Some(database) = Database::fresh("a partner's first month") {
        a_first_month_is_signed_off(&Home::over(database.url()));
    }
}

/// At three of the next business day, which is still of the partner's day before: what comes when that one is drawn up, or
/// closed, is compared with the next day, or nowhere.
fn what_comes_late_for_the_night(home: &Home) {
    grant(home, "chi", "seal", 0);
    bill(home, "HD-4", 400_000);
    bill(home, "HD-6", 600_000);
    bill(home, "HD-8", 800_000);
    // Of the night too, and in the day's own statement: the next day has nothing to say of it.
    notify(home, "P8", "HD-8", 800_000, 26);
    let whole = statement(&[("P1", "HD-1", 100_000, 9), ("P2", "HD-2", 200_000, 10), ("P8", "HD-8", 800_000, 26)]);
    assert_eq!(bring(home, DAY, &whole).status, 201);
    assert_eq!(compare(home, DAY).status, 200);
    let missing = || {
        let open = home.internal("GET", "/api/v1/breaks?class=MISSING_IN_STATEMENT", "application/json", b"").json();
        open.as_array().unwrap().iter().map(|about| about["amount"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let draft = close(home, "an", DAY, "draft", json!({}));
    assert_eq!(draft.status, 200, "{}", draft.text());
    notify(home, "P4", "HD-4", 400_000, 27);
    assert_eq!(bring(home, NEXT, &statement(&[("P3", "HD-3", 300_000, 30)])).status, 201);
    assert_eq!(compare(home, NEXT).status, 200);
    assert_eq!(missing(), [0_i64; 0], "the day before is not closed yet: it is that one's");
    let signed = close(home, "chi", DAY, "sign", json!({ "sha256": draft.json()["sha256"] }));
    assert_eq!(signed.status, 200, "{}", signed.text());
    refused(&close(home, "an", NEXT, "draft", json!({})), 409, "compare it again");
    assert_eq!(compare(home, NEXT).status, 200);
    assert_eq!(missing(), [400_000]);
    notify(home, "P6", "HD-6", 600_000, 28);
    refused(&close(home, "an", NEXT, "draft", json!({})), 409, "compare it again");
    for _ in 0..2 {
        assert_eq!(compare(home, NEXT).status, 200);
        assert_eq!(missing(), [600_000, 400_000]);
    }
}

/// What two people have settled of a closed day is not opened again because something else comes late for that day; nor is a
/// payment that was made from the closed day's own statement missing in it.
#[test]
fn a_late_payment_opens_nothing_that_is_settled() {
    late_beside_settled(&Home::new());
    if let Some(database) = Database::fresh("a late payment beside what is settled") {
        late_beside_settled(&Home::over(database.url()));
    }
}

fn late_beside_settled(home: &Home) {
    let gateway = serve(home);
    for (n, total) in [(1, 100_000), (2, 200_000), (3, 300_000), (5, 500_000), (7, 70_000), (9, 90_000)] {
        bill(home, &format!("HD-{n}"), total);
    }
    for action in ["close", "create", "seal"] {
        grant(home, "chi", action, 10_000_000);
    }
    let open = |class: &str, amount: i64| {
        let all = home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
        let is = |about: &&Value| about["class"] == class && about["amount"] == amount;
        all.as_array().unwrap().iter().find(is).unwrap_or_else(|| panic!("{all:#}"))["no"].as_i64().unwrap()
    };
    let resolve = |no: i64, what: Value| {
        let wish = json!({"reason": "the partner's letter", "items": [{"break": no, "resolution": what}]});
        let proposed = as_person(home, "an", "POST", "/api/v1/proposals", &wish);
        assert_eq!(proposed.status, 201, "{}", proposed.text());
        let (proposed, word) = (proposed.json(), json!({"sha256": proposed.json()["sha256"]}));
        let path = format!("/api/v1/proposals/{}/approve", proposed["no"]);
        let approved = as_person(home, "chi", "POST", &path, &word);
        assert_eq!(approved.json()["done"], 1, "{}", approved.text());
    };
    notify(home, "P1", "HD-1", 100_000, 9);
    notify(home, "P2", "HD-2", 200_000, 10);
    let file = statement(&[
        ("P1", "HD-1", 100_000, 9),
        ("P2", "HD-2", 250_000, 10),
        ("P5", "HD-5", 500_000, 12),
        ("P7", "HD-7", 70_000, 13),
    ]);
    assert_eq!(bring(home, DAY, &file).status, 201);
    assert_eq!(compare(home, DAY).status, 200);
    resolve(open("AMOUNT_MISMATCH", 250_000), json!({"action": "close"}));
    resolve(open("MISSING_WEBHOOK", 70_000), json!({"action": "close"}));
    sealed(home, DAY, &json!("a notice may still come"));
    resolve(open("MISSING_WEBHOOK", 500_000), json!({"action": "create"}));
    // That there is nothing of it in our books was settled, and is true no more.
    notify(home, "P7", "HD-7", 70_000, 13);
    notify(home, "P9", "HD-9", 90_000, 11);
    notify(home, "P3", "HD-3", 300_000, 33);
    assert_eq!(bring(home, NEXT, &statement(&[("P3", "HD-3", 300_000, 33)])).status, 201);
    assert_eq!(compare(home, NEXT).status, 200);
    let all = home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
    let mut all: Vec<(&str, i64)> =
        all.as_array().unwrap().iter().map(|b| (b["class"].as_str().unwrap(), b["amount"].as_i64().unwrap())).collect();
    all.sort_unstable();
    assert_eq!(all, [("MISSING_IN_STATEMENT", 70_000), ("MISSING_IN_STATEMENT", 90_000)]);
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

#[test]
fn days_are_signed_off_on_a_file() {
    let home = Home::new();
    days_are_signed_off(&home);
    // One changed byte of what was signed, past the database's own rules.
    let books = rusqlite::Connection::open(&home.books).unwrap();
    books
        .execute_batch(
            "DROP TRIGGER closes_same; UPDATE closes SET figures = replace(figures, '300000', '300001') WHERE no = 2",
        )
        .unwrap();
    drop(books);
    let (exit, text) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(1) && text.contains("the close of standard 2026-11-20 is not what its hash says"), "{text}");
}

#[test]
fn days_are_signed_off_on_a_server() {
    let Some(database) = Database::fresh("days that are signed off") else { return };
    days_are_signed_off(&Home::over(database.url()));
}

#[test]
fn a_day_is_not_sealed_before_a_sealed_one_on_both() {
    a_day_is_not_sealed_before_a_sealed_one(&Home::new());
    if let Some(database) = Database::fresh("a day before a sealed one") {
        a_day_is_not_sealed_before_a_sealed_one(&Home::over(database.url()));
    }
}

#[test]
fn a_payment_of_the_day_that_came_after_the_comparison_stops_the_close_whatever_hour_the_day_ends_at() {
    for (ends, of_the_next) in [("23:00", 23), ("06:00", 30)] {
        a_day_that_ends_at(&Home::new(), ends, of_the_next);
        if let Some(database) = Database::fresh("a day that ends at another hour") {
            a_day_that_ends_at(&Home::over(database.url()), ends, of_the_next);
        }
    }
}

/// An hour of the next day is `of_the_next`.
fn a_day_that_ends_at(home: &Home, ends: &str, of_the_next: i64) {
    ends_at(home, ends);
    let gateway = home.serve();
    bill(home, "HD-1", 100_000);
    bill(home, "HD-2", 200_000);
    notify(home, "P1", "HD-1", 100_000, 9);
    assert_eq!(bring(home, DAY, &statement(&[("P1", "HD-1", 100_000, 9)])).status, 201);
    assert_eq!(compare(home, DAY).status, 200);
    assert_eq!(close(home, "an", DAY, "draft", json!({})).status, 200);
    bill(home, "HD-3", 300_000);
    notify(home, "P3", "HD-3", 300_000, of_the_next);
    assert_eq!(close(home, "an", DAY, "draft", json!({})).status, 200, "it is not of the day");
    notify(home, "P2", "HD-2", 200_000, 10);
    refused(&close(home, "an", DAY, "draft", json!({})), 409, "compare it again");
    assert_eq!(compare(home, DAY).status, 200);
    let draft = close(home, "an", DAY, "draft", json!({}));
    assert_eq!(draft.json()["figures"]["legs"]["partner"]["sums"]["held"]["count"], 2, "{}", draft.text());
    if of_the_next > 24 {
        what_comes_late_for_the_night(home);
    }
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// The partner's day ends at this hour.
fn ends_at(home: &Home, ends: &str) {
    with_people(home);
    let profile = home.path("partners").join("standard.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    let changed = text.replacen("[statement]\n", &format!("[statement]\nday_ends = \"{ends}\"\n"), 1);
    assert_ne!(text, changed);
    std::fs::write(&profile, changed).unwrap();
}

/// What was paid at three of the partner's first day is in the statement of the day before: the first close takes it in, and
/// says so.
#[test]
fn a_first_close_takes_in_the_night_before_it() {
    let night = |home: &Home| {
        ends_at(home, "06:00");
        let gateway = home.serve();
        grant(home, "chi", "seal", 0);
        bill(home, "HD-1", 100_000);
        notify(home, "P1", "HD-1", 100_000, 3);
        let draft = |body| close(home, "an", DAY, "draft", body);
        refused(
            &draft(json!({})),
            409,
            "in no close: 1 over 100000 dong; this first close takes them in, and 0 breaks",
        );
        let first = sealed(home, DAY, &json!("we begin here"));
        assert_eq!(first["figures"]["accounted"], json!([{"business_day": DAY, "count": 1, "dong": 100_000}]));
        assert_eq!(first["figures"]["earlier"]["count"], 1);
        signal(&gateway, "-TERM");
        assert_eq!(ended(gateway).0, Some(0));
    };
    night(&Home::new());
    if let Some(database) = Database::fresh("the night before a first close") {
        night(&Home::over(database.url()));
    }
}

//! A partner's day through the real program, on both databases: notices come, the statement is taken, the day is
//! compared, what differs waits for a person, and what only crossed midnight closes by itself.

use crate::harness::postgres::Database;
use crate::harness::program::{Home, code, ended, signal};
use crate::harness::{http, pays};
use serde_json::Value;
use std::collections::BTreeMap;
use thuho::domain::ids::Movement;
use thuho::domain::money::Money;
use thuho::domain::notice::Effect;
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Wanted;

const DAY: &str = "2026-11-20";
const NEXT: &str = "2026-11-21";

/// 2026-11-20 at 00:00 in the business zone.
const MIDNIGHT_MS: i64 = 1_795_107_600_000;

const HEADER: &str = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses";

fn at(hour: i64, minute: i64, second: i64) -> i64 {
    MIDNIGHT_MS + ((hour * 60 + minute) * 60 + second) * 1_000
}

fn bills(home: &Home, totals: &[(&str, i64)]) {
    let row = |(id, total): &(&str, i64)| {
        format!(
            "{{\"invoice_id\":\"{id}\",\"customer_code\":\"PA03HL0000001\",\"payer_code\":\"PA03HL0000001\",\"unit\":\
             \"PA03HL\",\"area\":\"urban\",\"period\":\"2026-10-1\",\"kind\":\"TD\",\"net\":{total},\"vat\":0,\
             \"total\":{total},\"issued_on\":\"2026-11-01\",\"due_on\":\"2026-12-31\",\"status\":\"open\"}}"
        )
    };
    let lines: Vec<String> = totals.iter().map(row).collect();
    let answer = home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", lines.join("\n").as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn notify(home: &Home, event: &str, invoice: &str, amount: i64, paid_at_ms: i64) {
    let paid_at = Some(Timestamp::from_unix_ms(paid_at_ms));
    let wanted = Wanted { paid_at, fee: Some(Money::ZERO), ..pays(event, invoice, amount) };
    let answer = http::call(home.public, &home.call_saying(&wanted));
    assert_eq!(answer.json()["outcome"], "accepted", "{}", answer.text());
}

fn line(event: &str, invoice: &str, amount: i64, paid_at_ms: i64) -> String {
    format!("{event},payment.succeeded,{invoice},,,{amount},0,0,{},", Timestamp::from_unix_ms(paid_at_ms))
}

/// A whole file, with a last row that adds it up.
fn statement(lines: &[String], total: i64) -> String {
    format!("{HEADER}\n{}\nTOTAL,count,{},,,{total},,,,\n", lines.join("\n"), lines.len())
}

fn bring(home: &Home, day: &str, file: &str) -> http::Answer {
    let path = format!("/api/v1/statements?partner=standard&date={day}&name=day.csv");
    home.internal("POST", &path, "text/csv", file.as_bytes())
}

fn compare(home: &Home, day: &str) -> Value {
    let answer = home.internal("POST", &format!("/api/v1/reconciliations/standard/{day}"), "application/json", b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Differences by class.
fn classes(done: &Value) -> BTreeMap<String, usize> {
    let mut classes = BTreeMap::new();
    for difference in done["differences"].as_array().unwrap() {
        *classes.entry(difference["class"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    classes
}

/// Open breaks by class.
fn open(home: &Home) -> BTreeMap<String, usize> {
    let answer = home.internal("GET", "/api/v1/breaks?limit=100", "application/json", b"").json();
    let mut classes = BTreeMap::new();
    for one in answer.as_array().unwrap() {
        *classes.entry(one["class"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    classes
}

fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect()
}

fn said(done: &Value) -> [u64; 4] {
    ["matched", "new_matches", "breaks_opened", "breaks_closed"].map(|what| done[what].as_u64().unwrap())
}

fn a_day(home: &Home) {
    let gateway = home.serve();
    bills(home, &[("HD-1", 100_000), ("HD-2", 200_000), ("HD-3", 300_000), ("HD-5", 500_000)]);
    notify(home, "P1", "HD-1", 100_000, at(9, 0, 0));
    notify(home, "P2", "HD-2", 200_000, at(10, 0, 0));
    notify(home, "P3", "HD-3", 300_000, at(11, 0, 0));
    notify(home, "P5", "HD-5", 500_000, at(23, 59, 50));
    let [first, other] = [line("P1", "HD-1", 100_000, at(9, 0, 1)), line("P4", "HD-4", 400_000, at(12, 0, 0))];
    let wrong = statement(&[first.clone(), line("P2", "HD-2", 250_000, at(10, 0, 0)), other.clone()], 750_000);

    let nothing = home.internal("POST", &format!("/api/v1/reconciliations/standard/{DAY}"), "application/json", b"");
    assert_eq!(nothing.status, 404, "{}", nothing.text());
    let short = bring(home, DAY, &wrong.replace("750000,,,,\n", "750001,,,,\n"));
    assert_eq!(short.status, 422, "{}", short.text());
    assert!(short.text().contains("row 5") && short.text().contains("750000"), "{}", short.text());
    assert_eq!(home.internal("GET", "/api/v1/statements", "application/json", b"").json(), serde_json::json!([]));

    let taken = bring(home, DAY, &wrong);
    assert_eq!(taken.status, 201, "{}", taken.text());
    let again = bring(home, DAY, &wrong);
    assert_eq!((again.status, &again.json()["new"]), (200, &Value::Bool(false)));
    let done = compare(home, DAY);
    let expected =
        counts(&[("AMOUNT_MISMATCH", 1), ("MISSING_WEBHOOK", 1), ("MISSING_IN_STATEMENT", 1), ("CUTOFF_TIMING", 1)]);
    assert_eq!((classes(&done), open(home)), (expected.clone(), expected.clone()), "{done:#}");
    assert_eq!(said(&done), [1, 1, 4, 0]);
    assert_eq!(done["sums"]["statement"]["total"]["dong"], 750_000);
    assert_eq!(done["sums"]["books"]["total"]["dong"], 1_100_000);
    assert_eq!(done["sums"]["differences"]["dong"], -350_000);
    let again = compare(home, DAY);
    assert_eq!((said(&again), classes(&again)), ([1, 0, 0, 0], expected), "compared again, nothing is new");

    // What only crossed midnight closes by itself.
    assert_eq!(bring(home, NEXT, &statement(&[line("P5", "HD-5", 500_000, at(24, 0, 10))], 500_000)).status, 201);
    let next = compare(home, NEXT);
    let waiting = counts(&[("MISSING_WEBHOOK", 1), ("MISSING_IN_STATEMENT", 1)]);
    assert_eq!((said(&next), classes(&next)), ([1, 1, 0, 1], waiting), "{next:#}");
    assert_eq!(next["sums"]["statement"]["matched_to_carried_in"]["dong"], 500_000);
    let again = compare(home, DAY);
    assert_eq!(said(&again), [1, 0, 0, 0], "what the next day settled is not opened again: {again:#}");

    // The corrected file.
    let right = statement(&[first, line("P2", "HD-2", 200_000, at(10, 0, 0)), other], 700_000);
    let taken = bring(home, DAY, &right);
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert!(taken.json()["supersedes"].is_u64(), "{}", taken.text());
    assert_eq!(bring(home, DAY, &wrong).status, 409);
    assert_eq!(said(&compare(home, DAY)), [2, 2, 0, 1]);
    assert_eq!(open(home), counts(&[("MISSING_WEBHOOK", 1), ("MISSING_IN_STATEMENT", 1)]));
    let kept = home.internal("GET", &format!("/api/v1/reconciliations/standard/{DAY}"), "application/json", b"");
    assert_eq!(kept.json()["sums"]["statement"]["matched_today"]["count"], 2);

    let page = home.internal("GET", "/api/v1/minutes/standard?from=2026-11-20&to=2026-11-21", "text/html", b"");
    assert_eq!(page.status, 200, "{}", page.text());
    assert_minutes(&page.text());
    let wrong = home.internal("GET", "/api/v1/minutes/standard?from=2026-11-21&to=2026-11-20", "text/html", b"");
    assert_eq!(wrong.status, 400, "{}", wrong.text());

    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    by_hand(home, &right);
}

/// Four payments of 1,100,000 dong, of which one came over midnight; two days compared, two breaks open and two closed.
#[track_caller]
fn assert_minutes(page: &str) {
    for said in [
        "<td>từ ngày 20/11/2026 đến ngày 21/11/2026</td>",
        "<td class=\"n\">4</td><td class=\"n\">1.100.000</td>",
        "<td class=\"c\">VI</td><td>Số còn phải trả cuối kỳ (I + II − III − IV − V)</td><td class=\"n\">1.100.000</td>",
        "Bằng chữ: Một triệu một trăm nghìn đồng.",
        "Số ngày đã đối chiếu: 2; chưa đối chiếu: 0.",
        "Sao kê của bên B: 4 giao dịch, 1.200.000 đồng; sổ của bên A: 4 giao dịch, 1.100.000 đồng",
        "(sao kê trừ sổ): 100.000 đồng, gồm phần khớp với ngày khác 500.000, phần chỉ một bên có -400.000",
        "<td>Thiếu thông báo</td>",
        // Of a payment in our books, and of one that only its statement names.
        ">P2</td>",
        ">P4</td>",
        "<td class=\"n\">250.000</td><td class=\"n\">200.000</td><td>Đã xử lý</td>",
        "BẢN NHÁP",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
}

/// The same by the command line, once nobody serves.
fn by_hand(home: &Home, taken: &str) {
    let run = |args: &[&str]| code(&home.run(&[args, &["--config", "gateway.toml"]].concat()));
    std::fs::write(home.path("day.csv"), taken).unwrap();
    let (exit, text) = run(&["statement", "import", "--partner", "standard", "--date", DAY, "day.csv"]);
    assert!(exit == Some(0) && text.contains("taken before"), "{text}");
    std::fs::write(home.path("bad.csv"), taken.replace("200000", "2x0000")).unwrap();
    let (exit, text) = run(&["statement", "import", "--partner", "standard", "--date", DAY, "bad.csv"]);
    assert!(exit == Some(1) && text.contains("bad.csv: row 3, amount") && text.contains("nothing"), "{text}");
    let day = ["reconcile", "--partner", "standard", "--date", DAY];
    let (exit, text) = run(&day);
    assert!(exit == Some(0) && text.contains("ties out") && text.contains("MISSING_WEBHOOK"), "{text}");
    let (exit, text) = run(&[&day[..], &["--strict", "--format", "csv", "--out", "day-breaks.csv"]].concat());
    assert_eq!((exit, text.as_str()), (Some(1), ""));
    let csv = std::fs::read_to_string(home.path("day-breaks.csv")).unwrap();
    assert!(csv.starts_with("\u{feff}\"Chênh lệch đối soát\"\r\n\"Đối tác\",\"standard\"\r\n"), "{csv}");
    assert!(csv.contains("\r\n\"MISSING_WEBHOOK\",\"Thiếu thông báo\",\"only-theirs\",3,"), "{csv}");
    let period = ["--partner", "standard", "--from", DAY, "--to", NEXT];
    let (exit, text) = run(&[&["minutes"], &period[..], &["--out", "minutes.html"]].concat());
    assert_eq!((exit, text.as_str()), (Some(0), ""));
    assert_minutes(&std::fs::read_to_string(home.path("minutes.html")).unwrap());
    assert!(!home.path("minutes.html.part").exists());
    for format in ["xlsx", "json"] {
        let file = format!("day-breaks.{format}");
        let (exit, text) = run(&[&day[..], &["--format", format, "--out", &file]].concat());
        assert_eq!((exit, text.as_str()), (Some(0), ""));
        let bytes = std::fs::read(home.path(&file)).unwrap();
        assert!(bytes.starts_with(if format == "xlsx" { b"PK" } else { b"{\"" }));
    }
    let (exit, text) = run(&["reconcile", "--partner", "standard", "--date", "2026-11-19"]);
    assert!(exit == Some(2) && text.contains("no statement"), "{text}");
    let (exit, text) = run(&["audit"]);
    assert!(exit == Some(0) && text.contains("audit: passed"), "{text}");
}

#[test]
fn a_day_of_a_partner_in_a_file() {
    a_day(&Home::new());
}

#[test]
fn a_day_of_a_partner_on_a_server() {
    let Some(database) = Database::fresh("a day of a partner on a server") else { return };
    a_day(&Home::over(database.url()));
}

/// What a difference found today is about may be of yesterday: compared again, it must be found again.
#[test]
fn a_difference_with_a_payment_of_another_day_stays() {
    let home = Home::new();
    let gateway = home.serve();
    bills(&home, &[("HD-1", 100_000), ("HD-7", 70_000)]);
    notify(&home, "P1", "HD-1", 100_000, at(9, 0, 0));
    notify(&home, "P7", "HD-7", 70_000, at(12, 0, 0));
    assert_eq!(bring(&home, DAY, &statement(&[line("P1", "HD-1", 100_000, at(9, 0, 0))], 100_000)).status, 201);
    assert_eq!(said(&compare(&home, DAY)), [1, 1, 1, 0]);
    assert_eq!(open(&home), counts(&[("MISSING_IN_STATEMENT", 1)]));
    // The next day's statement has it under another id.
    assert_eq!(bring(&home, NEXT, &statement(&[line("P8", "HD-7", 70_000, at(24, 30, 0))], 70_000)).status, 201);
    let next = compare(&home, NEXT);
    assert_eq!((said(&next), open(&home)), ([0, 0, 1, 1], counts(&[("SWAPPED_ID", 1)])), "{next:#}");
    let again = compare(&home, NEXT);
    assert_eq!((said(&again), open(&home)), ([0, 0, 0, 0], counts(&[("SWAPPED_ID", 1)])), "{again:#}");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// Whoever opens a break about several lines or payments is told all of them.
#[test]
fn a_break_about_several_names_them_all() {
    let home = Home::new();
    let gateway = home.serve();
    bills(&home, &[("HD-1", 100_000), ("HD-2", 200_000), ("HD-3", 300_000), ("HD-4", 90_000)]);
    notify(&home, "P1", "HD-1", 100_000, at(9, 0, 0));
    notify(&home, "P2", "HD-2", 200_000, at(10, 0, 0));
    notify(&home, "P3", "HD-3", 300_000, at(11, 0, 0));
    for (event, amount, outcome) in [("P4", 50_000, "wrong_amount"), ("P5", 40_000, "wrong_amount")] {
        let paid_at = Some(Timestamp::from_unix_ms(at(12, 0, 0)));
        let wanted = Wanted { paid_at, fee: Some(Money::ZERO), ..pays(event, "HD-4", amount) };
        let answer = http::call(home.public, &home.call_saying(&wanted));
        assert_eq!(answer.json()["outcome"], outcome, "{}", answer.text());
    }
    let lines = [
        line("P1", "HD-1", 40_000, at(9, 0, 0)),
        line("P1", "HD-1", 60_000, at(9, 0, 0)),
        line("P2", "HD-3", 300_000, at(11, 0, 0)),
        line("P3", "HD-2", 200_000, at(10, 0, 0)),
        line("P9", "HD-4", 90_000, at(12, 0, 0)),
    ];
    assert_eq!(bring(&home, DAY, &statement(&lines, 690_000)).status, 201);
    compare(&home, DAY);
    let open = home.internal("GET", "/api/v1/breaks?limit=100", "application/json", b"").json();
    let of_leg = open.as_array().unwrap().iter().filter(|one| one["leg"]["kind"] == "partner");
    let mut told: Vec<&str> = of_leg.map(|one| one["detail"].as_str().unwrap()).collect();
    told.sort_unstable();
    let split = "the statement says 100000 dong (lines 2, 3 of day.csv) and our books 100000 dong: several on one side are \
                 one on the other";
    let swapped = "the statement says 500000 dong (lines 4, 5 of day.csv) and our books 500000 dong: two transaction ids \
                   are exchanged; payments P2, P3";
    let merged = "the statement says 90000 dong (line 6 of day.csv) and our books 90000 dong: several on one side are one \
                  on the other; payments P4, P5";
    assert_eq!(told, [split, swapped, merged]);
    let by_the_second = home.internal("GET", "/api/v1/breaks?q=P3", "application/json", b"").json();
    assert_eq!(by_the_second.as_array().map(Vec::len), Some(1), "it is found by each: {by_the_second:#}");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// What people said of a difference is not said of another one: a corrected file with another wrong amount opens a new break.
fn a_corrected_file_with_another_amount(home: &Home) {
    let gateway = home.serve();
    bills(home, &[("HD-1", 100_000)]);
    notify(home, "P1", "HD-1", 100_000, at(9, 0, 0));
    let open = || home.internal("GET", "/api/v1/breaks?limit=100", "application/json", b"").json();
    let says = |amount: i64| {
        let lines = [line("P0", "HD-0", 1_000, at(8, 0, 0)), line("P1", "HD-1", amount, at(9, 0, 0))];
        assert_eq!(bring(home, DAY, &statement(&lines, amount + 1_000)).status, 201);
        said(&compare(home, DAY))
    };
    assert_eq!(says(150_000), [0, 0, 2, 0]);
    let first = open();
    assert_eq!(says(1_500_000), [0, 0, 1, 1], "the line that nobody notified is the same");
    let second = open();
    let of = |all: &Value| {
        let one = all.as_array().unwrap().iter().find(|one| one["class"] == "AMOUNT_MISMATCH").unwrap().clone();
        (one["no"].as_i64().unwrap(), one["leg"]["statement_dong"].clone(), one["detail"].as_str().unwrap().to_owned())
    };
    let of_day = |all: &Value, day: &str| {
        let mut all = all.as_array().unwrap().iter();
        let one = all.find(|one| one["class"] == "AMOUNT_MISMATCH" && one["leg"]["day"] == day);
        one.unwrap()["no"].as_i64().unwrap()
    };
    assert_ne!(of(&first).0, of(&second).0);
    assert_eq!((of(&first).1, of(&second).1), (150_000.into(), 1_500_000.into()));
    assert!(of(&second).2.contains("the statement says 1500000 dong (line 3 of day.csv)"), "{second:#}");
    assert_eq!(said(&compare(home, DAY)), [0, 0, 0, 0], "compared again, nothing is new");
    // The next day's file names it too, over a third amount: that is a difference of its own.
    let third = line("P1", "HD-1", 170_000, at(33, 0, 0));
    assert_eq!(bring(home, NEXT, &statement(&[third], 170_000)).status, 201);
    assert_eq!(said(&compare(home, NEXT)), [0, 0, 1, 0], "{:#}", open());
    for day in [DAY, NEXT] {
        assert_eq!(said(&compare(home, day)), [0, 0, 0, 0], "{day} again: nothing is new");
    }
    assert_eq!(of(&second).0, of_day(&open(), DAY));
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// What people agreed about a fee is not agreed about another one, though the amounts are the same.
#[test]
fn a_break_with_another_fee_is_another_one() {
    let home = Home::new();
    let gateway = home.serve();
    bills(&home, &[("HD-1", 100_000)]);
    notify(&home, "P1", "HD-1", 100_000, at(9, 0, 0));
    let says = |fee: &str, before: &str| {
        let one = line("P1", "HD-1", 100_000, at(9, 0, 0)).replace(",100000,0,0,", &format!(",100000,0,{fee},"));
        let other = line(before, "HD-0", 1_000, at(8, 0, 0));
        assert_eq!(bring(&home, DAY, &statement(&[other, one], 101_000)).status, 201);
        said(&compare(&home, DAY))
    };
    assert_eq!(says("5000", "P0"), [0, 0, 2, 0]);
    assert_eq!(open(&home), counts(&[("FEE_MISMATCH", 1), ("MISSING_WEBHOOK", 1)]));
    assert_eq!(says("50000", "P0"), [0, 0, 1, 1], "the line that nobody notified is the same");
    assert_eq!(said(&compare(&home, DAY)), [0, 0, 0, 0], "compared again, nothing is new");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

#[test]
fn a_break_with_other_amounts_is_another_one() {
    a_corrected_file_with_another_amount(&Home::new());
}

#[test]
fn a_break_with_other_amounts_is_another_one_on_a_server() {
    let Some(database) = Database::fresh("a corrected file with another amount") else { return };
    a_corrected_file_with_another_amount(&Home::over(database.url()));
}

/// A payment that only the old file supported is seen again, also one of another day.
#[test]
fn what_only_the_old_file_supported_is_open_again() {
    let home = Home::new();
    let gateway = home.serve();
    bills(&home, &[("HD-1", 100_000), ("HD-5", 500_000)]);
    notify(&home, "P1", "HD-1", 100_000, at(9, 0, 0));
    notify(&home, "P5", "HD-5", 500_000, at(23, 59, 50));
    assert_eq!(bring(&home, DAY, &statement(&[line("P1", "HD-1", 100_000, at(9, 0, 0))], 100_000)).status, 201);
    compare(&home, DAY);
    let late = line("P5", "HD-5", 500_000, at(24, 0, 10));
    assert_eq!(bring(&home, NEXT, &statement(&[late], 500_000)).status, 201);
    compare(&home, NEXT);
    assert_eq!(open(&home), counts(&[]));
    // Corrected: it was not the next day's either.
    let other = line("P9", "HD-9", 90_000, at(36, 0, 0));
    assert_eq!(bring(&home, NEXT, &statement(&[other], 90_000)).status, 201);
    let next = compare(&home, NEXT);
    let lost = open(&home);
    assert_eq!(lost.values().sum::<usize>(), 2, "{next:#}");
    assert_eq!(lost.get("MISSING_WEBHOOK"), Some(&1), "{next:#}");
    assert_eq!(lost, {
        compare(&home, NEXT);
        open(&home)
    });
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// What is on no bill was not told to the core, and what was taken back before it was told it never heard of: neither is
/// a payment that the core has not cleared.
#[test]
fn the_core_leg_asks_for_what_the_core_was_told() {
    core_leg(&Home::new());
    if let Some(database) = Database::fresh("the core leg on a server") {
        core_leg(&Home::over(database.url()));
    }
}

fn core_leg(home: &Home) {
    let gateway = home.serve();
    bills(home, &[("HD-1", 100_000), ("HD-2", 200_000), ("HD-4", 400_000)]);
    notify(home, "P1", "HD-1", 100_000, at(9, 0, 0));
    notify(home, "P2", "HD-2", 200_000, at(9, 1, 0));
    notify(home, "P4", "HD-4", 400_000, at(9, 2, 0));
    let parked = Wanted { paid_at: Some(Timestamp::from_unix_ms(at(9, 3, 0))), ..pays("P3", "HD-99", 300_000) };
    let answer = http::call(home.public, &home.call_saying(&parked));
    assert_eq!(answer.json()["outcome"], "unknown_invoice", "{}", answer.text());
    // It names the payment and nothing else.
    let back = Wanted {
        effect: Some(Effect::Moves(Movement::Reversal)),
        reverses: Some(vec!["P2".to_owned()]),
        paid_at: Some(Timestamp::from_unix_ms(at(9, 4, 0))),
        ..pays("R2", "", 200_000)
    };
    let answer = http::call(home.public, &home.call_saying(&back));
    assert_eq!(answer.json()["outcome"], "accepted", "{}", answer.text());
    // It was in suspense until it was taken back: the core heard of neither.
    let parked = Wanted { paid_at: Some(Timestamp::from_unix_ms(at(9, 5, 0))), ..pays("P5", "HD-98", 50_000) };
    assert_eq!(http::call(home.public, &home.call_saying(&parked)).json()["outcome"], "unknown_invoice");
    let back = Wanted {
        reverses: Some(vec!["P5".to_owned()]),
        amount: Some(Money::from_dong(50_000).unwrap()),
        event: Some(vec!["R5".to_owned()]),
        ..back
    };
    let answer = http::call(home.public, &home.call_saying(&back));
    assert_eq!(answer.json()["outcome"], "accepted", "{}", answer.text());
    let cleared = format!(
        "event,type,invoice_id,customer_code,amount,cleared_at\nP1,payment.settled,HD-1,PA03HL0000001,100000,{}\n\
         TOTAL,count,1,,100000,\n",
        Timestamp::from_unix_ms(at(9, 0, 5))
    );
    let of = |what: &str| format!("/api/v1/{what}kind=core");
    let path = of(&format!("statements?partner=standard&date={DAY}&name=core.csv&"));
    let brought = home.internal("POST", &path, "text/csv", cleared.as_bytes());
    assert_eq!(brought.status, 201, "{}", brought.text());
    let path = of(&format!("reconciliations/standard/{DAY}?"));
    let done = home.internal("POST", &path, "application/json", b"").json();
    assert_eq!(classes(&done), counts(&[("PAID_NOT_CLEARED", 1), ("REVERSED", 2)]), "{done:#}");
    assert_eq!(open(home), counts(&[("PAID_NOT_CLEARED", 1), ("REVERSED", 2), ("UNKNOWN_REF", 1)]));
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

//! Days around Tết through the real program, on both databases: the partner's statements are taken, the bank's credits
//! come in full, short, late or not at all, and each batch is told apart. The shipped calendar and the shipped terms of the
//! standard profile: a fee of 1100 a payment, kept back, due on the next day on which banks work.

use crate::harness::http;
use crate::harness::postgres::Database;
use crate::harness::program::{Home, code, ended, signal};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CALENDAR: &str = include_str!("../../../config/calendar.toml");

fn home(home: Home, calendar: bool) -> Home {
    if calendar {
        std::fs::write(home.path("calendar.toml"), CALENDAR).unwrap();
        home.configure("finance.calendar = \"calendar.toml\"");
    }
    home
}

fn bring(home: &Home, kind: &str, day: &str, file: &str) -> http::Answer {
    let path = format!("/api/v1/statements?partner=standard&date={day}&kind={kind}&name=day.csv");
    home.internal("POST", &path, "text/csv", file.as_bytes())
}

/// The partner's statement of a day: amounts, and what it states to charge for each.
fn statement(home: &Home, day: &str, payments: &[(i64, i64)]) {
    let row = |(n, (amount, fee)): (usize, &(i64, i64))| {
        format!("{day}-{n},payment.succeeded,HD-{day}-{n},,,{amount},0,{fee},{day}T09:00:00+07:00,\n")
    };
    let rows: String = payments.iter().enumerate().map(row).collect();
    let total: i64 = payments.iter().map(|payment| payment.0).sum();
    let header = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses";
    let text = format!("{header}\n{rows}TOTAL,count,{},,,{total},,,,\n", payments.len());
    let answer = bring(home, "partner", day, &text);
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// The bank's credits of a day.
fn credits(home: &Home, day: &str, credits: &[(&str, i64)]) {
    let rows: String = credits.iter().map(|(batch, amount)| format!("{day},{batch},{amount}\n")).collect();
    let total: i64 = credits.iter().map(|credit| credit.1).sum();
    let text = format!("value_date,batch,amount\n{rows}TOTAL,count,{},{total}\n", credits.len());
    let text =
        text.replace(&format!("TOTAL,count,{},", credits.len()), "TOTAL,,") + &format!("count,{},\n", credits.len());
    let answer = bring(home, "bank", day, &text);
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn compare(home: &Home, day: &str) -> Value {
    let path = format!("/api/v1/reconciliations/standard/{day}?kind=bank");
    let answer = home.internal("POST", &path, "application/json", b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Changed batches, breaks opened, breaks closed.
fn said(done: &Value) -> [u64; 3] {
    ["batches_changed", "breaks_opened", "breaks_closed"].map(|what| done[what].as_u64().unwrap())
}

/// Each batch's day and state.
fn states(listed: &Value) -> Vec<(String, String)> {
    let word = |batch: &Value, key: &str| batch[key].as_str().unwrap().to_owned();
    listed["batches"].as_array().unwrap().iter().map(|b| (word(b, "day"), word(b, "state"))).collect()
}

fn expect(listed: &Value, states_of: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        states_of.iter().map(|(day, state)| (format!("2026-02-{day}"), (*state).to_owned())).collect();
    assert_eq!(states(listed), expected, "{listed:#}");
}

fn listed(home: &Home) -> Value {
    let path = "/api/v1/settlements/standard?from=2026-02-01&to=2026-02-28";
    let answer = home.internal("GET", path, "application/json", b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
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

fn days_around_tet(home: &Home) {
    let gateway = home.serve();
    statement(home, "2026-02-11", &[(500_000, 1_100), (300_000, 1_100)]);
    statement(home, "2026-02-12", &[(400_000, 1_100)]);
    statement(home, "2026-02-13", &[(250_000, 1_100)]);
    statement(home, "2026-02-14", &[(100_000, 1_100)]);
    let nothing = home.internal("POST", "/api/v1/reconciliations/standard/2026-02-12?kind=bank", "text/plain", b"");
    assert_eq!(nothing.status, 404, "{}", nothing.text());

    credits(home, "2026-02-12", &[("STD20260211", 797_800)]);
    let done = compare(home, "2026-02-12");
    expect(&done, &[("11", "full"), ("12", "waiting")]);
    assert_eq!(said(&done), [2, 0, 0], "{done:#}");
    assert_eq!(done["sums"]["expected_dong"], 797_800 + 398_900);

    // 900 are wanting, on the last day on which they are in time; banks are closed then for nine days.
    credits(home, "2026-02-13", &[("STD20260212", 398_000)]);
    expect(&compare(home, "2026-02-13"), &[("11", "full"), ("12", "waiting"), ("13", "waiting")]);
    statement(home, "2026-02-23", &[(700_000, 2_000)]);
    credits(home, "2026-02-23", &[("STD20260214", 98_900)]);
    let done = compare(home, "2026-02-23");
    let due = [("11", "full"), ("12", "short"), ("13", "waiting"), ("14", "full"), ("23", "waiting")];
    expect(&done, &due);
    assert_eq!(done["batches"][2]["due"], "2026-02-23");
    assert_eq!(open(home), counts(&[("SETTLEMENT_SHORT", 1), ("FEE_MISMATCH", 1)]));

    statement(home, "2026-02-24", &[(50_000, 1_100)]);
    credits(home, "2026-02-24", &[("STD20260213", 248_900)]);
    compare(home, "2026-02-24");
    credits(home, "2026-02-25", &[("STD20991231", 5_000), ("", 7_000)]);
    let done = compare(home, "2026-02-25");
    let end = [
        ("11", "full"),
        ("12", "short"),
        ("13", "late"),
        ("14", "full"),
        ("23", "missing"),
        ("24", "waiting"),
        ("25", "unknown"),
        ("25", "unknown"),
    ];
    expect(&done, &end);
    let breaks = counts(&[
        ("SETTLEMENT_SHORT", 1),
        ("SETTLEMENT_LATE", 1),
        ("SETTLEMENT_MISSING", 1),
        ("FEE_MISMATCH", 1),
        ("UNKNOWN_REF", 2),
    ]);
    assert_eq!(open(home), breaks);
    expect(&listed(home), &end);
    assert_eq!(listed(home)["batches"][4]["fee_stated_dong"], 2_000);

    // Again, also of a day before: nothing is new.
    for day in ["2026-02-25", "2026-02-12"] {
        let again = compare(home, day);
        assert_eq!((said(&again), states(&again)), ([0, 0, 0], states(&done)), "{again:#}");
    }
    assert_eq!(open(home), breaks);
    the_rest_comes(home);
    refusals(home);
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    by_hand(home);
}

/// The money that was wanting comes: its breaks close, and that it was late stays for a person.
fn the_rest_comes(home: &Home) {
    credits(home, "2026-02-26", &[("STD20260223", 698_900), ("STD20260212", 900), ("STD20260224", 48_900)]);
    let done = compare(home, "2026-02-26");
    assert_eq!(said(&done), [3, 3, 2], "{done:#}");
    let late = counts(&[("SETTLEMENT_LATE", 4), ("FEE_MISMATCH", 1), ("UNKNOWN_REF", 2)]);
    assert_eq!(open(home), late);
    // A corrected statement states the fees of the schedule, and a corrected one of the bank names its batches.
    statement(home, "2026-02-23", &[(700_000, 1_100)]);
    credits(home, "2026-02-25", &[("STD20260225", 5_000)]);
    let done = compare(home, "2026-02-26");
    assert_eq!(said(&done)[2], 3, "{done:#}");
    assert_eq!(open(home), counts(&[("SETTLEMENT_LATE", 4), ("UNKNOWN_REF", 1)]), "no statement of the 25th came yet");
    statement(home, "2026-02-25", &[(6_100, 1_100)]);
    let done = compare(home, "2026-02-26");
    assert_eq!((said(&done)[1], said(&done)[2]), (0, 1), "{done:#}");
    assert_eq!(open(home), counts(&[("SETTLEMENT_LATE", 4)]));
    assert_eq!(said(&compare(home, "2026-02-26")), [0, 0, 0]);
}

fn refusals(home: &Home) {
    let ask = |path: &str| home.internal("GET", path, "application/json", b"").status;
    assert_eq!(ask("/api/v1/settlements/nobody"), 404);
    assert_eq!(ask("/api/v1/settlements/standard?from=2026-02-30"), 400);
    assert_eq!(ask("/api/v1/settlements/standard?from=2026-02-02&to=2026-02-01"), 400);
    assert_eq!(ask("/api/v1/settlements/standard?form=2026-02-02"), 400);
    assert_eq!(ask("/api/v1/settlements/standard"), 200);
    let kept = home.internal("GET", "/api/v1/reconciliations/standard/2026-02-26?kind=bank", "application/json", b"");
    assert_eq!(kept.json()["sums"]["difference_dong"], json!(0), "{}", kept.text());
}

/// The same by the command line, once nobody serves.
fn by_hand(home: &Home) {
    let run = |args: &[&str]| code(&home.run(&[args, &["--config", "gateway.toml"]].concat()));
    let days = ["settlement", "--partner", "standard", "--from", "2026-02-11", "--to", "2026-02-24"];
    let (exit, text) = run(&days);
    assert!(exit == Some(0) && text.contains("STD20260213") && text.contains("late"), "{text}");
    assert!(text.contains("6 batches, 4 that differ; 2292300 of 2292300 dong came by 2026-02-26"), "{text}");
    let (exit, text) = run(&[&days[..], &["--format", "json"]].concat());
    assert_eq!(exit, Some(0), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["batches"][3]["full_on"], "2026-02-23");
    let bank = ["reconcile", "--partner", "standard", "--kind", "bank", "--date"];
    let (exit, text) = run(&[&bank[..], &["2026-02-26", "--strict"]].concat());
    assert!(exit == Some(1) && text.contains("batches, 4 that differ"), "{text}");
    let (exit, text) = run(&[&bank[..], &["2026-02-27"]].concat());
    assert!(exit == Some(2) && text.contains("no bank's statement of 2026-02-27"), "{text}");
    let (exit, text) = run(&["settlement", "--partner", "standard", "--from", "2026-02-12", "--to", "2026-02-11"]);
    assert!(exit == Some(2) && text.contains("--from"), "{text}");
    let (exit, text) = run(&["audit"]);
    assert!(exit == Some(0) && text.contains("audit: passed"), "{text}");
}

#[test]
fn days_around_tet_in_a_file() {
    days_around_tet(&home(Home::new(), true));
}

#[test]
fn days_around_tet_on_a_server() {
    let Some(database) = Database::fresh("days around Tết on a server") else { return };
    days_around_tet(&home(Home::over(database.url()), true));
}

/// The other way round: where nobody said when banks are closed, money that waits out Tết is late, and it is said that the
/// holidays are not known.
#[test]
fn without_a_calendar_only_weekends_are_known_and_it_is_said() {
    let home = home(Home::new(), false);
    let gateway = home.serve();
    statement(&home, "2026-02-14", &[(100_000, 1_100)]);
    credits(&home, "2026-02-23", &[("STD20260214", 98_900)]);
    let done = compare(&home, "2026-02-23");
    expect(&done, &[("14", "late")]);
    assert_eq!(
        (&done["batches"][0]["due"], &done["batches"][0]["calendar_known"]),
        (&json!("2026-02-16"), &json!(false))
    );
    let breaks = home.internal("GET", "/api/v1/breaks?limit=9", "application/json", b"").text();
    assert!(breaks.contains("by a calendar without the holidays of all of that time"), "{breaks}");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    let run = |args: &[&str]| code(&home.run(&[args, &["--config", "gateway.toml"]].concat()));
    let (_, text) = run(&["settlement", "--partner", "standard", "--from", "2026-02-01", "--to", "2026-02-28"]);
    assert!(text.contains("2026-02-16?") && text.contains("only weekends were counted"), "{text}");
    let (_, text) = run(&["check"]);
    assert!(text.contains("calendar  ok  none; warning: no holidays of"), "{text}");
    home.configure("finance.calendar = \"calendar.toml\"");
    let (exit, text) = run(&["check"]);
    assert!(exit == Some(2) && text.contains("finance.calendar: calendar.toml:0: cannot read the file"), "{text}");
}

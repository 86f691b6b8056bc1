//! The desk through the real program: three people with tokens of their own, on both databases.

use crate::harness::postgres::Database;
use crate::harness::program::{Home, code, ended, signal};
use crate::harness::{http, pays};
use serde_json::{Value, json};
use std::process::Child;

const PEOPLE: [(&str, &str); 2] =
    [("an", "token-of-the-maker-in-the-tests-01"), ("chi", "token-of-the-checker-in-the-tests-1")];

fn people() -> String {
    PEOPLE
        .map(|(name, _)| {
            format!("[[token]]\nname = \"{name}\"\nscope = [\"read\", \"finance\"]\nsecret = \"file:{name}.token\"\n")
        })
        .concat()
}

pub(super) fn serve(home: &Home) -> Child {
    with_people(home);
    home.serve()
}

pub(super) fn with_people(home: &Home) {
    home.configure(&people());
    for (name, token) in PEOPLE {
        std::fs::write(home.path(&format!("{name}.token")), token).unwrap();
    }
}

pub(super) fn as_person(home: &Home, name: &str, method: &str, path: &str, body: &Value) -> http::Answer {
    let token = PEOPLE.iter().find(|(of, _)| *of == name).unwrap().1;
    let bearer = format!("Bearer {token}");
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    http::call(home.internal, &http::request(method, path, &headers, &body))
}

pub(super) fn bill(home: &Home, id: &str, total: i64) {
    let row = json!({
        "invoice_id": id, "customer_code": "PA03HL0000001", "payer_code": "PA03HL0000001", "unit": "PA03HL",
        "area": "urban", "period": "2026-10-1", "kind": "TD", "net": total, "vat": 0, "total": total,
        "issued_on": "2026-11-01", "due_on": "2026-12-31", "status": "open",
    });
    let answer = home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", row.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn a_finance_day(home: &Home) {
    let gateway = serve(home);
    bill(home, "HD-1", 150_000);
    // Paid onto a bill that nobody knows.
    let heard = http::call(home.public, &home.call_saying(&pays("P1", "HD-404", 150_000)));
    assert_eq!(heard.json()["outcome"], "unknown_invoice", "{}", heard.text());

    let found = as_person(home, "an", "GET", "/api/v1/breaks?class=UNKNOWN_REF&age=0", &Value::Null).json();
    let no = found[0]["no"].as_i64().unwrap();
    assert_eq!((&found[0]["state"], &found[0]["label_vi"]), (&json!("open"), &json!("Không rõ mã khách hàng")));
    let whole = as_person(home, "an", "GET", &format!("/api/v1/breaks/{no}"), &Value::Null).json();
    let came = &whole["evidence"]["calls"][0];
    assert_eq!(came["verdict"], "parked", "{whole:#}");
    assert!(came["came"]["body"].as_str().unwrap().contains("HD-404"), "the bytes that came");
    assert!(came["came"]["signed"].as_str().unwrap().contains("HD-404"), "and the string that was signed");
    assert_eq!(whole["books"]["state"], "parked");

    let says = |name: &str, path: &str, body: Value| as_person(home, name, "POST", path, &body);
    assert_eq!(says("an", &format!("/api/v1/breaks/{no}/comment"), json!({"text": "asked"})).status, 204);
    assert_eq!(says("an", &format!("/api/v1/breaks/{no}/assign"), json!({"to": "an"})).status, 204);
    let item =
        json!({"break": no, "resolution": {"action": "allocate", "invoices": [{"invoice": "HD-1", "dong": 150_000}]}});
    let wish = json!({"reason": "the customer's letter", "items": [item]});
    let mut dry = wish.clone();
    dry["dry_run"] = json!(true);
    let shown = says("an", "/api/v1/proposals", dry);
    assert_eq!(shown.status, 200, "{}", shown.text());
    let proposed = says("an", "/api/v1/proposals", wish);
    assert_eq!((proposed.status, &proposed.json()["sha256"]), (201, &shown.json()["sha256"]));
    let (proposal, sha) = (proposed.json()["no"].as_i64().unwrap(), proposed.json()["sha256"].clone());
    let approve = format!("/api/v1/proposals/{proposal}/approve");
    let word = json!({"sha256": sha, "words": "seen"});
    assert_eq!(says("an", &approve, word.clone()).status, 409, "nobody approves their own");
    assert_eq!(says("chi", &approve, word.clone()).status, 403, "nobody gave any authority");
    assert_eq!(
        says("chi", "/api/v1/authorities", json!({"person": "an", "action": "allocate", "dong": 1})).status,
        403
    );
    let grant = json!({"person": "chi", "action": "allocate", "dong": 150_000}).to_string();
    assert_eq!(home.internal("POST", "/api/v1/authorities", "application/json", grant.as_bytes()).status, 204);
    let done = says("chi", &approve, word.clone());
    assert_eq!((done.status, done.json()), (200, json!({"no": proposal, "done": 1, "refused": 0})));
    assert_eq!(says("chi", &approve, word).status, 409, "it was decided");
    let invoice = home.internal("GET", "/api/v1/invoices/HD-1", "application/json", b"").json();
    assert_eq!((&invoice["settled"], &invoice["open"]), (&json!(150_000), &json!(0)));
    let whole = as_person(home, "an", "GET", &format!("/api/v1/breaks/{no}"), &Value::Null).json();
    let history: Vec<&str> = whole["history"].as_array().unwrap().iter().map(|n| n["what"].as_str().unwrap()).collect();
    assert_eq!(history, ["comment", "assigned", "proposed", "approved", "done"]);
    assert_eq!(whole["state"], "closed");

    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
    let (exit, text) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && text.contains("audit: passed"), "{text}");
}

#[test]
fn a_finance_day_on_a_file() {
    a_finance_day(&Home::new());
}

#[test]
fn a_finance_day_on_a_server() {
    let Some(database) = Database::fresh("a finance day on a server") else { return };
    a_finance_day(&Home::over(database.url()));
}

/// Bad input is told by its field, and changes nothing.
#[test]
fn what_cannot_be_is_said_with_its_field() {
    let home = Home::new();
    let gateway = serve(&home);
    for (method, path, body, status, words) in [
        ("GET", "/api/v1/breaks?state=lost", Value::Null, 400, "state: expected one of open"),
        ("GET", "/api/v1/breaks?age=5", Value::Null, 400, "age: expected one of 0"),
        ("GET", "/api/v1/breaks?limit=0", Value::Null, 400, "limit: expected 1"),
        ("GET", "/api/v1/breaks/7", Value::Null, 404, ""),
        ("POST", "/api/v1/breaks/7/comment", json!({"text": "x"}), 404, ""),
        ("POST", "/api/v1/breaks/7/comment", json!({"text": " "}), 400, "text: expected 1 to"),
        ("POST", "/api/v1/proposals", json!({"reason": "x", "items": []}), 422, "items: expected 1 to"),
        (
            "POST",
            "/api/v1/proposals",
            json!({"reason": "x", "items": [{"break": 7, "resolution": {"action": "steal"}}]}),
            400,
            "unknown variant `steal`",
        ),
        (
            "POST",
            "/api/v1/proposals",
            json!({"reason": "x", "items": [{"break": 7, "resolution": {"action": "close"}}]}),
            404,
            "break 7",
        ),
        ("POST", "/api/v1/proposals/9/approve", json!({"sha256": "zz"}), 400, "sha256: expected 64 hex digits"),
        ("POST", "/api/v1/proposals/9/approve", json!({"sha256": "00".repeat(32)}), 404, ""),
        ("POST", "/api/v1/rules/guess", json!({}), 404, ""),
        ("POST", "/api/v1/rules/create-missing", json!({"dry_run": true}), 200, "\"items\":0"),
    ] {
        let answer = as_person(&home, "an", method, path, &body);
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        assert!(answer.text().contains(words), "{method} {path} {body}: {}", answer.text());
    }
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

/// The same by the command line, as the token's person.
#[test]
fn the_command_line_speaks_for_whoever_holds_the_token() {
    let home = Home::new();
    let gateway = serve(&home);
    bill(&home, "HD-1", 150_000);
    http::call(home.public, &home.call_saying(&pays("P1", "HD-1", 150_000)));
    http::call(home.public, &home.call_saying(&pays("P2", "HD-1", 150_000)));
    let url = format!("http://{}", home.internal);
    let run = |person: &str, args: &[&str]| {
        let token = if person == "ops" { "env:TEST_TOKEN".to_owned() } else { format!("file:{person}.token") };
        code(&home.run(&[args, &["--url", &url, "--token", &token]].concat()))
    };
    let (exit, text) = run("an", &["breaks", "list"]);
    assert!(exit == Some(0) && text.contains("DUPLICATE_PAYMENT"), "{text}");
    let (exit, text) =
        run("an", &["breaks", "list", "--format", "csv", "--class", "DUPLICATE_PAYMENT", "--out", "b.csv"]);
    assert!(exit == Some(0), "{text}");
    let csv = std::fs::read_to_string(home.path("b.csv")).unwrap();
    assert!(csv.starts_with('\u{feff}') && csv.contains("DUPLICATE_PAYMENT") && csv.contains(",150000,"), "{csv}");
    let (exit, _) = run("an", &["breaks", "list", "--format", "xlsx", "--out", "b.xlsx"]);
    assert!(exit == Some(0) && std::fs::read(home.path("b.xlsx")).unwrap().starts_with(b"PK"));
    let (exit, text) = run("an", &["rule", "refund-later", "--dry-run"]);
    assert!(exit == Some(0) && text.contains("\"refund\": 150000"), "{text}");
    let (exit, text) = run("an", &["rule", "refund-later"]);
    assert!(exit == Some(0) && text.contains("\"approved\": false"), "nobody let rules give money back: {text}");
    let (_, text) = run("chi", &["proposal", "show", "1"]);
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["maker"], "rule:refund-later@1");
    let sha = shown["sha256"].as_str().unwrap();
    let (exit, text) = run("ops", &["authority", "grant", "chi", "allocate", "150000"]);
    assert!(exit == Some(0), "{text}");
    let (exit, text) = run("chi", &["proposal", "approve", "1", "--sha256", sha, "--words", "ok"]);
    assert!(exit == Some(0) && text.contains("\"done\":1"), "{text}");
    let (exit, text) = run("an", &["breaks", "show", "1"]);
    assert!(exit == Some(0) && text.contains("\"state\": \"closed\""), "{text}");
    let (exit, text) = code(&home.run(&["breaks", "list"]));
    assert!(exit == Some(2) && text.contains("--url and --token"), "{text}");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

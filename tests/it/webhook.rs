//! One notice's whole way over a real socket: every outcome as the exact bytes of the partner's words.

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, Setup, bill, keys, pays};
use thuho::domain::ids::Movement;
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, NoEffect};
use thuho::domain::time::Clock;
use thuho::partner::forge::Wanted;

fn wallet(event: &str, invoice: &str, amount: i64) -> Wanted {
    Wanted { order: Some(format!("261122_{invoice}")), ..pays(event, "", amount) }
}

fn check(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status, answer.text().as_str()), (status, body));
}

/// The reply's words without our payment id, which the standard protocol echoes.
fn check_word(answer: &Answer, status: u16, outcome: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.json()["outcome"], outcome, "{}", answer.text());
}

#[test]
fn a_wallet_hears_each_outcome_in_its_own_words() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    let say = |wanted: &Wanted| gateway.notify("zalopay", wanted);
    check(&say(&wallet("1", "HD-1", 150_000)), 200, r#"{"return_code":1,"return_message":"success"}"#);
    check(&say(&wallet("1", "HD-1", 150_000)), 200, r#"{"return_code":2,"return_message":"already processed"}"#);
    let conflict = r#"{"return_code":-1,"return_message":"this transaction was notified with other content"}"#;
    check(&say(&wallet("1", "HD-1", 150_001)), 200, conflict);
    let paid = r#"{"return_code":1,"return_message":"received, bill already paid"}"#;
    check(&say(&wallet("2", "HD-1", 150_000)), 200, paid);
    let unknown = r#"{"return_code":1,"return_message":"received, no such bill"}"#;
    check(&say(&wallet("3", "HD-9", 150_000)), 200, unknown);
    let amount = r#"{"return_code":1,"return_message":"received, other amount"}"#;
    check(&say(&wallet("4", "HD-2", 90_001)), 200, amount);
    let mut forged = gateway.forge("zalopay", &wallet("5", "HD-2", 90_000));
    forged.body = String::from_utf8(forged.body).unwrap().replace("90000", "90001").into_bytes();
    check(&gateway.send("zalopay", &forged), 200, r#"{"return_code":-1,"return_message":"mac not equal"}"#);
    let other_app = Wanted { account: Some("9999".to_owned()), ..wallet("6", "HD-2", 90_000) };
    check(&say(&other_app), 200, r#"{"return_code":0,"return_message":"call again: not understood"}"#);
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(gateway.settled("HD-2"), 0);
    let expected =
        ["zalopay conflict 1", "zalopay parked 3", "zalopay settled 1", "zalopay unreadable 1"].map(str::to_owned);
    assert_eq!(gateway.receipts(), expected);
}

#[test]
fn the_standard_protocol_hears_each_outcome() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    let say = |wanted: &Wanted| gateway.notify("standard", wanted);
    check_word(&say(&pays("p1", "HD-1", 150_000)), 200, "accepted");
    check_word(&say(&pays("p1", "HD-1", 150_000)), 200, "duplicate");
    check_word(&say(&pays("p1", "HD-1", 2_000)), 409, "conflict");
    let pending = Wanted { effect: Some(Effect::None(NoEffect::Pending)), ..pays("p2", "HD-2", 90_000) };
    check_word(&say(&pending), 200, "not_a_payment");
    check_word(&say(&pays("p2", "HD-2", 90_000)), 200, "accepted");
    let reversal = |event: &str, reverses: &str, amount| Wanted {
        effect: Some(Effect::Moves(Movement::Reversal)),
        reverses: Some(vec![reverses.to_owned()]),
        ..pays(event, "HD-2", amount)
    };
    assert_eq!(say(&reversal("r1", "p2", 1)).json()["outcome"], "reversal_refused");
    check_word(&say(&reversal("r2", "p2", 90_000)), 200, "accepted");
    check_word(&say(&pays("p2", "HD-2", 90_000)), 200, "duplicate");
    assert_eq!(gateway.settled("HD-2"), 0);
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

#[test]
fn a_stale_call_is_a_receipt_and_redo_books_it() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let forged = gateway.forge("standard", &pays("p1", "HD-1", 150_000));
    gateway.clock.advance_ms(10 * 60 * 1000);
    check_word(&gateway.send("standard", &forged), 503, "stale");
    assert_eq!(gateway.receipts(), ["standard stale 1"]);
    assert_eq!(gateway.settled("HD-1"), 0);
    let redo = || gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"standard"}"#);
    assert_eq!(redo().json(), serde_json::json!({"read": 1, "outcomes": {"accepted": 1}}));
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(redo().json(), serde_json::json!({"read": 0, "outcomes": {}}));
}

#[test]
fn a_paused_partners_money_is_kept_and_redo_books_it() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let say =
        |word: &str| gateway.internal("POST", &format!("/api/v1/partners/standard/{word}"), "application/json", b"{}");
    assert_eq!(say("pause").status, 204);
    check_word(&gateway.notify("standard", &pays("p1", "HD-1", 150_000)), 503, "try_again");
    assert_eq!(gateway.receipts(), ["standard paused 1"]);
    assert_eq!(say("resume").status, 204);
    let redo = || gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"standard"}"#);
    assert_eq!(redo().json(), serde_json::json!({"read": 1, "outcomes": {"accepted": 1}}));
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

#[test]
fn redo_ends_and_adds_nothing_where_a_call_still_cannot_be_booked() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let fee = Some(Money::from_dong(150_001).unwrap());
    check_word(&gateway.notify("standard", &Wanted { fee, ..pays("p1", "HD-1", 150_000) }), 422, "malformed");
    let redo = || gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"standard"}"#);
    for _ in 0..2 {
        assert_eq!(redo().json(), serde_json::json!({"read": 0, "outcomes": {"malformed": 1}}));
        assert_eq!(gateway.receipts(), ["standard unreadable 1"]);
    }
}

#[test]
fn what_a_clock_that_was_days_behind_took_for_the_future_is_booked_by_redo() {
    const DAYS_MS: i64 = 2 * 86_400_000;
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let paid_at = Some(gateway.clock.now());
    let paid = gateway.forge("zalopay", &Wanted { paid_at, ..wallet("1", "HD-1", 150_000) });
    gateway.clock.advance_ms(-DAYS_MS);
    check(&gateway.send("zalopay", &paid), 200, r#"{"return_code":0,"return_message":"call again: not understood"}"#);
    gateway.clock.advance_ms(DAYS_MS);
    let redo = gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"zalopay"}"#);
    assert_eq!(redo.json(), serde_json::json!({"read": 1, "outcomes": {"accepted": 1}}));
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

#[test]
fn a_paused_bank_is_not_asked_for_payments_and_what_it_took_back_is_kept() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    let say =
        |word: &str| gateway.internal("POST", &format!("/api/v1/partners/agribank/{word}"), "application/json", b"{}");
    let code = |answer: Answer| answer.json()["responseCode"].as_str().unwrap().to_owned();
    assert_eq!(code(gateway.notify("agribank", &pays("A1", "HD-1", 150_000))), "00");
    assert_eq!(say("pause").status, 204);
    assert_eq!(code(gateway.notify("agribank", &pays("A2", "HD-2", 90_000))), "96");
    // The profile's own example of a reversal.
    let back = Wanted { example: Some(6), reverses: Some(vec!["A1".to_owned()]), ..pays("R1", "HD-1", 150_000) };
    assert_eq!(code(gateway.notify("agribank", &back)), "96");
    assert_eq!(gateway.receipts(), ["agribank paused 1", "agribank settled 1"]);
    assert_eq!(say("resume").status, 204);
    let redo = gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"agribank"}"#);
    assert_eq!(redo.json(), serde_json::json!({"read": 1, "outcomes": {"accepted": 1}}));
    assert_eq!((gateway.settled("HD-1"), gateway.settled("HD-2")), (0, 0));
}

#[test]
fn redo_never_books_a_payment_that_a_bank_asked_about_and_did_not_debit() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let asked = gateway.forge("agribank", &pays("A1", "HD-1", 150_000));
    gateway.clock.advance_ms(10 * 60 * 1000);
    assert_eq!(gateway.send("agribank", &asked).json()["responseCode"], "96");
    assert_eq!(gateway.receipts(), ["agribank stale 1"]);
    let redo = || gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"agribank"}"#);
    assert_eq!(redo().json(), serde_json::json!({"read": 1, "outcomes": {"not_a_payment": 1}}));
    assert_eq!(gateway.settled("HD-1"), 0);
    assert_eq!(redo().json(), serde_json::json!({"read": 0, "outcomes": {}}));
}

#[test]
fn a_bank_that_asks_first_is_refused_without_a_trace_in_the_books_and_may_ask_again() {
    let gateway = Gateway::start();
    let pay =
        |event: &str, amount| Wanted { amount: Some(Money::from_dong(amount).unwrap()), ..pays(event, "HD-1", amount) };
    let code = |answer: Answer| answer.json()["responseCode"].as_str().unwrap().to_owned();
    assert_eq!(code(gateway.notify("agribank", &pay("A1", 150_000))), "01");
    gateway.put(&[bill("HD-1", 150_000)]);
    assert_eq!(code(gateway.notify("agribank", &pay("A1", 140_000))), "03");
    assert_eq!(code(gateway.notify("agribank", &pay("A1", 150_000))), "00");
    assert_eq!(code(gateway.notify("agribank", &pay("A1", 150_000))), "05");
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(gateway.receipts(), ["agribank refused 2", "agribank settled 1"]);
}

#[test]
fn another_partners_right_signature_is_a_bad_one() {
    let gateway = Gateway::start();
    let forged = gateway.forge("standard", &pays("p1", "HD-1", 1));
    check(&gateway.send("zalopay", &forged), 200, r#"{"return_code":-1,"return_message":"mac not equal"}"#);
    assert!(gateway.receipts().is_empty());
}

#[test]
fn a_missing_a_truncated_and_a_doubled_signature_are_one_answer() {
    let gateway = Gateway::start();
    let good = gateway.forge("standard", &pays("p1", "HD-1", 1));
    let signature = good.headers.iter().find(|(n, _)| n == "webhook-signature").unwrap().1.clone();
    let with = |headers: Vec<(&str, String)>| {
        let mut call = good.clone();
        call.headers.retain(|(n, _)| n != "webhook-signature");
        call.headers.extend(headers.into_iter().map(|(n, v)| (n.to_owned(), v)));
        gateway.send("standard", &call)
    };
    let missing = with(vec![]);
    check_word(&missing, 401, "bad_signature");
    let truncated = with(vec![("webhook-signature", signature[..signature.len() - 4].to_owned())]);
    let doubled = with(vec![("webhook-signature", signature.clone()), ("webhook-signature", signature.clone())]);
    assert_eq!((missing.status, missing.body.clone()), (truncated.status, truncated.body));
    assert_eq!((missing.status, missing.body), (doubled.status, doubled.body));
    assert!(gateway.receipts().is_empty());
}

#[test]
fn an_unknown_partner_and_a_wrong_method_are_refused() {
    let gateway = Gateway::start();
    let forged = gateway.forge("standard", &pays("p1", "HD-1", 1));
    assert_eq!(gateway.send("nobody", &forged).status, 404);
    let get = http::request("GET", "/webhooks/standard", &[], b"");
    assert_eq!(http::call(gateway.running().public(), &get).status, 405);
    // The internal API is not to be found on the collectors' port.
    let internal = http::request("GET", "/metrics", &[], b"");
    assert_eq!(http::call(gateway.running().public(), &internal).status, 404);
}

#[test]
fn bills_and_status_answer_by_the_rule_that_settles() {
    let gateway = Gateway::start();
    let ask = |path: &str, example: usize, wanted: Wanted| {
        let forged = gateway.forge("standard", &Wanted { example: Some(example), ..wanted });
        http::call(gateway.running().public(), &http::to_path(&format!("/partners/standard/{path}"), &forged)).json()
    };
    let examples = gateway.profile("standard").examples().len();
    let (bills, status) = (examples - 1, examples);
    let none = Wanted::default;
    let unknown = ask("bills", bills, none());
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000)]);
    let known = ask("bills", bills, none());
    assert_ne!(unknown, known);
    assert!(known.to_string().contains("HD-1") && known.to_string().contains("90000"), "{known}");
    let crossed =
        Wanted { customer: Some("PA03HL0000009".to_owned()), invoice: Some("HD-1".to_owned()), ..Wanted::default() };
    assert_eq!(ask("bills", bills, crossed), unknown, "whose bill it is, is not told to who names another customer");
    let before = ask("status", status, none());
    gateway.notify("standard", &pays("pay_0001", "HD-1", 150_000));
    let after = ask("status", status, none());
    assert_ne!(before, after);
    let left = ask("bills", bills, none());
    assert!(!left.to_string().contains("HD-1") && left.to_string().contains("HD-2"), "{left}");
}

#[test]
fn a_paused_partner_hears_the_retry_word_and_others_do_not() {
    let mut gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000)]);
    let command = |gateway: &Gateway, action: &str| {
        gateway.internal("POST", &format!("/api/v1/partners/standard/{action}"), "application/json", b"").status
    };
    assert_eq!(command(&gateway, "pause"), 204);
    check_word(&gateway.notify("standard", &pays("p1", "HD-1", 150_000)), 503, "try_again");
    gateway.restart();
    check_word(&gateway.notify("standard", &pays("p1", "HD-1", 150_000)), 503, "try_again");
    let wallet = gateway.notify("zalopay", &wallet("1", "HD-2", 90_000));
    check(&wallet, 200, r#"{"return_code":1,"return_message":"success"}"#);
    assert_eq!(command(&gateway, "resume"), 204);
    check_word(&gateway.notify("standard", &pays("p1", "HD-1", 150_000)), 200, "accepted");
}

#[test]
fn profiles_are_read_again_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| std::fs::copy(crate::harness::shipped().join(name), folder.path().join(name)).unwrap();
    copy("standard.toml");
    let gateway = Gateway::with(Setup { partners: Some(folder.path().to_owned()), ..Setup::default() });
    assert_eq!(gateway.send("zalopay", &gateway.forge("standard", &pays("p", "HD-1", 1))).status, 404);
    copy("zalopay.toml");
    std::fs::write(folder.path().join("broken.toml"), "partner = \"broken\"\n").unwrap();
    let error = gateway.running().reload().unwrap_err();
    assert!(error.contains("broken.toml"), "{error}");
    assert_eq!(gateway.send("zalopay", &gateway.forge("standard", &pays("p", "HD-1", 1))).status, 404);
    std::fs::remove_file(folder.path().join("broken.toml")).unwrap();
    gateway.running().reload().unwrap();
    assert_eq!(gateway.send("zalopay", &gateway.forge("standard", &pays("p", "HD-1", 1))).status, 200);
}

#[test]
fn no_secret_and_no_payer_is_seen_in_answers_or_metrics() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let mut seen = String::new();
    for answer in [
        gateway.notify("standard", &pays("p1", "HD-1", 150_000)),
        gateway.notify("zalopay", &Wanted { account: Some("9999".to_owned()), ..wallet("6", "HD-1", 1) }),
        gateway.notify("agribank", &pays("A1", "HD-1", 1)),
        gateway.get("/metrics"),
        gateway.get("/"),
        gateway.get("/readyz"),
        gateway.get("/api/v1/nothing"),
    ] {
        seen.push_str(&answer.head);
        seen.push_str(&answer.text());
    }
    let canaries = keys().canaries();
    assert!(canaries.len() >= 3);
    let ours = [crate::harness::TOKEN, crate::harness::READ_TOKEN, crate::harness::SEAL_SECRET].map(str::to_owned);
    for canary in canaries.iter().chain(&ours) {
        assert!(!seen.contains(canary.as_str()), "a secret was shown");
    }
    assert!(!gateway.get("/metrics").text().contains("PA03HL0000001"));
    assert!(seen.contains("thuho_notices_total"), "the metrics page counts");
}

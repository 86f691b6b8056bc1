//! "Words that must mean one thing", sentence by sentence: where each is held, and the tests of those that no other module
//! holds. Hold I2 and I3.
//!
//! | the design says | held by |
//! |---|---|
//! | an event key is partner, account, event id, effect | `domain::ids::every_part_of_the_identity_counts`, [`a_reversal_may_carry_its_payments_own_number`] |
//! | the event id is a list of fields | [`one_number_on_two_days_is_two_payments`] |
//! | hashed with length prefixes | `domain::ids::moving_a_boundary_changes_the_key` |
//! | the account must be the configured one | `webhook::a_wallet_hears_each_outcome_in_its_own_words`, `profiles::event_ids_have_one_spelling` |
//! | only a notice that moves money claims its key | `stories::a_success_after_a_pending_is_accepted_and_a_failure_after_a_success_opens_a_break`, [`what_is_not_read_claims_nothing`] |
//! | a failure after a success changes no books and opens a break | the same story |
//! | keys are never purged | `duplicates::a_repeat_is_a_duplicate_at_once_after_a_restart_and_after_thirteen_months`, [`a_key_outlives_the_bytes_it_came_with`] |
//! | the same content is the decoded money fields | `stories::the_same_event_with_other_content_is_a_conflict_and_the_first_value_stays` |
//! | never raw bytes, send time, signature, texts, paid-at | `stories::a_repeat_with_other_wrapping_is_the_same_content`, `vocabulary::texts`, each profile's `same_content_as` |
//! | a conflict keeps the first value, opens a break, is never like a duplicate | `stories::the_same_event_with_other_content_...`, `webhook::a_wallet_hears_...`, `profiles::every_outcome_has_a_reply_and_no_refusal_reads_as_success` |
//! | a repeat is answered from the present state | `stories::a_repeat_is_answered_from_the_present_state_and_writes_nothing`, `imports::an_import_decides_the_payments_again_that_named_its_invoice` |
//! | amount is what the bill is reduced by; means | `vocabulary::texts::what_the_customer_paid_and_the_discount_together_are_the_bill`, `profiles::what_is_forged_...` |
//! | a fee is what the partner charges | `stories::a_discount_is_its_sponsors_and_a_fee_comes_out_of_clearing` |
//! | unknown, wrong, already paid: whole to suspense, with a break | `stories::a_wrong_amount_is_kept_whole_in_suspense` and the two beside it |
//! | stale, undecodable, unmapped: a receipt with a break, and the retry word | `limits::a_proved_body_that_is_not_understood_is_kept_and_asked_for_again`, `webhook::a_stale_call_is_a_receipt_and_redo_books_it` |
//! | redo reads by the present profile | [`an_unmapped_status_is_kept_and_redo_reads_it_by_the_profile_of_the_day`] |
//! | many stale calls raise a clock alarm | `intake::alarm`, [`our_clock_ten_minutes_off_raises_the_alarm_and_loses_nothing`] |
//! | a refusal before the debit claims nothing and is decided afresh | `stories::a_refusal_before_the_debit_claims_nothing_and_is_decided_afresh`, `webhook::a_bank_that_asks_first_...` |
//! | such a profile maps a reversal or a status enquiry | `loading::a_profile_that_refuses_needs_a_way_to_learn_the_end` |
//! | the quarantine is for what is not proved, and bounded | `intake::quarantine`, `webhook::another_partners_right_signature_is_a_bad_one` |
//! | a flood costs no proved notice anything | `limits::a_forged_flood_of_one_peer_costs_proved_notices_nothing_while_it_lasts` |
//! | before the signature only the peer and the total are limited | `limits::a_forged_flood_is_limited_by_its_address_and_proved_notices_of_others_are_taken`, `intake::limits` |
//! | a proved notice is turned away only by a full queue, with the retry word | [`a_full_queue_is_the_retry_word_and_costs_nothing`], `writer::a_full_queue_is_busy_...` |

use crate::harness::http::{self, Answer};
use crate::harness::{Gateway, Setup, bill, pays, shipped};
use std::sync::Barrier;
use thuho::domain::ids::Movement;
use thuho::domain::notice::Effect;
use thuho::partner::forge::Wanted;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn outcome(answer: &Answer) -> String {
    answer.json()["outcome"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
}

fn check(gateway: &Gateway, wanted: &Wanted, expected: &str) {
    assert_eq!(outcome(&gateway.notify("standard", wanted)), expected);
}

fn redo(gateway: &Gateway) -> serde_json::Value {
    gateway.internal("POST", "/api/v1/notices/redo", "application/json", br#"{"partner":"standard"}"#).json()
}

#[test]
fn one_number_on_two_days_is_two_payments() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000), bill("HD-2", 90_000).of("PA03HL0000002")]);
    let code = |day: &str, invoice: &str, amount| {
        let wanted = Wanted { event: Some(vec![day.to_owned(), "A1".to_owned()]), ..pays("A1", invoice, amount) };
        gateway.notify("agribank", &wanted).json()["responseCode"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("2026-11-21", "HD-1", 150_000), "00");
    assert_eq!(code("2026-11-22", "HD-2", 90_000), "00");
    assert_eq!(code("2026-11-21", "HD-1", 150_000), "05");
    assert_eq!((gateway.settled("HD-1"), gateway.settled("HD-2")), (150_000, 90_000));
}

#[test]
fn a_reversal_may_carry_its_payments_own_number() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let payment = pays("p1", "HD-1", 150_000);
    let undo = Wanted {
        effect: Some(Effect::Moves(Movement::Reversal)),
        reverses: Some(vec!["p1".to_owned()]),
        ..payment.clone()
    };
    check(&gateway, &payment, "accepted");
    check(&gateway, &undo, "accepted");
    assert_eq!(gateway.settled("HD-1"), 0);
    check(&gateway, &undo, "duplicate");
    check(&gateway, &payment, "duplicate");
    assert_eq!(gateway.settled("HD-1"), 0);
}

#[test]
fn what_is_not_read_claims_nothing() {
    let gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    let payment = pays("p1", "HD-1", 150_000);
    let late = gateway.forge("standard", &payment);
    check(&gateway, &Wanted { status: Some("payment.exploded".to_owned()), ..payment.clone() }, "malformed");
    check(&gateway, &Wanted { account: Some("another".to_owned()), ..payment.clone() }, "malformed");
    gateway.clock.advance_ms(10 * 60 * 1000);
    assert_eq!(outcome(&gateway.send("standard", &late)), "stale");
    check(&gateway, &payment, "accepted");
    // What was kept unread is the same payment once it is read: the books change once.
    assert_eq!(redo(&gateway), serde_json::json!({"read": 1, "outcomes": {"duplicate": 1, "malformed": 2}}));
    check(&gateway, &payment, "duplicate");
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

#[test]
fn a_key_outlives_the_bytes_it_came_with() {
    let mut gateway = Gateway::start();
    gateway.put(&[bill("HD-1", 150_000)]);
    check(&gateway, &pays("p1", "HD-1", 150_000), "accepted");
    gateway.down();
    let told = "UPDATE dispatches SET state = 'delivered', head = 0, delivered_at = created_at";
    assert_eq!(rusqlite::Connection::open(gateway.db()).unwrap().execute(told, []).unwrap(), 1);
    gateway.clock.advance_ms(396 * DAY_MS);
    gateway.up();
    let forget = br#"{"what": "raw", "older_than_days": 395}"#;
    let forgotten = gateway.internal("POST", "/api/v1/retention", "application/json", forget);
    assert_eq!(forgotten.json()["erased"], 1, "{}", forgotten.text());
    check(&gateway, &pays("p1", "HD-1", 150_000), "duplicate");
    check(&gateway, &pays("p1", "HD-1", 140_000), "conflict");
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

#[test]
fn an_unmapped_status_is_kept_and_redo_reads_it_by_the_profile_of_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("standard.toml");
    let text = std::fs::read_to_string(shipped().join("standard.toml")).unwrap();
    std::fs::write(&file, &text).unwrap();
    let gateway = Gateway::with(Setup { partners: Some(folder.path().to_owned()), ..Setup::default() });
    gateway.put(&[bill("HD-1", 150_000)]);
    let new_word = Wanted { status: Some("payment.settled".to_owned()), ..pays("p1", "HD-1", 150_000) };
    check(&gateway, &new_word, "malformed");
    assert_eq!(gateway.receipts(), ["standard unreadable 1"]);
    assert!(gateway.get("/api/v1/breaks").text().contains("UNREADABLE"));
    assert_eq!(redo(&gateway)["read"], 0, "the profile does not know the word yet");
    let known =
        text.replacen("\"payment.succeeded\" =", "\"payment.settled\" = \"payment\"\n\"payment.succeeded\" =", 1);
    std::fs::write(&file, known).unwrap();
    gateway.running().reload().unwrap();
    assert_eq!(redo(&gateway), serde_json::json!({"read": 1, "outcomes": {"accepted": 1}}));
    check(&gateway, &new_word, "duplicate");
    assert_eq!(gateway.settled("HD-1"), 150_000);
    assert_eq!(redo(&gateway)["read"], 0);
}

#[test]
fn our_clock_ten_minutes_off_raises_the_alarm_and_loses_nothing() {
    for off_ms in [-10 * 60 * 1000, 10 * 60 * 1000] {
        let gateway = Gateway::configured("limits.stale_alarm = 5");
        let calls: Vec<_> =
            (0..6).map(|n| gateway.forge("standard", &pays(&format!("p{n}"), &format!("HD-{n}"), 150_000))).collect();
        gateway.put(&[bill("HD-0", 150_000)]);
        gateway.clock.advance_ms(off_ms);
        for call in &calls {
            let answer = gateway.send("standard", call);
            assert_eq!((answer.status, outcome(&answer).as_str()), (503, "stale"));
        }
        assert!(gateway.get("/metrics").text().contains("thuho_clock_alarms_total{partner=\"standard\"}"));
        assert_eq!((gateway.settled("HD-0"), gateway.receipts()), (0, vec!["standard stale 6".to_owned()]));
        gateway.clock.advance_ms(-off_ms);
        assert_eq!(outcome(&gateway.send("standard", &calls[0])), "accepted");
        let again = serde_json::json!({"read": 6, "outcomes": {"duplicate": 1, "unknown_invoice": 5}});
        assert_eq!(redo(&gateway), again);
        assert_eq!(gateway.settled("HD-0"), 150_000);
    }
}

#[test]
fn a_full_queue_is_the_retry_word_and_costs_nothing() {
    const CALLERS: usize = 64;
    let gateway = Gateway::configured("limits.queue = 1\nlimits.batch = 1");
    let to = gateway.running().public();
    let mut sent = 0;
    let mut turned_away = 0;
    for round in 0..20 {
        let payment = |n: usize| gateway.forge("standard", &pays(&format!("p{round}-{n}"), "HD-9", 1_500));
        let calls: Vec<_> = (0..CALLERS).map(|n| http::webhook("standard", &payment(n))).collect();
        let barrier = Barrier::new(CALLERS);
        turned_away += std::thread::scope(|scope| {
            let (barrier, at) = (&barrier, to);
            let at_once = move |call: &[u8]| {
                barrier.wait();
                let first = http::call(at, call);
                let mut last = first.clone();
                while outcome(&last) == "try_again" {
                    assert_eq!(last.status, 503);
                    last = http::call(at, call);
                }
                assert_eq!(outcome(&last), "unknown_invoice", "{}", last.text());
                usize::from(outcome(&first) == "try_again")
            };
            let callers: Vec<_> = calls.iter().map(|call| scope.spawn(move || at_once(call))).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum::<usize>()
        });
        sent += CALLERS;
        if turned_away > 0 {
            break;
        }
    }
    assert!(turned_away > 0, "a queue of one was never full");
    assert_eq!(gateway.receipts(), [format!("standard parked {sent}")]);
}

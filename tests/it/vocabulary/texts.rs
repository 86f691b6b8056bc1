//! Partners that speak in JSON: a text inside a text, what the customer paid, fields that an old scheme leaves unsigned,
//! keys that follow each other, and answers under our own signature.

use super::dialect::*;
use crate::harness::http::Answer;
use crate::harness::{START_MS, bill};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha1::Sha1;
use sha2::Sha256;
use thuho::partner::forge::Forged;

const JSON: &str = "application/json";

/// JSON in a text of JSON, signed as that text; figures in texts; the amount is what the customer paid.
static ENVELOPE: Dialect = Dialect {
    name: "envelope",
    head: r#"about = "an envelope with JSON in a text"
content_types = ["application/json"]
timezone = "Asia/Ho_Chi_Minh"
on_mismatch = "keep"
answer_deadline_ms = 5000

[signature]
algorithm = "hmac-sha256"
encoding = "base64"
at = "json:/sig"
over = { form = "exact-text", at = "json:/data" }

[[key]]
id = "live"
secret = "env:LIVE"

[notice]
event = ["json:/data > /id"]
account = { at = "json:/data > /account", is = "THUHO" }
effect = "payment"
invoice = "json:/data > /order > /bill"
amount = { at = "json:/data > /paid", means = "customer_paid", written = "text" }
discount = { at = "json:/data > /voucher", written = "text" }
funder = "utility"
paid_at = { at = "json:/data > /at", format = "%d/%m/%Y %H:%M:%S" }

[success_when]
status = [200]
"#,
    write: |said, key| {
        let Said { event, invoice, amount, discount, nonce } = said;
        let paid = amount - discount;
        envelope(&said_in(event, invoice, &format!("\"{paid}\""), &format!("\"{discount}\""), *nonce), key)
    },
    reply: by_status,
    has_discount: true,
    secrets: &[("env:LIVE", LIVE_KEY)],
};

fn said_in(event: &str, invoice: &str, paid: &str, voucher: &str, nonce: u32) -> String {
    format!(
        r#"{{"id":"{event}","account":"THUHO","order":"{{\"bill\":\"{invoice}\"}}","paid":{paid},"voucher":{voucher},"at":"22/11/2026 08:30:00","note":"Tiền điện \u0111 {nonce}"}}"#
    )
}

fn envelope(data: &str, key: &str) -> Forged {
    let sig = STANDARD.encode(mac::<Hmac<Sha256>>(key, data));
    post(JSON, &[], serde_json::json!({ "data": data, "sig": sig }).to_string())
}

#[test]
fn what_the_customer_paid_and_the_discount_together_are_the_bill() {
    let partner = ENVELOPE.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    check(&partner.say(&said("E1", 150_000).discounted(20_000)), 200, "accepted");
    check(&partner.say(&said("E1", 150_000).discounted(20_000).again()), 200, "duplicate");
    // The same figure paid, and another discount: other money.
    check(&partner.say(&said("E1", 140_000).discounted(10_000)), 409, "conflict");
    check(&partner.say(&said("E2", 150_000)), 200, "already_paid");
    let payments = partner.payments("HD-1");
    let settled = payments.as_array().unwrap().iter().find(|p| p["event"] == "E1").unwrap();
    assert_eq!((&settled["amount"], &settled["discount"]), (&150_000.into(), &20_000.into()));
    assert_eq!(settled["paid_at"], "2026-11-22T01:30:00.000Z");
    let mut entries: Vec<String> = settled["postings"][0]["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["account"].as_str().unwrap(), entry["amount"]))
        .collect();
    entries.sort();
    assert_eq!(entries, ["clearing:envelope 130000", "promotion:utility 20000", "receivable:PA03HL -150000"]);
}

#[test]
fn a_text_inside_a_text_is_proved_to_the_byte_and_read_strictly() {
    let partner = ENVELOPE.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let good = said_in("E1", "HD-1", "\"150000\"", "\"0\"", 1);
    let call = envelope(&good, LIVE_KEY);
    // The envelope is not signed: its other spelling changes nothing. A byte of the text does.
    let body = String::from_utf8(call.body.clone()).unwrap();
    let spaced = Forged { body: body.replacen("{\"", "{ \"", 1).into_bytes(), ..call.clone() };
    check(&partner.send(&spaced), 200, "accepted");
    for changed in [
        body.replace("Tiền", "Tien"),
        body.replacen("\\\"id\\\"", " \\\"id\\\"", 1),
        body.replace("\"sig\":", "\"sig\":\"AAAA\",\"sig\":"),
        body.replace("\"data\":\"", "\"data\":\" "),
    ] {
        let call = Forged { body: changed.into_bytes(), ..call.clone() };
        check(&partner.send(&call), 401, "bad_signature");
    }
    for odd in [
        said_in("E2", "HD-1", "150000", "\"0\"", 1),
        said_in("E2", "HD-1", "\"150000\"", "0", 1),
        said_in("E2", "HD-1", "\"150.000\"", "\"0\"", 1),
        said_in("E2", "HD-1", "\" 150000\"", "\"0\"", 1),
        said_in("E2", "HD-1", "\"999999999999999999\"", "\"999999999999999999\"", 1),
        good.replace("22/11/2026", "31/02/2026"),
        good.replace("22/11/2026 08", "22/11/2026 24"),
        good.replace("\"{\\\"bill\\\":\\\"HD-1\\\"}\"", "\"{\\\"bill\\\":\""),
        good.replace("\"id\":\"E1\",", "\"id\":\"E1\",\"id\":\"E3\","),
        "not JSON".to_owned(),
    ] {
        assert_ne!(odd, good);
        check(&partner.send(&envelope(&odd, LIVE_KEY)), 422, "malformed");
    }
    assert_eq!(partner.gateway.receipts(), ["envelope settled 1", "envelope unreadable 10"]);
}

/// An old scheme: SHA-1 over three fields, and the rest unsigned, which the profile admits in so many words.
static LEGACY: Dialect = Dialect {
    name: "legacy",
    head: r#"about = "joined fields under SHA-1, the time of payment unsigned"
content_types = ["application/json"]
timezone = "Asia/Ho_Chi_Minh"
on_mismatch = "keep"
answer_deadline_ms = 5000
allow_legacy = true
unsigned = ["json:/paidAt"]

[signature]
algorithm = "hmac-sha1"
encoding = "hex"
at = "header:x-mac"
over = { form = "joined-fields", fields = ["json:/id", "json:/amount", "json:/bill"], separator = "|" }

[[key]]
id = "live"
secret = "env:LIVE"

[notice]
event = ["json:/id"]
account = { is = "THUHO" }
effect = "payment"
invoice = "json:/bill"
amount = { at = "json:/amount", means = "bill" }
channel = "json:/nonce"
paid_at = { at = "json:/paidAt", format = "rfc3339" }

[success_when]
status = [200]
"#,
    write: |said, key| {
        let Said { event, invoice, amount, nonce, .. } = said;
        let sign = hex::encode(mac::<Hmac<Sha1>>(key, &format!("{event}|{amount}|{invoice}")));
        let body = format!(
            r#"{{"id":"{event}","amount":{amount},"bill":"{invoice}","paidAt":"2026-11-22T08:30:00+07:00","nonce":{nonce}}}"#
        );
        post(JSON, &[("x-mac", sign)], body)
    },
    reply: by_status,
    has_discount: false,
    secrets: &[("env:LIVE", LIVE_KEY)],
};

#[test]
fn an_unsigned_field_is_read_only_where_the_profile_admits_it() {
    let partner = LEGACY.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let call = partner.write(&said("E1", 150_000));
    let body = String::from_utf8(call.body.clone()).unwrap();
    let with = |from: &str, to: &str| {
        assert!(body.contains(from), "{from}");
        partner.send(&Forged { body: body.replace(from, to).into_bytes(), ..call.clone() })
    };
    check(&with("150000", "15000"), 401, "bad_signature");
    check(&with("\"E1\"", "\"E1|1\""), 401, "bad_signature");
    check(&with("HD-1", "HD-2"), 401, "bad_signature");
    // Admitted: the time of payment may be anybody's word. It moves no money and is no part of the content.
    check(&with("08:30:00", "08:31:00"), 200, "accepted");
    check(&with("08:30:00", "08:32:00"), 200, "duplicate");
    assert_eq!(partner.payments("HD-1")[0]["paid_at"], "2026-11-22T01:31:00.000Z");
    assert_eq!(partner.gateway.settled("HD-1"), 150_000);
}

#[test]
fn a_legacy_profile_loads_only_with_what_it_admits() {
    let has = |faults: &str, expected: &str| assert!(faults.contains(expected), "{faults}\nexpected: {expected}");
    let plain = LEGACY.faults("allow_legacy = true\n", "");
    has(&plain, "unsigned: expected none, or allow_legacy = true with it");
    has(&plain, "hmac-sha1: expected allow_legacy = true with it");
    has(&plain, "notice.paid_at.at: expected a place under the signature, found json:/paidAt outside the signed bytes");
    let silent = LEGACY.faults("unsigned = [\"json:/paidAt\"]\n", "");
    has(&silent, "notice.paid_at.at: expected a place under the signature");
    let amount = LEGACY.faults("\"json:/id\", \"json:/amount\",", "\"json:/id\",");
    has(&amount, "notice.amount.at: expected a place under the signature, found json:/amount outside the signed bytes");
}

/// Two keys that follow each other, named by the call, and answers signed by us.
static ROTATING: Dialect = Dialect {
    name: "rotating",
    head: r#"about = "two keys with their days, and signed replies"
content_types = ["application/json"]
timezone = "Asia/Ho_Chi_Minh"
on_mismatch = "keep"
answer_deadline_ms = 5000

[signature]
algorithm = "hmac-sha256"
encoding = "hex"
at = "header:x-sign"
key_id = "header:x-key"
over = { form = "template", text = "{header:x-time}.{body}" }
sent_at = { at = "header:x-time", format = "unix-s", tolerance_s = 300 }

[[key]]
id = "old"
secret = "env:OLD"
not_after = "2026-11-22T09:10:00+07:00"

[[key]]
id = "new"
secret = "env:NEW"
not_before = "2026-11-22T09:05:00+07:00"

[reply_signature]
algorithm = "hmac-sha256"
encoding = "hex"
header = "x-reply-sign"
over = "{status}.{header:x-reply-time}.{body}"
key = "env:REPLY"
example_key = "the reply key of the examples"

[notice]
event = ["json:/id"]
account = { is = "THUHO" }
effect = "payment"
invoice = "json:/bill"
amount = { at = "json:/amount", means = "bill" }
channel = "json:/nonce"
paid_at = { at = "json:/paidAt", format = "unix-s" }

[success_when]
status = [200]
"#,
    write: |said, key| rotating(said, "example", key, START_MS),
    reply: |outcome| format!("{}\nheaders = {{ x-reply-time = \"{{now:unix-s}}\" }}", by_status(outcome)),
    has_discount: false,
    secrets: &[("env:OLD", OLD), ("env:NEW", NEW), ("env:REPLY", REPLY)],
};

const OLD: &str = "the old key, until ten past nine";
const NEW: &str = "the new key, from five past nine";
const REPLY: &str = "our key for replies, and no other";

fn rotating(said: &Said, id: &str, key: &str, now_ms: i64) -> Forged {
    let Said { event, invoice, amount, nonce, .. } = said;
    let body =
        format!(r#"{{"id":"{event}","amount":{amount},"bill":"{invoice}","paidAt":1795311000,"nonce":{nonce}}}"#);
    let time = (now_ms / 1000).to_string();
    let sign = hex::encode(mac::<Hmac<Sha256>>(key, &format!("{time}.{body}")));
    post(JSON, &[("x-sign", sign), ("x-key", id.to_owned()), ("x-time", time)], body)
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut found =
        answer.head.lines().filter_map(|l| l.split_once(": ")).filter(|(n, _)| n.eq_ignore_ascii_case(name));
    let value = found.next().unwrap_or_else(|| panic!("no {name} in {}", answer.head)).1;
    assert!(found.next().is_none(), "{name} once");
    value
}

/// The words, and our signature over status, time and words.
fn check_signed(answer: &Answer, now_ms: i64, status: u16, word: &str) {
    check(answer, status, word);
    let time = (now_ms / 1000).to_string();
    assert_eq!(header(answer, "x-reply-time"), time);
    let expected = hex::encode(mac::<Hmac<Sha256>>(REPLY, &format!("{status}.{time}.{word}")));
    assert_eq!(header(answer, "x-reply-sign"), expected);
}

#[test]
fn keys_follow_each_other_and_every_answer_is_signed() {
    let partner = ROTATING.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let minute = 60_000;
    let mut now = START_MS;
    let first = said("E1", 150_000);
    let mut at = |minutes: i64, id: &str, key: &str, status: u16, word: &str| {
        partner.gateway.clock.advance_ms(START_MS + minutes * minute - now);
        now = START_MS + minutes * minute;
        check_signed(&partner.send(&rotating(&first, id, key, now)), now, status, word);
    };
    at(0, "new", NEW, 401, "bad_signature");
    at(0, "old", NEW, 401, "bad_signature");
    at(0, "example", EXAMPLE_KEY, 401, "bad_signature");
    at(0, "nobody", OLD, 401, "bad_signature");
    at(4, "new", NEW, 401, "bad_signature");
    at(4, "old", OLD, 200, "accepted");
    at(6, "old", OLD, 200, "duplicate");
    at(6, "new", NEW, 200, "duplicate");
    at(6, "new", OLD, 401, "bad_signature");
    at(9, "old", OLD, 200, "duplicate");
    at(11, "old", OLD, 401, "bad_signature");
    at(11, "new", NEW, 200, "duplicate");
    at(400 * 24 * 60, "new", NEW, 200, "duplicate");
    assert_eq!(partner.gateway.settled("HD-1"), 150_000);
    assert_eq!(partner.gateway.receipts(), ["rotating settled 1"]);
    // A stale call is proved, so it is kept; its answer is signed as well.
    let late = rotating(&said("E2", 150_000), "new", NEW, now - 10 * minute);
    check_signed(&partner.send(&late), now, 503, "stale");
    assert_eq!(partner.gateway.receipts(), ["rotating settled 1", "rotating stale 1"]);
}

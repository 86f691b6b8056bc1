//! Partners that speak in pairs: in the query of a GET, and in a form.

use super::dialect::*;
use crate::harness::bill;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha2::{Sha256, Sha512};
use thuho::domain::notice::Method;
use thuho::domain::outcome::Outcome;
use thuho::partner::forge::Forged;

/// All in the query; the signature over the pairs as received, by name; amounts times a hundred; UTC beside a
/// Vietnamese business day.
static RETURN_URL: Dialect = Dialect {
    name: "returnurl",
    head: r#"about = "a GET with its signature over the raw query"
method = "GET"
timezone = "Asia/Ho_Chi_Minh"
on_mismatch = "keep"
answer_deadline_ms = 5000

[signature]
algorithm = "hmac-sha512"
encoding = "hex"
at = "query:pay_SecureHash"
over = { form = "raw-pairs", of = "query", except = ["pay_SecureHash"], prefix = "pay_", skip_empty = true }

[[key]]
id = "live"
secret = "env:LIVE"

[notice]
event = ["query:pay_TranNo"]
account = { at = "query:pay_TmnCode", is = "THUHO01" }
effect = { at = "query:pay_Status", map = { "00" = "payment", "24" = "failed" } }
invoice = "query:pay_TxnRef"
amount = { at = "query:pay_Amount", means = "bill", scale = 2 }
paid_at = { at = "query:pay_PayDate", format = "%Y%m%d%H%M%S", zone = "UTC" }

[success_when]
status = [200]
at = "json:/RspCode"
is = ["00", "02"]
"#,
    write: |said, key| return_url(said, key, &[]),
    reply: coded,
    has_discount: false,
    secrets: &[("env:LIVE", LIVE_KEY)],
};

fn coded(outcome: Outcome) -> String {
    let code = match outcome {
        Outcome::Duplicate => "02",
        Outcome::BadSignature => "97",
        Outcome::Conflict | Outcome::ReversalRefused => "04",
        Outcome::Malformed | Outcome::Stale | Outcome::TryAgain => "99",
        _ => "00",
    };
    format!("status = 200\njson = {{ RspCode = \"{code}\", Message = \"{}\" }}", outcome.word())
}

/// The call, with some pairs in other words.
fn return_url(said: &Said, key: &str, changed: &[(&str, &str)]) -> Forged {
    let mut pairs = vec![
        ("pay_Amount", format!("{}00", said.amount)),
        ("pay_Empty", String::new()),
        ("pay_OrderInfo", format!("Tien+dien+ky+11%2F2026+{}", said.nonce)),
        ("pay_PayDate", "20261122013000".to_owned()),
        ("pay_Status", "00".to_owned()),
        ("pay_TmnCode", "THUHO01".to_owned()),
        ("pay_TranNo", said.event.to_owned()),
        ("pay_TxnRef", said.invoice.to_owned()),
    ];
    for (name, value) in changed {
        pairs.iter_mut().find(|(known, _)| known == name).unwrap().1 = (*value).to_owned();
    }
    let written = |pairs: &[(&str, String)]| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    let signed: Vec<_> = pairs.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    let hash = hex::encode(mac::<Hmac<Sha512>>(key, &written(&signed)));
    get(format!("{}&pay_SecureHash={hash}", written(&pairs)))
}

#[test]
fn a_notice_in_a_query_is_proved_over_its_raw_pairs_and_read_times_a_hundred_in_its_own_zone() {
    let partner = RETURN_URL.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let first = said("E1", 150_000);
    let ok = r#"{"Message":"accepted","RspCode":"00"}"#;
    let done = r#"{"Message":"duplicate","RspCode":"02"}"#;
    check(&partner.say(&first), 200, ok);
    check(&partner.say(&first), 200, done);
    check(&partner.say(&first.again()), 200, done);
    assert_eq!(partner.gateway.settled("HD-1"), 150_000);
    let payment = &partner.payments("HD-1")[0];
    assert_eq!((&payment["amount"], &payment["event"]), (&150_000.into(), &"E1".into()));
    assert_eq!(payment["paid_at"], "2026-11-22T01:30:00.000Z");
    assert_eq!(payment["business_day"], "2026-11-22");
    check(&partner.say(&said("E1", 140_000)), 200, r#"{"Message":"conflict","RspCode":"04"}"#);
    // The order of the pairs and what is not under the prefix are not signed, and say nothing.
    let mut call = partner.write(&first);
    let mut pairs: Vec<_> = call.query.split('&').collect();
    pairs.reverse();
    call.query = format!("utm=1&{}&pay=9", pairs.join("&"));
    check(&partner.send(&call), 200, done);
}

#[test]
fn a_query_changed_on_the_way_doubled_or_spelt_otherwise_is_not_proved() {
    let partner = RETURN_URL.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let query = partner.write(&said("E1", 150_000)).query;
    let forged = r#"{"Message":"bad_signature","RspCode":"97"}"#;
    for changed in [
        query.replace("pay_Amount=15000000", "pay_Amount=15000001"),
        query.replace("11%2F2026", "11/2026"),
        query.replace("Tien+dien", "Tien%20dien"),
        format!("{query}&pay_Amount=100"),
        format!("{query}&pay%5FAmount=100"),
        format!("{query}&pay_SecureHash=00"),
        query.split("&pay_SecureHash").next().unwrap().to_owned(),
        query.replace("pay_SecureHash=", "pay_SecureHash=0"),
        String::new(),
    ] {
        check(&partner.send(&get(changed)), 200, forged);
    }
    assert!(partner.gateway.receipts().is_empty());
    let post = Forged { method: Method::Post, ..get(query.clone()) };
    assert_eq!(partner.send(&post).status, 405);
    let long = get(format!("{query}&utm={}", "x".repeat(9_000)));
    assert!(partner.send(&long).status >= 400, "too long to be looked at");
    check(&partner.send(&get(query)), 200, r#"{"Message":"accepted","RspCode":"00"}"#);
}

#[test]
fn a_query_that_is_proved_and_makes_no_sense_is_kept_and_asked_for_again() {
    let partner = RETURN_URL.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let with = |name, value| partner.send(&return_url(&said("E1", 150_000), LIVE_KEY, &[(name, value)]));
    let asked_again = r#"{"Message":"malformed","RspCode":"99"}"#;
    let odd = [
        ("pay_Amount", "15000050"),
        ("pay_Amount", "-15000000"),
        ("pay_Amount", "150000%2C00"),
        ("pay_Amount", "1e7"),
        ("pay_Amount", "0"),
        ("pay_PayDate", "20260230013000"),
        ("pay_PayDate", "2026112201300"),
        ("pay_PayDate", "20261124013000"),
        ("pay_PayDate", "1795312800"),
        ("pay_Status", "07"),
        ("pay_TmnCode", "OTHER01"),
        ("pay_TranNo", ""),
    ];
    for (name, value) in odd {
        check(&with(name, value), 200, asked_again);
    }
    check(&with("pay_Status", "24"), 200, r#"{"Message":"not_a_payment","RspCode":"00"}"#);
    assert_eq!(
        partner.gateway.receipts(),
        ["returnurl not_a_payment 1".to_owned(), format!("returnurl unreadable {}", odd.len())]
    );
    check(&partner.say(&said("E1", 150_000)), 200, r#"{"Message":"accepted","RspCode":"00"}"#);
}

/// A form; the signature over chosen pairs, decoded, by name; a status that is said only when it is not a success.
static FORM: Dialect = Dialect {
    name: "form",
    head: r#"about = "a form with its signature over sorted pairs"
content_types = ["application/x-www-form-urlencoded"]
timezone = "Asia/Ho_Chi_Minh"
on_mismatch = "keep"
answer_deadline_ms = 5000

[signature]
algorithm = "hmac-sha256"
encoding = "base64"
at = "form:sign"
prefix = "sha256="

[signature.over]
form = "sorted-pairs"

[signature.over.pairs]
transId = "form:transId"
amount = "form:amount"
orderId = "form:orderId"
payTime = "form:payTime"
info = "form:info"
partnerCode = "const:THUHO"
status = "form:status"

[[key]]
id = "live"
secret = "env:LIVE"

[notice]
event = ["form:transId"]
account = { is = "THUHO" }
effect = { at = "form:status", map = { OK = "payment", WAIT = "pending" } }
invoice = "form:orderId"
amount = { at = "form:amount", means = "bill", written = "text" }
paid_at = { at = "form:payTime", format = "unix-ms" }

[success_when]
status = [200]
"#,
    write: |said, key| form(said, key, "Tiền điện & nước = 2 kỳ", "OK"),
    reply: by_status,
    has_discount: false,
    secrets: &[("env:LIVE", LIVE_KEY)],
};

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn form(said: &Said, key: &str, info: &str, status: &str) -> Forged {
    let Said { event, invoice, amount, nonce, .. } = said;
    let paid_ms = 1_795_311_000_000_i64;
    let text = format!(
        "amount={amount}&info={info}&orderId={invoice}&partnerCode=THUHO&payTime={paid_ms}&status={status}&transId={event}"
    );
    let sign = STANDARD.encode(mac::<Hmac<Sha256>>(key, &text));
    let body = format!(
        "transId={event}&status={status}&sign={}&nonce={nonce}&info={}&payTime={paid_ms}&orderId={invoice}&amount={amount}",
        escaped(&format!("sha256={sign}")),
        escaped(info)
    );
    post("application/x-www-form-urlencoded", &[], body)
}

#[test]
fn a_form_is_proved_over_its_sorted_pairs_in_any_order_and_spelling() {
    let partner = FORM.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let first = said("E1", 150_000);
    let wait = form(&first, LIVE_KEY, "", "WAIT");
    check(&partner.send(&wait), 200, "not_a_payment");
    check(&partner.say(&first), 200, "accepted");
    check(&partner.say(&first.again()), 200, "duplicate");
    check(&partner.say(&said("E1", 140_000)), 409, "conflict");
    let mut call = partner.write(&first);
    let body = String::from_utf8(call.body).unwrap();
    let mut pairs: Vec<_> = body.split('&').collect();
    pairs.reverse();
    call.body = pairs.join("&").replace("%20", "+").into_bytes();
    check(&partner.send(&call), 200, "duplicate");
    assert_eq!(partner.gateway.settled("HD-1"), 150_000);
    assert_eq!(partner.payments("HD-1")[0]["paid_at"], "2026-11-22T01:30:00.000Z");
}

#[test]
fn a_form_whose_pairs_could_be_read_in_two_ways_is_not_proved() {
    let partner = FORM.start();
    partner.gateway.put(&[bill("HD-1", 150_000)]);
    let first = said("E1", 150_000);
    // The right signature over a text that says two amounts.
    check(&partner.send(&form(&first, LIVE_KEY, "x&amount=1", "OK")), 401, "bad_signature");
    let good = partner.write(&first);
    let body = String::from_utf8(good.body.clone()).unwrap();
    for changed in [
        format!("{body}&amount=1"),
        format!("{body}&%61mount=150000"),
        format!("amount=150000&{body}"),
        body.replace("&status=OK", ""),
        body.replace("amount=150000", "amount=15000"),
        body.replace("sha256%3D", ""),
        body.replace("sha256%3D", "sha1%3D"),
        body.replace("amount=150000", "amount=15000%00"),
        body.replace("amount=150000", "amount=15000%zz"),
        "\u{feff}".to_owned() + &body,
        String::new(),
    ] {
        let call = Forged { body: changed.into_bytes(), ..good.clone() };
        check(&partner.send(&call), 401, "bad_signature");
    }
    let mut invalid = good.clone();
    invalid.body.extend(b"&x=\xff");
    check(&partner.send(&invalid), 401, "bad_signature");
    assert!(partner.gateway.receipts().is_empty());
    let json = Forged { headers: vec![("content-type".to_owned(), "application/json".to_owned())], ..good.clone() };
    assert_eq!(partner.send(&json).status, 415);
    let charset = "application/x-www-form-urlencoded; charset=UTF-8".to_owned();
    let named = Forged { headers: vec![("content-type".to_owned(), charset)], ..good };
    check(&partner.send(&named), 200, "accepted");
}

//! The shipped profiles: they load, they mean what they say, and nothing bad gets past them. Names of the shipped
//! partners come from their files, except the standard protocol's.

use bytes::Bytes;
use proptest::prelude::*;
use std::path::Path;
use std::sync::OnceLock;
use thuho::domain::money::Money;
use thuho::domain::notice::{Effect, Notice, RawNotice};
use thuho::domain::outcome::{BadSignature, Outcome, Refusal};
use thuho::domain::secret::Secret;
use thuho::domain::time::Timestamp;
use thuho::partner::forge::Wanted;
use thuho::partner::{Example, ExampleCall, FreshKey, Partners, Profile, ReplyContext, SecretSource, SigningKey};

mod loading;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/partners");

fn shipped() -> &'static Partners {
    static SHIPPED: OnceLock<Partners> = OnceLock::new();
    SHIPPED.get_or_init(|| match Partners::load_without_secrets(Path::new(DIR)) {
        Ok(partners) => partners,
        Err(errors) => panic!("{errors}"),
    })
}

fn standard() -> &'static Profile {
    shipped().get("standard").unwrap()
}

/// The file of the standard profile with something replaced.
fn standard_with(from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(format!("{DIR}/standard.toml")).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

/// The end of one call under the examples' keys: the notice, or why not.
fn judge(profile: &Profile, raw: &RawNotice, at: Timestamp) -> Result<Notice, Refusal> {
    let proved = profile.prove_as_example(raw, at)?;
    profile.read(&proved, at)
}

fn first_payment(profile: &Profile) -> &Example {
    let accepted = |e: &&Example| e.call == ExampleCall::Notice && e.outcome == "accepted";
    profile.examples().iter().find(accepted).unwrap()
}

/// A payment of the standard protocol whose `data` has some members replaced, signed by the examples' key.
fn standard_call(body: &str) -> (RawNotice, Timestamp) {
    let example = first_payment(standard());
    let mut forged = standard().forge(standard().example_signer().unwrap(), &Wanted::default(), example.at).unwrap();
    forged.body = body.as_bytes().to_vec();
    let signed = standard().sign_forged(forged, standard().example_signer().unwrap(), example.at).unwrap();
    (signed.to_raw(example.at), example.at)
}

fn standard_body(from: &str, to: &str) -> String {
    let body = String::from_utf8(first_payment(standard()).raw.body.to_vec()).unwrap();
    assert!(body.contains(from), "{from} in {body}");
    body.replacen(from, to, 1)
}

fn check_read(body: &str, expected: Result<i64, &str>) {
    let (raw, at) = standard_call(body);
    match (judge(standard(), &raw, at), expected) {
        (Ok(notice), Ok(dong)) => assert_eq!(notice.amount.dong(), dong, "{body:.300}"),
        (Err(Refusal::Malformed { field, expected: said }), Err(expected)) => {
            assert_eq!(format!("{field}: {said}"), expected, "{body:.300}");
        }
        (found, _) => panic!("{body:.300}: {found:?}, expected {expected:?}"),
    }
}

fn check_proof(raw: &RawNotice, expected: BadSignature) {
    let refusal = standard().prove_as_example(raw, first_payment(standard()).at).map(drop).unwrap_err();
    assert_eq!(refusal, Refusal::BadSignature(expected));
}

fn with_header(raw: &RawNotice, name: &str, value: Option<&str>) -> RawNotice {
    let mut raw = raw.clone();
    raw.headers.retain(|(known, _)| known != name);
    raw.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    raw
}

#[test]
fn every_shipped_profile_loads_and_proves_its_examples() {
    let codes: Vec<String> = shipped().iter().map(|profile| profile.code().to_string()).collect();
    assert!(codes.len() >= 3, "{codes:?}");
    assert!(shipped().iter().any(|profile| profile.provisional().is_some()), "one of them is provisional and says so");
}

#[test]
fn every_outcome_has_a_reply_and_no_refusal_reads_as_success() {
    for profile in shipped().iter() {
        for outcome in Outcome::ALL {
            let reply = profile.reply(outcome, &ReplyContext { raw: None, payment: None, now: Timestamp::default() });
            if outcome.must_not_succeed() {
                assert!(!profile.reads_as_success(&reply), "{}: {outcome}", profile.code());
            }
            if outcome == Outcome::Accepted || outcome == Outcome::Duplicate {
                assert!(profile.reads_as_success(&reply), "{}: {outcome}", profile.code());
            }
        }
    }
}

#[test]
fn forged_missing_truncated_and_doubled_signatures_are_not_proved() {
    let raw = &first_payment(standard()).raw;
    let given = raw.header("webhook-signature").next().unwrap().to_owned();
    let signature = |value: Option<&str>| with_header(raw, "webhook-signature", value);
    check_proof(&signature(None), BadSignature::Missing);
    check_proof(&signature(Some("")), BadSignature::Encoding);
    check_proof(&signature(Some("v1,")), BadSignature::Missing);
    check_proof(&signature(Some("v9,AAAA")), BadSignature::Missing);
    check_proof(&signature(Some(&given[..given.len() - 1])), BadSignature::Encoding);
    check_proof(&signature(Some(&given[..given.len() - 4])), BadSignature::Wrong);
    check_proof(&signature(Some(&format!("{given}{}", " v1,AAAA".repeat(8)))), BadSignature::Encoding);
    // Base64 with loose trailing bits is a second spelling of one signature.
    check_proof(&signature(Some(&given.replace("=", "").to_string())), BadSignature::Encoding);
    let mut doubled = raw.clone();
    doubled.headers.push(("webhook-signature".to_owned(), given.clone()));
    check_proof(&doubled, BadSignature::Doubled);
    check_proof(&with_header(raw, "webhook-id", None), BadSignature::Missing);
    // The separator inside a signed value would let two calls share one signature.
    check_proof(&with_header(raw, "webhook-id", Some("msg_0001.1775012405")), BadSignature::Encoding);
    let two = signature(Some(&format!("v1,AAAA {given}")));
    assert!(judge(standard(), &two, first_payment(standard()).at).is_ok(), "any one of a list may be the right one");
}

#[test]
fn a_signature_of_another_partner_proves_nothing() {
    let key = SigningKey::read(
        "vector-1",
        thuho::partner::Algorithm::HmacSha256,
        thuho::partner::KeyEncoding::Text,
        &Secret::new(b"another partner's secret of some length".to_vec()),
    )
    .unwrap();
    let example = first_payment(standard());
    let forged = standard().forge(&key, &Wanted::default(), example.at).unwrap();
    check_proof(&forged.to_raw(example.at), BadSignature::Wrong);
}

#[test]
fn amounts_are_whole_positive_numbers_or_nothing() {
    let amount = |text: &str| standard_body("\"amount\":150000", &format!("\"amount\":{text}"));
    check_read(&amount("150000"), Ok(150_000));
    check_read(&amount("150000.0"), Ok(150_000));
    check_read(&amount("-5"), Err("notice.amount: more than nothing"));
    check_read(&amount("0"), Err("notice.amount: more than nothing"));
    check_read(&amount("1e3"), Err("notice.amount: plain digits"));
    check_read(&amount("1.5"), Err("notice.amount: whole dong"));
    check_read(&amount(&format!("1{}", "0".repeat(30))), Err("notice.amount: an amount in range"));
    check_read(&amount("\"150000\""), Err("notice.amount: a number"));
    check_read(&amount("null"), Err("notice.amount: an amount"));
    check_read(&amount("true"), Err("notice.amount: a number"));
    check_read(&amount("[150000]"), Err("notice.amount: a number"));
    check_read(&standard_body("\"amount\":150000,", ""), Err("notice.amount: an amount"));
    check_read(
        &standard_body("\"discount\":0", "\"discount\":150001"),
        Err("notice.discount: at least nothing and at most the amount"),
    );
    check_read(
        &standard_body("\"discount\":0", "\"discount\":-1"),
        Err("notice.discount: at least nothing and at most the amount"),
    );
}

#[test]
fn dates_exist_and_are_not_far_ahead() {
    let paid_at = |text: &str| standard_body("2026-04-01T10:00:00+07:00", text);
    let impossible = "notice.paid_at: a moment that exists, in the profile's format";
    check_read(&paid_at("2026-04-02T10:00:00+07:00"), Ok(150_000));
    check_read(&paid_at("2026-04-02T10:00:06+07:00"), Err("notice.paid_at: a moment at most a day ahead"));
    check_read(&paid_at("9999-01-01T00:00:00Z"), Err("notice.paid_at: a moment at most a day ahead"));
    check_read(&paid_at("2026-02-30T10:00:00+07:00"), Err(impossible));
    check_read(&paid_at("2026-04-01T25:00:00+07:00"), Err(impossible));
    check_read(&paid_at("1970-01-21T13:03:32Z"), Err(impossible));
    check_read(&paid_at("yesterday"), Err(impossible));
    check_read(&paid_at(""), Err(impossible));
}

#[test]
fn a_body_with_two_readings_is_not_read() {
    check_read("", Err("body: JSON"));
    check_read("\u{feff}{}", Err("body: JSON without a byte-order mark"));
    check_read("{\"a\":\"\0\"}", Err("body: JSON without NUL"));
    check_read(
        &standard_body("\"amount\":150000", "\"amount\":150000,\"amount\":1"),
        Err("body: JSON without a repeated key"),
    );
    check_read(
        &standard_body("\"amount\":150000", "\"amount\":150000,\"x\":[{\"y\":{\"z\":1,\"\\u007a\":2}}]"),
        Err("body: JSON without a repeated key"),
    );
    check_read(&"[".repeat(10_000), Err("body: JSON of at most 64 levels"));
    check_read("[]", Err("notice.effect: a status"));
    check_read("{\"type\":\"payment.exploded\",\"data\":{}}", Err("notice.effect: a status of the profile's map"));
    let (mut raw, at) = standard_call("{}");
    raw.body = Bytes::from_static(b"{\"a\":\"\xff\"}");
    let forged = thuho::partner::forge::Forged {
        method: raw.method,
        path: raw.path.clone(),
        query: String::new(),
        headers: raw.headers.clone(),
        body: raw.body.to_vec(),
    };
    let signed = standard().sign_forged(forged, standard().example_signer().unwrap(), at).unwrap();
    let refusal = judge(standard(), &signed.to_raw(at), at).unwrap_err();
    assert_eq!(refusal.to_string(), "body: expected JSON in UTF-8");
}

#[test]
fn odd_references_are_kept_as_they_are_and_never_stop_a_payment() {
    let long = "x".repeat(10_240);
    for odd in ["'; DROP TABLE invoice; --", "<script>alert(1)</script>", "\u{202e}abc\u{2066}", " ", &long] {
        let wanted = Wanted { invoice: Some(odd.to_owned()), ..Wanted::default() };
        let example = first_payment(standard());
        let forged = standard().forge(standard().example_signer().unwrap(), &wanted, example.at).unwrap();
        let notice = judge(standard(), &forged.to_raw(example.at), example.at).unwrap();
        let kept = notice.references.invoice.unwrap();
        assert!(kept.as_str() == odd || kept.as_str().contains("~sha256:"), "{odd:.40}");
        assert!(kept.as_str().len() <= 160);
    }
    let empty = Wanted { invoice: Some(String::new()), customer: Some(String::new()), ..Wanted::default() };
    let example = first_payment(standard());
    let forged = standard().forge(standard().example_signer().unwrap(), &empty, example.at).unwrap();
    let notice = judge(standard(), &forged.to_raw(example.at), example.at).unwrap();
    assert_eq!((notice.references.invoice, notice.references.customer), (None, None));
    check_read(
        &standard_body("\"invoice_id\":\"HD-2026-04-0001\"", "\"invoice_id\":{}"),
        Err("notice.invoice: a text or a whole number"),
    );
}

#[test]
fn event_ids_have_one_spelling() {
    let id = |text: &str| standard_body("\"payment_id\":\"pay_0001\"", &format!("\"payment_id\":{text}"));
    check_read(&id("77"), Ok(150_000));
    let rule = "notice.event: fields of 1 to 128 printable ASCII characters without spaces";
    for bad in ["\"\"", "\"a b\"", "\"caf\u{e9}\"", &format!("\"{}\"", "9".repeat(129))] {
        check_read(&id(bad), Err(rule));
    }
    for bad in ["7.0", "7e1", "-7", "[7]"] {
        check_read(&id(bad), Err("notice.event: a text or a whole number"));
    }
    check_read(&standard_body("\"payment_id\":\"pay_0001\",", ""), Err("notice.event: a text or a whole number"));
    check_read(
        &standard_body("\"account\":\"thuho\"", "\"account\":\"other\""),
        Err("notice.account: the account of the profile"),
    );
}

#[test]
fn an_old_call_is_stale_only_when_it_is_proved() {
    let example = first_payment(standard());
    for (minutes, ok) in [(4, true), (-4, true), (6, false), (-6, false), (24 * 60, false), (13 * 30 * 24 * 60, false)]
    {
        let now = example.at.plus_ms(minutes * 60_000);
        let result = judge(standard(), &example.raw, now);
        assert_eq!(result.is_ok(), ok, "{minutes}: {result:?}");
        if !ok {
            assert!(matches!(result, Err(Refusal::Stale { .. })), "{minutes}: {result:?}");
        }
        let mut forged = example.raw.clone();
        forged.body = Bytes::from_static(b"{}");
        assert_eq!(judge(standard(), &forged, now).unwrap_err().outcome(), Outcome::BadSignature, "{minutes}");
    }
}

#[test]
fn an_independent_signer_is_believed() {
    let example = first_payment(standard());
    let signer = standardwebhooks::Webhook::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let signature = signer.sign("msg_other", example.at.unix_s(), &example.raw.body).unwrap();
    let raw = with_header(&example.raw, "webhook-id", Some("msg_other"));
    let raw = with_header(&raw, "webhook-timestamp", Some(&example.at.unix_s().to_string()));
    let raw = with_header(&raw, "webhook-signature", Some(&signature));
    assert!(judge(standard(), &raw, example.at).is_ok());
}

#[test]
fn evidence_is_enough_to_read_the_call_again() {
    for profile in shipped().iter() {
        let example = first_payment(profile);
        let proved = profile.prove_as_example(&example.raw, example.at).unwrap();
        let first = profile.read(&proved, example.at).unwrap();
        let evidence = profile.evidence(&proved);
        assert!(evidence.headers.len() <= example.raw.headers.len());
        let raw = evidence.to_raw();
        let much_later = example.at.plus_ms(400 * 86_400_000);
        let again = profile.prove_as_example(&raw, much_later).unwrap();
        assert_eq!(profile.read_again(&again, much_later).unwrap(), first, "{}", profile.code());
    }
}

#[test]
fn what_is_forged_with_the_right_key_says_what_was_wanted() {
    for profile in shipped().iter() {
        let example = first_payment(profile);
        let wanted = Wanted {
            event: Some(vec!["987654".to_owned()]),
            amount: Some(Money::from_dong(123_456).unwrap()),
            invoice: Some("HD-77".to_owned()),
            customer: Some("PA03TY0000009".to_owned()),
            paid_at: Some(example.at.plus_ms(-60_000)),
            ..Wanted::default()
        };
        let forged = profile.forge(profile.example_signer().unwrap(), &wanted, example.at).unwrap();
        let notice = judge(profile, &forged.to_raw(example.at), example.at);
        let notice = notice.unwrap_or_else(|refusal| panic!("{}: {refusal}", profile.code()));
        assert_eq!(notice.event.fields().last().map(String::as_str), Some("987654"));
        assert_eq!(notice.amount.dong(), 123_456);
        assert_eq!(notice.references.invoice.as_ref().map(|r| r.as_str()), Some("HD-77"));
        assert_eq!(notice.references.customer.as_ref().map(|r| r.as_str()), Some("PA03TY0000009"));
        assert_eq!(notice.paid_at, example.at.plus_ms(-60_000));
        assert!(matches!(notice.effect, Effect::Moves(_)));
    }
}

#[test]
fn an_echo_cannot_write_into_our_answer() {
    for profile in shipped().iter() {
        for outcome in Outcome::ALL {
            let mut raw = first_payment(profile).raw.clone();
            let evil = "\",\"responseCode\":\"00\",\"x\":\"\r\nset-cookie: a=b";
            for (_, value) in &mut raw.headers {
                value.push_str(evil);
            }
            raw.body = Bytes::from(format!("{{\"transId\":{}}}", serde_json::to_string(evil).unwrap()).into_bytes());
            let context = ReplyContext { raw: Some(&raw), payment: None, now: Timestamp::default() };
            let reply = profile.reply(outcome, &context);
            assert!(reply.headers.iter().all(|(_, value)| !value.contains(['\r', '\n'])));
            let clean = profile.reply(outcome, &ReplyContext { raw: None, ..context });
            assert_eq!(profile.reads_as_success(&reply), profile.reads_as_success(&clean), "{outcome}");
            if !reply.body.is_empty() {
                let keys = |body: &[u8]| {
                    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
                    value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>())
                };
                assert_eq!(keys(&reply.body), keys(&clean.body), "{outcome}");
            }
        }
    }
}

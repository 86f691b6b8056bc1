//! What makes a profile load or not, and the keys it may live with.

use super::*;

/// Secrets by name, for the tests of live keys.
struct Set(Vec<(String, Secret)>);

impl SecretSource for Set {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, secret)| secret.clone()).ok_or_else(|| format!("{name} is not set"))
    }
}

fn whsec(fill: u8) -> Secret {
    use base64::Engine;
    Secret::new(format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode([fill; 32])).into_bytes())
}

fn standard_secret(secret: Secret) -> Set {
    Set(vec![("env:THUHO_STANDARD_SECRET".to_owned(), secret)])
}

fn check_load(text: &str, secrets: Option<&Set>, expected: &str) {
    let secrets = secrets.map(|set| {
        let source: &dyn SecretSource = set;
        source
    });
    let errors = Partners::compile("config/partners/standard.toml", text, secrets).map(drop).unwrap_err();
    let errors = errors.to_string();
    assert!(errors.lines().any(|line| line == expected), "{errors}\nexpected: {expected}");
}

#[test]
fn a_wrong_profile_is_refused_by_file_line_and_key() {
    let file = "config/partners/standard.toml";
    let at = |text: &str, part: &str, rest: &str| format!("{file}:{}: {rest}", line_of(text, part));

    let text = standard_with(
        "[reply.conflict]\nstatus = 409\njson = { outcome = \"{outcome}\", payment = \"{payment}\" }\n",
        "",
    );
    check_load(&text, None, &at(&text, "[reply.accepted]", "reply.conflict: expected a reply: every outcome has one"));

    let text = standard_with("[reply.try_again]\nstatus = 503", "[reply.try_again]\nstatus = 200");
    let rest = "reply.try_again: expected a reply that the partner does not read as success (success_when)";
    check_load(&text, None, &at(&text, "[reply.try_again]", rest));

    let text = standard_with("[success_when]\nstatus = [200]", "[success_when]\nstatus = [200, 429]");
    check_load(&text, None, &at(&text, "[success_when]", "success_when: status: expected 200 to 299 only"));

    let text = standard_with(
        "reverses = [\"json:/data/reverses\"]",
        "reverses = [\"json:/data/account\", \"json:/data/reverses\"]",
    );
    check_load(&text, None, &at(&text, "reverses = [", "notice.reverses: expected as many places as notice.event has"));

    let text = standard_with("timezone =", "time_zone =");
    let errors = Partners::compile(file, &text, None).map(drop).unwrap_err().to_string();
    assert!(errors.starts_with(&at(&text, "time_zone", "time_zone: unknown field `time_zone`")), "{errors}");

    let text = standard_with("means = \"bill\"", "means = \"bill\", unit = \"dong\"");
    let errors = Partners::compile(file, &text, None).map(drop).unwrap_err().to_string();
    assert!(errors.starts_with(&at(&text, "means =", "notice.amount.unit: unknown field `unit`")), "{errors}");

    let text = standard_with("amount = { at = \"json:/data/amount\"", "amount = { at = \"header:x-amount\"");
    let rest = "notice.amount.at: expected a place under the signature, found header:x-amount outside the signed bytes";
    check_load(&text, None, &at(&text, "header:x-amount", rest));

    let text = standard_with("paid_at = { at = \"json:/data/paid_at\"", "paid_at = { at = \"json/data\"");
    let rest = "notice.paid_at.at: expected one of body, path, json:/pointer, json:/pointer > /pointer, form:name, \
                query:name, header:name, const:text";
    check_load(&text, None, &at(&text, "json/data", rest));

    let text = standard_with("amount = 160000, fee", "amount = 160001, fee");
    let text = if text.contains("160001") { text } else { standard_with("amount = 160000", "amount = 160001") };
    let rest = "example[6].notice.amount: expected otherwise, the notice says 160000";
    check_load(&text, None, &at(&text, "160001", rest));

    let text = standard_with("same_content_as = 4", "same_content_as = 6");
    let rest = "example[5].same_content_as: expected the event and content of example 6 in other bytes";
    check_load(&text, None, &at(&text, "same_content_as = 6", rest));
}

#[test]
fn a_profile_that_refuses_needs_a_way_to_learn_the_end() {
    let text = std::fs::read_to_string(format!("{DIR}/standard.toml")).unwrap();
    let (head, rest) = text.split_once("# --- POST /partners/standard/status").unwrap();
    let (_, examples) = rest.split_once("# --- examples").unwrap();
    let text = format!("{head}# --- examples{examples}")
        .replace("on_mismatch = \"keep\"", "on_mismatch = \"refuse\"")
        .replace("reverses = [\"json:/data/reverses\"]\n", "")
        .replace("reversal_window_hours = 72\n", "")
        .replace("\"payment.reversed\" = \"reversal\"\n", "");
    let line = line_of(&text, "on_mismatch");
    let expected = format!(
        "config/partners/standard.toml:{line}: on_mismatch: expected a reversal mapping (notice.reverses) or a \
         [status] enquiry beside \"refuse\": without one nobody learns what became of a payment whose answer was lost"
    );
    check_load(&text, None, &expected);
}

#[test]
fn a_live_key_is_ours_and_strong() {
    let text = std::fs::read_to_string(format!("{DIR}/standard.toml")).unwrap();
    let line = line_of(&text, "env:THUHO_STANDARD_SECRET");
    let at = |rest: &str| format!("config/partners/standard.toml:{line}: key[1].secret: {rest}");
    let example = Secret::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_vec());
    let ours = at("expected a key of our own, found the key of the examples");
    check_load(&text, Some(&standard_secret(example)), &ours);
    let short = Secret::new(b"whsec_c2hvcnQ=".to_vec());
    check_load(&text, Some(&standard_secret(short)), &at("expected a secret of at least 16 bytes"));
    let odd = Secret::new(b"topsecret-value".to_vec());
    let errors = Partners::compile("x.toml", &text, Some(&standard_secret(odd))).map(drop).unwrap_err().to_string();
    assert!(!errors.contains("topsecret"), "an error names no secret: {errors}");
    check_load(&text, Some(&Set(Vec::new())), &at("env:THUHO_STANDARD_SECRET is not set"));
    Partners::compile("x.toml", &text, Some(&standard_secret(whsec(7)))).unwrap();
}

#[test]
fn one_secret_serves_one_partner() {
    let dir = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(format!("{DIR}/standard.toml")).unwrap();
    std::fs::write(dir.path().join("standard.toml"), &text).unwrap();
    std::fs::write(dir.path().join("twin.toml"), text.replace("partner = \"standard\"", "partner = \"twin\"")).unwrap();
    let errors = Partners::load(dir.path(), &standard_secret(whsec(7))).map(drop).unwrap_err().to_string();
    assert!(errors.ends_with("key[1].secret: expected another secret than standard's"), "{errors}");
}

#[test]
fn keys_live_between_their_dates_and_two_may_live_at_once() {
    let second = "[[key]]\nid = \"next\"\nalgorithm = \"hmac-sha256\"\nsecret = \"env:NEXT\"\nencoding = \"whsec\"\n\
                  not_before = \"2026-04-01T00:00:00+07:00\"\n\n# The keys of the published vectors.";
    let text = standard_with("# The keys of the published vectors.", second);
    let text = text.replacen(
        "secret = \"env:THUHO_STANDARD_SECRET\"",
        "secret = \"env:THUHO_STANDARD_SECRET\"\nnot_after = \"2026-04-08T00:00:00+07:00\"",
        1,
    );
    let secrets = Set(vec![("env:THUHO_STANDARD_SECRET".to_owned(), whsec(1)), ("env:NEXT".to_owned(), whsec(2))]);
    let profile = Partners::compile("x.toml", &text, Some(&secrets)).unwrap();
    let key = |fill| {
        let (algorithm, encoding) = (thuho::partner::Algorithm::HmacSha256, thuho::partner::KeyEncoding::Whsec);
        SigningKey::read("any", algorithm, encoding, &whsec(fill)).unwrap()
    };
    let day = |day: i8| {
        let at = jiff::civil::date(2026, 4, day).at(12, 0, 0, 0).to_zoned(profile.timezone().clone()).unwrap();
        Timestamp::from_unix_ms(at.timestamp().as_millisecond())
    };
    let proved = |fill, at: Timestamp| {
        let wanted = Wanted { paid_at: Some(at), ..Wanted::default() };
        let raw = profile.forge(&key(fill), &wanted, at).unwrap().to_raw(at);
        profile.prove(&raw, at).map(|proved| proved.key_id().to_owned()).ok()
    };
    let before = day(1).plus_ms(-86_400_000);
    assert_eq!(proved(1, before).as_deref(), Some("hmac"));
    assert_eq!(proved(2, before), None);
    assert_eq!(proved(1, day(3)).as_deref(), Some("hmac"));
    assert_eq!(proved(2, day(3)).as_deref(), Some("next"));
    assert_eq!(proved(1, day(9)), None);
    assert_eq!(proved(2, day(9)).as_deref(), Some("next"));
}

/// Fresh keys for everything that the shipped profiles name.
fn fresh() -> (Set, Vec<(String, SigningKey)>) {
    let mut secrets = Vec::new();
    let mut signers = Vec::new();
    for profile in shipped().iter() {
        for need in profile.key_needs() {
            let fresh = FreshKey::generate(need.algorithm, need.encoding).unwrap();
            if need.ours {
                secrets.push((need.secret.clone(), fresh.signs));
            } else {
                let key = SigningKey::fresh(&need.id, need.algorithm, need.encoding, &fresh).unwrap();
                signers.push((need.partner.to_string(), key));
                secrets.push((need.secret.clone(), fresh.proves));
            }
        }
    }
    (Set(secrets), signers)
}

#[test]
fn fresh_keys_prove_live_calls_and_nothing_else() {
    let (secrets, signers) = fresh();
    let partners = Partners::load(Path::new(DIR), &secrets).unwrap_or_else(|errors| panic!("{errors}"));
    for (code, key) in &signers {
        let profile = partners.get(code).unwrap();
        let example = first_payment(profile);
        let raw = profile.forge(key, &Wanted::default(), example.at).unwrap().to_raw(example.at);
        let proved = profile.prove(&raw, example.at).unwrap_or_else(|refusal| panic!("{code}: {refusal}"));
        assert_eq!(proved.key_id(), key.id());
        assert!(profile.read(&proved, example.at).is_ok());
        assert!(profile.prove(&example.raw, example.at).is_err(), "{code}: the examples' key is no live key");
        for other in partners.iter().filter(|other| other.code().as_str() != code) {
            assert!(other.prove(&raw, example.at).is_err(), "{code}'s call at {}", other.code());
        }
    }
}

#[test]
fn an_unknown_key_id_is_answered_like_a_wrong_signature() {
    for profile in shipped().iter() {
        let example = first_payment(profile);
        if example.raw.header("x-key-id").next().is_none() {
            continue;
        }
        let context = |raw| ReplyContext { raw: Some(raw), payment: None, now: example.at };
        let unknown = with_header(&example.raw, "x-key-id", Some("nobody"));
        let mut wrong = example.raw.clone();
        wrong.body = Bytes::from_static(b"{}");
        let first = profile.prove_as_example(&unknown, example.at).map(drop).unwrap_err();
        let second = profile.prove_as_example(&wrong, example.at).map(drop).unwrap_err();
        assert_eq!(first, Refusal::BadSignature(BadSignature::UnknownKey));
        assert_eq!(second, Refusal::BadSignature(BadSignature::Wrong));
        assert_eq!(
            profile.reply(first.outcome(), &context(&unknown)),
            profile.reply(second.outcome(), &context(&wrong))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Any changed bit of the body, the signature or a signed header is noticed.
    #[test]
    fn no_bit_may_change(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        for profile in shipped().iter() {
            let example = first_payment(profile);
            let original = judge(profile, &example.raw, example.at).unwrap();
            let mut raw = example.raw.clone();
            let signed: Vec<usize> = (0..raw.headers.len()).filter(|n| raw.headers[*n].0 != "x-key-id").collect();
            let lengths: Vec<usize> = signed.iter().map(|n| raw.headers[*n].1.len()).collect();
            let mut at = place.index(raw.body.len() + lengths.iter().sum::<usize>());
            if at < raw.body.len() {
                let mut body = raw.body.to_vec();
                body[at] ^= 1 << bit;
                raw.body = Bytes::from(body);
            } else {
                at -= raw.body.len();
                let mut which = 0;
                while at >= lengths[which] {
                    at -= lengths[which];
                    which += 1;
                }
                let mut value = raw.headers[signed[which]].1.clone().into_bytes();
                value[at] ^= 1 << bit;
                // A header that is no text never leaves the HTTP edge.
                let Ok(text) = String::from_utf8(value) else { continue };
                raw.headers[signed[which]].1 = text;
            }
            match judge(profile, &raw, example.at) {
                Err(_) => {}
                // Outside the signed text of an envelope a bit may change without changing what is said.
                Ok(notice) => prop_assert_eq!(&notice, &original, "{}", profile.code()),
            }
        }
    }
}

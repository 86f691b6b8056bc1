//! Bytes as the body of a signed notice: read or malformed, the same each time, and never read where another reader would
//! see another payment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
use thuho_fuzz::domain::time::Timestamp;
use thuho_fuzz::partner::forge::Wanted;
use thuho_fuzz::partner::{Partners, Profile};
use thuho_fuzz::{layouts, watch};

/// What reading a notice may hold, in bytes, beside a few times its size.
const NOTICE_CAP_BYTES: usize = 8 << 20;

const NOW_MS: i64 = 1_775_012_400_000;

/// JSON by another reader, in which no object says a key twice.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Once;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Once, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some(key) = map.next_key::<String>()? {
                    map.next_value::<Once>()?;
                    if !keys.insert(key) {
                        return Err(A::Error::custom("a key twice"));
                    }
                }
                Ok(Once)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Once, A::Error> {
                while seq.next_element::<Once>()?.is_some() {}
                Ok(Once)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
                Ok(Once)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
                Ok(Once)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
                Ok(Once)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Once, E> {
                Ok(Once)
            }
            fn visit_str<E>(self, _: &str) -> Result<Once, E> {
                Ok(Once)
            }
            fn visit_unit<E>(self) -> Result<Once, E> {
                Ok(Once)
            }
        }
        from.deserialize_any(Any)
    }
}

fn profile() -> &'static Profile {
    static PROFILE: OnceLock<Profile> = OnceLock::new();
    PROFILE
        .get_or_init(|| Partners::compile(layouts::FILE, layouts::STANDARD, None).expect("the shipped profile loads"))
}

fuzz_target!(|body: &[u8]| {
    let (profile, now) = (profile(), Timestamp::from_unix_ms(NOW_MS));
    let key = profile.example_signer().expect("the profile's examples are signed");
    let mut forged = profile.forge(key, &Wanted::default(), now).expect("there is an example");
    forged.body = body.to_vec();
    let raw = profile.sign_forged(forged, key, now).expect("it can be signed").to_raw(now);
    let read = || {
        let proved = profile.prove_as_example(&raw, now).expect("what was signed is proved");
        profile.read(&proved, now)
    };
    let first = watch::within(NOTICE_CAP_BYTES + 64 * body.len(), read);
    assert_eq!(format!("{first:?}"), format!("{:?}", read()), "what is read twice is the same");
    if let Ok(notice) = first {
        // A number beyond what that reader holds is nothing that it says about keys.
        if let Err(error) = serde_json::from_slice::<Once>(body)
            && !error.to_string().starts_with("number out of range")
        {
            watch::end(&format!("a notice was read from what is not one JSON text: {error}"));
        }
        assert!(notice.amount.dong() >= 0 && notice.discount.dong() <= notice.amount.dong());
    }
});

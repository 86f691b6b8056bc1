//! Our signature on what the core hears: Standard Webhooks 1.0.0, symmetric (`v1`). Not the proof of what collectors
//! send; that is `partner::signature`. Keeps I11: the key never prints.

use crate::domain::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The mark in front of the base64 of a key, as the specification gives it.
const PREFIX: &str = "whsec_";

/// The shortest and longest key, in bytes, that the specification allows.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// `core.secret` is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("core.secret: expected whsec_ and the base64 of 24 to 64 bytes")]
pub struct BadCoreSecret;

/// The key under which the core hears us.
#[derive(Clone, Debug)]
pub struct SigningKey(Secret);

impl SigningKey {
    /// Reads `whsec_<base64>`.
    ///
    /// # Errors
    /// [`BadCoreSecret`]; never quotes the secret.
    pub fn parse(secret: &Secret) -> Result<Self, BadCoreSecret> {
        let text = secret.expose_text().ok_or(BadCoreSecret)?.trim();
        let encoded = text.strip_prefix(PREFIX).ok_or(BadCoreSecret)?;
        let key = Secret::new(STANDARD.decode(encoded).map_err(|_not_base64| BadCoreSecret)?);
        if KEY_BYTES.contains(&key.expose().len()) { Ok(Self(key)) } else { Err(BadCoreSecret) }
    }

    /// The value of `webhook-signature` for a message sent at `unix_s`, in whole seconds.
    #[must_use]
    pub fn sign(&self, id: &str, unix_s: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.mac(id, unix_s, body).finalize().into_bytes()))
    }

    /// Is one of the signatures in `header` ours for this message? Compares in constant time.
    #[must_use]
    pub fn proves(&self, header: &str, id: &str, unix_s: i64, body: &[u8]) -> bool {
        header.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|encoded| {
            STANDARD.decode(encoded).is_ok_and(|given| self.mac(id, unix_s, body).verify_slice(&given).is_ok())
        })
    }

    fn mac(&self, id: &str, unix_s: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{unix_s}.").as_bytes());
        mac.update(body);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn key(text: &str) -> Result<SigningKey, BadCoreSecret> {
        SigningKey::parse(&Secret::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn an_independent_implementation_makes_the_same_signature() {
        let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
        for (id, at, body) in [("msg_1", 1_614_265_330, "{\"test\": 2432232314}"), ("dsp_2", 0, ""), ("x", -1, "ữ")] {
            let ours = key(SECRET).unwrap().sign(id, at, body.as_bytes());
            assert_eq!(ours, theirs.sign(id, at, body.as_bytes()).unwrap());
            assert!(key(SECRET).unwrap().proves(&ours, id, at, body.as_bytes()));
        }
    }

    #[test]
    fn a_change_anywhere_is_seen() {
        let key = key(SECRET).unwrap();
        let signature = key.sign("id", 1, b"body");
        assert!(key.proves(&format!("v1,AAAA {signature}"), "id", 1, b"body"));
        for (header, id, at, body) in [
            (signature.as_str(), "ie", 1, "body"),
            (&signature, "id", 2, "body"),
            (&signature, "id", 1, "bodz"),
            ("", "id", 1, "body"),
            ("v1,", "id", 1, "body"),
            (&signature.replace("v1,", "v2,"), "id", 1, "body"),
        ] {
            assert!(!key.proves(header, id, at, body.as_bytes()), "{header} {id} {at} {body}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_quoting_it() {
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        for bad in ["", "whsec_", "whsec_***", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", &long] {
            assert_eq!(key(bad).unwrap_err(), BadCoreSecret, "{bad}");
        }
        assert!(!format!("{:?} {}", key(SECRET), BadCoreSecret).contains("MfKQ9r8"));
    }
}

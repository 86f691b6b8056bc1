//! Key material: from its text in a secret to something that proves or signs. Keeps I11: no error here carries a
//! secret, and nothing prints one.

use super::file::{Algorithm, KeyEncoding};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{self, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The shortest HMAC secret that is not guessed in a lifetime, in bytes.
pub const HMAC_SECRET_MIN_BYTES: usize = 16;

/// The shortest RSA modulus accepted, in bits.
pub const RSA_MODULUS_MIN_BITS: u32 = 2048;

/// Something that proves.
#[derive(Clone)]
pub(super) enum Verifier {
    HmacSha1(Hmac<Sha1>),
    HmacSha256(Hmac<Sha256>),
    HmacSha512(Hmac<Sha512>),
    Public(Arc<ParsedPublicKey>),
}

/// Something that signs: a partner's part in examples, tools and sandboxes, and ours in signed replies.
#[derive(Clone)]
pub struct SigningKey {
    kind: Signer,
    algorithm: Algorithm,
    /// The key id that a profile's key list knows it by.
    id: String,
}

#[derive(Clone)]
enum Signer {
    Hmac(Box<Verifier>),
    Rsa(Arc<rsa::KeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {:?}, ..)", self.id, self.algorithm)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// One key of a partner's route.
#[derive(Clone, Debug)]
pub(super) struct LiveKey {
    pub(super) id: Arc<str>,
    pub(super) algorithm: Algorithm,
    pub(super) verifier: Verifier,
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    /// What tells it from other keys: a hash of the material.
    pub(super) print: [u8; 32],
}

impl LiveKey {
    /// May it prove a call that came at `now`?
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|from| now >= from) && self.not_after.is_none_or(|until| now < until)
    }
}

impl Verifier {
    /// Does the signature fit the bytes? Takes the same time whatever is wrong.
    pub(super) fn proves(&self, bytes: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::HmacSha1(_) | Self::HmacSha256(_) | Self::HmacSha512(_) => {
                bool::from(self.mac(bytes).ct_eq(signature))
            }
            Self::Public(key) => key.verify_sig(bytes, signature).is_ok(),
        }
    }

    /// The right signature, where it can be known: for `partner explain`.
    pub(super) fn expected(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::HmacSha1(_) | Self::HmacSha256(_) | Self::HmacSha512(_) => Some(self.mac(bytes)),
            Self::Public(_) => None,
        }
    }

    fn mac(&self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::HmacSha1(keyed) => keyed.clone().chain_update(bytes).finalize().into_bytes().to_vec(),
            Self::HmacSha256(keyed) => keyed.clone().chain_update(bytes).finalize().into_bytes().to_vec(),
            Self::HmacSha512(keyed) => keyed.clone().chain_update(bytes).finalize().into_bytes().to_vec(),
            Self::Public(_) => Vec::new(),
        }
    }
}

impl SigningKey {
    /// Reads a signing key: the shared secret of an HMAC, or a private key (PKCS#8 PEM, or `whsk_` and base64 of
    /// seed and public key).
    ///
    /// # Errors
    /// What was expected; never the material.
    pub fn read(id: &str, algorithm: Algorithm, encoding: KeyEncoding, secret: &Secret) -> Result<Self, String> {
        let kind = match algorithm {
            Algorithm::HmacSha1 | Algorithm::HmacSha256 | Algorithm::HmacSha512 => {
                Signer::Hmac(Box::new(hmac_of(algorithm, &material(encoding, secret)?)?))
            }
            Algorithm::RsaSha256Pkcs1v15 => {
                let der = pem(secret, "PRIVATE KEY")?;
                let pair =
                    rsa::KeyPair::from_pkcs8(&der).map_err(|_rejected| "expected an RSA private key in PKCS#8")?;
                Signer::Rsa(Arc::new(pair))
            }
            Algorithm::Ed25519 => Signer::Ed25519(Arc::new(ed25519_private(encoding, secret)?)),
        };
        Ok(Self { kind, algorithm, id: id.to_owned() })
    }

    /// The signing half of a fresh key.
    ///
    /// # Errors
    /// As [`SigningKey::read`].
    pub fn fresh(id: &str, algorithm: Algorithm, encoding: KeyEncoding, fresh: &FreshKey) -> Result<Self, String> {
        // Of an ed25519 key the private half is base64 with or without its prefix; the others are read alike.
        Self::read(id, algorithm, encoding, &fresh.signs)
    }

    /// The key's id in the profile.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs. `None` when the library fails, which it does for no key that [`SigningKey::read`] took.
    #[must_use]
    pub fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match &self.kind {
            Signer::Hmac(keyed) => keyed.expected(bytes),
            Signer::Ed25519(pair) => Some(pair.sign(bytes).as_ref().to_vec()),
            Signer::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature).ok()?;
                Some(signature)
            }
        }
    }

    /// The public half's hash, or the secret's: to find one key used twice.
    pub(super) fn print(&self) -> Option<[u8; 32]> {
        match &self.kind {
            Signer::Hmac(_) => None,
            Signer::Rsa(pair) => Some(print_of(pair.public_key().as_ref())),
            Signer::Ed25519(pair) => Some(print_of(pair.public_key().as_ref())),
        }
    }
}

/// A fresh key for a sandbox: what the gateway's profile reads, and what the fake partner signs with. Both are
/// texts as [`KeyEncoding`] says.
#[derive(Clone, Debug)]
pub struct FreshKey {
    /// For `[[key]] secret`.
    pub proves: Secret,
    /// For [`SigningKey::read`], in the same encoding (PEM and base64 halves alike).
    pub signs: Secret,
}

impl FreshKey {
    /// Makes one.
    ///
    /// # Errors
    /// When the machine has no randomness, or the encoding does not suit the algorithm.
    pub fn generate(algorithm: Algorithm, encoding: KeyEncoding) -> Result<Self, String> {
        match algorithm {
            Algorithm::HmacSha1 | Algorithm::HmacSha256 | Algorithm::HmacSha512 => {
                let mut bytes = Zeroizing::new([0_u8; 32]);
                getrandom::fill(bytes.as_mut()).map_err(|_no_source| "no randomness")?;
                let text = match encoding {
                    KeyEncoding::Text | KeyEncoding::Hex => hex::encode(bytes.as_ref()),
                    KeyEncoding::Base64 => STANDARD.encode(bytes.as_ref()),
                    KeyEncoding::Whsec => format!("whsec_{}", STANDARD.encode(bytes.as_ref())),
                    KeyEncoding::Whpk | KeyEncoding::Pem => return Err("expected a secret's encoding".to_owned()),
                };
                let secret = Secret::new(text.into_bytes());
                Ok(Self { proves: secret.clone(), signs: secret })
            }
            Algorithm::RsaSha256Pkcs1v15 => {
                let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_failed| "no RSA key")?;
                let private =
                    AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_rejected| "no RSA key")?;
                let public = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key());
                let public = public.map_err(|_failed| "no RSA key")?;
                Ok(Self {
                    proves: to_pem("PUBLIC KEY", public.as_ref()),
                    signs: to_pem("PRIVATE KEY", private.as_ref()),
                })
            }
            Algorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0_u8; 32]);
                getrandom::fill(seed.as_mut()).map_err(|_no_source| "no randomness")?;
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_rejected| "no ed25519 key")?;
                let public = pair.public_key().as_ref();
                let both = Zeroizing::new([seed.as_ref(), public].concat());
                let (prove_prefix, sign_prefix) = match encoding {
                    KeyEncoding::Whpk => ("whpk_", "whsk_"),
                    KeyEncoding::Base64 => ("", ""),
                    KeyEncoding::Text | KeyEncoding::Hex | KeyEncoding::Whsec | KeyEncoding::Pem => {
                        return Err("expected base64 or whpk for ed25519".to_owned());
                    }
                };
                Ok(Self {
                    proves: Secret::new(format!("{prove_prefix}{}", STANDARD.encode(public)).into_bytes()),
                    signs: Secret::new(format!("{sign_prefix}{}", STANDARD.encode(both.as_slice())).into_bytes()),
                })
            }
        }
    }
}

/// Reads what a live key proves with. `allow_legacy` permits short keys.
pub(super) fn verifier(
    algorithm: Algorithm,
    encoding: KeyEncoding,
    secret: &Secret,
    allow_legacy: bool,
) -> Result<(Verifier, [u8; 32]), String> {
    match algorithm {
        Algorithm::HmacSha1 | Algorithm::HmacSha256 | Algorithm::HmacSha512 => {
            let bytes = material(encoding, secret)?;
            if bytes.len() < HMAC_SECRET_MIN_BYTES && !allow_legacy {
                return Err(format!("expected a secret of at least {HMAC_SECRET_MIN_BYTES} bytes"));
            }
            Ok((hmac_of(algorithm, &bytes)?, print_of(&bytes)))
        }
        Algorithm::RsaSha256Pkcs1v15 => {
            let der = pem(secret, "PUBLIC KEY")?;
            let key = rsa::PublicKey::from_der(&der).map_err(|_rejected| "expected an RSA public key (SPKI, PEM)")?;
            let bits = signature::RsaParameters::public_modulus_len(key.as_ref())
                .map_err(|_rejected| "expected an RSA public key")?;
            if bits < RSA_MODULUS_MIN_BITS && !allow_legacy {
                return Err(format!("expected an RSA key of at least {RSA_MODULUS_MIN_BITS} bits"));
            }
            let rule = if allow_legacy {
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            } else {
                &signature::RSA_PKCS1_2048_8192_SHA256
            };
            let parsed = ParsedPublicKey::new(rule, key.as_ref()).map_err(|_rejected| "expected an RSA public key")?;
            Ok((Verifier::Public(Arc::new(parsed)), print_of(key.as_ref())))
        }
        Algorithm::Ed25519 => {
            let bytes = ed25519_public(encoding, secret)?;
            let parsed = ParsedPublicKey::new(&signature::ED25519, &*bytes)
                .map_err(|_rejected| "expected an ed25519 public key of 32 bytes")?;
            Ok((Verifier::Public(Arc::new(parsed)), print_of(&bytes)))
        }
    }
}

fn hmac_of(algorithm: Algorithm, bytes: &[u8]) -> Result<Verifier, String> {
    let short = |_invalid| "expected a secret".to_owned();
    if bytes.is_empty() {
        return Err("expected a secret that is not empty".to_owned());
    }
    match algorithm {
        Algorithm::HmacSha1 => Hmac::new_from_slice(bytes).map(Verifier::HmacSha1).map_err(short),
        Algorithm::HmacSha256 => Hmac::new_from_slice(bytes).map(Verifier::HmacSha256).map_err(short),
        Algorithm::HmacSha512 => Hmac::new_from_slice(bytes).map(Verifier::HmacSha512).map_err(short),
        Algorithm::RsaSha256Pkcs1v15 | Algorithm::Ed25519 => Err("expected an HMAC".to_owned()),
    }
}

fn material(encoding: KeyEncoding, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = || secret.expose_text().map(str::trim_end).ok_or_else(|| "expected a text".to_owned());
    match encoding {
        KeyEncoding::Text => Ok(Zeroizing::new(text()?.as_bytes().to_vec())),
        KeyEncoding::Hex => hex::decode(text()?).map(Zeroizing::new).map_err(|_not_hex| "expected hex".to_owned()),
        KeyEncoding::Base64 => unbase64(text()?),
        KeyEncoding::Whsec => {
            unbase64(text()?.strip_prefix("whsec_").ok_or_else(|| "expected whsec_ and base64".to_owned())?)
        }
        KeyEncoding::Whpk | KeyEncoding::Pem => Err("expected a secret in text, hex, base64 or whsec".to_owned()),
    }
}

fn unbase64(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    STANDARD.decode(text).map(Zeroizing::new).map_err(|_not_base64| "expected base64".to_owned())
}

fn ed25519_public(encoding: KeyEncoding, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, String> {
    let text = secret.expose_text().map(str::trim_end).ok_or_else(|| "expected a text".to_owned())?;
    let bytes = match encoding {
        KeyEncoding::Whpk => {
            unbase64(text.strip_prefix("whpk_").ok_or_else(|| "expected whpk_ and base64".to_owned())?)?
        }
        KeyEncoding::Base64 => unbase64(text)?,
        KeyEncoding::Hex => Zeroizing::new(hex::decode(text).map_err(|_not_hex| "expected hex".to_owned())?),
        KeyEncoding::Text | KeyEncoding::Whsec | KeyEncoding::Pem => {
            return Err("expected an ed25519 public key in whpk, base64 or hex".to_owned());
        }
    };
    if bytes.len() == 32 { Ok(bytes) } else { Err("expected an ed25519 public key of 32 bytes".to_owned()) }
}

fn ed25519_private(encoding: KeyEncoding, secret: &Secret) -> Result<Ed25519KeyPair, String> {
    let rejected = || "expected an ed25519 private key: base64 of seed and public key".to_owned();
    if encoding == KeyEncoding::Pem {
        return Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pem(secret, "PRIVATE KEY")?)
            .map_err(|_rejected| rejected());
    }
    let text = secret.expose_text().map(str::trim_end).ok_or_else(rejected)?;
    let bytes = unbase64(text.strip_prefix("whsk_").unwrap_or(text))?;
    let (seed, public) = bytes.split_at_checked(32).ok_or_else(rejected)?;
    if public.is_empty() {
        return Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_rejected| rejected());
    }
    Ed25519KeyPair::from_seed_and_public_key(seed, public).map_err(|_rejected| rejected())
}

fn pem(secret: &Secret, label: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let expected = || format!("expected a PEM block of {label}");
    let text = secret.expose_text().ok_or_else(expected)?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----")).ok_or_else(expected)?;
    let (inner, _) = rest.split_once(&format!("-----END {label}-----")).ok_or_else(expected)?;
    let plain: Zeroizing<String> = Zeroizing::new(inner.split_whitespace().collect());
    STANDARD.decode(plain.as_bytes()).map(Zeroizing::new).map_err(|_not_base64| expected())
}

fn to_pem(label: &str, der: &[u8]) -> Secret {
    let body = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while let Some((line, tail)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    Secret::new(text.into_bytes())
}

/// A hash that tells one key from another without keeping it.
pub(super) fn print_of(material: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(material).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One vector of RFC 4231: key, data, HMAC-SHA-256, head of HMAC-SHA-512.
    fn check(key: &str, data: &str, sha256: &str, sha512: &str) {
        let secret = Secret::new(key.as_bytes().to_vec());
        let data = hex::decode(data).unwrap();
        for (algorithm, expected) in [(Algorithm::HmacSha256, sha256), (Algorithm::HmacSha512, sha512)] {
            let (verifier, _) = verifier(algorithm, KeyEncoding::Hex, &secret, true).unwrap();
            let mac = verifier.expected(&data).unwrap();
            assert!(hex::encode(&mac).starts_with(expected), "{algorithm:?}");
            assert!(verifier.proves(&data, &mac));
            for n in 0..mac.len() {
                let mut wrong = mac.clone();
                wrong[n] ^= 1;
                assert!(!verifier.proves(&data, &wrong));
                assert!(!verifier.proves(&data, &mac[..n]));
            }
        }
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        check(
            &"0b".repeat(20),
            "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde",
        );
        check(
            "4a656665",
            "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554",
        );
        check(
            &"aa".repeat(20),
            &"dd".repeat(50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39",
        );
        check(
            &"aa".repeat(131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352",
        );
    }

    #[test]
    fn fresh_keys_prove_what_they_sign() {
        for (algorithm, encoding) in [
            (Algorithm::HmacSha1, KeyEncoding::Hex),
            (Algorithm::HmacSha256, KeyEncoding::Text),
            (Algorithm::HmacSha512, KeyEncoding::Base64),
            (Algorithm::HmacSha256, KeyEncoding::Whsec),
            (Algorithm::Ed25519, KeyEncoding::Whpk),
            (Algorithm::Ed25519, KeyEncoding::Base64),
            (Algorithm::RsaSha256Pkcs1v15, KeyEncoding::Pem),
        ] {
            let fresh = FreshKey::generate(algorithm, encoding).unwrap();
            let key = SigningKey::fresh("k", algorithm, encoding, &fresh).unwrap();
            let (verifier, _) = verifier(algorithm, encoding, &fresh.proves, false).unwrap();
            let signature = key.sign(b"bytes").unwrap();
            assert!(verifier.proves(b"bytes", &signature), "{algorithm:?} {encoding:?}");
            assert!(!verifier.proves(b"bytez", &signature), "{algorithm:?} {encoding:?}");
            assert!(!format!("{fresh:?}{key:?}{verifier:?}").contains(fresh.signs.expose_text().unwrap()));
        }
    }

    #[test]
    fn weak_and_foreign_material_is_refused() {
        let refused = |algorithm, encoding, text: &str| {
            verifier(algorithm, encoding, &Secret::new(text.as_bytes().to_vec()), false).map(drop).unwrap_err()
        };
        let text = |t| refused(Algorithm::HmacSha256, KeyEncoding::Text, t);
        assert_eq!(text("fifteen bytes.."), "expected a secret of at least 16 bytes");
        assert_eq!(
            refused(Algorithm::HmacSha256, KeyEncoding::Whsec, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "expected whsec_ and base64"
        );
        assert_eq!(refused(Algorithm::HmacSha256, KeyEncoding::Hex, "zz"), "expected hex");
        assert_eq!(refused(Algorithm::RsaSha256Pkcs1v15, KeyEncoding::Pem, "x"), "expected a PEM block of PUBLIC KEY");
        assert_eq!(
            refused(Algorithm::Ed25519, KeyEncoding::Whpk, "whpk_AAAA"),
            "expected an ed25519 public key of 32 bytes"
        );
    }
}

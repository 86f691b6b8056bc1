//! Proof: the only place that makes an [`AuthenticNotice`] (I1). Until it exists nothing of a call is believed; the
//! one thing read before is where the signature and the signed values stand.

use super::canonical::{Over, fault_of_proof, text};
use super::file::{Algorithm, SignatureEncoding};
use super::keys::LiveKey;
use super::locate::{Call, Fault, Place, Sources};
use super::times::Format;
use crate::domain::notice::RawNotice;
use crate::domain::outcome::{BadSignature, Refusal};
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// Most signatures read from one list. A sender in the middle of a rotation has two.
const SIGNATURES_MAX: usize = 8;

/// The longest signature text worth decoding: base64 of an 8192-bit RSA signature, and room for its version.
const SIGNATURE_TEXT_MAX_BYTES: usize = 1500;

/// A call that this partner signed. Made here only.
#[derive(Debug)]
pub struct AuthenticNotice<'r> {
    call: Call<'r>,
    /// Was the rest of the call readable, once it was proved?
    rest: Result<(), Fault>,
    key_id: Arc<str>,
    side: Side,
}

/// Whose keys and account count: the real ones, or those of the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Live,
    Example,
}

impl<'r> AuthenticNotice<'r> {
    /// Which of the partner's keys proved it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The call's bytes.
    #[must_use]
    pub fn raw(&self) -> &'r RawNotice {
        self.call.raw
    }

    pub(super) fn call(&self) -> Result<&Call<'r>, Refusal> {
        match &self.rest {
            Ok(()) => Ok(&self.call),
            Err(Fault(expected)) => Err(Refusal::Malformed { field: "body".to_owned(), expected: expected.clone() }),
        }
    }

    pub(super) fn side(&self) -> Side {
        self.side
    }
}

/// How a partner signs, compiled.
#[derive(Clone, Debug)]
pub(super) struct SignaturePlan {
    pub(super) at: Place,
    pub(super) prefix: String,
    pub(super) encoding: SignatureEncoding,
    pub(super) over: Over,
    pub(super) key_id: Option<Place>,
    pub(super) scheme: Scheme,
    pub(super) sent_at: Option<SentAt>,
}

/// One signature, or a list in which each says its version.
#[derive(Clone, Debug)]
pub(super) enum Scheme {
    One,
    Listed(Vec<(String, Algorithm)>),
}

/// A send time under the signature.
#[derive(Clone, Debug)]
pub(super) struct SentAt {
    pub(super) place: Place,
    pub(super) format: Format,
    pub(super) tolerance_ms: i64,
}

/// What an integrator needs to see when a signature does not fit.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The signed bytes as we build them, or why they cannot be built.
    pub canonical: Result<Vec<u8>, BadSignature>,
    /// The signature that came.
    pub given: Option<String>,
    /// Key ids, and the signature each would have made; `None` for a public key, which cannot make one.
    pub expected: Vec<(String, Option<String>)>,
}

/// One signature of a call.
struct Candidate {
    /// Keys of this algorithm only; any when absent.
    algorithm: Option<Algorithm>,
    bytes: Vec<u8>,
}

impl SignaturePlan {
    /// Proves a call with one of the keys.
    pub(super) fn prove<'r>(
        &self,
        sources: &Sources,
        (keys, side): (&[LiveKey], Side),
        raw: &'r RawNotice,
        now: Timestamp,
    ) -> Result<AuthenticNotice<'r>, BadSignature> {
        let mut call = Call::for_proof(raw, sources).map_err(|fault| fault_of_proof(&fault))?;
        let candidates = self.candidates(&call)?;
        let wanted = match &self.key_id {
            Some(place) => Some(text(&call, place)?),
            None => None,
        };
        let bytes = self.over.bytes(&call)?;
        let live = || keys.iter().filter(|key| key.is_live(now));
        let known = wanted.as_ref().is_none_or(|id| live().any(|key| *key.id == **id));
        let mut proved: Option<Arc<str>> = None;
        for key in live() {
            // An unknown key id is answered after the same work as a wrong signature under the first key.
            let tried = if known { wanted.as_ref().is_none_or(|id| *key.id == **id) } else { true };
            if !tried {
                continue;
            }
            for candidate in candidates.iter().filter(|c| c.algorithm.is_none_or(|a| a == key.algorithm)) {
                if key.verifier.proves(&bytes, &candidate.bytes) && known {
                    proved = Some(Arc::clone(&key.id));
                }
            }
            if proved.is_some() || !known {
                break;
            }
        }
        drop(bytes);
        drop(wanted);
        match proved {
            Some(key_id) => {
                let rest = call.open_rest(sources);
                Ok(AuthenticNotice { call, rest, key_id, side })
            }
            None if known && live().next().is_some() => Err(BadSignature::Wrong),
            None => Err(BadSignature::UnknownKey),
        }
    }

    fn candidates(&self, call: &Call<'_>) -> Result<Vec<Candidate>, BadSignature> {
        let written = text(call, &self.at)?;
        match &self.scheme {
            Scheme::One => {
                let written = written.strip_prefix(self.prefix.as_str()).ok_or(BadSignature::Encoding)?;
                Ok(vec![Candidate { algorithm: None, bytes: self.decoded(written)? }])
            }
            Scheme::Listed(versions) => {
                let mut candidates = Vec::new();
                for (n, one) in written.split(' ').enumerate() {
                    let (version, signature) = one.split_once(',').ok_or(BadSignature::Encoding)?;
                    if n == SIGNATURES_MAX {
                        return Err(BadSignature::Encoding);
                    }
                    // A version we do not know is a sender's newer one: another entry of the list is for us.
                    if let Some((_, algorithm)) = versions.iter().find(|(name, _)| name == version) {
                        let bytes = self.decoded(signature)?;
                        candidates.push(Candidate { algorithm: Some(*algorithm), bytes });
                    }
                }
                if candidates.is_empty() { Err(BadSignature::Missing) } else { Ok(candidates) }
            }
        }
    }

    fn decoded(&self, written: &str) -> Result<Vec<u8>, BadSignature> {
        if written.is_empty() {
            return Err(BadSignature::Missing);
        }
        if written.len() > SIGNATURE_TEXT_MAX_BYTES {
            return Err(BadSignature::Encoding);
        }
        match self.encoding {
            SignatureEncoding::Hex => hex::decode(written).map_err(|_not_hex| BadSignature::Encoding),
            // The standard engine takes padded, canonical base64 only.
            SignatureEncoding::Base64 => STANDARD.decode(written).map_err(|_not_base64| BadSignature::Encoding),
        }
    }

    /// How a signature of a key is written where the call carries it.
    pub(super) fn written(&self, algorithm: Algorithm, signature: &[u8]) -> String {
        let encoded = match self.encoding {
            SignatureEncoding::Hex => hex::encode(signature),
            SignatureEncoding::Base64 => STANDARD.encode(signature),
        };
        match &self.scheme {
            Scheme::One => format!("{}{encoded}", self.prefix),
            Scheme::Listed(versions) => {
                let version = versions.iter().find(|(_, a)| *a == algorithm).map_or("", |(name, _)| name.as_str());
                format!("{version},{encoded}")
            }
        }
    }

    /// The signed bytes of a call that need not be signed yet.
    pub(super) fn canonical(&self, sources: &Sources, raw: &RawNotice) -> Result<Vec<u8>, BadSignature> {
        let call = Call::for_proof(raw, sources).map_err(|fault| fault_of_proof(&fault))?;
        self.over.bytes(&call).map(std::borrow::Cow::into_owned)
    }

    /// Shows the work.
    pub(super) fn trace(&self, sources: &Sources, keys: &[LiveKey], raw: &RawNotice) -> Trace {
        let canonical = self.canonical(sources, raw);
        let given = Call::for_proof(raw, sources)
            .ok()
            .and_then(|call| text(&call, &self.at).ok().map(std::borrow::Cow::into_owned));
        let expected = keys.iter().map(|key| {
            let signature = canonical.as_ref().ok().and_then(|bytes| key.verifier.expected(bytes));
            (key.id.to_string(), signature.map(|s| self.written(key.algorithm, &s)))
        });
        Trace { expected: expected.collect(), canonical, given }
    }
}

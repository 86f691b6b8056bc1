//! A marker's bytes: generation, posting, and an HMAC over them, the event and the content. Keeps I7: bytes that
//! somebody else wrote into Redis say nothing here.

use crate::domain::ids::{EventKey, Generation, PostingNo};
use crate::domain::notice::Content;
use crate::domain::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A settled event, to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The event.
    pub key: EventKey,
    /// A posting of this writer that is there only if the event is.
    pub posting: PostingNo,
    /// This writer's last posting so far, which may come before that one: as far as its generation is believed now.
    pub reached: PostingNo,
    /// What it said.
    pub content: Content,
}

/// Generation, posting, and 128 bits of the HMAC.
pub(super) const VALUE_BYTES: usize = 8 + 8 + 16;

/// A marker's bytes.
pub(super) type Value = [u8; VALUE_BYTES];

/// The keyed state, derived once from the instance's secret, for this purpose only.
#[derive(Clone)]
pub(super) struct MarkerMac(Hmac<Sha256>);

impl std::fmt::Debug for MarkerMac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MarkerMac(..)")
    }
}

impl MarkerMac {
    pub(super) fn new(secret: &Secret) -> Self {
        let derived = Self::keyed(secret.expose()).chain_update(b"thuho seen marker 1").finalize().into_bytes();
        Self(Self::keyed(&derived))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn keyed(key: &[u8]) -> Hmac<Sha256> {
        Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
    }

    fn tag(&self, key: &EventKey, content: &Content, head: &[u8]) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(key.as_bytes());
        mac.update(head);
        for part in [content.amount.dong(), content.discount.dong()] {
            mac.update(&part.to_be_bytes());
        }
        let references = &content.references;
        for text in [&references.invoice, &references.order, &references.customer] {
            let bytes = text.as_ref().map(|t| t.as_str().as_bytes()).unwrap_or_default();
            mac.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(bytes);
        }
        mac.update(content.reverses.as_ref().map(|k| k.as_bytes().as_slice()).unwrap_or_default());
        let mut tag = [0; 16];
        tag.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        tag
    }

    /// The bytes of a marker.
    pub(super) fn seal(&self, generation: Generation, marker: &Marker) -> Value {
        let head = [generation.0.to_be_bytes(), marker.posting.0.to_be_bytes()].concat();
        let tag = self.tag(&marker.key, &marker.content, &head);
        let mut value = [0; VALUE_BYTES];
        value.iter_mut().zip(head.into_iter().chain(tag)).for_each(|(to, from)| *to = from);
        value
    }

    /// What a marker says, if it is ours and about this content.
    pub(super) fn open(&self, key: &EventKey, content: &Content, value: &[u8]) -> Option<(Generation, PostingNo)> {
        let (head, tag) = value.split_at_checked(16)?;
        if !bool::from(self.tag(key, content, head).as_slice().ct_eq(tag)) {
            return None;
        }
        let (generation, posting) = head.split_at_checked(8)?;
        Some((
            Generation(u64::from_be_bytes(generation.try_into().ok()?)),
            PostingNo(i64::from_be_bytes(posting.try_into().ok()?)),
        ))
    }
}

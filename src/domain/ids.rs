//! Every id is its own type. Parsed once at the rim; holding one proves the check was made.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A text that is not the id it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}")]
pub struct BadId {
    /// The kind of id.
    pub what: &'static str,
    /// The rule, in words.
    pub expected: &'static str,
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:pat, $expected:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text's length and alphabet.
            ///
            /// # Errors
            /// [`BadId`] with the rule in words.
            pub fn parse(text: impl Into<String>) -> Result<Self, BadId> {
                let text = text.into();
                let right = !text.is_empty() && text.len() <= $max && text.bytes().all(|b| matches!(b, $allowed));
                if right { Ok(Self(text)) } else { Err(BadId { what: $what, expected: $expected }) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

text_ids! {
    /// A collector, as its profile's file name and the URL say it.
    PartnerCode, "partner code", 32, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_', "1 to 32 of a-z 0-9 - _";
    /// The billing core's own id of one invoice. No dot: an order reference puts its attempt after one.
    InvoiceId, "invoice id", 40, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'/', "1 to 40 of A-Z a-z 0-9 - _ /";
    /// A customer of the electricity company, such as `PA03HL0000001`.
    CustomerCode, "customer code", 20, b'A'..=b'Z' | b'0'..=b'9', "1 to 20 of A-Z 0-9";
    /// A district unit of the electricity company, such as `PA03HL`.
    UnitCode, "unit code", 12, b'A'..=b'Z' | b'0'..=b'9', "1 to 12 of A-Z 0-9";
    /// Who pays for a discount: a partner, the utility, a campaign's sponsor.
    Funder, "funder", 32, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_', "1 to 32 of a-z 0-9 - _";
    /// The person or the rule that wrote a posting by hand, such as `lan.nt` or `system:rematch`.
    Author, "author", 64, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b':' | b'@', "1 to 64 of A-Z a-z 0-9 - _ . : @";
}

/// What the partner calls this event: one or more of its fields, in the profile's order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Vec<String>);

/// The longest field of an event id, in bytes. Longer ones are malformed, not truncated: two long ids must not
/// become one.
pub const EVENT_FIELD_MAX_BYTES: usize = 128;

impl EventId {
    /// At least one field, none empty, none over [`EVENT_FIELD_MAX_BYTES`], printable ASCII only (an id in two
    /// Unicode forms would be two events).
    ///
    /// # Errors
    /// [`BadId`] with the rule in words.
    pub fn parse(fields: Vec<String>) -> Result<Self, BadId> {
        let right =
            |f: &String| !f.is_empty() && f.len() <= EVENT_FIELD_MAX_BYTES && f.bytes().all(|b| b.is_ascii_graphic());
        if !fields.is_empty() && fields.iter().all(right) {
            Ok(Self(fields))
        } else {
            Err(BadId { what: "event id", expected: "fields of 1 to 128 printable ASCII characters without spaces" })
        }
    }

    /// The fields in order.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.0
    }
}

/// For people and for the database's text column; the key is made from the fields, never from this.
impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("|"))
    }
}

/// Does the event bring money or take it back? Part of the event key: a partner may use one number for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Movement {
    /// A customer paid.
    Payment,
    /// An earlier payment is undone.
    Reversal,
}

impl Movement {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Payment, Self::Reversal];

    /// The word in the database, in the core's messages and in the key.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Reversal => "reversal",
        }
    }
}

/// The identity of one money movement: (partner, merchant account, event id, movement), hashed with length
/// prefixes so that `a|b` + `c` and `a` + `b|c` differ. 128 bits of SHA-256. In hex it is the payment's public id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey([u8; 16]);

impl EventKey {
    /// The key of an event.
    #[must_use]
    pub fn of(partner: &PartnerCode, account: &str, event: &EventId, movement: Movement) -> Self {
        let mut parts: Vec<&[u8]> = vec![partner.as_str().as_bytes(), account.as_bytes(), movement.word().as_bytes()];
        parts.extend(event.fields().iter().map(|f| f.as_bytes()));
        Self(length_prefixed_hash(&parts))
    }

    /// From the database.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// For the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From 32 hex digits.
    ///
    /// # Errors
    /// [`BadId`].
    pub fn parse_hex(text: &str) -> Result<Self, BadId> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_not_hex| BadId { what: "payment id", expected: "32 hex digits" })?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventKey({self})")
    }
}

/// The idempotency key under which the billing core hears of one effect on one invoice. A pure function of what
/// happened (payment, how many effects it had on that invoice before, invoice), so it never changes, and an older
/// database that meets the same payment again says it under the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DispatchKey(String);

impl DispatchKey {
    /// The key of a posting's effect on an invoice. `ordinal` counts the effects of the payment on this invoice
    /// before this one: its settlement is 0 whether or not it was parked first.
    #[must_use]
    pub fn of(event: &EventKey, ordinal: u32, invoice: &InvoiceId) -> Self {
        let hash = length_prefixed_hash(&[event.as_bytes(), &ordinal.to_be_bytes(), invoice.as_str().as_bytes()]);
        Self(format!("dsp_{}", hex::encode(hash)))
    }

    /// From its text.
    ///
    /// # Errors
    /// [`BadId`].
    pub fn parse(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        let right =
            text.strip_prefix("dsp_").is_some_and(|h| h.len() == 32 && h.bytes().all(|b| b.is_ascii_hexdigit()));
        if right { Ok(Self(text)) } else { Err(BadId { what: "dispatch key", expected: "dsp_ and 32 hex digits" }) }
    }

    /// The text; the `webhook-id` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DispatchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn length_prefixed_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in parts {
        // usize fits u64 on every target we build for.
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut key = [0; 16];
    key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    key
}

/// One start of one instance: random. A Redis marker names the generation that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// The row number of an event in this database. Means nothing outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventNo(pub i64);

/// The row number of a posting in this database; rises within one writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PostingNo(pub i64);

/// The row number of a receipt in this database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptNo(pub i64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(fields: &[&str]) -> EventId {
        EventId::parse(fields.iter().map(ToString::to_string).collect()).unwrap()
    }

    fn key(partner: &str, account: &str, fields: &[&str], movement: Movement) -> EventKey {
        EventKey::of(&PartnerCode::parse(partner).unwrap(), account, &event(fields), movement)
    }

    #[test]
    fn every_part_of_the_identity_counts() {
        let base = key("p", "a", &["1", "2"], Movement::Payment);
        assert_eq!(base, key("p", "a", &["1", "2"], Movement::Payment));
        for other in [
            key("q", "a", &["1", "2"], Movement::Payment),
            key("p", "b", &["1", "2"], Movement::Payment),
            key("p", "a", &["12"], Movement::Payment),
            key("p", "a", &["1|2"], Movement::Payment),
            key("p", "a", &["2", "1"], Movement::Payment),
            key("p", "a", &["1", "2"], Movement::Reversal),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_dispatch_key_depends_on_what_happened_only() {
        let payment = key("p", "a", &["1"], Movement::Payment);
        let invoice = InvoiceId::parse("HD-1").unwrap();
        assert_eq!(DispatchKey::of(&payment, 0, &invoice), DispatchKey::of(&payment, 0, &invoice));
        assert_ne!(DispatchKey::of(&payment, 0, &invoice), DispatchKey::of(&payment, 1, &invoice));
        assert!(DispatchKey::parse(DispatchKey::of(&payment, 0, &invoice).as_str()).is_ok());
    }

    proptest! {
        #[test]
        fn moving_a_boundary_changes_the_key(a in "[a-z]{1,8}", b in "[a-z]{1,8}", cut in 0_usize..8) {
            let joined = format!("{a}{b}");
            let cut = 1 + cut % (joined.len() - 1);
            let (c, d) = joined.split_at(cut);
            prop_assume!(c != a);
            prop_assert_ne!(key("p", "x", &[&a, &b], Movement::Payment), key("p", "x", &[c, d], Movement::Payment));
        }
    }
}

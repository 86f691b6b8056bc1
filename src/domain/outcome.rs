//! The closed list of answers, in order of precedence: two wrong things always give the same answer.

use std::fmt;

/// What a collector is told. The profile says each in the partner's own words. Order is precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Not proved: no such key, a wrong signature, none at all. One answer for all three.
    BadSignature,
    /// Proved, but signed outside the tolerance.
    Stale,
    /// Proved, but not understood.
    Malformed,
    /// Proved and understood; moves no money.
    NotAPayment,
    /// The same event was said before with other content.
    Conflict,
    /// The same event, the same content, already settled.
    Duplicate,
    /// The payment cannot be undone this way.
    ReversalRefused,
    /// The bill is closed already.
    AlreadyPaid,
    /// No such bill.
    UnknownInvoice,
    /// The bill is open over another amount.
    WrongAmount,
    /// Written and committed.
    Accepted,
    /// We could not commit; nothing was decided.
    TryAgain,
}

impl Outcome {
    /// All of them, in order of precedence.
    pub const ALL: [Self; 12] = [
        Self::BadSignature,
        Self::Stale,
        Self::Malformed,
        Self::NotAPayment,
        Self::Conflict,
        Self::Duplicate,
        Self::ReversalRefused,
        Self::AlreadyPaid,
        Self::UnknownInvoice,
        Self::WrongAmount,
        Self::Accepted,
        Self::TryAgain,
    ];

    /// The word in profiles, logs and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
            Self::Malformed => "malformed",
            Self::NotAPayment => "not_a_payment",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::ReversalRefused => "reversal_refused",
            Self::AlreadyPaid => "already_paid",
            Self::UnknownInvoice => "unknown_invoice",
            Self::WrongAmount => "wrong_amount",
            Self::Accepted => "accepted",
            Self::TryAgain => "try_again",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.word() == word)
    }

    /// May a partner never read this outcome as success? A profile whose reply to one of these would be success
    /// loses or doubles money, and does not load.
    #[must_use]
    pub fn must_not_succeed(self) -> bool {
        match self {
            Self::TryAgain | Self::BadSignature | Self::Stale | Self::Malformed | Self::Conflict => true,
            Self::NotAPayment
            | Self::Duplicate
            | Self::ReversalRefused
            | Self::AlreadyPaid
            | Self::UnknownInvoice
            | Self::WrongAmount
            | Self::Accepted => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a call never became a notice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not proved. Kept, sampled, in the quarantine; costs no proved notice anything.
    #[error("signature not proved: {0}")]
    BadSignature(BadSignature),
    /// Proved, outside the tolerance: evidence of money, kept as a receipt.
    #[error("signed {age_ms} ms ago by the partner's clock")]
    Stale {
        /// Our clock less the signed send time; negative when the partner's clock is ahead.
        age_ms: i64,
    },
    /// Proved, not understood: evidence of money, kept as a receipt. Names the field and what was expected, never
    /// a value.
    #[error("{field}: expected {expected}")]
    Malformed {
        /// The profile's name of the field.
        field: String,
        /// What would have been right.
        expected: String,
    },
}

impl Refusal {
    /// What the collector hears.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::BadSignature(_) => Outcome::BadSignature,
            Self::Stale { .. } => Outcome::Stale,
            Self::Malformed { .. } => Outcome::Malformed,
        }
    }
}

/// What was wrong with the proof: for the quarantine and the metrics, never for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum BadSignature {
    /// There is none, or a signed field is missing.
    #[error("missing")]
    Missing,
    /// More than one where the profile knows one.
    #[error("doubled")]
    Doubled,
    /// Not in the profile's encoding or length.
    #[error("badly encoded")]
    Encoding,
    /// The key it names is not one of the partner's live keys.
    #[error("unknown key")]
    UnknownKey,
    /// It does not fit the bytes.
    #[error("wrong")]
    Wrong,
}

impl BadSignature {
    /// The word in metrics and in the quarantine.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Doubled => "doubled",
            Self::Encoding => "encoding",
            Self::UnknownKey => "unknown_key",
            Self::Wrong => "wrong",
        }
    }
}

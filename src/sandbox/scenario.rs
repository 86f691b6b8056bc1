//! What may happen to one payment on its way. Pure: a seed and a number decide.

use super::chance::Chance;

/// One payment's story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// Said once.
    Plain,
    /// Said again after a yes, with a fresh signature.
    Repeated,
    /// Said five times at once.
    Burst,
    /// First somebody without the key says it, then the partner.
    Forged,
    /// Said over another amount than the bill's.
    WrongAmount,
    /// Names a bill that nobody knows.
    UnknownBill,
    /// The partner took the money and never says so.
    Lost,
    /// Paid, then taken back.
    Reversed,
    /// Taken back before it was said.
    ReversedFirst,
    /// Pending first, then paid.
    PendingFirst,
    /// Failed at the partner: no money.
    Failed,
    /// Said again over another amount.
    Conflicting,
    /// The customer pays the same bill twice.
    PaidTwice,
    /// Said with a status that nobody agreed on.
    UnknownStatus,
}

/// How often each happens, of a hundred. The rest is plain.
const SHARES: [(Scenario, u64); 13] = [
    (Scenario::Repeated, 8),
    (Scenario::Burst, 3),
    (Scenario::Forged, 3),
    (Scenario::WrongAmount, 2),
    (Scenario::UnknownBill, 2),
    (Scenario::Lost, 2),
    (Scenario::Reversed, 2),
    (Scenario::ReversedFirst, 1),
    (Scenario::PendingFirst, 3),
    (Scenario::Failed, 2),
    (Scenario::Conflicting, 2),
    (Scenario::PaidTwice, 2),
    (Scenario::UnknownStatus, 1),
];

impl Scenario {
    /// The story of payment `n`.
    #[must_use]
    pub fn of(chance: Chance, n: u64) -> Self {
        let mut drawn = chance.below("scenario", n, 100);
        for (scenario, share) in SHARES {
            match drawn.checked_sub(share) {
                None => return scenario,
                Some(rest) => drawn = rest,
            }
        }
        Self::Plain
    }

    /// For journals.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Repeated => "repeated",
            Self::Burst => "burst",
            Self::Forged => "forged",
            Self::WrongAmount => "wrong_amount",
            Self::UnknownBill => "unknown_bill",
            Self::Lost => "lost",
            Self::Reversed => "reversed",
            Self::ReversedFirst => "reversed_first",
            Self::PendingFirst => "pending_first",
            Self::Failed => "failed",
            Self::Conflicting => "conflicting",
            Self::PaidTwice => "paid_twice",
            Self::UnknownStatus => "unknown_status",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_is_told_and_most_are_plain() {
        let told: Vec<Scenario> = (0..2_000).map(|n| Scenario::of(Chance(7), n)).collect();
        for (scenario, _) in SHARES {
            assert!(told.contains(&scenario), "{scenario:?}");
        }
        let plain = told.iter().filter(|scenario| **scenario == Scenario::Plain).count();
        assert!((1_200..1_450).contains(&plain), "{plain}");
    }
}

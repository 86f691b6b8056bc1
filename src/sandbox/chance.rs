//! Chance that repeats: what a seed and a name decide does not depend on the order in which threads ask. Not for keys.

use sha2::{Digest, Sha256};

/// A seed from which every decision is drawn by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(pub u64);

impl Chance {
    /// The number that belongs to `name` and `n`.
    #[must_use]
    pub fn draw(&self, name: &str, n: u64) -> u64 {
        let mut hasher = Sha256::new();
        hasher.update(self.0.to_be_bytes());
        hasher.update(n.to_be_bytes());
        hasher.update(name.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// A number from 0 up to and without `below`; 0 when there is none.
    #[must_use]
    pub fn below(&self, name: &str, n: u64, below: u64) -> u64 {
        self.draw(name, n).checked_rem(below).unwrap_or(0)
    }

    /// Does it happen, at `percent` of a hundred?
    #[must_use]
    pub fn happens(&self, name: &str, n: u64, percent: u32) -> bool {
        self.below(name, n, 100) < u64::from(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_name_always_draw_the_same_and_others_draw_others() {
        assert_eq!(Chance(7).draw("a", 1), Chance(7).draw("a", 1));
        for other in [Chance(8).draw("a", 1), Chance(7).draw("b", 1), Chance(7).draw("a", 2)] {
            assert_ne!(Chance(7).draw("a", 1), other);
        }
        let hits = (0..1_000).filter(|n| Chance(7).happens("x", *n, 20)).count();
        assert!((150..250).contains(&hits), "{hits}");
        assert_eq!(Chance(7).below("x", 0, 0), 0);
    }
}

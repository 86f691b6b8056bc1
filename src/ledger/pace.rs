//! How much of long work is one slice between two batches: as much as the clock allows, so that notices wait no longer
//! for an import or for retention than for a few flushes (decision 9).

use std::time::Duration;

/// How long a slice should hold the writer: the wait that it adds to a notice.
const SLICE_TARGET: Duration = Duration::from_millis(3);

/// Rows in a slice at most.
pub const SLICE_MAX: usize = 1_024;

/// The rows that the next slice should have, at least `least`, after one of `rows` that took so long.
#[must_use]
pub fn next_slice(least: usize, rows: usize, held: Duration) -> usize {
    let (held, target) = (held.as_nanos().max(1), SLICE_TARGET.as_nanos());
    let fits = u128::try_from(rows).unwrap_or(u128::MAX).saturating_mul(target).checked_div(held);
    let fits = fits.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(usize::MAX);
    // One slice that the kernel put aside says little.
    fits.clamp(rows / 2, rows.saturating_mul(2)).clamp(least, SLICE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_follows_the_clock_within_its_bounds() {
        let ms = Duration::from_millis;
        let after = |rows, held| next_slice(128, rows, held);
        assert_eq!(after(300, ms(3)), 300);
        assert_eq!(after(300, ms(4)), 225);
        assert_eq!(after(600, ms(300)), 300, "one that was put aside");
        assert_eq!(after(600, Duration::ZERO), SLICE_MAX);
        assert_eq!(after(128, ms(300)), 128, "a slow disk");
        assert_eq!(after(1, ms(1)), 128, "the last slice of a file is short");
    }
}

//! How much of long work is one slice between two batches: as much as the clock allows, so that notices wait no longer
//! for an import or for retention than for a few flushes (decision 9).

use std::time::Duration;

/// How long a slice should hold the writer: the wait that it adds to a notice.
const SLICE_TARGET: Duration = Duration::from_millis(3);

/// Rows in a slice at most.
pub const SLICE_MAX: usize = 1_024;

/// How long a slice held the writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// For its rows.
    pub rows: Duration,
    /// Until they were on disk.
    pub flushed: Duration,
}

/// The rows that the next slice should have, at least `least`, after one of `rows` that took so long. A flush takes its
/// time whatever is flushed: where it takes half of the time or more, fewer rows would hold the writer as often for
/// next to nothing, so they get as long as it.
#[must_use]
pub fn next_slice(least: usize, rows: usize, held: Held) -> usize {
    let flush = held.flushed.saturating_sub(held.rows);
    let target = SLICE_TARGET.saturating_sub(flush).max(flush).as_nanos();
    let took = held.rows.as_nanos().max(1);
    let fits = u128::try_from(rows).unwrap_or(u128::MAX).saturating_mul(target).checked_div(took);
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
        let after = |rows, took, flush: u64| next_slice(128, rows, Held { rows: took, flushed: took + ms(flush) });
        assert_eq!(after(300, ms(2), 1), 300);
        assert_eq!(after(300, ms(3), 1), 200);
        assert_eq!(after(600, ms(300), 0), 300, "one that was put aside");
        assert_eq!(after(600, Duration::ZERO, 0), SLICE_MAX);
        assert_eq!(after(128, ms(300), 1), 128, "slow rows");
        assert_eq!(after(1, ms(1), 0), 128, "the last slice of a file is short");
        assert_eq!(after(200, ms(2), 3), 300, "a slow flush: as long as it");
        assert_eq!(after(300, ms(3), 3), 300);
    }
}

//! The spread and the merge: places of facts by the bits of their hash, a part at a time, on two threads. What a hash
//! means, and whether two facts with one hash belong together, is the caller's.

/// How many facts of a side a part should hold: its sorting stays in the cache of one core.
const PART_SIZE: usize = 16 * 1024;

/// At most so many bits choose a part: more parts than that are written to at once more slowly than they are sorted.
const PART_BITS_MAX: u32 = 8;

/// Fewer facts than this are not worth a second thread.
const ONE_THREAD_MAX: usize = 8 * 1024;

/// Places by parts: 32 bits of hash above 32 bits of place.
pub(super) struct Index {
    entries: Vec<u64>,
    sizes: Vec<usize>,
}

impl Index {
    /// Of the facts that `hashes` names as (hash, place): read twice.
    fn new(bits: u32, hashes: impl Iterator<Item = (u32, usize)> + Clone) -> Self {
        let mut sizes = vec![0_usize; 1 << bits];
        for (hash, _) in hashes.clone() {
            if let Some(size) = sizes.get_mut(part(hash, bits)) {
                *size += 1;
            }
        }
        let mut next = sizes.clone();
        let mut all = 0;
        for at in &mut next {
            all += std::mem::replace(at, all);
        }
        let mut entries = vec![0_u64; all];
        for (hash, place) in hashes {
            let slot = next.get_mut(part(hash, bits)).and_then(|at| {
                let slot = entries.get_mut(*at);
                *at += 1;
                slot
            });
            if let Some(slot) = slot {
                *slot = (u64::from(hash) << 32) | u64::try_from(place).unwrap_or(0);
            }
        }
        Self { entries, sizes }
    }

    fn parts(&mut self) -> Vec<&mut [u64]> {
        let mut rest = self.entries.as_mut_slice();
        let mut parts = Vec::with_capacity(self.sizes.len());
        for size in &self.sizes {
            let (part, after) = std::mem::take(&mut rest).split_at_mut(*size);
            parts.push(part);
            rest = after;
        }
        parts
    }
}

/// Spreads both sides, lines and events, of which the larger has so many facts.
pub(super) fn spread(
    facts: usize,
    lines: impl Iterator<Item = (u32, usize)> + Clone,
    events: impl Iterator<Item = (u32, usize)> + Clone + Send,
) -> (Index, Index) {
    let bits = (facts / PART_SIZE).max(1).ilog2().min(PART_BITS_MAX);
    on_two_threads(facts, || Index::new(bits, lines), || Index::new(bits, events))
}

/// Both, at the same time where so many facts are worth it.
pub(super) fn on_two_threads<A, B: Send>(
    facts: usize,
    one: impl FnOnce() -> A,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if facts <= ONE_THREAD_MAX {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        match other.join() {
            Ok(other) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn part(hash: u32, bits: u32) -> usize {
    usize::try_from((u64::from(hash) << bits) >> 32).unwrap_or(0)
}

/// The places that a run of entries names.
pub(super) fn places(run: &[u64]) -> impl Iterator<Item = usize> + '_ {
    run.iter().map(|entry| usize::try_from(entry & u64::from(u32::MAX)).unwrap_or(0))
}

/// Two sides side by side: `visit` sees each hash once, in rising order, with the entries of lines and of events that
/// have it. The first half of the hashes is one state's, the second half the other one's.
pub(super) fn join<S: Send>(
    mut lines: Index,
    mut events: Index,
    start: impl Fn(usize) -> S + Sync,
    visit: impl Fn(&mut S, &[u64], &[u64]) + Sync,
) -> (S, S) {
    let facts = lines.entries.len() + events.entries.len();
    let mut low: Vec<_> = lines.parts().into_iter().zip(events.parts()).collect();
    let high = low.split_off(low.len() / 2);
    let pairs = |parts: &[(&mut [u64], &mut [u64])]| parts.iter().map(|(l, e)| l.len().min(e.len())).sum::<usize>();
    let of_high = pairs(&high);
    // What the second half finds is appended to what the first one found.
    let of_both = pairs(&low) + of_high;
    let walk = |parts: Vec<(&mut [u64], &mut [u64])>, pairs: usize| {
        let mut state = start(pairs);
        for (lines, events) in parts {
            lines.sort_unstable();
            events.sort_unstable();
            merge(lines, events, |lines, events| visit(&mut state, lines, events));
        }
        state
    };
    on_two_threads(facts, || walk(low, of_both), || walk(high, of_high))
}

fn merge(mut lines: &[u64], mut events: &[u64], mut visit: impl FnMut(&[u64], &[u64])) {
    let hash = |side: &[u64]| side.first().map(|entry| entry >> 32);
    loop {
        let next = match (hash(lines), hash(events)) {
            (None, None) => return,
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(other)) => one.min(other),
        };
        let (line_run, more_lines) = run(lines, next);
        let (event_run, more_events) = run(events, next);
        visit(line_run, event_run);
        (lines, events) = (more_lines, more_events);
    }
}

fn run(side: &[u64], hash: u64) -> (&[u64], &[u64]) {
    let length = side.iter().take_while(|entry| *entry >> 32 == hash).count();
    side.split_at(length)
}

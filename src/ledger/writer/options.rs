//! How a writer is set up: its lane, its bounds, and whether it is the only one.

use crate::domain::ids::Generation;

/// Notices in one transaction. One flush pays for all of them; beyond this the batch only adds waiting.
pub const BATCH_MAX: usize = 512;

/// Notices that may wait. Four seconds of the national peak; beyond it the retry word is kinder than the wait.
pub const QUEUE_MAX: usize = 8_192;

/// How a writer is set up.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// The receipt chain this writer extends.
    pub lane: u32,
    /// This start of this instance, random.
    pub generation: Generation,
    /// Notices in one transaction.
    pub batch_max: usize,
    /// Notices that may wait.
    pub queue_max: usize,
    /// Does nobody else write to the store?
    pub alone: bool,
}

impl WriterOptions {
    /// The limits' defaults.
    #[must_use]
    pub fn new(lane: u32, generation: Generation) -> Self {
        Self { lane, generation, batch_max: BATCH_MAX, queue_max: QUEUE_MAX, alone: true }
    }
}

//! How a writer fares.

/// What a writer is doing: for readiness and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStatus {
    /// Notices that wait.
    pub queued: usize,
    /// Other transactions that wait.
    pub tasks_queued: usize,
    /// Committed batches.
    pub batches: u64,
    /// Answered notices.
    pub answered: u64,
    /// Notices in the last batch.
    pub last_batch: u64,
    /// Notices dropped because their collector had stopped waiting.
    pub late: u64,
    /// Commits whose outcome is not known.
    pub unknown: u64,
    /// Notices that could not be taken by a fault of ours.
    pub faults: u64,
    /// Answers `duplicate` that the books gave.
    pub duplicates: u64,
    /// The disk is full: not ready.
    pub full: bool,
    /// The database does not answer: not ready until it does.
    pub away: bool,
    /// The storage failed: the program must end and recover at its next start.
    pub broken: bool,
}

impl WriterStatus {
    /// May new notices be sent here?
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.full && !self.away && !self.broken
    }
}

//! Long work as transactions of its own (decision 9): in large ones by whoever owns the store alone, in short ones
//! between a gateway's batches, as long as the clock allows. [`Slices`] blocks: it is for threads that may.

use super::pace::{Held, next_slice};
use super::queue::{Busy, Queue};
use crate::store::{Store, StoreError, Tx};
use std::time::{Duration, Instant};

/// Rows in a slice that nobody waits for.
const ROWS_ALONE: usize = 20_000;

/// Rows in the first slice between batches, and the least in any.
const ROWS_FIRST: usize = 256;
const ROWS_MIN: usize = 64;

/// How often a slice is run again that met another writer.
const CONTENDED_TRIES_MAX: u32 = 5;

/// Waits between tries while the writer has too much to do, and how often it is asked again: half a minute.
const BUSY_WAIT: Duration = Duration::from_millis(50);
const BUSY_TRIES_MAX: u32 = 600;

/// Why a slice was not written; what was written before it stays.
#[derive(Debug, thiserror::Error)]
pub enum SliceError {
    /// The writer takes no more.
    #[error("the ledger takes no more at the moment")]
    Busy,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The way to the one who writes.
enum Way<'w> {
    Alone(&'w mut dyn Store),
    Between(&'w dyn Queue),
}

/// Where slices are written.
pub struct Slices<'w> {
    way: Way<'w>,
    rows: usize,
}

impl<'w> Slices<'w> {
    /// By the one who owns the store.
    #[must_use]
    pub fn alone(store: &'w mut dyn Store) -> Self {
        Self { way: Way::Alone(store), rows: ROWS_ALONE }
    }

    /// Between the batches of a writer.
    #[must_use]
    pub fn between(queue: &'w dyn Queue) -> Self {
        Self { way: Way::Between(queue), rows: ROWS_FIRST }
    }

    /// One transaction; run again when it met another writer.
    ///
    /// # Errors
    /// [`SliceError`].
    pub fn one<T: Send + 'static>(
        &mut self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, SliceError> {
        self.timed(work).map(|(done, _)| done)
    }

    /// All rows, a slice a transaction; `done` hears how many were written so far. Adds up what each slice says.
    ///
    /// # Errors
    /// [`SliceError`]; earlier slices stay written.
    pub fn all<R: Send + 'static>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
        write: impl Fn(&mut dyn Tx, &[R]) -> Result<u64, StoreError> + Clone + Send + 'static,
        done: &mut dyn FnMut(u64),
    ) -> Result<u64, SliceError> {
        let mut said = 0_u64;
        self.each(rows, write, &mut |written, more| {
            said = said.saturating_add(more);
            done(written);
        })?;
        Ok(said)
    }

    /// The same; `done` hears what each slice says as well.
    ///
    /// # Errors
    /// [`SliceError`]; earlier slices stay written.
    pub fn each<R: Send + 'static, T: Send + 'static>(
        &mut self,
        rows: impl IntoIterator<Item = R>,
        write: impl Fn(&mut dyn Tx, &[R]) -> Result<T, StoreError> + Clone + Send + 'static,
        done: &mut dyn FnMut(u64, T),
    ) -> Result<(), SliceError> {
        let (mut rows, mut written) = (rows.into_iter(), 0_u64);
        loop {
            let slice: Vec<R> = rows.by_ref().take(self.rows).collect();
            if slice.is_empty() {
                return Ok(());
            }
            let (count, write) = (slice.len(), write.clone());
            let (said, held) = self.timed(move |tx| write(tx, &slice))?;
            written = written.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            if matches!(self.way, Way::Between(_)) && count >= self.rows {
                self.rows = next_slice(ROWS_MIN, count, held);
            }
            done(written, said);
        }
    }

    fn timed<T: Send + 'static>(
        &mut self,
        work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<(T, Held), SliceError> {
        match &mut self.way {
            Way::Alone(store) => Ok(transact(&mut **store, work)?),
            Way::Between(queue) => between(*queue, work),
        }
    }
}

/// One slice, by whoever holds the store: run again when it met another writer. Says how long it held the store.
///
/// # Errors
/// The machine's.
pub fn transact<T>(
    store: &mut dyn Store,
    mut work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>,
) -> Result<(T, Held), StoreError> {
    let started = Instant::now();
    let mut tries = 0_u32;
    loop {
        let (mut out, mut rows) = (None, Duration::ZERO);
        let done = store.transact(&mut |tx| {
            out = Some(work(tx)?);
            rows = started.elapsed();
            Ok(())
        });
        match (done, out) {
            (Ok(()), Some(out)) => return Ok((out, Held { rows, flushed: started.elapsed() })),
            (Ok(()), None) => return Err(StoreError::Fault("slices: the work was not run".to_owned())),
            (Err(StoreError::Contended), _) if tries < CONTENDED_TRIES_MAX => tries = tries.saturating_add(1),
            (Err(error), _) => return Err(error),
        }
    }
}

fn between<T: Send + 'static>(
    queue: &dyn Queue,
    work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> Result<(T, Held), SliceError> {
    // Kept outside, so that a full queue can be asked again.
    let work = std::sync::Arc::new(std::sync::Mutex::new(work));
    for _ in 0..BUSY_TRIES_MAX {
        let work = std::sync::Arc::clone(&work);
        let ran = queue.run(move |store| {
            let mut work = work.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            transact(store, &mut *work)
        });
        match ran {
            Ok(answer) => return Ok(answer.blocking_recv().map_err(|_not_run| SliceError::Busy)??),
            Err(Busy::Full) => std::thread::sleep(BUSY_WAIT),
            Err(Busy::Closed) => return Err(SliceError::Busy),
        }
    }
    Err(SliceError::Busy)
}

//! Forgets bytes that are old and that nobody needs any more, a slice at a time between batches, on a person's word.
//! Not what may be forgotten: that is the store's question (`store::retention`), and it is asked anew for every row in
//! the transaction that erases it. It ends where it was cut off: a second run passes over what is gone.

use super::pace::{Held, next_slice};
use super::slices::transact;
use super::writer::{Busy, Writer};
use crate::domain::time::Timestamp;
use crate::store::{Erasable, EraseRequest, Erased, Store, StoreError};
use std::time::{Duration, Instant};

/// What is younger is never erased, whoever asks: a partner's dispute, the minutes of its month and their correction
/// take up to a quarter, and begin with what was really sent.
pub const AGE_FLOOR_DAYS: u32 = 90;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Rows that are looked at in the first slice, and the least in any: a row may be a few reads of a cold disk.
const SLICE_FIRST: u32 = 64;
const SLICE_MIN: usize = 16;

/// How long one call of the internal API goes on before it says how far it is: short of every client's patience.
const CALL_TIME: Duration = Duration::from_secs(2);

/// Waits between tries while the writer has too much to do, and how often it is asked again: half a minute.
const BUSY_WAIT: Duration = Duration::from_millis(50);
const BUSY_TRIES_MAX: u32 = 600;

/// Why nothing was erased, or no more of it; what was erased until then stays erased.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// Younger than anybody may erase.
    #[error("expected at least {AGE_FLOOR_DAYS} days: younger bytes are still needed for disputes")]
    TooYoung,
    /// The writer takes no more.
    #[error("the ledger takes no more at the moment")]
    Busy,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything of that kind that is older than so many days.
///
/// # Errors
/// [`RetainError::TooYoung`].
pub fn request(what: Erasable, days: u32, now: Timestamp) -> Result<EraseRequest, RetainError> {
    if days < AGE_FLOOR_DAYS {
        return Err(RetainError::TooYoung);
    }
    let before = now.plus_ms(i64::from(days).saturating_mul(DAY_MS).saturating_neg());
    Ok(EraseRequest { what, before, at: now, after: 0, limit: SLICE_FIRST, dry_run: false })
}

/// One slice, run on the writer's connection, and how long it held it.
fn slice(store: &mut dyn Store, request: &EraseRequest) -> Result<(Erased, Held), StoreError> {
    transact(store, |tx| tx.erase(request))
}

/// How far a run is.
struct Run {
    request: EraseRequest,
    sum: Erased,
}

impl Run {
    fn new(request: EraseRequest) -> Self {
        Self { request, sum: Erased::default() }
    }

    /// Takes a slice in; is there more?
    fn add(&mut self, erased: Erased, held: Held) -> bool {
        self.sum = self.sum.and(erased);
        let rows = usize::try_from(self.request.limit).unwrap_or(usize::MAX);
        self.request.limit = u32::try_from(next_slice(SLICE_MIN, rows, held)).unwrap_or(SLICE_FIRST);
        self.request.after = erased.next.unwrap_or(self.request.after);
        erased.next.is_some()
    }
}

/// All of it, by the one who owns the store; `progress` hears how far it is.
///
/// # Errors
/// The machine's.
pub fn all(
    store: &mut dyn Store,
    request: EraseRequest,
    progress: &mut dyn FnMut(&Erased),
) -> Result<Erased, RetainError> {
    let mut run = Run::new(request);
    loop {
        let (erased, held) = slice(store, &run.request)?;
        let more = run.add(erased, held);
        progress(&run.sum);
        if !more {
            return Ok(run.sum);
        }
    }
}

/// As much as one call of the internal API may take, between a writer's batches.
///
/// # Errors
/// [`RetainError`].
pub async fn some(writer: &Writer, request: EraseRequest) -> Result<Erased, RetainError> {
    let started = Instant::now();
    let mut run = Run::new(request);
    loop {
        let (erased, held) = on_writer(writer, run.request).await?;
        if !run.add(erased, held) || started.elapsed() >= CALL_TIME {
            return Ok(run.sum);
        }
    }
}

async fn on_writer(writer: &Writer, request: EraseRequest) -> Result<(Erased, Held), RetainError> {
    for _ in 0..BUSY_TRIES_MAX {
        match writer.run(move |store| slice(store, &request)) {
            Ok(answer) => return Ok(answer.await.map_err(|_not_run| RetainError::Busy)??),
            Err(Busy::Full) => tokio::time::sleep(BUSY_WAIT).await,
            Err(Busy::Closed) => return Err(RetainError::Busy),
        }
    }
    Err(RetainError::Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_erases_what_is_younger_than_the_floor() {
        let now = Timestamp::from_unix_ms(1_795_312_800_000);
        let asked = |days| request(Erasable::Raw, days, now).map(|request| now.ms_since(request.before) / DAY_MS);
        assert!(matches!(asked(89), Err(RetainError::TooYoung)) && matches!(asked(0), Err(RetainError::TooYoung)));
        assert_eq!(asked(90).unwrap(), 90);
        assert_eq!(asked(400).unwrap(), 400);
        assert!(asked(u32::MAX).unwrap() > 0);
    }
}

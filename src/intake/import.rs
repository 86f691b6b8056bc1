//! Takes invoices in, a slice at a time, so that notices keep flowing: a slice is as long as the writer may be held,
//! and the next one waits for its turn behind them. Ends where it was cut off: a second run finds the first rows the
//! same and goes on (decision 9).

use crate::domain::ids::EventKey;
use crate::domain::invoice::Invoice;
use crate::domain::time::Clock;
use crate::ledger::writer::{Busy, Writer};
use crate::ledger::{self, Held, LaneContext, RegisterReport};
use crate::seen::Generations;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Rows in the first slice, and the least in any: later ones follow the clock, but where the disk is slow the flush is
/// most of it, and fewer rows would not be written any sooner.
const SLICE_MIN: usize = 32;

/// Waits between tries while the writer has too much to do.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// How often a busy writer is asked again before the import gives up: half a minute.
const BUSY_TRIES_MAX: u32 = 600;

/// An import that had to stop; what was taken until then stays taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The writer takes no more.
    #[error("the ledger takes no more at the moment")]
    Busy,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// New.
    pub added: u64,
    /// Replaced.
    pub changed: u64,
    /// The same.
    pub same: u64,
    /// Older than what is known.
    pub older: u64,
    /// Parked payments that found their invoice.
    pub rematched: u64,
}

impl Taken {
    /// Adds a slice.
    pub fn add(&mut self, report: &RegisterReport) {
        self.added = self.added.saturating_add(report.added);
        self.changed = self.changed.saturating_add(report.changed);
        self.same = self.same.saturating_add(report.same);
        self.older = self.older.saturating_add(report.older);
        self.rematched = self.rematched.saturating_add(report.rematched);
    }
}

/// One slice, run on the writer's connection: of these rows, or, where theirs named a rest, of the parked payments after it.
///
/// # Errors
/// The machine's.
pub fn slice(
    store: &mut dyn Store,
    lane: &LaneContext,
    invoices: &[Invoice],
    rest: Option<EventKey>,
) -> Result<(RegisterReport, Held), StoreError> {
    ledger::transact(store, |tx| match &rest {
        None => ledger::register(tx, lane, invoices),
        Some(after) => ledger::rematch(tx, lane, invoices, after),
    })
}

/// A slice that the writer has, and what it will say.
type InFlight = oneshot::Receiver<Result<(RegisterReport, Held), StoreError>>;

/// Feeds rows to a writer in slices: while one is written, the next one is read.
pub struct Importer {
    writer: Arc<Writer>,
    clock: Arc<dyn Clock>,
    generations: Arc<Generations>,
    rows: Vec<Invoice>,
    slice_rows: usize,
    in_flight: Option<(Arc<[Invoice]>, InFlight)>,
    taken: Taken,
}

impl std::fmt::Debug for Importer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Importer").field("taken", &self.taken).finish_non_exhaustive()
    }
}

impl Importer {
    /// At the beginning of a file.
    #[must_use]
    pub fn new(writer: Arc<Writer>, clock: Arc<dyn Clock>, generations: Arc<Generations>) -> Self {
        let (rows, taken) = (Vec::new(), Taken::default());
        Self { writer, clock, generations, rows, slice_rows: SLICE_MIN, in_flight: None, taken }
    }

    /// Takes a row; writes a slice when there are enough.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn push(&mut self, invoice: Invoice) -> Result<(), ImportError> {
        self.rows.push(invoice);
        if self.rows.len() >= self.slice_rows { self.write().await } else { Ok(()) }
    }

    /// Writes what is left, and says what was taken.
    ///
    /// # Errors
    /// [`ImportError`].
    pub async fn finish(mut self) -> Result<Taken, ImportError> {
        self.write().await?;
        self.landed().await?;
        Ok(self.taken)
    }

    async fn write(&mut self) -> Result<(), ImportError> {
        self.landed().await?;
        if !self.rows.is_empty() {
            let rows: Arc<[Invoice]> = std::mem::take(&mut self.rows).into();
            let answer = self.submit(&rows, None).await?;
            self.in_flight = Some((rows, answer));
        }
        Ok(())
    }

    /// Waits for the slice before, and for those of the parked payments that it left: the writer has one of ours at most.
    async fn landed(&mut self) -> Result<(), ImportError> {
        let Some((rows, answer)) = self.in_flight.take() else { return Ok(()) };
        let (report, held) = answer.await.map_err(|_not_run| ImportError::Busy)??;
        self.slice_rows = ledger::next_slice(SLICE_MIN, rows.len(), held);
        let mut rest = self.note(&report);
        while rest.is_some() {
            let answer = self.submit(&rows, rest).await?;
            let (report, _held) = answer.await.map_err(|_not_run| ImportError::Busy)??;
            rest = self.note(&report);
        }
        Ok(())
    }

    fn note(&mut self, report: &RegisterReport) -> Option<EventKey> {
        self.taken.add(report);
        if let Some(last) = report.last {
            self.generations.advance(self.generations.own(), last);
        }
        report.rest
    }

    async fn submit(&self, rows: &Arc<[Invoice]>, rest: Option<EventKey>) -> Result<InFlight, ImportError> {
        for _ in 0..BUSY_TRIES_MAX {
            let (rows, lane) = (Arc::clone(rows), self.writer.context(self.clock.as_ref()));
            let queued = self.writer.run(move |store| slice(store, &lane, &rows, rest));
            match queued {
                Ok(answer) => return Ok(answer),
                Err(Busy::Full) => tokio::time::sleep(BUSY_WAIT).await,
                Err(Busy::Closed) => return Err(ImportError::Busy),
            }
        }
        Err(ImportError::Busy)
    }
}

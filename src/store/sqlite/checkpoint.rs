//! Moves the write-ahead log into the file beside the writer, on a thread and a connection of its own: no commit waits
//! for the file to be flushed. Only what is left over when the log is long, a few pages, is moved by the writer itself
//! between two transactions, because the log begins anew only when all of it has been moved. A failure here is the
//! storage's: the next transaction says so.

use super::statement::{self, Db};
use super::{READER_CACHE_KIB, tune};
use crate::store::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the thread looks. In one look's time a busy writer adds a few hundred pages.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Pages in the log beyond which the writer moves the last ones itself, 16 MiB. Under a lighter load the thread moves
/// all of them in a pause, and it never comes to this. A longer log is slower while it grows: a file that grows is
/// flushed with its size.
const LOG_PAGES_MAX: i64 = 4_000;

/// Pages that the writer may be asked to move: a millisecond.
const REST_PAGES_MAX: i64 = 500;

/// What the writer and the thread tell each other.
#[derive(Debug, Default)]
struct Shared {
    /// Commits so far.
    commits: AtomicU64,
    /// The log is long and nearly all moved: the writer should move the rest.
    finish: AtomicBool,
    /// What the thread met, for the writer to return.
    failed: Mutex<Option<StoreError>>,
    stop: AtomicBool,
}

/// The thread. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Checkpointer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts it for the database at `path`, whose writer is open.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| tune(&connection, READER_CACHE_KIB).map(|()| connection))
            .map_err(|error| statement::of("-- checkpoint.open", error))?;
        let shared = Arc::new(Shared::default());
        let desk = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || desk.work(&connection))
            .map_err(|error| StoreError::Fault(format!("checkpoint.start: no thread ({})", error.kind())))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Before a transaction: what the thread met since, and the rest of a long log.
    pub(super) fn before(&self, writer: &Connection) -> Result<(), StoreError> {
        if let Some(error) = self.shared.failed().take() {
            return Err(error);
        }
        if self.shared.finish.swap(false, Ordering::AcqRel) {
            // Somebody reading the log may keep it from beginning anew; the thread will ask again.
            move_pages(writer)?;
        }
        Ok(())
    }

    /// After a commit.
    pub(super) fn committed(&self) {
        self.shared.commits.fetch_add(1, Ordering::Release);
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It ends by returning; its panic would have been in SQLite's binding and lost nothing.
            drop(thread.join());
        }
    }
}

/// Pages in the log, and how many of them are in the file.
struct Moved {
    log: i64,
    moved: i64,
}

fn move_pages(connection: &Connection) -> Result<Moved, StoreError> {
    const SQL: &str = "-- checkpoint.passive\nPRAGMA wal_checkpoint(PASSIVE)";
    let moved = Db(connection).one(SQL, (), |cells| {
        let _busy: i64 = cells.next()?;
        Ok(Moved { log: cells.next()?, moved: cells.next()? })
    })?;
    Ok(moved.unwrap_or(Moved { log: 0, moved: 0 }))
}

impl Shared {
    fn failed(&self) -> std::sync::MutexGuard<'_, Option<StoreError>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, connection: &Connection) {
        let mut seen = 0;
        while !self.stop.load(Ordering::Acquire) {
            let commits = self.commits.load(Ordering::Acquire);
            if commits != seen && !self.finish.load(Ordering::Acquire) {
                match move_pages(connection) {
                    Ok(Moved { log, moved }) => {
                        seen = commits;
                        let rest = log.saturating_sub(moved);
                        if log > LOG_PAGES_MAX && rest < REST_PAGES_MAX {
                            self.finish.store(true, Ordering::Release);
                        }
                    }
                    // A failed write or flush is never tried again: the second one may lie.
                    Err(error @ StoreError::Broken(_)) => {
                        tracing::error!(error = %error, "The log cannot be moved into the file");
                        *self.failed() = Some(error);
                        return;
                    }
                    // The writer moves its rest at this moment, or the disk is full, which its own commits meet: the
                    // next look tries again, so that the log does not grow for ever.
                    Err(error) => tracing::debug!(error = %error, "The log is moved into the file later"),
                }
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }
}

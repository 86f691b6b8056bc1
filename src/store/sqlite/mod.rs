//! SQLite, the embedded default: one file, one process, one writer. WAL with `synchronous=FULL`: a commit that
//! returned is flushed (I4). A transaction that does not reach its commit, by an error or a panic, is rolled back
//! before anything else runs on the connection. Knows nothing of what the rows mean; keeps I2 and I5 by keys,
//! checks and triggers in `migrations/`.

mod backup;
mod checkpoint;
mod checks;
mod closes;
mod desk;
mod invoices;
mod lock;
mod migrate;
mod outbox;
mod pages;
mod periods;
mod reports;
mod retention;
mod settlements;
mod statement;
mod statements;
mod tx;
mod users;
mod write;

pub use backup::{BackupProgress, backup, restore};
pub use reports::SqliteReports;

use super::numbers::LANE_MAX;
use super::{Store, StoreError, Work};
use checkpoint::Checkpointer;
use lock::FileLock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;
use tx::{Numbers, SqliteTx};

/// How long a statement waits for another connection's lock. Only the checkpoint and a tool that ignores the lock
/// file can make it wait at all.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Page cache of the writer: the hot pages of a million invoices' indexes; more was measured to buy nothing but
/// memory.
const WRITER_CACHE_KIB: i64 = 12_288;

/// Page cache of a reading connection.
const READER_CACHE_KIB: i64 = 4_096;

/// More statements than the writer and the reports have.
const STATEMENTS_CACHED: usize = 128;

/// When a commit is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// Flushed at each commit: what every gateway runs.
    #[default]
    Full,
    /// Not flushed until a checkpoint: loses acknowledged payments on power loss. Only for the rigs, whose power-cut
    /// test must be able to fail.
    Normal,
}

/// How a writer opens its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteOptions {
    /// When a commit is on disk.
    pub synchronous: Synchronous,
    /// The lane of this writer's receipts.
    pub lane: u32,
    /// Where this gateway's internal API listens: told to whoever finds the file taken.
    pub internal_url: Option<String>,
    /// The file may not grow past this many pages of 4 KiB: a full disk, for tests and for shared disks.
    pub pages_max: Option<u32>,
}

/// The one writer of a database file.
#[derive(Debug)]
pub struct SqliteStore {
    // In this order: its connection is closed before the writer's, which then moves what is left of the log; and the
    // file is closed when another process may take it.
    checkpointer: Checkpointer,
    connection: Connection,
    lane: u32,
    numbers: Numbers,
    _lock: FileLock,
}

impl SqliteStore {
    /// Takes the file, or makes it; brings the schema up.
    ///
    /// # Errors
    /// [`StoreError::Fault`] when another process holds it, [`StoreError::Schema`] when it is newer or not ours, and
    /// the machine's.
    pub fn open(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        Self::open_and_migrate(path, options).map(|(store, _done)| store)
    }

    fn open_and_migrate(path: &Path, options: &SqliteOptions) -> Result<(Self, Vec<String>), StoreError> {
        if options.lane >= LANE_MAX {
            return Err(StoreError::Fault(format!("lane {}: expected less than {LANE_MAX}", options.lane)));
        }
        let lock = FileLock::take(path, options.internal_url.as_deref())?;
        let named = path.display().to_string();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection =
            Connection::open_with_flags(path, flags).map_err(|error| statement::of("-- store.open", error))?;
        migrate::check(&connection, &named)?;
        let synchronous = match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        };
        // Each row that a batch writes names rows of the same batch or ones that it has just read, by numbers; checking
        // that again costs a twentieth of the writer. `audit` asks for every row that points at nothing.
        tune(&connection, WRITER_CACHE_KIB)
            .and_then(|()| connection.pragma_update(None, "foreign_keys", false))
            .and_then(|()| connection.pragma_update(None, "journal_mode", "WAL"))
            .and_then(|()| connection.pragma_update(None, "synchronous", synchronous))
            .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", 0))
            .map_err(|error| statement::of("-- store.tune", error))?;
        let done = migrate::bring_up(&mut connection, &named)?;
        if let Some(pages) = options.pages_max {
            connection
                .pragma_update(None, "max_page_count", pages)
                .map_err(|error| statement::of("-- store.pages_max", error))?;
        }
        let checkpointer = Checkpointer::start(path)?;
        Ok((Self { checkpointer, connection, lane: options.lane, numbers: Numbers::default(), _lock: lock }, done))
    }
}

/// Brings the schema of the file at `path` up, making the file if there is none; says what it did.
///
/// # Errors
/// As [`SqliteStore::open`].
pub fn migrate(path: &Path) -> Result<Vec<String>, StoreError> {
    SqliteStore::open_and_migrate(path, &SqliteOptions::default()).map(|(_store, done)| done)
}

/// A reading connection; also beside a gateway, also from another process.
///
/// # Errors
/// [`StoreError::Schema`] when the file is not there, not ours, older or newer; the machine's.
pub fn open_reports(path: &Path) -> Result<SqliteReports, StoreError> {
    Ok(SqliteReports::new(open_reader(path)?))
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    if !path.is_file() {
        return Err(StoreError::Schema(format!("{}: no such database", path.display())));
    }
    // Read-write in name only: a reader of a WAL takes part in its locks. `query_only` keeps it from writing.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .and_then(|connection| tune(&connection, READER_CACHE_KIB).map(|()| connection))
        .and_then(|connection| connection.pragma_update(None, "query_only", true).map(|()| connection))
        .map_err(|error| statement::of("-- reports.open", error))?;
    migrate::check_current(&connection, &path.display().to_string())?;
    Ok(connection)
}

fn tune(connection: &Connection, cache_kib: i64) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A statement keeps its plan. Else one is made again whenever a bound value could have meant a better one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "cache_size", cache_kib.saturating_neg())
}

impl Store for SqliteStore {
    fn lane(&self) -> u32 {
        self.lane
    }

    fn transact(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.checkpointer.before(&self.connection)?;
        let open = OpenTransaction::begin(&self.connection, &mut self.numbers)?;
        let mut tx = SqliteTx::new(open.connection, self.lane, &mut *open.numbers);
        work(&mut tx)?;
        open.commit()?;
        self.checkpointer.committed();
        Ok(())
    }
}

/// Rolls back when it is dropped without a commit, whatever the reason: an error, a failed commit, a panic.
struct OpenTransaction<'s> {
    connection: &'s Connection,
    numbers: &'s mut Numbers,
    committed: bool,
}

impl<'s> OpenTransaction<'s> {
    fn begin(connection: &'s Connection, numbers: &'s mut Numbers) -> Result<Self, StoreError> {
        const BEGIN: &str = "-- store.begin\nBEGIN IMMEDIATE";
        let open = Self { connection, numbers, committed: false };
        if !connection.is_autocommit() {
            // The last rollback failed: try it once more before anything is written.
            open.roll_back().map_err(|error| statement::of("-- store.rollback", error))?;
        }
        statement::Db(connection).execute(BEGIN, ())?;
        Ok(open)
    }

    fn commit(mut self) -> Result<(), StoreError> {
        const COMMIT: &str = "-- store.commit\nCOMMIT";
        if self.connection.is_autocommit() {
            return Err(StoreError::Fault("store.commit: the transaction had ended after an error".to_owned()));
        }
        let committed = self.connection.prepare_cached(COMMIT).and_then(|mut commit| commit.execute(()));
        match committed {
            Ok(_) => {
                self.committed = true;
                Ok(())
            }
            Err(error) => Err(at_commit(COMMIT, error)),
        }
    }

    fn roll_back(&self) -> Result<(), rusqlite::Error> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("-- store.rollback\nROLLBACK")
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        self.numbers.end_transaction(self.committed);
        if !self.committed {
            // A rollback that fails is tried again by the next `begin`, which reports it.
            self.roll_back().ok();
        }
    }
}

/// A commit that met a full disk or a lock wrote no commit mark; one that met an I/O error is broken, and may be
/// found committed by the recovery at the next start; of any other the outcome is not known.
fn at_commit(sql: &str, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        // A deferred check that fails refuses the commit itself.
        Some(ErrorCode::ConstraintViolation) => statement::of(sql, error),
        _ => match statement::of(sql, error) {
            StoreError::Fault(text) => StoreError::Unknown(text.into()),
            known => known,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn open() -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("books.db"), &SqliteOptions::default()).unwrap();
        (folder, store)
    }

    fn pragma(store: &SqliteStore, name: &str) -> String {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(row.get::<_, i64>(0).map(|n| n.to_string()).or_else(|_text| row.get::<_, String>(0)))
        };
        store.connection.pragma_query_value(None, name, read).unwrap().unwrap()
    }

    /// `.cargo/config.toml` says how the bundled library is built; built otherwise, it is slower.
    #[test]
    fn the_library_is_built_as_the_configuration_says() {
        let (_folder, store) = open();
        let mut statement = store.connection.prepare("PRAGMA compile_options").unwrap();
        let built: Vec<String> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for option in ["THREADSAFE=2", "DEFAULT_MEMSTATUS=0", "OMIT_SHARED_CACHE"] {
            assert!(built.iter().any(|b| b == option), "{option}: {built:?}");
        }
        assert!(!built.iter().any(|b| b == "ENABLE_STAT4" || b == "ENABLE_API_ARMOR"), "{built:?}");
    }

    #[test]
    fn a_gateway_flushes_each_commit() {
        let (_folder, store) = open();
        for (name, value) in
            [("journal_mode", "wal"), ("synchronous", "2"), ("wal_autocheckpoint", "0"), ("cache_size", "-12288")]
        {
            assert_eq!(pragma(&store, name), value, "{name}");
        }
    }

    /// What the driver says, during a statement and at COMMIT, and what the gateway makes of it.
    #[test]
    fn each_failure_of_the_driver_means_one_thing_to_do() {
        let kind = |error: &StoreError| match error {
            StoreError::Full(_) => "full",
            StoreError::Broken(_) => "broken",
            StoreError::Unknown(_) => "unknown",
            StoreError::Fault(_) => "fault",
            StoreError::Contended => "contended",
            StoreError::Away(_) => "away",
            StoreError::Schema(_) => "schema",
        };
        for (code, in_statement, in_commit) in [
            (ffi::SQLITE_FULL, "full", "full"),
            (ffi::SQLITE_BUSY, "contended", "contended"),
            (ffi::SQLITE_IOERR_FSYNC, "broken", "broken"),
            (ffi::SQLITE_IOERR_WRITE, "broken", "broken"),
            (ffi::SQLITE_IOERR_READ, "broken", "broken"),
            (ffi::SQLITE_CORRUPT, "broken", "broken"),
            (ffi::SQLITE_NOTADB, "broken", "broken"),
            (ffi::SQLITE_READONLY, "broken", "broken"),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, "fault", "fault"),
            (ffi::SQLITE_NOMEM, "fault", "unknown"),
            (ffi::SQLITE_INTERRUPT, "fault", "unknown"),
        ] {
            let failure = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("row 7: secret".to_owned()));
            let statement = statement::of("-- verb.name\nSELECT 'secret'", failure());
            assert_eq!((code, kind(&statement)), (code, in_statement));
            assert_eq!((code, kind(&at_commit("-- store.commit\nCOMMIT", failure()))), (code, in_commit));
            assert!(!statement.to_string().contains("secret"), "{statement}");
            if in_statement == "fault" {
                assert!(statement.to_string().starts_with("verb.name: refused"), "{statement}");
            }
        }
    }

    #[test]
    fn a_commit_that_fails_is_rolled_back_and_the_store_goes_on() {
        let (_folder, mut store) = open();
        store.connection.pragma_update(None, "foreign_keys", true).unwrap();
        let refused = store.open_transaction_for_test(
            "PRAGMA defer_foreign_keys = ON;
             INSERT INTO accounts (name) VALUES ('bank');
             INSERT INTO postings VALUES (1, 77, 'settle', NULL, 0, '2026-11-22');",
        );
        assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
        assert!(store.connection.is_autocommit(), "rolled back");
        let mut seen = None;
        store
            .transact(&mut |tx| {
                seen = Some(tx.heads()?.posting);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, Some(crate::domain::ids::PostingNo(1)));
    }

    impl SqliteStore {
        fn open_transaction_for_test(&mut self, sql: &str) -> Result<(), StoreError> {
            let open = OpenTransaction::begin(&self.connection, &mut self.numbers)?;
            open.connection.execute_batch(sql).unwrap();
            open.commit()
        }
    }
}

//! Which database a URL names, and opening whichever it is.

use super::{Store, StoreError, postgres, reports, sqlite};
use crate::domain::secret::Secret;
use std::fmt;
use std::path::PathBuf;

/// Where the books are.
#[derive(Clone, Debug)]
pub enum Place {
    /// One file, one machine, one process.
    Sqlite(PathBuf),
    /// A database for several instances.
    Postgres(Box<postgres::PostgresPlace>),
}

impl Place {
    /// Reads a `store.url`. `password` and `trust_pem` are for the way to a server.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with what was expected. The URL is not repeated: it may hold a password.
    pub fn parse(url: &str, password: Option<&Secret>, trust_pem: Option<&[u8]>) -> Result<Self, StoreError> {
        match url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            Some(("postgres" | "postgresql", _)) => {
                Ok(Self::Postgres(Box::new(postgres::PostgresPlace::parse(url, password, trust_pem)?)))
            }
            _ => Err(StoreError::Schema(
                "store.url: expected sqlite://PATH or postgres://USER@HOST:PORT/DATABASE".to_owned(),
            )),
        }
    }
}

/// The file, or host, port and database.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(place) => place.fmt(f),
        }
    }
}

/// How a writer is opened, whatever the database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The lane of its receipts; of a server's, the first one to try.
    pub lane: u32,
    /// Where this gateway's internal API listens: told to whoever finds a file taken.
    pub internal_url: Option<String>,
    /// Commits are not flushed: loses acknowledged payments. Only for the rigs, whose crash tests must be able to fail.
    pub unflushed: bool,
}

/// Opens the writer of a place.
///
/// # Errors
/// As [`sqlite::SqliteStore::open`] and [`postgres::PostgresStore::open`].
pub fn open(place: &Place, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    match place {
        Place::Sqlite(path) => {
            let synchronous = if options.unflushed { sqlite::Synchronous::Normal } else { sqlite::Synchronous::Full };
            let internal_url = options.internal_url.clone();
            let options = sqlite::SqliteOptions { synchronous, lane: options.lane, internal_url, pages_max: None };
            Ok(Box::new(sqlite::SqliteStore::open(path, &options)?))
        }
        Place::Postgres(place) => {
            let (lane, unflushed) = (options.lane, options.unflushed);
            let options = postgres::PostgresOptions { lane, unflushed, ..postgres::PostgresOptions::default() };
            Ok(Box::new(postgres::PostgresStore::open(place, &options)?))
        }
    }
}

/// Opens a reading connection.
///
/// # Errors
/// As [`sqlite::open_reports`] and [`postgres::open_reports`].
pub fn open_reports(place: &Place) -> Result<Box<dyn reports::Reports>, StoreError> {
    Ok(match place {
        Place::Sqlite(path) => Box::new(sqlite::open_reports(path)?),
        Place::Postgres(place) => Box::new(postgres::open_reports(place)?),
    })
}

/// Brings the schema up; says what it did.
///
/// # Errors
/// As [`open`].
pub fn migrate(place: &Place) -> Result<Vec<String>, StoreError> {
    match place {
        Place::Sqlite(path) => sqlite::migrate(path),
        Place::Postgres(place) => postgres::migrate(place),
    }
}

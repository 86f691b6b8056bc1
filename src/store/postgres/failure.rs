//! What a failure of the driver or the server means to the gateway. An error says the statement's name and the server's
//! five-character code, never a text of the server, which may hold values of rows (I11).

use crate::store::StoreError;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// A failure as the log may see it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

/// What happened, and whether the session is of any more use.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: StoreError,
    pub(super) lost: bool,
}

/// The name in a statement's first line.
pub(super) fn name(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default().trim_start_matches("--").trim()
}

/// The database does not answer, or not as one that may be written.
pub(super) fn away(text: impl Into<String>) -> StoreError {
    StoreError::Away(Box::new(Said(text.into())))
}

/// The storage is not to be trusted any more.
pub(super) fn broken(text: impl Into<String>) -> StoreError {
    StoreError::Broken(Box::new(Said(text.into())))
}

/// A statement before COMMIT failed: nothing of its transaction is kept.
pub(super) fn of(sql: &str, error: &Error) -> Failure {
    let name = name(sql);
    let Some(said) = error.as_db_error() else {
        if is_way(error) {
            return Failure { error: StoreError::Contended, lost: true };
        }
        // A parameter or a column that is not what the statement says: ours. Its text may hold values.
        return Failure { error: StoreError::Fault(format!("{name}: the driver refused the call")), lost: false };
    };
    let fatal = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    let source = || Box::new(Said(format!("{name}: {}", said.code().code())));
    let code = said.code();
    let error = match code {
        _ if is_storage(code) => StoreError::Broken(source()),
        &SqlState::DISK_FULL => StoreError::Full(source()),
        &SqlState::QUERY_CANCELED | &SqlState::TOO_MANY_CONNECTIONS => StoreError::Away(source()),
        &SqlState::READ_ONLY_SQL_TRANSACTION => {
            // What was the primary is a standby now.
            return Failure { error: StoreError::Away(source()), lost: true };
        }
        _ if fatal || is_somebody_elses(code) => StoreError::Contended,
        _ => StoreError::Fault(format!("{name}: refused ({})", code.code())),
    };
    let astray = *code == SqlState::UNIQUE_VIOLATION && NUMBERED_BY_THE_LANE.contains(&name);
    Failure { error, lost: fatal || astray }
}

/// Statements whose numbers are this lane's alone. If one is taken, this session does not know where its lane is, and a
/// new one finds out.
const NUMBERED_BY_THE_LANE: [&str; 2] = ["receipts.add", "postings.add"];

/// COMMIT failed. An error that is none of the connection's came before the commit record was written; of any other
/// failure the outcome is not known.
pub(super) fn at_commit(sql: &str, error: &Error) -> Failure {
    let refused = error.as_db_error().is_some_and(|said| said.parsed_severity() == Some(Severity::Error));
    let known =
        |code: &SqlState| is_somebody_elses(code) || *code == SqlState::DISK_FULL || code.code().starts_with("23");
    if refused && error.code().is_some_and(known) {
        return of(sql, error);
    }
    let said = error.code().map_or("the connection was lost", SqlState::code);
    Failure { error: unknown(said), lost: true }
}

/// The outcome of a commit is not known.
pub(super) fn unknown(why: &str) -> StoreError {
    StoreError::Unknown(Box::new(Said(format!("store.commit: {why}"))))
}

/// Why there is no connection. Names no host, user or password.
pub(super) fn no_connection(error: &Error) -> StoreError {
    let io = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    away(match (error.as_db_error(), io) {
        (Some(said), _) => format!("refused ({}, {})", said.code().code(), words(said)),
        (None, Some(io)) => io.kind().to_string(),
        (None, None) => "no connection".to_owned(),
    })
}

/// The commonest refusals, for people.
fn words(said: &DbError) -> &'static str {
    match said.code() {
        &SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION => "user or password",
        &SqlState::INVALID_CATALOG_NAME => "no such database",
        &SqlState::CANNOT_CONNECT_NOW => "it is starting or stopping",
        &SqlState::TOO_MANY_CONNECTIONS => "too many connections",
        _ => "see the server's log",
    }
}

/// The connection, not what was asked over it.
fn is_way(error: &Error) -> bool {
    error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>())
}

/// Damage or failed input and output.
fn is_storage(code: &SqlState) -> bool {
    [SqlState::IO_ERROR, SqlState::UNDEFINED_FILE, SqlState::DUPLICATE_FILE, SqlState::DATA_CORRUPTED]
        .iter()
        .chain([&SqlState::INDEX_CORRUPTED])
        .any(|known| known == code)
}

/// Another session's doing, or the server's: the same transaction may work the next time.
fn is_somebody_elses(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::UNIQUE_VIOLATION,
        SqlState::OUT_OF_MEMORY,
    ]
    .contains(code)
}

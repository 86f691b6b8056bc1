//! Schema versions: each file in `migrations/` once, in order, each in one transaction, with its checksum kept. A
//! newer schema, a changed file or a stranger's database is refused before anything is touched.

use super::statement::Db;
use crate::store::StoreError;
use crate::store::migrations::{self, Version, checksum};
use rusqlite::{Connection, TransactionBehavior};

/// `thuh` in the file's header: this database is ours.
const APPLICATION_ID: i64 = 0x7468_7568;

/// Name and text of every version, from 1.
const MIGRATIONS: [Version; 17] = [
    ("0001_spine", include_str!("../migrations/0001_spine.sqlite.sql")),
    ("0002_reconciliation", include_str!("../migrations/0002_reconciliation.sqlite.sql")),
    ("0003_desk", include_str!("../migrations/0003_desk.sqlite.sql")),
    ("0004_settlement", include_str!("../migrations/0004_settlement.sqlite.sql")),
    ("0005_close", include_str!("../migrations/0005_close.sqlite.sql")),
    ("0006_rules_day", include_str!("../migrations/0006_rules_day.sqlite.sql")),
    ("0007_settled", include_str!("../migrations/0007_settled.sqlite.sql")),
    ("0008_users", include_str!("../migrations/0008_users.sqlite.sql")),
    ("0009_pages", include_str!("../migrations/0009_pages.sqlite.sql")),
    ("0010_two_admins", include_str!("../migrations/0010_two_admins.sqlite.sql")),
    ("0011_day_totals", include_str!("../migrations/0011_day_totals.sqlite.sql")),
    ("0012_day_sums", include_str!("../migrations/0012_day_sums.sqlite.sql")),
    ("0013_break_places", include_str!("../migrations/0013_break_places.sqlite.sql")),
    ("0014_makers", include_str!("../migrations/0014_makers.sqlite.sql")),
    ("0015_today", include_str!("../migrations/0015_today.sqlite.sql")),
    ("0016_statement_makers", include_str!("../migrations/0016_statement_makers.sqlite.sql")),
    ("0017_invoice_words", include_str!("../migrations/0017_invoice_words.sqlite.sql")),
];

/// Brings the schema up; says what it did.
pub(super) fn bring_up(connection: &mut Connection, path: &str) -> Result<Vec<String>, StoreError> {
    let applied = check(connection, path)?;
    let mut done = Vec::new();
    for (name, text) in MIGRATIONS.iter().skip(applied) {
        let fault = |error: rusqlite::Error| super::statement::of(&format!("-- migrate.{name}"), error);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        tx.execute_batch(
            "-- migrate.table\nCREATE TABLE IF NOT EXISTS migrations (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT",
        )
        .and_then(|()| tx.execute_batch(text))
        .and_then(|()| tx.pragma_update(None, "application_id", APPLICATION_ID))
        .map_err(fault)?;
        Db(&tx).execute(
            "-- migrate.note\nINSERT INTO migrations (name, checksum) VALUES (?1, ?2)",
            (name, checksum(text)),
        )?;
        tx.commit().map_err(fault)?;
        done.push((*name).to_owned());
    }
    Ok(done)
}

/// Refuses a database that this program must not write; says how many versions it has.
pub(super) fn check(connection: &Connection, path: &str) -> Result<usize, StoreError> {
    let refused = |what: &str| StoreError::Schema(format!("{path}: {what}"));
    let db = Db(connection);
    let tables = match db.integer("-- migrate.tables\nSELECT count(*) FROM sqlite_schema", ()) {
        Err(StoreError::Broken(source)) if is_not_a_database(source.as_ref()) => {
            return Err(refused("not a database"));
        }
        other => other?,
    };
    if tables == 0 {
        return Ok(0);
    }
    if db.integer("-- migrate.application\nSELECT application_id FROM pragma_application_id", ())? != APPLICATION_ID {
        return Err(refused("not a thuho database"));
    }
    let applied =
        db.all("-- migrate.applied\nSELECT name, checksum FROM migrations ORDER BY version", (), |cells| {
            Ok((cells.next::<String>()?, cells.next::<String>()?))
        })?;
    migrations::known(path, &applied, &MIGRATIONS)
}

/// For those who only read: everything applied, nothing newer.
pub(super) fn check_current(connection: &Connection, path: &str) -> Result<(), StoreError> {
    migrations::current(path, check(connection, path)?, &MIGRATIONS)
}

fn is_not_a_database(source: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    source
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code)
        .is_some_and(|code| code == rusqlite::ErrorCode::NotADatabase)
}

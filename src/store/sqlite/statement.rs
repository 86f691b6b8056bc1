//! Named statements: each SQL text begins with `-- verb.name`, and an error says that name, never the values. Maps
//! the driver's errors to what the gateway must do about them.

use crate::store::StoreError;
use crate::store::cells::Cells;
use jiff::civil::Date;
use rusqlite::types::{FromSql, Type, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, Params, Row};

/// A connection whose statements are cached and whose errors are ours.
#[derive(Clone, Copy)]
pub(super) struct Db<'c>(pub(super) &'c Connection);

impl<'c> Db<'c> {
    /// For statements that run in a loop.
    pub(super) fn prepare(self, sql: &'static str) -> Result<Prepared<'c>, StoreError> {
        let statement = self.0.prepare_cached(sql).map_err(|error| of(sql, error))?;
        Ok(Prepared { sql, statement })
    }

    pub(super) fn execute(self, sql: &'static str, params: impl Params) -> Result<usize, StoreError> {
        self.prepare(sql)?.execute(params)
    }

    pub(super) fn one<T>(
        self,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&mut RowCells<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.prepare(sql)?.one(params, read)
    }

    pub(super) fn all<T>(
        self,
        sql: &'static str,
        params: impl Params,
        read: impl FnMut(&mut RowCells<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.prepare(sql)?.all(params, read)
    }

    /// The first column of the only row of a question that always has one.
    pub(super) fn integer(self, sql: &'static str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.one(sql, params, |cells| cells.next())?.unwrap_or_default())
    }
}

/// A statement with its name.
pub(super) struct Prepared<'c> {
    sql: &'static str,
    statement: CachedStatement<'c>,
}

impl Prepared<'_> {
    pub(super) fn execute(&mut self, params: impl Params) -> Result<usize, StoreError> {
        self.statement.execute(params).map_err(|error| of(self.sql, error))
    }

    pub(super) fn one<T>(
        &mut self,
        params: impl Params,
        read: impl FnOnce(&mut RowCells<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let sql = self.sql;
        let found = self.statement.query_row(params, |row| Ok(read(&mut RowCells { sql, row, next: 0 }))).optional();
        found.map_err(|error| of(sql, error))?.transpose()
    }

    pub(super) fn all<T>(
        &mut self,
        params: impl Params,
        mut read: impl FnMut(&mut RowCells<'_, '_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let sql = self.sql;
        let mut rows = self.statement.query(params).map_err(|error| of(sql, error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| of(sql, error))? {
            found.push(read(&mut RowCells { sql, row, next: 0 })?);
        }
        Ok(found)
    }
}

/// One row with its statement's name, read from left to right.
pub(super) struct RowCells<'r, 's> {
    sql: &'static str,
    row: &'r Row<'s>,
    next: usize,
}

impl<'r> RowCells<'r, '_> {
    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let index = self.next;
        self.next = index.saturating_add(1);
        self.row.get(index).map_err(|error| of(self.sql, error))
    }

    /// The next value as it lies in the row.
    fn value(&mut self) -> Result<(usize, ValueRef<'r>), StoreError> {
        let index = self.next;
        self.next = index.saturating_add(1);
        Ok((index, self.row.get_ref(index).map_err(|error| of(self.sql, error))?))
    }
}

impl Cells for RowCells<'_, '_> {
    fn word_some<T>(&mut self, check: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        let (index, value) = self.value()?;
        let text = value.as_str_or_null().map_err(|_not_a_text| column(self.sql, index, value.data_type()))?;
        text.map(|text| check(text).ok_or_else(|| self.bad())).transpose()
    }

    fn bytes_some(&mut self) -> Result<Option<&[u8]>, StoreError> {
        let (index, value) = self.value()?;
        value.as_blob_or_null().map_err(|_no_bytes| column(self.sql, index, value.data_type()))
    }

    fn whole_some(&mut self) -> Result<Option<i64>, StoreError> {
        self.next()
    }

    fn key_some(&mut self) -> Result<Option<[u8; 16]>, StoreError> {
        self.next()
    }

    fn day_some(&mut self) -> Result<Option<Date>, StoreError> {
        self.word_some(|text| text.parse().ok())
    }

    fn flag(&mut self) -> Result<bool, StoreError> {
        self.next()
    }

    fn bad(&self) -> StoreError {
        StoreError::Fault(format!("{}: column {} does not read back", name(self.sql), self.next))
    }
}

/// The name in a statement's first line.
fn name(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default().trim_start_matches("--").trim()
}

/// The error of a named statement.
pub(super) fn of(sql: &str, error: rusqlite::Error) -> StoreError {
    let refused =
        |code: ErrorCode, extended: i32| StoreError::Fault(format!("{}: refused ({code:?}, {extended})", name(sql)));
    let Some(failure) = error.sqlite_error().copied() else {
        return match error {
            rusqlite::Error::InvalidColumnType(index, _, found) => column(sql, index, found),
            rusqlite::Error::FromSqlConversionFailure(index, found, _) => column(sql, index, found),
            // Any other is a fault of ours in how the statement is called; its text may hold values, so it stays out.
            _ => StoreError::Fault(format!("{}: the driver refused the call", name(sql))),
        };
    };
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full(Box::new(error)),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Contended,
        ErrorCode::SystemIoFailure
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed => StoreError::Broken(Box::new(error)),
        code => refused(code, failure.extended_code),
    }
}

fn column(sql: &str, index: usize, found: Type) -> StoreError {
    StoreError::Fault(format!("{}: column {} is {found}", name(sql), index.saturating_add(1)))
}

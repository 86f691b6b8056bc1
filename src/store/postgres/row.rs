//! Rows of this driver, and the one type of parameter that it does not know.

use super::failure;
use super::session::Answer;
use crate::store::StoreError;
use crate::store::cells::Cells;
use bytes::BytesMut;
use jiff::civil::Date;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// The 16 bytes of a key, in the type of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) [u8; 16]);

impl ToSql for Key {
    fn to_sql(&self, _type: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    accepts!(UUID);
    to_sql_checked!();
}

impl<'a> FromSql<'a> for Key {
    fn from_sql(_type: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    accepts!(UUID);
}

/// A whole number of any width.
struct Whole(i64);

impl<'a> FromSql<'a> for Whole {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(if *kind == Type::INT8 { i64::from_sql(kind, raw)? } else { i32::from_sql(kind, raw)?.into() }))
    }

    accepts!(INT8, INT4);
}

/// A row with its statement's name, read from left to right.
pub(super) struct RowCells<'r> {
    sql: &'static str,
    row: &'r Row,
    next: usize,
}

impl<'r> RowCells<'r> {
    pub(super) fn of(sql: &'static str, row: &'r Row) -> Self {
        Self { sql, row, next: 0 }
    }

    fn value<T: FromSql<'r>>(&mut self) -> Result<Option<T>, StoreError> {
        let index = self.next;
        self.next = index.saturating_add(1);
        self.row.try_get(index).map_err(|_its_text_may_hold_values| self.bad())
    }
}

impl Cells for RowCells<'_> {
    fn word_some<T>(&mut self, check: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
        match self.value::<&str>()? {
            Some(text) => check(text).map(Some).ok_or_else(|| self.bad()),
            None => Ok(None),
        }
    }

    fn bytes_some(&mut self) -> Result<Option<&[u8]>, StoreError> {
        self.value()
    }

    fn whole_some(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(self.value::<Whole>()?.map(|whole| whole.0))
    }

    fn key_some(&mut self) -> Result<Option<[u8; 16]>, StoreError> {
        Ok(self.value::<Key>()?.map(|key| key.0))
    }

    fn day_some(&mut self) -> Result<Option<Date>, StoreError> {
        self.value()
    }

    fn flag(&mut self) -> Result<bool, StoreError> {
        self.value()?.ok_or_else(|| self.bad())
    }

    fn bad(&self) -> StoreError {
        StoreError::Fault(format!("{}: column {} does not read back", failure::name(self.sql), self.next))
    }
}

impl Answer {
    /// Every row, read.
    pub(super) fn all<'r, T>(
        &'r self,
        mut read: impl FnMut(&mut RowCells<'r>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.rows.iter().map(|row| read(&mut RowCells::of(self.sql, row))).collect()
    }

    /// The first row, read.
    pub(super) fn one<'r, T>(
        &'r self,
        read: impl FnOnce(&mut RowCells<'r>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.rows.first().map(|row| read(&mut RowCells::of(self.sql, row))).transpose()
    }
}

/// A small number as its column has it.
pub(super) fn small(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_out_of_range| StoreError::Fault(format!("{number}: out of range")))
}

//! Settlements in a file.

use super::reports::SqliteReports;
use super::statement::Db;
use crate::domain::review::BreakClass;
use crate::store::StoreError;
use crate::store::settlements::{Batch, Batches, Settlements, StatementDays, batch, batch_columns};
use crate::store::statement_cells::{statement_columns, statement_file};
use crate::store::statements::StatementFile;
use rusqlite::params;

/// Brings batches up to date; says how many rows it wrote. One that knew more stays as it is.
pub(super) fn put(db: Db<'_>, batches: &[Batch]) -> Result<u64, StoreError> {
    const PUT: &str = concat!(
        "-- settlements.put\nINSERT INTO settlements (",
        batch_columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
        ON CONFLICT (partner, batch) DO UPDATE SET name = excluded.name, day = excluded.day,
            file_no = excluded.file_no, due = excluded.due, calendar_known = excluded.calendar_known,
            net = excluded.net, gross = excluded.gross, discount = excluded.discount, utility = excluded.utility,
            fee = excluded.fee, fee_stated = excluded.fee_stated, expected = excluded.expected,
            credited = excluded.credited, credits = excluded.credits, full_on = excluded.full_on,
            class = excluded.class, as_of = excluded.as_of, author = excluded.author, at = excluded.at
        WHERE as_of <= excluded.as_of"
    );
    let mut put = db.prepare(PUT)?;
    let mut written = 0_u64;
    for one in batches {
        let more = put.execute(params![
            one.partner.as_str(),
            one.batch,
            one.name,
            one.day.to_string(),
            one.file.map(|file| file.0),
            one.due.to_string(),
            one.calendar_known,
            one.net,
            one.gross,
            one.discount,
            one.utility,
            one.fee,
            one.fee_stated,
            one.expected,
            one.credited,
            one.credits,
            one.full_on.map(|day| day.to_string()),
            one.class.map(BreakClass::code),
            one.as_of.to_string(),
            one.author.as_str(),
            one.at.unix_ms(),
        ])?;
        written = written.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
    Ok(written)
}

impl Settlements for SqliteReports {
    fn batches(&mut self, ask: &Batches<'_>) -> Result<Vec<Batch>, StoreError> {
        const SQL: &str = concat!(
            "-- settlements.of\nSELECT * FROM (SELECT ",
            batch_columns!(),
            " FROM settlements WHERE partner = ?1 AND day >= ?2 AND day <= ?3
            AND (NOT ?4 OR (file_no IS NOT NULL AND credited <> expected))
        ORDER BY day DESC, batch DESC LIMIT ?5) ORDER BY day, batch"
        );
        let (from, to) = (ask.from.to_string(), ask.to.to_string());
        self.db().all(SQL, params![ask.partner.as_str(), from, to, ask.open_only, ask.limit], |cells| batch(cells))
    }

    fn statements_of(&mut self, ask: &StatementDays<'_>) -> Result<Vec<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.of_days\nSELECT ",
            statement_columns!(),
            " FROM statement_files f WHERE f.kind = ?1 AND f.partner = ?2 AND f.day >= ?3 AND f.day <= ?4
            AND f.state = 'taken' ORDER BY f.day LIMIT ?5"
        );
        let (from, to) = (ask.from.to_string(), ask.to.to_string());
        let params = params![ask.kind.word(), ask.partner.as_str(), from, to, ask.limit];
        self.db().all(SQL, params, |cells| statement_file(cells))
    }
}

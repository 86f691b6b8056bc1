//! Settlements on a server.

use super::asking::PostgresReports;
use super::row::small;
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use crate::domain::review::BreakClass;
use crate::store::StoreError;
use crate::store::settlements::{Batch, Batches, Settlements, StatementDays, batch, batch_columns};
use crate::store::statement_cells::{statement_columns, statement_file};
use crate::store::statements::StatementFile;

/// Brings batches up to date; says how many rows it wrote. One that knew more stays as it is.
pub(super) fn put(tx: &mut PostgresTx<'_>, batches: &[Batch]) -> Result<u64, StoreError> {
    const PUT: &str = concat!(
        "-- settlements.put\nINSERT INTO settlements (",
        batch_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT (partner, batch) DO UPDATE SET name = excluded.name, day = excluded.day,
            file_no = excluded.file_no, due = excluded.due, calendar_known = excluded.calendar_known,
            net = excluded.net, gross = excluded.gross, discount = excluded.discount, utility = excluded.utility,
            fee = excluded.fee, fee_stated = excluded.fee_stated, expected = excluded.expected,
            credited = excluded.credited, credits = excluded.credits, full_on = excluded.full_on,
            class = excluded.class, as_of = excluded.as_of, author = excluded.author, at = excluded.at
        WHERE settlements.as_of <= excluded.as_of"
    );
    let mut written = 0_u64;
    for one in batches {
        let (partner, author, file) = (one.partner.as_str(), one.author.as_str(), one.file.map(|file| file.0));
        let (credits, class, at) = (small(one.credits)?, one.class.map(BreakClass::code), one.at.unix_ms());
        let params: Vec<Param<'_>> = vec![
            &partner,
            &one.batch,
            &one.name,
            &one.day,
            &file,
            &one.due,
            &one.calendar_known,
            &one.net,
            &one.gross,
            &one.discount,
            &one.utility,
            &one.fee,
            &one.fee_stated,
            &one.expected,
            &one.credited,
            &credits,
            &one.full_on,
            &class,
            &one.as_of,
            &author,
            &at,
        ];
        written = written.saturating_add(tx.ask_one(Ask::new(PUT, params))?.count);
    }
    Ok(written)
}

impl Settlements for PostgresReports {
    fn batches(&mut self, ask: &Batches<'_>) -> Result<Vec<Batch>, StoreError> {
        const SQL: &str = concat!(
            "-- settlements.of\nSELECT * FROM (SELECT ",
            batch_columns!(),
            " FROM settlements WHERE partner = $1 AND day >= $2 AND day <= $3
                AND (NOT $4 OR (file_no IS NOT NULL AND credited <> expected))
            ORDER BY day DESC, batch DESC LIMIT $5) found ORDER BY day, batch"
        );
        let (partner, limit) = (ask.partner.as_str(), i64::from(ask.limit));
        self.ask_one(Ask::new(SQL, vec![&partner, &ask.from, &ask.to, &ask.open_only, &limit]))?.all(batch)
    }

    fn statements_of(&mut self, ask: &StatementDays<'_>) -> Result<Vec<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.of_days\nSELECT ",
            statement_columns!(),
            " FROM statement_files f WHERE f.kind = $1 AND f.partner = $2 AND f.day >= $3 AND f.day <= $4
                AND f.state = 'taken' ORDER BY f.day LIMIT $5"
        );
        let (kind, partner, limit) = (ask.kind.word(), ask.partner.as_str(), i64::from(ask.limit));
        self.ask_one(Ask::new(SQL, vec![&kind, &partner, &ask.from, &ask.to, &limit]))?.all(statement_file)
    }
}

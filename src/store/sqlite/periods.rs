//! Sums over a partner's days, read in one walk through the entries: for people, not for a page that is opened often.

use super::reports::SqliteReports;
use super::statement::Db;
use crate::domain::posting::{Account, PostingKind};
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::periods::{Moved, Period, PeriodBooks, PeriodBreak, PeriodBreaks, Periods};
use crate::store::statement_cells::period_break;
use rusqlite::params;

impl Periods for SqliteReports {
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
        self.snapshot(|db| books(db, period))
    }

    fn period_breaks(&mut self, ask: &PeriodBreaks<'_>) -> Result<Vec<PeriodBreak>, StoreError> {
        self.snapshot(|db| breaks(db, ask))
    }
}

fn books(db: Db<'_>, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
    const BALANCES: &str =
        "-- periods.balances\nSELECT coalesce(sum(CASE WHEN p.business_day < ?2 THEN x.amount ELSE 0 END), 0),
            coalesce(sum(x.amount), 0)
        FROM accounts a JOIN entries x ON x.account_no = a.no JOIN postings p ON p.no = x.no >> 16
        WHERE a.name = ?1 AND p.business_day <= ?3";
    const MOVED: &str = "-- periods.moved\nSELECT a.name, p.kind, count(DISTINCT p.no), sum(x.amount)
        FROM senders s JOIN events e ON e.sender_no = s.no JOIN postings p ON p.event_no = e.no
        JOIN entries x ON x.no >= p.no << 16 AND x.no < (p.no + 1) << 16 JOIN accounts a ON a.no = x.account_no
        WHERE s.partner = ?1 AND p.business_day >= ?2 AND p.business_day <= ?3
        GROUP BY a.name, p.kind ORDER BY a.name, p.kind";
    let (from, to) = (period.from.to_string(), period.to.to_string());
    let clearing = Account::Clearing(period.partner.clone()).to_string();
    let balances = db.one(BALANCES, params![clearing, from, to], |cells| Ok((cells.next()?, cells.next()?)))?;
    let (opening, closing) = balances.unwrap_or_default();
    let moved = db.all(MOVED, params![period.partner.as_str(), from, to], |cells| {
        Ok(Moved {
            account: cells.word(Account::parse)?,
            kind: cells.word(PostingKind::parse)?,
            postings: u64::from(cells.count()?),
            dong: cells.whole()?,
        })
    })?;
    Ok(PeriodBooks { opening, closing, moved })
}

fn breaks(db: Db<'_>, ask: &PeriodBreaks<'_>) -> Result<Vec<PeriodBreak>, StoreError> {
    const SQL: &str =
        "-- periods.breaks\nSELECT no, class, day, event_key, invoice, ours, theirs, state, closed_at, close_reason
        FROM breaks WHERE leg = 'partner' AND partner = ?1 AND day <= ?3 AND (day >= ?2 OR closed_at IS NULL)
            AND no > ?4 ORDER BY no LIMIT ?5";
    let (from, to) = (ask.period.from.to_string(), ask.period.to.to_string());
    let params = params![ask.period.partner.as_str(), from, to, ask.after, ask.limit];
    db.all(SQL, params, |cells| period_break(cells))
}

//! Sums over a partner's days, of the sums that are kept of each day.

use super::reports::SqliteReports;
use super::statement::Db;
use crate::domain::posting::{Account, PostingKind};
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::periods::{DayBooks, Moved, Period, PeriodBooks, PeriodBreaks, Periods};
use crate::store::statement_cells::{of_period, period_break, period_break_columns};
use rusqlite::params;

impl Periods for SqliteReports {
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
        self.snapshot(|db| books(db, period))
    }

    fn period_breaks(&mut self, period: &Period<'_>, limit: u32) -> Result<PeriodBreaks, StoreError> {
        self.snapshot(|db| breaks(db, period, limit))
    }
}

fn books(db: Db<'_>, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
    const DAYS: &str = "-- periods.days\nSELECT d.business_day, sum(CASE WHEN a.name = ?2 THEN d.dong ELSE 0 END),
            sum(CASE WHEN a.name = ?3 THEN d.dong ELSE 0 END),
            sum(CASE WHEN a.name IN (?2, ?3) THEN 0 ELSE d.dong END)
        FROM senders s JOIN day_sums d ON d.sender_no = s.no JOIN accounts a ON a.no = d.account_no
        WHERE s.partner = ?1 AND (a.name IN (?2, ?3) OR a.name LIKE 'promotion:%') AND d.business_day <= ?4
        GROUP BY d.business_day ORDER BY d.business_day";
    const MOVED: &str = "-- periods.moved\nSELECT a.name, d.kind, sum(d.postings), sum(d.dong)
        FROM senders s JOIN day_sums d ON d.sender_no = s.no JOIN accounts a ON a.no = d.account_no
        WHERE s.partner = ?1 AND d.business_day >= ?2 AND d.business_day <= ?3
        GROUP BY a.name, d.kind ORDER BY a.name, d.kind";
    let (from, to) = (period.from.to_string(), period.to.to_string());
    let clearing = Account::Clearing(period.partner.clone()).to_string();
    let fee = Account::Fee(period.partner.clone()).to_string();
    let days = db.all(DAYS, params![period.partner.as_str(), clearing, fee, to], |cells| {
        Ok(DayBooks { day: cells.day()?, clearing: cells.whole()?, fee: cells.whole()?, promotion: cells.whole()? })
    })?;
    let moved = db.all(MOVED, params![period.partner.as_str(), from, to], |cells| {
        Ok(Moved {
            account: cells.word(Account::parse)?,
            kind: cells.word(PostingKind::parse)?,
            postings: u64::from(cells.count()?),
            dong: cells.whole()?,
        })
    })?;
    Ok(PeriodBooks { days, moved })
}

fn breaks(db: Db<'_>, period: &Period<'_>, limit: u32) -> Result<PeriodBreaks, StoreError> {
    const COUNT: &str =
        concat!("-- periods.break_count\n", of_period!("?1", "?2", "?3"), " SELECT count(*) FROM of_period");
    const FIRST: &str = concat!(
        "-- periods.breaks\n",
        of_period!("?1", "?2", "?3"),
        " SELECT ",
        period_break_columns!(),
        " FROM breaks WHERE no IN (SELECT no FROM of_period ORDER BY no LIMIT ?4) ORDER BY no"
    );
    let (partner, from, to) = (period.partner.as_str(), period.from.to_string(), period.to.to_string());
    let count = db.one(COUNT, params![partner, from, to], |cells| cells.count())?.unwrap_or_default();
    let first = db.all(FIRST, params![partner, from, to, limit], |cells| period_break(cells))?;
    Ok(PeriodBreaks { first, count: u64::from(count) })
}

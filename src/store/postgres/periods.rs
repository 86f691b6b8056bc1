//! Sums over a partner's days, of the sums that are kept of each day.

use super::asking::PostgresReports;
use super::session::Ask;
use crate::domain::posting::{Account, PostingKind};
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::periods::{DayBooks, Moved, Period, PeriodBooks, PeriodBreaks, Periods};
use crate::store::statement_cells::{of_period, period_break, period_break_columns};

impl Periods for PostgresReports {
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
        books(self, period)
    }

    fn period_breaks(&mut self, period: &Period<'_>, limit: u32) -> Result<PeriodBreaks, StoreError> {
        breaks(self, period, limit)
    }
}

fn books(reports: &mut PostgresReports, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
    const DAYS: &str =
        "-- periods.days\nSELECT d.business_day, sum(CASE WHEN a.name = $2 THEN d.dong ELSE 0 END)::bigint,
            sum(CASE WHEN a.name = $3 THEN d.dong ELSE 0 END)::bigint,
            sum(CASE WHEN a.name IN ($2, $3) THEN 0 ELSE d.dong END)::bigint
        FROM senders s JOIN day_sums d ON d.sender_no = s.no JOIN accounts a ON a.no = d.account_no
        WHERE s.partner = $1 AND (a.name IN ($2, $3) OR a.name LIKE 'promotion:%') AND d.business_day <= $4
        GROUP BY d.business_day ORDER BY d.business_day";
    const MOVED: &str = "-- periods.moved\nSELECT a.name, d.kind, sum(d.postings)::bigint, sum(d.dong)::bigint
        FROM senders s JOIN day_sums d ON d.sender_no = s.no JOIN accounts a ON a.no = d.account_no
        WHERE s.partner = $1 AND d.business_day >= $2 AND d.business_day <= $3
        GROUP BY a.name, d.kind ORDER BY a.name COLLATE \"C\", d.kind COLLATE \"C\"";
    let clearing = Account::Clearing(period.partner.clone()).to_string();
    let fee = Account::Fee(period.partner.clone()).to_string();
    let partner = period.partner.as_str();
    let answers = reports.ask(&[
        Ask::new(DAYS, vec![&partner, &clearing, &fee, &period.to]),
        Ask::new(MOVED, vec![&partner, &period.from, &period.to]),
    ])?;
    let [days, moved] = answers.as_slice() else {
        return Err(StoreError::Fault("periods.days: not every question was answered".to_owned()));
    };
    let days = days.all(|cells| {
        Ok(DayBooks { day: cells.day()?, clearing: cells.whole()?, fee: cells.whole()?, promotion: cells.whole()? })
    })?;
    let moved = moved.all(|cells| {
        Ok(Moved {
            account: cells.word(Account::parse)?,
            kind: cells.word(PostingKind::parse)?,
            postings: cells.whole()?.unsigned_abs(),
            dong: cells.whole()?,
        })
    })?;
    Ok(PeriodBooks { days, moved })
}

fn breaks(reports: &mut PostgresReports, period: &Period<'_>, limit: u32) -> Result<PeriodBreaks, StoreError> {
    const COUNT: &str =
        concat!("-- periods.break_count\n", of_period!("$1", "$2", "$3"), " SELECT count(*) FROM of_period");
    const FIRST: &str = concat!(
        "-- periods.breaks\n",
        of_period!("$1", "$2", "$3"),
        " SELECT ",
        period_break_columns!(),
        " FROM breaks WHERE no IN (SELECT no FROM of_period ORDER BY no LIMIT $4) ORDER BY no"
    );
    let (partner, limit) = (period.partner.as_str(), i64::from(limit));
    let answers = reports.ask(&[
        Ask::new(COUNT, vec![&partner, &period.from, &period.to]),
        Ask::new(FIRST, vec![&partner, &period.from, &period.to, &limit]),
    ])?;
    let [count, first] = answers.as_slice() else {
        return Err(StoreError::Fault("periods.breaks: not every question was answered".to_owned()));
    };
    let count = count.one(|cells| cells.whole())?.unwrap_or_default();
    Ok(PeriodBreaks { first: first.all(period_break)?, count: count.unsigned_abs() })
}

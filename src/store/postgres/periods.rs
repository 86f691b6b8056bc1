//! Sums over a partner's days, read in one walk through the entries: for people, not for a page that is opened often.

use super::reports::PostgresReports;
use super::session::Ask;
use crate::domain::posting::{Account, PostingKind};
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::periods::{Moved, Period, PeriodBooks, PeriodBreak, PeriodBreaks, Periods};
use crate::store::statement_cells::period_break;

impl Periods for PostgresReports {
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
        books(self, period)
    }

    fn period_breaks(&mut self, ask: &PeriodBreaks<'_>) -> Result<Vec<PeriodBreak>, StoreError> {
        breaks(self, ask)
    }
}

fn books(reports: &mut PostgresReports, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
    const BALANCES: &str =
        "-- periods.balances\nSELECT coalesce(sum(x.amount) FILTER (WHERE p.business_day < $2), 0)::bigint,
            coalesce(sum(x.amount), 0)::bigint
        FROM accounts a JOIN entries x ON x.account_no = a.no JOIN postings p ON p.no = x.no >> 16
        WHERE a.name = $1 AND p.business_day <= $3";
    const MOVED: &str = "-- periods.moved\nSELECT a.name, p.kind, count(DISTINCT p.no), sum(x.amount)::bigint
        FROM senders s JOIN events e ON e.sender_no = s.no JOIN postings p ON p.event_no = e.no
        JOIN entries x ON x.no >> 16 = p.no JOIN accounts a ON a.no = x.account_no
        WHERE s.partner = $1 AND p.business_day >= $2 AND p.business_day <= $3
        GROUP BY a.name, p.kind ORDER BY a.name COLLATE \"C\", p.kind COLLATE \"C\"";
    let clearing = Account::Clearing(period.partner.clone()).to_string();
    let partner = period.partner.as_str();
    let answers = reports.ask_long(&[
        Ask::new(BALANCES, vec![&clearing, &period.from, &period.to]),
        Ask::new(MOVED, vec![&partner, &period.from, &period.to]),
    ])?;
    let [balances, moved] = answers.as_slice() else {
        return Err(StoreError::Fault("periods.balances: not every question was answered".to_owned()));
    };
    let (opening, closing) = balances.one(|cells| Ok((cells.whole()?, cells.whole()?)))?.unwrap_or_default();
    let moved = moved.all(|cells| {
        Ok(Moved {
            account: cells.word(Account::parse)?,
            kind: cells.word(PostingKind::parse)?,
            postings: cells.whole()?.unsigned_abs(),
            dong: cells.whole()?,
        })
    })?;
    Ok(PeriodBooks { opening, closing, moved })
}

fn breaks(reports: &mut PostgresReports, ask: &PeriodBreaks<'_>) -> Result<Vec<PeriodBreak>, StoreError> {
    const SQL: &str =
        "-- periods.breaks\nSELECT no, class, day, event_key, invoice, ours, theirs, state, closed_at, close_reason
        FROM breaks WHERE leg = 'partner' AND partner = $1 AND day <= $3 AND (day >= $2 OR closed_at IS NULL)
            AND no > $4 ORDER BY no LIMIT $5";
    let (partner, limit) = (ask.period.partner.as_str(), i64::from(ask.limit));
    let params: Vec<super::session::Param<'_>> = vec![&partner, &ask.period.from, &ask.period.to, &ask.after, &limit];
    reports.ask_one(Ask::new(SQL, params))?.all(period_break)
}

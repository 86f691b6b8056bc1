//! Days and months that are signed off.

use super::desk::one_person;
use super::reports::SqliteReports;
use super::statement::Db;
use super::tx::SqliteTx;
use crate::domain::close::{CloseState, Period};
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::statement::ReconciliationNo;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::closes::{
    CloseLine, CloseReports, CloseTx, CloseView, DayTotal, NewClose, Reopened, Signed, Window, WindowTotal,
    close_columns, close_line, close_line_columns, close_view, day_total, judged, total_columns, window_total,
};
use crate::store::desk::Made;
use crate::store::statement_cells::is_held;
use jiff::civil::Date;
use rusqlite::params;

fn live(db: Db<'_>, partner: &PartnerCode, period: Period) -> Result<Option<CloseView>, StoreError> {
    const SQL: &str = concat!(
        "-- closes.live\nSELECT ",
        close_columns!(),
        " FROM closes c WHERE c.partner = ?1 AND c.period = ?2 AND c.first_day = ?3 AND c.ended_at IS NULL"
    );
    db.one(SQL, (partner.as_str(), period.word(), period.first().to_string()), |cells| close_view(cells))
}

fn authority(db: Db<'_>, by: &Author, action: &str) -> Result<Option<i64>, StoreError> {
    const SQL: &str =
        "-- authorities.of\nSELECT dong FROM authorities WHERE person = ?1 AND action = ?2 ORDER BY no DESC LIMIT 1";
    db.one(SQL, (by.as_str(), action), |cells| cells.next::<i64>())
}

fn end(db: Db<'_>, no: i64, reason: &str, (by, at): (&Author, Timestamp)) -> Result<(), StoreError> {
    const SQL: &str = "-- closes.end\nUPDATE closes SET ended_by = ?2, ended_at = ?3, end_reason = ?4 WHERE no = ?1";
    db.execute(SQL, params![no, by.as_str(), at.unix_ms(), reason]).map(drop)
}

impl CloseTx for SqliteTx<'_> {
    fn draft_close(&mut self, new: &NewClose) -> Result<bool, StoreError> {
        const ADD: &str =
            "-- closes.add\nINSERT INTO closes (period, partner, first_day, file_no, reconciliation_no, figures,
            previous, hash, open_dong, drafted_by, drafted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        const DAY: &str = "-- closes.add_day\nINSERT INTO close_days (close_no, business_day, count, dong, mark) VALUES (?1, ?2, ?3, ?4, ?5)";
        match live(self.db, &new.partner, new.period)? {
            Some(before) if before.state == CloseState::Sealed => return Ok(false),
            Some(before) => end(self.db, before.no, "another draft", (&new.author, new.at))?,
            None => {}
        }
        self.db.execute(
            ADD,
            params![
                new.period.word(),
                new.partner.as_str(),
                new.period.first().to_string(),
                new.file.map(|no| no.0),
                new.reconciliation.map(|no| no.0),
                new.figures,
                new.previous,
                new.hash,
                new.open_dong,
                new.author.as_str(),
                new.at.unix_ms(),
            ],
        )?;
        let no = self.db.0.last_insert_rowid();
        for total in &new.accounted {
            self.db.execute(DAY, params![no, total.day.to_string(), total.count, total.dong, total.mark])?;
        }
        Ok(true)
    }

    fn sign_close(
        &mut self,
        (partner, period): (&PartnerCode, Period),
        hash: &[u8; 32],
        (by, at): (&Author, Timestamp),
    ) -> Result<Signed, StoreError> {
        const SIGN: &str = "-- closes.sign\nUPDATE closes SET signed_by = ?2, signed_at = ?3 WHERE no = ?1";
        // A month is of the chain that ends with its last day, a day of the one that ends with the day before, and none behind
        // it is sealed.
        const STALE: &str = "-- closes.stale\nSELECT c.previous IS NOT (SELECT p.hash FROM closes p
                WHERE p.partner = c.partner AND p.period = 'day' AND p.state = 'sealed' AND p.ended_at IS NULL
                    AND (c.period = 'day' AND p.first_day < c.first_day
                        OR c.period = 'month' AND p.first_day < date(c.first_day, '+1 month'))
                ORDER BY p.first_day DESC LIMIT 1)
            OR c.period = 'day' AND (
                EXISTS (SELECT 1 FROM closes p WHERE p.partner = c.partner AND p.period = 'day' AND p.state = 'sealed'
                    AND p.ended_at IS NULL AND p.first_day > c.first_day)
                OR c.open_dong <> (SELECT coalesce(sum(abs(b.amount)), 0) FROM breaks b WHERE b.closed_at IS NULL
                    AND b.partner = c.partner AND b.aged_from <= c.first_day)
                OR c.file_no IS NOT (SELECT f.no FROM statement_files f WHERE f.kind = 'partner' AND f.partner = c.partner
                    AND f.day = c.first_day AND f.state = 'taken')
                OR c.reconciliation_no IS NOT (SELECT max(r.no) FROM reconciliations r WHERE r.kind = 'partner'
                    AND r.partner = c.partner AND r.day = c.first_day)
                OR EXISTS (SELECT 1 FROM breaks b WHERE b.closed_at IS NULL AND b.partner = c.partner
                    AND b.aged_from <= c.first_day AND b.carried = 0 AND b.accepted = 0)) FROM closes c WHERE c.no = ?1";
        let draft = live(self.db, partner, period)?;
        let may = authority(self.db, by, "seal")?;
        let stale = match &draft {
            Some(draft) => self.db.integer(STALE, [draft.no])? != 0,
            None => false,
        };
        let one = draft.as_ref().map(|draft| one_person(self.db, Made::Close(draft.no), (&draft.drafted.0, by)));
        let one = one.transpose()?;
        let signed = judged(draft.as_ref(), hash, by, (may, one.unwrap_or_default(), stale));
        if let (Signed::Done, Some(draft)) = (signed, draft) {
            self.db.execute(SIGN, (draft.no, by.as_str(), at.unix_ms()))?;
        }
        Ok(signed)
    }

    fn reopen(
        &mut self,
        (partner, period): (&PartnerCode, Period),
        reason: &str,
        by: (&Author, Timestamp),
    ) -> Result<Reopened, StoreError> {
        const LATER: &str = "-- closes.later\nSELECT count(*) FROM closes WHERE partner = ?1 AND state = 'sealed'
            AND ended_at IS NULL AND ((period = 'day' AND first_day > ?2)
                OR (period = 'month' AND no <> ?3 AND first_day >= date(?2, 'start of month')))";
        let sealed = live(self.db, partner, period)?.filter(|close| close.state == CloseState::Sealed);
        let Some(sealed) = sealed else { return Ok(Reopened::NotFound) };
        if authority(self.db, by.0, "reopen")?.is_none_or(|may| may < 0) {
            return Ok(Reopened::BeyondAuthority);
        }
        if self.db.integer(LATER, params![partner.as_str(), period.last().to_string(), sealed.no])? > 0 {
            return Ok(Reopened::NotLast);
        }
        end(self.db, sealed.no, reason, by)?;
        Ok(Reopened::Done)
    }

    fn complete(&mut self, reconciliation: ReconciliationNo) -> Result<(), StoreError> {
        const SQL: &str = "-- reconciliations.done\nINSERT INTO reconciliations_done (reconciliation_no) VALUES (?1)";
        self.db.execute(SQL, [reconciliation.0]).map(drop)
    }

    fn is_sealed(&mut self, partner: &PartnerCode, day: Date) -> Result<bool, StoreError> {
        const SQL: &str = "-- closes.sealed\nSELECT count(*) FROM closes WHERE partner = ?1 AND period = 'day'
            AND state = 'sealed' AND ended_at IS NULL AND first_day >= ?2";
        Ok(self.db.integer(SQL, params![partner.as_str(), day.to_string()])? > 0)
    }
}

impl CloseReports for SqliteReports {
    fn close(&mut self, partner: &PartnerCode, period: Period) -> Result<Option<CloseView>, StoreError> {
        live(self.db(), partner, period)
    }

    fn is_complete(&mut self, reconciliation: ReconciliationNo) -> Result<bool, StoreError> {
        const SQL: &str =
            "-- reconciliations.is_done\nSELECT count(*) FROM reconciliations_done WHERE reconciliation_no = ?1";
        Ok(self.db().integer(SQL, [reconciliation.0])? > 0)
    }

    fn last_sealed(&mut self, partner: &PartnerCode) -> Result<Option<CloseView>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.last\nSELECT ",
            close_columns!(),
            " FROM closes c WHERE c.partner = ?1 AND c.period = 'day' AND c.ended_at IS NULL AND c.state = 'sealed'
                ORDER BY c.first_day DESC LIMIT 1"
        );
        self.db().one(SQL, [partner.as_str()], |cells| close_view(cells))
    }

    fn first_sealed(&mut self, partner: &PartnerCode) -> Result<Option<Date>, StoreError> {
        const SQL: &str = "-- closes.first\nSELECT min(first_day) FROM closes
            WHERE partner = ?1 AND period = 'day' AND ended_at IS NULL AND state = 'sealed'";
        Ok(self.db().one(SQL, [partner.as_str()], |cells| cells.day_some())?.flatten())
    }

    fn last_to_account(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Option<Date>, StoreError> {
        const SQL: &str = "-- closes.last_to_account\nSELECT max(c.first_day)
            FROM closes c JOIN close_days d ON d.close_no = c.no
            WHERE c.partner = ?1 AND c.period = 'day' AND c.state = 'sealed' AND c.ended_at IS NULL
                AND d.business_day BETWEEN ?2 AND ?3 AND (d.count <> 0 OR d.dong <> 0 OR d.mark <> 0)";
        let params = (partner.as_str(), from.to_string(), to.to_string());
        Ok(self.db().one(SQL, params, |cells| cells.day_some())?.flatten())
    }

    fn closes(&mut self, after: i64, limit: u32) -> Result<Vec<CloseView>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.list\nSELECT ",
            close_columns!(),
            " FROM closes c WHERE c.no > ?1 ORDER BY c.no LIMIT ?2"
        );
        self.db().all(SQL, (after, limit), |cells| close_view(cells))
    }

    fn closes_of(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<CloseLine>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.of_days\nSELECT ",
            close_line_columns!(),
            " FROM closes c WHERE c.partner = ?1 AND c.first_day BETWEEN ?2 AND ?3 ORDER BY c.no"
        );
        self.db().all(SQL, (partner.as_str(), from.to_string(), to.to_string()), |cells| close_line(cells))
    }

    fn accounted(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        const SQL: &str = "-- closes.accounted\nSELECT d.business_day, sum(d.count), sum(d.dong), sum(d.mark)
            FROM closes c JOIN close_days d ON d.close_no = c.no
            WHERE c.partner = ?1 AND c.period = 'day' AND c.state = 'sealed' AND c.ended_at IS NULL
                AND d.business_day BETWEEN ?2 AND ?3 GROUP BY d.business_day ORDER BY d.business_day";
        self.db().all(SQL, (partner.as_str(), from.to_string(), to.to_string()), |cells| day_total(cells))
    }

    fn day_totals(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        const SQL: &str = concat!(
            "-- events.day_totals\nSELECT e.business_day, ",
            total_columns!(""),
            " FROM senders s JOIN events e INDEXED BY events_of_day ON e.sender_no = s.no
            WHERE s.partner = ?1 AND e.business_day BETWEEN ?2 AND ?3 AND ",
            is_held!(),
            " GROUP BY e.business_day ORDER BY e.business_day"
        );
        self.db().all(SQL, (partner.as_str(), from.to_string(), to.to_string()), |cells| day_total(cells))
    }

    fn window_total(&mut self, window: &Window<'_>) -> Result<WindowTotal, StoreError> {
        const SQL: &str = concat!(
            "-- events.window_total\nSELECT ",
            total_columns!(""),
            " FROM senders s JOIN events e INDEXED BY events_of_day ON e.sender_no = s.no
            WHERE s.partner = ?1 AND e.business_day BETWEEN ?2 AND ?3 AND e.paid_at < ?5
                AND (e.paid_at >= ?4 OR e.business_day >= ?6) AND ",
            is_held!()
        );
        let Window { partner, day, days: (from, to), start, end } = window;
        let days = [from, to, day].map(ToString::to_string);
        let params = params![partner.as_str(), days[0], days[1], start.unix_ms(), end.unix_ms(), days[2]];
        Ok(self.db().one(SQL, params, |cells| window_total(cells))?.unwrap_or_default())
    }
}

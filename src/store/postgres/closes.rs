//! Days and months that are signed off.

use super::asking::PostgresReports;
use super::desk::one_person;
use super::session::{Ask, Param};
use super::tx::PostgresTx;
use crate::domain::close::{CloseState, Period};
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::statement::ReconciliationNo;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::cells::Cells;
use crate::store::closes::{
    CloseLine, CloseReports, CloseTx, CloseView, DayTotal, NewClose, Reopened, Signed, Window, WindowTotal,
    close_columns, close_line, close_line_columns, close_view, day_total, judged, total_columns, window_total,
};
use crate::store::desk::Made;
use crate::store::statement_cells::{is_held, is_kept, is_taken_back};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

/// What is counted of the events of partner $3 and the days from $1 to $2 of which this is true, by day.
macro_rules! counted_of {
    ($so:expr) => {
        concat!(
            "SELECT e.business_day, ",
            total_columns!("::bigint"),
            " FROM senders s JOIN events e ON e.sender_no = s.no
            WHERE s.partner = $3 AND e.business_day BETWEEN $1 AND $2 AND ",
            $so,
            " GROUP BY e.business_day"
        )
    };
}

/// The live close of a period, locked.
fn locked(tx: &mut PostgresTx<'_>, partner: &PartnerCode, period: Period) -> Result<Option<CloseView>, StoreError> {
    const SQL: &str = concat!(
        "-- closes.locked\nSELECT ",
        close_columns!(),
        " FROM closes c WHERE c.partner = $1 AND c.period = $2 AND c.first_day = $3 AND c.ended_at IS NULL FOR UPDATE"
    );
    let (partner, word, first) = (partner.as_str(), period.word(), period.first());
    tx.ask_one(Ask::new(SQL, vec![&partner, &word, &first]))?.one(close_view)
}

/// Whoever draws up, signs or opens something of a partner takes turns: what stands on what is read and written in one.
fn take_turn(tx: &mut PostgresTx<'_>, partner: &PartnerCode) -> Result<(), StoreError> {
    const SQL: &str = "-- closes.turn\nSELECT count(pg_advisory_xact_lock($1))";
    tx.ask_one(Ask::new(SQL, vec![&turn_of(partner)])).map(drop)
}

/// The number of the partner's turn.
fn turn_of(partner: &PartnerCode) -> i64 {
    let digest = Sha256::digest(format!("close:{partner}"));
    digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

fn authority(tx: &mut PostgresTx<'_>, by: &Author, action: &str) -> Result<Option<i64>, StoreError> {
    const SQL: &str =
        "-- authorities.of\nSELECT dong FROM authorities WHERE person = $1 AND action = $2 ORDER BY no DESC LIMIT 1";
    let by = by.as_str();
    tx.ask_one(Ask::new(SQL, vec![&by, &action]))?.one(|cells| cells.whole())
}

fn end(tx: &mut PostgresTx<'_>, no: i64, reason: &str, (by, at): (&Author, Timestamp)) -> Result<(), StoreError> {
    const SQL: &str = "-- closes.end\nUPDATE closes SET ended_by = $2, ended_at = $3, end_reason = $4 WHERE no = $1";
    let (by, at) = (by.as_str(), at.unix_ms());
    tx.ask_one(Ask::new(SQL, vec![&no, &by, &at, &reason])).map(drop)
}

impl CloseTx for PostgresTx<'_> {
    fn draft_close(&mut self, new: &NewClose) -> Result<bool, StoreError> {
        const ADD: &str =
            "-- closes.add\nINSERT INTO closes (period, partner, first_day, file_no, reconciliation_no, figures,
            previous, hash, open_dong, drafted_by, drafted_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING no";
        const DAYS: &str = "-- closes.add_days\nINSERT INTO close_days (close_no, business_day, count, dong, mark)
            SELECT $1, u.* FROM unnest($2::date[], $3::bigint[], $4::bigint[], $5::bigint[]) u (day, count, dong, mark)";
        take_turn(self, &new.partner)?;
        match locked(self, &new.partner, new.period)? {
            Some(before) if before.state == CloseState::Sealed => return Ok(false),
            Some(before) => end(self, before.no, "another draft", (&new.author, new.at))?,
            None => {}
        }
        let (word, partner, first) = (new.period.word(), new.partner.as_str(), new.period.first());
        let (file, reconciliation) = (new.file.map(|no| no.0), new.reconciliation.map(|no| no.0));
        let previous = new.previous.as_ref().map(<[u8; 32]>::as_slice);
        let (hash, by, at) = (new.hash.as_slice(), new.author.as_str(), new.at.unix_ms());
        let params: Vec<Param<'_>> = vec![
            &word,
            &partner,
            &first,
            &file,
            &reconciliation,
            &new.figures,
            &previous,
            &hash,
            &new.open_dong,
            &by,
            &at,
        ];
        let no = self.ask_one(Ask::new(ADD, params))?.one(|cells| cells.whole())?;
        let no = no.ok_or_else(|| StoreError::Fault("closes.add: no number".to_owned()))?;
        let days: Vec<Date> = new.accounted.iter().map(|total| total.day).collect();
        let counts: Vec<i64> = new.accounted.iter().map(|total| total.count).collect();
        let dong: Vec<i64> = new.accounted.iter().map(|total| total.dong).collect();
        let marks: Vec<i64> = new.accounted.iter().map(|total| total.mark).collect();
        self.ask_one(Ask::new(DAYS, vec![&no, &days, &counts, &dong, &marks]))?;
        Ok(true)
    }

    fn sign_close(
        &mut self,
        (partner, period): (&PartnerCode, Period),
        hash: &[u8; 32],
        (by, at): (&Author, Timestamp),
    ) -> Result<Signed, StoreError> {
        // Whoever takes a corrected file waits for this lock, and finds the day sealed.
        const FILE: &str =
            "-- closes.file\nSELECT f.no FROM statement_files f WHERE f.kind = 'partner' AND f.partner = $1
            AND f.day = $2 AND f.state = 'taken' FOR UPDATE";
        const SIGN: &str = "-- closes.sign\nUPDATE closes SET signed_by = $2, signed_at = $3 WHERE no = $1";
        // A month is of the chain that ends with its last day, a day of the one that ends with the day before, and none behind
        // it is sealed.
        const STALE: &str = "-- closes.stale\nSELECT c.previous IS DISTINCT FROM (SELECT p.hash FROM closes p
                WHERE p.partner = c.partner AND p.period = 'day' AND p.state = 'sealed' AND p.ended_at IS NULL
                    AND (c.period = 'day' AND p.first_day < c.first_day
                        OR c.period = 'month' AND p.first_day < c.first_day + interval '1 month')
                ORDER BY p.first_day DESC LIMIT 1)
            OR c.period = 'day' AND (
                EXISTS (SELECT 1 FROM closes p WHERE p.partner = c.partner AND p.period = 'day' AND p.state = 'sealed'
                    AND p.ended_at IS NULL AND p.first_day > c.first_day)
                OR c.open_dong <> (SELECT coalesce(sum(abs(b.amount)), 0) FROM breaks b WHERE b.closed_at IS NULL
                    AND b.partner = c.partner AND b.aged_from <= c.first_day)
                OR c.file_no IS DISTINCT FROM (SELECT f.no FROM statement_files f WHERE f.kind = 'partner'
                    AND f.partner = c.partner AND f.day = c.first_day AND f.state = 'taken')
                OR c.reconciliation_no IS DISTINCT FROM (SELECT max(r.no) FROM reconciliations r WHERE r.kind = 'partner'
                    AND r.partner = c.partner AND r.day = c.first_day)
                OR EXISTS (SELECT 1 FROM breaks b WHERE b.closed_at IS NULL AND b.partner = c.partner
                    AND b.aged_from <= c.first_day AND NOT b.carried AND NOT b.accepted)) FROM closes c WHERE c.no = $1";
        take_turn(self, partner)?;
        let (name, first) = (partner.as_str(), period.first());
        self.ask_one(Ask::new(FILE, vec![&name, &first]))?;
        let draft = locked(self, partner, period)?;
        let may = authority(self, by, "seal")?;
        let stale = match &draft {
            Some(draft) => self.ask_one(Ask::new(STALE, vec![&draft.no]))?.one(|cells| cells.flag())?.unwrap_or(true),
            None => false,
        };
        let one = draft.as_ref().map(|draft| one_person(self, Made::Close(draft.no), (&draft.drafted.0, by)));
        let one = one.transpose()?;
        let signed = judged(draft.as_ref(), hash, by, (may, one.unwrap_or_default(), stale));
        if let (Signed::Done, Some(draft)) = (signed, draft) {
            let (by, at) = (by.as_str(), at.unix_ms());
            self.ask_one(Ask::new(SIGN, vec![&draft.no, &by, &at]))?;
        }
        Ok(signed)
    }

    fn reopen(
        &mut self,
        (partner, period): (&PartnerCode, Period),
        reason: &str,
        by: (&Author, Timestamp),
    ) -> Result<Reopened, StoreError> {
        const LATER: &str = "-- closes.later\nSELECT count(*) FROM closes WHERE partner = $1 AND state = 'sealed'
            AND ended_at IS NULL AND ((period = 'day' AND first_day > $2)
                OR (period = 'month' AND no <> $3 AND first_day >= date_trunc('month', $2::date)::date))";
        take_turn(self, partner)?;
        let sealed = locked(self, partner, period)?.filter(|close| close.state == CloseState::Sealed);
        let Some(sealed) = sealed else { return Ok(Reopened::NotFound) };
        if authority(self, by.0, "reopen")?.is_none_or(|may| may < 0) {
            return Ok(Reopened::BeyondAuthority);
        }
        let (name, last) = (partner.as_str(), period.last());
        let later = self.ask_one(Ask::new(LATER, vec![&name, &last, &sealed.no]))?.one(|cells| cells.whole())?;
        if later.unwrap_or_default() > 0 {
            return Ok(Reopened::NotLast);
        }
        end(self, sealed.no, reason, by)?;
        Ok(Reopened::Done)
    }

    fn complete(&mut self, reconciliation: ReconciliationNo) -> Result<(), StoreError> {
        const SQL: &str = "-- reconciliations.done\nINSERT INTO reconciliations_done (reconciliation_no) VALUES ($1)";
        self.ask_one(Ask::new(SQL, vec![&reconciliation.0])).map(drop)
    }

    fn is_sealed(&mut self, partner: &PartnerCode, day: Date) -> Result<bool, StoreError> {
        const BESIDE: &str = "-- closes.beside\nSELECT count(pg_advisory_xact_lock_shared($1))";
        const SQL: &str = "-- closes.sealed\nSELECT count(*) FROM closes WHERE partner = $1 AND period = 'day'
            AND state = 'sealed' AND ended_at IS NULL AND first_day >= $2";
        // Whoever signs at this moment is waited for, and waits; those who compare and import do not wait for each other.
        self.ask_one(Ask::new(BESIDE, vec![&turn_of(partner)]))?;
        let count = self.ask_one(Ask::new(SQL, vec![&partner.as_str(), &day]))?.one(|cells| cells.whole())?;
        Ok(count.is_some_and(|count| count > 0))
    }
}

impl CloseReports for PostgresReports {
    fn close(&mut self, partner: &PartnerCode, period: Period) -> Result<Option<CloseView>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.live\nSELECT ",
            close_columns!(),
            " FROM closes c WHERE c.partner = $1 AND c.period = $2 AND c.first_day = $3 AND c.ended_at IS NULL"
        );
        let (partner, word, first) = (partner.as_str(), period.word(), period.first());
        self.ask_one(Ask::new(SQL, vec![&partner, &word, &first]))?.one(close_view)
    }

    fn is_complete(&mut self, reconciliation: ReconciliationNo) -> Result<bool, StoreError> {
        const SQL: &str =
            "-- reconciliations.is_done\nSELECT count(*) FROM reconciliations_done WHERE reconciliation_no = $1";
        let found = self.ask_one(Ask::new(SQL, vec![&reconciliation.0]))?.one(|cells| cells.whole())?;
        Ok(found.is_some_and(|count| count > 0))
    }

    fn last_sealed(&mut self, partner: &PartnerCode) -> Result<Option<CloseView>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.last\nSELECT ",
            close_columns!(),
            " FROM closes c WHERE c.partner = $1 AND c.period = 'day' AND c.ended_at IS NULL AND c.state = 'sealed'
                ORDER BY c.first_day DESC LIMIT 1"
        );
        self.ask_one(Ask::new(SQL, vec![&partner.as_str()]))?.one(close_view)
    }

    fn first_sealed(&mut self, partner: &PartnerCode) -> Result<Option<Date>, StoreError> {
        const SQL: &str = "-- closes.first\nSELECT min(first_day) FROM closes
            WHERE partner = $1 AND period = 'day' AND ended_at IS NULL AND state = 'sealed'";
        Ok(self.ask_one(Ask::new(SQL, vec![&partner.as_str()]))?.one(|cells| cells.day_some())?.flatten())
    }

    fn last_to_account(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Option<Date>, StoreError> {
        const SQL: &str = "-- closes.last_to_account\nSELECT max(c.first_day)
            FROM closes c JOIN close_days d ON d.close_no = c.no
            WHERE c.partner = $1 AND c.period = 'day' AND c.state = 'sealed' AND c.ended_at IS NULL
                AND d.business_day BETWEEN $2 AND $3 AND (d.count <> 0 OR d.dong <> 0 OR d.mark <> 0)";
        let last = self.ask_one(Ask::new(SQL, vec![&partner.as_str(), &from, &to]))?;
        Ok(last.one(|cells| cells.day_some())?.flatten())
    }

    fn closes(&mut self, after: i64, limit: u32) -> Result<Vec<CloseView>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.list\nSELECT ",
            close_columns!(),
            " FROM closes c WHERE c.no > $1 ORDER BY c.no LIMIT $2"
        );
        self.ask_one(Ask::new(SQL, vec![&after, &i64::from(limit)]))?.all(close_view)
    }

    fn closes_of(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<CloseLine>, StoreError> {
        const SQL: &str = concat!(
            "-- closes.of_days\nSELECT ",
            close_line_columns!(),
            " FROM closes c WHERE c.partner = $1 AND c.first_day BETWEEN $2 AND $3 ORDER BY c.no"
        );
        self.ask_one(Ask::new(SQL, vec![&partner.as_str(), &from, &to]))?.all(close_line)
    }

    fn accounted(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        const SQL: &str = "-- closes.accounted\nSELECT d.business_day, sum(d.count)::bigint, sum(d.dong)::bigint,
                sum(d.mark)::bigint FROM closes c JOIN close_days d ON d.close_no = c.no
            WHERE c.partner = $1 AND c.period = 'day' AND c.state = 'sealed' AND c.ended_at IS NULL
                AND d.business_day BETWEEN $2 AND $3 GROUP BY d.business_day ORDER BY d.business_day";
        self.ask_one(Ask::new(SQL, vec![&partner.as_str(), &from, &to]))?.all(day_total)
    }

    fn day_totals(&mut self, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        const SQL: &str = concat!(
            "-- events.day_totals\nWITH t (day, count, dong, mark) AS (",
            // Those of which the event's own row says it are counted in the index alone.
            counted_of!(is_kept!()),
            " UNION ALL ",
            counted_of!(is_taken_back!()),
            ") SELECT t.day, sum(t.count)::bigint, sum(t.dong)::bigint, sum(t.mark)::bigint FROM t
            GROUP BY t.day ORDER BY t.day"
        );
        let answers = self.ask_long(&[Ask::new(SQL, vec![&from, &to, &partner.as_str()])])?;
        answers.first().map_or_else(|| Ok(Vec::new()), |answer| answer.all(day_total))
    }

    fn window_total(&mut self, window: &Window<'_>) -> Result<WindowTotal, StoreError> {
        const SQL: &str = concat!(
            "-- events.window_total\nSELECT ",
            total_columns!("::bigint"),
            " FROM senders s JOIN events e ON e.sender_no = s.no
            WHERE s.partner = $1 AND e.business_day BETWEEN $2 AND $3 AND e.paid_at < $5
                AND (e.paid_at >= $4 OR e.business_day >= $6) AND ",
            is_held!()
        );
        let Window { partner, day, days: (from, to), start, end } = window;
        let (partner, start, end) = (partner.as_str(), start.unix_ms(), end.unix_ms());
        let answers = self.ask_long(&[Ask::new(SQL, vec![&partner, from, to, &start, &end, day])])?;
        let total = answers.first().map(|answer| answer.one(window_total)).transpose()?;
        Ok(total.flatten().unwrap_or_default())
    }
}

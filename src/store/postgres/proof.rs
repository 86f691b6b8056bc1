//! What a certificate is made from: seals, what the books have of receipts, and repeats.

use super::asking::PostgresReports;
use super::session::Ask;
use crate::domain::ids::PartnerCode;
use crate::domain::receipt::Verdict;
use crate::domain::time::Timestamp;
use crate::store::cells::Cells;
use crate::store::numbers::receipt_no;
use crate::store::reports::{BookedCount, LaneRange};
use crate::store::shared::BookedSums;
use crate::store::{Seal, StoreError};
use jiff::civil::Date;

impl PostgresReports {
    pub(super) fn last_seal(&mut self, at: Timestamp) -> Result<Option<Seal>, StoreError> {
        const SQL: &str = "-- reports.seal_before\nSELECT s.at, s.signature, h.lane, h.n, h.hash
            FROM (SELECT no, at, signature FROM seals WHERE at < $1 ORDER BY at DESC, no DESC LIMIT 1) s
            LEFT JOIN seal_heads h ON h.seal_no = s.no ORDER BY h.lane";
        let at = at.unix_ms();
        let rows = self.ask_one(Ask::new(SQL, vec![&at]))?.all(|cells| {
            let (at, signature, lane) = (cells.at()?, cells.hash()?, cells.whole_some()?);
            let lane = lane.map(|lane| u32::try_from(lane).map_err(|_negative| cells.bad())).transpose()?;
            let head = lane.map(|lane| Ok::<_, StoreError>((lane, cells.whole()?, cells.hash()?))).transpose()?;
            Ok((at, signature, head))
        })?;
        let Some((at, signature, _)) = rows.first() else { return Ok(None) };
        let (at, signature) = (*at, *signature);
        Ok(Some(Seal { at, signature, heads: rows.into_iter().filter_map(|(_, _, head)| head).collect() }))
    }

    pub(super) fn booked_in(
        &mut self,
        partner: &PartnerCode,
        ranges: &[LaneRange],
    ) -> Result<Vec<BookedCount>, StoreError> {
        const SQL: &str = "-- reports.booked\nSELECT CASE WHEN e.movement = 'reversal' THEN 'reversal'
                WHEN p.kind = 'settle' THEN 'settled' ELSE 'parked' END AS place, count(*), sum(CASE WHEN e.movement = 'reversal' THEN e.amount ELSE coalesce((SELECT -sum(x.amount)
                    FROM entries x JOIN accounts a ON a.no = x.account_no
                    WHERE x.no >= p.no << 16 AND x.no < (p.no + 1) << 16
                        AND (a.name LIKE 'receivable%' OR a.name LIKE 'suspense%')), 0) END)::bigint
            FROM receipts r JOIN events e ON e.key = r.event_key LEFT JOIN postings p ON p.no = e.first_posting
            WHERE r.no > $1 AND r.no <= $2 AND r.partner = $3 AND r.verdict IN ('settled', 'parked', 'reversal')
                AND (e.movement = 'reversal' OR p.kind IN ('settle', 'park'))
            GROUP BY place ORDER BY place";
        let mut sums = BookedSums::default();
        let name = partner.as_str();
        for range in ranges {
            let (from, to) = (receipt_no(range.lane, range.after)?, receipt_no(range.lane, range.upto)?);
            let answers = self.ask_long(&[Ask::new(SQL, vec![&from, &to, &name])])?;
            for answer in &answers {
                sums.add(answer.all(|cells| Ok((cells.word(Verdict::parse)?, cells.whole()?, cells.whole()?)))?)?;
            }
        }
        Ok(sums.counts())
    }

    pub(super) fn repeats_of(&mut self, partner: &PartnerCode, day: Date) -> Result<i64, StoreError> {
        const SQL: &str =
            "-- reports.repeats\nSELECT coalesce(sum(count), 0)::bigint FROM repeats WHERE partner = $1 AND day = $2";
        let name = partner.as_str();
        Ok(self.ask_one(Ask::new(SQL, vec![&name, &day]))?.one(|cells| cells.whole())?.unwrap_or_default())
    }
}

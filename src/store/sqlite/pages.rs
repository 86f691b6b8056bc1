//! What finance's pages ask, in a file. Breaks that are not closed are read through their own index, which holds none of
//! the others, and those of one payment through its own; a filter is then a test of a row.

use super::reports::SqliteReports;
use super::statement::{Db, RowCells};
use crate::domain::ids::{CustomerCode, EventKey, EventNo, PartnerCode};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::statement::Sum;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::cells::{account, event_columns, invoice_columns, numbered_event};
use crate::store::desk::{Asked, BreakFilter, BreakOrder, BreakView};
use crate::store::desk_cells::{break_columns, break_view};
use crate::store::notified::{is_reversal, notified};
use crate::store::numbers::lane_base;
use crate::store::pages::{
    BreakFacet, BreakTotals, DayFigures, DayParts, Heard, PageReports, break_facet, break_totals, heard, heard_row,
    partner_day_at, partner_day_close, partner_day_sum, taken_file,
};
use crate::store::rows::EventRecord;
use crate::store::statement_cells::sum;
use jiff::civil::Date;
use rusqlite::{ToSql, params};

/// The days from parameter 1 to 2.
macro_rules! days {
    () => {
        "SELECT ?1 WHERE ?1 <= ?2 UNION ALL SELECT date(d.day, '+1 day') FROM d WHERE d.day < ?2"
    };
}

/// The sums of days of an account `i` and a day `d`, by their whole key: a day has rows of every district's account too.
macro_rules! sums {
    () => {
        "CROSS JOIN day_sums m ON m.sender_no = i.sender_no AND m.business_day = d.day AND m.account_no = i.no
            AND m.kind IN ('settle', 'park')"
    };
}

/// The events of sender `s` and these days that this index has.
macro_rules! events {
    ($index:literal) => {
        concat!(
            "CROSS JOIN events e INDEXED BY ",
            $index,
            " ON e.sender_no = s.no WHERE e.business_day BETWEEN ?1 AND ?2"
        )
    };
}

/// Breaks that are not closed.
macro_rules! open {
    () => {
        "breaks b INDEXED BY breaks_open WHERE b.closed_at IS NULL"
    };
}

/// All of them.
macro_rules! closed_too {
    () => {
        "breaks b WHERE b.no > 0"
    };
}

/// Those of one payment that are not closed: a few.
macro_rules! open_of_event {
    () => {
        "breaks b INDEXED BY breaks_of_event WHERE b.event_key = ?5 AND b.closed_at IS NULL"
    };
}

/// All of one payment.
macro_rules! of_event {
    () => {
        "breaks b INDEXED BY breaks_of_event WHERE b.event_key = ?5"
    };
}

/// The tests of a filter: parameters 1 to 23, cheap ones first.
macro_rules! filter {
    () => {
        " AND (?1 IS NULL OR b.class = ?1) AND (?2 IS NULL OR b.state = ?2) AND (?3 IS NULL OR b.partner = ?3)
          AND (?4 IS NULL OR b.assignee = ?4) AND (?5 IS NULL OR b.event_key = ?5) AND (?6 IS NULL OR b.aged_from >= ?6)
          AND (?7 IS NULL OR b.aged_from <= ?7) AND (?8 IS NULL OR b.unit = ?8) AND (?9 IS NULL OR b.area = ?9)
          AND (?10 IS NULL OR b.channel = ?10) AND (?11 IS NULL OR b.leg = ?11) AND (NOT ?23 OR b.leg IS NULL)
          AND (?12 IS NULL OR abs(b.amount) >= ?12) AND (?13 IS NULL OR abs(b.amount) <= ?13)
          AND (?14 OR b.no = ?15 OR abs(b.amount) = ?16 OR abs(b.ours) = ?16 OR abs(b.theirs) = ?16
            OR b.event_key IN (SELECT unhex(k.value) FROM json_each(?17) k)
            OR b.about IN (SELECT k.value FROM json_each(?18) k)
            OR b.about IN (SELECT i.id FROM invoices i WHERE i.customer = ?19)
            OR (instr(b.folded, ?20) > 0 AND (?21 IS NULL OR instr(b.folded, ?21) > 0)
              AND (?22 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(?22) w WHERE instr(b.folded, w.value) = 0))))"
    };
}

/// A page of breaks in one order, each towards its end and back.
struct Pages {
    open: [&'static str; 2],
    closed_too: [&'static str; 2],
    open_of_event: [&'static str; 2],
    of_event: [&'static str; 2],
}

macro_rules! pages {
    ($name:literal, $cursor:literal, $forward:literal, $back:literal) => {
        Pages {
            open: [pages!(@ $name, open!(), $cursor, $forward), pages!(@ $name, open!(), $cursor, $back)],
            closed_too: [pages!(@ $name, closed_too!(), $cursor, $forward), pages!(@ $name, closed_too!(), $cursor, $back)],
            open_of_event: [
                pages!(@ $name, open_of_event!(), $cursor, $forward),
                pages!(@ $name, open_of_event!(), $cursor, $back),
            ],
            of_event: [pages!(@ $name, of_event!(), $cursor, $forward), pages!(@ $name, of_event!(), $cursor, $back)],
        }
    };
    (@ $name:literal, $scope:expr, $cursor:literal, $order:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT ",
            break_columns!(),
            " FROM ",
            $scope,
            filter!(),
            $cursor,
            " ORDER BY ",
            $order,
            " LIMIT ?26"
        )
    };
}

/// The sums of a filter.
macro_rules! totals {
    ($scope:expr) => {
        concat!(
            "-- reports.break_totals\nSELECT count(*), coalesce(sum(abs(b.amount)), 0), min(b.aged_from) FROM ",
            $scope,
            filter!()
        )
    };
}

/// The same by class.
macro_rules! facets {
    ($scope:expr) => {
        concat!(
            "-- reports.break_facets\nSELECT b.class, count(*), sum(abs(b.amount)) FROM ",
            $scope,
            filter!(),
            " GROUP BY b.class ORDER BY b.class"
        )
    };
}

/// Break numbers, between parameters 24 and 25; a break's key never changes, so its number is a place in any order.
const NEWEST: Pages = pages!(
    "reports.newest_breaks",
    " AND b.no < coalesce(?24, 9223372036854775807) AND b.no > coalesce(?25, 0)",
    "b.no DESC",
    "b.no"
);
const OLDEST: Pages = pages!(
    "reports.oldest_breaks",
    " AND (?24 IS NULL OR (b.aged_from, b.no) > (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = ?24))
      AND (?25 IS NULL OR (b.aged_from, b.no) < (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = ?25))",
    "b.aged_from, b.no",
    "b.aged_from DESC, b.no DESC"
);
const LARGEST: Pages = pages!(
    "reports.largest_breaks",
    " AND (?24 IS NULL OR (abs(b.amount), b.no) < (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = ?24))
      AND (?25 IS NULL OR (abs(b.amount), b.no) > (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = ?25))",
    "abs(b.amount) DESC, b.no DESC",
    "abs(b.amount), b.no"
);

/// A filter as parameters.
struct Params<'f> {
    asked: Asked<'f>,
    event: Option<[u8; 16]>,
    days: [Option<String>; 2],
    events: String,
    invoices: String,
    second: Option<String>,
    others: String,
}

impl<'f> Params<'f> {
    fn new(filter: &'f BreakFilter) -> Result<Self, StoreError> {
        let mut asked = filter.asked();
        let list = |texts: &[&str]| {
            serde_json::to_string(texts)
                .map_err(|_not_json| StoreError::Fault("reports.breaks: a list is not text".to_owned()))
        };
        let keys: Vec<String> = asked.events.iter().map(|key| hex::encode(key.as_bytes())).collect();
        let second = (!asked.words.is_empty()).then(|| asked.words.remove(0));
        Ok(Self {
            event: asked.event.as_ref().map(EventKey::as_bytes).copied(),
            days: [asked.from, asked.to].map(|day| day.map(|day| day.to_string())),
            events: list(&keys.iter().map(String::as_str).collect::<Vec<_>>())?,
            invoices: list(&asked.invoices)?,
            others: list(&asked.words.iter().map(String::as_str).collect::<Vec<_>>())?,
            second,
            asked,
        })
    }

    fn list(&self) -> Vec<&dyn ToSql> {
        let Self { asked, event, days: [from, to], events, invoices, second, others } = self;
        vec![
            &asked.class,
            &asked.state,
            &asked.partner,
            &asked.assignee,
            event,
            from,
            to,
            &asked.unit,
            &asked.area,
            &asked.channel,
            &asked.leg,
            &asked.dong.0,
            &asked.dong.1,
            &asked.any,
            &asked.no,
            &asked.about,
            events,
            invoices,
            &asked.customer,
            &asked.word,
            second,
            others,
            &asked.no_leg,
        ]
    }
}

/// A page of breaks.
pub(super) fn breaks(db: Db<'_>, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
    let params = Params::new(filter)?;
    let mut list = params.list();
    let place: [&dyn ToSql; 3] = [&filter.before, &filter.after, &filter.limit];
    list.extend(place);
    let pages = match filter.order {
        BreakOrder::Newest => NEWEST,
        BreakOrder::Oldest => OLDEST,
        BreakOrder::Largest => LARGEST,
    };
    let [forward, back] = match (filter.event.is_some(), filter.open_only) {
        (false, true) => pages.open,
        (false, false) => pages.closed_too,
        (true, true) => pages.open_of_event,
        (true, false) => pages.of_event,
    };
    let sql = if filter.is_backwards() { back } else { forward };
    let mut found = db.all(sql, list.as_slice(), |cells| break_view(cells))?;
    if filter.is_backwards() {
        found.reverse();
    }
    Ok(found)
}

impl PageReports for SqliteReports {
    fn break_totals(&mut self, filter: &BreakFilter) -> Result<BreakTotals, StoreError> {
        const OPEN: &str = totals!(open!());
        const ALL: &str = totals!(closed_too!());
        let params = Params::new(filter)?;
        let sql = if filter.open_only { OPEN } else { ALL };
        let totals = self.db().one(sql, params.list().as_slice(), |cells| break_totals(cells))?;
        Ok(totals.unwrap_or_default())
    }

    fn break_facets(&mut self, filter: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError> {
        const OPEN: &str = facets!(open!());
        const ALL: &str = facets!(closed_too!());
        let any_class = BreakFilter { class: None, ..filter.clone() };
        let params = Params::new(&any_class)?;
        let sql = if filter.open_only { OPEN } else { ALL };
        self.db().all(sql, params.list().as_slice(), |cells| break_facet(cells))
    }

    fn day_figures(&mut self, days: (Date, Date)) -> Result<Vec<DayFigures>, StoreError> {
        const NOTIFIED: &str = notified!(days!(), "", sums!(), events);
        const FILES: &str = "-- pages.files\nSELECT f.partner, f.day, f.kind, f.no, f.at, f.payments + f.reversals,
                f.payments_dong - f.reversals_dong
            FROM statement_files f WHERE f.state = 'taken' AND f.day BETWEEN ?1 AND ?2";
        const BREAKS: &str = "-- pages.breaks\nSELECT b.partner, b.aged_from, count(*), sum(abs(b.amount))
            FROM breaks b INDEXED BY breaks_open_until WHERE b.closed_at IS NULL AND b.partner IS NOT NULL
            GROUP BY b.partner, b.aged_from ORDER BY b.partner, b.aged_from";
        const CLOSES: &str = "-- pages.closes\nSELECT c.partner, c.first_day, c.state FROM closes c
            WHERE c.period = 'day' AND c.ended_at IS NULL AND c.first_day BETWEEN ?1 AND ?2";
        const COMPARED: &str = "-- pages.compared\nSELECT r.partner, r.day, r.at FROM reconciliations r
            WHERE r.kind = 'partner' AND r.day BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM reconciliations l
                WHERE l.kind = r.kind AND l.partner = r.partner AND l.day = r.day AND l.no > r.no)";
        const SETTLED: &str =
            "-- pages.settled\nSELECT s.partner, s.day, sum(s.credits), sum(s.credited) FROM settlements s
            WHERE s.file_no IS NOT NULL AND s.day BETWEEN ?1 AND ?2 GROUP BY s.partner, s.day";
        let between = [days.0, days.1].map(|day| day.to_string());
        let between = (between[0].as_str(), between[1].as_str());
        let parts = self.snapshot(|db| {
            Ok(DayParts {
                notified: db.all(NOTIFIED, between, |cells| partner_day_sum(cells))?,
                files: db.all(FILES, between, |cells| taken_file(cells))?,
                breaks: db.all(BREAKS, (), |cells| partner_day_sum(cells))?,
                closes: db.all(CLOSES, between, |cells| partner_day_close(cells))?,
                compared: db.all(COMPARED, between, |cells| partner_day_at(cells))?,
                settled: db.all(SETTLED, between, |cells| partner_day_sum(cells))?,
            })
        })?;
        Ok(parts.figures(days))
    }

    fn payments_of_day(
        &mut self,
        partner: &PartnerCode,
        day: Date,
        after: EventNo,
        limit: u32,
    ) -> Result<Vec<(EventNo, EventRecord)>, StoreError> {
        const SENDERS: &str = "-- pages.senders\nSELECT no FROM senders WHERE partner = ?1 ORDER BY no";
        const SQL: &str = concat!(
            "-- pages.payments_of_day\nSELECT e.no, ",
            event_columns!(),
            " FROM events e INDEXED BY events_of_day JOIN senders s ON s.no = e.sender_no
            WHERE e.sender_no = ?1 AND e.business_day = ?2 AND e.no > ?3 ORDER BY e.no LIMIT ?4"
        );
        self.snapshot(|db| {
            let mut found = Vec::new();
            for sender in db.all(SENDERS, [partner.as_str()], |cells| cells.next::<i64>())? {
                found.extend(db.all(SQL, params![sender, day.to_string(), after.0, limit], numbered)?);
            }
            // A page of each account of ours at the partner.
            found.sort_by_key(|(no, _)| *no);
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(found)
        })
    }

    fn reversals_of_day(&mut self, partner: &PartnerCode, day: Date) -> Result<Sum, StoreError> {
        const SQL: &str = concat!(
            "-- pages.reversals_of_day\nSELECT count(*), coalesce(sum(e.amount), 0)
            FROM senders s JOIN events e INDEXED BY events_reversals ON e.sender_no = s.no
            WHERE s.partner = ?1 AND e.business_day = ?2 AND ",
            is_reversal!(),
            " AND e.state = 'applied'"
        );
        let found = self.db().one(SQL, (partner.as_str(), day.to_string()), |cells| sum(cells))?;
        Ok(found.unwrap_or_default())
    }

    fn invoices_of_customer(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceAccount>, StoreError> {
        const SQL: &str = concat!(
            "-- pages.invoices\nSELECT i.no, (SELECT max(a.sequence) FROM allocations a WHERE a.invoice_no = i.no),
                (SELECT sum(a.amount) FROM allocations a WHERE a.invoice_no = i.no), ",
            invoice_columns!(),
            " FROM invoices i WHERE i.customer = ?1 ORDER BY i.period DESC, i.id LIMIT ?2"
        );
        self.db().all(SQL, (customer.as_str(), limit), |cells| Ok(account(cells)?.1))
    }

    fn last_heard(&mut self, since: Timestamp, most: u32) -> Result<Vec<Heard>, StoreError> {
        const SQL: &str =
            "-- pages.heard\nSELECT r.partner, r.verdict, max(r.received_at), count(*) FILTER (WHERE r.received_at >= ?3),
                coalesce(sum(r.amount) FILTER (WHERE r.received_at >= ?3), 0), min(r.received_at), count(*)
            FROM (SELECT partner, verdict, received_at, amount FROM receipts WHERE no >= ?1 AND no < ?2
                ORDER BY no DESC LIMIT ?4) r
            GROUP BY r.partner, r.verdict";
        self.snapshot(|db| {
            let mut lanes = Vec::new();
            for lane in super::tx::lanes(db)? {
                let (from, to) = (lane_base(lane), lane_base(lane.saturating_add(1)));
                lanes.push(db.all(SQL, params![from, to, since.unix_ms(), most], |cells| heard_row(cells))?);
            }
            Ok(heard(lanes, since, most))
        })
    }
}

fn numbered(cells: &mut RowCells<'_, '_>) -> Result<(EventNo, EventRecord), StoreError> {
    let (no, record) = numbered_event(cells)?;
    Ok((EventNo(no), record))
}

//! What finance's pages ask, on a server.

use super::asking::PostgresReports;
use super::row::Key;
use super::session::{Ask, Param};
use crate::domain::ids::{CustomerCode, EventKey, EventNo, PartnerCode};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::statement::Sum;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::cells::{Cells, account, event_columns, invoice_columns, numbered_event};
use crate::store::desk::{Asked, BreakFilter, BreakOrder, BreakView};
use crate::store::desk_cells::{break_columns, break_view};
use crate::store::notified::{is_reversal, notified};
use crate::store::pages::{
    BreakFacet, BreakTotals, DayFigures, DayParts, Heard, HeardRow, PageReports, break_facet, break_totals, heard,
    heard_row, partner_day_at, partner_day_close, partner_day_sum, taken_file,
};
use crate::store::rows::EventRecord;
use crate::store::statement_cells::sum;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The days from parameter 1 to 2.
macro_rules! days {
    () => {
        "SELECT $1::date + g AS day FROM generate_series(0, $2::date - $1::date) g"
    };
}

/// The sums of days of an account `i` and a day `d`, by their whole key: a day has rows of every district's account too, and
/// joined freely they might all be read. That is what the offset forbids.
macro_rules! sums {
    () => {
        "CROSS JOIN LATERAL (SELECT m.postings, m.dong FROM day_sums m WHERE m.sender_no = i.sender_no
            AND m.business_day = d.day AND m.account_no = i.no AND m.kind IN ('settle', 'park') OFFSET 0) m"
    };
}

/// The events of sender `s` and these days. That an index has them, the planner sees by the words behind.
macro_rules! events {
    ($index:literal) => {
        "JOIN events e ON e.sender_no = s.no WHERE e.business_day BETWEEN $1 AND $2"
    };
}

/// Breaks that are not closed.
macro_rules! open {
    () => {
        "breaks b WHERE b.closed_at IS NULL"
    };
}

/// All of them.
macro_rules! closed_too {
    () => {
        "breaks b WHERE b.no > 0"
    };
}

/// The tests of a filter: parameters 1 to 22.
macro_rules! filter {
    () => {
        " AND ($1::text IS NULL OR b.class = $1) AND ($2::text IS NULL OR b.state = $2)
          AND ($3::text IS NULL OR b.partner = $3) AND ($4::text IS NULL OR b.assignee = $4)
          AND ($5::uuid IS NULL OR b.event_key = $5) AND ($6::date IS NULL OR b.aged_from >= $6)
          AND ($7::date IS NULL OR b.aged_from <= $7) AND ($8::text IS NULL OR b.unit = $8)
          AND ($9::text IS NULL OR b.area = $9) AND ($10::text IS NULL OR b.channel = $10)
          AND ($11::text IS NULL OR b.leg = $11) AND ($12::bigint IS NULL OR abs(b.amount) >= $12)
          AND ($13::bigint IS NULL OR abs(b.amount) <= $13) AND (NOT $22::boolean OR b.leg IS NULL)
          AND ($14::boolean OR b.no = $15 OR abs(b.amount) = $16 OR abs(b.ours) = $16 OR abs(b.theirs) = $16
            OR b.event_key = ANY($17::uuid[]) OR b.about = ANY($18::text[])
            OR b.about IN (SELECT i.id FROM invoices i WHERE i.customer = $19)
            OR (strpos(b.folded, $20) > 0
              AND NOT EXISTS (SELECT 1 FROM unnest($21::text[]) w WHERE strpos(b.folded, w) = 0)))"
    };
}

/// A page of breaks in one order, towards its end and back: of those that are not closed, and of all.
macro_rules! pages {
    ($name:literal, $cursor:literal, $forward:literal, $back:literal) => {
        [
            [pages!(@ $name, open!(), $cursor, $forward), pages!(@ $name, open!(), $cursor, $back)],
            [pages!(@ $name, closed_too!(), $cursor, $forward), pages!(@ $name, closed_too!(), $cursor, $back)],
        ]
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
            " LIMIT $25"
        )
    };
}

/// The sums of a filter.
macro_rules! totals {
    ($scope:expr) => {
        concat!(
            "-- reports.break_totals\nSELECT count(*), coalesce(sum(abs(b.amount)), 0)::bigint, min(b.aged_from) FROM ",
            $scope,
            filter!()
        )
    };
}

/// The same by class.
macro_rules! facets {
    ($scope:expr) => {
        concat!(
            "-- reports.break_facets\nSELECT b.class, count(*), sum(abs(b.amount))::bigint FROM ",
            $scope,
            filter!(),
            " GROUP BY b.class ORDER BY b.class"
        )
    };
}

/// Break numbers, between parameters 23 and 24; a break's key never changes, so its number is a place in any order.
const NEWEST: [[&str; 2]; 2] = pages!(
    "reports.newest_breaks",
    " AND b.no < coalesce($23::bigint, 9223372036854775807) AND b.no > coalesce($24::bigint, 0)",
    "b.no DESC",
    "b.no"
);
const OLDEST: [[&str; 2]; 2] = pages!(
    "reports.oldest_breaks",
    " AND ($23::bigint IS NULL OR (b.aged_from, b.no) > (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = $23))
      AND ($24::bigint IS NULL OR (b.aged_from, b.no) < (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = $24))",
    "b.aged_from, b.no",
    "b.aged_from DESC, b.no DESC"
);
const LARGEST: [[&str; 2]; 2] = pages!(
    "reports.largest_breaks",
    " AND ($23::bigint IS NULL OR (abs(b.amount), b.no) < (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = $23))
      AND ($24::bigint IS NULL OR (abs(b.amount), b.no) > (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = $24))",
    "abs(b.amount) DESC, b.no DESC",
    "abs(b.amount), b.no"
);

/// A filter as parameters.
struct Params<'f> {
    asked: Asked<'f>,
    event: Option<Key>,
    events: Vec<Key>,
}

impl<'f> Params<'f> {
    fn new(filter: &'f BreakFilter) -> Self {
        let asked = filter.asked();
        let key = |key: &EventKey| Key(*key.as_bytes());
        Self { event: asked.event.as_ref().map(key), events: asked.events.iter().map(key).collect(), asked }
    }

    fn list(&self) -> Vec<Param<'_>> {
        let Self { asked, event, events } = self;
        vec![
            &asked.class,
            &asked.state,
            &asked.partner,
            &asked.assignee,
            event,
            &asked.from,
            &asked.to,
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
            &asked.invoices,
            &asked.customer,
            &asked.word,
            &asked.words,
            &asked.no_leg,
        ]
    }
}

impl PostgresReports {
    pub(super) fn break_page(&mut self, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
        let (params, limit) = (Params::new(filter), i64::from(filter.limit));
        let mut list = params.list();
        let place: [Param<'_>; 3] = [&filter.before, &filter.after, &limit];
        list.extend(place);
        let [open, all] = match filter.order {
            BreakOrder::Newest => NEWEST,
            BreakOrder::Oldest => OLDEST,
            BreakOrder::Largest => LARGEST,
        };
        let [forward, back] = if filter.open_only { open } else { all };
        let sql = if filter.is_backwards() { back } else { forward };
        let mut found = self.ask_one(Ask::new(sql, list))?.all(break_view)?;
        if filter.is_backwards() {
            found.reverse();
        }
        Ok(found)
    }
}

impl PageReports for PostgresReports {
    fn break_totals(&mut self, filter: &BreakFilter) -> Result<BreakTotals, StoreError> {
        const OPEN: &str = totals!(open!());
        const ALL: &str = totals!(closed_too!());
        let params = Params::new(filter);
        let sql = if filter.open_only { OPEN } else { ALL };
        Ok(self.ask_one(Ask::new(sql, params.list()))?.one(break_totals)?.unwrap_or_default())
    }

    fn break_facets(&mut self, filter: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError> {
        const OPEN: &str = facets!(open!());
        const ALL: &str = facets!(closed_too!());
        let any_class = BreakFilter { class: None, ..filter.clone() };
        let params = Params::new(&any_class);
        let sql = if filter.open_only { OPEN } else { ALL };
        self.ask_one(Ask::new(sql, params.list()))?.all(break_facet)
    }

    fn day_figures(&mut self, days: (Date, Date)) -> Result<Vec<DayFigures>, StoreError> {
        const NOTIFIED: &str = notified!(days!(), "::bigint", sums!(), events);
        const FILES: &str = "-- pages.files\nSELECT f.partner, f.day, f.kind, f.no, f.at, f.payments + f.reversals,
                f.payments_dong - f.reversals_dong
            FROM statement_files f WHERE f.state = 'taken' AND f.day BETWEEN $1 AND $2";
        const BREAKS: &str = "-- pages.breaks\nSELECT b.partner, b.aged_from, count(*), sum(abs(b.amount))::bigint
            FROM breaks b WHERE b.closed_at IS NULL AND b.partner IS NOT NULL
            GROUP BY b.partner, b.aged_from ORDER BY b.partner, b.aged_from";
        const CLOSES: &str = "-- pages.closes\nSELECT c.partner, c.first_day, c.state FROM closes c
            WHERE c.period = 'day' AND c.ended_at IS NULL AND c.first_day BETWEEN $1 AND $2";
        const COMPARED: &str = "-- pages.compared\nSELECT r.partner, r.day, r.at FROM reconciliations r
            WHERE r.kind = 'partner' AND r.day BETWEEN $1 AND $2 AND NOT EXISTS (SELECT 1 FROM reconciliations l
                WHERE l.kind = r.kind AND l.partner = r.partner AND l.day = r.day AND l.no > r.no)";
        const SETTLED: &str = "-- pages.settled\nSELECT s.partner, s.day, sum(s.credits)::bigint, sum(s.credited)::bigint FROM settlements s
            WHERE s.file_no IS NOT NULL AND s.day BETWEEN $1 AND $2 GROUP BY s.partner, s.day";
        let between = |sql| Ask::new(sql, vec![&days.0, &days.1]);
        let answers = self.ask(&[
            between(NOTIFIED),
            between(FILES),
            Ask::new(BREAKS, Vec::new()),
            between(CLOSES),
            between(COMPARED),
            between(SETTLED),
        ])?;
        let [notified, files, breaks, closes, compared, settled] = answers.as_slice() else {
            return Err(StoreError::Fault("pages.days: no answer".to_owned()));
        };
        let parts = DayParts {
            notified: notified.all(partner_day_sum)?,
            files: files.all(taken_file)?,
            breaks: breaks.all(partner_day_sum)?,
            closes: closes.all(partner_day_close)?,
            compared: compared.all(partner_day_at)?,
            settled: settled.all(partner_day_sum)?,
        };
        Ok(parts.figures(days))
    }

    fn payments_of_day(
        &mut self,
        partner: &PartnerCode,
        day: Date,
        after: EventNo,
        limit: u32,
    ) -> Result<Vec<(EventNo, EventRecord)>, StoreError> {
        // A page of each account of ours at the partner, in the order of its index.
        const SQL: &str = concat!(
            "-- pages.payments_of_day\nSELECT e.no, ",
            event_columns!(),
            " FROM senders s CROSS JOIN LATERAL (SELECT * FROM events e
                WHERE e.sender_no = s.no AND e.business_day = $2 AND e.no > $3 ORDER BY e.no LIMIT $4) e
            WHERE s.partner = $1 ORDER BY e.no LIMIT $4"
        );
        let (name, limit) = (partner.as_str(), i64::from(limit));
        self.ask_one(Ask::new(SQL, vec![&name, &day, &after.0, &limit]))?.all(|cells| {
            let (no, record) = numbered_event(cells)?;
            Ok((EventNo(no), record))
        })
    }

    fn reversals_of_day(&mut self, partner: &PartnerCode, day: Date) -> Result<Sum, StoreError> {
        const SQL: &str = concat!(
            "-- pages.reversals_of_day\nSELECT count(*), coalesce(sum(e.amount), 0)::bigint
            FROM senders s JOIN events e ON e.sender_no = s.no
            WHERE s.partner = $1 AND e.business_day = $2 AND ",
            is_reversal!(),
            " AND e.state = 'applied'"
        );
        Ok(self.ask_one(Ask::new(SQL, vec![&partner.as_str(), &day]))?.one(sum)?.unwrap_or_default())
    }

    fn invoices_of_customer(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceAccount>, StoreError> {
        const SQL: &str = concat!(
            "-- pages.invoices\nSELECT i.no, (SELECT max(a.sequence) FROM allocations a WHERE a.invoice_no = i.no),
                (SELECT sum(a.amount)::bigint FROM allocations a WHERE a.invoice_no = i.no), ",
            invoice_columns!(),
            " FROM invoices i WHERE i.customer = $1 ORDER BY i.period DESC, i.id LIMIT $2"
        );
        let (code, limit) = (customer.as_str(), i64::from(limit));
        self.ask_one(Ask::new(SQL, vec![&code, &limit]))?.all(|cells| Ok(account(cells)?.1))
    }

    fn last_heard(&mut self, since: Timestamp, most: u32) -> Result<Vec<Heard>, StoreError> {
        const SQL: &str = "-- pages.heard\nSELECT l.lane, h.* FROM lanes l CROSS JOIN LATERAL (
                SELECT r.partner, r.verdict, max(r.received_at), count(*) FILTER (WHERE r.received_at >= $1),
                    coalesce(sum(r.amount) FILTER (WHERE r.received_at >= $1), 0)::bigint, min(r.received_at), count(*)
                FROM (SELECT partner, verdict, received_at, amount FROM receipts
                    WHERE no >= l.lane::bigint << 40 AND no < (l.lane::bigint + 1) << 40 ORDER BY no DESC LIMIT $2) r
                GROUP BY r.partner, r.verdict) h";
        let (from, rows) = (since.unix_ms(), i64::from(most));
        let found = self.ask_one(Ask::new(SQL, vec![&from, &rows]))?;
        let mut lanes: BTreeMap<u32, Vec<HeardRow>> = BTreeMap::new();
        for (lane, row) in found.all(|cells| Ok((cells.count()?, heard_row(cells)?)))? {
            lanes.entry(lane).or_default().push(row);
        }
        Ok(heard(lanes.into_values().collect(), since, most))
    }
}

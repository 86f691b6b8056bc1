//! What finance's pages ask, on a server.

use super::reports::PostgresReports;
use super::row::Key;
use super::session::{Ask, Param};
use crate::domain::ids::EventKey;
use crate::store::StoreError;
use crate::store::desk::{Asked, BreakFilter, BreakOrder, BreakView};
use crate::store::desk_cells::{break_columns, break_view};
use crate::store::pages::{BreakFacet, BreakTotals, PageReports, break_facet, break_totals};

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

/// The tests of a filter: parameters 1 to 21.
macro_rules! filter {
    () => {
        " AND ($1::text IS NULL OR b.class = $1) AND ($2::text IS NULL OR b.state = $2)
          AND ($3::text IS NULL OR b.partner = $3) AND ($4::text IS NULL OR b.assignee = $4)
          AND ($5::uuid IS NULL OR b.event_key = $5) AND ($6::date IS NULL OR b.aged_from >= $6)
          AND ($7::date IS NULL OR b.aged_from <= $7) AND ($8::text IS NULL OR b.unit = $8)
          AND ($9::text IS NULL OR b.area = $9) AND ($10::text IS NULL OR b.channel = $10)
          AND ($11::text IS NULL OR b.leg = $11) AND ($12::bigint IS NULL OR abs(b.amount) >= $12)
          AND ($13::bigint IS NULL OR abs(b.amount) <= $13)
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
            " LIMIT $24"
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

/// Break numbers, between parameters 22 and 23; a break's key never changes, so its number is a place in any order.
const NEWEST: [[&str; 2]; 2] = pages!(
    "reports.newest_breaks",
    " AND b.no < coalesce($22::bigint, 9223372036854775807) AND b.no > coalesce($23::bigint, 0)",
    "b.no DESC",
    "b.no"
);
const OLDEST: [[&str; 2]; 2] = pages!(
    "reports.oldest_breaks",
    " AND ($22::bigint IS NULL OR (b.aged_from, b.no) > (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = $22))
      AND ($23::bigint IS NULL OR (b.aged_from, b.no) < (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = $23))",
    "b.aged_from, b.no",
    "b.aged_from DESC, b.no DESC"
);
const LARGEST: [[&str; 2]; 2] = pages!(
    "reports.largest_breaks",
    " AND ($22::bigint IS NULL OR (abs(b.amount), b.no) < (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = $22))
      AND ($23::bigint IS NULL OR (abs(b.amount), b.no) > (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = $23))",
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
}

//! What finance's pages ask, in a file. Breaks that are not closed are read through their own index, which holds none of
//! the others; a filter is then a test of a row.

use super::reports::SqliteReports;
use super::statement::Db;
use crate::domain::ids::EventKey;
use crate::store::StoreError;
use crate::store::desk::{Asked, BreakFilter, BreakOrder, BreakView};
use crate::store::desk_cells::{break_columns, break_view};
use crate::store::pages::{BreakFacet, BreakTotals, PageReports, break_facet, break_totals};
use rusqlite::ToSql;

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

/// The tests of a filter: parameters 1 to 22, cheap ones first.
macro_rules! filter {
    () => {
        " AND (?1 IS NULL OR b.class = ?1) AND (?2 IS NULL OR b.state = ?2) AND (?3 IS NULL OR b.partner = ?3)
          AND (?4 IS NULL OR b.assignee = ?4) AND (?5 IS NULL OR b.event_key = ?5) AND (?6 IS NULL OR b.aged_from >= ?6)
          AND (?7 IS NULL OR b.aged_from <= ?7) AND (?8 IS NULL OR b.unit = ?8) AND (?9 IS NULL OR b.area = ?9)
          AND (?10 IS NULL OR b.channel = ?10) AND (?11 IS NULL OR b.leg = ?11)
          AND (?12 IS NULL OR abs(b.amount) >= ?12) AND (?13 IS NULL OR abs(b.amount) <= ?13)
          AND (?14 OR b.no = ?15 OR abs(b.amount) = ?16 OR abs(b.ours) = ?16 OR abs(b.theirs) = ?16
            OR b.event_key IN (SELECT unhex(k.value) FROM json_each(?17) k)
            OR b.about IN (SELECT k.value FROM json_each(?18) k)
            OR b.about IN (SELECT i.id FROM invoices i WHERE i.customer = ?19)
            OR (instr(b.folded, ?20) > 0 AND (?21 IS NULL OR instr(b.folded, ?21) > 0)
              AND (?22 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(?22) w WHERE instr(b.folded, w.value) = 0))))"
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
            " LIMIT ?25"
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

/// Break numbers, between parameters 23 and 24; a break's key never changes, so its number is a place in any order.
const NEWEST: [[&str; 2]; 2] = pages!(
    "reports.newest_breaks",
    " AND b.no < coalesce(?23, 9223372036854775807) AND b.no > coalesce(?24, 0)",
    "b.no DESC",
    "b.no"
);
const OLDEST: [[&str; 2]; 2] = pages!(
    "reports.oldest_breaks",
    " AND (?23 IS NULL OR (b.aged_from, b.no) > (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = ?23))
      AND (?24 IS NULL OR (b.aged_from, b.no) < (SELECT c.aged_from, c.no FROM breaks c WHERE c.no = ?24))",
    "b.aged_from, b.no",
    "b.aged_from DESC, b.no DESC"
);
const LARGEST: [[&str; 2]; 2] = pages!(
    "reports.largest_breaks",
    " AND (?23 IS NULL OR (abs(b.amount), b.no) < (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = ?23))
      AND (?24 IS NULL OR (abs(b.amount), b.no) > (SELECT abs(c.amount), c.no FROM breaks c WHERE c.no = ?24))",
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
        ]
    }
}

/// A page of breaks.
pub(super) fn breaks(db: Db<'_>, filter: &BreakFilter) -> Result<Vec<BreakView>, StoreError> {
    let params = Params::new(filter)?;
    let mut list = params.list();
    let place: [&dyn ToSql; 3] = [&filter.before, &filter.after, &filter.limit];
    list.extend(place);
    let [open, all] = match filter.order {
        BreakOrder::Newest => NEWEST,
        BreakOrder::Oldest => OLDEST,
        BreakOrder::Largest => LARGEST,
    };
    let [forward, back] = if filter.open_only { open } else { all };
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
}

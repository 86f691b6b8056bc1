//! What finance's pages ask besides the desk's lists: sums of a filter, a partner's days side by side, one day's payments
//! and lines, a customer's bills and payments, who was heard when. Read only; each answer is of one state of the books.

use super::StoreError;
use super::cells::Cells;
use super::desk::BreakFilter;
use crate::domain::review::BreakClass;
use jiff::civil::Date;

/// All breaks of a filter, whatever the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakTotals {
    /// How many.
    pub count: u64,
    /// Their absolute amounts, in dong.
    pub dong: i64,
    /// The earliest accounting day of one.
    pub oldest: Option<Date>,
}

/// Those of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakFacet {
    /// The class.
    pub class: BreakClass,
    /// How many.
    pub count: u64,
    /// Their absolute amounts, in dong.
    pub dong: i64,
}

/// The questions of finance's pages.
pub trait PageReports {
    /// The sums of all breaks of a filter, whatever its page and limit.
    ///
    /// # Errors
    /// The machine's.
    fn break_totals(&mut self, filter: &BreakFilter) -> Result<BreakTotals, StoreError>;

    /// The same by class, in the order of their codes, as if the filter named none.
    ///
    /// # Errors
    /// The machine's.
    fn break_facets(&mut self, filter: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError>;
}

fn unsigned(cells: &mut impl Cells) -> Result<u64, StoreError> {
    let whole = cells.whole()?;
    u64::try_from(whole).map_err(|_negative| cells.bad())
}

/// The sums of a filter.
pub(super) fn break_totals(cells: &mut impl Cells) -> Result<BreakTotals, StoreError> {
    Ok(BreakTotals { count: unsigned(cells)?, dong: cells.whole()?, oldest: cells.day_some()? })
}

/// The sums of a class.
pub(super) fn break_facet(cells: &mut impl Cells) -> Result<BreakFacet, StoreError> {
    Ok(BreakFacet { class: cells.word(BreakClass::parse)?, count: unsigned(cells)?, dong: cells.whole()? })
}

//! The questions of finance's pages over the store in memory: nobody asks them of a simulated day.

use super::reports::MemoryReports;
use super::tx::no_statements;
use thuho::store::StoreError;
use thuho::store::desk::BreakFilter;
use thuho::store::pages::{BreakFacet, BreakTotals, PageReports};

impl PageReports for MemoryReports {
    fn break_totals(&mut self, _: &BreakFilter) -> Result<BreakTotals, StoreError> {
        Err(no_statements())
    }

    fn break_facets(&mut self, _: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError> {
        Err(no_statements())
    }
}

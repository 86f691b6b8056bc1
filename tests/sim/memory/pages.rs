//! The questions of finance's pages over the store in memory: nobody asks them of a simulated day.

use super::reports::MemoryReports;
use super::tx::no_statements;
use jiff::civil::Date;
use thuho::domain::ids::{CustomerCode, EventNo, PartnerCode};
use thuho::domain::invoice::InvoiceAccount;
use thuho::domain::statement::Sum;
use thuho::domain::time::Timestamp;
use thuho::store::StoreError;
use thuho::store::desk::BreakFilter;
use thuho::store::pages::{BreakFacet, BreakTotals, DayFigures, Heard, PageReports};
use thuho::store::rows::EventRecord;

impl PageReports for MemoryReports {
    fn break_totals(&mut self, _: &BreakFilter) -> Result<BreakTotals, StoreError> {
        Err(no_statements())
    }

    fn break_facets(&mut self, _: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError> {
        Err(no_statements())
    }

    fn day_figures(&mut self, _: (Date, Date)) -> Result<Vec<DayFigures>, StoreError> {
        Err(no_statements())
    }

    fn payments_of_day(
        &mut self,
        _: &PartnerCode,
        _: Date,
        _: EventNo,
        _: u32,
    ) -> Result<Vec<(EventNo, EventRecord)>, StoreError> {
        Err(no_statements())
    }

    fn reversals_of_day(&mut self, _: &PartnerCode, _: Date) -> Result<Sum, StoreError> {
        Err(no_statements())
    }

    fn invoices_of_customer(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceAccount>, StoreError> {
        let db = self.db();
        let of = db.invoices.values().filter(|account| account.invoice.customer == *customer);
        let mut bills: Vec<InvoiceAccount> = of.cloned().collect();
        bills.sort_by(|a, b| {
            b.invoice.period.cmp(&a.invoice.period).then_with(|| a.invoice.id.as_str().cmp(b.invoice.id.as_str()))
        });
        bills.truncate(usize::try_from(limit).unwrap());
        Ok(bills)
    }

    fn last_heard(&mut self, _: Timestamp, _: u32) -> Result<Vec<Heard>, StoreError> {
        Err(no_statements())
    }
}

//! Closes over the store in memory: the simulated days end before anybody signs them off.

use super::reports::MemoryReports;
use super::tx::{MemoryTx, no_statements};
use jiff::civil::Date;
use thuho::domain::close::Period;
use thuho::domain::ids::{Author, PartnerCode};
use thuho::domain::statement::ReconciliationNo;
use thuho::domain::time::Timestamp;
use thuho::store::StoreError;
use thuho::store::closes::{
    CloseLine, CloseReports, CloseTx, CloseView, DayTotal, NewClose, Reopened, Signed, Window, WindowTotal,
};

impl CloseTx for MemoryTx<'_> {
    fn draft_close(&mut self, _: &NewClose) -> Result<bool, StoreError> {
        Err(no_statements())
    }

    fn sign_close(
        &mut self,
        _: (&PartnerCode, Period),
        _: &[u8; 32],
        _: (&Author, Timestamp),
    ) -> Result<Signed, StoreError> {
        Err(no_statements())
    }

    fn reopen(&mut self, _: (&PartnerCode, Period), _: &str, _: (&Author, Timestamp)) -> Result<Reopened, StoreError> {
        Err(no_statements())
    }

    fn complete(&mut self, _: ReconciliationNo) -> Result<(), StoreError> {
        Err(no_statements())
    }

    fn is_sealed(&mut self, _: &PartnerCode, _: Date) -> Result<bool, StoreError> {
        Ok(false)
    }
}

impl CloseReports for MemoryReports {
    fn close(&mut self, _: &PartnerCode, _: Period) -> Result<Option<CloseView>, StoreError> {
        Ok(None)
    }

    fn is_complete(&mut self, _: ReconciliationNo) -> Result<bool, StoreError> {
        Err(no_statements())
    }

    fn last_sealed(&mut self, _: &PartnerCode) -> Result<Option<CloseView>, StoreError> {
        Ok(None)
    }

    fn first_sealed(&mut self, _: &PartnerCode) -> Result<Option<Date>, StoreError> {
        Ok(None)
    }

    fn last_to_account(&mut self, _: &PartnerCode, _: (Date, Date)) -> Result<Option<Date>, StoreError> {
        Ok(None)
    }

    fn closes(&mut self, _: i64, _: u32) -> Result<Vec<CloseView>, StoreError> {
        Ok(Vec::new())
    }

    fn closes_of(&mut self, _: &PartnerCode, _: (Date, Date)) -> Result<Vec<CloseLine>, StoreError> {
        Ok(Vec::new())
    }

    fn accounted(&mut self, _: &PartnerCode, _: (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        Ok(Vec::new())
    }

    fn day_totals(&mut self, _: &PartnerCode, _: (Date, Date)) -> Result<Vec<DayTotal>, StoreError> {
        Err(no_statements())
    }

    fn window_total(&mut self, _: &Window<'_>) -> Result<WindowTotal, StoreError> {
        Err(no_statements())
    }
}

//! An invoice may become overdue while its message waits: then it belongs into the fast lane, as a late word may cut
//! somebody's power. What a posting's batch decides is not asked again by a lease, so that a lease stays one look into
//! an index; instead the slow lane is walked through now and then, in pages on a reading connection, and what is
//! overdue by now is raised on the writer in slices. Keeps I10.

use crate::domain::ids::InvoiceId;
use crate::store::reports::{Reports, SlowPage, SlowPlace};
use crate::store::{Store, StoreError};
use jiff::civil::Date;

/// Messages looked at in one question: about ten milliseconds.
pub const PAGE: u32 = 2_000;

/// Invoices raised in one transaction on the writer, which everybody waits for.
pub const SLICE: usize = 200;

/// One page of the walk.
///
/// # Errors
/// The machine's.
pub fn look(reports: &mut dyn Reports, today: Date, from: SlowPlace) -> Result<SlowPage, StoreError> {
    reports.slow_overdue(today, from, PAGE)
}

/// One slice, to be run on the writer; says how many messages it moved.
///
/// # Errors
/// The machine's.
pub fn raise(store: &mut dyn Store, invoices: &[InvoiceId], today: Date) -> Result<u64, StoreError> {
    let mut raised = 0;
    store.transact(&mut |tx| {
        raised = tx.raise_overdue(invoices, today)?;
        Ok(())
    })?;
    Ok(raised)
}

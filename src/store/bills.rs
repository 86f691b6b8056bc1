//! A customer's bills for people, whatever became of them. Not for matching, which asks for open ones alone.

use super::StoreError;
use crate::domain::ids::{CustomerCode, InvoiceId};

/// The question.
pub trait BillReports {
    /// A customer's bills, newest period first.
    ///
    /// # Errors
    /// The machine's.
    fn bills_of(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceId>, StoreError>;
}

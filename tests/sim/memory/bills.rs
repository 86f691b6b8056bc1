//! A customer's bills in memory.

use super::reports::MemoryReports;
use std::cmp::Reverse;
use thuho::domain::ids::{CustomerCode, InvoiceId};
use thuho::store::StoreError;
use thuho::store::bills::BillReports;

impl BillReports for MemoryReports {
    fn bills_of(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceId>, StoreError> {
        let db = self.db();
        let of = db.invoices.values().map(|account| &account.invoice).filter(|bill| bill.customer == *customer);
        let mut bills: Vec<_> = of.map(|bill| (Reverse(bill.period.clone()), bill.id.clone())).collect();
        bills.sort();
        Ok(bills.into_iter().take(usize::try_from(limit).unwrap()).map(|(_, id)| id).collect())
    }
}

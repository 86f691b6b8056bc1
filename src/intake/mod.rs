//! intake.
pub mod invoice_rows;

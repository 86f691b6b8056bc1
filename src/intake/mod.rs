//! One notice's walk.

pub mod alarm;
pub mod invoice_rows;
pub mod limits;
pub mod quarantine;
pub mod row_stream;

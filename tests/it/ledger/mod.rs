//! The one write path, from proved notices to books, told as stories through one door.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test's own mistake may panic")]

mod imports;
mod instances;
mod retention;
mod server;
mod stories;
pub mod tell;
mod writer;

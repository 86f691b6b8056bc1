//! Two listeners' routes. Translates between HTTP and the modules below; decides nothing. What a collector hears is
//! its profile's; what our own callers hear is JSON, and problem+json when it is a no.
//!
//! Keeps I10 (bodies, waits and pages have limits) and I11 (a 5xx has a constant text).

pub mod body;
pub mod breaks_query;
pub mod certificates;
pub mod closes;
pub mod desk;
pub mod health;
pub mod import;
pub mod internal;
pub mod minutes;
pub mod operations;
pub mod peer;
pub mod probes;
pub mod problem;
pub mod proposals;
pub mod public;
pub mod questions;
pub mod settlements;
pub(crate) mod spool;
pub mod statements;
pub mod tokens;
pub mod views;

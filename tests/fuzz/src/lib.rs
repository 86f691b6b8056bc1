//! What the fuzz targets share: the readers, memory that is counted, panics that are told apart, layouts, and the laws that
//! hold for whatever is read.
//!
//! The readers are the gateway's own sources, compiled here as this crate's modules: with counters that whole is the work
//! of minutes and this part of it, which knows nothing of the rest, of seconds.

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../../src/partner/mod.rs"]
pub mod partner;

/// Of it only what reads.
#[path = "../../../src/reconcile"]
pub mod reconcile {
    pub mod read;
}

pub mod book;
pub mod layouts;
pub mod planted;
pub mod reading;
pub mod watch;

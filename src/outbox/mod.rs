//! To the billing core: what the ledger queued is sent until the core says yes or a person ends it. Keeps I6 (one
//! key for ever), I10 (limits) and I11 (no payer's data in a log).
//!
//! ```text
//! desk::take  ->  core_client  ->  classify + backoff  ->  desk::put
//! (one tx)        (no tx)          (pure)                  (one tx, under the fence)
//! ```
//!
//! It is not the ledger: it changes no books, only how far a message got. 2xx from the core means *delivered*, never
//! *cleared*. Intake never waits for it.

pub mod ahead;
pub mod backoff;
pub mod classify;
pub mod command;
pub mod core_client;
pub mod desk;
pub mod forwarder;
pub mod internal_client;
pub mod overdue;
pub mod signing;
pub mod watch;

pub use core_client::{CoreClient, CoreOptions};
pub use forwarder::{Forwarder, ForwarderOptions, Waker};

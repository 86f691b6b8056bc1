//! The integration tests, one binary: the parts of the product together, over real files, sockets and a real Redis.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test's own mistake may panic, and the gate's settings come by the environment"
)]

mod approvals;
#[cfg(test)]
mod certificate;
mod demo;
mod deploy;
mod desk;
mod desk_users;
mod disk;
mod duplicates;
mod exports;
mod harness;
mod inquiry;
mod instances;
mod internal_api;
mod ledger;
mod limits;
#[path = "../sim/memory/mod.rs"]
#[expect(dead_code, reason = "the simulator uses the rest of it")]
mod memory;
mod minutes;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod pages;
mod panics;
mod payers;
mod process;
mod profiles;
mod races;
#[cfg(test)]
mod reconcile;
mod redis_ways;
mod roles;
#[cfg(test)]
mod settlement;
mod statements;
mod store_contract;
mod store_sqlite;
mod store_statements;
mod tidy;
mod vocabulary;
mod webhook;
mod words;

//! The integration tests, one binary: the parts of the product together, over real files, sockets and a real Redis.

mod harness;
mod ledger;
#[path = "../sim/memory/mod.rs"]
mod memory;
#[cfg(test)]
mod outbox;
mod profiles;
mod store_contract;
mod store_sqlite;
mod tidy;
mod webhook;

//! The integration tests, one binary: the parts of the product together, over real files, sockets and a real Redis.

#[cfg(test)]
mod demo;
mod duplicates;
mod harness;
mod internal_api;
mod ledger;
mod limits;
#[path = "../sim/memory/mod.rs"]
mod memory;
#[cfg(test)]
mod outbox;
mod process;
mod profiles;
mod store_contract;
mod store_sqlite;
mod tidy;
mod webhook;

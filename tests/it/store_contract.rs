//! The SQLite store keeps the contract of every store.

#[path = "../contract/mod.rs"]
mod contract;

use contract::{Harness, LANE};
use thuho::store::Store;
use thuho::store::reports::Reports;
use thuho::store::sqlite::{self, SqliteOptions, SqliteStore};

fn sqlite() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    let open = move || -> (Box<dyn Store>, Box<dyn Reports>) {
        let options = SqliteOptions { lane: LANE, ..SqliteOptions::default() };
        let store = SqliteStore::open(&path, &options).unwrap();
        (Box::new(store), Box::new(sqlite::open_reports(&path).unwrap()))
    };
    let (store, reports) = open();
    Harness { store, reports, again: Box::new(open), keep: Box::new(folder) }
}

contract::suite!(sqlite);

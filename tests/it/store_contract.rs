//! The SQLite store keeps the contract of every store (I12).

#[path = "../contract/mod.rs"]
pub mod contract;

use contract::{Harness, LANE};
use std::path::Path;
use thuho::store::Store;
use thuho::store::reports::Reports;
use thuho::store::sqlite::{self, SqliteOptions, SqliteStore};

fn sqlite() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("books.db");
    Harness { keep: Box::new(folder), ..at_path(&path) }
}

/// The database at `path`, made if there is none.
pub fn at_path(path: &Path) -> Harness {
    let path = path.to_path_buf();
    let open = move || -> (Box<dyn Store>, Box<dyn Reports>) {
        let options = SqliteOptions { lane: LANE, ..SqliteOptions::default() };
        let store = SqliteStore::open(&path, &options).unwrap();
        (Box::new(store), Box::new(sqlite::open_reports(&path).unwrap()))
    };
    let (store, reports) = open();
    Harness { store, reports, again: Box::new(open), keep: Box::new(()) }
}

contract::suite!(sqlite);

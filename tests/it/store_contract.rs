//! Both databases keep the contract of every store (I12).

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

/// The same on a real PostgreSQL.
mod postgres {
    use super::contract::{self, Harness, LANE};
    use crate::harness::postgres::Database;
    use thuho::store::postgres::{LeaseClock, PostgresOptions};

    fn postgres() -> Option<Harness> {
        let database = Database::fresh("the contract over PostgreSQL")?;
        let options = PostgresOptions { lane: LANE, lease_clock: LeaseClock::Caller, ..PostgresOptions::default() };
        let open = move || -> contract::Doors { (Box::new(database.store(&options)), Box::new(database.reports())) };
        let (store, reports) = open();
        Some(Harness { store, reports, again: Box::new(open), keep: Box::new(()) })
    }

    contract::suite!(postgres);
}

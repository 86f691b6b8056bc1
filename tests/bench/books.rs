//! The books of one measurement, in either store: where they are, and what is in them afterwards.

use crate::postgres::Postgres;
use crate::processes::Setup;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// What keeps the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

impl Store {
    pub const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// Both, or the one that `BENCH_STORE` names.
    pub fn asked() -> impl Iterator<Item = Self> {
        let only = std::env::var_os("BENCH_STORE");
        let is_asked = move |of: &Self| only.as_ref().is_none_or(|only| only.eq_ignore_ascii_case(of.word()));
        Self::BOTH.into_iter().filter(is_asked)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Books that a gateway runs on.
pub enum Books {
    File(PathBuf),
    Database(Rc<Postgres>, String),
}

/// The file and what stands beside it.
pub fn remove_file(books: &Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let file = PathBuf::from(format!("{}{ending}", books.display()));
        if file.exists() {
            std::fs::remove_file(&file).expect("the bench's own file");
        }
    }
}

/// A file that is there once more, on the disk.
pub fn copy_file(from: &Path, to: &Path) {
    remove_file(to);
    std::fs::copy(from, to).expect("the disk has room");
    // To the disk now, or the kernel writes it back while a stage waits for its own flushes.
    std::fs::File::open(to).and_then(|file| file.sync_all()).expect("the disk takes it");
}

impl Books {
    pub fn setup(&self, home: &Path) -> Setup {
        match self {
            Self::File(path) => Setup::on_file(home, path),
            Self::Database(postgres, name) => Setup::new(home, name, postgres.url(name)),
        }
    }

    pub fn postgres(&self) -> Option<&Postgres> {
        match self {
            Self::File(_) => None,
            Self::Database(postgres, _) => Some(postgres),
        }
    }

    /// What a question about the rows says, which is one number.
    pub fn number(&self, sql: &str) -> u64 {
        match self {
            Self::File(path) => {
                let db = rusqlite::Connection::open(path).expect("the books open");
                let number: i64 = db.query_row(sql, [], |row| row.get(0)).expect("the books are read");
                u64::try_from(number).expect("a count")
            }
            Self::Database(postgres, name) => postgres.number(name, sql),
        }
    }

    /// A statement that no command of the gateway has.
    pub fn change(&self, sql: &str) {
        match self {
            Self::File(path) => {
                let db = rusqlite::Connection::open(path).expect("the books open");
                db.execute_batch(sql).expect("the books take it");
            }
            Self::Database(postgres, name) => drop(postgres.sql(name, sql)),
        }
    }

    /// Every call that was answered is an event in the books, and nothing else is.
    pub fn count_rows(&self, answered: u32) {
        let answered = u64::from(answered);
        assert_eq!(self.number("SELECT count(*) FROM events"), answered, "each answer stands for one event");
        assert_eq!(self.number("SELECT count(*) FROM postings"), answered, "each event has one posting");
        let settled = self.number("SELECT count(*) FROM events WHERE state = 'settled'");
        assert_eq!(self.number("SELECT count(*) FROM dispatches"), settled, "each settlement has its message");
    }

    /// They are not needed any more.
    pub fn remove(self) {
        match self {
            Self::File(path) => remove_file(&path),
            Self::Database(postgres, name) => postgres.drop_database(&name),
        }
    }
}

//! Long work that somebody began at the desk: taking a file, comparing a day. Who began it leaves and comes back, or another
//! one looks: the state is this instance's, bounded, and gone with it. What came of the work is in the books.

use crate::domain::ids::{Author, PartnerCode};
use crate::domain::statement::{FileNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::http::statements::NotCompared;
use crate::reconcile::import::ImportError;
use jiff::civil::Date;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Works that run or wait for their turn at once.
const RUNNING_MAX: usize = 8;

/// Works that are remembered, those that are over included.
const KEPT_MAX: usize = 100;

/// This instance's.
pub static WORKS: Works = Works(Mutex::new(VecDeque::new()));

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A file is taken.
    Take,
    /// A day is compared.
    Compare,
}

/// What is done with what.
#[derive(Clone, Debug)]
pub struct What {
    /// What is done.
    pub verb: Verb,
    /// With whose word.
    pub kind: StatementKind,
    /// Of which partner.
    pub partner: PartnerCode,
    /// Of which day.
    pub day: Date,
    /// The file's name; empty for a comparison.
    pub name: String,
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// The file is taken; `new`: and was not before.
    Taken {
        /// Its number.
        file: FileNo,
        /// Did it change anything?
        new: bool,
    },
    /// The file is not taken.
    NotTaken(ImportError),
    /// The day is compared.
    Compared,
    /// The day is not compared.
    NotCompared(NotCompared),
    /// It did not come to that.
    No(Problem),
}

/// One work.
#[derive(Debug)]
pub struct Work {
    /// Its name in addresses: no other instance has one of the same.
    pub id: String,
    /// What is done.
    pub what: What,
    /// Who began it.
    pub by: Author,
    /// When.
    pub since: Timestamp,
    at: AtomicU64,
    of: AtomicU64,
    end: OnceLock<End>,
}

impl Work {
    /// It is so far, of so much; in bytes of the file, or in rows of nobody knows how many (0).
    pub fn tell(&self, at: u64, of: u64) {
        self.of.store(of, Ordering::Relaxed);
        self.at.store(at, Ordering::Relaxed);
    }

    /// How far it is, of how much.
    #[must_use]
    pub fn told(&self) -> (u64, u64) {
        (self.at.load(Ordering::Relaxed), self.of.load(Ordering::Relaxed))
    }

    /// It is over; only the first end counts.
    pub fn over(&self, end: End) {
        drop(self.end.set(end));
    }

    /// How it ended, once it did.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.get()
    }
}

/// All works of an instance, the newest first.
pub struct Works(Mutex<VecDeque<Arc<Work>>>);

impl Works {
    fn all<T>(&self, look: impl FnOnce(&mut VecDeque<Arc<Work>>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins one.
    ///
    /// # Errors
    /// 503: too many run, or no random numbers.
    pub fn begin(&self, what: What, by: Author, since: Timestamp) -> Result<Arc<Work>, Problem> {
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(|_no_chance| Problem::internal())?;
        let (at, of, end) = (AtomicU64::new(0), AtomicU64::new(0), OnceLock::new());
        let work = Arc::new(Work { id: hex::encode(id), what, by, since, at, of, end });
        self.all(|works| {
            if works.iter().filter(|work| work.end().is_none()).count() >= RUNNING_MAX {
                return Err(Problem::unavailable());
            }
            if works.len() >= KEPT_MAX
                && let Some(oldest) = works.iter().rposition(|work| work.end().is_some())
            {
                works.remove(oldest);
            }
            works.push_front(Arc::clone(&work));
            Ok(work)
        })
    }

    /// The one of this name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Arc<Work>> {
        self.all(|works| works.iter().find(|work| work.id == id).cloned())
    }

    /// Those that are not over.
    #[must_use]
    pub fn running(&self) -> Vec<Arc<Work>> {
        self.all(|works| works.iter().filter(|work| work.end().is_none()).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn what() -> What {
        let partner = PartnerCode::parse("collector").expect("a code");
        let name = String::new();
        What { verb: Verb::Compare, kind: StatementKind::Partner, partner, day: date(2026, 11, 1), name }
    }

    fn begun(works: &Works) -> Result<Arc<Work>, Problem> {
        works.begin(what(), Author::parse("lan").expect("a name"), Timestamp::from_unix_ms(0))
    }

    #[test]
    fn a_work_is_found_until_many_later_ones_are_over_and_a_running_one_always() {
        let works = Works(Mutex::new(VecDeque::new()));
        let (running, old) = (begun(&works).expect("room"), begun(&works).expect("room"));
        old.over(End::Compared);
        for _ in 0..KEPT_MAX {
            begun(&works).expect("room").over(End::Compared);
        }
        assert!(works.find(&old.id).is_none() && works.find(&running.id).is_some());
        assert_eq!(works.running().len(), 1);
        assert!(works.all(|works| works.len()) <= KEPT_MAX);
    }

    #[test]
    fn no_more_run_at_once_than_there_is_room_for() {
        let works = Works(Mutex::new(VecDeque::new()));
        let first = begun(&works).expect("room");
        for _ in 1..RUNNING_MAX {
            begun(&works).expect("room");
        }
        assert!(begun(&works).is_err());
        first.over(End::Compared);
        assert!(begun(&works).is_ok());
    }
}

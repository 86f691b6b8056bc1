//! How far each generation's postings reach in this database. Keeps I7: a marker of a posting that the database
//! does not have never counts.

use crate::domain::ids::{Generation, PostingNo};
use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Generations and their last postings, as the database had them at the start and as commits moved them since.
#[derive(Debug)]
pub struct Generations {
    own: Generation,
    own_last: AtomicI64,
    others: RwLock<HashMap<Generation, PostingNo>>,
}

impl Generations {
    /// `known` is what the database says; `own` is this start's, new and random.
    #[must_use]
    pub fn new(own: Generation, known: impl IntoIterator<Item = (Generation, PostingNo)>) -> Self {
        Self { own, own_last: AtomicI64::new(i64::MIN), others: RwLock::new(known.into_iter().collect()) }
    }

    /// This start's.
    #[must_use]
    pub fn own(&self) -> Generation {
        self.own
    }

    /// A commit reached `last`: never a posting that is still to come.
    pub fn advance(&self, generation: Generation, last: PostingNo) {
        if generation == self.own {
            self.own_last.fetch_max(last.0, Ordering::AcqRel);
        } else if let Ok(mut others) = self.others.write() {
            let known = others.entry(generation).or_insert(last);
            *known = (*known).max(last);
        }
    }

    /// The database has of the others what it says now, and nothing else: it may have come back without their last
    /// postings, and then their markers must not count. Nothing known is nothing believed.
    pub fn replace_others(&self, known: impl IntoIterator<Item = (Generation, PostingNo)>) {
        let known = known.into_iter().filter(|(generation, _)| *generation != self.own).collect();
        if let Ok(mut others) = self.others.write() {
            *others = known;
        }
    }

    /// Does the database have this generation's posting?
    #[must_use]
    pub fn covers(&self, generation: Generation, posting: PostingNo) -> bool {
        if generation == self.own {
            return posting.0 <= self.own_last.load(Ordering::Acquire);
        }
        self.others.read().is_ok_and(|others| others.get(&generation).is_some_and(|last| posting <= *last))
    }
}

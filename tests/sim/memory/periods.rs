//! A partner's days in memory: sums over all entries, as written.
#![expect(clippy::unwrap_used, reason = "a test's own mistake may panic")]

use super::reports::MemoryReports;
use super::tx::no_statements;
use std::collections::{BTreeMap, BTreeSet};
use thuho::domain::posting::Account;
use thuho::domain::statement::FileNo;
use thuho::store::StoreError;
use thuho::store::desk::StoredLine;
use thuho::store::periods::{DayBooks, Moved, Period, PeriodBooks, PeriodBreaks, Periods};
use thuho::store::statements::{FileFilter, StatementFile, StatementReports};

impl Periods for MemoryReports {
    fn period_books(&mut self, period: &Period<'_>) -> Result<PeriodBooks, StoreError> {
        let db = self.db();
        let (clearing, fee) = (Account::Clearing(period.partner.clone()), Account::Fee(period.partner.clone()));
        let mut books = PeriodBooks::default();
        let mut days: BTreeMap<_, DayBooks> = BTreeMap::new();
        let mut moved: BTreeMap<_, (BTreeSet<_>, i64)> = BTreeMap::new();
        for (at, posting) in db.postings.iter().map(|numbered| &numbered.posting).enumerate() {
            let day = posting.business_day();
            for entry in posting.entries() {
                let dong = entry.amount.dong();
                let its = db.events.get(posting.event()).is_some_and(|event| event.partner == *period.partner);
                let promotion = matches!(entry.account, Account::Promotion(_));
                if its && day <= period.to && (entry.account == clearing || entry.account == fee || promotion) {
                    let sums = days.entry(day).or_insert(DayBooks::nothing(day));
                    let sum = match &entry.account {
                        Account::Clearing(_) => &mut sums.clearing,
                        Account::Fee(_) => &mut sums.fee,
                        _ => &mut sums.promotion,
                    };
                    *sum += dong;
                }
                if its && period.from <= day && day <= period.to {
                    let names = (entry.account.to_string(), posting.kind().word());
                    let found = moved.entry((names, entry.account.clone(), posting.kind())).or_default();
                    found.0.insert(at);
                    found.1 += dong;
                }
            }
        }
        let each = |((_, account, kind), (postings, dong)): ((_, _, _), (BTreeSet<usize>, i64))| Moved {
            account,
            kind,
            postings: u64::try_from(postings.len()).unwrap(),
            dong,
        };
        books.days = days.into_values().collect();
        books.moved = moved.into_iter().map(each).collect();
        Ok(books)
    }

    fn period_breaks(&mut self, _: &Period<'_>, _: u32) -> Result<PeriodBreaks, StoreError> {
        Err(no_statements())
    }
}

impl StatementReports for MemoryReports {
    fn statement_file(&mut self, _: FileNo) -> Result<Option<StatementFile>, StoreError> {
        Err(no_statements())
    }

    fn statement_files(&mut self, _: &FileFilter) -> Result<Vec<StatementFile>, StoreError> {
        Err(no_statements())
    }

    fn file_lines(&mut self, _: FileNo, _: u32, _: u32) -> Result<Vec<StoredLine>, StoreError> {
        Err(no_statements())
    }
}

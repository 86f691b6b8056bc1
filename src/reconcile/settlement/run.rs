//! One comparison with the bank, from the books and back into them: what each batch should bring, the credits that name
//! it, and what became of it. It looks back over all days that are not full yet. Run again it finds its own rows and
//! breaks and changes nothing.

use super::calendar::Calendar;
use super::plan::{self, Change};
use super::sides::Sides;
use crate::domain::ids::Author;
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::ledger::{SliceError, Slices};
use crate::partner::Profile;
use crate::reconcile::compare::{NotComparable, bank};
use crate::store::reports::Reports;
use crate::store::settlements::Batch;
use crate::store::statements::{Closing, NewReconciliation, StatementFile};
use crate::store::{StoreError, Tx};
use jiff::civil::Date;
use std::collections::HashMap;

/// The version of the rules, kept with each comparison: raised whenever one of them changes.
pub const RULES_VERSION: i64 = 1;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Whose money.
    pub profile: &'a Profile,
    /// The days on which banks work.
    pub calendar: &'a Calendar,
    /// The day whose credits came.
    pub day: Date,
}

/// Why it was not compared, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// Nothing to compare with.
    #[error("no bank's statement of {0} was taken for that partner")]
    NoStatement(Date),
    /// The profile does not say how its money comes.
    #[error("its profile has no [[settlement]]")]
    NoTerms,
    /// It does not say how the bank writes.
    #[error("its profile has no [statement_bank]")]
    NoLayout,
    /// Money beyond what can be counted.
    #[error(transparent)]
    NotComparable(#[from] NotComparable),
    /// The writer has no room, or the storage failed.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The bank's statement of the day.
    pub file: StatementFile,
    /// The last day of the bank that was known: a later statement counts too.
    pub as_of: Date,
    /// Every batch that was looked at, by day.
    pub batches: Vec<Batch>,
    /// Batches that say something new.
    pub changed: usize,
    /// Breaks that were opened.
    pub opened: usize,
    /// Breaks that are closed by it.
    pub closed: u64,
}

/// Compares and keeps what came of it.
///
/// # Errors
/// [`SettleError`].
pub fn run(
    reports: &mut dyn Reports,
    slices: &mut Slices<'_>,
    asked: &Asked<'_>,
    (author, at): (&Author, Timestamp),
) -> Result<Settled, SettleError> {
    let profile = asked.profile;
    let bank = profile.statement(StatementKind::Bank).ok_or(SettleError::NoLayout)?;
    if profile.terms().settlements.is_empty() {
        return Err(SettleError::NoTerms);
    }
    let file = reports.statement(StatementKind::Bank, profile.code(), asked.day)?;
    let file = file.ok_or(SettleError::NoStatement(asked.day))?;
    let sides = Sides::read(reports, asked, bank)?;
    let settled = bank::settle(sides.as_of, &sides.expected(), &sides.credits)?;
    let batches = sides.batches(&settled, (author, at));
    let lines: HashMap<i64, LineNo> =
        settled.iter().filter_map(|one| Some((one.batch.cast_signed(), *one.credits.first()?))).collect();
    let changes: Vec<Change> = batches
        .iter()
        .filter_map(|one| {
            let line = lines.get(&one.batch).copied();
            plan::change(sides.kept.get(&one.batch), one.clone(), line, (&sides.open, at))
        })
        .collect();
    let kept = NewReconciliation {
        kind: StatementKind::Bank,
        partner: profile.code().clone(),
        day: asked.day,
        file: Some(file.no),
        rules: RULES_VERSION,
        sums: super::report::sums(&batches, sides.as_of).to_string(),
        author: author.clone(),
        at,
    };
    slices.one(move |tx| tx.add_reconciliation(&kept))?;
    let (changed, opened) = (changes.len(), changes.iter().map(|change| change.open.len()).sum());
    let closed = slices.all(changes, move |tx, rows| keep(tx, rows, at), &mut |_| {})?;
    Ok(Settled { file, as_of: sides.as_of, batches, changed, opened, closed })
}

/// Each batch with its breaks; says how many breaks it closed.
fn keep(tx: &mut dyn Tx, rows: &[Change], at: Timestamp) -> Result<u64, StoreError> {
    let author = Author::parse(crate::reconcile::run::RECONCILER).map_err(|bad| StoreError::Fault(bad.to_string()))?;
    let mut closed = 0_u64;
    for change in rows {
        if tx.put_batches(std::slice::from_ref(&change.batch))? == 0 {
            // Another instance knew more.
            continue;
        }
        for (no, reason) in &change.close {
            closed = closed.saturating_add(tx.close_breaks(&[*no], &Closing { author: &author, reason, at })?);
        }
        tx.open_breaks(&change.open)?;
    }
    Ok(closed)
}

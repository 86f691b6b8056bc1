//! What both databases do once their rows are read or before they are written: no SQL, no connection.

use super::StoreError;
use super::desk::{Decided, NewDecision, NoteKind, ProposalState, ProposalView, Verb};
use super::reports::BookedCount;
use super::rows::{EventRecord, EventState};
use super::statements::StatementSums;
use crate::domain::ids::{Author, EventId, PostingNo};
use crate::domain::money::{Money, NotMoney};
use crate::domain::posting::{Allocation, Entry};
use crate::domain::receipt::Verdict;
use crate::domain::resolution::Resolution;
use crate::domain::time::Timestamp;
use std::collections::BTreeMap;

/// The columns that hold what a state's word does not.
pub(super) fn state_columns(state: &EventState) -> (Option<&'static str>, Option<&[u8; 16]>) {
    match state {
        EventState::Parked(reason) => (Some(reason.word()), None),
        EventState::Expected { reversal } => (None, Some(reversal.as_bytes())),
        EventState::Settled
        | EventState::Reversed
        | EventState::Applied
        | EventState::Waiting
        | EventState::Refused => (None, None),
    }
}

/// Adds an entry to the balances of its payment.
pub(super) fn add_entry(balances: &mut Vec<Entry>, entry: Entry) -> Result<(), StoreError> {
    match balances.iter_mut().find(|e| e.account == entry.account) {
        Some(at) => at.amount = at.amount.plus(entry.amount).map_err(|e| StoreError::Fault(e.to_string()))?,
        None => balances.push(entry),
    }
    Ok(())
}

/// The settlements that no later allocation of the same payment and invoice took back.
#[must_use]
pub fn standing(allocations: Vec<Allocation>) -> Vec<Allocation> {
    let mut standing: Vec<Allocation> = Vec::new();
    for allocation in allocations {
        stand(&mut standing, allocation);
    }
    standing
}

/// Takes the next allocation in; says which settlement it took back.
fn stand(standing: &mut Vec<Allocation>, next: Allocation) -> Option<Allocation> {
    if next.amount.is_positive() {
        standing.push(next);
        return None;
    }
    let taken_back = next.amount.negated();
    let settled = standing.iter().rposition(|s| s.invoice == next.invoice && s.amount == taken_back);
    settled.map(|index| standing.remove(index))
}

/// The same of all allocations of a payment as they are kept, with the part of its discount that each was told with. It is
/// in no column, and messages are forgotten: it follows from what came before. What no standing settlement has goes onto
/// the next one, as much as it holds. `ledger::compose` tells by the same rule, which must not change under what was told.
/// Programs before this rule spread the whole discount anew at each move by hand, so that of such a payment the parts may
/// have been told otherwise.
pub(super) fn standing_as_told(allocations: Vec<Allocation>, discount: Money) -> Result<Vec<Allocation>, StoreError> {
    let fault = |e: NotMoney| StoreError::Fault(e.to_string());
    let (mut standing, mut rest) = (Vec::new(), discount);
    for mut next in allocations {
        if next.amount.is_positive() {
            next.discount = rest.min(next.amount);
            rest = rest.minus(next.discount).map_err(fault)?;
        }
        if let Some(undone) = stand(&mut standing, next) {
            rest = rest.plus(undone.discount).map_err(fault)?;
        }
    }
    Ok(standing)
}

/// The last ones paid first, at most `limit`, each once.
pub(super) fn newest(mut found: Vec<(i64, EventRecord)>, limit: u32) -> Vec<EventRecord> {
    found.sort_by_key(|(no, record)| std::cmp::Reverse((record.paid_at, *no)));
    found.dedup_by_key(|(no, _)| *no);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    found.into_iter().map(|(_, record)| record).collect()
}

/// Every event id that is written so: fields may hold the separator, and nothing says how many there are.
pub(super) fn event_ids(text: &str) -> Vec<EventId> {
    /// An id with more separators is asked for by its invoice instead: each one doubles the ways to read it.
    const SEPARATORS_MAX: usize = 6;
    let mut ways: Vec<Vec<String>> = vec![Vec::new()];
    let pieces: Vec<&str> = text.split('|').collect();
    if pieces.len() > SEPARATORS_MAX.saturating_add(1) {
        return Vec::new();
    }
    for piece in pieces {
        let mut more = Vec::with_capacity(ways.len().saturating_mul(2));
        for way in ways {
            let mut joined = way.clone();
            if let Some(last) = joined.last_mut() {
                *last = format!("{last}|{piece}");
                more.push(joined);
            }
            more.push(way.into_iter().chain([piece.to_owned()]).collect());
        }
        ways = more;
    }
    ways.into_iter().filter_map(|fields| EventId::parse(fields).ok()).collect()
}

/// Counts of what was booked, over several ranges.
#[derive(Debug, Default)]
pub(super) struct BookedSums(BTreeMap<Verdict, (u64, i64)>);

impl BookedSums {
    /// Adds a range's counts.
    pub(super) fn add(&mut self, found: Vec<(Verdict, i64, i64)>) -> Result<(), StoreError> {
        for (verdict, count, dong) in found {
            let sum = self.0.entry(verdict).or_default();
            let more =
                u64::try_from(count).ok().and_then(|count| sum.0.checked_add(count)).zip(sum.1.checked_add(dong));
            *sum = more.ok_or_else(|| StoreError::Fault("reports.booked: out of range".to_owned()))?;
        }
        Ok(())
    }

    pub(super) fn counts(self) -> Vec<BookedCount> {
        self.0.into_iter().map(|(verdict, (count, dong))| BookedCount { verdict, count, dong }).collect()
    }
}

/// The lines of a file must be those that were checked: others were read by another layout before a crash.
pub(super) fn check_lines((count, dong): &(i64, i64), sums: &StatementSums) -> Result<(), StoreError> {
    let stated = sums.payments.dong.checked_sub(sums.reversals.dong);
    if i64::from(sums.lines) == *count && stated == Some(*dong) {
        return Ok(());
    }
    Err(StoreError::Fault(format!(
        "statements.take: {count} lines of {dong} dong are kept of the file, which has {} lines: they were read by another \
         layout",
        sums.lines
    )))
}

/// Why a file is not taken.
pub(super) fn later() -> StoreError {
    StoreError::Fault("statements.take: this file or a later one of the day was taken meanwhile".to_owned())
}

/// Why matches are not kept.
pub(super) fn superseded() -> StoreError {
    StoreError::Fault("matches.add: a corrected file took the statement's place meanwhile; compare again".to_owned())
}

/// The resolution as it is kept.
pub(super) fn what_text(what: &Resolution) -> String {
    // Plain data: it always has a JSON.
    serde_json::to_string(what).unwrap_or_default()
}

/// From when on what rules have approved counts against what they may: a day before a decision, in ms since 1970.
pub(super) fn a_day_before(at: Timestamp) -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    at.unix_ms().saturating_sub(DAY_MS)
}

/// What a decision comes to, and the state after it. `may` is the authority, `one` whether maker and decider may be two
/// names of one person. The database's own rules hold beside it.
pub(super) fn judged(
    found: &ProposalView,
    decision: &NewDecision<'_>,
    (may, one): (Option<i64>, bool),
) -> (Decided, ProposalState) {
    let own = found.maker == *decision.by;
    let state = match decision.verb {
        Verb::Approve => ProposalState::Approved,
        Verb::Reject => ProposalState::Rejected,
        Verb::Withdraw => ProposalState::Withdrawn,
    };
    let answer = if found.state != ProposalState::Proposed {
        Decided::Late
    } else if found.hash != decision.hash {
        Decided::OtherList
    } else if own != (decision.verb == Verb::Withdraw) || (one && decision.verb == Verb::Approve) {
        Decided::NotYours
    } else if decision.verb == Verb::Approve && may.is_none_or(|may| may < found.dong) {
        Decided::BeyondAuthority
    } else {
        Decided::Done
    };
    (answer, state)
}

/// What a break's history says of an item that ended.
pub(super) fn said_of_items(of: &ProposalView, end: &Result<Option<PostingNo>, String>) -> (NoteKind, String) {
    let by = of.decided_by.as_ref().map_or("", Author::as_str);
    match end {
        Ok(_) => {
            let said = format!("{} by proposal {} of {}, approved by {by}", of.action.word(), of.no.0, of.maker);
            (NoteKind::Done, said)
        }
        Err(why) => (NoteKind::Refused, format!("proposal {}: {why}", of.no.0)),
    }
}

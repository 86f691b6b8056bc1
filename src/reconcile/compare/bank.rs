//! The bank leg: what the bank credited against what each of the partner's batches should bring. Pure.
//!
//! A batch is whatever the partner pays out as one sum: its day, or its own batch number. Credits are matched by the
//! batch that they name and by nothing else; a credit that names none of them is for a person.

use super::facts::NotComparable;
use crate::domain::review::BreakClass;
use crate::domain::statement::LineNo;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What a batch should bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Hash of the batch's key. No two have the same.
    pub batch: u64,
    /// The statement's sum, less fees where they are kept back, in dong.
    pub dong: i64,
    /// The last day on which it is in time, by the bank's calendar.
    pub due: Date,
}

/// What the bank credited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Its line.
    pub line: LineNo,
    /// Hash of the key of the batch that it names.
    pub batch: u64,
    /// How much, in dong; what was taken back is negative.
    pub dong: i64,
    /// On which day.
    pub on: Date,
}

/// Where a batch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub batch: u64,
    /// What is wrong: short, late, missing, more than expected, or credits of no batch. `None`: paid in full and in
    /// time, or not due yet.
    pub class: Option<BreakClass>,
    /// What should come.
    pub expected: i64,
    /// What came.
    pub credited: i64,
    /// When it became full, if it is.
    pub full_on: Option<Date>,
    /// The credits, by day.
    pub credits: Vec<LineNo>,
}

impl Settlement {
    /// The bank's less what should come, in dong.
    #[must_use]
    pub fn signed(&self) -> i64 {
        self.credited.saturating_sub(self.expected)
    }
}

/// Compares batches with credits, as they stand at the end of `as_of`; sorted by batch.
///
/// # Errors
/// [`NotComparable::Day`]: a sum is beyond what can be counted.
pub fn settle(as_of: Date, expected: &[Expected], credits: &[Credit]) -> Result<Vec<Settlement>, NotComparable> {
    let mut batches: BTreeMap<u64, (Option<&Expected>, Vec<&Credit>)> = BTreeMap::new();
    for batch in expected {
        batches.entry(batch.batch).or_default().0 = Some(batch);
    }
    for credit in credits.iter().filter(|credit| credit.on <= as_of) {
        batches.entry(credit.batch).or_default().1.push(credit);
    }
    batches.into_iter().map(|(batch, (expected, credits))| one(as_of, batch, expected, credits)).collect()
}

fn one(
    as_of: Date,
    batch: u64,
    expected: Option<&Expected>,
    mut credits: Vec<&Credit>,
) -> Result<Settlement, NotComparable> {
    credits.sort_by_key(|credit| (credit.on, credit.line));
    let should = expected.map_or(0, |batch| batch.dong);
    let mut credited = 0_i64;
    let mut full_on = None;
    for credit in &credits {
        credited = credited.checked_add(credit.dong).ok_or(NotComparable::Day)?;
        let full = credited >= should;
        full_on = if full { full_on.or(Some(credit.on)) } else { None };
    }
    let class = match expected {
        None => Some(BreakClass::UnknownRef),
        Some(_) if credited > should => Some(BreakClass::AmountMismatch),
        Some(batch) if credited == should => full_on.filter(|on| *on > batch.due).map(|_| BreakClass::SettlementLate),
        Some(batch) if batch.due >= as_of => None,
        Some(_) if credits.is_empty() => Some(BreakClass::SettlementMissing),
        Some(_) => Some(BreakClass::SettlementShort),
    };
    let credits = credits.iter().map(|credit| credit.line).collect();
    Ok(Settlement { batch, class, expected: should, credited, full_on, credits })
}

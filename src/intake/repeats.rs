//! Repeats that the hint answered: counted here, and written beside the chain now and then, since they reach no batch.

use crate::domain::ids::PartnerCode;
use crate::ledger::Queue;
use crate::store::RepeatCount;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Counts by partner and day; bounded by the profiles and the minutes between two flushes.
#[derive(Debug, Default)]
pub struct Repeats(Mutex<HashMap<(PartnerCode, Date), i64>>);

impl Repeats {
    /// One more.
    pub fn note(&self, partner: &PartnerCode, day: Date) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((partner.clone(), day)).or_default();
        *count = count.saturating_add(1);
    }

    /// Writes what was counted; keeps it when that fails.
    pub async fn flush(&self, queue: &dyn Queue) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        let rows: Vec<RepeatCount> =
            counts.into_iter().map(|((partner, day), count)| RepeatCount { partner, day, count }).collect();
        let told = rows.clone();
        let written = match queue.run(move |store| store.transact(&mut |tx| tx.count_repeats(&told))) {
            Ok(answer) => answer.await.is_ok_and(|written| written.is_ok()),
            Err(_busy) => false,
        };
        if !written {
            let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                let count = counts.entry((row.partner, row.day)).or_default();
                *count = count.saturating_add(row.count);
            }
        }
    }
}

//! What the books have of each partner's days, each day kept for a while: to count many anew takes longer than a page may
//! beside millions of payments, and the page of today is loaded all day long. What is counted quickly is counted each time.

use crate::domain::ids::PartnerCode;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::closes::DayTotal;
use crate::store::reports::Reports;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A day that took no longer is counted each time.
const QUICK: Duration = Duration::from_millis(5);

/// What took longer is shown for so long, in milliseconds; the page says as of when.
const KEPT_MS: i64 = 60_000;

/// Totals of partners' days.
pub type Totals = Vec<(PartnerCode, DayTotal)>;

#[derive(Debug)]
struct Kept {
    totals: Totals,
    at: Timestamp,
}

/// The days that are kept.
#[derive(Debug, Default)]
pub struct Notified(Mutex<BTreeMap<Date, Kept>>);

impl Notified {
    /// The totals of these days, from here to there, and as of when the oldest of them is.
    ///
    /// # Errors
    /// The machine's.
    pub fn of(
        &self,
        reports: &mut dyn Reports,
        (from, to): (Date, Date),
        now: Timestamp,
    ) -> Result<(Totals, Timestamp), StoreError> {
        let (mut all, mut as_of) = (Totals::new(), now);
        for day in from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to) {
            if let Some(at) = self.fresh(day, now, &mut all) {
                as_of = as_of.min(at);
                continue;
            }
            let began = Instant::now();
            let totals = reports.notified((day, day))?;
            all.extend(totals.iter().cloned());
            if began.elapsed() > QUICK {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(day, Kept { totals, at: now });
            }
        }
        Ok((all, as_of))
    }

    /// Adds a day that is kept; when it was counted.
    fn fresh(&self, day: Date, now: Timestamp, all: &mut Totals) -> Option<Timestamp> {
        let mut days = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.retain(|_, kept| (0..=KEPT_MS).contains(&now.ms_since(kept.at)));
        let kept = days.get(&day)?;
        all.extend(kept.totals.iter().cloned());
        Some(kept.at)
    }
}

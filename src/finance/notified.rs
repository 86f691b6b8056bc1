//! What the books have of each partner's days, kept for a while: to count it anew takes seconds beside millions of payments,
//! and the page of today is loaded all day long. Where it is counted quickly it is counted each time.

use crate::domain::ids::PartnerCode;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::closes::DayTotal;
use crate::store::reports::Reports;
use jiff::civil::Date;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What takes no longer is counted each time.
const QUICK: Duration = Duration::from_millis(50);

/// What took longer is shown for so long, in milliseconds; the page says as of when.
const KEPT_MS: i64 = 60_000;

/// Totals of partners' days.
pub type Totals = Vec<(PartnerCode, DayTotal)>;

#[derive(Clone, Debug)]
struct Kept {
    days: (Date, Date),
    totals: Totals,
    at: Timestamp,
    took: Duration,
}

/// The last answer.
#[derive(Debug, Default)]
pub struct Notified(Mutex<Option<Kept>>);

impl Notified {
    /// The totals of these days, and as of when.
    ///
    /// # Errors
    /// The machine's.
    pub fn of(
        &self,
        reports: &mut dyn Reports,
        days: (Date, Date),
        now: Timestamp,
    ) -> Result<(Totals, Timestamp), StoreError> {
        if let Some(kept) = self.fresh(days, now) {
            return Ok((kept.totals, kept.at));
        }
        let began = Instant::now();
        let totals = reports.notified(days)?;
        let kept = Kept { days, totals: totals.clone(), at: now, took: began.elapsed() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok((totals, now))
    }

    fn fresh(&self, days: (Date, Date), now: Timestamp) -> Option<Kept> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let young = (0..=KEPT_MS).contains(&now.ms_since(kept.at));
        (kept.days == days && kept.took > QUICK && young).then_some(kept)
    }
}

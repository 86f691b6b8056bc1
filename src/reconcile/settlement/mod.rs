//! Settlement: what a partner's days should bring at the bank, by its fees, its promotion shares and the days on which
//! banks work, beside what the bank credited. [`fees`], [`calendar`] and [`expected`] are pure; [`run`] reads, compares by
//! [`super::compare::bank`] and keeps.

pub mod calendar;
pub mod expected;
pub mod fees;
mod plan;
pub mod report;
pub mod run;
mod sides;

use calendar::{Calendar, CalendarError};
use std::path::Path;

/// The largest file of a calendar, in bytes.
const CALENDAR_MAX_BYTES: u64 = 1 << 20;

/// Reads a calendar; without a file only weekends are known.
///
/// # Errors
/// A file that cannot be read, or what is wrong in it.
pub fn load_calendar(path: Option<&Path>) -> Result<Calendar, CalendarError> {
    let Some(path) = path else { return Ok(Calendar::default()) };
    let file = path.display().to_string();
    let cannot = |message: String| CalendarError { file: file.clone(), line: 0, message };
    let size = std::fs::metadata(path).map_err(|e| cannot(format!("cannot read the file: {}", e.kind())))?.len();
    if size > CALENDAR_MAX_BYTES {
        return Err(cannot("expected at most 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path).map_err(|e| cannot(format!("cannot read the file: {}", e.kind())))?;
    Calendar::parse(&file, &text)
}

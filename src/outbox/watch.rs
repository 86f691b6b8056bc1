//! How far behind the core is told, for people: gauges, and a sentence in the log when a message is too old. Reads
//! on a connection of its own, never through the writer.

use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView};
use crate::store::reports::Reports;

/// Breaks that are counted for an alarm.
const BREAKS_MAX: u32 = 1_000;

/// When undelivered messages are too old, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeLimits {
    /// Of any message.
    pub any_ms: i64,
    /// Of an overdue invoice's: somebody's power may be cut for it.
    pub urgent_ms: i64,
}

impl Default for AgeLimits {
    fn default() -> Self {
        Self { any_ms: 15 * 60 * 1000, urgent_ms: 3 * 60 * 1000 }
    }
}

/// What there is to be alarmed about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Paid and not cleared: the oldest undelivered message is over its limit.
    TooOld {
        /// Of an overdue invoice?
        urgent: bool,
        /// How old, in milliseconds.
        age_ms: i64,
    },
    /// Told, and not in the core's own list: so many breaks of its comparison are open, the oldest so old.
    NotCleared {
        /// How many; a thousand at most.
        count: i64,
        /// How old, in milliseconds.
        age_ms: i64,
    },
    /// Messages wait for a person.
    Parked(i64),
    /// Nothing is sent at all.
    RoutePaused(String),
}

/// Sets the gauges, and says what is wrong to the log and to the caller. To be called about once a minute.
///
/// # Errors
/// The machine's.
pub fn look(reports: &mut dyn Reports, now: Timestamp, limits: &AgeLimits) -> Result<Vec<Alarm>, StoreError> {
    let depth = reports.outbox_depth()?;
    let paused = reports.route()?.paused;
    let age_ms = depth.oldest.map_or(0, |oldest| now.ms_since(oldest).max(0));
    let urgent_age_ms = depth.oldest_urgent.map_or(0, |oldest| now.ms_since(oldest).max(0));
    gauge("thuho_outbox_waiting", depth.waiting);
    gauge("thuho_outbox_parked", depth.parked);
    gauge("thuho_outbox_oldest_age_seconds", age_ms / 1000);
    gauge("thuho_outbox_oldest_urgent_age_seconds", urgent_age_ms / 1000);
    gauge("thuho_outbox_route_paused", i64::from(paused.is_some()));
    let mut alarms = Vec::new();
    if urgent_age_ms > limits.urgent_ms {
        alarms.push(Alarm::TooOld { urgent: true, age_ms: urgent_age_ms });
    }
    if age_ms > limits.any_ms {
        alarms.push(Alarm::TooOld { urgent: false, age_ms });
    }
    let not_cleared = not_cleared(reports)?;
    let count = i64::try_from(not_cleared.len()).unwrap_or(i64::MAX);
    let age_ms = not_cleared.iter().min().map_or(0, |oldest| now.ms_since(*oldest).max(0));
    gauge("thuho_core_not_cleared", count);
    gauge("thuho_core_not_cleared_oldest_age_seconds", age_ms / 1000);
    if count > 0 {
        alarms.push(Alarm::NotCleared { count, age_ms });
    }
    if depth.parked > 0 {
        alarms.push(Alarm::Parked(depth.parked));
    }
    alarms.extend(paused.map(|pause| Alarm::RoutePaused(pause.reason)));
    log(&alarms);
    Ok(alarms)
}

/// Since when each payment is told and missing in the core's own list. Only reading back says so: what was sent is never taken
/// for cleared.
fn not_cleared(reports: &mut dyn Reports) -> Result<Vec<Timestamp>, StoreError> {
    let filter = BreakFilter { class: Some(BreakClass::PaidNotCleared), ..BreakFilter::open(BREAKS_MAX) };
    let found = reports.breaks(&filter)?;
    let by_the_core = |one: &BreakView| one.leg.is_some_and(|leg| leg.kind == StatementKind::Core);
    let not_cleared = found.iter().filter(|one| one.class == BreakClass::PaidNotCleared && by_the_core(one));
    Ok(not_cleared.map(|one| one.opened_at).collect())
}

fn log(alarms: &[Alarm]) {
    for alarm in alarms {
        match alarm {
            Alarm::TooOld { urgent, age_ms } => {
                tracing::warn!(urgent, age_ms, "Alarm: a payment is paid but not cleared for too long");
            }
            Alarm::NotCleared { count, age_ms } => {
                tracing::warn!(count, age_ms, "Alarm: payments are told to the billing core and not in its own list");
            }
            Alarm::Parked(count) => tracing::warn!(count, "Alarm: messages to the billing core wait for a person"),
            Alarm::RoutePaused(reason) => tracing::warn!(reason, "Alarm: the way to the billing core is paused"),
        }
    }
}

fn gauge(name: &'static str, value: i64) {
    // Counts and seconds stay far below 2^32; a gauge takes a float, and nothing else here is one.
    metrics::gauge!(name).set(f64::from(u32::try_from(value).unwrap_or(u32::MAX)));
}

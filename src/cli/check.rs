//! `thuho check`: would it start, and would it work? Every finding on a line of its own.

use super::{Exit, Failure, Outcome, load, out};
use crate::config::{Config, EnvSecrets};
use crate::domain::ids::Generation;
use crate::domain::time::{BUSINESS_ZONE, Clock as _, SystemClock};
use crate::partner::Partners;
use crate::reconcile::settlement::load_calendar;
use crate::seen::{Generations, Seen};
use crate::store::{self, Place};
use jiff::ToSpan;
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;

/// Checks everything and says what is wrong.
///
/// # Errors
/// A configuration that does not load.
pub fn run(path: &Path) -> Outcome {
    let config = load(path)?;
    out::line(format!("config    ok  {}", path.display()));
    let found = [partners(&config), database(&config), redis(&config), core(&config), calendar(&config)];
    let mut wrong = false;
    let mut misconfigured = None;
    for (what, finding) in ["profiles", "database", "seen", "core", "calendar"].into_iter().zip(found) {
        match finding {
            Ok(text) => out::line(format!("{what:<9} ok  {text}")),
            Err(Failure::Wrong(text)) => misconfigured = Some(misconfigured.unwrap_or(text)),
            Err(Failure::Failed(text)) => {
                wrong = true;
                out::note(format!("{what}: {text}"));
            }
        }
    }
    match misconfigured {
        Some(text) => Err(Failure::Wrong(text)),
        None if wrong => Ok(Exit::No),
        None => Ok(Exit::Done),
    }
}

type Finding = Result<String, Failure>;

fn partners(config: &Config) -> Finding {
    let partners = Partners::load(&config.partners_dir, &EnvSecrets).map_err(|e| Failure::Wrong(e.to_string()))?;
    let codes: Vec<_> = partners.iter().map(|profile| profile.code().to_string()).collect();
    Ok(format!("{}, every example proved", codes.join(", ")))
}

fn database(config: &Config) -> Finding {
    let place = &config.store;
    if let Place::Sqlite(path) = place
        && !path.exists()
    {
        return Ok(format!("{place} is not there yet; serve makes it"));
    }
    store::open_reports(place)
        .and_then(|mut reports| reports.invoice_count())
        .map(|count| format!("{place}, {count} invoices"))
        .map_err(|e| Failure::Failed(format!("{place}: {e}")))
}

fn redis(config: &Config) -> Finding {
    let generations = Arc::new(Generations::new(Generation(0), []));
    let seen = Seen::new(config.seen()?, generations).map_err(Failure::Wrong)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Failed(format!("cannot start: {}", e.kind())))?;
    match runtime.block_on(seen.ping()) {
        Ok(()) => Ok(config.file.seen.url.clone()),
        Err(problem) => {
            Err(Failure::Failed(format!("{}: {problem}; the gateway works without it", config.file.seen.url)))
        }
    }
}

fn core(config: &Config) -> Finding {
    let Some(core) = &config.core else { return Ok("none: messages wait".to_owned()) };
    let options = crate::outbox::CoreOptions {
        url: core.url.clone(),
        secret: core.secret.clone(),
        timeout_ms: 1_000,
        trust_pem: core.trust_pem.clone(),
    };
    crate::outbox::CoreClient::new(&options).map_err(|e| Failure::Wrong(e.to_string()))?;
    Ok(core.url.clone())
}

/// Days ahead that a due day may lie: the longest cycle, and its weekends.
const AHEAD_DAYS: i32 = 140;

/// The days on which banks work. A year without a list is warned of: the gateway works without it, and then counts
/// weekends alone.
fn calendar(config: &Config) -> Finding {
    let calendar = load_calendar(config.calendar.as_deref()).map_err(|e| Failure::Wrong(e.to_string()))?;
    let place = config.calendar.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    let zone = TimeZone::get(BUSINESS_ZONE).unwrap_or(TimeZone::UTC);
    let today = SystemClock.now().day_in(&zone).unwrap_or_default();
    let mut wanted = vec![today.year(), today.saturating_add(AHEAD_DAYS.days()).year()];
    wanted.dedup();
    let missing: Vec<String> =
        wanted.into_iter().filter(|year| !calendar.covers(*year)).map(|year| year.to_string()).collect();
    let known: Vec<String> = calendar.years().map(|year| year.to_string()).collect();
    let known = if known.is_empty() { String::new() } else { format!(", holidays of {}", known.join(", ")) };
    if missing.is_empty() {
        return Ok(format!("{place}{known}"));
    }
    let years = missing.join(" and ");
    Ok(format!("{place}{known}; warning: no holidays of {years} are known, so that money is due too early around them"))
}

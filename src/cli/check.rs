//! `thuho check`: would it start, and would it work? Every finding on a line of its own.

use super::{Exit, Failure, Outcome, load, out};
use crate::config::{Config, EnvSecrets};
use crate::domain::ids::Generation;
use crate::partner::Partners;
use crate::seen::{Generations, Seen};
use crate::store::{self, Place};
use std::path::Path;
use std::sync::Arc;

/// Checks everything and says what is wrong.
///
/// # Errors
/// A configuration that does not load.
pub fn run(path: &Path) -> Outcome {
    let config = load(path)?;
    out::line(format!("config    ok  {}", path.display()));
    let found = [partners(&config), database(&config), redis(&config), core(&config)];
    let mut wrong = false;
    let mut misconfigured = None;
    for (what, finding) in ["profiles", "database", "seen", "core"].into_iter().zip(found) {
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

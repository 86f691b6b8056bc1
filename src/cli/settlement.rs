//! `thuho settlement`, and the bank's leg of `thuho reconcile`.

use super::api::RemoteArgs;
use super::statement::{encoded, profile};
use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::app;
use crate::config::Config;
use crate::domain::ids::Author;
use crate::domain::time::{Clock as _, SystemClock};
use crate::ledger::Slices;
use crate::partner::Profile;
use crate::reconcile::settlement::run::{self, Asked, SettleError};
use crate::reconcile::settlement::{load_calendar, report};
use crate::store;
use crate::store::settlements::{Batches, LISTED_MAX};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

/// Days of a list that names none.
const USUAL_DAYS: i32 = 31;

/// Arguments of `settlement`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// From this business day; a month before the last one if nothing is said.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<Date>,
    /// To this one; today if nothing is said.
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<Date>,
    /// How to print it.
    #[arg(long, default_value = "table", value_parser = ["table", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Runs it.
///
/// # Errors
/// Wrong arguments, a database that cannot be read.
pub fn run(args: &Args) -> Outcome {
    let listed = match args.remote.remote()? {
        Some(remote) => {
            let days = [("from", args.from), ("to", args.to)];
            let query: Vec<String> =
                days.iter().filter_map(|(key, day)| day.map(|day| format!("{key}={day}"))).collect();
            let path = format!("/api/v1/settlements/{}?{}", encoded(&args.partner), query.join("&"));
            remote.command("GET", &path, &Value::Null)?
        }
        None => here(args)?,
    };
    match args.format.as_str() {
        "json" => out::line(format!("{listed:#}")),
        _ => out::raw(report::to_table(&listed)),
    }
    Ok(Exit::Done)
}

fn here(args: &Args) -> Result<Value, Failure> {
    let config = load(&args.config.config)?;
    let profile = profile(&config, &args.partner)?;
    let today = || SystemClock.now().day_in(profile.timezone());
    let to = args.to.or_else(today).ok_or_else(|| Failure::Wrong("--to: outside the calendar".to_owned()))?;
    let from = args.from.unwrap_or_else(|| to.saturating_sub(USUAL_DAYS.days()));
    if from > to {
        return Err(Failure::Wrong("--from: expected a day that is not after --to".to_owned()));
    }
    let failed = |e: store::StoreError| Failure::Failed(e.to_string());
    let mut reports = store::open_reports(&config.store).map_err(failed)?;
    let ask = Batches { partner: profile.code(), from, to, open_only: false, limit: LISTED_MAX + 1 };
    let found = reports.batches(&ask).map_err(failed)?;
    if found.len() > usize::try_from(LISTED_MAX).unwrap_or(usize::MAX) {
        return Err(Failure::Wrong(format!("--from, --to: more than {LISTED_MAX} batches; ask for fewer days")));
    }
    Ok(report::list_json(&args.partner, (from, to), &found))
}

/// Compares a partner's batches with what the bank credited up to a day.
pub(super) fn compare(config: &Config, (profile, day): (&Profile, Date), author: &Author) -> Result<Value, Failure> {
    let calendar = load_calendar(config.calendar.as_deref()).map_err(|e| Failure::Wrong(e.to_string()))?;
    let mut store = app::open_store(config)?;
    let mut reports = store::open_reports(&config.store).map_err(|e| Failure::Failed(e.to_string()))?;
    let asked = Asked { profile, calendar: &calendar, day };
    let mut slices = Slices::alone(store.as_mut());
    let done = run::run(reports.as_mut(), &mut slices, &asked, (author, SystemClock.now()));
    done.map(|done| report::to_json(&done)).map_err(|error| match error {
        SettleError::NoStatement(_) | SettleError::NoTerms | SettleError::NoLayout | SettleError::NotComparable(_) => {
            Failure::Wrong(error.to_string())
        }
        SettleError::Slice(_) | SettleError::Store(_) => Failure::Failed(error.to_string()),
    })
}

//! `thuho minutes`: the minutes of a partner's period as a page to be printed. Reads beside a gateway, changes nothing.

use super::out::{self, written};
use super::statement::profile;
use super::{ConfigArg, Exit, Failure, Outcome, load};
use crate::domain::time::{Clock as _, SystemClock};
use crate::reconcile::minutes::{self, MinutesError, Wanted};
use crate::store;
use jiff::civil::Date;
use std::path::PathBuf;

/// Arguments of `minutes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// The first business day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Date,
    /// The last business day, included.
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Date,
    /// Where to; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Who makes them, for the paper.
    #[arg(long, value_name = "NAME", default_value = "cli")]
    author: String,
    #[command(flatten)]
    config: ConfigArg,
}

/// Runs it.
///
/// # Errors
/// Wrong arguments, the machine's.
pub fn run(args: &Args) -> Outcome {
    let config = load(&args.config.config)?;
    let profile = profile(&config, &args.partner)?;
    let failed = |error: store::StoreError| Failure::Failed(format!("{}: {error}", config.store));
    let mut reports = store::open_reports(&config.store).map_err(failed)?;
    let at = SystemClock.now();
    let Args { from, to, author, .. } = args;
    let wanted = Wanted { profile: &profile, from: *from, to: *to, author, at };
    let made = minutes::gather(reports.as_mut(), wanted).and_then(|made| minutes::html(&made));
    match made {
        Ok(page) => {
            written(args.out.as_deref(), &mut |out| Ok(out.write_all(page.as_bytes())?))?;
            Ok(Exit::Done)
        }
        Err(error @ MinutesError::Untied(_)) => {
            out::note(format!("no minutes: {error}"));
            Ok(Exit::No)
        }
        Err(error @ MinutesError::Period) => Err(Failure::Wrong(format!("--from, --to: {error}"))),
        Err(error @ (MinutesError::Store(_) | MinutesError::Page(_))) => Err(Failure::Failed(error.to_string())),
    }
}

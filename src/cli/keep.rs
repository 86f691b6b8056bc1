//! `thuho migrate`, `audit`, `backup`, `restore`: keeping the books.

use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::ledger::audit as books;
use crate::store::sqlite::{self, BackupProgress};
use crate::store::{self, Place, StoreError};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};

fn failed(place: impl std::fmt::Display) -> impl Fn(StoreError) -> Failure {
    move |error| Failure::Failed(format!("{place}: {error}"))
}

/// The file of the books. A server's are kept by its own tools, which copy a running one and bring it back to a moment.
fn file_of(place: &Place) -> Result<&Path, Failure> {
    match place {
        Place::Sqlite(path) => Ok(path),
        Place::Postgres(place) => Err(Failure::Wrong(format!(
            "{place}: a PostgreSQL database is backed up and restored by PostgreSQL's own tools: pg_basebackup with \
             archived WAL for any moment, pg_dump and pg_restore for a copy"
        ))),
    }
}

/// Brings the schema up.
///
/// # Errors
/// A configuration that does not load, a newer schema, a file that a gateway holds.
pub fn migrate(path: &Path) -> Outcome {
    let config = load(path)?;
    let place = &config.store;
    let done = store::migrate(place).map_err(failed(place))?;
    if done.is_empty() {
        out::line(format!("{place}: nothing to do"));
    }
    for step in done {
        out::line(format!("{place}: {step}"));
    }
    Ok(Exit::Done)
}

/// Proves the books.
///
/// # Errors
/// A configuration that does not load, a database that cannot be read.
pub fn audit(path: &Path) -> Outcome {
    let config = load(path)?;
    let mut reports = store::open_reports(&config.store).map_err(failed(&config.store))?;
    let report = books::audit(reports.as_mut(), &config.seal_secret).map_err(failed(&config.store))?;
    out::line(format!(
        "{} receipts in the chains, {} with their bytes, {} without, {} seals, {} accounts",
        report.receipts,
        report.receipts_hashed,
        report.receipts.saturating_sub(report.receipts_hashed),
        report.seals,
        report.accounts
    ));
    for finding in &report.findings {
        out::line(format!("FOUND {finding}"));
    }
    let shown = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
    if report.findings_total > shown {
        out::line(format!("and {} more", report.findings_total.saturating_sub(shown)));
    }
    out::line(if report.ok { "audit: passed" } else { "audit: FAILED" });
    Ok(if report.ok { Exit::Done } else { Exit::No })
}

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// The new file; it must not be there.
    #[arg(value_name = "FILE")]
    to: PathBuf,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// The copy.
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// Overwrite the database that is there.
    #[arg(long)]
    overwrite: bool,
}

/// A bar on a terminal, nothing elsewhere.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar) -> impl FnMut(BackupProgress) + '_ {
    |progress| {
        bar.set_length(u64::from(progress.pages));
        bar.set_position(u64::from(progress.done));
    }
}

/// Copies the database.
///
/// # Errors
/// A configuration that does not load, a target that is there already, the machine's.
pub fn backup(args: &BackupArgs) -> Outcome {
    let config = load(&args.config.config)?;
    let (file, bar) = (file_of(&config.store)?, bar());
    sqlite::backup(file, &args.to, &mut show(&bar)).map_err(failed(args.to.display()))?;
    bar.finish_and_clear();
    out::line(format!("{} is a copy of {}", args.to.display(), file.display()));
    Ok(Exit::Done)
}

/// Puts a copy back.
///
/// # Errors
/// A configuration that does not load, a file that a gateway holds or that is there, the machine's.
pub fn restore(args: &RestoreArgs) -> Outcome {
    let config = load(&args.config.config)?;
    let (file, bar) = (file_of(&config.store)?, bar());
    sqlite::restore(&args.from, file, args.overwrite, &mut show(&bar)).map_err(failed(file.display()))?;
    bar.finish_and_clear();
    out::line(format!("{} is as {} was", file.display(), args.from.display()));
    Ok(Exit::Done)
}

//! `thuho migrate`, `audit`, `backup`, `restore`: keeping the books.

use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::ledger::audit as books;
use crate::store::StoreError;
use crate::store::sqlite::{self, BackupProgress};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};

fn failed(path: &Path) -> impl Fn(StoreError) -> Failure + '_ {
    move |error| Failure::Failed(format!("{}: {error}", path.display()))
}

/// Brings the schema up.
///
/// # Errors
/// A configuration that does not load, a newer schema, a file that a gateway holds.
pub fn migrate(path: &Path) -> Outcome {
    let config = load(path)?;
    let file = config.sqlite_path();
    let done = sqlite::migrate(&file).map_err(failed(&file))?;
    if done.is_empty() {
        out::line(format!("{}: nothing to do", file.display()));
    }
    for step in done {
        out::line(format!("{}: {step}", file.display()));
    }
    Ok(Exit::Done)
}

/// Proves the books.
///
/// # Errors
/// A configuration that does not load, a database that cannot be read.
pub fn audit(path: &Path) -> Outcome {
    let config = load(path)?;
    let file = config.sqlite_path();
    let mut reports = sqlite::open_reports(&file).map_err(failed(&file))?;
    let report = books::audit(&mut reports, &config.seal_secret).map_err(failed(&file))?;
    out::line(format!(
        "{} receipts in the chains, {} with their bytes, {} seals, {} accounts",
        report.receipts, report.receipts_hashed, report.seals, report.accounts
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
    let (file, bar) = (config.sqlite_path(), bar());
    sqlite::backup(&file, &args.to, &mut show(&bar)).map_err(failed(&args.to))?;
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
    let (file, bar) = (config.sqlite_path(), bar());
    sqlite::restore(&args.from, &file, args.overwrite, &mut show(&bar)).map_err(failed(&file))?;
    bar.finish_and_clear();
    out::line(format!("{} is as {} was", file.display(), args.from.display()));
    Ok(Exit::Done)
}

//! `thuho migrate`, `audit`, `certificate`, `backup`, `restore`: keeping the books, and proving them.

use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::config::Config;
use crate::domain::ids::PartnerCode;
use crate::ledger::audit as books;
use crate::ledger::certificate::{self, Certificate, CertificateError, CertifiedDay};
use crate::store::reports::Reports;
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
pub fn audit(args: &AuditArgs) -> Outcome {
    let config = load(&args.config.config)?;
    let mut reports = store::open_reports(&config.store).map_err(failed(&config.store))?;
    if let Some(path) = &args.certificate {
        return verify(reports.as_mut(), &config, path);
    }
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

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    /// A certificate to be verified instead of the whole books.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

/// Arguments of `certificate`.
#[derive(Debug, clap::Args)]
pub struct CertificateArgs {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// Which day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: jiff::civil::Date,
    /// Where to; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

/// `thuho certificate`: reads beside a gateway, changes nothing.
///
/// # Errors
/// Wrong arguments, the machine's.
pub fn certify(args: &CertificateArgs) -> Outcome {
    let config = load(&args.config.config)?;
    let partner = PartnerCode::parse(args.partner.clone()).map_err(|e| Failure::Wrong(format!("--partner: {e}")))?;
    let outside = || Failure::Wrong("--date: outside the calendar".to_owned());
    let day = CertifiedDay::of(partner, args.date).ok_or_else(outside)?;
    let mut reports = store::open_reports(&config.store).map_err(failed(&config.store))?;
    let certificate = match certificate::certify(reports.as_mut(), &config.seal_secret, &day) {
        Ok(certificate) => certificate,
        Err(CertificateError::Store(error)) => return Err(failed(&config.store)(error)),
        Err(error) => {
            out::note(format!("no certificate: {error}"));
            return Ok(Exit::No);
        }
    };
    let text = serde_json::to_string_pretty(&certificate).map_err(|e| Failure::Failed(e.to_string()))?;
    match &args.out {
        Some(path) => std::fs::write(path, text + "\n")
            .map_err(|e| Failure::Failed(format!("{}: {}", path.display(), e.kind())))?,
        None => out::line(text),
    }
    Ok(Exit::Done)
}

fn verify(reports: &mut dyn Reports, config: &Config, path: &Path) -> Outcome {
    let wrong = |what: String| Failure::Wrong(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.kind().to_string()))?;
    let certificate: Certificate =
        serde_json::from_str(&text).map_err(|e| wrong(format!("not a certificate (line {}): {e}", e.line())))?;
    let found = certificate::verify(reports, &config.seal_secret, &certificate).map_err(failed(&config.store))?;
    match found {
        None => {
            let said = &certificate.statement;
            out::line(format!(
                "{} {}: {} calls of {} dong, each in one place; certificate: valid",
                said.partner, said.day, said.total.count, said.total.dong
            ));
            Ok(Exit::Done)
        }
        Some(finding) => {
            out::line(format!("FOUND {finding}"));
            out::line("certificate: NOT VALID");
            Ok(Exit::No)
        }
    }
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

//! `thuho statement import FILE` and `thuho reconcile`: a partner's day as others say it, into the database or through
//! the gateway that holds it.

use super::api::{Remote, RemoteArgs, refused};
use super::out::{self, written};
use super::{ConfigArg, Exit, Failure, Outcome, load, settlement};
use crate::app;
use crate::config::Config;
use crate::domain::ids::Author;
use crate::domain::statement::StatementKind;
use crate::domain::time::{Clock as _, SystemClock};
use crate::ledger::Slices;
use crate::partner::statement::Layout;
use crate::partner::{Partners, Profile};
use crate::reconcile::export::{self, ExportError, Language, Options, Separator};
use crate::reconcile::import::{self, Brought, ImportError, Stage, Taken};
use crate::reconcile::read::{Limits, ReadError};
use crate::reconcile::report;
use crate::reconcile::run::{self, Reconciled, RunError, Subject};
use crate::reconcile::settlement::report as settlement_report;
use crate::store;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `thuho statement ..`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Takes a statement file: all of it or, if anything in it is not as its layout says, nothing.
    Import(ImportArgs),
}

/// Whose day.
#[derive(Debug, clap::Args)]
struct DayArgs {
    /// The partner's name.
    #[arg(long, value_name = "NAME")]
    partner: String,
    /// The partner's business day.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Date,
    /// Whose word it is: the partner's, the billing core's or the bank's.
    #[arg(long, default_value = "partner", value_parser = kind)]
    kind: StatementKind,
    /// Who does it, for the record; a gateway goes by the token instead.
    #[arg(long, value_name = "NAME", default_value = "cli")]
    author: String,
}

fn kind(word: &str) -> Result<StatementKind, String> {
    StatementKind::parse(word).ok_or_else(|| "expected partner, core or bank".to_owned())
}

/// Arguments of `statement import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A CSV file or an XLSX workbook, as the profile's `[statement]` says.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    day: DayArgs,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Arguments of `reconcile`.
#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    day: DayArgs,
    /// How to print it.
    #[arg(long, default_value = "table", value_parser = ["table", "json", "csv", "xlsx"])]
    format: String,
    /// In which language a table for a spreadsheet is labelled.
    #[arg(long, default_value = "vi", value_parser = ["vi", "en"])]
    lang: String,
    /// What divides the cells of a CSV: the list separator that the spreadsheet's machine expects.
    #[arg(long, default_value = ",", value_parser = [",", ";"])]
    separator: String,
    /// Where to; standard output if nothing is said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// End with 1 if anything differs.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Runs one of them.
///
/// # Errors
/// Wrong arguments, a file that cannot be read, a database that a gateway holds.
pub fn run(command: &Command) -> Outcome {
    let Command::Import(args) = command;
    match args.remote.remote()? {
        Some(remote) => import_there(&remote, args),
        None => import_here(args),
    }
}

pub(super) fn profile(config: &Config, name: &str) -> Result<std::sync::Arc<Profile>, Failure> {
    // Its account and its layouts are asked for; nothing is proved with its keys.
    let profiles =
        Partners::load_without_secrets(&config.partners_dir).map_err(|errors| Failure::Wrong(errors.to_string()))?;
    let found = profiles.get(name).ok_or_else(|| Failure::Wrong(format!("--partner {name}: there is no such profile")));
    found.cloned()
}

pub(super) fn layout(profile: &Profile, kind: StatementKind) -> Result<&Layout, Failure> {
    let missing = || {
        let section = if kind == StatementKind::Partner { String::new() } else { format!("_{}", kind.word()) };
        Failure::Wrong(format!("{}: its profile has no [statement{section}]", profile.code()))
    };
    profile.statement(kind).ok_or_else(missing)
}

pub(super) fn author(text: &str) -> Result<Author, Failure> {
    Author::parse(text).map_err(|e| Failure::Wrong(format!("--author: {e}")))
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

fn import_here(args: &ImportArgs) -> Outcome {
    let config = load(&args.config.config)?;
    let profile = profile(&config, &args.day.partner)?;
    let (layout, author) = (layout(&profile, args.day.kind)?, author(&args.day.author)?);
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let brought = Brought {
        layout,
        partner: profile.code(),
        account: profile.account(),
        day: args.day.date,
        name: &name,
        path: &args.file,
        author: &author,
        at: SystemClock.now(),
    };
    let mut store = app::open_store(&config)?;
    let (bar, begun) = (bar(), Instant::now());
    let mut checked = Duration::ZERO;
    let mut told = |stage| {
        let (word, done, of) = match stage {
            Stage::Checked(done, of) => {
                checked = begun.elapsed();
                ("checked", done, of)
            }
            Stage::Written(done, of) => ("written", done, of),
        };
        bar.set_message(word);
        bar.set_length(of);
        bar.set_position(done);
    };
    let taken = import::take(&mut Slices::alone(store.as_mut()), &brought, &Limits::default(), &mut told);
    let written = begun.elapsed().saturating_sub(checked);
    bar.finish_and_clear();
    match taken {
        Ok(Taken::New { file, sums, supersedes }) => {
            let before = supersedes.map(|no| format!(", in place of file {}", no.0)).unwrap_or_default();
            out::line(format!(
                "file {}: {} lines taken, {} payments of {} dong, {} reversals of {} dong, {} that move nothing{before}; \
                 checked in {} ms, written in {} ms",
                file.0,
                sums.lines,
                sums.payments.count,
                sums.payments.dong,
                sums.reversals.count,
                sums.reversals.dong,
                sums.ignored.count,
                checked.as_millis(),
                written.as_millis()
            ));
            Ok(Exit::Done)
        }
        Ok(Taken::Before(file)) => {
            out::line(format!("file {}: the same file was taken before; nothing changed", file.0));
            Ok(Exit::Done)
        }
        Err(ImportError::Read(ReadError::Refused(faults))) => {
            faults.iter().for_each(|fault| out::note(format!("{}: {fault}", args.file.display())));
            out::note("nothing of the file was taken");
            Ok(Exit::No)
        }
        Err(error @ (ImportError::Superseded | ImportError::Sealed)) => {
            out::note(format!("{}: {error}", args.file.display()));
            Ok(Exit::No)
        }
        Err(ImportError::Read(error)) => Err(Failure::Wrong(format!("{}: {error}", args.file.display()))),
        Err(error @ (ImportError::Changed | ImportError::Slice(_))) => Err(Failure::Failed(error.to_string())),
    }
}

fn import_there(remote: &Remote, args: &ImportArgs) -> Outcome {
    let bytes =
        std::fs::read(&args.file).map_err(|e| Failure::Wrong(format!("{}: {}", args.file.display(), e.kind())))?;
    let DayArgs { partner, date, kind, .. } = &args.day;
    let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = format!(
        "/api/v1/statements?partner={}&date={date}&kind={}&name={}",
        encoded(partner),
        kind.word(),
        encoded(&name)
    );
    let (status, json) = remote.call("POST", &path, "application/octet-stream", bytes)?;
    match status {
        200 | 201 => {
            out::line(json.to_string());
            Ok(Exit::Done)
        }
        409 | 422 => {
            let detail = json.get("detail").and_then(Value::as_str).unwrap_or_default();
            out::note(format!("{}: {detail}", args.file.display()));
            Ok(Exit::No)
        }
        _ => Err(refused(status, &json)),
    }
}

/// For a query: everything but letters, digits and `-._~` as percent and hex (RFC 3986).
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Runs `thuho reconcile`.
///
/// # Errors
/// Wrong arguments, no statement of that day, a database that a gateway holds.
pub fn reconcile(args: &ReconcileArgs) -> Outcome {
    let differs = match args.remote.remote()? {
        Some(remote) => {
            let (text, differs) = reconcile_there(&remote, args)?;
            written(args.out.as_deref(), &mut |out| Ok(out.write_all(&text)?))?;
            differs
        }
        None if args.day.kind == StatementKind::Bank => {
            let (text, differs) = reconcile_bank(args)?;
            written(args.out.as_deref(), &mut |out| Ok(out.write_all(&text)?))?;
            differs
        }
        None => {
            let done = reconcile_here(args)?;
            written(args.out.as_deref(), &mut |out| print(&done, args, out))?;
            !done.compared.differences.is_empty()
        }
    };
    Ok(if args.strict && differs { Exit::No } else { Exit::Done })
}

fn reconcile_here(args: &ReconcileArgs) -> Result<Reconciled, Failure> {
    let config = load(&args.config.config)?;
    let profile = profile(&config, &args.day.partner)?;
    let (layout, author) = (layout(&profile, args.day.kind)?, author(&args.day.author)?);
    let outside = || Failure::Wrong("--date: outside the calendar".to_owned());
    let subject = Subject::of(layout, profile.code(), args.day.date).ok_or_else(outside)?;
    let failed = |e: store::StoreError| Failure::Failed(e.to_string());
    let mut store = app::open_store(&config)?;
    let mut reports = store::open_reports(&config.store).map_err(failed)?;
    let bar = ProgressBar::new_spinner();
    let mut told = |stage| {
        let message = match stage {
            run::Stage::Read(rows) => format!("{rows} rows read"),
            run::Stage::Matched(rows) => format!("{rows} matches written"),
        };
        bar.set_message(message);
        bar.tick();
    };
    let ways = run::ways(&subject, layout, &profile);
    let mut slices = Slices::alone(store.as_mut());
    let done = run::run(reports.as_mut(), &mut slices, (subject, &ways), (&author, SystemClock.now()), &mut told);
    bar.finish_and_clear();
    done.map_err(|error| match error {
        RunError::NoStatement(_) | RunError::NotComparable(_) | RunError::BankLeg | RunError::Sealed => {
            Failure::Wrong(error.to_string())
        }
        RunError::Untied(_) | RunError::Slice(_) | RunError::Store(_) => Failure::Failed(error.to_string()),
    })
}

/// The bank's leg: batches instead of payments.
fn reconcile_bank(args: &ReconcileArgs) -> Result<(Vec<u8>, bool), Failure> {
    if !matches!(args.format.as_str(), "table" | "json") {
        return Err(Failure::Wrong(format!("--format {}: of the bank's leg it is table or json", args.format)));
    }
    let config = load(&args.config.config)?;
    let (profile, author) = (profile(&config, &args.day.partner)?, author(&args.day.author)?);
    layout(&profile, StatementKind::Bank)?;
    let json = settlement::compare(&config, (&profile, args.day.date), &author)?;
    let differs = json.get("differences_in_all").and_then(Value::as_u64).unwrap_or_default() > 0;
    Ok(match args.format.as_str() {
        "json" => (format!("{json:#}\n").into_bytes(), differs),
        _ => (settlement_report::to_table(&json).into_bytes(), differs),
    })
}

fn print(done: &Reconciled, args: &ReconcileArgs, out: export::Out<'_>) -> Result<(), ExportError> {
    let Some(format) = export::Format::parse(&args.format) else {
        return Ok(out.write_all(report::to_table(done).as_bytes())?);
    };
    let language = if args.lang == "en" { Language::En } else { Language::Vi };
    let separator = if args.separator == ";" { Separator::Semicolon } else { Separator::Comma };
    let options = Options { language, separator, ..Options::of(format) };
    let table = export::differences(done, &args.day.author, SystemClock.now());
    let mut rows = report::rows(done).map(|row| export::difference_cells(&row));
    export::write(&table, &mut rows, &options, out)
}

/// Through a gateway: its JSON.
fn reconcile_there(remote: &Remote, args: &ReconcileArgs) -> Result<(Vec<u8>, bool), Failure> {
    if let format @ ("csv" | "xlsx") = args.format.as_str() {
        return Err(Failure::Wrong(format!("--format {format}: through a gateway it is json")));
    }
    let DayArgs { partner, date, kind, .. } = &args.day;
    let path = format!("/api/v1/reconciliations/{}/{date}?kind={}", encoded(partner), kind.word());
    let json = remote.command("POST", &path, &Value::Null)?;
    let differs = json.get("differences_in_all").and_then(Value::as_u64).unwrap_or_default() > 0;
    Ok((format!("{json:#}\n").into_bytes(), differs))
}

//! `thuho invoice import FILE`: CSV or NDJSON, into the database, or through the gateway that holds it. Rows are
//! checked here either way; rejects go to standard error with their lines.

use super::api::{Remote, RemoteArgs, refused};
use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::app;
use crate::domain::ids::Generation;
use crate::domain::invoice::Invoice;
use crate::domain::time::SystemClock;
use crate::intake::import::{Taken, slice};
use crate::intake::row_stream::{Row, Shape, Splitter, from_csv};
use crate::ledger::writer::moment;
use crate::ledger::{LaneContext, SLICE_MAX};
use crate::store::Store;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows in one call of a gateway's API.
const CALL_ROWS: usize = 5_000;

/// Rejects that are shown; the others are counted.
const REJECTS_MAX: u64 = 1_000;

/// Bytes of NDJSON read at once.
const CHUNK_BYTES: usize = 65_536;

/// `thuho invoice ..`
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Adds or replaces invoices from a CSV or NDJSON file.
    Import(ImportArgs),
}

/// Arguments of `invoice import`.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A CSV file with a header row, or NDJSON when its name ends in .ndjson or .jsonl.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Take all rows or none: checks the whole file first.
    #[arg(long)]
    atomic: bool,
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
    if args.atomic {
        let mut checked = Sink::Checked;
        let count = feed(&args.file, &mut checked)?;
        if count.rejected > 0 {
            out::note(format!("{} rows break a rule; nothing was taken", count.rejected));
            return Ok(Exit::No);
        }
    }
    let mut sink = match args.remote.remote()? {
        Some(remote) => Sink::Remote { remote, rows: Vec::new(), taken: Taken::default() },
        None => Sink::local(&args.config.config)?,
    };
    let count = feed(&args.file, &mut sink)?;
    let taken = sink.finish()?;
    out::line(format!(
        "{} added, {} changed, {} the same, {} older, {} rejected, {} parked payments matched",
        taken.added, taken.changed, taken.same, taken.older, count.rejected, taken.rematched
    ));
    Ok(if count.rejected > 0 { Exit::No } else { Exit::Done })
}

/// What was read.
#[derive(Default)]
struct Count {
    rejected: u64,
}

/// Where rows go.
enum Sink {
    /// Nowhere: only checked.
    Checked,
    /// Into the file, as its one writer.
    Local { store: Box<dyn Store>, lane: LaneContext, rows: Vec<Invoice>, taken: Taken },
    /// Through a gateway.
    Remote { remote: Remote, rows: Vec<Invoice>, taken: Taken },
}

impl Sink {
    fn local(config: &Path) -> Result<Self, Failure> {
        let config = load(config)?;
        let store = app::open_store(&config)?;
        let generation = getrandom::u64().map_err(|_no_chance| Failure::Failed("no random numbers".to_owned()))?;
        let lane = LaneContext {
            lane: store.lane(),
            generation: Generation(generation),
            moment: moment(&SystemClock),
            recent: Arc::default(),
        };
        Ok(Self::Local { store, lane, rows: Vec::new(), taken: Taken::default() })
    }

    fn push(&mut self, invoice: Invoice) -> Result<(), Failure> {
        match self {
            Self::Checked => Ok(()),
            Self::Local { rows, .. } => {
                rows.push(invoice);
                if rows.len() >= SLICE_MAX { self.write() } else { Ok(()) }
            }
            Self::Remote { rows, .. } => {
                rows.push(invoice);
                if rows.len() >= CALL_ROWS { self.write() } else { Ok(()) }
            }
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        match self {
            Self::Checked => Ok(()),
            Self::Local { store, lane, rows, taken } => {
                let mut rest = None;
                loop {
                    let (report, _held) =
                        slice(store.as_mut(), lane, rows, rest).map_err(|e| Failure::Failed(e.to_string()))?;
                    taken.add(&report);
                    rest = report.rest;
                    if rest.is_none() {
                        break;
                    }
                }
                rows.clear();
                Ok(())
            }
            Self::Remote { remote, rows, taken } => {
                if rows.is_empty() {
                    return Ok(());
                }
                let body: String = rows.drain(..).map(|invoice| format!("{}\n", row_json(&invoice))).collect();
                let (status, json) =
                    remote.call("PUT", "/api/v1/invoices", "application/x-ndjson", body.into_bytes())?;
                if status != 200 {
                    return Err(refused(status, &json));
                }
                let field = |name: &str| json.get(name).and_then(Value::as_u64).unwrap_or_default();
                taken.added = taken.added.saturating_add(field("added"));
                taken.changed = taken.changed.saturating_add(field("changed"));
                taken.same = taken.same.saturating_add(field("same"));
                taken.older = taken.older.saturating_add(field("older"));
                taken.rematched = taken.rematched.saturating_add(field("rematched"));
                Ok(())
            }
        }
    }

    fn finish(mut self) -> Result<Taken, Failure> {
        self.write()?;
        Ok(match self {
            Self::Checked => Taken::default(),
            Self::Local { taken, .. } | Self::Remote { taken, .. } => taken,
        })
    }
}

/// A row of the internal API.
fn row_json(invoice: &Invoice) -> Value {
    json!({
        "invoice_id": invoice.id.as_str(),
        "customer_code": invoice.customer.as_str(),
        "payer_code": invoice.payer.as_str(),
        "unit": invoice.unit.as_str(),
        "area": invoice.area.word(),
        "period": invoice.period,
        "kind": invoice.kind.word(),
        "net": invoice.net.dong(),
        "vat": invoice.vat.dong(),
        "total": invoice.total.dong(),
        "issued_on": invoice.issued_on.to_string(),
        "due_on": invoice.due_on.to_string(),
        "status": invoice.status.word(),
        "paid_elsewhere": invoice.paid_elsewhere.dong(),
        "adjusts": invoice.adjusts.as_ref().map(|id| id.as_str()),
        "version": invoice.version,
    })
}

/// Reads the whole file into a sink, with a bar on a terminal.
fn feed(path: &Path, sink: &mut Sink) -> Result<Count, Failure> {
    let cannot = |e: std::io::Error| Failure::Wrong(format!("{}: {}", path.display(), e.kind()));
    let file = File::open(path).map_err(cannot)?;
    let bar = ProgressBar::new(file.metadata().map_err(cannot)?.len());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    let reader = bar.wrap_read(BufReader::new(file));
    let mut count = Count::default();
    let mut failed = None;
    let mut each = |row: Row| match row {
        Ok((_, invoice)) => {
            if failed.is_none() {
                failed = sink.push(invoice).err();
            }
        }
        Err(reject) => {
            count.rejected = count.rejected.saturating_add(1);
            if count.rejected <= REJECTS_MAX {
                bar.suspend(|| out::note(format!("{}: {reject}", path.display())));
            }
        }
    };
    let lines = path.extension().is_some_and(|extension| extension == "ndjson" || extension == "jsonl");
    let read = if lines {
        from_lines(reader, &mut each)
    } else {
        from_csv(reader, &mut |row| {
            each(row);
            true
        })
    };
    bar.finish_and_clear();
    if let Some(failure) = failed {
        return Err(failure);
    }
    read.map_err(|problem| Failure::Wrong(format!("{}: {problem}", path.display())))?;
    Ok(count)
}

fn from_lines(mut reader: impl Read, each: &mut dyn FnMut(Row)) -> Result<(), String> {
    let mut splitter = Splitter::new(Shape::Lines);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = reader.read(&mut chunk).map_err(|e| format!("cannot be read: {}", e.kind()))?;
        if count == 0 {
            break;
        }
        splitter.push(chunk.get(..count).unwrap_or_default(), each).map_err(|e| e.to_string())?;
    }
    splitter.finish(each).map_err(|e| e.to_string())
}

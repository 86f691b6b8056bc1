//! `thuho retain`: erases old bytes that nobody needs any more, in the database or through the gateway that holds it.
//! What is unsent, unread, parked or under an open break stays, and so does all that the books need.

use super::api::{Remote, RemoteArgs};
use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::app;
use crate::domain::time::{Clock as _, SystemClock};
use crate::ledger::retain::{self, AGE_FLOOR_DAYS};
use crate::store::{Erasable, EraseRequest, Erased, Store};
use indicatif::ProgressBar;
use serde_json::{Value, json};

/// `thuho retain`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Erases the calls as they came (body, headers) that are older, such as 400d; receipts and their hashes stay. At
    /// least 90d. A SQLite file does not shrink: its freed pages are used again; PostgreSQL's are by autovacuum.
    #[arg(long, value_name = "DAYS", value_parser = days, required_unless_present = "attempts_older_than")]
    raw_older_than: Option<u32>,
    /// Erases what was sent to the billing core with every attempt, of messages that it took, or that people ended,
    /// longer ago, such as 90d.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    attempts_older_than: Option<u32>,
    /// Says how many it would erase.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    remote: RemoteArgs,
}

fn days(text: &str) -> Result<u32, String> {
    let days = text.strip_suffix('d').and_then(|number| number.parse().ok());
    let expected = || format!("expected days, such as 400d, and at least {AGE_FLOOR_DAYS}d");
    days.filter(|days| *days >= AGE_FLOOR_DAYS).ok_or_else(expected)
}

/// Whose database it is.
enum Hands {
    Ours(Box<dyn Store>),
    Gateway(Remote),
}

/// Runs it.
///
/// # Errors
/// Wrong arguments, a database that a gateway holds, the machine's.
pub fn run(args: &Args) -> Outcome {
    let mut hands = match args.remote.remote()? {
        Some(remote) => Hands::Gateway(remote),
        None => Hands::Ours(app::open_store(&load(&args.config.config)?)?),
    };
    let wanted = [(Erasable::Raw, args.raw_older_than), (Erasable::Attempts, args.attempts_older_than)];
    for (what, days) in wanted {
        let Some(days) = days else { continue };
        let bar = ProgressBar::new_spinner();
        let mut show = |sum: &Erased| {
            bar.set_message(format!("{}: {} looked at, {} erased", name(what), sum.looked_at, sum.erased));
            bar.tick();
        };
        let sum = match &mut hands {
            Hands::Ours(store) => here(store.as_mut(), what, (days, args.dry_run), &mut show),
            Hands::Gateway(remote) => there(remote, what, (days, args.dry_run), &mut show),
        };
        bar.finish_and_clear();
        let Erased { looked_at, erased, kept, .. } = sum?;
        let done = if args.dry_run { "would be erased" } else { "erased" };
        out::line(format!(
            "{} older than {days} days: {erased} {done}, {kept} kept because they are still needed, {looked_at} looked at",
            name(what)
        ));
    }
    Ok(Exit::Done)
}

fn name(what: Erasable) -> &'static str {
    match what {
        Erasable::Raw => "raw notices",
        Erasable::Attempts => "bytes of attempts",
    }
}

fn here(
    store: &mut dyn Store,
    what: Erasable,
    (days, dry_run): (u32, bool),
    show: &mut dyn FnMut(&Erased),
) -> Result<Erased, Failure> {
    let request = retain::request(what, days, SystemClock.now()).map_err(|e| Failure::Wrong(e.to_string()))?;
    retain::all(store, EraseRequest { dry_run, ..request }, show).map_err(|e| Failure::Failed(e.to_string()))
}

fn there(
    remote: &Remote,
    what: Erasable,
    (days, dry_run): (u32, bool),
    show: &mut dyn FnMut(&Erased),
) -> Result<Erased, Failure> {
    let mut sum = Erased::default();
    let mut after = String::new();
    loop {
        let body = json!({"what": what.word(), "older_than_days": days, "dry_run": dry_run, "after": after});
        let answer = remote.command("POST", "/api/v1/retention", &body)?;
        let count = |field: &str| answer.get(field).and_then(Value::as_u64).unwrap_or_default();
        let part = Erased { looked_at: count("looked_at"), erased: count("erased"), kept: count("kept"), next: None };
        sum = sum.and(part);
        show(&sum);
        match answer.get("next").and_then(Value::as_str) {
            Some(next) => after = next.to_owned(),
            None => return Ok(sum),
        }
    }
}

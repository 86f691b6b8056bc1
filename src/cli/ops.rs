//! `thuho outbox`, `notice` and `partner pause|resume`: operations. Through a running gateway where one is named;
//! otherwise on the file itself, which nobody else may hold then, or on the server beside the gateways.

use super::api::{Remote, RemoteArgs};
use super::{ConfigArg, Exit, Failure, Outcome, load, out};
use crate::app;
use crate::domain::ids::{Author, DispatchKey, PartnerCode};
use crate::domain::time::{Clock as _, SystemClock};
use crate::outbox::command;
use crate::partner::Partners;
use crate::store::reports::DispatchFilter;
use crate::store::{self, CommandAnswer, DispatchCommand, Place, StoreError};
use serde_json::{Value, json};

/// Messages that are listed unless told otherwise.
const LIST_USUAL: u32 = 100;

/// Which database, or which gateway.
#[derive(Clone, Debug, clap::Args)]
pub struct Where {
    #[command(flatten)]
    config: ConfigArg,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// `thuho outbox ..`
#[derive(Debug, clap::Subcommand)]
pub enum OutboxCommand {
    /// Lists messages to the billing core.
    List {
        /// Only in this state.
        #[arg(long, value_parser = ["waiting", "leased", "delivered", "parked", "closed"])]
        state: Option<String>,
        /// At most.
        #[arg(long, default_value_t = LIST_USUAL, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        #[command(flatten)]
        place: Where,
    },
    /// Sends a message again, under the same key.
    Retry {
        /// Its key.
        key: String,
        #[command(flatten)]
        place: Where,
    },
    /// Keeps a message back.
    Hold {
        /// Its key.
        key: String,
        #[command(flatten)]
        place: Where,
    },
    /// Proposes to end a message without the core's yes, or approves that as somebody else. On PostgreSQL through a gateway
    /// only, where the token says who does it.
    Close {
        /// Its key.
        key: String,
        /// Who.
        #[arg(long)]
        author: String,
        /// Why; with --approve it is the proposal's.
        #[arg(long, required_unless_present = "approve")]
        reason: Option<String>,
        /// Approves somebody else's proposal.
        #[arg(long)]
        approve: bool,
        #[command(flatten)]
        place: Where,
    },
}

/// `thuho notice ..`
#[derive(Debug, clap::Subcommand)]
pub enum NoticeCommand {
    /// Runs a partner's stored stale and unreadable notices through its present profile, in a running gateway.
    Redo {
        /// The partner.
        partner: String,
        #[command(flatten)]
        remote: RemoteArgs,
    },
}

/// `thuho partner pause|resume NAME`
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// The partner.
    name: String,
    #[command(flatten)]
    place: Where,
}

/// Runs one of them.
///
/// # Errors
/// Wrong arguments, a refusal, a database that a gateway holds.
pub fn outbox(command: &OutboxCommand) -> Outcome {
    match command {
        OutboxCommand::List { state, limit, place } => list(state.as_deref(), *limit, place),
        OutboxCommand::Retry { key, place } => give(key, "retry", DispatchCommand::Retry, place),
        OutboxCommand::Hold { key, place } => give(key, "hold", DispatchCommand::Hold, place),
        OutboxCommand::Close { key, author, reason, approve, place } => {
            let author = Author::parse(author.clone()).map_err(|e| Failure::Wrong(e.to_string()))?;
            if *approve {
                give(key, "approve", DispatchCommand::ApproveClose { author }, place)
            } else {
                let reason = reason.as_deref().unwrap_or_default();
                let close = command::propose_close(author, reason).map_err(|e| Failure::Wrong(e.to_string()))?;
                give(key, "close", close, place)
            }
        }
    }
}

fn list(state: Option<&str>, limit: u32, place: &Where) -> Outcome {
    let lines: Vec<[String; 6]> = match place.remote.remote()? {
        Some(remote) => remote_list(&remote, state, limit)?,
        None => {
            let config = load(&place.config.config)?;
            // Reading is possible beside a gateway.
            let filter = DispatchFilter { state: state.map(str::to_owned), limit, ..DispatchFilter::default() };
            let found = store::open_reports(&config.store).and_then(|mut reports| reports.dispatches(&filter));
            let found = found.map_err(|e| Failure::Failed(e.to_string()))?;
            let line = |d: crate::store::reports::DispatchView| {
                let reason = d.reason.unwrap_or_default();
                let attempts = d.attempts.to_string();
                [d.key.to_string(), d.state, d.invoice.to_string(), attempts, d.created_at.to_string(), reason]
            };
            found.into_iter().map(line).collect()
        }
    };
    out::line(
        "key                                   state      invoice       attempts  since                     last answer",
    );
    for [key, state, invoice, attempts, since, reason] in lines {
        out::line(format!("{key:<37} {state:<10} {invoice:<13} {attempts:>8}  {since:<24}  {reason}"));
    }
    Ok(Exit::Done)
}

fn remote_list(remote: &Remote, state: Option<&str>, limit: u32) -> Result<Vec<[String; 6]>, Failure> {
    let state = state.map(|state| format!("&state={state}")).unwrap_or_default();
    let json = remote.command("GET", &format!("/api/v1/outbox?limit={limit}{state}"), &Value::Null)?;
    let text = |row: &Value, key: &str| match row.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let columns = ["key", "state", "invoice_id", "attempts", "created_at", "reason"];
    Ok(json.as_array().into_iter().flatten().map(|row| columns.map(|column| text(row, column))).collect())
}

fn give(key: &str, action: &str, command: DispatchCommand, place: &Where) -> Outcome {
    let key = DispatchKey::parse(key).map_err(|e| Failure::Wrong(e.to_string()))?;
    if let Some(remote) = place.remote.remote()? {
        let body = match &command {
            DispatchCommand::Retry | DispatchCommand::Hold => Value::Null,
            DispatchCommand::ProposeClose { author, reason } => json!({"author": author.as_str(), "reason": reason}),
            DispatchCommand::ApproveClose { author } => json!({"author": author.as_str()}),
        };
        remote.command("POST", &format!("/api/v1/outbox/{key}/{action}"), &body)?;
        return done(&key, action);
    }
    let config = load(&place.config.config)?;
    let ends = matches!(command, DispatchCommand::ProposeClose { .. } | DispatchCommand::ApproveClose { .. });
    if ends && matches!(config.store, Place::Postgres(_)) {
        // Beside the gateways nothing proves who types: one person with two names would be two.
        let why =
            "ending a message goes through a gateway (--url, --token): the second person has a token of their own";
        return Err(Failure::Wrong(why.to_owned()));
    }
    let mut store = app::open_store(&config)?;
    let failed = |e: StoreError| Failure::Failed(e.to_string());
    let answer = match store::open_reports(&config.store).and_then(|mut r| r.find_dispatch(&key)).map_err(failed)? {
        Some(found) => command::run(store.as_mut(), &found, &command, SystemClock.now()).map_err(failed)?,
        None => CommandAnswer::NotFound,
    };
    let refused = |why: &str| Err(Failure::Failed(format!("{key}: {why}")));
    match answer {
        CommandAnswer::Done => done(&key, action),
        CommandAnswer::NotFound => refused("no such message"),
        CommandAnswer::WrongState => refused("not possible in its present state"),
        CommandAnswer::NeedsAnother => {
            refused("two people must propose and approve, and nobody may be able to log in as both")
        }
    }
}

fn done(key: &DispatchKey, action: &str) -> Outcome {
    out::line(format!("{key}: {action} done"));
    Ok(Exit::Done)
}

/// Runs one of them.
///
/// # Errors
/// Wrong arguments, no gateway, a refusal.
pub fn notice(command: &NoticeCommand) -> Outcome {
    let NoticeCommand::Redo { partner, remote } = command;
    let Some(remote) = remote.remote()? else {
        return Err(Failure::Wrong("notice redo goes through a running gateway: give --url and --token".to_owned()));
    };
    let json = remote.command("POST", "/api/v1/notices/redo", &json!({"partner": partner}))?;
    out::line(json.to_string());
    Ok(Exit::Done)
}

/// Pauses or resumes a partner.
///
/// # Errors
/// An unknown partner, a refusal, a database that a gateway holds.
pub fn pause(args: &PauseArgs, paused: bool) -> Outcome {
    let action = if paused { "pause" } else { "resume" };
    if let Some(remote) = args.place.remote.remote()? {
        remote.command("POST", &format!("/api/v1/partners/{}/{action}", args.name), &Value::Null)?;
    } else {
        let config = load(&args.place.config.config)?;
        let partners =
            Partners::load_without_secrets(&config.partners_dir).map_err(|e| Failure::Wrong(e.to_string()))?;
        let code = PartnerCode::parse(args.name.clone()).map_err(|e| Failure::Wrong(e.to_string()))?;
        if partners.get(code.as_str()).is_none() {
            return Err(Failure::Wrong(format!("{code}: no such partner in {}", config.partners_dir.display())));
        }
        let mut store = app::open_store(&config)?;
        store
            .transact(&mut |tx| tx.set_partner_paused(&code, paused, SystemClock.now()))
            .map_err(|e| Failure::Failed(e.to_string()))?;
    }
    out::line(format!("{}: {action} done", args.name));
    Ok(Exit::Done)
}

//! What ops may do: messages to the core, pausing a partner, reading stored notices again, erasing old bytes.

use super::internal::{Internal, on_writer};
use super::problem::Problem;
use super::tokens::{self, Scope};
use crate::domain::ids::{Author, DispatchKey, PartnerCode};
use crate::domain::outcome::Outcome;
use crate::intake::redo;
use crate::ledger::retain;
use crate::outbox::command::{self, BadCommand};
use crate::partner::Profile;
use crate::store::reports::{ReceiptFilter, StoredReceipt};
use crate::store::{CommandAnswer, DispatchCommand, Erasable, EraseRequest, Erased};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest body of a command, in bytes.
const COMMAND_BYTES: usize = 4_096;

/// Receipts read from the database at once.
const PAGE: u32 = 100;

/// The body of a command on a message. `author` is for the record; the token says who it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OutboxBody {
    author: String,
    reason: String,
}

async fn json<T: serde::de::DeserializeOwned + Default>(payload: web::Payload) -> Result<T, Problem> {
    let bytes = payload.to_bytes_limited(COMMAND_BYTES).await.map_err(|_too_long| Problem::too_large())?;
    let bytes = bytes.map_err(|_broken| Problem::bad_request())?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|_not_it| Problem::bad_request().saying("the body is not as openapi.yaml says"))
}

/// `POST /api/v1/outbox/{key}/{action}`
pub async fn outbox(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let (key, action) = path.into_inner();
    let key = DispatchKey::parse(key).map_err(|_no_such_key| Problem::not_found())?;
    let body: OutboxBody = json(payload).await?;
    // Who did it is who the token says, not who the body says: one caller with two names is one person.
    let author = Author::parse(caller.name.clone()).map_err(|e| Problem::bad_request().saying(e.to_string()))?;
    let reason = match body.author.as_str() {
        "" => body.reason.clone(),
        _ if body.reason.is_empty() => String::new(),
        said => format!("{} (for {said})", body.reason),
    };
    let command = wish(&action, author, &reason).map_err(|e| Problem::bad_request().saying(e.to_string()))?;
    let answer = give(&internal, key, command.ok_or_else(Problem::not_found)?).await?;
    tracing::info!(caller = caller.name, action, "A command on a message was given");
    match answer {
        CommandAnswer::Done => Ok(HttpResponse::NoContent().finish()),
        CommandAnswer::NotFound => Err(Problem::not_found()),
        CommandAnswer::WrongState => Err(Problem::conflict()),
        CommandAnswer::NeedsAnother => {
            Err(Problem::conflict()
                .saying("two people must propose and approve, and nobody may be able to log in as both"))
        }
    }
}

/// What somebody wishes to do with a message, by its word; nothing where there is no such word.
///
/// # Errors
/// [`BadCommand`]: a close without a reason.
pub(crate) fn wish(action: &str, by: Author, reason: &str) -> Result<Option<DispatchCommand>, BadCommand> {
    Ok(match action {
        "retry" => Some(DispatchCommand::Retry),
        "hold" => Some(DispatchCommand::Hold),
        "close" => Some(command::propose_close(by, reason)?),
        "approve" => Some(DispatchCommand::ApproveClose { author: by }),
        _ => None,
    })
}

/// Gives a command on a message.
///
/// # Errors
/// The machine's.
pub(crate) async fn give(
    internal: &Internal,
    key: DispatchKey,
    command: DispatchCommand,
) -> Result<CommandAnswer, Problem> {
    let at = internal.intake.clock().now();
    let Some(found) = internal.readers.ask(move |reports| reports.find_dispatch(&key)).await? else {
        return Ok(CommandAnswer::NotFound);
    };
    on_writer(&internal.writer, move |store| command::run(store, &found, &command, at)).await
}

/// `POST /api/v1/partners/{partner}/{action}`
pub async fn partner(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let (partner, action) = path.into_inner();
    let profile = internal.intake.profile(&partner).ok_or_else(Problem::not_found)?;
    let paused = match action.as_str() {
        "pause" => true,
        "resume" => false,
        _ => return Err(Problem::not_found()),
    };
    pause(&internal, profile.code(), paused).await?;
    tracing::warn!(caller = caller.name, partner, paused, "A partner was paused or resumed");
    Ok(HttpResponse::NoContent().finish())
}

/// Pauses a partner, or lets it go on: its calls are kept and not read while it is paused.
///
/// # Errors
/// The machine's.
pub(crate) async fn pause(internal: &Internal, partner: &PartnerCode, paused: bool) -> Result<(), Problem> {
    let (code, at) = (partner.clone(), internal.intake.clock().now());
    let all: Vec<PartnerCode> = on_writer(&internal.writer, move |store| {
        let mut all = Vec::new();
        store.transact(&mut |tx| {
            tx.set_partner_paused(&code, paused, at)?;
            all = tx.paused_partners()?;
            Ok(())
        })?;
        Ok(all)
    })
    .await?;
    internal.intake.set_paused(all);
    Ok(())
}

/// The body of a redo.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RedoBody {
    partner: String,
}

/// What a redo came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Redone {
    /// Receipts that were understood and written.
    pub(crate) read: u64,
    /// By outcome; those that are still not understood included.
    pub(crate) outcomes: BTreeMap<&'static str, u64>,
}

/// `POST /api/v1/notices/redo`
pub async fn redo(
    request: HttpRequest,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let body: RedoBody = json(payload).await?;
    let profile = internal.intake.profile(&body.partner).ok_or_else(Problem::not_found)?;
    let redone = all_again(&internal, &profile).await?;
    tracing::info!(caller = caller.name, partner = body.partner, read = redone.read, "Stored notices were read again");
    Ok(HttpResponse::Ok().json(redone))
}

/// Reads a partner's stored calls again that were stale, not understood, or came while it was paused. Those that are there
/// now: one that cannot be booked this time either is written anew behind them.
///
/// # Errors
/// The machine's.
pub(crate) async fn all_again(internal: &Internal, profile: &Profile) -> Result<Redone, Problem> {
    let mut redone = Redone::default();
    for (lane, end) in lane_ends(internal).await? {
        let mut after = (lane, 0);
        while after.1 < end {
            let filter = ReceiptFilter::unread(profile.code().clone(), after, PAGE);
            let page = internal.readers.ask(move |reports| reports.receipts(&filter)).await?;
            let Some(last) = page.last() else { break };
            after = (lane, last.n);
            let waits = |r: &&StoredReceipt| r.lane == lane && r.n <= end && r.redone_at.is_none();
            for receipt in page.iter().filter(waits) {
                if let Some(outcome) = redo::again(&internal.intake, profile, receipt).await {
                    redone.note(outcome);
                }
            }
        }
    }
    Ok(redone)
}

/// The lanes, each with the place of its last receipt.
async fn lane_ends(internal: &Internal) -> Result<Vec<(u32, i64)>, Problem> {
    let heads = on_writer(&internal.writer, |store| {
        let mut heads = Vec::new();
        store.transact(&mut |tx| {
            heads = tx.lane_heads()?;
            Ok(())
        })?;
        Ok(heads)
    });
    Ok(heads.await?.into_iter().map(|(lane, n, _hash)| (lane, n)).collect())
}

impl Redone {
    fn note(&mut self, outcome: Outcome) {
        let count = self.outcomes.entry(outcome.word()).or_default();
        *count = count.saturating_add(1);
        if !matches!(outcome, Outcome::Stale | Outcome::Malformed | Outcome::BadSignature) {
            self.read = self.read.saturating_add(1);
        }
    }
}

/// The body of a retention call.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RetentionBody {
    what: String,
    older_than_days: u32,
    dry_run: bool,
    after: String,
}

/// How far a retention call came.
#[derive(Debug, Serialize)]
struct Forgotten {
    looked_at: u64,
    erased: u64,
    kept: u64,
    next: Option<String>,
}

/// `POST /api/v1/retention`
pub async fn retention(
    request: HttpRequest,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let body: RetentionBody = json(payload).await?;
    let bad = |what: &str| Problem::bad_request().saying(what);
    let what = Erasable::parse(&body.what).ok_or_else(|| bad("what: expected raw or attempts"))?;
    let wanted = retain::request(what, body.older_than_days, internal.intake.clock().now())
        .map_err(|e| bad(&format!("older_than_days: {e}")))?;
    let after = if body.after.is_empty() { Ok(0) } else { body.after.parse() };
    let after = after.map_err(|_not_a_place| bad("after: expected the last answer's next"))?;
    let wanted = EraseRequest { after, dry_run: body.dry_run, ..wanted };
    let Erased { looked_at, erased, kept, next } = retain::some(&internal.writer, wanted).await.map_err(|error| {
        tracing::error!(error = %error, "Retention had to stop");
        Problem::unavailable()
    })?;
    tracing::info!(
        caller = caller.name,
        what = what.word(),
        before = %wanted.before,
        dry_run = body.dry_run,
        erased,
        kept,
        "Old bytes were looked through"
    );
    Ok(HttpResponse::Ok().json(Forgotten { looked_at, erased, kept, next: next.map(|no| no.to_string()) }))
}

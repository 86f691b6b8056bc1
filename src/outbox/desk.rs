//! The two transactions of the outbox: take what is due, write down what became of it. Over a [`Tx`] alone, so a
//! simulation drives the very same rules as the program. Sends nothing, reads no clock, draws no chance. Keeps I6 (a
//! result counts only under its fence; only a delivery or a person ends a message) and I10.
//!
//! A wall (401, 403, 404, a redirect, TLS) pauses the way, as every message would meet it; the one that did steps back,
//! unblamed, and others probe the way. But if the wall is that message's alone, others open the way again and it meets
//! the wall again, for ever. So a wall on an open way is counted for the message: between two that count, another
//! message was taken, or the way would still be paused. Each doubles how far it steps back, the fifth parks it. From its
//! second on, a wall does not pause the way if others were delivered beside it. A probe's wall never counts.

use super::ahead::is_due;
use super::backoff::{Backoff, Next};
use super::classify::{Heard, Meaning};
use crate::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken, LeasedDispatch, ParkCause};
use crate::domain::ids::{EventKey, PartnerCode};
use crate::domain::money::Money;
use crate::domain::review::{BreakClass, NewBreak};
use crate::domain::time::Timestamp;
use crate::ledger::writer::Writer;
use crate::store::{LeaseRequest, RoutePause, RouteState, Store, StoreError, Tx};
use futures_util::future::BoxFuture;
use serde::Deserialize;

/// How often a transaction is run again when another writer changed the same rows.
const CONTENDED_TRIES: u32 = 3;

/// Walls on an open way after which a message waits for a person. Each comes a pause or more after the one before, so a
/// core that fails in turns blames nobody soon.
pub const WALLS_MAX: u32 = 5;

/// Where the outbox's transactions run: the writer, or a store by itself in a simulation.
pub trait Desk: Send + Sync + 'static {
    /// [`exchange`], on the store behind this desk.
    fn exchange(&self, put: Vec<Attempted>, take: Option<Take>, waits: Waits) -> BoxFuture<'_, Exchanged>;
}

/// What an exchange brought, or why nothing was written.
pub type Exchanged = Result<(Written, Taken), DeskError>;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The writer has no room for the work, or is closed.
    #[error("the ledger's writer takes no more work")]
    Busy,
}

impl Desk for Writer {
    fn exchange(&self, put: Vec<Attempted>, take: Option<Take>, waits: Waits) -> BoxFuture<'_, Exchanged> {
        Box::pin(async move {
            let done = self.run(move |store| exchange(store, &put, take.as_ref(), &waits));
            done.map_err(|_busy| DeskError::Busy)?.await.map_err(|_not_run| DeskError::Busy)?
        })
    }
}

/// Writes down attempts and takes what is due next, in one commit: the flush to disk is paid once.
///
/// # Errors
/// The machine's; nothing was written, except after [`StoreError::Unknown`].
pub fn exchange(store: &mut dyn Store, attempts: &[Attempted], request: Option<&Take>, waits: &Waits) -> Exchanged {
    let mut tries = 0;
    loop {
        let mut done = (Written::default(), Taken::default());
        let committed = store.transact(&mut |tx| {
            done.0 = put(tx, attempts, waits)?;
            done.1 = request.map(|request| take(tx, request)).transpose()?.unwrap_or_default();
            Ok(())
        });
        tries += 1;
        match committed {
            Ok(()) => return Ok(done),
            Err(StoreError::Contended) if tries < CONTENDED_TRIES => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What is asked of one take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// Now.
    pub now: Timestamp,
    /// How long the messages are ours, in milliseconds.
    pub lease_ms: i64,
    /// How many of overdue invoices: a capacity that others cannot use up.
    pub fast: u32,
    /// How many of any kind, the longest waiting first: a capacity that the overdue ones cannot use up.
    pub normal: u32,
    /// The fences of the two, never used before.
    pub tokens: [LeaseToken; 2],
}

/// What a take brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// To be sent now, each at most once under its lease.
    pub messages: Vec<LeasedDispatch>,
    /// The way is paused and the one message, if any, is a probe.
    pub paused: Option<RoutePause>,
}

/// One message after its attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// The message, with its fence.
    pub message: LeasedDispatch,
    /// What was heard; `None` when it was not sent after all.
    pub heard: Option<Heard>,
    /// Was it sent to find out whether a paused way is open again?
    pub probe: bool,
    /// When.
    pub at: Timestamp,
    /// Chance, for the jitter.
    pub random: u64,
}

/// The waits of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For most messages.
    pub normal: Backoff,
    /// For those of overdue invoices.
    pub urgent: Backoff,
    /// How long a paused way rests before one message probes it, in milliseconds.
    pub pause_ms: i64,
}

impl Default for Waits {
    fn default() -> Self {
        Self { normal: Backoff::NORMAL, urgent: Backoff::URGENT, pause_ms: 30_000 }
    }
}

/// What became of a batch of attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The core has them.
    pub delivered: u64,
    /// To be tried again.
    pub retried: u64,
    /// Wait for a person, each with a break.
    pub parked: Vec<(LeasedDispatch, ParkCause)>,
    /// Given back unblamed.
    pub released: u64,
    /// Their lease was lost: nothing was written.
    pub lost: u64,
    /// The way was paused by this batch, for this reason.
    pub paused: Option<String>,
    /// The way was opened by this batch.
    pub opened: bool,
}

/// Takes what is due. A paused way gives nothing until its probe is due, then one message, and the next probe waits
/// until this one's lease is over, whichever instance asks.
///
/// # Errors
/// The machine's.
pub fn take(tx: &mut dyn Tx, take: &Take) -> Result<Taken, StoreError> {
    let until = take.now.plus_ms(take.lease_ms);
    let [fast_token, token] = take.tokens;
    let request = |limit, urgent_only, token| LeaseRequest { token, now: take.now, until, limit, urgent_only };
    if let Some(mut pause) = tx.route()?.paused {
        let mut messages = Vec::new();
        if is_due(pause.probe_at, take.now) && take.fast + take.normal > 0 {
            messages = tx.lease(&[request(1, false, token)])?;
        }
        if !messages.is_empty() {
            pause.probe_at = until;
            // Noted by a clock that was ahead, it would outlast every answer.
            pause.since = pause.since.min(take.now);
            tx.set_route(&RouteState { paused: Some(pause.clone()) })?;
        }
        return Ok(Taken { messages, paused: Some(pause) });
    }
    let requests = [request(take.fast, true, fast_token), request(take.normal, false, token)];
    let requests: Vec<LeaseRequest> = requests.into_iter().filter(|request| request.limit > 0).collect();
    Ok(Taken { messages: tx.lease(&requests)?, paused: None })
}

/// Writes what became of messages, each under its fence, with a break for each that now waits for a person, and
/// pauses or opens the way.
///
/// # Errors
/// The machine's.
pub fn put(tx: &mut dyn Tx, attempts: &[Attempted], waits: &Waits) -> Result<Written, StoreError> {
    let mut written = Written::default();
    if attempts.is_empty() {
        return Ok(written);
    }
    let results: Vec<DispatchResult> = attempts.iter().map(|attempt| result(attempt, waits)).collect();
    let kept = tx.settle(&results)?;
    let mut breaks = Vec::new();
    for ((attempt, result), kept) in attempts.iter().zip(&results).zip(kept) {
        match &result.result {
            _ if !kept => written.lost += 1,
            AttemptResult::Delivered => written.delivered += 1,
            AttemptResult::Retry { .. } => written.retried += 1,
            AttemptResult::Walled { .. } | AttemptResult::Released { .. } => written.released += 1,
            AttemptResult::Parked { cause, reason } => {
                breaks.push(parked_break(&attempt.message, *cause, reason, attempt.at));
                written.parked.push((attempt.message.clone(), *cause));
            }
        }
    }
    if !breaks.is_empty() {
        tx.open_breaks(&breaks)?;
    }
    steer(tx, attempts, waits, &mut written)?;
    Ok(written)
}

/// A wall that one message met pauses the way for all, unless it is that message's own; an answer that only an open way
/// gives opens it again.
fn steer(tx: &mut dyn Tx, attempts: &[Attempted], waits: &Waits, written: &mut Written) -> Result<(), StoreError> {
    let wall = attempts.iter().find_map(|attempt| match attempt.heard.as_ref().map(Heard::meaning) {
        Some(Meaning::PauseRoute { reason }) if !is_its_own(attempt, written) => {
            Some((reason, attempt.at, attempt.random))
        }
        _ => None,
    });
    let answered = |attempt: &&Attempted| {
        matches!(attempt.heard.as_ref().map(Heard::meaning), Some(Meaning::Delivered | Meaning::Park { .. }))
    };
    let open_at = attempts.iter().filter(answered).map(|attempt| attempt.at).max();
    if wall.is_none() && open_at.is_none() {
        return Ok(());
    }
    let was = tx.route()?.paused;
    match (wall, was) {
        (Some((reason, at, random)), was) => {
            let spread = i64::try_from(random % 1_000).unwrap_or(0).saturating_mul(waits.pause_ms) / 4_000;
            let since = was.as_ref().map_or(at, |pause| pause.since);
            let probe_at = at.plus_ms(waits.pause_ms.saturating_add(spread));
            written.paused = was.is_none().then(|| reason.clone());
            tx.set_route(&RouteState { paused: Some(RoutePause { reason, since, probe_at }) })
        }
        // What was heard before the wall, and written after another instance met it, says nothing of it.
        (None, Some(pause)) if open_at >= Some(pause.since) => {
            written.opened = true;
            tx.set_route(&RouteState { paused: None })
        }
        (None, _) => Ok(()),
    }
}

/// Is the wall that this message met no one else's? It met one before, on a way that others opened since, and it parks
/// by this one or others were delivered beside it.
fn is_its_own(attempt: &Attempted, written: &Written) -> bool {
    let walls = attempt.message.walls;
    !attempt.probe && walls > 0 && (written.delivered > 0 || parks(walls))
}

fn parks(walls_before: u32) -> bool {
    walls_before.saturating_add(1) >= WALLS_MAX
}

fn result(attempt: &Attempted, waits: &Waits) -> DispatchResult {
    let Attempted { message, heard, probe, at, random } = attempt;
    let result = match heard.as_ref().map(Heard::meaning) {
        // Not sent: it keeps its place.
        None => AttemptResult::Released { not_before: message.created_at },
        // A probe met the wall: when the way is tried again, another message goes first.
        Some(Meaning::PauseRoute { .. }) if *probe => {
            AttemptResult::Released { not_before: at.plus_ms(waits.pause_ms) }
        }
        Some(Meaning::PauseRoute { reason }) if parks(message.walls) => {
            AttemptResult::Parked { cause: ParkCause::Walled, reason }
        }
        Some(Meaning::PauseRoute { reason }) => {
            let steps = 1_i64.checked_shl(message.walls).unwrap_or(i64::MAX);
            AttemptResult::Walled { not_before: at.plus_ms(waits.pause_ms.saturating_mul(steps)), reason }
        }
        Some(Meaning::Delivered) => AttemptResult::Delivered,
        Some(Meaning::Park { cause, reason }) => AttemptResult::Parked { cause, reason },
        // A probe's failure says nothing about the message.
        Some(Meaning::Retry { .. }) if *probe => AttemptResult::Released { not_before: at.plus_ms(waits.pause_ms) },
        Some(Meaning::Retry { reason, retry_after_ms }) => {
            let schedule = if message.urgent { waits.urgent } else { waits.normal };
            match schedule.next(message.attempts, *random, retry_after_ms) {
                Next::After(ms) => AttemptResult::Retry { not_before: at.plus_ms(ms), reason },
                Next::GiveUp => AttemptResult::Parked { cause: ParkCause::Exhausted, reason },
            }
        }
    };
    DispatchResult { key: message.key.clone(), token: message.token, result, at: *at }
}

/// What a break needs of the stored message.
#[derive(Deserialize)]
struct Message {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    payment: String,
    partner: String,
    amount: i64,
}

fn parked_break(message: &LeasedDispatch, cause: ParkCause, reason: &str, at: Timestamp) -> NewBreak {
    // Our own bytes; should they ever not be readable, the break is opened all the same, with less in it.
    let data = serde_json::from_str::<Message>(&message.body).ok().map(|message| message.data);
    let class = match cause {
        ParkCause::BillAlreadyCleared => BreakClass::BillAlreadyCleared,
        ParkCause::Rejected | ParkCause::Exhausted | ParkCause::Walled | ParkCause::Held => BreakClass::PaidNotCleared,
    };
    let tries = message.attempts.saturating_add(1);
    NewBreak {
        class,
        partner: data.as_ref().and_then(|data| PartnerCode::parse(data.partner.clone()).ok()),
        event: data.as_ref().and_then(|data| EventKey::parse_hex(&data.payment).ok()),
        invoice: Some(message.invoice.clone()),
        dispatch: Some(message.key.clone()),
        amount: data.and_then(|data| Money::from_dong(data.amount).ok()).unwrap_or_default(),
        detail: format!("the billing core did not take {}: {reason}, {tries} tries, {}", message.key, cause.word()),
        opened_at: at,
        mark: None,
        leg: None,
    }
}

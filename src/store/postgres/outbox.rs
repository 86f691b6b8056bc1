//! Messages to the core: taking them under a lease, writing results under its fence, a person's commands, and the
//! route. Keeps the order of one invoice: only its first unfinished message (`head`) is ever leased, and whoever
//! finishes it makes the next one head in the same transaction, under the invoice's lock, so that no batch adds a
//! message behind it meanwhile. Keeps I6.

use super::invoices;
use super::locks::Locks;
use super::row::{Key, RowCells};
use super::session::{Answer, Ask, Param};
use super::tx::{LeaseClock, PostgresTx};
use crate::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken, LeasedDispatch, ParkCause};
use crate::domain::ids::{Author, InvoiceId};
use crate::domain::time::Timestamp;
use crate::store::cells::{Cells, key_bytes};
use crate::store::reports::{SlowPage, SlowPlace};
use crate::store::{CommandAnswer, DispatchCommand, FoundDispatch, LeaseRequest, RoutePause, RouteState, StoreError};
use jiff::civil::Date;
use std::collections::HashSet;

/// Makes the first unfinished message of these messages' invoices the one that may go. The first of all, not the first
/// after the one that ended: a person may end a later one while an earlier one still waits.
const FREE_NEXT: &str = "-- dispatches.free_next\nUPDATE dispatches SET head = true WHERE NOT head AND no = ANY(ARRAY(
    SELECT (SELECT d.no FROM allocations a JOIN dispatches d ON d.no = a.no
            WHERE a.invoice_no = done.invoice_no AND d.state IN ('waiting', 'leased', 'parked')
            ORDER BY a.sequence LIMIT 1)
    FROM dispatches done WHERE done.no = ANY($1)))";

/// Takes what is due, the longest due first. A row that another instance takes at this moment is passed over. The end of
/// a lease is judged by the database's clock; what is due, by the clock that said when. The rows are named by an array
/// and not by a join: of a table whose statistics were never taken the planner believes that it has no rows, and goes
/// through all of them for each one that was found.
pub(super) fn lease(tx: &mut PostgresTx<'_>, requests: &[LeaseRequest]) -> Result<Vec<LeasedDispatch>, StoreError> {
    const SQL: &str = "-- dispatches.lease\nWITH clock AS MATERIALIZED (
            SELECT coalesce($1::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS now),
        expired AS MATERIALIZED (SELECT d.no, d.due_at FROM dispatches d
            WHERE d.state = 'leased' AND d.lease_until <= (SELECT now FROM clock) AND (d.urgent OR NOT $4::boolean)
            ORDER BY d.lease_until LIMIT $5 FOR UPDATE SKIP LOCKED),
        urgent AS MATERIALIZED (SELECT d.no, d.due_at FROM dispatches d
            WHERE d.state = 'waiting' AND d.head AND d.urgent AND d.due_at <= $2
            ORDER BY d.due_at, d.created_at, d.no LIMIT $5 FOR UPDATE SKIP LOCKED),
        slow AS MATERIALIZED (SELECT d.no, d.due_at FROM dispatches d
            WHERE NOT $4::boolean AND d.state = 'waiting' AND d.head AND NOT d.urgent AND d.due_at <= $2
            ORDER BY d.due_at, d.created_at, d.no LIMIT $5 FOR UPDATE SKIP LOCKED),
        found AS MATERIALIZED (
            SELECT * FROM (SELECT * FROM expired UNION ALL SELECT * FROM urgent UNION ALL SELECT * FROM slow) f
            ORDER BY due_at, no LIMIT $5)
        UPDATE dispatches d SET state = 'leased', lease_token = $6, lease_until = (SELECT now FROM clock) + $3
        WHERE d.no = ANY(ARRAY(SELECT no FROM found))
        RETURNING d.due_at, d.no, d.key, (SELECT i.id FROM invoices i WHERE i.no = d.invoice_no), d.body, d.attempts,
            d.walls, d.created_at, d.urgent";
    if requests.is_empty() {
        return Ok(Vec::new());
    }
    let clock = tx.clock;
    let values: Vec<LeaseValues> = requests.iter().map(|request| LeaseValues::of(request, clock)).collect();
    let asks: Vec<Ask<'_>> = values.iter().map(|values| Ask::new(SQL, values.params())).collect();
    let mut leased = Vec::new();
    for (answer, request) in tx.ask(&asks)?.iter().zip(requests) {
        leased.extend(taken(answer, request.token)?);
    }
    Ok(leased)
}

/// The values of one request.
struct LeaseValues {
    judged: Option<i64>,
    now: i64,
    lasts: i64,
    urgent_only: bool,
    limit: i64,
    token: i64,
}

impl LeaseValues {
    fn of(request: &LeaseRequest, clock: LeaseClock) -> Self {
        Self {
            judged: clock.judges(request.now),
            now: request.now.unix_ms(),
            lasts: request.until.ms_since(request.now),
            urgent_only: request.urgent_only,
            limit: i64::from(request.limit),
            token: request.token.0.cast_signed(),
        }
    }

    fn params(&self) -> Vec<Param<'_>> {
        vec![&self.judged, &self.now, &self.lasts, &self.urgent_only, &self.limit, &self.token]
    }
}

/// What one request took, the longest due first.
fn taken(answer: &Answer, token: LeaseToken) -> Result<Vec<LeasedDispatch>, StoreError> {
    let mut leased = answer.all(|cells| {
        let place = (cells.whole()?, cells.whole()?);
        let leased = LeasedDispatch {
            key: cells.dispatch_key()?,
            invoice: cells.invoice_id()?,
            body: cells.text()?,
            attempts: cells.count()?,
            walls: cells.count()?,
            created_at: cells.at()?,
            token,
            urgent: cells.flag()?,
        };
        Ok((place, leased))
    })?;
    leased.sort_by_key(|(place, _)| *place);
    Ok(leased.into_iter().map(|(_, leased)| leased).collect())
}

/// A page of the slow lane.
pub(super) const SLOW: &str = "-- dispatches.slow\nSELECT d.due_at, d.created_at, d.no, i.id, i.due_on < $1
    FROM dispatches d JOIN invoices i ON i.no = d.invoice_no
    WHERE d.state = 'waiting' AND d.head = $2 AND NOT d.urgent AND (d.due_at, d.created_at, d.no) > ($3, $4, $5)
    ORDER BY d.due_at, d.created_at, d.no LIMIT $6";

/// The overdue ones among its messages, and where the next one begins: those that may go first, then those behind them.
/// What moves meanwhile may be missed, and is met by the next walk.
pub(super) fn slow_page(answer: &Answer, behind: i64, limit: u32) -> Result<SlowPage, StoreError> {
    let found = answer.all(|cells| {
        let at = SlowPlace([behind, cells.whole()?, cells.whole()?, cells.whole()?]);
        Ok((at, cells.invoice_id()?, cells.flag()?))
    })?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = match found.last() {
        Some((last, _, _)) if full => Some(*last),
        _ => (behind == 0).then_some(SlowPlace([1, 0, 0, 0])),
    };
    Ok(SlowPage { overdue: found.into_iter().filter_map(|(_, id, late)| late.then_some(id)).collect(), next })
}

/// Into the fast lane, if the invoice is overdue as it stands now. The ones behind the first as well: they will be
/// first.
pub(super) fn raise_overdue(tx: &mut PostgresTx<'_>, invoices: &[InvoiceId], today: Date) -> Result<u64, StoreError> {
    const SQL: &str = "-- dispatches.raise\nUPDATE dispatches SET urgent = true WHERE NOT urgent
        AND state IN ('waiting', 'leased', 'parked') AND no IN (SELECT a.no FROM invoices i
            JOIN allocations a ON a.invoice_no = i.no WHERE i.id = ANY($1) AND i.due_on < $2)";
    let ids: Vec<&str> = invoices.iter().map(InvoiceId::as_str).collect();
    Ok(tx.ask_one(Ask::new(SQL, vec![&ids, &today]))?.count)
}

/// Makes those due that wait, or are leased, for longer than any wait is. Each lane is one look into the index. What
/// another instance holds at this moment is passed over.
pub(super) fn bring_near(
    tx: &mut PostgresTx<'_>,
    now: Timestamp,
    ahead_ms: i64,
    limit: u32,
) -> Result<u64, StoreError> {
    const WAITING: &str = "-- dispatches.near\nUPDATE dispatches SET due_at = $1 WHERE no = ANY(ARRAY(SELECT d.no
        FROM (VALUES (true, true), (true, false), (false, true), (false, false)) lane (head, urgent)
            CROSS JOIN LATERAL (SELECT w.no FROM dispatches w WHERE w.state = 'waiting' AND w.head = lane.head
                AND w.urgent = lane.urgent AND w.due_at > $1::bigint + $2::bigint LIMIT $3 FOR UPDATE SKIP LOCKED) d LIMIT $3))";
    const LEASED: &str = "-- dispatches.lease_near\nWITH clock AS MATERIALIZED (
            SELECT coalesce($1::bigint, (extract(epoch FROM now()) * 1000)::bigint) AS now)
        UPDATE dispatches SET lease_until = (SELECT now FROM clock) WHERE no = ANY(ARRAY(SELECT d.no FROM dispatches d
            WHERE d.state = 'leased' AND d.lease_until > (SELECT now FROM clock) + $2::bigint LIMIT $3
            FOR UPDATE SKIP LOCKED))";
    let (judged, now, limit) = (tx.clock.judges(now), now.unix_ms(), i64::from(limit));
    let asks = [Ask::new(WAITING, vec![&now, &ahead_ms, &limit]), Ask::new(LEASED, vec![&judged, &ahead_ms, &limit])];
    Ok(tx.ask(&asks)?.iter().map(|answer| answer.count).sum())
}

/// The columns of results, one row a message.
#[derive(Default)]
struct Results<'r> {
    key: Vec<Key>,
    token: Vec<i64>,
    state: Vec<&'static str>,
    cause: Vec<Option<&'static str>>,
    reason: Vec<Option<&'r str>>,
    /// Keeps the reason that is there.
    keeps_reason: Vec<bool>,
    due_at: Vec<Option<i64>>,
    /// Never earlier than it was due.
    only_later: Vec<bool>,
    tried: Vec<i32>,
    walled: Vec<i32>,
    delivered_at: Vec<Option<i64>>,
}

impl<'r> Results<'r> {
    fn push(&mut self, result: &'r DispatchResult) {
        let (state, cause, reason, due) = match &result.result {
            AttemptResult::Delivered => ("delivered", None, None, None),
            AttemptResult::Retry { not_before, reason } => ("waiting", None, Some(reason), Some(not_before)),
            AttemptResult::Parked { cause, reason } => ("parked", Some(cause.word()), Some(reason), None),
            AttemptResult::Walled { not_before, reason } => ("waiting", None, Some(reason), Some(not_before)),
            AttemptResult::Released { not_before } => ("waiting", None, None, Some(not_before)),
        };
        let released = matches!(result.result, AttemptResult::Released { .. });
        let walled = matches!(result.result, AttemptResult::Walled { .. });
        self.key.push(Key(key_bytes(&result.key)));
        self.token.push(result.token.0.cast_signed());
        self.state.push(state);
        self.cause.push(cause);
        self.reason.push(reason.map(String::as_str));
        self.keeps_reason.push(released);
        self.due_at.push(due.map(|at| at.unix_ms()));
        self.only_later.push(released || walled);
        self.tried.push(i32::from(!released && !walled));
        self.walled.push(i32::from(walled));
        self.delivered_at.push((state == "delivered").then_some(result.at.unix_ms()));
    }

    fn params(&self) -> Vec<Param<'_>> {
        vec![
            &self.key,
            &self.token,
            &self.state,
            &self.cause,
            &self.reason,
            &self.keeps_reason,
            &self.due_at,
            &self.only_later,
            &self.tried,
            &self.walled,
            &self.delivered_at,
        ]
    }
}

/// Writes results; `false` for one whose lease is somebody else's by now, or nobody's.
pub(super) fn settle(tx: &mut PostgresTx<'_>, results: &[DispatchResult]) -> Result<Vec<bool>, StoreError> {
    const HELD: &str = "-- dispatches.held\nSELECT d.no, (SELECT i.id FROM invoices i WHERE i.no = d.invoice_no)
        FROM unnest($1::uuid[], $2::bigint[]) u (key, token)
        JOIN dispatches d ON d.state = 'leased' AND d.lease_token = u.token AND d.key = u.key
        WHERE d.lease_token = ANY($2) AND d.key = ANY($1)";
    const SETTLE: &str = "-- dispatches.settle\nUPDATE dispatches d SET state = u.state, cause = u.cause,
            reason = CASE WHEN u.keeps_reason THEN d.reason ELSE u.reason END,
            due_at = CASE WHEN u.only_later THEN greatest(d.due_at, u.due_at) ELSE coalesce(u.due_at, d.due_at) END,
            attempts = d.attempts + u.tried, walls = d.walls + u.walled, delivered_at = u.delivered_at,
            head = u.state <> 'delivered', lease_token = NULL, lease_until = NULL
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[],
                $8::boolean[], $9::integer[], $10::integer[], $11::bigint[])
            u (key, token, state, cause, reason, keeps_reason, due_at, only_later, tried, walled, delivered_at)
        WHERE d.state = 'leased' AND d.lease_token = u.token AND d.key = u.key
            AND d.lease_token = ANY($2) AND d.key = ANY($1)
        RETURNING d.key, u.token";
    let (mut rows, mut said) = (Results::default(), HashSet::new());
    // A result counts once.
    let counts: Vec<bool> = results.iter().map(|r| said.insert((key_bytes(&r.key), r.token.0))).collect();
    results.iter().zip(&counts).filter(|(_, counts)| **counts).for_each(|(result, _)| rows.push(result));
    let delivered = results.iter().filter(|r| r.result == AttemptResult::Delivered);
    let (keys, tokens): (Vec<Key>, Vec<i64>) =
        delivered.map(|r| (Key(key_bytes(&r.key)), r.token.0.cast_signed())).unzip();
    // Which invoices they are of, so that those can be locked; and the way to the core, which whoever settles asks next.
    let mut held = tx.look(&[Ask::new(LOCKED_ROUTE, Vec::new()), Ask::new(HELD, vec![&keys, &tokens])])?.into_iter();
    tx.route = Some(route(&held.next().unwrap_or_default())?);
    let held = held.next().unwrap_or_default().all(|cells| Ok((cells.whole()?, cells.invoice_id()?)))?;
    let done: Vec<i64> = held.iter().map(|(no, _)| *no).collect();
    let locks = Locks::of_invoices(held.iter().map(|(_, id)| id));
    let mut asks = Vec::new();
    if !locks.is_empty() {
        asks.push(locks.ask());
    }
    let at = asks.len();
    asks.push(Ask::new(SETTLE, rows.params()));
    if !done.is_empty() {
        asks.push(Ask::new(FREE_NEXT, vec![&done]));
    }
    let answers = tx.ask(&asks)?;
    let settled = answers.get(at).map(|answer| answer.all(|cells| Ok((cells.key_some()?, cells.whole()?))));
    let settled: HashSet<(Option<[u8; 16]>, i64)> = settled.transpose()?.unwrap_or_default().into_iter().collect();
    let took = |r: &DispatchResult| settled.contains(&(Some(key_bytes(&r.key)), r.token.0.cast_signed()));
    Ok(results.iter().zip(counts).map(|(result, counts)| counts && took(result)).collect())
}

struct Found {
    no: i64,
    state: String,
    proposed_by: Option<String>,
}

/// Finds a message by its key, newest block of postings first: one index probe a block of 1024. For people, not for
/// the hot path.
pub(super) const FIND: &str = "-- dispatches.find\nSELECT f.no FROM generate_series(
        (SELECT coalesce(max(no), 0) >> 26 FROM dispatches), 0::bigint, -1) b,
    LATERAL (SELECT d.no FROM dispatches d WHERE d.no >> 26 = b AND d.key = $1) f LIMIT 1";

/// A message as a command meets it; its invoice is locked before its row, as everywhere.
fn read(tx: &mut PostgresTx<'_>, message: &FoundDispatch) -> Result<Option<Found>, StoreError> {
    const READ: &str = "-- dispatches.read\nSELECT d.no, d.state, d.close_proposed_by FROM dispatches d
            WHERE d.no = $1 AND d.key = $2 FOR UPDATE";
    const INVOICE: &str = "-- dispatches.invoice\nSELECT i.id FROM dispatches d JOIN invoices i ON i.no = d.invoice_no
            WHERE d.no = $1";
    let (no, key) = (message.no, Key(key_bytes(&message.key)));
    let found = |cells: &mut RowCells<'_>| {
        Ok(Found { no: cells.whole()?, state: cells.text()?, proposed_by: cells.text_some()? })
    };
    let invoice = tx.ask_one(Ask::new(INVOICE, vec![&no]))?.one(|cells| cells.invoice_id())?;
    invoices::lock(tx, invoice.iter())?;
    tx.ask_one(Ask::new(READ, vec![&no, &key]))?.one(found)
}

/// What a person wants of a message.
pub(super) fn command(
    tx: &mut PostgresTx<'_>,
    message: &FoundDispatch,
    command: &DispatchCommand,
    at: Timestamp,
) -> Result<CommandAnswer, StoreError> {
    const RETRY: &str = "-- dispatches.again\nUPDATE dispatches SET state = 'waiting', due_at = $2, attempts = 0,
            walls = 0, cause = NULL, close_proposed_by = NULL, close_makers = NULL, close_reason = NULL WHERE no = $1";
    const HOLD: &str = "-- dispatches.hold\nUPDATE dispatches SET state = 'parked', cause = $2 WHERE no = $1";
    const PROPOSE: &str =
        "-- dispatches.propose_close\nUPDATE dispatches SET close_proposed_by = $2, close_reason = $3,
            close_makers = (SELECT array_agg(c.person) FROM could_act c WHERE c.name = $2) WHERE no = $1";
    let Some(found) = read(tx, message)? else {
        return Ok(CommandAnswer::NotFound);
    };
    let (at, held) = (at.unix_ms(), ParkCause::Held.word());
    match (command, found.state.as_str()) {
        (DispatchCommand::Retry, "waiting" | "parked") => {
            tx.ask_one(Ask::new(RETRY, vec![&found.no, &at]))?;
        }
        (DispatchCommand::Hold, "waiting") => {
            tx.ask_one(Ask::new(HOLD, vec![&found.no, &held]))?;
        }
        // It is kept back already, and for a better reason.
        (DispatchCommand::Hold, "parked") => {}
        (DispatchCommand::ProposeClose { author, reason }, "parked") => {
            let author = author.as_str();
            tx.ask_one(Ask::new(PROPOSE, vec![&found.no, &author, reason]))?;
        }
        (DispatchCommand::ApproveClose { author }, "parked") => return approve(tx, &found, author, at),
        _ => return Ok(CommandAnswer::WrongState),
    }
    Ok(CommandAnswer::Done)
}

/// Two people end a message: nobody approves their own proposal (I13). No authority is asked for here, so a third person who
/// could log in as both, or could when it was proposed, counts too.
fn approve(tx: &mut PostgresTx<'_>, found: &Found, author: &Author, at: i64) -> Result<CommandAnswer, StoreError> {
    const CLOSE: &str = "-- dispatches.close\nUPDATE dispatches SET state = 'closed', cause = NULL, head = false,
            closed_by = $2, closed_at = $3 WHERE no = $1";
    const BOTH: &str =
        "-- users.could_be_both\nSELECT count(*) FROM dispatches d, could_act c WHERE d.no = $1 AND c.name = $2
            AND (c.person IN (SELECT p.person FROM could_act p WHERE p.name = d.close_proposed_by)
                OR c.person = ANY (d.close_makers))";
    let author = author.as_str();
    let own = found.proposed_by.as_deref().is_none_or(|proposer| proposer == author);
    if own || tx.ask_one(Ask::new(BOTH, vec![&found.no, &author]))?.one(|cells| cells.whole())? != Some(0) {
        return Ok(CommandAnswer::NeedsAnother);
    }
    let done = vec![found.no];
    tx.ask(&[Ask::new(CLOSE, vec![&found.no, &author, &at]), Ask::new(FREE_NEXT, vec![&done])])?;
    Ok(CommandAnswer::Done)
}

/// Is the way to the core open?
pub(super) const ROUTE: &str = "-- route.read\nSELECT reason, since, probe_at FROM route_pause";

/// The same, and no other instance decides on a paused way meanwhile: one probe for all of them.
pub(super) const LOCKED_ROUTE: &str = "-- route.locked\nSELECT reason, since, probe_at FROM route_pause FOR UPDATE";

/// What it says.
pub(super) fn route(answer: &Answer) -> Result<RouteState, StoreError> {
    let paused =
        answer.one(|cells| Ok(RoutePause { reason: cells.text()?, since: cells.at()?, probe_at: cells.at()? }))?;
    Ok(RouteState { paused })
}

/// Opens or pauses it.
pub(super) fn set_route(tx: &mut PostgresTx<'_>, state: &RouteState) -> Result<(), StoreError> {
    const OPEN: &str = "-- route.open\nDELETE FROM route_pause";
    const PAUSE: &str = "-- route.pause\nINSERT INTO route_pause (one, reason, since, probe_at) VALUES (1, $1, $2, $3)
        ON CONFLICT (one) DO UPDATE SET reason = excluded.reason, since = excluded.since, probe_at = excluded.probe_at";
    match &state.paused {
        None => tx.ask_one(Ask::new(OPEN, Vec::new())).map(drop),
        Some(pause) => {
            let (since, probe_at) = (pause.since.unix_ms(), pause.probe_at.unix_ms());
            tx.ask_one(Ask::new(PAUSE, vec![&pause.reason, &since, &probe_at])).map(drop)
        }
    }
}

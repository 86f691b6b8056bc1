//! Messages to the core: taking them under a lease, writing results under its fence, a person's commands, and the
//! route. Keeps the order of one invoice: only its first unfinished message (`head`) is ever leased, and whoever
//! finishes it makes the next one head in the same transaction. Keeps I6.

use super::statement::{Db, RowCells};
use crate::domain::dispatch::{AttemptResult, DispatchResult, LeasedDispatch, ParkCause};
use crate::domain::ids::{Author, DispatchKey, InvoiceId};
use crate::domain::time::Timestamp;
use crate::store::cells::{Cells as _, key_bytes};
use crate::store::reports::{SlowPage, SlowPlace};
use crate::store::{CommandAnswer, DispatchCommand, FoundDispatch, LeaseRequest, RoutePause, RouteState, StoreError};
use jiff::civil::Date;
use rusqlite::{named_params, params};

/// Is no earlier message of this invoice unfinished?
pub(super) fn is_head(db: Db<'_>, invoice_no: i64, sequence: u32) -> Result<bool, StoreError> {
    const SQL: &str =
        "-- dispatches.before\nSELECT EXISTS (SELECT 1 FROM allocations a JOIN dispatches d ON d.no = a.no
        WHERE a.invoice_no = ?1 AND a.sequence < ?2 AND d.state IN ('waiting', 'leased', 'parked'))";
    // The first has none before it: most invoices are paid once, and need no question.
    Ok(sequence == 1 || db.integer(SQL, (invoice_no, sequence))? == 0)
}

/// The first unfinished message of the invoice may go now. The first of all, not the first after the one that ended:
/// a person may end a later one while an earlier one still waits.
fn free_next(db: Db<'_>, no: i64) -> Result<(), StoreError> {
    const SQL: &str = "-- dispatches.free_next\nUPDATE dispatches SET head = 1 WHERE no =
        (SELECT d.no FROM dispatches done JOIN allocations a ON a.invoice_no = done.invoice_no
            JOIN dispatches d ON d.no = a.no
         WHERE done.no = ?1 AND d.state IN ('waiting', 'leased', 'parked')
         ORDER BY a.sequence LIMIT 1)";
    db.execute(SQL, [no]).map(drop)
}

struct Due {
    no: i64,
    due_at: i64,
    leased: LeasedDispatch,
}

/// Takes what is due, the longest due first; the index holds each lane in that order.
pub(super) fn lease(db: Db<'_>, request: &LeaseRequest) -> Result<Vec<LeasedDispatch>, StoreError> {
    const WAITING: &str =
        "-- dispatches.due\nSELECT d.no, d.due_at, d.key, i.id, d.body, d.attempts, d.walls, d.created_at,
            d.urgent
        FROM dispatches d INDEXED BY dispatches_due JOIN invoices i ON i.no = d.invoice_no
        WHERE d.state = 'waiting' AND d.head = 1 AND d.urgent = ?1 AND d.due_at <= ?2
        ORDER BY d.due_at, d.created_at, d.no LIMIT ?3";
    // A lease that ran out: its holder is gone or too slow, and its result will no longer count.
    const EXPIRED: &str =
        "-- dispatches.expired\nSELECT d.no, d.due_at, d.key, i.id, d.body, d.attempts, d.walls, d.created_at,
            d.urgent
        FROM dispatches d JOIN invoices i ON i.no = d.invoice_no
        WHERE d.state = 'leased' AND d.lease_until <= ?1 AND d.urgent >= ?2 ORDER BY d.lease_until LIMIT ?3";
    const TAKE: &str = "-- dispatches.lease\nUPDATE dispatches SET state = 'leased', lease_token = ?2, lease_until = ?3
        WHERE no = ?1";
    let now = request.now.unix_ms();
    let due = |cells: &mut RowCells<'_, '_>| {
        Ok(Due {
            no: cells.next()?,
            due_at: cells.next()?,
            leased: LeasedDispatch {
                key: cells.dispatch_key()?,
                invoice: cells.invoice_id()?,
                body: cells.next()?,
                attempts: cells.next()?,
                walls: cells.next()?,
                created_at: cells.at()?,
                token: request.token,
                urgent: cells.next()?,
            },
        })
    };
    let mut found = db.all(EXPIRED, (now, request.urgent_only, request.limit), due)?;
    found.extend(db.all(WAITING, (true, now, request.limit), due)?);
    if !request.urgent_only {
        found.extend(db.all(WAITING, (false, now, request.limit), due)?);
    }
    found.sort_by_key(|due| (due.due_at, due.no));
    found.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    let mut take = db.prepare(TAKE)?;
    for due in &found {
        take.execute((due.no, request.token.0.cast_signed(), request.until.unix_ms()))?;
    }
    Ok(found.into_iter().map(|due| due.leased).collect())
}

/// The next waiting messages of the slow lane, in the order of the lane's own index: those that may go first, then
/// those behind them. What moves meanwhile may be missed, and is met by the next walk.
pub(super) fn slow_overdue(db: Db<'_>, today: Date, from: SlowPlace, limit: u32) -> Result<SlowPage, StoreError> {
    const SQL: &str = "-- dispatches.slow\nSELECT d.due_at, d.created_at, d.no, i.id, i.due_on < ?1
        FROM dispatches d INDEXED BY dispatches_due JOIN invoices i ON i.no = d.invoice_no
        WHERE d.state = 'waiting' AND d.head = ?2 AND d.urgent = 0 AND (d.due_at, d.created_at, d.no) > (?3, ?4, ?5)
        ORDER BY d.due_at, d.created_at, d.no LIMIT ?6";
    let SlowPlace([behind, due_at, created_at, no]) = from;
    let read = |cells: &mut RowCells<'_, '_>| {
        let at = SlowPlace([behind, cells.next()?, cells.next()?, cells.next()?]);
        Ok((at, cells.invoice_id()?, cells.next::<bool>()?))
    };
    let found = db.all(SQL, params![today.to_string(), behind == 0, due_at, created_at, no, limit], read)?;
    let full = found.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = match found.last() {
        Some((last, _, _)) if full => Some(*last),
        _ => (behind == 0).then_some(SlowPlace([1, 0, 0, 0])),
    };
    Ok(SlowPage { overdue: found.into_iter().filter_map(|(_, id, late)| late.then_some(id)).collect(), next })
}

/// Into the fast lane, if the invoice is overdue as it stands now. The ones behind the first as well: they will be
/// first.
pub(super) fn raise_overdue(db: Db<'_>, invoices: &[InvoiceId], today: Date) -> Result<u64, StoreError> {
    const SQL: &str = "-- dispatches.raise\nUPDATE dispatches SET urgent = 1 WHERE urgent = 0
        AND state IN ('waiting', 'leased', 'parked') AND no IN (SELECT a.no FROM invoices i
            JOIN allocations a ON a.invoice_no = i.no WHERE i.id = ?1 AND i.due_on < ?2)";
    let (mut raise, today) = (db.prepare(SQL)?, today.to_string());
    let mut raised = 0_u64;
    for invoice in invoices {
        let more = raise.execute((invoice.as_str(), &today))?;
        raised = raised.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
    Ok(raised)
}

/// Makes those due that wait, or are leased, for longer than any wait is.
pub(super) fn bring_near(db: Db<'_>, now: Timestamp, ahead_ms: i64, limit: u32) -> Result<u64, StoreError> {
    const WAITING: &str = "-- dispatches.near\nUPDATE dispatches SET due_at = ?1 WHERE no IN (SELECT d.no
        FROM dispatches d INDEXED BY dispatches_due
        WHERE d.state = 'waiting' AND d.head IN (0, 1) AND d.urgent IN (0, 1) AND d.due_at > ?2 LIMIT ?3)";
    const LEASED: &str = "-- dispatches.lease_near\nUPDATE dispatches SET lease_until = ?1 WHERE no IN (SELECT d.no
        FROM dispatches d INDEXED BY dispatches_leased_until
        WHERE d.state = 'leased' AND d.lease_until > ?2 LIMIT ?3)";
    let values = (now.unix_ms(), now.plus_ms(ahead_ms).unix_ms(), limit);
    let moved = db.execute(WAITING, values)?.saturating_add(db.execute(LEASED, values)?);
    Ok(u64::try_from(moved).unwrap_or(u64::MAX))
}

/// Writes one result; `false` when its lease is somebody else's by now, or nobody's.
pub(super) fn settle(db: Db<'_>, result: &DispatchResult) -> Result<bool, StoreError> {
    const HELD: &str = "-- dispatches.held\nSELECT d.no FROM dispatches d INDEXED BY dispatches_leased_by
        WHERE d.state = 'leased' AND d.lease_token = ?1 AND d.key = ?2";
    const DELIVERED: &str = "-- dispatches.delivered\nUPDATE dispatches SET state = 'delivered', delivered_at = ?2,
            attempts = attempts + 1, head = 0, lease_token = NULL, lease_until = NULL, reason = NULL WHERE no = ?1";
    const RETRY: &str = "-- dispatches.retry\nUPDATE dispatches SET state = 'waiting', due_at = ?2, reason = ?3,
            attempts = attempts + 1, lease_token = NULL, lease_until = NULL WHERE no = ?1";
    const PARK: &str = "-- dispatches.park\nUPDATE dispatches SET state = 'parked', cause = ?2, reason = ?3,
            attempts = attempts + 1, lease_token = NULL, lease_until = NULL WHERE no = ?1";
    const WALLED: &str =
        "-- dispatches.walled\nUPDATE dispatches SET state = 'waiting', due_at = max(due_at, ?2), reason = ?3,
            walls = walls + 1, lease_token = NULL, lease_until = NULL WHERE no = ?1";
    const RELEASE: &str = "-- dispatches.release\nUPDATE dispatches SET state = 'waiting', due_at = max(due_at, ?2),
            lease_token = NULL, lease_until = NULL WHERE no = ?1";
    let held = (result.token.0.cast_signed(), key_bytes(&result.key));
    let Some(no) = db.one(HELD, held, |cells| cells.next::<i64>())? else {
        return Ok(false);
    };
    match &result.result {
        AttemptResult::Delivered => {
            db.execute(DELIVERED, (no, result.at.unix_ms()))?;
            free_next(db, no)?;
        }
        AttemptResult::Retry { not_before, reason } => {
            db.execute(RETRY, (no, not_before.unix_ms(), reason))?;
        }
        AttemptResult::Parked { cause, reason } => {
            db.execute(PARK, (no, cause.word(), reason))?;
        }
        AttemptResult::Walled { not_before, reason } => {
            db.execute(WALLED, (no, not_before.unix_ms(), reason))?;
        }
        AttemptResult::Released { not_before } => {
            db.execute(RELEASE, (no, not_before.unix_ms()))?;
        }
    }
    Ok(true)
}

struct Found {
    no: i64,
    state: String,
    proposed_by: Option<String>,
}

/// Finds a message by its key, newest block of postings first: one index probe a block of 1024. For people, not for
/// the hot path.
pub(super) fn find(db: Db<'_>, key: &DispatchKey) -> Result<Option<FoundDispatch>, StoreError> {
    const LAST: &str = "-- dispatches.last_block\nSELECT coalesce(max(no), 0) >> 26 FROM dispatches";
    const PROBE: &str = "-- dispatches.probe\nSELECT d.no FROM dispatches d WHERE d.no >> 26 = ?1 AND d.key = ?2";
    let bytes = key_bytes(key);
    let last = db.integer(LAST, ())?;
    let mut probe = db.prepare(PROBE)?;
    for block in (0..=last).rev() {
        if let Some(no) = probe.one((block, bytes), |cells| cells.next())? {
            return Ok(Some(FoundDispatch { key: key.clone(), no }));
        }
    }
    Ok(None)
}

/// A message as a command meets it.
fn read(db: Db<'_>, message: &FoundDispatch) -> Result<Option<Found>, StoreError> {
    const READ: &str = "-- dispatches.read\nSELECT d.no, d.state, d.close_proposed_by FROM dispatches d
        WHERE d.no = ?1 AND d.key = ?2";
    let found = |cells: &mut RowCells<'_, '_>| {
        Ok(Found { no: cells.next()?, state: cells.next()?, proposed_by: cells.next()? })
    };
    db.one(READ, (message.no, key_bytes(&message.key)), found)
}

/// What a person wants of a message.
pub(super) fn command(
    db: Db<'_>,
    message: &FoundDispatch,
    command: &DispatchCommand,
    at: Timestamp,
) -> Result<CommandAnswer, StoreError> {
    const RETRY: &str =
        "-- dispatches.again\nUPDATE dispatches SET state = 'waiting', due_at = ?2, attempts = 0, walls = 0, cause = NULL,
            close_proposed_by = NULL, close_makers = NULL, close_reason = NULL WHERE no = ?1";
    const HOLD: &str = "-- dispatches.hold\nUPDATE dispatches SET state = 'parked', cause = ?2 WHERE no = ?1";
    const PROPOSE: &str =
        "-- dispatches.propose_close\nUPDATE dispatches SET close_proposed_by = ?2, close_reason = ?3,
            close_makers = (SELECT json_group_array(c.person) FROM could_act c WHERE c.name = ?2) WHERE no = ?1";
    let Some(found) = read(db, message)? else {
        return Ok(CommandAnswer::NotFound);
    };
    match (command, found.state.as_str()) {
        (DispatchCommand::Retry, "waiting" | "parked") => {
            db.execute(RETRY, (found.no, at.unix_ms()))?;
        }
        (DispatchCommand::Hold, "waiting") => {
            db.execute(HOLD, (found.no, ParkCause::Held.word()))?;
        }
        // It is kept back already, and for a better reason.
        (DispatchCommand::Hold, "parked") => {}
        (DispatchCommand::ProposeClose { author, reason }, "parked") => {
            db.execute(PROPOSE, (found.no, author.as_str(), reason))?;
        }
        (DispatchCommand::ApproveClose { author }, "parked") => return approve(db, &found, author, at),
        _ => return Ok(CommandAnswer::WrongState),
    }
    Ok(CommandAnswer::Done)
}

/// Two people end a message: nobody approves their own proposal (I13). No authority is asked for here, so a third person who
/// could log in as both, or could when it was proposed, counts too.
fn approve(db: Db<'_>, found: &Found, author: &Author, at: Timestamp) -> Result<CommandAnswer, StoreError> {
    const CLOSE: &str = "-- dispatches.close\nUPDATE dispatches SET state = 'closed', cause = NULL, head = 0,
            closed_by = :author, closed_at = :at WHERE no = :no";
    const BOTH: &str =
        "-- users.could_be_both\nSELECT count(*) FROM dispatches d, could_act c WHERE d.no = ?1 AND c.name = ?2
            AND (c.person IN (SELECT p.person FROM could_act p WHERE p.name = d.close_proposed_by)
                OR c.person IN (SELECT m.value FROM json_each(coalesce(d.close_makers, '[]')) m))";
    let own = found.proposed_by.as_deref().is_none_or(|proposer| proposer == author.as_str());
    if own || db.integer(BOTH, (found.no, author.as_str()))? != 0 {
        return Ok(CommandAnswer::NeedsAnother);
    }
    db.execute(CLOSE, named_params! { ":no": found.no, ":author": author.as_str(), ":at": at.unix_ms() })?;
    free_next(db, found.no)?;
    Ok(CommandAnswer::Done)
}

/// Is the way to the core open?
pub(super) fn route(db: Db<'_>) -> Result<RouteState, StoreError> {
    const SQL: &str = "-- route.read\nSELECT reason, since, probe_at FROM route_pause";
    let paused =
        db.one(SQL, (), |cells| Ok(RoutePause { reason: cells.next()?, since: cells.at()?, probe_at: cells.at()? }))?;
    Ok(RouteState { paused })
}

/// Opens or pauses it.
pub(super) fn set_route(db: Db<'_>, state: &RouteState) -> Result<(), StoreError> {
    const OPEN: &str = "-- route.open\nDELETE FROM route_pause";
    const PAUSE: &str = "-- route.pause\nINSERT INTO route_pause (one, reason, since, probe_at) VALUES (1, ?1, ?2, ?3)
        ON CONFLICT (one) DO UPDATE SET reason = excluded.reason, since = excluded.since, probe_at = excluded.probe_at";
    match &state.paused {
        None => db.execute(OPEN, ()).map(drop),
        Some(pause) => {
            db.execute(PAUSE, params![pause.reason, pause.since.unix_ms(), pause.probe_at.unix_ms()]).map(drop)
        }
    }
}

//! Forgets, a slice at a time: the questions of `store::retention`, in this dialect. Whoever erases the same rows at
//! the same moment counts what it erased itself.

use super::session::Ask;
use super::tx::PostgresTx;
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::retention::{Age, Erasable, EraseRequest, Erased, judge};

// The slice is cut first, and every question of its rows is a look at an index: of `EXISTS` the planner makes a hash of
// the whole table, for so many rows as it fears there will be.

/// 0 young, 1 still needed, 2 goes.
const RAW: &str = "-- retention.look_raw
    SELECT w.receipt_no, CASE
        WHEN r.received_at >= $2 THEN 0
        WHEN r.verdict IN ('stale', 'unreadable', 'paused')
            AND (SELECT o.at FROM redone o WHERE o.receipt_no = r.no) IS NULL THEN 1
        WHEN (SELECT b.no FROM breaks b WHERE b.event_key = r.event_key AND b.closed_at IS NULL LIMIT 1) IS NOT NULL
            THEN 1
        WHEN (SELECT b.no FROM events v JOIN breaks b ON b.event_key = v.key
            WHERE v.reverses = r.event_key AND b.closed_at IS NULL LIMIT 1) IS NOT NULL THEN 1
        -- Its payment, or its reversal and the payment that this names.
        WHEN (SELECT x.no FROM events x
            WHERE x.key IN (r.event_key, (SELECT e.reverses FROM events e WHERE e.key = r.event_key)) AND (
                x.state IN ('parked', 'expected', 'waiting')
                OR (SELECT b.no FROM breaks b WHERE b.event_key = x.key AND b.closed_at IS NULL LIMIT 1) IS NOT NULL
                OR (SELECT d.no FROM (SELECT x.first_posting AS no UNION ALL SELECT l.no FROM postings l
                            WHERE l.event_no = x.no AND l.kind IN ('rematch', 'reverse')) p
                        JOIN dispatches d ON d.no >= p.no << 16 AND d.no < (p.no + 1) << 16
                    WHERE d.state IN ('waiting', 'leased', 'parked')
                        OR (SELECT b.no FROM breaks b WHERE b.dispatch = 'dsp_' || replace(d.key::text, '-', '')
                            AND b.closed_at IS NULL LIMIT 1) IS NOT NULL
                        OR (SELECT b.no FROM breaks b JOIN invoices i ON i.id = b.invoice
                            WHERE i.no = d.invoice_no AND b.closed_at IS NULL LIMIT 1) IS NOT NULL
                    LIMIT 1) IS NOT NULL)
            LIMIT 1) IS NOT NULL THEN 1
        ELSE 2 END
    FROM (SELECT receipt_no FROM raw_notices WHERE receipt_no > $1 ORDER BY receipt_no LIMIT $3) w
        JOIN receipts r ON r.no = w.receipt_no
    ORDER BY w.receipt_no";

/// 3: erased before.
const ATTEMPTS: &str = "-- retention.look_attempts
    SELECT d.no, CASE
        WHEN d.body = '' THEN 3
        WHEN d.created_at >= $2 OR coalesce(d.delivered_at, d.closed_at) >= $2 THEN 0
        WHEN d.state IN ('waiting', 'leased', 'parked') THEN 1
        WHEN (SELECT b.no FROM breaks b WHERE b.dispatch = 'dsp_' || replace(d.key::text, '-', '')
            AND b.closed_at IS NULL LIMIT 1) IS NOT NULL THEN 1
        WHEN (SELECT b.no FROM postings p JOIN events e ON e.no = p.event_no JOIN breaks b ON b.event_key = e.key
            WHERE p.no = d.no >> 16 AND b.closed_at IS NULL LIMIT 1) IS NOT NULL THEN 1
        WHEN (SELECT b.no FROM postings p JOIN events e ON e.no = p.event_no JOIN events v ON v.reverses = e.key
                JOIN breaks b ON b.event_key = v.key
            WHERE p.no = d.no >> 16 AND b.closed_at IS NULL LIMIT 1) IS NOT NULL THEN 1
        WHEN (SELECT b.no FROM breaks b JOIN invoices i ON i.id = b.invoice
            WHERE i.no = d.invoice_no AND b.closed_at IS NULL LIMIT 1) IS NOT NULL THEN 1
        ELSE 2 END
    FROM (SELECT * FROM dispatches WHERE no > $1 ORDER BY no LIMIT $3) d ORDER BY d.no";

// Locked in order, so that two never wait for each other crosswise.
const ERASE_RAW: &str = "-- retention.erase_raw\nDELETE FROM raw_notices WHERE receipt_no IN
    (SELECT w.receipt_no FROM raw_notices w WHERE w.receipt_no = ANY($1) ORDER BY w.receipt_no FOR UPDATE)";

const ERASE_ATTEMPTS: &str = "-- retention.erase_attempts\nUPDATE dispatches SET body = '' WHERE no IN
    (SELECT d.no FROM dispatches d WHERE d.no = ANY($1) AND d.body <> '' ORDER BY d.no FOR UPDATE)";

const NOTE: &str = "-- retention.note\nINSERT INTO retention AS t (what, before, at, erased) VALUES ($1, $2, $3, $4)
    ON CONFLICT (what) DO UPDATE SET before = greatest(t.before, excluded.before), at = excluded.at,
        erased = t.erased + excluded.erased";

/// Looks at a slice and erases what goes.
pub(super) fn erase(tx: &mut PostgresTx<'_>, request: &EraseRequest) -> Result<Erased, StoreError> {
    let (look, erase) = match request.what {
        Erasable::Raw => (RAW, ERASE_RAW),
        Erasable::Attempts => (ATTEMPTS, ERASE_ATTEMPTS),
    };
    let (before, at, limit) = (request.before.unix_ms(), request.at.unix_ms(), i64::from(request.limit));
    let answer = tx.ask_one(Ask::new(look, vec![&request.after, &before, &limit]))?;
    let rows = answer.all(|cells| Ok((cells.whole()?, Age::of(cells.whole()?)?)))?;
    let (erased, goes) = judge(request, &rows);
    if request.dry_run || goes.is_empty() {
        return Ok(erased);
    }
    let erased = Erased { erased: tx.ask_one(Ask::new(erase, vec![&goes]))?.count, ..erased };
    let (what, count) = (request.what.word(), erased.erased.cast_signed());
    tx.ask_one(Ask::new(NOTE, vec![&what, &before, &at, &count]))?;
    Ok(erased)
}

//! Forgets, a slice at a time: the questions of `store::retention`, in this dialect.

use super::statement::Db;
use crate::store::StoreError;
use crate::store::retention::{Age, Erasable, EraseRequest, Erased, judge};

/// 0 young, 1 still needed, 2 goes.
const RAW: &str = "-- retention.look_raw
    SELECT w.receipt_no, CASE
        WHEN r.received_at >= ?2 THEN 0
        WHEN r.verdict IN ('stale', 'unreadable', 'paused')
            AND NOT EXISTS (SELECT 1 FROM redone o WHERE o.receipt_no = r.no) THEN 1
        WHEN EXISTS (SELECT 1 FROM breaks b WHERE b.event_key = r.event_key AND b.closed_at IS NULL) THEN 1
        WHEN EXISTS (SELECT 1 FROM events v JOIN breaks b ON b.event_key = v.key
            WHERE v.reverses = r.event_key AND b.closed_at IS NULL) THEN 1
        -- Its payment, or its reversal and the payment that this names.
        WHEN EXISTS (SELECT 1 FROM events x
            WHERE x.key IN (r.event_key, (SELECT e.reverses FROM events e WHERE e.key = r.event_key)) AND (
                x.state IN ('parked', 'expected', 'waiting')
                OR EXISTS (SELECT 1 FROM breaks b WHERE b.event_key = x.key AND b.closed_at IS NULL)
                OR EXISTS (SELECT 1 FROM (SELECT x.first_posting AS no UNION ALL SELECT l.no FROM postings l
                            WHERE l.event_no = x.no AND l.kind IN ('rematch', 'reverse')) p
                        JOIN dispatches d ON d.no >= p.no << 16 AND d.no < (p.no + 1) << 16
                    WHERE d.state IN ('waiting', 'leased', 'parked')
                        OR EXISTS (SELECT 1 FROM breaks b WHERE b.dispatch = 'dsp_' || lower(hex(d.key)) AND b.closed_at IS NULL)
                        OR EXISTS (SELECT 1 FROM invoices i JOIN breaks b ON b.invoice = i.id
                            WHERE i.no = d.invoice_no AND b.closed_at IS NULL)))) THEN 1
        ELSE 2 END
    FROM raw_notices w JOIN receipts r ON r.no = w.receipt_no
    WHERE w.receipt_no > ?1 ORDER BY w.receipt_no LIMIT ?3";

/// 3: erased before.
const ATTEMPTS: &str = "-- retention.look_attempts
    SELECT d.no, CASE
        WHEN d.body = '' THEN 3
        WHEN d.created_at >= ?2 OR coalesce(d.delivered_at, d.closed_at) >= ?2 THEN 0
        WHEN d.state IN ('waiting', 'leased', 'parked') THEN 1
        WHEN EXISTS (SELECT 1 FROM breaks b
            WHERE b.dispatch = 'dsp_' || lower(hex(d.key)) AND b.closed_at IS NULL) THEN 1
        WHEN EXISTS (SELECT 1 FROM postings p JOIN events e ON e.no = p.event_no JOIN breaks b ON b.event_key = e.key
            WHERE p.no = d.no >> 16 AND b.closed_at IS NULL) THEN 1
        WHEN EXISTS (SELECT 1 FROM postings p JOIN events e ON e.no = p.event_no JOIN events v ON v.reverses = e.key
                JOIN breaks b ON b.event_key = v.key
            WHERE p.no = d.no >> 16 AND b.closed_at IS NULL) THEN 1
        WHEN EXISTS (SELECT 1 FROM invoices i JOIN breaks b ON b.invoice = i.id
            WHERE i.no = d.invoice_no AND b.closed_at IS NULL) THEN 1
        ELSE 2 END
    FROM dispatches d WHERE d.no > ?1 ORDER BY d.no LIMIT ?3";

const ERASE_RAW: &str = "-- retention.erase_raw\nDELETE FROM raw_notices WHERE receipt_no = ?1";

const ERASE_ATTEMPT: &str = "-- retention.erase_attempt\nUPDATE dispatches SET body = '' WHERE no = ?1";

const NOTE: &str = "-- retention.note\nINSERT INTO retention (what, before, at, erased) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (what) DO UPDATE SET before = max(before, excluded.before), at = excluded.at,
        erased = erased + excluded.erased";

/// Looks at a slice and erases what goes.
pub(super) fn erase(db: Db<'_>, request: &EraseRequest) -> Result<Erased, StoreError> {
    let (look, erase) = match request.what {
        Erasable::Raw => (RAW, ERASE_RAW),
        Erasable::Attempts => (ATTEMPTS, ERASE_ATTEMPT),
    };
    let before = request.before.unix_ms();
    let rows =
        db.all(look, (request.after, before, request.limit), |cells| Ok((cells.next()?, Age::of(cells.next()?)?)))?;
    let (erased, goes) = judge(request, &rows);
    if request.dry_run || goes.is_empty() {
        return Ok(erased);
    }
    let mut statement = db.prepare(erase)?;
    for no in goes {
        statement.execute([no])?;
    }
    let count = erased.erased.cast_signed();
    db.execute(NOTE, (request.what.word(), before, request.at.unix_ms(), count))?;
    Ok(erased)
}

//! The gateway's file, read with SQL of the rig's own.

use crate::judge::{AllocationRow, Books, DispatchRow, EntryRow, EventRow, PostingRow, ReceiptRow};
use rusqlite::{Connection, OpenFlags, Row};
use std::path::Path;

const EVENTS: &str = "SELECT lower(hex(e.key)), s.partner, e.event, e.movement, e.amount, e.state FROM events e
    JOIN senders s ON s.no = e.sender_no";
const POSTINGS: &str =
    "SELECT p.no, lower(hex(e.key)) FROM postings p LEFT JOIN events e ON e.no = p.event_no ORDER BY p.no";
const ENTRIES: &str = "SELECT n.posting_no, a.name, n.amount FROM entries n JOIN accounts a ON a.no = n.account_no";
const ALLOCATIONS: &str =
    "SELECT a.posting_no, i.id, a.amount FROM allocations a JOIN invoices i ON i.no = a.invoice_no";
const DISPATCHES: &str = "SELECT 'dsp_' || lower(hex(d.key)), i.id, coalesce(d.state, 'missing')
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no LEFT JOIN dispatches d ON d.no = a.no";
const RECEIPTS: &str = "SELECT lane, n, previous, hash FROM receipts";
const TOTALS: &str = "SELECT id, total FROM invoices";

/// Opens the file for reading. The gateway must have ended.
pub fn read(file: &Path) -> Result<Books, String> {
    let said = |e: rusqlite::Error| format!("{}: {e}", file.display());
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(said)?;
    let healthy: String = db.query_row("PRAGMA integrity_check", [], |r| r.get(0)).map_err(said)?;
    if healthy != "ok" {
        return Err(format!("{}: integrity_check says {healthy}", file.display()));
    }
    Ok(Books {
        events: rows(&db, EVENTS, |r| {
            let (key, partner, event) = (r.get(0)?, r.get(1)?, r.get(2)?);
            Ok(EventRow { key, partner, event, movement: r.get(3)?, amount: r.get(4)?, state: r.get(5)? })
        })?,
        postings: rows(&db, POSTINGS, |r| Ok(PostingRow { no: r.get(0)?, event: r.get(1)? }))?,
        entries: rows(&db, ENTRIES, |r| Ok(EntryRow { posting: r.get(0)?, account: r.get(1)?, amount: r.get(2)? }))?,
        allocations: rows(&db, ALLOCATIONS, |r| {
            Ok(AllocationRow { posting: r.get(0)?, invoice: r.get(1)?, amount: r.get(2)? })
        })?,
        dispatches: rows(&db, DISPATCHES, |r| {
            Ok(DispatchRow { key: r.get(0)?, invoice: r.get(1)?, state: r.get(2)? })
        })?,
        receipts: rows(&db, RECEIPTS, |r| {
            Ok(ReceiptRow { lane: r.get(0)?, n: r.get(1)?, previous: r.get(2)?, hash: r.get(3)? })
        })?,
        totals: rows(&db, TOTALS, |r| Ok((r.get(0)?, r.get(1)?)))?.into_iter().collect(),
    })
}

fn rows<T>(db: &Connection, sql: &str, row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, String> {
    let said = |e: rusqlite::Error| format!("{sql}: {e}");
    let mut statement = db.prepare(sql).map_err(said)?;
    let found = statement.query_map([], row).map_err(said)?;
    found.collect::<rusqlite::Result<Vec<T>>>().map_err(said)
}

//! Questions that a sound database answers with no row: the books prove themselves, whatever wrote them.

use super::statement::Db;
use crate::store::StoreError;
use crate::store::reports::Inconsistencies;

/// Rows named per question: the first ones tell what is wrong.
const FOUND_MAX: u32 = 20;

/// Each gives sentences that name the row. `?1` is [`FOUND_MAX`].
const QUESTIONS: [&str; 15] = [
    "-- checks.balance
    SELECT 'posting ' || posting_no || ' is off by ' || sum(amount) || ' dong'
    FROM entries GROUP BY posting_no HAVING sum(amount) <> 0 LIMIT ?1",
    "-- checks.empty_posting
    SELECT 'posting ' || p.no || ' has no entries'
    FROM postings p WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.posting_no = p.no) LIMIT ?1",
    "-- checks.no_message
    SELECT 'posting ' || a.posting_no || ' settles invoice ' || i.id || ' and the core is not told'
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no LEFT JOIN dispatches d ON d.no = a.no
    WHERE d.no IS NULL LIMIT ?1",
    "-- checks.no_settlement
    SELECT 'message ' || d.no || ' tells of no settlement'
    FROM dispatches d LEFT JOIN allocations a ON a.no = d.no WHERE a.no IS NULL LIMIT ?1",
    "-- checks.message_twice
    SELECT 'message dsp_' || lower(hex(key)) || ' is there ' || count(*) || ' times'
    FROM allocations GROUP BY key HAVING count(*) > 1 LIMIT ?1",
    "-- checks.receivable
    SELECT 'posting ' || p.no || ' moves receivables by ' || r.moved || ' dong and invoices by ' || l.settled
    FROM postings p
        JOIN (SELECT p.no, coalesce(sum(e.amount) FILTER (WHERE c.name LIKE 'receivable:%'), 0) AS moved
              FROM postings p LEFT JOIN entries e ON e.posting_no = p.no LEFT JOIN accounts c ON c.no = e.account_no
              GROUP BY p.no) r ON r.no = p.no
        JOIN (SELECT p.no, coalesce(sum(a.amount), 0) AS settled
              FROM postings p LEFT JOIN allocations a ON a.posting_no = p.no GROUP BY p.no) l ON l.no = p.no
    WHERE r.moved <> -l.settled LIMIT ?1",
    "-- checks.sequence
    SELECT 'invoice ' || i.id || ' has ' || count(*) || ' effects numbered ' || min(a.sequence) || ' to ' || max(a.sequence)
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no GROUP BY a.invoice_no
    HAVING min(a.sequence) <> 1 OR max(a.sequence) <> count(*) LIMIT ?1",
    "-- checks.settled_below_zero
    SELECT 'invoice ' || i.id || ' is settled by ' || sum(a.amount) || ' dong'
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no GROUP BY a.invoice_no HAVING sum(a.amount) < 0 LIMIT ?1",
    "-- checks.posting_count
    SELECT 'event ' || lower(hex(e.key)) || ' counts ' || e.postings || ' postings and has ' || count(p.no)
    FROM events e LEFT JOIN postings p ON p.event_no = e.no GROUP BY e.no HAVING e.postings <> count(p.no) LIMIT ?1",
    "-- checks.state_and_invoices
    SELECT 'event ' || lower(hex(e.key)) || ' is ' || e.state || ' over ' || e.amount || ' dong, and invoices are settled by '
        || coalesce(sum(a.amount), 0)
    FROM events e LEFT JOIN postings p ON p.event_no = e.no LEFT JOIN allocations a ON a.posting_no = p.no
    GROUP BY e.no HAVING coalesce(sum(a.amount), 0) <> CASE e.state WHEN 'settled' THEN e.amount ELSE 0 END LIMIT ?1",
    "-- checks.state_and_suspense
    SELECT 'event ' || lower(hex(e.key)) || ' is ' || e.state || ' over ' || e.amount || ' dong, and suspense holds '
        || coalesce(-sum(l.amount), 0)
    FROM events e LEFT JOIN postings p ON p.event_no = e.no
        LEFT JOIN entries l ON l.posting_no = p.no
            AND l.account_no IN (SELECT no FROM accounts WHERE name LIKE 'suspense:%')
    GROUP BY e.no HAVING coalesce(-sum(l.amount), 0) <> CASE e.state WHEN 'parked' THEN e.amount ELSE 0 END LIMIT ?1",
    "-- checks.undone
    SELECT 'event ' || lower(hex(e.key)) || ' is ' || e.state || ' and account ' || c.name || ' keeps '
        || sum(l.amount) || ' dong of it'
    FROM events e JOIN postings p ON p.event_no = e.no JOIN entries l ON l.posting_no = p.no
        JOIN accounts c ON c.no = l.account_no
    WHERE e.state NOT IN ('settled', 'parked') GROUP BY e.no, l.account_no HAVING sum(l.amount) <> 0 LIMIT ?1",
    "-- checks.head
    SELECT 'message ' || d.no || ' of invoice ' || i.id || ' is ' || d.state
        || CASE d.head WHEN 1 THEN ' and may overtake an earlier one' ELSE ' and nothing before it will free it' END
    FROM dispatches d JOIN allocations a ON a.no = d.no JOIN invoices i ON i.no = a.invoice_no
    WHERE d.state IN ('waiting', 'leased', 'parked')
        AND d.head <> NOT EXISTS (SELECT 1 FROM allocations b JOIN dispatches f ON f.no = b.no
            WHERE b.invoice_no = a.invoice_no AND b.sequence < a.sequence
                AND f.state IN ('waiting', 'leased', 'parked')) LIMIT ?1",
    "-- checks.generation
    SELECT 'generation ' || generation || ' noted posting ' || last_posting || ', which is not there'
    FROM generations WHERE last_posting > (SELECT coalesce(max(no), 0) FROM postings) LIMIT ?1",
    "-- checks.foreign_keys
    SELECT 'a row of ' || \"table\" || ' points at no row of ' || parent FROM pragma_foreign_key_check LIMIT ?1",
];

/// Asks them all.
pub(super) fn all(db: Db<'_>) -> Result<Inconsistencies, StoreError> {
    let mut found = Vec::new();
    for question in QUESTIONS {
        found.extend(db.all(question, [FOUND_MAX], |cells| cells.next::<String>())?);
    }
    Ok(Inconsistencies { found })
}

//! Questions that a sound database answers with no row: the books prove themselves, whatever wrote them. Those of every
//! store, and those of this one: what a lane's row says, and what no foreign key holds.

use crate::store::notified::{is_given, takes_in};

/// Rows named per question: the first ones tell what is wrong.
pub(super) const FOUND_MAX: i64 = 20;

/// Each gives sentences that name the row. `$1` is [`FOUND_MAX`].
pub(super) const QUESTIONS: [&str; 36] = [
    "-- checks.balance
    SELECT 'posting ' || (no >> 16) || ' is off by ' || sum(amount) || ' dong'
    FROM entries GROUP BY no >> 16 HAVING sum(amount) <> 0 LIMIT $1",
    "-- checks.empty_posting
    SELECT 'posting ' || p.no || ' has no entries'
    FROM postings p LEFT JOIN (SELECT DISTINCT no >> 16 AS posting_no FROM entries) e ON e.posting_no = p.no
    WHERE e.posting_no IS NULL LIMIT $1",
    "-- checks.day_sums
    SELECT 'account ' || coalesce(a.name, 'without a name') || ' is said to have moved ' || coalesce(s.dong, 0) || ' dong by ' || coalesce(s.postings, 0)
        || ' postings of kind ' || kind || ' on ' || business_day || ', and moved ' || coalesce(b.dong, 0) || ' by '
        || coalesce(b.postings, 0)
    FROM (SELECT e.sender_no, p.business_day, n.account_no, p.kind, count(DISTINCT p.no) AS postings, sum(n.amount)::bigint AS dong
            FROM entries n JOIN postings p ON p.no = n.no >> 16 JOIN events e ON e.no = p.event_no
            GROUP BY e.sender_no, p.business_day, n.account_no, p.kind) b
        FULL JOIN (SELECT sender_no, business_day, account_no, kind, sum(postings)::bigint AS postings, sum(dong)::bigint AS dong
            FROM day_sums GROUP BY sender_no, business_day, account_no, kind) s USING (sender_no, business_day, account_no, kind)
        LEFT JOIN accounts a ON a.no = account_no
    WHERE s.postings IS DISTINCT FROM b.postings OR s.dong IS DISTINCT FROM b.dong LIMIT $1",
    "-- checks.no_message
    SELECT 'posting ' || (a.no >> 16) || ' settles invoice ' || i.id || ' and the core is not told'
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no LEFT JOIN dispatches d ON d.no = a.no
    WHERE d.no IS NULL LIMIT $1",
    "-- checks.no_settlement
    SELECT 'message ' || d.no || ' tells of no settlement'
    FROM dispatches d LEFT JOIN allocations a ON a.invoice_no = d.invoice_no AND a.sequence = d.sequence AND a.no = d.no
    WHERE a.no IS NULL LIMIT $1",
    "-- checks.message_twice
    SELECT 'message dsp_' || replace(key::text, '-', '') || ' is there ' || count(*) || ' times'
    FROM dispatches GROUP BY key HAVING count(*) > 1 LIMIT $1",
    "-- checks.receivable
    SELECT 'posting ' || posting_no || ' moves receivables by ' || sum(moved) || ' dong and invoices by ' || sum(settled)
    FROM (SELECT no >> 16 AS posting_no, amount AS moved, 0 AS settled FROM entries
              WHERE account_no IN (SELECT no FROM accounts WHERE name LIKE 'receivable:%')
          UNION ALL SELECT no >> 16, 0, amount FROM allocations) m
    GROUP BY posting_no HAVING sum(moved) <> -sum(settled) LIMIT $1",
    "-- checks.sequence
    SELECT 'invoice ' || i.id || ' has ' || count(*) || ' effects numbered ' || min(a.sequence) || ' to ' || max(a.sequence)
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no GROUP BY i.id
    HAVING min(a.sequence) <> 1 OR max(a.sequence) <> count(*) LIMIT $1",
    "-- checks.settled_below_zero
    SELECT 'invoice ' || i.id || ' is settled by ' || sum(a.amount) || ' dong'
    FROM allocations a JOIN invoices i ON i.no = a.invoice_no GROUP BY i.id HAVING sum(a.amount) < 0 LIMIT $1",
    "-- checks.posting_count
    SELECT 'event ' || replace(e.key::text, '-', '') || ' counts ' || e.postings || ' postings and has ' || coalesce(p.n, 0)
    FROM events e LEFT JOIN (SELECT event_no, count(*) AS n FROM postings GROUP BY event_no) p ON p.event_no = e.no
    WHERE e.postings <> coalesce(p.n, 0) LIMIT $1",
    "-- checks.first_posting
    SELECT 'event ' || replace(e.key::text, '-', '') || ' names posting ' || coalesce(e.first_posting::text, 'none')
        || ' as its first and has ' || coalesce(p.first::text, 'none') || ', with ' || coalesce(p.taken, 0)
        || ' that took money in'
    FROM events e LEFT JOIN (SELECT event_no, count(*) FILTER (WHERE kind IN ('settle', 'park')) AS taken,
            min(no) FILTER (WHERE kind IN ('settle', 'park')) AS first
        FROM postings GROUP BY event_no) p ON p.event_no = e.no
    WHERE e.first_posting IS DISTINCT FROM p.first OR coalesce(p.taken, 1) <> 1 LIMIT $1",
    // The page of today counts a payment by the entries that its money came in by. They are looked up for each: of tables whose
    // statistics were never taken a join by the posting's number would read all entries for each payment.
    concat!(
        "-- checks.came_in
    SELECT 'posting ' || p.no || ' takes in ' || coalesce(m.dong, 0) || ' dong on ' || p.business_day
        || CASE WHEN m.collected = 0 THEN ', none of them from the collector,' ELSE '' END
        || ' of a payment over ' || e.amount || ' on ' || e.business_day || ', of which a sponsor gives ' || e.discount
    FROM events e JOIN senders s ON s.no = e.sender_no JOIN postings p ON p.no = e.first_posting
        CROSS JOIN LATERAL (SELECT sum(n.amount)::bigint AS dong,
                count(*) FILTER (WHERE a.name LIKE 'clearing:%') AS collected
            FROM entries n JOIN accounts a ON a.no = n.account_no AND ",
        takes_in!(),
        " WHERE n.no >= p.no << 16 AND n.no < (p.no + 1) << 16) m
    WHERE p.business_day <> e.business_day OR m.dong IS DISTINCT FROM e.amount OR (m.collected = 0) <> (",
        is_given!(),
        ") LIMIT $1"
    ),
    "-- checks.ordinal
    SELECT 'event ' || replace(e.key::text, '-', '') || ' has ' || p.n || ' postings numbered ' || p.first || ' to ' || p.last
    FROM events e JOIN (SELECT event_no, count(*) AS n, count(DISTINCT ordinal) AS kinds, min(ordinal) AS first,
        max(ordinal) AS last FROM postings GROUP BY event_no) p ON p.event_no = e.no
    WHERE p.first <> 1 OR p.last <> p.n OR p.kinds <> p.n LIMIT $1",
    "-- checks.state_and_invoices
    SELECT 'event ' || replace(e.key::text, '-', '') || ' is ' || e.state || ' over ' || e.amount
        || ' dong, and invoices are settled by ' || coalesce(a.settled, 0)
    FROM events e LEFT JOIN (SELECT p.event_no, sum(a.amount) AS settled
        FROM allocations a JOIN postings p ON p.no = a.no >> 16 GROUP BY p.event_no) a ON a.event_no = e.no
        LEFT JOIN (SELECT DISTINCT event_no FROM postings WHERE kind = 'rematch' AND author <> 'system:rematch') h
            ON h.event_no = e.no
    -- Where people moved it, a part of it may be elsewhere.
    WHERE (h.event_no IS NULL OR e.state NOT IN ('settled', 'parked'))
            AND coalesce(a.settled, 0) <> CASE e.state WHEN 'settled' THEN e.amount ELSE 0 END
        OR h.event_no IS NOT NULL AND (coalesce(a.settled, 0) NOT BETWEEN 0 AND e.amount
            OR e.state = 'settled' AND coalesce(a.settled, 0) = 0) LIMIT $1",
    "-- checks.state_and_suspense
    SELECT 'event ' || replace(e.key::text, '-', '') || ' is ' || e.state || ' over ' || e.amount
        || ' dong, and suspense holds ' || coalesce(-l.held, 0)
    FROM events e LEFT JOIN (SELECT p.event_no, sum(l.amount) AS held FROM entries l JOIN postings p ON p.no = l.no >> 16
        WHERE l.account_no IN (SELECT no FROM accounts WHERE name LIKE 'suspense:%') GROUP BY p.event_no) l
        ON l.event_no = e.no
        LEFT JOIN (SELECT DISTINCT event_no FROM postings WHERE kind = 'rematch' AND author <> 'system:rematch') h
            ON h.event_no = e.no
    WHERE (h.event_no IS NULL OR e.state <> 'parked')
            AND coalesce(-l.held, 0) <> CASE e.state WHEN 'parked' THEN e.amount ELSE 0 END
        OR h.event_no IS NOT NULL AND coalesce(-l.held, 0) NOT BETWEEN 0 AND e.amount LIMIT $1",
    "-- checks.undone
    SELECT 'event ' || replace(e.key::text, '-', '') || ' is ' || e.state || ' and account ' || c.name || ' keeps '
        || sum(l.amount) || ' dong of it'
    FROM entries l JOIN postings p ON p.no = l.no >> 16 JOIN events e ON e.no = p.event_no
        JOIN accounts c ON c.no = l.account_no
    WHERE e.state NOT IN ('settled', 'parked') GROUP BY e.key, e.state, c.name HAVING sum(l.amount) <> 0 LIMIT $1",
    "-- checks.booked
    SELECT 'receipt ' || (r.no & 1099511627775) || ' of lane ' || (r.no >> 40) || ' is ' || r.verdict || ' over '
        || coalesce(r.amount::text, 'no') || ' dong, and '
        || coalesce('its event is over ' || e.amount, 'its event is not in the books')
    FROM receipts r LEFT JOIN events e ON e.key = r.event_key
    WHERE r.verdict IN ('settled', 'parked', 'reversal', 'reversal_refused', 'created') AND e.amount IS DISTINCT FROM r.amount
    LIMIT $1",
    "-- checks.received
    SELECT 'event ' || replace(e.key::text, '-', '') || ' is ' || e.state || ' and no receipt says so'
    FROM events e LEFT JOIN (SELECT DISTINCT event_key FROM receipts
        WHERE verdict IN ('settled', 'parked', 'reversal', 'reversal_refused', 'created')) r ON r.event_key = e.key
    WHERE e.state <> 'expected' AND r.event_key IS NULL LIMIT $1",
    "-- checks.touched_twice
    SELECT 'posting ' || (no >> 16) || ' settles an invoice ' || count(*) || ' times'
    FROM allocations GROUP BY no >> 16, invoice_no HAVING count(*) > 1 LIMIT $1",
    "-- checks.head
    SELECT 'message ' || d.no || ' of invoice ' || i.id || ' is ' || d.state
        || CASE WHEN d.head THEN ' and may overtake an earlier one' ELSE ' and nothing before it will free it' END
    FROM dispatches d JOIN invoices i ON i.no = d.invoice_no
    WHERE d.state IN ('waiting', 'leased', 'parked')
        AND d.head <> NOT EXISTS (SELECT 1 FROM allocations b JOIN dispatches f ON f.no = b.no
            WHERE b.invoice_no = d.invoice_no AND b.sequence < d.sequence
                AND f.state IN ('waiting', 'leased', 'parked')) LIMIT $1",
    "-- checks.generation
    SELECT 'generation ' || g.generation || ' noted posting ' || g.last_posting || ', which is not there'
    FROM generations g LEFT JOIN postings p ON p.no = g.last_posting
    WHERE g.last_posting <> 0 AND p.no IS NULL LIMIT $1",
    "-- checks.lane
    SELECT 'lane ' || l.lane || ' says that it ends at receipt ' || l.n || ', and it ends at ' || coalesce(r.n, 0)
    FROM lanes l FULL JOIN (SELECT no >> 40 AS lane, max(no & 1099511627775) AS n FROM receipts GROUP BY no >> 40) r
        ON r.lane = l.lane
    WHERE coalesce(l.n, -1) <> coalesce(r.n, 0)
        OR l.n > 0 AND l.hash IS DISTINCT FROM (SELECT hash FROM receipts WHERE no = (l.lane::bigint << 40) + l.n) LIMIT $1",
    "-- checks.event_sender
    SELECT 'event ' || e.no || ' points at no sender'
    FROM events e LEFT JOIN senders s ON s.no = e.sender_no WHERE s.no IS NULL LIMIT $1",
    "-- checks.posting_event
    SELECT 'posting ' || p.no || ' points at no event'
    FROM postings p LEFT JOIN events e ON e.no = p.event_no WHERE e.no IS NULL LIMIT $1",
    "-- checks.entry_posting
    SELECT 'entry ' || n.no || ' points at no posting'
    FROM entries n LEFT JOIN postings p ON p.no = n.no >> 16 WHERE p.no IS NULL LIMIT $1",
    "-- checks.entry_account
    SELECT 'entry ' || n.no || ' points at no account'
    FROM entries n LEFT JOIN accounts a ON a.no = n.account_no WHERE a.no IS NULL LIMIT $1",
    "-- checks.allocation_posting
    SELECT 'allocation ' || l.no || ' points at no posting'
    FROM allocations l LEFT JOIN postings p ON p.no = l.no >> 16 WHERE p.no IS NULL LIMIT $1",
    "-- checks.allocation_invoice
    SELECT 'allocation ' || l.no || ' points at no invoice'
    FROM allocations l LEFT JOIN invoices i ON i.no = l.invoice_no WHERE i.no IS NULL LIMIT $1",
    "-- checks.bytes_lost
    SELECT 'receipt ' || (r.no & 1099511627775) || ' of lane ' || (r.no >> 40)
        || ' has lost its bytes, and no retention takes one so young'
    FROM receipts r LEFT JOIN raw_notices w ON w.receipt_no = r.no
    WHERE w.receipt_no IS NULL
        AND r.received_at >= coalesce((SELECT before FROM retention WHERE what = 'raw'), r.received_at) LIMIT $1",
    "-- checks.bytes_erased
    SELECT gone || ' receipts have no bytes, and retention erased those of ' || erased
    FROM (SELECT (SELECT count(*) FROM receipts) - (SELECT count(*) FROM raw_notices) AS gone,
        coalesce((SELECT erased FROM retention WHERE what = 'raw'), 0) AS erased) s WHERE gone <> erased LIMIT $1",
    "-- checks.bodies_erased
    SELECT gone || ' messages have no bytes, and retention erased those of ' || erased
    FROM (SELECT (SELECT count(*) FROM dispatches WHERE body = '') AS gone,
        coalesce((SELECT erased FROM retention WHERE what = 'attempts'), 0) AS erased) s WHERE gone <> erased LIMIT $1",
    "-- checks.raw_receipt
    SELECT 'raw notice ' || w.receipt_no || ' points at no receipt'
    FROM raw_notices w LEFT JOIN receipts r ON r.no = w.receipt_no WHERE r.no IS NULL LIMIT $1",
    "-- checks.redone_receipt
    SELECT 'redone notice ' || o.receipt_no || ' points at no receipt'
    FROM redone o LEFT JOIN receipts r ON r.no = o.receipt_no WHERE r.no IS NULL LIMIT $1",
    "-- checks.seal_head
    SELECT 'a head of lane ' || h.lane || ' points at no seal'
    FROM seal_heads h LEFT JOIN seals s ON s.no = h.seal_no WHERE s.no IS NULL LIMIT $1",
    "-- checks.allocation_twice
    SELECT 'allocation ' || no || ' is there ' || count(*) || ' times'
    FROM allocations GROUP BY no HAVING count(*) > 1 LIMIT $1",
    "-- checks.number_shared
    SELECT 'lane ' || a.lane || ' and lane ' || b.lane || ' share a block of numbers'
    FROM lanes a JOIN lanes b ON b.lane > a.lane AND b.last_number = a.last_number LIMIT $1",
];

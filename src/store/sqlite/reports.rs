//! Reading for collectors, people and the audit, on a connection of its own: a snapshot that the writer never waits
//! for. Every list has a limit that the caller names (I10).

use super::statement::{Db, RowCells};
use super::{checks, invoices, outbox, statement, statements, tx, write};
use crate::domain::ids::{DispatchKey, EventKey, EventNo, Generation, InvoiceId, Movement, PartnerCode, PostingNo};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::notice::Wanted;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::receipt::Verdict;
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::cells::{
    Cells as _, account_and_money, dispatch_columns, dispatch_query, dispatch_view, event_columns, event_query, events,
    numbered_event, stored_receipt,
};
use crate::store::numbers::{lane_base, lines_of, receipt_no};
use crate::store::reports::{
    BookedCount, DispatchFilter, DispatchView, Inconsistencies, LaneRange, OutboxDepth, PostingView, ReceiptCount,
    ReceiptFilter, Reports, SlowPage, SlowPlace, StoredReceipt,
};
use crate::store::rows::EventRecord;
use crate::store::shared::{BookedSums, event_ids, newest};
use crate::store::statements::{
    DayEvent, DayEvents, DayLine, Freed, Judged, JudgedEvents, LegBreak, LegBreaks, ReconciliationView, StatementFile,
};
use crate::store::{Candidates, FoundDispatch, RouteState, Seal, StoreError};
use jiff::civil::Date;
use rusqlite::{Connection, params};
use std::path::Path;

/// A reading connection.
#[derive(Debug)]
pub struct SqliteReports {
    connection: Connection,
}

impl SqliteReports {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(super) fn db(&self) -> Db<'_> {
        Db(&self.connection)
    }

    /// Several questions of one state of the books.
    pub(super) fn snapshot<T>(&self, ask: impl FnOnce(Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let fault = |error| statement::of("-- reports.snapshot", error);
        let snapshot = self.connection.unchecked_transaction().map_err(fault)?;
        let answer = ask(Db(&snapshot))?;
        snapshot.finish().map_err(fault)?;
        Ok(answer)
    }
}

/// A question for events that were settled when they came, with a reference, by what it means.
macro_rules! settled_query {
    ($name:literal, $column:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT e.no, ",
            event_columns!(),
            " FROM invoices i JOIN allocations a ON a.invoice_no = i.no JOIN postings p ON p.no = a.posting_no
            JOIN events e ON e.no = p.event_no JOIN senders s ON s.no = e.sender_no WHERE ",
            $column,
            " = ?1 AND e.listed = 0 AND ?2 IN (e.ref_invoice, e.ref_order, e.ref_customer)
            ORDER BY e.paid_at DESC, e.no DESC LIMIT ?3"
        )
    };
}

/// Receipts of a lane in order. The verdicts come as one JSON array; an empty one means all.
macro_rules! receipts_sql {
    ($name:literal, $index:literal, $and:literal) => {
        concat!(
            "-- reports.",
            $name,
            "\nSELECT r.lane, r.n, r.previous, r.hash, r.raw_hash, r.verdict, r.partner,
                r.received_at, r.amount, r.event_key, o.at, w.key_id, w.method, w.path, w.query, w.headers, w.body
            FROM receipts r ",
            $index,
            " LEFT JOIN redone o ON o.receipt_no = r.no
                LEFT JOIN raw_notices w ON ?6 AND w.receipt_no = r.no
            WHERE r.no > ?1 AND r.no < ?2 AND (?3 IS NULL OR r.partner = ?3)
                AND (?4 = '[]' OR r.verdict IN (SELECT value FROM json_each(?4)))
                AND (?7 IS NULL OR (o.at IS NULL AND r.received_at >= ?7)) ",
            $and,
            " ORDER BY r.no LIMIT ?5"
        )
    };
}

impl Reports for SqliteReports {
    fn beside(&self) -> Result<Box<dyn Reports>, StoreError> {
        let path = self.connection.path().map(Path::new);
        let path = path.ok_or_else(|| StoreError::Fault("reports.beside: the database has no path".to_owned()))?;
        Ok(Box::new(super::open_reports(path)?))
    }

    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        self.snapshot(|db| invoices::candidates(db, wanted, |_id, _no| {}))
    }

    fn event(&mut self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        const SQL: &str = event_query!("reports.event", "WHERE e.key = ?1");
        Ok(self.db().one(SQL, [key.as_bytes()], |cells| numbered_event(cells))?.map(|(_, record)| record))
    }

    fn events_named(&mut self, partner: &PartnerCode, event: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const ACCOUNTS: &str = "-- reports.accounts\nSELECT account FROM senders WHERE partner = ?1";
        const SQL: &str = event_query!("reports.events_named", "WHERE e.key = ?1");
        self.snapshot(|db| {
            let accounts = db.all(ACCOUNTS, [partner.as_str()], |cells| cells.next::<String>())?;
            let mut found = Vec::new();
            for id in event_ids(event) {
                for (account, movement) in accounts.iter().flat_map(|a| Movement::ALL.map(|movement| (a, movement))) {
                    let key = EventKey::of(partner, account, &id, movement);
                    found.extend(db.one(SQL, [key.as_bytes()], |cells| numbered_event(cells))?);
                }
            }
            Ok(newest(found, limit))
        })
    }

    fn payments_of_invoice(&mut self, invoice: &InvoiceId, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const TOUCHED: &str = event_query!(
            "reports.payments_on_invoice",
            "JOIN postings p ON p.event_no = e.no JOIN allocations a ON a.posting_no = p.no
             JOIN invoices i ON i.no = a.invoice_no WHERE i.id = ?1 ORDER BY e.paid_at DESC, e.no DESC LIMIT ?2"
        );
        const NAMED: &str = event_query!(
            "reports.payments_naming_invoice",
            "WHERE e.names_invoice = ?1 AND e.names_invoice IS NOT NULL AND e.state <> 'settled'
             ORDER BY e.paid_at DESC, e.no DESC LIMIT ?2"
        );
        self.snapshot(|db| {
            // A payment touches an invoice twice when it is undone.
            let mut found =
                db.all(TOUCHED, (invoice.as_str(), limit.saturating_mul(2)), |cells| numbered_event(cells))?;
            found.extend(db.all(NAMED, (invoice.as_str(), limit), |cells| numbered_event(cells))?);
            Ok(newest(found, limit))
        })
    }

    fn payments_by_reference(
        &mut self,
        reference: &str,
        meant: &Wanted,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        const LISTED: [&str; 3] = [
            event_query!(
                "reports.by_ref_invoice",
                "WHERE e.ref_invoice = ?1 AND e.listed = 1 ORDER BY e.paid_at DESC, e.no DESC LIMIT ?2"
            ),
            event_query!(
                "reports.by_ref_order",
                "WHERE e.ref_order = ?1 AND e.listed = 1 ORDER BY e.paid_at DESC, e.no DESC LIMIT ?2"
            ),
            event_query!(
                "reports.by_ref_customer",
                "WHERE e.ref_customer = ?1 AND e.listed = 1 ORDER BY e.paid_at DESC, e.no DESC LIMIT ?2"
            ),
        ];
        // What was settled when it came stands on an invoice, and its reference means that invoice or its customer.
        const ON_INVOICE: &str = settled_query!("reports.by_ref_on_invoice", "i.id");
        const OF_CUSTOMER: &str = settled_query!("reports.by_ref_of_customer", "i.customer");
        self.snapshot(|db| {
            let mut found = Vec::new();
            for sql in LISTED {
                found.extend(db.all(sql, (reference, limit), |cells| numbered_event(cells))?);
            }
            for invoice in &meant.invoices {
                found.extend(db.all(ON_INVOICE, (invoice.as_str(), reference, limit), |cells| numbered_event(cells))?);
            }
            for customer in &meant.customers {
                found
                    .extend(db.all(OF_CUSTOMER, (customer.as_str(), reference, limit), |cells| numbered_event(cells))?);
            }
            Ok(newest(found, limit))
        })
    }

    fn postings(&mut self, event: &EventKey) -> Result<Vec<PostingView>, StoreError> {
        const POSTING: &str = "-- reports.posting\nSELECT no, kind, author, posted_at FROM postings WHERE no = ?1";
        const ENTRIES: &str = "-- reports.entries\nSELECT a.name, e.amount FROM entries e
            JOIN accounts a ON a.no = e.account_no WHERE e.no >= ?1 AND e.no < ?2 ORDER BY e.no";
        self.snapshot(|db| {
            let mut postings = Vec::new();
            for no in write::postings_of(db, event)?.0 {
                let entries = db.all(ENTRIES, lines_of(no)?, |cells| account_and_money(cells))?;
                postings.extend(db.one(POSTING, [no], |cells| {
                    Ok(PostingView {
                        no: PostingNo(cells.next()?),
                        kind: cells.word(PostingKind::parse)?,
                        author: cells.next()?,
                        posted_at: cells.at()?,
                        entries,
                    })
                })?);
            }
            Ok(postings)
        })
    }

    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<InvoiceAccount>, StoreError> {
        let wanted = Wanted { invoices: vec![id.clone()], customers: Vec::new() };
        Ok(self.candidates(&wanted)?.invoices.remove(id))
    }

    fn invoice_count(&mut self) -> Result<i64, StoreError> {
        self.db().integer("-- reports.invoice_count\nSELECT count(*) FROM invoices", ())
    }

    fn dispatches(&mut self, filter: &DispatchFilter) -> Result<Vec<DispatchView>, StoreError> {
        const ALL: &str = dispatch_query!("reports.dispatches", "ORDER BY d.no DESC LIMIT ?1");
        const OF_INVOICE: &str = dispatch_query!(
            "reports.dispatches_of_invoice",
            "JOIN allocations a ON a.no = d.no AND a.invoice_no = d.invoice_no
            WHERE i.id = ?1 AND (?2 IS NULL OR d.state = ?2) ORDER BY a.sequence DESC LIMIT ?3"
        );
        // Delivered ones are most of the table, so a scan finds them at once; the others have an index each.
        const DELIVERED: &str =
            dispatch_query!("reports.dispatches_in_state", "WHERE d.state = ?1 ORDER BY d.no DESC LIMIT ?2");
        const WAITING: &str =
            dispatch_query!("reports.dispatches_waiting", "WHERE d.state = 'waiting' ORDER BY d.created_at LIMIT ?1");
        const LEASED: &str =
            dispatch_query!("reports.dispatches_leased", "WHERE d.state = 'leased' ORDER BY d.created_at LIMIT ?1");
        const PARKED: &str =
            dispatch_query!("reports.dispatches_parked", "WHERE d.state = 'parked' ORDER BY d.created_at LIMIT ?1");
        let (db, limit) = (self.db(), filter.limit);
        match (&filter.invoice, filter.state.as_deref()) {
            (Some(invoice), state) => {
                db.all(OF_INVOICE, (invoice.as_str(), state, limit), |cells| dispatch_view(cells))
            }
            (None, None) => db.all(ALL, [limit], |cells| dispatch_view(cells)),
            (None, Some("waiting")) => db.all(WAITING, [limit], |cells| dispatch_view(cells)),
            (None, Some("leased")) => db.all(LEASED, [limit], |cells| dispatch_view(cells)),
            (None, Some("parked")) => db.all(PARKED, [limit], |cells| dispatch_view(cells)),
            (None, Some(state)) => db.all(DELIVERED, (state, limit), |cells| dispatch_view(cells)),
        }
    }

    fn dispatches_of(&mut self, events: &[EventKey], each: u32) -> Result<Vec<DispatchView>, StoreError> {
        const OF_POSTING: &str =
            dispatch_query!("reports.dispatches_of", "WHERE d.no >= ?1 AND d.no < ?2 ORDER BY d.no DESC LIMIT ?3");
        let mut found = Vec::new();
        for event in events {
            let mut left = each;
            for posting in write::postings_of(self.db(), event)?.0.into_iter().rev() {
                let (from, to) = lines_of(posting)?;
                let of_posting = self.db().all(OF_POSTING, (from, to, left), |cells| dispatch_view(cells))?;
                left = left.saturating_sub(u32::try_from(of_posting.len()).unwrap_or(u32::MAX));
                found.extend(of_posting);
            }
        }
        Ok(found)
    }

    fn outbox_depth(&mut self) -> Result<OutboxDepth, StoreError> {
        const WAITING: &str = "-- reports.waiting\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'waiting'";
        const LEASED: &str = "-- reports.leased\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'leased'";
        const PARKED: &str = "-- reports.parked\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'parked'";
        type Count = (i64, Option<Timestamp>, Option<Timestamp>);
        let count = |cells: &mut RowCells<'_, '_>| Ok((cells.next()?, cells.at_some()?, cells.at_some()?));
        let (waiting, leased, parked): (Count, Count, Count) = self.snapshot(|db| {
            let ask = |sql| db.one(sql, (), count).map(Option::unwrap_or_default);
            Ok((ask(WAITING)?, ask(LEASED)?, ask(PARKED)?))
        })?;
        Ok(OutboxDepth {
            waiting: waiting.0.saturating_add(leased.0),
            parked: parked.0,
            oldest: [waiting.1, leased.1, parked.1].into_iter().flatten().min(),
            oldest_urgent: [waiting.2, leased.2, parked.2].into_iter().flatten().min(),
        })
    }

    fn slow_overdue(&mut self, today: jiff::civil::Date, from: SlowPlace, limit: u32) -> Result<SlowPage, StoreError> {
        outbox::slow_overdue(self.db(), today, from, limit)
    }

    fn find_dispatch(&mut self, key: &DispatchKey) -> Result<Option<FoundDispatch>, StoreError> {
        outbox::find(self.db(), key)
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        outbox::route(self.db())
    }

    fn statement(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<StatementFile>, StoreError> {
        statements::taken(self.db(), kind, partner, day)
    }

    fn statements(&mut self, limit: u32) -> Result<Vec<StatementFile>, StoreError> {
        statements::files(self.db(), limit)
    }

    fn reconciliation(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<ReconciliationView>, StoreError> {
        statements::last(self.db(), kind, partner, day)
    }

    fn day_events(&mut self, ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError> {
        statements::day_events(self.db(), ask)
    }

    fn day_events_with(&mut self, keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError> {
        statements::events_with_keys(self.db(), keys)
    }

    fn day_lines(&mut self, after: LineNo, limit: u32) -> Result<Vec<DayLine>, StoreError> {
        statements::lines(self.db(), after, limit)
    }

    fn event_names(&mut self, keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError> {
        statements::event_names(self.db(), keys)
    }

    fn day_lines_with(&mut self, numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError> {
        statements::lines_with_numbers(self.db(), numbers)
    }

    fn lines_of_events(
        &mut self,
        kind: StatementKind,
        events: &[EventNo],
    ) -> Result<Vec<(EventNo, LineNo)>, StoreError> {
        statements::lines_of_events(self.db(), kind, events)
    }

    fn matched_lines(&mut self, lines: &[LineNo]) -> Result<Vec<LineNo>, StoreError> {
        statements::matched_lines(self.db(), lines)
    }

    fn freed_events(&mut self, ask: &Freed) -> Result<Vec<DayEvent>, StoreError> {
        statements::freed(self.db(), ask)
    }

    fn leg_breaks(&mut self, ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError> {
        statements::leg_breaks(self.db(), ask)
    }

    fn judged_events(&mut self, ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError> {
        statements::judged_events(self.db(), ask)
    }

    fn receipts(&mut self, filter: &ReceiptFilter) -> Result<Vec<StoredReceipt>, StoreError> {
        const ANY: &str = receipts_sql!("receipts", "", "");
        // The few that were not read have an index; the condition is its own.
        const UNREAD: &str = receipts_sql!(
            "receipts_unread",
            "INDEXED BY receipts_unread",
            "AND (r.verdict = 'stale' OR r.verdict = 'unreadable' OR r.verdict = 'paused')"
        );
        let unread = |v: &Verdict| matches!(v, Verdict::Stale | Verdict::Unreadable | Verdict::Paused);
        let sql = if !filter.verdicts.is_empty() && filter.verdicts.iter().all(unread) { UNREAD } else { ANY };
        let (lane, after) = filter.after;
        let words: Vec<&str> = filter.verdicts.iter().map(|verdict| verdict.word()).collect();
        let words = serde_json::to_string(&words)
            .map_err(|_not_json| StoreError::Fault("reports.receipts: verdicts are not text".to_owned()))?;
        let partner = filter.partner.as_ref().map(PartnerCode::as_str);
        let (from, to) = (receipt_no(lane, after.max(0))?, lane_base(lane.saturating_add(1)));
        let since = filter.waiting_since.map(Timestamp::unix_ms);
        self.db().all(sql, params![from, to, partner, words, filter.limit, filter.with_evidence, since], |cells| {
            stored_receipt(cells, filter.with_evidence)
        })
    }

    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError> {
        const SQL: &str = "-- reports.receipt_counts\nSELECT partner, verdict, count(*), coalesce(sum(amount), 0)
            FROM receipts GROUP BY partner, verdict ORDER BY partner, verdict";
        self.db().all(SQL, (), |cells| {
            Ok(ReceiptCount {
                partner: cells.partner()?,
                verdict: cells.word(Verdict::parse)?,
                count: cells.next()?,
                dong: cells.next()?,
            })
        })
    }

    fn lanes(&mut self) -> Result<Vec<u32>, StoreError> {
        tx::lanes(self.db())
    }

    fn seals(&mut self, after: Timestamp, limit: u32) -> Result<Vec<Seal>, StoreError> {
        const SEALS: &str = "-- reports.seals\nSELECT no, at, signature FROM seals WHERE at > ?1
                AND at <= coalesce((SELECT at FROM seals WHERE at > ?1 ORDER BY at LIMIT 1 OFFSET ?2 - 1), at)
                ORDER BY at, no";
        const HEADS: &str =
            "-- reports.seal_heads\nSELECT lane, n, hash FROM seal_heads WHERE seal_no = ?1 ORDER BY lane";
        self.snapshot(|db| {
            let seals = db.all(SEALS, (after.unix_ms(), limit), |cells| {
                Ok((cells.next::<i64>()?, Seal { at: cells.at()?, heads: Vec::new(), signature: cells.next()? }))
            })?;
            let mut heads = db.prepare(HEADS)?;
            let with_heads = seals.into_iter().map(|(no, mut seal)| {
                seal.heads = heads.all([no], |cells| Ok((cells.next()?, cells.next()?, cells.next()?)))?;
                Ok(seal)
            });
            with_heads.collect()
        })
    }

    fn seal_before(&mut self, at: Timestamp) -> Result<Option<Seal>, StoreError> {
        const SEAL: &str = "-- reports.seal_before\nSELECT no, at, signature FROM seals WHERE at < ?1 ORDER BY at DESC, no DESC LIMIT 1";
        const HEADS: &str =
            "-- reports.seal_heads\nSELECT lane, n, hash FROM seal_heads WHERE seal_no = ?1 ORDER BY lane";
        self.snapshot(|db| {
            let found = db.one(SEAL, [at.unix_ms()], |cells| {
                Ok((cells.next::<i64>()?, Seal { at: cells.at()?, heads: Vec::new(), signature: cells.next()? }))
            })?;
            let Some((no, mut seal)) = found else { return Ok(None) };
            seal.heads = db.all(HEADS, [no], |cells| Ok((cells.next()?, cells.next()?, cells.next()?)))?;
            Ok(Some(seal))
        })
    }

    fn booked(&mut self, partner: &PartnerCode, ranges: &[LaneRange]) -> Result<Vec<BookedCount>, StoreError> {
        const SQL: &str = "-- reports.booked\nSELECT CASE WHEN e.movement = 'reversal' THEN 'reversal'
                WHEN p.kind = 'settle' THEN 'settled' ELSE 'parked' END AS place, count(*), sum(CASE WHEN e.movement = 'reversal' THEN e.amount ELSE coalesce((SELECT -sum(x.amount)
                    FROM entries x JOIN accounts a ON a.no = x.account_no
                    WHERE x.no >= p.no << 16 AND x.no < (p.no + 1) << 16
                        AND (a.name LIKE 'receivable%' OR a.name LIKE 'suspense%')), 0) END)
            FROM receipts r JOIN events e ON e.key = r.event_key LEFT JOIN postings p ON p.no = e.first_posting
            WHERE r.no > ?1 AND r.no <= ?2 AND r.partner = ?3 AND r.verdict IN ('settled', 'parked', 'reversal')
                AND (e.movement = 'reversal' OR p.kind IN ('settle', 'park'))
            GROUP BY place ORDER BY place";
        self.snapshot(|db| {
            let mut sums = BookedSums::default();
            for range in ranges {
                let (from, to) = (receipt_no(range.lane, range.after)?, receipt_no(range.lane, range.upto)?);
                let found = db.all(SQL, (from, to, partner.as_str()), |cells| {
                    Ok((cells.word(Verdict::parse)?, cells.next::<i64>()?, cells.next::<i64>()?))
                })?;
                sums.add(found)?;
            }
            Ok(sums.counts())
        })
    }

    fn repeats(&mut self, partner: &PartnerCode, day: Date) -> Result<i64, StoreError> {
        const SQL: &str =
            "-- reports.repeats\nSELECT coalesce(sum(count), 0) FROM repeats WHERE partner = ?1 AND day = ?2";
        self.db().integer(SQL, (partner.as_str(), day.to_string()))
    }

    fn balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError> {
        const SQL: &str = "-- reports.balances\nSELECT a.name, sum(e.amount) FROM entries e
            JOIN accounts a ON a.no = e.account_no GROUP BY a.no ORDER BY a.name";
        self.db().all(SQL, (), |cells| Ok((cells.word(Account::parse)?, cells.next()?)))
    }

    fn generations(&mut self) -> Result<Vec<(Generation, PostingNo)>, StoreError> {
        const SQL: &str =
            "-- reports.generations\nSELECT generation, last_posting FROM generations ORDER BY last_posting";
        self.db().all(SQL, (), |cells| Ok((Generation(cells.next::<i64>()?.cast_unsigned()), PostingNo(cells.next()?))))
    }

    fn inconsistencies(&mut self) -> Result<Inconsistencies, StoreError> {
        self.snapshot(checks::all)
    }
}

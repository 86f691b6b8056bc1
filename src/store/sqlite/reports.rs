//! Reading for collectors, people and the audit, on a connection of its own: a snapshot that the writer never waits
//! for. Every list has a limit that the caller names (I10).

use super::read;
use super::statement::{Cells, Db};
use super::{checks, invoices, outbox, statement, tx, write};
use crate::domain::dispatch::ParkCause;
use crate::domain::ids::{EventId, EventKey, Generation, InvoiceId, Movement, PartnerCode, PostingNo};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::{Method, Wanted};
use crate::domain::posting::{Account, PostingKind};
use crate::domain::receipt::{Evidence, Verdict};
use crate::domain::review::BreakClass;
use crate::domain::time::Timestamp;
use crate::store::reports::{
    BreakView, DispatchFilter, DispatchView, Inconsistencies, OutboxDepth, PostingView, ReceiptCount, ReceiptFilter,
    Reports, SlowPage, SlowPlace, StoredReceipt,
};
use crate::store::rows::EventRecord;
use crate::store::{Candidates, RouteState, Seal, StoreError};
use bytes::Bytes;
use rusqlite::{Connection, params};

/// A reading connection.
#[derive(Debug)]
pub struct SqliteReports {
    connection: Connection,
}

impl SqliteReports {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    fn db(&self) -> Db<'_> {
        Db(&self.connection)
    }

    /// Several questions of one state of the books.
    fn snapshot<T>(&self, ask: impl FnOnce(Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let fault = |error| statement::of("-- reports.snapshot", error);
        let snapshot = self.connection.unchecked_transaction().map_err(fault)?;
        let answer = ask(Db(&snapshot))?;
        snapshot.finish().map_err(fault)?;
        Ok(answer)
    }
}

/// A question with the columns of an event in it.
macro_rules! event_query {
    ($name:literal, $rest:literal) => {
        concat!("-- ", $name, "\nSELECT e.no, ", read::event_columns!(), " FROM ", read::events!(), " ", $rest)
    };
}

/// A question for events that were settled when they came, with a reference, by what it means.
macro_rules! settled_query {
    ($name:literal, $column:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT e.no, ",
            read::event_columns!(),
            " FROM invoices i JOIN allocations a ON a.invoice_no = i.no JOIN postings p ON p.no = a.posting_no
            JOIN events e ON e.no = p.event_no JOIN senders s ON s.no = e.sender_no WHERE ",
            $column,
            " = ?1 AND e.listed = 0 AND ?2 IN (e.ref_invoice, e.ref_order, e.ref_customer)
            ORDER BY e.no DESC LIMIT ?3"
        )
    };
}

fn numbered_event(cells: &mut Cells<'_, '_>) -> Result<(i64, EventRecord), StoreError> {
    Ok((cells.next()?, read::event(cells)?))
}

/// Newest first, at most `limit`, each once.
fn newest(mut found: Vec<(i64, EventRecord)>, limit: u32) -> Vec<EventRecord> {
    found.sort_by_key(|(no, _)| std::cmp::Reverse(*no));
    found.dedup_by_key(|(no, _)| *no);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    found.into_iter().map(|(_, record)| record).collect()
}

/// Every event id that is written so: fields may hold the separator, and nothing says how many there are.
fn event_ids(text: &str) -> Vec<EventId> {
    /// An id with more separators is asked for by its invoice instead: each one doubles the ways to read it.
    const SEPARATORS_MAX: usize = 6;
    let mut ways: Vec<Vec<String>> = vec![Vec::new()];
    let pieces: Vec<&str> = text.split('|').collect();
    if pieces.len() > SEPARATORS_MAX.saturating_add(1) {
        return Vec::new();
    }
    for piece in pieces {
        let mut more = Vec::with_capacity(ways.len().saturating_mul(2));
        for way in ways {
            let mut joined = way.clone();
            if let Some(last) = joined.last_mut() {
                *last = format!("{last}|{piece}");
                more.push(joined);
            }
            more.push(way.into_iter().chain([piece.to_owned()]).collect());
        }
        ways = more;
    }
    ways.into_iter().filter_map(|fields| EventId::parse(fields).ok()).collect()
}

fn dispatch_view(cells: &mut Cells<'_, '_>) -> Result<DispatchView, StoreError> {
    Ok(DispatchView {
        key: cells.dispatch_key()?,
        invoice: cells.invoice_id()?,
        sequence: cells.next()?,
        state: cells.next()?,
        cause: cells.parse_some(|word: String| ParkCause::parse(&word))?,
        reason: cells.next()?,
        attempts: cells.next()?,
        created_at: cells.at()?,
        delivered_at: cells.at_some()?,
        urgent: cells.next()?,
        close_proposed_by: cells.next()?,
    })
}

/// A question with the columns of a [`DispatchView`] in it.
macro_rules! dispatch_query {
    ($name:literal, $filter:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT d.key, i.id, d.sequence, d.state, d.cause, d.reason, d.attempts, d.created_at, d.delivered_at,
                d.urgent, d.close_proposed_by
            FROM dispatches d JOIN invoices i ON i.no = d.invoice_no ",
            $filter
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
                AND (?4 = '[]' OR r.verdict IN (SELECT value FROM json_each(?4))) ",
            $and,
            " ORDER BY r.no LIMIT ?5"
        )
    };
}

fn stored_receipt(cells: &mut Cells<'_, '_>, with_evidence: bool) -> Result<StoredReceipt, StoreError> {
    let mut receipt = StoredReceipt {
        lane: cells.next()?,
        n: cells.next()?,
        previous: cells.next()?,
        hash: cells.next()?,
        raw_hash: cells.next()?,
        verdict: cells.parse(|word: String| Verdict::parse(&word))?,
        partner: cells.partner()?,
        received_at: cells.at()?,
        amount_dong: cells.next()?,
        event: cells.event_key_some()?,
        evidence: None,
        redone_at: cells.at_some()?,
    };
    if with_evidence {
        receipt.evidence = evidence(cells, &receipt)?;
    }
    Ok(receipt)
}

/// The raw call; none if it was erased.
fn evidence(cells: &mut Cells<'_, '_>, receipt: &StoredReceipt) -> Result<Option<Evidence>, StoreError> {
    let Some(key_id) = cells.next()? else {
        return Ok(None);
    };
    Ok(Some(Evidence {
        partner: receipt.partner.clone(),
        key_id,
        method: cells.parse(|word: String| [Method::Get, Method::Post].into_iter().find(|m| m.word() == word))?,
        path: cells.next()?,
        query: cells.next()?,
        headers: cells.parse(|json: String| serde_json::from_str(&json).ok())?,
        body: Bytes::from(cells.next::<Vec<u8>>()?),
        received_at: receipt.received_at,
    }))
}

impl Reports for SqliteReports {
    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        self.snapshot(|db| invoices::candidates(db, wanted, |_id, _no| {}))
    }

    fn event(&mut self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        const SQL: &str = event_query!("reports.event", "WHERE e.key = ?1");
        Ok(self.db().one(SQL, [key.as_bytes()], numbered_event)?.map(|(_, record)| record))
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
                    found.extend(db.one(SQL, [key.as_bytes()], numbered_event)?);
                }
            }
            Ok(newest(found, limit))
        })
    }

    fn payments_of_invoice(&mut self, invoice: &InvoiceId, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const TOUCHED: &str = event_query!(
            "reports.payments_on_invoice",
            "JOIN postings p ON p.event_no = e.no JOIN allocations a ON a.posting_no = p.no
             JOIN invoices i ON i.no = a.invoice_no WHERE i.id = ?1 ORDER BY e.no DESC LIMIT ?2"
        );
        const NAMED: &str = event_query!(
            "reports.payments_naming_invoice",
            "WHERE e.names_invoice = ?1 AND e.names_invoice IS NOT NULL AND e.state <> 'settled'
             ORDER BY e.no DESC LIMIT ?2"
        );
        self.snapshot(|db| {
            // A payment touches an invoice twice when it is undone.
            let mut found = db.all(TOUCHED, (invoice.as_str(), limit.saturating_mul(2)), numbered_event)?;
            found.extend(db.all(NAMED, (invoice.as_str(), limit), numbered_event)?);
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
                "WHERE e.ref_invoice = ?1 AND e.listed = 1 ORDER BY e.no DESC LIMIT ?2"
            ),
            event_query!("reports.by_ref_order", "WHERE e.ref_order = ?1 AND e.listed = 1 ORDER BY e.no DESC LIMIT ?2"),
            event_query!(
                "reports.by_ref_customer",
                "WHERE e.ref_customer = ?1 AND e.listed = 1 ORDER BY e.no DESC LIMIT ?2"
            ),
        ];
        // What was settled when it came stands on an invoice, and its reference means that invoice or its customer.
        const ON_INVOICE: &str = settled_query!("reports.by_ref_on_invoice", "i.id");
        const OF_CUSTOMER: &str = settled_query!("reports.by_ref_of_customer", "i.customer");
        self.snapshot(|db| {
            let mut found = Vec::new();
            for sql in LISTED {
                found.extend(db.all(sql, (reference, limit), numbered_event)?);
            }
            for invoice in &meant.invoices {
                found.extend(db.all(ON_INVOICE, (invoice.as_str(), reference, limit), numbered_event)?);
            }
            for customer in &meant.customers {
                found.extend(db.all(OF_CUSTOMER, (customer.as_str(), reference, limit), numbered_event)?);
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
            for no in write::postings_of(db, event)? {
                let entries = db.all(ENTRIES, write::lines_of(no)?, account_and_money)?;
                postings.extend(db.one(POSTING, [no], |cells| {
                    Ok(PostingView {
                        no: PostingNo(cells.next()?),
                        kind: cells.parse(|word: String| PostingKind::parse(&word))?,
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
        const OF_POSTING: &str = dispatch_query!(
            "reports.dispatches_of_posting",
            "WHERE d.no >= ?1 AND d.no < ?2 ORDER BY d.no DESC LIMIT ?3"
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
        if let Some(event) = &filter.event {
            let mut found = Vec::new();
            for posting in write::postings_of(db, event)?.into_iter().rev() {
                let (from, to) = write::lines_of(posting)?;
                found.extend(db.all(OF_POSTING, (from, to, limit), dispatch_view)?);
            }
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            return Ok(found);
        }
        match (&filter.invoice, filter.state.as_deref()) {
            (Some(invoice), state) => db.all(OF_INVOICE, (invoice.as_str(), state, limit), dispatch_view),
            (None, None) => db.all(ALL, [limit], dispatch_view),
            (None, Some("waiting")) => db.all(WAITING, [limit], dispatch_view),
            (None, Some("leased")) => db.all(LEASED, [limit], dispatch_view),
            (None, Some("parked")) => db.all(PARKED, [limit], dispatch_view),
            (None, Some(state)) => db.all(DELIVERED, (state, limit), dispatch_view),
        }
    }

    fn outbox_depth(&mut self) -> Result<OutboxDepth, StoreError> {
        const WAITING: &str = "-- reports.waiting\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'waiting'";
        const LEASED: &str = "-- reports.leased\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'leased'";
        const PARKED: &str = "-- reports.parked\nSELECT count(*), min(created_at),
            min(created_at) FILTER (WHERE urgent = 1) FROM dispatches WHERE state = 'parked'";
        type Count = (i64, Option<Timestamp>, Option<Timestamp>);
        let count = |cells: &mut Cells<'_, '_>| Ok((cells.next()?, cells.at_some()?, cells.at_some()?));
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

    fn route(&mut self) -> Result<RouteState, StoreError> {
        outbox::route(self.db())
    }

    fn breaks(&mut self, open_only: bool, limit: u32) -> Result<Vec<BreakView>, StoreError> {
        const ALL: &str = "-- reports.breaks\nSELECT no, class, partner, event_key, invoice, amount, detail, opened_at,
            closed_at FROM breaks ORDER BY no DESC LIMIT ?1";
        const OPEN: &str = "-- reports.open_breaks\nSELECT no, class, partner, event_key, invoice, amount, detail,
            opened_at, closed_at FROM breaks WHERE closed_at IS NULL ORDER BY no DESC LIMIT ?1";
        self.db().all(if open_only { OPEN } else { ALL }, [limit], |cells| {
            Ok(BreakView {
                no: cells.next()?,
                class: cells.parse(|code: String| BreakClass::parse(&code))?,
                partner: cells.parse_some(|text: String| PartnerCode::parse(text).ok())?,
                event: cells.event_key_some()?,
                invoice: cells.parse_some(|text: String| InvoiceId::parse(text).ok())?,
                amount: cells.money()?,
                detail: cells.next()?,
                opened_at: cells.at()?,
                closed_at: cells.at_some()?,
            })
        })
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
        let (from, to) = (tx::receipt_no(lane, after.max(0))?, tx::lane_base(lane.saturating_add(1)));
        self.db().all(sql, params![from, to, partner, words, filter.limit, filter.with_evidence], |cells| {
            stored_receipt(cells, filter.with_evidence)
        })
    }

    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError> {
        const SQL: &str = "-- reports.receipt_counts\nSELECT partner, verdict, count(*), coalesce(sum(amount), 0)
            FROM receipts GROUP BY partner, verdict ORDER BY partner, verdict";
        self.db().all(SQL, (), |cells| {
            Ok(ReceiptCount {
                partner: cells.partner()?,
                verdict: cells.parse(|word: String| Verdict::parse(&word))?,
                count: cells.next()?,
                dong: cells.next()?,
            })
        })
    }

    fn lanes(&mut self) -> Result<Vec<u32>, StoreError> {
        tx::lanes(self.db())
    }

    fn seals(&mut self, after: Timestamp, limit: u32) -> Result<Vec<Seal>, StoreError> {
        const SEALS: &str =
            "-- reports.seals\nSELECT no, at, signature FROM seals WHERE at > ?1 ORDER BY at, no LIMIT ?2";
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

    fn balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError> {
        const SQL: &str = "-- reports.balances\nSELECT a.name, sum(e.amount) FROM entries e
            JOIN accounts a ON a.no = e.account_no GROUP BY a.no ORDER BY a.name";
        self.db().all(SQL, (), |cells| Ok((cells.parse(|name: String| Account::parse(&name))?, cells.next()?)))
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

fn account_and_money(cells: &mut Cells<'_, '_>) -> Result<(Account, Money), StoreError> {
    Ok((cells.parse(|name: String| Account::parse(&name))?, cells.money()?))
}

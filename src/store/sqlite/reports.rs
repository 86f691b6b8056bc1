//! Reading for collectors, people and the audit, on a connection of its own: a snapshot that the writer never waits
//! for. Every list has a limit that the caller names (I10).

use super::read;
use super::statement::{Cells, Db};
use super::{checks, invoices, outbox, statement, tx};
use crate::domain::dispatch::ParkCause;
use crate::domain::ids::{EventKey, Generation, InvoiceId, PartnerCode, PostingNo};
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
        concat!("-- ", $name, "\nSELECT e.no, ", read::event_columns!(), " FROM events e ", $rest)
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

/// Asks an index that begins with the row's block of 1024 numbers, block by block from the newest, until there are
/// enough.
fn by_block(
    db: Db<'_>,
    questions: &[&'static str],
    text: &str,
    limit: u32,
    keep: impl Fn(&EventRecord) -> bool,
) -> Result<Vec<EventRecord>, StoreError> {
    const LAST: &str = "-- events.last_block\nSELECT coalesce(max(no), 0) >> 10 FROM events";
    let last = db.integer(LAST, ())?;
    let mut probes = questions.iter().map(|sql| db.prepare(sql)).collect::<Result<Vec<_>, _>>()?;
    let mut found = Vec::new();
    for block in (0..=last).rev() {
        for probe in &mut probes {
            found.extend(probe.all((block, text), numbered_event)?.into_iter().filter(|(_, record)| keep(record)));
        }
        if found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(newest(found, limit))
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
            "\nSELECT a.key, i.id, a.sequence, d.state, d.cause, d.reason, d.attempts, d.created_at, d.delivered_at,
                d.urgent, d.close_proposed_by
            FROM dispatches d JOIN allocations a ON a.no = d.no JOIN invoices i ON i.no = a.invoice_no ",
            $filter
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
        const SQL: &str = event_query!("reports.events_named", "WHERE e.no >> 10 = ?1 AND e.event = ?2");
        self.snapshot(|db| by_block(db, &[SQL], event, limit, |record| record.partner == *partner))
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

    fn payments_by_reference(&mut self, reference: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const QUESTIONS: [&str; 3] = [
            event_query!("reports.by_ref_invoice", "WHERE e.no >> 10 = ?1 AND e.ref_invoice = ?2"),
            event_query!("reports.by_ref_order", "WHERE e.no >> 10 = ?1 AND e.ref_order = ?2"),
            event_query!("reports.by_ref_customer", "WHERE e.no >> 10 = ?1 AND e.ref_customer = ?2"),
        ];
        self.snapshot(|db| by_block(db, &QUESTIONS, reference, limit, |_record| true))
    }

    fn postings(&mut self, event: &EventKey) -> Result<Vec<PostingView>, StoreError> {
        const POSTINGS: &str = "-- reports.postings\nSELECT p.no, p.kind, p.author, p.posted_at FROM events e
            JOIN postings p ON p.event_no = e.no WHERE e.key = ?1 ORDER BY p.no";
        const ENTRIES: &str = "-- reports.entries\nSELECT a.name, e.amount FROM entries e
            JOIN accounts a ON a.no = e.account_no WHERE e.posting_no = ?1 ORDER BY e.line";
        self.snapshot(|db| {
            let mut postings = db.all(POSTINGS, [event.as_bytes()], |cells| {
                Ok(PostingView {
                    no: PostingNo(cells.next()?),
                    kind: cells.parse(|word: String| PostingKind::parse(&word))?,
                    author: cells.next()?,
                    posted_at: cells.at()?,
                    entries: Vec::new(),
                })
            })?;
            for posting in &mut postings {
                posting.entries = db.all(ENTRIES, [posting.no.0], account_and_money)?;
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
            "WHERE i.id = ?1 AND (?2 IS NULL OR d.state = ?2) ORDER BY a.sequence DESC LIMIT ?3"
        );
        const OF_EVENT: &str = dispatch_query!(
            "reports.dispatches_of_event",
            "JOIN postings p ON p.no = a.posting_no JOIN events e ON e.no = p.event_no
            WHERE e.key = ?1 ORDER BY d.no DESC LIMIT ?2"
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
            return db.all(OF_EVENT, (event.as_bytes(), limit), dispatch_view);
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
        // The verdicts come as one JSON array; an empty one means all.
        const SQL: &str =
            "-- reports.receipts\nSELECT r.lane, r.n, r.previous, r.hash, r.raw_hash, r.verdict, r.partner,
                r.received_at, r.amount, r.event_key, o.at, w.key_id, w.method, w.path, w.query, w.headers, w.body
            FROM receipts r LEFT JOIN redone o ON o.receipt_no = r.no
                LEFT JOIN raw_notices w ON ?6 AND w.receipt_no = r.no
            WHERE r.no > ?1 AND r.no < ?2 AND (?3 IS NULL OR r.partner = ?3)
                AND (?4 = '[]' OR r.verdict IN (SELECT value FROM json_each(?4)))
            ORDER BY r.no LIMIT ?5";
        let (lane, after) = filter.after;
        let words: Vec<&str> = filter.verdicts.iter().map(|verdict| verdict.word()).collect();
        let words = serde_json::to_string(&words)
            .map_err(|_not_json| StoreError::Fault("reports.receipts: verdicts are not text".to_owned()))?;
        let partner = filter.partner.as_ref().map(PartnerCode::as_str);
        let (from, to) = (tx::receipt_no(lane, after.max(0))?, tx::lane_base(lane.saturating_add(1)));
        self.db().all(SQL, params![from, to, partner, words, filter.limit, filter.with_evidence], |cells| {
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

    fn balances(&mut self) -> Result<Vec<(Account, Money)>, StoreError> {
        const SQL: &str = "-- reports.balances\nSELECT a.name, sum(e.amount) FROM entries e
            JOIN accounts a ON a.no = e.account_no GROUP BY a.no ORDER BY a.name";
        self.db().all(SQL, (), account_and_money)
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

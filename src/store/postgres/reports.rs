//! Reading for collectors, people and the audit, on a session of its own that the server lets change nothing. Several
//! questions of one state of the books are asked of one snapshot. Every list has a limit that the caller names (I10).

use super::asking::PostgresReports;
use super::invoices::{self, Question};
use super::position::{join_lines, postings_of};
use super::row::{Key, RowCells};
use super::session::{Answer, Ask};
use super::{checks, outbox};
use crate::domain::ids::{DispatchKey, EventKey, EventNo, Generation, InvoiceId, Movement, PartnerCode, PostingNo};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::money::Money;
use crate::domain::notice::Wanted;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::receipt::Verdict;
use crate::domain::statement::{LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::cells::{
    Cells, account_and_money, dispatch_columns, dispatch_query, dispatch_view, event_columns, event_query, events,
    key_bytes, numbered_event, stored_receipt,
};
use crate::store::numbers::{lane_base, receipt_no};
use crate::store::reports::{
    BookedCount, DispatchFilter, DispatchView, Inconsistencies, LaneRange, OutboxDepth, PostingView, ReceiptCount,
    ReceiptFilter, Reports, SlowPage, SlowPlace, StoredReceipt,
};
use crate::store::rows::EventRecord;
use crate::store::shared::{event_ids, newest};
use crate::store::statements::{
    DayEvent, DayEvents, DayLine, Freed, Judged, JudgedEvents, LegBreak, LegBreaks, ReconciliationView, StatementFile,
};
use crate::store::{Candidates, FoundDispatch, RouteState, Seal, StoreError, in_lock_order};
use jiff::civil::Date;
use std::collections::HashMap;

/// A question for events that were settled when they came, with a reference, by what it means.
macro_rules! settled_query {
    ($name:literal, $column:literal) => {
        concat!(
            "-- ",
            $name,
            "\nSELECT e.no, ",
            event_columns!(),
            " FROM invoices i JOIN allocations a ON a.invoice_no = i.no JOIN postings p ON p.no = a.no >> 16
            JOIN events e ON e.no = p.event_no JOIN senders s ON s.no = e.sender_no WHERE ",
            $column,
            " = ANY($1) AND NOT e.listed AND $2 IN (e.ref_invoice, e.ref_order, e.ref_customer)
            ORDER BY e.paid_at DESC, e.no DESC LIMIT $3"
        )
    };
}

impl PostgresReports {
    pub(super) fn events(&mut self, asks: &[Ask<'_>], limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        let mut found = Vec::new();
        for answer in self.ask(asks)? {
            found.extend(answer.all(numbered_event)?);
        }
        Ok(newest(found, limit))
    }
}

impl Reports for PostgresReports {
    fn beside(&self) -> Result<Box<dyn Reports>, StoreError> {
        self.another().map(|another| -> Box<dyn Reports> { Box::new(another) })
    }

    fn candidates(&mut self, wanted: &Wanted) -> Result<Candidates, StoreError> {
        let customers = in_lock_order(&wanted.customers);
        let question = Question::new(wanted, &customers);
        let answers = self.ask(&question.asks())?;
        Ok(invoices::read(&answers, !customers.is_empty())?.0)
    }

    fn event(&mut self, key: &EventKey) -> Result<Option<EventRecord>, StoreError> {
        const SQL: &str = event_query!("reports.event", "WHERE e.key = $1");
        let key = Key(*key.as_bytes());
        let answer = self.ask_one(Ask::new(SQL, vec![&key]))?;
        Ok(answer.one(numbered_event)?.map(|(_, record)| record))
    }

    fn events_named(&mut self, partner: &PartnerCode, event: &str, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const ACCOUNTS: &str = "-- reports.accounts\nSELECT account FROM senders WHERE partner = $1";
        const SQL: &str = event_query!("reports.events_named", "WHERE e.key = ANY($1)");
        let name = partner.as_str();
        let accounts = self.ask_one(Ask::new(ACCOUNTS, vec![&name]))?.all(|cells| cells.text())?;
        let mut keys = Vec::new();
        for id in event_ids(event) {
            for (account, movement) in accounts.iter().flat_map(|a| Movement::ALL.map(|movement| (a, movement))) {
                keys.push(Key(*EventKey::of(partner, account, &id, movement).as_bytes()));
            }
        }
        self.events(&[Ask::new(SQL, vec![&keys])], limit)
    }

    fn payments_of_invoice(&mut self, invoice: &InvoiceId, limit: u32) -> Result<Vec<EventRecord>, StoreError> {
        const TOUCHED: &str = event_query!(
            "reports.payments_on_invoice",
            "JOIN postings p ON p.event_no = e.no JOIN allocations a ON a.no >> 16 = p.no
             JOIN invoices i ON i.no = a.invoice_no WHERE i.id = $1 ORDER BY e.paid_at DESC, e.no DESC LIMIT $2"
        );
        const NAMED: &str = event_query!(
            "reports.payments_naming_invoice",
            "WHERE e.names_invoice = $1 AND e.names_invoice IS NOT NULL AND e.state <> 'settled'
             ORDER BY e.paid_at DESC, e.no DESC LIMIT $2"
        );
        // A payment touches an invoice twice when it is undone.
        let (id, rows, twice) = (invoice.as_str(), i64::from(limit), i64::from(limit).saturating_mul(2));
        self.events(&[Ask::new(TOUCHED, vec![&id, &twice]), Ask::new(NAMED, vec![&id, &rows])], limit)
    }

    fn payments_by_reference(
        &mut self,
        reference: &str,
        meant: &Wanted,
        limit: u32,
    ) -> Result<Vec<EventRecord>, StoreError> {
        const BY_INVOICE: &str = event_query!(
            "reports.by_ref_invoice",
            "WHERE e.ref_invoice = $1 AND e.ref_invoice IS NOT NULL AND e.listed ORDER BY e.paid_at DESC, e.no DESC LIMIT $2"
        );
        const BY_ORDER: &str = event_query!(
            "reports.by_ref_order",
            "WHERE e.ref_order = $1 AND e.ref_order IS NOT NULL AND e.listed ORDER BY e.paid_at DESC, e.no DESC LIMIT $2"
        );
        const BY_CUSTOMER: &str = event_query!(
            "reports.by_ref_customer",
            "WHERE e.ref_customer = $1 AND e.ref_customer IS NOT NULL AND e.listed ORDER BY e.paid_at DESC, e.no DESC LIMIT $2"
        );
        // What was settled when it came stands on an invoice, and its reference means that invoice or its customer.
        const ON_INVOICE: &str = settled_query!("reports.by_ref_on_invoice", "i.id");
        const OF_CUSTOMER: &str = settled_query!("reports.by_ref_of_customer", "i.customer");
        let rows = i64::from(limit);
        let ids: Vec<&str> = meant.invoices.iter().map(InvoiceId::as_str).collect();
        let customers: Vec<&str> = meant.customers.iter().map(|code| code.as_str()).collect();
        let asks = [
            Ask::new(BY_INVOICE, vec![&reference, &rows]),
            Ask::new(BY_ORDER, vec![&reference, &rows]),
            Ask::new(BY_CUSTOMER, vec![&reference, &rows]),
            Ask::new(ON_INVOICE, vec![&ids, &reference, &rows]),
            Ask::new(OF_CUSTOMER, vec![&customers, &reference, &rows]),
        ];
        self.events(&asks, limit)
    }

    fn postings(&mut self, event: &EventKey) -> Result<Vec<PostingView>, StoreError> {
        const POSTINGS: &str = concat!(
            "-- reports.postings\n",
            postings_of!(),
            " SELECT o.no, o.kind, o.author, o.posted_at FROM p JOIN postings o ON o.no = p.no ORDER BY p.ordinal"
        );
        const ENTRIES: &str = concat!(
            "-- reports.entries\n",
            postings_of!(),
            " SELECT p.no, a.name, n.amount FROM p",
            join_lines!("entries", "n"),
            " JOIN accounts a ON a.no = n.account_no ORDER BY n.no"
        );
        let keys = vec![Key(*event.as_bytes())];
        let answers = self.ask(&[Ask::new(POSTINGS, vec![&keys]), Ask::new(ENTRIES, vec![&keys])])?;
        let [postings, entries] = answers.as_slice() else {
            return Ok(Vec::new());
        };
        let mut lines: HashMap<i64, Vec<(Account, Money)>> = HashMap::new();
        for (no, line) in entries.all(|cells| Ok((cells.whole()?, account_and_money(cells)?)))? {
            lines.entry(no).or_default().push(line);
        }
        postings.all(|cells| {
            let no = cells.whole()?;
            Ok(PostingView {
                no: PostingNo(no),
                kind: cells.word(PostingKind::parse)?,
                author: cells.text_some()?,
                posted_at: cells.at()?,
                entries: lines.remove(&no).unwrap_or_default(),
            })
        })
    }

    fn invoice(&mut self, id: &InvoiceId) -> Result<Option<InvoiceAccount>, StoreError> {
        let wanted = Wanted { invoices: vec![id.clone()], customers: Vec::new() };
        Ok(self.candidates(&wanted)?.invoices.remove(id))
    }

    fn invoice_count(&mut self) -> Result<i64, StoreError> {
        const SQL: &str = "-- reports.invoice_count\nSELECT count(*) FROM invoices";
        let answers = self.ask_long(&[Ask::new(SQL, Vec::new())])?;
        Ok(first(&answers, |cells| cells.whole())?.unwrap_or_default())
    }

    fn dispatches(&mut self, filter: &DispatchFilter) -> Result<Vec<DispatchView>, StoreError> {
        // Of each lane its last ones, and of those the newest: numbers of two lanes do not say which came first.
        const ALL: &str = dispatch_query!(
            "reports.dispatches",
            "WHERE d.no IN (SELECT n.no FROM lanes l CROSS JOIN LATERAL (SELECT d.no FROM dispatches d
                WHERE d.no < l.posting << 16 ORDER BY d.no DESC LIMIT $1) n)
            ORDER BY d.created_at DESC, d.no DESC LIMIT $1"
        );
        const OF_INVOICE: &str = dispatch_query!(
            "reports.dispatches_of_invoice",
            "JOIN allocations a ON a.no = d.no AND a.invoice_no = d.invoice_no
            WHERE i.id = $1 AND ($2::text IS NULL OR d.state = $2) ORDER BY a.sequence DESC LIMIT $3"
        );
        // Delivered ones are most of the table, so a scan finds them at once; the others have an index each.
        const IN_STATE: &str = dispatch_query!(
            "reports.dispatches_in_state",
            "WHERE d.no IN (SELECT n.no FROM lanes l CROSS JOIN LATERAL (SELECT d.no FROM dispatches d
                WHERE d.no < l.posting << 16 AND d.state = $1 ORDER BY d.no DESC LIMIT $2) n)
            ORDER BY d.created_at DESC, d.no DESC LIMIT $2"
        );
        const WAITING: &str =
            dispatch_query!("reports.dispatches_waiting", "WHERE d.state = 'waiting' ORDER BY d.created_at LIMIT $1");
        const LEASED: &str =
            dispatch_query!("reports.dispatches_leased", "WHERE d.state = 'leased' ORDER BY d.created_at LIMIT $1");
        const PARKED: &str =
            dispatch_query!("reports.dispatches_parked", "WHERE d.state = 'parked' ORDER BY d.created_at LIMIT $1");
        let (limit, state) = (i64::from(filter.limit), filter.state.as_deref());
        let id = filter.invoice.as_ref().map(InvoiceId::as_str);
        let ask = match (&id, &state) {
            (Some(id), state) => Ask::new(OF_INVOICE, vec![id, state, &limit]),
            (None, None) => Ask::new(ALL, vec![&limit]),
            (None, Some("waiting")) => Ask::new(WAITING, vec![&limit]),
            (None, Some("leased")) => Ask::new(LEASED, vec![&limit]),
            (None, Some("parked")) => Ask::new(PARKED, vec![&limit]),
            (None, Some(state)) => Ask::new(IN_STATE, vec![state, &limit]),
        };
        self.ask_one(ask)?.all(dispatch_view)
    }

    fn dispatches_of(&mut self, events: &[EventKey], each: u32) -> Result<Vec<DispatchView>, StoreError> {
        // The outer `d` holds the rows of the inner one that are listed: the columns are written for that name.
        const SQL: &str = concat!(
            "-- reports.dispatches_of\nSELECT ",
            dispatch_columns!(),
            " FROM unnest($1::uuid[]) WITH ORDINALITY u (key, place) CROSS JOIN LATERAL (",
            postings_of!("= u.key"),
            " SELECT d.*, p.ordinal FROM p",
            join_lines!("dispatches", "d"),
            " ORDER BY p.ordinal DESC, d.no DESC LIMIT $2) d
            JOIN invoices i ON i.no = d.invoice_no ORDER BY u.place, d.ordinal DESC, d.no DESC"
        );
        let (keys, each): (Vec<Key>, _) = (events.iter().map(|key| Key(*key.as_bytes())).collect(), i64::from(each));
        self.ask_one(Ask::new(SQL, vec![&keys, &each]))?.all(dispatch_view)
    }

    fn outbox_depth(&mut self) -> Result<OutboxDepth, StoreError> {
        const SQL: &str = "-- reports.outbox_depth\nSELECT count(*) FILTER (WHERE state <> 'parked'),
            count(*) FILTER (WHERE state = 'parked'), min(created_at), min(created_at) FILTER (WHERE urgent)
            FROM dispatches WHERE state = 'waiting' OR state = 'leased' OR state = 'parked'";
        let depth = self.ask_one(Ask::new(SQL, Vec::new()))?.one(|cells| {
            Ok(OutboxDepth {
                waiting: cells.whole()?,
                parked: cells.whole()?,
                oldest: cells.at_some()?,
                oldest_urgent: cells.at_some()?,
            })
        })?;
        Ok(depth.unwrap_or_default())
    }

    fn slow_overdue(&mut self, today: Date, from: SlowPlace, limit: u32) -> Result<SlowPage, StoreError> {
        let SlowPlace([behind, due_at, created_at, no]) = from;
        let (first, rows) = (behind == 0, i64::from(limit));
        let ask = Ask::new(outbox::SLOW, vec![&today, &first, &due_at, &created_at, &no, &rows]);
        outbox::slow_page(&self.ask_one(ask)?, behind, limit)
    }

    fn find_dispatch(&mut self, key: &DispatchKey) -> Result<Option<FoundDispatch>, StoreError> {
        let bytes = Key(key_bytes(key));
        let answers = self.ask_long(&[Ask::new(outbox::FIND, vec![&bytes])])?;
        Ok(first(&answers, |cells| cells.whole())?.map(|no| FoundDispatch { key: key.clone(), no }))
    }

    fn route(&mut self) -> Result<RouteState, StoreError> {
        outbox::route(&self.ask_one(Ask::new(outbox::ROUTE, Vec::new()))?)
    }

    fn statement(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<StatementFile>, StoreError> {
        self.taken(kind, partner, day)
    }

    fn statements(&mut self, limit: u32) -> Result<Vec<StatementFile>, StoreError> {
        self.files(limit)
    }

    fn reconciliation(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<ReconciliationView>, StoreError> {
        self.last_reconciliation(kind, partner, day)
    }

    fn day_events(&mut self, ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError> {
        self.events_of_day(ask)
    }

    fn day_events_with(&mut self, keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError> {
        self.events_with(keys)
    }

    fn day_lines(&mut self, after: LineNo, limit: u32) -> Result<Vec<DayLine>, StoreError> {
        self.lines_of(after, limit)
    }

    fn event_names(&mut self, keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError> {
        self.names_of(keys)
    }

    fn day_lines_with(&mut self, numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError> {
        self.lines_with(numbers)
    }

    fn lines_of_events(
        &mut self,
        kind: StatementKind,
        events: &[EventNo],
    ) -> Result<Vec<(EventNo, LineNo)>, StoreError> {
        self.lines_of_events_on(kind, events)
    }

    fn matched_lines(&mut self, lines: &[LineNo]) -> Result<Vec<LineNo>, StoreError> {
        self.lines_matched(lines)
    }

    fn freed_events(&mut self, ask: &Freed) -> Result<Vec<DayEvent>, StoreError> {
        self.freed_by(ask)
    }

    fn leg_breaks(&mut self, ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError> {
        self.breaks_of_leg(ask)
    }

    fn judged_events(&mut self, ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError> {
        self.judged_of(ask)
    }

    fn receipts(&mut self, filter: &ReceiptFilter) -> Result<Vec<StoredReceipt>, StoreError> {
        const SQL: &str =
            "-- reports.receipts\nSELECT r.no >> 40, r.no & 1099511627775, r.previous, r.hash, r.raw_hash,
                r.verdict, r.partner, r.received_at, r.amount, r.event_key, o.at, w.key_id, w.method, w.path, w.query,
                w.headers, w.body
            FROM (SELECT * FROM receipts r WHERE r.no > $1 AND r.no < $2 AND ($3::text IS NULL OR r.partner = $3)
                    AND ($4::text[] = '{}' OR r.verdict = ANY($4))
                    AND ($7::bigint IS NULL OR (r.received_at >= $7
                        AND NOT EXISTS (SELECT 1 FROM redone x WHERE x.receipt_no = r.no))) ORDER BY r.no LIMIT $5) r
                LEFT JOIN redone o ON o.receipt_no = r.no LEFT JOIN raw_notices w ON $6 AND w.receipt_no = r.no
            ORDER BY r.no";
        let (lane, after) = filter.after;
        let words: Vec<&str> = filter.verdicts.iter().map(|verdict| verdict.word()).collect();
        let (partner, limit) = (filter.partner.as_ref().map(PartnerCode::as_str), i64::from(filter.limit));
        let (from, to) = (receipt_no(lane, after.max(0))?, lane_base(lane.saturating_add(1)));
        let since = filter.waiting_since.map(Timestamp::unix_ms);
        let ask = Ask::new(SQL, vec![&from, &to, &partner, &words, &limit, &filter.with_evidence, &since]);
        self.ask_one(ask)?.all(|cells| stored_receipt(cells, filter.with_evidence))
    }

    fn receipt_counts(&mut self) -> Result<Vec<ReceiptCount>, StoreError> {
        const SQL: &str =
            "-- reports.receipt_counts\nSELECT partner, verdict, count(*), coalesce(sum(amount), 0)::bigint
            FROM receipts GROUP BY partner, verdict ORDER BY partner, verdict";
        all(&self.ask_long(&[Ask::new(SQL, Vec::new())])?, |cells| {
            Ok(ReceiptCount {
                partner: cells.partner()?,
                verdict: cells.word(Verdict::parse)?,
                count: cells.whole()?,
                dong: cells.whole()?,
            })
        })
    }

    /// By the receipts, not by what the lanes' own rows say: one step a lane, not a scan.
    fn lanes(&mut self) -> Result<Vec<u32>, StoreError> {
        const SQL: &str = "-- reports.lanes\nWITH RECURSIVE l AS (
            (SELECT no >> 40 AS lane FROM receipts ORDER BY no LIMIT 1)
            UNION ALL SELECT (SELECT r.no >> 40 FROM receipts r WHERE r.no >= (l.lane + 1) << 40 ORDER BY r.no LIMIT 1)
            FROM l WHERE l.lane IS NOT NULL) SELECT lane FROM l WHERE lane IS NOT NULL ORDER BY lane";
        self.ask_one(Ask::new(SQL, Vec::new()))?.all(|cells| cells.count())
    }

    fn seals(&mut self, after: Timestamp, limit: u32) -> Result<Vec<Seal>, StoreError> {
        const SQL: &str = "-- reports.seals\nSELECT s.no, s.at, s.signature, h.lane, h.n, h.hash
            FROM (SELECT no, at, signature FROM seals WHERE at > $1 ORDER BY at FETCH FIRST $2 ROWS WITH TIES) s
                LEFT JOIN seal_heads h ON h.seal_no = s.no ORDER BY s.at, s.no, h.lane";
        let (after, limit) = (after.unix_ms(), i64::from(limit));
        let mut seals: Vec<(i64, Seal)> = Vec::new();
        let rows = self.ask_one(Ask::new(SQL, vec![&after, &limit]))?.all(|cells| {
            let (no, at, signature) = (cells.whole()?, cells.at()?, cells.hash()?);
            let lane = cells.whole_some()?.map(|lane| u32::try_from(lane).map_err(|_wide| cells.bad())).transpose()?;
            let head = lane.map(|lane| Ok::<_, StoreError>((lane, cells.whole()?, cells.hash()?))).transpose()?;
            Ok((no, at, signature, head))
        })?;
        for (no, at, signature, head) in rows {
            match seals.last_mut() {
                Some((last, seal)) if *last == no => seal.heads.extend(head),
                _ => seals.push((no, Seal { at, heads: head.into_iter().collect(), signature })),
            }
        }
        Ok(seals.into_iter().map(|(_, seal)| seal).collect())
    }

    fn seal_before(&mut self, at: Timestamp) -> Result<Option<Seal>, StoreError> {
        self.last_seal(at)
    }

    fn booked(&mut self, partner: &PartnerCode, ranges: &[LaneRange]) -> Result<Vec<BookedCount>, StoreError> {
        self.booked_in(partner, ranges)
    }

    fn repeats(&mut self, partner: &PartnerCode, day: Date) -> Result<i64, StoreError> {
        self.repeats_of(partner, day)
    }

    fn balances(&mut self) -> Result<Vec<(Account, i64)>, StoreError> {
        const SQL: &str = "-- reports.balances\nSELECT a.name, sum(e.amount)::bigint FROM entries e
            JOIN accounts a ON a.no = e.account_no GROUP BY a.name ORDER BY a.name";
        let answers = self.ask_long(&[Ask::new(SQL, Vec::new())])?;
        all(&answers, |cells| Ok((cells.word(Account::parse)?, cells.whole()?)))
    }

    fn generations(&mut self) -> Result<Vec<(Generation, PostingNo)>, StoreError> {
        const SQL: &str =
            "-- reports.generations\nSELECT generation, last_posting FROM generations ORDER BY last_posting";
        self.ask_one(Ask::new(SQL, Vec::new()))?
            .all(|cells| Ok((Generation(cells.whole()?.cast_unsigned()), PostingNo(cells.whole()?))))
    }

    fn inconsistencies(&mut self) -> Result<Inconsistencies, StoreError> {
        let limit = checks::FOUND_MAX;
        let asks: Vec<Ask<'_>> = checks::QUESTIONS.iter().map(|sql| Ask::new(sql, vec![&limit])).collect();
        let mut found = Vec::new();
        for answer in self.ask_long(&asks)? {
            found.extend(answer.all(|cells| cells.text())?);
        }
        Ok(Inconsistencies { found })
    }
}

fn all<'r, T>(
    answers: &'r [Answer],
    read: impl FnMut(&mut RowCells<'r>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    answers.first().map_or_else(|| Ok(Vec::new()), |answer| answer.all(read))
}

fn first<'r, T>(
    answers: &'r [Answer],
    read: impl FnOnce(&mut RowCells<'r>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    answers.first().map_or(Ok(None), |answer| answer.one(read))
}

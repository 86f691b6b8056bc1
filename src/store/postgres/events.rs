//! Event rows: one a key, for ever. Two instances that are told of one event take turns by its lock. The unique index
//! decides all the same, and a row that exists is written back only if it is still as this transaction read it: an import
//! changes parked payments without their lock. The loser runs its whole batch again and sees what the winner wrote.
//! Keeps I2.

use super::locks::Locks;
use super::row::{Key, RowCells, small};
use super::session::{Ask, Param};
use super::tx::{PostgresTx, SeenEvent, Sender};
use super::write::{Counted, Short, counted};
use crate::domain::ids::{EventKey, Funder, InvoiceId};
use crate::domain::notice::ReferenceText;
use crate::store::cells::{Cells, event, event_columns};
use crate::store::rows::{EventRecord, EventState};
use crate::store::shared::state_columns;
use crate::store::{EventWrite, StoreError};
use jiff::civil::Date;
use std::collections::HashMap;

/// The rows of these keys, in order. They are locked, also where there is none yet: what a batch decides holds until it
/// is written, also where it decides to write no row.
pub(super) fn by_key(tx: &mut PostgresTx<'_>, keys: &[EventKey]) -> Result<Vec<Option<EventRecord>>, StoreError> {
    // Behind OFFSET the keys are looked up before the join, whatever the plan's maker thinks of tables that nobody has
    // counted yet: it would go through all events of each sender, at every batch, until somebody does.
    const SQL: &str = concat!(
        "-- events.by_key\nSELECT e.no, e.sender_no, ",
        event_columns!(),
        " FROM (SELECT * FROM events WHERE key = ANY($1) OFFSET 0) e JOIN senders s ON s.no = e.sender_no"
    );
    let asked: Vec<Key> = keys.iter().map(|key| Key(*key.as_bytes())).collect();
    let locks = Locks::of_events(keys);
    let mut found = HashMap::with_capacity(keys.len());
    for answer in tx.look(&[locks.ask(), Ask::new(SQL, vec![&asked])])?.into_iter().skip(1) {
        for (numbers, record) in answer.all(seen_event)? {
            tx.numbers.saw(numbers, &record);
            found.insert(record.key, record);
        }
    }
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

/// The parked payments that name one of these invoices, oldest first, from the one after `after` on.
pub(super) fn parked_naming(
    tx: &mut PostgresTx<'_>,
    (invoices, after): (&[InvoiceId], Option<&EventKey>),
    limit: u32,
) -> Result<Vec<EventRecord>, StoreError> {
    // `state <> 'settled'` is the partial index's own condition. OFFSET as in `by_key`.
    const SQL: &str = concat!(
        "-- events.parked_naming\nSELECT e.no, e.sender_no, ",
        event_columns!(),
        " FROM (SELECT * FROM events WHERE names_invoice = ANY($1) AND names_invoice IS NOT NULL AND state <> 'settled'
                AND state = 'parked' OFFSET 0) e JOIN senders s ON s.no = e.sender_no",
        // A parked payment has a posting; numbers of two lanes do not say which came first.
        " JOIN postings p ON p.no = e.first_posting
            WHERE ($3::uuid IS NULL OR (p.posted_at, e.no) > (SELECT q.posted_at, a.no
                FROM events a JOIN postings q ON q.no = a.first_posting WHERE a.key = $3))
            ORDER BY p.posted_at, e.no LIMIT $2"
    );
    let (ids, limit): (Vec<&str>, _) = (invoices.iter().map(InvoiceId::as_str).collect(), i64::from(limit));
    let after = after.map(|key| Key(*key.as_bytes()));
    let answer = tx.ask_one(Ask::new(SQL, vec![&ids, &limit, &after]))?;
    let found = answer.all(seen_event)?;
    found.iter().for_each(|(numbers, record)| tx.numbers.saw(*numbers, record));
    Ok(found.into_iter().map(|(_, record)| record).collect())
}

/// An event with its number and its sender's.
fn seen_event(cells: &mut RowCells<'_>) -> Result<((i64, i32), EventRecord), StoreError> {
    let (no, sender_no) = (cells.whole()?, cells.whole()?);
    let sender_no = i32::try_from(sender_no).map_err(|_wide| cells.bad())?;
    Ok(((no, sender_no), event(cells)?))
}

/// What becomes of one key in a batch, whatever the number of steps in it.
struct Folded<'w> {
    key: EventKey,
    /// The content to be written, and whether it claims the key or fills a row that waited for it.
    content: Option<(&'w EventRecord, bool)>,
    state: EventState,
    postings: u32,
}

/// One row for each key, in the order in which they came.
fn fold(writes: &[EventWrite]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded<'_>> = Vec::with_capacity(writes.len());
    let mut places: HashMap<EventKey, usize> = HashMap::with_capacity(writes.len());
    for write in writes {
        let (key, content, state, postings) = match write {
            EventWrite::Claim(r) => (r.key, Some((r, true)), r.state, r.postings),
            EventWrite::Fulfil(r) => (r.key, Some((r, false)), r.state, r.postings),
            EventWrite::State { key, state, postings } => (*key, None, *state, *postings),
        };
        match places.get(&key).and_then(|place| folded.get_mut(*place)) {
            None => {
                places.insert(key, folded.len());
                folded.push(Folded { key, content, state, postings });
            }
            Some(known) => {
                (known.state, known.postings) = (state, postings);
                if let Some((record, _)) = content {
                    let claims = known.content.is_some_and(|(_, claims)| claims);
                    known.content = Some((record, claims));
                }
            }
        }
    }
    folded
}

/// The rows of a batch, ready to be sent.
#[derive(Default)]
pub(super) struct EventRows<'w> {
    claims: Columns<'w>,
    fulfilled: Columns<'w>,
    states: States,
    /// Payments made from a statement: their numbers, and their lines'.
    made: (Vec<i64>, Vec<i64>),
}

/// Prepares the rows; a new one gets its number, so that postings can name it before it is there.
pub(super) fn rows<'w>(
    tx: &mut PostgresTx<'_>,
    writes: &'w [EventWrite],
    first_postings: &HashMap<&EventKey, i64>,
) -> Result<EventRows<'w>, StoreError> {
    let folded = fold(writes);
    let contents: Vec<&EventRecord> = folded.iter().filter_map(|f| f.content).map(|(record, _)| record).collect();
    find_senders(tx, &contents)?;
    let mut rows = EventRows::default();
    let mut numbered = Vec::with_capacity(folded.len());
    for one in folded {
        let before = tx.numbers.events.get(&one.key).copied();
        let (no, sender_no) = match (one.content, before) {
            (Some((record, true)), _) => {
                let no = tx.head.event;
                tx.head.event = no.saturating_add(1);
                (no, sender_of(tx, record)?)
            }
            (_, before) => before.map_or((0, 0), |seen| (seen.no, seen.sender_no)),
        };
        if no > 0 {
            tx.numbers.events.insert(one.key, SeenEvent { no, sender_no, state: one.state, postings: one.postings });
        }
        numbered.push((no, before, one));
    }
    // In one order everywhere, so that two instances never wait for each other's keys crosswise.
    numbered.sort_unstable_by_key(|(_, _, one)| one.key);
    for (no, before, one) in numbered {
        match one.content {
            Some((record, claims)) => {
                let columns = if claims { &mut rows.claims } else { &mut rows.fulfilled };
                columns.push(tx, (no, record), &one, first_postings.get(&one.key).copied())?;
                if let Some(line) = record.made_from {
                    rows.made.0.push(no);
                    rows.made.1.push(line.0);
                }
            }
            None => rows.states.push(&one, before)?,
        }
    }
    Ok(rows)
}

impl EventRows<'_> {
    /// The statements.
    pub(super) fn asks(&self) -> Counted<'_> {
        const CLAIM: &str = "-- events.claim\nINSERT INTO events
                (no, key, sender_no, event, movement, amount, discount, ref_invoice, ref_order, ref_customer, reverses,
                 fee, funder, channel, paid_at, business_day, state, park_reason, reversal, names_invoice, postings,
                 first_posting, listed)
            SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::bigint[],
                $7::bigint[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::bigint[], $13::text[], $14::text[],
                $15::bigint[], $16::date[], $17::text[], $18::text[], $19::uuid[], $20::text[], $21::integer[],
                $22::bigint[], $23::boolean[])
            ON CONFLICT (key) DO NOTHING";
        // `key`, `sender_no` and `movement` are what the two have in common; the trigger holds them to it.
        const FULFIL: &str = "-- events.fulfil\nUPDATE events e SET sender_no = u.sender_no, event = u.event,
                movement = u.movement, amount = u.amount, discount = u.discount, ref_invoice = u.ref_invoice,
                ref_order = u.ref_order, ref_customer = u.ref_customer, reverses = u.reverses, fee = u.fee,
                funder = u.funder, channel = u.channel, paid_at = u.paid_at, business_day = u.business_day,
                state = u.state, park_reason = u.park_reason, reversal = u.reversal, names_invoice = u.names_invoice,
                postings = u.postings, first_posting = u.first_posting, listed = u.listed
            FROM unnest($1::bigint[], $2::uuid[], $3::integer[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
                $8::text[], $9::text[], $10::text[], $11::uuid[], $12::bigint[], $13::text[], $14::text[],
                $15::bigint[], $16::date[], $17::text[], $18::text[], $19::uuid[], $20::text[], $21::integer[],
                $22::bigint[], $23::boolean[])
                u (no, key, sender_no, event, movement, amount, discount, ref_invoice, ref_order, ref_customer,
                    reverses, fee, funder, channel, paid_at, business_day, state, park_reason, reversal,
                    names_invoice, postings, first_posting, listed)
            WHERE e.key = u.key AND e.key = ANY($2) AND e.state = 'expected'";
        const MADE: &str = "-- events.made\nUPDATE events e SET made_from = u.line
            FROM unnest($1::bigint[], $2::bigint[]) u (no, line) WHERE e.no = u.no AND e.no = ANY($1)";
        const STATE: &str = "-- events.state\nUPDATE events e SET state = u.state, park_reason = u.park_reason,
                reversal = u.reversal, postings = u.postings
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::integer[], $6::text[], $7::integer[])
                u (key, state, park_reason, reversal, postings, was_state, was_postings)
            WHERE e.key = u.key AND e.key = ANY($1)
                AND (u.was_state IS NULL OR (e.state = u.was_state AND e.postings = u.was_postings))";
        let mut asks = Counted::new();
        for (sql, columns) in [(CLAIM, &self.claims), (FULFIL, &self.fulfilled)] {
            asks.extend(counted(columns.no.len(), || StoreError::Contended, || Ask::new(sql, columns.params())));
        }
        // A row that was read and is not as it was is somebody else's doing.
        let read = self.states.was_state.iter().all(Option::is_some);
        let short: Short = if read {
            || StoreError::Contended
        } else {
            || StoreError::Fault("events.state: no such event".to_owned())
        };
        asks.extend(counted(self.states.key.len(), short, || Ask::new(STATE, self.states.params())));
        let (events, lines) = &self.made;
        asks.extend(counted(events.len(), || StoreError::Contended, || Ask::new(MADE, vec![events, lines])));
        asks
    }
}

#[derive(Default)]
struct States {
    key: Vec<Key>,
    state: Vec<&'static str>,
    park_reason: Vec<Option<&'static str>>,
    reversal: Vec<Option<Key>>,
    postings: Vec<i32>,
    was_state: Vec<Option<&'static str>>,
    was_postings: Vec<Option<i32>>,
}

impl States {
    fn push(&mut self, one: &Folded<'_>, before: Option<SeenEvent>) -> Result<(), StoreError> {
        let (reason, reversal) = state_columns(&one.state);
        self.key.push(Key(*one.key.as_bytes()));
        self.state.push(one.state.word());
        self.park_reason.push(reason);
        self.reversal.push(reversal.copied().map(Key));
        self.postings.push(small(one.postings)?);
        self.was_state.push(before.map(|seen| seen.state.word()));
        self.was_postings.push(before.map(|seen| small(seen.postings)).transpose()?);
        Ok(())
    }

    fn params(&self) -> Vec<Param<'_>> {
        vec![
            &self.key,
            &self.state,
            &self.park_reason,
            &self.reversal,
            &self.postings,
            &self.was_state,
            &self.was_postings,
        ]
    }
}

#[derive(Default)]
struct Columns<'w> {
    no: Vec<i64>,
    key: Vec<Key>,
    sender_no: Vec<i32>,
    event: Vec<&'w str>,
    movement: Vec<&'static str>,
    amount: Vec<i64>,
    discount: Vec<i64>,
    references: [Vec<Option<&'w str>>; 3],
    reverses: Vec<Option<Key>>,
    fee: Vec<i64>,
    funder: Vec<Option<&'w str>>,
    channel: Vec<Option<&'w str>>,
    paid_at: Vec<i64>,
    business_day: Vec<Date>,
    state: Vec<&'static str>,
    park_reason: Vec<Option<&'static str>>,
    reversal: Vec<Option<Key>>,
    names_invoice: Vec<Option<&'w str>>,
    postings: Vec<i32>,
    first_posting: Vec<Option<i64>>,
    listed: Vec<bool>,
}

impl<'w> Columns<'w> {
    fn push(
        &mut self,
        tx: &PostgresTx<'_>,
        (no, record): (i64, &'w EventRecord),
        last: &Folded<'w>,
        first_posting: Option<i64>,
    ) -> Result<(), StoreError> {
        let (reason, reversal) = state_columns(&last.state);
        let content = &record.content;
        self.no.push(no);
        self.key.push(Key(*record.key.as_bytes()));
        self.sender_no.push(sender_of(tx, record)?);
        self.event.push(&record.event);
        self.movement.push(record.movement.word());
        self.amount.push(content.amount.dong());
        self.discount.push(content.discount.dong());
        let texts = [&content.references.invoice, &content.references.order, &content.references.customer];
        for (column, text) in self.references.iter_mut().zip(texts) {
            column.push(text.as_ref().map(ReferenceText::as_str));
        }
        self.reverses.push(content.reverses.as_ref().map(|key| Key(*key.as_bytes())));
        self.fee.push(record.fee.dong());
        self.funder.push(record.funder.as_ref().map(Funder::as_str));
        self.channel.push(record.channel.as_deref());
        self.paid_at.push(record.paid_at.unix_ms());
        self.business_day.push(record.business_day);
        self.state.push(last.state.word());
        self.park_reason.push(reason);
        self.reversal.push(reversal.copied().map(Key));
        self.names_invoice.push(record.names_invoice.as_ref().map(InvoiceId::as_str));
        self.postings.push(small(last.postings)?);
        self.first_posting.push(first_posting);
        // By how it came: what was settled at once is found through its invoice, whatever becomes of it.
        self.listed.push(record.state != EventState::Settled);
        Ok(())
    }

    fn params(&self) -> Vec<Param<'_>> {
        let [ref_invoice, ref_order, ref_customer] = &self.references;
        vec![
            &self.no,
            &self.key,
            &self.sender_no,
            &self.event,
            &self.movement,
            &self.amount,
            &self.discount,
            ref_invoice,
            ref_order,
            ref_customer,
            &self.reverses,
            &self.fee,
            &self.funder,
            &self.channel,
            &self.paid_at,
            &self.business_day,
            &self.state,
            &self.park_reason,
            &self.reversal,
            &self.names_invoice,
            &self.postings,
            &self.first_posting,
            &self.listed,
        ]
    }
}

fn known_sender(tx: &PostgresTx<'_>, record: &EventRecord) -> Option<i32> {
    let known = tx.numbers.senders.iter().find(|s| s.partner == record.partner && s.account == record.account);
    known.map(|sender| sender.no)
}

fn sender_of(tx: &PostgresTx<'_>, record: &EventRecord) -> Result<i32, StoreError> {
    known_sender(tx, record).ok_or_else(|| StoreError::Fault("senders.add: no such sender".to_owned()))
}

/// Looks up, or adds, the senders that are not known yet: once for each in the life of a connection.
fn find_senders(tx: &mut PostgresTx<'_>, records: &[&EventRecord]) -> Result<(), StoreError> {
    const ADD: &str = "-- senders.add\nINSERT INTO senders (partner, account)
        SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) u (partner, account) ORDER BY partner, account
        ON CONFLICT (partner, account) DO NOTHING";
    const FIND: &str = "-- senders.find\nSELECT s.no, s.partner, s.account FROM senders s
        JOIN unnest($1::text[], $2::text[]) u (partner, account) USING (partner, account)";
    let missing: Vec<&&EventRecord> = records.iter().filter(|record| known_sender(tx, record).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let partners: Vec<&str> = missing.iter().map(|record| record.partner.as_str()).collect();
    let accounts: Vec<&str> = missing.iter().map(|record| record.account.as_str()).collect();
    let asks = [Ask::new(ADD, vec![&partners, &accounts]), Ask::new(FIND, vec![&partners, &accounts])];
    for answer in tx.ask(&asks)?.into_iter().skip(1) {
        for (no, partner, account) in answer.all(|cells| Ok((cells.whole()?, cells.partner()?, cells.text()?)))? {
            let no = i32::try_from(no).map_err(|_wide| StoreError::Fault("senders.find: out of range".to_owned()))?;
            if !tx.numbers.senders.iter().any(|s| s.no == no) {
                tx.numbers.senders.push(Sender { no, partner, account });
            }
        }
    }
    Ok(())
}

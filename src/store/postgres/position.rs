//! Where a payment's money is: its postings, their lines, and the settlements among them.

use super::row::{Key, RowCells};
use super::session::{Answer, Ask};
use crate::domain::ids::EventKey;
use crate::domain::money::Money;
use crate::domain::posting::{Allocation, Entry};
use crate::store::cells::{Cells, account_and_money};
use crate::store::shared::{add_entry, standing_as_told};
use crate::store::{Position, StoreError};
use std::collections::HashMap;

/// The postings of events: the first is named by their row, later ones name it. Their order is that of their ordinals:
/// numbers of two lanes say nothing of which came first. Which events, as a test of their keys; those of parameter 1 if
/// nothing is said.
macro_rules! postings_of {
    () => {
        postings_of!("= ANY($1)")
    };
    ($keys:literal) => {
        concat!(
            "WITH p AS (SELECT e.key, f.no, f.ordinal FROM events e JOIN postings f ON f.no = e.first_posting WHERE e.key ",
            $keys,
            " UNION ALL SELECT e.key, l.no, l.ordinal FROM events e JOIN postings l ON l.event_no = e.no
                AND l.kind IN ('rematch', 'reverse') WHERE e.key ",
            $keys,
            ")"
        )
    };
}
pub(super) use postings_of;

/// The rows of a table whose number holds that of posting `p` above 16 bits, joined to it under a name. Of a range whose ends
/// are not known beforehand the planner thinks that it holds a part of the table, and reads all of it; a part in the order of
/// its numbers, with an end, it reads by them.
macro_rules! join_lines {
    ($table:literal, $name:literal) => {
        concat!(
            " CROSS JOIN LATERAL (SELECT * FROM ",
            $table,
            " r WHERE r.no >= p.no << 16 AND r.no < (p.no + 1) << 16 ORDER BY r.no LIMIT 65536) ",
            $name
        )
    };
}
pub(super) use join_lines;

const ENTRIES: &str = concat!(
    "-- postings.entries\n",
    postings_of!(),
    " SELECT p.key, a.name, n.amount FROM p",
    join_lines!("entries", "n"),
    " JOIN accounts a ON a.no = n.account_no ORDER BY p.ordinal, n.no"
);

const ALLOCATIONS: &str = concat!(
    "-- postings.allocations\n",
    postings_of!(),
    " SELECT p.key, i.id, l.amount, l.sequence, d.key FROM p",
    join_lines!("dispatches", "d"),
    " JOIN allocations l ON l.invoice_no = d.invoice_no AND l.sequence = d.sequence
            JOIN invoices i ON i.no = l.invoice_no ORDER BY p.ordinal, d.no"
);

/// The questions about these payments.
pub(super) fn asks(keys: &Vec<Key>) -> [Ask<'_>; 3] {
    // The events last: if they are as they were before, so was everything in between.
    const EVENTS: &str =
        "-- postings.events\nSELECT e.key, e.discount, e.state, e.postings FROM events e WHERE e.key = ANY($1)";
    [Ask::new(ENTRIES, vec![keys]), Ask::new(ALLOCATIONS, vec![keys]), Ask::new(EVENTS, vec![keys])]
}

/// An event with its state's word and its number of postings.
pub(super) type EventNow = (EventKey, String, u32);

/// Their answers, folded, in the order of the payments, and the events as they are now.
pub(super) fn of(payments: &[EventKey], answers: &[Answer]) -> Result<(Vec<Position>, Vec<EventNow>), StoreError> {
    let mut found: HashMap<EventKey, Position> = HashMap::new();
    let [entries, allocations, events] = answers else {
        return Err(StoreError::Fault("postings.entries: no answer".to_owned()));
    };
    for (key, entry) in entries.all(entry)? {
        add_entry(&mut found.entry(key).or_default().entries, entry)?;
    }
    for (key, allocation) in allocations.all(allocation)? {
        found.entry(key).or_default().allocations.push(allocation);
    }
    let mut discounts: HashMap<EventKey, Money> = HashMap::new();
    let events = events.all(|cells| {
        let key = cells.event_key()?;
        discounts.insert(key, cells.money()?);
        Ok((key, cells.text()?, cells.count()?))
    })?;
    let mut taken = Vec::with_capacity(payments.len());
    for payment in payments {
        let Position { mut entries, allocations } = found.get(payment).cloned().unwrap_or_default();
        entries.retain(|entry| !entry.amount.is_zero());
        let discount = discounts.get(payment).copied().unwrap_or_default();
        taken.push(Position { entries, allocations: standing_as_told(allocations, discount)? });
    }
    Ok((taken, events))
}

fn entry(cells: &mut RowCells<'_>) -> Result<(EventKey, Entry), StoreError> {
    let key = cells.event_key()?;
    let (account, amount) = account_and_money(cells)?;
    Ok((key, Entry { account, amount }))
}

fn allocation(cells: &mut RowCells<'_>) -> Result<(EventKey, Allocation), StoreError> {
    let key = cells.event_key()?;
    Ok((
        key,
        Allocation {
            invoice: cells.invoice_id()?,
            amount: cells.money()?,
            sequence: cells.count()?,
            key: cells.dispatch_key()?,
            discount: Money::ZERO,
        },
    ))
}

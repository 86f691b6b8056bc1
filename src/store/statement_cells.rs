//! Rows of statements and comparisons back into nouns, whichever database they come from.

use super::StoreError;
use super::cells::Cells;
use super::periods::PeriodBreak;
use super::statements::{
    DayEvent, DayLine, FileState, Held, Judged, LegBreak, NewReconciliation, NewStatement, ReconciliationView,
    ReferenceHashes, StatementFile, StatementSums, reference_hash,
};
use crate::domain::ids::{Author, EventNo, Movement};
use crate::domain::resolution::BreakState;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, ReconciliationNo, StatementKind, Sum};

/// The columns of a file, in the order that [`statement_file`] reads them.
macro_rules! statement_columns {
    () => {
        "f.no, f.kind, f.partner, f.day, f.name, f.hash, f.bytes, f.author, f.at, f.state, f.lines, f.payments, \
         f.payments_dong, f.reversals, f.reversals_dong, f.ignored, f.ignored_dong, f.supersedes"
    };
}
pub(super) use statement_columns;

/// Of a payment that was taken back: did the partner's reversal do it? What people took back is not in the books.
macro_rules! reversed_by_partner {
    () => {
        "EXISTS (SELECT 1 FROM events r WHERE r.reverses = e.key AND r.reverses IS NOT NULL AND r.state = 'applied')"
    };
}
pub(super) use reversed_by_partner;

/// Is the money of event `e` in the books, wherever it lies? As [`day_event`] says it.
macro_rules! is_held {
    () => {
        concat!(
            "(",
            crate::store::statement_cells::is_kept!(),
            " OR ",
            crate::store::statement_cells::is_taken_back!(),
            ")"
        )
    };
}
pub(super) use is_held;

/// The part of it that the event's own row says.
macro_rules! is_kept {
    () => {
        "e.state IN ('settled', 'parked', 'applied')"
    };
}
pub(super) use is_kept;

/// The part of it that another event says.
macro_rules! is_taken_back {
    () => {
        concat!("e.state = 'reversed' AND ", crate::store::statement_cells::reversed_by_partner!())
    };
}
pub(super) use is_taken_back;

/// Was event `e` taken back by people? Its posting stays, and its money is not in the books.
macro_rules! is_undone {
    () => {
        concat!("e.state = 'reversed' AND NOT ", crate::store::statement_cells::reversed_by_partner!())
    };
}
pub(super) use is_undone;

/// Has the core a message about a posting of event `e`? Its number holds the posting's above 16 bits.
macro_rules! was_told {
    () => {
        "(EXISTS (SELECT 1 FROM dispatches d WHERE d.no >= e.first_posting << 16 AND d.no < (e.first_posting + 1) << 16) \
         OR EXISTS (SELECT 1 FROM postings p JOIN dispatches d ON d.no >= p.no << 16 AND d.no < (p.no + 1) << 16 \
         WHERE p.event_no = e.no AND p.kind IN ('rematch', 'reverse')))"
    };
}
pub(super) use was_told;

/// The columns of an event, in the order that [`day_event`] reads them. What is settled was told to the core; of anything else it is asked, of a reversal about what it took back. (That a posting's kind is
/// one of two and the second is the words of an index.)
macro_rules! day_event_columns {
    () => {
        concat!(
            "e.no, e.key, e.movement, CASE WHEN e.state = 'settled' THEN 'told' WHEN ",
            crate::store::statement_cells::is_undone!(),
            " THEN 'undone' WHEN e.state IN ('parked', 'reversed') THEN CASE WHEN ",
            crate::store::statement_cells::was_told!(),
            " THEN 'told' ELSE 'kept' END WHEN e.state = 'applied' THEN CASE WHEN EXISTS (SELECT 1 FROM events o \
             JOIN postings p ON p.event_no = o.no AND p.kind IN ('rematch', 'reverse') AND p.kind = 'reverse' \
             JOIN dispatches d ON d.no >= p.no << 16 AND d.no < (p.no + 1) << 16 WHERE o.key = e.reverses) \
             THEN 'told' ELSE 'kept' END ELSE e.state END, e.reverses, e.amount, e.discount, e.fee, e.ref_invoice, \
             e.ref_order, e.ref_customer, e.paid_at, e.business_day"
        )
    };
}
pub(super) use day_event_columns;

/// The columns of a line, in the order that [`day_line`] reads them.
macro_rules! day_line_columns {
    () => {
        "l.no, l.row, l.key, l.movement, l.amount, l.discount, l.fee, l.ref_invoice, l.ref_order, l.ref_customer, \
         l.paid_at, l.day"
    };
}
pub(super) use day_line_columns;

fn kind(cells: &mut impl Cells) -> Result<StatementKind, StoreError> {
    cells.word(StatementKind::parse)
}

fn author(cells: &mut impl Cells) -> Result<Author, StoreError> {
    cells.word(|text| Author::parse(text).ok())
}

fn movement(word: &str) -> Option<Movement> {
    Movement::ALL.into_iter().find(|movement| movement.word() == word)
}

/// How many, and how much.
pub(super) fn sum(cells: &mut impl Cells) -> Result<Sum, StoreError> {
    let count = cells.whole()?;
    Ok(Sum { count: u64::try_from(count).map_err(|_negative| cells.bad())?, dong: cells.whole()? })
}

fn references(cells: &mut impl Cells) -> Result<ReferenceHashes, StoreError> {
    let mut hash = || cells.word_some(|text| Some(reference_hash(Some(text)))).map(|hash| hash.unwrap_or(0));
    Ok(ReferenceHashes { invoice: hash()?, order: hash()?, customer: hash()? })
}

/// A file as people see it.
pub(super) fn statement_file(cells: &mut impl Cells) -> Result<StatementFile, StoreError> {
    let no = FileNo(cells.whole()?);
    let (kind, partner, day, name, hash) = (kind(cells)?, cells.partner()?, cells.day()?, cells.text()?, cells.hash()?);
    let bytes = cells.whole()?;
    let bytes = u64::try_from(bytes).map_err(|_negative| cells.bad())?;
    let (author, at) = (author(cells)?, cells.at()?);
    Ok(StatementFile {
        no,
        statement: NewStatement { kind, partner, day, name, hash, bytes, author, at },
        state: cells.word(FileState::parse)?,
        sums: StatementSums {
            lines: cells.count()?,
            payments: sum(cells)?,
            reversals: sum(cells)?,
            ignored: sum(cells)?,
        },
        supersedes: cells.whole_some()?.map(FileNo),
    })
}

fn held(word: &str) -> Held {
    match word {
        "told" => Held::Told,
        "kept" => Held::Kept,
        _ => Held::Nowhere,
    }
}

/// One of our events.
pub(super) fn day_event(cells: &mut impl Cells) -> Result<DayEvent, StoreError> {
    Ok(DayEvent {
        no: EventNo(cells.whole()?),
        key: cells.event_key()?,
        movement: cells.word(movement)?,
        held: cells.word(|word| Some(held(word)))?,
        reverses: cells.event_key_some()?,
        amount: cells.whole()?,
        discount: cells.whole()?,
        fee: cells.whole()?,
        references: references(cells)?,
        paid_at: cells.at()?,
        day: cells.day()?,
    })
}

/// One line of a statement.
pub(super) fn day_line(cells: &mut impl Cells) -> Result<DayLine, StoreError> {
    Ok(DayLine {
        no: LineNo(cells.whole()?),
        row: cells.count()?,
        key: cells.event_key_some()?,
        movement: cells.word_some(movement)?,
        amount: cells.whole()?,
        discount: cells.whole()?,
        fee: cells.whole()?,
        references: references(cells)?,
        paid_at: cells.at()?,
        day: cells.day()?,
    })
}

/// A comparison as it was kept.
pub(super) fn reconciliation_view(cells: &mut impl Cells) -> Result<ReconciliationView, StoreError> {
    Ok(ReconciliationView {
        no: ReconciliationNo(cells.whole()?),
        reconciliation: NewReconciliation {
            kind: kind(cells)?,
            partner: cells.partner()?,
            day: cells.day()?,
            file: cells.whole_some()?.map(FileNo),
            rules: cells.whole()?,
            sums: cells.text()?,
            author: author(cells)?,
            at: cells.at()?,
        },
    })
}

/// The numbers of the breaks of a partner's own statements of some days, and of earlier ones that are open, as table
/// `of_period`; the parameters are the partner and both days. `leg IS NOT NULL` is the index's own condition.
macro_rules! of_period {
    ($partner:literal, $from:literal, $to:literal) => {
        concat!(
            "WITH of_period AS (SELECT no FROM breaks WHERE leg = 'partner' AND partner = ",
            $partner,
            " AND day BETWEEN ",
            $from,
            " AND ",
            $to,
            " UNION ALL SELECT no FROM breaks WHERE leg = 'partner' AND leg IS NOT NULL AND partner = ",
            $partner,
            " AND day < ",
            $from,
            " AND closed_at IS NULL)"
        )
    };
}
pub(super) use of_period;

/// The columns of a break, in the order that [`period_break`] reads them.
macro_rules! period_break_columns {
    () => {
        "no, class, day, coalesce((SELECT e.event FROM events e WHERE e.key = breaks.event_key), \
         (SELECT l.event FROM statement_lines l WHERE l.no = breaks.line_no)), invoice, ours, theirs, state, closed_at, \
         close_reason"
    };
}
pub(super) use period_break_columns;

/// A break as minutes list it.
pub(super) fn period_break(cells: &mut impl Cells) -> Result<PeriodBreak, StoreError> {
    Ok(PeriodBreak {
        no: cells.whole()?,
        class: cells.word(BreakClass::parse)?,
        day: cells.day()?,
        payment: cells.text_some()?,
        invoice: cells.invoice_id_some()?,
        ours: cells.whole_some()?,
        theirs: cells.whole_some()?,
        state: cells.word(BreakState::parse)?,
        closed_at: cells.at_some()?,
        close_reason: cells.text_some()?,
    })
}

/// An open break of a comparison.
pub(super) fn leg_break(cells: &mut impl Cells) -> Result<LegBreak, StoreError> {
    Ok(LegBreak {
        no: cells.whole()?,
        class: cells.word(BreakClass::parse)?,
        mark: cells.hash()?,
        event: cells.event_key_some()?,
        line: cells.whole_some()?.map(LineNo),
        day: cells.day()?,
        carried: cells.flag()?,
        ours: cells.whole_some()?,
        theirs: cells.whole_some()?,
    })
}

/// A break that has judged an event.
pub(super) fn judged(cells: &mut impl Cells) -> Result<Judged, StoreError> {
    Ok(Judged {
        event: cells.event_key()?,
        line: cells.whole_some()?.map(LineNo),
        ours: cells.whole_some()?,
        theirs: cells.whole_some()?,
    })
}

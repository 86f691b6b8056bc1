//! Statements, comparisons and matches in a file. A line's number says where it lies, so the lines of a file are
//! appended side by side.

use super::reports::SqliteReports;
use super::statement::Db;
use crate::domain::fold::fold;
use crate::domain::ids::{EventKey, EventNo, PartnerCode};
use crate::domain::notice::{Effect, ReferenceText};
use crate::domain::statement::{FileNo, LineNo, ReconciliationNo, StatementKind};
use crate::store::StoreError;
use crate::store::cells::Cells as _;
use crate::store::desk::StoredLine;
use crate::store::desk_cells::{stored_line, stored_line_columns};
use crate::store::shared::{check_lines, later, superseded};
use crate::store::statement_cells::{
    day_event, day_event_columns, day_line, day_line_columns, judged, leg_break, reconciliation_view,
    statement_columns, statement_file,
};
use crate::store::statements::{
    BegunStatement, Closing, DayEvent, DayEvents, DayLine, FileFilter, FileState, Freed, Judged, JudgedEvents,
    LegBreak, LegBreaks, NewLine, NewMatch, NewReconciliation, NewStatement, Pointed, ReconciliationView,
    StatementFile, StatementReports, StatementSums,
};
use jiff::civil::Date;
use rusqlite::params;

/// Finds the file, or begins it.
pub(super) fn begin(db: Db<'_>, new: &NewStatement) -> Result<BegunStatement, StoreError> {
    const ADD: &str = "-- statements.begin\nINSERT INTO statement_files
            (kind, partner, day, name, hash, bytes, author, at, state, lines, payments, payments_dong, reversals,
             reversals_dong, ignored, ignored_dong)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'reading', 0, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (kind, partner, day, hash) DO NOTHING";
    const FIND: &str = "-- statements.find\nSELECT no, state FROM statement_files
        WHERE kind = ?1 AND partner = ?2 AND day = ?3 AND hash = ?4";
    const LINES: &str = "-- statements.last_line\nSELECT max(no) FROM statement_lines WHERE no > ?1 AND no < ?2";
    let (kind, partner, day) = (new.kind.word(), new.partner.as_str(), new.day.to_string());
    let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
    let (author, at) = (new.author.as_str(), new.at.unix_ms());
    db.execute(ADD, params![kind, partner, day, new.name, new.hash, bytes, author, at])?;
    let found = db.one(FIND, params![kind, partner, day, new.hash], |cells| {
        Ok((FileNo(cells.next()?), cells.word(FileState::parse)?))
    })?;
    let (file, state) = found.ok_or_else(|| StoreError::Fault("statements.begin: no such file".to_owned()))?;
    let last = db.one(LINES, (LineNo::of(file, 0).0, LineNo::of(FileNo(file.0 + 1), 0).0), |cells| {
        cells.next::<Option<i64>>()
    })?;
    let lines = last.flatten().map_or(0, |no| LineNo(no).place());
    Ok(BegunStatement { file, state, lines })
}

/// Adds lines of a file that is being read; those that are there stay as they are.
pub(super) fn add_lines(db: Db<'_>, file: FileNo, lines: &[NewLine]) -> Result<(), StoreError> {
    const ADD: &str = "-- statements.add_line\nINSERT INTO statement_lines
            (no, row, offset, length, key, event, movement, amount, discount, fee, ref_invoice, ref_order, ref_customer,
             paid_at, day)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT (no) DO NOTHING";
    let mut add = db.prepare(ADD)?;
    let mut days = Days::default();
    for new in lines {
        let line = &new.line;
        let offset = new.span.map(|(offset, _)| i64::try_from(offset).unwrap_or(i64::MAX));
        let movement = match line.effect {
            Effect::Moves(movement) => Some(movement.word()),
            Effect::None(_) => None,
        };
        let [invoice, order, customer] = [&line.references.invoice, &line.references.order, &line.references.customer]
            .map(|text| text.as_ref().map(ReferenceText::as_str));
        add.execute(params![
            LineNo::of(file, new.place).0,
            line.row,
            offset,
            new.span.map(|(_, length)| length),
            new.key.as_ref().map(EventKey::as_bytes),
            line.event.as_ref().map(ToString::to_string),
            movement,
            line.amount.dong(),
            line.discount.dong(),
            line.fee.dong(),
            invoice,
            order,
            customer,
            line.paid_at.unix_ms(),
            days.text(line.day),
        ])?;
    }
    Ok(())
}

/// A day's text, made once for lines that follow each other.
#[derive(Default)]
struct Days(Option<(Date, String)>);

impl Days {
    fn text(&mut self, day: Date) -> &str {
        if self.0.as_ref().is_none_or(|(known, _)| *known != day) {
            self.0 = Some((day, day.to_string()));
        }
        self.0.as_ref().map_or("", |(_, text)| text)
    }
}

/// From now on this file is the day's word; says which file was before.
pub(super) fn take(db: Db<'_>, file: FileNo, sums: &StatementSums) -> Result<Option<FileNo>, StoreError> {
    const BEFORE: &str = "-- statements.before\nSELECT old.no FROM statement_files new JOIN statement_files old
            ON old.kind = new.kind AND old.partner = new.partner AND old.day = new.day AND old.state = 'taken'
        WHERE new.no = ?1 AND old.no <> new.no";
    const SUPERSEDE: &str = "-- statements.supersede\nUPDATE statement_files SET state = 'superseded' WHERE no = ?1";
    const END: &str = "-- matches.end\nUPDATE matches SET ended = 1 WHERE line_no > ?1 AND line_no < ?2 AND ended = 0";
    const TAKE: &str = "-- statements.take\nUPDATE statement_files SET state = 'taken', lines = ?2, payments = ?3,
            payments_dong = ?4, reversals = ?5, reversals_dong = ?6, ignored = ?7, ignored_dong = ?8, supersedes = ?9
        WHERE no = ?1 AND state = 'reading'";
    let before = db.one(BEFORE, [file.0], |cells| cells.next::<i64>())?;
    if before.is_some_and(|before| before > file.0) {
        return Err(later());
    }
    if let Some(before) = before {
        db.execute(SUPERSEDE, [before])?;
        db.execute(END, (LineNo::of(FileNo(before), 0).0, LineNo::of(FileNo(before + 1), 0).0))?;
    }
    let count = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX);
    check_lines(&lines_sum(db, file)?, sums)?;
    let taken = db.execute(
        TAKE,
        params![
            file.0,
            sums.lines,
            count(sums.payments.count),
            sums.payments.dong,
            count(sums.reversals.count),
            sums.reversals.dong,
            count(sums.ignored.count),
            sums.ignored.dong,
            before,
        ],
    )?;
    if taken == 1 { Ok(before.map(FileNo)) } else { Err(later()) }
}

/// What the stored lines add up to: lines, and what moves, a reversal negative.
fn lines_sum(db: Db<'_>, file: FileNo) -> Result<(i64, i64), StoreError> {
    const SQL: &str = "-- statements.sum\nSELECT count(*), coalesce(sum(CASE movement WHEN 'payment' THEN amount
            WHEN 'reversal' THEN -amount ELSE 0 END), 0) FROM statement_lines WHERE no > ?1 AND no < ?2";
    let range = (LineNo::of(file, 0).0, LineNo::of(FileNo(file.0 + 1), 0).0);
    Ok(db.one(SQL, range, |cells| Ok((cells.next()?, cells.next()?)))?.unwrap_or_default())
}

/// Events of other moments whose match a superseded file had, and that have none now.
pub(super) fn freed(db: Db<'_>, ask: &Freed) -> Result<Vec<DayEvent>, StoreError> {
    const SQL: &str = concat!(
        "-- matches.freed\nSELECT ",
        day_event_columns!(),
        " FROM matches m JOIN events e ON e.no = m.event_no
        WHERE m.line_no > ?1 AND m.line_no < ?2 AND m.ended = 1 AND (e.paid_at < ?3 OR e.paid_at >= ?4)
            AND NOT EXISTS (SELECT 1 FROM matches l WHERE l.event_no = m.event_no AND l.kind = m.kind AND l.ended = 0)
        ORDER BY e.no"
    );
    let (from, to) = (LineNo::of(ask.file, 0).0, LineNo::of(FileNo(ask.file.0 + 1), 0).0);
    db.all(SQL, (from, to, ask.start.unix_ms(), ask.end.unix_ms()), |cells| day_event(cells))
}

/// Keeps a comparison.
pub(super) fn add_reconciliation(db: Db<'_>, new: &NewReconciliation) -> Result<ReconciliationNo, StoreError> {
    const ADD: &str = "-- reconciliations.add\nINSERT INTO reconciliations
            (kind, partner, day, file_no, rules, sums, author, at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING no";
    let file = new.file.map(|file| file.0);
    let (day, at) = (new.day.to_string(), new.at.unix_ms());
    let params =
        params![new.kind.word(), new.partner.as_str(), day, file, new.rules, new.sums, new.author.as_str(), at];
    let no = db.one(ADD, params, |cells| cells.next::<i64>())?;
    no.map(ReconciliationNo).ok_or_else(|| StoreError::Fault("reconciliations.add: no number".to_owned()))
}

/// Keeps matches; says how many of them are new. A line or an event that is matched already stays as it is.
pub(super) fn add_matches(
    db: Db<'_>,
    reconciliation: (ReconciliationNo, StatementKind),
    matches: &[NewMatch],
) -> Result<u64, StoreError> {
    const ADD: &str = "-- matches.add\nINSERT INTO matches (line_no, kind, event_no, rule, reconciliation_no)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    const STANDS: &str =
        "-- matches.stands\nSELECT f.state FROM reconciliations r JOIN statement_files f ON f.no = r.file_no
        WHERE r.no = ?1 AND f.state = 'taken'";
    let ((reconciliation, kind), mut add) = (reconciliation, db.prepare(ADD)?);
    if db.one(STANDS, [reconciliation.0], |cells| cells.next::<String>())?.is_none() {
        return Err(superseded());
    }
    let mut added = 0_u64;
    for one in matches {
        let more = add.execute((one.line.0, kind.word(), one.event.0, one.rule, reconciliation.0))?;
        added = added.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
    Ok(added)
}

/// Closes breaks that are open; says how many.
pub(super) fn close_breaks(db: Db<'_>, breaks: &[i64], closing: &Closing<'_>) -> Result<u64, StoreError> {
    const CLOSE: &str = "-- breaks.close\nUPDATE breaks SET closed_at = ?2, closed_by = ?3, close_reason = ?4,
            proposal_no = NULL, approved = 0 WHERE no = ?1 AND closed_at IS NULL";
    let mut close = db.prepare(CLOSE)?;
    let mut closed = 0_u64;
    for no in breaks {
        let more = close.execute((no, closing.at.unix_ms(), closing.author.as_str(), closing.reason))?;
        closed = closed.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
    }
    Ok(closed)
}

/// Says of open breaks what they are about by now.
pub(super) fn point_breaks(db: Db<'_>, pointed: &[Pointed]) -> Result<(), StoreError> {
    const POINT: &str = "-- breaks.point\nUPDATE breaks SET line_no = ?2, detail = ?3,
            folded = ?4 || coalesce(' ' || lower(about), '') WHERE no = ?1 AND closed_at IS NULL";
    let mut point = db.prepare(POINT)?;
    for Pointed { no, line, detail } in pointed {
        point.execute((no, line.map(|line| line.0), detail, fold(detail)))?;
    }
    Ok(())
}

/// The file that is the day's word.
pub(super) fn taken(
    db: Db<'_>,
    kind: StatementKind,
    partner: &PartnerCode,
    day: Date,
) -> Result<Option<StatementFile>, StoreError> {
    const SQL: &str = concat!(
        "-- statements.taken\nSELECT ",
        statement_columns!(),
        " FROM statement_files f WHERE f.kind = ?1 AND f.partner = ?2 AND f.day = ?3 AND f.state = 'taken'"
    );
    db.one(SQL, (kind.word(), partner.as_str(), day.to_string()), |cells| statement_file(cells))
}

/// Files, newest first.
pub(super) fn files(db: Db<'_>, limit: u32) -> Result<Vec<StatementFile>, StoreError> {
    const SQL: &str = concat!(
        "-- statements.list\nSELECT ",
        statement_columns!(),
        " FROM statement_files f ORDER BY f.no DESC LIMIT ?1"
    );
    db.all(SQL, [limit], |cells| statement_file(cells))
}

/// The last comparison of a day.
pub(super) fn last(
    db: Db<'_>,
    kind: StatementKind,
    partner: &PartnerCode,
    day: Date,
) -> Result<Option<ReconciliationView>, StoreError> {
    const SQL: &str = "-- reconciliations.last\nSELECT no, kind, partner, day, file_no, rules, sums, author, at
        FROM reconciliations WHERE kind = ?1 AND partner = ?2 AND day = ?3 ORDER BY no DESC LIMIT 1";
    db.one(SQL, (kind.word(), partner.as_str(), day.to_string()), |cells| reconciliation_view(cells))
}

/// A page of our events of a day.
pub(super) fn day_events(db: Db<'_>, ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError> {
    const SENDERS: &str = "-- senders.of\nSELECT no FROM senders WHERE partner = ?1 ORDER BY no";
    const SQL: &str = concat!(
        "-- events.of_day\nSELECT ",
        day_event_columns!(),
        " FROM events e INDEXED BY events_of_day
        WHERE e.sender_no = ?1 AND e.business_day = ?2 AND e.no > ?3 ORDER BY e.no LIMIT ?4"
    );
    let senders = db.all(SENDERS, [ask.partner.as_str()], |cells| cells.next::<i64>())?;
    let mut page = db.prepare(SQL)?;
    let mut of =
        |sender: &i64| page.all(params![sender, ask.day.to_string(), ask.after.0, ask.limit], |cells| day_event(cells));
    if let [only] = senders.as_slice() {
        return of(only);
    }
    let mut found = Vec::new();
    for sender in &senders {
        found.extend(of(sender)?);
    }
    found.sort_unstable_by_key(|event: &DayEvent| event.no);
    found.truncate(usize::try_from(ask.limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// These events.
pub(super) fn events_with_keys(db: Db<'_>, keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError> {
    const SQL: &str = concat!("-- events.with_key\nSELECT ", day_event_columns!(), " FROM events e WHERE e.key = ?1");
    let mut one = db.prepare(SQL)?;
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.extend(one.one([key.as_bytes()], |cells| day_event(cells))?);
    }
    Ok(found)
}

/// What their partners call these events.
pub(super) fn event_names(db: Db<'_>, keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError> {
    const SQL: &str = "-- events.names\nSELECT no, event FROM events WHERE key = ?1";
    let (mut one, mut found) = (db.prepare(SQL)?, Vec::with_capacity(keys.len()));
    for key in keys {
        found.extend(one.one([key.as_bytes()], |cells| Ok((EventNo(cells.whole()?), cells.text()?)))?);
    }
    Ok(found)
}

/// A page of a file's lines.
pub(super) fn lines(db: Db<'_>, after: LineNo, limit: u32) -> Result<Vec<DayLine>, StoreError> {
    const SQL: &str = concat!(
        "-- statement_lines.of_file\nSELECT ",
        day_line_columns!(),
        " FROM statement_lines l WHERE l.no > ?1 AND l.no < ?2 ORDER BY l.no LIMIT ?3"
    );
    let end = LineNo::of(FileNo(after.file().0 + 1), 0);
    db.all(SQL, (after.0, end.0, limit), |cells| day_line(cells))
}

/// These lines, of files that still say something.
pub(super) fn lines_with_numbers(db: Db<'_>, numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError> {
    const SQL: &str = concat!(
        "-- statement_lines.with_number\nSELECT ",
        day_line_columns!(),
        " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32 AND f.state = 'taken' WHERE l.no = ?1"
    );
    let mut one = db.prepare(SQL)?;
    let mut found = Vec::with_capacity(numbers.len());
    for no in numbers {
        found.extend(one.one([no.0], |cells| day_line(cells))?);
    }
    Ok(found)
}

/// What these events are matched to on a leg.
pub(super) fn lines_of_events(
    db: Db<'_>,
    kind: StatementKind,
    events: &[EventNo],
) -> Result<Vec<(EventNo, LineNo)>, StoreError> {
    const SQL: &str =
        "-- matches.of_event\nSELECT line_no FROM matches WHERE event_no = ?1 AND kind = ?2 AND ended = 0";
    let (mut one, mut found) = (db.prepare(SQL)?, Vec::new());
    for event in events {
        let line = one.one((event.0, kind.word()), |cells| cells.next::<i64>())?;
        found.extend(line.map(|line| (*event, LineNo(line))));
    }
    Ok(found)
}

/// Those of these lines that are matched.
pub(super) fn matched_lines(db: Db<'_>, lines: &[LineNo]) -> Result<Vec<LineNo>, StoreError> {
    const SQL: &str = "-- matches.of_line\nSELECT line_no FROM matches WHERE line_no = ?1 AND ended = 0";
    let (mut one, mut found) = (db.prepare(SQL)?, Vec::new());
    for line in lines {
        found.extend(one.one([line.0], |cells| cells.next::<i64>())?.map(LineNo));
    }
    Ok(found)
}

/// The open breaks of a partner's comparisons on a leg.
pub(super) fn leg_breaks(db: Db<'_>, ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError> {
    const SQL: &str = "-- breaks.of_leg\nSELECT no, class, mark, event_key, line_no, day, carried, ours, theirs
        FROM breaks
        WHERE leg = ?1 AND partner = ?2 AND day <= ?3 AND closed_at IS NULL AND no > ?4 ORDER BY no LIMIT ?5";
    let params = params![ask.kind.word(), ask.partner.as_str(), ask.until.to_string(), ask.after, ask.limit];
    db.all(SQL, params, |cells| leg_break(cells))
}

/// The breaks that have judged these events.
pub(super) fn judged_events(db: Db<'_>, ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError> {
    const SQL: &str = "-- breaks.judged\nSELECT b.event_key, b.line_no, b.ours, b.theirs FROM breaks b
        WHERE b.event_key = ?1 AND b.event_key IS NOT NULL AND b.leg = ?2 AND (
            b.closed_at IS NULL AND b.day > ?3 AND (b.ours IS NOT NULL OR b.class <> 'DUPLICATE_LINE')
            OR b.closed_at IS NOT NULL AND b.proposal_no IS NOT NULL AND b.ours <> 0
                AND (b.line_no IS NULL OR EXISTS (SELECT 1 FROM statement_files f
                    WHERE f.no = b.line_no >> 32 AND f.state = 'taken')))";
    let (mut one, mut found) = (db.prepare(SQL)?, Vec::new());
    let (kind, day) = (ask.kind.word(), ask.day.to_string());
    for event in ask.events {
        found.extend(one.all((event.as_bytes(), kind, &day), |cells| judged(cells))?);
    }
    Ok(found)
}

impl StatementReports for SqliteReports {
    fn statement_file(&mut self, no: FileNo) -> Result<Option<StatementFile>, StoreError> {
        const SQL: &str =
            concat!("-- statements.one\nSELECT ", statement_columns!(), " FROM statement_files f WHERE f.no = ?1");
        self.db().one(SQL, [no.0], |cells| statement_file(cells))
    }

    fn statement_files(&mut self, filter: &FileFilter) -> Result<Vec<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.found\nSELECT ",
            statement_columns!(),
            " FROM statement_files f WHERE f.no < ?1 AND (?2 IS NULL OR f.kind = ?2) AND (?3 IS NULL OR f.partner = ?3)
                AND (?4 IS NULL OR f.day = ?4) AND (?5 IS NULL OR f.state = ?5) ORDER BY f.no DESC LIMIT ?6"
        );
        let before = filter.before.map_or(i64::MAX, |before| before.0);
        let (kind, state) = (filter.kind.map(StatementKind::word), filter.state.map(FileState::word));
        let (partner, day) = (filter.partner.as_ref().map(PartnerCode::as_str), filter.day.map(|day| day.to_string()));
        self.db().all(SQL, params![before, kind, partner, day, state, filter.limit], |cells| statement_file(cells))
    }

    fn file_lines(&mut self, file: FileNo, after: u32, limit: u32) -> Result<Vec<StoredLine>, StoreError> {
        const SQL: &str = concat!(
            "-- statement_lines.shown\nSELECT ",
            stored_line_columns!(),
            " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32
            WHERE l.no > ?1 AND l.no < ?2 ORDER BY l.no LIMIT ?3"
        );
        let end = LineNo::of(FileNo(file.0 + 1), 0);
        self.db().all(SQL, (LineNo::of(file, after).0, end.0, limit), |cells| stored_line(cells))
    }
}

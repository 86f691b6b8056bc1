//! Statements, comparisons and matches on a server: a slice of rows is one stream, or one statement.

use super::asking::PostgresReports;
use super::row::{Key, small};
use super::session::{Ask, CopyRow, Param};
use super::tx::PostgresTx;
use crate::domain::fold::fold;
use crate::domain::ids::{EventKey, EventNo, PartnerCode};
use crate::domain::money::Money;
use crate::domain::notice::{Effect, ReferenceText};
use crate::domain::statement::{FileNo, LineNo, ReconciliationNo, StatementKind};
use crate::store::StoreError;
use crate::store::cells::Cells;
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
use std::collections::HashSet;
use tokio_postgres::types::Type;

/// Finds the file, or begins it.
pub(super) fn begin(tx: &mut PostgresTx<'_>, new: &NewStatement) -> Result<BegunStatement, StoreError> {
    const ADD: &str = "-- statements.begin\nINSERT INTO statement_files
            (kind, partner, day, name, hash, bytes, author, at, state, lines, payments, payments_dong, reversals,
             reversals_dong, ignored, ignored_dong)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'reading', 0, 0, 0, 0, 0, 0, 0)
        ON CONFLICT (kind, partner, day, hash) DO NOTHING";
    const FIND: &str = "-- statements.find\nSELECT no, state FROM statement_files
        WHERE kind = $1 AND partner = $2 AND day = $3 AND hash = $4";
    const LINES: &str = "-- statements.last_line\nSELECT max(no) FROM statement_lines WHERE no > $1 AND no < $2";
    let (kind, partner, hash) = (new.kind.word(), new.partner.as_str(), new.hash.as_slice());
    let bytes = i64::try_from(new.bytes).unwrap_or(i64::MAX);
    let (author, at) = (new.author.as_str(), new.at.unix_ms());
    let add: Vec<Param<'_>> = vec![&kind, &partner, &new.day, &new.name, &hash, &bytes, &author, &at];
    let find: Vec<Param<'_>> = vec![&kind, &partner, &new.day, &hash];
    let answers = tx.ask(&[Ask::new(ADD, add), Ask::new(FIND, find)])?;
    let found = answers.last().map(|a| a.one(|cells| Ok((FileNo(cells.whole()?), cells.word(FileState::parse)?))));
    let found = found.transpose()?.flatten();
    let (file, state) = found.ok_or_else(|| StoreError::Fault("statements.begin: no such file".to_owned()))?;
    let (from, to) = (LineNo::of(file, 0).0, LineNo::of(FileNo(file.0 + 1), 0).0);
    let last = tx.ask_one(Ask::new(LINES, vec![&from, &to]))?.one(|cells| cells.whole_some())?;
    let lines = last.flatten().map_or(0, |no| LineNo(no).place());
    Ok(BegunStatement { file, state, lines })
}

/// A line as a row.
struct LineRow<'l> {
    no: i64,
    row: i32,
    offset: Option<i64>,
    length: Option<i32>,
    key: Option<Key>,
    event: Option<String>,
    movement: Option<&'static str>,
    amounts: [i64; 3],
    references: [Option<&'l str>; 3],
    paid_at: i64,
    day: Date,
}

impl<'l> LineRow<'l> {
    fn of(file: FileNo, new: &'l NewLine) -> Self {
        let line = &new.line;
        let references = [&line.references.invoice, &line.references.order, &line.references.customer];
        Self {
            no: LineNo::of(file, new.place).0,
            row: line.row.cast_signed(),
            offset: new.span.map(|(offset, _)| i64::try_from(offset).unwrap_or(i64::MAX)),
            length: new.span.map(|(_, length)| length.cast_signed()),
            key: new.key.map(|key| Key(*key.as_bytes())),
            event: line.event.as_ref().map(ToString::to_string),
            movement: match line.effect {
                Effect::Moves(movement) => Some(movement.word()),
                Effect::None(_) => None,
            },
            amounts: [line.amount, line.discount, line.fee].map(Money::dong),
            references: references.map(|text| text.as_ref().map(ReferenceText::as_str)),
            paid_at: line.paid_at.unix_ms(),
            day: line.day,
        }
    }
}

impl CopyRow for LineRow<'_> {
    const SQL: &'static str = "-- statements.copy_lines\nCOPY statement_lines
            (no, row, span_offset, span_length, key, event, movement, amount, discount, fee, ref_invoice, ref_order,
             ref_customer, paid_at, day)
        FROM STDIN (FORMAT binary)";
    const TYPES: &'static [Type] = &[
        Type::INT8,
        Type::INT4,
        Type::INT8,
        Type::INT4,
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::DATE,
    ];

    fn params(&self) -> Vec<Param<'_>> {
        let [amount, discount, fee] = &self.amounts;
        let [invoice, order, customer] = &self.references;
        vec![
            &self.no,
            &self.row,
            &self.offset,
            &self.length,
            &self.key,
            &self.event,
            &self.movement,
            amount,
            discount,
            fee,
            invoice,
            order,
            customer,
            &self.paid_at,
            &self.day,
        ]
    }
}

/// Adds lines of a file that is being read; those that are there stay as they are.
pub(super) fn add_lines(tx: &mut PostgresTx<'_>, file: FileNo, lines: &[NewLine]) -> Result<(), StoreError> {
    const THERE: &str = "-- statements.there\nSELECT no FROM statement_lines WHERE no BETWEEN $1 AND $2";
    let rows = || lines.iter().map(|line| LineRow::of(file, line));
    if tx.copy(rows())?.is_some() {
        return Ok(());
    }
    // Somebody else takes the same file, or it is told again.
    let number = |line: Option<&NewLine>| line.map_or(0, |line| LineNo::of(file, line.place).0);
    let (first, last) = (number(lines.first()), number(lines.last()));
    let there: HashSet<i64> =
        tx.ask_one(Ask::new(THERE, vec![&first, &last]))?.all(|cells| cells.whole())?.into_iter().collect();
    tx.copy(rows().filter(|row| !there.contains(&row.no)))?.map(drop).ok_or(StoreError::Contended)
}

/// From now on this file is the day's word; says which file was before.
pub(super) fn take(tx: &mut PostgresTx<'_>, file: FileNo, sums: &StatementSums) -> Result<Option<FileNo>, StoreError> {
    // Two that take one day at once take turns: the index on what is taken lets the second wait and run again.
    const BEFORE: &str = "-- statements.before\nSELECT old.no FROM statement_files new JOIN statement_files old
            ON old.kind = new.kind AND old.partner = new.partner AND old.day = new.day AND old.state = 'taken'
        WHERE new.no = $1 AND old.no <> new.no FOR UPDATE OF old";
    const SUPERSEDE: &str = "-- statements.supersede\nUPDATE statement_files SET state = 'superseded' WHERE no = $1";
    const END: &str = "-- matches.end\nUPDATE matches SET ended = true
        WHERE line_no > $1 AND line_no < $2 AND NOT ended";
    const TAKE: &str = "-- statements.take\nUPDATE statement_files SET state = 'taken', lines = $2, payments = $3,
            payments_dong = $4, reversals = $5, reversals_dong = $6, ignored = $7, ignored_dong = $8, supersedes = $9
        WHERE no = $1 AND state = 'reading'";
    let before = tx.ask_one(Ask::new(BEFORE, vec![&file.0]))?.one(|cells| cells.whole())?;
    if before.is_some_and(|before| before > file.0) {
        return Err(later());
    }
    if let Some(before) = before {
        let (from, to) = (LineNo::of(FileNo(before), 0).0, LineNo::of(FileNo(before + 1), 0).0);
        tx.ask(&[Ask::new(SUPERSEDE, vec![&before]), Ask::new(END, vec![&from, &to])])?;
    }
    let count = |sum: u64| i64::try_from(sum).unwrap_or(i64::MAX);
    let counts = [sums.payments, sums.reversals, sums.ignored].map(|sum| (count(sum.count), sum.dong));
    let [payments, reversals, ignored] = &counts;
    check_lines(&lines_sum(tx, file)?, sums)?;
    let lines = small(sums.lines)?;
    let params: Vec<Param<'_>> =
        vec![&file.0, &lines, &payments.0, &payments.1, &reversals.0, &reversals.1, &ignored.0, &ignored.1, &before];
    let taken = tx.ask_one(Ask::new(TAKE, params))?.count;
    if taken == 1 { Ok(before.map(FileNo)) } else { Err(later()) }
}

/// What the stored lines add up to: lines, and what moves, a reversal negative.
fn lines_sum(tx: &mut PostgresTx<'_>, file: FileNo) -> Result<(i64, i64), StoreError> {
    const SQL: &str = "-- statements.sum\nSELECT count(*), coalesce(sum(CASE movement WHEN 'payment' THEN amount
            WHEN 'reversal' THEN -amount ELSE 0 END), 0)::bigint FROM statement_lines WHERE no > $1 AND no < $2";
    let (from, to) = (LineNo::of(file, 0).0, LineNo::of(FileNo(file.0 + 1), 0).0);
    let sum = tx.ask_one(Ask::new(SQL, vec![&from, &to]))?.one(|cells| Ok((cells.whole()?, cells.whole()?)))?;
    Ok(sum.unwrap_or_default())
}

/// Keeps a comparison.
pub(super) fn add_reconciliation(
    tx: &mut PostgresTx<'_>,
    new: &NewReconciliation,
) -> Result<ReconciliationNo, StoreError> {
    const ADD: &str = "-- reconciliations.add\nINSERT INTO reconciliations
            (kind, partner, day, file_no, rules, sums, author, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING no";
    let file = new.file.map(|file| file.0);
    let (kind, partner, author) = (new.kind.word(), new.partner.as_str(), new.author.as_str());
    let at = new.at.unix_ms();
    let params: Vec<Param<'_>> = vec![&kind, &partner, &new.day, &file, &new.rules, &new.sums, &author, &at];
    let no = tx.ask_one(Ask::new(ADD, params))?.one(|cells| cells.whole())?;
    no.map(ReconciliationNo).ok_or_else(|| StoreError::Fault("reconciliations.add: no number".to_owned()))
}

/// A match as a row.
struct MatchRow<'m> {
    found: &'m NewMatch,
    kind: &'static str,
    reconciliation: i64,
}

impl CopyRow for MatchRow<'_> {
    const SQL: &'static str =
        "-- matches.copy\nCOPY matches (line_no, kind, event_no, rule, reconciliation_no) FROM STDIN (FORMAT binary)";
    const TYPES: &'static [Type] = &[Type::INT8, Type::TEXT, Type::INT8, Type::INT8, Type::INT8];

    fn params(&self) -> Vec<Param<'_>> {
        let NewMatch { line, event, rule } = self.found;
        vec![&line.0, &self.kind, &event.0, rule, &self.reconciliation]
    }
}

/// Keeps matches; says how many of them are new. A line or an event that is matched already stays as it is.
pub(super) fn add_matches(
    tx: &mut PostgresTx<'_>,
    (reconciliation, kind): (ReconciliationNo, StatementKind),
    matches: &[NewMatch],
) -> Result<u64, StoreError> {
    const ADD: &str = "-- matches.add\nINSERT INTO matches (line_no, kind, event_no, rule, reconciliation_no)
        SELECT u.line, $4, u.event, u.rule, $5 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])
            u (line, event, rule)
        ON CONFLICT DO NOTHING";
    // Nobody supersedes the file while its matches are written.
    const STANDS: &str =
        "-- matches.stands\nSELECT f.no FROM reconciliations r JOIN statement_files f ON f.no = r.file_no
        WHERE r.no = $1 AND f.state = 'taken' FOR SHARE OF f";
    // Compared again, a day has its matches: no need to be refused first.
    const SOME: &str = "-- matches.some\nSELECT 1 FROM matches WHERE line_no BETWEEN $1 AND $2 LIMIT 1";
    let lines: Vec<i64> = matches.iter().map(|m| m.line.0).collect();
    let (first, last) = (lines.iter().min().copied().unwrap_or(0), lines.iter().max().copied().unwrap_or(0));
    let answers = tx.ask(&[Ask::new(STANDS, vec![&reconciliation.0]), Ask::new(SOME, vec![&first, &last])])?;
    let [stands, some] = answers.as_slice() else { return Err(superseded()) };
    if stands.rows.is_empty() {
        return Err(superseded());
    }
    let word = kind.word();
    if some.rows.is_empty() {
        let rows = matches.iter().map(|found| MatchRow { found, kind: word, reconciliation: reconciliation.0 });
        if let Some(added) = tx.copy(rows)? {
            return Ok(added);
        }
    }
    let events: Vec<i64> = matches.iter().map(|m| m.event.0).collect();
    let rules: Vec<i64> = matches.iter().map(|m| m.rule).collect();
    Ok(tx.ask_one(Ask::new(ADD, vec![&lines, &events, &rules, &word, &reconciliation.0]))?.count)
}

/// Closes breaks that are open; says how many.
pub(super) fn close_breaks(tx: &mut PostgresTx<'_>, breaks: &[i64], closing: &Closing<'_>) -> Result<u64, StoreError> {
    const CLOSE: &str = "-- breaks.close\nUPDATE breaks SET closed_at = $2, closed_by = $3, close_reason = $4,
            proposal_no = NULL, approved = false WHERE no = ANY($1) AND closed_at IS NULL";
    let (at, by) = (closing.at.unix_ms(), closing.author.as_str());
    Ok(tx.ask_one(Ask::new(CLOSE, vec![&breaks, &at, &by, &closing.reason]))?.count)
}

/// Says of open breaks what they are about by now.
pub(super) fn point_breaks(tx: &mut PostgresTx<'_>, pointed: &[Pointed]) -> Result<(), StoreError> {
    const POINT: &str = "-- breaks.point\nUPDATE breaks b SET line_no = u.line, detail = u.detail,
            folded = u.folded || coalesce(' ' || lower(b.about COLLATE \"C\"), '')
        FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) u (no, line, detail, folded)
        WHERE b.no = u.no AND b.no = ANY($1) AND b.closed_at IS NULL";
    let numbers: Vec<i64> = pointed.iter().map(|one| one.no).collect();
    let lines: Vec<Option<i64>> = pointed.iter().map(|one| one.line.map(|line| line.0)).collect();
    let details: Vec<&str> = pointed.iter().map(|one| one.detail.as_str()).collect();
    let folded: Vec<String> = pointed.iter().map(|one| fold(&one.detail)).collect();
    tx.ask_one(Ask::new(POINT, vec![&numbers, &lines, &details, &folded])).map(drop)
}

/// The questions of a comparison.
impl PostgresReports {
    pub(super) fn taken(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.taken\nSELECT ",
            statement_columns!(),
            " FROM statement_files f WHERE f.kind = $1 AND f.partner = $2 AND f.day = $3 AND f.state = 'taken'"
        );
        let (kind, partner) = (kind.word(), partner.as_str());
        self.ask_one(Ask::new(SQL, vec![&kind, &partner, &day]))?.one(statement_file)
    }

    pub(super) fn files(&mut self, limit: u32) -> Result<Vec<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.list\nSELECT ",
            statement_columns!(),
            " FROM statement_files f ORDER BY f.no DESC LIMIT $1"
        );
        self.ask_one(Ask::new(SQL, vec![&i64::from(limit)]))?.all(statement_file)
    }

    pub(super) fn last_reconciliation(
        &mut self,
        kind: StatementKind,
        partner: &PartnerCode,
        day: Date,
    ) -> Result<Option<ReconciliationView>, StoreError> {
        const SQL: &str = "-- reconciliations.last\nSELECT no, kind, partner, day, file_no, rules, sums, author, at
            FROM reconciliations WHERE kind = $1 AND partner = $2 AND day = $3 ORDER BY no DESC LIMIT 1";
        let (kind, partner) = (kind.word(), partner.as_str());
        self.ask_one(Ask::new(SQL, vec![&kind, &partner, &day]))?.one(reconciliation_view)
    }

    pub(super) fn events_of_day(&mut self, ask: &DayEvents<'_>) -> Result<Vec<DayEvent>, StoreError> {
        // A page of each account of ours at the partner, in the order of its index.
        const SQL: &str = concat!(
            "-- events.of_day\nSELECT ",
            day_event_columns!(),
            " FROM senders s CROSS JOIN LATERAL (SELECT * FROM events e
                WHERE e.sender_no = s.no AND e.business_day = $2 AND e.no > $3 ORDER BY e.no LIMIT $4) e
            WHERE s.partner = $1 ORDER BY e.no LIMIT $4"
        );
        let (partner, limit) = (ask.partner.as_str(), i64::from(ask.limit));
        self.page(&Ask::new(SQL, vec![&partner, &ask.day, &ask.after.0, &limit]), |cells| day_event(cells))
    }

    pub(super) fn events_with(&mut self, keys: &[EventKey]) -> Result<Vec<DayEvent>, StoreError> {
        const SQL: &str =
            concat!("-- events.with_keys\nSELECT ", day_event_columns!(), " FROM events e WHERE e.key = ANY($1)");
        let keys: Vec<Key> = keys.iter().map(|key| Key(*key.as_bytes())).collect();
        self.ask_one(Ask::new(SQL, vec![&keys]))?.all(day_event)
    }

    pub(super) fn lines_of_events_on(
        &mut self,
        kind: StatementKind,
        events: &[EventNo],
    ) -> Result<Vec<(EventNo, LineNo)>, StoreError> {
        const SQL: &str = "-- matches.of_events\nSELECT event_no, line_no FROM matches
            WHERE event_no = ANY($1) AND kind = $2 AND NOT ended";
        let (events, kind): (Vec<i64>, _) = (events.iter().map(|no| no.0).collect(), kind.word());
        let answer = self.ask_one(Ask::new(SQL, vec![&events, &kind]))?;
        answer.all(|cells| Ok((EventNo(cells.whole()?), LineNo(cells.whole()?))))
    }

    pub(super) fn lines_matched(&mut self, lines: &[LineNo]) -> Result<Vec<LineNo>, StoreError> {
        const SQL: &str = "-- matches.of_lines\nSELECT line_no FROM matches WHERE line_no = ANY($1) AND NOT ended";
        let lines: Vec<i64> = lines.iter().map(|no| no.0).collect();
        self.ask_one(Ask::new(SQL, vec![&lines]))?.all(|cells| Ok(LineNo(cells.whole()?)))
    }

    pub(super) fn freed_by(&mut self, ask: &Freed) -> Result<Vec<DayEvent>, StoreError> {
        const SQL: &str = concat!(
            "-- matches.freed\nSELECT ",
            day_event_columns!(),
            " FROM matches m JOIN events e ON e.no = m.event_no
            WHERE m.line_no > $1 AND m.line_no < $2 AND m.ended AND (e.paid_at < $3 OR e.paid_at >= $4)
                AND NOT EXISTS (SELECT 1 FROM matches l WHERE l.event_no = m.event_no AND l.kind = m.kind AND NOT l.ended)
            ORDER BY e.no"
        );
        let (from, to) = (LineNo::of(ask.file, 0).0, LineNo::of(FileNo(ask.file.0 + 1), 0).0);
        let (start, end) = (ask.start.unix_ms(), ask.end.unix_ms());
        let answers = self.ask_long(&[Ask::new(SQL, vec![&from, &to, &start, &end])])?;
        answers.first().map_or_else(|| Ok(Vec::new()), |answer| answer.all(day_event))
    }

    pub(super) fn lines_of(&mut self, after: LineNo, limit: u32) -> Result<Vec<DayLine>, StoreError> {
        const SQL: &str = concat!(
            "-- statement_lines.of_file\nSELECT ",
            day_line_columns!(),
            " FROM statement_lines l WHERE l.no > $1 AND l.no < $2 ORDER BY l.no LIMIT $3"
        );
        let (end, limit) = (LineNo::of(FileNo(after.file().0 + 1), 0).0, i64::from(limit));
        self.page(&Ask::new(SQL, vec![&after.0, &end, &limit]), |cells| day_line(cells))
    }

    pub(super) fn lines_with(&mut self, numbers: &[LineNo]) -> Result<Vec<DayLine>, StoreError> {
        const SQL: &str = concat!(
            "-- statement_lines.with_numbers\nSELECT ",
            day_line_columns!(),
            " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32 AND f.state = 'taken'
            WHERE l.no = ANY($1)"
        );
        let numbers: Vec<i64> = numbers.iter().map(|no| no.0).collect();
        self.ask_one(Ask::new(SQL, vec![&numbers]))?.all(day_line)
    }

    pub(super) fn names_of(&mut self, keys: &[EventKey]) -> Result<Vec<(EventNo, String)>, StoreError> {
        const SQL: &str = "-- events.names\nSELECT no, event FROM events WHERE key = ANY($1)";
        let keys: Vec<Key> = keys.iter().map(|key| Key(*key.as_bytes())).collect();
        self.ask_one(Ask::new(SQL, vec![&keys]))?.all(|cells| Ok((EventNo(cells.whole()?), cells.text()?)))
    }

    pub(super) fn breaks_of_leg(&mut self, ask: &LegBreaks<'_>) -> Result<Vec<LegBreak>, StoreError> {
        const SQL: &str = "-- breaks.of_leg\nSELECT no, class, mark, event_key, line_no, day, carried, ours, theirs
            FROM breaks
            WHERE leg = $1 AND partner = $2 AND day <= $3 AND closed_at IS NULL AND no > $4 ORDER BY no LIMIT $5";
        let (kind, partner, limit) = (ask.kind.word(), ask.partner.as_str(), i64::from(ask.limit));
        self.ask_one(Ask::new(SQL, vec![&kind, &partner, &ask.until, &ask.after, &limit]))?.all(leg_break)
    }

    pub(super) fn judged_of(&mut self, ask: &JudgedEvents<'_>) -> Result<Vec<Judged>, StoreError> {
        const SQL: &str = "-- breaks.judged\nSELECT b.event_key, b.line_no, b.ours, b.theirs FROM breaks b
        WHERE b.event_key = ANY($1) AND b.event_key IS NOT NULL AND b.leg = $2 AND (
            b.closed_at IS NULL AND b.day > $3 AND (b.ours IS NOT NULL OR b.class <> 'DUPLICATE_LINE')
            OR b.closed_at IS NOT NULL AND b.proposal_no IS NOT NULL AND b.ours <> 0
                AND (b.line_no IS NULL OR EXISTS (SELECT 1 FROM statement_files f
                    WHERE f.no = b.line_no >> 32 AND f.state = 'taken')))";
        let keys: Vec<Key> = ask.events.iter().map(|key| Key(*key.as_bytes())).collect();
        let kind = ask.kind.word();
        self.ask_one(Ask::new(SQL, vec![&keys, &kind, &ask.day]))?.all(judged)
    }
}

impl StatementReports for PostgresReports {
    fn statement_file(&mut self, no: FileNo) -> Result<Option<StatementFile>, StoreError> {
        const SQL: &str =
            concat!("-- statements.one\nSELECT ", statement_columns!(), " FROM statement_files f WHERE f.no = $1");
        self.ask_one(Ask::new(SQL, vec![&no.0]))?.one(statement_file)
    }

    fn statement_files(&mut self, filter: &FileFilter) -> Result<Vec<StatementFile>, StoreError> {
        const SQL: &str = concat!(
            "-- statements.found\nSELECT ",
            statement_columns!(),
            " FROM statement_files f WHERE f.no < $1 AND ($2::text IS NULL OR f.kind = $2)
                AND ($3::text IS NULL OR f.partner = $3) AND ($4::date IS NULL OR f.day = $4)
                AND ($5::text IS NULL OR f.state = $5) ORDER BY f.no DESC LIMIT $6"
        );
        let (before, limit) = (filter.before.map_or(i64::MAX, |before| before.0), i64::from(filter.limit));
        let (kind, state) = (filter.kind.map(StatementKind::word), filter.state.map(FileState::word));
        let partner = filter.partner.as_ref().map(PartnerCode::as_str);
        let params: Vec<Param<'_>> = vec![&before, &kind, &partner, &filter.day, &state, &limit];
        self.ask_one(Ask::new(SQL, params))?.all(statement_file)
    }

    fn file_lines(&mut self, file: FileNo, after: u32, limit: u32) -> Result<Vec<StoredLine>, StoreError> {
        const SQL: &str = concat!(
            "-- statement_lines.shown\nSELECT ",
            stored_line_columns!(),
            " FROM statement_lines l JOIN statement_files f ON f.no = l.no >> 32
            WHERE l.no > $1 AND l.no < $2 ORDER BY l.no LIMIT $3"
        );
        let (from, to) = (LineNo::of(file, after).0, LineNo::of(FileNo(file.0 + 1), 0).0);
        self.ask_one(Ask::new(SQL, vec![&from, &to, &i64::from(limit)]))?.all(stored_line)
    }
}

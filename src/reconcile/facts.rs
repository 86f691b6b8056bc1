//! Reads both sides of a day: the taken statement's lines and our events, and of earlier days what still waits. Facts
//! are small and flat; nothing else of a row is kept.

use super::close;
use super::compare::{self, Leg, Ours, Rules, Says, Standing, Theirs, payment_mark};
use super::elsewhere;
use super::run::Subject;
use crate::domain::close::Period;
use crate::domain::ids::{EventKey, EventNo, Movement, PartnerCode};
use crate::domain::statement::{FileNo, LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::StoreError;
use crate::store::closes::{DayTotal, WindowTotal};
use crate::store::reports::Reports;
use crate::store::statements::{
    DayEvent, DayEvents, DayLine, Freed, Held, LegBreak, LegBreaks, ReferenceHashes, StatementFile,
};
use jiff::civil::Date;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows of a page: larger ones are not faster, and are held beside what was read.
const PAGE: u32 = 4_096;

/// Keys of one question.
pub(super) const KEYS_MAX: usize = 1_000;

/// Which of the references both sides state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceBy {
    /// The invoice.
    Invoice,
    /// Our order reference.
    Order,
    /// None.
    Nothing,
}

impl ReferenceBy {
    fn of(self, hashes: &ReferenceHashes) -> u64 {
        match self {
            Self::Invoice => hashes.invoice,
            Self::Order => hashes.order,
            Self::Nothing => 0,
        }
    }
}

/// How a day is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// The rules.
    pub rules: Rules,
    /// The reference of both sides.
    pub reference: ReferenceBy,
}

/// Both sides of a day.
#[derive(Debug, Default)]
pub struct Sides {
    pub(super) ours: Vec<Ours>,
    pub(super) theirs: Vec<Theirs>,
    /// Of the events that found no line, those that a line of another day's statement is matched to by now,
    /// or that another day's break is about.
    pub(super) events_elsewhere: HashSet<EventNo>,
    /// Of the lines without a key that found no event, those that are matched by now: to an event of another day.
    pub(super) lines_elsewhere: HashSet<LineNo>,
    /// Of the lines that an event differs from, those whose difference from it another day's break says.
    pub(super) pairs_elsewhere: HashSet<LineNo>,
    /// Open breaks of comparisons up to this day.
    pub(super) open: Vec<LegBreak>,
    /// Those of them whose other side another day's comparison brought.
    pub(super) settled: HashSet<i64>,
    /// What came for sealed days after they were sealed: nobody compares those again.
    pub(super) late: Vec<DayTotal>,
    /// What our books held of the day: it is closed only while they hold the same.
    pub(super) held: WindowTotal,
    /// What of the night before was left to the day before, which is not closed.
    pub(super) left: u64,
}

impl Sides {
    /// These events have a line in another day's statement already.
    pub(super) fn are_done(&mut self, done: &HashSet<EventNo>) {
        for event in self.ours.iter_mut().filter(|event| done.contains(&event.no)) {
            event.standing = Standing::Done;
        }
    }
}

/// Reads a day, each side on a thread of its own. `told` hears how many rows were read.
///
/// # Errors
/// The machine's.
pub fn read(
    reports: &mut dyn Reports,
    subject: &Subject,
    ways: &Ways,
    file: &StatementFile,
    told: &mut dyn FnMut(u64),
) -> Result<Sides, StoreError> {
    let mut beside = reports.beside()?;
    let rows = AtomicU64::new(0);
    let mut sides = Sides::default();
    let read = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| {
            lines(beside.as_mut(), ways, file, &mut |page| {
                count(&rows, page);
            })
        });
        let (before, sides) = (Vec::new(), &mut sides);
        let mut reader =
            Reader { reports: &mut *reports, subject, ways, file: file.no, sides, before, first_close: None };
        // About as many as they have, so that it need not grow when it is large. Room that is not written costs nothing.
        let lines = usize::try_from(file.sums.lines).unwrap_or(0);
        reader.sides.ours.reserve(lines.saturating_add(lines / 8));
        let ours = reader.events(&mut |page| told(count(&rows, page)));
        match theirs.join() {
            Ok(theirs) => Ok::<_, StoreError>((ours.map(|()| reader.before)?, theirs?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    let (before, theirs) = read;
    sides.theirs = theirs;
    let mut reader = Reader { reports, subject, ways, file: file.no, sides: &mut sides, before, first_close: None };
    let mut told = |page| told(count(&rows, page));
    reader.waiting(&mut told)?;
    if subject.kind == StatementKind::Partner {
        reader.late(&mut told)?;
        reader.late_of_the_night()?;
    }
    // Each of them may have been compared: the one before perhaps was not.
    let mut before = file.supersedes;
    while let Some(older) = before {
        reader.freed(older, Some(older) == file.supersedes)?;
        before = reader.reports.statement_file(older)?.and_then(|file| file.supersedes);
    }
    Ok(sides)
}

/// All lines of a file.
fn lines(
    reports: &mut dyn Reports,
    ways: &Ways,
    file: &StatementFile,
    told: Told<'_>,
) -> Result<Vec<Theirs>, StoreError> {
    let mut all = Vec::new();
    all.reserve_exact(usize::try_from(file.sums.lines).unwrap_or(0));
    let mut after = LineNo::of(file.no, 0);
    loop {
        let page = reports.day_lines(after, PAGE)?;
        after = page.last().map_or(after, |line| line.no);
        all.extend(page.iter().map(|line| theirs(ways, line, false)));
        told(page.len());
        if is_last(page.len()) {
            return Ok(all);
        }
    }
}

/// Rows of a page more; says how many there are.
fn count(rows: &AtomicU64, page: usize) -> u64 {
    let page = u64::try_from(page).unwrap_or(u64::MAX);
    rows.fetch_add(page, Ordering::Relaxed).saturating_add(page)
}

/// Was this the last page?
fn is_last(page: usize) -> bool {
    page < usize::try_from(PAGE).unwrap_or(usize::MAX)
}

struct Reader<'r> {
    reports: &'r mut dyn Reports,
    subject: &'r Subject,
    ways: &'r Ways,
    file: FileNo,
    sides: &'r mut Sides,
    /// Events of the business day that are of the partner's day before.
    before: Vec<DayEvent>,
    /// The partner's first sealed day, and when it was drawn up: it took in what was booked of earlier days by then.
    first_close: Option<(Date, Timestamp)>,
}

fn first_close(reports: &mut dyn Reports, partner: &PartnerCode) -> Result<Option<(Date, Timestamp)>, StoreError> {
    let Some(first) = reports.first_sealed(partner)? else { return Ok(None) };
    Ok(reports.close(partner, Period::Day(first))?.map(|close| (first, close.drafted.1)))
}

/// Hears of a page, by its rows.
type Told<'t> = &'t mut dyn FnMut(usize);

impl Reader<'_> {
    /// Our events of the days that the partner's day touches, as far as they lie in it.
    fn events(&mut self, told: Told<'_>) -> Result<(), StoreError> {
        for day in self.subject.dates.clone() {
            self.events_of(day, told)?;
        }
        Ok(())
    }

    fn events_of(&mut self, day: Date, told: Told<'_>) -> Result<(), StoreError> {
        let mut after = EventNo(0);
        loop {
            let partner = &self.subject.partner;
            let page = self.reports.day_events(&DayEvents { partner, day, after, limit: PAGE })?;
            after = page.last().map_or(after, |event| event.no);
            let window = self.subject.window();
            for event in page.iter().filter(|event| window.holds(event.paid_at, event.day)) {
                self.sides.held.add(event);
                if event.paid_at < window.start {
                    self.before.extend((event.held != Held::Nowhere).then_some(*event));
                    continue;
                }
                self.sides.ours.push(ours(self.ways, event, Standing::Today));
            }
            told(page.len());
            if is_last(page.len()) {
                return Ok(());
            }
        }
    }

    /// What waits since earlier days, by the breaks that say so.
    fn waiting(&mut self, told: Told<'_>) -> Result<(), StoreError> {
        let (mut after, day) = (0, self.subject.day);
        loop {
            let Subject { kind, partner, .. } = self.subject;
            let page = self.reports.leg_breaks(&LegBreaks { kind: *kind, partner, until: day, after, limit: PAGE })?;
            after = page.last().map_or(after, |open| open.no);
            self.sides.open.extend_from_slice(&page);
            told(page.len());
            if is_last(page.len()) {
                break;
            }
        }
        // What the breaks of this day are about may be of another one: it was brought here by them alone.
        let waits: Vec<LegBreak> =
            self.sides.open.iter().filter(|open| open.carried || open.day == day).copied().collect();
        self.waiting_events(&waits)?;
        self.waiting_lines(&waits)
    }

    fn waiting_events(&mut self, waits: &[LegBreak]) -> Result<(), StoreError> {
        let keys: Vec<EventKey> = waits.iter().filter_map(|open| open.event).collect();
        let mut known = numbers_of(&keys, &self.sides.ours);
        let mut elsewhere: HashSet<EventKey> = HashSet::new();
        for keys in keys.chunks(KEYS_MAX) {
            let events = self.reports.day_events_with(keys)?;
            let matched =
                elsewhere::listed(self.reports, (self.subject.kind, self.file), events.iter().map(|event| event.no))?;
            for event in events {
                if matched.contains(&event.no) {
                    elsewhere.insert(event.key);
                } else if known.insert(event.no) {
                    self.sides.ours.push(ours(self.ways, &event, Standing::Carried));
                }
            }
        }
        let settled =
            |open: &&LegBreak| open.day < self.subject.day && open.event.is_some_and(|k| elsewhere.contains(&k));
        let without_line = waits.iter().filter(|open| open.line.is_none());
        self.sides.settled.extend(without_line.filter(settled).map(|open| open.no));
        Ok(())
    }

    fn waiting_lines(&mut self, waits: &[LegBreak]) -> Result<(), StoreError> {
        let numbers: Vec<LineNo> =
            waits.iter().filter_map(|open| open.line).filter(|line| line.file() != self.file).collect();
        let mut elsewhere: HashSet<LineNo> = HashSet::new();
        for numbers in numbers.chunks(KEYS_MAX) {
            let matched: HashSet<LineNo> = self.reports.matched_lines(numbers)?.into_iter().collect();
            for line in self.reports.day_lines_with(numbers)? {
                if matched.contains(&line.no) {
                    elsewhere.insert(line.no);
                } else {
                    self.sides.theirs.push(theirs(self.ways, &line, true));
                }
            }
        }
        let settled = waits.iter().filter(|open| open.line.is_some_and(|line| elsewhere.contains(&line)));
        self.sides.settled.extend(settled.map(|open| open.no));
        Ok(())
    }

    /// Our events of sealed days that their closes did not know: they wait for a line, or for a person.
    fn late(&mut self, told: Told<'_>) -> Result<(), StoreError> {
        let late = close::late(self.reports, &self.subject.partner, self.subject.day)?;
        let days: Vec<Date> = late.iter().map(|total| total.day).collect();
        self.sides.late = late;
        if days.is_empty() {
            return Ok(());
        }
        self.first_close = first_close(self.reports, &self.subject.partner)?;
        let mut known: HashSet<EventNo> = self.sides.ours.iter().map(|event| event.no).collect();
        for day in days {
            let mut after = EventNo(0);
            loop {
                let partner = &self.subject.partner;
                let page = self.reports.day_events(&DayEvents { partner, day, after, limit: PAGE })?;
                after = page.last().map_or(after, |event| event.no);
                let rows = page.len();
                let new = page.into_iter().filter(|event| known.insert(event.no)).collect();
                for event in self.without_line(new)? {
                    self.late_event(&event)?;
                }
                told(rows);
                if is_last(rows) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Of the business day, but before its partner's day began: what came after the day before was closed is compared here,
    /// or nowhere.
    fn late_of_the_night(&mut self) -> Result<(), StoreError> {
        let before = std::mem::take(&mut self.before);
        let before = self.without_line(before)?;
        let yesterday = self.subject.day.yesterday().unwrap_or(self.subject.day);
        let last = self.reports.last_sealed(&self.subject.partner)?.filter(|last| last.period.last() >= yesterday);
        let Some(last) = last else {
            // While the day before is open, it is compared again itself, and so is this one before it is closed.
            self.sides.left = u64::try_from(before.len()).unwrap_or(u64::MAX);
            return Ok(());
        };
        let keys: Vec<EventKey> = before.iter().map(|event| event.key).collect();
        let known = numbers_of(&keys, &self.sides.ours);
        for event in before.iter().filter(|event| event.day > last.period.last() && !known.contains(&event.no)) {
            self.late_event(event)?;
        }
        Ok(())
    }

    /// Those of them whose money is in the books and that no line is matched to.
    fn without_line(&mut self, mut events: Vec<DayEvent>) -> Result<Vec<DayEvent>, StoreError> {
        events.retain(|event| event.held != Held::Nowhere);
        let matched = elsewhere::matched(self.reports, self.subject.kind, events.iter().map(|event| event.no))?;
        events.retain(|event| !matched.contains_key(&event.no));
        Ok(events)
    }

    /// Takes an event of a closed day up, which came when that was closed already. What was there before waits by an open
    /// break, or two people have settled it, or the first close took it in; what they made from a line of that day's statement
    /// has its line there.
    fn late_event(&mut self, event: &DayEvent) -> Result<(), StoreError> {
        // Of its own business day too: what lies before the partner's day was compared nowhere.
        if let Some((_, drafted)) = self.first_close.filter(|(first, _)| event.day <= *first) {
            let booked = self.reports.postings(&event.key)?.first().map(|posting| posting.posted_at);
            if booked.is_some_and(|booked| booked <= drafted) {
                return Ok(());
            }
        }
        let made_from = self.reports.event(&event.key)?.and_then(|record| record.made_from);
        let made = made_from.is_some_and(|line| line.file() != self.file);
        if !made && !self.reports.is_settled_difference(&event.key)? {
            self.sides.ours.push(ours(self.ways, event, Standing::Carried));
        }
        Ok(())
    }

    /// Events of other days that only a file before supported. What was freed by an older one may have been settled since.
    fn freed(&mut self, before: FileNo, latest: bool) -> Result<(), StoreError> {
        let ask = Freed { file: before, start: self.subject.start, end: self.subject.end };
        let freed = self.reports.freed_events(&ask)?;
        let wanted: HashSet<EventNo> = freed.iter().map(|event| event.no).collect();
        let known: HashSet<EventNo> =
            self.sides.ours.iter().map(|event| event.no).filter(|no| wanted.contains(no)).collect();
        for event in freed.iter().filter(|event| !known.contains(&event.no)) {
            if latest || !self.reports.is_settled_difference(&event.key)? {
                self.sides.ours.push(ours(self.ways, event, Standing::Carried));
            }
        }
        Ok(())
    }
}

/// Events of other days that lines name which found nothing in theirs. Says whether there are any.
///
/// # Errors
/// The machine's.
pub fn look_further(
    reports: &mut dyn Reports,
    (subject, file): (&Subject, FileNo),
    ways: &Ways,
    (sides, compared): (&mut Sides, &compare::Compared),
) -> Result<bool, StoreError> {
    let alone: HashSet<LineNo> = compared
        .differences
        .iter()
        .filter(|difference| difference.event.is_none())
        .flat_map(|difference| difference.lines())
        .collect();
    let named = |line: &Theirs| line.key.filter(|_| alone.contains(&line.line));
    let keys: Vec<EventKey> = sides.theirs.iter().filter_map(named).collect();
    let known = numbers_of(&keys, &sides.ours);
    let mut more = false;
    for keys in keys.chunks(KEYS_MAX) {
        let events = reports.day_events_with(keys)?;
        let elsewhere = elsewhere::listed(reports, (subject.kind, file), events.iter().map(|event| event.no))?;
        for event in events.iter().filter(|event| !known.contains(&event.no)) {
            let standing = if elsewhere.contains(&event.no) { Standing::Done } else { Standing::Carried };
            sides.ours.push(ours(ways, event, standing));
            more = true;
        }
    }
    Ok(more)
}

/// The numbers of those events that have one of these keys.
fn numbers_of(keys: &[EventKey], events: &[Ours]) -> HashSet<EventNo> {
    if keys.is_empty() {
        return HashSet::new();
    }
    let wanted: HashSet<EventKey> = keys.iter().copied().collect();
    events.iter().filter(|event| wanted.contains(&event.key)).map(|event| event.no).collect()
}

/// Before 1970 and after 2106 no day ends.
fn seconds(at: Timestamp) -> u32 {
    let seconds = at.unix_ms().div_euclid(1_000);
    u32::try_from(seconds).unwrap_or(if seconds < 0 { 0 } else { u32::MAX })
}

fn ours(ways: &Ways, event: &DayEvent, standing: Standing) -> Ours {
    Ours {
        no: event.no,
        key: event.key,
        movement: event.movement,
        booked: match ways.rules.leg {
            Leg::Partner => event.held != Held::Nowhere,
            // Money of which it was not told has a break of its own where it lies in suspense, and no second one.
            Leg::Core => event.held == Held::Told,
        },
        amount: event.amount,
        discount: event.discount,
        fee: event.fee,
        reference: ways.reference.of(&event.references),
        customer: event.references.customer,
        takes_back: event.reverses.as_ref().map_or(0, payment_mark),
        paid_at_s: seconds(event.paid_at),
        standing,
    }
}

fn theirs(ways: &Ways, line: &DayLine, carried: bool) -> Theirs {
    Theirs {
        line: line.no,
        key: line.key,
        says: match line.movement {
            Some(Movement::Payment) => Says::Payment,
            Some(Movement::Reversal) => Says::Reversal,
            None => Says::Nothing,
        },
        amount: line.amount,
        discount: line.discount,
        fee: line.fee,
        reference: ways.reference.of(&line.references),
        customer: line.references.customer,
        paid_at_s: seconds(line.paid_at),
        carried,
    }
}

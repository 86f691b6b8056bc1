//! Differences become breaks: one for one disagreement, whoever compares the day again; what an earlier day waited for
//! and this one brought is closed.

use self::sentence::sentence;
use super::compare::{Compared, Difference, Note, Ours, Theirs};
use super::facts::Sides;
use super::run::Subject;
use crate::domain::ids::{EventKey, EventNo};
use crate::domain::money::Money;
use crate::domain::review::{BreakClass, Leg, NewBreak};
use crate::domain::statement::{FileNo, LineNo, StatementKind};
use crate::domain::time::Timestamp;
use crate::store::statements::{LegBreak, Pointed, StatementFile};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};

mod sentence;

pub(super) use sentence::Names;

/// Why a break is closed whose other side came with a later day.
pub(super) const CAME: &str = "the other side came with a later day";

/// Why a break is closed whose other side nobody is asked for any more.
pub(super) const GONE: &str = "it is not in our books any more, or the core was never told of it";

/// Why a break is closed that a new comparison does not find any more.
pub(super) const OVER: &str = "compared again, it does not differ any more";

/// Why a break is closed in whose place another one is opened.
pub(super) const CHANGED: &str = "compared again, it differs otherwise";

/// Why a break is closed about a payment that people took back: the comparison has one that says both sides.
pub(super) const COMPARED: &str = "compared again, the difference is told with both sides";

/// A difference with its sides by name, and what makes it the same as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The event: ours, or the one that their line names, as a notice of it would be keyed.
    pub event: Option<EventKey>,
    /// Their line, if they have one.
    pub line: Option<LineNo>,
    /// One sentence.
    pub detail: String,
    /// The other side is known by now, or another day has judged it: no break is opened for it.
    pub settled_elsewhere: bool,
    mark: [u8; 32],
}

/// What a run writes of breaks.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) open: Vec<NewBreak>,
    /// An open one says other amounts than the comparison finds by now: what people said about those is not said of these.
    pub(super) replaced: Vec<(i64, NewBreak)>,
    /// Their other side came.
    pub(super) came: Vec<i64>,
    /// They are not found any more.
    pub(super) over: Vec<i64>,
    /// Nobody is asked for their other side any more.
    pub(super) gone: Vec<i64>,
    /// They may be about other lines by now, such as a corrected file's, or about other payments besides the first.
    pub(super) moved: Vec<Pointed>,
    /// A break of this comparison says what those of a taking back by hand said of these until now.
    pub(super) told: Vec<(EventKey, BreakClass)>,
}

/// Names the sides of each difference.
pub(super) fn describe(
    subject: &Subject,
    (file, names): (&StatementFile, &Names),
    sides: &Sides,
    compared: &Compared,
) -> Vec<Followed> {
    let wanted: HashSet<EventNo> = compared.differences.iter().filter_map(|difference| difference.event).collect();
    let events: HashMap<EventNo, &Ours> =
        sides.ours.iter().filter(|event| wanted.contains(&event.no)).map(|event| (event.no, event)).collect();
    let wanted: HashSet<LineNo> = compared.differences.iter().filter_map(|difference| difference.line).collect();
    let lines: HashMap<LineNo, &Theirs> =
        sides.theirs.iter().filter(|line| wanted.contains(&line.line)).map(|line| (line.line, line)).collect();
    let followed = |difference: &Difference| {
        let line = difference.line;
        let ours = difference.event.and_then(|no| events.get(&no).copied());
        let theirs = line.and_then(|line| lines.get(&line).copied());
        let event = ours.map(|event| event.key).or_else(|| theirs.and_then(|line| line.key));
        let event_elsewhere =
            difference.line.is_none() && difference.events().all(|no| sides.events_elsewhere.contains(&no));
        let line_elsewhere =
            difference.event.is_none() && difference.lines().all(|line| sides.lines_elsewhere.contains(&line));
        Followed {
            event,
            line,
            detail: sentence(difference, file, names),
            settled_elsewhere: event_elsewhere
                || line_elsewhere
                || line.is_some_and(|line| sides.pairs_elsewhere.contains(&line)),
            mark: mark(subject, difference.class, (event, line), besides(difference, ours, theirs)),
        }
    };
    compared.differences.iter().map(followed).collect()
}

/// Reference, discount and fee of both sides.
type Besides = [[u8; 8]; 6];

/// What a break does not keep and is about. All of it: what is compared first hides what comes after it.
fn besides(difference: &Difference, ours: Option<&Ours>, theirs: Option<&Theirs>) -> Option<Besides> {
    let references = [ours.map_or(0, |event| event.reference), theirs.map_or(0, |line| line.reference)];
    let money = [difference.ours, difference.theirs].map(|side| [side.discount, side.fee].map(i64::to_be_bytes));
    let ([ours, theirs], [[discount, fee], [their_discount, their_fee]]) = (references.map(u64::to_be_bytes), money);
    differs_besides(difference.note).then_some([ours, discount, fee, theirs, their_discount, their_fee])
}

fn mark(
    subject: &Subject,
    class: BreakClass,
    (event, line): (Option<EventKey>, Option<LineNo>),
    besides: Option<Besides>,
) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let day = subject.day.to_string();
    for part in [subject.kind.word(), subject.partner.as_str(), &day, class.code()] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(event.map_or([0; 16], |key| *key.as_bytes()));
    // A corrected file has other lines, and mostly the same events. Only what is there twice is told apart by its line.
    let line = line.filter(|_| event.is_none() || class == BreakClass::DuplicateLine);
    hasher.update(line.map_or(0, |line| line.0).to_be_bytes());
    besides.iter().flatten().for_each(|one| hasher.update(one));
    hasher.finalize().into()
}

/// What is to be opened and closed.
pub(super) fn plan(
    (subject, file): (&Subject, FileNo),
    sides: &Sides,
    compared: &Compared,
    described: &[Followed],
    at: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let open = Open::new(&sides.open);
    let mut kept: HashSet<i64> = HashSet::new();
    for (difference, followed) in compared.differences.iter().zip(described) {
        if followed.settled_elsewhere || open.judged_on_another_day(subject, difference, followed) {
            continue;
        }
        if subject.kind == StatementKind::Partner && difference.note == Note::NotBookedHere {
            plan.told.extend(followed.event.map(|event| (event, BreakClass::Reversed)));
        }
        let new = || new_break(subject, difference, followed, at);
        let Some(same) = open.same(subject, difference, followed) else {
            plan.open.push(new());
            continue;
        };
        kept.insert(same.no);
        // An earlier day's is about the line of its own day, also where another day's file names the event too.
        if same.day < subject.day || followed.line.is_some_and(|line| line.file() != file) {
            continue;
        }
        let moved = followed.line.is_some_and(|line| same.line != Some(line));
        // What one says besides is in its mark; in older books it was not, and the same line says the same.
        if (same.ours, same.theirs) != sides_of(difference) || (moved && same.mark != followed.mark) {
            plan.replaced.push((same.no, new()));
        } else if moved || difference.more.is_some() {
            plan.moved.push(Pointed { no: same.no, line: followed.line, detail: followed.detail.clone() });
        }
    }
    let (matched, about, gone) = (Matched::new(sides, compared), About::new(described), Gone::new(sides));
    for one in sides.open.iter().filter(|one| !kept.contains(&one.no)) {
        if matched.has(one) || sides.settled.contains(&one.no) {
            plan.came.push(one.no);
        } else if one.carried && gone.has(one) {
            plan.gone.push(one.no);
        } else if one.day == subject.day || (one.carried && about.has(one)) {
            plan.over.push(one.no);
        }
    }
    plan
}

/// What the differences of today are about: an earlier day's break about the same has another class now.
struct About {
    events: HashSet<EventKey>,
    lines: HashSet<LineNo>,
}

impl About {
    fn new(described: &[Followed]) -> Self {
        Self {
            events: described.iter().filter_map(|now| now.event).collect(),
            lines: described.iter().filter_map(|now| now.line).collect(),
        }
    }

    fn has(&self, open: &LegBreak) -> bool {
        open.event.is_some_and(|key| self.events.contains(&key)) || open.line.is_some_and(|l| self.lines.contains(&l))
    }
}

/// Events that wait for their other side and that this leg asks nothing about any more: they are not in the books, or the
/// core was not told of them.
struct Gone(HashSet<EventKey>);

impl Gone {
    fn new(sides: &Sides) -> Self {
        let keys: HashSet<EventKey> =
            sides.open.iter().filter(|one| one.carried && one.line.is_none()).filter_map(|one| one.event).collect();
        let gone = |event: &&Ours| !event.booked && keys.contains(&event.key);
        Self(if keys.is_empty() { keys } else { sides.ours.iter().filter(gone).map(|event| event.key).collect() })
    }

    fn has(&self, open: &LegBreak) -> bool {
        open.line.is_none() && open.event.is_some_and(|key| self.0.contains(&key))
    }
}

/// Open breaks, by what they are about.
struct Open<'o> {
    by_mark: HashMap<[u8; 32], &'o LegBreak>,
    by_event: HashMap<EventKey, Vec<&'o LegBreak>>,
    by_line: HashMap<LineNo, &'o LegBreak>,
}

impl<'o> Open<'o> {
    fn new(open: &'o [LegBreak]) -> Self {
        let mut by_event: HashMap<EventKey, Vec<&LegBreak>> = HashMap::new();
        for (key, one) in open.iter().filter_map(|one| Some((one.event?, one))) {
            by_event.entry(key).or_default().push(one);
        }
        Self {
            by_event,
            by_mark: open.iter().map(|one| (one.mark, one)).collect(),
            by_line: open.iter().filter_map(|one| Some((one.line?, one))).collect(),
        }
    }

    /// Is our side alone here because an earlier day's break has it with its other side?
    fn judged_on_another_day(&self, subject: &Subject, difference: &Difference, followed: &Followed) -> bool {
        difference.line.is_none()
            && self.about(followed).any(|open| {
                // A second line of what was matched says nothing of our side, if it has none.
                let judges = open.line.is_some() && (open.class != BreakClass::DuplicateLine || open.ours.is_some());
                judges && open.day < subject.day && !open.carried
            })
    }

    /// Those about its event.
    fn about(&self, followed: &Followed) -> impl Iterator<Item = &'o LegBreak> {
        followed.event.and_then(|key| self.by_event.get(&key)).into_iter().flatten().copied()
    }

    /// The break that says the same already: of this day, or of the earlier day that carried it here.
    fn same(&self, subject: &Subject, difference: &Difference, followed: &Followed) -> Option<&'o LegBreak> {
        if let Some(same) = self.by_mark.get(&followed.mark) {
            return Some(same);
        }
        let by_line = followed.line.and_then(|line| self.by_line.get(&line)).copied();
        self.about(followed).chain(by_line).find(|open| is_same(open, subject, (difference, followed)))
    }
}

/// Does an open break about the same event or line say it already, under another mark?
fn is_same(open: &LegBreak, subject: &Subject, (difference, followed): (&Difference, &Followed)) -> bool {
    let of_class = open.class == difference.class;
    // Lines too many are told apart by their marks alone.
    let is_repeat = difference.class == BreakClass::DuplicateLine;
    if open.day == subject.day {
        return of_class && !is_repeat && open.event.is_some() && open.event == followed.event;
    }
    let sides = sides_of(difference);
    let one_sided = difference.event.is_none() || difference.line.is_none();
    // What waited a cycle and still has one side only is missing by now, whatever it was called at first.
    let still = one_sided && open.carried && !is_repeat;
    // So is what an earlier day's file had and has no more.
    let alone = difference.line.is_none() && open.line.is_none() && open.ours == sides.0;
    let as_before = of_class && (one_sided || (open.ours, open.theirs) == sides);
    open.day < subject.day && (as_before || still || alone)
}

/// What this run matched.
struct Matched {
    events: HashSet<EventKey>,
    lines: HashSet<LineNo>,
}

impl Matched {
    /// Of those alone that an open break is about.
    fn new(sides: &Sides, compared: &Compared) -> Self {
        let keys: HashSet<EventKey> = sides.open.iter().filter_map(|one| one.event).collect();
        let lines: HashSet<LineNo> = sides.open.iter().filter_map(|one| one.line).collect();
        let matched: HashSet<EventNo> = if keys.is_empty() {
            HashSet::new()
        } else {
            let numbers: HashSet<EventNo> =
                sides.ours.iter().filter(|event| keys.contains(&event.key)).map(|event| event.no).collect();
            compared.matches.iter().map(|found| found.event).filter(|no| numbers.contains(no)).collect()
        };
        let of_lines = |line: &LineNo| lines.contains(line);
        Self {
            events: sides.ours.iter().filter(|event| matched.contains(&event.no)).map(|event| event.key).collect(),
            lines: compared.matches.iter().map(|found| found.line).filter(of_lines).collect(),
        }
    }

    /// One that is about a line too many is over only when that line was matched.
    fn has(&self, open: &LegBreak) -> bool {
        let by_event = open.event.is_some_and(|key| self.events.contains(&key));
        (by_event && open.class != BreakClass::DuplicateLine) || open.line.is_some_and(|l| self.lines.contains(&l))
    }
}

/// Is it in something that a break does not keep? Another line may then say something else.
fn differs_besides(note: Note) -> bool {
    matches!(note, Note::Fee | Note::Discount | Note::Reference)
}

/// What our books say, and what the statement says, where they say something.
fn sides_of(difference: &Difference) -> (Option<i64>, Option<i64>) {
    (difference.event.map(|_| difference.ours.amount), difference.line.map(|_| difference.theirs.amount))
}

fn new_break(subject: &Subject, difference: &Difference, followed: &Followed, at: Timestamp) -> NewBreak {
    let about = if difference.line.is_some() { difference.theirs.amount } else { difference.ours.amount };
    NewBreak {
        class: difference.class,
        partner: Some(subject.partner.clone()),
        event: followed.event,
        invoice: None,
        dispatch: None,
        // A day's difference is within what one amount may be, or the comparison would have refused it.
        amount: Money::from_dong(about).unwrap_or_default(),
        detail: followed.detail.clone(),
        opened_at: at,
        mark: Some(followed.mark),
        leg: Some(Leg {
            kind: subject.kind,
            day: subject.day,
            line: followed.line,
            ours: sides_of(difference).0,
            theirs: sides_of(difference).1,
            carried: difference.carry,
        }),
    }
}

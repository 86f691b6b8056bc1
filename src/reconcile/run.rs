//! One comparison of a day, from the books and back into them: both sides are read beside the writer, compared, and
//! what came of it is written in slices. Run again it finds its own matches and breaks and changes nothing; cut off, it
//! is run again. Keeps I14: what does not tie out is not written.

use super::breaks::{self, Followed, Plan};
use super::compare::{self, Compared, Leg, Match, NotComparable, RULES_VERSION, Rules};
use super::elsewhere;
use super::facts::{self, ReferenceBy, Ways};
use super::report::sums_json;
use crate::domain::ids::{Author, EventKey, EventNo, PartnerCode};
use crate::domain::review::{BreakClass, NewBreak};
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::ledger::{SliceError, Slices};
use crate::partner::Profile;
use crate::partner::statement::Layout;
use crate::store::closes::{DayTotal, Window, WindowTotal};
use crate::store::reports::Reports;
use crate::store::statements::{Closing, LegBreaks, NewMatch, NewReconciliation, Pointed, StatementFile};
use crate::store::{StoreError, Tx};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// How near to the day's end a difference is taken for one of timing.
const CUTOFF_WINDOW_S: i64 = 15 * 60;

/// Open breaks of a page.
const BREAKS_PAGE: u32 = 4_096;

/// Who closes what the next day brought.
pub const RECONCILER: &str = "system:reconcile";

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which leg.
    pub kind: StatementKind,
    /// Which partner.
    pub partner: PartnerCode,
    /// Which day of the partner.
    pub day: Date,
    /// It begins here,
    pub start: Timestamp,
    /// and ends before here.
    pub end: Timestamp,
    /// The business days of notices that lie in it: two where the partner's day does not end at midnight.
    pub dates: Vec<Date>,
}

impl Subject {
    /// A day of a partner as its statement is laid out; `None` outside the calendar.
    #[must_use]
    pub fn of(layout: &Layout, partner: &PartnerCode, day: Date) -> Option<Self> {
        let (start, end) = layout.window(day)?;
        let last = end.plus_ms(-1).day_in(&layout.zone)?;
        let mut dates = vec![start.day_in(&layout.zone)?];
        dates.extend((dates.first() != Some(&last)).then_some(last));
        Some(Self { kind: layout.kind, partner: partner.clone(), day, start, end, dates })
    }

    /// As the books ask for it.
    pub(super) fn window(&self) -> Window<'_> {
        let first = self.dates.first().copied().unwrap_or(self.day);
        let last = self.dates.last().copied().unwrap_or(self.day);
        Window { partner: &self.partner, day: self.day, days: (first, last), start: self.start, end: self.end }
    }
}

/// How a partner's days are compared: by what both its statement and its notices state.
#[must_use]
pub fn ways(subject: &Subject, layout: &Layout, profile: &Profile) -> Ways {
    let reference = match (layout.invoice, layout.order) {
        (Some(_), _) => ReferenceBy::Invoice,
        (None, Some(_)) => ReferenceBy::Order,
        // A customer alone says too little: two payments of one sum are two payments.
        (None, None) => ReferenceBy::Nothing,
    };
    let rules = Rules {
        leg: if layout.kind == StatementKind::Core { Leg::Core } else { Leg::Partner },
        day_start_s: subject.start.unix_ms().div_euclid(1_000),
        day_end_s: subject.end.unix_ms().div_euclid(1_000),
        cutoff_window_s: CUTOFF_WINDOW_S,
        references: reference != ReferenceBy::Nothing,
        discounts: !layout.discount.is_empty() && profile.states_discounts(),
        fees: !layout.fee.is_empty() && profile.states_fees(),
    };
    Ways { rules, reference }
}

/// Why a day was not compared, or not kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to compare with.
    #[error("no statement of {0} was taken for that partner")]
    NoStatement(Date),
    /// A bank's credits are sums of many payments: [`super::settlement`] compares them.
    #[error("a bank's credits are compared by batch, and not payment by payment")]
    BankLeg,
    /// It is signed off.
    #[error("the day is sealed, or lies before the first close: that must be opened again before it is compared again")]
    Sealed,
    /// Money beyond what can be counted.
    #[error(transparent)]
    NotComparable(#[from] NotComparable),
    /// A mistake of ours: nothing was written.
    #[error("the comparison does not tie out: {0}")]
    Untied(String),
    /// The writer has no room, or the storage failed.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a run came to.
#[derive(Debug)]
pub struct Reconciled {
    /// What was compared.
    pub subject: Subject,
    /// The statement.
    pub file: StatementFile,
    /// All that was found.
    pub compared: Compared,
    /// Both sides of each difference in words, in their order.
    pub described: Vec<Followed>,
    /// Matches that were not there before.
    pub new_matches: u64,
    /// Breaks that were not open before.
    pub opened: u64,
    /// Breaks that are closed by it.
    pub closed: u64,
    /// How long each part took.
    pub took: Took,
}

/// How long the parts of a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// Reading both sides out of the books.
    pub read: Duration,
    /// Comparing them.
    pub compared: Duration,
    /// Writing matches and breaks.
    pub kept: Duration,
}

/// Where a run is, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Rows of both sides that were read.
    Read(u64),
    /// Matches that were written.
    Matched(u64),
}

/// Compares a day and keeps what came of it.
///
/// # Errors
/// [`RunError`].
pub fn run(
    reports: &mut dyn Reports,
    slices: &mut Slices<'_>,
    (subject, ways): (Subject, &Ways),
    (author, at): (&Author, Timestamp),
    told: &mut dyn FnMut(Stage),
) -> Result<Reconciled, RunError> {
    let mut done = HashSet::new();
    loop {
        match pass(reports, slices, (subject.clone(), ways, &done), (author, at), told)? {
            Pass::Whole(reconciled) => return Ok(*reconciled),
            // On most days there is none: it is asked once something could not be written, and not first.
            Pass::Listed(events) => done.extend(events),
        }
    }
}

/// What came of comparing a day once.
enum Pass {
    /// All of it is kept.
    Whole(Box<Reconciled>),
    /// Another day's statement lists these events as well and has them: a second line of one is a duplicate.
    Listed(HashSet<EventNo>),
}

fn pass(
    reports: &mut dyn Reports,
    slices: &mut Slices<'_>,
    (subject, ways, done): (Subject, &Ways, &HashSet<EventNo>),
    (author, at): (&Author, Timestamp),
    told: &mut dyn FnMut(Stage),
) -> Result<Pass, RunError> {
    if subject.kind == StatementKind::Bank {
        return Err(RunError::BankLeg);
    }
    // The core's list and the bank's credits are compared long after.
    if subject.kind == StatementKind::Partner {
        let (partner, day) = (subject.partner.clone(), subject.day);
        if slices.one(move |tx| tx.is_sealed(&partner, day))? {
            return Err(RunError::Sealed);
        }
    }
    let file = reports.statement(subject.kind, &subject.partner, subject.day)?;
    let file = file.ok_or(RunError::NoStatement(subject.day))?;
    let mut clock = Clock(Instant::now());
    let mut sides = facts::read(reports, &subject, ways, &file, &mut |rows| told(Stage::Read(rows)))?;
    sides.are_done(done);
    let mut took = Took { read: clock.lap(), ..Took::default() };
    let mut compared = compare::compare(&ways.rules, &sides.ours, &sides.theirs)?;
    took.compared = clock.lap();
    if facts::look_further(reports, (&subject, file.no), ways, (&mut sides, &compared))? {
        took.read = took.read.saturating_add(clock.lap());
        compared = compare::compare(&ways.rules, &sides.ours, &sides.theirs)?;
    }
    took.compared = took.compared.saturating_add(clock.lap());
    compared.sums.ties_out().map_err(RunError::Untied)?;
    elsewhere::look(reports, (&subject, file.no), (&mut sides, &compared))?;
    let names = breaks::Names::read(reports, file.no, (&sides, &compared))?;
    took.read = took.read.saturating_add(clock.lap());
    let described = breaks::describe(&subject, (&file, &names), &sides, &compared);
    let kept = NewReconciliation {
        kind: subject.kind,
        partner: subject.partner.clone(),
        day: subject.day,
        file: Some(file.no),
        rules: i64::from(RULES_VERSION),
        sums: super::desk::views::with(
            sums_json(&compared.sums),
            [("late", late_json(&sides.late)), ("held", held_json(&sides.held, sides.left))],
        )
        .to_string(),
        author: author.clone(),
        at,
    };
    let guard = Guard::of(&subject);
    let held = guard.clone();
    let number = slices.one(move |tx| {
        held.hold(tx)?;
        tx.add_reconciliation(&kept)
    })?;
    let of = (number, subject.kind);
    let mut plan = breaks::plan((&subject, file.no), &sides, &compared, &described, at);
    let named = elsewhere::named_otherwise(&sides, &compared);
    // Both sides are large, and done with.
    drop(sides);
    // In the order in which the lines lie on the disk.
    compared.matches.sort_unstable_by_key(|found| found.line);
    let held = guard.clone();
    let matched = move |tx: &mut dyn Tx, rows: &[NewMatch]| {
        held.hold(tx)?;
        tx.add_matches(of, rows)
    };
    let new_matches =
        slices.all(compared.matches.iter().map(new_match), matched, &mut |done| told(Stage::Matched(done)))?;
    let mut listed = elsewhere::listed(reports, (subject.kind, file.no), named.into_iter())?;
    if new_matches < u64::try_from(compared.matches.len()).unwrap_or(u64::MAX) {
        let of_this_file =
            compared.matches.iter().filter(|found| found.line.file() == file.no).map(|found| found.event);
        listed.extend(elsewhere::listed(reports, (subject.kind, file.no), of_this_file)?);
    }
    if !listed.is_subset(done) {
        return Ok(Pass::Listed(listed));
    }
    let told = std::mem::take(&mut plan.told);
    let (opened, mut closed) = follow(slices, plan, (&guard, at))?;
    closed = closed.saturating_add(retell(reports, slices, (&subject, told), (&guard, at))?);
    // From now on a day may be closed on it.
    slices.one(move |tx| {
        guard.hold(tx)?;
        tx.complete(number)
    })?;
    took.kept = clock.lap();
    let reconciled = Reconciled { subject, file, compared, described, new_matches, opened, closed, took };
    Ok(Pass::Whole(Box::new(reconciled)))
}

/// Whose day must not be sealed while it is written: only the partner's own leg is.
#[derive(Clone, Debug)]
struct Guard(Option<(PartnerCode, Date)>);

impl Guard {
    fn of(subject: &Subject) -> Self {
        Self((subject.kind == StatementKind::Partner).then(|| (subject.partner.clone(), subject.day)))
    }

    fn hold(&self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        match &self.0 {
            Some((partner, day)) if tx.is_sealed(partner, *day)? => {
                Err(StoreError::Fault("reconciliations.add: the day was sealed meanwhile".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// Laps of the machine's clock.
struct Clock(Instant);

impl Clock {
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

/// Opens what is new and closes what is over.
fn follow(slices: &mut Slices<'_>, plan: Plan, (guard, at): (&Guard, Timestamp)) -> Result<(u64, u64), RunError> {
    let author = Author::parse(RECONCILER).map_err(|bad| StoreError::Fault(bad.to_string()))?;
    // What is open is never closed before what says it better is open, or together with it.
    let (held, by) = (guard.clone(), author.clone());
    let replace = move |tx: &mut dyn Tx, rows: &[(i64, NewBreak)]| {
        held.hold(tx)?;
        let (mut closed, mut new) = (0_u64, Vec::with_capacity(rows.len()));
        for (no, instead) in rows {
            // What people ended meanwhile has no successor.
            let ended = tx.close_breaks(&[*no], &Closing { author: &by, reason: breaks::CHANGED, at })?;
            new.extend((ended > 0).then(|| instead.clone()));
            closed = closed.saturating_add(ended);
        }
        Ok((tx.open_breaks(&new)?, closed))
    };
    let (mut opened, mut closed) = (0_u64, 0_u64);
    slices.each(plan.replaced, replace, &mut |_, (new, ended)| {
        opened = opened.saturating_add(new);
        closed = closed.saturating_add(ended);
    })?;
    let held = guard.clone();
    let open = move |tx: &mut dyn Tx, rows: &[NewBreak]| {
        held.hold(tx)?;
        tx.open_breaks(rows)
    };
    opened = opened.saturating_add(slices.all(plan.open, open, &mut |_| {})?);
    let held = guard.clone();
    let point = move |tx: &mut dyn Tx, rows: &[Pointed]| {
        held.hold(tx)?;
        tx.point_breaks(rows).map(|()| 0)
    };
    slices.all(plan.moved, point, &mut |_| {})?;
    for (reason, numbers) in [(breaks::CAME, plan.came), (breaks::OVER, plan.over), (breaks::GONE, plan.gone)] {
        let by = author.clone();
        let close = move |tx: &mut dyn Tx, rows: &[i64]| tx.close_breaks(rows, &Closing { author: &by, reason, at });
        closed = closed.saturating_add(slices.all(numbers, close, &mut |_| {})?);
    }
    Ok((opened, closed))
}

/// Closes what was said of payments when people took them back, where a break of a comparison says it by now. One that two
/// people have settled is not opened again, and says nothing.
fn retell(
    reports: &mut dyn Reports,
    slices: &mut Slices<'_>,
    (subject, mut told): (&Subject, Vec<(EventKey, BreakClass)>),
    (guard, at): (&Guard, Timestamp),
) -> Result<u64, RunError> {
    if told.is_empty() {
        return Ok(0);
    }
    let (mut after, mut open) = (0, HashSet::new());
    loop {
        let Subject { kind, partner, day, .. } = subject;
        let page = reports.leg_breaks(&LegBreaks { kind: *kind, partner, until: *day, after, limit: BREAKS_PAGE })?;
        let Some(last) = page.last() else { break };
        after = last.no;
        open.extend(page.iter().filter_map(|one| one.event));
    }
    told.retain(|(event, _)| open.contains(event));
    let author = Author::parse(RECONCILER).map_err(|bad| StoreError::Fault(bad.to_string()))?;
    let held = guard.clone();
    let close = move |tx: &mut dyn Tx, rows: &[(EventKey, BreakClass)]| {
        held.hold(tx)?;
        tx.close_breaks_about(rows, &Closing { author: &author, reason: breaks::COMPARED, at })
    };
    Ok(slices.all(told, close, &mut |_| {})?)
}

/// What came late for sealed days, as a close compares it.
pub(super) fn late_json(late: &[DayTotal]) -> Value {
    let one = |total: &DayTotal| json!([total.day.to_string(), total.count, total.dong, total.mark]);
    late.iter().map(one).collect()
}

/// What the books hold of the day, as a close compares it with what they hold by then. `left`: what of the night before
/// was left to the day before, which was not closed; closed since, it may have left it too.
pub(super) fn held_json(held: &WindowTotal, left: u64) -> Value {
    json!({ "count": held.count, "dong": held.dong, "mark": held.mark, "left": left })
}

fn new_match(found: &Match) -> NewMatch {
    NewMatch { line: found.line, event: found.event, rule: found.rule.number() }
}

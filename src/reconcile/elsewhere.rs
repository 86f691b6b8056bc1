//! What another day's statement has, and what its comparison has judged: asked only of what found nothing in its day, or
//! found its like and could not keep it.

use super::compare;
use super::facts::{KEYS_MAX, Sides};
use super::run::Subject;
use crate::domain::ids::{EventKey, EventNo};
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, StatementKind};
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::statements::{Judged, JudgedEvents};
use std::collections::{HashMap, HashSet};

/// Of what found nothing in the day, what is matched to something of another one, and of what differs, what another day has
/// judged. What found its like is not asked for: on most days that is nearly all.
///
/// # Errors
/// The machine's.
pub fn look(
    reports: &mut dyn Reports,
    (subject, file): (&Subject, FileNo),
    (sides, compared): (&mut Sides, &compare::Compared),
) -> Result<(), StoreError> {
    let differences = || compared.differences.iter();
    let events = differences().filter(|one| one.line.is_none()).flat_map(|one| one.events());
    sides.events_elsewhere = listed(reports, (subject.kind, file), events)?;
    let alone: HashSet<LineNo> = differences().filter(|one| one.event.is_none()).flat_map(|one| one.lines()).collect();
    let unnamed = sides.theirs.iter().filter(|line| line.key.is_none() && alone.contains(&line.line));
    let unnamed: Vec<LineNo> = unnamed.map(|line| line.line).collect();
    for lines in unnamed.chunks(KEYS_MAX) {
        sides.lines_elsewhere.extend(reports.matched_lines(lines)?);
    }
    judged(reports, subject, (sides, compared))
}

/// What a later day's break is about, or a settled one: an event that is alone here, or the same event beside the same line. An
/// open break of this day or before is not asked for here: the day has that one itself, and may end it.
fn judged(
    reports: &mut dyn Reports,
    subject: &Subject,
    (sides, compared): (&mut Sides, &compare::Compared),
) -> Result<(), StoreError> {
    let wanted: HashSet<EventNo> = compared.differences.iter().flat_map(|one| one.events()).collect();
    let ours = sides.ours.iter().filter(|event| wanted.contains(&event.no));
    let numbers: HashMap<EventKey, EventNo> = ours.map(|event| (event.key, event.no)).collect();
    let keys: Vec<EventKey> = numbers.keys().copied().collect();
    let mut found: HashMap<EventNo, Vec<Judged>> = HashMap::new();
    for events in keys.chunks(KEYS_MAX) {
        let asked = JudgedEvents { kind: subject.kind, day: subject.day, events };
        for one in reports.judged_events(&asked)? {
            if let Some(no) = numbers.get(&one.event) {
                found.entry(*no).or_default().push(one);
            }
        }
    }
    for difference in &compared.differences {
        let Some(line) = difference.line else {
            sides.events_elsewhere.extend(difference.events().filter(|no| found.contains_key(no)));
            continue;
        };
        let says = (Some(line), Some(difference.ours.amount), Some(difference.theirs.amount));
        let mut judged = difference.event.and_then(|no| found.get(&no)).into_iter().flatten();
        if judged.any(|one| (one.line, one.ours, one.theirs) == says) {
            sides.pairs_elsewhere.insert(line);
        }
    }
    Ok(())
}

/// The events that a line here names, over another amount.
#[must_use]
pub fn named_otherwise(sides: &Sides, compared: &compare::Compared) -> Vec<EventNo> {
    let unlike = compared.differences.iter().filter(|one| one.class == BreakClass::AmountMismatch);
    let unlike: HashMap<LineNo, EventNo> = unlike.filter_map(|one| Some((one.line?, one.event?))).collect();
    let events: HashSet<EventNo> = unlike.values().copied().collect();
    let ours = sides.ours.iter().filter(|event| events.contains(&event.no));
    let keys: HashMap<EventNo, EventKey> = ours.map(|event| (event.no, event.key)).collect();
    let named = sides.theirs.iter().filter_map(|line| Some((unlike.get(&line.line)?, line.key?)));
    named.filter(|(event, key)| keys.get(event) == Some(key)).map(|(event, _)| *event).collect()
}

/// Those of these events that another day's statement has already.
///
/// # Errors
/// The machine's.
pub fn listed(
    reports: &mut dyn Reports,
    (kind, file): (StatementKind, FileNo),
    events: impl Iterator<Item = EventNo>,
) -> Result<HashSet<EventNo>, StoreError> {
    let found = matched(reports, kind, events)?;
    Ok(found.into_iter().filter(|(_, line)| line.file() != file).map(|(event, _)| event).collect())
}

/// What these events are matched to.
pub(super) fn matched(
    reports: &mut dyn Reports,
    kind: StatementKind,
    events: impl Iterator<Item = EventNo>,
) -> Result<HashMap<EventNo, LineNo>, StoreError> {
    let (events, mut matched): (Vec<EventNo>, _) = (events.collect(), HashMap::new());
    for events in events.chunks(KEYS_MAX) {
        matched.extend(reports.lines_of_events(kind, events)?);
    }
    Ok(matched)
}

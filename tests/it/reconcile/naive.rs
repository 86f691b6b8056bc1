//! The rules of the comparison once more, as plainly as they can be said: every fact against every fact, sets in maps, no
//! hashes, no parts, no threads. Only the two rules of matching; what differs is the rest.

use std::collections::{BTreeMap, BTreeSet};
use thuho::domain::ids::{EventNo, Movement};
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{Ours, Rule, Rules, Says, Standing, Theirs};

type Matches = BTreeSet<(LineNo, EventNo, Rule)>;

fn agrees(rules: &Rules, line: &Theirs, event: &Ours) -> bool {
    let other_reference = line.reference != event.reference && line.reference != 0 && event.reference != 0;
    line.says.movement() == Some(event.movement)
        && event.booked
        && line.amount == event.amount
        && !(rules.references && other_reference)
        && (!rules.discounts || line.discount == event.discount)
        && (!rules.fees || line.fee == event.fee)
}

/// What must be matched.
pub fn matches(rules: &Rules, ours: &[Ours], theirs: &[Theirs]) -> Matches {
    let mut matches = Matches::new();
    let mut spoken_for: BTreeSet<EventNo> = BTreeSet::new();
    let mut silent_or_named: BTreeSet<LineNo> = BTreeSet::new();
    for event in ours {
        let mut named: Vec<&Theirs> = theirs.iter().filter(|t| t.key == Some(event.key)).collect();
        let moving: Vec<&&Theirs> = named.iter().filter(|t| t.says != Says::Nothing).collect();
        let parts = moving.len() > 1
            && event.booked
            && moving.iter().all(|t| t.amount != event.amount && t.amount != 0)
            && moving.iter().map(|t| t.signed()).sum::<i64>() == event.signed();
        silent_or_named.extend(named.iter().map(|t| t.line));
        if !named.is_empty() {
            spoken_for.insert(event.no);
        }
        named.retain(|t| agrees(rules, t, event) && !parts && event.standing != Standing::Done);
        if let Some(best) = named.iter().min_by_key(|t| (!t.carried, t.line)) {
            matches.insert((best.line, event.no, Rule::EventKey));
        }
    }
    // Of an unknown id the first line is looked at again, the others are repetitions.
    let mut unknown: BTreeMap<_, Vec<&Theirs>> = BTreeMap::new();
    for line in theirs.iter().filter(|t| t.says != Says::Nothing && !silent_or_named.contains(&t.line)) {
        let id = line.key.ok_or(line.line);
        unknown.entry(id).or_default().push(line);
    }
    let left: Vec<&Theirs> =
        unknown.into_values().filter_map(|lines| lines.into_iter().min_by_key(|t| (!t.carried, t.line))).collect();
    let open = |o: &&Ours| o.booked && o.standing != Standing::Done && !spoken_for.contains(&o.no) && o.reference != 0;
    let open: Vec<&Ours> = ours.iter().filter(open).collect();
    for line in left.iter().filter(|t| t.key.is_none()) {
        let claim = |t: &Theirs| (t.reference, t.says.movement().unwrap_or(Movement::Payment), t.amount);
        let of_event = |o: &Ours| (o.reference, o.movement, o.amount);
        let events: Vec<&&Ours> = open.iter().filter(|o| of_event(o) == claim(line)).collect();
        let alike = left.iter().filter(|t| claim(t) == claim(line)).count();
        if let ([event], 1) = (events.as_slice(), alike)
            && agrees(rules, line, event)
        {
            matches.insert((line.line, event.no, Rule::Reference));
        }
    }
    matches
}

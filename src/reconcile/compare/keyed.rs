//! The first rule: the partner's event key. Most of a day ends here.

use super::facts::{Facts, Ours, Standing, Theirs};
use super::index::{self, places};
use super::judge::judge;
use super::result::{Amounts, Difference, Match, More, Note, Rule};
use super::tally::Tally;
use crate::domain::ids::EventKey;
use crate::domain::review::BreakClass;
use std::collections::BTreeMap;

/// A line and an event with one key that do not say the same.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    pub line: usize,
    pub event: usize,
    pub class: BreakClass,
    pub note: Note,
}

/// What was found so far; facts by their places.
#[derive(Default)]
pub(super) struct Found {
    pub matches: Vec<Match>,
    pub differences: Vec<Difference>,
    pub pairs: Vec<Pair>,
    /// Lines that move money and have no event yet.
    pub lines: Vec<usize>,
    /// Lines that name no event and say that nothing moved.
    pub silent: Vec<usize>,
    /// Booked events that have no line yet.
    pub events: Vec<usize>,
    pub tally: Tally,
}

impl Found {
    /// What another thread found after it.
    pub fn append(&mut self, mut other: Self) {
        self.matches.append(&mut other.matches);
        self.differences.append(&mut other.differences);
        self.pairs.append(&mut other.pairs);
        self.lines.append(&mut other.lines);
        self.silent.append(&mut other.silent);
        self.events.append(&mut other.events);
        self.tally.add(&other.tally);
    }

    /// A match.
    pub fn agree(&mut self, line: &Theirs, event: &Ours, rule: Rule) {
        self.tally.matched(line, event);
        self.matches.push(Match {
            line: line.line,
            event: event.no,
            rule,
            line_carried: line.carried,
            event_carried: event.standing == Standing::Carried,
        });
    }

    /// A difference of these facts; the first of each side is the one that is named first.
    pub fn differ(&mut self, facts: &Facts<'_>, what: (BreakClass, Note), lines: &[usize], events: &[usize]) {
        let both_sides = !lines.is_empty() && !events.is_empty();
        let carried = facts.lines(lines).any(|line| line.carried)
            || facts.events(events).any(|event| event.standing == Standing::Carried);
        let carry = !both_sides && !carried && what.0 != BreakClass::DuplicateLine;
        let mut theirs = [0_i128; 3];
        let mut ours = [0_i128; 3];
        let mut moving = (0, 0);
        for line in facts.lines(lines) {
            self.tally.differing_line(line, both_sides, carry);
            moving.0 += i64::from(line.moves());
            add(&mut theirs, line.signed(), line.discount, line.fee);
        }
        for event in facts.events(events) {
            self.tally.differing_event(event, both_sides, carry);
            moving.1 += i64::from(event.booked);
            add(&mut ours, event.signed(), event.discount, event.fee);
        }
        let mut line_numbers = facts.lines(lines).map(|line| line.line);
        let mut event_numbers = facts.events(events).map(|event| event.no);
        let (line, event) = (line_numbers.next(), event_numbers.next());
        let several = lines.len() > 1 || events.len() > 1;
        let more = several.then(|| More { lines: line_numbers.collect(), events: event_numbers.collect() });
        let more = more.map(Box::new);
        let (theirs, ours) = (self.amounts(theirs), self.amounts(ours));
        let difference = Difference { class: what.0, note: what.1, line, event, more, theirs, ours, carried, carry };
        self.tally.difference(&difference, moving.0, moving.1);
        self.differences.push(difference);
    }

    fn amounts(&mut self, sums: [i128; 3]) -> Amounts {
        let [amount, discount, fee] = sums.map(|dong| self.tally.money(dong));
        Amounts { amount, discount, fee }
    }

    fn line_alone(&mut self, facts: &Facts<'_>, at: usize) {
        if facts.line(at).is_some_and(Theirs::moves) {
            self.lines.push(at);
        }
    }

    fn event_alone(&mut self, facts: &Facts<'_>, at: usize) {
        if facts.event(at).is_some_and(|event| event.booked && event.standing != Standing::Done) {
            self.events.push(at);
        }
    }

    fn pair(&mut self, facts: &Facts<'_>, at: (usize, usize)) {
        let (Some(line), Some(event)) = (facts.line(at.0), facts.event(at.1)) else { return };
        if event.standing == Standing::Done {
            if line.moves() {
                self.differ(facts, (BreakClass::DuplicateLine, Note::TwiceOverDays), &[at.0], &[]);
            }
            return;
        }
        match judge(facts.rules, line, event) {
            // Neither moved: there is nothing to match.
            None if !line.moves() => {}
            None => self.agree(line, event, Rule::EventKey),
            Some((class, note)) => self.pairs.push(Pair { line: at.0, event: at.1, class, note }),
        }
    }

    /// All lines and events of one key, where either side has several.
    fn crowd(&mut self, facts: &Facts<'_>, lines: &[usize], events: &[usize]) {
        let mut moving: Vec<usize> = lines.to_vec();
        moving.retain(|at| facts.line(*at).is_some_and(Theirs::moves));
        let mut events = events.to_vec();
        events.sort_by_key(|at| facts.event(*at).map(|event| (event.standing != Standing::Done, event.no)));
        let event = events.first().copied();
        // The books hold a key once; should they be given twice, the second one stays alone.
        events.iter().skip(1).for_each(|at| self.event_alone(facts, *at));
        let Some((place, event)) = event.and_then(|at| facts.event(at).map(|event| (at, event))) else {
            moving.sort_by_key(|at| facts.line(*at).map(|line| (!line.carried, line.line)));
            moving.first().into_iter().for_each(|at| self.line_alone(facts, *at));
            return self.repeated(facts, moving.get(1..).unwrap_or_default(), Note::Twice);
        };
        let rank = |at: &usize| {
            let line = facts.line(*at)?;
            let differs = judge(facts.rules, line, event).is_some();
            Some((differs, line.signed() != event.signed(), !line.carried, line.line))
        };
        moving.sort_by_key(rank);
        let whole: i128 = facts.lines(&moving).map(|line| i128::from(line.signed())).sum();
        let in_parts = moving.len() > 1
            && event.booked
            && whole == i128::from(event.signed())
            && facts.lines(&moving).all(|line| line.amount != event.amount && line.amount != 0);
        if event.standing == Standing::Done {
            self.repeated(facts, &moving, Note::TwiceOverDays);
        } else if in_parts {
            self.differ(facts, (BreakClass::Split, Note::Several), &moving, &[place]);
        } else if let Some(best) = moving.first() {
            self.pair(facts, (*best, place));
            self.repeated(facts, moving.get(1..).unwrap_or_default(), Note::Twice);
        } else {
            let first = lines.iter().min_by_key(|at| facts.line(**at).map(|line| (!line.carried, line.line)));
            match first {
                Some(first) => self.pair(facts, (*first, place)),
                None => self.event_alone(facts, place),
            }
        }
    }

    fn repeated(&mut self, facts: &Facts<'_>, lines: &[usize], note: Note) {
        for at in lines {
            self.differ(facts, (BreakClass::DuplicateLine, note), &[*at], &[]);
        }
    }
}

fn add(sums: &mut [i128; 3], signed: i64, discount: i64, fee: i64) {
    let sign = i128::from(signed.signum());
    let parts = [i128::from(signed), sign * i128::from(discount), sign * i128::from(fee)];
    sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
}

/// Joins both sides by key.
pub(super) fn join(facts: &Facts<'_>) -> Found {
    let lines = facts.theirs.iter().enumerate().filter_map(|(at, line)| Some((hash(line.key.as_ref()?), at)));
    let events = facts.ours.iter().enumerate().map(|(at, event)| (hash(&event.key), at));
    let (lines, events) = index::spread(facts.ours.len().max(facts.theirs.len()), lines, events);
    let start = |matches: usize| Found { matches: Vec::with_capacity(matches), ..Found::default() };
    let (mut found, more) = index::join(lines, events, start, |found: &mut Found, lines: &[u64], events: &[u64]| {
        one_hash(facts, found, lines, events);
    });
    found.append(more);
    for (at, line) in facts.theirs.iter().enumerate().filter(|(_, line)| line.key.is_none()) {
        if line.moves() { found.lines.push(at) } else { found.silent.push(at) }
    }
    found
}

fn one_hash(facts: &Facts<'_>, found: &mut Found, lines: &[u64], events: &[u64]) {
    let key_of_line = |at: usize| facts.line(at).and_then(|line| line.key);
    let key_of_event = |at: usize| facts.event(at).map(|event| event.key);
    if let ([_], [_]) = (lines, events)
        && let (Some(line), Some(event)) = (places(lines).next(), places(events).next())
        && key_of_line(line) == key_of_event(event)
    {
        return found.pair(facts, (line, event));
    }
    match (lines, events) {
        ([_], []) => return places(lines).for_each(|at| found.line_alone(facts, at)),
        ([], [_]) => return places(events).for_each(|at| found.event_alone(facts, at)),
        _ => {}
    }
    let mut keys: BTreeMap<EventKey, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (at, key) in places(lines).filter_map(|at| Some((at, key_of_line(at)?))) {
        keys.entry(key).or_default().0.push(at);
    }
    for (at, key) in places(events).filter_map(|at| Some((at, key_of_event(at)?))) {
        keys.entry(key).or_default().1.push(at);
    }
    for (lines, events) in keys.into_values() {
        found.crowd(facts, &lines, &events);
    }
}

/// The first bits of a key, which is a hash.
fn hash(key: &EventKey) -> u32 {
    let [a, b, c, d, ..] = *key.as_bytes();
    u32::from_be_bytes([a, b, c, d])
}

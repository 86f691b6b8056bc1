//! What the keys did not settle: the second rule, and then what a difference is, before it is called missing. Each step
//! takes what it explains and leaves the rest to the next one; a step that finds two explanations takes neither.

use super::facts::{Facts, Leg, NotComparable, Says, Standing};
use super::groups;
use super::index::{self, places};
use super::judge::{judge, other_reference};
use super::keyed::{Found, Pair};
use super::result::{Compared, Note, Rule};
use crate::domain::ids::Movement;
use crate::domain::review::BreakClass;
use std::collections::BTreeMap;

/// Settles all that is left.
pub(super) fn settle(facts: &Facts<'_>, mut found: Found) -> Result<Compared, NotComparable> {
    exchanged(facts, &mut found);
    by_reference(facts, &mut found);
    groups::several(facts, &mut found, |part| part.reference);
    groups::several(facts, &mut found, |part| part.customer);
    for pair in std::mem::take(&mut found.pairs) {
        found.differ(facts, (pair.class, pair.note), &[pair.line], &[pair.event]);
    }
    groups::netted_out(facts, &mut found);
    alone(facts, &mut found);
    found.tally.add(&facts.totals);
    found.differences.sort_unstable();
    Ok(Compared { matches: found.matches, differences: found.differences, sums: found.tally.finish()? })
}

/// Two events whose ids changed places: each line has the other one's reference and amount.
fn exchanged(facts: &Facts<'_>, found: &mut Found) {
    let mut crossing: BTreeMap<(u64, u64), Vec<Pair>> = BTreeMap::new();
    let mut others = Vec::new();
    for pair in found.pairs.drain(..) {
        let (Some(line), Some(event)) = (facts.line(pair.line), facts.event(pair.event)) else { continue };
        if pair.class != BreakClass::StatusMismatch && other_reference(facts.rules, line, event) {
            let ends = (line.reference.min(event.reference), line.reference.max(event.reference));
            crossing.entry(ends).or_default().push(pair);
        } else {
            others.push(pair);
        }
    }
    for pairs in crossing.into_values() {
        match pairs.as_slice() {
            [one, other] if crosses(facts, one, other) && crosses(facts, other, one) => {
                let mut both = [*one, *other];
                both.sort_by_key(|pair| facts.line(pair.line).map(|line| line.line));
                let (lines, events) = (both.map(|pair| pair.line), both.map(|pair| pair.event));
                found.differ(facts, (BreakClass::SwappedId, Note::Exchanged), &lines, &events);
            }
            _ => others.extend(pairs),
        }
    }
    found.pairs = others;
}

fn crosses(facts: &Facts<'_>, one: &Pair, other: &Pair) -> bool {
    facts.line(one.line).zip(facts.event(other.event)).is_some_and(|(line, event)| {
        line.reference == event.reference && line.amount == event.amount && line.says.movement() == Some(event.movement)
    })
}

/// What the second rule compares: reference, movement, amount.
pub(super) type Claim = (u64, Movement, i64);

/// The second rule, and ids that were issued anew: one line and one event with one reference and one amount.
fn by_reference(facts: &Facts<'_>, found: &mut Found) {
    let mut lines = std::mem::take(&mut found.lines);
    lines.append(&mut found.silent);
    let events = std::mem::take(&mut found.events);
    let facts_left = lines.len().max(events.len());
    let line_claims = lines.iter().map(|at| (hash(claim_of_line(facts, *at)), *at));
    let event_claims = events.iter().map(|at| (hash(claim_of_event(facts, *at)), *at));
    let (lines, events) = index::spread(facts_left, line_claims, event_claims);
    let start = |_matches: usize| Found::default();
    let (one, other) = index::join(lines, events, start, |found: &mut Found, lines: &[u64], events: &[u64]| {
        one_hash(facts, found, lines, events);
    });
    found.append(one);
    found.append(other);
}

pub(super) fn claim_of_line(facts: &Facts<'_>, at: usize) -> Option<Claim> {
    let line = facts.line(at)?;
    // A line that says nothing moved speaks of a payment.
    (line.reference != 0).then(|| (line.reference, line.says.movement().unwrap_or(Movement::Payment), line.amount))
}

pub(super) fn claim_of_event(facts: &Facts<'_>, at: usize) -> Option<Claim> {
    let event = facts.event(at)?;
    (event.reference != 0).then_some((event.reference, event.movement, event.amount))
}

/// Spreads evenly whatever the references look like (a multiplication by an odd number of random bits).
fn hash(claim: Option<Claim>) -> u32 {
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let Some((reference, movement, amount)) = claim else { return 0 };
    let kind = u64::from(movement == Movement::Reversal);
    let mixed = (reference ^ amount.unsigned_abs().wrapping_mul(SPREAD).rotate_left(29) ^ kind).wrapping_mul(SPREAD);
    u32::try_from(mixed >> 32).unwrap_or(0)
}

fn one_hash(facts: &Facts<'_>, found: &mut Found, lines: &[u64], events: &[u64]) {
    if let ([_], [_]) = (lines, events)
        && let (Some(line), Some(event)) = (places(lines).next(), places(events).next())
        && let Some(claim) = claim_of_line(facts, line)
        && Some(claim) == claim_of_event(facts, event)
    {
        return one_claim(facts, found, &[line], &[event]);
    }
    let mut claims: BTreeMap<Option<Claim>, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    places(lines).for_each(|at| claims.entry(claim_of_line(facts, at)).or_default().0.push(at));
    places(events).for_each(|at| claims.entry(claim_of_event(facts, at)).or_default().1.push(at));
    for (claim, (mut lines, mut events)) in claims {
        if claim.is_some() {
            one_claim(facts, found, &lines, &events);
        } else {
            lines.retain(|at| facts.line(*at).is_some_and(|line| line.says != Says::Nothing));
            found.lines.append(&mut lines);
            found.events.append(&mut events);
        }
    }
}

/// All lines and events of one reference, movement and amount.
fn one_claim(facts: &Facts<'_>, found: &mut Found, lines: &[usize], events: &[usize]) {
    let (moving, silent): (Vec<usize>, Vec<usize>) =
        lines.iter().partition(|at| facts.line(**at).is_some_and(|line| line.says != Says::Nothing));
    let first_silent = silent.iter().min_by_key(|at| facts.line(**at).map(|line| line.line));
    match (moving.as_slice(), first_silent, events) {
        ([place], _, [event_place]) => {
            let (Some(line), Some(event)) = (facts.line(*place), facts.event(*event_place)) else { return };
            if line.key.is_some() {
                found.differ(facts, (BreakClass::SwappedId, Note::EventId), &[*place], &[*event_place]);
            } else {
                match judge(facts.rules, line, event) {
                    None => found.agree(line, event, Rule::Reference),
                    Some((class, note)) => {
                        found.pairs.push(Pair { line: *place, event: *event_place, class, note });
                    }
                }
            }
        }
        // Which of them is the payment cannot be said, and need not be: one of them is too many.
        ([_, _, ..], _, [_]) if facts.lines(&moving).all(|line| line.key.is_none()) => {
            let mut moving = moving;
            moving.sort_by_key(|at| facts.line(*at).map(|line| line.line));
            found.differ(facts, (BreakClass::DuplicateLine, Note::TwiceUnnamed), &moving, events);
        }
        ([], Some(silent), [event]) => {
            found.differ(facts, (BreakClass::StatusMismatch, Note::NotMovedThere), &[*silent], &[*event]);
        }
        _ => {
            found.lines.extend(moving);
            found.events.extend(events);
        }
    }
}

/// What only one side has.
fn alone(facts: &Facts<'_>, found: &mut Found) {
    let class = |near: bool, reversal: bool, missing: BreakClass| match (near, reversal) {
        (true, _) => BreakClass::CutoffTiming,
        (false, true) => BreakClass::Reversed,
        (false, false) => missing,
    };
    let (not_here, not_there) = match facts.rules.leg {
        Leg::Partner => (BreakClass::MissingWebhook, BreakClass::MissingInStatement),
        Leg::Core => (BreakClass::ClearedNotPaid, BreakClass::PaidNotCleared),
    };
    found.differences.reserve_exact(found.lines.len() + found.events.len());
    for at in std::mem::take(&mut found.lines) {
        let Some(line) = facts.line(at) else { continue };
        let near = !line.carried && facts.rules.near_cutoff(line.paid_at_s);
        let class = class(near, line.says == Says::Reversal, not_here);
        found.differ(facts, (class, Note::OnlyTheirs), &[at], &[]);
    }
    for at in std::mem::take(&mut found.events) {
        let Some(event) = facts.event(at) else { continue };
        let near = event.standing == Standing::Today && facts.rules.near_cutoff(event.paid_at_s);
        let class = class(near, event.movement == Movement::Reversal, not_there);
        found.differ(facts, (class, Note::OnlyOurs), &[], &[at]);
    }
}

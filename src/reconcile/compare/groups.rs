//! What is left, brought together by what it has in common: a payment in parts, payments as one, a payment that was taken
//! back. Only whole groups are explained, to the dong; no part of one is ever chosen.

use super::facts::{Facts, Ours, Standing, payment_mark};
use super::keyed::{Found, Pair};
use super::rest::{Claim, claim_of_event, claim_of_line};
use super::result::Note;
use crate::domain::ids::Movement;
use crate::domain::review::BreakClass;

/// A fact that may be a part of another one, or the whole of several.
#[derive(Clone, Copy)]
enum Place {
    Line(usize),
    Event(usize),
    Pair(usize),
}

/// By what parts are brought together.
pub(super) struct Part {
    pub reference: u64,
    pub customer: u64,
    movement: Movement,
}

fn of_line(facts: &Facts<'_>, at: usize) -> Option<Part> {
    let line = facts.line(at)?;
    Some(Part { reference: line.reference, customer: line.customer, movement: line.says.movement()? })
}

fn of_event(facts: &Facts<'_>, at: usize) -> Option<Part> {
    let event = facts.event(at)?;
    Some(Part { reference: event.reference, customer: event.customer, movement: event.movement })
}

/// A pair has in common what both sides state.
fn of_pair(facts: &Facts<'_>, pair: &Pair) -> Option<Part> {
    let (line, event) = (of_line(facts, pair.line)?, of_event(facts, pair.event)?);
    let agreed = |there: u64, here: u64| match (there, here) {
        (one, 0) | (0, one) => one,
        (there, here) if there == here => here,
        _ => 0,
    };
    let reference = agreed(line.reference, event.reference);
    Some(Part { reference, customer: agreed(line.customer, event.customer), movement: event.movement })
}

/// One event in several lines, or several events in one line: all that is left of one reference, or of one customer,
/// when it adds up to the dong. A pair whose amounts differ takes part: the whole may go by the id of one of the parts.
pub(super) fn several(facts: &Facts<'_>, found: &mut Found, by: impl Fn(&Part) -> u64) {
    let open_pairs = found.pairs.iter().filter(|pair| pair.note == Note::Amount).count();
    if found.lines.len() + open_pairs == 0 || found.events.len() + open_pairs == 0 {
        return;
    }
    let mut members: Vec<(u64, Movement, Place)> = Vec::with_capacity(found.lines.len() + found.events.len());
    let mut member = |part: Option<Part>, place: Place| {
        let Some(part) = part.filter(|part| by(part) != 0) else { return false };
        members.push((by(&part), part.movement, place));
        true
    };
    found.lines.retain(|at| !member(of_line(facts, *at), Place::Line(*at)));
    found.events.retain(|at| !member(of_event(facts, *at), Place::Event(*at)));
    let pairs = std::mem::take(&mut found.pairs);
    for (at, pair) in pairs.iter().enumerate() {
        if pair.note != Note::Amount || !member(of_pair(facts, pair), Place::Pair(at)) {
            found.pairs.push(*pair);
        }
    }
    members.sort_unstable_by_key(|(group, movement, _)| (*group, *movement));
    for group in members.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1)) {
        if !explained(facts, found, group, &pairs) {
            for (_, _, place) in group {
                match place {
                    Place::Line(at) => found.lines.push(*at),
                    Place::Event(at) => found.events.push(*at),
                    Place::Pair(at) => found.pairs.extend(pairs.get(*at)),
                }
            }
        }
    }
}

fn explained(facts: &Facts<'_>, found: &mut Found, group: &[(u64, Movement, Place)], pairs: &[Pair]) -> bool {
    // Two facts are no group; nor is one pair.
    if group.len() < 2 {
        return false;
    }
    let mut lines = Vec::new();
    let mut events = Vec::new();
    for (_, _, place) in group {
        match place {
            Place::Line(at) => lines.push(*at),
            Place::Event(at) => events.push(*at),
            Place::Pair(at) => {
                lines.extend(pairs.get(*at).map(|pair| pair.line));
                events.extend(pairs.get(*at).map(|pair| pair.event));
            }
        }
    }
    let class = match (lines.len(), events.len()) {
        (1, 2..) => BreakClass::Merged,
        (2.., 1) => BreakClass::Split,
        _ => return false,
    };
    lines.sort_by_key(|at| facts.line(*at).map(|line| line.line));
    events.sort_by_key(|at| facts.event(*at).map(|event| event.no));
    let there: i128 = facts.lines(&lines).map(|line| i128::from(line.signed())).sum();
    let here: i128 = facts.events(&events).map(|event| i128::from(event.signed())).sum();
    let whole = there == here && there != 0;
    if whole {
        found.differ(facts, (class, Note::Several), &lines, &events);
    }
    whole
}

/// A payment and its reversal that only one side has: nothing is left of them. Our books say which payment a reversal
/// takes back; where they do not, and for lines, the two have reference and amount in common. Near the cut-off the other
/// side may list both tomorrow. Each is a difference of its own, since each may wait for its other side.
pub(super) fn netted_out(facts: &Facts<'_>, found: &mut Found) {
    let line_claim = |at: usize| {
        let line = facts.line(at)?;
        let settled = line.carried || !facts.rules.near_cutoff(line.paid_at_s);
        claim_of_line(facts, at).filter(|_| settled)
    };
    let settled = |at: usize| {
        let settled = |event: &&Ours| event.standing != Standing::Today || !facts.rules.near_cutoff(event.paid_at_s);
        facts.event(at).filter(settled)
    };
    let by_payment = |at: usize| {
        let event = settled(at)?;
        let payment = match event.movement {
            Movement::Payment => payment_mark(&event.key),
            Movement::Reversal => event.takes_back,
        };
        (payment != 0).then_some((payment, event.movement, event.amount))
    };
    let by_reference =
        |at: usize| settled(at).filter(|event| event.takes_back == 0).and_then(|_| claim_of_event(facts, at));
    let netted = (BreakClass::Reversed, Note::NettedOut);
    for line in twosomes(&mut found.lines, line_claim) {
        found.differ(facts, netted, &[line], &[]);
    }
    let mut events = twosomes(&mut found.events, by_payment);
    events.append(&mut twosomes(&mut found.events, by_reference));
    for event in events {
        found.differ(facts, netted, &[], &[event]);
    }
}

/// Takes out each payment with its reversal, where one mark and amount has one of each and nothing else.
fn twosomes(places: &mut Vec<usize>, claim: impl Fn(usize) -> Option<Claim>) -> Vec<usize> {
    let reversed = |claim: Claim| (claim.1 == Movement::Reversal).then_some((claim.0, claim.2));
    let mut reversals: Vec<(u64, i64)> = places.iter().filter_map(|at| reversed(claim(*at)?)).collect();
    if reversals.is_empty() {
        return Vec::new();
    }
    reversals.sort_unstable();
    let mut members: Vec<(u64, i64, Movement, usize)> = Vec::new();
    places.retain(|at| match claim(*at) {
        Some((reference, movement, amount)) if reversals.binary_search(&(reference, amount)).is_ok() => {
            members.push((reference, amount, movement, *at));
            false
        }
        _ => true,
    });
    members.sort_unstable();
    let mut found = Vec::new();
    for group in members.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1)) {
        match group {
            [(_, _, Movement::Payment, payment), (_, _, Movement::Reversal, reversal)] => {
                found.extend([*payment, *reversal]);
            }
            _ => places.extend(group.iter().map(|member| member.3)),
        }
    }
    found
}

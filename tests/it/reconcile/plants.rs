//! What goes wrong between two sides, each with what must be said of it.

use super::mutator::{Day, World};
use thuho::domain::ids::Movement;
use thuho::domain::review::BreakClass;
use thuho::reconcile::compare::{Ours, Says, Standing, Theirs};

type Plant = fn(&mut World, &mut Day);

/// Every plant by its name.
pub const ALL: &[(&str, Plant)] = &[
    ("a notice that never came", missing_notice),
    ("a notice that comes a day late", late_notice),
    ("a line that is missing", missing_line),
    ("a line that is missing near midnight, for good", missing_near_midnight),
    ("a line of two like it that is missing", missing_twin),
    ("an amount that is off", amount_off),
    ("an amount that is off by one dong", amount_off_by_one),
    ("an amount that is off in a line without an event", amount_off_unnamed),
    ("an amount that is off by the fee", net_of_fee),
    ("another fee", other_fee),
    ("a promotion short", promotion_short),
    ("another discount", other_discount),
    ("a line twice", twice),
    ("a line without an event twice", twice_unnamed),
    ("a line that no notice is for, twice", twice_unknown),
    ("a line again a day later", twice_over_days),
    ("a line shifted over the cut-off", line_shifted),
    ("an event shifted over the cut-off", event_shifted),
    ("ids exchanged", ids_exchanged),
    ("an id issued anew", id_anew),
    ("another reference", other_reference),
    ("a payment in parts", split),
    ("a payment in parts under its own id", split_same_id),
    ("payments as one, by customer", merged),
    ("payments as one, under the id of one of them", merged_by_id),
    ("a reversal that only they have", reversed),
    ("a reversal that only we have", refunded),
    ("a reversal near midnight", reversed_near_midnight),
    ("a payment and its reversal that they do not list", netted_out),
    ("a payment that they call failed", failed_there),
    ("a payment without an event that they call failed", failed_there_unnamed),
    ("a reversal that we refused", refused_here),
];

/// What is right, and makes it hard: lines without events, twins, reversals, what moves nothing.
pub fn right(world: &mut World, day: &mut Day, payments: usize) {
    for _ in 0..payments {
        let (mut ours, mut line) = world.payment(&day.rules);
        match world.dice.below(20) {
            0 | 1 => line.key = None,
            2 => line.reference = 0,
            3 => {
                ours.paid_at_s = world.near_midnight(&day.rules);
                line.paid_at_s = ours.paid_at_s;
            }
            4 => {
                // The customer paid the same order again: two events, two lines, one reference and amount.
                let (again, _) = world.payment(&day.rules);
                let again = Ours { amount: ours.amount, reference: ours.reference, customer: ours.customer, ..again };
                let line = world.line_of(&again);
                day.agree(again, line);
            }
            5 => {
                let reversal = world.reversal(&ours);
                let line = world.line_of(&reversal);
                day.agree(reversal, line);
            }
            6 => {
                // It failed first, and was paid then, under one id.
                let failed = Theirs { line: world.line_no(), says: Says::Nothing, ..line };
                day.theirs.push(failed);
            }
            7 => {
                let (_, failed) = world.payment(&day.rules);
                day.theirs.push(Theirs { says: Says::Nothing, ..failed });
                let waiting = world.reversal(&ours);
                day.ours.push(Ours { booked: false, key: world.key(Movement::Reversal), reference: 0, ..waiting });
            }
            _ => {}
        }
        world.done.push((ours, line));
        day.agree(ours, line);
    }
}

/// Plants `count` of them.
pub fn plant(world: &mut World, day: &mut Day, count: usize) {
    for _ in 0..count {
        let at = usize::try_from(world.dice.below(i64::try_from(ALL.len()).unwrap())).unwrap();
        let (name, plant) = ALL[at];
        plant(world, day);
        *day.planted.entry(name).or_default() += 1;
    }
}

fn unnamed_sometimes(world: &mut World, line: &mut Theirs) {
    if world.dice.percent(25) {
        line.key = None;
    }
}

fn near(world: &mut World, day: &Day) -> (Ours, Theirs) {
    let (ours, line) = world.payment(&day.rules);
    let paid_at_s = world.near_midnight(&day.rules);
    (Ours { paid_at_s, ..ours }, Theirs { paid_at_s, ..line })
}

fn same(class: BreakClass) -> (BreakClass, BreakClass) {
    (class, class)
}

fn missing_notice(world: &mut World, day: &mut Day) {
    let (_, mut line) = world.payment(&day.rules);
    unnamed_sometimes(world, &mut line);
    day.never(same(BreakClass::MissingWebhook), &[line], &[]);
}

fn late_notice(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    unnamed_sometimes(world, &mut line);
    day.event_tomorrow(BreakClass::MissingWebhook, ours, line);
}

fn missing_line(world: &mut World, day: &mut Day) {
    let (ours, _) = world.payment(&day.rules);
    day.never(same(BreakClass::MissingInStatement), &[], &[ours]);
}

fn missing_near_midnight(world: &mut World, day: &mut Day) {
    let (ours, _) = near(world, day);
    day.never((BreakClass::CutoffTiming, BreakClass::MissingInStatement), &[], &[ours]);
}

fn missing_twin(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let (twin, _) = world.payment(&day.rules);
    let twin = Ours { amount: ours.amount, reference: ours.reference, customer: ours.customer, ..twin };
    day.agree(ours, line);
    day.never(same(BreakClass::MissingInStatement), &[], &[twin]);
}

fn amount_off(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.amount = if world.dice.percent(20) { ours.amount * 100 } else { ours.amount - 15_011 };
    day.differ(BreakClass::AmountMismatch, &[line], &[ours]);
}

fn amount_off_by_one(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.amount += if world.dice.percent(50) { 1 } else { -1 };
    day.differ(BreakClass::AmountMismatch, &[line], &[ours]);
}

fn amount_off_unnamed(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    (line.amount, line.key) = (ours.amount + 1, None);
    // Nothing says that they are one payment.
    let (missing_here, missing_there) = (BreakClass::MissingWebhook, BreakClass::MissingInStatement);
    day.never(same(missing_here), &[line], &[]);
    day.never(same(missing_there), &[], &[ours]);
}

fn net_of_fee(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.amount -= ours.fee;
    day.differ(BreakClass::FeeMismatch, &[line], &[ours]);
}

fn other_fee(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.fee += 110;
    unnamed_sometimes(world, &mut line);
    day.differ(BreakClass::FeeMismatch, &[line], &[ours]);
}

fn promotion_short(world: &mut World, day: &mut Day) {
    let (mut ours, mut line) = world.payment(&day.rules);
    ours.discount = 10_007;
    (line.discount, line.amount) = (ours.discount, ours.amount - ours.discount);
    day.differ(BreakClass::PromoMismatch, &[line], &[ours]);
}

fn other_discount(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.discount = ours.discount + 1;
    day.differ(BreakClass::PromoMismatch, &[line], &[ours]);
}

fn twice(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let again = Theirs { line: world.line_no(), ..line };
    day.agree(ours, line);
    day.differ(BreakClass::DuplicateLine, &[again], &[]);
}

fn twice_unnamed(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let line = Theirs { key: None, ..line };
    let again = Theirs { line: world.line_no(), ..line };
    day.differ(BreakClass::DuplicateLine, &[line, again], &[ours]);
}

fn twice_unknown(world: &mut World, day: &mut Day) {
    let (_, line) = world.payment(&day.rules);
    let again = Theirs { line: world.line_no(), ..line };
    day.never(same(BreakClass::MissingWebhook), &[line], &[]);
    day.differ(BreakClass::DuplicateLine, &[again], &[]);
}

fn twice_over_days(world: &mut World, day: &mut Day) {
    // Only what names its event is known again.
    let Some(at) = world
        .done
        .iter()
        .position(|(ours, line)| line.key.is_some() && i64::from(ours.paid_at_s) < day.rules.day_start_s)
    else {
        return;
    };
    let (ours, line) = world.done.swap_remove(at);
    let again = Theirs { line: world.line_no(), ..line };
    day.ours.push(Ours { standing: Standing::Done, ..ours });
    day.differ(BreakClass::DuplicateLine, &[again], &[]);
}

fn line_shifted(world: &mut World, day: &mut Day) {
    let (ours, mut line) = near(world, day);
    unnamed_sometimes(world, &mut line);
    day.line_tomorrow(BreakClass::CutoffTiming, ours, line);
}

fn event_shifted(world: &mut World, day: &mut Day) {
    let (ours, mut line) = near(world, day);
    unnamed_sometimes(world, &mut line);
    day.event_tomorrow(BreakClass::CutoffTiming, ours, line);
}

fn ids_exchanged(world: &mut World, day: &mut Day) {
    let (one, mut line) = world.payment(&day.rules);
    let (mut other, mut other_line) = world.payment(&day.rules);
    if world.dice.percent(50) {
        (other.amount, other_line.amount) = (one.amount, one.amount);
    }
    (line.key, other_line.key) = (Some(other.key), Some(one.key));
    day.differ(BreakClass::SwappedId, &[line, other_line], &[one, other]);
}

fn id_anew(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.key = Some(world.key(Movement::Payment));
    day.differ(BreakClass::SwappedId, &[line], &[ours]);
}

fn other_reference(world: &mut World, day: &mut Day) {
    let (ours, mut line) = world.payment(&day.rules);
    line.reference = world.text();
    day.differ(BreakClass::ReferenceMismatch, &[line], &[ours]);
}

fn parts(world: &mut World, ours: &Ours, line: &Theirs) -> Vec<Theirs> {
    let first = ours.amount / 3 + 17;
    let second = Theirs { line: world.line_no(), amount: ours.amount - first, ..*line };
    vec![Theirs { amount: first, ..*line }, second]
}

fn split(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let mut parts = parts(world, &ours, &line);
    // The first part keeps the id, or all have new ones, or none has one.
    let ids = world.dice.below(3);
    for (at, part) in parts.iter_mut().enumerate() {
        match ids {
            0 if at == 0 => {}
            2 => part.key = None,
            _ => part.key = Some(world.key(Movement::Payment)),
        }
    }
    day.differ(BreakClass::Split, &parts, &[ours]);
}

fn split_same_id(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let parts = parts(world, &ours, &line);
    day.differ(BreakClass::Split, &parts, &[ours]);
}

fn several(world: &mut World, day: &Day) -> (Vec<Ours>, Theirs) {
    let customer = world.text();
    let (first, line) = world.payment(&day.rules);
    let mut all = vec![Ours { customer, ..first }];
    for _ in 0..=world.dice.below(3) {
        let (next, _) = world.payment(&day.rules);
        all.push(Ours { customer, ..next });
    }
    let amount = all.iter().map(|o| o.amount).sum();
    (all, Theirs { customer, amount, ..line })
}

fn merged(world: &mut World, day: &mut Day) {
    let (all, mut line) = several(world, day);
    (line.key, line.reference) = (Some(world.key(Movement::Payment)), 0);
    unnamed_sometimes(world, &mut line);
    day.differ(BreakClass::Merged, &[line], &all);
}

fn merged_by_id(world: &mut World, day: &mut Day) {
    let (all, line) = several(world, day);
    day.differ(BreakClass::Merged, &[line], &all);
}

fn reversed(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let reversal = world.reversal(&ours);
    let mut back = world.line_of(&reversal);
    day.agree(ours, line);
    unnamed_sometimes(world, &mut back);
    day.never(same(BreakClass::Reversed), &[back], &[]);
}

fn refunded(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let reversal = world.reversal(&ours);
    let back = world.line_of(&reversal);
    day.agree(ours, line);
    if world.dice.percent(50) {
        day.line_tomorrow(BreakClass::Reversed, reversal, back);
    } else {
        day.never(same(BreakClass::Reversed), &[], &[reversal]);
    }
}

fn reversed_near_midnight(world: &mut World, day: &mut Day) {
    let (ours, line) = near(world, day);
    let reversal = world.reversal(&ours);
    let back = world.line_of(&reversal);
    day.agree(ours, line);
    if world.dice.percent(50) {
        day.event_tomorrow(BreakClass::CutoffTiming, reversal, back);
    } else {
        day.never((BreakClass::CutoffTiming, BreakClass::Reversed), &[back], &[]);
    }
}

fn netted_out(world: &mut World, day: &mut Day) {
    let (ours, _) = world.payment(&day.rules);
    let reversal = match world.dice.below(3) {
        0 => world.reversal(&ours),
        // It names the payment by its event alone,
        1 => Ours { reference: 0, customer: 0, ..world.reversal(&ours) },
        // or by its reference alone.
        _ => Ours { takes_back: 0, ..world.reversal(&ours) },
    };
    day.never(same(BreakClass::Reversed), &[], &[ours]);
    day.never(same(BreakClass::Reversed), &[], &[reversal]);
}

fn failed_there(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    day.differ(BreakClass::StatusMismatch, &[Theirs { says: Says::Nothing, ..line }], &[ours]);
}

fn failed_there_unnamed(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    day.differ(BreakClass::StatusMismatch, &[Theirs { says: Says::Nothing, key: None, ..line }], &[ours]);
}

fn refused_here(world: &mut World, day: &mut Day) {
    let (ours, line) = world.payment(&day.rules);
    let refused = world.reversal(&ours);
    let back = world.line_of(&refused);
    day.agree(ours, line);
    day.differ(BreakClass::StatusMismatch, &[back], &[Ours { booked: false, ..refused }]);
}

//! Mutated days: every planted difference is found and classified, nothing else is, and it ties out (I14).
//! `THUHO_MUTATED_DAYS` asks for more of them.

use super::mutator::{Day, Dice, Later, World, differences};
use super::plants;
use std::collections::BTreeMap;
use thuho::domain::ids::EventNo;
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{Compared, Ours, Rule, Standing, Theirs, compare};

const DAYS: u32 = 500;
const DAYS_OF_A_WORLD: u32 = 4;

fn asked() -> u32 {
    let text = std::env::var_os("THUHO_MUTATED_DAYS");
    text.map_or(DAYS, |text| text.to_str().and_then(|text| text.parse().ok()).expect("THUHO_MUTATED_DAYS is a number"))
}

fn said(day: &Day) -> Compared {
    compare(&day.rules, &day.ours, &day.theirs).unwrap()
}

fn live(seed: u64, mutated: u32, watch: impl FnMut(&mut Dice, &Day)) {
    live_with(seed, mutated, 1, watch);
}

/// A world's days one after another; after the mutated ones a right one, which closes what waited.
fn live_with(seed: u64, mutated: u32, times: usize, mut watch: impl FnMut(&mut Dice, &Day)) {
    let mut world = World::new(seed);
    let mut waited: Vec<Later> = Vec::new();
    for number in 0..=mutated {
        let mut day = world.start(std::mem::take(&mut waited));
        let payments = usize::try_from(60 + world.dice.below(90)).unwrap();
        plants::right(&mut world, &mut day, times * payments);
        if number < mutated {
            let plants = usize::try_from(10 + world.dice.below(30)).unwrap();
            plants::plant(&mut world, &mut day, times * plants);
        }
        world.dice.shuffle(&mut day.ours);
        world.dice.shuffle(&mut day.theirs);
        watch(&mut world.dice, &day);
        waited = std::mem::take(&mut day.later);
    }
    assert!(waited.is_empty(), "a right day leaves nothing");
}

#[test]
fn every_planted_difference_is_found_and_nothing_else() {
    let (mut days, mut facts, mut matches, mut closed) = (0, 0, 0, 0);
    let mut planted: BTreeMap<&str, u32> = BTreeMap::new();
    let mut by_class: BTreeMap<&str, u32> = BTreeMap::new();
    let asked = asked();
    for seed in 0..asked.div_ceil(DAYS_OF_A_WORLD) {
        live(u64::from(seed), DAYS_OF_A_WORLD, |dice, day| {
            let compared = said(day);
            if let Err(why) = day.judge(&compared) {
                panic!("seed {seed}, day from {}: {why}", day.rules.day_start_s);
            }
            order_does_not_matter(dice, day, &compared);
            again_on_its_own_result(day, &compared);
            days += u32::from(!day.planted.is_empty());
            facts += day.ours.len() + day.theirs.len();
            matches += compared.matches.len();
            closed += compared.matches.iter().filter(|m| m.line_carried || m.event_carried).count();
            day.planted.iter().for_each(|(name, n)| *planted.entry(name).or_default() += n);
            compared.differences.iter().for_each(|d| *by_class.entry(d.class.code()).or_default() += 1);
        });
    }
    println!("{days} mutated days, {facts} facts, {matches} matches, {closed} of them with what waited");
    planted.iter().for_each(|(name, n)| println!("{n:>7} {name}"));
    by_class.iter().for_each(|(code, n)| println!("{n:>7} {code}"));
    assert!(days >= asked, "{days} days");
    let rare: Vec<&str> =
        plants::ALL.iter().map(|(name, _)| *name).filter(|name| planted.get(name).is_none_or(|n| *n < 50)).collect();
    assert!(asked < DAYS || rare.is_empty(), "hardly planted: {rare:?}");
}

/// Enough facts for several parts and for both threads.
#[test]
fn a_large_day_is_compared_like_a_small_one() {
    live_with(7, 1, 700, |dice, day| {
        assert!(day.ours.len() > 40_000, "{} events are not large", day.ours.len());
        let compared = said(day);
        assert_eq!(day.judge(&compared), Ok(()));
        order_does_not_matter(dice, day, &compared);
        again_on_its_own_result(day, &compared);
    });
}

fn order_does_not_matter(dice: &mut Dice, day: &Day, compared: &Compared) {
    let (mut ours, mut theirs) = (day.ours.clone(), day.theirs.clone());
    dice.shuffle(&mut ours);
    dice.shuffle(&mut theirs);
    assert_eq!(&compare(&day.rules, &ours, &theirs).unwrap(), compared);
}

/// What was matched is done; what differs is compared again.
fn again_on_its_own_result(day: &Day, compared: &Compared) {
    let lines: BTreeMap<LineNo, Rule> = compared.matches.iter().map(|m| (m.line, m.rule)).collect();
    let events: BTreeMap<EventNo, Rule> = compared.matches.iter().map(|m| (m.event, m.rule)).collect();
    let done = |o: &Ours| {
        let standing = if events.contains_key(&o.no) { Standing::Done } else { o.standing };
        Ours { standing, ..*o }
    };
    let ours: Vec<Ours> = day.ours.iter().map(done).collect();
    let theirs: Vec<Theirs> = day.theirs.iter().filter(|t| !lines.contains_key(&t.line)).copied().collect();
    let again = compare(&day.rules, &ours, &theirs).unwrap();
    assert_eq!(again.matches, [], "a second run matches nothing");
    assert_eq!(differences(&again), differences(compared), "a second run changes no difference");
}

/// Each wrong comparison must be found out by some day.
fn found_out(what: &str, wrong: impl Fn(&Day) -> Compared) {
    let mut complaints = Vec::new();
    for seed in 0..10 {
        live(seed, DAYS_OF_A_WORLD, |_dice, day| complaints.extend(day.judge(&wrong(day)).err()));
    }
    assert!(!complaints.is_empty(), "{what}: nobody noticed");
    println!("{what}: {} days complain, first: {}", complaints.len(), complaints[0]);
}

fn with_theirs(day: &Day, change: impl FnOnce(&mut Vec<Theirs>)) -> Compared {
    let mut theirs = day.theirs.clone();
    change(&mut theirs);
    compare(&day.rules, &day.ours, &theirs).unwrap()
}

#[test]
fn a_wrong_comparison_is_found_out_by_the_mutated_days() {
    let amounts = |day: &Day| -> BTreeMap<_, _> { day.ours.iter().map(|o| (o.key, o.amount)).collect() };
    found_out("a tolerance of one dong", |day| {
        let ours = amounts(day);
        with_theirs(day, |theirs| {
            for t in theirs {
                let near = t.key.and_then(|key| ours.get(&key)).filter(|amount| amount.abs_diff(t.amount) <= 1);
                t.amount = near.copied().unwrap_or(t.amount);
            }
        })
    });
    found_out("a repeated line is overwritten", |day| {
        with_theirs(day, |theirs| {
            theirs.sort_by_key(|t| (t.key, t.line));
            theirs.dedup_by_key(|t| t.key.ok_or(t.line));
        })
    });
    found_out("a line with another id is matched by its reference", |day| {
        let ours = amounts(day);
        with_theirs(day, |theirs| {
            theirs.iter_mut().filter(|t| t.key.is_some_and(|key| !ours.contains_key(&key))).for_each(|t| t.key = None);
        })
    });
    found_out("what is pending counts as paid", |day| {
        with_theirs(day, |theirs| {
            use thuho::reconcile::compare::Says;
            theirs.iter_mut().filter(|t| t.says == Says::Nothing).for_each(|t| t.says = Says::Payment);
        })
    });
    found_out("fees are not looked at", |day| {
        let rules = thuho::reconcile::compare::Rules { fees: false, ..day.rules };
        compare(&rules, &day.ours, &day.theirs).unwrap()
    });
    found_out("nothing is near the cut-off", |day| {
        let rules = thuho::reconcile::compare::Rules { cutoff_window_s: -1, ..day.rules };
        compare(&rules, &day.ours, &day.theirs).unwrap()
    });
    found_out("a match is lost", |day| {
        let mut compared = said(day);
        compared.matches.pop();
        compared
    });
}

/// I14: a dong or a fact that is not where it should be does not tie out.
#[test]
fn sums_that_lost_a_dong_do_not_tie_out() {
    live(1, 1, |_dice, day| {
        let sums = said(day).sums;
        assert_eq!(sums.ties_out(), Ok(()));
        let mut wrong = [sums; 8];
        wrong[0].theirs.total.dong += 1;
        wrong[1].ours.total.count += 1;
        wrong[2].theirs.matched_today.dong -= 1;
        wrong[3].ours.alone.dong += 1;
        wrong[4].ours.mismatched.count += 1;
        wrong[5].theirs.waiting.dong += 1;
        wrong[6].ours.closed.dong += 1;
        wrong[7].differences.dong -= 1;
        for (at, wrong) in wrong.iter().enumerate() {
            assert!(wrong.ties_out().is_err(), "{at}");
        }
    });
}

//! How long a large day takes; by hand, printed, asserted only in what it finds.

use super::mutator::Dice;
use std::time::Instant;
use thuho::domain::ids::{EventKey, EventNo, Movement};
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{Leg, Ours, Rules, Says, Standing, Theirs, compare};

const RULES: Rules = Rules {
    leg: Leg::Partner,
    day_start_s: 0,
    day_end_s: 86_400,
    cutoff_window_s: 900,
    references: true,
    discounts: true,
    fees: true,
};

fn facts(count: u64, dice: &mut Dice) -> (Vec<Ours>, Vec<Theirs>) {
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for number in 1..=count {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&dice.roll().to_be_bytes());
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        let event = Ours {
            no: EventNo(i64::try_from(number).unwrap()),
            key: EventKey::from_bytes(bytes),
            movement: Movement::Payment,
            booked: true,
            amount: 20_000 + dice.below(3_000_000),
            discount: 0,
            fee: 1_100,
            reference: dice.roll() | 1,
            customer: dice.roll() | 1,
            takes_back: 0,
            paid_at_s: u32::try_from(1_000 + dice.below(80_000)).unwrap(),
            standing: Standing::Today,
        };
        let line = Theirs {
            line: LineNo(i64::try_from(number).unwrap()),
            key: Some(event.key),
            says: Says::Payment,
            amount: event.amount,
            discount: event.discount,
            fee: event.fee,
            reference: event.reference,
            customer: event.customer,
            paid_at_s: event.paid_at_s,
            carried: false,
        };
        // Of a thousand: five only ours, five only theirs, five off.
        let off = Theirs { amount: line.amount + 7, ..line };
        match number % 1_000 {
            0..5 => ours.push(event),
            5..10 => theirs.push(line),
            10..15 => (ours.push(event), theirs.push(off)).0,
            _ => (ours.push(event), theirs.push(line)).0,
        }
    }
    (ours, theirs)
}

fn run(what: &str, ours: &[Ours], theirs: &[Theirs], expected: (usize, usize)) {
    for _ in 0..5 {
        let started = Instant::now();
        let compared = compare(&RULES, ours, theirs).unwrap();
        let ms = started.elapsed().as_millis();
        assert_eq!((compared.matches.len(), compared.differences.len()), expected, "{what}");
        compared.sums.ties_out().unwrap();
        println!("{what}: {ms} ms");
    }
    // Of the whole process so far, the facts and what made them included.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
}

#[test]
#[ignore = "a measurement, by hand"]
fn a_million_lines_against_a_million_events() {
    let count = 1_000_000;
    let mut dice = Dice::new(1);
    let (mut ours, mut theirs) = facts(count, &mut dice);
    println!("a fact of ours is {} bytes, of theirs {}", size_of::<Ours>(), size_of::<Theirs>());
    run("by key, both in the order of time", &ours, &theirs, (985_000, 15_000));
    dice.shuffle(&mut theirs);
    run("by key, lines shuffled", &ours, &theirs, (985_000, 15_000));
    dice.shuffle(&mut ours);
    run("by key, both shuffled", &ours, &theirs, (985_000, 15_000));
    theirs.iter_mut().for_each(|t| t.key = None);
    run("by reference, both shuffled", &ours, &theirs, (985_000, 20_000));
    run("nothing in common", &ours, &[], (0, ours.len()));
}

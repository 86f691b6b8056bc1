//! Laws of the comparison over small days full of collisions: few keys, few references, few amounts.

use super::naive;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use thuho::domain::ids::{EventKey, EventNo, Movement};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::{
    Compared, Leg, NotComparable, Ours, Rule, Rules, Says, Standing, Theirs, compare, payment_mark,
};

const RULES: Rules = Rules {
    leg: Leg::Partner,
    day_start_s: 0,
    day_end_s: 1_000,
    cutoff_window_s: 100,
    references: true,
    discounts: true,
    fees: true,
};

/// Keys that share their first bits as well as keys that do not; a payment's and a reversal's differ.
fn key(id: u8, movement: Movement) -> EventKey {
    let mut bytes = [7; 16];
    bytes[0] = if id.is_multiple_of(2) { 7 } else { id };
    bytes[14] = id;
    bytes[15] = u8::from(movement == Movement::Reversal);
    EventKey::from_bytes(bytes)
}

fn movement() -> impl Strategy<Value = Movement> {
    prop_oneof![4 => Just(Movement::Payment), 1 => Just(Movement::Reversal)]
}

/// Discount, fee, reference, customer, time.
fn texts() -> impl Strategy<Value = (i64, i64, u64, u64, u32)> {
    (0..2_i64, 0..2_i64, 0..4_u64, 0..3_u64, 0..1_000_u32)
}

fn event() -> impl Strategy<Value = Ours> {
    let standing = prop_oneof![6 => Just(Standing::Today), 2 => Just(Standing::Carried), 1 => Just(Standing::Done)];
    (0..12_u8, movement(), prop::bool::weighted(0.9), 0..5_i64, texts(), standing).prop_map(
        |(id, movement, booked, amount, (discount, fee, reference, customer, paid_at_s), standing)| Ours {
            no: EventNo(0),
            key: key(id, movement),
            movement,
            booked,
            amount,
            discount,
            fee,
            reference,
            customer,
            takes_back: if movement == Movement::Reversal && fee == 0 {
                payment_mark(&key(id, Movement::Payment))
            } else {
                0
            },
            paid_at_s,
            standing,
        },
    )
}

fn line() -> impl Strategy<Value = Theirs> {
    let says = prop_oneof![6 => Just(Says::Payment), 2 => Just(Says::Reversal), 1 => Just(Says::Nothing)];
    (prop::option::weighted(0.7, 0..12_u8), says, 0..5_i64, texts(), prop::bool::weighted(0.2)).prop_map(
        |(id, says, amount, (discount, fee, reference, customer, paid_at_s), carried)| Theirs {
            line: LineNo(0),
            key: id.map(|id| key(id, says.movement().unwrap_or(Movement::Payment))),
            says,
            amount,
            discount,
            fee,
            reference,
            customer,
            paid_at_s,
            carried,
        },
    )
}

/// Each key once in the books.
fn books() -> impl Strategy<Value = Vec<Ours>> {
    prop::collection::vec(event(), 0..14).prop_map(|events| {
        let once: BTreeMap<EventKey, Ours> = events.into_iter().map(|event| (event.key, event)).collect();
        once.into_values().zip(1..).map(|(event, no)| Ours { no: EventNo(no), ..event }).collect()
    })
}

fn statement() -> impl Strategy<Value = Vec<Theirs>> {
    prop::collection::vec(line(), 0..18)
        .prop_map(|lines| lines.into_iter().zip(1..).map(|(line, no)| Theirs { line: LineNo(no), ..line }).collect())
}

fn said(ours: &[Ours], theirs: &[Theirs]) -> Compared {
    compare(&RULES, ours, theirs).unwrap()
}

/// The same facts the other way round: lines as events and events as lines. Only for what both can be.
fn mirrored(ours: &[Ours], theirs: &[Theirs]) -> (Vec<Ours>, Vec<Theirs>) {
    let event = |t: &Theirs| Ours {
        no: EventNo(t.line.0),
        key: t.key.unwrap(),
        movement: t.says.movement().unwrap(),
        booked: true,
        amount: t.amount,
        discount: t.discount,
        fee: t.fee,
        reference: t.reference,
        customer: t.customer,
        takes_back: 0,
        paid_at_s: t.paid_at_s,
        standing: if t.carried { Standing::Carried } else { Standing::Today },
    };
    let line = |o: &Ours| Theirs {
        line: LineNo(o.no.0),
        key: Some(o.key),
        says: if o.movement == Movement::Payment { Says::Payment } else { Says::Reversal },
        amount: o.amount,
        discount: o.discount,
        fee: o.fee,
        reference: o.reference,
        customer: o.customer,
        paid_at_s: o.paid_at_s,
        carried: o.standing == Standing::Carried,
    };
    (theirs.iter().map(event).collect(), ours.iter().map(line).collect())
}

fn mirror_class(class: BreakClass) -> BreakClass {
    let pairs = [(BreakClass::MissingWebhook, BreakClass::MissingInStatement), (BreakClass::Split, BreakClass::Merged)];
    let other = |(a, b)| if class == a { Some(b) } else { (class == b).then_some(a) };
    pairs.into_iter().find_map(other).unwrap_or(class)
}

/// Class, signed, lines, events.
type Told = BTreeSet<(BreakClass, i64, Vec<i64>, Vec<i64>)>;

fn told(compared: &Compared, mirror: bool) -> Told {
    let one = |d: &thuho::reconcile::compare::Difference| {
        let mut lines: Vec<i64> = d.lines().map(|line| line.0).collect();
        let mut events: Vec<i64> = d.events().map(|event| event.0).collect();
        lines.sort_unstable();
        events.sort_unstable();
        if mirror { (mirror_class(d.class), -d.signed(), events, lines) } else { (d.class, d.signed(), lines, events) }
    };
    compared.differences.iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// I14, with every fact in exactly one place: a match, a difference, or among what moves nothing.
    #[test]
    fn every_fact_is_in_exactly_one_place_and_it_ties_out(ours in books(), theirs in statement()) {
        let compared = said(&ours, &theirs);
        prop_assert_eq!(compared.sums.ties_out(), Ok(()));
        let mut lines: Vec<LineNo> = compared.matches.iter().map(|m| m.line).collect();
        let mut events: Vec<EventNo> = compared.matches.iter().map(|m| m.event).collect();
        lines.extend(compared.differences.iter().flat_map(|d| d.lines()));
        events.extend(compared.differences.iter().flat_map(|d| d.events()));
        let (found_lines, found_events) = (lines.len(), events.len());
        let lines: BTreeSet<LineNo> = lines.into_iter().collect();
        let events: BTreeSet<EventNo> = events.into_iter().collect();
        prop_assert_eq!((lines.len(), events.len()), (found_lines, found_events), "a fact in two places");
        for d in compared.differences.iter().filter(|d| d.line.is_none() || d.event.is_none()) {
            prop_assert!(d.more.is_none(), "what one side has alone waits by itself: {:?}", d);
        }
        for t in theirs.iter().filter(|t| t.moves()) {
            prop_assert!(lines.contains(&t.line), "a line was lost: {:?}", t);
        }
        for o in ours.iter().filter(|o| o.booked && o.standing != Standing::Done) {
            prop_assert!(events.contains(&o.no), "an event was lost: {:?}", o);
        }
        for o in ours.iter().filter(|o| o.standing == Standing::Done) {
            prop_assert!(!events.contains(&o.no), "a done event was used again: {:?}", o);
        }
    }

    #[test]
    fn the_order_of_the_facts_does_not_matter(ours in books(), theirs in statement(), turn in 0..14_usize) {
        let compared = said(&ours, &theirs);
        let (mut other_ours, mut other_theirs) = (ours, theirs);
        other_ours.reverse();
        other_theirs.reverse();
        let turns = (turn.min(other_ours.len()), turn.min(other_theirs.len()));
        other_ours.rotate_left(turns.0);
        other_theirs.rotate_left(turns.1);
        prop_assert_eq!(said(&other_ours, &other_theirs), compared);
    }

    #[test]
    fn a_naive_model_matches_the_same(ours in books(), theirs in statement()) {
        let compared = said(&ours, &theirs);
        let found: BTreeSet<(LineNo, EventNo, Rule)> =
            compared.matches.iter().map(|m| (m.line, m.event, m.rule)).collect();
        prop_assert_eq!(found.len(), compared.matches.len());
        prop_assert_eq!(found, naive::matches(&RULES, &ours, &theirs));
    }

    // Of what both sides can say: a line does not name the payment that it takes back.
    #[test]
    fn the_other_side_sees_the_mirror_image(ours in books(), theirs in statement()) {
        let both = |o: &Ours| o.booked && o.standing != Standing::Done;
        let ours: Vec<Ours> = ours.into_iter().filter(both).map(|o| Ours { takes_back: 0, ..o }).collect();
        let mut keys = BTreeSet::new();
        let once = |t: &Theirs| t.moves() && t.key.is_some_and(|key| keys.insert(key));
        let theirs: Vec<Theirs> = theirs.into_iter().filter(once).collect();
        let compared = said(&ours, &theirs);
        let (their_ours, their_theirs) = mirrored(&ours, &theirs);
        let other = said(&their_ours, &their_theirs);
        prop_assert_eq!(told(&compared, false), told(&other, true));
        let matches: BTreeSet<(i64, i64)> =
            compared.matches.iter().map(|m| (m.line.0, m.event.0)).collect();
        let mirrored: BTreeSet<(i64, i64)> =
            other.matches.iter().map(|m| (m.event.0, m.line.0)).collect();
        prop_assert_eq!(matches, mirrored);
    }
}

#[test]
fn money_that_cannot_be_counted_is_refused() {
    let most = thuho::domain::money::AMOUNT_MAX_DONG;
    let event = |no: i64, amount: i64| Ours {
        no: EventNo(no),
        key: EventKey::from_bytes(u128::try_from(no).unwrap().to_be_bytes()),
        movement: Movement::Payment,
        booked: true,
        amount,
        discount: 0,
        fee: 0,
        reference: 0,
        customer: 0,
        takes_back: 0,
        paid_at_s: 500,
        standing: Standing::Today,
    };
    assert_eq!(compare(&RULES, &[event(1, -1)], &[]).unwrap_err(), NotComparable::Event(EventNo(1)));
    assert_eq!(compare(&RULES, &[event(2, most + 1)], &[]).unwrap_err(), NotComparable::Event(EventNo(2)));
    let many: Vec<Ours> = (1..=9_300).map(|no| event(no, most)).collect();
    assert_eq!(compare(&RULES, &many, &[]).unwrap_err(), NotComparable::Day);
    let (_, lines) = mirrored(&many, &[]);
    assert_eq!(compare(&RULES, &[], &lines).unwrap_err(), NotComparable::Day);
    let sums = compare(&RULES, &many[..9_000], &lines[..9_000]).unwrap().sums;
    assert_eq!(sums.theirs.matched_today.dong, 9_000 * most);
}

/// The core's clearing list goes by the same rules; what is missing has other names.
#[test]
fn the_core_leg_names_what_is_missing_by_what_it_means() {
    let rules = Rules { leg: Leg::Core, ..RULES };
    let base = mirrored(&[], &[]);
    assert_eq!(base.0.len() + base.1.len(), 0);
    let paid = Ours {
        no: EventNo(1),
        key: key(1, Movement::Payment),
        movement: Movement::Payment,
        booked: true,
        amount: 100,
        discount: 0,
        fee: 0,
        reference: 0,
        customer: 0,
        takes_back: 0,
        paid_at_s: 500,
        standing: Standing::Today,
    };
    let (_, lines) = mirrored(&[Ours { key: key(3, Movement::Payment), ..paid }], &[]);
    let compared = compare(&rules, &[paid], &lines).unwrap();
    let classes: Vec<BreakClass> = compared.differences.iter().map(|d| d.class).collect();
    assert_eq!(classes, [BreakClass::PaidNotCleared, BreakClass::ClearedNotPaid]);
}

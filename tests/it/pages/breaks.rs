//! Lists of breaks: rows, sums and pages of any filter are what a walk through all breaks comes to, on both databases.

use super::naive;
use super::world::{self, CHANNELS, CLASSES, Made, PARTNERS, UNITS, WORDS};
use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{DAY, customer, dong, invoice_id};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::{Cell, RefCell};
use thuho::domain::ids::UnitCode;
use thuho::domain::invoice::Area;
use thuho::domain::resolution::BreakState;
use thuho::domain::statement::StatementKind;
use thuho::store::desk::{BreakFilter, BreakOrder, Found};
use thuho::store::pages::BreakFacet;
use thuho::store::periods::Period;

const BREAKS: usize = 330;

fn rarely<T: Clone + std::fmt::Debug + 'static>(of: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Option<T>> {
    prop::option::weighted(0.15, of).boxed()
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(of: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(of.to_vec())
}

fn found() -> impl Strategy<Value = Found> {
    let no = rarely(1..400_i64);
    let events = prop::collection::vec(world::key(), 0..3);
    let invoices = prop::collection::vec((0..10_u32).prop_map(|n| invoice_id(&format!("HD-{n}"))), 0..3);
    let customer = rarely((0..5_u32).prop_map(|n| customer(&format!("KH{n}"))));
    let word = prop_oneof![4 => one_of(&WORDS).prop_map(str::to_owned), 1 => "[a-z%_]", 1 => Just("hd-1".to_owned())];
    let words = prop::collection::vec(word, 0..5);
    // Most mean one thing, so that one thing alone is tried.
    (no, rarely(world::amount()), events, invoices, customer, words, 0..9_u8).prop_map(
        |(no, dong, events, invoices, customer, words, only)| {
            let all = Found { no, dong, events, invoices, customer, words };
            match only {
                0 => Found { words: all.words, ..Found::default() },
                1 => Found { events: all.events, ..Found::default() },
                2 => Found { invoices: all.invoices, ..Found::default() },
                3 => Found { customer: all.customer, ..Found::default() },
                4 => Found { dong: all.dong, ..Found::default() },
                _ => all,
            }
        },
    )
}

fn filter() -> impl Strategy<Value = BreakFilter> {
    let who = (
        rarely(one_of(&BreakState::ALL)),
        rarely(one_of(&CLASSES)),
        rarely(one_of(&PARTNERS)),
        rarely(one_of(&["lan.nt", "finance.an", "nobody"])),
        rarely(world::key()),
    );
    let days = (rarely(world::days()), rarely(world::days()), rarely(world::days()));
    let about = (
        rarely(one_of(&UNITS)),
        rarely(one_of(&[Area::Urban, Area::Rural, Area::Island])),
        rarely(one_of(&CHANNELS)),
        rarely(one_of(&StatementKind::ALL)),
        (rarely(world::amount()), rarely(world::amount())),
    );
    let order = one_of(&[BreakOrder::Newest, BreakOrder::Oldest, BreakOrder::Largest]);
    let place = (rarely(1..330_i64), rarely(1..330_i64), 1..60_u32);
    (any::<bool>(), who, days, about, prop::option::weighted(0.4, found()), order, place).prop_map(
        |(open_only, who, days, about, found, order, (before, after, limit))| BreakFilter {
            open_only,
            state: who.0,
            class: who.1,
            partner: who.2.map(world::partner),
            assignee: who.3.map(world::person),
            event: who.4,
            aged_from: days.0,
            aged_to: days.1,
            day: days.2,
            unit: about.0.map(|code| UnitCode::parse(code).unwrap()),
            area: about.1,
            channel: about.2.map(str::to_owned),
            leg: about.3,
            no_leg: limit % 7 == 0,
            dong: about.4,
            found,
            order,
            before,
            after,
            limit,
        },
    )
}

fn numbers(h: &mut Harness, filter: &BreakFilter) -> Vec<i64> {
    h.reports.breaks(filter).unwrap().iter().map(|one| one.no).collect()
}

/// From its begin to its end, page by page.
fn forward(h: &mut Harness, filter: &BreakFilter) -> Vec<i64> {
    let mut walked = Vec::new();
    loop {
        let page = BreakFilter { before: walked.last().copied(), after: None, ..filter.clone() };
        let page = numbers(h, &page);
        if page.is_empty() {
            return walked;
        }
        walked.extend(page);
    }
}

/// From in front of this break to its begin, page by page.
fn back(h: &mut Harness, filter: &BreakFilter, from: i64) -> Vec<i64> {
    let mut walked = vec![from];
    loop {
        let page = BreakFilter { before: None, after: walked.first().copied(), ..filter.clone() };
        let page = numbers(h, &page);
        if page.is_empty() {
            return walked;
        }
        walked = [page, walked].concat();
    }
}

fn agrees(h: &mut Harness, made: &[Made], filter: &BreakFilter) -> Result<usize, TestCaseError> {
    let all = naive::all(made, filter);
    let expected: Vec<i64> = all.iter().map(|one| one.no).collect();
    prop_assert_eq!(numbers(h, filter), naive::page(made, filter), "a page");
    prop_assert_eq!(&forward(h, filter), &expected, "all pages forward");
    if let Some(last) = expected.last() {
        prop_assert_eq!(&back(h, filter, *last), &expected, "all pages back");
    }
    let totals = h.reports.break_totals(filter).unwrap();
    let count = usize::try_from(totals.count).unwrap();
    prop_assert_eq!((count, totals.dong, totals.oldest), naive::totals(&all));
    let facets = h.reports.break_facets(filter).unwrap();
    let whole = BreakFilter { class: None, before: None, after: None, limit: u32::MAX, ..filter.clone() };
    prop_assert_eq!(&BreakFacet::of(&h.reports.breaks(&whole).unwrap()), &facets, "counted of the list");
    let facets: Vec<_> =
        facets.iter().map(|f| (f.class.code().to_owned(), usize::try_from(f.count).unwrap(), f.dong)).collect();
    let any_class = BreakFilter { class: None, ..filter.clone() };
    prop_assert_eq!(facets, naive::facets(&naive::all(made, &any_class)));
    Ok(count)
}

fn any_filter_says_what_a_walk_through_all_says(mut h: Harness) {
    let made = world::make(&mut h, BREAKS);
    let config = Config { cases: 160, failure_persistence: None, ..Config::default() };
    let (h, some, part) = (RefCell::new(h), Cell::new(0), Cell::new(0));
    let run = TestRunner::new(config).run(&filter(), |filter| {
        let count = agrees(&mut h.borrow_mut(), &made, &filter)?;
        some.set(some.get() + u32::from(count > 0));
        part.set(part.get() + u32::from((1..BREAKS / 2).contains(&count)));
        Ok(())
    });
    run.unwrap();
    assert!(some.get() > 40 && part.get() > 20, "the filters find something, and not everything: {some:?} {part:?}");
}

fn word(word: &str) -> Found {
    Found { words: vec![word.to_owned()], ..Found::default() }
}

fn each_part_of_a_filter_finds_some_and_not_all(mut h: Harness) {
    let made = world::make(&mut h, BREAKS);
    let all = || BreakFilter::all(1_000);
    let mut filters: Vec<BreakFilter> = vec![
        BreakFilter::open(1_000),
        BreakFilter { unit: UnitCode::parse(UNITS[0]).ok(), ..all() },
        BreakFilter { area: Some(Area::Island), ..all() },
        BreakFilter { channel: Some(CHANNELS[1].to_owned()), ..all() },
        BreakFilter { leg: Some(StatementKind::Core), ..all() },
        BreakFilter { dong: (Some(2), None), ..all() },
        BreakFilter { dong: (None, Some(2)), ..all() },
        BreakFilter { day: Some(made[0].day), ..all() },
        BreakFilter { event: Some(world::event(1).key), ..all() },
    ];
    filters.extend(BreakState::ALL.map(|state| BreakFilter { state: Some(state), ..all() }));
    let founds = [
        Found { no: Some(7), ..Found::default() },
        Found { dong: Some(-2), ..Found::default() },
        Found { events: vec![world::event(1).key, world::event(2).key], ..Found::default() },
        Found { invoices: vec![invoice_id("HD-3")], ..Found::default() },
        Found { customer: Some(customer("KH2")), ..Found::default() },
        word("don"),
        word("thiếu"),
        word("0%"),
        word("A_B"),
        word("c\\"),
        word("HD-3"),
        Found { words: ["don", "%", "d", "o", "n", "don"].map(str::to_owned).to_vec(), ..Found::default() },
    ];
    filters.extend(founds.map(|found| BreakFilter { found: Some(found), ..all() }));
    for filter in filters {
        let count = agrees(&mut h, &made, &filter).unwrap();
        assert!(count > 0 && count < BREAKS, "{count} by {filter:?}");
    }
    // Nothing that a text can mean is no break; a text that only looks like a pattern finds none either.
    for found in [Found::default(), word("d%n"), word("d_n"), word("\\%")] {
        assert_eq!(agrees(&mut h, &made, &BreakFilter { found: Some(found), ..all() }).unwrap(), 0);
    }
}

fn a_period_has_the_breaks_of_its_days_and_older_ones_that_are_open(mut h: Harness) {
    let made = world::make(&mut h, BREAKS);
    let (mut older, mut some, mut over) = (0, 0, 0);
    for name in PARTNERS {
        let partner = world::partner(name);
        for (first, last) in (0..6).flat_map(|first| (0..=first).map(move |last| (first, last))) {
            let day = |back: i64| DAY.checked_sub(jiff::Span::new().days(back)).unwrap();
            let period = Period { partner: &partner, from: day(first), to: day(last) };
            let of = |one: &&Made| {
                let leg = one.new.leg.filter(|leg| leg.kind == StatementKind::Partner && leg.day <= period.to);
                let open = one.state != BreakState::Closed;
                one.new.partner.as_ref() == Some(&partner) && leg.is_some_and(|leg| leg.day >= period.from || open)
            };
            let expected: Vec<&Made> = made.iter().filter(of).collect();
            for limit in [0, 3, 1_000] {
                let found = h.reports.period_breaks(&period, limit).unwrap();
                let rows: Vec<_> = found.first.iter().map(|row| (row.no, row.day, row.state)).collect();
                let mut by_hand: Vec<_> = expected.iter().map(|one| (one.no, one.day, one.state)).collect();
                by_hand.sort_unstable_by_key(|(no, _, _)| *no);
                by_hand.truncate(usize::try_from(limit).unwrap());
                assert_eq!((rows, found.count), (by_hand, u64::try_from(expected.len()).unwrap()), "{period:?}");
            }
            older += expected.iter().filter(|one| one.day < period.from).count();
            some += expected.len();
            let is_over = |one: &&Made| one.day < period.from && one.state == BreakState::Closed;
            over += made.iter().filter(|one| one.new.partner.as_ref() == Some(&partner)).filter(is_over).count();
        }
    }
    let enough = older > 20 && some > older + 20 && over > 20;
    assert!(enough, "{some} are found, of them {older} older ones; {over} older ones are closed");
}

/// The control: a walk through other breaks than those that are there does not agree.
fn a_walk_through_other_breaks_does_not_agree(mut h: Harness) {
    let made = world::make(&mut h, 40);
    let about = made.iter().position(|one| one.unit.is_some() && one.channel.is_some()).unwrap();
    let all = || BreakFilter::all(1_000);
    type Change = fn(&mut Made);
    let changes: [(Change, BreakFilter); 7] = [
        (|one| one.unit = None, BreakFilter { unit: made[about].unit.clone(), ..all() }),
        (|one| one.area = None, BreakFilter { area: made[about].area, ..all() }),
        (|one| one.channel = None, BreakFilter { channel: made[about].channel.clone(), ..all() }),
        (|one| one.about = None, BreakFilter { found: Some(word("hd-")), ..all() }),
        (|one| one.day = one.day.yesterday().unwrap(), BreakFilter { day: Some(made[about].day), ..all() }),
        (|one| one.new.amount = dong(77), BreakFilter { order: BreakOrder::Largest, ..all() }),
        (|one| one.no += 1_000, all()),
    ];
    for (change, filter) in changes {
        agrees(&mut h, &made, &filter).unwrap();
        let mut other = made.clone();
        change(&mut other[about]);
        assert!(agrees(&mut h, &other, &filter).is_err(), "{filter:?}");
    }
}

super::on_both! {
    a_period_has_the_breaks_of_its_days_and_older_ones_that_are_open
    a_walk_through_other_breaks_does_not_agree
    any_filter_says_what_a_walk_through_all_says
    each_part_of_a_filter_finds_some_and_not_all
}

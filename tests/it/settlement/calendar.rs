//! Due days: weekends, Tết, days made up for, and years whose holidays nobody has written down.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::path::Path;
use thuho::partner::settlement::{Counted, Cycle};
use thuho::reconcile::settlement::calendar::{Calendar, Due};
use thuho::reconcile::settlement::load_calendar;

fn shipped() -> Calendar {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/calendar.toml");
    load_calendar(Some(&file)).unwrap_or_else(|e| panic!("{e}"))
}

fn working(days: u16) -> Cycle {
    Cycle { days, counted: Counted::Working }
}

fn check(business_day: Date, cycle: Cycle, on: Date) {
    let due = shipped().due(business_day, cycle).unwrap();
    assert_eq!(due, Due { on, unknown: None }, "{business_day} T+{}", cycle.days);
}

#[test]
fn money_is_due_on_a_day_on_which_banks_work() {
    check(date(2026, 3, 3), working(1), date(2026, 3, 4));
    // A Friday, a Saturday and a Sunday come together.
    for day in 6..=8 {
        check(date(2026, 3, day), working(1), date(2026, 3, 9));
    }
    // Tết.
    check(date(2026, 2, 12), working(1), date(2026, 2, 13));
    check(date(2026, 2, 13), working(1), date(2026, 2, 23));
    check(date(2026, 2, 17), working(1), date(2026, 2, 23));
    check(date(2026, 2, 12), working(7), date(2026, 3, 2));
    // 30 April and 1 May, then a weekend.
    check(date(2026, 4, 29), working(1), date(2026, 5, 4));
    check(date(2026, 8, 28), working(1), date(2026, 9, 3));
    // A Saturday that makes up for a Friday.
    check(date(2026, 1, 9), working(1), date(2026, 1, 10));
    check(date(2026, 3, 3), working(15), date(2026, 3, 24));
    check(date(2026, 3, 3), working(30), date(2026, 4, 14));
    let calendar_days = Cycle { days: 7, counted: Counted::Calendar };
    check(date(2026, 3, 3), calendar_days, date(2026, 3, 10));
    check(date(2026, 2, 10), calendar_days, date(2026, 2, 23));
}

#[test]
fn a_year_that_is_not_written_down_is_named() {
    let over = shipped().due(date(2027, 12, 31), working(1)).unwrap();
    assert_eq!(over, Due { on: date(2028, 1, 3), unknown: Some(2028) });
    let none = load_calendar(None).unwrap();
    let due = none.due(date(2026, 2, 13), working(1)).unwrap();
    assert_eq!(due, Due { on: date(2026, 2, 16), unknown: Some(2026) }, "only weekends are known");
    assert!(!none.covers(2026) && shipped().covers(2026) && shipped().covers(2027) && !shipped().covers(2028));
}

#[test]
fn a_wrong_calendar_is_refused_by_its_line() {
    let refused = |text: &str| Calendar::parse("c.toml", text).unwrap_err().to_string();
    let with = |days: &str| refused(&format!("[[year]]\nyear = 2026\nholidays = [\n{days}\n]\n"));
    let tet = "{ date = \"2026-02-17\", name = \"Tết\" },";
    assert_eq!(with(""), "c.toml:2: year: expected the holidays of 2026: no year is without");
    assert_eq!(with("{ date = \"2025-02-17\", name = \"Tết\" }"), "c.toml:4: date: expected a day of 2026");
    assert_eq!(with("{ date = \"2026-02-30\", name = \"Tết\" }"), "c.toml:4: date: expected YYYY-MM-DD");
    assert_eq!(with("{ date = \"2026-02-17\", name = \" \" }"), "c.toml:4: name: expected why");
    assert_eq!(with(&format!("{tet}\n{tet}")), "c.toml:5: date: expected 2026-02-17 once");
    let worked = refused(&format!(
        "[[year]]\nyear = 2026\nholidays = [{tet}]\nworking = [{{ date = \"2026-02-18\", name = \"x\" }}]\n"
    ));
    assert_eq!(worked, "c.toml:4: date: expected a Saturday or a Sunday, 2026-02-18 is worked on anyway");
    let twice = refused(&format!("[[year]]\nyear = 2026\nholidays = [{tet}]\n[[year]]\nyear = 2026\nholidays = []\n"));
    assert_eq!(twice, "c.toml:5: year: expected 2026 once");
    assert!(refused("[[year]]\nyear = 2026\nholiday = []\n").starts_with("c.toml:3: unknown field `holiday`"));
    let missing = load_calendar(Some(Path::new("/nowhere/c.toml"))).unwrap_err().to_string();
    assert!(missing.contains("cannot read the file"), "{missing}");
}

proptest! {
    #[test]
    fn as_many_days_are_worked_as_the_cycle_says(offset in 0..600_i32, days in 1..=40_u16) {
        let (calendar, day) = (shipped(), date(2026, 1, 1).saturating_add(offset.days()));
        let due = calendar.due(day, working(days)).unwrap().on;
        let worked = day.series(1.day()).skip(1).take_while(|on| *on <= due).filter(|on| calendar.works(*on)).count();
        prop_assert_eq!(worked, usize::from(days));
        prop_assert!(calendar.works(due));
        let next = calendar.due(day.tomorrow().unwrap(), working(days)).unwrap().on;
        prop_assert!(next >= due, "a later day is never due earlier");
    }
}

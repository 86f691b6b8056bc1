//! The bank leg: what came against what each batch should bring.

use jiff::civil::{Date, date};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::LineNo;
use thuho::reconcile::compare::NotComparable;
use thuho::reconcile::compare::bank::{Credit, Expected, settle};

fn day(d: i8) -> Date {
    date(2026, 2, d)
}

/// One batch of 1000 that is due on the 5th, these credits, as it stands at the end of a day.
fn check(as_of: i8, credits: &[(i64, i8)], class: Option<BreakClass>, signed: i64) {
    let expected = [Expected { batch: 7, dong: 1_000, due: day(5) }];
    let credits: Vec<Credit> = credits
        .iter()
        .zip(1..)
        .map(|((dong, on), line)| Credit { line: LineNo(line), batch: 7, dong: *dong, on: day(*on) })
        .collect();
    let settled = settle(day(as_of), &expected, &credits).unwrap();
    assert_eq!(settled.len(), 1);
    assert_eq!((settled[0].class, settled[0].signed()), (class, signed), "as of {as_of}: {credits:?}");
    let mut backwards = credits;
    backwards.reverse();
    assert_eq!(settle(day(as_of), &expected, &backwards).unwrap(), settled, "the order of the credits does not matter");
}

#[test]
fn a_batch_is_short_late_or_missing_by_what_the_bank_credited() {
    check(5, &[(1_000, 4)], None, 0);
    check(5, &[(400, 4), (600, 5)], None, 0);
    check(5, &[], None, -1_000);
    check(6, &[], Some(BreakClass::SettlementMissing), -1_000);
    check(5, &[(999, 4)], None, -1);
    check(6, &[(999, 4)], Some(BreakClass::SettlementShort), -1);
    check(7, &[(1_000, 6)], Some(BreakClass::SettlementLate), 0);
    check(7, &[(400, 5), (600, 6)], Some(BreakClass::SettlementLate), 0);
    check(6, &[(1_001, 4)], Some(BreakClass::AmountMismatch), 1);
    // Taken back and paid again: in full only since then.
    check(9, &[(1_000, 4), (-1_000, 5), (1_000, 8)], Some(BreakClass::SettlementLate), 0);
    // What comes after the day that is looked at is not known yet.
    check(6, &[(1_000, 7)], Some(BreakClass::SettlementMissing), -1_000);
}

#[test]
fn a_credit_of_no_batch_is_for_a_person() {
    let credit = Credit { line: LineNo(1), batch: 9, dong: 5, on: day(1) };
    let settled = settle(day(2), &[], &[credit]).unwrap();
    assert_eq!((settled[0].class, settled[0].signed()), (Some(BreakClass::UnknownRef), 5));
    assert_eq!(settled[0].credits, [LineNo(1)]);
    let most = Credit { dong: i64::MAX, ..credit };
    assert_eq!(settle(day(2), &[], &[most, most]), Err(NotComparable::Day));
}

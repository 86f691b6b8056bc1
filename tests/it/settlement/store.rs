//! Batches as both databases keep them; the simulator's memory keeps none.

use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{at, partner};
use jiff::civil::{Date, date};
use thuho::domain::ids::{Author, PartnerCode};
use thuho::domain::review::BreakClass;
use thuho::domain::statement::{FileNo, StatementKind};
use thuho::store::settlements::{Batch, Batches, StatementDays};
use thuho::store::statements::{NewStatement, StatementSums};

fn day(d: i8) -> Date {
    date(2026, 2, d)
}

fn author() -> Author {
    Author::parse("finance.an").unwrap()
}

/// An empty file that is its day's word.
fn taken(h: &mut Harness, kind: StatementKind, day: Date, hash: u8) -> FileNo {
    let (name, hash) = ("x.csv".to_owned(), [hash; 32]);
    let new = NewStatement { kind, partner: partner(), day, name, hash, bytes: 1, author: author(), at: at(5) };
    let file = h.tx(|tx| tx.begin_statement(&new)).file;
    h.tx(|tx| tx.take_statement(file, &StatementSums::default()));
    file
}

fn batch(no: i64, file: Option<FileNo>) -> Batch {
    Batch {
        partner: partner(),
        batch: no,
        name: format!("STD{no}"),
        day: day(3),
        file,
        due: day(4),
        calendar_known: true,
        net: true,
        gross: 1_000,
        discount: 100,
        utility: 30,
        fee: Some(20),
        fee_stated: Some(21),
        expected: 950,
        credited: 0,
        credits: 0,
        full_on: None,
        class: Some(BreakClass::SettlementMissing),
        as_of: day(5),
        author: author(),
        at: at(9),
    }
}

fn all(h: &mut Harness, open_only: bool) -> Vec<Batch> {
    let partner = partner();
    h.reports.batches(&Batches { partner: &partner, from: day(1), to: day(28), open_only, limit: 9 }).unwrap()
}

fn a_batch_is_brought_up_to_date_and_never_by_who_knew_less(mut h: Harness) {
    let file = taken(&mut h, StatementKind::Partner, day(3), 1);
    let missing = batch(-7, Some(file));
    assert_eq!(h.tx(|tx| tx.put_batches(std::slice::from_ref(&missing))), 1);
    assert_eq!(all(&mut h, false), std::slice::from_ref(&missing));
    let late = Batch {
        credited: 950,
        credits: 2,
        full_on: Some(day(6)),
        class: Some(BreakClass::SettlementLate),
        calendar_known: false,
        as_of: day(6),
        ..missing.clone()
    };
    assert_eq!(h.tx(|tx| tx.put_batches(std::slice::from_ref(&late))), 1);
    assert_eq!(h.tx(|tx| tx.put_batches(std::slice::from_ref(&missing))), 0, "it knew less");
    let mut h = h.reopen();
    assert_eq!(all(&mut h, false), std::slice::from_ref(&late));
    assert!(late.says_the_same_as(&Batch { as_of: day(9), at: at(99), ..late.clone() }));
    assert!(!late.says_the_same_as(&missing));
    h.sound();
}

fn batches_are_found_by_their_days(mut h: Harness) {
    let file = taken(&mut h, StatementKind::Partner, day(3), 1);
    let full = Batch { batch: 2, credited: 950, class: None, day: day(5), ..batch(2, Some(file)) };
    let zero = Batch { gross: 0, discount: 0, utility: 0, fee: None, fee_stated: None, expected: 0, ..batch(3, None) };
    let unknown = Batch { credited: 5, class: Some(BreakClass::UnknownRef), day: day(9), net: false, ..zero };
    let other = Batch { partner: PartnerCode::parse("other").unwrap(), ..batch(4, Some(file)) };
    let batches = [unknown.clone(), full.clone(), batch(1, Some(file)), other];
    h.tx(|tx| tx.put_batches(&batches));
    assert_eq!(all(&mut h, false), [batch(1, Some(file)), full.clone(), unknown.clone()]);
    assert_eq!(all(&mut h, true), [batch(1, Some(file))], "what is full, and what nobody expected, is not open");
    let whose = partner();
    let ask = Batches { partner: &whose, from: day(4), to: day(9), open_only: false, limit: 1 };
    assert_eq!(h.reports.batches(&ask).unwrap(), [unknown], "the latest");
    assert_eq!(h.reports.batches(&Batches { to: day(8), ..ask }).unwrap(), [full]);
}

fn a_batch_that_does_not_add_up_is_refused(mut h: Harness) {
    let file = taken(&mut h, StatementKind::Partner, day(3), 1);
    let wrong = Batch { expected: 951, ..batch(1, Some(file)) };
    assert!(h.try_tx(|tx| tx.put_batches(std::slice::from_ref(&wrong))).is_err());
    let gross = Batch { net: false, expected: 970, ..batch(1, Some(file)) };
    assert_eq!(h.tx(|tx| tx.put_batches(std::slice::from_ref(&gross))), 1);
    assert_eq!(all(&mut h, false), [gross]);
}

fn taken_statements_of_several_days_come_in_order(mut h: Harness) {
    let third = taken(&mut h, StatementKind::Bank, day(3), 1);
    let first = taken(&mut h, StatementKind::Bank, day(1), 2);
    let corrected = taken(&mut h, StatementKind::Bank, day(3), 3);
    taken(&mut h, StatementKind::Partner, day(2), 4);
    let whose = partner();
    let ask = StatementDays { kind: StatementKind::Bank, partner: &whose, from: day(1), to: day(3), limit: 9 };
    let mut found = |ask: &StatementDays<'_>| -> Vec<FileNo> {
        h.reports.statements_of(ask).unwrap().iter().map(|file| file.no).collect()
    };
    assert_eq!(found(&ask), [first, corrected], "{third:?} says nothing any more");
    assert_eq!(found(&StatementDays { limit: 1, ..ask.clone() }), [first]);
    assert_eq!(found(&StatementDays { from: day(2), ..ask.clone() }), [corrected]);
    assert_eq!(found(&StatementDays { to: day(2), ..ask }), [first]);
}

macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test(crate::store_contract::sqlite()); })*
        }
        mod postgres {
            $(#[test] fn $test() {
                // A database that cannot be had here is said so, and shows nothing.
                crate::store_contract::postgres::postgres().into_iter().for_each(super::$test);
            })*
        }
    };
}

on_both! {
    a_batch_is_brought_up_to_date_and_never_by_who_knew_less
    batches_are_found_by_their_days
    a_batch_that_does_not_add_up_is_refused
    taken_statements_of_several_days_come_in_order
}

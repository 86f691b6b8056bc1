//! Statements, matches and the breaks of a comparison: what is taken once, what a corrected file frees, what is found
//! again. On both databases; the simulator's memory keeps no statements.

use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{at, dong, partner, payment};
use jiff::civil::{Date, date};
use thuho::domain::ids::{Author, EventId, EventKey, EventNo, Movement, PartnerCode};
use thuho::domain::notice::{Effect, NoEffect, ReferenceText, References};
use thuho::domain::review::{BreakClass, Leg, NewBreak};
use thuho::domain::statement::{FileNo, LineNo, StatementKind, StatementLine, Sum};
use thuho::store::closes::{Window, WindowTotal};
use thuho::store::desk::BreakFilter;
use thuho::store::rows::EventState;
use thuho::store::statements::{
    BegunStatement, Closing, DayEvents, FileFilter, FileState, Held, LegBreaks, NewLine, NewMatch, NewReconciliation,
    NewStatement, StatementSums, reference_hash,
};

fn author() -> Author {
    Author::parse("finance.an").unwrap()
}

fn day() -> Date {
    payment("1", 1, EventState::Settled).business_day
}

fn file(hash: u8) -> NewStatement {
    NewStatement {
        kind: StatementKind::Partner,
        partner: partner(),
        day: day(),
        name: "sao kê 01.csv".to_owned(),
        hash: [hash; 32],
        bytes: 4_711,
        author: author(),
        at: at(1_000),
    }
}

fn line(place: u32, event: &str, effect: Effect, amount: i64) -> NewLine {
    let record = payment(event, amount, EventState::Settled);
    let references = References { invoice: ReferenceText::new(&format!("HD-{event}")), ..References::default() };
    NewLine {
        place,
        span: Some((u64::from(place) * 80, 79)),
        key: Some(record.key),
        line: StatementLine {
            row: place + 1,
            effect,
            event: Some(EventId::parse(vec![event.to_owned()]).unwrap()),
            references,
            amount: dong(amount),
            discount: dong(0),
            fee: dong(5),
            paid_at: at(77),
            day: day(),
        },
    }
}

fn paid(place: u32, event: &str, amount: i64) -> NewLine {
    line(place, event, Effect::Moves(Movement::Payment), amount)
}

fn begin(h: &mut Harness, new: &NewStatement) -> BegunStatement {
    h.tx(|tx| tx.begin_statement(new))
}

fn sums(payments: u64, dong: i64) -> StatementSums {
    let lines = u32::try_from(payments).unwrap();
    StatementSums { lines, payments: Sum { count: payments, dong }, ..StatementSums::default() }
}

/// A whole file, taken.
fn taken(h: &mut Harness, hash: u8, lines: &[NewLine]) -> FileNo {
    let begun = begin(h, &file(hash));
    h.tx(|tx| tx.add_lines(begun.file, lines));
    let moving: Vec<i64> = lines
        .iter()
        .filter(|new| matches!(new.line.effect, Effect::Moves(_)))
        .map(|new| new.line.amount.dong())
        .collect();
    let payments = sums(u64::try_from(moving.len()).unwrap(), moving.iter().sum());
    let sums = StatementSums { lines: u32::try_from(lines.len()).unwrap(), ..payments };
    h.tx(|tx| tx.take_statement(begun.file, &sums));
    begun.file
}

fn events(h: &mut Harness, after: i64, limit: u32) -> Vec<thuho::store::statements::DayEvent> {
    let whose = partner();
    let ask = DayEvents { partner: &whose, day: day(), after: EventNo(after), limit };
    h.reports.day_events(&ask).unwrap()
}

fn reconciliation(file: Option<FileNo>) -> NewReconciliation {
    NewReconciliation {
        kind: StatementKind::Partner,
        partner: partner(),
        day: day(),
        file,
        rules: 1,
        sums: "{\"matched\":2}".to_owned(),
        author: author(),
        at: at(2_000),
    }
}

fn a_statement_counts_once_it_is_taken(mut h: Harness) {
    let begun = begin(&mut h, &file(1));
    assert_eq!((begun.state, begun.lines), (FileState::Reading, 0));
    h.tx(|tx| tx.add_lines(begun.file, &[paid(1, "1", 100), paid(2, "2", 200)]));
    let (kind, whose) = (StatementKind::Partner, partner());
    assert_eq!(h.reports.statement(kind, &whose, day()).unwrap(), None);
    // A crash: the same bytes go on behind what is there, and what is said again changes nothing.
    let mut h = h.reopen();
    assert_eq!(begin(&mut h, &file(1)), BegunStatement { lines: 2, ..begun });
    h.tx(|tx| tx.add_lines(begun.file, &[paid(2, "2", 999), paid(3, "3", 300)]));
    let wrong = h.try_tx(|tx| tx.take_statement(begun.file, &sums(3, 601)));
    assert!(wrong.is_err(), "the lines that are kept are not those that were checked");
    assert_eq!(h.tx(|tx| tx.take_statement(begun.file, &sums(3, 600))), None);
    assert!(h.try_tx(|tx| tx.take_statement(begun.file, &sums(3, 600))).is_err(), "once");
    let found = h.reports.statement(kind, &whose, day()).unwrap().unwrap();
    assert_eq!((found.no, &found.statement, found.state), (begun.file, &file(1), FileState::Taken));
    assert_eq!((found.sums, found.supersedes), (sums(3, 600), None));
    assert_eq!(begin(&mut h, &file(1)).state, FileState::Taken);
    let amounts =
        |lines: Vec<thuho::store::statements::DayLine>| -> Vec<i64> { lines.iter().map(|l| l.amount).collect() };
    assert_eq!(amounts(h.reports.day_lines(LineNo::of(begun.file, 0), 2).unwrap()), [100, 200]);
    assert_eq!(amounts(h.reports.day_lines(LineNo::of(begun.file, 2), 2).unwrap()), [300]);
    assert_eq!(h.reports.statements(9).unwrap().len(), 1);
    h.sound();
}

fn a_line_says_what_it_said(mut h: Harness) {
    let failed = NewLine { key: None, span: None, ..line(2, "2", Effect::None(NoEffect::Failed), 200) };
    let no = taken(&mut h, 1, &[paid(1, "1", 100), failed]);
    let lines = h.reports.day_lines(LineNo::of(no, 0), 9).unwrap();
    let first = &lines[0];
    assert_eq!(
        (first.no, first.key, first.movement),
        (LineNo::of(no, 1), paid(1, "1", 100).key, Some(Movement::Payment))
    );
    assert_eq!((first.amount, first.discount, first.fee, first.paid_at, first.day), (100, 0, 5, at(77), day()));
    assert_eq!((first.references.invoice, first.references.order), (reference_hash(Some("HD-1")), 0));
    assert_eq!((lines[1].key, lines[1].movement), (None, None));
    assert_eq!(h.reports.day_lines_with(&[LineNo::of(no, 2), LineNo::of(no, 9)]).unwrap(), [lines[1]]);
}

fn files_and_their_lines_come_in_pages(mut h: Harness) {
    let old = taken(&mut h, 1, &[paid(1, "1", 100), paid(2, "2", 200), paid(3, "3", 300)]);
    let new = taken(&mut h, 2, &[paid(1, "1", 100)]);
    let mut found = |filter: FileFilter| -> Vec<i64> {
        h.reports.statement_files(&FileFilter { limit: 9, ..filter }).unwrap().iter().map(|file| file.no.0).collect()
    };
    assert_eq!(found(FileFilter::default()), [new.0, old.0]);
    assert_eq!(found(FileFilter { before: Some(new), ..FileFilter::default() }), [old.0]);
    assert_eq!(found(FileFilter { state: Some(FileState::Superseded), ..FileFilter::default() }), [old.0]);
    let these = FileFilter {
        kind: Some(StatementKind::Partner),
        partner: Some(partner()),
        day: Some(day()),
        ..FileFilter::default()
    };
    assert_eq!(found(these.clone()), [new.0, old.0]);
    assert_eq!(found(FileFilter { kind: Some(StatementKind::Bank), ..these.clone() }), Vec::<i64>::new());
    assert_eq!(found(FileFilter { day: day().tomorrow().ok(), ..these }), Vec::<i64>::new());
    let file = h.reports.statement_file(old).unwrap().unwrap();
    assert_eq!((file.no, file.state, file.sums), (old, FileState::Superseded, sums(3, 600)));
    assert_eq!(h.reports.statement_file(FileNo(99)).unwrap(), None);
    let places = |lines: Vec<thuho::store::desk::StoredLine>| -> Vec<(u32, i64)> {
        lines.iter().map(|line| (line.no.place(), line.amount.dong())).collect()
    };
    assert_eq!(places(h.reports.file_lines(old, 0, 2).unwrap()), [(1, 100), (2, 200)], "also of one that says no more");
    assert_eq!(places(h.reports.file_lines(old, 2, 2).unwrap()), [(3, 300)]);
}

fn our_events_of_a_day_come_in_pages(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1), ("HD-3", 1)]);
    h.pay("1", "HD-1", 1);
    h.pay("2", "HD-2", 1);
    h.park("3", "HD-9", 7);
    let all = events(&mut h, 0, 9);
    assert_eq!(all.iter().map(|e| e.amount).collect::<Vec<_>>(), [1, 1, 7]);
    assert!(all.iter().all(|e| e.movement == Movement::Payment));
    assert_eq!(all.iter().map(|e| e.held).collect::<Vec<_>>(), [Held::Told, Held::Told, Held::Kept]);
    let mut held = WindowTotal::default();
    all.iter().for_each(|event| held.add(event));
    let whose = partner();
    let window = Window {
        partner: &whose,
        day: day().tomorrow().unwrap(),
        days: (day(), day()),
        start: all[0].paid_at,
        end: all[0].paid_at.plus_ms(1),
    };
    assert_eq!(h.reports.window_total(&window).unwrap(), held, "asked of the database, it is what is read");
    assert_eq!((held.count, held.dong), (3, 9));
    let before = Window { start: window.start.plus_ms(-1), end: window.start, ..window };
    assert_eq!(h.reports.window_total(&before).unwrap(), WindowTotal::default());
    let night = Window { day: day(), start: window.end, end: window.end.plus_ms(1), ..window };
    assert_eq!(h.reports.window_total(&night).unwrap(), held, "of the business day, and from before the partner's day");
    let (first, rest) = (events(&mut h, 0, 2), events(&mut h, all[1].no.0, 2));
    assert_eq!([first, rest].concat(), all);
    let whose = PartnerCode::parse("nobody").unwrap();
    let ask = DayEvents { partner: &whose, day: day(), after: EventNo(0), limit: 9 };
    assert_eq!(h.reports.day_events(&ask).unwrap(), []);
    let keys: Vec<EventKey> = vec![all[2].key, payment("8", 1, EventState::Settled).key];
    assert_eq!(h.reports.day_events_with(&keys).unwrap(), [all[2]]);
}

fn a_line_and_an_event_are_matched_once(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1)]);
    h.pay("1", "HD-1", 1);
    h.pay("2", "HD-2", 1);
    let no = taken(&mut h, 1, &[paid(1, "1", 1), paid(2, "2", 1)]);
    let ours = events(&mut h, 0, 9);
    let of = |place, event: usize| NewMatch { line: LineNo::of(no, place), event: ours[event].no, rule: 1 };
    let run = h.tx(|tx| tx.add_reconciliation(&reconciliation(Some(no))));
    let partner_leg = (run, StatementKind::Partner);
    assert_eq!(h.tx(|tx| tx.add_matches(partner_leg, &[of(1, 0)])), 1);
    // The same line, the same event, and the same again.
    assert_eq!(h.tx(|tx| tx.add_matches(partner_leg, &[of(1, 1), of(2, 0), of(1, 0)])), 0);
    assert_eq!(h.tx(|tx| tx.add_matches(partner_leg, &[of(2, 1)])), 1);
    let (events, line) = ([ours[0].no, EventNo(99)], |place| LineNo::of(no, place));
    assert_eq!(h.reports.lines_of_events(StatementKind::Partner, &events).unwrap(), [(ours[0].no, line(1))]);
    assert_eq!(h.reports.lines_of_events(StatementKind::Core, &events).unwrap(), [], "on that leg");
    assert_eq!(h.reports.matched_lines(&[line(2), line(3)]).unwrap(), [line(2)]);
    let found = h.reports.reconciliation(StatementKind::Partner, &partner(), day()).unwrap().unwrap();
    assert_eq!((found.no, found.reconciliation), (run, reconciliation(Some(no))));
    h.sound();
}

fn a_corrected_file_takes_the_place_of_the_old_one(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    h.pay("1", "HD-1", 1);
    let old = taken(&mut h, 1, &[paid(1, "1", 1)]);
    let ours = events(&mut h, 0, 9)[0];
    let run = h.tx(|tx| tx.add_reconciliation(&reconciliation(Some(old))));
    let matched = |line, event| [NewMatch { line, event, rule: 1 }];
    let of = (run, StatementKind::Partner);
    h.tx(|tx| tx.add_matches(of, &matched(LineNo::of(old, 1), ours.no)));
    let begun = begin(&mut h, &file(2));
    h.tx(|tx| tx.add_lines(begun.file, &[paid(1, "1", 1)]));
    assert_eq!(h.tx(|tx| tx.take_statement(begun.file, &sums(1, 1))), Some(old));
    let found = h.reports.statement(StatementKind::Partner, &partner(), day()).unwrap().unwrap();
    assert_eq!((found.no, found.supersedes), (begun.file, Some(old)));
    assert_eq!(h.reports.day_lines_with(&[LineNo::of(old, 1)]).unwrap(), [], "the old file says nothing any more");
    let free = h.reports.lines_of_events(StatementKind::Partner, &[ours.no]).unwrap();
    assert_eq!(free, [], "what it matched is free");
    assert_eq!(h.reports.matched_lines(&[LineNo::of(old, 1)]).unwrap(), []);
    let run = h.tx(|tx| tx.add_reconciliation(&reconciliation(Some(begun.file))));
    let new = (run, StatementKind::Partner);
    assert_eq!(h.tx(|tx| tx.add_matches(new, &matched(LineNo::of(begun.file, 1), ours.no))), 1);
    // A comparison that was begun before writes no match to what says nothing any more.
    let late = h.try_tx(|tx| tx.add_matches(of, &matched(LineNo::of(old, 1), ours.no)));
    assert!(late.is_err(), "{late:?}");
    // Nor does a slow upload of the old bytes displace the corrected file.
    assert!(h.try_tx(|tx| tx.take_statement(old, &sums(1, 1))).is_err());
    // Bytes that were superseded do not come back by being said again.
    assert_eq!(begin(&mut h, &file(1)).state, FileState::Superseded);
    h.sound();
}

fn breaks_of_a_leg_are_found_until_they_are_closed(mut h: Harness) {
    let no = taken(&mut h, 1, &[paid(1, "1", 100)]);
    let of_line = |mark: u8, day: Date| NewBreak {
        class: BreakClass::AmountMismatch,
        partner: Some(partner()),
        event: None,
        invoice: None,
        dispatch: None,
        amount: dong(100),
        detail: "the statement says 100 and our books 90".to_owned(),
        opened_at: at(5),
        mark: Some([mark; 32]),
        leg: Some(Leg {
            kind: StatementKind::Partner,
            day,
            line: Some(LineNo::of(no, 1)),
            ours: Some(90),
            theirs: Some(-100),
            carried: true,
        }),
    };
    let later = date(2099, 1, 1);
    h.tx(|tx| tx.open_breaks(&[of_line(1, day()), of_line(2, later), of_line(1, day())]));
    let whose = partner();
    let ask = LegBreaks { kind: StatementKind::Partner, partner: &whose, until: day(), after: 0, limit: 9 };
    let open = h.reports.leg_breaks(&ask).unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].mark, open[0].line, open[0].day, open[0].carried),
        ([1; 32], Some(LineNo::of(no, 1)), day(), true)
    );
    assert_eq!(h.reports.leg_breaks(&LegBreaks { until: later, ..ask.clone() }).unwrap().len(), 2);
    assert_eq!(h.reports.leg_breaks(&LegBreaks { kind: StatementKind::Core, ..ask.clone() }).unwrap(), []);
    let by = Author::parse("system:reconcile").unwrap();
    let closing = Closing { author: &by, reason: "the next day brought it", at: at(9) };
    assert_eq!(h.tx(|tx| tx.close_breaks(&[open[0].no, open[0].no], &closing)), 1);
    assert_eq!(h.reports.leg_breaks(&ask).unwrap(), []);
    assert_eq!(h.reports.breaks(&BreakFilter::all(9)).unwrap().iter().filter(|b| b.closed_at.is_some()).count(), 1);
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
    a_statement_counts_once_it_is_taken
    a_line_says_what_it_said
    files_and_their_lines_come_in_pages
    our_events_of_a_day_come_in_pages
    a_line_and_an_event_are_matched_once
    a_corrected_file_takes_the_place_of_the_old_one
    breaks_of_a_leg_are_found_until_they_are_closed
}

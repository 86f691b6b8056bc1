//! A partner's day from all sides: what the books answer is what a walk through all that was done comes to, on both
//! databases.

use super::world::{line, partner, person};
use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{DAY, GENERATION, at, dong, payment, suspended};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;
use thuho::domain::close::{CloseState, Period};
use thuho::domain::decision::ParkReason;
use thuho::domain::ids::{EventId, EventKey, EventNo, Movement, PartnerCode, PostingNo};
use thuho::domain::posting::{Posting, PostingDraft, PostingKind};
use thuho::domain::resolution::Action;
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::domain::statement::{FileNo, StatementKind, Sum};
use thuho::domain::time::Timestamp;
use thuho::store::closes::{DayTotal, NewClose, Signed};
use thuho::store::desk::{Authority, BreakFilter};
use thuho::store::pages::DayFigures;
use thuho::store::reports::Reports;
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::settlements::Batch;
use thuho::store::statements::{Closing, NewReconciliation, NewStatement, StatementSums};
use thuho::store::{EventWrite, NumberedPosting, Writes};

const PARTNERS: [&str; 3] = ["a-bank", "b-wallet", "c-shop"];
const ACCOUNTS: [&str; 2] = ["one", "two"];

/// Something that is done for a partner and a day.
#[derive(Clone, Debug)]
enum Done {
    /// An event of this account, fate, amount and terms.
    Event(usize, Fate, i64, Terms),
    /// A file of this kind with a payment and perhaps a reversal.
    File(StatementKind, i64, Option<i64>),
    /// A comparison.
    Compared(StatementKind),
    /// A break of this amount, closed again or not.
    Broken(i64, bool),
    /// A close, signed if it may be.
    Close(bool),
    /// A batch with so much credited, of a file or of none.
    Batch(i64, bool),
}

/// Who pays for it: part or all of it a sponsor, or we a fee.
#[derive(Clone, Copy, Debug)]
struct Terms {
    /// In percent of the amount.
    discount: i64,
    fee: i64,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Settled,
    Parked,
    /// People take it back.
    Undone,
    /// Its partner takes it back, on this day.
    Reversed(Date),
    /// A reversal of which nothing else is known,
    Waiting,
    /// that is refused,
    Refused,
    /// or that has made its payment's row.
    Expected,
}

type Step = (&'static str, Date, Done);

fn day(n: i64) -> Date {
    DAY.checked_sub(jiff::Span::new().days(n)).unwrap()
}

fn kind() -> impl Strategy<Value = StatementKind> {
    prop::sample::select(StatementKind::ALL.to_vec())
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        2 => Just(Fate::Settled),
        1 => prop::sample::select(vec![Fate::Parked, Fate::Undone, Fate::Waiting, Fate::Refused, Fate::Expected]),
        1 => (0..7_i64).prop_map(|on| Fate::Reversed(day(on))),
    ]
}

fn terms() -> impl Strategy<Value = Terms> {
    let discount = prop::sample::select(vec![0, 0, 50, 100]);
    (discount, 0..2_i64).prop_map(|(discount, fee)| Terms { discount, fee: fee * 3 })
}

fn done() -> impl Strategy<Value = Done> {
    prop_oneof![
        6 => (0..2_usize, fate(), 1..1_000_i64, terms())
            .prop_map(|(account, fate, dong, terms)| Done::Event(account, fate, dong, terms)),
        2 => (kind(), 1..99_i64, prop::option::of(1..99_i64)).prop_map(|(kind, paid, back)| Done::File(kind, paid, back)),
        1 => kind().prop_map(Done::Compared),
        2 => (-9..9_i64, any::<bool>()).prop_map(|(dong, over)| Done::Broken(dong, over)),
        1 => any::<bool>().prop_map(Done::Close),
        1 => (0..99_i64, any::<bool>()).prop_map(|(credited, of_file)| Done::Batch(credited, of_file)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = (prop::sample::select(PARTNERS.to_vec()), (0..7_i64).prop_map(day), done());
    prop::collection::vec(one, 0..70)
}

/// The `n`th event, and with it the reversal that took it back.
fn events(n: i64, of: &str, on: Date, (account, fate, amount, terms): (usize, Fate, i64, Terms)) -> Vec<EventRecord> {
    let id = |text: String| EventId::parse(vec![text]).unwrap();
    let record = |name: String, movement: Movement, state: EventState| {
        let key = EventKey::of(&partner(of), ACCOUNTS[account], &id(name.clone()), movement);
        let base = payment(&name, amount, state);
        let (partner, account) = (partner(of), ACCOUNTS[account].to_owned());
        EventRecord { key, movement, partner, account, business_day: on, postings: 0, ..base }
    };
    let paid = |state| {
        let mut paid = record(format!("E{n}"), Movement::Payment, state);
        paid.content.discount = dong(amount * terms.discount / 100);
        paid.fee = dong(terms.fee);
        paid.postings = match state {
            EventState::Expected { .. } => 0,
            EventState::Reversed => 2,
            _ => 1,
        };
        paid
    };
    let back = |state| record(format!("R{n}"), Movement::Reversal, state);
    match fate {
        Fate::Settled => vec![paid(EventState::Settled)],
        Fate::Parked => vec![paid(EventState::Parked(ParkReason::UnknownInvoice))],
        Fate::Undone => vec![paid(EventState::Reversed)],
        Fate::Reversed(on) => {
            let paid = paid(EventState::Reversed);
            let mut back = EventRecord { business_day: on, ..back(EventState::Applied) };
            back.content.reverses = Some(paid.key);
            vec![paid, back]
        }
        Fate::Waiting => vec![back(EventState::Waiting)],
        Fate::Refused => vec![back(EventState::Refused)],
        Fate::Expected => {
            let waiting = back(EventState::Waiting);
            vec![paid(EventState::Expected { reversal: waiting.key }), waiting]
        }
    }
}

/// What the books write of a payment: in on its day, and out again on its reversal's.
fn postings(h: &mut Harness, events: &[EventRecord]) -> Vec<NumberedPosting> {
    let [paid, rest @ ..] = events else { return Vec::new() };
    let settled = paid.state == EventState::Settled;
    let back = rest.first().map_or(paid.business_day, |back| back.business_day);
    let first = if settled { PostingKind::Settle } else { PostingKind::Park };
    let kinds = [(first, paid.business_day, 1), (PostingKind::Reverse, back, -1)];
    let mut no = h.tx(|tx| tx.heads()).posting;
    let written = kinds.into_iter().take(usize::try_from(paid.postings).unwrap()).map(|(kind, business_day, sign)| {
        let (entries, allocations) = (suspended(paid, sign), Vec::new());
        let draft =
            PostingDraft { event: paid.key, kind, author: None, posted_at: at(0), business_day, entries, allocations };
        let numbered = NumberedPosting { no, posting: Posting::new(draft).unwrap() };
        no = PostingNo(no.0 + 1);
        numbered
    });
    written.collect()
}

/// What came of the steps: what was done and how far it got, in its order.
#[derive(Default)]
struct Story {
    events: Vec<EventRecord>,
    files: Vec<(NewStatement, FileNo, Sum)>,
    compared: Vec<NewReconciliation>,
    open: Vec<(PartnerCode, Date, i64)>,
    closes: BTreeMap<(PartnerCode, Date), CloseState>,
    batches: Vec<Batch>,
}

impl Story {
    fn file(
        &mut self,
        h: &mut Harness,
        n: i64,
        (of, on): (&str, Date),
        (kind, paid, back): (StatementKind, i64, Option<i64>),
    ) {
        let new = NewStatement {
            kind,
            partner: partner(of),
            day: on,
            name: "a.csv".to_owned(),
            hash: [u8::try_from(n).unwrap(); 32],
            bytes: 1,
            author: person("finance.an"),
            at: at(n),
        };
        let file = h.tx(|tx| tx.begin_statement(&new)).file;
        let mut lines = vec![line(1)];
        lines[0].line.amount = dong(paid);
        if let Some(back) = back {
            let mut more = line(2);
            more.line.effect = thuho::domain::notice::Effect::Moves(Movement::Reversal);
            more.line.amount = dong(back);
            lines.push(more);
        }
        h.tx(|tx| tx.add_lines(file, &lines));
        let sums = StatementSums {
            lines: u32::try_from(lines.len()).unwrap(),
            payments: Sum { count: 1, dong: paid },
            reversals: back.map_or(Sum::default(), |dong| Sum { count: 1, dong }),
            ignored: Sum::default(),
        };
        h.tx(|tx| tx.take_statement(file, &sums));
        let sum = Sum { count: u64::try_from(lines.len()).unwrap(), dong: paid - back.unwrap_or(0) };
        self.files.push((new, file, sum));
    }

    fn close(&mut self, h: &mut Harness, n: i64, (of, on): (&str, Date), sign: bool) {
        let new = NewClose {
            period: Period::Day(on),
            partner: partner(of),
            file: None,
            reconciliation: None,
            figures: "{}".to_owned(),
            previous: None,
            hash: [u8::try_from(n).unwrap(); 32],
            open_dong: 0,
            accounted: Vec::new(),
            author: person("finance.an"),
            at: at(n),
        };
        if !h.tx(|tx| tx.draft_close(&new)) {
            return;
        }
        let by = person("lan.nt");
        let whose = (&partner(of), Period::Day(on));
        let sealed = sign && h.tx(|tx| tx.sign_close(whose, &new.hash, (&by, at(n)))) == Signed::Done;
        self.closes.insert((partner(of), on), if sealed { CloseState::Sealed } else { CloseState::Draft });
    }

    fn step(&mut self, h: &mut Harness, n: i64, (of, on, done): &Step) {
        match done {
            Done::Event(account, fate, amount, terms) => {
                let events = events(n, of, *on, (*account, *fate, *amount, *terms));
                let claims: Vec<EventWrite> = events.iter().cloned().map(EventWrite::Claim).collect();
                let postings = postings(h, &events);
                let last = postings.last().map(|numbered| numbered.no);
                h.tx(|tx| {
                    let (events, postings) = (claims.clone(), postings.clone());
                    tx.write(&Writes { events, postings, ..Writes::default() })?;
                    last.map_or(Ok(()), |last| tx.note_generation(GENERATION, last, at(0)))
                });
                self.events.extend(events);
            }
            Done::File(kind, paid, back) => self.file(h, n, (of, *on), (*kind, *paid, *back)),
            Done::Compared(kind) => {
                let new = NewReconciliation {
                    kind: *kind,
                    partner: partner(of),
                    day: *on,
                    file: None,
                    rules: 1,
                    sums: "{}".to_owned(),
                    author: person("finance.an"),
                    at: at(n),
                };
                h.tx(|tx| tx.add_reconciliation(&new));
                self.compared.push(new);
            }
            Done::Broken(amount, over) => {
                let hours = i64::from(on.since(day(0)).unwrap().get_days()) * 24;
                let new = NewBreak {
                    class: BreakClass::Suspect,
                    partner: (*amount != 3).then(|| partner(of)),
                    event: None,
                    invoice: None,
                    dispatch: None,
                    amount: dong(*amount),
                    detail: "x".to_owned(),
                    opened_at: noon(day(0)).plus_ms(hours * 3_600_000),
                    mark: None,
                    leg: None,
                };
                h.tx(|tx| tx.open_breaks(std::slice::from_ref(&new)));
                if *over {
                    let no = h.reports.breaks(&BreakFilter::open(1)).unwrap()[0].no;
                    let closing = Closing { author: &person("finance.an"), reason: "over", at: at(n) };
                    h.tx(|tx| tx.close_breaks(&[no], &closing));
                } else if let Some(whose) = new.partner {
                    self.open.push((whose, *on, *amount));
                }
            }
            Done::Close(sign) => self.close(h, n, (of, *on), *sign),
            Done::Batch(credited, of_file) => {
                let file = self.files.first().map(|(_, file, _)| *file).filter(|_| *of_file);
                let batch = batch(n, (of, *on), file, *credited);
                h.tx(|tx| tx.put_batches(std::slice::from_ref(&batch)));
                self.batches.push(batch);
            }
        }
    }

    fn held(&self, event: &EventRecord) -> bool {
        let by_partner = |r: &EventRecord| r.state == EventState::Applied && r.content.reverses == Some(event.key);
        match event.state {
            EventState::Settled | EventState::Parked(_) | EventState::Applied => true,
            EventState::Reversed => self.events.iter().any(by_partner),
            EventState::Expected { .. } | EventState::Waiting | EventState::Refused => false,
        }
    }

    /// The last file of a kind of a day.
    fn last(&self, kind: StatementKind, whose: &PartnerCode, on: Date) -> Option<&(NewStatement, FileNo, Sum)> {
        self.files.iter().rfind(|(new, ..)| new.kind == kind && new.partner == *whose && new.day == on)
    }

    fn figures(&self, name: &str, on: Date) -> Option<DayFigures> {
        let whose = partner(name);
        let events: Vec<_> = self.events.iter().filter(|e| e.partner == whose && e.business_day == on).collect();
        let open: Vec<i64> = self.open.iter().filter(|o| o.0 == whose && o.1 == on).map(|o| o.2.abs()).collect();
        let close = self.closes.get(&(whose.clone(), on)).copied();
        let file = StatementKind::ALL.into_iter().any(|kind| self.last(kind, &whose, on).is_some());
        if events.is_empty() && open.is_empty() && close.is_none() && !file {
            return None;
        }
        let signed = |e: &EventRecord| e.content.amount.dong() * if e.movement == Movement::Payment { 1 } else { -1 };
        let held: Vec<i64> = events.iter().filter(|e| self.held(e)).map(|e| signed(e)).collect();
        let partners = self.last(StatementKind::Partner, &whose, on);
        let of_day = |b: &&Batch| b.partner == whose && b.day == on && b.file.is_some();
        let batches: Vec<_> = self.batches.iter().filter(of_day).collect();
        let compared = |r: &&NewReconciliation| r.kind == StatementKind::Partner && r.partner == whose && r.day == on;
        Some(DayFigures {
            day: on,
            file: partners.map(|(new, no, _)| (*no, new.at)),
            notified: sum(&held),
            statement: partners.map(|(.., sum)| *sum),
            cleared: self.last(StatementKind::Core, &whose, on).map(|(.., sum)| *sum),
            settled: (!batches.is_empty()).then(|| Sum {
                count: batches.iter().map(|b| u64::from(b.credits)).sum(),
                dong: batches.iter().map(|b| b.credited).sum(),
            }),
            compared_at: self.compared.iter().rfind(compared).map(|r| r.at),
            open: sum(&open).count,
            open_dong: sum(&open).dong,
            oldest: self.open.iter().filter(|o| o.0 == whose && o.1 <= on).map(|o| o.1).min(),
            close,
            partner: whose,
        })
    }
}

fn sum(all: &[i64]) -> Sum {
    Sum { count: u64::try_from(all.len()).unwrap(), dong: all.iter().sum() }
}

fn noon(day: Date) -> Timestamp {
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let noon = day.at(12, 0, 0, 0).to_zoned(zone).unwrap();
    Timestamp::from_unix_ms(noon.timestamp().as_millisecond())
}

fn batch(n: i64, (of, on): (&str, Date), file: Option<FileNo>, credited: i64) -> Batch {
    Batch {
        partner: partner(of),
        batch: n,
        name: String::new(),
        day: on,
        file,
        due: on,
        calendar_known: true,
        net: false,
        gross: 0,
        discount: 0,
        utility: 0,
        fee: None,
        fee_stated: None,
        expected: 0,
        credited,
        credits: 2,
        full_on: None,
        class: None,
        as_of: on,
        author: person("finance.an"),
        at: at(n),
    }
}

fn today(h: &mut Harness, days: (Date, Date)) -> Vec<DayFigures> {
    h.reports.day_figures(days).unwrap()
}

fn judge(h: &mut Harness, steps: &[Step]) {
    let may =
        Authority { person: person("lan.nt"), action: Action::Seal, dong: 9, granted_by: person("head.hq"), at: at(0) };
    assert!(h.tx(|tx| tx.grant(&may)));
    let mut story = Story::default();
    (1..).zip(steps).for_each(|(n, step)| story.step(h, n, step));
    for (from, to) in [(6, 0), (4, 2), (3, 3), (0, 6)] {
        let days: Vec<Date> = (to..=from).rev().map(day).collect();
        let grid = PARTNERS.into_iter().flat_map(|of| days.iter().map(move |on| (of, *on)));
        let expected: Vec<DayFigures> = grid.filter_map(|(of, on)| story.figures(of, on)).collect();
        assert_eq!(today(h, (day(from), day(to))), expected);
    }
    event_by_event(h.reports.as_mut(), &PARTNERS.map(partner), (day(6), day(0)));
    payments(h, &story);
}

/// What the sums of days come to is what is counted of each day's events. How many days have any.
pub fn event_by_event(reports: &mut dyn Reports, partners: &[PartnerCode], days: (Date, Date)) -> usize {
    let mut counted = BTreeMap::new();
    for of in partners {
        let totals = reports.day_totals(of, days).unwrap().into_iter();
        let sum = |total: DayTotal| Sum { count: u64::try_from(total.count).unwrap(), dong: total.dong };
        counted.extend(totals.map(|total| ((of.clone(), total.day), sum(total))));
    }
    let shown = reports.day_figures(days).unwrap().into_iter().filter(|of| of.notified != Sum::default());
    let shown: BTreeMap<_, _> = shown.map(|of| ((of.partner, of.day), of.notified)).collect();
    assert_eq!(shown, counted);
    shown.len()
}

/// Each day's payments, page by page.
fn payments(h: &mut Harness, story: &Story) {
    for (of, on) in PARTNERS.map(partner).into_iter().flat_map(|of| (0..7).map(move |n| (of.clone(), day(n)))) {
        let (mut walked, mut after) = (Vec::new(), EventNo(0));
        loop {
            let page = h.reports.payments_of_day(&of, on, after, 2).unwrap();
            assert!(page.len() <= 2);
            let Some((last, _)) = page.last() else { break };
            assert!(*last > after);
            after = *last;
            walked.extend(page.into_iter().map(|(_, record)| record));
        }
        let mut expected: Vec<_> =
            story.events.iter().filter(|e| e.partner == of && e.business_day == on).cloned().collect();
        let back: Vec<i64> = (story.events.iter())
            .filter(|e| e.partner == of && e.business_day == on && e.movement == Movement::Reversal && story.held(e))
            .map(|e| e.content.amount.dong())
            .collect();
        assert_eq!(h.reports.reversals_of_day(&of, on).unwrap(), sum(&back));
        walked.sort_by_key(|record| record.key);
        expected.sort_by_key(|record| record.key);
        assert_eq!(walked, expected);
    }
}

fn check(make: impl Fn() -> Option<Harness>) {
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&steps(), |steps| {
        make().into_iter().for_each(|mut h| judge(&mut h, &steps));
        Ok(())
    });
    run.unwrap();
}

#[test]
fn a_day_from_all_sides_is_what_was_done_on_sqlite() {
    check(|| Some(crate::store_contract::sqlite()));
}

#[test]
fn a_day_from_all_sides_is_what_was_done_on_postgres() {
    check(crate::store_contract::postgres::postgres);
}

//! Sums over a partner's days: they are what a walk through all entries by hand comes to.

use super::Harness;
use super::build::{GENERATION, at, dong, partner, payment, suspended};
use jiff::civil::{Date, date};
use std::collections::{BTreeMap, BTreeSet};
use thuho::domain::decision::ParkReason;
use thuho::domain::ids::{EventId, EventKey, Movement, PartnerCode, PostingNo};
use thuho::domain::posting::{Account, Posting, PostingDraft, PostingKind};
use thuho::store::periods::{DayBooks, Moved, Period, PeriodBooks};
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::{EventWrite, NumberedPosting, Writes};

fn day(n: i8) -> Date {
    date(2026, 11, n)
}

fn other() -> PartnerCode {
    PartnerCode::parse("another").unwrap()
}

/// What stands in the books, as the test wrote it.
struct Made {
    partner: PartnerCode,
    posting: Posting,
}

/// A payment of this partner on this day, taken back on a later one if one is named.
fn pay(h: &mut Harness, made: &mut Vec<Made>, whose: &PartnerCode, (n, on, back): (i64, i8, Option<i8>)) {
    let id = EventId::parse(vec![n.to_string()]).unwrap();
    let base = payment(&n.to_string(), 1_000 * n, EventState::Parked(ParkReason::UnknownInvoice));
    let key = EventKey::of(whose, &base.account, &id, Movement::Payment);
    let mut base = EventRecord { partner: whose.clone(), key, fee: dong(7 * (n % 2)), ..base };
    base.content.discount = dong(if n % 3 == 0 { 100 } else { 0 });
    for (kind, on, sign) in [(PostingKind::Park, Some(on), 1), (PostingKind::Reverse, back, -1)] {
        let Some(on) = on else { continue };
        let draft = PostingDraft {
            event: key,
            kind,
            author: None,
            posted_at: at(0),
            business_day: day(on),
            entries: suspended(&base, sign),
            allocations: Vec::new(),
        };
        let posting = Posting::new(draft).unwrap();
        made.push(Made { partner: whose.clone(), posting: posting.clone() });
        let record = EventRecord { business_day: day(on), ..base.clone() };
        h.tx(|tx| {
            let no: PostingNo = tx.heads()?.posting;
            let before = tx.events(&[key])?.remove(0);
            let event = match before {
                None => EventWrite::Claim(EventRecord { postings: 1, ..record.clone() }),
                Some(before) => EventWrite::State { key, state: EventState::Reversed, postings: before.postings + 1 },
            };
            let postings = vec![NumberedPosting { no, posting: posting.clone() }];
            tx.write(&Writes { events: vec![event], postings, ..Writes::default() })?;
            tx.note_generation(GENERATION, no, at(0))
        });
    }
}

/// By hand.
fn expected(made: &[Made], period: &Period<'_>) -> PeriodBooks {
    let (clearing, fee) = (Account::Clearing(period.partner.clone()), Account::Fee(period.partner.clone()));
    let mut books = PeriodBooks::default();
    let mut days: BTreeMap<Date, DayBooks> = BTreeMap::new();
    let mut moved: BTreeMap<(String, &str), (Moved, BTreeSet<usize>)> = BTreeMap::new();
    for (at, one) in made.iter().enumerate() {
        let on = one.posting.business_day();
        for entry in one.posting.entries() {
            let dong = entry.amount.dong();
            let promotion = matches!(entry.account, Account::Promotion(_));
            let counts = entry.account == clearing || entry.account == fee || promotion;
            if one.partner == *period.partner && counts && on <= period.to {
                let day = days.entry(on).or_insert(DayBooks::nothing(on));
                let sum = match &entry.account {
                    Account::Clearing(_) => &mut day.clearing,
                    Account::Fee(_) => &mut day.fee,
                    _ => &mut day.promotion,
                };
                *sum += dong;
            }
            if one.partner == *period.partner && (period.from..=period.to).contains(&on) {
                let (account, kind) = (entry.account.clone(), one.posting.kind());
                let found = moved
                    .entry((account.to_string(), kind.word()))
                    .or_insert_with(|| (Moved { account, kind, postings: 0, dong: 0 }, BTreeSet::new()));
                found.0.dong += dong;
                found.1.insert(at);
                found.0.postings = u64::try_from(found.1.len()).unwrap();
            }
        }
    }
    books.days = days.into_values().collect();
    books.moved = moved.into_values().map(|(moved, _)| moved).collect();
    books
}

pub fn the_books_of_a_period_are_the_sums_of_its_entries(mut h: Harness) {
    let (ours, other) = (partner(), other());
    let mut made = Vec::new();
    for n in 1..=24 {
        let whose = if n % 4 == 0 { &other } else { &ours };
        let on = i8::try_from(n % 6 + 1).unwrap();
        pay(&mut h, &mut made, whose, (n, on, (n % 5 == 0).then_some(on + 1)));
    }
    for (from, to) in [(1, 30), (3, 4), (4, 4), (7, 7), (20, 30)] {
        for whose in [&ours, &other] {
            let period = Period { partner: whose, from: day(from), to: day(to) };
            let (found, by_hand) = (h.reports.period_books(&period).unwrap(), expected(&made, &period));
            assert_eq!(found, by_hand, "{whose} {from} to {to}");
            let moved: i64 =
                found.moved.iter().filter(|m| m.account == Account::Clearing(whose.clone())).map(|m| m.dong).sum();
            let within: i64 = found.days.iter().filter(|of| of.day >= period.from).map(|of| of.clearing).sum();
            assert_eq!(moved, within, "the days are what moved");
        }
    }
    let none = PartnerCode::parse("nobody").unwrap();
    let period = Period { partner: &none, from: day(1), to: day(30) };
    assert_eq!(h.reports.period_books(&period).unwrap(), PeriodBooks::default());
}

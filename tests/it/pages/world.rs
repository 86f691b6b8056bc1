//! A few hundred breaks of every kind on a database, and the same as plain values beside it: what the naive answers are
//! made from.

use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::{DAY, at, customer, dong, invoice, invoice_id, payment, reversal_key};
use jiff::civil::Date;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use thuho::domain::ids::{Author, EventKey, InvoiceId, Movement, PartnerCode, UnitCode};
use thuho::domain::invoice::{Area, Invoice};
use thuho::domain::notice::{Effect, ReferenceText, References};
use thuho::domain::resolution::{Action, BreakState, Item, Resolution};
use thuho::domain::review::{BreakClass, Leg, NewBreak};
use thuho::domain::statement::{LineNo, StatementKind, StatementLine, Sum};
use thuho::store::desk::{Authority, BreakFilter, Mark, NewDecision, NewProposal, Proposed, Verb};
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::statements::{Closing, NewLine, NewStatement, StatementSums};
use thuho::store::{EventWrite, Writes};

pub const CLASSES: [BreakClass; 4] =
    [BreakClass::UnknownRef, BreakClass::AmountMismatch, BreakClass::Conflict, BreakClass::FeeMismatch];
pub const PARTNERS: [&str; 2] = ["collector", "another"];
pub const UNITS: [&str; 2] = ["PA03HL", "PA03KB"];
pub const CHANNELS: [&str; 2] = ["wallet", "quầy"];
pub const WORDS: [&str; 7] = ["Đơn", "THIẾU", "100%", "a_b", "c\\d", "statement", "state"];
const HOUR_MS: i64 = 3_600_000;

/// What the test knows of one break.
#[derive(Clone, Debug)]
pub struct Made {
    pub no: i64,
    pub new: NewBreak,
    pub about: Option<InvoiceId>,
    pub unit: Option<UnitCode>,
    pub area: Option<Area>,
    pub customer: Option<String>,
    pub channel: Option<String>,
    pub day: Date,
    pub state: BreakState,
    pub assignee: Option<Author>,
}

pub fn person(name: &str) -> Author {
    Author::parse(name).unwrap()
}

pub fn partner(name: &str) -> PartnerCode {
    PartnerCode::parse(name).unwrap()
}

pub fn bill(n: u32) -> Invoice {
    let area = [Area::Urban, Area::Rural, Area::Island][usize::try_from(n % 3).unwrap()];
    let unit = UnitCode::parse(UNITS[usize::try_from(n % 2).unwrap()]).unwrap();
    Invoice { unit, area, customer: customer(&format!("KH{}", n % 4)), ..invoice(&format!("HD-{n}"), 100) }
}

/// An event of the partner that moves nothing, so that its row is all there is of it.
pub fn event(n: u32) -> EventRecord {
    let channel = [None, Some(CHANNELS[0]), Some(CHANNELS[1])][usize::try_from(n % 3).unwrap()];
    EventRecord {
        key: reversal_key(&format!("E{n}")),
        movement: Movement::Reversal,
        channel: channel.map(str::to_owned),
        // One of them names a bill that nobody knows.
        names_invoice: (!n.is_multiple_of(4)).then(|| invoice_id(&format!("HD-{}", n + 1))),
        postings: 0,
        ..payment(&format!("E{n}"), 1, EventState::Refused)
    }
}

/// Bills 0 to 7, events 0 to 7, and a file of eight lines that name bills.
fn ground(h: &mut Harness) -> Vec<NewLine> {
    h.tx(|tx| tx.upsert_invoices(&(0..8).map(bill).collect::<Vec<_>>()));
    let events: Vec<EventWrite> = (0..8).map(|n| EventWrite::Claim(event(n))).collect();
    h.tx(|tx| tx.write(&Writes { events: events.clone(), ..Writes::default() }));
    let lines: Vec<NewLine> = (1..9).map(line).collect();
    let new = NewStatement {
        kind: StatementKind::Partner,
        partner: partner(PARTNERS[0]),
        day: DAY,
        name: "a.csv".to_owned(),
        hash: [1; 32],
        bytes: 1,
        author: person("finance.an"),
        at: at(0),
    };
    let file = h.tx(|tx| tx.begin_statement(&new)).file;
    assert_eq!(file.0, 1, "the lines' numbers are those that the breaks name");
    h.tx(|tx| tx.add_lines(file, &lines));
    let sums = StatementSums { lines: 8, payments: Sum { count: 8, dong: 8 }, ..StatementSums::default() };
    h.tx(|tx| tx.take_statement(file, &sums));
    lines
}

pub fn line(place: u32) -> NewLine {
    NewLine {
        place,
        span: None,
        key: None,
        line: StatementLine {
            row: place,
            effect: Effect::Moves(Movement::Payment),
            event: None,
            references: References {
                invoice: ReferenceText::new(&format!("HD-{}", place + 1)),
                ..References::default()
            },
            amount: dong(1),
            discount: dong(0),
            fee: dong(0),
            paid_at: at(0),
            day: DAY,
        },
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(
    weight: f64,
    of: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    prop::option::weighted(weight, of).boxed()
}

pub fn key() -> impl Strategy<Value = EventKey> {
    (0..10_u32).prop_map(|n| event(n).key)
}

pub fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![3 => -3..4_i64, 2 => 0..1_000_i64, 1 => Just(2_000_000_000_000)]
}

pub fn days() -> impl Strategy<Value = Date> {
    (0..6_i64).prop_map(|n| DAY.checked_sub(jiff::Span::new().days(n)).unwrap())
}

fn leg() -> impl Strategy<Value = Leg> {
    let kind = prop::sample::select(StatementKind::ALL.to_vec());
    (kind, days(), some(0.5, 1..10_u32), some(0.7, amount()), some(0.7, amount()), any::<bool>()).prop_map(
        |(kind, day, line, ours, theirs, carried)| {
            let line = line.map(|place| LineNo::of(thuho::domain::statement::FileNo(1), place));
            Leg { kind, day, line, ours, theirs, carried }
        },
    )
}

fn new_break() -> impl Strategy<Value = NewBreak> {
    let detail = prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..4);
    let about = (some(0.8, prop::sample::select(PARTNERS.to_vec())), some(0.5, key()), some(0.4, 0..10_u32));
    (prop::sample::select(CLASSES.to_vec()), about, amount(), detail, 0..120_i64, some(0.6, leg())).prop_map(
        |(class, (of, event, invoice), amount, detail, hours, leg)| NewBreak {
            class,
            partner: of.map(partner),
            event,
            invoice: invoice.map(|n| invoice_id(&format!("HD-{n}"))),
            dispatch: None,
            amount: dong(amount),
            detail: detail.join(" "),
            opened_at: at(-hours * HOUR_MS),
            mark: None,
            leg,
        },
    )
}

/// What the database looks up when a break is opened.
fn made(new: &NewBreak, lines: &[NewLine]) -> Made {
    let known: BTreeMap<InvoiceId, Invoice> = (0..8).map(bill).map(|bill| (bill.id.clone(), bill)).collect();
    let record = (0..8).map(event).find(|record| Some(record.key) == new.event);
    let named = record.as_ref().and_then(|record| record.names_invoice.clone());
    let place = new.leg.and_then(|leg| leg.line).map(LineNo::place);
    let of_line =
        lines.iter().find(|line| Some(line.place) == place).and_then(|line| line.line.references.invoice.clone());
    let of_line = of_line.map(|text| invoice_id(text.as_str())).filter(|id| known.contains_key(id));
    let about = new.invoice.clone().or(named).or(of_line);
    let bill = about.as_ref().and_then(|id| known.get(id));
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    Made {
        no: 0,
        unit: bill.map(|bill| bill.unit.clone()),
        area: bill.map(|bill| bill.area),
        customer: bill.map(|bill| bill.customer.to_string()),
        channel: record.and_then(|record| record.channel),
        day: new.leg.map_or_else(|| new.opened_at.day_in(&zone).unwrap(), |leg| leg.day),
        state: if new.leg.is_some_and(|leg| leg.carried) { BreakState::Carried } else { BreakState::Open },
        assignee: None,
        about,
        new: new.clone(),
    }
}

/// Opens `count` breaks, and does with some of them what people do.
pub fn make(h: &mut Harness, count: usize) -> Vec<Made> {
    let lines = ground(h);
    let tree = prop::collection::vec(new_break(), count).new_tree(&mut TestRunner::deterministic()).unwrap();
    let mut news = tree.current();
    // Each its own moment, by which its number is found.
    for (n, new) in (0..).zip(&mut news) {
        new.opened_at = new.opened_at.plus_ms(n);
    }
    h.tx(|tx| tx.open_breaks(&news));
    let numbers: BTreeMap<_, _> = {
        let all = h.reports.breaks(&BreakFilter::all(u32::MAX)).unwrap();
        all.iter().map(|one| (one.opened_at, one.no)).collect()
    };
    let mut all: Vec<Made> = news.iter().map(|new| Made { no: numbers[&new.opened_at], ..made(new, &lines) }).collect();
    all.iter_mut().enumerate().for_each(|(n, one)| handle(h, n, one));
    all
}

/// What people do with the `n`th break.
fn handle(h: &mut Harness, n: usize, one: &mut Made) {
    let by = person("finance.an");
    let said = |h: &mut Harness, mark: Mark| assert_eq!(h.tx(|tx| tx.mark_breaks(&[one.no], &mark, &by, at(1))), 1);
    match n % 11 {
        1 | 2 => {
            let to = person(if n.is_multiple_of(2) { "lan.nt" } else { "finance.an" });
            said(h, Mark::Assign(Some(to.clone())));
            (one.assignee, one.state) = (Some(to), BreakState::Investigating);
        }
        3 => {
            said(h, Mark::Accept("later".to_owned()));
            one.state = BreakState::Carried;
        }
        4 => {
            let closing = Closing { author: &by, reason: "over", at: at(2) };
            assert_eq!(h.tx(|tx| tx.close_breaks(&[one.no], &closing)), 1);
            one.state = BreakState::Closed;
        }
        5 | 6 => {
            let proposal = propose(h, one.no);
            one.state = BreakState::Proposed;
            if n.is_multiple_of(2) {
                approve(h, &proposal);
                one.state = BreakState::Approved;
            }
        }
        _ => {}
    }
}

fn propose(h: &mut Harness, break_no: i64) -> (NewProposal, thuho::domain::resolution::ProposalNo) {
    let what = Resolution::Close {};
    let items = vec![Item { break_no, what, dong: 0 }];
    let hash = thuho::domain::resolution::frozen(&items);
    let new = NewProposal {
        action: Action::Close,
        maker: person("finance.an"),
        reason: "as said".to_owned(),
        at: at(3),
        items,
        dong: 0,
        hash,
    };
    let Proposed::Waits(no) = h.tx(|tx| tx.propose(&new)) else { panic!("the break is free") };
    (new, no)
}

fn approve(h: &mut Harness, (new, no): &(NewProposal, thuho::domain::resolution::ProposalNo)) {
    let by = person("lan.nt");
    let may =
        Authority { person: by.clone(), action: Action::Close, dong: 9, granted_by: person("head.hq"), at: at(0) };
    assert!(h.tx(|tx| tx.grant(&may)));
    let yes = NewDecision { proposal: *no, verb: Verb::Approve, by: &by, hash: new.hash, words: "yes", at: at(4) };
    assert_eq!(h.tx(|tx| tx.decide(&yes)), thuho::store::desk::Decided::Done);
}

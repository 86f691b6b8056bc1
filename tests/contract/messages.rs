//! The outbox: who may take a message, whose result counts, and what a person may do.

use super::Harness;
use super::build::{Move, account, at, clearing, invoice, invoice_id, payment, payment_key, posting};
use jiff::civil::{Date, date};
use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken, LeasedDispatch, ParkCause};
use thuho::domain::ids::{Author, DispatchKey, EventKey};
use thuho::domain::invoice::Invoice;
use thuho::domain::posting::PostingKind;
use thuho::domain::time::Timestamp;
use thuho::store::reports::{DispatchFilter, DispatchView, SlowPlace};
use thuho::store::rows::EventState;
use thuho::store::{CommandAnswer, DispatchCommand, LeaseRequest, RoutePause, RouteState, StoreError, Writes};

fn lease(h: &mut Harness, token: u64, now: Timestamp, limit: u32) -> Vec<LeasedDispatch> {
    let request = LeaseRequest { token: LeaseToken(token), now, until: now.plus_ms(1_000), limit, urgent_only: false };
    h.tx(|tx| tx.lease(std::slice::from_ref(&request)))
}

fn leased_keys(h: &mut Harness, token: u64, now: Timestamp) -> Vec<DispatchKey> {
    lease(h, token, now, 100).into_iter().map(|d| d.key).collect()
}

fn settle(h: &mut Harness, token: u64, key: &DispatchKey, result: AttemptResult) -> bool {
    let result = DispatchResult { key: key.clone(), token: LeaseToken(token), result, at: at(500) };
    h.tx(|tx| tx.settle(std::slice::from_ref(&result))).remove(0)
}

fn view(h: &mut Harness, key: &DispatchKey) -> DispatchView {
    let all = h.reports.dispatches(&DispatchFilter { limit: 100, ..DispatchFilter::default() }).unwrap();
    all.into_iter().find(|d| d.key == *key).expect("the message is listed")
}

fn command(h: &mut Harness, key: &DispatchKey, command: DispatchCommand) -> CommandAnswer {
    match h.reports.find_dispatch(key).unwrap() {
        Some(message) => h.tx(|tx| tx.command(&message, &command, at(600))),
        None => CommandAnswer::NotFound,
    }
}

fn author(name: &str) -> Author {
    Author::parse(name).unwrap()
}

fn retry_at(ms: i64) -> AttemptResult {
    AttemptResult::Retry { not_before: at(ms), reason: "http 503".to_owned() }
}

fn parked() -> AttemptResult {
    AttemptResult::Parked { cause: ParkCause::Rejected, reason: "http 422".to_owned() }
}

pub fn the_longest_due_goes_first(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1), ("HD-3", 1), ("HD-4", 1)]);
    let late = h.pay_at("1", "HD-1", 1, (at(30), false));
    let urgent = h.pay_at("2", "HD-2", 1, (at(20), true));
    let early = h.pay_at("3", "HD-3", 1, (at(10), false));
    let not_yet = h.pay_at("4", "HD-4", 1, (at(51), true));
    assert_eq!(leased_keys(&mut h, 1, at(50)), vec![early.clone(), urgent, late]);
    assert_eq!(leased_keys(&mut h, 2, at(50)), vec![]);
    assert!(settle(&mut h, 1, &early, retry_at(60)));
    assert_eq!(leased_keys(&mut h, 3, at(59)), vec![not_yet]);
    let again = lease(&mut h, 4, at(60), 9);
    assert_eq!((again.len(), &again[0].key, again[0].attempts, again[0].token), (1, &early, 1, LeaseToken(4)));
    assert_eq!(again[0].created_at, at(10));
    assert!(again[0].body.contains("payment.settled") && again[0].body.contains("HD-3"));
}

pub fn the_fast_lane_takes_urgent_ones_only(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1)]);
    h.pay_at("1", "HD-1", 1, (at(0), false));
    let urgent = h.pay_at("2", "HD-2", 1, (at(5), true));
    let request = LeaseRequest { token: LeaseToken(1), now: at(9), until: at(19), limit: 9, urgent_only: true };
    let found = h.tx(|tx| tx.lease(std::slice::from_ref(&request)));
    assert_eq!(found.iter().map(|d| (&d.key, d.urgent)).collect::<Vec<_>>(), vec![(&urgent, true)]);
    assert_eq!(h.tx(|tx| tx.lease(&[LeaseRequest { now: at(30), until: at(40), ..request.clone() }])).len(), 1);
    // Slow ones whose leases ran out do not take the fast lane's places.
    assert_eq!(lease(&mut h, 2, at(40), 1).len(), 1);
    assert_eq!(lease(&mut h, 3, at(40), 1).len(), 1);
    let narrow = LeaseRequest { token: LeaseToken(4), now: at(9_000), until: at(9_999), limit: 1, urgent_only: true };
    assert_eq!(
        h.tx(|tx| tx.lease(std::slice::from_ref(&narrow))).into_iter().map(|d| d.key).collect::<Vec<_>>(),
        vec![urgent]
    );
}

/// Every page of the walk, as the program goes through it.
fn slow_overdue(h: &mut Harness, today: Date, limit: u32) -> Vec<String> {
    let (mut found, mut from, mut pages) = (Vec::new(), Some(SlowPlace::default()), 0);
    while let Some(place) = from {
        let page = h.reports.slow_overdue(today, place, limit).unwrap();
        found.extend(page.overdue.into_iter().map(|id| id.to_string()));
        from = page.next;
        pages += 1;
        assert!(pages < 100, "the walk ends");
    }
    found.sort();
    found
}

pub fn a_message_goes_to_the_fast_lane_when_its_invoice_is_overdue(mut h: Harness) {
    h.invoices(&[("HD-1", 2), ("HD-2", 1), ("HD-3", 1), ("HD-4", 1)]);
    let later = Invoice { due_on: date(2026, 11, 20), ..invoice("HD-5", 1) };
    h.tx(|tx| tx.upsert_invoices(std::slice::from_ref(&later)));
    let first = h.pay_at("1", "HD-1", 1, (at(0), false));
    let behind = h.pay_at("2", "HD-1", 1, (at(0), false));
    let second = h.pay_at("3", "HD-2", 1, (at(0), false));
    let done = h.pay_at("4", "HD-3", 1, (at(0), false));
    h.pay_at("5", "HD-4", 1, (at(1), true));
    let not_yet = h.pay_at("6", "HD-5", 1, (at(0), false));
    let taken = lease(&mut h, 1, at(0), 9);
    assert_eq!(taken.len(), 4);
    assert!(settle(&mut h, 1, &done, AttemptResult::Delivered));
    for key in [&first, &second, &not_yet] {
        assert!(settle(&mut h, 1, key, retry_at(0)));
    }
    let (due, late) = (date(2026, 11, 15), date(2026, 11, 16));
    for limit in [1, 2, 100] {
        assert_eq!(slow_overdue(&mut h, due, limit), Vec::<String>::new(), "nobody is overdue on the day itself");
        assert_eq!(slow_overdue(&mut h, late, limit), ["HD-1", "HD-1", "HD-2"]);
    }
    let ids: Vec<_> = ["HD-1", "HD-2", "HD-3", "HD-4", "HD-5", "nobody"].map(invoice_id).into();
    assert_eq!(h.tx(|tx| tx.raise_overdue(&ids, due)), 0);
    assert_eq!(h.tx(|tx| tx.raise_overdue(&ids, late)), 3);
    assert_eq!(h.tx(|tx| tx.raise_overdue(&ids, late)), 0, "they are there already");
    assert_eq!(slow_overdue(&mut h, late, 1), Vec::<String>::new());
    let urgent = |h: &mut Harness, key| view(h, key).urgent;
    assert!(urgent(&mut h, &first) && urgent(&mut h, &behind) && urgent(&mut h, &second));
    assert!(!urgent(&mut h, &done) && !urgent(&mut h, &not_yet), "delivered, or not overdue");
    let request = LeaseRequest { token: LeaseToken(7), now: at(9), until: at(19), limit: 9, urgent_only: true };
    let mut fast: Vec<_> =
        h.tx(|tx| tx.lease(std::slice::from_ref(&request))).into_iter().map(|d| d.invoice.to_string()).collect();
    fast.sort();
    assert_eq!(fast, ["HD-1", "HD-2", "HD-4"]);
    h.sound();
}

/// I10.
pub fn a_lease_takes_no_more_than_its_limit(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1), ("HD-3", 1)]);
    for (event, invoice) in [("1", "HD-1"), ("2", "HD-2"), ("3", "HD-3")] {
        h.pay(event, invoice, 1);
    }
    assert_eq!(lease(&mut h, 1, at(0), 2).len(), 2);
    assert_eq!(lease(&mut h, 2, at(0), 2).len(), 1);
    // All three ran out: the limit holds for those as well.
    assert_eq!(lease(&mut h, 3, at(5_000), 2).len(), 2);
}

pub fn messages_of_one_invoice_keep_their_order(mut h: Harness) {
    h.invoices(&[("HD-1", 30), ("HD-2", 1)]);
    let first = h.pay_at("1", "HD-1", 10, (at(30), false));
    let second = h.pay_at("2", "HD-1", 10, (at(20), true));
    let third = h.pay_at("3", "HD-1", 10, (at(10), false));
    let other = h.pay_at("4", "HD-2", 1, (at(40), false));
    assert_eq!(leased_keys(&mut h, 1, at(50)), vec![first.clone(), other]);
    assert!(settle(&mut h, 1, &first, retry_at(60)));
    assert_eq!(leased_keys(&mut h, 2, at(55)), vec![]);
    assert_eq!(leased_keys(&mut h, 3, at(60)), vec![first.clone()]);
    assert!(settle(&mut h, 3, &first, AttemptResult::Delivered));
    assert_eq!(leased_keys(&mut h, 4, at(60)), vec![second.clone()]);
    assert!(settle(&mut h, 4, &second, AttemptResult::Delivered));
    assert_eq!(leased_keys(&mut h, 5, at(60)), vec![third.clone()]);
    assert!(settle(&mut h, 5, &third, AttemptResult::Delivered));
    // What comes after they are done waits for nobody.
    let fourth = h.pay_at("5", "HD-1", 10, (at(60), false));
    assert_eq!(leased_keys(&mut h, 6, at(60)), vec![fourth]);
    h.sound();
}

pub fn a_parked_message_blocks_its_invoice_until_a_person_acts(mut h: Harness) {
    h.invoices(&[("HD-1", 20)]);
    let first = h.pay("1", "HD-1", 10);
    let second = h.pay("2", "HD-1", 10);
    assert_eq!(leased_keys(&mut h, 1, at(0)), vec![first.clone()]);
    assert!(settle(&mut h, 1, &first, parked()));
    assert_eq!(leased_keys(&mut h, 2, at(9_999)), vec![]);
    let seen = view(&mut h, &first);
    assert_eq!(
        (seen.state.as_str(), seen.cause, seen.reason.as_deref()),
        ("parked", Some(ParkCause::Rejected), Some("http 422"))
    );
    h.sound();

    assert_eq!(command(&mut h, &first, DispatchCommand::Retry), CommandAnswer::Done);
    let again = lease(&mut h, 3, at(9_999), 9);
    assert_eq!((again.len(), &again[0].key, again[0].attempts), (1, &first, 0));
    assert!(settle(&mut h, 3, &first, parked()));

    let reason = "paid at the counter".to_owned();
    let propose = DispatchCommand::ProposeClose { author: author("lan.nt"), reason };
    assert_eq!(command(&mut h, &first, propose), CommandAnswer::Done);
    assert_eq!(leased_keys(&mut h, 4, at(9_999)), vec![]);
    assert_eq!(view(&mut h, &first).close_proposed_by.as_deref(), Some("lan.nt"));
    let approve = DispatchCommand::ApproveClose { author: author("minh.pv") };
    assert_eq!(command(&mut h, &first, approve), CommandAnswer::Done);
    assert_eq!(view(&mut h, &first).state, "closed");
    assert_eq!(leased_keys(&mut h, 5, at(9_999)), vec![second]);
    h.sound();
}

pub fn a_result_under_a_lost_lease_changes_nothing(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    let key = h.pay("1", "HD-1", 1);
    assert!(!settle(&mut h, 1, &key, AttemptResult::Delivered), "nobody holds it");
    assert_eq!(leased_keys(&mut h, 1, at(0)), vec![key.clone()]);
    assert!(!settle(&mut h, 2, &key, AttemptResult::Delivered), "another token");
    assert_eq!(leased_keys(&mut h, 2, at(999)), vec![], "the lease still runs");
    assert_eq!(leased_keys(&mut h, 2, at(1_000)), vec![key.clone()], "it ran out and is taken over");
    assert!(!settle(&mut h, 1, &key, parked()), "the first holder comes too late");
    assert_eq!(view(&mut h, &key).state, "leased");
    assert!(settle(&mut h, 2, &key, AttemptResult::Delivered));
    assert!(!settle(&mut h, 2, &key, retry_at(0)), "a result counts once");
    let seen = view(&mut h, &key);
    assert_eq!((seen.state.as_str(), seen.delivered_at, seen.attempts), ("delivered", Some(at(500)), 1));
    h.sound();
}

pub fn a_released_message_is_not_counted_as_tried(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    let key = h.pay("1", "HD-1", 1);
    lease(&mut h, 1, at(0), 9);
    assert!(settle(&mut h, 1, &key, AttemptResult::Released { not_before: at(0) }));
    let again = lease(&mut h, 2, at(0), 9);
    assert_eq!((again.len(), again[0].attempts), (1, 0));
}

pub fn a_wall_is_counted_until_a_person_sends_the_message_again(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    let key = h.pay("1", "HD-1", 1);
    let walled = |ms| AttemptResult::Walled { not_before: at(ms), reason: "http 404".to_owned() };
    for (token, now) in [(1, 0), (2, 10), (3, 20)] {
        let [taken] = lease(&mut h, token, at(now), 9).try_into().unwrap();
        assert_eq!((u64::from(taken.walls), taken.attempts), (token - 1, 0));
        assert!(settle(&mut h, token, &key, walled(now + 10)));
        assert_eq!(lease(&mut h, 9, at(now + 9), 9), vec![], "it steps back");
    }
    assert_eq!(view(&mut h, &key).reason.as_deref(), Some("http 404"));
    assert_eq!(command(&mut h, &key, DispatchCommand::Retry), CommandAnswer::Done);
    assert_eq!(lease(&mut h, 4, at(600), 9)[0].walls, 0);
}

pub fn a_released_message_lets_others_go_first(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1)]);
    let first = h.pay_at("1", "HD-1", 1, (at(10), false));
    let second = h.pay_at("2", "HD-2", 1, (at(20), false));
    let next = |h: &mut Harness, token, now| lease(h, token, at(now), 1).into_iter().map(|d| d.key).next();
    assert_eq!(next(&mut h, 1, 50), Some(first.clone()));
    assert!(settle(&mut h, 1, &first, AttemptResult::Released { not_before: at(5) }));
    assert_eq!(next(&mut h, 2, 50), Some(first.clone()), "never earlier than it was, so it keeps its place");
    assert!(settle(&mut h, 2, &first, AttemptResult::Released { not_before: at(60) }));
    assert_eq!(next(&mut h, 3, 59), Some(second.clone()));
    assert!(settle(&mut h, 3, &second, AttemptResult::Released { not_before: at(70) }));
    assert_eq!(next(&mut h, 4, 59), None, "neither is due");
    assert_eq!(next(&mut h, 5, 70), Some(first), "the longest due");
}

pub fn an_ending_in_the_middle_lets_nobody_overtake(mut h: Harness) {
    h.invoices(&[("HD-1", 3)]);
    let [first, second, third] = ["1", "2", "3"].map(|event| h.pay(event, "HD-1", 1));
    assert_eq!(command(&mut h, &second, DispatchCommand::Hold), CommandAnswer::Done);
    let propose = DispatchCommand::ProposeClose { author: author("lan.nt"), reason: "why".to_owned() };
    assert_eq!(command(&mut h, &second, propose), CommandAnswer::Done);
    let approve = DispatchCommand::ApproveClose { author: author("minh.pv") };
    assert_eq!(command(&mut h, &second, approve), CommandAnswer::Done);
    h.sound();
    assert_eq!(leased_keys(&mut h, 1, at(500)), vec![first.clone()], "the third waits for the first");
    assert!(settle(&mut h, 1, &first, AttemptResult::Delivered));
    assert_eq!(leased_keys(&mut h, 2, at(500)), vec![third]);
    h.sound();
}

pub fn commands_fit_the_state_they_meet(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 1)]);
    let key = h.pay("1", "HD-1", 1);
    let nobody = DispatchKey::of(&super::build::payment_key("x"), 0, &super::build::invoice_id("x"));
    let propose = || DispatchCommand::ProposeClose { author: author("lan.nt"), reason: "why".to_owned() };
    let approve = || DispatchCommand::ApproveClose { author: author("minh.pv") };
    let check = |h: &mut Harness, key: &DispatchKey, given: DispatchCommand, answer: CommandAnswer, state: &str| {
        assert_eq!(command(h, key, given.clone()), answer, "{given:?}");
        assert_eq!(view(h, key).state, state, "{given:?}");
    };
    assert_eq!(command(&mut h, &nobody, DispatchCommand::Retry), CommandAnswer::NotFound);
    check(&mut h, &key, propose(), CommandAnswer::WrongState, "waiting");
    check(&mut h, &key, DispatchCommand::Retry, CommandAnswer::Done, "waiting");
    check(&mut h, &key, DispatchCommand::Hold, CommandAnswer::Done, "parked");
    assert_eq!(view(&mut h, &key).cause, Some(ParkCause::Held));
    check(&mut h, &key, DispatchCommand::Hold, CommandAnswer::Done, "parked");
    check(&mut h, &key, approve(), CommandAnswer::NeedsAnother, "parked");
    assert_eq!(leased_keys(&mut h, 1, at(9_999)), vec![]);
    check(&mut h, &key, DispatchCommand::Retry, CommandAnswer::Done, "waiting");
    assert_eq!(leased_keys(&mut h, 2, at(600)), vec![key.clone()]);
    for given in [DispatchCommand::Retry, DispatchCommand::Hold, propose(), approve()] {
        check(&mut h, &key, given, CommandAnswer::WrongState, "leased");
    }
    assert!(settle(&mut h, 2, &key, AttemptResult::Delivered));
    for given in [DispatchCommand::Retry, DispatchCommand::Hold, propose(), approve()] {
        check(&mut h, &key, given, CommandAnswer::WrongState, "delivered");
    }
    h.sound();
}

/// I13.
pub fn nobody_approves_their_own_proposal(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    let key = h.pay("1", "HD-1", 1);
    command(&mut h, &key, DispatchCommand::Hold);
    let approve = |name: &str| DispatchCommand::ApproveClose { author: author(name) };
    let propose = |name: &str| DispatchCommand::ProposeClose { author: author(name), reason: "why".to_owned() };
    assert_eq!(command(&mut h, &key, propose("lan.nt")), CommandAnswer::Done);
    assert_eq!(command(&mut h, &key, approve("lan.nt")), CommandAnswer::NeedsAnother);
    // A retry in between withdraws the proposal.
    assert_eq!(command(&mut h, &key, DispatchCommand::Retry), CommandAnswer::Done);
    assert_eq!(command(&mut h, &key, DispatchCommand::Hold), CommandAnswer::Done);
    assert_eq!(command(&mut h, &key, approve("minh.pv")), CommandAnswer::NeedsAnother);
    assert_eq!(command(&mut h, &key, propose("minh.pv")), CommandAnswer::Done);
    assert_eq!(command(&mut h, &key, approve("lan.nt")), CommandAnswer::Done);
    assert_eq!(view(&mut h, &key).state, "closed");
    assert_eq!(command(&mut h, &key, approve("lan.nt")), CommandAnswer::WrongState);
}

pub fn messages_of_payments_come_in_their_order_and_the_last_ones_first(mut h: Harness) {
    h.invoices(&[("HD-1", 1), ("HD-2", 2), ("HD-3", 3)]);
    let paid = h.pay("1", "HD-1", 1);
    let (settled, undone) = (h.pay("2", "HD-2", 2), payment_key("2"));
    let taken_back = h.repost(undone, EventState::Reversed, clearing(), ("HD-2", -2));
    let parked = h.park("3", "HD-9", 3);
    let others = [paid.clone(), taken_back.clone(), settled.clone()];
    let mut told = |events: &[EventKey], each: u32| -> Vec<DispatchKey> {
        h.reports.dispatches_of(events, each).unwrap().into_iter().map(|message| message.key).collect()
    };
    let (first, unknown) = (payment_key("1"), payment_key("99"));
    assert_eq!(told(&[first, parked, undone], 9), others);
    assert_eq!(told(&[undone, unknown, first], 9), [taken_back.clone(), settled, paid.clone()]);
    assert_eq!(told(&[first, undone], 1), [paid, taken_back], "the last one of each");
    assert_eq!(told(&[parked], 9), []);
    assert_eq!(told(&[], 9), []);
}

pub fn a_message_without_its_settlement_is_refused(mut h: Harness) {
    h.invoices(&[("HD-1", 1)]);
    let refused = h.try_tx(|tx| {
        let record = payment("1", 1, EventState::Settled);
        let moved = Move { event: &record, kind: PostingKind::Settle, amount: 1, urgent: false, created_at: at(0) };
        let to = account(tx, "HD-1")?;
        let (_posting, dispatches) = posting(tx, &moved, clearing(), Some(&to))?;
        tx.write(&Writes { dispatches, ..Writes::default() })
    });
    assert!(matches!(refused, Err(StoreError::Fault(_))), "{refused:?}");
}

pub fn the_route_pauses_and_opens(mut h: Harness) {
    assert_eq!(h.tx(|tx| tx.route()), RouteState::default());
    for reason in ["http 401", "tls"] {
        let pause = RoutePause { reason: reason.to_owned(), since: at(1), probe_at: at(2) };
        let state = RouteState { paused: Some(pause) };
        h.tx(|tx| tx.set_route(&state));
        assert_eq!(h.tx(|tx| tx.route()), state);
        assert_eq!(h.reports.route().unwrap(), state);
    }
    h.tx(|tx| tx.set_route(&RouteState::default()));
    assert_eq!(h.reports.route().unwrap(), RouteState::default());
}

pub fn the_depth_is_what_waits(mut h: Harness) {
    assert_eq!(h.reports.outbox_depth().unwrap(), Default::default());
    h.invoices(&[("HD-1", 2), ("HD-2", 1), ("HD-3", 1)]);
    let first = h.pay_at("1", "HD-1", 1, (at(10), false));
    h.pay_at("2", "HD-1", 1, (at(20), true));
    let third = h.pay_at("3", "HD-2", 1, (at(30), false));
    let fourth = h.pay_at("4", "HD-3", 1, (at(5), false));
    leased_keys(&mut h, 1, at(50));
    assert!(settle(&mut h, 1, &third, parked()));
    assert!(settle(&mut h, 1, &fourth, AttemptResult::Delivered));
    let depth = h.reports.outbox_depth().unwrap();
    assert_eq!((depth.waiting, depth.parked), (2, 1), "one leased, one behind it");
    assert_eq!((depth.oldest, depth.oldest_urgent), (Some(at(10)), Some(at(20))));
    let mut listed = |state: &str| {
        let filter = DispatchFilter { state: Some(state.to_owned()), limit: 9, ..DispatchFilter::default() };
        h.reports.dispatches(&filter).unwrap().into_iter().map(|d| d.key).collect::<Vec<_>>()
    };
    assert_eq!((listed("leased"), listed("parked"), listed("delivered")), (vec![first], vec![third], vec![fourth]));
    assert_eq!((listed("waiting").len(), listed("closed").len()), (1, 0));
}

/// A clock of ours was ahead when it was written.
pub fn what_waits_or_is_leased_for_longer_than_any_wait_is_due_now(mut h: Harness) {
    const AHEAD_MS: i64 = 1_000;
    h.invoices(&[("HD-1", 2), ("HD-2", 1), ("HD-3", 1), ("HD-4", 1)]);
    let near = h.pay_at("1", "HD-1", 1, (at(1_050), false));
    let far = h.pay_at("2", "HD-2", 1, (at(1_051), true));
    let slow = h.pay_at("3", "HD-3", 1, (at(9_000), false));
    let held = h.pay_at("4", "HD-4", 1, (at(10), false));
    let behind = h.pay_at("5", "HD-1", 1, (at(9_000), true));
    let request = LeaseRequest { token: LeaseToken(1), now: at(50), until: at(9_000), limit: 9, urgent_only: false };
    assert_eq!(h.tx(|tx| tx.lease(std::slice::from_ref(&request))).len(), 1, "{held}");
    assert_eq!(leased_keys(&mut h, 2, at(50)), vec![]);

    let mut moved = Vec::new();
    while moved.last() != Some(&0) {
        moved.push(h.tx(|tx| tx.bring_near(at(50), AHEAD_MS, 2)));
        assert!(moved.len() < 9, "{moved:?}");
    }
    assert_eq!(moved.iter().sum::<u64>(), 4, "{moved:?}");
    let mut due = leased_keys(&mut h, 3, at(50));
    due.sort_unstable_by_key(|key| key.as_str().to_owned());
    let mut expected = vec![far, slow, held];
    expected.sort_unstable_by_key(|key| key.as_str().to_owned());
    assert_eq!(due, expected, "not {near}, which may wait so long, and {behind} is behind it");
}

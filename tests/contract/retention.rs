//! What may be forgotten and what may not: one row for each kind of call and of message that is still needed.

use super::build::{at, dong, invoice_id, partner, payment, payment_key, receipt, reversal_key};
use super::{Harness, LANE, build};
use thuho::domain::dispatch::{AttemptResult, DispatchResult, LeaseToken, ParkCause};
use thuho::domain::ids::{Author, DispatchKey, EventKey, Movement};
use thuho::domain::receipt::Verdict;
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::domain::time::Timestamp;
use thuho::store::reports::ReceiptFilter;
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::{CommandAnswer, DispatchCommand, Erasable, EraseRequest, Erased, EventWrite, LeaseRequest, Writes};

/// After everything that happens here.
fn later() -> Timestamp {
    at(1_000)
}

fn request(what: Erasable, before: Timestamp) -> EraseRequest {
    EraseRequest { what, before, at: later(), after: 0, limit: 3, dry_run: false }
}

/// Slice by slice, as long as there are any.
fn erase(h: &mut Harness, mut request: EraseRequest) -> (u64, u64) {
    let mut sum = Erased::default();
    loop {
        sum = sum.and(h.tx(|tx| tx.erase(&request)));
        match sum.next {
            Some(next) => request.after = next,
            None => return (sum.erased, sum.kept),
        }
    }
}

/// The bodies that are still there, and how many receipts are.
fn bodies(h: &mut Harness) -> (Vec<String>, usize) {
    let filter = ReceiptFilter { after: (LANE, 0), limit: 100, with_evidence: true, ..ReceiptFilter::default() };
    let receipts = h.reports.receipts(&filter).unwrap();
    let text = |e: &thuho::domain::receipt::Evidence| String::from_utf8(e.body.to_vec()).unwrap();
    let mut left: Vec<String> = receipts.iter().filter_map(|r| r.evidence.as_ref().map(text)).collect();
    left.sort();
    (left, receipts.len())
}

fn call(h: &mut Harness, body: &str, verdict: Verdict, event: Option<EventKey>) {
    h.tx(|tx| {
        let receipts = vec![receipt(tx, body, verdict, (event, 100))?];
        tx.write(&Writes { receipts, ..Writes::default() })
    });
}

/// A reversal's call, with the rows that it claims.
fn reversal(h: &mut Harness, body: &str, verdict: Verdict, claims: &[EventRecord]) {
    h.tx(|tx| {
        let receipts = vec![receipt(tx, body, verdict, (Some(claims[0].key), 100))?];
        let events = claims.iter().cloned().map(EventWrite::Claim).collect();
        tx.write(&Writes { receipts, events, ..Writes::default() })
    });
}

fn undoes(event: &str, state: EventState) -> EventRecord {
    let mut record = EventRecord { key: reversal_key(event), postings: 0, ..payment(event, 100, state) };
    record.movement = Movement::Reversal;
    record.content.reverses = Some(payment_key(event));
    record
}

struct About {
    event: Option<EventKey>,
    invoice: Option<&'static str>,
    dispatch: Option<DispatchKey>,
}

const NOTHING: About = About { event: None, invoice: None, dispatch: None };

fn open(h: &mut Harness, about: About) {
    let class = BreakClass::PaidNotCleared;
    let new = NewBreak {
        class,
        partner: Some(partner()),
        event: about.event,
        invoice: about.invoice.map(invoice_id),
        dispatch: about.dispatch,
        amount: dong(100),
        detail: String::new(),
        opened_at: at(5),
        mark: None,
        leg: None,
    };
    h.tx(|tx| tx.open_breaks(std::slice::from_ref(&new)));
}

fn lease(h: &mut Harness) {
    let request = LeaseRequest { token: LeaseToken(7), now: at(10), until: at(9_000), limit: 100, urgent_only: false };
    h.tx(|tx| tx.lease(std::slice::from_ref(&request)));
}

/// What becomes of a message that was leased.
fn ends(h: &mut Harness, key: &DispatchKey, result: AttemptResult) {
    let result = DispatchResult { key: key.clone(), token: LeaseToken(7), result, at: at(500) };
    assert_eq!(h.tx(|tx| tx.settle(std::slice::from_ref(&result))), [true]);
}

fn parks() -> AttemptResult {
    AttemptResult::Parked { cause: ParkCause::Rejected, reason: "http 422".to_owned() }
}

fn closes(h: &mut Harness, key: &DispatchKey) {
    let [lan, minh] = ["lan.nt", "minh.tv"].map(|name| Author::parse(name).unwrap());
    for command in [
        DispatchCommand::ProposeClose { author: lan, reason: "paid at the counter".to_owned() },
        DispatchCommand::ApproveClose { author: minh },
    ] {
        let message = h.reports.find_dispatch(key).unwrap().expect("the message is there");
        assert_eq!(h.tx(|tx| tx.command(&message, &command, at(600))), CommandAnswer::Done);
    }
}

/// Payments whose messages are needed: waiting, sent at the moment, parked, or under an open break, of each kind.
fn needed(h: &mut Harness) {
    let bills: Vec<String> = (0..9).map(|n| format!("HD-{n}")).collect();
    h.invoices(&bills.iter().map(|id| (id.as_str(), 100)).collect::<Vec<_>>());
    let parked = h.pay("parked-message", "HD-1", 100);
    let by_event = h.pay("break-by-payment", "HD-2", 100);
    let by_invoice = h.pay("break-by-invoice", "HD-3", 100);
    let by_message = h.pay("break-by-message", "HD-4", 100);
    let disputed = h.pay("disputed", "HD-0", 100);
    h.pay("leased", "HD-5", 100);
    lease(h);
    ends(h, &parked, parks());
    for told in [by_event, by_invoice, by_message.clone(), disputed] {
        ends(h, &told, AttemptResult::Delivered);
    }
    open(h, About { event: Some(payment_key("break-by-payment")), ..NOTHING });
    open(h, About { invoice: Some("HD-3"), ..NOTHING });
    open(h, About { dispatch: Some(by_message), ..NOTHING });
    reversal(h, "disputing", Verdict::ReversalRefused, &[undoes("disputed", EventState::Refused)]);
    open(h, About { event: Some(reversal_key("disputed")), ..NOTHING });
    h.pay("waiting", "HD-6", 100);
}

/// Payments whose messages are told or ended.
fn finished(h: &mut Harness) {
    let (told, closed) = (h.pay("told", "HD-7", 100), h.pay("closed", "HD-8", 100));
    lease(h);
    ends(h, &told, AttemptResult::Delivered);
    ends(h, &closed, parks());
    closes(h, &closed);
}

pub fn a_call_is_forgotten_when_it_is_old_and_nobody_needs_it(mut h: Harness) {
    needed(&mut h);
    finished(&mut h);
    h.invoices(&[("HD-20", 40), ("HD-21", 40)]);
    h.park("parked-payment", "HD-9", 40);
    // Settled later on, by an import: one of them is told.
    let told = h.park("found-its-invoice", "HD-20", 40);
    let told = h.repost(told, EventState::Settled, build::suspense(), ("HD-20", 40));
    lease(&mut h);
    ends(&mut h, &told, AttemptResult::Delivered);
    let untold = h.park("found-its-invoice-untold", "HD-21", 40);
    h.repost(untold, EventState::Settled, build::suspense(), ("HD-21", 40));
    let expected = EventState::Expected { reversal: reversal_key("none") };
    let claims = [undoes("none", EventState::Waiting), EventRecord { postings: 0, ..payment("none", 100, expected) }];
    reversal(&mut h, "reversal-that-waits", Verdict::Reversal, &claims);
    for (body, event) in [("reversal-under-a-break", "break-by-payment"), ("refused-reversal", "told")] {
        reversal(&mut h, body, Verdict::ReversalRefused, &[undoes(event, EventState::Refused)]);
    }
    call(&mut h, "stale", Verdict::Stale, None);
    call(&mut h, "unreadable", Verdict::Unreadable, None);
    call(&mut h, "paused", Verdict::Paused, None);
    call(&mut h, "read again", Verdict::Stale, None);
    let (_, all) = bodies(&mut h);
    h.tx(|tx| tx.note_redone(LANE, i64::try_from(all).unwrap(), at(7)));
    call(&mut h, "a failure", Verdict::NotAPayment, Some(payment_key("nothing")));
    call(&mut h, "a failure under a break", Verdict::NotAPayment, Some(payment_key("nobody")));
    open(&mut h, About { event: Some(payment_key("nobody")), ..NOTHING });
    call(&mut h, "a conflict", Verdict::Conflict, Some(payment_key("told")));

    let (everything, all) = bodies(&mut h);
    assert_eq!(everything.len(), all);
    assert_eq!(erase(&mut h, request(Erasable::Raw, at(0))), (0, 0), "none is older than it came");
    let dry = EraseRequest { dry_run: true, ..request(Erasable::Raw, later()) };
    let counts = erase(&mut h, dry);
    assert_eq!(bodies(&mut h).0, everything, "it only counts");
    h.sound();
    assert_eq!(erase(&mut h, request(Erasable::Raw, later())), counts);
    let kept = [
        "a failure under a break",
        "break-by-invoice",
        "break-by-message",
        "break-by-payment",
        "disputed",
        "disputing",
        "found-its-invoice-untold",
        "leased",
        "parked-message",
        "parked-payment",
        "paused",
        "reversal-that-waits",
        "reversal-under-a-break",
        "stale",
        "unreadable",
        "waiting",
    ];
    assert_eq!(bodies(&mut h), (kept.map(str::to_owned).to_vec(), all), "and every receipt is there");
    assert_eq!(counts, (u64::try_from(all - kept.len()).unwrap(), u64::try_from(kept.len()).unwrap()));
    assert_eq!(erase(&mut h, request(Erasable::Raw, later())), (0, counts.1), "once");
    h.sound();
    let mut h = h.reopen();
    h.tx(|tx| tx.note_redone(LANE, i64::try_from(all - 4).unwrap(), at(8)));
    assert_eq!(erase(&mut h, request(Erasable::Raw, later())), (1, counts.1 - 1), "until it was read again");
}

pub fn what_was_sent_is_forgotten_once_it_is_told_or_ended(mut h: Harness) {
    needed(&mut h);
    assert_eq!(erase(&mut h, request(Erasable::Attempts, later())), (0, 7));
    assert_eq!(erase(&mut h, request(Erasable::Attempts, at(0))), (0, 0), "none is older than it was posted");
    finished(&mut h);
    assert_eq!(erase(&mut h, request(Erasable::Attempts, at(500))), (0, 3), "what was told or ended since is young");
    assert_eq!(erase(&mut h, request(Erasable::Attempts, at(501))).0, 1, "by the moment it was told, not posted");
    let dry = EraseRequest { dry_run: true, ..request(Erasable::Attempts, later()) };
    assert_eq!(erase(&mut h, dry), (1, 7));
    assert_eq!(erase(&mut h, request(Erasable::Attempts, later())), (1, 7));
    assert_eq!(erase(&mut h, request(Erasable::Attempts, later())), (0, 7));
    // Whatever can still be sent has its bytes.
    let request = LeaseRequest { token: LeaseToken(8), now: at(9_001), until: at(9_999), limit: 9, urgent_only: false };
    let sent = h.tx(|tx| tx.lease(std::slice::from_ref(&request)));
    assert!(sent.len() == 2 && sent.iter().all(|message| message.body.contains("payment.settled")), "{sent:?}");
    h.sound();
}

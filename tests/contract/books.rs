//! The money path: claims, postings, positions, and what an unfinished transaction leaves.

use super::build::{
    Move, account, at, clearing, dong, invoice, invoice_id, partner, payment, payment_key, payment_on, posting,
    receipt, receipt_at, reversal_key, suspense,
};
use super::{Harness, LANE, build};
use std::panic::{AssertUnwindSafe, catch_unwind};
use thuho::domain::decision::ParkReason;
use thuho::domain::ids::{EventKey, Movement, PostingNo, UnitCode};
use thuho::domain::money::Money;
use thuho::domain::notice::{Content, References};
use thuho::domain::posting::{Account, PostingKind};
use thuho::domain::receipt::Verdict;
use thuho::domain::review::{BreakClass, NewBreak};
use thuho::store::desk::BreakFilter;
use thuho::store::reports::{DispatchFilter, ReceiptFilter};
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::{EventWrite, StoreError, Upserted, Writes};

pub fn a_fresh_store_begins_at_one(mut h: Harness) {
    let heads = h.tx(|tx| tx.heads());
    assert_eq!((heads.receipt, heads.chain, heads.posting), (1, [0; 32], PostingNo(1)));
    assert_eq!(h.tx(|tx| tx.events(&[payment_key("1")])), vec![None]);
    assert_eq!(h.reports.lanes().unwrap(), Vec::<u32>::new());
    assert_eq!(h.tx(|tx| tx.lane_heads()), vec![]);
    h.sound();
}

pub fn what_is_written_is_read_back(mut h: Harness) {
    h.invoices(&[("HD-1", 100_000)]);
    let key = h.pay("77", "HD-1", 100_000);
    let record = payment_on("HD-1", "77", 100_000, EventState::Settled);
    assert_eq!(h.tx(|tx| tx.events(&[record.key])), vec![Some(record.clone())]);
    assert_eq!(h.reports.event(&record.key).unwrap(), Some(record.clone()));

    let bill = h.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap();
    assert_eq!((bill.invoice.clone(), bill.settled, bill.sequence), (invoice("HD-1", 100_000), dong(100_000), 1));
    assert_eq!(h.tx(|tx| account(tx, "HD-1")), bill);

    let hl = Account::Receivable(UnitCode::parse("PA03HL").unwrap());
    let lines = vec![(clearing(), dong(100_000)), (hl.clone(), dong(-100_000))];
    let postings = h.reports.postings(&record.key).unwrap();
    assert_eq!(postings.len(), 1);
    assert_eq!((postings[0].no, postings[0].kind, &postings[0].entries), (PostingNo(1), PostingKind::Settle, &lines));
    let mut balances = h.reports.balances().unwrap();
    balances.sort_by_key(|(account, _)| account.to_string());
    assert_eq!(balances, lines.iter().map(|(account, money)| (account.clone(), money.dong())).collect::<Vec<_>>());
    assert_eq!(h.reports.generations().unwrap(), vec![(build::GENERATION, PostingNo(1))]);

    let told = h.reports.dispatches(&DispatchFilter { limit: 9, ..DispatchFilter::default() }).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0].key, told[0].sequence, told[0].state.as_str()), (&key, 1, "waiting"));

    let filter = ReceiptFilter { after: (LANE, 0), limit: 9, with_evidence: true, ..ReceiptFilter::default() };
    let stored = h.reports.receipts(&filter).unwrap().remove(0);
    let came = stored.evidence.clone().unwrap();
    let sent = build::evidence("77");
    assert_eq!(
        (&came.headers, &came.body, &came.query, &came.path),
        (&sent.headers, &sent.body, &sent.query, &sent.path)
    );
    assert_eq!((came.raw_hash(), stored.verdict, stored.event), (stored.raw_hash, Verdict::Settled, Some(record.key)));
    let heads = h.tx(|tx| tx.heads());
    assert_eq!((heads.receipt, heads.chain, heads.posting), (2, stored.hash, PostingNo(2)));
    h.sound();
}

fn claim(record: &EventRecord) -> Writes {
    Writes { events: vec![EventWrite::Claim(record.clone())], ..Writes::default() }
}

/// A record that needs no posting.
fn reversal(event: &str, of: EventKey, state: EventState) -> EventRecord {
    EventRecord {
        key: reversal_key(event),
        movement: Movement::Reversal,
        content: Content {
            amount: dong(5_000),
            discount: Money::ZERO,
            references: References::default(),
            reverses: Some(of),
        },
        postings: 0,
        ..payment(event, 5_000, state)
    }
}

/// I2.
pub fn a_taken_key_is_contended_and_nothing_of_its_batch_stays(mut h: Harness) {
    let first = reversal("1", payment_key("0"), EventState::Refused);
    h.tx(|tx| tx.write(&claim(&first)));
    let other = reversal("2", payment_key("0"), EventState::Refused);
    let second = EventRecord { event: "another".to_owned(), ..first.clone() };
    let both =
        Writes { events: vec![EventWrite::Claim(other.clone()), EventWrite::Claim(second)], ..Writes::default() };
    let refused = h.try_tx(|tx| tx.write(&both));
    assert!(matches!(refused, Err(StoreError::Contended)), "{refused:?}");
    assert_eq!(h.tx(|tx| tx.events(&[first.key, other.key])), vec![Some(first), None]);
}

pub fn an_error_in_the_work_leaves_nothing(mut h: Harness) {
    let record = reversal("1", payment_key("0"), EventState::Refused);
    let failed = h.try_tx(|tx| {
        tx.upsert_invoices(&[invoice("HD-1", 1_000)])?;
        tx.write(&claim(&record))?;
        Err::<(), _>(StoreError::Fault("on purpose".to_owned()))
    });
    assert!(matches!(failed, Err(StoreError::Fault(text)) if text == "on purpose"));
    assert_eq!(h.tx(|tx| tx.events(&[record.key])), vec![None]);
    assert_eq!(h.reports.invoice_count().unwrap(), 0);
}

pub fn a_panic_in_the_work_leaves_nothing_and_the_store_goes_on(mut h: Harness) {
    h.invoices(&[("HD-1", 1_000)]);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        h.store.transact(&mut |tx| {
            tx.upsert_invoices(&[invoice("HD-2", 1_000)])?;
            // An account that is new in this transaction goes with it: its number must not be remembered.
            let record = payment("1", 1_000, EventState::Settled);
            let moved =
                Move { event: &record, kind: PostingKind::Settle, amount: 1_000, urgent: false, created_at: at(0) };
            let to = account(tx, "HD-1")?;
            let (numbered, dispatches) = posting(tx, &moved, clearing(), Some(&to))?;
            tx.write(&Writes {
                events: vec![EventWrite::Claim(record)],
                postings: vec![numbered],
                dispatches,
                ..Writes::default()
            })?;
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(h.reports.invoice_count().unwrap(), 1);
    h.pay("1", "HD-1", 1_000);
    assert_eq!(h.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap().settled, dong(1_000));
    h.sound();
}

pub fn a_payment_that_a_reversal_expected_fills_its_row_once(mut h: Harness) {
    let undo = reversal("9", payment_key("1"), EventState::Waiting);
    let expected = EventRecord {
        key: payment_key("1"),
        movement: Movement::Payment,
        state: EventState::Expected { reversal: undo.key },
        ..undo.clone()
    };
    let both = Writes {
        events: vec![EventWrite::Claim(undo.clone()), EventWrite::Claim(expected.clone())],
        ..Writes::default()
    };
    h.tx(|tx| {
        let came = receipt(tx, "reversal", Verdict::Reversal, (Some(undo.key), undo.content.amount.dong()))?;
        tx.write(&Writes { receipts: vec![came], ..both.clone() })
    });
    assert_eq!(h.tx(|tx| tx.events(&[expected.key])), vec![Some(expected.clone())]);

    let came = EventRecord { postings: 0, ..payment("1", 5_000, EventState::Reversed) };
    let writes = Writes {
        events: vec![
            EventWrite::Fulfil(came.clone()),
            EventWrite::State { key: undo.key, state: EventState::Applied, postings: 0 },
        ],
        ..Writes::default()
    };
    h.tx(|tx| {
        let receipts = vec![receipt(tx, "payment", Verdict::Parked, (Some(came.key), 5_000))?];
        tx.write(&Writes { receipts, ..writes.clone() })
    });
    let rows = h.tx(|tx| tx.events(&[came.key, undo.key]));
    assert_eq!(rows, vec![Some(came), Some(EventRecord { state: EventState::Applied, ..undo })]);
    assert!(matches!(h.try_tx(|tx| tx.write(&writes)), Err(StoreError::Contended)));
    h.sound();
}

pub fn the_position_follows_the_money(mut h: Harness) {
    h.invoices(&[("HD-1", 100_000)]);
    let key = h.park("1", "HD-9", 100_000);
    let parked = h.tx(|tx| tx.positions(&[key, payment_key("nobody")]));
    let mut lines: Vec<_> = parked[0].entries.iter().map(|e| (e.account.to_string(), e.amount)).collect();
    lines.sort();
    assert_eq!(lines, vec![(clearing().to_string(), dong(100_000)), (suspense().to_string(), dong(-100_000))]);
    assert!(parked[0].allocations.is_empty());
    assert_eq!(parked[1], thuho::store::Position::default());
    h.sound();

    let told = h.repost(key, EventState::Settled, suspense(), ("HD-1", 100_000));
    let settled = h.tx(|tx| tx.positions(&[key])).remove(0);
    assert_eq!(settled.entries.len(), 2);
    assert!(settled.entries.iter().all(|e| e.account != suspense()));
    assert_eq!(settled.allocations.len(), 1);
    assert_eq!((&settled.allocations[0].key, settled.allocations[0].sequence), (&told, 1));
    h.sound();

    h.repost(key, EventState::Reversed, clearing(), ("HD-1", -100_000));
    assert_eq!(h.tx(|tx| tx.positions(&[key])).remove(0), thuho::store::Position::default());
    let bill = h.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap();
    assert_eq!((bill.settled, bill.sequence), (Money::ZERO, 2));
    assert!(h.reports.balances().unwrap().iter().all(|(_, dong)| *dong == 0));
    h.sound();
}

pub fn a_settlement_made_again_after_its_undoing_stands(mut h: Harness) {
    h.invoices(&[("HD-1", 100_000)]);
    h.pay("1", "HD-1", 100_000);
    let key = payment_key("1");
    h.repost(key, EventState::Reversed, clearing(), ("HD-1", -100_000));
    let again = h.repost(key, EventState::Settled, clearing(), ("HD-1", 100_000));
    let standing = h.tx(|tx| tx.positions(&[key])).remove(0).allocations;
    assert_eq!(standing.len(), 1);
    assert_eq!((&standing[0].key, standing[0].sequence), (&again, 3));
    h.sound();
}

pub fn parked_payments_that_name_an_invoice_come_oldest_first(mut h: Harness) {
    h.invoices(&[("HD-1", 7)]);
    let first = h.park("b", "HD-1", 7);
    let second = h.park("a", "HD-1", 7);
    let elsewhere = h.park("c", "HD-2", 7);
    let settled = h.park("d", "HD-1", 7);
    h.repost(settled, EventState::Settled, suspense(), ("HD-1", 7));
    let ids = [invoice_id("HD-2"), invoice_id("HD-1")];
    let mut named = |after: Option<&EventKey>, limit| {
        h.tx(|tx| tx.parked_naming((&ids, after), limit)).iter().map(|e| e.key).collect::<Vec<_>>()
    };
    assert_eq!(named(None, 10), vec![first, second, elsewhere]);
    assert_eq!(named(None, 2), vec![first, second]);
    assert_eq!(named(Some(&second), 2), vec![elsewhere]);
    // Also from one that is parked no more.
    assert_eq!(named(Some(&settled), 2), vec![]);
    assert_eq!(named(Some(&first), 1), vec![second]);
    assert_eq!(h.tx(|tx| tx.parked_naming((&[invoice_id("HD-3")], None), 10)), vec![]);
}

pub fn many_payments_of_one_batch_settle_one_invoice_once_each(mut h: Harness) {
    h.invoices(&[("HD-1", 300)]);
    h.tx(|tx| {
        let mut writes = Writes::default();
        let mut bill = account(tx, "HD-1")?;
        let mut heads = tx.heads()?;
        for n in 0..3_i64 {
            let record = EventRecord { postings: 0, ..payment(&n.to_string(), 100, EventState::Settled) };
            let moved =
                Move { event: &record, kind: PostingKind::Settle, amount: 100, urgent: false, created_at: at(0) };
            let (mut numbered, dispatches) = posting(tx, &moved, clearing(), Some(&bill))?;
            numbered.no = heads.posting;
            heads.posting = PostingNo(heads.posting.0 + 1);
            let came = receipt_at(&heads, "one of three", Verdict::Settled, (Some(record.key), 100));
            (heads.receipt, heads.chain) = (heads.receipt + 1, came.hash);
            writes.receipts.push(came);
            bill.sequence += 1;
            writes.postings.push(numbered);
            writes.dispatches.extend(dispatches);
            writes.events.push(EventWrite::Claim(payment(&n.to_string(), 100, EventState::Settled)));
        }
        writes.breaks.push(NewBreak {
            class: BreakClass::OutOfOrder,
            partner: Some(partner()),
            event: Some(payment_key("0")),
            invoice: Some(invoice_id("HD-1")),
            dispatch: None,
            amount: dong(100),
            detail: "an older bill stays open".to_owned(),
            opened_at: at(5),
            mark: None,
            leg: None,
        });
        tx.write(&writes)
    });
    let bill = h.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap();
    assert_eq!((bill.settled, bill.sequence), (dong(300), 3));
    let breaks = h.reports.breaks(&BreakFilter::open(10)).unwrap();
    assert_eq!(breaks.len(), 1);
    assert_eq!((breaks[0].class, breaks[0].amount, breaks[0].opened_at), (BreakClass::OutOfOrder, dong(100), at(5)));
    assert_eq!(h.tx(|tx| tx.upsert_invoices(&[invoice("HD-1", 300)])), vec![Upserted::Same]);
    let parked = EventState::Parked(ParkReason::WrongAmount);
    assert_ne!(h.reports.event(&payment_key("0")).unwrap().unwrap().state, parked);
    h.sound();
}

pub fn a_break_with_a_mark_is_opened_once(mut h: Harness) {
    let marked = |class, mark: Option<u8>| NewBreak {
        class,
        partner: Some(partner()),
        event: Some(payment_key("A1")),
        invoice: None,
        dispatch: None,
        amount: dong(100),
        detail: String::new(),
        opened_at: at(0),
        mark: mark.map(|byte| [byte; 32]),
        leg: None,
    };
    let [conflict, failed] = [BreakClass::Conflict, BreakClass::StatusMismatch];
    let breaks = [marked(conflict, Some(1)), marked(failed, Some(2)), marked(conflict, Some(1)), marked(failed, None)];
    h.tx(|tx| tx.open_breaks(&breaks));
    h.tx(|tx| tx.write(&Writes { breaks: breaks.to_vec(), ..Writes::default() }));
    let open: Vec<_> = h.reports.breaks(&BreakFilter::open(10)).unwrap().iter().map(|b| b.class).rev().collect();
    assert_eq!(open, [conflict, failed, failed, failed], "one of each mark, and each without one");
}

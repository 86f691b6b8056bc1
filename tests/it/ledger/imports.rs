//! What an import may and may not do to books, and what an audit finds. Hold I5.

use super::tell::*;
use crate::memory::{MemoryReports, MemoryStore};
use bytes::Bytes;
use jiff::civil::date;
use std::sync::Arc;
use thuho::domain::ids::{CustomerCode, Generation};
use thuho::domain::invoice::{Invoice, InvoiceStatus};
use thuho::domain::outcome::Outcome;
use thuho::domain::receipt::{Evidence, HashedEvidence};
use thuho::domain::secret::Secret;
use thuho::domain::time::ManualClock;
use thuho::intake::import::Importer;
use thuho::ledger::writer::{Lane, Patient, Writer, WriterOptions, run_batch};
use thuho::ledger::{Arrival, REMATCH_MAX, audit};
use thuho::seen::Generations;
use thuho::store::Store;

#[test]
fn an_import_decides_the_payments_again_that_named_its_invoice() {
    let mut books = Books::on_disk();
    books.post(&[pay("E1", 100).invoice("INV-1").arrival(), pay("E2", 90).invoice("INV-1").arrival()]);
    let report = books.import(&[bill("INV-1", 100)]);
    assert_eq!((report.added, report.rematched), (1, 1));
    assert_eq!(
        books.state(),
        "receivable:PA03HL -100; clearing:wallet 190; suspense:wallet -90; tell INV-1 #1; \
         DUPLICATE_PAYMENT 90; 2 receipts"
    );
    let again = books.post(&[pay("E1", 100).invoice("INV-1").arrival(), undo("R1", "E1", 100).arrival()]);
    let heard: Vec<_> = again.iter().map(|p| p.answer.outcome).collect();
    assert_eq!(heard, [Outcome::Duplicate, Outcome::Accepted]);
}

/// More payments that name one bill than one slice decides again; the last one is the one that pays it.
fn a_flood() -> Vec<Arrival> {
    let wrong = (0..=REMATCH_MAX).map(|n| pay(&format!("E{n}"), 90).invoice("INV-1").arrival());
    wrong.chain([pay("right", 100).invoice("INV-1").arrival()]).collect()
}

#[test]
fn what_a_slice_leaves_parked_is_decided_in_the_next_one_or_when_the_import_is_made_again() {
    for (way, mut books) in ways() {
        for some in a_flood().chunks(256) {
            books.post(some);
        }
        let bills = [bill("INV-1", 100)];
        let cut_off = books.import(&bills);
        assert_eq!((cut_off.added, cut_off.rematched), (1, 0), "{way}");
        let again = books.import(&bills);
        assert_eq!((again.same, again.rematched, again.rest), (1, 0, cut_off.rest), "{way}");
        let rest = books.import_rest(&bills, again.rest.unwrap());
        assert_eq!((rest.added, rest.same, rest.rematched, rest.rest), (0, 0, 1, None), "{way}");
        assert!(books.state().contains("tell INV-1 #1; "), "{way}");
    }
}

#[test]
fn an_import_goes_on_until_all_that_its_bills_left_parked_is_decided() {
    let store = MemoryStore::new(1);
    let clock = Arc::new(ManualClock::at(noon()));
    let (mut lane, mut writer) = (Lane::new(1, Generation(7)), store.clone());
    run_batch(&mut writer, &mut lane, Books::moment(), &a_flood(), &mut Patient);
    let options = WriterOptions::new(1, Generation(7));
    let writer = Arc::new(Writer::start(Box::new(store), Arc::<ManualClock>::clone(&clock), options).unwrap());
    let taken = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let generations = Arc::new(Generations::new(Generation(7), []));
        let mut importer = Importer::new(Arc::clone(&writer), clock, generations);
        importer.push(bill("INV-1", 100)).await.unwrap();
        importer.finish().await.unwrap()
    });
    assert_eq!((taken.added, taken.rematched), (1, 1));
    writer.drain();
}

#[test]
fn an_invoice_that_changes_under_money_keeps_it_and_opens_a_break() {
    let changed = |change: fn(&mut Invoice)| {
        let mut books = Books::on_disk();
        books.import(&[bill("INV-1", 100)]);
        books.post(&[pay("E1", 100).invoice("INV-1").arrival()]);
        let before = books.state();
        let mut invoice = Invoice { version: 2, ..bill("INV-1", 100) };
        change(&mut invoice);
        let report = books.import(&[invoice]);
        assert_eq!(books.state().replace("INVOICE_CHANGED 100; ", ""), before, "our entries stay");
        report.changed_under_money
    };
    assert_eq!(changed(|i| i.status = InvoiceStatus::Cancelled), 1);
    assert_eq!(changed(|i| (i.net, i.total) = (money(80), money(80))), 1);
    assert_eq!(changed(|i| i.customer = CustomerCode::parse("PA2").unwrap()), 1);
    assert_eq!(changed(|i| i.status = InvoiceStatus::Paid), 0);
    assert_eq!(changed(|i| i.due_on = date(2026, 2, 28)), 0);
}

#[test]
fn an_older_version_is_ignored_and_a_bill_imported_as_open_again_stays_settled() {
    let mut books = Books::on_disk();
    books.import(&[Invoice { version: 5, ..bill("INV-1", 100) }]);
    books.post(&[pay("E1", 100).invoice("INV-1").arrival()]);
    let report =
        books.import(&[Invoice { version: 4, ..bill("INV-1", 70) }, Invoice { version: 6, ..bill("INV-1", 100) }]);
    assert_eq!((report.older, report.changed, report.changed_under_money), (1, 1, 0));
    let heard = books.post(&[pay("E2", 100).invoice("INV-1").arrival()]);
    assert_eq!(heard[0].answer.outcome, Outcome::AlreadyPaid);
}

#[test]
fn a_seal_shows_a_receipt_that_vanished() {
    let store = MemoryStore::new(1);
    let mut lane = Lane::new(1, Generation(7));
    let mut writer = store.clone();
    let mut post = |event: &str| {
        let arrival = pay(event, 5).arrival();
        run_batch(&mut writer, &mut lane, Books::moment(), &[arrival], &mut Patient);
    };
    post("E1");
    post("E2");
    let key = Secret::new(b"seal key of the test".to_vec());
    let mut sealer = store.clone();
    sealer.transact(&mut |tx| audit::seal(tx, &key, noon()).map(drop)).unwrap();
    let findings = |key: &Secret| audit::audit(&mut MemoryReports(store.clone()), key).unwrap().findings;
    assert_eq!(findings(&key), [""; 0]);
    assert_eq!(findings(&Secret::new(b"another".to_vec())).len(), 1);
    let sent = (*store.db().links[0].receipt.evidence).clone();
    let forged = Evidence { body: Bytes::from_static(b"forged"), ..sent };
    store.db().links[0].receipt.evidence = HashedEvidence::of(forged);
    assert_eq!(findings(&key), ["lane 1: the raw bytes of receipt 1 were changed"]);
    store.db().links.remove(0);
    assert_eq!(
        findings(&key),
        ["lane 1: after receipt 0 comes 2", "lane 1: receipt 2 does not name the one before it"]
    );
    store.db().links.clear();
    assert_eq!(findings(&key), ["lane 1: sealed up to receipt 2, but it ends at 0"]);
}

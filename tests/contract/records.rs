//! Receipts and their chain, invoices by version, and the small facts that stand beside the books.

use super::build::{DAY, at, customer, dong, invoice, invoice_id, partner, payment_key, receipt};
use super::{Harness, LANE};
use thuho::domain::ids::{Generation, PartnerCode};
use thuho::domain::invoice::{Invoice, InvoiceAccount, InvoiceStatus};
use thuho::domain::notice::Wanted;
use thuho::domain::receipt::{Link, Verdict};
use thuho::domain::time::Timestamp;
use thuho::matching;
use thuho::store::reports::ReceiptFilter;
use thuho::store::{Lead, RepeatCount, Seal, Upserted, Writes};

fn add_receipt(h: &mut Harness, body: &str, verdict: Verdict) {
    h.tx(|tx| {
        let receipts = vec![receipt(tx, body, verdict, (None, 1))?];
        tx.write(&Writes { receipts, ..Writes::default() })
    });
}

fn all_receipts() -> ReceiptFilter {
    ReceiptFilter { after: (LANE, 0), limit: 100, ..ReceiptFilter::default() }
}

pub fn the_chain_goes_on_after_a_restart(mut h: Harness) {
    add_receipt(&mut h, "one", Verdict::Stale);
    add_receipt(&mut h, "two", Verdict::Unreadable);
    let before = h.tx(|tx| tx.heads());
    let mut h = h.reopen();
    assert_eq!(h.tx(|tx| tx.heads()), before);
    assert_eq!(before.receipt, 3);
    add_receipt(&mut h, "three", Verdict::Stale);

    let mut previous = [0; 32];
    let stored = h.reports.receipts(&all_receipts()).unwrap();
    assert_eq!(stored.iter().map(|r| r.n).collect::<Vec<_>>(), vec![1, 2, 3]);
    for receipt in stored {
        assert_eq!(receipt.previous, previous);
        let link = Link {
            lane: LANE,
            n: receipt.n,
            raw_hash: receipt.raw_hash,
            verdict: receipt.verdict,
            received_at: receipt.received_at,
            event: receipt.event,
            amount_dong: receipt.amount_dong,
        };
        assert_eq!(receipt.hash, link.hash(&previous));
        assert!(receipt.evidence.is_none(), "evidence was not asked for");
        previous = receipt.hash;
    }
    assert_eq!(h.reports.lanes().unwrap(), vec![LANE]);
    assert_eq!(h.tx(|tx| tx.lane_heads()), vec![(LANE, 3, previous)]);
}

pub fn receipts_are_found_by_partner_verdict_and_place(mut h: Harness) {
    for (body, verdict) in
        [("1", Verdict::Stale), ("2", Verdict::Settled), ("3", Verdict::Stale), ("4", Verdict::Parked)]
    {
        add_receipt(&mut h, body, verdict);
    }
    let mut found =
        |filter: ReceiptFilter| h.reports.receipts(&filter).unwrap().iter().map(|r| r.n).collect::<Vec<_>>();
    assert_eq!(found(ReceiptFilter { verdicts: vec![Verdict::Stale], ..all_receipts() }), vec![1, 3]);
    assert_eq!(
        found(ReceiptFilter { verdicts: vec![Verdict::Stale, Verdict::Parked], ..all_receipts() }),
        vec![1, 3, 4]
    );
    assert_eq!(found(ReceiptFilter { after: (LANE, 2), ..all_receipts() }), vec![3, 4]);
    assert_eq!(found(ReceiptFilter { limit: 1, ..all_receipts() }), vec![1]);
    assert_eq!(found(ReceiptFilter { after: (LANE + 1, 0), ..all_receipts() }), Vec::<i64>::new());
    assert_eq!(found(ReceiptFilter { partner: Some(partner()), ..all_receipts() }), vec![1, 2, 3, 4]);
    let nobody = PartnerCode::parse("nobody").unwrap();
    assert_eq!(found(ReceiptFilter { partner: Some(nobody), ..all_receipts() }), Vec::<i64>::new());

    let counts = h.reports.receipt_counts().unwrap();
    let stale = counts.iter().find(|c| c.verdict == Verdict::Stale).unwrap();
    assert_eq!((counts.len(), &stale.partner, stale.count, stale.dong), (3, &partner(), 2, 2));

    h.tx(|tx| tx.note_redone(LANE, 1, at(70)));
    let received_at = h.reports.receipts(&all_receipts()).unwrap()[0].received_at;
    for (since, expected) in [(received_at, vec![2, 3, 4]), (received_at.plus_ms(1), vec![])] {
        let filter = ReceiptFilter { waiting_since: Some(since), ..all_receipts() };
        assert_eq!(h.reports.receipts(&filter).unwrap().iter().map(|r| r.n).collect::<Vec<_>>(), expected);
    }
}

pub fn an_upsert_goes_by_version(mut h: Harness) {
    let changed = |invoice: &Invoice, settled: i64, sequence: u32| {
        let account = InvoiceAccount { invoice: invoice.clone(), settled: dong(settled), sequence };
        Upserted::Changed(Box::new(account))
    };
    let first = Invoice { version: 5, ..invoice("HD-1", 1_000) };
    let lowered = Invoice { version: 6, ..invoice("HD-1", 900) };
    let corrected = Invoice { version: 6, status: InvoiceStatus::Cancelled, ..invoice("HD-1", 900) };
    let cases = [
        (&first, Upserted::Added, &first),
        (&first, Upserted::Same, &first),
        (&lowered, changed(&first, 0, 0), &lowered),
        (&first, Upserted::Older, &lowered),
        (&corrected, changed(&lowered, 0, 0), &corrected),
        (&corrected, Upserted::Same, &corrected),
    ];
    for (given, answer, kept) in cases {
        assert_eq!(h.tx(|tx| tx.upsert_invoices(std::slice::from_ref(given))), vec![answer]);
        assert_eq!(h.reports.invoice(&invoice_id("HD-1")).unwrap().unwrap().invoice, *kept);
    }
    let twice = [invoice("HD-2", 5), invoice("HD-2", 5), Invoice { version: 2, ..invoice("HD-2", 6) }];
    assert_eq!(h.tx(|tx| tx.upsert_invoices(&twice)), vec![Upserted::Added, Upserted::Same, changed(&twice[1], 0, 0)]);
    assert_eq!(h.reports.invoice_count().unwrap(), 2);
    // What is on it is told with it, and a slice that says it twice is judged row by row.
    h.invoices(&[("HD-3", 100)]);
    h.pay("1", "HD-3", 70);
    let (was, once) = (invoice("HD-3", 100), Invoice { version: 2, ..invoice("HD-3", 60) });
    let again = [once.clone(), Invoice { version: 3, ..invoice("HD-3", 50) }, was.clone()];
    let told = vec![changed(&was, 70, 1), changed(&once, 70, 1), Upserted::Older];
    assert_eq!(h.tx(|tx| tx.upsert_invoices(&again)), told);
    assert_eq!(h.reports.invoice(&invoice_id("HD-3")).unwrap().unwrap().invoice, again[1]);
}

pub fn candidates_are_those_asked_for(mut h: Harness) {
    let rows = [
        invoice("HD-1", 10),
        Invoice { status: InvoiceStatus::Paid, ..invoice("HD-2", 20) },
        Invoice { customer: customer("KH2"), ..invoice("HD-3", 30) },
        Invoice { customer: customer("KH3"), status: InvoiceStatus::Cancelled, ..invoice("HD-4", 40) },
    ];
    h.tx(|tx| tx.upsert_invoices(&rows));
    let mut found = |invoices: &[&str], customers: &[&str]| {
        let wanted = Wanted {
            invoices: invoices.iter().map(|id| invoice_id(id)).collect(),
            customers: customers.iter().map(|code| customer(code)).collect(),
        };
        let found = h.tx(|tx| tx.candidates(&wanted));
        assert_eq!(found, h.reports.candidates(&wanted).unwrap());
        let mut ids: Vec<String> = found.invoices.keys().map(ToString::to_string).collect();
        let mut known: Vec<String> = found.known.iter().map(ToString::to_string).collect();
        ids.sort();
        known.sort();
        (ids.join(" "), known.join(" "))
    };
    let pair = |ids: &str, known: &str| (ids.to_owned(), known.to_owned());
    assert_eq!(found(&[], &[]), pair("", ""));
    assert_eq!(found(&["HD-2", "HD-9", "HD-4"], &[]), pair("HD-2 HD-4", ""));
    assert_eq!(found(&[], &["KH1", "KH3", "KH9"]), pair("HD-1", "KH1 KH3"));
    assert_eq!(found(&["HD-1"], &["KH2", "KH1", "KH2"]), pair("HD-1 HD-3", "KH1 KH2"));
}

pub fn a_customers_bills_come_newest_first_whatever_became_of_them(mut h: Harness) {
    let of = |id: &str, period: &str| Invoice { period: period.to_owned(), ..invoice(id, 10) };
    let rows = [
        of("HD-1", "2026-09-1"),
        Invoice { status: InvoiceStatus::Paid, ..of("HD-2", "2026-10-1") },
        Invoice { customer: customer("KH2"), ..of("HD-3", "2026-10-1") },
        Invoice { status: InvoiceStatus::Cancelled, ..of("HD-4", "2026-10-2") },
        of("HD-0", "2026-09-1"),
    ];
    h.tx(|tx| tx.upsert_invoices(&rows));
    let mut found = |code: &str, limit: u32| {
        let bills = h.reports.invoices_of_customer(&customer(code), limit).unwrap();
        bills.iter().map(|account| account.invoice.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("KH1", 9), "HD-4 HD-2 HD-0 HD-1");
    assert_eq!(found("KH1", 2), "HD-4 HD-2");
    assert_eq!((found("KH2", 9), found("KH9", 9)), ("HD-3".to_owned(), String::new()));
}

pub fn seals_come_back_in_order(mut h: Harness) {
    let seal = |ms: i64| Seal { at: at(ms), heads: vec![(0, 7, [1; 32]), (LANE, ms, [2; 32])], signature: [9; 32] };
    for ms in [1, 2, 3] {
        h.tx(|tx| tx.add_seal(&seal(ms)));
    }
    assert_eq!(h.reports.seals(Timestamp::default(), 9).unwrap(), vec![seal(1), seal(2), seal(3)]);
    assert_eq!(h.reports.seals(at(1), 1).unwrap(), vec![seal(2)]);
    assert_eq!(h.reports.seals(at(3), 9).unwrap(), vec![]);
    // Two instances may seal in one millisecond: a page never ends between them.
    h.tx(|tx| tx.add_seal(&seal(2)));
    assert_eq!(h.reports.seals(at(1), 1).unwrap(), vec![seal(2), seal(2)]);
}

pub fn repeats_pauses_and_redone_receipts_are_kept(mut h: Harness) {
    let repeat = |count| RepeatCount { partner: partner(), day: DAY, count };
    h.tx(|tx| tx.count_repeats(&[repeat(2), repeat(3)]));

    h.tx(|tx| tx.set_partner_paused(&partner(), true, at(0)));
    h.tx(|tx| tx.set_partner_paused(&partner(), true, at(1)));
    assert_eq!(h.tx(|tx| tx.paused_partners()), vec![partner()]);
    h.tx(|tx| tx.set_partner_paused(&partner(), false, at(2)));
    assert_eq!(h.tx(|tx| tx.paused_partners()), vec![]);

    add_receipt(&mut h, "one", Verdict::Stale);
    add_receipt(&mut h, "two", Verdict::Stale);
    h.tx(|tx| tx.note_redone(LANE, 2, at(7)));
    let redone: Vec<_> = h.reports.receipts(&all_receipts()).unwrap().iter().map(|r| r.redone_at).collect();
    assert_eq!(redone, vec![None, Some(at(7))]);
}

pub fn the_lead_is_one_holders_until_it_ends(mut h: Harness) {
    let mut leads = |work, holder, now, lasts_ms| {
        h.tx(|tx| tx.lead(&Lead { work, holder: Generation(holder), now: at(now), lasts_ms }))
    };
    assert!(leads("seals", 1, 0, 10));
    assert!(!leads("seals", 2, 9, 10));
    assert!(leads("lanes", 2, 9, 10), "another work");
    assert!(leads("seals", 1, 9, 10), "kept for longer");
    assert!(!leads("seals", 2, 18, 10));
    assert!(leads("seals", 2, 19, 10));
    assert!(!leads("seals", 1, 20, 10));
    assert!(leads("seals", 2, 21, 0), "given back");
    assert!(leads("seals", 1, 21, 10));
}

pub fn payments_are_found_by_what_people_know(mut h: Harness) {
    h.invoices(&[("HD-1", 100), ("HD-2", 100)]);
    h.pay("A1", "HD-1", 100);
    h.pay("A2", "HD-2", 100);
    let parked = h.park("A3", "HD-1", 50);
    let keys = |found: Vec<thuho::store::rows::EventRecord>| found.iter().map(|e| e.key).collect::<Vec<_>>();
    let on_one = h.reports.payments_of_invoice(&invoice_id("HD-1"), 9).unwrap();
    assert_eq!(keys(on_one), vec![parked, payment_key("A1")]);
    let newest = h.reports.payments_of_invoice(&invoice_id("HD-1"), 1).unwrap();
    assert_eq!(keys(newest), vec![parked]);
    let mut found = |text: &str| keys(h.reports.payments_by_reference(text, &matching::meanings(text), 9).unwrap());
    assert_eq!(found("261122_HD-1"), vec![parked, payment_key("A1")]);
    assert_eq!(found("261122_HD-2"), vec![payment_key("A2")]);
    assert_eq!(found("261123_HD-2"), vec![], "the text, not the invoice, is asked for");
    assert_eq!(keys(h.reports.events_named(&partner(), "A1", 9).unwrap()), vec![payment_key("A1")]);
    let nobody = PartnerCode::parse("nobody").unwrap();
    assert_eq!(keys(h.reports.events_named(&nobody, "A1", 9).unwrap()), vec![]);
}

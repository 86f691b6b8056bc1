//! A customer's bills and payments, files that were superseded, partners that were heard: on both databases.

use super::world::{line, partner, person};
use crate::store_contract::contract::build::{DAY, at, clearing, customer, dong, invoice, payment, suspense};
use crate::store_contract::contract::{Harness, LANE};
use thuho::domain::decision::ParkReason;
use thuho::domain::ids::PartnerCode;
use thuho::domain::invoice::{Invoice, InvoiceStatus};
use thuho::domain::notice::{ReferenceText, References};
use thuho::domain::receipt::{Evidence, HashedEvidence, Link, Verdict};
use thuho::domain::statement::{FileNo, StatementKind, Sum};
use thuho::store::pages::Heard;
use thuho::store::rows::{EventRecord, EventState};
use thuho::store::statements::{FileState, NewStatement, StatementSums};
use thuho::store::{EventWrite, NewReceipt, Writes};

fn bill(id: &str, whose: &str, period: &str, status: InvoiceStatus) -> Invoice {
    Invoice { customer: customer(whose), period: period.to_owned(), status, ..invoice(id, 100) }
}

fn a_customers_bills_come_last_period_first_and_whatever_their_state(mut h: Harness) {
    h.tx(|tx| {
        tx.upsert_invoices(&[
            bill("HD-1", "KH1", "2026-08-1", InvoiceStatus::Open),
            bill("HD-2", "KH1", "2026-10-1", InvoiceStatus::Cancelled),
            bill("HD-3", "KH1", "2026-09-1", InvoiceStatus::Paid),
            bill("HD-4", "KH1", "2026-10-1", InvoiceStatus::Open),
            bill("HD-5", "KH2", "2026-10-1", InvoiceStatus::Open),
        ])
    });
    h.pay("1", "HD-1", 60);
    h.pay("2", "HD-1", 30);
    let found = h.reports.invoices_of_customer(&customer("KH1"), 9).unwrap();
    let ids: Vec<&str> = found.iter().map(|account| account.invoice.id.as_str()).collect();
    assert_eq!(ids, ["HD-2", "HD-4", "HD-3", "HD-1"]);
    for account in &found {
        assert_eq!(h.reports.invoice(&account.invoice.id).unwrap().as_ref(), Some(account), "as it is asked for alone");
    }
    assert_eq!((found[3].settled, found[3].sequence), (dong(90), 2));
    assert_eq!(h.reports.invoices_of_customer(&customer("KH1"), 2).unwrap(), found[..2]);
    assert_eq!(h.reports.invoices_of_customer(&customer("KH9"), 2).unwrap(), []);
}

fn a_customers_payments_are_those_on_its_bills_those_that_name_them_and_those_that_name_it(mut h: Harness) {
    h.tx(|tx| {
        tx.upsert_invoices(&[
            bill("HD-1", "KH1", "2026-08-1", InvoiceStatus::Open),
            bill("HD-2", "KH1", "2026-10-1", InvoiceStatus::Open),
            bill("HD-5", "KH2", "2026-10-1", InvoiceStatus::Open),
        ])
    });
    h.pay("1", "HD-1", 60);
    h.pay("2", "HD-2", 30);
    h.pay("3", "HD-5", 30);
    let parked = h.park("4", "HD-2", 7);
    h.park("5", "HD-5", 7);
    // On the bill and off it again.
    let back = h.park("6", "HD-1", 9);
    h.repost(back, EventState::Settled, suspense(), ("HD-1", 9));
    h.repost(back, EventState::Reversed, clearing(), ("HD-1", -9));
    let mut said = payment("7", 1, EventState::Parked(ParkReason::UnknownInvoice));
    said.content.references = References { customer: ReferenceText::new("KH1"), ..References::default() };
    let said = EventRecord { paid_at: at(1), postings: 0, ..said };
    h.tx(|tx| tx.write(&Writes { events: vec![EventWrite::Claim(said.clone())], ..Writes::default() }));
    let found = h.reports.payments_of_customer(&customer("KH1"), 9).unwrap();
    let mut names: Vec<&str> = found.iter().map(|record| record.event.as_str()).collect();
    assert_eq!(names[0], "7", "the last paid first");
    names.sort_unstable();
    assert_eq!(names, ["1", "2", "4", "6", "7"]);
    assert!(found.iter().any(|record| record.key == parked));
    assert_eq!(h.reports.payments_of_customer(&customer("KH1"), 2).unwrap(), found[..2]);
    assert_eq!(h.reports.payments_of_customer(&customer("KH9"), 2).unwrap(), []);
}

fn taken(h: &mut Harness, hash: u8, lines: u32) -> FileNo {
    let new = NewStatement {
        kind: StatementKind::Partner,
        partner: partner("collector"),
        day: DAY,
        name: format!("{hash}.csv"),
        hash: [hash; 32],
        bytes: 1,
        author: person("finance.an"),
        at: at(5),
    };
    let file = h.tx(|tx| tx.begin_statement(&new)).file;
    h.tx(|tx| tx.add_lines(file, &(1..=lines).map(line).collect::<Vec<_>>()));
    let payments = Sum { count: lines.into(), dong: lines.into() };
    h.tx(|tx| tx.take_statement(file, &StatementSums { lines, payments, ..StatementSums::default() }));
    file
}

fn a_superseded_file_is_read_all_the_same(mut h: Harness) {
    let (old, new) = (taken(&mut h, 1, 5), taken(&mut h, 2, 2));
    let state = |h: &mut Harness, no| h.reports.statement_file(no).unwrap().map(|file| (file.state, file.sums.lines));
    assert_eq!(state(&mut h, old), Some((FileState::Superseded, 5)));
    assert_eq!(state(&mut h, new), Some((FileState::Taken, 2)));
    assert_eq!(state(&mut h, FileNo(99)), None);
    for (file, name, all) in [(old, "1.csv", 5), (new, "2.csv", 2), (FileNo(99), "", 0)] {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = h.reports.file_lines(file, after, 2).unwrap();
            let Some(last) = page.last() else { break };
            after = last.no.place();
            assert!(page.len() <= 2 && page.iter().all(|one| one.no.file() == file && one.file.0 == name));
            rows.extend(page.iter().map(|one| one.row));
        }
        assert_eq!(rows, (1..=all).collect::<Vec<_>>());
    }
    let one = &h.reports.file_lines(new, 1, 9).unwrap()[0];
    assert_eq!(h.reports.shown_line(one.no).unwrap().as_ref(), Some(one));
}

fn receipt(h: &mut Harness, whose: &str, ms: i64) {
    let evidence = HashedEvidence::of(Evidence {
        partner: PartnerCode::parse(whose).unwrap(),
        key_id: "k".to_owned(),
        method: thuho::domain::notice::Method::Post,
        path: "/".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: bytes::Bytes::from(ms.to_string()),
        received_at: at(ms),
    });
    h.tx(|tx| {
        let heads = tx.heads()?;
        let link = Link {
            lane: LANE,
            n: heads.receipt,
            raw_hash: evidence.raw_hash(),
            verdict: Verdict::Stale,
            received_at: at(ms),
            event: None,
            amount_dong: None,
        };
        let hash = link.hash(&heads.chain);
        let new = NewReceipt { hash, link, previous: heads.chain, evidence: evidence.clone() };
        tx.write(&Writes { receipts: vec![new], ..Writes::default() })
    });
}

fn who_was_heard_last_is_read_from_the_end(mut h: Harness) {
    assert_eq!(h.reports.last_heard(at(0), 9).unwrap(), []);
    for (whose, ms) in [("quiet", 1), ("busy", 2), ("busy", 10), ("other", 11), ("busy", 12), ("busy", 13)] {
        receipt(&mut h, whose, ms);
    }
    let heard = |h: &mut Harness, since, most| h.reports.last_heard(at(since), most).unwrap();
    let of = |whose: &str, ms, count, whole| Heard { partner: partner(whose), at: at(ms), count, whole };
    assert_eq!(heard(&mut h, 5, 100), [of("busy", 13, 3, true), of("other", 11, 1, true), of("quiet", 1, 0, true)]);
    assert_eq!(heard(&mut h, 5, 5), [of("busy", 13, 3, true), of("other", 11, 1, true)], "all since then, and more");
    assert_eq!(heard(&mut h, 5, 3), [of("busy", 13, 2, false), of("other", 11, 1, false)]);
    assert_eq!(heard(&mut h, 12, 2), [of("busy", 13, 2, false)]);
}

super::on_both! {
    a_customers_bills_come_last_period_first_and_whatever_their_state
    a_customers_payments_are_those_on_its_bills_those_that_name_them_and_those_that_name_it
    a_superseded_file_is_read_all_the_same
    who_was_heard_last_is_read_from_the_end
}

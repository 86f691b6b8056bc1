//! A customer's bills and payments, files that were superseded, partners that were heard: on both databases.

use super::world::{line, partner, person};
use crate::store_contract::contract::build::{DAY, at, customer, dong, invoice};
use crate::store_contract::contract::{Harness, LANE};
use thuho::domain::ids::PartnerCode;
use thuho::domain::invoice::{Invoice, InvoiceStatus};
use thuho::domain::receipt::{Evidence, HashedEvidence, Link, Verdict};
use thuho::domain::statement::{FileNo, LineNo, StatementKind, Sum};
use thuho::store::pages::Heard;
use thuho::store::statements::{FileState, NewStatement, StatementSums};
use thuho::store::{NewReceipt, Writes};

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
    let (gone, left) = (h.reports.file_lines(old, 0, 9).unwrap(), h.reports.file_lines(new, 0, 9).unwrap());
    assert_eq!(h.reports.shown_line(left[1].no).unwrap().as_ref(), Some(&left[1]));
    assert_eq!(h.reports.shown_line(gone[0].no).unwrap(), None, "its file says nothing any more");
    let asked = [left[1].no, LineNo::of(FileNo(99), 1), gone[0].no, left[0].no, left[1].no];
    assert_eq!(h.reports.shown_lines(&asked).unwrap(), left, "each once, by number");
    assert_eq!(h.reports.shown_lines(&[]).unwrap(), vec![]);
}

fn receipt(h: &mut Harness, whose: &str, (verdict, amount_dong): (Verdict, Option<i64>), ms: i64) {
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
            verdict,
            received_at: at(ms),
            event: None,
            amount_dong,
        };
        let hash = link.hash(&heads.chain);
        let new = NewReceipt { hash, link, previous: heads.chain, evidence: evidence.clone() };
        tx.write(&Writes { receipts: vec![new], ..Writes::default() })
    });
}

fn who_was_heard_last_is_read_from_the_end(mut h: Harness) {
    const STALE: (Verdict, Option<i64>) = (Verdict::Stale, None);
    const PAID: (Verdict, Option<i64>) = (Verdict::Settled, Some(40));
    assert_eq!(h.reports.last_heard(at(0), 9).unwrap(), []);
    let calls = [
        ("quiet", STALE, 1),
        ("busy", PAID, 2),
        ("busy", STALE, 10),
        ("other", PAID, 11),
        ("busy", PAID, 12),
        ("busy", PAID, 13),
    ];
    for (whose, said, ms) in calls {
        receipt(&mut h, whose, said, ms);
    }
    let heard = |h: &mut Harness, since, most| h.reports.last_heard(at(since), most).unwrap();
    let stale = |count| (Verdict::Stale, Sum { count, dong: 0 });
    let paid = |count: u64, dong| (Verdict::Settled, Sum { count, dong });
    let of = |whose: &str, ms, calls: &[(Verdict, Sum)], whole| Heard {
        partner: partner(whose),
        at: at(ms),
        calls: calls.iter().copied().collect(),
        whole,
    };
    let (busy, other) = ([stale(1), paid(2, 80)], [paid(1, 40)]);
    let quiet = of("quiet", 1, &[], true);
    assert_eq!(heard(&mut h, 5, 100), [of("busy", 13, &busy, true), of("other", 11, &other, true), quiet]);
    let all_and_more = [of("busy", 13, &busy, true), of("other", 11, &other, true)];
    assert_eq!(heard(&mut h, 5, 5), all_and_more, "all since then, and more");
    let two = [paid(2, 80)];
    assert_eq!(heard(&mut h, 5, 3), [of("busy", 13, &two, false), of("other", 11, &other, false)]);
    assert_eq!(heard(&mut h, 12, 2), [of("busy", 13, &two, false)]);
}

super::on_both! {
    a_customers_bills_come_last_period_first_and_whatever_their_state
    a_superseded_file_is_read_all_the_same
    who_was_heard_last_is_read_from_the_end
}

//! The zero-loss certificate, on both databases: a day lies between two seals, each call of it in one place, and one
//! changed byte anywhere is found.

use crate::store_contract::contract::Harness;
use crate::store_contract::contract::build::partner;
use crate::store_contract::{postgres, sqlite};
use jiff::civil::{Date, date};
use thuho::domain::secret::Secret;
use thuho::domain::time::Timestamp;
use thuho::ledger::audit;
use thuho::ledger::certificate::{Certificate, CertificateError, CertifiedDay, Figure, certify, verify};
use thuho::store::RepeatCount;

const MONDAY: Date = date(2026, 11, 23);
const TUESDAY: Date = date(2026, 11, 24);

fn key() -> Secret {
    Secret::new(b"the-seal-key-of-the-certificate-tests".to_vec())
}

fn day(day: Date) -> CertifiedDay {
    CertifiedDay::of(partner(), day).unwrap()
}

fn seal(h: &mut Harness, at: Timestamp) {
    h.tx(|tx| audit::seal(tx, &key(), at).map(drop));
}

fn stores() -> impl Iterator<Item = Harness> {
    [Some(sqlite()), postgres::postgres()].into_iter().flatten()
}

/// Two days: 100 settled, 7 in suspense and two repeats on Monday, 200 settled on Tuesday.
fn two_days(h: &mut Harness) {
    let (monday, tuesday) = (day(MONDAY), day(TUESDAY));
    h.invoices(&[("HD-1", 100), ("HD-2", 200)]);
    h.pay("1", "HD-1", 100);
    h.park("2", "HD-9", 7);
    h.tx(|tx| tx.count_repeats(&[RepeatCount { partner: partner(), day: MONDAY, count: 2 }]));
    seal(h, monday.end.plus_ms(-20_000));
    h.pay("3", "HD-2", 200);
    seal(h, tuesday.start.plus_ms(40_000));
    seal(h, tuesday.end.plus_ms(-10_000));
    seal(h, tuesday.end.plus_ms(50_000));
}

fn certified(h: &mut Harness, of: Date) -> Certificate {
    certify(h.reports.as_mut(), &key(), &day(of)).unwrap()
}

fn checked(h: &mut Harness, certificate: &Certificate) -> Option<String> {
    verify(h.reports.as_mut(), &key(), certificate).unwrap()
}

#[test]
fn each_call_of_a_day_is_in_one_place() {
    for mut h in stores() {
        two_days(&mut h);
        let (monday, tuesday) = (certified(&mut h, MONDAY), certified(&mut h, TUESDAY));
        let figure = |count, dong| Figure { count, dong };
        let said = &monday.statement;
        assert_eq!((said.total, said.repeats), (figure(2, 107), 2));
        let places: Vec<_> = said.by_verdict.iter().map(|(verdict, figure)| (verdict.as_str(), *figure)).collect();
        assert_eq!(places, [("parked", figure(1, 7)), ("settled", figure(1, 100))]);
        assert_eq!(said.in_the_books, said.by_verdict);
        assert_eq!((tuesday.statement.total, tuesday.statement.repeats), (figure(1, 200), 0));
        // Side by side: nothing lies between two days.
        let (last, first) = (&said.lanes[0], &tuesday.statement.lanes[0]);
        assert_eq!((last.upto, &last.upto_hash), (first.after, &first.after_hash));
        assert_eq!((checked(&mut h, &monday), checked(&mut h, &tuesday)), (None, None));
    }
}

#[test]
fn a_day_whose_last_receipts_are_not_sealed_is_not_certified() {
    for mut h in stores() {
        let nothing = certify(h.reports.as_mut(), &key(), &day(MONDAY));
        assert!(matches!(nothing, Err(CertificateError::NotSealed)), "{nothing:?}");
        h.invoices(&[("HD-1", 100)]);
        h.pay("1", "HD-1", 100);
        seal(&mut h, day(MONDAY).end.plus_ms(-20_000));
        let early = certify(h.reports.as_mut(), &key(), &day(MONDAY));
        assert!(matches!(early, Err(CertificateError::NotSealed)), "{early:?}");
        seal(&mut h, day(MONDAY).end);
        assert_eq!(certified(&mut h, MONDAY).statement.total.dong, 100);
    }
}

#[test]
fn a_certificate_that_was_changed_is_found() {
    for mut h in stores() {
        two_days(&mut h);
        let monday = certified(&mut h, MONDAY);
        let text = serde_json::to_string(&monday).unwrap();
        let mut found = 0;
        // Every digit and letter of it, one after the other.
        for at in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii_alphanumeric()) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let Ok(changed) = serde_json::from_slice::<Certificate>(&bytes) else { continue };
            assert!(checked(&mut h, &changed).is_some(), "byte {at}: {}", String::from_utf8_lossy(&bytes));
            found += 1;
        }
        assert!(found > 200, "{found} changes were read at all");
        let other = Secret::new(b"another-key-that-nobody-here-has-00".to_vec());
        assert!(verify(h.reports.as_mut(), &other, &monday).unwrap().is_some());
    }
}

/// What somebody with the database's rights may do, and each must show.
const FORGERIES: [&str; 6] = [
    "DELETE FROM entries WHERE amount = -100",
    "UPDATE entries SET amount = amount - 1 WHERE amount = -100",
    "UPDATE receipts SET amount = 101 WHERE amount = 100",
    "UPDATE receipts SET verdict = 'conflict' WHERE amount = 7",
    "UPDATE postings SET kind = 'park' WHERE kind = 'settle'",
    "DELETE FROM receipts WHERE amount = 7",
];

#[test]
fn books_that_were_changed_since_are_found() {
    let Some(server) = crate::harness::postgres::Server::shared("books that were changed since") else { return };
    for forgery in FORGERIES {
        let database = server.database();
        let mut h = postgres::on(&database);
        two_days(&mut h);
        let monday = certified(&mut h, MONDAY);
        database.sql(&format!("SET session_replication_role = replica; {forgery}"));
        let found = checked(&mut h, &monday);
        assert!(found.is_some(), "{forgery}");
        assert!(certify(h.reports.as_mut(), &key(), &day(MONDAY)).is_err(), "{forgery}");
    }
}

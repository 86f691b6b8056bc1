//! What two people have settled is settled, and nothing besides it: through the real program on both databases.

use super::closing::{DAY, bring, compare, grant, notify, statement};
use super::program::{as_person, bill, serve};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, ended, signal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use thuho::domain::ids::{EventId, EventKey, Movement, PartnerCode};
use thuho::domain::review::BreakClass;

/// Open breaks.
pub(super) fn open(home: &Home) -> Vec<Value> {
    let all = home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
    all.as_array().unwrap().clone()
}

/// Closed as it is, by two.
pub(super) fn resolve(home: &Home, no: i64) {
    let wish = json!({"reason": "the partner's letter", "items": [{"break": no, "resolution": {"action": "close"}}]});
    let proposed = as_person(home, "an", "POST", "/api/v1/proposals", &wish);
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let (proposed, word) = (proposed.json(), json!({"sha256": proposed.json()["sha256"]}));
    let approved = as_person(home, "chi", "POST", &format!("/api/v1/proposals/{}/approve", proposed["no"]), &word);
    assert_eq!(approved.json()["done"], 1, "{}", approved.text());
}

/// The `n`th file of the day, changed so in what it says of P1; what comparing it opened and closed.
fn says(home: &Home, n: u32, changes: &[(&str, &str)]) -> [u64; 2] {
    let mut file = statement(&[("P1", "HD-1", 100_000, 9)]).replacen(",,,100000", &format!(",,C{n},100000"), 1);
    for (from, to) in changes {
        assert!(file.contains(from), "{file}");
        file = file.replacen(from, to, 1);
    }
    let brought = bring(home, DAY, &file);
    assert_eq!(brought.status, 201, "{}", brought.text());
    again(home)
}

fn again(home: &Home) -> [u64; 2] {
    let done = compare(home, DAY);
    assert_eq!(done.status, 200, "{}", done.text());
    ["breaks_opened", "breaks_closed"].map(|what| done.json()[what].as_u64().unwrap())
}

fn classes(home: &Home) -> Vec<String> {
    open(home).iter().map(|one| one["class"].as_str().unwrap().to_owned()).collect()
}

const MONEY: &str = ",100000,0,0,";

/// A corrected file with another fee, discount or reference says what nobody has settled, though the amounts are the same.
fn another_one_is_open(home: &Home) {
    let gateway = serve(home);
    bill(home, "HD-1", 100_000);
    grant(home, "chi", "close", 10_000_000);
    notify(home, "P1", "HD-1", 100_000, 9);
    let mut files = 0;
    let mut says = |changes: &[(&str, &str)]| {
        files += 1;
        says(home, files, changes)
    };
    let fee = |fee: &'static str| vec![(MONEY, fee)];
    let reference = |invoice: &'static str| vec![("HD-1", invoice)];
    // The reference is what it was when that was settled, and the fee is not.
    let both = |fee: &'static str| vec![("HD-1", "HD-2"), (MONEY, fee)];
    for (class, [one, other, third]) in [
        ("FEE_MISMATCH", [",100000,0,5000,", ",100000,0,50000,", ",100000,0,7,"].map(fee)),
        ("PROMO_MISMATCH", [",100000,5000,0,", ",100000,50000,0,", ",100000,7,0,"].map(fee)),
        ("REFERENCE_MISMATCH", ["HD-2", "HD-3", "HD-4"].map(reference)),
        ("REFERENCE_MISMATCH", [",100000,0,1,", ",100000,0,2,", ",100000,0,3,"].map(both)),
    ] {
        assert_eq!(says(&one), [1, 0], "{one:?}");
        assert_eq!(classes(home), [class]);
        resolve(home, open(home)[0]["no"].as_i64().unwrap());
        assert_eq!((again(home), classes(home).len()), ([0, 0], 0), "{one:?} is settled");
        assert_eq!((says(&one), classes(home).len()), ([0, 0], 0), "{one:?} is settled, whichever line says it");
        assert_eq!(says(&other), [1, 0], "{other:?}");
        assert_eq!(classes(home), [class]);
        let asked = open(home)[0]["no"].clone();
        assert_eq!(says(&other), [0, 0], "{other:?} in another line");
        assert_eq!(open(home)[0]["no"], asked, "what was said of it is said of it still");
        assert_eq!(says(&third), [1, 1], "{third:?} in place of {other:?}");
        assert_eq!((says(&one), classes(home).len()), ([0, 1], 0), "{one:?} was settled, and opens nothing");
        assert_eq!((says(&[]), classes(home).len()), ([0, 0], 0));
    }
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

#[test]
fn another_fee_than_the_settled_one_is_open_on_both() {
    another_one_is_open(&Home::new());
    if let Some(database) = Database::fresh("another fee than the settled one") {
        another_one_is_open(&Home::over(database.url()));
    }
}

/// The mark of P1's other fee in books from before a fee was in it.
fn older_mark() -> String {
    let id = EventId::parse(vec!["P1".to_owned()]).unwrap();
    let partner = PartnerCode::parse("standard").unwrap();
    let event = EventKey::of(&partner, "thuho", &id, Movement::Payment);
    let mut hasher = Sha256::new();
    for part in ["partner", "standard", DAY, BreakClass::FeeMismatch.code()] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(event.as_bytes());
    hasher.update(0_i64.to_be_bytes());
    hex::encode(hasher.finalize())
}

/// A break that is open from before its mark knew the fee stays the one about it, and is settled for its line.
fn from_older_books(home: &Home, database: Option<&Database>) {
    let mut gateway = serve(home);
    bill(home, "HD-1", 100_000);
    grant(home, "chi", "close", 10_000_000);
    notify(home, "P1", "HD-1", 100_000, 9);
    let older = |gateway: std::process::Child| {
        signal(&gateway, "-TERM");
        assert_eq!(ended(gateway).0, Some(0));
        let mark = older_mark();
        let open = "WHERE closed_at IS NULL AND class = 'FEE_MISMATCH'";
        match database {
            Some(database) => drop(database.sql(&format!("UPDATE breaks SET mark = '\\x{mark}' {open}"))),
            None => {
                let books = rusqlite::Connection::open(&home.books).unwrap();
                assert_eq!(books.execute(&format!("UPDATE breaks SET mark = x'{mark}' {open}"), ()).unwrap(), 1);
            }
        }
        serve(home)
    };
    assert_eq!(says(home, 1, &[(MONEY, ",100000,0,5000,")]), [1, 0]);
    gateway = older(gateway);
    let asked = open(home)[0]["no"].clone();
    assert_eq!((again(home), &open(home)[0]["no"], open(home).len()), ([0, 0], &asked, 1), "it is the same one");
    assert_eq!(says(home, 2, &[(MONEY, ",100000,0,50000,")]), [1, 1], "another fee takes its place");
    gateway = older(gateway);
    resolve(home, open(home)[0]["no"].as_i64().unwrap());
    assert_eq!((again(home), open(home).len()), ([0, 0], 0), "what was settled of this line is settled");
    assert_eq!((says(home, 3, &[(MONEY, ",100000,0,5000,")]), open(home).len()), ([1, 0], 1));
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

#[test]
fn a_fee_from_older_books_is_not_open_twice_on_both() {
    from_older_books(&Home::new(), None);
    if let Some(database) = Database::fresh("a fee from older books") {
        from_older_books(&Home::over(database.url()), Some(&database));
    }
}

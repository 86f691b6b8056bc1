//! Statements that are dropped into a folder: taken and compared once they are whole, or moved away with the reasons.

use super::program::bill;
use crate::harness::program::{Home, ended, signal};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

const HEADER: &str = "payment_id,type,invoice_id,order,customer_code,amount,discount,fee,paid_at,reverses";
const LINE: &str = "P9,payment.succeeded,HD-1,,,150000,0,0,2026-11-20T10:00:00+07:00,";

fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn drop_in(folder: &Path, name: &str, text: &str) {
    // As a careful sender does: under another name, and renamed when it is whole.
    std::fs::write(folder.join(format!("{name}.part")), text).unwrap();
    std::fs::rename(folder.join(format!("{name}.part")), folder.join(name)).unwrap();
}

#[test]
fn what_is_dropped_is_taken_and_compared_or_moved_away_with_the_reasons() {
    let home = Home::new();
    let folder = home.path("inbox/standard/partner");
    std::fs::create_dir_all(&folder).unwrap();
    home.configure(&format!("finance.inbox = \"{}\"\nfinance.inbox_every_s = 1\n", home.path("inbox").display()));
    let gateway = home.serve();
    bill(&home, "HD-1", 150_000);
    std::fs::write(folder.join("half-20261122.csv.part"), "half").unwrap();
    let whole = format!("{HEADER}\n{LINE}\nTOTAL,count,1,,,150000,,,,\n");
    drop_in(&folder, "day-20261120.csv", &whole);
    let short = whole.replace("count,1,,,150000", "count,2,,,150000").replace("2026-11-20T", "2026-11-21T");
    drop_in(&folder, "short-20261121.csv", &short);
    drop_in(&folder, "nameless.csv", &whole);
    until("the file is taken", || folder.join("taken/day-20261120.csv").exists());
    until("both are refused", || {
        folder.join("refused/short-20261121.csv.why.txt").exists()
            && folder.join("refused/nameless.csv.why.txt").exists()
    });
    let why = std::fs::read_to_string(folder.join("refused/short-20261121.csv.why.txt")).unwrap();
    assert!(why.contains("row 3"), "{why}");
    assert!(folder.join("half-20261122.csv.part").exists(), "what is being written is left alone");
    let breaks = || home.internal("GET", "/api/v1/breaks", "application/json", b"").json();
    until("its day is compared", || breaks().as_array().unwrap().iter().any(|b| b["class"] == "MISSING_WEBHOOK"));
    let bad: Vec<Value> = breaks().as_array().unwrap().iter().filter(|b| b["class"] == "BAD_FILE").cloned().collect();
    assert_eq!(bad.len(), 2, "{bad:#?}");
    // The same bytes again: moved, and nothing changes.
    drop_in(&folder, "day-20261120.csv", &whole);
    until("it is moved under another name", || folder.join("taken/1-day-20261120.csv").exists());
    let files = home.internal("GET", "/api/v1/statements", "application/json", b"").json();
    assert_eq!(files.as_array().unwrap().iter().filter(|f| f["state"] == "taken").count(), 1, "{files:#}");
    assert_eq!(files[0]["author"], "system:inbox");
    signal(&gateway, "-TERM");
    assert_eq!(ended(gateway).0, Some(0));
}

//! The drill that ops should do once a quarter: a backup while notices flow, a disaster, the backup restored, and the
//! partners repeat. Whatever was acknowledged before the backup is there; whatever came after it comes again, once.

use crate::harness::postgres::Server;
use crate::harness::program::{Home, code, signal};
use crate::harness::{bill, http, keys, pays};
use std::collections::BTreeSet;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::Partners;

/// More than two collectors get through in the time.
const PAYMENTS: usize = 3_000;
const AMOUNT: i64 = 100_000;

/// One payment for each of many bills, as its collector sends it.
fn payments() -> Arc<Vec<Vec<u8>>> {
    let partners = Partners::load(&crate::harness::shipped(), keys().as_ref()).unwrap();
    let profile = partners.get("standard").unwrap();
    let call = |n: usize| {
        let wanted = pays(&format!("E{n}"), &format!("HD-{n}"), AMOUNT);
        http::webhook("standard", &profile.forge(keys().of("standard"), &wanted, SystemClock.now()).unwrap())
    };
    Arc::new((0..PAYMENTS).map(call).collect())
}

/// Collectors at work, and which of their payments were acknowledged.
struct Collectors {
    next: AtomicUsize,
    end: AtomicBool,
    acknowledged: Mutex<BTreeSet<usize>>,
}

impl Collectors {
    fn acknowledged(&self) -> BTreeSet<usize> {
        self.acknowledged.lock().unwrap().clone()
    }

    fn wait_for(&self, count: usize) {
        let there = (0..3_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.acknowledged().len() >= count
        });
        assert!(there, "{} of {count} payments", self.acknowledged().len());
    }
}

/// Puts the bills in, and lets two collectors pay them until the disaster, with a backup in the middle. Gives back what
/// was acknowledged when the backup began, when it had ended, and in all.
fn a_day(home: &Home, mut child: Child, backup: impl FnOnce()) -> [BTreeSet<usize>; 3] {
    let calls = payments();
    let bills: Vec<_> = (0..PAYMENTS).map(|n| bill(&format!("HD-{n}"), AMOUNT).of(&format!("PA{n}")).json()).collect();
    let put = home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", bills.join("\n").as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    let collectors = Arc::new(Collectors {
        next: AtomicUsize::new(0),
        end: AtomicBool::new(false),
        acknowledged: Mutex::new(BTreeSet::new()),
    });
    let threads = [(); 2].map(|()| {
        let (collectors, calls, to) = (collectors.clone(), calls.clone(), home.public);
        std::thread::spawn(move || {
            while !collectors.end.load(Ordering::Relaxed) {
                let n = collectors.next.fetch_add(1, Ordering::Relaxed);
                let Some(call) = calls.get(n) else { return };
                let Ok(mut stream) = std::net::TcpStream::connect(to) else { return };
                std::io::Write::write_all(&mut stream, call).ok();
                // A call in flight at the disaster hears nothing, and counts as nothing.
                let Ok(answer) = http::try_answer(&mut stream) else { return };
                assert_eq!(answer.json()["outcome"], "accepted", "{}", answer.text());
                collectors.acknowledged.lock().unwrap().insert(n);
                std::thread::sleep(Duration::from_millis(3));
            }
        })
    });
    collectors.wait_for(50);
    let before = collectors.acknowledged();
    backup();
    let during = collectors.acknowledged();
    assert!(during.len() > before.len(), "notices flowed while the backup was made");
    collectors.wait_for(during.len() + 50);
    child.kill().unwrap();
    child.wait().unwrap();
    collectors.end.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    [before, during, collectors.acknowledged()]
}

/// The restored books, before and after everybody repeats what they had been told was taken.
fn come_back(home: &Home, [before, during, all]: [BTreeSet<usize>; 3]) {
    let mut child = home.serve_logging();
    let settled = |n: usize| {
        let answer = home.internal("GET", &format!("/api/v1/invoices/HD-{n}"), "text/plain", b"");
        answer.json()["settled"].as_i64().unwrap()
    };
    let lost: Vec<_> = before.iter().filter(|n| settled(**n) != AMOUNT).collect();
    assert!(lost.is_empty(), "acknowledged before the backup and not in it: {lost:?}");
    let after = all.difference(&during).filter(|n| settled(**n) == 0).count();
    assert!(after > 0, "the control: what came after the backup is not in it");
    let calls = payments();
    let mut anew = 0;
    for n in &all {
        let answer = http::call(home.public, &calls[*n]);
        match answer.json()["outcome"].as_str().unwrap() {
            "accepted" => anew += 1,
            outcome => assert_eq!(outcome, "duplicate", "{}", answer.text()),
        }
    }
    assert!(anew >= after, "{anew} of {after}");
    let wrong: Vec<_> = all.iter().filter(|n| settled(**n) != AMOUNT).collect();
    assert!(wrong.is_empty(), "lost or booked twice: {wrong:?}");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", home.log());
    let (exit, said) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && said.contains("audit: passed"), "{said}");
}

#[test]
fn a_file_backed_up_under_load_and_restored_loses_nothing_that_was_acknowledged_before() {
    let home = Home::new();
    let run = |args: &[&str]| {
        let (exit, said) = code(&home.run(&[args, &["--config", "gateway.toml"]].concat()));
        assert_eq!(exit, Some(0), "{said}");
    };
    let told = a_day(&home, home.serve_logging(), || run(&["backup", "copy.db"]));
    for file in ["books.db", "books.db-wal", "books.db-shm"] {
        std::fs::remove_file(home.path(file)).ok();
    }
    run(&["restore", "copy.db"]);
    come_back(&home, told);
}

#[test]
fn a_server_backed_up_under_load_and_restored_loses_nothing_that_was_acknowledged_before() {
    let test = "a_server_backed_up_under_load_and_restored_loses_nothing_that_was_acknowledged_before";
    let Some(first) = Server::start(test) else { return };
    let database = first.database();
    let home = Home::over(database.url());
    let mut copy = None;
    let told = a_day(&home, home.serve_logging(), || copy = Some(first.backup()));
    drop(first);
    let second = copy.unwrap();
    second.up();
    // The same instance, pointed at the new server.
    let file = home.path("gateway.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, super::with(&text, &database.url(), &second.same(&database).url())).unwrap();
    come_back(&home, told);
}

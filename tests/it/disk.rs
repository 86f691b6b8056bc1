//! A disk that is full, under the real program on a small file system of the test's own: collectors hear the retry
//! word, the load balancer hears not ready, nothing exits, it goes on by itself when there is room, and what was
//! acknowledged is there. Holds I2, I3 and I4.

use crate::harness::program::{Home, code, ended, signal};
use crate::harness::{bill, http, pays};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// Room for the books of a few hundred payments and their log.
const DISK: &str = "size=8m,mode=0700";

/// A file system in memory, unmounted when it goes out of scope.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// `None`, said aloud, where mounting is not allowed.
    fn new(test: &str, folder: PathBuf) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", DISK, "thuho-test"]).arg(&folder).output();
        match done {
            Ok(done) if done.status.success() => Some(Self { folder }),
            Ok(done) => {
                eprintln!("SKIPPED {test}: {}", String::from_utf8_lossy(&done.stderr).trim());
                None
            }
            Err(error) => {
                eprintln!("SKIPPED {test}: mount: {error}");
                None
            }
        }
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut ballast = std::fs::File::options().create(true).append(true).open(self.ballast()).unwrap();
        while ballast.write_all(&[0; 4_096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.folder).status().ok();
    }
}

/// Ended when the test fails half way, so that the disk can be unmounted.
struct Serving(Option<Child>);

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

const INVOICES: usize = 400;
const AMOUNT: i64 = 10_000;

fn name(n: usize) -> String {
    format!("HD-{n}")
}

fn put(home: &Home, from: usize, to: usize) -> http::Answer {
    let rows: Vec<String> = (from..to).map(|n| bill(&name(n), AMOUNT).of(&format!("PA03HL{n:07}")).json()).collect();
    home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", rows.join("\n").as_bytes())
}

/// Status and outcome of one payment.
fn pay(home: &Home, n: usize) -> (u16, String) {
    let answer = http::call(home.public, &home.call_saying(&pays(&format!("p{n}"), &name(n), AMOUNT)));
    (answer.status, answer.json()["outcome"].as_str().unwrap().to_owned())
}

fn said(status: u16, outcome: &str) -> (u16, String) {
    (status, outcome.to_owned())
}

fn readiness(home: &Home) -> (u16, String) {
    let answer = home.internal("GET", "/readyz", "text/plain", b"");
    (answer.status, answer.text())
}

fn wait_until_ready(home: &Home) {
    for _ in 0..500 {
        if readiness(home).0 == 200 {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("it does not go on: {}", readiness(home).1);
}

fn settled(home: &Home, n: usize) -> i64 {
    let answer = home.internal("GET", &format!("/api/v1/invoices/{}", name(n)), "text/plain", b"");
    answer.json()["settled"].as_i64().unwrap_or_else(|| panic!("{}", answer.text()))
}

fn audit_passes(home: &Home) {
    let audit = home.run(&["audit", "--config", "gateway.toml"]);
    assert_eq!(code(&audit).0, Some(0), "{}", code(&audit).1);
}

fn start(test: &str, home: &mut Home) -> Option<(Disk, Serving)> {
    let disk = Disk::new(test, home.path("disk"))?;
    home.books = disk.folder.join("books.db");
    home.configure("");
    let serving = Serving(Some(home.serve_logging()));
    assert_eq!(put(home, 0, INVOICES).status, 200);
    Some((disk, serving))
}

/// Pays until one payment hears nothing but the retry word; how many were accepted before. A single retry word is not
/// the end: the log's room is used again once its pages are in the file.
fn pay_until_full(home: &Home, from: usize) -> usize {
    for n in from..INVOICES {
        let accepted = (0..5).any(|_try| match pay(home, n) {
            heard if heard == said(200, "accepted") => true,
            heard => {
                assert_eq!(heard, said(503, "try_again"));
                std::thread::sleep(Duration::from_millis(50));
                false
            }
        });
        if !accepted {
            return n;
        }
    }
    panic!("the disk is never full");
}

#[test]
fn a_full_disk_is_the_retry_word_and_not_ready_until_there_is_room() {
    let mut home = Home::new();
    let test = "a_full_disk_is_the_retry_word_and_not_ready_until_there_is_room";
    let Some((disk, mut serving)) = start(test, &mut home) else { return };
    let mut paid = 0;
    for round in 0..3 {
        for n in paid..paid + 5 {
            assert_eq!(pay(&home, n), said(200, "accepted"));
        }
        disk.fill();
        let full = pay_until_full(&home, paid + 5);
        let (status, why) = readiness(&home);
        assert_eq!(status, 503, "{why}");
        assert!(why.contains("the disk is full"), "{why}");
        for n in full..full + 3 {
            assert_eq!(pay(&home, n), said(503, "try_again"), "round {round}");
        }
        // What was acknowledged is still known, and no more than that is in the books.
        assert_eq!(pay(&home, paid), said(200, "duplicate"), "round {round}");
        assert_eq!(settled(&home, full - 1), AMOUNT);
        assert_eq!(settled(&home, full), 0);
        // An import says no, and takes nothing.
        let import = put(&home, INVOICES, INVOICES + 2_000);
        assert!(import.status >= 500, "{} {}", import.status, import.text());
        assert_eq!(home.internal("GET", "/healthz", "text/plain", b"").status, 200, "nothing exits");
        disk.make_room();
        // No notice comes, as none is sent to an instance that is not ready: it looks for room by itself.
        wait_until_ready(&home);
        for n in full..full + 3 {
            assert_eq!(pay(&home, n), said(200, "accepted"), "round {round}");
        }
        paid = full + 3;
    }
    for n in 0..paid {
        assert_eq!(pay(&home, n), said(200, "duplicate"));
        assert_eq!(settled(&home, n), AMOUNT);
    }
    let child = serving.0.take().unwrap();
    signal(&child, "-TERM");
    assert_eq!(ended(child).0, Some(0), "{}", home.log());
    assert!(home.log().contains("the disk is full"), "{}", home.log());
    audit_passes(&home);
}

/// Killed on a full disk, it has all that it acknowledged, and takes payments again once there is room.
#[test]
fn a_gateway_killed_on_a_full_disk_has_what_it_acknowledged() {
    let mut home = Home::new();
    let test = "a_gateway_killed_on_a_full_disk_has_what_it_acknowledged";
    let Some((disk, mut serving)) = start(test, &mut home) else { return };
    disk.fill();
    let full = pay_until_full(&home, 0);
    let child = serving.0.take().unwrap();
    signal(&child, "-KILL");
    assert_eq!(ended(child).0, None);
    refuses_or_serves_truly(&home, full);
    disk.make_room();
    let child = Serving(Some(home.serve_logging()));
    for n in 0..full {
        assert_eq!(pay(&home, n), said(200, "duplicate"));
    }
    assert_eq!(pay(&home, full), said(200, "accepted"));
    stop(child);
    audit_passes(&home);
}

fn stop(mut serving: Serving) {
    let child = serving.0.take().unwrap();
    signal(&child, "-TERM");
    assert_eq!(ended(child).0, Some(0));
}

/// A start without room ends with an exit code and a word, or serves; it never acknowledges what it cannot keep.
fn refuses_or_serves_truly(home: &Home, full: usize) {
    let log = std::fs::File::create(home.path("start")).unwrap();
    let mut child = home.command(&["serve", "--config", "gateway.toml"]).stderr(log).spawn().unwrap();
    for _ in 0..100 {
        if let Some(status) = child.try_wait().unwrap() {
            let said = std::fs::read_to_string(home.path("start")).unwrap();
            assert_eq!(status.code(), Some(1), "{said}");
            assert!(said.contains(&shown(&home.books)), "it names the file: {said}");
            return;
        }
        if std::net::TcpStream::connect(home.public).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(pay(home, full), said(503, "try_again"));
    child.kill().unwrap();
    child.wait().unwrap();
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

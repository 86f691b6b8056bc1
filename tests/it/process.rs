//! The real program: exit codes, signals, drain, logs without secrets (I11).

use crate::harness::program::{Home, TOKEN, code, ended, signal};
use crate::harness::{SEAL_SECRET, http, keys};
use std::path::Path;
use std::time::Duration;

#[test]
fn sigterm_drains_and_exits_zero_with_everything_answered_and_no_secret_logged() {
    let home = Home::new();
    let child = home.serve();
    let answer = http::call(home.public, &home.call());
    assert_eq!(answer.json()["outcome"], "unknown_invoice", "{}", answer.text());
    signal(&child, "-TERM");
    // Not ready at once, and still taking while load balancers find out.
    let request = http::request("GET", "/readyz", &[], b"");
    for _ in 0..200 {
        if http::call(home.internal, &request).status == 503 {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(http::call(home.internal, &request).status, 503);
    assert_eq!(http::call(home.public, &home.call()).json()["outcome"], "unknown_invoice");
    let (exit, log) = ended(child);
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    for secret in keys().canaries().iter().map(String::as_str).chain([SEAL_SECRET, TOKEN, "PA03HL0000001"]) {
        assert!(!log.contains(secret), "a secret or a payer is in the log");
    }
    let audit = home.run(&["audit", "--config", "gateway.toml"]);
    assert_eq!(code(&audit).0, Some(0), "{}", code(&audit).1);
}

#[test]
fn sighup_reads_profiles_again_all_or_none() {
    let home = Home::new();
    let child = home.serve();
    let profile = home.path("partners/standard.toml");
    let good = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, "partner = 1\n").unwrap();
    signal(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(http::call(home.public, &home.call()).status, 200, "the old profile stays");
    std::fs::write(&profile, good).unwrap();
    signal(&child, "-HUP");
    signal(&child, "-TERM");
    let (exit, log) = ended(child);
    assert_eq!(exit, Some(0), "{log}");
    assert!(log.contains("the old ones stay"), "{log}");
}

#[test]
fn a_second_process_is_told_who_holds_the_file() {
    let home = Home::new();
    let child = home.serve();
    let output = home.run(&["migrate", "--config", "gateway.toml"]);
    let (exit, text) = code(&output);
    assert_eq!(exit, Some(1), "{text}");
    assert!(text.contains(&home.internal.to_string()), "{text}");
    // Through the gateway it works.
    let file = home.path("invoices.csv");
    std::fs::write(&file, CSV).unwrap();
    let url = format!("http://{}", home.internal);
    let import =
        ["invoice", "import", "invoices.csv", "--config", "gateway.toml", "--url", &url, "--token", "env:TEST_TOKEN"];
    let (exit, text) = code(&home.run(&import));
    assert_eq!(exit, Some(1), "one row is wrong: {text}");
    assert!(text.contains("1 added") && text.contains("1 rejected") && text.contains("line 3: total"), "{text}");
    let (exit, text) = code(&home.run(&["partner", "pause", "standard", "--url", &url, "--token", "env:TEST_TOKEN"]));
    assert_eq!(exit, Some(0), "{text}");
    assert_eq!(http::call(home.public, &home.call()).json()["outcome"], "try_again");
    signal(&child, "-TERM");
    assert_eq!(ended(child).0, Some(0));
}

const CSV: &str = "invoice_id,customer_code,payer_code,unit,area,period,kind,net,vat,total,issued_on,due_on,status,\
                   paid_elsewhere,adjusts,version\n\
                   HD-1,PA03HL0000001,,PA03HL,urban,2026-11-1,TD,100000,8000,108000,2026-11-01,2026-11-10,open,,,\n\
                   HD-2,PA03HL0000001,,PA03HL,urban,2026-11-1,TD,100000,8000,108001,2026-11-01,2026-11-10,open,,,\n";

#[test]
fn commands_on_the_file_itself_have_the_documented_exit_codes() {
    let home = Home::new();
    std::fs::write(home.path("invoices.csv"), CSV).unwrap();
    let check = |args: &[&str], expected: i32, part: &str| {
        let (exit, text) = code(&home.run(args));
        assert_eq!(exit, Some(expected), "{args:?}: {text}");
        assert!(text.contains(part), "{args:?}: {text}");
    };
    let config = ["--config", "gateway.toml"];
    let with = |args: &[&'static str]| [args, &config].concat();
    check(&with(&["check"]), 0, "profiles  ok  standard");
    check(&with(&["migrate"]), 0, "books.db");
    check(&with(&["migrate"]), 0, "nothing to do");
    check(&with(&["invoice", "import", "invoices.csv", "--atomic"]), 1, "nothing was taken");
    check(&with(&["invoice", "import", "invoices.csv"]), 1, "1 added");
    check(&with(&["invoice", "import", "none.csv"]), 2, "none.csv");
    check(&with(&["outbox", "list"]), 0, "key");
    check(&with(&["outbox", "retry", "dsp_00000000000000000000000000000000"]), 1, "no such message");
    check(&with(&["outbox", "retry", "nonsense"]), 2, "expected");
    check(&with(&["audit"]), 0, "audit: passed");
    check(&with(&["backup", "copy.db"]), 0, "copy.db");
    check(&with(&["backup", "copy.db"]), 1, "is there already");
    check(&with(&["restore", "copy.db"]), 1, "is there already");
    check(&with(&["restore", "copy.db", "--overwrite"]), 0, "books.db");
    check(&["frobnicate"], 2, "");
    check(&["serve", "--config", "none.toml"], 2, "none.toml");
    home.configure("limits.quue = 1");
    check(&with(&["check"]), 2, "quue");
    check(&with(&["serve"]), 2, "gateway.toml:7");
}

#[test]
fn a_profile_that_does_not_load_stops_the_start_with_file_line_and_key() {
    let home = Home::new();
    let path = home.path("partners/standard.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("tolerance_s = 300", "tolerence_s = 300")).unwrap();
    let (exit, text) = code(&home.run(&["serve", "--config", "gateway.toml"]));
    assert_eq!(exit, Some(2), "{text}");
    assert!(text.contains("standard.toml:") && text.contains("tolerence_s"), "{text}");
    assert!(!Path::new(&home.path("books.db")).exists(), "nothing was begun");
}

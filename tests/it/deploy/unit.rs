//! deploy/thuho@.service: systemd takes it, it locks the gateway in, and what the gateway does is within it.

use super::{installed, shipped, text_of};
use crate::harness::http;
use crate::harness::program::Home;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// The exposure that systemd counts, from 0 to 100: below it the unit stays. 100 is a service without a setting.
const EXPOSURE_MAX: u32 = 11;

fn analyze(args: &[&str]) -> (bool, String) {
    let done = Command::new("systemd-analyze").args(args).env("SYSTEMD_PAGER", "").output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    (done.status.success(), text)
}

/// The unit in a folder where its program is there.
fn unit(folder: &std::path::Path, text: &str) -> String {
    let text = super::with(text, "ExecStart=/usr/local/bin/thuho ", "ExecStart=/bin/true ");
    let file = folder.join("thuho@one.service");
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn systemd_takes_the_unit_and_finds_it_locked_in() {
    if !installed("systemd_takes_the_unit_and_finds_it_locked_in", "systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = text_of("thuho@.service");
    let file = unit(folder.path(), &text);
    // A setting that it does not know is a warning only.
    let (taken, said) = analyze(&["verify", "--man=no", &file]);
    assert!(taken && !said.contains("thuho@"), "{said}");
    let threshold = format!("--threshold={EXPOSURE_MAX}");
    let (locked, said) = analyze(&["security", "--offline=true", &threshold, &file]);
    let level = said.lines().rev().find(|line| line.contains("Overall exposure")).unwrap_or_default();
    eprintln!("{}", level.trim());
    assert!(locked, "{said}");
    // The controls: a word that systemd does not know, and a unit without one of the locks.
    let (_, said) =
        analyze(&["verify", "--man=no", &unit(folder.path(), &text.replace("ProtectHome", "ProtectHouse"))]);
    assert!(said.contains("ProtectHouse"), "{said}");
    let open = text.replace("SystemCallFilter", "#").replace("PrivateUsers=yes", "").replace("PrivateDevices=yes", "");
    assert!(!analyze(&["security", "--offline=true", &threshold, &unit(folder.path(), &open)]).0);
}

#[test]
fn the_unit_waits_for_a_drain_and_is_what_the_documentation_says() {
    let text = text_of("thuho@.service");
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key}")).to_owned()
    };
    let config: toml::Table = toml::from_str(&std::fs::read_to_string("config/gateway.toml").unwrap()).unwrap();
    let drain = |key: &str| config["drain"][key].as_integer().unwrap();
    let whole = drain("ready_ms") / 1_000 + drain("finish_s");
    assert!(value("TimeoutStopSec").parse::<i64>().unwrap() >= 2 * whole, "{whole} s of drain");
    assert!(shipped("thuho@.service").is_file() && value("Type") == "notify" && !value("WatchdogSec").is_empty());
    // A program that is ended by a wrong configuration is not started again and again.
    assert_eq!(value("RestartPreventExitStatus"), "2");
}

/// The calls of a group of systemd's, with those of the groups in it.
fn group(name: &str) -> BTreeSet<String> {
    let (known, said) = analyze(&["syscall-filter", name]);
    assert!(known, "{said}");
    let mut calls = BTreeSet::new();
    for word in said.lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim) {
        match word.chars().next() {
            Some('@') => calls.extend(group(word)),
            Some('#') | None => {}
            Some(_) => drop(calls.insert(word.to_owned())),
        }
    }
    calls
}

/// Every system call of a life: start, notices, a repeat, a reload, metrics, drain. There is no systemd here that would
/// forbid one, so each is looked up in what the unit allows.
#[test]
fn what_the_gateway_does_is_within_what_the_unit_allows() {
    let test = "what_the_gateway_does_is_within_what_the_unit_allows";
    if !installed(test, "systemd-analyze") || !installed(test, "strace") {
        return;
    }
    let home = Home::new();
    let trace = home.path("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(&trace).arg(env!("CARGO_BIN_EXE_thuho"));
    command.args(["serve", "--config", "gateway.toml"]);
    let plain = home.command(&[]);
    command.current_dir(plain.get_current_dir().unwrap());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let up = (0..3_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::net::TcpStream::connect(home.public).is_ok()
    });
    assert!(up);
    let call = home.call();
    for _ in 0..3 {
        assert_eq!(http::call(home.public, &call).status, 200);
    }
    assert_eq!(http::call(home.internal, &http::request("GET", "/metrics", &[], b"")).status, 200);
    let text = std::fs::read_to_string(&trace).unwrap();
    let program: u32 = text.split_whitespace().next().unwrap().parse().unwrap();
    for what in ["-HUP", "-TERM"] {
        assert!(Command::new("kill").args([what, &program.to_string()]).status().unwrap().success());
    }
    assert!(child.wait().unwrap().success());

    let mut allowed = group("@system-service");
    for taken in group("@privileged").into_iter().chain(group("@resources")) {
        allowed.remove(&taken);
    }
    let text = std::fs::read_to_string(&trace).unwrap();
    let call_of = |line: &str| {
        let after = line.split_once(char::is_whitespace)?.1.trim_start();
        let name = after.strip_prefix("<... ").unwrap_or(after).split(['(', ' ']).next()?;
        name.starts_with(|c: char| c.is_ascii_lowercase()).then(|| name.to_owned())
    };
    let made: BTreeSet<String> = text.lines().filter_map(call_of).collect();
    assert!(made.len() > 30 && made.contains("fdatasync"), "{made:?}");
    // SQLite gives its log the owner of its file when it is root, which the unit's user is not.
    allowed.extend(super::checks::is_root().then(|| "fchown".to_owned()));
    let outside: Vec<_> = made.iter().filter(|call| !allowed.contains(*call)).collect();
    assert!(outside.is_empty(), "{outside:?}");
    assert!(!allowed.contains("mount") && !allowed.contains("setuid"), "the control");
    let families = ["AF_INET", "AF_INET6", "AF_UNIX"];
    for line in text.lines() {
        assert!(!(line.contains("PROT_WRITE") && line.contains("PROT_EXEC")), "{line}");
        if let Some((_, family)) = line.split_once(" socket(") {
            assert!(families.contains(&family.split(',').next().unwrap()), "{line}");
        }
    }
}

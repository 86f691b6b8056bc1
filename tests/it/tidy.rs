//! The house rules that a compiler does not hold, read from the source text: which way imports point, which framework
//! is known where, that no partner's name is in `src/` (I8), that the pure modules read no clock (I9), headers, file
//! lengths, words that must not be left behind, which invariant is cited by a test, licences and crates.
//!
//! Each rule is a function from text to findings, so that its negative control can feed it a bad text.

mod rules;

use rules::{Finding, Source};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(folder: &str, endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
            let entry: PathBuf = entry.expect("a folder's entry").path();
            if entry.is_dir() {
                open.push(entry);
            } else if endings.iter().any(|e| entry.extension().is_some_and(|x| x == *e)) {
                let text = std::fs::read_to_string(&entry).unwrap_or_else(|e| panic!("{}: {e}", entry.display()));
                let path = entry.strip_prefix(root()).expect("it is under the root").display().to_string();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no files under {folder}: the rules would hold for nothing");
    found
}

fn file(path: &str) -> Source {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    Source { path: path.to_owned(), text }
}

/// The one door: no findings in what is there, and the control's text is found out.
fn check(rule: &str, findings: Vec<Finding>, control: Vec<Finding>) {
    let listed: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(listed.is_empty(), "{rule}:\n  {}", listed.join("\n  "));
    assert!(!control.is_empty(), "{rule}: the negative control was not found, so the rule proves nothing");
}

fn check_each(rule: &str, sources: &[Source], judge: impl Fn(&Source) -> Vec<Finding>, bad: &[(&str, &str)]) {
    for (path, text) in bad {
        let control = judge(&Source { path: (*path).to_owned(), text: (*text).to_owned() });
        check(&format!("{rule}, control {path}"), Vec::new(), control);
    }
    let findings = sources.iter().flat_map(&judge).collect();
    check(rule, findings, bad.iter().map(|(path, _)| Finding::new(path, 1, "control")).collect());
}

#[test]
fn imports_only_point_down() {
    check_each(
        "imports only point down (DESIGN, where things are)",
        &files_under("src", &["rs"]),
        rules::arrows,
        &[
            ("src/domain/a.rs", "use crate::store::Tx;"),
            ("src/matching/mod.rs", "use crate::{domain::money::Money, partner};"),
            ("src/store/sqlite.rs", "fn f() { super::super::ledger::post(); }"),
            ("src/ledger/post.rs", "fn f(c: &crate::config::Config) {}"),
            ("src/http/mod.rs", "use crate::{\n    domain::{money, ids},\n    app,\n};"),
            ("src/outbox/mod.rs", "use crate::intake::submit;"),
        ],
    );
}

#[test]
fn a_framework_is_known_only_where_it_belongs() {
    check_each(
        "framework words",
        &files_under("src", &["rs"]),
        rules::framework_words,
        &[
            ("src/ledger/a.rs", "use actix_web::web;"),
            ("src/cli/a.rs", "let c: rusqlite::Connection = open();"),
            ("src/intake/a.rs", "use redis::AsyncCommands;"),
            ("src/http/a.rs", "use reqwest;"),
            ("src/ledger/a.rs", "let q = \"SELECT amount FROM entries\";"),
            ("src/app.rs", "tx.execute(\"INSERT INTO events VALUES (1)\")"),
        ],
    );
}

#[test]
fn money_never_meets_a_float() {
    check_each(
        "no floats",
        &files_under("src", &["rs"]),
        rules::floats,
        &[
            ("src/partner/decode.rs", "let v = json.as_f64();"),
            ("src/domain/money.rs", "fn dong(&self) -> f64 { 0.into() }"),
            ("src/telemetry.rs", "value.as_f64()"),
        ],
    );
}

/// I8. The names are those of the profile files that are not protocols, and a few more so that an empty folder does
/// not make the rule empty.
#[test]
fn no_partners_name_is_in_the_source() {
    let mut names: Vec<String> = ["zalopay", "agribank", "vnpay", "momo", "shopeepay"].map(str::to_owned).to_vec();
    for profile in files_under("config/partners", &["toml"]) {
        if !rules::is_protocol(&profile.text) {
            let stem = Path::new(&profile.path).file_stem().expect("a file has a stem").display().to_string();
            names.push(stem);
        }
    }
    let mut sources = files_under("src", &["rs", "md", "sql", "html", "css", "js"]);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    check_each(
        "no partner's name in src/ (I8)",
        &sources,
        |source| rules::names(source, &names),
        &[("src/partner/mod.rs", "// as ZaloPay does"), ("src/domain/a.rs", "const AgriBankKey: u8 = 1;")],
    );
}

#[test]
fn a_protocol_profile_is_told_from_a_partners() {
    assert!(rules::is_protocol("name = \"x\"\nprotocol   = true # a standard\n"));
    assert!(!rules::is_protocol("# protocol = true\nprotocol = false\n"));
}

/// I9.
#[test]
fn the_pure_modules_read_no_clock_and_do_no_io() {
    check_each(
        "pure modules (I9)",
        &files_under("src", &["rs"]),
        rules::impure_words,
        &[
            ("src/matching/mod.rs", "let now = std::time::Instant::now();"),
            ("src/domain/money.rs", "Timestamp::now()"),
            ("src/ledger/compose.rs", "std::fs::read(p)"),
            ("src/partner/decode.rs", "use tokio::net::TcpStream;"),
            ("src/reconcile/compare/rest.rs", "let at = Timestamp::now();"),
        ],
    );
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut sources = files_under("src", &["rs"]);
    sources.extend(files_under("tests", &["rs"]));
    let long = "//! A file.\n".repeat(rules::LINES_MAX + 1);
    check_each(
        "headers and lengths",
        &sources,
        rules::shape,
        &[("src/a.rs", "use std::fmt;\n"), ("src/b.rs", long.as_str()), ("src/c.rs", "\n//! Late.\n")],
    );
}

#[test]
fn nothing_half_done_is_left_behind() {
    let mut sources = files_under("src", &["rs"]);
    sources.extend(files_under("tests", &["rs"]).into_iter().filter(|s| !s.path.starts_with("tests/it/tidy")));
    check_each(
        "left-overs",
        &sources,
        rules::left_overs,
        &[
            ("src/a.rs", "// TODO: later"),
            ("src/a.rs", "todo!()"),
            ("src/a.rs", "dbg!(x)"),
            ("src/a.rs", "// FIXME"),
            ("src/a.rs", "#[allow(dead_code)]"),
        ],
    );
}

#[test]
fn every_invariant_of_this_stage_is_cited_by_a_test() {
    let mut sources = files_under("tests", &["rs"]);
    sources.extend(files_under("src", &["rs"]));
    let uncited = rules::uncited(&sources, rules::INVARIANTS);
    let cites_one = Source { path: "tests/a.rs".into(), text: "// X1, not X10".into() };
    let control = rules::uncited(&[cites_one], &["X1", "X2"]);
    assert_eq!(control.len(), 1, "the second is not cited by the control");
    check("invariants cited by tests", uncited, control);
}

#[test]
fn the_top_level_holds_only_what_it_should() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root()).expect("the root is readable") {
        names.push(entry.expect("a folder's entry").file_name().display().to_string());
    }
    check("top-level names", rules::top_level(&names), rules::top_level(&["notes.txt".to_owned()]));
}

#[test]
fn the_lock_file_has_no_crate_that_was_ruled_out() {
    let bad = "[[package]]\nname = \"h2\"\nversion = \"0.3.27\"\n\n[[package]]\nname = \"actix-http\"\nversion = \"3.20.0\"\n\
               dependencies = [\n \"brotli\",\n]\n\n[[package]]\nname = \"sha2\"\nversion = \"0.10.1\"\n\n[[package]]\nname = \"sha2\"\nversion = \"0.11.1\"\n";
    assert_eq!(rules::lock(bad).len(), 3, "{:?}", rules::lock(bad));
    check("Cargo.lock", rules::lock(&file("Cargo.lock").text), rules::lock(bad));
}

#[test]
fn no_crate_is_under_the_gpl() {
    // Only this platform's crates: the others need not be on the disk.
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let said = String::from_utf8_lossy(&rustc.stdout).into_owned();
    let host = said.lines().find_map(|l| l.strip_prefix("host: ")).expect("rustc names its host");
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).expect("cargo speaks JSON");
    let mut licences = Vec::new();
    for package in metadata.get("packages").and_then(|p| p.as_array()).expect("packages") {
        let text = |key: &str| package.get(key).and_then(|v| v.as_str()).unwrap_or("").to_owned();
        licences.push((text("name"), text("license")));
    }
    assert!(licences.len() > 100, "the whole tree was read");
    let control = [("x".to_owned(), "GPL-3.0-or-later".to_owned()), ("y".to_owned(), "MIT AND AGPL-3.0".to_owned())];
    assert_eq!(rules::copyleft(&control).len(), 2);
    assert!(rules::copyleft(&[("z".to_owned(), "GPL-2.0 OR MIT".to_owned())]).is_empty(), "a choice is a choice");
    check("licences", rules::copyleft(&licences), rules::copyleft(&control));
}

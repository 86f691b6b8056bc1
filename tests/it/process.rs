//! The real program: exit codes, signals, drain, logs without secrets (I11).

use crate::harness::{SEAL_SECRET, http, keys};
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::forge::Wanted;
use thuho::partner::{Partners, SecretSource};

struct Home {
    dir: TempDir,
    public: SocketAddr,
    internal: SocketAddr,
}

const TOKEN: &str = "canary-token-of-the-process-tests-01";

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap(), public: free(), internal: free() };
        home.configure("");
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "listen.public = \"{}\"\nlisten.internal = \"{}\"\nstore.url = \"sqlite://{}\"\nseal.secret = \
             \"env:TEST_SEAL\"\npartners.dir = \"{}\"\ndrain.ready_ms = 300\n{more}\n[[token]]\nname = \"ops\"\nscope = \
             [\"invoices\", \"read\", \"ops\"]\nsecret = \"env:TEST_TOKEN\"\n",
            self.public,
            self.internal,
            self.path("books.db").display(),
            self.path("partners").display()
        );
        std::fs::write(self.path("gateway.toml"), text).unwrap();
        std::fs::create_dir_all(self.path("partners")).unwrap();
        std::fs::copy(crate::harness::shipped().join("standard.toml"), self.path("partners/standard.toml")).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
        command.args(args).current_dir(self.dir.path()).env("TEST_SEAL", SEAL_SECRET).env("TEST_TOKEN", TOKEN);
        for name in ["THUHO_STANDARD_SECRET", "THUHO_STANDARD_PUBLIC_KEY"] {
            let secret = keys().secret(&format!("env:{name}")).unwrap();
            command.env(name, secret.expose_text().unwrap());
        }
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn serve(&self) -> Child {
        let mut child = self
            .command(&["serve", "--config", "gateway.toml"])
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        for _ in 0..1_000 {
            if std::net::TcpStream::connect(self.internal).is_ok() && std::net::TcpStream::connect(self.public).is_ok()
            {
                return child;
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", ended(child).1);
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not listen");
    }

    fn call(&self) -> Vec<u8> {
        let partners = Partners::load(&crate::harness::shipped(), keys().as_ref()).unwrap();
        let profile = partners.get("standard").unwrap();
        let forged = profile.forge(keys().of("standard"), &Wanted::default(), SystemClock.now()).unwrap();
        http::webhook("standard", &forged)
    }
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Exit code and everything it wrote.
fn ended(mut child: Child) -> (Option<i32>, String) {
    let code = child.wait().unwrap().code();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    (code, text)
}

fn code(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
    )
}

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

//! The real program in a folder of the test's own, with the standard profile under fresh keys.

use crate::harness::{SEAL_SECRET, bearer, http, keys};
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::Partners;
use thuho::partner::forge::Wanted;

/// Every scope.
pub const TOKEN: &str = "canary-token-of-the-process-tests-01";

/// How long a start or an end may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Home {
    dir: TempDir,
    pub public: SocketAddr,
    pub internal: SocketAddr,
    /// Where the books are.
    pub books: PathBuf,
    /// Where they are instead.
    server: Option<String>,
}

fn free() -> SocketAddr {
    super::ports::free()
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let books = dir.path().join("books.db");
        let home = Self { dir, public: free(), internal: free(), books, server: None };
        home.configure("");
        home
    }

    /// One instance of those over a server's database.
    pub fn over(url: String) -> Self {
        let home = Self { server: Some(url), ..Self::new() };
        home.configure("");
        home
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes the configuration, with `more` in it.
    pub fn configure(&self, more: &str) {
        let text = format!(
            "listen.public = \"{}\"\nlisten.internal = \"{}\"\nstore.url = \"{}\"\nseal.secret = \
             \"env:TEST_SEAL\"\npartners.dir = \"{}\"\ndrain.ready_ms = 300\n{more}\n[[token]]\nname = \"ops\"\nscope = \
             [\"invoices\", \"read\", \"ops\", \"finance\"]\nsecret = \"env:TEST_TOKEN\"\n",
            self.public,
            self.internal,
            self.server.clone().unwrap_or_else(|| format!("sqlite://{}", self.books.display())),
            self.path("partners").display()
        );
        std::fs::write(self.path("gateway.toml"), text).unwrap();
        std::fs::create_dir_all(self.path("partners")).unwrap();
        self.knows("standard");
    }

    /// Takes a shipped profile in.
    pub fn knows(&self, partner: &str) {
        let file = format!("{partner}.toml");
        let to = self.path("partners").join(&file);
        std::fs::copy(crate::harness::shipped().join(&file), to).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
        command.args(args).current_dir(self.dir.path()).env("TEST_SEAL", SEAL_SECRET).env("TEST_TOKEN", TOKEN);
        for (name, secret) in &keys().ours {
            if let Some(name) = name.strip_prefix("env:") {
                command.env(name, secret.expose_text().unwrap());
            }
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Serves, with its log in a pipe: for tests that log little.
    pub fn serve(&self) -> Child {
        self.spawn(self.command(&["serve", "--config", "gateway.toml"]).stderr(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// Serves, with its log in the file `log`.
    pub fn serve_logging(&self) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        self.spawn(self.command(&["serve", "--config", "gateway.toml"]).stderr(log).stdout(Stdio::null()))
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    fn spawn(&self, command: &mut Command) -> Child {
        let mut child = command.spawn().unwrap();
        for _ in 0..PATIENCE.as_millis() / 10 {
            if TcpStream::connect(self.internal).is_ok() && TcpStream::connect(self.public).is_ok() {
                return child;
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {}", ended(child).1);
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not listen");
    }

    /// A notice that says what is wanted, sent now.
    pub fn call_saying(&self, wanted: &Wanted) -> Vec<u8> {
        let partners = Partners::load(&crate::harness::shipped(), keys().as_ref()).unwrap();
        let profile = partners.get("standard").unwrap();
        let forged = profile.forge(keys().of("standard"), wanted, SystemClock.now()).unwrap();
        http::webhook("standard", &forged)
    }

    pub fn call(&self) -> Vec<u8> {
        self.call_saying(&Wanted::default())
    }

    pub fn internal(&self, method: &str, path: &str, content_type: &str, body: &[u8]) -> http::Answer {
        let headers = [("content-type", content_type), ("authorization", &bearer(TOKEN))];
        http::call(self.internal, &http::request(method, path, &headers, body))
    }
}

pub fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Exit code and everything it wrote into pipes.
pub fn ended(mut child: Child) -> (Option<i32>, String) {
    let code = child.wait().unwrap().code();
    let mut text = String::new();
    child.stderr.take().map(|mut from| from.read_to_string(&mut text).unwrap());
    child.stdout.take().map(|mut from| from.read_to_string(&mut text).unwrap());
    (code, text)
}

/// Exit code and text of a command that ended.
pub fn code(output: &Output) -> (Option<i32>, String) {
    (
        output.status.code(),
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)),
    )
}

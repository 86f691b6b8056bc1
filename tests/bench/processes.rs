//! The processes that are measured: the gateway's own binary and the handlers beside it.

use crate::machine;
use crate::servers::Handler;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The bearer of the bench's calls, and the name of its secret.
const TOKEN: &str = "bench-token-0123456789abcdef01234567";
pub const TOKEN_NAME: &str = "env:BENCH_TOKEN";
/// What seals are signed with.
pub const SEAL_SECRET: &str = "bench-secret-0123456789abcdef0123";
/// The secret that messages to the core are signed with.
const CORE_SECRET: &str = "whsec_cmlnLWNvcmUtc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2Nzg5";
/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(60);

/// One measured process.
pub struct Server {
    child: Child,
    pub public: SocketAddr,
    pub internal: SocketAddr,
}

pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

/// Where everything that a child says goes.
pub fn log_in(home: &Path) -> fs::File {
    fs::File::options().create(true).append(true).open(home.join("servers.log")).expect("the log can be written")
}

/// A folder of some of the profiles as they are shipped.
pub fn write_profiles(folder: PathBuf, names: &[&str]) -> PathBuf {
    fs::create_dir_all(&folder).expect("the bench's folder can be written");
    for name in names {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("config/partners/{name}.toml"));
        let profile = fs::read_to_string(&shipped).expect("the profile is shipped");
        // The same columns in a text: the engines beside read no workbook.
        let profile = profile.replace("format = \"xlsx\"", "format = \"csv\"");
        fs::write(folder.join(format!("{name}.toml")), profile).expect("the bench's folder can be written");
    }
    folder
}

/// Where a process runs, and what it remembers in.
#[derive(Clone)]
pub struct Setup {
    home: PathBuf,
    name: String,
    store: String,
    seen: String,
    core: String,
    profiles: PathBuf,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// With its books at a URL, no Redis, no core, and the wallet for a partner.
    pub fn new(home: &Path, name: &str, store: String) -> Self {
        let environment = [("BENCH_SECRET", SEAL_SECRET), ("BENCH_TOKEN", TOKEN), ("THUHO_CORE_SECRET", CORE_SECRET)];
        let environment = environment.into_iter().chain(crate::servers::environment());
        Self {
            home: home.to_path_buf(),
            name: name.replace([' ', ','], "-"),
            store,
            seen: "memory".to_owned(),
            core: String::new(),
            profiles: home.join("partners"),
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }

    /// With its books in a file.
    pub fn on_file(home: &Path, books: &Path) -> Self {
        let name = books.file_stem().and_then(|n| n.to_str()).expect("the bench names its files plainly");
        Self::new(home, name, format!("sqlite://{}", books.display()))
    }

    pub fn seen(mut self, url: &str) -> Self {
        url.clone_into(&mut self.seen);
        self
    }

    pub fn core(mut self, at: SocketAddr) -> Self {
        self.core = format!("http://{at}/payments");
        self
    }

    pub fn profiles(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.profiles);
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn config(&self) -> PathBuf {
        let path = self.home.join(format!("{}.toml", self.name));
        let text = format!(
            "[listen]\nworkers = 2\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
             [limits]\npeer_per_second = 1000000\npeer_burst = 1000000\n\
             total_per_second = 1000000\ntotal_burst = 1000000\n[store]\nurl = \"{}\"\n\
             [seal]\nsecret = \"env:BENCH_SECRET\"\n[seen]\nurl = \"{}\"\n[core]\nurl = \"{}\"\n\
             [partners]\ndir = \"{}\"\n[log]\nlevel = \"warn\"\n[drain]\nready_ms = 0\n\
             [[token]]\nname = \"bench\"\nscope = [\"invoices\", \"read\", \"ops\"]\nsecret = \"{TOKEN_NAME}\"\n",
            self.store,
            self.seen,
            self.core,
            self.profiles.display(),
        );
        fs::write(&path, text).expect("the bench's folder can be written");
        path
    }

    /// A command of the gateway's binary under this config.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
        command.args(words).arg("--config").arg(self.config());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end; what it said.
    pub fn run(&self, words: &[&str]) -> String {
        let done = self.command(words).output().expect("the gateway's binary runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// A gateway that is ready.
    pub fn start(&self) -> Server {
        let (public, internal) = (free_address(), free_address());
        let child = self
            .command(&["serve"])
            .env("THUHO_LISTEN__PUBLIC", public.to_string())
            .env("THUHO_LISTEN__INTERNAL", internal.to_string())
            .stdin(Stdio::null())
            .stdout(log_in(&self.home))
            .stderr(log_in(&self.home))
            .spawn()
            .expect("the gateway starts");
        let server = Server { child, public, internal };
        wait_for("the gateway is ready", || get(internal, "/readyz").starts_with("HTTP/1.1 200"));
        server
    }

    /// A handler in a process of its own: this same program, asked to serve.
    pub fn handler(&self, handler: Handler) -> Server {
        let public = free_address();
        let child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["serve", handler.word(), &public.to_string()])
            .arg(&self.profiles)
            .arg(&self.store)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log_in(&self.home))
            .stderr(log_in(&self.home))
            .spawn()
            .expect("this program starts");
        let server = Server { child, public, internal: public };
        wait_for("the handler listens", || TcpStream::connect(server.public).is_ok());
        server
    }
}

/// Waits until something is so that takes no longer than a start.
pub fn wait_for(what: &str, ready: impl Fn() -> bool) {
    wait_long(what, START_MAX, ready);
}

/// Waits until something is so.
pub fn wait_long(what: &str, longest: Duration, ready: impl Fn() -> bool) {
    let since = Instant::now();
    while !ready() {
        assert!(since.elapsed() < longest, "not within {longest:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The reply to a GET without any rights; nothing where nobody answers.
pub fn get(at: SocketAddr, path: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(at) else { return String::new() };
    let head = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    let mut reply = Vec::new();
    // What came before a reset counts.
    if stream.write_all(head.as_bytes()).is_ok() {
        drop(stream.read_to_end(&mut reply));
    }
    String::from_utf8_lossy(&reply).into_owned()
}

impl Server {
    pub fn cpu_seconds(&self) -> f64 {
        machine::cpu_seconds(self.child.id())
    }

    pub fn resident_mib(&self) -> (f64, f64) {
        machine::resident_mib(self.child.id())
    }

    /// One call to the internal listener; the whole reply as text, or nothing.
    pub fn ask(&self, method: &str, path: &str, content: &str, body: &[u8]) -> String {
        let Ok(mut stream) = TcpStream::connect(self.internal) else { return String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {TOKEN}\r\ncontent-type: {content}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut reply = Vec::new();
        let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        if sent.and_then(|()| stream.read_to_end(&mut reply)).is_err() {
            return String::new();
        }
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// A counter of the metrics page, its labels matched by a part of the line.
    pub fn counter(&self, part: &str) -> f64 {
        let page = get(self.internal, "/metrics");
        let lines = page.lines().filter(|l| !l.starts_with('#') && l.contains(part));
        lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// SIGTERM; the books are whole afterwards.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.is_ok_and(|s| s.success()), "the server can be signalled");
        let since = Instant::now();
        while since.elapsed() < START_MAX {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("SIGTERM does not end the server");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

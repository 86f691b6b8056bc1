//! The processes that are measured: the gateway's own binary and the handlers beside it.

use crate::machine;
use crate::requests;
use crate::servers::Handler;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The bearer of the bench's calls.
const TOKEN: &str = "bench-token-0123456789abcdef01234567";
/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(60);

/// One measured process.
pub struct Server {
    child: Child,
    pub public: SocketAddr,
    internal: SocketAddr,
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound")
}

fn log_in(home: &Path) -> fs::File {
    fs::File::options().create(true).append(true).open(home.join("servers.log")).expect("the log can be written")
}

/// The bench's folder of profiles: the wallet's, as it is shipped.
pub fn write_profiles(home: &Path) -> PathBuf {
    let folder = home.join("partners");
    fs::create_dir_all(&folder).expect("the bench's folder can be written");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/partners/zalopay.toml");
    fs::copy(&shipped, folder.join("zalopay.toml")).expect("the wallet's profile is shipped");
    folder
}

/// Where the gateway runs and what it remembers in.
pub struct Setup<'a> {
    pub home: &'a Path,
    pub books: &'a Path,
    pub seen: &'a str,
}

impl Setup<'_> {
    fn config(&self) -> PathBuf {
        let path = self.books.with_extension("toml");
        let text = format!(
            "[listen]\nworkers = 2\n[limits]\npeer_per_second = 1000000\npeer_burst = 1000000\n\
             total_per_second = 1000000\ntotal_burst = 1000000\n[store]\nurl = \"sqlite://{}\"\n\
             [seal]\nsecret = \"env:BENCH_SECRET\"\n[seen]\nurl = \"{}\"\n[core]\nurl = \"\"\n\
             [partners]\ndir = \"{}\"\n[log]\nlevel = \"warn\"\n[drain]\nready_ms = 0\n\
             [[token]]\nname = \"bench\"\nscope = [\"invoices\", \"read\", \"ops\"]\nsecret = \"env:BENCH_TOKEN\"\n",
            self.books.display(),
            self.seen,
            self.home.join("partners").display(),
        );
        fs::write(&path, text).expect("the bench's folder can be written");
        path
    }

    /// A command of the gateway's binary under this config.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
        command.args(words).arg("--config").arg(self.config());
        command.env("BENCH_SECRET", "bench-secret-0123456789abcdef0123").env("BENCH_TOKEN", TOKEN);
        command.env("THUHO_CORE_SECRET", "whsec_cmlnLWNvcmUtc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2Nzg5");
        for (name, value) in crate::servers::environment() {
            command.env(name, value);
        }
        command
    }

    pub fn start(&self) -> Server {
        let (public, internal) = (free_address(), free_address());
        let child = self
            .command(&["serve"])
            .env("THUHO_LISTEN__PUBLIC", public.to_string())
            .env("THUHO_LISTEN__INTERNAL", internal.to_string())
            .stdin(Stdio::null())
            .stdout(log_in(self.home))
            .stderr(log_in(self.home))
            .spawn()
            .expect("the gateway starts");
        let server = Server { child, public, internal };
        server.wait_for(|s| s.ask("GET", "/readyz", "", b"").starts_with("HTTP/1.1 200"));
        server
    }
}

impl Server {
    /// A handler in a process of its own: this same program, asked to serve.
    pub fn handler(handler: Handler, home: &Path, books: &Path) -> Self {
        let public = free_address();
        let child = Command::new(std::env::current_exe().expect("this program has a path"))
            .args(["serve", handler.word(), &public.to_string()])
            .arg(home.join("partners"))
            .arg(books)
            .stdin(Stdio::null())
            .stdout(log_in(home))
            .stderr(log_in(home))
            .spawn()
            .expect("this program starts");
        let server = Self { child, public, internal: public };
        server.wait_for(|s| TcpStream::connect(s.public).is_ok());
        server
    }

    fn wait_for(&self, ready: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !ready(self) {
            assert!(since.elapsed() < START_MAX, "the server is not ready in {START_MAX:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

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
        let page = self.ask("GET", "/metrics", "", b"");
        let lines = page.lines().filter(|l| !l.starts_with('#') && l.contains(part));
        lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// SIGTERM; the file is whole afterwards.
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

/// A Redis of the bench's own, or none where there is no server to start.
pub struct Redis {
    child: Child,
    pub url: String,
}

impl Redis {
    pub fn start(home: &Path) -> Option<Self> {
        let program = ["TEST_REDIS_SERVER"].iter().find_map(std::env::var_os);
        let program = program.map_or_else(|| PathBuf::from("redis-server"), PathBuf::from);
        let at = free_address();
        let child = Command::new(program)
            .args(["--port", &at.port().to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        let redis = Self { child, url: format!("redis://{at}/0") };
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if TcpStream::connect(at).is_ok() {
                return Some(redis);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The file of a million invoices of one series.
pub fn write_invoices(path: &Path, series: &str, count: u64) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).expect("the bench's folder can be written"));
    file.write_all(requests::HEADER.as_bytes()).expect("the disk has room");
    for n in 0..count {
        file.write_all(requests::invoice_line(series, n).as_bytes()).expect("the disk has room");
    }
    file.flush().expect("the disk has room");
}

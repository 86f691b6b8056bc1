//! A real Redis of the test's own: `TEST_REDIS_SERVER` names its program. Without it the tests that need one print
//! SKIPPED and count as not shown.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub struct Redis {
    child: Child,
    port: u16,
    _dir: TempDir,
}

impl Redis {
    /// A fresh, empty one; `None` (said aloud) when there is no program.
    pub fn start(test: &str) -> Option<Self> {
        let Ok(program) = std::env::var("TEST_REDIS_SERVER") else {
            eprintln!("SKIPPED {test}: TEST_REDIS_SERVER names no redis-server");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Self::start_on(&program, port))
    }

    fn start_on(program: &str, port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let redis = Self { child, port, _dir: dir };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && redis.command("PING").contains("PONG") {
                return redis;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// One inline command; its raw answer.
    pub fn command(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        let mut bytes = [0; 65536];
        let n = stream.read(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    }

    /// Markers it holds.
    pub fn markers(&self) -> u64 {
        self.command("DBSIZE").trim().trim_start_matches(':').parse().unwrap()
    }

    /// Waits until it holds so many: they are written after the answer.
    pub fn wait_for_markers(&self, count: u64) {
        for _ in 0..500 {
            if self.markers() >= count {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{} markers, {count} expected", self.markers());
    }

    /// SIGSTOP or SIGCONT.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.signal_quietly("-CONT");
        self.kill();
    }
}

impl Redis {
    fn signal_quietly(&self, signal: &str) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).stderr(Stdio::null()).status().ok();
    }
}

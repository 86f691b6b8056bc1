//! A real Redis of the test's own: `TEST_REDIS_SERVER` names its program, or it is in the path. Without it the tests that
//! need one print SKIPPED and count as not shown.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub struct Redis {
    child: Child,
    pub port: u16,
    dir: TempDir,
    /// Sent before each command.
    login: String,
}

/// How one is started beside the usual.
#[derive(Default)]
pub struct RedisSetup {
    /// Lines of its configuration.
    pub lines: String,
    /// User and password of the test's own commands.
    pub login: Option<(&'static str, &'static str)>,
    pub sentinel: bool,
}

fn program(test: &str) -> Option<String> {
    let named = std::env::var("TEST_REDIS_SERVER").unwrap_or_else(|_not_set| "redis-server".to_owned());
    let there = Command::new(&named).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        Some(named)
    } else {
        eprintln!("SKIPPED {test}: TEST_REDIS_SERVER names no redis-server, and none is in the path");
        None
    }
}

pub fn free_port() -> u16 {
    super::ports::free().port()
}

impl Redis {
    /// A fresh, empty one; `None` (said aloud) when there is no program.
    pub fn start(test: &str) -> Option<Self> {
        Self::with(test, &RedisSetup::default())
    }

    pub fn with(test: &str, setup: &RedisSetup) -> Option<Self> {
        let program = program(test)?;
        let (port, dir) = (free_port(), tempfile::tempdir().unwrap());
        let mut lines = format!("port {port}\nbind 127.0.0.1\ndir {}\n", dir.path().display());
        if !setup.sentinel {
            lines.push_str("save \"\"\nappendonly no\n");
        }
        let file = dir.path().join("redis.conf");
        std::fs::write(&file, lines + &setup.lines).unwrap();
        let mut command = Command::new(program);
        command.arg(&file);
        if setup.sentinel {
            command.arg("--sentinel");
        }
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn().unwrap();
        let login = setup.login.map_or_else(String::new, |(user, password)| format!("AUTH {user} {password}\r\n"));
        let redis = Self { child, port, dir, login };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && redis.command("PING").contains("PONG") {
                return Some(redis);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer: {}", std::fs::read_to_string(redis.dir.path().join("log")).unwrap());
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// One inline command, which may be said twice; its raw answer. A sentinel has an instance drop its clients when it changes
    /// its role: whoever asks at that moment asks again.
    pub fn command(&self, line: &str) -> String {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.say(line) {
                Ok(answer) => return answer,
                Err(error) if error.kind() == ErrorKind::ConnectionReset && tries < 20 => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => panic!("{line}: {error}"),
            }
        }
    }

    fn say(&self, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(self.login.as_bytes())?;
        let mut bytes = [0; 65536];
        if !self.login.is_empty() {
            let n = stream.read(&mut bytes)?;
            assert_eq!(&bytes[..n], b"+OK\r\n");
        }
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        let n = stream.read(&mut bytes)?;
        if n == 0 {
            return Err(ErrorKind::ConnectionReset.into());
        }
        Ok(String::from_utf8_lossy(&bytes[..n]).into_owned())
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

    /// Questions that it knew the answer to.
    pub fn hits(&self) -> u64 {
        let stats = self.command("INFO stats");
        let line = stats.lines().find_map(|line| line.strip_prefix("keyspace_hits:"));
        line.unwrap_or_else(|| panic!("{stats}")).trim().parse().unwrap()
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

//! A Redis of the bench's own.

use crate::processes::free_address;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ends when it is dropped.
pub struct Redis {
    child: Child,
    pub url: String,
}

impl Redis {
    /// None where there is no server to start; `TEST_REDIS_SERVER` names one.
    pub fn start(home: &Path) -> Option<Self> {
        let program =
            std::env::var_os("TEST_REDIS_SERVER").map_or_else(|| PathBuf::from("redis-server"), PathBuf::from);
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

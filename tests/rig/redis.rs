//! A Redis of the rig's own, on a free port in the rig's folder.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Stopped when it goes out of scope.
pub struct Redis {
    child: Child,
    pub url: String,
}

impl Redis {
    /// None where `TEST_REDIS_SERVER` names no program.
    #[expect(clippy::disallowed_methods, reason = "the rig is told by its environment which Redis to start")]
    pub fn start(home: &Path) -> Option<Self> {
        let program = std::env::var("TEST_REDIS_SERVER").ok()?;
        let at = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).ok()?;
        let child = Command::new(program)
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &at.port().to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ])
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
        // It may have ended already; that is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

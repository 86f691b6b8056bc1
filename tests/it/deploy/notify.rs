//! What the real program tells a service manager, over a real socket as systemd's.

use crate::harness::http;
use crate::harness::postgres::Database;
use crate::harness::program::{Home, signal};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The service manager's end.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        Self { socket, folder }
    }

    fn serve(&self, home: &Home, watchdog: Option<Duration>) -> Child {
        let mut command = home.command(&["serve", "--config", "gateway.toml"]);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify")).stdout(Stdio::null());
        command.stderr(std::fs::File::create(home.path("log")).unwrap());
        if let Some(limit) = watchdog {
            command.env("WATCHDOG_USEC", limit.as_micros().to_string());
        }
        command.spawn().unwrap()
    }

    /// The next message, or silence for so long.
    fn hear(&self, wait: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut bytes = [0; 4_096];
        let length = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }

    /// The next message that is no sign of life.
    fn hear_more(&self) -> String {
        loop {
            let said = self.hear(http::WAIT).unwrap();
            if said.trim() != "WATCHDOG=1" {
                return said;
            }
        }
    }
}

#[test]
fn ready_is_said_when_calls_are_taken_and_stopping_when_the_drain_begins() {
    let (manager, home) = (Manager::new(), Home::new());
    let mut child = manager.serve(&home, None);
    let ready = manager.hear(http::WAIT).unwrap();
    assert!(ready.starts_with("READY=1\n"), "{ready}");
    assert_eq!(http::call(home.public, &home.call()).status, 200, "it was ready");
    signal(&child, "-TERM");
    let stopping = manager.hear(http::WAIT).unwrap();
    assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
    assert_eq!(http::call(home.public, &home.call()).status, 200, "while balancers find out, it goes on");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", home.log());
    assert_eq!(manager.hear(Duration::from_millis(1)), None, "no sign of life was asked for");
}

#[test]
fn signs_of_life_end_while_the_writer_hangs_and_come_back_with_it() {
    let Some(database) = Database::fresh("signs of life end while the writer hangs") else { return };
    let (manager, home) = (Manager::new(), Home::over(database.url()));
    let mut child = manager.serve(&home, Some(Duration::from_millis(300)));
    assert!(manager.hear_more().starts_with("READY=1\n"));
    let hears_life = || manager.hear(http::WAIT).is_some_and(|said| said == "WATCHDOG=1\n");
    assert!((0..3).all(|_| hears_life()), "{}", home.log());
    // Its session is the one that holds the lane. Stopped, it neither answers nor goes away.
    let session = database.sql(
        "SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE l.locktype = 'advisory' AND d.datname = current_database()",
    );
    assert_eq!(session.len(), 1, "{session:?}");
    let send = |what: &str| assert!(Command::new("kill").args([what, &session[0]]).status().unwrap().success());
    send("-STOP");
    let (to, call) = (home.public, home.call());
    let caller = std::thread::spawn(move || http::call(to, &call));
    // Signs that were on their way, then none.
    let silent = (0..20).any(|_| manager.hear(Duration::from_secs(1)).is_none());
    send("-CONT");
    assert!(silent, "a writer that hangs was called alive");
    assert!(hears_life(), "{}", home.log());
    caller.join().unwrap();
    signal(&child, "-TERM");
    assert!(manager.hear_more().starts_with("STOPPING=1\n"));
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", home.log());
}

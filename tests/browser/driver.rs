//! One ChromeDriver for all tests that run at a time, on a port that it chose, in a folder of its own. It ends with the last
//! page that it drives.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long its start and its end may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How Chromium is started. It asks nobody anything that a page did not ask.
const FLAGS: &[&str] = &[
    "--headless=new",
    // A gate runs as root, in a container.
    "--no-sandbox",
    // A container's /dev/shm is small.
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,768",
];

pub struct Driver {
    child: Child,
    address: SocketAddr,
    chromium: String,
    /// Where it and its browsers put what they must put somewhere.
    dir: TempDir,
}

/// A program that says its version; `None` is said aloud.
fn program(test: &str, variable: &str, usual: &str) -> Option<String> {
    let named = std::env::var(variable).unwrap_or_else(|_not_set| usual.to_owned());
    // Chromium's driver wants a path, not a name.
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(&named)).find(|path| path.is_file());
    let path = found.map_or(named, |path| path.display().to_string());
    let there = Command::new(&path).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if there.is_ok_and(|status| status.success()) {
        Some(path)
    } else {
        eprintln!("SKIPPED browser, {test}: {variable} names no {usual}, and none is in the path");
        None
    }
}

impl Driver {
    /// The one that runs, or a new one; `None` (said aloud) where there is no browser.
    pub fn shared(test: &str) -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<Driver>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(driver) = shared.upgrade() {
            return Some(driver);
        }
        let driver = Arc::new(Self::start(test)?);
        *shared = Arc::downgrade(&driver);
        Some(driver)
    }

    fn start(test: &str) -> Option<Self> {
        let chromedriver = program(test, "TEST_CHROMEDRIVER", "chromedriver")?;
        let chromium = program(test, "TEST_CHROMIUM", "chromium")?;
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut command = Command::new(chromedriver);
        command.arg("--port=0").stdin(Stdio::null());
        for name in ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, dir.path());
        }
        // Files have names in Vietnamese, which a plain C locale does not find.
        command.env("LC_ALL", "C.UTF-8");
        let file = std::fs::File::create(&log).unwrap();
        let mut child = command.stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        let since = Instant::now();
        loop {
            let said = std::fs::read_to_string(&log).unwrap();
            if let Some(port) = port_in(&said) {
                return Some(Self { child, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), chromium, dir });
            }
            if since.elapsed() > PATIENCE || child.try_wait().unwrap().is_some() {
                child.kill().ok();
                child.wait().ok();
                panic!("chromedriver did not start: {said}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// What a session is asked for, with its profile and its downloads in a folder that nobody had before.
    pub fn wishes(&self, profile: &Path, downloads: &Path) -> serde_json::Map<String, Value> {
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let wishes = json!({
            "browserName": "chrome",
            // A dialog stays until it was heard.
            "unhandledPromptBehavior": "ignore",
            "timeouts": { "implicit": 0, "pageLoad": 60_000, "script": 60_000 },
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": self.chromium,
                "args": flags,
                "prefs": {
                    "download.default_directory": downloads.display().to_string(),
                    "download.prompt_for_download": false,
                },
            },
        });
        match wishes {
            Value::Object(map) => map,
            other => panic!("not an object: {other}"),
        }
    }
}

/// The port that it says it listens on.
fn port_in(said: &str) -> Option<u16> {
    let (_, after) = said.split_once("started successfully on port ")?;
    let (port, _) = after.split_once('.')?;
    port.parse().ok()
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It ends browsers that a lost session left behind; killed, it would leave them.
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            stream.set_read_timeout(Some(PATIENCE)).ok();
            let asked = b"GET /shutdown HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
            if stream.write_all(asked).is_ok() {
                stream.read_to_end(&mut Vec::new()).ok();
            }
        }
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

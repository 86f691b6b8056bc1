//! The real binary as a child process: written config, secrets by environment, ready, killed, stopped.

use crate::http;
use crate::wire;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a start may take before the rig calls it hung.
const START_MAX: Duration = Duration::from_secs(30);
/// The bearer of the rig's own calls to the internal listener.
pub const TOKEN: &str = "rig-token-0123456789abcdef0123456789";

/// Where and how it runs.
pub struct Setup {
    /// The rig's folder, where logs and config are.
    pub home: PathBuf,
    /// Where the books are: `sqlite://…`, on another disk in the power-cut loop, or `postgres://…`.
    pub store: String,
    pub core: SocketAddr,
    /// `memory`, `redis://…` or `redis+sentinel://…`.
    pub seen: String,
    /// Its public and internal listener, where they must not change from life to life.
    pub listen: Option<[SocketAddr; 2]>,
    /// Milliseconds between "not ready" and the end of accepting.
    pub ready_ms: u64,
    /// The deliberate fault, if this is a control.
    pub fault: Option<&'static str>,
}

/// One life of the process.
pub struct Gateway {
    child: Child,
    pub public: SocketAddr,
    pub internal: SocketAddr,
}

/// Two profiles, as they are shipped, with the rig's secrets.
pub fn write_setup(setup: &Setup) -> io::Result<()> {
    let profiles = setup.home.join("partners");
    fs::create_dir_all(&profiles)?;
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/partners");
    for name in ["zalopay.toml", "standard.toml"] {
        fs::copy(shipped.join(name), profiles.join(name))?;
    }
    let config = format!(
        "[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:0\"\nworkers = 2\n\
         [limits]\npeer_per_second = 1000000\npeer_burst = 1000000\ntotal_per_second = 1000000\ntotal_burst = 1000000\n\
         [store]\nurl = \"{store}\"\n\
         [seal]\nsecret = \"env:RIG_SEAL_SECRET\"\nevery_s = 2\n\
         [seen]\nurl = \"{seen}\"\n\
         [core]\nurl = \"http://{core}/clearings\"\nsecret = \"env:RIG_CORE_SECRET\"\n\
         [partners]\ndir = \"{profiles}\"\n\
         [log]\nlevel = \"warn\"\n\
         [drain]\nready_ms = {ready_ms}\n\
         [[token]]\nname = \"rig\"\nscope = [\"invoices\", \"read\", \"ops\"]\nsecret = \"env:RIG_TOKEN\"\n",
        store = setup.store,
        seen = setup.seen,
        core = setup.core,
        ready_ms = setup.ready_ms,
        profiles = profiles.display(),
    );
    fs::write(setup.home.join("gateway.toml"), config)
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Changes what `write_setup` wrote.
pub fn edit_config(setup: &Setup, from: &str, to: &str) -> io::Result<()> {
    let path = setup.home.join("gateway.toml");
    let text = fs::read_to_string(&path)?;
    assert!(text.contains(from), "the rig's config says {from}");
    fs::write(path, text.replace(from, to))
}

fn command(setup: &Setup, verb: &str, crash_point: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thuho"));
    command.arg(verb).arg("--config").arg(setup.home.join("gateway.toml"));
    command.env_remove("THUHO_CRASH_POINT").env_remove("THUHO_FAULT");
    command
        .env("RIG_SEAL_SECRET", "rig-seal-secret-0123456789abcdef")
        .env("RIG_CORE_SECRET", wire::CORE_SECRET)
        .env("RIG_TOKEN", TOKEN)
        .env("RUST_BACKTRACE", "0");
    for (name, value) in wire::secrets() {
        command.env(name, value);
    }
    if let Some(point) = crash_point {
        command.env("THUHO_CRASH_POINT", point);
    }
    if let Some(fault) = setup.fault {
        command.env("THUHO_FAULT", fault);
    }
    command
}

/// `thuho audit`: the gateway's own proof of its books, which must agree with the rig's.
pub fn audit(setup: &Setup) -> Result<(), String> {
    let done = command(setup, "audit", None).output().map_err(|e| format!("audit: {e}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if done.status.success() && said(&done.stdout).contains("audit: passed") {
        return Ok(());
    }
    Err(format!("thuho audit ({}): {} {}", done.status, said(&done.stdout), said(&done.stderr)))
}

impl Gateway {
    /// Starts it and waits until it is ready.
    pub fn start(setup: &Setup, crash_point: Option<&str>) -> Result<Self, String> {
        let said = |e: io::Error| format!("the gateway does not start: {e}");
        let [public, internal] = match setup.listen {
            Some(both) => both,
            None => [free_address().map_err(said)?, free_address().map_err(said)?],
        };
        let log = fs::File::options().create(true).append(true).open(setup.home.join("gateway.log")).map_err(said)?;
        let child = command(setup, "serve", crash_point)
            .env("THUHO_LISTEN__PUBLIC", public.to_string())
            .env("THUHO_LISTEN__INTERNAL", internal.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(said)?)
            .stderr(log)
            .spawn()
            .map_err(said)?;
        let mut gateway = Self { child, public, internal };
        gateway.wait_until_ready(setup).map(|()| gateway)
    }

    /// Waits until it may get traffic.
    pub fn wait_until_ready(&mut self, setup: &Setup) -> Result<(), String> {
        let since = Instant::now();
        let question = http::request("GET", "/readyz", &[], b"");
        loop {
            if http::once(self.internal, &question).is_ok_and(|r| r.status == 200) {
                return Ok(());
            }
            let ended = self.child.try_wait().map_err(|e| e.to_string())?;
            if ended.is_some() || since.elapsed() > START_MAX {
                self.kill();
                let log = fs::read_to_string(setup.home.join("gateway.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(8).collect();
                let state = ended.map_or("hangs".to_owned(), |s| s.to_string());
                return Err(format!("not ready ({state}):\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, without waiting for anything.
    pub fn kill(&mut self) {
        // It may be dead already; that is what was wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Did it end by itself, at a crash point?
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGTERM, and its exit status.
    pub fn stop(mut self) -> Result<ExitStatus, String> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().map_err(|e| e.to_string())?;
        let since = Instant::now();
        while since.elapsed() < START_MAX {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.kill();
        Err("SIGTERM did not end it".to_owned())
    }

    /// One call to the internal listener.
    pub fn ask(&self, method: &str, path: &str, content: &str, body: &[u8]) -> io::Result<http::Reply> {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", content)];
        http::once(self.internal, &http::request(method, path, &headers, body))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

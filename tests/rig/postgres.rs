//! A PostgreSQL of the rig's own: stopped hard, killed, followed by a standby, promoted. It runs as an unprivileged
//! user in a folder of the rig's and listens on loopback.

use crate::ports;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a standby may take to follow.
const FOLLOW_MAX: Duration = Duration::from_secs(30);

/// One server. Ended when it goes out of scope or the rig dies.
pub struct Server {
    bin: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    /// Waits for the end of its standard input, which is ours, and stops the server then.
    guard: Child,
}

/// Where the programs are; `Err` says why there are none.
#[expect(clippy::disallowed_methods, reason = "the rig is told by its environment which PostgreSQL to start")]
pub fn programs() -> Result<PathBuf, String> {
    let named = std::env::var("TEST_POSTGRES_BIN").ok().map(PathBuf::from);
    let installed = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max()
    };
    let found = named.or_else(installed).filter(|bin| ["initdb", "pg_ctl"].iter().all(|p| bin.join(p).is_file()));
    found.ok_or_else(|| "TEST_POSTGRES_BIN names no folder with initdb, and none is installed".to_owned())
}

/// The number of the user that it runs as, when we are root: it refuses to be that.
fn nobody() -> Option<u32> {
    let number = |words: &[&str]| {
        let said = Command::new("id").args(words).output().ok()?;
        String::from_utf8_lossy(&said.stdout).trim().parse::<u32>().ok()
    };
    if number(&["-u"]) == Some(0) { number(&["-u", "nobody"]) } else { None }
}

fn unprivileged(program: &Path) -> Command {
    if nobody().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
    command
}

impl Server {
    /// A fresh one with an empty database for the books.
    pub fn create(home: &Path, name: &str) -> Result<Self, String> {
        let server = Self::prepare(home, name)?;
        server.run("initdb", &["--no-sync", "-A", "trust", "-U", "thuho", "-E", "UTF8", "--locale=C", "-D", "data"])?;
        server.start()?;
        sql(&server.url_of("postgres"), "CREATE DATABASE books")?;
        Ok(server)
    }

    /// One that follows `self` from a copy of it, and without which `self` acknowledges nothing.
    pub fn follow(&self, home: &Path, name: &str) -> Result<Self, String> {
        let standby = Self::prepare(home, name)?;
        self.lead(&standby)?;
        Ok(standby)
    }

    /// Has `other`, whatever it was, follow `self` from a fresh copy.
    pub fn lead(&self, other: &Self) -> Result<(), String> {
        let data = other.folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(|e| e.to_string())?;
        }
        let port = self.address.port().to_string();
        let copy = ["--no-sync", "-R", "-c", "fast", "-h", "127.0.0.1", "-U", "thuho", "-D", "data", "-p", &port];
        other.run("pg_basebackup", &copy)?;
        other.start()?;
        // Only now, so that the copy does not wait for a standby of its own when it is promoted.
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        self.sql("SELECT pg_reload_conf()")?;
        let since = Instant::now();
        while since.elapsed() < FOLLOW_MAX {
            if self.sql("SELECT sync_state FROM pg_stat_replication")? == ["sync"] {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the standby does not follow: {}", other.log()))
    }

    /// The standby hears nothing more, and is not waited for: what is acknowledged from here on is in one place. For
    /// the control.
    pub fn lag(&self, standby: &Self) -> Result<(), String> {
        self.sql("ALTER SYSTEM RESET synchronous_standby_names")?;
        self.sql("SELECT pg_reload_conf()")?;
        standby.sql("ALTER SYSTEM SET primary_conninfo = ''")?;
        standby.sql("SELECT pg_reload_conf()")?;
        Ok(())
    }

    fn prepare(home: &Path, name: &str) -> Result<Self, String> {
        let bin = programs()?;
        let folder = home.join(name);
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        if let Some(user) = nobody() {
            chown(&folder, Some(user), None).map_err(|e| e.to_string())?;
        }
        let script = "read -r end; \"$0/pg_ctl\" -D data -m immediate stop";
        let mut guard = unprivileged(Path::new("sh"));
        guard.args(["-c", script]).arg(&bin).current_dir(&folder).stdin(Stdio::piped());
        let guard = guard.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        Ok(Self { bin, folder, address: ports::free(), guard })
    }

    fn run(&self, program: &str, words: &[&str]) -> Result<(), String> {
        let mut command = unprivileged(&self.bin.join(program));
        command.args(words).current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null());
        // A server that is started keeps what it is given, so it is not given a pipe.
        let said = self.folder.join("said");
        let file = fs::File::create(&said).map_err(|e| e.to_string())?;
        let status = command.stderr(file).status().map_err(|e| format!("{program}: {e}"))?;
        if status.success() {
            return Ok(());
        }
        let said = fs::read_to_string(said).unwrap_or_default();
        Err(format!("{program} {}: {said}{}", words.join(" "), self.log()))
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(8)).map(|l| format!("\n    | {l}")).collect()
    }

    /// Starts it (again); what was in its log is played first.
    pub fn start(&self) -> Result<(), String> {
        let settings = format!(
            "-c listen_addresses=127.0.0.1 -p {} -c unix_socket_directories='' -c shared_buffers=32MB \
             -c max_connections=60 -c wal_keep_size=256MB -c logging_collector=off",
            self.address.port()
        );
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "30", "-l", "log", "-o", &settings, "start"])
    }

    /// An immediate stop: no session is told more than that, nothing is flushed.
    pub fn stop(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"])
    }

    /// `kill -9` of the server and of every process of its own.
    pub fn kill(&self) -> Result<(), String> {
        let file = self.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let leader: u32 =
            text.lines().next().and_then(|l| l.trim().parse().ok()).ok_or("postmaster.pid has no number")?;
        let own = children(leader);
        let mut words = vec!["-9".to_owned(), leader.to_string()];
        words.extend(own.iter().map(u32::to_string));
        // One may have ended in between; that is what is wanted.
        Command::new("kill").args(words).stderr(Stdio::null()).status().map_err(|e| e.to_string())?;
        let since = Instant::now();
        while own.iter().chain([&leader]).any(|pid| runs(*pid)) {
            if since.elapsed() > FOLLOW_MAX {
                return Err("kill -9 does not end the server".to_owned());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Whoever started the machine may take its time to collect the dead, and the next server would wait for them.
        fs::remove_file(&file).map_err(|e| e.to_string())
    }

    /// A standby becomes the one that is written.
    pub fn promote(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "30", "promote"])
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of the books.
    pub fn url(&self) -> String {
        self.url_of("books")
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://thuho@{}/{database}", self.address)
    }

    /// Statements; the first column of every row.
    pub fn sql(&self, text: &str) -> Result<Vec<String>, String> {
        sql(&self.url_of("postgres"), text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Its end is that of the server.
        drop(self.guard.wait());
    }
}

/// The processes that this one started.
fn children(leader: u32) -> Vec<u32> {
    let every = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = every.filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    numbers.filter(|pid| field(*pid, "PPid:").is_some_and(|parent| parent == leader.to_string())).collect()
}

/// A zombie does not.
fn runs(pid: u32) -> bool {
    field(pid, "State:").is_some_and(|state| !state.starts_with('Z'))
}

fn field(pid: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}

fn sql(url: &str, text: &str) -> Result<Vec<String>, String> {
    let said = |e: tokio_postgres::Error| format!("{text}: {e:?}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.map_err(said)?;
        let driver = tokio::spawn(connection);
        let messages = client.simple_query(text).await.map_err(said)?;
        drop(client);
        // Ended by us; how does not matter.
        drop(driver.await);
        let row = |message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        Ok(messages.into_iter().filter_map(row).collect())
    })
}

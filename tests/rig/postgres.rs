//! A PostgreSQL of the rig's own: stopped hard, killed, followed by a standby, promoted. It runs as an unprivileged
//! user in a folder of the rig's and listens on loopback.

use crate::ports;
use crate::power::Disk;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a standby may take to follow.
const FOLLOW_MAX: Duration = Duration::from_secs(30);

/// Names the running server's process.
const LOCK_FILE: &str = "postmaster.pid";

/// One server. Ended when it goes out of scope or the rig dies.
pub struct Server {
    bin: PathBuf,
    /// What is not the database's: logs.
    folder: PathBuf,
    data: PathBuf,
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
    /// A fresh one with an empty database for the books; on a disk of its own, if there is one.
    pub fn create(home: &Path, name: &str, disk: Option<&Path>) -> Result<Self, String> {
        let server = Self::prepare(home, name, disk)?;
        let words = ["-A", "trust", "-U", "thuho", "-E", "UTF8", "--locale=C"];
        // What is not to lose power need not wait for the disk.
        let quick: &[&str] = if disk.is_some() { &[] } else { &["--no-sync"] };
        server.run("initdb", &[&words, quick].concat())?;
        server.start()?;
        sql(&server.url_of("postgres"), "CREATE DATABASE books")?;
        Ok(server)
    }

    /// One that follows `self` from a copy of it, and without which `self` acknowledges nothing.
    pub fn follow(&self, home: &Path, name: &str) -> Result<Self, String> {
        let standby = Self::prepare(home, name, None)?;
        self.lead(&standby)?;
        Ok(standby)
    }

    /// Has `other`, whatever it was, follow `self` from a fresh copy.
    pub fn lead(&self, other: &Self) -> Result<(), String> {
        if other.data.exists() {
            fs::remove_dir_all(&other.data).map_err(|e| e.to_string())?;
        }
        let port = self.address.port().to_string();
        let copy = ["--no-sync", "-R", "-c", "fast", "-h", "127.0.0.1", "-U", "thuho", "-p", &port];
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

    fn prepare(home: &Path, name: &str, disk: Option<&Path>) -> Result<Self, String> {
        let bin = programs()?;
        let folder = home.join(name);
        let data = disk.unwrap_or(&folder).join("data");
        fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        if let Some(user) = nobody() {
            for place in [&folder, disk.unwrap_or(&folder)] {
                chown(place, Some(user), None).map_err(|e| e.to_string())?;
            }
        }
        // A signal to us and all our children is not for it.
        let script = "trap '' HUP INT TERM; read -r end; \"$0/pg_ctl\" -D \"$1\" -m immediate stop";
        let mut guard = unprivileged(Path::new("sh"));
        guard.args(["-c", script]).args([&bin, &data]).current_dir(&folder).stdin(Stdio::piped());
        let guard = guard.stdout(Stdio::null()).stderr(Stdio::null()).spawn().map_err(|e| e.to_string())?;
        Ok(Self { bin, folder, data, address: ports::free(), guard })
    }

    fn run(&self, program: &str, words: &[&str]) -> Result<(), String> {
        let mut command = unprivileged(&self.bin.join(program));
        command
            .args(words)
            .arg("-D")
            .arg(&self.data)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
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
        self.run("pg_ctl", &["-w", "-t", "30", "-l", "log", "-o", &settings, "start"])
    }

    /// An immediate stop: no session is told more than that, nothing is flushed.
    pub fn stop(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-w", "-m", "immediate", "stop"])
    }

    /// The process that started the others.
    fn leader(&self) -> Result<u32, String> {
        let file = self.data.join(LOCK_FILE);
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let number = text.lines().next().and_then(|line| line.trim().parse().ok());
        number.ok_or_else(|| format!("{} has no number", file.display()))
    }

    /// `kill -9` of the server and of every process of its own.
    pub fn kill(&self) -> Result<(), String> {
        end(self.leader()?)?;
        self.forget()
    }

    /// The power of its disk fails, and a moment later its own: what was acknowledged in between was flushed before.
    pub fn cut_power(&self, disk: &mut Disk) -> Result<(), String> {
        let leader = self.leader()?;
        disk.cut()?;
        std::thread::sleep(Duration::from_millis(30));
        end(leader)?;
        disk.remount()?;
        self.forget()
    }

    /// Whoever started the machine may take its time to collect the dead, and the next server would wait for them.
    fn forget(&self) -> Result<(), String> {
        fs::remove_file(self.data.join(LOCK_FILE)).map_err(|e| e.to_string())
    }

    /// A standby becomes the one that is written.
    pub fn promote(&self) -> Result<(), String> {
        self.run("pg_ctl", &["-w", "-t", "30", "promote"])
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

/// `kill -9` of this one and of all that it started.
fn end(leader: u32) -> Result<(), String> {
    let since = Instant::now();
    while since.elapsed() < FOLLOW_MAX {
        let alive: Vec<u32> = children(leader).into_iter().chain([leader]).filter(|pid| runs(*pid)).collect();
        if alive.is_empty() {
            return Ok(());
        }
        // One may have ended in between; that is what is wanted.
        let words = alive.iter().map(u32::to_string);
        Command::new("kill").arg("-9").args(words).stderr(Stdio::null()).status().map_err(|e| e.to_string())?;
        std::thread::sleep(Duration::from_millis(5));
    }
    Err("kill -9 does not end the server".to_owned())
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

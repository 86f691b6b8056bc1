//! A PostgreSQL of the bench's own, with the settings that we ship for these books. It runs as an unprivileged user in a
//! folder of its own and listens on a socket there alone.

use crate::machine;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What differs from the settings that are shipped.
const SETTINGS: &[&str] = &["listen_addresses=''", "logging_collector=off", "track_io_timing=on"];

/// Runs until it is dropped, or we end in whatever way.
pub struct Postgres {
    bin: PathBuf,
    folder: PathBuf,
    guard: Child,
}

fn bin() -> Option<PathBuf> {
    let installed = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max()
    };
    let found = std::env::var_os("TEST_POSTGRES_BIN").map(PathBuf::from).or_else(installed);
    found.filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file())
}

fn number(args: &[&str]) -> Option<u32> {
    let said = Command::new("id").args(args).output().ok()?;
    String::from_utf8_lossy(&said.stdout).trim().parse().ok()
}

/// The number of an unprivileged user when we are root, as whom it refuses to run.
fn nobody() -> Option<u32> {
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

impl Postgres {
    /// None where it is not installed; `TEST_POSTGRES_BIN` names its programs' folder.
    pub fn start() -> Option<Self> {
        let bin = bin()?;
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a temporary folder").keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("the folder is ours");
        if let Some(user) = nobody() {
            std::os::unix::fs::chown(&folder, Some(user), None).expect("root gives it away");
        }
        let mut initdb = unprivileged(&bin.join("initdb"));
        initdb.args(["-A", "trust", "-U", "thuho", "-E", "UTF8", "--locale=C", "-D"]).arg(folder.join("data"));
        let made = initdb.current_dir(&folder).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/postgresql.conf");
        fs::copy(shipped, folder.join("thuho.conf")).expect("our settings are shipped");
        let config = fs::File::options().append(true).open(folder.join("data/postgresql.conf"));
        writeln!(config.expect("initdb made it"), "include '{}/thuho.conf'", folder.display())
            .expect("the disk has room");
        // When we end, however that is, its input does too. A signal to us and all our children is not for it.
        let script = "trap '' HUP INT TERM; read -r end; \"$0/pg_ctl\" -D data -m immediate stop; cd /; rm -rf \"$1\"";
        let mut guard = unprivileged(Path::new("sh"));
        guard.args(["-c", script]).arg(&bin).arg(&folder).current_dir(&folder);
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = Self { bin, folder, guard: guard.expect("sh runs") };
        server.up();
        Some(server)
    }

    fn up(&self) {
        let mut settings = format!("-c unix_socket_directories={}", self.folder.display());
        for setting in SETTINGS {
            settings.push_str(&format!(" -c {setting}"));
        }
        let mut ctl = unprivileged(&self.bin.join("pg_ctl"));
        ctl.args(["-w", "-D"]).arg(self.folder.join("data")).arg("-l").arg(self.folder.join("log"));
        ctl.args(["-o", &settings, "start"]).current_dir(&self.folder);
        // It would wait for the server's output as well.
        let status = ctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok_and(|s| s.success()), "pg_ctl: {}", self.log());
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://thuho@{}/{database}", self.folder.display().to_string().replace('/', "%2F"))
    }

    /// Statements over a connection of their own; the first column of every row, as text.
    pub fn sql(&self, database: &str, text: &str) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let connected = tokio_postgres::connect(&self.url(database), tokio_postgres::NoTls).await;
            let (client, connection) = connected.expect("the server listens");
            let driver = tokio::task::spawn(connection);
            let said = client.simple_query(text).await.unwrap_or_else(|e| panic!("{text}: {e:?}"));
            drop(client);
            driver.await.expect("the connection ends").ok();
            let row = |message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            };
            said.into_iter().filter_map(row).collect()
        })
    }

    pub fn number(&self, database: &str, text: &str) -> u64 {
        let said = self.sql(database, text);
        said.last().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{text}: {said:?}"))
    }

    pub fn create(&self, database: &str) {
        self.sql("postgres", &format!("CREATE DATABASE {database}"));
    }

    /// A copy of a database, on the disk and in the server's memory as if it had served a while.
    pub fn copy(&self, from: &str, to: &str) {
        self.drop_database(to);
        // Copied as files; written to the log instead, it would make the next checkpoint come sooner.
        let strategy =
            if self.number("postgres", "SHOW server_version_num") >= 150_000 { "STRATEGY file_copy" } else { "" };
        self.sql("postgres", &format!("CREATE DATABASE {to} TEMPLATE {from} {strategy}"));
        if !self.sql(to, "SELECT name FROM pg_available_extensions WHERE name = 'pg_prewarm'").is_empty() {
            self.sql(
                to,
                "CREATE EXTENSION IF NOT EXISTS pg_prewarm;
                 SELECT sum(pg_prewarm(c.oid)) FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
                 WHERE s.nspname = 'public' AND c.relkind IN ('r', 'i') AND c.relpages > 0",
            );
        }
        self.sql("postgres", "CHECKPOINT");
    }

    /// What it would still write of it does not disturb the next stage.
    pub fn drop_database(&self, name: &str) {
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        self.sql("postgres", "CHECKPOINT");
    }

    /// CPU seconds of all its processes since it started.
    pub fn cpu_seconds(&self) -> f64 {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
        let first = file.lines().next().and_then(|pid| pid.parse().ok());
        machine::family_cpu_seconds(first.expect("the server runs"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        drop(self.guard.wait());
    }
}

//! A real PostgreSQL of the tests' own, from the installed programs: `TEST_POSTGRES_BIN` names their folder, or it is
//! where Debian puts it. It runs as an unprivileged user in a folder of its own and listens on a socket there alone.
//! Without it the tests that need one print SKIPPED and count as not shown.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use thuho::store::postgres::{self, PostgresOptions, PostgresPlace, PostgresStore};

/// One test binary's server: starting one takes seconds.
static SHARED: OnceLock<Option<Server>> = OnceLock::new();

const MIGRATED: &str = "migrated";

pub struct Server {
    bin: PathBuf,
    folder: PathBuf,
    /// Where it listens beside its socket.
    port: Option<u16>,
    /// Ends the server and removes its folder when we end, however that is.
    guard: Child,
    databases: AtomicU32,
    /// A copy of a database needs it to itself.
    copying: Mutex<()>,
}

/// A database of a test's own.
#[derive(Clone)]
pub struct Database {
    pub name: String,
    folder: PathBuf,
    port: Option<u16>,
}

fn bin(test: &str) -> Option<PathBuf> {
    let named = std::env::var("TEST_POSTGRES_BIN").ok().map(PathBuf::from);
    let installed = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).max()
    };
    let found = named.or_else(installed).filter(|bin| bin.join("initdb").is_file() && bin.join("postgres").is_file());
    if found.is_none() {
        eprintln!("SKIPPED {test}: TEST_POSTGRES_BIN names no folder with initdb and postgres, and none is installed");
    }
    found
}

/// The program as a user that PostgreSQL takes: it refuses to run as root.
fn unprivileged(program: &Path) -> Command {
    if nobody().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]).arg(program);
    command
}

/// The number of that user, when we are root.
fn nobody() -> Option<u32> {
    let number = |args: &[&str]| {
        let said = Command::new("id").args(args).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().parse().ok()
    };
    if number(&["-u"]) == Some(0) { number(&["-u", "nobody"]) } else { None }
}

fn done(what: &str, output: &Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    /// The tests' common one; `None` (said aloud) when there is no program.
    pub fn shared(test: &str) -> Option<&'static Self> {
        let server = SHARED.get_or_init(|| Self::start("the first test over PostgreSQL"));
        if server.is_none() {
            eprintln!("SKIPPED {test}: no PostgreSQL");
        }
        server.as_ref()
    }

    /// One that a test may stop.
    pub fn start(test: &str) -> Option<Self> {
        Self::with(test, None, &[])
    }

    /// One that is reached over the network too, with a certificate.
    pub fn encrypted(test: &str) -> Option<Self> {
        Self::with(test, Some(super::redis::free_port()), &[])
    }

    /// As `encrypted`, with files of a test's own in its folder: `pg_hba.conf`, or one that its configuration includes.
    pub fn configured(test: &str, files: &[(&str, String)]) -> Option<Self> {
        Self::with(test, Some(super::redis::free_port()), files)
    }

    fn with(test: &str, port: Option<u16>, files: &[(&str, String)]) -> Option<Self> {
        let bin = bin(test)?;
        let folder = folder_of_its_own();
        let mut initdb = unprivileged(&bin.join("initdb"));
        initdb.args(["--no-sync", "-A", "trust", "-U", "thuho", "-E", "UTF8", "--locale=C", "-D"]);
        done("initdb", &initdb.arg(folder.join("data")).current_dir(&folder).output().unwrap());
        for (name, text) in
            [("core.pem", include_str!("../outbox/tls/core.pem")), ("core.key", include_str!("../outbox/tls/core.key"))]
        {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            if let Some(user) = nobody() {
                std::os::unix::fs::chown(&path, Some(user), None).unwrap();
            }
        }
        for (name, text) in files {
            std::fs::write(folder.join("data").join(name), text).unwrap();
            std::fs::set_permissions(folder.join("data").join(name), Permissions::from_mode(0o644)).unwrap();
            if *name != "pg_hba.conf" {
                let mut whole =
                    std::fs::File::options().append(true).open(folder.join("data/postgresql.conf")).unwrap();
                writeln!(whole, "include '{name}'").unwrap();
            }
        }
        let server = Self::guarded(bin, folder, port);
        server.up();
        server.sql("postgres", &format!("CREATE DATABASE {MIGRATED}"));
        postgres::migrate(&server.place(MIGRATED)).unwrap();
        Some(server)
    }

    fn guarded(bin: PathBuf, folder: PathBuf, port: Option<u16>) -> Self {
        // A signal to us and all our children is not for it.
        let script = "trap '' HUP INT TERM; read -r end; \"$0/pg_ctl\" -D data -m immediate stop; cd /; rm -rf \"$1\"";
        let mut guard = unprivileged(Path::new("sh"));
        guard.args(["-c", script]).arg(&bin).arg(&folder).current_dir(&folder);
        let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { bin, folder, port, guard, databases: AtomicU32::new(0), copying: Mutex::new(()) }
    }

    /// A backup of it while it runs, as a server that is not up yet.
    pub fn backup(&self) -> Self {
        let folder = folder_of_its_own();
        let mut copy = unprivileged(&self.bin.join("pg_basebackup"));
        copy.args(["-U", "thuho", "-X", "stream", "-c", "fast", "--no-sync", "-h"]).arg(&self.folder);
        done("pg_basebackup", &copy.arg("-D").arg(folder.join("data")).current_dir(&folder).output().unwrap());
        Self::guarded(self.bin.clone(), folder, None)
    }

    /// Its database of that name, which another server had.
    pub fn same(&self, database: &Database) -> Database {
        Database { name: database.name.clone(), folder: self.folder.clone(), port: self.port }
    }

    fn ctl(&self, args: &[&str]) {
        let mut ctl = unprivileged(&self.bin.join("pg_ctl"));
        ctl.arg("-D").arg(self.folder.join("data")).args(args).current_dir(&self.folder);
        // It would wait for the server's output as well.
        let status = ctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "pg_ctl {args:?}: {}", self.log());
    }

    pub fn up(&self) {
        let network = self.port.map_or("-c listen_addresses=''".to_owned(), |port| {
            let files = self.folder.display();
            format!(
                "-c listen_addresses=127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file={files}/core.pem \
                 -c ssl_key_file={files}/core.key"
            )
        });
        let settings = format!(
            "{network} -c unix_socket_directories={} -c shared_buffers=32MB -c max_connections=100 \
             -c logging_collector=off",
            self.folder.display()
        );
        self.ctl(&["-w", "-l", &self.folder.join("log").display().to_string(), "-o", &settings, "start"]);
    }

    pub fn down(&self) {
        self.ctl(&["-w", "-m", "immediate", "stop"]);
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn url(&self, database: &str) -> String {
        url(&self.folder, self.port, database)
    }

    /// Over the network.
    pub fn tcp_url(&self, host: &str, database: &Database, mode: &str) -> String {
        format!("postgres://thuho@{host}:{}/{}?sslmode={mode}", self.port.unwrap(), database.name)
    }

    fn place(&self, database: &str) -> PostgresPlace {
        PostgresPlace::parse(&self.url(database), None, None).unwrap()
    }

    fn sql(&self, database: &str, text: &str) -> Vec<String> {
        sql(&self.url(database), text)
    }

    /// A fresh database with the schema.
    pub fn database(&self) -> Database {
        let database = self.empty();
        let _one = self.copying.lock().unwrap_or_else(PoisonError::into_inner);
        self.sql("postgres", &format!("CREATE DATABASE {} TEMPLATE {MIGRATED}", database.name));
        database
    }

    /// Makes an empty database of that name.
    pub fn create(&self, database: &Database) {
        self.sql("postgres", &format!("CREATE DATABASE {}", database.name));
    }

    /// A name and no database.
    pub fn empty(&self) -> Database {
        let name = format!("books_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        Database { name, folder: self.folder.clone(), port: self.port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        self.guard.wait().ok();
    }
}

fn folder_of_its_own() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    if let Some(user) = nobody() {
        std::os::unix::fs::chown(&folder, Some(user), None).unwrap();
    }
    folder
}

fn url(folder: &Path, port: Option<u16>, database: &str) -> String {
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("postgres://thuho@{}{port}/{database}", folder.display().to_string().replace('/', "%2F"))
}

/// Statements over a connection of their own; the first column of every row, as text.
pub fn sql(url: &str, text: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        let said = client.simple_query(text).await.unwrap_or_else(|e| panic!("{text}: {e:?}"));
        drop(client);
        driver.await.unwrap().ok();
        let row = |message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        said.into_iter().filter_map(row).collect()
    })
}

impl Database {
    /// A fresh one on the common server; `None` (said aloud) when there is no program.
    pub fn fresh(test: &str) -> Option<Self> {
        Some(Server::shared(test)?.database())
    }

    pub fn url(&self) -> String {
        url(&self.folder, self.port, &self.name)
    }

    pub fn place(&self) -> PostgresPlace {
        PostgresPlace::parse(&self.url(), None, None).unwrap()
    }

    pub fn store(&self, options: &PostgresOptions) -> PostgresStore {
        PostgresStore::open(&self.place(), options).unwrap()
    }

    pub fn reports(&self) -> postgres::PostgresReports {
        postgres::open_reports(&self.place()).unwrap()
    }

    pub fn sql(&self, text: &str) -> Vec<String> {
        sql(&self.url(), text)
    }
}

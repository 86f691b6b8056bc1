//! deploy/postgresql.conf and pg_hba.conf in a real PostgreSQL, deploy/redis.conf and redis.acl in a real Redis, with the
//! real gateway on both; deploy/sentinel.conf over a group of two.

use super::{text_of, with};
use crate::harness::postgres::Server;
use crate::harness::program::{Home, code, ended, signal};
use crate::harness::redis::free_port;
use crate::harness::tls::{Client, certificates};
use crate::harness::{Gateway, bill, http, pays};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const DATABASE_PASSWORD: &str = "canary-password-of-the-database-2";
const GATEWAY: &str = "canary-password-of-the-gateway-in-redis";
const ADMIN: &str = "the-password-of-the-test-itself";
const GROUP: [&str; 2] = ["canary-password-of-a-replica", "canary-password-of-a-sentinel"];

/// A Redis, or a sentinel, with the files that ship.
struct Redis {
    child: Child,
    port: u16,
    client: Client,
}

impl Redis {
    /// In the folder of the certificates, with more lines; `None`, said aloud, when there is no program.
    fn start(test: &str, folder: &Path, alter: impl Fn(String) -> String) -> Option<Self> {
        let port = free_port();
        let at = folder.display();
        let mut acl = text_of("redis.acl");
        for (number, password) in [(1, GATEWAY), (2, GROUP[0]), (3, GROUP[1]), (4, ADMIN)] {
            let hash = hex::encode(Sha256::digest(password.as_bytes()));
            acl = with(&acl, &format!("#{number:064}"), &format!("#{hash}"));
        }
        let file = |name: &str| folder.join(format!("{name}-{port}"));
        std::fs::write(file("acl"), acl).unwrap();
        let mut text = alter(text_of("redis.conf"));
        for (old, new) in [
            ("tls-port 6379", format!("tls-port {port}")),
            ("/etc/redis/tls/redis.crt", format!("{at}/server.pem")),
            ("/etc/redis/tls/redis.key", format!("{at}/server.key")),
            ("/etc/redis/tls/ca.crt", format!("{at}/ca.pem")),
            ("/etc/redis/redis.acl", file("acl").display().to_string()),
        ] {
            text = with(&text, old, &new);
        }
        let data = file("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(file("conf"), text + &format!("\ndir {}\n", data.display())).unwrap();
        let child = server(test, &file("conf"), &[], &file("log"))?;
        let redis = Self { child, port, client: Client::new(folder, SocketAddr::from(([127, 0, 0, 1], port))) };
        for _ in 0..1_000 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() && redis.say("admin", ADMIN, "PING").contains("PONG") {
                return Some(redis);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not answer: {}", std::fs::read_to_string(file("log")).unwrap());
    }

    /// One command of a user; its raw answer.
    fn say(&self, user: &str, password: &str, line: &str) -> String {
        let mut stream = self.client.connect().unwrap();
        let login = if user.is_empty() { String::new() } else { format!("AUTH {user} {password}\r\n") };
        stream.write_all(format!("{login}{line}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut said = Vec::new();
        // Redis ends without a last word of TLS.
        stream.read_to_end(&mut said).ok();
        String::from_utf8_lossy(&said).into_owned()
    }

    fn admin(&self, line: &str) -> String {
        self.say("admin", ADMIN, line)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn server(test: &str, conf: &Path, args: &[&str], log: &Path) -> Option<Child> {
    let program = std::env::var("TEST_REDIS_SERVER").unwrap_or_else(|_not_set| "redis-server".to_owned());
    let mut command = Command::new(program);
    command.arg(conf).args(args).stdin(Stdio::null()).stdout(std::fs::File::create(log).unwrap());
    let child = command.stderr(Stdio::null()).spawn();
    child.inspect_err(|error| eprintln!("SKIPPED {test}: redis-server: {error}")).ok()
}

fn secret(folder: &Path, name: &str, text: &str) -> String {
    std::fs::write(folder.join(name), text).unwrap();
    format!("file:{}", folder.join(name).display())
}

/// The gateway's half of redis.conf.
fn seen(folder: &Path, url: &str) -> String {
    format!(
        "seen.url = \"{url}\"\nseen.username = \"gateway\"\nseen.password = \"{}\"\nseen.trust = \"file:{}/ca.pem\"\n",
        secret(folder, "gateway-password", GATEWAY),
        folder.display()
    )
}

#[test]
fn the_gateway_runs_on_postgresql_and_redis_as_they_ship() {
    let test = "the_gateway_runs_on_postgresql_and_redis_as_they_ship";
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = certificates(test, folder.path()) else { return };
    // The test's own way in is the first line; the others are as they ship, but for the network.
    let hba =
        with(&text_of("pg_hba.conf"), "local   all           postgres                  peer", "local all all trust");
    let hba = with(&hba, "10.0.0.0/24", "127.0.0.1/32");
    let files = [("thuho.conf", text_of("postgresql.conf")), ("pg_hba.conf", hba)];
    let Some(server) = Server::configured(test, &files) else { return };
    let Some(redis) = Redis::start(test, folder.path(), |text| text) else { return };
    let mut database = server.database();
    let sql = |text: &str| crate::harness::postgres::sql(&database.url().replace("books_0", "postgres"), text);
    sql(&format!("ALTER DATABASE {} RENAME TO thuho", database.name));
    sql(&format!("ALTER ROLE thuho PASSWORD '{DATABASE_PASSWORD}'"));
    database.name = "thuho".to_owned();
    settings_are_taken(&files[0].1, |text| database.sql(text));

    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/outbox/tls/ca.pem");
    let store = |password: &str| {
        let password = secret(folder.path(), "database-password", password);
        format!("store.password = \"{password}\"\nstore.trust = \"file:{authority}\"\n")
    };
    let [proved, clear] = ["verify-full", "disable"].map(|mode| server.tcp_url("127.0.0.1", &database, mode));
    let refused = |url: &str, password: &str| {
        let home = Home::over(url.to_owned());
        home.configure(&if url.ends_with("disable") { String::new() } else { store(password) });
        code(&home.run(&["check", "--config", "gateway.toml"]))
    };
    let (exit, said) = refused(&proved, "another password");
    assert!(exit == Some(1) && said.contains("password"), "{said}");
    let (exit, said) = refused(&clear, "");
    assert_eq!(exit, Some(1), "in the clear: {said}");

    let home = Home::over(proved);
    let url = format!("rediss://127.0.0.1:{}/0", redis.port);
    home.configure(&(store(DATABASE_PASSWORD) + &seen(folder.path(), &url)));
    let child = home.serve();
    notices_and_repeats(&home, &redis);
    signal(&child, "-TERM");
    let (exit, log) = ended(child);
    assert_eq!(exit, Some(0), "{log}");
    assert!(!log.contains("canary-password"), "a password is in the log");
    let (exit, said) = code(&home.run(&["audit", "--config", "gateway.toml"]));
    assert_eq!(exit, Some(0), "{said}");
    let (exit, said) = code(&home.run(&["check", "--config", "gateway.toml"]));
    assert!(exit == Some(0) && said.contains("rediss://"), "{said}");
}

/// Every line of the file is in force; the server's own command line has the last word on two that a test cannot afford.
fn settings_are_taken(file: &str, sql: impl Fn(&str) -> Vec<String>) {
    let wrong =
        "SELECT name || ': ' || error FROM pg_file_settings WHERE error IS NOT NULL AND name <> 'shared_buffers'";
    assert_eq!(sql(wrong), [""; 0]);
    let taken = sql("SELECT name FROM pg_settings WHERE sourcefile LIKE '%/thuho.conf'");
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let written = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let missing: Vec<_> = written.filter(|name| !taken.iter().any(|t| t == name)).collect();
    assert_eq!(missing, ["max_connections", "shared_buffers"], "of {taken:?}");
    assert_eq!(sql("SHOW max_locks_per_transaction"), ["256"]);
}

fn notices_and_repeats(home: &Home, redis: &Redis) {
    let bills: Vec<_> = (0..4).map(|n| bill(&format!("HD-{n}"), 100_000).of(&format!("PA{n}")).json()).collect();
    let put = home.internal("PUT", "/api/v1/invoices", "application/x-ndjson", bills.join("\n").as_bytes());
    assert_eq!(put.status, 200, "{}", put.text());
    let pay = |n: usize| {
        let call = home.call_saying(&pays(&format!("E{n}"), &format!("HD-{n}"), 100_000));
        http::call(home.public, &call).json()["outcome"].as_str().unwrap().to_owned()
    };
    let known = || {
        let page = http::call(home.internal, &http::request("GET", "/metrics", &[], b"")).text();
        let line = page.lines().find_map(|l| l.strip_prefix("thuho_seen_recalls_total{answer=\"settled\"} "));
        line.map_or(0, |count| count.trim().parse::<u64>().unwrap())
    };
    assert_eq!(pay(0), "accepted");
    let by_redis = (0..1_000).any(|_| {
        assert_eq!(pay(0), "duplicate");
        std::thread::sleep(Duration::from_millis(5));
        known() > 0
    });
    assert!(by_redis, "no repeat was answered by a marker");
    assert_eq!(http::call(home.internal, &http::request("GET", "/readyz", &[], b"")).json()["state"], "ready");

    // What the gateway's user may not do, and nobody without a password.
    for forbidden in
        ["FLUSHALL", "KEYS *", "GET thuho:production:x", "SET other 1", "MGET thuho:other:x", "CONFIG GET *"]
    {
        let said = redis.say("gateway", GATEWAY, forbidden);
        assert!(said.contains("-NOPERM"), "{forbidden}: {said}");
    }
    assert!(redis.say("", "", "PING").contains("-NOAUTH"));
    assert!(redis.admin("CONFIG GET maxmemory-policy").contains("allkeys-lru"));
    assert!(redis.admin("CONFIG GET save").ends_with("$4\r\nsave\r\n$0\r\n\r\n+OK\r\n"));
    let mut clear = TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
    clear.set_read_timeout(Some(http::WAIT)).unwrap();
    clear.write_all(b"PING\r\n").unwrap();
    let mut said = Vec::new();
    clear.read_to_end(&mut said).ok();
    assert!(!String::from_utf8_lossy(&said).contains("PONG"), "it speaks in the clear");

    // Everything evicted, as when there is room for nothing: the same answers.
    redis.admin("CONFIG SET maxmemory 1");
    assert_eq!((pay(1), pay(0), pay(1)), ("accepted".to_owned(), "duplicate".to_owned(), "duplicate".to_owned()));
    assert!(redis.admin("DBSIZE").contains(":0"));
}

#[test]
fn sentinel_as_it_ships_moves_the_gateways_to_the_follower() {
    let test = "sentinel_as_it_ships_moves_the_gateways_to_the_follower";
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = certificates(test, folder.path()) else { return };
    let in_group = |text: String| {
        let text = with(&text, "#masteruser replica", "masteruser replica");
        with(&text, "#masterauth CHANGE-ME", &format!("masterauth {}", GROUP[0]))
    };
    let Some(mut first) = Redis::start(test, folder.path(), in_group) else { return };
    let follows = format!("\nreplicaof 127.0.0.1 {}\n", first.port);
    let second = Redis::start(test, folder.path(), |text| in_group(text) + &follows).unwrap();
    let (port, at) = (free_port(), folder.path().display());
    let mut text = text_of("sentinel.conf");
    for (old, new) in [
        ("\nport 26379\n", format!("\nport {port}\n")),
        ("tls-port 26380", format!("tls-port {}", free_port())),
        ("/etc/redis/tls/redis.crt", format!("{at}/server.pem")),
        ("/etc/redis/tls/redis.key", format!("{at}/server.key")),
        ("/etc/redis/tls/ca.crt", format!("{at}/ca.pem")),
        // One sentinel, which is its own majority.
        ("thuho 10.0.0.11 6379 2", format!("thuho 127.0.0.1 {} 1", first.port)),
        ("auth-pass thuho CHANGE-ME", format!("auth-pass thuho {}", GROUP[1])),
        ("down-after-milliseconds thuho 3000", "down-after-milliseconds thuho 500".to_owned()),
    ] {
        text = with(&text, old, &new);
    }
    let conf = folder.path().join("sentinel.conf");
    std::fs::write(&conf, text).unwrap();
    let log = folder.path().join("sentinel.log");
    let sentinel = server(test, &conf, &["--sentinel"], &log).unwrap();
    let _ends = Redis { child: sentinel, port, client: first.client.clone() };
    let until = |what: &str, mut holds: Box<dyn FnMut() -> bool + '_>| {
        let held = (0..1_500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            holds()
        });
        assert!(held, "{what}: {}", std::fs::read_to_string(&log).unwrap());
    };
    until("the sentinel sees the follower", Box::new(|| replicas(port).contains(&second.port.to_string())));
    let url = format!("rediss+sentinel://127.0.0.1:{port}/thuho/0");
    let gateway = Gateway::configured(&(seen(folder.path(), &url) + "seen.breaker_ms = 100\n"));
    gateway.put(&[bill("HD-1", 150_000)]);
    let pay = |amount| gateway.notify("standard", &pays("p1", "HD-1", amount)).json()["outcome"].clone();
    assert_eq!(pay(150_000), "accepted");
    until("the follower has the marker", Box::new(|| second.admin("DBSIZE").contains(":1")));
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    assert_eq!((pay(150_000), pay(140_000)), ("duplicate".into(), "conflict".into()));
    let hits = |stats: &str| stats.contains("keyspace_hits:") && !stats.contains("keyspace_hits:0\r");
    until(
        "repeats are answered by the new master",
        Box::new(|| {
            assert_eq!(pay(150_000), "duplicate");
            second.admin("ROLE").contains("master") && hits(&second.admin("INFO stats"))
        }),
    );
    assert_eq!(gateway.settled("HD-1"), 150_000);
}

/// What the sentinel knows of followers, asked in the clear as the gateways ask.
fn replicas(port: u16) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    stream.set_read_timeout(Some(http::WAIT)).unwrap();
    stream.write_all(b"SENTINEL REPLICAS thuho\r\n").unwrap();
    let mut said = [0; 65_536];
    let length = stream.read(&mut said).unwrap();
    String::from_utf8_lossy(&said[..length]).into_owned()
}

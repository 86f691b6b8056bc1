//! Two real instances on one real PostgreSQL, and a real proxy in front of them with the file that ships.

use super::installed;
use crate::harness::http::{self, Answer};
use crate::harness::postgres::Database;
use crate::harness::program::{Home, signal};
use crate::harness::redis::free_port;
use crate::harness::tls::{Client, certificates};
use crate::harness::{keys, pays};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::Partners;
use thuho::partner::forge::Forged;

/// The instances with their database and the folder of certificates.
pub struct Instances {
    pub folder: TempDir,
    pub homes: [Home; 2],
    pub children: [Option<Child>; 2],
    pub database: Database,
    partners: Partners,
    events: AtomicU32,
}

impl Instances {
    /// Started, with more configuration; `None`, said aloud, when a program is missing.
    pub fn start(test: &str, programs: &[&str], more: &str) -> Option<Self> {
        if !programs.iter().all(|program| installed(test, program)) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        certificates(test, folder.path())?;
        let database = Database::fresh(test)?;
        let homes = [Home::over(database.url()), Home::over(database.url())];
        for home in &homes {
            home.configure(&format!("listen.trusted_proxies = [\"127.0.0.1/32\"]\n{more}"));
            // As it ships: the tests' own wait is too short for a balancer to see it.
            let file = home.path("gateway.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, super::with(&text, "drain.ready_ms = 300\n", "")).unwrap();
        }
        let children = [Some(homes[0].serve_logging()), Some(homes[1].serve_logging())];
        let partners = Partners::load(&crate::harness::shipped(), keys().as_ref()).unwrap();
        Some(Self { folder, homes, children, database, partners, events: AtomicU32::new(0) })
    }

    /// A signed notice of a payment that nobody made before.
    pub fn notice(&self) -> Forged {
        let event = format!("E{}", self.events.fetch_add(1, Ordering::Relaxed));
        let profile = self.partners.get("standard").unwrap();
        profile.forge(keys().of("standard"), &pays(&event, "HD-1", 100_000), SystemClock.now()).unwrap()
    }

    /// Payments that were posted.
    pub fn posted(&self) -> u32 {
        self.database.sql("SELECT count(*) FROM postings")[0].parse().unwrap()
    }

    pub fn kill(&mut self, which: usize) {
        let mut child = self.children[which].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops one in order.
    pub fn stop(&mut self, which: usize) {
        let mut child = self.children[which].take().unwrap();
        signal(&child, "-TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{}", self.homes[which].log());
    }

    pub fn restart(&mut self, which: usize) {
        self.children[which] = Some(self.homes[which].serve_logging());
    }

    /// The books pass the audit and hold so many payments.
    pub fn check_books(&self, payments: u32) {
        let audit = self.homes[0].run(&["audit", "--config", "gateway.toml"]);
        let (exit, text) = crate::harness::program::code(&audit);
        assert_eq!(exit, Some(0), "{text}");
        assert_eq!(self.posted(), payments);
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        for child in self.children.iter_mut().flatten() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A proxy that runs until it is dropped.
pub struct Proxy {
    child: Child,
    pub to: SocketAddr,
    /// Where it shows its own figures.
    pub figures: SocketAddr,
    log: std::path::PathBuf,
}

impl Proxy {
    /// Starts `command`, which listens at both ports.
    pub fn start(mut command: Command, [port, figures]: [u16; 2], log: &Path) -> Self {
        let file = std::fs::File::create(log).unwrap();
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let child = command.spawn().unwrap();
        let mut proxy = Self { child, to: at(port), figures: at(figures), log: log.to_owned() };
        for _ in 0..1_000 {
            if TcpStream::connect(proxy.to).is_ok() && TcpStream::connect(proxy.figures).is_ok() {
                return proxy;
            }
            assert!(proxy.child.try_wait().unwrap().is_none(), "it ended: {}", proxy.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not listen: {}", proxy.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Its processes' numbers.
    pub fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let listed = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
        listed.split_whitespace().map(|number| number.parse().unwrap()).collect()
    }

    /// Its own page.
    pub fn page(&self, path: &str) -> String {
        let answer = http::call(self.figures, &http::request("GET", path, &[], b""));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A hard end would leave nginx's workers behind.
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).stderr(Stdio::null()).status().ok();
        self.child.wait().ok();
    }
}

pub fn free_ports() -> [u16; 2] {
    [free_port(), free_port()]
}

/// One call by curl from an address of ours, which knows HTTP/2: the version, the status and the body.
pub fn curl(proxy: &Proxy, folder: &Path, args: &[&str], forged: &Forged) -> (String, u16, String) {
    let body = tempfile::NamedTempFile::new_in(folder).unwrap();
    std::fs::write(body.path(), &forged.body).unwrap();
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "--cacert"]).arg(folder.join("ca.pem")).args(args);
    for (name, value) in &forged.headers {
        command.arg("-H").arg(format!("{name}: {value}"));
    }
    command.arg("--data-binary").arg(format!("@{}", body.path().display()));
    command.args(["-w", "\n%{http_version} %{http_code}"]);
    let done = command.arg(format!("https://127.0.0.1:{}/webhooks/standard", proxy.to.port())).output().unwrap();
    assert!(done.status.success(), "{}\n{}", String::from_utf8_lossy(&done.stderr), proxy.log());
    let text = String::from_utf8(done.stdout).unwrap();
    let (said, (version, status)) =
        text.rsplit_once('\n').map(|(said, last)| (said, last.split_once(' ').unwrap())).unwrap();
    (version.to_owned(), status.parse().unwrap(), said.to_owned())
}

/// Collectors that call one after the other, until they are told to stop.
pub struct Load {
    threads: Vec<std::thread::JoinHandle<(u32, Vec<String>)>>,
    end: std::sync::Arc<AtomicBool>,
}

impl Load {
    /// `fresh` collectors with a connection for each call, and `kept` that keep theirs.
    pub fn start(instances: &Instances, client: &Client, fresh: usize, kept: usize) -> Self {
        let end = std::sync::Arc::new(AtomicBool::new(false));
        let threads = (0..fresh + kept).map(|number| {
            let (end, client, keep) = (end.clone(), client.clone(), number >= fresh);
            // Signed ahead, so that the calls come close together.
            let calls: Vec<_> = (0..CALLS_MAX).map(|_| http::webhook("standard", &instances.notice())).collect();
            std::thread::spawn(move || calls_until(&end, &client, calls, keep))
        });
        Self { threads: threads.collect(), end }
    }

    /// Answered payments; any call that was not answered is a failure.
    pub fn end(self) -> u32 {
        self.end.store(true, Ordering::Relaxed);
        let mut answered = 0;
        for thread in self.threads {
            let (count, failed) = thread.join().unwrap();
            assert!(
                failed.is_empty(),
                "{} calls failed of {count}: {:?}",
                failed.len(),
                &failed[..failed.len().min(5)]
            );
            answered += count;
        }
        answered
    }
}

/// What one collector has to say at most.
const CALLS_MAX: usize = 3_000;

fn calls_until(end: &AtomicBool, client: &Client, calls: Vec<Vec<u8>>, keep: bool) -> (u32, Vec<String>) {
    let (mut answered, mut failed, mut kept) = (0, Vec::new(), None);
    for call in calls {
        if end.load(Ordering::Relaxed) {
            break;
        }
        let answer = if keep {
            let call = String::from_utf8(call).unwrap().replace("connection: close\r\n", "");
            on_kept(client, &mut kept, call.as_bytes())
        } else {
            client.try_call(&call)
        };
        match answer {
            Ok(answer) if answer.status == 200 && answer.json()["outcome"] == "unknown_invoice" => answered += 1,
            other => failed.push(format!("{other:?}")),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    (answered, failed)
}

fn on_kept(client: &Client, kept: &mut Option<crate::harness::tls::Stream>, call: &[u8]) -> Result<Answer, String> {
    use std::io::Write;
    let stream = match kept {
        Some(stream) => stream,
        None => kept.insert(client.connect().map_err(|e| e.to_string())?),
    };
    let sent = stream.write_all(call);
    let answer = http::try_answer(stream).map_err(|got| format!("kept: {sent:?} {got:?}"));
    if !answer.as_ref().is_ok_and(|answer| !answer.head.to_lowercase().contains("connection: close")) {
        *kept = None;
    }
    answer
}

//! A Redis of the rig's own, in the rig's folder, that can be killed, stopped, emptied and failed over.

use crate::ports;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a start or a failover may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server. Ended when it goes out of scope.
pub struct Redis {
    program: String,
    folder: PathBuf,
    address: SocketAddr,
    child: Child,
    pub url: String,
}

#[expect(clippy::disallowed_methods, reason = "the rig is told by its environment which Redis to start")]
pub fn program() -> Result<String, String> {
    std::env::var("TEST_REDIS_SERVER").map_err(|_not_set| "TEST_REDIS_SERVER names no redis-server".to_owned())
}

fn spawn(program: &str, folder: &Path, sentinel: bool) -> Option<Child> {
    let mut command = Command::new(program);
    command.arg(folder.join("redis.conf"));
    if sentinel {
        command.arg("--sentinel");
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}

impl Redis {
    /// A fresh one that keeps nothing on disk; none where `TEST_REDIS_SERVER` names no program.
    pub fn start(home: &Path) -> Option<Self> {
        Self::with(home, "redis", "save \"\"\nappendonly no\n", false)
    }

    fn with(home: &Path, name: &str, lines: &str, sentinel: bool) -> Option<Self> {
        let (program, folder, address) = (program().ok()?, home.join(name), ports::free());
        fs::create_dir_all(&folder).ok()?;
        let settings = format!("bind 127.0.0.1\nport {}\ndir {}\n{lines}", address.port(), folder.display());
        fs::write(folder.join("redis.conf"), settings).ok()?;
        let child = spawn(&program, &folder, sentinel)?;
        let redis = Self { program, folder, address, child, url: format!("redis://{address}/0") };
        redis.wait().then_some(redis)
    }

    fn wait(&self) -> bool {
        until(|| self.say("PING").contains("PONG"))
    }

    /// One command; nothing when nobody answers.
    fn say(&self, line: &str) -> String {
        let mut bytes = [0; 16 * 1024];
        let said = TcpStream::connect(self.address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(format!("{line}\r\n").as_bytes())?;
            stream.read(&mut bytes)
        });
        String::from_utf8_lossy(bytes.get(..said.unwrap_or(0)).unwrap_or_default()).into_owned()
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.say("FLUSHALL");
    }

    /// Questions that it knew the answer to since it was started.
    pub fn hits(&self) -> u64 {
        let said = self.say("INFO stats");
        let line = said.lines().find_map(|line| line.strip_prefix("keyspace_hits:"));
        line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        // It may have ended already; that is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Starts it again, empty.
    pub fn again(&mut self) -> Result<(), String> {
        self.child = spawn(&self.program, &self.folder, false).ok_or("redis-server does not start")?;
        if self.wait() { Ok(()) } else { Err("redis-server does not answer".to_owned()) }
    }

    /// SIGSTOP, so that it answers nothing and refuses nothing, or SIGCONT.
    pub fn signal(&self, signal: &str) {
        let words = [signal, &self.child.id().to_string()];
        drop(Command::new("kill").args(words).stderr(Stdio::null()).status());
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.signal("-CONT");
        self.kill();
    }
}

fn until(mut done: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// A master, a replica of it, and a sentinel that watches them.
pub struct Watched {
    nodes: [Redis; 2],
    sentinel: Redis,
    pub url: String,
}

impl Watched {
    /// None where `TEST_REDIS_SERVER` names no program.
    pub fn start(home: &Path) -> Option<Self> {
        let plain = "save \"\"\nappendonly no\n";
        let master = Redis::with(home, "redis-one", plain, false)?;
        let port = master.address.port();
        let follows = format!("{plain}repl-diskless-sync-delay 0\nreplicaof 127.0.0.1 {port}\n");
        let replica = Redis::with(home, "redis-two", &follows, false)?;
        let watch = format!(
            "sentinel monitor books 127.0.0.1 {port} 1\nsentinel down-after-milliseconds books 300\n\
             sentinel failover-timeout books 2000\n"
        );
        let sentinel = Redis::with(home, "sentinel", &watch, true)?;
        let url = format!("redis+sentinel://{}/books/0", sentinel.address);
        let watched = Self { nodes: [master, replica], sentinel, url };
        watched.knows_a_replica().then_some(watched)
    }

    /// It asks for them now and then: a failover without a known one would find nobody.
    fn knows_a_replica(&self) -> bool {
        until(|| {
            let said = self.sentinel.say("SENTINEL REPLICAS books");
            let follows = |node: &&Redis| said.contains(&node.address.port().to_string());
            self.nodes.iter().filter(|n| !self.leads(n)).any(|n| follows(&n))
                && said.contains("master-link-status\r\n$2\r\nok")
                && said.contains("\r\nslave\r\n")
        })
    }

    fn leads(&self, node: &Redis) -> bool {
        let said = self.sentinel.say("SENTINEL GET-MASTER-ADDR-BY-NAME books");
        said.contains(&node.address.port().to_string())
    }

    fn leader(&self) -> usize {
        usize::from(!self.nodes.first().is_some_and(|first| self.leads(first)))
    }

    /// The node that is asked now.
    pub fn master(&self) -> &Redis {
        let [one, two] = &self.nodes;
        if self.leader() == 0 { one } else { two }
    }

    /// Questions that either knew the answer to.
    pub fn hits(&self) -> u64 {
        self.nodes.iter().map(Redis::hits).sum()
    }

    /// The master dies, the sentinel promotes the other, and the dead one comes back to follow it.
    pub fn fail_over(&mut self) -> Result<(), String> {
        if !self.knows_a_replica() {
            return Err("the sentinel knows no replica".to_owned());
        }
        let leader = self.leader();
        let [one, two] = &mut self.nodes;
        let (dead, heir) = if leader == 0 { (one, two) } else { (two, one) };
        dead.kill();
        let port = heir.address.port().to_string();
        let sentinel = &self.sentinel;
        let promoted = until(|| {
            sentinel.say("SENTINEL GET-MASTER-ADDR-BY-NAME books").contains(&port)
                && heir.say("ROLE").contains("master")
        });
        if !promoted {
            return Err("the sentinel promotes nobody".to_owned());
        }
        let file = dead.folder.join("redis.conf");
        let text = fs::read_to_string(&file).map_err(|e| e.to_string())?;
        let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("replicaof")).collect();
        let follows = format!("{}\nreplicaof 127.0.0.1 {port}\n", kept.join("\n"));
        fs::write(&file, follows).map_err(|e| e.to_string())?;
        dead.again()
    }

    /// Master and replica die.
    pub fn kill_all(&mut self) {
        self.nodes.iter_mut().for_each(Redis::kill);
    }

    /// And come back, empty.
    pub fn again(&mut self) -> Result<(), String> {
        let leader = self.leader_by_file();
        let [one, two] = &mut self.nodes;
        let (master, replica) = if leader == 0 { (one, two) } else { (two, one) };
        master.again()?;
        replica.again()
    }

    /// Of the nodes' own files: only the replica's names a master.
    fn leader_by_file(&self) -> usize {
        let follows = |node: &Redis| {
            let text = fs::read_to_string(node.folder.join("redis.conf")).unwrap_or_default();
            text.lines().any(|line| line.starts_with("replicaof"))
        };
        usize::from(self.nodes.first().is_some_and(follows))
    }
}

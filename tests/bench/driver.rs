//! The load: a closed loop on one thread (how much goes through), and an open loop that measures each reply from the
//! time at which its call was meant to go out (how long it takes), so that a slow server cannot slow the questions.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Connections of the open loop: enough that none is ever waited for at the rates used.
const OPEN_CONNECTIONS: usize = 128;

/// What a closed loop did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Closed {
    pub replies: u32,
    pub refused: u32,
    pub seconds: f64,
}

impl Closed {
    pub fn per_second(&self) -> f64 {
        f64::from(self.replies) / self.seconds.max(0.001)
    }
}

/// The reply to a notice that counts: 200 and `"return_code":1` or 2, or a plain 200 where the handler only reads.
pub fn is_taken(reply: &[u8]) -> bool {
    let ok = reply.starts_with(b"HTTP/1.1 200");
    let body = reply.windows(14).position(|w| w == b"\"return_code\":").and_then(|at| reply.get(at + 14));
    ok && body.is_none_or(|code| matches!(code, b'1' | b'2'))
}

/// The length of the whole message at the start of `bytes`, when it is all there.
pub fn whole(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|l| {
        let (name, value) = l.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let all = head + length.unwrap_or(0);
    (bytes.len() >= all).then_some(all)
}

/// The calls of a closed loop: once each, or again and again, over so many connections.
#[derive(Clone)]
pub struct Load {
    pub calls: Arc<Vec<Vec<u8>>>,
    pub connections: usize,
    pub again: bool,
}

/// Sends the calls until `time` is up or none is left.
pub fn closed(to: SocketAddr, load: &Load, time: Duration) -> Closed {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime on this thread");
    let next = Arc::new(AtomicUsize::new(0));
    let since = Instant::now();
    let work = async {
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..load.connections {
            clients.spawn(client(to, load.clone(), Arc::clone(&next), since + time));
        }
        let mut all = Closed::default();
        while let Some(done) = clients.join_next().await {
            let done = done.expect("no client panics");
            all.replies += done.replies;
            all.refused += done.refused;
        }
        all
    };
    let mut all = tokio::task::LocalSet::new().block_on(&runtime, work);
    all.seconds = since.elapsed().as_secs_f64();
    all
}

async fn client(to: SocketAddr, load: Load, next: Arc<AtomicUsize>, until: Instant) -> Closed {
    let Load { calls, again, .. } = load;
    let mut done = Closed::default();
    let mut stream = tokio::net::TcpStream::connect(to).await.expect("the server listens");
    stream.set_nodelay(true).expect("a TCP option");
    let mut buffer = vec![0_u8; 4096];
    while Instant::now() < until {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(call) = calls.get(if again { at % calls.len() } else { at }) else { break };
        stream.write_all(call).await.expect("the server takes the call");
        let mut filled = 0;
        loop {
            let room = buffer.get_mut(filled..).expect("a reply fits 4 KiB");
            let read = stream.read(room).await.expect("the server answers");
            assert!(read > 0, "the server hung up");
            filled += read;
            if whole(buffer.get(..filled).unwrap_or(&[])).is_some() {
                break;
            }
        }
        done.replies += 1;
        done.refused += u32::from(!is_taken(buffer.get(..filled).unwrap_or(&[])));
    }
    done
}

/// What an open loop measured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open {
    pub replies: u32,
    pub refused: u32,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
}

/// The calls of an open loop: one each `1/rate` second, until the time is up, `go_on` says no, or none is left.
#[derive(Clone, Copy)]
pub struct Steady<'a> {
    pub calls: &'a [Vec<u8>],
    pub rate: u32,
    pub time: Duration,
    pub go_on: &'a (dyn Fn() -> bool + Sync),
    /// Is the reply what was to be heard?
    pub good: fn(&[u8]) -> bool,
}

/// Where calls go: in clear, or encrypted.
pub trait Way: Sync {
    fn connect(&self) -> Box<dyn Stream>;
}

/// A connection.
pub trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

impl Way for SocketAddr {
    fn connect(&self) -> Box<dyn Stream> {
        Box::new(dial(*self))
    }
}

/// A connection without delays that gives up on a silent server.
pub fn dial(to: SocketAddr) -> std::net::TcpStream {
    let stream = std::net::TcpStream::connect(to).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP option");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket option");
    stream
}

/// Sends one call and hears the whole reply to it.
fn exchange(stream: &mut dyn Stream, call: &[u8], good: fn(&[u8]) -> bool) -> bool {
    let mut buffer = [0_u8; 4096];
    stream.write_all(call).and_then(|()| stream.flush()).expect("the server takes the call");
    let mut filled = 0;
    while whole(buffer.get(..filled).unwrap_or(&[])).is_none() {
        let room = buffer.get_mut(filled..).expect("a reply fits 4 KiB");
        let read = stream.read(room).expect("the server answers");
        assert!(read > 0, "the server hung up");
        filled += read;
    }
    good(buffer.get(..filled).unwrap_or(&[]))
}

/// How long calls take that are sent one after another, in the median; each must be taken.
pub fn one_by_one_ms(to: SocketAddr, calls: &[Vec<u8>]) -> f64 {
    let mut stream = to.connect();
    let mut each = Vec::new();
    for call in calls {
        let since = Instant::now();
        assert!(exchange(&mut *stream, call, is_taken), "the call is taken");
        each.push(since.elapsed().as_secs_f64() * 1000.0);
    }
    crate::report::median(&each)
}

/// Runs an open loop.
pub fn open(to: &dyn Way, steady: Steady<'_>) -> Open {
    let Steady { calls, rate, time, go_on, good } = steady;
    let latencies = Mutex::new(Vec::with_capacity(calls.len()));
    let refused = AtomicUsize::new(0);
    // All connections stand before the first call is due.
    let streams: Vec<Box<dyn Stream>> = (0..OPEN_CONNECTIONS).map(|_| to.connect()).collect();
    let begin = Instant::now() + Duration::from_millis(50);
    std::thread::scope(|scope| {
        for (first, mut stream) in streams.into_iter().enumerate() {
            let (latencies, refused) = (&latencies, &refused);
            scope.spawn(move || {
                let mut mine = Vec::new();
                for (n, call) in calls.iter().enumerate().skip(first).step_by(OPEN_CONNECTIONS) {
                    let due = Duration::from_secs(1) * u32::try_from(n).expect("few calls") / rate;
                    if due > time || !go_on() {
                        break;
                    }
                    std::thread::sleep((begin + due).saturating_duration_since(Instant::now()));
                    let heard = exchange(&mut *stream, call, good);
                    mine.push(begin.elapsed().saturating_sub(due));
                    refused.fetch_add(usize::from(!heard), Ordering::Relaxed);
                }
                latencies.lock().expect("no client panics").extend(mine);
            });
        }
    });
    let mut latencies = latencies.into_inner().expect("no client panics");
    latencies.sort();
    let at = |permille: usize| {
        let index = (latencies.len() * permille / 1000).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(0.0, |l| l.as_secs_f64() * 1000.0)
    };
    Open {
        replies: u32::try_from(latencies.len()).unwrap_or(u32::MAX),
        refused: u32::try_from(refused.into_inner()).unwrap_or(u32::MAX),
        p50_ms: at(500),
        p99_ms: at(990),
        p999_ms: at(999),
    }
}

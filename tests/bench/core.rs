//! A billing core that is never what one waits for: it says 200 to each message at once and remembers its key.

use crate::driver;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const YES: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// What it was told.
#[derive(Default)]
pub struct Told {
    keys: HashSet<u128>,
    /// Calls of any kind, repeats included.
    pub calls: u64,
    /// When the first and the last new key came.
    span: Option<(Instant, Instant)>,
}

impl Told {
    /// Messages under different keys.
    pub fn messages(&self) -> u32 {
        u32::try_from(self.keys.len()).expect("few messages")
    }

    /// New messages a second between the first and the last.
    pub fn per_second(&self) -> f64 {
        let seconds = self.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64());
        f64::from(self.messages()) / seconds.max(0.001)
    }

    fn hear(&mut self, call: &[u8]) {
        self.calls += 1;
        let head = call.windows(4).position(|w| w == b"\r\n\r\n").and_then(|at| call.get(..at)).unwrap_or(&[]);
        let head = std::str::from_utf8(head).unwrap_or("");
        let key = head.lines().find_map(|line| line.strip_prefix("webhook-id: dsp_"));
        let key = key.and_then(|hex| u128::from_str_radix(hex, 16).ok()).expect("a message has a key");
        if self.keys.insert(key) {
            let now = Instant::now();
            self.span = Some((self.span.map_or(now, |(first, _)| first), now));
        }
    }
}

/// Listens until it is dropped.
pub struct Core {
    pub address: SocketAddr,
    told: Arc<Mutex<Told>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Core {
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket option");
        let address = listener.local_addr().expect("it is bound");
        let told = Arc::new(Mutex::new(Told::default()));
        let (stop, stopped) = oneshot::channel();
        let books = Arc::clone(&told);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    _end = stopped => {}
                    () = accept(listener, books) => {}
                }
            });
        });
        Self { address, told, stop: Some(stop), thread: Some(thread) }
    }

    pub fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("the core does not panic")
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn accept(listener: TcpListener, told: Arc<Mutex<Told>>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn(serve(stream, Arc::clone(&told)));
        }
    }
}

async fn serve(mut stream: TcpStream, told: Arc<Mutex<Told>>) {
    let mut buffer = Vec::with_capacity(4096);
    stream.set_nodelay(true).ok();
    while stream.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
        while let Some(length) = driver::whole(&buffer) {
            told.lock().expect("the core does not panic").hear(buffer.get(..length).unwrap_or(&[]));
            buffer.drain(..length);
            if stream.write_all(YES).await.is_err() {
                return;
            }
        }
    }
}

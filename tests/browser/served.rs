//! A little server of a test's own pages.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One answer: its status line's end, more headers, and the body.
#[derive(Clone)]
pub struct Reply {
    status: &'static str,
    headers: String,
    body: String,
}

impl Reply {
    pub fn html(body: &str) -> Self {
        let body = format!("<!doctype html><html lang=en><meta charset=utf-8><title>A page</title>{body}</html>");
        Self { status: "200 OK", headers: "content-type: text/html\r\n".to_owned(), body }
    }

    pub fn script(body: &str) -> Self {
        Self { status: "200 OK", headers: "content-type: text/javascript\r\n".to_owned(), body: body.to_owned() }
    }

    pub fn gone() -> Self {
        Self { status: "404 Not Found", headers: String::new(), body: String::new() }
    }

    pub fn with(mut self, header: &str) -> Self {
        self.headers.push_str(header);
        self.headers.push_str("\r\n");
        self
    }

    fn write(&self, stream: &mut TcpStream) {
        let Self { status, headers, body } = self;
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
        // A browser that lost interest is no failure.
        stream.write_all(text.as_bytes()).ok();
    }
}

pub struct Served {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Served {
    /// One page at `/`.
    pub fn page(reply: Reply) -> Self {
        Self::pages([("/", reply)])
    }

    /// Each page at its path, whatever the query; other paths are empty.
    pub fn pages(pages: impl IntoIterator<Item = (&'static str, Reply)>) -> Self {
        let pages: Arc<HashMap<_, _>> = Arc::new(pages.into_iter().collect());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, ended) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let over = Arc::clone(&ended);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A browser opens connections before it has a question.
                let pages = Arc::clone(&pages);
                std::thread::spawn(move || answer(stream, &pages));
            }
        });
        Self { address, ended }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, pages: &HashMap<&str, Reply>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok();
    let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    // The rest of the head is read, or the answer would be cut off.
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let target = first.split(' ').nth(1).unwrap_or("/");
    let path = target.split('?').next().unwrap_or(target);
    let empty = Reply { status: "204 No Content", headers: String::new(), body: String::new() };
    pages.get(path).unwrap_or(&empty).write(&mut stream);
}

impl Drop for Served {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes it to see that it is over.
        TcpStream::connect(self.address).ok();
    }
}

//! A client that sends exactly the bytes it is told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use thuho::partner::forge::Forged;

/// How long a test waits for an answer before it fails.
pub const WAIT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    if !body.is_empty() || method != "GET" {
        bytes.extend(format!("content-length: {}\r\n", body.len()).into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// A forged call as it goes over the wire.
pub fn webhook(partner: &str, forged: &Forged) -> Vec<u8> {
    to_path(&format!("/webhooks/{partner}"), forged)
}

pub fn to_path(path: &str, forged: &Forged) -> Vec<u8> {
    let headers: Vec<_> = forged.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let target = if forged.query.is_empty() { path.to_owned() } else { format!("{path}?{}", forged.query) };
    request(forged.method.word(), &target, &headers, &forged.body)
}

/// The same call on a connection that stays.
pub fn kept(call: &[u8]) -> Vec<u8> {
    const CLOSE: &[u8] = b"connection: close\r\n";
    let at = call.windows(CLOSE.len()).position(|w| w == CLOSE).unwrap();
    [&call[..at], &call[at + CLOSE.len()..]].concat()
}

pub fn call(to: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(to);
    // An answer may come before all is sent: a refused body.
    stream.write_all(bytes).ok();
    answer(&mut stream)
}

pub fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(WAIT)).unwrap();
    stream.set_write_timeout(Some(WAIT)).unwrap();
    stream
}

pub fn answer(stream: &mut TcpStream) -> Answer {
    try_answer(stream).unwrap_or_else(|got| panic!("no answer: {got:?}"))
}

pub fn try_answer(stream: &mut impl Read) -> Result<Answer, Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(answer) = parse(&bytes) {
            return Ok(answer);
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return Err(bytes),
            Ok(n) => bytes.extend(&chunk[..n]),
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let rest = &bytes[end + 4..];
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        head.lines()
            .find_map(|l| l.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned()))
    };
    let body = if header("transfer-encoding").is_some_and(|v| v == "chunked") {
        dechunk(rest)?
    } else {
        let length = header("content-length").map_or(0, |v| v.parse().unwrap());
        rest.get(..length)?.to_vec()
    };
    Some(Answer { status, head, body })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = rest.get(end + 2..)?;
        if size == 0 {
            return Some(body);
        }
        body.extend(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

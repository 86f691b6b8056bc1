//! As much of HTTP/1.1 as the rig needs, by hand: one keep-alive connection, a request, a sized reply.

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a reply may take. Longer than the gateway's own deadlines, so that they show.
const REPLY_MAX: Duration = Duration::from_secs(20);

/// Where to call, and whether in clear.
#[derive(Clone)]
pub struct Reach {
    pub at: SocketAddr,
    /// Who is trusted to say that it is `localhost`.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl From<SocketAddr> for Reach {
    fn from(at: SocketAddr) -> Self {
        Self { at, tls: None }
    }
}

/// A reply in full.
pub struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
    /// The other side ends the connection after it.
    pub closes: bool,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Bytes both ways, in clear or not.
trait Bytes: Read + Write + Send {}

impl<S: Read + Write + Send> Bytes for S {}

/// One connection.
pub struct Connection {
    stream: Box<dyn Bytes>,
    pending: Vec<u8>,
}

impl Connection {
    pub fn open(to: &Reach) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&to.at, Duration::from_secs(2))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_MAX))?;
        stream.set_write_timeout(Some(REPLY_MAX))?;
        let stream: Box<dyn Bytes> = match &to.tls {
            None => Box::new(stream),
            Some(config) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                let session = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
                Box::new(StreamOwned::new(session, stream))
            }
        };
        Ok(Self { stream, pending: Vec::new() })
    }

    /// Sends the bytes of a whole request and reads the reply.
    pub fn call(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request)?;
        let head_end = self.fill_until_blank_line()?;
        let head: Vec<u8> = self.pending.drain(..head_end).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| broken("no status"))?;
        let header = |name: &str| {
            let found = head.lines().filter_map(|l| l.split_once(':')).find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.trim().to_owned())
        };
        let body = match header("content-length") {
            Some(length) => self.take(length.parse().map_err(|_not_a_number| broken("a length that is no number"))?)?,
            None if header("transfer-encoding").is_some_and(|t| t == "chunked") => self.chunks()?,
            None => Vec::new(),
        };
        let closes = header("connection").is_some_and(|c| c.eq_ignore_ascii_case("close"));
        Ok(Reply { status, body, closes })
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size =
                usize::from_str_radix(line.trim(), 16).map_err(|_not_a_number| broken("a chunk without a size"))?;
            body.extend(self.take(size)?);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = self.pending.windows(2).position(|w| w == b"\r\n") {
                let line = self.pending.drain(..at + 2).collect::<Vec<u8>>();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.pending.len() < count {
            self.fill()?;
        }
        Ok(self.pending.drain(..count).collect())
    }

    fn fill_until_blank_line(&mut self) -> io::Result<usize> {
        loop {
            if let Some(at) = self.pending.windows(4).position(|w| w == b"\r\n\r\n") {
                return Ok(at + 4);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0_u8; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.pending.extend(buffer.iter().take(read));
        Ok(())
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: rig\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend(body);
    bytes
}

/// One request on a connection of its own.
pub fn once(to: SocketAddr, request: &[u8]) -> io::Result<Reply> {
    Connection::open(&to.into())?.call(request)
}

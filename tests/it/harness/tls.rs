//! Certificates of a test's own, made by openssl, and a client that speaks TLS and trusts them alone.

use super::http::{Answer, try_answer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// An authority of the test's own (`ca.pem`) and what it vouches for: `localhost` at 127.0.0.1 (`server.pem`,
/// `server.key`, both in `both.pem`); `None`, said aloud, where there is no openssl.
pub fn certificates(test: &str, folder: &Path) -> Option<()> {
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
    for line in [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    ] {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(folder).output();
        match done {
            Ok(done) if done.status.success() => {}
            Ok(done) => panic!("openssl {line}: {}", String::from_utf8_lossy(&done.stderr)),
            Err(error) => {
                eprintln!("SKIPPED {test}: openssl: {error}");
                return None;
            }
        }
    }
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    std::fs::write(folder.join("both.pem"), read("server.pem") + &read("server.key")).unwrap();
    Some(())
}

/// A client that speaks HTTP/1.1 over TLS.
#[derive(Clone)]
pub struct Client {
    to: SocketAddr,
    config: Arc<ClientConfig>,
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What comes over a stream, read without sending anything: the stream's own `read` first sends what it still holds, and
/// fails there, with the answer unread, when the server has answered and closed before it took the whole body.
struct Incoming<'a>(&'a mut Stream);

impl Read for Incoming<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.0.conn.reader().read(into) {
                Err(nothing_yet) if nothing_yet.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if self.0.conn.read_tls(&mut self.0.sock)? == 0 {
                return Ok(0);
            }
            self.0.conn.process_new_packets().map_err(std::io::Error::other)?;
        }
    }
}

impl Client {
    /// Of the server at `to` that the authority in the folder vouches for.
    pub fn new(folder: &Path, to: SocketAddr) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Self { to, config: Arc::new(builder.with_root_certificates(roots).with_no_client_auth()) }
    }

    pub fn connect(&self) -> std::io::Result<Stream> {
        let stream = TcpStream::connect(self.to)?;
        stream.set_read_timeout(Some(super::http::WAIT))?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        Ok(StreamOwned::new(ClientConnection::new(Arc::clone(&self.config), name).unwrap(), stream))
    }

    /// One call; what came instead of an answer.
    pub fn try_call(&self, bytes: &[u8]) -> Result<Answer, String> {
        let mut stream = self.connect().map_err(|e| e.to_string())?;
        // An answer may come before all is sent: a refused body.
        let sent = stream.write_all(bytes);
        try_answer(&mut Incoming(&mut stream)).map_err(|got| format!("{sent:?} {:?}", String::from_utf8_lossy(&got)))
    }

    pub fn call(&self, bytes: &[u8]) -> Answer {
        self.try_call(bytes).unwrap_or_else(|got| panic!("no answer: {got}"))
    }
}

//! The real HAProxy with the configuration that is delivered, in front of two servers, and the way through it: TLS
//! outside, as collectors come.

use crate::driver::{Stream, Way, dial};
use crate::processes::{Server, free_address, log_in, wait_for};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// A certificate for 127.0.0.1, its key and who vouches for it: the tests'.
const CERTIFICATE: &str = include_str!("../it/outbox/tls/core.pem");
const KEY: &str = include_str!("../it/outbox/tls/core.key");
const AUTHORITY: &[u8] = include_bytes!("../it/outbox/tls/ca.pem");

/// Ends when it is dropped.
pub struct Haproxy {
    child: Child,
    at: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

/// Whether it is there, and with what it is configured.
pub fn missing() -> Option<&'static str> {
    let runs = Command::new("haproxy").arg("-v").stdout(Stdio::null()).status();
    match (runs, config().is_file()) {
        (Ok(_), true) => None,
        (Ok(_), false) => Some("there is no deploy/haproxy.cfg"),
        (Err(_), _) => Some("haproxy is not installed"),
    }
}

fn config() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/haproxy.cfg")
}

fn tls() -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(AUTHORITY).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(client.expect("TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth())
}

impl Haproxy {
    /// In front of two servers; returns when both are in.
    pub fn start(home: &Path, servers: [&Server; 2]) -> Self {
        let (at, stats) = (free_address(), free_address());
        let certificate = home.join("haproxy.pem");
        std::fs::write(&certificate, [CERTIFICATE, KEY].concat()).expect("the bench's folder can be written");
        let [one, two] = servers;
        let child = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(config())
            .env("THUHO_UNPRIVILEGED", "1")
            .env("THUHO_BIND", at.to_string())
            .env("THUHO_CERT", &certificate)
            .env("THUHO_STATS", stats.to_string())
            .env("THUHO_ONE", one.public.to_string())
            .env("THUHO_ONE_INTERNAL", one.internal.port().to_string())
            .env("THUHO_TWO", two.public.to_string())
            .env("THUHO_TWO_INTERNAL", two.internal.port().to_string())
            .stdin(Stdio::null())
            // A line a call.
            .stdout(Stdio::null())
            .stderr(log_in(home))
            .spawn()
            .expect("haproxy starts");
        let haproxy = Self { child, at, tls: tls() };
        wait_for("haproxy listens", || TcpStream::connect(at).is_ok());
        wait_for("haproxy sees both", || {
            let page = crate::processes::get(stats, "/metrics");
            let up = page.lines().filter(|l| l.starts_with("haproxy_server_status{") && l.contains("state=\"UP\""));
            up.filter(|l| l.contains("proxy=\"instances\"") && l.ends_with(" 1")).count() == 2
        });
        haproxy
    }

    pub fn cpu_seconds(&self) -> f64 {
        crate::machine::cpu_seconds(self.child.id())
    }
}

impl Way for Haproxy {
    fn connect(&self) -> Box<dyn Stream> {
        let name = rustls::pki_types::ServerName::from(self.at.ip());
        let mut session = rustls::ClientConnection::new(Arc::clone(&self.tls), name).expect("a TLS client");
        let mut stream = dial(self.at);
        session.complete_io(&mut stream).expect("the handshake succeeds");
        Box::new(rustls::StreamOwned::new(session, stream))
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

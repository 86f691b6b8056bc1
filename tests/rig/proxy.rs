//! The real HAProxy with the configuration that is shipped, before the instances.

use crate::http::{self, Reach};
use crate::ports;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long it may take until it has every instance.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ended when it goes out of scope.
pub struct Proxy {
    child: Child,
    figures: SocketAddr,
    log: PathBuf,
    pub reach: Reach,
}

/// Where the program is; `Err` says that there is none, or no openssl to make it a certificate.
pub fn program() -> Result<PathBuf, String> {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return Err("openssl is not installed".to_owned());
    }
    let places = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"];
    places.iter().map(PathBuf::from).find(|p| p.is_file()).ok_or_else(|| "haproxy is not installed".to_owned())
}

/// A certificate for `localhost` and its key in one file, under an authority of the rig's own.
fn certificate(home: &Path) -> Result<(), String> {
    fs::write(home.join("names"), "subjectAltName=DNS:localhost\n").map_err(|e| e.to_string())?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=rig-authority"),
        format!("req {key} -keyout own.key -out own.csr -subj /CN=localhost"),
        "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out own.pem -days 2 -extfile names".to_owned(),
    ] {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(home).output();
        let done = done.map_err(|e| format!("openssl: {e}"))?;
        if !done.status.success() {
            return Err(format!("openssl {line}: {}", String::from_utf8_lossy(&done.stderr)));
        }
    }
    let both = ["own.pem", "own.key"].map(|name| fs::read_to_string(home.join(name)).unwrap_or_default());
    fs::write(home.join("proxy.pem"), both.concat()).map_err(|e| e.to_string())
}

fn trusting(home: &Path) -> Result<rustls::ClientConfig, String> {
    let authority = CertificateDer::from_pem_file(home.join("ca.pem")).map_err(|e| e.to_string())?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority).map_err(|e| e.to_string())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

impl Proxy {
    /// Starts it before two instances' public and internal listeners.
    pub fn start(home: &Path, listeners: &[[SocketAddr; 2]]) -> Result<Self, String> {
        let [[one, one_internal], [two, two_internal]] = listeners else {
            return Err("the shipped configuration is for two instances".to_owned());
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/haproxy.cfg");
        certificate(home)?;
        let (at, figures) = (ports::free(), ports::free());
        let log = fs::File::create(home.join("haproxy.log")).map_err(|e| e.to_string())?;
        let settings = [
            ("THUHO_BIND", at.to_string()),
            ("THUHO_CERT", home.join("proxy.pem").display().to_string()),
            ("THUHO_ONE", one.to_string()),
            ("THUHO_ONE_INTERNAL", one_internal.port().to_string()),
            ("THUHO_TWO", two.to_string()),
            ("THUHO_TWO_INTERNAL", two_internal.port().to_string()),
            ("THUHO_STATS", figures.to_string()),
            ("THUHO_UNPRIVILEGED", "1".to_owned()),
        ];
        let child = Command::new(program()?)
            .args(["-db", "-f"])
            .arg(file)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(|e| e.to_string())?)
            .stderr(log)
            .spawn()
            .map_err(|e| format!("haproxy: {e}"))?;
        let reach = Reach { at, tls: Some(Arc::new(trusting(home)?)) };
        Ok(Self { child, figures, log: home.join("haproxy.log"), reach })
    }

    /// Waits until it sends traffic to so many instances.
    pub fn wait_for_all(&self, count: usize) -> Result<(), String> {
        let since = Instant::now();
        let question = http::request("GET", "/stats;csv", &[], b"");
        let mut said = String::new();
        while since.elapsed() < PATIENCE {
            if let Ok(reply) = http::once(self.figures, &question) {
                said = reply.text();
                let fields = said.lines().map(|line| line.split(',').collect::<Vec<_>>());
                let up = fields.filter(|f| f.first() == Some(&"instances") && f.get(1) != Some(&"BACKEND"));
                if up.filter(|f| f.get(17) == Some(&"UP")).count() == count {
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        Err(format!("haproxy does not have {count} instances:\n{said}{log}"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended already; that is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

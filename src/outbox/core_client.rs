//! One call to the billing core: sign, send, hear. No redirects, no proxy, no decompression, every wait and every
//! body limited (I10). Knows nothing of leases or retries. Bodies and secrets never reach a log or an error (I11).

use super::classify::{Heard, retry_after_ms};
use super::signing::{BadCoreSecret, SigningKey};
use crate::domain::dispatch::LeasedDispatch;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::time::Duration;

/// The longest body that is read of an answer. Enough for a sentence and our id; more is a fault or an attack.
pub const ANSWER_MAX_BYTES: usize = 64 * 1024;

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the rest of a body may take whose content does not matter, so that its connection can be used again.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);

/// What may vouch for the core.
const TRUST_EXPECTED: &str = "expected one or more PEM certificates";

/// Most response headers.
const HEADERS_MAX: usize = 64;

/// How the core is reached.
#[derive(Clone, Debug)]
pub struct CoreOptions {
    /// `core.url`: http or https, without user or password.
    pub url: String,
    /// `core.secret`: `whsec_` and base64.
    pub secret: Secret,
    /// The time limit of one attempt, from connecting to the answer's head.
    pub timeout_ms: u64,
    /// PEM certificates that alone may vouch for the core; the public ones if `None`.
    pub trust_pem: Option<Vec<u8>>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum BadCore {
    /// Not an address.
    #[error("core.url: expected http://HOST[:PORT]/PATH or https://..., without user, password or fragment")]
    Url,
    /// Not a key.
    #[error(transparent)]
    Secret(#[from] BadCoreSecret),
    /// Not certificates.
    #[error("core.trust: {TRUST_EXPECTED}")]
    Trust,
    /// The HTTP client could not be made.
    #[error("cannot set up the connection to the billing core")]
    Client(#[source] reqwest::Error),
}

/// Somebody who takes messages: the core, or a script in a simulation.
pub trait Core: Send + Sync + 'static {
    /// Sends one message once and says what was heard.
    fn send<'a>(&'a self, message: &'a LeasedDispatch, now: Timestamp) -> BoxFuture<'a, Heard>;
}

/// The way to the billing core over HTTP.
#[derive(Clone, Debug)]
pub struct CoreClient {
    http: reqwest::Client,
    url: reqwest::Url,
    key: SigningKey,
    timeout: Duration,
}

impl CoreClient {
    /// Checks the options and prepares connections; opens none yet.
    ///
    /// # Errors
    /// [`BadCore`], naming the key that is wrong.
    pub fn new(options: &CoreOptions) -> Result<Self, BadCore> {
        let url = reqwest::Url::parse(&options.url).map_err(|_not_a_url| BadCore::Url)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !plain {
            return Err(BadCore::Url);
        }
        let timeout = Duration::from_millis(options.timeout_ms);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(options.trust_pem.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(HEADERS_MAX)
            .connect_timeout(CONNECT_TIMEOUT.min(timeout))
            .pool_idle_timeout(Duration::from_secs(30))
            .tcp_nodelay(true)
            .user_agent(concat!("thuho/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(BadCore::Client)?;
        Ok(Self { http, url, key: SigningKey::parse(&options.secret)?, timeout })
    }

    async fn attempt(&self, message: &LeasedDispatch, now: Timestamp) -> Heard {
        let sent_at = now.unix_s();
        let request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.key.as_str())
            .header("webhook-timestamp", sent_at.to_string())
            .header("webhook-signature", self.key.sign(message.key.as_str(), sent_at, message.body.as_bytes()))
            .body(message.body.clone());
        match tokio::time::timeout(self.timeout, request.send()).await {
            Err(_elapsed) => Heard::Timeout,
            Ok(Err(error)) => unheard(&error),
            Ok(Ok(answer)) => self.hear(answer, message.key.as_str(), now).await,
        }
    }

    async fn hear(&self, mut answer: reqwest::Response, id: &str, now: Timestamp) -> Heard {
        let code = answer.status().as_u16();
        let retry_after_ms = asked_wait(answer.headers(), now);
        if code != 409 {
            // The status has said it all; the body is read only so that the connection can serve again.
            let drained = tokio::time::timeout(DRAIN_TIMEOUT, head_of(&mut answer)).await;
            tracing::trace!(code, drained = drained.is_ok(), "The core answered");
            return Heard::Status { code, names_us: false, retry_after_ms };
        }
        match tokio::time::timeout(self.timeout, head_of(&mut answer)).await {
            Err(_elapsed) => Heard::Timeout,
            Ok(Err(_reset)) => Heard::Broken,
            Ok(Ok(body)) => Heard::Status { code, names_us: names(&body, id.as_bytes()), retry_after_ms },
        }
    }
}

impl Core for CoreClient {
    fn send<'a>(&'a self, message: &'a LeasedDispatch, now: Timestamp) -> BoxFuture<'a, Heard> {
        Box::pin(self.attempt(message, now))
    }
}

/// Does the body name the id, and not merely a longer word that contains it?
fn names(body: &[u8], id: &[u8]) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    body.windows(id.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).and_then(|n| body.get(n));
        window == id && !word(before) && !word(body.get(at + id.len()))
    })
}

/// At most [`ANSWER_MAX_BYTES`] of the body; what is longer is cut and its connection dropped.
async fn head_of(answer: &mut reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut head = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = ANSWER_MAX_BYTES - head.len();
        head.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    Ok(head)
}

fn asked_wait(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|value| retry_after_ms(value, now))
}

fn unheard(error: &reqwest::Error) -> Heard {
    if error.is_timeout() {
        return Heard::Timeout;
    }
    if is_tls(error) { Heard::Tls } else { Heard::Broken }
}

/// Looks into I/O errors too, which hide what they carry from the chain of sources.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || carried.is_some_and(|e| is_tls(e)) || error.source().is_some_and(is_tls)
}

/// TLS that trusts the public certificates, for the sandbox's own calls.
#[must_use]
pub fn public_tls() -> rustls::ClientConfig {
    install_provider();
    trusting(public_roots())
}

/// Installs the process's cryptography if nobody has yet.
fn install_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may install it between the question and the answer: then theirs stands.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    }
}

fn public_roots() -> rustls::RootCertStore {
    rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())
}

fn trusting(roots: rustls::RootCertStore) -> rustls::ClientConfig {
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

/// TLS 1.2 or newer, with the given certificates alone or the public ones.
fn tls(trust_pem: Option<&[u8]>) -> Result<rustls::ClientConfig, BadCore> {
    install_provider();
    match trust_pem {
        None => Ok(trusting(public_roots())),
        Some(pem) => roots_of(pem).map(trusting).ok_or(BadCore::Trust),
    }
}

/// The authorities in a PEM text; `None` when there are none or one of them is no certificate.
fn roots_of(pem: &[u8]) -> Option<rustls::RootCertStore> {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.ok()?).ok()?;
    }
    (!roots.is_empty()).then_some(roots)
}

/// Is this what `core.trust` may name?
///
/// # Errors
/// What was expected.
pub fn check_trust(pem: &[u8]) -> Result<(), &'static str> {
    roots_of(pem).map(drop).ok_or(TRUST_EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str, secret: &str) -> CoreOptions {
        let secret = Secret::new(secret.as_bytes().to_vec());
        CoreOptions { url: url.to_owned(), secret, timeout_ms: 1_000, trust_pem: None }
    }

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn an_address_that_is_none_is_refused_without_quoting_it() {
        assert!(CoreClient::new(&options("http://127.0.0.1:1/in", SECRET)).is_ok());
        assert!(CoreClient::new(&options("https://core.example/in?x=1", SECRET)).is_ok());
        for bad in ["", "core", "ftp://core/in", "http://user:hunter2@core/", "http://user@core/", "http://core/#x"] {
            let error = CoreClient::new(&options(bad, SECRET)).unwrap_err();
            assert!(matches!(error, BadCore::Url), "{bad}: {error}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(matches!(CoreClient::new(&options("http://core/", "plain")), Err(BadCore::Secret(_))));
        let with_trust = CoreOptions { trust_pem: Some(b"none".to_vec()), ..options("https://core/", SECRET) };
        assert!(matches!(CoreClient::new(&with_trust), Err(BadCore::Trust)));
    }

    #[test]
    fn only_the_whole_id_names_us() {
        let id = b"dsp_00112233445566778899aabbccddeeff";
        let body = |text: &str| text.replace("ID", "dsp_00112233445566778899aabbccddeeff").into_bytes();
        for naming in ["ID", "{\"webhook-id\":\"ID\"}", "cleared by ID.", "IDx ID"] {
            assert!(names(&body(naming), id), "{naming}");
        }
        for not in ["", "dsp_00112233445566778899aabbccddeef", "IDx", "xID", "ID_1", "_ID"] {
            assert!(!names(&body(not), id), "{not}");
        }
    }
}

//! Calls the internal API of a running gateway, for commands that need the database file while a gateway holds it.
//! Beside the outbox because this module is the one that knows the HTTP client; it sends no message of the core's.

use crate::domain::secret::Secret;
use std::time::Duration;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one call may take: a slice of an import, at most.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// The longest answer that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 8 * 1024 * 1024;

/// One gateway's internal API.
pub struct InternalClient {
    http: reqwest::Client,
    base: String,
    token: Secret,
}

impl std::fmt::Debug for InternalClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InternalClient").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What to call.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// GET, PUT or POST.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// Media type of the body.
    pub content_type: &'a str,
    /// The body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Its body, cut at the limit.
    pub body: Vec<u8>,
}

impl InternalClient {
    /// Prepares calls to the gateway at `base`, such as `http://127.0.0.1:8081`. The process's provider of
    /// cryptography must be installed.
    ///
    /// # Errors
    /// An address that is none.
    pub fn new(base: &str, token: Secret) -> Result<Self, String> {
        let expected =
            || "--url: expected http://HOST:PORT or https://HOST:PORT of a gateway's internal listener".to_owned();
        let url = reqwest::Url::parse(base).map_err(|_not_a_url| expected())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(expected());
        }
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .build()
            .map_err(|_unusable| "the HTTP client cannot be set up".to_owned())?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// Makes one call.
    ///
    /// # Errors
    /// When there is no answer, in words.
    pub async fn call(&self, call: Call<'_>) -> Result<Answered, String> {
        let method = reqwest::Method::from_bytes(call.method.as_bytes()).map_err(|_bad| "no such method".to_owned())?;
        let token = self.token.expose_text().ok_or("the token is not text")?;
        let request = self
            .http
            .request(method, format!("{}{}", self.base, call.path))
            .bearer_auth(token)
            .header(reqwest::header::CONTENT_TYPE, call.content_type)
            .body(call.body);
        let unheard = |error: reqwest::Error| {
            let why = if error.is_connect() {
                "cannot connect"
            } else if error.is_timeout() {
                "no answer in time"
            } else {
                "the connection broke"
            };
            format!("{}: {why}", self.base)
        };
        let mut answer = request.send().await.map_err(unheard)?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unheard)? {
            if chunk.len() > ANSWER_MAX_BYTES.saturating_sub(body.len()) {
                return Err(format!("{}: the answer is over {ANSWER_MAX_BYTES} bytes: ask for less", self.base));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answered { status, body })
    }
}

//! The sandbox billing core over HTTP: proves our signature, hears the message, and can be steered while it runs.
//! `POST /` (any path that is not named here) takes messages, `GET /journal` is its journal as NDJSON, `GET /totals`
//! its totals, `POST /behaviour` replaces its [`Behaviour`].

use super::core_book::{Behaviour, CoreBook, Line, Said};
use super::journal::Journal;
use crate::domain::time::Clock;
use crate::outbox::signing::SigningKey;
use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest message it reads.
const MESSAGE_MAX_BYTES: usize = 64 * 1024;

/// How far the signed time may lie from its clock: what Standard Webhooks recommends.
const TOLERANCE_S: u64 = 300;

/// How long its silence lasts at most: longer than any caller waits.
const SILENCE: Duration = Duration::from_secs(60);

/// How it runs.
pub struct SandboxCoreOptions {
    /// On which port of the loopback; 0 for any.
    pub port: u16,
    /// Under which key it expects to be told.
    pub key: SigningKey,
    /// What its failures are drawn from.
    pub seed: u64,
    /// How it behaves at first.
    pub behaviour: Behaviour,
    /// Where its journal is appended, and whether each line waits for the disk.
    pub journal: Option<(PathBuf, bool)>,
    /// By which it judges the signed time.
    pub clock: Arc<dyn Clock>,
}

/// A running one. Stops when it is dropped.
pub struct SandboxCore {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: ServerHandle,
}

struct Shared {
    book: Mutex<CoreBook>,
    key: SigningKey,
    clock: Arc<dyn Clock>,
}

impl Shared {
    /// A panic while the book was locked leaves it whole: each change is one step.
    fn book(&self) -> MutexGuard<'_, CoreBook> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SandboxCore {
    /// Starts it on the loopback. Needs a tokio runtime.
    ///
    /// # Errors
    /// When the port is taken or the journal cannot be opened.
    pub fn start(options: SandboxCoreOptions) -> io::Result<Self> {
        let journal = match &options.journal {
            Some((path, flush)) => Journal::<Line>::appending(path, *flush)?,
            None => Journal::default(),
        };
        let book = Mutex::new(CoreBook::new(options.seed, options.behaviour, journal));
        let shared = Arc::new(Shared { book, key: options.key, clock: options.clock });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::PayloadConfig::new(MESSAGE_MAX_BYTES))
                .app_data(web::JsonConfig::default().limit(MESSAGE_MAX_BYTES))
                .route("/journal", web::get().to(journal_page))
                .route("/totals", web::get().to(totals_page))
                .route("/behaviour", web::post().to(behave))
                .default_service(web::post().to(hear))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .listen(listener)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, shared, server: handle })
    }

    /// Where messages go.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/billing", self.address)
    }

    /// Reads or steers its books.
    pub fn with_book<T>(&self, f: impl FnOnce(&mut CoreBook) -> T) -> T {
        f(&mut self.shared.book())
    }
}

impl Drop for SandboxCore {
    fn drop(&mut self) {
        // The stop is a message to the server's own task; nobody has to wait for it.
        drop(self.server.stop(false));
    }
}

async fn hear(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let id = header("webhook-id").unwrap_or_default().to_owned();
    let at = header("webhook-timestamp").and_then(|text| text.parse::<i64>().ok()).unwrap_or_default();
    let signature = header("webhook-signature").unwrap_or_default();
    let now = shared.clock.now();
    let fresh = now.unix_s().abs_diff(at) <= TOLERANCE_S;
    if !fresh || !shared.key.proves(signature, &id, at, &body) {
        return HttpResponse::Unauthorized().body("{\"error\":\"signature\"}");
    }
    // The lock is not held over the wait.
    let said = shared.book().hear(&id, &body, now);
    match said {
        Err(error) => {
            tracing::error!(%error, "The sandbox core cannot write its journal");
            HttpResponse::InternalServerError().finish()
        }
        Ok(said) => answer(said).await,
    }
}

async fn answer(said: Said) -> HttpResponse {
    if said.status == 0 {
        tokio::time::sleep(SILENCE).await;
    }
    if said.after_ms > 0 {
        tokio::time::sleep(Duration::from_millis(said.after_ms)).await;
    }
    let status =
        actix_web::http::StatusCode::from_u16(said.status).unwrap_or(actix_web::http::StatusCode::GATEWAY_TIMEOUT);
    let mut response = HttpResponse::build(status);
    if let Some(header) = said.header {
        response.insert_header(header);
    }
    response.content_type("application/json").body(said.body)
}

async fn journal_page(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/x-ndjson").body(shared.book().journal().to_ndjson())
}

async fn totals_page(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.book().totals())
}

async fn behave(behaviour: web::Json<Behaviour>, shared: web::Data<Shared>) -> HttpResponse {
    shared.book().behave(behaviour.into_inner());
    HttpResponse::NoContent().finish()
}

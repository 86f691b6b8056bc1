//! The handlers that the gateway is measured beside, each in a process of its own: one that reads the body and answers,
//! one that also proves and decodes it, notices and questions alike, and the naive programs.

use crate::naive::Naive;
use crate::naive_postgres;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use thuho::config::EnvSecrets;
use thuho::domain::notice::{Method, Notice, RawNotice};
use thuho::domain::secret::Secret;
use thuho::domain::time::{Clock, SystemClock};
use thuho::partner::{Bill, BillsAnswer, BillsKind, Partners, Profile, ReplyContext, SecretSource};

/// Which handler a child process serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    Reading,
    Verifying,
    Naive,
    NaivePostgres,
}

impl Handler {
    pub fn word(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Verifying => "verifying",
            Self::Naive => "naive",
            Self::NaivePostgres => "naive-postgres",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Reading, Self::Verifying, Self::Naive, Self::NaivePostgres].into_iter().find(|h| h.word() == word)
    }
}

/// The keys that the bench's notices are signed with.
pub struct BenchSecrets;

impl SecretSource for BenchSecrets {
    fn secret(&self, name: &str) -> Result<Secret, String> {
        Ok(Secret::new(crate::requests::secret_of(name.trim_start_matches("env:")).into_bytes()))
    }
}

/// The environment that the wallet's profile names its key by.
pub fn environment() -> [(&'static str, &'static str); 1] {
    [(crate::requests::NAME_OF_KEY, crate::requests::KEY)]
}

/// What the handlers share.
struct Shared {
    partners: Partners,
    naive: Option<Mutex<Naive>>,
}

impl Shared {
    fn profile(&self, request: &HttpRequest) -> Arc<Profile> {
        let code = request.match_info().get("partner").expect("the route has it");
        Arc::clone(self.partners.get(code).expect("the bench asks whom it wrote down"))
    }
}

/// Serves until it is killed. `store` is where a naive program's books are, made and filled by the gateway.
pub fn serve(handler: Handler, at: SocketAddr, profiles: &Path, store: &str) -> std::io::Result<()> {
    let partners = Partners::load(profiles, &EnvSecrets).expect("the bench's profiles load");
    let books = Path::new(store.trim_start_matches("sqlite://"));
    let naive = (handler == Handler::Naive).then(|| Mutex::new(Naive::open(books).expect("the naive books open")));
    let shared = web::Data::new(Shared { partners, naive });
    let store = store.to_owned();
    actix_web::rt::System::new().block_on(async move {
        let app = move || {
            let app = App::new().app_data(web::PayloadConfig::new(64 * 1024)).app_data(shared.clone());
            // A load balancer asks for it.
            let app = app.route("/readyz", web::get().to(HttpResponse::Ok));
            let notices = "/webhooks/{partner}";
            match handler {
                Handler::Reading => app.route(notices, web::post().to(read)),
                Handler::Verifying => {
                    app.route(notices, web::post().to(verify)).route("/partners/{partner}/bills", web::post().to(bills))
                }
                Handler::Naive => app.route(notices, web::post().to(book)),
                Handler::NaivePostgres => {
                    // Called once in each worker's thread.
                    let pool = web::Data::new(naive_postgres::Pool::new(&store));
                    app.app_data(pool).route(notices, web::post().to(book_in_postgres))
                }
            }
        };
        HttpServer::new(app).workers(2).bind(at)?.run().await
    })
}

fn taken() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body("{\"return_code\":1,\"return_message\":\"success\"}")
}

fn failed(why: &dyn std::fmt::Debug) -> HttpResponse {
    eprintln!("the naive program cannot book: {why:?}");
    HttpResponse::InternalServerError().finish()
}

async fn read(body: web::Bytes) -> HttpResponse {
    assert!(!body.is_empty(), "a call has a body");
    taken()
}

fn raw(request: &HttpRequest, body: web::Bytes) -> RawNotice {
    let header = |(name, value): (&actix_web::http::header::HeaderName, &actix_web::http::header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    RawNotice {
        method: Method::Post,
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers: request.headers().iter().filter_map(header).collect(),
        body,
        peer: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        received_at: SystemClock.now(),
    }
}

fn proved(profile: &Profile, raw: &RawNotice) -> Option<Notice> {
    profile.prove(raw, raw.received_at).and_then(|n| profile.read(&n, raw.received_at)).ok()
}

async fn verify(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let raw = raw(&request, body);
    match proved(&shared.profile(&request), &raw) {
        Some(_) => taken(),
        None => HttpResponse::BadRequest().finish(),
    }
}

/// A question is proved and decoded, and answered in the profile's words, signed where it says so: one made-up bill.
async fn bills(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let raw = raw(&request, body);
    let profile = shared.profile(&request);
    let asked = profile.prove(&raw, raw.received_at).and_then(|n| profile.read_bills(&n, raw.received_at));
    let Some(customer) = asked.ok().and_then(|references| references.customer) else {
        return HttpResponse::BadRequest().finish();
    };
    let bill = Bill {
        invoice: thuho::domain::ids::InvoiceId::parse("B000000001").expect("an id"),
        period: "2026-11-1".to_owned(),
        amount: thuho::domain::money::Money::from_dong(150_000).expect("an amount"),
        due_on: jiff::civil::date(2026, 11, 30),
    };
    let answer = BillsAnswer { kind: BillsKind::Ok, customer: Some(customer.as_str().to_owned()), bills: vec![bill] };
    let reply = profile.reply_bills(&answer, &ReplyContext { raw: Some(&raw), payment: None, now: raw.received_at });
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).expect("a checked status"));
    for (name, value) in &reply.headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(reply.body)
}

async fn book(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let raw = raw(&request, body);
    let Some(notice) = proved(&shared.profile(&request), &raw) else { return HttpResponse::BadRequest().finish() };
    let done = web::block(move || {
        let naive = shared.naive.as_ref().expect("this process has books");
        naive.lock().expect("no handler panics").book(&notice, &raw)
    });
    match done.await {
        Ok(Ok(())) => taken(),
        other => failed(&other),
    }
}

async fn book_in_postgres(
    request: HttpRequest,
    body: web::Bytes,
    shared: web::Data<Shared>,
    pool: web::Data<naive_postgres::Pool>,
) -> HttpResponse {
    let raw = raw(&request, body);
    let Some(notice) = proved(&shared.profile(&request), &raw) else { return HttpResponse::BadRequest().finish() };
    match pool.book(&notice, &raw).await {
        Ok(()) => taken(),
        Err(error) => failed(&error),
    }
}

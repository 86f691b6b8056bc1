//! The collectors' listener: webhooks, bill inquiry, status enquiry.

use super::body::{self, Bounds};
use super::peer;
use super::problem::Problem;
use crate::domain::notice::{Method, RawNotice};
use crate::domain::outcome::Outcome;
use crate::inquiry::{self, readers::Readers};
use crate::intake::Door;
use crate::ledger::writer::Writer;
use crate::partner::{Profile, Reply, ReplyContext};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::FutureExt as _;
use ipnet::IpNet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The longest path and query that are looked at, in bytes; all that a GET profile signs is in them.
const TARGET_MAX_BYTES: usize = 8_192;

/// What the collectors' routes need.
#[derive(Clone)]
pub struct Public {
    /// This worker's way in.
    pub door: Door,
    /// The writer, for a question that must wait until what is queued is through.
    pub writer: Arc<Writer>,
    /// Reading connections.
    pub readers: Readers,
    /// Believed proxies.
    pub trusted: Arc<[IpNet]>,
    /// Bounds of a body.
    pub bounds: Bounds,
}

/// The routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/webhooks/{partner}").to(webhook))
        .service(web::resource("/partners/{partner}/bills").to(bills))
        .service(web::resource("/partners/{partner}/status").to(status))
        .default_service(web::to(|| async { Problem::not_found().response() }));
}

async fn webhook(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    answered(answer_notice(request, payload, public)).await
}

async fn answer_notice(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    let Some(profile) = profile_of(&request, &public) else { return Problem::not_found().response() };
    let since = public.door.intake().queue().now();
    let method = profile.method();
    if let Err(limited) = public.door.intake().admit(peer::of(&request, &public.trusted)) {
        return turned_away(&profile, &public, limited.wait.as_secs());
    }
    let raw = match raw_of(&request, payload, &public, &profile, method).await {
        Ok(raw) => raw,
        Err(problem) => return problem.response(),
    };
    let heard = public.door.submit(&profile, &raw, since).await;
    let now = public.door.intake().clock().now();
    let context = ReplyContext { raw: Some(&raw), payment: heard.payment, now };
    say(&profile.reply(heard.outcome, &context))
}

async fn bills(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    answered(answer_bills(request, payload, public)).await
}

async fn answer_bills(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    let Some(profile) = profile_of(&request, &public).filter(|p| p.has_bills()) else {
        return Problem::not_found().response();
    };
    let raw = match asked(&request, payload, &public, &profile).await {
        Ok(raw) => raw,
        Err(response) => return response,
    };
    let now = public.door.intake().clock().now();
    let paused = public.door.intake().is_paused(profile.code());
    let answer = inquiry::bills(&public.readers, &profile, &raw, now, paused).await;
    say(&profile.reply_bills(&answer, &ReplyContext { raw: Some(&raw), payment: None, now }))
}

async fn status(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    answered(answer_status(request, payload, public)).await
}

async fn answer_status(request: HttpRequest, payload: web::Payload, public: web::Data<Public>) -> HttpResponse {
    let Some(profile) = profile_of(&request, &public).filter(|p| p.has_status()) else {
        return Problem::not_found().response();
    };
    let raw = match asked(&request, payload, &public, &profile).await {
        Ok(raw) => raw,
        Err(response) => return response,
    };
    let now = public.door.intake().clock().now();
    let paused = public.door.intake().is_paused(profile.code());
    let books = inquiry::Books { readers: &public.readers, writer: &public.writer };
    let answer = inquiry::status(books, &profile, &raw, now, paused).await;
    say(&profile.reply_status(&answer, &ReplyContext { raw: Some(&raw), payment: answer.payment, now }))
}

/// A panic of ours is no silence: 503 is "call again" to everybody, whatever was committed before it.
async fn answered(answer: impl Future<Output = HttpResponse>) -> HttpResponse {
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_panic| {
        tracing::error!("The answer to a collector's call panicked");
        Problem::unavailable().response()
    })
}

/// The limits and the body of a question, which is always a POST.
async fn asked(
    request: &HttpRequest,
    payload: web::Payload,
    public: &Public,
    profile: &Profile,
) -> Result<RawNotice, HttpResponse> {
    if public.door.intake().admit(peer::of(request, &public.trusted)).is_err() {
        return Err(Problem::too_many().response());
    }
    raw_of(request, payload, public, profile, Method::Post).await.map_err(|problem| problem.response())
}

fn profile_of(request: &HttpRequest, public: &Public) -> Option<Arc<Profile>> {
    public.door.intake().profile(request.match_info().get("partner")?)
}

/// The call as it arrived.
async fn raw_of(
    request: &HttpRequest,
    payload: web::Payload,
    public: &Public,
    profile: &Profile,
    method: Method,
) -> Result<RawNotice, Problem> {
    if request.method().as_str() != method.word() {
        return Err(Problem::method_not_allowed());
    }
    if request.path().len() + request.query_string().len() > TARGET_MAX_BYTES {
        return Err(Problem::bad_request());
    }
    body::refuse_encoded(request)?;
    if method == Method::Post {
        check_content_type(request, profile)?;
    }
    let received_at = public.door.intake().clock().now();
    let headers = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = body::whole(request, payload, public.bounds).await?;
    Ok(RawNotice {
        method,
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers,
        body,
        peer: peer::of(request, &public.trusted),
        received_at,
    })
}

/// The media type must be one that the profile names; its parameters (`charset`) are not looked at, as bytes are
/// what is signed. A call without one is taken for the profile's.
fn check_content_type(request: &HttpRequest, profile: &Profile) -> Result<(), Problem> {
    let allowed = profile.content_types();
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().map_err(|_not_text| Problem::unsupported_media())?;
    let media = text.split(';').next().unwrap_or("").trim();
    let known = allowed.is_empty() || allowed.iter().any(|a| a.as_str().eq_ignore_ascii_case(media));
    if known { Ok(()) } else { Err(Problem::unsupported_media()) }
}

/// Too many calls: 429, with the partner's own retry word when its reply has no better status.
fn turned_away(profile: &Profile, public: &Public, wait_s: u64) -> HttpResponse {
    let now = public.door.intake().clock().now();
    let reply = profile.reply(Outcome::TryAgain, &ReplyContext { raw: None, payment: None, now });
    let mut builder = HttpResponseBuilder::new(StatusCode::TOO_MANY_REQUESTS);
    builder.insert_header((header::RETRY_AFTER, wait_s.saturating_add(1)));
    fill(&mut builder, &reply);
    builder.body(reply.body)
}

fn say(reply: &Reply) -> HttpResponse {
    // A profile's statuses were checked when it was loaded.
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut builder = HttpResponseBuilder::new(status);
    fill(&mut builder, reply);
    builder.body(reply.body.clone())
}

fn fill(builder: &mut HttpResponseBuilder, reply: &Reply) {
    for (name, value) in &reply.headers {
        builder.insert_header((name.as_str(), value.as_str()));
    }
}

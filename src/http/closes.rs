//! Signing off for our own side: a day or a month is drawn up by one caller, signed by another one, and opened again by
//! whoever has that privilege.

use super::desk::{author, beside, on_a_thread, read};
use super::internal::Internal;
use super::problem::Problem;
use super::statements::{bad, stopped};
use super::tokens::{self, Scope};
use crate::domain::close::Period;
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::statement::StatementKind;
use crate::ledger::{SliceError, Slices};
use crate::partner::Profile;
use crate::reconcile::close::{self, Draft, NotClosed};
use crate::reconcile::desk;
use crate::store::closes::{Reopened, Signed};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use std::sync::Arc;

/// The body of any of them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Body {
    accept: Option<String>,
    sha256: String,
    reason: String,
}

fn named(path: &(String, String), internal: &Internal) -> Result<(Arc<Profile>, Period), Problem> {
    let profile = internal.intake.profile(&path.0).ok_or_else(Problem::not_found)?;
    let period = Period::parse(&path.1).ok_or_else(|| bad("period: expected YYYY-MM-DD or YYYY-MM"))?;
    Ok((profile, period))
}

/// `GET /api/v1/closes/{partner}/{period}`
pub async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let (profile, period) = named(&path.into_inner(), &internal)?;
    shown(&internal, profile.code().clone(), period).await
}

async fn shown(internal: &Internal, partner: PartnerCode, period: Period) -> Result<HttpResponse, Problem> {
    let found = internal.readers.ask(move |reports| reports.close(&partner, period)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(close::to_json(&found)))
}

/// `POST /api/v1/closes/{partner}/{period}/{verb}`: draft, sign, reopen.
pub async fn act(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (partner, period, verb) = path.into_inner();
    let (profile, period) = named(&(partner, period), &internal)?;
    let body: Body = read(&request, payload).await?;
    let by = author(caller)?;
    match verb.as_str() {
        "draft" => draft(&internal, (profile, period), (by, body)).await,
        "sign" => sign(&internal, (profile.code().clone(), period), (by, body)).await,
        "reopen" => reopen(&internal, (profile.code().clone(), period), (by, body)).await,
        _ => Err(Problem::not_found()),
    }
}

async fn draft(
    internal: &web::Data<Internal>,
    (profile, period): (Arc<Profile>, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let at = internal.intake.clock().now();
    let carry = match &body.accept {
        Some(reason) => Some(desk::text(reason).ok_or_else(|| bad("accept: expected a reason of 1 to 1000 bytes"))?),
        None => None,
    };
    let partner = profile.code().clone();
    let drawn = beside(internal, move |reports| -> Result<Draft, NotClosed> {
        match period {
            Period::Day(day) => {
                let layout = profile.statement(StatementKind::Partner).ok_or(NotClosed::NoStatement)?;
                close::day(reports, (&profile, layout), day, (&by, carry.as_deref(), at))
            }
            Period::Month(first) => close::month(reports, profile.code(), first, (&by, at)),
        }
    });
    let drawn = drawn.await?.map_err(not_closed)?;
    let writer = Arc::clone(&internal.writer);
    let kept = on_a_thread(move || close::keep(&mut Slices::between(writer.as_ref()), drawn)).await?;
    kept.map_err(not_closed)?;
    shown(internal, partner, period).await
}

fn not_closed(error: NotClosed) -> Problem {
    match error {
        NotClosed::Slice(_) | NotClosed::Store(_) => stopped(&error),
        NotClosed::NotOver
        | NotClosed::Sealed
        | NotClosed::Order(_)
        | NotClosed::NoStatement
        | NotClosed::NotCompared
        | NotClosed::Moved
        | NotClosed::Open(..)
        | NotClosed::Day(_)
        | NotClosed::Range => Problem::conflict().saying(error.to_string()),
    }
}

async fn sign(
    internal: &web::Data<Internal>,
    of: (PartnerCode, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let mut hash = [0; 32];
    hex::decode_to_slice(&body.sha256, &mut hash).map_err(|_not_hex| bad("sha256: expected 64 hex digits"))?;
    let (writer, at, whose) = (Arc::clone(&internal.writer), internal.intake.clock().now(), of.clone());
    let signed = on_a_thread(move || close::sign(&mut Slices::between(writer.as_ref()), whose, hash, (by, at))).await?;
    let refused = |why: &str| Err(Problem::conflict().saying(why));
    match signed.map_err(|error: SliceError| stopped(&error))? {
        Signed::Done => shown(internal, of.0, of.1).await,
        Signed::NotFound => Err(Problem::not_found().saying("there is no draft")),
        Signed::Other => refused("sha256: it is another draft"),
        Signed::NotYours => refused("who drew it up does not sign it"),
        Signed::Stale => refused("it is not so any more: draw it up again"),
        Signed::BeyondAuthority => Err(Problem::forbidden().saying("what goes on open is beyond what you may sign")),
    }
}

async fn reopen(
    internal: &web::Data<Internal>,
    of: (PartnerCode, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let reason = desk::text(&body.reason).ok_or_else(|| bad("reason: expected 1 to 1000 bytes"))?;
    let (writer, at) = (Arc::clone(&internal.writer), internal.intake.clock().now());
    let done = on_a_thread(move || close::reopen(&mut Slices::between(writer.as_ref()), of, reason, (by, at))).await?;
    match done.map_err(|error: SliceError| stopped(&error))? {
        Reopened::Done => Ok(HttpResponse::NoContent().finish()),
        Reopened::NotFound => Err(Problem::not_found().saying("it is not sealed")),
        Reopened::NotLast => Err(Problem::conflict().saying("a later day, or the month, is sealed: that one first")),
        Reopened::BeyondAuthority => Err(Problem::forbidden().saying("reopening is a privilege")),
    }
}

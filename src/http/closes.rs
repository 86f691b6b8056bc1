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
    internal: &Internal,
    (profile, period): (Arc<Profile>, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let carry = match &body.accept {
        Some(reason) => Some(desk::text(reason).ok_or_else(|| bad("accept: expected a reason of 1 to 1000 bytes"))?),
        None => None,
    };
    let partner = profile.code().clone();
    drawn(internal, (profile, period), (by, carry)).await?.map_err(not_closed)?;
    shown(internal, partner, period).await
}

/// Draws a close up and keeps it, for the API and for the desk. `carry`: why what is open may go on open.
pub(crate) async fn drawn(
    internal: &Internal,
    (profile, period): (Arc<Profile>, Period),
    (by, carry): (Author, Option<String>),
) -> Result<Result<(), NotClosed>, Problem> {
    let at = internal.intake.clock().now();
    let drawn = beside(internal, move |reports| -> Result<Draft, NotClosed> {
        match period {
            Period::Day(day) => {
                let layout = profile.statement(StatementKind::Partner).ok_or(NotClosed::NoStatement)?;
                close::day(reports, (&profile, layout), day, (&by, carry.as_deref(), at))
            }
            Period::Month(first) => close::month(reports, profile.code(), first, (&by, at)),
        }
    });
    let drawn = match drawn.await? {
        Ok(drawn) => drawn,
        Err(why) => return Ok(Err(why)),
    };
    let writer = Arc::clone(&internal.writer);
    let kept = on_a_thread(move || close::keep(&mut Slices::between(writer.as_ref()), drawn)).await?;
    Ok(kept.map(drop))
}

fn not_closed(error: NotClosed) -> Problem {
    match error {
        NotClosed::Slice(_) | NotClosed::Store(_) => stopped(&error),
        NotClosed::NotOver
        | NotClosed::Sealed
        | NotClosed::Order(_)
        | NotClosed::Before(_)
        | NotClosed::Earlier(..)
        | NotClosed::NoStatement
        | NotClosed::NotCompared
        | NotClosed::Moved
        | NotClosed::Open(..)
        | NotClosed::Day(_)
        | NotClosed::Range => Problem::conflict().saying(error.to_string()),
    }
}

async fn sign(
    internal: &Internal,
    of: (PartnerCode, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let mut hash = [0; 32];
    hex::decode_to_slice(&body.sha256, &mut hash).map_err(|_not_hex| bad("sha256: expected 64 hex digits"))?;
    let signed = signed(internal, of.clone(), hash, by).await?;
    let refused = |why: &str| Err(Problem::conflict().saying(why));
    match signed {
        Signed::Done => shown(internal, of.0, of.1).await,
        Signed::NotFound => Err(Problem::not_found().saying("there is no draft")),
        Signed::Other => refused("sha256: it is another draft"),
        Signed::NotYours => refused("who drew it up, or could log in as who did, does not sign it"),
        Signed::Stale => refused("it is not so any more: draw it up again"),
        Signed::BeyondAuthority => Err(Problem::forbidden().saying("what goes on open is beyond what you may sign")),
    }
}

/// Signs what another one drew up, for the API and for the desk.
pub(crate) async fn signed(
    internal: &Internal,
    of: (PartnerCode, Period),
    hash: [u8; 32],
    by: Author,
) -> Result<Signed, Problem> {
    let (writer, at) = (Arc::clone(&internal.writer), internal.intake.clock().now());
    let signed = on_a_thread(move || close::sign(&mut Slices::between(writer.as_ref()), of, hash, (by, at))).await?;
    signed.map_err(|error: SliceError| stopped(&error))
}

async fn reopen(
    internal: &Internal,
    of: (PartnerCode, Period),
    (by, body): (Author, Body),
) -> Result<HttpResponse, Problem> {
    let reason = desk::text(&body.reason).ok_or_else(|| bad("reason: expected 1 to 1000 bytes"))?;
    match reopened(internal, of, reason, by).await? {
        Reopened::Done => Ok(HttpResponse::NoContent().finish()),
        Reopened::NotFound => Err(Problem::not_found().saying("it is not sealed")),
        Reopened::NotLast => Err(Problem::conflict().saying("a later day, or the month, is sealed: that one first")),
        Reopened::BeyondAuthority => Err(Problem::forbidden().saying("reopening is a privilege")),
    }
}

/// Opens what is sealed, for the API and for the desk.
pub(crate) async fn reopened(
    internal: &Internal,
    of: (PartnerCode, Period),
    reason: String,
    by: Author,
) -> Result<Reopened, Problem> {
    let (writer, at) = (Arc::clone(&internal.writer), internal.intake.clock().now());
    let done = on_a_thread(move || close::reopen(&mut Slices::between(writer.as_ref()), of, reason, (by, at))).await?;
    done.map_err(|error: SliceError| stopped(&error))
}

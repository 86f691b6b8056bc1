//! The minutes of a partner's period, as a page to be printed.

use super::internal::Internal;
use super::problem::Problem;
use super::statements::{alone, bad, day_of, stopped};
use super::tokens::{self, Scope};
use crate::partner::Profile;
use crate::reconcile::minutes::{self, MinutesError, Wanted};
use crate::store::StoreError;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Of which days.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodQuery {
    from: String,
    to: String,
}

/// `GET /api/v1/minutes/{partner}`
pub async fn minutes(
    request: HttpRequest,
    partner: web::Path<String>,
    query: Result<web::Query<PeriodQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let query = query.map_err(|_bad_query| bad("expected from and to"))?;
    let (from, to) = (day_of(&query.from)?, day_of(&query.to)?);
    let profile = internal.intake.profile(&partner).ok_or_else(Problem::not_found)?;
    let page = made(&internal, profile, (from, to), caller.name.clone()).await?;
    Ok(paper(page.map_err(|error| not_made(&error))?))
}

/// Makes the minutes of a period, for the API and for the desk.
pub(crate) async fn made(
    internal: &Internal,
    profile: Arc<Profile>,
    (from, to): (Date, Date),
    author: String,
) -> Result<Result<String, MinutesError>, Problem> {
    let (at, open) = (internal.intake.clock().now(), Arc::clone(&internal.open_reports));
    alone(internal, move || {
        let mut reports = open().map_err(|error: StoreError| stopped(&error))?;
        let wanted = Wanted { profile: &profile, from, to, author: &author, at };
        Ok(minutes::gather(reports.as_mut(), wanted).and_then(|made| minutes::html(&made)))
    })
    .await
}

/// The page as it is sent: nothing in it is loaded or run, and of styles only its own, known by its hash.
pub(crate) fn paper(page: String) -> HttpResponse {
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).map_or("", |(own, _)| own);
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", policy))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("x-frame-options", "DENY"))
        .insert_header(("referrer-policy", "same-origin"))
        .insert_header(("cache-control", "no-store"))
        .body(page)
}

pub(crate) fn not_made(error: &MinutesError) -> Problem {
    match error {
        MinutesError::Period => bad(format!("from, to: {error}")),
        MinutesError::Untied(_) | MinutesError::Page(_) => {
            tracing::error!(error = %error, "Alarm: minutes were not printed");
            Problem::internal()
        }
        MinutesError::Store(_) => stopped(error),
    }
}

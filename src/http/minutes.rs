//! The minutes of a partner's period, as a page to be printed.

use super::internal::Internal;
use super::problem::Problem;
use super::statements::{alone, bad, day_of, stopped};
use super::tokens::{self, Scope};
use crate::reconcile::minutes::{self, MinutesError, Wanted};
use crate::store::StoreError;
use actix_web::{HttpRequest, HttpResponse, web};
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
    let (at, author, open) = (internal.intake.clock().now(), caller.name.clone(), Arc::clone(&internal.open_reports));
    let page = alone(&internal, move || {
        let mut reports = open().map_err(|error: StoreError| stopped(&error))?;
        let wanted = Wanted { profile: &profile, from, to, author: &author, at };
        let made = minutes::gather(reports.as_mut(), wanted).and_then(|made| minutes::html(&made));
        made.map_err(|error| not_made(&error))
    })
    .await?;
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header(("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "no-store"))
        .body(page))
}

fn not_made(error: &MinutesError) -> Problem {
    match error {
        MinutesError::Period => bad(format!("from, to: {error}")),
        MinutesError::Untied(_) | MinutesError::Page(_) => {
            tracing::error!(error = %error, "Alarm: minutes were not printed");
            Problem::internal()
        }
        MinutesError::Store(_) => stopped(error),
    }
}

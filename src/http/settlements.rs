//! What a partner's days should bring at the bank and what they brought.

use super::internal::Internal;
use super::problem::Problem;
use super::statements::{bad, day_of, stopped};
use super::tokens::{self, Scope};
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::time::Timestamp;
use crate::ledger::Slices;
use crate::partner::Profile;
use crate::reconcile::settlement::run::{self, Asked, SettleError};
use crate::reconcile::settlement::{load_calendar, report};
use crate::store::reports::Reports;
use crate::store::settlements::{Batch, Batches, LISTED_MAX};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

/// The days of an answer to a question that names none.
const USUAL_DAYS: i32 = 31;

/// The query of `GET /api/v1/settlements/{partner}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysQuery {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
}

/// `GET /api/v1/settlements/{partner}`
pub async fn list(
    request: HttpRequest,
    path: web::Path<String>,
    query: Result<web::Query<DaysQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let query = query.map_err(|_bad_query| bad("expected from and to, or nothing"))?;
    let profile = internal.intake.profile(&path).ok_or_else(Problem::not_found)?;
    let today = || internal.intake.clock().now().day_in(profile.timezone()).ok_or_else(Problem::internal);
    let to = query.to.as_deref().map_or_else(today, day_of)?;
    let usual = || Ok(to.saturating_sub(USUAL_DAYS.days()));
    let from = query.from.as_deref().map_or_else(usual, day_of)?;
    let found = batches(&internal, profile.code().clone(), (from, to)).await?;
    Ok(HttpResponse::Ok().json(report::list_json(profile.code().as_str(), (from, to), &found)))
}

/// A partner's batches of these days, for the API and for the desk: all of them, or none.
pub(crate) async fn batches(
    internal: &Internal,
    code: PartnerCode,
    (from, to): (Date, Date),
) -> Result<Vec<Batch>, Problem> {
    if from > to {
        return Err(bad("from: expected a day that is not after to"));
    }
    let found = internal.readers.ask(move |reports| {
        reports.batches(&Batches { partner: &code, from, to, open_only: false, limit: LISTED_MAX + 1 })
    });
    let found = found.await?;
    if found.len() > usize::try_from(LISTED_MAX).unwrap_or(usize::MAX) {
        return Err(bad(format!("from, to: more than {LISTED_MAX} batches; ask for fewer days")));
    }
    Ok(found)
}

/// Compares with the bank; the answer of `POST /api/v1/reconciliations/{partner}/{date}?kind=bank`.
pub(super) fn compare(
    reports: &mut dyn Reports,
    slices: &mut Slices<'_>,
    (profile, calendar, day): (&Profile, Option<&Path>, Date),
    by: (&Author, Timestamp),
) -> Result<Result<Value, SettleError>, Problem> {
    let calendar = load_calendar(calendar).map_err(|error| stopped(&error))?;
    let done = run::run(reports, slices, &Asked { profile, calendar: &calendar, day }, by);
    Ok(done.map(|done| report::to_json(&done)))
}

pub(super) fn not_settled(error: &SettleError) -> Problem {
    match error {
        SettleError::NoStatement(_) => Problem::not_found().saying(error.to_string()),
        SettleError::NoTerms | SettleError::NoLayout => bad(error.to_string()),
        SettleError::NotComparable(_) => Problem::unprocessable().saying(error.to_string()),
        SettleError::Slice(_) | SettleError::Store(_) => stopped(&error),
    }
}

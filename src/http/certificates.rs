//! The zero-loss certificate of a partner's day.

use super::internal::Internal;
use super::problem::Problem;
use super::statements::{alone, bad, day_of, stopped};
use super::tokens::{self, Scope};
use crate::domain::ids::PartnerCode;
use crate::ledger::certificate::{self, Certificate, CertificateError, CertifiedDay};
use crate::store::StoreError;
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

/// `GET /api/v1/certificates/{partner}/{date}`
pub async fn certificate(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (partner, date) = path.into_inner();
    let partner = PartnerCode::parse(partner).map_err(|_no_such_partner| Problem::not_found())?;
    let day = CertifiedDay::of(partner, day_of(&date)?).ok_or_else(|| bad("date: outside the calendar"))?;
    Ok(HttpResponse::Ok().json(certified(&internal, day).await?))
}

/// Certifies a partner's day, if the books bear it.
///
/// # Errors
/// A day that is not under a seal yet, books that do not prove, the machine's.
pub(crate) async fn certified(internal: &Internal, day: CertifiedDay) -> Result<Certificate, Problem> {
    let (open, key) = (Arc::clone(&internal.open_reports), internal.seal_key.clone());
    alone(internal, move || {
        let mut reports = open().map_err(|error: StoreError| stopped(&error))?;
        certificate::certify(reports.as_mut(), &key, &day).map_err(|error| match error {
            CertificateError::NotSealed => Problem::conflict().saying(error.to_string()),
            CertificateError::Untrue(_) => {
                tracing::error!(error = %error, "Alarm: a day cannot be certified");
                Problem::conflict().saying(error.to_string())
            }
            CertificateError::Store(_) => stopped(&error),
        })
    })
    .await
}

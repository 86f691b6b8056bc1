//! Health and metrics.

use super::internal::Internal;
use actix_web::{HttpResponse, web};

/// `GET /healthz`
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

/// `GET /readyz`
pub async fn readyz(internal: web::Data<Internal>) -> HttpResponse {
    let readiness = internal.health.readiness();
    if readiness.state == "unready" {
        HttpResponse::ServiceUnavailable().json(readiness)
    } else {
        HttpResponse::Ok().json(readiness)
    }
}

/// `GET /metrics`
pub async fn metrics(internal: web::Data<Internal>) -> HttpResponse {
    let status = internal.writer.status();
    let gauge = |name: &'static str, value: u64| {
        metrics::gauge!(name).set(i32::try_from(value).map_or(f64::from(i32::MAX), f64::from));
    };
    gauge("thuho_writer_queue", u64::try_from(status.queued).unwrap_or(u64::MAX));
    gauge("thuho_writer_last_batch", status.last_batch);
    gauge("thuho_writer_full", u64::from(status.full));
    gauge("thuho_writer_broken", u64::from(status.broken));
    gauge("thuho_ready", u64::from(internal.health.readiness().state != "unready"));
    metrics::counter!("thuho_writer_batches_total").absolute(status.batches);
    metrics::counter!("thuho_writer_answered_total").absolute(status.answered);
    metrics::counter!("thuho_writer_late_total").absolute(status.late);
    metrics::counter!("thuho_writer_unknown_total").absolute(status.unknown);
    metrics::counter!("thuho_writer_faults_total").absolute(status.faults);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body((internal.metrics)())
}

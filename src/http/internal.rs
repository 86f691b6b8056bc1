//! The internal listener's route table, and what its handlers share.

use super::health::Health;
use super::problem::Problem;
use super::tokens::Token;
use super::{
    certificates, closes, desk, import, minutes, operations, probes, proposals, questions, settlements, statements,
};
use crate::domain::secret::Secret;
use crate::inquiry::readers::{NoAnswer, Open, Readers};
use crate::intake::Intake;
use crate::ledger::writer::Writer;
use crate::seen::Generations;
use crate::store::{Store, StoreError};
use actix_web::web;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the internal routes need.
#[derive(Clone)]
pub struct Internal {
    /// Who may call.
    pub tokens: Arc<[Token]>,
    /// The intake, with its profiles.
    pub intake: Arc<Intake>,
    /// The writer behind it.
    pub writer: Arc<Writer>,
    /// Reading connections.
    pub readers: Readers,
    /// The state for load balancers.
    pub health: Health,
    /// Moved by an import's postings.
    pub generations: Arc<Generations>,
    /// The longest import, in bytes.
    pub import_bytes: u64,
    /// Where an atomic import waits until all of it is checked.
    pub spool: PathBuf,
    /// Opens a reading connection for work that takes long.
    pub open_reports: Arc<Open>,
    /// The file of the days on which banks work.
    pub calendar: Option<PathBuf>,
    /// What seals and certificates are signed with.
    pub seal_key: Secret,
    /// Statements and comparisons: one at a time.
    pub long_work: Arc<Semaphore>,
    /// Long questions of finance: a few at once.
    pub desk_work: Arc<Semaphore>,
    /// The metrics page.
    pub metrics: fn() -> String,
}

/// The routes, as in openapi.yaml.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(probes::healthz))
        .route("/readyz", web::get().to(probes::readyz))
        .route("/metrics", web::get().to(probes::metrics))
        .route("/api/v1/invoices", web::put().to(import::invoices))
        .route("/api/v1/payments", web::get().to(questions::payments))
        .route("/api/v1/payments/{partner}/{event:.+}", web::get().to(questions::payment))
        .route("/api/v1/breaks", web::get().to(desk::breaks))
        .route("/api/v1/breaks/export", web::get().to(desk::export))
        .route("/api/v1/breaks/{no}", web::get().to(desk::one))
        .route("/api/v1/breaks/{no}/files", web::post().to(desk::attach))
        .route("/api/v1/breaks/{no}/files/{note}", web::get().to(desk::file))
        .route("/api/v1/breaks/{no}/{action}", web::post().to(desk::mark))
        .route("/api/v1/proposals", web::post().to(proposals::propose))
        .route("/api/v1/proposals", web::get().to(proposals::proposals))
        .route("/api/v1/proposals/{no}", web::get().to(proposals::proposal))
        .route("/api/v1/proposals/{no}/{verb}", web::post().to(proposals::decide))
        .route("/api/v1/rules/{name}", web::post().to(proposals::rule))
        .route("/api/v1/refunds/{partner}", web::get().to(proposals::refunds))
        .route("/api/v1/authorities", web::get().to(proposals::authorities))
        .route("/api/v1/authorities", web::post().to(proposals::grant))
        .route("/api/v1/outbox", web::get().to(questions::outbox))
        .route("/api/v1/outbox/{key}/{action}", web::post().to(operations::outbox))
        .route("/api/v1/partners/{partner}/{action}", web::post().to(operations::partner))
        .route("/api/v1/notices/redo", web::post().to(operations::redo))
        .route("/api/v1/retention", web::post().to(operations::retention))
        .route("/api/v1/statements", web::post().to(statements::take))
        .route("/api/v1/statements", web::get().to(statements::list))
        .route("/api/v1/reconciliations/{partner}/{date}", web::post().to(statements::compare))
        .route("/api/v1/reconciliations/{partner}/{date}", web::get().to(statements::last))
        .route("/api/v1/settlements/{partner}", web::get().to(settlements::list))
        .route("/api/v1/certificates/{partner}/{date}", web::get().to(certificates::certificate))
        .route("/api/v1/closes/{partner}/{period}", web::get().to(closes::show))
        .route("/api/v1/closes/{partner}/{period}/{verb}", web::post().to(closes::act))
        .route("/api/v1/minutes/{partner}", web::get().to(minutes::minutes))
        // An invoice id may hold slashes.
        .route("/api/v1/invoices/{id:.+}", web::get().to(questions::invoice))
        .default_service(web::to(|| async { Problem::not_found().response() }));
}

impl From<NoAnswer> for Problem {
    fn from(error: NoAnswer) -> Self {
        tracing::warn!(error = %error, "A question was not answered");
        Self::unavailable()
    }
}

/// Runs a short piece of work on the writer, between batches.
///
/// # Errors
/// 503 when the writer takes no more, or the storage failed.
pub async fn on_writer<T: Send + 'static>(
    writer: &Writer,
    work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Problem> {
    let answer = writer.run(work).map_err(|_busy| Problem::unavailable())?;
    answer.await.map_err(|_not_run| Problem::unavailable())?.map_err(|error| {
        tracing::error!(error = %error, "The storage refused");
        Problem::unavailable()
    })
}

//! `PUT /api/v1/invoices`: rows are cut out of the body while it streams, checked one by one, and written in slices
//! between notices. With `atomic=true` the body waits in a file until all of it is checked.

use super::body;
use super::internal::Internal;
use super::problem::Problem;
use super::spool::{Incoming, Spool, spool_failed};
use super::tokens::{self, Scope};
use super::views::{ImportReport, Reject};
use crate::intake::import::{ImportError, Importer};
use crate::intake::row_stream::{BadShape, Row, Shape, Splitter};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Rejects that are shown; the others are counted.
const REJECTS_MAX: usize = 100;

/// Bytes read from the waiting file at once.
const CHUNK_BYTES: usize = 65_536;

/// The query of `PUT /api/v1/invoices`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    #[serde(default)]
    atomic: bool,
}

/// `PUT /api/v1/invoices`
pub async fn invoices(
    request: HttpRequest,
    payload: web::Payload,
    query: Result<web::Query<ImportQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Invoices)?;
    let query =
        query.map_err(|_bad_query| Problem::bad_request().saying("expected atomic=true, atomic=false or nothing"))?;
    body::refuse_encoded(&request)?;
    let shape = shape_of(&request)?;
    let bytes = Incoming::new(payload, internal.import_bytes);
    let report =
        if query.atomic { atomic(&internal, shape, bytes).await? } else { streamed(&internal, shape, bytes).await? };
    tracing::info!(
        caller = caller.name,
        added = report.added,
        changed = report.changed,
        same = report.same,
        older = report.older,
        rejected = report.rejected,
        rematched = report.rematched,
        atomic = query.atomic,
        "Invoices were taken in"
    );
    if query.atomic && report.rejected > 0 {
        return Ok(HttpResponse::UnprocessableEntity().json(report));
    }
    Ok(HttpResponse::Ok().json(report))
}

fn shape_of(request: &HttpRequest) -> Result<Shape, Problem> {
    let text = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match text.split(';').next().map(str::trim) {
        Some("application/json") => Ok(Shape::Array),
        Some("application/x-ndjson") => Ok(Shape::Lines),
        _ => Err(Problem::unsupported_media()),
    }
}

/// Sorts rows into those to take and those to report.
#[derive(Default)]
struct Sorted {
    good: Vec<crate::domain::invoice::Invoice>,
    report: ImportReport,
}

impl Sorted {
    fn row(&mut self, row: Row) {
        match row {
            Ok((_, invoice)) => self.good.push(invoice),
            Err(reject) => {
                self.report.rejected = self.report.rejected.saturating_add(1);
                if self.report.rejects.len() < REJECTS_MAX {
                    let crate::intake::invoice_rows::Reject { line, field, expected } = reject;
                    self.report.rejects.push(Reject { line, field, expected });
                }
            }
        }
    }
}

fn importer(internal: &Internal) -> Importer {
    let clock = Arc::clone(internal.intake.clock());
    Importer::new(Arc::clone(&internal.writer), clock, Arc::clone(&internal.generations))
}

async fn streamed(internal: &Internal, shape: Shape, mut bytes: Incoming) -> Result<ImportReport, Problem> {
    let (mut splitter, mut sorted, mut importer) = (Splitter::new(shape), Sorted::default(), importer(internal));
    while let Some(chunk) = bytes.next().await? {
        splitter.push(&chunk, &mut |row| sorted.row(row)).map_err(bad_shape)?;
        for invoice in sorted.good.drain(..) {
            importer.push(invoice).await.map_err(stopped)?;
        }
    }
    splitter.finish(&mut |row| sorted.row(row)).map_err(bad_shape)?;
    for invoice in sorted.good.drain(..) {
        importer.push(invoice).await.map_err(stopped)?;
    }
    finished(importer, sorted.report).await
}

async fn finished(importer: Importer, mut report: ImportReport) -> Result<ImportReport, Problem> {
    let taken = importer.finish().await.map_err(stopped)?;
    report.added = taken.added;
    report.changed = taken.changed;
    report.same = taken.same;
    report.older = taken.older;
    report.rematched = taken.rematched;
    Ok(report)
}

fn bad_shape(error: BadShape) -> Problem {
    Problem::bad_request().saying(error.to_string())
}

fn stopped(error: ImportError) -> Problem {
    tracing::error!(error = %error, "An import stopped; what was taken stays, and it may be sent again");
    Problem::unavailable()
}

/// First all of it is received and checked; then it is read again and written.
async fn atomic(internal: &Internal, shape: Shape, mut bytes: Incoming) -> Result<ImportReport, Problem> {
    let spool = Spool::new(&internal.spool)?;
    let mut file = tokio::fs::File::create(spool.path()).await.map_err(spool_failed)?;
    let (mut splitter, mut sorted) = (Splitter::new(shape), Sorted::default());
    while let Some(chunk) = bytes.next().await? {
        splitter.push(&chunk, &mut |row| sorted.row(row)).map_err(bad_shape)?;
        sorted.good.clear();
        file.write_all(&chunk).await.map_err(spool_failed)?;
    }
    splitter.finish(&mut |row| sorted.row(row)).map_err(bad_shape)?;
    file.flush().await.map_err(spool_failed)?;
    if sorted.report.rejected > 0 {
        return Ok(sorted.report);
    }
    let mut file = tokio::fs::File::open(spool.path()).await.map_err(spool_failed)?;
    let (mut splitter, mut sorted, mut importer) = (Splitter::new(shape), Sorted::default(), importer(internal));
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut chunk).await.map_err(spool_failed)?;
        if count == 0 {
            break;
        }
        splitter.push(chunk.get(..count).unwrap_or_default(), &mut |row| sorted.row(row)).map_err(bad_shape)?;
        for invoice in sorted.good.drain(..) {
            importer.push(invoice).await.map_err(stopped)?;
        }
    }
    splitter.finish(&mut |row| sorted.row(row)).map_err(bad_shape)?;
    for invoice in sorted.good.drain(..) {
        importer.push(invoice).await.map_err(stopped)?;
    }
    finished(importer, sorted.report).await
}

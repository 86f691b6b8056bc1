//! Health, metrics, and a page of figures without script.

use super::internal::Internal;
use super::problem::Problem;
use crate::store::StoreError;
use crate::store::desk::BreakFilter;
use crate::store::reports::{OutboxDepth, ReceiptCount, Reports};
use actix_web::{HttpResponse, web};
use std::fmt::Write as _;

/// Open breaks that are counted on the page.
const BREAKS_MAX: u32 = 1_000;

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

/// The page's figures.
struct Figures {
    receipts: Vec<ReceiptCount>,
    outbox: OutboxDepth,
    breaks: usize,
    invoices: i64,
}

fn figures(reports: &mut dyn Reports) -> Result<Figures, StoreError> {
    Ok(Figures {
        receipts: reports.receipt_counts()?,
        outbox: reports.outbox_depth()?,
        breaks: reports.breaks(&BreakFilter::open(BREAKS_MAX))?.len(),
        invoices: reports.invoice_count()?,
    })
}

/// `GET /`
pub async fn overview(internal: web::Data<Internal>) -> Result<HttpResponse, Problem> {
    let figures = internal.readers.ask(figures).await?;
    let readiness = internal.health.readiness();
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "no-store"))
        .body(html(&figures, readiness.state)))
}

/// Every text in it is a checked code, a word of ours or a number: nothing of a stranger is shown.
fn html(figures: &Figures, state: &str) -> String {
    let mut rows = String::new();
    for line in &figures.receipts {
        let cells = (line.partner.as_str(), line.verdict.word(), line.count, line.dong);
        // Writing to a String cannot fail.
        writeln!(rows, "<tr><td>{}<td>{}<td class=n>{}<td class=n>{}", cells.0, cells.1, cells.2, cells.3).ok();
    }
    let Figures { outbox, breaks, invoices, .. } = figures;
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>thuho</title>\n\
         <style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem}}\
         table{{border-collapse:collapse;width:100%}}td,th{{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left}}\
         .n{{text-align:right;font-variant-numeric:tabular-nums}}</style>\n\
         <h1>thuho</h1><p>This instance is <strong>{state}</strong>.\n\
         <h2>What came in</h2><table><tr><th>Partner<th>Became<th class=n>Receipts<th class=n>Dong stated\n{rows}</table>\n\
         <h2>What waits</h2><table>\n\
         <tr><td>Messages for the billing core<td class=n>{}\n\
         <tr><td>Messages that wait for a person<td class=n>{}\n\
         <tr><td>Open breaks<td class=n>{breaks}\n\
         <tr><td>Invoices known<td class=n>{invoices}\n</table>\n",
        outbox.waiting, outbox.parked
    )
}

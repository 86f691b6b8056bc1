//! What our own side may ask: invoices, payments, messages. Read-only, on reading connections.

use super::internal::Internal;
use super::problem::Problem;
use super::tokens::{self, Scope};
use super::views;
use crate::domain::ids::{InvoiceId, PartnerCode};
use crate::domain::money::Money;
use crate::domain::posting::Account;
use crate::matching;
use crate::store::StoreError;
use crate::store::reports::{DispatchFilter, Reports};
use crate::store::rows::{EventRecord, EventState};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

/// Payments in one answer.
const PAYMENTS_MAX: u32 = 100;

/// Rows in one answer, at most and when nothing is asked for.
const ROWS_MAX: u32 = 500;
const ROWS_USUAL: u32 = 100;

/// A page's length.
fn limit_of(limit: Option<u32>) -> Result<u32, Problem> {
    match limit {
        None => Ok(ROWS_USUAL),
        Some(limit) if (1..=ROWS_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::bad_request().saying(format!("limit: expected 1 to {ROWS_MAX}"))),
    }
}

fn wholes(reports: &mut dyn Reports, records: Vec<EventRecord>) -> Result<Vec<views::Payment>, StoreError> {
    records.into_iter().map(|record| views::Payment::whole(reports, record)).collect()
}

/// `GET /api/v1/invoices/{id}`
pub async fn invoice(
    request: HttpRequest,
    id: web::Path<String>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let id = InvoiceId::parse(id.into_inner()).map_err(|_no_such_id| Problem::not_found())?;
    let view = internal.readers.ask(move |reports| whole_invoice(reports, &id)).await?;
    view.map(|view| HttpResponse::Ok().json(view)).ok_or_else(Problem::not_found)
}

fn whole_invoice(reports: &mut dyn Reports, id: &InvoiceId) -> Result<Option<views::Invoice>, StoreError> {
    let Some(account) = reports.invoice(id)? else { return Ok(None) };
    let records = reports.payments_of_invoice(id, PAYMENTS_MAX)?;
    let parked =
        records.iter().filter(|r| matches!(r.state, EventState::Parked(_)) && r.names_invoice.as_ref() == Some(id));
    // People may have moved a part of it.
    let waits: Vec<Money> = parked.map(|record| in_suspense(reports, record)).collect::<Result<_, _>>()?;
    let parked = Money::sum(waits).map_err(|e| StoreError::Fault(format!("invoice {id}: parked money: {e}")))?;
    let filter = DispatchFilter { invoice: Some(id.clone()), limit: ROWS_MAX, ..DispatchFilter::default() };
    let pending = |state: &str| matches!(state, "waiting" | "leased" | "parked");
    let on_its_way = reports.dispatches(&filter)?.iter().filter(|d| pending(&d.state)).count();
    let open = account.open().dong();
    Ok(Some(views::Invoice {
        invoice_id: account.invoice.id.to_string(),
        customer_code: account.invoice.customer.to_string(),
        unit: account.invoice.unit.to_string(),
        status: account.invoice.status.word(),
        total: account.invoice.total.dong(),
        settled: account.settled.dong(),
        paid_elsewhere: account.invoice.paid_elsewhere.dong(),
        open,
        parked: parked.dong(),
        on_its_way,
        payments: wholes(reports, records)?,
    }))
}

/// What of a payment sits on no invoice.
///
/// # Errors
/// The machine's.
pub(crate) fn in_suspense(reports: &mut dyn Reports, record: &EventRecord) -> Result<Money, StoreError> {
    let suspense = Account::Suspense(record.partner.clone());
    let entries = reports.postings(&record.key)?.into_iter().flat_map(|posting| posting.entries);
    let waits = entries.filter(|(account, _)| *account == suspense).map(|(_, amount)| amount.negated());
    Money::sum(waits).map_err(|e| StoreError::Fault(format!("payment {}: money in suspense: {e}", record.key)))
}

/// `GET /api/v1/payments/{partner}/{event}`
pub async fn payment(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let (partner, event) = path.into_inner();
    let partner = PartnerCode::parse(partner).map_err(|_no_such_partner| Problem::not_found())?;
    let found = internal.readers.ask(move |reports| {
        let records = reports.events_named(&partner, &event, 1)?;
        wholes(reports, records)
    });
    match found.await?.pop() {
        Some(view) => Ok(HttpResponse::Ok().json(view)),
        None => Err(Problem::not_found()),
    }
}

/// The query of `GET /api/v1/payments`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentsQuery {
    invoice: Option<String>,
    reference: Option<String>,
}

/// `GET /api/v1/payments?invoice=|reference=`
pub async fn payments(
    request: HttpRequest,
    query: Result<web::Query<PaymentsQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let expected = || Problem::bad_request().saying("expected invoice= or reference=, one of them");
    let query = query.map_err(|_bad_query| expected())?.into_inner();
    let views = match (query.invoice, query.reference) {
        (Some(invoice), None) => {
            let id = InvoiceId::parse(invoice).map_err(|e| Problem::bad_request().saying(e.to_string()))?;
            let found = internal.readers.ask(move |reports| {
                let records = reports.payments_of_invoice(&id, PAYMENTS_MAX)?;
                wholes(reports, records)
            });
            found.await?
        }
        (None, Some(reference)) => {
            let found = internal.readers.ask(move |reports| {
                let meant = matching::meanings(&reference);
                let records = reports.payments_by_reference(&reference, &meant, PAYMENTS_MAX)?;
                wholes(reports, records)
            });
            found.await?
        }
        (Some(_), Some(_)) | (None, None) => return Err(expected()),
    };
    Ok(HttpResponse::Ok().json(views))
}

/// The query of `GET /api/v1/outbox`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxQuery {
    state: Option<String>,
    limit: Option<u32>,
}

/// The states that may be asked for.
const STATES: [&str; 5] = ["waiting", "leased", "delivered", "parked", "closed"];

/// `GET /api/v1/outbox`
pub async fn outbox(
    request: HttpRequest,
    query: Result<web::Query<OutboxQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let query = query.map_err(|_bad_query| Problem::bad_request().saying("expected state=, limit=, or nothing"))?;
    if query.state.as_ref().is_some_and(|state| !STATES.contains(&state.as_str())) {
        return Err(Problem::bad_request().saying(format!("state: expected one of {}", STATES.join(", "))));
    }
    let limit = limit_of(query.limit)?;
    let filter = DispatchFilter { state: query.state.clone(), limit, ..DispatchFilter::default() };
    let found = internal.readers.ask(move |reports| reports.dispatches(&filter)).await?;
    Ok(HttpResponse::Ok().json(found.into_iter().map(views::Dispatch::from).collect::<Vec<_>>()))
}

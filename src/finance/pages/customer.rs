//! The question before a power cut: a customer's bills, payments, and where each of them stands. This file finds whom or
//! what somebody asks for.

pub(in crate::finance::pages) mod asked;
mod bills;
mod day;
mod payment;
mod row;
pub(in crate::finance::pages) mod stand;

use super::customer::asked::Found;
use crate::domain::ids::{CustomerCode, PartnerCode};
use crate::domain::user::Right;
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use row::PaymentRow;
use serde::Deserialize;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/customers", web::get().to(search))
        .route("/customers/{code}", web::get().to(customer))
        .route("/payments", web::get().to(day::list))
        .route("/payments/{key}", web::get().to(payment::show));
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SearchQuery {
    q: String,
}

#[derive(Template)]
#[template(path = "customers.html", config = "src/finance/askama.toml")]
struct SearchPage {
    shell: Shell,
    w: Words,
    q: String,
    /// Why there is nobody.
    nobody: Option<&'static str>,
    /// Where amounts are looked for.
    amount: Option<i64>,
    payments: Vec<PaymentRow>,
}

async fn search(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: SearchQuery = form::query(&request, w)?;
    let q = asked.q.trim().to_owned();
    let mut shown =
        SearchPage { shell: Shell::new(&who, Part::Customer), w, q, nobody: None, amount: None, payments: Vec::new() };
    if shown.q.is_empty() {
        return page(&shown, w);
    }
    let (text, now, sees) = (shown.q.clone(), internal.intake.clock().now(), who.may(Right::SeePayers));
    let partners: Vec<PartnerCode> = internal.intake.partners().iter().map(|profile| profile.code().clone()).collect();
    let found = beside(&internal, move |reports| {
        let found = asked::look(reports, &text, &partners)?;
        let rows = match &found {
            Found::Payments(records) => row::all(reports, records.clone(), (sees, now, w))?,
            Found::Customer(_) | Found::Payment(_) | Found::Amount(_) | Found::Nothing => Vec::new(),
        };
        Ok((found, rows))
    });
    let found = found.await.and_then(|found| found.map_err(|error: crate::store::StoreError| stopped(&error)));
    let (found, rows) = found.map_err(|problem| Stop::of(problem, w))?;
    match found {
        Found::Customer(code) if sees => return Ok(to(&format!("/customers/{code}"))),
        // An address would say the code to somebody who may not see it.
        Found::Customer(code) => return bills::show(&who, &internal, code).await,
        Found::Payment(key) => return Ok(to(&format!("/payments/{key}"))),
        Found::Payments(_) => {
            if sees {
                who.note(&internal, "look-payments", &shown.q).await?;
            }
            shown.payments = rows;
        }
        Found::Amount(dong) => (shown.nobody, shown.amount) = (Some(w.cu_amount()), Some(dong)),
        Found::Nothing => shown.nobody = Some(w.cu_nobody()),
    }
    page(&shown, w)
}

async fn customer(path: web::Path<String>, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let code = CustomerCode::parse(path.into_inner()).map_err(|_no_such_code| Stop::not_there(who.words()))?;
    bills::show(&who, &internal, code).await
}

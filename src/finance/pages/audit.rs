//! Who looked at what and who did what; whether the books prove.

mod logged;

use crate::domain::close::Period;
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::told::named;
use crate::finance::words::Words;
use crate::finance::{form, show};
use crate::http::certificates::certified;
use crate::http::internal::Internal;
use crate::ledger::certificate::CertifiedDay;
use crate::ledger::writer::moment;
use crate::store::StoreError;
use crate::store::closes::CloseView;
use crate::store::reports::Reports;
use crate::store::users::DeskLog;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use jiff::civil::Date;
use logged::{done_word, subject};
use serde::Deserialize;

/// Lines in a page.
const ROWS: usize = 100;

/// Lines read at once, and pages of them that one question looks through for somebody's lines.
const PAGE: u32 = 500;
const PAGES_MAX: u32 = 20;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/audit", web::get().to(list)).route("/audit/certificate", web::get().to(certificate));
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuditQuery {
    name: String,
    before: Option<i64>,
}

/// A line of the log.
#[derive(Debug)]
struct LogRow {
    no: i64,
    at: String,
    name: String,
    what: String,
    /// As the log keeps it.
    code: String,
    subject: String,
}

/// A partner's last sealed day.
#[derive(Debug)]
struct SealedRow {
    partner: String,
    period: String,
    signed: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "audit.html", config = "src/finance/askama.toml")]
struct AuditPage {
    shell: Shell,
    w: Words,
    name: String,
    lines: Vec<LogRow>,
    first: bool,
    next: Option<String>,
    sealed_at: String,
    sealed: Vec<SealedRow>,
    partners: Vec<String>,
    yesterday: String,
}

/// Lines with their numbers, and the number below which the next page goes on.
type Lines = (Vec<(i64, DeskLog)>, Option<i64>);

/// The lines of one person, or of all, below a number.
fn lines(reports: &mut dyn Reports, name: Option<&Author>, mut before: Option<i64>) -> Result<Lines, StoreError> {
    let mut found = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = reports.desk_log(before, PAGE)?;
        for (no, line) in page.iter().filter(|(_, line)| name.is_none_or(|name| line.name == *name)) {
            if found.len() == ROWS {
                return Ok((found, before));
            }
            found.push((*no, line.clone()));
            before = Some(*no);
        }
        match page.last() {
            Some((no, _)) if page.len() >= usize::try_from(PAGE).unwrap_or(usize::MAX) => before = Some(*no),
            Some(_) | None => return Ok((found, None)),
        }
    }
    Ok((found, before))
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Oversee)?;
    let w = who.words();
    let asked: AuditQuery = form::query(&request, w)?;
    let name = asked.name.trim().to_owned();
    let of = if name.is_empty() { None } else { Some(Author::parse(name.clone()).map_err(|_bad| Stop::not_there(w))?) };
    let partners: Vec<PartnerCode> = internal.intake.partners().iter().map(|profile| profile.code().clone()).collect();
    let (codes, at, before) = (partners.clone(), moment(internal.intake.clock().as_ref()), asked.before);
    let found = internal.readers.ask(move |reports| {
        let found = lines(reports, of.as_ref(), before)?;
        let seal = reports.seal_before(at.now.plus_ms(1))?;
        let mut sealed = Vec::new();
        for code in &codes {
            sealed.extend(reports.last_sealed(code)?);
        }
        Ok((found, seal, sealed))
    });
    let ((found, next), seal, sealed) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let sees = who.may(Right::SeePayers);
    let place =
        |before: i64| format!("/audit?{}", form_urlencoded(&[("name", &name), ("before", &before.to_string())]));
    page(
        &AuditPage {
            shell: Shell::new(&who, Part::Audit),
            w,
            next: next.map(place),
            first: asked.before.is_none(),
            lines: found.iter().map(|(no, line)| log_row(*no, line, sees, w)).collect(),
            sealed_at: seal.map_or_else(|| show::NONE.to_owned(), |seal| show::second(seal.at)),
            sealed: sealed.iter().map(|close| sealed_row(close, w)).collect(),
            partners: partners.iter().map(PartnerCode::to_string).collect(),
            yesterday: at.today.yesterday().unwrap_or(at.today).to_string(),
            name,
        },
        w,
    )
}

fn log_row(no: i64, line: &DeskLog, sees: bool, w: Words) -> LogRow {
    LogRow {
        no,
        at: show::second(line.at),
        name: named(line.name.as_str(), w),
        what: done_word(&line.what, w),
        code: line.what.clone(),
        subject: subject(line, sees, w),
    }
}

fn sealed_row(close: &CloseView, w: Words) -> SealedRow {
    let signed = close.signed.as_ref();
    let hand = |(by, at): &(Author, Timestamp)| format!("{}, {}", named(by.as_str(), w), show::moment(*at));
    SealedRow {
        partner: close.partner.to_string(),
        period: match close.period {
            Period::Day(day) => show::day(day),
            Period::Month(first) => first.strftime("%m/%Y").to_string(),
        },
        signed: signed.map_or_else(|| show::NONE.to_owned(), hand),
        hash: hex::encode(close.hash),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CertificateQuery {
    partner: String,
    day: String,
}

/// `GET /audit/certificate?partner=&day=`: the signed certificate of a partner's day, as a file.
async fn certificate(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Oversee)?;
    let w = who.words();
    let asked: CertificateQuery = form::query(&request, w)?;
    let partner = PartnerCode::parse(asked.partner).map_err(|_no_such_partner| Stop::not_there(w))?;
    let day: Date = asked.day.parse().map_err(|_not_a_day| Stop::not_there(w))?;
    let name = format!("attachment; filename=\"{partner}-{day}.certificate.json\"");
    let subject = format!("{partner} {day}");
    let of = CertifiedDay::of(partner, day).ok_or_else(|| Stop::not_there(w))?;
    let certificate = certified(&internal, of).await.map_err(|problem| match problem.status_code() {
        StatusCode::CONFLICT => Stop::conflict(w.au_not_certified(), w),
        _ => Stop::of(problem, w),
    })?;
    who.note(&internal, "certificate", &subject).await?;
    let mut response = HttpResponse::Ok();
    response.insert_header(("content-disposition", name)).insert_header(("cache-control", "no-store"));
    Ok(response.insert_header(("x-content-type-options", "nosniff")).json(certificate))
}

//! Minutes of a period, for paper: chosen here, and shown as the page of its own that is printed and signed.

use crate::domain::user::Right;
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::words::Words;
use crate::http::internal::Internal;
use crate::http::minutes;
use crate::http::problem::Problem;
use crate::ledger::writer::moment;
use crate::reconcile::minutes::MinutesError;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/minutes", web::get().to(choose)).route("/minutes/{partner}", web::get().to(paper));
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    partner: String,
    from: String,
    to: String,
    download: bool,
}

#[derive(Template)]
#[template(path = "minutes.html", config = "src/finance/askama.toml")]
struct ChoosePage {
    shell: Shell,
    w: Words,
    partners: Vec<(String, bool)>,
    from: String,
    to: String,
    chosen: Option<String>,
    may: bool,
}

async fn choose(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    // The month before: it is over.
    let today = moment(internal.intake.clock().as_ref()).today;
    let last = today.first_of_month().yesterday().unwrap_or(today);
    let or = |text: &str, usual: Date| if text.is_empty() { usual.to_string() } else { text.to_owned() };
    let (from, to) = (or(&asked.from, last.first_of_month()), or(&asked.to, last));
    let chosen = internal.intake.profile(&asked.partner).map(|profile| {
        let query = form_urlencoded(&[("from", &from), ("to", &to)]);
        format!("/minutes/{}?{query}", profile.code())
    });
    let one = |code: &str| (code.to_owned(), code == asked.partner);
    let body = ChoosePage {
        shell: Shell::new(&who, Part::Minutes),
        w,
        partners: internal.intake.partners().iter().map(|profile| one(profile.code().as_str())).collect(),
        from,
        to,
        chosen,
        may: who.may(Right::SeePayers),
    };
    page(&body, w)
}

/// Why there are no minutes, in a sentence.
fn not_made(error: &MinutesError, w: Words) -> Stop {
    match error {
        MinutesError::Period => Stop::bad(w.minutes_bad_period(), w),
        MinutesError::Untied(_) | MinutesError::Page(_) => {
            // It is logged as an alarm there.
            minutes::not_made(error);
            Stop::conflict(w.minutes_untied(), w)
        }
        MinutesError::Store(_) => Stop::of(Problem::unavailable(), w),
    }
}

/// `GET /minutes/{partner}`: names bills and payments one by one.
async fn paper(
    request: HttpRequest,
    path: web::Path<String>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::SeePayers)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let profile = internal.intake.profile(&path).ok_or_else(|| Stop::not_there(w))?;
    let day = |text: &str| text.parse::<Date>().map_err(|_not_a_day| Stop::bad(w.minutes_bad_period(), w));
    let (from, to) = (day(&asked.from)?, day(&asked.to)?);
    let code = profile.code().clone();
    who.note(&internal, "look-minutes", &format!("{code} {from} {to}")).await?;
    let made = minutes::made(&internal, profile, (from, to), who.author().to_string()).await;
    let made = made.map_err(|problem| match problem.detail() {
        Some(_) => Stop::conflict(w.minutes_busy(), w),
        None => Stop::of(problem, w),
    })?;
    let mut answer = minutes::paper(made.map_err(|error| not_made(&error, w))?);
    if asked.download {
        let name = format!("attachment; filename=\"bien-ban-doi-soat-{code}-{from}-{to}.html\"");
        let name = header::HeaderValue::from_str(&name).map_err(|_not_a_header| Stop::of(Problem::internal(), w))?;
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

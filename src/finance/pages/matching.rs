//! The matching desk: transfers without a sure invoice, suggestions with reasons, and allocation.

mod gather;
mod sheet;
mod view;

use self::gather::Found;
use self::view::{DeskPage, ListPage, Row};
use crate::domain::ids::Author;
use crate::domain::resolution::Resolution;
use crate::domain::review::BreakClass;
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::proposing;
use crate::finance::session::Who;
use crate::finance::shell::{page, to};
use crate::finance::stop::Stop;
use crate::http::internal::Internal;
use crate::ledger::writer::moment;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/desk", web::get().to(list))
        .route(r"/desk/{no:\d{1,18}}", web::get().to(show))
        .route(r"/desk/{no:\d{1,18}}", web::post().to(propose));
}

/// The query of the desk.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    class: String,
    before: Option<i64>,
    /// Debts that are looked for.
    q: String,
    /// What the form is filled with: `oldest`, or the number of a suggestion from 1.
    fill: String,
    done: String,
    of: String,
}

impl Query {
    fn classes(&self) -> Vec<BreakClass> {
        let one = BreakClass::parse(&self.class).filter(|class| BreakClass::WAITING.contains(class));
        one.map_or_else(|| BreakClass::WAITING.to_vec(), |class| vec![class])
    }
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let query: Query = form::query(&request, w)?;
    let today = moment(internal.intake.clock().as_ref()).today;
    let (classes, before) = (query.classes(), query.before);
    let found = internal.readers.ask(move |reports| gather::parked(reports, &classes, before)).await;
    let found = found.map_err(|error| Stop::of(error.into(), w))?;
    let rows: Vec<Row> =
        found.iter().map(|about| Row::new(about, (0, today), (who.may(Right::SeePayers), w))).collect();
    page(&ListPage::new(&who, &query, rows), w)
}

async fn show(
    request: HttpRequest,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let query: Query = form::query(&request, who.words())?;
    let found = found(&internal, &who, (path.into_inner(), &query, Vec::new())).await?;
    let sheet = sheet::filled(&found, &query.fill);
    shown(&internal, &who, (&found, &query), (sheet, None))
}

/// Reads all that the page shows, and notes who looks.
async fn found(internal: &Internal, who: &Who, (no, query, typed): (i64, &Query, Vec<String>)) -> Result<Found, Stop> {
    let w = who.words();
    if who.may(Right::SeePayers) {
        who.note(internal, "look-break", &no.to_string()).await?;
    }
    let (classes, search) = (query.classes(), query.q.clone());
    let found = internal.readers.ask(move |reports| gather::found(reports, no, (&classes, &search, &typed))).await;
    found.map_err(|error| Stop::of(error.into(), w))?.ok_or_else(|| Stop::not_there(w))
}

fn shown(
    internal: &Internal,
    who: &Who,
    (found, query): (&Found, &Query),
    (sheet, wrong): (sheet::Sheet, Option<(StatusCode, String)>),
) -> Result<HttpResponse, Stop> {
    let today = moment(internal.intake.clock().as_ref()).today;
    let status = wrong.as_ref().map(|(status, _)| *status);
    let template = DeskPage::new(who, (found, query, today), (sheet, wrong.map(|(_, says)| says)));
    let mut response = page(&template, who.words())?;
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    Ok(response)
}

/// `POST /desk/{no}`: proposes, or only works out what is left.
async fn propose(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let (no, w) = (path.into_inner(), who.words());
    let query: Query = form::query(&request, w)?;
    let form = form::read(&request, payload, &who).await?;
    let typed = form.all("invoice").take(1_000).map(str::to_owned).collect();
    let found = found(&internal, &who, (no, &query, typed)).await?;
    let sheet = sheet::Sheet::typed(&form);
    if form.get("do") == Some("rest") {
        return shown(&internal, &who, (&found, &query), (sheet, None));
    }
    let wishes = match sheet::wishes(&found, &form, w) {
        Ok(wishes) => wishes,
        Err(says) => {
            let wrong = (StatusCode::UNPROCESSABLE_ENTITY, says.to_owned());
            return shown(&internal, &who, (&found, &query), (sheet, Some(wrong)));
        }
    };
    match proposed(&internal, &who, (wishes, &form)).await? {
        Ok(()) => Ok(to(&onward(&found, &query, who.author()))),
        Err(no) => shown(&internal, &who, (&found, &query), (sheet, Some((no.status, no.says)))),
    }
}

async fn proposed(
    internal: &Internal,
    who: &Who,
    (wishes, form): (Vec<(i64, Resolution)>, &Form),
) -> Result<Result<(), proposing::No>, Stop> {
    let reason = form.text("reason").unwrap_or_default();
    let new = match proposing::draft(internal, who, (wishes, reason)).await? {
        Ok(new) => new,
        Err(no) => return Ok(Err(no)),
    };
    Ok(proposing::propose(internal, who, new).await?.map(drop))
}

/// The next parked payment of the list that nobody else is at, or the list.
fn onward(found: &Found, query: &Query, me: &Author) -> String {
    let no = found.about.no;
    let free = |about: &&crate::store::desk::BreakView| {
        about.no < no && about.proposal.is_none() && about.assignee.as_ref().is_none_or(|of| of == me)
    };
    let place = found.list.iter().find(free).map_or_else(|| "/desk".to_owned(), |next| format!("/desk/{}", next.no));
    let no = no.to_string();
    let class = (!query.class.is_empty()).then_some(("class", query.class.as_str()));
    let pairs: Vec<(&str, &str)> = class.into_iter().chain([("done", "proposed"), ("of", &no)]).collect();
    format!("{place}?{}", crate::finance::stop::form_urlencoded(&pairs))
}

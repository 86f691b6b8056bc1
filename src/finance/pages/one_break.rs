//! One break: both sides beside the core and the bank, why, the bytes that came, its history, and what may be done.

mod acts;
mod attach;
mod gather;
mod lead;
mod listed;
mod sides;
mod view;
mod would;

use self::gather::Whole;
use self::listed::Asked;
use self::view::{OneBreakPage, Trouble};
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::page;
use crate::finance::stop::Stop;
use crate::http::desk::partners;
use crate::http::internal::Internal;
use crate::ledger::writer::moment;
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route(r"/breaks/{no:\d{1,18}}", web::get().to(show))
        .route(r"/breaks/{no:\d{1,18}}/propose", web::post().to(acts::propose))
        .route(r"/breaks/{no:\d{1,18}}/mark", web::post().to(acts::mark))
        .route(r"/breaks/{no:\d{1,18}}/files", web::post().to(attach::keep))
        .route(r"/breaks/{no:\d{1,18}}/files/{note:\d{1,18}}", web::get().to(attach::file));
}

async fn show(
    request: HttpRequest,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let asked = Asked::of(&request);
    shown(&internal, &who, (path.into_inner(), &asked), Trouble::default()).await
}

/// The page, with what could not be done, if anything.
async fn shown(
    internal: &Internal,
    who: &Who,
    (no, asked): (i64, &Asked),
    trouble: Trouble,
) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let today = moment(internal.intake.clock().as_ref()).today;
    if who.may(Right::SeePayers) {
        who.note(internal, "look-break", &no.to_string()).await?;
    }
    let (list, intake) = (asked.list(today, partners(internal)), Arc::clone(&internal.intake));
    let found = internal.readers.ask(move |reports| {
        let profile = |code: &str| intake.profile(code);
        gather::whole(reports, no, &list, &profile)
    });
    let whole: Option<Whole> = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let whole = whole.ok_or_else(|| Stop::not_there(w))?;
    let status = trouble.status;
    let mut response = page(&OneBreakPage::new(who, &whole, (asked, today), trouble), w)?;
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    Ok(response)
}

//! What is done from the page of a break: proposed for another person, or said of it.

use super::listed::{Asked, around};
use super::shown;
use super::view::{Trouble, onward, stay};
use crate::domain::ids::Author;
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::proposing;
use crate::finance::session::Who;
use crate::finance::shell::to;
use crate::finance::stop::Stop;
use crate::finance::wish;
use crate::http::desk::{marked, partners};
use crate::http::internal::Internal;
use crate::ledger::writer::moment;
use crate::reconcile::desk;
use crate::store::desk::{BreakView, Mark};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// The list before anything is done: what is dealt with may be none of it afterwards.
async fn list(internal: &Internal, who: &Who, (no, asked): (i64, &Asked)) -> Result<Vec<BreakView>, Stop> {
    let list = asked.list(moment(internal.intake.clock().as_ref()).today, partners(internal));
    let found = internal.readers.ask(move |reports| around(reports, &list, no)).await;
    found.map_err(|error| Stop::of(error.into(), who.words()))
}

fn trouble(status: StatusCode, says: impl Into<String>, typed: Form) -> Trouble {
    Trouble { status: Some(status), says: Some(says.into()), typed }
}

/// `POST /breaks/{no}/propose`
pub(super) async fn propose(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let (no, asked) = (path.into_inner(), Asked::of(&request));
    let form = form::read(&request, payload, &who).await?;
    let what = match wish::read(&form, who.words()) {
        Ok(what) => what,
        Err(says) => {
            let trouble = trouble(StatusCode::UNPROCESSABLE_ENTITY, says, form);
            return shown(&internal, &who, (no, &asked), trouble).await;
        }
    };
    let list = list(&internal, &who, (no, &asked)).await?;
    let reason = form.text("reason").unwrap_or_default().to_owned();
    let drafted = proposing::draft(&internal, &who, (vec![(no, what)], &reason)).await?;
    let proposed = match drafted {
        Ok(new) => proposing::propose(&internal, &who, new).await?,
        Err(refused) => Err(refused),
    };
    match proposed {
        Ok(_no) => Ok(to(&onward(&list, (no, &asked), "proposed"))),
        Err(refused) => {
            let trouble = trouble(refused.status, refused.says, form);
            shown(&internal, &who, (no, &asked), trouble).await
        }
    }
}

/// `POST /breaks/{no}/mark`: comment, assign, accept.
pub(super) async fn mark(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let (no, asked, w) = (path.into_inner(), Asked::of(&request), who.words());
    let form = form::read(&request, payload, &who).await?;
    let text = || form.get("text").and_then(desk::text);
    let mark = match form.get("what") {
        Some("comment") => text().map(Mark::Comment).ok_or(w.ob_say_something()),
        Some("accept") => text().map(Mark::Accept).ok_or(w.ob_say_something()),
        Some("assign") => match form.text("to") {
            None => Ok(Mark::Assign(None)),
            Some(to) => Author::parse(to).map(|to| Mark::Assign(Some(to))).map_err(|_bad_name| w.ob_no_such_person()),
        },
        _ => return Err(Stop::not_there(w)),
    };
    let mark = match mark {
        Ok(mark) => mark,
        Err(says) => {
            let trouble = trouble(StatusCode::UNPROCESSABLE_ENTITY, says, form);
            return shown(&internal, &who, (no, &asked), trouble).await;
        }
    };
    let accepted = matches!(mark, Mark::Accept(_));
    let list = if accepted { list(&internal, &who, (no, &asked)).await? } else { Vec::new() };
    let word = form.get("what").unwrap_or_default().to_owned();
    let kept = marked(&internal, who.author().clone(), no, mark).await;
    proposing::kept(kept.map_err(|problem| Stop::of(problem, w))?, w)?;
    let place = if accepted { onward(&list, (no, &asked), &word) } else { stay((no, &asked), &word) };
    Ok(to(&place))
}

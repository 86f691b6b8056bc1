//! Many breaks in one proposal: first the frozen list with its total, then exactly that list is proposed, with one reason.

use super::ROWS;
use super::listed::{self, Line};
use crate::domain::resolution::{Action, Resolution};
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::pages::breaks::chosen;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::finance::{proposing, show, wish};
use crate::http::internal::Internal;
use crate::store::desk::NewProposal;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use std::collections::BTreeSet;

#[derive(Template)]
#[template(path = "preview.html", config = "src/finance/askama.toml")]
struct PreviewPage {
    shell: Shell,
    w: Words,
    wrong: Option<String>,
    breaks: Vec<i64>,
    count: String,
    actions: Vec<(&'static str, &'static str, bool)>,
    because: Vec<(&'static str, &'static str, bool)>,
    dong: String,
    reason: String,
    /// The list's sum and its hash, once it is whole.
    list: Option<(String, String)>,
    lines: Vec<Line>,
    more: Option<String>,
}

/// The breaks that a form names, each once, in their order.
fn breaks(form: &Form) -> Vec<i64> {
    let each: BTreeSet<i64> = form.all("break").filter_map(|no| no.parse().ok()).collect();
    each.into_iter().collect()
}

/// What is to be done with each of them.
fn wish(form: &Form, w: Words) -> Result<Resolution, &'static str> {
    let bulk = form.get("action").and_then(Action::parse).is_some_and(|action| wish::BULK.contains(&action));
    if bulk { wish::read(form, w) } else { Err(w.choose_action()) }
}

type Drafted = Result<NewProposal, (StatusCode, String)>;

async fn draft(internal: &Internal, who: &Who, (form, breaks): (&Form, &[i64])) -> Result<Drafted, Stop> {
    let what = match wish(form, who.words()) {
        Ok(what) => what,
        Err(says) => return Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, says.to_owned()))),
    };
    let wishes = breaks.iter().map(|no| (*no, what.clone())).collect();
    // The reason is asked for at the end: the list can be seen before it.
    let reason = form.text("reason").unwrap_or(show::NONE);
    let drafted = proposing::draft(internal, who, (wishes, reason)).await?;
    Ok(drafted.map_err(|no| (no.status, no.says)))
}

/// `POST /proposals/preview`
pub(super) async fn preview(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let form = form::read(&request, payload, &who).await?;
    // All of a filter is asked for here once: what is proposed is what this page lists.
    let breaks = chosen(&form, &internal, &who).await?;
    // Chosen in the list and nothing said yet: it is asked for, and nothing is wrong.
    let unsaid = form.text("action").is_none() && !breaks.is_empty();
    let drafted = draft(&internal, &who, (&form, &breaks)).await?;
    match drafted {
        Ok(new) => shown(&internal, &who, (&form, breaks), (Some(new), None)).await,
        Err(_) if unsaid => shown(&internal, &who, (&form, breaks), (None, None)).await,
        Err(no) => shown(&internal, &who, (&form, breaks), (None, Some(no))).await,
    }
}

/// `POST /proposals`
pub(super) async fn propose(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let mut breaks = breaks(&form);
    let new = match draft(&internal, &who, (&form, &breaks)).await? {
        Ok(new) => new,
        Err(no) => return shown(&internal, &who, (&form, breaks), (None, Some(no))).await,
    };
    let wrong = if form.get("sha256") != Some(hex::encode(new.hash).as_str()) {
        (StatusCode::CONFLICT, w.bulk_other_list().to_owned())
    } else if form.text("reason").is_none() {
        (StatusCode::UNPROCESSABLE_ENTITY, w.prop_reason().to_owned())
    } else {
        match proposing::propose(&internal, &who, new.clone()).await? {
            Ok(no) => return Ok(to(&format!("/approvals/{}?done=proposed", no.0))),
            Err(no) if no.not_free.is_empty() => (no.status, no.says),
            Err(no) => {
                breaks.retain(|of| !no.not_free.contains(of));
                (no.status, format!("{} {}", no.says, w.bulk_left_out()))
            }
        }
    };
    // Shown again as it would be now.
    let again = draft(&internal, &who, (&form, &breaks)).await?.ok();
    shown(&internal, &who, (&form, breaks), (again, Some(wrong))).await
}

async fn shown(
    internal: &Internal,
    who: &Who,
    (form, breaks): (&Form, Vec<i64>),
    (new, wrong): (Option<NewProposal>, Option<(StatusCode, String)>),
) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let first: Vec<_> = new.iter().flat_map(|new| new.items.iter().take(ROWS).cloned()).collect();
    let see = who.may(Right::SeePayers);
    let lines = internal.readers.ask(move |reports| listed::drafted(reports, &first, (see, w))).await;
    let lines = lines.map_err(|error| Stop::of(error.into(), w))?;
    let left = breaks.len().saturating_sub(lines.len());
    let number = |of: usize| show::count(i64::try_from(of).unwrap_or(i64::MAX), w.0);
    let chosen = |field: &str, value: &str| form.get(field) == Some(value);
    let template = PreviewPage {
        shell: Shell::new(who, Part::Breaks),
        w,
        wrong: wrong.as_ref().map(|(_, says)| says.clone()),
        count: number(breaks.len()),
        breaks,
        actions: wish::BULK.map(|of| (of.word(), wish::action_word(of, w), chosen("action", of.word()))).to_vec(),
        because: wish::BECAUSE
            .map(|of| (wish::because_code(of), wish::because_word(of, w), chosen("because", wish::because_code(of))))
            .to_vec(),
        dong: form.get("dong").unwrap_or_default().to_owned(),
        reason: form.get("reason").unwrap_or_default().to_owned(),
        list: new.map(|new| (show::money(new.dong, w.0), hex::encode(new.hash))),
        more: (!lines.is_empty() && left > 0).then(|| number(left)),
        lines,
    };
    let mut response = page(&template, w)?;
    if let Some((status, _)) = wrong {
        *response.status_mut() = status;
    }
    Ok(response)
}

//! One day or month: its figures, and what a maker, a checker or whoever has the privilege may do with it.

use super::figures::Figures;
use super::{hand, state_word};
use crate::domain::close::{CloseState, Period};
use crate::domain::ids::PartnerCode;
use crate::domain::resolution::Action;
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::http::closes;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use crate::partner::Profile;
use crate::reconcile::close::NotClosed;
use crate::reconcile::desk;
use crate::store::closes::{CloseView, Reopened, Signed};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

/// Why nothing was drawn up, in a sentence.
fn not_closed(why: &NotClosed, w: Words) -> Result<String, Stop> {
    Ok(match why {
        NotClosed::NotOver => w.close_no_not_over().to_owned(),
        NotClosed::Sealed => w.close_no_sealed().to_owned(),
        NotClosed::Order(day) => format!("{} {}", w.close_no_order(), show::day(*day)),
        NotClosed::Before(day) => format!("{} {}", w.close_no_before(), show::day(*day)),
        NotClosed::NoStatement => w.close_no_statement().to_owned(),
        NotClosed::NotCompared => w.close_no_not_compared().to_owned(),
        NotClosed::Moved => w.close_no_moved().to_owned(),
        NotClosed::Earlier(count, dong, open, open_dong) => {
            let (count, dong) = (show::count(*count, w.0), show::money(*dong, w.0));
            let open = not_closed(&NotClosed::Open(*open, *open_dong), w)?;
            format!("{} {count} ({dong}). {} {open}", w.close_no_earlier(), w.close_no_earlier_then())
        }
        NotClosed::Open(count, dong) => {
            let count = show::count(i64::try_from(*count).unwrap_or(i64::MAX), w.0);
            format!("{} {count} ({}). {}", w.close_no_open(), show::money(*dong, w.0), w.close_no_open_then())
        }
        NotClosed::Day(day) => format!("{} {}", w.close_no_day(), show::day(*day)),
        NotClosed::Range => w.close_no_range().to_owned(),
        NotClosed::Slice(_) | NotClosed::Store(_) => return Err(Stop::of(stopped(why), w)),
    })
}

/// Why nothing was signed; nothing where it was.
fn not_signed(outcome: Signed, w: Words) -> Option<&'static str> {
    match outcome {
        Signed::Done => None,
        Signed::NotFound => Some(w.sign_not_found()),
        Signed::Other => Some(w.sign_other()),
        Signed::NotYours => Some(w.sign_not_yours()),
        Signed::BeyondAuthority => Some(w.sign_beyond()),
        Signed::Stale => Some(w.sign_stale()),
    }
}

/// Why nothing was opened again; nothing where it was.
fn not_reopened(outcome: Reopened, w: Words) -> Option<&'static str> {
    match outcome {
        Reopened::Done => None,
        Reopened::NotFound => Some(w.reopen_not_found()),
        Reopened::NotLast => Some(w.reopen_not_last()),
        Reopened::BeyondAuthority => Some(w.reopen_beyond()),
    }
}

/// A close that ended: opened again, or another draft took its place.
struct Past {
    no: i64,
    state: &'static str,
    drafted: String,
    signed: String,
    ended: String,
    why: String,
    hash: String,
}

/// The close as it stands.
struct Now {
    state: &'static str,
    look: &'static str,
    hash: String,
    previous: String,
    open: String,
    drafted: String,
    signed: String,
    figures: Figures,
}

/// What was typed, and why it was not done.
#[derive(Default)]
struct Tried {
    wrong: Option<String>,
    accept: String,
    reason: String,
    status: Option<StatusCode>,
}

#[derive(Template)]
#[template(path = "close.html", config = "src/finance/askama.toml")]
struct OnePage {
    shell: Shell,
    w: Words,
    place: String,
    back: String,
    partner: String,
    period: String,
    is_day: bool,
    now: Option<Now>,
    past: Vec<Past>,
    tried: Tried,
    may_draw: bool,
    may_sign: bool,
    own_draft: bool,
    authority: Option<String>,
    may_reopen: bool,
}

type Of = (Arc<Profile>, Period);

fn named(path: (&str, &str), internal: &Internal, w: Words) -> Result<Of, Stop> {
    let profile = internal.intake.profile(path.0).ok_or_else(|| Stop::not_there(w))?;
    let period = Period::parse(path.1).ok_or_else(|| Stop::not_there(w))?;
    Ok((profile, period))
}

fn now(close: &CloseView, w: Words) -> Now {
    let (state, look) = state_word(close.state, w);
    Now {
        state,
        look,
        hash: hex::encode(close.hash),
        previous: close.previous.map_or_else(|| show::NONE.to_owned(), hex::encode),
        open: show::money(close.open_dong, w.0),
        drafted: hand(&close.drafted, w),
        signed: close.signed.as_ref().map_or_else(|| show::NONE.to_owned(), |signed| hand(signed, w)),
        figures: Figures::of(&close.figures, w),
    }
}

async fn shown(
    who: &Who,
    internal: &Internal,
    (profile, period): &Of,
    (tried, said): (Tried, Option<&'static str>),
) -> Result<HttpResponse, Stop> {
    let (w, partner, period) = (who.words(), profile.code().clone(), *period);
    let code = partner.clone();
    let found = internal.readers.ask(move |reports| {
        let days = (period.first(), period.first());
        Ok((reports.close(&code, period)?, reports.closes_of(&code, days)?, reports.authorities()?))
    });
    let (live, all, authorities) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let past = all.into_iter().filter(|close| close.period == period).filter_map(|close| {
        let (by, at, why) = close.ended?;
        Some(Past {
            no: close.no,
            state: state_word(close.state, w).0,
            drafted: hand(&close.drafted, w),
            signed: close.signed.as_ref().map_or_else(|| show::NONE.to_owned(), |signed| hand(signed, w)),
            ended: hand(&(by, at), w),
            why,
            hash: hex::encode(close.hash),
        })
    });
    let may = |action: Action| {
        let own = authorities.iter().filter(|of| of.person == *who.author() && of.action == action);
        own.map(|of| of.dong).next_back().filter(|dong| *dong >= 0)
    };
    let state = live.as_ref().map(|close| close.state);
    let status = tried.status;
    let body = OnePage {
        shell: Shell::new(who, Part::Closes).saying(said),
        w,
        place: format!("/closes/{partner}/{period}"),
        back: format!("/closes?partner={partner}"),
        period: match period {
            Period::Day(day) => show::day(day),
            Period::Month(first) => first.strftime("%m/%Y").to_string(),
        },
        is_day: matches!(period, Period::Day(_)),
        may_draw: who.may(Right::Propose) && state != Some(CloseState::Sealed),
        may_sign: who.may(Right::Decide) && state == Some(CloseState::Draft),
        own_draft: live.as_ref().is_some_and(|close| close.drafted.0 == *who.author()),
        authority: may(Action::Seal).map(|dong| show::money(dong, w.0)),
        may_reopen: who.may(Right::Decide) && state == Some(CloseState::Sealed) && may(Action::Reopen).is_some(),
        now: live.as_ref().map(|close| now(close, w)),
        past: past.collect(),
        tried,
        partner: partner.to_string(),
    };
    let mut answer = page(&body, w)?;
    if let Some(status) = status {
        *answer.status_mut() = status;
    }
    Ok(answer)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    done: String,
}

/// `GET /closes/{partner}/{period}`
pub(super) async fn show(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let of = named((&path.0, &path.1), &internal, w)?;
    let asked: Asked = form::query(&request, w)?;
    let said = match asked.done.as_str() {
        "draft" => Some(w.close_done_draft()),
        "sign" => Some(w.close_done_sign()),
        "reopen" => Some(w.close_done_reopen()),
        _ => None,
    };
    shown(&who, &internal, &of, (Tried::default(), said)).await
}

/// `POST /closes/{partner}/{period}/{verb}`
pub(super) async fn act(
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let (partner, period, verb) = path.into_inner();
    let right = match verb.as_str() {
        "draft" => Right::Propose,
        "sign" | "reopen" => Right::Decide,
        _ => return Err(Stop::not_there(w)),
    };
    who.must(right)?;
    let of = named((&partner, &period), &internal, w)?;
    let form = form::read(&request, payload, &who).await?;
    let tried = match verb.as_str() {
        "draft" => draw(&who, &internal, &of, &form).await?,
        "sign" => sign(&who, &internal, (of.0.code().clone(), of.1), &form).await?,
        _ => reopen(&who, &internal, (of.0.code().clone(), of.1), &form).await?,
    };
    if tried.wrong.is_none() {
        return Ok(to(&format!("/closes/{partner}/{period}?done={verb}")));
    }
    shown(&who, &internal, &of, (tried, None)).await
}

fn refused(why: impl Into<String>) -> Tried {
    Tried { wrong: Some(why.into()), status: Some(StatusCode::CONFLICT), ..Tried::default() }
}

async fn draw(who: &Who, internal: &Internal, of: &Of, form: &Form) -> Result<Tried, Stop> {
    let w = who.words();
    let typed = form.text("accept").unwrap_or_default().to_owned();
    let carry = match form.text("accept").map(desk::text) {
        None => None,
        Some(Some(reason)) => Some(reason),
        Some(None) => return Ok(Tried { accept: typed, ..refused(w.close_bad_reason()) }),
    };
    let drawn = closes::drawn(internal, of.clone(), (who.author().clone(), carry)).await;
    match drawn.map_err(|problem| Stop::of(problem, w))? {
        Ok(()) => Ok(Tried::default()),
        Err(why) => Ok(Tried { accept: typed, ..refused(not_closed(&why, w)?) }),
    }
}

async fn sign(who: &Who, internal: &Internal, of: (PartnerCode, Period), form: &Form) -> Result<Tried, Stop> {
    let w = who.words();
    let mut hash = [0; 32];
    let sent = form.text("sha256").unwrap_or_default();
    hex::decode_to_slice(sent, &mut hash).map_err(|_not_hex| Stop::bad(w.form_old(), w))?;
    let signed = closes::signed(internal, of, hash, who.author().clone()).await;
    let signed = signed.map_err(|problem| Stop::of(problem, w))?;
    Ok(not_signed(signed, w).map_or_else(Tried::default, refused))
}

async fn reopen(who: &Who, internal: &Internal, of: (PartnerCode, Period), form: &Form) -> Result<Tried, Stop> {
    let w = who.words();
    let typed = form.text("reason").unwrap_or_default().to_owned();
    let Some(reason) = desk::text(&typed) else {
        return Ok(Tried { reason: typed, ..refused(w.close_bad_reason()) });
    };
    let done = closes::reopened(internal, of, reason, who.author().clone()).await;
    let done = done.map_err(|problem| Stop::of(problem, w))?;
    Ok(not_reopened(done, w).map_or_else(Tried::default, |why| Tried { reason: typed, ..refused(why) }))
}

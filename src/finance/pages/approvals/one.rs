//! One proposal: its frozen list, and the decision about exactly that list.

use super::ROWS;
use super::listed::{self, Line};
use crate::domain::ids::Author;
use crate::domain::resolution::ProposalNo;
use crate::domain::user::{Right, is_person};
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::told::{author, told_by};
use crate::finance::words::Words;
use crate::finance::{form, proposing, show, terms, wish};
use crate::http::internal::Internal;
use crate::store::StoreError;
use crate::store::desk::{Authority, ProposalFilter, ProposalOrder, ProposalState, ProposalView, Verb};
use crate::store::reports::Reports;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// The oldest waiting proposals, among which the next one of another person is looked for.
const WAITING_MAX: u32 = 100;

#[derive(Template)]
#[template(path = "approval.html", config = "src/finance/askama.toml")]
struct OnePage {
    shell: Shell,
    w: Words,
    no: i64,
    action: &'static str,
    state: &'static str,
    items: String,
    dong: String,
    maker: String,
    mine: bool,
    made_at: String,
    reason: String,
    sha256: String,
    decided: Option<(String, String, String)>,
    lines: Vec<Line>,
    next_lines: Option<u32>,
    limit: Option<String>,
    within: bool,
    /// Who may decide it, where it waits and this person may not.
    deciders: Option<Vec<String>>,
    may_decide: bool,
    may_withdraw: bool,
    next: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    after: u32,
    done: String,
    carried: u64,
    refused: u64,
}

/// What the page reads.
struct Found {
    view: ProposalView,
    /// What its list does; the general word where the list goes on beyond this page.
    action: &'static str,
    lines: Vec<Line>,
    limit: Option<i64>,
    /// Others with the right and an authority for its sum.
    deciders: Vec<String>,
    next: Option<i64>,
}

/// Who may decide it: with a role for that, an authority for its sum, and no hand in it.
fn deciders(reports: &mut dyn Reports, view: &ProposalView) -> Result<Vec<String>, StoreError> {
    // Those with an authority who are no users are programs with a token; rules approve when they are run.
    let users = reports.users()?;
    let may = |person: &Author| match users.iter().find(|user| user.name == *person) {
        Some(user) => !user.disabled && user.roles.may(Right::Decide),
        None => is_person(person),
    };
    let enough = |of: &&Authority| {
        of.action == view.action && of.dong >= view.dong && of.person != view.maker && may(&of.person)
    };
    Ok(reports.authorities()?.iter().filter(enough).map(|of| of.person.to_string()).collect())
}

pub(super) async fn show(
    request: HttpRequest,
    who: Who,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let (no, w) = (ProposalNo(path.into_inner()), who.words());
    let query: Query = form::query(&request, w)?;
    let (me, after, see) = (who.author().clone(), query.after, who.may(Right::SeePayers));
    let found = internal.readers.ask(move |reports| {
        let Some(view) = reports.proposal(no)? else { return Ok(None) };
        let items = reports.items(no, after, ROWS.try_into().unwrap_or(100))?;
        let lines = listed::kept(reports, &items, (see, w))?;
        let whole = u32::try_from(items.len()).is_ok_and(|here| here == view.items);
        let action = match whole {
            true => wish::together(items.iter().map(|of| &of.item.what), view.action, w),
            false => wish::action_word(view.action, w),
        };
        let deciders = deciders(reports, &view)?;
        let mine = reports.authorities()?.into_iter().find(|of| of.person == me && of.action == view.action);
        let limit = mine.map(|of| of.dong).filter(|dong| *dong >= 0);
        let waiting = reports.proposals(ProposalFilter::waiting(ProposalOrder::Oldest, WAITING_MAX))?;
        let next = waiting.iter().find(|of| of.no != no && of.maker != me).map(|of| of.no.0);
        Ok(Some(Found { view, action, lines, limit, deciders, next }))
    });
    let found = found.await.map_err(|error| Stop::of(error.into(), w))?.ok_or_else(|| Stop::not_there(w))?;
    page(&ready(&who, &query, found), w)
}

fn ready(who: &Who, query: &Query, found: Found) -> OnePage {
    let (w, Found { view, action, lines, limit, deciders, next }) = (who.words(), found);
    let mine = view.maker == *who.author();
    let waits = view.state == ProposalState::Proposed;
    let within = limit.is_some_and(|dong| dong >= view.dong);
    let may_decide = waits && !mine && who.may(Right::Decide);
    let decided = view.decided_at.map(|at| {
        let words = view.decision.as_deref().unwrap_or_default();
        let by = view.decided_by.as_ref();
        let (by, words) = by.map(|by| (author(by, w), told_by(by, words, w))).unwrap_or_default();
        (show::moment(at), by, words)
    });
    OnePage {
        shell: Shell::new(who, Part::Approvals).saying(said(query, w)),
        w,
        no: view.no.0,
        action,
        state: terms::proposal_state(view.state, w),
        items: show::count(i64::from(view.items), w.0),
        dong: show::money(view.dong, w.0),
        maker: author(&view.maker, w),
        mine,
        made_at: show::moment(view.made_at),
        reason: told_by(&view.maker, &view.reason, w),
        sha256: hex::encode(view.hash),
        decided,
        next_lines: lines.last().map(|line| line.place).filter(|last| *last < view.items),
        lines,
        limit: limit.map(|dong| show::money(dong, w.0)),
        within,
        deciders: (waits && !(may_decide && within)).then_some(deciders),
        may_decide,
        may_withdraw: waits && mine && who.may(Right::Propose),
        next: next.filter(|_| who.may(Right::Decide)),
    }
}

fn said(query: &Query, w: Words) -> Option<String> {
    let count = |of: u64| show::count(i64::try_from(of).unwrap_or(i64::MAX), w.0);
    match query.done.as_str() {
        "approve" => Some(format!(
            "{} {} {}, {} {}.",
            w.app_done_approve(),
            count(query.carried),
            w.app_carried(),
            count(query.refused),
            w.app_refused()
        )),
        "reject" => Some(w.app_done_reject().to_owned()),
        "withdraw" => Some(w.app_done_withdraw().to_owned()),
        "proposed" => Some(w.app_done_proposed().to_owned()),
        _ => None,
    }
}

/// `POST /approvals/{no}/{verb}`
pub(super) async fn decide(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    path: web::Path<(i64, String)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    let (no, word) = path.into_inner();
    let (verb, right) = match word.as_str() {
        "approve" => (Verb::Approve, Right::Decide),
        "reject" => (Verb::Reject, Right::Decide),
        "withdraw" => (Verb::Withdraw, Right::Propose),
        _ => return Err(Stop::not_there(who.words())),
    };
    who.must(right)?;
    let form = form::read(&request, payload, &who).await?;
    let carried = proposing::decide(&internal, &who, (ProposalNo(no), verb, &form)).await?;
    Ok(to(&format!("/approvals/{no}?done={word}&carried={}&refused={}", carried.done, carried.refused)))
}

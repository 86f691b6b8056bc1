//! Messages to the core that wait, and those that wait for a person: sent again, held, or ended by two people.

use super::customer::stand;
use crate::domain::ids::DispatchKey;
use crate::domain::review::BreakClass;
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::told::code;
use crate::finance::words::Words;
use crate::finance::{form, show, terms};
use crate::http::internal::Internal;
use crate::http::operations::{give, wish};
use crate::store::desk::BreakFilter;
use crate::store::reports::{DispatchFilter, DispatchView, OutboxDepth, Reports};
use crate::store::{CommandAnswer, RouteState, StoreError};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Messages in a list.
const ROWS: u32 = 100;

/// Open breaks of one class among which those about them are looked for.
const BREAKS_MAX: u32 = 1_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/outbox", web::get().to(list)).route("/outbox/{key}/{action}", web::post().to(command));
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutboxQuery {
    state: String,
    done: String,
}

/// A message that is listed.
#[derive(Debug)]
struct MessageRow {
    key: String,
    invoice: String,
    /// The payment that it tells of, and whose.
    event: String,
    payment: String,
    partner: String,
    amount: String,
    customer: Option<String>,
    /// The open break about it.
    about: Option<i64>,
    urgent: bool,
    cause: String,
    reason: String,
    attempts: String,
    posted: String,
    age: String,
    /// May it be sent again, held, ended?
    retry: bool,
    hold: bool,
    close: bool,
    /// Who proposed to end it, and may this person agree?
    proposed_by: Option<String>,
    approve: bool,
}

/// The figures above the list.
#[derive(Debug)]
struct Depth {
    waiting: String,
    parked: String,
    oldest: String,
    urgent: String,
}

#[derive(Template)]
#[template(path = "outbox.html", config = "src/finance/askama.toml")]
struct OutboxPage {
    shell: Shell,
    w: Words,
    depth: Depth,
    /// Why the way is paused: reason, since, next try.
    paused: Option<[String; 3]>,
    states: Vec<(&'static str, &'static str, bool)>,
    full: bool,
    operates: bool,
    messages: Vec<MessageRow>,
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: OutboxQuery = form::query(&request, w)?;
    let states = terms::message_states(w);
    let wanted = if asked.state.is_empty() { "parked" } else { &asked.state };
    let found = states.iter().find(|(word, _)| *word == wanted);
    let (state, _) = *found.ok_or_else(|| Stop::not_there(w))?;
    let filter = DispatchFilter { state: Some(state.to_owned()), limit: ROWS, ..DispatchFilter::default() };
    let sees = who.may(Right::SeePayers);
    let found = internal.readers.ask(move |reports| {
        let messages = reports.dispatches(&filter)?;
        let beside = beside(reports, &messages, sees)?;
        Ok((reports.outbox_depth()?, reports.route()?, messages.into_iter().zip(beside).collect::<Vec<_>>()))
    });
    let (depth, route, messages) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    if sees && !messages.is_empty() {
        who.note(&internal, "look-outbox", state).await?;
    }
    let now = internal.intake.clock().now();
    let said = match asked.done.as_str() {
        "retry" => Some(w.outbox_sent_again()),
        "hold" => Some(w.outbox_held()),
        "close" => Some(w.outbox_close_proposed()),
        "approve" => Some(w.outbox_closed()),
        _ => None,
    };
    page(
        &OutboxPage {
            shell: Shell::new(&who, Part::Outbox).saying(said),
            w,
            depth: depth_of(&depth, now, w),
            paused: paused(&route),
            states: states.into_iter().map(|(word, name)| (word, name, word == state)).collect(),
            full: messages.len() >= usize::try_from(ROWS).unwrap_or(usize::MAX),
            operates: who.may(Right::Operate),
            messages: messages.iter().map(|(message, beside)| row((message, beside), &who, now)).collect(),
        },
        w,
    )
}

/// What a message is about.
#[derive(Debug, Default)]
struct Beside {
    event: String,
    partner: String,
    customer: Option<String>,
    about: Option<i64>,
}

/// Of each message the payment's name, the bill's customer and the open break.
fn beside(reports: &mut dyn Reports, messages: &[DispatchView], sees: bool) -> Result<Vec<Beside>, StoreError> {
    let mut breaks = BTreeMap::new();
    if !messages.is_empty() {
        for class in [BreakClass::BillAlreadyCleared, BreakClass::PaidNotCleared] {
            let open = reports.breaks(&BreakFilter { class: Some(class), ..BreakFilter::open(BREAKS_MAX) })?;
            breaks.extend(open.into_iter().filter_map(|of| Some((of.dispatch?.to_string(), of.no))));
        }
    }
    let mut all = Vec::with_capacity(messages.len());
    for message in messages {
        let record = reports.event(&message.event)?;
        let account = reports.invoice(&message.invoice)?.filter(|_| sees);
        all.push(Beside {
            event: record.as_ref().map_or_else(|| show::NONE.to_owned(), |record| record.event.clone()),
            partner: record.map(|record| record.partner.to_string()).unwrap_or_default(),
            customer: account.map(|account| account.invoice.customer.to_string()),
            about: breaks.get(message.key.as_str()).copied(),
        });
    }
    Ok(all)
}

fn depth_of(depth: &OutboxDepth, now: Timestamp, w: Words) -> Depth {
    let age = |at: Option<Timestamp>| at.map_or_else(|| show::NONE.to_owned(), |at| stand::age(at, now, w));
    Depth {
        waiting: show::count(depth.waiting, w.0),
        parked: show::count(depth.parked, w.0),
        oldest: age(depth.oldest),
        urgent: age(depth.oldest_urgent),
    }
}

fn paused(route: &RouteState) -> Option<[String; 3]> {
    let pause = route.paused.as_ref()?;
    Some([pause.reason.clone(), show::moment(pause.since), show::moment(pause.probe_at)])
}

fn row((message, beside): (&DispatchView, &Beside), who: &Who, now: Timestamp) -> MessageRow {
    let w = who.words();
    let (parked, waiting) = (message.state == "parked", message.state == "waiting");
    let by = message.close_proposed_by.clone();
    MessageRow {
        key: message.key.to_string(),
        invoice: message.invoice.to_string(),
        event: beside.event.clone(),
        payment: message.event.to_string(),
        partner: beside.partner.clone(),
        amount: show::money(message.amount.dong(), w.0),
        customer: beside.customer.clone(),
        about: beside.about,
        urgent: message.urgent,
        cause: message.cause.map(|cause| code(cause.word(), w)).unwrap_or_default(),
        reason: message.reason.clone().unwrap_or_default(),
        attempts: show::count(i64::from(message.attempts), w.0),
        posted: show::moment(message.created_at),
        age: stand::age(message.created_at, now, w),
        retry: parked,
        hold: waiting,
        close: parked && by.is_none(),
        approve: parked && by.as_deref().is_some_and(|by| by != who.author().as_str()),
        proposed_by: by.filter(|_| parked),
    }
}

/// `POST /outbox/{key}/{action}`: retry, hold, close (which proposes), approve.
async fn command(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Operate)?;
    let w = who.words();
    let (key, action) = path.into_inner();
    let form = form::read(&request, payload, &who).await?;
    let key = DispatchKey::parse(key).map_err(|_no_such_key| Stop::not_there(w))?;
    let reason = form.text("reason").unwrap_or_default();
    let command =
        wish(&action, who.author().clone(), reason).map_err(|_no_reason| Stop::bad(w.outbox_needs_reason(), w))?;
    let command = command.ok_or_else(|| Stop::not_there(w))?;
    let plain = key.to_string();
    let what = match action.as_str() {
        "retry" => "outbox-retry",
        "hold" => "outbox-hold",
        "close" => "outbox-close",
        _ => "outbox-approve",
    };
    match give(&internal, key, command).await.map_err(|problem| Stop::of(problem, w))? {
        CommandAnswer::Done => {}
        CommandAnswer::NotFound => return Err(Stop::not_there(w)),
        CommandAnswer::WrongState => return Err(Stop::conflict(w.outbox_wrong_state(), w)),
        CommandAnswer::NeedsAnother => return Err(Stop::conflict(w.outbox_needs_another(), w)),
    }
    who.note(&internal, what, &plain).await?;
    let state = if action == "hold" { "waiting" } else { "parked" };
    Ok(to(&format!("/outbox?state={state}&done={action}")))
}

//! The checker's inbox: what one person proposed and another one decides; and what was decided.

mod bulk;
mod listed;
mod one;

use crate::domain::resolution::ProposalNo;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::Stop;
use crate::finance::told::{author, told};
use crate::finance::words::Words;
use crate::finance::{form, show, terms, wish};
use crate::http::internal::Internal;
use crate::store::desk::{ProposalFilter, ProposalState, ProposalView};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// Rows of a page.
const ROWS: usize = 100;

/// Waiting proposals that are looked at to find the oldest.
const WAITING_MAX: u32 = 1_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/approvals", web::get().to(inbox))
        .route(r"/approvals/{no:\d{1,18}}", web::get().to(one::show))
        .route(r"/approvals/{no:\d{1,18}}/{verb:approve|reject|withdraw}", web::post().to(one::decide))
        .route("/proposals", web::post().to(bulk::propose))
        .route("/proposals/preview", web::post().to(bulk::preview));
}

/// A proposal as the inbox lists it.
#[derive(Clone, Debug)]
struct Row {
    no: i64,
    action: &'static str,
    items: String,
    dong: String,
    maker: String,
    mine: bool,
    made_at: String,
    reason: String,
    state: &'static str,
    decided: String,
}

impl Row {
    fn new(of: &ProposalView, who: &Who) -> Self {
        let w = who.words();
        let by = of.decided_by.as_ref().map(|by| author(by, w));
        let at = of.decided_at.map(show::moment);
        Self {
            no: of.no.0,
            action: wish::action_word(of.action, w),
            items: show::count(i64::from(of.items), w.0),
            dong: show::money(of.dong, w.0),
            maker: author(&of.maker, w),
            mine: of.maker == *who.author(),
            made_at: show::moment(of.made_at),
            reason: told(&of.reason, w),
            state: terms::proposal_state(of.state, w),
            decided: [by, at].into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }
}

#[derive(Template)]
#[template(path = "approvals.html", config = "src/finance/askama.toml")]
struct InboxPage {
    shell: Shell,
    w: Words,
    tab: Tab,
    rows: Vec<Row>,
    /// Where the next page of the history begins.
    next: Option<i64>,
}

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tab {
    /// What waits, newest first.
    #[default]
    Newest,
    /// What waits, oldest first.
    Oldest,
    /// What was decided.
    History,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    tab: Tab,
    before: Option<i64>,
}

async fn inbox(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let Query { tab, before } = form::query(&request, w)?;
    let found = internal.readers.ask(move |reports| {
        if tab != Tab::History {
            let state = Some(ProposalState::Proposed);
            let mut waiting = reports.proposals(ProposalFilter { state, before: None, limit: WAITING_MAX })?;
            if tab == Tab::Oldest {
                waiting.reverse();
            }
            return Ok((waiting, None));
        }
        let before = before.map(ProposalNo);
        let page = reports.proposals(ProposalFilter { state: None, before, limit: ROWS.try_into().unwrap_or(100) })?;
        let next = page.last().filter(|_| page.len() >= ROWS).map(|last| last.no.0);
        Ok((page.into_iter().filter(|of| of.state != ProposalState::Proposed).collect(), next))
    });
    let (found, next): (Vec<ProposalView>, _) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let rows = found.iter().take(ROWS).map(|of| Row::new(of, &who)).collect();
    page(&InboxPage { shell: Shell::new(&who, Part::Approvals), w, tab, rows, next }, w)
}

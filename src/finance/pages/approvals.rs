//! The checker's inbox: what one person proposed and another one decides; and what was decided.

mod bulk;
mod listed;
mod one;

use crate::domain::resolution::ProposalNo;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::Stop;
use crate::finance::told::{author, told_by};
use crate::finance::words::Words;
use crate::finance::{form, show, terms, wish};
use crate::http::internal::Internal;
use crate::store::desk::{ProposalFilter, ProposalOrder, ProposalView};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// Rows of a page.
const ROWS: usize = 100;

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
            reason: told_by(&of.maker, &of.reason, w),
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
    /// How many wait, and over which sum.
    waiting: (String, String),
    rows: Vec<Row>,
    /// The pages behind and in front.
    next: Option<String>,
    previous: Option<String>,
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

impl Tab {
    fn word(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::History => "history",
        }
    }

    /// One row more than a page has, so that it is known whether there is another page.
    fn filter(self, before: Option<i64>, after: Option<i64>) -> ProposalFilter {
        let limit = u32::try_from(ROWS).unwrap_or(u32::MAX).saturating_add(1);
        let all = match self {
            Self::Newest => ProposalFilter::waiting(ProposalOrder::Newest, limit),
            Self::Oldest => ProposalFilter::waiting(ProposalOrder::Oldest, limit),
            Self::History => ProposalFilter { decided_only: true, limit, ..ProposalFilter::default() },
        };
        ProposalFilter { before: before.map(ProposalNo), after: after.map(ProposalNo), ..all }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Query {
    tab: Tab,
    before: Option<i64>,
    after: Option<i64>,
}

async fn inbox(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let Query { tab, before, after } = form::query(&request, w)?;
    let filter = tab.filter(before, after);
    let found = internal.readers.ask(move |reports| Ok((reports.proposals(filter)?, reports.waiting_proposals()?)));
    let (mut found, waiting) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let more = found.len() > ROWS;
    // Coming from the page behind, there is that page behind; from the page in front, that one.
    let from_behind = after.is_some() && before.is_none();
    if more {
        // The one too many is the farthest from where the page was asked from.
        drop(if from_behind { found.remove(0) } else { found.swap_remove(ROWS) });
    }
    let place = |word: &str, of: Option<&ProposalView>| {
        of.map(|of| format!("/approvals?tab={}&{word}={}", tab.word(), of.no.0))
    };
    let behind = place("before", found.last().filter(|_| more || from_behind));
    let in_front = place("after", found.first().filter(|_| before.is_some() || (from_behind && more)));
    let count = i64::try_from(waiting.count).unwrap_or(i64::MAX);
    let shown = InboxPage {
        shell: Shell::new(&who, Part::Approvals),
        w,
        tab,
        waiting: (show::count(count, w.0), show::money(waiting.dong, w.0)),
        rows: found.iter().map(|of| Row::new(of, &who)).collect(),
        next: behind,
        previous: in_front,
    };
    page(&shown, w)
}

//! Rules: what each would propose now, what they may approve by themselves, and their run.

use crate::domain::ids::PartnerCode;
use crate::domain::resolution::{Action, Item};
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::finance::{form, show, wish};
use crate::http::internal::Internal;
use crate::http::proposals::{Ran, find, run_found};
use crate::reconcile::desk::rules::{APPROVER, Rule};
use crate::store::desk::NewProposal;
use crate::store::desk::ProposalFilter;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// Breaks of a rule's list that are shown.
const SHOWN: usize = 100;

/// The last proposals that are looked through for what rules approved within a day.
const PROPOSALS_MAX: u32 = 1_000;

/// What counts against the rules' authority, in milliseconds.
const DAY_MS: i64 = 86_400_000;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/rules", web::get().to(list)).route("/rules/{name}", web::post().to(run));
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RulesQuery {
    rule: String,
    partner: String,
}

/// A rule as a line.
#[derive(Debug)]
struct RuleRow {
    name: &'static str,
    label: &'static str,
    about: &'static str,
    action: &'static str,
    authority: String,
    spent: String,
}

/// What a rule would propose, or proposed.
#[derive(Debug)]
struct Listed {
    rule: &'static str,
    label: &'static str,
    partner: String,
    sha256: String,
    count: String,
    sum: String,
    rows: Vec<(i64, String)>,
    more: bool,
}

/// What came of a run.
#[derive(Debug)]
struct RanPart {
    no: i64,
    approved: bool,
    done: String,
    refused: String,
}

#[derive(Template)]
#[template(path = "rules.html", config = "src/finance/askama.toml")]
struct RulesPage {
    shell: Shell,
    w: Words,
    rules: Vec<RuleRow>,
    partners: Vec<String>,
    proposes: bool,
    listed: Option<Listed>,
    /// Of this rule nothing was found.
    nothing: Option<&'static str>,
    ran: Option<RanPart>,
}

/// What is shown below the rules.
#[derive(Debug, Default)]
struct Beside {
    listed: Option<Listed>,
    nothing: Option<&'static str>,
    ran: Option<RanPart>,
}

/// What the rule's proposals do.
fn action(rule: Rule) -> Action {
    match rule {
        Rule::CreateMissing => Action::Create,
        Rule::RefundLater => Action::Allocate,
    }
}

fn about(rule: Rule, w: Words) -> &'static str {
    match rule {
        Rule::CreateMissing => w.ru_create_missing(),
        Rule::RefundLater => w.ru_refund_later(),
    }
}

/// A partner's code of a form or an address; none is all of them.
fn partner_of(text: &str, w: Words) -> Result<Option<PartnerCode>, Stop> {
    let code = (!text.is_empty()).then(|| PartnerCode::parse(text));
    code.transpose().map_err(|_no_such_partner| Stop::not_there(w))
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: RulesQuery = form::query(&request, w)?;
    if asked.rule.is_empty() {
        return shown(&who, &internal, Beside::default()).await;
    }
    let rule = Rule::parse(&asked.rule).ok_or_else(|| Stop::not_there(w))?;
    let partner = partner_of(&asked.partner, w)?;
    let found = find(&internal, rule, partner, who.author()).await.map_err(|problem| Stop::of(problem, w))?;
    let listed = found.map(|found| listed(rule, &asked.partner, &found.new, w));
    let nothing = listed.is_none().then(|| rule.label(w.0));
    shown(&who, &internal, Beside { listed, nothing, ran: None }).await
}

fn listed(rule: Rule, partner: &str, new: &NewProposal, w: Words) -> Listed {
    let (items, dong) = (&new.items, new.dong);
    let row = |item: &Item| (item.break_no, show::money(item.dong, w.0));
    Listed {
        rule: rule.name(),
        label: rule.label(w.0),
        partner: partner.to_owned(),
        sha256: hex::encode(new.hash),
        count: show::count(i64::try_from(items.len()).unwrap_or(i64::MAX), w.0),
        sum: show::money(dong, w.0),
        rows: items.iter().take(SHOWN).map(row).collect(),
        more: items.len() > SHOWN,
    }
}

/// `POST /rules/{name}`
async fn run(
    request: HttpRequest,
    path: web::Path<String>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let w = who.words();
    let rule = Rule::parse(&path.into_inner()).ok_or_else(|| Stop::not_there(w))?;
    let form = form::read(&request, payload, &who).await?;
    let partner = partner_of(form.text("partner").unwrap_or_default(), w)?;
    let found = find(&internal, rule, partner, who.author()).await.map_err(|problem| Stop::of(problem, w))?;
    let Some(found) = found else {
        return shown(&who, &internal, Beside { nothing: Some(rule.label(w.0)), ..Beside::default() }).await;
    };
    // Rules approve at once as far as they may: what was shown, and nothing that came since.
    if form.get("sha256") != Some(hex::encode(found.new.hash).as_str()) {
        return Err(Stop::conflict(w.ru_other_list(), w));
    }
    let ran = run_found(&internal, found, who.author()).await.map_err(|problem| Stop::of(problem, w))?;
    who.note(&internal, "rule-run", &format!("{} {}", rule.name(), ran.no.0)).await?;
    shown(&who, &internal, Beside { ran: Some(ran_part(&ran, w)), ..Beside::default() }).await
}

fn ran_part(ran: &Ran, w: Words) -> RanPart {
    let count = |n: u64| show::count(i64::try_from(n).unwrap_or(i64::MAX), w.0);
    RanPart { no: ran.no.0, approved: ran.approved, done: count(ran.carried.done), refused: count(ran.carried.refused) }
}

async fn shown(who: &Who, internal: &Internal, beside: Beside) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let filter = ProposalFilter { limit: PROPOSALS_MAX, ..ProposalFilter::default() };
    let found = internal.readers.ask(move |reports| Ok((reports.authorities()?, reports.proposals(filter)?))).await;
    let (authorities, proposals) = found.map_err(|error| Stop::of(error.into(), w))?;
    let since = internal.intake.clock().now().plus_ms(-DAY_MS);
    let row = |rule: Rule| {
        let action = action(rule);
        let given = authorities.iter().find(|of| of.person.as_str() == APPROVER && of.action == action);
        let by_rules = proposals.iter().filter(|of| {
            let by = of.decided_by.as_ref().is_some_and(|by| by.as_str() == APPROVER);
            by && of.action == action && of.decided_at.is_some_and(|at| at > since)
        });
        let spent = by_rules.map(|of| of.dong).fold(0, i64::saturating_add);
        let may = given.map(|of| of.dong).filter(|dong| *dong >= 0);
        RuleRow {
            name: rule.name(),
            label: rule.label(w.0),
            about: about(rule, w),
            action: wish::action_word(action, w),
            authority: may.map_or_else(|| w.us_none().to_owned(), |dong| show::money(dong, w.0)),
            spent: show::money(spent, w.0),
        }
    };
    page(
        &RulesPage {
            shell: Shell::new(who, Part::Rules),
            w,
            rules: Rule::ALL.into_iter().map(row).collect(),
            partners: internal.intake.partners().iter().map(|profile| profile.code().to_string()).collect(),
            proposes: who.may(Right::Propose),
            listed: beside.listed,
            nothing: beside.nothing,
            ran: beside.ran,
        },
        w,
    )
}

//! Proposals for our own side: what one person proposes about breaks and another one decides, what rules find, and who
//! may approve how much. What is approved is carried out at once.

use super::desk::{Query, author, beside, on_a_thread, query, read, rows, words};
use super::internal::{Internal, on_writer};
use super::problem::Problem;
use super::statements::{bad, stopped};
use super::tokens::{self, Scope};
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::resolution::{Action, ProposalNo, Resolution};
use crate::ledger::{Slices, transact};
use crate::reconcile::desk::refunds;
use crate::reconcile::desk::rules::{self, Rule};
use crate::reconcile::desk::views as shown;
use crate::reconcile::desk::{self, CarriedOut, Decision, NotProposed};
use crate::store::desk::{Authority, Decided, NewProposal, ProposalFilter, ProposalOrder, ProposalState, Verb};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// One break of a proposal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(rename = "break")]
    no: i64,
    resolution: Resolution,
}

/// A proposal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wishes {
    reason: String,
    items: Vec<Wish>,
    #[serde(default)]
    dry_run: bool,
}

/// `POST /api/v1/proposals`
pub async fn propose(
    request: HttpRequest,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let maker = author(caller)?;
    let Wishes { reason, items, dry_run } = read(&request, payload).await?;
    let wishes = items.into_iter().map(|wish| (wish.no, wish.resolution)).collect();
    let new = drafted(&internal, wishes, maker, reason).await?;
    proposed(&internal, new.map_err(not_proposed)?, dry_run).await
}

/// A list as it would be proposed now.
pub(crate) async fn drafted(
    internal: &Internal,
    wishes: Vec<(i64, Resolution)>,
    maker: Author,
    reason: String,
) -> Result<Result<NewProposal, NotProposed>, Problem> {
    let at = internal.intake.clock().now();
    beside(internal, move |reports| desk::draft(reports, wishes, (&maker, &reason, at))).await
}

/// Proposes a list.
pub(crate) async fn kept(internal: &Internal, new: NewProposal) -> Result<Result<ProposalNo, NotProposed>, Problem> {
    let writer = Arc::clone(&internal.writer);
    on_a_thread(move || desk::propose(&mut Slices::between(writer.as_ref()), new)).await
}

/// Shows a list, or proposes it.
async fn proposed(internal: &web::Data<Internal>, new: NewProposal, dry_run: bool) -> Result<HttpResponse, Problem> {
    let answer = shown::draft_json(&new);
    if dry_run {
        return Ok(HttpResponse::Ok().json(answer));
    }
    let no = kept(internal, new).await?.map_err(not_proposed)?;
    Ok(HttpResponse::Created().json(shown::with(answer, [("no", json!(no.0))])))
}

/// The body of a rule's run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RuleRun {
    partner: Option<String>,
    dry_run: bool,
}

/// `POST /api/v1/rules/{name}`: what the rule finds is proposed, and approved as far as rules may.
pub async fn rule(
    request: HttpRequest,
    path: web::Path<String>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let rule = Rule::parse(&path.into_inner()).ok_or_else(Problem::not_found)?;
    let run: RuleRun = read(&request, payload).await?;
    let partner = run.partner.map(PartnerCode::parse).transpose().map_err(|e| bad(format!("partner: {e}")))?;
    let run_by = author(caller)?;
    let Some(found) = find(&internal, rule, partner, &run_by).await? else {
        return Ok(HttpResponse::Ok().json(json!({ "rule": rule.name(), "items": 0 })));
    };
    let answer = shown::draft_json(&found.new);
    if run.dry_run {
        return Ok(HttpResponse::Ok().json(answer));
    }
    let ran = run_found(&internal, found, &run_by).await?;
    let more = [
        ("no", json!(ran.no.0)),
        ("approved", json!(ran.approved)),
        ("done", json!(ran.carried.done)),
        ("refused", json!(ran.carried.refused)),
    ];
    Ok(HttpResponse::Created().json(shown::with(answer, more)))
}

/// What a rule would propose.
#[derive(Debug)]
pub(crate) struct Found {
    /// The list.
    pub(crate) new: NewProposal,
    /// Does it stand on what the one who runs the rule brought, or could have brought? Then the rules' authority does not approve it.
    alone: bool,
}

/// What a rule's run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The proposal.
    pub(crate) no: ProposalNo,
    /// By the rules' own authority; else it waits for a person.
    pub(crate) approved: bool,
    /// What of it was carried out.
    pub(crate) carried: CarriedOut,
}

/// What a rule would propose now, of this partner or of all; nothing where it finds nothing.
///
/// # Errors
/// The machine's.
pub(crate) async fn find(
    internal: &Internal,
    rule: Rule,
    partner: Option<PartnerCode>,
    run_by: &Author,
) -> Result<Option<Found>, Problem> {
    let (at, run_by) = (internal.intake.clock().now(), run_by.clone());
    let found = beside(internal, move |reports| {
        let Some(new) = rules::dry_run(reports, rule, partner.as_ref(), at)? else { return Ok(None) };
        let alone = !rules::may_approve(reports, &new, &run_by)?;
        Ok::<_, NotProposed>(Some(Found { new, alone }))
    });
    found.await?.map_err(not_proposed)
}

/// Proposes what a rule found, and approves it as far as rules may.
///
/// # Errors
/// What is not free any more; the machine's.
pub(crate) async fn run_found(internal: &web::Data<Internal>, found: Found, run_by: &Author) -> Result<Ran, Problem> {
    let Found { new, alone } = found;
    let (hash, at) = (new.hash, internal.intake.clock().now());
    let no = kept(internal, new).await?.map_err(not_proposed)?;
    let by = Author::parse(rules::APPROVER).map_err(|e| bad(e.to_string()))?;
    let words = format!("run by {run_by}");
    let decision = Decision { proposal: no, verb: Verb::Approve, by, hash, words, at };
    // Who brought the statement, or could have, does not have a rule approve what stands on it.
    let (decided, carried) = match alone {
        true => (Decided::NotYours, CarriedOut::default()),
        false => decide_and_carry_out(internal, decision).await?,
    };
    Ok(Ran { no, approved: decided == Decided::Done, carried })
}

fn not_proposed(error: NotProposed) -> Problem {
    match error {
        NotProposed::Items | NotProposed::Actions | NotProposed::Reason | NotProposed::Bad(..) | NotProposed::Sum => {
            Problem::unprocessable().saying(error.to_string())
        }
        NotProposed::Unknown(_) => Problem::not_found().saying(error.to_string()),
        NotProposed::NotFree(_) => Problem::conflict().saying(error.to_string()),
        NotProposed::Slice(_) | NotProposed::Store(_) => stopped(&error),
    }
}

/// The query of `GET /api/v1/proposals`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposalsQuery {
    state: Option<String>,
    order: Option<String>,
    before: Option<i64>,
    after: Option<i64>,
    limit: Option<u32>,
}

/// `GET /api/v1/proposals`
pub async fn proposals(
    request: HttpRequest,
    asked: Query<ProposalsQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let asked = query(asked, "state=, order=, before=, after=, limit=")?;
    let expected = || bad(format!("state: expected one of {}", words(&ProposalState::ALL.map(ProposalState::word))));
    let state = asked.state.as_deref().map(|word| ProposalState::parse(word).ok_or_else(expected)).transpose()?;
    let order = match asked.order.as_deref() {
        None | Some("newest") => ProposalOrder::Newest,
        Some("oldest") => ProposalOrder::Oldest,
        Some(_) => return Err(bad("order: expected newest or oldest")),
    };
    let (before, after) = (asked.before.map(ProposalNo), asked.after.map(ProposalNo));
    let filter = ProposalFilter { state, order, before, after, limit: rows(asked.limit)?, ..ProposalFilter::default() };
    let found = internal.readers.ask(move |reports| reports.proposals(filter)).await?;
    Ok(HttpResponse::Ok().json(found.iter().map(shown::proposal_json).collect::<Vec<_>>()))
}

/// The query of `GET /api/v1/proposals/{no}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemsQuery {
    #[serde(default)]
    after: u32,
    limit: Option<u32>,
}

/// `GET /api/v1/proposals/{no}`: with a page of its list.
pub async fn proposal(
    request: HttpRequest,
    path: web::Path<i64>,
    asked: Query<ItemsQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let (no, asked) = (ProposalNo(path.into_inner()), query(asked, "after=, limit=")?);
    let limit = rows(asked.limit)?;
    let found = internal.readers.ask(move |reports| {
        let Some(view) = reports.proposal(no)? else { return Ok(None) };
        let list: Vec<Value> = reports.items(no, asked.after, limit)?.iter().map(shown::item_json).collect();
        Ok(Some(shown::with(shown::proposal_json(&view), [("list", json!(list))])))
    });
    Ok(HttpResponse::Ok().json(found.await?.ok_or_else(Problem::not_found)?))
}

/// The body of a decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    sha256: String,
    #[serde(default)]
    words: String,
}

/// `POST /api/v1/proposals/{no}/{verb}`: approve, reject, withdraw. What is approved is carried out at once.
pub async fn decide(
    request: HttpRequest,
    path: web::Path<(i64, String)>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (no, verb) = path.into_inner();
    let verb = match verb.as_str() {
        "approve" => Verb::Approve,
        "reject" => Verb::Reject,
        "withdraw" => Verb::Withdraw,
        _ => return Err(Problem::not_found()),
    };
    let word: Word = read(&request, payload).await?;
    let mut hash = [0; 32];
    hex::decode_to_slice(&word.sha256, &mut hash).map_err(|_not_hex| bad("sha256: expected 64 hex digits"))?;
    let words = if word.words.is_empty() { Some(String::new()) } else { desk::text(&word.words) };
    let words = words.ok_or_else(|| bad("words: expected at most 1000 bytes"))?;
    let at = internal.intake.clock().now();
    let decision = Decision { proposal: ProposalNo(no), verb, by: author(caller)?, hash, words, at };
    let (decided, carried) = decide_and_carry_out(&internal, decision).await?;
    let refused = |why: &str| Err(Problem::conflict().saying(why));
    match decided {
        Decided::Done => {
            Ok(HttpResponse::Ok().json(json!({ "no": no, "done": carried.done, "refused": carried.refused })))
        }
        Decided::NotFound => Err(Problem::not_found()),
        Decided::Late => refused("it was decided before"),
        Decided::OtherList => refused("sha256: it is another list"),
        Decided::NotYours => refused(
            "nobody approves or rejects their own proposal, or withdraws another's; nor approves one of whom they can log in as, or could when it was made",
        ),
        Decided::BeyondAuthority => Err(Problem::forbidden().saying("the sum is beyond what you may approve")),
    }
}

/// Keeps a decision; what is approved is carried out at once.
pub(crate) async fn decide_and_carry_out(
    internal: &Internal,
    decision: Decision,
) -> Result<(Decided, CarriedOut), Problem> {
    let (writer, intake) = (Arc::clone(&internal.writer), Arc::clone(&internal.intake));
    let done = on_a_thread(move || {
        let (proposal, verb) = (decision.proposal, decision.verb);
        let mut slices = Slices::between(writer.as_ref());
        let decided = desk::decide(&mut slices, decision)?;
        if decided != Decided::Done || verb != Verb::Approve {
            return Ok((decided, CarriedOut::default()));
        }
        let context = || writer.context(intake.clock().as_ref());
        let senders = desk::senders(intake.partners().iter().map(AsRef::as_ref));
        // The approval counts whatever becomes of this: the next minute's round goes on.
        let carried = desk::carry_out(&mut slices, Some(proposal), &senders, &context).unwrap_or_else(|error| {
            tracing::warn!(error = %error, proposal = proposal.0, "What was approved waits to be carried out");
            CarriedOut::default()
        });
        Ok((decided, carried))
    });
    done.await?.map_err(|error: crate::ledger::SliceError| stopped(&error))
}

/// The query of `GET /api/v1/refunds/{partner}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundsQuery {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    format: String,
}

/// `GET /api/v1/refunds/{partner}`: what is to be given back and how far it got, or what the partner is asked.
pub async fn refunds(
    request: HttpRequest,
    path: web::Path<String>,
    asked: Query<RefundsQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let asked = query(asked, "all=, format=")?;
    let profile = internal.intake.profile(&path.into_inner()).ok_or_else(Problem::not_found)?;
    let (code, waiting_only) = (profile.code().clone(), !asked.all);
    let found = beside(&internal, move |reports| refunds::of(reports, &code, waiting_only)).await?;
    let found = found.map_err(|error| stopped(&error))?;
    match asked.format.as_str() {
        "" | "json" => Ok(HttpResponse::Ok().json(found.iter().map(refunds::to_json).collect::<Vec<_>>())),
        "request" => {
            let bytes = refunds::request(&found, profile.refund_columns()).map_err(|error| stopped(&error))?;
            Ok(HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(bytes))
        }
        _ => Err(bad("format: expected json or request")),
    }
}

/// `GET /api/v1/authorities`
pub async fn authorities(request: HttpRequest, internal: web::Data<Internal>) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let found = internal.readers.ask(|reports| reports.authorities()).await?;
    Ok(HttpResponse::Ok().json(found.iter().map(shown::authority_json).collect::<Vec<_>>()))
}

/// The body of an authority.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grant {
    person: String,
    action: String,
    dong: i64,
}

/// `POST /api/v1/authorities`
pub async fn grant(
    request: HttpRequest,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Ops)?;
    let granted_by = author(caller)?;
    let Grant { person, action, dong } = read(&request, payload).await?;
    let person = Author::parse(person).map_err(|e| bad(format!("person: {e}")))?;
    let expected = || bad(format!("action: expected one of {}", words(&Action::ALL.map(Action::word))));
    let action = Action::parse(&action).ok_or_else(expected)?;
    let at = internal.intake.clock().now();
    let refused = |why: &str| Err(Problem::conflict().saying(why));
    match given(&internal, Authority { person, action, dong, granted_by, at }).await? {
        Given::Done => Ok(HttpResponse::NoContent().finish()),
        Given::ToThemselves => refused("nobody gives authority to themselves"),
        Given::ByWhoCouldLogIn => refused(
            "authority needs two: whoever added that user or last gave that user a password, or got theirs from the same \
             person, leaves it to somebody else",
        ),
    }
}

/// What became of an authority that was to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// It counts from now on.
    Done,
    /// Nobody gives one to themselves.
    ToThemselves,
    /// Nor to somebody as whom they, or whoever gave them a password, could log in.
    ByWhoCouldLogIn,
}

/// Gives an authority, or takes it with a sum of -1.
///
/// # Errors
/// A sum below that, the machine's.
pub(crate) async fn given(internal: &Internal, authority: Authority) -> Result<Given, Problem> {
    if authority.dong < -1 {
        return Err(bad("dong: expected zero or more, or -1 for no authority"));
    }
    if authority.person == authority.granted_by {
        return Ok(Given::ToThemselves);
    }
    let Authority { person, action, dong, granted_by, .. } = authority.clone();
    let granted =
        on_writer(&internal.writer, move |store| transact(store, |tx| tx.grant(&authority)).map(|(done, _)| done));
    if !granted.await? {
        return Ok(Given::ByWhoCouldLogIn);
    }
    tracing::warn!(caller = %granted_by, %person, action = action.word(), dong, "An authority was given or taken");
    Ok(Given::Done)
}

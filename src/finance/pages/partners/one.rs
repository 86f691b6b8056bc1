//! One partner: its calls by what became of them, keys, layouts, terms.

use super::{calendar, state, today_of, unproved};
use crate::domain::receipt::Verdict;
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::Stop;
use crate::finance::told;
use crate::finance::words::Words;
use crate::finance::{form, show, terms};
use crate::http::internal::Internal;
use crate::http::operations::all_again;
use crate::ledger::writer::moment;
use crate::partner::Profile;
use crate::partner::settlement::{Counted, Fees};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;

/// Receipts of each lane that are looked back through for what became of a day's calls.
const CALLS_MAX: u32 = 100_000;

/// Calls with one verdict.
#[derive(Debug)]
struct VerdictRow {
    name: &'static str,
    count: String,
    sum: String,
}

/// A key, and when it proves calls.
#[derive(Debug)]
struct KeyRow {
    id: String,
    from: String,
    until: String,
    state: &'static str,
    look: &'static str,
}

#[derive(Template)]
#[template(path = "partner.html", config = "src/finance/askama.toml")]
struct PartnerPage {
    shell: Shell,
    w: Words,
    code: String,
    about: String,
    provisional: Option<String>,
    state: &'static str,
    look: &'static str,
    paused: bool,
    operates: bool,
    date: String,
    today: Vec<(&'static str, String)>,
    verdicts: Vec<VerdictRow>,
    /// There are more; so many were looked at.
    newest: Option<String>,
    keys: Vec<KeyRow>,
    terms: Vec<(&'static str, String)>,
    /// What a reading again came to.
    redone: Vec<(String, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

/// `GET /partners/{code}`
pub(super) async fn show(
    request: HttpRequest,
    path: web::Path<String>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let done: Done = form::query(&request, w)?;
    let said = match done.done.as_str() {
        "pause" => Some(w.pt_was_paused()),
        "resume" => Some(w.pt_was_resumed()),
        _ => None,
    };
    let profile = internal.intake.profile(&path.into_inner()).ok_or_else(|| Stop::not_there(w))?;
    shown(&who, &internal, &profile, (said, Vec::new())).await
}

/// Reads stored calls again, and shows what came of it.
pub(super) async fn redo(who: &Who, internal: &Internal, profile: &Profile) -> Result<HttpResponse, Stop> {
    let w = who.words();
    let redone = all_again(internal, profile).await.map_err(|problem| Stop::of(problem, w))?;
    tracing::info!(caller = %who.author(), partner = %profile.code(), read = redone.read, "Stored notices were read again");
    who.note(internal, "partner-redo", profile.code().as_str()).await?;
    let count = |n: u64| show::count(i64::try_from(n).unwrap_or(i64::MAX), w.0);
    let mut lines = vec![(w.pt_redone_read().to_owned(), count(redone.read))];
    lines.extend(redone.outcomes.into_iter().map(|(outcome, n)| (told::code(outcome, w), count(n))));
    shown(who, internal, profile, (Some(w.pt_was_redone()), lines)).await
}

async fn shown(
    who: &Who,
    internal: &Internal,
    profile: &Profile,
    (said, redone): (Option<&'static str>, Vec<(String, String)>),
) -> Result<HttpResponse, Stop> {
    let (w, at) = (who.words(), moment(internal.intake.clock().as_ref()));
    let code = profile.code();
    let day = today_of(internal, vec![code.clone()], (at.today, CALLS_MAX), w).await?;
    let (count, dong, repeats, heard, whole) = day.into_iter().next().unwrap_or_default();
    let last = heard.as_ref().map_or_else(|| show::NONE.to_owned(), |heard| show::moment(heard.at));
    let calls = heard.map(|heard| heard.calls).unwrap_or_default();
    let verdicts = calls.into_iter().map(|(verdict, of)| VerdictRow {
        name: terms::verdict(verdict, w),
        count: show::count(i64::try_from(of.count).unwrap_or(i64::MAX), w.0),
        sum: if moves(verdict) { show::money(of.dong, w.0) } else { show::NONE.to_owned() },
    });
    let verdicts = verdicts.collect();
    let (state, look) = state(internal, code, w);
    let known = calendar(internal).await;
    let known = known.map_or_else(|| w.pt_no_calendar().to_owned(), |year| format!("{} {year}", w.pt_calendar_to()));
    let mut terms = terms_of(profile, at.today, w);
    terms.push((w.pt_calendar(), known));
    page(
        &PartnerPage {
            shell: Shell::new(who, Part::Partners).saying(said),
            w,
            code: code.to_string(),
            about: profile.about().to_owned(),
            provisional: profile.provisional().map(str::to_owned),
            state,
            look,
            paused: internal.intake.is_paused(code),
            operates: who.may(Right::Operate),
            date: at.today.to_string(),
            today: vec![
                (w.pt_count(), show::count(count, w.0)),
                (w.cu_sum(), show::money(dong, w.0)),
                (w.pt_repeats(), show::count(repeats, w.0)),
                (w.pt_unproved(), show::count(unproved(internal, code), w.0)),
                (w.pt_heard(), last),
            ],
            verdicts,
            newest: (!whole).then(|| show::count(i64::from(CALLS_MAX), w.0)),
            keys: keys(profile, at.now, w),
            terms,
            redone,
        },
        w,
    )
}

fn keys(profile: &Profile, now: Timestamp, w: Words) -> Vec<KeyRow> {
    let moment = |at: Option<Timestamp>| at.map_or_else(|| show::NONE.to_owned(), show::moment);
    let spans = profile.key_spans().into_iter().map(|key| {
        let (state, look) = match () {
            () if key.from.is_some_and(|from| now < from) => (w.pt_key_later(), "warn"),
            () if key.until.is_some_and(|until| now >= until) => (w.pt_key_over(), "bad"),
            () => (w.pt_key_live(), "good"),
        };
        KeyRow { id: key.id, from: moment(key.from), until: moment(key.until), state, look }
    });
    spans.collect()
}

/// What papers and the profile say.
fn terms_of(profile: &Profile, today: Date, w: Words) -> Vec<(&'static str, String)> {
    let (contract, none) = (profile.contract(), || show::NONE.to_owned());
    let layouts: Vec<String> = StatementKind::ALL
        .into_iter()
        .filter_map(|kind| profile.statement(kind))
        .map(|layout| {
            let format = layout.format.map_or_else(|| w.pt_any_format(), |format| format.word());
            format!("{} ({format})", kind_word(layout.kind, w))
        })
        .collect();
    let settles = profile.terms().settlement_on(today).map(|terms| {
        let counted = match terms.cycle.counted {
            Counted::Working => w.pt_working_days(),
            Counted::Calendar => w.pt_calendar_days(),
        };
        let fees = match terms.fees {
            Fees::Net => w.pt_net(),
            Fees::Gross => w.pt_gross(),
        };
        format!("T+{} {counted}; {fees}", terms.cycle.days)
    });
    vec![
        (w.pt_name(), contract.name.clone().unwrap_or_else(none)),
        (w.pt_contract(), contract.contract_no.clone().unwrap_or_else(none)),
        (w.pt_contract_date(), contract.contract_date.map_or_else(none, show::day)),
        (w.cu_account(), profile.account().to_owned()),
        (w.pt_layouts(), if layouts.is_empty() { none() } else { layouts.join(", ") }),
        (w.pt_settles(), settles.unwrap_or_else(none)),
    ]
}

fn kind_word(kind: StatementKind, w: Words) -> &'static str {
    match kind {
        StatementKind::Partner => w.pt_kind_partner(),
        StatementKind::Core => w.pt_kind_core(),
        StatementKind::Bank => w.pt_kind_bank(),
    }
}

/// Does each call with this verdict stand for money of its own? A conflict is said again and again, and what was refused or
/// not read moved nothing: a sum of those says nothing.
fn moves(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Settled | Verdict::Parked | Verdict::Reversal | Verdict::Created => true,
        Verdict::ReversalRefused
        | Verdict::Conflict
        | Verdict::NotAPayment
        | Verdict::Refused
        | Verdict::Stale
        | Verdict::Unreadable
        | Verdict::Paused => false,
    }
}

//! Statements and comparisons for our own side: a file is received whole, then taken; a day is compared on a thread of
//! its own, with its own reading connection, one at a time.

use super::body;
use super::internal::Internal;
use super::problem::Problem;
use super::settlements;
use super::spool::{Incoming, Spool};
use super::tokens::{self, Scope};
use crate::domain::ids::Author;
use crate::domain::statement::StatementKind;
use crate::ledger::{SliceError, Slices};
use crate::partner::Profile;
use crate::partner::statement::Layout;
use crate::reconcile::import::{self, Brought, ImportError, Taken};
use crate::reconcile::read::{Limits, ReadError};
use crate::reconcile::report;
use crate::reconcile::run::{self, RunError, Subject};
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::statements::StatementFile;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Files in one answer.
const FILES_MAX: u32 = 500;

/// Differences in one answer; all of them are kept as breaks.
const DIFFERENCES_MAX: usize = 10_000;

/// The longest name of a file, in bytes.
const NAME_MAX: usize = 200;

/// The query of `POST /api/v1/statements`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    partner: String,
    date: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    name: String,
}

/// The query of a comparison.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindQuery {
    #[serde(default)]
    kind: Option<String>,
}

pub(super) fn bad(what: impl Into<String>) -> Problem {
    Problem::bad_request().saying(what)
}

fn kind_of(word: Option<&str>) -> Result<StatementKind, Problem> {
    let word = word.unwrap_or("partner");
    StatementKind::parse(word).ok_or_else(|| bad("kind: expected partner, core or bank"))
}

pub(super) fn day_of(text: &str) -> Result<Date, Problem> {
    text.parse().map_err(|_not_a_day| bad("date: expected YYYY-MM-DD"))
}

/// A partner's way to write a statement of this kind.
fn layout(profile: &Profile, kind: StatementKind) -> Result<&Layout, Problem> {
    let missing = || bad(format!("{} has no layout of a {} statement", profile.code(), kind.word()));
    profile.statement(kind).ok_or_else(missing)
}

/// Long work on a thread of its own; one at a time.
pub(crate) async fn alone<T: Send + 'static>(
    internal: &Internal,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let turn = Arc::clone(&internal.long_work).try_acquire_owned();
    let turn =
        turn.map_err(|_taken| Problem::conflict().saying("other long work of finance is under way; try again"))?;
    let (tell, answer) = oneshot::channel();
    let life = move || {
        let done = work();
        // Before the answer: whoever hears it may ask for the next.
        drop(turn);
        // Whoever asked may have hung up: it is done all the same.
        drop(tell.send(done));
    };
    std::thread::Builder::new()
        .name("reconcile".to_owned())
        .spawn(life)
        .map_err(|_no_thread| Problem::unavailable())?;
    answer.await.map_err(|_panicked| Problem::internal())?
}

pub(crate) fn stopped(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(error = %error, "Something that finance asked for was not done; it may be tried again");
    Problem::unavailable()
}

/// `POST /api/v1/statements`
pub async fn take(
    request: HttpRequest,
    payload: web::Payload,
    query: Result<web::Query<StatementQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let query = query.map_err(|_bad_query| bad("expected partner, date, and perhaps kind and name"))?.into_inner();
    body::refuse_encoded(&request)?;
    let author = Author::parse(caller.name.clone()).map_err(|e| bad(e.to_string()))?;
    let (kind, day) = (kind_of(query.kind.as_deref())?, day_of(&query.date)?);
    let profile = internal.intake.profile(&query.partner).ok_or_else(Problem::not_found)?;
    layout(&profile, kind)?;
    if query.name.len() > NAME_MAX || query.name.chars().any(char::is_control) {
        return Err(bad(format!("name: expected at most {NAME_MAX} bytes without control characters")));
    }
    let spool = Spool::new(&internal.spool)?;
    spool.receive(Incoming::new(payload, internal.import_bytes)).await?;
    let (writer, at) = (Arc::clone(&internal.writer), internal.intake.clock().now());
    let taken = alone(&internal, move || {
        let brought = Brought {
            layout: layout(&profile, kind)?,
            partner: profile.code(),
            account: profile.account(),
            day,
            name: if query.name.is_empty() { "upload" } else { &query.name },
            path: spool.path(),
            author: &author,
            at,
        };
        let mut slices = Slices::between(writer.as_ref());
        import::take(&mut slices, &brought, &Limits::default(), &mut |_| {}).map_err(not_taken)
    })
    .await?;
    tracing::info!(caller = caller.name, partner = query.partner, day = %day, kind = kind.word(), "A statement came");
    Ok(match taken {
        Taken::New { .. } => HttpResponse::Created().json(taken_json(&taken)),
        Taken::Before(_) => HttpResponse::Ok().json(taken_json(&taken)),
    })
}

/// What became of a file, as JSON.
#[must_use]
pub fn taken_json(taken: &Taken) -> Value {
    match taken {
        Taken::New { file, sums, supersedes } => json!({
            "file": file.0,
            "new": true,
            "lines": sums.lines,
            "payments": { "count": sums.payments.count, "dong": sums.payments.dong },
            "reversals": { "count": sums.reversals.count, "dong": sums.reversals.dong },
            "ignored": { "count": sums.ignored.count, "dong": sums.ignored.dong },
            "supersedes": supersedes.map(|no| no.0),
        }),
        Taken::Before(file) => json!({ "file": file.0, "new": false }),
    }
}

fn not_taken(error: ImportError) -> Problem {
    match error {
        ImportError::Read(ReadError::Refused(faults)) => {
            let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Problem::unprocessable().saying(words.join("; "))
        }
        ImportError::Superseded | ImportError::Sealed => Problem::conflict().saying(error.to_string()),
        ImportError::Read(_) | ImportError::Changed | ImportError::Slice(_) => stopped(&error),
    }
}

/// `GET /api/v1/statements`
pub async fn list(request: HttpRequest, internal: web::Data<Internal>) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let files = internal.readers.ask(|reports| reports.statements(FILES_MAX)).await?;
    Ok(HttpResponse::Ok().json(files.iter().map(file_json).collect::<Vec<_>>()))
}

fn file_json(file: &StatementFile) -> Value {
    let (new, sums) = (&file.statement, &file.sums);
    json!({
        "file": file.no.0,
        "partner": new.partner.as_str(),
        "date": new.day.to_string(),
        "kind": new.kind.word(),
        "name": new.name,
        "sha256": hex::encode(new.hash),
        "bytes": new.bytes,
        "state": file.state.word(),
        "lines": sums.lines,
        "payments": { "count": sums.payments.count, "dong": sums.payments.dong },
        "reversals": { "count": sums.reversals.count, "dong": sums.reversals.dong },
        "ignored": { "count": sums.ignored.count, "dong": sums.ignored.dong },
        "supersedes": file.supersedes.map(|no| no.0),
        "author": new.author.as_str(),
        "at": new.at.to_string(),
    })
}

/// `POST /api/v1/reconciliations/{partner}/{date}`
pub async fn compare(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    query: Result<web::Query<KindQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (partner, date) = path.into_inner();
    let query = query.map_err(|_bad_query| bad("expected kind or nothing"))?;
    let (kind, day) = (kind_of(query.kind.as_deref())?, day_of(&date)?);
    let author = Author::parse(caller.name.clone()).map_err(|e| bad(e.to_string()))?;
    let profile = internal.intake.profile(&partner).ok_or_else(Problem::not_found)?;
    let at = internal.intake.clock().now();
    let (writer, open) = (Arc::clone(&internal.writer), Arc::clone(&internal.open_reports));
    let calendar = internal.calendar.clone();
    let answer = alone(&internal, move || {
        let mut reports: Box<dyn Reports> = open().map_err(|error: StoreError| stopped(&error))?;
        let mut slices = Slices::between(writer.as_ref());
        if kind == StatementKind::Bank {
            let asked = (profile.as_ref(), calendar.as_deref(), day);
            return settlements::compare(reports.as_mut(), &mut slices, asked, (&author, at));
        }
        let layout = layout(&profile, kind)?;
        let subject = Subject::of(layout, profile.code(), day).ok_or_else(|| bad("date: outside the calendar"))?;
        let ways = run::ways(&subject, layout, &profile);
        let done = run::run(reports.as_mut(), &mut slices, (subject, &ways), (&author, at), &mut |_| {});
        Ok(report::to_json(&done.map_err(not_compared)?, DIFFERENCES_MAX))
    })
    .await?;
    tracing::info!(caller = caller.name, partner, day = %day, kind = kind.word(), "A day was compared");
    Ok(HttpResponse::Ok().json(answer))
}

fn not_compared(error: RunError) -> Problem {
    match error {
        RunError::Sealed => Problem::conflict().saying(error.to_string()),
        RunError::NoStatement(_) => Problem::not_found().saying(error.to_string()),
        RunError::NotComparable(_) | RunError::BankLeg => Problem::unprocessable().saying(error.to_string()),
        RunError::Untied(_) => {
            tracing::error!(error = %error, "Alarm: a comparison does not tie out; nothing of it was written");
            Problem::internal()
        }
        RunError::Slice(SliceError::Busy | SliceError::Store(_)) | RunError::Store(_) => stopped(&error),
    }
}

/// `GET /api/v1/reconciliations/{partner}/{date}`
pub async fn last(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    query: Result<web::Query<KindQuery>, actix_web::Error>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let (partner, date) = path.into_inner();
    let query = query.map_err(|_bad_query| bad("expected kind or nothing"))?;
    let (kind, day) = (kind_of(query.kind.as_deref())?, day_of(&date)?);
    let profile = internal.intake.profile(&partner).ok_or_else(Problem::not_found)?;
    let code = profile.code().clone();
    let found = internal.readers.ask(move |reports| reports.reconciliation(kind, &code, day)).await?;
    let view = found.ok_or_else(Problem::not_found)?;
    let kept = &view.reconciliation;
    let sums: Value = serde_json::from_str(&kept.sums).unwrap_or(Value::Null);
    Ok(HttpResponse::Ok().json(json!({
        "reconciliation": view.no.0,
        "partner": kept.partner.as_str(),
        "date": kept.day.to_string(),
        "kind": kept.kind.word(),
        "file": kept.file.map(|no| no.0),
        "rules": kept.rules,
        "sums": sums,
        "author": kept.author.as_str(),
        "at": kept.at.to_string(),
    })))
}

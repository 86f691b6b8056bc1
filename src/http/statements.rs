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
use crate::reconcile::settlement::run::SettleError;
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::statements::StatementFile;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Files in one answer.
const FILES_MAX: u32 = 500;

/// Differences in one answer; all of them are kept as breaks.
const DIFFERENCES_MAX: usize = 10_000;

/// The longest name of a file, in bytes.
pub(crate) const NAME_MAX: usize = 200;

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
pub(crate) fn layout(profile: &Profile, kind: StatementKind) -> Result<&Layout, Problem> {
    let missing = || bad(format!("{} has no layout of a {} statement", profile.code(), kind.word()));
    profile.statement(kind).ok_or_else(missing)
}

/// Long work on a thread of its own; one at a time.
pub(crate) async fn alone<T: Send + 'static>(
    internal: &Internal,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    in_turn(turn(internal)?, work).await
}

/// The turn for long work, if nobody has it.
pub(crate) fn turn(internal: &Internal) -> Result<OwnedSemaphorePermit, Problem> {
    let turn = Arc::clone(&internal.long_work).try_acquire_owned();
    turn.map_err(|_taken| Problem::conflict().saying("other long work of finance is under way; try again"))
}

/// Long work of whoever has the turn.
async fn in_turn<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
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
    let name = if query.name.is_empty() { "upload".to_owned() } else { query.name };
    let upload = Upload { profile, kind, day, name, spool, author };
    let turn = turn(&internal)?;
    let taken = taken(&internal, turn, upload, |_| {}).await?.map_err(not_taken)?;
    Ok(match taken {
        Taken::New { .. } => HttpResponse::Created().json(taken_json(&taken)),
        Taken::Before(_) => HttpResponse::Ok().json(taken_json(&taken)),
    })
}

/// A file that was received whole.
pub(crate) struct Upload {
    /// Of which partner.
    pub profile: Arc<Profile>,
    /// Whose word it is.
    pub kind: StatementKind,
    /// Of which day.
    pub day: Date,
    /// What it was called.
    pub name: String,
    /// Where it waits.
    pub spool: Spool,
    /// Who brings it.
    pub author: Author,
}

/// Takes a file, for the API and for the desk.
pub(crate) async fn taken(
    internal: &Internal,
    turn: OwnedSemaphorePermit,
    upload: Upload,
    mut told: impl FnMut(import::Stage) + Send + 'static,
) -> Result<Result<Taken, ImportError>, Problem> {
    let (writer, at) = (Arc::clone(&internal.writer), internal.intake.clock().now());
    let (by, partner, day, kind) = (upload.author.clone(), upload.profile.code().clone(), upload.day, upload.kind);
    let done = in_turn(turn, move || {
        let Upload { profile, kind, day, name, spool, author } = &upload;
        let brought = Brought {
            layout: layout(profile, *kind)?,
            partner: profile.code(),
            account: profile.account(),
            day: *day,
            name,
            path: spool.path(),
            author,
            at,
        };
        let mut slices = Slices::between(writer.as_ref());
        Ok(import::take(&mut slices, &brought, &Limits::default(), &mut told))
    })
    .await?;
    tracing::info!(caller = %by, %partner, %day, kind = kind.word(), taken = done.is_ok(), "A statement came");
    Ok(done)
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
    let turn = turn(&internal)?;
    let asked = DayToCompare { profile, kind, day, author };
    let answer = compared(&internal, turn, asked, DIFFERENCES_MAX, |_| {}).await?;
    Ok(HttpResponse::Ok().json(answer.map_err(not_compared)?))
}

/// A day to be compared.
pub(crate) struct DayToCompare {
    /// Of which partner.
    pub profile: Arc<Profile>,
    /// With whose word.
    pub kind: StatementKind,
    /// Which day.
    pub day: Date,
    /// Who asks.
    pub author: Author,
}

/// Why a day was not compared, whichever leg it is.
#[derive(Debug)]
pub enum NotCompared {
    /// Payment by payment.
    Payments(RunError),
    /// With the bank.
    Bank(SettleError),
}

/// Compares a day, for the API and for the desk: what it came to, with that many differences at most.
pub(crate) async fn compared(
    internal: &Internal,
    turn: OwnedSemaphorePermit,
    asked: DayToCompare,
    differences_max: usize,
    mut told: impl FnMut(run::Stage) + Send + 'static,
) -> Result<Result<Value, NotCompared>, Problem> {
    let at = internal.intake.clock().now();
    let (writer, open) = (Arc::clone(&internal.writer), Arc::clone(&internal.open_reports));
    let calendar = internal.calendar.clone();
    in_turn(turn, move || {
        let DayToCompare { profile, kind, day, author } = asked;
        let mut reports: Box<dyn Reports> = open().map_err(|error: StoreError| stopped(&error))?;
        let mut slices = Slices::between(writer.as_ref());
        if kind == StatementKind::Bank {
            let asked = (profile.as_ref(), calendar.as_deref(), day);
            let done = settlements::compare(reports.as_mut(), &mut slices, asked, (&author, at))?;
            return Ok(done.map_err(NotCompared::Bank));
        }
        let layout = layout(&profile, kind)?;
        let subject = Subject::of(layout, profile.code(), day).ok_or_else(|| bad("date: outside the calendar"))?;
        let ways = run::ways(&subject, layout, &profile);
        let done = run::run(reports.as_mut(), &mut slices, (subject, &ways), (&author, at), &mut told);
        tracing::info!(caller = %author, partner = %profile.code(), %day, kind = kind.word(), "A day was compared");
        Ok(done.map(|done| report::to_json(&done, differences_max)).map_err(NotCompared::Payments))
    })
    .await
}

fn not_compared(error: NotCompared) -> Problem {
    let error = match error {
        NotCompared::Bank(error) => return settlements::not_settled(&error),
        NotCompared::Payments(error) => error,
    };
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

//! Breaks for our own side: lists, one with its history and evidence, what people say of it. Who says it is who the token
//! says. What is proposed and decided about them is in `proposals`.

use super::body::{self, Bounds};
use super::internal::{Internal, on_writer};
use super::problem::Problem;
use super::statements::{bad, stopped};
use super::tokens::{self, Scope};
use super::views;
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::resolution::{Age, BreakState};
use crate::domain::review::BreakClass;
use crate::ledger::transact;
use crate::ledger::writer::moment;
use crate::reconcile::desk;
use crate::reconcile::desk::views as shown;
use crate::reconcile::export::{self, Cell, Column, Fact, Format, Kind, Label, Language, Options, Separator};
use crate::store::StoreError;
use crate::store::desk::{Attachment, BreakFilter, Mark};
use crate::store::reports::Reports;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A list of ten thousand resolutions, and the largest file beside a note.
const BODY_BYTES: usize = 5 << 20;

/// For the whole of a body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Rows in one answer.
const ROWS_MAX: u32 = 1_000;

/// Rows in one answer unless it is said.
const ROWS: u32 = 100;

/// Rows in one export.
const EXPORT_MAX: usize = 200_000;

/// Files that are kept with one break.
const FILES_MAX: usize = 20;

/// The longest name of a file, in bytes.
const NAME_MAX: usize = 200;

pub(super) type Query<T> = Result<web::Query<T>, actix_web::Error>;

pub(super) fn query<T>(query: Query<T>, expected: &str) -> Result<T, Problem> {
    query.map(web::Query::into_inner).map_err(|_bad_query| bad(format!("expected {expected}, or nothing")))
}

pub(super) fn rows(limit: Option<u32>) -> Result<u32, Problem> {
    let limit = limit.unwrap_or(ROWS);
    if (1..=ROWS_MAX).contains(&limit) { Ok(limit) } else { Err(bad(format!("limit: expected 1 to {ROWS_MAX}"))) }
}

pub(super) async fn read<T: serde::de::DeserializeOwned>(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<T, Problem> {
    let bytes = body::whole(request, payload, Bounds { bytes: BODY_BYTES, deadline: BODY_DEADLINE }).await?;
    // Serde's own words name the field and what was expected; the body is of our own side.
    serde_json::from_slice(&bytes).map_err(|not_it| bad(format!("the body: {not_it}")))
}

pub(super) fn author(caller: &tokens::Token) -> Result<Author, Problem> {
    Author::parse(caller.name.clone()).map_err(|e| bad(e.to_string()))
}

/// The query of `GET /api/v1/breaks`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreaksQuery {
    state: Option<String>,
    class: Option<String>,
    partner: Option<String>,
    assignee: Option<String>,
    age: Option<String>,
    closed: bool,
    before: Option<i64>,
    limit: Option<u32>,
}

impl BreaksQuery {
    /// What was asked for, for the head of an export.
    fn facts(&self) -> Vec<Fact> {
        let said = [
            ("state", "Trạng thái", "State", self.state.clone()),
            ("class", "Loại", "Class", self.class.clone()),
            ("partner", "Đối tác", "Partner", self.partner.clone()),
            ("assignee", "Người xử lý", "Assignee", self.assignee.clone()),
            ("age", "Tuổi", "Age", self.age.clone()),
            ("closed", "Cả đã đóng", "Also closed", self.closed.then(|| "yes".to_owned())),
        ];
        let fact = |(key, vi, en, value): (&'static str, &'static str, &'static str, Option<String>)| {
            let name = Column { key, label: Label { vi, en }, kind: Kind::Text };
            Some(Fact { name, value: Cell::text(value?) })
        };
        said.into_iter().filter_map(fact).collect()
    }

    fn filter(&self, today: Date) -> Result<BreakFilter, Problem> {
        let state = self.state.as_deref().map(|word| {
            BreakState::parse(word)
                .ok_or_else(|| bad(format!("state: expected one of {}", words(&BreakState::ALL.map(BreakState::word)))))
        });
        let class = self.class.as_deref();
        let class = class.map(|code| BreakClass::parse(code).ok_or_else(|| bad("class: expected a class's code")));
        let partner = self.partner.clone().map(PartnerCode::parse).transpose();
        let assignee = self.assignee.clone().map(Author::parse).transpose();
        let (aged_from, aged_to) = match self.age.as_deref() {
            None => (None, None),
            Some(word) => aged(word, today)?,
        };
        let state = state.transpose()?;
        Ok(BreakFilter {
            open_only: !self.closed && state != Some(BreakState::Closed),
            state,
            class: class.transpose()?,
            partner: partner.map_err(|e| bad(e.to_string()))?,
            assignee: assignee.map_err(|e| bad(e.to_string()))?,
            aged_from,
            aged_to,
            before: self.before,
            limit: rows(self.limit)?,
            ..BreakFilter::default()
        })
    }
}

pub(super) fn words(words: &[&str]) -> String {
    words.join(", ")
}

/// The accounting days of a bucket.
fn aged(word: &str, today: Date) -> Result<(Option<Date>, Option<Date>), Problem> {
    let found = Age::BUCKETS.into_iter().find(|age| age.word() == word);
    let age = found.ok_or_else(|| bad("age: expected one of 0, 1, 2-3, 4-7, 8-15, 16-30, >30"))?;
    let before = |days: i32| today.checked_sub(days.days()).ok();
    // What is of a later day than today is none old.
    let to = if age.from_days == 0 { None } else { before(age.from_days) };
    Ok((age.to_days.and_then(before), to))
}

/// `GET /api/v1/breaks`
pub async fn breaks(
    request: HttpRequest,
    asked: Query<BreaksQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let today = moment(internal.intake.clock().as_ref()).today;
    let filter = query(asked, "state=, class=, partner=, assignee=, age=, closed=, before=, limit=")?.filter(today)?;
    let found = internal.readers.ask(move |reports| reports.breaks(&filter)).await?;
    Ok(HttpResponse::Ok().json(found.iter().map(|about| shown::break_json(about, today)).collect::<Vec<_>>()))
}

/// The query of `GET /api/v1/breaks/export`: the list's filter, and how it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExportQuery {
    format: String,
    lang: String,
    separator: String,
    state: Option<String>,
    class: Option<String>,
    partner: Option<String>,
    assignee: Option<String>,
    age: Option<String>,
    closed: bool,
}

impl ExportQuery {
    fn filter(&self) -> BreaksQuery {
        BreaksQuery {
            state: self.state.clone(),
            class: self.class.clone(),
            partner: self.partner.clone(),
            assignee: self.assignee.clone(),
            age: self.age.clone(),
            closed: self.closed,
            before: None,
            limit: None,
        }
    }

    fn options(&self) -> Result<(Options, &'static str), Problem> {
        let format = Format::parse(&self.format).ok_or_else(|| bad("format: expected xlsx, csv or json"))?;
        let language = match self.lang.as_str() {
            "" | "vi" => Language::Vi,
            "en" => Language::En,
            _ => return Err(bad("lang: expected vi or en")),
        };
        let separator = match self.separator.as_str() {
            "" | "," => Separator::Comma,
            ";" => Separator::Semicolon,
            _ => return Err(bad("separator: expected , or ;")),
        };
        let kind = match format {
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Format::Csv => "text/csv; charset=utf-8",
            Format::Json => "application/json",
        };
        Ok((Options { language, separator, ..Options::of(format) }, kind))
    }
}

/// `GET /api/v1/breaks/export`: exactly those of the filter, all of them.
pub async fn export(
    request: HttpRequest,
    form: Query<ExportQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let form = query(form, "format=, lang=, separator=, state=, class=, partner=, assignee=, age=, closed=")?;
    let ((options, kind), asked) = (form.options()?, form.filter());
    let (at, by) = (internal.intake.clock().now(), caller.name.clone());
    let today = moment(internal.intake.clock().as_ref()).today;
    let (filter, facts) = (asked.filter(today)?, asked.facts());
    let written = beside(&internal, move |reports| -> Result<Vec<u8>, Problem> {
        let mut rows = Vec::new();
        let mut before = filter.before;
        loop {
            let page = BreakFilter { before, limit: ROWS_MAX, ..filter.clone() };
            let page = reports.breaks(&page).map_err(|error| stopped(&error))?;
            let Some(last) = page.last() else { break };
            before = Some(last.no);
            rows.extend(page);
            if rows.len() > EXPORT_MAX {
                return Err(Problem::unprocessable().saying(format!("more than {EXPORT_MAX} rows: narrow the filter")));
            }
        }
        let table = export::breaks(&rows, facts, &by, at);
        let mut bytes = Vec::new();
        let mut cells = rows.iter().map(export::break_cells);
        export::write(&table, &mut cells, &options, &mut bytes).map_err(|error| stopped(&error))?;
        Ok(bytes)
    });
    let bytes = written.await??;
    Ok(HttpResponse::Ok().content_type(kind).insert_header(("cache-control", "no-store")).body(bytes))
}

/// `GET /api/v1/breaks/{no}`: with its history and its evidence.
pub async fn one(
    request: HttpRequest,
    path: web::Path<i64>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (no, intake) = (path.into_inner(), Arc::clone(&internal.intake));
    let today = moment(internal.intake.clock().as_ref()).today;
    let found = internal.readers.ask(move |reports| {
        let Some(about) = reports.one_break(no)? else { return Ok(None) };
        let profile = about.partner.as_ref().and_then(|partner| intake.profile(partner.as_str()));
        let history: Vec<Value> = reports.notes(no)?.iter().map(shown::note_json).collect();
        let evidence = desk::evidence::of(reports, profile.as_deref(), &about)?;
        let books = match about.event {
            Some(event) => match reports.event(&event)? {
                Some(record) => json!(views::Payment::whole(reports, record)?),
                None => Value::Null,
            },
            None => Value::Null,
        };
        let more = [("history", json!(history)), ("evidence", evidence), ("books", books)];
        Ok(Some(shown::with(shown::break_json(&about, today), more)))
    });
    let whole = found.await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(whole))
}

/// `GET /api/v1/breaks/{no}/files/{note}`
pub async fn file(
    request: HttpRequest,
    path: web::Path<(i64, i64)>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (no, note) = path.into_inner();
    let found = internal.readers.ask(move |reports| {
        let own = reports.notes(no)?.iter().any(|of| of.no == note);
        if own { reports.attachment(note) } else { Ok(None) }
    });
    let file = found.await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(("content-disposition", "attachment"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(file.bytes))
}

/// What one person says of a break.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    text: String,
    to: String,
}

/// `POST /api/v1/breaks/{no}/{action}`: comment, assign, accept.
pub async fn mark(
    request: HttpRequest,
    path: web::Path<(i64, String)>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let (no, action) = path.into_inner();
    let said: Said = read(&request, payload).await?;
    let text = || desk::text(&said.text).ok_or_else(|| bad("text: expected 1 to 1000 bytes"));
    let mark = match action.as_str() {
        "comment" => Mark::Comment(text()?),
        "accept" => Mark::Accept(text()?),
        "assign" if said.to.is_empty() => Mark::Assign(None),
        "assign" => Mark::Assign(Some(Author::parse(said.to.clone()).map_err(|e| bad(format!("to: {e}")))?)),
        _ => return Err(Problem::not_found()),
    };
    marked(&internal, author(caller)?, no, mark).await
}

/// The query of `POST /api/v1/breaks/{no}/files`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    name: String,
    #[serde(default)]
    text: String,
}

/// `POST /api/v1/breaks/{no}/files`
pub async fn attach(
    request: HttpRequest,
    path: web::Path<i64>,
    asked: Query<FileQuery>,
    payload: web::Payload,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    let FileQuery { name, text } = query(asked, "name= and perhaps text=")?;
    if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(bad(format!("name: expected 1 to {NAME_MAX} bytes without control characters")));
    }
    let bytes = body::whole(&request, payload, Bounds { bytes: BODY_BYTES, deadline: BODY_DEADLINE }).await?.to_vec();
    let text = desk::text(&text).unwrap_or_else(|| name.clone());
    let no = path.into_inner();
    let kept = internal.readers.ask(move |reports| reports.notes(no)).await?;
    if kept.iter().filter(|note| note.attachment.is_some()).count() >= FILES_MAX {
        return Err(Problem::conflict().saying(format!("a break keeps at most {FILES_MAX} files")));
    }
    let file = Attachment { name, hash: Sha256::digest(&bytes).into(), bytes };
    marked(&internal, author(caller)?, no, Mark::Attach(text, file)).await
}

async fn marked(internal: &Internal, by: Author, no: i64, mark: Mark) -> Result<HttpResponse, Problem> {
    let at = internal.intake.clock().now();
    let marked = on_writer(&internal.writer, move |store| {
        transact(store, |tx| tx.mark_breaks(&[no], &mark, &by, at)).map(|(marked, _held)| marked)
    });
    if marked.await? == 1 {
        return Ok(HttpResponse::NoContent().finish());
    }
    let known = internal.readers.ask(move |reports| reports.one_break(no)).await?;
    Err(known.map_or_else(Problem::not_found, |_closed| Problem::conflict().saying("the break is closed")))
}

/// A question that may take long, on a reading connection of its own.
pub(crate) async fn beside<T: Send + 'static>(
    internal: &Internal,
    ask: impl FnOnce(&mut dyn Reports) -> T + Send + 'static,
) -> Result<T, Problem> {
    let turn = Arc::clone(&internal.desk_work).try_acquire_owned();
    let turn = turn.map_err(|_taken| Problem::unavailable().saying("too much is asked at once; try again"))?;
    let open = Arc::clone(&internal.open_reports);
    on_a_thread(move || {
        let _turn = turn;
        let mut reports = open().map_err(|error: StoreError| stopped(&error))?;
        Ok(ask(reports.as_mut()))
    })
    .await?
}

/// Work that waits for the writer, on a thread that may.
pub(crate) async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let (tell, answer) = oneshot::channel();
    // Whoever asked may have hung up: it is done all the same.
    let life = move || drop(tell.send(work()));
    std::thread::Builder::new().name("desk".to_owned()).spawn(life).map_err(|_no_thread| Problem::unavailable())?;
    answer.await.map_err(|_panicked| Problem::internal())
}

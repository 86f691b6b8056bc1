//! Breaks for our own side: lists, one with its history and evidence, what people say of it. Who says it is who the token
//! says. What is proposed and decided about them is in `proposals`.

use super::body::{self, Bounds};
use super::breaks_query::BreaksQuery;
use super::internal::{Internal, on_writer};
use super::problem::Problem;
use super::statements::{bad, stopped};
use super::tokens::{self, Scope};
use super::views;
use crate::domain::ids::{Author, PartnerCode};
use crate::ledger::transact;
use crate::ledger::writer::moment;
use crate::reconcile::desk;
use crate::reconcile::desk::views as shown;
use crate::reconcile::export::{self, Format, Language, Options, Separator};
use crate::store::StoreError;
use crate::store::desk::{Attachment, BreakFilter, Mark};
use crate::store::reports::Reports;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A list of ten thousand resolutions, and the largest file beside a note.
pub(crate) const BODY_BYTES: usize = 5 << 20;

/// How long a question that may take long waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(5);

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

pub(super) fn words(words: &[&str]) -> String {
    words.join(", ")
}

/// `GET /api/v1/breaks`
pub async fn breaks(
    request: HttpRequest,
    asked: Query<BreaksQuery>,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Problem> {
    tokens::allow(&internal.tokens, &request, Scope::Read)?;
    let asked = query(asked, "the words of a filter, as openapi.yaml says, before=, after=, limit=")?;
    let today = moment(internal.intake.clock().as_ref()).today;
    let (filter, partners) = (asked.filter(today)?, partners(&internal));
    let found = internal.readers.ask(move |reports| {
        let found = asked.found(reports, &partners)?;
        reports.breaks(&BreakFilter { found, ..filter })
    });
    Ok(HttpResponse::Ok().json(found.await?.iter().map(|about| shown::break_json(about, today)).collect::<Vec<_>>()))
}

/// The codes of all partners.
pub(crate) fn partners(internal: &Internal) -> Vec<PartnerCode> {
    internal.intake.partners().iter().map(|profile| profile.code().clone()).collect()
}

/// How an export is written: the part of its query that is no filter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExportForm {
    format: String,
    lang: String,
    separator: String,
}

impl ExportForm {
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
pub async fn export(request: HttpRequest, internal: web::Data<Internal>) -> Result<HttpResponse, Problem> {
    let caller = tokens::allow(&internal.tokens, &request, Scope::Finance)?;
    exported(&internal, request.query_string(), &caller.name).await
}

/// The export that a query asks for: its words are those of the filter, and those of [`ExportForm`].
pub(crate) async fn exported(internal: &Internal, query: &str, by: &str) -> Result<HttpResponse, Problem> {
    let expected = |_not_it| bad("expected format=, lang=, separator= and the words of a filter");
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(expected)?;
    let (form, asked): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| matches!(name.as_str(), "format" | "lang" | "separator"));
    let form: ExportForm = from_pairs(&form).map_err(expected)?;
    let asked: BreaksQuery = from_pairs(&asked).map_err(expected)?;
    let asked = BreaksQuery { before: None, after: None, limit: None, ..asked };
    let ((options, kind), at, by) = (form.options()?, internal.intake.clock().now(), by.to_owned());
    let (filter, facts) = (asked.filter(moment(internal.intake.clock().as_ref()).today)?, asked.facts());
    let partners = partners(internal);
    let written = beside(internal, move |reports| -> Result<Vec<u8>, Problem> {
        let found = asked.found(reports, &partners).map_err(|error| stopped(&error))?;
        let filter = BreakFilter { found, ..filter };
        let mut rows = Vec::new();
        let mut before = None;
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

fn from_pairs<T: serde::de::DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, serde_urlencoded::de::Error> {
    serde_urlencoded::from_str(&serde_urlencoded::to_string(pairs).unwrap_or_default())
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
        let evidence = desk::evidence::to_json(&desk::evidence::of(reports, profile.as_deref(), &about)?);
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
    let file = attachment(&internal, no, note).await?.ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(("content-disposition", "attachment"))
        .insert_header(("x-content-type-options", "nosniff"))
        .body(file.bytes))
}

/// The file beside a note, if the note is of this break.
pub(crate) async fn attachment(internal: &Internal, no: i64, note: i64) -> Result<Option<Attachment>, Problem> {
    let found = internal.readers.ask(move |reports| {
        let own = reports.notes(no)?.iter().any(|of| of.no == note);
        if own { reports.attachment(note) } else { Ok(None) }
    });
    Ok(found.await?)
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
    answer(marked(&internal, author(caller)?, no, mark).await?)
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
    if !is_file_name(&name) {
        return Err(bad(format!("name: expected 1 to {NAME_MAX} bytes without control characters")));
    }
    let bytes = body::whole(&request, payload, Bounds { bytes: BODY_BYTES, deadline: BODY_DEADLINE }).await?.to_vec();
    let text = desk::text(&text).unwrap_or_else(|| name.clone());
    let file = Attachment { name, hash: Sha256::digest(&bytes).into(), bytes };
    answer(attached(&internal, author(caller)?, path.into_inner(), (text, file)).await?)
}

/// May a file that is kept be called this?
pub(crate) fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_MAX && !name.chars().any(char::is_control)
}

/// What became of one person's word on a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It is in the history.
    Done,
    /// There is no such break.
    NotThere,
    /// The break is closed.
    Closed,
    /// It keeps as many files as a break may.
    Full,
}

fn answer(marked: Marked) -> Result<HttpResponse, Problem> {
    match marked {
        Marked::Done => Ok(HttpResponse::NoContent().finish()),
        Marked::NotThere => Err(Problem::not_found()),
        Marked::Closed => Err(Problem::conflict().saying("the break is closed")),
        Marked::Full => Err(Problem::conflict().saying(format!("a break keeps at most {FILES_MAX} files"))),
    }
}

/// Keeps a file with what it is.
pub(crate) async fn attached(
    internal: &Internal,
    by: Author,
    no: i64,
    (text, file): (String, Attachment),
) -> Result<Marked, Problem> {
    let kept = internal.readers.ask(move |reports| reports.notes(no)).await?;
    if kept.iter().filter(|note| note.attachment.is_some()).count() >= FILES_MAX {
        return Ok(Marked::Full);
    }
    marked(internal, by, no, Mark::Attach(text, file)).await
}

/// Keeps one person's word on a break.
pub(crate) async fn marked(internal: &Internal, by: Author, no: i64, mark: Mark) -> Result<Marked, Problem> {
    let at = internal.intake.clock().now();
    let marked = on_writer(&internal.writer, move |store| {
        transact(store, |tx| tx.mark_breaks(&[no], &mark, &by, at)).map(|(marked, _held)| marked)
    });
    if marked.await? == 1 {
        return Ok(Marked::Done);
    }
    let known = internal.readers.ask(move |reports| reports.one_break(no)).await?;
    Ok(known.map_or(Marked::NotThere, |_closed| Marked::Closed))
}

/// A question that may take long, on a reading connection of its own.
pub(crate) async fn beside<T: Send + 'static>(
    internal: &Internal,
    ask: impl FnOnce(&mut dyn Reports) -> T + Send + 'static,
) -> Result<T, Problem> {
    let turn = Arc::clone(&internal.desk_work).acquire_owned();
    let turn = tokio::time::timeout(TURN_WAIT, turn).await.map_err(|_late| Problem::unavailable())?;
    let turn = turn.map_err(|_closed| Problem::unavailable())?;
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

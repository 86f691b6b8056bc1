//! What does not tie out: the list with its filters, sums and marks in bulk. All of its state is in the address, so that a
//! link shows somebody else the same rows.

use crate::domain::ids::{Author, PartnerCode};
use crate::domain::resolution::{Age, BreakState, ITEMS_MAX};
use crate::domain::review::BreakClass;
use crate::domain::statement::StatementKind;
use crate::domain::user::{Right, Tongue};
use crate::finance::form::{self, Form};
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::terms;
use crate::finance::told::author;
use crate::finance::why;
use crate::finance::wish;
use crate::finance::words::Words;
use crate::http::breaks_query::BreaksQuery;
use crate::http::desk::{self as api, beside, partners};
use crate::http::internal::{Internal, on_writer};
use crate::http::statements::stopped;
use crate::ledger::transact;
use crate::ledger::writer::moment;
use crate::reconcile::desk::{text, views::age_days};
use crate::store::StoreError;
use crate::store::desk::{BreakFilter, BreakView, Mark};
use crate::store::pages::BreakFacet;
use crate::store::reports::Reports;
use crate::store::users::SavedView;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use std::collections::BTreeSet;

/// Rows on a page.
const ROWS: u32 = 100;

/// Characters of what a break is about in the list.
const ABOUT_CHARS: usize = 16;

/// Breaks that are marked in one transaction.
const MARKED_AT_ONCE: usize = 100;

/// The longest name of a saved view, in bytes.
const LABEL_MAX: usize = 60;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/breaks", web::get().to(list))
        .route("/breaks/export", web::get().to(export))
        .route("/breaks/mark", web::post().to(mark))
        .route("/breaks/views", web::post().to(keep_view));
}

/// A row.
struct Row {
    no: i64,
    class: &'static str,
    code: &'static str,
    partner: String,
    day: String,
    age: i32,
    old: bool,
    off: String,
    is_off: bool,
    amount: String,
    dong: i64,
    theirs: String,
    ours: String,
    about: String,
    /// The same as it fits into the list.
    short: String,
    detail: String,
    assignee: String,
    state: &'static str,
    tone: &'static str,
    place: String,
}

/// A choice of a filter.
struct Choice {
    value: String,
    name: String,
    chosen: bool,
}

/// A class with what there is of it.
struct ClassLine {
    name: &'static str,
    count: String,
    sum: String,
    place: String,
    here: bool,
}

/// A saved view.
struct ViewLine {
    label: String,
    place: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "breaks.html", config = "src/finance/askama.toml")]
struct Page {
    shell: Shell,
    w: Words,
    asked: BreaksQuery,
    address: String,
    states: Vec<Choice>,
    classes: Vec<Choice>,
    partners: Vec<Choice>,
    ages: Vec<Choice>,
    areas: Vec<Choice>,
    legs: Vec<Choice>,
    orders: Vec<Choice>,
    actions: Vec<Choice>,
    rows: Vec<Row>,
    by_class: Vec<ClassLine>,
    views: Vec<ViewLine>,
    count: String,
    plain_count: u64,
    sum: String,
    before: Option<String>,
    after: Option<String>,
    may_propose: bool,
    may_export: bool,
}

/// What the books say.
struct Answer {
    rows: Vec<BreakView>,
    more: bool,
    facets: Vec<BreakFacet>,
    views: Vec<SavedView>,
}

fn ask(
    reports: &mut dyn Reports,
    asked: &BreaksQuery,
    filter: BreakFilter,
    (of, partners): (&Author, &[PartnerCode]),
) -> Result<Answer, StoreError> {
    let found = asked.found(reports, partners)?;
    let filter = BreakFilter { found, ..filter };
    let mut rows = reports.breaks(&BreakFilter { limit: ROWS + 1, ..filter.clone() })?;
    let more = rows.len() > usize::try_from(ROWS).unwrap_or(usize::MAX);
    if more {
        // One more than is shown was asked for, to know whether there is another page: it is the farthest one.
        drop(if asked.after.is_some() { rows.remove(0) } else { rows.remove(rows.len().saturating_sub(1)) });
    }
    let all = !more && (filter.before, filter.after, filter.class) == (None, None, None);
    // A search that finds a few has looked at every break: it is not made twice.
    let facets = if all { BreakFacet::of(&rows) } else { reports.break_facets(&filter)? };
    Ok(Answer { rows, more, facets, views: reports.saved_views(of)? })
}

/// A page's query: that of the list, and what was just done.
fn asked(request: &HttpRequest, w: Words) -> Result<(BreaksQuery, Option<String>), Stop> {
    let pairs: Vec<(String, String)> = form::query(request, w)?;
    let said = |of: &str| pairs.iter().find(|(name, _)| name == of).map(|(_, value)| value.as_str());
    let done = match (said("done"), said("of").and_then(|of| of.parse::<u64>().ok())) {
        // The last one of the list was dealt with on its own page.
        (Some(_), Some(of)) => Some(format!("#{of}: {}", w.saved())),
        (Some(count), None) => {
            count.parse::<u32>().ok().map(|n| format!("{} {n} {}.", w.break_marked(), w.break_rows()))
        }
        (None, _) => None,
    };
    let own = |(name, value): &(String, String)| name != "done" && name != "of" && !value.is_empty();
    let rest: Vec<_> = pairs.iter().filter(|pair| own(pair)).collect();
    let text = serde_urlencoded::to_string(rest).unwrap_or_default();
    let asked = serde_urlencoded::from_str(&text).map_err(|_not_ours| Stop::not_there(w))?;
    Ok((asked, done))
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let (asked, done) = asked(&request, w)?;
    let today = moment(internal.intake.clock().as_ref()).today;
    let filter = asked.filter(today).map_err(|problem| Stop::of(problem, w))?;
    let (of, known, query) = (who.author().clone(), partners(&internal), asked.clone());
    let answer = beside(&internal, move |reports| ask(reports, &query, filter, (&of, &known))).await;
    let answer = answer.map_err(|problem| Stop::of(problem, w))?.map_err(|error| Stop::of(stopped(&error), w))?;
    let shell = Shell::new(&who, Part::Breaks).saying(done);
    page(&filled(shell, (&who, &internal), asked, answer, today), w)
}

fn filled(shell: Shell, (who, internal): (&Who, &Internal), asked: BreaksQuery, answer: Answer, today: Date) -> Page {
    let (w, tongue, address) = (who.words(), who.tongue(), asked.address());
    let at =
        |more: &str| if address.is_empty() { format!("/breaks?{more}") } else { format!("/breaks?{address}&{more}") };
    let first = answer.rows.first().map(|row| row.no);
    let last = answer.rows.last().map(|row| row.no);
    // Coming from the page behind, there is that page behind; from the page in front, that one.
    let behind = (answer.more || asked.after.is_some()).then_some(last).flatten();
    let in_front = (asked.before.is_some() || (asked.after.is_some() && answer.more)).then_some(first).flatten();
    // All of the filter: of its class, or of every one.
    let all = answer.facets.iter().filter(|facet| asked.class.is_empty() || facet.class.code() == asked.class);
    let (count, dong) = all.fold((0_u64, 0_i64), |(count, dong), facet| {
        (count.saturating_add(facet.count), dong.saturating_add(facet.dong))
    });
    Page {
        w,
        states: choices(BreakState::ALL.iter().map(|s| (s.word(), terms::break_state(*s, w))), &asked.state),
        classes: choices(BreakClass::ALL.iter().map(|c| (c.code(), why::label(*c, w))), &asked.class),
        partners: choices(partners(internal).iter().map(|p| (p.as_str(), p.as_str())), &asked.partner),
        ages: choices(Age::BUCKETS.iter().map(|age| (age.word(), age.word())), &asked.age),
        areas: choices(
            [("urban", w.area_urban()), ("rural", w.area_rural()), ("island", w.area_island())],
            &asked.area,
        ),
        legs: choices(StatementKind::ALL.iter().map(|kind| (kind.word(), terms::statement_kind(*kind, w))), &asked.leg),
        orders: choices(
            [("newest", w.break_newest()), ("oldest", w.break_oldest()), ("largest", w.break_largest())],
            // The first one, unless another one is asked for.
            if asked.order.is_empty() { "newest" } else { &asked.order },
        ),
        actions: choices(wish::BULK.iter().map(|action| (action.word(), wish::action_word(*action, w))), ""),
        rows: answer.rows.iter().map(|about| row(about, who, today, &address)).collect(),
        by_class: answer.facets.iter().map(|facet| class_line(facet, &asked, w, tongue)).collect(),
        views: answer.views.into_iter().map(|view| view_line(view, &address)).collect(),
        count: show::count(i64::try_from(count).unwrap_or(i64::MAX), tongue),
        plain_count: count,
        sum: show::money(dong, tongue),
        before: behind.map(|no| at(&format!("before={no}"))),
        after: in_front.map(|no| at(&format!("after={no}"))),
        may_propose: who.may(Right::Propose),
        may_export: who.may(Right::SeePayers),
        shell,
        asked,
        address,
    }
}

fn choices<V: Into<String>, N: Into<String>>(all: impl IntoIterator<Item = (V, N)>, chosen: &str) -> Vec<Choice> {
    let choice = |(value, name): (V, N)| {
        let value = value.into();
        Choice { chosen: value == chosen, value, name: name.into() }
    };
    all.into_iter().map(choice).collect()
}

fn class_line(facet: &BreakFacet, asked: &BreaksQuery, w: Words, tongue: Tongue) -> ClassLine {
    let code = facet.class.code();
    let here = asked.class == code;
    // A second click takes the class away again.
    let class = if here { String::new() } else { code.to_owned() };
    ClassLine {
        name: why::label(facet.class, w),
        count: show::count(i64::try_from(facet.count).unwrap_or(i64::MAX), tongue),
        sum: show::money(facet.dong, tongue),
        place: format!("/breaks?{}", BreaksQuery { class, ..asked.clone() }.address()),
        here,
    }
}

fn view_line(view: SavedView, address: &str) -> ViewLine {
    ViewLine { here: view.query == address, place: format!("/breaks?{}", view.query), label: view.label }
}

/// A bill's number fits as it is; a payment's key is told apart by its first letters.
fn shortened(about: &str) -> String {
    if about.chars().count() <= ABOUT_CHARS {
        return about.to_owned();
    }
    let short: String = about.chars().take(ABOUT_CHARS - 2).collect();
    format!("{short}…")
}

fn row(about: &BreakView, who: &Who, today: Date, address: &str) -> Row {
    let (w, tongue) = (who.words(), who.tongue());
    let age = age_days(about, today);
    let side = |dong: Option<i64>| dong.map_or_else(|| show::NONE.to_owned(), |dong| show::count(dong, tongue));
    let off = about.leg.map(|leg| leg.difference());
    let of = about.invoice.as_ref().map(ToString::to_string).or_else(|| about.event.map(|key| key.to_string()));
    Row {
        no: about.no,
        class: why::label(about.class, w),
        code: about.class.code(),
        partner: about.partner.as_ref().map_or_else(|| show::NONE.to_owned(), ToString::to_string),
        day: show::day(about.aged_from),
        age,
        // The law's notice before a power cut is 15 days: what is older may have cost somebody that.
        old: age > 15 && about.closed_at.is_none(),
        off: off.map_or_else(|| show::NONE.to_owned(), |dong| show::signed_count(dong, tongue)),
        is_off: off.is_some_and(|dong| dong != 0),
        amount: show::count(about.amount.dong(), tongue),
        dong: about.amount.dong().saturating_abs(),
        theirs: side(about.leg.and_then(|leg| leg.theirs)),
        ours: side(about.leg.and_then(|leg| leg.ours)),
        short: shortened(of.as_deref().unwrap_or(show::NONE)),
        about: of.unwrap_or_else(|| show::NONE.to_owned()),
        detail: why::detail(about, who.may(Right::SeePayers), w),
        assignee: about.assignee.as_ref().map_or_else(String::new, |of| author(of, w)),
        state: terms::break_state(about.state, w),
        tone: match about.state {
            BreakState::Open => "bad",
            BreakState::Investigating | BreakState::Proposed | BreakState::Carried => "warn",
            BreakState::Approved | BreakState::Closed => "good",
        },
        place: if address.is_empty() {
            format!("/breaks/{}", about.no)
        } else {
            format!("/breaks/{}?{address}", about.no)
        },
    }
}

async fn export(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::SeePayers)?;
    who.note(&internal, "export-breaks", request.query_string()).await?;
    let exported = api::exported(&internal, request.query_string(), who.author().as_str()).await;
    let mut response = exported.map_err(|problem| Stop::of(problem, who.words()))?;
    let pairs: Vec<(String, String)> = form::query(&request, who.words())?;
    let ending = pairs.iter().find(|(name, _)| name == "format").map_or("json", |(_, format)| format.as_str());
    let name = format!("attachment; filename=\"breaks.{ending}\"");
    if let Ok(value) = actix_web::http::header::HeaderValue::from_str(&name) {
        response.headers_mut().insert(actix_web::http::header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// The breaks that a form is about: those chosen, or all of the filter it was sent from. By their numbers, whatever the
/// order of the list was: a proposal's hash is over their order.
///
/// # Errors
/// [`Stop`]: none, too many, or the machine's.
pub(super) async fn chosen(form: &Form, internal: &Internal, who: &Who) -> Result<Vec<i64>, Stop> {
    let w = who.words();
    let chosen: Vec<i64> = if form.get("all") == Some("1") {
        let asked: BreaksQuery = serde_urlencoded::from_str(form.get("filter").unwrap_or_default())
            .map_err(|_not_ours| Stop::not_there(w))?;
        let today = moment(internal.intake.clock().as_ref()).today;
        let filter = asked.filter(today).map_err(|problem| Stop::of(problem, w))?;
        let known = partners(internal);
        let found = beside(internal, move |reports| {
            let found = asked.found(reports, &known)?;
            let limit = u32::try_from(ITEMS_MAX).unwrap_or(u32::MAX).saturating_add(1);
            let rows = reports.breaks(&BreakFilter { found, limit, before: None, after: None, ..filter })?;
            let numbers: BTreeSet<i64> = rows.iter().map(|about| about.no).collect();
            Ok::<_, StoreError>(numbers.into_iter().collect())
        });
        let found: Result<Vec<i64>, StoreError> = found.await.map_err(|problem| Stop::of(problem, w))?;
        found.map_err(|error| Stop::of(stopped(&error), w))?
    } else {
        let each: BTreeSet<i64> = form.all("break").filter_map(|no| no.parse().ok()).collect();
        each.into_iter().collect()
    };
    match chosen.len() {
        0 => Err(Stop::bad(w.break_nothing_chosen(), w)),
        n if n > ITEMS_MAX => Err(Stop::bad(w.break_too_many(), w)),
        _ => Ok(chosen),
    }
}

async fn mark(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let chosen = chosen(&form, &internal, &who).await?;
    // What came since the list was shown is not meant.
    let shown = form.get("count").and_then(|count| count.parse::<usize>().ok());
    if form.get("all") == Some("1") && shown != Some(chosen.len()) {
        return Err(Stop::conflict(w.break_list_moved(), w));
    }
    let written = || form.get("reason").and_then(text).ok_or_else(|| Stop::bad(w.break_text_needed(), w));
    let mark = match form.get("mark") {
        Some("take") => Mark::Assign(Some(who.author().clone())),
        Some("comment") => Mark::Comment(written()?),
        Some("accept") => Mark::Accept(written()?),
        _ => return Err(Stop::not_there(w)),
    };
    let (by, at) = (who.author().clone(), internal.intake.clock().now());
    let mut marked = 0_u64;
    // A part at a time, so that no notice waits for all of them.
    for part in chosen.chunks(MARKED_AT_ONCE) {
        let (part, mark, by) = (part.to_vec(), mark.clone(), by.clone());
        let done = on_writer(&internal.writer, move |store| {
            transact(store, |tx| tx.mark_breaks(&part, &mark, &by, at)).map(|(marked, _held)| marked)
        });
        marked = marked.saturating_add(done.await.map_err(|problem| Stop::of(problem, w))?);
    }
    let filter = form.get("filter").unwrap_or_default();
    Ok(to(&format!("/breaks?{filter}{}done={marked}", if filter.is_empty() { "" } else { "&" })))
}

async fn keep_view(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let form = form::read(&request, payload, &who).await?;
    let label: String = form.text("label").unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    let query = form.get("filter").unwrap_or_default().to_owned();
    let reads: Result<BreaksQuery, _> = serde_urlencoded::from_str(&query);
    if label.is_empty() || label.len() > LABEL_MAX || reads.is_err() {
        return Err(Stop::not_there(w));
    }
    let (of, kept) = (who.author().clone(), form.get("forget").is_none().then_some(query.clone()));
    let done = on_writer(&internal.writer, move |store| {
        transact(store, |tx| tx.save_view(&of, &label, kept.as_deref())).map(|(done, _)| done)
    });
    if !done.await.map_err(|problem| Stop::of(problem, w))? {
        return Err(Stop::conflict(w.break_too_many_views(), w));
    }
    Ok(to(&format!("/breaks?{query}")))
}

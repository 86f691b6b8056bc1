//! Partners: whether they are heard of, paused, their keys and terms; stored calls are read again.

mod one;

use crate::domain::ids::PartnerCode;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::finance::{form, show};
use crate::http::internal::Internal;
use crate::http::operations::pause;
use crate::ledger::writer::moment;
use crate::partner::Profile;
use crate::store::pages::Heard;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/partners", web::get().to(list))
        .route("/partners/{code}", web::get().to(one::show))
        .route("/partners/{code}/{action}", web::post().to(change));
}

/// A partner as a line.
#[derive(Debug)]
struct PartnerRow {
    code: String,
    about: String,
    state: &'static str,
    look: &'static str,
    count: String,
    sum: String,
    repeats: String,
    unproved: String,
    /// When its last call came, as far as was looked back.
    heard: String,
}

#[derive(Template)]
#[template(path = "partners.html", config = "src/finance/askama.toml")]
struct PartnersPage {
    shell: Shell,
    w: Words,
    day: String,
    date: String,
    partners: Vec<PartnerRow>,
    calendar: String,
    calendar_ends: bool,
}

/// Goes on, is paused, or has a clock that is off; with the look of the word.
fn state(internal: &Internal, code: &PartnerCode, w: Words) -> (&'static str, &'static str) {
    match () {
        () if internal.intake.is_paused(code) => (w.pt_paused(), "warn"),
        () if internal.intake.clock_is_off(code) => (w.pt_clock_off(), "bad"),
        () => (w.pt_open(), "good"),
    }
}

/// Unproved calls that are kept of a partner.
fn unproved(internal: &Internal, code: &PartnerCode) -> i64 {
    let kept = internal.intake.quarantine().of(code);
    i64::try_from(kept.iter().map(|(_, calls)| calls.len()).sum::<usize>()).unwrap_or(i64::MAX)
}

/// Receipts of each lane that are looked back through for the last call of each partner.
const HEARD_MAX: u32 = 5_000;

/// A day, in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// What a day has so far: payments, dong, repeats; what was heard, and was all of it looked at?
type Today = (i64, i64, i64, Option<Heard>, bool);

/// The day of these partners, and the last calls, looked for among so many receipts of each lane.
async fn today_of(
    internal: &Internal,
    codes: Vec<PartnerCode>,
    (day, most): (Date, u32),
    w: Words,
) -> Result<Vec<Today>, Stop> {
    let since = internal.intake.clock().now().plus_ms(-DAY_MS);
    let found = internal.readers.ask(move |reports| {
        let heard = reports.last_heard(since, most)?;
        let whole = heard.iter().all(|heard| heard.whole);
        let mut all = Vec::with_capacity(codes.len());
        for code in &codes {
            let total = reports.day_totals(code, (day, day))?.into_iter().find(|total| total.day == day);
            let (count, dong) = total.map_or((0, 0), |total| (total.count, total.dong));
            let heard = heard.iter().find(|heard| heard.partner == *code).cloned();
            all.push((count, dong, reports.repeats(code, day)?, heard, whole));
        }
        Ok(all)
    });
    found.await.map_err(|error| Stop::of(error.into(), w))
}

/// The last year whose holidays are known, if any is.
async fn calendar(internal: &Internal) -> Option<i16> {
    let path = internal.calendar.clone();
    let read = crate::http::desk::on_a_thread(move || crate::reconcile::settlement::load_calendar(path.as_deref()));
    match read.await {
        Ok(Ok(calendar)) => calendar.years().max(),
        Ok(Err(_)) | Err(_) => None,
    }
}

/// Until when holidays are known, in a sentence; and must somebody add to them?
fn calendar_says(last: Option<i16>, today: Date, w: Words) -> (String, bool) {
    match last {
        None => (w.pt_calendar_missing().to_owned(), true),
        Some(year) if year <= today.year() => {
            (format!("{} {} {year}. {}", w.pt_calendar(), w.pt_calendar_to(), w.pt_calendar_ends()), true)
        }
        Some(year) => (format!("{} {} {year}.", w.pt_calendar(), w.pt_calendar_to()), false),
    }
}

fn row(internal: &Internal, profile: &Profile, (count, dong, repeats, heard, _): Today, w: Words) -> PartnerRow {
    let (state, look) = state(internal, profile.code(), w);
    PartnerRow {
        code: profile.code().to_string(),
        about: profile.about().to_owned(),
        state,
        look,
        count: show::count(count, w.0),
        sum: show::money(dong, w.0),
        repeats: show::count(repeats, w.0),
        unproved: show::count(unproved(internal, profile.code()), w.0),
        heard: heard.map_or_else(|| show::NONE.to_owned(), |heard| show::moment(heard.at)),
    }
}

async fn list(who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let (w, partners) = (who.words(), internal.intake.partners());
    let today = moment(internal.intake.clock().as_ref()).today;
    let codes: Vec<PartnerCode> = partners.iter().map(|profile| profile.code().clone()).collect();
    let found = today_of(&internal, codes, (today, HEARD_MAX), w).await?;
    let (calendar, calendar_ends) = calendar_says(calendar(&internal).await, today, w);
    let rows = partners.iter().zip(found).map(|(profile, day)| row(&internal, profile, day, w)).collect();
    let shell = Shell::new(&who, Part::Partners);
    let (day, date) = (show::day(today), today.to_string());
    page(&PartnersPage { shell, w, day, date, partners: rows, calendar, calendar_ends }, w)
}

/// `POST /partners/{code}/{action}`: pause, resume, redo.
async fn change(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Operate)?;
    let w = who.words();
    let (code, action) = path.into_inner();
    form::read(&request, payload, &who).await?;
    let profile = internal.intake.profile(&code).ok_or_else(|| Stop::not_there(w))?;
    let (paused, what) = match action.as_str() {
        "pause" => (true, "partner-pause"),
        "resume" => (false, "partner-resume"),
        "redo" => return one::redo(&who, &internal, &profile).await,
        _ => return Err(Stop::not_there(w)),
    };
    pause(&internal, profile.code(), paused).await.map_err(|problem| Stop::of(problem, w))?;
    tracing::warn!(caller = %who.author(), partner = code, paused, "A partner was paused or resumed");
    who.note(&internal, what, &code).await?;
    Ok(to(&format!("/partners/{code}?done={action}")))
}

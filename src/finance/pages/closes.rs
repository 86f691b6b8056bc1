//! Days and months that are drawn up by one person, signed by another one, and opened again by privilege. Here: the days of
//! a partner, and what is next for each; one of them is in the file below.

mod figures;
mod one;

use super::files::{Choice, partners};
use crate::domain::close::{CloseState, Period};
use crate::domain::ids::PartnerCode;
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::told::author;
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use crate::ledger::writer::moment;
use crate::partner::Profile;
use crate::reconcile::close;
use crate::store::StoreError;
use crate::store::closes::CloseLine;
use crate::store::reports::Reports;
use crate::store::settlements::StatementDays;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Days that are listed.
const DAYS: u32 = 31;

/// Months that are listed.
const MONTHS: u32 = 3;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/closes", web::get().to(list))
        .route("/closes/{partner}/{period}", web::get().to(one::show))
        .route("/closes/{partner}/{period}/{verb}", web::post().to(one::act));
}

/// How far a close got, for people, and how it looks.
fn state_word(state: CloseState, w: Words) -> (&'static str, &'static str) {
    match state {
        CloseState::Draft => (w.close_draft(), "warn"),
        CloseState::Sealed => (w.close_sealed(), "good"),
        CloseState::Reopened => (w.close_reopened(), "warn"),
        CloseState::Dropped => (w.close_dropped(), ""),
    }
}

/// What stands between a day and its close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing that is known: it may be drawn up.
    Draw,
    /// A checker signs.
    Sign,
    /// Nothing more.
    Nothing,
    /// It is not over.
    NotOver,
    /// This day comes first.
    After(Date),
    /// This day of the month is not sealed.
    Day(Date),
    /// It lies before the first close.
    Before,
    /// Its statement is missing; a day without payments needs none.
    Statement,
    /// It was not compared since its statement was taken.
    Compare,
}

impl Next {
    fn says(self, w: Words) -> String {
        match self {
            Self::Draw => w.close_next_draw().to_owned(),
            Self::Sign => w.close_next_sign().to_owned(),
            Self::Nothing => show::NONE.to_owned(),
            Self::NotOver => w.close_no_not_over().to_owned(),
            Self::After(day) => format!("{} {}", w.close_no_order(), show::day(day)),
            Self::Day(day) => format!("{} {}", w.close_no_day(), show::day(day)),
            Self::Before => w.close_next_before().to_owned(),
            Self::Statement => w.close_next_statement().to_owned(),
            Self::Compare => w.close_no_not_compared().to_owned(),
        }
    }
}

/// The closes of a partner's days, and what was known of each of them.
struct Known {
    closes: Vec<CloseLine>,
    /// The first sealed day.
    begins: Option<Date>,
    /// The day after the last sealed one.
    next: Option<Date>,
    stated: BTreeSet<Date>,
    compared: BTreeSet<Date>,
}

fn known(reports: &mut dyn Reports, partner: &PartnerCode, (from, to): (Date, Date)) -> Result<Known, StoreError> {
    // A month begins before the days that are listed.
    let first = from.first_of_month().saturating_sub((i32::try_from(MONTHS).unwrap_or(1)).months());
    let closes = reports.closes_of(partner, (first, to))?;
    let begins = reports.first_sealed(partner)?;
    let next = reports.last_sealed(partner)?.and_then(|last| last.period.last().tomorrow().ok());
    let ask = StatementDays { kind: StatementKind::Partner, partner, from, to, limit: DAYS + 1 };
    let files: BTreeMap<Date, _> =
        reports.statements_of(&ask)?.into_iter().map(|file| (file.statement.day, file.no)).collect();
    let mut compared = BTreeSet::new();
    for (day, no) in &files {
        let last = reports.reconciliation(StatementKind::Partner, partner, *day)?;
        if last.is_some_and(|last| last.reconciliation.file == Some(*no)) {
            compared.insert(*day);
        }
    }
    Ok(Known { closes, begins, next, stated: files.into_keys().collect(), compared })
}

impl Known {
    /// The close of a period as it stands: the live one, else the last one that was opened again.
    fn close(&self, period: Period) -> Option<&CloseLine> {
        let of = || self.closes.iter().filter(|close| close.period == period);
        of().find(|close| close.ended.is_none()).or_else(|| of().rfind(|close| close.state == CloseState::Reopened))
    }

    /// What stands between a month that is over and its close.
    fn next_of_month(&self, month: Period) -> Next {
        if self.begins.is_some_and(|begins| begins > month.last()) {
            return Next::Before;
        }
        let sealed = |day: Date| self.close(Period::Day(day)).is_some_and(|close| close.state == CloseState::Sealed);
        let mut days = close::days_of((month.first(), month.last()), self.begins);
        days.find(|day| !sealed(*day)).map_or(Next::Draw, Next::Day)
    }

    fn next(&self, day: Date, profile: &Profile, now: Timestamp) -> Next {
        match self.close(Period::Day(day)).map(|close| close.state) {
            Some(CloseState::Sealed) => return Next::Nothing,
            Some(CloseState::Draft) => return Next::Sign,
            Some(CloseState::Reopened | CloseState::Dropped) | None => {}
        }
        let end = profile.statement(StatementKind::Partner).and_then(|layout| layout.window(day)).map(|(_, end)| end);
        if end.is_none_or(|end| end > now) {
            return Next::NotOver;
        }
        match self.next {
            Some(next) if day < next => return Next::Before,
            Some(next) if day > next => return Next::After(next),
            Some(_) | None => {}
        }
        match () {
            () if !self.stated.contains(&day) => Next::Statement,
            () if !self.compared.contains(&day) => Next::Compare,
            () => Next::Draw,
        }
    }
}

/// A period in the list.
struct Row {
    place: String,
    period: String,
    state: &'static str,
    look: &'static str,
    next: String,
    ready: bool,
    /// Does it lie before the first close, and nobody ever drew it up?
    before: bool,
    open: String,
    drafted: String,
    signed: String,
    hash: String,
}

fn hand(of: &(crate::domain::ids::Author, Timestamp), w: Words) -> String {
    format!("{}, {}", author(&of.0, w), show::moment(of.1))
}

fn row(partner: &PartnerCode, period: Period, close: Option<&CloseLine>, (next, w): (Next, Words)) -> Row {
    let (state, look) = close.map_or((w.close_none(), ""), |close| state_word(close.state, w));
    Row {
        place: format!("/closes/{partner}/{period}"),
        period: match period {
            Period::Day(day) => show::day(day),
            Period::Month(first) => first.strftime("%m/%Y").to_string(),
        },
        state,
        look,
        next: next.says(w),
        ready: matches!(next, Next::Draw | Next::Sign),
        before: next == Next::Before && close.is_none(),
        open: close.map_or_else(|| show::NONE.to_owned(), |close| show::money(close.open_dong, w.0)),
        drafted: close.map_or_else(|| show::NONE.to_owned(), |close| hand(&close.drafted, w)),
        signed: close
            .and_then(|close| close.signed.as_ref())
            .map_or_else(|| show::NONE.to_owned(), |signed| hand(signed, w)),
        hash: close.map_or_else(String::new, |close| hex::encode(close.hash).get(..12).unwrap_or_default().to_owned()),
    }
}

/// Some of the periods under a name, perhaps folded away.
struct List {
    name: &'static str,
    rows: Vec<Row>,
    folded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    partner: String,
}

#[derive(Template)]
#[template(path = "closes.html", config = "src/finance/askama.toml")]
struct ListPage {
    shell: Shell,
    w: Words,
    partners: Vec<Choice>,
    partner: String,
    lists: Vec<List>,
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let profile = match asked.partner.as_str() {
        "" => first_with_statements(&internal),
        code => Some(internal.intake.profile(code).ok_or_else(|| Stop::not_there(w))?),
    };
    let (mut days, mut months) = (Vec::new(), Vec::new());
    if let Some(profile) = &profile {
        let today = moment(internal.intake.clock().as_ref()).today;
        let from = today.saturating_sub((i32::try_from(DAYS).unwrap_or(31) - 1).days());
        let code = profile.code().clone();
        let found = beside(&internal, move |reports| known(reports, &code, (from, today))).await;
        let known = found.map_err(|problem| Stop::of(problem, w))?;
        let known = known.map_err(|error| Stop::of(stopped(&error), w))?;
        days = day_rows(profile, &known, (from, today), (internal.intake.clock().now(), w));
        months = month_rows(profile.code(), &known, today, w);
    }
    let partner = profile.map(|profile| profile.code().to_string()).unwrap_or_default();
    let partners = partners(&internal, &partner);
    let (before, days): (Vec<Row>, Vec<Row>) = days.into_iter().partition(|row| row.before);
    let list = |name, rows, folded| List { name, rows, folded };
    let mut lists = vec![list(w.close_months(), months, false), list(w.close_days(), days, false)];
    lists.extend((!before.is_empty()).then(|| list(w.close_before(), before, true)));
    page(&ListPage { shell: Shell::new(&who, Part::Closes), w, partners, partner, lists }, w)
}

/// The partner that is shown unless one is chosen: the first one whose days can be closed.
fn first_with_statements(internal: &Internal) -> Option<Arc<Profile>> {
    internal.intake.partners().iter().find(|profile| profile.statement(StatementKind::Partner).is_some()).cloned()
}

/// The newest first.
fn day_rows(profile: &Profile, known: &Known, (from, to): (Date, Date), (now, w): (Timestamp, Words)) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut day = to;
    while day >= from {
        let period = Period::Day(day);
        rows.push(row(profile.code(), period, known.close(period), (known.next(day, profile, now), w)));
        let Ok(before) = day.yesterday() else { break };
        day = before;
    }
    rows
}

fn month_rows(partner: &PartnerCode, known: &Known, today: Date, w: Words) -> Vec<Row> {
    let month = |back: u32| today.first_of_month().saturating_sub((i32::try_from(back).unwrap_or(0)).months());
    let next = |period: Period| match known.close(period).map(|close| close.state) {
        Some(CloseState::Sealed) => Next::Nothing,
        Some(CloseState::Draft) => Next::Sign,
        Some(_) | None if period.last() >= today => Next::NotOver,
        Some(_) | None => known.next_of_month(period),
    };
    (0..MONTHS)
        .map(|back| Period::Month(month(back)))
        .map(|period| row(partner, period, known.close(period), (next(period), w)))
        .collect()
}

//! Today: a line for each partner and business day, quiet where it ties out and loud where it does not. Every figure leads to
//! exactly its rows.

use crate::domain::close::CloseState;
use crate::domain::statement::{StatementKind, Sum};
use crate::domain::time::Timestamp;
use crate::domain::user::{Right, Tongue};
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::Stop;
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use crate::ledger::writer::moment;
use crate::store::StoreError;
use crate::store::desk::BreakFilter;
use crate::store::pages::{BreakTotals, DayFigures};
use crate::store::reports::{OutboxDepth, Reports};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

/// Days on the page unless it is said.
const DAYS: i32 = 7;

/// Days on the page, at most.
const DAYS_MAX: i32 = 62;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(today));
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    until: String,
    days: String,
}

/// A figure with its rows behind it.
struct Figure {
    count: String,
    dong: String,
    place: String,
}

/// A line.
struct Line {
    day: String,
    partner: String,
    partner_place: String,
    file: Option<(String, String)>,
    notified: Figure,
    statement: Option<Figure>,
    cleared: Option<Figure>,
    settled: Option<Figure>,
    /// Is there to be a file of each, so that it is missed where it has not come?
    has_statement: bool,
    has_cleared: bool,
    has_settled: bool,
    difference: Option<Figure>,
    differs: bool,
    open: Figure,
    has_open: bool,
    oldest: Option<String>,
    old: bool,
    state: &'static str,
    tone: &'static str,
    state_place: String,
    quiet: bool,
}

/// A figure above the table.
struct Tile {
    name: &'static str,
    figure: String,
    more: String,
    place: &'static str,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "today.html", config = "src/finance/askama.toml")]
struct Page {
    shell: Shell,
    w: Words,
    until: Date,
    days: i32,
    as_of: String,
    tiles: Vec<Tile>,
    lines: Vec<Line>,
    sums: Vec<String>,
}

/// What the books say.
struct Answer {
    figures: Vec<DayFigures>,
    outbox: OutboxDepth,
    proposals: Sum,
    open: BreakTotals,
}

fn ask(reports: &mut dyn Reports, days: (Date, Date)) -> Result<Answer, StoreError> {
    Ok(Answer {
        figures: reports.day_figures(days)?,
        outbox: reports.outbox_depth()?,
        proposals: reports.waiting_proposals()?,
        open: reports.break_totals(&BreakFilter::open(1))?,
    })
}

async fn today(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let now = moment(internal.intake.clock().as_ref());
    let until = if asked.until.is_empty() { Ok(now.today) } else { asked.until.parse() };
    let until: Date = until.map_err(|_not_a_day| Stop::not_there(w))?;
    let days = if asked.days.is_empty() { DAYS } else { asked.days.parse().unwrap_or(0) };
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(Stop::not_there(w));
    }
    let from = until.checked_sub((days - 1).days()).map_err(|_beyond| Stop::not_there(w))?;
    let answer = beside(&internal, move |reports| ask(reports, (from, until))).await;
    let answer = answer.map_err(|problem| Stop::of(problem, w))?.map_err(|error| Stop::of(stopped(&error), w))?;
    let mut figures = answer.figures;
    figures.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| a.partner.cmp(&b.partner)));
    let shown = Page {
        shell: Shell::new(&who, Part::Today),
        w,
        until,
        days,
        as_of: show::moment(now.now),
        tiles: tiles(&answer.outbox, answer.proposals, &answer.open, (w, now.now)),
        lines: figures.iter().map(|of| line(of, Expected::of(&internal, of), (now.today, w))).collect(),
        sums: sums(&figures, w.0),
    };
    page(&shown, w)
}

fn tiles(outbox: &OutboxDepth, proposals: Sum, open: &BreakTotals, (w, now): (Words, Timestamp)) -> Vec<Tile> {
    let tongue = w.0;
    let waits = outbox.oldest.map_or(0, |at| now.ms_since(at) / 60_000);
    let oldest = format!("{} {} {}", w.today_oldest_waits(), show::count(waits, tongue), w.today_minutes());
    let tone = |bad: bool| if bad { "bad" } else { "good" };
    let count = |n: u64| show::count(i64::try_from(n).unwrap_or(i64::MAX), tongue);
    vec![
        Tile {
            name: w.today_waiting(),
            figure: show::count(outbox.waiting, tongue),
            more: if outbox.waiting > 0 { oldest } else { String::new() },
            place: "/outbox",
            tone: tone(outbox.waiting > 0 && waits >= 15),
        },
        Tile {
            name: w.today_parked(),
            figure: show::count(outbox.parked, tongue),
            more: String::new(),
            place: "/outbox",
            tone: tone(outbox.parked > 0),
        },
        Tile {
            name: w.today_breaks(),
            figure: count(open.count),
            more: format!("{}: {}", w.today_concerned(), show::money(open.dong, tongue)),
            place: "/breaks",
            tone: tone(open.count > 0),
        },
        Tile {
            name: w.today_proposals(),
            figure: count(proposals.count),
            more: if proposals.count > 0 { show::money(proposals.dong, tongue) } else { String::new() },
            place: "/approvals",
            tone: tone(false),
        },
    ]
}

fn figure(sum: Sum, place: String, tongue: Tongue) -> Figure {
    Figure { count: count(sum, tongue), dong: show::count(sum.dong, tongue), place }
}

fn count(sum: Sum, tongue: Tongue) -> String {
    show::count(i64::try_from(sum.count).unwrap_or(i64::MAX), tongue)
}

/// Which files a partner's days are to have, as its profile says.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    statement: bool,
    cleared: bool,
    settled: bool,
}

impl Expected {
    fn of(internal: &Internal, of: &DayFigures) -> Self {
        let profile = internal.intake.profile(of.partner.as_str());
        profile.map_or_else(Self::default, |profile| Self {
            statement: profile.statement(StatementKind::Partner).is_some(),
            cleared: profile.statement(StatementKind::Core).is_some(),
            settled: !profile.terms().settlements.is_empty(),
        })
    }
}

/// The statement less what was notified: how many, and how much.
fn difference(of: &DayFigures) -> Option<(i64, i64)> {
    let count = |sum: Sum| i64::try_from(sum.count).unwrap_or(i64::MAX);
    let less =
        |theirs: Sum| (count(theirs).saturating_sub(count(of.notified)), theirs.dong.saturating_sub(of.notified.dong));
    of.statement.map(less)
}

fn line(of: &DayFigures, expected: Expected, (today, w): (Date, Words)) -> Line {
    let (partner, day, tongue) = (of.partner.as_str(), of.day, w.0);
    let compared = format!("/reconciliations/{partner}/{day}");
    let difference = difference(of);
    let differs = difference.is_some_and(|(more, dong)| more != 0 || dong != 0);
    let oldest = of.oldest.map(|day| day.until(today).map_or(0, |span| span.get_days()).max(0));
    let (state, tone) = state(of, differs, w);
    let place = |file: &Option<_>, kind: &str| match file {
        Some((no, _)) if kind == "partner" => format!("/files/{no}"),
        _ => format!("{compared}?kind={kind}"),
    };
    let file = of.file.as_ref().map(|(no, at)| (no.0, *at));
    Line {
        day: show::day(day),
        partner: partner.to_owned(),
        partner_place: format!("/partners/{partner}"),
        file: file.map(|(no, at)| (show::moment(at), format!("/files/{no}"))),
        notified: figure(of.notified, format!("/payments?partner={partner}&day={day}"), tongue),
        statement: of.statement.map(|sum| figure(sum, place(&file, "partner"), tongue)),
        cleared: of.cleared.map(|sum| figure(sum, place(&file, "core"), tongue)),
        settled: of.settled.map(|sum| figure(sum, format!("/settlement/{partner}"), tongue)),
        has_statement: expected.statement,
        has_cleared: expected.cleared,
        has_settled: expected.settled,
        difference: difference.map(|(more, dong)| Figure {
            count: show::signed_count(more, tongue),
            dong: show::signed_count(dong, tongue),
            place: compared.clone(),
        }),
        differs,
        open: Figure {
            count: show::count(i64::try_from(of.open).unwrap_or(i64::MAX), tongue),
            dong: show::count(of.open_dong, tongue),
            place: format!("/breaks?partner={partner}&day={day}"),
        },
        has_open: of.open > 0,
        oldest: oldest.map(|days| show::days(days.into(), w)),
        old: oldest.is_some_and(|days| days > 15),
        state,
        tone,
        state_place: format!("/closes/{partner}/{day}"),
        quiet: !differs && of.open == 0 && of.statement.is_some(),
    }
}

fn state(of: &DayFigures, differs: bool, w: Words) -> (&'static str, &'static str) {
    match of.close {
        Some(CloseState::Sealed) => (w.today_sealed(), "good"),
        Some(CloseState::Draft) => (w.today_drafted(), "warn"),
        _ if of.file.is_none() => (w.today_no_file(), "warn"),
        _ if of.compared_at.is_none() => (w.today_not_compared(), "warn"),
        _ if differs || of.open > 0 => (w.today_differs(), "bad"),
        _ => (w.today_ties(), "good"),
    }
}

/// The sums of the columns, count and dong: what is notified, in statements, cleared, settled; what differs; what is open.
fn sums(figures: &[DayFigures], tongue: Tongue) -> Vec<String> {
    let all = |of: fn(&DayFigures) -> Option<Sum>| {
        figures.iter().filter_map(of).reduce(|all, one| Sum {
            count: all.count.saturating_add(one.count),
            dong: all.dong.saturating_add(one.dong),
        })
    };
    let columns: [Option<Sum>; 5] = [
        all(|of| Some(of.notified)),
        all(|of| of.statement),
        all(|of| of.cleared),
        all(|of| of.settled),
        all(|of| Some(Sum { count: of.open, dong: of.open_dong })),
    ];
    // Of what nobody has brought there is no sum.
    let shown = |sum: &Option<Sum>| match sum {
        Some(sum) => [count(*sum, tongue), show::count(sum.dong, tongue)],
        None => [show::NONE.to_owned(), String::new()],
    };
    let mut sums: Vec<[String; 2]> = columns.iter().map(shown).collect();
    let (more, dong) = figures
        .iter()
        .filter_map(difference)
        .fold((0_i64, 0_i64), |(counts, sum), (more, dong)| (counts.saturating_add(more), sum.saturating_add(dong)));
    // In front of what is open.
    sums.insert(4, [more, dong].map(|of| show::signed_count(of, tongue)));
    sums.into_iter().flatten().collect()
}

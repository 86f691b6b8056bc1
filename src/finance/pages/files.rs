//! What others say of a day: the files, newest first. One of them with its lines, bringing one, comparing a day and what
//! came of it are in the files below.

mod bring;
pub(super) mod compared;
mod lines;
mod one;
mod progress;

use crate::domain::ids::PartnerCode;
use crate::domain::statement::{FileNo, StatementKind, Sum};
use crate::domain::user::{Right, Tongue};
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::told::author;
use crate::finance::words::Words;
use crate::finance::work::WORKS;
use crate::http::internal::Internal;
use crate::store::statements::{FileFilter, FileState, StatementFile, StatementSums};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// Rows of one page.
const ROWS: u32 = 100;

/// Characters of a file's name in the list.
const NAME_CHARS: usize = 32;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/files", web::get().to(list))
        .route("/files", web::post().to(bring::bring))
        .route("/files/{no}", web::get().to(one::show))
        .route("/work/{id}", web::get().to(progress::work))
        .route("/work/{id}/progress", web::get().to(progress::progress))
        .route("/reconciliations/{partner}/{date}", web::get().to(compared::last))
        .route("/reconciliations/{partner}/{date}", web::post().to(bring::compare));
}

/// Whose word a file is, for people.
pub(super) fn kind_word(kind: StatementKind, w: Words) -> &'static str {
    match kind {
        StatementKind::Partner => w.file_kind_partner(),
        StatementKind::Core => w.file_kind_core(),
        StatementKind::Bank => w.file_kind_bank(),
    }
}

fn state_word(state: FileState, w: Words) -> &'static str {
    match state {
        FileState::Reading => w.file_state_reading(),
        FileState::Taken => w.file_state_taken(),
        FileState::Superseded => w.file_state_superseded(),
    }
}

fn state_look(state: FileState) -> &'static str {
    match state {
        FileState::Reading => "warn",
        FileState::Taken => "good",
        FileState::Superseded => "",
    }
}

/// Something to choose from.
pub(super) struct Choice {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Is it chosen?
    pub chosen: bool,
}

/// The partners, to choose from.
pub(super) fn partners(internal: &Internal, chosen: &str) -> Vec<Choice> {
    let one = |code: &PartnerCode| Choice {
        value: code.to_string(),
        label: code.to_string(),
        chosen: code.as_str() == chosen,
    };
    internal.intake.partners().iter().map(|profile| one(profile.code())).collect()
}

fn kinds(chosen: &str, w: Words) -> Vec<Choice> {
    let one = |kind: StatementKind| Choice {
        value: kind.word().to_owned(),
        label: kind_word(kind, w).to_owned(),
        chosen: kind.word() == chosen,
    };
    StatementKind::ALL.map(one).into()
}

/// A file in the list.
struct Row {
    no: i64,
    partner: String,
    kind: &'static str,
    day: String,
    name: String,
    short: String,
    lines: String,
    payments: [String; 2],
    reversals: [String; 2],
    state: &'static str,
    look: &'static str,
    by: String,
    at: String,
}

/// A file's name in the list.
fn shortened(name: &str) -> String {
    let mut short: String = name.chars().take(NAME_CHARS).collect();
    if name.chars().nth(NAME_CHARS).is_some() {
        short.push('…');
    }
    short
}

fn number(count: u64, tongue: Tongue) -> String {
    show::count(i64::try_from(count).unwrap_or(i64::MAX), tongue)
}

fn sum(of: Sum, tongue: Tongue) -> [String; 2] {
    [number(of.count, tongue), show::money(of.dong, tongue)]
}

fn row(file: &StatementFile, w: Words) -> Row {
    let (new, sums, tongue) = (&file.statement, &file.sums, w.0);
    Row {
        no: file.no.0,
        partner: new.partner.to_string(),
        kind: kind_word(new.kind, w),
        day: show::day(new.day),
        short: shortened(&new.name),
        name: new.name.clone(),
        lines: number(u64::from(sums.lines), tongue),
        payments: sum(sums.payments, tongue),
        reversals: sum(sums.reversals, tongue),
        state: state_word(file.state, w),
        look: state_look(file.state),
        by: author(&new.author, w),
        at: show::moment(new.at),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    partner: String,
    kind: String,
    day: String,
    state: String,
    before: String,
}

impl Asked {
    fn filter(&self, w: Words) -> Result<FileFilter, Stop> {
        let bad = || Stop::bad(w.file_bad_filter(), w);
        let word = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let kind = word(&self.kind).map(|kind| StatementKind::parse(&kind).ok_or_else(bad)).transpose()?;
        let state = word(&self.state).map(|state| FileState::parse(&state).ok_or_else(bad)).transpose()?;
        let partner = word(&self.partner).map(|code| PartnerCode::parse(code).map_err(|_bad| bad())).transpose()?;
        let day = word(&self.day).map(|day| day.parse().map_err(|_bad| bad())).transpose()?;
        let before = word(&self.before).map(|no| no.parse().map(FileNo).map_err(|_bad| bad())).transpose()?;
        Ok(FileFilter { kind, partner, day, state, before, limit: ROWS + 1 })
    }

    fn place(&self, before: Option<i64>) -> String {
        let before = before.map(|no| no.to_string()).unwrap_or_default();
        let fields = [
            ("partner", self.partner.as_str()),
            ("kind", &self.kind),
            ("day", &self.day),
            ("state", &self.state),
            ("before", &before),
        ];
        let said: Vec<(&str, &str)> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        if said.is_empty() { "/files".to_owned() } else { format!("/files?{}", form_urlencoded(&said)) }
    }
}

#[derive(Template)]
#[template(path = "files.html", config = "src/finance/askama.toml")]
struct ListPage {
    shell: Shell,
    w: Words,
    partners: Vec<Choice>,
    kinds: Vec<Choice>,
    states: Vec<Choice>,
    day: String,
    rows: Vec<Row>,
    totals: Vec<(&'static str, [String; 5])>,
    next: Option<String>,
    first: Option<String>,
    may_bring: bool,
    today: String,
    works: Vec<progress::Told>,
}

async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let filter = asked.filter(w)?;
    let found = internal.readers.ask(move |reports| reports.statement_files(&filter)).await;
    let mut found = found.map_err(|error| Stop::of(error.into(), w))?;
    let more = found.len() > usize::try_from(ROWS).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let state = |of: FileState| Choice {
        value: of.word().to_owned(),
        label: state_word(of, w).to_owned(),
        chosen: of.word() == asked.state,
    };
    let last = found.last().filter(|_| more).map(|file| file.no.0);
    let today = crate::ledger::writer::moment(internal.intake.clock().as_ref()).today;
    page(
        &ListPage {
            shell: Shell::new(&who, Part::Files),
            w,
            partners: partners(&internal, &asked.partner),
            kinds: kinds(&asked.kind, w),
            states: FileState::ALL.map(state).into(),
            day: asked.day.clone(),
            totals: totals(&found, w),
            rows: found.iter().map(|file| row(file, w)).collect(),
            next: last.map(|no| asked.place(Some(no))),
            first: (!asked.before.is_empty()).then(|| asked.place(None)),
            may_bring: who.may(Right::Propose),
            today: today.yesterday().unwrap_or(today).to_string(),
            works: WORKS.running().iter().map(|work| progress::Told::of(work, w)).collect(),
        },
        w,
    )
}

/// What the files of a page add up to, those that count: of each kind by itself, as the same money is in the lists of all.
fn totals(files: &[StatementFile], w: Words) -> Vec<(&'static str, [String; 5])> {
    let of = |kind: StatementKind| -> Vec<&StatementFile> {
        files.iter().filter(|file| file.state == FileState::Taken && file.statement.kind == kind).collect()
    };
    let some = StatementKind::ALL.into_iter().map(|kind| (kind, of(kind))).filter(|(_, files)| !files.is_empty());
    some.map(|(kind, files)| (kind_word(kind, w), added(&files, w.0))).collect()
}

fn added(files: &[&StatementFile], tongue: Tongue) -> [String; 5] {
    let add = |of: fn(&StatementSums) -> Sum| {
        let all = files.iter().map(|file| of(&file.sums)).fold(Sum::default(), |all, one| Sum {
            count: all.count.saturating_add(one.count),
            dong: all.dong.saturating_add(one.dong),
        });
        sum(all, tongue)
    };
    let lines = files.iter().map(|file| u64::from(file.sums.lines)).fold(0, u64::saturating_add);
    let ([payments, payments_dong], [reversals, reversals_dong]) =
        (add(|sums| sums.payments), add(|sums| sums.reversals));
    [number(lines, tongue), payments, payments_dong, reversals, reversals_dong]
}

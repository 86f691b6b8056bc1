//! Long work as people see it: how far it is, and why it did not come to its end. What it did come to is another page.

use super::kind_word;
use crate::domain::user::Right;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page, to};
use crate::finance::show;
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::told::{author, told};
use crate::finance::words::Words;
use crate::finance::work::{End, Verb, WORKS, What, Work};
use crate::http::problem::Problem;
use crate::http::statements::NotCompared;
use crate::reconcile::import::ImportError;
use crate::reconcile::read::{FAULTS_MAX, ReadError};
use crate::reconcile::run::RunError;
use crate::reconcile::settlement::run::SettleError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::json;

/// A work in a list.
pub(super) struct Told {
    pub id: String,
    pub verb: &'static str,
    pub kind: &'static str,
    pub partner: String,
    pub day: String,
    pub name: String,
    pub by: String,
    pub since: String,
    pub at: u64,
    pub of: u64,
    pub sized: bool,
    pub takes: bool,
    pub so_far: String,
}

impl Told {
    pub(super) fn of(work: &Work, w: Words) -> Self {
        let What { verb, kind, partner, day, name } = &work.what;
        let (at, of) = work.told();
        let count = |of: u64| show::count(i64::try_from(of).unwrap_or(i64::MAX), w.0);
        Self {
            id: work.id.clone(),
            verb: match verb {
                Verb::Take => w.file_work_take(),
                Verb::Compare => w.file_work_compare(),
            },
            kind: kind_word(*kind, w),
            partner: partner.to_string(),
            day: show::day(*day),
            name: name.clone(),
            by: author(&work.by, w),
            since: show::moment(work.since),
            at,
            of,
            sized: of > 0,
            takes: *verb == Verb::Take,
            so_far: match of {
                0 if at == 0 => w.file_work_waits().to_owned(),
                0 => format!("{} {}", count(at), w.file_rows()),
                of => format!("{} / {} {}", count(at), count(of), w.file_bytes()),
            },
        }
    }
}

/// Why a file is not taken, in a sentence.
fn not_taken(why: &ImportError, w: Words) -> &'static str {
    match why {
        ImportError::Read(ReadError::Refused(_)) => w.file_refused(),
        ImportError::Superseded => w.file_no_superseded(),
        ImportError::Sealed => w.file_no_sealed(),
        ImportError::Changed => w.file_no_changed(),
        ImportError::Read(ReadError::Io(_) | ReadError::Stopped) | ImportError::Slice(_) => w.try_again(),
    }
}

/// Why a day is not compared, in a sentence.
fn not_compared(why: &NotCompared, w: Words) -> &'static str {
    match why {
        NotCompared::Payments(RunError::NoStatement(_)) | NotCompared::Bank(SettleError::NoStatement(_)) => {
            w.compare_no_statement()
        }
        NotCompared::Payments(RunError::BankLeg) => w.compare_bank_leg(),
        NotCompared::Payments(RunError::Sealed) => w.compare_sealed(),
        NotCompared::Payments(RunError::NotComparable(_)) | NotCompared::Bank(SettleError::NotComparable(_)) => {
            w.compare_out_of_range()
        }
        NotCompared::Payments(RunError::Untied(_)) => w.compare_untied(),
        NotCompared::Bank(SettleError::NoTerms) => w.compare_no_terms(),
        NotCompared::Bank(SettleError::NoLayout) => w.file_no_layout(),
        NotCompared::Payments(RunError::Slice(_) | RunError::Store(_))
        | NotCompared::Bank(SettleError::Slice(_) | SettleError::Store(_)) => w.try_again(),
    }
}

/// One place of a file that is not as it should be.
struct Fault {
    row: String,
    column: String,
    found: String,
    expected: String,
}

/// The places, with what was found there for those who may see payers.
fn faults(why: &ImportError, sees: bool, w: Words) -> Vec<Fault> {
    let ImportError::Read(ReadError::Refused(faults)) = why else { return Vec::new() };
    let whole = |row: u64| if row == 0 { show::NONE.to_owned() } else { row.to_string() };
    faults
        .iter()
        .map(|fault| Fault {
            row: whole(fault.row),
            column: if fault.column.is_empty() { show::NONE.to_owned() } else { fault.column.clone() },
            found: match fault {
                of if of.found.is_empty() => w.nothing_there().to_owned(),
                // What is found of the whole file, or in no column of it, may be our own words.
                of if of.row == 0 || (sees && of.column.is_empty()) => told(&of.found, w),
                of if sees => of.found.clone(),
                of => show::masked(&of.found),
            },
            expected: told(&fault.expected, w),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "work.html", config = "src/finance/askama.toml")]
struct WorkPage {
    shell: Shell,
    w: Words,
    told: Told,
    wrong: Option<String>,
    faults: Vec<Fault>,
    all_faults: bool,
    again: String,
}

fn gone(w: Words) -> Stop {
    Stop::no(StatusCode::NOT_FOUND, w.file_work_gone(), w)
}

/// `GET /work/{id}`
pub(super) async fn work(path: web::Path<String>, who: Who) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let work = WORKS.find(&path).ok_or_else(|| gone(w))?;
    let What { kind, partner, day, .. } = &work.what;
    let (mut wrong, mut places) = (None, Vec::new());
    match work.end() {
        None => {}
        Some(End::Taken { file, new }) => {
            let done = if *new { "taken" } else { "before" };
            return Ok(to(&format!("/files/{}?done={done}", file.0)));
        }
        Some(End::Compared) => {
            return Ok(to(&format!("/reconciliations/{partner}/{day}?kind={}&done=compared", kind.word())));
        }
        Some(End::NotTaken(why)) => {
            wrong = Some(not_taken(why, w).to_owned());
            places = faults(why, who.may(Right::SeePayers), w);
        }
        Some(End::NotCompared(why)) => wrong = Some(not_compared(why, w).to_owned()),
        Some(End::No(problem)) => wrong = Some(said(problem, w)),
    }
    let day = day.to_string();
    let again = form_urlencoded(&[("partner", partner.as_str()), ("kind", kind.word()), ("day", &day)]);
    let told = Told::of(&work, w);
    let shell = Shell::new(&who, Part::Files);
    let all_faults = places.len() < FAULTS_MAX;
    let again = format!("/files?{again}{}", if told.takes { "#bring" } else { "" });
    let body = WorkPage { shell, w, told, wrong, faults: places, all_faults, again };
    let mut answer = page(&body, w)?;
    if body.wrong.is_some() {
        *answer.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    Ok(answer)
}

fn said(problem: &Problem, w: Words) -> String {
    problem.detail().map_or_else(|| w.try_again().to_owned(), str::to_owned)
}

/// `GET /work/{id}/progress`
pub(super) async fn progress(path: web::Path<String>, who: Who) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let work = WORKS.find(&path).ok_or_else(|| gone(who.words()))?;
    let (at, of) = work.told();
    let told = json!({ "at": at, "of": of, "over": work.end().is_some() });
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(told))
}

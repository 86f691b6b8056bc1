//! One file with its lines, a page at a time: all of them, or those that an open break is about.

use super::lines::{self, Known, Line};
use super::{ROWS, Row, number, row, sum};
use crate::domain::ids::PartnerCode;
use crate::domain::statement::{FileNo, LineNo, StatementKind};
use crate::domain::user::Right;
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::words::Words;
use crate::http::internal::Internal;
use crate::store::StoreError;
use crate::store::desk::StoredLine;
use crate::store::reports::Reports;
use crate::store::statements::{FileState, StatementFile};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LinesAsked {
    after: u32,
    /// `open`: only what an open break is about.
    only: String,
    done: String,
}

#[derive(Template)]
#[template(path = "file.html", config = "src/finance/askama.toml")]
struct FilePage {
    shell: Shell,
    w: Words,
    row: Row,
    kind: &'static str,
    hash: String,
    bytes: String,
    ignored: [String; 2],
    supersedes: Option<i64>,
    compare: Option<String>,
    sealed: bool,
    compared: Option<String>,
    breaks: String,
    open_only: bool,
    open: String,
    lines: Vec<Line>,
    masked: bool,
    next: Option<String>,
    first: Option<String>,
}

/// A file, a page of its lines, what is known of them, and whether its day is sealed.
struct Found {
    file: StatementFile,
    lines: Vec<StoredLine>,
    known: Known,
    sealed: bool,
}

/// Nobody compares a sealed day with the partner's word again; the core's and the bank's come long after.
pub(super) fn is_sealed(
    reports: &mut dyn Reports,
    (kind, partner, day): (StatementKind, &PartnerCode, Date),
) -> Result<bool, StoreError> {
    let last = reports.last_sealed(partner)?;
    Ok(kind == StatementKind::Partner && last.is_some_and(|last| day <= last.period.last()))
}

fn found(reports: &mut dyn Reports, no: FileNo, asked: &LinesAsked) -> Result<Option<Found>, StoreError> {
    let Some(file) = reports.statement_file(no)? else { return Ok(None) };
    let broken = lines::broken(reports, &file)?;
    let lines = if asked.only == "open" {
        lines::open_lines(reports, &broken, (no, asked.after, ROWS + 1))?
    } else {
        reports.file_lines(no, asked.after, ROWS + 1)?
    };
    let shown: Vec<LineNo> = lines.iter().map(|line| line.no).collect();
    let matched = reports.matched_lines(&shown)?.into_iter().collect();
    let of = &file.statement;
    let last = reports.reconciliation(of.kind, &of.partner, of.day)?;
    let compared = last.is_some_and(|last| last.reconciliation.file == Some(no));
    let sealed = is_sealed(reports, (of.kind, &of.partner, of.day))?;
    let known = Known { matched, broken, in_force: file.state == FileState::Taken, compared };
    Ok(Some(Found { file, lines, known, sealed }))
}

pub(super) async fn show(
    request: HttpRequest,
    path: web::Path<i64>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let (no, asked): (i64, LinesAsked) = (path.into_inner(), form::query(&request, w)?);
    // Beyond it no line has a number.
    if !(1..=i64::from(i32::MAX)).contains(&no) {
        return Err(Stop::not_there(w));
    }
    let said = match asked.done.as_str() {
        "taken" => Some(w.file_done_taken()),
        "before" => Some(w.file_done_before()),
        _ => None,
    };
    let (open_only, first) = (asked.only == "open", asked.after > 0);
    let found = internal.readers.ask(move |reports| found(reports, FileNo(no), &asked)).await;
    let found = found.map_err(|error| Stop::of(error.into(), w))?;
    let Found { file, mut lines, known, sealed } = found.ok_or_else(|| Stop::not_there(w))?;
    let sees = who.may(Right::SeePayers);
    if sees && !lines.is_empty() {
        who.note(&internal, "look-file", &no.to_string()).await?;
    }
    let more = lines.len() > usize::try_from(ROWS).unwrap_or(usize::MAX);
    lines.truncate(usize::try_from(ROWS).unwrap_or(usize::MAX));
    let of = &file.statement;
    let place = format!("/reconciliations/{}/{}?kind={}", of.partner, of.day, of.kind.word());
    let day = of.day.to_string();
    let breaks = [("partner", of.partner.as_str()), ("leg", of.kind.word()), ("day", &day)];
    let only = if open_only { "?only=open" } else { "" };
    let after = |line: &StoredLine| format!("{only}{}after={}", if open_only { "&" } else { "?" }, line.no.place());
    page(
        &FilePage {
            shell: Shell::new(&who, Part::Files).saying(said),
            w,
            row: row(&file, w),
            kind: of.kind.word(),
            hash: hex::encode(of.hash),
            bytes: number(of.bytes, w.0),
            ignored: sum(file.sums.ignored, w.0),
            supersedes: file.supersedes.map(|no| no.0),
            compare: (file.state == FileState::Taken && who.may(Right::Propose)).then(|| place.clone()),
            sealed,
            breaks: format!("/breaks?{}", form_urlencoded(&breaks)),
            open_only,
            open: number(u64::try_from(known.broken.len()).unwrap_or(u64::MAX), w.0),
            next: lines.last().filter(|_| more).map(|line| format!("/files/{no}{}", after(line))),
            lines: lines.iter().map(|of| lines::line(of, &known, (sees, w))).collect(),
            compared: known.compared.then_some(place),
            masked: !sees,
            first: first.then(|| format!("/files/{no}{only}")),
        },
        w,
    )
}

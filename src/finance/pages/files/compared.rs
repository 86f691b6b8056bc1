//! What the last comparison of a day came to: the sums as they tie out, and where its differences are.

use super::{kind_word, one};
use crate::domain::statement::StatementKind;
use crate::domain::user::{Right, Tongue};
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::told::author;
use crate::finance::words::Words;
use crate::http::internal::Internal;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

/// A row of the table that ties out: what, then count and dong of the statement and of the books.
pub(in crate::finance::pages) struct SumRow {
    /// What it is.
    pub name: &'static str,
    /// How it looks: a total, a part.
    pub total: bool,
    /// Statement's count and dong, books' count and dong.
    pub cells: [String; 4],
    /// The statement less the books: count and dong.
    pub off: [String; 2],
    /// Is that anything?
    pub differs: bool,
}

/// The kept sums of a comparison payment by payment, as a table.
pub(in crate::finance::pages) fn sum_rows(sums: &Value, w: Words) -> Vec<SumRow> {
    let rows: [(&str, &'static str, bool); 10] = [
        ("total", w.compare_total(), true),
        ("matched_today", w.compare_matched_today(), false),
        ("matched_to_carried_in", w.compare_matched_carried(), false),
        ("missing_on_other_side", w.compare_alone(), false),
        ("mismatched", w.compare_mismatched(), false),
        ("carried_out", w.compare_carried_out(), false),
        ("carried_in", w.compare_carried_in(), true),
        ("carried_in_matched", w.compare_carried_in_matched(), false),
        ("carried_in_still_missing", w.compare_carried_in_alone(), false),
        ("carried_in_mismatched", w.compare_carried_in_mismatched(), false),
    ];
    let cell =
        |side: &str, key: &str, what: &str| sums.pointer(&format!("/{side}/{key}/{what}")).and_then(Value::as_i64);
    let count = |side: &str, key: &str| text(cell(side, key, "count"), |of| show::count(of, w.0));
    let dong = |side: &str, key: &str| text(cell(side, key, "dong"), |of| show::money(of, w.0));
    let less = |key: &str, what: &str| {
        cell("statement", key, what).zip(cell("books", key, what)).map(|(theirs, ours)| theirs.saturating_sub(ours))
    };
    rows.into_iter()
        .map(|(key, name, total)| {
            let off = [less(key, "count"), less(key, "dong")];
            let [more, much] = off;
            SumRow {
                name,
                total,
                cells: [count("statement", key), dong("statement", key), count("books", key), dong("books", key)],
                off: [text(more, |of| show::signed_count(of, w.0)), text(much, |of| show::signed(of, w.0))],
                differs: off.into_iter().flatten().any(|of| of != 0),
            }
        })
        .collect()
}

fn text(of: Option<i64>, shown: impl FnOnce(i64) -> String) -> String {
    of.map_or_else(|| show::NONE.to_owned(), shown)
}

/// The kept sums of a comparison with the bank.
pub(in crate::finance::pages) fn bank_rows(sums: &Value, w: Words) -> Vec<(&'static str, String)> {
    let whole = |key: &str| sums.get(key).and_then(Value::as_i64);
    let money = |key: &str| text(whole(key), |of| show::money(of, w.0));
    let count = |key: &str| text(whole(key), |of| show::count(of, w.0));
    let as_of = sums.get("as_of").and_then(Value::as_str).and_then(|day| day.parse().ok());
    vec![
        (w.compare_as_of(), as_of.map_or_else(|| show::NONE.to_owned(), show::day)),
        (w.compare_batches(), count("batches")),
        (w.compare_differing(), count("differing")),
        (w.compare_gross(), money("gross_dong")),
        (w.compare_utility_share(), money("utility_share_dong")),
        (w.compare_fees_kept(), money("fees_kept_dong")),
        (w.compare_expected(), money("expected_dong")),
        (w.compare_credited(), money("credited_dong")),
        (w.compare_difference(), money("difference_dong")),
    ]
}

/// The statement less our books: count and dong.
pub(in crate::finance::pages) fn differences(sums: &Value, tongue: Tongue) -> ([String; 2], bool) {
    let whole = |what: &str| sums.pointer(&format!("/differences/{what}")).and_then(Value::as_i64);
    let (count, dong) = (whole("count"), whole("dong"));
    let shown = [text(count, |of| show::signed_count(of, tongue)), text(dong, |of| show::signed(of, tongue))];
    (shown, count == Some(0) && dong == Some(0))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    kind: String,
    done: String,
}

#[derive(Template)]
#[template(path = "reconciliation.html", config = "src/finance/askama.toml")]
struct LastPage {
    shell: Shell,
    w: Words,
    partner: String,
    iso: String,
    day: String,
    kind: &'static str,
    kind_word: &'static str,
    no: i64,
    file: Option<i64>,
    rules: i64,
    by: String,
    at: String,
    sum_rows: Vec<SumRow>,
    bank: Vec<(&'static str, String)>,
    differences: [String; 2],
    ties: bool,
    breaks: String,
    filter: String,
    may_compare: bool,
    sealed: bool,
}

/// `GET /reconciliations/{partner}/{date}`
pub(super) async fn last(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let (partner, date) = path.into_inner();
    let asked: Asked = form::query(&request, w)?;
    let kind = if asked.kind.is_empty() { Some(StatementKind::Partner) } else { StatementKind::parse(&asked.kind) };
    let kind = kind.ok_or_else(|| Stop::not_there(w))?;
    let day: Date = date.parse().map_err(|_not_a_day| Stop::not_there(w))?;
    let profile = internal.intake.profile(&partner).ok_or_else(|| Stop::not_there(w))?;
    let code = profile.code().clone();
    let found = internal.readers.ask(move |reports| {
        Ok((reports.reconciliation(kind, &code, day)?, one::is_sealed(reports, (kind, &code, day))?))
    });
    let (found, sealed) = found.await.map_err(|error| Stop::of(error.into(), w))?;
    let view = found.ok_or_else(|| Stop::no(actix_web::http::StatusCode::NOT_FOUND, w.compare_never(), w))?;
    let kept = &view.reconciliation;
    let sums: Value = serde_json::from_str(&kept.sums).unwrap_or(Value::Null);
    let bank = kind == StatementKind::Bank;
    let (differences, ties) = differences(&sums, w.0);
    let iso = day.to_string();
    let filter = form_urlencoded(&[("partner", partner.as_str()), ("day", &iso)]);
    let said = (asked.done == "compared").then(|| w.compare_done());
    page(
        &LastPage {
            shell: Shell::new(&who, Part::Files).saying(said),
            w,
            day: show::day(day),
            kind: kind.word(),
            kind_word: kind_word(kind, w),
            no: view.no.0,
            file: kept.file.map(|no| no.0),
            rules: kept.rules,
            by: author(&kept.author, w),
            at: show::moment(kept.at),
            sum_rows: if bank { Vec::new() } else { sum_rows(&sums, w) },
            bank: if bank { bank_rows(&sums, w) } else { Vec::new() },
            differences,
            ties,
            breaks: format!("/breaks?{filter}"),
            filter,
            may_compare: who.may(Right::Propose),
            sealed,
            partner,
            iso,
        },
        w,
    )
}

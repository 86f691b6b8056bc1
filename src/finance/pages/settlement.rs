//! What a partner's days should bring at the bank, and what they brought: the sums of all partners, then one's batches.

use crate::domain::ids::PartnerCode;
use crate::domain::statement::StatementKind;
use crate::domain::user::{Right, Tongue};
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::settlements;
use crate::ledger::writer::moment;
use crate::reconcile::settlement::report;
use crate::store::StoreError;
use crate::store::settlements::{Batch, Batches, LISTED_MAX, StatementDays};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

/// Batches of one page.
const ROWS: usize = 100;

/// The days that are shown unless others are asked for.
const USUAL_DAYS: i32 = 31;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/settlement", web::get().to(all)).route("/settlement/{partner}", web::get().to(one));
}

/// Where a batch stands, for people, and how it looks.
fn state(batch: &Batch, w: Words) -> (&'static str, &'static str) {
    match report::state(batch) {
        "full" => (w.settle_full(), "good"),
        "waiting" => (w.settle_waiting(), ""),
        "late" => (w.settle_late(), "warn"),
        "short" => (w.settle_short(), "bad"),
        "missing" => (w.settle_missing(), "bad"),
        "unknown" => (w.settle_unknown(), "bad"),
        _ => (w.settle_different(), "bad"),
    }
}

/// Sums of batches, in dong; nothing where they are beyond what can be counted.
struct Sums {
    batches: String,
    differing: String,
    bad: bool,
    gross: String,
    utility: String,
    fees: String,
    expected: String,
    credited: String,
    difference: String,
}

impl Sums {
    fn of(batches: &[Batch], tongue: Tongue) -> Self {
        let add = |of: fn(&Batch) -> i64| batches.iter().try_fold(0_i64, |sum, batch| sum.checked_add(of(batch)));
        let money =
            |of: fn(&Batch) -> i64| add(of).map_or_else(|| show::NONE.to_owned(), |dong| show::money(dong, tongue));
        let count = |of: usize| show::count(i64::try_from(of).unwrap_or(i64::MAX), tongue);
        let differing = report::differing(batches);
        Self {
            batches: count(batches.len()),
            differing: count(differing),
            bad: differing > 0,
            gross: money(|batch| batch.gross),
            utility: money(|batch| batch.utility),
            fees: money(|batch| if batch.net { batch.fee.unwrap_or(0) } else { 0 }),
            expected: money(|batch| batch.expected),
            credited: money(|batch| batch.credited),
            difference: money(Batch::difference),
        }
    }
}

/// The days that are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    from: String,
    to: String,
    after: String,
}

impl Asked {
    fn days(&self, internal: &Internal, w: Words) -> Result<(Date, Date), Stop> {
        let today = moment(internal.intake.clock().as_ref()).today;
        let day = |text: &str, usual: Date| match text {
            "" => Ok(usual),
            text => text.parse().map_err(|_not_a_day| Stop::bad(w.settle_bad_days(), w)),
        };
        let to = day(&self.to, today)?;
        let from = day(&self.from, to.saturating_sub(USUAL_DAYS.days()))?;
        if from > to { Err(Stop::bad(w.settle_bad_days(), w)) } else { Ok((from, to)) }
    }
}

/// A partner in the list.
struct Row {
    partner: String,
    /// Is there a batch, so that there is anything to say?
    known: bool,
    /// Was a bank statement of these days brought?
    brought: bool,
    sums: Sums,
    oldest: Option<String>,
}

#[derive(Template)]
#[template(path = "settlements.html", config = "src/finance/askama.toml")]
struct AllPage {
    shell: Shell,
    w: Words,
    days: [String; 2],
    rows: Vec<Row>,
    may_bring: bool,
    query: String,
}

async fn all(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let (from, to) = asked.days(&internal, w)?;
    let partners = internal.intake.partners();
    let codes: Vec<PartnerCode> = partners
        .iter()
        .filter(|profile| !profile.terms().settlements.is_empty())
        .map(|profile| profile.code().clone())
        .collect();
    let found = beside(&internal, move |reports| -> Result<Vec<(PartnerCode, Vec<Batch>, bool)>, StoreError> {
        let mut found = Vec::with_capacity(codes.len());
        for code in codes {
            let ask = Batches { partner: &code, from, to, open_only: false, limit: LISTED_MAX };
            let batches = reports.batches(&ask)?;
            let files = StatementDays { kind: StatementKind::Bank, partner: &code, from, to, limit: 1 };
            let brought = !reports.statements_of(&files)?.is_empty();
            found.push((code, batches, brought));
        }
        Ok(found)
    });
    let found = found.await.map_err(|problem| Stop::of(problem, w))?;
    let found = found.map_err(|error| Stop::of(crate::http::statements::stopped(&error), w))?;
    let row = |(partner, batches, brought): &(PartnerCode, Vec<Batch>, bool)| Row {
        partner: partner.to_string(),
        known: !batches.is_empty(),
        brought: *brought,
        sums: Sums::of(batches, w.0),
        oldest: batches.iter().filter(|batch| batch.class.is_some()).map(|batch| batch.due).min().map(show::day),
    };
    let (from, to) = (from.to_string(), to.to_string());
    let body = AllPage {
        shell: Shell::new(&who, Part::Settlement),
        w,
        rows: found.iter().map(row).collect(),
        may_bring: who.may(Right::Propose),
        query: form_urlencoded(&[("from", &from), ("to", &to)]),
        days: [from, to],
    };
    page(&body, w)
}

/// A batch in the list.
struct BatchRow {
    key: String,
    name: String,
    day: String,
    file: Option<i64>,
    state: &'static str,
    look: &'static str,
    net: bool,
    due: String,
    calendar_known: bool,
    full_on: Option<String>,
    gross: String,
    utility: String,
    fee: String,
    fee_stated: String,
    fee_differs: bool,
    expected: String,
    credited: String,
    credits: String,
    difference: String,
    differs: bool,
}

/// The place of a batch in the order of the list.
fn key(batch: &Batch) -> (Date, i64) {
    (batch.day, batch.batch)
}

fn batch_row(batch: &Batch, w: Words) -> BatchRow {
    let money = |dong: i64| show::money(dong, w.0);
    let money_if = |dong: Option<i64>| dong.map_or_else(|| show::NONE.to_owned(), money);
    let (word, look) = state(batch, w);
    BatchRow {
        key: format!("{}.{}", batch.day, batch.batch),
        name: if batch.name.is_empty() { w.settle_no_batch().to_owned() } else { batch.name.clone() },
        day: show::day(batch.day),
        file: batch.file.map(|file| file.0),
        state: word,
        look,
        net: batch.net,
        due: show::day(batch.due),
        calendar_known: batch.calendar_known,
        full_on: batch.full_on.map(show::day),
        gross: money(batch.gross),
        utility: money(batch.utility),
        fee: money_if(batch.fee),
        fee_stated: money_if(batch.fee_stated),
        fee_differs: batch.fee.zip(batch.fee_stated).is_some_and(|(fee, stated)| fee != stated),
        expected: money(batch.expected),
        credited: money(batch.credited),
        credits: show::count(i64::from(batch.credits), w.0),
        difference: show::signed(batch.difference(), w.0),
        differs: batch.difference() != 0,
    }
}

#[derive(Template)]
#[template(path = "settlement.html", config = "src/finance/askama.toml")]
struct OnePage {
    shell: Shell,
    w: Words,
    partner: String,
    days: [String; 2],
    rows: Vec<BatchRow>,
    sums: Sums,
    as_of: String,
    known: bool,
    /// Has any batch one?
    has_utility: bool,
    has_fees: bool,
    may_bring: bool,
    breaks: String,
    next: Option<String>,
    first: Option<String>,
}

async fn one(
    request: HttpRequest,
    path: web::Path<String>,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let w = who.words();
    let asked: Asked = form::query(&request, w)?;
    let profile = internal.intake.profile(&path).ok_or_else(|| Stop::not_there(w))?;
    let (from, to) = asked.days(&internal, w)?;
    let code = profile.code().clone();
    let found = settlements::batches(&internal, code.clone(), (from, to)).await;
    let mut found = found.map_err(|problem| match problem.detail() {
        Some(_) => Stop::bad(w.settle_too_many(), w),
        None => Stop::of(problem, w),
    })?;
    found.sort_by_key(|batch| std::cmp::Reverse(key(batch)));
    let after = asked.after.split_once('.').and_then(|(day, no)| Some((day.parse().ok()?, no.parse().ok()?)));
    let here = || found.iter().filter(|batch| after.is_none_or(|after: (Date, i64)| key(batch) < after));
    let rows: Vec<BatchRow> = here().take(ROWS).map(|batch| batch_row(batch, w)).collect();
    let more = here().nth(ROWS).is_some();
    let (from, to) = (from.to_string(), to.to_string());
    let place = |after: &str| {
        let query = form_urlencoded(&[("from", &from), ("to", &to), ("after", after)]);
        format!("/settlement/{code}?{query}")
    };
    let body = OnePage {
        shell: Shell::new(&who, Part::Settlement),
        w,
        partner: code.to_string(),
        sums: Sums::of(&found, w.0),
        as_of: found.iter().map(|batch| batch.as_of).max().map_or_else(|| show::NONE.to_owned(), show::day),
        known: found.iter().all(|batch| batch.calendar_known),
        has_utility: found.iter().any(|batch| batch.utility != 0),
        has_fees: found.iter().any(|batch| batch.fee.is_some() || batch.fee_stated.is_some()),
        may_bring: who.may(Right::Propose),
        breaks: format!("/breaks?{}", form_urlencoded(&[("partner", code.as_str())])),
        next: rows.last().filter(|_| more).map(|row| place(&row.key)),
        first: after.map(|_| place("")),
        rows,
        days: [from.clone(), to.clone()],
    };
    page(&body, w)
}

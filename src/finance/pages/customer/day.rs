//! A partner's business day as a list of payments, a page at a time.

use super::row::{self, PaymentRow};
use crate::domain::ids::{EventKey, EventNo, PartnerCode};
use crate::domain::time::Timestamp;
use crate::domain::user::Right;
use crate::finance::form;
use crate::finance::session::Who;
use crate::finance::shell::{Part, Shell, page};
use crate::finance::show;
use crate::finance::stop::{Stop, form_urlencoded};
use crate::finance::words::Words;
use crate::http::desk::beside;
use crate::http::internal::Internal;
use crate::http::statements::stopped;
use crate::ledger::writer::moment;
use crate::store::StoreError;
use crate::store::reports::Reports;
use crate::store::rows::EventRecord;
use crate::store::statements::Held;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::HashSet;

/// Payments in a page.
const ROWS: u32 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DayQuery {
    partner: String,
    day: String,
    after: i64,
}

#[derive(Template)]
#[template(path = "payments.html", config = "src/finance/askama.toml")]
struct DayPage {
    shell: Shell,
    w: Words,
    partners: Vec<String>,
    partner: String,
    /// As a field of a form has it.
    date: String,
    day: String,
    /// Payments, reversals, and what is left.
    counts: [String; 2],
    sums: [String; 3],
    /// Is something in brackets, so that they are explained?
    uncounted: bool,
    first: bool,
    next: Option<String>,
    payments: Vec<PaymentRow>,
}

#[derive(Debug, Default)]
struct Page {
    rows: Vec<PaymentRow>,
    /// Count and dong of payments, of reversals, and of both.
    totals: [(i64, i64); 3],
    last: Option<i64>,
}

fn read(
    reports: &mut dyn Reports,
    (partner, day, after): (&PartnerCode, Date, EventNo),
    how: (bool, Timestamp, Words),
) -> Result<Page, StoreError> {
    let events = reports.payments_of_day(partner, day, after, ROWS)?;
    let total = reports.day_totals(partner, (day, day))?.into_iter().find(|total| total.day == day);
    let (count, dong) = total.map_or((0, 0), |total| (total.count, total.dong));
    let reversed = reports.reversals_of_day(partner, day)?;
    let back = (i64::try_from(reversed.count).unwrap_or(i64::MAX), reversed.dong);
    let full = events.len() >= usize::try_from(ROWS).unwrap_or(usize::MAX);
    let last = events.last().filter(|_| full).map(|(no, _)| no.0);
    let records: Vec<EventRecord> = events.into_iter().map(|(_, record)| record).collect();
    let keys: Vec<EventKey> = records.iter().map(|record| record.key).collect();
    let held = reports.day_events_with(&keys)?;
    let nowhere: HashSet<String> =
        held.iter().filter(|event| event.held == Held::Nowhere).map(|event| event.key.to_string()).collect();
    let mut rows = row::all(reports, records, how)?;
    for row in &mut rows {
        row.counted = !nowhere.contains(&row.key);
    }
    let paid = (count.saturating_sub(back.0), dong.saturating_add(back.1));
    Ok(Page { rows, totals: [paid, back, (count, dong)], last })
}

/// `GET /payments?partner=&day=`
pub(super) async fn list(request: HttpRequest, who: Who, internal: web::Data<Internal>) -> Result<HttpResponse, Stop> {
    who.must(Right::Look)?;
    let (w, sees) = (who.words(), who.may(Right::SeePayers));
    let asked: DayQuery = form::query(&request, w)?;
    let partners: Vec<PartnerCode> = internal.intake.partners().iter().map(|profile| profile.code().clone()).collect();
    let partner = match asked.partner.as_str() {
        "" => partners.first().cloned(),
        code => PartnerCode::parse(code).ok(),
    };
    let at = moment(internal.intake.clock().as_ref());
    let day = if asked.day.is_empty() { Some(at.today) } else { asked.day.parse().ok() };
    let (partner, day): (PartnerCode, Date) = partner.zip(day).ok_or_else(|| Stop::not_there(w))?;
    let (of, after, now) = (partner.clone(), EventNo(asked.after), at.now);
    let found = beside(&internal, move |reports| read(reports, (&of, day, after), (sees, now, w))).await;
    let found = found.and_then(|found| found.map_err(|error| stopped(&error)));
    let found = found.map_err(|problem| Stop::of(problem, w))?;
    if sees {
        who.note(&internal, "look-payments", &format!("{partner} {day}")).await?;
    }
    let place = |after: i64| {
        let query = [("partner", partner.as_str()), ("day", &day.to_string()), ("after", &after.to_string())];
        format!("/payments?{}", form_urlencoded(&query))
    };
    let [paid, back, _] = found.totals;
    page(
        &DayPage {
            shell: Shell::new(&who, Part::Partners),
            w,
            partners: partners.iter().map(PartnerCode::to_string).collect(),
            date: day.to_string(),
            day: show::day(day),
            counts: [paid, back].map(|(count, _)| show::count(count, w.0)),
            sums: found.totals.map(|(_, dong)| show::money(dong, w.0)),
            uncounted: found.rows.iter().any(|row| !row.counted),
            first: asked.after == 0,
            next: found.last.map(place),
            payments: found.rows,
            partner: partner.to_string(),
        },
        w,
    )
}

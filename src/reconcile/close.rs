//! Signing off: a day or a month of a partner is drawn up by one person and signed by another one, with the figures as
//! they stood. What came late for a sealed day keeps its business day and is taken into account by the first close after
//! it; what is open goes on with its age. Nothing of a sealed day is compared or taken again before it is opened.

use super::run::{self, Subject};
use crate::domain::close::{CloseState, Period, close_hash};
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::resolution::Age;
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::ledger::{SliceError, Slices};
use crate::partner::Profile;
use crate::partner::statement::Layout;
use crate::reconcile::desk::views::age_days;
use crate::store::closes::{CloseView, DayTotal, NewClose, Reopened, Signed, Window};
use crate::store::desk::{BreakFilter, BreakView, Mark};
use crate::store::reports::Reports;
use crate::store::statements::ReconciliationView;
use crate::store::{StoreError, Tx};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Before the first business day there is.
const EARLIEST: Date = date(2000, 1, 1);

/// Breaks read at once.
const PAGE: u32 = 1_000;

/// Breaks that a close names one by one; the others are in its sums.
const LISTED_MAX: usize = 10_000;

/// Why a close was not drawn up.
#[derive(Debug, thiserror::Error)]
pub enum NotClosed {
    /// It ends later.
    #[error("the period is not over")]
    NotOver,
    /// Signed already.
    #[error("it is sealed")]
    Sealed,
    /// Days are closed one after the other.
    #[error("days are closed one after the other: {0} is next")]
    Order(Date),
    /// It lies before the first close, which took it in.
    #[error("it lies before the first close, of {0}, which took in what was paid before")]
    Before(Date),
    /// The first close takes in what was paid before, and somebody must say why closes begin there, and why what is open goes
    /// on.
    #[error(
        "payments of earlier days are in no close: {0} over {1} dong; this first close takes them in, and {2} breaks over \
             {3} dong go on open: say why"
    )]
    Earlier(i64, i64, u64, i64),
    /// The partner's file is missing, and there are payments.
    #[error("no statement of the day was taken")]
    NoStatement,
    /// Taken, and not compared since.
    #[error("the statement was not compared since it was taken")]
    NotCompared,
    /// Payments of the day came after it was compared.
    #[error("payments of the day came after it was compared: compare it again")]
    Moved,
    /// Somebody must say of them that they may go on open.
    #[error("{0} breaks are open, over {1} dong: resolve them, or say why they may go on open")]
    Open(u64, i64),
    /// A month's days are not all sealed.
    #[error("not sealed yet: {0}")]
    Day(Date),
    /// Money beyond what can be counted.
    #[error("the figures are out of range")]
    Range,
    /// The writer has no room, or the storage failed.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A draft, and the breaks that go on open by it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What is kept.
    pub new: NewClose,
    /// These are to be marked, with the reason.
    pub carry: Option<(Vec<i64>, String)>,
}

/// Draws a day up. `carry`: why what is open may go on open.
///
/// # Errors
/// [`NotClosed`].
pub fn day(
    reports: &mut dyn Reports,
    (profile, layout): (&Profile, &Layout),
    day: Date,
    (author, carry, at): (&Author, Option<&str>, Timestamp),
) -> Result<Draft, NotClosed> {
    let partner = profile.code();
    let subject = Subject::of(layout, partner, day).ok_or(NotClosed::NotOver)?;
    if subject.end > at {
        return Err(NotClosed::NotOver);
    }
    let previous = before(reports, partner, day)?;
    let late = late(reports, partner, day)?;
    // Before it is asked whether the comparison stands: what comes in between is not accounted for, and late.
    let own = own_total(reports, partner, day)?;
    let compared = compared(reports, &subject, (&late, previous.is_some()))?;
    let earlier = if previous.is_some() { Earlier::default() } else { earlier(reports, &subject)? };
    let today = at.day_in(profile.timezone()).ok_or(NotClosed::NotOver)?;
    let open = open_until(reports, partner, day)?;
    let stuck: Vec<&BreakView> = open.iter().filter(|about| !about.goes_on()).collect();
    let Earlier { days, count, dong } = earlier;
    if carry.is_none() {
        let stuck_dong =
            stuck.iter().map(|about| about.amount.dong().saturating_abs()).fold(0_i64, i64::saturating_add);
        let stuck = u64::try_from(stuck.len()).unwrap_or(u64::MAX);
        match (count, stuck) {
            (0, 0) => {}
            (0, _) => return Err(NotClosed::Open(stuck, stuck_dong)),
            _ => return Err(NotClosed::Earlier(count, dong, stuck, stuck_dong)),
        }
    }
    let earlier_json = carry.filter(|_| count > 0).map(|why| json!({ "count": count, "dong": dong, "why": why }));
    let mut totals = [days, late].concat();
    totals.push(own);
    let carry = carry.filter(|_| !stuck.is_empty());
    let carry = carry.map(|reason| (stuck.iter().map(|about| about.no).collect(), reason.to_owned()));
    let (open_json, open_dong) = open_figures(&open, today)?;
    let file = reports.statement(StatementKind::Partner, partner, day)?;
    let mut legs = serde_json::Map::new();
    for kind in StatementKind::ALL {
        if let Some(view) = reports.reconciliation(kind, partner, day)? {
            legs.insert(kind.word().to_owned(), leg_json(&view));
        }
    }
    let mut figures = json!({
        "close": "thuho day 1",
        "partner": partner.as_str(),
        "day": day.to_string(),
        "statement": file.as_ref().map(|file| json!({
            "file": file.no.0, "name": file.statement.name, "sha256": hex::encode(file.statement.hash),
        })),
        "legs": legs,
        "accounted": totals.iter().map(total_json).collect::<Vec<_>>(),
        "open": open_json,
        "previous": previous.as_ref().map(|close| hex::encode(close.hash)),
    });
    if let (Some(earlier), Some(figures)) = (earlier_json, figures.as_object_mut()) {
        figures.insert("earlier".to_owned(), earlier);
    }
    let (figures, previous) = (figures.to_string(), previous.map(|close| close.hash));
    let new = NewClose {
        period: Period::Day(day),
        partner: partner.clone(),
        file: file.map(|file| file.no),
        reconciliation: compared.map(|view| view.no),
        hash: close_hash(previous.as_ref(), &figures),
        figures,
        previous,
        open_dong,
        accounted: totals,
        author: author.clone(),
        at,
    };
    Ok(Draft { new, carry })
}

/// The last sealed close, which the day follows; none if it is the partner's first.
fn before(reports: &mut dyn Reports, partner: &PartnerCode, day: Date) -> Result<Option<CloseView>, NotClosed> {
    let Some(last) = reports.last_sealed(partner)? else { return Ok(None) };
    let next = last.period.last().tomorrow().map_err(|_end_of_time| NotClosed::Range)?;
    match (day, reports.first_sealed(partner)?) {
        (day, _) if day == next => Ok(Some(last)),
        (day, _) if day > next => Err(NotClosed::Order(next)),
        (day, Some(first)) if day < first => Err(NotClosed::Before(first)),
        _ => Err(NotClosed::Sealed),
    }
}

/// What was paid before the first close, which takes it in: every payment is in one.
#[derive(Default)]
struct Earlier {
    /// By business day.
    days: Vec<DayTotal>,
    /// How many in all. Of the close's own business day, what lies before the partner's day began is among them: the close
    /// accounts for it, and the statement of the day before, which lists it, is not compared any more.
    count: i64,
    /// How much, in dong.
    dong: i64,
}

fn earlier(reports: &mut dyn Reports, subject: &Subject) -> Result<Earlier, NotClosed> {
    let (Ok(yesterday), Ok(tomorrow)) = (subject.day.yesterday(), subject.day.tomorrow()) else {
        return Err(NotClosed::Range);
    };
    let days = reports.day_totals(&subject.partner, (EARLIEST, yesterday))?;
    let with_night = reports.window_total(&subject.window())?;
    let own = reports.window_total(&Window { day: tomorrow, ..subject.window() })?;
    let night = (with_night.count.saturating_sub(own.count), with_night.dong.saturating_sub(own.dong));
    // A payment that came between the two questions is no night's.
    let (mut count, mut dong) = if night.0 > 0 { night } else { (0, 0) };
    for total in &days {
        count = count.checked_add(total.count).ok_or(NotClosed::Range)?;
        dong = dong.checked_add(total.dong).ok_or(NotClosed::Range)?;
    }
    Ok(Earlier { days, count, dong })
}

/// The days of a period that are closed, if closes begin on that day.
pub fn days_of((first, last): (Date, Date), begins: Option<Date>) -> impl Iterator<Item = Date> {
    first.max(begins.unwrap_or(first)).series(1.day()).take_while(move |day| *day <= last)
}

/// The comparison of the statement that is there; none for a day on which nothing happened.
fn compared(
    reports: &mut dyn Reports,
    subject: &Subject,
    (late, follows): (&[DayTotal], bool),
) -> Result<Option<ReconciliationView>, NotClosed> {
    let (partner, day) = (&subject.partner, subject.day);
    let held = reports.window_total(&subject.window())?;
    let Some(file) = reports.statement(StatementKind::Partner, partner, day)? else {
        // What the business day has from before the partner's day began was in the statement of the day before.
        let own =
            subject.day.tomorrow().map_or(Ok(held), |day| reports.window_total(&Window { day, ..subject.window() }))?;
        return if own.count == 0 && late.is_empty() { Ok(None) } else { Err(NotClosed::NoStatement) };
    };
    let view = reports.reconciliation(StatementKind::Partner, partner, day)?;
    let view = view.filter(|view| view.reconciliation.file == Some(file.no)).ok_or(NotClosed::NotCompared)?;
    if !reports.is_complete(view.no)? {
        return Err(NotClosed::NotCompared);
    }
    let sums: Value = serde_json::from_str(&view.reconciliation.sums).unwrap_or(Value::Null);
    // The books must have what they had then.
    // What was left to the day before may have come too late for it. The first close takes it in, whatever it is.
    let left = if follows { Some(0) } else { sums.pointer("/held/left").and_then(Value::as_u64) };
    let held = left.map(|left| run::held_json(&held, left));
    if sums.get("late") != Some(&run::late_json(late)) || sums.get("held") != held.as_ref() {
        return Err(NotClosed::Moved);
    }
    Ok(Some(view))
}

/// What came for sealed days before this one, or went, after they were sealed.
///
/// # Errors
/// The machine's.
pub(super) fn late(reports: &mut dyn Reports, partner: &PartnerCode, day: Date) -> Result<Vec<DayTotal>, StoreError> {
    let Some(last) = reports.last_sealed(partner)? else { return Ok(Vec::new()) };
    let days = (EARLIEST, day.yesterday().unwrap_or(day).min(last.period.last()));
    let mut known: BTreeMap<Date, DayTotal> =
        reports.accounted(partner, days)?.into_iter().map(|total| (total.day, total)).collect();
    let mut late = Vec::new();
    // Of a day before the first close too, which took in what was known of it.
    for held in reports.day_totals(partner, days)? {
        let before = known.remove(&held.day).unwrap_or(DayTotal::nothing(held.day));
        late.push(less(held, &before));
    }
    // Days of which nothing is left.
    late.extend(known.into_values().map(|gone| less(DayTotal::nothing(gone.day), &gone)));
    late.retain(DayTotal::is_something);
    late.sort_by_key(|total| total.day);
    Ok(late)
}

fn less(now: DayTotal, before: &DayTotal) -> DayTotal {
    let DayTotal { day, count, dong, mark } = now;
    DayTotal { day, count: count - before.count, dong: dong - before.dong, mark: mark - before.mark }
}

/// What the books have of the business day.
fn own_total(reports: &mut dyn Reports, partner: &PartnerCode, day: Date) -> Result<DayTotal, StoreError> {
    let own = reports.day_totals(partner, (day, day))?.into_iter().next();
    Ok(own.unwrap_or(DayTotal::nothing(day)))
}

/// The partner's open breaks with an accounting day up to this one.
fn open_until(reports: &mut dyn Reports, partner: &PartnerCode, day: Date) -> Result<Vec<BreakView>, StoreError> {
    let (mut open, mut before) = (Vec::new(), None);
    loop {
        let filter =
            BreakFilter { partner: Some(partner.clone()), aged_to: Some(day), before, ..BreakFilter::open(PAGE) };
        let page = reports.breaks(&filter)?;
        let Some(last) = page.last() else { break };
        before = Some(last.no);
        open.extend(page);
    }
    open.reverse();
    Ok(open)
}

/// What goes on open: by class, and one by one with its age.
fn open_figures(open: &[BreakView], today: Date) -> Result<(Value, i64), NotClosed> {
    let mut classes: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    let mut sum = 0_i64;
    for about in open {
        let dong = about.amount.dong().saturating_abs();
        sum = sum.checked_add(dong).ok_or(NotClosed::Range)?;
        let of = classes.entry(about.class.code()).or_default();
        *of = (of.0 + 1, of.1.checked_add(dong).ok_or(NotClosed::Range)?);
    }
    let listed = open.iter().take(LISTED_MAX).map(|about| {
        json!({
            "break": about.no, "class": about.class.code(), "dong": about.amount.dong(),
            "since": about.aged_from.to_string(), "age": Age::of(age_days(about, today)).word(),
        })
    });
    let json = json!({
        "count": open.len(),
        "dong": sum,
        "classes": classes.iter().map(|(class, (count, dong))| json!({ "class": class, "count": count, "dong": dong })).collect::<Vec<_>>(),
        "listed": listed.collect::<Vec<_>>(),
    });
    Ok((json, sum))
}

fn leg_json(view: &ReconciliationView) -> Value {
    let kept = &view.reconciliation;
    json!({
        "reconciliation": view.no.0,
        "file": kept.file.map(|no| no.0),
        "rules": kept.rules,
        "sums": serde_json::from_str::<Value>(&kept.sums).unwrap_or(Value::Null),
    })
}

fn total_json(total: &DayTotal) -> Value {
    json!({ "business_day": total.day.to_string(), "count": total.count, "dong": total.dong })
}

/// Draws a month up, once all of its days are sealed. The partner's first month begins with its first close.
///
/// # Errors
/// [`NotClosed`].
pub fn month(
    reports: &mut dyn Reports,
    partner: &PartnerCode,
    first: Date,
    (author, at): (&Author, Timestamp),
) -> Result<Draft, NotClosed> {
    let period = Period::Month(first.first_of_month());
    let begins = reports.first_sealed(partner)?;
    if let Some(begins) = begins.filter(|begins| *begins > period.last()) {
        return Err(NotClosed::Before(begins));
    }
    let (mut days, mut count, mut dong, mut open_dong, mut previous) = (Vec::new(), 0_i64, 0_i64, 0, None);
    let mut open = Value::Null;
    for day in days_of((period.first(), period.last()), begins) {
        let close = reports.close(partner, Period::Day(day))?.filter(|close| close.state == CloseState::Sealed);
        let close = close.ok_or(NotClosed::Day(day))?;
        let figures: Value = serde_json::from_str(&close.figures).map_err(|_not_ours| NotClosed::Range)?;
        for total in figures.get("accounted").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default() {
            let of = |field: &str| total.get(field).and_then(Value::as_i64).unwrap_or_default();
            count = count.checked_add(of("count")).ok_or(NotClosed::Range)?;
            dong = dong.checked_add(of("dong")).ok_or(NotClosed::Range)?;
        }
        days.push(json!({ "day": day.to_string(), "sha256": hex::encode(close.hash) }));
        open = figures.get("open").cloned().unwrap_or_default();
        (open_dong, previous) = (close.open_dong, Some(close.hash));
    }
    let figures = json!({
        "close": "thuho month 1",
        "partner": partner.as_str(),
        "month": period.to_string(),
        "days": days,
        "accounted": { "count": count, "dong": dong },
        "open": open,
    });
    let figures = figures.to_string();
    let new = NewClose {
        period,
        partner: partner.clone(),
        file: None,
        reconciliation: None,
        hash: close_hash(previous.as_ref(), &figures),
        figures,
        previous,
        open_dong,
        accounted: Vec::new(),
        author: author.clone(),
        at,
    };
    Ok(Draft { new, carry: None })
}

/// Keeps a draft, with the marks of what goes on open by it.
///
/// # Errors
/// [`NotClosed`].
pub fn keep(slices: &mut Slices<'_>, draft: Draft) -> Result<[u8; 32], NotClosed> {
    let Draft { new, carry } = draft;
    let (hash, at) = (new.hash, new.at);
    // Cut off here, they are accepted and the day is not drawn up: it is drawn up again.
    if let Some((breaks, reason)) = carry {
        let by = new.author.clone();
        let mark = move |tx: &mut dyn Tx, rows: &[i64]| tx.mark_breaks(rows, &Mark::Accept(reason.clone()), &by, at);
        slices.all(breaks, mark, &mut |_| {})?;
    }
    let kept = slices.one(move |tx| tx.draft_close(&new))?;
    if kept { Ok(hash) } else { Err(NotClosed::Sealed) }
}

/// Signs what another one drew up.
///
/// # Errors
/// [`SliceError`].
pub fn sign(
    slices: &mut Slices<'_>,
    (partner, period): (PartnerCode, Period),
    hash: [u8; 32],
    (by, at): (Author, Timestamp),
) -> Result<Signed, SliceError> {
    let (name, who) = (partner.clone(), by.clone());
    let signed = slices.one(move |tx| tx.sign_close((&partner, period), &hash, (&by, at)))?;
    tracing::info!(partner = %name, period = %period, by = %who, ?signed, "A close was signed, or not");
    Ok(signed)
}

/// Opens what is sealed.
///
/// # Errors
/// [`SliceError`].
pub fn reopen(
    slices: &mut Slices<'_>,
    (partner, period): (PartnerCode, Period),
    reason: String,
    (by, at): (Author, Timestamp),
) -> Result<Reopened, SliceError> {
    let (name, who) = (partner.clone(), by.clone());
    let reopened = slices.one(move |tx| tx.reopen((&partner, period), &reason, (&by, at)))?;
    tracing::warn!(partner = %name, period = %period, by = %who, ?reopened, "A sealed period was opened again, or not");
    Ok(reopened)
}

/// A close, as the API and the command line show it.
#[must_use]
pub fn to_json(close: &CloseView) -> Value {
    let by = |(who, at): &(Author, Timestamp)| json!({ "by": who.as_str(), "at": at.to_string() });
    json!({
        "partner": close.partner.as_str(),
        "period": close.period.to_string(),
        "state": close.state.word(),
        "sha256": hex::encode(close.hash),
        "previous": close.previous.map(hex::encode),
        "open_dong": close.open_dong,
        "drafted": by(&close.drafted),
        "signed": close.signed.as_ref().map(by),
        "ended": close.ended.as_ref().map(|(who, at, why)| json!({ "by": who.as_str(), "at": at.to_string(), "reason": why })),
        "figures": serde_json::from_str::<Value>(&close.figures).unwrap_or(Value::Null),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_closed_from_the_first_close_on() {
        let october = (date(2026, 10, 1), date(2026, 10, 31));
        let of = |begins: Option<Date>| days_of(october, begins).collect::<Vec<_>>();
        assert_eq!(of(Some(date(2026, 10, 30))), [date(2026, 10, 30), date(2026, 10, 31)]);
        assert_eq!((of(None).len(), of(Some(date(2026, 9, 7))).len()), (31, 31));
        assert_eq!(of(Some(date(2026, 11, 1))), []);
    }
}

//! Fills minutes from the books: the sums of days, the kept comparisons, the breaks. Reads, and changes nothing.

use super::figures::{Figures, beyond};
use super::{Comparisons, Difference, Minutes, MinutesError, Party, Sealed};
use crate::domain::close;
use crate::domain::ids::PartnerCode;
use crate::domain::statement::{StatementKind, Sum};
use crate::domain::time::Timestamp;
use crate::partner::Profile;
use crate::store::StoreError;
use crate::store::closes::DayTotal;
use crate::store::periods::{Period, PeriodBooks, PeriodBreak, PeriodBreaks};
use crate::store::reports::Reports;
use crate::store::settlements::Batches;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest period, in days: a year and a day.
pub const PERIOD_DAYS_MAX: u32 = 366;

/// How many differences are printed; the rest is counted.
const DIFFERENCES_MAX: u32 = 2_000;

/// What minutes are wanted.
pub struct Wanted<'a> {
    /// With whom.
    pub profile: &'a Profile,
    /// The first business day.
    pub from: Date,
    /// The last one, included.
    pub to: Date,
    /// For whom.
    pub author: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Minutes of a period. They tie out, or there are none.
///
/// # Errors
/// [`MinutesError`].
pub fn gather(reports: &mut dyn Reports, wanted: Wanted<'_>) -> Result<Minutes, MinutesError> {
    let Wanted { profile, from, to, author, at } = wanted;
    let days: Vec<Date> = from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to).take(limit()).collect();
    if days.is_empty() || days.len() >= limit() {
        return Err(MinutesError::Period);
    }
    let partner = profile.code();
    let sealed = sealed(reports, partner, (from, to))?;
    let period = Period { partner, from, to };
    let books = reports.period_books(&period)?;
    balanced(&books)?;
    let batches = Batches { partner, from: EARLIEST, to, open_only: false, limit: BATCHES_MAX };
    let figures = Figures::of(&books, &reports.batches(&batches)?, profile.terms(), &period)?;
    let compared = comparisons(reports, profile, &days)?;
    let (differences, differences_in_all) = differences(reports, &period, profile.timezone())?;
    let contract = profile.contract();
    let minutes = Minutes {
        number: format!(
            "BBDS-{}-{}-{}",
            partner.as_str().to_uppercase(),
            from.strftime("%Y%m%d"),
            to.strftime("%Y%m%d")
        ),
        from,
        to,
        partner: Party {
            code: partner.clone(),
            name: contract.name.clone(),
            contract_no: contract.contract_no.clone(),
            contract_date: contract.contract_date,
        },
        cycle: profile.terms().settlement_on(to).map(|terms| format!("T+{}", terms.cycle.days)),
        services: vec![figures.service()?],
        refunded: figures.refunded,
        fees_apart: figures.fees_apart,
        discounts: figures.discounts,
        owed: figures.owed,
        unsettled: figures.unsettled,
        unsettled_before: figures.unsettled_before,
        compared,
        differences,
        differences_in_all,
        sealed,
        made_at: at,
        author: author.to_owned(),
    };
    minutes.ties_out()?;
    Ok(minutes)
}

/// Each posting is balanced, and so is what all of them moved.
fn balanced(books: &PeriodBooks) -> Result<(), MinutesError> {
    let moved = books.moved.iter().try_fold(0_i64, |sum, one| sum.checked_add(one.dong)).ok_or_else(beyond)?;
    if moved == 0 {
        Ok(())
    } else {
        Err(MinutesError::Untied(format!("what all accounts moved: {moved}, elsewhere 0")))
    }
}

/// Batches that are read, the latest: one a business day.
const BATCHES_MAX: u32 = 100_000;

/// The first business day that is asked for.
const EARLIEST: Date = jiff::civil::date(2000, 1, 1);

/// The signature that covers the period, if all of it is closed: under its last day, or under what came late for it, or under
/// the first close, which took in what was before. Its hash commits to every close before it.
fn sealed(reports: &mut dyn Reports, partner: &PartnerCode, days: (Date, Date)) -> Result<Option<Sealed>, StoreError> {
    let (first, last) = (reports.first_sealed(partner)?, reports.last_sealed(partner)?);
    let (Some(first), Some(last)) = (first, last.map(|last| last.period.last())) else { return Ok(None) };
    if days.1 > last {
        return Ok(None);
    }
    // What came late for the days and is in no close yet is in no figure that was signed.
    let mut accounted = reports.accounted(partner, days)?;
    accounted.retain(DayTotal::is_something);
    if accounted != reports.day_totals(partner, days)? {
        return Ok(None);
    }
    let own = days.1.max(first);
    let day = reports.last_to_account(partner, days)?.map_or(own, |late| late.max(own));
    let close = reports.close(partner, close::Period::Day(day))?;
    let signed = close.and_then(|close| close.signed.map(|signed| (close.hash, signed)));
    Ok(signed.map(|(hash, (by, at))| Sealed { hash, at, by: by.to_string() }))
}

fn limit() -> usize {
    usize::try_from(PERIOD_DAYS_MAX).unwrap_or(usize::MAX).saturating_add(1)
}

/// What the last comparison of each day came to.
fn comparisons(reports: &mut dyn Reports, profile: &Profile, days: &[Date]) -> Result<Comparisons, MinutesError> {
    let mut compared = Comparisons::default();
    for day in days {
        let Some(kept) = reports.reconciliation(StatementKind::Partner, profile.code(), *day)? else {
            compared.missing.push(*day);
            continue;
        };
        let sums: Value = serde_json::from_str(&kept.reconciliation.sums).unwrap_or_default();
        let said = |side: &str, place: &str| {
            let sum = sums.get(side)?.get(place)?;
            Some(Sum { count: sum.get("count")?.as_u64()?, dong: sum.get("dong")?.as_i64()? })
        };
        let both = |place: &str| {
            let found = said("statement", place).zip(said("books", place));
            found.ok_or_else(|| StoreError::Fault(format!("the comparison of {day} does not say its {place}")))
        };
        let less = |place: &str| both(place).map(|(theirs, ours)| theirs.dong.saturating_sub(ours.dong));
        let (statement, books) = both("total")?;
        compared.days = compared.days.saturating_add(1);
        compared.statement = added(compared.statement, statement)?;
        compared.books = added(compared.books, books)?;
        compared.carried = compared.carried.saturating_add(less("matched_to_carried_in")?);
        compared.alone = compared.alone.saturating_add(less("missing_on_other_side")?);
        compared.mismatched = compared.mismatched.saturating_add(less("mismatched")?);
    }
    Ok(compared)
}

fn added(a: Sum, b: Sum) -> Result<Sum, MinutesError> {
    let sum = a.count.checked_add(b.count).zip(a.dong.checked_add(b.dong));
    let sum = sum.map(|(count, dong)| Sum { count, dong });
    sum.ok_or_else(beyond)
}

/// The first differences, and how many there are.
fn differences(
    reports: &mut dyn Reports,
    period: &Period<'_>,
    zone: &TimeZone,
) -> Result<(Vec<Difference>, u64), MinutesError> {
    let PeriodBreaks { first, count } = reports.period_breaks(period, DIFFERENCES_MAX)?;
    Ok((first.into_iter().map(|row| difference(row, zone)).collect(), count))
}

fn difference(row: PeriodBreak, zone: &TimeZone) -> Difference {
    let PeriodBreak { no, class, day, payment, invoice, ours, theirs, state, closed_at, close_reason } = row;
    let agreed_on = closed_at.and_then(|at| at.day_in(zone));
    Difference { no, class, day, payment, invoice, ours, theirs, state, resolution: close_reason, agreed_on }
}

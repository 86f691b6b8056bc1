//! Fills minutes from the books: the sums of days, the kept comparisons, the breaks. Reads, and changes nothing.

use super::{Comparisons, Difference, Minutes, MinutesError, Owed, Party, Sealed, Service};
use crate::domain::close;
use crate::domain::ids::PartnerCode;
use crate::domain::posting::{Account, PostingKind};
use crate::domain::statement::{StatementKind, Sum};
use crate::domain::time::Timestamp;
use crate::partner::Profile;
use crate::store::StoreError;
use crate::store::closes::DayTotal;
use crate::store::periods::{Moved, Period, PeriodBooks, PeriodBreak, PeriodBreaks};
use crate::store::reports::Reports;
use crate::store::settlements::Batches;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest period, in days: a year and a day.
pub const PERIOD_DAYS_MAX: u32 = 366;

/// How many differences are printed; the rest is counted.
const DIFFERENCES_MAX: u32 = 2_000;

/// The one service there is.
const COLLECTING: &str = "Thu hộ tiền điện";

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
    let mut figures = Figures::of(&books, &Account::Clearing(partner.clone()), &Account::Fee(partner.clone()));
    figures.paid_over(&credited(reports, partner, (from, to))?)?;
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
        services: vec![figures.service()],
        refunded: figures.refunded,
        refunded_fee: figures.refunded_fee,
        discounts: figures.discounts,
        owed: figures.owed,
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

/// What the bank credited for business days before a period, and for those of it.
#[derive(Clone, Copy, Debug, Default)]
struct Credited {
    before: i64,
    within: i64,
}

/// Batches that are read, the latest: one a business day.
const BATCHES_MAX: u32 = 100_000;

/// The first business day that is asked for.
const EARLIEST: Date = jiff::civil::date(2000, 1, 1);

fn credited(
    reports: &mut dyn Reports,
    partner: &PartnerCode,
    (from, to): (Date, Date),
) -> Result<Credited, MinutesError> {
    let ask = Batches { partner, from: EARLIEST, to, open_only: false, limit: BATCHES_MAX };
    let mut credited = Credited::default();
    for batch in reports.batches(&ask)? {
        let sum = if batch.day < from { &mut credited.before } else { &mut credited.within };
        *sum = sum.checked_add(batch.credited).ok_or_else(beyond)?;
    }
    Ok(credited)
}

fn beyond() -> MinutesError {
    MinutesError::Untied("days beyond what can be counted".to_owned())
}

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

/// The books by the lines of the minutes.
#[derive(Default)]
struct Figures {
    payments: u64,
    fee: i64,
    /// With what was corrected by hand.
    fee_in_all: i64,
    refunded: Sum,
    refunded_fee: i64,
    discounts: i64,
    owed: Owed,
}

impl Figures {
    /// A payment's fee is kept out of what is owed when it comes, and given back when the payment is: both are shown on a
    /// line of their own, so that what was collected is what customers paid.
    fn of(books: &PeriodBooks, clearing: &Account, fee: &Account) -> Self {
        let mut figures = Self::default();
        let sum = |moved: &dyn Fn(&Moved) -> bool| {
            books.moved.iter().filter(|one| moved(one)).map(|one| one.dong).fold(0_i64, i64::saturating_add)
        };
        let postings = |kinds: &[PostingKind]| {
            let of = |kind: &PostingKind| {
                let its = books.moved.iter().filter(|one| one.kind == *kind);
                its.map(|one| one.postings).max().unwrap_or_default()
            };
            kinds.iter().map(of).fold(0_u64, u64::saturating_add)
        };
        let comes = [PostingKind::Settle, PostingKind::Park];
        let came = |one: &Moved| comes.contains(&one.kind);
        let back = |one: &Moved| one.kind == PostingKind::Reverse;
        let gross = |one: &Moved| one.account == *clearing || one.account == *fee;
        figures.payments = postings(&comes);
        figures.fee = sum(&|one| came(one) && one.account == *fee);
        figures.fee_in_all = sum(&|one| !back(one) && one.account == *fee);
        figures.refunded_fee = sum(&|one| back(one) && one.account == *fee).saturating_neg();
        figures.discounts = sum(&|one| matches!(one.account, Account::Promotion(_)));
        let given_back = sum(&|one| back(one) && gross(one)).saturating_neg();
        figures.refunded = Sum { count: postings(&[PostingKind::Reverse]), dong: given_back };
        let withdrawn = sum(&|one| one.account == Account::Bank);
        let others = sum(&|one| !came(one) && !back(one) && gross(one));
        figures.owed = Owed {
            opening: books.opening,
            collected: sum(&|one| came(one) && gross(one)),
            withdrawn,
            refunded: given_back,
            // What neither came, nor went back, nor went to the bank.
            adjusted: others.saturating_add(withdrawn).saturating_neg(),
            fees: sum(&|one| one.account == *fee),
            closing: books.closing,
        };
        figures
    }

    /// Credits of the bank are kept with the batches that they pay, not in the ledger.
    fn paid_over(&mut self, credited: &Credited) -> Result<(), MinutesError> {
        let owed = &mut self.owed;
        let all = credited.before.checked_add(credited.within).ok_or_else(beyond)?;
        owed.opening = owed.opening.checked_sub(credited.before).ok_or_else(beyond)?;
        owed.withdrawn = owed.withdrawn.checked_add(credited.within).ok_or_else(beyond)?;
        owed.closing = owed.closing.checked_sub(all).ok_or_else(beyond)?;
        Ok(())
    }

    fn service(&self) -> Service {
        Service {
            name: COLLECTING.to_owned(),
            fee_rate: None,
            count: self.payments,
            value: self.owed.collected,
            fee: self.fee,
            total_fee: self.fee_in_all,
            partner_fee: self.fee_in_all,
        }
    }
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

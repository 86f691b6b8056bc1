//! What finance's pages ask besides the desk's lists: sums of a filter, a partner's days side by side, one day's payments
//! and lines, a customer's bills and payments, who was heard when. Read only; each answer is of one state of the books.

use super::StoreError;
use super::cells::Cells;
use super::desk::{BreakFilter, BreakView};
use super::rows::EventRecord;
use super::statement_cells::sum;
use crate::domain::close::CloseState;
use crate::domain::ids::{CustomerCode, EventNo, PartnerCode};
use crate::domain::invoice::InvoiceAccount;
use crate::domain::receipt::Verdict;
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, StatementKind, Sum};
use crate::domain::time::Timestamp;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// All breaks of a filter, whatever the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakTotals {
    /// How many.
    pub count: u64,
    /// Their absolute amounts, in dong.
    pub dong: i64,
    /// The earliest accounting day of one.
    pub oldest: Option<Date>,
}

/// Those of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakFacet {
    /// The class.
    pub class: BreakClass,
    /// How many.
    pub count: u64,
    /// Their absolute amounts, in dong.
    pub dong: i64,
}

impl BreakFacet {
    /// Of all breaks of a filter that names no class: what the books say of it.
    #[must_use]
    pub fn of(all: &[BreakView]) -> Vec<Self> {
        let mut classes: BTreeMap<&str, Self> = BTreeMap::new();
        for one in all {
            let facet = classes.entry(one.class.code()).or_insert(Self { class: one.class, count: 0, dong: 0 });
            facet.count = facet.count.saturating_add(1);
            facet.dong = facet.dong.saturating_add(one.amount.dong().saturating_abs());
        }
        classes.into_values().collect()
    }
}

/// A partner's business day from all sides. In its sums a reversal counts as one and is taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFigures {
    /// Whose.
    pub partner: PartnerCode,
    /// Which day.
    pub day: Date,
    /// The partner's statement of it, and when that was brought.
    pub file: Option<(FileNo, Timestamp)>,
    /// Our events of it whose money is in the books.
    pub notified: Sum,
    /// What the partner's statement says.
    pub statement: Option<Sum>,
    /// What the core's statement says.
    pub cleared: Option<Sum>,
    /// What the bank credited of its batches; none where no batch is known. The count is of credits.
    pub settled: Option<Sum>,
    /// When it was last compared with the partner's statement.
    pub compared_at: Option<Timestamp>,
    /// How many breaks are open whose age is counted from it.
    pub open: u64,
    /// Their absolute amounts, in dong.
    pub open_dong: i64,
    /// The earliest accounting day, up to this one, of an open break of the partner.
    pub oldest: Option<Date>,
    /// The draft or the sealed close of it.
    pub close: Option<CloseState>,
}

/// When a partner was last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Who.
    pub partner: PartnerCode,
    /// When its last receipt was made.
    pub at: Timestamp,
    /// What became of its calls since the moment that was asked about.
    pub calls: BTreeMap<Verdict, Sum>,
    /// Were all of them looked at? Otherwise there may be more.
    pub whole: bool,
}

/// The questions of finance's pages.
pub trait PageReports {
    /// The sums of all breaks of a filter, whatever its page and limit.
    ///
    /// # Errors
    /// The machine's.
    fn break_totals(&mut self, filter: &BreakFilter) -> Result<BreakTotals, StoreError>;

    /// The same by class, in the order of their codes, as if the filter named none.
    ///
    /// # Errors
    /// The machine's.
    fn break_facets(&mut self, filter: &BreakFilter) -> Result<Vec<BreakFacet>, StoreError>;

    /// The business days, from here to there, that have an event, a statement, an open break or a close, by partner and day.
    ///
    /// # Errors
    /// The machine's.
    fn day_figures(&mut self, days: (Date, Date)) -> Result<Vec<DayFigures>, StoreError>;

    /// A page of a partner's payments and reversals of a business day, in the order of their numbers, after this one.
    ///
    /// # Errors
    /// The machine's.
    fn payments_of_day(
        &mut self,
        partner: &PartnerCode,
        day: Date,
        after: EventNo,
        limit: u32,
    ) -> Result<Vec<(EventNo, EventRecord)>, StoreError>;

    /// How many reversals of a partner's business day are in the books, and what they take away, in dong: what
    /// [`super::closes::CloseReports::day_totals`] has subtracted.
    ///
    /// # Errors
    /// The machine's.
    fn reversals_of_day(&mut self, partner: &PartnerCode, day: Date) -> Result<Sum, StoreError>;

    /// A customer's invoices, whatever their state, the last period first.
    ///
    /// # Errors
    /// The machine's.
    fn invoices_of_customer(&mut self, customer: &CustomerCode, limit: u32) -> Result<Vec<InvoiceAccount>, StoreError>;

    /// When each partner was heard last, among the last `most` receipts of each lane, and what became of its calls since
    /// then.
    ///
    /// # Errors
    /// The machine's.
    fn last_heard(&mut self, since: Timestamp, most: u32) -> Result<Vec<Heard>, StoreError>;
}

fn unsigned(cells: &mut impl Cells) -> Result<u64, StoreError> {
    let whole = cells.whole()?;
    u64::try_from(whole).map_err(|_negative| cells.bad())
}

/// The sums of a filter.
pub(super) fn break_totals(cells: &mut impl Cells) -> Result<BreakTotals, StoreError> {
    Ok(BreakTotals { count: unsigned(cells)?, dong: cells.whole()?, oldest: cells.day_some()? })
}

/// The sums of a class.
pub(super) fn break_facet(cells: &mut impl Cells) -> Result<BreakFacet, StoreError> {
    Ok(BreakFacet { class: cells.word(BreakClass::parse)?, count: unsigned(cells)?, dong: cells.whole()? })
}

/// A partner and a day.
pub(super) type PartnerDay = (PartnerCode, Date);

/// What [`DayFigures`] are put together from.
#[derive(Debug, Default)]
pub(super) struct DayParts {
    /// Those with an event.
    pub(super) notified: Vec<(PartnerDay, Sum)>,
    pub(super) files: Vec<TakenFile>,
    /// Open breaks of any day, the earliest first.
    pub(super) breaks: Vec<(PartnerDay, Sum)>,
    pub(super) closes: Vec<(PartnerDay, CloseState)>,
    pub(super) compared: Vec<(PartnerDay, Timestamp)>,
    pub(super) settled: Vec<(PartnerDay, Sum)>,
}

/// A statement that is its day's word.
#[derive(Debug)]
pub(super) struct TakenFile {
    of: PartnerDay,
    kind: StatementKind,
    file: (FileNo, Timestamp),
    sum: Sum,
}

impl DayParts {
    /// Puts them together.
    pub(super) fn figures(self, (from, to): (Date, Date)) -> Vec<DayFigures> {
        let mut all = Days(BTreeMap::new());
        self.notified.into_iter().for_each(|(of, sum)| all.at(of).notified = sum);
        for TakenFile { of, kind, file, sum } in self.files {
            let day = all.at(of);
            match kind {
                StatementKind::Partner => (day.file, day.statement) = (Some(file), Some(sum)),
                StatementKind::Core => day.cleared = Some(sum),
                StatementKind::Bank => {}
            }
        }
        let mut oldest: BTreeMap<PartnerCode, Date> = BTreeMap::new();
        for (of, sum) in self.breaks {
            oldest.entry(of.0.clone()).or_insert(of.1);
            if from <= of.1 && of.1 <= to {
                let day = all.at(of);
                (day.open, day.open_dong) = (sum.count, sum.dong);
            }
        }
        self.closes.into_iter().for_each(|(of, state)| all.at(of).close = Some(state));
        // These say nothing of a day that nothing else is known of.
        for (of, at) in self.compared {
            all.0.entry(of).and_modify(|day| day.compared_at = Some(at));
        }
        for (of, sum) in self.settled {
            all.0.entry(of).and_modify(|day| day.settled = Some(sum));
        }
        let mut days: Vec<DayFigures> = all.0.into_values().collect();
        for day in &mut days {
            day.oldest = oldest.get(&day.partner).copied().filter(|oldest| *oldest <= day.day);
        }
        days
    }
}

struct Days(BTreeMap<PartnerDay, DayFigures>);

impl Days {
    fn at(&mut self, of: PartnerDay) -> &mut DayFigures {
        let (partner, day) = of.clone();
        self.0.entry(of).or_insert_with(|| DayFigures {
            partner,
            day,
            file: None,
            notified: Sum::default(),
            statement: None,
            cleared: None,
            settled: None,
            compared_at: None,
            open: 0,
            open_dong: 0,
            oldest: None,
            close: None,
        })
    }
}

/// A partner and a day.
fn partner_day(cells: &mut impl Cells) -> Result<PartnerDay, StoreError> {
    Ok((cells.partner()?, cells.day()?))
}

/// With a sum behind it.
pub(super) fn partner_day_sum(cells: &mut impl Cells) -> Result<(PartnerDay, Sum), StoreError> {
    Ok((partner_day(cells)?, sum(cells)?))
}

/// With a moment behind it.
pub(super) fn partner_day_at(cells: &mut impl Cells) -> Result<(PartnerDay, Timestamp), StoreError> {
    Ok((partner_day(cells)?, cells.at()?))
}

/// With a close's state behind it.
pub(super) fn partner_day_close(cells: &mut impl Cells) -> Result<(PartnerDay, CloseState), StoreError> {
    Ok((partner_day(cells)?, cells.word(CloseState::parse)?))
}

/// A statement that is its day's word.
pub(super) fn taken_file(cells: &mut impl Cells) -> Result<TakenFile, StoreError> {
    Ok(TakenFile {
        of: partner_day(cells)?,
        kind: cells.word(StatementKind::parse)?,
        file: (FileNo(cells.whole()?), cells.at()?),
        sum: sum(cells)?,
    })
}

/// What was looked at of one lane: by partner and verdict the last moment, what came since then, the earliest moment, how
/// many in all.
pub(super) type HeardRow = (PartnerCode, Verdict, Timestamp, Sum, Timestamp, u64);

/// A verdict's part of it.
pub(super) fn heard_row(cells: &mut impl Cells) -> Result<HeardRow, StoreError> {
    Ok((cells.partner()?, cells.word(Verdict::parse)?, cells.at()?, sum(cells)?, cells.at()?, unsigned(cells)?))
}

/// Puts lanes together, by partner.
pub(super) fn heard(lanes: Vec<Vec<HeardRow>>, since: Timestamp, most: u32) -> Vec<Heard> {
    // A lane of which there is more, all that was looked at came since then.
    let cut = |lane: &Vec<HeardRow>| {
        lane.iter().map(|row| row.5).sum::<u64>() >= u64::from(most) && lane.iter().all(|row| row.4 >= since)
    };
    let whole = !lanes.iter().any(cut);
    let mut all: BTreeMap<PartnerCode, (Timestamp, BTreeMap<Verdict, Sum>)> = BTreeMap::new();
    for (partner, verdict, at, came, ..) in lanes.into_iter().flatten() {
        let (last, calls) = all.entry(partner).or_insert_with(|| (at, BTreeMap::new()));
        *last = (*last).max(at);
        if came.count > 0 {
            let sum = calls.entry(verdict).or_default();
            sum.count = sum.count.saturating_add(came.count);
            sum.dong = sum.dong.saturating_add(came.dong);
        }
    }
    let heard = all.into_iter().map(|(partner, (at, calls))| Heard { partner, at, calls, whole });
    heard.collect()
}

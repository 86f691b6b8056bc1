//! What a partner's days should bring at the bank and what they brought, one row a batch: as the last comparison with the
//! bank's credits left it. A row is brought up to date, and never by a comparison that knew less.

use super::StoreError;
use super::cells::Cells;
use super::statements::StatementFile;
use crate::domain::ids::{Author, PartnerCode};
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, StatementKind};
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// The columns of a batch, in the order that [`batch`] reads them and that both databases write them.
macro_rules! batch_columns {
    () => {
        "partner, batch, name, day, file_no, due, calendar_known, net, gross, discount, utility, fee, fee_stated, \
         expected, credited, credits, full_on, class, as_of, author, at"
    };
}
pub(super) use batch_columns;

/// What a partner pays out as one sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose.
    pub partner: PartnerCode,
    /// Hash of the name by which the bank's credits know it; 0 for credits that name none.
    pub batch: i64,
    /// That name; empty for credits of no batch that was expected.
    pub name: String,
    /// The business day; of credits of no batch the day of the first.
    pub day: Date,
    /// The partner's statement that it is the sum of; none for credits of no batch.
    pub file: Option<FileNo>,
    /// The last day on which it is in time.
    pub due: Date,
    /// Were the holidays on the way to that day known?
    pub calendar_known: bool,
    /// Are fees kept back from it?
    pub net: bool,
    /// Payments less reversals, in dong.
    pub gross: i64,
    /// Discounts in it, in dong.
    pub discount: i64,
    /// What the utility pays of them, in dong.
    pub utility: i64,
    /// The fees by the schedule, in dong; none without a schedule.
    pub fee: Option<i64>,
    /// The fees that the statement states, in dong; none where it states none.
    pub fee_stated: Option<i64>,
    /// What should come, in dong.
    pub expected: i64,
    /// What came, in dong.
    pub credited: i64,
    /// In how many credits.
    pub credits: u32,
    /// On which day it became full.
    pub full_on: Option<Date>,
    /// What is wrong with it.
    pub class: Option<BreakClass>,
    /// The last day of the bank that was known.
    pub as_of: Date,
    /// Who compared.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

impl Batch {
    /// The bank's less what should come, in dong.
    #[must_use]
    pub fn difference(&self) -> i64 {
        self.credited.saturating_sub(self.expected)
    }

    /// Does it say the same, whoever compared when?
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let Self { as_of, author, at, .. } = other;
        *other == Self { as_of: *as_of, author: author.clone(), at: *at, ..self.clone() }
    }
}

/// Batches of one list, for people: whoever asks for more is told to ask for fewer days, and gets no sum of a part.
pub const LISTED_MAX: u32 = 10_000;

/// Which batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches<'a> {
    /// Whose.
    pub partner: &'a PartnerCode,
    /// From this business day
    pub from: Date,
    /// to this one.
    pub to: Date,
    /// Only those of a statement whose money is not what it should be.
    pub open_only: bool,
    /// At most; the latest days.
    pub limit: u32,
}

/// Which taken statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementDays<'a> {
    /// Whose word.
    pub kind: StatementKind,
    /// About whom.
    pub partner: &'a PartnerCode,
    /// From this day
    pub from: Date,
    /// to this one.
    pub to: Date,
    /// At most; the earliest days.
    pub limit: u32,
}

/// The questions about settlement, part of [`super::reports::Reports`].
pub trait Settlements {
    /// A partner's batches, by day.
    ///
    /// # Errors
    /// The machine's.
    fn batches(&mut self, ask: &Batches<'_>) -> Result<Vec<Batch>, StoreError>;

    /// The taken statements of several days, by day.
    ///
    /// # Errors
    /// The machine's.
    fn statements_of(&mut self, ask: &StatementDays<'_>) -> Result<Vec<StatementFile>, StoreError>;
}

/// A batch as it was kept.
pub(super) fn batch(cells: &mut impl Cells) -> Result<Batch, StoreError> {
    Ok(Batch {
        partner: cells.partner()?,
        batch: cells.whole()?,
        name: cells.text()?,
        day: cells.day()?,
        file: cells.whole_some()?.map(FileNo),
        due: cells.day()?,
        calendar_known: cells.flag()?,
        net: cells.flag()?,
        gross: cells.whole()?,
        discount: cells.whole()?,
        utility: cells.whole()?,
        fee: cells.whole_some()?,
        fee_stated: cells.whole_some()?,
        expected: cells.whole()?,
        credited: cells.whole()?,
        credits: cells.count()?,
        full_on: cells.day_some()?,
        class: cells.word_some(BreakClass::parse)?,
        as_of: cells.day()?,
        author: cells.word(|text| Author::parse(text).ok())?,
        at: cells.at()?,
    })
}

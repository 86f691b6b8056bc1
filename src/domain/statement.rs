//! What others say of a day: a partner's statement, the core's clearing list, the bank's credits.

use super::ids::EventId;
use super::money::Money;
use super::notice::{Effect, References};
use super::time::Timestamp;
use jiff::civil::Date;

/// Whose word a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementKind {
    /// The partner's payments of a day.
    Partner,
    /// What the billing core cleared for the partner.
    Core,
    /// What the bank credited for the partner.
    Bank,
}

impl StatementKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Partner, Self::Core, Self::Bank];

    /// The word on the command line, in the API and in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Core => "core",
            Self::Bank => "bank",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The store's number of a statement file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileNo(pub i64);

/// The place of a line: its file's number above 32 bits, its place in the file below, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineNo(pub i64);

impl LineNo {
    /// The `place`th line of a file.
    #[must_use]
    pub fn of(file: FileNo, place: u32) -> Self {
        Self((file.0 << 32) | i64::from(place))
    }

    /// Its file.
    #[must_use]
    pub fn file(self) -> FileNo {
        FileNo(self.0 >> 32)
    }

    /// Its place in the file.
    #[must_use]
    pub fn place(self) -> u32 {
        u32::try_from(self.0 & i64::from(u32::MAX)).unwrap_or(0)
    }
}

/// The store's number of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReconciliationNo(pub i64);

/// One line of a statement, read by a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// Its row in the file as an editor counts them, from 1. A row whose refund stands in a column of its own is two
    /// lines of one row.
    pub row: u32,
    /// What it says of the money.
    pub effect: Effect,
    /// The partner's name of the event, as its notices name it.
    pub event: Option<EventId>,
    /// What it says the money is for.
    pub references: References,
    /// What a bill is reduced by, or raised again by a reversal: never negative.
    pub amount: Money,
    /// The sponsor's part of it.
    pub discount: Money,
    /// What the partner charges us for it.
    pub fee: Money,
    /// When the customer paid, or was paid back.
    pub paid_at: Timestamp,
    /// The partner's business day, by its own cut-off.
    pub day: Date,
}

/// How many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    /// How much, in dong. A sum over a file: it may be beyond what one amount may be.
    pub dong: i64,
}

impl Sum {
    /// With one more; `None` beyond what can be counted.
    #[must_use]
    pub fn plus(self, dong: i64) -> Option<Self> {
        Some(Self { count: self.count.checked_add(1)?, dong: self.dong.checked_add(dong)? })
    }
}

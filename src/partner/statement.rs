//! How a statement is laid out: what a profile's `[statement]` sections say, compiled at load to a flat [`Layout`] that a
//! reader follows. The partner's own day file is `[statement]`; the billing core's clearing list for the partner is
//! `[statement_core]`, and the bank's credits `[statement_bank]`.
//!
//! Nothing is guessed: a text, a number or a moment that is not in the form that the section names refuses the file.

mod compile;
mod file;
mod fold;
mod moments;

pub(super) use compile::{Known, compile};
pub(super) use file::StatementFile;
pub use fold::fold;
pub use moments::{MomentFormat, Written, serial};

pub use super::file::Means;
use crate::domain::notice::Effect;
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;

/// One statement's layout.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Whose word it is.
    pub kind: StatementKind,
    /// The only format that is taken; either if none is named.
    pub format: Option<Format>,
    /// How the text of a CSV is encoded.
    pub encoding: Encoding,
    /// What stands between the fields of a CSV.
    pub separator: u8,
    /// The worksheet, folded; the first if none is named.
    pub sheet: Option<String>,
    /// Where the data begins.
    pub start: Start,
    /// The columns that are read. Whatever names a column below names its place in this list.
    pub columns: Vec<Column>,
    /// Where the data ends before the file does.
    pub end: End,
    /// The partner's name of the event, part by part; nothing if the statement does not say it.
    pub event: Vec<Part>,
    /// The invoice's id.
    pub invoice: Option<usize>,
    /// Our order reference.
    pub order: Option<usize>,
    /// The customer's code.
    pub customer: Option<usize>,
    /// The money.
    pub amount: Amount,
    /// The sponsor's part, one column or several that are added.
    pub discount: Vec<usize>,
    /// What the partner charges, likewise.
    pub fee: Vec<usize>,
    /// What stands between the thousands of a number that is a text.
    pub thousands: Option<u8>,
    /// When the customer paid.
    pub paid_at: Moment,
    /// The business day, where the statement names it.
    pub business_day: Option<Moment>,
    /// What a row is; every row is a payment without it.
    pub status: Option<Status>,
    /// A refund in columns of its own.
    pub refund: Option<Refund>,
    /// Figures that must agree with what was read.
    pub controls: Vec<Control>,
    /// The zone of its moments.
    pub zone: TimeZone,
    /// The hour at which its day ends. See [`Layout::day_ends_on_the_next`].
    pub day_ends: Time,
    /// May it hold lines of other days?
    pub dates: Dates,
    /// How far outside the statement's day a line may lie all the same, in milliseconds.
    pub grace_ms: i64,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text with separators.
    Csv,
    /// A workbook.
    Xlsx,
}

impl Format {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// The encoding of a CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// With or without a BOM.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// High byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// The Vietnamese code page of Windows.
    #[serde(rename = "windows-1258")]
    Windows1258,
}

/// Where the data begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Below the first row that names all columns.
    Header,
    /// In this row, from 1; columns are known by their place.
    Row(u32),
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the profile names it.
    pub name: String,
    /// The header's text, folded.
    pub folded: String,
    /// Its place from 0, where it is known without a header.
    pub at: Option<usize>,
}

/// Where the data ends before the file does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// At the first row without anything in it.
    pub empty_row: bool,
    /// At the first row whose first cell that is not empty begins so, folded. Such a row must be there.
    pub starts_with: Vec<String>,
}

/// A part of an event's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A cell of this column.
    Column(usize),
    /// Always this.
    Const(String),
}

/// The money of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Where it stands.
    pub at: AmountAt,
    /// Is it what the bill is reduced by, or what the customer paid?
    pub means: Means,
    /// What the customer paid of it.
    pub customer_paid: Option<usize>,
    /// What a row that takes money away is; without it such a row refuses the file.
    pub minus: Option<Minus>,
}

/// Where the money of a row stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountAt {
    /// In one column.
    One(usize),
    /// In one column without a sign, which has a column of its own.
    Signed {
        /// The digits.
        column: usize,
        /// The sign.
        sign: usize,
        /// The word for more, folded.
        plus: String,
        /// The word for less, folded.
        minus: String,
    },
    /// In one of two columns.
    Sides {
        /// More.
        credit: usize,
        /// Less.
        debit: Option<usize>,
    },
}

/// What a row that takes money away is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Minus {
    /// The reversal of a payment.
    Reversal,
    /// Not about payments: counted, and not handed on.
    Ignored,
}

/// Where a moment stands, and how it may be written.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The date, or both.
    pub column: usize,
    /// The time of day.
    pub time: Option<usize>,
    /// The ways in which it may be written, tried in order.
    pub formats: Vec<MomentFormat>,
}

/// What a row is, by its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it stands.
    pub column: usize,
    /// Words, folded, and what they mean.
    pub map: Vec<(String, RowKind)>,
    /// What a row without one is.
    pub absent: Option<RowKind>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// A line with this effect.
    Line(Effect),
    /// Not about payments: counted, and not handed on.
    Ignored,
}

/// A refund in columns of its own: a second line of the same row.
#[derive(Clone, Debug)]
pub struct Refund {
    /// How much; empty or 0 for none.
    pub amount: usize,
    /// When.
    pub paid_at: Moment,
}

/// A figure that the statement states about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What of.
    pub of: ControlOf,
    /// Where it stands.
    pub at: ControlAt,
}

/// Where a control figure stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlAt {
    /// In this column of the row that ends the data.
    EndRow(usize),
    /// Beside or after this text, folded, above the header, in the row that ends the data or below it.
    Label(String),
}

/// What a control figure is of. Sums are of the amounts as stated, before a discount is added to what the customer paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlOf {
    /// The sum of the payments.
    Payments,
    /// The sum of the reversals.
    Reversals,
    /// Payments less reversals.
    Net,
    /// Payments and reversals.
    Gross,
    /// Every amount of the column, those of rows that move no money too.
    All,
    /// How many payments.
    PaymentCount,
    /// How many reversals.
    ReversalCount,
    /// How many of both.
    Count,
    /// How many rows of data.
    RowCount,
}

/// May a statement hold lines of other days?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dates {
    /// Yes; the summary says which.
    #[default]
    Any,
    /// No: it is refused.
    InsideDay,
}

impl Layout {
    /// Does a day end on its own evening, so that what comes at or after that hour is of the next day? With `day_ends`
    /// before noon a day ends in the morning after it, so that what comes before that hour is of the day before; at
    /// `00:00` the day is the calendar's.
    #[must_use]
    pub fn day_ends_on_the_next(&self) -> bool {
        self.day_ends.hour() < 12
    }

    /// The first moment of a business day, and the first after it; `None` outside the calendar.
    #[must_use]
    pub fn window(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let first = if self.day_ends_on_the_next() { day } else { day.yesterday().ok()? };
        let at = |date: Date| {
            let moment = date.to_datetime(self.day_ends).to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp::from_unix_ms(moment.timestamp().as_millisecond()))
        };
        Some((at(first)?, at(first.tomorrow().ok()?)?))
    }
}

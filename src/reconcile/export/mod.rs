//! Tables for spreadsheets and programs. A table is said once: its columns, what it was asked for, by whom, when, and what
//! it adds up to; its rows are streamed. XLSX, CSV and JSON are written from that one description. What the rows add up to
//! is compared with what the head says, and a table that does not tie out is not finished (I14).

mod breaks;
mod csv;
mod differences;
mod json;
mod text;
mod xlsx;

pub(crate) use self::csv::harmless;
pub use breaks::{breaks, cells as break_cells};
pub use differences::{COLUMNS as DIFFERENCE_COLUMNS, cells as difference_cells, differences};
pub use json::object;
pub use text::local;

use crate::domain::statement::Sum;
use crate::domain::time::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::io::Write;

/// How many rows a sheet of a workbook can have, by the format itself.
pub const SHEET_ROWS_MAX: u32 = 1_048_576;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A workbook: ids are text, amounts are numbers, dates are dates.
    Xlsx,
    /// UTF-8 with a byte order mark.
    Csv,
    /// For programs.
    Json,
}

impl Format {
    /// From its word on the command line and in the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "xlsx" => Some(Self::Xlsx),
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// In which language a head and its columns are labelled. What programs read stays the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Vietnamese.
    #[default]
    Vi,
    /// English.
    En,
}

/// What divides the cells of a CSV. A spreadsheet expects the list separator of its machine, and a line that says which
/// one was used would make it overlook the byte order mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`, where a comma is the decimal sign.
    Semicolon,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// As what.
    pub format: Format,
    /// Labelled how.
    pub language: Language,
    /// Of a CSV.
    pub separator: Separator,
    /// Rows of one sheet of a workbook, those of its head included; what is more goes on in a further sheet.
    pub sheet_rows_max: u32,
}

impl Options {
    /// In this form, otherwise as nothing was said.
    #[must_use]
    pub fn of(format: Format) -> Self {
        let (language, separator) = (Language::default(), Separator::default());
        Self { format, language, separator, sheet_rows_max: SHEET_ROWS_MAX }
    }
}

/// A label in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

impl Label {
    /// In one of them.
    #[must_use]
    pub fn to(self, language: Language) -> &'static str {
        match language {
            Language::Vi => self.vi,
            Language::En => self.en,
        }
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text whose digits are no number: it keeps its leading zeros and all of its digits.
    Id,
    /// Words.
    Text,
    /// Whole dong.
    Dong,
    /// How many.
    Count,
    /// A day.
    Date,
    /// A moment, shown in the zone of business days.
    Instant,
    /// Yes or no.
    Flag,
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name for programs.
    pub key: &'static str,
    /// Its name for people.
    pub label: Label,
    /// What its cells are.
    pub kind: Kind,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<'r> {
    /// Nothing is said.
    Empty,
    /// Of an id or of words.
    Text(Cow<'r, str>),
    /// Of dong or a count.
    Whole(i64),
    /// A day.
    Date(Date),
    /// A moment.
    Instant(Timestamp),
    /// Yes or no.
    Flag(bool),
}

impl<'r> Cell<'r> {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Cow<'r, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A text, where there is one.
    #[must_use]
    pub fn text_if(text: Option<impl Into<Cow<'r, str>>>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    /// A number, where there is one.
    #[must_use]
    pub fn whole_if(number: Option<impl Into<i64>>) -> Self {
        number.map_or(Self::Empty, |number| Self::Whole(number.into()))
    }

    fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(_) => matches!(kind, Kind::Id | Kind::Text),
            Self::Whole(_) => matches!(kind, Kind::Dong | Kind::Count),
            Self::Date(_) => kind == Kind::Date,
            Self::Instant(_) => kind == Kind::Instant,
            Self::Flag(_) => kind == Kind::Flag,
        }
    }
}

/// Something that the head says: a part of the filter, or a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name and what it is.
    pub name: Column,
    /// What it says.
    pub value: Cell<'static>,
}

/// What stands above the rows.
#[derive(Clone, Debug)]
pub struct Head {
    /// What was asked for: the rows are exactly these.
    pub filter: Vec<Fact>,
    /// When it was made.
    pub at: Timestamp,
    /// For whom.
    pub author: String,
    /// How many rows there are.
    pub rows: u64,
    /// What columns add up to, by their keys, known from elsewhere than the rows.
    pub sums: Vec<(&'static str, i64)>,
    /// Further figures, for people.
    pub figures: Vec<Fact>,
    /// The same and more for programs; beside the head's own names.
    pub more: Map<String, Value>,
}

/// A table without its rows.
#[derive(Clone, Debug)]
pub struct Table<'t> {
    /// What it is.
    pub title: Label,
    /// What its rows are called in JSON.
    pub rows_key: &'static str,
    /// Its columns.
    pub columns: &'t [Column],
    /// What stands above the rows.
    pub head: Head,
}

impl Table<'_> {
    /// What this column adds up to, if the head says so.
    fn sum_of(&self, column: &Column) -> Option<i64> {
        self.head.sums.iter().find(|(key, _)| *key == column.key).map(|(_, sum)| *sum)
    }
}

/// Why a table was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A mistake of ours: what was written so far is not to be used.
    #[error("the rows do not tie out with the head: {0}")]
    Untied(String),
    /// A mistake of ours.
    #[error("row {0} is not of the table's columns")]
    Shape(u64),
    /// It has nowhere to go.
    #[error("cannot be written: {0}")]
    Io(#[from] std::io::Error),
    /// The workbook cannot be made.
    #[error("the workbook cannot be made: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

/// One of the forms, being written.
trait Writer {
    /// The next row.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError>;

    /// All rows are there.
    fn end(&mut self) -> Result<(), ExportError>;
}

/// Where a table goes.
pub type Out<'o> = &'o mut (dyn Write + Send);

/// Writes a table. What was written is only to be used if nothing failed: a table that does not tie out is cut off.
///
/// # Errors
/// [`ExportError`].
pub fn write<'r>(
    table: &Table<'_>,
    rows: &mut dyn Iterator<Item = Vec<Cell<'r>>>,
    options: &Options,
    out: Out<'_>,
) -> Result<(), ExportError> {
    match options.format {
        Format::Xlsx => all(table, rows, xlsx::Workbook::begin(table, options, out)?),
        Format::Csv => all(table, rows, csv::Csv::begin(table, options, out)?),
        Format::Json => all(table, rows, json::Json::begin(table, out)?),
    }
}

fn all<'r>(
    table: &Table<'_>,
    rows: &mut dyn Iterator<Item = Vec<Cell<'r>>>,
    mut writer: impl Writer,
) -> Result<(), ExportError> {
    let summed: Vec<(usize, &str, i64)> = table
        .columns
        .iter()
        .enumerate()
        .filter_map(|(at, column)| Some((at, column.key, table.sum_of(column)?)))
        .collect();
    let mut found = vec![Sum::default(); summed.len()];
    let mut count = 0_u64;
    for cells in rows {
        count = count.saturating_add(1);
        let fits = cells.iter().zip(table.columns).all(|(cell, column)| cell.fits(column.kind));
        if !fits || cells.len() != table.columns.len() {
            return Err(ExportError::Shape(count));
        }
        for ((at, key, _), sum) in summed.iter().zip(&mut found) {
            let dong = if let Some(Cell::Whole(dong)) = cells.get(*at) { *dong } else { 0 };
            let beyond = || ExportError::Untied(format!("{key} is beyond what can be counted"));
            *sum = sum.plus(dong).ok_or_else(beyond)?;
        }
        writer.row(&cells)?;
    }
    if count != table.head.rows {
        return Err(ExportError::Untied(format!("{count} rows, {} in the head", table.head.rows)));
    }
    for ((_, key, stated), sum) in summed.iter().zip(&found) {
        if sum.dong != *stated {
            return Err(ExportError::Untied(format!("{key} adds up to {}, {stated} in the head", sum.dong)));
        }
    }
    writer.end()
}

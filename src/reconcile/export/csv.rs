//! CSV for spreadsheets: UTF-8 with a byte order mark, CRLF, every text in quotes, and no cell that would be taken for a
//! formula. Never a `sep=` line: with it a spreadsheet overlooks the byte order mark. A spreadsheet still makes numbers of
//! long ids; whoever needs them takes the workbook.

use super::{Cell, ExportError, Language, Options, Out, Separator, Table, Writer, text};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use std::borrow::Cow;

/// A CSV being written.
pub struct Csv<'o> {
    rows: csv::Writer<Out<'o>>,
    language: Language,
}

impl<'o> Csv<'o> {
    /// With the head: a line for each thing that it says, an empty one, and the columns' names.
    pub fn begin(table: &Table<'_>, options: &Options, out: Out<'o>) -> Result<Self, ExportError> {
        out.write_all(b"\xef\xbb\xbf")?;
        let mut builder = WriterBuilder::new();
        builder.terminator(Terminator::CRLF).quote_style(QuoteStyle::NonNumeric).flexible(true);
        builder.delimiter(if options.separator == Separator::Comma { b',' } else { b';' });
        let mut csv = Self { rows: builder.from_writer(out), language: options.language };
        csv.record([table.title.to(options.language)].into_iter().map(Cow::Borrowed))?;
        for (label, value) in text::head(table, options.language) {
            csv.record([Cow::Owned(label), csv_cell(&value, options.language)].into_iter())?;
        }
        csv.record([Cow::Borrowed("")].into_iter())?;
        csv.record(table.columns.iter().map(|column| Cow::Borrowed(column.label.to(options.language))))?;
        Ok(csv)
    }

    fn record<'c>(&mut self, cells: impl Iterator<Item = Cow<'c, str>>) -> Result<(), ExportError> {
        for cell in cells {
            self.rows.write_field(cell.as_bytes()).map_err(failed)?;
        }
        self.rows.write_record(None::<&[u8]>).map_err(failed)
    }
}

impl Writer for Csv<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ExportError> {
        let language = self.language;
        self.record(cells.iter().map(|cell| csv_cell(cell, language)))
    }

    fn end(&mut self) -> Result<(), ExportError> {
        Ok(self.rows.flush()?)
    }
}

fn failed(error: csv::Error) -> ExportError {
    ExportError::Io(error.into())
}

/// A number is written as it is: only what others wrote is made harmless.
fn csv_cell<'c>(cell: &'c Cell<'_>, language: Language) -> Cow<'c, str> {
    if let Cell::Text(words) = cell { harmless(words) } else { text::of(cell, language) }
}

/// A text that no spreadsheet takes for a formula, not even behind spaces and quotes, which some of them strip. The signs
/// are those that a keyboard for East Asian scripts makes, too.
pub(crate) fn harmless(words: &str) -> Cow<'_, str> {
    let words = text::held(words);
    let first = words.trim_start_matches(|c: char| c != '\t' && c != '\r' && (c.is_whitespace() || "\"'`".contains(c)));
    if first.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '\u{2212}']) {
        Cow::Owned(format!("'{words}"))
    } else {
        words
    }
}

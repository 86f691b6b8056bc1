//! A workbook, row by row. A number's digits are taken from its shortest exact writing, so that nothing is computed with
//! it; a date is the day number that stands there.

use super::cells::{Cell, Cells};
use super::faults::{Fault, ReadError, shown};
use super::table::Table;
use super::{PROGRESS_ROWS, Progress, Summary, archive};
use crate::partner::statement::fold;
use calamine::{DataRef, Reader, Xlsx, XlsxError};
use std::fmt::Write;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads it.
pub(super) fn read(
    mut file: File,
    size: u64,
    mut table: Table<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ReadError> {
    guarded(|| archive::check(&mut file, table.limits()))??;
    file.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
    let mut book: Xlsx<_> = guarded(|| Xlsx::new(BufReader::new(file)))?.map_err(unreadable)?;
    if book.has_1904_epoch() {
        table.count_from_1904();
    }
    let names = book.sheet_names();
    let found = match &table.layout().sheet {
        None => names.first(),
        Some(wanted) => names.iter().find(|name| fold(name) == *wanted),
    };
    let Some(name) = found else {
        let wanted = table.layout().sheet.as_deref().unwrap_or("one worksheet");
        return Err(ReadError::whole(&format!("the worksheets {}", shown(&names.join(", "))), wanted));
    };
    rows(&mut book, name, size, &mut table, progress)?;
    progress(Progress { rows: table.rows(), bytes: size, of_bytes: size });
    table.finish()
}

fn rows(
    book: &mut Xlsx<BufReader<File>>,
    name: &str,
    size: u64,
    table: &mut Table<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let mut cells = guarded(|| book.worksheet_cells_reader(name))?.map_err(unreadable)?;
    let last = u64::from(cells.dimensions().end.0).saturating_add(1);
    let limits = table.limits();
    let (columns_max, cell_max, row_max) = (limits.columns_max, limits.cell_max_bytes, limits.row_max_bytes);
    let mut row = Row::default();
    let mut counted = 0_u64;
    while let Some(cell) = guarded(|| cells.next_cell())?.map_err(unreadable)? {
        let (number, column) = cell.get_position();
        let number = u64::from(number) + 1;
        if number != row.number {
            if number < row.number {
                return Err(ReadError::whole("rows out of order", "a workbook saved as .xlsx"));
            }
            if give(&mut row, table).is_break() {
                return Ok(());
            }
            // Rows that are not written are empty ones; one says it.
            if number > row.number + 1 && table.row(row.number + 1, &Row::default(), None).is_break() {
                return Ok(());
            }
            row.begin(number);
            counted += 1;
            if counted.is_multiple_of(PROGRESS_ROWS) {
                let bytes = size.saturating_mul(counted.min(last)).checked_div(last).unwrap_or(0);
                progress(Progress { rows: counted, bytes, of_bytes: size });
            }
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= columns_max {
            // An empty cell far to the right is only a format.
            if matches!(cell.get_value(), DataRef::Empty) {
                continue;
            }
            let expected = format!("at most {columns_max} columns");
            if table.fault(Fault::new(number, "", "a cell beyond them", expected)).is_break() {
                return Ok(());
            }
            continue;
        }
        // A cell that is written twice says two things.
        if row.has(column) {
            return Err(ReadError::whole("cells out of order", "a workbook saved as .xlsx"));
        }
        if row.take(column, cell.get_value()) > cell_max {
            let expected = format!("at most {cell_max} bytes in a cell");
            if table.fault(Fault::new(number, "", "a longer text", expected)).is_break() {
                return Ok(());
            }
        }
        // Many cells may show one long text of the table.
        if row.text.len() > row_max {
            let expected = format!("at most {row_max} bytes in a row");
            // Nothing comes after it, whether the list is full or not.
            return match table.fault(Fault::new(number, "", "a longer row", expected)) {
                ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
            };
        }
    }
    match give(&mut row, table) {
        ControlFlow::Continue(()) | ControlFlow::Break(()) => Ok(()),
    }
}

fn give(row: &mut Row, table: &mut Table<'_>) -> ControlFlow<()> {
    if row.number == 0 { ControlFlow::Continue(()) } else { table.row(row.number, row, None) }
}

/// Runs what others wrote over bytes that strangers sent: should it panic, the file is refused, and nothing else.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_panic| damaged())
}

fn unreadable(error: XlsxError) -> ReadError {
    match error {
        XlsxError::Io(error) if error.raw_os_error().is_some() => ReadError::Io(error),
        _ => damaged(),
    }
}

fn damaged() -> ReadError {
    ReadError::whole("a damaged workbook", "a workbook saved as .xlsx")
}

/// One row's cells. Reused from row to row.
#[derive(Debug, Default)]
struct Row {
    /// From 1; 0 before the first.
    number: u64,
    text: String,
    cells: Vec<Option<(Kind, usize, usize)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Serial,
    Error,
}

impl Row {
    fn begin(&mut self, number: u64) {
        self.number = number;
        self.text.clear();
        self.cells.clear();
    }

    /// Was this cell or one to the right of it taken?
    fn has(&self, column: usize) -> bool {
        column < self.cells.len()
    }

    /// Takes a cell; gives the length of its text.
    fn take(&mut self, column: usize, value: &DataRef<'_>) -> usize {
        let start = self.text.len();
        let (kind, written) = match value {
            DataRef::Empty => return 0,
            DataRef::SharedString(text) => (Kind::Text, self.text.write_str(text)),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                (Kind::Text, self.text.write_str(text))
            }
            DataRef::Int(number) => (Kind::Number, write!(self.text, "{number}")),
            DataRef::Float(number) => (Kind::Number, write!(self.text, "{number}")),
            DataRef::DateTime(serial) => (Kind::Serial, write!(self.text, "{serial}")),
            DataRef::Bool(truth) => (Kind::Text, write!(self.text, "{truth}")),
            DataRef::Error(error) => (Kind::Error, write!(self.text, "{error}")),
        };
        // A text takes whatever is written to it.
        if written.is_err() {
            return usize::MAX;
        }
        if self.cells.len() <= column {
            self.cells.resize(column + 1, None);
        }
        if let Some(slot) = self.cells.get_mut(column) {
            *slot = Some((kind, start, self.text.len()));
        }
        self.text.len() - start
    }
}

impl Cells for Row {
    fn cell(&self, column: usize) -> Cell<'_> {
        let Some((kind, start, end)) = self.cells.get(column).copied().flatten() else { return Cell::Empty };
        let text = self.text.get(start..end).unwrap_or_default();
        match kind {
            Kind::Text => Cell::text(text),
            Kind::Number => Cell::Number(text),
            Kind::Serial => Cell::Serial(text),
            Kind::Error => Cell::Error(text),
        }
    }

    fn width(&self) -> usize {
        self.cells.len()
    }
}

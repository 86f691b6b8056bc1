//! A CSV, row by row.

use super::cut::{CutError, Cutter, Fields};
use super::faults::{Fault, ReadError};
use super::table::Table;
use super::{PROGRESS_ROWS, Place, Progress, Summary, text};
use crate::partner::statement::Encoding;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

/// Reads it.
pub(super) fn read(
    mut file: File,
    size: u64,
    mut table: Table<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, ReadError> {
    let encoding = table.layout().encoding;
    let mut head = Vec::with_capacity(4);
    Read::by_ref(&mut file).take(4).read_to_end(&mut head).map_err(ReadError::Io)?;
    let mark = text::mark(encoding, &head)
        .map_err(|said| ReadError::whole(&format!("text in {said}"), &format!("text in {}", text::word(encoding))))?;
    let mark = u64::try_from(mark).unwrap_or_default();
    file.seek(SeekFrom::Start(mark)).map_err(ReadError::Io)?;
    let row_max = table.limits().row_max_bytes;
    let told = |rows, bytes| Progress { rows, bytes, of_bytes: size };
    let mut tell = |rows, bytes| progress(told(rows, bytes));
    match encoding {
        Encoding::Utf16Le | Encoding::Utf16Be => {
            let cutter = Cutter::new(text::Wide::new(file, encoding), row_max);
            rows(cutter, (encoding, mark), &mut table, &mut tell)?;
        }
        Encoding::Utf8 | Encoding::Windows1258 => {
            rows(Cutter::new(file, row_max), (encoding, mark), &mut table, &mut tell)?;
        }
    }
    tell(table.rows(), size);
    table.finish()
}

fn rows<R: Read>(
    mut cutter: Cutter<R>,
    (encoding, mark): (Encoding, u64),
    table: &mut Table<'_>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<(), ReadError> {
    let wide = matches!(encoding, Encoding::Utf16Le | Encoding::Utf16Be);
    let (separator, limits) = (table.layout().separator, table.limits());
    let mut fields = Fields::default();
    let mut wide_offset = mark;
    let mut counted = 0_u64;
    loop {
        let raw = match cutter.next() {
            Ok(Some(raw)) => raw,
            Ok(None) => return Ok(()),
            Err(error) => return broken(error, encoding, table),
        };
        let place = if wide {
            let offset = wide_offset;
            wide_offset = wide_offset.saturating_add(wide_length(raw.with_end));
            Place { offset, length: wide_length(raw.bytes) }
        } else {
            Place { offset: mark + raw.offset, length: u64::try_from(raw.bytes.len()).unwrap_or_default() }
        };
        counted += 1;
        if counted.is_multiple_of(PROGRESS_ROWS) {
            tell(counted, place.offset);
        }
        let Some(row) = text::row(encoding, raw.bytes) else {
            let found = String::from_utf8_lossy(raw.bytes);
            let expected = format!("text in {}", text::word(encoding));
            if table.fault(Fault::new(raw.row, "", &found, expected)).is_break() {
                return Ok(());
            }
            continue;
        };
        let step = match fields.cut(&row, separator) {
            None => table.fault(Fault::new(raw.row, "", &row, "fields quoted whole, with a quote inside doubled")),
            Some(cells) if cells.longest() > limits.cell_max_bytes => {
                let expected = format!("at most {} bytes in a field", limits.cell_max_bytes);
                table.fault(Fault::new(raw.row, "", &row, expected))
            }
            Some(cells) => table.row(raw.row, &cells, Some(place)),
        };
        if step.is_break() {
            return Ok(());
        }
    }
}

/// What stops the cutting is one fault more.
fn broken(error: CutError, encoding: Encoding, table: &mut Table<'_>) -> Result<(), ReadError> {
    let fault = match error {
        CutError::TooLong(row) => {
            let max = table.limits().row_max_bytes;
            Fault::new(row, "", "a longer row", format!("at most {max} bytes in a row, quotes in pairs"))
        }
        CutError::OpenQuote(row) => Fault::new(row, "", "a quote that is never closed", "quotes in pairs"),
        CutError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            Fault::new(0, "", "other bytes", format!("text in {}", text::word(encoding)))
        }
        CutError::Io(error) => return Err(ReadError::Io(error)),
    };
    // Nothing comes after it, whether the list is full or not.
    match table.fault(fault) {
        std::ops::ControlFlow::Continue(()) | std::ops::ControlFlow::Break(()) => Ok(()),
    }
}

/// How long a text is in UTF-16, in bytes. It was UTF-16, so it is UTF-8 now.
fn wide_length(bytes: &[u8]) -> u64 {
    let units = std::str::from_utf8(bytes).map_or(0, |text| text.encode_utf16().count());
    u64::try_from(units).unwrap_or_default().saturating_mul(2)
}

//! Statements: from a file's bytes to [`StatementLine`]s, by a partner's layout. All of a file is taken or none of it: a
//! file that is not what its layout says is refused with the first places where it is not. Nothing is written here and
//! no clock is read. Keeps I10: every size has a limit, and memory does not grow with a CSV.
//!
//! ```text
//! bytes -> lines (text) or workbook (archive, then workbook) -> table (header, data, end) -> row -> StatementLine
//! ```

mod archive;
mod cells;
mod control;
mod cut;
mod faults;
mod held;
mod lines;
mod moments;
mod row;
mod table;
mod text;
mod workbook;

pub use faults::{FAULTS_MAX, Fault, ReadError};

use crate::domain::statement::{StatementLine, Sum};
use crate::partner::statement::{Format, Layout};
use jiff::civil::Date;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

/// What a file may be at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size of a CSV, in bytes.
    pub csv_max_bytes: u64,
    /// The size of a workbook as it comes, in bytes.
    pub xlsx_max_bytes: u64,
    /// The size of a workbook's parts unpacked, in bytes.
    pub unpacked_max_bytes: u64,
    /// What a workbook's formats, sheets and texts hold in memory while it is read, in bytes.
    pub held_max_bytes: u64,
    /// How many times larger a part of a workbook may become by being unpacked.
    pub unpack_ratio_max: u64,
    /// The parts of a workbook.
    pub parts_max: usize,
    /// The last row.
    pub rows_max: u32,
    /// The columns of a row.
    pub columns_max: usize,
    /// The text of a cell, in bytes.
    pub cell_max_bytes: usize,
    /// The text of a row, in bytes.
    pub row_max_bytes: usize,
    /// The rows in which a header is looked for.
    pub header_rows_max: u32,
}

impl Default for Limits {
    /// Some times the national day: 10 million rows.
    fn default() -> Self {
        Self {
            csv_max_bytes: 1 << 30,
            xlsx_max_bytes: 100 << 20,
            unpacked_max_bytes: 200 << 20,
            held_max_bytes: 256 << 20,
            unpack_ratio_max: 250,
            parts_max: 1000,
            rows_max: 10_000_000,
            columns_max: 512,
            cell_max_bytes: 32 << 10,
            row_max_bytes: 256 << 10,
            header_rows_max: 100,
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Job<'j> {
    /// How the file is laid out.
    pub layout: &'j Layout,
    /// The day that the statement is of.
    pub day: Date,
    /// What it may be at most.
    pub limits: &'j Limits,
}

/// How far the reading has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Bytes read of a CSV; of a workbook the same share of its size as of its declared rows.
    pub bytes: u64,
    /// The file's size.
    pub of_bytes: u64,
}

/// The bytes in the file that a line was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first byte, from 0.
    pub offset: u64,
    /// How many, without the line's end.
    pub length: u64,
}

/// What takes the lines, in the file's order; of a workbook without a place. A file may still be refused after all of its
/// lines were handed on, so nothing of it counts before [`read`] is done. `Break` ends the reading.
pub type Sink<'s> = &'s mut dyn FnMut(StatementLine, Option<Place>) -> ControlFlow<()>;

/// What a file came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What kind of file it was.
    pub format: Format,
    /// Rows of data.
    pub rows: u64,
    /// Lines handed on.
    pub lines: u64,
    /// Of them payments, by what bills are reduced by.
    pub payments: Sum,
    /// Of them reversals, likewise.
    pub reversals: Sum,
    /// Rows that move no money, by what they state: pending, failed and ignored ones.
    pub ignored: Sum,
    /// The first business day of a line that moves money.
    pub first_day: Option<Date>,
    /// The last one.
    pub last_day: Option<Date>,
}

/// How often progress is told, in rows.
const PROGRESS_ROWS: u64 = 8192;

/// Reads a file.
///
/// # Errors
/// [`ReadError::Refused`] if the file is not what its layout says, [`ReadError::Io`] if it cannot be read,
/// [`ReadError::Stopped`] if the sink said so.
pub fn read(
    job: Job<'_>,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
    sink: Sink<'_>,
) -> Result<Summary, ReadError> {
    let mut file = File::open(path).map_err(ReadError::Io)?;
    let mut head = [0; 8];
    let length = read_head(&mut file, &mut head).map_err(ReadError::Io)?;
    let size = file.seek(SeekFrom::End(0)).map_err(ReadError::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
    let format = kind_of(head.get(..length).unwrap_or_default())?;
    if let Some(wanted) = job.layout.format.filter(|wanted| *wanted != format) {
        let found = format!("a file in {}", format.word());
        return Err(ReadError::whole(&found, &format!("a file in {}", wanted.word())));
    }
    let max = match format {
        Format::Csv => job.limits.csv_max_bytes,
        Format::Xlsx => job.limits.xlsx_max_bytes,
    };
    if size > max {
        return Err(ReadError::whole(&format!("{size} bytes"), &format!("at most {max} bytes")));
    }
    let table = table::Table::new(job, format, sink);
    match format {
        Format::Csv => lines::read(file, size, table, progress),
        Format::Xlsx => workbook::read(file, size, table, progress),
    }
}

fn read_head(file: &mut File, head: &mut [u8; 8]) -> std::io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = head.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// What a file is by its first bytes.
fn kind_of(head: &[u8]) -> Result<Format, ReadError> {
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Format::Xlsx);
    }
    if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
        return Err(ReadError::whole("an old .xls, or a workbook under a password", "a workbook saved as .xlsx"));
    }
    if head.is_empty() {
        return Err(ReadError::whole("an empty file", "a statement"));
    }
    Ok(Format::Csv)
}

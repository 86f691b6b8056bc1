//! Invoice rows out of a stream of bytes: CSV, NDJSON or a JSON array, cut into rows wherever the chunks end. Each row is
//! read by [`super::invoice_rows`]. Keeps I10: a row is kept only up to its limit, however long it goes on.

use super::invoice_rows::{Header, ROW_MAX_BYTES, Reject, read_json};
use crate::domain::invoice::Invoice;

/// A row with its line, or why it was not taken.
pub type Row = Result<(u64, Invoice), Reject>;

fn from_json(line: u64, bytes: &[u8]) -> Row {
    let reject = || Reject { line, field: "row".to_owned(), expected: "UTF-8".to_owned() };
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| reject())?;
    read_json(line, text).map(|invoice| (line, invoice))
}

/// Cuts a stream of bytes into JSON rows: lines, or the elements of one array.
#[derive(Debug)]
pub struct Splitter {
    shape: Shape,
    line: u64,
    row: Vec<u8>,
    row_line: u64,
    depth: u32,
    in_text: bool,
    escaped: bool,
    too_long: bool,
}

/// How rows follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One row a line.
    Lines,
    /// The elements of one JSON array.
    Array,
}

/// The whole is not of its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct BadShape {
    /// Where.
    pub line: u64,
    /// What.
    pub expected: &'static str,
}

/// How deep a row may nest; a row is flat, and what is deeper is rejected by its reader anyway.
const DEPTH_MAX: u32 = 64;

impl Splitter {
    /// At the beginning.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, line: 1, row: Vec::new(), row_line: 1, depth: 0, in_text: false, escaped: false, too_long: false }
    }

    /// Takes the next bytes and gives the rows that end in them.
    ///
    /// # Errors
    /// [`BadShape`]: the rest cannot be read.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(Row)) -> Result<(), BadShape> {
        for byte in bytes {
            match self.shape {
                Shape::Lines => self.push_line_byte(*byte, each),
                Shape::Array => self.push_array_byte(*byte, each)?,
            }
            if *byte == b'\n' {
                self.line += 1;
            }
        }
        Ok(())
    }

    /// The end of the stream.
    ///
    /// # Errors
    /// [`BadShape`] in the middle of an array.
    pub fn finish(mut self, each: &mut dyn FnMut(Row)) -> Result<(), BadShape> {
        match self.shape {
            Shape::Lines => self.end_row(each),
            Shape::Array if self.depth != ENDED => {
                return Err(BadShape { line: self.line, expected: "the array's end" });
            }
            Shape::Array => {}
        }
        Ok(())
    }

    fn push_line_byte(&mut self, byte: u8, each: &mut dyn FnMut(Row)) {
        if byte == b'\n' {
            self.end_row(each);
            self.row_line = self.line + 1;
        } else {
            self.keep(byte);
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.row.len() < ROW_MAX_BYTES {
            self.row.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn end_row(&mut self, each: &mut dyn FnMut(Row)) {
        let row = std::mem::take(&mut self.row);
        if std::mem::take(&mut self.too_long) {
            let expected = format!("at most {ROW_MAX_BYTES} bytes");
            each(Err(Reject { line: self.row_line, field: "row".to_owned(), expected }));
        } else if !row.iter().all(u8::is_ascii_whitespace) {
            each(from_json(self.row_line, &row));
        }
    }

    /// Depth 0 is before the array, 1 between its elements, 2 and more inside one.
    fn push_array_byte(&mut self, byte: u8, each: &mut dyn FnMut(Row)) -> Result<(), BadShape> {
        let line = self.line;
        let bad = |expected| BadShape { line, expected };
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
            self.keep(byte);
            return Ok(());
        }
        match (self.depth, byte) {
            (_, b' ' | b'\t' | b'\r' | b'\n') if self.depth <= 1 || self.depth == ENDED => {}
            (0, b'[') => self.depth = 1,
            (0, _) => return Err(bad("a JSON array")),
            (ENDED, _) => return Err(bad("nothing after the array")),
            (1, b']') => self.depth = ENDED,
            (1, b',') => {}
            (1, b'{') => {
                self.depth = 2;
                self.row_line = self.line;
                self.keep(byte);
            }
            (1, _) => return Err(bad("a JSON object for each invoice")),
            (depth, _) => {
                self.keep(byte);
                self.in_text = byte == b'"';
                match byte {
                    b'{' | b'[' if depth >= DEPTH_MAX => return Err(bad("flat objects")),
                    b'{' | b'[' => self.depth = depth + 1,
                    b'}' | b']' => self.depth = depth - 1,
                    _ => {}
                }
                if self.depth == 1 {
                    self.end_row(each);
                }
            }
        }
        Ok(())
    }
}

/// The depth after the array's end.
const ENDED: u32 = u32::MAX;

/// Reads a CSV file with a header row, columns in any order. `each` says whether to go on.
///
/// # Errors
/// A bad header, or a file that cannot be read: with its line.
pub fn from_csv(reader: impl std::io::Read, each: &mut dyn FnMut(Row) -> bool) -> Result<(), String> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let names = csv.headers().map_err(|e| format!("line 1: {}", csv_words(&e)))?.clone();
    let header = Header::parse(&names).map_err(|reject| reject.to_string())?;
    let mut record = csv::ByteRecord::new();
    loop {
        let before = csv.position().line();
        match csv.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {
                let line = record.position().map_or(before, csv::Position::line);
                if !each(csv_row(line, &record, &header, names.len())) {
                    return Ok(());
                }
            }
            Err(e) => return Err(format!("line {before}: {}", csv_words(&e))),
        }
    }
}

fn csv_row(line: u64, record: &csv::ByteRecord, header: &Header, columns: usize) -> Row {
    let fails = |expected: String| Reject { line, field: "row".to_owned(), expected };
    if record.len() != columns {
        return Err(fails(format!("{columns} columns")));
    }
    if record.as_slice().len() > ROW_MAX_BYTES {
        return Err(fails(format!("at most {ROW_MAX_BYTES} bytes")));
    }
    let text = csv::StringRecord::from_byte_record(record.clone()).map_err(|_not_utf8| fails("UTF-8".to_owned()))?;
    header.read(line, &text).map(|invoice| (line, invoice))
}

fn csv_words(error: &csv::Error) -> &'static str {
    if error.is_io_error() { "the file cannot be read" } else { "expected CSV in UTF-8" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "invoice_id,customer_code,payer_code,unit,area,period,kind,net,vat,total,issued_on,due_on,\
                          status,paid_elsewhere,adjusts,version\n";
    const GOOD: &str =
        "HD-1,PA03HL0000001,,PA03HL,urban,2026-10-1,TD,100000,8000,108000,2026-10-05,2026-10-15,open,,,3\n";
    const JSON: &str = r#"{"invoice_id":"HD-1","customer_code":"PA03HL0000001","unit":"PA03HL","area":"urban","period":"2026-10-1","kind":"TD","net":100000,"vat":8000,"total":108000,"issued_on":"2026-10-05","due_on":"2026-10-15","status":"open","version":3}"#;

    /// The rows as `line id total version` or `line field`.
    fn words(row: &Row) -> String {
        match row {
            Ok((line, invoice)) => format!("{line} {} {} v{}", invoice.id, invoice.total, invoice.version),
            Err(reject) => format!("{} {}", reject.line, reject.field),
        }
    }

    fn check_csv(text: &str, expected: Result<&[&str], &str>) {
        let mut rows = Vec::new();
        let read = from_csv(text.as_bytes(), &mut |row| {
            rows.push(words(&row));
            true
        });
        match expected {
            Ok(expected) => assert_eq!((read, rows), (Ok(()), expected.iter().map(ToString::to_string).collect())),
            Err(part) => assert!(read.as_ref().is_err_and(|e| e.contains(part)), "{read:?}"),
        }
    }

    fn check_json(shape: Shape, text: &str, expected: Result<&[&str], &str>) {
        for cut in [1, 7, text.len().max(1)] {
            let mut rows = Vec::new();
            let mut splitter = Splitter::new(shape);
            let each = &mut |row: Row| rows.push(words(&row));
            let read = text.as_bytes().chunks(cut).try_for_each(|chunk| splitter.push(chunk, each));
            let read = read.and_then(|()| splitter.finish(each));
            match expected {
                Ok(expected) => assert_eq!((read, rows), (Ok(()), expected.iter().map(ToString::to_string).collect())),
                Err(part) => assert!(read.is_err_and(|e| e.to_string().contains(part)), "{read:?}"),
            }
        }
    }

    #[test]
    fn a_csv_row_is_read_and_a_bad_one_is_named_with_its_line_and_field() {
        let wrong_total = GOOD.replace("108000", "108001");
        let long = GOOD.replace("3\n", "3,4\n");
        let text = format!("{HEADER}{GOOD}{wrong_total}{long}");
        check_csv(&text, Ok(&["2 HD-1 108000 v3", "3 total", "4 row"]));
        check_csv(&format!("\u{feff}{HEADER}{GOOD}"), Ok(&["2 HD-1 108000 v3"]));
        check_csv(&HEADER.replace("unit,", ""), Err("unit"));
    }

    #[test]
    fn json_lines_and_arrays_are_cut_into_rows_wherever_the_chunks_end() {
        check_json(Shape::Lines, &format!("{JSON}\n\n{JSON}"), Ok(&["1 HD-1 108000 v3", "3 HD-1 108000 v3"]));
        check_json(Shape::Array, &format!("[{JSON},\n{JSON}]\n"), Ok(&["1 HD-1 108000 v3", "2 HD-1 108000 v3"]));
        check_json(Shape::Array, "[]", Ok(&[]));
        let tricky = JSON.replace("HD-1", r#"H}]\"{1"#);
        check_json(Shape::Array, &format!("[{tricky},{JSON}]"), Ok(&["1 invoice_id", "1 HD-1 108000 v3"]));
    }

    #[test]
    fn a_broken_array_is_named() {
        check_json(Shape::Array, &format!("[{JSON}"), Err("the array's end"));
        check_json(Shape::Array, "[1]", Err("a JSON object for each invoice"));
        check_json(Shape::Array, "{}", Err("a JSON array"));
        check_json(Shape::Array, "[] x", Err("nothing after"));
        check_json(Shape::Array, &format!("[{{\"a\":{}", "[".repeat(10_000)), Err("flat objects"));
    }

    #[test]
    fn a_row_without_end_is_rejected_alone() {
        let long = JSON.replace("HD-1", &"x".repeat(20_000));
        check_json(Shape::Lines, &format!("{long}\n{JSON}"), Ok(&["1 row", "2 HD-1 108000 v3"]));
        check_json(Shape::Array, &format!("[{long},{JSON}]"), Ok(&["1 row", "1 HD-1 108000 v3"]));
    }
}

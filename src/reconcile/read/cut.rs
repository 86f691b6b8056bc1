//! A CSV cut into rows and fields, as RFC 4180 quotes them: a separator or a line's end inside quotes is text, and a
//! quote is doubled. What is quoted in another way is refused, because rows would be lost in it. A row is kept only up to
//! its limit, and its exact place in the file is known.

use super::cells::{Cell, Cells};
use std::io::{ErrorKind, Read};

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// Cuts bytes into rows.
#[derive(Debug)]
pub(super) struct Cutter<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    offset: u64,
    row: u64,
    row_max_bytes: usize,
}

/// One row.
#[derive(Debug)]
pub(super) struct Raw<'c> {
    /// Its bytes, without the line's end.
    pub(super) bytes: &'c [u8],
    /// With it.
    pub(super) with_end: &'c [u8],
    /// The line of an editor in which it begins, from 1.
    pub(super) row: u64,
    /// Where it begins.
    pub(super) offset: u64,
}

/// Why the rest cannot be cut.
#[derive(Debug)]
pub(super) enum CutError {
    /// The row that begins in this line is too long.
    TooLong(u64),
    /// A quote of the row that begins in this line is never closed.
    OpenQuote(u64),
    Io(std::io::Error),
}

impl<R: Read> Cutter<R> {
    pub(super) fn new(from: R, row_max_bytes: usize) -> Self {
        Self { from, buffer: Vec::new(), start: 0, end: 0, ended: false, offset: 0, row: 1, row_max_bytes }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Raw<'_>>, CutError> {
        let (mut scanned, mut quoted, mut lines) = (0, false, 1);
        let length = loop {
            let unseen = self.buffer.get(self.start + scanned..self.end).unwrap_or_default();
            match memchr::memchr2(b'\n', b'"', unseen) {
                Some(at) if unseen.get(at) == Some(&b'"') => {
                    quoted = !quoted;
                    scanned += at + 1;
                }
                Some(at) if quoted => {
                    lines += 1;
                    scanned += at + 1;
                }
                Some(at) => break scanned + at + 1,
                None => {
                    scanned += unseen.len();
                    if scanned > self.row_max_bytes {
                        return Err(CutError::TooLong(self.row));
                    }
                    if !self.fill().map_err(CutError::Io)? {
                        if quoted {
                            return Err(CutError::OpenQuote(self.row));
                        }
                        break scanned;
                    }
                }
            }
        };
        if length == 0 {
            return Ok(None);
        }
        if length > self.row_max_bytes {
            return Err(CutError::TooLong(self.row));
        }
        let (row, offset) = (self.row, self.offset);
        let with_end = self.buffer.get(self.start..self.start + length).unwrap_or_default();
        self.start += length;
        self.row += lines;
        self.offset += u64::try_from(length).unwrap_or(u64::MAX);
        let bytes = with_end.strip_suffix(b"\n").unwrap_or(with_end);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Ok(Some(Raw { bytes, with_end, row, offset }))
    }

    /// Reads on; `false` at the end. Keeps the row that was begun.
    fn fill(&mut self) -> std::io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK_BYTES {
            self.buffer.resize(self.end + CHUNK_BYTES, 0);
        }
        loop {
            match self.from.read(self.buffer.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(more) => {
                    self.end += more;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where the fields of a row are. Reused from row to row.
#[derive(Debug, Default)]
pub(super) struct Fields {
    spans: Vec<(usize, usize)>,
    /// The fields without their quotes, of a row that has some.
    unquoted: String,
    has_quotes: bool,
}

/// A row of fields.
#[derive(Debug)]
pub(super) struct TextRow<'r> {
    text: &'r str,
    spans: &'r [(usize, usize)],
}

impl Fields {
    /// Cuts a row. `None` for quotes inside a field, or text behind a quoted one.
    pub(super) fn cut<'r>(&'r mut self, row: &'r str, separator: u8) -> Option<TextRow<'r>> {
        self.spans.clear();
        self.has_quotes = memchr::memchr(b'"', row.as_bytes()).is_some();
        if self.has_quotes {
            self.unquoted.clear();
            self.cut_quoted(row, char::from(separator))?;
            return Some(TextRow { text: &self.unquoted, spans: &self.spans });
        }
        let mut start = 0;
        for at in memchr::memchr_iter(separator, row.as_bytes()) {
            self.spans.push((start, at));
            start = at + 1;
        }
        self.spans.push((start, row.len()));
        Some(TextRow { text: row, spans: &self.spans })
    }

    fn cut_quoted(&mut self, row: &str, separator: char) -> Option<()> {
        let mut rest = row;
        loop {
            let start = self.unquoted.len();
            let after = match rest.strip_prefix('"') {
                Some(mut inside) => loop {
                    let (text, after) = inside.split_once('"')?;
                    self.unquoted.push_str(text);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            self.unquoted.push('"');
                            inside = more;
                        }
                        None => break after,
                    }
                },
                None => {
                    let (field, after) = rest.split_at(rest.find(separator).unwrap_or(rest.len()));
                    if field.contains('"') {
                        return None;
                    }
                    self.unquoted.push_str(field);
                    after
                }
            };
            self.spans.push((start, self.unquoted.len()));
            if after.is_empty() {
                return Some(());
            }
            rest = after.strip_prefix(separator)?;
        }
    }
}

impl TextRow<'_> {
    /// The longest field, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.spans.iter().map(|(start, end)| end - start).max().unwrap_or(0)
    }
}

impl Cells for TextRow<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let field = self.spans.get(column).and_then(|(start, end)| self.text.get(*start..*end));
        field.map_or(Cell::Empty, Cell::text)
    }

    fn width(&self) -> usize {
        self.spans.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(u64, u64, String)>, String> {
        let mut cutter = Cutter::new(text.as_bytes(), 64);
        let mut rows = Vec::new();
        loop {
            match cutter.next() {
                Ok(Some(raw)) => rows.push((raw.row, raw.offset, String::from_utf8(raw.bytes.to_vec()).unwrap())),
                Ok(None) => return Ok(rows),
                Err(error) => return Err(format!("{error:?}")),
            }
        }
    }

    fn fields(row: &str) -> Option<Vec<String>> {
        let mut fields = Fields::default();
        let row = fields.cut(row, b',')?;
        Some((0..row.width()).map(|n| row.cell(n).written().to_owned()).collect())
    }

    #[test]
    fn rows_keep_their_line_and_their_place() {
        let row = |line, offset, text: &str| (line, offset, text.to_owned());
        assert_eq!(rows("a,b\r\n\nc\n"), Ok(vec![row(1, 0, "a,b"), row(2, 5, ""), row(3, 6, "c")]));
        assert_eq!(rows("a,\"b\nb\"\nc"), Ok(vec![row(1, 0, "a,\"b\nb\""), row(3, 8, "c")]));
        assert_eq!(rows(""), Ok(vec![]));
        assert_eq!(rows("a\n\"b\nc\n"), Err("OpenQuote(2)".to_owned()));
        assert_eq!(rows(&format!("a\n{}\n", "b".repeat(64))), Err("TooLong(2)".to_owned()));
        assert_eq!(rows(&format!("a\n{}\n", "b".repeat(63))).unwrap().len(), 2);
        assert_eq!(rows(&format!("a\n\"{}", "b\n".repeat(300_000))), Err("TooLong(2)".to_owned()));
    }

    #[test]
    fn fields_are_quoted_in_one_way() {
        let list = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(fields("a,,c"), list(&["a", "", "c"]));
        assert_eq!(fields("\"a,\"\"x\"\"\",b\""), None);
        assert_eq!(fields("\"a,\"\"x\"\"\",b,\"\""), list(&["a,\"x\"", "b", ""]));
        assert_eq!(fields("\"a\"b"), None);
        assert_eq!(fields("5\" pipe,b\""), None);
        assert_eq!(fields("a,\"đ\n\""), list(&["a", "đ"]));
    }
}

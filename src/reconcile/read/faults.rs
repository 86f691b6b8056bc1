//! Why a file was not read: the first places where it is not what its layout says.

use std::fmt;

/// Most faults that are listed; reading ends with them.
pub const FAULTS_MAX: usize = 20;

/// The longest piece of a file that is repeated, in characters.
const FOUND_MAX_CHARS: usize = 40;

/// One place that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The row as an editor counts them, from 1; 0 for the whole file.
    pub row: u64,
    /// The column as the profile names it; empty for a whole row.
    pub column: String,
    /// What is there, shortened, without control characters.
    pub found: String,
    /// What should be.
    pub expected: String,
}

impl Fault {
    /// A fault of a place.
    #[must_use]
    pub fn new(row: u64, column: &str, found: &str, expected: impl Into<String>) -> Self {
        Self { row, column: column.to_owned(), found: shown(found), expected: expected.into() }
    }
}

/// `row 7, Số tiền: found "1.500", expected whole dong`
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.row > 0 {
            write!(f, "row {}", self.row)?;
            if self.column.is_empty() {
                f.write_str(": ")?
            } else {
                write!(f, ", {}: ", self.column)?
            }
            write!(f, "found \"{}\", ", self.found)?;
        } else {
            write!(f, "found {}, ", self.found)?;
        }
        write!(f, "expected {}", self.expected)
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub enum ReadError {
    /// It is not what its layout says; nothing of it is taken. The first faults, in the file's order.
    Refused(Vec<Fault>),
    /// It cannot be read.
    Io(std::io::Error),
    /// Whoever took the lines wanted no more.
    Stopped,
}

impl ReadError {
    /// The file as a whole is another thing; both in our own words.
    pub(super) fn whole(found: &str, expected: &str) -> Self {
        let (column, found, expected) = (String::new(), found.to_owned(), expected.to_owned());
        Self::Refused(vec![Fault { row: 0, column, found, expected }])
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(faults) => {
                for (n, fault) in faults.iter().enumerate() {
                    if n > 0 {
                        f.write_str("\n")?;
                    }
                    fault.fmt(f)?;
                }
                Ok(())
            }
            Self::Io(_) => f.write_str("cannot read the file"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Refused(_) | Self::Stopped => None,
        }
    }
}

/// A piece of a file for people: short, on one line, with nothing that moves a cursor.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(FOUND_MAX_CHARS).map(plain).collect();
    if text.chars().nth(FOUND_MAX_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

fn plain(c: char) -> char {
    // Marks that turn the direction of a text are as misleading as a cursor's moves.
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_of_a_file_is_short_and_plain() {
        let fault = Fault::new(7, "Số tiền", "\u{1b}[31m\n\u{202e}x", "whole dong");
        assert_eq!(fault.to_string(), "row 7, Số tiền: found \"\u{fffd}[31m\u{fffd}\u{fffd}x\", expected whole dong");
        assert_eq!(Fault::new(1, "", &"đ".repeat(99), "").found, format!("{}…", "đ".repeat(40)));
    }
}

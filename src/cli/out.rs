//! The one writer of standard output, and of the messages for people on standard error.

use std::io::{self, Write};

/// A line on standard output. A reader that went away ends the program quietly, as in a pipe.
pub fn line(text: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{}", text.as_ref()).is_err() {
        std::process::exit(0);
    }
}

/// Text on standard output as it is.
pub fn raw(text: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    if out.write_all(text.as_ref()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// A message for people on standard error.
pub fn note(text: impl AsRef<str>) {
    // Nobody reads it: nothing to do about that.
    writeln!(io::stderr().lock(), "{}", text.as_ref()).ok();
}

//! The one writer of standard output, and of the messages for people on standard error.

use super::Failure;
use crate::reconcile::export::{ExportError, Out};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

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

/// Writes to a file, or to standard output if none is named. A file is there whole or not at all: it is written beside its
/// place and takes it once it is on the disk.
///
/// # Errors
/// What the machine could not do, and a table that does not tie out.
pub fn written(path: Option<&Path>, write: &mut dyn FnMut(Out<'_>) -> Result<(), ExportError>) -> Result<(), Failure> {
    let Some(path) = path else {
        let mut text = Vec::new();
        write(&mut text).map_err(|error| Failure::Failed(error.to_string()))?;
        raw(text);
        return Ok(());
    };
    let cannot = |error: &dyn std::fmt::Display| Failure::Failed(format!("{}: {error}", path.display()));
    // A device or a pipe is written to, and never replaced.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let mut out = File::options().write(true).open(path).map_err(|error| cannot(&error))?;
        return write(&mut out).map_err(|error| cannot(&error));
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let mut whole = || -> Result<(), ExportError> {
        let mut out = BufWriter::new(File::create(&beside)?);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(std::fs::rename(&beside, path)?)
    };
    whole().map_err(|error| {
        std::fs::remove_file(&beside).ok();
        cannot(&error)
    })
}

/// A message for people on standard error.
pub fn note(text: impl AsRef<str>) {
    // Nobody reads it: nothing to do about that.
    writeln!(io::stderr().lock(), "{}", text.as_ref()).ok();
}

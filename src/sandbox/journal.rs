//! What a sandbox party believes, line by line: kept in memory and, if asked, appended to a file as NDJSON. A line is
//! written before the answer it records is given.

use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Lines of one party.
#[derive(Debug)]
pub struct Journal<T> {
    lines: Vec<T>,
    file: Option<File>,
    flush_to_disk: bool,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), file: None, flush_to_disk: false }
    }
}

impl<T: Serialize> Journal<T> {
    /// Also appends to the file at `path`, and waits for the disk at each line if `flush_to_disk`.
    ///
    /// # Errors
    /// When the file cannot be opened for appending.
    pub fn appending(path: &Path, flush_to_disk: bool) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { lines: Vec::new(), file: Some(file), flush_to_disk })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// When the file cannot be written; the line is not added then.
    pub fn add(&mut self, line: T) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            let mut text = serde_json::to_string(&line)?;
            text.push('\n');
            file.write_all(text.as_bytes())?;
            if self.flush_to_disk {
                file.sync_data()?;
            }
        }
        self.lines.push(line);
        Ok(())
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> &[T] {
        &self.lines
    }

    /// The lines as NDJSON.
    #[must_use]
    pub fn to_ndjson(&self) -> String {
        self.lines.iter().filter_map(|line| serde_json::to_string(line).ok()).map(|line| line + "\n").collect()
    }
}

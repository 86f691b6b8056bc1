//! One process owns a database file: an operating system's lock on `PATH.lock`, which ends with the process however
//! that ends. The lock file says who holds it, so that the refusal can.

use crate::store::StoreError;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The note in a lock file is longer than this only if somebody else wrote it.
const NOTE_MAX_BYTES: u64 = 512;

/// Held until dropped.
#[derive(Debug)]
pub(super) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock of the database at `path`, or says who has it. `internal_url` is what others should call.
    pub(super) fn take(path: &Path, internal_url: Option<&str>) -> Result<Self, StoreError> {
        let lock_path = lock_path(path);
        let fault = |error: std::io::Error| StoreError::Fault(format!("{}: {error}", lock_path.display()));
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&lock_path).map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Fault(held(path, &mut file))),
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        let note = format!("{} {}\n", std::process::id(), internal_url.unwrap_or("-"));
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes())).map_err(fault)?;
        Ok(Self { _file: file })
    }
}

fn held(path: &Path, file: &mut File) -> String {
    let mut note = String::new();
    // A note that cannot be read leaves the holder unnamed; the refusal stands.
    file.take(NOTE_MAX_BYTES).read_to_string(&mut note).ok();
    let mut words = note.split_whitespace();
    let pid = words.next().unwrap_or("unknown");
    let url = words.next().filter(|url| *url != "-").map_or(String::new(), |url| format!(" {url}"));
    format!("{}: held by a gateway (pid {pid}); use --url{url}", path.display())
}

/// Two ways to write one path must meet at one lock file.
fn lock_path(path: &Path) -> PathBuf {
    let real = fs::canonicalize(path).or_else(|_not_there_yet| {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        fs::canonicalize(parent).map(|parent| parent.join(path.file_name().unwrap_or_default()))
    });
    let mut name = real.unwrap_or_else(|_no_parent| path.to_path_buf()).into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

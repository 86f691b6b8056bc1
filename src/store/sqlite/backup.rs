//! Copies of the whole file: taken beside a running gateway, put back only when nobody holds the file. A copy takes
//! its name only once it is checked and flushed, so that a half-made one is never found under it.

use super::lock::FileLock;
use super::{migrate, open_reader, statement};
use crate::store::StoreError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Pages copied between two reports of progress: 4 MiB.
const STEP_PAGES: i32 = 1_024;

/// How far a copy is, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// Copied.
    pub done: u32,
    /// In all.
    pub pages: u32,
}

/// Copies the database at `from` to the new file `to`: one state of it, while a gateway goes on writing. The write
/// ahead log of `from` grows until the copy is done.
///
/// # Errors
/// [`StoreError::Fault`] when `to` exists or the copy does not pass its check; the machine's.
pub fn backup(from: &Path, to: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Fault(format!("{}: is there already", to.display())));
    }
    let source = open_reader(from)?;
    copy(&source, to, progress)
}

/// Puts the copy `from` in the place of the database `to`.
///
/// # Errors
/// [`StoreError::Schema`] when `from` is not ours, newer or damaged; [`StoreError::Fault`] when a gateway holds `to`,
/// or it exists and `overwrite` is not set; the machine's.
pub fn restore(
    from: &Path,
    to: &Path,
    overwrite: bool,
    progress: &mut dyn FnMut(BackupProgress),
) -> Result<(), StoreError> {
    let lock = FileLock::take(to, None)?;
    if to.exists() && !overwrite {
        return Err(StoreError::Fault(format!(
            "{}: is there already; say so if it is to be overwritten",
            to.display()
        )));
    }
    if !from.is_file() {
        return Err(StoreError::Schema(format!("{}: no such file", from.display())));
    }
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| statement::of("-- restore.open", error))?;
    let applied = migrate::check(&source, &from.display().to_string()).map_err(|error| match error {
        // The copy's own damage: no reason to call our storage broken.
        StoreError::Broken(_) => StoreError::Schema(format!("{}: damaged: it cannot be read", from.display())),
        other => other,
    })?;
    if applied == 0 {
        return Err(StoreError::Schema(format!("{}: an empty database", from.display())));
    }
    check_whole(&source, from)?;
    if to.exists() {
        settle_old(to)?;
    }
    copy(&source, to, progress)?;
    drop(lock);
    Ok(())
}

/// The old file's log must not outlive it: it would be played into the new one. Moves it into the file; if the old
/// file is too damaged for that, it goes with the file that it belonged to.
fn settle_old(to: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(to, flags).and_then(|old| old.pragma_update(None, "journal_mode", "DELETE")).ok();
    for suffix in ["-wal", "-shm"] {
        let log = beside(to, suffix);
        if log.exists() {
            fs::remove_file(&log).map_err(|error| fault(&log, &error))?;
        }
    }
    Ok(())
}

fn copy(source: &Connection, to: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<(), StoreError> {
    let part = beside(to, ".part");
    if part.exists() {
        fs::remove_file(&part).map_err(|error| fault(&part, &error))?;
    }
    let copied = copy_pages(source, &part, progress)
        .and_then(|()| File::open(&part).and_then(|file| file.sync_all()).map_err(|error| fault(&part, &error)))
        .and_then(|()| fs::rename(&part, to).map_err(|error| fault(to, &error)))
        .and_then(|()| sync_folder(to));
    if copied.is_err() {
        // The error that is reported is the first one; a part that stays behind is replaced by the next copy.
        fs::remove_file(&part).ok();
    }
    copied
}

fn copy_pages(source: &Connection, part: &Path, progress: &mut dyn FnMut(BackupProgress)) -> Result<(), StoreError> {
    let fault = |error| statement::of("-- backup.copy", error);
    let mut target = Connection::open(part).map_err(fault)?;
    // One read transaction over all steps: a writer in between would otherwise make the copy start again, for ever.
    let snapshot = source.unchecked_transaction().map_err(fault)?;
    statement::Db(source).integer("-- backup.snapshot\nSELECT count(*) FROM sqlite_schema", ())?;
    let copying = Backup::new(source, &mut target).map_err(fault)?;
    loop {
        let step = copying.step(STEP_PAGES).map_err(fault)?;
        let now = copying.progress();
        let pages = u32::try_from(now.pagecount).unwrap_or_default();
        progress(BackupProgress {
            done: pages.saturating_sub(u32::try_from(now.remaining).unwrap_or_default()),
            pages,
        });
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(StoreError::Contended),
        }
    }
    drop(copying);
    snapshot.finish().map_err(fault)?;
    target.pragma_update(None, "journal_mode", "DELETE").map_err(fault)?;
    check_whole(&target, part)
}

fn check_whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let said = statement::Db(connection).one(
        "-- backup.check\nSELECT integrity_check FROM pragma_integrity_check LIMIT 1",
        (),
        |cells| cells.next::<String>(),
    );
    let damaged = |how: &str| StoreError::Schema(format!("{}: damaged: {how}", path.display()));
    match said {
        Ok(Some(said)) if said == "ok" => Ok(()),
        Ok(other) => Err(damaged(other.as_deref().unwrap_or("no answer"))),
        // Too damaged even to be checked; not our own storage, so no reason to stop.
        Err(StoreError::Broken(_)) => Err(damaged("it cannot be read")),
        Err(other) => Err(other),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| fault(folder, &error))
}

fn fault(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Fault(format!("{}: {error}", path.display()))
}

//! Files that somebody drops into a folder, such as an SFTP server: `<inbox>/<partner>/<kind>/<a name with its day>`. Each is
//! taken as an upload is and, if it is a partner's or the core's, compared. What was looked at is moved away: to `taken`, or to
//! `refused` with the reasons beside it and a break. A file that is still being written is left alone.

use super::import::{self, Brought, ImportError, Taken};
use super::read::{Limits, ReadError};
use super::run::{self, RunError, Subject};
use crate::domain::ids::Author;
use crate::domain::money::Money;
use crate::domain::review::{BreakClass, NewBreak};
use crate::domain::statement::StatementKind;
use crate::domain::time::Timestamp;
use crate::ledger::{SliceError, Slices};
use crate::partner::{Partners, Profile};
use crate::store::StoreError;
use crate::store::reports::Reports;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Who brings what lies there.
pub const AUTHOR: &str = "system:inbox";

/// Where files are taken, out of their sender's reach.
const TAKING: &str = ".taking";

/// Where files go that were taken, and that were refused.
const TAKEN: &str = "taken";
const REFUSED: &str = "refused";

/// Names of one folder, at most: what is too many is looked at after those before it were moved.
const FILES_MAX: usize = 1_000;

/// Files of one name, at most.
const NAMES_MAX: u32 = 10_000;

/// Ends of names under which programs write before they are done.
const UNFINISHED: [&str; 4] = [".part", ".tmp", ".filepart", ".crdownload"];

/// The day in a file's name: the first `2026-11-20` or `20261120` in it.
#[must_use]
pub fn day_in_name(name: &str) -> Option<Date> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let alone = |from: usize, to: usize| {
        let before = name.get(..from).and_then(|head| head.bytes().last());
        let after = name.get(to..).and_then(|rest| rest.bytes().next());
        !before.into_iter().chain(after).any(|b| b.is_ascii_digit())
    };
    (0..name.len()).find_map(|from| {
        if let Some(dashed) = name.get(from..from.saturating_add(10)).filter(|_| alone(from, from + 10)) {
            let parts: Vec<&str> = dashed.split('-').collect();
            if parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(|part| digits(part)) {
                return dashed.parse().ok();
            }
        }
        let plain = name.get(from..from.saturating_add(8)).filter(|text| digits(text) && alone(from, from + 8))?;
        format!("{}-{}-{}", plain.get(..4)?, plain.get(4..6)?, plain.get(6..)?).parse().ok()
    })
}

/// May it be looked at? Not what is hidden, and not what says that it is being written.
fn is_whole(name: &str) -> bool {
    !name.starts_with('.') && !UNFINISHED.iter().any(|end| name.to_ascii_lowercase().ends_with(end))
}

/// A file as it was seen.
type Seen = (u64, Option<SystemTime>);

/// The folder, with what was seen at the last look: a file is taken once it did not change between two of them.
#[derive(Debug)]
pub struct Inbox {
    dir: PathBuf,
    seen: HashMap<PathBuf, Seen>,
}

/// What a look did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Files that were taken, or were taken before.
    pub taken: u64,
    /// Files that were refused.
    pub refused: u64,
}

/// The way to the books.
pub struct Books<'b> {
    /// Reading.
    pub reports: &'b mut dyn Reports,
    /// Writing.
    pub slices: Slices<'b>,
    /// Now.
    pub at: Timestamp,
}

impl Inbox {
    /// Of this folder; nothing was seen yet.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, seen: HashMap::new() }
    }

    /// Takes what has not changed since the last look. A folder that cannot be used is said to the log.
    pub fn look(&mut self, partners: &Partners, books: &mut Books<'_>) -> Looked {
        let mut looked = Looked::default();
        let mut seen = HashMap::new();
        for profile in partners.iter() {
            for kind in StatementKind::ALL {
                let folder = self.dir.join(profile.code().as_str()).join(kind.word());
                if let Err(error) = self.look_into(&folder, (profile, kind), books, (&mut looked, &mut seen)) {
                    // The others are looked into all the same.
                    tracing::warn!(error = %error.kind(), folder = %folder.display(), "A folder of the inbox could not be used");
                }
            }
        }
        self.seen = seen;
        looked
    }

    fn look_into(
        &self,
        folder: &Path,
        (profile, kind): (&Profile, StatementKind),
        books: &mut Books<'_>,
        (looked, seen): (&mut Looked, &mut HashMap<PathBuf, Seen>),
    ) -> std::io::Result<()> {
        let own = folder.join(TAKING);
        for (path, now) in files(folder)? {
            if self.seen.get(&path) == Some(&now) {
                // Out of the sender's reach: what is read is what is taken.
                put_away(&path, TAKING)?;
            } else {
                seen.insert(path, now);
            }
        }
        for (path, now) in files(&own)? {
            match take(profile, kind, &path, books) {
                Fate::Taken => {
                    put_away_from(&path, folder, TAKEN)?;
                    looked.taken += 1;
                }
                Fate::Refused(why) => {
                    refuse((profile, folder), (&path, now), &why, books)?;
                    looked.refused += 1;
                }
                // It is tried again at the next look.
                Fate::Later => {}
            }
        }
        Ok(())
    }
}

fn files(folder: &Path) -> std::io::Result<Vec<(PathBuf, Seen)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries.take(FILES_MAX) {
        let entry = entry?;
        // Gone since the folder was read: its sender renamed it.
        let Ok(about) = std::fs::symlink_metadata(entry.path()) else { continue };
        if about.is_file() && is_whole(&entry.file_name().to_string_lossy()) {
            found.push((entry.path(), (about.len(), about.modified().ok())));
        }
    }
    // The same order on every machine.
    found.sort();
    Ok(found)
}

/// What becomes of a file.
enum Fate {
    Taken,
    Refused(String),
    Later,
}

fn take(profile: &Profile, kind: StatementKind, path: &Path, books: &mut Books<'_>) -> Fate {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Some(day) = day_in_name(&name) else {
        return Fate::Refused("the file's name has no day: expected YYYY-MM-DD or YYYYMMDD in it".to_owned());
    };
    let Some(layout) = profile.statement(kind) else {
        return Fate::Refused(format!("{} has no layout of a {} statement", profile.code(), kind.word()));
    };
    let Ok(author) = Author::parse(AUTHOR) else { return Fate::Later };
    let brought = Brought {
        layout,
        partner: profile.code(),
        account: profile.account(),
        day,
        name: &name,
        path,
        author: &author,
        at: books.at,
    };
    let taken = match import::take(&mut books.slices, &brought, &Limits::default(), &mut |_| {}) {
        Ok(taken) => taken,
        Err(ImportError::Read(ReadError::Refused(faults))) => {
            return Fate::Refused(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        }
        Err(error @ (ImportError::Superseded | ImportError::Sealed)) => return Fate::Refused(error.to_string()),
        Err(error @ (ImportError::Read(_) | ImportError::Changed | ImportError::Slice(_))) => {
            tracing::warn!(error = %error, file = name, "A file of the inbox waits for the next look");
            return Fate::Later;
        }
    };
    let file = match &taken {
        Taken::New { file, .. } | Taken::Before(file) => *file,
    };
    tracing::info!(partner = %profile.code(), day = %day, kind = kind.word(), file = name, "A statement came by the inbox");
    // A look that was cut off took it and did not compare it.
    match books.reports.reconciliation(kind, profile.code(), day) {
        Ok(Some(last)) if last.reconciliation.file == Some(file) => {}
        Ok(_) => compare(profile, (layout, day), &author, books),
        Err(error) => {
            tracing::warn!(error = %error, file = name, "A file of the inbox waits for the next look");
            return Fate::Later;
        }
    }
    Fate::Taken
}

fn compare(
    profile: &Profile,
    (layout, day): (&crate::partner::statement::Layout, Date),
    author: &Author,
    books: &mut Books<'_>,
) {
    let Some(subject) = Subject::of(layout, profile.code(), day) else { return };
    let ways = run::ways(&subject, layout, profile);
    let done = run::run(books.reports, &mut books.slices, (subject, &ways), (author, books.at), &mut |_| {});
    match done {
        Ok(done) => tracing::info!(partner = %profile.code(), day = %day, opened = done.opened, "Its day was compared"),
        // Not payment by payment: `reconcile --kind bank` does it.
        Err(RunError::BankLeg) => {}
        Err(error) => tracing::warn!(error = %error, partner = %profile.code(), day = %day, "Its day was not compared"),
    }
}

/// Moves a file into a folder beside it, under a name that is free there.
fn put_away(path: &Path, folder: &str) -> std::io::Result<PathBuf> {
    put_away_from(path, path.parent().unwrap_or(Path::new(".")), folder)
}

/// Moves a file into a folder of this one, under a name that is free there.
fn put_away_from(path: &Path, of: &Path, folder: &str) -> std::io::Result<PathBuf> {
    let into = of.join(folder);
    std::fs::create_dir_all(&into)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (0..NAMES_MAX).map(|n| if n == 0 { name.clone() } else { format!("{n}-{name}") });
    let to = free.map(|name| into.join(name)).find(|to| !to.exists());
    let to = to.ok_or_else(|| std::io::Error::from(ErrorKind::AlreadyExists))?;
    std::fs::rename(path, &to)?;
    Ok(to)
}

/// Away with it, with the reasons beside it and a break for people.
fn refuse(
    (profile, folder): (&Profile, &Path),
    (path, seen): (&Path, Seen),
    why: &str,
    books: &mut Books<'_>,
) -> std::io::Result<()> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Err(error) = open_break(profile, (&name, seen), why, books) {
        tracing::warn!(error = %error, file = name, "The break of a refused file could not be opened; it is tried again");
        return Ok(());
    }
    let mut beside = put_away_from(path, folder, REFUSED)?.into_os_string();
    beside.push(".why.txt");
    std::fs::write(beside, format!("{why}\n"))?;
    tracing::warn!(partner = %profile.code(), file = name, "A file of the inbox was refused");
    Ok(())
}

fn open_break(
    profile: &Profile,
    (name, seen): (&str, Seen),
    why: &str,
    books: &mut Books<'_>,
) -> Result<(), SliceError> {
    let mut hasher = Sha256::new();
    for part in ["bad-file", profile.code().as_str(), name, &format!("{seen:?}")] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let first = why.lines().next().unwrap_or_default();
    let new = NewBreak {
        class: BreakClass::BadFile,
        partner: Some(profile.code().clone()),
        event: None,
        invoice: None,
        dispatch: None,
        amount: Money::ZERO,
        detail: format!("{name}: {first}"),
        opened_at: books.at,
        mark: Some(hasher.finalize().into()),
        leg: None,
    };
    books.slices.one(move |tx| -> Result<(), StoreError> { tx.open_breaks(std::slice::from_ref(&new)).map(drop) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn the_day_is_the_first_one_in_the_name() {
        let day = Some(date(2026, 11, 20));
        for (name, found) in [
            ("2026-11-20.csv", day),
            ("WALLET_COLLECTION_20261120.csv", day),
            ("sao ke 2026-11-20 (2).xlsx", day),
            ("đối soát 20261120.xlsx", day),
            ("000120261120.csv", None),
            ("202611201.csv", None),
            ("2026-13-20.csv", None),
            ("day.csv", None),
            ("", None),
        ] {
            assert_eq!(day_in_name(name), found, "{name}");
        }
    }

    #[test]
    fn what_is_being_written_is_left_alone() {
        for (name, whole) in
            [("a.csv", true), (".a.csv", false), ("a.csv.part", false), ("a.CSV.FilePart", false), ("a.tmp", false)]
        {
            assert_eq!(is_whole(name), whole, "{name}");
        }
    }
}

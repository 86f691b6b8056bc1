//! Takes a statement: the whole file is read and checked first, so that nothing of a bad one is written; then its lines
//! are written in slices, and last it becomes its day's word. The same bytes are taken once; cut off, it goes on behind
//! the lines that are there.

use super::read::{self, Job, Limits, Place, ReadError};
use crate::domain::ids::{Author, EventKey, Movement, PartnerCode};
use crate::domain::notice::Effect;
use crate::domain::statement::{FileNo, StatementKind, StatementLine};
use crate::domain::time::Timestamp;
use crate::ledger::{SliceError, Slices};
use crate::partner::statement::Layout;
use crate::store::StoreError;
use crate::store::statements::{BegunStatement, FileState, NewLine, NewStatement, StatementSums};
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::sync_channel;

/// Bytes that are hashed at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Lines that were read and wait to be written.
const LINES_AHEAD: usize = 32_768;

/// A file that somebody brings.
#[derive(Clone, Debug)]
pub struct Brought<'b> {
    /// How it is laid out.
    pub layout: &'b Layout,
    /// Whose payments it is about.
    pub partner: &'b PartnerCode,
    /// Our account at the partner, which its events' keys are made with.
    pub account: &'b str,
    /// Of which day.
    pub day: Date,
    /// What it was called.
    pub name: &'b str,
    /// Where it lies.
    pub path: &'b Path,
    /// Who brings it.
    pub author: &'b Author,
    /// When.
    pub at: Timestamp,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is its day's word now.
    New {
        /// Its number.
        file: FileNo,
        /// What it adds up to.
        sums: StatementSums,
        /// The file whose place it took.
        supersedes: Option<FileNo>,
    },
    /// The same bytes were taken before: nothing changed.
    Before(FileNo),
}

/// Why a file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not what its layout says.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A corrected file took its place already.
    #[error("the same file was taken before, and a corrected one took its place: it is not taken again")]
    Superseded,
    /// The day is signed off.
    #[error(
        "the day is sealed, or lies before the first close: that must be opened again before another statement of it is taken"
    )]
    Sealed,
    /// It changed while it was read.
    #[error("the file changed while it was read")]
    Changed,
    /// The writer has no room, or the storage failed.
    #[error(transparent)]
    Slice(#[from] SliceError),
}

/// Where an import is, for whoever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Bytes checked, of how many.
    Checked(u64, u64),
    /// Lines written, of how many.
    Written(u64, u64),
}

/// The day was sealed while the file was written.
const SEALED: &str = "statements.take: the day was sealed meanwhile";

/// Takes it.
///
/// # Errors
/// [`ImportError`]: nothing of the file counts.
pub fn take(
    slices: &mut Slices<'_>,
    brought: &Brought<'_>,
    limits: &Limits,
    told: &mut dyn FnMut(Stage),
) -> Result<Taken, ImportError> {
    let (hash, bytes) = hash_of(brought.path)?;
    let new = NewStatement {
        kind: brought.layout.kind,
        partner: brought.partner.clone(),
        day: brought.day,
        name: brought.name.to_owned(),
        hash,
        bytes,
        author: brought.author.clone(),
        at: brought.at,
    };
    let job = Job { layout: brought.layout, day: brought.day, limits };
    let checked = read::read(
        job,
        brought.path,
        &mut |progress| told(Stage::Checked(progress.bytes, progress.of_bytes)),
        &mut |_line, _place| ControlFlow::Continue(()),
    )?;
    let begun: BegunStatement = slices.one(move |tx| tx.begin_statement(&new))?;
    // The core's list and the bank's credits may come long after.
    let guarded = (brought.layout.kind == StatementKind::Partner).then(|| (brought.partner.clone(), brought.day));
    match begun.state {
        FileState::Taken => return Ok(Taken::Before(begun.file)),
        FileState::Superseded => return Err(ImportError::Superseded),
        FileState::Reading => {}
    }
    if let Some((partner, day)) = guarded.clone()
        && slices.one(move |tx| tx.is_sealed(&partner, day))?
    {
        return Err(ImportError::Sealed);
    }
    write(slices, (brought, job), begun, &mut |written| told(Stage::Written(written, checked.lines)))?;
    if hash_of(brought.path)?.0 != hash {
        return Err(ImportError::Changed);
    }
    let sums = StatementSums {
        lines: u32::try_from(checked.lines).unwrap_or(u32::MAX),
        payments: checked.payments,
        reversals: checked.reversals,
        ignored: checked.ignored,
    };
    let file = begun.file;
    let supersedes = slices.one(move |tx| {
        // First, in the order of whoever signs.
        match &guarded {
            Some((partner, day)) if tx.is_sealed(partner, *day)? => Err(StoreError::Fault(SEALED.to_owned())),
            _ => tx.take_statement(file, &sums),
        }
    })?;
    Ok(Taken::New { file, sums, supersedes })
}

/// Reads again and writes what is not there yet: one thread reads, this one writes.
fn write(
    slices: &mut Slices<'_>,
    (brought, job): (&Brought<'_>, Job<'_>),
    begun: BegunStatement,
    written: &mut dyn FnMut(u64),
) -> Result<(), ImportError> {
    let (send, lines) = sync_channel::<NewLine>(LINES_AHEAD);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut place = 0_u32;
            read::read(job, brought.path, &mut |_| {}, &mut |line, span| {
                place = place.saturating_add(1);
                if place <= begun.lines {
                    return ControlFlow::Continue(());
                }
                // Whoever wrote has given up.
                match send.send(new_line(brought, place, line, span)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_gone) => ControlFlow::Break(()),
                }
            })
        });
        let file = begun.file;
        let done = slices.all(lines, move |tx, rows| tx.add_lines(file, rows).map(|()| 0), written);
        let read = reading.join();
        done?;
        // It read to its end a moment ago: what differs now is the file.
        match read {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(ReadError::Io(error))) => Err(ReadError::Io(error).into()),
            Ok(Err(_)) | Err(_) => Err(ImportError::Changed),
        }
    })
}

fn new_line(brought: &Brought<'_>, place: u32, line: StatementLine, span: Option<Place>) -> NewLine {
    // A line that moves nothing is about the payment that it names.
    let movement = match line.effect {
        Effect::Moves(movement) => movement,
        Effect::None(_) => Movement::Payment,
    };
    let key = line.event.as_ref().map(|event| EventKey::of(brought.partner, brought.account, event, movement));
    let span = span.map(|span| (span.offset, u32::try_from(span.length).unwrap_or(u32::MAX)));
    NewLine { place, span, key, line }
}

/// SHA-256 of a file, and its length.
fn hash_of(path: &Path) -> Result<([u8; 32], u64), ReadError> {
    let mut file = File::open(path).map_err(ReadError::Io)?;
    let (mut hasher, mut chunk, mut bytes) = (Sha256::new(), vec![0; CHUNK_BYTES], 0_u64);
    loop {
        let count = file.read(&mut chunk).map_err(ReadError::Io)?;
        if count == 0 {
            return Ok((hasher.finalize().into(), bytes));
        }
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        hasher.update(chunk.get(..count).unwrap_or_default());
    }
}

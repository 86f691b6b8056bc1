//! Reads bytes as a statement, twice, and holds what came of it to the laws of the reader.

use crate::domain::ids::Movement;
use crate::domain::notice::Effect;
use crate::domain::statement::{StatementLine, Sum};
use crate::partner::statement::Layout;
use crate::reconcile::read::{FAULTS_MAX, Job, Limits, Place, ReadError, Summary, read};
use crate::{planted, watch};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

/// Small, so that a small input is at them, and with the proportions of the real ones.
pub fn limits() -> Limits {
    Limits {
        csv_max_bytes: 1 << 20,
        xlsx_max_bytes: 4 << 20,
        unpacked_max_bytes: UNPACKED_MAX_BYTES,
        held_max_bytes: 2 << 20,
        parts_max: 20,
        rows_max: 2_000,
        columns_max: 64,
        cell_max_bytes: 1 << 10,
        row_max_bytes: 8 << 10,
        header_rows_max: 20,
        ..Limits::default()
    }
}

const UNPACKED_MAX_BYTES: u64 = 2 << 20;

/// What reading lines may hold, in bytes: chunks, one row and its fields, and the lines that we keep to compare.
pub const LINES_CAP_BYTES: usize = 2 << 20;

/// The same for a workbook, whose formats and texts are held, and of which one element may be as long as all of it: in the
/// buffer that grows to it, and as a text.
pub const BOOK_CAP_BYTES: usize = 12 << 20;

/// What a file came to.
#[derive(Debug, PartialEq)]
pub struct Told {
    /// Its lines.
    pub lines: Vec<(StatementLine, Option<Place>)>,
    /// Its summary, or why it was refused.
    pub end: Result<Summary, String>,
}

/// Reads content by a layout and checks what must always hold.
pub fn told(layout: &Layout, content: &[u8], cap_bytes: usize) -> Told {
    let limits = limits();
    let path = write(content);
    let first = watch::within(cap_bytes, || once(layout, &limits, path));
    let second = watch::within(cap_bytes, || once(layout, &limits, path));
    assert_eq!(first, second, "what is read twice is the same");
    if let Ok(summary) = &first.end {
        check_sums(&first.lines, summary);
        check_places(&first.lines, content.len());
    }
    first
}

fn once(layout: &Layout, limits: &Limits, path: &Path) -> Told {
    let day = jiff::civil::date(2026, 4, 1);
    let (mut lines, mut told) = (Vec::new(), 0);
    let mut progress = |progress: crate::reconcile::read::Progress| {
        assert!(progress.bytes >= told && progress.bytes <= progress.of_bytes, "progress only grows, to the size");
        told = progress.bytes;
    };
    let end = read(Job { layout, day, limits }, path, &mut progress, &mut |line, place| {
        planted::line(&line);
        lines.push((line, place));
        ControlFlow::Continue(())
    });
    let end = end.map_err(|error| match error {
        ReadError::Refused(faults) => {
            assert!((1..=FAULTS_MAX).contains(&faults.len()), "a refusal has its reasons: {}", faults.len());
            assert!(faults.iter().all(|f| !f.found.contains(char::is_control)), "nothing moves a cursor");
            ReadError::Refused(faults).to_string()
        }
        other => panic!("a file that can be read is read or refused: {other:?}"),
    });
    Told { lines, end }
}

/// The summary is the sum of the lines, and each line is of a row that was counted.
fn check_sums(lines: &[(StatementLine, Option<Place>)], summary: &Summary) {
    let (mut payments, mut reversals) = (Sum::default(), Sum::default());
    let (mut days, mut row) = (Vec::new(), 0);
    for (line, _) in lines {
        assert!(line.row >= row, "lines come in the file's order");
        row = line.row;
        assert!(line.amount.dong() >= 0 && line.discount.dong() <= line.amount.dong(), "money is in range: {line:?}");
        let sum = match line.effect {
            Effect::Moves(Movement::Payment) => &mut payments,
            Effect::Moves(Movement::Reversal) => &mut reversals,
            Effect::None(_) => continue,
        };
        assert!(line.amount.dong() > 0, "who moves money moves some");
        *sum = sum.plus(line.amount.dong()).expect("small files have small sums");
        days.push(line.day);
    }
    assert_eq!((summary.payments, summary.reversals), (payments, reversals), "the sums are those of the lines");
    assert_eq!(summary.lines, u64::try_from(lines.len()).unwrap_or(0));
    assert!(summary.lines <= 2 * summary.rows, "two lines a row at most");
    assert_eq!((summary.first_day, summary.last_day), (days.iter().min().copied(), days.iter().max().copied()));
}

/// The places of lines are in the file, and follow one another.
fn check_places(lines: &[(StatementLine, Option<Place>)], size: usize) {
    let mut last = Place { offset: 0, length: 0 };
    for place in lines.iter().filter_map(|(_, place)| *place) {
        assert!(place == last || place.offset >= last.offset + last.length, "rows do not overlap");
        assert!(place.offset + place.length <= u64::try_from(size).unwrap_or(0), "a row is in the file");
        last = place;
    }
}

/// A file without a name with this content; gone with the process.
fn write(content: &[u8]) -> &'static Path {
    static KEPT: OnceLock<(Mutex<File>, PathBuf)> = OnceLock::new();
    let (file, path) = KEPT.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let named = dir.join(format!("thuho-fuzz-{}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&named).expect("a file of our own");
        std::fs::remove_file(&named).expect("it is ours");
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        (Mutex::new(file), path)
    });
    let mut file = file.lock().expect("nobody panics with it");
    file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).expect("the file can be emptied");
    file.write_all(content).expect("and written");
    path
}

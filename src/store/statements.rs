//! What others said of a day and what came of comparing it: rows of both databases, as the reconciliation hands them
//! over. A statement's lines are written a slice at a time; nothing of a file counts before [`super::Tx::take_statement`].

use super::StoreError;
use super::desk::StoredLine;
use crate::domain::ids::{Author, EventKey, EventNo, Movement, PartnerCode};
use crate::domain::review::BreakClass;
use crate::domain::statement::{FileNo, LineNo, ReconciliationNo, StatementKind, StatementLine, Sum};
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// How far a file got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileState {
    /// Its lines are being written: it says nothing yet.
    Reading,
    /// It is what the day's statement says.
    Taken,
    /// A corrected file took its place.
    Superseded,
}

impl FileState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Reading, Self::Taken, Self::Superseded];

    /// The word in the database and the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Taken => "taken",
            Self::Superseded => "superseded",
        }
    }

    /// From its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A file that is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStatement {
    /// Whose word it is.
    pub kind: StatementKind,
    /// About which partner.
    pub partner: PartnerCode,
    /// Of which day.
    pub day: Date,
    /// What the file was called.
    pub name: String,
    /// SHA-256 of its bytes: the same bytes are the same file.
    pub hash: [u8; 32],
    /// How many bytes.
    pub bytes: u64,
    /// Who brought it.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

/// Where a file stands once it was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BegunStatement {
    /// Its number.
    pub file: FileNo,
    /// How far it got before.
    pub state: FileState,
    /// How many of its lines are there already: a crash goes on behind them.
    pub lines: u32,
}

/// What a file adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementSums {
    /// Lines of any effect.
    pub lines: u32,
    /// Payments.
    pub payments: Sum,
    /// Reversals.
    pub reversals: Sum,
    /// Lines that move nothing: pending, failed.
    pub ignored: Sum,
}

/// A file as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementFile {
    /// Its number.
    pub no: FileNo,
    /// What was brought.
    pub statement: NewStatement,
    /// How far it got.
    pub state: FileState,
    /// What it adds up to; nothing before it was taken.
    pub sums: StatementSums,
    /// The file whose place it took.
    pub supersedes: Option<FileNo>,
}

/// One line to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// Its place in the file, from 1.
    pub place: u32,
    /// Where its bytes lie in a text file: offset and length.
    pub span: Option<(u64, u32)>,
    /// The event that it names, as a notice of it would be keyed.
    pub key: Option<EventKey>,
    /// What it says.
    pub line: StatementLine,
}

/// Texts by which a payment may be found, hashed to be compared; zero where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReferenceHashes {
    /// Of the invoice.
    pub invoice: u64,
    /// Of our order reference.
    pub order: u64,
    /// Of the customer.
    pub customer: u64,
}

/// Is the money of an event in the books, and does the core know of it?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Not in the books: a reversal that was refused or still waits, a payment that has not come or that people took back.
    Nowhere,
    /// In the books, and the core has no message about it: in suspense, or it was there until it was taken back.
    Kept,
    /// The core has a message about it.
    Told,
}

/// One of our events, with what a comparison needs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayEvent {
    /// Its number.
    pub no: EventNo,
    /// Its key.
    pub key: EventKey,
    /// Payment or reversal.
    pub movement: Movement,
    /// Is its money in the books, and where?
    pub held: Held,
    /// Of a reversal, the payment that it takes back, where it says so.
    pub reverses: Option<EventKey>,
    /// What a bill is reduced by, in dong.
    pub amount: i64,
    /// The sponsor's part of it, in dong.
    pub discount: i64,
    /// What the partner charges, in dong.
    pub fee: i64,
    /// Its references.
    pub references: ReferenceHashes,
    /// When the customer paid.
    pub paid_at: Timestamp,
    /// The partner's business day.
    pub day: Date,
}

/// One line of a taken statement, with what a comparison needs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayLine {
    /// Its place.
    pub no: LineNo,
    /// Its row in the file.
    pub row: u32,
    /// The event that it names.
    pub key: Option<EventKey>,
    /// What moves; `None` for one that is pending or failed.
    pub movement: Option<Movement>,
    /// In dong, never negative.
    pub amount: i64,
    /// In dong.
    pub discount: i64,
    /// In dong.
    pub fee: i64,
    /// Its references.
    pub references: ReferenceHashes,
    /// When the customer paid.
    pub paid_at: Timestamp,
    /// The partner's business day.
    pub day: Date,
}

/// Our events of one partner and day, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayEvents<'a> {
    /// Whose.
    pub partner: &'a PartnerCode,
    /// Of which business day.
    pub day: Date,
    /// After this number.
    pub after: EventNo,
    /// At most.
    pub limit: u32,
}

/// A match to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMatch {
    /// The line.
    pub line: LineNo,
    /// The event.
    pub event: EventNo,
    /// The rule that found it.
    pub rule: i64,
}

/// A comparison to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReconciliation {
    /// Which leg.
    pub kind: StatementKind,
    /// Which partner.
    pub partner: PartnerCode,
    /// Which day.
    pub day: Date,
    /// The file that was compared; none where the statement is missing.
    pub file: Option<FileNo>,
    /// The version of the rules.
    pub rules: i64,
    /// What it came to, as JSON: sums by place, for the page and the export.
    pub sums: String,
    /// Who asked for it.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

/// A comparison as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReconciliationView {
    /// Its number.
    pub no: ReconciliationNo,
    /// What was kept.
    pub reconciliation: NewReconciliation,
}

/// Events that lost their match when a file was superseded, and lie outside a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freed {
    /// The superseded file.
    pub file: FileNo,
    /// The day begins here,
    pub start: Timestamp,
    /// and ends before here.
    pub end: Timestamp,
}

/// Open breaks of a partner's comparisons, in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegBreaks<'a> {
    /// On which leg.
    pub kind: StatementKind,
    /// Whose.
    pub partner: &'a PartnerCode,
    /// Of days up to this one.
    pub until: Date,
    /// After this number.
    pub after: i64,
    /// At most.
    pub limit: u32,
}

/// Why a break is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing<'a> {
    /// By whom, or by which rule.
    pub author: &'a Author,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// An open break of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LegBreak {
    /// Its number.
    pub no: i64,
    /// Its class.
    pub class: BreakClass,
    /// What makes it the same as another one.
    pub mark: [u8; 32],
    /// The event it is about.
    pub event: Option<EventKey>,
    /// The line it is about.
    pub line: Option<LineNo>,
    /// The day of the comparison that opened it.
    pub day: Date,
    /// May the next day bring its other side?
    pub carried: bool,
    /// What our books said of it, in dong; none where they said nothing.
    pub ours: Option<i64>,
    /// What the statement said of it.
    pub theirs: Option<i64>,
}

/// Which of these events are judged already, beside a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedEvents<'a> {
    /// On which leg.
    pub kind: StatementKind,
    /// The day that is compared: of open breaks those of later days.
    pub day: Date,
    /// The events.
    pub events: &'a [EventKey],
}

/// A break that says of an event what there is to say: a later day's that is open, or what two people have settled, on
/// whichever day, while our books had the event, as long as its line is still in its day's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The event.
    pub event: EventKey,
    /// The line that it is about, if it is about one.
    pub line: Option<LineNo>,
    /// What our books said, in dong; none where they said nothing.
    pub ours: Option<i64>,
    /// What the statement said.
    pub theirs: Option<i64>,
}

/// What an open break is about by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// Its number.
    pub no: i64,
    /// Their line, if they have one.
    pub line: Option<LineNo>,
    /// In one sentence.
    pub detail: String,
}

/// Which files, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// Only of this kind.
    pub kind: Option<StatementKind>,
    /// Only about this partner.
    pub partner: Option<PartnerCode>,
    /// Only of this day.
    pub day: Option<Date>,
    /// Only in this state.
    pub state: Option<FileState>,
    /// Only older ones than this.
    pub before: Option<FileNo>,
    /// At most.
    pub limit: u32,
}

/// The questions about files, part of [`super::reports::Reports`].
pub trait StatementReports {
    /// One file.
    ///
    /// # Errors
    /// The machine's.
    fn statement_file(&mut self, no: FileNo) -> Result<Option<StatementFile>, StoreError>;

    /// The files of a filter.
    ///
    /// # Errors
    /// The machine's.
    fn statement_files(&mut self, filter: &FileFilter) -> Result<Vec<StatementFile>, StoreError>;

    /// A page of a file's lines behind this place, whatever became of the file.
    ///
    /// # Errors
    /// The machine's.
    fn file_lines(&mut self, file: FileNo, after: u32, limit: u32) -> Result<Vec<StoredLine>, StoreError>;
}

/// Hashes a reference for a comparison; zero is none.
#[must_use]
pub fn reference_hash(text: Option<&str>) -> u64 {
    use sha2::{Digest, Sha256};
    text.map_or(0, |text| {
        let digest = Sha256::digest(text.as_bytes());
        digest.first_chunk().map_or(1, |first| u64::from_be_bytes(*first).max(1))
    })
}

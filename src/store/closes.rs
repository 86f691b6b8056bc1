//! Days and months that are signed off, as the reconciliation hands them over. The database holds the rules itself: who
//! drew a close up does not sign it, nobody signs beyond their authority, and sealed figures never move.

use super::StoreError;
use super::cells::Cells;
use super::statements::{DayEvent, Held};
use crate::domain::close::{CloseState, Period};
use crate::domain::ids::{Author, Movement, PartnerCode};
use crate::domain::statement::{FileNo, ReconciliationNo};
use crate::domain::time::Timestamp;
use jiff::civil::Date;

/// The one number behind [`MARK_PRIME`] and the questions.
macro_rules! mark_prime {
    () => {
        1000003
    };
}
pub(super) use mark_prime;

/// Count, dong and mark of the events `e`.
macro_rules! total_columns {
    ($cast:literal) => {
        concat!(
            "count(*), coalesce(sum(CASE e.movement WHEN 'reversal' THEN -e.amount ELSE e.amount END), 0)",
            $cast,
            ", coalesce(sum(e.no % ",
            crate::store::closes::mark_prime!(),
            "), 0)",
            $cast
        )
    };
}
pub(super) use total_columns;

/// Events of a business day that a close takes into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayTotal {
    /// Which day.
    pub day: Date,
    /// How many.
    pub count: i64,
    /// How much, in dong, a reversal negative.
    pub dong: i64,
    /// Which: see [`WindowTotal::mark`].
    pub mark: i64,
}

impl DayTotal {
    /// A day on which nothing happened.
    #[must_use]
    pub fn nothing(day: Date) -> Self {
        Self { day, count: 0, dong: 0, mark: 0 }
    }

    /// Did anything happen?
    #[must_use]
    pub fn is_something(&self) -> bool {
        *self != Self::nothing(self.day)
    }
}

/// A partner's own day, and what its business day has from before it began: that is of the day before, and may have come
/// when that one was closed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<'a> {
    /// Whose.
    pub partner: &'a PartnerCode,
    /// Which day.
    pub day: Date,
    /// The first and the last business day that it touches.
    pub days: (Date, Date),
    /// It begins here,
    pub start: Timestamp,
    /// and ends before here.
    pub end: Timestamp,
}

/// What is in the books of a partner's own day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowTotal {
    /// How many events.
    pub count: i64,
    /// How much, in dong, a reversal negative.
    pub dong: i64,
    /// Which: their numbers modulo [`MARK_PRIME`], added up, so that one that goes and one of the same sum that comes are seen.
    pub mark: i64,
}

impl Window<'_> {
    /// Is a payment of this moment and business day, one of [`Window::days`], in it?
    #[must_use]
    pub fn holds(&self, paid_at: Timestamp, business_day: Date) -> bool {
        paid_at < self.end && (paid_at >= self.start || business_day >= self.day)
    }
}

/// Spreads numbers that lie side by side.
pub const MARK_PRIME: i64 = mark_prime!();

impl WindowTotal {
    /// An event more, if its money is in the books.
    pub fn add(&mut self, event: &DayEvent) {
        if event.held == Held::Nowhere {
            return;
        }
        self.count = self.count.saturating_add(1);
        self.dong = self.dong.saturating_add(match event.movement {
            Movement::Payment => event.amount,
            Movement::Reversal => -event.amount,
        });
        self.mark = self.mark.saturating_add(event.no.0 % MARK_PRIME);
    }
}

/// A close that is drawn up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewClose {
    /// Of what.
    pub period: Period,
    /// Whose.
    pub partner: PartnerCode,
    /// The statement that was compared.
    pub file: Option<FileNo>,
    /// The comparison.
    pub reconciliation: Option<ReconciliationNo>,
    /// All that is signed, as a text.
    pub figures: String,
    /// The hash of the partner's close before.
    pub previous: Option<[u8; 32]>,
    /// Of both.
    pub hash: [u8; 32],
    /// What differs and goes on open, in dong.
    pub open_dong: i64,
    /// Which days' events it takes into account.
    pub accounted: Vec<DayTotal>,
    /// Who.
    pub author: Author,
    /// When.
    pub at: Timestamp,
}

/// A close as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseView {
    /// Its number.
    pub no: i64,
    /// Of what.
    pub period: Period,
    /// Whose.
    pub partner: PartnerCode,
    /// All that is signed.
    pub figures: String,
    /// The hash of the partner's close before.
    pub previous: Option<[u8; 32]>,
    /// What is signed.
    pub hash: [u8; 32],
    /// What differs and goes on open, in dong.
    pub open_dong: i64,
    /// How far it got.
    pub state: CloseState,
    /// Who drew it up, and when.
    pub drafted: (Author, Timestamp),
    /// Who signed it, and when.
    pub signed: Option<(Author, Timestamp)>,
    /// Who opened it again, or took its place, when and why.
    pub ended: Option<(Author, Timestamp, String)>,
}

/// A close in a list, without its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseLine {
    /// Its number.
    pub no: i64,
    /// Of what.
    pub period: Period,
    /// What is signed.
    pub hash: [u8; 32],
    /// What differs and goes on open, in dong.
    pub open_dong: i64,
    /// How far it got.
    pub state: CloseState,
    /// Who drew it up, and when.
    pub drafted: (Author, Timestamp),
    /// Who signed it, and when.
    pub signed: Option<(Author, Timestamp)>,
    /// Who opened it again, or took its place, when and why.
    pub ended: Option<(Author, Timestamp, String)>,
}

/// What became of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It is sealed.
    Done,
    /// There is no draft.
    NotFound,
    /// It is another draft.
    Other,
    /// Who drew it up does not sign it.
    NotYours,
    /// What goes on open is beyond what this person may sign.
    BeyondAuthority,
    /// The day was compared again, another statement was taken, or a break is open that nobody carries.
    Stale,
}

/// What became of reopening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reopened {
    /// It is open again.
    Done,
    /// It is not sealed.
    NotFound,
    /// A later one of the partner, or the month, is sealed: that one first.
    NotLast,
    /// This person may not.
    BeyondAuthority,
}

/// The verbs of a transaction.
pub trait CloseTx {
    /// Keeps a draft in place of the one that is there. `false`: it is sealed.
    ///
    /// # Errors
    /// The machine's.
    fn draft_close(&mut self, new: &NewClose) -> Result<bool, StoreError>;

    /// Signs the draft.
    ///
    /// # Errors
    /// The machine's.
    fn sign_close(
        &mut self,
        of: (&PartnerCode, Period),
        hash: &[u8; 32],
        by: (&Author, Timestamp),
    ) -> Result<Signed, StoreError>;

    /// Opens what is sealed.
    ///
    /// # Errors
    /// The machine's.
    fn reopen(
        &mut self,
        of: (&PartnerCode, Period),
        reason: &str,
        by: (&Author, Timestamp),
    ) -> Result<Reopened, StoreError>;

    /// All that a comparison found is written.
    ///
    /// # Errors
    /// The machine's.
    fn complete(&mut self, reconciliation: ReconciliationNo) -> Result<(), StoreError>;

    /// Is this day of the partner sealed, or does it lie before the first close, which took it in? Asked behind whatever it
    /// must not be for.
    ///
    /// # Errors
    /// The machine's.
    fn is_sealed(&mut self, partner: &PartnerCode, day: Date) -> Result<bool, StoreError>;
}

/// The questions.
pub trait CloseReports {
    /// The draft or the sealed close of a period.
    ///
    /// # Errors
    /// The machine's.
    fn close(&mut self, partner: &PartnerCode, period: Period) -> Result<Option<CloseView>, StoreError>;

    /// Is all that a comparison found written?
    ///
    /// # Errors
    /// The machine's.
    fn is_complete(&mut self, reconciliation: ReconciliationNo) -> Result<bool, StoreError>;

    /// The partner's last sealed day.
    ///
    /// # Errors
    /// The machine's.
    fn last_sealed(&mut self, partner: &PartnerCode) -> Result<Option<CloseView>, StoreError>;

    /// The partner's first sealed day.
    ///
    /// # Errors
    /// The machine's.
    fn first_sealed(&mut self, partner: &PartnerCode) -> Result<Option<Date>, StoreError>;

    /// The last sealed day whose close took payments of these days into account.
    ///
    /// # Errors
    /// The machine's.
    fn last_to_account(&mut self, partner: &PartnerCode, days: (Date, Date)) -> Result<Option<Date>, StoreError>;

    /// Closes in the order of their numbers, after this one, whatever became of them.
    ///
    /// # Errors
    /// The machine's.
    fn closes(&mut self, after: i64, limit: u32) -> Result<Vec<CloseView>, StoreError>;

    /// A partner's closes of periods that begin on one of these days, whatever became of them, in the order of their numbers.
    ///
    /// # Errors
    /// The machine's.
    fn closes_of(&mut self, partner: &PartnerCode, days: (Date, Date)) -> Result<Vec<CloseLine>, StoreError>;

    /// What the partner's sealed closes have taken into account of days from here to there.
    ///
    /// # Errors
    /// The machine's.
    fn accounted(&mut self, partner: &PartnerCode, days: (Date, Date)) -> Result<Vec<DayTotal>, StoreError>;

    /// What the books have of these business days.
    ///
    /// # Errors
    /// The machine's.
    fn day_totals(&mut self, partner: &PartnerCode, days: (Date, Date)) -> Result<Vec<DayTotal>, StoreError>;

    /// What the books have of a partner's own day.
    ///
    /// # Errors
    /// The machine's.
    fn window_total(&mut self, window: &Window<'_>) -> Result<WindowTotal, StoreError>;
}

/// The columns of a close, in the order that [`close_view`] reads them.
macro_rules! close_columns {
    () => {
        "c.no, c.period, c.partner, c.first_day, c.figures, c.previous, c.hash, c.open_dong, c.state, c.drafted_by, \
         c.drafted_at, c.signed_by, c.signed_at, c.ended_by, c.ended_at, c.end_reason"
    };
}
pub(super) use close_columns;

/// A close as people see it.
pub(super) fn close_view(cells: &mut impl Cells) -> Result<CloseView, StoreError> {
    let no = cells.whole()?;
    let (month, partner, first) = (cells.word(|word| Some(word == "month"))?, cells.partner()?, cells.day()?);
    let figures = cells.text()?;
    let previous = cells.bytes_some()?.and_then(|bytes| bytes.try_into().ok());
    let (hash, open_dong, state) = (cells.hash()?, cells.whole()?, cells.word(CloseState::parse)?);
    let Hands { drafted, signed, ended } = hands(cells)?;
    Ok(CloseView {
        no,
        period: if month { Period::Month(first) } else { Period::Day(first) },
        partner,
        figures,
        previous,
        hash,
        open_dong,
        state,
        drafted,
        signed,
        ended,
    })
}

/// The columns of a close in a list, in the order that [`close_line`] reads them.
macro_rules! close_line_columns {
    () => {
        "c.no, c.period, c.first_day, c.hash, c.open_dong, c.state, c.drafted_by, c.drafted_at, c.signed_by, c.signed_at, \
         c.ended_by, c.ended_at, c.end_reason"
    };
}
pub(super) use close_line_columns;

/// A close in a list.
pub(super) fn close_line(cells: &mut impl Cells) -> Result<CloseLine, StoreError> {
    let (no, month, first) = (cells.whole()?, cells.word(|word| Some(word == "month"))?, cells.day()?);
    let (hash, open_dong, state) = (cells.hash()?, cells.whole()?, cells.word(CloseState::parse)?);
    let Hands { drafted, signed, ended } = hands(cells)?;
    let period = if month { Period::Month(first) } else { Period::Day(first) };
    Ok(CloseLine { no, period, hash, open_dong, state, drafted, signed, ended })
}

/// Who had a close in hand.
struct Hands {
    drafted: (Author, Timestamp),
    signed: Option<(Author, Timestamp)>,
    ended: Option<(Author, Timestamp, String)>,
}

fn hands(cells: &mut impl Cells) -> Result<Hands, StoreError> {
    let author = |text: &str| Author::parse(text).ok();
    let drafted = (cells.word(author)?, cells.at()?);
    let signed = (cells.word_some(author)?, cells.at_some()?);
    let ended = (cells.word_some(author)?, cells.at_some()?, cells.text_some()?);
    let ended = ended.0.zip(ended.1).zip(ended.2).map(|((by, at), why)| (by, at, why));
    Ok(Hands { drafted, signed: signed.0.zip(signed.1), ended })
}

/// A day's total.
pub(super) fn day_total(cells: &mut impl Cells) -> Result<DayTotal, StoreError> {
    Ok(DayTotal { day: cells.day()?, count: cells.whole()?, dong: cells.whole()?, mark: cells.whole()? })
}

/// A partner's own day's total.
pub(super) fn window_total(cells: &mut impl Cells) -> Result<WindowTotal, StoreError> {
    Ok(WindowTotal { count: cells.whole()?, dong: cells.whole()?, mark: cells.whole()? })
}

/// What a signature comes to, before the database's own rules. `may` is the authority, `one` whether who drew it up and who
/// signs may be two names of one person, `stale` whether what was drawn up is still so.
pub(super) fn judged(
    draft: Option<&CloseView>,
    hash: &[u8; 32],
    by: &Author,
    (may, one, stale): (Option<i64>, bool, bool),
) -> Signed {
    match draft {
        None => Signed::NotFound,
        Some(draft) if draft.state != CloseState::Draft => Signed::NotFound,
        Some(draft) if draft.hash != *hash => Signed::Other,
        Some(draft) if one || draft.drafted.0 == *by => Signed::NotYours,
        Some(draft) if may.is_none_or(|may| may < draft.open_dong) => Signed::BeyondAuthority,
        Some(_) if stale => Signed::Stale,
        Some(_) => Signed::Done,
    }
}

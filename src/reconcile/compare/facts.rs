//! What is compared: small, flat, no texts. Whoever reads the books and the statement makes these.

use super::index;
use super::tally::Tally;
use crate::domain::ids::{EventKey, EventNo, Movement};
use crate::domain::money::AMOUNT_MAX_DONG;
use crate::domain::statement::LineNo;

/// Since when an event is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is of the day that is compared.
    Today,
    /// It was left over on an earlier day and waits for its other side.
    Carried,
    /// It was matched on an earlier day: here only so that what repeats it is known. Not counted, never matched.
    Done,
}

/// What a line says of the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// A customer paid.
    Payment,
    /// A payment was taken back.
    Reversal,
    /// Nothing moved: pending or failed.
    Nothing,
}

impl Says {
    /// As the books call it.
    #[must_use]
    pub fn movement(self) -> Option<Movement> {
        match self {
            Self::Payment => Some(Movement::Payment),
            Self::Reversal => Some(Movement::Reversal),
            Self::Nothing => None,
        }
    }
}

/// One event of our books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ours {
    /// Its row. No two events of a comparison have the same.
    pub no: EventNo,
    /// Its identity, the movement included.
    pub key: EventKey,
    /// Payment or reversal.
    pub movement: Movement,
    /// Is it for the other side to have? On the partner's leg what is in the books: settled, parked or reversed since,
    /// or a reversal that was applied; not a payment that is only expected, nor a reversal that waits or was refused. On
    /// the core's leg only that of it which the core was told.
    pub booked: bool,
    /// What a bill is reduced by, in dong; never negative, for a reversal neither.
    pub amount: i64,
    /// The sponsor's part of it.
    pub discount: i64,
    /// What the partner should charge for it, by the schedule or by its notice.
    pub fee: i64,
    /// Hash of the reference that both sides state; 0 for none.
    pub reference: u64,
    /// Hash of the customer or the order behind it, wider than the reference; 0 for none.
    pub customer: u64,
    /// Of a reversal, the [`payment_mark`] of the payment that it takes back; 0 for none.
    pub takes_back: u64,
    /// When the customer paid, in seconds since 1970: the day's ends are not meant more exactly.
    pub paid_at_s: u32,
    /// Since when it is there.
    pub standing: Standing,
}

/// One line of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theirs {
    /// Its number. No two lines of a comparison have the same.
    pub line: LineNo,
    /// The key of the event that it names; of its payment, where nothing moved. `None`: it names none.
    pub key: Option<EventKey>,
    /// What it says of the money.
    pub says: Says,
    /// In dong; never negative, for a reversal neither.
    pub amount: i64,
    /// The sponsor's part of it; 0 where the statement does not say.
    pub discount: i64,
    /// What the partner charges for it; 0 where the statement does not say.
    pub fee: i64,
    /// Hash of the reference that both sides state; 0 for none.
    pub reference: u64,
    /// Hash of the customer or the order behind it; 0 for none.
    pub customer: u64,
    /// When the customer paid, in seconds since 1970: the day's ends are not meant more exactly.
    pub paid_at_s: u32,
    /// It was left over on an earlier day and waits for its other side.
    pub carried: bool,
}

/// The first bits of a payment's key, by which a reversal finds it.
#[must_use]
pub fn payment_mark(key: &EventKey) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *key.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl Ours {
    /// The payment +, the reversal -, what is not in the books 0.
    #[must_use]
    pub fn signed(&self) -> i64 {
        match (self.booked, self.movement) {
            (true, Movement::Payment) => self.amount,
            (true, Movement::Reversal) => -self.amount,
            (false, _) => 0,
        }
    }
}

impl Theirs {
    /// The payment +, the reversal -, otherwise 0.
    #[must_use]
    pub fn signed(&self) -> i64 {
        match self.says {
            Says::Payment => self.amount,
            Says::Reversal => -self.amount,
            Says::Nothing => 0,
        }
    }

    /// Does it say that money moved?
    #[must_use]
    pub fn moves(&self) -> bool {
        self.says != Says::Nothing
    }
}

/// Whose word our books are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// The partner's statement.
    Partner,
    /// The billing core's clearing list.
    Core,
}

/// What the rules need to know of the day and of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whose word it is.
    pub leg: Leg,
    /// The partner's day: from here,
    pub day_start_s: i64,
    /// to before here.
    pub day_end_s: i64,
    /// How near to either end a difference is taken for one of timing.
    pub cutoff_window_s: i64,
    /// Do both sides state the same reference text? Then the same key with another reference is a difference.
    pub references: bool,
    /// Does the statement say discounts?
    pub discounts: bool,
    /// Does the statement say fees?
    pub fees: bool,
}

impl Rules {
    /// Is this instant near one of the day's ends?
    #[must_use]
    pub fn near_cutoff(&self, at_s: u32) -> bool {
        let within = |edge: i64| i64::from(at_s).abs_diff(edge) <= self.cutoff_window_s.unsigned_abs();
        within(self.day_start_s) || within(self.day_end_s)
    }
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// Outside 0 to [`AMOUNT_MAX_DONG`].
    #[error("the money of event {} is out of range", .0.0)]
    Event(EventNo),
    /// Outside 0 to [`AMOUNT_MAX_DONG`].
    #[error("the money of line {} is out of range", .0.0)]
    Line(LineNo),
    /// More facts on one side, or a greater sum, than can be counted.
    #[error("the day is out of range")]
    Day,
}

/// Both sides and the rules, once their money was found in range: two of the amounts can be added without a check.
pub(super) struct Facts<'a> {
    pub rules: &'a Rules,
    pub ours: &'a [Ours],
    pub theirs: &'a [Theirs],
    /// What both sides come to.
    pub totals: Tally,
}

impl<'a> Facts<'a> {
    /// Checks and adds up.
    pub fn new(rules: &'a Rules, ours: &'a [Ours], theirs: &'a [Theirs]) -> Result<Self, NotComparable> {
        if u32::try_from(ours.len()).is_err() || u32::try_from(theirs.len()).is_err() {
            return Err(NotComparable::Day);
        }
        let (ours_total, theirs_total) =
            index::on_two_threads(ours.len().max(theirs.len()), || total_of_ours(ours), || total_of_theirs(theirs));
        let mut totals = ours_total?;
        totals.add(&theirs_total?);
        Ok(Self { rules, ours, theirs, totals })
    }

    /// The event at this place.
    pub fn event(&self, at: usize) -> Option<&'a Ours> {
        self.ours.get(at)
    }

    /// The line at this place.
    pub fn line(&self, at: usize) -> Option<&'a Theirs> {
        self.theirs.get(at)
    }

    /// The events at these places.
    pub fn events<'b>(&'b self, places: &'b [usize]) -> impl Iterator<Item = &'a Ours> + use<'a, 'b> {
        places.iter().filter_map(|at| self.event(*at))
    }

    /// The lines at these places.
    pub fn lines<'b>(&'b self, places: &'b [usize]) -> impl Iterator<Item = &'a Theirs> + use<'a, 'b> {
        places.iter().filter_map(|at| self.line(*at))
    }
}

fn fits(money: [i64; 3]) -> bool {
    money.iter().all(|dong| (0..=AMOUNT_MAX_DONG).contains(dong))
}

fn total_of_ours(ours: &[Ours]) -> Result<Tally, NotComparable> {
    let mut tally = Tally::default();
    for event in ours {
        if !fits([event.amount, event.discount, event.fee]) {
            return Err(NotComparable::Event(event.no));
        }
        tally.event(event);
    }
    Ok(tally)
}

fn total_of_theirs(theirs: &[Theirs]) -> Result<Tally, NotComparable> {
    let mut tally = Tally::default();
    for line in theirs {
        if !fits([line.amount, line.discount, line.fee]) {
            return Err(NotComparable::Line(line.line));
        }
        tally.line(line);
    }
    Ok(tally)
}

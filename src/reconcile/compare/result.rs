//! What comes out of a comparison.

use super::sums::Sums;
use crate::domain::ids::EventNo;
use crate::domain::review::BreakClass;
use crate::domain::statement::LineNo;

/// By what a line and an event were matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The partner's event key.
    EventKey,
    /// Our reference with the exact amount, once on both sides; the line names no event.
    Reference,
}

impl Rule {
    /// Its number in the database.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::EventKey => 1,
            Self::Reference => 2,
        }
    }
}

/// A line and an event that say the same. Neither is in another match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// Their side.
    pub line: LineNo,
    /// Our side.
    pub event: EventNo,
    /// Why.
    pub rule: Rule,
    /// The line waited since an earlier day: its difference closes.
    pub line_carried: bool,
    /// The event waited since an earlier day: its difference closes.
    pub event_carried: bool,
}

/// What exactly differs, within a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Note {
    /// Only they have it.
    OnlyTheirs,
    /// Only we have it.
    OnlyOurs,
    /// The amounts differ, by nothing that is known.
    Amount,
    /// One amount is before the fee, the other one after it.
    AmountByFee,
    /// One amount is before the discount, the other one after it.
    AmountByDiscount,
    /// The amounts agree, the fees do not.
    Fee,
    /// The amounts agree, the discounts do not.
    Discount,
    /// They say that nothing moved; it is in our books.
    NotMovedThere,
    /// They say that it moved; our books have refused it or still wait for its payment, or we never told the core.
    NotBookedHere,
    /// One says payment, the other one reversal.
    OtherMovement,
    /// The same event with another reference.
    Reference,
    /// The same reference and amount with another event.
    EventId,
    /// Two events with their references exchanged.
    Exchanged,
    /// The statement has the event more than once.
    Twice,
    /// Lines that name no event, alike, and one event of ours.
    TwiceUnnamed,
    /// The event was matched on an earlier day already.
    TwiceOverDays,
    /// Several lines of theirs are one event of ours.
    Several,
    /// A payment or its reversal, both on one side only: together nothing is left of them.
    NettedOut,
}

impl Note {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OnlyTheirs => "only-theirs",
            Self::OnlyOurs => "only-ours",
            Self::Amount => "amount",
            Self::AmountByFee => "amount-by-fee",
            Self::AmountByDiscount => "amount-by-discount",
            Self::Fee => "fee",
            Self::Discount => "discount",
            Self::NotMovedThere => "not-moved-there",
            Self::NotBookedHere => "not-booked-here",
            Self::OtherMovement => "other-movement",
            Self::Reference => "reference",
            Self::EventId => "event-id",
            Self::Exchanged => "exchanged",
            Self::Twice => "twice",
            Self::TwiceUnnamed => "twice-unnamed",
            Self::TwiceOverDays => "twice-over-days",
            Self::Several => "several",
            Self::NettedOut => "netted-out",
        }
    }
}

/// Sums of one side of a difference, a reversal negative, in dong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amounts {
    /// What bills are reduced by.
    pub amount: i64,
    /// The sponsor's part.
    pub discount: i64,
    /// The partner's fee.
    pub fee: i64,
}

/// The parts of a difference beyond the first of each side.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct More {
    /// Of theirs.
    pub lines: Vec<LineNo>,
    /// Of ours.
    pub events: Vec<EventNo>,
}

/// One difference. Its facts are in no match and in no other difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Difference {
    /// The class of the break that it is.
    pub class: BreakClass,
    /// What exactly differs.
    pub note: Note,
    /// Their side's first line, if they have any.
    pub line: Option<LineNo>,
    /// Our side's first event, if we have any.
    pub event: Option<EventNo>,
    /// Further ones: of what was split, merged, exchanged or listed twice without a name. A difference
    /// that only one side has is one fact, so that each can wait by itself.
    pub more: Option<Box<More>>,
    /// What they say.
    pub theirs: Amounts,
    /// What our books say.
    pub ours: Amounts,
    /// A fact of it waited since an earlier day: a break may be open already.
    pub carried: bool,
    /// Its facts come again with the next day, as carried ones: the other side may still come. Not so once they did.
    pub carry: bool,
}

impl Difference {
    /// Theirs less ours, in dong.
    #[must_use]
    pub fn signed(&self) -> i64 {
        self.theirs.amount.saturating_sub(self.ours.amount)
    }

    /// All lines of it.
    pub fn lines(&self) -> impl Iterator<Item = LineNo> + '_ {
        self.line.into_iter().chain(self.more.iter().flat_map(|more| more.lines.iter().copied()))
    }

    /// All events of it.
    pub fn events(&self) -> impl Iterator<Item = EventNo> + '_ {
        self.event.into_iter().chain(self.more.iter().flat_map(|more| more.events.iter().copied()))
    }
}

/// A compared day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What agrees, by rule, then in the order of the keys or of their references; not in that of the facts.
    pub matches: Vec<Match>,
    /// What does not, sorted.
    pub differences: Vec<Difference>,
    /// How it ties out.
    pub sums: Sums,
}

//! Adds up while facts find their places. What cannot be counted any more is remembered and refused at the end.

use super::facts::{NotComparable, Ours, Standing, Theirs};
use super::result::Difference;
use super::sums::{Side, Sums};
use crate::domain::statement::Sum;

/// Sums that grow.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    sums: Sums,
    beyond: bool,
}

impl Tally {
    /// An event is there.
    pub fn event(&mut self, event: &Ours) {
        match (event.standing, event.booked) {
            (Standing::Done, _) => {}
            (_, false) => self.sums.ours.unmoved += 1,
            (Standing::Today, true) => put(&mut self.sums.ours.total, event.signed(), &mut self.beyond),
            (Standing::Carried, true) => put(&mut self.sums.ours.waiting, event.signed(), &mut self.beyond),
        }
    }

    /// A line is there.
    pub fn line(&mut self, line: &Theirs) {
        let side = &mut self.sums.theirs;
        match (line.carried, line.moves()) {
            (_, false) => side.unmoved += 1,
            (false, true) => put(&mut side.total, line.signed(), &mut self.beyond),
            (true, true) => put(&mut side.waiting, line.signed(), &mut self.beyond),
        }
    }

    /// Both were matched.
    pub fn matched(&mut self, line: &Theirs, event: &Ours) {
        let event_carried = event.standing == Standing::Carried;
        let theirs = &mut self.sums.theirs;
        let there = match (line.carried, event_carried) {
            (false, false) => &mut theirs.matched_today,
            (false, true) => &mut theirs.matched_carried,
            (true, _) => &mut theirs.closed,
        };
        put(there, line.signed(), &mut self.beyond);
        let ours = &mut self.sums.ours;
        let here = match (event_carried, line.carried) {
            (false, false) => &mut ours.matched_today,
            (false, true) => &mut ours.matched_carried,
            (true, _) => &mut ours.closed,
        };
        put(here, event.signed(), &mut self.beyond);
    }

    /// A line went into a difference.
    pub fn differing_line(&mut self, line: &Theirs, both_sides: bool, carry: bool) {
        if line.moves() {
            let moved = Moved { dong: line.signed(), carried: line.carried, both_sides, carry };
            place(&mut self.sums.theirs, moved, &mut self.beyond);
        }
    }

    /// An event went into a difference.
    pub fn differing_event(&mut self, event: &Ours, both_sides: bool, carry: bool) {
        if event.booked {
            let carried = event.standing == Standing::Carried;
            let moved = Moved { dong: event.signed(), carried, both_sides, carry };
            place(&mut self.sums.ours, moved, &mut self.beyond);
        }
    }

    /// A difference, whose lines and events that move money are so many.
    pub fn difference(&mut self, difference: &Difference, lines: i64, events: i64) {
        let sum = &mut self.sums.differences;
        sum.count += lines - events;
        match sum.dong.checked_add(difference.signed()) {
            Some(dong) => sum.dong = dong,
            None => self.beyond = true,
        }
    }

    /// A sum of a difference, or the mark that it is beyond what can be counted.
    pub fn money(&mut self, dong: i128) -> i64 {
        i64::try_from(dong).unwrap_or_else(|_beyond| {
            self.beyond = true;
            0
        })
    }

    /// Another's, too.
    pub fn add(&mut self, other: &Self) {
        self.beyond |= other.beyond;
        let pairs = [(&mut self.sums.theirs, &other.sums.theirs), (&mut self.sums.ours, &other.sums.ours)];
        for (to, from) in pairs {
            to.unmoved += from.unmoved;
            for (sum, more) in buckets(to).into_iter().zip(buckets(&mut { *from })) {
                sum.count += more.count;
                match sum.dong.checked_add(more.dong) {
                    Some(dong) => sum.dong = dong,
                    None => self.beyond = true,
                }
            }
        }
        let (sum, more) = (&mut self.sums.differences, other.sums.differences);
        sum.count += more.count;
        match sum.dong.checked_add(more.dong) {
            Some(dong) => sum.dong = dong,
            None => self.beyond = true,
        }
    }

    /// The sums, if all could be counted.
    pub fn finish(self) -> Result<Sums, NotComparable> {
        if self.beyond { Err(NotComparable::Day) } else { Ok(self.sums) }
    }
}

/// Money that went into a difference.
struct Moved {
    dong: i64,
    carried: bool,
    both_sides: bool,
    carry: bool,
}

fn place(side: &mut Side, moved: Moved, beyond: &mut bool) {
    let bucket = match (moved.carried, moved.both_sides) {
        (false, false) => &mut side.alone,
        (false, true) => &mut side.mismatched,
        (true, false) => &mut side.still_alone,
        (true, true) => &mut side.waiting_mismatched,
    };
    put(bucket, moved.dong, beyond);
    if moved.carry {
        put(&mut side.carried_out, moved.dong, beyond);
    }
}

fn put(sum: &mut Sum, dong: i64, beyond: &mut bool) {
    match sum.plus(dong) {
        Some(more) => *sum = more,
        None => *beyond = true,
    }
}

fn buckets(side: &mut Side) -> [&mut Sum; 10] {
    [
        &mut side.total,
        &mut side.matched_today,
        &mut side.matched_carried,
        &mut side.alone,
        &mut side.mismatched,
        &mut side.carried_out,
        &mut side.waiting,
        &mut side.closed,
        &mut side.still_alone,
        &mut side.waiting_mismatched,
    ]
}

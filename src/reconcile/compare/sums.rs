//! How a comparison ties out (I14). Totals are taken from the facts, the buckets from where the facts went, so that a
//! fact that was lost or used twice is seen.

use crate::domain::statement::Sum;

/// A difference of two sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// How many more.
    pub count: i64,
    /// How much more, in dong.
    pub dong: i64,
}

/// One side's facts that move money, by where they went. A reversal counts one and is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Of this day.
    pub total: Sum,
    /// Of this day, matched to the other side's of this day.
    pub matched_today: Sum,
    /// Of this day, matched to what waited on the other side.
    pub matched_carried: Sum,
    /// Of this day, missing on the other side.
    pub alone: Sum,
    /// This side of differences that have both sides.
    pub mismatched: Sum,
    /// Of those alone: what waits for the next day.
    pub carried_out: Sum,
    /// Carried in from earlier days.
    pub waiting: Sum,
    /// Of those: matched now.
    pub closed: Sum,
    /// Of those: still missing on the other side.
    pub still_alone: Sum,
    /// Of those: in differences that have both sides now.
    pub waiting_mismatched: Sum,
    /// Facts that move nothing: pending, failed, refused, only expected. In no sum.
    pub unmoved: u64,
}

/// Both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The statement's.
    pub theirs: Side,
    /// Our books'.
    pub ours: Side,
    /// All differences, theirs less ours.
    pub differences: Signed,
}

impl Sums {
    /// The statement less our books, of this day.
    #[must_use]
    pub fn difference(&self) -> Signed {
        less(self.theirs.total, self.ours.total)
    }

    /// The differences that came in with earlier days.
    #[must_use]
    pub fn opening(&self) -> Signed {
        less(self.theirs.waiting, self.ours.waiting)
    }

    /// Is every fact in exactly one place, in count and in dong? The statement's total is what was matched today and to
    /// what waited, what is missing here and its side of the mismatches; ours likewise; and the statement less ours,
    /// with the differences that came in, is the signed sum of the differences that are there now.
    ///
    /// # Errors
    /// The first identity that does not hold, in words.
    pub fn ties_out(&self) -> Result<(), String> {
        let (t, o) = (&self.theirs, &self.ours);
        for (name, side) in [("the statement", t), ("our books", o)] {
            let today = [side.matched_today, side.matched_carried, side.alone, side.mismatched];
            same(&format!("the total of {name}"), side.total, add(&today)?)?;
            let waiting = [side.closed, side.still_alone, side.waiting_mismatched];
            same(&format!("what waited in {name}"), side.waiting, add(&waiting)?)?;
        }
        same("what was matched within the day", t.matched_today, o.matched_today)?;
        // What waited closes against the other side's day, or against what waited there too.
        let there = add(&[t.matched_carried, t.closed])?;
        let here = add(&[o.matched_carried, o.closed])?;
        same("what was matched with what waited", there, here)?;
        let now = signed(self.differences);
        let (day, opening) = (signed(self.difference()), signed(self.opening()));
        if (day.0 + opening.0, day.1 + opening.1) == now {
            Ok(())
        } else {
            Err(format!("the statement less our books {day:?} with what came in {opening:?} is not {now:?}"))
        }
    }
}

fn signed(s: Signed) -> (i128, i128) {
    (i128::from(s.count), i128::from(s.dong))
}

fn less(a: Sum, b: Sum) -> Signed {
    let count = i128::from(a.count) - i128::from(b.count);
    Signed { count: i64::try_from(count).unwrap_or(i64::MAX), dong: a.dong.saturating_sub(b.dong) }
}

fn add(sums: &[Sum]) -> Result<Sum, String> {
    let added = sums.iter().try_fold(Sum::default(), |all, sum| {
        Some(Sum { count: all.count.checked_add(sum.count)?, dong: all.dong.checked_add(sum.dong)? })
    });
    added.ok_or_else(|| "a sum is out of range".to_owned())
}

fn same(what: &str, one: Sum, other: Sum) -> Result<(), String> {
    if one == other {
        return Ok(());
    }
    let said = |s: Sum| format!("{} of {} dong", s.count, s.dong);
    Err(format!("{what}: {} against {}", said(one), said(other)))
}

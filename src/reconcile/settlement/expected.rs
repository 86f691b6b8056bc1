//! What a day of a partner should bring: what its statement adds up to, less what the utility pays of discounts, less the
//! fees that are kept back. Pure: lines in, figures out.

use super::fees::{DayFees, shares};
use crate::domain::ids::Movement;
use crate::partner::settlement::{FeeSchedule, Fees, SettlementTerms};
use crate::reconcile::compare::NotComparable;

/// What of a statement's line counts here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Payment or reversal.
    pub movement: Movement,
    /// What a bill is reduced by, or raised again, in dong.
    pub amount: i64,
    /// The discount in it, in dong.
    pub discount: i64,
    /// What the partner states to charge for it, in dong.
    pub fee: i64,
}

/// What a day should bring, in dong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payable {
    /// Payments less reversals.
    pub gross: i64,
    /// Discounts in it.
    pub discount: i64,
    /// What the utility pays of them.
    pub utility: i64,
    /// The fees by the schedule; none without one.
    pub fee: Option<i64>,
    /// The fees that the statement states; none where it has no column of them.
    pub fee_stated: Option<i64>,
    /// What should come.
    pub expected: i64,
}

/// Adds up a day.
#[derive(Clone, Debug)]
pub struct Day<'t> {
    terms: &'t SettlementTerms,
    fees: Option<DayFees<'t>>,
    states_fees: bool,
    gross: i64,
    discount: i64,
    fee_stated: i64,
}

impl<'t> Day<'t> {
    /// Under these terms, no line yet. Does the statement have a column of fees?
    #[must_use]
    pub fn new(terms: &'t SettlementTerms, schedule: Option<&'t FeeSchedule>, states_fees: bool) -> Self {
        Self { terms, fees: schedule.map(DayFees::new), states_fees, gross: 0, discount: 0, fee_stated: 0 }
    }

    /// Counts one more line.
    ///
    /// # Errors
    /// [`NotComparable::Day`] beyond what can be counted.
    pub fn add(&mut self, line: &Line) -> Result<(), NotComparable> {
        let signed = |sum: i64, dong: i64| match line.movement {
            Movement::Payment => sum.checked_add(dong),
            Movement::Reversal => sum.checked_sub(dong),
        };
        self.gross = signed(self.gross, line.amount).ok_or(NotComparable::Day)?;
        self.discount = signed(self.discount, line.discount).ok_or(NotComparable::Day)?;
        self.fee_stated = signed(self.fee_stated, line.fee).ok_or(NotComparable::Day)?;
        self.fees.as_mut().map_or(Ok(()), |fees| fees.add(line.movement, line.amount))
    }

    /// What it comes to.
    ///
    /// # Errors
    /// [`NotComparable::Day`] beyond what can be counted.
    pub fn payable(&self) -> Result<Payable, NotComparable> {
        let fee = self.fees.as_ref().map(DayFees::total).transpose()?;
        let utility = match self.terms.promotion {
            Some(promotion) => shares(promotion, self.discount).ok_or(NotComparable::Day)?.1,
            None => 0,
        };
        let kept = if self.terms.fees == Fees::Net { fee.unwrap_or(0) } else { 0 };
        let expected = self.gross.checked_sub(utility).and_then(|rest| rest.checked_sub(kept));
        Ok(Payable {
            gross: self.gross,
            discount: self.discount,
            utility,
            fee,
            fee_stated: self.states_fees.then_some(self.fee_stated),
            expected: expected.ok_or(NotComparable::Day)?,
        })
    }
}

//! What a partner charges by its schedule, and who pays a discount: exact decimals until they are rounded, half a dong up,
//! to whole dong. Pure.

use crate::domain::ids::Movement;
use crate::partner::settlement::{FeeSchedule, Promotion, Reversals, Rounding};
use crate::reconcile::compare::NotComparable;
use rust_decimal::{Decimal, RoundingStrategy};

/// The fee of one payment with its tax, exact; `None` for an amount beyond what one may be.
#[must_use]
pub fn exact(schedule: &FeeSchedule, amount: i64) -> Option<Decimal> {
    let within = |up_to: Option<i64>| up_to.is_none_or(|up_to| amount <= up_to);
    let tier = schedule.tiers.iter().find(|tier| within(tier.up_to))?;
    let of_amount = percent(amount.into(), tier.percent)?;
    let fee = of_amount.checked_add(tier.fixed.into())?.max(schedule.minimum.into());
    let fee = schedule.maximum.map_or(fee, |maximum| fee.min(maximum.into()));
    fee.checked_add(percent(fee, schedule.vat)?)
}

/// To whole dong, half a dong up.
#[must_use]
pub fn rounded(exact: Decimal) -> Option<i64> {
    let whole = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    i64::try_from(whole).ok()
}

/// The fees of a day, as its payments come.
#[derive(Clone, Debug)]
pub struct DayFees<'s> {
    schedule: &'s FeeSchedule,
    sum: Decimal,
}

impl<'s> DayFees<'s> {
    /// Of no payment yet.
    #[must_use]
    pub fn new(schedule: &'s FeeSchedule) -> Self {
        Self { schedule, sum: Decimal::ZERO }
    }

    /// Counts one more payment, or one taken back.
    ///
    /// # Errors
    /// [`NotComparable::Day`] beyond what can be counted.
    pub fn add(&mut self, movement: Movement, amount: i64) -> Result<(), NotComparable> {
        if movement == Movement::Reversal && self.schedule.reversals == Reversals::Keep {
            return Ok(());
        }
        let fee = exact(self.schedule, amount).and_then(|exact| match self.schedule.rounding {
            Rounding::PerTransaction => rounded(exact).map(Decimal::from),
            Rounding::PerDay => Some(exact),
        });
        let sum = fee.and_then(|fee| match movement {
            Movement::Payment => self.sum.checked_add(fee),
            Movement::Reversal => self.sum.checked_sub(fee),
        });
        self.sum = sum.ok_or(NotComparable::Day)?;
        Ok(())
    }

    /// In whole dong.
    ///
    /// # Errors
    /// [`NotComparable::Day`] beyond what can be counted.
    pub fn total(&self) -> Result<i64, NotComparable> {
        rounded(self.sum).ok_or(NotComparable::Day)
    }
}

/// Who pays what of a day's discounts, in dong: (partner, utility), together all of it.
#[must_use]
pub fn shares(promotion: Promotion, discount: i64) -> Option<(i64, i64)> {
    let utility = percent(discount.into(), promotion.utility).and_then(rounded)?;
    Some((discount.checked_sub(utility)?, utility))
}

fn percent(of: Decimal, percent: Decimal) -> Option<Decimal> {
    of.checked_mul(percent)?.checked_mul(Decimal::new(1, 2))
}

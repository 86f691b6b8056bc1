//! What an item of a proposal weighs: the sum that an authority is measured by, and for what moves a payment also the sum
//! that it must still be over when it is carried out.

use super::line_of;
use crate::domain::money::Money;
use crate::domain::resolution::Resolution;
use crate::store::StoreError;
use crate::store::desk::BreakView;
use crate::store::reports::Reports;

/// In dong.
///
/// # Errors
/// The machine's.
pub(super) fn dong(reports: &mut dyn Reports, about: &BreakView, what: &Resolution) -> Result<i64, StoreError> {
    let event = match &about.event {
        Some(event) => reports.event(event)?.map(|record| record.content.amount),
        None => None,
    };
    let closes = matches!(what, Resolution::Close {});
    let line = match line_of(about) {
        Some(line) if closes || event.is_none() => reports.shown_line(line)?.map(|line| line.amount),
        _ => None,
    };
    let weight = what.weight(event.or(line).unwrap_or(about.amount));
    if !closes {
        return Ok(weight);
    }
    // Whoever closes a break lets go of all that it is over, on either side, and not only of the payment.
    let sums = [event, line, Some(about.amount)].into_iter().flatten().map(Money::dong);
    let sides = about.leg.into_iter().flat_map(|leg| [leg.ours, leg.theirs]).flatten();
    Ok(sums.chain(sides).map(i64::saturating_abs).fold(weight, i64::max))
}

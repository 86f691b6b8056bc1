//! Numbers that hold other numbers, so that rows that belong together lie together and need no column for it: a line's
//! holds its posting's, a receipt's its lane. The same in both databases.

use super::StoreError;

/// Bits of an entry's and of an allocation's number that say its line; its posting's number stands above.
const LINE_BITS: u32 = 16;

/// Bits of a receipt's number that say its place in its lane.
const PLACE_BITS: u32 = 40;

/// Postings in a block, as bits of their number: where several write, one writer's rise within it.
pub(super) const BLOCK_BITS: u32 = 20;

/// Lanes below this: the lane shares a receipt's number with its place, 40 bits of it.
pub(super) const LANE_MAX: u32 = 1 << 20;

/// The number of a posting's line.
pub(super) fn line_no(posting: i64, line: usize) -> Result<i64, StoreError> {
    let line = u16::try_from(line).ok();
    let base = posting.checked_mul(1_i64 << LINE_BITS);
    let no = line.zip(base).and_then(|(line, base)| base.checked_add(i64::from(line)));
    no.ok_or_else(|| StoreError::Fault(format!("posting {posting}: more lines than {}", u16::MAX)))
}

/// The numbers of a posting's lines: from the first up to, not including, the second.
pub(super) fn lines_of(posting: i64) -> Result<(i64, i64), StoreError> {
    Ok((line_no(posting, 0)?, line_no(posting.saturating_add(1), 0)?))
}

/// The row number of a receipt: the lane above its place.
pub(super) fn receipt_no(lane: u32, n: i64) -> Result<i64, StoreError> {
    let base = lane_base(lane);
    let place = u64::try_from(n).ok().filter(|n| n.checked_shr(PLACE_BITS) == Some(0));
    let no = place.and_then(|_in_range| base.checked_add(n));
    no.ok_or_else(|| StoreError::Fault(format!("receipt {n} of lane {lane}: out of range")))
}

/// The last number of the lane of this receipt.
pub(super) fn lane_end(receipt: i64) -> i64 {
    receipt | ((1_i64 << PLACE_BITS) - 1)
}

/// The last number of a message in this message's block of postings.
pub(super) fn block_end(message: i64) -> i64 {
    message | ((1_i64 << (BLOCK_BITS + LINE_BITS)) - 1)
}

/// The number below all receipts of a lane.
pub(super) fn lane_base(lane: u32) -> i64 {
    i64::from(lane).saturating_mul(1_i64 << PLACE_BITS)
}

//! A lane is one writer's: its chain and its numbers. Owned by a lock of the writer's own session, so that whoever lost
//! the connection lost the lane, and what it had begun with it. Keeps decision 6.

use super::failure;
use super::session::{Ask, Session};
use crate::domain::ids::PostingNo;
use crate::store::cells::Cells;
use crate::store::numbers::{BLOCK_BITS, LANE_MAX, receipt_no};
use crate::store::{Heads, StoreError};

/// The class of the advisory locks on lanes: `lane`.
const LANE_CLASS: i32 = 0x6c61_6e65;

/// Lanes that an instance tries: many more than instances make sense on one database.
const LANES_TRIED: u32 = 256;

/// A transaction never needs more numbers than this: a batch or a slice is a few thousand rows at most.
const ROOM: i64 = 1 << 16;

/// Where a lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Its last receipt.
    pub(super) n: i64,
    pub(super) hash: [u8; 32],
    /// The next numbers, and the last of their block.
    pub(super) posting: i64,
    pub(super) event: i64,
    pub(super) last_number: i64,
}

impl Head {
    pub(super) fn heads(&self) -> Heads {
        Heads { receipt: self.n.saturating_add(1), chain: self.hash, posting: PostingNo(self.posting), alone: false }
    }

    /// May a transaction run out of numbers?
    pub(super) fn is_narrow(&self) -> bool {
        self.last_number.saturating_sub(self.posting.max(self.event)) < ROOM
    }

    /// Goes on in another block. What is left of the old one is never used.
    pub(super) fn move_to(&mut self, block: i64) {
        let size = 1_i64 << BLOCK_BITS;
        let first = block.saturating_sub(1).saturating_mul(size).saturating_add(1);
        (self.posting, self.event) = (first, first);
        self.last_number = block.saturating_mul(size);
    }
}

/// A new block's number. Taken for good, whatever becomes of the transaction.
pub(super) const NEXT_BLOCK: &str = "-- lanes.block\nSELECT nextval('number_blocks')";

/// Takes the first free lane from `from` on.
pub(super) fn take_free(session: &mut Session, from: u32) -> Result<u32, StoreError> {
    let last = from.saturating_add(LANES_TRIED).min(LANE_MAX);
    for lane in from..last {
        if take(session, lane)? {
            return Ok(lane);
        }
    }
    Err(StoreError::Fault(format!("lanes {from} to {}: each is another instance's", last.saturating_sub(1))))
}

/// Takes this lane, if it is free.
pub(super) fn take(session: &mut Session, lane: u32) -> Result<bool, StoreError> {
    const SQL: &str = "-- lanes.take\nSELECT pg_try_advisory_lock($1, $2)";
    let lane = i32::try_from(lane).map_err(|_out_of_range| StoreError::Fault(format!("lane {lane}: out of range")))?;
    let answer = session.ask_one(Ask::new(SQL, vec![&LANE_CLASS, &lane]))?;
    Ok(answer.one(|cells| cells.flag())?.unwrap_or(false))
}

/// Where a lane that is ours goes on; a new one begins.
pub(super) fn head(session: &mut Session, lane: u32) -> Result<Head, StoreError> {
    const READ: &str = "-- lanes.head\nSELECT n, hash, posting, event, last_number FROM lanes WHERE lane = $1";
    const BEGIN: &str = "-- lanes.begin\nINSERT INTO lanes (lane, n, hash, posting, event, last_number)
        VALUES ($1, 0, $2, $3, $3, $4)";
    const BEYOND: &str = "-- lanes.beyond\nSELECT EXISTS (SELECT 1 FROM receipts WHERE no > $1 AND no < $2)";
    let number = super::row::small(lane)?;
    let found = session.ask_one(Ask::new(READ, vec![&number]))?.one(|cells| {
        Ok(Head {
            n: cells.whole()?,
            hash: cells.hash()?,
            posting: cells.whole()?,
            event: cells.whole()?,
            last_number: cells.whole()?,
        })
    })?;
    if let Some(head) = found {
        let (last, next_lane) = (receipt_no(lane, head.n)?, receipt_no(lane.saturating_add(1), 0)?);
        let beyond = session.ask_one(Ask::new(BEYOND, vec![&last, &next_lane]))?.one(|cells| cells.flag())?;
        return match beyond {
            Some(false) => Ok(head),
            _ => Err(failure::broken(format!("lane {lane}: there are receipts beyond its last one"))),
        };
    }
    let block = session.ask_one(Ask::new(NEXT_BLOCK, Vec::new()))?.one(|cells| cells.whole())?;
    let mut head = Head { n: 0, hash: [0; 32], posting: 1, event: 1, last_number: 0 };
    head.move_to(block.unwrap_or(1));
    let hash = head.hash.as_slice();
    session.ask_one(Ask::new(BEGIN, vec![&number, &hash, &head.posting, &head.last_number]))?;
    Ok(head)
}

/// After a lost connection: is the lane no further back than this writer had brought it? What brings no receipt, such as
/// an import that settles a parked payment, moves its numbers.
pub(super) fn goes_on(lane: u32, before: &Head, now: &Head) -> Result<(), StoreError> {
    if now.n >= before.n && now.posting >= before.posting && now.event >= before.event {
        Ok(())
    } else {
        Err(failure::broken(format!("lane {lane}: the database has lost numbers that it had acknowledged")))
    }
}

/// After a lost connection: does the database still have what was acknowledged over it?
pub(super) fn prove(session: &mut Session, lane: u32, before: &Head) -> Result<(), StoreError> {
    const SQL: &str = "-- lanes.prove\nSELECT hash FROM receipts WHERE no = $1";
    if before.n == 0 {
        return Ok(());
    }
    let no = receipt_no(lane, before.n)?;
    let hash = session.ask_one(Ask::new(SQL, vec![&no]))?.one(|cells| cells.hash())?;
    if hash == Some(before.hash) {
        Ok(())
    } else {
        Err(failure::broken(format!(
            "lane {lane}: the database has lost receipt {}, which it had acknowledged",
            before.n
        )))
    }
}

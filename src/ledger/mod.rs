//! The one write path: a proved notice becomes a balanced posting, a receipt and messages to the core, in one
//! commit, and only then an answer. Not the reading of a notice (`partner`), not which invoice (`matching`), not SQL
//! (`store`). Keeps I2, I3, I4, I5 and I6.
//!
//! [`post()`] folds over a batch of arrivals; [`register()`] takes invoices in and decides parked payments again;
//! [`writer`] is the thread that owns the store and commits batches, and [`Queue`] the way to it; [`audit`] proves the
//! books afterwards, and [`retain`] forgets what is old and not needed to.

mod arrival;
pub mod audit;
mod batch;
mod book;
pub mod certificate;
pub mod compose;
pub mod crash;
pub mod left;
mod pace;
mod pickup;
mod post;
mod queue;
mod recent;
mod register;
pub mod resolve;
pub mod retain;
mod slices;
pub mod writer;

pub use arrival::{Arrival, UnreadKind};
pub use book::LaneContext;
pub use compose::Moment;
pub use pace::{Held, SLICE_MAX, next_slice};
pub use pickup::Pickup;
pub use post::{Posted, PostedBatch, Repeat, post};
pub use queue::{Busy, ByClock, PostJob, Queue, Task, Turn, Waiters, Waiting};
pub use recent::{Mark, RECENT_BREAKS_MAX, RecentBreaks};
pub use register::{REMATCH_MAX, RegisterReport, register, rematch};
pub use slices::{SliceError, Slices, transact};

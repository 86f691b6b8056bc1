//! What others say of a day beside what our books say: statements are read by the partner's layout, compared, and each
//! difference becomes a break with its evidence. Knows nothing of HTTP and nothing of SQL.

mod breaks;
pub mod close;
pub mod compare;
pub mod desk;
mod elsewhere;
pub mod export;
pub mod facts;
pub mod import;
pub mod inbox;
pub mod minutes;
pub mod read;
pub mod report;
pub mod run;
pub mod settlement;
pub mod told;

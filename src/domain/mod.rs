//! The nouns, in reading order. No I/O, no clock, no framework, no SQL: everything else speaks in these words.
//!
//! A notice walks through the types below from left to right and never back:
//!
//! ```text
//! RawNotice -> (partner's AuthenticNotice) -> Notice -> Decision -> Posting -> Outcome
//!                                                                  `-> Dispatch
//! ```
//!
//! Keeps I9: nothing here reads a clock or the outside world.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]
#![deny(clippy::wildcard_enum_match_arm)]

pub mod break_class;
pub mod close;
pub mod decision;
pub mod dispatch;
pub mod figures;
pub mod fold;
pub mod ids;
pub mod in_words;
pub mod invoice;
pub mod money;
pub mod notice;
pub mod outcome;
pub mod posting;
pub mod receipt;
pub mod resolution;
pub mod review;
pub mod secret;
pub mod statement;
pub mod time;
pub mod user;

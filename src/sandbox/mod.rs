//! The other side, for the demo, for onboarding and for tests: a billing core that fails, and collectors that
//! misbehave. Both keep a journal of what they believe, written apart from the gateway's books, so that the two can
//! be compared ([`tie_out`]). Never part of a gateway that serves: nothing outside the command line's `demo` and
//! `sandbox` starts it.

pub mod bills;
pub mod chance;
pub mod clock;
pub mod collector;
pub mod core;
pub mod core_book;
pub mod day_file;
pub mod evening;
pub mod journal;
pub mod keys;
pub mod scenario;
pub mod speech;
pub mod statement;
pub mod summary;
pub mod tie_out;

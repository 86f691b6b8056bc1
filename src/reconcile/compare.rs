//! The comparison of one partner's day: what they say line by line, what our books say event by event. Pure (I9): facts
//! in, matches and differences out; the same facts give the same result in whatever order they come. Keeps I14: each
//! fact is in exactly one place, and [`Sums::ties_out`] proves it in count and in dong.
//!
//! Rules in their order, each kept with its match: the partner's event key; then, for a line without one, our reference
//! with the exact amount, where both sides have it once. There is no tolerance. What is left is grouped before it is
//! called missing: ids that were swapped, a payment that they split, payments that they merged, a payment taken back.
//!
//! A difference with one side only waits a cycle ([`Difference::carry`]): its facts come again with the next day as
//! [`Standing::Carried`], and are matched like others, so that what only crossed midnight closes by itself.
//!
//! Flat facts, no allocation for a row: both sides are spread over parts by the bits of their keys, two threads sort and
//! merge the parts.

pub mod bank;
mod facts;
mod groups;
mod index;
mod judge;
mod keyed;
mod rest;
mod result;
mod sums;
mod tally;

pub use facts::{Leg, NotComparable, Ours, Rules, Says, Standing, Theirs, payment_mark};
pub use result::{Amounts, Compared, Difference, Match, More, Note, Rule};
pub use sums::{Side, Signed, Sums};

use facts::Facts;

/// The version of the rules, kept with each match: raised whenever one of them changes.
pub const RULES_VERSION: u16 = 2;

/// Compares a day.
///
/// # Errors
/// [`NotComparable`]: a fact's money, or a sum, is beyond what can be counted.
pub fn compare(rules: &Rules, ours: &[Ours], theirs: &[Theirs]) -> Result<Compared, NotComparable> {
    let facts = Facts::new(rules, ours, theirs)?;
    let keyed = keyed::join(&facts);
    rest::settle(&facts, keyed)
}

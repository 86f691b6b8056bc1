//! What a collector may ask.

pub mod readers;

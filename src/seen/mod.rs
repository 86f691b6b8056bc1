//! seen.

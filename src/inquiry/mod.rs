//! inquiry.

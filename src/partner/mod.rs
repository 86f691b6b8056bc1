//! partner.

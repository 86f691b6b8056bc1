//! One notice's walk: prove, read, recall, post, remember; and what stands around it: limits before the proof, the
//! quarantine for what is not proved, the clock alarm, invoice rows. Not the partner's words (`partner`), not the
//! deciding (`matching`, `ledger`), not HTTP.
//!
//! Keeps I1: nothing is read before it is proved. Keeps I3: what is proved and not understood goes to the ledger as a
//! receipt with a break. Keeps I4: success is said only after the writer answered, and the writer answers after the
//! commit. Whatever fails here, a panic included, is the retry word.

pub mod alarm;
pub mod door;
pub mod import;
pub mod invoice_rows;
pub mod limits;
pub mod quarantine;
pub mod redo;
pub mod repeats;
pub mod row_stream;

pub use door::{Door, Heard, Intake, IntakeOptions};

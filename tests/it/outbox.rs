//! The outbox over a real database and real sockets: whatever the core says or does not say, a message is told under
//! one key until the core takes it or a person ends it (I6), in the order of its invoice, and no message pays for
//! another's trouble (I10).

mod answers;
mod crashes;
mod people;
mod rig;
mod trust;
mod way;

//! Settlement: what profiles may say of fees and due days, the laws of both, what is kept, and days with a bank.

mod balance;
mod calendar;
mod fees;
mod program;
mod store;
mod terms;

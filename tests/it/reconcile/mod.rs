//! Reconciliation: days with known truth, laws of the comparison, and what the bank leg says.
#![cfg(test)]

mod bank;
mod days;
mod laws;
mod mutator;
mod naive;
mod plants;
mod program;
mod stories;
mod timing;

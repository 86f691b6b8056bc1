#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;

pub mod matching;
pub mod partner;
pub mod seen;
pub mod store;

pub mod ledger;

pub mod inquiry;
pub mod intake;
pub mod outbox;
pub mod reconcile;

pub mod http;

pub mod finance;
pub mod sandbox;

pub mod app;
pub mod cli;
pub mod config;
pub mod telemetry;

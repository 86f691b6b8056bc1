//! The pages in a real browser, one binary: Debian's Chromium, driven by its ChromeDriver. `page` is what a journey is
//! written with; a page that was not quiet fails its test when it is dropped. Each judge has a negative control.
//!
//! `TEST_CHROMEDRIVER` and `TEST_CHROMIUM` name the programs, or they are in the path; `TEST_AXE` names axe.min.js and
//! `TEST_BLNS` the list of naughty strings. What is missing prints SKIPPED and counts as not shown. A failed test leaves what
//! its page looked like in target/screens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test's own mistake may panic, and the gate's settings come by the environment"
)]

mod axe;
mod commands;
mod controls;
mod day_keys;
mod day_mouse;
mod desk;
mod driver;
mod every_page;
mod find;
mod handling;
#[path = "../it/harness/mod.rs"]
#[expect(dead_code, reason = "the integration tests use the rest of it")]
mod harness;
mod hostile;
mod keys;
mod naughty;
mod page;
mod part;
mod quiet;
mod served;
mod tab;
mod without_script;

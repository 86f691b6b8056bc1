//! The finance desk: pages on which people see what does not tie out and decide it under four eyes. Rendered here, whole
//! without script. The API's JSON is the same questions and the same verbs ([`crate::http`]), which these pages call: a
//! page decides nothing and moves no money.
//!
//! Keeps I11 (payers are masked for those who do not need them, and who sees them is noted) and I13 (authors are who is
//! logged in).

pub mod assets;
pub mod form;
pub mod highlight;
pub mod pages;
pub mod password;
pub mod proposing;
pub mod session;
pub mod shell;
pub mod show;
pub mod stop;
pub mod terms;
pub mod told;
pub mod upload;
pub mod why;
pub mod wish;
pub mod words;
pub mod work;

use actix_web::web;

/// The routes of the pages.
pub fn routes(config: &mut web::ServiceConfig) {
    assets::routes(config);
    pages::routes(config);
}

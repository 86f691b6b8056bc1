//! Who looked at what and who did what; whether the books prove.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

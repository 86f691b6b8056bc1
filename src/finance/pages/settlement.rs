//! What a partner's days should bring at the bank, and what they brought.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

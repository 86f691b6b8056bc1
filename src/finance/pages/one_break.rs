//! One break: both sides beside the core and the bank, why, the bytes that came, its history, and what may be done.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

//! What waits for a second person: the frozen list, its sum, its maker's reason.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

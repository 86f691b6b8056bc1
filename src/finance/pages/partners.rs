//! Partners: whether they are heard of, paused, their keys and terms.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

//! Messages to the core that wait, and those that wait for a person.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

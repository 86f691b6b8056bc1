//! Rules: what each would propose, and what they may approve.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

//! Who works here, as what, and up to which sum.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}

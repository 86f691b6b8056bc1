//! Everything about one customer: bills, payments, and where each of them stands.

use actix_web::web;

pub(super) fn routes(_config: &mut web::ServiceConfig) {}
